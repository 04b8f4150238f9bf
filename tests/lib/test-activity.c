/* SPDX-License-Identifier: MIT */
/* Who is at work: open transactions, held snapshots, hot keys, and one get step by step. */
#include "ldb-test.h"

static LdbTransaction *
begin (LdbDatabase *db, LdbTransactionFlags flags)
{
  g_autoptr (GError) error = NULL;
  LdbTransaction *transaction = ldb_database_begin (db, flags, &error);
  g_assert_no_error (error);
  return transaction;
}

/* ---- transactions ---- */

static void
test_transactions (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  ldb_test_put (db, "key", "value");
  g_autoptr (LdbTransaction) writes = begin (db, LDB_TRANSACTION_NONE);
  g_autoptr (LdbTransaction) reads = begin (db, LDB_TRANSACTION_SERIALIZABLE);
  g_autoptr (LdbTransaction) looks = begin (db, LDB_TRANSACTION_READ_ONLY);
  g_assert_true (ldb_transaction_put_string (writes, NULL, "a", "12", &error));
  g_assert_true (ldb_transaction_put_string (writes, NULL, "b", "34", &error));
  g_autofree char *value = ldb_transaction_get_string (reads, NULL, "key", NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) list = ldb_database_list_transactions (db, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (list->len, ==, 2);
  g_autoptr (LdbActiveTransaction) newest
      = ldb_active_transaction_copy (g_ptr_array_index (list, 0));
  const LdbActiveTransaction *oldest = g_ptr_array_index (list, 1);
  g_assert_cmpuint (newest->id, ==, ldb_transaction_get_id (reads));
  g_assert_true (newest->serializable);
  g_assert_cmpuint (newest->operations, ==, 0);
  g_assert_cmpuint (newest->reads, ==, 1);
  g_assert_cmpuint (oldest->id, ==, ldb_transaction_get_id (writes));
  g_assert_false (oldest->serializable);
  g_assert_cmpuint (oldest->operations, ==, 2);
  g_assert_cmpuint (oldest->bytes, ==, 6);
  g_assert_cmpuint (oldest->reads, ==, 0);
  g_assert_cmpuint (oldest->age, >=, newest->age);
  g_assert_cmpuint (oldest->left, <=, G_GUINT64_CONSTANT (30000000000));
  g_assert_cmpuint (oldest->snapshot, ==, ldb_database_get_sequence (db));

  g_autoptr (GPtrArray) written = ldb_database_list_transaction_keys (db, oldest->id, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (written->len, ==, 2);
  g_autoptr (LdbTransactionKey) second = ldb_transaction_key_copy (g_ptr_array_index (written, 1));
  g_assert_cmpint (second->access, ==, LDB_KEY_ACCESS_PUT);
  g_assert_cmpstr (second->store, ==, "default");
  assert_bytes (second->key, "b");
  g_assert_cmpuint (second->key_length, ==, 1);
  g_assert_cmpuint (second->value_length, ==, 2);
  g_assert_null (second->end);
  g_autoptr (GPtrArray) read = ldb_database_list_transaction_keys (db, newest->id, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (read->len, ==, 1);
  const LdbTransactionKey *key = g_ptr_array_index (read, 0);
  g_assert_cmpint (key->access, ==, LDB_KEY_ACCESS_READ);
  assert_bytes (key->key, "key");
  g_assert_null (ldb_database_list_transaction_keys (db, ldb_transaction_get_id (looks), &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);

  g_assert_true (ldb_database_abort_transaction (db, oldest->id, &error));
  g_assert_no_error (error);
  g_assert_false (ldb_transaction_commit (writes, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_false (ldb_database_abort_transaction (db, oldest->id, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_autoptr (GPtrArray) left = ldb_database_list_transactions (db, &error);
  g_assert_cmpuint (left->len, ==, 1);
}

/* ---- snapshots ---- */

static void
test_snapshots (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) snapshots = g_ptr_array_new_with_free_func (g_object_unref);
  guint64 first = ldb_database_get_sequence (db);
  for (guint i = 0; i < 100; i++)
    {
      LdbSnapshot *snapshot = ldb_database_create_snapshot (db, &error);
      g_assert_no_error (error);
      g_ptr_array_add (snapshots, snapshot);
      if (i > 0) /* two at the first */
        ldb_test_put (db, "key", "value");
    }
  g_autoptr (GPtrArray) list = ldb_database_list_snapshots (db, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (list->len, ==, 99);
  for (guint i = 0; i < list->len; i++)
    {
      const LdbHeldSnapshot *held = g_ptr_array_index (list, i);
      g_assert_cmpuint (held->sequence, ==, first + i);
      g_assert_cmpuint (held->behind, ==, 99 - i);
      g_assert_cmpuint (held->holders, ==, i == 0 ? 2 : 1);
    }
  g_ptr_array_set_size (snapshots, 0);
  g_autoptr (GPtrArray) none = ldb_database_list_snapshots (db, &error);
  g_assert_cmpuint (none->len, ==, 0);
}

/* ---- hot keys ---- */

static void
check_hot (GPtrArray *list, guint at, const char *store, const char *key, guint64 count)
{
  const LdbHotKey *hot = g_ptr_array_index (list, at);
  g_assert_cmpstr (hot->store, ==, store);
  g_assert_cmpmem (g_bytes_get_data (hot->key, NULL), g_bytes_get_size (hot->key), key,
                   strlen (key));
  g_assert_cmpuint (hot->key_length, ==, strlen (key));
  g_assert_cmpuint (hot->count, ==, count);
  g_assert_cmpuint (hot->uncertainty, ==, 0);
}

static void
conflict (LdbDatabase *db, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbTransaction) transaction = begin (db, LDB_TRANSACTION_NONE);
  g_assert_true (ldb_transaction_put_string (transaction, NULL, key, "1", &error));
  ldb_test_put (db, key, "2");
  g_assert_false (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CONFLICT);
}

static void
test_hot_keys (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_sampling_interval (options, 1);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  guint64 total;
  for (guint i = 0; i < 3; i++)
    conflict (db, "often");
  conflict (db, "once");
  g_autoptr (GPtrArray) conflicts
      = ldb_database_list_hot_keys (db, LDB_HOT_KEY_CONFLICT, &total, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (total, ==, 4);
  g_assert_cmpuint (conflicts->len, ==, 2);
  check_hot (conflicts, 0, "default", "often", 3);
  check_hot (conflicts, 1, "default", "once", 1);
  g_autoptr (LdbHotKey) copy = ldb_hot_key_copy (g_ptr_array_index (conflicts, 0));
  g_assert_cmpint (copy->last, >, 0);

  g_autoptr (LdbStore) store = ldb_database_open_store (db, "other", LDB_OPEN_CREATE, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *value = ldb_store_get_string (store, "read", NULL, &error);
      g_assert_no_error (error);
    }
  g_autoptr (GPtrArray) reads = ldb_database_list_hot_keys (db, LDB_HOT_KEY_READ, &total, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (total, ==, 5);
  check_hot (reads, 0, "other", "read", 5);
  g_autoptr (GPtrArray) writes = ldb_database_list_hot_keys (db, LDB_HOT_KEY_WRITE, NULL, &error);
  check_hot (writes, 0, "default", "often", 3); /* what was refused is not written */
  g_assert_true (ldb_database_drop_store (db, "other", NULL, &error));
  g_assert_no_error (error);
  g_clear_pointer (&reads, g_ptr_array_unref);
  reads = ldb_database_list_hot_keys (db, LDB_HOT_KEY_READ, NULL, &error);
  check_hot (reads, 0, NULL, "read", 5);
}

/* ---- one get ---- */

static LdbTrace *
trace_waiting (LdbDatabase *db, const char *key, GError **error)
{
  GAsyncResult *result = NULL;
  ldb_database_trace_get_async (db, NULL, key, strlen (key), NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  return ldb_database_trace_get_finish (db, done, error);
}

static void
check_sum (const LdbTrace *trace)
{
  g_assert_cmpuint (trace->visibility + trace->memtables + trace->hot_records + trace->filter
                        + trace->index + trace->page + trace->leaf + trace->handing_out
                        + trace->other + trace->page_read + trace->decompress + trace->blob_read,
                    ==, trace->duration);
}

static void
test_trace (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  ldb_test_put (db, "key", "value");
  g_autoptr (LdbTrace) fresh = ldb_database_trace_get (db, NULL, "key", 3, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (fresh->found);
  g_assert_cmpuint (fresh->value_length, ==, 5);
  g_assert_cmpuint (fresh->leaves, ==, 0); /* it is in a table in memory */
  g_assert_cmpuint (fresh->duration, >, 0);
  check_sum (fresh);

  g_assert_true (ldb_database_flush (db, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (LdbTrace) read = trace_waiting (db, "key", &error);
  g_assert_no_error (error);
  g_assert_true (read->found);
  g_assert_cmpuint (read->leaves, >=, 1); /* once more when its page had to be read */
  check_sum (read);
  g_autoptr (LdbTrace) copy = ldb_trace_copy (read);
  g_assert_cmpmem (copy, sizeof *copy, read, sizeof *read);

  g_autoptr (LdbTrace) absent = trace_waiting (db, "absent", &error);
  g_assert_no_error (error);
  g_assert_false (absent->found);
  g_assert_cmpuint (absent->value_length, ==, 0);
  g_assert_null (ldb_database_trace_get (db, NULL, "", 0, NULL, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_INVALID_ARGUMENT);
}

/* ---- closed ---- */

static void
check_closed (gpointer result, GError **error)
{
  g_assert_null (result);
  g_assert_error (*error, LDB_ERROR, LDB_ERROR_CLOSED);
  g_clear_error (error);
}

static void
test_closed (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
  check_closed (ldb_database_list_transactions (db, &error), &error);
  check_closed (ldb_database_list_transaction_keys (db, 1, &error), &error);
  check_closed (ldb_database_list_snapshots (db, &error), &error);
  check_closed (ldb_database_list_hot_keys (db, LDB_HOT_KEY_READ, NULL, &error), &error);
  check_closed (ldb_database_list_watches (db, &error), &error);
  check_closed (ldb_database_list_deliveries (db, 0, &error), &error);
  check_closed (ldb_database_trace_get (db, NULL, "key", 3, NULL, &error), &error);
  check_closed (trace_waiting (db, "key", &error), &error);
  g_assert_false (ldb_database_abort_transaction (db, 1, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CLOSED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/activity/transactions", test_transactions);
  add_test ("/activity/snapshots", test_snapshots);
  add_test ("/activity/hot-keys", test_hot_keys);
  add_test ("/activity/trace", test_trace);
  add_test ("/activity/closed", test_closed);
  return g_test_run ();
}
