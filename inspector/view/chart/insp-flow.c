/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-flow.h"

GtkWidget *
insp_flow_new (guint most_in_a_row, guint spacing)
{
  GtkWidget *flow = gtk_flow_box_new ();
  gtk_flow_box_set_selection_mode (GTK_FLOW_BOX (flow), GTK_SELECTION_NONE);
  gtk_flow_box_set_max_children_per_line (GTK_FLOW_BOX (flow), most_in_a_row);
  gtk_flow_box_set_row_spacing (GTK_FLOW_BOX (flow), spacing);
  gtk_flow_box_set_column_spacing (GTK_FLOW_BOX (flow), spacing);
  return flow;
}

GtkWidget *
insp_flow_new_of_figures (guint most_in_a_row, guint spacing)
{
  GtkWidget *flow = insp_flow_new (most_in_a_row, spacing);
  gtk_widget_set_can_focus (flow, FALSE); /* a flow box keeps the keyboard where nothing takes it */
  return flow;
}

void
insp_flow_add (GtkWidget *flow, GtkWidget *child)
{
  gtk_flow_box_insert (GTK_FLOW_BOX (flow), child, -1);
  gtk_widget_set_focusable (gtk_widget_get_parent (child), FALSE);
}
