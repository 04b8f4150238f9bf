/* SPDX-License-Identifier: MIT */
/*
 * InspFold: a widget with another one behind it where there is room for both, else with that one below
 * it, as wide as the row.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_FOLD (insp_fold_get_type ())
G_DECLARE_FINAL_TYPE (InspFold, insp_fold, INSP, FOLD, GtkWidget)

/* `behind` is as narrow as it can be while it is beside `first`. */
GtkWidget *insp_fold_new (GtkWidget *first, GtkWidget *behind);

G_END_DECLS
