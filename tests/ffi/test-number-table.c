/* SPDX-License-Identifier: MIT */
/* number-table against a plain array: numbers that wrap round, slots that double, things that come
 * back late. */
#include "number-table.h"

#include "../engine/check.h"
#include "base/random.h"

#define THINGS 300u

static char things[THINGS]; /* only their addresses count */

struct model
{
  uint64_t numbers[THINGS]; /* 0: the thing has none */
  bool withdrawn[THINGS];   /* not released yet */
};

static void
check_all (struct number_table *table, const struct model *model)
{
  for (unsigned i = 0; i < THINGS; i++)
    if (model->numbers[i] != 0)
      CHECK (number_table_find (table, model->numbers[i])
             == (model->withdrawn[i] ? NULL : &things[i]));
}

static bool
count_visit (void *data, uint64_t number, void *thing)
{
  struct model *model = ((void **) data)[0];
  size_t *visits = ((void **) data)[1];
  CHECK (model->numbers[(char *) thing - things] == number);
  ++*visits;
  return true;
}

/* Each step gives, withdraws or releases one; at most `most` live at a time. */
static void
run (uint64_t first, uint64_t last, unsigned most, unsigned steps)
{
  struct number_table table = NUMBER_TABLE_INIT (first, last);
  struct model model = { 0 };
  struct random random = { last * 31 + most };
  uint64_t previous = 0;
  unsigned live = 0, wraps = 0;
  CHECK (number_table_find (&table, first) == NULL);
  CHECK (!number_table_withdraw (&table, first));
  for (unsigned step = 0; step < steps; step++)
    {
      unsigned i = (unsigned) random_below (&random, most);
      uint64_t *number = &model.numbers[i];
      if (*number == 0)
        {
          *number = number_table_add (&table, &things[i]);
          CHECK (*number >= first && *number <= last);
          for (unsigned k = 0; k < THINGS; k++)
            CHECK (k == i || model.numbers[k] != *number); /* N1, N3 */
          if (*number <= previous)
            wraps++;
          previous = *number;
          live++;
        }
      else if (!model.withdrawn[i])
        {
          CHECK (number_table_withdraw (&table, *number));
          CHECK (!number_table_withdraw (&table, *number));
          model.withdrawn[i] = true;
        }
      else
        {
          number_table_release (&table, *number, &things[i]);
          CHECK (number_table_find (&table, *number) == NULL);
          model.withdrawn[i] = false;
          *number = 0;
          live--;
        }
      if (step % 64 == 0)
        check_all (&table, &model);
    }
  size_t visits = 0, expected = 0;
  void *data[] = { &model, &visits };
  number_table_visit (&table, count_visit, data);
  for (unsigned i = 0; i < THINGS; i++)
    expected += model.numbers[i] != 0 && !model.withdrawn[i];
  CHECK_INT (visits, expected);
  CHECK_INT (table.taken, live);
  CHECK (last - first > 1000000 || wraps > 1);
  struct number_slots *slots = atomic_load (&table.newest);
  CHECK (slots->mask + 1 <= 4 * most || slots->mask + 1 == 64);
  while (slots != NULL)
    {
      struct number_slots *old = slots->previous;
      free (slots);
      slots = old;
    }
}

/* Beyond what it takes it refuses, and takes again when there is room. */
static void
test_full (void)
{
  struct number_table table = NUMBER_TABLE_INIT (4096, UINT64_C (1) << 30);
  uint64_t first = 0;
  for (uint32_t i = 0; i < NUMBER_TABLE_THINGS_MAX; i++)
    {
      uint64_t number = number_table_add (&table, &things[0]);
      CHECK_INT (number, 4096 + i);
      first = i == 0 ? number : first;
    }
  CHECK_INT (number_table_add (&table, &things[0]), 0);
  CHECK (number_table_withdraw (&table, first));
  CHECK_INT (number_table_add (&table, &things[0]), 0);
  number_table_release (&table, first, &things[0]);
  CHECK (number_table_add (&table, &things[0]) != 0);
  for (struct number_slots *slots = atomic_load (&table.newest), *old; slots != NULL; slots = old)
    {
      old = slots->previous;
      free (slots);
    }
}

int
main (void)
{
  run (4096, 4096 + 4000, 100, 60000);
  run (1, 1300, THINGS, 60000);
  run (1, UINT64_MAX, 7, 20000);
  run (UINT64_C (1) << 30, (UINT64_C (1) << 31) - 1, THINGS, 60000);
  test_full ();
  return 0;
}
