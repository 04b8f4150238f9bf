/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include <gio/gio.h>

#include "ldb-enums.h"
#include "ldb-version.h"

G_BEGIN_DECLS

typedef struct _LdbBatch LdbBatch;
typedef struct _LdbChange LdbChange;
typedef struct _LdbChangeSet LdbChangeSet;
typedef struct _LdbCursor LdbCursor;
typedef struct _LdbDatabase LdbDatabase;
typedef struct _LdbEntry LdbEntry;
typedef struct _LdbEvent LdbEvent;
typedef struct _LdbFeed LdbFeed;
typedef struct _LdbHealth LdbHealth;
typedef struct _LdbHealthIssue LdbHealthIssue;
typedef struct _LdbHealthWatch LdbHealthWatch;
typedef struct _LdbInspector LdbInspector;
typedef struct _LdbListModel LdbListModel;
typedef struct _LdbLoader LdbLoader;
typedef struct _LdbOptions LdbOptions;
typedef struct _LdbRecord LdbRecord;
typedef struct _LdbRegistry LdbRegistry;
typedef struct _LdbRunningDatabase LdbRunningDatabase;
typedef struct _LdbRunningList LdbRunningList;
typedef struct _LdbSnapshot LdbSnapshot;
typedef struct _LdbStats LdbStats;
typedef struct _LdbStorageMap LdbStorageMap;
typedef struct _LdbStorageNode LdbStorageNode;
typedef struct _LdbStore LdbStore;
typedef struct _LdbTransaction LdbTransaction;
typedef struct _LdbView LdbView;
typedef struct _LdbWatch LdbWatch;

/**
 * LdbProgressFunc:
 * @done: how much is done, in the unit of @total
 * @total: how much there is to do, or 0 while that is unknown
 * @step: what is being done now, in English
 * @user_data: the caller's data
 *
 * Told how a long operation goes, at most about a hundred times a second.
 *
 * A synchronous operation calls it on the calling thread, an asynchronous one in the main context
 * the operation was started in; never on a thread of the library. To stop the operation, cancel
 * its [class@Gio.Cancellable].
 *
 * Since: 0.1
 */
typedef void (*LdbProgressFunc) (guint64 done, guint64 total, const char *step, gpointer user_data);

/**
 * LdbTransactionFunc:
 * @transaction: the transaction, begun; it is committed when the function returns %TRUE
 * @user_data: the caller's data
 * @error: return location for why it gave up
 *
 * The work of [method@Ldb.Database.run_transaction]. It is called again, with a fresh transaction,
 * when the commit conflicts with another one: it must have no effect that it cannot repeat.
 *
 * Returns: %TRUE to commit; %FALSE with @error set to roll back and give up
 *
 * Since: 0.1
 */
typedef gboolean (*LdbTransactionFunc) (LdbTransaction *transaction, gpointer user_data,
                                        GError **error);

G_END_DECLS
