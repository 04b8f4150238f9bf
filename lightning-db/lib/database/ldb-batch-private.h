/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine.h"
#include "ldb-batch.h"

G_BEGIN_DECLS

struct _LdbBatch
{
  GObject parent_instance;

  struct engine_batch *batch; /* made with the first operation */
  LdbDatabase *database;      /* whose stores it names, or NULL; owned */
  guint64 sequence;           /* of its last commit, or 0 */
  gint busy;                  /* taken while a call is under way; see ldb_busy_enter */
};

/* With the batch claimed: commits it to a database. */
gboolean ldb_batch_write_claimed (LdbBatch *self, LdbDatabase *database, LdbSyncMode sync,
                                  GError **error);

G_END_DECLS
