/* SPDX-License-Identifier: MIT */
/* WiredTiger: a session with one cursor each; batches and snapshots are transactions. */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wiredtiger.h>

#define TABLE "table:records"
#define SMALLEST_LARGE 10000 /* bytes of value from which on larger pages suit it */

struct driver_database
{
  WT_CONNECTION *connection; /* owned */
};

struct driver_session
{
  WT_SESSION *session; /* owned */
  WT_CURSOR *cursor;   /* for everything; owned */
  WT_CURSOR *loader;   /* of a bulk load, else NULL; owned */
  bool reverse;        /* the scan's direction */
  bool positioned;     /* a seek has found the record that is given next */
};

static bool
failed (const char *what, int code)
{
  return driver_fail ("%s: %s", what, wiredtiger_strerror (code));
}

static const char *
wiredtiger_release (void)
{
  static char text[32];
  int major, minor, patch;
  wiredtiger_version (&major, &minor, &patch);
  snprintf (text, sizeof text, "%d.%d.%d", major, minor, patch);
  return text;
}

static const char *
wiredtiger_settings (const struct driver_options *options)
{
  return options->sync
             ? "Log with transaction_sync method fsync, whose commits it groups; cache of the "
               "budget, a checkpoint every quarter of it."
             : "Log with transaction_sync method none: each commit writes its log records to the "
               "system, which a kill survives (buffering them, the default, would not); cache of "
               "the budget, a checkpoint every quarter of it; one cursor a thread, used again and "
               "again. Values from 10 KB on lie in leaf pages of 512 KB, not as overflow items "
               "(100 KB: puts as fast, reads 67,000 a second instead of 26,000; with pages of "
               "4 MB a fifth of the puts); otherwise page sizes, checksums and eviction as by "
               "default. Compression, when on: "
               "Snappy.";
}

static int
create_table (WT_CONNECTION *connection, const struct driver_options *options)
{
  char text[128];
  snprintf (text, sizeof text, "key_format=u,value_format=u%s%s",
            options->compression ? ",block_compressor=snappy" : "",
            options->value_size < SMALLEST_LARGE ? "" : ",leaf_page_max=512KB,leaf_value_max=64MB");
  WT_SESSION *session;
  int code = connection->open_session (connection, NULL, NULL, &session);
  if (code == 0)
    code = session->create (session, TABLE, text);
  return code == 0 ? session->close (session, NULL) : code;
}

static struct driver_database *
wiredtiger_start (const struct driver_options *options)
{
  struct driver_database *database = calloc (1, sizeof *database);
  char text[512];
  unsigned long long budget = options->budget;
  snprintf (text, sizeof text,
            "create,cache_size=%llu,session_max=200,log=(enabled=true),"
            "transaction_sync=(enabled=true,method=%s),checkpoint=(log_size=%llu),extensions=[%s]",
            budget, options->sync ? "fsync" : "none", budget / 4,
            options->compression ? "libwiredtiger_snappy.so" : "");
  int code = database == NULL ? ENOMEM : 0;
  if (code == 0 && mkdir (options->directory, 0700) != 0 && errno != EEXIST)
    code = errno;
  if (code == 0)
    code = wiredtiger_open (options->directory, NULL, text, &database->connection);
  if (code == 0)
    code = create_table (database->connection, options);
  if (code == 0)
    return database;
  failed (options->directory, code);
  free (database);
  return NULL;
}

static bool
wiredtiger_close (struct driver_database *database)
{
  int code = database->connection->close (database->connection, NULL);
  free (database);
  return code == 0 || failed ("close", code);
}

static struct driver_session *
wiredtiger_session_open (struct driver_database *database)
{
  struct driver_session *session = calloc (1, sizeof *session);
  if (session == NULL)
    return NULL;
  WT_CONNECTION *connection = database->connection;
  int code = connection->open_session (connection, NULL, "isolation=snapshot", &session->session);
  if (code == 0)
    code = session->session->open_cursor (session->session, TABLE, NULL, NULL, &session->cursor);
  if (code == 0)
    return session;
  failed ("session", code);
  free (session);
  return NULL;
}

static void
wiredtiger_session_close (struct driver_session *session)
{
  session->session->close (session->session, NULL);
  free (session);
}

static void
set_key (WT_CURSOR *cursor, struct driver_bytes key)
{
  WT_ITEM item = { .data = key.data, .size = key.size };
  cursor->set_key (cursor, &item);
}

static bool
insert (WT_CURSOR *cursor, struct driver_bytes key, struct driver_bytes value)
{
  WT_ITEM item = { .data = value.data, .size = value.size };
  set_key (cursor, key);
  cursor->set_value (cursor, &item);
  int code = cursor->insert (cursor);
  return code == 0 || failed ("put", code);
}

static bool
wiredtiger_put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  return insert (session->cursor, key, value);
}

static bool
wiredtiger_remove (struct driver_session *session, struct driver_bytes key)
{
  set_key (session->cursor, key);
  int code = session->cursor->remove (session->cursor);
  return code == 0 || code == WT_NOTFOUND || failed ("delete", code);
}

static enum driver_answer
wiredtiger_lend (struct driver_session *session, struct driver_bytes key,
                 struct driver_bytes *value)
{
  WT_CURSOR *cursor = session->cursor;
  WT_ITEM item;
  set_key (cursor, key);
  int code = cursor->search (cursor);
  if (code == WT_NOTFOUND)
    return DRIVER_ABSENT;
  if (code == 0)
    code = cursor->get_value (cursor, &item);
  if (code != 0)
    {
      failed ("get", code);
      return DRIVER_FAILED;
    }
  *value = (struct driver_bytes){ item.data, item.size };
  return DRIVER_FOUND;
}

static void
wiredtiger_take_back (struct driver_session *session)
{
  session->cursor->reset (session->cursor);
}

static enum driver_answer
wiredtiger_get (struct driver_session *session, struct driver_bytes key, void *buffer,
                size_t capacity, size_t *size)
{
  return driver_get_lent (&benchmark_driver, session, key, buffer, capacity, size);
}

static bool
wiredtiger_begin (struct driver_session *session)
{
  int code = session->session->begin_transaction (session->session, "isolation=snapshot");
  return code == 0 || failed ("begin", code);
}

static bool
wiredtiger_commit (struct driver_session *session)
{
  int code = session->session->commit_transaction (session->session, NULL);
  return code == 0 || failed ("commit", code);
}

static void
wiredtiger_read_end (struct driver_session *session)
{
  session->cursor->reset (session->cursor);
  session->session->rollback_transaction (session->session, NULL);
}

static bool
wiredtiger_multi_get (struct driver_session *session, size_t count, const struct driver_bytes *keys,
                      char *buffer, size_t capacity, size_t *sizes)
{
  if (!wiredtiger_begin (session))
    return false;
  enum driver_answer answer = DRIVER_ABSENT;
  for (size_t i = 0; i < count && answer != DRIVER_FAILED; i++)
    {
      sizes[i] = SIZE_MAX;
      answer = wiredtiger_get (session, keys[i], buffer + i * capacity, capacity, &sizes[i]);
    }
  wiredtiger_read_end (session);
  return answer != DRIVER_FAILED;
}

static bool
wiredtiger_scan_begin (struct driver_session *session, bool reverse)
{
  session->reverse = reverse;
  session->positioned = false;
  session->cursor->reset (session->cursor);
  return wiredtiger_begin (session);
}

static bool
wiredtiger_scan_seek (struct driver_session *session, struct driver_bytes key)
{
  int which = 0;
  set_key (session->cursor, key);
  int code = session->cursor->search_near (session->cursor, &which);
  session->positioned = code == 0 && which >= 0;
  return code == 0 || code == WT_NOTFOUND || failed ("seek", code);
}

static enum driver_answer
wiredtiger_scan_next (struct driver_session *session, struct driver_bytes *key,
                      struct driver_bytes *value)
{
  WT_CURSOR *cursor = session->cursor;
  WT_ITEM its_key, its_value;
  int code = 0;
  if (!session->positioned)
    code = session->reverse ? cursor->prev (cursor) : cursor->next (cursor);
  session->positioned = false;
  if (code == WT_NOTFOUND)
    return DRIVER_ABSENT;
  if (code == 0)
    code = cursor->get_key (cursor, &its_key);
  if (code == 0)
    code = cursor->get_value (cursor, &its_value);
  if (code != 0)
    {
      failed ("next", code);
      return DRIVER_FAILED;
    }
  *key = (struct driver_bytes){ its_key.data, its_key.size };
  *value = (struct driver_bytes){ its_value.data, its_value.size };
  return DRIVER_FOUND;
}

/* Up to and including the record before `end`. */
static int
truncate_before (struct driver_session *session, WT_CURSOR *stop, struct driver_bytes start,
                 struct driver_bytes end)
{
  int which = 0;
  set_key (stop, end);
  int code = stop->search_near (stop, &which);
  if (code == 0 && which >= 0)
    code = stop->prev (stop);
  if (code != 0)
    return code;
  set_key (session->cursor, start);
  return session->session->truncate (session->session, NULL, session->cursor, stop, NULL);
}

static bool
wiredtiger_remove_range (struct driver_session *session, struct driver_bytes start,
                         struct driver_bytes end)
{
  WT_CURSOR *stop = NULL;
  int code = session->session->open_cursor (session->session, TABLE, NULL, NULL, &stop);
  if (code == 0)
    code = truncate_before (session, stop, start, end);
  if (stop != NULL)
    stop->close (stop);
  session->cursor->reset (session->cursor);
  return code == 0 || failed ("delete range", code);
}

static bool
wiredtiger_bulk_begin (struct driver_session *session)
{
  WT_SESSION *its = session->session;
  int code = session->cursor->close (session->cursor);
  if (code == 0)
    code = its->open_cursor (its, TABLE, NULL, "bulk", &session->loader);
  return code == 0 || failed ("load", code);
}

static bool
wiredtiger_bulk_put (struct driver_session *session, struct driver_bytes key,
                     struct driver_bytes value)
{
  return insert (session->loader, key, value);
}

static bool
wiredtiger_bulk_finish (struct driver_session *session)
{
  WT_SESSION *its = session->session;
  int code = session->loader->close (session->loader);
  if (code == 0)
    code = its->checkpoint (its, NULL); /* loaded pages are in no log */
  if (code == 0)
    code = its->open_cursor (its, TABLE, NULL, NULL, &session->cursor);
  return code == 0 || failed ("load", code);
}

static bool
wiredtiger_settle (struct driver_database *database)
{
  WT_CONNECTION *connection = database->connection;
  WT_SESSION *session;
  int code = connection->open_session (connection, NULL, NULL, &session);
  if (code == 0)
    code = session->checkpoint (session, NULL);
  if (code == 0)
    code = session->close (session, NULL);
  return code == 0 || failed ("checkpoint", code);
}

const struct driver benchmark_driver = {
  .name = "wiredtiger",
  .version = wiredtiger_release,
  .settings = wiredtiger_settings,
  .open = wiredtiger_start,
  .close = wiredtiger_close,
  .session_open = wiredtiger_session_open,
  .session_close = wiredtiger_session_close,
  .put = wiredtiger_put,
  .remove = wiredtiger_remove,
  .get = wiredtiger_get,
  .lend = wiredtiger_lend,
  .take_back = wiredtiger_take_back,
  .multi_get = wiredtiger_multi_get,
  .batch_begin = wiredtiger_begin,
  .batch_put = wiredtiger_put,
  .batch_remove = wiredtiger_remove,
  .batch_commit = wiredtiger_commit,
  .read_begin = wiredtiger_begin,
  .read_end = wiredtiger_read_end,
  .scan_begin = wiredtiger_scan_begin,
  .scan_seek = wiredtiger_scan_seek,
  .scan_next = wiredtiger_scan_next,
  .scan_end = wiredtiger_read_end,
  .remove_range = wiredtiger_remove_range,
  .transaction_begin = wiredtiger_begin,
  .transaction_get = wiredtiger_get,
  .transaction_put = wiredtiger_put,
  .transaction_remove = wiredtiger_remove,
  .transaction_commit = wiredtiger_commit,
  .bulk_begin = wiredtiger_bulk_begin,
  .bulk_put = wiredtiger_bulk_put,
  .bulk_finish = wiredtiger_bulk_finish,
  .settle = wiredtiger_settle,
};
