/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_ACTIVE_TRANSACTION (ldb_active_transaction_get_type ())
typedef struct _LdbActiveTransaction LdbActiveTransaction;

/**
 * LdbActiveTransaction:
 * @id: its number, [method@Ldb.Transaction.get_id]
 * @snapshot: the number of the commit that it reads at
 * @age: nanoseconds since it began
 * @left: nanoseconds until its timeout rolls it back; %G_MAXUINT64 when it has none
 * @operations: what it wrote so far: records put, keys and ranges deleted
 * @bytes: keys and values of these
 * @reads: keys and ranges that nobody else may change until it commits: those that it locked, and
 *   all that it read when it is @serializable
 * @serializable: whether it was begun so
 *
 * A read-write transaction that is open.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbActiveTransaction
{
  guint64 id;
  guint64 snapshot;
  guint64 age;
  guint64 left;
  guint64 operations;
  guint64 bytes;
  guint64 reads;
  gboolean serializable;
};

LDB_AVAILABLE_IN_ALL
GType ldb_active_transaction_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbActiveTransaction *ldb_active_transaction_copy (const LdbActiveTransaction *self);
LDB_AVAILABLE_IN_ALL
void ldb_active_transaction_free (LdbActiveTransaction *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_transactions (LdbDatabase *self, GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_abort_transaction (LdbDatabase *self, guint64 id, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbActiveTransaction, ldb_active_transaction_free)

G_END_DECLS
