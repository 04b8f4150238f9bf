/* SPDX-License-Identifier: MIT */
/* access: reading and writing outside of transactions. */
#include "argument.h"
#include "place.h"

#include <stdlib.h>

/* Values up to this size are read by way of the stack: without pinning what they lie in, which
 * others read, too. */
#define COPIED_SIZE_MAX 1024u

LightningDBError
lightning_db_put (LightningDB *db, const uint8_t *key, size_t key_len, const uint8_t *value,
                  size_t value_len)
{
  struct use use;
  LightningDBError error = use_begin_writing (&use, db);
  if (error != Success)
    return error;
  if (key == NULL || (value == NULL && value_len > 0))
    return use_end_null (&use, key == NULL ? "the key" : "the value");
  return use_end (&use, engine_put (use.place->engine, use.place->store, BYTES (key, key_len),
                                    BYTES (value, value_len), ENGINE_SYNC_DEFAULT, NULL,
                                    &use.caller->failure));
}

static LightningDBError
get_large (struct use *use, struct bytes key, LightningDBResult *result)
{
  const struct place *place = use->place;
  struct engine_value value;
  status found = engine_get_value (place->engine, place->snapshot, place->store, key, &value,
                                   &use->caller->failure);
  if (found != STATUS_OK)
    return use_end (use, found == STATUS_NOT_FOUND ? STATUS_OK : found);
  LightningDBError error = result_copy (use->caller, value.data, result);
  engine_value_release (&value);
  return use_end_error (use, error);
}

LightningDBError
lightning_db_get (LightningDB *db, const uint8_t *key, size_t key_len, LightningDBResult *result)
{
  struct use use;
  uint8_t copy[COPIED_SIZE_MAX];
  size_t size;
  if (result != NULL)
    *result = (LightningDBResult){ NULL, 0 };
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  if (key == NULL || result == NULL)
    return use_end_null (&use, key == NULL ? "the key" : "the result");
  const struct place *place = use.place;
  status found = engine_get (place->engine, place->snapshot, place->store, BYTES (key, key_len),
                             copy, sizeof copy, &size, &use.caller->failure);
  if (found != STATUS_OK)
    return use_end (&use, found == STATUS_NOT_FOUND ? STATUS_OK : found);
  if (size > sizeof copy)
    return get_large (&use, BYTES (key, key_len), result);
  return use_end_error (&use, result_copy (use.caller, BYTES (copy, size), result));
}

LightningDBError
lightning_db_get_into (LightningDB *db, const uint8_t *key, size_t key_len, uint8_t *buffer,
                       size_t capacity, size_t *value_len)
{
  struct use use;
  size_t size = 0;
  if (value_len != NULL)
    *value_len = 0;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  if (key == NULL || value_len == NULL || (buffer == NULL && capacity > 0))
    return use_end_null (&use, key == NULL         ? "the key"
                               : value_len == NULL ? "where to store the length"
                                                   : "the buffer");
  const struct place *place = use.place;
  status found = engine_get (place->engine, place->snapshot, place->store, BYTES (key, key_len),
                             buffer, capacity, &size, &use.caller->failure);
  if (found == STATUS_NOT_FOUND)
    return use_end_error (&use, NotFound);
  if (found != STATUS_OK)
    return use_end (&use, found);
  *value_len = size;
  if (size <= capacity)
    return use_end_error (&use, Success);
  return use_end_error (&use, caller_fail (use.caller, BufferTooSmall,
                                           "the value has %zu bytes, the buffer %zu; pass a larger "
                                           "one",
                                           size, capacity));
}

LightningDBError
lightning_db_contains (LightningDB *db, const uint8_t *key, size_t key_len)
{
  struct use use;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  if (key == NULL)
    return use_end_null (&use, "the key");
  const struct place *place = use.place;
  status found = engine_contains (place->engine, place->snapshot, place->store,
                                  BYTES (key, key_len), false, &use.caller->failure);
  return found == STATUS_NOT_FOUND ? use_end_error (&use, NotFound) : use_end (&use, found);
}

LightningDBError
lightning_db_delete (LightningDB *db, const uint8_t *key, size_t key_len)
{
  struct use use;
  LightningDBError error = use_begin_writing (&use, db);
  if (error != Success)
    return error;
  if (key == NULL)
    return use_end_null (&use, "the key");
  return use_end (&use, engine_delete (use.place->engine, use.place->store, BYTES (key, key_len),
                                       ENGINE_SYNC_DEFAULT, NULL, &use.caller->failure));
}

LightningDBError
lightning_db_delete_range (LightningDB *db, const uint8_t *start, size_t start_len,
                           const uint8_t *end, size_t end_len)
{
  struct use use;
  struct bytes lower, upper;
  LightningDBError error = use_begin_writing (&use, db);
  if (error != Success)
    return error;
  error = argument_range (use.caller, start, start_len, end, end_len, &lower, &upper);
  if (error != Success)
    return use_end_error (&use, error);
  return use_end (&use, engine_delete_range (use.place->engine, use.place->store, lower, upper,
                                             ENGINE_SYNC_DEFAULT, NULL, &use.caller->failure));
}

void
lightning_db_free_result (uint8_t *data, size_t len)
{
  free (data);
}

/* ---- many keys ---- */

/* The arrays of one call, laid out in one allocation. */
struct many
{
  size_t count;
  struct engine_value *values;
  struct bytes *keys;
  status *states;
};

static LightningDBError
many_new (struct caller *caller, const uint8_t *const *keys, const size_t *key_lens, size_t count,
          struct many **out)
{
  const size_t each = sizeof (struct engine_value) + sizeof (struct bytes) + sizeof (status);
  size_t size;
  struct many *many = NULL;
  if (!__builtin_mul_overflow (each, count, &size)
      && !__builtin_add_overflow (size, sizeof *many, &size))
    many = malloc (size);
  if (many == NULL)
    return caller_fail (caller, OutOfMemory,
                        "there is no memory for %zu keys; ask for fewer at once", count);
  many->count = count;
  many->values = (struct engine_value *) (many + 1);
  many->keys = (struct bytes *) (many->values + count);
  many->states = (status *) (many->keys + count);
  for (size_t i = 0; i < count; i++)
    {
      many->keys[i] = BYTES (keys[i], key_lens[i]);
      if (keys[i] != NULL)
        continue;
      free (many);
      return caller_fail (caller, NullPointer, "key %zu of %zu is NULL; pass a valid one", i,
                          count);
    }
  *out = many;
  return Success;
}

/* Copies what was found to the results, all or none of them. Releases the values. */
static LightningDBError
many_copy (struct caller *caller, struct many *many, LightningDBResult *results)
{
  LightningDBError error = Success;
  for (size_t i = 0; i < many->count; i++)
    if (many->states[i] == STATUS_OK)
      {
        if (error == Success)
          error = result_copy (caller, many->values[i].data, &results[i]);
        engine_value_release (&many->values[i]);
      }
    else if (many->states[i] != STATUS_NOT_FOUND && error == Success)
      error = caller_fail_status (caller, many->states[i]);
  for (size_t i = 0; error != Success && i < many->count; i++)
    {
      free (results[i].data);
      results[i] = (LightningDBResult){ NULL, 0 };
    }
  return error;
}

LightningDBError
lightning_db_multi_get (LightningDB *db, const uint8_t *const *keys, const size_t *key_lens,
                        size_t count, LightningDBResult *results)
{
  struct use use;
  struct many *many = NULL;
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  if (count > 0 && (keys == NULL || key_lens == NULL || results == NULL))
    return use_end_null (&use, keys == NULL       ? "the array of keys"
                               : key_lens == NULL ? "the array of lengths"
                                                  : "the array of results");
  for (size_t i = 0; i < count; i++)
    results[i] = (LightningDBResult){ NULL, 0 };
  error = many_new (use.caller, keys, key_lens, count, &many);
  if (error != Success)
    return use_end_error (&use, error);
  const struct place *place = use.place;
  status result = engine_get_many (place->engine, place->snapshot, place->store, many->keys, count,
                                   many->values, many->states, &use.caller->failure);
  error = result == STATUS_OK ? many_copy (use.caller, many, results)
                              : caller_fail_status (use.caller, result);
  free (many);
  return use_end_error (&use, error);
}
