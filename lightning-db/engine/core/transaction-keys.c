/* SPDX-License-Identifier: MIT */
/*
 * transaction-keys: what a transaction wrote and depends on, for others to see.
 */
#include "core/transaction-private.h"

/* What is being listed. */
struct listing
{
  struct engine_transaction_key *out;
  size_t count, room;
};

static size_t
take_beginning (uint8_t to[static 64], struct bytes from)
{
  if (from.size > 0)
    memcpy (to, from.data, from.size < 64 ? from.size : 64);
  return from.size;
}

static void
list (struct listing *listing, enum engine_access access, engine_store store, struct bytes key,
      struct bytes end, size_t value_size)
{
  struct engine_transaction_key *its = &listing->out[listing->count++];
  its->access = access;
  its->store = store;
  its->key_size = take_beginning (its->key, key);
  its->end_size = take_beginning (its->end, end);
  its->value_size = value_size;
}

static void
list_writes (struct listing *listing, struct bytes log)
{
  struct failure failure = FAILURE_INIT;
  struct operation operation;
  struct operation_reader reader = operation_reader_over (log);
  while (listing->count < listing->room
         && operation_next (&reader, &operation, &failure) == STATUS_OK)
    if (operation.kind == OPERATION_PUT)
      list (listing, ENGINE_ACCESS_PUT, operation.store, operation.key, BYTES_NONE,
            operation.value.size);
    else if (operation.kind == OPERATION_DELETE)
      list (listing, ENGINE_ACCESS_DELETE, operation.store, operation.key, BYTES_NONE, 0);
    else
      list (listing, ENGINE_ACCESS_DELETE_RANGE, operation.store, operation.key, operation.value,
            0);
}

static void
list_reads (struct listing *listing, struct bytes reads)
{
  struct failure failure = FAILURE_INIT;
  struct operation operation;
  struct operation_reader reader = operation_reader_over (reads);
  while (listing->count < listing->room
         && operation_next (&reader, &operation, &failure) == STATUS_OK)
    list (listing, ENGINE_ACCESS_READ, operation.store, operation.key, BYTES_NONE, 0);
}

static struct bytes
user_key (struct bytes internal)
{
  return BYTES (internal.data + STORE_ID_SIZE, internal.size - STORE_ID_SIZE);
}

static void
list_spans (struct listing *listing, const struct read_span *span)
{
  for (; span != NULL && listing->count < listing->room; span = span->next)
    {
      struct bytes start = BYTES (span->start, span->start_size);
      struct bytes end = BYTES (span->end, span->end_size);
      if (bytes_compare (start, end) >= 0)
        continue; /* nothing was looked at yet */
      engine_store store = internal_key_store_of (start);
      bool to_end = internal_key_store_of (end) != store;
      list (listing, ENGINE_ACCESS_READ_RANGE, store, user_key (start),
            to_end ? BYTES_NONE : user_key (end), 0);
    }
}

/* T4 */
static struct bytes
shown_of (const struct engine_batch *list, const _Atomic size_t *shown)
{
  return BYTES (list->data, atomic_load_explicit (shown, memory_order_acquire));
}

status
engine_transaction_keys (struct engine *engine, uint64_t id, struct engine_transaction_key *out,
                         size_t *count)
{
  struct listing listing = { .out = out };
  status result = STATUS_NOT_FOUND;
  /* Memory that is new comes from the kernel page by page: not while others wait. */
  memset (out, 0, 2 * ENGINE_TRANSACTION_KEYS * sizeof *out);
  pthread_mutex_lock (&engine->transactions_lock);
  struct engine_transaction *transaction = transaction_of_id (engine, id);
  if (transaction != NULL)
    {
      pthread_mutex_lock (&transaction->looking);
      if (engine_transaction_is_active (transaction)) /* T4 */
        {
          listing.room = ENGINE_TRANSACTION_KEYS;
          list_writes (&listing, shown_of (&transaction->log, &transaction->log_shown));
          listing.room = listing.count + ENGINE_TRANSACTION_KEYS;
          list_reads (&listing, shown_of (&transaction->reads, &transaction->reads_shown));
          list_spans (&listing, transaction->spans);
          result = STATUS_OK;
        }
      pthread_mutex_unlock (&transaction->looking);
    }
  pthread_mutex_unlock (&engine->transactions_lock);
  *count = listing.count;
  return result;
}
