/* SPDX-License-Identifier: MIT */
/* The story of story.txt in C: scenario DIRECTORY sync | async */
#include "../lib/ldb-test.h"

#include <stdlib.h>

static gboolean asynchronously;
static GError *error; /* of the last call; must be looked at */

static void
expect_no_error (void)
{
  if (error != NULL)
    g_error ("%s", error->message);
}

/* Makes a call in its synchronous or asynchronous form. CALL0 has no arguments, CALL_STATIC no
 * object. */
#define CALL(out, object, prefix, ...)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    expect_no_error ();                                                                            \
    if (asynchronously)                                                                            \
      {                                                                                            \
        GAsyncResult *pending_ = NULL;                                                             \
        prefix##_async (object, __VA_ARGS__, NULL, KEEP (pending_));                               \
        g_autoptr (GAsyncResult) done_ = ldb_test_wait (&pending_);                                \
        out = prefix##_finish (object, done_, &error);                                             \
      }                                                                                            \
    else                                                                                           \
      out = prefix (object, __VA_ARGS__, NULL, &error);                                            \
  }                                                                                                \
  G_STMT_END

#define CALL0(out, object, prefix)                                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    expect_no_error ();                                                                            \
    if (asynchronously)                                                                            \
      {                                                                                            \
        GAsyncResult *pending_ = NULL;                                                             \
        prefix##_async (object, NULL, KEEP (pending_));                                            \
        g_autoptr (GAsyncResult) done_ = ldb_test_wait (&pending_);                                \
        out = prefix##_finish (object, done_, &error);                                             \
      }                                                                                            \
    else                                                                                           \
      out = prefix (object, NULL, &error);                                                         \
  }                                                                                                \
  G_STMT_END

#define CALL_STATIC(out, prefix, ...)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    expect_no_error ();                                                                            \
    if (asynchronously)                                                                            \
      {                                                                                            \
        GAsyncResult *pending_ = NULL;                                                             \
        prefix##_async (__VA_ARGS__, NULL, KEEP (pending_));                                       \
        g_autoptr (GAsyncResult) done_ = ldb_test_wait (&pending_);                                \
        out = prefix##_finish (done_, &error);                                                     \
      }                                                                                            \
    else                                                                                           \
      out = prefix (__VA_ARGS__, NULL, &error);                                                    \
  }                                                                                                \
  G_STMT_END

/* A call that succeeds; the functions with a progress function have one more argument when they are
 * asynchronous. */
#define DO(object, prefix, ...)                                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gboolean did_;                                                                                 \
    CALL (did_, object, prefix, __VA_ARGS__);                                                      \
    expect_no_error ();                                                                            \
    g_assert_true (did_);                                                                          \
  }                                                                                                \
  G_STMT_END

#define DO0(object, prefix)                                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gboolean did_;                                                                                 \
    CALL0 (did_, object, prefix);                                                                  \
    expect_no_error ();                                                                            \
    g_assert_true (did_);                                                                          \
  }                                                                                                \
  G_STMT_END

static const char *
yes (gboolean what)
{
  return what ? "yes" : "no";
}

/* The code of the error that was expected; forgets it. */
static char *
take_code (void)
{
  if (error == NULL)
    return g_strdup ("no error");
  g_assert_true (error->domain == LDB_ERROR);
  g_autoptr (GEnumClass) codes = g_type_class_ref (LDB_TYPE_ERROR);
  char *name = g_ascii_strup (g_enum_get_value (codes, error->code)->value_nick, -1);
  g_clear_error (&error);
  return g_strdelimit (name, "-", '_');
}

static void
print_code (const char *what)
{
  g_autofree char *code = take_code ();
  g_print ("%s: %s\n", what, code);
}

/* Takes the bytes over. */
static char *
text (GBytes *bytes)
{
  if (bytes == NULL)
    return g_strdup ("(none)");
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  char *copy = g_strndup (data, size);
  g_bytes_unref (bytes);
  return copy;
}

static char *
get (LdbDatabase *db, const char *key)
{
  GBytes *value;
  CALL (value, db, ldb_database_get, key, strlen (key));
  expect_no_error ();
  return text (value);
}

/* Takes the cursor's remaining records. */
static char *
keys_of (LdbCursor *cursor)
{
  GString *keys = g_string_new (NULL);
  for (;;)
    {
      gboolean moved;
      CALL0 (moved, cursor, ldb_cursor_next);
      expect_no_error ();
      if (!moved)
        return g_string_free (keys, FALSE);
      g_autofree char *key = text (ldb_cursor_get_key (cursor));
      g_string_append_printf (keys, "%s%s", keys->len > 0 ? " " : "", key);
    }
}

/* Takes the cursor over. */
static void
print_keys (const char *what, LdbCursor *cursor)
{
  expect_no_error ();
  g_autofree char *keys = keys_of (cursor);
  g_print ("%s%s\n", what, keys);
  g_object_unref (cursor);
}

static void
read_and_write (LdbDatabase *db)
{
  g_print ("# Reading and writing\n");
  DO (db, ldb_database_put, "k", 1, "v\0w", 3);
  GBytes *value;
  CALL (value, db, ldb_database_get, "k", 1);
  expect_no_error ();
  const guint8 *data = g_bytes_get_data (value, NULL);
  g_print ("k = %02x %02x %02x\n", data[0], data[1], data[2]);
  g_bytes_unref (value);
  g_autofree char *absent = get (db, "absent");
  g_print ("absent = %s\n", absent);
  gboolean found;
  CALL (found, db, ldb_database_contains, "k", 1);
  g_print ("contains k: %s\n", yes (found));
  DO (db, ldb_database_delete, "k", 1);
  DO (db, ldb_database_delete, "k", 1);
  CALL (found, db, ldb_database_contains, "k", 1);
  g_print ("deleted twice, contains k: %s\n", yes (found));

  GVariant *variant = g_variant_new_parsed ("{'name': <'Alice'>, 'age': <30>}");
  DO (db, ldb_database_put_variant, "user", 4, variant);
  GVariant *user;
  CALL (user, db, ldb_database_get_variant, "user", 4, NULL);
  expect_no_error ();
  const char *name;
  int age;
  g_assert_true (g_variant_lookup (user, "name", "&s", &name));
  g_assert_true (g_variant_lookup (user, "age", "i", &age));
  g_print ("user: %s, %d\n", name, age);
  g_variant_unref (user);
  CALL (user, db, ldb_database_get_variant, "user", 4, G_VARIANT_TYPE_STRING);
  print_code ("user as a string");
  DO (db, ldb_database_delete_string, "user");
}

static void
batch_and_many (LdbDatabase *db)
{
  g_print ("# A batch\n");
  guint64 before = ldb_database_get_sequence (db);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  static const char *const fruit[] = { "apple", "banana", "cherry", "date", "elder" };
  for (guint i = 0; i < G_N_ELEMENTS (fruit); i++)
    ldb_batch_put_string (batch, NULL, fruit[i], fruit[i], &error);
  DO (db, ldb_database_write_batch, batch, LDB_SYNC_MODE_DEFAULT);
  g_print ("%u operations, %u commit\n", (guint) ldb_batch_get_count (batch),
           (guint) (ldb_database_get_sequence (db) - before));

  g_print ("# Many at once\n");
  GBytes *keys[] = { text_bytes ("cherry"), text_bytes ("nothing"), text_bytes ("apple") };
  GPtrArray *values;
  CALL (values, db, ldb_database_get_many, keys, G_N_ELEMENTS (keys));
  expect_no_error ();
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      GBytes *value = values->pdata[i];
      g_autofree char *found = text (value != NULL ? g_bytes_ref (value) : NULL);
      g_print ("%s%s", found, i + 1 < G_N_ELEMENTS (keys) ? " " : "\n");
      g_bytes_unref (keys[i]);
    }
  g_ptr_array_unref (values);
}

static void
scan (LdbDatabase *db)
{
  g_print ("# Scans\n");
  gboolean moved;
  GBytes *value;
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  print_keys ("", g_object_ref (cursor));
  CALL0 (moved, cursor, ldb_cursor_previous);
  g_assert_true (moved);
  CALL0 (value, cursor, ldb_cursor_get_value);
  g_autofree char *last_key = text (ldb_cursor_get_key (cursor));
  g_autofree char *last_value = text (value);
  g_print ("back from the end: %s = %s\n", last_key, last_value);
  CALL0 (moved, cursor, ldb_cursor_first);
  g_autofree char *first = text (ldb_cursor_get_key (cursor));
  g_print ("first: %s\n", first);
  g_autoptr (LdbCursor) down = ldb_database_scan (db, "b", 1, "date", 4, LDB_SCAN_REVERSE, &error);
  print_keys ("from date downwards: ", g_object_ref (down));
  CALL (moved, down, ldb_cursor_seek, "bz", 2);
  g_autofree char *nearest = text (ldb_cursor_get_key (down));
  g_print ("nearest below bz: %s\n", nearest);
  LdbCursor *two = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_KEYS_ONLY, &error);
  ldb_cursor_set_limit (two, 2);
  print_keys ("two keys: ", two);
  g_autoptr (LdbCursor) from_b = ldb_database_scan (db, "b", 1, NULL, 0, LDB_SCAN_NONE, &error);
  GPtrArray *records;
  CALL (records, from_b, ldb_cursor_read, 2);
  expect_no_error ();
  g_print ("records:");
  for (guint i = 0; i < records->len; i++)
    {
      g_autofree char *key = text (g_bytes_ref (ldb_record_get_key (records->pdata[i])));
      g_print (" %s", key);
    }
  g_print ("\n");
  g_ptr_array_unref (records);
}

/* Adds 1 to a counter, with somebody else in the way for the first two times. */
static gboolean
count_up (LdbTransaction *transaction, gpointer data, GError **failed)
{
  guint *calls = data;
  g_autofree char *old = ldb_transaction_get_string (transaction, NULL, "counter", NULL, failed);
  g_autofree char *next = g_strdup_printf ("%d", (old != NULL ? atoi (old) : 0) + 1);
  if (++*calls < 3)
    ldb_database_put_string (ldb_transaction_get_database (transaction), "counter", "10", NULL,
                             failed);
  return ldb_transaction_put_string (transaction, NULL, "counter", next, failed);
}

static void
conflict_and_retry (LdbDatabase *db)
{
  g_print ("# Conflict\n");
  g_autoptr (LdbTransaction) one = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_autoptr (LdbTransaction) two = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  ldb_transaction_put_string (one, NULL, "apple", "green", &error);
  ldb_transaction_put_string (two, NULL, "apple", "red", &error);
  g_autofree char *inside = ldb_transaction_get_string (one, NULL, "apple", NULL, &error);
  g_print ("inside: %s\n", inside);
  g_autofree char *outside = get (db, "apple");
  g_print ("outside: %s\n", outside);
  DO (one, ldb_transaction_commit, LDB_SYNC_MODE_DEFAULT);
  g_print ("the first: %s\n",
           ldb_transaction_get_commit_sequence (one) == ldb_database_get_sequence (db) ? "committed"
                                                                                       : "?");
  gboolean committed;
  CALL (committed, two, ldb_transaction_commit, LDB_SYNC_MODE_DEFAULT);
  g_assert_false (committed);
  const char *key = strstr (error->message, "apple") != NULL ? "apple" : "?";
  g_autofree char *code = take_code ();
  g_print ("the second: %s, %s\n", code, key);

  g_print ("# Retries\n");
  guint calls = 0;
  if (asynchronously)
    {
      GAsyncResult *pending = NULL;
      ldb_database_run_transaction_async (db, LDB_TRANSACTION_NONE, count_up, &calls, NULL, NULL,
                                          KEEP (pending));
      g_autoptr (GAsyncResult) done = ldb_test_wait (&pending);
      ldb_database_run_transaction_finish (db, done, &error);
    }
  else
    ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, count_up, &calls, NULL, &error);
  g_autofree char *counter = get (db, "counter");
  g_print ("%u calls, counter %s\n", calls, counter);
  DO (db, ldb_database_delete, "counter", 7);
}

static void
save_and_go_back (LdbDatabase *db)
{
  g_print ("# Savepoint\n");
  g_autoptr (LdbTransaction) transaction
      = ldb_database_begin (db, LDB_TRANSACTION_SERIALIZABLE, &error);
  ldb_transaction_put_string (transaction, NULL, "fig", "1", &error);
  guint64 savepoint = ldb_transaction_savepoint (transaction, &error);
  ldb_transaction_delete_range (transaction, NULL, "a", 1, "d", 1, &error);
  print_keys ("inside: ",
              ldb_transaction_scan (transaction, NULL, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
  ldb_transaction_rollback_to (transaction, savepoint, &error);
  print_keys ("after going back, downwards: ",
              ldb_transaction_scan (transaction, NULL, NULL, 0, NULL, 0, LDB_SCAN_REVERSE, &error));
  DO (transaction, ldb_transaction_commit, LDB_SYNC_MODE_FULL);
  g_print ("durable: %s\n", yes (ldb_database_get_durable_sequence (db)
                                 >= ldb_transaction_get_commit_sequence (transaction)));
}

static void
look_back (LdbDatabase *db)
{
  g_print ("# Snapshot\n");
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  DO (db, ldb_database_put_string, "fig", "2");
  DO (db, ldb_database_put_string, "grape", "2");
  GBytes *value;
  CALL (value, snapshot, ldb_snapshot_get, NULL, "fig", 3);
  g_autofree char *then = text (value);
  char *now;
  CALL (now, db, ldb_database_get_string, "fig");
  g_print ("then %s, now %s\n", then, now);
  g_free (now);
  g_autoptr (GBytes) fig = text_bytes ("fig");
  g_autoptr (GBytes) grape = text_bytes ("grape");
  GBytes *keys[] = { fig, grape };
  GPtrArray *both;
  CALL (both, snapshot, ldb_snapshot_get_many, NULL, keys, 2);
  expect_no_error ();
  g_print ("%s\n", both->pdata[0] != NULL && both->pdata[1] == NULL ? "fig, of two keys" : "?");
  g_ptr_array_unref (both);
  ldb_snapshot_close (snapshot);
  CALL (value, snapshot, ldb_snapshot_get, NULL, "fig", 3);
  print_code ("closed");
}

static LdbStore *
open_store (LdbDatabase *db, const char *name, LdbOpenFlags flags)
{
  LdbStore *store;
  CALL (store, db, ldb_database_open_store, name, flags);
  return store;
}

static void
use_stores (LdbDatabase *db)
{
  g_print ("# Stores\n");
  g_autoptr (LdbStore) people = open_store (db, "people", LDB_OPEN_CREATE);
  g_autoptr (LdbStore) places = open_store (db, "places", LDB_OPEN_CREATE);
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  ldb_transaction_put_string (transaction, people, "ada", "London", &error);
  ldb_transaction_put_string (transaction, places, "London", "ada", &error);
  DO (transaction, ldb_transaction_commit, LDB_SYNC_MODE_DEFAULT);
  char *home;
  CALL (home, people, ldb_store_get_string, "ada");
  g_print ("ada lives in %s\n", home);
  g_free (home);
  g_autofree char *elsewhere = get (db, "ada");
  g_print ("in the default store: %s\n", elsewhere);
  char **names;
  CALL0 (names, db, ldb_database_list_stores);
  g_autofree char *list = g_strjoinv (" ", names);
  g_print ("%s\n", list);
  g_strfreev (names);
  DO (people, ldb_store_put, "bob", 3, "Paris", 5);
  print_keys ("", ldb_store_scan (people, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  ldb_batch_put_string (batch, people, "paris", "bob", &error);
  ldb_batch_delete_string (batch, people, "ada", &error);
  DO (db, ldb_database_write_batch, batch, LDB_SYNC_MODE_DEFAULT);
  print_keys ("", ldb_store_scan (people, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
  DO (db, ldb_database_drop_store, "places");
  g_assert_null (open_store (db, "places", LDB_OPEN_NONE));
  print_code ("places is dropped");
}

static void
delete_ranges (LdbDatabase *db)
{
  g_print ("# Ranges\n");
  DO (db, ldb_database_delete_range, "b", 1, "e", 1);
  DO (db, ldb_database_delete_prefix, "gr", 2);
  print_keys ("", ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
}

static void
load (LdbDatabase *db)
{
  g_print ("# Bulk load\n");
  g_autoptr (LdbStore) store = open_store (db, "loaded", LDB_OPEN_CREATE);
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, &error);
  ldb_loader_put (loader, store, "b", 1, "2", 1, &error);
  g_autoptr (GBytes) key = text_bytes ("a");
  g_autoptr (GBytes) value = text_bytes ("1");
  g_autoptr (LdbRecord) record = ldb_record_new (key, value);
  LdbRecord *records[] = { record };
  DO (loader, ldb_loader_put_many, store, records, 1);
  g_print ("loaded %u: ", (guint) ldb_loader_get_count (loader));
  DO0 (loader, ldb_loader_commit);
  print_keys ("", ldb_store_scan (store, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
  DO (db, ldb_database_drop_store, "loaded");
}

static void
print_outcome (const char *what, LdbDatabase *db)
{
  expect_no_error ();
  g_autoptr (LdbStore) people = open_store (db, "people", LDB_OPEN_NONE);
  expect_no_error ();
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  g_autofree char *keys = keys_of (cursor);
  g_autofree char *apple = get (db, "apple");
  char *home;
  CALL (home, people, ldb_store_get_string, "bob");
  g_print ("%s%s, %s, %s\n", what, keys, apple, home);
  g_free (home);
}

static void
progress (guint64 done, guint64 total, const char *step, gpointer data)
{
  (*(guint *) data)++;
}

/* Waits for a call with progress that was started with KEEP (pending). */
#define FINISH(out, pending, finish, ...)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GAsyncResult) done_ = ldb_test_wait (&pending);                                     \
    out = finish (__VA_ARGS__, &error);                                                            \
  }                                                                                                \
  G_STMT_END

static void
compact_and_back_up (LdbDatabase *db, const char *backup)
{
  guint told = 0;
  GAsyncResult *pending = NULL;
  LdbBackupResult *result;
  LdbCheckReport *report;
  DO0 (db, ldb_database_sync);
  DO0 (db, ldb_database_flush);
  if (asynchronously)
    {
      gboolean compacted;
      ldb_database_compact_async (db, progress, &told, NULL, NULL, KEEP (pending));
      FINISH (compacted, pending, ldb_database_compact_finish, db, done_);
      g_assert_true (compacted);
    }
  else
    ldb_database_compact (db, progress, &told, NULL, &error);
  DO0 (db, ldb_database_checkpoint);
  print_outcome ("", db);
  if (asynchronously)
    {
      ldb_database_backup_async (db, backup, LDB_BACKUP_VERIFY, progress, &told, NULL, NULL,
                                 KEEP (pending));
      FINISH (result, pending, ldb_database_backup_finish, db, done_);
      ldb_database_check_async (db, LDB_CHECK_DEEP, NULL, NULL, NULL, NULL, KEEP (pending));
      FINISH (report, pending, ldb_database_check_finish, db, done_);
    }
  else
    {
      result = ldb_database_backup (db, backup, LDB_BACKUP_VERIFY, progress, &told, NULL, &error);
      report = ldb_database_check (db, LDB_CHECK_DEEP, NULL, NULL, NULL, &error);
    }
  expect_no_error ();
  g_print ("told of progress: %s\n", yes (told > 0));
  g_print ("backup of the newest commit: %s\n",
           yes (result->sequence == ldb_database_get_sequence (db)));
  g_print ("faults: %u\n", (guint) report->fault_count);
  ldb_backup_result_free (result);
  ldb_check_report_free (report);
}

static void
look_after (LdbDatabase *db, const char *path)
{
  g_print ("# Upkeep\n");
  g_autofree char *backup = g_strconcat (path, ".backup", NULL);
  g_autofree char *restored = g_strconcat (path, ".restored", NULL);
  g_autofree char *repaired = g_strconcat (path, ".repaired", NULL);
  GAsyncResult *pending = NULL;
  LdbRepairReport *report;
  compact_and_back_up (db, backup);
  if (asynchronously)
    {
      gboolean done;
      ldb_database_restore_async (backup, restored, NULL, NULL, NULL, NULL, KEEP (pending));
      FINISH (done, pending, ldb_database_restore_finish, done_);
      g_assert_true (done);
    }
  else
    ldb_database_restore (backup, restored, NULL, NULL, NULL, &error);
  LdbDatabase *copy;
  CALL_STATIC (copy, ldb_database_open, restored, LDB_OPEN_NONE, NULL);
  print_outcome ("restored: ", copy);
  DO0 (copy, ldb_database_close);
  g_object_unref (copy);
  if (asynchronously)
    {
      ldb_database_repair_async (restored, repaired, NULL, NULL, NULL, NULL, KEEP (pending));
      FINISH (report, pending, ldb_database_repair_finish, done_);
    }
  else
    report = ldb_database_repair (restored, repaired, NULL, NULL, NULL, &error);
  expect_no_error ();
  g_print ("lost pages: %u\n", (guint) report->lost_pages);
  ldb_repair_report_free (report);
}

static void
note_told (LdbDatabase *db, GParamSpec *pspec, gboolean *told)
{
  *told = !ldb_database_is_read_only (db);
}

static void
take_over (const char *path)
{
  g_print ("# Taking over\n");
  LdbDatabase *db;
  gboolean put, told = FALSE;
  CALL_STATIC (db, ldb_database_open, path, LDB_OPEN_READ_ONLY, NULL);
  g_signal_connect (db, "notify::read-only", G_CALLBACK (note_told), &told);
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  CALL (put, db, ldb_database_put_string, "apple", "yellow");
  g_assert_false (put);
  g_autofree char *code = take_code ();
  g_print ("to read: %s, %s\n", yes (ldb_database_is_read_only (db)), code);
  DO0 (db, ldb_database_take_over);
  g_print ("to write: %s, told: %s\n", yes (ldb_database_is_read_only (db)), yes (told));
  DO (db, ldb_database_put_string, "apple", "yellow");
  print_outcome ("", db);
  g_autofree char *then = ldb_snapshot_get_string (snapshot, NULL, "apple", NULL, &error);
  g_print ("then: %s\n", then);
  DO0 (db, ldb_database_close);
  g_object_unref (db);
}

int
main (int argc, char **argv)
{
  g_autofree char *path = g_build_filename (argv[1], "database", NULL);
  asynchronously = g_str_equal (argv[2], "async");
  LdbDatabase *db;
  CALL_STATIC (db, ldb_database_create, path, NULL);
  expect_no_error ();
  read_and_write (db);
  batch_and_many (db);
  scan (db);
  conflict_and_retry (db);
  save_and_go_back (db);
  look_back (db);
  use_stores (db);
  delete_ranges (db);
  load (db);
  look_after (db, path);

  g_print ("# Closing\n");
  DO0 (db, ldb_database_close);
  GBytes *value;
  CALL (value, db, ldb_database_get, "apple", 5);
  g_assert_null (value);
  print_code ("closed");
  LdbDatabase *again;
  CALL_STATIC (again, ldb_database_open, path, LDB_OPEN_NONE, NULL);
  print_outcome ("again: ", again);
  DO0 (again, ldb_database_close);
  g_object_unref (again);
  g_object_unref (db);
  take_over (path);
  gboolean destroyed;
  CALL_STATIC (destroyed, ldb_database_destroy, path);
  g_assert_true (destroyed);
  CALL_STATIC (db, ldb_database_open, path, LDB_OPEN_NONE, NULL);
  print_code ("destroyed");
  return 0;
}
