/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-focus-keeper.h"

#define KEPT "insp-focused-widget" /* data of the window: a reference to it */
#define KEEPS "insp-keeps-focused" /* likewise: this was called for it */

static void
on_focus_moved (GtkRoot *root)
{
  GtkWidget *before = g_object_steal_data (G_OBJECT (root), KEPT);
  GtkWidget *focus = gtk_root_get_focus (root);
  if (focus != NULL)
    g_object_set_data_full (G_OBJECT (root), KEPT, g_object_ref (focus), g_object_unref);
  if (before != NULL)
    g_idle_add_once (g_object_unref, before);
}

void
insp_keep_focused (GtkRoot *root)
{
  if (g_object_get_data (G_OBJECT (root), KEEPS) != NULL)
    return;
  g_object_set_data (G_OBJECT (root), KEEPS, root);
  g_signal_connect (root, "notify::focus-widget", G_CALLBACK (on_focus_moved), NULL);
  on_focus_moved (root);
}
