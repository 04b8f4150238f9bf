/* SPDX-License-Identifier: MIT */
#include "workload.h"

#include "anomalies.h"
#include "subject.h"

#include "base/random.h"
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define WINDOW 10u        /* keys in use at a time */
#define KEY_LIFE 40u      /* transactions between two moves of the window */
#define STEPS_MOST 6u     /* of a transaction */
#define APPEND_LIMIT 160u /* longer lists get no more elements */
#define THREADS_MOST 16u
#define ABANDONED_MOST 8u
#define LOOK_KEYS 5u /* read in one call */

const char *
workload_mode_name (enum workload_mode mode)
{
  static const char *names[WORKLOAD_MODES] = { "snapshot", "serializable", "mixed", "locked" };
  return names[mode];
}

unsigned
workload_allows (enum workload_mode mode)
{
  return mode == WORKLOAD_SNAPSHOT || mode == WORKLOAD_MIXED ? ANOMALIES_OF_SNAPSHOT : 0;
}

uint32_t
workload_keys (uint32_t transactions)
{
  return transactions / KEY_LIFE + 1 + WINDOW;
}

/* What the threads share. Relaxed: their order must come from the database alone. */
static _Atomic uint64_t clock_moment;
static _Atomic uint32_t begun; /* transactions */

struct worker
{
  const struct workload *workload;
  unsigned number;
  struct random random;
  struct history history;
  struct workload_totals totals;
  uint32_t elements; /* made so far */
  /* the transaction under way */
  struct subject_reader *reader;
  uint64_t invoked;
  enum level level;
  bool reads_only, locks;
  uint32_t base; /* of the window */
  struct
  {
    uint32_t key, element;
  } abandoned[ABANDONED_MOST]; /* appended, but rolled back to a savepoint */
  unsigned abandoned_count;
  uint32_t list[LIST_MOST];
  struct subject_item items[SCAN_MOST];
  uint32_t looks[LOOK_KEYS][LIST_MOST];
};

static uint64_t
moment (void)
{
  return atomic_fetch_add_explicit (&clock_moment, 1, memory_order_relaxed) + 1;
}

static void
maybe_yield (struct worker *worker)
{
  if (random_below (&worker->random, 1000) < worker->workload->yields)
    sched_yield ();
}

/* Elements of a thread that no other makes. */
static uint32_t
new_element (struct worker *worker)
{
  return ++worker->elements * worker->workload->threads + worker->number;
}

static uint32_t
any_key (struct worker *worker)
{
  return worker->base + (uint32_t) random_below (&worker->random, WINDOW);
}

static enum subject_sync
any_sync (struct worker *worker)
{
  uint64_t shape = random_below (&worker->random, 600);
  return shape == 0 ? SUBJECT_SYNC_FULL : shape < 30 ? SUBJECT_SYNC_NONE : SUBJECT_SYNC_ASYNC;
}

/* ---- steps ---- */

static uint32_t
read_key (struct worker *worker, uint32_t key)
{
  bool first = worker->locks && random_below (&worker->random, 2) == 0;
  if (first)
    subject_lock (worker->reader, key);
  uint32_t count = subject_get (worker->reader, key, worker->list);
  if (worker->locks && !first)
    subject_lock (worker->reader, key);
  history_read (&worker->history, key, worker->list, count);
  return count;
}

static void
append_to_key (struct worker *worker, uint32_t key)
{
  uint32_t count = read_key (worker, key);
  maybe_yield (worker);
  if (count >= APPEND_LIMIT)
    return;
  worker->list[count++] = new_element (worker);
  subject_put (worker->reader, key, worker->list, count);
  history_append (&worker->history, key, worker->list[count - 1]);
}

/* What was found, and that nothing was beside it, as far as the scan went. */
static void
scan_keys (struct worker *worker)
{
  uint32_t from = any_key (worker), to = from + 1 + (uint32_t) random_below (&worker->random, 8);
  bool backward = random_below (&worker->random, 2) == 0;
  unsigned most = random_below (&worker->random, 3) == 0
                      ? 1 + (unsigned) random_below (&worker->random, 3)
                      : SCAN_MOST;
  unsigned count = subject_scan (worker->reader, from, to, backward, most, worker->items);
  uint32_t key = backward ? to - 1 : from;
  for (unsigned i = 0; i <= count; i++)
    {
      if (i == count && count == most)
        break; /* it stopped there */
      uint32_t until = i < count ? worker->items[i].key : backward ? from - 1 : to;
      CHECK (i == count || (until >= from && until < to));
      CHECK (backward ? until <= key || i == count : until >= key);
      for (; key != until; backward ? key-- : key++)
        history_read (&worker->history, key, NULL, 0);
      if (i == count)
        break;
      history_read (&worker->history, key, worker->items[i].list, worker->items[i].count);
      key = backward ? key - 1 : key + 1;
    }
}

static void
delete_keys (struct worker *worker)
{
  bool one = random_below (&worker->random, 3) == 0;
  uint32_t from = any_key (worker);
  uint32_t to = from + 1 + (one ? 0 : (uint32_t) random_below (&worker->random, 4));
  if (one)
    subject_delete (worker->reader, from);
  else
    subject_delete_range (worker->reader, from, to);
  for (; from < to; from++)
    history_wipe (&worker->history, from);
}

/* An append that is taken back: nobody must ever see it. */
static void
append_in_vain (struct worker *worker)
{
  uint32_t key = any_key (worker);
  uint64_t savepoint = subject_savepoint (worker->reader);
  uint32_t count = read_key (worker, key);
  if (count >= APPEND_LIMIT || worker->abandoned_count == ABANDONED_MOST)
    return;
  worker->list[count++] = new_element (worker);
  subject_put (worker->reader, key, worker->list, count);
  worker->abandoned[worker->abandoned_count].key = key;
  worker->abandoned[worker->abandoned_count++].element = worker->list[count - 1];
  maybe_yield (worker);
  subject_rollback_to (worker->reader, savepoint);
}

static void
any_step (struct worker *worker)
{
  uint64_t shape = random_below (&worker->random, 100);
  if (worker->reads_only)
    shape %= 60;
  if (shape < 40)
    read_key (worker, any_key (worker));
  else if (shape < 60 && !worker->locks)
    scan_keys (worker);
  else if (shape < 92)
    append_to_key (worker, any_key (worker));
  else if (shape < 96 || !worker->workload->clears)
    append_in_vain (worker);
  else
    delete_keys (worker);
}

/* Now and then, between two transactions or two steps of one. */
static void
maintain (struct worker *worker)
{
  uint64_t shape = random_below (&worker->random, worker->workload->restless ? 2000 : 40000);
  if (shape < 16)
    subject_maintain (SUBJECT_FLUSH);
  else if (shape < 18)
    subject_maintain (SUBJECT_COMPACT);
  else if (shape < 40)
    subject_maintain (SUBJECT_EVICT);
  else if (shape == 40)
    subject_maintain (SUBJECT_CHECKPOINT);
}

/* ---- transactions ---- */

static void
end_transaction (struct worker *worker, bool committed, uint64_t snapshot, bool has_snapshot,
                 uint64_t sequence)
{
  struct transaction *it = &worker->history.transactions[worker->history.count - 1];
  it->committed = committed;
  it->level = worker->level;
  it->process = worker->number;
  it->invoked = worker->invoked;
  it->completed = moment ();
  it->has_snapshot = has_snapshot;
  it->snapshot = snapshot;
  it->sequence = sequence;
  worker->totals.transactions++;
  worker->totals.committed += committed;
  worker->totals.steps += it->count;
  struct transaction done = *it;
  if (worker->abandoned_count == 0)
    return;
  it = history_begin (&worker->history);
  size_t first = it->first;
  *it = done;
  it->committed = false;
  it->first = first;
  it->count = 0;
  for (unsigned i = 0; i < worker->abandoned_count; i++)
    history_append (&worker->history, worker->abandoned[i].key, worker->abandoned[i].element);
}

static void
choose_isolation (struct worker *worker, enum subject_isolation *isolation)
{
  enum workload_mode mode = worker->workload->mode;
  bool serializable = mode == WORKLOAD_SERIALIZABLE
                      || (mode == WORKLOAD_MIXED && random_below (&worker->random, 2) == 0);
  uint64_t shape = random_below (&worker->random, 10);
  *isolation = shape == 0     ? SUBJECT_READ_ONLY
               : shape == 1   ? SUBJECT_PLAIN
               : serializable ? SUBJECT_SERIALIZABLE
                              : SUBJECT_SNAPSHOT;
  worker->reads_only = shape < 2;
  worker->locks = mode == WORKLOAD_LOCKED && !worker->reads_only;
  /* What it must be as good as: with every read locked, as a serializable one. */
  worker->level = serializable || worker->locks ? LEVEL_SERIALIZABLE : LEVEL_SNAPSHOT;
}

static void
run_transaction (struct worker *worker)
{
  enum subject_isolation isolation;
  uint64_t sequence = 0;
  choose_isolation (worker, &isolation);
  history_begin (&worker->history);
  worker->abandoned_count = 0;
  worker->invoked = moment ();
  worker->reader = subject_begin (isolation);
  uint64_t snapshot = subject_snapshot (worker->reader);
  for (uint64_t steps = 1 + random_below (&worker->random, STEPS_MOST); steps > 0; steps--)
    {
      maybe_yield (worker);
      any_step (worker);
      if (worker->workload->restless)
        maintain (worker);
    }
  maybe_yield (worker);
  bool ends = random_below (&worker->random, 25) != 0, committed = false;
  if (!ends)
    subject_rollback (worker->reader);
  else
    committed = subject_commit (worker->reader, any_sync (worker), &sequence);
  worker->totals.rolled_back += !ends;
  worker->totals.conflicts += ends && !committed;
  end_transaction (worker, committed, snapshot, true, sequence);
}

/* Several keys in one call, without a transaction: they too are of one commit. */
static void
run_look (struct worker *worker)
{
  uint32_t keys[LOOK_KEYS], counts[LOOK_KEYS];
  worker->level = LEVEL_SERIALIZABLE;
  worker->abandoned_count = 0;
  history_begin (&worker->history);
  worker->reader = NULL;
  worker->invoked = moment ();
  if (random_below (&worker->random, 2) == 0)
    scan_keys (worker);
  else
    {
      for (unsigned i = 0; i < LOOK_KEYS; i++)
        keys[i] = any_key (worker);
      subject_look (keys, LOOK_KEYS, worker->looks, counts);
      for (unsigned i = 0; i < LOOK_KEYS; i++)
        history_read (&worker->history, keys[i], worker->looks[i], counts[i]);
    }
  end_transaction (worker, true, 0, false, 0);
}

/* Blind puts and deletes, in one call or one batch. */
static void
run_writes (struct worker *worker)
{
  struct subject_write writes[4];
  size_t count = random_below (&worker->random, 2) == 0 ? 1 : random_below (&worker->random, 3) + 2;
  worker->level = LEVEL_SERIALIZABLE;
  worker->abandoned_count = 0;
  history_begin (&worker->history);
  for (size_t i = 0; i < count; i++)
    {
      uint64_t shape = random_below (&worker->random, 8);
      struct subject_write *write = &writes[i];
      write->kind = shape < 5 ? WRITE_PUT : shape == 5 ? WRITE_DELETE : WRITE_DELETE_RANGE;
      write->key = any_key (worker);
      write->to = write->key + 1 + (uint32_t) random_below (&worker->random, 4);
      if (write->kind != WRITE_DELETE_RANGE)
        write->to = write->key + 1;
      for (uint32_t key = write->key; key < write->to; key++)
        history_wipe (&worker->history, key);
      if (write->kind != WRITE_PUT)
        continue;
      write->element = new_element (worker);
      history_append (&worker->history, write->key, write->element);
    }
  worker->invoked = moment ();
  uint64_t sequence = subject_write (writes, count, any_sync (worker));
  end_transaction (worker, true, 0, false, sequence);
}

static void *
worker_main (void *data)
{
  struct worker *worker = data;
  const struct workload *workload = worker->workload;
  for (;;)
    {
      uint32_t number = atomic_fetch_add_explicit (&begun, 1, memory_order_relaxed);
      if (number >= workload->transactions)
        return NULL;
      worker->base = workload->first_key + number / KEY_LIFE;
      uint64_t shape = random_below (&worker->random, 12);
      if (workload->clears && shape < 2)
        run_writes (worker);
      else if (shape == 2)
        run_look (worker);
      else
        run_transaction (worker);
      maintain (worker);
    }
}

/* ---- a run ---- */

/* Reads everything, when all have ended. */
static void
read_all (const struct workload *workload, struct history *history)
{
  uint64_t sequence;
  static uint32_t list[LIST_MOST];
  history_begin (history);
  uint64_t invoked = moment ();
  struct subject_reader *reader = subject_begin (SUBJECT_READ_ONLY);
  uint64_t snapshot = subject_snapshot (reader);
  for (uint32_t i = 0; i < workload_keys (workload->transactions) + 8; i++)
    {
      uint32_t key = workload->first_key + i, count = subject_get (reader, key, list);
      history_read (history, key, list, count);
    }
  CHECK (subject_commit (reader, SUBJECT_SYNC_ASYNC, &sequence));
  struct transaction *it = &history->transactions[history->count - 1];
  it->committed = it->has_snapshot = true;
  it->process = workload->threads;
  it->invoked = invoked;
  it->completed = moment ();
  it->snapshot = snapshot;
}

void
workload_run (const struct workload *workload, struct history *history,
              struct workload_totals *totals)
{
  pthread_t threads[THREADS_MOST];
  CHECK (workload->threads <= THREADS_MOST);
  struct worker *workers = calloc (workload->threads, sizeof *workers);
  CHECK (workers != NULL);
  begun = 0;
  clock_moment = 0;
  for (unsigned i = 0; i < workload->threads; i++)
    {
      workers[i].workload = workload;
      workers[i].number = i;
      workers[i].random = (struct random){ workload->seed * THREADS_MOST + i };
    }
  for (unsigned i = 0; i < workload->threads; i++)
    CHECK (pthread_create (&threads[i], NULL, worker_main, &workers[i]) == 0);
  for (unsigned i = 0; i < workload->threads; i++)
    {
      pthread_join (threads[i], NULL);
      history_add (history, &workers[i].history);
      history_clear (&workers[i].history);
      totals->transactions += workers[i].totals.transactions;
      totals->committed += workers[i].totals.committed;
      totals->conflicts += workers[i].totals.conflicts;
      totals->rolled_back += workers[i].totals.rolled_back;
      totals->steps += workers[i].totals.steps;
    }
  free (workers);
  read_all (workload, history);
}
