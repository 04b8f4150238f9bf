/* SPDX-License-Identifier: MIT */
/*
 * number-table: gives things numbers, counting up, and finds them by number without a lock.
 *
 *   number 70 412, of 256 slots:   70 412 mod 256 = 12   ──►  slot 12 { number 70 412, thing }
 *
 * A thing's slot is its number modulo the count of slots; a number whose slot is taken is passed
 * over. So a number is looked for in one place, and doubling the slots moves things without
 * collisions. At most half of the slots are taken.
 *
 * Invariants
 *   N1  A number is given to one thing at a time, and again only after all others of the range.
 *   N2  Numbers of live things are in the newest slots. Old slots are kept as they were, so that
 *       who still looks at them finds what was there (together they are no larger than the newest).
 *   N3  A slot whose number was withdrawn is not given to another thing before it is released.
 *
 * number_table_find touches no thing. Whether the thing it returns is still that of the number is
 * for the caller to make sure: handles lock it first (cell.h), databases publish that they use the
 * number (place.h).
 *
 * Threads: any. A fork waits while a number is being given or withdrawn.
 */
#ifndef LIGHTNING_FFI_NUMBER_TABLE_H
#define LIGHTNING_FFI_NUMBER_TABLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_TABLE_THINGS_MAX (UINT32_C (1) << 20) /* at once */

struct number_slot
{
  _Atomic uint64_t number; /* 0: free, or withdrawn and not released */
  _Atomic (void *) thing;  /* NULL: free */
};

struct number_slots
{
  uint64_t mask;                 /* count of slots, a power of two, minus one */
  struct number_slots *previous; /* half as many, as they were (N2) */
  struct number_slot slots[];
};

struct number_table
{
  uint64_t first, last;                   /* numbers given out, both included; first > 0 */
  _Atomic (struct number_slots *) newest; /* NULL before the first number */
  pthread_mutex_t lock;                   /* for all changes */
  uint64_t next;                          /* to be tried; 0 = first; lock */
  size_t taken;                           /* slots not free; lock */
};

#define NUMBER_TABLE_INIT(first_number, last_number)                                               \
  {                                                                                                \
    .first = (first_number), .last = (last_number), .lock = PTHREAD_MUTEX_INITIALIZER              \
  }

/* 0 when out of memory, or when NUMBER_TABLE_THINGS_MAX are there. */
uint64_t number_table_add (struct number_table *table, void *thing);
/* From here on it is not found. False when it was not there: somebody else was first. */
bool number_table_withdraw (struct number_table *table, uint64_t number);
/* Its slot may be given to another. `thing` is only compared. */
void number_table_release (struct number_table *table, uint64_t number, const void *thing);
/* Calls `visit` for each thing, with the lock held; until it returns false. */
void number_table_visit (struct number_table *table,
                         bool (*visit) (void *data, uint64_t number, void *thing), void *data);

static inline void *
number_table_find (struct number_table *table, uint64_t number)
{
  struct number_slots *slots = atomic_load_explicit (&table->newest, memory_order_acquire);
  if (__builtin_expect (slots == NULL || number == 0, 0))
    return NULL;
  struct number_slot *slot = &slots->slots[number & slots->mask];
  if (__builtin_expect (atomic_load_explicit (&slot->number, memory_order_acquire) != number, 0))
    return NULL;
  return atomic_load_explicit (&slot->thing, memory_order_acquire);
}

#endif
