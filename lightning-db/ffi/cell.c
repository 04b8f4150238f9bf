/* SPDX-License-Identifier: MIT */
#include "cell.h"

#include <stdlib.h>

/* Cells of transactions stay such: so locks are always taken in one order. */
struct cell_set
{
  struct number_table table;
  pthread_mutex_t pool_lock;
  struct cell *free; /* pool_lock */
  struct cell *all;  /* pool_lock */
};

static struct cell_set handles = {
  .table = NUMBER_TABLE_INIT (UINT64_C (1) << 30, (UINT64_C (1) << 31) - 1),
  .pool_lock = PTHREAD_MUTEX_INITIALIZER,
};
static struct cell_set transactions = {
  .table = NUMBER_TABLE_INIT (1, UINT64_MAX),
  .pool_lock = PTHREAD_MUTEX_INITIALIZER,
};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct cell_set *
set_of (enum cell_kind kind)
{
  return kind == CELL_TRANSACTION ? &transactions : &handles;
}

/* ---- forks ---- */

static void
set_before_fork (struct cell_set *set)
{
  pthread_mutex_lock (&set->table.lock);
  pthread_mutex_lock (&set->pool_lock);
}

static void
set_after_fork (struct cell_set *set)
{
  pthread_mutex_unlock (&set->pool_lock);
  pthread_mutex_unlock (&set->table.lock);
}

static void
before_fork (void)
{
  set_before_fork (&handles);
  set_before_fork (&transactions);
}

static void
after_fork (void)
{
  set_after_fork (&transactions);
  set_after_fork (&handles);
}

/* The locks of cells may be held by threads that are gone (H3). */
static void
after_fork_in_child (void)
{
  for (struct cell *cell = handles.all; cell != NULL; cell = cell->next)
    pthread_mutex_init (&cell->lock, NULL);
  for (struct cell *cell = transactions.all; cell != NULL; cell = cell->next)
    pthread_mutex_init (&cell->lock, NULL);
  after_fork ();
}

static void
watch_forks (void)
{
  pthread_atfork (before_fork, after_fork, after_fork_in_child);
}

/* ---- the pool ---- */

static struct cell *
pool_get (struct cell_set *set)
{
  pthread_mutex_lock (&set->pool_lock);
  struct cell *cell = set->free;
  if (cell != NULL)
    set->free = cell->next_free;
  else if ((cell = calloc (1, sizeof *cell)) != NULL)
    {
      pthread_mutex_init (&cell->lock, NULL);
      cell->next = set->all;
      set->all = cell;
    }
  pthread_mutex_unlock (&set->pool_lock);
  return cell;
}

static void
pool_put (struct cell_set *set, struct cell *cell)
{
  pthread_mutex_lock (&set->pool_lock);
  cell->next_free = set->free;
  set->free = cell;
  pthread_mutex_unlock (&set->pool_lock);
}

/* ---- cells ---- */

LightningDBError
cell_add (struct caller *caller, enum cell_kind kind, void *thing, struct cell **out)
{
  pthread_once (&once, watch_forks);
  struct cell_set *set = set_of (kind);
  struct cell *cell = *out = pool_get (set);
  if (cell == NULL)
    return caller_fail (caller, OutOfMemory, "there is no memory for another handle");
  pthread_mutex_lock (&cell->lock);
  uint64_t number = number_table_add (&set->table, cell);
  if (number == 0)
    {
      pthread_mutex_unlock (&cell->lock);
      pool_put (set, cell);
      *out = NULL;
      return caller_fail_full (caller);
    }
  cell->number = number;
  cell->kind = kind;
  cell->fork_generation = caller_fork_generation;
  cell->thing = thing;
  return Success;
}

static LightningDBError
refuse (struct caller *caller, enum cell_kind kind, uint64_t number, const char *what)
{
  if (kind == CELL_TRANSACTION)
    return caller_fail (
        caller, InvalidTransaction,
        "there is no transaction %llu: it was committed or aborted already, or never "
        "begun; begin a new one",
        (unsigned long long) number);
  if (number == 0)
    return caller_null (caller, what);
  return caller_fail (caller, InvalidHandle,
                      "%s (%#llx) is no handle of its kind: it was freed already, or never made",
                      what, (unsigned long long) number);
}

/* NULL or locked. */
static struct cell *
find (enum cell_kind kind, uint64_t number)
{
  struct cell *cell = number_table_find (&set_of (kind)->table, number);
  if (cell == NULL)
    return NULL;
  pthread_mutex_lock (&cell->lock);
  if (cell->number == number && cell->kind == kind)
    return cell;
  pthread_mutex_unlock (&cell->lock);
  return NULL;
}

static bool
is_inherited (const struct cell *cell)
{
  return cell->kind != CELL_CONFIG && cell->fork_generation != caller_fork_generation;
}

LightningDBError
cell_enter (struct caller *caller, enum cell_kind kind, uint64_t number, const char *what,
            struct cell **out)
{
  struct cell *cell = find (kind, number);
  *out = cell;
  if (__builtin_expect (cell == NULL, 0))
    return refuse (caller, kind, number, what);
  if (__builtin_expect (is_inherited (cell), 0))
    {
      cell_leave (cell);
      *out = NULL;
      return caller_fail (caller, ForkedProcess,
                          "%s was made by the parent process; make one in this process", what);
    }
  return Success;
}

void *
cell_take (struct cell *cell)
{
  struct cell_set *set = set_of (cell->kind);
  uint64_t number = cell->number;
  void *thing = cell->thing;
  cell->number = 0;
  cell->thing = NULL;
  pthread_mutex_unlock (&cell->lock);
  number_table_withdraw (&set->table, number);
  number_table_release (&set->table, number, cell);
  pool_put (set, cell);
  return thing;
}

LightningDBError
cell_remove (struct caller *caller, enum cell_kind kind, uint64_t number, const char *what,
             void **thing)
{
  struct cell *cell = find (kind, number);
  *thing = NULL;
  if (cell == NULL)
    return refuse (caller, kind, number, what);
  bool inherited = is_inherited (cell);
  void *taken = cell_take (cell);
  *thing = inherited ? NULL : taken;
  return Success;
}

bool
cell_knows (uint64_t number)
{
  return number_table_find (&handles.table, number) != NULL;
}
