/* SPDX-License-Identifier: MIT */
/*
 * codec: round trips of every codec and level over pages that compress well, half and not at all;
 * dictionaries; hostile input in exactly-sized heap blocks, so that AddressSanitizer sees one byte
 * too many; the adaptive sampling.
 */
#include "base/random.h"
#include "check.h"
#include "segment/codec.h"

#include <malloc.h>
#include <pthread.h>

#define PAGE 4096

static struct failure failure;

enum content
{
  TEXT,
  HALF,
  NOISE,
  ZEROES,
  CONTENTS
};

static void
fill (uint8_t *page, size_t size, enum content content, struct random *random)
{
  static const char *words[]
      = { "lightning", "segment", "page ", "key", "value: ", "0001", "{", "}" };
  size_t at = 0;
  memset (page, 0, size);
  while (content != ZEROES && at < size)
    if (content == NOISE || (content == HALF && at >= size / 2))
      page[at++] = (uint8_t) random_next (random);
    else
      for (const char *word = words[random_below (random, 8)]; *word != 0 && at < size; word++)
        page[at++] = (uint8_t) *word;
}

/* Compresses one page, checks the contract, decodes it again; returns the codec used. */
static enum codec
round_trip (struct compressor *compressor, const struct dictionary *dictionary, enum codec codec,
            const uint8_t *page, size_t size, size_t *stored_size)
{
  uint8_t *to = malloc (size), *back = malloc (size), *stored;
  enum codec used = compressor_run (compressor, BYTES (page, size), to, stored_size);
  CHECK (used == codec || used == CODEC_NONE);
  CHECK (used == CODEC_NONE ? *stored_size == size : *stored_size <= size - size / 8);
  stored = malloc (*stored_size);
  memcpy (stored, used == CODEC_NONE ? page : to, *stored_size);
  CHECK_OK (
      codec_decompress (used, dictionary, BYTES (stored, *stored_size), back, size, &failure));
  CHECK (memcmp (back, page, size) == 0);
  free (stored);
  free (back);
  free (to);
  return used;
}

static void
test_round_trips (void)
{
  static const int levels[] = { 1, 3, 9, 19 };
  static const size_t sizes[] = { 1, 7, 8, 100, 4096, 8192, 65536, 200000 };
  struct random random = { 1 };
  uint8_t *page = malloc (200000);
  for (int codec = CODEC_NONE; codec < CODEC_COUNT; codec++)
    for (size_t level = 0; level < (codec == CODEC_ZSTD ? 4 : 1); level++)
      for (int content = 0; content < CONTENTS; content++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
          {
            struct compressor *compressor;
            size_t stored;
            CHECK_OK (compressor_new (codec, levels[level], BYTES_NONE, &compressor, &failure));
            for (int repeat = 0; repeat < 2; repeat++)
              {
                fill (page, sizes[i], content, &random);
                enum codec used = round_trip (compressor, NULL, codec, page, sizes[i], &stored);
                if (codec == CODEC_NONE || content == NOISE || sizes[i] < 8)
                  CHECK_INT (used, CODEC_NONE);
                if (codec != CODEC_NONE && sizes[i] >= PAGE && content != NOISE)
                  CHECK_INT (used, codec);
                if (sizes[i] == PAGE && repeat == 0 && content != NOISE && codec != CODEC_NONE)
                  printf ("codec %d level %d content %d: %d -> %zu\n", codec, levels[level],
                          content, PAGE, stored);
              }
            compressor_free (compressor);
          }
  free (page);
}

/* A small structured page, as a settled leaf holds it: shared field names, varying values. */
static size_t
fill_rows (uint8_t *page, struct random *random)
{
  char *at = (char *) page;
  size_t used = 0;
  while (used + 160 < 2048)
    used += (size_t) snprintf (at + used, 2048 - used,
                               "{\"identifier\":%llu,\"display-name\":\"user-%04llu\",\"mail\":"
                               "\"user%llu@example.org\",\"enabled\":%s,\"last-login\":%llu}",
                               (unsigned long long) random_below (random, 100000000),
                               (unsigned long long) random_below (random, 10000),
                               (unsigned long long) random_below (random, 10000),
                               random_below (random, 2) ? "true" : "false",
                               (unsigned long long) random_below (random, 2000000000));
  return used;
}

static void
test_dictionary (void)
{
  enum
  {
    COUNT = 400
  };
  struct random random = { 2 };
  uint8_t *samples = malloc (COUNT * 2048), *content;
  size_t sizes[COUNT], total = 0, content_size;
  for (size_t i = 0; i < COUNT; i++)
    total += sizes[i] = fill_rows (samples + total, &random);
  CHECK_OK (dictionary_train (samples, sizes, COUNT, 16384, &content, &content_size, &failure));
  CHECK (content != NULL && content_size > 0 && content_size <= 16384);

  struct compressor *plain, *with;
  struct dictionary *dictionary;
  CHECK_OK (compressor_new (CODEC_ZSTD, 3, BYTES_NONE, &plain, &failure));
  CHECK_OK (compressor_new (CODEC_ZSTD, 3, BYTES (content, content_size), &with, &failure));
  CHECK_OK (dictionary_new (BYTES (content, content_size), &dictionary, &failure));
  size_t plain_total = 0, with_total = 0, raw = 0, stored;
  uint8_t page[2048], back[2048];
  for (int i = 0; i < 200; i++) /* pages the training never saw */
    {
      size_t size = fill_rows (page, &random);
      raw += size;
      round_trip (plain, NULL, CODEC_ZSTD, page, size, &stored);
      plain_total += stored;
      CHECK_INT (round_trip (with, dictionary, CODEC_ZSTD, page, size, &stored), CODEC_ZSTD);
      with_total += stored;
    }
  printf ("200 pages: raw %zu, zstd-3 %zu, with a %zu-byte dictionary %zu\n", raw, plain_total,
          content_size, with_total);
  CHECK (with_total < plain_total * 9 / 10);

  /* Without its dictionary a page is corrupt or something else, never a crash. */
  size_t size = fill_rows (page, &random);
  uint8_t to[2048];
  CHECK_INT (compressor_run (with, BYTES (page, size), to, &stored), CODEC_ZSTD);
  status result = codec_decompress (CODEC_ZSTD, NULL, BYTES (to, stored), back, size, NULL);
  CHECK (result == STATUS_CORRUPT || memcmp (back, page, size) != 0);

  /* Damaged dictionaries: refused, or pages decode to an error or to other bytes. */
  for (int i = 0; i < 300; i++)
    {
      uint8_t *damaged = malloc (content_size);
      struct dictionary *other = NULL;
      memcpy (damaged, content, content_size);
      damaged[random_below (&random, i < 150 ? 64 : content_size)] ^= 1u
                                                                      << random_below (&random, 8);
      if (dictionary_new (BYTES (damaged, content_size), &other, NULL) == STATUS_OK)
        codec_decompress (CODEC_ZSTD, other, BYTES (to, stored), back, size, NULL);
      else
        CHECK (other == NULL);
      dictionary_free (other);
      free (damaged);
    }

  /* Noise, and too few samples, train nothing and that is no failure. */
  uint8_t *nothing = content;
  for (size_t i = 0; i < total; i++)
    samples[i] = (uint8_t) random_next (&random);
  CHECK_OK (dictionary_train (samples, sizes, COUNT, 16384, &nothing, &stored, &failure));
  CHECK (nothing == NULL && stored == 0);
  CHECK_OK (dictionary_train (samples, sizes, 3, 16384, &nothing, &stored, &failure));
  CHECK (nothing == NULL && stored == 0);
  CHECK_OK (dictionary_train (samples, NULL, 0, 16384, &nothing, &stored, &failure));
  CHECK_OK (dictionary_new (BYTES_NONE, &(struct dictionary *){ NULL }, &failure));
  dictionary_free (dictionary);
  compressor_free (with);
  compressor_free (plain);
  free (content);
  free (samples);
}

/* Every truncation and many mutations, in heap blocks of exactly their size. */
static void
test_hostile (void)
{
  struct random random = { 3 };
  uint8_t *page = malloc (PAGE), *to = malloc (PAGE), *back = malloc (PAGE);
  for (int codec = CODEC_ZSTD; codec < CODEC_COUNT; codec++)
    {
      struct compressor *compressor;
      size_t size;
      CHECK_OK (compressor_new (codec, 3, BYTES_NONE, &compressor, &failure));
      fill (page, PAGE, TEXT, &random);
      CHECK_INT (compressor_run (compressor, BYTES (page, PAGE), to, &size), codec);
      for (size_t cut = 0; cut < size; cut += 1 + cut / 16)
        {
          uint8_t *stored = malloc (cut + (cut == 0));
          memcpy (stored, to, cut);
          CHECK_FAILS (codec_decompress (codec, NULL, BYTES (stored, cut), back, PAGE, &failure),
                       STATUS_CORRUPT);
          free (stored);
        }
      for (int i = 0; i < 3000; i++)
        {
          uint8_t *stored = malloc (size);
          memcpy (stored, to, size);
          for (uint64_t changes = 1 + random_below (&random, 4); changes > 0; changes--)
            stored[random_below (&random, i % 2 == 0 ? 24 : size)]
                = (uint8_t) random_next (&random);
          status result = codec_decompress (codec, NULL, BYTES (stored, size), back, PAGE, NULL);
          CHECK (result == STATUS_OK || result == STATUS_CORRUPT);
          free (stored);
        }
      for (size_t room = 0; room <= 2 * PAGE; room += room < 8 ? 1 : 511) /* a wrong logical size */
        {
          size_t wrong = room == PAGE ? PAGE + 1 : room;
          uint8_t *other = malloc (wrong + (wrong == 0));
          CHECK_FAILS (codec_decompress (codec, NULL, BYTES (to, size), other, wrong, &failure),
                       STATUS_CORRUPT);
          free (other);
        }
      compressor_free (compressor);
    }
  CHECK_FAILS (codec_decompress (CODEC_NONE, NULL, BYTES (page, PAGE - 1), back, PAGE, &failure),
               STATUS_CORRUPT);
  CHECK_FAILS (codec_decompress (CODEC_COUNT, NULL, BYTES (page, PAGE), back, PAGE, &failure),
               STATUS_CORRUPT);
  CHECK_FAILS (codec_decompress ((enum codec) 77, NULL, BYTES (page, 9), back, PAGE, &failure),
               STATUS_CORRUPT);
  struct compressor *compressor;
  CHECK_FAILS (compressor_new ((enum codec) 9, 3, BYTES_NONE, &compressor, &failure),
               STATUS_INVALID);
  CHECK_FAILS (compressor_new (CODEC_ZSTD, 20, BYTES_NONE, &compressor, &failure), STATUS_INVALID);
  CHECK_FAILS (compressor_new (CODEC_ZSTD, 0, BYTES_NONE, &compressor, &failure), STATUS_INVALID);
  free (back);
  free (to);
  free (page);
}

/* After noise only 1 page in 16 is tried; the first that pays brings all of them back. */
static void
test_adaptive (void)
{
  struct random random = { 4 };
  uint8_t text[PAGE], noise[PAGE], to[PAGE];
  size_t size;
  fill (text, PAGE, TEXT, &random);
  fill (noise, PAGE, NOISE, &random);
  for (int codec = CODEC_ZSTD; codec < CODEC_COUNT; codec++)
    {
      struct compressor *compressor;
      CHECK_OK (compressor_new (codec, 3, BYTES_NONE, &compressor, &failure));
      for (int i = 0; i < 100; i++) /* noise between paying pages does not start sampling */
        {
          CHECK_INT (compressor_run (compressor, BYTES (noise, PAGE), to, &size), CODEC_NONE);
          CHECK_INT (compressor_run (compressor, BYTES (text, PAGE), to, &size), codec);
        }
      for (int i = 0; i < 500; i++)
        CHECK_INT (compressor_run (compressor, BYTES (noise, PAGE), to, &size), CODEC_NONE);
      int waited = 0;
      while (compressor_run (compressor, BYTES (text, PAGE), to, &size) == CODEC_NONE)
        CHECK (++waited < 16);
      CHECK (waited > 0);
      for (int i = 0; i < 50; i++)
        CHECK_INT (compressor_run (compressor, BYTES (text, PAGE), to, &size), codec);
      compressor_free (compressor);
    }
}

struct shared
{
  const struct dictionary *dictionary; /* may be NULL */
  struct bytes stored[2];              /* one page, without and with the dictionary */
  const uint8_t *page;
  size_t size;
};

static void *
decode_many (void *data)
{
  struct shared *shared = data;
  uint8_t back[2048];
  for (int i = 0; i < 2000; i++)
    {
      bool with = i % 2;
      CHECK (codec_decompress (CODEC_ZSTD, with ? shared->dictionary : NULL, shared->stored[with],
                               back, shared->size, NULL)
             == STATUS_OK);
      CHECK (memcmp (back, shared->page, shared->size) == 0);
    }
  return NULL;
}

/* More threads than the pool has places, one shared dictionary. */
static void
test_threads (void)
{
  enum
  {
    THREADS = 12
  };
  struct random random = { 5 };
  uint8_t page[2048], plain[2048], with[2048];
  size_t size = fill_rows (page, &random), sizes[2];
  struct bytes content = BYTES_LITERAL ("{\"identifier\":\"display-name\":\"user-\"mail\":\"user");
  struct compressor *compressors[2];
  struct dictionary *dictionary;
  pthread_t threads[THREADS];
  CHECK_OK (compressor_new (CODEC_ZSTD, 3, BYTES_NONE, &compressors[0], &failure));
  CHECK_OK (compressor_new (CODEC_ZSTD, 3, content, &compressors[1], &failure));
  CHECK_OK (dictionary_new (content, &dictionary, &failure));
  CHECK_INT (compressor_run (compressors[0], BYTES (page, size), plain, &sizes[0]), CODEC_ZSTD);
  CHECK_INT (compressor_run (compressors[1], BYTES (page, size), with, &sizes[1]), CODEC_ZSTD);
  struct shared shared
      = { dictionary, { BYTES (plain, sizes[0]), BYTES (with, sizes[1]) }, page, size };
  for (int i = 0; i < THREADS; i++)
    CHECK_INT (pthread_create (&threads[i], NULL, decode_many, &shared), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join (threads[i], NULL);
  dictionary_free (dictionary);
  compressor_free (compressors[0]);
  compressor_free (compressors[1]);
}

/* What idle contexts take is given back when asked for, and only then. */
static void
test_trim (void)
{
  struct random random = { 6 };
  uint8_t page[2048], packed[2048], back[2048];
  size_t size = fill_rows (page, &random), stored;
  struct compressor *compressor;
  CHECK_OK (compressor_new (CODEC_ZSTD, 3, BYTES_NONE, &compressor, &failure));
  CHECK_INT (compressor_run (compressor, BYTES (page, size), packed, &stored), CODEC_ZSTD);
  codec_trim ();
  size_t before = mallinfo2 ().uordblks; /* sanitizers answer 0 */
  for (int i = 0; i < 3; i++)
    {
      CHECK_OK (codec_decompress (CODEC_ZSTD, NULL, BYTES (packed, stored), back, size, &failure));
      size_t kept = mallinfo2 ().uordblks - before;
      CHECK (kept == 0 || (kept > 10000 && kept < 200000)); /* one */
    }
  codec_trim ();
  CHECK_INT (mallinfo2 ().uordblks, before);
  CHECK_OK (codec_decompress (CODEC_ZSTD, NULL, BYTES (packed, stored), back, size, &failure));
  CHECK (memcmp (back, page, size) == 0);
  compressor_free (compressor);
}

int
main (void)
{
  test_round_trips ();
  test_dictionary ();
  test_hostile ();
  test_adaptive ();
  test_threads ();
  test_trim ();
  return 0;
}
