/* SPDX-License-Identifier: MIT */
/* SQLite as a key-value store: one table, one connection a session, prepared statements. */
#include "driver.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LARGEST_CLUSTERED 200 /* bytes of value that WITHOUT ROWID suits: 1/20 of a page */
#define SMALLEST_LARGE 10000  /* bytes of value from which on larger pages suit it */

enum statement
{
  STATEMENT_PUT,
  STATEMENT_DELETE,
  STATEMENT_GET,
  STATEMENT_FORWARD,
  STATEMENT_BACKWARD,
  STATEMENT_FROM,
  STATEMENT_DELETE_RANGE,
  STATEMENT_BEGIN,
  STATEMENT_READ,
  STATEMENT_COMMIT,
  STATEMENT_COUNT
};

static const char *const statement_texts[STATEMENT_COUNT] = {
  [STATEMENT_PUT] = "INSERT OR REPLACE INTO records (key, value) VALUES (?1, ?2)",
  [STATEMENT_DELETE] = "DELETE FROM records WHERE key = ?1",
  [STATEMENT_GET] = "SELECT value FROM records WHERE key = ?1",
  [STATEMENT_FORWARD] = "SELECT key, value FROM records ORDER BY key",
  [STATEMENT_BACKWARD] = "SELECT key, value FROM records ORDER BY key DESC",
  [STATEMENT_FROM] = "SELECT key, value FROM records WHERE key >= ?1 ORDER BY key",
  [STATEMENT_DELETE_RANGE] = "DELETE FROM records WHERE key >= ?1 AND key < ?2",
  [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
  [STATEMENT_READ] = "BEGIN",
  [STATEMENT_COMMIT] = "COMMIT",
};

struct driver_database
{
  const struct driver_options *options; /* borrowed */
  sqlite3 *first;                       /* keeps the log from being removed; owned */
};

struct driver_session
{
  sqlite3 *connection;                       /* owned */
  sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared; owned */
  sqlite3_stmt *scan;                        /* the one that the scan steps; borrowed */
};

static bool
failed (sqlite3 *connection, const char *what)
{
  return driver_fail ("%s: %s", what, sqlite3_errmsg (connection));
}

static const char *
sqlite_version (void)
{
  return sqlite3_libversion ();
}

static const char *
sqlite_settings (const struct driver_options *options)
{
  return options->sync
             ? "Write-ahead log with synchronous=FULL; otherwise as in the other rows: WITHOUT "
               "ROWID up to 200-byte values, cache of the budget, mmap, prepared statements."
             : "Write-ahead log with synchronous=NORMAL, which syncs at checkpoints only: like the "
               "others a commit survives a kill of the process, and a power cut leaves a sound "
               "database; checkpoints every quarter of the budget. WITHOUT ROWID where values have "
               "at most 1/20 of a page, else a rowid table with an index, as its documentation "
               "advises, and pages of 8 KiB for values from 10 KB on; cache of the budget, mmap of "
               "the file, no memory statistics, one connection a thread, prepared statements. A "
               "value that is lent is one that SQLite has copied into its statement.";
}

static bool
run (sqlite3 *connection, const char *text)
{
  return sqlite3_exec (connection, text, NULL, NULL, NULL) == SQLITE_OK
         || failed (connection, text);
}

static bool
configure (sqlite3 *connection, const struct driver_options *options)
{
  char text[512];
  unsigned long long budget = options->budget;
  unsigned page = options->value_size < SMALLEST_LARGE ? 4096 : 8192;
  snprintf (text, sizeof text,
            "PRAGMA page_size=%u; PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA "
            "cache_size=-%llu;"
            "PRAGMA mmap_size=%llu; PRAGMA wal_autocheckpoint=%llu; PRAGMA temp_store=MEMORY;",
            page, options->sync ? "FULL" : "NORMAL", budget / 1024, 1ull << 36, budget / 4 / page);
  sqlite3_busy_timeout (connection, 60000);
  return run (connection, text);
}

static sqlite3 *
connect (const struct driver_options *options)
{
  char path[4096];
  snprintf (path, sizeof path, "%s/data", options->directory);
  sqlite3 *connection = NULL;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2 (path, &connection, flags, NULL) == SQLITE_OK
      && configure (connection, options))
    return connection;
  failed (connection, path);
  sqlite3_close (connection);
  return NULL;
}

static struct driver_database *
sqlite_open (const struct driver_options *options)
{
  sqlite3_config (SQLITE_CONFIG_MEMSTATUS, 0);
  if (mkdir (options->directory, 0700) != 0 && errno != EEXIST)
    {
      driver_fail ("%s: %s", options->directory, strerror (errno));
      return NULL;
    }
  struct driver_database *database = calloc (1, sizeof *database);
  if (database == NULL)
    return NULL;
  database->options = options;
  database->first = connect (options);
  bool clustered = options->value_size <= LARGEST_CLUSTERED;
  if (database->first != NULL
      && run (database->first,
              clustered ? "CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB) "
                          "WITHOUT ROWID"
                        : "CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB)"))
    return database;
  sqlite3_close (database->first);
  free (database);
  return NULL;
}

static bool
sqlite_close (struct driver_database *database)
{
  int code = sqlite3_close (database->first);
  free (database);
  return code == SQLITE_OK || driver_fail ("close: %s", sqlite3_errstr (code));
}

static void
sqlite_session_close (struct driver_session *session)
{
  for (unsigned i = 0; i < STATEMENT_COUNT; i++)
    sqlite3_finalize (session->statements[i]);
  sqlite3_close (session->connection);
  free (session);
}

static struct driver_session *
sqlite_session_open (struct driver_database *database)
{
  struct driver_session *session = calloc (1, sizeof *session);
  if (session == NULL)
    return NULL;
  session->connection = connect (database->options);
  if (session->connection == NULL)
    {
      free (session);
      return NULL;
    }
  for (unsigned i = 0; i < STATEMENT_COUNT; i++)
    if (sqlite3_prepare_v3 (session->connection, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                            &session->statements[i], NULL)
        != SQLITE_OK)
      {
        failed (session->connection, statement_texts[i]);
        sqlite_session_close (session);
        return NULL;
      }
  return session;
}

static void
bind (sqlite3_stmt *statement, int place, struct driver_bytes bytes)
{
  sqlite3_bind_blob64 (statement, place, bytes.data, bytes.size, SQLITE_STATIC);
}

/* Runs a statement that gives no rows. */
static bool
step (struct driver_session *session, enum statement which)
{
  sqlite3_stmt *statement = session->statements[which];
  int code = sqlite3_step (statement);
  if (code != SQLITE_DONE)
    failed (session->connection, statement_texts[which]);
  sqlite3_reset (statement);
  return code == SQLITE_DONE;
}

static bool
sqlite_put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  bind (session->statements[STATEMENT_PUT], 1, key);
  bind (session->statements[STATEMENT_PUT], 2, value);
  return step (session, STATEMENT_PUT);
}

static bool
sqlite_remove (struct driver_session *session, struct driver_bytes key)
{
  bind (session->statements[STATEMENT_DELETE], 1, key);
  return step (session, STATEMENT_DELETE);
}

static struct driver_bytes
column (sqlite3_stmt *statement, int number)
{
  const void *data = sqlite3_column_blob (statement, number);
  return (struct driver_bytes){ data, (size_t) sqlite3_column_bytes (statement, number) };
}

static enum driver_answer
sqlite_lend (struct driver_session *session, struct driver_bytes key, struct driver_bytes *value)
{
  sqlite3_stmt *statement = session->statements[STATEMENT_GET];
  bind (statement, 1, key);
  int code = sqlite3_step (statement);
  if (code == SQLITE_ROW)
    {
      *value = column (statement, 0);
      return DRIVER_FOUND;
    }
  if (code != SQLITE_DONE)
    failed (session->connection, "get");
  sqlite3_reset (statement);
  return code == SQLITE_DONE ? DRIVER_ABSENT : DRIVER_FAILED;
}

static void
sqlite_take_back (struct driver_session *session)
{
  sqlite3_reset (session->statements[STATEMENT_GET]);
}

static enum driver_answer
sqlite_get (struct driver_session *session, struct driver_bytes key, void *buffer, size_t capacity,
            size_t *size)
{
  return driver_get_lent (&benchmark_driver, session, key, buffer, capacity, size);
}

static bool
sqlite_begin (struct driver_session *session)
{
  return step (session, STATEMENT_BEGIN);
}

static bool
sqlite_commit (struct driver_session *session)
{
  return step (session, STATEMENT_COMMIT);
}

static bool
sqlite_read_begin (struct driver_session *session)
{
  return step (session, STATEMENT_READ);
}

static void
sqlite_read_end (struct driver_session *session)
{
  step (session, STATEMENT_COMMIT);
}

static bool
sqlite_multi_get (struct driver_session *session, size_t count, const struct driver_bytes *keys,
                  char *buffer, size_t capacity, size_t *sizes)
{
  if (!sqlite_read_begin (session))
    return false;
  enum driver_answer answer = DRIVER_ABSENT;
  for (size_t i = 0; i < count && answer != DRIVER_FAILED; i++)
    {
      sizes[i] = SIZE_MAX;
      answer = sqlite_get (session, keys[i], buffer + i * capacity, capacity, &sizes[i]);
    }
  sqlite_read_end (session);
  return answer != DRIVER_FAILED;
}

static bool
sqlite_scan_begin (struct driver_session *session, bool reverse)
{
  session->scan = session->statements[reverse ? STATEMENT_BACKWARD : STATEMENT_FORWARD];
  return sqlite_read_begin (session);
}

static bool
sqlite_scan_seek (struct driver_session *session, struct driver_bytes key)
{
  sqlite3_reset (session->scan);
  session->scan = session->statements[STATEMENT_FROM];
  sqlite3_reset (session->scan);
  bind (session->scan, 1, key);
  return true;
}

static enum driver_answer
sqlite_scan_next (struct driver_session *session, struct driver_bytes *key,
                  struct driver_bytes *value)
{
  int code = sqlite3_step (session->scan);
  if (code == SQLITE_DONE)
    return DRIVER_ABSENT;
  if (code != SQLITE_ROW)
    {
      failed (session->connection, "next");
      return DRIVER_FAILED;
    }
  *key = column (session->scan, 0);
  *value = column (session->scan, 1);
  return DRIVER_FOUND;
}

static void
sqlite_scan_end (struct driver_session *session)
{
  sqlite3_reset (session->scan);
  sqlite_read_end (session);
}

static bool
sqlite_remove_range (struct driver_session *session, struct driver_bytes start,
                     struct driver_bytes end)
{
  bind (session->statements[STATEMENT_DELETE_RANGE], 1, start);
  bind (session->statements[STATEMENT_DELETE_RANGE], 2, end);
  return step (session, STATEMENT_DELETE_RANGE);
}

static bool
sqlite_settle (struct driver_database *database)
{
  int code
      = sqlite3_wal_checkpoint_v2 (database->first, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  return code == SQLITE_OK || failed (database->first, "checkpoint");
}

const struct driver benchmark_driver = {
  .name = "sqlite",
  .version = sqlite_version,
  .settings = sqlite_settings,
  .open = sqlite_open,
  .close = sqlite_close,
  .session_open = sqlite_session_open,
  .session_close = sqlite_session_close,
  .put = sqlite_put,
  .remove = sqlite_remove,
  .get = sqlite_get,
  .lend = sqlite_lend,
  .take_back = sqlite_take_back,
  .multi_get = sqlite_multi_get,
  .batch_begin = sqlite_begin,
  .batch_put = sqlite_put,
  .batch_remove = sqlite_remove,
  .batch_commit = sqlite_commit,
  .read_begin = sqlite_read_begin,
  .read_end = sqlite_read_end,
  .scan_begin = sqlite_scan_begin,
  .scan_seek = sqlite_scan_seek,
  .scan_next = sqlite_scan_next,
  .scan_end = sqlite_scan_end,
  .remove_range = sqlite_remove_range,
  .transaction_begin = sqlite_begin,
  .transaction_get = sqlite_get,
  .transaction_put = sqlite_put,
  .transaction_remove = sqlite_remove,
  .transaction_commit = sqlite_commit,
  .bulk_begin = sqlite_begin,
  .bulk_put = sqlite_put,
  .bulk_finish = sqlite_commit,
  .settle = sqlite_settle,
};
