/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-running-database.h"

G_BEGIN_DECLS

#define LDB_TYPE_RUNNING_LIST (ldb_running_list_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbRunningList, ldb_running_list, LDB, RUNNING_LIST, GObject)

/* A GListModel of LdbRunningDatabase, in the main context that was the thread's default when it was
 * made. */
LDB_AVAILABLE_IN_ALL
LdbRunningList *ldb_running_list_new (void);
LDB_AVAILABLE_IN_ALL
guint ldb_running_list_get_n_items (LdbRunningList *self);
LDB_AVAILABLE_IN_ALL
LdbRunningDatabase *ldb_running_list_find (LdbRunningList *self, const char *path);
LDB_AVAILABLE_IN_ALL
gboolean ldb_running_list_check_folder (LdbRunningList *self, GError **error);
LDB_AVAILABLE_IN_ALL
LdbRunningDatabase *ldb_running_list_find_database (LdbRunningList *self, LdbDatabase *database);

G_END_DECLS
