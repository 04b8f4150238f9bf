/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_HEALTH_ISSUE (ldb_health_issue_get_type ())

/**
 * LdbHealthIssue:
 * @id: which one it is, for programs: `disk-space`, `long-transaction`, …
 * @severity: how bad it is
 * @summary: what is the matter, with its figures, in an English sentence; no key is in it
 * @remedy: what to do, in English
 * @action: what [method@Ldb.Database.apply_remedy] would do
 * @target: what @action is about: the number of the transaction; else 0
 *
 * Something that is wrong with a database, or that could be better.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbHealthIssue
{
  char *id;
  LdbSeverity severity;
  char *summary;
  char *remedy;
  LdbRemedy action;
  guint64 target;
  /*< private >*/
  GVariant *evidence;
  GBytes *key;
};

LDB_AVAILABLE_IN_ALL
GType ldb_health_issue_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbHealthIssue *ldb_health_issue_copy (const LdbHealthIssue *self);
LDB_AVAILABLE_IN_ALL
void ldb_health_issue_free (LdbHealthIssue *self);
LDB_AVAILABLE_IN_ALL
GVariant *ldb_health_issue_get_evidence (const LdbHealthIssue *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_health_issue_get_key (const LdbHealthIssue *self);

#define LDB_TYPE_HEALTH (ldb_health_get_type ())

LDB_AVAILABLE_IN_ALL
GType ldb_health_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbHealth *ldb_health_ref (LdbHealth *self);
LDB_AVAILABLE_IN_ALL
void ldb_health_unref (LdbHealth *self);
LDB_AVAILABLE_IN_ALL
gboolean ldb_health_is_healthy (const LdbHealth *self);
LDB_AVAILABLE_IN_ALL
LdbSeverity ldb_health_get_severity (const LdbHealth *self);
LDB_AVAILABLE_IN_ALL
gint64 ldb_health_get_time (const LdbHealth *self);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_health_get_issues (const LdbHealth *self);
LDB_AVAILABLE_IN_ALL
LdbHealthIssue *ldb_health_find_issue (const LdbHealth *self, const char *id);
LDB_AVAILABLE_IN_ALL
char *ldb_health_to_json (const LdbHealth *self);

LDB_AVAILABLE_IN_ALL
LdbHealth *ldb_database_get_health (LdbDatabase *self);
LDB_AVAILABLE_IN_ALL
LdbHealth *ldb_database_examine_health (LdbDatabase *self, GCancellable *cancellable,
                                        GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_examine_health_async (LdbDatabase *self, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbHealth *ldb_database_examine_health_finish (LdbDatabase *self, GAsyncResult *result,
                                               GError **error);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_apply_remedy (LdbDatabase *self, const LdbHealthIssue *issue,
                                    GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_apply_remedy_async (LdbDatabase *self, const LdbHealthIssue *issue,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
LDB_AVAILABLE_IN_ALL
gboolean ldb_database_apply_remedy_finish (LdbDatabase *self, GAsyncResult *result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbHealthIssue, ldb_health_issue_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbHealth, ldb_health_unref)

G_END_DECLS
