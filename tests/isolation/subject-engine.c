/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include "check.h"
#include "engine.h"

struct subject_reader
{
  struct engine_transaction *transaction; /* or */
  struct engine_snapshot *snapshot;       /* the other is NULL */
};

static struct engine *engine;

static enum engine_sync
sync_of (enum subject_sync sync)
{
  return sync == SUBJECT_SYNC_FULL   ? ENGINE_SYNC_FULL
         : sync == SUBJECT_SYNC_NONE ? ENGINE_SYNC_NONE
                                     : ENGINE_SYNC_ASYNC;
}

void
subject_open (const char *path, unsigned variant, const struct vfs *vfs)
{
  struct failure failure;
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10 << (variant % 3);
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 65536;
  options.log_mapping = variant % 2 == 0;
  options.blob_threshold = 1024;
  options.merge_workers = 1 + variant % 2;
  options.vfs = vfs;
  if (vfs != NULL) /* which call is a sample depends on what the thread did in episodes before */
    options.sampling_interval = 0;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
}

void
subject_close (void)
{
  struct failure failure;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  engine = NULL;
}

void
subject_maintain (enum subject_upkeep upkeep)
{
  struct failure failure;
  switch (upkeep)
    {
    case SUBJECT_FLUSH:
      CHECK_OK (engine_flush (engine, &failure));
      break;
    case SUBJECT_COMPACT:
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      break;
    case SUBJECT_EVICT:
      engine_evict_cache (engine, 1);
      break;
    case SUBJECT_CHECKPOINT:
      CHECK_OK (engine_checkpoint (engine, &failure));
    }
}

/* ---- reading ---- */

struct subject_reader *
subject_begin (enum subject_isolation isolation)
{
  struct failure failure;
  struct subject_reader *reader = calloc (1, sizeof *reader);
  CHECK (reader != NULL);
  unsigned flags = isolation == SUBJECT_SERIALIZABLE ? ENGINE_TRANSACTION_SERIALIZABLE
                   : isolation == SUBJECT_READ_ONLY  ? ENGINE_TRANSACTION_READ_ONLY
                                                     : 0;
  if (isolation == SUBJECT_PLAIN)
    CHECK_OK (engine_snapshot_new (engine, &reader->snapshot, &failure));
  else
    CHECK_OK (engine_transaction_begin (engine, flags, &reader->transaction, &failure));
  return reader;
}

uint64_t
subject_snapshot (struct subject_reader *reader)
{
  return reader->snapshot != NULL ? engine_snapshot_sequence (reader->snapshot)
                                  : engine_transaction_snapshot (reader->transaction);
}

/* At a snapshot, by both calls that there are. */
static uint32_t
get_at_snapshot (struct engine_snapshot *snapshot, struct bytes name, uint32_t *list)
{
  struct failure failure = FAILURE_INIT;
  uint8_t copy[VALUE_MOST];
  uint32_t lent[LIST_MOST], count = 0;
  size_t size;
  struct engine_value value;
  status result = engine_get (engine, snapshot, ENGINE_STORE_DEFAULT, name, copy, sizeof copy,
                              &size, &failure);
  CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
  if (result == STATUS_OK)
    count = subject_list (list, copy, size);
  CHECK_INT (engine_get_value (engine, snapshot, ENGINE_STORE_DEFAULT, name, &value, &failure),
             result);
  if (result == STATUS_OK)
    {
      CHECK_INT (subject_list (lent, value.data.data, value.data.size), count);
      CHECK (memcmp (list, lent, count * sizeof *list) == 0);
      engine_value_release (&value);
    }
  return count;
}

uint32_t
subject_get (struct subject_reader *reader, uint32_t key, uint32_t *list)
{
  struct failure failure = FAILURE_INIT;
  struct engine_value value;
  char room[KEY_ROOM];
  struct bytes name = BYTES (room, subject_key (room, key));
  if (reader->snapshot != NULL)
    return get_at_snapshot (reader->snapshot, name, list);
  status result = engine_transaction_get_value (reader->transaction, ENGINE_STORE_DEFAULT, name,
                                                &value, &failure);
  if (result == STATUS_NOT_FOUND)
    return 0;
  CHECK_INT (result, STATUS_OK);
  uint32_t count = subject_list (list, value.data.data, value.data.size);
  engine_value_release (&value);
  return count;
}

unsigned
subject_scan (struct subject_reader *reader, uint32_t from, uint32_t to, bool backward,
              unsigned most, struct subject_item *items)
{
  struct failure failure;
  struct engine_cursor *cursor;
  char lower[KEY_ROOM], upper[KEY_ROOM];
  unsigned count = 0;
  struct engine_cursor_settings settings = {
    .store = ENGINE_STORE_DEFAULT,
    .snapshot = reader != NULL ? reader->snapshot : NULL,
    .transaction = reader != NULL ? reader->transaction : NULL,
    .lower = BYTES (lower, subject_key (lower, from)),
    .upper = BYTES (upper, subject_key (upper, to)),
  };
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  if (backward)
    CHECK_OK (engine_cursor_last (cursor, &failure));
  else
    CHECK_OK (engine_cursor_first (cursor, &failure));
  while (engine_cursor_valid (cursor))
    {
      struct bytes key = engine_cursor_key (cursor), value;
      CHECK_OK (engine_cursor_value (cursor, &value, &failure));
      items[count].key = subject_key_number (key.data, key.size);
      items[count].count = subject_list (items[count].list, value.data, value.size);
      if (++count == most)
        break;
      if (backward)
        CHECK_OK (engine_cursor_previous (cursor, &failure));
      else
        CHECK_OK (engine_cursor_next (cursor, &failure));
    }
  engine_cursor_free (cursor);
  return count;
}

void
subject_look (const uint32_t *keys, size_t count, uint32_t (*lists)[LIST_MOST], uint32_t *counts)
{
  struct failure failure;
  char rooms[SCAN_MOST][KEY_ROOM];
  struct bytes names[SCAN_MOST] = { BYTES_NONE };
  struct engine_value values[SCAN_MOST];
  status results[SCAN_MOST];
  CHECK (count <= SCAN_MOST);
  for (size_t i = 0; i < count; i++)
    names[i] = BYTES (rooms[i], subject_key (rooms[i], keys[i]));
  CHECK_OK (engine_get_many (engine, NULL, ENGINE_STORE_DEFAULT, names, count, values, results,
                             &failure));
  for (size_t i = 0; i < count; i++)
    {
      CHECK (results[i] == STATUS_OK || results[i] == STATUS_NOT_FOUND);
      counts[i] = 0;
      if (results[i] != STATUS_OK)
        continue;
      counts[i] = subject_list (lists[i], values[i].data.data, values[i].data.size);
      engine_value_release (&values[i]);
    }
}

/* ---- writing ---- */

void
subject_put (struct subject_reader *reader, uint32_t key, const uint32_t *list, uint32_t count)
{
  struct failure failure;
  char room[KEY_ROOM];
  uint8_t value[VALUE_MOST];
  CHECK_OK (engine_transaction_put (reader->transaction, ENGINE_STORE_DEFAULT,
                                    BYTES (room, subject_key (room, key)),
                                    BYTES (value, subject_value (value, list, count)), &failure));
}

void
subject_delete (struct subject_reader *reader, uint32_t key)
{
  struct failure failure;
  char room[KEY_ROOM];
  CHECK_OK (engine_transaction_delete (reader->transaction, ENGINE_STORE_DEFAULT,
                                       BYTES (room, subject_key (room, key)), &failure));
}

void
subject_delete_range (struct subject_reader *reader, uint32_t from, uint32_t to)
{
  struct failure failure;
  char start[KEY_ROOM], end[KEY_ROOM];
  CHECK_OK (engine_transaction_delete_range (reader->transaction, ENGINE_STORE_DEFAULT,
                                             BYTES (start, subject_key (start, from)),
                                             BYTES (end, subject_key (end, to)), &failure));
}

void
subject_lock (struct subject_reader *reader, uint32_t key)
{
  struct failure failure;
  char room[KEY_ROOM];
  CHECK_OK (engine_transaction_lock_key (reader->transaction, ENGINE_STORE_DEFAULT,
                                         BYTES (room, subject_key (room, key)), &failure));
}

uint64_t
subject_savepoint (struct subject_reader *reader)
{
  struct failure failure;
  uint64_t savepoint;
  CHECK_OK (engine_transaction_savepoint (reader->transaction, &savepoint, &failure));
  return savepoint;
}

void
subject_rollback_to (struct subject_reader *reader, uint64_t savepoint)
{
  struct failure failure;
  CHECK_OK (engine_transaction_rollback_to (reader->transaction, savepoint, &failure));
}

static void
end (struct subject_reader *reader)
{
  engine_transaction_free (reader->transaction);
  engine_snapshot_free (reader->snapshot);
  free (reader);
}

bool
subject_commit (struct subject_reader *reader, enum subject_sync sync, uint64_t *sequence)
{
  struct failure failure = FAILURE_INIT;
  *sequence = 0;
  status result
      = reader->snapshot != NULL
            ? STATUS_OK
            : engine_transaction_commit (reader->transaction, sync_of (sync), sequence, &failure);
  end (reader);
  if (result != STATUS_CONFLICT && result != STATUS_OK)
    fprintf (stderr, "commit: %s (%s)\n", status_name (result), failure.message);
  CHECK (result == STATUS_CONFLICT || result == STATUS_OK);
  return result == STATUS_OK;
}

void
subject_rollback (struct subject_reader *reader)
{
  if (reader->transaction != NULL)
    engine_transaction_rollback (reader->transaction);
  end (reader);
}

/* ---- outside of transactions ---- */

static uint64_t
write_one (const struct subject_write *write, enum engine_sync sync)
{
  struct failure failure;
  char room[KEY_ROOM], to[KEY_ROOM];
  uint8_t value[VALUE_MOST];
  uint64_t sequence;
  struct bytes key = BYTES (room, subject_key (room, write->key));
  switch (write->kind)
    {
    case WRITE_PUT:
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, key,
                            BYTES (value, subject_value (value, &write->element, 1)), sync,
                            &sequence, &failure));
      break;
    case WRITE_DELETE:
      CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, key, sync, &sequence, &failure));
      break;
    case WRITE_DELETE_RANGE:
      CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, key,
                                     BYTES (to, subject_key (to, write->to)), sync, &sequence,
                                     &failure));
    }
  return sequence;
}

static void
add_to_batch (struct engine_batch *batch, const struct subject_write *write)
{
  struct failure failure;
  char room[KEY_ROOM], to[KEY_ROOM];
  uint8_t value[VALUE_MOST];
  struct bytes key = BYTES (room, subject_key (room, write->key));
  switch (write->kind)
    {
    case WRITE_PUT:
      CHECK_OK (engine_batch_put (batch, ENGINE_STORE_DEFAULT, key,
                                  BYTES (value, subject_value (value, &write->element, 1)),
                                  &failure));
      break;
    case WRITE_DELETE:
      CHECK_OK (engine_batch_delete (batch, ENGINE_STORE_DEFAULT, key, &failure));
      break;
    case WRITE_DELETE_RANGE:
      CHECK_OK (engine_batch_delete_range (batch, ENGINE_STORE_DEFAULT, key,
                                           BYTES (to, subject_key (to, write->to)), &failure));
    }
}

uint64_t
subject_write (const struct subject_write *writes, size_t count, enum subject_sync sync)
{
  struct failure failure;
  struct engine_batch *batch;
  uint64_t sequence;
  if (count == 1)
    return write_one (writes, sync_of (sync));
  CHECK_OK (engine_batch_new (&batch, &failure));
  for (size_t i = 0; i < count; i++)
    add_to_batch (batch, &writes[i]);
  CHECK_OK (engine_write (engine, batch, sync_of (sync), &sequence, &failure));
  engine_batch_free (batch);
  return sequence;
}
