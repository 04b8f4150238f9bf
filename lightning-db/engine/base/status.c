/* SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS "…"
#define HEAD_SIZE 200u /* bytes kept of the beginning of a message that is too long */

/* Whether a UTF-8 character goes on here. */
static bool
is_inside_character (char byte)
{
  return ((unsigned char) byte & 0xc0) == 0x80;
}

/* Puts head + tail into the message: of what is too long the middle is left out, so that the end,
 * which says why and what to do, stays. */
static void
message_set (struct failure *failure, const char *head, const char *tail)
{
  size_t head_size = strlen (head), tail_size = strlen (tail);
  char *to = failure->message;
  if (head_size + tail_size >= sizeof failure->message)
    {
      char *whole = malloc (head_size + tail_size + 1);
      if (whole == NULL)
        {
          snprintf (to, sizeof failure->message, "%s", head);
          return;
        }
      memcpy (whole, head, head_size);
      memcpy (whole + head_size, tail, tail_size + 1);
      size_t first = HEAD_SIZE;
      while (first > 0 && is_inside_character (whole[first]))
        first--;
      size_t rest = sizeof failure->message - 1 - sizeof ELLIPSIS - first;
      const char *last = whole + head_size + tail_size - rest;
      while (is_inside_character (*last))
        last++;
      snprintf (to, sizeof failure->message, "%.*s" ELLIPSIS "%s", (int) first, whole, last);
      free (whole);
      return;
    }
  memcpy (to, head, head_size);
  memcpy (to + head_size, tail, tail_size + 1);
}

static void failure_fill (struct failure *, status, int, const char *tail, const char *, va_list)
    __attribute__ ((format (printf, 5, 0)));

static void
failure_fill (struct failure *failure, status code, int system_error, const char *tail,
              const char *format, va_list arguments)
{
  if (failure == NULL || failure->code != STATUS_OK)
    return;
  failure->code = code;
  failure->system_error = system_error;
  char small[FAILURE_MESSAGE_SIZE], *head = small;
  va_list again;
  va_copy (again, arguments);
  int size = vsnprintf (small, sizeof small, format, arguments);
  if (size >= (int) sizeof small && (head = malloc ((size_t) size + 1)) != NULL)
    vsnprintf (head, (size_t) size + 1, format, again);
  va_end (again);
  message_set (failure, head != NULL ? head : small, tail);
  if (head != small)
    free (head);
}

status
fail (struct failure *failure, status code, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  failure_fill (failure, code, 0, "", format, arguments);
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
    case EACCES:
    case EPERM:
      return STATUS_DENIED;
    case ENAMETOOLONG:
      return STATUS_INVALID;
    default:
      return STATUS_IO;
    }
}

static const char *
remedy (status code, int system_error)
{
  switch (system_error)
    {
    case EMFILE:
    case ENFILE:
      return "close other files, or raise the limit on open files (ulimit -n)";
    case EFBIG:
      return "raise the limit on the size of files (ulimit -f), or use a file system for larger "
             "ones";
    case EAGAIN:
      return "end other programs, or raise the limits on threads and memory (ulimit -u, -v)";
    case ELOOP:
      return "remove the symbolic links that lead to each other";
    default:
      break;
    }
  switch (code)
    {
    case STATUS_NO_SPACE:
      return "free some disk space; the next write tries again";
    case STATUS_READ_ONLY:
      return "open the database read-only, or remount the file system writable";
    case STATUS_NO_MEMORY:
      return "close other handles or programs and try again";
    case STATUS_DENIED:
      return "check the owner and the permissions of the directory and its files";
    case STATUS_INVALID:
      return "choose a shorter path";
    default:
      return "check the disk and the permissions of the directory";
    }
}

static status fail_with (struct failure *, int, const char *advice, const char *, va_list)
    __attribute__ ((format (printf, 4, 0)));

static status
fail_with (struct failure *failure, int system_error, const char *advice, const char *format,
           va_list arguments)
{
  char reason[96], tail[256];
  status code = status_from_errno (system_error);
  if (failure == NULL || failure->code != STATUS_OK)
    return code;
  snprintf (tail, sizeof tail, ": %s; %s", strerror_r (system_error, reason, sizeof reason),
            advice != NULL ? advice : remedy (code, system_error));
  failure_fill (failure, code, system_error, tail, format, arguments);
  return code;
}

status
fail_system (struct failure *failure, int system_error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  status code = fail_with (failure, system_error, NULL, format, arguments);
  va_end (arguments);
  return code;
}

status
fail_call (struct failure *failure, int system_error, const char *advice, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  status code = fail_with (failure, system_error, advice, format, arguments);
  va_end (arguments);
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
    [STATUS_DENIED] = "permission-denied",
  };
  if ((unsigned) code >= sizeof names / sizeof *names || names[code] == NULL)
    return "unknown";
  return names[code];
}
