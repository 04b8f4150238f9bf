/* SPDX-License-Identifier: MIT */
/*
 * batch: a list of operations in the very bytes the log holds (and docs/design/log.md documents):
 *
 *   operation   head 1, [store 4, big-endian, unless head says default], varint key size, key, then
 *               put: varint value size, value
 *               blob: BLOB_REFERENCE_SIZE bytes
 *               delete range: varint end size, end   (start = key; both without store; end size 0 =
 *               to the end of the store)
 *   head        bits 0–2 kind, bit 3 default store, bit 4 dead (overwritten by a later range
 *               delete of the same commit), the rest 0
 *
 * A commit is normalised before it is logged: puts and deletes that a later range delete of the
 * same batch covers are marked dead (they stay in the bytes, nobody applies them).
 *
 * Threads: one at a time.
 */
#ifndef LIGHTNING_BATCH_H
#define LIGHTNING_BATCH_H

#include "base/coding.h"
#include "blob/blob.h"
#include "engine.h"

#include <stdlib.h>

enum operation_kind
{
  OPERATION_PUT = 0,
  OPERATION_DELETE = 1,
  OPERATION_BLOB = 2,
  OPERATION_DELETE_RANGE = 3,
  OPERATION_LOADED = 4,
};

#define OPERATION_DEFAULT_STORE 0x08u
#define OPERATION_DEAD 0x10u
#define OPERATION_HEAD_SIZE_MAX (1 + STORE_ID_SIZE + 2 * VARINT_SIZE_MAX)

struct operation
{
  enum operation_kind kind;
  bool dead;
  engine_store store;
  struct bytes key;   /* user key; the start of a range (empty = the store's start) */
  struct bytes value; /* put: value; blob: reference; delete range: end (empty = store's end);
                         loaded: the largest key, included */
};

struct engine_batch
{
  uint8_t *data;          /* encoded operations */
  size_t size, capacity;  /* bytes */
  size_t count;           /* operations */
  size_t deletes;         /* point deletes */
  size_t records;         /* puts, deletes, blobs */
  size_t record_bytes;    /* internal keys and values of them */
  size_t ranges;          /* range deletes */
  size_t range_bytes;     /* internal keys of them */
  size_t user_bytes;      /* keys and values as given */
  size_t largest_key;     /* user key or bound, bytes */
  size_t largest_value;   /* bytes */
  bool needs_normalising; /* a range delete follows a put or delete */
};

void batch_init (struct engine_batch *batch);
void batch_clear_memory (struct engine_batch *batch);
/* Whether one operation can be appended without moving what is there, which then cannot fail. */
static inline bool
batch_has_room (const struct engine_batch *batch, const struct operation *operation)
{
  return batch->capacity - batch->size
         >= OPERATION_HEAD_SIZE_MAX + operation->key.size + operation->value.size;
}
/* Makes that room. */
status batch_reserve (struct engine_batch *batch, const struct operation *operation,
                      struct failure *failure);
/* Appends one operation; value/end by kind. */
status batch_append (struct engine_batch *batch, const struct operation *operation,
                     struct failure *failure);
/* Writes an operation's head (all before key or value bytes are not included: head, store, key
 * size) at `to`; returns its end. */
uint8_t *operation_store_head (uint8_t *to, enum operation_kind kind, engine_store store,
                               size_t key_size);
/* Marks what later range deletes cover (see above). */
status batch_normalise (struct engine_batch *batch, struct failure *failure);

/* Walks encoded operations; hostile bytes give CORRUPT. */
struct operation_reader
{
  const uint8_t *at, *end;
};
static inline struct operation_reader
operation_reader_over (struct bytes data)
{
  return (struct operation_reader){ data.data, bytes_behind (data, data.size).data };
}
/* OK with *out set; NOT_FOUND at the end; CORRUPT. */
status operation_next (struct operation_reader *reader, struct operation *out,
                       struct failure *failure);

/* Internal keys. `to` has room for STORE_ID_SIZE + key.size. */
static inline struct bytes
internal_key_store (uint8_t *to, engine_store store, struct bytes key)
{
  to[0] = (uint8_t) (store >> 24);
  to[1] = (uint8_t) (store >> 16);
  to[2] = (uint8_t) (store >> 8);
  to[3] = (uint8_t) store;
  bytes_copy (to + STORE_ID_SIZE, key);
  return BYTES (to, STORE_ID_SIZE + key.size);
}

static inline engine_store
internal_key_store_of (struct bytes internal)
{
  return (engine_store) internal.data[0] << 24 | (engine_store) internal.data[1] << 16
         | (engine_store) internal.data[2] << 8 | internal.data[3];
}

/* An internal key on the stack where it is short, on the heap where it is long. */
#define INTERNAL_KEY_INLINE 252u
struct internal_key
{
  struct bytes bytes; /* the key */
  uint8_t *heap;      /* owned; NULL when inline */
  uint8_t inline_bytes[INTERNAL_KEY_INLINE + STORE_ID_SIZE];
};
/* The internal range of a range delete or cursor: [store|start, store|end) or up to the next
 * store. */
status internal_range_end (struct internal_key *internal, engine_store store, struct bytes end,
                           struct failure *failure);
static inline bool
internal_key_fits (struct bytes key)
{
  return key.size <= INTERNAL_KEY_INLINE;
}
status internal_key_make_long (struct internal_key *internal, engine_store store, struct bytes key,
                               struct failure *failure);
static inline status
internal_key_make (struct internal_key *internal, engine_store store, struct bytes key,
                   struct failure *failure)
{
  internal->heap = NULL;
  if (__builtin_expect (!internal_key_fits (key), 0))
    return internal_key_make_long (internal, store, key, failure);
  internal->bytes = internal_key_store (internal->inline_bytes, store, key);
  return STATUS_OK;
}
static inline void
internal_key_clear (struct internal_key *internal)
{
  if (__builtin_expect (internal->heap != NULL, 0))
    free (internal->heap);
  internal->heap = NULL;
}

/* INVALID for empty, KEY_TOO_LARGE, VALUE_TOO_LARGE; with sizes and limits in the message. */
status check_key_slow (struct bytes key, struct failure *failure);
static inline status
check_key (struct bytes key, struct failure *failure)
{
  bool fine = key.size - 1 < KEY_SIZE_MAX && key.data != NULL;
  return __builtin_expect (fine, 1) ? STATUS_OK : check_key_slow (key, failure);
}
status check_value (struct bytes value, struct failure *failure);
/* Bounds of a range delete. */
status check_range (struct bytes start, struct bytes end, struct failure *failure);

#endif
