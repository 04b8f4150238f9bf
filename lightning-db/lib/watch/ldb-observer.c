/* SPDX-License-Identifier: MIT */
/*
 * Observers, as their owners and their contexts see them.
 *
 * Invariants
 *   O1  A delivery is in the outbox, or just out of it, exactly while `way` is QUEUED; it then has
 *       a reference on the observer.
 *   O2  `way` leaves NONE on the hub's thread only, or where the owner is to be told of the end,
 *       after which the hub's thread does not touch it.
 *   O3  Once `closed` is set, `handle` is not called again but for the end; once
 *       ldb_observer_close() was called not even for that.
 */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-feed-private.h"
#include "ldb-observer-private.h"

LdbObserver *
ldb_observer_ref (LdbObserver *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

void
ldb_observer_unref (gpointer data)
{
  LdbObserver *self = data;
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_weak_ref_clear (&self->owner);
  g_clear_pointer (&self->frame, ldb_frame_free);
  g_clear_pointer (&self->join, ldb_pin_unref);
  g_clear_pointer (&self->base, ldb_pin_unref);
  g_clear_pointer (&self->pending, g_ptr_array_unref);
  engine_feed_free (self->replay);
  ldb_store_name_unref (self->name);
  g_free ((gpointer) self->lower.key.data);
  g_free ((gpointer) self->upper.key.data);
  ldb_hub_unref (self->hub);
  g_free (self);
}

/* ---- the way of a frame ---- */

void
ldb_observer_push (LdbObserver *self, LdbFrame *frame)
{
  g_assert (self->way == LDB_WAY_NONE && self->frame == NULL); /* O1 */
  self->frame = frame;
  self->way = LDB_WAY_QUEUED;
  self->pushed = metrics_now ();
  gauge_add (self->hub->metrics, GAUGE_WATCHES_WAITING, 1);
  ldb_observer_ref (self);
  ldb_outbox_push (self->outbox, &self->delivery);
}

gboolean
ldb_observer_pull (LdbObserver *self, LdbFrame **frame)
{
  *frame = NULL;
  if (self->way != LDB_WAY_QUEUED || !ldb_outbox_withdraw (self->outbox, &self->delivery))
    return FALSE;
  *frame = g_steal_pointer (&self->frame);
  self->way = LDB_WAY_NONE;
  self->last = FALSE;
  gauge_add (self->hub->metrics, GAUGE_WATCHES_WAITING, -1);
  return TRUE;
}

/* What a delivery turns out to be. */
typedef enum
{
  DELIVERED_NOTHING, /* it is not wanted any more, or not now */
  DELIVERED_FRAME,
  DELIVERED_RESYNC,
  DELIVERED_END,
} Delivered;

/* With the lock held; *frame becomes the caller's. */
static Delivered
take_delivery (LdbObserver *self, LdbFrame **frame)
{
  *frame = NULL;
  self->way = LDB_WAY_NONE;
  gauge_add (self->hub->metrics, GAUGE_WATCHES_WAITING, -1);
  if (self->closed)
    {
      *frame = g_steal_pointer (&self->frame);
      gboolean end = self->end_due;
      self->end_due = FALSE;
      return end ? DELIVERED_END : DELIVERED_NOTHING;
    }
  if (self->paused)
    {
      self->last = FALSE;
      ldb_hub_notice (self->hub, self, LDB_NOTICE_RETURNED);
      return DELIVERED_NOTHING;
    }
  *frame = g_steal_pointer (&self->frame);
  self->way = LDB_WAY_HANDLING;
  return *frame != NULL ? DELIVERED_FRAME : DELIVERED_RESYNC;
}

/* The state now, from which the hub goes on at once, beside the handler. NULL when there is no
 * state to be had: the hub tries again. */
static LdbFrame *
take_resync (LdbObserver *self)
{
  LdbHub *hub = self->hub;
  LdbPin *pin;
  guint64 sequence;
  LdbFrame *frame = NULL;
  if (ldb_pin_new (hub->engine, &pin, &sequence, NULL) == STATUS_OK)
    frame = ldb_frame_new_resync (self, pin, sequence);
  pthread_mutex_lock (&hub->lock);
  if (frame == NULL)
    {
      self->way = LDB_WAY_NONE;
      self->last = FALSE;
      ldb_hub_notice (hub, self, LDB_NOTICE_RETURNED);
    }
  else
    {
      g_clear_pointer (&self->join, ldb_pin_unref);
      self->join = ldb_pin_ref (frame->after);
      self->join_sequence = sequence;
      ldb_hub_notice (hub, self, LDB_NOTICE_JOIN);
    }
  pthread_mutex_unlock (&hub->lock);
  return frame;
}

/* Only the observer's context writes it. */
static void
count_own (guint64 *counter, guint64 more)
{
  __atomic_store_n (counter, *counter + more, __ATOMIC_RELAXED);
}

/* The frame is about to be handled. One of a state alone tells nothing. */
static void
count_delivery (LdbObserver *self, const LdbFrame *frame)
{
  struct metrics *metrics = self->hub->metrics;
  if (frame->changes->len == 0)
    return;
  if (frame->resync)
    {
      count_shared (metrics, SHARED_WATCH_RESYNCS, 1);
      count_own (&self->resyncs, 1);
    }
  else
    {
      guint64 newest = engine_sequence (self->hub->engine);
      guint64 lag = newest - MIN (frame->since, newest);
      count_shared (metrics, SHARED_WATCH_CHANGES, frame->changes->len);
      metrics_record (metrics, HISTOGRAM_WATCH_LAG, lag);
      count_own (&self->changes, frame->changes->len);
      __atomic_store_n (&self->lag, lag, __ATOMIC_RELAXED);
    }
  count_own (&self->deliveries, 1);
  if (__atomic_load_n (&self->hub->timed, __ATOMIC_RELAXED))
    ldb_hub_note_delivery (self->hub, self, frame);
  count_shared (metrics, SHARED_WATCH_EMISSIONS, 1);
  metrics_record (metrics, HISTOGRAM_WATCH_DELAY, metrics_now () - self->pushed);
}

static void
hand_over (LdbObserver *self, LdbFrame *frame)
{
  GObject *owner = g_weak_ref_get (&self->owner);
  if (owner == NULL || self->handle (owner, frame))
    ldb_observer_done (self);
  if (owner != NULL)
    g_object_unref (owner);
}

static void
deliver (LdbDelivery *delivery)
{
  LdbObserver *self = (LdbObserver *) ((char *) delivery - G_STRUCT_OFFSET (LdbObserver, delivery));
  LdbFrame *frame;
  if (self->hub->generation != ldb_fork_generation)
    return;
  pthread_mutex_lock (&self->hub->lock);
  Delivered delivered = take_delivery (self, &frame);
  pthread_mutex_unlock (&self->hub->lock);
  if (delivered == DELIVERED_RESYNC)
    frame = take_resync (self);
  if (frame != NULL && delivered != DELIVERED_NOTHING && delivered != DELIVERED_END)
    {
      count_delivery (self, frame);
      hand_over (self, frame);
    }
  else if (delivered == DELIVERED_END)
    hand_over (self, NULL);
  if (frame != NULL)
    ldb_frame_unref (frame);
  ldb_observer_unref (self);
}

void
ldb_observer_done (LdbObserver *self)
{
  LdbHub *hub = self->hub;
  if (self->hub->generation != ldb_fork_generation)
    return;
  pthread_mutex_lock (&hub->lock);
  if (self->way == LDB_WAY_HANDLING)
    {
      self->way = LDB_WAY_NONE;
      if (self->last && !self->closed)
        ldb_observer_end (self);
      else if (self->end_due)
        ldb_observer_push (self, NULL);
      else if (hub->wants_done)
        ldb_hub_rouse (hub);
    }
  pthread_mutex_unlock (&hub->lock);
}

/* ---- the end ---- */

/* With the lock held: off the hub's list. */
static void
unlist (LdbObserver *self)
{
  GPtrArray *all = self->hub->observers;
  if (self->listed == 0)
    return;
  LdbObserver *last = g_ptr_array_index (all, all->len - 1);
  all->pdata[self->listed - 1] = last;
  last->listed = self->listed;
  g_ptr_array_set_size (all, (gint) all->len - 1);
  self->listed = 0;
  gauge_set (self->hub->metrics, GAUGE_WATCHES, all->len);
}

void
ldb_observer_end (LdbObserver *self)
{
  self->closed = TRUE;
  self->end_due = TRUE;
  unlist (self);
  ldb_hub_notice (self->hub, self, LDB_NOTICE_LEAVE);
  /* With the frame that a pause took back, if the hub has not fetched that: it goes with the end. */
  if (self->way == LDB_WAY_NONE)
    ldb_observer_push (self, g_steal_pointer (&self->frame));
}

void
ldb_observer_close (LdbObserver *self)
{
  LdbFrame *frame = NULL;
  if (self->hub->generation != ldb_fork_generation)
    return;
  pthread_mutex_lock (&self->hub->lock);
  gboolean first = !self->closed;
  self->closed = TRUE;
  self->end_due = FALSE;
  gboolean pulled = ldb_observer_pull (self, &frame);
  unlist (self);
  if (first)
    ldb_hub_notice (self->hub, self, LDB_NOTICE_LEAVE);
  pthread_mutex_unlock (&self->hub->lock);
  if (frame != NULL)
    ldb_frame_unref (frame);
  if (pulled)
    ldb_observer_unref (self);
}

gboolean
ldb_observer_is_closed (LdbObserver *self)
{
  if (self->hub->generation != ldb_fork_generation)
    return TRUE;
  pthread_mutex_lock (&self->hub->lock);
  gboolean closed = self->closed;
  pthread_mutex_unlock (&self->hub->lock);
  return closed;
}

void
ldb_observer_free (LdbObserver *self)
{
  if (self->hub->generation != ldb_fork_generation)
    return; /* what it shares may be locked by a thread that stayed with the parent */
  ldb_observer_close (self);
  /* Not on the hub's thread: with a context go sources, whose data is the application's. */
  g_clear_pointer (&self->context, g_main_context_unref);
  ldb_observer_unref (self);
}

/* ---- the beginning ---- */

static LdbBound
own_bound (engine_store store, struct bytes key)
{
  return (LdbBound){ store,
                     key.size > 0 ? BYTES (g_memdup2 (key.data, key.size), key.size) : BYTES_NONE };
}

static void
set_bounds (LdbObserver *self, const LdbPlace *place, gboolean every_store, struct bytes lower,
            struct bytes upper)
{
  if (!every_store && place->name != NULL)
    self->name = ldb_store_name_new (place->name);
  if (every_store)
    {
      self->lower = (LdbBound){ ENGINE_STORE_DEFAULT, BYTES_NONE };
      self->upper = (LdbBound){ G_MAXUINT32, BYTES_NONE };
      return;
    }
  self->lower = own_bound (place->store, lower);
  self->upper = own_bound (upper.size > 0 ? place->store : place->store + 1, upper);
  self->single = lower.size > 0 && upper.size == lower.size + 1 && upper.data[lower.size] == 0
                 && bytes_has_prefix (upper, lower);
}

static LdbObserver *
observer_new (gpointer owner, LdbHub *hub, const LdbPlace *place, guint flags, LdbFrameFunc handle)
{
  LdbObserver *self = g_new0 (LdbObserver, 1);
  self->references = 1;
  self->hub = hub;
  self->database = place->database;
  self->handle = handle;
  self->context = g_main_context_ref_thread_default ();
  self->outbox = ldb_outbox_of (self->context);
  self->delivery.deliver = deliver;
  self->flags = flags;
  self->interval = LDB_FRAME_INTERVAL;
  self->limit = LDB_FRAME_CHANGES;
  g_weak_ref_init (&self->owner, owner);
  return self;
}

/* Whether the place's store is there, as far as memory tells; else the hub finds out. */
static status
check_store (struct engine *engine, LdbPin *pin, const LdbPlace *place, struct failure *failure)
{
  if (place->name == NULL)
    return STATUS_OK;
  status code
      = engine_store_check (engine, pin->snapshot, place->name, place->store, true, failure);
  return code == STATUS_BUSY ? STATUS_OK : code;
}

/* FALSE: the engine, or the handle, was closed meanwhile. */
static gboolean
list_observer (LdbObserver *self, LdbPin *base, guint64 sequence)
{
  LdbHub *hub = self->hub;
  pthread_mutex_lock (&hub->lock);
  gboolean listed = !hub->stopping;
  self->join = ldb_pin_ref (base);
  self->join_sequence = sequence;
  if (listed)
    {
      g_ptr_array_add (hub->observers, self);
      self->id = ++hub->last_id;
      self->listed = hub->observers->len;
      gauge_set (hub->metrics, GAUGE_WATCHES, hub->observers->len);
      ldb_hub_notice (hub, self, LDB_NOTICE_JOIN);
    }
  self->closed = !listed;
  pthread_mutex_unlock (&hub->lock);
  /* The handle's observers are ended behind its change of state, so either they found this one or
   * this is seen. */
  return listed && ldb_database_is_usable (self->database, NULL);
}

LdbObserver *
ldb_observer_new (gpointer owner, const LdbPlace *place, gboolean every_store, struct bytes lower,
                  struct bytes upper, LdbWatchFlags flags, LdbFrameFunc handle, LdbPin **base,
                  guint64 *sequence, GError **error)
{
  struct failure failure = FAILURE_INIT;
  LdbPin *pin;
  guint64 now;
  if (!ldb_database_is_usable (place->database, error))
    return NULL;
  LdbHub *hub = ldb_share_get_hub (place->database, error);
  if (hub == NULL)
    return NULL;
  /* Not the database's, which may have another one by now. */
  status code = ldb_pin_new (hub->engine, &pin, &now, &failure);
  if (code == STATUS_OK && !every_store)
    {
      code = check_store (hub->engine, pin, place, &failure);
      if (code != STATUS_OK)
        ldb_pin_unref (pin);
    }
  if (code != STATUS_OK)
    {
      ldb_hub_unref (hub);
      ldb_error_take_failure (error, code, &failure);
      return NULL;
    }
  if (sequence != NULL)
    *sequence = now;
  LdbObserver *self = observer_new (owner, hub, place, flags, handle);
  set_bounds (self, place, every_store, lower, upper);
  if (!list_observer (self, pin, now))
    {
      ldb_pin_unref (pin);
      ldb_observer_free (self);
      ldb_error_set (error, LDB_ERROR_CLOSED, "The database \"%s\" is closed; open it again.",
                     place->database->path);
      return NULL;
    }
  if (base != NULL)
    *base = ldb_pin_ref (pin);
  ldb_pin_unref (pin);
  return self;
}

LdbObserver *
ldb_observer_new_key (gpointer owner, const LdbPlace *place, struct bytes key, LdbWatchFlags flags,
                      LdbFrameFunc handle, LdbPin **base, guint64 *sequence, GError **error)
{
  g_autofree guint8 *behind = g_malloc0 (key.size + 1); /* the key right behind it */
  memcpy (behind, key.data, key.size);
  return ldb_observer_new (owner, place, FALSE, key, BYTES (behind, key.size + 1), flags, handle,
                           base, sequence, error);
}

/* ---- settings ---- */

void
ldb_observer_set_paused (LdbObserver *self, gboolean paused)
{
  LdbFrame *frame = NULL;
  gboolean pulled = FALSE;
  if (self->hub->generation != ldb_fork_generation)
    return;
  pthread_mutex_lock (&self->hub->lock);
  if (self->paused != paused && !self->closed)
    {
      self->paused = paused;
      pulled = paused && ldb_observer_pull (self, &frame);
      self->frame = pulled ? frame : self->frame;
      ldb_hub_notice (self->hub, self, LDB_NOTICE_SETTINGS);
      if (pulled)
        ldb_hub_notice (self->hub, self, LDB_NOTICE_RETURNED);
      if (!paused)
        ldb_hub_notice (self->hub, self, LDB_NOTICE_RESUMED);
    }
  pthread_mutex_unlock (&self->hub->lock);
  if (pulled)
    ldb_observer_unref (self);
}

void
ldb_observer_set_interval (LdbObserver *self, gint64 interval)
{
  if (self->hub->generation != ldb_fork_generation)
    return;
  pthread_mutex_lock (&self->hub->lock);
  self->interval = interval;
  if (!self->closed)
    ldb_hub_notice (self->hub, self, LDB_NOTICE_SETTINGS);
  pthread_mutex_unlock (&self->hub->lock);
}

void
ldb_observer_set_limit (LdbObserver *self, guint changes)
{
  if (self->hub->generation != ldb_fork_generation)
    return;
  pthread_mutex_lock (&self->hub->lock);
  __atomic_store_n (&self->limit, MAX (changes, 1), __ATOMIC_RELAXED);
  if (!self->closed)
    ldb_hub_notice (self->hub, self, LDB_NOTICE_SETTINGS);
  pthread_mutex_unlock (&self->hub->lock);
}

gboolean
ldb_observer_replay (LdbObserver *self, guint64 since, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_feed *feed, *unused;
  LdbFrame *frame = NULL;
  gboolean pulled = FALSE;
  if (self->hub->generation != ldb_fork_generation)
    return ldb_error_set (error, LDB_ERROR_FORKED,
                          "The watch was made before this process was forked; open the database "
                          "anew.");
  status code = ldb_feed_open (self->hub->engine, since, &feed, &failure);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  pthread_mutex_lock (&self->hub->lock);
  gboolean closed = self->closed;
  unused = closed ? feed : self->replay;
  if (!closed)
    {
      pulled = ldb_observer_pull (self, &frame);
      if (!pulled && self->way == LDB_WAY_NONE)
        frame = g_steal_pointer (&self->frame); /* one that was returned */
      self->replay = feed;
      ldb_hub_notice (self->hub, self, LDB_NOTICE_REPLAY);
    }
  pthread_mutex_unlock (&self->hub->lock);
  engine_feed_free (unused);
  if (frame != NULL)
    ldb_frame_unref (frame);
  if (pulled)
    ldb_observer_unref (self);
  return !closed
         || ldb_error_set (error, LDB_ERROR_CLOSED, "The watch is closed; make another one.");
}
