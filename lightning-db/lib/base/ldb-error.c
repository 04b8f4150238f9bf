/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <gio/gio.h>

#include "ldb-error-private.h"

/**
 * ldb_error_quark:
 *
 * The error domain of the library.
 *
 * Any thread.
 *
 * Returns: the domain
 *
 * Since: 0.1
 */
/* clang-format off */
G_DEFINE_QUARK (ldb-error-quark, ldb_error)
/* clang-format on */

/* One row for each status: its code in LDB_ERROR, and the code of GIO that means the same. */
static const struct
{
  LdbError code;
  GIOErrorEnum io_code; /* G_IO_ERROR_FAILED: no counterpart */
} status_table[] = {
  [STATUS_OK] = { LDB_ERROR_FAILED, G_IO_ERROR_FAILED },
  [STATUS_NOT_FOUND] = { LDB_ERROR_NOT_FOUND, G_IO_ERROR_NOT_FOUND },
  [STATUS_INVALID] = { LDB_ERROR_INVALID_ARGUMENT, G_IO_ERROR_INVALID_ARGUMENT },
  [STATUS_KEY_TOO_LARGE] = { LDB_ERROR_KEY_TOO_LARGE, G_IO_ERROR_INVALID_ARGUMENT },
  [STATUS_VALUE_TOO_LARGE] = { LDB_ERROR_VALUE_TOO_LARGE, G_IO_ERROR_INVALID_ARGUMENT },
  [STATUS_NO_MEMORY] = { LDB_ERROR_NO_MEMORY, G_IO_ERROR_FAILED },
  [STATUS_IO] = { LDB_ERROR_IO, G_IO_ERROR_FAILED },
  [STATUS_NO_SPACE] = { LDB_ERROR_NO_SPACE, G_IO_ERROR_NO_SPACE },
  [STATUS_CORRUPT] = { LDB_ERROR_CORRUPT, G_IO_ERROR_INVALID_DATA },
  [STATUS_NOT_A_DATABASE] = { LDB_ERROR_NOT_A_DATABASE, G_IO_ERROR_INVALID_DATA },
  [STATUS_NEWER_FORMAT] = { LDB_ERROR_NEWER_FORMAT, G_IO_ERROR_NOT_SUPPORTED },
  [STATUS_EXISTS] = { LDB_ERROR_EXISTS, G_IO_ERROR_EXISTS },
  [STATUS_LOCKED] = { LDB_ERROR_LOCKED, G_IO_ERROR_BUSY },
  [STATUS_READ_ONLY] = { LDB_ERROR_READ_ONLY, G_IO_ERROR_READ_ONLY },
  [STATUS_CLOSED] = { LDB_ERROR_CLOSED, G_IO_ERROR_CLOSED },
  [STATUS_FORKED] = { LDB_ERROR_FORKED, G_IO_ERROR_FAILED },
  [STATUS_CONFLICT] = { LDB_ERROR_CONFLICT, G_IO_ERROR_FAILED },
  [STATUS_TIMED_OUT] = { LDB_ERROR_TIMED_OUT, G_IO_ERROR_TIMED_OUT },
  [STATUS_TOO_MANY] = { LDB_ERROR_LIMIT_EXCEEDED, G_IO_ERROR_FAILED },
  [STATUS_RATE_LIMITED] = { LDB_ERROR_RATE_LIMITED, G_IO_ERROR_BUSY },
  [STATUS_UNKNOWN_OUTCOME] = { LDB_ERROR_UNKNOWN_OUTCOME, G_IO_ERROR_FAILED },
  [STATUS_CANCELLED] = { LDB_ERROR_FAILED, G_IO_ERROR_CANCELLED },
  [STATUS_BUSY] = { LDB_ERROR_PENDING, G_IO_ERROR_PENDING },
  [STATUS_MISMATCH] = { LDB_ERROR_OPTIONS_MISMATCH, G_IO_ERROR_FAILED },
  [STATUS_UNSUPPORTED] = { LDB_ERROR_UNSUPPORTED, G_IO_ERROR_NOT_SUPPORTED },
  [STATUS_HISTORY_GONE] = { LDB_ERROR_HISTORY_GONE, G_IO_ERROR_FAILED },
  [STATUS_DENIED] = { LDB_ERROR_PERMISSION_DENIED, G_IO_ERROR_PERMISSION_DENIED },
};

LdbError
ldb_error_from_status (status code)
{
  if ((gsize) code >= G_N_ELEMENTS (status_table))
    return LDB_ERROR_FAILED;
  return status_table[code].code;
}

/* What to say when the engine said nothing (only STATUS_NOT_FOUND may). */
static const char *
failure_message (status code, const struct failure *failure)
{
  if (failure != NULL && failure->message[0] != '\0')
    return failure->message;
  return status_name (code);
}

gboolean
ldb_error_take_failure (GError **error, status code, const struct failure *failure)
{
  if (code == STATUS_CANCELLED)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");
  else
    {
      /* A message may quote a file name or key; a GError's message has to be UTF-8. */
      g_autofree char *message = g_utf8_make_valid (failure_message (code, failure), -1);
      g_set_error_literal (error, LDB_ERROR, (int) ldb_error_from_status (code), message);
    }
  return FALSE;
}

gboolean
ldb_error_set (GError **error, LdbError code, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *message = g_utf8_make_valid (text, -1);
  g_set_error_literal (error, LDB_ERROR, (int) code, message);
  return FALSE;
}

gboolean
ldb_error_check_path (GError **error, status code, const struct failure *failure, const char *path)
{
  if (code == STATUS_NOT_FOUND && failure->message[0] == '\0')
    return ldb_error_set (error, LDB_ERROR_NOT_FOUND,
                          "There is no database \"%s\"; check the path.", path);
  return ldb_error_check (error, code, failure);
}

void
ldb_error_register_names (void)
{
#define NAME(name) "org.lightningdb.Error." name
  static const GDBusErrorEntry names[] = {
    { LDB_ERROR_FAILED, NAME ("Failed") },
    { LDB_ERROR_INVALID_ARGUMENT, NAME ("InvalidArgument") },
    { LDB_ERROR_NOT_FOUND, NAME ("NotFound") },
    { LDB_ERROR_EXISTS, NAME ("Exists") },
    { LDB_ERROR_KEY_TOO_LARGE, NAME ("KeyTooLarge") },
    { LDB_ERROR_VALUE_TOO_LARGE, NAME ("ValueTooLarge") },
    { LDB_ERROR_WRONG_TYPE, NAME ("WrongType") },
    { LDB_ERROR_NO_MEMORY, NAME ("NoMemory") },
    { LDB_ERROR_IO, NAME ("Io") },
    { LDB_ERROR_NO_SPACE, NAME ("NoSpace") },
    { LDB_ERROR_CORRUPT, NAME ("Corrupt") },
    { LDB_ERROR_NOT_A_DATABASE, NAME ("NotADatabase") },
    { LDB_ERROR_NEWER_FORMAT, NAME ("NewerFormat") },
    { LDB_ERROR_LOCKED, NAME ("Locked") },
    { LDB_ERROR_READ_ONLY, NAME ("ReadOnly") },
    { LDB_ERROR_CLOSED, NAME ("Closed") },
    { LDB_ERROR_FORKED, NAME ("Forked") },
    { LDB_ERROR_CONFLICT, NAME ("Conflict") },
    { LDB_ERROR_TIMED_OUT, NAME ("TimedOut") },
    { LDB_ERROR_TOO_MANY_TRANSACTIONS, NAME ("TooManyTransactions") },
    { LDB_ERROR_LIMIT_EXCEEDED, NAME ("LimitExceeded") },
    { LDB_ERROR_RATE_LIMITED, NAME ("RateLimited") },
    { LDB_ERROR_UNKNOWN_OUTCOME, NAME ("UnknownOutcome") },
    { LDB_ERROR_PENDING, NAME ("Pending") },
    { LDB_ERROR_OPTIONS_MISMATCH, NAME ("OptionsMismatch") },
    { LDB_ERROR_UNSUPPORTED, NAME ("Unsupported") },
    { LDB_ERROR_HISTORY_GONE, NAME ("HistoryGone") },
    { LDB_ERROR_PERMISSION_DENIED, NAME ("PermissionDenied") },
  };
#undef NAME
  static gsize domain;
  g_dbus_error_register_error_domain ("ldb-error-quark", &domain, names, G_N_ELEMENTS (names));
}

/**
 * ldb_error_matches_io:
 * @error: (nullable): an error, or %NULL
 * @code: a code of [error@Gio.IOErrorEnum]
 *
 * Whether an error means what a code of GIO means, for callers that handle both kinds.
 *
 * %LDB_ERROR_NOT_FOUND matches %G_IO_ERROR_NOT_FOUND, %LDB_ERROR_NO_SPACE matches
 * %G_IO_ERROR_NO_SPACE, and in the same way `EXISTS`, `READ_ONLY`, `CLOSED`, `PENDING` and
 * `TIMED_OUT` and `PERMISSION_DENIED` match their namesakes; `LOCKED` and `RATE_LIMITED` match
 * %G_IO_ERROR_BUSY, `CORRUPT` and `NOT_A_DATABASE` match %G_IO_ERROR_INVALID_DATA, `NEWER_FORMAT`
 * and `UNSUPPORTED` match %G_IO_ERROR_NOT_SUPPORTED, and wrong arguments match
 * %G_IO_ERROR_INVALID_ARGUMENT. An error of [error@Gio.IOErrorEnum] matches its own code.
 *
 * Any thread.
 *
 * Returns: %TRUE if it does
 *
 * Since: 0.1
 */
gboolean
ldb_error_matches_io (const GError *error, GIOErrorEnum code)
{
  if (error == NULL)
    return FALSE;
  if (error->domain == G_IO_ERROR)
    return error->code == (int) code;
  if (error->domain != LDB_ERROR || code == G_IO_ERROR_FAILED)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (status_table); i++)
    if ((int) status_table[i].code == error->code && status_table[i].io_code == code
        && i != STATUS_CANCELLED)
      return TRUE;
  return FALSE;
}
