/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-choice.h"

/* The keyboard is on the button in it, which GTK gives no name. */
static GtkWidget *
name_choice (GtkWidget *choice, const char *name)
{
  GtkWidget *button = gtk_widget_get_first_child (choice);
  gtk_accessible_update_property (GTK_ACCESSIBLE (choice), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  return choice;
}

GtkWidget *
insp_choice_new (GListModel *model, GtkExpression *expression, const char *name)
{
  return name_choice (gtk_drop_down_new (model, expression), name);
}

GtkWidget *
insp_choice_new_from_strings (const char *const *strings, const char *name)
{
  return name_choice (gtk_drop_down_new_from_strings (strings), name);
}
