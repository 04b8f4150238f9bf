/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_BATCH (ldb_batch_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbBatch, ldb_batch, LDB, BATCH, GObject)

LDB_AVAILABLE_IN_ALL
LdbBatch *ldb_batch_new (void);
LDB_AVAILABLE_IN_ALL
gboolean ldb_batch_put (LdbBatch *self, LdbStore *store, gconstpointer key, gsize key_length,
                        gconstpointer value, gsize value_length, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_batch_put_bytes (LdbBatch *self, LdbStore *store, GBytes *key, GBytes *value,
                              GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_batch_put_string (LdbBatch *self, LdbStore *store, const char *key, const char *value,
                               GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_batch_put_variant (LdbBatch *self, LdbStore *store, gconstpointer key,
                                gsize key_length, GVariant *value, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_batch_delete (LdbBatch *self, LdbStore *store, gconstpointer key, gsize key_length,
                           GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_batch_delete_string (LdbBatch *self, LdbStore *store, const char *key, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_batch_delete_range (LdbBatch *self, LdbStore *store, gconstpointer start,
                                 gsize start_length, gconstpointer end, gsize end_length,
                                 GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_batch_clear (LdbBatch *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_batch_get_count (LdbBatch *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_batch_get_size (LdbBatch *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_batch_get_sequence (LdbBatch *self);

G_END_DECLS
