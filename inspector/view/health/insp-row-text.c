/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-row-text.h"

GtkWidget *
insp_row_text_add (GtkBox *texts, const char *style)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  if (style != NULL)
    gtk_widget_add_css_class (label, style);
  gtk_box_append (texts, label);
  return label;
}
