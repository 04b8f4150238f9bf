/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-enums.h"
#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_STORAGE_FIGURES (ldb_storage_figures_get_type ())
typedef struct _LdbStorageFigures LdbStorageFigures;

/**
 * LdbStorageFigures:
 * @bytes: on the disk
 * @memory_bytes: in memory: of memtables
 * @segments: B+Tree files
 * @records: versions of keys, deletes included
 * @deletes: deletes among them
 * @range_deletes: deleted ranges
 * @key_bytes: of keys, uncompressed
 * @value_bytes: of values, uncompressed, without large ones
 * @blob_values: large values that records refer to
 * @blob_bytes: their size; in a file of large values, what of it is alive
 * @leaves: leaf pages
 * @inner_pages: other pages of the B+Trees
 * @depth: levels of the highest B+Tree, leaves included
 * @stored_bytes: of pages in the file
 * @logical_bytes: of pages, decoded, as whole units
 * @used_bytes: of these, without padding
 * @raw_pages: pages that are not compressed
 * @zstd_pages: pages compressed with zstd
 * @lz4_pages: pages compressed with LZ4
 * @snappy_pages: pages compressed with Snappy
 * @filter_bytes: of filters, in the file
 * @index_bytes: of indexes over the leaves, in memory
 * @cached_pages: pages in the cache
 * @oldest_sequence: the oldest commit; 0 where it is not known any more, since it settled long ago
 * @newest_sequence: the newest commit
 * @created: microseconds since 1970; of several things the oldest
 *
 * What a [class@Ldb.StorageNode] amounts to: of what has children, what they amount to together. A
 * figure that has no meaning there is 0.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbStorageFigures
{
  guint64 bytes;
  guint64 memory_bytes;
  guint64 segments;
  guint64 records;
  guint64 deletes;
  guint64 range_deletes;
  guint64 key_bytes;
  guint64 value_bytes;
  guint64 blob_values;
  guint64 blob_bytes;
  guint64 leaves;
  guint64 inner_pages;
  guint64 depth;
  guint64 stored_bytes;
  guint64 logical_bytes;
  guint64 used_bytes;
  guint64 raw_pages;
  guint64 zstd_pages;
  guint64 lz4_pages;
  guint64 snappy_pages;
  guint64 filter_bytes;
  guint64 index_bytes;
  guint64 cached_pages;
  guint64 oldest_sequence;
  guint64 newest_sequence;
  guint64 created;
};

LDB_AVAILABLE_IN_ALL
GType ldb_storage_figures_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbStorageFigures *ldb_storage_figures_copy (const LdbStorageFigures *self);
LDB_AVAILABLE_IN_ALL
void ldb_storage_figures_free (LdbStorageFigures *self);

#define LDB_TYPE_STORAGE_NODE (ldb_storage_node_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbStorageNode, ldb_storage_node, LDB, STORAGE_NODE, GObject)

LDB_AVAILABLE_IN_ALL
LdbStorageKind ldb_storage_node_get_kind (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_storage_node_get_name (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_storage_node_get_number (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
int ldb_storage_node_get_level (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
LdbStorageState ldb_storage_node_get_state (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
LdbFilterKind ldb_storage_node_get_filter (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
const LdbStorageFigures *ldb_storage_node_get_figures (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
double ldb_storage_node_get_fill (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_storage_node_get_smallest (LdbStorageNode *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_storage_node_get_largest (LdbStorageNode *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbStorageFigures, ldb_storage_figures_free)

G_END_DECLS
