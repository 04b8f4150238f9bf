/* SPDX-License-Identifier: MIT */
/*
 * InspStatus: what is said where there is nothing to show: why, and what to do.
 *
 * The title is in title case, the text sentences. Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_STATUS (insp_status_get_type ())
G_DECLARE_FINAL_TYPE (InspStatus, insp_status, INSP, STATUS, GtkWidget)

GtkWidget *insp_status_new (const char *icon, const char *title, const char *text);

/* The text is shown as a sentence of its own: it begins in upper case and ends with a full stop. */
void insp_status_say (InspStatus *self, const char *icon, const char *title, const char *text);

/* The same of something that is awaited: it turns instead of an icon. */
void insp_status_wait (InspStatus *self, const char *title, const char *text);

G_END_DECLS
