/* SPDX-License-Identifier: MIT */
/*
 * InspValueView: one record of a store: its key, and its value as text, hex, JSON, document or image.
 *
 * Of a large value the beginning is read, and all of it when that is asked for.
 *
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>
#include <lightning-db.h>

G_BEGIN_DECLS

#define INSP_TYPE_VALUE_VIEW (insp_value_view_get_type ())
G_DECLARE_FINAL_TYPE (InspValueView, insp_value_view, INSP, VALUE_VIEW, GtkWidget)

GtkWidget *insp_value_view_new (void);

/* Shows a record of a store; `key` NULL: none. `inspector` NULL: what is shown stays. */
void insp_value_view_show (InspValueView *self, LdbInspector *inspector, const char *store,
                           GBytes *key);

/* Reads it again; what is the same stays, and the place that is scrolled to does. */
void insp_value_view_refresh (InspValueView *self);

/* Whether there are buttons that edit and delete: signals “edit” and “delete”. */
void insp_value_view_set_editable (InspValueView *self, gboolean editable);

GBytes *insp_value_view_get_key (InspValueView *self); /* NULL: none */

G_END_DECLS
