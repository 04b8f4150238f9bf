/* SPDX-License-Identifier: MIT */
/*
 * own-load: what a command reads itself where no application works on the database and shares it:
 * keys at random, each time the same ones.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

typedef struct own_load
{
  LdbDatabase *database; /* read-only; owned; NULL: not opened */
  GPtrArray *keys;       /* GBytes: the first ones of the default store; owned */
} own_load;

/* Opens the database, and notes which keys there are. FALSE: error. */
gboolean own_load_open (struct own_load *self, const char *path, GError **error);
/* Reads until then (g_get_monotonic_time()), or until Ctrl+C; at least once. FALSE: error. */
gboolean own_load_run (struct own_load *self, gint64 until, GError **error);
void own_load_clear (struct own_load *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (own_load, own_load_clear)

/* Whether --duration can be that. FALSE: error. */
gboolean own_load_check_duration (double seconds, GError **error);
