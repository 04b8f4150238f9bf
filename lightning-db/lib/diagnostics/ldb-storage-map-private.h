/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine.h"
#include "ldb-storage-map.h"
#include "ldb-storage-node-private.h"

G_BEGIN_DECLS

/* A map of the database now. On a worker. */
LdbStorageMap *ldb_storage_map_load (LdbDatabase *database, GCancellable *cancellable,
                                     GError **error);
/* As members of an object. */
void ldb_storage_map_write_json (LdbStorageMap *self, LdbJson *json);

G_END_DECLS
