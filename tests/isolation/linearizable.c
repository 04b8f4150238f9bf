/* SPDX-License-Identifier: MIT */
#include "linearizable.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A place of the search. Two searches that come to the same one go on alike. */
struct place
{
  uint64_t done; /* operations, a bit for each */
  uint64_t held; /* by the register */
};

/* An open-addressed set of places. */
struct places
{
  struct place *slots; /* malloc'd; a place with nothing done is no entry */
  size_t count, room;  /* room is a power of two */
};

static size_t
slot_of (const struct places *places, struct place place)
{
  uint64_t hash
      = (place.done * UINT64_C (0x9e3779b97f4a7c15) ^ place.held) * UINT64_C (0xbf58476d1ce4e5b9);
  size_t slot = (hash ^ hash >> 29) & (places->room - 1);
  while (places->slots[slot].done != 0
         && (places->slots[slot].done != place.done || places->slots[slot].held != place.held))
    slot = (slot + 1) & (places->room - 1);
  return slot;
}

static void
grow (struct places *places)
{
  struct places larger = { .room = places->room == 0 ? 256 : places->room * 2 };
  larger.slots = calloc (larger.room, sizeof *larger.slots);
  if (larger.slots == NULL)
    abort ();
  for (size_t i = 0; i < places->room; i++)
    if (places->slots[i].done != 0)
      larger.slots[slot_of (&larger, places->slots[i])] = places->slots[i];
  larger.count = places->count;
  free (places->slots);
  *places = larger;
}

/* False: it was there already. */
static bool
add_place (struct places *places, struct place place)
{
  if (places->count * 2 >= places->room)
    grow (places);
  size_t slot = slot_of (places, place);
  if (places->slots[slot].done != 0)
    return false;
  places->slots[slot] = place;
  places->count++;
  return true;
}

/* What the register holds afterwards; false: the operation can't have happened here. */
static bool
apply (const struct register_operation *operation, uint64_t *held)
{
  if (operation->kind == REGISTER_READ)
    return operation->value == *held;
  if (operation->kind == REGISTER_CHANGE && operation->expected != *held)
    return false;
  *held = operation->value;
  return true;
}

/* The earliest return of those not done: what was called later can't come next. */
static uint64_t
first_return (const struct register_operation *operations, size_t count, uint64_t done)
{
  uint64_t first = UINT64_MAX;
  for (size_t i = 0; i < count; i++)
    if ((done >> i & 1) == 0 && operations[i].returned < first)
      first = operations[i].returned;
  return first;
}

struct frame
{
  struct place place;
  uint64_t until; /* first_return there */
  size_t next;    /* operation to try */
};

bool
window_is_linearizable (const struct register_operation *operations, size_t count, uint64_t initial)
{
  struct frame frames[WINDOW_OPERATIONS_MOST + 1];
  struct places places = { 0 };
  size_t depth = 0;
  if (count > WINDOW_OPERATIONS_MOST)
    abort ();
  frames[0] = (struct frame){ { 0, initial }, first_return (operations, count, 0), 0 };
  while (depth < count)
    {
      struct frame *frame = &frames[depth];
      size_t i = frame->next++;
      if (i == count) /* nothing can come next */
        {
          if (depth == 0)
            break;
          depth--;
          continue;
        }
      struct place place = frame->place;
      if ((place.done >> i & 1) != 0 || operations[i].called > frame->until
          || !apply (&operations[i], &place.held))
        continue;
      place.done |= UINT64_C (1) << i;
      if (!add_place (&places, place))
        continue;
      frames[++depth] = (struct frame){ place, first_return (operations, count, place.done), 0 };
    }
  free (places.slots);
  return depth == count;
}

void
window_print (const struct register_operation *operations, size_t count, FILE *to)
{
  static const char *names[] = { "read", "write", "change" };
  for (size_t i = 0; i < count; i++)
    {
      const struct register_operation *it = &operations[i];
      fprintf (to, "  thread %" PRIu32 ", %" PRIu64 "–%" PRIu64 ": %s", it->thread, it->called,
               it->returned, names[it->kind]);
      if (it->kind == REGISTER_CHANGE)
        fprintf (to, " %" PRIu64 " to", it->expected);
      fprintf (to, " %" PRIu64 "\n", it->value);
    }
}
