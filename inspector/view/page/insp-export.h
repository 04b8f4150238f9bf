/* SPDX-License-Identifier: MIT */
/*
 * What a page shows, to a file that the user names. What goes wrong is said by the page.
 *
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-sheet.h"

G_BEGIN_DECLS

/* What is written to a file of that name, whose ending may say how. */
typedef GBytes *(*InspExportMake) (gpointer widget, const char *name);

/* Asks over the window of a widget in a page; `name` is offered. */
void insp_export_ask (GtkWidget *widget, const char *title, const char *name, InspExportMake make);

/* All charts, tables and parts that have a sheet in a widget, if they have something in them, also
 * those whose picture is shown, as CSV, or JSON if the file's name ends so: an InspExportMake. */
GBytes *insp_export_tables (gpointer widget, const char *name);

/* Asks for a file for them, which is called so, without its ending. */
void insp_export_ask_tables (GtkWidget *page, const char *name);

/* What a part of a page becomes that is neither a chart nor a table, and is exported, too. */
typedef InspSheet *(*InspExportSheet) (GtkWidget *part);
void insp_export_set_sheet (GtkWidget *part, InspExportSheet make);

/* Ctrl+E exports these while the widget, a page, is shown. `name` is what the file is called, without its
 * ending; it stays. */
void insp_export_offer (GtkWidget *page, const char *name);

G_END_DECLS
