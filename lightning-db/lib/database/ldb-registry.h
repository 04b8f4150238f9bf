/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_REGISTRY (ldb_registry_get_type ())
LDB_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (LdbRegistry, ldb_registry, LDB, REGISTRY, GObject)

/* Signals, in the main context that was the thread's default when the registry was made:
 * database-opened (LdbDatabase *database), database-closed (const char *path). */
LDB_AVAILABLE_IN_ALL
LdbRegistry *ldb_registry_new (void);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_registry_list (LdbRegistry *self);

G_END_DECLS
