/* SPDX-License-Identifier: MIT */
/*
 * LdbWatch inside the library: how databases and stores make them.
 */
#pragma once

#include "ldb-place-private.h"
#include "ldb-watch.h"

G_BEGIN_DECLS

/* All of `place`'s database or store; `store` is the object for it, or NULL for the default one. */
LdbWatch *ldb_watch_new_key (const LdbPlace *place, LdbStore *store, gconstpointer key,
                             gsize key_length, LdbWatchFlags flags, GError **error);
LdbWatch *ldb_watch_new_prefix (const LdbPlace *place, LdbStore *store, gconstpointer prefix,
                                gsize prefix_length, LdbWatchFlags flags, GError **error);
LdbWatch *ldb_watch_new_range (const LdbPlace *place, LdbStore *store, gconstpointer start,
                               gsize start_length, gconstpointer end, gsize end_length,
                               LdbWatchFlags flags, GError **error);
/* Of every store. */
LdbWatch *ldb_watch_new_stores (const LdbPlace *place, LdbWatchFlags flags, GError **error);

G_END_DECLS
