/* SPDX-License-Identifier: MIT */
#include "number-table.h"

#include <stdlib.h>

#define SLOTS_MIN 64u

/* Makes twice as many slots; the lock is held. False when out of memory. */
static bool
grow (struct number_table *table)
{
  struct number_slots *old = atomic_load_explicit (&table->newest, memory_order_relaxed);
  size_t count = old == NULL ? SLOTS_MIN : 2 * (size_t) (old->mask + 1);
  struct number_slots *slots = calloc (1, sizeof *slots + count * sizeof slots->slots[0]);
  if (slots == NULL)
    return false;
  slots->mask = count - 1;
  slots->previous = old;
  for (size_t i = 0; old != NULL && i <= old->mask; i++)
    {
      uint64_t number = atomic_load_explicit (&old->slots[i].number, memory_order_relaxed);
      if (number == 0)
        continue;
      struct number_slot *slot = &slots->slots[number & slots->mask];
      atomic_init (&slot->thing, atomic_load_explicit (&old->slots[i].thing, memory_order_relaxed));
      atomic_init (&slot->number, number);
    }
  atomic_store_explicit (&table->newest, slots, memory_order_release);
  return true;
}

/* The next number whose slot is free; the lock is held, and there is one. */
static uint64_t
choose (struct number_table *table, struct number_slots *slots)
{
  uint64_t number = table->next != 0 ? table->next : table->first;
  while (atomic_load_explicit (&slots->slots[number & slots->mask].thing, memory_order_relaxed)
         != NULL)
    number = number == table->last ? table->first : number + 1;
  table->next = number == table->last ? table->first : number + 1;
  return number;
}

uint64_t
number_table_add (struct number_table *table, void *thing)
{
  uint64_t number = 0;
  pthread_mutex_lock (&table->lock);
  struct number_slots *slots = atomic_load_explicit (&table->newest, memory_order_relaxed);
  bool crowded = slots == NULL || table->taken >= (slots->mask + 1) / 2;
  if (table->taken < NUMBER_TABLE_THINGS_MAX && (!crowded || grow (table)))
    {
      slots = atomic_load_explicit (&table->newest, memory_order_relaxed);
      number = choose (table, slots);
      struct number_slot *slot = &slots->slots[number & slots->mask];
      atomic_store_explicit (&slot->thing, thing, memory_order_relaxed);
      atomic_store_explicit (&slot->number, number, memory_order_release);
      table->taken++;
    }
  pthread_mutex_unlock (&table->lock);
  return number;
}

bool
number_table_withdraw (struct number_table *table, uint64_t number)
{
  bool there = false;
  pthread_mutex_lock (&table->lock);
  if (number_table_find (table, number) != NULL)
    {
      struct number_slots *slots = atomic_load_explicit (&table->newest, memory_order_relaxed);
      atomic_store_explicit (&slots->slots[number & slots->mask].number, 0, memory_order_relaxed);
      there = true;
    }
  pthread_mutex_unlock (&table->lock);
  return there;
}

void
number_table_release (struct number_table *table, uint64_t number, const void *thing)
{
  pthread_mutex_lock (&table->lock);
  struct number_slots *slots = atomic_load_explicit (&table->newest, memory_order_relaxed);
  struct number_slot *slot = &slots->slots[number & slots->mask];
  /* Growing passes over what was withdrawn, so the slot may be another's by now. */
  if (atomic_load_explicit (&slot->number, memory_order_relaxed) == 0
      && atomic_load_explicit (&slot->thing, memory_order_relaxed) == thing)
    atomic_store_explicit (&slot->thing, NULL, memory_order_relaxed);
  table->taken--;
  pthread_mutex_unlock (&table->lock);
}

void
number_table_visit (struct number_table *table,
                    bool (*visit) (void *data, uint64_t number, void *thing), void *data)
{
  pthread_mutex_lock (&table->lock);
  struct number_slots *slots = atomic_load_explicit (&table->newest, memory_order_relaxed);
  for (size_t i = 0; slots != NULL && i <= slots->mask; i++)
    {
      uint64_t number = atomic_load_explicit (&slots->slots[i].number, memory_order_relaxed);
      void *thing = atomic_load_explicit (&slots->slots[i].thing, memory_order_relaxed);
      if (number != 0 && !visit (data, number, thing))
        break;
    }
  pthread_mutex_unlock (&table->lock);
}
