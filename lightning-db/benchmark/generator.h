/* SPDX-License-Identifier: MIT */
/*
 * generator: the records of a benchmark. Every key and every value follows from a record number, a
 * version and the seed, so nothing need be kept to know what a read must give.
 *
 * Keys are decimal numbers, right-aligned and filled with zeros; the record i has the number 2 i,
 * so that the odd numbers between are missing keys in the same range.
 *
 *   small value   │ version word │ words that follow from it … │ the same again … │
 *   (below 4 KiB) └──────────── period: about half ────────────┘
 *   large value   │ version word │ 4 KiB pieces of a fixed pool, chosen by the version word … │
 *
 * The version word tells version and record number apart from all others; the second half repeats
 * the first, which a codec can make use of.
 *
 * Threads: immutable once made.
 */
#ifndef LIGHTNING_BENCHMARK_GENERATOR_H
#define LIGHTNING_BENCHMARK_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GENERATOR_KEY_MAXIMUM 256 /* keys have 8 bytes, or 16 and more */
#define GENERATOR_VALUE_MINIMUM 8
#define GENERATOR_LARGE 4096 /* values from here on are pieces of the pool, in bytes */
#define GENERATOR_PIECES 64  /* in the pool */

struct generator
{
  size_t key_size;    /* in bytes */
  size_t value_size;  /* in bytes */
  size_t period;      /* a small value repeats after these bytes; a multiple of 8 */
  uint64_t records;   /* how many record numbers there are */
  uint64_t seed;      /* of values */
  unsigned bits;      /* records fit in as many; at least 2 */
  char *pool;         /* GENERATOR_PIECES pieces; owned */
  char digits[40000]; /* "0000" … "9999" */
};

/* A stream of random numbers (xoroshiro128+). */
struct generator_random
{
  uint64_t state[2];
};

/* Draws ranks below `count` so that rank r is wanted 1 / (r + 1)^theta as often (alias method). */
struct generator_zipf
{
  uint32_t count;         /* how many ranks there are */
  uint32_t *alternatives; /* the rank that shares a slot; owned */
  uint32_t *thresholds;   /* of 2^32: how often the slot's own rank is meant; owned */
};

/* NULL: memory is short. */
struct generator *generator_new (uint64_t records, size_t key_size, size_t value_size,
                                 uint64_t seed);
void generator_free (struct generator *generator);
bool generator_zipf_init (struct generator_zipf *zipf, uint32_t count, double theta);
void generator_zipf_clear (struct generator_zipf *zipf);

/* Large values; the inline functions below choose. */
void generator_large_value (const struct generator *generator, uint64_t word, char *value);
bool generator_large_matches (const struct generator *generator, uint64_t word, const char *value);

static inline uint64_t
generator_mix (uint64_t number)
{
  number = (number ^ (number >> 32)) * UINT64_C (0x9e3779b97f4a7c15);
  number = (number ^ (number >> 29)) * UINT64_C (0xbf58476d1ce4e5b9);
  return number ^ (number >> 32);
}

static inline void
generator_random_init (struct generator_random *random, uint64_t seed)
{
  random->state[0] = generator_mix (seed + UINT64_C (0x9e3779b97f4a7c15));
  random->state[1] = generator_mix (seed + UINT64_C (0xd1b54a32d192ed03)) | 1;
}

static inline uint64_t
generator_random_next (struct generator_random *random)
{
  uint64_t first = random->state[0], second = random->state[1], result = first + second;
  second ^= first;
  random->state[0] = ((first << 24) | (first >> 40)) ^ second ^ (second << 16);
  random->state[1] = (second << 37) | (second >> 27);
  return result;
}

/* Evenly distributed below `bound`. */
static inline uint64_t
generator_random_below (struct generator_random *random, uint64_t bound)
{
  return (uint64_t) (((unsigned __int128) generator_random_next (random) * bound) >> 64);
}

static inline uint32_t
generator_zipf_next (const struct generator_zipf *zipf, struct generator_random *random)
{
  uint64_t drawn = generator_random_next (random);
  uint32_t slot = (uint32_t) (((drawn >> 32) * zipf->count) >> 32);
  return (uint32_t) drawn < zipf->thresholds[slot] ? slot : zipf->alternatives[slot];
}

/* The order of record numbers that is called random: each of them once, place by place. A bijection
 * of `bits` bits, walked on until it lands below `records`. */
static inline uint64_t
generator_shuffle (const struct generator *generator, uint64_t place)
{
  uint64_t mask = (UINT64_C (1) << generator->bits) - 1;
  unsigned half = (generator->bits + 1) / 2;
  do
    {
      place = (place * UINT64_C (0x9e3779b97f4a7c15) + generator->seed) & mask;
      place ^= place >> half;
      place = (place * UINT64_C (0xbf58476d1ce4e5b9)) & mask;
      place ^= place >> half;
    }
  while (place >= generator->records);
  return place;
}

static inline void
generator_number_key (const struct generator *generator, uint64_t number, char *key)
{
  static const char zeros[] = "0000000000000000";
  char *end = key + generator->key_size;
  if (generator->key_size == 16)
    memcpy (key, zeros, 16);
  else
    memset (key, '0', generator->key_size);
  do
    {
      end -= 4;
      memcpy (end, generator->digits + (number % 10000) * 4, 4);
      number /= 10000;
    }
  while (number != 0 && end >= key + 4);
}

static inline void
generator_key (const struct generator *generator, uint64_t record, char *key)
{
  generator_number_key (generator, record * 2, key);
}

/* A key that is never put, next to that of `record`. */
static inline void
generator_missing_key (const struct generator *generator, uint64_t record, char *key)
{
  generator_number_key (generator, record * 2 + 1, key);
}

static inline uint64_t
generator_word (const struct generator *generator, uint64_t record, uint64_t version)
{
  return generator_mix (record + generator->seed) + version;
}

static inline uint64_t
generator_next_word (uint64_t word, uint64_t place)
{
  uint64_t next = (word + place * UINT64_C (0x9e3779b97f4a7c15)) * UINT64_C (0xd6e8feb86659fd93);
  return next ^ (next >> 32);
}

static inline void
generator_value (const struct generator *generator, uint64_t record, uint64_t version, char *value)
{
  uint64_t word = generator_word (generator, record, version);
  if (generator->value_size >= GENERATOR_LARGE)
    {
      generator_large_value (generator, word, value);
      return;
    }
  size_t period = generator->period, size = generator->value_size;
  memcpy (value, &word, 8);
  for (size_t at = 8; at < period; at += 8)
    {
      uint64_t next = generator_next_word (word, at);
      memcpy (value + at, &next, 8);
    }
  for (size_t at = period; at < size; at += period)
    memcpy (value + at, value, size - at < period ? size - at : period);
}

/* Is `value` exactly the one of this record and version? Every byte is looked at. */
static inline bool
generator_matches (const struct generator *generator, uint64_t record, uint64_t version,
                   const char *value, size_t size)
{
  uint64_t word = generator_word (generator, record, version);
  if (size != generator->value_size)
    return false;
  if (size >= GENERATOR_LARGE)
    return generator_large_matches (generator, word, value);
  size_t period = generator->period;
  if (memcmp (value + period, value, size - period) != 0) /* each byte with that a period before it */
    return false;
  uint64_t difference = 0, next = word, seen;
  for (size_t at = 0; at < period; at += 8)
    {
      memcpy (&seen, value + at, 8);
      difference |= seen ^ next;
      next = generator_next_word (word, at + 8);
    }
  return difference == 0;
}

/* The version that a value of `record` claims to be. */
static inline uint64_t
generator_claimed_version (const struct generator *generator, uint64_t record, const char *value,
                           size_t size)
{
  uint64_t word = 0;
  if (size >= 8)
    memcpy (&word, value, 8);
  return word - generator_word (generator, record, 0);
}

#endif
