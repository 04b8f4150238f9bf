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

/* Signal “chosen” (LdbRunningDatabase *). */

G_END_DECLS
