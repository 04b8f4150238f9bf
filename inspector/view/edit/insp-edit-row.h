/* SPDX-License-Identifier: MIT */
/*
 * InspEditRow: a change that is staged: its key, what differs, and in a conflict what is there now.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-edits.h"

G_BEGIN_DECLS

#define INSP_TYPE_EDIT_ROW (insp_edit_row_get_type ())
G_DECLARE_FINAL_TYPE (InspEditRow, insp_edit_row, INSP, EDIT_ROW, GtkWidget)

GtkWidget *insp_edit_row_new (InspEdits *edits, InspEdit *edit);

G_END_DECLS
