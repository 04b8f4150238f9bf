/* SPDX-License-Identifier: MIT */
/*
 * InspLoadForm: what a load test is to do: its database, a preset or a mix, which keys, how much.
 *
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-load-plan.h"

G_BEGIN_DECLS

#define INSP_TYPE_LOAD_FORM (insp_load_form_get_type ())
G_DECLARE_FINAL_TYPE (InspLoadForm, insp_load_form, INSP, LOAD_FORM, GtkWidget)

/* Signal: changed (). `can_copy`: a copy of the database can be chosen. */
GtkWidget *insp_load_form_new (gboolean can_copy);

void insp_load_form_get_plan (InspLoadForm *self, InspLoadPlan *plan);
gboolean insp_load_form_get_copies (InspLoadForm *self);

/* Whether anything can be changed: not while a test is under way. */
void insp_load_form_set_open (InspLoadForm *self, gboolean open);

G_END_DECLS
