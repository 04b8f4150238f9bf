/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_TRANSACTION_KEY (ldb_transaction_key_get_type ())
typedef struct _LdbTransactionKey LdbTransactionKey;

/**
 * LdbTransactionKey:
 * @access: what the transaction has to do with it
 * @store: (nullable): the name of its store; %NULL when that is not there (any more)
 * @key: the beginning of the key, 64 bytes at most; of a range, of its start
 * @key_length: how long the key is, in bytes
 * @end: (nullable): the beginning of the end of a range, which is not in it; %NULL for the end of
 *   the store, and where there is no range
 * @end_length: how long that end is, in bytes
 * @value_length: how long the value is that was put, in bytes
 *
 * A key or range that an open transaction wrote, or that nobody else may change until it commits.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbTransactionKey
{
  LdbKeyAccess access;
  char *store;
  GBytes *key;
  gsize key_length;
  GBytes *end;
  gsize end_length;
  gsize value_length;
};

LDB_AVAILABLE_IN_ALL
GType ldb_transaction_key_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbTransactionKey *ldb_transaction_key_copy (const LdbTransactionKey *self);
LDB_AVAILABLE_IN_ALL
void ldb_transaction_key_free (LdbTransactionKey *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_transaction_keys (LdbDatabase *self, guint64 id, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbTransactionKey, ldb_transaction_key_free)

G_END_DECLS
