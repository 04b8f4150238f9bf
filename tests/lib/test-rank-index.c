/* SPDX-License-Identifier: MIT */
/*
 * The rank index against a plain array: random changes as a list model makes them, after each of
 * which every bucket covers as many keys as it says, and every mark is where its key is.
 */
#include <glib.h>

#include "ldb-rank-index-private.h"

#define KEYS 3000 /* keys are numbers below this, big-endian */

/* What the index stands for. */
typedef struct
{
  LdbRankIndex *index;
  gboolean present[KEYS]; /* which keys there are */
  gpointer marks[KEYS];   /* the mark at each, or NULL */
  guint count;            /* keys that are present */
  guint gone;             /* marks that the index told of */
  guint swept;            /* the key behind the last one that a sweep looked at */
  guint looked;           /* keys that it looked at */
  GRand *random;
} Model;

static struct bytes
key_of (guint number, guint8 to[2])
{
  to[0] = (guint8) (number >> 8);
  to[1] = (guint8) number;
  return BYTES (to, 2);
}

static guint
number_of (struct bytes key)
{
  return key.size == 2 ? key.data[0] * 256u + key.data[1] : 0;
}

static guint
rank_of (const Model *model, guint key)
{
  guint rank = 0;
  for (guint i = 0; i < key; i++)
    rank += model->present[i];
  return rank;
}

/* A mark is its key, plus one so that it is never NULL. */
static void
gone (gpointer mark, gpointer data)
{
  Model *model = data;
  guint key = GPOINTER_TO_UINT (mark) - 1;
  g_assert_true (model->marks[key] == mark);
  model->marks[key] = NULL;
  model->gone++;
}

static void
no_mark (gpointer mark)
{
  g_assert_not_reached ();
}

/* Present keys from one number up to another. */
static guint
count_between (const Model *model, guint from, guint to)
{
  guint count = 0;
  for (guint i = from; i < to; i++)
    count += model->present[i];
  return count;
}

static void
verify_bucket (const Model *model, const LdbRankPlace *place)
{
  gboolean is_first = place->first == 0;
  guint from = is_first ? 0 : number_of (ldb_bucket_boundary (place->bucket));
  guint to = place->next != NULL ? number_of (ldb_bucket_boundary (place->next)) : KEYS;
  g_assert_cmpuint (ldb_bucket_count (place->bucket), ==, count_between (model, from, to));
}

static void
verify (const Model *model)
{
  guint8 bytes[2];
  guint rank = 0;
  g_assert_cmpstr (ldb_rank_index_check (model->index), ==, NULL);
  g_assert_cmpuint (ldb_rank_index_get_total (model->index), ==, model->count);
  LdbRankPlace place = { NULL, NULL, 0 };
  guint marks = 0;
  for (guint key = 0; key < KEYS; key++)
    {
      if (!model->present[key])
        {
          g_assert_null (model->marks[key]);
          continue;
        }
      LdbRankPlace found = ldb_rank_index_find_rank (model->index, rank);
      if (found.bucket != place.bucket)
        verify_bucket (model, &found);
      place = found;
      LdbRankPlace by_key = ldb_rank_index_find_key (model->index, key_of (key, bytes));
      g_assert_true (by_key.bucket == found.bucket);
      g_assert_true (by_key.next == found.next);
      g_assert_cmpuint (by_key.first, ==, found.first);
      g_assert_true (ldb_rank_index_get_mark (&found, rank) == model->marks[key]);
      if (key % 7 == 0)
        g_assert_cmpuint (ldb_rank_index_count_marks (model->index, rank), ==, marks);
      marks += model->marks[key] != NULL;
      rank++;
    }
  g_assert_null (ldb_rank_index_find_rank (model->index, rank).bucket);
  g_assert_cmpuint (ldb_rank_index_count_marks (model->index, rank), ==, marks);
}

/* ---- sweeping ---- */

static gboolean
keep_most (gpointer mark, gpointer data)
{
  Model *model = data;
  guint key = GPOINTER_TO_UINT (mark) - 1;
  g_assert_true (model->marks[key] == mark);
  g_assert_cmpuint (key, >=, model->swept); /* in order, none twice */
  model->swept = key + 1;
  model->looked++;
  if (key % 3 != 0)
    return TRUE;
  model->marks[key] = NULL;
  return FALSE;
}

/* So many marks from a key on. */
static void
sweep (Model *model, guint from, guint count)
{
  guint there = 0;
  model->swept = from;
  model->looked = 0;
  for (guint key = model->swept; key < KEYS; key++)
    there += model->marks[key] != NULL;
  guint64 next
      = ldb_rank_index_sweep (model->index, rank_of (model, from), count, keep_most, model);
  g_assert_cmpuint (model->looked, ==, MIN (count, there));
  g_assert_cmpuint (next, ==, count <= there ? rank_of (model, model->swept) : 0);
}

/* ---- changes ---- */

static guint
any_key (Model *model)
{
  return (guint) g_rand_int_range (model->random, 0, KEYS);
}

static void
put (Model *model, guint key)
{
  guint8 bytes[2];
  if (model->present[key])
    return;
  ldb_rank_index_edit (model->index, key_of (key, bytes), rank_of (model, key), 0, 1, gone, model);
  model->present[key] = TRUE;
  model->count++;
}

static void delete (Model *model, guint key)
{
  guint8 bytes[2];
  if (!model->present[key])
    return;
  ldb_rank_index_edit (model->index, key_of (key, bytes), rank_of (model, key), 1, 0, gone, model);
  g_assert_null (model->marks[key]);
  model->present[key] = FALSE;
  model->count--;
}

/* One key in `gap` or so comes or goes, all at once. */
static void
edit_many (Model *model, gint gap)
{
  guint8 bytes[2];
  g_autoptr (GArray) edits = g_array_new (FALSE, FALSE, sizeof (LdbRankEdit));
  g_autoptr (GArray) keys = g_array_new (FALSE, FALSE, sizeof (guint));
  guint rank = 0;
  for (guint key = 0; key < KEYS && model->count > 0; rank += model->present[key], key++)
    {
      if (g_rand_int_range (model->random, 0, gap) != 0)
        continue;
      LdbRankPlace place = ldb_rank_index_find_key (model->index, key_of (key, bytes));
      guint goes = model->present[key];
      LdbRankEdit edit = { place.bucket, rank - place.first, goes, 1 - goes };
      g_array_append_val (edits, edit);
      g_array_append_val (keys, key);
    }
  ldb_rank_index_edit_many (model->index, (LdbRankEdit *) (void *) edits->data, edits->len, gone,
                            model);
  for (guint i = 0; i < keys->len; i++)
    {
      guint key = g_array_index (keys, guint, i);
      model->count += model->present[key] ? -1u : 1u;
      model->present[key] = !model->present[key];
    }
}

static void
delete_range (Model *model, guint from, guint to)
{
  guint8 lower[2], upper[2];
  guint removed = count_between (model, from, to);
  struct bytes end = to < KEYS ? key_of (to, upper) : BYTES_NONE;
  if (removed == 0)
    return;
  ldb_rank_index_remove_range (model->index, key_of (from, lower), end, rank_of (model, from),
                               removed, gone, model);
  for (guint key = from; key < to; key++)
    {
      g_assert_null (model->marks[key]);
      model->present[key] = FALSE;
    }
  model->count -= removed;
}

/* What a list model does with a bucket that has grown too large. */
static void
divide (Model *model, guint key)
{
  guint8 bytes[2];
  LdbRankPlace place = ldb_rank_index_find_key (model->index, key_of (key, bytes));
  if (place.bucket == NULL || ldb_bucket_count (place.bucket) <= LDB_BUCKET_MOST)
    return;
  g_autoptr (LdbRankIndex) parts = ldb_rank_index_new (NULL);
  LdbBucket *first = ldb_rank_index_find_key (model->index, BYTES_NONE).bucket;
  guint from = place.bucket == first ? 0 : number_of (ldb_bucket_boundary (place.bucket));
  guint to = place.next != NULL ? number_of (ldb_bucket_boundary (place.next)) : KEYS;
  guint count = 0, boundary = from;
  for (guint at = from; at < to; at++)
    {
      if (count >= LDB_BUCKET_FILL && model->present[at])
        {
          ldb_rank_index_append (parts, key_of (boundary, bytes), count);
          boundary = at;
          count = 0;
        }
      count += model->present[at];
    }
  ldb_rank_index_append (parts, key_of (boundary, bytes), count);
  ldb_rank_index_divide (model->index, key_of (from, bytes), parts);
}

static void
mark (Model *model, guint key)
{
  if (!model->present[key] || model->marks[key] != NULL)
    return;
  model->marks[key] = GUINT_TO_POINTER (key + 1);
  ldb_rank_index_mark (model->index, rank_of (model, key), model->marks[key]);
}

/* Keys beyond the edge are as if they were not there. */
static void
trim (Model *model, gboolean at_end)
{
  g_autoptr (GBytes) edge = NULL;
  guint64 rows = (guint64) g_rand_int_range (model->random, 0, KEYS);
  gboolean trimmed = at_end ? ldb_rank_index_trim_end (model->index, rows, &edge, gone, model)
                            : ldb_rank_index_trim_start (model->index, rows, &edge, gone, model);
  if (!trimmed)
    return;
  gsize size;
  const guint8 *data = g_bytes_get_data (edge, &size);
  guint limit = number_of (BYTES (data, size));
  for (guint key = at_end ? limit : 0; key < (at_end ? KEYS : limit); key++)
    {
      model->count -= model->present[key];
      model->present[key] = FALSE;
    }
  g_assert_cmpuint (model->count, >=, rows);
}

static void
change (Model *model)
{
  guint8 bytes[2];
  guint key = any_key (model), other = any_key (model);
  switch (g_rand_int_range (model->random, 0, 40))
    {
    case 0:
      delete_range (model, MIN (key, other), MAX (key, other) + 1);
      break;
    case 1:
      delete_range (model, key, MIN (key + 40, KEYS));
      break;
    case 2:
      sweep (model, 0, G_MAXUINT);
      break;
    case 3:
      if (g_rand_int_range (model->random, 0, 6) == 0)
        trim (model, g_rand_boolean (model->random));
      break;
    case 4 ... 12:
      for (guint i = 0; i < 50; i++)
        mark (model, any_key (model));
      break;
    case 13 ... 20:
      for (guint i = 0; i < 30; i++)
        delete (model, any_key (model));
      break;
    case 21 ... 24:
      edit_many (model, g_rand_int_range (model->random, 2, 200));
      break;
    default:
      for (guint i = 0; i < 100; i++)
        put (model, i % 2 == 0 ? any_key (model) : MIN (key + i, KEYS - 1));
    }
  for (guint i = 0; i < KEYS; i += 8)
    {
      divide (model, i);
      if (i % 3 == 0)
        ldb_rank_index_tidy (model->index, key_of (i, bytes));
    }
}

static void
test_random (void)
{
  guint rounds = g_test_slow () ? 20000 : 1500;
  Model model = { .index = ldb_rank_index_new (NULL), .random = g_rand_new_with_seed (7) };
  for (guint round = 0; round < rounds; round++)
    {
      change (&model);
      if (round % 3 == 0)
        sweep (&model, any_key (&model), (guint) g_rand_int_range (model.random, 0, 20));
      verify (&model);
    }
  g_assert_cmpuint (model.gone, >, 1000);
  ldb_rank_index_unref (model.index);
  g_rand_free (model.random);
}

static guint freed;

static void
count_freed (gpointer mark)
{
  freed++;
}

static void
test_ends (void)
{
  guint8 bytes[2];
  g_autoptr (GBytes) edge = NULL;
  LdbRankIndex *index = ldb_rank_index_new (count_freed);
  g_assert_null (ldb_rank_index_find_rank (index, 0).bucket);
  g_assert_null (ldb_rank_index_find_key (index, key_of (1, bytes)).bucket);
  g_assert_false (ldb_rank_index_trim_end (index, 0, &edge, NULL, NULL));
  g_assert_false (ldb_rank_index_trim_start (index, 0, &edge, NULL, NULL));
  ldb_rank_index_tidy (index, key_of (1, bytes));
  ldb_rank_index_touch (index, key_of (1, bytes));
  ldb_rank_index_edit (index, key_of (9, bytes), 0, 0, 1, NULL, NULL);
  ldb_rank_index_mark (index, 0, index);
  /* Keys below the first boundary are in the first bucket, also when a range of them goes. */
  ldb_rank_index_edit (index, key_of (2, bytes), 0, 0, 1, NULL, NULL);
  ldb_rank_index_remove_range (index, BYTES_NONE, key_of (3, bytes), 0, 1, NULL, NULL);
  g_assert_cmpuint (ldb_rank_index_get_total (index), ==, 1);
  LdbRankPlace place = ldb_rank_index_find_rank (index, 0);
  g_assert_true (ldb_rank_index_get_mark (&place, 0) == index);
  /* A reference keeps it, and what is marked is let go with it. */
  ldb_rank_index_unref (ldb_rank_index_ref (index));
  g_assert_cmpuint (freed, ==, 0);
  ldb_rank_index_unref (index);
  g_assert_cmpuint (freed, ==, 1);
}

/* What the first bucket has below its boundary is its own still when others come before it. */
static void
test_start (void)
{
  guint8 bytes[2], other[2];
  g_autoptr (LdbRankIndex) index = ldb_rank_index_new (NULL);
  g_autoptr (LdbRankIndex) before = ldb_rank_index_new (NULL);
  ldb_rank_index_set_start (index, key_of (9, bytes));
  g_assert_cmpuint (ldb_rank_index_get_total (index), ==, 0);
  ldb_rank_index_append (index, key_of (100, bytes), 2);
  ldb_rank_index_append (index, key_of (200, bytes), 3);
  ldb_rank_index_edit (index, key_of (60, bytes), 0, 0, 1, NULL, NULL);
  ldb_rank_index_mark (index, 0, index);
  ldb_rank_index_set_start (index, key_of (50, bytes));
  ldb_rank_index_append (before, key_of (10, bytes), 7);
  ldb_rank_index_join_before (index, before);
  g_assert_cmpstr (ldb_rank_index_check (index), ==, NULL);
  LdbRankPlace place = ldb_rank_index_find_key (index, key_of (60, bytes));
  g_assert_true (bytes_equal (ldb_bucket_boundary (place.bucket), key_of (50, other)));
  g_assert_cmpuint (place.first, ==, 7);
  g_assert_cmpuint (ldb_bucket_count (place.bucket), ==, 3);
  g_assert_true (ldb_rank_index_get_mark (&place, 7) == index);
  g_assert_cmpuint (ldb_rank_index_get_total (index), ==, 13);
}

/* Ten million rows with keys of twenty bytes, far below what a list may take. */
static void
test_size (void)
{
  const guint buckets = 10000000 / LDB_BUCKET_FILL;
  g_autoptr (LdbRankIndex) index = ldb_rank_index_new (NULL);
  gsize size;
  for (guint i = 0; i < buckets; i++)
    {
      g_autofree char *key = g_strdup_printf ("contact:%012u", i);
      ldb_rank_index_append (index, BYTES (key, 20), LDB_BUCKET_FILL);
    }
  g_assert_cmpuint (ldb_rank_index_measure (index, &size), ==, buckets);
  size += (gsize) buckets * 2 * sizeof (gpointer); /* what an allocation takes besides */
  g_test_message ("%u buckets take %.1f MB", buckets, (double) size / (1 << 20));
  g_assert_cmpuint (size, <, 64 << 20);
}

/* Ends of one index and of another, as filling makes them, in both directions. */
static void
test_join (void)
{
  guint8 bytes[2];
  g_autoptr (LdbRankIndex) index = ldb_rank_index_new (no_mark);
  for (guint part = 0; part < 100; part++)
    {
      g_autoptr (LdbRankIndex) behind = ldb_rank_index_new (NULL);
      g_autoptr (LdbRankIndex) before = ldb_rank_index_new (NULL);
      for (guint i = 0; i < 10; i++)
        {
          ldb_rank_index_append (behind, key_of (30000 + part * 10 + i, bytes), 3);
          ldb_rank_index_append (before, key_of (29990 - part * 10 + i, bytes), 2);
        }
      ldb_rank_index_join_behind (index, behind);
      ldb_rank_index_join_before (index, before);
      g_assert_cmpuint (ldb_rank_index_get_total (before), ==, 0);
      g_assert_cmpuint (ldb_rank_index_get_total (index), ==, (part + 1) * 50);
      g_assert_cmpstr (ldb_rank_index_check (index), ==, NULL);
    }
  gsize size;
  g_assert_cmpuint (ldb_rank_index_measure (index, &size), ==, 2000);
  g_assert_cmpuint (size, <, 2000 * 80);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rank-index/ends", test_ends);
  g_test_add_func ("/rank-index/join", test_join);
  g_test_add_func ("/rank-index/start", test_start);
  g_test_add_func ("/rank-index/size", test_size);
  g_test_add_func ("/rank-index/random", test_random);
  return g_test_run ();
}
