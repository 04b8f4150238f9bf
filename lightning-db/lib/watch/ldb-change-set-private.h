/* SPDX-License-Identifier: MIT */
/*
 * LdbChangeSet inside the library.
 */
#pragma once

#include "ldb-change-set.h"
#include "ldb-hub-private.h"

G_BEGIN_DECLS

/* Of a frame, which is referenced, as its handler is to see it. */
LdbChangeSet *ldb_change_set_new_for_frame (LdbDatabase *database, LdbFrame *frame);
/* Of one commit; the changes (of LdbChange) are taken over. */
LdbChangeSet *ldb_change_set_new_for_commit (LdbDatabase *database, guint64 sequence,
                                             GPtrArray *changes);

/* As another process told it; the changes (of LdbChange) are taken over. */
LdbChangeSet *ldb_change_set_new_told (guint64 since, guint64 sequence, gboolean resync,
                                       GPtrArray *changes);

/* The handler has returned: a snapshot that it did not ask for is not held any longer, however long
 * somebody keeps the set. */
void ldb_change_set_let_go (LdbChangeSet *self);

G_END_DECLS
