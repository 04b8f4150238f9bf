/* SPDX-License-Identifier: MIT */
/*
 * From commits to what is pending for each observer.
 *
 * Invariants
 *   R1  `newest` stands at `position`, and every commit up to it was read.
 *   R2  What is pending for a joined observer are all keys and ranges of its own that commits
 *       touched behind `base_sequence`, up to `position`; without pending nothing was touched.
 *   R3  An observer that is lost has nothing pending and is not joined, so nothing gathers for it.
 *   R4  An observer is in `waiting` exactly while it has pending, or is lost and its resync is not
 *       under way.
 */
#include "config.h"

#include "ldb-observer-private.h"

/* ---- lists ---- */

void
ldb_hub_list_waiting (LdbHub *self, LdbObserver *observer)
{
  if (observer->waits != 0)
    return;
  g_ptr_array_add (self->waiting, observer);
  observer->waits = self->waiting->len;
}

void
ldb_hub_unlist_waiting (LdbHub *self, LdbObserver *observer)
{
  if (observer->waits == 0)
    return;
  LdbObserver *last = g_ptr_array_index (self->waiting, self->waiting->len - 1);
  self->waiting->pdata[observer->waits - 1] = last;
  last->waits = observer->waits;
  g_ptr_array_set_size (self->waiting, (gint) self->waiting->len - 1);
  observer->waits = 0;
}

static void
list_live (LdbHub *self, LdbObserver *observer)
{
  g_ptr_array_add (self->live, ldb_observer_ref (observer));
  observer->live = self->live->len;
  self->live_changed = TRUE;
}

static void
unlist_live (LdbHub *self, LdbObserver *observer)
{
  if (observer->live == 0)
    return;
  LdbObserver *last = g_ptr_array_index (self->live, self->live->len - 1);
  self->live->pdata[observer->live - 1] = last;
  last->live = observer->live;
  self->live->pdata[self->live->len - 1] = observer;
  observer->live = 0;
  self->live_changed = TRUE;
  g_ptr_array_remove_fast (self->hasty, observer); /* which is looked at before it is made anew */
  g_ptr_array_set_size (self->live, (gint) self->live->len - 1);
}

/* ---- what gathers ---- */

static void
set_told (LdbHub *self, LdbObserver *observer, guint64 told)
{
  self->ahead += (told != 0) - (observer->told != 0);
  observer->told = told;
}

void
ldb_hub_settle (LdbHub *self, LdbObserver *observer)
{
  if (observer->pending != NULL)
    {
      self->pending_count -= observer->pending->len;
      g_ptr_array_set_size (observer->pending, 0);
    }
  observer->oldest = 0;
  observer->pending_bytes = 0;
  observer->baseless = FALSE;
  g_clear_pointer (&observer->base, ldb_pin_unref);
  ldb_hub_unlist_waiting (self, observer);
}

void
ldb_hub_lose (LdbHub *self, LdbObserver *observer)
{
  LdbFrame *frame = NULL;
  ldb_hub_settle (self, observer);
  set_told (self, observer, 0);
  pthread_mutex_lock (&self->lock);
  gboolean pulled = ldb_observer_pull (observer, &frame);
  pthread_mutex_unlock (&self->lock);
  if (frame != NULL)
    ldb_frame_free (frame);
  observer->lost = TRUE; /* R3 */
  ldb_hub_list_waiting (self, observer);
  unlist_live (self, observer);
  if (pulled)
    ldb_observer_unref (observer);
}

static gboolean
has_one_store (const LdbObserver *observer)
{
  engine_store store = observer->lower.store;
  return observer->upper.store == store
         || (observer->upper.store == store + 1 && observer->upper.key.size == 0);
}

void
ldb_hub_look_for_store (LdbHub *self, LdbObserver *observer, LdbPin *state)
{
  struct engine_snapshot *snapshot = state != NULL ? state->snapshot : NULL;
  observer->emptied = FALSE;
  if (observer->name != NULL && has_one_store (observer))
    observer->dropped = engine_store_check (self->engine, snapshot, observer->name->text,
                                            observer->lower.store, false, NULL)
                        == STATUS_NOT_FOUND;
}

/* The array owns what is in it, so its elements are exchanged, not overwritten. */
static void
remove_repeats (LdbHub *self, LdbObserver *observer)
{
  GPtrArray *pending = observer->pending;
  gsize removed = 0;
  guint64 repeats = 0;
  guint kept = 0;
  for (guint i = 0; i < pending->len; i++)
    {
      LdbTouch *touch = pending->pdata[i];
      if (kept > 0 && ldb_touch_same (pending->pdata[kept - 1], touch))
        {
          repeats += 1 + touch->repeats;
          removed += ldb_touch_size (touch);
          continue;
        }
      pending->pdata[i] = pending->pdata[kept];
      pending->pdata[kept++] = touch;
    }
  self->pending_count -= pending->len - kept;
  if (pending->len > kept)
    count_shared (self->metrics, SHARED_WATCH_COALESCED, pending->len - kept);
  ldb_observer_count_coalesced (observer, repeats);
  g_ptr_array_set_size (pending, (gint) kept);
  observer->pending_bytes -= removed;
}

void
ldb_hub_compact (LdbHub *self, LdbObserver *observer)
{
  g_ptr_array_sort (observer->pending, ldb_touch_compare);
  remove_repeats (self, observer);
}

static gboolean
is_too_much (LdbObserver *observer, guint limit)
{
  return observer->pending->len > limit || observer->pending_bytes > LDB_PENDING_BYTES_MAX;
}

static void
gather (LdbHub *self, LdbObserver *observer, LdbTouch *touch)
{
  gsize size = ldb_touch_size (touch);
  guint limit = ldb_observer_get_limit (observer);
  if (observer->pending == NULL)
    observer->pending = g_ptr_array_new_with_free_func (ldb_touch_unref);
  if (observer->pending->len == 0 && observer->base == NULL && !observer->baseless)
    {
      observer->base = ldb_pin_ref (self->newest); /* R2: the state before this reading */
      observer->base_sequence = self->position;
    }
  if (observer->pending->len == 0 && self->timed)
    observer->oldest = ldb_hub_find_commit_time (self, touch->sequence); /* M3 */
  g_ptr_array_add (observer->pending, ldb_touch_ref (touch));
  observer->pending_bytes += size;
  self->pending_count++;
  ldb_hub_list_waiting (self, observer);
  /* Repeats come from readings during which a frame was under way; they go when they have doubled
   * it. */
  if (!is_too_much (observer, limit <= G_MAXUINT / 2 ? limit * 2 : G_MAXUINT))
    return;
  ldb_hub_compact (self, observer);
  if (is_too_much (observer, limit))
    ldb_hub_lose (self, observer);
}

/* What has gathered takes too much memory: a touch counts once, however many observers it is
 * for. */
static gboolean
is_all_too_much (const LdbHub *self)
{
  return self->touch_bytes + self->pending_count * sizeof (gpointer) > LDB_ALL_PENDING_BYTES_MAX;
}

/* Loses the observer for which most has gathered, until all is within bounds. */
static void
bound_all (LdbHub *self)
{
  /* Not what this reading has in common, which keeps touches that nobody has any more. */
  g_hash_table_remove_all (self->touched);
  while (is_all_too_much (self) && self->waiting->len > 0)
    {
      LdbObserver *largest = g_ptr_array_index (self->waiting, 0);
      for (guint i = 1; i < self->waiting->len; i++)
        {
          LdbObserver *observer = g_ptr_array_index (self->waiting, i);
          if (observer->pending_bytes > largest->pending_bytes)
            largest = observer;
        }
      ldb_hub_lose (self, largest);
    }
}

/* ---- reading ---- */

/* One change on its way to those whom it concerns. */
typedef struct
{
  LdbHub *hub;    /* reads */
  LdbTouch probe; /* what was touched, borrowed from the feed */
  LdbTouch
      *touch; /* the same, made when somebody wants it; borrowed from the hub's table, or owned */
  gboolean repeated; /* the key was touched before in this reading */
} Arrival;

/* Has the touch made when it is wanted first. */
static LdbTouch *
touch_of (Arrival *arrival)
{
  const LdbTouch *probe = &arrival->probe;
  if (arrival->touch != NULL)
    return arrival->touch;
  arrival->touch
      = ldb_touch_new (probe->kind, probe->store, probe->sequence, probe->key, probe->end);
  ldb_touch_count (arrival->touch, &arrival->hub->touch_bytes);
  if (probe->kind == LDB_TOUCH_KEY)
    g_hash_table_add (arrival->hub->touched, arrival->touch);
  return arrival->touch;
}

/* Of type LdbRangeFunc. An observer that is lost meanwhile is in the map still, and somebody else
 * holds it: its owner, or the notice that it was closed. */
static void
arrive (gpointer item, gpointer data)
{
  LdbObserver *observer = item;
  Arrival *arrival = data;
  if (observer->lost || arrival->probe.sequence <= observer->told)
    return;
  if (arrival->probe.kind == LDB_TOUCH_DELETED && arrival->probe.key.size == 0
      && arrival->probe.end.size == 0)
    observer->emptied = TRUE;
  /* Who knew the earlier commits already did not get the touch with them. */
  if (!arrival->repeated || observer->told != 0)
    gather (arrival->hub, observer, touch_of (arrival));
  else
    {
      count_shared (arrival->hub->metrics, SHARED_WATCH_COALESCED, 1);
      ldb_observer_count_coalesced (observer, 1);
    }
}

static gboolean
concerns (const LdbObserver *observer, LdbBound lower, LdbBound upper, gboolean is_key)
{
  gint order = ldb_bound_compare (observer->lower, upper);
  return (order < 0 || (order == 0 && is_key)) && ldb_bound_compare (observer->upper, lower) > 0;
}

/* Tells a touch to `only`, or to all whom it concerns. */
static void
spread (LdbHub *self, Arrival *arrival, LdbObserver *only)
{
  const LdbTouch *probe = &arrival->probe;
  gboolean is_key = probe->kind == LDB_TOUCH_KEY;
  LdbBound lower = { probe->store, probe->key };
  LdbBound upper = is_key                ? lower
                   : probe->end.size > 0 ? (LdbBound){ probe->store, probe->end }
                                         : (LdbBound){ probe->store + 1, BYTES_NONE };
  if (only != NULL)
    {
      if (concerns (only, lower, upper, is_key))
        arrive (only, arrival);
    }
  else if (is_key)
    ldb_range_map_contain (&self->map, lower, arrive, arrival);
  else
    ldb_range_map_meet (&self->map, lower, upper, arrive, arrival);
}

static LdbTouchKind
kind_of (const struct engine_change *change)
{
  switch (change->kind)
    {
    case ENGINE_CHANGE_DELETE_RANGE:
      return LDB_TOUCH_DELETED;
    case ENGINE_CHANGE_LOADED:
      return LDB_TOUCH_LOADED;
    case ENGINE_CHANGE_PUT:
    case ENGINE_CHANGE_DELETE:
    default:
      return LDB_TOUCH_KEY;
    }
}

static void
note_change (LdbHub *self, const struct engine_change *change, guint64 sequence, LdbObserver *only)
{
  Arrival arrival = { .hub = self };
  arrival.probe = (LdbTouch){
    .kind = kind_of (change), .store = change->store, .sequence = sequence, .key = change->key
  };
  if (arrival.probe.kind != LDB_TOUCH_KEY)
    arrival.probe.end = change->end;
  else if (g_hash_table_size (self->touched) > 0)
    arrival.touch = g_hash_table_lookup (self->touched, &arrival.probe);
  arrival.repeated = arrival.touch != NULL;
  if (arrival.repeated)
    arrival.touch->sequence = sequence;
  if (!arrival.repeated || self->ahead > 0)
    spread (self, &arrival, only);
  else if (arrival.touch->references > 1) /* beside the table: those for whom it is pending */
    {
      count_shared (self->metrics, SHARED_WATCH_COALESCED, (guint64) arrival.touch->references - 1);
      arrival.touch->repeats++;
    }
  if (arrival.touch != NULL && arrival.probe.kind != LDB_TOUCH_KEY)
    ldb_touch_unref (arrival.touch);
  if (is_all_too_much (self))
    bound_all (self);
}

/* Reads up to the commit `until`, which is visible. */
static status
read_feed (LdbHub *self, struct engine_feed *feed, LdbObserver *only, guint64 until)
{
  struct engine_change change;
  guint64 sequence;
  status code = STATUS_OK;
  while (code == STATUS_OK && engine_feed_position (feed) < until)
    {
      code = engine_feed_next_commit (feed, &sequence, NULL);
      while (code == STATUS_OK
             && (code = engine_feed_next_change (feed, &change, NULL)) == STATUS_OK)
        note_change (self, &change, sequence, only);
      code = code == STATUS_NOT_FOUND ? STATUS_OK : code;
    }
  return code;
}

/* What is common to all touches of this reading ends with it. */
static void
end_reading (LdbHub *self)
{
  g_hash_table_remove_all (self->touched);
}

static void
remake_map (LdbHub *self)
{
  ldb_range_map_empty (&self->map);
  g_ptr_array_set_size (self->hasty, 0);
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < self->live->len; i++)
    {
      LdbObserver *observer = g_ptr_array_index (self->live, i);
      ldb_range_map_add (&self->map, observer->lower, observer->upper, observer);
      if (observer->interval < LDB_FRAME_INTERVAL)
        g_ptr_array_add (self->hasty, observer);
    }
  pthread_mutex_unlock (&self->lock);
  ldb_range_map_seal (&self->map);
  self->live_changed = FALSE;
}

/* Those that knew more than the hub know as much now. */
static void
catch_up_with_told (LdbHub *self)
{
  for (guint i = 0; self->ahead > 0 && i < self->live->len; i++)
    {
      LdbObserver *observer = g_ptr_array_index (self->live, i);
      if (observer->told == 0 || observer->told > self->position)
        continue;
      set_told (self, observer, 0);
      if (observer->waits == 0)
        ldb_hub_settle (self, observer);
    }
}

gboolean
ldb_hub_read (LdbHub *self)
{
  LdbPin *pin;
  guint64 sequence;
  self->read_at = g_get_monotonic_time ();
  status code = ldb_pin_new (self->engine, &pin, &sequence, NULL);
  if (code != STATUS_OK)
    return code != STATUS_CLOSED; /* tried again after an interval */
  if (self->live_changed)
    remake_map (self);
  if (self->feed == NULL)
    code = engine_feed_new (self->engine, self->position, &self->feed, NULL);
  if (code == STATUS_OK)
    code = read_feed (self, self->feed, NULL, sequence);
  end_reading (self);
  g_clear_pointer (&self->newest, ldb_pin_unref);
  self->newest = pin;
  self->position = sequence;
  if (code != STATUS_OK)
    {
      g_clear_pointer (&self->feed, engine_feed_free);
      while (code != STATUS_CLOSED && self->live->len > 0)
        ldb_hub_lose (self, g_ptr_array_index (self->live, self->live->len - 1));
    }
  catch_up_with_told (self);
  return code != STATUS_CLOSED;
}

void
ldb_hub_rest (LdbHub *self)
{
  g_clear_pointer (&self->feed, engine_feed_free);
  g_clear_pointer (&self->newest, ldb_pin_unref);
  self->position = 0;
}

/* ---- coming and going ---- */

/* The first one sets where reading begins. */
static void
begin_reading (LdbHub *self, LdbPin *state, guint64 sequence)
{
  self->newest = ldb_pin_ref (state);
  self->position = sequence;
  self->feed = NULL;
  if (engine_feed_new (self->engine, sequence, &self->feed, NULL) != STATUS_OK)
    self->feed = NULL; /* the first reading tries again, and tells */
}

/* Reads what the hub has read already once more, for one. */
static void
read_again (LdbHub *self, LdbObserver *observer, struct engine_feed *feed)
{
  status code = feed != NULL ? STATUS_OK : STATUS_HISTORY_GONE;
  g_assert (g_hash_table_size (self->touched) == 0);
  if (code == STATUS_OK)
    code = read_feed (self, feed, observer, self->position);
  end_reading (self);
  if (observer->lost)
    return;
  if (code != STATUS_OK)
    ldb_hub_lose (self, observer);
  else if (observer->waits == 0 && observer->told == 0)
    ldb_hub_settle (self, observer); /* nothing of it changed */
}

static void
take_up (LdbHub *self, LdbObserver *observer)
{
  observer->lost = FALSE;
  engine_store store = observer->lower.store;
  if (observer->name != NULL)
    ldb_store_names_add (self->names, store, observer->name);
  else if (observer->upper.store <= store + 1)
    observer->name
        = ldb_store_name_ref (ldb_store_names_find (self->names, self->engine, store, NULL, NULL));
  ldb_hub_settle (self, observer);
  set_told (self, observer, 0);
  if (observer->live == 0)
    list_live (self, observer);
}

/* `base` is taken over. */
static void
lead_on_from (LdbHub *self, LdbObserver *observer, LdbPin *base, guint64 sequence)
{
  struct engine_feed *feed = NULL;
  if (sequence == self->position)
    {
      ldb_pin_unref (base);
      return;
    }
  observer->base = base;
  observer->base_sequence = sequence;
  if (sequence > self->position)
    {
      set_told (self, observer, sequence);
      return;
    }
  if (engine_feed_new (self->engine, sequence, &feed, NULL) != STATUS_OK)
    feed = NULL;
  read_again (self, observer, feed);
  engine_feed_free (feed);
}

void
ldb_hub_join (LdbHub *self, LdbObserver *observer, LdbPin *base, guint64 sequence)
{
  if (self->newest == NULL)
    begin_reading (self, base, sequence);
  take_up (self, observer);
  observer->shown = sequence;
  observer->shown_files = self->files;
  ldb_hub_look_for_store (self, observer, base);
  lead_on_from (self, observer, base, sequence);
  if (observer->dropped)
    ldb_hub_list_waiting (self, observer);
}

void
ldb_hub_replay (LdbHub *self, LdbObserver *observer, struct engine_feed *feed)
{
  LdbPin *pin;
  guint64 sequence, since = engine_feed_position (feed);
  if (self->newest == NULL && ldb_pin_new (self->engine, &pin, &sequence, NULL) == STATUS_OK)
    {
      begin_reading (self, pin, sequence);
      ldb_pin_unref (pin);
    }
  if (self->newest != NULL)
    {
      take_up (self, observer);
      observer->baseless = TRUE;
      observer->base_sequence = since;
      set_told (self, observer, since > self->position ? since : 0);
      ldb_hub_look_for_store (self, observer, self->newest);
      read_again (self, observer, feed);
      if (observer->dropped)
        ldb_hub_list_waiting (self, observer);
    }
  else
    ldb_hub_lose (self, observer);
  engine_feed_free (feed);
}

void
ldb_hub_leave (LdbHub *self, LdbObserver *observer)
{
  ldb_hub_settle (self, observer);
  set_told (self, observer, 0);
  observer->lost = FALSE;
  unlist_live (self, observer);
}

static LdbTouchKind
kind_of_told (const LdbChange *change)
{
  if (change->kind == LDB_CHANGE_RESYNC)
    return LDB_TOUCH_LOADED;
  return change->kind == LDB_CHANGE_DELETE_RANGE ? LDB_TOUCH_DELETED : LDB_TOUCH_KEY;
}

void
ldb_hub_take_back (LdbHub *self, LdbObserver *observer, LdbFrame *frame)
{
  if (observer->live != 0 && frame->changes->len > 0)
    {
      g_clear_pointer (&observer->base, ldb_pin_unref);
      observer->base = frame->before != NULL ? ldb_pin_ref (frame->before) : NULL;
      observer->baseless = frame->before == NULL;
      observer->base_sequence = frame->since;
    }
  for (guint i = 0; observer->live != 0 && i < frame->changes->len; i++)
    {
      const LdbChange *change = g_ptr_array_index (frame->changes, i);
      LdbTouch *touch = ldb_touch_new (kind_of_told (change), change->store, change->sequence,
                                       change->key, change->end);
      ldb_touch_count (touch, &self->touch_bytes);
      gather (self, observer, touch);
      ldb_touch_unref (touch);
    }
  if (observer->live != 0 && frame->changes->len > 0)
    observer->oldest = frame->committed; /* M3 */
  if (observer->live != 0 && observer->dropped)
    ldb_hub_list_waiting (self, observer); /* there may be nothing but that to tell */
  ldb_frame_free (frame);
}
