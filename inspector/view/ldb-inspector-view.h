/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSPECTOR_VIEW_INSIDE) && !defined(LDB_INSPECTOR_VIEW_COMPILATION)
#error "Only <lightning-db-inspector.h> can be included directly."
#endif

#include <gtk/gtk.h>
#include <lightning-db.h>

/* Every public symbol carries one of these; all else is hidden. */
#ifdef LDB_INSPECTOR_VIEW_COMPILATION
#define LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL __attribute__ ((visibility ("default"))) extern
#else
#define LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL extern
#endif

G_BEGIN_DECLS

#define LDB_TYPE_INSPECTOR_VIEW (ldb_inspector_view_get_type ())
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbInspectorView, ldb_inspector_view, LDB, INSPECTOR_VIEW, GtkWidget)

LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
GtkWidget *ldb_inspector_view_new (void);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
LdbRunningDatabase *ldb_inspector_view_get_running_database (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
void ldb_inspector_view_set_running_database (LdbInspectorView *self, LdbRunningDatabase *running);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
LdbDatabase *ldb_inspector_view_get_database (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
void ldb_inspector_view_set_database (LdbInspectorView *self, LdbDatabase *database);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
GtkSelectionModel *ldb_inspector_view_get_pages (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
GtkWidget *ldb_inspector_view_new_sidebar (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
guint ldb_inspector_view_get_staged_changes (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
gboolean ldb_inspector_view_get_paused (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
void ldb_inspector_view_set_paused (LdbInspectorView *self, gboolean paused);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
gboolean ldb_inspector_view_get_show_sidebar (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
void ldb_inspector_view_set_show_sidebar (LdbInspectorView *self, gboolean show_sidebar);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
gboolean ldb_inspector_view_get_show_memory_map (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
void ldb_inspector_view_set_show_memory_map (LdbInspectorView *self, gboolean show_memory_map);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
gboolean ldb_inspector_view_get_change_stream_graph (LdbInspectorView *self);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
void ldb_inspector_view_set_change_stream_graph (LdbInspectorView *self,
                                                 gboolean change_stream_graph);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
const char *ldb_inspector_view_get_title (LdbInspectorView *self);

LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
void ldb_inspector_view_save_recording_async (LdbInspectorView *self, GFile *file,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
gboolean ldb_inspector_view_save_recording_finish (LdbInspectorView *self, GAsyncResult *result,
                                                   GError **error);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
void ldb_inspector_view_open_recording_async (LdbInspectorView *self, GFile *file,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);
LDB_INSPECTOR_VIEW_AVAILABLE_IN_ALL
gboolean ldb_inspector_view_open_recording_finish (LdbInspectorView *self, GAsyncResult *result,
                                                   GError **error);

G_END_DECLS
