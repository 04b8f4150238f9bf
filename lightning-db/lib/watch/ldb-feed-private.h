/* SPDX-License-Identifier: MIT */
#pragma once

#include "ldb-call-private.h"
#include "ldb-feed.h"

G_BEGIN_DECLS

/* Like engine_feed_new, behind a commit that a caller names: no number of his means something else. */
status ldb_feed_open (struct engine *engine, guint64 since, struct engine_feed **out,
                      struct failure *failure);

/* The call that makes a feed behind the commit call->number. */
LdbCall *ldb_feed_new_call (const LdbPlace *place, guint64 since);

G_END_DECLS
