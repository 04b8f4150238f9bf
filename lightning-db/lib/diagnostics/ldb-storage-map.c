/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "engine-storage.h"
#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-report-private.h"
#include "ldb-storage-map-private.h"

/**
 * LdbStorageMap:
 *
 * What the storage of a database is made of, at one moment: loaded by
 * [method@Ldb.Database.load_storage_map].
 *
 * There are two trees over the same files. [property@Ldb.StorageMap:root] goes by place: memtables, levels, their runs,
 * their segments, files of large values, the log, other files. [property@Ldb.StorageMap:stores] goes by contents: each store, and
 * what it has of each segment.
 *
 * ```c
 * g_autoptr (LdbStorageMap) map = ldb_database_load_storage_map (db, NULL, &error);
 * if (map == NULL)
 *   return;
 * GListModel *stores = ldb_storage_map_get_stores (map);
 * for (guint i = 0; i < g_list_model_get_n_items (stores); i++)
 *   {
 *     g_autoptr (LdbStorageNode) store = g_list_model_get_item (stores, i);
 *     g_print ("%s: %" G_GUINT64_FORMAT " bytes\n", ldb_storage_node_get_name (store),
 *              ldb_storage_node_get_figures (store)->bytes);
 *   }
 * ```
 *
 * A map is a copy: it holds no file open, keeps no merge from removing files, and never changes. A
 * segment that it names may be merged away at any time; calls that are given its number say so then.
 *
 * Threads: any.
 *
 * Since: 0.1
 */

G_DEFINE_FINAL_TYPE (LdbStorageMap, ldb_storage_map, G_TYPE_OBJECT)

enum
{
  PROP_ROOT = 1,
  PROP_STORES,
  PROP_SEQUENCE,
  PROP_TIME,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static void
ldb_storage_map_finalize (GObject *object)
{
  LdbStorageMap *self = LDB_STORAGE_MAP (object);
  g_clear_pointer (&self->segments, g_hash_table_unref);
  g_clear_object (&self->stores);
  g_clear_object (&self->root);
  g_clear_pointer (&self->faults, g_ptr_array_unref);
  G_OBJECT_CLASS (ldb_storage_map_parent_class)->finalize (object);
}

static void
ldb_storage_map_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbStorageMap *self = LDB_STORAGE_MAP (object);
  switch (id)
    {
    case PROP_ROOT:
      g_value_set_object (value, self->root);
      break;
    case PROP_STORES:
      g_value_set_object (value, self->stores);
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, self->sequence);
      break;
    case PROP_TIME:
      g_value_set_int64 (value, self->time);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_storage_map_class_init (LdbStorageMapClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->finalize = ldb_storage_map_finalize;
  object_class->get_property = ldb_storage_map_get_property;

  /**
   * LdbStorageMap:root: (getter get_root)
   *
   * All of it, by place.
   *
   * Since: 0.1
   */
  properties[PROP_ROOT] = g_param_spec_object ("root", NULL, NULL, LDB_TYPE_STORAGE_NODE, flags);
  /**
   * LdbStorageMap:stores: (getter get_stores)
   *
   * The stores, by contents.
   *
   * Since: 0.1
   */
  properties[PROP_STORES] = g_param_spec_object ("stores", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  /**
   * LdbStorageMap:sequence: (getter get_sequence)
   *
   * The newest commit when it was taken.
   *
   * Since: 0.1
   */
  properties[PROP_SEQUENCE]
      = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbStorageMap:time: (getter get_time)
   *
   * When it was taken, in microseconds since 1970.
   *
   * Since: 0.1
   */
  properties[PROP_TIME] = g_param_spec_int64 ("time", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_storage_map_init (LdbStorageMap *self)
{
  self->stores = g_list_store_new (LDB_TYPE_STORAGE_NODE);
  self->segments = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->faults = ldb_faults_new ();
}

/* ---- collecting ---- */

/* A map in the making. Nodes are borrowed from where they will be: a tree, or one of the lists. */
typedef struct
{
  LdbStorageMap *map;
  GCancellable *cancellable;                    /* borrowed */
  GPtrArray *levels;                            /* of LdbStorageNode; owned */
  LdbStorageNode *run;                          /* the present one; borrowed */
  LdbStorageNode *segment;                      /* likewise */
  LdbStorageNode *memory, *blobs, *log, *files; /* groups; owned until the end */
  GHashTable *stores;                           /* id → LdbStorageNode; owned */
  GPtrArray *store_order;                       /* the same, as they came; borrowed */
} Collection;

static GBytes *
bytes_of (struct bytes key)
{
  return g_bytes_new (key.data, key.size);
}

static LdbStorageNode *
store_of (Collection *collection, guint32 id)
{
  LdbStorageNode *store = g_hash_table_lookup (collection->stores, GUINT_TO_POINTER (id));
  if (store != NULL)
    return store;
  store = ldb_storage_node_new (LDB_STORAGE_STORE, id == ENGINE_STORE_OTHERS ? "…" : NULL, id);
  if (id != ENGINE_STORE_OTHERS)
    store->state = LDB_STORAGE_STATE_DROPPED; /* the catalogue names the others first */
  g_hash_table_insert (collection->stores, GUINT_TO_POINTER (id), store);
  g_ptr_array_add (collection->store_order, store);
  return store;
}

static void
collect_store (Collection *collection, const struct engine_storage_store *part)
{
  LdbStorageNode *store = store_of (collection, part->store);
  store->state
      = part->store == ENGINE_STORE_SYSTEM ? LDB_STORAGE_STATE_SYSTEM : LDB_STORAGE_STATE_NONE;
  g_free (store->name);
  store->name
      = g_utf8_make_valid (part->store == ENGINE_STORE_SYSTEM ? "catalogue" : part->name, -1);
}

static void
collect_memtable (Collection *collection, const struct engine_storage_memtable *part)
{
  LdbStorageNode *node = ldb_storage_node_new (LDB_STORAGE_MEMTABLE,
                                               part->index == 0 ? "active" : "frozen", part->index);
  node->figures.memory_bytes = part->memory;
  node->figures.records = part->records;
  node->figures.deletes = part->deletes;
  node->figures.range_deletes = part->range_deletes;
  node->figures.key_bytes = part->data_bytes; /* keys and values together */
  node->figures.oldest_sequence = part->oldest_sequence;
  node->figures.newest_sequence = part->newest_sequence;
  ldb_storage_node_add (collection->memory, node);
}

static LdbStorageNode *
level_of (Collection *collection, unsigned level)
{
  guint i = 0;
  for (; i < collection->levels->len; i++)
    {
      LdbStorageNode *node = g_ptr_array_index (collection->levels, i);
      if (node->number == level)
        return node;
      if (node->number > level)
        break;
    }
  LdbStorageNode *node = ldb_storage_node_new (LDB_STORAGE_LEVEL, NULL, level);
  node->level = (int) level;
  g_ptr_array_insert (collection->levels, (int) i, node);
  return node;
}

static void
collect_run (Collection *collection, const struct engine_storage_run *part)
{
  LdbStorageNode *run = ldb_storage_node_new (LDB_STORAGE_RUN, NULL, part->id);
  run->level = (int) part->level;
  run->state = part->merging ? LDB_STORAGE_STATE_MERGING : LDB_STORAGE_STATE_NONE;
  ldb_storage_node_add (level_of (collection, part->level), run);
  collection->run = run;
}

static void
collect_segment (Collection *collection, const struct engine_storage_segment *part)
{
  LdbStorageNode *node = ldb_storage_node_new (LDB_STORAGE_SEGMENT, part->file, part->number);
  node->level = (int) part->level;
  node->filter = (LdbFilterKind) part->filter;
  node->state = (part->narrowed ? LDB_STORAGE_STATE_NARROWED : 0)
                | (part->filter_loaded ? LDB_STORAGE_STATE_FILTER_LOADED : 0);
  node->smallest = bytes_of (part->smallest);
  node->largest = bytes_of (part->largest);
  node->figures = (LdbStorageFigures){
    .bytes = part->file_size,
    .segments = 1,
    .records = part->records,
    .deletes = part->deletes,
    .range_deletes = part->range_deletes,
    .key_bytes = part->key_bytes,
    .value_bytes = part->value_bytes,
    .blob_values = part->blob_values,
    .blob_bytes = part->blob_bytes,
    .leaves = part->leaves,
    .inner_pages = part->inner_pages,
    .depth = part->depth,
    .stored_bytes = part->stored_bytes,
    .logical_bytes = part->logical_bytes,
    .used_bytes = part->used_bytes,
    .raw_pages = part->pages_by_codec[ENGINE_CODEC_NONE],
    .zstd_pages = part->pages_by_codec[ENGINE_CODEC_ZSTD],
    .lz4_pages = part->pages_by_codec[ENGINE_CODEC_LZ4],
    .snappy_pages = part->pages_by_codec[ENGINE_CODEC_SNAPPY],
    .filter_bytes = part->filter_bytes,
    .index_bytes = part->index_bytes,
    .cached_pages = part->cached_pages,
    .oldest_sequence = part->oldest_sequence,
    .newest_sequence = part->newest_sequence,
    .created = part->created,
  };
  ldb_storage_node_add (collection->run, node);
  g_hash_table_insert (collection->map->segments, &node->number, node);
  collection->segment = node;
}

static void
collect_extent (Collection *collection, const struct engine_storage_extent *part)
{
  LdbStorageNode *segment = collection->segment;
  LdbStorageNode *node = ldb_storage_node_new (LDB_STORAGE_EXTENT, segment->name, part->segment);
  node->level = segment->level;
  node->state = part->exact ? LDB_STORAGE_STATE_NONE : LDB_STORAGE_STATE_APPROXIMATE;
  node->figures = (LdbStorageFigures){
    .bytes = part->bytes,
    .segments = 1,
    .records = part->records,
    .deletes = part->deletes,
    .key_bytes = part->key_bytes,
    .value_bytes = part->value_bytes,
    .blob_bytes = part->blob_bytes,
    .leaves = part->leaves,
    .stored_bytes = part->bytes,
    .oldest_sequence = segment->figures.oldest_sequence,
    .newest_sequence = segment->figures.newest_sequence,
    .created = segment->figures.created,
  };
  ldb_storage_node_add (store_of (collection, part->store), node);
}

static void
collect_blob (Collection *collection, const struct engine_storage_blob *part)
{
  LdbStorageNode *node = ldb_storage_node_new (LDB_STORAGE_BLOB, part->file, part->number);
  node->state = part->unsettled ? LDB_STORAGE_STATE_UNSETTLED : LDB_STORAGE_STATE_NONE;
  node->figures.bytes = part->file_size;
  node->figures.blob_values = part->live_values;
  node->figures.blob_bytes = part->live_bytes;
  ldb_storage_node_add (collection->blobs, node);
}

static void
collect_file (Collection *collection, const struct engine_storage_file *part)
{
  gboolean log = part->kind == ENGINE_FILE_LOG || part->kind == ENGINE_FILE_HISTORY;
  LdbStorageNode *node = ldb_storage_node_new (LDB_STORAGE_FILE, part->file, part->kind);
  node->figures.bytes = part->size;
  ldb_storage_node_add (log ? collection->log : collection->files, node);
}

static bool
collect (void *data, const struct engine_storage_part *part)
{
  Collection *collection = data;
  switch (part->kind)
    {
    case ENGINE_STORAGE_STORE:
      collect_store (collection, &part->store);
      break;
    case ENGINE_STORAGE_MEMTABLE:
      collect_memtable (collection, &part->memtable);
      break;
    case ENGINE_STORAGE_RUN:
      collect_run (collection, &part->run);
      break;
    case ENGINE_STORAGE_SEGMENT:
      collect_segment (collection, &part->segment);
      break;
    case ENGINE_STORAGE_EXTENT:
      collect_extent (collection, &part->extent);
      break;
    case ENGINE_STORAGE_BLOB:
      collect_blob (collection, &part->blob);
      break;
    case ENGINE_STORAGE_FILE:
      collect_file (collection, &part->file);
      break;
    case ENGINE_STORAGE_FAULT:
      ldb_faults_add (collection->map->faults, part->fault.file, part->fault.page,
                      part->fault.reason);
      break;
    }
  return !g_cancellable_is_cancelled (collection->cancellable);
}

/* What two nodes amount to. Large values of a blob file are those that segments refer to: counted
 * once. */
static void
assemble (Collection *collection, const char *path)
{
  LdbStorageMap *map = collection->map;
  g_autofree char *name = g_path_get_basename (path);
  map->root = ldb_storage_node_new (LDB_STORAGE_DATABASE, name, 0);
  ldb_storage_node_add (map->root, g_steal_pointer (&collection->memory));
  for (guint i = 0; i < collection->levels->len; i++)
    ldb_storage_node_add (map->root, g_object_ref (g_ptr_array_index (collection->levels, i)));
  LdbStorageNode *blobs = collection->blobs;
  ldb_storage_node_add (map->root, g_steal_pointer (&collection->blobs));
  ldb_storage_node_add (map->root, g_steal_pointer (&collection->log));
  ldb_storage_node_add (map->root, g_steal_pointer (&collection->files));
  ldb_storage_node_sum_up (map->root);
  map->root->figures.blob_values -= blobs->figures.blob_values;
  map->root->figures.blob_bytes -= blobs->figures.blob_bytes;
  for (guint i = 0; i < collection->store_order->len; i++)
    {
      LdbStorageNode *store = g_ptr_array_index (collection->store_order, i);
      ldb_storage_node_sum_up (store);
      g_list_store_append (map->stores, store);
    }
}

static void
collection_clear (Collection *collection)
{
  g_clear_pointer (&collection->levels, g_ptr_array_unref);
  g_clear_pointer (&collection->stores, g_hash_table_unref);
  g_clear_pointer (&collection->store_order, g_ptr_array_unref);
  g_clear_object (&collection->memory);
  g_clear_object (&collection->blobs);
  g_clear_object (&collection->log);
  g_clear_object (&collection->files);
}

LdbStorageMap *
ldb_storage_map_load (LdbDatabase *database, GCancellable *cancellable, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (database, error);
  if (engine == NULL)
    return NULL;
  g_autoptr (LdbStorageMap) map = g_object_new (LDB_TYPE_STORAGE_MAP, NULL);
  Collection collection = {
    .map = map,
    .cancellable = cancellable,
    .levels = g_ptr_array_new_with_free_func (g_object_unref),
    .stores = g_hash_table_new_full (NULL, NULL, NULL, g_object_unref),
    .store_order = g_ptr_array_new (),
    .memory = ldb_storage_node_new (LDB_STORAGE_GROUP, "memtables", 0),
    .blobs = ldb_storage_node_new (LDB_STORAGE_GROUP, "large values", 0),
    .log = ldb_storage_node_new (LDB_STORAGE_GROUP, "log", 0),
    .files = ldb_storage_node_new (LDB_STORAGE_GROUP, "other files", 0),
  };
  map->time = g_get_real_time ();
  map->sequence = engine_sequence (engine);
  status code = engine_storage_visit (engine, collect, &collection, &failure);
  if (code == STATUS_OK)
    assemble (&collection, database->path);
  collection_clear (&collection);
  return ldb_error_check (error, code, &failure) ? g_steal_pointer (&map) : NULL;
}

/* ---- looking ---- */

/**
 * ldb_storage_map_get_root: (get-property root)
 * @self: a map
 *
 * Gets all of it, by place: the parts of the root are the memtables, the levels, the large values,
 * the log and other files.
 *
 * Any thread.
 *
 * Returns: (transfer none): the node of the database
 *
 * Since: 0.1
 */
LdbStorageNode *
ldb_storage_map_get_root (LdbStorageMap *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_MAP (self), NULL);
  return self->root;
}

/**
 * ldb_storage_map_get_stores: (get-property stores)
 * @self: a map
 *
 * Gets the stores, each a [class@Ldb.StorageNode] whose parts are what it has of each segment.
 *
 * The catalogue of stores is among them, and stores that were dropped and not merged away yet: see
 * [property@Ldb.StorageNode:state]. Memtables are not counted.
 *
 * Any thread.
 *
 * Returns: (transfer none): a list of [class@Ldb.StorageNode]
 *
 * Since: 0.1
 */
GListModel *
ldb_storage_map_get_stores (LdbStorageMap *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_MAP (self), NULL);
  return G_LIST_MODEL (self->stores);
}

/**
 * ldb_storage_map_get_faults:
 * @self: a map
 *
 * Gets what could not be looked at because it does not verify, or can't be read; the rest of the map
 * is right all the same. This is no check: see [method@Ldb.Database.check].
 *
 * Any thread.
 *
 * Returns: (transfer none) (element-type LdbFault): the faults
 *
 * Since: 0.1
 */
GPtrArray *
ldb_storage_map_get_faults (LdbStorageMap *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_MAP (self), NULL);
  return self->faults;
}

/**
 * ldb_storage_map_get_sequence: (get-property sequence)
 * @self: a map
 *
 * Gets the newest commit when it was taken.
 *
 * Any thread.
 *
 * Returns: the sequence number
 *
 * Since: 0.1
 */
guint64
ldb_storage_map_get_sequence (LdbStorageMap *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_MAP (self), 0);
  return self->sequence;
}

/**
 * ldb_storage_map_get_time: (get-property time)
 * @self: a map
 *
 * Gets when it was taken.
 *
 * Any thread.
 *
 * Returns: microseconds since 1970
 *
 * Since: 0.1
 */
gint64
ldb_storage_map_get_time (LdbStorageMap *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_MAP (self), 0);
  return self->time;
}

/**
 * ldb_storage_map_find_segment:
 * @self: a map
 * @number: the number of a segment
 *
 * Gets the node of a segment, which an extent or a [struct@Ldb.KeyLocation] names.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the node, or %NULL when there was none
 *
 * Since: 0.1
 */
LdbStorageNode *
ldb_storage_map_find_segment (LdbStorageMap *self, guint64 number)
{
  g_return_val_if_fail (LDB_IS_STORAGE_MAP (self), NULL);
  return g_hash_table_lookup (self->segments, &number);
}

void
ldb_storage_map_write_json (LdbStorageMap *self, LdbJson *json)
{
  ldb_json_number (json, "sequence", self->sequence);
  ldb_json_number (json, "time", (guint64) self->time);
  ldb_storage_node_write_json (self->root, json, "database");
  ldb_json_begin (json, "stores", '[');
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->stores)); i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (G_LIST_MODEL (self->stores), i);
      ldb_storage_node_write_json (store, json, NULL);
    }
  ldb_json_end (json, ']');
  ldb_json_begin (json, "faults", '[');
  for (guint i = 0; i < self->faults->len; i++)
    {
      const LdbFault *fault = g_ptr_array_index (self->faults, i);
      ldb_json_begin (json, NULL, '{');
      ldb_json_text (json, "file", fault->file);
      if (fault->page != LDB_FAULT_NO_PAGE)
        ldb_json_number (json, "page", (guint64) fault->page);
      ldb_json_text (json, "reason", fault->reason);
      ldb_json_end (json, '}');
    }
  ldb_json_end (json, ']');
}

/**
 * ldb_storage_map_to_json:
 * @self: a map
 *
 * Writes the map as one JSON object, on one line: `sequence`, `time`, `database`, `stores`,
 * `faults`. A node has `kind`, its figures as far as they are not 0, and `parts`. A key is text
 * where it is UTF-8, else hexadecimal under a name that ends in `_hex`.
 *
 * Any thread.
 *
 * Returns: (transfer full): the text
 *
 * Since: 0.1
 */
char *
ldb_storage_map_to_json (LdbStorageMap *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_MAP (self), NULL);
  LdbJson json;
  ldb_json_init (&json);
  ldb_json_begin (&json, NULL, '{');
  ldb_storage_map_write_json (self, &json);
  ldb_json_end (&json, '}');
  return ldb_json_end_text (&json);
}

/* ---- loading ---- */

static gboolean
run_load (LdbCall *call, GError **error)
{
  call->result = ldb_storage_map_load (call->place.database, call->progress.cancellable, error);
  return call->result != NULL;
}

static LdbCall *
new_load (LdbDatabase *self)
{
  LdbCall *call = ldb_call_new (run_load, &self->place);
  call->result_free = g_object_unref;
  return call;
}

/**
 * ldb_database_load_storage_map:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Makes a map of what the storage is made of now. It looks past the cache, so that nothing in it
 * changes; what does not verify is in [method@Ldb.StorageMap.get_faults].
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_IO or %LDB_ERROR_NO_MEMORY. Blocks for the disk; any
 * thread.
 *
 * Returns: (transfer full): the map
 *
 * Since: 0.1
 */
LdbStorageMap *
ldb_database_load_storage_map (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_call_now_pointer (new_load (self), cancellable, error);
}

/**
 * ldb_database_load_storage_map_async:
 * @self: a database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.load_storage_map], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_load_storage_map_async (LdbDatabase *self, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_call_start (
      new_load (self),
      LDB_REPLY (self, ldb_database_load_storage_map_async, cancellable, callback, user_data),
      LDB_WORK_LONG);
}

/**
 * ldb_database_load_storage_map_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.load_storage_map_async].
 *
 * Returns: (transfer full): the map
 *
 * Since: 0.1
 */
LdbStorageMap *
ldb_database_load_storage_map_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_load_storage_map_async, error);
}
