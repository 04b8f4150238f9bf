/* SPDX-License-Identifier: MIT */
/*
 * One way through the whole API in its synchronous forms, with what only C has. (tests/scenario
 * tells one story in every language.)
 */
#include "ldb-test.h"

/* The keys of a scan, in its order, with blanks between. */
static char *
keys_of (LdbCursor *cursor)
{
  g_autoptr (GError) error = NULL;
  GString *keys = g_string_new (NULL);
  while (ldb_cursor_next (cursor, NULL, &error))
    {
      gsize length;
      const guint8 *key = ldb_cursor_peek_key (cursor, &length);
      g_string_append_len (keys, (const char *) key, (gssize) length);
      g_string_append_c (keys, ' ');
    }
  g_assert_no_error (error);
  return g_string_free (keys, FALSE);
}

static void
assert_keys (LdbCursor *cursor, const char *expected)
{
  g_autofree char *keys = keys_of (cursor);
  g_assert_cmpstr (keys, ==, expected);
}

static void
put_fruit (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  static const char *const fruit[] = { "apple", "banana", "cherry", "date", "elder" };
  for (guint i = 0; i < G_N_ELEMENTS (fruit); i++)
    g_assert_true (ldb_batch_put_string (batch, NULL, fruit[i], fruit[i], &error));
  g_assert_cmpuint (ldb_batch_get_count (batch), ==, 5);
  guint64 before = ldb_database_get_sequence (db);
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_batch_get_sequence (batch), ==, before + 1);
  g_assert_cmpuint (ldb_database_get_sequence (db), ==, before + 1);
}

static void
read_and_write (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_put (db, "k", 1, "v\0w", 3, NULL, &error));
  g_autoptr (GBytes) value = ldb_database_get (db, "k", 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (value, NULL), g_bytes_get_size (value), "v\0w", 3);
  g_assert_null (ldb_database_get (db, "absent", 6, NULL, &error));
  g_assert_no_error (error);

  char buffer[8];
  gsize size;
  g_assert_true (ldb_database_get_into (db, "k", 1, buffer, sizeof buffer, &size, &error));
  g_assert_cmpmem (buffer, size, "v\0w", 3);
  g_assert_true (ldb_database_get_into (db, "k", 1, buffer, 2, &size, &error));
  g_assert_cmpuint (size, ==, 3);
  g_assert_false (ldb_database_get_into (db, "absent", 6, buffer, 8, &size, &error));
  g_assert_no_error (error);

  g_auto (LdbView) view = LDB_VIEW_INIT;
  g_assert_true (ldb_database_peek (db, "k", 1, &view, &error));
  g_assert_cmpmem (view.data, view.size, "v\0w", 3);

  const gconstpointer keys[] = { "absent", "k" };
  const gsize lengths[] = { 6, 1 }, wrong_lengths[] = { 6, 0 };
  LdbView views[2];
  g_assert_true (ldb_database_peek_many (db, keys, lengths, 2, views, &error));
  g_assert_null (views[0].data);
  g_assert_cmpmem (views[1].data, views[1].size, "v\0w", 3);
  ldb_view_clear (&views[0]);
  ldb_view_clear (&views[1]);
  g_assert_false (ldb_database_peek_many (db, keys, wrong_lengths, 2, views, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "Key 2 of 2", "");
  gconstpointer many_keys[300];
  gsize many_lengths[300];
  LdbView many_views[300];
  for (int i = 0; i < 300; i++)
    {
      many_keys[i] = keys[i % 2];
      many_lengths[i] = lengths[i % 2];
    }
  g_assert_true (ldb_database_peek_many (db, many_keys, many_lengths, 300, many_views, &error));
  for (int i = 0; i < 300; i++)
    {
      g_assert_true ((many_views[i].data != NULL) == (i % 2 == 1));
      ldb_view_clear (&many_views[i]);
    }
  g_assert_true (ldb_database_put (db, "empty", 5, NULL, 0, NULL, &error));
  g_assert_true (
      ldb_database_peek_many (db, &(gconstpointer){ "empty" }, &(gsize){ 5 }, 1, views, &error));
  g_assert_nonnull (views[0].data);
  g_assert_cmpuint (views[0].size, ==, 0);
  ldb_view_clear (&views[0]);
  g_assert_true (ldb_database_delete (db, "empty", 5, NULL, &error));

  g_assert_true (ldb_database_contains (db, "k", 1, NULL, &error));
  g_assert_true (ldb_database_delete (db, "k", 1, NULL, &error));
  g_assert_true (ldb_database_delete (db, "k", 1, NULL, &error));
  g_assert_false (ldb_database_contains (db, "k", 1, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (view.data, view.size, "v\0w", 3);

  GVariant *variant = g_variant_new_parsed ("{'name': <'Alice'>, 'age': <30>}");
  g_assert_true (ldb_database_put_variant (db, "user", 4, variant, NULL, &error));
  g_autoptr (GVariant) back = ldb_database_get_variant (db, "user", 4, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *printed = g_variant_print (back, FALSE);
  g_assert_cmpstr (printed, ==, "{'name': <'Alice'>, 'age': <30>}");
  g_assert_null (ldb_database_get_variant (db, "user", 4, G_VARIANT_TYPE_STRING, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_WRONG_TYPE, "a{sv}", "\"s\"");
  g_assert_true (ldb_database_delete_string (db, "user", NULL, &error));
}

/* Copies, for languages that make their own bytes of them. */
static void
look_up_copies (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  g_assert_true (ldb_database_put (db, "a", 1, "1", 1, NULL, &error));
  g_assert_true (ldb_database_put (db, "b", 1, NULL, 0, NULL, &error));
  g_assert_true (ldb_store_put (store, "a", 1, "2", 1, NULL, &error));
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_true (ldb_transaction_put (transaction, store, "a", 1, "3", 1, &error));
  g_assert_true (ldb_database_delete (db, "a", 1, NULL, &error));

#define ASSERT_LOOKUP(expected, expected_text, call, ...)                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree guint8 *value_ = GSIZE_TO_POINTER (1);                                              \
    gsize length_ = 77;                                                                            \
    g_assert_true (call (__VA_ARGS__, &value_, &length_, NULL, &error) == (expected));             \
    g_assert_no_error (error);                                                                     \
    g_assert_cmpmem (value_, length_, expected_text, strlen (expected_text));                      \
  }                                                                                                \
  G_STMT_END
  ASSERT_LOOKUP (FALSE, "", ldb_database_lookup, db, "a", 1);
  ASSERT_LOOKUP (TRUE, "", ldb_database_lookup, db, "b", 1);
  ASSERT_LOOKUP (TRUE, "2", ldb_store_lookup, store, "a", 1);
  ASSERT_LOOKUP (TRUE, "1", ldb_snapshot_lookup, snapshot, NULL, "a", 1);
  ASSERT_LOOKUP (TRUE, "2", ldb_snapshot_lookup, snapshot, store, "a", 1);
  ASSERT_LOOKUP (TRUE, "1", ldb_transaction_lookup, transaction, NULL, "a", 1);
  ASSERT_LOOKUP (TRUE, "3", ldb_transaction_lookup, transaction, store, "a", 1);
#undef ASSERT_LOOKUP
  guint8 *value;
  gsize length;
  g_assert_false (ldb_database_lookup (db, "", 0, &value, &length, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  g_assert_null (value);
  g_assert_true (ldb_transaction_rollback (transaction, &error));
  g_assert_false (
      ldb_transaction_lookup (transaction, NULL, "a", 1, &value, &length, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "transaction");
}

static void
fetch_copies (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  guint8 *key, *value;
  gsize key_length, value_length;
  for (guint keys_only = 0; keys_only < 2; keys_only++)
    {
      LdbScanFlags flags = keys_only ? LDB_SCAN_KEYS_ONLY : LDB_SCAN_NONE;
      g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_NONE, NULL, &error);
      g_autoptr (LdbCursor) cursor = ldb_store_scan (store, NULL, 0, NULL, 0, flags, &error);
      g_assert_true (
          ldb_cursor_fetch (cursor, &key, &key_length, &value, &value_length, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpmem (key, key_length, "a", 1);
      g_assert_cmpmem (value, value_length, "2", keys_only ? 0 : 1);
      g_free (key);
      g_free (value);
      g_assert_false (
          ldb_cursor_fetch (cursor, &key, &key_length, &value, &value_length, NULL, &error));
      g_assert_no_error (error);
      g_assert_true (key == NULL && value == NULL && key_length == 0 && value_length == 0);
      ldb_cursor_close (cursor);
      g_assert_false (
          ldb_cursor_fetch (cursor, &key, &key_length, &value, &value_length, NULL, &error));
      assert_ldb_error (error, LDB_ERROR_CLOSED, "cursor");
    }
}

#define PEEK_NEXT(cursor)                                                                          \
  ldb_cursor_peek_next (cursor, &key, &key_length, &value, &value_length, &error)

/* Values of no byte, of some, and one that is read from a file of its own; both ways, with and
 * without values, with and without a limit. */
static void
peek_records (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "p", LDB_OPEN_CREATE, NULL, &error);
  g_autofree char *large = g_malloc0 (100000);
  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *name = g_strdup_printf ("%03u", i);
      gsize size = i % 5 == 1 ? 100000 : i % 3;
      g_assert_true (ldb_store_put (store, name, 3, size > 0 ? large : NULL, size, NULL, &error));
    }
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error)); /* steps stay in a page */
  for (guint round = 0; round < 8; round++)
    {
      gboolean reverse = (round & 1) != 0, keys_only = (round & 2) != 0, limited = (round & 4) != 0;
      LdbScanFlags flags = (reverse ? LDB_SCAN_REVERSE : 0) | (keys_only ? LDB_SCAN_KEYS_ONLY : 0);
      g_autoptr (LdbCursor) cursor = ldb_store_scan (store, NULL, 0, NULL, 0, flags, &error);
      const guint8 *key, *value;
      gsize key_length, value_length;
      guint count = 0;
      ldb_cursor_set_limit (cursor, limited ? 250 : 0);
      for (; PEEK_NEXT (cursor); count++)
        {
          guint i = reverse ? 299 - count : count;
          g_autofree char *name = g_strdup_printf ("%03u", i);
          gsize size = keys_only ? 0 : i % 5 == 1 ? 100000 : i % 3;
          g_assert_cmpmem (key, key_length, name, 3);
          g_assert_cmpmem (value, value_length, large, size);
          g_assert_true ((value == NULL) == (size == 0));
        }
      g_assert_no_error (error);
      g_assert_cmpuint (count, ==, limited ? 250 : 300);
      g_assert_true (key == NULL && value == NULL && key_length == 0 && value_length == 0);
      if (limited)
        continue;
      g_assert_true (ldb_cursor_previous (cursor, NULL, &error)); /* to the last again */
      for (guint i = 0; i < 20; i++)
        g_assert_true (ldb_cursor_previous (cursor, NULL, &error));
      g_assert_true (PEEK_NEXT (cursor));
      g_assert_cmpmem (key, key_length, reverse ? "019" : "280", 3);
    }
  g_autoptr (LdbCursor) cursor = ldb_store_scan (store, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  const guint8 *key, *value;
  gsize key_length, value_length;
  g_assert_true (PEEK_NEXT (cursor) && PEEK_NEXT (cursor) && PEEK_NEXT (cursor));
  ldb_cursor_close (cursor);
  g_assert_false (PEEK_NEXT (cursor));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "cursor");
  g_assert_true (key == NULL && value == NULL && key_length == 0 && value_length == 0);
}

static void
test_copies (Place *place, gconstpointer data)
{
  look_up_copies (place);
  fetch_copies (place);
  peek_records (place);
}

/* The same question of whatever can be read, which sees its own moment. */
static void
test_contains (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  g_assert_true (ldb_database_put_string (db, "a", "1", NULL, &error));
  g_assert_true (ldb_store_put_variant (store, "b", 1, g_variant_new_int32 (2), NULL, &error));
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_true (ldb_database_delete_string (db, "a", NULL, &error));
  g_assert_true (ldb_store_delete_string (store, "b", NULL, &error));
  g_assert_true (ldb_transaction_put_string (transaction, store, "c", "3", &error));
  g_assert_true (ldb_transaction_delete_string (transaction, NULL, "a", &error));

  g_assert_false (ldb_database_contains (db, "a", 1, NULL, &error));
  g_assert_false (ldb_store_contains (store, "b", 1, NULL, &error));
  g_assert_true (ldb_snapshot_contains (snapshot, NULL, "a", 1, NULL, &error));
  g_assert_true (ldb_snapshot_contains (snapshot, store, "b", 1, NULL, &error));
  g_assert_false (ldb_snapshot_contains (snapshot, store, "c", 1, NULL, &error));
  g_autoptr (GVariant) two
      = ldb_snapshot_get_variant (snapshot, store, "b", 1, G_VARIANT_TYPE_INT32, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_variant_get_int32 (two), ==, 2);
  g_assert_null (ldb_snapshot_get_variant (snapshot, store, "c", 1, NULL, NULL, &error));
  g_assert_false (ldb_transaction_contains (transaction, NULL, "a", 1, NULL, &error));
  g_assert_true (ldb_transaction_contains (transaction, store, "b", 1, NULL, &error));
  g_assert_true (ldb_transaction_contains (transaction, store, "c", 1, NULL, &error));
  g_assert_no_error (error);

  g_assert_false (ldb_snapshot_contains (snapshot, NULL, "", 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  ldb_snapshot_close (snapshot);
  g_assert_false (ldb_snapshot_contains (snapshot, NULL, "a", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "snapshot");
  g_assert_true (ldb_transaction_rollback (transaction, &error));
  g_assert_false (ldb_transaction_contains (transaction, NULL, "a", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "transaction");
}

/* What was only asked for is read, so that a serializable transaction conflicts over it. */
static void
test_contains_is_read (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbTransaction) transaction
      = ldb_database_begin (db, LDB_TRANSACTION_SERIALIZABLE, &error);
  g_assert_false (ldb_transaction_contains (transaction, NULL, "a", 1, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_transaction_put_string (transaction, NULL, "b", "as there is no a", &error));
  g_assert_true (ldb_database_put_string (db, "a", "1", NULL, &error));
  g_assert_false (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CONFLICT, "a");
}

static void
read_many (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (keys, text_bytes ("cherry"));
  g_ptr_array_add (keys, text_bytes ("nothing"));
  g_ptr_array_add (keys, text_bytes ("apple"));
  g_autoptr (GPtrArray) values
      = ldb_database_get_many (db, (GBytes *const *) keys->pdata, keys->len, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (values->len, ==, 3);
  assert_bytes (values->pdata[0], "cherry");
  g_assert_null (values->pdata[1]);
  assert_bytes (values->pdata[2], "apple");
}

static void
scan_both_ways (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbCursor) all = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  assert_keys (all, "apple banana cherry date elder ");
  g_assert_false (ldb_cursor_next (all, NULL, &error));
  g_assert_true (ldb_cursor_previous (all, NULL, &error));
  g_autoptr (GBytes) elder = ldb_cursor_get_key (all);
  assert_bytes (elder, "elder");
  g_autoptr (GBytes) elder_value = ldb_cursor_get_value (all, NULL, &error);
  assert_bytes (elder_value, "elder");
  while (ldb_cursor_previous (all, NULL, &error))
    ;
  assert_keys (all, "apple banana cherry date elder ");

  g_autoptr (LdbCursor) range = ldb_database_scan (db, "b", 1, "date", 4, LDB_SCAN_NONE, &error);
  assert_keys (range, "banana cherry ");

  g_autoptr (LdbCursor) down = ldb_database_scan (db, "b", 1, NULL, 0, LDB_SCAN_REVERSE, &error);
  assert_keys (down, "elder date cherry banana ");
  g_assert_true (ldb_cursor_seek (down, "czz", 3, NULL, &error));
  g_autoptr (GBytes) cherry = ldb_cursor_get_key (down);
  assert_bytes (cherry, "cherry");
  g_assert_true (ldb_cursor_seek (down, "cherry", 6, NULL, &error));
  g_assert_true (ldb_cursor_first (down, NULL, &error));
  g_autoptr (GBytes) first = ldb_cursor_get_key (down);
  assert_bytes (first, "elder");

  g_autoptr (LdbCursor) limited
      = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_KEYS_ONLY, &error);
  ldb_cursor_set_limit (limited, 2);
  assert_keys (limited, "apple banana ");
  g_assert_true (ldb_cursor_previous (limited, NULL, &error));
  g_autoptr (GBytes) banana = ldb_cursor_get_key (limited);
  assert_bytes (banana, "banana");

  g_autoptr (LdbCursor) prefix = ldb_database_scan_prefix (db, "ba", 2, LDB_SCAN_NONE, &error);
  g_autoptr (GPtrArray) records = ldb_cursor_read (prefix, 10, NULL, &error);
  g_assert_cmpuint (records->len, ==, 1);
  assert_bytes (ldb_record_get_value (records->pdata[0]), "banana");
  g_assert_no_error (error);
}

static void
conflict_and_retry (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbTransaction) one = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_autoptr (LdbTransaction) two = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_transaction_get_id (one), !=, ldb_transaction_get_id (two));
  g_assert_true (ldb_transaction_put_string (one, NULL, "apple", "green", &error));
  g_assert_true (ldb_transaction_put_string (two, NULL, "apple", "red", &error));
  g_autofree char *own = ldb_transaction_get_string (one, NULL, "apple", NULL, &error);
  g_assert_cmpstr (own, ==, "green");
  g_autofree char *outside = ldb_database_get_string (db, "apple", NULL, &error);
  g_assert_cmpstr (outside, ==, "apple");
  g_assert_true (ldb_transaction_commit (one, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_cmpuint (ldb_transaction_get_commit_sequence (one), ==, ldb_database_get_sequence (db));
  g_assert_false (ldb_transaction_commit (two, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CONFLICT, "apple");
  g_assert_false (ldb_transaction_is_active (two));
}

/* Adds 1 to a counter; lets somebody else get in the way as often as *data says. */
static gboolean
count_up (LdbTransaction *transaction, gpointer data, GError **error)
{
  guint *rivals = data;
  LdbDatabase *db = ldb_transaction_get_database (transaction);
  g_autofree char *text = ldb_transaction_get_string (transaction, NULL, "zcounter", NULL, error);
  g_autofree char *next = g_strdup_printf ("%d", (text != NULL ? atoi (text) : 0) + 1);
  if (*rivals > 0)
    {
      g_autoptr (GError) local = NULL;
      (*rivals)--;
      g_assert_true (ldb_database_put_string (db, "zcounter", "10", NULL, &local));
    }
  return ldb_transaction_put_string (transaction, NULL, "zcounter", next, error);
}

static gboolean
give_up (LdbTransaction *transaction, gpointer data, GError **error)
{
  g_assert_true (ldb_transaction_put_string (transaction, NULL, "never", "x", NULL));
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "not today");
  return FALSE;
}

/* Ends its transaction itself: rolled back, committed, or after a commit that failed. */
static gboolean
end_it (LdbTransaction *transaction, gpointer data, GError **error)
{
  g_autoptr (GError) local = NULL;
  const char *how = data;
  LdbDatabase *db = ldb_transaction_get_database (transaction);
  g_assert_true (ldb_transaction_put_string (transaction, NULL, "ended", how, NULL));
  if (g_str_equal (how, "rollback"))
    return ldb_transaction_rollback (transaction, error);
  if (g_str_equal (how, "conflict"))
    g_assert_true (ldb_database_put_string (db, "ended", "other", NULL, NULL));
  ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &local);
  return TRUE;
}

/* A function that says all is well is believed only when its writes are there. */
static void
run_functions_that_end_it (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  static char how[][16] = { "rollback", "conflict" };
  for (guint i = 0; i < G_N_ELEMENTS (how); i++)
    {
      g_assert_false (
          ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, end_it, how[i], NULL, &error));
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "rolled", "return FALSE");
    }
  static char commit[] = "commit";
  g_assert_true (
      ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, end_it, commit, NULL, &error));
  g_autofree char *text = ldb_database_get_string (db, "ended", NULL, &error);
  g_assert_cmpstr (text, ==, "commit");
  g_assert_true (ldb_database_delete_string (db, "ended", NULL, &error));
}

static void
run_with_retries (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  guint rivals = 2;
  g_assert_cmpuint (ldb_database_get_max_retries (db), ==, 3);
  ldb_database_set_max_retries (db, G_MAXUINT);
  g_assert_cmpuint (ldb_database_get_max_retries (db), ==, 1000);
  g_object_set (db, "max-retries", 1001u, NULL);
  g_assert_cmpuint (ldb_database_get_max_retries (db), ==, 1000);
  ldb_database_set_max_retries (db, 3);
  g_assert_true (
      ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, count_up, &rivals, NULL, &error));
  g_assert_no_error (error);
  g_autofree char *text = ldb_database_get_string (db, "zcounter", NULL, &error);
  g_assert_cmpstr (text, ==, "11");
  rivals = 100;
  g_assert_false (
      ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, count_up, &rivals, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CONFLICT, "zcounter");
  g_assert_cmpuint (rivals, ==, 96);
  g_assert_false (
      ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, give_up, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_null (ldb_database_get_string (db, "never", NULL, &error));
  g_assert_true (ldb_database_delete_string (db, "zcounter", NULL, &error));
  run_functions_that_end_it (db);
}

static void
save_and_go_back (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_true (ldb_transaction_put_string (transaction, NULL, "fig", "1", &error));
  guint64 savepoint = ldb_transaction_savepoint (transaction, &error);
  g_assert_cmpuint (savepoint, !=, 0);
  g_assert_true (ldb_transaction_delete_range (transaction, NULL, "a", 1, "d", 1, &error));
  g_autoptr (LdbCursor) inside
      = ldb_transaction_scan (transaction, NULL, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  assert_keys (inside, "date elder fig ");
  g_assert_true (ldb_transaction_rollback_to (transaction, savepoint, &error));
  g_autoptr (LdbCursor) again
      = ldb_transaction_scan_prefix (transaction, NULL, NULL, 0, LDB_SCAN_REVERSE, &error);
  assert_keys (again, "fig elder date cherry banana apple ");
  g_assert_true (ldb_transaction_commit (transaction, LDB_SYNC_MODE_FULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_database_get_durable_sequence (db), >=,
                    ldb_transaction_get_commit_sequence (transaction));
  g_assert_false (ldb_cursor_next (again, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "cursor");
}

static void
look_back (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  g_assert_cmpuint (ldb_snapshot_get_sequence (snapshot), ==, ldb_database_get_sequence (db));
  g_assert_true (ldb_database_put_string (db, "fig", "2", NULL, &error));
  g_assert_true (ldb_database_put_string (db, "grape", "2", NULL, &error));
  g_autofree char *then = ldb_snapshot_get_string (snapshot, NULL, "fig", NULL, &error);
  g_assert_cmpstr (then, ==, "1");
  g_autoptr (LdbCursor) cursor
      = ldb_snapshot_scan (snapshot, NULL, "f", 1, NULL, 0, LDB_SCAN_NONE, &error);
  ldb_snapshot_close (snapshot);
  assert_keys (cursor, "fig ");
  g_assert_null (ldb_snapshot_get (snapshot, NULL, "fig", 3, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "snapshot");
}

static void
use_stores (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStore) people
      = ldb_database_open_store (db, "people", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbStore) places
      = ldb_database_open_store (db, "places", LDB_OPEN_CREATE, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_true (ldb_transaction_put_string (transaction, people, "ada", "London", &error));
  g_assert_true (ldb_transaction_put_string (transaction, places, "London", "ada", &error));
  g_assert_true (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_autofree char *home = ldb_store_get_string (people, "ada", NULL, &error);
  g_assert_cmpstr (home, ==, "London");
  g_assert_null (ldb_database_get_string (db, "ada", NULL, &error));
  g_auto (GStrv) names = ldb_database_list_stores (db, NULL, &error);
  g_autofree char *list = g_strjoinv (" ", names);
  g_assert_cmpstr (list, ==, "default people places");
  g_assert_true (ldb_store_put_string (people, "bob", "Paris", NULL, &error));
  g_autoptr (LdbCursor) cursor = ldb_store_scan (people, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  assert_keys (cursor, "ada bob ");
  g_assert_true (ldb_database_drop_store (db, "places", NULL, &error));
  g_assert_null (ldb_database_open_store (db, "places", LDB_OPEN_NONE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "places");
}

static void
delete_ranges (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_delete_range (db, "b", 1, "e", 1, NULL, &error));
  g_assert_true (ldb_database_delete_prefix (db, "gr", 2, NULL, &error));
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  assert_keys (cursor, "apple elder fig ");
}

/* After it all: what must be there, also after reopening and in a backup. */
static void
assert_outcome (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  assert_keys (cursor, "apple elder fig ");
  g_autofree char *apple = ldb_database_get_string (db, "apple", NULL, &error);
  g_assert_cmpstr (apple, ==, "green");
  g_autoptr (LdbStore) people = ldb_database_open_store (db, "people", LDB_OPEN_NONE, NULL, &error);
  g_autofree char *home = ldb_store_get_string (people, "bob", NULL, &error);
  g_assert_cmpstr (home, ==, "Paris");
  g_assert_no_error (error);
}

static void
note_progress (guint64 done, guint64 total, const char *step, gpointer data)
{
  g_assert_nonnull (step);
  (*(guint *) data)++;
}

static void
back_up_and_reopen (Place *place, LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *backup = g_build_filename (place->directory, "backup", NULL);
  g_autofree char *restored = g_build_filename (place->directory, "restored", NULL);
  guint calls = 0;
  g_assert_true (ldb_database_sync (db, NULL, &error));
  g_assert_true (ldb_database_flush (db, NULL, &error));
  g_assert_true (ldb_database_compact (db, note_progress, &calls, NULL, &error));
  g_assert_true (ldb_database_checkpoint (db, NULL, &error));
  g_assert_no_error (error);
  assert_outcome (db);

  g_autoptr (LdbBackupResult) result
      = ldb_database_backup (db, backup, LDB_BACKUP_VERIFY, note_progress, &calls, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (result->sequence, ==, ldb_database_get_sequence (db));
  g_assert_cmpuint (result->files, >, 0);
  g_autoptr (LdbCheckReport) report
      = ldb_database_check (db, LDB_CHECK_DEEP, note_progress, &calls, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (report->fault_count, ==, 0);
  g_assert_true (report->page_checksums && report->tree_structure && report->log
                 && report->no_orphans && report->blobs_intact);
  g_assert_true (ldb_database_restore (backup, restored, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (LdbDatabase) copy = ldb_database_open (restored, LDB_OPEN_NONE, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_outcome (copy);
}

static void
test_sync (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = ldb_database_create (place->path, NULL, NULL, &error);
  g_assert_no_error (error);
  read_and_write (db);
  put_fruit (db);
  read_many (db);
  scan_both_ways (db);
  conflict_and_retry (db);
  run_with_retries (db);
  save_and_go_back (db);
  look_back (db);
  use_stores (db);
  delete_ranges (db);
  assert_outcome (db);
  back_up_and_reopen (place, db);
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (LdbDatabase) again
      = ldb_database_open (place->path, LDB_OPEN_NONE, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_outcome (again);
  g_assert_true (ldb_database_close (again, NULL, &error));
  g_assert_true (ldb_database_destroy (place->path, NULL, &error));
  g_assert_false (g_file_test (place->path, G_FILE_TEST_EXISTS));
}

/* Many records through the loader, large values, evicted caches. */
static void
test_load (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, &error);
  g_assert_no_error (error);
  g_autofree char *large = g_malloc (100000);
  memset (large, 'x', 100000);
  for (guint i = 0; i < 2000; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", (i * 7919u) % 2000u);
      g_assert_true (
          ldb_loader_put (loader, NULL, key, 5, large, i % 500 == 0 ? 100000 : i % 3000, &error));
    }
  g_assert_null (ldb_database_get (db, "00000", 5, NULL, &error));
  g_assert_cmpuint (ldb_loader_get_count (loader), ==, 2000);
  g_assert_true (ldb_loader_commit (loader, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_loader_get_commit_sequence (loader), ==, ldb_database_get_sequence (db));
  g_assert_false (ldb_loader_put (loader, NULL, "x", 1, "y", 1, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "loader");
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  guint count = 0;
  guint large_values = 0;
  while (ldb_cursor_next (cursor, NULL, &error))
    {
      gsize length;
      const guint8 *value = ldb_cursor_peek_value (cursor, &length, &error);
      g_assert_no_error (error);
      g_assert_true (length == 0 || (value[0] == 'x' && value[length - 1] == 'x'));
      large_values += length == 100000;
      count++;
    }
  g_assert_cmpuint (count, ==, 2000);
  g_assert_cmpuint (large_values, ==, 4);
  ldb_database_evict_cache (db, 1.0, &error);
  g_assert_no_error (error);
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_cmpuint (stats->keys, >, 0);
  g_assert_cmpuint (stats->memory_budget, ==, 64 * 1024 * 1024);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/scenario/sync", test_sync);
  add_test ("/scenario/copies", test_copies);
  add_test ("/scenario/contains", test_contains);
  add_test ("/scenario/contains-is-read", test_contains_is_read);
  add_test ("/scenario/load", test_load);
  return g_test_run ();
}
