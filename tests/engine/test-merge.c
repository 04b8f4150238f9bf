/* SPDX-License-Identifier: MIT */
/*
 * Merges, runs and survivors against plain arrays. The array source copies each record it stands on
 * to fresh memory and poisons what it lent before, so that use after a move is seen.
 */
#include "base/random.h"
#include "check.h"
#include "merge/merge.h"

static struct failure failure;

static void
must (status code)
{
  CHECK_OK (code);
}

/* ---- arrays of records ---- */

struct item
{
  char key[12];
  char value[16]; /* says which write it was */
  uint64_t sequence;
  enum record_kind kind;
};

struct items
{
  struct item *at;
  size_t count, capacity;
};

static void
items_add (struct items *items, struct item item)
{
  if (items->count == items->capacity)
    {
      items->capacity = items->capacity * 2 + 16;
      items->at = realloc (items->at, items->capacity * sizeof *items->at);
    }
  items->at[items->count++] = item;
}

static struct bytes
key_of (const char *text)
{
  return BYTES (text, strlen (text));
}

static int
compare_items (const void *left, const void *right)
{
  const struct item *a = left, *b = right;
  int order = bytes_compare (key_of (a->key), key_of (b->key));
  return order != 0 ? order : (a->sequence < b->sequence) - (a->sequence > b->sequence);
}

static void
items_sort (struct items *items)
{
  if (items->count > 0)
    qsort (items->at, items->count, sizeof *items->at, compare_items);
}

/* Keys that are prefixes of each other too. */
static void
make_key (char to[12], struct random *random, unsigned keys)
{
  uint64_t n = random_below (random, keys);
  snprintf (to, 12, n % 5 == 0 ? "k%llu" : "k%03llu", (unsigned long long) n);
}

/* ---- the array source ---- */

struct array_source
{
  struct source source;
  struct items items; /* borrowed */
  size_t at;          /* items.count: not valid */
  uint8_t *lent;      /* copy of the current key and value */
  long *failing;      /* counts down over all calls; fails at 0; may be NULL */
};

static status
array_stand (struct array_source *array, size_t at, struct failure *f)
{
  free (array->lent);
  array->lent = NULL;
  array->source.valid = false;
  array->at = at;
  if (array->failing != NULL && (*array->failing)-- == 0)
    return fail (f, STATUS_IO, "stopped by the test");
  if (at >= array->items.count)
    return STATUS_OK;
  const struct item *item = &array->items.at[at];
  size_t key = strnlen (item->key, sizeof item->key);
  size_t value = strnlen (item->value, sizeof item->value);
  array->lent = malloc (key + value + 1);
  memcpy (array->lent, item->key, key);
  memcpy (array->lent + key, item->value, value);
  array->source.record = (struct record){
    .key = BYTES (array->lent, key),
    .value = BYTES (array->lent + key, value),
    .sequence = item->sequence,
    .kind = item->kind,
  };
  array->source.valid = true;
  return STATUS_OK;
}

static size_t
lower_bound (const struct items *items, struct bytes key)
{
  size_t i = 0;
  while (i < items->count && bytes_compare (key_of (items->at[i].key), key) < 0)
    i++;
  return i;
}

static struct array_source *
array_of (struct source *source)
{
  return (struct array_source *) source;
}

static status
array_seek (struct source *source, struct bytes key, struct failure *f)
{
  return array_stand (array_of (source), lower_bound (&array_of (source)->items, key), f);
}

static status
array_seek_before (struct source *source, struct bytes key, struct failure *f)
{
  return array_stand (array_of (source), lower_bound (&array_of (source)->items, key) - 1, f);
}

static status
array_first (struct source *source, struct failure *f)
{
  return array_stand (array_of (source), 0, f);
}

static status
array_last (struct source *source, struct failure *f)
{
  return array_stand (array_of (source), array_of (source)->items.count - 1, f);
}

static status
array_next (struct source *source, struct failure *f)
{
  CHECK (source->valid);
  return array_stand (array_of (source), array_of (source)->at + 1, f);
}

static status
array_previous (struct source *source, struct failure *f)
{
  CHECK (source->valid);
  return array_stand (array_of (source), array_of (source)->at - 1, f);
}

static void
array_release (struct source *source)
{
  free (array_of (source)->lent);
  free (source);
}

static const struct source_operations array_operations = {
  array_seek, array_seek_before, array_first, array_last, array_next, array_previous, array_release,
};

static struct source *
array_source_new (struct items items, long *failing)
{
  struct array_source *array = calloc (1, sizeof *array);
  array->source.operations = &array_operations;
  array->items = items;
  array->failing = failing;
  return &array->source;
}

/* ---- walking a source beside a model ---- */

static void
check_at (const struct source *source, const struct items *model, size_t at)
{
  CHECK (source->valid == (at < model->count));
  if (!source->valid)
    return;
  const struct item *item = &model->at[at];
  CHECK (bytes_equal (source->record.key, key_of (item->key)));
  CHECK (bytes_equal (source->record.value, key_of (item->value)));
  CHECK (source->record.sequence == item->sequence && source->record.kind == item->kind);
}

/* Random moves; `turns`: one in so many moves changes direction. */
static void
walk (struct source *source, const struct items *model, struct random *random, int moves,
      unsigned keys)
{
  size_t at = SIZE_MAX;
  bool back = false;
  for (int i = 0; i < moves; i++)
    {
      char key[12];
      make_key (key, random, keys);
      uint64_t choice = random_below (random, 60);
      if (at >= model->count)
        choice %= 4;
      switch (choice)
        {
        case 0:
          CHECK_OK (source_seek (source, key_of (key), &failure));
          at = lower_bound (model, key_of (key));
          break;
        case 1:
          CHECK_OK (source_seek_before (source, key_of (key), &failure));
          at = lower_bound (model, key_of (key)) - 1;
          break;
        case 2:
          CHECK_OK (source_first (source, &failure));
          at = 0;
          break;
        case 3:
          CHECK_OK (source_last (source, &failure));
          at = model->count - 1;
          break;
        default:
          back = choice < 14 ? !back : back;
          CHECK_OK (back ? source_previous (source, &failure) : source_next (source, &failure));
          at = back ? at - 1 : at + 1;
        }
      check_at (source, model, at);
    }
}

/* ---- merges ---- */

/* Children of random sizes; `shared`: some (key, sequence) pairs are in several of them. */
static void
make_children (struct items *children, size_t count, struct items *model, struct random *random,
               unsigned keys, bool shared)
{
  uint64_t sequence = 1;
  for (size_t i = count; i-- > 0;)
    {
      uint64_t size = random_below (random, 4) == 0 ? 0 : random_below (random, 60);
      for (uint64_t j = 0; j < size; j++)
        {
          struct item item = { .kind = (enum record_kind) random_below (random, 2) };
          item.sequence = ++sequence;
          make_key (item.key, random, keys);
          if (shared && model->count > 0 && random_below (random, 4) == 0)
            {
              const struct item *old = &model->at[random_below (random, model->count)];
              memcpy (item.key, old->key, sizeof item.key);
              item.sequence = old->sequence;
            }
          snprintf (item.value, sizeof item.value, "%zu.%llu", i, (unsigned long long) j);
          bool here = false;
          for (size_t k = 0; k < children[i].count; k++)
            here |= compare_items (&children[i].at[k], &item) == 0;
          if (here)
            continue;
          items_add (&children[i], item);
          for (size_t k = 0; k < model->count; k++)
            if (compare_items (&model->at[k], &item) == 0)
              model->at[k--] = model->at[--model->count];
          items_add (model, item);
        }
      items_sort (&children[i]);
    }
  items_sort (model);
}

static void
test_merge (uint64_t seed, size_t count, bool shared)
{
  struct random random = { seed };
  struct items *children = calloc (count + 1, sizeof *children), model = { 0 };
  struct source **sources = calloc (count + 1, sizeof *sources), *merged;
  unsigned keys = 1 + (unsigned) random_below (&random, 200);
  make_children (children, count, &model, &random, keys, shared);
  for (size_t i = 0; i < count; i++)
    sources[i] = array_source_new (children[i], NULL);
  CHECK_OK (merge_source_new (sources, count, &merged, &failure));
  CHECK (!merged->valid);

  size_t at = 0;
  for (must (source_first (merged, &failure)); merged->valid; must (source_next (merged, &failure)))
    check_at (merged, &model, at++);
  CHECK_INT (at, model.count);
  for (must (source_last (merged, &failure)); merged->valid;
       must (source_previous (merged, &failure)))
    check_at (merged, &model, --at);
  CHECK_INT (at, 0);
  walk (merged, &model, &random, 600, keys);

  source_release (merged);
  for (size_t i = 0; i < count; i++)
    free (children[i].at);
  free (children);
  free (sources);
  free (model.at);
}

/* One long run among others that lie elsewhere: the shortcut must notice when they come. */
static void
test_long_runs (void)
{
  struct items children[5] = { { 0 } }, model = { 0 };
  struct source *sources[5], *merged;
  for (int i = 0; i < 2000; i++)
    {
      struct item item = { .sequence = (uint64_t) i + 1 };
      snprintf (item.key, sizeof item.key, "k%06d", i);
      snprintf (item.value, sizeof item.value, "%d", i);
      items_add (&children[i % 400 < 390 ? i / 400 : i % 5], item);
      items_add (&model, item);
    }
  for (int i = 0; i < 5; i++)
    sources[i] = array_source_new (children[i], NULL);
  CHECK_OK (merge_source_new (sources, 5, &merged, &failure));
  size_t at = 0;
  for (must (source_first (merged, &failure)); merged->valid; must (source_next (merged, &failure)))
    check_at (merged, &model, at++);
  CHECK_INT (at, 2000);
  struct random random = { 5 };
  walk (merged, &model, &random, 500, 100);
  source_release (merged);
  for (int i = 0; i < 5; i++)
    free (children[i].at);
  free (model.at);
}

/* A child fails at each call in turn: the merge fails, is not valid, and can be sought again. */
static void
test_failing_child (void)
{
  struct random random = { 1 };
  struct items children[3] = { { 0 } }, model = { 0 };
  make_children (children, 3, &model, &random, 40, false);
  int failed = 0;
  for (long k = 0; k < 60; k++)
    {
      struct source *sources[3], *merged;
      long left = k;
      for (int i = 0; i < 3; i++)
        sources[i] = array_source_new (children[i], &left);
      CHECK_OK (merge_source_new (sources, 3, &merged, &failure));
      status code = source_first (merged, NULL);
      for (int i = 0; code == STATUS_OK && i < 60; i++)
        code = i % 7 == 6 ? source_previous (merged, NULL) : source_next (merged, NULL);
      CHECK_INT (code, left < 0 ? STATUS_IO : STATUS_OK);
      CHECK (code == STATUS_OK || !merged->valid);
      failed += code != STATUS_OK;
      left = -1;
      CHECK_OK (source_first (merged, &failure));
      check_at (merged, &model, 0);
      source_release (merged);
    }
  CHECK (failed > 30);
  for (int i = 0; i < 3; i++)
    free (children[i].at);
  free (model.at);
}

/* ---- runs ---- */

struct test_run
{
  struct items segments[8];
  char smallest[8][12], largest[8][12];
  bool narrowed[8];
  int opened; /* sources handed out */
  bool released;
};

static status
test_run_open (void *context, size_t index, struct source **out, struct failure *f)
{
  struct test_run *run = context;
  run->opened++;
  *out = array_source_new (run->segments[index], NULL);
  return STATUS_OK;
}

static struct bytes
test_run_smallest (void *context, size_t index)
{
  return key_of (((struct test_run *) context)->smallest[index]);
}

static struct bytes
test_run_largest (void *context, size_t index)
{
  return key_of (((struct test_run *) context)->largest[index]);
}

static void
test_run_release (void *context)
{
  ((struct test_run *) context)->released = true;
}

static bool
test_run_narrowed (void *context, size_t index)
{
  return ((struct test_run *) context)->narrowed[index];
}

static void
test_run (uint64_t seed)
{
  struct random random = { seed };
  struct items all = { 0 }, model = { 0 };
  struct test_run run = { 0 };
  size_t count = 0;
  unsigned keys = 150;
  make_children (&all, 1, &model, &random, keys, false);
  model.count = 0;
  /* Cut between keys; now and then raise the bound of a segment above some of its records. */
  for (size_t i = 0; i < all.count;)
    {
      size_t end = count == 7 ? all.count : i + 1 + random_below (&random, 20);
      while (end < all.count && strcmp (all.at[end].key, all.at[end - 1].key) == 0)
        end++;
      end = end < all.count ? end : all.count;
      size_t visible = random_below (&random, 3) == 0 ? i + random_below (&random, end - i) : i;
      strcpy (run.smallest[count], all.at[visible].key);
      run.narrowed[count] = strcmp (all.at[visible].key, all.at[i].key) > 0;
      strcpy (run.largest[count], all.at[end - 1].key);
      for (size_t j = i; j < end; j++)
        {
          items_add (&run.segments[count], all.at[j]);
          if (strcmp (all.at[j].key, all.at[visible].key) >= 0)
            items_add (&model, all.at[j]);
        }
      count++;
      i = end;
    }
  struct run_source_settings settings = {
    .count = count,
    .open = test_run_open,
    .smallest = test_run_smallest,
    .largest = test_run_largest,
    .narrowed = test_run_narrowed,
    .release = test_run_release,
    .context = &run,
  };
  struct source *source;
  CHECK_OK (run_source_new (&settings, &source, &failure));
  CHECK_INT (run.opened, 0);
  walk (source, &model, &random, 500, keys);
  source_release (source);
  CHECK (run.released);
  for (size_t i = 0; i < count; i++)
    free (run.segments[i].at);
  free (all.at);
  free (model.at);
}

/* ---- survivors ---- */

#define KEYS 12
#define FOREVER (SEQUENCE_MAX - 1)

struct world
{
  struct items records;
  struct range_delete ranges[64];
  size_t range_count;
};

static char range_keys[KEYS + 1][12];

/* What snapshot t sees of key: the value, or NULL. Brute force. */
static const char *
see (const struct world *world, const char *key, uint64_t t)
{
  const struct item *newest = NULL;
  for (size_t i = 0; i < world->records.count; i++)
    {
      const struct item *item = &world->records.at[i];
      if (strcmp (item->key, key) == 0 && item->sequence <= t
          && (newest == NULL || item->sequence > newest->sequence))
        newest = item;
    }
  if (newest == NULL || newest->kind == RECORD_DELETE)
    return NULL;
  for (size_t i = 0; i < world->range_count; i++)
    {
      const struct range_delete *range = &world->ranges[i];
      if (range->sequence <= t && range->sequence > newest->sequence
          && bytes_compare (range->start, key_of (key)) <= 0
          && bytes_compare (key_of (key), range->end) < 0)
        return NULL;
    }
  return newest->value;
}

/* Whether the key itself has a version newer than t. */
static bool
written_since (const struct world *world, const char *key, uint64_t t)
{
  for (size_t i = 0; i < world->records.count; i++)
    if (strcmp (world->records.at[i].key, key) == 0 && world->records.at[i].sequence > t)
      return true;
  return false;
}

/* Whether a range delete newer than t covers the key. */
static bool
deleted_since (const struct world *world, const char *key, uint64_t t)
{
  for (size_t i = 0; i < world->range_count; i++)
    if (world->ranges[i].sequence > t && bytes_compare (world->ranges[i].start, key_of (key)) <= 0
        && bytes_compare (key_of (key), world->ranges[i].end) < 0)
      return true;
  return false;
}

static void
add_random_writes (struct world *world, struct random *random, uint64_t from, uint64_t to,
                   uint64_t ranges_in_10)
{
  for (uint64_t sequence = from; sequence < to; sequence++)
    {
      if (random_below (random, 10) < ranges_in_10 && world->range_count < 64)
        {
          uint64_t start = random_below (random, KEYS);
          uint64_t end = start + 1 + random_below (random, KEYS - start);
          world->ranges[world->range_count++] = (struct range_delete){
            key_of (range_keys[start]),
            key_of (range_keys[end]),
            sequence,
          };
          if (random_below (random, 2) == 0)
            continue; /* else a put in the same commit, which survives it */
        }
      struct item item = { .sequence = sequence };
      strcpy (item.key, range_keys[random_below (random, KEYS)]);
      item.kind = random_below (random, 3) == 0 ? RECORD_DELETE : RECORD_PUT;
      if (item.kind == RECORD_PUT)
        snprintf (item.value, sizeof item.value, "%llu", (unsigned long long) sequence);
      items_add (&world->records, item);
    }
}

static void
check_range_deletes (struct world *out, const struct range_set *carried)
{
  for (size_t i = 0; carried != NULL && i < range_set_delete_count (carried); i++)
    out->ranges[out->range_count++] = range_set_delete (carried, i);
}

/* Merges `input`, split over three children, and adds what survives to `out`. */
static void
merge_world (const struct world *input, const uint64_t *snapshots, size_t snapshot_count,
             bool bottom, struct range_set **carried, struct world *out,
             struct survivor_statistics *statistics)
{
  struct items children[3] = { { 0 } };
  struct source *sources[3], *merged, *survivors;
  struct range_set *parts[4] = { NULL }, *ranges;
  for (size_t i = 0; i < input->records.count; i++)
    items_add (&children[input->records.at[i].sequence % 3], input->records.at[i]);
  for (int i = 0; i < 3; i++)
    {
      items_sort (&children[i]);
      sources[i] = array_source_new (children[i], NULL);
      size_t from = input->range_count * (size_t) i / 3;
      size_t to = input->range_count * (size_t) (i + 1) / 3;
      if (to > from)
        CHECK_OK (range_set_build (input->ranges + from, to - from, &parts[i], &failure));
    }
  CHECK_OK (range_sets_join (parts, 4, &ranges, &failure));
  CHECK_OK (merge_source_new (sources, 3, &merged, &failure));
  struct survivor_settings settings = {
    .snapshots = snapshots,
    .snapshot_count = snapshot_count,
    .bottom = bottom,
    .ranges = ranges,
  };
  CHECK_OK (survivor_source_new (merged, &settings, &survivors, &failure));
  for (must (source_first (survivors, &failure)); survivors->valid;
       must (source_next (survivors, &failure)))
    {
      struct item item = { .sequence = survivors->record.sequence, .kind = survivors->record.kind };
      memcpy (item.key, survivors->record.key.data, survivors->record.key.size);
      memcpy (item.value, survivors->record.value.data, survivors->record.value.size);
      CHECK (out->records.count == 0
             || compare_items (&out->records.at[out->records.count - 1], &item) < 0);
      items_add (&out->records, item);
    }
  survivor_source_statistics (survivors, statistics);
  source_release (survivors);
  CHECK_OK (merge_range_deletes (ranges, snapshots, snapshot_count, bottom, carried, &failure));
  check_range_deletes (out, *carried);
  range_set_unref (ranges);
  for (int i = 0; i < 3; i++)
    {
      range_set_unref (parts[i]);
      free (children[i].at);
    }
}

static void
append_world (struct world *to, const struct world *from)
{
  for (size_t i = 0; i < from->records.count; i++)
    items_add (&to->records, from->records.at[i]);
  for (size_t i = 0; i < from->range_count && to->range_count < 64; i++)
    to->ranges[to->range_count++] = from->ranges[i];
}

/* Nothing is kept that G3 … G5 would drop. */
static void
check_least (const struct world *out, bool bottom, uint64_t oldest, size_t snapshot_count)
{
  for (size_t i = 0; i < out->records.count; i++)
    {
      const struct item *item = &out->records.at[i];
      size_t versions = 0;
      for (size_t j = 0; j < out->records.count; j++)
        versions += strcmp (out->records.at[j].key, item->key) == 0;
      CHECK (versions <= snapshot_count + 1);
      CHECK (!bottom || item->sequence == 0 || item->sequence > oldest);
      CHECK (item->sequence != 0 || (bottom && item->kind == RECORD_PUT));
    }
  for (size_t i = 0; i < out->range_count; i++)
    CHECK (!bottom || out->ranges[i].sequence > oldest);
}

static void
test_survivors (uint64_t seed)
{
  struct random random = { seed };
  bool bottom = random_below (&random, 2) == 0;
  struct world input = { 0 }, older = { 0 }, out = { 0 };
  uint64_t ranges = random_below (&random, 4), last = 30 + random_below (&random, 40);
  if (!bottom)
    add_random_writes (&older, &random, 1, 20, 1);
  add_random_writes (&input, &random, 20, last, ranges);
  uint64_t snapshots[8];
  size_t snapshot_count = random_below (&random, 5);
  for (size_t i = 0; i < snapshot_count; i++)
    snapshots[i] = (i > 0 ? snapshots[i - 1] + 1 : bottom ? 15 : 5) + random_below (&random, 14);

  struct range_set *carried;
  struct survivor_statistics statistics;
  merge_world (&input, snapshots, snapshot_count, bottom, &carried, &out, &statistics);
  CHECK_INT (statistics.read, input.records.count);
  CHECK_INT (statistics.kept, out.records.count);
  CHECK_INT (statistics.read - statistics.kept,
             statistics.dropped_hidden + statistics.dropped_deletes + statistics.dropped_ranges);
  check_least (&out, bottom, snapshot_count > 0 ? snapshots[0] : FOREVER, snapshot_count);

  append_world (&input, &older);
  append_world (&out, &older);
  for (int k = 0; k < KEYS; k++)
    for (size_t i = 0; i <= snapshot_count; i++)
      {
        uint64_t t = i < snapshot_count ? snapshots[i] : FOREVER;
        const char *before = see (&input, range_keys[k], t), *after = see (&out, range_keys[k], t);
        CHECK ((before == NULL) == (after == NULL));
        CHECK (before == NULL || strcmp (before, after) == 0);
        CHECK (written_since (&input, range_keys[k], t) == written_since (&out, range_keys[k], t));
        CHECK (deleted_since (&input, range_keys[k], t) == deleted_since (&out, range_keys[k], t));
      }
  range_set_unref (carried);
  free (input.records.at);
  free (older.records.at);
  free (out.records.at);
}

static bool
keep_odd (void *context, const struct record *record)
{
  CHECK (record->kind != RECORD_DELETE);
  return record->value.data[record->value.size - 1] % 2 == 1;
}

/* The filter: what it drops is a delete for everybody, or gone at the bottom. */
static void
test_filter (bool bottom)
{
  struct items items = { 0 };
  struct source *survivors;
  for (int i = 0; i < 10; i++)
    {
      struct item item = { .sequence = (uint64_t) i + 1 };
      snprintf (item.key, sizeof item.key, "k%d", i);
      snprintf (item.value, sizeof item.value, "%d", i);
      items_add (&items, item);
    }
  uint64_t snapshot = 5;
  struct survivor_settings settings
      = { .bottom = bottom, .keep = keep_odd, .snapshots = &snapshot, .snapshot_count = 1 };
  CHECK_OK (survivor_source_new (array_source_new (items, NULL), &settings, &survivors, &failure));
  CHECK_OK (source_first (survivors, &failure));
  for (int i = 0; i < 10; i++)
    {
      bool odd = i % 2 == 1, old = i + 1 <= 5;
      if (!odd && bottom && old)
        continue;
      CHECK (survivors->valid && survivors->record.key.data[1] == '0' + i);
      CHECK ((survivors->record.kind == RECORD_PUT) == odd);
      CHECK_INT (survivors->record.sequence, bottom && old ? 0 : i + 1);
      CHECK_OK (source_next (survivors, &failure));
    }
  CHECK (!survivors->valid);
  CHECK_OK (source_seek (survivors, BYTES_LITERAL ("k7"), &failure));
  CHECK (survivors->valid && survivors->record.key.data[1] == '7');
  CHECK_FAILS (source_previous (survivors, &failure), STATUS_UNSUPPORTED);
  source_release (survivors);
  free (items.at);
}

int
main (void)
{
  for (int i = 0; i <= KEYS; i++)
    snprintf (range_keys[i], sizeof range_keys[i], "r%c", 'a' + i);
  for (uint64_t seed = 1; seed <= 300; seed++)
    test_merge (seed, seed % 19, seed % 2 == 0);
  test_long_runs ();
  test_failing_child ();
  for (uint64_t seed = 1; seed <= 200; seed++)
    test_run (seed);
  for (uint64_t seed = 1; seed <= 3000; seed++)
    test_survivors (seed);
  test_filter (true);
  test_filter (false);
  return 0;
}
