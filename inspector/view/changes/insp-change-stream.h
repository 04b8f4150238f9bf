/* SPDX-License-Identifier: MIT */
/*
 * InspChangeStream: what is committed, as it comes: filtered, paused, step by step, saved to a file; and
 * what a change replaced. It follows while it is shown.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_CHANGE_STREAM (insp_change_stream_get_type ())
G_DECLARE_FINAL_TYPE (InspChangeStream, insp_change_stream, INSP, CHANGE_STREAM, GtkWidget)

GtkWidget *insp_change_stream_new (InspSession *session);
void insp_change_stream_focus_search (InspChangeStream *self);
/* Asks for a file, and writes what is shown to it, a line of JSON each; to one whose name ends with .csv or .json
 * the charts and tables of the page. */
void insp_change_stream_export (InspChangeStream *self);

G_END_DECLS
