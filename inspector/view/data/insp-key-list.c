/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   K1  The chunks part what is explored: chunk i has the keys from its start up to the start of chunk
 *       i + 1, the last one up to `high`. Once all before is explored the first chunk has whatever is
 *       before it, once all behind is the last one has whatever is behind.
 *   K2  The number of items is the sum of the chunks' counts, and what its users were told of. Items
 *       are in the order of keys, or in its reverse; in here positions are in the order of keys.
 *   K3  A chunk's rows, if it has any, are `count`.
 *   K4  State first, signal second; no signal of the list's is emitted while an item is asked for.
 *   K5  A timer runs only while the list is active and there is something to do.
 */
#include "config.h"

#include "insp-bytes.h"
#include "insp-key-chunk.h"
#include "insp-key-list.h"
#include "insp-key-marks.h"
#include "insp-key.h"

#define CHUNK 250u            /* keys, when it is made */
#define WALK 1000u            /* keys that are read at a time to see how many there are */
#define READ_MAX 1000u        /* of a chunk that has grown */
#define ROWS_MAX (24 * CHUNK) /* that are held while nobody else has them */
#define PATIENCE 12000        /* microseconds for which an item may be waited for, of … */
#define PATIENCE_SPAN 40000   /* … these */
#define REFRESH_INTERVAL 250  /* milliseconds between readings of what is touched */
#define HURRY 1000000u        /* keys, above which looking further takes its time */
#define PENDING_PRIORITY (G_PRIORITY_HIGH_IDLE + 30) /* behind drawing, before what is idle */

struct _InspKeyList
{
  GObject parent_instance;

  InspRecordReader *reader; /* owned */
  char *store;              /* owned */
  GBytes *start;            /* of the range; owned */
  GBytes *end;              /* behind the range; NULL: there is no end; owned */
  gboolean reverse;

  GPtrArray *chunks; /* of InspKeyChunk, each a reference; K1 */
  GArray *positions; /* guint: of each chunk's first key; valid if are_positions_known */
  gboolean are_positions_known;
  guint n_items;           /* K2 */
  GBytes *low, *high;      /* what is explored: from low up to high; low NULL: the end; owned */
  gboolean is_front_known; /* there is nothing before low, or it is in the first chunk */
  gboolean is_back_known;  /* the same behind high */
  gboolean is_exploring;   /* a request is under way */
  gint64 asked;            /* when; monotonic */

  gboolean active;
  guint explore_timer; /* K5; 0: none */
  guint refresh_timer; /* K5; 0: none */
  guint pending_idle;  /* takes pending records; 0: none */
  GBytes *wanted;      /* key that is gone to; NULL: none; owned */
  InspKeyMarks *marks; /* of what others wrote; owned */
  guint64 uses;        /* of InspKeyChunk.used */
  gboolean is_asked;   /* K4: an item is */
  gint64 span_start;   /* PATIENCE_SPAN; monotonic */
  gint64 patience;     /* that is left of it */
};

static void list_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (InspKeyList, insp_key_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_init))

enum
{
  ARRIVED,
  FAILED,
  PROGRESSED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void schedule (InspKeyList *self);
static void try_to_arrive (InspKeyList *self);
static void load_chunk (InspKeyList *self, guint index, gboolean with_values, gboolean urgent);

/* ---- chunks ---- */

static InspKeyChunk *
chunk_at (InspKeyList *self, guint index)
{
  return g_ptr_array_index (self->chunks, index);
}

static void
know_positions (InspKeyList *self)
{
  guint sum = 0;
  if (self->are_positions_known)
    return;
  g_array_set_size (self->positions, self->chunks->len);
  for (guint i = 0; i < self->chunks->len; i++)
    {
      g_array_index (self->positions, guint, i) = sum;
      sum += chunk_at (self, i)->count;
    }
  self->are_positions_known = TRUE;
}

static guint
position_of (InspKeyList *self, guint index)
{
  know_positions (self);
  return index < self->chunks->len ? g_array_index (self->positions, guint, index) : self->n_items;
}

/* The chunk that has the item at a position. */
static guint
find_position (InspKeyList *self, guint position)
{
  guint low = 0, high = self->chunks->len;
  know_positions (self);
  while (high - low > 1)
    {
      guint middle = low + (high - low) / 2;
      if (g_array_index (self->positions, guint, middle) <= position)
        low = middle;
      else
        high = middle;
    }
  return low;
}

/* The chunk that has a key, if any has: the last one that does not begin behind it. */
static guint
find_key (InspKeyList *self, GBytes *key)
{
  guint low = 0, high = self->chunks->len;
  while (high - low > 1)
    {
      guint middle = low + (high - low) / 2;
      if (g_bytes_compare (chunk_at (self, middle)->start, key) <= 0)
        low = middle;
      else
        high = middle;
    }
  return low;
}

static gboolean
is_explored (InspKeyList *self, GBytes *key)
{
  if (self->chunks->len == 0)
    return FALSE;
  return (self->is_front_known || (self->low != NULL && g_bytes_compare (key, self->low) >= 0))
         && (self->is_back_known || g_bytes_compare (key, self->high) < 0);
}

/* ---- telling ---- */

/* Items at a position in the order of keys are others: K2, K4. */
static void
tell (InspKeyList *self, guint position, guint removed, guint added)
{
  self->are_positions_known = FALSE;
  self->n_items = self->n_items - removed + added;
  if (removed == 0 && added == 0)
    return;
  g_assert (!self->is_asked); /* K4 */
  guint at = self->reverse ? self->n_items - position - added : position;
  g_list_model_items_changed (G_LIST_MODEL (self), at, removed, added);
}

/* ---- what was read of a chunk ---- */

static InspKey *
row_of (LdbRecord *record)
{
  return insp_key_new (ldb_record_get_key (record), ldb_record_get_value (record));
}

/* Nobody holds its rows. */
static void
take_count (InspKeyList *self, guint index, guint count)
{
  InspKeyChunk *chunk = chunk_at (self, index);
  guint position = position_of (self, index), old = chunk->count, same = MIN (old, count);
  chunk->count = count;
  tell (self, position + same, old - same, count - same);
}

/* Rows had no keys yet. */
static void
fill (InspKeyList *self, guint index, GPtrArray *records)
{
  InspKeyChunk *chunk = chunk_at (self, index);
  guint position = position_of (self, index), old = chunk->count, same = MIN (old, records->len);
  for (guint i = 0; i < same; i++)
    {
      LdbRecord *record = g_ptr_array_index (records, i);
      insp_key_fill (insp_key_chunk_get_row (chunk, i), ldb_record_get_key (record),
                     ldb_record_get_value (record));
      insp_key_marks_take (self->marks, ldb_record_get_key (record));
    }
  chunk->loaded = TRUE;
  if (old == records->len)
    return;
  if (old > same)
    g_ptr_array_remove_range (chunk->rows, same, old - same);
  for (guint i = same; i < records->len; i++)
    g_ptr_array_add (chunk->rows, row_of (g_ptr_array_index (records, i)));
  chunk->count = records->len;
  tell (self, position + same, old - same, records->len - same);
}

static void
renew (InspKeyList *self, InspKey *row, LdbRecord *record)
{
  GBytes *value = ldb_record_get_value (record), *old = insp_key_get_value (row);
  gboolean differs = value != NULL && (old == NULL || !g_bytes_equal (old, value));
  gboolean touched = insp_key_marks_take (self->marks, insp_key_get_key (row));
  insp_key_fill (row, insp_key_get_key (row), value);
  if (differs || touched)
    insp_key_marks_mark (self->marks, row, INSP_KEY_CHANGED);
}

/* Rows whose key is gone go, new ones come in between, the others stay what they are. */
static void
splice (InspKeyList *self, guint index, GPtrArray *records)
{
  InspKeyChunk *chunk = chunk_at (self, index);
  guint row = 0, record = 0, gone, come;
  while (row < chunk->rows->len || record < records->len)
    {
      for (gone = 0; insp_key_chunk_compare (chunk, row + gone, records, record) < 0;)
        gone++;
      if (gone > 0)
        g_ptr_array_remove_range (chunk->rows, row, gone);
      for (come = 0; insp_key_chunk_compare (chunk, row + come, records, record) > 0; come++)
        {
          InspKey *added = row_of (g_ptr_array_index (records, record++));
          g_ptr_array_insert (chunk->rows, (int) (row + come), added);
          insp_key_marks_take (self->marks, insp_key_get_key (added));
          insp_key_marks_mark (self->marks, added, INSP_KEY_NEW);
        }
      guint position = position_of (self, index) + row;
      chunk->count = chunk->rows->len;
      tell (self, position, gone, come);
      row += come;
      if (row < chunk->rows->len && record < records->len
          && insp_key_chunk_compare (chunk, row, records, record) == 0)
        renew (self, insp_key_chunk_get_row (chunk, row++), g_ptr_array_index (records, record++));
    }
}

static void
insert_chunk (InspKeyList *self, guint index, InspKeyChunk *chunk)
{
  g_ptr_array_insert (self->chunks, (int) index, chunk);
  self->are_positions_known = FALSE;
}

/* Parts a chunk before one of its rows. Nobody notices. */
static InspKeyChunk *
part (InspKeyList *self, guint index, guint row, GBytes *start)
{
  InspKeyChunk *chunk = chunk_at (self, index),
               *rest = insp_key_chunk_new (start, chunk->count - row);
  if (chunk->rows != NULL)
    {
      rest->rows = insp_key_chunk_new_rows ();
      for (guint i = row; i < chunk->rows->len; i++)
        g_ptr_array_add (rest->rows, g_object_ref (insp_key_chunk_get_row (chunk, i)));
      g_ptr_array_remove_range (chunk->rows, row, chunk->count - row);
    }
  rest->loaded = chunk->loaded;
  rest->stale = chunk->stale;
  rest->used = chunk->used;
  chunk->count = row;
  insert_chunk (self, index + 1, rest);
  return rest;
}

/* A chunk of loaded rows that has grown too much. */
static void
part_if_large (InspKeyList *self, guint index)
{
  while (chunk_at (self, index)->loaded && chunk_at (self, index)->count > 2 * CHUNK)
    {
      part (self, index, CHUNK,
            insp_key_get_key (insp_key_chunk_get_row (chunk_at (self, index), CHUNK)));
      index++;
    }
}

/* Only a beginning of the chunk was read: what is behind is a chunk of its own, still to be read. */
static void
part_behind (InspKeyList *self, guint index, GPtrArray *records)
{
  InspKeyChunk *chunk = chunk_at (self, index);
  LdbRecord *last = g_ptr_array_index (records, records->len - 1);
  g_autoptr (GBytes) next = insp_bytes_successor (ldb_record_get_key (last));
  guint row = MIN (chunk->count, records->len);
  if (chunk->loaded)
    for (row = 0;
         row < chunk->count
         && g_bytes_compare (insp_key_get_key (insp_key_chunk_get_row (chunk, row)), next) < 0;)
      row++;
  part (self, index, row, next)->stale = TRUE;
}

static void
take_records (InspKeyList *self, InspKeyChunk *chunk, GPtrArray *records)
{
  guint index = find_key (self, chunk->start);
  g_assert (chunk_at (self, index) == chunk);
  if (records->len == READ_MAX)
    part_behind (self, index, records);
  if (chunk->rows == NULL) /* or dropped meanwhile: they stay so */
    take_count (self, index, records->len);
  else if (!chunk->loaded)
    fill (self, index, records);
  else
    splice (self, index, records);
  part_if_large (self, index);
  g_signal_emit (self, signals[PROGRESSED], 0);
}

static guint
find_pending (InspKeyList *self)
{
  guint index = 0;
  while (index < self->chunks->len && chunk_at (self, index)->pending == NULL)
    index++;
  return index;
}

/* One chunk in a turn of the main loop: who is told of it asks for what has moved up, and where keys go by
 * the thousand these are others as well, and so on. */
static gboolean
take_pending (gpointer data)
{
  InspKeyList *self = data;
  guint index = find_pending (self);
  if (index < self->chunks->len)
    {
      InspKeyChunk *chunk = chunk_at (self, index);
      g_autoptr (GPtrArray) records = g_steal_pointer (&chunk->pending);
      take_records (self, chunk, records);
      try_to_arrive (self);
    }
  if (find_pending (self) < self->chunks->len)
    return G_SOURCE_CONTINUE;
  self->pending_idle = 0;
  return G_SOURCE_REMOVE;
}

/* ---- requests for chunks ---- */

typedef struct
{
  InspKeyList *list;   /* it cancels its requests before it goes */
  InspKeyChunk *chunk; /* owned */
  gboolean with_values;
} Load;

static void
load_free (gpointer data)
{
  Load *load = data;
  insp_key_chunk_unref (load->chunk);
  g_free (load);
}

static void
fail (InspKeyList *self, const GError *error)
{
  g_signal_emit (self, signals[FAILED], 0, error);
}

static void
drop_unused (InspKeyList *self)
{
  for (;;)
    {
      InspKeyChunk *oldest = NULL;
      guint held = 0;
      for (guint i = 0; i < self->chunks->len; i++)
        {
          InspKeyChunk *chunk = chunk_at (self, i);
          if (chunk->rows == NULL || insp_key_chunk_is_held (chunk))
            continue;
          held += chunk->count;
          if (oldest == NULL || chunk->used < oldest->used)
            oldest = chunk;
        }
      if (held <= ROWS_MAX)
        return;
      insp_key_chunk_drop_rows (oldest);
    }
}

static void
on_loaded (gpointer data, GPtrArray *records, const GError *error)
{
  Load *load = data;
  InspKeyList *self = load->list;
  InspKeyChunk *chunk = load->chunk;
  chunk->request = 0;
  if (!chunk->listed)
    return;
  if (error != NULL)
    {
      if (!self->is_asked)
        fail (self, error);
      return;
    }
  if (!load->with_values && chunk->rows != NULL) /* somebody asked for its rows meanwhile */
    {
      load_chunk (self, find_key (self, chunk->start), TRUE, TRUE);
      return;
    }
  if (self->is_asked && records->len != chunk->count) /* K4 */
    {
      g_clear_pointer (&chunk->pending, g_ptr_array_unref);
      chunk->pending = g_ptr_array_ref (records);
      if (self->pending_idle == 0)
        self->pending_idle = g_idle_add_full (PENDING_PRIORITY, take_pending, self, NULL);
      return;
    }
  if (self->is_asked)
    {
      fill (self, find_key (self, chunk->start), records);
      return;
    }
  take_records (self, chunk, records);
  try_to_arrive (self);
  schedule (self);
}

static void
load_chunk (InspKeyList *self, guint index, gboolean with_values, gboolean urgent)
{
  InspKeyChunk *chunk = chunk_at (self, index);
  if (chunk->request != 0 || chunk->pending != NULL)
    return;
  Load *load = g_new (Load, 1);
  *load = (Load){ .list = self, .chunk = insp_key_chunk_ref (chunk), .with_values = with_values };
  gboolean is_first = index == 0 && self->is_front_known;
  GBytes *end = index + 1 < self->chunks->len ? chunk_at (self, index + 1)->start
                : self->is_back_known         ? self->end
                                              : self->high;
  InspWish wish = { .store = self->store,
                    .start = is_first ? self->start : chunk->start,
                    .end = end,
                    .flags = with_values ? LDB_SCAN_NONE : LDB_SCAN_KEYS_ONLY,
                    .limit = READ_MAX,
                    .value_limit = with_values ? INSP_KEY_PREVIEW : 0 };
  chunk->stale = FALSE;
  chunk->request = insp_record_reader_ask (self->reader, &wish, urgent, on_loaded, load, load_free);
}

/* ---- items ---- */

static GType
get_item_type (GListModel *list)
{
  return INSP_TYPE_KEY;
}

static guint
get_n_items (GListModel *list)
{
  return INSP_KEY_LIST (list)->n_items;
}

/* Waits as long as nobody notices, so that rows are there when they are drawn; once that was in vain,
 * not again for a while. */
static void
wait_for (InspKeyList *self, InspKeyChunk *chunk)
{
  gint64 now = g_get_monotonic_time ();
  if (now - self->span_start > PATIENCE_SPAN)
    {
      self->span_start = now;
      self->patience = PATIENCE;
    }
  if (self->patience <= 0)
    return;
  self->is_asked = TRUE;
  insp_record_reader_wait (self->reader, chunk->request, self->patience);
  self->is_asked = FALSE;
  self->patience -= g_get_monotonic_time () - now;
}

/* Its rows are needed, though nobody may hold one yet. */
static void
need_rows (InspKeyList *self, InspKeyChunk *chunk)
{
  chunk->used = ++self->uses;
  if (chunk->rows != NULL)
    return;
  drop_unused (self);
  insp_key_chunk_make_rows (chunk);
}

/* The next ones in both directions are likely to be asked for. */
static void
load_around (InspKeyList *self, guint index)
{
  for (guint i = index > 0 ? index - 1 : 0; i <= index + 1 && i < self->chunks->len; i++)
    if (chunk_at (self, i)->rows == NULL)
      {
        insp_key_chunk_make_rows (chunk_at (self, i));
        chunk_at (self, i)->used = ++self->uses;
        load_chunk (self, i, TRUE, TRUE);
      }
}

static gpointer
get_item (GListModel *list, guint position)
{
  InspKeyList *self = INSP_KEY_LIST (list);
  if (position >= self->n_items)
    return NULL;
  position = self->reverse ? self->n_items - 1 - position : position;
  guint index = find_position (self, position);
  InspKeyChunk *chunk = chunk_at (self, index);
  guint row = position - position_of (self, index);
  need_rows (self, chunk);
  if (!chunk->loaded)
    {
      load_chunk (self, index, TRUE, TRUE);
      wait_for (self, chunk);
    }
  load_around (self, index);
  return g_object_ref (insp_key_chunk_get_row (chunk, row));
}

static void
list_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

/* ---- looking further ---- */

/* Makes chunks of what was read, from `index` on. `loaded`: the records have values. */
static void
add_chunks (InspKeyList *self, guint index, GPtrArray *records, gboolean loaded)
{
  guint position = position_of (self, index);
  for (guint i = 0; i < records->len; i += CHUNK)
    {
      guint count = MIN (CHUNK, records->len - i);
      InspKeyChunk *chunk
          = insp_key_chunk_new (ldb_record_get_key (g_ptr_array_index (records, i)), count);
      if (loaded)
        {
          chunk->rows = insp_key_chunk_new_rows ();
          for (guint j = i; j < i + count; j++)
            g_ptr_array_add (chunk->rows, row_of (g_ptr_array_index (records, j)));
          chunk->loaded = TRUE;
          chunk->used = ++self->uses;
        }
      insert_chunk (self, index + i / CHUNK, chunk);
    }
  tell (self, position, 0, records->len);
}

static void
move (GBytes **bound, GBytes *to)
{
  g_bytes_ref (to);
  g_clear_pointer (bound, g_bytes_unref);
  *bound = to;
}

static void
take_back (InspKeyList *self, GPtrArray *records, gboolean is_last)
{
  self->is_back_known = is_last;
  if (records->len == 0)
    return;
  g_autoptr (GBytes) next
      = insp_bytes_successor (ldb_record_get_key (g_ptr_array_index (records, records->len - 1)));
  move (&self->high, next);
  add_chunks (self, self->chunks->len, records, ldb_record_get_value (records->pdata[0]) != NULL);
}

static void
take_front (InspKeyList *self, GPtrArray *records, gboolean is_last)
{
  self->is_front_known = is_last;
  if (records->len == 0)
    return;
  g_autoptr (GPtrArray) ascending = g_ptr_array_new ();
  for (guint i = records->len; i > 0; i--)
    g_ptr_array_add (ascending, records->pdata[i - 1]);
  move (&self->low, ldb_record_get_key (ascending->pdata[0]));
  add_chunks (self, 0, ascending, ldb_record_get_value (records->pdata[0]) != NULL);
}

static gboolean
is_complete (InspKeyList *self)
{
  return self->is_front_known && self->is_back_known;
}

typedef struct
{
  InspKeyList *list;
  guint limit;
  gboolean is_front;
} Exploration;

static void
on_explored (gpointer data, GPtrArray *records, const GError *error)
{
  Exploration *exploration = data;
  InspKeyList *self = exploration->list;
  self->is_exploring = FALSE;
  if (error != NULL)
    {
      fail (self, error);
      return;
    }
  gboolean is_last = records->len < exploration->limit;
  if (exploration->is_front)
    take_front (self, records, is_last);
  else
    take_back (self, records, is_last);
  if (is_complete (self) && self->chunks->len == 0)
    {
      InspKeyChunk *chunk = insp_key_chunk_new (self->start, 0);
      insp_key_chunk_make_rows (chunk);
      chunk->loaded = TRUE;
      insert_chunk (self, 0, chunk); /* for what will come */
    }
  g_signal_emit (self, signals[PROGRESSED], 0);
  try_to_arrive (self);
  schedule (self);
}

static void
explore_one (InspKeyList *self, gboolean is_front)
{
  gboolean is_first = self->chunks->len == 0;
  Exploration *exploration = g_new (Exploration, 1);
  InspWish wish = { .store = self->store,
                    .start = is_front ? self->start : self->high,
                    .end = is_front ? self->low : self->end,
                    .flags = (is_front ? LDB_SCAN_REVERSE : LDB_SCAN_NONE)
                             | (is_first ? LDB_SCAN_NONE : LDB_SCAN_KEYS_ONLY),
                    .limit = is_first ? CHUNK : WALK,
                    .value_limit = is_first ? INSP_KEY_PREVIEW : 0 };
  *exploration = (Exploration){ .list = self, .limit = wish.limit, .is_front = is_front };
  self->is_exploring = TRUE;
  self->asked = g_get_monotonic_time ();
  insp_record_reader_ask (self->reader, &wish, is_first, on_explored, exploration, g_free);
}

static gboolean
can_look_further (InspKeyList *self)
{
  return !self->is_exploring && !is_complete (self) && self->n_items < INSP_KEYS_MAX;
}

/* Behind first, then before, then in turn: what is near is found early on both sides. */
static void
explore (InspKeyList *self)
{
  if (!can_look_further (self))
    return;
  gboolean in_turn = self->chunks->len / (WALK / CHUNK) % 2 == 0;
  explore_one (self, self->is_back_known || (!self->is_front_known && in_turn));
}

static gboolean
on_explore_time (gpointer data)
{
  InspKeyList *self = data;
  self->explore_timer = 0;
  explore (self);
  return G_SOURCE_REMOVE;
}

/* ---- following ---- */

/* What is seen is read anew; of the others the first that was touched is counted anew. */
static void
refresh (InspKeyList *self)
{
  gboolean counted = FALSE;
  for (guint i = 0; i < self->chunks->len; i++)
    {
      InspKeyChunk *chunk = chunk_at (self, i);
      if (!chunk->stale || chunk->request != 0)
        continue;
      if (insp_key_chunk_is_held (chunk) || (chunk->rows != NULL && chunk->count == 0))
        load_chunk (self, i, TRUE, TRUE);
      else if (chunk->rows != NULL)
        insp_key_chunk_drop_rows (chunk);
      else if (!counted && is_complete (self))
        {
          load_chunk (self, i, FALSE, FALSE);
          counted = TRUE;
        }
    }
}

static gboolean
on_refresh_time (gpointer data)
{
  InspKeyList *self = data;
  self->refresh_timer = 0;
  refresh (self);
  schedule (self);
  return G_SOURCE_REMOVE;
}

static gboolean
has_stale (InspKeyList *self)
{
  for (guint i = 0; i < self->chunks->len; i++)
    if (chunk_at (self, i)->stale)
      return TRUE;
  return FALSE;
}

/* K5 */
static void
schedule (InspKeyList *self)
{
  if (!self->active && self->wanted == NULL)
    return;
  if (can_look_further (self) && self->explore_timer == 0)
    {
      /* The application has other things to do: half of the time, and less for very many. */
      gint64 took = (g_get_monotonic_time () - self->asked) / 1000;
      guint share = self->n_items < HURRY ? 1 : 4;
      self->explore_timer
          = g_timeout_add ((guint) CLAMP (took, 1, 500) * share, on_explore_time, self);
    }
  if (self->active && self->refresh_timer == 0 && has_stale (self))
    self->refresh_timer = g_timeout_add (REFRESH_INTERVAL, on_refresh_time, self);
}

void
insp_key_list_touch (InspKeyList *self, GBytes *key, GBytes *end)
{
  if (end == NULL && is_explored (self, key))
    {
      chunk_at (self, find_key (self, key))->stale = TRUE;
      insp_key_marks_touch (self->marks, key);
    }
  else if (end != NULL && self->chunks->len > 0)
    for (guint i = find_key (self, key); i < self->chunks->len; i++)
      {
        if (g_bytes_get_size (end) > 0 && g_bytes_compare (chunk_at (self, i)->start, end) >= 0)
          break;
        chunk_at (self, i)->stale = TRUE;
      }
  schedule (self);
}

void
insp_key_list_touch_all (InspKeyList *self)
{
  for (guint i = 0; i < self->chunks->len; i++)
    chunk_at (self, i)->stale = TRUE;
  schedule (self);
}

void
insp_key_list_set_active (InspKeyList *self, gboolean active)
{
  if (self->active == active)
    return;
  self->active = active;
  if (active)
    schedule (self);
  else
    {
      g_clear_handle_id (&self->explore_timer, g_source_remove);
      g_clear_handle_id (&self->refresh_timer, g_source_remove);
    }
}

/* ---- going to a key ---- */

static void
try_to_arrive (InspKeyList *self)
{
  if (self->wanted == NULL || self->chunks->len == 0
      || (!is_explored (self, self->wanted) && !is_complete (self)))
    return;
  guint index = find_key (self, self->wanted);
  InspKeyChunk *chunk = chunk_at (self, index);
  if (!chunk->loaded)
    {
      need_rows (self, chunk);
      load_chunk (self, index, TRUE, TRUE);
      return;
    }
  guint position = position_of (self, index) + insp_key_chunk_find_row (chunk, self->wanted);
  if (position >= self->n_items && !self->is_back_known)
    return;
  g_clear_pointer (&self->wanted, g_bytes_unref);
  if (self->n_items == 0)
    return;
  position = MIN (position, self->n_items - 1);
  g_signal_emit (self, signals[ARRIVED], 0,
                 self->reverse ? self->n_items - 1 - position : position);
}

/* Begins anew at a key, which is in the range. */
static void
begin_at (InspKeyList *self, GBytes *key)
{
  guint count = self->n_items;
  insp_record_reader_cancel (self->reader);
  g_clear_handle_id (&self->explore_timer, g_source_remove);
  g_clear_handle_id (&self->pending_idle, g_source_remove);
  g_ptr_array_set_size (self->chunks, 0);
  self->is_exploring = self->is_front_known = self->is_back_known = FALSE;
  move (&self->low, key);
  move (&self->high, key);
  tell (self, 0, count, 0);
  explore_one (self, FALSE);
}

void
insp_key_list_go_to (InspKeyList *self, GBytes *key)
{
  GBytes *to = g_bytes_compare (key, self->start) < 0 ? self->start : key;
  move (&self->wanted, to);
  if (!is_complete (self) && !is_explored (self, to)
      && (self->end == NULL || g_bytes_compare (to, self->end) < 0))
    begin_at (self, to);
  else
    try_to_arrive (self);
}

/* ---- the object ---- */

gboolean
insp_key_list_is_complete (InspKeyList *self)
{
  return is_complete (self);
}

gboolean
insp_key_list_is_reverse (InspKeyList *self)
{
  return self->reverse;
}

guint
insp_key_list_count_held (InspKeyList *self)
{
  guint sum = 0;
  for (guint i = 0; i < self->chunks->len; i++)
    sum += chunk_at (self, i)->rows != NULL ? chunk_at (self, i)->rows->len : 0;
  return sum;
}

static void
insp_key_list_dispose (GObject *object)
{
  InspKeyList *self = INSP_KEY_LIST (object);
  insp_key_list_set_active (self, FALSE);
  g_clear_handle_id (&self->pending_idle, g_source_remove);
  if (self->reader != NULL)
    insp_record_reader_cancel (self->reader);
  g_clear_object (&self->reader);
  G_OBJECT_CLASS (insp_key_list_parent_class)->dispose (object);
}

static void
insp_key_list_finalize (GObject *object)
{
  InspKeyList *self = INSP_KEY_LIST (object);
  g_ptr_array_unref (self->chunks);
  g_array_unref (self->positions);
  insp_key_marks_free (self->marks);
  g_clear_pointer (&self->low, g_bytes_unref);
  g_clear_pointer (&self->high, g_bytes_unref);
  g_clear_pointer (&self->wanted, g_bytes_unref);
  g_clear_pointer (&self->end, g_bytes_unref);
  g_bytes_unref (self->start);
  g_free (self->store);
  G_OBJECT_CLASS (insp_key_list_parent_class)->finalize (object);
}

static void
insp_key_list_class_init (InspKeyListClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  object_class->dispose = insp_key_list_dispose;
  object_class->finalize = insp_key_list_finalize;
  signals[ARRIVED] = g_signal_new ("arrived", INSP_TYPE_KEY_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[FAILED] = g_signal_new ("failed", INSP_TYPE_KEY_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
  signals[PROGRESSED] = g_signal_new ("progressed", INSP_TYPE_KEY_LIST, G_SIGNAL_RUN_LAST, 0, NULL,
                                      NULL, NULL, G_TYPE_NONE, 0);
}

static void
insp_key_list_init (InspKeyList *self)
{
  self->chunks = g_ptr_array_new_with_free_func (insp_key_chunk_leave);
  self->positions = g_array_new (FALSE, FALSE, sizeof (guint));
  self->marks = insp_key_marks_new ();
}

InspKeyList *
insp_key_list_new (InspRecordReader *reader, const char *store, GBytes *prefix, gboolean reverse)
{
  InspKeyList *self = g_object_new (INSP_TYPE_KEY_LIST, NULL);
  self->reader = g_object_ref (reader);
  self->store = g_strdup (store);
  self->start = g_bytes_ref (prefix);
  self->end = insp_bytes_prefix_end (prefix);
  self->reverse = reverse;
  if (reverse)
    {
      self->low = self->end != NULL ? g_bytes_ref (self->end) : NULL;
      self->is_back_known = TRUE;
    }
  else
    {
      self->low = g_bytes_ref (self->start);
      self->high = g_bytes_ref (self->start);
      self->is_front_known = TRUE;
    }
  explore_one (self, reverse);
  return self;
}
