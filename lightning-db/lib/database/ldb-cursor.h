/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_CURSOR (ldb_cursor_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbCursor, ldb_cursor, LDB, CURSOR, GObject)

/* Moves: TRUE on a record; FALSE without error when there is none that way. A new cursor stands
 * before the first record, so that `while (ldb_cursor_next (…))` visits them all. */
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_next (LdbCursor *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_fetch (LdbCursor *self, guint8 **key, gsize *key_length, guint8 **value,
                           gsize *value_length, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_next_async (LdbCursor *self, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_next_finish (LdbCursor *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_previous (LdbCursor *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_previous_async (LdbCursor *self, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_previous_finish (LdbCursor *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_first (LdbCursor *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_first_async (LdbCursor *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_first_finish (LdbCursor *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_last (LdbCursor *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_last_async (LdbCursor *self, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_last_finish (LdbCursor *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_seek (LdbCursor *self, gconstpointer key, gsize key_length,
                          GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_seek_async (LdbCursor *self, gconstpointer key, gsize key_length,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_seek_finish (LdbCursor *self, GAsyncResult *result, GError **error);

/* Many records at once: the next `count` at most, from where next() would go. */
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_cursor_read (LdbCursor *self, guint count, GCancellable *cancellable,
                            GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_read_async (LdbCursor *self, guint count, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_cursor_read_finish (LdbCursor *self, GAsyncResult *result, GError **error);

LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_is_valid (LdbCursor *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_cursor_get_key (LdbCursor *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_cursor_get_value (LdbCursor *self, GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_get_value_async (LdbCursor *self, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_cursor_get_value_finish (LdbCursor *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
guint64 ldb_cursor_get_sequence (LdbCursor *self);
LDB_AVAILABLE_IN_ALL
LdbScanFlags ldb_cursor_get_flags (LdbCursor *self);
LDB_AVAILABLE_IN_ALL
guint64 ldb_cursor_get_limit (LdbCursor *self);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_set_limit (LdbCursor *self, guint64 limit);
LDB_AVAILABLE_IN_ALL
void ldb_cursor_close (LdbCursor *self);

/* C only: borrowed until the next move or close; nothing is allocated. */
LDB_AVAILABLE_IN_ALL
const guint8 *ldb_cursor_peek_key (LdbCursor *self, gsize *length);
LDB_AVAILABLE_IN_ALL
const guint8 *ldb_cursor_peek_value (LdbCursor *self, gsize *length, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_cursor_peek_next (LdbCursor *self, const guint8 **key, gsize *key_length,
                               const guint8 **value, gsize *value_length, GError **error);

G_END_DECLS
