/* SPDX-License-Identifier: MIT */
/*
 * InspJobRow: work that takes its time: what it is, buttons that begin it, and while it is under way how
 * far it is and a button that ends it. Then what came of it.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_JOB_ROW (insp_job_row_get_type ())
G_DECLARE_FINAL_TYPE (InspJobRow, insp_job_row, INSP, JOB_ROW, GtkWidget)

GtkWidget *insp_job_row_new (const char *title, const char *text);
GtkWidget *insp_job_row_add_button (InspJobRow *self, const char *label, GCallback pressed,
                                    gpointer data);
/* Something else beside the buttons. */
void insp_job_row_add (InspJobRow *self, GtkWidget *widget);

/* What cancels the work: it is cancelled too when the row goes. Borrowed, until the end. */
GCancellable *insp_job_row_begin (InspJobRow *self);
/* The same, while it is under way. */
GCancellable *insp_job_row_get_cancellable (InspJobRow *self);
/* Negative: it is not known how far it is. */
void insp_job_row_progress (InspJobRow *self, double fraction);
/* What came of it. */
void insp_job_row_end (InspJobRow *self, const char *text);

G_END_DECLS
