/* SPDX-License-Identifier: MIT */
/*
 * Inspection: offers databases of this process to inspectors of the same user
 * (docs/design/inspection.md).
 *
 * While a database is offered there is a *host*: the files in the runtime directory, the socket, and
 * a thread that sleeps until somebody connects. Each database offered is an *export*, each
 * connection a *visitor*.
 *
 * Threads: any, for the functions here. Locks: one mutex, held while files are made or removed in
 * the runtime directory; never over a call of an engine, nor anything that waits for a client.
 */
#pragma once

#include "ldb-counters-private.h"
#include "ldb-database-private.h"

G_BEGIN_DECLS

typedef struct _LdbExport LdbExport;

/* Offers the database. `handle` is one of the library's own (ldb_share_set_inspection), which the
 * export holds; `counters`, which may be NULL, are shown with it. NULL: the runtime directory is not to be used. */
LdbExport *ldb_inspection_offer (LdbDatabase *handle, const char *path, LdbCounters *counters,
                                 GError **error);

/* Ends the offer, and gives the caller's reference back. What visitors have open is closed by the
 * host's thread. The last one ends the host. */
void ldb_inspection_withdraw (LdbExport *self);

/* Whether visitors may be granted control from now on; FALSE takes it from those who have it. */
void ldb_inspection_allow_control (LdbExport *self, gboolean allowed);

/* Whether the environment wants every database offered. */
gboolean ldb_inspection_is_wanted (void);

/* Before a fork, and behind it in the parent: nothing is half offered in the child. */
void ldb_inspection_prepare_fork (void);
void ldb_inspection_go_on (void);
/* In the child of a fork: the host stayed with the parent. Closes what keeps the parent's alive. */
void ldb_inspection_forget (void);

G_END_DECLS
