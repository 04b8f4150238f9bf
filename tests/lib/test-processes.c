/* SPDX-License-Identifier: MIT */
/*
 * One process writes, this one reads beside it: watches, entries, feeds and lists tell what the
 * other commits, soon; either may die; who waits becomes the writer.
 *
 * This program is also the other process (--writer, --replica): it does what it is told line by
 * line.
 */
#include "list-validator.h"
#include "other-process.h"

#include <glib-unix.h>

/* ---- other readers ---- */

typedef struct
{
  GHashTable *replica; /* key to value; owned */
  guint64 emissions;   /* so far */
  guint64 resyncs;     /* of them */
  gboolean ended;      /* the key "end" was put */
} Replica;

static void
keep_up (LdbWatch *watch, LdbChangeSet *changes, Replica *self)
{
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  self->emissions++;
  if (ldb_change_set_get_resync (changes))
    {
      g_hash_table_unref (self->replica);
      self->replica = read_all (snapshot);
      self->resyncs++;
      self->ended |= g_hash_table_contains (self->replica, "end");
      return;
    }
  for (guint i = 0; i < ldb_change_set_get_n_changes (changes); i++)
    {
      LdbChange *change = ldb_change_set_get_change (changes, i);
      GBytes *key = ldb_change_get_key (change), *value = ldb_change_get_value (change);
      g_autofree char *name = g_strndup (g_bytes_get_data (key, NULL), g_bytes_get_size (key));
      self->ended |= strcmp (name, "end") == 0;
      g_assert_cmpint (ldb_change_get_kind (change), <=, LDB_CHANGE_DELETE);
      if (ldb_change_get_kind (change) == LDB_CHANGE_PUT)
        g_hash_table_insert (self->replica, g_steal_pointer (&name),
                             g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value)));
      else
        g_assert_true (g_hash_table_remove (self->replica, name));
    }
}

/* Keeps a replica by a watch until "end" is put, and holds it against the database. */
static int
replicate (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LdbWatch) watch
      = ldb_database_watch_all (db, LDB_WATCH_VALUES | LDB_WATCH_EACH_KEY, &error);
  g_assert_no_error (error);
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  Replica replica = { .replica = read_all (snapshot) };
  ldb_snapshot_close (snapshot);
  g_signal_connect (watch, "changed", G_CALLBACK (keep_up), &replica);
  g_print ("ok 0\n");
  wait_until (replica.ended);
  g_autoptr (LdbSnapshot) last = ldb_database_create_snapshot (db, &error);
  g_autoptr (GHashTable) found = read_all (last);
  assert_equal (replica.replica, found);
  g_hash_table_unref (replica.replica);
  g_print ("%" G_GUINT64_FORMAT " emissions, %" G_GUINT64_FORMAT " resyncs\n", replica.emissions,
           replica.resyncs);
  return 0;
}

/* ---- what is told ---- */

typedef struct
{
  GPtrArray *told;  /* texts; owned */
  guint64 sequence; /* of the newest emission */
  gboolean checked; /* the emission's snapshot showed what it told */
} Listener;

static void
note (LdbWatch *watch, LdbChangeSet *changes, Listener *listener)
{
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  for (guint i = 0; i < ldb_change_set_get_n_changes (changes); i++)
    {
      g_autoptr (GError) error = NULL;
      LdbChange *change = ldb_change_set_get_change (changes, i);
      GBytes *key = ldb_change_get_key (change);
      if (ldb_change_get_kind (change) > LDB_CHANGE_DELETE)
        continue;
      g_autoptr (GBytes) value = ldb_snapshot_get (snapshot, NULL, g_bytes_get_data (key, NULL),
                                                   g_bytes_get_size (key), NULL, &error);
      g_assert_no_error (error);
      g_assert_true ((value != NULL) == (ldb_change_get_kind (change) == LDB_CHANGE_PUT));
      g_assert_true (value == NULL || g_bytes_equal (value, ldb_change_get_value (change)));
      listener->checked = TRUE;
    }
  g_assert_cmpuint (ldb_change_set_get_sequence (changes), >=, listener->sequence);
  listener->sequence = ldb_change_set_get_sequence (changes);
  g_ptr_array_add (listener->told, describe_changes (changes));
}

static void
expect (Listener *listener, const char *text)
{
  wait_until (listener->told->len > 0);
  g_assert_cmpuint (listener->told->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (listener->told, 0), ==, text);
  g_ptr_array_set_size (listener->told, 0);
}

static void
test_told (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put a 0");
  g_autoptr (LdbDatabase) db = open_reader (place);
  Listener listener = { .told = g_ptr_array_new_with_free_func (g_free) };
  g_autoptr (LdbWatch) watch
      = ldb_database_watch_all (db, LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES, &error);
  g_assert_no_error (error);
  g_signal_connect (watch, "changed", G_CALLBACK (note), &listener);
  g_autoptr (LdbEntry) entry = ldb_database_watch_entry (db, "a", 1, &error);
  g_autoptr (LdbFeed) feed = ldb_database_create_feed (db, 0, NULL, &error);
  g_assert_no_error (error);
  tell (&writer, "put a 1");
  expect (&listener, "put a=1<0");
  wait_until (ldb_entry_get_exists (entry) && g_bytes_get_size (ldb_entry_get_value (entry)) == 1
              && *(const char *) g_bytes_get_data (ldb_entry_get_value (entry), NULL) == '1');
  tell (&writer, "put b 1");
  expect (&listener, "put b=1");
  tell (&writer, "delete a");
  expect (&listener, "delete a<1");
  wait_until (!ldb_entry_get_exists (entry));
  guint64 sequence = tell (&writer, "range a z");
  expect (&listener, "range [a,z)");
  tell (&writer, "batch 500");
  wait_until (listener.told->len > 0);
  g_assert_cmpuint (listener.told->len, ==, 1); /* whole */
  g_ptr_array_set_size (listener.told, 0);
  g_assert_cmpuint (sequence + 1, ==, ldb_database_get_sequence (db));
  g_assert_true (listener.checked);
  for (guint64 i = 1; i <= sequence + 1; i++)
    {
      g_autoptr (LdbChangeSet) changes = ldb_feed_read_commit (feed, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (ldb_change_set_get_sequence (changes), ==, i);
    }
  g_assert_false (ldb_database_put_string (db, "a", "mine", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_READ_ONLY, place->path);
  /* The writer goes, is gone for a while, another one comes. */
  tell (&writer, "close");
  g_assert_true (end (&writer));
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put a 2");
  expect (&listener, "put a=2");
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_no_error (error);
  tell (&writer, "put a 3"); /* a reader that went does no harm */
  run_for (30);
  g_assert_cmpuint (listener.told->len, ==, 0);
  g_ptr_array_unref (listener.told);
}

/* ---- how soon ---- */

typedef struct
{
  GArray *delays; /* of gint64, microseconds */
  guint resyncs;  /* the writer was too fast for a frame */
} Clock;

static void
note_delay (LdbWatch *watch, LdbChangeSet *changes, Clock *clock)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  g_autoptr (GBytes) value = ldb_snapshot_get (snapshot, NULL, "time", 4, NULL, &error);
  gint64 then;
  g_assert_no_error (error);
  clock->resyncs += ldb_change_set_get_resync (changes);
  g_assert_cmpuint (g_bytes_get_size (value), ==, sizeof then);
  memcpy (&then, g_bytes_get_data (value, NULL), sizeof then);
  gint64 delay = g_get_monotonic_time () - then;
  g_array_append_val (clock->delays, delay);
}

static void
note_row (GListModel *list, guint position, guint removed, guint added, Clock *clock)
{
  g_autoptr (GError) error = NULL;
  char key[16];
  gint64 then;
  gsize size;
  g_assert_cmpuint (removed, ==, 0);
  g_assert_cmpuint (position + added, ==, g_list_model_get_n_items (list));
  g_snprintf (key, sizeof key, "tick-%05u", position);
  LdbDatabase *db = ldb_list_model_get_database (LDB_LIST_MODEL (list));
  g_autoptr (GBytes) value = ldb_database_get (db, key, strlen (key), NULL, &error);
  g_assert_no_error (error);
  gconstpointer data = g_bytes_get_data (value, &size);
  g_assert_cmpuint (size, ==, sizeof then);
  memcpy (&then, data, sizeof then);
  gint64 delay = g_get_monotonic_time () - then;
  g_array_append_val (clock->delays, delay);
}

static int
compare_delays (gconstpointer left, gconstpointer right)
{
  gint64 a = *(const gint64 *) left, b = *(const gint64 *) right;
  return (a > b) - (a < b);
}

static void
print_delays (Clock *clock, const char *what)
{
  guint count = clock->delays->len;
  g_assert_cmpuint (count, >, 0);
  g_array_sort (clock->delays, compare_delays);
  g_test_message ("%s: from the commit to the signal in another process %" G_GINT64_FORMAT
                  " µs (median), %" G_GINT64_FORMAT " µs (P99), %" G_GINT64_FORMAT
                  " µs (most), %u signals, %u of them resyncs",
                  what, g_array_index (clock->delays, gint64, count / 2),
                  g_array_index (clock->delays, gint64, count * 99 / 100),
                  g_array_index (clock->delays, gint64, count - 1), count, clock->resyncs);
  g_array_set_size (clock->delays, 0);
}

static gboolean
note_word (int descriptor, GIOCondition condition, gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Runs the main loop until it answers. */
static void
iterate_until_told (Other *writer)
{
  gboolean told = FALSE;
  g_unix_fd_add (fileno (writer->from), G_IO_IN, note_word, &told);
  while (!told)
    g_main_context_iteration (NULL, TRUE);
  hear_ok (writer);
}

/* Isolated commits, each when the one before it was told: a reader that waits for a core is told of
 * each by itself, too. */
static void
follow_isolated (Other *writer, Clock *clock, const char *verb)
{
  guint commits = g_test_slow () ? 1000 : 120;
  for (guint i = 0; i < commits; i++)
    {
      say (writer, "%s %u", verb, i);
      iterate_until_told (writer);
      while (clock->delays->len <= i)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpuint (clock->delays->len, ==, i + 1);
    }
}

static void
test_soon (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  Clock clock = { .delays = g_array_new (FALSE, FALSE, sizeof (gint64)) };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  g_autoptr (LdbDatabase) db = open_reader (place);
  g_autoptr (LdbWatch) watch = ldb_database_watch_key (db, "time", 4, LDB_WATCH_VALUES, &error);
  g_assert_no_error (error);
  g_signal_connect (watch, "changed", G_CALLBACK (note_delay), &clock);
  follow_isolated (&writer, &clock, "time");
  print_delays (&clock, "isolated commits");
  g_assert_cmpuint (clock.resyncs, ==, 0);
  g_autoptr (LdbListModel) list
      = ldb_list_model_new_prefix (db, NULL, "tick-", 5, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  wait_until (!ldb_list_model_get_pending (list));
  g_signal_connect (list, "items-changed", G_CALLBACK (note_row), &clock);
  follow_isolated (&writer, &clock, "tick");
  print_delays (&clock, "isolated commits, to items-changed of a list");
  g_object_unref (g_steal_pointer (&list));
  say (&writer, "rush %u", g_test_slow () ? 10000 : 1500);
  iterate_until_told (&writer);
  wait_until (clock.delays->len > 0);
  print_delays (&clock, "commits at full speed, the newest of each frame");
  g_array_unref (clock.delays);
}

/* ---- at rest ---- */

/* ThreadSanitizer's own thread, which wakes up ten times a second, keeps the program's name; each
 * of ours has one of its own. */
static gboolean
is_sanitizer_thread (GPid pid, const char *task)
{
#ifdef __SANITIZE_THREAD__
  g_autofree char *main_file = g_strdup_printf ("/proc/%d/comm", pid), *program = NULL;
  g_autofree char *file = g_strdup_printf ("/proc/%d/task/%s/comm", pid, task), *name = NULL;
  return g_ascii_strtoull (task, NULL, 10) != (guint64) pid
         && g_file_get_contents (main_file, &program, NULL, NULL)
         && g_file_get_contents (file, &name, NULL, NULL) && g_str_equal (program, name);
#else
  return FALSE;
#endif
}

static guint64
count_switches_of (GPid pid)
{
  guint64 sum = 0;
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) tasks = g_dir_open (path, 0, NULL);
  const char *task;
  while (tasks != NULL && (task = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, task, "status", NULL), *text = NULL;
      if (is_sanitizer_thread (pid, task) || !g_file_get_contents (file, &text, NULL, NULL))
        continue;
      for (const char *at = text; (at = strstr (at, "ctxt_switches:")) != NULL;)
        sum += g_ascii_strtoull (at += strlen ("ctxt_switches:"), NULL, 10);
    }
  return sum;
}

/* A reader with a watch, in a process of its own, and its writer: when nothing is committed no
 * thread of either runs, not once. */
static void
test_rest (Place *place, gconstpointer data)
{
  g_auto (Other) writer = { 0 }, reader = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put a 1");
  begin (&reader, "--idle", place->path);
  hear_ok (&reader);
  tell (&writer, "put a 2");
  guint64 before[2] = { 0 }, after[2] = { 0 };
  const GPid pids[] = { writer.pid, reader.pid };
  gint64 end = g_get_monotonic_time () + 300 * G_TIME_SPAN_SECOND;
  gboolean rests = FALSE;
  while (!rests && g_get_monotonic_time () < end) /* the log's sync, settling, threads that go */
    {
      for (guint i = 0; i < 2; i++)
        before[i] = count_switches_of (pids[i]);
      g_usleep (2 * G_USEC_PER_SEC);
      for (guint i = 0; i < 2; i++)
        after[i] = count_switches_of (pids[i]);
      rests = before[0] == after[0] && before[1] == after[1];
    }
  g_test_message ("switches of all threads in two seconds: writer %" G_GUINT64_FORMAT
                  ", reader %" G_GUINT64_FORMAT,
                  after[0] - before[0], after[1] - before[1]);
  g_assert_true (rests);
  g_assert_cmpuint (before[0], >, 0);
  tell (&writer, "put a 3"); /* and it was no accident: the reader is told */
  g_assert_cmpuint (hear_ok (&reader), ==, 3);
}

static void
say_a (LdbWatch *watch, LdbChangeSet *changes, gboolean *last)
{
  GBytes *value = ldb_change_get_value (ldb_change_set_get_change (changes, 0));
  if (*(const char *) g_bytes_get_data (value, NULL) != '3')
    return;
  g_print ("ok 3\n");
  *last = TRUE;
}

static int
watch_idly (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LdbWatch) watch = ldb_database_watch_key (db, "a", 1, LDB_WATCH_VALUES, &error);
  g_assert_no_error (error);
  gboolean last = FALSE;
  g_signal_connect (watch, "changed", G_CALLBACK (say_a), &last);
  g_print ("ok 0\n");
  while (!last)
    g_main_context_iteration (NULL, TRUE);
  return 0;
}

/* ---- replicas ---- */

/* Two replicas in processes of their own; one is stopped while the log moves on, and begins
 * anew. */
static void
test_replicas (Place *place, gconstpointer data)
{
  g_auto (Other) writer = { 0 }, one = { 0 }, other = { 0 };
  begin_with (&writer, "--writer", place->path, "16MB"); /* so that the log is short */
  hear_ok (&writer);
  tell (&writer, "fill 3000");
  begin (&one, "--replica", place->path);
  begin (&other, "--replica", place->path);
  hear_ok (&one);
  hear_ok (&other);
  tell (&writer, "fill 20000");
  kill (other.pid, SIGSTOP);
  tell (&writer, "fill 150000"); /* several times what the log holds */
  kill (other.pid, SIGCONT);
  tell (&writer, "fill 20000");
  tell (&writer, "put end 1");
  g_autofree char *of_one = hear (&one), *of_other = hear (&other);
  g_test_message ("a replica: %s; one that was stopped: %s", of_one, of_other);
  g_assert_true (end (&one));
  g_assert_true (end (&other));
  g_assert_null (strstr (of_other, " 0 resyncs"));
}

/* ---- a writer that is stopped ---- */

static gint64
number_in (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = ldb_database_get_string (db, "number", NULL, &error);
  g_assert_no_error (error);
  return g_ascii_strtoll (value, NULL, 10);
}

/* A reader stays at what the stopped writer told it last, which may lack the last frame's commits; it
 * is never ahead, never goes back, and has them when the writer goes on, or is killed. */
static void
test_stopped_writer (Place *place, gconstpointer data)
{
  g_auto (Other) writer = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put number 0");
  g_autoptr (LdbDatabase) db = open_reader (place);
  for (gint round = 1; round <= 20; round++)
    {
      gint64 before = number_in (db);
      tell (&writer, "put number %d", round);
      kill (writer.pid, SIGSTOP);
      gint64 seen = number_in (db);
      g_assert_cmpint (seen, >=, before);
      g_assert_cmpint (seen, <=, round);
      kill (writer.pid, SIGCONT);
      if (round % 2 == 0)
        wait_until (number_in (db) == round);
    }
  tell (&writer, "put number 21");
  kill (writer.pid, SIGSTOP);
  kill (writer.pid, SIGKILL);
  wait_until (number_in (db) == 21);
}

/* ---- the writer's role ---- */

static void
test_takeover (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL, given_up = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Other) writer = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put a 1");
  g_autoptr (LdbDatabase) db = open_reader (place);
  Listener listener = { .told = g_ptr_array_new_with_free_func (g_free) };
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_VALUES, &error);
  g_signal_connect (watch, "changed", G_CALLBACK (note), &listener);
  g_assert_null (ldb_database_open (place->path, LDB_OPEN_NONE, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_LOCKED, place->path);
  ldb_database_open_async (place->path, LDB_OPEN_WAIT, NULL, NULL, KEEP (result));
  ldb_database_open_async (place->path, LDB_OPEN_WAIT, NULL, cancellable, KEEP (given_up));
  run_for (50);
  g_assert_null (result);
  g_cancellable_cancel (cancellable);
  g_autoptr (GAsyncResult) cancelled = ldb_test_wait (&given_up);
  g_assert_null (ldb_database_open_finish (cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  tell (&writer, "put a 2");
  expect (&listener, "put a=2");
  gint64 killed = g_get_monotonic_time ();
  kill_it (&writer);
  g_autoptr (GAsyncResult) opened = ldb_test_wait (&result);
  g_autoptr (LdbDatabase) mine = ldb_database_open_finish (opened, &error);
  g_assert_no_error (error);
  g_assert_false (ldb_database_is_read_only (mine));
  g_test_message ("the writer's role was taken over after %" G_GINT64_FORMAT " ms",
                  (g_get_monotonic_time () - killed) / 1000);
  g_autofree char *a = ldb_database_get_string (mine, "a", NULL, &error);
  g_assert_cmpstr (a, ==, "2");
  put (mine, "a", "3"); /* the reading handle goes on as it was */
  expect (&listener, "put a=3");
  g_assert_true (ldb_database_is_read_only (db));
  /* The process that was killed would come back, and has to wait. */
  begin (&writer, "--writer", place->path);
  g_usleep (50000);
  put (mine, "a", "4");
  expect (&listener, "put a=4");
  g_assert_true (ldb_database_close (mine, NULL, &error));
  hear_ok (&writer);
  tell (&writer, "put a 5");
  expect (&listener, "put a=5");
  g_ptr_array_unref (listener.told);
}

/* Many who wait hold up nothing else. */
static void
test_many_wait (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  enum
  {
    MANY = 12
  };
  GAsyncResult *results[MANY] = { 0 }, *beside = NULL;
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  for (guint i = 0; i < MANY; i++)
    ldb_database_open_async (place->path, LDB_OPEN_WAIT, NULL, NULL, KEEP (results[i]));
  ldb_database_open_async (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, KEEP (beside));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&beside);
  g_autoptr (LdbDatabase) db = ldb_database_open_finish (done, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_database_is_read_only (db));
  kill_it (&writer);
  LdbDatabase *mine[MANY];
  for (guint i = 0; i < MANY; i++) /* one opens, the others join it, while it is open */
    {
      g_autoptr (GAsyncResult) opened = ldb_test_wait (&results[i]);
      mine[i] = ldb_database_open_finish (opened, &error);
      g_assert_no_error (error);
      put (mine[i], "a", "1");
    }
  for (guint i = 0; i < MANY; i++)
    g_object_unref (mine[i]);
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (50000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_flags (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put a 1");
  g_assert_null (ldb_database_open (place->path, LDB_OPEN_STATIC, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "static", "read-only");
  g_assert_null (
      ldb_database_open (place->path, LDB_OPEN_READ_ONLY | LDB_OPEN_WAIT, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "wait");
  g_autoptr (LdbDatabase) still
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY | LDB_OPEN_STATIC, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LdbDatabase) db = open_reader (place); /* does not join the one that stands still */
  guint64 sequence = tell (&writer, "put a 2");
  wait_until (ldb_database_get_sequence (db) == sequence);
  g_autofree char *now = ldb_database_get_string (db, "a", NULL, &error);
  g_autofree char *then = ldb_database_get_string (still, "a", NULL, &error);
  g_assert_cmpstr (now, ==, "2");
  g_assert_cmpstr (then, ==, "1");
  /* A wait that blocks can be given up by another thread. */
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GThread) thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_null (ldb_database_open (place->path, LDB_OPEN_WAIT, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (g_steal_pointer (&thread));
  g_assert_null (ldb_database_open ("/nonexistent", LDB_OPEN_WAIT, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "/nonexistent");
}

/* ---- lists ---- */

/* Each row is what the list's own state has at its key. */
static void
check_list (LdbListModel *list)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbSnapshot) snapshot = ldb_list_model_create_snapshot (list, &error);
  g_assert_no_error (error);
  g_autoptr (GHashTable) found = read_all (snapshot);
  guint rows = g_list_model_get_n_items (G_LIST_MODEL (list));
  g_assert_cmpuint (rows, ==, g_hash_table_size (found));
  for (guint i = 0; i < rows; i++)
    {
      g_autoptr (LdbEntry) row = g_list_model_get_item (G_LIST_MODEL (list), i);
      GBytes *key = ldb_entry_get_key (row);
      g_autofree char *name = g_strndup (g_bytes_get_data (key, NULL), g_bytes_get_size (key));
      g_autofree char *text = ldb_entry_dup_text (row);
      g_assert_cmpstr (text, ==, g_hash_table_lookup (found, name));
    }
  ldb_snapshot_close (snapshot);
}

static const char *const list_changes[]
    = { "put a first",   "put zz last", "delete a",           "range fill-1 fill-2", "fill 300",
        "batch 500",     "range a b",   "put fill-1500 one",  "fill 3000",           "delete zz",
        "range batch g", "fill 700",    "put fill-1500 other" };

static void
test_lists (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  LdbListModel *lists[2];
  ListValidator *validators[2];
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "fill 2000");
  g_autoptr (LdbDatabase) db = open_reader (place);
  for (guint i = 0; i < 2; i++)
    {
      LdbListFlags flags = LDB_LIST_BLOCKING | (i == 1 ? LDB_LIST_REVERSE : LDB_LIST_NONE);
      lists[i] = ldb_list_model_new (db, NULL, NULL, 0, NULL, 0, flags, LDB_TYPE_ENTRY, &error);
      g_assert_no_error (error);
      wait_until (!ldb_list_model_get_pending (lists[i]));
      validators[i]
          = list_validator_new (G_LIST_MODEL (lists[i]), i == 1,
                                LIST_VALIDATOR_HOLD | LIST_VALIDATOR_SPANS | LIST_VALIDATOR_SOME);
    }
  for (guint round = 0; round < G_N_ELEMENTS (list_changes); round++)
    {
      tell (&writer, "%s", list_changes[round]);
      if (round == 7) /* it dies, and another one goes on */
        {
          kill_it (&writer);
          begin (&writer, "--writer", place->path);
          hear_ok (&writer);
        }
      guint64 last = tell (&writer, "put mark %u", round);
      for (guint i = 0; i < 2; i++)
        {
          wait_until (ldb_list_model_get_sequence (lists[i]) >= last);
          list_validator_check (validators[i]);
          check_list (lists[i]);
          g_assert_null (ldb_list_model_get_error (lists[i]));
        }
    }
  for (guint i = 0; i < 2; i++)
    {
      list_validator_free (validators[i]);
      g_object_unref (lists[i]);
    }
  g_assert_true (ldb_database_close (db, NULL, &error));
}

/* Segments that the writer has deleted, and that are open here. */
static guint
count_deleted_segments (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  guint count = 0;
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);
      count += target != NULL && g_str_has_suffix (target, ".seg (deleted)");
    }
  return count;
}

/* A list of which nothing changes does not keep the files of its state from the disk for ever, whether
 * commits come or the writer only compacts. */
static void
test_files (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put a 1");
  tell (&writer, "fill 4000");
  tell (&writer, "compact");
  g_autoptr (LdbDatabase) db = open_reader (place);
  g_autoptr (LdbListModel) list
      = ldb_list_model_new_prefix (db, NULL, "a", 1, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  tell (&writer, "fill 5000");
  tell (&writer, "compact");
  wait_until (count_deleted_segments () > 0); /* it has gone over to the new ones */
  wait_until (count_deleted_segments () == 0);
  tell (&writer, "compact");
  run_for (100);
  wait_until (count_deleted_segments () == 0);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 1);
  tell (&writer, "put aa 1");
  wait_until (g_list_model_get_n_items (G_LIST_MODEL (list)) == 2);
}

/* Replaces all files under a reader, which goes over to the new ones. */
static void
replace_files (Other *writer, LdbDatabase *db)
{
  tell (writer, "fill 3000");
  guint64 sequence = tell (writer, "compact");
  wait_until (ldb_database_get_sequence (db) >= sequence && count_deleted_segments () > 0);
  run_for (100); /* nothing more comes */
  g_assert_cmpuint (count_deleted_segments (), >, 0);
}

/* What a reader holds of files that the writer has replaced goes with whatever held it, also when
 * nobody commits, nothing is watched and no loop runs. */
static void
test_let_go (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "fill 3000");
  tell (&writer, "compact");
  g_autoptr (LdbDatabase) db = open_reader (place);

  LdbSnapshot *snapshot = ldb_database_create_snapshot (db, &error);
  replace_files (&writer, db);
  g_autofree char *value = ldb_snapshot_get_string (snapshot, NULL, "fill-0001", NULL, &error);
  g_assert_nonnull (value);
  ldb_snapshot_close (snapshot);
  g_object_unref (snapshot);
  wait_until (count_deleted_segments () == 0);

  LdbCursor *cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  g_assert_true (ldb_cursor_next (cursor, NULL, &error));
  replace_files (&writer, db);
  g_assert_true (ldb_cursor_next (cursor, NULL, &error));
  g_object_unref (cursor);
  wait_until (count_deleted_segments () == 0);

  LdbTransaction *transaction = ldb_database_begin (db, LDB_TRANSACTION_READ_ONLY, &error);
  replace_files (&writer, db);
  g_autofree char *then = ldb_transaction_get_string (transaction, NULL, "fill-0001", NULL, &error);
  g_assert_nonnull (then);
  g_object_unref (transaction);
  wait_until (count_deleted_segments () == 0);
  g_assert_no_error (error);
}

static guint64
memtable_bytes (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_no_error (error);
  return stats->memtable_bytes;
}

/* A reader holds what the writer has not flushed, which its own budget does not bound, and at most
 * as much again that was flushed since (docs/design/memory.md); nothing when all is flushed. */
static void
test_small_reader (Place *place, gconstpointer data)
{
  const guint64 writers_memtable = (64 << 20) / 8, own_memtable = (10 << 20) / 8;
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  guint64 most = 0, samples = 0;
  gboolean told = FALSE;
  begin_with (&writer, "--writer", place->path, "64MB");
  hear_ok (&writer);
  tell (&writer, "put a 1");
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 10 << 20);
  g_autoptr (LdbDatabase) db
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, options, NULL, &error);
  g_assert_no_error (error);
  say (&writer, "fill %u", g_test_slow () ? 5000000 : 400000);
  g_unix_fd_add (fileno (writer.from), G_IO_IN, note_word, &told);
  for (; !told; samples++)
    {
      most = MAX (most, memtable_bytes (db));
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (500);
    }
  guint64 last = hear_ok (&writer);
  wait_until (ldb_database_get_sequence (db) == last);
  most = MAX (most, memtable_bytes (db));
  g_test_message ("a reader of 10 MB beside a writer of 64 MB held %.1f MB of its commits at most, "
                  "of %" G_GUINT64_FORMAT " samples",
                  (double) most / (1 << 20), samples);
  g_assert_cmpuint (most, >, 0);
  g_assert_cmpuint (most, <=, 2 * 3 * writers_memtable + own_memtable);
  tell (&writer, "compact");
  wait_until (memtable_bytes (db) <= own_memtable);
}

static void
count_emission (LdbWatch *watch, LdbChangeSet *changes, guint *count)
{
  (*count)++;
}

/* Whoever has it open keeps it as it was, and whatever follows it is told nothing any more, not of
 * another database in its place either. Nobody can destroy what is open for writing. */
static void
test_destroyed (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  guint told = 0;
  ldb_test_allow_warnings (); /* a reader that looks for its files while they go warns of it */
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put a 1");
  tell (&writer, "put b 1");
  g_autoptr (LdbDatabase) db = open_reader (place);
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (db, LDB_WATCH_NONE, &error);
  g_autoptr (LdbEntry) entry = ldb_database_watch_entry (db, "a", 1, &error);
  g_autoptr (LdbListModel) list
      = ldb_list_model_new (db, NULL, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  g_signal_connect (watch, "changed", G_CALLBACK (count_emission), &told);
  wait_until (g_list_model_get_n_items (G_LIST_MODEL (list)) == 2);
  g_assert_false (ldb_database_destroy (place->path, NULL, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_LOCKED);
  g_clear_error (&error);
  tell (&writer, "close");
  tell (&writer, "destroy");
  run_for (100);
  g_autoptr (LdbEntry) row = g_list_model_get_item (G_LIST_MODEL (list), 1);
  g_autofree char *a = ldb_database_get_string (db, "a", NULL, &error);
  g_autofree char *b = ldb_entry_dup_text (row);
  g_assert_cmpstr (a, ==, "1");
  g_assert_cmpstr (b, ==, "1");
  g_auto (Other) next = { 0 };
  begin (&next, "--writer", place->path);
  hear_ok (&next);
  tell (&next, "put a 2");
  run_for (100);
  g_assert_cmpuint (told, ==, 0);
  g_assert_false (ldb_watch_is_closed (watch));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 2);
  g_autofree char *still = ldb_entry_dup_text (entry);
  g_assert_cmpstr (still, ==, "1");
  g_assert_true (ldb_database_close (db, NULL, &error));
  wait_until (ldb_list_model_is_closed (list) && ldb_watch_is_closed (watch));
  g_autoptr (LdbDatabase) anew = open_reader (place); /* what is there now */
  g_autofree char *other = ldb_database_get_string (anew, "a", NULL, &error);
  g_assert_cmpstr (other, ==, "2");
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--writer") == 0)
    return write_as_told (argv[2]);
  if (argc == 3 && strcmp (argv[1], "--replica") == 0)
    return replicate (argv[2]);
  if (argc == 3 && strcmp (argv[1], "--idle") == 0)
    return watch_idly (argv[2]);
  g_test_init (&argc, &argv, NULL);
  add_test ("/processes/told", test_told);
  add_test ("/processes/soon", test_soon);
  add_test ("/processes/stopped-writer", test_stopped_writer);
  add_test ("/processes/lists", test_lists);
  add_test ("/processes/files", test_files);
  add_test ("/processes/let-go", test_let_go);
  add_test ("/processes/small-reader", test_small_reader);
  add_test ("/processes/destroyed", test_destroyed);
  add_test ("/processes/rest", test_rest);
  add_test ("/processes/replicas", test_replicas);
  add_test ("/processes/takeover", test_takeover);
  add_test ("/processes/many-wait", test_many_wait);
  add_test ("/processes/flags", test_flags);
  return g_test_run ();
}
