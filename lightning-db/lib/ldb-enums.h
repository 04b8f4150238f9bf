/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include <glib-object.h>

#include "ldb-version.h"

G_BEGIN_DECLS

/**
 * LdbOpenFlags:
 * @LDB_OPEN_NONE: open what exists, for reading and writing
 * @LDB_OPEN_CREATE: create it when it is missing
 * @LDB_OPEN_EXCLUSIVE: with %LDB_OPEN_CREATE: fail with %LDB_ERROR_EXISTS when it exists
 * @LDB_OPEN_READ_ONLY: write nothing and hold up nobody; works beside a writing process, and
 *   follows it: what is committed there is seen, and told to watches, within milliseconds
 * @LDB_OPEN_STATIC: with %LDB_OPEN_READ_ONLY: do not follow, but stay as of the opening, unless
 *   another handle of this process shows more; works on network file systems, too
 * @LDB_OPEN_WAIT: when another process writes to it, wait until that has ended, instead of failing
 *   with %LDB_ERROR_LOCKED
 *
 * How to open a database or a store.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_OPEN_NONE = 0,
  LDB_OPEN_CREATE = 1 << 0,
  LDB_OPEN_EXCLUSIVE = 1 << 1,
  LDB_OPEN_READ_ONLY = 1 << 2,
  LDB_OPEN_STATIC = 1 << 3,
  LDB_OPEN_WAIT = 1 << 4,
} LdbOpenFlags;

/**
 * LdbSyncMode:
 * @LDB_SYNC_MODE_DEFAULT: what the database was opened with
 * @LDB_SYNC_MODE_FULL: durable on disk before it is acknowledged or visible to others
 * @LDB_SYNC_MODE_ASYNC: survives the death of the process at once, and reaches the disk within
 *   [property@Ldb.Options:sync-interval]
 * @LDB_SYNC_MODE_NONE: logged with the next commit of another mode or at the next
 *   [method@Ldb.Database.sync]
 *
 * When a commit is durable. Whatever the mode, what is found after a crash is the state after some
 * commit, whole, with nothing before it missing.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_SYNC_MODE_DEFAULT = 0,
  LDB_SYNC_MODE_FULL = 1,
  LDB_SYNC_MODE_ASYNC = 2,
  LDB_SYNC_MODE_NONE = 3,
} LdbSyncMode;

/**
 * LdbCompressionType:
 * @LDB_COMPRESSION_TYPE_ADAPTIVE: LZ4 for fresh data, Zstandard for settled data, none where it
 *   saves too little
 * @LDB_COMPRESSION_TYPE_ZSTD: Zstandard: smallest
 * @LDB_COMPRESSION_TYPE_LZ4: LZ4: fastest
 * @LDB_COMPRESSION_TYPE_SNAPPY: Snappy
 *
 * How pages are compressed; [property@Ldb.Options:compression-enabled] turns it off altogether.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_COMPRESSION_TYPE_ADAPTIVE = 0,
  LDB_COMPRESSION_TYPE_ZSTD = 1,
  LDB_COMPRESSION_TYPE_LZ4 = 2,
  LDB_COMPRESSION_TYPE_SNAPPY = 3,
} LdbCompressionType;

/**
 * LdbProfile:
 * @LDB_PROFILE_DEFAULT: the plain defaults
 * @LDB_PROFILE_READ_HEAVY: a 1 GiB cache and scans that read 16 pages ahead
 * @LDB_PROFILE_WRITE_HEAVY: asynchronous log, four merging threads, a 256 MiB budget
 * @LDB_PROFILE_LOW_MEMORY: the smallest budget, 10 MiB, and one merging thread
 *
 * Ready-made settings for [ctor@Ldb.Options.new_for_profile].
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_PROFILE_DEFAULT = 0,
  LDB_PROFILE_READ_HEAVY = 1,
  LDB_PROFILE_WRITE_HEAVY = 2,
  LDB_PROFILE_LOW_MEMORY = 3,
} LdbProfile;

/**
 * LdbTransactionFlags:
 * @LDB_TRANSACTION_NONE: reads and writes, with snapshot isolation
 * @LDB_TRANSACTION_READ_ONLY: reads only; free of charge, never conflicts, counts for no limit
 * @LDB_TRANSACTION_SERIALIZABLE: also conflicts when what it read was changed meanwhile
 *
 * What a transaction is for and how strictly it is kept apart from others.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_TRANSACTION_NONE = 0,
  LDB_TRANSACTION_READ_ONLY = 1 << 0,
  LDB_TRANSACTION_SERIALIZABLE = 1 << 1,
} LdbTransactionFlags;

/**
 * LdbScanFlags:
 * @LDB_SCAN_NONE: keys and values, in ascending order of keys
 * @LDB_SCAN_REVERSE: in descending order; every move of the cursor is meant in that order
 * @LDB_SCAN_KEYS_ONLY: values are not read
 *
 * How a [class@Ldb.Cursor] goes through its range.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_SCAN_NONE = 0,
  LDB_SCAN_REVERSE = 1 << 0,
  LDB_SCAN_KEYS_ONLY = 1 << 1,
} LdbScanFlags;

/**
 * LdbBackupFlags:
 * @LDB_BACKUP_NONE: copy or link, and trust the file system
 * @LDB_BACKUP_VERIFY: read every file of the backup again and verify it
 *
 * How to make a backup.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_BACKUP_NONE = 0,
  LDB_BACKUP_VERIFY = 1 << 0,
} LdbBackupFlags;

/**
 * LdbCheckFlags:
 * @LDB_CHECK_NONE: headers, footers, the manifest and the log
 * @LDB_CHECK_DEEP: every page and every value too
 *
 * How thoroughly to check a database.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_CHECK_NONE = 0,
  LDB_CHECK_DEEP = 1 << 0,
} LdbCheckFlags;

/**
 * LdbChangeKind:
 * @LDB_CHANGE_PUT: a value was put at the key
 * @LDB_CHANGE_DELETE: the key is gone
 * @LDB_CHANGE_DELETE_RANGE: all keys from [method@Ldb.Change.get_key] on and before
 *   [method@Ldb.Change.get_end] are gone
 * @LDB_CHANGE_RESYNC: what is in the range is not known: read it anew. A bulk load leaves this for
 *   the range it brought records into, and a watch that lagged too far behind for all that it
 *   watches
 *
 * What a [struct@Ldb.Change] is.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_CHANGE_PUT = 0,
  LDB_CHANGE_DELETE = 1,
  LDB_CHANGE_DELETE_RANGE = 2,
  LDB_CHANGE_RESYNC = 3,
} LdbChangeKind;

/**
 * LdbWatchFlags:
 * @LDB_WATCH_NONE: keys only; a key whose value is as it was is no change
 * @LDB_WATCH_VALUES: changes come with the values that were put
 * @LDB_WATCH_OLD_VALUES: changes come with the values that were there before
 * @LDB_WATCH_UNCHANGED: a key that was written is told even if its value is the same as before, or
 *   if there is none as before; unless %LDB_WATCH_OLD_VALUES is given too, nothing has to be looked
 *   up then
 * @LDB_WATCH_EACH_KEY: in place of a deleted range, each key that was in it is told as deleted
 *
 * What a [class@Ldb.Watch] tells.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_WATCH_NONE = 0,
  LDB_WATCH_VALUES = 1 << 0,
  LDB_WATCH_OLD_VALUES = 1 << 1,
  LDB_WATCH_UNCHANGED = 1 << 2,
  LDB_WATCH_EACH_KEY = 1 << 3,
} LdbWatchFlags;

/**
 * LdbListFlags:
 * @LDB_LIST_NONE: in the order of the keys
 * @LDB_LIST_REVERSE: from the greatest key down
 * @LDB_LIST_KEYS_ONLY: rows have keys only and are never loaded: for records with large values
 * @LDB_LIST_BLOCKING: a row is read when it is asked for, even if that means to wait for the disk:
 *   for filters and sorters, which look at each row once, and for scripts
 *
 * How a [class@Ldb.ListModel] shows records.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_LIST_NONE = 0,
  LDB_LIST_REVERSE = 1 << 0,
  LDB_LIST_KEYS_ONLY = 1 << 1,
  LDB_LIST_BLOCKING = 1 << 2,
} LdbListFlags;

G_END_DECLS
