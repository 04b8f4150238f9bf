/* SPDX-License-Identifier: MIT */
/*
 * store: the catalogue of named stores. It is a store itself (ENGINE_STORE_SYSTEM), so that making
 * and dropping a store are ordinary transactions.
 *
 *   "n" + name   4 bytes, little-endian: the store's id
 *   "i"          4 bytes: the next id; ids never return
 *
 * Changes of it are made one at a time (catalogue_lock): each new store changes "i", so that of
 * many made at once all but one would have to begin anew.
 */
#include "core/engine-private.h"

#include "base/coding.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_STORE 2u
#define DEFAULT_STORE_NAME "default"

static bool
is_utf8 (const uint8_t *at, const uint8_t *end)
{
  while (at < end)
    {
      unsigned more = *at < 0x80             ? 0
                      : (*at & 0xe0) == 0xc0 ? 1
                      : (*at & 0xf0) == 0xe0 ? 2
                      : (*at & 0xf8) == 0xf0 ? 3
                                             : 9;
      if (more == 9 || (size_t) (end - at) <= more || *at == 0xc0 || *at == 0xc1 || *at > 0xf4)
        return false;
      for (unsigned i = 1; i <= more; i++)
        if ((at[i] & 0xc0) != 0x80)
          return false;
      at += more + 1;
    }
  return true;
}

static status
check_name (const char *name, struct failure *failure)
{
  size_t length = name != NULL ? strlen (name) : 0;
  if (length == 0 || length > STORE_NAME_SIZE_MAX)
    return fail (failure, STATUS_INVALID,
                 "a store's name must have 1 to %u bytes, not %zu; choose another",
                 STORE_NAME_SIZE_MAX, length);
  if (!is_utf8 ((const uint8_t *) name, (const uint8_t *) name + length))
    return fail (failure, STATUS_INVALID, "a store's name must be UTF-8; encode it first");
  return STATUS_OK;
}

static struct bytes
catalogue_key (const char *name, uint8_t to[1 + STORE_NAME_SIZE_MAX])
{
  size_t length = strlen (name);
  to[0] = 'n';
  memcpy (to + 1, name, length);
  return BYTES (to, 1 + length);
}

/* The 4-byte number under `key`. */
static status
read_number (struct engine_transaction *transaction, struct bytes key, uint32_t *out,
             struct failure *failure)
{
  struct engine_value value;
  status result
      = engine_transaction_get_value (transaction, ENGINE_STORE_SYSTEM, key, &value, failure);
  if (result != STATUS_OK)
    return result;
  bool good = value.data.size == 4;
  if (good)
    *out = load_u32 (value.data.data);
  engine_value_release (&value);
  return good ? STATUS_OK
              : fail (failure, STATUS_CORRUPT, "the catalogue of stores is damaged; run repair");
}

static status
write_number (struct engine_transaction *transaction, struct bytes key, uint32_t number,
              struct failure *failure)
{
  uint8_t value[4];
  store_u32 (value, number);
  return engine_transaction_put (transaction, ENGINE_STORE_SYSTEM, key, BYTES (value, 4), failure);
}

static status
find_store (struct engine *engine, struct bytes key, engine_store *out, struct failure *failure)
{
  uint8_t value[4];
  size_t size;
  status result
      = engine_get (engine, NULL, ENGINE_STORE_SYSTEM, key, value, sizeof value, &size, failure);
  if (result == STATUS_OK && size != sizeof value)
    return fail (failure, STATUS_CORRUPT, "the catalogue of stores is damaged; run repair");
  if (result == STATUS_OK)
    *out = load_u32 (value);
  return result;
}

/* The store of that name, made if there is none. catalogue_lock held. */
static status
create_store (struct engine *engine, struct bytes key, engine_store *out, struct failure *failure)
{
  struct engine_transaction *transaction;
  status result = engine_transaction_begin (engine, 0, &transaction, failure);
  if (result != STATUS_OK)
    return result;
  uint32_t next = FIRST_STORE;
  result = read_number (transaction, key, out, failure);
  if (result == STATUS_NOT_FOUND)
    {
      result = read_number (transaction, BYTES_LITERAL ("i"), &next, failure);
      if (result == STATUS_NOT_FOUND)
        result = STATUS_OK;
      if (result == STATUS_OK && next >= UINT32_MAX - 1)
        result = fail (failure, STATUS_TOO_MANY, "no store ids are left in this database");
      if (result == STATUS_OK)
        result = write_number (transaction, key, next, failure);
      if (result == STATUS_OK)
        result = write_number (transaction, BYTES_LITERAL ("i"), next + 1, failure);
      if (result == STATUS_OK)
        result = engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, failure);
      if (result == STATUS_OK)
        *out = next;
    }
  engine_transaction_free (transaction);
  return result;
}

status
engine_store_open (struct engine *engine, const char *name, bool create, engine_store *out,
                   struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result == STATUS_OK)
    result = check_name (name, failure);
  if (result != STATUS_OK)
    return result;
  if (strcmp (name, DEFAULT_STORE_NAME) == 0)
    {
      *out = ENGINE_STORE_DEFAULT;
      return STATUS_OK;
    }
  uint8_t bytes[1 + STORE_NAME_SIZE_MAX];
  struct bytes key = catalogue_key (name, bytes);
  result = find_store (engine, key, out, failure);
  if (result == STATUS_NOT_FOUND && create)
    {
      struct failure cause = FAILURE_INIT;
      pthread_mutex_lock (&engine->catalogue_lock);
      result = create_store (engine, key, out, &cause);
      pthread_mutex_unlock (&engine->catalogue_lock);
      return result == STATUS_OK ? result : fail (failure, result, "%s", cause.message);
    }
  if (result == STATUS_NOT_FOUND)
    return fail (failure, STATUS_NOT_FOUND,
                 "there is no store \"%s\" in %s; create it, or check the name", name,
                 engine->path);
  return result;
}

status
engine_store_check (struct engine *engine, struct engine_snapshot *snapshot, const char *name,
                    engine_store store, bool cached_only, struct failure *failure)
{
  uint8_t bytes[1 + STORE_NAME_SIZE_MAX];
  struct engine_value value;
  status result = check_name (name, failure);
  if (result != STATUS_OK || store == ENGINE_STORE_DEFAULT)
    return result;
  struct bytes key = catalogue_key (name, bytes);
  result
      = cached_only
            ? engine_get_value_cached (engine, snapshot, ENGINE_STORE_SYSTEM, key, &value, failure)
            : engine_get_value (engine, snapshot, ENGINE_STORE_SYSTEM, key, &value, failure);
  if (result == STATUS_OK)
    {
      if (value.data.size != 4 || load_u32 (value.data.data) != store)
        result = STATUS_NOT_FOUND; /* another one of that name */
      engine_value_release (&value);
    }
  if (result == STATUS_NOT_FOUND)
    return fail (failure, result,
                 "the store \"%s\" was dropped; open a store of that name again to make a new one",
                 name);
  return result;
}

/* How many of the dropped ids are below this one. */
static size_t
dropped_below (const struct engine *engine, engine_store store)
{
  size_t low = 0, high = engine->dropped_count;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (engine->dropped_stores[middle] < store)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

bool
store_is_dropped (const struct engine *engine, engine_store store)
{
  size_t at = dropped_below (engine, store);
  return at < engine->dropped_count && engine->dropped_stores[at] == store;
}

static void
allow_store (struct engine *engine, engine_store store)
{
  pthread_mutex_lock (&engine->commit_lock);
  if (store_is_dropped (engine, store))
    {
      engine_store *at = engine->dropped_stores + dropped_below (engine, store);
      engine_store *end = engine->dropped_stores + engine->dropped_count--;
      memmove (at, at + 1, (size_t) (end - at - 1) * sizeof *at);
    }
  pthread_mutex_unlock (&engine->commit_lock);
}

/* From now on commits to the store are refused (a handle of it may still be around); earlier ones
 * are visible. */
static status
forbid_store (struct engine *engine, engine_store store, struct failure *failure)
{
  status result = STATUS_OK;
  pthread_mutex_lock (&engine->commit_lock);
  engine_store *dropped
      = realloc (engine->dropped_stores, (engine->dropped_count + 1) * sizeof *dropped);
  if (dropped == NULL)
    result = fail_memory (failure, sizeof *dropped, "the list of dropped stores");
  else
    {
      engine->dropped_stores = dropped;
      size_t at = dropped_below (engine, store);
      memmove (dropped + at + 1, dropped + at, (engine->dropped_count++ - at) * sizeof *dropped);
      dropped[at] = store;
    }
  uint64_t newest = engine->last_sequence;
  pthread_mutex_unlock (&engine->commit_lock);
  if (result == STATUS_OK)
    {
      result = commit_await (engine, newest, failure);
      if (result != STATUS_OK)
        allow_store (engine, store);
    }
  return result;
}

/* Takes the store out of the catalogue and deletes its contents, if `key` still names it.
 * NOT_FOUND: somebody else dropped it. catalogue_lock held. */
static status
remove_store (struct engine *engine, struct bytes key, engine_store store, struct failure *failure)
{
  struct engine_transaction *transaction;
  status result = engine_transaction_begin (engine, 0, &transaction, failure);
  if (result != STATUS_OK)
    return result;
  uint32_t named = 0;
  transaction_set_drops (transaction, store);
  result = read_number (transaction, key, &named, failure);
  if (result == STATUS_OK && named != store)
    result = STATUS_NOT_FOUND;
  if (result == STATUS_OK)
    result = engine_transaction_delete (transaction, ENGINE_STORE_SYSTEM, key, failure);
  if (result == STATUS_OK)
    result = engine_transaction_delete_range (transaction, store, BYTES_NONE, BYTES_NONE, failure);
  if (result == STATUS_OK)
    result = engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, failure);
  engine_transaction_free (transaction);
  return result;
}

status
engine_store_drop (struct engine *engine, const char *name, struct failure *failure)
{
  engine_store store;
  status result = engine_store_open (engine, name, false, &store, failure);
  if (result != STATUS_OK)
    return result;
  if (engine->read_only)
    return fail (failure, STATUS_READ_ONLY, "%s is open read-only; open it for writing",
                 engine->path);
  if (store == ENGINE_STORE_DEFAULT)
    return engine_delete_range (engine, store, BYTES_NONE, BYTES_NONE, ENGINE_SYNC_DEFAULT, NULL,
                                failure);
  result
      = forbid_store (engine, store, failure); /* before the snapshot: nobody writes to it since */
  if (result != STATUS_OK)
    return result;
  uint8_t bytes[1 + STORE_NAME_SIZE_MAX];
  struct failure cause = FAILURE_INIT;
  pthread_mutex_lock (&engine->catalogue_lock);
  result = remove_store (engine, catalogue_key (name, bytes), store, &cause);
  pthread_mutex_unlock (&engine->catalogue_lock);
  if (result == STATUS_OK)
    return STATUS_OK;
  allow_store (engine,
               store); /* each forbids it once: the other's ban stays when that dropped it */
  if (result == STATUS_NOT_FOUND)
    return fail (failure, STATUS_NOT_FOUND,
                 "the store \"%s\" was dropped by somebody else at the same time", name);
  return fail (failure, result, "%s", cause.message);
}

/* ---- for repair ---- */

status
store_adopt (struct engine *engine, const char *name, engine_store store, struct failure *failure)
{
  struct engine_transaction *transaction;
  uint8_t bytes[1 + STORE_NAME_SIZE_MAX];
  uint32_t there;
  status result = engine_transaction_begin (engine, 0, &transaction, failure);
  if (result != STATUS_OK)
    return result;
  struct bytes key = catalogue_key (name, bytes);
  result = read_number (transaction, key, &there, failure);
  if (result == STATUS_OK)
    result = fail (failure, STATUS_EXISTS, "there is a store \"%s\" already", name);
  else if (result == STATUS_NOT_FOUND)
    result = write_number (transaction, key, store, failure);
  if (result == STATUS_OK)
    result = engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, failure);
  engine_transaction_free (transaction);
  return result;
}

status
store_reserve (struct engine *engine, engine_store store, struct failure *failure)
{
  struct engine_transaction *transaction;
  uint32_t next = FIRST_STORE;
  status result = engine_transaction_begin (engine, 0, &transaction, failure);
  if (result != STATUS_OK)
    return result;
  result = read_number (transaction, BYTES_LITERAL ("i"), &next, failure);
  if (result == STATUS_NOT_FOUND)
    result = STATUS_OK;
  if (result == STATUS_OK && next <= store)
    {
      result = write_number (transaction, BYTES_LITERAL ("i"), store + 1, failure);
      if (result == STATUS_OK)
        result = engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, failure);
    }
  engine_transaction_free (transaction);
  return result;
}

status
engine_store_list (struct engine *engine,
                   bool (*visit) (void *data, const char *name, engine_store store), void *data,
                   struct failure *failure)
{
  return engine_store_list_at (engine, NULL, visit, data, failure);
}

status
engine_store_list_at (struct engine *engine, struct engine_snapshot *snapshot,
                      bool (*visit) (void *data, const char *name, engine_store store), void *data,
                      struct failure *failure)
{
  struct engine_cursor_settings settings = {
    .store = ENGINE_STORE_SYSTEM,
    .snapshot = snapshot,
    .lower = BYTES_LITERAL ("n"),
    .upper = BYTES_LITERAL ("o"),
  };
  struct engine_cursor *cursor;
  status result = engine_cursor_new (engine, &settings, &cursor, failure);
  if (result != STATUS_OK)
    return result;
  bool go_on = visit (data, DEFAULT_STORE_NAME, ENGINE_STORE_DEFAULT);
  for (result = engine_cursor_first (cursor, failure);
       result == STATUS_OK && go_on && engine_cursor_valid (cursor);
       result = engine_cursor_next (cursor, failure))
    {
      char name[STORE_NAME_SIZE_MAX + 1];
      struct bytes key = engine_cursor_key (cursor), value;
      result = engine_cursor_value (cursor, &value, failure);
      if (result != STATUS_OK || value.size != 4 || key.size > STORE_NAME_SIZE_MAX + 1)
        break;
      memcpy (name, key.data + 1, key.size - 1);
      name[key.size - 1] = '\0';
      go_on = visit (data, name, load_u32 (value.data));
    }
  engine_cursor_free (cursor);
  return result;
}
