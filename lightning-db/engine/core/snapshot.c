/* SPDX-License-Identifier: MIT */
/*
 * snapshot: one state of the database, held for whoever reads it. All that are held: snapshots.c.
 */
#include "core/engine-private.h"

#include <stdlib.h>

status
snapshot_hold (struct engine_snapshot *out, struct failure *failure)
{
  struct engine *engine = out->engine;
  out->view = NULL;
  out->slot = NULL;
  if (!atomic_load_explicit (&engine->follows, memory_order_acquire))
    return snapshots_hold (&engine->snapshots, &engine->published, &out->slot, &out->sequence,
                           failure);
  out->view = engine_view (engine); /* L1: before the sequence */
  if (out->view == NULL)
    return engine_enter_slow (engine, failure);
  out->sequence = engine_visible_in (engine, out->view);
  return STATUS_OK;
}

status
snapshot_share (const struct engine_snapshot *from, struct engine_snapshot *out,
                struct failure *failure)
{
  *out = (struct engine_snapshot){ .engine = from->engine, .sequence = from->sequence };
  if (from->view == NULL)
    return snapshots_share (&from->engine->snapshots, from->sequence, &out->slot, failure);
  if (view_try_ref (from->view)) /* it is held: always */
    out->view = from->view;
  return STATUS_OK;
}

void
snapshot_let_go (struct engine_snapshot *snapshot)
{
  if (snapshot->engine != NULL)
    snapshots_drop (&snapshot->engine->snapshots, snapshot->slot);
  /* Here the view was that of another process's files. The present one is held by the engine, so
   * this one was replaced, and files of it may be open for nobody but us. */
  if (view_unref (snapshot->view))
    engine_collect_soon ();
  snapshot->slot = NULL;
  snapshot->view = NULL;
}

status
engine_snapshot_new (struct engine *engine, struct engine_snapshot **out, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK)
    return result;
  struct engine_snapshot *snapshot = malloc (sizeof *snapshot);
  if (snapshot == NULL)
    return fail_memory (failure, sizeof *snapshot, "a snapshot");
  snapshot->engine = engine;
  result = snapshot_hold (snapshot, failure);
  if (result != STATUS_OK)
    {
      free (snapshot);
      return result;
    }
  engine_ref (engine);
  *out = snapshot;
  return STATUS_OK;
}

uint64_t
engine_snapshot_sequence (const struct engine_snapshot *snapshot)
{
  return snapshot->sequence;
}

bool
engine_snapshot_is_current (const struct engine_snapshot *snapshot)
{
  return snapshot->view == NULL || snapshot->view == atomic_load (&snapshot->engine->view);
}

void
engine_snapshot_free (struct engine_snapshot *snapshot)
{
  if (snapshot == NULL)
    return;
  snapshot_let_go (snapshot);
  engine_unref (snapshot->engine);
  free (snapshot);
}
