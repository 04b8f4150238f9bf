/* SPDX-License-Identifier: MIT */
/*
 * InspGreeter: which databases there are to look into.
 */
#pragma once

#include <adwaita.h>
#include <lightning-db.h>

G_BEGIN_DECLS

#define INSP_TYPE_GREETER (insp_greeter_get_type ())
G_DECLARE_FINAL_TYPE (InspGreeter, insp_greeter, INSP, GREETER, AdwBin)

/* Signals “chosen” (LdbRunningDatabase *), “folder-chosen” (GFile *). */

/* A folder was opened: it is remembered. */
void insp_greeter_remember (InspGreeter *self, GFile *folder);

G_END_DECLS
