/* SPDX-License-Identifier: MIT */
/*
 * Leaving the database that a window shows: changes that were not written would be lost, which is asked about.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-window.h"

G_BEGIN_DECLS

typedef void (*InspLeave) (InspWindow *window, gpointer data);

/* Calls `leave`: at once when there are none, else once the user agreed. `data` is freed in any case. */
void insp_leaving_ask (InspWindow *window, InspLeave leave, gpointer data, GDestroyNotify free);

G_END_DECLS
