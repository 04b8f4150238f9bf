/* SPDX-License-Identifier: MIT */
#include "story.h"

#include "../engine/sorted-keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED UINT64_C (20261128)
#define PHRASES 60u
#define PHRASE_SIZE 100u
#define KEYS 120u
#define TALL_KEYS 150u /* beside them, of the codec "none": a tree of more than two levels */

const char *const story_codec_names[STORY_CODECS] = { "none", "zstd", "lz4", "snappy" };
const char *const story_store_names[STORY_STORES] = { "default", "Größen", "empty", "dropped" };

static void *
must (void *memory)
{
  if (memory == NULL)
    abort ();
  return memory;
}

/* ---- keys and values ---- */

/* What a value is like; the low bits of its number. */
enum value_kind
{
  VALUE_SHORT, /* every 16th is empty */
  VALUE_LONG,  /* above 1 KiB, and yet no large one */
  VALUE_LARGE, /* in a blob file */
  VALUE_KINDS,
};

/* One of a few dozen, so that codecs find repetitions in a page, and dictionaries between pages. */
static void
write_phrase (unsigned which, char to[PHRASE_SIZE + 1])
{
  struct random random = { SEED + which % PHRASES };
  for (unsigned i = 0; i < PHRASE_SIZE; i++)
    to[i] = (char) ('a' + random_below (&random, 26));
  to[PHRASE_SIZE] = '\0';
}

struct bytes
story_value (uint32_t number, uint8_t to[STORY_VALUE_MOST])
{
  static const size_t sizes[VALUE_KINDS] = { 50, 1200, 2100 };
  struct random random = { SEED ^ number };
  unsigned kind = number % VALUE_KINDS;
  size_t wanted = sizes[kind] + random_below (&random, 40), size = 0;
  char phrase[PHRASE_SIZE + 1];
  if (kind == VALUE_SHORT && number / VALUE_KINDS % 16 == 15)
    return BYTES (to, 0);
  size = (size_t) sprintf ((char *) to, "%u", number);
  write_phrase ((unsigned) random_below (&random, PHRASES), phrase);
  while (size < wanted)
    size += (size_t) sprintf ((char *) to + size, " %s", phrase);
  return BYTES (to, size);
}

static struct bytes
copy_bytes (const void *from, size_t size)
{
  uint8_t *copy = must (malloc (size + 1));
  memcpy (copy, from, size);
  return BYTES (copy, size);
}

/* Text of which one is the beginning of the next, and the odd ones: a zero byte, the highest byte,
 * one above 255 bytes, the longest there may be, and long ones that begin alike. */
static void
make_keys (struct story *story)
{
  static char long_key[KEY_SIZE_MAX];
  char key[64];
  story->key_pool = must (calloc (story->keys, sizeof *story->key_pool));
  for (uint32_t i = 0; i < story->keys; i++)
    {
      int size = sprintf (key, i % 3 == 0 ? "item/%05u" : "item/%05u/%u", i / 3, i * 7919 % 1000);
      story->key_pool[i] = copy_bytes (key, (size_t) size);
    }
  static const struct bytes odd[] = { { (const uint8_t *) "", 1 },
                                      { (const uint8_t *) "a\0b", 3 },
                                      { (const uint8_t *) "\xff\xff", 2 } };
  memset (long_key, 'k', sizeof long_key);
  for (unsigned i = 0; i < 5; i++)
    {
      struct bytes bytes = i < 3 ? odd[i] : BYTES (long_key, i == 3 ? 300 : sizeof long_key);
      free ((void *) story->key_pool[i * 11].data);
      story->key_pool[i * 11] = copy_bytes (bytes.data, bytes.size);
    }
  for (uint32_t i = KEYS; i < story->keys && story->codec == ENGINE_COMPRESSION_NONE; i++)
    {
      memset (long_key, (int) ('p' + i % 3), 1500);
      free ((void *) story->key_pool[i].data);
      story->key_pool[i]
          = copy_bytes (long_key, 1500 + (size_t) sprintf (long_key + 1500, "%03u", i));
    }
  sorted_keys_sort (story->key_pool, story->keys);
}

uint32_t
story_find_key (const struct story *story, struct bytes key)
{
  return sorted_keys_find (story->key_pool, story->keys, key);
}

/* ---- steps and what they leave ---- */

static struct step *
add_step (struct story *story, enum step_kind kind)
{
  if (story->step_count == story->step_room)
    {
      story->step_room = story->step_room * 2 + 64;
      story->steps = must (realloc (story->steps, story->step_room * sizeof *story->steps));
    }
  struct step *step = &story->steps[story->step_count++];
  *step = (struct step){ .kind = kind,
                         .first = story->operation_count,
                         .last = story->operation_count };
  return step;
}

static size_t
table_size (const struct story *story)
{
  return (size_t) STORY_STORES * story->keys * sizeof (uint32_t);
}

/* Room for the next commit's table, which begins as the last one is. */
static uint32_t *
add_commit (struct story *story)
{
  uint64_t number = story->tables == NULL ? 0 : ++story->commits;
  story->tables = must (realloc (story->tables, (number + 1) * sizeof *story->tables));
  story->present = must (realloc (story->present, (number + 1) * sizeof *story->present));
  story->tables[number] = must (calloc (1, table_size (story)));
  memset (story->present[number], 0, sizeof *story->present);
  story->present[number][STORY_DEFAULT] = true;
  if (number > 0)
    {
      memcpy (story->tables[number], story->tables[number - 1], table_size (story));
      memcpy (story->present[number], story->present[number - 1], sizeof *story->present);
    }
  return story->tables[number];
}

/* Later ones win. */
static void
apply_operations (const struct story *story, const struct step *step, uint32_t *table)
{
  for (size_t i = step->first; i < step->last; i++)
    {
      const struct story_operation *operation = &story->operations[i];
      for (uint32_t key = operation->key; key < operation->end; key++)
        table[operation->store * story->keys + key] = operation->value;
    }
}

static void
add_store (struct story *story, enum story_store store)
{
  add_step (story, STEP_STORE)->store = store;
  add_commit (story);
  story->present[story->commits][store] = true;
}

static void
drop_store (struct story *story, enum story_store store)
{
  add_step (story, STEP_DROP)->store = store;
  uint32_t *table = add_commit (story);
  memset (table + store * story->keys, 0, story->keys * sizeof *table);
  story->present[story->commits][store] = false;
}

static uint32_t
new_value (struct story *story, enum value_kind kind)
{
  return ++story->next_value * VALUE_KINDS + kind;
}

static uint32_t
some_value (struct story *story)
{
  unsigned turn = (unsigned) random_below (&story->random, 24);
  return new_value (story, turn == 0 ? VALUE_LARGE : turn == 1 ? VALUE_LONG : VALUE_SHORT);
}

static void
add_operation (struct story *story, struct story_operation operation)
{
  if (story->operation_count == story->operation_room)
    {
      story->operation_room = story->operation_room * 2 + 256;
      story->operations
          = must (realloc (story->operations, story->operation_room * sizeof *story->operations));
    }
  story->operations[story->operation_count++] = operation;
  story->steps[story->step_count - 1].last = story->operation_count;
}

static void
end_commit (struct story *story)
{
  uint32_t *table = add_commit (story);
  apply_operations (story, &story->steps[story->step_count - 1], table);
}

/* ---- the story ---- */

/* Most keys of the default store, fewer of the others, a batch for 40 of them. */
static void
fill (struct story *story)
{
  static const enum story_store stores[] = { STORY_DEFAULT, STORY_NAMES, STORY_DROPPED };
  for (unsigned i = 0; i < 3; i++)
    {
      uint32_t stride = i == 0 ? 1 : 1 + story->keys / 40, in_batch = 0;
      for (uint32_t key = 0; key < story->keys; key += stride)
        {
          if (random_below (&story->random, 8) == 0)
            continue;
          if (in_batch == 0)
            add_step (story, STEP_WRITE)->sync = ENGINE_SYNC_ASYNC;
          add_operation (story,
                         (struct story_operation){ stores[i], key, key + 1, some_value (story) });
          if (++in_batch == 40)
            {
              end_commit (story);
              in_batch = 0;
            }
        }
      if (in_batch > 0)
        end_commit (story);
    }
}

static struct story_operation
some_operation (struct story *story)
{
  struct story_operation operation
      = { .store = random_below (&story->random, 4) == 0 ? STORY_NAMES : STORY_DEFAULT };
  unsigned turn = (unsigned) random_below (&story->random, 20);
  operation.key = (uint32_t) random_below (&story->random, story->keys - 10);
  operation.end = operation.key + 1;
  if (turn == 0)
    operation.end += 1 + (uint32_t) random_below (&story->random, 8);
  else if (turn > 3)
    operation.value = some_value (story);
  return operation;
}

/* So many commits of one operation, every third of a few, every fifth durable at once. */
static void
change (struct story *story, unsigned commits)
{
  for (unsigned i = 0; i < commits; i++)
    {
      unsigned count = i % 3 == 2 ? 2 + (unsigned) random_below (&story->random, 4) : 1;
      add_step (story, STEP_WRITE)->sync = i % 5 == 4   ? ENGINE_SYNC_FULL
                                           : i % 5 == 3 ? ENGINE_SYNC_NONE
                                                        : ENGINE_SYNC_ASYNC;
      for (unsigned c = 0; c < count; c++)
        add_operation (story, some_operation (story));
      end_commit (story);
    }
}

/* A key that has just been written is written again: with a snapshot before it both stay. */
static void
overwrite (struct story *story)
{
  for (unsigned i = 0; i < 6; i++)
    {
      add_step (story, STEP_WRITE)->sync = ENGINE_SYNC_ASYNC;
      add_operation (story, (struct story_operation){ STORY_DEFAULT, i / 2 * 5 + 20, i / 2 * 5 + 21,
                                                      new_value (story, VALUE_SHORT) });
      end_commit (story);
    }
}

static void
load (struct story *story)
{
  add_step (story, STEP_LOAD);
  for (uint32_t key = 1; key < story->keys; key += 9)
    add_operation (story, (struct story_operation){ key % 2 == 0 ? STORY_NAMES : STORY_DEFAULT, key,
                                                    key + 1, some_value (story) });
  end_commit (story);
}

static void
write_wide (struct story *story, uint32_t count)
{
  add_step (story, STEP_WRITE)->sync = ENGINE_SYNC_ASYNC;
  for (uint32_t i = 0; i < count; i++)
    add_operation (
        story, (struct story_operation){ STORY_DEFAULT, i, i + 1, new_value (story, VALUE_LONG) });
  end_commit (story);
}

/* Fills several segments of the log, where no history is kept, so that they are used again. */
static void
write_several (struct story *story)
{
  for (unsigned i = 0; i < 3 && story->codec == ENGINE_COMPRESSION_LZ4; i++)
    write_wide (story, 28);
}

static void
tell (struct story *story)
{
  add_commit (story); /* 0: nothing */
  add_store (story, STORY_NAMES);
  add_store (story, STORY_EMPTY);
  add_store (story, STORY_DROPPED);
  fill (story);
  add_step (story, STEP_COMPACT);
  add_step (story, STEP_REOPEN);
  change (story, 6);
  add_step (story, STEP_SNAPSHOT);
  overwrite (story);
  change (story, 16);
  add_step (story, STEP_FLUSH);
  add_step (story, STEP_RELEASE);
  load (story);
  write_several (story);
  change (story, 12);
  add_step (story, STEP_FLUSH);
  drop_store (story, STORY_DROPPED);
  change (story, 8);
  write_wide (story, 60); /* more than fits into a segment of the log */
  write_several (story);  /* into files that were used before */
  change (story, 15);
  if (!story->killed)
    return;
  add_step (story, STEP_TORN);
  add_operation (story,
                 (struct story_operation){ STORY_DEFAULT, 3, 4, new_value (story, VALUE_LONG) });
}

void
story_write (struct story *story, unsigned codec, bool killed)
{
  static const enum engine_compression codecs[STORY_CODECS]
      = { ENGINE_COMPRESSION_NONE, ENGINE_COMPRESSION_ZSTD, ENGINE_COMPRESSION_LZ4,
          ENGINE_COMPRESSION_SNAPPY };
  *story = (struct story){
    .codec = codecs[codec],
    .killed = killed,
    .keys = codec == 1   ? 500 /* a dictionary needs pages to be trained on */
            : codec == 0 ? KEYS + TALL_KEYS
                         : KEYS,
    .random = { SEED + codec * 2 + killed },
  };
  make_keys (story);
  tell (story);
}

void
story_clear (struct story *story)
{
  for (uint32_t i = 0; i < story->keys; i++)
    free ((void *) story->key_pool[i].data);
  for (uint64_t i = 0; i <= story->commits; i++)
    free (story->tables[i]);
  free (story->key_pool);
  free (story->tables);
  free (story->present);
  free (story->steps);
  free (story->operations);
}

void
story_options (const struct story *story, const struct vfs *vfs, struct engine_options *out)
{
  engine_options_init (out);
  out->memory_budget = 32 << 20; /* what training a dictionary asks for */
  out->page_size = story->codec == ENGINE_COMPRESSION_LZ4      ? 8192
                   : story->codec == ENGINE_COMPRESSION_SNAPPY ? 16384
                                                               : 4096;
  out->compression = story->codec;
  out->segment_file_size = story->codec == ENGINE_COMPRESSION_ZSTD   ? 1 << 20
                           : story->codec == ENGINE_COMPRESSION_NONE ? 96 << 10
                                                                     : 16 << 10;
  out->log_segment_size = 64 << 10;
  out->log_mapping
      = story->codec == ENGINE_COMPRESSION_NONE || story->codec == ENGINE_COMPRESSION_ZSTD;
  out->blob_threshold = 2048;
  out->change_retention = story->codec == ENGINE_COMPRESSION_LZ4 ? 0 : 1 << 20; /* or recycled */
  out->merge_enabled = false;
  out->vfs = vfs;
}
