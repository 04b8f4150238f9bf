/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous calls in great numbers: they need no thread of GTask's, they leave the main loop
 * free, and wherever one is cancelled the database is as before or as after it.
 *
 * /async-load/main-loop prints how long the turns of the main loop took; timings are never judged.
 * With --long it runs for ten seconds, and the test of cancelling makes a thousand attempts of each
 * kind.
 */
#include "ldb-test.h"

#include <time.h>

/* Calls under way at once, and jobs in GTask's pool. ThreadSanitizer leaves too few addresses for
 * the memory of so many transactions; and it does not see how GLib hands memory over to its pool, so
 * there are no jobs under it: it looks at how the calls themselves go from thread to thread. */
#ifdef __SANITIZE_THREAD__
#define AT_ONCE 100u
#define JOBS 0u
#else
#define AT_ONCE 1000u
#define JOBS 100u
#endif

static gboolean run_long;

static void
turn_until (const guint *done, guint count)
{
  while (*done < count)
    g_main_context_iteration (NULL, TRUE);
}

/* ---- GTask's threads ---- */

typedef struct
{
  GMutex lock;  /* guards the rest */
  GCond change; /* of `free` */
  gboolean free;
} Gate;

static void
wait_at_gate (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Gate *gate = data;
  g_mutex_lock (&gate->lock);
  while (!gate->free)
    g_cond_wait (&gate->change, &gate->lock);
  g_mutex_unlock (&gate->lock);
  g_task_return_boolean (task, TRUE);
}

static void
count_gate (GObject *source, GAsyncResult *result, gpointer data)
{
  (*(guint *) data)++;
}

typedef struct
{
  guint done;    /* calls that came back */
  guint failed;  /* of these, with an error */
  guint absent;  /* gets without a value */
  GThread *here; /* where they have to come back */
} Outcome;

#define DEFINE_COUNTER(name, type, is_good)                                                        \
  static void count_##name (GObject *source, GAsyncResult *result, gpointer data)                  \
  {                                                                                                \
    Outcome *outcome = data;                                                                       \
    g_autoptr (GError) error = NULL;                                                               \
    type value = ldb_##name##_finish ((gpointer) source, result, &error);                          \
    g_assert_true (outcome->here == g_thread_self ());                                             \
    outcome->done++;                                                                               \
    outcome->failed += error != NULL;                                                              \
    is_good;                                                                                       \
  }

/* clang-format off */
DEFINE_COUNTER (database_put, gboolean, (void) value)
DEFINE_COUNTER (database_contains, gboolean, outcome->absent += !value)
DEFINE_COUNTER (database_write_batch, gboolean, (void) value)
DEFINE_COUNTER (database_sync, gboolean, (void) value)
DEFINE_COUNTER (transaction_commit, gboolean, (void) value)
DEFINE_COUNTER (database_get, GBytes *, outcome->absent += value == NULL; g_clear_pointer (&value, g_bytes_unref))
DEFINE_COUNTER (cursor_read, GPtrArray *, g_clear_pointer (&value, g_ptr_array_unref))
/* clang-format on */

/* One call of each kind in turn. */
static void
start_one (LdbDatabase *db, guint number, Outcome *outcome)
{
  g_autoptr (GError) error = NULL;
  char key[16];
  g_snprintf (key, sizeof key, "%06u", number % 100);
  switch (number % 7)
    {
    case 0:
      ldb_database_put_async (db, key, 6, key, 6, NULL, count_database_put, outcome);
      break;
    case 1:
      ldb_database_get_async (db, key, 6, NULL, count_database_get, outcome);
      break;
    case 2:
      ldb_database_contains_async (db, key, 6, NULL, count_database_contains, outcome);
      break;
    case 3:
      {
        g_autoptr (LdbBatch) batch = ldb_batch_new ();
        ldb_batch_put (batch, NULL, key, 6, "b", 1, &error);
        ldb_database_write_batch_async (db, batch, LDB_SYNC_MODE_FULL, NULL,
                                        count_database_write_batch, outcome);
        break;
      }
    case 4:
      {
        g_autoptr (LdbTransaction) transaction
            = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
        g_snprintf (key, sizeof key, "t%010u", number); /* of its own: none conflicts */
        ldb_transaction_put (transaction, NULL, key, 11, "t", 1, &error);
        ldb_transaction_commit_async (transaction, LDB_SYNC_MODE_DEFAULT, NULL,
                                      count_transaction_commit, outcome);
        break;
      }
    case 5:
      {
        g_autoptr (LdbCursor) cursor
            = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
        ldb_cursor_read_async (cursor, 20, NULL, count_cursor_read, outcome);
        break;
      }
    default:
      ldb_database_sync_async (db, NULL, count_database_sync, outcome);
      break;
    }
  g_assert_no_error (error);
}

static void
put_hundred (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *key = g_strdup_printf ("%06u", i);
      ldb_database_put (db, key, 6, key, 6, NULL, &error);
    }
  g_assert_no_error (error);
}

/* A thousand calls end while every thread of GTask's pool is held, so they use none; and jobs of
 * the pool end while a thousand calls are under way. */
static void
test_other_tasks (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Outcome outcome = { .here = g_thread_self () };
  Gate gate = { .free = FALSE };
  guint gates = 0;
  put_hundred (db);
  g_mutex_init (&gate.lock);
  g_cond_init (&gate.change);
  for (guint i = 0; i < JOBS; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, count_gate, &gates);
      g_task_set_task_data (task, &gate, NULL);
      g_task_run_in_thread (task, wait_at_gate);
    }
  for (guint i = 0; i < AT_ONCE; i++)
    start_one (db, i, &outcome);
  turn_until (&outcome.done, AT_ONCE);
  g_assert_cmpuint (gates, ==, 0);
  g_assert_cmpuint (outcome.failed, ==, 0);
  g_assert_cmpuint (outcome.absent, ==, 0);

  outcome.done = 0;
  for (guint i = 0; i < AT_ONCE; i++)
    start_one (db, AT_ONCE + i, &outcome);
  g_mutex_lock (&gate.lock);
  gate.free = TRUE;
  g_cond_broadcast (&gate.change);
  g_mutex_unlock (&gate.lock);
  turn_until (&gates, JOBS);
  turn_until (&outcome.done, AT_ONCE);
  g_assert_cmpuint (outcome.failed, ==, 0);
  g_cond_clear (&gate.change);
  g_mutex_clear (&gate.lock);
}

/* ---- from memory ---- */

/* What memory can answer is there when the loop turns, without a wait. */
static void
test_no_hop (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Outcome outcome = { .here = g_thread_self () };
  put_hundred (db);
  for (guint round = 0; round < 2; round++)
    {
      /* In the memtable first, then in a page of the cache. */
      outcome.done = 0;
      for (guint i = 0; i < 50; i++)
        {
          g_autofree char *key = g_strdup_printf ("%06u", i);
          g_autoptr (GBytes) warm = ldb_database_get (db, key, 6, NULL, &error);
          g_assert_nonnull (warm);
          ldb_database_get_async (db, key, 6, NULL, count_database_get, &outcome);
        }
      g_assert_cmpuint (outcome.done, ==, 0);
      while (outcome.done < 50)
        g_assert_true (g_main_context_iteration (NULL, FALSE));
      g_assert_true (ldb_database_flush (db, NULL, &error));
    }
  g_assert_no_error (error);
  g_assert_cmpuint (outcome.absent + outcome.failed, ==, 0);
}

/* ---- the main loop ---- */

/* Spans of the main thread, each by two clocks, in ns. */
typedef struct
{
  gint64 wall_begun, processor_begun; /* of the span that is under way */
  GArray *wall, *processor;           /* of each that has ended */
} Spans;

static Spans turns;  /* of the loop: from the end of its wait to the end of the iteration */
static Spans starts; /* of calls: what starting one takes */

static gint64
nanoseconds (clockid_t clock)
{
  struct timespec now;
  clock_gettime (clock, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
span_begin (Spans *spans)
{
  spans->wall_begun = nanoseconds (CLOCK_MONOTONIC);
  spans->processor_begun = nanoseconds (CLOCK_THREAD_CPUTIME_ID);
}

static void
span_end (Spans *spans)
{
  gint64 wall = nanoseconds (CLOCK_MONOTONIC) - spans->wall_begun;
  gint64 processor = nanoseconds (CLOCK_THREAD_CPUTIME_ID) - spans->processor_begun;
  g_array_append_val (spans->wall, wall);
  g_array_append_val (spans->processor, processor);
}

static gint
poll_and_begin_turn (GPollFD *fds, guint n_fds, gint timeout)
{
  gint ready = g_poll (fds, n_fds, timeout);
  span_begin (&turns);
  return ready;
}

static gint
compare_times (gconstpointer one, gconstpointer other)
{
  gint64 a = *(const gint64 *) one, b = *(const gint64 *) other;
  return a < b ? -1 : a > b;
}

static void
print_times (const char *what, const char *clock, GArray *times)
{
  g_array_sort (times, compare_times);
  const gint64 *sorted = (const gint64 *) (void *) times->data;
  g_test_message ("%u %s by %s: median %.1f us, P99 %.1f us, longest %.1f us", times->len, what,
                  clock, (double) sorted[times->len / 2] / 1e3,
                  (double) sorted[times->len - 1 - times->len / 100] / 1e3,
                  (double) sorted[times->len - 1] / 1e3);
}

static void
spans_init (Spans *spans)
{
  spans->wall = g_array_new (FALSE, FALSE, sizeof (gint64));
  spans->processor = g_array_new (FALSE, FALSE, sizeof (gint64));
}

static void
spans_print (Spans *spans, const char *what)
{
  g_assert_cmpuint (spans->wall->len, >, 0);
  print_times (what, "the wall clock", spans->wall);
  print_times (what, "the thread's own time", spans->processor);
  g_array_unref (spans->wall);
  g_array_unref (spans->processor);
}

static void
test_main_loop (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Outcome outcome = { .here = g_thread_self () };
  guint started = 0;
  put_hundred (db);
  spans_init (&turns);
  spans_init (&starts);
  g_main_context_set_poll_func (NULL, poll_and_begin_turn);
  gint64 begun = g_get_monotonic_time ();
  gint64 end = begun + (run_long ? 10 : 1) * G_USEC_PER_SEC;
  while (g_get_monotonic_time () < end)
    {
      while (started - outcome.done < 256)
        {
          span_begin (&starts);
          start_one (db, started++, &outcome);
          span_end (&starts);
        }
      g_main_context_iteration (NULL, TRUE);
      span_end (&turns);
    }
  turn_until (&outcome.done, started);
  double seconds = (double) (g_get_monotonic_time () - begun) / G_USEC_PER_SEC;
  g_main_context_set_poll_func (NULL, NULL);
  g_assert_cmpuint (outcome.failed, ==, 0);
  g_test_message ("%.0f calls a second, 256 at once, of seven kinds", started / seconds);
  spans_print (&turns, "turns of the main loop");
  spans_print (&starts, "calls begun");
}

/* ---- cancelling ---- */

/* A call that is cancelled after a while: what it is, and what has to be true afterwards. */
typedef struct
{
  Place *place;
  LdbDatabase *db;
  guint number;  /* of the attempt */
  gpointer held; /* what the call works on, or NULL; owned */
} Attempt;

typedef struct
{
  const char *name;
  void (*start) (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result);
  gboolean (*finish) (Attempt *attempt, GAsyncResult *result, GError **error);
  void (*judge) (Attempt *attempt, gboolean succeeded);
} CancelCase;

static char *
attempt_path (Attempt *attempt, const char *what)
{
  return g_strdup_printf ("%s/%s-%u", attempt->place->directory, what, attempt->number);
}

/* The key that only this attempt writes is there exactly when the call says so. */
static void
judge_key (Attempt *attempt, gboolean succeeded)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *key = g_strdup_printf ("own-%u", attempt->number);
  g_assert_true (ldb_database_contains (attempt->db, key, strlen (key), NULL, &error) == succeeded);
  g_assert_no_error (error);
}

static void
start_put (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  g_autofree char *key = g_strdup_printf ("own-%u", attempt->number);
  ldb_database_put_async (attempt->db, key, strlen (key), "v", 1, cancellable, KEEP (*result));
}

static gboolean
finish_put (Attempt *attempt, GAsyncResult *result, GError **error)
{
  return ldb_database_put_finish (attempt->db, result, error);
}

static void
start_commit (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  g_autofree char *key = g_strdup_printf ("own-%u", attempt->number);
  attempt->held = ldb_database_begin (attempt->db, LDB_TRANSACTION_NONE, NULL);
  g_assert_true (ldb_transaction_put_string (attempt->held, NULL, key, "v", NULL));
  ldb_transaction_commit_async (attempt->held, LDB_SYNC_MODE_FULL, cancellable, KEEP (*result));
}

static gboolean
finish_commit (Attempt *attempt, GAsyncResult *result, GError **error)
{
  return ldb_transaction_commit_finish (attempt->held, result, error);
}

static void
start_batch (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  g_autofree char *key = g_strdup_printf ("own-%u", attempt->number);
  attempt->held = ldb_batch_new ();
  g_assert_true (ldb_batch_put_string (attempt->held, NULL, key, "v", NULL));
  ldb_database_write_batch_async (attempt->db, attempt->held, LDB_SYNC_MODE_FULL, cancellable,
                                  KEEP (*result));
}

static gboolean
finish_batch (Attempt *attempt, GAsyncResult *result, GError **error)
{
  return ldb_database_write_batch_finish (attempt->db, result, error);
}

static void
start_load (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  attempt->held = ldb_database_create_loader (attempt->db, NULL);
  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *key = g_strdup_printf ("load-%u-%u", attempt->number, i);
      g_assert_true (ldb_loader_put (attempt->held, NULL, key, strlen (key), "v", 1, NULL));
    }
  ldb_loader_commit_async (attempt->held, cancellable, KEEP (*result));
}

static gboolean
finish_load (Attempt *attempt, GAsyncResult *result, GError **error)
{
  return ldb_loader_commit_finish (attempt->held, result, error);
}

/* All of them or none. */
static void
judge_load (Attempt *attempt, gboolean succeeded)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *prefix = g_strdup_printf ("load-%u-", attempt->number);
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan_prefix (attempt->db, prefix, strlen (prefix), LDB_SCAN_KEYS_ONLY, &error);
  guint count = 0;
  while (ldb_cursor_next (cursor, NULL, &error))
    count++;
  g_assert_no_error (error);
  g_assert_cmpuint (count, ==, succeeded ? 500 : 0);
}

static void
start_compact (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  ldb_database_compact_async (attempt->db, NULL, NULL, NULL, cancellable, KEEP (*result));
}

static gboolean
finish_compact (Attempt *attempt, GAsyncResult *result, GError **error)
{
  return ldb_database_compact_finish (attempt->db, result, error);
}

static void
start_read (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  attempt->held = ldb_database_scan (attempt->db, NULL, 0, NULL, 0, LDB_SCAN_NONE, NULL);
  ldb_cursor_read_async (attempt->held, 3000, cancellable, KEEP (*result));
}

static gboolean
finish_read (Attempt *attempt, GAsyncResult *result, GError **error)
{
  g_autoptr (GPtrArray) records = ldb_cursor_read_finish (attempt->held, result, error);
  return records != NULL;
}

/* The cursor is free again. */
static void
judge_read (Attempt *attempt, gboolean succeeded)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_cursor_first (attempt->held, NULL, &error));
  g_assert_no_error (error);
}

static void
start_backup (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  g_autofree char *path = attempt_path (attempt, "backup");
  ldb_database_backup_async (attempt->db, path, LDB_BACKUP_VERIFY, NULL, NULL, NULL, cancellable,
                             KEEP (*result));
}

static gboolean
finish_backup (Attempt *attempt, GAsyncResult *result, GError **error)
{
  g_autoptr (LdbBackupResult) backup = ldb_database_backup_finish (attempt->db, result, error);
  return backup != NULL;
}

/* Another attempt at the same place succeeds, and what it makes is sound. */
static void
judge_backup (Attempt *attempt, gboolean succeeded)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = attempt_path (attempt, "backup");
  g_autoptr (LdbBackupResult) again
      = ldb_database_backup (attempt->db, path, LDB_BACKUP_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (again);
  g_autoptr (LdbCheckReport) report
      = ldb_database_check_path (path, LDB_CHECK_DEEP, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (report->fault_count, ==, 0);
  ldb_test_remove (path);
}

static void
start_restore (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *backup = g_build_filename (attempt->place->directory, "source", NULL);
  g_autofree char *path = attempt_path (attempt, "restored");
  if (!g_file_test (backup, G_FILE_TEST_EXISTS))
    ldb_backup_result_free (
        ldb_database_backup (attempt->db, backup, LDB_BACKUP_NONE, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  ldb_database_restore_async (backup, path, NULL, NULL, NULL, cancellable, KEEP (*result));
}

static gboolean
finish_restore (Attempt *attempt, GAsyncResult *result, GError **error)
{
  return ldb_database_restore_finish (result, error);
}

/* What was cancelled is no database that could be taken for the whole. */
static void
judge_restore (Attempt *attempt, gboolean succeeded)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = attempt_path (attempt, "restored");
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_NONE, NULL, NULL, &error);
  if (succeeded)
    {
      g_assert_no_error (error);
      g_assert_true (ldb_database_contains (db, "000000", 6, NULL, &error));
      g_assert_true (ldb_database_close (db, NULL, &error));
      g_assert_no_error (error);
    }
  else
    g_assert_null (db);
  ldb_test_remove (path);
}

static void
start_check (Attempt *attempt, GCancellable *cancellable, GAsyncResult **result)
{
  ldb_database_check_async (attempt->db, LDB_CHECK_DEEP, NULL, NULL, NULL, cancellable,
                            KEEP (*result));
}

static gboolean
finish_check (Attempt *attempt, GAsyncResult *result, GError **error)
{
  g_autoptr (LdbCheckReport) report = ldb_database_check_finish (attempt->db, result, error);
  g_assert_true (report == NULL || report->fault_count == 0);
  return report != NULL;
}

static const CancelCase cancel_cases[] = {
  { "put", start_put, finish_put, judge_key },
  { "commit", start_commit, finish_commit, judge_key },
  { "batch", start_batch, finish_batch, judge_key },
  { "load", start_load, finish_load, judge_load },
  { "compact", start_compact, finish_compact, NULL },
  { "read", start_read, finish_read, judge_read },
  { "backup", start_backup, finish_backup, judge_backup },
  { "restore", start_restore, finish_restore, judge_restore },
  { "check", start_check, finish_check, NULL },
};

/* Starts the call, cancels it after `delay` µs (negative: never), and judges. TRUE if it
 * succeeded. */
static gboolean
attempt_once (const CancelCase *its, Attempt *attempt, gint64 delay)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GAsyncResult *result = NULL;
  gint64 begun = g_get_monotonic_time ();
  its->start (attempt, cancellable, &result);
  while (delay >= 0 && result == NULL && g_get_monotonic_time () - begun < delay)
    g_main_context_iteration (NULL, FALSE);
  if (delay >= 0)
    g_cancellable_cancel (cancellable);
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  gboolean succeeded = its->finish (attempt, done, &error);
  if (!succeeded)
    {
      g_assert_cmpint (delay, >=, 0);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  if (its->judge != NULL)
    its->judge (attempt, succeeded);
  g_clear_object (&attempt->held);
  attempt->number++;
  return succeeded;
}

/* Each call is cancelled at moments all over the time it takes. */
static void
test_cancel_anywhere (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Attempt attempt = { .place = place, .db = place_open (place, NULL) };
  guint attempts = run_long ? 1000 : 25;
  put_hundred (attempt.db);
  for (guint i = 0; i < G_N_ELEMENTS (cancel_cases); i++)
    {
      const CancelCase *its = &cancel_cases[i];
      guint cancelled = 0;
      g_assert_true (ldb_database_flush (attempt.db, NULL, &error));
      gint64 begun = g_get_monotonic_time ();
      g_assert_true (attempt_once (its, &attempt, -1));
      gint64 takes = g_get_monotonic_time () - begun;
      for (guint k = 0; k < attempts; k++)
        cancelled += !attempt_once (its, &attempt, takes * k / attempts);
      g_test_message ("%s: cancelled %u of %u times", its->name, cancelled, attempts);
    }
  g_autoptr (LdbCheckReport) report
      = ldb_database_check (attempt.db, LDB_CHECK_DEEP, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (report->fault_count, ==, 0);
  g_object_unref (attempt.db);
}

/* Waits that have no end while somebody writes stand in nobody's way. */
static void
test_long_waits (Place *place, gconstpointer data)
{
  enum
  {
    WAITS = 12
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  GAsyncResult *waits[WAITS] = { NULL }, *flushed = NULL, *closed = NULL;
  ldb_test_put (db, "k", "v");
  for (guint i = 0; i < WAITS; i++)
    ldb_database_wait_settled_async (db, G_MAXUINT, NULL, KEEP (waits[i]));
  ldb_database_flush_async (db, NULL, KEEP (flushed));
  for (gint64 end = g_get_monotonic_time () + 120 * G_USEC_PER_SEC; flushed == NULL;)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      ldb_test_put (db, "k", "v");
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (1000);
    }
  g_autoptr (GAsyncResult) flush = flushed;
  g_assert_true (ldb_database_flush_finish (db, flush, &error));
  for (guint i = 0; i < WAITS; i++)
    g_assert_null (waits[i]);
  ldb_database_close_async (db, NULL, KEEP (closed));
  g_autoptr (GAsyncResult) close = ldb_test_wait (&closed);
  g_assert_true (ldb_database_close_finish (db, close, &error));
  for (guint i = 0; i < WAITS; i++)
    {
      g_autoptr (GAsyncResult) wait = ldb_test_wait (&waits[i]);
      g_assert_false (ldb_database_wait_settled_finish (db, wait, &error));
      assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
    }
}

int
main (int argc, char *argv[])
{
  for (int i = 1; i < argc; i++)
    if (g_str_equal (argv[i], "--long"))
      {
        run_long = TRUE;
        memmove (&argv[i], &argv[i + 1], sizeof *argv * (size_t) (argc - i));
        argc--;
        i--;
      }
  g_test_init (&argc, &argv, NULL);
  add_test ("/async-load/other-tasks", test_other_tasks);
  add_test ("/async-load/no-hop", test_no_hop);
  add_test ("/async-load/long-waits", test_long_waits);
  add_test ("/async-load/main-loop", test_main_loop);
  add_test ("/async-load/cancel-anywhere", test_cancel_anywhere);
  return g_test_run ();
}
