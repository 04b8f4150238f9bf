/* SPDX-License-Identifier: MIT */
/*
 * LdbRunningDatabase inside the library: an advert, and where it was found.
 *
 * Threads: what it says never changes; `running` does, in the context of its list.
 */
#pragma once

#include "ldb-advert-private.h"
#include "ldb-running-database.h"

G_BEGIN_DECLS

struct _LdbRunningDatabase
{
  GObject parent_instance;

  char *folder;     /* where the advert is; owned */
  LdbAdvert advert; /* what it says; owned */
  gint running;     /* boolean; atomic */
};

/* Takes the advert over. */
LdbRunningDatabase *ldb_running_database_new (const char *folder, LdbAdvert *advert);
/* Its process is dead, or shares it no longer; notifies. */
void ldb_running_database_end (LdbRunningDatabase *self);

G_END_DECLS
