/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_HOT_KEY (ldb_hot_key_get_type ())
typedef struct _LdbHotKey LdbHotKey;

/**
 * LdbHotKey:
 * @store: (nullable): the name of its store; %NULL when that has been dropped
 * @key: the beginning of the key, 64 bytes at most; of a range that a conflict was about, of its
 *   start, where it is not known which key it was
 * @key_length: how long the key is, in bytes
 * @count: how often it was noted, at most
 * @uncertainty: by how much @count may be too high
 * @last: when it was in conflict last, in microseconds since 1970; else 0
 *
 * A key that something happens to more than to others.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbHotKey
{
  char *store;
  GBytes *key;
  gsize key_length;
  guint64 count;
  guint64 uncertainty;
  gint64 last;
};

LDB_AVAILABLE_IN_ALL
GType ldb_hot_key_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbHotKey *ldb_hot_key_copy (const LdbHotKey *self);
LDB_AVAILABLE_IN_ALL
void ldb_hot_key_free (LdbHotKey *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_hot_keys (LdbDatabase *self, LdbHotKeyKind kind, guint64 *total,
                                       GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbHotKey, ldb_hot_key_free)

G_END_DECLS
