/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine.h"
#include "ldb-storage-map.h"
#include "ldb-storage-node-private.h"

G_BEGIN_DECLS

struct _LdbStorageMap
{
  GObject parent_instance;

  LdbStorageNode *root; /* owned */
  GListStore *stores;   /* of LdbStorageNode; owned */
  GHashTable *segments; /* number → LdbStorageNode; keys and values borrowed from the nodes */
  GPtrArray *faults;    /* of LdbFault; owned */
  guint64 sequence;     /* the newest commit when it was taken */
  gint64 time;          /* microseconds since 1970 */
};

/* A map of the database now. On a worker. */
LdbStorageMap *ldb_storage_map_load (LdbDatabase *database, GCancellable *cancellable,
                                     GError **error);
/* As members of an object. */
void ldb_storage_map_write_json (LdbStorageMap *self, LdbJson *json);

G_END_DECLS
