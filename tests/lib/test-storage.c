/* SPDX-License-Identifier: MIT */
/*
 * Maps of the storage, pages, places of keys and sizes: against what was written, against each
 * other, and with everything that can be gone or damaged.
 */
#include "ldb-test.h"

#include <string.h>

#define KEYS 3000
#define LARGE 20000 /* bytes of a value that goes to a file of its own kind */

static void
put_numbers (LdbDatabase *db, LdbStore *store, guint from, guint to)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = from; i < to; i++)
    {
      g_autofree char *key = g_strdup_printf ("key-%06u", i);
      g_autofree char *value = g_strnfill (i % 200, 'v');
      g_assert_true (ldb_batch_put_string (batch, store, key, value, &error));
    }
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
}

/* A database with two stores, large values, deletes, all in files. */
static LdbDatabase *
open_filled (Place *place)
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = place_open (place, NULL);
  g_autoptr (LdbStore) store
      = ldb_database_open_store (db, "people", LDB_OPEN_CREATE, NULL, &error);
  g_autofree char *large = g_strnfill (LARGE, 'x');
  put_numbers (db, NULL, 0, KEYS);
  put_numbers (db, store, 0, KEYS / 10);
  g_assert_true (ldb_database_put (db, "large-1", 7, large, LARGE, NULL, &error));
  g_assert_true (ldb_database_put (db, "large-2", 7, large, LARGE / 2, NULL, &error));
  g_assert_true (ldb_database_delete_string (db, "key-000007", NULL, &error));
  g_assert_true (ldb_database_checkpoint (db, NULL, &error));
  g_assert_no_error (error);
  return db;
}

static LdbStorageMap *
load (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  LdbStorageMap *map = ldb_database_load_storage_map (db, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_storage_map_get_faults (map)->len, ==, 0);
  return map;
}

/* The same, with the statistics of the same moment: the log may get or lose a spare file meanwhile. */
static LdbStorageMap *
load_still (LdbDatabase *db, LdbStats **stats)
{
  for (;;)
    {
      g_autoptr (LdbStats) before = ldb_database_get_stats (db, NULL);
      g_autoptr (LdbStorageMap) map = load (db);
      g_autoptr (LdbStats) after = ldb_database_get_stats (db, NULL);
      if (before->disk_bytes == after->disk_bytes && before->segments == after->segments)
        {
          *stats = g_steal_pointer (&after);
          return g_steal_pointer (&map);
        }
    }
}

/* What nodes of a kind amount to, at any depth. */
typedef struct
{
  guint count;
  guint64 bytes, records;
  LdbStorageNode *first; /* borrowed */
} Total;

static void
add_nodes (LdbStorageNode *node, LdbStorageKind kind, Total *total)
{
  const LdbStorageFigures *figures = ldb_storage_node_get_figures (node);
  if (ldb_storage_node_get_kind (node) == kind)
    {
      total->count++;
      total->bytes += figures->bytes;
      total->records += figures->records;
      total->first = total->first != NULL ? total->first : node;
    }
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (node)); i++)
    {
      g_autoptr (LdbStorageNode) child = g_list_model_get_item (G_LIST_MODEL (node), i);
      add_nodes (child, kind, total);
    }
}

static Total
total_of (LdbStorageMap *map, LdbStorageKind kind)
{
  Total total = { 0 };
  add_nodes (ldb_storage_map_get_root (map), kind, &total);
  return total;
}

static LdbStorageNode *
find_store (LdbStorageMap *map, const char *name)
{
  GListModel *stores = ldb_storage_map_get_stores (map);
  for (guint i = 0; i < g_list_model_get_n_items (stores); i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (stores, i);
      if (g_strcmp0 (ldb_storage_node_get_name (store), name) == 0)
        return store; /* the map holds it */
    }
  return NULL;
}

static void
test_map (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_autoptr (LdbStats) stats = NULL;
  g_autoptr (LdbStorageMap) map = load_still (db, &stats);
  LdbStorageNode *root = ldb_storage_map_get_root (map);
  const LdbStorageFigures *all = ldb_storage_node_get_figures (root);
  Total segments = total_of (map, LDB_STORAGE_SEGMENT), runs = total_of (map, LDB_STORAGE_RUN);
  Total blobs = total_of (map, LDB_STORAGE_BLOB), files = total_of (map, LDB_STORAGE_FILE);
  g_assert_cmpuint (ldb_storage_map_get_sequence (map), ==, ldb_database_get_sequence (db));
  g_assert_cmpint (ldb_storage_map_get_time (map), >, 0);
  g_assert_cmpuint (segments.count, ==, stats->segments);
  g_assert_cmpuint (runs.count, ==, stats->runs);
  g_assert_cmpuint (segments.bytes, ==, stats->segment_bytes);
  g_assert_cmpuint (blobs.bytes, ==, stats->blob_bytes);
  g_assert_cmpuint (segments.bytes + blobs.bytes + files.bytes, ==, stats->disk_bytes);
  g_assert_cmpuint (all->bytes, ==, stats->disk_bytes);
  g_assert_cmpuint (all->records, ==, segments.records);
  g_assert_cmpuint (all->blob_values, ==, 2);
  g_assert_cmpuint (all->blob_bytes, ==, LARGE + LARGE / 2);
  g_assert_cmpuint (all->deletes, <=, 1); /* a flush may drop it */
  g_assert_cmpfloat (ldb_storage_node_get_fill (root), >, 0.5);
  g_assert_cmpfloat (ldb_storage_node_get_fill (root), <=, 1);
  g_assert_cmpuint (total_of (map, LDB_STORAGE_MEMTABLE).count, ==, 1);

  LdbStorageNode *segment = segments.first;
  g_autofree char *name = NULL;
  guint64 number = 0, bytes = 0;
  g_autoptr (GBytes) smallest = NULL;
  g_object_get (segment, "name", &name, "number", &number, "bytes", &bytes, "smallest", &smallest,
                NULL);
  g_assert_true (g_str_has_suffix (name, ".seg"));
  g_assert_true (ldb_storage_map_find_segment (map, number) == segment);
  g_assert_null (ldb_storage_map_find_segment (map, number + 100000));
  g_assert_true (smallest == ldb_storage_node_get_smallest (segment));
  g_assert_cmpint (ldb_storage_node_get_filter (segment), !=, LDB_FILTER_NONE);

  g_assert_cmpint (
      ldb_storage_node_get_state (find_store (map, "catalogue")) & LDB_STORAGE_STATE_SYSTEM, !=, 0);
  guint64 people = ldb_storage_node_get_figures (find_store (map, "people"))->records;
  guint64 others = ldb_storage_node_get_figures (find_store (map, "default"))->records;
  g_assert_cmpuint (people, >, KEYS / 20); /* shared out by bytes */
  g_assert_cmpuint (others, >, KEYS / 2);
  g_assert_cmpuint (people + others, <=, all->records + 2);

  put_numbers (db, NULL, 0, 10); /* in memory only */
  g_autoptr (LdbStorageMap) later = load (db);
  g_assert_cmpuint (total_of (later, LDB_STORAGE_MEMTABLE).records, ==, 10);
  g_assert_cmpuint (ldb_storage_node_get_figures (root)->records, ==, segments.records);
}

static void
test_json (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  const guint8 odd[] = { 0, 1, 0xff, '"', '\\' };
  g_assert_true (ldb_database_put (db, odd, sizeof odd, "v", 1, NULL, &error));
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  g_autoptr (LdbStorageMap) map = load (db);
  g_autofree char *json = ldb_storage_map_to_json (map);
  g_assert_true (g_utf8_validate (json, -1, NULL));
  g_assert_nonnull (strstr (json, "\"kind\":\"database\""));
  g_assert_nonnull (strstr (json, "\"name\":\"people\""));
  g_assert_nonnull (strstr (json, "\"stores\":["));
  g_assert_nonnull (strstr (json, "\"faults\":[]}"));
}

static void
test_pages (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  g_autoptr (LdbStorageMap) map = load (db);
  LdbStorageNode *segment = total_of (map, LDB_STORAGE_SEGMENT).first;
  const LdbStorageFigures *figures = ldb_storage_node_get_figures (segment);
  guint64 number = ldb_storage_node_get_number (segment), records = 0, used = 0, large = 0;
  g_autoptr (GPtrArray) pages
      = ldb_database_list_pages (db, number, 0, G_MAXUINT, TRUE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pages->len, ==, figures->leaves + figures->inner_pages);
  for (guint i = 0; i < pages->len; i++)
    {
      const LdbPage *page = g_ptr_array_index (pages, i);
      g_assert_cmpuint (page->number, ==, i);
      g_assert_null (page->fault);
      g_assert_true (page->is_read);
      records += page->level == 0 ? page->records : 0;
      used += page->used_size;
      g_autoptr (LdbPageContents) contents = ldb_database_read_page (db, number, i, NULL, &error);
      g_assert_no_error (error);
      GPtrArray *inside = ldb_page_contents_get_records (contents);
      g_assert_cmpuint (inside->len, ==, page->records);
      g_assert_cmpuint (ldb_page_contents_get_fields (contents)->len, >, 8);
      g_assert_cmpuint (g_bytes_get_size (ldb_page_contents_get_stored (contents)), ==,
                        page->stored_size);
      g_assert_cmpuint (g_bytes_get_size (ldb_page_contents_get_decoded (contents)), ==,
                        page->used_size);
      g_assert_cmpstr (ldb_page_contents_get_file (contents), ==,
                       ldb_storage_node_get_name (segment));
      for (guint r = 0; page->level == 0 && r < inside->len; r++)
        {
          const LdbPageRecord *record = g_ptr_array_index (inside, r);
          if (record->kind == LDB_VERSION_BLOB)
            large += record->value_size;
          else
            g_assert_cmpuint (g_bytes_get_size (record->value), ==, record->value_size);
        }
    }
  g_assert_cmpuint (records, ==, figures->records);
  g_assert_cmpuint (used, ==, figures->used_bytes);
  g_assert_cmpuint (large, ==, LARGE + LARGE / 2);

  g_autoptr (GPtrArray) few = ldb_database_list_pages (db, number, 2, 3, FALSE, NULL, &error);
  g_assert_cmpuint (few->len, ==, 3);
  g_assert_cmpuint (((LdbPage *) g_ptr_array_index (few, 0))->number, ==, 2);
  g_assert_false (((LdbPage *) g_ptr_array_index (few, 0))->is_read);
  g_autoptr (GPtrArray) none = ldb_database_list_pages (db, number, 1000000, 3, TRUE, NULL, &error);
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_null (ldb_database_read_page (db, number, pages->len, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "pages");

  put_numbers (db, NULL, 0, 100); /* the segment is merged away between two calls */
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  g_assert_null (ldb_database_list_pages (db, number, 0, 1, FALSE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "merged");
  g_assert_null (ldb_database_read_page (db, number, 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "merged");
}

static LdbKeyLocation *
deciding (GPtrArray *locations)
{
  for (guint i = 0; i < locations->len; i++)
    if (((LdbKeyLocation *) g_ptr_array_index (locations, i))->decides)
      return g_ptr_array_index (locations, i);
  return NULL;
}

static void
test_locate (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "people", LDB_OPEN_NONE, NULL, &error);
  g_autoptr (GPtrArray) there = ldb_database_locate_key (db, NULL, "key-000123", 10, NULL, &error);
  g_assert_no_error (error);
  LdbKeyLocation *at = deciding (there);
  g_assert_cmpint (at->verdict, ==, LDB_LOCATION_FOUND);
  g_assert_cmpuint (at->value_size, ==, 123);
  g_assert_false (at->in_memory);
  g_autoptr (LdbPageContents) page
      = ldb_database_read_page (db, at->segment, at->page, NULL, &error);
  LdbPageRecord *record
      = g_ptr_array_index (ldb_page_contents_get_records (page), (guint) at->slot);
  g_assert_cmpmem (g_bytes_get_data (record->key, NULL), g_bytes_get_size (record->key),
                   "key-000123", 10);

  g_autoptr (GPtrArray) large = ldb_database_locate_key (db, NULL, "large-1", 7, NULL, &error);
  g_assert_cmpint (deciding (large)->kind, ==, LDB_VERSION_BLOB);
  g_assert_cmpuint (deciding (large)->value_size, ==, LARGE);
  g_autoptr (GPtrArray) other = ldb_database_locate_key (db, store, "large-1", 7, NULL, &error);
  g_assert_null (deciding (other));
  g_autoptr (GPtrArray) gone = ldb_database_locate_key (db, NULL, "key-000007", 10, NULL, &error);
  g_assert_true (deciding (gone) == NULL || deciding (gone)->kind == LDB_VERSION_DELETE);
  put_numbers (db, NULL, 123, 124);
  g_autoptr (GPtrArray) again = ldb_database_locate_key (db, NULL, "key-000123", 10, NULL, &error);
  g_assert_true (deciding (again)->in_memory);
  g_assert_cmpuint (again->len, ==, there->len);

  g_assert_null (ldb_database_locate_key (db, NULL, "", 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "key is empty");
  g_autofree char *long_key = g_strnfill (65537, 'k');
  g_assert_null (ldb_database_locate_key (db, NULL, long_key, 65537, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_KEY_TOO_LARGE, "65537");
  g_autofree char *other_path = g_build_filename (place->directory, "other", NULL);
  g_autoptr (LdbDatabase) stranger
      = ldb_database_open (other_path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_null (ldb_database_locate_key (stranger, store, "k", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "belongs");
}

static void
test_sizes (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_autoptr (LdbSizes) sizes
      = ldb_database_measure_sizes (db, NULL, NULL, 0, NULL, 0, 0, 3, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sizes->records, ==, KEYS - 1 + 2);
  g_assert_cmpuint (sizes->key_bytes, ==, (KEYS - 1) * 10 + 2 * 7);
  g_assert_cmpfloat (sizes->share, ==, 1);
  g_assert_cmpuint (sizes->faults, ==, 0);
  g_assert_null (ldb_sizes_get_first_fault (sizes));
  g_assert_cmpuint (ldb_sizes_get_key_percentile (sizes, 0.5), ==, 10);
  g_assert_cmpuint (ldb_sizes_get_value_percentile (sizes, 1), ==, LARGE);
  g_assert_cmpuint (ldb_sizes_get_value_percentile (sizes, 7), ==, LARGE);
  GPtrArray *biggest = ldb_sizes_get_biggest (sizes);
  g_assert_cmpuint (biggest->len, ==, 3);
  g_assert_cmpuint (((LdbBigValue *) biggest->pdata[0])->size, ==, LARGE);
  g_assert_cmpuint (((LdbBigValue *) biggest->pdata[1])->size, ==, LARGE / 2);
  g_assert_cmpuint (((LdbBigValue *) biggest->pdata[2])->size, ==, 199);
  g_autoptr (GPtrArray) buckets = ldb_sizes_list_value_buckets (sizes);
  guint64 count = 0, next = 0;
  for (guint i = 0; i < buckets->len; i++)
    {
      const LdbSizeBucket *bucket = g_ptr_array_index (buckets, i);
      g_assert_true (i == 0 || bucket->least == next);
      next = bucket->most + 1;
      count += bucket->count;
    }
  g_assert_cmpuint (count, ==, sizes->records);
  g_assert_cmpuint (next, ==, 32768);
  g_autoptr (GPtrArray) keys = ldb_sizes_list_key_buckets (sizes);
  g_assert_cmpuint (keys->len, ==, 2); /* 4 … 7, 8 … 15 */

  g_autoptr (LdbSizes) part = ldb_database_measure_sizes (db, NULL, "key-001000", 10, "key-002000",
                                                          10, 0, 0, NULL, NULL, NULL, &error);
  g_assert_cmpuint (part->records, ==, 1000);
  g_assert_cmpuint (ldb_sizes_get_biggest (part)->len, ==, 0);
  g_assert_null (
      ldb_database_measure_sizes (db, NULL, "b", 1, "a", 1, 0, 0, NULL, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "range");
  g_assert_null (
      ldb_database_measure_sizes (db, NULL, NULL, 0, NULL, 0, 0, 10001, NULL, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "10000");
}

/* ---- what can go wrong ---- */

static void
test_empty (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStorageMap) map = load (db);
  g_autofree char *json = ldb_storage_map_to_json (map);
  g_autoptr (LdbSizes) sizes
      = ldb_database_measure_sizes (db, NULL, NULL, 0, NULL, 0, 5, 5, NULL, NULL, NULL, &error);
  g_autoptr (GPtrArray) buckets = ldb_sizes_list_key_buckets (sizes);
  g_assert_cmpuint (total_of (map, LDB_STORAGE_SEGMENT).count, ==, 0);
  g_assert_cmpuint (total_of (map, LDB_STORAGE_LEVEL).count, ==, 0);
  g_assert_cmpfloat (ldb_storage_node_get_fill (ldb_storage_map_get_root (map)), ==, 0);
  g_assert_cmpuint (sizes->records, ==, 0);
  g_assert_cmpuint (buckets->len, ==, 0);
  g_assert_cmpuint (ldb_sizes_get_value_percentile (sizes, 0.5), ==, 0);
  g_assert_null (ldb_database_list_pages (db, 0, 0, 1, TRUE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "no segment 0");
}

static void
test_closed (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_autoptr (LdbStorageMap) map = load (db);
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_null (ldb_database_load_storage_map (db, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  g_assert_null (ldb_database_list_pages (db, 1, 0, 1, TRUE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  g_assert_null (ldb_database_read_page (db, 1, 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  g_assert_null (ldb_database_locate_key (db, NULL, "k", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  g_assert_null (
      ldb_database_measure_sizes (db, NULL, NULL, 0, NULL, 0, 0, 0, NULL, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
  g_assert_cmpuint (total_of (map, LDB_STORAGE_SEGMENT).count, >, 0); /* a map is a copy */
}

static void
test_cancelled (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_null (ldb_database_load_storage_map (db, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (ldb_database_measure_sizes (db, NULL, NULL, 0, NULL, 0, 0, 0, NULL, NULL,
                                             cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_dropped (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "people", LDB_OPEN_NONE, NULL, &error);
  g_assert_true (ldb_database_drop_store (db, "people", NULL, &error));
  g_autoptr (LdbStorageMap) map = load (db);
  LdbStorageNode *unnamed = find_store (map, NULL);
  g_assert_nonnull (unnamed);
  g_assert_cmpint (ldb_storage_node_get_state (unnamed) & LDB_STORAGE_STATE_DROPPED, !=, 0);
  g_assert_null (find_store (map, "people"));
  g_autoptr (GPtrArray) places
      = ldb_database_locate_key (db, store, "key-000001", 10, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (deciding (places)->range_delete, >, 0);
  g_autoptr (LdbSizes) sizes
      = ldb_database_measure_sizes (db, store, NULL, 0, NULL, 0, 0, 0, NULL, NULL, NULL, &error);
  g_assert_cmpuint (sizes->records, ==, 0);
}

static void
damage (const char *path, gsize offset)
{
  g_autoptr (GError) error = NULL;
  FILE *file = fopen (path, "r+");
  g_assert_nonnull (file);
  g_assert_cmpint (fseek (file, (long) offset, SEEK_SET), ==, 0);
  int byte = fgetc (file);
  g_assert_cmpint (fseek (file, (long) offset, SEEK_SET), ==, 0);
  g_assert_cmpint (fputc (byte ^ 0x20, file), !=, EOF);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
test_damaged (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  g_autoptr (GPtrArray) places = ldb_database_locate_key (db, NULL, "key-001000", 10, NULL, &error);
  LdbKeyLocation *at = deciding (places);
  g_autoptr (GPtrArray) sound
      = ldb_database_list_pages (db, at->segment, at->page, 1, TRUE, NULL, &error);
  g_autofree char *name = g_strdup_printf ("%" G_GUINT64_FORMAT ".seg", at->segment);
  g_autofree char *path = g_build_filename (place->path, name, NULL);
  damage (path, ((LdbPage *) sound->pdata[0])->offset + 30);

  g_autoptr (LdbPageContents) contents
      = ldb_database_read_page (db, at->segment, at->page, NULL, &error);
  g_assert_no_error (error);
  LdbPage *page = ldb_page_contents_get_page (contents);
  g_autofree char *number = g_strdup_printf ("page %" G_GUINT64_FORMAT, at->page);
  g_assert_nonnull (strstr (page->fault, name));
  g_assert_nonnull (strstr (page->fault, number));
  g_assert_null (ldb_page_contents_get_decoded (contents));
  g_assert_nonnull (ldb_page_contents_get_stored (contents));
  g_assert_cmpuint (ldb_page_contents_get_records (contents)->len, ==, 0);
  g_assert_cmpuint (ldb_page_contents_get_fields (contents)->len, ==, 0);
  g_autoptr (GPtrArray) lost = ldb_database_locate_key (db, NULL, "key-001000", 10, NULL, &error);
  g_assert_cmpint (deciding (lost)->verdict, ==, LDB_LOCATION_FAULT);
  g_assert_nonnull (strstr (deciding (lost)->fault, number));
  g_autoptr (GPtrArray) pages
      = ldb_database_list_pages (db, at->segment, 0, G_MAXUINT, TRUE, NULL, &error);
  guint faults = 0;
  for (guint i = 0; i < pages->len; i++)
    faults += ((LdbPage *) g_ptr_array_index (pages, i))->fault != NULL;
  g_assert_cmpuint (faults, ==, 1);
  g_autoptr (LdbSizes) sizes
      = ldb_database_measure_sizes (db, NULL, NULL, 0, NULL, 0, 0, 0, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sizes->faults, >, 0);
  g_assert_cmpfloat (sizes->share, <, 1);
  g_assert_nonnull (strstr (ldb_sizes_get_first_fault (sizes), name));
  g_autofree char *html
      = ldb_database_generate_report (db, LDB_REPORT_HTML, LDB_REPORT_NONE, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (html, "Damage that was met"));
  g_assert_nonnull (strstr (html, name));
}

/* ---- asynchronous forms ---- */

static void
test_async (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  GAsyncResult *kept = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  ldb_database_load_storage_map_async (db, NULL, KEEP (kept));
  g_autoptr (LdbStorageMap) map
      = ldb_database_load_storage_map_finish (db, (result = ldb_test_wait (&kept)), &error);
  g_assert_no_error (error);
  guint64 segment = ldb_storage_node_get_number (total_of (map, LDB_STORAGE_SEGMENT).first);
  g_clear_object (&result);

  ldb_database_list_pages_async (db, segment, 0, 5, TRUE, NULL, KEEP (kept));
  g_autoptr (GPtrArray) pages
      = ldb_database_list_pages_finish (db, (result = ldb_test_wait (&kept)), &error);
  g_assert_cmpuint (pages->len, >, 0);
  g_clear_object (&result);

  ldb_database_read_page_async (db, segment, 0, NULL, KEEP (kept));
  g_autoptr (LdbPageContents) page
      = ldb_database_read_page_finish (db, (result = ldb_test_wait (&kept)), &error);
  g_assert_nonnull (ldb_page_contents_get_decoded (page));
  g_clear_object (&result);

  ldb_database_locate_key_async (db, NULL, "key-000001", 10, NULL, KEEP (kept));
  g_autoptr (GPtrArray) places
      = ldb_database_locate_key_finish (db, (result = ldb_test_wait (&kept)), &error);
  g_assert_nonnull (deciding (places));
  g_clear_object (&result);

  ldb_database_measure_sizes_async (db, NULL, NULL, 0, NULL, 0, 0, 1, NULL, NULL, NULL, NULL,
                                    KEEP (kept));
  g_autoptr (LdbSizes) sizes
      = ldb_database_measure_sizes_finish (db, (result = ldb_test_wait (&kept)), &error);
  g_assert_cmpuint (sizes->records, ==, KEYS + 1);
  g_clear_object (&result);

  ldb_database_measure_sizes_async (db, NULL, "b", 1, "a", 1, 0, 1, NULL, NULL, NULL, NULL,
                                    KEEP (kept));
  g_assert_null (ldb_database_measure_sizes_finish (db, (result = ldb_test_wait (&kept)), &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "range");
  g_clear_object (&result);
  ldb_database_read_page_async (db, 999999, 0, NULL, KEEP (kept));
  g_assert_null (ldb_database_read_page_finish (db, (result = ldb_test_wait (&kept)), &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "999999");
  g_clear_object (&result);
}

/* ---- reports ---- */

static char *
report_of (LdbDatabase *db, LdbReportFormat format, LdbReportFlags flags)
{
  g_autoptr (GError) error = NULL;
  char *report = ldb_database_generate_report (db, format, flags, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_utf8_validate (report, -1, NULL));
  return report;
}

static guint
count_words (const char *text, const char *words)
{
  guint count = 0;
  for (const char *at = text; (at = strstr (at, words)) != NULL; at++)
    count++;
  return count;
}

/* Whether each tag that is opened is closed, in the order of an XML document, but for those that
 * HTML leaves open. */
static void
assert_tags_match (const char *html)
{
  static const char *const open_ones[] = { "!DOCTYPE", "meta", "br", NULL };
  g_autoptr (GPtrArray) stack = g_ptr_array_new_with_free_func (g_free);
  for (const char *at = html; (at = strchr (at, '<')) != NULL; at++)
    {
      gboolean closes = at[1] == '/';
      const char *name = at + 1 + closes;
      g_autofree char *tag = g_strndup (name, strcspn (name, " >\n"));
      if (closes)
        {
          g_assert_cmpuint (stack->len, >, 0);
          g_assert_cmpstr (g_ptr_array_index (stack, stack->len - 1), ==, tag);
          g_ptr_array_remove_index (stack, stack->len - 1);
        }
      else if (!g_strv_contains (open_ones, tag))
        g_ptr_array_add (stack, g_steal_pointer (&tag));
    }
  g_assert_cmpuint (stack->len, ==, 0);
}

static void
test_report (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_filled (place);
  g_autoptr (LdbStore) hostile = ldb_database_open_store (db, "<script>alert(\"1\")</script>&'",
                                                          LDB_OPEN_CREATE, NULL, &error);
  g_assert_true (ldb_store_put (hostile, "<img src=x>", 11, "secret", 6, NULL, &error));
  put_numbers (db, hostile, 0, 50);
  g_assert_true (ldb_database_checkpoint (db, NULL, &error));

  g_autofree char *text = report_of (db, LDB_REPORT_TEXT, LDB_REPORT_NONE);
  g_autofree char *json = report_of (db, LDB_REPORT_JSON, LDB_REPORT_NONE);
  g_autofree char *html = report_of (db, LDB_REPORT_HTML, LDB_REPORT_NONE);
  const char *const silent[] = { text, json, html };
  for (guint i = 0; i < G_N_ELEMENTS (silent); i++)
    {
      g_assert_null (strstr (silent[i], "key-0")); /* no keys, no values */
      g_assert_null (strstr (silent[i], "large-1"));
      g_assert_null (strstr (silent[i], "secret"));
      g_assert_null (strstr (silent[i], "img src"));
      g_assert_nonnull (strstr (silent[i], ldb_database_get_id (db)));
      g_assert_nonnull (strstr (silent[i], "people"));
      g_assert_nonnull (strstr (silent[i], "cache-size"));
    }
  g_assert_null (strstr (html, "<script"));
  g_assert_null (strstr (html, "http://"));
  g_assert_null (strstr (html, "https://"));
  g_assert_null (strstr (html, "src="));
  g_assert_null (strstr (html, "url("));
  g_assert_nonnull (strstr (html, "default-src 'none'"));
  g_assert_nonnull (strstr (html, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;"));
  g_assert_cmpuint (count_words (html, "role=\"img\""), >=, 7);
  assert_tags_match (html);
  g_assert_nonnull (strstr (text, "Keys looked up"));
  g_assert_nonnull (strstr (json, "\"disk_bytes\":"));
  g_assert_nonnull (strstr (json, "\"value_sizes\":[{"));

  g_autofree char *told = report_of (db, LDB_REPORT_HTML, LDB_REPORT_KEYS);
  g_assert_nonnull (strstr (told, "large-1"));
  g_assert_null (strstr (told, "<img"));
  g_assert_null (strstr (told, "secret"));
  assert_tags_match (told);
  g_autofree char *named = report_of (db, LDB_REPORT_JSON, LDB_REPORT_KEYS);
  g_assert_nonnull (strstr (named, "\"key\":\"large-1\""));
  g_autofree char *lines = report_of (db, LDB_REPORT_TEXT, LDB_REPORT_KEYS);
  g_assert_nonnull (strstr (lines, "large-1"));

  g_assert_null (ldb_database_generate_report (db, (LdbReportFormat) 7, 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "7");
  g_assert_null (
      ldb_database_generate_report (db, LDB_REPORT_TEXT, (LdbReportFlags) 2, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "LdbReportFlags");
}

/* Names that others chose are a part of their line, and steer no terminal that shows the text. */
static void
test_report_names (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_free (place->path);
  place->path = g_build_filename (place->directory, "evil\nINJECTED\x1b[31m\xc2\x9b", NULL);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "large\nINJECTED\x1b[31m\xc2\x9b",
                                                        LDB_OPEN_CREATE, NULL, &error);
  g_assert_no_error (error);
  put_numbers (db, store, 0, 50);
  g_assert_true (ldb_database_checkpoint (db, NULL, &error));
  g_autofree char *text = report_of (db, LDB_REPORT_TEXT, LDB_REPORT_NONE);
  g_assert_cmpuint (count_words (text, "?INJECTED?[31m?"), >=, 3); /* path, store, sizes in it */
  g_assert_cmpuint (count_words (text, "INJECTED"), ==, count_words (text, "?INJECTED?[31m?"));
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    g_assert_true (*at == '\n' || !g_unichar_iscntrl (g_utf8_get_char (at)));
}

static void
test_report_ends (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  for (guint format = LDB_REPORT_TEXT; format <= LDB_REPORT_HTML; format++) /* of nothing */
    {
      g_autofree char *empty = report_of (db, (LdbReportFormat) format, LDB_REPORT_KEYS);
      if (format == LDB_REPORT_HTML)
        assert_tags_match (empty);
    }
  GAsyncResult *kept = NULL;
  ldb_database_generate_report_async (db, LDB_REPORT_HTML, LDB_REPORT_NONE, NULL, KEEP (kept));
  g_autoptr (GAsyncResult) result = ldb_test_wait (&kept);
  g_autofree char *html = ldb_database_generate_report_finish (db, result, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (html, "</html>"));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_null (
      ldb_database_generate_report (db, LDB_REPORT_TEXT, LDB_REPORT_NONE, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_null (ldb_database_generate_report (db, LDB_REPORT_TEXT, LDB_REPORT_NONE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/storage/map", test_map);
  add_test ("/storage/json", test_json);
  add_test ("/storage/pages", test_pages);
  add_test ("/storage/locate", test_locate);
  add_test ("/storage/sizes", test_sizes);
  add_test ("/storage/empty", test_empty);
  add_test ("/storage/closed", test_closed);
  add_test ("/storage/cancelled", test_cancelled);
  add_test ("/storage/dropped", test_dropped);
  add_test ("/storage/damaged", test_damaged);
  add_test ("/storage/async", test_async);
  add_test ("/storage/report", test_report);
  add_test ("/storage/report-names", test_report_names);
  add_test ("/storage/report-ends", test_report_ends);
  return g_test_run ();
}
