/* SPDX-License-Identifier: MIT */
/*
 * InspGtkPage: the page “Lightning DB” of GTK's own inspector: the databases that this program has open,
 * with all that LdbInspectorView shows of one.
 *
 * While it can be seen, all databases of the program are shared (LdbDatabase:inspectable), since that is how
 * they are looked into; those that were not before are taken back when it is hidden, unless the full
 * inspector was opened on one.
 *
 * Threads: GTK's.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_GTK_PAGE (insp_gtk_page_get_type ())
G_DECLARE_FINAL_TYPE (InspGtkPage, insp_gtk_page, INSP, GTK_PAGE, GtkWidget)

G_END_DECLS
