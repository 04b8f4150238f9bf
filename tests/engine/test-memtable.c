/* SPDX-License-Identifier: MIT */
/* The contract of memtable.h: against a sorted array, beside a writer, at its limits. */
#include "memtable-trial.h"

#include "memtable/memtable-private.h"

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

/* ---- a long rising row, whose entries are put off (H4) ---- */

static void
check_numbers (struct memtable *table, uint64_t count, uint64_t overwritten)
{
  for (uint64_t number = 0; number <= count + 1; number++)
    {
      uint8_t key[12] = { 0, 0, 0, 1 };
      put_number (key + 4, 2 * number);
      struct record record;
      uint64_t expected = number == 0 || number > count                ? 0
                          : number % 100 == 0 && number <= overwritten ? count + number
                                                                       : number;
      bool found
          = memtable_get (table, BYTES (key, 12), key_hash (BYTES (key, 12)), UINT64_MAX, &record);
      CHECK_INT (found ? record.sequence : 0, expected);
      put_number (key + 4, 2 * number + 1);
      CHECK_INT (memtable_newest (table, BYTES (key, 12), key_hash (BYTES (key, 12))), 0);
    }
}

/* Puts even numbers in a row, then overwrites some, then has the rest put into buckets. */
static void
test_put_off (void)
{
  enum
  {
    KEYS = PUT_OFF_AFTER + 3000
  };
  struct memtable *table = new_table ();
  uint8_t key[12] = { 0, 0, 0, 1 };
  for (uint64_t number = 1; number <= KEYS; number++)
    {
      put_number (key + 4, 2 * number);
      put (table, BYTES (key, 12), BYTES_NONE, number);
    }
  size_t put_off = table->put_off_count;
  CHECK (put_off > 2900 && put_off <= 3000 && table->put_off && !table->wanted);
  CHECK_INT (table->hashed + put_off, KEYS);
  check_numbers (table, KEYS, 0);
  CHECK (table->wanted && table->put_off_count == put_off); /* a reader puts none into buckets */

  for (uint64_t number = 100; number <= KEYS; number += 100)
    {
      put_number (key + 4, 2 * number);
      put (table, BYTES (key, 12), BYTES_NONE, KEYS + number);
      CHECK_INT (table->put_off_count, put_off - CATCH_UP * number / 100);
      CHECK_INT (table->hashed + table->put_off_count, KEYS); /* an overwrite is no new entry */
    }
  check_numbers (table, KEYS, KEYS);
  unsigned turns = 0;
  while (memtable_catch_up (table))
    turns++;
  CHECK (turns >= 9 && turns <= 11);
  CHECK (table->put_off_count == 0 && !table->put_off && table->hashed > KEYS - 10);
  CHECK (!memtable_catch_up (table));
  atomic_store (&table->wanted, false);
  check_numbers (table, KEYS, KEYS);
  CHECK (!table->wanted); /* nobody had to ask the tree */

  /* The row goes on: more are put off, until somebody looks for a key that is in no bucket. */
  for (uint64_t number = KEYS + 1; number <= KEYS + PUT_OFF_AFTER + 200; number++)
    {
      put_number (key + 4, 2 * number);
      put (table, BYTES (key, 12), BYTES_NONE, 3 * KEYS + number);
    }
  put_off = table->put_off_count;
  CHECK (put_off >= 190);
  CHECK_INT (memtable_newest (table, BYTES (key, 12), key_hash (BYTES (key, 12))),
             4 * KEYS + PUT_OFF_AFTER + 200);
  CHECK (table->wanted);
  for (uint64_t number = KEYS + PUT_OFF_AFTER + 201; table->put_off_count > 0; number++)
    {
      size_t before = table->put_off_count;
      put_number (key + 4, 2 * number);
      put (table, BYTES (key, 12), BYTES_NONE, 3 * KEYS + number);
      CHECK_INT (table->put_off_count, before > CATCH_UP ? before - CATCH_UP : 0);
    }
  CHECK (!table->put_off);
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

/* A span has its first key and not its end; a range delete likewise. `expected` 0: no change. */
static void
check_change (struct memtable *table, uint8_t first, uint8_t end, uint64_t since, uint8_t expected)
{
  uint8_t from[5] = { 0, 0, 0, 1, first }, to[5] = { 0, 0, 0, 1, end };
  struct bytes bound = BYTES (to, 5), changed;
  CHECK_INT (memtable_changed_since (table, BYTES (from, 5), &bound, since, &changed),
             expected != 0);
  if (expected != 0)
    CHECK (changed.size == 5 && changed.data[4] == expected);
}

static void
test_changed_at_bounds (void)
{
  struct memtable *table = new_table ();
  for (uint8_t i = 1; i <= 5; i++)
    {
      uint8_t key[5] = { 0, 0, 0, 1, i };
      put (table, BYTES (key, 5), BYTES_NONE, i);
    }
  for (uint8_t i = 1; i <= 5; i++)
    {
      check_change (table, i, i + 1, i - 1u, i);
      check_change (table, i, i + 1, i, 0);
      check_change (table, i, i + 2, i, i < 5 ? i + 1 : 0);
      check_change (table, i, i, 0, 0);
    }
  uint8_t start[5] = { 0, 0, 0, 1, 20 }, end[5] = { 0, 0, 0, 1, 30 };
  CHECK_OK (memtable_reserve (table, 0, 0, 1, 10, &failure));
  memtable_delete_range (table, &(struct range_delete){ BYTES (start, 5), BYTES (end, 5), 6 });
  check_change (table, 10, 20, 5, 0);
  check_change (table, 10, 21, 5, 20);
  check_change (table, 20, 21, 5, 20);
  check_change (table, 25, 26, 5, 25);
  check_change (table, 29, 40, 5, 29);
  check_change (table, 30, 40, 5, 0);
  check_change (table, 20, 30, 6, 0);
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

/* ---- readers beside the writer ---- */

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
  test_put_off ();
  test_changed_far_back ();
  test_changed_at_bounds ();
  test_many_ranges ();
  test_reserve_covers ();
  test_reserve_too_much ();
  test_no_memory ();
  test_arenas_are_reused ();
  test_rising_rows ();
  test_large_value ();
  test_steps ();
  test_concurrency ();
  memtable_pool_free (pool);
  CHECK_INT (ledger_total (&ledger), 0);
  return 0;
}
