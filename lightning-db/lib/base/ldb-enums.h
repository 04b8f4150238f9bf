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

/**
 * LdbStorageKind:
 * @LDB_STORAGE_DATABASE: all of it
 * @LDB_STORAGE_GROUP: what has no file of its own: memtables, large values, the log, other files
 * @LDB_STORAGE_LEVEL: the runs of a size class; 0 has what the tables in memory become, each next
 *   class has runs up to 16 times as large
 * @LDB_STORAGE_RUN: segments that do not overlap, in key order
 * @LDB_STORAGE_SEGMENT: a B+Tree file
 * @LDB_STORAGE_STORE: what a store has of all segments
 * @LDB_STORAGE_EXTENT: what a store has of one segment
 * @LDB_STORAGE_MEMTABLE: commits in memory
 * @LDB_STORAGE_BLOB: a file of large values
 * @LDB_STORAGE_FILE: another file: the log, the manifest, …
 *
 * What a [class@Ldb.StorageNode] is.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_STORAGE_DATABASE = 0,
  LDB_STORAGE_GROUP = 1,
  LDB_STORAGE_LEVEL = 2,
  LDB_STORAGE_RUN = 3,
  LDB_STORAGE_SEGMENT = 4,
  LDB_STORAGE_STORE = 5,
  LDB_STORAGE_EXTENT = 6,
  LDB_STORAGE_MEMTABLE = 7,
  LDB_STORAGE_BLOB = 8,
  LDB_STORAGE_FILE = 9,
} LdbStorageKind;

/**
 * LdbStorageState:
 * @LDB_STORAGE_STATE_NONE: nothing of what follows
 * @LDB_STORAGE_STATE_MERGING: a run that is being merged
 * @LDB_STORAGE_STATE_NARROWED: a segment of which a part was merged elsewhere and does not count;
 *   its figures are of all of it
 * @LDB_STORAGE_STATE_FILTER_LOADED: the segment's filter is in memory
 * @LDB_STORAGE_STATE_APPROXIMATE: figures that are shared out by bytes, since a segment with
 *   several stores counts its records as a whole
 * @LDB_STORAGE_STATE_UNSETTLED: a file of large values of which more may be alive than is told
 * @LDB_STORAGE_STATE_DROPPED: a store that is not there any more, of which something was not merged
 *   away yet
 * @LDB_STORAGE_STATE_SYSTEM: the catalogue of stores
 *
 * What is to be known of a [class@Ldb.StorageNode] beside its figures.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_STORAGE_STATE_NONE = 0,
  LDB_STORAGE_STATE_MERGING = 1 << 0,
  LDB_STORAGE_STATE_NARROWED = 1 << 1,
  LDB_STORAGE_STATE_FILTER_LOADED = 1 << 2,
  LDB_STORAGE_STATE_APPROXIMATE = 1 << 3,
  LDB_STORAGE_STATE_UNSETTLED = 1 << 4,
  LDB_STORAGE_STATE_DROPPED = 1 << 5,
  LDB_STORAGE_STATE_SYSTEM = 1 << 6,
} LdbStorageState;

/**
 * LdbFilterKind:
 * @LDB_FILTER_NONE: no filter
 * @LDB_FILTER_BLOOM: a blocked Bloom filter
 * @LDB_FILTER_FUSE: a binary fuse filter
 *
 * What tells, without reading, that a key is not in a segment.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_FILTER_NONE = 0,
  LDB_FILTER_BLOOM = 1,
  LDB_FILTER_FUSE = 2,
} LdbFilterKind;

/**
 * LdbPageCodec:
 * @LDB_PAGE_CODEC_NONE: raw
 * @LDB_PAGE_CODEC_ZSTD: zstd
 * @LDB_PAGE_CODEC_LZ4: LZ4
 * @LDB_PAGE_CODEC_SNAPPY: Snappy
 *
 * How one page is stored.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_PAGE_CODEC_NONE = 0,
  LDB_PAGE_CODEC_ZSTD = 1,
  LDB_PAGE_CODEC_LZ4 = 2,
  LDB_PAGE_CODEC_SNAPPY = 3,
} LdbPageCodec;

/**
 * LdbPageHeat:
 * @LDB_PAGE_HEAT_COLD: not in the cache
 * @LDB_PAGE_HEAT_CACHED: in the cache, decoded
 * @LDB_PAGE_HEAT_REFERENCED: read since the clock's hand last passed it
 * @LDB_PAGE_HEAT_FREQUENT: in the cache's T2: seen more than once lately; cached pages without it
 *   are in T1
 * @LDB_PAGE_HEAT_SCANNED: brought in by a scan, and first to go
 * @LDB_PAGE_HEAT_PINNED: somebody holds a value of it
 * @LDB_PAGE_HEAT_MAPPED: used in place, in the mapped file
 *
 * What the cache knows of a page.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_PAGE_HEAT_COLD = 0,
  LDB_PAGE_HEAT_CACHED = 1 << 0,
  LDB_PAGE_HEAT_REFERENCED = 1 << 1,
  LDB_PAGE_HEAT_FREQUENT = 1 << 2,
  LDB_PAGE_HEAT_SCANNED = 1 << 3,
  LDB_PAGE_HEAT_PINNED = 1 << 4,
  LDB_PAGE_HEAT_MAPPED = 1 << 5,
} LdbPageHeat;

/**
 * LdbVersionKind:
 * @LDB_VERSION_PUT: a value
 * @LDB_VERSION_DELETE: the key is absent from there on
 * @LDB_VERSION_BLOB: a value in a file of large values
 *
 * What a version of a key says.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_VERSION_PUT = 0,
  LDB_VERSION_DELETE = 1,
  LDB_VERSION_BLOB = 2,
} LdbVersionKind;

/**
 * LdbLocationVerdict:
 * @LDB_LOCATION_OUTSIDE: no segment of the run reaches over the key
 * @LDB_LOCATION_FILTERED: the filter ruled it out
 * @LDB_LOCATION_ABSENT: looked for, and not there; where there is a filter, a false positive of it
 * @LDB_LOCATION_FOUND: there
 * @LDB_LOCATION_FAULT: a page on the way does not verify
 *
 * What a search for a key met at one place.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_LOCATION_OUTSIDE = 0,
  LDB_LOCATION_FILTERED = 1,
  LDB_LOCATION_ABSENT = 2,
  LDB_LOCATION_FOUND = 3,
  LDB_LOCATION_FAULT = 4,
} LdbLocationVerdict;

/**
 * LdbMetricKind:
 * @LDB_METRIC_COUNTER: rises while the database is open
 * @LDB_METRIC_GAUGE: a state, which rises and falls
 * @LDB_METRIC_HISTOGRAM: how often which value occurred
 *
 * What kind of figure a metric is.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_METRIC_COUNTER = 0,
  LDB_METRIC_GAUGE = 1,
  LDB_METRIC_HISTOGRAM = 2,
} LdbMetricKind;

/**
 * LdbMetricUnit:
 * @LDB_METRIC_COUNT: how many
 * @LDB_METRIC_BYTES: bytes
 * @LDB_METRIC_NANOSECONDS: nanoseconds
 *
 * The unit of a metric.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_METRIC_COUNT = 0,
  LDB_METRIC_BYTES = 1,
  LDB_METRIC_NANOSECONDS = 2,
} LdbMetricUnit;

/**
 * LdbReportFormat:
 * @LDB_REPORT_TEXT: plain text
 * @LDB_REPORT_JSON: one JSON object
 * @LDB_REPORT_HTML: one HTML file with charts, which fetches nothing and runs nothing
 *
 * How [method@Ldb.Database.generate_report] writes.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_REPORT_TEXT = 0,
  LDB_REPORT_JSON = 1,
  LDB_REPORT_HTML = 2,
} LdbReportFormat;

/**
 * LdbReportFlags:
 * @LDB_REPORT_NONE: neither keys nor values are in the report
 * @LDB_REPORT_KEYS: keys are: the bounds of segments, and those of the largest values
 *
 * What a report tells.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_REPORT_NONE = 0,
  LDB_REPORT_KEYS = 1 << 0,
} LdbReportFlags;

/**
 * LdbOperationKind:
 * @LDB_OPERATION_GET: looking one key up
 * @LDB_OPERATION_MULTI_GET: looking several keys up at once
 * @LDB_OPERATION_CONTAINS: asking whether a key is there
 * @LDB_OPERATION_SEEK: positioning a cursor
 * @LDB_OPERATION_PUT: committing one record
 * @LDB_OPERATION_DELETE: committing one delete
 * @LDB_OPERATION_BATCH: committing a batch, or the delete of a range
 * @LDB_OPERATION_TRANSACTION_COMMIT: committing a transaction
 *
 * What an operation was.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_OPERATION_GET = 0,
  LDB_OPERATION_MULTI_GET = 1,
  LDB_OPERATION_CONTAINS = 2,
  LDB_OPERATION_SEEK = 3,
  LDB_OPERATION_PUT = 4,
  LDB_OPERATION_DELETE = 5,
  LDB_OPERATION_BATCH = 6,
  LDB_OPERATION_TRANSACTION_COMMIT = 7,
} LdbOperationKind;

/**
 * LdbHotKeyKind:
 * @LDB_HOT_KEY_CONFLICT: transactions were refused since another had changed it
 * @LDB_HOT_KEY_READ: it is looked up
 * @LDB_HOT_KEY_WRITE: it is put or deleted
 *
 * What happens to a key more than to others.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_HOT_KEY_CONFLICT = 0,
  LDB_HOT_KEY_READ = 1,
  LDB_HOT_KEY_WRITE = 2,
} LdbHotKeyKind;

/**
 * LdbKeyAccess:
 * @LDB_KEY_ACCESS_PUT: it put the key
 * @LDB_KEY_ACCESS_DELETE: it deleted the key
 * @LDB_KEY_ACCESS_DELETE_RANGE: it deleted the range
 * @LDB_KEY_ACCESS_READ: nobody else may change the key until it commits: it locked it, or read it and
 *   is serializable
 * @LDB_KEY_ACCESS_READ_RANGE: likewise of a range that its cursors looked at
 *
 * What a transaction has to do with a key.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_KEY_ACCESS_PUT = 0,
  LDB_KEY_ACCESS_DELETE = 1,
  LDB_KEY_ACCESS_DELETE_RANGE = 2,
  LDB_KEY_ACCESS_READ = 3,
  LDB_KEY_ACCESS_READ_RANGE = 4,
} LdbKeyAccess;

/**
 * LdbWatchKind:
 * @LDB_WATCH_KIND_KEY: a watch of one key
 * @LDB_WATCH_KIND_PREFIX: a watch of the keys with a prefix
 * @LDB_WATCH_KIND_RANGE: a watch of the keys in a range
 * @LDB_WATCH_KIND_ALL: a watch of all keys of a store
 * @LDB_WATCH_KIND_STORES: a watch of all keys of all stores
 * @LDB_WATCH_KIND_ENTRY: an entry, which follows one key
 * @LDB_WATCH_KIND_LIST: a list, which follows the keys it shows
 *
 * What a watch is, and what it watches.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_WATCH_KIND_KEY = 0,
  LDB_WATCH_KIND_PREFIX = 1,
  LDB_WATCH_KIND_RANGE = 2,
  LDB_WATCH_KIND_ALL = 3,
  LDB_WATCH_KIND_STORES = 4,
  LDB_WATCH_KIND_ENTRY = 5,
  LDB_WATCH_KIND_LIST = 6,
} LdbWatchKind;

/**
 * LdbEventKind:
 * @LDB_EVENT_OPENED: the database was opened, by the first handle of this process
 * @LDB_EVENT_RECOVERED: what a process that did not close it left in the log was read back
 * @LDB_EVENT_FLUSHED: a table in memory was written out
 * @LDB_EVENT_MERGED: runs were merged
 * @LDB_EVENT_LOADED: a bulk load was committed
 * @LDB_EVENT_BACKED_UP: a backup was made
 * @LDB_EVENT_STALLED: a writer had to wait for a table in memory to be written out
 * @LDB_EVENT_CONFLICT: a transaction was refused, since another one was quicker
 * @LDB_EVENT_TIMED_OUT: a transaction was rolled back by its timeout, or from outside
 * @LDB_EVENT_FAILED: something in the background failed, or writes are refused from now on
 * @LDB_EVENT_CORRUPT: something that was read does not verify
 * @LDB_EVENT_HEALED: what had failed works again
 * @LDB_EVENT_HEALTH: the database's health changed
 *
 * What happened to a database.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_EVENT_OPENED = 0,
  LDB_EVENT_RECOVERED = 1,
  LDB_EVENT_FLUSHED = 2,
  LDB_EVENT_MERGED = 3,
  LDB_EVENT_LOADED = 4,
  LDB_EVENT_BACKED_UP = 5,
  LDB_EVENT_STALLED = 6,
  LDB_EVENT_CONFLICT = 7,
  LDB_EVENT_TIMED_OUT = 8,
  LDB_EVENT_FAILED = 9,
  LDB_EVENT_CORRUPT = 10,
  LDB_EVENT_HEALED = 11,
  LDB_EVENT_HEALTH = 12,
} LdbEventKind;

/**
 * LdbSeverity:
 * @LDB_SEVERITY_NONE: there is nothing
 * @LDB_SEVERITY_ADVICE: it works, and could work better
 * @LDB_SEVERITY_WARNING: it works badly, or soon will not work
 * @LDB_SEVERITY_CRITICAL: something does not work, or data is in danger
 *
 * How bad a [struct@Ldb.HealthIssue] is.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_SEVERITY_NONE = 0,
  LDB_SEVERITY_ADVICE = 1,
  LDB_SEVERITY_WARNING = 2,
  LDB_SEVERITY_CRITICAL = 3,
} LdbSeverity;

/**
 * LdbRemedy:
 * @LDB_REMEDY_NONE: nothing that a call could do
 * @LDB_REMEDY_FLUSH: [method@Ldb.Database.flush]
 * @LDB_REMEDY_COMPACT: [method@Ldb.Database.compact]
 * @LDB_REMEDY_RESTRICT_ACCESS: taking the permissions of others on the directory and its files away
 * @LDB_REMEDY_ABORT_TRANSACTION: rolling a transaction back; its owner is told
 *   %LDB_ERROR_TIMED_OUT
 * @LDB_REMEDY_CHECK: a deep [method@Ldb.Database.check]
 *
 * What [method@Ldb.Database.apply_remedy] does.
 *
 * Since: 0.1
 */
typedef enum
{
  LDB_REMEDY_NONE = 0,
  LDB_REMEDY_FLUSH = 1,
  LDB_REMEDY_COMPACT = 2,
  LDB_REMEDY_RESTRICT_ACCESS = 3,
  LDB_REMEDY_ABORT_TRANSACTION = 4,
  LDB_REMEDY_CHECK = 5,
} LdbRemedy;

G_END_DECLS
