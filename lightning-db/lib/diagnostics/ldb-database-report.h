/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-enums.h"
#include "ldb-types.h"

G_BEGIN_DECLS

LDB_AVAILABLE_IN_ALL
char *ldb_database_generate_report (LdbDatabase *self, LdbReportFormat format, LdbReportFlags flags,
                                    GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_generate_report_async (LdbDatabase *self, LdbReportFormat format,
                                         LdbReportFlags flags, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
char *ldb_database_generate_report_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

G_END_DECLS
