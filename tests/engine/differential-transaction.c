/* SPDX-License-Identifier: MIT */
/* Transactions of the differential test: every conflict is predicted. */
#include "differential.h"

static const struct oracle_value absent = { ORACLE_ABSENT, 0 };

static struct trial_transaction *
pick_transaction (struct trial *trial)
{
  unsigned start = (unsigned) pick (trial, TRANSACTIONS_MAX);
  for (unsigned i = 0; i < TRANSACTIONS_MAX; i++)
    {
      struct trial_transaction *of = &trial->transactions[(start + i) % TRANSACTIONS_MAX];
      if (of->transaction != NULL)
        return of;
    }
  return NULL;
}

void
do_begin (struct trial *trial, enum kind kind)
{
  (void) kind;
  struct trial_transaction *of = trial->transactions;
  while (of < trial->transactions + TRANSACTIONS_MAX && of->transaction != NULL)
    of++;
  if (of == trial->transactions + TRANSACTIONS_MAX)
    {
      of = &trial->transactions[pick (trial, TRANSACTIONS_MAX)];
      transaction_free (trial, of);
    }
  *of = (struct trial_transaction){ .read_only = pick (trial, 10) == 0,
                                    .serializable = pick (trial, 2) == 0 };
  unsigned flags = (of->read_only ? ENGINE_TRANSACTION_READ_ONLY : 0)
                   | (of->serializable ? ENGINE_TRANSACTION_SERIALIZABLE : 0);
  EXPECT_OK (engine_transaction_begin (trial->engine, flags, &of->transaction, &failure));
  of->sequence = engine_transaction_snapshot (of->transaction);
  EXPECT (of->sequence == trial->oracle.sequence, "the transaction reads at %llu, not %llu",
          (unsigned long long) of->sequence, (unsigned long long) trial->oracle.sequence);
}

/* Ends it on our side: cursors first, for they must not outlive it. */
void
transaction_free (struct trial *trial, struct trial_transaction *of)
{
  for (unsigned i = 0; i < CURSORS_MAX; i++)
    {
      struct trial_cursor *cursor = &trial->cursors[i];
      if (cursor->cursor == NULL || cursor->transaction != of)
        continue;
      bool active = engine_transaction_is_active (of->transaction);
      if (!active && pick (trial, 2) == 0)
        EXPECT_STATUS (engine_cursor_first (cursor->cursor, &failure), STATUS_CLOSED);
      else if (!active)
        EXPECT_STATUS (engine_cursor_next (cursor->cursor, &failure), STATUS_CLOSED);
      cursor_free (cursor);
    }
  engine_transaction_free (of->transaction);
  free (of->reads.list);
  of->reads = (struct oracle_intervals){ 0 };
  of->locks_keys = false;
  of->transaction = NULL;
}

/* ---- reading and writing ---- */

static void
transaction_get (struct trial *trial, struct trial_transaction *of)
{
  struct oracle_store *store = pick_store (trial);
  position rank = pick_key (trial);
  if (of->writes.count > 0 && pick (trial, 3) == 0) /* one of its own */
    {
      const struct oracle_write *write = &of->writes.list[pick (trial, of->writes.count)];
      store = write->store;
      rank = write->from >= 0 ? write->from / 2 : 0;
    }
  uint64_t written;
  struct oracle_value expected = oracle_get (store, &of->writes, rank, of->sequence, &written);
  struct engine_value value;
  EXPECT_STATUS (engine_transaction_get_value (of->transaction, store->id,
                                               oracle_key (&trial->oracle, 2 * rank), &value,
                                               &failure),
                 expected.size == ORACLE_ABSENT ? STATUS_NOT_FOUND : STATUS_OK);
  if (expected.size != ORACLE_ABSENT)
    {
      trial_expect_value (trial, value.data, expected, rank);
      engine_value_release (&value);
    }
  if (of->serializable && !of->read_only && !oracle_is_own (store, &of->writes, rank))
    oracle_note (&of->reads, 0, store->id, 2 * rank, 2 * rank + 1);
}

static void
transaction_write (struct trial *trial, struct trial_transaction *of, enum kind kind)
{
  struct oracle_store *store = pick_store (trial);
  position rank = pick_key (trial), from = 2 * rank, to = 0;
  struct oracle_value value = kind == KIND_TRANSACTION_PUT ? pick_value (trial) : absent;
  bool range = kind == KIND_TRANSACTION_DELETE_RANGE;
  if (range)
    pick_range (trial, &from, &to);
  struct bytes key = oracle_key (&trial->oracle, from);
  status wanted = of->read_only ? STATUS_READ_ONLY : STATUS_OK;
  if (range)
    EXPECT_STATUS (engine_transaction_delete_range (of->transaction, store->id, key,
                                                    oracle_key (&trial->oracle, to), &failure),
                   wanted);
  else if (kind == KIND_TRANSACTION_PUT)
    EXPECT_STATUS (engine_transaction_put (of->transaction, store->id, key,
                                           oracle_bytes (&trial->oracle, value), &failure),
                   wanted);
  else
    EXPECT_STATUS (engine_transaction_delete (of->transaction, store->id, key, &failure), wanted);
  if (!of->read_only)
    oracle_write_add (&of->writes, store, range, from, to, value);
}

static void
lock_key (struct trial *trial, struct trial_transaction *of)
{
  struct oracle_store *store = pick_store (trial);
  position rank = pick_key (trial);
  EXPECT_STATUS (engine_transaction_lock_key (of->transaction, store->id,
                                              oracle_key (&trial->oracle, 2 * rank), &failure),
                 of->read_only ? STATUS_READ_ONLY : STATUS_OK);
  if (!of->read_only)
    oracle_note (&of->reads, 0, store->id, 2 * rank, 2 * rank + 1);
  of->locks_keys |= !of->read_only;
}

/* ---- savepoints ---- */

static void
savepoint (struct trial *trial, struct trial_transaction *of)
{
  uint64_t mark;
  if (of->savepoint_count == SAVEPOINTS_MAX)
    return;
  EXPECT_STATUS (engine_transaction_savepoint (of->transaction, &mark, &failure),
                 of->read_only ? STATUS_READ_ONLY : STATUS_OK);
  if (of->read_only)
    return;
  of->savepoints[of->savepoint_count++] = of->writes.count;
  EXPECT (mark == of->savepoint_count, "the savepoint is %llu, not %zu", (unsigned long long) mark,
          of->savepoint_count);
}

static void
rollback_to (struct trial *trial, struct trial_transaction *of)
{
  if (of->read_only || of->savepoint_count == 0)
    {
      EXPECT_STATUS (engine_transaction_rollback_to (of->transaction, 1, &failure),
                     of->read_only ? STATUS_READ_ONLY : STATUS_INVALID);
      return;
    }
  size_t to = pick (trial, of->savepoint_count);
  EXPECT_OK (engine_transaction_rollback_to (of->transaction, to + 1, &failure));
  of->savepoint_count = to + 1;
  of->writes.count = of->savepoints[to];
}

/* ---- the end ---- */

static bool
is_conflict (const struct trial *trial, const struct trial_transaction *of)
{
  for (size_t i = 0; i < of->writes.count; i++)
    {
      const struct oracle_write *write = &of->writes.list[i];
      if (oracle_changed (&trial->oracle, write->store->id, write->from,
                          write->range ? write->to : write->from + 1, of->sequence))
        return true;
    }
  for (size_t i = 0; i < of->reads.count; i++)
    if (oracle_changed (&trial->oracle, of->reads.list[i].store, of->reads.list[i].from,
                        of->reads.list[i].to, of->sequence))
      return true;
  return false;
}

static bool
writes_dropped_store (const struct trial_transaction *of)
{
  for (size_t i = 0; i < of->writes.count; i++)
    if (of->writes.list[i].store->dropped)
      return true;
  return false;
}

static void
commit (struct trial *trial, struct trial_transaction *of)
{
  uint64_t sequence = 77;
  struct failure cause = FAILURE_INIT;
  bool empty = of->writes.count == 0, dropped = writes_dropped_store (of);
  bool checked = !empty || of->locks_keys;
  status wanted = checked && is_conflict (trial, of) ? STATUS_CONFLICT : STATUS_OK;
  status result
      = engine_transaction_commit (of->transaction, ENGINE_SYNC_DEFAULT, &sequence, &cause);
  if (dropped && result == STATUS_NOT_FOUND)
    result = wanted;
  EXPECT (result == wanted, "commit of %zu writes gave %s, not %s (%s)", of->writes.count,
          status_name (result), status_name (wanted), cause.message);
  if (result == STATUS_OK && empty)
    EXPECT (sequence == 0, "a commit without writes has number %llu",
            (unsigned long long) sequence);
  else if (result == STATUS_OK)
    trial_commit (trial, &of->writes, sequence);
  else
    trial->totals->conflicts++;
  EXPECT (!engine_transaction_is_active (of->transaction), "the transaction goes on");
  EXPECT_STATUS (
      engine_transaction_put (of->transaction, 1, BYTES_LITERAL ("k"), BYTES_NONE, &failure),
      STATUS_CLOSED);
  transaction_free (trial, of);
}

void
do_transaction (struct trial *trial, enum kind kind)
{
  struct trial_transaction *of = pick_transaction (trial);
  if (of == NULL)
    {
      do_begin (trial, kind);
      of = pick_transaction (trial);
    }
  if (of->writes.count == ORACLE_WRITES_MAX)
    kind = KIND_COMMIT;
  switch (kind)
    {
    case KIND_TRANSACTION_GET:
      transaction_get (trial, of);
      break;
    case KIND_LOCK_KEY:
      lock_key (trial, of);
      break;
    case KIND_SAVEPOINT:
      savepoint (trial, of);
      break;
    case KIND_ROLLBACK_TO:
      rollback_to (trial, of);
      break;
    case KIND_COMMIT:
      commit (trial, of);
      break;
    case KIND_ROLLBACK:
      engine_transaction_rollback (of->transaction);
      transaction_free (trial, of);
      break;
    default:
      transaction_write (trial, of, kind);
    }
}
