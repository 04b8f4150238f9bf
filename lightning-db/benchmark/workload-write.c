/* SPDX-License-Identifier: MIT */
/* Rows that write: fills, overwrites, deletes, each put or batch a commit. */
#include "workload.h"

bool
worker_put (struct worker *worker, uint64_t record, uint32_t version)
{
  const struct benchmark *benchmark = worker->benchmark;
  char key[GENERATOR_KEY_MAXIMUM];
  generator_key (benchmark->generator, record, key);
  generator_value (benchmark->generator, record, version, worker->value);
  uint64_t begun = worker_call_begins (worker);
  bool done = benchmark->driver->put (
      worker->session, (struct driver_bytes){ key, benchmark->options.key_size },
      (struct driver_bytes){ worker->value, benchmark->options.value_size });
  worker_call_ends (worker, begun);
  return done;
}

static uint32_t
version_of (const struct worker *worker, uint64_t record)
{
  return workload_state_version (
      atomic_load_explicit (&worker->benchmark->states[record], memory_order_relaxed));
}

bool
worker_overwrite (struct worker *worker, uint64_t record)
{
  uint32_t next = version_of (worker, record) + 1;
  if (!worker_put (worker, record, next))
    return false;
  worker_set_state (worker, record, workload_state (next, false));
  return true;
}

static bool
remove_key (struct worker *worker, uint64_t record)
{
  const struct benchmark *benchmark = worker->benchmark;
  char key[GENERATOR_KEY_MAXIMUM];
  generator_key (benchmark->generator, record, key);
  uint64_t begun = worker_call_begins (worker);
  bool done = benchmark->driver->remove (
      worker->session, (struct driver_bytes){ key, benchmark->options.key_size });
  worker_call_ends (worker, begun);
  return done;
}

bool
worker_delete (struct worker *worker, uint64_t record)
{
  if (!remove_key (worker, record))
    return false;
  worker_set_state (worker, record, workload_state (version_of (worker, record), true));
  return true;
}

static uint64_t
sequential (const struct generator *generator, uint64_t place)
{
  return place;
}

typedef uint64_t (*order_function) (const struct generator *generator, uint64_t place);

static bool
put_new (struct worker *worker, uint64_t record)
{
  if (!worker_put (worker, record, 0))
    return false;
  worker_set_state (worker, record, workload_state (0, false));
  atomic_store_explicit (&worker->benchmark->filled, worker->operations, memory_order_relaxed);
  return true;
}

static bool
fill (struct worker *worker, order_function order)
{
  while (worker_goes_on (worker))
    {
      uint64_t record = order (worker->benchmark->generator, worker->operations - 1);
      if (!put_new (worker, record))
        return false;
    }
  return true;
}

bool
workload_fillseq (struct worker *worker)
{
  return fill (worker, sequential);
}

bool
workload_fillrandom (struct worker *worker)
{
  return fill (worker, generator_shuffle);
}

/* The version that a batch gives the record: the first one, or where all are there the next. */
static uint32_t
version_to_put (const struct worker *worker, uint64_t record)
{
  if ((worker->workload->use & WORKLOAD_CHANGES) == 0)
    return 0;
  return version_of (worker, record) + 1;
}

static bool
batch_put (struct worker *worker, uint64_t record)
{
  const struct benchmark *benchmark = worker->benchmark;
  char key[GENERATOR_KEY_MAXIMUM];
  generator_key (benchmark->generator, record, key);
  generator_value (benchmark->generator, record, version_to_put (worker, record), worker->value);
  return benchmark->driver->batch_put (
      worker->session, (struct driver_bytes){ key, benchmark->options.key_size },
      (struct driver_bytes){ worker->value, benchmark->options.value_size });
}

/* Places first … last - 1 of an order, in one commit. */
static bool
write_batch (struct worker *worker, order_function order, uint64_t first, uint64_t last)
{
  const struct driver *driver = worker->benchmark->driver;
  const struct generator *generator = worker->benchmark->generator;
  uint64_t begun = latency_now ();
  if (!driver->batch_begin (worker->session))
    return false;
  for (uint64_t place = first; place < last; place++)
    if (!batch_put (worker, order (generator, place)))
      return false;
  if (!driver->batch_commit (worker->session))
    return false;
  worker_call_ends (worker, begun);
  for (uint64_t place = first; place < last; place++)
    {
      uint64_t record = order (generator, place);
      uint32_t version = version_to_put (worker, record);
      worker_set_state (worker, record, workload_state (version, false));
    }
  return true;
}

static bool
fill_in_batches (struct worker *worker, order_function order)
{
  for (uint64_t first = 0; first < worker->limit && worker_has_time (worker);)
    {
      uint64_t last = first + WORKLOAD_BATCH;
      if (last > worker->limit)
        last = worker->limit;
      if (!write_batch (worker, order, first, last))
        return false;
      worker->operations = first = last;
      atomic_store_explicit (&worker->benchmark->filled, last, memory_order_relaxed);
    }
  return true;
}

bool
workload_fillseq_batch (struct worker *worker)
{
  return fill_in_batches (worker, sequential);
}

bool
workload_fillrandom_batch (struct worker *worker)
{
  return fill_in_batches (worker, generator_shuffle);
}

bool
workload_overwrite (struct worker *worker)
{
  while (worker_goes_on (worker))
    if (!worker_overwrite (worker, worker_own_record (worker)))
      return false;
  return true;
}

/* Every record, as often as the row goes through them. */
bool
workload_overwriteall_batch (struct worker *worker)
{
  uint64_t records = worker->benchmark->options.records;
  while (worker->operations < worker->limit && worker_has_time (worker))
    {
      uint64_t first = worker->operations % records, last = first + WORKLOAD_BATCH;
      last = last < records ? last : records;
      if (!write_batch (worker, generator_shuffle, first, last))
        return false;
      worker->operations += last - first;
    }
  return true;
}

/* Each record once, in another random order than that of the fill. */
bool
workload_deleterandom (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  while (worker_goes_on (worker))
    {
      uint64_t place = generator_shuffle (benchmark->generator, worker->operations - 1);
      uint64_t record = generator_shuffle (benchmark->generator, place);
      if (!remove_key (worker, record))
        return false;
      worker_set_state (worker, record, workload_state (0, true));
    }
  return true;
}

/* Random puts, each thread its own part of the order; as many as time allows. */
bool
workload_fillsync (struct worker *worker)
{
  while (worker_goes_on (worker) && worker_has_time (worker))
    {
      uint64_t place = (worker->operations - 1) * worker->threads + worker->number;
      uint64_t record = generator_shuffle (worker->benchmark->generator, place);
      if (!put_new (worker, record))
        return false;
    }
  return true;
}

bool
workload_fillsync_batch (struct worker *worker)
{
  return fill_in_batches (worker, generator_shuffle);
}

/* Ranges of 1000 records each, spread over the whole; every other one stays. */
bool
workload_removerange (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  const struct generator *generator = benchmark->generator;
  uint64_t ranges = benchmark->options.records / WORKLOAD_BATCH / 2;
  worker->limit = ranges < worker->limit ? ranges : worker->limit;
  while (worker_goes_on (worker) && worker_has_time (worker))
    {
      uint64_t first = (worker->operations - 1) * 2 * WORKLOAD_BATCH;
      uint64_t last = first + WORKLOAD_BATCH;
      char start[GENERATOR_KEY_MAXIMUM], end[GENERATOR_KEY_MAXIMUM];
      generator_key (generator, first, start);
      generator_key (generator, last, end);
      uint64_t begun = latency_now ();
      if (!benchmark->driver->remove_range (
              worker->session, (struct driver_bytes){ start, benchmark->options.key_size },
              (struct driver_bytes){ end, benchmark->options.key_size }))
        return false;
      worker_call_ends (worker, begun);
      for (uint64_t record = first; record < last; record++)
        worker_set_state (worker, record, workload_state (0, true));
    }
  return true;
}

/* The engine's loader; the time includes making it all visible. */
bool
workload_bulkload (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  if (!benchmark->driver->bulk_begin (worker->session))
    return false;
  while (worker_goes_on (worker))
    {
      uint64_t record = worker->operations - 1;
      char key[GENERATOR_KEY_MAXIMUM];
      generator_key (benchmark->generator, record, key);
      generator_value (benchmark->generator, record, 0, worker->value);
      if (!benchmark->driver->bulk_put (
              worker->session, (struct driver_bytes){ key, benchmark->options.key_size },
              (struct driver_bytes){ worker->value, benchmark->options.value_size }))
        return false;
      worker_set_state (worker, record, workload_state (0, false));
    }
  return benchmark->driver->bulk_finish (worker->session);
}
