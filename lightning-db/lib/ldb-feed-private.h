/* SPDX-License-Identifier: MIT */
#pragma once

#include "ldb-call-private.h"
#include "ldb-feed.h"

G_BEGIN_DECLS

/* The call that makes a feed behind the commit call->number. */
LdbCall *ldb_feed_new_call (const LdbPlace *place, guint64 since);

G_END_DECLS
