/* SPDX-License-Identifier: MIT */
/*
 * InspKeyFinder: where a key is: what a search for it meets in each table in memory and each run, and which
 * of them answers.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_KEY_FINDER (insp_key_finder_get_type ())
G_DECLARE_FINAL_TYPE (InspKeyFinder, insp_key_finder, INSP, KEY_FINDER, GtkWidget)

/* Signal selected (): another place is, or none. */
GtkWidget *insp_key_finder_new (InspSession *session);
/* The store that is searched. */
void insp_key_finder_set_store (InspKeyFinder *self, const char *store);
void insp_key_finder_focus (InspKeyFinder *self);

const LdbKeyLocation *insp_key_finder_get_selected (InspKeyFinder *self); /* NULL: none */

/* Where it is, and what was met there, in words. Free them. */
char *insp_key_location_name (const LdbKeyLocation *location);
char *insp_key_location_describe (const LdbKeyLocation *location);

G_END_DECLS
