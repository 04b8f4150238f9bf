/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   Q1  A work is in `works` exactly from its start until its thread has removed its scratch database.
 *   Q2  The thread works with its own part of a work; what others look at is atomic, or behind `lock`.
 *   Q3  The timer runs exactly while a work is followed.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "insp-load-copy.h"
#include "insp-load-test.h"
#include "insp-scratch.h"

#define LOOK 250                              /* milliseconds between looks */
#define KEPT 14400                            /* samples: an hour */
#define PATIENCE (10 * G_TIME_SPAN_SECOND)    /* that the end of the program waits for */
#define STORE "lightning-inspector load test" /* for the load's records, in a copy */
#define BATCHED 4096                          /* bytes: larger values are filled in one by one */
#define MOST_NAMES (MIX_KINDS + 2)

/* What a thread does, and tells. */
typedef struct
{
  gatomicrefcount references;
  InspLoadPlan plan;          /* never changed; likewise copy_of */
  char *copy_of;              /* owned */
  GCancellable *cancellable;  /* of what can be cancelled; owned */
  gint stopping;              /* atomic */
  gint phase;                 /* InspLoadPhase; atomic */
  _Atomic guint64 copied;     /* records */
  struct mix_board board;     /* has its own lock */
  struct benchmark benchmark; /* of the thread but for `filled` */
  gint64 begun;               /* when it was started, microseconds since 1970 */

  GMutex lock;
  InspLoadRun *run; /* what came of it; guarded by lock */
  GError *error;    /* or why nothing did; guarded by lock */
} Work;

static GMutex works_lock;
static GCond works_changed;
static GPtrArray *works; /* Q1; guarded by works_lock */

struct _InspLoadTest
{
  GObject parent_instance;

  Work *work;           /* that is followed; NULL: none; owned */
  InspHistory *history; /* owned */
  InspLoadPhase phase;  /* as was told last */
  gboolean told;        /* that it ended */
  InspLoadRun *run;     /* until it is taken; owned */
  GError *error;        /* owned */
  char *wrong;          /* owned */
  InspLoadPlan plan;    /* of the last start */
  gint64 running_since; /* monotonic microseconds; 0: not yet */
  guint timer;          /* Q3 */
  guint8 *bars;         /* which bar of a history each bucket of a latency goes to; owned */
};

G_DEFINE_FINAL_TYPE (InspLoadTest, insp_load_test, G_TYPE_OBJECT)

enum
{
  CHANGED,
  ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- works ---- */

static void
work_unref (Work *work)
{
  if (!g_atomic_ref_count_dec (&work->references))
    return;
  g_clear_pointer (&work->run, insp_load_run_free);
  g_clear_error (&work->error);
  g_clear_object (&work->cancellable);
  mix_board_clear (&work->board);
  g_mutex_clear (&work->lock);
  g_free (work->copy_of);
  g_free (work);
}

static void
work_stop (Work *work)
{
  g_atomic_int_set (&work->stopping, TRUE);
  g_cancellable_cancel (work->cancellable);
}

/* Scratch databases are removed before the program is gone, if that does not take long. */
static void
end_all (void)
{
  gint64 limit = g_get_monotonic_time () + PATIENCE;
  g_mutex_lock (&works_lock);
  for (guint i = 0; i < works->len; i++)
    work_stop (works->pdata[i]);
  while (works->len > 0 && g_cond_wait_until (&works_changed, &works_lock, limit))
    ;
  g_mutex_unlock (&works_lock);
}

static void
list_work (Work *work)
{
  g_mutex_lock (&works_lock);
  if (works == NULL)
    {
      works = g_ptr_array_new ();
      atexit (end_all);
    }
  g_ptr_array_add (works, work);
  g_mutex_unlock (&works_lock);
}

static void
unlist_work (Work *work)
{
  g_mutex_lock (&works_lock);
  g_ptr_array_remove_fast (works, work);
  g_cond_broadcast (&works_changed);
  g_mutex_unlock (&works_lock);
}

/* ---- the thread ---- */

static void
enter (Work *work, InspLoadPhase phase)
{
  g_atomic_int_set (&work->phase, phase);
}

static bool
is_stopping (void *data)
{
  return g_atomic_int_get (&((Work *) data)->stopping) != 0;
}

static gboolean
on_copied (guint64 records, gpointer data)
{
  Work *work = data;
  atomic_store_explicit (&work->copied, records, memory_order_relaxed);
  return !is_stopping (work);
}

static gboolean
fail (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, driver_failure ());
  return FALSE;
}

static gboolean
check_room (Work *work, InspScratch *scratch, GError **error)
{
  guint64 room = insp_scratch_get_room (scratch), wanted = insp_load_plan_get_room (&work->plan);
  if (work->copy_of != NULL)
    wanted += measure_disk (work->copy_of);
  if (room == 0 || wanted <= room)
    return TRUE;
  g_autofree char *need = g_format_size (wanted);
  g_autofree char *have = g_format_size (room);
  g_autofree char *root = insp_scratch_get_root ();
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               /* Translators: sizes, and a folder */
               _ ("The scratch database needs about %s, but %s are free in %s. Choose fewer or "
                  "smaller records, or make room."),
               need, have, root);
  return FALSE;
}

static void
prepare (Work *work, const char *directory)
{
  const InspLoadPlan *plan = &work->plan;
  work->benchmark.driver = &benchmark_driver;
  work->benchmark.options = (struct driver_options){
    .directory = directory,
    .store = work->copy_of != NULL ? STORE : NULL,
    .budget = INSP_LOAD_BUDGET,
    .records = plan->records,
    .key_size = INSP_LOAD_KEY_SIZE,
    .value_size = plan->value_size,
    .threads = plan->threads,
    .sync = plan->durable,
    .compression = true,
  };
  work->benchmark.settings = (struct workload_settings){
    .seconds = plan->seconds,
    .seed = 1,
    .stopped = is_stopping,
    .stopped_data = work,
  };
}

/* Filling is not what is measured: it waits for the disk once, not for each record. */
static gboolean
fill (Work *work, GError **error)
{
  g_autofree struct workload_result *result = g_new0 (struct workload_result, 1);
  const char *row = work->plan.value_size <= BATCHED ? "fillrandom-batch" : "fillrandom";
  return workload_run (&work->benchmark, workload_find (row), 1, result) || fail (error);
}

static gboolean
measure (Work *work, GError **error)
{
  g_autofree struct workload_result *result = g_new0 (struct workload_result, 1);
  const struct mix *mix = work->benchmark.mix;
  enter (work, INSP_LOAD_RUNNING);
  if (!workload_run (&work->benchmark, &mix_workload, work->plan.threads, result))
    return fail (error);
  g_autofree struct mix_tally *tally = g_new (struct mix_tally, 1);
  mix_board_read (mix->board, tally);
  g_autoptr (InspLoadRun) run = insp_load_run_new (work->begun, work->copy_of, &work->plan);
  run->seconds = result->seconds;
  run->disk = result->disk;
  run->stopped = is_stopping (work);
  insp_load_run_set_tally (run, tally);
  g_mutex_lock (&work->lock);
  work->run = g_steal_pointer (&run);
  g_mutex_unlock (&work->lock);
  return TRUE;
}

static gboolean
work_on (Work *work, GError **error)
{
  struct mix mix = { .order = work->plan.order, .board = &work->board };
  memcpy (mix.shares, work->plan.shares, sizeof mix.shares);
  work->benchmark.mix = &mix;
  enter (work, INSP_LOAD_FILLING);
  if (!benchmark_open (&work->benchmark, false))
    return fail (error);
  gboolean done = fill (work, error) && (is_stopping (work) || measure (work, error));
  enter (work, INSP_LOAD_CLEANING);
  benchmark_close (
      &work->benchmark); /* it is thrown away: whether that went well does not matter */
  return done;
}

static gboolean
work_in (Work *work, InspScratch *scratch, GError **error)
{
  const char *path = insp_scratch_get_path (scratch);
  if (!check_room (work, scratch, error))
    return FALSE;
  if (work->copy_of != NULL)
    {
      enter (work, INSP_LOAD_COPYING);
      if (!insp_load_copy (work->copy_of, path, on_copied, work, work->cancellable, error))
        return FALSE;
    }
  prepare (work, path);
  return is_stopping (work) || work_on (work, error);
}

static gpointer
run_work (gpointer data)
{
  Work *work = data;
  g_autoptr (GError) error = NULL;
  insp_scratch_sweep ();
  InspScratch *scratch = insp_scratch_new ("data", &error);
  if (scratch != NULL)
    work_in (work, scratch, &error);
  enter (work, INSP_LOAD_CLEANING);
  g_mutex_lock (&work->lock);
  if (!is_stopping (work))
    work->error = g_steal_pointer (&error);
  g_mutex_unlock (&work->lock);
  g_clear_pointer (&scratch, insp_scratch_free);
  enter (work, INSP_LOAD_DONE);
  unlist_work (work); /* Q1 */
  work_unref (work);
  return NULL;
}

/* ---- following ---- */

static void
learn_bars (InspLoadTest *self)
{
  self->bars = g_new (guint8, LATENCY_BUCKETS);
  guint bar = 0;
  for (gsize bucket = 0; bucket < LATENCY_BUCKETS; bucket++)
    {
      while (bar < INSP_BARS - 1
             && insp_history_bar_end (bar) < (double) latency_bucket_middle (bucket))
        bar++;
      self->bars[bucket] = (guint8) bar;
    }
}

static void
set_names (InspLoadTest *self)
{
  const char *names[MOST_NAMES] = { NULL };
  char *histograms[MIX_KINDS + 1] = { NULL };
  for (guint i = 0; i < MIX_KINDS; i++)
    {
      names[i] = mix_kind_names[i].id;
      histograms[i] = g_strconcat (names[i], "_time", NULL);
    }
  names[MIX_KINDS] = "wrong";
  insp_history_set_names (self->history, names, (const char *const *) histograms);
  for (guint i = 0; i < MIX_KINDS; i++)
    g_free (histograms[i]);
}

static void
take_sample (InspLoadTest *self)
{
  g_autofree struct mix_tally *tally = g_new (struct mix_tally, 1);
  g_autofree gint64 *recorded = g_new0 (gint64, MIX_KINDS * INSP_BARS);
  gint64 values[MIX_KINDS + 1], now = g_get_monotonic_time ();
  guint64 end = insp_history_get_end (self->history);
  mix_board_read (&self->work->board, tally);
  for (guint i = 0; i < MIX_KINDS; i++)
    {
      values[i] = (gint64) tally->operations[i];
      for (gsize bucket = 0; tally->latencies[i].count > 0 && bucket < LATENCY_BUCKETS; bucket++)
        recorded[i * INSP_BARS + self->bars[bucket]]
            += (gint64) tally->latencies[i].buckets[bucket];
    }
  values[MIX_KINDS] = (gint64) tally->wrong;
  if (end == insp_history_get_first (self->history)
      || now > insp_history_get_time (self->history, end - 1))
    insp_history_append (self->history, now, values, recorded);
}

static void
take_outcome (InspLoadTest *self)
{
  Work *work = self->work;
  g_mutex_lock (&work->lock);
  if (self->run == NULL)
    self->run = g_steal_pointer (&work->run);
  if (self->error == NULL)
    self->error = g_steal_pointer (&work->error);
  g_mutex_unlock (&work->lock);
  pthread_mutex_lock (&work->board.lock);
  if (work->board.wrong[0] != '\0' && self->wrong == NULL)
    self->wrong = g_strdup (work->board.wrong);
  pthread_mutex_unlock (&work->board.lock);
}

static void
follow_phase (InspLoadTest *self, InspLoadPhase phase)
{
  if (phase == INSP_LOAD_RUNNING && self->running_since == 0)
    self->running_since = g_get_monotonic_time ();
  if (phase == INSP_LOAD_RUNNING || self->phase == INSP_LOAD_RUNNING)
    take_sample (self);
  self->phase = phase;
  if (phase < INSP_LOAD_CLEANING || self->told)
    return;
  take_outcome (self);
  self->told = self->run != NULL || self->error != NULL || phase == INSP_LOAD_DONE;
  if (self->told)
    g_signal_emit (self, signals[ENDED], 0);
}

static gboolean
on_look (gpointer data)
{
  InspLoadTest *self = data;
  g_object_ref (self);
  follow_phase (self, (InspLoadPhase) g_atomic_int_get (&self->work->phase));
  gboolean goes_on = self->phase != INSP_LOAD_DONE;
  if (!goes_on)
    {
      self->timer = 0; /* Q3 */
      g_clear_pointer (&self->work, work_unref);
    }
  g_signal_emit (self, signals[CHANGED], 0);
  g_object_unref (self);
  return goes_on;
}

/* ---- using ---- */

static void
forget (InspLoadTest *self)
{
  g_clear_pointer (&self->run, insp_load_run_free);
  g_clear_error (&self->error);
  g_clear_pointer (&self->wrong, g_free);
  self->running_since = 0;
  self->told = FALSE;
  insp_history_begin_anew (self->history);
}

void
insp_load_test_start (InspLoadTest *self, const InspLoadPlan *plan, const char *copy_of)
{
  g_return_if_fail (self->work == NULL && insp_load_plan_check (plan) == NULL);
  Work *work = g_new0 (Work, 1);
  forget (self);
  self->plan = work->plan = *plan;
  g_atomic_ref_count_init (&work->references);
  g_atomic_ref_count_inc (&work->references); /* the thread's */
  g_mutex_init (&work->lock);
  mix_board_init (&work->board);
  work->copy_of = g_strdup (copy_of);
  work->cancellable = g_cancellable_new ();
  work->phase = copy_of != NULL ? INSP_LOAD_COPYING : INSP_LOAD_FILLING;
  work->begun = g_get_real_time ();
  self->work = work;
  self->phase = (InspLoadPhase) work->phase;
  self->timer = g_timeout_add (LOOK, on_look, self); /* Q3 */
  list_work (work);
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_try_new ("load test", run_work, work, &error);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    {
      work->error = g_steal_pointer (&error);
      enter (work, INSP_LOAD_DONE);
      unlist_work (work);
      work_unref (work);
    }
  g_signal_emit (self, signals[CHANGED], 0);
}

void
insp_load_test_stop (InspLoadTest *self)
{
  if (self->work != NULL)
    work_stop (self->work);
}

InspLoadPhase
insp_load_test_get_phase (InspLoadTest *self)
{
  return self->phase;
}

double
insp_load_test_get_progress (InspLoadTest *self)
{
  Work *work = self->work;
  if (work == NULL)
    return 0;
  switch (self->phase)
    {
    case INSP_LOAD_COPYING:
      return (double) atomic_load (&work->copied);
    case INSP_LOAD_FILLING:
      return (double) atomic_load (&work->benchmark.filled) / (double) work->plan.records;
    case INSP_LOAD_RUNNING:
      return MIN ((double) (g_get_monotonic_time () - self->running_since) / G_USEC_PER_SEC
                      / (double) work->plan.seconds,
                  1);
    default:
      return 0;
    }
}

const InspLoadPlan *
insp_load_test_get_plan (InspLoadTest *self)
{
  return &self->plan;
}

const GError *
insp_load_test_get_error (InspLoadTest *self)
{
  return self->error;
}

const char *
insp_load_test_get_wrong (InspLoadTest *self)
{
  return self->wrong;
}

InspLoadRun *
insp_load_test_take_run (InspLoadTest *self)
{
  return g_steal_pointer (&self->run);
}

InspHistory *
insp_load_test_get_history (InspLoadTest *self)
{
  return self->history;
}

/* ---- the object ---- */

static void
insp_load_test_dispose (GObject *object)
{
  InspLoadTest *self = INSP_LOAD_TEST (object);
  insp_load_test_stop (self);
  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_pointer (&self->work, work_unref);
  G_OBJECT_CLASS (insp_load_test_parent_class)->dispose (object);
}

static void
insp_load_test_finalize (GObject *object)
{
  InspLoadTest *self = INSP_LOAD_TEST (object);
  g_clear_pointer (&self->run, insp_load_run_free);
  g_clear_error (&self->error);
  g_free (self->wrong);
  g_free (self->bars);
  g_object_unref (self->history);
  G_OBJECT_CLASS (insp_load_test_parent_class)->finalize (object);
}

static void
insp_load_test_class_init (InspLoadTestClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_load_test_dispose;
  G_OBJECT_CLASS (class)->finalize = insp_load_test_finalize;
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_LOAD_TEST, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  signals[ENDED] = g_signal_new ("ended", INSP_TYPE_LOAD_TEST, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
}

static void
insp_load_test_init (InspLoadTest *self)
{
  insp_load_plan_init (&self->plan);
  self->history = insp_history_new (KEPT);
  learn_bars (self);
  set_names (self);
}

InspLoadTest *
insp_load_test_new (void)
{
  return g_object_new (INSP_TYPE_LOAD_TEST, NULL);
}
