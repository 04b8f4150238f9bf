/* SPDX-License-Identifier: MIT */
/* LdbHealth of real databases: what is found, who is told, what a remedy does. */
#include "ldb-test.h"

#include <sys/stat.h>

static LdbHealth *
examine (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  LdbHealth *health = ldb_database_examine_health (db, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (health);
  return health;
}

static const LdbHealthIssue *
find (LdbHealth *health, const char *id)
{
  const LdbHealthIssue *issue = ldb_health_find_issue (health, id);
  if (issue == NULL)
    {
      g_autofree char *json = ldb_health_to_json (health);
      g_error ("no %s in %s", id, json);
    }
  return issue;
}

/* A machine may be short of space, or have a file system of another's, whatever the test does: nothing of ours
 * is among it. */
static void
assert_nothing_of_ours (LdbHealth *health)
{
  GPtrArray *issues = ldb_health_get_issues (health);
  for (guint i = 0; i < issues->len; i++)
    {
      const LdbHealthIssue *issue = g_ptr_array_index (issues, i);
      if (!g_str_equal (issue->id, "disk-space"))
        g_assert_cmpstr (issue->id, ==, "network-file-system");
    }
}

static void
test_well (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_assert_null (ldb_database_get_health (db));
  ldb_test_put (db, "key", "value");
  gint64 before = g_get_real_time ();
  g_autoptr (LdbHealth) health = examine (db);
  assert_nothing_of_ours (health);
  g_assert_cmpint (ldb_health_get_time (health), >=, before);
  g_autoptr (LdbHealth) last = ldb_database_get_health (db);
  g_assert_true (last == health);
  g_autoptr (GError) error = NULL;
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (ldb_database_get_health (db));
  g_assert_null (ldb_database_examine_health (db, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
}

/* ---- who is told ---- */

typedef struct
{
  guint notified, changes; /* of the property; events of that kind */
  char *message;           /* of the last; owned */
} Told;

static void
note_health (LdbDatabase *db, GParamSpec *spec, gpointer data)
{
  ((Told *) data)->notified++;
}

static void
note_event (LdbDatabase *db, LdbEvent *event, gpointer data)
{
  Told *told = data;
  if (event->kind != LDB_EVENT_HEALTH)
    return;
  told->changes++;
  g_free (told->message);
  told->message = g_strdup (event->message);
}

/* Everything that is under way in this context. */
static void
drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
expose (Place *place)
{
  g_assert_cmpint (g_chmod (place->path, 0755), ==, 0);
}

/* Others may look into the directory; one call takes that away. */
static void
test_exposed (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbDatabase) other = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  Told told = { 0 }, silent = { 0 };
  g_autofree char *file = g_build_filename (place->path, "extra", NULL);
  g_signal_connect (db, "notify::health", G_CALLBACK (note_health), &told);
  g_signal_connect (db, "event", G_CALLBACK (note_event), &told);
  g_signal_connect (other, "notify::health", G_CALLBACK (note_health), &silent);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  g_assert_cmpint (g_chmod (file, 0644), ==, 0);
  g_autoptr (LdbHealth) well = examine (db);
  g_assert_null (ldb_health_find_issue (well, "exposed")); /* nobody gets at it */
  drain ();
  guint notified = told.notified, changes = told.changes;
  expose (place);
  g_autoptr (LdbHealth) exposed = examine (db);
  const LdbHealthIssue *issue = find (exposed, "exposed");
  g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_WARNING);
  g_assert_cmpint (issue->action, ==, LDB_REMEDY_RESTRICT_ACCESS);
  guint64 files = 0;
  g_assert_true (g_variant_lookup (ldb_health_issue_get_evidence (issue), "files", "t", &files));
  g_assert_cmpuint (files, ==, 1);
  drain ();
  g_assert_cmpuint (told.notified, ==, notified + 1);
  g_assert_cmpuint (told.changes, ==, changes + 1);
  g_assert_nonnull (strstr (told.message, "exposed (warning)"));
  g_assert_cmpuint (silent.notified, ==, told.notified); /* each handle */

  g_autoptr (LdbHealth) again = examine (db); /* the same verdict is no news */
  drain ();
  g_assert_cmpuint (told.notified, ==, notified + 1);

  g_assert_true (ldb_database_apply_remedy (db, issue, NULL, &error));
  g_assert_no_error (error);
  GStatBuf information;
  g_assert_cmpint (g_stat (place->path, &information), ==, 0);
  g_assert_cmpint (information.st_mode & 0777, ==, 0700);
  g_assert_cmpint (g_stat (file, &information), ==, 0);
  g_assert_cmpint (information.st_mode & 0777, ==, 0600);
  g_autoptr (LdbHealth) healed = examine (other);
  g_assert_null (ldb_health_find_issue (healed, "exposed"));
  drain ();
  g_assert_cmpuint (told.notified, ==, notified + 2);
  g_free (told.message);
}

/* What is written goes nowhere then; what was there can be read. */
static void
test_moved (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autofree char *away = g_build_filename (place->directory, "away", NULL);
  ldb_test_put (db, "a", "1");
  g_autoptr (LdbHealth) well = examine (db);
  g_assert_null (ldb_health_find_issue (well, "moved"));
  g_assert_cmpint (g_rename (place->path, away), ==, 0);
  g_autoptr (LdbHealth) moved = examine (db);
  g_assert_cmpint (find (moved, "moved")->severity, ==, LDB_SEVERITY_CRITICAL);
  g_assert_cmpint (g_rename (away, place->path), ==, 0);
  g_autoptr (LdbHealth) healed = examine (db);
  g_assert_null (ldb_health_find_issue (healed, "moved"));

  GDir *directory = g_dir_open (place->path, 0, &error);
  g_assert_no_error (error);
  for (const char *name; (name = g_dir_read_name (directory)) != NULL;)
    {
      g_autofree char *file = g_build_filename (place->path, name, NULL);
      g_assert_cmpint (g_unlink (file), ==, 0);
    }
  g_dir_close (directory);
  g_assert_cmpint (g_rmdir (place->path), ==, 0);
  g_autoptr (LdbHealth) deleted = examine (db);
  find (deleted, "moved");
  g_autofree char *value = ldb_database_get_string (db, "a", NULL, &error);
  g_assert_cmpstr (value, ==, "1");
  ldb_database_close (db, NULL, NULL); /* which may fail: there is nowhere to write to */
}

/* The process has gone to another folder since it opened the database by a relative path, where there is
 * another directory of that name. */
static void
test_elsewhere (Place *place, gconstpointer data)
{
  GStatBuf information;
  g_autoptr (GError) error = NULL;
  g_autofree char *before = g_get_current_dir ();
  g_autofree char *name = g_path_get_basename (place->path);
  g_autofree char *elsewhere = g_build_filename (place->directory, "elsewhere", NULL);
  g_autofree char *namesake = g_build_filename (elsewhere, name, NULL);
  g_assert_cmpint (g_mkdir_with_parents (namesake, 0700), ==, 0);
  g_assert_cmpint (g_chmod (namesake, 0755), ==, 0);
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  g_autoptr (LdbDatabase) db = ldb_database_open (name, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_chdir (elsewhere), ==, 0);
  g_autoptr (LdbHealth) well = examine (db);
  g_assert_null (ldb_health_find_issue (well, "exposed"));
  expose (place);
  g_autoptr (LdbHealth) exposed = examine (db);
  g_assert_true (ldb_database_apply_remedy (db, find (exposed, "exposed"), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_assert_cmpint (g_stat (place->path, &information), ==, 0);
  g_assert_cmpint (information.st_mode & 0777, ==, 0700);
  g_assert_cmpint (g_stat (namesake, &information), ==, 0);
  g_assert_cmpint (information.st_mode & 0777, ==, 0755);
  g_assert_cmpstr (ldb_database_get_path (db), ==, name); /* as it was given */
}

static void
test_async (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  expose (place);
  ldb_database_examine_health_async (db, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_autoptr (LdbHealth) health = ldb_database_examine_health_finish (db, done, &error);
  g_assert_no_error (error);
  ldb_database_apply_remedy_async (db, find (health, "exposed"), NULL, KEEP (result));
  g_autoptr (GAsyncResult) applied = ldb_test_wait (&result);
  g_assert_true (ldb_database_apply_remedy_finish (db, applied, &error));
  g_assert_no_error (error);
}

/* ---- what is found ---- */

/* Read-write transactions that only read. */
static void
test_only_reads (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (LdbTransaction) transaction
          = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
      g_assert_no_error (error);
      ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error);
      g_assert_no_error (error);
    }
  g_autoptr (LdbHealth) health = examine (db);
  const LdbHealthIssue *issue = find (health, "only-reads");
  g_assert_true (ldb_health_is_healthy (health) || ldb_health_find_issue (health, "disk-space"));
  g_assert_false (ldb_database_apply_remedy (db, issue, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_UNSUPPORTED, "read-only");
}

static void
conflict (LdbDatabase *db, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_no_error (error);
  ldb_transaction_put_string (transaction, NULL, key, "1", &error);
  g_assert_no_error (error);
  ldb_test_put (db, key, "2");
  ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  assert_ldb_error (error, LDB_ERROR_CONFLICT, "changed");
}

/* Also when there were so many others since that no list of events has it any more. */
static void
test_hot_key (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  for (guint i = 0; i < 300; i++)
    conflict (db, "counter");
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *key = g_strdup_printf ("other-%u", i);
      conflict (db, key);
    }
  g_autoptr (LdbHealth) health = examine (db);
  const LdbHealthIssue *issue = find (health, "hot-key");
  g_autoptr (GVariant) share = g_variant_lookup_value (ldb_health_issue_get_evidence (issue),
                                                       "share_of_key", G_VARIANT_TYPE_DOUBLE);
  assert_bytes (ldb_health_issue_get_key (issue), "counter");
  g_assert_cmpfloat (g_variant_get_double (share), >=, 0.595); /* 300 of 500, as it is sure of */
  g_assert_cmpfloat (g_variant_get_double (share), <=, 0.6);
}

/* Noise, which nothing compresses; free it. */
static guint8 *
noise (gsize size)
{
  guint8 *bytes = g_malloc (size);
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8) g_test_rand_int ();
  return bytes;
}

static void
put_noise (LdbDatabase *db, guint count, gsize size)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < count; i++)
    {
      g_autofree guint8 *value = noise (size);
      g_autofree char *key = g_strdup_printf ("key-%05u", i);
      ldb_database_put (db, (const guint8 *) key, strlen (key), value, size, NULL, &error);
      g_assert_no_error (error);
    }
}

static void
test_many_runs (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_background_compaction (options, FALSE);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  for (guint i = 0; i < 24; i++)
    {
      g_autoptr (LdbHealth) before = examine (db);
      g_assert_null (ldb_health_find_issue (before, "many-runs"));
      ldb_test_put (db, "key", "value");
      g_assert_true (ldb_database_flush (db, NULL, &error));
    }
  g_autoptr (LdbHealth) health = examine (db);
  const LdbHealthIssue *issue = find (health, "many-runs");
  g_assert_nonnull (strstr (issue->remedy, "background-compaction"));
  g_assert_true (ldb_database_apply_remedy (db, issue, NULL, &error));
  g_autoptr (LdbHealth) healed = examine (db);
  g_assert_null (ldb_health_find_issue (healed, "many-runs"));
}

static void
test_not_durable (Place *place, gconstpointer data)
{
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_wal_sync_mode (options, LDB_SYNC_MODE_NONE);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_autoptr (LdbHealth) before = examine (db);
  g_assert_null (ldb_health_find_issue (before, "not-durable"));
  ldb_test_put (db, "key", "value");
  g_autoptr (LdbHealth) health = examine (db);
  find (health, "not-durable");
}

static gboolean
reads_until_small (LdbDatabase *db)
{
  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *key = g_strdup_printf ("key-%05d", g_test_rand_int_range (0, 20000));
      g_autoptr (GBytes) value
          = ldb_database_get (db, (const guint8 *) key, strlen (key), NULL, &error);
      g_assert_no_error (error);
      g_assert_nonnull (value);
    }
  g_autoptr (LdbHealth) health = examine (db);
  return ldb_health_find_issue (health, "small-cache") != NULL;
}

/* 20 MB that are read at random through a cache of less than 10, and which nothing compresses. On a
 * crowded machine pages are read without being kept for a while, so it may take more reads. */
static void
test_small_cache (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 10 << 20);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  put_noise (db, 20000, 1000);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  g_autoptr (LdbHealth) before = examine (db);
  g_assert_null (ldb_health_find_issue (before, "small-cache"));
  find (before, "useless-compression");
  guint rounds = 1;
  while (!reads_until_small (db) && rounds < 20)
    rounds++;
  g_assert_cmpuint (rounds, <, 20);
}

static void
test_huge_values (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_noise (db, 2, 9 << 20);
  g_assert_true (ldb_database_flush (db, NULL, &error));
  g_autoptr (LdbHealth) health = examine (db);
  find (health, "huge-values");
}

static void
test_tombstones (Place *place, gconstpointer data)
{
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_autoptr (GError) error = NULL;
  ldb_options_set_background_compaction (options, FALSE);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (LdbBatch) batch = ldb_batch_new ();
      for (guint i = 0; i < 20000; i++)
        {
          char key[32];
          gsize length = (gsize) g_snprintf (key, sizeof key, "key-%05u", i);
          gboolean done = round == 0 ? ldb_batch_put (batch, NULL, key, length, "v", 1, &error)
                                     : ldb_batch_delete (batch, NULL, key, length, &error);
          g_assert_true (done);
        }
      ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
      g_assert_no_error (error);
      ldb_database_flush (db, NULL, &error);
      g_assert_no_error (error);
    }
  g_autoptr (LdbHealth) health = examine (db);
  const LdbHealthIssue *issue = find (health, "tombstones");
  g_autoptr (GVariant) store
      = g_variant_lookup_value (ldb_health_issue_get_evidence (issue), "store", NULL);
  g_assert_cmpstr (g_variant_get_string (store, NULL), ==, "default");
  g_assert_true (ldb_database_apply_remedy (db, issue, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (LdbHealth) healed = examine (db);
  g_assert_null (ldb_health_find_issue (healed, "tombstones"));
}

/* What would be done about a transaction, and what if that has ended. */
static void
test_transaction (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_no_error (error);
  LdbHealthIssue issue = { .id = (char *) "long-transaction",
                           .remedy = (char *) "",
                           .action = LDB_REMEDY_ABORT_TRANSACTION,
                           .target = ldb_transaction_get_id (transaction) };
  g_assert_true (ldb_database_apply_remedy (db, &issue, NULL, &error));
  g_assert_no_error (error);
  ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  assert_ldb_error (error, LDB_ERROR_TIMED_OUT, "");
  g_assert_false (ldb_database_apply_remedy (db, &issue, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "ended");
  issue.action = LDB_REMEDY_CHECK;
  ldb_test_put (db, "key", "value");
  g_assert_true (ldb_database_apply_remedy (db, &issue, NULL, &error));
  g_assert_no_error (error);
  issue.action = LDB_REMEDY_FLUSH;
  g_assert_true (ldb_database_apply_remedy (db, &issue, NULL, &error));
  g_assert_no_error (error);
}

/* Damage is met, told, and stays an issue; the check that is its remedy finds it, too. */
static void
test_damage (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  {
    g_autoptr (LdbDatabase) db = place_open (place, NULL);
    g_autoptr (LdbBatch) batch = ldb_batch_new ();
    for (guint i = 0; i < 5000; i++)
      {
        char key[32];
        gsize length = (gsize) g_snprintf (key, sizeof key, "key-%05u", i);
        g_assert_true (ldb_batch_put (batch, NULL, key, length, key, length, &error));
      }
    ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
    g_assert_no_error (error);
    ldb_database_close (db, NULL, &error);
    g_assert_no_error (error);
  }
  g_autoptr (GDir) directory = g_dir_open (place->path, 0, &error);
  g_assert_no_error (error);
  const char *name;
  guint spoiled = 0;
  while ((name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".seg"))
      {
        g_autofree char *path = g_build_filename (place->path, name, NULL), *contents = NULL;
        gsize size;
        g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
        for (gsize i = 4096; i < MIN (size, 12288); i++)
          contents[i] ^= 0x55;
        g_assert_true (g_file_set_contents (path, contents, (gssize) size, NULL));
        spoiled++;
      }
  g_assert_cmpuint (spoiled, >, 0);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint failed = 0;
  for (guint i = 0; i < 5000; i += 100)
    {
      g_autofree char *key = g_strdup_printf ("key-%05u", i);
      g_autofree char *value = ldb_database_get_string (db, key, NULL, &error);
      failed += g_error_matches (error, LDB_ERROR, LDB_ERROR_CORRUPT);
      g_clear_error (&error);
    }
  g_assert_cmpuint (failed, >, 0);
  g_autoptr (LdbHealth) health = examine (db);
  const LdbHealthIssue *issue = find (health, "damage");
  g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_CRITICAL);
  g_assert_false (ldb_database_apply_remedy (db, issue, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CORRUPT, "faults");
  g_autoptr (LdbHealth) still = examine (db);
  find (still, "damage");
}

/* ---- the watch ---- */

static void
count (GObject *object, gpointer what, gpointer data)
{
  ++*(guint *) data;
}

static void
test_watch (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  guint notified = 0, events = 0;
  expose (place);
  g_autoptr (LdbHealthWatch) watch = ldb_database_watch_health (db, 10, &error);
  g_assert_no_error (error);
  g_assert_null (ldb_health_watch_get_health (watch));
  g_signal_connect (watch, "notify::health", G_CALLBACK (count), &notified);
  g_signal_connect (watch, "event", G_CALLBACK (count), &events);
  ldb_health_watch_replay (watch, 0);
  while (notified == 0 || events == 0)
    g_main_context_iteration (NULL, TRUE);
  g_autoptr (LdbHealth) health = ldb_health_watch_get_health (watch);
  find (health, "exposed");
  while (events < 2) /* opened, and that the health is another one */
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (g_chmod (place->path, 0700), ==, 0);
  while (notified == 1)
    g_main_context_iteration (NULL, TRUE);
  g_autoptr (LdbHealth) healed = ldb_health_watch_get_health (watch);
  g_assert_null (ldb_health_find_issue (healed, "exposed"));
  ldb_health_watch_close (watch);
  ldb_health_watch_close (watch);
  expose (place);
  g_autoptr (LdbHealth) exposed = examine (db);
  drain ();
  g_assert_cmpuint (notified, ==, 2);
}

/* One that is let go of while it examines, and one whose database is. */
static void
test_watch_ends (Place *place, gconstpointer data)
{
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (GError) error = NULL;
      LdbDatabase *db = place_open (place, NULL);
      LdbHealthWatch *watch = ldb_database_watch_health (db, 1, &error);
      g_assert_no_error (error);
      for (guint turn = 0; turn < i; turn++)
        g_main_context_iteration (NULL, FALSE);
      if (i % 2 == 0)
        ldb_database_close (db, NULL, &error);
      g_assert_no_error (error);
      g_object_unref (i % 4 < 2 ? (gpointer) db : (gpointer) watch);
      for (guint turn = 0; turn < i; turn++)
        g_main_context_iteration (NULL, FALSE);
      g_object_unref (i % 4 < 2 ? (gpointer) watch : (gpointer) db);
    }
  drain ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ldb_test_allow_warnings ();
  add_test ("/health/well", test_well);
  add_test ("/health/exposed", test_exposed);
  add_test ("/health/moved", test_moved);
  add_test ("/health/elsewhere", test_elsewhere);
  add_test ("/health/async", test_async);
  add_test ("/health/only-reads", test_only_reads);
  add_test ("/health/hot-key", test_hot_key);
  add_test ("/health/many-runs", test_many_runs);
  add_test ("/health/not-durable", test_not_durable);
  add_test ("/health/small-cache", test_small_cache);
  add_test ("/health/huge-values", test_huge_values);
  add_test ("/health/tombstones", test_tombstones);
  add_test ("/health/transaction", test_transaction);
  add_test ("/health/damage", test_damage);
  add_test ("/health/watch", test_watch);
  add_test ("/health/watch-ends", test_watch_ends);
  return g_test_run ();
}
