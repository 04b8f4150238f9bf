/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-entry.h"
#include "ldb-types.h"

G_BEGIN_DECLS

/**
 * LDB_LIST_MAX_ITEMS:
 *
 * A list shows so many rows at most, 2^31 - 1: the first ones in its order.
 *
 * Since: 0.1
 */
#define LDB_LIST_MAX_ITEMS 2147483647

/**
 * LdbRowFunc:
 * @entry: the record that is to be a row
 * @user_data: the caller's data
 *
 * Makes the row of a list for a record: a new object, or @entry itself. It is called when the row
 * is first asked for, in the thread of the list.
 *
 * Unless the list was made with %LDB_LIST_BLOCKING the entry may not be loaded yet: its key and
 * value are %NULL then, and it notifies when they are there. The same entry notifies of later
 * changes. A row that wants to follow them keeps a reference to the entry; the list does not.
 *
 * Returns: (transfer full): the row, of the item type of the list
 *
 * Since: 0.1
 */
typedef GObject *(*LdbRowFunc) (LdbEntry *entry, gpointer user_data);

#define LDB_TYPE_LIST_MODEL (ldb_list_model_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbListModel, ldb_list_model, LDB, LIST_MODEL, GObject)

LDB_AVAILABLE_IN_ALL
LdbListModel *ldb_list_model_new (LdbDatabase *database, LdbStore *store, gconstpointer start,
                                  gsize start_length, gconstpointer end, gsize end_length,
                                  LdbListFlags flags, GType row_type, GError **error);
LDB_AVAILABLE_IN_ALL
LdbListModel *ldb_list_model_new_prefix (LdbDatabase *database, LdbStore *store,
                                         gconstpointer prefix, gsize prefix_length,
                                         LdbListFlags flags, GType row_type, GError **error);
LDB_AVAILABLE_IN_ALL
LdbListModel *ldb_list_model_new_mapped (LdbDatabase *database, LdbStore *store,
                                         gconstpointer start, gsize start_length, gconstpointer end,
                                         gsize end_length, LdbListFlags flags, GType item_type,
                                         LdbRowFunc func, gpointer user_data,
                                         GDestroyNotify destroy, GError **error);
LDB_AVAILABLE_IN_ALL
LdbListModel *ldb_list_model_new_prefix_mapped (LdbDatabase *database, LdbStore *store,
                                                gconstpointer prefix, gsize prefix_length,
                                                LdbListFlags flags, GType item_type,
                                                LdbRowFunc func, gpointer user_data,
                                                GDestroyNotify destroy, GError **error);

LDB_AVAILABLE_IN_ALL
LdbDatabase *ldb_list_model_get_database (LdbListModel *self);
LDB_AVAILABLE_IN_ALL
LdbStore *ldb_list_model_get_store (LdbListModel *self);
LDB_AVAILABLE_IN_ALL
LdbListFlags ldb_list_model_get_flags (LdbListModel *self);
LDB_AVAILABLE_IN_ALL
guint ldb_list_model_get_max_items (LdbListModel *self);
LDB_AVAILABLE_IN_ALL
void ldb_list_model_set_max_items (LdbListModel *self, guint max_items);
LDB_AVAILABLE_IN_ALL
guint ldb_list_model_get_batch_interval (LdbListModel *self);
LDB_AVAILABLE_IN_ALL
void ldb_list_model_set_batch_interval (LdbListModel *self, guint milliseconds);
LDB_AVAILABLE_IN_ALL
gboolean ldb_list_model_get_pending (LdbListModel *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_list_model_get_sequence (LdbListModel *self);
LDB_AVAILABLE_IN_ALL
const GError *ldb_list_model_get_error (LdbListModel *self);

LDB_AVAILABLE_IN_ALL
LdbSnapshot *ldb_list_model_create_snapshot (LdbListModel *self, GError **error);

/* The position of a key; -1: it is not shown, or with an error. */
LDB_AVAILABLE_IN_ALL
gint ldb_list_model_find (LdbListModel *self, gconstpointer key, gsize key_length, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_list_model_find_async (LdbListModel *self, gconstpointer key, gsize key_length,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
LDB_AVAILABLE_IN_ALL
gint ldb_list_model_find_finish (LdbListModel *self, GAsyncResult *result, GError **error);

LDB_AVAILABLE_IN_ALL
gboolean ldb_list_model_is_closed (LdbListModel *self);
LDB_AVAILABLE_IN_ALL
void ldb_list_model_close (LdbListModel *self);

G_END_DECLS
