/* SPDX-License-Identifier: MIT */
/*
 * The asynchronous forms: the whole scenario, and what is promised about contexts, cancelling and
 * calls that overlap.
 */
#include "ldb-test.h"

static LdbDatabase *
open_async (Place *place)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  ldb_database_open_async (place->path, LDB_OPEN_CREATE, NULL, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  LdbDatabase *db = ldb_database_open_finish (done, &error);
  g_assert_no_error (error);
  return db;
}

static void
close_async (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  ldb_database_close_async (db, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_assert_true (ldb_database_close_finish (db, done, &error));
  g_assert_no_error (error);
}

/* Starts a call, waits, and finishes it into `out`. */
#define AWAIT(out, object, prefix, ...)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GAsyncResult *await_result_ = NULL;                                                            \
    prefix##_async (object, __VA_ARGS__, NULL, KEEP (await_result_));                              \
    g_autoptr (GAsyncResult) await_done_ = ldb_test_wait (&await_result_);                         \
    out = prefix##_finish (object, await_done_, &error);                                           \
  }                                                                                                \
  G_STMT_END

/* The same for a call without arguments. */
#define AWAIT_PLAIN(out, object, prefix)                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GAsyncResult *await_result_ = NULL;                                                            \
    prefix##_async (object, NULL, KEEP (await_result_));                                           \
    g_autoptr (GAsyncResult) await_done_ = ldb_test_wait (&await_result_);                         \
    out = prefix##_finish (object, await_done_, &error);                                           \
  }                                                                                                \
  G_STMT_END

static void
assert_async_text (LdbDatabase *db, const char *key, const char *expected)
{
  g_autoptr (GError) error = NULL;
  char *text;
  AWAIT (text, db, ldb_database_get_string, key);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
  g_free (text);
}

static void
write_async (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  gboolean done;
  GBytes *value;
  AWAIT (done, db, ldb_database_put, "a", 1, "1", 1);
  g_assert_true (done);
  AWAIT (done, db, ldb_database_put_string, "b", "2");
  g_assert_true (done);
  g_autoptr (GBytes) key = text_bytes ("c");
  g_autoptr (GBytes) text = text_bytes ("3");
  AWAIT (done, db, ldb_database_put_bytes, key, text);
  g_assert_true (done);
  AWAIT (done, db, ldb_database_put_variant, "d", 1, g_variant_new_int32 (4));
  g_assert_true (done);
  AWAIT (value, db, ldb_database_get, "a", 1);
  assert_bytes (value, "1");
  g_bytes_unref (value);
  AWAIT (value, db, ldb_database_get_bytes, key);
  assert_bytes (value, "3");
  g_bytes_unref (value);
  AWAIT (value, db, ldb_database_get, "nothing", 7);
  g_assert_null (value);
  g_assert_no_error (error);
  GVariant *variant;
  AWAIT (variant, db, ldb_database_get_variant, "d", 1, G_VARIANT_TYPE_INT32);
  g_assert_cmpint (g_variant_get_int32 (variant), ==, 4);
  g_variant_unref (variant);
  AWAIT (done, db, ldb_database_contains, "d", 1);
  g_assert_true (done);
  AWAIT (done, db, ldb_database_delete, "d", 1);
  g_assert_true (done);
  AWAIT (done, db, ldb_database_contains, "d", 1);
  g_assert_false (done);
  g_assert_no_error (error);
  assert_async_text (db, "b", "2");
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_ptr_array_add (keys, key);
  GPtrArray *values;
  AWAIT (values, db, ldb_database_get_many, (GBytes *const *) keys->pdata, keys->len);
  g_assert_cmpuint (values->len, ==, 1);
  assert_bytes (values->pdata[0], "3");
  g_ptr_array_unref (values);
}

static void
batch_and_scan_async (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  gboolean done;
  GAsyncResult *result = NULL;
  ldb_batch_put_string (batch, NULL, "e", "5", &error);
  ldb_batch_delete_string (batch, NULL, "a", &error);
  ldb_database_write_batch_async (db, batch, LDB_SYNC_MODE_FULL, NULL, KEEP (result));
  g_assert_false (ldb_batch_put_string (batch, NULL, "f", "6", &error));
  assert_ldb_error (error, LDB_ERROR_PENDING, "batch");
  g_autoptr (GAsyncResult) written = ldb_test_wait (&result);
  g_assert_true (ldb_database_write_batch_finish (db, written, &error));
  g_assert_true (ldb_batch_put_string (batch, NULL, "f", "6", &error));

  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  AWAIT_PLAIN (done, cursor, ldb_cursor_next);
  g_assert_true (done);
  g_autoptr (GBytes) key = ldb_cursor_get_key (cursor);
  assert_bytes (key, "b");
  GBytes *value;
  AWAIT_PLAIN (value, cursor, ldb_cursor_get_value);
  assert_bytes (value, "2");
  g_bytes_unref (value);
  AWAIT (done, cursor, ldb_cursor_seek, "d", 1);
  g_assert_true (done);
  AWAIT_PLAIN (done, cursor, ldb_cursor_next);
  g_assert_false (done);
  g_assert_no_error (error);
  AWAIT_PLAIN (done, cursor, ldb_cursor_previous);
  AWAIT_PLAIN (done, cursor, ldb_cursor_last);
  g_assert_true (done);
  AWAIT_PLAIN (done, cursor, ldb_cursor_first);
  g_assert_true (done);
  GPtrArray *records;
  AWAIT (records, cursor, ldb_cursor_read, 100);
  g_assert_cmpuint (records->len, ==, 2);
  assert_bytes (ldb_record_get_key (records->pdata[1]), "e");
  g_ptr_array_unref (records);
}

static void
transaction_async (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  gboolean done;
  g_autoptr (LdbTransaction) one = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_autoptr (LdbTransaction) two = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  GBytes *value;
  AWAIT (value, one, ldb_transaction_get, NULL, "b", 1);
  assert_bytes (value, "2");
  g_bytes_unref (value);
  char *text;
  AWAIT (text, one, ldb_transaction_get_string, NULL, "b");
  g_assert_cmpstr (text, ==, "2");
  g_free (text);
  g_assert_true (
      ldb_transaction_put_variant (one, NULL, "variant", 7, g_variant_new_int32 (4), &error));
  GVariant *variant;
  AWAIT (variant, one, ldb_transaction_get_variant, NULL, "variant", 7, G_VARIANT_TYPE_INT32);
  g_assert_no_error (error);
  g_assert_cmpint (g_variant_get_int32 (variant), ==, 4);
  g_variant_unref (variant);
  AWAIT (variant, one, ldb_transaction_get_variant, NULL, "variant", 7, G_VARIANT_TYPE_STRING);
  g_assert_null (variant);
  assert_ldb_error (error, LDB_ERROR_WRONG_TYPE, "\"i\"");
  AWAIT (done, one, ldb_transaction_contains, NULL, "variant", 7);
  g_assert_true (done);
  g_assert_true (ldb_transaction_delete_string (one, NULL, "variant", &error));
  AWAIT (done, one, ldb_transaction_contains, NULL, "variant", 7);
  g_assert_false (done);
  g_assert_no_error (error);
  ldb_transaction_contains_async (one, NULL, "b", 1, NULL, KEEP (result));
  g_assert_false (ldb_transaction_contains (one, NULL, "b", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_PENDING, "transaction");
  g_autoptr (GAsyncResult) looked = ldb_test_wait (&result);
  g_assert_true (ldb_transaction_contains_finish (one, looked, &error));
  g_assert_true (ldb_transaction_put_string (one, NULL, "b", "one", &error));
  g_assert_true (ldb_transaction_put_string (two, NULL, "b", "two", &error));
  ldb_transaction_commit_async (one, LDB_SYNC_MODE_DEFAULT, NULL, KEEP (result));
  g_assert_false (ldb_transaction_put_string (one, NULL, "b", "x", &error));
  assert_ldb_error (error, LDB_ERROR_PENDING, "transaction");
  g_autoptr (GAsyncResult) committed = ldb_test_wait (&result);
  g_assert_true (ldb_transaction_commit_finish (one, committed, &error));
  g_assert_false (ldb_transaction_put_string (one, NULL, "b", "x", &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "transaction");
  AWAIT (done, two, ldb_transaction_commit, LDB_SYNC_MODE_DEFAULT);
  g_assert_false (done);
  assert_ldb_error (error, LDB_ERROR_CONFLICT, "b");
  assert_async_text (db, "b", "one");
}

typedef struct
{
  GThread *thread; /* where every call has to be */
  guint calls;     /* so far */
  guint rivals;    /* to come */
  guint destroyed; /* times the data was freed */
} Caller;

static gboolean
append (LdbTransaction *transaction, gpointer data, GError **error)
{
  Caller *caller = data;
  LdbDatabase *db = ldb_transaction_get_database (transaction);
  g_assert_true (g_thread_self () == caller->thread);
  caller->calls++;
  g_autofree char *text = ldb_transaction_get_string (transaction, NULL, "b", NULL, error);
  g_autofree char *longer = g_strconcat (text, "+", NULL);
  if (caller->rivals > 0 && caller->rivals--)
    g_assert_true (ldb_database_put_string (db, "b", "rival", NULL, NULL));
  return ldb_transaction_put_string (transaction, NULL, "b", longer, error);
}

static void
count_destroyed (gpointer data)
{
  Caller *caller = data;
  g_assert_true (g_thread_self () == caller->thread);
  caller->destroyed++;
}

static void
run_async (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  Caller caller = { .thread = g_thread_self (), .rivals = 1 };
  ldb_database_run_transaction_async (db, LDB_TRANSACTION_NONE, append, &caller, count_destroyed,
                                      NULL, KEEP (result));
  g_assert_cmpuint (caller.calls, ==, 0);
  GAsyncResult *done = ldb_test_wait (&result);
  g_assert_true (ldb_database_run_transaction_finish (db, done, &error));
  g_assert_no_error (error);
  g_object_unref (done);
  while (caller.destroyed == 0)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (caller.calls, ==, 2);
  g_assert_cmpuint (caller.destroyed, ==, 1);
  assert_async_text (db, "b", "rival+");
}

static void
stores_async (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  gboolean done;
  LdbStore *store;
  AWAIT (store, db, ldb_database_open_store, "people", LDB_OPEN_CREATE);
  g_assert_no_error (error);
  AWAIT (done, store, ldb_store_put_string, "ada", "London");
  g_assert_true (done);
  AWAIT (done, store, ldb_store_put_variant, "age", 3, g_variant_new_int32 (36));
  g_assert_true (done);
  char *text;
  AWAIT (text, store, ldb_store_get_string, "ada");
  g_assert_cmpstr (text, ==, "London");
  g_free (text);
  char **names;
  AWAIT_PLAIN (names, db, ldb_database_list_stores);
  g_assert_cmpuint (g_strv_length (names), ==, 2);
  g_strfreev (names);
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  AWAIT (done, db, ldb_database_drop_store, "people");
  g_assert_true (done);
  GBytes *value;
  AWAIT (value, snapshot, ldb_snapshot_get, store, "ada", 3);
  assert_bytes (value, "London");
  g_bytes_unref (value);
  AWAIT (text, snapshot, ldb_snapshot_get_string, store, "ada");
  g_assert_cmpstr (text, ==, "London");
  g_free (text);
  GVariant *variant;
  AWAIT (variant, snapshot, ldb_snapshot_get_variant, store, "age", 3, G_VARIANT_TYPE_INT32);
  g_assert_cmpint (g_variant_get_int32 (variant), ==, 36);
  g_variant_unref (variant);
  AWAIT (variant, snapshot, ldb_snapshot_get_variant, store, "ada", 3, NULL);
  g_assert_null (variant);
  assert_ldb_error (error, LDB_ERROR_WRONG_TYPE, "variant");
  AWAIT (done, snapshot, ldb_snapshot_contains, store, "ada", 3);
  g_assert_true (done);
  AWAIT (done, snapshot, ldb_snapshot_contains, NULL, "ada", 3);
  g_assert_false (done);
  g_assert_no_error (error);
  AWAIT (done, db, ldb_database_delete_range, NULL, 0, "c", 1);
  g_assert_true (done);
  AWAIT (done, db, ldb_database_delete_prefix, "c", 1);
  g_assert_true (done);
  g_object_unref (store);
}

typedef struct
{
  GThread *thread; /* where every report has to be */
  guint calls;     /* so far */
  guint destroyed; /* times the data was freed */
} Watcher;

static void
watch_progress (guint64 done, guint64 total, const char *step, gpointer data)
{
  Watcher *watcher = data;
  g_assert_true (g_thread_self () == watcher->thread);
  g_assert_cmpuint (watcher->destroyed, ==, 0);
  watcher->calls++;
}

static void
watch_destroyed (gpointer data)
{
  Watcher *watcher = data;
  g_assert_true (g_thread_self () == watcher->thread);
  watcher->destroyed++;
}

static void
upkeep_async (Place *place, LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  Watcher watcher = { .thread = g_thread_self () };
  gboolean done;
  AWAIT_PLAIN (done, db, ldb_database_sync);
  g_assert_true (done);
  AWAIT_PLAIN (done, db, ldb_database_flush);
  g_assert_true (done);
  AWAIT (done, db, ldb_database_compact, watch_progress, &watcher, watch_destroyed);
  g_assert_true (done);
  g_assert_no_error (error);
  g_assert_cmpuint (watcher.destroyed, ==, 1);
  AWAIT_PLAIN (done, db, ldb_database_checkpoint);
  g_assert_true (done);
  watcher.destroyed = 0;
  g_autofree char *backup = g_build_filename (place->directory, "backup", NULL);
  LdbBackupResult *result;
  AWAIT (result, db, ldb_database_backup, backup, LDB_BACKUP_VERIFY, watch_progress, &watcher,
         watch_destroyed);
  g_assert_no_error (error);
  g_assert_cmpuint (result->sequence, ==, ldb_database_get_sequence (db));
  ldb_backup_result_free (result);
  LdbCheckReport *report;
  AWAIT (report, db, ldb_database_check, LDB_CHECK_DEEP, NULL, NULL, NULL);
  g_assert_no_error (error);
  g_assert_cmpuint (report->fault_count, ==, 0);
  ldb_check_report_free (report);
}

static void
test_scenario (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = open_async (place);
  write_async (db);
  batch_and_scan_async (db);
  transaction_async (db);
  run_async (db);
  stores_async (db);
  upkeep_async (place, db);
  close_async (db);
  g_autoptr (LdbDatabase) again = open_async (place);
  assert_async_text (again, "e", "5");
  close_async (again);
}

/* A call completes in the thread-default context it was made in, and nowhere else. */
static gpointer
work_in_own_context (gpointer data)
{
  Place *place = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  {
    g_autoptr (LdbDatabase) db = open_async (place);
    write_async (db);
    run_async (db);
  }
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_contexts (Place *place, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    g_thread_join (g_thread_new ("own-context", work_in_own_context, place));
}

static void
test_cancelled (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  GAsyncResult *result = NULL;
  g_cancellable_cancel (cancelled);
  ldb_database_put_async (db, "k", 1, "v", 1, cancelled, KEEP (result));
  g_autoptr (GAsyncResult) put = ldb_test_wait (&result);
  g_assert_false (ldb_database_put_finish (db, put, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  ldb_database_get_async (db, "k", 1, cancelled, KEEP (result));
  g_autoptr (GAsyncResult) get = ldb_test_wait (&result);
  g_assert_null (ldb_database_get_finish (db, get, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (ldb_database_put (db, "k", 1, "v", 1, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (ldb_database_compact (db, NULL, NULL, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (ldb_database_get (db, "k", 1, NULL, &error));
  g_assert_no_error (error);

  /* Cancelling what has been committed changes nothing. */
  g_autoptr (GCancellable) late = g_cancellable_new ();
  ldb_database_put_async (db, "k", 1, "v", 1, late, KEEP (result));
  while (ldb_database_get_sequence (db) == 0)
    g_thread_yield ();
  g_cancellable_cancel (late);
  g_autoptr (GAsyncResult) committed = ldb_test_wait (&result);
  g_assert_true (ldb_database_put_finish (db, committed, &error));
  g_assert_no_error (error);
}

/* What memory can answer is there at the next turn of the loop, on this thread. */
static void
test_from_memory (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
  GAsyncResult *result = NULL;
  ldb_database_get_async (db, "k", 1, NULL, KEEP (result));
  g_assert_null (result);
  while (g_main_context_pending (NULL) && result == NULL)
    g_main_context_iteration (NULL, FALSE);
  g_assert_nonnull (result);
  g_autoptr (GBytes) value = ldb_database_get_finish (db, result, &error);
  assert_bytes (value, "v");
  g_clear_object (&result);
}

/* Hundreds of calls at once all come back, in any order. */
static void
count_done (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_put_finish (LDB_DATABASE (source), result, &error));
  g_assert_no_error (error);
  (*(guint *) data)++;
}

static void
test_many (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint done = 0;
  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *key = g_strdup_printf ("%03u", i);
      ldb_database_put_async (db, key, 3, key, 3, NULL, count_done, &done);
    }
  while (done < 500)
    g_main_context_iteration (NULL, TRUE);
  G_GNUC_UNUSED g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_cmpuint (ldb_database_get_sequence (db), ==, 500);
}

/* GAsyncInitable, and handles that fail to open. */
static void
test_initable (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  g_async_initable_new_async (LDB_TYPE_DATABASE, G_PRIORITY_DEFAULT, NULL, KEEP (result), "path",
                              place->path, "flags", LDB_OPEN_CREATE, NULL);
  GObject *source = NULL;
  GAsyncResult *done = ldb_test_wait (&result);
  source = g_async_result_get_source_object (done);
  g_autoptr (LdbDatabase) db
      = LDB_DATABASE (g_async_initable_new_finish (G_ASYNC_INITABLE (source), done, &error));
  g_assert_no_error (error);
  g_object_unref (source);
  g_object_unref (done);
  g_assert_false (ldb_database_is_closed (db));
  g_autoptr (LdbDatabase) second
      = g_initable_new (LDB_TYPE_DATABASE, NULL, &error, "path", place->path, NULL);
  g_assert_no_error (error);
  g_assert_cmpstr (ldb_database_get_id (second), ==, ldb_database_get_id (db));
  g_autofree char *missing = g_build_filename (place->directory, "missing", NULL);
  ldb_database_open_async (missing, LDB_OPEN_NONE, NULL, NULL, KEEP (result));
  g_autoptr (GAsyncResult) failed = ldb_test_wait (&result);
  g_assert_null (ldb_database_open_finish (failed, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "missing");
}

/* A callback may run the loop itself, while other results wait: they come in there. */
typedef struct
{
  LdbDatabase *db; /* borrowed */
  guint inside;    /* callbacks that are running */
  guint deepest;   /* the most of them at once */
  guint done;      /* callbacks that have begun */
} Nest;

static void
nest_deeper (GObject *source, GAsyncResult *result, gpointer data)
{
  Nest *nest = data;
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_put_finish (nest->db, result, &error));
  nest->done++;
  nest->inside++;
  nest->deepest = MAX (nest->deepest, nest->inside);
  if (nest->inside < 5)
    assert_async_text (nest->db, "k", "v");
  nest->inside--;
}

static void
test_nested (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Nest nest = { .db = place_open (place, NULL) };
  g_assert_true (ldb_database_put_string (nest.db, "k", "v", NULL, &error));
  for (guint32 i = 0; i < 200; i++)
    ldb_database_put_async (nest.db, &i, sizeof i, "v", 1, NULL, nest_deeper, &nest);
  while (nest.done < 200)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (nest.inside, ==, 0);
  g_assert_cmpuint (nest.deepest, >, 1);
  g_object_unref (nest.db);
}

/* Contexts come and go, often at one address, in threads that do the same. */
static gpointer
use_short_lived_contexts (gpointer data)
{
  for (guint32 round = 0; round < 30; round++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GMainContext) context = g_main_context_new ();
      g_main_context_push_thread_default (context);
      for (guint32 i = 0; i < 5; i++)
        {
          g_autofree char *key = g_strdup_printf ("%p-%u", (void *) g_thread_self (), i);
          g_autofree char *value = g_strdup_printf ("%u", round);
          gboolean put;
          AWAIT (put, data, ldb_database_put_string, key, value);
          g_assert_no_error (error);
          g_assert_true (put);
          assert_async_text (data, key, value);
        }
      g_main_context_pop_thread_default (context);
    }
  return NULL;
}

static void
test_short_lived_contexts (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  GThread *threads[4];
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, use_short_lived_contexts, db);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/async/scenario", test_scenario);
  add_test ("/async/contexts", test_contexts);
  add_test ("/async/cancelled", test_cancelled);
  add_test ("/async/from-memory", test_from_memory);
  add_test ("/async/many", test_many);
  add_test ("/async/initable", test_initable);
  add_test ("/async/nested", test_nested);
  add_test ("/async/short-lived-contexts", test_short_lived_contexts);
  return g_test_run ();
}
