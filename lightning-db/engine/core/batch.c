/* SPDX-License-Identifier: MIT */
#include "core/batch.h"

#include "base/range-set.h"

#include <stdlib.h>

status
check_key_slow (struct bytes key, struct failure *failure)
{
  if (key.size == 0 || key.data == NULL)
    return fail (failure, STATUS_INVALID, "a key must have at least one byte; pass a longer key");
  if (key.size > KEY_SIZE_MAX)
    return fail (failure, STATUS_KEY_TOO_LARGE,
                 "a key of %zu bytes is too large: the limit is %u; store a hash of it, or put the "
                 "long part in the value",
                 key.size, KEY_SIZE_MAX);
  return STATUS_OK;
}

status
check_value (struct bytes value, struct failure *failure)
{
  if (value.data == NULL && value.size > 0)
    return fail (failure, STATUS_INVALID, "the value is NULL but its size is %zu; pass its bytes",
                 value.size);
  if (value.size > VALUE_SIZE_MAX)
    return fail (
        failure, STATUS_VALUE_TOO_LARGE,
        "a value of %zu bytes is too large: the limit is 1 GiB; split it over several keys",
        value.size);
  return STATUS_OK;
}

status
check_range (struct bytes start, struct bytes end, struct failure *failure)
{
  if (start.size > KEY_SIZE_MAX || end.size > KEY_SIZE_MAX)
    return fail (failure, STATUS_KEY_TOO_LARGE,
                 "a bound of the range is %zu bytes long: the limit is %u; shorten it",
                 start.size > end.size ? start.size : end.size, KEY_SIZE_MAX);
  if (end.size > 0 && bytes_compare (start, end) >= 0)
    return fail (
        failure, STATUS_INVALID,
        "the range is empty or reversed: its start must be below its end; swap the bounds");
  return STATUS_OK;
}

/* ---- internal keys ---- */

status
internal_key_make_long (struct internal_key *internal, engine_store store, struct bytes key,
                        struct failure *failure)
{
  internal->heap = malloc (STORE_ID_SIZE + key.size);
  if (internal->heap == NULL)
    return fail_memory (failure, STORE_ID_SIZE + key.size, "a key");
  internal->bytes = internal_key_store (internal->heap, store, key);
  return STATUS_OK;
}

status
internal_range_end (struct internal_key *internal, engine_store store, struct bytes end,
                    struct failure *failure)
{
  if (end.size == 0)
    return internal_key_make (internal, store + 1, BYTES_NONE, failure);
  return internal_key_make (internal, store, end, failure);
}

/* ---- encoding ---- */

void
batch_init (struct engine_batch *batch)
{
  *batch = (struct engine_batch){ 0 };
}

void
batch_clear_memory (struct engine_batch *batch)
{
  free (batch->data);
  batch_init (batch);
}

void
engine_batch_clear (struct engine_batch *batch)
{
  uint8_t *data = batch->data;
  size_t capacity = batch->capacity;
  batch_init (batch);
  batch->data = data;
  batch->capacity = capacity;
}

uint8_t *
operation_store_head (uint8_t *to, enum operation_kind kind, engine_store store, size_t key_size)
{
  bool is_default = store == ENGINE_STORE_DEFAULT;
  *to++ = (uint8_t) kind | (is_default ? OPERATION_DEFAULT_STORE : 0);
  if (!is_default)
    {
      store_u32_big (to, store);
      to += STORE_ID_SIZE;
    }
  return varint_store (to, key_size);
}

status
batch_reserve (struct engine_batch *batch, const struct operation *operation,
               struct failure *failure)
{
  size_t more = OPERATION_HEAD_SIZE_MAX + operation->key.size + operation->value.size, needed;
  if (batch_has_room (batch, operation))
    return STATUS_OK;
  if (__builtin_add_overflow (batch->size, more, &needed))
    return fail_memory (failure, more, "a batch");
  size_t capacity = batch->capacity < 256 ? 256 : batch->capacity;
  while (capacity < needed)
    capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
  uint8_t *data = realloc (batch->data, capacity);
  if (data == NULL)
    return fail_memory (failure, capacity, "a batch");
  batch->data = data;
  batch->capacity = capacity;
  return STATUS_OK;
}

/* Inline, as most callers know the kind. */
static inline __attribute__ ((always_inline)) status
append (struct engine_batch *batch, const struct operation *operation, struct failure *failure)
{
  struct bytes key = operation->key, value = operation->value;
  status result = batch_reserve (batch, operation, failure);
  if (result != STATUS_OK)
    return result;

  uint8_t *to = batch->data + batch->size;
  to = operation_store_head (to, operation->kind, operation->store, key.size);
  bytes_copy (to, key);
  to += key.size;
  if (operation->kind != OPERATION_DELETE && operation->kind != OPERATION_BLOB)
    to = varint_store (to, value.size);
  if (operation->kind != OPERATION_DELETE)
    {
      bytes_copy (to, value);
      to += value.size;
    }
  batch->size = (size_t) (to - batch->data);

  batch->count++;
  batch->user_bytes += key.size + value.size;
  if (key.size > batch->largest_key)
    batch->largest_key = key.size;
  if (operation->kind == OPERATION_DELETE_RANGE)
    {
      if (value.size > batch->largest_key)
        batch->largest_key = value.size;
      batch->ranges++;
      batch->range_bytes += 2 * STORE_ID_SIZE + key.size + value.size;
      batch->needs_normalising |= batch->records > 0;
      return STATUS_OK;
    }
  batch->records++;
  batch->deletes += operation->kind == OPERATION_DELETE;
  batch->record_bytes += STORE_ID_SIZE + key.size + value.size;
  if (value.size > batch->largest_value)
    batch->largest_value = value.size;
  return STATUS_OK;
}

status
batch_append (struct engine_batch *batch, const struct operation *operation,
              struct failure *failure)
{
  return append (batch, operation, failure);
}

/* ---- decoding ---- */

static status
malformed (struct failure *failure)
{
  return fail (failure, STATUS_CORRUPT, "malformed operation in a commit; run repair");
}

/* Most of them: a put into the default store whose sizes take a byte each. False: it is another
 * one. */
static inline bool
take_short_put (struct operation_reader *reader, struct operation *out)
{
  const uint8_t *at = reader->at;
  size_t left = (size_t) (reader->end - at);
  if (left < 3 || at[0] != (OPERATION_PUT | OPERATION_DEFAULT_STORE))
    return false;
  size_t key_size = at[1];
  if (key_size == 0 || key_size >= 0x80 || left < 3 + key_size)
    return false;
  size_t value_size = at[2 + key_size];
  if (value_size >= 0x80 || left < 3 + key_size + value_size)
    return false;
  *out = (struct operation){
    .kind = OPERATION_PUT,
    .store = ENGINE_STORE_DEFAULT,
    .key = BYTES (at + 2, key_size),
    .value = BYTES (at + 3 + key_size, value_size),
  };
  reader->at = at + 3 + key_size + value_size;
  return true;
}

status
operation_next (struct operation_reader *reader, struct operation *out, struct failure *failure)
{
  if (__builtin_expect (take_short_put (reader, out), 1))
    return STATUS_OK;
  if (reader->at == reader->end)
    return STATUS_NOT_FOUND;
  struct reader input = { reader->at, reader->end, false };
  uint8_t head;
  struct bytes store;
  take_u8 (&input, &head);
  out->kind = (enum operation_kind) (head & 7);
  out->dead = (head & OPERATION_DEAD) != 0;
  out->store = ENGINE_STORE_DEFAULT;
  out->value = BYTES_NONE;
  if ((head & OPERATION_DEFAULT_STORE) == 0 && take_bytes (&input, STORE_ID_SIZE, &store))
    out->store = load_u32_big (store.data);
  take_sized (&input, &out->key);
  switch (out->kind)
    {
    case OPERATION_PUT:
    case OPERATION_DELETE_RANGE:
    case OPERATION_LOADED:
      take_sized (&input, &out->value);
      break;
    case OPERATION_BLOB:
      take_bytes (&input, BLOB_REFERENCE_SIZE, &out->value);
      break;
    case OPERATION_DELETE:
      break;
    default:
      return malformed (failure);
    }
  bool is_range = out->kind == OPERATION_DELETE_RANGE;
  bool has_bound = is_range || out->kind == OPERATION_LOADED;
  if (input.bad || (head & 0xe0) != 0 || out->key.size > KEY_SIZE_MAX
      || (!is_range && out->key.size == 0) || (has_bound && out->value.size > KEY_SIZE_MAX)
      || (is_range && out->store == UINT32_MAX)
      || (is_range && out->value.size > 0 && bytes_compare (out->key, out->value) >= 0))
    return malformed (failure);
  reader->at = input.at;
  return STATUS_OK;
}

/* ---- normalising ---- */

/* Collects the batch's range deletes, each with its operation's index (from 1) as sequence. The
 * internal keys are laid into `keys`. */
static void
collect_ranges (const struct engine_batch *batch, struct range_delete *ranges, uint8_t *keys)
{
  struct operation_reader reader = operation_reader_over (BYTES (batch->data, batch->size));
  struct operation operation;
  uint64_t index = 0;
  while (operation_next (&reader, &operation, NULL) == STATUS_OK)
    {
      index++;
      if (operation.kind != OPERATION_DELETE_RANGE)
        continue;
      ranges->start = internal_key_store (keys, operation.store, operation.key);
      keys += ranges->start.size;
      bool open = operation.value.size == 0;
      ranges->end = internal_key_store (keys, operation.store + (open ? 1 : 0), operation.value);
      keys += ranges->end.size;
      ranges->sequence = index;
      ranges++;
    }
}

static status
mark_dead (struct engine_batch *batch, const struct range_set *set, struct failure *failure)
{
  struct operation_reader reader = operation_reader_over (BYTES (batch->data, batch->size));
  struct operation operation;
  const uint8_t *head = reader.at;
  uint64_t index = 0;
  while (operation_next (&reader, &operation, NULL) == STATUS_OK)
    {
      index++;
      if (operation.kind != OPERATION_DELETE_RANGE)
        {
          struct internal_key key;
          status result = internal_key_make (&key, operation.store, operation.key, failure);
          if (result != STATUS_OK)
            return result;
          if (range_set_cover (set, key.bytes, UINT64_MAX) > index)
            batch->data[head - batch->data] |= OPERATION_DEAD;
          internal_key_clear (&key);
        }
      head = reader.at;
    }
  return STATUS_OK;
}

status
batch_normalise (struct engine_batch *batch, struct failure *failure)
{
  if (!batch->needs_normalising)
    return STATUS_OK;
  struct range_set *set = NULL;
  struct range_delete *ranges = calloc (batch->ranges, sizeof *ranges);
  uint8_t *keys = malloc (batch->range_bytes + 1);
  status result = STATUS_OK;
  if (ranges == NULL || keys == NULL)
    {
      result = fail_memory (failure, batch->range_bytes, "the range deletes of a batch");
      goto out;
    }
  collect_ranges (batch, ranges, keys);
  result = range_set_build (ranges, batch->ranges, &set, failure);
  if (result == STATUS_OK)
    result = mark_dead (batch, set, failure);
  if (result == STATUS_OK)
    batch->needs_normalising = false;

out:
  range_set_unref (set);
  free (ranges);
  free (keys);
  return result;
}

/* ---- the public batch ---- */

status
engine_batch_new (struct engine_batch **out, struct failure *failure)
{
  struct engine_batch *batch = malloc (sizeof *batch);
  if (batch == NULL)
    return fail_memory (failure, sizeof *batch, "a batch");
  batch_init (batch);
  *out = batch;
  return STATUS_OK;
}

void
engine_batch_free (struct engine_batch *batch)
{
  if (batch == NULL)
    return;
  batch_clear_memory (batch);
  free (batch);
}

status
engine_batch_put (struct engine_batch *batch, engine_store store, struct bytes key,
                  struct bytes value, struct failure *failure)
{
  status result = check_key (key, failure);
  if (result == STATUS_OK)
    result = check_value (value, failure);
  if (result != STATUS_OK)
    return result;
  struct operation operation = { OPERATION_PUT, false, store, key, value };
  return append (batch, &operation, failure);
}

status
engine_batch_delete (struct engine_batch *batch, engine_store store, struct bytes key,
                     struct failure *failure)
{
  status result = check_key (key, failure);
  if (result != STATUS_OK)
    return result;
  struct operation operation = { OPERATION_DELETE, false, store, key, BYTES_NONE };
  return batch_append (batch, &operation, failure);
}

status
engine_batch_delete_range (struct engine_batch *batch, engine_store store, struct bytes start,
                           struct bytes end, struct failure *failure)
{
  status result = check_range (start, end, failure);
  if (result != STATUS_OK)
    return result;
  struct operation operation = { OPERATION_DELETE_RANGE, false, store, start, end };
  return batch_append (batch, &operation, failure);
}

size_t
engine_batch_count (const struct engine_batch *batch)
{
  return batch->count;
}

size_t
engine_batch_size (const struct engine_batch *batch)
{
  return batch->user_bytes;
}
