/* SPDX-License-Identifier: MIT */
/*
 * storage: what the calls of engine-storage.h share.
 *
 * Invariants
 *   Z1  A call holds a view without memtables (view.h, R4) and reads past the cache: no writer waits
 *       for it, no merge, and no page leaves the cache because of it.
 *   Z2  Damage is told where it is met and never ends the call.
 *   Z3  Memory does not grow with the database: what is found is handed to the visitor at once.
 *   Z4  A close does not wait for a long call: it looks whether the engine is closing.
 */
#ifndef LIGHTNING_STORAGE_H
#define LIGHTNING_STORAGE_H

#include "core/engine-private.h"
#include "engine-storage.h"
#include "segment/segment-look.h"

/* Files of the present, to be given back with storage_end. NULL view: it failed. */
status storage_begin (struct engine *engine, struct view **out, struct failure *failure);
void storage_end (struct engine *engine, struct view *view);
/* A segment of the view, by number, borrowed; NOT_FOUND with a message when it is not in it. */
status storage_find (const struct view *view, uint64_t number, struct segment **out,
                     const struct run **run, struct failure *failure);
/* The size class of a run. */
unsigned storage_level (const struct engine *engine, const struct run *run);
/* A key as it is told: without its store, and cut. A separator may be shorter than a store's id. */
struct bytes storage_key (struct bytes internal, engine_store *store);
status storage_cancelled (struct failure *failure);

#endif
