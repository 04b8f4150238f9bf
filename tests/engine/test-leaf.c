/* SPDX-License-Identifier: MIT */
/* Leaf pages, inner pages and the flat index, each against the obvious way to do the same. */
#include "base/hash.h"
#include "base/random.h"
#include "check.h"
#include "segment/flat-index.h"
#include "segment/inner.h"
#include "segment/leaf.h"

#define TRAILER 8u

static struct failure failure;

/* ---- keys ---- */

struct key
{
  uint8_t data[64];
  size_t size;
};

static struct bytes
bytes_of (const struct key *key)
{
  return BYTES (key->data, key->size);
}

static int
compare_keys (const void *a, const void *b)
{
  return bytes_compare (bytes_of (a), bytes_of (b));
}

/* Few letters and short lengths: many shared prefixes, prefixes of one another, zero bytes. */
static struct key
random_key (struct random *random, unsigned flavour)
{
  struct key key = { .size = 0 };
  if (flavour % 3 == 0)
    {
      memcpy (key.data, "\0\0\0\1common/prefix/of/all/", 25);
      key.size = 25;
    }
  size_t more
      = (key.size == 0 ? STORE_ID_SIZE + 1 : 1) + random_below (random, flavour % 2 == 0 ? 6 : 24);
  for (size_t i = 0; i < more; i++)
    key.data[key.size++] = (uint8_t) random_below (random, flavour % 5 == 0 ? 3 : 256);
  return key;
}

static size_t
random_keys (struct random *random, unsigned flavour, struct key *keys, size_t count)
{
  for (size_t i = 0; i < count; i++)
    keys[i] = random_key (random, flavour);
  qsort (keys, count, sizeof *keys, compare_keys);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (kept == 0 || compare_keys (&keys[kept - 1], &keys[i]) != 0)
      keys[kept++] = keys[i];
  return kept;
}

/* ---- tags ---- */

static void
test_tags (void)
{
  struct random random = { 7 };
  enum cpu_level best = cpu_level ();
  for (unsigned round = 0; round < 2000; round++)
    {
      uint8_t tags[64 + 3];
      uint8_t tag = (uint8_t) random_next (&random);
      for (size_t i = 0; i < sizeof tags; i++)
        tags[i]
            = random_below (&random, 4) == 0 ? tag : (uint8_t) (tag ^ random_below (&random, 256));
      uint64_t expected = 0;
      const uint8_t *from = tags + round % 4;
      for (size_t i = 0; i < 64; i++)
        expected |= (uint64_t) (from[i] == tag) << i;
      for (int level = CPU_SCALAR; level <= (int) best; level++)
        CHECK (leaf_match_tags ((enum cpu_level) level, from, tag) == expected);
    }
}

/* ---- leaves ---- */

struct built_leaf
{
  uint8_t *page;
  size_t size, used;
  struct record records[4096];
  size_t count;
};

static uint8_t values[1 << 20];

/* Fills one leaf from `keys` with one to three versions each; returns how many records went in. */
static void
build_leaf (struct random *random, struct leaf_builder *builder, const struct key *keys,
            size_t count, size_t value_most, struct built_leaf *out)
{
  bool added = true;
  out->count = 0;
  for (size_t i = 0; i < count && added; i++)
    {
      uint64_t sequence = random_below (random, 3) == 0 ? 0 : random_below (random, SEQUENCE_MAX);
      for (unsigned version = 0; version < 1 + random_below (random, 3); version++)
        {
          struct record record
              = { .key = bytes_of (&keys[i]),
                  .value = BYTES (values, random_below (random, value_most + 1)),
                  .sequence = sequence,
                  .expiry = random_below (random, 4) == 0 ? random_next (random) : 0,
                  .kind = RECORD_PUT };
          if (random_below (random, 5) == 0)
            {
              record.kind = RECORD_DELETE;
              record.value = BYTES_NONE;
            }
          CHECK_OK (leaf_builder_add (builder, &record, key_tag (key_hash (record.key)), &added,
                                      &failure));
          if (!added)
            break;
          out->records[out->count++] = record;
          CHECK (bytes_equal (leaf_builder_last_key (builder), record.key));
          if (sequence == 0)
            break;
          sequence = random_below (random, sequence);
        }
    }
  out->size = builder->units * builder->page_size;
  out->page = malloc (out->size);
  leaf_builder_write (builder, out->page);
  out->used = load_u32 (out->page + 8);
  CHECK (out->used + TRAILER <= out->size);
}

static void
check_records (const struct built_leaf *leaf)
{
  struct leaf_view view = leaf_view (leaf->page);
  CHECK_INT (view.count, leaf->count);
  for (unsigned slot = 0; slot < leaf->count; slot++)
    {
      struct leaf_record found = leaf_record (&view, slot);
      const struct record *expected = &leaf->records[slot];
      CHECK (view.prefix_size + found.suffix.size == expected->key.size);
      CHECK (memcmp (view.prefix, expected->key.data, view.prefix_size) == 0);
      CHECK (bytes_equal (found.suffix,
                          BYTES (expected->key.data + view.prefix_size, found.suffix.size)));
      CHECK (bytes_equal (found.value, expected->value));
      CHECK (found.sequence == expected->sequence && found.expiry == expected->expiry);
      CHECK_INT (found.kind, expected->kind);
    }
}

static void
check_find (const struct built_leaf *leaf, struct bytes key, uint64_t snapshot)
{
  size_t expected = leaf->count, last = leaf->count;
  for (size_t slot = 0; slot < leaf->count; slot++)
    if (bytes_equal (leaf->records[slot].key, key))
      {
        last = slot;
        if (expected == leaf->count && leaf->records[slot].sequence <= snapshot)
          expected = slot;
      }
  for (int level = CPU_SCALAR; level <= (int) cpu_level (); level++)
    {
      struct record record;
      enum leaf_result result = leaf_find (leaf->page, key, key_tag (key_hash (key)), snapshot,
                                           (enum cpu_level) level, &record);
      if (expected < leaf->count)
        {
          CHECK_INT (result, LEAF_FOUND);
          CHECK (record.sequence == leaf->records[expected].sequence);
          CHECK (bytes_equal (record.value, leaf->records[expected].value));
        }
      else
        CHECK_INT (result, last + 1 == leaf->count ? LEAF_CONTINUES : LEAF_ABSENT);
    }
}

static void
check_lower_bound (const struct built_leaf *leaf, struct bytes key)
{
  struct leaf_view view = leaf_view (leaf->page);
  unsigned expected = 0;
  while (expected < leaf->count && bytes_compare (leaf->records[expected].key, key) < 0)
    expected++;
  CHECK_INT (leaf_lower_bound (&view, key), expected);
}

static void
test_leaves (void)
{
  struct random random = { 11 };
  static struct key keys[3000];
  static struct built_leaf leaf;
  static const size_t page_sizes[] = { 4096, 8192, 65536 };
  for (unsigned round = 0; round < 200; round++)
    {
      struct leaf_builder builder;
      leaf_builder_init (&builder, page_sizes[round % 3], TRAILER);
      size_t count = random_keys (&random, round, keys, 1 + random_below (&random, 3000));
      size_t value_most = round % 7 == 0 ? 200000 : round % 4 == 0 ? 3000 : 40;
      for (unsigned again = 0; again < 2; again++)
        {
          const char *reason;
          build_leaf (&random, &builder, keys, count, value_most, &leaf);
          CHECK (leaf.count >= 2 || count == 1);
          CHECK (leaf_validate (BYTES (leaf.page, leaf.used), &reason));
          check_records (&leaf);
          for (unsigned probe = 0; probe < 60; probe++)
            {
              struct key other = random_key (&random, round);
              const struct record *at = &leaf.records[random_below (&random, leaf.count)];
              check_find (&leaf, at->key, random_below (&random, 2) ? SEQUENCE_MAX : at->sequence);
              check_find (&leaf, at->key, random_below (&random, SEQUENCE_MAX));
              check_find (&leaf, bytes_of (&other), SEQUENCE_MAX);
              check_lower_bound (&leaf, at->key);
              check_lower_bound (&leaf, bytes_of (&other));
              check_lower_bound (&leaf, BYTES (other.data, random_below (&random, other.size)));
            }
          free (leaf.page);
        }
      leaf_builder_clear (&builder);
    }
}

/* Whatever the bytes: validation decides, and what it lets through is safe to search. The page is
 * allocated to the byte, so that a sanitizer sees any step outside. */
static void
test_hostile_leaves (void)
{
  struct random random = { 13 };
  static struct key keys[300];
  static struct built_leaf leaf;
  struct leaf_builder builder;
  leaf_builder_init (&builder, 4096, TRAILER);
  size_t count = random_keys (&random, 4, keys, 300);
  build_leaf (&random, &builder, keys, count, 30, &leaf);
  uint8_t *copy = malloc (leaf.used + LEAF_TAGS_PER_VECTOR);
  unsigned accepted = 0;
  for (unsigned round = 0; round < 20000; round++)
    {
      const char *reason;
      memcpy (copy, leaf.page, leaf.used);
      for (unsigned change = 0; change < 1 + random_below (&random, 3); change++)
        copy[random_below (&random, random_below (&random, 2) ? 64 : leaf.used)]
            = (uint8_t) random_next (&random);
      if (!leaf_validate (BYTES (copy, leaf.used), &reason))
        continue;
      accepted++;
      struct leaf_view view = leaf_view (copy);
      struct record record;
      uint64_t sum = 0;
      for (unsigned slot = 0; slot < view.count; slot++)
        {
          struct leaf_record found = leaf_record (&view, slot);
          for (size_t i = 0; i < found.suffix.size; i++)
            sum += found.suffix.data[i];
          for (size_t i = 0; i < found.value.size; i++)
            sum += found.value.data[i];
        }
      struct bytes key = bytes_of (&keys[random_below (&random, count)]);
      leaf_find (copy, key, key_tag (key_hash (key)), sum, cpu_level (), &record);
      CHECK (leaf_lower_bound (&view, key) <= view.count);
    }
  CHECK (accepted > 100 && accepted < 19900);
  free (copy);
  free (leaf.page);
  leaf_builder_clear (&builder);
}

static void
test_leaf_shapes (void)
{
  struct leaf_builder builder;
  const char *reason;
  bool added;
  leaf_builder_init (&builder, 4096, TRAILER);
  /* Two records always fit, however large; then the leaf is full. */
  for (unsigned i = 0; i < 3; i++)
    {
      uint8_t key[5] = { 0, 0, 0, 1, (uint8_t) i };
      struct record record = { BYTES (key, 5), BYTES (values, 300000), 9 - i, 0, RECORD_PUT };
      CHECK_OK (leaf_builder_add (&builder, &record, 1, &added, &failure));
      CHECK (added == (i < 2));
    }
  size_t size = builder.units * 4096;
  uint8_t *page = malloc (size);
  leaf_builder_write (&builder, page);
  CHECK (size >= 600000 && size < 600000 + 2 * 4096);
  CHECK (leaf_validate (BYTES (page, load_u32 (page + 8)), &reason));
  CHECK ((page[1] & PAGE_FLAG_WIDE) != 0);
  CHECK (!leaf_validate (BYTES (page, load_u32 (page + 8) - 1), &reason));
  CHECK (!leaf_validate (BYTES (page, 5), &reason));
  free (page);
  /* The longest key, alone. */
  uint8_t *key = calloc (1, INTERNAL_KEY_SIZE_MAX);
  struct record longest = { BYTES (key, INTERNAL_KEY_SIZE_MAX), BYTES_NONE, 1, 0, RECORD_DELETE };
  CHECK_OK (leaf_builder_add (&builder, &longest, 1, &added, &failure));
  size = builder.units * 4096;
  page = malloc (size);
  leaf_builder_write (&builder, page);
  CHECK (leaf_validate (BYTES (page, load_u32 (page + 8)), &reason));
  struct leaf_view view = leaf_view (page);
  CHECK_INT (view.prefix_size + leaf_record (&view, 0).suffix.size, INTERNAL_KEY_SIZE_MAX);
  free (page);
  free (key);
  /* What is no longer than a store's id is no key. */
  for (size_t key_size = STORE_ID_SIZE; key_size <= STORE_ID_SIZE + 1; key_size++)
    {
      struct record shortest = { BYTES ("\0\0\0\1k", key_size), BYTES_NONE, 1, 0, RECORD_DELETE };
      leaf_builder_clear (&builder);
      leaf_builder_init (&builder, 4096, 8);
      CHECK_OK (leaf_builder_add (&builder, &shortest, 1, &added, &failure));
      page = malloc (4096);
      leaf_builder_write (&builder, page);
      CHECK (leaf_validate (BYTES (page, load_u32 (page + 8)), &reason)
             == (key_size > STORE_ID_SIZE));
      free (page);
    }
  leaf_builder_clear (&builder);
}

/* ---- inner pages ---- */

static void
test_inner_pages (void)
{
  struct random random = { 17 };
  static struct key keys[1000];
  for (unsigned round = 0; round < 100; round++)
    {
      struct inner_list list = { 0 };
      size_t count = random_keys (&random, round, keys, 1 + random_below (&random, 1000));
      for (size_t i = 0; i < count; i++)
        {
          struct page_place place = { (UINT64_C (1) << 40) + i, (uint32_t) i, 7, 1 };
          CHECK_OK (inner_list_append (&list, &place, (uint32_t) (3 * i),
                                       i == 0 ? BYTES_NONE : bytes_of (&keys[i]), &failure));
        }
      uint8_t *page = NULL;
      size_t room = 0, done = 0;
      for (size_t at = 0; at < list.size;)
        {
          struct inner_built built;
          const char *reason;
          CHECK_OK (
              inner_build (&list, at, 1, (uint32_t) done, 4088, &page, &room, &built, &failure));
          CHECK (built.entries >= 2 || done + built.entries == count);
          CHECK (built.used <= 4088 || built.entries <= 2);
          CHECK (inner_validate (BYTES (page, built.used), &reason));
          CHECK_INT (inner_count (page), built.entries);
          CHECK_INT (built.first_leaf, 3 * done);
          for (unsigned i = 0; i < built.entries; i++)
            {
              struct inner_entry entry = inner_entry (page, i);
              CHECK_INT (entry.place.stored, done + i);
              CHECK (entry.place.offset == (UINT64_C (1) << 40) + done + i);
              CHECK_INT (inner_find_leaf (page, entry.first_leaf + 2), i);
            }
          for (unsigned probe = 0; probe < 40; probe++)
            {
              struct key other = random_key (&random, round);
              struct bytes key
                  = probe % 2 ? bytes_of (&other)
                              : bytes_of (&keys[done + random_below (&random, built.entries)]);
              unsigned expected = 0;
              while (expected + 1 < built.entries
                     && bytes_compare (bytes_of (&keys[done + expected + 1]), key) <= 0)
                expected++;
              CHECK_INT (inner_find_key (page, key), expected);
            }
          done += built.entries;
          at = built.next;
        }
      CHECK_INT (done, count);
      free (page);
      inner_list_clear (&list);
    }
}

/* ---- the flat index ---- */

static struct flat_index *
index_over (const struct key *keys, size_t count)
{
  struct bytes prefix = BYTES_NONE;
  if (count > 0)
    {
      prefix = bytes_of (&keys[0]);
      prefix.size = bytes_common_prefix (prefix, bytes_of (&keys[count - 1]));
    }
  struct flat_index *index;
  CHECK_OK (flat_index_new ((uint32_t) count, prefix, &index, &failure));
  for (size_t i = 0; i < count; i++)
    CHECK_OK (flat_index_add (index, bytes_of (&keys[i]), &failure));
  CHECK_OK (flat_index_finish (index, &failure));
  CHECK (flat_index_memory (index) >= flat_index_estimate ((uint32_t) count));
  return index;
}

/* Many are looked for in two indexes at once, of different heights. */
static void
test_flat_index (void)
{
  struct random random = { 19 };
  static struct key keys[6000];
  for (unsigned round = 0; round < 150; round++)
    {
      size_t wanted = round % 4 == 0 ? random_below (&random, 40) : random_below (&random, 6000);
      size_t count = random_keys (&random, round, keys, wanted);
      struct flat_index *index = index_over (keys, count), *part = index_over (keys, count / 50);
      struct key probes[FLAT_INDEX_BATCH];
      struct bytes batch[FLAT_INDEX_BATCH];
      struct flat_index_probe together[FLAT_INDEX_BATCH];
      uint32_t expected[FLAT_INDEX_BATCH];
      for (unsigned turn = 0; turn < 10; turn++)
        for (int level = CPU_SCALAR; level <= (int) cpu_level (); level++)
          {
            for (size_t i = 0; i < FLAT_INDEX_BATCH; i++)
              {
                probes[i] = i % 2 == 0 || count == 0 ? random_key (&random, round)
                                                     : keys[random_below (&random, count)];
                if (i % 5 == 0)
                  probes[i].size = random_below (&random, probes[i].size + 1);
                if (i % 7 == 0)
                  probes[i].data[probes[i].size++] = 0;
                if (i % 11 == 0)
                  memset (probes[i].data, 0xff, probes[i].size);
                batch[i] = bytes_of (&probes[i]);
                expected[i] = 0;
                size_t low = 0, high = count;
                while (low < high)
                  {
                    size_t middle = (low + high) / 2;
                    if (bytes_compare (bytes_of (&keys[middle]), batch[i]) <= 0)
                      low = middle + 1;
                    else
                      high = middle;
                  }
                expected[i] = (uint32_t) low;
                CHECK_INT (flat_index_find (index, batch[i], (enum cpu_level) level, NULL),
                           expected[i]);
              }
            for (size_t i = 0; i < FLAT_INDEX_BATCH; i++)
              together[i] = (struct flat_index_probe){ .index = i % 3 == 0 ? part : index,
                                                       .key = batch[i] };
            flat_index_find_many (together, FLAT_INDEX_BATCH, (enum cpu_level) level);
            for (size_t i = 0; i < FLAT_INDEX_BATCH; i++)
              CHECK_INT (together[i].found,
                         i % 3 == 0 && expected[i] > count / 50 ? count / 50 : expected[i]);
          }
      flat_index_free (index);
      flat_index_free (part);
    }
}

static void
test_flat_index_refuses (void)
{
  struct flat_index *index;
  CHECK_OK (flat_index_new (2, BYTES_LITERAL ("p"), &index, &failure));
  CHECK_FAILS (flat_index_finish (index, &failure), STATUS_INVALID);
  CHECK_OK (flat_index_add (index, BYTES_LITERAL ("pb"), &failure));
  CHECK_FAILS (flat_index_add (index, BYTES_LITERAL ("q"), &failure), STATUS_INVALID);
  CHECK_FAILS (flat_index_add (index, BYTES_LITERAL ("pa"), &failure), STATUS_INVALID);
  CHECK_OK (flat_index_add (index, BYTES_LITERAL ("pb"), &failure));
  CHECK_FAILS (flat_index_add (index, BYTES_LITERAL ("pc"), &failure), STATUS_INVALID);
  CHECK_OK (flat_index_finish (index, &failure));
  CHECK_INT (flat_index_find (index, BYTES_LITERAL ("pb"), cpu_level (), NULL), 2);
  flat_index_free (index);
}

int
main (void)
{
  for (size_t i = 0; i < sizeof values; i++)
    values[i] = (uint8_t) (i * 7 + i / 256);
  test_tags ();
  test_leaves ();
  test_hostile_leaves ();
  test_leaf_shapes ();
  test_inner_pages ();
  test_flat_index ();
  test_flat_index_refuses ();
  return 0;
}
