/* SPDX-License-Identifier: MIT */
/*
 * From what is pending for an observer to a frame: what became of each key and range between the
 * state at which the pending began and the newest one read.
 *
 * Touched keys and touched ranges are gone through together, in order. A deleted range is cut at
 * each key that is there afterwards, and of the pieces those stay in which something was before. So
 * neither the order of the commits nor how often they touched a key matters.
 *
 *   before      a  b     d  e  f        deleted [b, g), then put d as it was and h
 *   after       a        d           h
 *   changes        [b,d)    [d\0,g)  h   d did not change
 */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-observer-private.h"

#define CURSORS_MAX 16 /* kept at a time */

/* A range within what is observed. */
typedef struct
{
  LdbBound lower, upper; /* inclusive, exclusive; borrowed from touches or the observer */
  gboolean loaded;       /* what is in it is unknown; else it was deleted */
  guint64 sequence;      /* the newest commit that did it */
} Span;

typedef struct
{
  LdbHub *hub;                  /* whose states are compared */
  LdbObserver *observer;        /* for whom */
  GPtrArray *changes;           /* so far */
  gsize value_bytes;            /* values in them */
  struct engine_cursor *cursor; /* over keys before; the hub's; NULL until needed */
  engine_store cursor_store;    /* it goes through */
  GByteArray *edge;             /* the key right behind one that cut a range */
} Build;

static gboolean
wants (const Build *build, LdbWatchFlags flag)
{
  return (build->observer->flags & flag) != 0;
}

/* Whether the state before matters for what is told. */
static gboolean
looks_back (const Build *build)
{
  return build->observer->base != NULL
         && (!wants (build, LDB_WATCH_UNCHANGED) || wants (build, LDB_WATCH_OLD_VALUES));
}

static struct engine_snapshot *
state_before (const Build *build)
{
  return build->observer->base->snapshot;
}

static struct engine_snapshot *
state_after (const Build *build)
{
  return build->hub->newest->snapshot;
}

static LdbStoreName *
name_of (const Build *build, engine_store store)
{
  return ldb_store_names_find (build->hub->names, build->hub->engine, store, state_after (build),
                               build->observer->base != NULL ? state_before (build)
                                                             : state_after (build));
}

static status
add_change (Build *build, LdbChange *change)
{
  if (change->name == NULL)
    change->name = ldb_store_name_ref (name_of (build, change->store));
  if (change->value != NULL)
    build->value_bytes += g_bytes_get_size (change->value);
  if (change->old_value != NULL)
    build->value_bytes += g_bytes_get_size (change->old_value);
  g_ptr_array_add (build->changes, change);
  if (build->changes->len > ldb_observer_get_limit (build->observer)
      || (build->changes->len > 1 && build->value_bytes > LDB_FRAME_BYTES_MAX))
    return STATUS_TOO_MANY;
  return STATUS_OK;
}

/* ---- one key ---- */

/* What is at a key in one state. */
typedef struct
{
  status code;               /* OK, NOT_FOUND or a failure */
  gboolean read;             /* value is to be released */
  struct engine_value value; /* when read */
} Side;

static void
look (const Build *build, struct engine_snapshot *state, const LdbTouch *touch, gboolean read,
      Side *side)
{
  struct engine *engine = build->hub->engine;
  if (read)
    side->code = engine_get_value (engine, state, touch->store, touch->key, &side->value, NULL);
  else
    side->code = engine_contains (engine, state, touch->store, touch->key, false, NULL);
  side->read = read && side->code == STATUS_OK;
}

static gboolean
failed (const Side *side)
{
  return side->code != STATUS_OK && side->code != STATUS_NOT_FOUND;
}

static GBytes *
take_value (Side *side)
{
  side->read = FALSE;
  return ldb_value_to_bytes (&side->value);
}

static void
release (Side *side)
{
  if (side->read)
    engine_value_release (&side->value);
}

/* Whether there is nothing to tell. */
static gboolean
is_unchanged (const Build *build, const Side *before, const Side *after)
{
  if (wants (build, LDB_WATCH_UNCHANGED) || build->observer->base == NULL)
    return FALSE;
  if (before->code != STATUS_OK || after->code != STATUS_OK)
    return before->code == after->code;
  return bytes_equal (before->value.data, after->value.data);
}

static LdbChange *
describe (const Build *build, const LdbTouch *touch, Side *before, Side *after)
{
  LdbChangeKind kind = after->code == STATUS_OK ? LDB_CHANGE_PUT : LDB_CHANGE_DELETE;
  LdbChange *change = ldb_change_new (kind, touch->store, touch->sequence, touch->key, BYTES_NONE);
  if (looks_back (build))
    change->before = before->code == STATUS_OK ? LDB_BEFORE_PRESENT : LDB_BEFORE_ABSENT;
  if (before->read && wants (build, LDB_WATCH_OLD_VALUES))
    change->old_value = take_value (before);
  if (after->read && wants (build, LDB_WATCH_VALUES))
    change->value = take_value (after);
  return change;
}

/* The value after is read when it is told, or to be compared with one before. */
static status
compare (const Build *build, const LdbTouch *touch, LdbChange **out)
{
  Side before = { .code = STATUS_NOT_FOUND }, after = { .code = STATUS_NOT_FOUND };
  gboolean compared = FALSE;
  *out = NULL;
  if (looks_back (build))
    {
      look (build, state_before (build), touch, TRUE, &before);
      compared = before.code == STATUS_OK && !wants (build, LDB_WATCH_UNCHANGED);
    }
  if (!failed (&before))
    look (build, state_after (build), touch, compared || wants (build, LDB_WATCH_VALUES), &after);
  status code = failed (&before) ? before.code : failed (&after) ? after.code : STATUS_OK;
  if (code == STATUS_OK && !is_unchanged (build, &before, &after))
    *out = describe (build, touch, &before, &after);
  release (&before);
  release (&after);
  return code;
}

/* What is worked out for a touch is for the frames of this time: it may have values, and the touch
 * stays for as long as it is pending for an observer that is paused or slow. */
static void
keep_answer (LdbHub *hub, LdbTouch *touch)
{
  if (touch->references > 1 && touch->change_until == 0)
    g_ptr_array_add (hub->answers, ldb_touch_ref (touch));
}

/* What became of the key: *change, borrowed from the touch, NULL when nothing. All observers that
 * ask the same share one answer. */
static status
resolve (const Build *build, LdbTouch *touch, LdbChange **change)
{
  const LdbObserver *observer = build->observer;
  guint flags = observer->flags & (LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES | LDB_WATCH_UNCHANGED);
  guint64 since = observer->base != NULL ? observer->base_sequence : G_MAXUINT64;
  status code = STATUS_OK;
  if (touch->change_since != since || touch->change_until != build->hub->position
      || touch->change_flags != flags)
    {
      keep_answer (build->hub, touch);
      g_clear_pointer (&touch->change, ldb_change_unref);
      code = compare (build, touch, &touch->change);
      touch->change_since = since;
      touch->change_until = code == STATUS_OK ? build->hub->position : 0;
      touch->change_flags = flags;
    }
  *change = touch->change;
  return code;
}

static status
tell_key (Build *build, LdbTouch *touch)
{
  LdbChange *change;
  status code = resolve (build, touch, &change);
  if (code != STATUS_OK || change == NULL)
    return code;
  return add_change (build, ldb_change_ref (change));
}

/* ---- ranges ---- */

static LdbBound
later (LdbBound a, LdbBound b)
{
  return ldb_bound_compare (a, b) < 0 ? b : a;
}

static LdbBound
earlier (LdbBound a, LdbBound b)
{
  return ldb_bound_compare (a, b) < 0 ? a : b;
}

static gint
compare_spans (gconstpointer a, gconstpointer b)
{
  return ldb_bound_compare (((const Span *) a)->lower, ((const Span *) b)->lower);
}

/* The touched ranges of one kind, cut to what is observed, joined where they meet, in order. */
static GArray *
collect_spans (const LdbObserver *observer, LdbTouchKind kind)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Span));
  for (guint i = 0; i < observer->pending->len; i++)
    {
      const LdbTouch *touch = g_ptr_array_index (observer->pending, i);
      if (touch->kind != kind)
        continue;
      Span span = { .loaded = kind == LDB_TOUCH_LOADED, .sequence = touch->sequence };
      span.lower = later ((LdbBound){ touch->store, touch->key }, observer->lower);
      span.upper = touch->end.size > 0 ? (LdbBound){ touch->store, touch->end }
                                       : (LdbBound){ touch->store + 1, BYTES_NONE };
      span.upper = earlier (span.upper, observer->upper);
      g_array_append_val (all, span);
    }
  g_array_sort (all, compare_spans);
  guint kept = 0;
  for (guint i = 0; i < all->len; i++)
    {
      Span *span = &g_array_index (all, Span, i);
      Span *last = kept > 0 ? &g_array_index (all, Span, kept - 1) : NULL;
      /* Those of two stores stay apart: a change is in one. */
      if (last != NULL && last->lower.store == span->lower.store
          && ldb_bound_compare (span->lower, last->upper) <= 0)
        {
          last->upper = later (last->upper, span->upper);
          last->sequence = MAX (last->sequence, span->sequence);
        }
      else
        g_array_index (all, Span, kept++) = *span;
    }
  g_array_set_size (all, kept);
  return all;
}

/* All ranges, disjoint and in order: where one was loaded it does not matter that it was
 * deleted. */
static GArray *
all_spans (const LdbObserver *observer)
{
  g_autoptr (GArray) loaded = collect_spans (observer, LDB_TOUCH_LOADED);
  g_autoptr (GArray) deleted = collect_spans (observer, LDB_TOUCH_DELETED);
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Span));
  guint next = 0;
  for (guint i = 0; i < deleted->len; i++)
    {
      Span rest = g_array_index (deleted, Span, i);
      while (next < loaded->len
             && ldb_bound_compare (g_array_index (loaded, Span, next).lower, rest.upper) < 0)
        {
          Span *over = &g_array_index (loaded, Span, next);
          Span piece = rest;
          piece.upper = over->lower;
          if (ldb_bound_compare (piece.lower, piece.upper) < 0)
            g_array_append_val (all, piece);
          rest.lower = later (rest.lower, over->upper);
          if (ldb_bound_compare (over->upper, rest.upper) > 0)
            break; /* it may reach over the next one too */
          g_array_append_vals (all, over, 1);
          next++;
        }
      if (ldb_bound_compare (rest.lower, rest.upper) < 0)
        g_array_append_val (all, rest);
    }
  g_array_append_vals (all, &g_array_index (loaded, Span, next), loaded->len - next);
  g_array_sort (all, compare_spans);
  return all;
}

/* The cursors over states before serve all frames that are made at one time: most lead from the
 * same state, and making one may cost more than what is then looked for. */
static LdbHubCursor *
find_cursor (LdbHub *hub, guint64 sequence, engine_store store, gboolean keys_only)
{
  for (guint i = 0; i < hub->cursors->len; i++)
    {
      LdbHubCursor *kept = &g_array_index (hub->cursors, LdbHubCursor, i);
      if (kept->sequence == sequence && kept->store == store && kept->keys_only == keys_only)
        return kept;
    }
  return NULL;
}

static void
drop_cursors (LdbHub *self)
{
  for (guint i = 0; i < self->cursors->len; i++)
    {
      LdbHubCursor *kept = &g_array_index (self->cursors, LdbHubCursor, i);
      engine_cursor_free (kept->cursor);
      ldb_pin_unref (kept->state);
    }
  g_array_set_size (self->cursors, 0);
}

static status
open_cursor (Build *build, engine_store store)
{
  LdbHub *hub = build->hub;
  const LdbObserver *observer = build->observer;
  if (build->cursor != NULL && build->cursor_store == store)
    return STATUS_OK;
  LdbHubCursor fresh = {
    .sequence = observer->base_sequence,
    .store = store,
    .keys_only = !wants (build, LDB_WATCH_OLD_VALUES),
  };
  LdbHubCursor *kept = find_cursor (hub, fresh.sequence, store, fresh.keys_only);
  build->cursor_store = store;
  build->cursor = kept != NULL ? kept->cursor : NULL;
  if (kept != NULL)
    return STATUS_OK;
  if (hub->cursors->len == CURSORS_MAX)
    drop_cursors (hub);
  struct engine_cursor_settings settings = {
    .store = store,
    .snapshot = state_before (build),
    .keys_only = fresh.keys_only,
  };
  status code = engine_cursor_new (hub->engine, &settings, &fresh.cursor, NULL);
  if (code != STATUS_OK)
    return code;
  fresh.state = ldb_pin_ref (observer->base);
  g_array_append_val (hub->cursors, fresh);
  build->cursor = fresh.cursor;
  return STATUS_OK;
}

/* Whether the cursor is at a key below `upper`, in its store. */
static gboolean
is_below (const Build *build, LdbBound upper)
{
  return engine_cursor_valid (build->cursor)
         && ldb_bound_compare ((LdbBound){ build->cursor_store, engine_cursor_key (build->cursor) },
                               upper)
                < 0;
}

static status
tell_each_deleted (Build *build, LdbBound upper, guint64 sequence)
{
  status code = STATUS_OK;
  while (code == STATUS_OK && is_below (build, upper))
    {
      LdbChange *change = ldb_change_new (LDB_CHANGE_DELETE, build->cursor_store, sequence,
                                          engine_cursor_key (build->cursor), BYTES_NONE);
      change->before = LDB_BEFORE_PRESENT;
      if (wants (build, LDB_WATCH_OLD_VALUES))
        {
          struct engine_value value;
          code = engine_cursor_take_value (build->cursor, &value, NULL);
          if (code == STATUS_OK)
            change->old_value = ldb_value_to_bytes (&value);
        }
      if (code == STATUS_OK)
        code = add_change (build, change);
      else
        ldb_change_unref (change);
      if (code == STATUS_OK)
        code = engine_cursor_next (build->cursor, NULL);
    }
  return code;
}

static status
tell_range (Build *build, LdbChangeKind kind, LdbBound lower, LdbBound upper, guint64 sequence)
{
  struct bytes end = upper.store == lower.store ? upper.key : BYTES_NONE;
  return add_change (build, ldb_change_new (kind, lower.store, sequence, lower.key, end));
}

/* Nothing is in the range after; tells it if something was before. */
static status
tell_deleted (Build *build, LdbBound lower, LdbBound upper, guint64 sequence)
{
  if (ldb_bound_compare (lower, upper) >= 0)
    return STATUS_OK;
  gboolean each = wants (build, LDB_WATCH_EACH_KEY) && build->observer->base != NULL;
  if (!each && !looks_back (build))
    return tell_range (build, LDB_CHANGE_DELETE_RANGE, lower, upper, sequence);
  status code = open_cursor (build, lower.store);
  if (code == STATUS_OK)
    code = lower.key.size > 0 ? engine_cursor_seek (build->cursor, lower.key, NULL)
                              : engine_cursor_first (build->cursor, NULL);
  if (code != STATUS_OK || !is_below (build, upper))
    return code;
  return each ? tell_each_deleted (build, upper, sequence)
              : tell_range (build, LDB_CHANGE_DELETE_RANGE, lower, upper, sequence);
}

/* The first key that there can be behind a touched one; it lasts until the next call. */
static LdbBound
bound_behind (Build *build, const LdbTouch *touch)
{
  g_byte_array_set_size (build->edge, 0);
  g_byte_array_append (build->edge, touch->key.data, touch->key.size);
  g_byte_array_append (build->edge, (const guint8 *) "", 1);
  if (!ldb_bound_fit (build->edge))
    return (LdbBound){ touch->store + 1, BYTES_NONE };
  return (LdbBound){ touch->store, BYTES (build->edge->data, build->edge->len) };
}

/* The keys of a deleted range that are there afterwards cut it. *next is the first touch in it, and
 * then the first behind it. */
static status
tell_cut (Build *build, const Span *span, guint *next)
{
  GPtrArray *pending = build->observer->pending;
  LdbBound from = span->lower;
  status code = STATUS_OK;
  for (; code == STATUS_OK && *next < pending->len; (*next)++)
    {
      LdbTouch *touch = g_ptr_array_index (pending, *next);
      LdbBound at = { touch->store, touch->key };
      LdbChange *change = NULL;
      if (touch->kind != LDB_TOUCH_KEY)
        continue;
      if (ldb_bound_compare (at, span->upper) >= 0)
        break;
      code = resolve (build, touch, &change);
      gboolean there = change != NULL && change->kind == LDB_CHANGE_PUT;
      if (code == STATUS_OK && change == NULL) /* as it was: there still, or never */
        {
          code = engine_contains (build->hub->engine, state_after (build), touch->store, touch->key,
                                  false, NULL);
          there = code == STATUS_OK;
          code = code == STATUS_NOT_FOUND ? STATUS_OK : code;
        }
      if (code == STATUS_OK && there)
        {
          code = tell_deleted (build, from, at, span->sequence);
          from = bound_behind (build, touch);
        }
      if (code == STATUS_OK && there && change != NULL)
        code = add_change (build, ldb_change_ref (change));
    }
  return code == STATUS_OK ? tell_deleted (build, from, span->upper, span->sequence) : code;
}

/* Passes the touched keys below `bound`, each told when `tell`. */
static status
pass_keys (Build *build, guint *next, const LdbBound *bound, gboolean tell)
{
  GPtrArray *pending = build->observer->pending;
  status code = STATUS_OK;
  for (; code == STATUS_OK && *next < pending->len; (*next)++)
    {
      LdbTouch *touch = g_ptr_array_index (pending, *next);
      if (touch->kind != LDB_TOUCH_KEY)
        continue;
      if (bound != NULL && ldb_bound_compare ((LdbBound){ touch->store, touch->key }, *bound) >= 0)
        break;
      if (tell)
        code = tell_key (build, touch);
    }
  return code;
}

static status
tell_span (Build *build, const Span *span, guint *next)
{
  if (!span->loaded)
    return tell_cut (build, span, next);
  status code = tell_range (build, LDB_CHANGE_RESYNC, span->lower, span->upper, span->sequence);
  return code == STATUS_OK ? pass_keys (build, next, &span->upper, FALSE) : code;
}

static status
tell_all (Build *build)
{
  g_autoptr (GArray) spans = all_spans (build->observer);
  status code = STATUS_OK;
  guint next = 0;
  for (guint i = 0; code == STATUS_OK && i < spans->len; i++)
    {
      const Span *span = &g_array_index (spans, Span, i);
      code = pass_keys (build, &next, &span->lower, TRUE);
      if (code == STATUS_OK)
        code = tell_span (build, span, &next);
    }
  return code == STATUS_OK ? pass_keys (build, &next, NULL, TRUE) : code;
}

/* An observer of one key is told of the key, whatever range it was touched in. */
static status
tell_single (Build *build)
{
  const LdbObserver *observer = build->observer;
  LdbTouch *newest = g_ptr_array_index (observer->pending, 0);
  for (guint i = 1; i < observer->pending->len; i++)
    {
      LdbTouch *touch = g_ptr_array_index (observer->pending, i);
      if (touch->sequence > newest->sequence)
        newest = touch;
    }
  if (newest->kind == LDB_TOUCH_KEY)
    return tell_key (build, newest);
  LdbTouch *key = ldb_touch_new (LDB_TOUCH_KEY, observer->lower.store, newest->sequence,
                                 observer->lower.key, BYTES_NONE);
  status code = tell_key (build, key);
  ldb_touch_unref (key);
  return code;
}

/* ---- frames ---- */

void
ldb_hub_end_frames (LdbHub *self)
{
  drop_cursors (self);
  g_ptr_array_set_size (self->answers, 0);
}

static gint
compare_commits (gconstpointer a, gconstpointer b)
{
  const LdbChange *one = *(LdbChange *const *) a, *other = *(LdbChange *const *) b;
  if (one->sequence != other->sequence)
    return one->sequence < other->sequence ? -1 : 1;
  if (one->store != other->store)
    return one->store < other->store ? -1 : 1;
  return bytes_compare (one->key, other->key);
}

static GPtrArray *
changes_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_change_unref);
}

status
ldb_frame_build (LdbHub *hub, LdbObserver *observer, LdbFrame **out)
{
  Build build = { .hub = hub, .observer = observer, .changes = changes_new () };
  build.edge = g_byte_array_new ();
  *out = NULL;
  ldb_hub_compact (hub, observer);
  guint touches = observer->pending->len;
  guint64 repeats = 0;
  for (guint i = 0; i < touches; i++)
    repeats += ((const LdbTouch *) observer->pending->pdata[i])->repeats;
  status code = observer->single ? tell_single (&build) : tell_all (&build);
  if (code == STATUS_OK && touches > build.changes->len)
    {
      count_shared (hub->metrics, SHARED_WATCH_COALESCED, touches - build.changes->len);
      repeats += touches - build.changes->len;
    }
  if (code == STATUS_OK)
    ldb_observer_count_coalesced (observer, repeats);
  if (code == STATUS_OK && build.changes->len > 0)
    {
      if (observer->flags & LDB_OBSERVE_COMMIT_ORDER)
        g_ptr_array_sort (build.changes, compare_commits);
      *out = ldb_frame_new (hub, observer->base, observer->base_sequence, hub->newest,
                            hub->position, g_ptr_array_ref (build.changes));
    }
  g_byte_array_unref (build.edge);
  g_ptr_array_unref (build.changes);
  return code;
}

LdbFrame *
ldb_frame_new (LdbHub *hub, LdbPin *before, guint64 since, LdbPin *after, guint64 sequence,
               GPtrArray *changes)
{
  LdbFrame *self = g_new0 (LdbFrame, 1);
  self->references = 1;
  self->hub = ldb_hub_ref (hub);
  self->before = before != NULL ? ldb_pin_ref (before) : NULL;
  self->after = ldb_pin_ref (after);
  self->since = since;
  self->sequence = sequence;
  self->changes = changes;
  return self;
}

LdbFrame *
ldb_frame_new_resync (LdbObserver *observer, LdbPin *after, guint64 sequence)
{
  GPtrArray *changes = changes_new ();
  LdbBound lower = observer->lower, upper = observer->upper;
  LdbChange *change = ldb_change_new (LDB_CHANGE_RESYNC, lower.store, sequence, lower.key,
                                      upper.store == lower.store ? upper.key : BYTES_NONE);
  change->name = ldb_store_name_ref (observer->name);
  g_ptr_array_add (changes, change);
  LdbFrame *self = ldb_frame_new (observer->hub, NULL, 0, after, sequence, changes);
  self->resync = TRUE;
  ldb_pin_unref (after);
  return self;
}

LdbFrame *
ldb_frame_new_state (LdbHub *hub, LdbObserver *observer)
{
  return ldb_frame_new (hub, NULL, observer->shown, hub->newest, hub->position, changes_new ());
}

LdbFrame *
ldb_frame_ref (LdbFrame *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

void
ldb_frame_free (LdbFrame *self)
{
  LdbHub *hub = self->hub;
  g_clear_pointer (&self->before, ldb_pin_unref);
  g_clear_pointer (&self->after, ldb_pin_unref);
  g_ptr_array_unref (self->changes);
  g_free (self);
  ldb_hub_unref (hub);
}

/* Frames with more changes than this take the hub's thread a moment, but must not take it from a
 * main loop. */
#define FREE_AT_ONCE 256

void
ldb_frame_unref (LdbFrame *self)
{
  LdbHub *hub = self->hub;
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  gboolean put_off = self->changes->len > FREE_AT_ONCE && hub->generation == ldb_fork_generation;
  if (put_off)
    {
      pthread_mutex_lock (&hub->lock);
      put_off = !hub->stopping;
      if (put_off)
        {
          self->next_garbage = hub->garbage;
          hub->garbage = self;
          ldb_hub_rouse (hub);
        }
      pthread_mutex_unlock (&hub->lock);
    }
  if (!put_off)
    ldb_frame_free (self);
}
