/* SPDX-License-Identifier: MIT */
/*
 * InspReview: all changes that are staged, with what they change, and the button that commits them.
 *
 * Signals: “commit”, “left”: the buttons. Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-edits.h"

G_BEGIN_DECLS

#define INSP_TYPE_REVIEW (insp_review_get_type ())
G_DECLARE_FINAL_TYPE (InspReview, insp_review, INSP, REVIEW, GtkWidget)

GtkWidget *insp_review_new (InspEdits *edits);

/* Gives its first button that does something the keyboard. */
void insp_review_focus (InspReview *self);

G_END_DECLS
