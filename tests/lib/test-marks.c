/* SPDX-License-Identifier: MIT */
/*
 * Marks for Sysprof: a program that is recorded (this one, --recorded PATH FIGURES) leaves them, each
 * with the begin and the length that the program saw itself, which it writes to FIGURES; one that is
 * not recorded does the same work.
 */
#include "ldb-test.h"

#include <unistd.h>

static FILE *figures; /* of the program that is recorded: a line for each mark that is to be */

/* NAME: it is within FROM and TO, microseconds of the monotonic clock, and, unless 0, LENGTH
 * nanoseconds long. */
static void
expect (const char *name, gint64 from, gint64 to, guint64 length)
{
  fprintf (figures, "%s,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GUINT64_FORMAT "\n", name,
           from, to, length);
}

static void
fill (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *key = g_strdup_printf ("secret-key-%u", i);
      ldb_test_put (db, key, "secret-value");
    }
  ldb_database_flush (db, NULL, &error);
  g_assert_no_error (error);
}

static void
sync_slowly (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  gint64 from = g_get_monotonic_time ();
  ldb_database_set_slow_threshold (db, 1, &error); /* a microsecond: whatever waits */
  g_assert_no_error (error);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  ldb_batch_put_string (batch, NULL, "secret-key", "secret-value", &error);
  g_assert_no_error (error);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_FULL, NULL, &error);
  g_assert_no_error (error);
  ldb_database_set_slow_threshold (db, 0, &error);
  g_assert_no_error (error);
  gint64 to = g_get_monotonic_time ();
  g_autoptr (GPtrArray) slow = ldb_database_list_slow_operations (db, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (slow->len, >, 0);
  for (guint i = 0; i < slow->len; i++)
    expect ("slow operation", from, to, ((LdbSlowOperation *) slow->pdata[i])->duration);
}

static void
call_all (LdbDatabase *db, const char *copy)
{
  g_autoptr (GError) error = NULL;
  gint64 from = g_get_monotonic_time ();
  ldb_database_sync (db, NULL, &error);
  g_assert_no_error (error);
  expect ("sync", from, g_get_monotonic_time (), 0);
  from = g_get_monotonic_time ();
  ldb_database_compact (db, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  expect ("compaction", from, g_get_monotonic_time (), 0);
  from = g_get_monotonic_time ();
  g_autoptr (LdbCheckReport) report
      = ldb_database_check (db, LDB_CHECK_DEEP, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  expect ("check", from, g_get_monotonic_time (), 0);
  from = g_get_monotonic_time ();
  g_autoptr (LdbBackupResult) backup
      = ldb_database_backup (db, copy, LDB_BACKUP_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  expect ("backup", from, g_get_monotonic_time (), 0);
}

static void
expect_events (LdbDatabase *db, gint64 from)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) events = ldb_database_list_events (db, 0, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < events->len; i++)
    {
      const LdbEvent *event = events->pdata[i];
      if (event->kind == LDB_EVENT_FLUSHED || event->kind == LDB_EVENT_MERGED)
        expect (event->kind == LDB_EVENT_FLUSHED ? "flush" : "merge", from,
                g_get_monotonic_time (), event->duration);
    }
}

/* It ends without a word, as a program that crashes does: what is marked must have been written. */
static int
be_recorded (const char *path, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *copy = g_strconcat (path, ".copy", NULL);
  gint64 from = g_get_monotonic_time ();
  figures = fopen (file, "w");
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  ldb_database_set_slow_threshold (db, 0, &error);
  g_assert_no_error (error);
  fill (db);
  fill (db);
  sync_slowly (db);
  call_all (db, copy);
  expect_events (db, from);
  ldb_test_close (db); /* no main loop runs: what happened is marked here */
  fclose (figures);
  _exit (0);
}

#ifdef HAVE_SYSPROF
#include <sysprof.h>

/* One that was read back from the recording. */
typedef struct
{
  gint64 begun;  /* nanoseconds of the monotonic clock */
  gint64 length; /* nanoseconds */
  char *name;    /* owned */
  char *message; /* owned */
} Mark;

static void
mark_free (gpointer data)
{
  Mark *mark = data;
  g_free (mark->name);
  g_free (mark->message);
  g_free (mark);
}

static void
note_end (GObject *source, GAsyncResult *result, gpointer ended)
{
  g_autoptr (GError) error = NULL;
  g_subprocess_wait_check_finish (G_SUBPROCESS (source), result, &error);
  g_assert_no_error (error);
  *(gboolean *) ended = TRUE;
}

/* Runs it as sysprof-cli does, which adds what needs more rights than a test has. */
static void
record (const char *file, Place *place, const char *expected)
{
  gboolean ended = FALSE;
  g_autoptr (GError) error = NULL;
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (SysprofSpawnable) spawnable = sysprof_spawnable_new ();
  g_autoptr (SysprofSource) source = SYSPROF_SOURCE (sysprof_control_source_new ());
  SysprofCaptureWriter *writer = sysprof_capture_writer_new (file, 0);
  g_assert_nonnull (writer);
  const char *const arguments[] = { self, "--recorded", place->path, expected, NULL };
  sysprof_spawnable_append_args (spawnable, arguments);
  g_auto (GStrv) variables = g_get_environ ();
  sysprof_spawnable_set_environ (spawnable, (const char *const *) variables);
  sysprof_source_set_writer (source, writer);
  sysprof_source_prepare (source);
  sysprof_source_modify_spawn (source, spawnable);
  sysprof_source_start (source);
  g_autoptr (GSubprocess) process = sysprof_spawnable_spawn (spawnable, &error);
  g_assert_no_error (error);
  g_subprocess_wait_check_async (process, NULL, note_end, &ended);
  while (!ended)
    g_main_context_iteration (NULL, TRUE);
  sysprof_source_stop (source);
  sysprof_capture_writer_flush (writer);
  sysprof_capture_writer_unref (writer);
}

static GPtrArray *
read_marks (const char *file)
{
  SysprofCaptureFrameType type;
  GPtrArray *marks = g_ptr_array_new_with_free_func (mark_free);
  SysprofCaptureReader *reader = sysprof_capture_reader_new (file);
  g_assert_nonnull (reader);
  while (sysprof_capture_reader_peek_type (reader, &type))
    {
      if (type != SYSPROF_CAPTURE_FRAME_MARK)
        {
          g_assert_true (sysprof_capture_reader_skip (reader));
          continue;
        }
      const SysprofCaptureMark *from = sysprof_capture_reader_read_mark (reader);
      g_assert_nonnull (from);
      g_assert_cmpstr (from->group, ==, "Lightning DB");
      Mark *mark = g_new0 (Mark, 1);
      mark->begun = from->frame.time;
      mark->length = from->duration;
      mark->name = g_strdup (from->name);
      mark->message = g_strdup (from->message);
      g_test_message ("%s (%s): %" G_GINT64_FORMAT " ns from %" G_GINT64_FORMAT, mark->name,
                      mark->message, mark->length, mark->begun);
      g_ptr_array_add (marks, mark);
    }
  sysprof_capture_reader_unref (reader);
  return marks;
}

/* Takes the mark out that the line is about. What is on the wall clock in between may be off by as
 * much as that was set meanwhile, and by what a machine that is busy lets pass. */
static void
take_mark (GPtrArray *marks, const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, ",", 4);
  guint64 length = g_ascii_strtoull (parts[3], NULL, 10);
  gint64 spare = length > 0 ? 10 * G_USEC_PER_SEC : 0;
  gint64 from = (g_ascii_strtoll (parts[1], NULL, 10) - spare) * 1000;
  gint64 to = (g_ascii_strtoll (parts[2], NULL, 10) + spare) * 1000 + 999;
  for (guint i = 0; i < marks->len; i++)
    {
      const Mark *mark = marks->pdata[i];
      if (strcmp (mark->name, parts[0]) == 0 && mark->begun >= from
          && mark->begun + mark->length <= to
          && (length > 0 ? mark->length == (gint64) length : mark->length > 0))
        {
          g_ptr_array_remove_index (marks, i);
          return;
        }
    }
  g_error ("there is no such mark: %s", line);
}

static void
test_marks (Place *place, gconstpointer data)
{
  static const char *const names[]
      = { "flush", "merge", "slow operation", "sync", "compaction", "check", "backup" };
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (place->directory, "recording", NULL);
  g_autofree char *expected = g_build_filename (place->directory, "figures", NULL);
  g_autofree char *text = NULL;
  record (file, place, expected);
  g_autoptr (GPtrArray) marks = read_marks (file);
  for (guint i = 0; i < marks->len; i++)
    g_assert_null (strstr (((const Mark *) marks->pdata[i])->message, "secret"));
  g_file_get_contents (expected, &text, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_nonnull (strstr (text, names[i]));
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", 0);
  for (guint i = 0; lines[i] != NULL; i++)
    take_mark (marks, lines[i]);
  g_assert_cmpuint (marks->len, ==, 0); /* none twice, and none of what was fast */
}
#else
static void
test_marks (Place *place, gconstpointer data)
{
  g_test_skip ("libsysprof-capture-4 or libsysprof-4 was not there when this was built");
}
#endif

static void
test_unrecorded (Place *place, gconstpointer data)
{
  int status;
  g_autoptr (GError) error = NULL;
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *expected = g_build_filename (place->directory, "figures", NULL);
  char *arguments[] = { self, (char *) "--recorded", place->path, expected, NULL };
  g_spawn_sync (NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
}

int
main (int argc, char **argv)
{
  if (argc == 4 && strcmp (argv[1], "--recorded") == 0)
    return be_recorded (argv[2], argv[3]);
  g_test_init (&argc, &argv, NULL);
  add_test ("/marks/recorded", test_marks);
  add_test ("/marks/unrecorded", test_unrecorded);
  return g_test_run ();
}
