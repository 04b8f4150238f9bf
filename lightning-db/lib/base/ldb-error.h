/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include <gio/gio.h>

#include "ldb-version.h"

G_BEGIN_DECLS

/**
 * LDB_ERROR:
 *
 * The error domain of the library; its codes are [error@Ldb.Error].
 *
 * Since: 0.1
 */
#define LDB_ERROR (ldb_error_quark ())

/**
 * LdbError:
 * @LDB_ERROR_FAILED: none of the others; the message says what
 * @LDB_ERROR_INVALID_ARGUMENT: an argument or option is wrong; the message names it and its range;
 *   also a path that is no directory
 * @LDB_ERROR_NOT_FOUND: the database, directory or store is not there, or was dropped (an absent key
 *   is no error)
 * @LDB_ERROR_EXISTS: there is one already
 * @LDB_ERROR_KEY_TOO_LARGE: a key above 65,536 bytes
 * @LDB_ERROR_VALUE_TOO_LARGE: a value above 1 GiB
 * @LDB_ERROR_WRONG_TYPE: the value is no UTF-8 string, or no variant of the asked type
 * @LDB_ERROR_NO_MEMORY: an allocation failed; nothing changed
 * @LDB_ERROR_IO: the operating system reported an I/O error
 * @LDB_ERROR_NO_SPACE: the disk or quota is full; try again when there is room
 * @LDB_ERROR_CORRUPT: stored bytes do not verify; the message names file and page
 * @LDB_ERROR_NOT_A_DATABASE: the directory holds something else
 * @LDB_ERROR_NEWER_FORMAT: written by a later version of the library; left untouched
 * @LDB_ERROR_LOCKED: another process writes to the database
 * @LDB_ERROR_READ_ONLY: a write to a read-only handle, transaction or medium
 * @LDB_ERROR_CLOSED: the object, its transaction or its database was closed
 * @LDB_ERROR_FORKED: the object was inherited through fork(); open the database anew
 * @LDB_ERROR_CONFLICT: another commit changed what this transaction depends on; begin it again
 * @LDB_ERROR_TIMED_OUT: the transaction outlived its timeout and was rolled back
 * @LDB_ERROR_TOO_MANY_TRANSACTIONS: [property@Ldb.Options:max-active-transactions] is reached
 * @LDB_ERROR_LIMIT_EXCEEDED: a batch or transaction grew beyond its limit
 * @LDB_ERROR_RATE_LIMITED: [property@Ldb.Options:rate-limit-ops-per-second] is reached
 * @LDB_ERROR_UNKNOWN_OUTCOME: a sync failed: whether the commit is durable is unknown; close all
 *   handles and open the database again
 * @LDB_ERROR_PENDING: another operation on this object has not finished
 * @LDB_ERROR_OPTIONS_MISMATCH: the database is open in this process with other options
 * @LDB_ERROR_UNSUPPORTED: this build, kernel or file system cannot do it
 * @LDB_ERROR_HISTORY_GONE: changes that old are no longer kept
 * @LDB_ERROR_PERMISSION_DENIED: the permissions of the directory or a file in it forbid it
 *
 * What went wrong. A cancelled operation fails with %G_IO_ERROR_CANCELLED instead; see
 * [func@Ldb.Error.matches_io] for the codes that have a counterpart in [error@Gio.IOErrorEnum].
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_ERROR_FAILED = 0,
  LDB_ERROR_INVALID_ARGUMENT = 1,
  LDB_ERROR_NOT_FOUND = 2,
  LDB_ERROR_EXISTS = 3,
  LDB_ERROR_KEY_TOO_LARGE = 4,
  LDB_ERROR_VALUE_TOO_LARGE = 5,
  LDB_ERROR_WRONG_TYPE = 6,
  LDB_ERROR_NO_MEMORY = 7,
  LDB_ERROR_IO = 8,
  LDB_ERROR_NO_SPACE = 9,
  LDB_ERROR_CORRUPT = 10,
  LDB_ERROR_NOT_A_DATABASE = 11,
  LDB_ERROR_NEWER_FORMAT = 12,
  LDB_ERROR_LOCKED = 13,
  LDB_ERROR_READ_ONLY = 14,
  LDB_ERROR_CLOSED = 15,
  LDB_ERROR_FORKED = 16,
  LDB_ERROR_CONFLICT = 17,
  LDB_ERROR_TIMED_OUT = 18,
  LDB_ERROR_TOO_MANY_TRANSACTIONS = 19,
  LDB_ERROR_LIMIT_EXCEEDED = 20,
  LDB_ERROR_RATE_LIMITED = 21,
  LDB_ERROR_UNKNOWN_OUTCOME = 22,
  LDB_ERROR_PENDING = 23,
  LDB_ERROR_OPTIONS_MISMATCH = 24,
  LDB_ERROR_UNSUPPORTED = 25,
  LDB_ERROR_HISTORY_GONE = 26,
  LDB_ERROR_PERMISSION_DENIED = 27,
} LdbError;

LDB_AVAILABLE_IN_ALL
GQuark ldb_error_quark (void);
LDB_AVAILABLE_IN_ALL
gboolean ldb_error_matches_io (const GError *error, GIOErrorEnum code);

G_END_DECLS
