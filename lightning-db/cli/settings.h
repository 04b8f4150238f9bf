/* SPDX-License-Identifier: MIT */
/*
 * settings: NAME=VALUE, as --option takes them, to properties of LdbOptions.
 * Threads: no state.
 */
#pragma once

#include <lightning-db.h>

/* NULL-terminated, or NULL. FALSE: an error that names the setting and what it may be. */
gboolean settings_apply (LdbOptions *options, const char *const *settings, GError **error);
/* A number of bytes: 64, 64KiB, 512MB, 1G. */
gboolean settings_parse_size (const char *text, guint64 *size);
/* The names of all options, for completion. NULL-terminated; free it. */
char **settings_names (void);
