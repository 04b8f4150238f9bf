/* SPDX-License-Identifier: MIT */
#include "generator.h"

#include <math.h>
#include <stdlib.h>

static void
fill_digits (char *digits)
{
  for (unsigned number = 0; number < 10000; number++)
    {
      char *place = digits + (size_t) number * 4;
      place[0] = (char) ('0' + number / 1000);
      place[1] = (char) ('0' + number / 100 % 10);
      place[2] = (char) ('0' + number / 10 % 10);
      place[3] = (char) ('0' + number % 10);
    }
}

/* Pieces whose second half repeats the first. */
static void
fill_pool (char *pool, uint64_t seed)
{
  struct generator_random random;
  generator_random_init (&random, seed);
  for (size_t piece = 0; piece < GENERATOR_PIECES; piece++, pool += GENERATOR_LARGE)
    {
      for (size_t at = 0; at < GENERATOR_LARGE / 2; at += 8)
        {
          uint64_t word = generator_random_next (&random);
          memcpy (pool + at, &word, 8);
        }
      memcpy (pool + GENERATOR_LARGE / 2, pool, GENERATOR_LARGE / 2);
    }
}

/* A small value repeats after about half of it. */
static void
fill_masks (struct generator *generator, uint64_t seed)
{
  size_t size = generator->value_size;
  size_t period = size < 32 ? size / 8 : size / 16;
  struct generator_random random;
  generator_random_init (&random, ~seed);
  for (size_t i = 1; i < GENERATOR_LARGE / 8; i++)
    generator->masks[i]
        = i < period ? generator_random_next (&random) : generator->masks[i - period];
}

struct generator *
generator_new (uint64_t records, size_t key_size, size_t value_size, uint64_t seed)
{
  struct generator *generator = calloc (1, sizeof *generator);
  char *pool = malloc ((size_t) GENERATOR_PIECES * GENERATOR_LARGE);
  if (generator == NULL || pool == NULL)
    {
      free (generator);
      free (pool);
      return NULL;
    }
  *generator = (struct generator){
    .key_size = key_size,
    .value_size = value_size,
    .records = records,
    .seed = generator_mix (seed),
    .bits = 2,
    .pool = pool,
  };
  while (generator->bits < 63 && records >> generator->bits != 0)
    generator->bits++;
  fill_digits (generator->digits);
  fill_pool (pool, seed);
  fill_masks (generator, seed);
  return generator;
}

void
generator_free (struct generator *generator)
{
  if (generator == NULL)
    return;
  free (generator->pool);
  free (generator);
}

bool
generator_is_any_key (const struct generator *generator, uint64_t number, const char *key)
{
  const char *at = key + generator->key_size;
  uint32_t difference = 0;
  for (; at >= key + 8; number /= 100000000)
    {
      at -= 8;
      difference |= generator_difference (generator, (uint32_t) (number % 100000000), at);
    }
  while (at > key)
    difference |= (uint32_t) (*--at ^ '0');
  return difference == 0;
}

static const char *
piece_of (const struct generator *generator, uint64_t word, size_t at)
{
  size_t piece = generator_next_word (word, at) % GENERATOR_PIECES;
  return generator->pool + piece * GENERATOR_LARGE;
}

void
generator_large_value (const struct generator *generator, uint64_t word, char *value)
{
  size_t size = generator->value_size;
  for (size_t at = 0; at < size; at += GENERATOR_LARGE)
    memcpy (value + at, piece_of (generator, word, at),
            size - at < GENERATOR_LARGE ? size - at : GENERATOR_LARGE);
  memcpy (value, &word, 8);
}

bool
generator_large_matches (const struct generator *generator, uint64_t word, const char *value)
{
  size_t size = generator->value_size;
  if (memcmp (value, &word, 8) != 0)
    return false;
  for (size_t at = 0; at < size; at += GENERATOR_LARGE)
    {
      size_t length = size - at < GENERATOR_LARGE ? size - at : GENERATOR_LARGE;
      size_t skip = at == 0 ? 8 : 0;
      if (memcmp (value + at + skip, piece_of (generator, word, at) + skip, length - skip) != 0)
        return false;
    }
  return true;
}

/* Slots with less than their share are filled up by ranks with more. */
static void
pair_slots (struct generator_zipf *zipf, double *shares, uint32_t *poor, uint32_t *rich)
{
  uint32_t poor_count = 0, rich_count = 0;
  for (uint32_t rank = 0; rank < zipf->count; rank++)
    if (shares[rank] < 1)
      poor[poor_count++] = rank;
    else
      rich[rich_count++] = rank;
  while (poor_count > 0 && rich_count > 0)
    {
      uint32_t slot = poor[--poor_count], giver = rich[rich_count - 1];
      zipf->thresholds[slot] = (uint32_t) (shares[slot] * 4294967295.0);
      zipf->alternatives[slot] = giver;
      shares[giver] -= 1 - shares[slot];
      if (shares[giver] < 1)
        {
          rich_count--;
          poor[poor_count++] = giver;
        }
    }
}

bool
generator_zipf_init (struct generator_zipf *zipf, uint32_t count, double theta)
{
  *zipf = (struct generator_zipf){ .count = count };
  zipf->alternatives = malloc (count * sizeof *zipf->alternatives);
  zipf->thresholds = malloc (count * sizeof *zipf->thresholds);
  double *shares = malloc (count * sizeof *shares);
  uint32_t *lists = malloc (2 * (size_t) count * sizeof *lists);
  bool done = zipf->alternatives != NULL && zipf->thresholds != NULL && shares != NULL
              && lists != NULL && count > 0;
  if (done)
    {
      double sum = 0;
      for (uint32_t rank = 0; rank < count; rank++)
        {
          zipf->thresholds[rank] = UINT32_MAX;
          zipf->alternatives[rank] = rank;
          sum += shares[rank] = pow (rank + 1.0, -theta);
        }
      for (uint32_t rank = 0; rank < count; rank++)
        shares[rank] *= count / sum;
      pair_slots (zipf, shares, lists, lists + count);
    }
  free (shares);
  free (lists);
  if (!done)
    generator_zipf_clear (zipf);
  return done;
}

void
generator_zipf_clear (struct generator_zipf *zipf)
{
  free (zipf->alternatives);
  free (zipf->thresholds);
  *zipf = (struct generator_zipf){ 0 };
}
