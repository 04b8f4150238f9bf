/* SPDX-License-Identifier: MIT */
#include "mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLISHED_EVERY 50000000 /* ns until what a worker did is on the board */
#define LOOKED_EVERY 16          /* operations until the clock is looked at */
#define SCAN_REACH 64u           /* records that a scan looks at, if some of them are deleted */

const struct mix_name mix_kind_names[MIX_KINDS] = {
  /* Translators: kinds of operations in a load test */
  [MIX_GET] = { "reads", WORKLOAD_TEXT ("Reads") },
  /* Translators: reads of keys that are not there */
  [MIX_MISSING] = { "missing", WORKLOAD_TEXT ("Reads of missing keys") },
  [MIX_PUT] = { "writes", WORKLOAD_TEXT ("Writes") },
  [MIX_SCAN] = { "scans", WORKLOAD_TEXT ("Scans") },
  [MIX_TRANSACTION] = { "transactions", WORKLOAD_TEXT ("Transactions") },
  [MIX_DELETE] = { "deletes", WORKLOAD_TEXT ("Deletions") },
};

const struct mix_name mix_order_names[MIX_ORDERS] = {
  /* Translators: which keys a load test uses */
  [MIX_EVENLY] = { "evenly", WORKLOAD_TEXT ("All alike") },
  /* Translators: a hundredth of the keys, some of them far more often than others */
  [MIX_HOT] = { "hot", WORKLOAD_TEXT ("A hot hundredth") },
  [MIX_IN_ORDER] = { "in-order", WORKLOAD_TEXT ("In order") },
};

const struct mix_preset mix_presets[] = {
  { "mixed", { [MIX_GET] = 80, [MIX_PUT] = 20 }, MIX_EVENLY, false },
  { "readrandom", { [MIX_GET] = 100 }, MIX_EVENLY, false },
  { "readhot", { [MIX_GET] = 100 }, MIX_HOT, false },
  { "readmissing", { [MIX_MISSING] = 100 }, MIX_EVENLY, false },
  { "seek", { [MIX_SCAN] = 100 }, MIX_EVENLY, false },
  { "overwrite", { [MIX_PUT] = 100 }, MIX_EVENLY, false },
  { "fillsync", { [MIX_PUT] = 100 }, MIX_EVENLY, true },
  { "transactions", { [MIX_TRANSACTION] = 100 }, MIX_EVENLY, false },
  { "deleterandom", { [MIX_DELETE] = 100 }, MIX_EVENLY, false },
  { NULL },
};

bool
mix_deletes (const struct benchmark *benchmark)
{
  return benchmark->mix != NULL && benchmark->mix->shares[MIX_DELETE] > 0;
}

/* ---- Tally and board ---- */

void
mix_tally_add (struct mix_tally *into, const struct mix_tally *from)
{
  for (unsigned kind = 0; kind < MIX_KINDS; kind++)
    {
      into->operations[kind] += from->operations[kind];
      if (from->latencies[kind].count > 0)
        latency_merge (&into->latencies[kind], &from->latencies[kind]);
    }
  into->wrong += from->wrong;
}

void
mix_board_init (struct mix_board *board)
{
  memset (board, 0, sizeof *board);
  pthread_mutex_init (&board->lock, NULL);
}

void
mix_board_clear (struct mix_board *board)
{
  pthread_mutex_destroy (&board->lock);
}

void
mix_board_read (struct mix_board *board, struct mix_tally *tally)
{
  pthread_mutex_lock (&board->lock);
  *tally = board->tally;
  pthread_mutex_unlock (&board->lock);
}

static void
publish (struct mix_board *board, struct mix_tally *tally)
{
  pthread_mutex_lock (&board->lock);
  mix_tally_add (&board->tally, tally);
  if (tally->wrong > 0 && board->wrong[0] == '\0')
    snprintf (board->wrong, sizeof board->wrong, "%s", driver_failure ());
  pthread_mutex_unlock (&board->lock);
  memset (tally, 0, sizeof *tally);
}

/* ---- Which record ---- */

static uint64_t
pick (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  switch (benchmark->mix->order)
    {
    case MIX_HOT:
      return generator_shuffle (benchmark->generator,
                                generator_zipf_next (&benchmark->hot, &worker->random));
    case MIX_IN_ORDER:
      return worker->place++ % benchmark->options.records;
    case MIX_EVENLY:
    default:
      return worker_any_record (worker);
    }
}

/* One near it that only this worker writes. */
static uint64_t
pick_own (struct worker *worker)
{
  uint64_t record = pick (worker);
  record = record - record % worker->threads + worker->number;
  return record < worker->benchmark->options.records ? record : record - worker->threads;
}

/* ---- Kinds ---- */

static bool
do_get (struct worker *worker)
{
  return worker_get (worker, pick (worker));
}

static bool
do_missing (struct worker *worker)
{
  return worker_get_missing (worker, pick (worker));
}

static bool
do_put (struct worker *worker)
{
  return worker_overwrite (worker, pick_own (worker));
}

static bool
do_delete (struct worker *worker)
{
  return worker_delete (worker, pick_own (worker));
}

/* The place from `place` on of the record that a key must be; those that may be gone are passed over.
 * `before`: their states before the scan began; `key` NULL: it is at its end. */
static unsigned
find_place (struct worker *worker, uint64_t record, const uint32_t *before, unsigned reach,
            unsigned place, const struct driver_bytes *key)
{
  while (place < reach && (key == NULL || !worker_is_key_of (worker, record + place, *key))
         && worker_may_be_absent (worker, record + place, before[place]))
    place++;
  return place;
}

/* Ten records, or what is left of `reach` of them when others are deleted. */
static bool
scan_records (struct worker *worker, uint64_t record, const uint32_t *before, unsigned reach)
{
  unsigned place = 0;
  for (unsigned found = 0; found < WORKLOAD_SCAN_LENGTH; found++)
    {
      struct driver_bytes key, value;
      enum driver_answer answer
          = worker->benchmark->driver->scan_next (worker->session, &key, &value);
      if (answer == DRIVER_FAILED)
        return false;
      place
          = find_place (worker, record, before, reach, place, answer == DRIVER_FOUND ? &key : NULL);
      if (place == reach)
        break;
      if (answer == DRIVER_ABSENT)
        return worker_fail_record (worker, record + place, "did not find");
      if (!worker_verify_record (worker, record + place, before[place], key, value))
        return false;
      place++;
    }
  return true;
}

/* Each sees the database as it is when it begins. */
static bool
do_scan (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  uint64_t last = benchmark->options.records - WORKLOAD_SCAN_LENGTH;
  uint64_t record = pick (worker);
  uint32_t before[SCAN_REACH];
  record = record <= last ? record : last;
  unsigned reach = mix_deletes (benchmark) ? SCAN_REACH : WORKLOAD_SCAN_LENGTH;
  if (reach > benchmark->options.records - record)
    reach = (unsigned) (benchmark->options.records - record);
  for (unsigned i = 0; i < reach; i++)
    before[i] = worker_state_of (worker, record + i);
  char name[GENERATOR_KEY_MAXIMUM];
  generator_key (benchmark->generator, record, name);
  uint64_t begun = worker_call_begins (worker);
  if (!benchmark->driver->scan_begin (worker->session, false))
    return false;
  bool sound = benchmark->driver->scan_seek (
                   worker->session, (struct driver_bytes){ name, benchmark->options.key_size })
               && scan_records (worker, record, before, reach);
  benchmark->driver->scan_end (worker->session);
  worker_call_ends (worker, begun);
  return sound;
}

static bool
do_transaction (struct worker *worker)
{
  uint64_t begun = worker_call_begins (worker);
  bool sound = worker_transact (worker, pick_own);
  worker_call_ends (worker, begun);
  return sound;
}

static bool (*const operations[MIX_KINDS]) (struct worker *worker) = {
  [MIX_GET] = do_get,   [MIX_MISSING] = do_missing,         [MIX_PUT] = do_put,
  [MIX_SCAN] = do_scan, [MIX_TRANSACTION] = do_transaction, [MIX_DELETE] = do_delete,
};

/* ---- The row ---- */

static enum mix_kind
draw (const struct mix *mix, unsigned sum, struct generator_random *random)
{
  uint64_t drawn = generator_random_below (random, sum);
  enum mix_kind kind = MIX_GET;
  while (drawn >= mix->shares[kind])
    drawn -= mix->shares[kind++];
  return kind;
}

/* Does an operation and counts it. FALSE: the engine failed. */
static bool
do_one (struct worker *worker, enum mix_kind kind, struct mix_tally *tally)
{
  uint64_t wrong = worker->wrong;
  worker->calls = &tally->latencies[kind];
  if (!operations[kind](worker) && worker->wrong == wrong)
    return false;
  tally->wrong += worker->wrong - wrong;
  tally->operations[kind]++;
  worker->operations++;
  return true;
}

static bool
is_stopped (const struct worker *worker)
{
  const struct workload_settings *settings = &worker->benchmark->settings;
  return atomic_load_explicit (worker->stop, memory_order_relaxed)
         || (settings->stopped != NULL && settings->stopped (settings->stopped_data));
}

static bool
work_on (struct worker *worker, const struct mix *mix, struct mix_tally *tally)
{
  unsigned sum = 0;
  uint64_t published = latency_now ();
  for (unsigned kind = 0; kind < MIX_KINDS; kind++)
    sum += mix->shares[kind];
  while (!is_stopped (worker))
    {
      enum mix_kind kind = draw (mix, sum, &worker->random);
      if (!do_one (worker, kind, tally))
        return false;
      if (worker->operations % LOOKED_EVERY != 0 && kind != MIX_PUT && kind != MIX_DELETE)
        continue;
      uint64_t now = latency_now ();
      if (now > worker->deadline)
        break;
      if (now - published < PUBLISHED_EVERY)
        continue;
      publish (mix->board, tally);
      published = now;
    }
  return true;
}

static bool
work (struct worker *worker)
{
  const struct mix *mix = worker->benchmark->mix;
  struct mix_tally *tally = calloc (1, sizeof *tally);
  if (tally == NULL)
    return driver_fail ("memory is short");
  worker->place = worker->benchmark->options.records / worker->threads * worker->number;
  bool done = work_on (worker, mix, tally);
  publish (mix->board, tally);
  worker->calls = &worker->latency;
  free (tally);
  return done;
}

const struct workload mix_workload = {
  "mix", "", "", WORKLOAD_CHANGES | WORKLOAD_EVERY_CALL, .work = work,
};
