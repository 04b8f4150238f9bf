/* SPDX-License-Identifier: MIT */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A drop-down that has a name for those who don't see it. Takes the model and the expression, which
 * may be NULL. */
GtkWidget *insp_choice_new (GListModel *model, GtkExpression *expression, const char *name);
GtkWidget *insp_choice_new_from_strings (const char *const *strings, const char *name);
/* Of strings that come and go: with an entry to search among them while they are many. */
GtkWidget *insp_choice_new_of_strings (GtkStringList *strings, const char *name);

G_END_DECLS
