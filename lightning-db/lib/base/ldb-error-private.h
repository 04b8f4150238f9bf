/* SPDX-License-Identifier: MIT */
/*
 * How the engine's failures become GErrors.
 */
#pragma once

#include "base/status.h"
#include "ldb-error.h"

G_BEGIN_DECLS

/* The code of LDB_ERROR for `code`; FAILED for STATUS_OK. */
LdbError ldb_error_from_status (status code);

/* Sets `error` from a failed engine call and returns FALSE, so that callers can return it.
 * STATUS_NOT_FOUND carries no message of its own: use ldb_error_set where it is an error. */
gboolean ldb_error_take_failure (GError **error, status code, const struct failure *failure);

/* TRUE when `code` is fine; else the same. */
static inline gboolean
ldb_error_check (GError **error, status code, const struct failure *failure)
{
  return G_LIKELY (code == STATUS_OK) || ldb_error_take_failure (error, code, failure);
}

/* The same; names the path where the engine says only that there is nothing. */
gboolean ldb_error_check_path (GError **error, status code, const struct failure *failure,
                               const char *path);

/* Sets `error` and returns FALSE. */
gboolean ldb_error_set (GError **error, LdbError code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* Has GDBus know each code as org.lightningdb.Error.NAME, both ways. Any number of times. */
void ldb_error_register_names (void);

G_END_DECLS
