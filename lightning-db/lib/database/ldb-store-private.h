/* SPDX-License-Identifier: MIT */
#pragma once

#include "ldb-database.h"
#include "ldb-place-private.h"
#include "ldb-store.h"

G_BEGIN_DECLS

struct _LdbStore
{
  GObject parent_instance;

  LdbPlace place; /* itself, now; the database is owned, the number is for ever */
  char *name;     /* UTF-8 */
};

/* The stores that are there now: number → name, owned. NULL with an error. */
GHashTable *ldb_store_list_names (struct engine *engine, GError **error);

G_END_DECLS
