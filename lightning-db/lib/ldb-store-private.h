/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine.h"
#include "ldb-database.h"
#include "ldb-store.h"

G_BEGIN_DECLS

struct _LdbStore
{
  GObject parent_instance;

  LdbDatabase *database; /* owned */
  char *name;            /* UTF-8 */
  engine_store id;       /* its number, for ever */
};

G_END_DECLS
