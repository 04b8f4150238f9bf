/* SPDX-License-Identifier: MIT */
/* The list of rows, and how one is run: sessions, threads, warming up, what it took. */
#include "workload.h"

#include "gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_SIDES_SECONDS 3 /* at most, of rows whose sides must overlap: these run by time alone */

static bool
can_multi_get (const struct driver *driver)
{
  return driver->multi_get != NULL;
}

static bool
can_read_snapshot (const struct driver *driver)
{
  return driver->read_begin != NULL;
}

static bool
can_lend (const struct driver *driver)
{
  return driver->lend != NULL;
}

static bool
can_remove_range (const struct driver *driver)
{
  return driver->remove_range != NULL;
}

static bool
can_transact (const struct driver *driver)
{
  return driver->transaction_begin != NULL;
}

static bool
can_load (const struct driver *driver)
{
  return driver->bulk_begin != NULL;
}

#define UNCUT (WORKLOAD_UNCUT | WORKLOAD_ONE_THREAD)
#define FILL (WORKLOAD_FILLS | UNCUT)
#define DELETE (WORKLOAD_CHANGES | WORKLOAD_ONE_THREAD)

const struct workload workload_list[] = {
  { "fillseq", WORKLOAD_TEXT ("fill in order, single puts"), WORKLOAD_TEXT ("records"), FILL,
    .work = workload_fillseq },
  { "fillseq-batch", WORKLOAD_TEXT ("fill in order, 1000 a batch"), WORKLOAD_TEXT ("records"),
    FILL | WORKLOAD_BATCHES, .work = workload_fillseq_batch },
  { "fillrandom", WORKLOAD_TEXT ("fill at random, single puts"), WORKLOAD_TEXT ("records"), FILL,
    .work = workload_fillrandom },
  { "fillrandom-batch", WORKLOAD_TEXT ("fill at random, 1000 a batch"), WORKLOAD_TEXT ("records"),
    FILL | WORKLOAD_BATCHES, .work = workload_fillrandom_batch },
  { "fill-latency", WORKLOAD_TEXT ("fill at random, every put timed"), WORKLOAD_TEXT ("records"),
    FILL | WORKLOAD_EVERY_CALL, .work = workload_fillrandom },
  { "bulkload", WORKLOAD_TEXT ("the engine's loader, in order"), WORKLOAD_TEXT ("records"), FILL,
    .possible = can_load, .work = workload_bulkload },
  { "fillsync", WORKLOAD_TEXT ("single puts, each durable"), WORKLOAD_TEXT ("puts"),
    WORKLOAD_CHANGES | WORKLOAD_EVERY_CALL, .work = workload_fillsync },
  { "fillsync-batch", WORKLOAD_TEXT ("1000 a batch, each durable"), WORKLOAD_TEXT ("records"),
    WORKLOAD_ONE_THREAD | WORKLOAD_BATCHES, .work = workload_fillsync_batch },
  { "overwrite", WORKLOAD_TEXT ("overwrite at random, single puts"), WORKLOAD_TEXT ("puts"),
    WORKLOAD_CHANGES, .work = workload_overwrite },
  { "overwrite-latency", WORKLOAD_TEXT ("overwrite at random, every put timed"),
    WORKLOAD_TEXT ("puts"), WORKLOAD_CHANGES | WORKLOAD_EVERY_CALL, .work = workload_overwrite },
  { "overwriteall-batch", WORKLOAD_TEXT ("overwrite all 3 times, 1000 a batch"),
    WORKLOAD_TEXT ("puts"), UNCUT | WORKLOAD_CHANGES | WORKLOAD_BATCHES, 3,
    .work = workload_overwriteall_batch },
  { "deleterandom", WORKLOAD_TEXT ("delete at random, single deletes"), WORKLOAD_TEXT ("deletes"),
    DELETE, .work = workload_deleterandom },
  { "removerange", WORKLOAD_TEXT ("delete ranges of 1000 records"), WORKLOAD_TEXT ("ranges"),
    DELETE, .possible = can_remove_range, .work = workload_removerange },
  { "readrandom", WORKLOAD_TEXT ("random reads, copied out, independent"), WORKLOAD_TEXT ("reads"),
    WORKLOAD_READS, 2, .work = workload_readrandom },
  { "read-latency", WORKLOAD_TEXT ("random reads, every one timed"), WORKLOAD_TEXT ("reads"),
    WORKLOAD_READS | WORKLOAD_EVERY_CALL, 2, .work = workload_readrandom },
  { "readsnapshot", WORKLOAD_TEXT ("random reads inside one snapshot"), WORKLOAD_TEXT ("reads"),
    WORKLOAD_READS, 2, .possible = can_read_snapshot, .work = workload_readsnapshot },
  { "readlent", WORKLOAD_TEXT ("random reads, lent, independent"), WORKLOAD_TEXT ("reads"),
    WORKLOAD_READS, 2, .possible = can_lend, .work = workload_readlent },
  { "readhot", WORKLOAD_TEXT ("reads of a hot hundredth, Zipf 0.99"), WORKLOAD_TEXT ("reads"),
    WORKLOAD_READS, 5, .work = workload_readhot },
  { "readmissing", WORKLOAD_TEXT ("reads of keys that are not there"), WORKLOAD_TEXT ("reads"),
    WORKLOAD_READS, 5, .work = workload_readmissing },
  { "multiget", WORKLOAD_TEXT ("reads of 100 keys at a time"), WORKLOAD_TEXT ("keys"),
    WORKLOAD_READS, 2, .possible = can_multi_get, .work = workload_multiget },
  { "readseq", WORKLOAD_TEXT ("scan in order"), WORKLOAD_TEXT ("records"), WORKLOAD_READS, 10,
    .work = workload_readseq },
  { "readreverse", WORKLOAD_TEXT ("scan backwards"), WORKLOAD_TEXT ("records"), WORKLOAD_READS, 10,
    .work = workload_readreverse },
  { "seek", WORKLOAD_TEXT ("seek at random, then ten records"), WORKLOAD_TEXT ("seeks"),
    WORKLOAD_READS, 1, .work = workload_seek },
  { "mixed", WORKLOAD_TEXT ("80 % reads, 20 % overwrites"), WORKLOAD_TEXT ("operations"),
    WORKLOAD_CHANGES | WORKLOAD_ALSO_READS, .work = workload_mixed },
  { "readwhilewriting", WORKLOAD_TEXT ("a reader beside a writer at full speed"),
    WORKLOAD_TEXT ("reads"), WORKLOAD_CHANGES | WORKLOAD_TWO_SIDES | WORKLOAD_ALSO_READS,
    .work = workload_readwhilewriting },
  { "transactions", WORKLOAD_TEXT ("transactions of ten mixed operations"),
    WORKLOAD_TEXT ("transactions"), WORKLOAD_CHANGES | WORKLOAD_ALSO_READS,
    .possible = can_transact, .work = workload_transactions },
  { "check", WORKLOAD_TEXT ("every record verified by a scan"), WORKLOAD_TEXT ("records"), UNCUT,
    .work = workload_check },
  { "settle", WORKLOAD_TEXT ("background work ends"), "", WORKLOAD_ONE_THREAD,
    .whole = workload_settle },
  { "compact", WORKLOAD_TEXT ("the best state for reading"), "", WORKLOAD_ONE_THREAD,
    .whole = workload_compact },
  { "openclose", WORKLOAD_TEXT ("open, one read, close"), WORKLOAD_TEXT ("cycles"),
    WORKLOAD_ONE_THREAD, .whole = workload_openclose },
  { "kill", WORKLOAD_TEXT ("the process is killed"), "", WORKLOAD_ONE_THREAD,
    .whole = workload_kill },
  { NULL },
};

const struct workload *
workload_find (const char *name)
{
  for (const struct workload *workload = workload_list; workload->name != NULL; workload++)
    if (strcmp (workload->name, name) == 0)
      return workload;
  return NULL;
}

uint64_t
worker_own_record (struct worker *worker)
{
  unsigned writers = worker->threads, number = worker->number;
  if ((worker->workload->use & WORKLOAD_TWO_SIDES) != 0)
    {
      writers--;
      number--;
    }
  uint64_t records = worker->benchmark->options.records;
  if (writers <= 1)
    return generator_random_below (&worker->random, records);
  uint64_t share = records / writers;
  return generator_random_below (&worker->random, share) * writers + number;
}

/* ---- The database ---- */

bool
benchmark_first_read (struct benchmark *benchmark, uint64_t begun)
{
  const struct driver *driver = benchmark->driver;
  struct driver_session *session = driver->session_open (benchmark->database);
  char *buffer = malloc (benchmark->options.value_size);
  char key[GENERATOR_KEY_MAXIMUM];
  size_t size = 0;
  bool sound = session != NULL && buffer != NULL;
  if (sound)
    {
      uint64_t record = generator_shuffle (benchmark->generator, 0);
      generator_key (benchmark->generator, record, key);
      enum driver_answer answer
          = driver->get (session, (struct driver_bytes){ key, benchmark->options.key_size }, buffer,
                         benchmark->options.value_size, &size);
      benchmark->first_read = latency_now () - begun;
      if (answer == DRIVER_ABSENT
          || (answer == DRIVER_FOUND
              && !generator_matches (benchmark->generator, record, 0, buffer, size)))
        sound = driver_fail ("%s does not have the records it should have; was it filled with "
                             "other settings?",
                             benchmark->options.directory);
      else
        sound = answer == DRIVER_FOUND;
    }
  if (session != NULL)
    driver->session_close (session);
  free (buffer);
  return sound;
}

static bool
check_sizes (const struct driver_options *options)
{
  uint64_t most = options->key_size < 16 ? UINT64_C (50000000) : UINT64_C (1) << 50;
  if (options->records < 100 || options->records >= most)
    return driver_fail ("from 100 to %llu records are possible", (unsigned long long) most - 1);
  if (options->key_size != 8
      && (options->key_size < 16 || options->key_size > GENERATOR_KEY_MAXIMUM))
    return driver_fail ("keys have 8 bytes, or from 16 to %d", GENERATOR_KEY_MAXIMUM);
  if (options->value_size < GENERATOR_VALUE_MINIMUM || options->value_size > UINT64_C (1) << 30)
    return driver_fail ("values have from %d bytes to 1 GiB", GENERATOR_VALUE_MINIMUM);
  return true;
}

static bool
prepare (struct benchmark *benchmark, bool existing)
{
  const struct driver_options *options = &benchmark->options;
  benchmark->generator = generator_new (options->records, options->key_size, options->value_size,
                                        benchmark->settings.seed);
  benchmark->states = malloc (options->records * sizeof *benchmark->states);
  uint64_t hot = options->records / 100;
  if (benchmark->generator == NULL || benchmark->states == NULL
      || !generator_zipf_init (&benchmark->hot, hot < 10000000 ? (uint32_t) hot : 10000000, 0.99))
    return driver_fail ("memory is short");
  for (uint64_t record = 0; record < options->records; record++)
    atomic_init (&benchmark->states[record], workload_state (0, !existing));
  benchmark->uniform = true;
  benchmark->watched = measure_peak_start (&benchmark->peak);
  benchmark->memory_before = measure_anonymous_memory ();
  return benchmark->watched || driver_fail ("no thread could be started");
}

bool
benchmark_open (struct benchmark *benchmark, bool existing)
{
  if (!check_sizes (&benchmark->options))
    return false;
  bool done = prepare (benchmark, existing);
  uint64_t begun = latency_now ();
  if (done)
    benchmark->database = benchmark->driver->open (&benchmark->options);
  done = benchmark->database != NULL && (!existing || benchmark_first_read (benchmark, begun));
  if (!done)
    benchmark_close (benchmark);
  return done;
}

bool
benchmark_close (struct benchmark *benchmark)
{
  bool done = benchmark->database == NULL || benchmark->driver->close (benchmark->database);
  if (benchmark->watched)
    measure_peak_stop (&benchmark->peak);
  generator_free (benchmark->generator);
  generator_zipf_clear (&benchmark->hot);
  free ((void *) benchmark->states);
  benchmark->database = NULL;
  benchmark->generator = NULL;
  benchmark->states = NULL;
  benchmark->watched = false;
  return done;
}

/* ---- One row ---- */

static bool
worker_begin (struct worker *worker)
{
  struct benchmark *benchmark = worker->benchmark;
  generator_random_init (&worker->random, benchmark->settings.seed + 1 + worker->number);
  worker->calls = &worker->latency;
  worker->value = malloc (benchmark->options.value_size);
  size_t values = worker->workload->work == workload_multiget ? WORKLOAD_MULTI_GET : 1;
  worker->buffer = malloc (benchmark->options.value_size * values);
  if (worker->value == NULL || worker->buffer == NULL)
    return driver_fail ("memory is short");
  if (worker->workload->whole != NULL)
    return true;
  worker->session = benchmark->driver->session_open (benchmark->database);
  return worker->session != NULL;
}

static void
worker_end (struct worker *worker)
{
  if (worker->session != NULL)
    worker->benchmark->driver->session_close (worker->session);
  free (worker->value);
  free (worker->buffer);
  worker->session = NULL;
}

static void
set_limits (struct worker *worker, double part)
{
  const struct benchmark *benchmark = worker->benchmark;
  uint64_t records = benchmark->options.records, operations = benchmark->settings.operations;
  bool uncut = (worker->workload->use & WORKLOAD_UNCUT) != 0;
  if (uncut || operations == 0)
    operations = records * (worker->workload->times > 0 ? worker->workload->times : 1);
  else if ((worker->workload->use & WORKLOAD_READS) == 0 && operations > records)
    operations = records;
  worker->limit = (uint64_t) ((double) operations * part) / worker->threads;
  double seconds = benchmark->settings.seconds;
  if ((worker->workload->use & WORKLOAD_TWO_SIDES) != 0)
    {
      worker->limit = UINT64_MAX;
      seconds = seconds < TWO_SIDES_SECONDS ? seconds : TWO_SIDES_SECONDS;
    }
  worker->deadline = uncut ? UINT64_MAX : latency_now () + (uint64_t) (seconds * part * 1e9);
  worker->operations = 0;
  memset (&worker->latency, 0, sizeof worker->latency);
}

static bool
warm_up (struct worker *worker)
{
  double part = worker->benchmark->settings.warming;
  unsigned use = worker->workload->use;
  if ((use & (WORKLOAD_READS | WORKLOAD_ALSO_READS)) == 0 || part <= 0)
    return true;
  set_limits (worker, part);
  return (use & WORKLOAD_READS) != 0 ? worker->workload->work (worker)
                                     : workload_readrandom (worker);
}

static void *
work (void *data)
{
  struct worker *worker = data;
  bool done = worker_begin (worker) && warm_up (worker);
  if (worker->start != NULL)
    gate_pass (worker->start);
  if (done)
    {
      set_limits (worker, 1);
      worker->begun = latency_now ();
      done = worker->workload->work != NULL ? worker->workload->work (worker)
                                            : worker->workload->whole (worker->benchmark, worker);
      if (worker->ended == 0)
        worker->ended = latency_now ();
    }
  if (!done)
    {
      snprintf (worker->failure, sizeof worker->failure, "%s", driver_failure ());
      atomic_store (worker->stop, true);
    }
  worker_end (worker);
  return NULL;
}

/* Runs the workers, the first of them on this thread. */
static bool
run_workers (struct worker *workers, unsigned threads)
{
  pthread_t handles[WORKLOAD_THREADS_MAXIMUM];
  struct gate start;
  atomic_bool stop = false;
  gate_init (&start, threads);
  for (unsigned i = 0; i < threads; i++)
    {
      workers[i].stop = &stop;
      workers[i].start = threads > 1 ? &start : NULL;
    }
  unsigned started = 1;
  int failed = 0;
  while (started < threads
         && (failed = pthread_create (&handles[started], NULL, work, &workers[started])) == 0)
    started++;
  if (failed != 0)
    {
      atomic_store (&stop, true);
      gate_expect (&start, started);
    }
  work (&workers[0]);
  for (unsigned i = 1; i < started; i++)
    pthread_join (handles[i], NULL);
  gate_clear (&start);
  if (failed != 0)
    return driver_fail ("no thread could be started: %s", strerror (failed));
  for (unsigned i = 0; i < threads; i++)
    if (workers[i].failure[0] != '\0')
      return driver_fail ("%s", workers[i].failure);
  return true;
}

/* Sides run from their first beginning to their last end. */
static void
add_up (const struct worker *workers, unsigned threads, struct workload_result *result)
{
  uint64_t begun[2] = { UINT64_MAX, UINT64_MAX }, ended[2] = { 0, 0 };
  uint64_t operations[2] = { 0, 0 };
  struct latency *latencies[2] = { &result->latency, &result->other_latency };
  bool two_sides = (workers[0].workload->use & WORKLOAD_TWO_SIDES) != 0;
  for (unsigned i = 0; i < threads; i++)
    {
      unsigned side = two_sides && i > 0 ? 1 : 0;
      operations[side] += workers[i].operations;
      begun[side] = workers[i].begun < begun[side] ? workers[i].begun : begun[side];
      ended[side] = workers[i].ended > ended[side] ? workers[i].ended : ended[side];
      latency_merge (latencies[side], &workers[i].latency);
    }
  result->operations = operations[0];
  result->seconds = (double) (ended[0] - begun[0]) / 1e9;
  result->other_operations = operations[1];
  result->other_seconds = operations[1] > 0 ? (double) (ended[1] - begun[1]) / 1e9 : 0;
}

bool
workload_run (struct benchmark *benchmark, const struct workload *workload, unsigned threads,
              struct workload_result *result)
{
  memset (result, 0, sizeof *result);
  if ((workload->use & WORKLOAD_TWO_SIDES) != 0)
    threads = threads < 2 ? 2 : threads;
  else if (threads == 0 || (workload->use & WORKLOAD_ONE_THREAD) != 0)
    threads = 1;
  if (threads > WORKLOAD_THREADS_MAXIMUM)
    return driver_fail ("at most %d threads are possible", WORKLOAD_THREADS_MAXIMUM);
  struct worker *workers = calloc (threads, sizeof *workers);
  if (workers == NULL)
    return driver_fail ("memory is short");
  for (unsigned i = 0; i < threads; i++)
    {
      workers[i].benchmark = benchmark;
      workers[i].workload = workload;
      workers[i].number = i;
      workers[i].threads = threads;
    }
  if ((workload->use & WORKLOAD_CHANGES) != 0)
    benchmark->uniform = false;

  uint64_t written = measure_written ();
  atomic_store (&benchmark->peak.peak, measure_anonymous_memory ());
  bool done = run_workers (workers, threads);
  if (done)
    {
      add_up (workers, threads, result);
      uint64_t peak = atomic_load (&benchmark->peak.peak), now = measure_anonymous_memory ();
      peak = now > peak ? now : peak;
      result->peak_memory = peak > benchmark->memory_before ? peak - benchmark->memory_before : 0;
      result->written = measure_written () - written;
      result->disk = measure_disk (benchmark->options.directory);
    }
  free (workers);
  return done;
}
