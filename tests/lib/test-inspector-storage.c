/* SPDX-License-Identifier: MIT */
/*
 * What is told of a running application's storage is what it sees itself; and what it counts, without
 * a counters file.
 */
#include "running-application.h"

/* A map's JSON without what differs from one to the next. */
static char *
without_time (char *json)
{
  g_autofree char *taken = json;
  g_autoptr (GRegex) time = g_regex_new ("\"time\":[0-9]+,", 0, 0, NULL);
  return g_regex_replace (time, taken, -1, 0, "", 0, NULL);
}

static LdbStorageMap *
load (LdbInspector *inspector)
{
  g_autoptr (GError) error = NULL;
  LdbStorageMap *map = ldb_inspector_load_storage_map (inspector, NULL, &error);
  g_assert_no_error (error);
  return map;
}

static void
assert_same_map (Application *application, LdbInspector *inspector)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (application->directory, "map", NULL);
  char *theirs;
  tell (application, "map 0");
  g_autoptr (LdbStorageMap) map = load (inspector);
  g_assert_true (g_file_get_contents (path, &theirs, NULL, &error));
  g_autofree char *wanted = without_time (theirs);
  g_autofree char *told = without_time (ldb_storage_map_to_json (map));
  g_assert_cmpstr (told, ==, wanted);
}

/* Flushed, so that there is something on the disk. */
static LdbInspector *
inspect_flushed (Application *application)
{
  g_autoptr (GError) error = NULL;
  LdbInspector *inspector = inspect (application);
  tell (application, "allow 0");
  g_assert_true (ldb_inspector_request_control (inspector, NULL, &error));
  g_assert_true (ldb_inspector_flush (inspector, NULL, &error));
  g_assert_no_error (error);
  return inspector;
}

/* The first one that the default store is in. */
static guint64
find_segment (LdbInspector *inspector)
{
  guint64 number = 0;
  g_autoptr (LdbStorageMap) map = load (inspector);
  GListModel *stores = ldb_storage_map_get_stores (map);
  for (guint i = 0; i < g_list_model_get_n_items (stores) && number == 0; i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (stores, i);
      g_autoptr (LdbStorageNode) extent = g_list_model_get_item (G_LIST_MODEL (store), 0);
      if (g_strcmp0 (ldb_storage_node_get_name (store), "default") == 0 && extent != NULL)
        number = ldb_storage_node_get_number (extent);
    }
  g_assert_nonnull (ldb_storage_map_find_segment (map, number));
  return number;
}

static void
test_map (Application *application, gconstpointer data)
{
  g_autoptr (LdbInspector) empty = inspect (application);
  assert_same_map (application, empty);
  tell (application, "fill 0");
  g_autoptr (LdbInspector) inspector = inspect_flushed (application);
  assert_same_map (application, inspector);
  g_autoptr (LdbStorageMap) map = load (inspector);
  g_assert_cmpuint (ldb_storage_map_get_sequence (map), ==, 2500);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  ldb_inspector_load_storage_map_async (inspector, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_autoptr (LdbStorageMap) again = ldb_inspector_load_storage_map_finish (inspector, done, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_storage_map_get_sequence (again), ==, 2500);
}

/* One that does not fit in one message. */
static void
test_large_map (Application *application, gconstpointer data)
{
  tell (application, "stores 0");
  g_autoptr (LdbInspector) inspector = inspect_flushed (application);
  g_autoptr (LdbStorageMap) map = load (inspector);
  g_assert_cmpuint (g_list_model_get_n_items (ldb_storage_map_get_stores (map)), >=, 1500);
  assert_same_map (application, inspector);
}

/* What is not there. */
static void
test_absent (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect_flushed (application);
  g_assert_null (ldb_inspector_list_pages (inspector, 12345, 0, 1, FALSE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "12345");
  g_assert_null (ldb_inspector_read_page (inspector, 12345, 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "12345");
  g_assert_null (ldb_inspector_locate_key (inspector, "no-such-store", "k", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "no-such-store");
}

/* Beside the application, which writes. */
static LdbDatabase *
read_beside (Application *application)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (application->directory, "db-0", NULL);
  LdbDatabase *db = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  return db;
}

static void
assert_same_bytes (GBytes *one, GBytes *other)
{
  g_assert_true ((one == NULL) == (other == NULL));
  g_assert_true (one == NULL || g_bytes_equal (one, other));
}

/* But for what the two caches know. */
static void
assert_same_page (const LdbPage *one, const LdbPage *other)
{
  g_assert_cmpuint (one->number, ==, other->number);
  g_assert_cmpuint (one->level, ==, other->level);
  g_assert_cmpuint (one->offset, ==, other->offset);
  g_assert_cmpuint (one->stored_size, ==, other->stored_size);
  g_assert_cmpuint (one->used_size, ==, other->used_size);
  g_assert_cmpuint (one->logical_size, ==, other->logical_size);
  g_assert_cmpint (one->codec, ==, other->codec);
  g_assert_cmpuint (one->store, ==, other->store);
  assert_same_bytes (one->key, other->key);
  g_assert_cmpint (one->is_read, ==, other->is_read);
  g_assert_cmpuint (one->records, ==, other->records);
  g_assert_cmpuint (one->deletes, ==, other->deletes);
  g_assert_cmpstr (one->fault, ==, other->fault);
}

static void
assert_same_records (GPtrArray *one, GPtrArray *other)
{
  g_assert_cmpuint (one->len, ==, other->len);
  for (guint i = 0; i < one->len; i++)
    {
      const LdbPageRecord *a = g_ptr_array_index (one, i), *b = g_ptr_array_index (other, i);
      g_assert_cmpuint (a->offset, ==, b->offset);
      g_assert_cmpuint (a->size, ==, b->size);
      g_assert_cmpuint (a->store, ==, b->store);
      assert_same_bytes (a->key, b->key);
      g_assert_cmpint (a->kind, ==, b->kind);
      g_assert_cmpuint (a->sequence, ==, b->sequence);
      g_assert_cmpuint (a->value_size, ==, b->value_size);
      assert_same_bytes (a->value, b->value);
      g_assert_cmpuint (a->blob_file, ==, b->blob_file);
      g_assert_cmpuint (a->blob_offset, ==, b->blob_offset);
      g_assert_cmpuint (a->child, ==, b->child);
    }
}

static void
assert_same_contents (LdbPageContents *one, LdbPageContents *other)
{
  GPtrArray *fields = ldb_page_contents_get_fields (one);
  GPtrArray *wanted = ldb_page_contents_get_fields (other);
  assert_same_page (ldb_page_contents_get_page (one), ldb_page_contents_get_page (other));
  g_assert_cmpstr (ldb_page_contents_get_file (one), ==, ldb_page_contents_get_file (other));
  assert_same_bytes (ldb_page_contents_get_stored (one), ldb_page_contents_get_stored (other));
  assert_same_bytes (ldb_page_contents_get_decoded (one), ldb_page_contents_get_decoded (other));
  g_assert_cmpuint (fields->len, ==, wanted->len);
  for (guint i = 0; i < fields->len; i++)
    {
      const LdbPageField *a = g_ptr_array_index (fields, i), *b = g_ptr_array_index (wanted, i);
      g_assert_cmpstr (a->name, ==, b->name);
      g_assert_cmpuint (a->offset, ==, b->offset);
      g_assert_cmpuint (a->size, ==, b->size);
      g_assert_cmpint (a->is_number, ==, b->is_number);
      g_assert_cmpuint (a->value, ==, b->value);
    }
  assert_same_records (ldb_page_contents_get_records (one), ldb_page_contents_get_records (other));
}

/* Each page of a segment, also one of keys that no message has room for. */
static void
test_pages (Application *application, gconstpointer data)
{
  gsize largest = 0;
  g_autoptr (GError) error = NULL;
  tell (application, "fill 0");
  tell (application, "long 0");
  g_autoptr (LdbInspector) inspector = inspect_flushed (application);
  g_autoptr (LdbDatabase) db = read_beside (application);
  guint64 segment = find_segment (inspector);
  g_autoptr (GPtrArray) pages
      = ldb_inspector_list_pages (inspector, segment, 0, 100000, TRUE, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) wanted
      = ldb_database_list_pages (db, segment, 0, 100000, TRUE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pages->len, ==, wanted->len);
  for (guint i = 0; i < pages->len; i++)
    {
      assert_same_page (g_ptr_array_index (pages, i), g_ptr_array_index (wanted, i));
      g_autoptr (LdbPageContents) told
          = ldb_inspector_read_page (inspector, segment, i, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (LdbPageContents) read = ldb_database_read_page (db, segment, i, NULL, &error);
      assert_same_contents (told, read);
      largest = MAX (largest, g_bytes_get_size (ldb_page_contents_get_decoded (told)));
    }
  g_assert_cmpuint (largest, >, 128 << 10); /* the page that comes in parts */
  g_autoptr (GAsyncResult) result = NULL;
  ldb_inspector_list_pages_async (inspector, segment, 1, 2, FALSE, NULL, KEEP (result));
  g_autoptr (GAsyncResult) listed = ldb_test_wait (&result);
  g_autoptr (GPtrArray) two = ldb_inspector_list_pages_finish (inspector, listed, &error);
  g_assert_cmpuint (two->len, ==, 2);
  ldb_inspector_read_page_async (inspector, segment, 1, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_autoptr (LdbPageContents) one = ldb_inspector_read_page_finish (inspector, done, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_page_contents_get_page (one)->number, ==, 1);
}

static void
test_keys (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  tell (application, "fill 0");
  g_autoptr (LdbInspector) inspector = inspect_flushed (application);
  tell (application, "put 0 key-0007 newer");
  g_autoptr (GPtrArray) places
      = ldb_inspector_locate_key (inspector, NULL, "key-0007", 8, NULL, &error);
  g_assert_no_error (error);
  const LdbKeyLocation *newest = g_ptr_array_index (places, 0);
  const LdbKeyLocation *older = g_ptr_array_index (places, places->len - 1);
  g_assert_cmpint (newest->verdict, ==, LDB_LOCATION_FOUND);
  g_assert_true (newest->decides);
  g_assert_true (newest->in_memory);
  g_assert_cmpuint (newest->sequence, ==, 2501);
  g_assert_cmpuint (newest->value_size, ==, 5);
  g_assert_cmpint (older->verdict, ==, LDB_LOCATION_FOUND);
  g_assert_false (older->decides);
  g_assert_false (older->in_memory);
  g_assert_cmpuint (older->segment, ==, find_segment (inspector));
  g_assert_null (older->fault);
  ldb_inspector_locate_key_async (inspector, NULL, "nowhere", 7, NULL, KEEP (result));
  g_autoptr (GAsyncResult) located = ldb_test_wait (&result);
  g_autoptr (GPtrArray) none = ldb_inspector_locate_key_finish (inspector, located, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (none->len, ==, places->len);
}

static void
test_sizes (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  tell (application, "fill 0");
  tell (application, "big 0");
  g_autoptr (LdbInspector) inspector = inspect_flushed (application);
  g_autoptr (LdbSizes) sizes
      = ldb_inspector_measure_sizes (inspector, NULL, NULL, 0, NULL, 0, 0, 3, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sizes->records, ==, 2501);
  g_assert_cmpuint (sizes->key_bytes, ==, 2500 * 8 + 3);
  g_assert_cmpuint (sizes->value_bytes, ==, 2500 * 5 + 3000000);
  g_assert_cmpfloat (sizes->share, ==, 1);
  g_assert_cmpuint (ldb_sizes_get_key_percentile (sizes, 0.5), ==, 8);
  g_assert_cmpuint (ldb_sizes_get_value_percentile (sizes, 0.5), ==, 5);
  g_assert_cmpuint (ldb_sizes_get_value_percentile (sizes, 1), ==, 3000000);
  g_autoptr (GPtrArray) buckets = ldb_sizes_list_key_buckets (sizes);
  const LdbSizeBucket *first = g_ptr_array_index (buckets, 0);
  g_assert_cmpuint (first->most, ==, 3);
  g_assert_cmpuint (first->count, ==, 1);
  GPtrArray *biggest = ldb_sizes_get_biggest (sizes);
  const LdbBigValue *value = g_ptr_array_index (biggest, 0);
  g_assert_cmpuint (biggest->len, ==, 3);
  g_assert_cmpuint (value->size, ==, 3000000);
  assert_bytes (value->key, "big");
  g_assert_null (ldb_sizes_get_first_fault (sizes));
  ldb_inspector_measure_sizes_async (inspector, NULL, "key-0001", 8, "key-0003", 8, 1000, 0, NULL,
                                     KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_autoptr (LdbSizes) few = ldb_inspector_measure_sizes_finish (inspector, done, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (few->records, ==, 2);
}

/* Several that examine at once, of several connections: each has its turn. */
static void
test_turns (Application *application, gconstpointer data)
{
  enum
  {
    CALLS = 8
  };
  g_autoptr (GError) error = NULL;
  GAsyncResult *results[CALLS] = { NULL };
  tell (application, "fill 0");
  g_autoptr (LdbInspector) one = inspect_flushed (application);
  g_autoptr (LdbInspector) other = inspect (application);
  g_autoptr (LdbInspector) leaving = inspect (application);
  for (guint i = 0; i < CALLS; i++)
    ldb_inspector_load_storage_map_async (i % 2 == 0 ? one : other, NULL, KEEP (results[i]));
  g_autoptr (GAsyncResult) late = NULL;
  ldb_inspector_measure_sizes_async (leaving, NULL, NULL, 0, NULL, 0, 0, 0, NULL, KEEP (late));
  ldb_inspector_close (leaving);
  for (guint i = 0; i < CALLS; i++)
    {
      g_autoptr (GAsyncResult) done = ldb_test_wait (&results[i]);
      g_autoptr (LdbStorageMap) map
          = ldb_inspector_load_storage_map_finish (i % 2 == 0 ? one : other, done, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (ldb_storage_map_get_sequence (map), ==, 2500);
    }
  g_autoptr (GAsyncResult) ended = ldb_test_wait (&late);
  g_autoptr (LdbSizes) sizes = ldb_inspector_measure_sizes_finish (leaving, ended, NULL);
  g_autoptr (LdbSizes) after
      = ldb_inspector_measure_sizes (one, NULL, NULL, 0, NULL, 0, 0, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (after->records, ==, 2500);
}

/* The application began to share the database when it was open, so there is no counters file. */
static void
test_metrics (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  LdbRunningDatabase *running = ldb_inspector_get_running_database (inspector);
  g_assert_null (ldb_running_database_get_metrics (running, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "no counters");
  tell (application, "fill 0");
  g_autoptr (LdbMetrics) metrics = ldb_inspector_get_metrics (inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (ldb_metrics_get_value (metrics, "puts"), ==, 2500);
  tell (application, "put 0 a 1");
  ldb_metrics_refresh (metrics);
  g_assert_cmpint (ldb_metrics_get_value (metrics, "puts"), ==, 2500); /* it stands still */
  ldb_inspector_get_metrics_async (inspector, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_autoptr (LdbMetrics) now = ldb_inspector_get_metrics_finish (inspector, done, &error);
  g_assert_no_error (error);
  g_assert_cmpint (ldb_metrics_get_value (now, "puts"), ==, 2501);
}

static void
add_tests (void)
{
  add_look ("/inspector-storage/map", test_map);
  add_look ("/inspector-storage/large-map", test_large_map);
  add_look ("/inspector-storage/absent", test_absent);
  add_look ("/inspector-storage/pages", test_pages);
  add_look ("/inspector-storage/keys", test_keys);
  add_look ("/inspector-storage/sizes", test_sizes);
  add_look ("/inspector-storage/turns", test_turns);
  add_look ("/inspector-storage/metrics", test_metrics);
}

int
main (int argc, char **argv)
{
  return running_application_main (argc, argv, add_tests);
}
