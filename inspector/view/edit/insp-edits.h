/* SPDX-License-Identifier: MIT */
/*
 * InspEdits: changes that are staged, as a GListModel of InspEdit, one for a key at most, in the order in
 * which they were staged; how they are written, and how the last ones that were are taken back.
 *
 * A commit is one transaction, with the value that each edit expects: all of them are written, or none.
 * When one is not as expected each edit is compared with what is there now, and those that differ are
 * conflicts, which stay until they are dropped or restaged.
 *
 * Signal “changed”: is_busy(), can_commit() or can_undo() is another. Threads: the main one.
 */
#pragma once

#include <lightning-db.h>

#include "insp-edit.h"

G_BEGIN_DECLS

#define INSP_TYPE_EDITS (insp_edits_get_type ())
G_DECLARE_FINAL_TYPE (InspEdits, insp_edits, INSP, EDITS, GObject)

InspEdits *insp_edits_new (void);

InspEdit *insp_edits_find (InspEdits *self, const char *store,
                           GBytes *key); /* NULL: none; borrowed */

/* Stages a value, NULL to delete. If the key has an edit already, that one gets the value, and expects what
 * it did. What would change nothing is dropped. */
void insp_edits_stage (InspEdits *self, const char *store, GBytes *key, GBytes *expected,
                       GBytes *value);
void insp_edits_drop (InspEdits *self, InspEdit *edit);
void insp_edits_restage (InspEdits *self, InspEdit *edit); /* a conflict */

gboolean insp_edits_is_busy (InspEdits *self);
gboolean insp_edits_can_commit (InspEdits *self); /* some are staged, none is a conflict */
gboolean insp_edits_can_undo (InspEdits *self);   /* some were written, and none is staged */
guint insp_edits_count_conflicts (InspEdits *self);

/* Writes what is staged, or takes back what was written last; then that can be taken back. Fails as
 * ldb_inspector_commit() does; after LDB_ERROR_CONFLICT conflicts are marked, and what was to be taken
 * back is staged. */
void insp_edits_commit_async (InspEdits *self, LdbInspector *inspector, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
void insp_edits_undo_async (InspEdits *self, LdbInspector *inspector, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);

/* How many records were written; 0: error. */
guint insp_edits_finish (InspEdits *self, GAsyncResult *result, GError **error);

G_END_DECLS
