/* SPDX-License-Identifier: MIT */
/*
 * error: the codes that callers see. They are part of the binary interface: a code is never given
 * another number or meaning, and new ones go on below the last.
 */
#include "caller.h"

LightningDBError
error_from_status (status result)
{
  static const LightningDBError codes[] = {
    [STATUS_OK] = Success,
    [STATUS_NOT_FOUND] = NotFound,
    [STATUS_INVALID] = InvalidArgument,
    [STATUS_KEY_TOO_LARGE] = KeyTooLarge,
    [STATUS_VALUE_TOO_LARGE] = ValueTooLarge,
    [STATUS_NO_MEMORY] = OutOfMemory,
    [STATUS_IO] = IoError,
    [STATUS_NO_SPACE] = DiskFull,
    [STATUS_CORRUPT] = CorruptedData,
    [STATUS_NOT_A_DATABASE] = NotADatabase,
    [STATUS_NEWER_FORMAT] = NewerFormat,
    [STATUS_EXISTS] = AlreadyExists,
    [STATUS_LOCKED] = DatabaseLocked,
    [STATUS_READ_ONLY] = DatabaseReadOnly,
    [STATUS_CLOSED] = DatabaseClosed,
    [STATUS_FORKED] = ForkedProcess,
    [STATUS_CONFLICT] = TransactionConflict,
    [STATUS_TIMED_OUT] = TransactionTimedOut,
    [STATUS_TOO_MANY] = LimitExceeded,
    [STATUS_RATE_LIMITED] = RateLimited,
    [STATUS_UNKNOWN_OUTCOME] = OutcomeUnknown,
    [STATUS_CANCELLED] = OperationCancelled,
    [STATUS_BUSY] = OperationBusy,
    [STATUS_MISMATCH] = OptionsMismatch,
    [STATUS_UNSUPPORTED] = NotSupported,
    [STATUS_HISTORY_GONE] = HistoryGone,
    [STATUS_DENIED] = PermissionDenied,
  };
  if ((size_t) result >= sizeof codes / sizeof *codes
      || (codes[result] == Success && result != STATUS_OK))
    return UnknownError;
  return codes[result];
}

const char *
lightning_db_error_string (LightningDBError error)
{
  switch ((int) error)
    {
    case Success:
      return "Success";
    case NullPointer:
      return "Null pointer";
    case InvalidUtf8:
      return "Invalid UTF-8";
    case IoError:
      return "I/O error";
    case CorruptedData:
      return "Corrupted data";
    case InvalidArgument:
      return "Invalid argument";
    case OutOfMemory:
      return "Out of memory";
    case DatabaseLocked:
      return "Database locked";
    case TransactionConflict:
      return "Transaction conflict";
    case InvalidHandle:
      return "Invalid handle";
    case InvalidTransaction:
      return "Invalid transaction";
    case NotFound:
      return "Not found";
    case AlreadyExists:
      return "Already exists";
    case NotADatabase:
      return "Not a database";
    case NewerFormat:
      return "Written by a newer version";
    case KeyTooLarge:
      return "Key too large";
    case ValueTooLarge:
      return "Value too large";
    case DiskFull:
      return "Disk full";
    case PermissionDenied:
      return "Permission denied";
    case DatabaseReadOnly:
      return "Database read-only";
    case DatabaseClosed:
      return "Database closed";
    case ForkedProcess:
      return "Handle of the parent process";
    case TransactionTimedOut:
      return "Transaction timed out";
    case LimitExceeded:
      return "Limit exceeded";
    case RateLimited:
      return "Rate limited";
    case OutcomeUnknown:
      return "Outcome unknown";
    case OperationCancelled:
      return "Operation cancelled";
    case OperationBusy:
      return "Operation busy";
    case OptionsMismatch:
      return "Options mismatch";
    case NotSupported:
      return "Not supported";
    case HistoryGone:
      return "History gone";
    case BufferTooSmall:
      return "Buffer too small";
    default:
      return "Unknown error";
    }
}
