/* SPDX-License-Identifier: MIT */
/*
 * validation: whether anybody changed what a transaction depends on: every key and range that it wrote
 * (T1 of transaction.c), and for serializable ones what was read (T2). Memtables and runs themselves
 * know the newest sequence of each key.
 */
#include "core/transaction-private.h"

#include "base/probes.h"

static status
conflict (struct engine_transaction *transaction, struct bytes internal, struct failure *failure)
{
  char printable[256];
  struct bytes key = BYTES (internal.data + STORE_ID_SIZE, internal.size - STORE_ID_SIZE);
  struct engine *engine = transaction->reading.engine;
  PROBE2 (transaction_conflict, engine->path, internal_key_store_of (internal));
  count_shared (engine->metrics, SHARED_CONFLICTS, 1);
  engine_note (engine,
               &(struct event_note){ .kind = ENGINE_EVENT_CONFLICT, .internal_key = internal });
  hot_keys_note (engine, ENGINE_HOT_CONFLICTS, internal_key_store_of (internal), key, 1,
                 engine_wall ());
  return fail (failure, STATUS_CONFLICT,
               "another commit changed \"%s\" since this transaction began; begin it again",
               engine_printable (key, printable));
}

typedef status (*validate_key) (struct view *view, struct bytes key, uint64_t since, bool *changed,
                                struct failure *failure);
typedef status (*validate_range) (struct view *view, struct bytes start, struct bytes end,
                                  uint64_t since, bool *changed, struct bytes *key,
                                  struct failure *failure);

static status
key_in_memory (struct view *view, struct bytes key, uint64_t since, bool *changed,
               struct failure *failure)
{
  uint64_t hash = key_hash (key);
  epoch_enter ();
  for (int i = -1; i < (int) view->frozen_count && !*changed; i++)
    {
      struct memtable *table = (i < 0 ? view->active : view->frozen[i])->table;
      *changed = memtable_newest (table, key, hash) > since
                 || memtable_cover (table, key, SEQUENCE_MAX) > since;
    }
  epoch_leave ();
  return STATUS_OK;
}

static status
range_in_memory (struct view *view, struct bytes start, struct bytes end, uint64_t since,
                 bool *changed, struct bytes *key, struct failure *failure)
{
  epoch_enter ();
  for (int i = -1; i < (int) view->frozen_count && !*changed; i++)
    {
      struct memtable *table = (i < 0 ? view->active : view->frozen[i])->table;
      *changed = memtable_changed_since (table, start, &end, since, key);
    }
  epoch_leave ();
  return STATUS_OK;
}

static status
key_in_runs (struct view *view, struct bytes key, uint64_t since, bool *changed,
             struct failure *failure)
{
  uint64_t hash = key_hash (key);
  for (size_t i = 0; i < view->run_count && !*changed; i++)
    {
      struct run *run = view->runs[i];
      struct segment *segment = run->max_sequence > since ? run_find (run, key) : NULL;
      if (segment == NULL)
        continue;
      uint64_t newest = 0;
      epoch_enter ();
      status result = segment_newest (segment, key, hash, &newest, failure);
      epoch_leave ();
      if (result != STATUS_OK && result != STATUS_NOT_FOUND)
        return result;
      const struct range_set *ranges = segment_range_deletes (segment);
      *changed = newest > since
                 || (ranges != NULL && range_set_cover (ranges, key, SEQUENCE_MAX) > since);
    }
  return STATUS_OK;
}

static status
range_in_run (struct run *run, struct bytes start, struct bytes end, uint64_t since, bool *changed,
              struct failure *failure)
{
  for (size_t i = 0; i < run->count; i++)
    {
      const struct range_set *ranges = segment_range_deletes (run->segments[i]);
      if (ranges != NULL && range_set_touches (ranges, start, &end, since))
        {
          *changed = true;
          return STATUS_OK;
        }
    }
  struct segment_source_settings settings = { .scan = true };
  struct source *source;
  status result = run_source (run, &settings, &source, failure);
  if (result != STATUS_OK)
    return result;
  result = source_seek (source, start, failure);
  while (result == STATUS_OK && source->valid && bytes_compare (source->record.key, end) < 0)
    {
      if (source->record.sequence > since)
        {
          *changed = true;
          break;
        }
      result = source_next (source, failure);
    }
  source_release (source);
  return result;
}

static status
range_in_runs (struct view *view, struct bytes start, struct bytes end, uint64_t since,
               bool *changed, struct bytes *key, struct failure *failure)
{
  for (size_t i = 0; i < view->run_count && !*changed; i++)
    if (view->runs[i]->max_sequence > since)
      {
        *key = start;
        status result = range_in_run (view->runs[i], start, end, since, changed, failure);
        if (result != STATUS_OK)
          return result;
      }
  return STATUS_OK;
}

/* Checks the keys and ranges of one encoded list. */
static status
validate_list (struct engine_transaction *transaction, struct view *view,
               const struct engine_batch *list, validate_key check_key_in,
               validate_range check_range_in, struct failure *failure)
{
  uint64_t since = transaction->reading.sequence;
  struct operation_reader reader = operation_reader_over (BYTES (list->data, list->size));
  struct operation operation;
  status result;
  while ((result = operation_next (&reader, &operation, failure)) == STATUS_OK)
    {
      struct internal_key key, end = { .heap = NULL };
      bool changed = false;
      result = internal_key_make (&key, operation.store, operation.key, failure);
      if (result != STATUS_OK)
        return result;
      struct bytes where = key.bytes;
      if (operation.kind != OPERATION_DELETE_RANGE)
        result = check_key_in (view, key.bytes, since, &changed, failure);
      else
        {
          result = internal_range_end (&end, operation.store, operation.value, failure);
          if (result == STATUS_OK)
            result = check_range_in (view, key.bytes, end.bytes, since, &changed, &where, failure);
        }
      if (result == STATUS_OK && changed)
        result = conflict (transaction, where, failure);
      internal_key_clear (&key);
      internal_key_clear (&end);
      if (result != STATUS_OK)
        return result;
    }
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

static status
validate (struct engine_transaction *transaction, struct view *view, validate_key check_key_in,
          validate_range check_range_in, struct failure *failure)
{
  status result = validate_list (transaction, view, &transaction->log, check_key_in, check_range_in,
                                 failure); /* T1 */
  if (result == STATUS_OK)
    result = validate_list (transaction, view, &transaction->reads, check_key_in, check_range_in,
                            failure); /* T2 */
  for (struct read_span *span = transaction->spans; span != NULL && result == STATUS_OK;
       span = span->next)
    {
      bool changed = false;
      struct bytes start = BYTES (span->start, span->start_size), where = start;
      struct bytes end = BYTES (span->end, span->end_size);
      if (bytes_compare (start, end) >= 0)
        continue;
      result = check_range_in (view, start, end, transaction->reading.sequence, &changed, &where,
                               failure);
      if (result == STATUS_OK && changed)
        result = conflict (transaction, where, failure);
    }
  return result;
}

status
transaction_validate_runs (struct engine_transaction *transaction, struct view *view,
                           struct failure *failure)
{
  if (view->flushed_sequence <= transaction->reading.sequence)
    return STATUS_OK; /* nothing in runs is newer than the snapshot */
  return validate (transaction, view, key_in_runs, range_in_runs, failure);
}

status
transaction_validate_memory (struct engine_transaction *transaction, struct view *view,
                             struct failure *failure)
{
  if (transaction->reading.engine->last_sequence <= transaction->reading.sequence)
    return STATUS_OK; /* nobody committed since */
  return validate (transaction, view, key_in_memory, range_in_memory, failure);
}
