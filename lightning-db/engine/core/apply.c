/* SPDX-License-Identifier: MIT */
/*
 * apply: a commit's encoded operations become records of a memtable, from a batch or from the log.
 *
 * Records are read a few ahead of the one that is inserted, and the side hash's line of each is
 * asked for at once: a batch of random keys waits for one miss where it would wait for each.
 *
 * Invariants
 *   A1  Operations of one key are inserted in the order of the batch. (Those of different keys, and
 *       range deletes, have one sequence and may be exchanged.)
 */
#include "core/engine-private.h"

#include "base/coding.h"

#define AHEAD 8u /* records between the one that is read and the one that is inserted */

/* A record on its way from the encoded bytes to the memtable. */
struct waiting
{
  struct record record;                             /* the key in `key`, the value in the batch */
  uint64_t hash;                                    /* of the key */
  uint8_t key[STORE_ID_SIZE + INTERNAL_KEY_INLINE]; /* the internal key */
};

/* The last AHEAD records that were read. */
struct ahead
{
  struct memtable *table;
  size_t read, inserted; /* how many so far; records inserted … read - 1 wait */
  struct waiting waiting[AHEAD];
};

static inline void
insert_oldest (struct ahead *ahead)
{
  struct waiting *oldest = &ahead->waiting[ahead->inserted++ % AHEAD];
  memtable_insert (ahead->table, oldest->hash, &oldest->record);
}

static inline struct record
record_of (const struct operation *operation, struct bytes key, uint64_t sequence)
{
  return (struct record){
    .key = key,
    .value = operation->value,
    .sequence = sequence,
    .kind = operation->kind == OPERATION_DELETE ? RECORD_DELETE
            : operation->kind == OPERATION_BLOB ? RECORD_BLOB
                                                : RECORD_PUT,
  };
}

static inline void
read_ahead (struct ahead *ahead, const struct operation *operation, uint64_t sequence)
{
  if (ahead->read - ahead->inserted == AHEAD)
    insert_oldest (ahead);
  struct waiting *waiting = &ahead->waiting[ahead->read++ % AHEAD];
  struct bytes key = internal_key_store (waiting->key, operation->store, operation->key);
  waiting->record = record_of (operation, key, sequence);
  waiting->hash = key_hash (key);
  memtable_prefetch (ahead->table, waiting->hash);
}

struct record
operation_record (const struct operation *operation, uint64_t sequence, uint8_t *scratch)
{
  return record_of (operation, internal_key_store (scratch, operation->store, operation->key),
                    sequence);
}

struct range_delete
operation_range (const struct operation *operation, uint64_t sequence, uint8_t *scratch)
{
  bool open = operation->value.size == 0;
  struct bytes key = internal_key_store (scratch, operation->store, operation->key);
  struct bytes end
      = internal_key_store (scratch + key.size, operation->store + open, operation->value);
  return (struct range_delete){ key, end, sequence };
}

void
commit_apply (struct memtable *table, struct bytes operations, uint64_t sequence, uint8_t *scratch)
{
  struct operation_reader reader = operation_reader_over (operations);
  struct operation operation;
  struct ahead ahead;
  ahead.table = table;
  ahead.read = ahead.inserted = 0;
  while (operation_next (&reader, &operation, NULL) == STATUS_OK)
    if (operation.dead || operation.kind == OPERATION_LOADED)
      continue;
    else if (operation.kind == OPERATION_DELETE_RANGE)
      {
        struct range_delete range = operation_range (&operation, sequence, scratch);
        memtable_delete_range (table, &range);
      }
    else if (internal_key_fits (operation.key))
      read_ahead (&ahead, &operation, sequence);
    else
      {
        struct record record = operation_record (&operation, sequence, scratch);
        /* A1: none that waits has such a key. */
        memtable_insert (table, key_hash (record.key), &record);
      }
  while (ahead.inserted < ahead.read)
    insert_oldest (&ahead);
}
