/* SPDX-License-Identifier: MIT */
/* LMDB: read transactions are renewed, not made; a put outside a batch is a write transaction. */
#include "driver.h"

#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct driver_database
{
  MDB_env *environment;                 /* owned */
  MDB_dbi tree;                         /* the unnamed one */
  const struct driver_options *options; /* borrowed */
};

struct driver_session
{
  struct driver_database *database; /* borrowed */
  MDB_txn *reader;                  /* reset between reads; owned */
  MDB_txn *writer;                  /* of a batch or transaction, else NULL; owned */
  MDB_cursor *cursor;               /* of a scan or bulk load, else NULL; owned */
  MDB_cursor_op next;               /* how the scan goes on */
  bool reverse;                     /* the scan's direction */
  bool reading;                     /* between read_begin and read_end */
};

static bool
failed (const char *what, int code)
{
  return driver_fail ("%s: %s", what, mdb_strerror (code));
}

static const char *
lmdb_version (void)
{
  return mdb_version (NULL, NULL, NULL);
}

static const char *
lmdb_settings (const struct driver_options *options)
{
  if (options->sync)
    return "MDB_WRITEMAP off: pwrite and fdatasync are LMDB's faster and safer durable commits. "
           "MDB_NOTLS: read transactions are reset and renewed, as advised.";
  return "MDB_WRITEMAP | MDB_NOSYNC: commits go to the shared mapping without a system call and "
         "survive a kill of the process; after a power cut the file may be corrupt, a weaker "
         "promise than a log's. MDB_NOMEMINIT; MDB_NOTLS: read transactions are reset and renewed, "
         "as advised. There is no cache to size: the page cache of the system comes on top of the "
         "budget, and read-ahead stays on: MDB_NORDAHEAD is for data larger than memory (in the "
         "cold rows it made 22,000 random reads a second of 56,000).";
}

static struct driver_database *
lmdb_open (const struct driver_options *options)
{
  struct driver_database *database = calloc (1, sizeof *database);
  if (database == NULL)
    return NULL;
  database->options = options;
  uint64_t data = options->records * (options->key_size + options->value_size + 64);
  unsigned flags = MDB_NOTLS | MDB_NOMEMINIT;
  flags |= options->sync ? 0 : MDB_WRITEMAP | MDB_NOSYNC;
  MDB_txn *transaction = NULL;
  int code = mkdir (options->directory, 0700) == 0 || errno == EEXIST ? 0 : errno;
  if (code == 0)
    code = mdb_env_create (&database->environment);
  if (code == 0)
    code = mdb_env_set_mapsize (database->environment, (1u << 30) + data * 8);
  if (code == 0)
    code = mdb_env_open (database->environment, options->directory, flags, 0600);
  if (code == 0)
    code = mdb_txn_begin (database->environment, NULL, 0, &transaction);
  if (code == 0)
    code = mdb_dbi_open (transaction, NULL, 0, &database->tree);
  if (code == 0)
    code = mdb_txn_commit (transaction);
  if (code == 0)
    return database;
  failed (options->directory, code);
  mdb_env_close (database->environment);
  free (database);
  return NULL;
}

static bool
lmdb_close (struct driver_database *database)
{
  int code = mdb_env_sync (database->environment, 1);
  mdb_env_close (database->environment);
  free (database);
  return code == 0 || failed ("sync", code);
}

static struct driver_session *
lmdb_session_open (struct driver_database *database)
{
  struct driver_session *session = calloc (1, sizeof *session);
  if (session == NULL)
    return NULL;
  session->database = database;
  int code = mdb_txn_begin (database->environment, NULL, MDB_RDONLY, &session->reader);
  if (code != 0)
    {
      failed ("read transaction", code);
      free (session);
      return NULL;
    }
  mdb_txn_reset (session->reader);
  return session;
}

static void
lmdb_session_close (struct driver_session *session)
{
  mdb_txn_abort (session->reader);
  free (session);
}

static MDB_val
value_of (struct driver_bytes bytes)
{
  return (MDB_val){ bytes.size, (void *) bytes.data };
}

static int
put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  MDB_val its_key = value_of (key), its_value = value_of (value);
  return mdb_put (session->writer, session->database->tree, &its_key, &its_value, 0);
}

static int delete (struct driver_session *session, struct driver_bytes key)
{
  MDB_val its_key = value_of (key);
  int code = mdb_del (session->writer, session->database->tree, &its_key, NULL);
  return code == MDB_NOTFOUND ? 0 : code;
}

static int
begin (struct driver_session *session)
{
  return mdb_txn_begin (session->database->environment, NULL, 0, &session->writer);
}

static int
commit (struct driver_session *session)
{
  int code = mdb_txn_commit (session->writer);
  session->writer = NULL;
  return code;
}

static bool
lmdb_put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  int code = begin (session);
  if (code == 0)
    code = put (session, key, value);
  if (code == 0)
    code = commit (session);
  return code == 0 || failed ("put", code);
}

static bool
lmdb_remove (struct driver_session *session, struct driver_bytes key)
{
  int code = begin (session);
  if (code == 0)
    code = delete (session, key);
  if (code == 0)
    code = commit (session);
  return code == 0 || failed ("delete", code);
}

/* What the transaction shows, in LMDB's own memory. */
static enum driver_answer
look (struct driver_session *session, MDB_txn *transaction, struct driver_bytes key,
      struct driver_bytes *value)
{
  MDB_val its_key = value_of (key), its_value;
  int code = mdb_get (transaction, session->database->tree, &its_key, &its_value);
  if (code == MDB_NOTFOUND)
    return DRIVER_ABSENT;
  if (code != 0)
    {
      failed ("get", code);
      return DRIVER_FAILED;
    }
  *value = (struct driver_bytes){ its_value.mv_data, its_value.mv_size };
  return DRIVER_FOUND;
}

static enum driver_answer
get (struct driver_session *session, MDB_txn *transaction, struct driver_bytes key, void *buffer,
     size_t capacity, size_t *size)
{
  struct driver_bytes value;
  enum driver_answer answer = look (session, transaction, key, &value);
  return answer == DRIVER_FOUND ? driver_copy (value, buffer, capacity, size) : answer;
}

static enum driver_answer
lmdb_get (struct driver_session *session, struct driver_bytes key, void *buffer, size_t capacity,
          size_t *size)
{
  if (session->reading)
    return get (session, session->reader, key, buffer, capacity, size);
  int code = mdb_txn_renew (session->reader);
  if (code != 0)
    {
      failed ("renew", code);
      return DRIVER_FAILED;
    }
  enum driver_answer answer = get (session, session->reader, key, buffer, capacity, size);
  mdb_txn_reset (session->reader);
  return answer;
}

static enum driver_answer
lmdb_lend (struct driver_session *session, struct driver_bytes key, struct driver_bytes *value)
{
  int code = mdb_txn_renew (session->reader);
  if (code != 0)
    {
      failed ("renew", code);
      return DRIVER_FAILED;
    }
  enum driver_answer answer = look (session, session->reader, key, value);
  if (answer != DRIVER_FOUND)
    mdb_txn_reset (session->reader);
  return answer;
}

static void
lmdb_take_back (struct driver_session *session)
{
  mdb_txn_reset (session->reader);
}

static bool
lmdb_read_begin (struct driver_session *session)
{
  int code = mdb_txn_renew (session->reader);
  session->reading = code == 0;
  return code == 0 || failed ("renew", code);
}

static void
lmdb_read_end (struct driver_session *session)
{
  mdb_txn_reset (session->reader);
  session->reading = false;
}

static bool
lmdb_multi_get (struct driver_session *session, size_t count, const struct driver_bytes *keys,
                char *buffer, size_t capacity, size_t *sizes)
{
  if (!lmdb_read_begin (session))
    return false;
  enum driver_answer answer = DRIVER_ABSENT;
  for (size_t i = 0; i < count && answer != DRIVER_FAILED; i++)
    {
      sizes[i] = SIZE_MAX;
      answer = get (session, session->reader, keys[i], buffer + i * capacity, capacity, &sizes[i]);
    }
  lmdb_read_end (session);
  return answer != DRIVER_FAILED;
}

static bool
lmdb_begin (struct driver_session *session)
{
  int code = begin (session);
  return code == 0 || failed ("begin", code);
}

static bool
lmdb_write (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  int code = put (session, key, value);
  return code == 0 || failed ("put", code);
}

static bool
lmdb_erase (struct driver_session *session, struct driver_bytes key)
{
  int code = delete (session, key);
  return code == 0 || failed ("delete", code);
}

static bool
lmdb_commit (struct driver_session *session)
{
  int code = commit (session);
  return code == 0 || failed ("commit", code);
}

static enum driver_answer
lmdb_transaction_get (struct driver_session *session, struct driver_bytes key, void *buffer,
                      size_t capacity, size_t *size)
{
  return get (session, session->writer, key, buffer, capacity, size);
}

static bool
lmdb_scan_begin (struct driver_session *session, bool reverse)
{
  if (!lmdb_read_begin (session))
    return false;
  session->reverse = reverse;
  session->next = reverse ? MDB_LAST : MDB_FIRST;
  int code = mdb_cursor_open (session->reader, session->database->tree, &session->cursor);
  return code == 0 || failed ("cursor", code);
}

/* The record found is given by the next MDB_GET_CURRENT. */
static bool
lmdb_scan_seek (struct driver_session *session, struct driver_bytes key)
{
  MDB_val its_key = value_of (key), value;
  int code = mdb_cursor_get (session->cursor, &its_key, &value, MDB_SET_RANGE);
  session->next = code == MDB_NOTFOUND ? MDB_NEXT : MDB_GET_CURRENT;
  return code == 0 || code == MDB_NOTFOUND || failed ("seek", code);
}

static enum driver_answer
lmdb_scan_next (struct driver_session *session, struct driver_bytes *key,
                struct driver_bytes *value)
{
  MDB_val its_key, its_value;
  int code = mdb_cursor_get (session->cursor, &its_key, &its_value, session->next);
  if (code == MDB_NOTFOUND)
    return DRIVER_ABSENT;
  if (code != 0)
    {
      failed ("next", code);
      return DRIVER_FAILED;
    }
  session->next = session->reverse ? MDB_PREV : MDB_NEXT;
  *key = (struct driver_bytes){ its_key.mv_data, its_key.mv_size };
  *value = (struct driver_bytes){ its_value.mv_data, its_value.mv_size };
  return DRIVER_FOUND;
}

static void
lmdb_scan_end (struct driver_session *session)
{
  mdb_cursor_close (session->cursor);
  session->cursor = NULL;
  lmdb_read_end (session);
}

static int
delete_range (struct driver_session *session, MDB_cursor *cursor, struct driver_bytes start,
              MDB_val end)
{
  MDB_val key = value_of (start), value;
  int code = mdb_cursor_get (cursor, &key, &value, MDB_SET_RANGE);
  while (code == 0 && mdb_cmp (session->writer, session->database->tree, &key, &end) < 0)
    {
      code = mdb_cursor_del (cursor, 0);
      if (code == 0) /* the cursor stands on the record that followed */
        code = mdb_cursor_get (cursor, &key, &value, MDB_NEXT);
    }
  return code == MDB_NOTFOUND ? 0 : code;
}

static bool
lmdb_remove_range (struct driver_session *session, struct driver_bytes start,
                   struct driver_bytes end)
{
  MDB_cursor *cursor = NULL;
  int code = begin (session);
  if (code == 0)
    code = mdb_cursor_open (session->writer, session->database->tree, &cursor);
  if (code == 0)
    {
      code = delete_range (session, cursor, start, value_of (end));
      mdb_cursor_close (cursor);
    }
  if (code == 0)
    code = commit (session);
  return code == 0 || failed ("delete range", code);
}

static bool
lmdb_bulk_put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  MDB_val its_key = value_of (key), its_value = value_of (value);
  int code = mdb_put (session->writer, session->database->tree, &its_key, &its_value, MDB_APPEND);
  return code == 0 || failed ("append", code);
}

const struct driver benchmark_driver = {
  .name = "lmdb",
  .version = lmdb_version,
  .settings = lmdb_settings,
  .open = lmdb_open,
  .close = lmdb_close,
  .session_open = lmdb_session_open,
  .session_close = lmdb_session_close,
  .put = lmdb_put,
  .remove = lmdb_remove,
  .get = lmdb_get,
  .lend = lmdb_lend,
  .take_back = lmdb_take_back,
  .multi_get = lmdb_multi_get,
  .batch_begin = lmdb_begin,
  .batch_put = lmdb_write,
  .batch_remove = lmdb_erase,
  .batch_commit = lmdb_commit,
  .read_begin = lmdb_read_begin,
  .read_end = lmdb_read_end,
  .scan_begin = lmdb_scan_begin,
  .scan_seek = lmdb_scan_seek,
  .scan_next = lmdb_scan_next,
  .scan_end = lmdb_scan_end,
  .remove_range = lmdb_remove_range,
  .transaction_begin = lmdb_begin,
  .transaction_get = lmdb_transaction_get,
  .transaction_put = lmdb_write,
  .transaction_remove = lmdb_erase,
  .transaction_commit = lmdb_commit,
  .bulk_begin = lmdb_begin,
  .bulk_put = lmdb_bulk_put,
  .bulk_finish = lmdb_commit,
};
