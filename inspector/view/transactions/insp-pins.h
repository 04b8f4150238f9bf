/* SPDX-License-Identifier: MIT */
/*
 * Who reads older states of a database: those that are held, with the transactions that read there.
 *
 * What was overwritten since the oldest of them has to be kept beside what came later.
 */
#pragma once

#include "insp-row-list.h"

#include <lightning-db.h>

G_BEGIN_DECLS

typedef struct
{
  LdbHeldSnapshot snapshot;
  GArray *transactions; /* guint64, the numbers of those that read there; owned */
} InspPin;

void insp_pin_free (InspPin *self);

/* Of LdbHeldSnapshot, and of rows of LdbActiveTransaction. InspPin; the oldest first. */
GPtrArray *insp_pins_of (GPtrArray *snapshots, InspRowList *transactions);

/* “3, 8”, the first twenty, or a dash. Free it. */
char *insp_pin_format_transactions (const InspPin *self);

/* What keeps the oldest state, in sentences. Free it. */
char *insp_pin_describe (const InspPin *self);

G_END_DECLS
