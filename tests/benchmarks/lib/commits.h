/* SPDX-License-Identifier: MIT */
/*
 * What bench-watch commits: puts to so many keys in turns, from commit 1 on. Which commit gave a
 * key its value, and how many keys a stretch of commits wrote, follows from their numbers alone.
 */
#pragma once

#include <glib.h>

#define KEYS 1000u
#define KEY_SIZE 16
#define VALUE_SIZE 100

/* What a value begins with. */
typedef struct
{
  guint64 time;   /* just before it was committed, of the monotonic clock, ns */
  guint64 number; /* of the commit, from 1 */
} Stamp;

static inline guint
key_of (guint64 number)
{
  return (guint) (number % KEYS);
}

/* The newest commit up to `number` that wrote the key; 0: none. */
static inline guint64
newest (guint key, guint64 number)
{
  guint64 back = (number % KEYS + KEYS - key) % KEYS;
  return number > back ? number - back : 0;
}

/* How many of the commits 1 … number wrote one of the keys first … first + keys - 1. */
static inline guint64
count_up_to (guint first, guint keys, guint64 number)
{
  guint64 rest = number % KEYS + 1;
  guint64 count = number / KEYS * keys + (rest > first ? MIN (rest - first, keys) : 0);
  return first == 0 ? count - 1 : count; /* there is no commit 0 */
}

/* How many of these keys the commits in (after, number] wrote. */
static inline guint64
count_written (guint first, guint keys, guint64 after, guint64 number)
{
  guint64 commits = count_up_to (first, keys, number) - count_up_to (first, keys, after);
  return MIN (commits, keys);
}

static inline void
make_key (guint8 to[KEY_SIZE + 1], guint key)
{
  g_snprintf ((char *) to, KEY_SIZE + 1, "watched/%08u", key);
}

static inline guint
parse_key (const guint8 *key)
{
  guint number = 0;
  for (guint i = 8; i < KEY_SIZE; i++)
    number = number * 10 + (key[i] - (guint) '0');
  return number;
}
