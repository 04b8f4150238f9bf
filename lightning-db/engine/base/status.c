/* SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void failure_fill (struct failure *, status, int, const char *, va_list)
    __attribute__ ((format (printf, 4, 0)));

static void
failure_fill (struct failure *failure, status code, int system_error, const char *format,
              va_list arguments)
{
  if (failure == NULL || failure->code != STATUS_OK)
    return;
  failure->code = code;
  failure->system_error = system_error;
  vsnprintf (failure->message, sizeof failure->message, format, arguments);
}

status
fail (struct failure *failure, status code, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  failure_fill (failure, code, 0, format, arguments);
  va_end (arguments);
  return code;
}

static status
status_from_errno (int system_error)
{
  switch (system_error)
    {
    case ENOSPC:
    case EDQUOT:
      return STATUS_NO_SPACE;
    case EROFS:
      return STATUS_READ_ONLY;
    case ENOMEM:
      return STATUS_NO_MEMORY;
    default:
      return STATUS_IO;
    }
}

static const char *
remedy (status code)
{
  switch (code)
    {
    case STATUS_NO_SPACE:
      return "free some disk space; the next write tries again";
    case STATUS_READ_ONLY:
      return "open the database read-only, or remount the file system writable";
    case STATUS_NO_MEMORY:
      return "close other handles or programs and try again";
    default:
      return "check the disk and the permissions of the directory";
    }
}

status
fail_system (struct failure *failure, int system_error, const char *format, ...)
{
  status code = status_from_errno (system_error);
  if (failure == NULL || failure->code != STATUS_OK)
    return code;

  va_list arguments;
  va_start (arguments, format);
  failure_fill (failure, code, system_error, format, arguments);
  va_end (arguments);

  char reason[96];
  size_t used = strlen (failure->message);
  snprintf (failure->message + used, sizeof failure->message - used, ": %s; %s",
            strerror_r (system_error, reason, sizeof reason), remedy (code));
  return code;
}

status
fail_memory (struct failure *failure, unsigned long long size, const char *purpose)
{
  return fail (failure, STATUS_NO_MEMORY,
               "out of memory: %llu bytes for %s could not be allocated; nothing was changed", size,
               purpose);
}

const char *
status_name (status code)
{
  static const char *const names[] = {
    [STATUS_OK] = "ok",
    [STATUS_NOT_FOUND] = "not-found",
    [STATUS_INVALID] = "invalid-argument",
    [STATUS_KEY_TOO_LARGE] = "key-too-large",
    [STATUS_VALUE_TOO_LARGE] = "value-too-large",
    [STATUS_NO_MEMORY] = "no-memory",
    [STATUS_IO] = "io",
    [STATUS_NO_SPACE] = "no-space",
    [STATUS_CORRUPT] = "corrupt",
    [STATUS_NOT_A_DATABASE] = "not-a-database",
    [STATUS_NEWER_FORMAT] = "newer-format",
    [STATUS_EXISTS] = "exists",
    [STATUS_LOCKED] = "locked",
    [STATUS_READ_ONLY] = "read-only",
    [STATUS_CLOSED] = "closed",
    [STATUS_FORKED] = "forked",
    [STATUS_CONFLICT] = "conflict",
    [STATUS_TIMED_OUT] = "timed-out",
    [STATUS_TOO_MANY] = "too-many",
    [STATUS_RATE_LIMITED] = "rate-limited",
    [STATUS_UNKNOWN_OUTCOME] = "unknown-outcome",
    [STATUS_CANCELLED] = "cancelled",
    [STATUS_BUSY] = "busy",
    [STATUS_MISMATCH] = "mismatch",
    [STATUS_UNSUPPORTED] = "unsupported",
    [STATUS_HISTORY_GONE] = "history-gone",
  };
  if ((unsigned) code >= sizeof names / sizeof *names || names[code] == NULL)
    return "unknown";
  return names[code];
}
