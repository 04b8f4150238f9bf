/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include "../crash/simulated-memory.h"
#include "../crash/simulated-threads.h"
#include "../engine/sorted-keys.h"
#include "base/epoch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MOST 16384u
#define CHANGES_MOST 64u

static const char *const store_names[SUBJECT_STORES] = { "default", "second", "third" };

const char *
subject_codec_name (enum subject_codec codec)
{
  static const char *const names[SUBJECT_CODECS] = { "none", "lz4", "zstd", "snappy" };
  return names[codec];
}

static enum engine_compression
compression_of (enum subject_codec codec)
{
  static const enum engine_compression all[SUBJECT_CODECS]
      = { ENGINE_COMPRESSION_NONE, ENGINE_COMPRESSION_LZ4, ENGINE_COMPRESSION_ZSTD,
          ENGINE_COMPRESSION_SNAPPY };
  return all[codec];
}

void
subject_options (const struct vfs *vfs, struct engine_options *out)
{
  engine_options_init (out);
  out->memory_budget = 10 << 20;
  out->segment_file_size = 96 << 10;
  out->log_segment_size = 64 << 10;
  out->blob_threshold = 2048;
  out->merge_enabled = false;
  out->vfs = vfs;
}

/* ---- keys and values ---- */

static struct bytes
copy_bytes (struct bytes bytes)
{
  uint8_t *copy = kept_malloc (bytes.size + 1);
  memcpy (copy, bytes.data, bytes.size);
  copy[bytes.size] = '\0'; /* keys are printed */
  return BYTES (copy, bytes.size);
}

/* Rising; some short, some long, some of which one is the beginning of the next. */
static void
make_keys (struct subject *subject)
{
  char key[400];
  subject->key_pool = kept_calloc (subject->keys, sizeof *subject->key_pool);
  for (uint32_t i = 0; i < subject->keys; i++)
    {
      int size = snprintf (key, sizeof key, "item/%05u", i / 3);
      if (i % 3 == 1)
        size = snprintf (key, sizeof key, "item/%05u/%u", i / 3, i * 7919);
      if (i % 3 == 2)
        size = snprintf (key, sizeof key, "item/%05u/~%0*u", i / 3, i % 41 == 0 ? 250 : 3, i);
      subject->key_pool[i] = copy_bytes (BYTES (key, (size_t) size));
    }
}

enum value_size
{
  VALUE_SMALL, /* sometimes empty */
  VALUE_LONG,  /* but not a large one */
  VALUE_LARGE, /* in a blob file */
};

/* Text as programs store it, so that codecs and dictionaries have something to find; each value
 * differs from every other. */
static struct bytes
make_value (const struct subject *subject, uint32_t number, enum value_size size_kind,
            uint8_t to[VALUE_MOST])
{
  static const char *const words[]
      = { "Ada",   "Berlin", "active",  "pending", "invoice", "blue", "Oslo",   "urgent",
          "draft", "Grace",  "shipped", "green",   "Lagos",   "paid", "Edsger", "closed" };
  struct random random = { number ^ subject->seed << 32 };
  size_t wanted = size_kind == VALUE_LARGE  ? 2100 + random_below (&random, 5000)
                  : size_kind == VALUE_LONG ? 600 + random_below (&random, 1400)
                                            : 60 + random_below (&random, 160);
  if (size_kind == VALUE_SMALL && number % 23 == 0)
    return BYTES (to, 0);
  size_t size = (size_t) sprintf ((char *) to, "{\"id\":%u,\"key\":\"%08llx\"", number,
                                  (unsigned long long) random_next (&random) & 0xffffffff);
  while (size + 64 < wanted)
    size += (size_t) sprintf ((char *) to + size, ",\"%s\":\"%s %s\",\"n\":%u",
                              words[random_below (&random, 16)], words[random_below (&random, 16)],
                              words[random_below (&random, 16)],
                              (unsigned) random_below (&random, 100000));
  to[size++] = '}';
  return BYTES (to, size);
}

static uint32_t
new_value (struct subject *subject, enum value_size size)
{
  uint8_t bytes[VALUE_MOST];
  if (subject->value_count == subject->value_room)
    {
      subject->value_room = subject->value_room * 2 + 1024;
      subject->value_pool
          = kept_realloc (subject->value_pool, subject->value_room * sizeof *subject->value_pool);
    }
  uint32_t number = subject->value_count++;
  subject->value_pool[number] = copy_bytes (make_value (subject, number, size, bytes));
  return number;
}

uint32_t
subject_find_key (const struct subject *subject, struct bytes key)
{
  return sorted_keys_find (subject->key_pool, subject->keys, key);
}

/* ---- its life ---- */

struct life
{
  struct subject *subject;
  struct engine *engine;
  struct random random;
  contents now;
  bool logging; /* commits are remembered */
};

static void
life_open (struct life *life)
{
  struct engine_options options;
  subject_options (&life->subject->disk->vfs, &options);
  options.memory_budget = 32 << 20; /* for dictionaries */
  options.compression = compression_of (life->subject->codec);
  if (life->subject->codec >= SUBJECT_ZSTD) /* dictionaries and a third level need many pages */
    options.segment_file_size = 1 << 20;
  MUST (engine_open (SUBJECT_PATH, ENGINE_OPEN_CREATE, &options, &life->engine, &failure));
}

static void
life_close (struct life *life)
{
  MUST (engine_close (life->engine, &failure));
  engine_unref (life->engine);
  epoch_collect (true);
}

/* Keeps the disk as it is now. */
static void
life_keep (struct life *life)
{
  struct subject *subject = life->subject;
  simulated_threads_settle ();
  if (subject->earlier_count == SUBJECT_EARLIER)
    abort ();
  subject->earlier[subject->earlier_count++] = disk_clone (subject->disk);
}

static void
apply_change (const struct subject *subject, contents to, const struct change *change)
{
  for (uint32_t key = change->key; key < change->end; key++)
    *table_at (subject, to, change->store, key) = change->value;
}

static status
batch_change (struct life *life, struct engine_batch *batch, const struct change *change)
{
  const struct subject *subject = life->subject;
  engine_store store = subject->stores[change->store];
  struct bytes key = subject->key_pool[change->key];
  if (change->value != 0)
    return engine_batch_put (batch, store, key, subject->value_pool[change->value], NULL);
  if (change->end == change->key + 1)
    return engine_batch_delete (batch, store, key, NULL);
  struct bytes end
      = change->end < subject->keys ? subject->key_pool[change->end] : BYTES_LITERAL ("~");
  return engine_batch_delete_range (batch, store, key, end, NULL);
}

static void
remember_commit (struct life *life, uint64_t sequence, uint64_t synced,
                 const struct change *changes, size_t count)
{
  struct subject *subject = life->subject;
  size_t index = sequence - subject->flushed - 1;
  subject->logged = kept_realloc (subject->logged, (index + 1) * sizeof *subject->logged);
  subject->tables = kept_realloc (subject->tables, (index + 2) * sizeof *subject->tables);
  if (subject->change_count + count > subject->change_room)
    {
      subject->change_room = subject->change_room * 2 + CHANGES_MOST;
      subject->changes
          = kept_realloc (subject->changes, subject->change_room * sizeof *subject->changes);
    }
  subject->logged[index] = (struct logged){ .synced = synced,
                                            .first = subject->change_count,
                                            .last = subject->change_count + count };
  memcpy (subject->changes + subject->change_count, changes, count * sizeof *changes);
  subject->change_count += count;
  subject->tables[index + 1] = kept_malloc (table_size (subject));
  memcpy (subject->tables[index + 1], life->now, table_size (subject));
}

/* One commit. */
static void
life_write (struct life *life, const struct change *changes, size_t count, enum engine_sync sync)
{
  struct engine_batch *batch;
  uint64_t sequence, synced = engine_durable_sequence (life->engine);
  MUST (engine_batch_new (&batch, &failure));
  for (size_t i = 0; i < count; i++)
    {
      if (batch_change (life, batch, &changes[i]) != STATUS_OK)
        abort ();
      apply_change (life->subject, life->now, &changes[i]);
    }
  MUST (engine_write (life->engine, batch, sync, &sequence, &failure));
  engine_batch_free (batch);
  if (life->logging)
    remember_commit (life, sequence, synced, changes, count);
}

static enum value_size
some_size (struct life *life)
{
  unsigned turn = (unsigned) random_below (&life->random, 100);
  unsigned large = life->logging ? 4 : 2, some = life->logging ? 60 : 5;
  return turn < large ? VALUE_LARGE : turn < large + some ? VALUE_LONG : VALUE_SMALL;
}

static struct change
some_change (struct life *life, unsigned deletes_in_100)
{
  struct subject *subject = life->subject;
  struct change change = { .blob = NO_BLOB };
  change.store = (uint32_t) random_below (&life->random, SUBJECT_STORES);
  change.key = (uint32_t) random_below (&life->random, subject->keys);
  change.end = change.key + 1;
  if (random_below (&life->random, 100) >= deletes_in_100)
    change.value = new_value (subject, some_size (life));
  return change;
}

static struct change
some_range (struct life *life)
{
  struct change change = some_change (life, 100);
  uint32_t most = life->subject->keys - change.key, width = life->subject->keys / 100;
  change.end = change.key + 2 + (uint32_t) random_below (&life->random, width);
  if (change.end > change.key + most)
    change.end = change.key + most;
  if (change.end == change.key + 1)
    change.key--;
  return change;
}

/* Most keys of all stores, in no order. */
static void
life_fill (struct life *life)
{
  struct subject *subject = life->subject;
  uint32_t all = SUBJECT_STORES * subject->keys, *order = kept_malloc (all * sizeof *order);
  struct change changes[CHANGES_MOST];
  size_t count = 0;
  for (uint32_t i = 0; i < all; i++)
    order[i] = i;
  for (uint32_t i = all - 1; i > 0; i--)
    {
      uint32_t other = (uint32_t) random_below (&life->random, i + 1), one = order[i];
      order[i] = order[other];
      order[other] = one;
    }
  for (uint32_t i = 0; i < all; i++)
    {
      if (random_below (&life->random, 8) > 0)
        changes[count++] = (struct change){
          .store = order[i] / subject->keys,
          .key = order[i] % subject->keys,
          .end = order[i] % subject->keys + 1,
          .value = new_value (subject, some_size (life)),
          .blob = NO_BLOB,
        };
      if (count == CHANGES_MOST || (i + 1 == all && count > 0))
        {
          life_write (life, changes, count, ENGINE_SYNC_ASYNC);
          count = 0;
        }
    }
  free (order);
}

/* So many commits of up to a few changes each. */
static void
life_change (struct life *life, unsigned commits, unsigned unsynced)
{
  struct change changes[8];
  for (unsigned i = 0; i < commits; i++)
    {
      size_t count = random_below (&life->random, 3) == 0 ? 2 + random_below (&life->random, 6) : 1;
      for (size_t c = 0; c < count; c++)
        changes[c]
            = random_below (&life->random, 25) == 0 ? some_range (life) : some_change (life, 20);
      bool full = i + unsynced < commits && random_below (&life->random, 7) == 0;
      life_write (life, changes, count, full ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC);
    }
}

static void
life_run (struct life *life)
{
  struct subject *subject = life->subject;
  life_open (life);
  for (uint32_t store = 0; store < SUBJECT_STORES; store++)
    MUST (engine_store_open (life->engine, store_names[store], true, &subject->stores[store],
                             &failure));
  life_fill (life);
  MUST (engine_compact (life->engine, NULL, NULL, &failure));
  life_close (life);
  life_open (life);
  life_keep (life);
  life_change (life, 260, 0);
  MUST (engine_flush (life->engine, &failure));
  life_keep (life);
  life_change (life, 130, 0);
  MUST (engine_flush (life->engine, &failure));
  life_keep (life);

  life->logging = true;
  subject->flushed = engine_sequence (life->engine);
  subject->tables = kept_malloc (sizeof *subject->tables);
  subject->tables[0] = kept_malloc (table_size (subject));
  memcpy (subject->tables[0], life->now, table_size (subject));
  life_change (life, 40, 0);
  life_keep (life);
  life_change (life, 40, 10);
  subject->last = engine_sequence (life->engine);
}

void
subject_make (struct subject *subject, enum subject_codec codec, bool closed, uint64_t seed)
{
  *subject = (struct subject){ .codec = codec, .closed = closed, .seed = seed };
  static const uint32_t keys[SUBJECT_CODECS] = { 720, 1150, 1500, 1250 };
  subject->keys = keys[codec];
  simulated_threads_begin (seed, 0);
  subject->disk = disk_new (true, NULL);
  make_keys (subject);
  new_value (subject, VALUE_SMALL); /* number 0 is none */
  struct life life = { .subject = subject, .random = { seed } };
  life.now = kept_calloc (1, table_size (subject));
  life_run (&life);
  if (!closed)
    life_keep (&life);
  life_close (&life);
  if (!closed)
    {
      disk_free (subject->disk);
      subject->disk = subject->earlier[--subject->earlier_count];
    }
  free (life.now);
  subject_map (subject);
}

void
subject_clear (struct subject *subject)
{
  epoch_collect (true);
  subject_map_clear (subject);
  for (uint64_t i = 0; i <= subject->last - subject->flushed; i++)
    free (subject->tables[i]);
  for (uint32_t i = 0; i < subject->keys; i++)
    free ((void *) subject->key_pool[i].data);
  for (uint32_t i = 0; i < subject->value_count; i++)
    free ((void *) subject->value_pool[i].data);
  for (uint32_t i = 0; i < subject->earlier_count; i++)
    disk_free (subject->earlier[i]);
  disk_free (subject->disk);
  free (subject->tables);
  free (subject->logged);
  free (subject->changes);
  free (subject->key_pool);
  free (subject->value_pool);
}
