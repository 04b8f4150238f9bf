/* SPDX-License-Identifier: MIT */
/*
 * progress: a bar on the terminal for what takes long, with share, rate and time left. It draws to
 * standard error, ten times a second at most, and only where that is a terminal. Ctrl+C cancels
 * the operation through `cancellable`, at its next report; one of another process at once.
 *
 * Threads: the main thread only.
 */
#pragma once

#include <gio/gio.h>

struct progress
{
  const char *label;         /* what is being done; translated, borrowed */
  GCancellable *cancellable; /* cancelled by Ctrl+C; owned */
  gboolean shown;            /* on a terminal and not --quiet */
  gboolean drawn;            /* a bar stands on the current line */
  gboolean in_bytes;         /* done and total are bytes */
  gint64 begun;              /* g_get_monotonic_time */
  gint64 drawn_at;           /* the same; when it was drawn last */
  GThread *watch;            /* for Ctrl+C; NULL: reports are waited for */
  GMutex lock;               /* guards `ended` */
  GCond ending;              /* `ended` has become TRUE */
  gboolean ended;            /* the watch is over */
};

void progress_begin (struct progress *progress, const char *label, gboolean in_bytes,
                     gboolean quiet);
/* Has Ctrl+C cancel at once: another process does the work, and reports nothing when it is stopped. */
void progress_watch (struct progress *progress);
/* `total` 0: unknown. */
void progress_update (struct progress *progress, guint64 done, guint64 total);
/* What comes now takes a while and says nothing of how far it is. */
void progress_wait (struct progress *progress, const char *label);
/* progress_update as an LdbProgressFunc; `user_data` is the progress. */
void progress_report (guint64 done, guint64 total, const char *step, gpointer user_data);
/* Takes the bar away. Returns the microseconds since progress_begin. */
gint64 progress_end (struct progress *progress);
