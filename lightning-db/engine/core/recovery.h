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
/* Who removes a file that nobody has open waits for the system to take its pages back: a tenth of the
 * time that opening takes. So they are held open, and let go of here, by a thread that has the
 * time. */
void recover_let_go (struct engine *engine);
/* A reader: replays what the log has above engine->last_sequence into the active memtable, and
 * makes it visible; writes nothing. When no writer lives: all that is there counts. */
status recover_into_memory (struct engine *engine, struct failure *failure);

/* What a record of the log needs in a memtable, and whether it is well formed. */
struct record_needs
{
  size_t records, record_bytes, ranges, range_bytes;
  uint64_t oldest_blob; /* UINT64_MAX: it refers to none */
  bool loaded;          /* what it announces is in segments */
  bool blob_missing;    /* for who looks at references */
};
/* `refer` is called for each reference to a large value. */
status record_measure (struct bytes payload,
                       status (*refer) (void *data, struct bytes reference,
                                        struct record_needs *needs, struct failure *failure),
                       void *data, struct record_needs *out, struct failure *failure);

#endif
