/* SPDX-License-Identifier: MIT */
/*
 * LdbCounters: memory for an engine's metrics that other processes of the same user can read: a file
 * on tmpfs, mapped. The counters themselves are in there, so they are exact at any time, also while
 * the process is stopped, and nothing is ever published.
 *
 * It begins without a name, in the runtime directory, and gets one when its database is offered.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LdbCounters LdbCounters;

/* "TOKEN-OBJECT.counters", in the runtime directory; free it. */
char *ldb_counters_file_name (const char *token, guint object);

/* Zeros. NULL: there is no runtime directory on tmpfs, or no room; one does without. */
LdbCounters *ldb_counters_new (gsize size);
LdbCounters *ldb_counters_ref (LdbCounters *self);
void ldb_counters_unref (gpointer self);
gpointer ldb_counters_get_memory (LdbCounters *self);

/* Gives the file its name; once. */
void ldb_counters_link (LdbCounters *self, int directory, const char *name);

/* Opens such a file. It can be read from then on, also when it has lost its name. -1: error. */
int ldb_counters_open (int directory, const char *name, GError **error);

/* What is in it now: a copy, as a mapping could be cut under us. NULL: error. */
GBytes *ldb_counters_copy (int file, GError **error);

/* Reads such a file: a{sx}, each counter and gauge by its name, and how many values each histogram
 * has as NAME_count. NULL: error. */
GVariant *ldb_counters_read (int directory, const char *name, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbCounters, ldb_counters_unref)

G_END_DECLS
