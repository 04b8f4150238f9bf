/* SPDX-License-Identifier: MIT */
/*
 * InspLoad: a program that works with a database all the time, at an unhurried pace: what a database with
 * something to do looks like.
 */
#pragma once

#include <lightning-db.h>

G_BEGIN_DECLS

typedef struct _InspLoad InspLoad;

/* Fills an empty database and works with it, on a thread of its own. */
InspLoad *insp_load_start (LdbDatabase *database);
/* Waits until it has stopped, a few milliseconds. */
void insp_load_stop (InspLoad *self);

G_END_DECLS
