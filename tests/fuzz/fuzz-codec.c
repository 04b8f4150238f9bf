/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a compressed page. The first byte chooses the codec, the next three the size that
 * the page should have, the fourth how much of the rest is a dictionary. And any bytes as a page:
 * it comes back from each codec as it was.
 */
#include "fuzz.h"

#include "base/coding.h"
#include "segment/codec.h"

#include <string.h>

static void
decompress (enum codec codec, struct bytes content, struct bytes stored, size_t size)
{
  struct failure failure = FAILURE_INIT;
  struct dictionary *dictionary = NULL;
  if (!fuzz_result (dictionary_new (content, &dictionary, &failure), &failure))
    return;
  uint8_t *page = malloc (size > 0 ? size : 1);
  CHECK (page != NULL);
  failure = FAILURE_INIT;
  if (fuzz_result (codec_decompress (codec, dictionary, stored, page, size, &failure), &failure))
    fuzz_touch (BYTES (page, size));
  free (page);
  CHECK ((dictionary_memory (dictionary) > 0) == (content.size > 0));
  dictionary_free (dictionary);
}

static void
there_and_back (enum codec codec, struct bytes page)
{
  struct failure failure = FAILURE_INIT;
  struct compressor *compressor;
  uint8_t *stored = malloc (page.size + 1), *back = malloc (page.size + 1);
  size_t size = 0;
  CHECK (stored != NULL && back != NULL);
  CHECK_OK (compressor_new (codec, 3, BYTES_NONE, &compressor, &failure));
  if (compressor_run (compressor, page, stored, &size) != CODEC_NONE)
    {
      CHECK (size <= page.size - page.size / 8);
      CHECK_OK (codec_decompress (codec, NULL, BYTES (stored, size), back, page.size, &failure));
      CHECK (memcmp (back, page.data, page.size) == 0);
    }
  compressor_free (compressor);
  free (stored);
  free (back);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  for (enum codec codec = CODEC_ZSTD; codec < CODEC_COUNT; codec++)
    there_and_back (codec, BYTES (data, size));
  if (size < 5)
    return 0;
  if (data[0] > 250)
    codec_trim ();
  enum codec codec = (enum codec) (data[0] % (CODEC_COUNT + 1)); /* one that there is not, too */
  size_t page_size = load_u32 (data + 1) & 0x1ffff;
  size_t split = (size - 5) * data[4] / 1024;
  decompress (codec, BYTES (data + 5, split), BYTES (data + 5 + split, size - 5 - split),
              page_size);
  return 0;
}
