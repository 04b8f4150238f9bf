/* SPDX-License-Identifier: MIT */
#include "oracle.h"

#include "check.h"
#include "sorted-keys.h"

/* ---- pools ---- */

static const char *const prefixes[]
    = { "", "a", "user:", "user:profile:", "org.example.Application/settings/window/", "\xff\xff" };

static struct bytes
make_key (struct random *random, unsigned giant)
{
  static const uint8_t alphabet[] = { 0, 'a', 'b', 'c', '0', '1', 0xfe, 0xff };
  size_t size = 0, capacity = giant > 0 ? KEY_SIZE_MAX : 420;
  uint8_t *data = malloc (capacity);
  CHECK (data != NULL);
  if (giant > 0)
    {
      /* Long keys that differ late: at a page's size, far beyond it, and at the very limit. */
      static const size_t sizes[] = { 1000, 4000, 5000, 16000, 40000, KEY_SIZE_MAX };
      size = sizes[giant % 6] - random_below (random, 3);
      memset (data, 'g', size);
      data[size - 1 - random_below (random, size / 2)] = (uint8_t) random_next (random);
      return BYTES (data, size);
    }
  unsigned shape = (unsigned) random_below (random, 16);
  if (shape == 0) /* a long common prefix */
    {
      size = 300;
      memset (data, 'p', size);
    }
  const char *prefix = prefixes[random_below (random, 6)];
  memcpy (data + size, prefix, strlen (prefix));
  size += strlen (prefix);
  if (shape < 8)
    size += (size_t) sprintf ((char *) data + size, "%06llu",
                              (unsigned long long) random_below (random, 1000000));
  else
    for (size_t more = 1 + random_below (random, 9); more > 0; more--)
      data[size++] = alphabet[random_below (random, sizeof alphabet)];
  return BYTES (data, size);
}

/* "k" and "k\0" are neighbours with nothing between: they would have one position. */
static bool
is_successor (struct bytes key, struct bytes of)
{
  return key.size == of.size + 1 && key.data[of.size] == 0 && bytes_has_prefix (key, of);
}

static void
make_values (struct oracle *oracle, struct random *random)
{
  oracle->values = malloc (ORACLE_POOL_SIZE);
  CHECK (oracle->values != NULL);
  for (size_t i = 0; i < ORACLE_POOL_SIZE;)
    {
      bool plain = random_below (random, 2) == 0;
      size_t length = 16 + random_below (random, 400);
      for (; length > 0 && i < ORACLE_POOL_SIZE; length--, i++)
        oracle->values[i]
            = plain ? (uint8_t) "lightning "[i % 10] : (uint8_t) (random_next (random) >> 9);
    }
}

void
oracle_init (struct oracle *oracle, struct random *random, size_t keys, unsigned giants)
{
  *oracle = (struct oracle){ .keys = malloc ((keys + giants) * sizeof *oracle->keys) };
  CHECK (oracle->keys != NULL);
  size_t made = 0;
  for (; made < keys; made++)
    oracle->keys[made] = make_key (random, 0);
  for (unsigned i = 1; i <= giants; i++)
    oracle->keys[made++] = make_key (random, i);
  sorted_keys_sort (oracle->keys, made);
  size_t kept = 0;
  for (size_t i = 0; i < made; i++)
    if (kept > 0
        && (bytes_equal (oracle->keys[kept - 1], oracle->keys[i])
            || is_successor (oracle->keys[i], oracle->keys[kept - 1])))
      free ((void *) oracle->keys[i].data);
    else
      oracle->keys[kept++] = oracle->keys[i];
  oracle->count = (position) kept;
  make_values (oracle, random);
}

static void
forget_versions (struct oracle_version *version)
{
  while (version != NULL)
    {
      struct oracle_version *older = version->older;
      free (version);
      version = older;
    }
}

static void
store_clear (struct oracle *oracle, struct oracle_store *store)
{
  for (position i = 0; i < oracle->count && store->used; i++)
    forget_versions (store->newest[i]);
  free (store->newest);
  free (store->present);
  *store = (struct oracle_store){ .used = false };
}

void
oracle_clear (struct oracle *oracle)
{
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    store_clear (oracle, &oracle->stores[i]);
  for (position i = 0; i < oracle->count; i++)
    free ((void *) oracle->keys[i].data);
  free (oracle->keys);
  free (oracle->values);
  free (oracle->history.list);
}

struct bytes
oracle_key (const struct oracle *oracle, position at)
{
  return at < 0 || at >= 2 * oracle->count ? BYTES_NONE : oracle->keys[at / 2];
}

struct bytes
oracle_bytes (const struct oracle *oracle, struct oracle_value value)
{
  return BYTES (oracle->values + value.offset, value.size);
}

struct oracle_store *
oracle_store_new (struct oracle *oracle, const char *name, engine_store id)
{
  struct oracle_store *store = oracle->stores;
  while (store < oracle->stores + ORACLE_STORES_MAX && store->used)
    store++;
  CHECK (store < oracle->stores + ORACLE_STORES_MAX);
  *store = (struct oracle_store){ .used = true, .id = id };
  snprintf (store->name, sizeof store->name, "%s", name);
  store->newest = calloc ((size_t) oracle->count, sizeof *store->newest);
  store->present = calloc ((size_t) oracle->count / 64 + 1, sizeof *store->present);
  CHECK (store->newest != NULL && store->present != NULL);
  return store;
}

/* ---- writing ---- */

void
oracle_note (struct oracle_intervals *intervals, uint64_t sequence, engine_store store,
             position from, position to)
{
  if (intervals->count == intervals->room)
    {
      intervals->room = intervals->room > 0 ? 2 * intervals->room : 64;
      intervals->list = realloc (intervals->list, intervals->room * sizeof *intervals->list);
      CHECK (intervals->list != NULL);
    }
  intervals->list[intervals->count++] = (struct oracle_interval){ sequence, store, from, to };
}

void
oracle_write_add (struct oracle_writes *writes, struct oracle_store *store, bool range,
                  position from, position to, struct oracle_value value)
{
  CHECK (writes->count < ORACLE_WRITES_MAX);
  writes->list[writes->count++] = (struct oracle_write){ store, range, from, to, value };
}

/* Drops the versions of one key that nobody can see. */
static void
prune_key (const struct oracle *oracle, struct oracle_store *store, position rank)
{
  struct oracle_version *version = store->newest[rank];
  while (version != NULL && version->sequence > oracle->oldest)
    version = version->older;
  if (version == NULL)
    return;
  forget_versions (version->older);
  version->older = NULL;
  if (version != store->newest[rank] || version->value.size != ORACLE_ABSENT)
    return;
  free (version);
  store->newest[rank] = NULL;
  store->present[rank / 64] &= ~(UINT64_C (1) << (rank % 64));
}

static void
set (const struct oracle *oracle, struct oracle_store *store, position rank,
     struct oracle_value value, uint64_t sequence)
{
  struct oracle_version *newest = store->newest[rank];
  if (newest != NULL && newest->sequence == sequence)
    {
      newest->value = value;
      return;
    }
  struct oracle_version *version = malloc (sizeof *version);
  CHECK (version != NULL);
  *version = (struct oracle_version){ newest, sequence, value };
  store->newest[rank] = version;
  store->present[rank / 64] |= UINT64_C (1) << (rank % 64);
  prune_key (oracle, store, rank);
}

/* The next rank from `rank` on (below `bound`) that has any version; `bound` when none. */
static position
next_present (const struct oracle_store *store, position rank, position bound)
{
  while (rank < bound)
    {
      uint64_t word = store->present[rank / 64] >> (rank % 64);
      if (word != 0)
        {
          rank += __builtin_ctzll (word);
          return rank < bound ? rank : bound;
        }
      rank = (rank / 64 + 1) * 64;
    }
  return bound;
}

static position
previous_present (const struct oracle_store *store, position rank, position bound)
{
  while (rank > bound)
    {
      uint64_t word = store->present[rank / 64] << (63 - rank % 64);
      if (word != 0)
        {
          rank -= __builtin_clzll (word);
          return rank > bound ? rank : bound;
        }
      rank = rank / 64 * 64 - 1;
    }
  return bound;
}

static position
first_rank (position at)
{
  return at <= 0 ? 0 : (at + 1) / 2;
}

void
oracle_commit (struct oracle *oracle, const struct oracle_writes *writes, uint64_t sequence)
{
  CHECK (sequence == oracle->sequence + 1);
  oracle->sequence = sequence;
  struct oracle_value absent = { ORACLE_ABSENT, 0 };
  for (size_t i = 0; i < writes->count; i++)
    {
      const struct oracle_write *write = &writes->list[i];
      oracle_note (&oracle->history, sequence, write->store->id, write->from,
                   write->range ? write->to : write->from + 1);
      if (!write->range)
        {
          set (oracle, write->store, write->from / 2, write->value, sequence);
          continue;
        }
      position bound = first_rank (write->to);
      for (position rank = next_present (write->store, first_rank (write->from), bound);
           rank < bound; rank = next_present (write->store, rank + 1, bound))
        if (write->store->newest[rank]->value.size != ORACLE_ABSENT)
          set (oracle, write->store, rank, absent, sequence);
    }
}

bool
oracle_changed (const struct oracle *oracle, engine_store store, position from, position to,
                uint64_t since)
{
  for (size_t i = oracle->history.count; i > 0; i--)
    {
      const struct oracle_interval *change = &oracle->history.list[i - 1];
      if (change->sequence <= since)
        return false;
      position start = change->from > from ? change->from : from;
      position end = change->to < to ? change->to : to;
      if (change->store == store && start < end)
        return true;
    }
  return false;
}

/* ---- reading ---- */

static const struct oracle_write *
own_write (const struct oracle_store *store, const struct oracle_writes *own, position rank)
{
  for (size_t i = own != NULL ? own->count : 0; i > 0; i--)
    {
      const struct oracle_write *write = &own->list[i - 1];
      bool hit = write->range ? write->from <= 2 * rank && 2 * rank < write->to
                              : write->from == 2 * rank;
      if (write->store == store && hit)
        return write;
    }
  return NULL;
}

bool
oracle_is_own (const struct oracle_store *store, const struct oracle_writes *own, position rank)
{
  return own_write (store, own, rank) != NULL;
}

struct oracle_value
oracle_get (const struct oracle_store *store, const struct oracle_writes *own, position rank,
            uint64_t sequence, uint64_t *sequence_out)
{
  struct oracle_value absent = { ORACLE_ABSENT, 0 };
  const struct oracle_write *write = own_write (store, own, rank);
  *sequence_out = 0;
  if (write != NULL)
    return write->range ? absent : write->value;
  const struct oracle_version *version = store->newest[rank];
  while (version != NULL && version->sequence > sequence)
    version = version->older;
  if (version == NULL)
    return absent;
  *sequence_out = version->sequence;
  return version->value;
}

static bool
is_visible (const struct oracle_store *store, const struct oracle_writes *own, position rank,
            uint64_t sequence)
{
  uint64_t ignored;
  return oracle_get (store, own, rank, sequence, &ignored).size != ORACLE_ABSENT;
}

position
oracle_next (const struct oracle *oracle, const struct oracle_store *store,
             const struct oracle_writes *own, position rank, position bound, uint64_t sequence)
{
  bound = bound < oracle->count ? bound : oracle->count;
  for (; rank < bound; rank++)
    {
      position next = next_present (store, rank, bound);
      for (size_t i = 0; own != NULL && i < own->count; i++)
        {
          const struct oracle_write *write = &own->list[i];
          if (write->store == store && !write->range && write->from / 2 >= rank
              && write->from / 2 < next)
            next = write->from / 2;
        }
      rank = next;
      if (rank < bound && is_visible (store, own, rank, sequence))
        return rank;
    }
  return -1;
}

position
oracle_previous (const struct oracle *oracle, const struct oracle_store *store,
                 const struct oracle_writes *own, position rank, position bound, uint64_t sequence)
{
  (void) oracle;
  bound = bound > -1 ? bound : -1;
  for (; rank > bound; rank--)
    {
      position next = previous_present (store, rank, bound);
      for (size_t i = 0; own != NULL && i < own->count; i++)
        {
          const struct oracle_write *write = &own->list[i];
          if (write->store == store && !write->range && write->from / 2 <= rank
              && write->from / 2 > next)
            next = write->from / 2;
        }
      rank = next;
      if (rank > bound && is_visible (store, own, rank, sequence))
        return rank;
    }
  return -1;
}

/* ---- forgetting ---- */

void
oracle_prune (struct oracle *oracle, bool keep_history)
{
  for (unsigned i = 0; i < ORACLE_STORES_MAX; i++)
    {
      struct oracle_store *store = &oracle->stores[i];
      if (!store->used)
        continue;
      if (store->dropped && store->dropped_at <= oracle->oldest)
        {
          store_clear (oracle, store);
          continue;
        }
      for (position rank = next_present (store, 0, oracle->count); rank < oracle->count;
           rank = next_present (store, rank + 1, oracle->count))
        prune_key (oracle, store, rank);
    }
  if (!keep_history)
    oracle->history.count = 0;
}
