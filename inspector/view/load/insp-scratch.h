/* SPDX-License-Identifier: MIT */
/*
 * InspScratch: a folder of our own for a database that is thrown away, in the user's cache.
 *
 *   …/lightning-inspector/scratch/database-XXXXXX/owner   locked as long as its program lives
 *                                                 NAME/   the database
 *
 * A folder whose owner is locked by nobody was left behind by a program that crashed, and is removed by the
 * next one: insp_scratch_sweep(). What has no such file, or has another name, is not ours and stays.
 *
 * Threads: any.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _InspScratch InspScratch;

/* Where all of them are. Free it. */
char *insp_scratch_get_root (void);

/* Makes one for a database of that name; NULL with `error`: it cannot be made. */
InspScratch *insp_scratch_new (const char *name, GError **error);
/* Where the database is to be; nothing is there yet. */
const char *insp_scratch_get_path (InspScratch *self);
/* Removes it and all that is in it. */
void insp_scratch_free (InspScratch *self);
/* Forgets it as a crash does: for tests. */
void insp_scratch_abandon (InspScratch *self);

/* Bytes that can be written there; 0: unknown. */
guint64 insp_scratch_get_room (InspScratch *self);

/* Removes what crashed programs left. Returns how many folders that were. */
guint insp_scratch_sweep (void);
/* The same without waiting for it, once in the life of a program, if there is anything at all. */
void insp_scratch_sweep_once (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (InspScratch, insp_scratch_free)

G_END_DECLS
