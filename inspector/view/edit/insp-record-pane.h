/* SPDX-License-Identifier: MIT */
/*
 * InspRecordPane: one record, and what is changed: its value, or the editor, or the review of what is
 * staged, and below them, while changes are permitted, what can be done.
 *
 * Signal “left”: the editor or the review was, and there is nothing more to do in it.
 *
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-edits.h"
#include "insp-permission.h"

G_BEGIN_DECLS

#define INSP_TYPE_RECORD_PANE (insp_record_pane_get_type ())
G_DECLARE_FINAL_TYPE (InspRecordPane, insp_record_pane, INSP, RECORD_PANE, GtkWidget)

GtkWidget *insp_record_pane_new (InspSession *session, InspPermission *permission);

/* What is staged. Borrowed. */
InspEdits *insp_record_pane_get_edits (InspRecordPane *self);

/* Another store is shown, of which nothing is selected yet. */
void insp_record_pane_set_store (InspRecordPane *self, const char *store);

/* Another record is selected, NULL: none; or it was written. */
void insp_record_pane_select (InspRecordPane *self, GBytes *key);

/* Reads the record again. */
void insp_record_pane_refresh (InspRecordPane *self);

/* What keys do; without permission it is asked for. */
void insp_record_pane_edit (InspRecordPane *self);
void insp_record_pane_add (InspRecordPane *self);
void insp_record_pane_delete (InspRecordPane *self);
void insp_record_pane_review (InspRecordPane *self);
void insp_record_pane_undo (InspRecordPane *self);

G_END_DECLS
