/* SPDX-License-Identifier: MIT */
/*
 * filter: no key that was added is ever missed; false positives within bounds; duplicates; 0, 1 and
 * 2 keys; scalar and SIMD agree; mutated and truncated blocks are refused or stay inside the block
 * (heap blocks of exactly their size, so that AddressSanitizer sees a byte too many).
 */
#include "base/coding.h"
#include "base/cpu.h"
#include "base/random.h"
#include "check.h"
#include "segment/filter.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static struct failure failure;

static double
seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* Hash i of set `set`: random, but computable again. */
static uint64_t
hash_of (uint64_t set, uint64_t i)
{
  struct random random
      = { set * UINT64_C (0x123456789abcdef1) + i * UINT64_C (0x9e3779b97f4a7c15) };
  return random_next (&random);
}

/* The finished block, malloc'd. */
static uint8_t *
finish (struct filter_builder *builder, size_t *size)
{
  struct buffer block;
  CHECK_OK (filter_builder_finish (builder, &block, size, &failure));
  if (block.data == NULL)
    return NULL;
  uint8_t *copy = aligned_alloc (64, (*size + 63) & ~(size_t) 63);
  CHECK (copy != NULL);
  memcpy (copy, block.data, *size);
  buffer_release (&block, NULL, LEDGER_MERGE);
  return copy;
}

/* A block over `keys` hashes of set 1, each added `versions` times in a row. */
static uint8_t *
build (enum filter_kind kind, uint64_t keys, unsigned versions, size_t *size)
{
  struct filter_builder *builder;
  uint8_t *block;
  CHECK_OK (filter_builder_new (kind, 0, NULL, &builder, &failure));
  for (uint64_t i = 0; i < keys; i++)
    for (unsigned version = 0; version < versions; version++)
      CHECK_OK (filter_builder_add (builder, hash_of (1, i), &failure));
  CHECK (filter_builder_memory (builder) >= keys * 8);
  block = finish (builder, size);
  return block;
}

static void
test_size (enum filter_kind kind, uint64_t keys)
{
  const uint64_t strangers = keys < 100000 ? 100000 : keys;
  size_t size;
  double begin = seconds ();
  uint8_t *block = build (kind, keys, 1, &size);
  double built = seconds ();
  struct filter filter;
  uint64_t wrong = 0, missed = 0;
  CHECK (((uintptr_t) block & 63) == 0);
  CHECK_OK (filter_parse (BYTES (block, size), &filter, &failure));
  CHECK_INT (filter.kind, kind);
  for (uint64_t i = 0; i < keys; i++)
    missed += !filter_may_contain (&filter, hash_of (1, i));
  CHECK_INT (missed, 0);
  double asked = seconds ();
  for (uint64_t i = 0; i < strangers; i++)
    wrong += filter_may_contain (&filter, hash_of (2, i));
  double end = seconds ();
  double rate = (double) wrong / (double) strangers;
  printf ("%-5s %8llu keys: %5.2f bits a key, %.3f %% false positives, build %.0f ns, hit %.1f ns, "
          "miss %.1f ns\n",
          kind == FILTER_BLOOM ? "bloom" : "fuse8", (unsigned long long) keys,
          8.0 * (double) size / (double) keys, 100 * rate, (built - begin) * 1e9 / (double) keys,
          (asked - built) * 1e9 / (double) keys, (end - asked) * 1e9 / (double) strangers);
  CHECK (rate < (kind == FILTER_BLOOM ? 0.016 : 0.0052));
  if (keys >= 1000)
    CHECK (8.0 * (double) size / (double) keys < (keys < 100000 ? 13.5 : 10.2));
  free (block);
}

static void
test_small (void)
{
  size_t size;
  struct filter filter;
  for (int kind = FILTER_BLOOM; kind <= FILTER_FUSE8; kind++)
    {
      CHECK (build (kind, 0, 1, &size) == NULL && size == 0);
      for (uint64_t keys = 1; keys < 400; keys++)
        {
          uint64_t wrong = 0;
          uint8_t *block = build (kind, keys, 1, &size);
          CHECK_OK (filter_parse (BYTES (block, size), &filter, &failure));
          CHECK_INT (filter.kind, kind);
          for (uint64_t i = 0; i < keys; i++)
            CHECK (filter_may_contain (&filter, hash_of (1, i)));
          for (uint64_t i = 0; i < 1000; i++)
            wrong += filter_may_contain (&filter, hash_of (3, i));
          CHECK (wrong < 60);
          free (block);
        }
    }
  CHECK (build (FILTER_NONE, 10, 1, &size) == NULL && size == 0);
  CHECK_OK (filter_parse (BYTES_NONE, &filter, &failure));
  CHECK (filter.kind == FILTER_NONE && filter_may_contain (&filter, 5));
  struct filter_builder *builder;
  CHECK_FAILS (filter_builder_new ((enum filter_kind) 3, 0, NULL, &builder, &failure),
               STATUS_INVALID);
  CHECK_OK (filter_builder_new (FILTER_FUSE8, 0, NULL, &builder, &failure));
  CHECK_OK (filter_builder_add (builder, 1, &failure));
  filter_builder_free (builder);
  filter_builder_free (NULL);
}

/* Versions in a row are dropped as they come; scattered duplicates are sorted out. */
static void
test_duplicates (void)
{
  for (int kind = FILTER_BLOOM; kind <= FILTER_FUSE8; kind++)
    {
      size_t size, once;
      struct filter filter;
      free (build (kind, 3000, 1, &once));
      uint8_t *block = build (kind, 3000, 7, &size);
      CHECK_INT (size, once);
      free (block);
      struct filter_builder *builder;
      CHECK_OK (filter_builder_new (kind, 0, NULL, &builder, &failure));
      for (int round = 0; round < 3; round++)
        for (uint64_t i = 0; i < 3000; i++)
          CHECK_OK (filter_builder_add (builder, hash_of (1, i), &failure));
      for (int i = 0; i < 500; i++) /* one hash more often than a position can count */
        {
          CHECK_OK (filter_builder_add (builder, 77, &failure));
          CHECK_OK (filter_builder_add (builder, hash_of (1, 0), &failure));
        }
      block = finish (builder, &size);
      CHECK_OK (filter_parse (BYTES (block, size), &filter, &failure));
      CHECK_INT (filter.kind, kind);
      CHECK (filter_may_contain (&filter, 77));
      for (uint64_t i = 0; i < 3000; i++)
        CHECK (filter_may_contain (&filter, hash_of (1, i)));
      free (block);
    }
}

/* Hashes that are anything but random: equal halves, small numbers, all in one shard. */
static void
test_skewed (void)
{
  for (int kind = FILTER_BLOOM; kind <= FILTER_FUSE8; kind++)
    for (int shape = 0; shape < 4; shape++)
      {
        struct filter_builder *builder;
        struct filter filter;
        uint8_t *block;
        size_t size;
        CHECK_OK (filter_builder_new (kind, 0, NULL, &builder, &failure));
#define SKEWED(i)                                                                                  \
  (shape == 0   ? (uint64_t) (i)                                                                   \
   : shape == 1 ? (uint64_t) (i) << 40                                                             \
   : shape == 2 ? UINT64_MAX - (i)                                                                 \
                : hash_of (1, i) >> 24)
        for (uint64_t i = 0; i < 300000; i++)
          CHECK_OK (filter_builder_add (builder, SKEWED (i), &failure));
        block = finish (builder, &size);
        CHECK_OK (filter_parse (BYTES (block, size), &filter, &failure));
        for (uint64_t i = 0; i < 300000; i++)
          CHECK (filter_may_contain (&filter, SKEWED (i)));
        free (block);
      }
}

static void
test_simd (void)
{
  size_t size;
  struct filter filter;
  uint8_t *block = build (FILTER_BLOOM, 20000, 1, &size);
  CHECK_OK (filter_parse (BYTES (block, size), &filter, &failure));
  for (uint64_t i = 0; i < 200000; i++)
    {
      bool simd = filter_may_contain (&filter, hash_of (1 + i % 2, i / 2));
      cpu_limit (CPU_SCALAR);
      CHECK_INT (filter_may_contain (&filter, hash_of (1 + i % 2, i / 2)), simd);
      cpu_limit (CPU_AVX512);
    }
  free (block);
}

static void
probe_hostile (const uint8_t *from, size_t size, struct random *random)
{
  struct filter filter;
  uint8_t *block = malloc (size + (size == 0));
  memcpy (block, from, size);
  status result = filter_parse (BYTES (block, size), &filter, NULL);
  CHECK (result == STATUS_OK || result == STATUS_CORRUPT);
  if (result == STATUS_OK)
    {
      static const uint64_t edges[] = { 0, 1, UINT64_MAX, UINT64_MAX << 32, UINT32_MAX };
      for (size_t i = 0; i < 5; i++)
        filter_may_contain (&filter, edges[i]);
      for (int i = 0; i < 100; i++)
        {
          uint64_t hash = random_next (random);
          filter_prefetch (&filter, hash);
          filter_may_contain (&filter, hash);
        }
    }
  free (block);
}

static void
test_hostile (void)
{
  struct random random = { 9 };
  for (int kind = FILTER_BLOOM; kind <= FILTER_FUSE8; kind++)
    {
      size_t size;
      uint8_t *block = build (kind, 500, 1, &size), *mutant = malloc (size + 64);
      for (size_t cut = 0; cut <= size; cut++)
        {
          struct filter filter;
          if (cut > 0 && cut < size)
            CHECK (kind == FILTER_FUSE8
                   || filter_parse (BYTES (block, cut), &filter, NULL) == STATUS_CORRUPT);
          probe_hostile (block, cut, &random);
        }
      for (int i = 0; i < 20000; i++)
        {
          memcpy (mutant, block, size);
          for (uint64_t changes = 1 + random_below (&random, 3); changes > 0; changes--)
            mutant[random_below (&random, 72)] = (uint8_t) random_next (&random);
          memcpy (mutant, block, 4); /* past the magic, where it gets interesting */
          probe_hostile (mutant, size, &random);
        }
      for (int i = 0; i < 20000; i++) /* whole fields */
        {
          static const uint32_t values[]
              = { 0, 1, 2, 3, 4, 64, 128, 1u << 18, 1u << 19, 1u << 31, UINT32_MAX, 0x40000000 };
          memcpy (mutant, block, size);
          for (size_t at = 16; at < 28; at += 4)
            if (random_below (&random, 2) == 0)
              store_u32 (mutant + at, random_below (&random, 3) == 0
                                          ? (uint32_t) random_below (&random, 600)
                                          : values[random_below (&random, 12)]);
          probe_hostile (mutant, size, &random);
        }
      free (mutant);
      free (block);
    }
}

/* Little memory: a Bloom filter is made in place, for the keys expected or folded to those that
 * came, and the ledger never had more than was allowed. */
static void
test_little_memory (size_t memory, uint64_t keys, uint64_t expected)
{
  for (int kind = FILTER_BLOOM; kind <= FILTER_FUSE8; kind++)
    {
      struct ledger ledger = { .budget = 1 };
      struct filter_builder *builder;
      struct filter filter;
      struct buffer block;
      size_t size;
      int64_t most = 0;
      uint64_t wrong = 0;
      CHECK_OK (filter_builder_new (kind, memory, &ledger, &builder, &failure));
      filter_builder_expect (builder, expected);
      for (uint64_t i = 0; i < keys; i++)
        {
          CHECK_OK (filter_builder_add (builder, hash_of (1, i), &failure));
          int64_t used = ledger_used (&ledger, LEDGER_MERGE);
          most = used > most ? used : most;
        }
      CHECK (!filter_builder_is_full (builder));
      CHECK_OK (filter_builder_finish (builder, &block, &size, &failure));
      CHECK (most > 0 && most <= (int64_t) memory * 5 / 4);
      CHECK_OK (filter_parse (BYTES (block.data, size), &filter, &failure));
      CHECK_INT (filter.kind, FILTER_BLOOM);
      for (uint64_t i = 0; i < keys; i++)
        CHECK (filter_may_contain (&filter, hash_of (1, i)));
      for (uint64_t i = 0; i < 100000; i++)
        wrong += filter_may_contain (&filter, hash_of (2, i));
      CHECK (wrong < 2500);                    /* of 1 %, and the quarter above what was expected */
      CHECK (size < keys * 10 / 8 * 2 + 8192); /* at most twice what it needs */
      buffer_release (&block, &ledger, LEDGER_MERGE);
      CHECK_INT (ledger_used (&ledger, LEDGER_MERGE), 0);
    }
}

static void
test_full (void)
{
  struct filter_builder *builder;
  uint64_t count = 0;
  CHECK_OK (filter_builder_new (FILTER_FUSE8, 64 << 10, NULL, &builder, &failure));
  filter_builder_expect (builder, 20000);
  while (!filter_builder_is_full (builder))
    CHECK_OK (filter_builder_add (builder, hash_of (1, count++), &failure));
  CHECK (count > 20000 && count < 30000);
  filter_builder_free (builder);
}

/* Building without memory fails cleanly. In a child, with no more address space than it has. */
static void
test_no_memory (void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  for (int kind = FILTER_BLOOM; kind <= FILTER_FUSE8; kind++)
    {
      pid_t child = fork ();
      CHECK (child >= 0);
      if (child == 0)
        {
          struct filter_builder *builder;
          struct buffer block;
          size_t size = 1;
          CHECK_OK (filter_builder_new (kind, 0, NULL, &builder, &failure));
          for (uint64_t i = 0; i < 2000000; i++)
            CHECK_OK (filter_builder_add (builder, hash_of (1, i), &failure));
          CHECK_INT (setrlimit (RLIMIT_AS, &(struct rlimit){ 4096, 4096 }), 0);
          CHECK_FAILS (filter_builder_finish (builder, &block, &size, &failure), STATUS_NO_MEMORY);
          CHECK (block.data == NULL && size == 0);
          _exit (0);
        }
      int result;
      CHECK (waitpid (child, &result, 0) == child);
      CHECK (WIFEXITED (result) && WEXITSTATUS (result) == 0);
    }
#endif
}

int
main (void)
{
  test_no_memory ();
  test_small ();
  test_duplicates ();
  test_skewed ();
  test_little_memory (256 << 10, 100000, 100000);
  test_little_memory (256 << 10, 100000, 90000);
  test_little_memory (1 << 20, 90000, 0);
  test_little_memory (1 << 20, 400000, 0);
  for (uint64_t expected = 100000; expected < 100400; expected += 50) /* odd numbers of blocks */
    test_little_memory (256 << 10, 30000, expected);
  test_full ();
  test_simd ();
  test_hostile ();
  for (int kind = FILTER_BLOOM; kind <= FILTER_FUSE8; kind++)
    {
      test_size (kind, 1000);
      test_size (kind, 100000);
      test_size (kind, 2000000);
    }
  return 0;
}
