/* SPDX-License-Identifier: MIT */
/*
 * InspFirstRows: the first rows of a list, so many at most. Where that is all of them its users are told
 * what came and went, and no more. (A GtkSliceListModel tells them that all rows behind are others, so that
 * lists of many lose their place.) Rows that come in and go at the end are told with the change itself: a list
 * view shows the one with the widgets of the other.
 *
 * Threads: the main one.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define INSP_TYPE_FIRST_ROWS (insp_first_rows_get_type ())
G_DECLARE_FINAL_TYPE (InspFirstRows, insp_first_rows, INSP, FIRST_ROWS, GObject)

/* Keeps a reference to the list. */
InspFirstRows *insp_first_rows_new (GListModel *list, guint most);
void insp_first_rows_set_most (InspFirstRows *self, guint most);

GListModel *insp_first_rows_get_list (InspFirstRows *self); /* borrowed */

G_END_DECLS
