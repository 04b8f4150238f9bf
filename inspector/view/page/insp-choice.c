/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-choice.h"

#define SEARCHED 20u /* strings, from which on they can be searched */

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

static void
review_search (GtkDropDown *choice, guint position, guint removed, guint added, GListModel *strings)
{
  gtk_drop_down_set_enable_search (choice, g_list_model_get_n_items (strings) >= SEARCHED);
}

GtkWidget *
insp_choice_new_of_strings (GtkStringList *strings, const char *name)
{
  GtkExpression *string = gtk_property_expression_new (GTK_TYPE_STRING_OBJECT, NULL, "string");
  GtkWidget *choice = insp_choice_new (G_LIST_MODEL (strings), string, name);
  g_signal_connect_object (strings, "items-changed", G_CALLBACK (review_search), choice,
                           G_CONNECT_SWAPPED);
  review_search (GTK_DROP_DOWN (choice), 0, 0, 0, G_LIST_MODEL (strings));
  return choice;
}
