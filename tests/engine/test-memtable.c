/* SPDX-License-Identifier: MIT */
/* The contract of memtable.h: against a sorted array, beside a writer, at its limits. */
#include "memtable/memtable.h"

#include "base/coding.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/random.h"
#include "memtable/memtable-node.h"

#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define ARENA_SIZE ((size_t) 8 << 20)

static struct failure failure;
static struct ledger ledger;
static struct memtable_pool *pool;

static struct memtable *
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

static void
put (struct memtable *table, struct bytes key, struct bytes value, uint64_t sequence)
{
  put_hashed (table, key, value, sequence, key_hash (key));
}

/* ---- head search ---- */

static int
compare_heads (const void *a, const void *b)
{
  int32_t left = *(const int32_t *) a;
  int32_t right = *(const int32_t *) b;
  return (left > right) - (left < right);
}

static void
test_head_search (void)
{
  struct random random = { 1 };
  head_search scalar = head_search_for (CPU_SCALAR);
  for (int round = 0; round < 4000; round++)
    {
      uint32_t heads[64];
      unsigned count = (unsigned) random_below (&random, LEAF_CAPACITY + 1);
      unsigned bits = 1 + (unsigned) random_below (&random, 32);
      for (unsigned i = 0; i < 64; i++)
        heads[i] = (uint32_t) (random_next (&random) >> (64 - bits)) ^ UINT32_C (0x80000000);
      qsort (heads, count, sizeof *heads, compare_heads);
      for (int probe = 0; probe < 16; probe++)
        {
          uint32_t head = (uint32_t) (random_next (&random) >> (64 - bits)) ^ UINT32_C (0x80000000);
          if (count > 0 && probe < 8)
            head = heads[random_below (&random, count)] + (uint32_t) (probe % 3) - 1;
          unsigned below = 0;
          unsigned through = 0;
          for (unsigned i = 0; i < count; i++)
            {
              below += (int32_t) heads[i] < (int32_t) head;
              through += (int32_t) heads[i] <= (int32_t) head;
            }
          for (int level = CPU_SCALAR; level <= (int) cpu_level (); level++)
            {
              struct head_span span = head_search_for ((enum cpu_level) level) (heads, count, head);
              CHECK_INT (span.below, below);
              CHECK_INT (span.through, through);
            }
          CHECK_INT (scalar (heads, count, head).below, below);
        }
    }
}

/* ---- the model ---- */

struct model_version
{
  uint64_t sequence;
  uint64_t expiry;
  enum record_kind kind;
  size_t value_size;
};

struct model_key
{
  uint8_t *data;
  size_t size;
  size_t version_count; /* oldest first */
  struct model_version *versions;
};

struct model_range
{
  struct bytes start;
  struct bytes end;
  uint64_t sequence;
};

struct model
{
  struct model_key *keys; /* sorted */
  size_t key_count;
  struct model_range *ranges;
  size_t range_count;
  uint64_t sequence; /* newest */
};

static struct bytes
model_bytes (const struct model_key *key)
{
  return BYTES (key->data, key->size);
}

/* Number of keys below `key`. */
static size_t
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

static struct model_key *
model_find (const struct model *model, struct bytes key)
{
  size_t index = model_lower (model, key);
  if (index < model->key_count && bytes_equal (model_bytes (&model->keys[index]), key))
    return &model->keys[index];
  return NULL;
}

static uint8_t *
copy_bytes (struct bytes bytes)
{
  uint8_t *copy = malloc (bytes.size + 1);
  memcpy (copy, bytes.data, bytes.size);
  return copy;
}

static void
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

static void
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

/* A value is told from others by every byte of it. */
static void
fill_value (uint8_t *to, size_t size, uint64_t sequence, struct bytes key)
{
  uint8_t first = (uint8_t) (sequence * 31 + key.size * 7 + key.data[key.size - 1]);
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t) (first + i);
}

static void
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

/* ---- keys of several kinds ---- */

enum key_family
{
  FAMILY_TINY,     /* prefixes of each other, zero bytes */
  FAMILY_DECIMAL,  /* user00000123 */
  FAMILY_PREFIXED, /* 200 bytes in common, suffixes from empty */
  FAMILY_STORES,   /* rising numbers in three stores */
  FAMILY_FALLING,  /* falling numbers */
  FAMILY_HUGE,     /* up to the longest */
  FAMILY_BINARY,   /* 16 random bytes */
  FAMILIES,
};

static uint8_t key_buffer[INTERNAL_KEY_SIZE_MAX];

static void
put_number (uint8_t *to, uint64_t number)
{
  for (int i = 0; i < 8; i++)
    to[i] = (uint8_t) (number >> (56 - 8 * i));
}

static struct bytes
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

/* ---- model test ---- */

struct model_run
{
  struct memtable *table;
  struct model model;
  struct random random;
  enum key_family family;
  uint64_t step;      /* grows with each key made */
  unsigned hash_bits; /* of the hash that are used: few make long chains */
};

static uint64_t
run_hash (const struct model_run *run, struct bytes key)
{
  uint64_t hash = key_hash (key);
  return run->hash_bits >= 64 ? hash : hash & ((UINT64_C (1) << run->hash_bits) - 1);
}

static struct bytes
run_key (struct model_run *run)
{
  return make_key (&run->random, run->family, run->step++);
}

/* One commit: some range deletes, then distinct puts and deletes, reserved together. */
static void
run_commit (struct model_run *run, size_t records, size_t ranges)
{
  static uint8_t value[5000];
  uint64_t sequence = ++run->model.sequence;
  size_t value_max = random_below (&run->random, 50) == 0 ? 5000 : 60;
  CHECK_OK (memtable_reserve (run->table, records, records * (INTERNAL_KEY_SIZE_MAX + value_max),
                              ranges, ranges * 2 * INTERNAL_KEY_SIZE_MAX, &failure));
  for (size_t i = 0; i < ranges; i++)
    {
      struct bytes key = run_key (run);
      struct bytes a = BYTES (copy_bytes (key), key.size);
      key = run_key (run);
      struct bytes b = BYTES (copy_bytes (key), key.size);
      int order = bytes_compare (a, b);
      if (order == 0)
        {
          free ((void *) a.data);
          free ((void *) b.data);
          continue;
        }
      struct model_range range = { order < 0 ? a : b, order < 0 ? b : a, sequence };
      struct range_delete deletion = { range.start, range.end, sequence };
      memtable_delete_range (run->table, &deletion);
      run->model.ranges
          = realloc (run->model.ranges, (run->model.range_count + 1) * sizeof *run->model.ranges);
      run->model.ranges[run->model.range_count++] = range;
    }
  for (size_t i = 0; i < records; i++)
    {
      struct record record = { .key = run_key (run), .sequence = sequence };
      struct model_key *known = model_find (&run->model, record.key);
      if (known != NULL && known->versions[known->version_count - 1].sequence == sequence)
        continue;
      record.kind = (enum record_kind) random_below (&run->random, 3);
      record.expiry = random_below (&run->random, 8) == 0 ? random_next (&run->random) | 1 : 0;
      size_t size = record.kind == RECORD_DELETE ? 0 : random_below (&run->random, value_max + 1);
      fill_value (value, size, sequence, record.key);
      record.value = BYTES (value, size);
      memtable_insert (run->table, run_hash (run, record.key), &record);
      model_insert (&run->model, &record);
    }
}

static void
check_get (struct model_run *run, struct bytes key, uint64_t snapshot)
{
  struct record record;
  const struct model_key *known = model_find (&run->model, key);
  bool found = memtable_get (run->table, key, run_hash (run, key), snapshot, &record);
  size_t index = known != NULL ? known->version_count : 0;
  while (index > 0 && known->versions[index - 1].sequence > snapshot)
    index--;
  CHECK_INT (found, index > 0);
  if (found)
    check_record (&record, known, &known->versions[index - 1]);
  uint64_t newest = known != NULL ? known->versions[known->version_count - 1].sequence : 0;
  CHECK_INT (memtable_newest (run->table, key, run_hash (run, key)), newest);
}

static uint64_t
model_cover (const struct model *model, struct bytes key, uint64_t snapshot)
{
  uint64_t newest = 0;
  for (size_t i = 0; i < model->range_count; i++)
    {
      const struct model_range *range = &model->ranges[i];
      if (range->sequence <= snapshot && range->sequence > newest
          && bytes_compare (range->start, key) <= 0 && bytes_compare (key, range->end) < 0)
        newest = range->sequence;
    }
  return newest;
}

static void
check_changed (struct model_run *run, struct bytes start, const struct bytes *end, uint64_t since)
{
  const struct model *model = &run->model;
  struct bytes first;
  bool changed = false;
  for (size_t i = model_lower (model, start); i < model->key_count && !changed; i++)
    {
      const struct model_key *key = &model->keys[i];
      if (end != NULL && bytes_compare (model_bytes (key), *end) >= 0)
        break;
      if (key->versions[key->version_count - 1].sequence > since)
        {
          changed = true;
          first = model_bytes (key);
        }
    }
  for (size_t i = 0; i < model->range_count; i++)
    {
      const struct model_range *range = &model->ranges[i];
      struct bytes from = bytes_compare (range->start, start) < 0 ? start : range->start;
      if (range->sequence <= since || bytes_compare (from, range->end) >= 0
          || (end != NULL && bytes_compare (from, *end) >= 0))
        continue;
      if (!changed || bytes_compare (from, first) < 0)
        first = from;
      changed = true;
    }
  struct bytes found;
  CHECK_INT (memtable_changed_since (run->table, start, end, since, &found), changed);
  if (changed)
    CHECK (bytes_equal (found, first));
}

static void
check_points (struct model_run *run, unsigned rounds)
{
  for (unsigned i = 0; i < rounds; i++)
    {
      struct bytes key = run_key (run);
      if (run->model.key_count > 0 && i % 2 == 0)
        key = model_bytes (&run->model.keys[random_below (&run->random, run->model.key_count)]);
      uint64_t snapshot = random_below (&run->random, run->model.sequence + 2);
      check_get (run, key, snapshot);
      check_get (run, key, UINT64_MAX);
      CHECK_INT (memtable_cover (run->table, key, snapshot),
                 model_cover (&run->model, key, snapshot));

      struct bytes start = BYTES (copy_bytes (key), key.size);
      struct bytes end = run_key (run);
      uint64_t since = run->model.sequence - random_below (&run->random, 4);
      if (i % 3 == 0)
        since = snapshot;
      check_changed (run, start, i % 4 == 0 ? NULL : &end, since);
      free ((void *) start.data);
    }
}

/* From the record at (key, version) on, `steps` in one direction. */
static void
check_walk (struct model_run *run, struct source *source, size_t index, size_t version,
            size_t steps, bool forward)
{
  const struct model *model = &run->model;
  for (size_t step = 0; step < steps; step++)
    {
      if (index >= model->key_count)
        {
          CHECK (!source->valid);
          return;
        }
      CHECK (source->valid);
      const struct model_key *key = &model->keys[index];
      check_record (&source->record, key, &key->versions[version]);
      if (forward)
        {
          CHECK_OK (source_next (source, &failure));
          if (version-- == 0)
            {
              index++;
              version = index < model->key_count ? model->keys[index].version_count - 1 : 0;
            }
        }
      else
        {
          CHECK_OK (source_previous (source, &failure));
          if (++version == key->version_count)
            {
              index--; /* wraps to SIZE_MAX: no key */
              version = 0;
            }
        }
    }
}

static void
check_source (struct model_run *run, unsigned seeks)
{
  struct source *source;
  const struct model *model = &run->model;
  CHECK_OK (memtable_source_new (run->table, &source, &failure));
  CHECK (!source->valid);
  size_t last = model->key_count - 1;
  CHECK_OK (source_first (source, &failure));
  check_walk (run, source, 0, model->keys[0].version_count - 1, SIZE_MAX, true);
  CHECK_OK (source_last (source, &failure));
  check_walk (run, source, last, 0, SIZE_MAX, false);
  for (unsigned i = 0; i < seeks; i++)
    {
      struct bytes key = run_key (run);
      if (i % 2 == 0)
        key = model_bytes (&model->keys[random_below (&run->random, model->key_count)]);
      size_t index = model_lower (model, key);
      size_t version = index < model->key_count ? model->keys[index].version_count - 1 : 0;
      CHECK_OK (source_seek (source, key, &failure));
      check_walk (run, source, index, version, 90, true);
      CHECK_OK (source_seek_before (source, key, &failure));
      check_walk (run, source, index - 1, 0, 90, false);
      /* Turning round. */
      CHECK_OK (source_seek (source, key, &failure));
      if (source->valid && index > 0)
        {
          CHECK_OK (source_previous (source, &failure));
          check_walk (run, source, index - 1, 0, 3, false);
        }
    }
  source_release (source);
}

static void
check_range_set (struct model_run *run)
{
  struct range_set *set;
  CHECK_OK (memtable_range_deletes (run->table, &set, &failure));
  CHECK_INT (set != NULL, run->model.range_count > 0);
  for (int i = 0; i < 50 && set != NULL; i++)
    {
      struct bytes key = run_key (run);
      uint64_t snapshot = random_below (&run->random, run->model.sequence + 2);
      CHECK_INT (range_set_cover (set, key, snapshot), model_cover (&run->model, key, snapshot));
    }
  range_set_unref (set);
}

static void
check_statistics (struct model_run *run)
{
  struct memtable_statistics statistics;
  memtable_statistics (run->table, &statistics);
  uint64_t records = 0;
  uint64_t deletes = 0;
  uint64_t data_bytes = 0;
  for (size_t i = 0; i < run->model.range_count; i++)
    data_bytes += run->model.ranges[i].start.size + run->model.ranges[i].end.size;
  for (size_t i = 0; i < run->model.key_count; i++)
    for (size_t j = 0; j < run->model.keys[i].version_count; j++)
      {
        records++;
        data_bytes += run->model.keys[i].size + run->model.keys[i].versions[j].value_size;
        deletes += run->model.keys[i].versions[j].kind == RECORD_DELETE;
      }
  CHECK_INT (statistics.records, records);
  CHECK_INT (statistics.deletes, deletes);
  CHECK_INT (statistics.range_deletes, run->model.range_count);
  CHECK_INT (statistics.memory, memtable_memory (run->table));
  CHECK_INT (statistics.data_bytes, data_bytes);
  CHECK (!memtable_is_empty (run->table));
}

static void
run_model (enum key_family family, uint64_t seed, unsigned hash_bits)
{
  struct model_run run
      = { .table = new_table (), .random = { seed }, .family = family, .hash_bits = hash_bits };
  CHECK (memtable_is_empty (run.table));
  unsigned commits = family == FAMILY_HUGE ? 60 : SANITIZED ? 300 : 900;
  for (unsigned i = 0; i < commits; i++)
    {
      size_t records = i % 10 == 0 ? random_below (&run.random, 60) : 1;
      size_t ranges = i % 16 == 3 ? 1 + random_below (&run.random, 3) : 0;
      run_commit (&run, family == FAMILY_HUGE ? records % 8 : records, ranges);
      if (i % 100 == 50)
        {
          check_points (&run, 40);
          check_source (&run, 10);
          check_range_set (&run);
        }
    }
  memtable_freeze (run.table);
  check_points (&run, 200);
  check_source (&run, 50);
  check_range_set (&run);
  check_statistics (&run);
  model_clear (&run.model);
  memtable_unref (run.table);
}

static void
test_model (void)
{
  for (int family = 0; family < FAMILIES; family++)
    for (uint64_t seed = 1; seed <= (SANITIZED ? 1 : 3); seed++)
      run_model ((enum key_family) family, seed * 977 + (uint64_t) family, 64);
}

/* Hashes that collide: overflow buckets, then buckets the tree has to complete. */
static void
test_colliding_hashes (void)
{
  run_model (FAMILY_BINARY, 5, 0);
  run_model (FAMILY_BINARY, 6, 3);
  run_model (FAMILY_DECIMAL, 7, 8);
}

/* The same answers whatever the processor can do. */
static void
test_processor_levels (void)
{
  for (int level = CPU_SCALAR; level <= CPU_AVX512; level++)
    {
      cpu_limit ((enum cpu_level) level);
      run_model (FAMILY_DECIMAL, 11, 64);
    }
  cpu_limit (CPU_AVX512);
}

/* ---- empty ---- */

static void
test_empty (void)
{
  struct memtable *table = new_table ();
  struct bytes key = BYTES_LITERAL ("\0\0\0\1k");
  struct record record;
  struct bytes changed;
  struct range_set *set;
  struct source *source;
  CHECK (!memtable_get (table, key, key_hash (key), UINT64_MAX, &record));
  CHECK_INT (memtable_newest (table, key, key_hash (key)), 0);
  CHECK_INT (memtable_cover (table, key, UINT64_MAX), 0);
  CHECK (!memtable_changed_since (table, BYTES_NONE, NULL, 0, &changed));
  CHECK_OK (memtable_range_deletes (table, &set, &failure));
  CHECK (set == NULL);
  CHECK_OK (memtable_source_new (table, &source, &failure));
  CHECK_OK (source_first (source, &failure));
  CHECK (!source->valid);
  CHECK_OK (source_last (source, &failure));
  CHECK (!source->valid);
  CHECK_OK (source_seek (source, key, &failure));
  CHECK (!source->valid);
  CHECK_OK (source_seek_before (source, key, &failure));
  CHECK (!source->valid);
  source_release (source);
  memtable_unref (table);
}

/* ---- one key, very often ---- */

static void
test_hot_key (void)
{
  enum
  {
    VERSIONS = 20000
  };
  struct memtable *table = new_table ();
  struct bytes key = BYTES_LITERAL ("\0\0\0\1counter");
  struct record record;
  for (uint64_t sequence = 1; sequence <= VERSIONS; sequence++)
    put (table, key, BYTES (&sequence, sizeof sequence), sequence * 2);
  for (uint64_t snapshot = 2; snapshot <= 2 * VERSIONS + 1; snapshot += 7)
    {
      uint64_t value;
      CHECK (memtable_get (table, key, key_hash (key), snapshot, &record));
      CHECK_INT (record.sequence, snapshot / 2 * 2);
      memcpy (&value, record.value.data, sizeof value);
      CHECK_INT (value, snapshot / 2);
    }
  CHECK (!memtable_get (table, key, key_hash (key), 1, &record));

  struct source *source;
  CHECK_OK (memtable_source_new (table, &source, &failure));
  CHECK_OK (source_last (source, &failure));
  for (uint64_t sequence = 1; sequence <= VERSIONS; sequence++)
    {
      CHECK (source->valid);
      CHECK_INT (source->record.sequence, sequence * 2);
      CHECK_OK (source_previous (source, &failure));
    }
  CHECK (!source->valid);
  source_release (source);
  memtable_unref (table);
}

/* ---- what changed, when the journal is longer than what is read of it ---- */

static void
test_changed_far_back (void)
{
  enum
  {
    KEYS = 30000
  };
  struct memtable *table = new_table ();
  uint8_t key[12] = { 0, 0, 0, 1 };
  struct bytes changed;
  for (uint64_t i = 1; i <= KEYS; i++)
    {
      put_number (key + 4, i);
      put (table, BYTES (key, 12), BYTES_NONE, i);
    }
  uint8_t from[12] = { 0, 0, 0, 1 };
  uint8_t to[12] = { 0, 0, 0, 1 };
  put_number (from + 4, 1);
  for (uint64_t since = 0; since <= KEYS; since += 997)
    {
      CHECK (memtable_changed_since (table, BYTES (from, 12), NULL, since, &changed)
             == (since < KEYS));
      put_number (key + 4, since + 1);
      if (since < KEYS)
        CHECK (bytes_equal (changed, BYTES (key, 12)));
      struct bytes end = BYTES (to, 12);
      put_number (to + 4, since + 1);
      CHECK (!memtable_changed_since (table, BYTES (from, 12), &end, since, &changed));
      put_number (to + 4, since + 2);
      CHECK (memtable_changed_since (table, BYTES (from, 12), &end, since, &changed)
             == (since < KEYS));
    }
  memtable_unref (table);
}

/* ---- many range deletes ---- */

static void
test_many_ranges (void)
{
  enum
  {
    RANGES = 5000
  };
  struct memtable *table = new_table ();
  uint8_t start[12] = { 0, 0, 0, 1 };
  uint8_t end[12] = { 0, 0, 0, 1 };
  for (uint64_t i = 1; i <= RANGES; i++)
    {
      put_number (start + 4, i * 10);
      put_number (end + 4, i * 10 + 15); /* half of it overlaps the next one */
      CHECK_OK (memtable_reserve (table, 0, 0, 1, 24, &failure));
      memtable_delete_range (table,
                             &(struct range_delete){ BYTES (start, 12), BYTES (end, 12), i });
    }
  for (uint64_t number = 0; number < RANGES * 10 + 20; number += 3)
    {
      put_number (start + 4, number);
      uint64_t newest
          = number / 10 > RANGES ? (number < RANGES * 10 + 15 ? RANGES : 0) : number / 10;
      CHECK_INT (memtable_cover (table, BYTES (start, 12), UINT64_MAX), newest);
      if (newest > 1 && number / 10 <= RANGES && number % 10 < 5)
        CHECK_INT (memtable_cover (table, BYTES (start, 12), newest - 1), newest - 1);
    }
  struct memtable_statistics statistics;
  memtable_statistics (table, &statistics);
  CHECK_INT (statistics.range_deletes, RANGES);
  CHECK_INT (statistics.last_sequence, RANGES);
  CHECK (!memtable_is_empty (table));
  memtable_unref (table);
}

/* ---- limits ---- */

/* Rows in rising order, which are recognised without a search, that run into keys that are there:
 * the next one, the last one again, one further back. */
static void
test_rising_rows (void)
{
  struct memtable *table = new_table ();
  struct memtable_statistics statistics;
  struct random random = { 44 };
  uint64_t sequence = 0, last[4000] = { 0 };
  uint8_t key[8];
  for (unsigned row = 0; row < 600; row++)
    {
      uint64_t number = random_below (&random, 4000), step = 1 + random_below (&random, 3);
      for (unsigned i = 0; i < 24 && number < 4000; i++, number += step)
        {
          uint64_t again = i > 12 && random_below (&random, 4) == 0 ? random_below (&random, 4) : 0;
          uint64_t chosen = number - (again * step <= number ? again * step : 0);
          store_u64 (key, __builtin_bswap64 (chosen));
          put (table, BYTES (key, 8), BYTES (key, 8), ++sequence);
          last[chosen] = sequence;
        }
    }
  memtable_statistics (table, &statistics);
  CHECK_INT (statistics.records, sequence);

  struct source *source;
  size_t keys = 0, versions = 0;
  for (unsigned i = 0; i < 4000; i++)
    {
      store_u64 (key, __builtin_bswap64 ((uint64_t) i));
      CHECK_INT (memtable_newest (table, BYTES (key, 8), key_hash (BYTES (key, 8))), last[i]);
      keys += last[i] != 0;
    }
  CHECK_OK (memtable_source_new (table, &source, &failure));
  uint64_t before = UINT64_MAX;
  CHECK_OK (source_first (source, &failure));
  while (source->valid)
    {
      uint64_t number = load_u64_big (source->record.key.data);
      keys -= number != before;
      before = number;
      versions++;
      CHECK_OK (source_next (source, &failure));
    }
  CHECK_INT (keys, 0);
  CHECK_INT (versions, sequence);
  source_release (source);
  memtable_unref (table);
}

static void
test_large_value (void)
{
  struct memtable *table = new_table ();
  struct bytes key = BYTES_LITERAL ("\0\0\0\1large");
  size_t size = (size_t) 80 << 20;
  uint8_t *value = malloc (size);
  struct record record;
  memset (value, 0x5a, size);
  put (table, key, BYTES (value, size), 1);
  CHECK (memtable_get (table, key, key_hash (key), 1, &record));
  CHECK (bytes_equal (record.value, BYTES (value, size)));
  CHECK (ledger_used (&ledger, LEDGER_MEMTABLE) >= (int64_t) size);
  free (value);
  memtable_unref (table);
  epoch_collect (true);
  /* The pool keeps an arena, but not one of that size. */
  CHECK (ledger_used (&ledger, LEDGER_MEMTABLE) < (int64_t) (4 * ARENA_SIZE));
}

static void
test_reserve_too_much (void)
{
  struct memtable *table = new_table ();
  size_t memory = memtable_memory (table);
  int64_t charged = ledger_used (&ledger, LEDGER_MEMTABLE);
  CHECK_FAILS (memtable_reserve (table, SIZE_MAX, 1, 0, 0, &failure), STATUS_NO_MEMORY);
  CHECK_FAILS (memtable_reserve (table, 1, SIZE_MAX, 0, 0, &failure), STATUS_NO_MEMORY);
  CHECK_FAILS (memtable_reserve (table, 1, 1, SIZE_MAX / 2, 0, &failure), STATUS_NO_MEMORY);
  CHECK_FAILS (memtable_reserve (table, 1, 1, 1, (size_t) 1 << 40, &failure), STATUS_NO_MEMORY);
  CHECK (failure.message[0] != '\0');
  CHECK_INT (memtable_memory (table), memory);
  CHECK_INT (ledger_used (&ledger, LEDGER_MEMTABLE), charged);
  put (table, BYTES_LITERAL ("\0\0\0\1k"), BYTES_NONE, 1);
  memtable_unref (table);
}

/* The system refuses memory: the table is as it was, and goes on when there is some. */
static void
check_little_memory (void)
{
  struct memtable *table = new_table ();
  struct bytes key = BYTES_LITERAL ("\0\0\0\1k");
  struct rlimit old;
  struct record record;
  put (table, key, BYTES_LITERAL ("v"), 1);
  getrlimit (RLIMIT_DATA, &old);
  setrlimit (RLIMIT_DATA, &(struct rlimit){ 1 << 20, old.rlim_max });
  CHECK_FAILS (memtable_reserve (table, 1, (size_t) 64 << 20, 0, 0, &failure), STATUS_NO_MEMORY);
  CHECK (memtable_get (table, key, key_hash (key), 1, &record));
  setrlimit (RLIMIT_DATA, &old);
  CHECK_OK (memtable_reserve (table, 1, (size_t) 64 << 20, 0, 0, &failure));
  memtable_unref (table);
}

/* Less address space than an arena asks for at first, then next to none. */
static void
check_little_address_space (void)
{
  struct rlimit old;
  struct memtable *table;
  struct memtable_pool *small;
  CHECK_OK (memtable_pool_new (&ledger, ARENA_SIZE, &small, &failure));
  getrlimit (RLIMIT_AS, &old);
  setrlimit (RLIMIT_AS, &(struct rlimit){ (rlim_t) 48 << 30, old.rlim_max });
  size_t made = 0;
  struct memtable *tables[16];
  while (made < 16 && memtable_new (small, &table, NULL) == STATUS_OK)
    {
      put (table, BYTES_LITERAL ("\0\0\0\1k"), BYTES_LITERAL ("v"), 1);
      tables[made++] = table;
    }
  CHECK (made > 2);
  while (made > 0)
    memtable_unref (tables[--made]);
  epoch_collect (true);
  memtable_pool_trim (small);

  /* The memtables of a database leave most of a limit to threads' stacks and everything else. */
  setrlimit (RLIMIT_AS, &(struct rlimit){ (rlim_t) 2 << 30, old.rlim_max });
  while (made < 4 && memtable_new (small, &tables[made], NULL) == STATUS_OK)
    made++;
  CHECK_INT (made, 4);
  size_t rest = (size_t) 1 << 30;
  void *other = mmap (NULL, rest, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK (other != MAP_FAILED);
  munmap (other, rest);
  setrlimit (RLIMIT_AS, &(struct rlimit){ 1 << 20, old.rlim_max });
  CHECK_FAILS (memtable_new (small, &table, &failure), STATUS_NO_MEMORY);
  setrlimit (RLIMIT_AS, &old);
  while (made > 0)
    memtable_unref (tables[--made]);
  memtable_pool_free (small);
}

static void
test_no_memory (void)
{
  if (SANITIZED)
    return;
  epoch_collect (true);
  memtable_pool_trim (pool);
  pid_t child = fork ();
  if (child == 0)
    {
      check_little_address_space ();
      check_little_memory ();
      _exit (0);
    }
  int result;
  CHECK (waitpid (child, &result, 0) == child);
  CHECK_INT (result, 0);
}

/* M3 at its narrowest: one large reserve, inserts in the orders that split most. */
static void
test_reserve_covers (void)
{
  enum
  {
    KEYS = 20000
  };
  for (int order = 0; order < 4; order++)
    {
      struct memtable *table = new_table ();
      struct random random = { 3 };
      for (unsigned round = 0; round < 4; round++)
        {
          CHECK_OK (memtable_reserve (table, KEYS, KEYS * 12, 0, 0, &failure));
          for (uint64_t i = 0; i < KEYS; i++)
            {
              uint8_t key[12] = { 0, 0, 0, 1 };
              uint64_t number = order == 0   ? i * 4 + round
                                : order == 1 ? (KEYS - i) * 4 + round
                                : order == 2 ? random_next (&random)
                                             : i % 10 * 1000000 + i / 10 * 4 + round;
              put_number (key + 4, number);
              struct record record = { .key = BYTES (key, 12), .sequence = round * KEYS + i + 1 };
              memtable_insert (table, key_hash (record.key), &record);
            }
        }
      struct memtable_statistics statistics;
      memtable_statistics (table, &statistics);
      CHECK_INT (statistics.records, 4 * KEYS);
      memtable_unref (table);
    }
}

static void
test_arenas_are_reused (void)
{
  epoch_collect (true);
  memtable_pool_trim (pool);
  CHECK_INT (ledger_used (&ledger, LEDGER_MEMTABLE), 0);
  for (int round = 0; round < 20; round++)
    {
      struct memtable *table = new_table ();
      struct record record;
      uint8_t key[12] = { 0, 0, 0, 1 };
      for (uint64_t i = 0; i < 2000; i++)
        {
          put_number (key + 4, i * 7919 % 2000 + (uint64_t) round);
          put (table, BYTES (key, 12), BYTES (key, 12), i + 1);
        }
      for (uint64_t i = 0; i < 2100; i++)
        {
          put_number (key + 4, i);
          CHECK_INT (memtable_get (table, BYTES (key, 12), key_hash (BYTES (key, 12)), UINT64_MAX,
                                   &record),
                     i >= (uint64_t) round && i < (uint64_t) round + 2000);
        }
      memtable_unref (table);
      epoch_collect (true);
    }
  CHECK (ledger_used (&ledger, LEDGER_MEMTABLE) > 0);
  CHECK (ledger_used (&ledger, LEDGER_MEMTABLE) < (int64_t) (3 * ARENA_SIZE));
  memtable_pool_trim (pool);
  CHECK_INT (ledger_used (&ledger, LEDGER_MEMTABLE), 0);
}

/* ---- readers beside the writer ---- */

/* Commit s writes key s for the first time and, when s is a multiple of 3, key s / 3 again. So at
 * snapshot p there are just the keys 1 … p, and key j was last written by 3 j if that is <= p. */
#define READERS 3

struct concurrency
{
  struct memtable *table;
  _Atomic uint64_t published; /* newest commit readers may ask for */
  uint64_t commits;           /* in all */
  int order;                  /* how keys lie: 0 rising, 1 falling, 2 scattered */
  atomic_uint scans;          /* finished by readers */
  pthread_barrier_t start;    /* of the writer and all readers */
};

static struct bytes
concurrent_key (const struct concurrency *test, uint64_t number, uint8_t to[12])
{
  uint64_t place = test->order == 0   ? number
                   : test->order == 1 ? UINT64_MAX - number
                                      : number * UINT64_C (0x9e3779b97f4a7c15);
  memcpy (to, "\0\0\0\1", 4);
  put_number (to + 4, place);
  return BYTES (to, 12);
}

static uint64_t
expected_sequence (uint64_t number, uint64_t snapshot)
{
  return number * 3 <= snapshot ? number * 3 : number;
}

static void
check_concurrent_record (const struct record *record, uint64_t snapshot)
{
  uint64_t number;
  CHECK_INT (record->value.size, sizeof number);
  memcpy (&number, record->value.data, sizeof number);
  CHECK_INT (record->sequence, expected_sequence (number, snapshot));
}

/* All keys visible at `snapshot`, each once, in order, at the right version. */
static void
concurrent_scan (struct concurrency *test, uint64_t snapshot, bool forward)
{
  struct source *source;
  struct failure reader_failure = FAILURE_INIT;
  CHECK (memtable_source_new (test->table, &source, &reader_failure) == STATUS_OK);
  CHECK ((forward ? source_first : source_last) (source, &reader_failure) == STATUS_OK);
  uint64_t seen = 0;
  struct bytes key = BYTES_NONE;
  struct record best = { .sequence = 0 };
  for (;;)
    {
      bool new_key = !source->valid || key.data != source->record.key.data;
      if (new_key && best.sequence != 0)
        {
          check_concurrent_record (&best, snapshot);
          seen++;
          best.sequence = 0;
        }
      if (!source->valid)
        break;
      if (new_key && key.data != NULL)
        CHECK ((bytes_compare (key, source->record.key) < 0) == forward);
      key = source->record.key;
      if (source->record.sequence <= snapshot && source->record.sequence > best.sequence)
        best = source->record;
      CHECK ((forward ? source_next : source_previous) (source, &reader_failure) == STATUS_OK);
    }
  CHECK_INT (seen, snapshot);
  source_release (source);
  atomic_fetch_add (&test->scans, 1);
}

static void *
concurrent_reader (void *data)
{
  struct concurrency *test = data;
  struct random random = { (uint64_t) (uintptr_t) &random };
  pthread_barrier_wait (&test->start);
  for (bool last = false; !last;)
    {
      uint64_t snapshot = atomic_load_explicit (&test->published, memory_order_acquire);
      last = snapshot == test->commits;
      for (int i = 0; i < 200 && snapshot > 0; i++)
        {
          uint8_t buffer[12];
          struct record record;
          uint64_t number = 1 + random_below (&random, snapshot);
          struct bytes key = concurrent_key (test, number, buffer);
          CHECK (memtable_get (test->table, key, key_hash (key), snapshot, &record));
          check_concurrent_record (&record, snapshot);
          CHECK (memtable_newest (test->table, key, key_hash (key)) >= record.sequence);
          key = concurrent_key (test, test->commits + 1 + number, buffer);
          CHECK (!memtable_get (test->table, key, key_hash (key), snapshot, &record));
        }
      concurrent_scan (test, snapshot, random_below (&random, 2) == 0);
      uint8_t buffer[12];
      struct bytes changed;
      struct bytes key = concurrent_key (test, 1 + random_below (&random, test->commits), buffer);
      memtable_changed_since (test->table, key, NULL, snapshot, &changed);
      memtable_cover (test->table, key, snapshot);
      struct range_set *set;
      CHECK (memtable_range_deletes (test->table, &set, NULL) == STATUS_OK);
      range_set_unref (set);
    }
  return NULL;
}

static void
concurrent_write (struct concurrency *test)
{
  pthread_barrier_wait (&test->start);
  for (uint64_t sequence = 1; sequence <= test->commits; sequence++)
    {
      uint8_t buffer[12];
      put (test->table, concurrent_key (test, sequence, buffer), BYTES (&sequence, sizeof sequence),
           sequence);
      uint64_t again = sequence / 3;
      if (sequence % 3 == 0)
        put (test->table, concurrent_key (test, again, buffer), BYTES (&again, sizeof again),
             sequence);
      if (sequence % 50 == 0)
        {
          CHECK_OK (memtable_reserve (test->table, 0, 0, 1, 10, &failure));
          memtable_delete_range (test->table,
                                 &(struct range_delete){ BYTES_LITERAL ("\0\0\0\2a"),
                                                         BYTES_LITERAL ("\0\0\0\2b"), sequence });
        }
      atomic_store_explicit (&test->published, sequence, memory_order_release);
      /* On few processors, too, readers are to meet the writer on its way. */
      if (sequence % 512 == 0)
        sched_yield ();
      while (sequence > test->commits / 2 && atomic_load (&test->scans) < READERS)
        sched_yield ();
    }
}

static void
test_concurrency (void)
{
  for (int order = 0; order < 3; order++)
    {
      struct concurrency test
          = { .table = new_table (), .commits = SANITIZED ? 8000 : 60000, .order = order };
      pthread_t readers[READERS];
      pthread_barrier_init (&test.start, NULL, READERS + 1);
      for (int i = 0; i < READERS; i++)
        CHECK (pthread_create (&readers[i], NULL, concurrent_reader, &test) == 0);
      concurrent_write (&test);
      for (int i = 0; i < READERS; i++)
        pthread_join (readers[i], NULL);
      pthread_barrier_destroy (&test.start);
      memtable_unref (test.table);
    }
}

int
main (void)
{
  ledger.budget = (uint64_t) 64 << 20;
  CHECK_OK (memtable_pool_new (&ledger, ARENA_SIZE, &pool, &failure));
  test_head_search ();
  test_empty ();
  test_model ();
  test_colliding_hashes ();
  test_processor_levels ();
  test_hot_key ();
  test_changed_far_back ();
  test_many_ranges ();
  test_reserve_covers ();
  test_reserve_too_much ();
  test_no_memory ();
  test_arenas_are_reused ();
  test_rising_rows ();
  test_large_value ();
  test_concurrency ();
  memtable_pool_free (pool);
  CHECK_INT (ledger_total (&ledger), 0);
  return 0;
}
