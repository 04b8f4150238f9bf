/* SPDX-License-Identifier: MIT */
/*
 * Rows: objects that are made when somebody asks for them, and found again for as long as somebody
 * holds them.
 *
 * A row is read with a cursor that stays where it is for a while, since rows are mostly asked for
 * one after the other. What memory cannot answer is handed out as it is, without key and value, and
 * read on a worker, a bucket at a time. By then the list may have moved on: buckets that something
 * has happened to meanwhile are sent for again.
 *
 * Setting a property calls the application, which may do anything with the list: so objects to be
 * told are gathered first, with references, and the index is not looked at in between.
 */
#include "config.h"

#include "ldb-list-rows-private.h"

#include "ldb-database-private.h"

#define SWEEP_LEAST 256 /* marks from which on dead ones are looked for */
#define SWEEP_MARKS                                                                                \
  2                        /* are looked at for each new one: so the dead ones stay few, and no row
                              pays for many */
#define SEEK_STEPS 8       /* steps that cost about as much as finding a bucket's begin or end */
#define BUCKETS_AT_ONCE 64 /* are sent for */
#define TOUCHES_MOST 1024  /* values that change, whose buckets are looked up one by one */

/* ---- rows ---- */

static LdbListRow *
row_new (void)
{
  LdbListRow *row = g_new0 (LdbListRow, 1);
  row->references = 1;
  g_weak_ref_init (&row->item, NULL);
  g_weak_ref_init (&row->entry, NULL);
  return row;
}

static LdbListRow *
row_ref (LdbListRow *row)
{
  row->references++;
  return row;
}

static void
row_unref (LdbListRow *row)
{
  if (--row->references > 0)
    return;
  g_weak_ref_clear (&row->item);
  g_weak_ref_clear (&row->entry);
  g_clear_pointer (&row->key, g_bytes_unref);
  g_free (row);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbListRow, row_unref)

void
ldb_list_row_free (gpointer data)
{
  LdbListRow *row = data;
  row->detached = TRUE;
  row_unref (row);
}

/* Rows and their objects, both held. */
typedef struct
{
  LdbListRow *row;
  GObject *item;
  const LdbListRead *read; /* what was found out, or NULL */
} Held;

static void
held_clear (gpointer data)
{
  Held *held = data;
  row_unref (held->row);
  g_object_unref (held->item);
}

static GArray *
held_new (void)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Held));
  g_array_set_clear_func (all, held_clear);
  return all;
}

/* Adds a row whose object lives. */
static void
hold (GArray *all, LdbListRow *row, const LdbListRead *read)
{
  GObject *item = g_weak_ref_get (&row->item);
  Held held = { row, item, read };
  if (item == NULL)
    return;
  row_ref (row);
  g_array_append_val (all, held);
}

static gboolean
is_alive (gpointer mark, gpointer data)
{
  LdbListRow *row = mark;
  g_autoptr (GObject) item = g_weak_ref_get (&row->item);
  if (item == NULL)
    ldb_list_row_free (row);
  return item != NULL;
}

void
ldb_list_rows_sweep (LdbListModel *self)
{
  ldb_rank_index_sweep (self->index, 0, G_MAXUINT, is_alive, NULL);
}

/* Before a mark is set. */
static void
sweep_some (LdbListModel *self)
{
  if (ldb_rank_index_count_marks (self->index, G_MAXUINT64) >= SWEEP_LEAST)
    self->sweep_rank
        = ldb_rank_index_sweep (self->index, self->sweep_rank, SWEEP_MARKS, is_alive, NULL);
}

/* ---- reading ---- */

void
ldb_list_rows_reset (LdbListModel *self)
{
  g_clear_pointer (&self->cursor, engine_cursor_free);
}

static gboolean
release_cursor (gpointer data)
{
  g_autoptr (LdbListModel) self = g_weak_ref_get (data);
  if (self != NULL)
    {
      ldb_list_rows_reset (self);
      g_clear_pointer (&self->cursor_release, g_source_unref);
    }
  return G_SOURCE_REMOVE;
}

static void
free_weak (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

/* A cursor keeps memory and files of the database from being given back: not for long. */
static void
release_soon (LdbListModel *self)
{
  if (self->cursor_release != NULL)
    return;
  GWeakRef *weak = g_new (GWeakRef, 1);
  g_weak_ref_init (weak, self);
  self->cursor_release = g_idle_source_new ();
  g_source_set_priority (self->cursor_release, G_PRIORITY_LOW);
  g_source_set_static_name (self->cursor_release, "[lightning-db] end of reading rows");
  g_source_set_callback (self->cursor_release, release_cursor, weak, free_weak);
  g_source_attach (self->cursor_release, self->context);
}

static LdbListWalk
row_walk (LdbListModel *self)
{
  LdbListWalk walk = ldb_list_model_walk (self);
  walk.cached_only = (self->flags & LDB_LIST_BLOCKING) == 0;
  return walk;
}

struct bytes
ldb_list_rows_start (LdbListModel *self, const LdbBucket *bucket, const LdbListWalk *walk)
{
  const LdbBucket *first = ldb_rank_index_find_key (self->index, BYTES_NONE).bucket;
  return bucket == first ? walk->lower : ldb_bucket_boundary (bucket);
}

static status
seek (struct engine_cursor *cursor, struct bytes key, struct failure *failure)
{
  return key.size > 0 ? engine_cursor_seek (cursor, key, failure)
                      : engine_cursor_first (cursor, failure);
}

/* So many steps on, or up to the end. */
static status
step (struct engine_cursor *cursor, guint64 *steps, struct failure *failure)
{
  status code = STATUS_OK;
  while (code == STATUS_OK && engine_cursor_valid (cursor) && *steps > 0)
    {
      code = engine_cursor_next (cursor, failure);
      *steps -= 1;
    }
  return code;
}

static status
step_back (struct engine_cursor *cursor, guint64 steps, struct failure *failure)
{
  status code = STATUS_OK;
  for (; code == STATUS_OK && engine_cursor_valid (cursor) && steps > 0; steps--)
    code = engine_cursor_previous (cursor, failure);
  return code;
}

/* On the last row of the bucket. */
static status
seek_end (struct engine_cursor *cursor, const LdbRankPlace *place, struct failure *failure)
{
  return place->next != NULL
             ? engine_cursor_seek_before (cursor, ldb_bucket_boundary (place->next), failure)
             : engine_cursor_last (cursor, failure);
}

/* Moves the cursor, which stands on another row or nowhere, to a row of the bucket: from where it
 * stands, or from the end of the bucket that is nearer. */
static status
move (LdbListModel *self, const LdbListWalk *walk, const LdbRankPlace *place, guint64 rank,
      struct failure *failure)
{
  guint64 before = rank - place->first;                           /* rows of the bucket */
  guint64 behind = ldb_bucket_count (place->bucket) - 1 - before; /* the same */
  guint64 at = self->cursor_rank, steps = rank > at ? rank - at : at - rank;
  status code;
  if (engine_cursor_valid (self->cursor) && steps <= MIN (before, behind) + SEEK_STEPS)
    return rank > at ? step (self->cursor, &steps, failure)
                     : step_back (self->cursor, steps, failure);
  if (behind < before)
    {
      code = seek_end (self->cursor, place, failure);
      return code == STATUS_OK ? step_back (self->cursor, behind, failure) : code;
    }
  code = seek (self->cursor, ldb_list_rows_start (self, place->bucket, walk), failure);
  return code == STATUS_OK ? step (self->cursor, &before, failure) : code;
}

/* Stands on the row in the state that is shown. */
static status
stand (LdbListModel *self, const LdbListWalk *walk, const LdbRankPlace *place, guint64 rank,
       struct failure *failure)
{
  status code = STATUS_OK;
  gboolean keys_only = (self->flags & LDB_LIST_KEYS_ONLY) != 0;
  if (self->cursor == NULL)
    {
      code = ldb_list_walk_cursor (walk, self->state, walk->lower, walk->upper, keys_only,
                                   &self->cursor, failure);
      if (code != STATUS_OK)
        return code;
      release_soon (self);
    }
  if (!engine_cursor_valid (self->cursor) || self->cursor_rank != rank)
    code = move (self, walk, place, rank, failure);
  self->cursor_rank = rank;
  return code;
}

/* The same while a frame is being shown (M1): the row may be of either state. */
static status
stand_at_seam (LdbListModel *self, const LdbListWalk *walk, const LdbRankPlace *place, guint64 rank,
               struct failure *failure)
{
  struct bytes start = ldb_list_rows_start (self, place->bucket, walk);
  struct bytes seam = BYTES (self->seam->data, self->seam->len);
  gboolean keys_only = (self->flags & LDB_LIST_KEYS_ONLY) != 0;
  guint64 steps = rank - place->first;
  status code = STATUS_OK;
  ldb_list_rows_reset (self);
  self->cursor_rank = G_MAXUINT64;
  if (bytes_compare (start, seam) < 0)
    {
      code = ldb_list_walk_cursor (walk, self->state, walk->lower, seam, keys_only, &self->cursor,
                                   failure);
      if (code == STATUS_OK)
        code = seek (self->cursor, start, failure);
      if (code == STATUS_OK)
        code = step (self->cursor, &steps, failure);
      if (code != STATUS_OK || engine_cursor_valid (self->cursor))
        return code;
      ldb_list_rows_reset (self);
      start = seam;
    }
  code = ldb_list_walk_cursor (walk, self->before, walk->lower, walk->upper, keys_only,
                               &self->cursor, failure);
  if (code == STATUS_OK)
    code = seek (self->cursor, start, failure);
  return code == STATUS_OK ? step (self->cursor, &steps, failure) : code;
}

/* What the cursor stands on; the key also where the value cannot be had. */
static status
take_record (struct engine_cursor *cursor, gboolean keys_only, LdbListRead *out,
             struct failure *failure)
{
  struct engine_value value;
  struct bytes key = engine_cursor_key (cursor);
  out->key = g_bytes_new (key.data, key.size);
  out->sequence = engine_cursor_sequence (cursor);
  if (keys_only)
    return STATUS_OK;
  status code = engine_cursor_take_value (cursor, &value, failure);
  if (code == STATUS_OK)
    out->value = ldb_value_to_bytes (&value);
  return code;
}

static status
read_row (LdbListModel *self, const LdbRankPlace *place, guint64 rank, LdbListRead *out,
          struct failure *failure)
{
  if (!ldb_database_is_usable (self->place.database, NULL))
    return STATUS_CLOSED;
  LdbListWalk walk = row_walk (self);
  status code = self->before != NULL ? stand_at_seam (self, &walk, place, rank, failure)
                                     : stand (self, &walk, place, rank, failure);
  if (code != STATUS_OK)
    return code;
  if (!engine_cursor_valid (self->cursor))
    return fail (failure, STATUS_CORRUPT,
                 "A list looked for row %" G_GUINT64_FORMAT " and there was none; make it anew.",
                 rank);
  return take_record (self->cursor, (self->flags & LDB_LIST_KEYS_ONLY) != 0, out, failure);
}

static void
read_clear (gpointer data)
{
  LdbListRead *read = data;
  g_clear_pointer (&read->key, g_bytes_unref);
  g_clear_pointer (&read->value, g_bytes_unref);
}

/* ---- handing out ---- */

/* The bucket has rows that are to be read on a worker. */
static void
want (LdbListModel *self, const LdbBucket *bucket)
{
  struct bytes boundary = ldb_bucket_boundary (bucket);
  g_hash_table_add (self->wanted, g_bytes_new (boundary.data, boundary.size));
}

GObject *
ldb_list_rows_get (LdbListModel *self, guint64 rank)
{
  struct failure failure = FAILURE_INIT;
  LdbListRead read = { 0 };
  LdbRankPlace place = ldb_rank_index_find_rank (self->index, rank);
  LdbListRow *mark = ldb_rank_index_get_mark (&place, rank);
  GObject *item = mark != NULL ? g_weak_ref_get (&mark->item) : NULL;
  if (item != NULL)
    return item;
  if (mark == NULL)
    {
      sweep_some (self);
      mark = row_new ();
      ldb_rank_index_mark (self->index, rank, mark);
    }
  g_autoptr (LdbListRow) row = row_ref (mark);
  status code = read_row (self, &place, rank, &read, &failure);
  if (code == STATUS_BUSY)
    want (self, place.bucket);
  g_clear_pointer (&row->key, g_bytes_unref);
  row->key = read.key != NULL ? g_bytes_ref (read.key) : NULL;
  row->loaded = code == STATUS_OK;
  item = ldb_row_make (self, row, &read);
  if (code == STATUS_BUSY)
    ldb_list_rows_read (self);
  else if (code != STATUS_OK && code != STATUS_CLOSED)
    ldb_list_model_set_error (self, code, &failure);
  read_clear (&read);
  return item;
}

void
ldb_list_rows_gone (LdbListModel *self, LdbListRow *row)
{
  g_autoptr (GObject) item = g_weak_ref_get (&row->item);
  row->detached = TRUE;
  if (item != NULL)
    ldb_row_tell_gone (self, row, item);
  row_unref (row);
}

/* ---- values that change ---- */

/* The change that a key is part of. */
static gboolean
is_changed (const GPtrArray *updates, GBytes *key)
{
  struct bytes bytes = ldb_bytes_of (key);
  guint low = 0, high = updates->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const LdbChange *change = g_ptr_array_index (updates, middle);
      if (bytes_compare (change->key, bytes) <= 0)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0)
    return FALSE;
  const LdbChange *change = g_ptr_array_index (updates, low - 1);
  if (!ldb_change_is_range (change))
    return bytes_equal (change->key, bytes);
  return change->end.size == 0 || bytes_compare (bytes, change->end) < 0;
}

/* Rows that are looked for. */
typedef struct
{
  GArray *all;              /* of Held */
  const GPtrArray *updates; /* the changes they may be part of, or NULL: */
  struct bytes key;         /* theirs */
} Search;

static void
find_changed (gpointer mark, gpointer data)
{
  LdbListRow *row = mark;
  Search *search = data;
  if (row->key != NULL && is_changed (search->updates, row->key))
    hold (search->all, row, NULL);
}

static void
find_key (guint64 offset, gpointer mark, gpointer data)
{
  LdbListRow *row = mark;
  Search *search = data;
  if (row->key != NULL && bytes_equal (ldb_bytes_of (row->key), search->key))
    hold (search->all, row, NULL);
}

/* Goes through whichever there are less of: changes or marks. */
static GArray *
find_updated (LdbListModel *self, const GPtrArray *updates)
{
  guint64 marks = ldb_rank_index_count_marks (self->index, G_MAXUINT64);
  Search search = { held_new (), updates, BYTES_NONE };
  gboolean by_key = updates->len < marks;
  for (guint i = 0; i < updates->len && by_key; i++)
    by_key = !ldb_change_is_range (g_ptr_array_index (updates, i));
  if (!by_key)
    ldb_rank_index_foreach_mark (self->index, find_changed, &search);
  for (guint i = 0; i < updates->len && by_key; i++)
    {
      search.key = ((LdbChange *) g_ptr_array_index (updates, i))->key;
      LdbRankPlace place = ldb_rank_index_find_key (self->index, search.key);
      if (place.bucket != NULL)
        ldb_bucket_foreach_mark (place.bucket, find_key, &search);
    }
  return search.all;
}

static status
read_value (LdbListModel *self, GBytes *key, LdbListRead *out, struct failure *failure)
{
  struct engine_value value;
  if (self->state == NULL || !ldb_database_is_usable (self->place.database, NULL))
    return STATUS_CLOSED;
  gboolean blocking = (self->flags & LDB_LIST_BLOCKING) != 0;
  status code = (blocking ? engine_get_value : engine_get_value_cached) (
      self->state->engine, self->state->snapshot, self->place.store, ldb_bytes_of (key), &value,
      failure);
  if (code != STATUS_OK)
    return code;
  out->sequence = value.sequence;
  out->value = ldb_value_to_bytes (&value);
  return STATUS_OK;
}

static void
update_row (LdbListModel *self, Held *held)
{
  struct failure failure = FAILURE_INIT;
  LdbListRead read = { 0 };
  if (held->row->detached || (self->flags & LDB_LIST_KEYS_ONLY) != 0)
    return;
  status code = read_value (self, held->row->key, &read, &failure);
  if (code == STATUS_OK)
    {
      held->row->loaded = TRUE;
      ldb_row_tell (self, held->row, held->item, &read);
    }
  else if (code == STATUS_BUSY)
    {
      held->row->loaded = FALSE;
      want (self, ldb_rank_index_find_key (self->index, ldb_bytes_of (held->row->key)).bucket);
      ldb_row_tell_unloaded (self, held->row, held->item);
    }
  else if (code != STATUS_CLOSED)
    ldb_list_model_set_error (self, code, &failure);
  read_clear (&read);
}

/* What is being read on a worker is not what it was. */
static void
spoil_reading (LdbListModel *self, const GPtrArray *updates)
{
  gboolean all = updates->len > TOUCHES_MOST;
  for (guint i = 0; i < updates->len && !all; i++)
    {
      const LdbChange *change = g_ptr_array_index (updates, i);
      all = ldb_change_is_range (change);
      if (!all)
        ldb_rank_index_touch (self->index, change->key);
    }
  if (all)
    self->reading->stale = TRUE;
}

void
ldb_list_rows_update (LdbListModel *self, const GPtrArray *updates)
{
  if (updates->len == 0)
    return;
  if (self->reading != NULL)
    spoil_reading (self, updates);
  g_autoptr (GArray) all = find_updated (self, updates);
  for (guint i = 0; i < all->len; i++)
    update_row (self, &g_array_index (all, Held, i));
}

/* ---- reading on a worker ---- */

static void
bucket_read_free (gpointer data)
{
  LdbListBucketRead *bucket = data;
  g_bytes_unref (bucket->boundary);
  g_array_unref (bucket->reads);
  g_free (bucket);
}

static void
add_read (guint64 offset, gpointer mark, gpointer data)
{
  const LdbListRow *row = mark;
  LdbListRead read = { .offset = offset };
  if (!row->loaded)
    g_array_append_val ((GArray *) data, read);
}

/* The unloaded rows of the bucket that covers a boundary that was wanted once. */
static void
add_bucket (LdbListModel *self, LdbListJob *job, GBytes *boundary)
{
  LdbRankPlace place = ldb_rank_index_find_key (self->index, ldb_bytes_of (boundary));
  GArray *reads = g_array_new (FALSE, FALSE, sizeof (LdbListRead));
  g_array_set_clear_func (reads, read_clear);
  if (place.bucket != NULL)
    ldb_bucket_foreach_mark (place.bucket, add_read, reads);
  if (reads->len == 0)
    {
      g_array_unref (reads);
      return;
    }
  struct bytes start = ldb_bucket_boundary (place.bucket);
  LdbListBucketRead *bucket = g_new0 (LdbListBucketRead, 1);
  bucket->boundary = g_bytes_new (start.data, start.size);
  bucket->first = place.bucket == ldb_rank_index_find_key (self->index, BYTES_NONE).bucket;
  bucket->reads = reads;
  g_ptr_array_add (job->buckets, bucket);
}

void
ldb_list_rows_read (LdbListModel *self)
{
  GHashTableIter iter;
  gpointer boundary;
  if (self->reading != NULL || self->showing || self->closed
      || g_hash_table_size (self->wanted) == 0)
    return;
  ldb_list_rows_sweep (self); /* what nobody waits for any more is not read */
  LdbListJob *job = ldb_list_job_new (self, LDB_LIST_JOB_READ);
  job->stamp = self->stamp;
  job->buckets = g_ptr_array_new_with_free_func (bucket_read_free);
  g_hash_table_iter_init (&iter, self->wanted);
  while (job->buckets->len < BUCKETS_AT_ONCE && g_hash_table_iter_next (&iter, &boundary, NULL))
    {
      add_bucket (self, job, boundary);
      g_hash_table_iter_remove (&iter);
    }
  if (job->buckets->len == 0)
    {
      ldb_list_job_unref (job);
      return;
    }
  self->reading = job;
  ldb_list_job_start (job);
}

static status
read_bucket (const LdbListJob *job, struct engine_cursor *cursor, LdbListBucketRead *bucket,
             struct failure *failure)
{
  struct bytes start = bucket->first ? BYTES_NONE : ldb_bytes_of (bucket->boundary);
  status code = seek (cursor, start, failure);
  guint64 at = 0;
  for (guint i = 0; i < bucket->reads->len && code == STATUS_OK; i++)
    {
      LdbListRead *read = &g_array_index (bucket->reads, LdbListRead, i);
      guint64 steps = read->offset - at;
      code = step (cursor, &steps, failure);
      at = read->offset;
      if (code == STATUS_OK && !engine_cursor_valid (cursor))
        code = fail (failure, STATUS_CORRUPT,
                     "A list looked for a row and there was none; make it anew.");
      if (code == STATUS_OK)
        code = take_record (cursor, job->keys_only, read, failure);
    }
  return code;
}

void
ldb_list_rows_run (LdbListJob *job)
{
  struct engine_cursor *cursor;
  LdbListWalk walk = ldb_list_job_walk (job);
  job->code = ldb_list_walk_cursor (&walk, job->state, walk.lower, walk.upper, job->keys_only,
                                    &cursor, &job->failure);
  if (job->code != STATUS_OK)
    return;
  for (guint i = 0; i < job->buckets->len && g_atomic_int_get (&job->cancelled) == 0; i++)
    {
      LdbListBucketRead *bucket = g_ptr_array_index (job->buckets, i);
      struct failure failure = FAILURE_INIT;
      bucket->code = read_bucket (job, cursor, bucket, &failure);
      if (bucket->code != STATUS_OK && job->code == STATUS_OK)
        {
          job->code = bucket->code;
          job->failure = failure;
        }
    }
  engine_cursor_free (cursor);
}

/* Nothing has happened to the bucket since the job was sent. */
static gboolean
is_valid_still (const LdbListModel *self, const LdbListJob *job, const LdbListBucketRead *read,
                const LdbRankPlace *place)
{
  return !job->stale && place->bucket != NULL
         && bytes_equal (ldb_bucket_boundary (place->bucket), ldb_bytes_of (read->boundary))
         && !ldb_bucket_changed (place->bucket, job->stamp, self->stamp);
}

static void
gather_reads (LdbListModel *self, const LdbListJob *job, const LdbListBucketRead *bucket,
              GArray *all)
{
  LdbRankPlace place = ldb_rank_index_find_key (self->index, ldb_bytes_of (bucket->boundary));
  if (!is_valid_still (self, job, bucket, &place))
    {
      g_hash_table_add (self->wanted, g_bytes_ref (bucket->boundary));
      return;
    }
  for (guint i = 0; i < bucket->reads->len; i++)
    {
      const LdbListRead *read = &g_array_index (bucket->reads, LdbListRead, i);
      LdbListRow *row = ldb_rank_index_get_mark (&place, place.first + read->offset);
      if (row != NULL && !row->loaded && read->key != NULL)
        hold (all, row, read);
    }
}

void
ldb_list_rows_done (LdbListModel *self, LdbListJob *job)
{
  g_autoptr (GArray) all = held_new ();
  for (guint i = 0; i < job->buckets->len; i++)
    {
      const LdbListBucketRead *bucket = g_ptr_array_index (job->buckets, i);
      if (bucket->code == STATUS_OK)
        gather_reads (self, job, bucket, all);
    }
  if (job->code != STATUS_OK && job->code != STATUS_CLOSED)
    ldb_list_model_set_error (self, job->code, &job->failure);
  for (guint i = 0; i < all->len && !self->closed; i++)
    {
      Held *held = &g_array_index (all, Held, i);
      if (held->row->detached || held->row->loaded)
        continue;
      if (held->row->key == NULL)
        held->row->key = g_bytes_ref (held->read->key);
      held->row->loaded = TRUE;
      ldb_row_tell (self, held->row, held->item, held->read);
    }
  ldb_list_rows_read (self);
}
