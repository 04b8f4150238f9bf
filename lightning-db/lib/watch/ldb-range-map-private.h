/* SPDX-License-Identifier: MIT */
/*
 * LdbRangeMap: which of many ranges of keys contain a key, or meet a range, in a time that grows
 * with the logarithm of their number and with the number of answers.
 *
 * An array sorted by the ranges' starts is read as a balanced tree: the middle is the root, the
 * halves are its subtrees. Each entry also knows the greatest end in its subtree, so a subtree that
 * ends before what is asked for is passed over. It is built anew when the ranges are others.
 *
 * Threads: one at a time.
 */
#pragma once

#include "engine.h"

#include <glib.h>

G_BEGIN_DECLS

/* A place between keys of all stores. An open end is the start of the next store. */
typedef struct
{
  engine_store store; /* of the key */
  struct bytes key;   /* borrowed; BYTES_NONE: before all keys of the store */
} LdbBound;

typedef struct
{
  LdbBound lower; /* inclusive */
  LdbBound upper; /* exclusive */
  gpointer item;  /* whose range it is */
  guint greatest; /* the entry of its subtree whose upper bound is the greatest; set by seal */
} LdbRangeEntry;

typedef struct
{
  GArray *entries; /* of LdbRangeEntry, in order of their lower bounds once sealed */
} LdbRangeMap;

void ldb_range_map_init (LdbRangeMap *map);
void ldb_range_map_clear (LdbRangeMap *map); /* gives everything back */
void ldb_range_map_empty (LdbRangeMap *map); /* begins anew */
/* The bounds' bytes must stay until the map is emptied. */
void ldb_range_map_add (LdbRangeMap *map, LdbBound lower, LdbBound upper, gpointer item);
/* After the last one was added, before the map is asked. */
void ldb_range_map_seal (LdbRangeMap *map);

typedef void (*LdbRangeFunc) (gpointer item, gpointer data);

/* Calls `visit` for each range that has a key from `lower` on and before `upper`, in the order of
 * their starts. */
void ldb_range_map_meet (const LdbRangeMap *map, LdbBound lower, LdbBound upper, LdbRangeFunc visit,
                         gpointer data);
/* The same for each range that contains `key`. */
void ldb_range_map_contain (const LdbRangeMap *map, LdbBound key, LdbRangeFunc visit,
                            gpointer data);

static inline gint
ldb_bound_compare (LdbBound a, LdbBound b)
{
  if (a.store != b.store)
    return a.store < b.store ? -1 : 1;
  return bytes_compare (a.key, b.key);
}

/* A bound of one byte more than a key may have, as it comes of a zero byte behind the longest ones,
 * becomes the first key that there can be behind it. FALSE: there can be none. */
gboolean ldb_bound_fit (GByteArray *bound);
/* The same in place. Returns its size; 0: there can be none. */
gsize ldb_bound_fit_bytes (guint8 *bound, gsize size);

G_END_DECLS
