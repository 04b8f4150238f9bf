/* SPDX-License-Identifier: MIT */
/* Rows that read and write at once, and rows about the database as a whole. */
#include "workload.h"

#include <signal.h>
#include <stdio.h>

#define MIXED_READS 80     /* of a hundred operations */
#define TRANSACTION_PUTS 3 /* of ten operations: six gets, three puts, a delete taken back */
#define OPEN_CYCLES 100    /* of opening, one read and closing */
#define SETTLE_LIMIT 600   /* seconds to wait for an engine to come to rest */

bool
workload_mixed (struct worker *worker)
{
  while (worker_goes_on (worker))
    {
      bool reads = generator_random_below (&worker->random, 100) < MIXED_READS;
      if (!(reads ? worker_get (worker, worker_any_record (worker))
                  : worker_overwrite (worker, worker_own_record (worker))))
        return false;
    }
  return true;
}

/* Worker 0 reads as long as it may; the others overwrite at full speed until it is done. */
bool
workload_readwhilewriting (struct worker *worker)
{
  if (worker->number == 0)
    {
      bool done = workload_readrandom (worker);
      atomic_store (worker->stop, true);
      return done;
    }
  worker->limit = UINT64_MAX;
  worker->deadline = UINT64_MAX;
  return workload_overwrite (worker);
}

/* One get within a transaction, which must see the transaction's own puts. */
static bool
transaction_read (struct worker *worker, uint64_t record, uint32_t version, bool deleted)
{
  const struct benchmark *benchmark = worker->benchmark;
  char key[GENERATOR_KEY_MAXIMUM];
  size_t size = 0;
  generator_key (benchmark->generator, record, key);
  enum driver_answer answer = benchmark->driver->transaction_get (
      worker->session, (struct driver_bytes){ key, benchmark->options.key_size }, worker->buffer,
      benchmark->options.value_size, &size);
  if (answer == DRIVER_FAILED)
    return false;
  if (answer == DRIVER_ABSENT)
    return deleted || worker_fail_record (worker, record, "did not find");
  if (deleted)
    return worker_fail_record (worker, record, "found what was deleted of");
  return generator_matches (benchmark->generator, record, version, worker->buffer, size)
         || worker_fail_record (worker, record, "read a wrong value of");
}

static bool
transaction_write (struct worker *worker, uint64_t record, uint32_t version, bool deletes_first)
{
  const struct benchmark *benchmark = worker->benchmark;
  char name[GENERATOR_KEY_MAXIMUM];
  generator_key (benchmark->generator, record, name);
  generator_value (benchmark->generator, record, version, worker->value);
  struct driver_bytes key = { name, benchmark->options.key_size };
  if (deletes_first && !benchmark->driver->transaction_remove (worker->session, key))
    return false;
  return benchmark->driver->transaction_put (
      worker->session, key, (struct driver_bytes){ worker->value, benchmark->options.value_size });
}

/* What a transaction has put, until it is committed: no other worker is to expect it. */
struct pending
{
  unsigned count;                      /* of records */
  uint64_t records[TRANSACTION_PUTS];  /* each once */
  uint32_t versions[TRANSACTION_PUTS]; /* that were put */
};

/* Where a record is in it, or will be. */
static unsigned
pending_find (const struct pending *pending, uint64_t record)
{
  unsigned place = 0;
  while (place < pending->count && pending->records[place] != record)
    place++;
  return place;
}

/* Read a record, put its next version, read that. */
static bool
transact_once (struct worker *worker, struct pending *pending, uint64_t record, bool deletes_first)
{
  unsigned place = pending_find (pending, record);
  uint32_t state = worker_state_of (worker, record), old = workload_state_version (state);
  bool again = place < pending->count, deleted = !again && workload_state_absent (state);
  uint32_t next = old + 1, seen = again ? next : old;
  if (!transaction_read (worker, record, seen, deleted)
      || !transaction_write (worker, record, next, deletes_first)
      || !transaction_read (worker, record, next, false))
    return false;
  pending->records[place] = record;
  pending->versions[place] = next;
  pending->count += place == pending->count ? 1 : 0;
  return true;
}

/* Three times; the last put follows a delete. */
bool
worker_transact (struct worker *worker, uint64_t (*pick) (struct worker *worker))
{
  const struct driver *driver = worker->benchmark->driver;
  struct pending pending = { 0 };
  if (!driver->transaction_begin (worker->session))
    return false;
  for (unsigned i = 0; i < TRANSACTION_PUTS; i++)
    if (!transact_once (worker, &pending, pick (worker), i == TRANSACTION_PUTS - 1))
      return false;
  if (!driver->transaction_commit (worker->session))
    return false;
  for (unsigned i = 0; i < pending.count; i++)
    worker_set_state (worker, pending.records[i], workload_state (pending.versions[i], false));
  return true;
}

bool
workload_transactions (struct worker *worker)
{
  while (worker_goes_on (worker))
    {
      uint64_t begun = worker_call_begins (worker);
      if (!worker_transact (worker, worker_own_record))
        return false;
      worker_call_ends (worker, begun);
    }
  return true;
}

/* Until neither processor nor disk is used; the time counts up to the last sign of work. */
bool
workload_settle (struct benchmark *benchmark, struct worker *worker)
{
  uint64_t begun = latency_now ();
  if (benchmark->driver->settle != NULL && !benchmark->driver->settle (benchmark->database))
    return false;
  uint64_t told = latency_now () - begun;
  uint64_t idle = measure_wait_idle (begun, SETTLE_LIMIT * UINT64_C (1000000000));
  worker->begun = begun;
  worker->ended = begun + (idle > told && idle - told > 100000000 ? idle : told);
  worker->operations = 1;
  return true;
}

bool
workload_compact (struct benchmark *benchmark, struct worker *worker)
{
  worker->operations = 1;
  worker->begun = latency_now ();
  bool done
      = benchmark->driver->compact == NULL || benchmark->driver->compact (benchmark->database);
  worker->ended = latency_now ();
  return done;
}

/* Open, read one record, close. Every opening up to its read is timed. */
bool
workload_openclose (struct benchmark *benchmark, struct worker *worker)
{
  const struct driver *driver = benchmark->driver;
  if (!driver->close (benchmark->database))
    return false;
  worker->begun = latency_now ();
  for (;;)
    {
      uint64_t opened = latency_now ();
      benchmark->database = driver->open (&benchmark->options);
      if (benchmark->database == NULL || !benchmark_first_read (benchmark, opened))
        return false;
      latency_record (&worker->latency, benchmark->first_read);
      worker->operations++;
      if (worker->operations >= OPEN_CYCLES || !worker_has_time (worker))
        break;
      if (!driver->close (benchmark->database))
        return false;
    }
  worker->ended = latency_now ();
  return true;
}

/* The process ends here as by a crash: nothing is closed. */
bool
workload_kill (struct benchmark *benchmark, struct worker *worker)
{
  fflush (NULL);
  raise (SIGKILL);
  return driver_fail ("the process could not be killed");
}
