/* SPDX-License-Identifier: MIT */
/*
 * transaction: an engine's transaction under a number. The number is that of a cell, whose lock
 * lets one thread at a time at it; it is in its database's list from begin to end, so that the
 * database's end finds all that are open.
 *
 * Whoever ends one takes it off the list before its number is withdrawn.
 */
#ifndef LIGHTNING_FFI_TRANSACTION_H
#define LIGHTNING_FFI_TRANSACTION_H

#include "cell.h"
#include "place.h"

struct transaction
{
  struct engine_transaction *transaction; /* owned */
  struct database *database;              /* referenced */
  uint64_t number;                        /* never changes once it is listed */
  struct transaction *next, *previous;    /* in the database's list; its lock */
};

/* With the lock of its cell held. InvalidTransaction when it is of another database than
 * `place`. */
LightningDBError transaction_enter (struct caller *caller, const struct database *database,
                                    uint64_t number, struct cell **cell,
                                    struct engine_transaction **out);
/* Rolls all of the database's back, which is closed for new ones. */
void transaction_end_all (struct caller *caller, struct database *database);

#endif
