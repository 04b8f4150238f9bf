/* SPDX-License-Identifier: MIT */
/*
 * The hub's thread, what wakes it, and its end.
 *
 * Invariants
 *   H1  The lock is never held over a call of the engine but those that look at a number; the
 *       engine's wake function takes it.
 *   H2  While there is something to do, or will be at a known time, there is a thread; or starting
 *       one failed, and a main context of an observer tries again. Without observers, whoever waits
 *       for a commit is told that nobody looks after him.
 *   H3  While nothing is to do the engine is armed: it says when there is a commit. No timer runs.
 *   H4  What belongs to the thread is touched by others only while `running` is not set.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-observer-private.h"
#include "ldb-worker-private.h"

#include <time.h>

/* A thread without work waits so long for more, in microseconds. */
#define IDLE_TIME 5000000
/* States that are held are renewed after so long, if there are commits all the while. */
#ifndef LDB_RENEWAL_TIME /* a test has a shorter one */
#define LDB_RENEWAL_TIME 10000000
#endif
/* When no thread can be started, the next try comes after so many milliseconds. */
#define KICK_INTERVAL 100

static void *run (void *data);

/* ---- who waits for a commit ---- */

/* With the lock held. */
static void
unlink_awaiter (LdbHub *self, LdbAwaiter *awaiter)
{
  *(awaiter->previous != NULL ? &awaiter->previous->next : &self->awaiters) = awaiter->next;
  if (awaiter->next != NULL)
    awaiter->next->previous = awaiter->previous;
  awaiter->next = awaiter->previous = NULL;
}

/* With the lock held: takes out those who wait for a commit below `visible`, or with the handle
 * `closed`, as a list. */
static LdbAwaiter *
take_awaiters (LdbHub *self, guint64 visible, const LdbDatabase *closed)
{
  LdbAwaiter *ready = NULL, *next;
  for (LdbAwaiter *awaiter = self->awaiters; awaiter != NULL; awaiter = next)
    {
      next = awaiter->next;
      if (awaiter->sequence >= visible && (closed == NULL || awaiter->database != closed))
        continue;
      unlink_awaiter (self, awaiter);
      awaiter->next = ready;
      ready = awaiter;
    }
  return ready;
}

/* With the lock held: takes out all, of whom those with a commit below `visible` have got it. */
static LdbAwaiter *
take_unattended (LdbHub *self, guint64 visible)
{
  for (LdbAwaiter *awaiter = self->awaiters; awaiter != NULL; awaiter = awaiter->next)
    awaiter->unattended = awaiter->sequence >= visible;
  return take_awaiters (self, G_MAXUINT64, NULL);
}

/* Without the lock. */
static void
call_ready (LdbAwaiter *ready)
{
  for (LdbAwaiter *next; ready != NULL; ready = next)
    {
      next = ready->next;
      ready->next = NULL;
      ready->ready (ready);
    }
}

/* ---- the thread's beginning ---- */

static gboolean kick_again (gpointer data);

/* With the lock held: asks a main context to try again (H2). FALSE: there is none to ask. */
static gboolean
kick (LdbHub *self)
{
  if (self->kicked != NULL)
    return TRUE;
  if (self->observers->len == 0)
    return FALSE;
  self->kicked = ldb_observer_ref (g_ptr_array_index (self->observers, 0));
  ldb_outbox_push (self->kicked->outbox, &self->kick);
  return TRUE;
}

/* With the lock held. */
static gboolean
start_thread (LdbHub *self)
{
  ldb_hub_ref (self);
  self->running = ldb_worker_start_thread (run, self) == 0;
  if (!self->running)
    ldb_hub_unref (self); /* never the last one: the caller has one */
  return self->running;
}

/* With the lock held. FALSE: no thread looks, and none will until something else happens. */
static gboolean
rouse (LdbHub *self)
{
  self->roused = TRUE;
  if (self->running)
    pthread_cond_signal (&self->work);
  else if (!self->stopping && !start_thread (self))
    return kick (self);
  return TRUE;
}

void
ldb_hub_rouse (LdbHub *self)
{
  rouse (self);
}

static void
deliver_kick (LdbDelivery *delivery)
{
  LdbHub *self = (LdbHub *) ((char *) delivery - G_STRUCT_OFFSET (LdbHub, kick));
  LdbAwaiter *unattended = NULL;
  pthread_mutex_lock (&self->lock);
  LdbObserver *observer = self->kicked;
  gboolean wanted = self->roused && !self->running && !self->stopping;
  gboolean again = wanted && !observer->closed && !start_thread (self);
  if (!again)
    self->kicked = NULL;
  if (wanted && observer->closed && !rouse (self)) /* nor in the context of another one */
    unattended = take_unattended (self, 0);
  pthread_mutex_unlock (&self->lock);
  call_ready (unattended);
  if (!again)
    {
      ldb_observer_unref (observer);
      return;
    }
  g_autoptr (GSource) source = g_timeout_source_new (KICK_INTERVAL);
  g_source_set_static_name (source, "[lightning-db] thread");
  g_source_set_callback (source, kick_again, self, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static gboolean
kick_again (gpointer data)
{
  LdbHub *self = data;
  deliver_kick (&self->kick);
  return G_SOURCE_REMOVE;
}

/* Called by the engine, on the thread of a commit: there is one above `armed`. */
static void
wake (void *data)
{
  LdbHub *self = data;
  LdbAwaiter *ready = NULL;
  pthread_mutex_lock (&self->lock);
  ldb_hub_mark_commit (self);
  if (!rouse (self))
    ready = take_unattended (self, self->armed + 1);
  pthread_mutex_unlock (&self->lock);
  call_ready (ready);
}

void
ldb_hub_notice (LdbHub *self, LdbObserver *observer, LdbNotice notice)
{
  if (self->stopping)
    return;
  if (observer->notices == 0)
    {
      observer->next_notice = self->notices;
      self->notices = ldb_observer_ref (observer);
    }
  observer->notices |= notice;
  ldb_hub_rouse (self);
}

/* ---- notices ---- */

/* What a notice says, once read. */
typedef struct
{
  guint notices;              /* LdbNotice */
  gboolean closed;            /* it is closed by now */
  LdbPin *join;               /* with JOIN; owned */
  guint64 sequence;           /* with JOIN */
  struct engine_feed *replay; /* with REPLAY; owned */
  LdbFrame *frame;            /* with RETURNED; owned; NULL: a resync */
} News;

static LdbObserver *
take_news (LdbHub *self, LdbObserver *observer, News *news)
{
  pthread_mutex_lock (&self->lock);
  LdbObserver *next = observer->next_notice;
  news->notices = observer->notices;
  news->closed = observer->closed;
  news->join = g_steal_pointer (&observer->join);
  news->sequence = observer->join_sequence;
  news->replay = g_steal_pointer (&observer->replay);
  news->frame = NULL;
  if ((news->notices & LDB_NOTICE_RETURNED) && observer->way == LDB_WAY_NONE)
    news->frame = g_steal_pointer (&observer->frame);
  observer->notices = 0;
  observer->next_notice = NULL;
  pthread_mutex_unlock (&self->lock);
  return next;
}

static void
drop_news (News *news)
{
  g_clear_pointer (&news->join, ldb_pin_unref);
  g_clear_pointer (&news->replay, engine_feed_free);
  g_clear_pointer (&news->frame, ldb_frame_free);
}

static void
follow_news (LdbHub *self, LdbObserver *observer, News *news)
{
  if (news->closed)
    {
      ldb_hub_leave (self, observer);
      return;
    }
  if (news->notices & LDB_NOTICE_SETTINGS)
    self->live_changed = TRUE;
  if (news->notices & LDB_NOTICE_RESUMED)
    self->read_at = 0; /* it is told once: not now what was read, and what was not soon after */
  if (news->frame != NULL)
    ldb_hub_take_back (self, observer, g_steal_pointer (&news->frame));
  else if ((news->notices & LDB_NOTICE_RETURNED) && observer->lost)
    {
      observer->sent = g_get_monotonic_time () + LDB_FRAME_INTERVAL; /* not again at once */
      ldb_hub_list_waiting (self, observer);
    }
  if (news->join != NULL && observer->live == 0)
    ldb_hub_join (self, observer, g_steal_pointer (&news->join), news->sequence);
  else if (news->join != NULL) /* a replay has taken it up since: it leads on from there */
    observer->shown = MAX (observer->shown, news->sequence);
  if (news->replay != NULL)
    ldb_hub_replay (self, observer, g_steal_pointer (&news->replay));
}

/* In the order in which they came. */
static void
read_notices (LdbHub *self, LdbObserver *list)
{
  LdbObserver *first = NULL;
  News news;
  while (list != NULL)
    {
      LdbObserver *next = list->next_notice;
      list->next_notice = first;
      first = list;
      list = next;
    }
  while (first != NULL)
    {
      LdbObserver *observer = first;
      first = take_news (self, observer, &news);
      follow_news (self, observer, &news);
      drop_news (&news);
      ldb_observer_unref (observer);
    }
}

/* ---- frames ---- */

/* Whether a frame can be sent: none is under way, nor on its way back, and the hub has read what it
 * is to tell. With the lock held. */
static gboolean
is_free (const LdbObserver *observer)
{
  const guint first = LDB_NOTICE_RETURNED | LDB_NOTICE_REPLAY | LDB_NOTICE_RESUMED;
  return observer->way == LDB_WAY_NONE && !observer->paused && !observer->closed
         && (observer->notices & first) == 0;
}

/* When what waits may be sent: 0, now; -1, not before something else happens. A resync may have told
 * of commits that are still to be read. */
static gint64
may_send_at (LdbHub *self, LdbObserver *observer, gint64 now)
{
  if (!observer->lost && observer->shown > self->position)
    return -1;
  pthread_mutex_lock (&self->lock);
  gint64 at = observer->sent != 0 ? observer->sent + observer->interval : 0;
  gboolean free = is_free (observer);
  pthread_mutex_unlock (&self->lock);
  if (!free)
    return -1;
  return at <= now ? 0 : at;
}

/* Makes what waits for an observer that is not lost into a frame. FALSE: there is none to send. */
static gboolean
make_frame (LdbHub *self, LdbObserver *observer, LdbFrame **frame)
{
  gboolean any = observer->pending != NULL && observer->pending->len > 0;
  *frame = NULL;
  if (observer->emptied)
    ldb_hub_look_for_store (self, observer, self->newest);
  status code = any ? ldb_frame_build (self, observer, frame) : STATUS_OK;
  if (code == STATUS_CLOSED)
    return FALSE;
  if (code == STATUS_OK && *frame == NULL && observer->dropped)
    *frame = ldb_frame_new_state (self, observer);
  if (*frame != NULL)
    (*frame)->committed = observer->oldest;
  if (code == STATUS_OK)
    ldb_hub_settle (self, observer);
  else
    ldb_hub_lose (self, observer);
  return *frame != NULL || observer->lost;
}

/* FALSE: not now, and the frame stays the caller's. */
static gboolean
push (LdbHub *self, LdbObserver *observer, LdbFrame *frame)
{
  pthread_mutex_lock (&self->lock);
  gboolean free = is_free (observer);
  if (free)
    {
      ldb_observer_push (observer, frame);
      observer->last = observer->dropped;
    }
  pthread_mutex_unlock (&self->lock);
  if (free)
    {
      observer->shown = self->position;
      observer->shown_files = self->files;
    }
  return free;
}

/* Sends what waits. While the frame was made things may have changed: then it is taken back. */
static void
send_waiting (LdbHub *self, LdbObserver *observer)
{
  LdbFrame *frame = NULL;
  if (observer->lost)
    ldb_hub_look_for_store (self, observer, NULL);
  else if (!make_frame (self, observer, &frame))
    return;
  if (push (self, observer, frame))
    {
      ldb_hub_unlist_waiting (self, observer);
      observer->sent = g_get_monotonic_time ();
    }
  else if (frame != NULL)
    ldb_hub_take_back (self, observer, frame);
}

/* Sends all that may be sent, and returns when the next may be: -1, not before something
 * happens. */
static gint64
send_due (LdbHub *self)
{
  gint64 next = -1;
  gint64 now = g_get_monotonic_time ();
  /* From the end, since those that were sent leave the array. */
  for (guint i = self->waiting->len; i > 0; i--)
    {
      LdbObserver *observer = g_ptr_array_index (self->waiting, i - 1);
      gint64 at = may_send_at (self, observer, now);
      if (at == 0)
        send_waiting (self, observer);
      else if (at > 0)
        next = next < 0 ? at : MIN (next, at);
    }
  ldb_hub_end_frames (self);
  return next;
}

/* ---- states that are held ---- */

static gboolean
has_old_state (LdbHub *self, LdbObserver *observer)
{
  return (observer->flags & LDB_OBSERVE_STATE) != 0
         && (observer->shown < self->position || observer->shown_files != self->files)
         && observer->waits == 0 && observer->told == 0;
}

/* In a process that reads, the files of the newest state may have been replaced without a commit. */
static void
renew_newest (LdbHub *self)
{
  LdbPin *pin;
  guint64 sequence;
  if (self->newest == NULL || engine_snapshot_is_current (self->newest->snapshot)
      || ldb_pin_new (self->engine, &pin, &sequence, NULL) != STATUS_OK)
    return;
  if (sequence == self->position) /* else there is something to be read, and it is known by now */
    {
      LdbPin *old = self->newest;
      self->newest = pin;
      pin = old;
      self->files++;
    }
  ldb_pin_unref (pin);
}

/* Gives those who hold an old state the newest one, if nothing that they know is different there.
 * Whether there were any. */
static gboolean
renew_states (LdbHub *self)
{
  gboolean any = FALSE;
  self->renewed_at = g_get_monotonic_time ();
  for (guint i = 0; i < self->live->len; i++)
    {
      LdbObserver *observer = g_ptr_array_index (self->live, i);
      if (!has_old_state (self, observer))
        continue;
      LdbFrame *frame = ldb_frame_new_state (self, observer);
      if (push (self, observer, frame))
        any = TRUE;
      else
        ldb_frame_free (frame);
    }
  return any;
}

/* With the lock held, which is dropped meanwhile: nothing happened for long. FALSE: and there is
 * nothing to do. */
static gboolean
renew_at_rest (LdbHub *self)
{
  pthread_mutex_unlock (&self->lock);
  renew_newest (self);
  gboolean any = renew_states (self);
  if (!any)
    engine_collect_files (self->engine); /* of states that were let go */
  pthread_mutex_lock (&self->lock);
  return any || self->roused;
}

/* ---- waiting for a commit ---- */

guint64
ldb_hub_await (LdbHub *self, LdbAwaiter *awaiter)
{
  pthread_mutex_lock (&self->lock);
  gboolean taken = !self->stopping;
  guint64 turn = ++self->turns;
  if (taken)
    {
      awaiter->turn = turn;
      awaiter->previous = NULL;
      awaiter->next = self->awaiters;
      if (awaiter->next != NULL)
        awaiter->next->previous = awaiter;
      self->awaiters = awaiter;
      taken = rouse (self); /* to see whether it is there already, and to arm */
      awaiter->unattended = !taken;
      if (!taken)
        unlink_awaiter (self, awaiter);
    }
  pthread_mutex_unlock (&self->lock);
  return taken ? turn : 0;
}

gboolean
ldb_hub_forsake (LdbHub *self, LdbAwaiter *awaiter, guint64 turn)
{
  pthread_mutex_lock (&self->lock);
  gboolean there = (awaiter->previous != NULL || self->awaiters == awaiter)
                   && (turn == 0 || awaiter->turn == turn);
  if (there)
    unlink_awaiter (self, awaiter);
  pthread_mutex_unlock (&self->lock);
  return there;
}

/* Takes out and calls those who wait for a commit below `visible`, or with the handle `closed`. */
static void
call_awaiters (LdbHub *self, guint64 visible, LdbDatabase *closed)
{
  pthread_mutex_lock (&self->lock);
  LdbAwaiter *ready = take_awaiters (self, visible, closed);
  pthread_mutex_unlock (&self->lock);
  call_ready (ready);
}

/* The lowest commit above which something is waited for, for which the engine is then armed;
 * G_MAXUINT64: nothing is. */
static guint64
awaited (LdbHub *self)
{
  guint64 lowest = self->live->len > 0 ? self->position : G_MAXUINT64;
  pthread_mutex_lock (&self->lock);
  for (LdbAwaiter *awaiter = self->awaiters; awaiter != NULL; awaiter = awaiter->next)
    lowest = MIN (lowest, awaiter->sequence);
  self->armed = lowest;
  if (lowest != G_MAXUINT64)
    ldb_hub_note_armed (self);
  pthread_mutex_unlock (&self->lock);
  return lowest;
}

void
ldb_hub_await_above (LdbHub *self, guint64 sequence)
{
  engine_await_commit (self->engine, sequence, wake, self);
}

/* ---- the thread ---- */

/* The least time between two readings. One hasty observer that can take a frame makes it
 * shorter. */
static gint64
read_interval (LdbHub *self)
{
  gint64 interval = LDB_FRAME_INTERVAL;
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < self->hasty->len; i++)
    {
      LdbObserver *observer = g_ptr_array_index (self->hasty, i);
      if (observer->way == LDB_WAY_NONE && !observer->paused)
        interval = MIN (interval, observer->interval);
    }
  pthread_mutex_unlock (&self->lock);
  return interval;
}

/* Does what can be done now. Returns when there is more to do: 0, now; -1, when something
 * happens. */
static gint64
work (LdbHub *self)
{
  guint64 visible = engine_sequence (self->engine);
  call_awaiters (self, visible, NULL);
  if (self->live->len > 0 && visible > self->position
      && g_get_monotonic_time () >= self->read_at + read_interval (self) && !ldb_hub_read (self))
    return -1;
  if (self->live->len == 0)
    ldb_hub_rest (self);
  gint64 next = send_due (self);
  if (g_get_monotonic_time () >= self->renewed_at + LDB_RENEWAL_TIME)
    renew_states (self);
  visible = engine_sequence (self->engine);
  if (self->live->len > 0 && visible > self->position)
    {
      gint64 at = self->read_at + read_interval (self);
      return ldb_hub_time_commits (self, visible, next < 0 ? at : MIN (next, at));
    }
  guint64 sequence = awaited (self);
  if (sequence != G_MAXUINT64)
    ldb_hub_await_above (self, sequence); /* H3 */
  return next;
}

/* With the lock held: waits until something happens, or until `at`. FALSE: nothing did for long. */
static gboolean
wait_for_work (LdbHub *self, gint64 at)
{
  gint64 end = at >= 0 ? at : g_get_monotonic_time () + IDLE_TIME;
  struct timespec time = { end / G_USEC_PER_SEC, end % G_USEC_PER_SEC * 1000 };
  int outcome = 0;
  while (outcome == 0 && !self->roused)
    outcome = pthread_cond_timedwait (&self->work, &self->lock, &time);
  return self->roused || at >= 0;
}

static void
free_garbage (LdbFrame *garbage)
{
  while (garbage != NULL)
    {
      LdbFrame *next = garbage->next_garbage;
      ldb_frame_free (garbage);
      garbage = next;
    }
}

/* One turn, with the lock held, which is dropped meanwhile. Returns as work() does. */
static gint64
turn (LdbHub *self)
{
  LdbObserver *notices = g_steal_pointer (&self->notices);
  LdbFrame *garbage = g_steal_pointer (&self->garbage);
  self->roused = FALSE;
  ldb_hub_review_timing (self);
  self->wants_done = TRUE; /* what is handled during the turn makes another one */
  pthread_mutex_unlock (&self->lock);
  free_garbage (garbage);
  read_notices (self, notices);
  gint64 at = work (self);
  pthread_mutex_lock (&self->lock);
  self->wants_done = self->waiting->len > 0 || at >= 0;
  return at;
}

static void *
run (void *data)
{
  LdbHub *self = data;
  gboolean busy = TRUE;
  ldb_worker_name_thread ("ldb-changes");
  pthread_mutex_lock (&self->lock);
  while (busy && !self->stopping)
    {
      gint64 at = turn (self);
      busy = self->stopping || wait_for_work (self, at) || renew_at_rest (self);
    }
  self->running = FALSE;
  pthread_cond_broadcast (&self->gone);
  pthread_mutex_unlock (&self->lock);
  ldb_hub_unref (self);
  return NULL;
}

/* ---- life ---- */

static void
init_conditions (LdbHub *self)
{
  pthread_condattr_t attributes;
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->gone, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->work, &attributes);
  pthread_condattr_destroy (&attributes);
}

LdbHub *
ldb_hub_new (struct engine *engine)
{
  LdbHub *self = g_new0 (LdbHub, 1);
  self->references = 1;
  self->engine = engine_ref (engine);
  self->metrics = engine_metrics_block (engine);
  self->generation = ldb_fork_generation;
  init_conditions (self);
  self->kick.deliver = deliver_kick;
  self->observers = g_ptr_array_new ();
  self->live = g_ptr_array_new_with_free_func (ldb_observer_unref);
  self->waiting = g_ptr_array_new ();
  self->hasty = g_ptr_array_new ();
  self->names = ldb_store_names_new ();
  self->cursors = g_array_new (FALSE, FALSE, sizeof (LdbHubCursor));
  self->touched = g_hash_table_new_full (ldb_touch_hash, ldb_touch_equal, ldb_touch_unref, NULL);
  self->answers = g_ptr_array_new_with_free_func (ldb_touch_forget);
  ldb_range_map_init (&self->map);
  return self;
}

LdbHub *
ldb_hub_ref (LdbHub *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

struct engine *
ldb_hub_get_engine (LdbHub *self)
{
  return self->engine;
}

void
ldb_hub_unref (LdbHub *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_ptr_array_unref (self->observers);
  g_ptr_array_unref (self->live);
  g_ptr_array_unref (self->waiting);
  g_ptr_array_unref (self->hasty);
  g_hash_table_unref (self->names);
  g_array_unref (self->cursors);
  g_hash_table_unref (self->touched);
  g_ptr_array_unref (self->answers);
  ldb_range_map_clear (&self->map);
  pthread_cond_destroy (&self->gone);
  pthread_cond_destroy (&self->work);
  pthread_mutex_destroy (&self->lock);
  engine_unref (self->engine);
  g_free (self->timing);
  g_free (self);
}

void
ldb_hub_end_handle (LdbHub *self, LdbDatabase *database)
{
  pthread_mutex_lock (&self->lock);
  for (guint i = self->observers->len; i > 0; i--)
    {
      LdbObserver *observer = g_ptr_array_index (self->observers, i - 1);
      if (observer->database == database)
        ldb_observer_end (observer);
    }
  pthread_mutex_unlock (&self->lock);
  call_awaiters (self, 0, database);
}

/* Nobody looks at the thread's part any more (H4). */
static void
give_back (LdbHub *self, LdbObserver *notices)
{
  while (notices != NULL)
    {
      LdbObserver *next = notices->next_notice;
      ldb_hub_leave (self, notices);
      ldb_observer_unref (notices);
      notices = next;
    }
  while (self->live->len > 0)
    ldb_hub_leave (self, g_ptr_array_index (self->live, self->live->len - 1));
  while (self->waiting->len > 0)
    ldb_hub_leave (self, g_ptr_array_index (self->waiting, 0));
  ldb_hub_rest (self);
}

void
ldb_hub_stop (LdbHub *self)
{
  pthread_mutex_lock (&self->lock);
  self->stopping = TRUE;
  self->roused = TRUE;
  pthread_cond_signal (&self->work);
  while (self->running)
    pthread_cond_wait (&self->gone, &self->lock);
  LdbObserver *notices = g_steal_pointer (&self->notices);
  LdbFrame *garbage = g_steal_pointer (&self->garbage);
  pthread_mutex_unlock (&self->lock);
  engine_await_commit (self->engine, 0, NULL, NULL);
  call_awaiters (self, G_MAXUINT64, NULL);
  give_back (self, notices);
  free_garbage (garbage);
}
