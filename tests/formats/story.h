/* SPDX-License-Identifier: MIT */
/*
 * story: what happens to a golden database, step by step, and what it holds after each commit. All
 * of it follows from the codec's name and a seed; nothing is asked of an engine and nothing read
 * from a file. make-golden.c lets an engine go through it, test-golden.c holds the files it left
 * against it.
 *
 * Keys come from a sorted pool that the stores share. A value is a number: which bytes it stands
 * for follows from it. What the stores hold is a table of numbers, and every commit's is kept.
 *
 * A story is never changed once there are golden files of a released version that tell it.
 */
#ifndef LIGHTNING_TESTS_STORY_H
#define LIGHTNING_TESTS_STORY_H

#include "base/random.h"
#include "engine.h"

enum story_store
{
  STORY_DEFAULT,
  STORY_NAMES,   /* its name is not ASCII */
  STORY_EMPTY,   /* made, and nothing ever put into it */
  STORY_DROPPED, /* made, filled and dropped */
  STORY_STORES
};

enum step_kind
{
  STEP_STORE,    /* makes a store; a commit */
  STEP_WRITE,    /* a batch; a commit */
  STEP_LOAD,     /* the same as a bulk load; a commit */
  STEP_DROP,     /* drops a store; a commit */
  STEP_FLUSH,    /* no commit, like those below */
  STEP_COMPACT,  /* to one run */
  STEP_REOPEN,   /* closes and opens again */
  STEP_SNAPSHOT, /* holds one from now on, so that segments have several versions of a key */
  STEP_RELEASE,  /* gives it back */
  STEP_TORN, /* a batch of which half a record reaches the log: never a commit; the last step of the
                    killed */
};

/* Of a batch or load: keys[key … end) of a store get a value; 0 = they are deleted. */
struct story_operation
{
  uint32_t store, key, end;
  uint32_t value; /* its number; more than one key only without */
};

struct step
{
  enum step_kind kind;
  uint32_t store;        /* of STORE and DROP */
  enum engine_sync sync; /* of WRITE */
  size_t first, last;    /* operations[first … last) */
};

struct story
{
  enum engine_compression codec; /* never adaptive */
  bool killed;                   /* else closed in the end */
  uint32_t keys;
  struct bytes *key_pool; /* rising; each malloc'd */
  struct step *steps;     /* malloc'd */
  size_t step_count, step_room;
  struct story_operation *operations; /* malloc'd */
  size_t operation_count, operation_room;
  uint32_t **tables; /* by commit, from 0: STORY_STORES × keys numbers; each malloc'd */
  bool (*present)[STORY_STORES]; /* by commit: the stores that are there; malloc'd */
  uint64_t commits;              /* the number of the newest */
  uint32_t next_value;           /* while it is written */
  struct random random;          /* while it is written */
};

#define STORY_VALUE_MOST 4096u
#define STORY_CODECS 4u
extern const char *const story_codec_names[STORY_CODECS]; /* none, zstd, lz4, snappy */
extern const char *const story_store_names[STORY_STORES];

void story_write (struct story *story, unsigned codec, bool killed);
void story_clear (struct story *story);
/* The table of a commit; [store * keys + key]. */
static inline uint32_t
story_at (const struct story *story, uint64_t commit, uint32_t store, uint32_t key)
{
  return story->tables[commit][store * story->keys + key];
}
struct bytes story_value (uint32_t number, uint8_t to[STORY_VALUE_MOST]);
/* The index of a key; of one that is not in the pool, of the next one. */
uint32_t story_find_key (const struct story *story, struct bytes key);
/* What the database is made with. */
void story_options (const struct story *story, const struct vfs *vfs, struct engine_options *out);

#endif
