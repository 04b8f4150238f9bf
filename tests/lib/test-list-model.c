/* SPDX-License-Identifier: MIT */
/*
 * LdbListModel: making lists, rows of all kinds, counting, cold rows, every kind of change, what
 * handlers may do meanwhile, and every way to end.
 */
#include "ldb-test.h"
#include "list-validator.h"

#include <sys/wait.h>
#include <unistd.h>

#define SCAN_ALL NULL, 0, NULL, 0

static gboolean
turn (gboolean block)
{
  return g_main_context_iteration (g_main_context_get_thread_default (), block);
}

static LdbListModel *
list_all (LdbDatabase *db, LdbListFlags flags)
{
  g_autoptr (GError) error = NULL;
  LdbListModel *list = ldb_list_model_new (db, NULL, SCAN_ALL, flags, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  g_assert_nonnull (list);
  return list;
}

static void
put (LdbDatabase *db, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;
  ldb_database_put_string (db, key, value, NULL, &error);
  g_assert_no_error (error);
}

static void
put_numbers (LdbDatabase *db, guint from, guint to, guint step)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_autoptr (GError) error = NULL;
  for (guint i = from; i < to; i += step)
    {
      char key[16], value[32];
      g_snprintf (key, sizeof key, "n%08u", i);
      g_snprintf (value, sizeof value, "value of %u", i);
      ldb_batch_put_string (batch, NULL, key, value, &error);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_assert_no_error (error);
}

/* Runs the loop until the list shows a commit and has all its rows. */
static void
wait_for (LdbListModel *list, guint64 sequence)
{
  while (ldb_list_model_get_sequence (list) < sequence || ldb_list_model_get_pending (list))
    turn (TRUE);
}

/* Until it shows all there is. The last commit must have been a change to the list. */
static void
settle (LdbListModel *list)
{
  wait_for (list, ldb_database_get_sequence (ldb_list_model_get_database (list)));
}

static guint
count (LdbListModel *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (list));
}

static LdbEntry *
entry_at (LdbListModel *list, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (list), position);
}

static void
wait_loaded (LdbEntry *entry)
{
  while (!ldb_entry_get_loaded (entry))
    turn (TRUE);
}

static void
assert_row (LdbListModel *list, guint position, const char *key, const char *value)
{
  g_autoptr (LdbEntry) entry = entry_at (list, position);
  g_assert_nonnull (entry);
  wait_loaded (entry);
  assert_bytes (ldb_entry_get_key (entry), key);
  g_autofree char *text = ldb_entry_dup_text (entry);
  g_assert_cmpstr (text, ==, value);
}

/* The list is what a scan of the database is. */
static void
assert_equals_database (LdbListModel *list)
{
  g_autoptr (GError) error = NULL;
  gboolean reverse = (ldb_list_model_get_flags (list) & LDB_LIST_REVERSE) != 0;
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan (ldb_list_model_get_database (list), SCAN_ALL,
                           reverse ? LDB_SCAN_REVERSE : LDB_SCAN_NONE, &error);
  g_assert_no_error (error);
  guint at = 0;
  while (at < ldb_list_model_get_max_items (list) && ldb_cursor_next (cursor, NULL, &error))
    {
      g_autoptr (LdbEntry) entry = entry_at (list, at++);
      g_autoptr (GBytes) key = ldb_cursor_get_key (cursor);
      g_autoptr (GBytes) value = ldb_cursor_get_value (cursor, NULL, &error);
      g_assert_nonnull (entry);
      wait_loaded (entry);
      g_assert_true (g_bytes_equal (key, ldb_entry_get_key (entry)));
      g_assert_true (g_bytes_equal (value, ldb_entry_get_value (entry)));
    }
  g_assert_no_error (error);
  g_assert_cmpuint (count (list), ==, at);
}

/* ---- making ---- */

static void
test_new (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  put (db, "a:1", "one");
  put (db, "b:1", "two");
  put (db, "b:2", "three");
  put (db, "c:1", "four");
  g_autoptr (LdbListModel) all = list_all (db, LDB_LIST_NONE);
  g_assert_false (ldb_list_model_get_pending (all));
  g_assert_cmpuint (count (all), ==, 4);
  g_assert_cmpuint (g_list_model_get_item_type (G_LIST_MODEL (all)), ==, LDB_TYPE_ENTRY);
  g_assert_true (ldb_list_model_get_database (all) == db);
  g_assert_null (ldb_list_model_get_store (all));
  g_assert_cmpuint (ldb_list_model_get_sequence (all), ==, 4);
  g_assert_null (ldb_list_model_get_error (all));
  g_assert_false (ldb_list_model_is_closed (all));
  assert_row (all, 0, "a:1", "one");
  assert_row (all, 3, "c:1", "four");
  g_assert_null (entry_at (all, 4));

  g_autoptr (LdbListModel) prefix
      = ldb_list_model_new_prefix (db, NULL, "b:", 2, LDB_LIST_REVERSE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count (prefix), ==, 2);
  assert_row (prefix, 0, "b:2", "three");
  assert_row (prefix, 1, "b:1", "two");

  g_autoptr (LdbListModel) range
      = ldb_list_model_new (db, NULL, "a:2", 3, "b:2", 3, LDB_LIST_NONE, G_TYPE_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count (range), ==, 1);
  assert_row (range, 0, "b:1", "two");

  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbListModel) empty
      = ldb_list_model_new (db, store, SCAN_ALL, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_list_model_get_store (empty) == store);
  g_assert_cmpuint (count (empty), ==, 0);
  g_assert_null (entry_at (empty, 0));
}

/* A row keeps its object for as long as somebody holds it. */
static void
test_identity (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 2000, 2);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  settle (list);
  g_autoptr (LdbEntry) held = entry_at (list, 500);
  for (guint round = 0; round < 3; round++)
    for (guint i = 0; i < 1000; i++)
      {
        g_autoptr (LdbEntry) entry = entry_at (list, i);
        g_assert_true ((entry == held) == (i == 500));
      }
  put_numbers (db, 1, 2001, 2);
  settle (list);
  g_autoptr (LdbEntry) moved = entry_at (list, 1000);
  g_assert_true (moved == held);
}

/* What is read right after a step is of the new state, also when only values are different. */
static void
test_fresh (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 10, 1);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  ldb_list_model_set_batch_interval (list, 0);
  for (guint round = 0; round < 100; round++)
    {
      g_autofree char *value = g_strdup_printf ("round %u", round);
      put (db, "n00000003", value);
      settle (list);
      assert_row (list, 3, "n00000003", value);
    }
}

static void
test_bad_input (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *other_path = g_build_filename (place->directory, "other", NULL);
  g_autoptr (LdbDatabase) other
      = ldb_database_open (other_path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_autoptr (LdbStore) store = ldb_database_open_store (other, "s", LDB_OPEN_CREATE, NULL, &error);
  g_assert_null (ldb_list_model_new (db, NULL, "b", 1, "a", 1, 0, LDB_TYPE_ENTRY, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  g_assert_null (ldb_list_model_new (db, store, SCAN_ALL, 0, LDB_TYPE_ENTRY, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "belongs to");
  g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, G_TYPE_STRING, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "gchararray", "no class");
  g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, G_TYPE_OBJECT, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "GObject", "key");
  g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, G_TYPE_LIST_MODEL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "GListModel");
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  g_assert_cmpint (ldb_list_model_find (list, "", 0, &error), ==, -1);
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  ldb_database_close (db, NULL, NULL);
  g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, LDB_TYPE_ENTRY, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  /* A binding can make one by its type alone. */
  g_autoptr (LdbListModel) bare = g_object_new (LDB_TYPE_LIST_MODEL, NULL);
  g_assert_cmpuint (count (bare), ==, 0);
  g_assert_null (entry_at (bare, 0));
  ldb_list_model_set_max_items (bare, 0);
  g_assert_cmpuint (ldb_list_model_get_max_items (bare), ==, 1);
  g_assert_null (ldb_list_model_create_snapshot (bare, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  g_assert_cmpint (ldb_list_model_find (bare, "a", 1, &error), ==, -1);
  g_assert_no_error (error);
  ldb_list_model_close (bare);
  g_assert_true (ldb_list_model_is_closed (bare));
}

/* ---- rows of the application's types ---- */

typedef struct
{
  GObject parent_instance;
  GBytes *key; /* owned */
  char *value; /* owned */
  guint64 sequence;
  gboolean loaded;
} TestRow;
typedef GObjectClass TestRowClass;

static GType test_row_get_type (void);
G_DEFINE_TYPE (TestRow, test_row, G_TYPE_OBJECT)

enum
{
  ROW_KEY = 1,
  ROW_VALUE,
  ROW_SEQUENCE,
  ROW_LOADED,
};

static void
test_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TestRow *row = (TestRow *) object;
  if (id == ROW_KEY)
    g_value_set_boxed (value, row->key);
  else if (id == ROW_VALUE)
    g_value_set_string (value, row->value);
  else if (id == ROW_SEQUENCE)
    g_value_set_uint64 (value, row->sequence);
  else
    g_value_set_boolean (value, row->loaded);
}

static void
test_row_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  TestRow *row = (TestRow *) object;
  if (id == ROW_KEY)
    {
      g_clear_pointer (&row->key, g_bytes_unref);
      row->key = g_value_dup_boxed (value);
    }
  else if (id == ROW_VALUE)
    {
      g_free (row->value);
      row->value = g_value_dup_string (value);
    }
  else if (id == ROW_SEQUENCE)
    row->sequence = g_value_get_uint64 (value);
  else
    row->loaded = g_value_get_boolean (value);
}

static void
test_row_finalize (GObject *object)
{
  TestRow *row = (TestRow *) object;
  g_clear_pointer (&row->key, g_bytes_unref);
  g_free (row->value);
  G_OBJECT_CLASS (test_row_parent_class)->finalize (object);
}

static void
test_row_class_init (TestRowClass *klass)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  klass->get_property = test_row_get_property;
  klass->set_property = test_row_set_property;
  klass->finalize = test_row_finalize;
  g_object_class_install_property (klass, ROW_KEY,
                                   g_param_spec_boxed ("key", NULL, NULL, G_TYPE_BYTES, flags));
  g_object_class_install_property (klass, ROW_VALUE,
                                   g_param_spec_string ("value", NULL, NULL, NULL, flags));
  g_object_class_install_property (
      klass, ROW_SEQUENCE, g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property (klass, ROW_LOADED,
                                   g_param_spec_boolean ("loaded", NULL, NULL, FALSE, flags));
}

static void
test_row_init (TestRow *row)
{
}

static void
test_typed (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  put (db, "a", "one");
  ldb_database_put (db, "b", 1, "\xff\xfe", 2, NULL, &error);
  g_autoptr (LdbListModel) list
      = ldb_list_model_new (db, NULL, SCAN_ALL, 0, test_row_get_type (), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_item_type (G_LIST_MODEL (list)), ==, test_row_get_type ());
  TestRow *row = g_list_model_get_item (G_LIST_MODEL (list), 0);
  TestRow *odd = g_list_model_get_item (G_LIST_MODEL (list), 1);
  assert_bytes (row->key, "a");
  g_assert_cmpstr (row->value, ==, "one");
  g_assert_true (row->loaded);
  g_assert_true (g_utf8_validate (odd->value, -1, NULL));
  put (db, "a", "two");
  settle (list);
  g_assert_cmpstr (row->value, ==, "two");
  g_assert_cmpuint (row->sequence, ==, 3);
  g_object_unref (row);
  g_object_unref (odd);
}

static GObject *
map_upper (LdbEntry *entry, gpointer user_data)
{
  guint *calls = user_data;
  TestRow *row = g_object_new (test_row_get_type (), NULL);
  g_autofree char *text = ldb_entry_dup_text (entry);
  row->value = g_ascii_strup (text, -1);
  *calls += 1;
  return G_OBJECT (row);
}

static GObject *
map_bound (LdbEntry *entry, gpointer user_data)
{
  TestRow *row = g_object_new (test_row_get_type (), NULL);
  g_object_set_data_full (G_OBJECT (row), "entry", g_object_ref (entry), g_object_unref);
  g_object_bind_property (entry, "text", row, "value", G_BINDING_SYNC_CREATE);
  return G_OBJECT (row);
}

static GObject *
map_same (LdbEntry *entry, gpointer user_data)
{
  return G_OBJECT (g_object_ref (entry));
}

static void
free_calls (gpointer data)
{
  guint *calls = data;
  g_assert_cmpuint (*calls, <, 1000);
  *calls = 1000;
}

static void
test_mapped (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  guint calls = 0;
  put (db, "a", "one");
  put (db, "b", "two");
  LdbListModel *list = ldb_list_model_new_mapped (db, NULL, SCAN_ALL, 0, test_row_get_type (),
                                                  map_upper, &calls, free_calls, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (calls, ==, 0);
  TestRow *row = g_list_model_get_item (G_LIST_MODEL (list), 1);
  TestRow *again = g_list_model_get_item (G_LIST_MODEL (list), 1);
  g_assert_true (row == again);
  g_assert_cmpstr (row->value, ==, "TWO");
  g_assert_cmpuint (calls, ==, 1);
  g_object_unref (row);
  g_object_unref (again);
  row = g_list_model_get_item (G_LIST_MODEL (list), 1);
  g_assert_cmpuint (calls, ==, 2);
  g_object_unref (row);
  g_object_unref (list);
  g_assert_cmpuint (calls, ==, 1000);

  list = ldb_list_model_new_prefix_mapped (db, NULL, NULL, 0, 0, test_row_get_type (), map_bound,
                                           NULL, NULL, &error);
  g_assert_no_error (error);
  row = g_list_model_get_item (G_LIST_MODEL (list), 0);
  g_assert_cmpstr (row->value, ==, "one");
  put (db, "a", "three");
  settle (list);
  g_assert_cmpstr (row->value, ==, "three");
  g_object_unref (row);
  g_object_unref (list);

  list = ldb_list_model_new_mapped (db, NULL, SCAN_ALL, 0, LDB_TYPE_ENTRY, map_same, NULL, NULL,
                                    &error);
  assert_row (list, 0, "a", "three");
  g_object_unref (list);

  calls = 0;
  g_assert_null (ldb_list_model_new_mapped (db, NULL, SCAN_ALL, 0, G_TYPE_STRING, map_upper, &calls,
                                            free_calls, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "gchararray", "interface");
  g_assert_cmpuint (calls, ==, 1000);

  /* The data is freed also when there is no list. */
  calls = 0;
  g_assert_null (ldb_list_model_new_mapped (db, NULL, "b", 1, "a", 1, 0, test_row_get_type (),
                                            map_upper, &calls, free_calls, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  g_assert_cmpuint (calls, ==, 1000);
}

static GObject *
map_wrong (LdbEntry *entry, gpointer user_data)
{
  return user_data != NULL ? g_object_new (G_TYPE_CANCELLABLE, NULL) : NULL;
}

/* A function that returns something else is told so, and there is a row all the same. */
static void
test_mapped_wrong (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put (db, "a", "one");
  g_autoptr (LdbListModel) list = ldb_list_model_new_mapped (
      db, NULL, SCAN_ALL, 0, test_row_get_type (), map_wrong, db, NULL, NULL);
  g_test_expect_message ("Ldb", G_LOG_LEVEL_CRITICAL,
                         "*makes the rows*returned GCancellable instead*TestRow*an empty one*");
  g_autoptr (GObject) row = g_list_model_get_item (G_LIST_MODEL (list), 0);
  g_test_assert_expected_messages ();
  g_assert_true (g_type_is_a (G_OBJECT_TYPE (row), test_row_get_type ()));
  g_autoptr (GObject) same = g_list_model_get_item (G_LIST_MODEL (list), 0);
  g_assert_true (row == same);

  g_autoptr (LdbListModel) any = ldb_list_model_new_mapped (
      db, NULL, SCAN_ALL, 0, G_TYPE_LIST_MODEL, map_wrong, NULL, NULL, NULL);
  g_test_expect_message ("Ldb", G_LOG_LEVEL_CRITICAL,
                         "*makes the rows*returned NULL instead*GListModel*an LdbEntry*");
  g_autoptr (GObject) entry = g_list_model_get_item (G_LIST_MODEL (any), 0);
  g_test_assert_expected_messages ();
  g_assert_true (LDB_IS_ENTRY (entry));
}

/* ---- counting ---- */

static LdbDatabase *
reopen_cold (Place *place, LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  ldb_database_compact (db, NULL, NULL, NULL, &error);
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (db);
  return place_open (place, NULL);
}

/* More rows only ever come at the end. */
static void
only_appended (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  guint *rows = data;
  g_assert_cmpuint (position, ==, *rows);
  g_assert_cmpuint (removed, ==, 0);
  *rows += added;
}

static void
test_fill (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 150000, 1);
  db = reopen_cold (place, db);
  LdbListModel *list = list_all (db, flags);
  g_assert_true (ldb_list_model_get_pending (list));
  guint rows = count (list);
  g_assert_cmpuint (rows, <, 150000);
  g_signal_connect (list, "items-changed", G_CALLBACK (only_appended), &rows);
  settle (list);
  g_assert_cmpuint (rows, ==, 150000);
  g_assert_cmpuint (count (list), ==, 150000);
  gboolean reverse = (flags & LDB_LIST_REVERSE) != 0;
  assert_row (list, reverse ? 149999 : 0, "n00000000", "value of 0");
  assert_row (list, reverse ? 0 : 149999, "n00149999", "value of 149999");
  assert_row (list, reverse ? 49999 : 100000, "n00100000", "value of 100000");
  g_object_unref (list);
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

/* What is written while the rows are still being counted is told once, in its place. */
static void
test_write_while_filling (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 60000, 2);
  db = reopen_cold (place, db);
  LdbListModel *list = list_all (db, flags | LDB_LIST_BLOCKING);
  ListValidator *validator
      = list_validator_new (G_LIST_MODEL (list), (flags & LDB_LIST_REVERSE) != 0,
                            LIST_VALIDATOR_SOME | LIST_VALIDATOR_SPANS);
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  guint steps = 0;
  for (; ldb_list_model_get_pending (list) || steps < 50; steps++)
    {
      guint key = (guint) g_rand_int_range (random, 0, 60000);
      put_numbers (db, key, key + 1, 1);
      turn (FALSE);
    }
  put (db, "n", "last");
  settle (list);
  list_validator_check (validator);
  assert_equals_database (list);
  list_validator_free (validator);
  g_object_unref (list);
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

static void
test_max_items (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 20000, 1);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_REVERSE | LDB_LIST_BLOCKING);
  g_autoptr (ListValidator) validator
      = list_validator_new (G_LIST_MODEL (list), TRUE, LIST_VALIDATOR_SOME);
  ldb_list_model_set_max_items (list, 10);
  g_assert_false (ldb_list_model_get_pending (list));
  g_assert_cmpuint (count (list), ==, 10);
  assert_row (list, 9, "n00019990", "value of 19990");
  put (db, "z", "newest");
  settle (list);
  g_assert_cmpuint (count (list), ==, 10);
  assert_row (list, 0, "z", "newest");
  assert_row (list, 9, "n00019991", "value of 19991");
  g_assert_cmpint (ldb_list_model_find (list, "n00019990", 9, NULL), ==, -1);
  /* What is far behind is let go of, and counted anew when it comes into sight. */
  g_assert_true (ldb_database_delete_range (db, "n00000500", 9, "z", 1, NULL, NULL));
  settle (list);
  g_assert_cmpuint (count (list), ==, 10);
  assert_row (list, 9, "n00000491", "value of 491");
  ldb_list_model_set_max_items (list, LDB_LIST_MAX_ITEMS);
  settle (list);
  g_assert_cmpuint (count (list), ==, 501);
  put_numbers (db, 500, 9000, 1);
  settle (list);
  ldb_list_model_set_max_items (list, 100);
  settle (list);
  ldb_list_model_set_max_items (list, 7000);
  settle (list);
  g_assert_cmpuint (count (list), ==, 7000);
  list_validator_check (validator);
  assert_equals_database (list);
}

/* The longest keys there can be: nothing fits behind one of them but the next one. */
static void
test_long_keys (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *key = g_malloc (65536);
  memset (key, 0xff, 65536);
  for (guint i = 0; i < 256; i++)
    {
      key[65535] = (char) i;
      ldb_database_put (db, key, 65536, "x", 1, NULL, &error);
      g_assert_no_error (error);
    }
  g_autoptr (LdbListModel) list = list_all (db, flags | LDB_LIST_BLOCKING);
  settle (list);
  g_assert_cmpuint (count (list), ==, 256);
  g_autoptr (ListValidator) validator
      = list_validator_new (G_LIST_MODEL (list), (flags & LDB_LIST_REVERSE) != 0, 0);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 3; i < 256; i += 4)
    {
      key[65535] = (char) i;
      ldb_batch_delete (batch, NULL, key, 65536, &error);
    }
  ldb_batch_delete_range (batch, NULL, key, 65535, key, 65536, &error);
  g_assert_no_error (error);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  settle (list);
  list_validator_check (validator);
  assert_equals_database (list);
  g_assert_null (ldb_list_model_get_error (list));
}

/* ---- rows that are not in memory ---- */

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer data)
{
  guint *calls = data;
  *calls += 1;
}

static void
test_cold (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 20000, 1);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, NULL));
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  settle (list);
  g_autoptr (LdbListModel) blocking = list_all (db, LDB_LIST_BLOCKING);
  settle (blocking);
  ldb_database_evict_cache (db, 1, NULL);
  LdbEntry *rows[20];
  guint notified = 0;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      rows[i] = entry_at (list, i * 1000 + 7);
      g_assert_false (ldb_entry_get_loaded (rows[i]));
      g_assert_null (ldb_entry_get_value (rows[i]));
      g_signal_connect (rows[i], "notify::loaded", G_CALLBACK (count_notify), &notified);
    }
  /* One of them moves before it is there, and another one's value is not what it was. */
  put (db, "n00003000a", "more");
  put (db, "n00005007", "new");
  settle (list);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u", i * 1000 + 7);
      wait_loaded (rows[i]);
      assert_bytes (ldb_entry_get_key (rows[i]), key);
      g_autoptr (LdbEntry) same = entry_at (list, i * 1000 + 7 + (i > 3 || i == 3));
      g_assert_true (same == rows[i]);
    }
  g_assert_cmpuint (notified, ==, G_N_ELEMENTS (rows));
  g_autofree char *text = ldb_entry_dup_text (rows[5]);
  g_assert_cmpstr (text, ==, "new");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_object_unref (rows[i]);
  g_assert_null (ldb_list_model_get_error (list));

  ldb_database_evict_cache (db, 1, NULL);
  g_autoptr (LdbEntry) at_once = entry_at (blocking, 12345);
  g_assert_true (ldb_entry_get_loaded (at_once));
}

/* Where a list ends that has not counted everything: the bucket there begins at the edge. */
static void
test_cold_edge (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 20000, 1);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, NULL));
  g_autoptr (LdbListModel) list = list_all (db, flags);
  settle (list);
  for (guint round = 0; round < 10; round++)
    {
      ldb_list_model_set_max_items (list, 10);
      ldb_database_evict_cache (db, 1, NULL);
      ldb_list_model_set_max_items (list, 1000000);
      /* Counting goes on and reads the same page: who comes first differs. */
      guint rows = count (list);
      g_assert_cmpuint (rows, >, 1000);
      g_assert_cmpuint (rows, <, 2000);
      guint number = (flags & LDB_LIST_REVERSE) != 0 ? 20000 - rows : rows - 1;
      g_autofree char *key = g_strdup_printf ("n%08u", number);
      g_autofree char *value = g_strdup_printf ("value of %u", number);
      assert_row (list, rows - 1, key, value);
      settle (list);
    }
  assert_equals_database (list);
}

/* ---- finding ---- */

/* A search, and what came of it. */
typedef struct
{
  const char *key; /* looked for once more then, or NULL */
  gint position;   /* found; -2: not begun */
  GError *error;   /* owned */
  gboolean done;   /* position and error are there */
} Found;

static void
keep_found (GObject *source, GAsyncResult *result, gpointer data)
{
  Found *found = data;
  LdbListModel *list = LDB_LIST_MODEL (source);
  found->position = ldb_list_model_find_finish (list, result, &found->error);
  found->done = TRUE;
  if (found->key != NULL && found->error == NULL)
    g_assert_cmpint (found->position, ==,
                     ldb_list_model_find (list, found->key, strlen (found->key), NULL));
}

static Found
find_later (LdbListModel *list, const char *key, GCancellable *cancellable)
{
  Found found = { .key = key };
  ldb_list_model_find_async (list, key, strlen (key), cancellable, keep_found, &found);
  g_assert_false (found.done);
  while (!found.done)
    turn (TRUE);
  return found;
}

static void
find_while_moving (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  Found *found = data;
  if (found->position == -2)
    {
      found->position = -1;
      ldb_list_model_find_async (LDB_LIST_MODEL (list), found->key, strlen (found->key), NULL,
                                 keep_found, found);
    }
}

static void
test_find (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  gboolean reverse = (flags & LDB_LIST_REVERSE) != 0;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  put_numbers (db, 0, 20000, 1);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, NULL));
  g_autoptr (LdbListModel) list = list_all (db, flags);
  settle (list);
  for (guint round = 0; round < 2; round++)
    {
      gint expected = reverse ? 19999 - 12345 : 12345;
      if (round == 1)
        ldb_database_evict_cache (db, 1, NULL);
      Found found = find_later (list, "n00012345", NULL);
      g_assert_no_error (found.error);
      g_assert_cmpint (found.position, ==, expected);
      g_assert_cmpint (find_later (list, "n00012345!", NULL).position, ==, -1);
      g_assert_cmpint (find_later (list, "a", NULL).position, ==, -1);
      g_assert_cmpint (find_later (list, "z", NULL).position, ==, -1);
      g_assert_cmpint (ldb_list_model_find (list, "n00012345", 9, &error), ==, expected);
      g_assert_no_error (error);
    }
  Found wrong = find_later (list, "", NULL);
  g_assert_cmpint (wrong.position, ==, -1);
  assert_ldb_error (wrong.error, LDB_ERROR_INVALID_ARGUMENT, "empty");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  ldb_database_evict_cache (db, 1, NULL);
  Found cancelled = find_later (list, "n00000007", cancellable);
  g_assert_error (cancelled.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&cancelled.error);

  /* The answer is right when it comes, whatever the list went through meanwhile. */
  for (guint round = 0; round < 20; round++)
    {
      Found found = { .key = "n00010000" };
      ldb_database_evict_cache (db, 1, NULL);
      ldb_list_model_find_async (list, "n00010000", 9, NULL, keep_found, &found);
      put_numbers (db, 30000 + round, 30001 + round, 1);
      g_autofree char *close_by = g_strdup_printf ("n00009999.%u", round);
      put (db, close_by, "");
      settle (list);
      while (!found.done)
        turn (TRUE);
      g_assert_no_error (found.error);
    }

  /* And also when it was asked in the middle of a step. */
  Found found = { "n00015000", -2, NULL, FALSE };
  g_signal_connect (list, "items-changed", G_CALLBACK (find_while_moving), &found);
  ldb_database_evict_cache (db, 1, NULL);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u/", 10000 + i * 1000);
      ldb_batch_put_string (batch, NULL, key, "", NULL);
      ldb_batch_put_string (batch, NULL, i % 2 ? "n00014999/" : "n00015000/", "", NULL);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  while (!found.done)
    turn (TRUE);
  g_assert_no_error (found.error);
  g_assert_cmpint (found.position, >=, 0);
  g_assert_cmpint (find_later (list, "n00000007", NULL).position, >=, 0);

  ldb_list_model_close (list);
  g_assert_cmpint (find_later (list, "n00000007", NULL).position, ==, -1);
}

/* A search that is under way when everything is closed ends, too. */
static void
test_find_closed (Place *place, gconstpointer data)
{
  for (guint round = 0; round < 4; round++)
    {
      g_autoptr (LdbDatabase) db = place_open (place, NULL);
      put_numbers (db, 0, 2000, 1);
      g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, NULL));
      LdbListModel *list = list_all (db, LDB_LIST_NONE);
      Found found = { 0 };
      settle (list);
      ldb_database_evict_cache (db, 1, NULL);
      ldb_list_model_find_async (list, "n00000500", 9, NULL, keep_found, &found);
      if (round % 2)
        ldb_list_model_close (list);
      if (round / 2)
        ldb_database_close (db, NULL, NULL);
      g_object_unref (list);
      while (!found.done)
        turn (TRUE);
      if (found.error != NULL)
        assert_ldb_error (found.error, LDB_ERROR_CLOSED, "closed");
      else
        g_assert_cmpint (found.position, ==, round == 0 ? 500 : -1);
      ldb_database_close (db, NULL, NULL);
    }
}

/* ---- large values ---- */

/* A large value is read when it is wanted, and again when it has changed. */
static void
test_large (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autofree guint8 *large = g_malloc0 (1 << 20);
  g_assert_true (ldb_database_put (db, "a", 1, large, 1 << 20, NULL, NULL));
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_NONE);
  g_autoptr (LdbEntry) entry = entry_at (list, 0);
  g_assert_false (ldb_entry_get_loaded (entry));
  assert_bytes (ldb_entry_get_key (entry), "a");
  wait_loaded (entry);
  g_assert_cmpuint (g_bytes_get_size (ldb_entry_get_value (entry)), ==, 1 << 20);
  g_assert_true (ldb_database_put (db, "a", 1, large, 1 << 19, NULL, NULL));
  while (g_bytes_get_size (ldb_entry_get_value (entry)) != 1 << 19)
    turn (TRUE);
  g_assert_true (ldb_entry_get_loaded (entry));

  g_autoptr (LdbListModel) keys = list_all (db, LDB_LIST_KEYS_ONLY);
  g_autoptr (LdbEntry) key = entry_at (keys, 0);
  assert_bytes (ldb_entry_get_key (key), "a");
  g_assert_false (ldb_entry_get_loaded (key));
  g_assert_null (ldb_entry_get_value (key));
}

/* ---- all kinds of change ---- */

typedef struct
{
  LdbDatabase *db;
  LdbListModel *list;
  ListValidator *validator;
} Watched;

static Watched
watch_list (Place *place, guint rows, LdbListFlags flags)
{
  Watched watched = { place_open (place, NULL) };
  put_numbers (watched.db, 0, rows, 1);
  watched.list = list_all (watched.db, flags | LDB_LIST_BLOCKING);
  settle (watched.list);
  watched.validator
      = list_validator_new (G_LIST_MODEL (watched.list), (flags & LDB_LIST_REVERSE) != 0,
                            LIST_VALIDATOR_SOME | LIST_VALIDATOR_HOLD | LIST_VALIDATOR_SPANS);
  return watched;
}

static void
watched_check (Watched *watched)
{
  settle (watched->list);
  list_validator_check (watched->validator);
  assert_equals_database (watched->list);
}

static void
watched_clear (Watched *watched)
{
  list_validator_free (watched->validator);
  g_object_unref (watched->list);
  ldb_database_close (watched->db, NULL, NULL);
  g_object_unref (watched->db);
}

static void
assert_one_signal (Watched *watched, guint position, guint removed, guint added)
{
  g_autoptr (GArray) signals = list_validator_take_signals (watched->validator);
  g_assert_cmpuint (signals->len, ==, 1);
  const ListSignal *told = &g_array_index (signals, ListSignal, 0);
  g_assert_cmpuint (told->position, ==, position);
  g_assert_cmpuint (told->removed, ==, removed);
  g_assert_cmpuint (told->added, ==, added);
}

static void
test_ranges (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  gboolean reverse = (flags & LDB_LIST_REVERSE) != 0;
  Watched watched = watch_list (place, 10000, flags);
  ldb_database_delete_range (watched.db, "n00001000", 9, "n00009000", 9, NULL, NULL);
  watched_check (&watched);
  assert_one_signal (&watched, 1000, 8000, 0);
  ldb_database_delete_range (watched.db, "n00000990", 9, "n00000995", 9, NULL, NULL);
  watched_check (&watched);
  assert_one_signal (&watched, reverse ? 1005 : 990, 5, 0);
  ldb_database_delete_range (watched.db, NULL, 0, "n00000100", 9, NULL, NULL);
  watched_check (&watched);
  assert_one_signal (&watched, reverse ? 1895 : 0, 100, 0);

  /* All goes, and some of it comes again, in one commit. */
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  ldb_batch_delete_range (batch, NULL, NULL, 0, NULL, 0, NULL);
  for (guint i = 0; i < 10000; i += 100)
    {
      g_autofree char *key = g_strdup_printf ("n%08u", i);
      ldb_batch_put_string (batch, NULL, key, "anew", NULL);
    }
  ldb_database_write_batch (watched.db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  watched_check (&watched);
  g_assert_cmpuint (count (watched.list), ==, 100);
  ldb_database_delete_range (watched.db, NULL, 0, NULL, 0, NULL, NULL);
  watched_check (&watched);
  g_assert_cmpuint (count (watched.list), ==, 0);
  put_numbers (watched.db, 0, 3000, 1);
  watched_check (&watched);
  watched_clear (&watched);
}

static void
test_load (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  Watched watched = watch_list (place, 3000, flags);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbEntry) kept = entry_at (watched.list, 1500);
  G_GNUC_UNUSED g_autofree char *text = ldb_entry_dup_text (kept); /* loads the row */
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (watched.db, &error);
  for (guint i = 1000; i < 200000; i += 3)
    {
      char key[16];
      g_snprintf (key, sizeof key, "n%08u", i);
      ldb_loader_put (loader, NULL, key, 9, "loaded", 6, &error);
    }
  g_assert_no_error (error);
  g_assert_true (ldb_loader_commit (loader, NULL, &error));
  watched_check (&watched);
  g_autoptr (LdbEntry) again = NULL;
  gsize size;
  const char *key = g_bytes_get_data (ldb_entry_get_key (kept), &size);
  gint position = ldb_list_model_find (watched.list, key, size, &error);
  g_assert_cmpint (position, >=, 0);
  again = entry_at (watched.list, (guint) position);
  g_assert_true (again == kept);
  watched_clear (&watched);
}

static void
test_drop_store (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);
      ldb_store_put_string (store, key, "v", NULL, &error);
    }
  g_autoptr (LdbListModel) list
      = ldb_list_model_new (db, store, SCAN_ALL, 0, LDB_TYPE_ENTRY, &error);
  g_autoptr (LdbEntry) entry = entry_at (list, 3);
  while (ldb_list_model_get_pending (list))
    turn (TRUE);
  g_assert_cmpuint (count (list), ==, 500);
  ldb_database_drop_store (db, "s", NULL, &error);
  g_assert_no_error (error);
  while (count (list) > 0)
    turn (TRUE);
  g_assert_false (ldb_entry_get_exists (entry));
  /* A store of the same name is another one. */
  g_autoptr (LdbStore) anew = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  ldb_store_put_string (anew, "k", "v", NULL, &error);
  for (guint i = 0; i < 10; i++)
    turn (FALSE);
  g_assert_cmpuint (count (list), ==, 0);
}

/* Up to 32 signals for a frame: all of them. More: told together where they are close. */
static void
test_scattered (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  Watched watched = watch_list (place, 100, flags);
  g_autoptr (LdbBatch) few = ldb_batch_new (), many = ldb_batch_new ();
  for (guint i = 0; i < 32; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u.", i * 2);
      ldb_batch_put_string (few, NULL, key, "", NULL);
    }
  ldb_database_write_batch (watched.db, few, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  watched_check (&watched);
  g_autoptr (GArray) exact = list_validator_take_signals (watched.validator);
  g_assert_cmpuint (exact->len, ==, 32);

  put_numbers (watched.db, 1000, 101000, 100);
  watched_check (&watched);
  g_array_unref (list_validator_take_signals (watched.validator));
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u!", 1000 + i * 100);
      ldb_batch_put_string (many, NULL, key, "", NULL);
    }
  ldb_database_write_batch (watched.db, many, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  watched_check (&watched);
  g_autoptr (GArray) bridged = list_validator_take_signals (watched.validator);
  g_assert_cmpuint (bridged->len, ==, 32);
  watched_clear (&watched);
}

/* Between rows that nobody holds it does not matter how far apart they are; a row that is held, and
 * stays, is not said to have gone. */
static void
test_scattered_far (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 100000, 1);
  g_autoptr (LdbListModel) list = list_all (db, flags | LDB_LIST_BLOCKING);
  settle (list);
  guint place_of_held = (flags & LDB_LIST_REVERSE) != 0 ? 100000 - 1 - 50150 : 50150;
  g_autoptr (LdbEntry) held = entry_at (list, place_of_held);
  g_autoptr (ListValidator) validator
      = list_validator_new (G_LIST_MODEL (list), (flags & LDB_LIST_REVERSE) != 0,
                            LIST_VALIDATOR_SOME | LIST_VALIDATOR_SPANS);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 0; i < 333; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%08u", i * 300);
      ldb_batch_delete_string (batch, NULL, key, NULL);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  settle (list);
  g_autoptr (GArray) signals = list_validator_take_signals (validator);
  g_assert_cmpuint (signals->len, ==, 32);
  guint at = place_of_held;
  for (guint i = 0; i < signals->len; i++)
    {
      const ListSignal *told = &g_array_index (signals, ListSignal, i);
      g_assert_true (at < told->position || at >= told->position + told->removed);
      if (at >= told->position)
        at -= told->removed - told->added;
    }
  g_autoptr (LdbEntry) again = entry_at (list, at);
  g_assert_true (again == held);
  list_validator_check (validator);
}

/* Where what is shown ends among runs that are told together, nothing is told that stays. */
static void
test_scattered_window (Place *place, gconstpointer data)
{
  LdbListFlags flags = GPOINTER_TO_UINT (data);
  Watched watched = watch_list (place, 1000, flags);
  for (guint round = 0; round < 60; round++)
    {
      g_autoptr (LdbBatch) batch = ldb_batch_new ();
      ldb_list_model_set_max_items (watched.list, 50 + 7 * round);
      for (guint i = 0; i < 1000; i += 5)
        {
          /* One goes, one comes: what is behind stays where it is. */
          g_autofree char *old = g_strdup_printf ("n%08u%s", i, round % 2 ? "!" : "");
          g_autofree char *new = g_strdup_printf ("n%08u%s", i, round % 2 ? "" : "!");
          ldb_batch_delete_string (batch, NULL, old, NULL);
          ldb_batch_put_string (batch, NULL, new, "", NULL);
        }
      ldb_database_write_batch (watched.db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
      watched_check (&watched);
    }
  watched_clear (&watched);
}

/* ---- what handlers may do ---- */

typedef struct
{
  LdbDatabase *db;
  guint left;    /* times to do it */
  gboolean busy; /* in the handler */
} Meddler;

static void
write_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  Meddler *meddler = data;
  g_assert_false (meddler->busy);
  meddler->busy = TRUE;
  if (meddler->left > 0)
    {
      g_autofree char *key = g_strdup_printf ("from handler %u", meddler->left--);
      put (meddler->db, key, "x");
    }
  meddler->busy = FALSE;
}

static void
test_write_in_handler (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 10, LDB_LIST_NONE);
  Meddler meddler = { watched.db, 20, FALSE };
  g_signal_connect (watched.list, "items-changed", G_CALLBACK (write_in_handler), &meddler);
  put (watched.db, "a", "x");
  while (meddler.left > 0)
    turn (TRUE);
  watched_check (&watched);
  g_assert_cmpuint (count (watched.list), ==, 31);
  watched_clear (&watched);
}

static void
iterate_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  Meddler *meddler = data;
  g_assert_false (meddler->busy); /* not entered again, whatever the loop brings */
  meddler->busy = TRUE;
  if (meddler->left > 0)
    {
      meddler->left--;
      put (meddler->db, "while handling", meddler->left % 2 != 0 ? "x" : "y");
      gint64 until = g_get_monotonic_time () + 20000;
      while (g_get_monotonic_time () < until)
        turn (FALSE);
    }
  meddler->busy = FALSE;
}

static void
test_loop_in_handler (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 2000, LDB_LIST_NONE);
  Meddler meddler = { watched.db, 6, FALSE };
  ldb_database_evict_cache (watched.db, 1, NULL);
  g_signal_connect (watched.list, "items-changed", G_CALLBACK (iterate_in_handler), &meddler);
  for (guint i = 0; i < 6; i++)
    {
      put_numbers (watched.db, 100000 + i, 500000 + i, 50000);
      while (meddler.left > 5 - i)
        turn (TRUE);
    }
  watched_check (&watched);
  watched_clear (&watched);
}

static void
close_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  if (ldb_list_model_is_closed (LDB_LIST_MODEL (list)))
    g_assert_cmpuint (g_list_model_get_n_items (list), ==, 0);
  else
    ldb_list_model_close (LDB_LIST_MODEL (list));
}

static void
test_close_in_handler (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 100, LDB_LIST_NONE);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_signal_connect (watched.list, "items-changed", G_CALLBACK (close_in_handler), NULL);
  ldb_batch_put_string (batch, NULL, "a", "", NULL);
  ldb_batch_put_string (batch, NULL, "z", "", NULL);
  ldb_batch_delete_string (batch, NULL, "n00000050", NULL);
  ldb_database_write_batch (watched.db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  while (!ldb_list_model_is_closed (watched.list))
    turn (TRUE);
  g_assert_cmpuint (count (watched.list), ==, 0);
  list_validator_check (watched.validator);
  watched_clear (&watched);
}

/* All handlers of a signal are told of it before the list ends, in whatever order they were
 * connected. */
static void
test_close_first (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  put_numbers (db, 0, 100, 1);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_BLOCKING);
  settle (list);
  g_signal_connect (list, "items-changed", G_CALLBACK (close_in_handler), NULL);
  g_autoptr (ListValidator) validator = list_validator_new (G_LIST_MODEL (list), FALSE, 0);
  ldb_batch_put_string (batch, NULL, "a", "", NULL);
  ldb_batch_put_string (batch, NULL, "z", "", NULL);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  while (!ldb_list_model_is_closed (list))
    turn (TRUE);
  g_autoptr (GArray) signals = list_validator_take_signals (validator);
  g_assert_cmpuint (signals->len, ==, 2);
  g_assert_cmpuint (count (list), ==, 0);
}

static void
limit_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  guint rows = g_list_model_get_n_items (list);
  if (rows > 10)
    ldb_list_model_set_max_items (LDB_LIST_MODEL (list), rows / 2);
}

/* So they are when one of them wants fewer rows, while they come in and while they are counted. */
static void
test_limit_first (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 60000, 1);
  db = reopen_cold (place, db);
  LdbListModel *list = list_all (db, LDB_LIST_BLOCKING);
  g_signal_connect (list, "items-changed", G_CALLBACK (limit_in_handler), NULL);
  ListValidator *validator = list_validator_new (G_LIST_MODEL (list), FALSE, LIST_VALIDATOR_SOME);
  put (db, "a", "");
  settle (list);
  g_assert_cmpuint (count (list), <=, 10);
  list_validator_check (validator);
  list_validator_free (validator);
  g_object_unref (list);
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

static void
loop_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  Meddler *meddler = data;
  g_assert_false (meddler->busy);
  meddler->busy = TRUE;
  put_numbers (meddler->db, meddler->left, meddler->left + 1, 1);
  meddler->left += 500;
  gint64 until = g_get_monotonic_time () + 3000;
  while (g_get_monotonic_time () < until)
    turn (FALSE);
  meddler->busy = FALSE;
}

/* A handler that runs the loop while rows are being counted is not entered again either. */
static void
test_loop_while_filling (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 200000, 2);
  db = reopen_cold (place, db);
  Meddler meddler = { db, 1, FALSE };
  LdbListModel *list = list_all (db, LDB_LIST_BLOCKING);
  g_signal_connect (list, "items-changed", G_CALLBACK (loop_in_handler), &meddler);
  ListValidator *validator = list_validator_new (G_LIST_MODEL (list), FALSE, LIST_VALIDATOR_SOME);
  while (ldb_list_model_get_pending (list))
    turn (TRUE);
  g_signal_handlers_disconnect_by_func (list, loop_in_handler, &meddler);
  put (db, "a", "");
  settle (list);
  g_assert_cmpuint (meddler.left, >, 501);
  list_validator_check (validator);
  assert_equals_database (list);
  list_validator_free (validator);
  g_object_unref (list);
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

static void
drop_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  LdbListModel **dropped = data;
  g_clear_object (dropped);
}

static void
test_drop_in_handler (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 100, 1);
  LdbListModel *list = list_all (db, LDB_LIST_NONE);
  gpointer weak = list;
  g_object_add_weak_pointer (G_OBJECT (list), &weak);
  g_signal_connect (list, "items-changed", G_CALLBACK (drop_in_handler), &list);
  put (db, "a", "");
  while (weak != NULL)
    turn (TRUE);
  g_assert_null (list);
}

static void
shrink_in_handler (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  ldb_list_model_set_max_items (LDB_LIST_MODEL (list), 20);
}

static void
test_shrink_in_handler (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 9000, LDB_LIST_NONE);
  put (watched.db, "b", "");
  settle (watched.list);
  g_signal_connect (watched.list, "items-changed", G_CALLBACK (shrink_in_handler), NULL);
  put (watched.db, "a", "");
  watched_check (&watched);
  g_assert_cmpuint (count (watched.list), ==, 20);
  watched_clear (&watched);
}

/* ---- ends ---- */

static void
test_close (Place *place, gconstpointer data)
{
  Watched watched = watch_list (place, 100, LDB_LIST_NONE);
  guint notified = 0;
  g_autoptr (LdbEntry) entry = entry_at (watched.list, 5);
  g_signal_connect (watched.list, "notify::closed", G_CALLBACK (count_notify), &notified);
  ldb_list_model_close (watched.list);
  ldb_list_model_close (watched.list);
  g_assert_cmpuint (notified, ==, 1);
  g_assert_cmpuint (count (watched.list), ==, 0);
  g_assert_true (ldb_list_model_is_closed (watched.list));
  g_assert_cmpint (ldb_list_model_find (watched.list, "n00000001", 9, NULL), ==, -1);
  put (watched.db, "a", "");
  for (guint i = 0; i < 20; i++)
    turn (FALSE);
  g_assert_cmpuint (count (watched.list), ==, 0);
  assert_bytes (ldb_entry_get_value (entry), "value of 5");
  watched_clear (&watched);
}

static void
test_close_database (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  put_numbers (db, 0, 1000, 1);
  g_autoptr (LdbListModel) list = list_all (db, LDB_LIST_BLOCKING);
  settle (list);
  G_GNUC_UNUSED g_autoptr (ListValidator) validator
      = list_validator_new (G_LIST_MODEL (list), FALSE, 0);
  ldb_database_close (db, NULL, NULL);
  /* Until the list is told, its rows are there, with nothing in them. */
  g_autoptr (LdbEntry) entry = entry_at (list, 999);
  g_assert_nonnull (entry);
  while (!ldb_list_model_is_closed (list))
    turn (TRUE);
  g_assert_cmpuint (count (list), ==, 0);
  g_assert_null (ldb_list_model_get_error (list));
}

/* The end is told also when something was under way, which finds the database closed first. */
static void
test_close_database_busy (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  put_numbers (db, 0, 150000, 1);
  db = reopen_cold (place, db);
  for (guint round = 0; round < 6; round++)
    {
      g_autoptr (LdbListModel) list = list_all (db, round % 2 ? LDB_LIST_REVERSE : LDB_LIST_NONE);
      g_assert_true (ldb_list_model_get_pending (list));
      if (round / 2 > 0)
        put_numbers (db, 0, 150000, 100);
      if (round / 2 > 1)
        turn (FALSE);
      ldb_database_close (db, NULL, NULL);
      while (!ldb_list_model_is_closed (list))
        turn (TRUE);
      g_assert_cmpuint (count (list), ==, 0);
      g_assert_false (ldb_list_model_get_pending (list));
      g_assert_null (ldb_list_model_get_error (list));
      g_object_unref (db);
      db = place_open (place, NULL);
    }
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

/* In the child of a fork a list refuses, and does no harm. */
static void
test_fork (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  put_numbers (db, 0, 1000, 1);
  LdbListModel *list = list_all (db, LDB_LIST_NONE);
  settle (list);
  LdbEntry *entry = entry_at (list, 7);
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (30);
      LdbEntry *other = entry_at (list, 8);
      g_assert_false (ldb_entry_get_loaded (other));
      assert_bytes (ldb_entry_get_value (entry), "value of 7");
      g_assert_cmpint (ldb_list_model_find (list, "n00000001", 9, &error), ==, -1);
      assert_ldb_error (error, LDB_ERROR_FORKED, place->path);
      g_assert_null (ldb_list_model_new (db, NULL, SCAN_ALL, 0, LDB_TYPE_ENTRY, &error));
      assert_ldb_error (error, LDB_ERROR_FORKED, place->path);
      g_object_unref (other);
      g_object_unref (entry);
      g_object_unref (list);
      g_object_unref (db);
      _exit (0);
    }
  int state = 0;
  g_assert_cmpint (waitpid (child, &state, 0), ==, child);
  g_assert_cmpint (state, ==, 0);
  put (db, "a", "the parent has not noticed");
  settle (list);
  assert_equals_database (list);
  g_object_unref (entry);
  g_object_unref (list);
  ldb_database_close (db, NULL, &error);
  g_object_unref (db);
}

/* Whatever goes first, and whatever is under way. */
static void
test_any_order (Place *place, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (17);
  LdbDatabase *filled = place_open (place, NULL);
  put_numbers (filled, 0, 30000, 1);
  ldb_database_compact (filled, NULL, NULL, NULL, NULL);
  ldb_database_close (filled, NULL, NULL);
  g_object_unref (filled);
  for (guint round = 0; round < 60; round++)
    {
      LdbDatabase *db = place_open (place, NULL);
      LdbListModel *list = list_all (db, round % 2 ? LDB_LIST_REVERSE : LDB_LIST_NONE);
      LdbEntry *entry = entry_at (list, 0);
      for (gint i = g_rand_int_range (random, 0, 8); i > 0; i--)
        {
          put_numbers (db, round, 30000, 5000);
          ldb_database_delete_range (db, "n00020000", 9, "n00020100", 9, NULL, NULL);
          turn (FALSE);
        }
      if (g_rand_boolean (random))
        ldb_list_model_close (list);
      if (g_rand_boolean (random))
        ldb_database_close (db, NULL, NULL);
      if (g_rand_boolean (random))
        g_clear_object (&list);
      g_object_unref (db);
      g_clear_object (&entry);
      g_clear_object (&list);
      while (turn (FALSE))
        ;
    }
  while (turn (FALSE))
    ;
}

/* ---- at random ---- */

#define KEYS_AT_RANDOM 5000

static void
commit_at_random (LdbDatabase *db, GRand *random)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  guint kind = (guint) g_rand_int_range (random, 0, 200);
  guint count = kind < 150 ? 1 : kind < 190 ? 5 : kind < 198 ? 100 : 1;
  for (guint i = 0; i < count; i++)
    {
      char key[16], value[16];
      g_snprintf (key, sizeof key, "n%06u", (guint) g_rand_int_range (random, 0, KEYS_AT_RANDOM));
      g_snprintf (value, sizeof value, "%u", g_rand_int (random) % 1000);
      if (kind >= 198)
        ldb_batch_delete_range (batch, NULL, key, 7, "n9", 2, NULL);
      else if (g_rand_int_range (random, 0, 100) < 45)
        ldb_batch_delete_string (batch, NULL, key, NULL);
      else
        ldb_batch_put_string (batch, NULL, key, value, NULL);
      if (kind >= 198) /* not everything each time */
        {
          g_autoptr (GError) error = NULL;
          g_autofree char *end = g_strdup_printf ("%.5s~", key);
          ldb_batch_clear (batch);
          ldb_batch_delete_range (batch, NULL, key, 7, end, strlen (end), &error);
          g_assert_no_error (error);
        }
    }
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL));
}

typedef struct
{
  LdbDatabase *db;
  guint commits; /* to be made */
} Writer;

static gpointer
write_at_random (gpointer data)
{
  Writer *writer = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (writer->commits);
  for (guint i = 0; i < writer->commits; i++)
    commit_at_random (writer->db, random);
  return NULL;
}

/* Lists of all kinds at once, while another thread writes as fast as it can. */
static void
test_random (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  guint rounds = g_test_slow () ? 1000 : 20, commits = g_test_slow () ? 10000 : 5000;
  struct
  {
    LdbListModel *list;
    ListValidator *validator;
  } lists[6];
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      LdbListFlags flags = i % 2 ? LDB_LIST_REVERSE : LDB_LIST_NONE;
      ListValidatorFlags look = LIST_VALIDATOR_SOME | LIST_VALIDATOR_SPANS;
      /* The validator wants to see every row at once. */
      lists[i].list = list_all (db, flags | LDB_LIST_BLOCKING);
      if (i >= 4)
        ldb_list_model_set_max_items (lists[i].list, 100);
      lists[i].validator = list_validator_new (G_LIST_MODEL (lists[i].list), i % 2 != 0,
                                               i >= 2 ? look | LIST_VALIDATOR_HOLD : look);
    }
  LdbListModel *cold = list_all (db, LDB_LIST_NONE);
  for (guint round = 0; round < rounds; round++)
    {
      g_autofree char *mark = g_strdup_printf ("%u", round);
      Writer writer = { db, commits };
      GThread *thread = g_thread_new ("writer", write_at_random, &writer);
      while (turn (FALSE))
        ;
      g_thread_join (thread);
      put (db, "a", mark); /* first of all … */
      put (db, "z", mark); /* … and last */
      for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
        {
          settle (lists[i].list);
          list_validator_check (lists[i].validator);
          assert_equals_database (lists[i].list);
        }
      ldb_database_evict_cache (db, 1, NULL);
      settle (cold);
      assert_equals_database (cold);
    }
  g_object_unref (cold);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      list_validator_free (lists[i].validator);
      g_object_unref (lists[i].list);
    }
  ldb_database_close (db, NULL, NULL);
  g_object_unref (db);
}

#define add_both_ways(name, function)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_test_add (name "/forward", Place, GUINT_TO_POINTER (LDB_LIST_NONE), place_set_up, function,  \
                place_tear_down);                                                                  \
    g_test_add (name "/reverse", Place, GUINT_TO_POINTER (LDB_LIST_REVERSE), place_set_up,         \
                function, place_tear_down);                                                        \
  }                                                                                                \
  G_STMT_END

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/list/new", test_new);
  add_test ("/list/identity", test_identity);
  add_test ("/list/fresh", test_fresh);
  add_test ("/list/bad-input", test_bad_input);
  add_test ("/list/typed", test_typed);
  add_test ("/list/mapped", test_mapped);
  add_test ("/list/mapped-wrong", test_mapped_wrong);
  add_both_ways ("/list/fill", test_fill);
  add_both_ways ("/list/write-while-filling", test_write_while_filling);
  add_test ("/list/max-items", test_max_items);
  add_test ("/list/cold", test_cold);
  add_both_ways ("/list/cold-edge", test_cold_edge);
  add_both_ways ("/list/long-keys", test_long_keys);
  add_both_ways ("/list/find", test_find);
  add_test ("/list/find-closed", test_find_closed);
  add_test ("/list/large", test_large);
  add_both_ways ("/list/ranges", test_ranges);
  add_both_ways ("/list/load", test_load);
  add_test ("/list/drop-store", test_drop_store);
  add_both_ways ("/list/scattered", test_scattered);
  add_both_ways ("/list/scattered-far", test_scattered_far);
  add_both_ways ("/list/scattered-window", test_scattered_window);
  add_test ("/list/handler/write", test_write_in_handler);
  add_test ("/list/handler/loop", test_loop_in_handler);
  add_test ("/list/handler/close", test_close_in_handler);
  add_test ("/list/handler/close-first", test_close_first);
  add_test ("/list/handler/limit-first", test_limit_first);
  add_test ("/list/handler/loop-filling", test_loop_while_filling);
  add_test ("/list/handler/drop", test_drop_in_handler);
  add_test ("/list/handler/shrink", test_shrink_in_handler);
  add_test ("/list/close", test_close);
  add_test ("/list/close-database", test_close_database);
  add_test ("/list/close-database-busy", test_close_database_busy);
  add_test ("/list/fork", test_fork);
  add_test ("/list/any-order", test_any_order);
  add_test ("/list/random", test_random);
  return g_test_run ();
}
