/* SPDX-License-Identifier: MIT */
/* A reference of any bytes into a file of large values of any bytes: the first 24 are the
 * reference. */
#include "fuzz.h"

#include "base/coding.h"
#include "base/epoch.h"
#include "blob/blob.h"
#include "cache/cache.h"

#include <inttypes.h>
#include <string.h>

#define NUMBER_OFFSET 16u /* in the header (docs/design/format-blob.md) */
#define ID_OFFSET 24u
#define HEADER_SIZE 64u
#define SIZE_MOST (UINT64_C (1) << 22) /* a caller asks for no more memory than the file is long */
#define CACHE_SIZE (UINT64_C (1) << 23)

static struct ledger ledger = { .budget = CACHE_SIZE };
static struct cache *cache;

/* Through the cache, twice: from the file, then, if it was kept, from memory. */
static void
read_kept (struct blob_file *file, const struct blob_reference *reference, struct bytes value)
{
  for (unsigned i = 0; i < 2; i++)
    {
      struct failure failure = FAILURE_INIT;
      struct bytes lent;
      const uint8_t *page;
      if (!fuzz_result (blob_file_lend (file, reference, &page, &lent, &failure), &failure))
        CHECK (value.data == NULL);
      else if (page != NULL)
        {
          CHECK (value.data != NULL && bytes_equal (lent, value));
          cache_unpin (page);
        }
    }
}

static void
read_value (struct blob_file *file, const struct blob_reference *reference)
{
  struct failure failure = FAILURE_INIT;
  uint8_t *value = malloc (reference->size + 1);
  CHECK (value != NULL);
  bool read = fuzz_result (blob_file_read (file, reference, value, &failure), &failure);
  read_kept (file, reference, read ? BYTES (value, reference->size) : BYTES_NONE);
  free (value);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct failure failure = FAILURE_INIT;
  struct blob_reference reference;
  struct blob_file *file;
  char name[40];
  if (cache == NULL)
    CHECK_OK (cache_new (&ledger, 4096, CACHE_SIZE, &cache, &failure));
  if (size < BLOB_REFERENCE_SIZE + HEADER_SIZE)
    return 0;
  const uint8_t *content = data + BLOB_REFERENCE_SIZE;
  uint64_t number = load_u64 (content + NUMBER_OFFSET) & 0xffffffff, bytes;
  number = number > 0 ? number : 1;
  snprintf (name, sizeof name, "%" PRIu64 ".blob", number);
  fuzz_write (name, BYTES (content, size - BLOB_REFERENCE_SIZE));
  if (fuzz_result (blob_file_open (fuzz_directory (), content + ID_OFFSET, number, &file, &failure),
                   &failure))
    {
      CHECK_OK (blob_file_size (file, &bytes, &failure));
      CHECK_INT (bytes, size - BLOB_REFERENCE_SIZE);
      blob_file_set_cache (file, cache, 0);
      blob_reference_load (BYTES (data, BLOB_REFERENCE_SIZE), &reference);
      if (reference.size <= SIZE_MOST)
        read_value (file, &reference); /* which looks at the reference, too */
      blob_file_unref (file);
      epoch_collect (true);
    }
  fuzz_remove (name);
  return 0;
}
