/* SPDX-License-Identifier: MIT */
/*
 * iterator: an engine's cursor under a handle, walking one way.
 *
 *   BEFORE ──next──► AT ──next──► AT … ──next──► BEHIND
 *     any ──seek──► SOUGHT ──next──► AT
 *
 * One over a transaction holds its number only: the transaction is entered for each move, so that
 * one that has ended is noticed, and no cursor looks at it.
 */
#include "argument.h"
#include "transaction.h"

#include <stdlib.h>

enum iterator_state
{
  ITERATOR_BEFORE, /* the first move goes to the range's first key */
  ITERATOR_SOUGHT, /* the cursor stands on what the next move shows */
  ITERATOR_AT,     /* the cursor stands on what was shown */
  ITERATOR_BEHIND, /* there is no more */
};

struct iterator
{
  struct engine_cursor *cursor; /* owned */
  enum iterator_state state;
  bool reverse;
  bool keys_only;
  uint64_t transaction;      /* number; 0 = none */
  struct database *database; /* referenced */
  struct moment *moment;     /* referenced: the cursor reads at it; NULL = a moment of its own */
};

#define WHAT "the iterator"

static void
iterator_free (struct iterator *iterator)
{
  engine_cursor_free (iterator->cursor);
  moment_unref (iterator->moment);
  database_unref (iterator->database);
  free (iterator);
}

/* ---- making one ---- */

struct scan
{
  struct bytes lower, upper;
  uint32_t flags;
  uint64_t transaction; /* number; 0 = none */
};

/* The transaction's cell is locked when there is one. */
static LightningDBError
iterator_new (struct use *use, const struct scan *scan, struct engine_transaction *transaction,
              struct iterator **out)
{
  const struct place *place = use->place;
  struct caller *caller = use->caller;
  struct iterator *iterator = calloc (1, sizeof *iterator);
  if (iterator == NULL)
    return caller_answer (caller, fail_memory (&caller->failure, sizeof *iterator, "an iterator"));
  const struct engine_cursor_settings settings = {
    .store = place->store,
    .snapshot = transaction == NULL ? place->snapshot : NULL,
    .transaction = transaction,
    .lower = scan->lower,
    .upper = scan->upper,
    .keys_only = (scan->flags & LightningDBScanKeysOnly) != 0,
  };
  status result = engine_cursor_new (place->engine, &settings, &iterator->cursor, &caller->failure);
  if (result != STATUS_OK)
    {
      free (iterator);
      return caller_fail_status (caller, result);
    }
  iterator->reverse = (scan->flags & LightningDBScanReverse) != 0;
  iterator->keys_only = settings.keys_only;
  iterator->transaction = scan->transaction;
  iterator->database = database_ref (place->database);
  iterator->moment = moment_ref (transaction == NULL ? place->moment : NULL);
  *out = iterator;
  return Success;
}

static LightningDBError
begin_scan (struct use *use, const struct scan *scan, bool inside, uint64_t *number)
{
  struct cell *cell;
  struct engine_transaction *transaction = NULL;
  struct iterator *iterator = NULL;
  LightningDBError error
      = argument_flags (use->caller, scan->flags, LightningDBScanReverse | LightningDBScanKeysOnly);
  if (error == Success && inside)
    error = transaction_enter (use->caller, use->place->database, scan->transaction, &cell,
                               &transaction);
  if (error != Success)
    return error;
  error = iterator_new (use, scan, transaction, &iterator);
  if (inside)
    cell_leave (cell); /* before the iterator's is locked: see cell.h */
  if (error != Success)
    return error;
  error = cell_add (use->caller, CELL_ITERATOR, iterator, &cell);
  if (error != Success)
    {
      iterator_free (iterator);
      return error;
    }
  *number = cell->number;
  cell_leave (cell);
  return Success;
}

static LightningDBIterator *
scan_range (LightningDB *db, bool inside, uint64_t tx_id, const uint8_t *start, size_t start_len,
            const uint8_t *end, size_t end_len, uint32_t flags)
{
  struct use use;
  struct scan scan = { .flags = flags, .transaction = tx_id };
  uint64_t number = 0;
  if (use_begin (&use, db) != Success)
    return NULL;
  LightningDBError error
      = argument_range (use.caller, start, start_len, end, end_len, &scan.lower, &scan.upper);
  if (error == Success)
    error = begin_scan (&use, &scan, inside, &number);
  use_end_error (&use, error);
  return (LightningDBIterator *) (uintptr_t) number;
}

/* The first key behind all that begin with a prefix: its last byte that can grow, grown by one; in
 * `to`, which is as long. BYTES_NONE when there is none. */
static struct bytes
behind_prefix (struct bytes prefix, uint8_t *to)
{
  size_t size = prefix.size;
  while (size > 0 && prefix.data[size - 1] == 0xff)
    size--;
  if (size == 0)
    return BYTES_NONE;
  memcpy (to, prefix.data, size);
  to[size - 1]++;
  return BYTES (to, size);
}

static LightningDBIterator *
scan_prefix (LightningDB *db, bool inside, uint64_t tx_id, const uint8_t *prefix, size_t prefix_len,
             uint32_t flags)
{
  struct use use;
  struct scan scan = { .flags = flags, .transaction = tx_id };
  uint64_t number = 0;
  if (use_begin (&use, db) != Success)
    return NULL;
  LightningDBError error
      = argument_range (use.caller, prefix, prefix_len, NULL, 0, &scan.lower, &scan.upper);
  uint8_t *end = error == Success ? malloc (prefix_len + 1) : NULL;
  if (error == Success && end == NULL)
    error = caller_answer (use.caller,
                           fail_memory (&use.caller->failure, prefix_len + 1, "a prefix"));
  if (error == Success)
    {
      scan.upper = behind_prefix (scan.lower, end);
      error = begin_scan (&use, &scan, inside, &number);
    }
  free (end);
  use_end_error (&use, error);
  return (LightningDBIterator *) (uintptr_t) number;
}

LightningDBIterator *
lightning_db_scan (LightningDB *db, const uint8_t *start, size_t start_len, const uint8_t *end,
                   size_t end_len, uint32_t flags)
{
  return scan_range (db, false, 0, start, start_len, end, end_len, flags);
}

LightningDBIterator *
lightning_db_scan_tx (LightningDB *db, uint64_t tx_id, const uint8_t *start, size_t start_len,
                      const uint8_t *end, size_t end_len, uint32_t flags)
{
  return scan_range (db, true, tx_id, start, start_len, end, end_len, flags);
}

LightningDBIterator *
lightning_db_scan_prefix (LightningDB *db, const uint8_t *prefix, size_t prefix_len, uint32_t flags)
{
  return scan_prefix (db, false, 0, prefix, prefix_len, flags);
}

LightningDBIterator *
lightning_db_scan_prefix_tx (LightningDB *db, uint64_t tx_id, const uint8_t *prefix,
                             size_t prefix_len, uint32_t flags)
{
  return scan_prefix (db, true, tx_id, prefix, prefix_len, flags);
}

void
lightning_db_iterator_free (LightningDBIterator *iterator)
{
  struct caller *caller = caller_get ();
  void *thing;
  if (iterator != NULL && caller != NULL
      && cell_remove (caller, CELL_ITERATOR, (uintptr_t) iterator, WHAT, &thing) == Success
      && thing != NULL)
    iterator_free (thing);
}

/* ---- moving ---- */

static status
move_on (struct iterator *iterator, struct failure *failure)
{
  struct engine_cursor *cursor = iterator->cursor;
  switch (iterator->state)
    {
    case ITERATOR_BEFORE:
      return iterator->reverse ? engine_cursor_last (cursor, failure)
                               : engine_cursor_first (cursor, failure);
    case ITERATOR_AT:
      return iterator->reverse ? engine_cursor_previous (cursor, failure)
                               : engine_cursor_next (cursor, failure);
    case ITERATOR_SOUGHT:
    case ITERATOR_BEHIND:
    default:
      return STATUS_OK;
    }
}

/* A failed move leaves no place to go on from: the iterator is at its end until it is sought
 * anew. */
static status
show_next (struct iterator *iterator, LightningDBEntry *entry, struct failure *failure)
{
  struct bytes value = BYTES_NONE;
  status result = move_on (iterator, failure);
  bool valid = result == STATUS_OK && iterator->state != ITERATOR_BEHIND
               && engine_cursor_valid (iterator->cursor);
  iterator->state = valid ? ITERATOR_AT : ITERATOR_BEHIND;
  if (!valid)
    return result;
  if (!iterator->keys_only
      && (result = engine_cursor_value (iterator->cursor, &value, failure)) != STATUS_OK)
    return result;
  struct bytes key = engine_cursor_key (iterator->cursor);
  *entry = (LightningDBEntry){ key.data, key.size, value.data, value.size };
  if (!iterator->keys_only && value.data == NULL)
    entry->value = key.data; /* empty, not absent */
  return STATUS_OK;
}

/* Forward the first key from `key` on, in reverse the last up to it. */
static status
seek (struct iterator *iterator, struct bytes key, struct failure *failure)
{
  struct engine_cursor *cursor = iterator->cursor;
  status result = engine_cursor_seek (cursor, key, failure);
  bool exact = result == STATUS_OK && engine_cursor_valid (cursor)
               && bytes_equal (engine_cursor_key (cursor), key);
  if (result == STATUS_OK && iterator->reverse && !exact)
    result = engine_cursor_seek_before (cursor, key, failure);
  bool valid = result == STATUS_OK && engine_cursor_valid (cursor);
  iterator->state = valid ? ITERATOR_SOUGHT : ITERATOR_BEHIND;
  return result;
}

/* What a call on an iterator uses while it runs. */
struct walk
{
  struct caller *caller;
  struct cell *cell;             /* locked */
  struct cell *transaction_cell; /* locked; NULL = none */
  struct iterator *iterator;
};

static LightningDBError
walk_begin (struct walk *walk, LightningDBIterator *handle)
{
  struct engine_transaction *transaction;
  *walk = (struct walk){ .caller = caller_get () };
  if (walk->caller == NULL)
    return OutOfMemory;
  LightningDBError error
      = cell_enter (walk->caller, CELL_ITERATOR, (uintptr_t) handle, WHAT, &walk->cell);
  if (error != Success)
    return error;
  walk->iterator = walk->cell->thing;
  if (walk->iterator->transaction == 0)
    return Success;
  error = transaction_enter (walk->caller, walk->iterator->database, walk->iterator->transaction,
                             &walk->transaction_cell, &transaction);
  if (error != Success)
    cell_leave (walk->cell);
  return error;
}

static LightningDBError
walk_end_error (struct walk *walk, LightningDBError error)
{
  if (walk->transaction_cell != NULL)
    cell_leave (walk->transaction_cell);
  cell_leave (walk->cell);
  return error;
}

LightningDBError
lightning_db_iterator_next (LightningDBIterator *iterator, LightningDBEntry *entry)
{
  struct walk walk;
  if (entry != NULL)
    *entry = (LightningDBEntry){ NULL, 0, NULL, 0 };
  LightningDBError error = walk_begin (&walk, iterator);
  if (error != Success)
    return error;
  if (entry == NULL)
    return walk_end_error (&walk, caller_null (walk.caller, "the entry"));
  status result = show_next (walk.iterator, entry, &walk.caller->failure);
  return walk_end_error (&walk, caller_answer (walk.caller, result));
}

LightningDBError
lightning_db_iterator_seek (LightningDBIterator *iterator, const uint8_t *key, size_t key_len)
{
  struct walk walk;
  LightningDBError error = walk_begin (&walk, iterator);
  if (error != Success)
    return error;
  if (key == NULL)
    return walk_end_error (&walk, caller_null (walk.caller, "the key"));
  status result = seek (walk.iterator, BYTES (key, key_len), &walk.caller->failure);
  return walk_end_error (&walk, caller_answer (walk.caller, result));
}
