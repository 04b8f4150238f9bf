/* SPDX-License-Identifier: MIT */
/*
 * The tour's proof of crash safety. A child process commits transactions over two stores, and after
 * each commit sends its number through a pipe; the parent survives, kills the child at a random
 * moment, and then looks at what the database holds.
 */
#pragma once

#include <lightning-db.h>

struct tour_crash_result
{
  guint64 present;                   /* transactions in the database now */
  guint64 kept;                      /* of them, those whose acknowledgement never came */
  gint64 opening_microseconds;       /* of all openings after a kill */
  gint64 worst_opening_microseconds; /* the longest of them */
};

/* The child: commits until it is killed, acknowledging on standard output. */
int tour_crash_write (const char *path);
/* The parent: one child, one kill, one recovery. FALSE: something acknowledged is missing or half
 * applied. */
gboolean tour_crash_once (const char *path, struct tour_crash_result *result, GError **error);
