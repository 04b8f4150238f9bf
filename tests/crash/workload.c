/* SPDX-License-Identifier: MIT */
#include "workload.h"

#include "simulated-memory.h"
#include "simulated-threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NAME "second"
#define VALUE_SIZE_MOST 40000u
#define LARGE 20000u /* bytes of a large value, about */
#define LARGE_BIT 0x80000000u
#define MANY 6 /* large values fill a memtable, or two log segments */

static struct failure failure;

#define MUST(call)                                                                                 \
  do                                                                                               \
    {                                                                                              \
      failure = FAILURE_INIT;                                                                      \
      status must_status = (call);                                                                 \
      if (must_status != STATUS_OK)                                                                \
        {                                                                                          \
          fprintf (stderr, "%s:%d: %s: %s (%s)\n", __FILE__, __LINE__, #call,                      \
                   status_name (must_status), failure.message);                                    \
          abort ();                                                                                \
        }                                                                                          \
    }                                                                                              \
  while (0)

const char *
call_name (enum call_kind kind)
{
  static const char *names[CALLS] = {
    "put-async",   "put-full", "put-none", "delete-full", "delete-range", "batch",
    "transaction", "sync",     "flush",    "compact",     "reopen",       "quiet",
    "large",       "loader",   "backup",   "drop",        "many",
  };
  return names[kind];
}

void
workload_options (unsigned variant, const struct vfs *vfs, struct engine_options *out)
{
  engine_options_init (out);
  out->memory_budget = 10 << 20;
  out->memtable_size = 64 << 10;
  out->segment_file_size = 32 << 10;
  out->log_segment_size = 64 << 10;
  out->blob_threshold = (variant & WORKLOAD_LARGE_LOGGED) != 0 ? 1 << 20 : 2048;
  out->change_retention = (variant & WORKLOAD_RETAINED) != 0 ? 1 << 30 : 0;
  out->vfs = vfs;
}

/* ---- keys and values ---- */

struct bytes
workload_key (unsigned key)
{
  static const char *keys[WORKLOAD_KEYS]
      = { "a", "apple", "apricot", "b", "banana", "berry", "c", "cherry", "d", "date" };
  return BYTES (keys[key], strlen (keys[key]));
}

struct bytes
workload_mark_key (void)
{
  return BYTES ("mark", 4);
}

struct bytes
workload_value (uint32_t number)
{
  static uint8_t bytes[VALUE_SIZE_MOST];
  struct random random = { number };
  uint64_t turn = random_next (&random);
  size_t size = (number & LARGE_BIT) != 0 ? LARGE + turn % 1000
                : turn % 8 == 0           ? 0
                : turn % 8 == 1           ? 600
                                          : 8 + turn % 60;
  for (size_t i = 0; i < size; i += 8)
    {
      uint64_t word = random_next (&random);
      memcpy (bytes + i, &word, size - i < 8 ? size - i : 8);
    }
  return BYTES (bytes, size);
}

/* ---- remembering ---- */

/* The commits up to `sequence` that were not there before left what is in `now`; those between are
 * empty. */
void
workload_remember (struct workload *workload, uint64_t sequence)
{
  if (sequence + 1 > workload->table_room)
    {
      workload->table_room = sequence * 2 + 32;
      workload->tables
          = kept_realloc (workload->tables, workload->table_room * sizeof *workload->tables);
      if (workload->tables == NULL)
        abort ();
    }
  while (workload->table_count <= sequence)
    {
      struct table before = workload->table_count > 0 ? workload->tables[workload->table_count - 1]
                                                      : (struct table){ 0 };
      bool last = workload->table_count == sequence;
      workload->tables[workload->table_count++] = last ? workload->now : before;
    }
}

static struct call_record *
call_begin (struct workload *workload, enum call_kind kind)
{
  if (workload->call_count == workload->call_room)
    {
      workload->call_room = workload->call_room * 2 + 16;
      workload->calls
          = kept_realloc (workload->calls, workload->call_room * sizeof *workload->calls);
      if (workload->calls == NULL)
        abort ();
    }
  struct call_record *call = &workload->calls[workload->call_count++];
  *call = workload->call_count > 1 ? call[-1] : (struct call_record){ 0 };
  call->kind = kind;
  disk_look (workload->disk);
  call->first = workload->journal.count;
  return call;
}

/* `durable`: all commits were promised to survive a power cut. `kept`: a process's death. */
static void
call_end (struct workload *workload, struct call_record *call, bool durable, bool kept)
{
  disk_look (workload->disk);
  call->last = workload->journal.count;
  call->sequence = engine_sequence (workload->engine);
  workload_remember (workload, call->sequence);
  uint64_t claimed = engine_durable_sequence (workload->engine);
  if (durable)
    call->durable = call->sequence;
  if (claimed > call->durable)
    call->durable = claimed;
  if (kept || durable)
    call->kept = call->sequence;
  if (call->durable > call->kept)
    call->kept = call->durable;
}

/* ---- calls ---- */

static uint32_t
new_value (struct workload *workload, bool large)
{
  return ++workload->next_value | (large ? LARGE_BIT : 0);
}

static unsigned
some_key (struct workload *workload)
{
  return (unsigned) random_below (&workload->random, WORKLOAD_KEYS);
}

static status
put (struct workload *workload, struct table *next, enum engine_sync sync, bool large)
{
  unsigned key = some_key (workload);
  uint32_t value = new_value (workload, large);
  next->values[0][key] = value;
  return engine_put (workload->engine, ENGINE_STORE_DEFAULT, workload_key (key),
                     workload_value (value), sync, NULL, &failure);
}

static status
delete_one (struct workload *workload, struct table *next)
{
  unsigned key = some_key (workload);
  next->values[0][key] = 0;
  return engine_delete (workload->engine, ENGINE_STORE_DEFAULT, workload_key (key),
                        ENGINE_SYNC_FULL, NULL, &failure);
}

static status
delete_range (struct workload *workload, struct table *next)
{
  unsigned from = (unsigned) random_below (&workload->random, WORKLOAD_KEYS - 1);
  unsigned to = from + 1 + (unsigned) random_below (&workload->random, WORKLOAD_KEYS - 1 - from);
  for (unsigned key = from; key < to; key++)
    next->values[0][key] = 0;
  return engine_delete_range (workload->engine, ENGINE_STORE_DEFAULT, workload_key (from),
                              workload_key (to), ENGINE_SYNC_ASYNC, NULL, &failure);
}

static status
batch (struct workload *workload, struct table *next)
{
  struct engine_batch *batch;
  status result = engine_batch_new (&batch, &failure);
  if (result != STATUS_OK)
    return result;
  for (unsigned i = 0; result == STATUS_OK && i < 4; i++)
    {
      unsigned store = i % 2 == 1 && workload->second != 0, key = some_key (workload);
      uint32_t value = i == 3 ? 0 : new_value (workload, i == 2);
      engine_store id = store == 1 ? workload->second : ENGINE_STORE_DEFAULT;
      next->values[store][key] = value;
      if (value != 0)
        result = engine_batch_put (batch, id, workload_key (key), workload_value (value), &failure);
      else
        result = engine_batch_delete (batch, id, workload_key (key), &failure);
    }
  if (result == STATUS_OK)
    result = engine_write (workload->engine, batch, ENGINE_SYNC_FULL, NULL, &failure);
  engine_batch_free (batch);
  return result;
}

static status
transaction (struct workload *workload, struct table *next)
{
  struct engine_transaction *transaction;
  status result = engine_transaction_begin (workload->engine, 0, &transaction, &failure);
  if (result != STATUS_OK)
    return result;
  for (unsigned i = 0; result == STATUS_OK && i < 3; i++)
    {
      unsigned store = i == 1 && workload->second != 0, key = some_key (workload);
      uint32_t value = new_value (workload, i == 2);
      engine_store id = store == 1 ? workload->second : ENGINE_STORE_DEFAULT;
      next->values[store][key] = value;
      result = engine_transaction_put (transaction, id, workload_key (key), workload_value (value),
                                       &failure);
    }
  if (result == STATUS_OK)
    result = engine_transaction_commit (transaction, ENGINE_SYNC_ASYNC, NULL, &failure);
  engine_transaction_free (transaction);
  return result;
}

static status
load (struct workload *workload, struct table *next)
{
  struct engine_loader *loader;
  status result = engine_loader_new (workload->engine, &loader, &failure);
  if (result != STATUS_OK)
    return result;
  for (unsigned i = 0; result == STATUS_OK && i < 4; i++)
    {
      unsigned key = some_key (workload);
      uint32_t value = new_value (workload, i == 1);
      next->values[0][key] = value;
      result = engine_loader_put (loader, ENGINE_STORE_DEFAULT, workload_key (key),
                                  workload_value (value), &failure);
    }
  if (result == STATUS_OK)
    result = engine_loader_commit (loader, NULL, &failure);
  engine_loader_free (loader);
  return result;
}

static status
drop_or_make (struct workload *workload, struct table *next)
{
  if (workload->second == 0)
    {
      next->second = true;
      return engine_store_open (workload->engine, SECOND_NAME, true, &workload->second, &failure);
    }
  status result = engine_store_drop (workload->engine, SECOND_NAME, &failure);
  if (result == STATUS_OK)
    workload->second = 0;
  memset (next->values[1], 0, sizeof next->values[1]);
  next->second = false;
  return result;
}

static status
back_up (struct workload *workload)
{
  struct engine_backup_result result = { 0 };
  status code = engine_backup (workload->engine, WORKLOAD_BACKUP_PATH, false, NULL, NULL, &result,
                               &failure);
  if (code == STATUS_OK)
    workload->backed_up = result.sequence;
  return code;
}

status
workload_call (struct workload *workload, enum call_kind kind, struct table *next,
               const char **message)
{
  failure = FAILURE_INIT;
  *message = failure.message;
  switch (kind)
    {
    case CALL_PUT_ASYNC:
    case CALL_LARGE:
      return put (workload, next, ENGINE_SYNC_ASYNC, kind == CALL_LARGE);
    case CALL_PUT_FULL:
      return put (workload, next, ENGINE_SYNC_FULL, false);
    case CALL_PUT_NONE:
      return put (workload, next, ENGINE_SYNC_NONE, false);
    case CALL_DELETE_FULL:
      return delete_one (workload, next);
    case CALL_DELETE_RANGE:
      return delete_range (workload, next);
    case CALL_BATCH:
      return batch (workload, next);
    case CALL_TRANSACTION:
      return transaction (workload, next);
    case CALL_SYNC:
      return engine_sync (workload->engine, &failure);
    case CALL_FLUSH:
      return engine_flush (workload->engine, &failure);
    case CALL_COMPACT:
      return engine_compact (workload->engine, NULL, NULL, &failure);
    case CALL_QUIET:
      simulated_time_pass (2000000);
      return STATUS_OK;
    case CALL_LOADER:
      return load (workload, next);
    case CALL_BACKUP:
      return back_up (workload);
    case CALL_DROP:
      return drop_or_make (workload, next);
    default:
      abort ();
    }
}

bool
call_is_durable (enum call_kind kind)
{
  switch (kind)
    {
    case CALL_PUT_FULL:
    case CALL_DELETE_FULL:
    case CALL_BATCH:
    case CALL_SYNC:
    case CALL_FLUSH:
    case CALL_COMPACT:
    case CALL_LOADER:
    case CALL_REOPEN:
      return true;
    default:
      return false;
    }
}

static void
open_engine (struct workload *workload)
{
  struct engine_options options;
  workload_options (workload->variant, &workload->disk->vfs, &options);
  MUST (engine_open (WORKLOAD_PATH, ENGINE_OPEN_CREATE, &options, &workload->engine, &failure));
}

/* What is there when it is closed is durable. */
static void
close_engine (struct workload *workload)
{
  struct call_record *call = call_begin (workload, CALL_REOPEN);
  call->sequence = engine_sequence (workload->engine);
  MUST (engine_close (workload->engine, &failure));
  engine_unref (workload->engine);
  workload->engine = NULL;
  disk_look (workload->disk);
  call->last = workload->journal.count;
  call->durable = call->kept = call->sequence;
}

static void
run_call (struct workload *workload, enum call_kind kind)
{
  if (kind == CALL_REOPEN)
    {
      close_engine (workload);
      open_engine (workload);
      call_end (workload, call_begin (workload, kind), true, true);
      return;
    }
  if (kind == CALL_MANY)
    {
      for (unsigned i = 0; i < MANY; i++)
        run_call (workload, CALL_LARGE);
      return;
    }
  struct call_record *call = call_begin (workload, kind);
  const char *message;
  struct table next = workload->now;
  status result = workload_call (workload, kind, &next, &message);
  if (result != STATUS_OK)
    {
      fprintf (stderr, "%s: %s (%s)\n", call_name (kind), status_name (result), message);
      abort ();
    }
  workload->now = next;
  if (kind == CALL_QUIET) /* the timer of async commits; there is nothing new to keep */
    call->durable = call->kept;
  call->backup = workload->backed_up;
  call_end (workload, call, call_is_durable (kind), kind != CALL_PUT_NONE && kind != CALL_QUIET);
}

void
workload_prepare (struct workload *workload, unsigned variant, uint64_t seed)
{
  *workload = (struct workload){ .variant = variant, .seed = seed, .random = { seed } };
  workload->disk = disk_new ((variant & WORKLOAD_MAPPED) != 0, &workload->journal);
  workload->disk->linkless = seed % 3 == 0; /* backups are copies */
  struct vfs_directory *directory;
  MUST (vfs_directory_open (&workload->disk->vfs, WORKLOAD_PATH, true, &directory, &failure));
  vfs_directory_close (directory);
  MUST (
      vfs_directory_open (&workload->disk->vfs, WORKLOAD_BACKUP_PATH, true, &directory, &failure));
  vfs_directory_close (directory);
  workload->empty = disk_clone (workload->disk);
}

void
workload_run (struct workload *workload, unsigned variant, uint64_t seed, unsigned one_in,
              const enum call_kind *calls, size_t count)
{
  simulated_threads_begin (seed, one_in);
  workload_prepare (workload, variant, seed);
  struct call_record *call = call_begin (workload, CALL_REOPEN);
  open_engine (workload);
  call_end (workload, call, true, true);
  run_call (workload, CALL_DROP);
  run_call (workload, CALL_PUT_FULL);
  for (size_t i = 0; i < count; i++)
    run_call (workload, calls[i]);
  close_engine (workload);
}

void
workload_clear (struct workload *workload)
{
  disk_free (workload->empty);
  disk_free (workload->disk);
  disk_journal_clear (&workload->journal);
  free (workload->tables);
  free (workload->calls);
}

/* ---- judging ---- */

struct promise
workload_promise (const struct workload *workload, size_t point, bool kill)
{
  struct promise promise = { .gap = UINT64_MAX, .kill = kill };
  for (size_t i = 0; i < workload->call_count; i++)
    {
      const struct call_record *call = &workload->calls[i];
      if (call->first >= point && call->last > point)
        break; /* not begun, as far as the disk knows */
      promise.call = i;
      promise.gap = call->kind == CALL_LOADER && call->last > point && i > 0 ? call[-1].sequence + 1
                                                                             : UINT64_MAX;
      promise.most = call->sequence;
      promise.backup_most = call->backup;
      if (call->last <= point)
        {
          promise.least = kill ? call->kept : call->durable;
          promise.backup_least = call->backup;
        }
    }
  return promise;
}

static bool
value_matches (struct engine *engine, engine_store store, unsigned key, uint32_t expected,
               char reason[256])
{
  static uint8_t got[VALUE_SIZE_MOST];
  size_t size = 0;
  struct failure cause = FAILURE_INIT;
  status result
      = engine_get (engine, NULL, store, workload_key (key), got, sizeof got, &size, &cause);
  struct bytes value = expected != 0 ? workload_value (expected) : BYTES_NONE;
  if (expected == 0 && result == STATUS_NOT_FOUND)
    return true;
  if (expected != 0 && result == STATUS_OK && bytes_equal (BYTES (got, size), value))
    return true;
  snprintf (reason, 256, "key %u of store %u: %s (%.100s) with %zu bytes; expected value %x", key,
            store, status_name (result), cause.message, size, expected);
  return false;
}

/* Counts what a cursor sees but the judge's own key. */
static bool
count_keys (struct engine *engine, engine_store store, size_t *out, char reason[256])
{
  struct engine_cursor_settings settings = { .store = store };
  struct engine_cursor *cursor;
  struct failure cause = FAILURE_INIT;
  *out = 0;
  status result = engine_cursor_new (engine, &settings, &cursor, &cause);
  if (result == STATUS_OK)
    {
      for (result = engine_cursor_first (cursor, &cause);
           result == STATUS_OK && engine_cursor_valid (cursor);
           result = engine_cursor_next (cursor, &cause))
        *out += !bytes_equal (engine_cursor_key (cursor), workload_mark_key ());
      engine_cursor_free (cursor);
    }
  if (result != STATUS_OK)
    snprintf (reason, 256, "scanning: %s (%.150s)", status_name (result), cause.message);
  return result == STATUS_OK;
}

static bool
store_matches (struct engine *engine, engine_store store, const uint32_t values[WORKLOAD_KEYS],
               char reason[256])
{
  size_t expected = 0, found;
  for (unsigned key = 0; key < WORKLOAD_KEYS; key++)
    {
      if (!value_matches (engine, store, key, values[key], reason))
        return false;
      expected += values[key] != 0;
    }
  if (!count_keys (engine, store, &found, reason))
    return false;
  if (found != expected)
    snprintf (reason, 256, "a scan of store %u finds %zu keys instead of %zu", store, found,
              expected);
  return found == expected;
}

bool
table_matches (const struct table *table, struct engine *engine, char reason[256])
{
  if (!store_matches (engine, ENGINE_STORE_DEFAULT, table->values[0], reason))
    return false;
  engine_store second;
  struct failure cause = FAILURE_INIT;
  status result = engine_store_open (engine, SECOND_NAME, false, &second, &cause);
  if (result != (table->second ? STATUS_OK : STATUS_NOT_FOUND))
    {
      snprintf (reason, 256, "the second store: %s (%.150s)", status_name (result), cause.message);
      return false;
    }
  return !table->second || store_matches (engine, second, table->values[1], reason);
}

bool
workload_matches (const struct workload *workload, struct engine *engine, uint64_t commit,
                  char reason[256])
{
  static const struct table nothing;
  if (commit >= workload->table_count && commit != 0)
    {
      snprintf (reason, 256, "commit %llu was never made", (unsigned long long) commit);
      return false;
    }
  return table_matches (commit < workload->table_count ? &workload->tables[commit] : &nothing,
                        engine, reason);
}
