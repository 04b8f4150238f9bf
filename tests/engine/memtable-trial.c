/* SPDX-License-Identifier: MIT */
#include "memtable-trial.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)

#else

#endif

struct failure failure;

struct ledger ledger;

struct memtable_pool *pool;

struct memtable *
new_table (void)
{
  struct memtable *table;
  CHECK_OK (memtable_new (pool, &table, &failure));
  return table;
}

static void
put_hashed (struct memtable *table, struct bytes key, struct bytes value, uint64_t sequence,
            uint64_t hash)
{
  struct record record = { .key = key, .value = value, .sequence = sequence, .kind = RECORD_PUT };
  CHECK_OK (memtable_reserve (table, 1, key.size + value.size, 0, 0, &failure));
  memtable_insert (table, hash, &record);
}

void
put (struct memtable *table, struct bytes key, struct bytes value, uint64_t sequence)
{
  put_hashed (table, key, value, sequence, key_hash (key));
}

struct bytes
model_bytes (const struct model_key *key)
{
  return BYTES (key->data, key->size);
}

size_t
model_lower (const struct model *model, struct bytes key)
{
  size_t low = 0;
  size_t high = model->key_count;
  while (low < high)
    {
      size_t middle = (low + high) / 2;
      if (bytes_compare (model_bytes (&model->keys[middle]), key) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

struct model_key *
model_find (const struct model *model, struct bytes key)
{
  size_t index = model_lower (model, key);
  if (index < model->key_count && bytes_equal (model_bytes (&model->keys[index]), key))
    return &model->keys[index];
  return NULL;
}

uint8_t *
copy_bytes (struct bytes bytes)
{
  uint8_t *copy = malloc (bytes.size + 1);
  memcpy (copy, bytes.data, bytes.size);
  return copy;
}

void
model_insert (struct model *model, const struct record *record)
{
  struct model_key *found = model_find (model, record->key);
  if (found == NULL)
    {
      size_t index = model_lower (model, record->key);
      model->keys = realloc (model->keys, (model->key_count + 1) * sizeof *model->keys);
      memmove (model->keys + index + 1, model->keys + index,
               (model->key_count - index) * sizeof *model->keys);
      model->key_count++;
      found = &model->keys[index];
      *found = (struct model_key){ copy_bytes (record->key), record->key.size, 0, NULL };
    }
  found->versions = realloc (found->versions, (found->version_count + 1) * sizeof *found->versions);
  found->versions[found->version_count++]
      = (struct model_version){ record->sequence, record->expiry, record->kind,
                                record->value.size };
}

void
model_clear (struct model *model)
{
  for (size_t i = 0; i < model->key_count; i++)
    {
      free (model->keys[i].data);
      free (model->keys[i].versions);
    }
  for (size_t i = 0; i < model->range_count; i++)
    {
      free ((void *) model->ranges[i].start.data);
      free ((void *) model->ranges[i].end.data);
    }
  free (model->keys);
  free (model->ranges);
  *model = (struct model){ 0 };
}

void
fill_value (uint8_t *to, size_t size, uint64_t sequence, struct bytes key)
{
  uint8_t first = (uint8_t) (sequence * 31 + key.size * 7 + key.data[key.size - 1]);
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t) (first + i);
}

void
check_record (const struct record *record, const struct model_key *key,
              const struct model_version *version)
{
  CHECK (bytes_equal (record->key, model_bytes (key)));
  CHECK_INT (record->sequence, version->sequence);
  CHECK_INT (record->expiry, version->expiry);
  CHECK_INT (record->kind, version->kind);
  CHECK_INT (record->value.size, version->value_size);
  uint8_t first = (uint8_t) (version->sequence * 31 + key->size * 7 + key->data[key->size - 1]);
  for (size_t i = 0; i < version->value_size; i++)
    CHECK (record->value.data[i] == (uint8_t) (first + i));
}

static uint8_t key_buffer[INTERNAL_KEY_SIZE_MAX];

void
put_number (uint8_t *to, uint64_t number)
{
  for (int i = 0; i < 8; i++)
    to[i] = (uint8_t) (number >> (56 - 8 * i));
}

struct bytes
make_key (struct random *random, enum key_family family, uint64_t step)
{
  static const uint8_t alphabet[] = { 0, 1, 0x7f, 0x80, 0xff };
  uint8_t *to = key_buffer;
  size_t size;
  memcpy (to, "\0\0\0\1", 4);
  switch (family)
    {
    case FAMILY_TINY:
      size = 5 + random_below (random, 7);
      for (size_t i = 4; i < size; i++)
        to[i] = alphabet[random_below (random, sizeof alphabet)];
      return BYTES (to, size);
    case FAMILY_DECIMAL:
      snprintf ((char *) to + 4, 32, "user%08u", (unsigned) random_below (random, 20000));
      return BYTES (to, 4 + 12);
    case FAMILY_PREFIXED:
      memset (to + 4, 'p', 200);
      size = 204 + random_below (random, 6);
      for (size_t i = 204; i < size; i++)
        to[i] = (uint8_t) random_below (random, 7);
      return BYTES (to, size);
    case FAMILY_STORES:
      to[3] = (uint8_t) (1 + step % 3);
      put_number (to + 4, random_below (random, 10) == 0 ? random_below (random, step + 1) : step);
      return BYTES (to, 12);
    case FAMILY_FALLING:
      put_number (to + 4, UINT64_MAX - step);
      return BYTES (to, 12);
    case FAMILY_HUGE:
      size = INTERNAL_KEY_SIZE_MAX - random_below (random, 3);
      memset (to + 4, 'h', size - 4);
      to[size - 1] = (uint8_t) random_below (random, 9);
      to[size / 2] = (uint8_t) ('a' + random_below (random, 5));
      return BYTES (to, size);
    default:
      put_number (to + 4, random_next (random) % 4000 * UINT64_C (0x9e3779b97f4a7c15));
      return BYTES (to, 12);
    }
}
