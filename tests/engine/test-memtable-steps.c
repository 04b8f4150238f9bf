/* SPDX-License-Identifier: MIT */
/* Readers and the writer of a memtable, interleaved at each instruction: whatever the writer is in
 * the midst of, a reader finds all that was there before, or waits (T1, T2, H1, H2, H4). */
#include "memtable-trial.h"

#include "memtable/memtable-private.h"
#include "stepped.h"

#include <malloc.h>
#include <sched.h>
#include <setjmp.h>

#define LEAVES_SEEN 64u

/* The even numbers below 2 * count are there; odd ones come. */
struct steps_trial
{
  struct memtable *table;
  unsigned count;
  unsigned first_added, added; /* the odd numbers from there on, so many of them */
  bool crowded;                /* most keys are of a few buckets */
  uint64_t at;                 /* a reader's step behind which they come */
  unsigned wanted;             /* an even number … */
  bool found;                  /* … and what the reader says of it */
  struct leaf_copy leaves[LEAVES_SEEN]; /* what a walk saw */
  unsigned leaf_count;
  uint64_t looks, waits; /* of readers */
};

static jmp_buf reader_waits;
static bool reader_may_wait;

int __real_sched_yield (void);
int __wrap_sched_yield (void);

/* A reader that waits for the writer, which stands still meanwhile. */
int
__wrap_sched_yield (void)
{
  if (reader_may_wait)
    _longjmp (reader_waits, 1);
  return __real_sched_yield ();
}

static struct bytes
numbered (uint8_t to[12], unsigned number)
{
  to[0] = to[1] = to[2] = 0;
  to[3] = 1;
  put_number (to + 4, number);
  return BYTES (to, 12);
}

static uint64_t
hash_of (const struct steps_trial *trial, struct bytes key)
{
  return trial->crowded ? key_hash (key) & ~UINT64_C (6) : key_hash (key);
}

static void
insert_number (struct steps_trial *trial, unsigned number)
{
  uint8_t key[12];
  struct record record = { .key = numbered (key, number), .sequence = number + 1, .kind = RECORD_PUT };
  memtable_insert (trial->table, hash_of (trial, record.key), &record);
}

static void
insert_added (void *data)
{
  struct steps_trial *trial = data;
  for (unsigned i = 0; i < trial->added; i++)
    insert_number (trial, trial->first_added + 2 * i);
}

/* Nothing is left that was put off, if anything was. */
static void
check_caught_up (const struct steps_trial *trial)
{
  if (trial->count > PUT_OFF_AFTER && trial->count < PUT_OFF_AFTER + CATCH_UP * trial->added)
    CHECK (trial->table->put_off_count == 0 && !trial->table->put_off);
}

static void
begin (struct steps_trial *trial)
{
  trial->table = new_table ();
  CHECK_OK (memtable_reserve (trial->table, trial->count + trial->added,
                              12 * (trial->count + trial->added), 0, 0, &failure));
  for (unsigned i = 0; i < trial->count; i++)
    insert_number (trial, 2 * i);
}

/* ---- readers ---- */

static void
get_wanted (void *data)
{
  struct steps_trial *trial = data;
  uint8_t bytes[12];
  struct record record;
  struct bytes key = numbered (bytes, trial->wanted);
  trial->found
      = memtable_get (trial->table, key, hash_of (trial, key), SEQUENCE_MAX, &record)
        && record.sequence == trial->wanted + 1;
}

static void
find_wanted (void *data)
{
  struct steps_trial *trial = data;
  uint8_t key[12];
  trial->found = tree_find (trial->table, numbered (key, trial->wanted)) != 0;
}

static void
walk_forward (void *data)
{
  struct steps_trial *trial = data;
  tree_copy_first (trial->table, &trial->leaves[0]);
  for (trial->leaf_count = 1; trial->leaf_count < LEAVES_SEEN; trial->leaf_count++)
    {
      trial->leaves[trial->leaf_count] = trial->leaves[trial->leaf_count - 1];
      if (!tree_copy_next (trial->table, &trial->leaves[trial->leaf_count]))
        return;
    }
}

static void
walk_back (void *data)
{
  struct steps_trial *trial = data;
  tree_copy_last (trial->table, &trial->leaves[LEAVES_SEEN - 1]);
  for (trial->leaf_count = 1; trial->leaf_count < LEAVES_SEEN; trial->leaf_count++)
    {
      struct leaf_copy *next = &trial->leaves[LEAVES_SEEN - 1 - trial->leaf_count];
      *next = next[1];
      if (!tree_copy_previous (trial->table, next))
        break;
    }
  memmove (trial->leaves, trial->leaves + LEAVES_SEEN - trial->leaf_count,
           trial->leaf_count * sizeof *trial->leaves);
}

/* Each number that was there, once, and what came, rising. */
static void
check_walk (const struct steps_trial *trial)
{
  uint8_t bytes[12];
  struct bytes before = BYTES_NONE;
  unsigned seen = 0;
  for (unsigned i = 0; i < trial->leaf_count; i++)
    for (unsigned slot = 0; slot < trial->leaves[i].count; slot++)
      {
        struct bytes key = entry_key (entry_at (trial->table, trial->leaves[i].entries[slot]));
        CHECK (before.data == NULL || bytes_compare (before, key) < 0);
        seen += seen < trial->count && bytes_equal (key, numbered (bytes, 2 * seen));
        before = key;
      }
  CHECK_INT (seen, trial->count);
}

/* ---- a reader, and all that comes behind one of its instructions ---- */

static void
insert_at (void *data, uint64_t step)
{
  struct steps_trial *trial = data;
  if (step < trial->at)
    return;
  step_no_more ();
  insert_added (trial);
}

/* Behind each `stride`th instruction. Returns how many it took. */
static uint64_t
interrupt_reader (struct steps_trial *trial, void (*read) (void *data), bool walks, unsigned stride)
{
  uint64_t steps = 0;
  for (trial->at = 1; trial->at == 1 || trial->at == steps + stride; trial->at += stride)
    {
      begin (trial);
      trial->found = false;
      steps = step_through (read, insert_at, trial);
      if (walks)
        check_walk (trial);
      else
        CHECK (trial->found);
      if (trial->at <= steps)
        check_caught_up (trial);
      memtable_unref (trial->table);
      epoch_collect (false);
    }
  return steps;
}

/* ---- the writer, and readers behind each of its instructions ---- */

static bool
read_or_wait (struct steps_trial *trial, void (*read) (void *data))
{
  trial->looks++;
  if (_setjmp (reader_waits) != 0)
    {
      reader_may_wait = false;
      trial->waits++;
      return false;
    }
  reader_may_wait = true;
  read (trial);
  reader_may_wait = false;
  return true;
}

static void
look_around (void *data, uint64_t step)
{
  struct steps_trial *trial = data;
  (void) step;
  for (unsigned i = 0; i < 6; i++)
    {
      static const unsigned part[] = { 0, 59, 60, 119, 120, 1000000 };
      trial->wanted = 2 * (part[i] < trial->count ? part[i] : trial->count - 1);
      if (read_or_wait (trial, find_wanted))
        CHECK (trial->found);
      if (read_or_wait (trial, get_wanted))
        CHECK (trial->found);
    }
  if (trial->count > 1000)
    return;
  if (read_or_wait (trial, walk_forward))
    check_walk (trial);
  if (read_or_wait (trial, walk_back))
    check_walk (trial);
}

static void
get_all (void *data, uint64_t step)
{
  struct steps_trial *trial = data;
  (void) step;
  for (trial->wanted = 0; trial->wanted < 2 * trial->count; trial->wanted += 2)
    if (read_or_wait (trial, get_wanted))
      CHECK (trial->found);
}

static void
interrupt_writer (struct steps_trial *trial, void (*between) (void *data, uint64_t step))
{
  begin (trial);
  trial->looks = trial->waits = 0;
  uint64_t steps = step_through (insert_added, between, trial);
  CHECK (steps > 300 && trial->looks > steps && trial->waits < trial->looks / 2);
  check_caught_up (trial);
  memtable_unref (trial->table);
  epoch_collect (false);
}

/* ---- a reader, and range deletes that are gathered behind one of its instructions ---- */

#define GATHERED 16u /* range deletes become a set, and twice as many another one */

static void
delete_ranges (struct memtable *table, unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++)
    memtable_delete_range (table,
                           &(struct range_delete){ BYTES_LITERAL ("a"), BYTES_LITERAL ("c"), i });
}

static void
gather_at (void *data, uint64_t step)
{
  struct steps_trial *trial = data;
  if (step < trial->at)
    return;
  step_no_more ();
  delete_ranges (trial->table, GATHERED + 1, 2 * GATHERED + 1);
}

static void
cover_wanted (void *data)
{
  struct steps_trial *trial = data;
  trial->found = memtable_cover (trial->table, BYTES_LITERAL ("b"), GATHERED) == GATHERED;
}

/* R3 of memtable-range.c: what a reader looks at stays until it has left its section. Memory that is freed
 * is overwritten. */
static void
interrupt_cover (struct steps_trial *trial)
{
  uint64_t steps = 0;
  mallopt (M_PERTURB, 0x5a);
  for (trial->at = 1; trial->at == 1 || trial->at == steps + 1; trial->at++)
    {
      trial->table = new_table ();
      CHECK_OK (memtable_reserve (trial->table, 0, 0, 2 * GATHERED, 2 * GATHERED * 2, &failure));
      delete_ranges (trial->table, 1, GATHERED + 1);
      steps = step_through (cover_wanted, gather_at, trial);
      CHECK (trial->found);
      memtable_unref (trial->table);
      epoch_collect (false);
    }
  mallopt (M_PERTURB, 0);
  CHECK (steps > 50);
}

/* ---- the tests ---- */

void
test_steps (void)
{
  static struct steps_trial trial;
  /* The root is a full leaf; the parent of a full leaf has room; it has none. */
  static const unsigned counts[] = { 60, 130, 2400 };
  if (!STEPPED)
    return;
  for (unsigned i = 0; i < 3; i++)
    {
      trial = (struct steps_trial){ .count = counts[i], .first_added = 61, .added = 1 };
      interrupt_writer (&trial, look_around);
      trial.added = 29;
      for (trial.wanted = 0; trial.wanted <= 118; trial.wanted += 59 * 2)
        {
          CHECK (interrupt_reader (&trial, find_wanted, false, i == 1 ? 2 : 5) > 50);
          CHECK (interrupt_reader (&trial, get_wanted, false, i == 1 ? 3 : 5) > 50);
        }
      if (counts[i] > 1000)
        continue;
      CHECK (interrupt_reader (&trial, walk_forward, true, 7) > 50);
      CHECK (interrupt_reader (&trial, walk_back, true, 7) > 50);
    }
  for (unsigned crowded = 0; crowded < 2; crowded++) /* the side hash grows */
    {
      trial = (struct steps_trial){
        .count = 56, .first_added = 1, .added = 24, .crowded = crowded != 0
      };
      interrupt_writer (&trial, get_all);
    }
  /* What was put off is put into buckets, all of it (H4). */
  trial = (struct steps_trial){ .count = PUT_OFF_AFTER + 20, .first_added = 1, .added = 4 };
  interrupt_writer (&trial, look_around);
  trial.wanted = 2 * (trial.count - 1);
  CHECK (interrupt_reader (&trial, get_wanted, false, 1) > 50);
  trial = (struct steps_trial){ 0 };
  interrupt_cover (&trial);
}
