/* SPDX-License-Identifier: MIT */
/* The same through the public library, as an application does it. */
#include "subject.h"

#include "check.h"

#include <lightning-db.h>

struct subject_reader
{
  LdbTransaction *transaction; /* or */
  LdbSnapshot *snapshot;       /* the other is NULL */
};

static LdbDatabase *database;

/* A call that takes `&error` last and must succeed. */
#define MUST(call)                                                                                 \
  do                                                                                               \
    {                                                                                              \
      g_autoptr (GError) error = NULL;                                                             \
      if (!(call))                                                                                 \
        g_error ("%s:%d: %s: %s", __FILE__, __LINE__, #call,                                       \
                 error != NULL ? error->message : "no error is set");                              \
    }                                                                                              \
  while (0)

static LdbSyncMode
sync_of (enum subject_sync sync)
{
  return sync == SUBJECT_SYNC_FULL   ? LDB_SYNC_MODE_FULL
         : sync == SUBJECT_SYNC_NONE ? LDB_SYNC_MODE_NONE
                                     : LDB_SYNC_MODE_ASYNC;
}

void
subject_open (const char *path, unsigned variant, const struct vfs *vfs)
{
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_assert (vfs == NULL);
  ldb_options_set_cache_size (options, 10 << 20);
  ldb_options_set_wal_segment_size (options, 65536);
  ldb_options_set_blob_threshold (options, 1024);
  ldb_options_set_parallel_compaction_workers (options, 1 + variant % 2);
  MUST (database = ldb_database_open (path, LDB_OPEN_CREATE, options, NULL, &error));
}

void
subject_close (void)
{
  MUST (ldb_database_close (database, NULL, &error));
  g_clear_object (&database);
}

void
subject_maintain (enum subject_upkeep upkeep)
{
  switch (upkeep)
    {
    case SUBJECT_FLUSH:
      MUST (ldb_database_flush (database, NULL, &error));
      break;
    case SUBJECT_COMPACT:
      MUST (ldb_database_compact (database, NULL, NULL, NULL, &error));
      break;
    case SUBJECT_EVICT:
      ldb_database_evict_cache (database, 1, NULL);
      break;
    case SUBJECT_CHECKPOINT:
      MUST (ldb_database_checkpoint (database, NULL, &error));
    }
}

/* ---- reading ---- */

struct subject_reader *
subject_begin (enum subject_isolation isolation)
{
  struct subject_reader *reader = g_new0 (struct subject_reader, 1);
  LdbTransactionFlags flags = isolation == SUBJECT_SERIALIZABLE ? LDB_TRANSACTION_SERIALIZABLE
                              : isolation == SUBJECT_READ_ONLY  ? LDB_TRANSACTION_READ_ONLY
                                                                : LDB_TRANSACTION_NONE;
  if (isolation == SUBJECT_PLAIN)
    MUST (reader->snapshot = ldb_database_create_snapshot (database, &error));
  else
    MUST (reader->transaction = ldb_database_begin (database, flags, &error));
  return reader;
}

uint64_t
subject_snapshot (struct subject_reader *reader)
{
  return reader->snapshot != NULL ? ldb_snapshot_get_sequence (reader->snapshot)
                                  : ldb_transaction_get_snapshot_sequence (reader->transaction);
}

static uint32_t
take_list (GBytes *value, uint32_t *list)
{
  gsize size;
  const void *data = g_bytes_get_data (value, &size);
  return subject_list (list, data, size);
}

uint32_t
subject_get (struct subject_reader *reader, uint32_t key, uint32_t *list)
{
  g_autoptr (GError) error = NULL;
  char room[KEY_ROOM];
  gsize size = subject_key (room, key);
  g_autoptr (GBytes) value
      = reader->snapshot != NULL
            ? ldb_snapshot_get (reader->snapshot, NULL, room, size, NULL, &error)
            : ldb_transaction_get (reader->transaction, NULL, room, size, NULL, &error);
  g_assert_no_error (error);
  return value != NULL ? take_list (value, list) : 0;
}

unsigned
subject_scan (struct subject_reader *reader, uint32_t from, uint32_t to, bool backward,
              unsigned most, struct subject_item *items)
{
  g_autoptr (GError) error = NULL;
  char start[KEY_ROOM], end[KEY_ROOM];
  gsize start_size = subject_key (start, from), end_size = subject_key (end, to);
  LdbScanFlags flags = backward ? LDB_SCAN_REVERSE : LDB_SCAN_NONE;
  g_autoptr (LdbCursor) cursor
      = reader == NULL
            ? ldb_database_scan (database, start, start_size, end, end_size, flags, &error)
        : reader->snapshot != NULL
            ? ldb_snapshot_scan (reader->snapshot, NULL, start, start_size, end, end_size, flags,
                                 &error)
            : ldb_transaction_scan (reader->transaction, NULL, start, start_size, end, end_size,
                                    flags, &error);
  g_assert_no_error (error);
  unsigned count = 0;
  while (count < most && ldb_cursor_next (cursor, NULL, &error))
    {
      g_autoptr (GBytes) key = ldb_cursor_get_key (cursor);
      g_autoptr (GBytes) value = ldb_cursor_get_value (cursor, NULL, &error);
      g_assert_no_error (error);
      gsize size;
      const void *data = g_bytes_get_data (key, &size);
      items[count].key = subject_key_number (data, size);
      items[count].count = take_list (value, items[count].list);
      count++;
    }
  g_assert_no_error (error);
  return count;
}

void
subject_look (const uint32_t *keys, size_t count, uint32_t (*lists)[LIST_MOST], uint32_t *counts)
{
  char rooms[SCAN_MOST][KEY_ROOM];
  gconstpointer names[SCAN_MOST];
  gsize sizes[SCAN_MOST];
  LdbView views[SCAN_MOST] = { LDB_VIEW_INIT };
  g_assert (count <= SCAN_MOST);
  for (size_t i = 0; i < count; i++)
    {
      names[i] = rooms[i];
      sizes[i] = subject_key (rooms[i], keys[i]);
    }
  MUST (ldb_database_peek_many (database, names, sizes, count, views, &error));
  for (size_t i = 0; i < count; i++)
    {
      counts[i] = views[i].data != NULL ? subject_list (lists[i], views[i].data, views[i].size) : 0;
      ldb_view_clear (&views[i]);
    }
}

/* ---- writing ---- */

void
subject_put (struct subject_reader *reader, uint32_t key, const uint32_t *list, uint32_t count)
{
  char room[KEY_ROOM];
  uint8_t value[VALUE_MOST];
  gsize size = subject_key (room, key), value_size = subject_value (value, list, count);
  MUST (ldb_transaction_put (reader->transaction, NULL, room, size, value, value_size, &error));
}

void
subject_delete (struct subject_reader *reader, uint32_t key)
{
  char room[KEY_ROOM];
  gsize size = subject_key (room, key);
  MUST (ldb_transaction_delete (reader->transaction, NULL, room, size, &error));
}

void
subject_delete_range (struct subject_reader *reader, uint32_t from, uint32_t to)
{
  char start[KEY_ROOM], end[KEY_ROOM];
  gsize start_size = subject_key (start, from), end_size = subject_key (end, to);
  MUST (ldb_transaction_delete_range (reader->transaction, NULL, start, start_size, end, end_size,
                                      &error));
}

void
subject_lock (struct subject_reader *reader, uint32_t key)
{
  char room[KEY_ROOM];
  gsize size = subject_key (room, key);
  MUST (ldb_transaction_lock_key (reader->transaction, NULL, room, size, &error));
}

uint64_t
subject_savepoint (struct subject_reader *reader)
{
  uint64_t savepoint;
  MUST ((savepoint = ldb_transaction_savepoint (reader->transaction, &error)) != 0);
  return savepoint;
}

void
subject_rollback_to (struct subject_reader *reader, uint64_t savepoint)
{
  MUST (ldb_transaction_rollback_to (reader->transaction, savepoint, &error));
}

static void
end (struct subject_reader *reader)
{
  g_clear_object (&reader->transaction);
  g_clear_object (&reader->snapshot);
  g_free (reader);
}

bool
subject_commit (struct subject_reader *reader, enum subject_sync sync, uint64_t *sequence)
{
  g_autoptr (GError) error = NULL;
  *sequence = 0;
  if (reader->transaction != NULL
      && ldb_transaction_commit (reader->transaction, sync_of (sync), NULL, &error))
    *sequence = ldb_transaction_get_commit_sequence (reader->transaction);
  end (reader);
  if (error != NULL)
    g_assert_error (error, LDB_ERROR, LDB_ERROR_CONFLICT);
  return error == NULL;
}

void
subject_rollback (struct subject_reader *reader)
{
  if (reader->transaction != NULL)
    MUST (ldb_transaction_rollback (reader->transaction, &error));
  end (reader);
}

uint64_t
subject_write (const struct subject_write *writes, size_t count, enum subject_sync sync)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (size_t i = 0; i < count; i++)
    {
      char room[KEY_ROOM], to[KEY_ROOM];
      uint8_t value[VALUE_MOST];
      gsize size = subject_key (room, writes[i].key), to_size = subject_key (to, writes[i].to);
      if (writes[i].kind == WRITE_PUT)
        {
          gsize value_size = subject_value (value, &writes[i].element, 1);
          MUST (ldb_batch_put (batch, NULL, room, size, value, value_size, &error));
        }
      else if (writes[i].kind == WRITE_DELETE)
        MUST (ldb_batch_delete (batch, NULL, room, size, &error));
      else
        MUST (ldb_batch_delete_range (batch, NULL, room, size, to, to_size, &error));
    }
  MUST (ldb_database_write_batch (database, batch, sync_of (sync), NULL, &error));
  return ldb_batch_get_sequence (batch);
}
