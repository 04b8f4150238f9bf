/* SPDX-License-Identifier: MIT */
/*
 * InspUpkeep: integrity check, backup, and the verification of a backup. The first two are the
 * application's work and need control; a backup is verified here, which writes nothing.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_UPKEEP (insp_upkeep_get_type ())
G_DECLARE_FINAL_TYPE (InspUpkeep, insp_upkeep, INSP, UPKEEP, GtkWidget)

GtkWidget *insp_upkeep_new (InspSession *session);

/* Backs up into a folder, or verifies one: what its dialogs end in. */
void insp_upkeep_back_up (InspUpkeep *self, GFile *folder);
void insp_upkeep_verify (InspUpkeep *self, GFile *folder);

G_END_DECLS
