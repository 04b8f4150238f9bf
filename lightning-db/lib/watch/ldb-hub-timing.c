/* SPDX-License-Identifier: MIT */
/*
 * Who observes, and what they were told, for those who look on.
 *
 * The log has no times of commits. While somebody looks on the engine tells of the first commit after
 * each moment that the hub's thread asks for, which makes a mark: from this commit on, this late. A
 * commit has the time of the last mark at or before it, so it is told never too late, and too early by
 * no more than the time until the next moment was asked for.
 *
 * Invariants
 *   M1  While `on` is not set no mark is made, no delivery is noted, and commits wake the hub as if there
 *       were no timing.
 *   M2  Marks rise in both commit and time. A commit before the first one kept has no time.
 *   M3  An observer's `oldest` is the time of the first commit that its pending tells of; 0: not known.
 */
#include "config.h"

#include "ldb-active-watch.h"
#include "ldb-observer-private.h"
#include "ldb-watch-delivery.h"

#define KEPT_TIME 10000000 /* microseconds after the last question */
#define MARK_INTERVAL                                                                              \
  1000                   /* microseconds between two marks, at least, while commits are not read */
#define MARKS 256u       /* that are kept */
#define DELIVERIES 1024u /* likewise */
#define KEY_BYTES ((gsize) 64) /* of a key that are told */

/* From this commit on, this late. */
typedef struct
{
  guint64 sequence; /* the first commit */
  guint64 time;     /* nanoseconds, monotonic */
} Mark;

struct _LdbTiming
{
  gint64 until;           /* microseconds, monotonic: when nobody has asked for long enough */
  guint64 mark_count;     /* that were made since it is on */
  guint64 delivery_count; /* that were noted, ever */
  gint64 marked;          /* when the newest mark was made; microseconds, monotonic */
  gboolean armed;         /* the engine will tell of the next commit */
  Mark marks[MARKS];      /* M2; a ring */
  LdbWatchDelivery deliveries[DELIVERIES]; /* by number; a ring */
};

/* ---- times of commits ---- */

void
ldb_hub_review_timing (LdbHub *self)
{
  LdbTiming *timing = self->timing;
  /* A watch that was lost is not live until its resync was handled, which is a delivery too. */
  gboolean wanted
      = timing != NULL && self->observers->len > 0 && g_get_monotonic_time () < timing->until;
  if (wanted && (!self->timed || self->live->len == 0))
    {
      timing->mark_count = 0; /* what is committed meanwhile is not that old */
      timing->armed = FALSE;
    }
  __atomic_store_n (&self->timed, wanted, __ATOMIC_RELAXED);
}

void
ldb_hub_mark_commit (LdbHub *self)
{
  LdbTiming *timing = self->timing;
  if (!self->timed) /* M1 */
    return;
  timing->armed = FALSE;
  timing->marked = g_get_monotonic_time ();
  timing->marks[timing->mark_count++ % MARKS] = (Mark){ self->armed + 1, metrics_now () };
}

/* With the lock held: when the next mark may be asked for, monotonic; 0: now; -1: it is. */
static gint64
may_mark_at (LdbTiming *timing)
{
  if (timing->armed)
    return -1;
  gint64 at = timing->mark_count > 0 ? timing->marked + MARK_INTERVAL : 0;
  return at > g_get_monotonic_time () ? at : 0;
}

gint64
ldb_hub_time_commits (LdbHub *self, guint64 visible, gint64 at)
{
  if (!self->timed)
    return at;
  pthread_mutex_lock (&self->lock);
  gint64 next = may_mark_at (self->timing);
  if (next == 0)
    {
      self->timing->armed = TRUE;
      self->armed = visible;
    }
  pthread_mutex_unlock (&self->lock);
  if (next == 0)
    ldb_hub_await_above (self, visible);
  return next > 0 ? MIN (at, next) : at;
}

void
ldb_hub_note_armed (LdbHub *self)
{
  if (self->timed)
    self->timing->armed = TRUE;
}

guint64
ldb_hub_find_commit_time (LdbHub *self, guint64 sequence)
{
  guint64 time = 0;
  pthread_mutex_lock (&self->lock);
  const LdbTiming *timing = self->timing;
  guint64 end = self->timed ? timing->mark_count : 0;
  guint64 first = end > MARKS ? end - MARKS : 0;
  while (end > first && time == 0)
    if (timing->marks[--end % MARKS].sequence <= sequence)
      time = timing->marks[end % MARKS].time;
  pthread_mutex_unlock (&self->lock);
  return time;
}

/* ---- deliveries ---- */

void
ldb_hub_note_delivery (LdbHub *self, const LdbObserver *observer, const LdbFrame *frame)
{
  gint64 delivered = g_get_real_time ();
  guint64 now = metrics_now (), committed = frame->committed;
  pthread_mutex_lock (&self->lock);
  if (self->timed)
    {
      guint64 number = ++self->timing->delivery_count;
      self->timing->deliveries[number % DELIVERIES] = (LdbWatchDelivery){
        .number = number,
        .watch = observer->id,
        .committed
        = committed != 0 ? delivered - (gint64) ((now - MIN (committed, now)) / 1000) : 0,
        .delivered = delivered,
        .changes = frame->resync ? 0 : frame->changes->len,
        .resync = frame->resync,
      };
    }
  pthread_mutex_unlock (&self->lock);
}

void
ldb_hub_list_deliveries (LdbHub *self, guint64 after, GPtrArray *list)
{
  pthread_mutex_lock (&self->lock);
  if (self->timing == NULL)
    self->timing = g_new0 (LdbTiming, 1);
  const LdbTiming *timing = self->timing;
  guint64 end = timing->delivery_count;
  guint64 first = MAX (after, end > DELIVERIES ? end - DELIVERIES : 0);
  for (guint64 number = first + 1; number <= end && first < end; number++)
    g_ptr_array_add (list, ldb_watch_delivery_copy (&timing->deliveries[number % DELIVERIES]));
  self->timing->until = g_get_monotonic_time () + KEPT_TIME;
  if (self->observers->len > 0 && !self->timed)
    ldb_hub_rouse (self);
  pthread_mutex_unlock (&self->lock);
}

/* ---- who observes ---- */

/* Whether the keys in between are all those with the prefix `lower`. */
static gboolean
is_prefix (struct bytes lower, struct bytes upper)
{
  gsize last = upper.size - 1;
  if (upper.size == 0 || upper.size > lower.size || memcmp (lower.data, upper.data, last) != 0
      || upper.data[last] != lower.data[last] + 1)
    return FALSE;
  for (gsize i = upper.size; i < lower.size; i++)
    if (lower.data[i] != 0xff)
      return FALSE;
  return TRUE;
}

static gboolean
is_of_every_store (const LdbObserver *observer)
{
  return observer->upper.store == G_MAXUINT32;
}

static LdbWatchKind
kind_of (const LdbObserver *observer)
{
  struct bytes lower = observer->lower.key, upper = observer->upper.key;
  if ((observer->flags & LDB_OBSERVE_STATE) != 0)
    return LDB_WATCH_KIND_LIST;
  if ((observer->flags & LDB_OBSERVE_COMMIT_ORDER) == 0)
    return LDB_WATCH_KIND_ENTRY;
  if (is_of_every_store (observer))
    return LDB_WATCH_KIND_STORES;
  if (observer->single)
    return LDB_WATCH_KIND_KEY;
  if (lower.size == 0 && upper.size == 0)
    return LDB_WATCH_KIND_ALL;
  return is_prefix (lower, upper) ? LDB_WATCH_KIND_PREFIX : LDB_WATCH_KIND_RANGE;
}

static GBytes *
beginning_of (struct bytes key)
{
  return key.size > 0 ? g_bytes_new (key.data, MIN (key.size, KEY_BYTES)) : NULL;
}

/* With the lock held. */
static LdbActiveWatch *
describe (const LdbObserver *observer, const LdbDatabase *own)
{
  LdbActiveWatch *watch = g_new0 (LdbActiveWatch, 1);
  watch->id = observer->id;
  watch->kind = kind_of (observer);
  /* The name of the default store comes with the hub's thread. */
  if (observer->lower.store != ENGINE_STORE_DEFAULT && observer->name != NULL)
    watch->store = g_strdup (observer->name->text);
  watch->start = beginning_of (observer->lower.key);
  watch->start_length = observer->lower.key.size;
  if (!observer->single && watch->kind != LDB_WATCH_KIND_PREFIX)
    {
      watch->end = beginning_of (observer->upper.key);
      watch->end_length = observer->upper.key.size;
    }
  watch->inspector = observer->database == own;
  watch->paused = observer->paused;
  watch->waiting = observer->way != LDB_WAY_NONE;
  watch->batch_interval = (guint64) observer->interval;
  watch->deliveries = __atomic_load_n (&observer->deliveries, __ATOMIC_RELAXED);
  watch->changes = __atomic_load_n (&observer->changes, __ATOMIC_RELAXED);
  watch->resyncs = __atomic_load_n (&observer->resyncs, __ATOMIC_RELAXED);
  watch->lag = __atomic_load_n (&observer->lag, __ATOMIC_RELAXED);
  watch->coalesced = __atomic_load_n (&observer->coalesced, __ATOMIC_RELAXED);
  return watch;
}

void
ldb_hub_list_observers (LdbHub *self, const LdbDatabase *own, GPtrArray *list)
{
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < self->observers->len; i++)
    g_ptr_array_add (list, describe (g_ptr_array_index (self->observers, i), own));
  pthread_mutex_unlock (&self->lock);
}
