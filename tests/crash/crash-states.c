/* SPDX-License-Identifier: MIT */
#include "crash-states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_SUBSETS 64u
#define RANDOM_TEARS 16u
#define CUTS_MOST 8u

static const struct disk_choice whole = { .applied = true, .tear = DISK_WHOLE };
static const struct disk_choice absent = { .applied = false };

/* ---- walking ---- */

void
crash_walk_init (struct crash_walk *walk, const struct disk *base,
                 const struct disk_journal *journal, enum crash_profile profile)
{
  *walk = (struct crash_walk){ .journal = journal, .profile = profile };
  walk->floor = disk_clone (base);
}

void
crash_walk_clear (struct crash_walk *walk)
{
  disk_free (walk->floor);
  free (walk->pending);
}

static const struct disk_change *
pending_change (const struct crash_walk *walk, size_t index)
{
  return &walk->journal->changes[walk->pending[index]];
}

static bool
is_name (const struct disk_change *change)
{
  return change->kind == DISK_NAME || change->kind == DISK_UNNAME;
}

static bool
grows (const struct disk_change *change)
{
  return change->kind == DISK_WRITE && change->offset + change->size > change->size_before;
}

/* What an ordered file system keeps in its journal. */
static bool
is_ordered (const struct disk_change *change)
{
  return is_name (change) || change->kind == DISK_TRUNCATE || change->kind == DISK_ALLOCATE;
}

static bool
sync_covers (const struct disk_change *sync, const struct disk_change *change, bool journal_too)
{
  if (journal_too && is_ordered (change))
    return true;
  if (sync->kind == DISK_SYNC_DIRECTORY)
    return is_name (change) && change->directory == sync->directory;
  return !is_name (change) && change->file == sync->file;
}

/* Whether an ordered file system must write its journal for this sync. */
static bool
sync_takes_journal (const struct crash_walk *walk, const struct disk_change *sync)
{
  if (walk->profile != CRASH_ORDERED)
    return false;
  for (size_t i = 0; i < walk->pending_count; i++)
    {
      const struct disk_change *change = pending_change (walk, i);
      if (sync->kind == DISK_SYNC_DIRECTORY
              ? is_name (change) && change->directory == sync->directory
              : change->file == sync->file && (is_ordered (change) || grows (change)))
        return true;
    }
  return false;
}

static void
take_sync (struct crash_walk *walk, const struct disk_change *sync)
{
  bool journal_too = sync_takes_journal (walk, sync);
  size_t left = 0;
  for (size_t i = 0; i < walk->pending_count; i++)
    if (sync_covers (sync, pending_change (walk, i), journal_too))
      disk_apply (walk->floor, pending_change (walk, i), whole);
    else
      walk->pending[left++] = walk->pending[i];
  walk->pending_count = left;
}

bool
crash_walk_next (struct crash_walk *walk)
{
  if (walk->point == walk->journal->count)
    return false;
  const struct disk_change *change = &walk->journal->changes[walk->point];
  if (change->kind == DISK_SYNC_FILE || change->kind == DISK_SYNC_DIRECTORY)
    take_sync (walk, change);
  else
    {
      if (walk->pending_count == walk->pending_room)
        {
          walk->pending_room = walk->pending_room * 2 + 32;
          walk->pending = realloc (walk->pending, walk->pending_room * sizeof *walk->pending);
          if (walk->pending == NULL)
            abort ();
        }
      walk->pending[walk->pending_count++] = walk->point;
    }
  walk->point++;
  return true;
}

struct disk *
crash_build (const struct crash_walk *walk, const struct disk_choice *choices)
{
  struct disk *disk = disk_clone (walk->floor);
  for (size_t i = 0; i < walk->pending_count; i++)
    disk_apply (disk, pending_change (walk, i), choices[i]);
  return disk;
}

void
crash_print (const struct crash_walk *walk, const struct disk_choice *choices)
{
  static const char *kinds[] = { "write", "truncate", "allocate", "name", "unname" };
  static const char *tears[] = { "whole", "prefix", "suffix", "hole", "size only", "data only" };
  static const char *fills[] = { "old", "zeros", "garbage" };
  fprintf (stderr, "pending at change %zu:\n", walk->point);
  for (size_t i = 0; i < walk->pending_count; i++)
    {
      const struct disk_change *change = pending_change (walk, i);
      fprintf (stderr, "  %zu: %s file %u %s offset %llu size %llu: ", walk->pending[i],
               kinds[change->kind], change->file, change->name, (unsigned long long) change->offset,
               (unsigned long long) change->size);
      if (!choices[i].applied)
        fprintf (stderr, "absent\n");
      else
        fprintf (stderr, "%s %s %llu %llu\n", tears[choices[i].tear], fills[choices[i].fill],
                 (unsigned long long) choices[i].from, (unsigned long long) choices[i].to);
    }
}

/* ---- choosing ---- */

struct enumeration
{
  const struct crash_walk *walk;
  struct disk_choice *choices; /* one for each pending change */
  size_t count;                /* of them */
  struct random random;
  crash_visit visit;
  void *data;
  bool stopped;
  bool synced; /* the newest change was a sync: more may be promised than at the point before, so
                  that a state that was seen there is another one here */
};

/* Half a rename is the new name without the loss of the old one, never the reverse. */
static void
emit (struct enumeration *e, bool kill)
{
  for (size_t i = 0; i < e->count; i++)
    if (pending_change (e->walk, i)->follows && i > 0 && !e->choices[i - 1].applied)
      e->choices[i] = absent;
  if (!e->stopped && !e->visit (e->data, e->choices, kill))
    e->stopped = true;
}

static void
choose_all (struct enumeration *e, struct disk_choice choice)
{
  for (size_t i = 0; i < e->count; i++)
    e->choices[i] = choice;
}

/* The newest change takes part (e->count > 0), so that no earlier point has the same subset; behind
 * a sync all. */
static void
all_subsets (struct enumeration *e)
{
  uint64_t all = UINT64_C (1) << e->count;
  for (uint64_t mask = e->synced ? 1 : all / 2; mask < all; mask++)
    {
      for (size_t i = 0; i < e->count; i++)
        e->choices[i] = (mask >> i & 1) != 0 ? whole : absent;
      emit (e, mask == all - 1);
    }
}

static void
some_subsets (struct enumeration *e)
{
  choose_all (e, whole);
  emit (e, true);
  for (size_t i = 0; i < e->count; i++)
    {
      choose_all (e, whole); /* all but one */
      e->choices[i] = absent;
      emit (e, false);
      choose_all (e, absent); /* each with the newest alone; behind a sync also without it */
      e->choices[i] = e->choices[e->count - 1] = whole;
      emit (e, false);
      if (!e->synced)
        continue;
      e->choices[e->count - 1] = i + 1 == e->count ? whole : absent;
      emit (e, false);
    }
  for (size_t reached = 1; e->synced && reached < e->count; reached++) /* prefixes */
    {
      choose_all (e, absent);
      for (size_t i = 0; i < reached; i++)
        e->choices[i] = whole;
      emit (e, false);
    }
  for (unsigned round = 0; round < RANDOM_SUBSETS; round++)
    {
      for (size_t i = 0; i < e->count; i++)
        e->choices[i] = random_below (&e->random, 2) == 0 ? absent : whole;
      emit (e, false);
    }
}

/* Multiples of 512 and 4096 strictly inside the write: the first, the last and some between. */
static unsigned
cuts_of (struct enumeration *e, const struct disk_change *change, uint64_t cuts[CUTS_MOST])
{
  unsigned count = 0;
  uint64_t end = change->offset + change->size;
  for (uint64_t unit = 512; unit <= 4096; unit *= 8)
    {
      uint64_t first = (change->offset / unit + 1) * unit, last = (end - 1) / unit * unit;
      if (first >= end)
        continue;
      cuts[count++] = first;
      if (last > first)
        cuts[count++] = last;
      if (last > first + unit)
        cuts[count++] = first + random_below (&e->random, (last - first) / unit) * unit;
    }
  return count;
}

static void
tear_at_cuts (struct enumeration *e, size_t index, const uint64_t *cuts, unsigned count)
{
  for (unsigned c = 0; c < count; c++)
    for (enum disk_tear tear = DISK_PREFIX; tear <= DISK_HOLE; tear++)
      for (enum disk_fill fill = DISK_OLD; fill <= DISK_GARBAGE; fill++)
        {
          uint64_t unit = cuts[c] % 4096 == 0 ? 4096 : 512;
          e->choices[index] = (struct disk_choice){
            .applied = true, .tear = tear, .fill = fill, .from = cuts[c], .to = cuts[c] + unit
          };
          emit (e, false);
        }
}

/* One write torn in every way; the others as they stand. */
static void
tear_one (struct enumeration *e, size_t index)
{
  const struct disk_change *change = pending_change (e->walk, index);
  uint64_t cuts[CUTS_MOST];
  if (change->kind != DISK_WRITE)
    return;
  tear_at_cuts (e, index, cuts, cuts_of (e, change, cuts));
  if (grows (change))
    for (enum disk_tear tear = DISK_SIZE_ONLY; tear <= DISK_DATA_ONLY; tear++)
      {
        e->choices[index] = (struct disk_choice){ .applied = true, .tear = tear };
        emit (e, false);
      }
}

/* The newest write torn, beside all, none and some others; then an older one, beside the newest. */
static void
tears (struct enumeration *e)
{
  size_t newest = e->count - 1;
  choose_all (e, whole);
  tear_one (e, newest);
  choose_all (e, absent);
  tear_one (e, newest);
  for (size_t i = 0; i < newest; i++)
    e->choices[i] = random_below (&e->random, 2) == 0 ? absent : whole;
  tear_one (e, newest);
  choose_all (e, whole);
  if (newest > 0)
    tear_one (e, random_below (&e->random, newest));
}

static struct disk_choice
random_choice (struct enumeration *e, size_t index, bool sizes)
{
  const struct disk_change *change = pending_change (e->walk, index);
  uint64_t cuts[CUTS_MOST];
  uint64_t turn = random_below (&e->random, 4);
  if (turn == 0)
    return absent;
  if (turn == 1 || change->kind != DISK_WRITE)
    return whole;
  if (sizes && grows (change) && random_below (&e->random, 4) == 0)
    return (struct disk_choice){ .applied = true,
                                 .tear = DISK_SIZE_ONLY + random_below (&e->random, 2) };
  unsigned count = cuts_of (e, change, cuts);
  if (count == 0)
    return whole;
  uint64_t from = cuts[random_below (&e->random, count)];
  return (struct disk_choice){ .applied = true,
                               .tear = DISK_PREFIX + random_below (&e->random, 3),
                               .fill = sizes ? random_below (&e->random, 3) : DISK_OLD,
                               .from = from,
                               .to = from + 512 };
}

static void
minimal_states (struct enumeration *e, unsigned subsets_whole)
{
  if (e->count == 0)
    {
      emit (e, true);
      return;
    }
  choose_all (e, absent); /* the floor alone: new after a sync, and a second look otherwise */
  emit (e, false);
  if (e->count <= subsets_whole)
    all_subsets (e);
  else
    some_subsets (e);
  tears (e);
  for (unsigned round = 0; round < RANDOM_TEARS; round++)
    {
      for (size_t i = 0; i < e->count; i++)
        e->choices[i] = random_choice (e, i, true);
      emit (e, false);
    }
}

/* How the bytes fare while the journal has reached so far. */
enum bytes_fate
{
  BYTES_ABSENT,
  BYTES_WHOLE,
  BYTES_RANDOM, /* each growing file up to somewhere, the rest in part */
  BYTES_TORN,   /* the same, and torn */
};

static bool
has_stopped (const uint32_t *stopped, size_t count, uint32_t file)
{
  for (size_t i = 0; i < count; i++)
    if (stopped[i] == file)
      return true;
  return false;
}

static void
ordered_bytes (struct enumeration *e, enum bytes_fate fate, uint32_t *stopped)
{
  size_t stopped_count = 0;
  for (size_t i = 0; i < e->count; i++)
    {
      const struct disk_change *change = pending_change (e->walk, i);
      if (is_ordered (change))
        continue;
      bool keep
          = fate == BYTES_WHOLE || (fate != BYTES_ABSENT && random_below (&e->random, 2) == 0);
      if (grows (change) && has_stopped (stopped, stopped_count, change->file))
        keep = false;
      else if (grows (change) && !keep)
        stopped[stopped_count++] = change->file;
      e->choices[i] = !keep                                   ? absent
                      : fate == BYTES_TORN && !grows (change) ? random_choice (e, i, false)
                                                              : whole;
    }
}

static void
ordered_states (struct enumeration *e)
{
  uint32_t *stopped = malloc ((e->count + 1) * sizeof *stopped);
  size_t journal = 0;
  if (stopped == NULL)
    abort ();
  for (size_t i = 0; i < e->count; i++)
    journal += is_ordered (pending_change (e->walk, i));
  for (size_t reached = 0; reached <= journal; reached++)
    for (enum bytes_fate fate = BYTES_ABSENT; fate <= BYTES_TORN; fate++)
      {
        size_t seen = 0;
        bool half = false;
        for (size_t i = 0; i < e->count; i++)
          if (is_ordered (pending_change (e->walk, i)))
            {
              e->choices[i] = seen++ < reached ? whole : absent;
              half = seen == reached + 1 && pending_change (e->walk, i)->follows;
              if (half)
                break;
            }
        if (half)
          break; /* a rename is one entry of the journal */
        ordered_bytes (e, fate, stopped);
        emit (e, reached == journal && fate == BYTES_WHOLE);
      }
  free (stopped);
}

void
crash_states (const struct crash_walk *walk, unsigned subsets_whole, uint64_t seed,
              crash_visit visit, void *data)
{
  struct enumeration e = {
    .walk = walk,
    .choices = calloc (walk->pending_count + 1, sizeof *e.choices),
    .count = walk->pending_count,
    .random = { seed ^ (walk->point * UINT64_C (0x9e3779b97f4a7c15)) },
    .visit = visit,
    .data = data,
  };
  if (walk->point > 0)
    {
      enum disk_change_kind newest = walk->journal->changes[walk->point - 1].kind;
      e.synced = newest == DISK_SYNC_FILE || newest == DISK_SYNC_DIRECTORY;
    }
  if (e.choices == NULL)
    abort ();
  if (walk->profile == CRASH_MINIMAL)
    minimal_states (&e, subsets_whole);
  else
    ordered_states (&e);
  free (e.choices);
}
