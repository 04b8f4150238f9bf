/* SPDX-License-Identifier: MIT */
/*
 * recovery: what the log holds beyond the runs, after a crash or beside a live writer.
 */
#ifndef LIGHTNING_RECOVERY_H
#define LIGHTNING_RECOVERY_H

#include "core/engine-private.h"

/* A writer: replays the log, writes the survivors to synced runs, and only then removes the log, or
 * makes it history. Interrupted at any point it can be done again. */
status recover_into_runs (struct engine *engine, struct failure *failure);
/* Removes what else a crash left, once the new log is there and knows what history refers to. */
status recover_clean (struct engine *engine, struct failure *failure);
/* A reader: replays the log into the view's active memtable; writes nothing. */
status recover_into_memory (struct engine *engine, struct failure *failure);

#endif
