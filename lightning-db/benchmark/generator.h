/* SPDX-License-Identifier: MIT */
/*
 * generator: the records of a benchmark. Every key and every value follows from a record number, a
 * version and the seed, so nothing need be kept to know what a read must give.
 *
 * Keys are decimal numbers, right-aligned and filled with zeros; the record i has the number 2 i,
 * so that the odd numbers between are missing keys in the same range.
 *
 *   small value   │ word ^ mask 0 │ word ^ mask 1 … │ the same again, and a part of it … │
 *   (below 4 KiB) └────────── period: about half ─────────┘
 *   large value   │ word │ 4 KiB pieces of a fixed pool, chosen by the word … │
 *
 * The word, that of the record's version, tells version and record number apart from all others.
 * The masks follow from the seed, and the first of them is 0: to make a small value, or to compare
 * one byte by byte, is little beside what an engine does, which is to be measured. The second half
 * repeats the first, which a codec can make use of.
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
  size_t key_size;                     /* in bytes */
  size_t value_size;                   /* in bytes */
  uint64_t records;                    /* how many record numbers there are */
  uint64_t seed;                       /* of values */
  unsigned bits;                       /* records fit in as many; at least 2 */
  char *pool;                          /* GENERATOR_PIECES pieces; owned */
  char digits[40000];                  /* "0000" … "9999" */
  uint64_t masks[GENERATOR_LARGE / 8]; /* of the words of a small value, its last part included */
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

/* The same for any size and number: `key` has the size of keys. */
bool generator_is_any_key (const struct generator *generator, uint64_t number, const char *key);

/* How the 8 bytes differ from the 8 digits of a number: 0, if they are these. */
static inline uint32_t
generator_difference (const struct generator *generator, uint32_t number, const char *bytes)
{
  uint32_t seen[2], high, low;
  memcpy (seen, bytes, 8);
  memcpy (&high, generator->digits + number / 10000 * 4, 4);
  memcpy (&low, generator->digits + number % 10000 * 4, 4);
  return (seen[0] ^ high) | (seen[1] ^ low);
}

/* Is `key` that of the record? Compared where it stands, since to write another one first, and read
 * that, takes as long as a step of a scan. */
static inline bool
generator_is_key (const struct generator *generator, uint64_t record, const char *key, size_t size)
{
  if (size != generator->key_size)
    return false;
  uint64_t number = record * 2;
  if (size != 16 || number >= 100000000)
    return generator_is_any_key (generator, number, key);
  return memcmp (key, "00000000", 8) == 0
         && generator_difference (generator, (uint32_t) number, key + 8) == 0;
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

/* The 8 bytes at the end of a small value, before they are masked: they may begin inside a word. */
static inline uint64_t
generator_last_word (uint64_t word, size_t size)
{
  unsigned bits = (unsigned) (size % 8) * 8;
  if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
    bits = -bits & 63;
  return (word >> bits) | (word << (-bits & 63));
}

static inline uint64_t
generator_last_mask (const struct generator *generator)
{
  uint64_t mask;
  memcpy (&mask, (const char *) generator->masks + generator->value_size - 8, 8);
  return mask;
}

static inline void
generator_value (const struct generator *generator, uint64_t record, uint64_t version, char *value)
{
  uint64_t word = generator_word (generator, record, version), masked;
  size_t size = generator->value_size;
  if (size >= GENERATOR_LARGE)
    {
      generator_large_value (generator, word, value);
      return;
    }
  for (size_t i = 0; i < size / 8; i++)
    {
      masked = word ^ generator->masks[i];
      memcpy (value + i * 8, &masked, 8);
    }
  masked = generator_last_word (word, size) ^ generator_last_mask (generator);
  memcpy (value + size - 8, &masked, 8);
}

/* Is `value` exactly the one of this record and version? Every byte is looked at. */
static inline bool
generator_matches (const struct generator *generator, uint64_t record, uint64_t version,
                   const char *value, size_t size)
{
  uint64_t word = generator_word (generator, record, version), seen, difference;
  if (size != generator->value_size)
    return false;
  if (size >= GENERATOR_LARGE)
    return generator_large_matches (generator, word, value);
  memcpy (&seen, value + size - 8, 8);
  difference = seen ^ generator_last_mask (generator) ^ generator_last_word (word, size);
  for (size_t i = 0; i < size / 8; i++)
    {
      memcpy (&seen, value + i * 8, 8);
      difference |= seen ^ generator->masks[i] ^ word;
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
