/* SPDX-License-Identifier: MIT */
#pragma once

#include "ldb-cursor.h"
#include "ldb-place-private.h"

G_BEGIN_DECLS

/* Does not block. `lower` and `upper` are copied. */
LdbCursor *ldb_cursor_new (const LdbPlace *place, struct bytes lower, struct bytes upper,
                           LdbScanFlags flags, GError **error);

/* For a transaction that ends: closes the cursor without asking for the transaction, which the
 * caller has claimed. */
void ldb_cursor_close_claimed (LdbCursor *self);

/* Takes the engine cursor away, leaving a closed cursor; NULL if it was closed. */
struct engine_cursor *ldb_cursor_steal (LdbCursor *self);

G_END_DECLS
