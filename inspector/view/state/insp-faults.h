/* SPDX-License-Identifier: MIT */
/*
 * What a check found, as people read it. Compiled into the application, too: the widget's library exports
 * the widget alone.
 */
#pragma once

#include <lightning-db.h>

G_BEGIN_DECLS

/* How many faults there are, and a line each for the first ones: where it is, and what is wrong, the place
 * once. Free it. */
char *insp_faults_describe (LdbCheckReport *report);

G_END_DECLS
