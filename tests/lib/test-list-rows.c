/* SPDX-License-Identifier: MIT */
/* LdbListModel: rows of the application's types, made by properties or by its own function. */
#include "list-test.h"

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/list/typed", test_typed);
  add_test ("/list/mapped", test_mapped);
  add_test ("/list/mapped-wrong", test_mapped_wrong);
  return g_test_run ();
}
