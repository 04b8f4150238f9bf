/* SPDX-License-Identifier: MIT */
/*
 * InspIssueRow: one issue of a database's health: how bad it is, what it is, what to do, the evidence;
 * and buttons for the remedy, where there is one, and to snooze it.
 */
#pragma once

#include <gtk/gtk.h>
#include <lightning-db.h>

#include "insp-row-list.h"
#include "insp-sheet.h"

G_BEGIN_DECLS

#define INSP_TYPE_ISSUE_ROW (insp_issue_row_get_type ())
G_DECLARE_FINAL_TYPE (InspIssueRow, insp_issue_row, INSP, ISSUE_ROW, GtkWidget)

/* Signals: apply (), snooze (): that is wanted of the issue. It follows `row`, of LdbHealthIssue. */
GtkWidget *insp_issue_row_new (InspRow *row, gboolean snoozed);
const LdbHealthIssue *insp_issue_row_get_issue (InspIssueRow *self);

/* How bad something is, in a word, and the icon of that. */
const char *insp_severity_name (LdbSeverity severity);
const char *insp_severity_icon (LdbSeverity severity);

/* Figures of an issue, as people read them. Free it. */
char *insp_evidence_format (GVariant *evidence);

/* Its severity, what it is, the remedy and the evidence: four cells. */
void insp_issue_add_to_sheet (const LdbHealthIssue *issue, InspSheet *sheet);

G_END_DECLS
