/* SPDX-License-Identifier: MIT */
/*
 * InspTwin: a picture under its title, and the same as a table: a button changes between the two.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_TWIN (insp_twin_get_type ())
G_DECLARE_FINAL_TYPE (InspTwin, insp_twin, INSP, TWIN, GtkWidget)

/* Takes picture and table. */
GtkWidget *insp_twin_new (const char *title, GtkWidget *picture, GtkWidget *table);
/* Beside the title. */
void insp_twin_add_control (InspTwin *self, GtkWidget *control);

G_END_DECLS
