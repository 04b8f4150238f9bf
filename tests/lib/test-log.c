/* SPDX-License-Identifier: MIT */
/*
 * The log: what is written when, with which fields, on which thread; that it has no keys and no values;
 * and what the environment asks for.
 *
 * This program is also one whose log is looked at (--log PATH).
 */
#include <signal.h>
#include <sys/resource.h>

#include "written-log.h"

#define SECRET_KEY "the-key-that-nobody-sees"
#define SECRET_VALUE "the-value-that-nobody-sees"

static void
assert_no_secrets (void)
{
  for (guint i = 0; i < written_log.lines->len; i++)
    {
      GHashTableIter iter;
      gpointer name, value;
      g_hash_table_iter_init (&iter, g_ptr_array_index (written_log.lines, i));
      while (g_hash_table_iter_next (&iter, &name, &value))
        {
          g_assert_null (strstr (value, SECRET_KEY));
          g_assert_null (strstr (value, SECRET_VALUE));
        }
    }
}

static void
log_begin (const char *level)
{
  written_log_clear ();
  g_setenv ("G_MESSAGES_DEBUG", level != NULL ? level : "", TRUE);
}

/* ---- what happens ---- */

static void
test_opened (Place *place, gconstpointer data)
{
  log_begin (NULL);
  ldb_test_close (place_open (place, NULL));
  g_assert_cmpuint (written_log.lines->len, ==, 0); /* nothing that nobody asked for */
  log_begin ("Ldb");
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbDatabase) other = place_open (place, NULL);
  g_assert_cmpuint (written_log_count ("opened"), ==, 2);
  GHashTable *line = written_log_find ("opened", NULL);
  g_assert_cmpstr (written_field (line, "LDB_DATABASE"), ==, place->path);
  g_assert_cmpstr (written_field (line, "LDB_DATABASE_ID"), ==, ldb_database_get_id (db));
  g_assert_cmpstr (written_field (line, "LDB_SEQUENCE"), ==, "0");
  g_assert_cmpstr (written_field (line, "PRIORITY"), ==, "6");
}

/* What a path has in it that would begin another line, or steer a terminal. */
static void
test_unprintable_path (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (place->directory, "a\nLdb-WARNING **: b\r\t\033[1m", NULL);
  log_begin ("Ldb");
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  GHashTable *line = written_log_find ("opened", NULL);
  g_assert_cmpstr (written_field (line, "LDB_DATABASE"), ==, path);
  g_assert_nonnull (
      strstr (written_field (line, "MESSAGE"), "/a\\nLdb-WARNING **: b\\r\\t\\x1b[1m"));
}

/* Each event once, though two handles could tell: in the main loop, and what it did not come to at the
 * closing. */
static void
test_events (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  log_begin ("Ldb");
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbDatabase) other = place_open (place, NULL);
  ldb_test_put (db, SECRET_KEY, SECRET_VALUE);
  ldb_database_flush (db, NULL, &error);
  g_assert_no_error (error);
  GHashTable *line = written_log_wait ("flushed", NULL);
  g_assert_cmpuint (g_ascii_strtoull (written_field (line, "LDB_BYTES"), NULL, 10), >, 0);
  g_assert_cmpuint (g_ascii_strtoull (written_field (line, "LDB_DURATION_USEC"), NULL, 10), >, 0);

  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  ldb_transaction_put_string (transaction, NULL, SECRET_KEY, SECRET_VALUE, &error);
  ldb_test_put (other, SECRET_KEY, "theirs");
  ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  assert_ldb_error (error, LDB_ERROR_CONFLICT, "");
  g_assert_cmpuint (written_log_count ("conflict"), ==, 0);
  ldb_test_close (other);
  g_assert_cmpuint (written_log_count ("conflict"), ==, 1);

  g_autofree char *copy = g_build_filename (place->directory, "copy", NULL);
  g_autoptr (LdbBackupResult) backup
      = ldb_database_backup (db, copy, LDB_BACKUP_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  line = written_log_wait ("backed-up", NULL);
  g_assert_cmpuint (g_ascii_strtoull (written_field (line, "LDB_DURATION_USEC"), NULL, 10), >, 0);
  ldb_test_close (db);
  g_assert_cmpuint (written_log_count ("flushed"), >=, 1);
  g_assert_cmpuint (written_log_count ("conflict"), ==, 1);
  g_assert_cmpuint (written_log_count ("backed-up"), ==, 1);
  assert_no_secrets ();
}

static void
copy_files (const char *from, const char *to)
{
  const char *name;
  g_autoptr (GDir) dir = g_dir_open (from, 0, NULL);
  g_assert_cmpint (g_mkdir (to, 0700), ==, 0);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      gsize size;
      g_autoptr (GError) error = NULL;
      g_autofree char *source = g_build_filename (from, name, NULL), *contents = NULL;
      g_autofree char *target = g_build_filename (to, name, NULL);
      g_file_get_contents (source, &contents, &size, &error);
      g_assert_no_error (error);
      g_file_set_contents (target, contents, (gssize) size, &error);
      g_assert_no_error (error);
    }
}

/* Of a database whose process did not close it. */
static void
test_recovered (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autofree char *copy = g_build_filename (place->directory, "copy", NULL);
  ldb_test_put (db, SECRET_KEY, SECRET_VALUE);
  ldb_database_sync (db, NULL, &error);
  g_assert_no_error (error);
  copy_files (place->path, copy);
  log_begin ("Ldb");
  g_autoptr (LdbDatabase) crashed = ldb_database_open (copy, LDB_OPEN_NONE, NULL, NULL, &error);
  g_assert_no_error (error);
  GHashTable *line = written_log_find ("recovered", NULL);
  g_assert_cmpuint (g_ascii_strtoull (written_field (line, "LDB_BYTES"), NULL, 10), >, 0);
  g_assert_cmpstr (written_field (line, "LDB_DATABASE"), ==, copy);
  assert_no_secrets ();
}

/* A flush that fails is told without being asked for, once if it does again and again; and so is that it
 * works again. */
static void
test_failed (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct rlimit before, none;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  log_begin (NULL);
  ldb_test_put (db, SECRET_KEY, SECRET_VALUE);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  none = (struct rlimit){ .rlim_cur = 16, .rlim_max = before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &none), ==, 0);
  for (guint i = 0; i < 30; i++)
    {
      g_assert_false (ldb_database_flush (db, NULL, &error));
      g_clear_error (&error);
    }
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  GHashTable *line = written_log_wait ("failed", NULL);
  written_field (line, "LDB_ERROR");
  g_assert_cmpstr (written_field (line, "PRIORITY"), ==, "4");
  ldb_database_flush (db, NULL, &error);
  g_assert_no_error (error);
  written_log_wait ("healed", NULL);
  g_assert_cmpuint (written_log_count ("failed"), ==, 1);
  assert_no_secrets ();
}

/* A database whose only leaf does not verify. */
static void
damage_place (Place *place)
{
  g_autoptr (GError) error = NULL;
  const char *name;
  {
    g_autoptr (LdbDatabase) db = place_open (place, NULL);
    ldb_test_put (db, SECRET_KEY, SECRET_VALUE);
    ldb_database_flush (db, NULL, &error);
    g_assert_no_error (error);
  }
  g_autoptr (GDir) dir = g_dir_open (place->path, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".seg"))
      {
        gsize size;
        g_autofree char *path = g_build_filename (place->path, name, NULL), *contents = NULL;
        g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
        contents[4096 + 20] ^= 0x55; /* behind its header, in its only leaf */
        g_assert_true (g_file_set_contents (path, contents, (gssize) size, NULL));
      }
}

/* Damage is told with the file that it is in; and that the health is another one since. */
static void
test_damage (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  damage_place (place);
  log_begin (NULL);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *value = ldb_database_get_string (db, SECRET_KEY, NULL, &error);
      assert_ldb_error (error, LDB_ERROR_CORRUPT, ".seg");
    }
  GHashTable *line = written_log_wait ("corrupt", NULL);
  g_assert_cmpstr (written_field (line, "LDB_ERROR"), ==, "corrupt");
  g_assert_nonnull (strstr (written_field (line, "MESSAGE"), ".seg"));
  g_assert_cmpuint (written_log_count ("corrupt"), ==, 1);
  g_assert_cmpuint (written_log_count ("health"), ==, 0);
  log_begin ("Ldb");
  g_autoptr (LdbHealth) health = ldb_database_examine_health (db, NULL, &error);
  g_assert_no_error (error);
  line = written_log_wait ("health", NULL);
  g_assert_nonnull (strstr (written_field (line, "MESSAGE"), "damage (critical)"));
  assert_no_secrets ();
}

/* A value that is wrong is told when the first database of the process is opened; so this is the first
 * test. */
static void
test_variable (Place *place, gconstpointer data)
{
  log_begin (NULL);
  g_setenv ("LIGHTNING_INSPECT", "perhaps", TRUE);
  ldb_test_close (place_open (place, NULL));
  g_unsetenv ("LIGHTNING_INSPECT");
  GHashTable *line = written_log_find ("variable", NULL);
  g_assert_cmpstr (written_field (line, "LDB_VARIABLE"), ==, "LIGHTNING_INSPECT");
  g_assert_cmpstr (written_field (line, "LDB_VARIABLE_VALUE"), ==, "perhaps");
  g_assert_cmpstr (written_field (line, "PRIORITY"), ==, "4");
}

static guint64
number_in (GHashTable *line, const char *field)
{
  return g_ascii_strtoull (written_field (line, field), NULL, 10);
}

/* Two runs become one; and what a bulk load brought. */
static void
test_merged_and_loaded (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  log_begin ("Ldb");
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  for (guint i = 0; i < 2; i++)
    {
      ldb_test_put (db, SECRET_KEY, SECRET_VALUE);
      ldb_database_flush (db, NULL, &error);
      g_assert_no_error (error);
    }
  ldb_database_compact (db, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  GHashTable *line = written_log_wait ("merged", NULL);
  g_assert_cmpuint (number_in (line, "LDB_BYTES_READ"), >, number_in (line, "LDB_BYTES"));
  g_assert_cmpuint (number_in (line, "LDB_BYTES"), >, 0);
  written_field (line, "LDB_DURATION_USEC");

  g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, &error);
  g_assert_no_error (error);
  ldb_loader_put (loader, NULL, SECRET_KEY, strlen (SECRET_KEY), SECRET_VALUE,
                  strlen (SECRET_VALUE), &error);
  ldb_loader_put (loader, NULL, "zzz", 3, "2", 1, &error);
  ldb_loader_commit (loader, NULL, &error);
  g_assert_no_error (error);
  line = written_log_wait ("loaded", NULL);
  g_assert_cmpuint (number_in (line, "LDB_RECORDS"), ==, 2);
  assert_no_secrets ();
}

static void
test_timed_out (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_transaction_timeout (options, 1);
  log_begin ("Ldb");
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_no_error (error);
  GHashTable *line = written_log_wait ("timed-out", NULL);
  g_assert_cmpuint (number_in (line, "LDB_DURATION_USEC"), >=, 1000);
  g_assert_cmpstr (written_field (line, "PRIORITY"), ==, "6");
}

/* Who reads alone goes on as the one who writes. */
static void
test_took_over (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  {
    g_autoptr (LdbDatabase) db = place_open (place, NULL);
    ldb_test_put (db, SECRET_KEY, SECRET_VALUE);
  }
  log_begin ("Ldb");
  g_autoptr (LdbDatabase) db
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  ldb_database_take_over (db, NULL, &error);
  g_assert_no_error (error);
  GHashTable *line = written_log_wait ("took-over", NULL);
  g_assert_cmpstr (written_field (line, "LDB_SEQUENCE"), ==, "1");
  g_assert_cmpstr (written_field (line, "LDB_DATABASE_ID"), ==, ldb_database_get_id (db));
  assert_no_secrets ();
}

/* Memory that fills while nothing can be flushed: a writer waits for what will not be, and is told so. */
static void
test_stalled (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct rlimit before, none;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_wal_enabled (options, FALSE); /* or it is the log that has no room first */
  ldb_options_set_cache_size (options, 10 << 20);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_autofree char *value = g_strnfill (4096, 'v');
  log_begin ("Ldb");
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  none = (struct rlimit){ .rlim_cur = 16, .rlim_max = before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &none), ==, 0);
  for (guint i = 0; error == NULL; i++)
    {
      char key[32];
      g_snprintf (key, sizeof key, SECRET_KEY "%u", i);
      g_assert_cmpuint (i, <, 100000);
      ldb_database_put_string (db, key, value, NULL, &error);
    }
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  GHashTable *line = written_log_wait ("stalled", NULL);
  written_field (line, "LDB_DURATION_USEC");
  g_assert_cmpstr (written_field (line, "PRIORITY"), ==, "6");
  assert_no_secrets ();
}

/* The runtime directory is none: the database works on, unseen. */
static void
test_not_inspectable (Place *place, gconstpointer data)
{
  log_begin (NULL);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  ldb_database_set_inspectable (db, TRUE);
  GHashTable *line = written_log_find ("not-inspectable", NULL);
  written_field (line, "LDB_ERROR");
  g_assert_cmpstr (written_field (line, "LDB_DATABASE"), ==, place->path);
  ldb_test_put (db, SECRET_KEY, SECRET_VALUE);
}

/* An entry whose value cannot be read has nobody to whom it could return the error. */
static void
test_entry (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  damage_place (place);
  log_begin (NULL);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbEntry) entry
      = ldb_database_watch_entry (db, SECRET_KEY, strlen (SECRET_KEY), &error);
  g_assert_no_error (error);
  GHashTable *line = written_log_wait ("entry", NULL);
  g_assert_cmpstr (written_field (line, "LDB_ERROR"), ==, "corrupt");
  g_assert_cmpstr (written_field (line, "PRIORITY"), ==, "4");
  g_assert_false (ldb_entry_get_loaded (entry));
  assert_no_secrets ();
}

/* ---- what the environment asks for ---- */

static char *program; /* this one; owned */

/* As another program: opens and closes a database twice, and writes it out. */
static int
be_logged (const char *path)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
      g_assert_no_error (error);
      ldb_test_put (db, SECRET_KEY, SECRET_VALUE);
      ldb_database_flush (db, NULL, &error);
      g_assert_no_error (error);
    }
  return 0;
}

static guint
count_of (const char *text, const char *words)
{
  guint count = 0;
  for (const char *at = strstr (text, words); at != NULL; at = strstr (at + 1, words))
    count++;
  return count;
}

static void
test_environment (Place *place, gconstpointer data)
{
  static const struct
  {
    const char *level, *debug, *inspect; /* of the variables; NULL: unset */
    gboolean opened, flushed;            /* whether it is told */
    const char *warned;                  /* of which variable; NULL: of none */
  } cases[] = {
    { NULL, NULL, NULL, FALSE, FALSE, NULL },
    { "", NULL, "", FALSE, FALSE, NULL },
    { "error", NULL, "2", FALSE, FALSE, NULL },
    { "warning", NULL, "2", FALSE, FALSE, "LIGHTNING_INSPECT" },
    { "message", NULL, "true", FALSE, FALSE, "LIGHTNING_INSPECT" },
    { "info", NULL, "0", TRUE, FALSE, NULL },
    { "INFO", NULL, NULL, TRUE, FALSE, NULL },
    { "debug", NULL, NULL, TRUE, TRUE, NULL },
    { "verbose", NULL, NULL, FALSE, FALSE, "LIGHTNING_DB_LOG_LEVEL" },
    { "verbose\n\x1b[2J", "Ldb", NULL, TRUE, TRUE, "LIGHTNING_DB_LOG_LEVEL" },
    { NULL, "Ldb", NULL, TRUE, TRUE, NULL },
    { NULL, "all", "1", TRUE, TRUE, NULL },
    { NULL, "GLib", NULL, FALSE, FALSE, NULL },
    { "error", "Ldb", NULL, TRUE, TRUE, NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) variables = g_get_environ ();
      g_autofree char *out = NULL, *warnings = NULL;
      char *arguments[] = { program, (char *) "--log", place->path, NULL };
      const char *const names[]
          = { "LIGHTNING_DB_LOG_LEVEL", "G_MESSAGES_DEBUG", "LIGHTNING_INSPECT" };
      const char *const values[] = { cases[i].level, cases[i].debug, cases[i].inspect };
      int status;
      for (guint k = 0; k < G_N_ELEMENTS (names); k++)
        variables = values[k] != NULL ? g_environ_setenv (variables, names[k], values[k], TRUE)
                                      : g_environ_unsetenv (variables, names[k]);
      variables = g_environ_setenv (variables, "XDG_RUNTIME_DIR", place->directory, TRUE);
      g_spawn_sync (NULL, arguments, variables, G_SPAWN_DEFAULT, NULL, NULL, &out, &warnings,
                    &status, &error);
      g_assert_no_error (error);
      g_assert_cmpint (status, ==, 0);
      g_test_message ("case %u: %s%s", i, out, warnings);
      g_assert_cmpuint (count_of (out, "Opened the database"), ==, cases[i].opened ? 2 : 0);
      g_assert_cmpuint (count_of (out, "A memtable was written out") > 0, ==, cases[i].flushed);
      g_assert_cmpuint (count_of (warnings, "The environment variable"), ==,
                        cases[i].warned != NULL);
      if (cases[i].warned != NULL)
        g_assert_nonnull (strstr (warnings, cases[i].warned));
      if (cases[i].warned != NULL && cases[i].level[0] == 'v')
        g_assert_nonnull (strstr (warnings, "\"verbose"));
      g_assert_null (strstr (warnings, "\x1b[2J"));
      g_assert_null (strstr (out, SECRET_KEY));
    }
}

/* Behind all others. */
static void
test_complete (void)
{
  written_log_check_complete (NULL);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--log") == 0)
    return be_logged (argv[2]);
  program = g_file_read_link ("/proc/self/exe", NULL);
  g_test_init (&argc, &argv, NULL);
  g_setenv ("XDG_RUNTIME_DIR", "/dev/null", TRUE); /* no directory: nothing can be shared here */
  written_log_begin ();
  add_test ("/log/variable", test_variable);
  add_test ("/log/opened", test_opened);
  add_test ("/log/unprintable-path", test_unprintable_path);
  add_test ("/log/events", test_events);
  add_test ("/log/recovered", test_recovered);
  add_test ("/log/failed", test_failed);
  add_test ("/log/damage", test_damage);
  add_test ("/log/merged-and-loaded", test_merged_and_loaded);
  add_test ("/log/timed-out", test_timed_out);
  add_test ("/log/took-over", test_took_over);
  add_test ("/log/stalled", test_stalled);
  add_test ("/log/not-inspectable", test_not_inspectable);
  add_test ("/log/entry", test_entry);
  add_test ("/log/environment", test_environment);
  g_test_add_func ("/log/complete", test_complete);
  int result = g_test_run ();
  g_free (program);
  return result;
}
