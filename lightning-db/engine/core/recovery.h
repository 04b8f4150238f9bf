/* SPDX-License-Identifier: MIT */
/*
 * recovery: what the log holds beyond the runs, after a crash or beside a live writer.
 */
#ifndef LIGHTNING_RECOVERY_H
#define LIGHTNING_RECOVERY_H

#include "core/engine-private.h"

/* A writer: replays the log, writes the survivors to synced runs, and only then removes the log and
 * what else a crash left. Interrupted at any point it can be done again. */
status recover_into_runs (struct engine *engine, struct failure *failure);
/* A reader: replays the log into the view's active memtable; writes nothing. */
status recover_into_memory (struct engine *engine, struct failure *failure);

#endif
