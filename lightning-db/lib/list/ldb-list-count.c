/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-list-walk-private.h"
#include "ldb-range-map-private.h"

#define KEYS_BETWEEN_LOOKS 128 /* at the clock */

status
ldb_list_walk_cursor (const LdbListWalk *walk, LdbPin *state, struct bytes lower,
                      struct bytes upper, gboolean keys_only, struct engine_cursor **out,
                      struct failure *failure)
{
  struct engine_cursor_settings settings = {
    .store = walk->store,
    .snapshot = state->snapshot,
    .lower = lower,
    .upper = upper,
    .keys_only = keys_only,
    .cached_only = walk->cached_only,
  };
  return engine_cursor_new (state->engine, &settings, out, failure);
}

/* ---- buckets of keys ---- */

static inline struct bytes
string_bytes (const GString *string)
{
  return BYTES (string->str, string->len);
}

static inline void
string_set (GString *string, struct bytes bytes)
{
  g_string_truncate (string, 0);
  g_string_append_len (string, (const char *) bytes.data, (gssize) bytes.size);
}

/* The shortest key that is above one and not above another: a beginning of that. */
static struct bytes
separator (struct bytes low, struct bytes high)
{
  return BYTES (high.data, bytes_common_prefix (low, high) + 1);
}

void
ldb_bucket_builder_begin (LdbBucketBuilder *builder, LdbRankIndex *index, gboolean reverse,
                          struct bytes lower)
{
  *builder = (LdbBucketBuilder){
    .index = index,
    .reverse = reverse,
    .boundary = g_string_new (NULL),
    .last = g_string_new (NULL),
  };
  string_set (builder->boundary, lower);
}

/* The bucket is full, and a key that is not for it comes. */
static void
close_bucket (LdbBucketBuilder *builder, struct bytes key)
{
  struct bytes last = string_bytes (builder->last);
  if (builder->reverse)
    ldb_rank_index_prepend (builder->index, separator (key, last), builder->count);
  else
    {
      ldb_rank_index_append (builder->index, string_bytes (builder->boundary), builder->count);
      string_set (builder->boundary, separator (last, key));
    }
  builder->count = 0;
}

void
ldb_bucket_builder_add (LdbBucketBuilder *builder, struct bytes key)
{
  if (builder->count == LDB_BUCKET_FILL)
    close_bucket (builder, key);
  builder->count++;
  builder->rows++;
  string_set (builder->last, key);
}

void
ldb_bucket_builder_end (LdbBucketBuilder *builder, struct bytes lower)
{
  if (builder->count > 0 && builder->reverse)
    ldb_rank_index_prepend (builder->index, lower, builder->count);
  else if (builder->count > 0)
    ldb_rank_index_append (builder->index, string_bytes (builder->boundary), builder->count);
  g_string_free (builder->boundary, TRUE);
  g_string_free (builder->last, TRUE);
}

/* ---- counting ---- */

void
ldb_list_count_clear (LdbListCount *count)
{
  g_clear_pointer (&count->index, ldb_rank_index_unref);
  g_clear_pointer (&count->edge, g_bytes_unref);
}

/* How long a count goes on. */
typedef struct
{
  const LdbListWalk *walk; /* which may be cancelled */
  gint64 until;            /* monotonic time, microseconds */
} Patience;

/* Also asked by the cursor, while it passes what was deleted. */
static bool
has_time (void *data)
{
  const Patience *patience = data;
  const gint *cancelled = patience->walk->cancelled;
  return g_get_monotonic_time () < patience->until
         && (cancelled == NULL || g_atomic_int_get (cancelled) == 0);
}

static gboolean
is_enough (Patience *patience, guint64 rows, guint64 rows_most)
{
  return rows >= rows_most
         || (rows % KEYS_BETWEEN_LOOKS == KEYS_BETWEEN_LOOKS - 1 && !has_time (patience));
}

/* Counting goes on with `key`, or behind it. FALSE: there can be nothing more. */
static gboolean
set_edge (struct bytes key, gboolean behind, GBytes **edge)
{
  GByteArray *bound = g_byte_array_sized_new ((guint) key.size + 1);
  g_byte_array_append (bound, key.data, (guint) key.size);
  if (behind)
    g_byte_array_append (bound, (const guint8 *) "", 1);
  gboolean more = ldb_bound_fit (bound);
  *edge = g_byte_array_free_to_bytes (bound);
  if (!more)
    g_clear_pointer (edge, g_bytes_unref);
  return more;
}

/* Counting has come to the key that the cursor reached, or else to the builder's last one: where it
 * goes on. In reverse an edge is the end of what is left. FALSE: there can be nothing more. */
static gboolean
find_edge (const LdbBucketBuilder *builder, struct bytes reached, GBytes **edge)
{
  if (reached.size > 0)
    return set_edge (reached, builder->reverse, edge);
  return builder->rows == 0 || set_edge (string_bytes (builder->last), !builder->reverse, edge);
}

status
ldb_list_count (const LdbListWalk *walk, LdbPin *state, gboolean reverse, guint64 rows,
                gint64 until, LdbListCount *out, struct failure *failure)
{
  struct engine_cursor *cursor;
  LdbBucketBuilder builder;
  Patience patience = { walk, until };
  *out = (LdbListCount){ .index = ldb_rank_index_new (NULL) };
  status code
      = ldb_list_walk_cursor (walk, state, walk->lower, walk->upper, TRUE, &cursor, failure);
  if (code != STATUS_OK)
    return code;
  engine_cursor_limit (cursor, has_time, &patience);
  ldb_bucket_builder_begin (&builder, out->index, reverse, walk->lower);
  code = reverse ? engine_cursor_last (cursor, failure) : engine_cursor_first (cursor, failure);
  while (code == STATUS_OK && engine_cursor_valid (cursor)
         && !is_enough (&patience, builder.rows, rows))
    {
      ldb_bucket_builder_add (&builder, engine_cursor_key (cursor));
      code = reverse ? engine_cursor_previous (cursor, failure)
                     : engine_cursor_next (cursor, failure);
    }
  struct bytes reached = engine_cursor_reached (cursor);
  out->complete = (code == STATUS_OK && !engine_cursor_valid (cursor))
                  || !find_edge (&builder, reached, &out->edge);
  if (reached.size > 0)
    code = STATUS_OK;
  out->rows = builder.rows;
  ldb_bucket_builder_end (&builder, out->complete ? walk->lower : string_bytes (builder.last));
  engine_cursor_free (cursor);
  return code;
}
