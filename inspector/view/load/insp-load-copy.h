/* SPDX-License-Identifier: MIT */
/*
 * A copy of a database's records, made by reading it: beside the application that writes to it, without
 * its consent and without writing anything to it. It has the records of one commit; its files are its own.
 *
 * Threads: any; blocks.
 */
#pragma once

#include <lightning-db.h>

G_BEGIN_DECLS

/* Told now and then; gives FALSE to give up. */
typedef gboolean (*InspLoadCopyProgress) (guint64 records, gpointer data);

/* From the folder `from` to the folder `to`, where nothing is yet. */
gboolean insp_load_copy (const char *from, const char *to, InspLoadCopyProgress progress,
                         gpointer data, GCancellable *cancellable, GError **error);

G_END_DECLS
