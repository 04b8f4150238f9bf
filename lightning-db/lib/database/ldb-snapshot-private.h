/* SPDX-License-Identifier: MIT */
/*
 * LdbSnapshot inside the library. The engine's snapshot is counted, so that a read or a cursor that
 * is under way keeps it while another thread closes the LdbSnapshot.
 */
#pragma once

#include "engine.h"
#include "ldb-snapshot.h"

G_BEGIN_DECLS

typedef struct
{
  gint references;       /* of the LdbSnapshot, reads and cursors */
  struct engine *engine; /* of which it is; borrowed from the handle it is read through */
  struct engine_snapshot *snapshot; /* freed with the last of them */
} LdbPin;

/* Holds the newest commit, *sequence; one reference. */
status ldb_pin_new (struct engine *engine, LdbPin **out, guint64 *sequence,
                    struct failure *failure);
/* A reference, or NULL when the snapshot is closed. Any thread. */
LdbPin *ldb_snapshot_pin (LdbSnapshot *self);
LdbPin *ldb_pin_ref (LdbPin *pin);
void ldb_pin_unref (LdbPin *pin);

LdbSnapshot *ldb_snapshot_new (LdbDatabase *database, GError **error);
/* Of a state that is held already. */
LdbSnapshot *ldb_snapshot_new_for_pin (LdbDatabase *database, LdbPin *pin);

G_END_DECLS
