/* SPDX-License-Identifier: MIT */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Adds a line of text to a row; long ones wrap. `style`: its CSS class; NULL: none. */
GtkWidget *insp_row_text_add (GtkBox *texts, const char *style);

G_END_DECLS
