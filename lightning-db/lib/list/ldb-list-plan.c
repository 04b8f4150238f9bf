/* SPDX-License-Identifier: MIT */
/*
 * From changes of keys to edits of ranks. The index knows which bucket a key is in and how many
 * rows come before that; where in the bucket it is the state before tells, by walking from the
 * bucket's start. A bucket is visited once, for all changes in it. A range that goes costs a visit
 * at each of its ends, whatever is between. What has to be read anew is walked in both states at
 * once.
 *
 * Invariants
 *   P1  While a bucket is visited, the cursor `before` stands behind exactly `passed` of its rows.
 *   P2  Edits of one bucket are in a row, and do not touch each other.
 */
#include "config.h"

#include "ldb-list-walk-private.h"

#define STEPS_BETWEEN_LOOKS 1024 /* at whether to go on */

typedef struct
{
  const LdbListWalk *walk;      /* the range the index stands for */
  const LdbRankIndex *index;    /* as it is before all edits */
  LdbPin *before_state;         /* borrowed */
  LdbPin *after_state;          /* borrowed */
  struct engine_cursor *before; /* of the state before; NULL until wanted; owned */
  struct engine_cursor *after;  /* of the state after; NULL until wanted; owned */
  LdbListPlan *plan;            /* what comes out */
  guint64 steps;                /* moves of cursors so far */
  gboolean visiting;            /* a bucket is being visited: */
  LdbRankPlace place;           /* which; its bucket is NULL if the index is empty */
  struct bytes start, end;      /* what it covers; BYTES_NONE: open */
  guint64 passed;               /* P1 */
  gint64 growth;                /* rows that come to it less those that go */
  gboolean open;                /* the last edit may grow: */
  GString *last;                /* its last key; owned */
} Planner;

/* ---- small things ---- */

static inline gboolean
is_behind (struct bytes key, struct bytes end)
{
  return end.size > 0 && bytes_compare (key, end) >= 0;
}

static inline struct bytes
later (struct bytes a, struct bytes b)
{
  return bytes_compare (a, b) >= 0 ? a : b;
}

static inline struct bytes
earlier_end (struct bytes a, struct bytes b)
{
  if (a.size == 0 || b.size == 0)
    return a.size == 0 ? b : a;
  return bytes_compare (a, b) <= 0 ? a : b;
}

static struct bytes
keep (Planner *planner, struct bytes key)
{
  if (key.size == 0)
    return BYTES_NONE;
  const char *kept
      = g_string_chunk_insert_len (planner->plan->keys, (const char *) key.data, (gssize) key.size);
  return BYTES (kept, key.size);
}

/* After a move of a cursor: whether it is to go on. */
static status
count_step (Planner *planner, status code, struct failure *failure)
{
  const LdbListWalk *walk = planner->walk;
  planner->steps++;
  if (code != STATUS_OK)
    return code;
  if (walk->steps_max > 0 && planner->steps > walk->steps_max)
    return STATUS_BUSY;
  if (planner->steps % STEPS_BETWEEN_LOOKS == 0 && walk->cancelled != NULL
      && g_atomic_int_get (walk->cancelled) != 0)
    return fail (failure, STATUS_CANCELLED, "the list is not wanted any more");
  return STATUS_OK;
}

static status
seek (Planner *planner, struct engine_cursor **cursor, LdbPin *state, struct bytes key,
      struct failure *failure)
{
  const LdbListWalk *walk = planner->walk;
  status code = STATUS_OK;
  if (*cursor == NULL)
    code = ldb_list_walk_cursor (walk, state, walk->lower, walk->upper, TRUE, cursor, failure);
  if (code == STATUS_OK)
    code = key.size > 0 ? engine_cursor_seek (*cursor, key, failure)
                        : engine_cursor_first (*cursor, failure);
  return count_step (planner, code, failure);
}

static inline status
next (Planner *planner, struct engine_cursor *cursor, struct failure *failure)
{
  return count_step (planner, engine_cursor_next (cursor, failure), failure);
}

/* Stands on a record before the end. */
static inline gboolean
stands_below (struct engine_cursor *cursor, struct bytes end)
{
  return engine_cursor_valid (cursor) && !is_behind (engine_cursor_key (cursor), end);
}

/* ---- edits ---- */

static LdbListEdit *
last_edit (Planner *planner)
{
  GArray *edits = planner->plan->edits;
  return &g_array_index (edits, LdbListEdit, edits->len - 1);
}

static void
close_edit (Planner *planner)
{
  if (planner->open)
    last_edit (planner)->last = keep (planner, BYTES (planner->last->str, planner->last->len));
  planner->open = FALSE;
}

/* At the row where the cursor stands, which is the next one of the bucket: `removed` rows go and
 * `added` come, one or none each. It is joined to the last edit when they touch (P2). */
static void
edit (Planner *planner, struct bytes key, guint removed, guint added)
{
  guint64 rank = planner->place.first + planner->passed;
  LdbListEdit *edit = planner->open ? last_edit (planner) : NULL;
  if (edit == NULL || edit->rank + edit->removed != rank)
    {
      close_edit (planner);
      LdbListEdit fresh = {
        .bucket = planner->place.bucket,
        .offset = planner->passed,
        .key = keep (planner, key),
        .rank = rank,
      };
      g_array_append_val (planner->plan->edits, fresh);
      edit = last_edit (planner);
      planner->open = TRUE;
    }
  edit->removed += removed;
  edit->added += added;
  planner->growth += (gint64) added - removed;
  g_string_truncate (planner->last, 0);
  g_string_append_len (planner->last, (const char *) key.data, (gssize) key.size);
}

/* ---- visiting a bucket ---- */

/* How the bucket is divided when it has got `rows` rows, more than it should: read in the state
 * after. */
static status
plan_division (Planner *planner, guint64 rows, LdbRankIndex **out, struct failure *failure)
{
  LdbBucketBuilder builder;
  g_autoptr (LdbRankIndex) division = ldb_rank_index_new (NULL);
  status code = seek (planner, &planner->after, planner->after_state, planner->start, failure);
  ldb_bucket_builder_begin (&builder, division, FALSE, planner->start);
  while (code == STATUS_OK && stands_below (planner->after, planner->end))
    {
      ldb_bucket_builder_add (&builder, engine_cursor_key (planner->after));
      code = next (planner, planner->after, failure);
    }
  ldb_bucket_builder_end (&builder, planner->start);
  guint64 found = ldb_rank_index_get_total (division);
  if (code == STATUS_OK && found != rows)
    code = fail (failure, STATUS_CORRUPT,
                 "A list has %" G_GUINT64_FORMAT " rows where there are %" G_GUINT64_FORMAT
                 "; make it anew.",
                 rows, found);
  if (code == STATUS_OK)
    *out = g_steal_pointer (&division);
  return code;
}

/* Ends the visit. `rows` are in the bucket after the edits; `to`: where its division belongs. */
static status
end_visit (Planner *planner, guint64 rows, LdbRankIndex **to, struct failure *failure)
{
  planner->visiting = FALSE;
  close_edit (planner);
  if (planner->growth <= 0 || rows <= LDB_BUCKET_MOST)
    return STATUS_OK;
  return plan_division (planner, rows, to, failure);
}

static status
leave_bucket (Planner *planner, struct failure *failure)
{
  LdbBucket *bucket = planner->place.bucket;
  if (!planner->visiting || planner->growth == 0)
    {
      planner->visiting = FALSE;
      close_edit (planner);
      return STATUS_OK;
    }
  guint64 rows = (bucket != NULL ? ldb_bucket_count (bucket) : 0) + (guint64) planner->growth;
  /* Two neighbours of which neither is that small have more rows than one would get. */
  if (planner->growth < 0)
    last_edit (planner)->tidy = rows <= LDB_BUCKET_FILL / 2;
  return end_visit (planner, rows, &last_edit (planner)->division, failure);
}

static gboolean
is_visited (const Planner *planner, struct bytes key)
{
  return planner->visiting && !is_behind (key, planner->end);
}

/* Into the bucket that covers the key, which is not below where the last visit was. */
static status
enter_bucket (Planner *planner, struct bytes key, struct failure *failure)
{
  if (is_visited (planner, key))
    return STATUS_OK;
  status code = leave_bucket (planner, failure);
  if (code != STATUS_OK)
    return code;
  planner->place = ldb_rank_index_find_key (planner->index, key);
  LdbBucket *bucket = planner->place.bucket;
  LdbBucket *leftmost = ldb_rank_index_find_key (planner->index, BYTES_NONE).bucket;
  planner->start = bucket == leftmost ? planner->walk->lower : ldb_bucket_boundary (bucket);
  planner->end = planner->place.next != NULL ? ldb_bucket_boundary (planner->place.next)
                                             : planner->walk->upper;
  planner->visiting = TRUE;
  planner->passed = 0;
  planner->growth = 0;
  return seek (planner, &planner->before, planner->before_state, planner->start, failure);
}

/* Passes the rows of the bucket that are below the key. */
static status
pass (Planner *planner, struct bytes key, struct failure *failure)
{
  status code = STATUS_OK;
  while (code == STATUS_OK && engine_cursor_valid (planner->before)
         && bytes_compare (engine_cursor_key (planner->before), key) < 0)
    {
      planner->passed++;
      code = next (planner, planner->before, failure);
    }
  return code;
}

/* Stands on the row of the key, if that was there before. */
static gboolean
is_at (const Planner *planner, struct bytes key)
{
  return engine_cursor_valid (planner->before)
         && bytes_equal (engine_cursor_key (planner->before), key);
}

/* ---- one change ---- */

static status
plan_key (Planner *planner, LdbChange *change, struct failure *failure)
{
  struct bytes key = change->key;
  gboolean put = change->kind == LDB_CHANGE_PUT;
  if (put && change->before == LDB_BEFORE_PRESENT)
    {
      g_ptr_array_add (planner->plan->updates, change);
      return STATUS_OK;
    }
  status code = enter_bucket (planner, key, failure);
  if (code == STATUS_OK)
    code = pass (planner, key, failure);
  if (code != STATUS_OK)
    return code;
  gboolean was_there = is_at (planner, key);
  if (put && was_there)
    g_ptr_array_add (planner->plan->updates, change);
  else if (put || was_there)
    edit (planner, key, !put, put);
  if (put || !was_there)
    return STATUS_OK;
  planner->passed++;
  return next (planner, planner->before, failure);
}

/* All rows of [key, end) go, across buckets. `end` is behind the bucket that is visited. */
static status
plan_span (Planner *planner, struct bytes key, struct bytes end, struct failure *failure)
{
  LdbListEdit span = {
    .bucket = planner->place.bucket,
    .offset = planner->passed,
    .key = keep (planner, key),
    .last = keep (planner, end),
    .span = TRUE,
    .rank = planner->place.first + planner->passed,
  };
  guint64 rows = (guint64) ((gint64) planner->passed + planner->growth);
  status code = end_visit (planner, rows, &span.division, failure);
  guint64 behind = ldb_rank_index_get_total (planner->index);
  if (code == STATUS_OK && end.size > 0)
    {
      code = enter_bucket (planner, end, failure);
      if (code == STATUS_OK)
        code = pass (planner, end, failure);
      planner->growth = -(gint64) planner->passed;
      behind = planner->place.first + planner->passed;
    }
  span.removed = behind - span.rank;
  g_array_append_val (planner->plan->edits, span);
  return code;
}

/* Whether what ends there ends in the bucket that is visited, or with it. */
static gboolean
ends_within (const Planner *planner, struct bytes end)
{
  if (end.size == 0 || planner->end.size == 0)
    return planner->end.size == 0;
  return bytes_compare (end, planner->end) <= 0;
}

static status
plan_delete_range (Planner *planner, struct bytes key, struct bytes end, struct failure *failure)
{
  status code = enter_bucket (planner, key, failure);
  if (code == STATUS_OK)
    code = pass (planner, key, failure);
  if (code != STATUS_OK)
    return code;
  if (!ends_within (planner, end))
    return plan_span (planner, key, end, failure);
  while (code == STATUS_OK && stands_below (planner->before, end))
    {
      edit (planner, engine_cursor_key (planner->before), 1, 0);
      planner->passed++;
      code = next (planner, planner->before, failure);
    }
  return code;
}

/* Walks both states up to `end`, which is in the bucket or its end. */
static status
compare_bucket (Planner *planner, struct bytes end, struct failure *failure)
{
  struct engine_cursor *before = planner->before, *after = planner->after;
  status code = STATUS_OK;
  while (code == STATUS_OK)
    {
      gboolean was = stands_below (before, end), is = stands_below (after, end);
      if (!was && !is)
        break;
      int order = was - is != 0
                      ? is - was
                      : bytes_compare (engine_cursor_key (before), engine_cursor_key (after));
      if (order < 0)
        edit (planner, engine_cursor_key (before), 1, 0);
      else if (order > 0)
        edit (planner, engine_cursor_key (after), 0, 1);
      planner->passed += order <= 0;
      if (order <= 0)
        code = next (planner, before, failure);
      if (order >= 0 && code == STATUS_OK)
        code = next (planner, after, failure);
    }
  return code;
}

/* What is between is read anew: bucket by bucket. */
static status
plan_resync (Planner *planner, LdbChange *change, struct bytes key, struct bytes end,
             struct failure *failure)
{
  g_ptr_array_add (planner->plan->updates, change);
  status code = enter_bucket (planner, key, failure);
  if (code == STATUS_OK)
    code = pass (planner, key, failure);
  while (code == STATUS_OK)
    {
      /* A division reads the state after, too: the cursor is put where it belongs. */
      struct bytes until = earlier_end (end, planner->end);
      code = seek (planner, &planner->after, planner->after_state, later (key, planner->start),
                   failure);
      if (code == STATUS_OK)
        code = compare_bucket (planner, until, failure);
      if (code != STATUS_OK || planner->place.next == NULL || ends_within (planner, end))
        break;
      code = enter_bucket (planner, planner->end, failure);
    }
  return code;
}

static status
plan_change (Planner *planner, LdbChange *change, struct failure *failure)
{
  const LdbListWalk *walk = planner->walk;
  struct bytes key = change->key, end = change->end;
  if (!ldb_change_is_range (change))
    {
      if (bytes_compare (key, walk->lower) < 0 || is_behind (key, walk->upper))
        return STATUS_OK;
      return plan_key (planner, change, failure);
    }
  key = later (key, walk->lower);
  end = earlier_end (end, walk->upper);
  if (is_behind (key, end))
    return STATUS_OK;
  return change->kind == LDB_CHANGE_DELETE_RANGE ? plan_delete_range (planner, key, end, failure)
                                                 : plan_resync (planner, change, key, end, failure);
}

/* ---- arranging ---- */

static void
arrange_edit (LdbListPlan *plan, guint at, guint64 *moved)
{
  LdbListEdit *edit = &g_array_index (plan->edits, LdbListEdit, at);
  LdbRankEdit rank_edit = { edit->bucket, edit->offset, edit->removed, edit->added };
  if (!edit->span && edit->bucket != NULL)
    g_array_append_val (plan->ranks, rank_edit);
  if (edit->span || edit->tidy || edit->division != NULL)
    g_array_append_val (plan->rest, at);
  *moved += edit->added - edit->removed;
  edit->moved = *moved;
  edit->ranks = plan->ranks->len;
}

/* The edit joins the last run, or begins one; one that moves no row is part of none. */
static void
arrange_run (LdbListPlan *plan, guint at)
{
  const LdbListEdit *edit = &g_array_index (plan->edits, LdbListEdit, at);
  LdbListRun *last
      = plan->runs->len > 0 ? &g_array_index (plan->runs, LdbListRun, plan->runs->len - 1) : NULL;
  if (edit->removed == 0 && edit->added == 0)
    return;
  if (last != NULL && last->rank + last->removed == edit->rank)
    {
      last->removed += edit->removed;
      last->added += edit->added;
      last->end = at + 1;
      return;
    }
  LdbListRun run = { edit->rank, edit->removed, edit->added, at + 1 };
  g_array_append_val (plan->runs, run);
}

static gint
compare_gaps (gconstpointer a, gconstpointer b)
{
  const LdbListGap *left = a, *right = b;
  if (left->rows != right->rows)
    return left->rows > right->rows ? -1 : 1;
  return (left->run < right->run) - (left->run > right->run);
}

static void
arrange_gaps (LdbListPlan *plan)
{
  const LdbListRun *runs = (const LdbListRun *) (const void *) plan->runs->data;
  if (plan->runs->len <= LDB_LIST_STEPS_MOST)
    return;
  for (guint i = 0; i + 1 < plan->runs->len; i++)
    {
      LdbListGap gap = { runs[i + 1].rank - (runs[i].rank + runs[i].removed), i };
      g_array_append_val (plan->gaps, gap);
    }
  g_array_sort (plan->gaps, compare_gaps);
}

static void
arrange (LdbListPlan *plan)
{
  guint64 moved = 0;
  for (guint i = 0; i < plan->edits->len; i++)
    {
      arrange_edit (plan, i, &moved);
      arrange_run (plan, i);
    }
  arrange_gaps (plan);
}

/* ---- all ---- */

static void
plan_begin (LdbListPlan *plan)
{
  *plan = (LdbListPlan){
    .edits = g_array_new (FALSE, FALSE, sizeof (LdbListEdit)),
    .ranks = g_array_new (FALSE, FALSE, sizeof (LdbRankEdit)),
    .rest = g_array_new (FALSE, FALSE, sizeof (guint)),
    .runs = g_array_new (FALSE, FALSE, sizeof (LdbListRun)),
    .gaps = g_array_new (FALSE, FALSE, sizeof (LdbListGap)),
    .updates = g_ptr_array_new (),
    .keys = g_string_chunk_new (1024),
  };
}

/* Divisions that were not used: those of an arranged plan are among the rest. */
static void
clear_divisions (LdbListPlan *plan)
{
  for (guint i = 0; i < plan->rest->len; i++)
    {
      guint at = g_array_index (plan->rest, guint, i);
      LdbListEdit *edit = &g_array_index (plan->edits, LdbListEdit, at);
      g_clear_pointer (&edit->division, ldb_rank_index_unref);
    }
}

void
ldb_list_plan_clear (LdbListPlan *plan)
{
  if (plan->edits == NULL)
    return;
  clear_divisions (plan);
  g_clear_pointer (&plan->edits, g_array_unref);
  g_clear_pointer (&plan->ranks, g_array_unref);
  g_clear_pointer (&plan->rest, g_array_unref);
  g_clear_pointer (&plan->runs, g_array_unref);
  g_clear_pointer (&plan->gaps, g_array_unref);
  g_clear_pointer (&plan->updates, g_ptr_array_unref);
  g_clear_pointer (&plan->keys, g_string_chunk_free);
}

status
ldb_list_plan (const LdbListWalk *walk, const LdbRankIndex *index, LdbPin *before, LdbPin *after,
               GPtrArray *changes, LdbListPlan *out, struct failure *failure)
{
  status code = STATUS_OK;
  plan_begin (out);
  Planner planner = {
    .walk = walk,
    .index = index,
    .before_state = before,
    .after_state = after,
    .plan = out,
    .last = g_string_new (NULL),
  };
  for (guint i = 0; i < changes->len && code == STATUS_OK; i++)
    code = plan_change (&planner, g_ptr_array_index (changes, i), failure);
  if (code == STATUS_OK)
    code = leave_bucket (&planner, failure);
  arrange (out);
  engine_cursor_free (planner.before);
  engine_cursor_free (planner.after);
  g_string_free (planner.last, TRUE);
  return code;
}
