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
  gint references;                  /* of the LdbSnapshot, reads and cursors */
  struct engine_snapshot *snapshot; /* freed with the last of them */
} LdbPin;

/* A reference, or NULL when the snapshot is closed. Any thread. */
LdbPin *ldb_snapshot_pin (LdbSnapshot *self);
LdbPin *ldb_pin_ref (LdbPin *pin);
void ldb_pin_unref (LdbPin *pin);

LdbSnapshot *ldb_snapshot_new (LdbDatabase *database, GError **error);

G_END_DECLS
