/* SPDX-License-Identifier: MIT */
/*
 * A text view for values, however long their lines are: GTK takes seconds to find where to wrap between
 * the words of a line of 64 KiB, so that long ones are wrapped anywhere; and not before it has a width: GTK
 * would make a line of each character.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A GtkTextView, and what scrolls it as its parent. */
GtkWidget *insp_value_text_new (const char *name);
/* The same text stays, and where it is scrolled to. `whole_lines`: none is wrapped, as of a dump. */
void insp_value_text_set (GtkTextView *self, const char *text, gboolean whole_lines);

G_END_DECLS
