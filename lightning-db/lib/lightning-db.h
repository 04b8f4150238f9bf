/* SPDX-License-Identifier: MIT */
/*
 * Lightning DB: an embedded, ordered, transactional key-value database.
 *
 *   LdbDatabase *db = ldb_database_open ("notes.db", LDB_OPEN_CREATE, NULL, NULL, &error);
 *   ldb_database_put_string (db, "greeting", "hello", NULL, &error);
 *   g_autofree char *text = ldb_database_get_string (db, "greeting", NULL, &error);
 *
 * Conventions
 *   Parameters come in the order self, store (where an object spans stores; NULL = the default
 *   store), key, key_length, value, value_length, cancellable, error.
 *   Reading what is absent is no error: NULL or FALSE is returned and `error` stays unset.
 *   A range is half-open, [start, end); NULL with length 0 leaves a side open.
 *   Whatever may touch a disk has an _async/_finish pair, which completes in the caller's
 *   thread-default main context. After the commit point cancellation is ignored.
 */
#pragma once

#define LDB_INSIDE
#include "ldb-active-transaction.h"
#include "ldb-active-watch.h"
#include "ldb-batch.h"
#include "ldb-change-set.h"
#include "ldb-change.h"
#include "ldb-cursor.h"
#include "ldb-database-report.h"
#include "ldb-database.h"
#include "ldb-entry.h"
#include "ldb-enum-types.h"
#include "ldb-enums.h"
#include "ldb-error.h"
#include "ldb-event.h"
#include "ldb-feed.h"
#include "ldb-health-watch.h"
#include "ldb-health.h"
#include "ldb-held-snapshot.h"
#include "ldb-hot-key.h"
#include "ldb-inspector.h"
#include "ldb-key-location.h"
#include "ldb-list-model.h"
#include "ldb-loader.h"
#include "ldb-metrics.h"
#include "ldb-options.h"
#include "ldb-page.h"
#include "ldb-record.h"
#include "ldb-registry.h"
#include "ldb-report.h"
#include "ldb-running-database.h"
#include "ldb-running-list.h"
#include "ldb-sizes.h"
#include "ldb-slow-operation.h"
#include "ldb-snapshot.h"
#include "ldb-stats.h"
#include "ldb-storage-map.h"
#include "ldb-storage-node.h"
#include "ldb-store.h"
#include "ldb-trace.h"
#include "ldb-transaction-key.h"
#include "ldb-transaction.h"
#include "ldb-types.h"
#include "ldb-version.h"
#include "ldb-view.h"
#include "ldb-watch-delivery.h"
#include "ldb-watch.h"
#undef LDB_INSIDE
