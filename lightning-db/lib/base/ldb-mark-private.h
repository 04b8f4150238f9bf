/* SPDX-License-Identifier: MIT */
/*
 * Marks of what takes its time, for Sysprof: written while the process runs under it and the library was
 * built with its capture library (meson option sysprof); else nothing.
 *
 * A mark says when it began itself, so it may be written later, and by another thread. It goes to a ring
 * in memory that the recorder shares with the thread, so what is written is there when the process ends,
 * however it does. A thread's first mark asks the recorder for the ring and waits for it: no lock is
 * to be held.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether somebody records. */
gboolean ldb_mark_is_wanted (void);
/* Now, for ldb_mark_end; costs nothing when nobody records. */
gint64 ldb_mark_begin (void);
/* A stretch of time from then on. `name` in a word; `detail` may be NULL. */
void ldb_mark_end (gint64 begun, const char *name, const char *detail);
/* One that ended at `end`, microseconds since 1970, and took so many nanoseconds. */
void ldb_mark_past (gint64 end, guint64 duration, const char *name, const char *detail);

G_END_DECLS
