/* SPDX-License-Identifier: MIT */
/*
 * InspWindow: the greeter, or one database.
 */
#pragma once

#include <adwaita.h>

#include "lightning-db-inspector.h"

G_BEGIN_DECLS

#define INSP_TYPE_WINDOW (insp_window_get_type ())
G_DECLARE_FINAL_TYPE (InspWindow, insp_window, INSP, WINDOW, AdwApplicationWindow)

GtkWidget *insp_window_new (GtkApplication *application);

/* The database of a running application; takes the window over. */
void insp_window_show_database (InspWindow *self, LdbRunningDatabase *running);

/* Opens the database in a folder itself, to be read only. Where a running application has it open
 * and shares it, that one is shown. What fails is said in the window. */
void insp_window_open_folder (InspWindow *self, GFile *folder);

/* What the view shows already: a recording. */
void insp_window_show_recording (InspWindow *self);

/* A message over the window, which stays in memory as long: GTK 4.8 asks a dialog's parent when the dialog
 * goes, also one that was closed by an answer. The message has no answers yet, and is not shown. */
AdwMessageDialog *insp_window_new_message (InspWindow *self, const char *heading, const char *text);

/* Says what went wrong: `message` as the library has it. */
void insp_window_say (InspWindow *self, const char *heading, const char *message);

LdbInspectorView *insp_window_get_view (InspWindow *self);

G_END_DECLS
