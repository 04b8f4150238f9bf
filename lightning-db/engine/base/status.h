/* SPDX-License-Identifier: MIT */
/*
 * status: how every function of the engine reports failure.
 *
 * A failable function returns a `status` and takes a `struct failure *` last (may be NULL).
 * On anything but STATUS_OK and STATUS_NOT_FOUND the failure is filled in: the code again, the
 * system's errno where there was one, and one sentence that says what happened, to which file or
 * key, and what to do. The first failure wins: functions that pass a failure on do not rewrite it.
 *
 * Threads: a `struct failure` belongs to its caller; nothing here is shared.
 */
#ifndef LIGHTNING_BASE_STATUS_H
#define LIGHTNING_BASE_STATUS_H

typedef enum status
{
  STATUS_OK = 0,
  STATUS_NOT_FOUND,       /* the key, store or file is not there; not an error, no message */
  STATUS_INVALID,         /* the caller's argument is wrong */
  STATUS_KEY_TOO_LARGE,   /* a key above KEY_SIZE_MAX */
  STATUS_VALUE_TOO_LARGE, /* a value above VALUE_SIZE_MAX */
  STATUS_NO_MEMORY,       /* an allocation failed; nothing changed */
  STATUS_IO,              /* a system call failed; errno says how */
  STATUS_NO_SPACE,        /* the disk or quota is full; retryable */
  STATUS_CORRUPT,         /* bytes from a file do not verify */
  STATUS_NOT_A_DATABASE,  /* the directory holds something else */
  STATUS_NEWER_FORMAT,    /* written by a later version; left untouched */
  STATUS_EXISTS,          /* create was asked and a database is there */
  STATUS_LOCKED,          /* another process holds the writer role */
  STATUS_READ_ONLY,       /* a write on a read-only handle or medium */
  STATUS_CLOSED,          /* the handle or its database was closed */
  STATUS_FORKED,          /* a handle inherited through fork() */
  STATUS_CONFLICT,        /* another commit changed what this transaction depends on */
  STATUS_TIMED_OUT,       /* the transaction outlived its timeout */
  STATUS_TOO_MANY,        /* a configured limit (transactions, batch size) is reached */
  STATUS_RATE_LIMITED,    /* rate-limit-ops-per-second is reached */
  STATUS_UNKNOWN_OUTCOME, /* a sync failed: durable or not is unknown; reopen */
  STATUS_CANCELLED,       /* the caller's cancel flag was seen; nothing changed */
  STATUS_BUSY,            /* the object is in use by another operation */
  STATUS_MISMATCH,        /* options disagree with those of the open database */
  STATUS_UNSUPPORTED,     /* the build, kernel or file system cannot do it */
  STATUS_HISTORY_GONE,    /* changes that old are no longer kept */
  STATUS_DENIED,          /* the system's permissions forbid it */
} status;

#define FAILURE_MESSAGE_SIZE 480

struct failure
{
  status code;                        /* STATUS_OK until the first failure */
  int system_error;                   /* errno, or 0 */
  char message[FAILURE_MESSAGE_SIZE]; /* UTF-8, one sentence and a remedy, NUL-terminated */
};

#define FAILURE_INIT ((struct failure){ STATUS_OK, 0, "" })

/* FAILURE_INIT clears the whole message; where nothing is likely to fail its first byte will do. */
static inline void
failure_reset (struct failure *failure)
{
  failure->code = STATUS_OK;
  failure->system_error = 0;
  failure->message[0] = '\0';
}

/* Fills `failure` (unless NULL or already filled) and returns `code`. printf-style. Of a message
 * that is too long, because it names a long path, the middle is left out. */
status fail (struct failure *failure, status code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* The same for a failed system call: maps `system_error` to a code (ENOSPC and EDQUOT to
 * STATUS_NO_SPACE, EROFS to STATUS_READ_ONLY, ENOMEM to STATUS_NO_MEMORY, EACCES and EPERM to
 * STATUS_DENIED, ENAMETOOLONG to STATUS_INVALID, else STATUS_IO) and appends strerror and the
 * remedy to the message. */
status fail_system (struct failure *failure, int system_error, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* The same with the caller's `advice` for a remedy, for a call that is not about a file. */
status fail_call (struct failure *failure, int system_error, const char *advice, const char *format,
                  ...) __attribute__ ((format (printf, 4, 5)));

/* The code of a failed allocation of `size` bytes for `purpose`. */
status fail_memory (struct failure *failure, unsigned long long size, const char *purpose);

/* A short stable English name of the code, e.g. "not-found". Static. */
const char *status_name (status code);

#endif
