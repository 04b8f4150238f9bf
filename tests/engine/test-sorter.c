/* SPDX-License-Identifier: MIT */
/*
 * The sorter against a stable sort of the C library's, over keys of all the shapes that its groups
 * take: families of names, keys that are prefixes of others, zeros at the end, the same ones again
 * and again, keys that differ late, each one byte further than the last.
 */
#include "base/random.h"
#include "check.h"
#include "merge/sorter.h"

#include <stdlib.h>

#define KEY_MOST 700u
#define RECORDS_MOST 20000u

static struct failure failure;
static struct ledger ledger = { .budget = UINT64_C (64) << 20 };

struct expected
{
  uint8_t key[KEY_MOST];
  size_t size;
  uint32_t number; /* of the addition; also its sequence and value */
};

static struct expected *expected; /* RECORDS_MOST of them */

/* The last one that was added first. */
static int
compare (const void *left, const void *right)
{
  const struct expected *a = left, *b = right;
  int order = bytes_compare (BYTES (a->key, a->size), BYTES (b->key, b->size));
  return order != 0 ? order : (a->number < b->number) - (a->number > b->number);
}

/* ---- keys ---- */

enum shape
{
  SHAPE_NUMBERS,  /* 16 digits, most of them the same */
  SHAPE_FAMILIES, /* few long beginnings, short ends */
  SHAPE_PREFIXES, /* each a beginning of another, or with zeros behind it */
  SHAPE_FEW,      /* a handful of keys */
  SHAPE_ONE,
  SHAPE_RISING,
  SHAPE_LONG, /* different in one byte, somewhere */
  SHAPE_RANDOM,
  SHAPES,
};

static void
make_key (struct expected *out, enum shape shape, uint32_t number, struct random *random)
{
  static const char *const families[] = { "user:profile:", "user:", "u", "user:profile:picture:" };
  char text[64];
  size_t size = 0;
  memset (out->key, 0, sizeof out->key);
  switch (shape)
    {
    case SHAPE_NUMBERS:
      size = (size_t) snprintf (text, sizeof text, "%016llu",
                                (unsigned long long) random_below (random, 100000));
      break;
    case SHAPE_FAMILIES:
      size = (size_t) snprintf (text, sizeof text, "%s%llu", families[random_below (random, 4)],
                                (unsigned long long) random_below (random, 5000));
      break;
    case SHAPE_PREFIXES:
      size = 1 + random_below (random, 24);
      memset (text, 'a', size);
      for (size_t i = size - random_below (random, size + 1); i < size; i++)
        text[i] = 0;
      break;
    case SHAPE_FEW:
      size = (size_t) snprintf (text, sizeof text, "%llu",
                                (unsigned long long) random_below (random, 5));
      break;
    case SHAPE_ONE:
      size = (size_t) snprintf (text, sizeof text, "the one and only");
      break;
    case SHAPE_RISING:
      size = (size_t) snprintf (text, sizeof text, "%08u", number / 2);
      break;
    case SHAPE_LONG:
      out->size = 600;
      memset (out->key, 'b', out->size);
      out->key[random_below (random, 600)] = (uint8_t) ('a' + random_below (random, 2));
      return;
    case SHAPE_RANDOM:
      size = 1 + random_below (random, 40);
      for (size_t i = 0; i < size; i++)
        text[i] = (char) random_below (random, 256);
      break;
    case SHAPES:
      break;
    }
  memcpy (out->key, text, size);
  out->size = size;
}

/* ---- the trial ---- */

static void
add (struct sorter *sorter, const struct expected *item)
{
  struct record record = {
    .key = BYTES (item->key, item->size),
    .value = BYTES (&item->number, item->number % 7 == 0 ? 0 : sizeof item->number),
    .sequence = item->number,
    .kind = item->number % 7 == 0 ? RECORD_DELETE : RECORD_PUT,
  };
  CHECK_OK (sorter_add (sorter, &record, &failure));
}

static void
check_record (const struct record *record, const struct expected *item)
{
  CHECK (bytes_equal (record->key, BYTES (item->key, item->size)));
  CHECK_INT (record->sequence, item->number);
  CHECK_INT (record->kind, item->number % 7 == 0 ? RECORD_DELETE : RECORD_PUT);
  CHECK_INT (record->value.size, item->number % 7 == 0 ? 0 : sizeof item->number);
  if (record->value.size > 0)
    CHECK (memcmp (record->value.data, &item->number, sizeof item->number) == 0);
}

/* `sorted`: the first `count` of what is expected, as it should come. */
static void
check_order (struct sorter *sorter, const struct expected *sorted, size_t count)
{
  struct source *source;
  CHECK_OK (sorter_source_new (sorter, &source, &failure));
  CHECK_OK (source_first (source, &failure));
  for (size_t i = 0; i < count; i++)
    {
      CHECK (source->valid);
      check_record (&source->record, &sorted[i]);
      CHECK_OK (source_next (source, &failure));
    }
  CHECK (!source->valid);
  source_release (source);
}

static void
try_shape (enum shape shape, size_t count, struct random *random)
{
  struct expected *sorted = malloc ((count + 1) * sizeof *sorted);
  struct sorter *sorter;
  size_t first = random_below (random, count + 1); /* it is read there, and goes on */
  int64_t before = ledger_total (&ledger);
  CHECK_OK (sorter_new (&ledger, &sorter, &failure));
  CHECK (sorter_is_empty (sorter));
  for (unsigned half = 0; half < 2; half++)
    {
      size_t end = half == 0 ? first : count;
      for (size_t i = half == 0 ? 0 : first; i < end; i++)
        {
          expected[i].number = (uint32_t) i + 1;
          make_key (&expected[i], shape, (uint32_t) i, random);
          add (sorter, &expected[i]);
        }
      memcpy (sorted, expected, end * sizeof *sorted);
      qsort (sorted, end, sizeof *sorted, compare);
      check_order (sorter, sorted, end);
    }
  CHECK_INT (ledger_total (&ledger) - before, sorter_memory (sorter));
  CHECK (sorter_is_empty (sorter) == (count == 0));
  sorter_clear (sorter);
  CHECK (sorter_is_empty (sorter));
  check_order (sorter, NULL, 0);
  sorter_free (sorter);
  CHECK_INT (ledger_total (&ledger), before);
  free (sorted);
}

static void
test_order (void)
{
  static const size_t counts[] = { 0, 1, 2, 3, 95, 96, 97, 300, 5000, RECORDS_MOST };
  struct random random = { .state = 1 };
  for (unsigned shape = 0; shape < SHAPES; shape++)
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
      if (shape != SHAPE_LONG || counts[i] <= 5000)
        try_shape ((enum shape) shape, counts[i], &random);
}

static void
test_ranges (void)
{
  struct sorter *sorter;
  struct range_set *set;
  CHECK_OK (sorter_new (&ledger, &sorter, &failure));
  CHECK_OK (sorter_range_deletes (sorter, &set, &failure));
  CHECK (set == NULL);
  for (unsigned i = 0; i < 1000; i++)
    {
      char start[16], end[16];
      snprintf (start, sizeof start, "%04u", i);
      snprintf (end, sizeof end, "%04u", i + 2);
      struct range_delete range = { BYTES (start, 4), BYTES (end, 4), i + 1 };
      CHECK_OK (sorter_add_range (sorter, &range, &failure));
    }
  CHECK (!sorter_is_empty (sorter));
  CHECK_INT (sorter_data_bytes (sorter), 8000);
  CHECK_OK (sorter_range_deletes (sorter, &set, &failure));
  CHECK_INT (range_set_delete_count (set), 1000);
  CHECK_INT (range_set_cover (set, BYTES_LITERAL ("0500"), SEQUENCE_MAX), 501);
  CHECK_INT (range_set_cover (set, BYTES_LITERAL ("0500"), 500), 500);
  range_set_unref (set);
  sorter_free (sorter);
}

/* What two sources walk, from one record on and up to it, is all there is. */
static void
test_seek (void)
{
  struct random random = { .state = 3 };
  struct sorter *sorter;
  struct source *source;
  CHECK_OK (sorter_new (&ledger, &sorter, &failure));
  for (uint32_t number = 0; number < 3000; number++)
    {
      make_key (&expected[number], SHAPE_NUMBERS, number, &random);
      expected[number].number = number;
      add (sorter, &expected[number]);
    }
  qsort (expected, 3000, sizeof *expected, compare);
  CHECK_OK (sorter_source_new (sorter, &source, &failure));
  CHECK_INT (sorter_count (sorter), 3000);
  for (uint32_t i = 0; i < 3000; i++)
    {
      struct bytes key = BYTES (expected[i].key, expected[i].size);
      bool is_first
          = i == 0 || !bytes_equal (key, BYTES (expected[i - 1].key, expected[i - 1].size));
      CHECK (bytes_equal (sorter_key (sorter, i), key));
      CHECK_OK (source_seek (source, key, &failure));
      if (is_first) /* else an earlier one with this key */
        check_record (&source->record, &expected[i]);
      CHECK (bytes_equal (source->record.key, key));
      CHECK_OK (source_seek (source, BYTES (key.data, key.size - 1), &failure));
      CHECK (bytes_compare (source->record.key, key) <= 0);
    }
  CHECK_OK (source_seek (source, BYTES_LITERAL ("a"), &failure));
  CHECK (!source->valid);
  source_release (source);
  sorter_free (sorter);
}

/* Records of all sizes: what they take is at least what they are, and what is held not much more. */
static void
test_memory (void)
{
  static uint8_t value[5000000];
  struct random random = { .state = 2 };
  struct sorter *sorter;
  uint64_t data = 0;
  CHECK_OK (sorter_new (&ledger, &sorter, &failure));
  for (uint32_t number = 0; number < 3000; number++)
    {
      size_t most = number % 1000 == 999 ? sizeof value : number % 100 == 99 ? 300000 : 200;
      struct record record = {
        .key = BYTES (&number, sizeof number),
        .value = BYTES (value, random_below (&random, most)),
      };
      CHECK_OK (sorter_add (sorter, &record, &failure));
      data += sizeof number + record.value.size;
      CHECK_INT (sorter_data_bytes (sorter), data);
      CHECK (sorter_used (sorter) >= data + (number + 1) * 48);
      CHECK (sorter_used (sorter) <= sorter_memory (sorter));
      CHECK (sorter_memory (sorter) <= 2 * sorter_used (sorter) + sizeof value);
    }
  sorter_free (sorter);
}

int
main (void)
{
  expected = calloc (RECORDS_MOST, sizeof *expected);
  test_order ();
  test_ranges ();
  test_seek ();
  test_memory ();
  free (expected);
  return 0;
}
