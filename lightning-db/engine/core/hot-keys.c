/* SPDX-License-Identifier: MIT */
#include "core/hot-keys.h"

#include "base/random.h"
#include "core/engine-private.h"

#include <stdlib.h>
#include <string.h>

struct hot_table
{
  uint64_t total;                   /* all that was noted; aged like the counts */
  size_t count;                     /* keys that are in it */
  uint64_t hashes[ENGINE_HOT_KEYS]; /* of store and whole key */
  struct engine_hot_key keys[ENGINE_HOT_KEYS];
};

void
hot_keys_init (struct hot_keys keys[ENGINE_HOT_KINDS])
{
  for (unsigned kind = 0; kind < ENGINE_HOT_KINDS; kind++)
    pthread_mutex_init (&keys[kind].lock, NULL);
}

void
hot_keys_clear (struct hot_keys keys[ENGINE_HOT_KINDS], struct ledger *ledger)
{
  for (unsigned kind = 0; kind < ENGINE_HOT_KINDS; kind++)
    {
      pthread_mutex_destroy (&keys[kind].lock);
      if (keys[kind].table != NULL)
        ledger_refund (ledger, LEDGER_OTHER, sizeof *keys[kind].table);
      free (keys[kind].table);
      keys[kind].table = NULL;
    }
}

/* ---- noting ---- */

static size_t
kept_size (struct bytes key)
{
  return key.size < ENGINE_SLOW_KEY_MAX ? key.size : ENGINE_SLOW_KEY_MAX;
}

static bool
is_same (const struct engine_hot_key *place, engine_store store, struct bytes key)
{
  return place->store == store && place->key_size == key.size
         && memcmp (place->key, key.data, kept_size (key)) == 0;
}

/* The key's place, or one that it may take: a free one, or that with the lowest count. */
static size_t
find_place (const struct hot_table *table, uint64_t hash, engine_store store, struct bytes key)
{
  for (size_t i = 0; i < table->count; i++)
    if (table->hashes[i] == hash && is_same (&table->keys[i], store, key))
      return i;
  size_t lowest = 0;
  if (table->count < ENGINE_HOT_KEYS)
    return table->count;
  for (size_t i = 1; i < table->count; i++)
    if (table->keys[i].count < table->keys[lowest].count)
      lowest = i;
  return lowest;
}

/* H1: each halved count is still at least the half of what was true, and without its error at most
 * that. */
static void
age (struct hot_table *table)
{
  table->total = (table->total + 1) / 2;
  for (size_t i = 0; i < table->count; i++)
    {
      struct engine_hot_key *key = &table->keys[i];
      uint64_t sure = (key->count - key->error) / 2;
      key->count = (key->count + 1) / 2;
      key->error = key->count - sure;
    }
}

static void
note_in (struct hot_table *table, engine_store store, struct bytes key, uint64_t times,
         uint64_t now)
{
  uint64_t hash = checksum (store, key.size, key);
  size_t at = find_place (table, hash, store, key);
  struct engine_hot_key *place = &table->keys[at];
  bool is_free = at == table->count;
  if (is_free || table->hashes[at] != hash || !is_same (place, store, key))
    {
      uint64_t before = is_free ? 0 : place->count;
      *place = (struct engine_hot_key){
        .count = before, .error = before, .store = store, .key_size = key.size
      };
      memcpy (place->key, key.data, kept_size (key));
      table->hashes[at] = hash;
      table->count += is_free;
    }
  place->count += times;
  place->last = now;
  table->total += times;
}

void
hot_keys_note (struct engine *engine, enum engine_hot_kind kind, engine_store store,
               struct bytes key, uint64_t times, uint64_t now)
{
  struct hot_keys *keys = &engine->hot_keys[kind];
  if (store == ENGINE_STORE_SYSTEM)
    return;
  pthread_mutex_lock (&keys->lock);
  struct hot_table *table = keys->table;
  if (table == NULL)
    {
      table = keys->table = calloc (1, sizeof *table);
      if (table != NULL)
        ledger_charge (&engine->ledger, LEDGER_OTHER, sizeof *table);
    }
  if (table != NULL)
    note_in (table, store, key, times, now);
  if (table != NULL && kind != ENGINE_HOT_CONFLICTS && table->total >= HOT_KEYS_HALVED)
    age (table);
  pthread_mutex_unlock (&keys->lock);
}

/* Of how many keys one is noted, and which is the first: any, so that each has the same chance. */
static size_t
choose_stride (size_t count, size_t *first)
{
  size_t stride = (count + HOT_KEYS_OF_CALL - 1) / HOT_KEYS_OF_CALL;
  *first = 0;
  if (stride <= 1)
    return 1;
  struct random random = { metrics_now () };
  *first = (size_t) random_below (&random, stride);
  return stride;
}

void
hot_keys_note_many (struct engine *engine, engine_store store, const struct bytes *keys,
                    size_t count)
{
  size_t first, stride = choose_stride (count, &first);
  for (size_t i = first; i < count; i += stride)
    hot_keys_note (engine, ENGINE_HOT_READS, store, keys[i], stride, 0);
}

void
hot_keys_note_operations (struct engine *engine, struct bytes operations, size_t count)
{
  size_t first, stride = choose_stride (count, &first);
  struct operation_reader reader = operation_reader_over (operations);
  struct operation operation;
  for (size_t i = 0; operation_next (&reader, &operation, NULL) == STATUS_OK; i++)
    if (i % stride == first && !operation.dead
        && (operation.kind == OPERATION_PUT || operation.kind == OPERATION_DELETE
            || operation.kind == OPERATION_BLOB))
      hot_keys_note (engine, ENGINE_HOT_WRITES, operation.store, operation.key, stride, 0);
}

/* ---- asking ---- */

static int
compare (const void *left, const void *right)
{
  const struct engine_hot_key *a = left, *b = right;
  uint64_t sure_a = a->count - a->error, sure_b = b->count - b->error;
  if (sure_a != sure_b)
    return sure_a > sure_b ? -1 : 1;
  if (a->count != b->count)
    return a->count > b->count ? -1 : 1;
  int order = memcmp (a->key, b->key, sizeof a->key); /* so that equal ones keep their order */
  return order != 0 ? order : (a->store > b->store) - (a->store < b->store);
}

size_t
engine_hot_keys (struct engine *engine, enum engine_hot_kind kind,
                 struct engine_hot_key out[ENGINE_HOT_KEYS], uint64_t *total)
{
  struct hot_keys *keys = &engine->hot_keys[kind];
  size_t count = 0;
  *total = 0;
  pthread_mutex_lock (&keys->lock);
  if (keys->table != NULL)
    {
      count = keys->table->count;
      *total = keys->table->total;
      memcpy (out, keys->table->keys, count * sizeof *out);
    }
  pthread_mutex_unlock (&keys->lock);
  qsort (out, count, sizeof *out, compare);
  return count;
}
