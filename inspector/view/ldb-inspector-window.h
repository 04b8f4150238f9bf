/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSPECTOR_VIEW_INSIDE) && !defined(LDB_INSPECTOR_VIEW_COMPILATION)
#error "Only <lightning-db-inspector.h> can be included directly."
#endif

#include "ldb-inspector-view.h"

G_BEGIN_DECLS

#define LDB_TYPE_INSPECTOR_WINDOW (ldb_inspector_window_get_type ())
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbInspectorWindow, ldb_inspector_window, LDB, INSPECTOR_WINDOW, GtkWindow)

LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
GtkWidget *ldb_inspector_window_new (LdbDatabase *database);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
LdbDatabase *ldb_inspector_window_get_database (LdbInspectorWindow *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
LdbInspectorView *ldb_inspector_window_get_view (LdbInspectorWindow *self);

G_END_DECLS
