/* SPDX-License-Identifier: MIT */
/*
 * transaction: optimistic. Reads come from the snapshot taken at begin, under the transaction's own
 * writes; commit succeeds only if nobody else changed what it depends on since.
 *
 * The writes are kept twice: as the encoded batch that will be logged, and in a small memtable
 * whose "sequences" are operation numbers, for reading them back. There is no separate conflict
 * table: the memtables and runs themselves know the newest sequence of every key, and merges keep
 * every delete that is newer than the oldest snapshot, so the check is exact: no false alarm, no
 * miss, and no history that could run out.
 *
 * Invariants
 *   T1  Snapshot isolation: every key or range written was unchanged since the snapshot.
 *   T2  Serializable: also every key read, found or not, and every span a cursor walked.
 *   T3  Validation against what may still change (memtables) and the log append are one step under
 *       the commit lock; runs are validated before it, and again if a flush came between.
 *   T4  Others look under `looking`, and only while the transaction is active. Log and reads grow behind
 *       what is shown of them; they move and are cut, spans change, and the transaction begins to
 *       commit, under `looking`. From there it has its log for itself.
 */
#include "core/transaction-private.h"

#include <stdlib.h>

/* ---- the list of those that may write ---- */

static void
list_enter (struct engine_transaction *transaction)
{
  struct engine *engine = transaction->reading.engine;
  pthread_mutex_lock (&engine->transactions_lock);
  transaction->next = engine->transactions;
  if (transaction->next != NULL)
    transaction->next->previous = transaction;
  engine->transactions = transaction;
  pthread_mutex_unlock (&engine->transactions_lock);
  if (transaction->deadline != UINT64_MAX
      && atomic_load_explicit (&engine->expiry_due, memory_order_relaxed) == 0)
    background_arm_expiry (engine, transaction->deadline);
}

static void
list_leave (struct engine_transaction *transaction)
{
  struct engine *engine = transaction->reading.engine;
  pthread_mutex_lock (&engine->transactions_lock);
  if (transaction->previous != NULL)
    transaction->previous->next = transaction->next;
  else
    engine->transactions = transaction->next;
  if (transaction->next != NULL)
    transaction->next->previous = transaction->previous;
  pthread_mutex_unlock (&engine->transactions_lock);
}

/* ---- begin and end ---- */

status
engine_transaction_begin (struct engine *engine, unsigned flags, struct engine_transaction **out,
                          struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK)
    return result;
  bool read_only = (flags & ENGINE_TRANSACTION_READ_ONLY) != 0;
  if (!read_only && engine->read_only)
    return fail (failure, STATUS_READ_ONLY, "%s is open read-only; begin a read-only transaction",
                 engine->path);
  struct engine_transaction *transaction = calloc (1, sizeof *transaction);
  if (transaction == NULL)
    return fail_memory (failure, sizeof *transaction, "a transaction");
  if (!read_only
      && gauge_add (engine->metrics, GAUGE_TRANSACTIONS_ACTIVE, 1)
             >= (int64_t) engine->options.transactions_max)
    {
      result = fail (failure, STATUS_TOO_MANY,
                     "max-active-transactions (%u) are open; commit or roll back some, or raise it",
                     engine->options.transactions_max);
      goto refuse;
    }
  transaction->reading.engine = engine;
  result = snapshot_hold (&transaction->reading, failure);
  if (result != STATUS_OK)
    goto refuse;
  engine_ref (engine);
  pthread_mutex_init (&transaction->looking, NULL);
  transaction->flags = flags;
  transaction->id = atomic_fetch_add (&engine->next_transaction, 1) + 1;
  uint64_t timeout = engine->options.transaction_timeout;
  transaction->began = metrics_now ();
  transaction->deadline
      = read_only || timeout == 0 ? UINT64_MAX : transaction->began / 1000 + timeout;
  count_shared (engine->metrics, SHARED_TRANSACTIONS_BEGUN, 1);
  if (!read_only)
    list_enter (transaction);
  *out = transaction;
  return STATUS_OK;

refuse:
  if (!read_only)
    gauge_add (engine->metrics, GAUGE_TRANSACTIONS_ACTIVE, -1);
  free (transaction);
  return result;
}

/* One step of the state; false when it was not in `from` (any more). */
static bool
step (struct engine_transaction *transaction, enum transaction_state from,
      enum transaction_state to)
{
  int expected = from;
  return atomic_compare_exchange_strong (&transaction->state, &expected, (int) to);
}

/* Gives up what only an active one holds. By whoever made the step. */
static void
let_go (struct engine_transaction *transaction)
{
  struct engine *engine = transaction->reading.engine;
  metrics_record (engine->metrics, HISTOGRAM_TRANSACTION, metrics_now () - transaction->began);
  snapshot_let_go (&transaction->reading);
  if ((transaction->flags & ENGINE_TRANSACTION_READ_ONLY) == 0)
    gauge_add (engine->metrics, GAUGE_TRANSACTIONS_ACTIVE, -1);
}

/* That it was not its owner who ended it. */
static void
note_end (struct engine_transaction *transaction, const char *cause)
{
  struct engine *engine = transaction->reading.engine;
  struct failure failure = FAILURE_INIT;
  uint64_t took = metrics_now () - transaction->began;
  fail (&failure, STATUS_TIMED_OUT, "transaction %llu was rolled back %s",
        (unsigned long long) transaction->id, cause);
  engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_TIMED_OUT,
                                             .microseconds = took / 1000,
                                             .failure = &failure });
}

static void
expire (struct engine_transaction *transaction)
{
  if (!step (transaction, TRANSACTION_ACTIVE, TRANSACTION_EXPIRED))
    return;
  struct metrics *metrics = transaction->reading.engine->metrics;
  count_shared (metrics, SHARED_TRANSACTIONS_ABORTED, 1);
  count_shared (metrics, SHARED_TRANSACTIONS_TIMED_OUT, 1);
  note_end (transaction, "since it outlived transaction-timeout");
  let_go (transaction);
}

uint64_t
transactions_expire (struct engine *engine, uint64_t now)
{
  uint64_t due = 0;
  pthread_mutex_lock (&engine->transactions_lock);
  for (struct engine_transaction *transaction = engine->transactions; transaction != NULL;
       transaction = transaction->next)
    if (transaction->deadline <= now)
      expire (transaction);
    else if (due == 0 || transaction->deadline < due)
      due = transaction->deadline;
  pthread_mutex_unlock (&engine->transactions_lock);
  return due;
}

/* What is open, as others see it. transactions_lock held. */
static void
describe (struct engine_transaction *transaction, uint64_t now,
          struct engine_transaction_information *out)
{
  uint64_t deadline = transaction->deadline, began = transaction->began;
  *out = (struct engine_transaction_information){
    .id = transaction->id,
    .snapshot = transaction->reading.sequence,
    .age = now > began ? now - began : 0,
    .left = deadline == UINT64_MAX  ? UINT64_MAX
            : deadline * 1000 > now ? deadline * 1000 - now
                                    : 0,
    .operations = atomic_load_explicit (&transaction->operations, memory_order_relaxed),
    .bytes = atomic_load_explicit (&transaction->bytes, memory_order_relaxed),
    .reads = atomic_load_explicit (&transaction->dependencies, memory_order_relaxed),
    .serializable = (transaction->flags & ENGINE_TRANSACTION_SERIALIZABLE) != 0,
  };
}

size_t
engine_transactions (struct engine *engine, struct engine_transaction_information *out, size_t room)
{
  uint64_t now = metrics_now ();
  size_t count = 0;
  pthread_mutex_lock (&engine->transactions_lock);
  for (struct engine_transaction *transaction = engine->transactions; transaction != NULL;
       transaction = transaction->next)
    if (engine_transaction_is_active (transaction) && count++ < room)
      describe (transaction, now, &out[count - 1]);
  pthread_mutex_unlock (&engine->transactions_lock);
  return count;
}

struct engine_transaction *
transaction_of_id (struct engine *engine, uint64_t id)
{
  struct engine_transaction *transaction = engine->transactions;
  while (transaction != NULL && transaction->id != id)
    transaction = transaction->next;
  return transaction;
}

status
engine_transaction_abort (struct engine *engine, uint64_t id)
{
  status result = STATUS_NOT_FOUND;
  pthread_mutex_lock (&engine->transactions_lock);
  struct engine_transaction *transaction = transaction_of_id (engine, id);
  if (transaction != NULL && step (transaction, TRANSACTION_ACTIVE, TRANSACTION_REVOKED))
    {
      count_shared (engine->metrics, SHARED_TRANSACTIONS_ABORTED, 1);
      note_end (transaction, "from outside");
      let_go (transaction);
      result = STATUS_OK;
    }
  pthread_mutex_unlock (&engine->transactions_lock);
  return result;
}

void
engine_transaction_rollback (struct engine_transaction *transaction)
{
  if (!step (transaction, TRANSACTION_ACTIVE, TRANSACTION_ENDED))
    return;
  count_shared (transaction->reading.engine->metrics, SHARED_TRANSACTIONS_ABORTED, 1);
  let_go (transaction);
}

void
engine_transaction_free (struct engine_transaction *transaction)
{
  if (transaction == NULL)
    return;
  engine_transaction_rollback (transaction);
  if ((transaction->flags & ENGINE_TRANSACTION_READ_ONLY) == 0)
    list_leave (transaction);
  if (transaction->index != NULL)
    memtable_unref (transaction->index);
  while (transaction->spans != NULL)
    {
      struct read_span *span = transaction->spans;
      transaction->spans = span->next;
      free (span->start);
      free (span->end);
      free (span);
    }
  batch_clear_memory (&transaction->log);
  batch_clear_memory (&transaction->reads);
  free (transaction->savepoints);
  pthread_mutex_destroy (&transaction->looking);
  engine_unref (transaction->reading.engine);
  free (transaction);
}

status
transaction_check (struct engine_transaction *transaction, struct failure *failure)
{
  struct engine *engine = transaction->reading.engine;
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK)
    return result;
  int state = atomic_load (&transaction->state);
  if (state == TRANSACTION_EXPIRED)
    return fail (
        failure, STATUS_TIMED_OUT,
        "the transaction outlived transaction-timeout and was rolled back; begin it again, "
        "keep it shorter, or raise the timeout");
  if (state == TRANSACTION_REVOKED)
    return fail (failure, STATUS_TIMED_OUT,
                 "the transaction was rolled back by somebody who looks after the database; begin "
                 "it again");
  if (state != TRANSACTION_ACTIVE)
    return fail (failure, STATUS_CLOSED,
                 "the transaction was committed or rolled back already; begin a new one");
  return STATUS_OK;
}

static status
check_writable (struct engine_transaction *transaction, struct failure *failure)
{
  status result = transaction_check (transaction, failure);
  if (result == STATUS_OK && (transaction->flags & ENGINE_TRANSACTION_READ_ONLY) != 0)
    return fail (failure, STATUS_READ_ONLY,
                 "the transaction is read-only; begin a read-write one to change anything");
  return result;
}

/* ---- asking ---- */

uint64_t
engine_transaction_id (const struct engine_transaction *transaction)
{
  return transaction->id;
}

uint64_t
engine_transaction_snapshot (const struct engine_transaction *transaction)
{
  return transaction->reading.sequence;
}

bool
engine_transaction_is_active (const struct engine_transaction *transaction)
{
  return atomic_load (&transaction->state) == TRANSACTION_ACTIVE;
}

const struct engine_snapshot *
transaction_reading (const struct engine_transaction *transaction)
{
  return &transaction->reading;
}

struct memtable *
transaction_index (const struct engine_transaction *transaction)
{
  return transaction->index;
}

uint64_t
transaction_operations (const struct engine_transaction *transaction)
{
  return transaction->log.count;
}

bool
transaction_is_serializable (const struct engine_transaction *transaction)
{
  return (transaction->flags & ENGINE_TRANSACTION_SERIALIZABLE) != 0
         && (transaction->flags & ENGINE_TRANSACTION_READ_ONLY) == 0;
}

/* ---- writing ---- */

/* Lets others see how much is written. */
static void
show_size (struct engine_transaction *transaction)
{
  atomic_store_explicit (&transaction->operations, transaction->log.count, memory_order_relaxed);
  atomic_store_explicit (&transaction->bytes, transaction->log.user_bytes, memory_order_relaxed);
}

/* To the log, or what it depends on (T4): what is shown of it stays where it is, or waits for the lock. */
static status
append (struct engine_transaction *transaction, struct engine_batch *list, _Atomic size_t *shown,
        const struct operation *operation, struct failure *failure)
{
  status result = STATUS_OK;
  if (!batch_has_room (list, operation))
    {
      pthread_mutex_lock (&transaction->looking);
      result = batch_reserve (list, operation, failure);
      pthread_mutex_unlock (&transaction->looking);
    }
  if (result == STATUS_OK)
    result = batch_append (list, operation, failure);
  atomic_store_explicit (shown, list->size, memory_order_release);
  return result;
}

/* Adds one operation to log and index; either both or neither. */
static status
transaction_write (struct engine_transaction *transaction, const struct operation *operation,
                   struct failure *failure)
{
  struct engine *engine = transaction->reading.engine;
  size_t bytes = operation->key.size + operation->value.size;
  if (transaction->log.user_bytes + bytes > engine->options.transaction_bytes_max)
    return fail (failure, STATUS_TOO_MANY,
                 "the transaction would grow above %llu bytes; commit what it has, or use the bulk "
                 "loader",
                 (unsigned long long) engine->options.transaction_bytes_max);
  status result = STATUS_OK;
  if (transaction->index == NULL)
    result = memtable_new (engine->transaction_pool, &transaction->index, failure);
  struct internal_key key, end = { .heap = NULL };
  bool is_range = operation->kind == OPERATION_DELETE_RANGE;
  if (result == STATUS_OK)
    result = internal_key_make (&key, operation->store, operation->key, failure);
  if (result != STATUS_OK)
    return result;
  if (is_range)
    result = internal_range_end (&end, operation->store, operation->value, failure);
  if (result == STATUS_OK)
    result = memtable_reserve (
        transaction->index, is_range ? 0 : 1, is_range ? 0 : key.bytes.size + operation->value.size,
        is_range ? 1 : 0, is_range ? key.bytes.size + end.bytes.size : 0, failure);
  if (result == STATUS_OK)
    result = append (transaction, &transaction->log, &transaction->log_shown, operation, failure);
  if (result == STATUS_OK && is_range)
    {
      struct range_delete range = { key.bytes, end.bytes, transaction->log.count };
      memtable_delete_range (transaction->index, &range);
    }
  else if (result == STATUS_OK)
    {
      struct record record = {
        .key = key.bytes,
        .value = operation->value,
        .sequence = transaction->log.count,
        .kind = operation->kind == OPERATION_PUT ? RECORD_PUT : RECORD_DELETE,
      };
      memtable_insert (transaction->index, key_hash (key.bytes), &record);
    }
  internal_key_clear (&key);
  internal_key_clear (&end);
  show_size (transaction);
  return result;
}

status
engine_transaction_put (struct engine_transaction *transaction, engine_store store,
                        struct bytes key, struct bytes value, struct failure *failure)
{
  status result = check_writable (transaction, failure);
  if (result == STATUS_OK)
    result = check_key (key, failure);
  if (result == STATUS_OK)
    result = check_value (value, failure);
  if (result != STATUS_OK)
    return result;
  struct operation operation = { OPERATION_PUT, false, store, key, value };
  return transaction_write (transaction, &operation, failure);
}

status
engine_transaction_delete (struct engine_transaction *transaction, engine_store store,
                           struct bytes key, struct failure *failure)
{
  status result = check_writable (transaction, failure);
  if (result == STATUS_OK)
    result = check_key (key, failure);
  if (result != STATUS_OK)
    return result;
  struct operation operation = { OPERATION_DELETE, false, store, key, BYTES_NONE };
  return transaction_write (transaction, &operation, failure);
}

status
engine_transaction_delete_range (struct engine_transaction *transaction, engine_store store,
                                 struct bytes start, struct bytes end, struct failure *failure)
{
  status result = check_writable (transaction, failure);
  if (result == STATUS_OK)
    result = check_range (start, end, failure);
  if (result != STATUS_OK)
    return result;
  struct operation operation = { OPERATION_DELETE_RANGE, false, store, start, end };
  return transaction_write (transaction, &operation, failure);
}

void
transaction_set_drops (struct engine_transaction *transaction, engine_store store)
{
  transaction->drops = store;
}

bool
transaction_drops (const struct engine_transaction *transaction, engine_store store)
{
  return transaction != NULL && transaction->drops == store;
}

/* ---- what it depends on ---- */

static void
show_dependency (struct engine_transaction *transaction)
{
  uint64_t before = atomic_load_explicit (&transaction->dependencies, memory_order_relaxed);
  atomic_store_explicit (&transaction->dependencies, before + 1, memory_order_relaxed);
}

static status
note_key (struct engine_transaction *transaction, engine_store store, struct bytes key,
          struct failure *failure)
{
  struct operation operation = { OPERATION_DELETE, false, store, key, BYTES_NONE };
  status result
      = append (transaction, &transaction->reads, &transaction->reads_shown, &operation, failure);
  if (result == STATUS_OK)
    show_dependency (transaction);
  return result;
}

status
engine_transaction_lock_key (struct engine_transaction *transaction, engine_store store,
                             struct bytes key, struct failure *failure)
{
  status result = check_writable (transaction, failure);
  if (result == STATUS_OK)
    result = check_key (key, failure);
  if (result == STATUS_OK)
    result = note_key (transaction, store, key, failure);
  if (result == STATUS_OK)
    transaction->locks_keys = true;
  return result;
}

static status
copy_bytes (struct bytes from, bool with_zero, uint8_t **to, size_t *size, struct failure *failure)
{
  uint8_t *copy = realloc (*to, from.size + 1);
  if (copy == NULL)
    return fail_memory (failure, from.size + 1, "a key");
  if (from.size > 0)
    memcpy (copy, from.data, from.size);
  copy[from.size] = 0;
  *to = copy;
  *size = from.size + with_zero;
  return STATUS_OK;
}

status
transaction_span_new (struct engine_transaction *transaction, struct bytes start, struct bytes end,
                      struct read_span **out, struct failure *failure)
{
  struct read_span *span = calloc (1, sizeof *span);
  if (span == NULL)
    return fail_memory (failure, sizeof *span, "a read span");
  status result = copy_bytes (start, false, &span->start, &span->start_size, failure);
  if (result == STATUS_OK)
    result = copy_bytes (end, false, &span->end, &span->end_size, failure);
  if (result != STATUS_OK)
    {
      free (span->start);
      free (span);
      return result;
    }
  span->next = transaction->spans;
  pthread_mutex_lock (&transaction->looking);
  transaction->spans = span; /* T4 */
  pthread_mutex_unlock (&transaction->looking);
  show_dependency (transaction);
  *out = span;
  return STATUS_OK;
}

status
transaction_span_reach (struct engine_transaction *transaction, struct read_span *span,
                        struct bytes key, bool including, struct failure *failure)
{
  status result = STATUS_OK;
  bool before = bytes_compare (key, BYTES (span->start, span->start_size)) < 0;
  int order = before ? -1 : bytes_compare (key, BYTES (span->end, span->end_size));
  if (!before && (order < 0 || (order == 0 && !including)))
    return STATUS_OK;
  pthread_mutex_lock (&transaction->looking); /* T4 */
  if (before)
    result = copy_bytes (key, false, &span->start, &span->start_size, failure);
  else
    result = copy_bytes (key, including, &span->end, &span->end_size, failure);
  pthread_mutex_unlock (&transaction->looking);
  return result;
}

/* ---- reading ---- */

/* What the transaction itself wrote: OK, NOT_FOUND (deleted), or BUSY: nothing. */
static status
find_own (struct engine_transaction *transaction, engine_store store, struct bytes key,
          struct record *out, struct failure *failure)
{
  if (transaction->index == NULL)
    return STATUS_BUSY;
  struct internal_key internal;
  status result = internal_key_make (&internal, store, key, failure);
  if (result != STATUS_OK)
    return result;
  epoch_enter ();
  uint64_t cover = memtable_cover (transaction->index, internal.bytes, SEQUENCE_MAX);
  bool found = memtable_get (transaction->index, internal.bytes, key_hash (internal.bytes),
                             SEQUENCE_MAX, out);
  epoch_leave ();
  internal_key_clear (&internal);
  if (!found)
    return cover > 0 ? STATUS_NOT_FOUND : STATUS_BUSY;
  return out->sequence < cover || out->kind == RECORD_DELETE ? STATUS_NOT_FOUND : STATUS_OK;
}

/* The same; BUSY: the snapshot decides, and that is noted. */
static status
begin_read (struct engine_transaction *transaction, engine_store store, struct bytes key,
            struct record *own, struct failure *failure)
{
  status result = transaction_check (transaction, failure);
  if (result == STATUS_OK)
    result = check_key (key, failure);
  if (result == STATUS_OK)
    result = find_own (transaction, store, key, own, failure);
  if (result != STATUS_BUSY || !transaction_is_serializable (transaction))
    return result;
  result = note_key (transaction, store, key, failure); /* T2 */
  return result == STATUS_OK ? STATUS_BUSY : result;
}

status
engine_transaction_get_value (struct engine_transaction *transaction, engine_store store,
                              struct bytes key, struct engine_value *out, struct failure *failure)
{
  struct record own;
  status result = begin_read (transaction, store, key, &own, failure);
  if (result == STATUS_OK)
    {
      out->data = own.value;
      out->sequence = 0;
      out->holder = memtable_ref (transaction->index);
      out->holder_kind = HOLDER_TABLE;
      out->owner = engine_ref (transaction->reading.engine);
    }
  if (result != STATUS_BUSY)
    return result;
  result = engine_get_value (transaction->reading.engine, &transaction->reading, store, key, out,
                             failure);
  if (engine_transaction_is_active (transaction))
    return result;
  if (result
      == STATUS_OK) /* the timer let the snapshot go meanwhile: it may have seen too little */
    engine_value_release (out);
  return transaction_check (transaction, failure);
}

status
engine_transaction_get (struct engine_transaction *transaction, engine_store store,
                        struct bytes key, void *buffer, size_t capacity, size_t *size,
                        struct failure *failure)
{
  struct record own;
  *size = 0;
  status result = begin_read (transaction, store, key, &own, failure);
  if (result == STATUS_OK)
    {
      *size = own.value.size;
      if (*size > 0 && *size <= capacity)
        memcpy (buffer, own.value.data, *size);
    }
  if (result != STATUS_BUSY)
    return result;
  result = engine_get (transaction->reading.engine, &transaction->reading, store, key, buffer,
                       capacity, size, failure);
  return engine_transaction_is_active (transaction) ? result
                                                    : transaction_check (transaction, failure);
}

status
engine_transaction_contains (struct engine_transaction *transaction, engine_store store,
                             struct bytes key, struct failure *failure)
{
  struct record own;
  status result = begin_read (transaction, store, key, &own, failure);
  if (result != STATUS_BUSY)
    return result;
  result = engine_contains (transaction->reading.engine, &transaction->reading, store, key, false,
                            failure);
  return engine_transaction_is_active (transaction) ? result
                                                    : transaction_check (transaction, failure);
}

/* ---- savepoints ---- */

status
engine_transaction_savepoint (struct engine_transaction *transaction, uint64_t *out,
                              struct failure *failure)
{
  status result = check_writable (transaction, failure);
  if (result != STATUS_OK)
    return result;
  struct savepoint *savepoints
      = realloc (transaction->savepoints, (transaction->savepoint_count + 1) * sizeof *savepoints);
  if (savepoints == NULL)
    return fail_memory (failure, sizeof *savepoints, "a savepoint");
  transaction->savepoints = savepoints;
  savepoints[transaction->savepoint_count++].log_size = transaction->log.size;
  *out = transaction->savepoint_count;
  return STATUS_OK;
}

/* Log and index anew, of the first `size` bytes of the log; dead marks of a commit that failed are
 * lifted. */
static status
rebuild (struct engine_transaction *transaction, size_t size, struct failure *failure)
{
  struct engine_transaction fresh = {
    .reading = { .engine = transaction->reading.engine }, /* the slot is the timer's to change */
    .flags = transaction->flags,
    .looking = PTHREAD_MUTEX_INITIALIZER,
  };
  struct operation_reader reader = operation_reader_over (BYTES (transaction->log.data, size));
  struct operation operation;
  status result;
  while ((result = operation_next (&reader, &operation, failure)) == STATUS_OK)
    {
      operation.dead = false;
      result = transaction_write (&fresh, &operation, failure);
      if (result != STATUS_OK)
        break;
    }
  if (result == STATUS_NOT_FOUND)
    {
      if (transaction->index != NULL)
        memtable_unref (transaction->index);
      transaction->index = fresh.index;
      pthread_mutex_lock (&transaction->looking);
      batch_clear_memory (&transaction->log); /* T4 */
      transaction->log = fresh.log;
      atomic_store_explicit (&transaction->log_shown, fresh.log.size, memory_order_relaxed);
      pthread_mutex_unlock (&transaction->looking);
      return STATUS_OK;
    }
  if (fresh.index != NULL)
    memtable_unref (fresh.index);
  batch_clear_memory (&fresh.log);
  return result;
}

status
engine_transaction_rollback_to (struct engine_transaction *transaction, uint64_t savepoint,
                                struct failure *failure)
{
  status result = check_writable (transaction, failure);
  if (result != STATUS_OK)
    return result;
  if (savepoint == 0 || savepoint > transaction->savepoint_count)
    return fail (failure, STATUS_INVALID, "savepoint %llu does not exist (any more); there are %zu",
                 (unsigned long long) savepoint, transaction->savepoint_count);
  result = rebuild (transaction, transaction->savepoints[savepoint - 1].log_size, failure);
  if (result == STATUS_OK)
    transaction->savepoint_count = (size_t) savepoint;
  show_size (transaction);
  return result;
}

/* ---- commit ---- */

/* Failures that leave nothing changed and may pass: the transaction stays open for another try. */
static bool
may_try_again (status result)
{
  return result == STATUS_NO_SPACE || result == STATUS_NO_MEMORY || result == STATUS_RATE_LIMITED;
}

/* The check without a commit, for one that wrote nothing but locked keys (T3). */
static status
validate_alone (struct engine_transaction *transaction, struct failure *failure)
{
  struct engine *engine = transaction->reading.engine;
  status result;
  do
    {
      struct view *before = engine_view (engine);
      if (before == NULL)
        return engine_enter_slow (engine, failure);
      result = transaction_validate_runs (transaction, before, failure);
      uint64_t flushed = before->flushed_sequence;
      view_unref (before); /* R4 */
      pthread_mutex_lock (&engine->commit_lock);
      struct view *now = engine_view (engine);
      if (now == NULL)
        result = engine_enter_slow (engine, failure);
      else if (result == STATUS_OK)
        result = now->flushed_sequence != flushed
                     ? STATUS_BUSY
                     : transaction_validate_memory (transaction, now, failure);
      pthread_mutex_unlock (&engine->commit_lock);
      view_unref (now);
    }
  while (result == STATUS_BUSY);
  return result;
}

/* False when the timer was faster. */
static bool
begin_commit (struct engine_transaction *transaction)
{
  pthread_mutex_lock (&transaction->looking);
  bool begun = step (transaction, TRANSACTION_ACTIVE, TRANSACTION_COMMITTING); /* T4 */
  pthread_mutex_unlock (&transaction->looking);
  return begun;
}

status
engine_transaction_commit (struct engine_transaction *transaction, enum engine_sync sync,
                           uint64_t *sequence, struct failure *failure)
{
  uint64_t committed = 0;
  struct engine *engine = transaction->reading.engine;
  status result = transaction_check (transaction, failure);
  if (result != STATUS_OK)
    return result;
  if (!begin_commit (transaction))
    return transaction_check (transaction, failure);
  if (transaction->log.count > 0)
    result = commit_batch (engine, &transaction->log, sync, transaction, &committed, failure);
  else if (transaction->locks_keys)
    result = validate_alone (transaction, failure);
  if (may_try_again (result))
    {
      atomic_store (&transaction->state, TRANSACTION_ACTIVE);
      if (transaction->deadline <= engine_now ()) /* the timer passed it over meanwhile */
        expire (transaction);
      return result;
    }
  count_shared (engine->metrics,
                result == STATUS_OK ? SHARED_TRANSACTIONS_COMMITTED : SHARED_TRANSACTIONS_ABORTED,
                1);
  if (result == STATUS_OK && transaction->log.count == 0 && !transaction->locks_keys
      && (transaction->flags & ENGINE_TRANSACTION_READ_ONLY) == 0)
    count_shared (engine->metrics, SHARED_TRANSACTIONS_UNWRITTEN, 1);
  atomic_store (&transaction->state, TRANSACTION_ENDED);
  let_go (transaction);
  if (sequence != NULL)
    *sequence = committed;
  return result;
}
