/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-metrics.h"

G_BEGIN_DECLS

#define LDB_TYPE_RUNNING_DATABASE (ldb_running_database_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbRunningDatabase, ldb_running_database, LDB, RUNNING_DATABASE, GObject)

LDB_AVAILABLE_IN_ALL
const char *ldb_running_database_get_path (LdbRunningDatabase *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_running_database_get_id (LdbRunningDatabase *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_running_database_get_program (LdbRunningDatabase *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_running_database_get_application_id (LdbRunningDatabase *self);
LDB_AVAILABLE_IN_ALL
guint ldb_running_database_get_process_id (LdbRunningDatabase *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_running_database_get_process (LdbRunningDatabase *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_running_database_is_read_only (LdbRunningDatabase *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_running_database_is_running (LdbRunningDatabase *self);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_running_database_read_counters (LdbRunningDatabase *self, GError **error);
LDB_AVAILABLE_IN_ALL
LdbMetrics *ldb_running_database_get_metrics (LdbRunningDatabase *self, GError **error);

G_END_DECLS
