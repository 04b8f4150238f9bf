/* SPDX-License-Identifier: MIT */
/* range-set.h against brute force over the range deletes themselves. */
#include "base/range-set.h"

#include "base/random.h"
#include "check.h"

#define ROUNDS 3000
#define DELETES_MAX 40
#define KEY_ROOM 3

static struct failure failure;

struct model
{
  struct range_delete deletes[DELETES_MAX];
  uint8_t keys[2 * DELETES_MAX][KEY_ROOM]; /* starts and ends */
  size_t count;
};

static struct bytes
random_key (struct random *random, uint8_t room[KEY_ROOM], unsigned letters)
{
  size_t size = random_below (random, KEY_ROOM + 1);
  for (size_t i = 0; i < size; i++)
    room[i] = (uint8_t) (random_below (random, letters) * 85);
  return BYTES (room, size);
}

static void
fill_model (struct random *random, struct model *model, unsigned letters)
{
  size_t wanted = random_below (random, DELETES_MAX + 1);
  for (model->count = 0; model->count < wanted;)
    {
      size_t at = model->count;
      struct range_delete *delete = &model->deletes[at];
      delete->start = random_key (random, model->keys[2 * at], letters);
      delete->end = random_key (random, model->keys[2 * at + 1], letters);
      delete->sequence = 1 + random_below (random, 12);
      if (at > 0 && random_below (random, 8) == 0)
        *delete = model->deletes[random_below (random, at)];
      model->count += bytes_compare (delete->start, delete->end) < 0;
    }
}

static uint64_t
model_cover (const struct model *model, struct bytes key, uint64_t snapshot)
{
  uint64_t newest = 0;
  for (size_t i = 0; i < model->count; i++)
    {
      const struct range_delete *delete = &model->deletes[i];
      if (bytes_compare (delete->start, key) <= 0 && bytes_compare (key, delete->end) < 0
          && delete->sequence <= snapshot && delete->sequence > newest)
        newest = delete->sequence;
    }
  return newest;
}

static bool
model_touches (const struct model *model, struct bytes start, const struct bytes *end,
               uint64_t since)
{
  for (size_t i = 0; i < model->count; i++)
    {
      const struct range_delete *delete = &model->deletes[i];
      if (delete->sequence > since && bytes_compare (start, delete->end) < 0
          && (end == NULL
              || (bytes_compare (start, *end) < 0 && bytes_compare (delete->start, *end) < 0)))
        return true;
    }
  return false;
}

static void
check_fragments (const struct model *model, const struct range_set *set)
{
  size_t count = range_set_fragment_count (set);
  for (size_t i = 0; i < count; i++)
    {
      struct range_fragment fragment = range_set_fragment (set, i);
      CHECK (bytes_compare (fragment.start, fragment.end) < 0);
      CHECK (fragment.newest > 0);
      CHECK_INT (fragment.newest, model_cover (model, fragment.start, UINT64_MAX));
      if (i > 0)
        CHECK (bytes_compare (range_set_fragment (set, i - 1).end, fragment.start) <= 0);
      uint64_t expected = UINT64_MAX, sequence = UINT64_MAX;
      do
        {
          expected = model_cover (model, fragment.start, expected - 1);
          sequence = range_set_fragment_newest (set, i, sequence - 1);
          CHECK_INT (sequence, expected);
        }
      while (sequence != 0);
    }
}

/* Everything given is there once, in order, and nothing else. */
static void
check_deletes (const struct model *model, const struct range_set *set)
{
  size_t count = range_set_delete_count (set), matches = 0;
  for (size_t i = 0; i < count; i++)
    {
      struct range_delete delete = range_set_delete (set, i);
      bool given = false;
      for (size_t j = 0; j < model->count; j++)
        given |= bytes_equal (delete.start, model->deletes[j].start)
                 && bytes_equal (delete.end, model->deletes[j].end)
                 && delete.sequence == model->deletes[j].sequence;
      CHECK (given);
      if (i == 0)
        continue;
      struct range_delete before = range_set_delete (set, i - 1);
      int order = bytes_compare (before.start, delete.start);
      if (order == 0)
        order = bytes_compare (before.end, delete.end);
      CHECK (order < 0 || (order == 0 && before.sequence > delete.sequence));
    }
  for (size_t j = 0; j < model->count; j++)
    for (size_t i = 0; i < count; i++)
      {
        struct range_delete delete = range_set_delete (set, i);
        if (bytes_equal (delete.start, model->deletes[j].start)
            && bytes_equal (delete.end, model->deletes[j].end)
            && delete.sequence == model->deletes[j].sequence)
          {
            matches++;
            break;
          }
      }
  CHECK_INT (matches, model->count);
}

static void
check_questions (struct random *random, const struct model *model, const struct range_set *set,
                 unsigned letters)
{
  for (int i = 0; i < 60; i++)
    {
      uint8_t rooms[2][KEY_ROOM];
      struct bytes key = random_key (random, rooms[0], letters);
      struct bytes end = random_key (random, rooms[1], letters);
      uint64_t snapshot = random_below (random, 14);
      const struct bytes *bound = random_below (random, 8) == 0 ? NULL : &end;
      CHECK_INT (range_set_cover (set, key, snapshot), model_cover (model, key, snapshot));
      CHECK_INT (range_set_cover (set, key, UINT64_MAX), model_cover (model, key, UINT64_MAX));
      CHECK_INT (range_set_touches (set, key, bound, snapshot),
                 model_touches (model, key, bound, snapshot));
      size_t found = range_set_find (set, key), count = range_set_fragment_count (set);
      CHECK (found == count || bytes_compare (range_set_fragment (set, found).end, key) > 0);
      CHECK (found == 0 || bytes_compare (range_set_fragment (set, found - 1).end, key) <= 0);
    }
}

static void
test_random (void)
{
  static struct model model;
  struct random random = { 42 };
  for (int round = 0; round < ROUNDS; round++)
    {
      unsigned letters = 2 + (unsigned) random_below (&random, 3);
      struct range_set *set;
      fill_model (&random, &model, letters);
      CHECK_OK (range_set_build (model.deletes, model.count, &set, &failure));
      CHECK ((set == NULL) == (model.count == 0));
      check_fragments (&model, set);
      check_deletes (&model, set);
      check_questions (&random, &model, set, letters);
      CHECK (range_set_ref (set) == set);
      range_set_unref (set);
      check_questions (&random, &model, set, letters);
      range_set_unref (set);
    }
}

/* The set owns its bytes. */
static void
test_copies (void)
{
  char start[] = "b", end[] = "d";
  struct range_delete delete = { BYTES (start, 1), BYTES (end, 1), 7 };
  struct range_set *set;
  CHECK_OK (range_set_build (&delete, 1, &set, &failure));
  start[0] = end[0] = 'x';
  CHECK_INT (range_set_cover (set, BYTES_LITERAL ("c"), 7), 7);
  CHECK_INT (range_set_cover (set, BYTES_LITERAL ("c"), 6), 0);
  CHECK_INT (range_set_cover (set, BYTES_LITERAL ("d"), 7), 0);
  CHECK_INT (range_set_cover (set, BYTES_LITERAL ("a"), 7), 0);
  CHECK_INT (range_set_fragment_count (set), 1);
  CHECK (range_set_memory (set) > 0);
  range_set_unref (set);
}

static void
test_rejected (void)
{
  struct range_set *set;
  struct range_delete backwards = { BYTES_LITERAL ("b"), BYTES_LITERAL ("a"), 1 };
  struct range_delete empty = { BYTES_LITERAL ("b"), BYTES_LITERAL ("b"), 1 };
  struct range_delete future = { BYTES_LITERAL ("a"), BYTES_LITERAL ("b"), SEQUENCE_MAX + 1 };
  CHECK_FAILS (range_set_build (&backwards, 1, &set, &failure), STATUS_INVALID);
  CHECK_FAILS (range_set_build (&empty, 1, &set, &failure), STATUS_INVALID);
  CHECK_FAILS (range_set_build (&future, 1, &set, &failure), STATUS_INVALID);
  CHECK (set == NULL);
  CHECK_FAILS (range_set_build (&empty, (size_t) RANGE_SET_MAX + 1, &set, &failure),
               STATUS_TOO_MANY);
}

/* How a queue is consumed: [0, i) at i, for 50 000 values of i. */
static void
test_nested (void)
{
  enum
  {
    COUNT = 50000
  };
  static uint8_t keys[COUNT + 1][4];
  static struct range_delete deletes[COUNT];
  for (uint32_t i = 0; i <= COUNT; i++)
    for (int byte = 0; byte < 4; byte++)
      keys[i][byte] = (uint8_t) (i >> (24 - 8 * byte));
  for (uint32_t i = 0; i < COUNT; i++)
    deletes[i] = (struct range_delete){ BYTES (keys[0], 4), BYTES (keys[i + 1], 4), i + 1 };
  struct range_set *set;
  CHECK_OK (range_set_build (deletes, COUNT, &set, &failure));
  CHECK_INT (range_set_fragment_count (set), COUNT);
  CHECK (range_set_memory (set) < (size_t) COUNT * 300);
  for (uint32_t i = 0; i < COUNT; i += 997)
    {
      struct bytes key = BYTES (keys[i], 4);
      CHECK_INT (range_set_cover (set, key, UINT64_MAX), COUNT);
      CHECK_INT (range_set_cover (set, key, i + 1), i + 1); /* the oldest that covers it */
      CHECK_INT (range_set_cover (set, key, i), 0);
      CHECK_INT (range_set_cover (set, key, i + 500 < COUNT ? i + 500 : COUNT),
                 i + 500 < COUNT ? i + 500 : COUNT);
    }
  range_set_unref (set);
}

static void
test_empty (void)
{
  struct bytes end = BYTES_LITERAL ("z");
  CHECK_INT (range_set_cover (NULL, end, 9), 0);
  CHECK (!range_set_touches (NULL, BYTES_NONE, &end, 0));
  CHECK_INT (range_set_fragment_count (NULL), 0);
  CHECK_INT (range_set_delete_count (NULL), 0);
  CHECK_INT (range_set_find (NULL, end), 0);
  CHECK_INT (range_set_memory (NULL), 0);
  CHECK (range_set_ref (NULL) == NULL);
  range_set_unref (NULL);
}

int
main (void)
{
  test_empty ();
  test_copies ();
  test_rejected ();
  test_random ();
  test_nested ();
  return 0;
}
