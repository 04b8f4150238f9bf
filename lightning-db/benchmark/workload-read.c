/* SPDX-License-Identifier: MIT */
/* Rows that read. Every key and every byte of every value is compared. */
#include "mix.h"

#include <inttypes.h>
#include <string.h>

bool
worker_fail_record (struct worker *worker, uint64_t record, const char *what)
{
  worker->wrong++;
  return driver_fail ("%s: %s %s record %" PRIu64 "; the engine or its driver is wrong",
                      worker->benchmark->driver->name, worker->workload->name, what, record);
}

uint32_t
worker_state_of (const struct worker *worker, uint64_t record)
{
  const struct benchmark *benchmark = worker->benchmark;
  if (benchmark->uniform)
    return workload_state (0, false);
  return atomic_load_explicit (&benchmark->states[record], memory_order_acquire);
}

void
worker_set_state (struct worker *worker, uint64_t record, uint32_t state)
{
  atomic_store_explicit (&worker->benchmark->states[record], state, memory_order_release);
}

/* Another worker may be changing it: what was absent may be there with a later version. */
static bool
verify_among_others (struct worker *worker, uint64_t record, uint32_t before, const char *value,
                     size_t size)
{
  const struct generator *generator = worker->benchmark->generator;
  uint64_t low = workload_state_version (before);
  uint64_t high = workload_state_version (worker_state_of (worker, record));
  uint64_t version = generator_claimed_version (generator, record, value, size);
  if (version < low || version > high + 1)
    return worker_fail_record (worker, record, "read an old or foreign value of");
  if (version == low && workload_state_absent (before))
    return worker_fail_record (worker, record, "found what was deleted of");
  return generator_matches (generator, record, version, value, size)
         || worker_fail_record (worker, record, "read a wrong value of");
}

static inline bool
verify (struct worker *worker, uint64_t record, uint32_t before, const char *value, size_t size)
{
  const struct benchmark *benchmark = worker->benchmark;
  if (worker->threads > 1 && !benchmark->uniform)
    return verify_among_others (worker, record, before, value, size);
  if (workload_state_absent (before))
    return worker_fail_record (worker, record, "found what was deleted of");
  return generator_matches (benchmark->generator, record, workload_state_version (before), value,
                            size)
         || worker_fail_record (worker, record, "read a wrong value of");
}

/* Another worker may be deleting it. */
bool
worker_may_be_absent (const struct worker *worker, uint64_t record, uint32_t before)
{
  bool own = record % worker->threads == worker->number;
  return workload_state_absent (before) || workload_state_absent (worker_state_of (worker, record))
         || (!own && mix_deletes (worker->benchmark));
}

bool
worker_is_key_of (const struct worker *worker, uint64_t record, struct driver_bytes key)
{
  return generator_is_key (worker->benchmark->generator, record, key.data, key.size);
}

bool
worker_get (struct worker *worker, uint64_t record)
{
  const struct benchmark *benchmark = worker->benchmark;
  char key[GENERATOR_KEY_MAXIMUM];
  generator_key (benchmark->generator, record, key);
  uint32_t before = worker_state_of (worker, record);
  size_t size = 0;
  uint64_t begun = worker_call_begins (worker);
  enum driver_answer answer = benchmark->driver->get (
      worker->session, (struct driver_bytes){ key, benchmark->options.key_size }, worker->buffer,
      benchmark->options.value_size, &size);
  worker_call_ends (worker, begun);
  if (answer == DRIVER_FAILED)
    return false;
  if (answer == DRIVER_ABSENT)
    return worker_may_be_absent (worker, record, before)
           || worker_fail_record (worker, record, "did not find");
  return verify (worker, record, before, worker->buffer, size);
}

bool
workload_readrandom (struct worker *worker)
{
  while (worker_goes_on (worker))
    if (!worker_get (worker, worker_any_record (worker)))
      return false;
  return true;
}

bool
workload_readsnapshot (struct worker *worker)
{
  const struct driver *driver = worker->benchmark->driver;
  if (!driver->read_begin (worker->session))
    return false;
  bool done = workload_readrandom (worker);
  driver->read_end (worker->session);
  return done;
}

/* As random reads, but that the values are verified where the engine has them. */
bool
workload_readlent (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  const struct driver *driver = benchmark->driver;
  char name[GENERATOR_KEY_MAXIMUM];
  struct driver_bytes key = { name, benchmark->options.key_size }, value;
  while (worker_goes_on (worker))
    {
      uint64_t record = worker_any_record (worker);
      generator_key (benchmark->generator, record, name);
      uint32_t before = worker_state_of (worker, record);
      uint64_t begun = worker_call_begins (worker);
      enum driver_answer answer = driver->lend (worker->session, key, &value);
      worker_call_ends (worker, begun);
      if (answer == DRIVER_FAILED)
        return false;
      if (answer == DRIVER_ABSENT)
        return worker_fail_record (worker, record, "did not find");
      bool sound = verify (worker, record, before, value.data, value.size);
      driver->take_back (worker->session);
      if (!sound)
        return false;
    }
  return true;
}

/* One record of a hundred, some far more often than others. */
bool
workload_readhot (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  while (worker_goes_on (worker))
    {
      uint32_t rank = generator_zipf_next (&benchmark->hot, &worker->random);
      if (!worker_get (worker, generator_shuffle (benchmark->generator, rank)))
        return false;
    }
  return true;
}

bool
worker_get_missing (struct worker *worker, uint64_t record)
{
  const struct benchmark *benchmark = worker->benchmark;
  char key[GENERATOR_KEY_MAXIMUM];
  generator_missing_key (benchmark->generator, record, key);
  size_t size = 0;
  uint64_t begun = worker_call_begins (worker);
  enum driver_answer answer = benchmark->driver->get (
      worker->session, (struct driver_bytes){ key, benchmark->options.key_size }, worker->buffer,
      benchmark->options.value_size, &size);
  worker_call_ends (worker, begun);
  if (answer == DRIVER_FOUND)
    return worker_fail_record (worker, record, "found a key that was never put, next to");
  return answer == DRIVER_ABSENT;
}

bool
workload_readmissing (struct worker *worker)
{
  while (worker_goes_on (worker))
    if (!worker_get_missing (worker, worker_any_record (worker)))
      return false;
  return true;
}

static bool
read_group (struct worker *worker, const uint64_t *records, const struct driver_bytes *keys)
{
  const struct benchmark *benchmark = worker->benchmark;
  size_t sizes[WORKLOAD_MULTI_GET], capacity = benchmark->options.value_size;
  uint64_t begun = latency_now ();
  if (!benchmark->driver->multi_get (worker->session, WORKLOAD_MULTI_GET, keys, worker->buffer,
                                     capacity, sizes))
    return false;
  worker_call_ends (worker, begun);
  for (size_t i = 0; i < WORKLOAD_MULTI_GET; i++)
    {
      if (sizes[i] == SIZE_MAX)
        return worker_fail_record (worker, records[i], "did not find");
      if (!verify (worker, records[i], worker_state_of (worker, records[i]),
                   worker->buffer + i * capacity, sizes[i]))
        return false;
    }
  return true;
}

bool
workload_multiget (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  static _Thread_local char names[WORKLOAD_MULTI_GET][GENERATOR_KEY_MAXIMUM];
  uint64_t records[WORKLOAD_MULTI_GET];
  struct driver_bytes keys[WORKLOAD_MULTI_GET];
  while (worker->operations < worker->limit && worker_has_time (worker))
    {
      for (size_t i = 0; i < WORKLOAD_MULTI_GET; i++)
        {
          records[i] = worker_any_record (worker);
          generator_key (benchmark->generator, records[i], names[i]);
          keys[i] = (struct driver_bytes){ names[i], benchmark->options.key_size };
        }
      if (!read_group (worker, records, keys))
        return false;
      worker->operations += WORKLOAD_MULTI_GET;
    }
  return true;
}

static inline bool
verify_record (struct worker *worker, uint64_t record, uint32_t before, struct driver_bytes key,
               struct driver_bytes value)
{
  if (!generator_is_key (worker->benchmark->generator, record, key.data, key.size))
    return worker_fail_record (worker, record, "scanned another key than that of");
  return verify (worker, record, before, value.data, value.size);
}

bool
worker_verify_record (struct worker *worker, uint64_t record, uint32_t before,
                      struct driver_bytes key, struct driver_bytes value)
{
  return verify_record (worker, record, before, key, value);
}

/* The whole database, again and again until the operations are done. Nobody changes it meanwhile:
 * states are asked for behind the records. */
static bool
scan_once (struct worker *worker, bool reverse)
{
  const struct benchmark *benchmark = worker->benchmark;
  const struct driver *driver = benchmark->driver;
  uint64_t records = benchmark->options.records, seen = 0;
  if (!driver->scan_begin (worker->session, reverse))
    return false;
  bool sound = true;
  while (sound && worker_goes_on (worker))
    {
      struct driver_bytes key, value;
      enum driver_answer answer = driver->scan_next (worker->session, &key, &value);
      if (answer != DRIVER_FOUND)
        {
          worker->operations--;
          sound = answer == DRIVER_ABSENT
                  && (seen == records || worker_fail_record (worker, seen, "ended before"));
          break;
        }
      uint64_t record = reverse ? records - 1 - seen : seen;
      sound = seen < records
              && verify_record (worker, record, worker_state_of (worker, record), key, value);
      seen++;
    }
  driver->scan_end (worker->session);
  return sound;
}

static bool
scan_again (struct worker *worker, bool reverse)
{
  while (worker->operations < worker->limit && worker_has_time (worker))
    if (!scan_once (worker, reverse))
      return false;
  return true;
}

bool
workload_readseq (struct worker *worker)
{
  return scan_again (worker, false);
}

bool
workload_readreverse (struct worker *worker)
{
  return scan_again (worker, true);
}

static bool
seek_and_scan (struct worker *worker, uint64_t record)
{
  const struct benchmark *benchmark = worker->benchmark;
  const struct driver *driver = benchmark->driver;
  char name[GENERATOR_KEY_MAXIMUM];
  generator_key (benchmark->generator, record, name);
  uint64_t begun = worker_call_begins (worker);
  if (!driver->scan_seek (worker->session,
                          (struct driver_bytes){ name, benchmark->options.key_size }))
    return false;
  for (unsigned i = 0; i < WORKLOAD_SCAN_LENGTH; i++)
    {
      struct driver_bytes key, value;
      enum driver_answer answer = driver->scan_next (worker->session, &key, &value);
      if (answer == DRIVER_FAILED)
        return false;
      if (answer == DRIVER_ABSENT)
        return worker_fail_record (worker, record + i, "did not find");
      if (!worker_verify_record (worker, record + i, worker_state_of (worker, record + i), key,
                                 value))
        return false;
    }
  worker_call_ends (worker, begun);
  return true;
}

/* One scan that seeks again and again; each is followed by ten records. */
bool
workload_seek (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  if (benchmark->options.records <= WORKLOAD_SCAN_LENGTH)
    return driver_fail ("%s needs more than %d records", worker->workload->name,
                        WORKLOAD_SCAN_LENGTH);
  if (!benchmark->driver->scan_begin (worker->session, false))
    return false;
  uint64_t last = benchmark->options.records - WORKLOAD_SCAN_LENGTH;
  bool done = true;
  while (done && worker_goes_on (worker))
    done = seek_and_scan (worker, generator_random_below (&worker->random, last + 1));
  benchmark->driver->scan_end (worker->session);
  return done;
}

/* Exactly the records that must be there, in order, with their newest values. */
bool
workload_check (struct worker *worker)
{
  const struct benchmark *benchmark = worker->benchmark;
  const struct driver *driver = benchmark->driver;
  if (!driver->scan_begin (worker->session, false))
    return false;
  uint64_t record = 0, records = benchmark->options.records;
  bool sound = true;
  struct driver_bytes key, value;
  enum driver_answer answer = DRIVER_FAILED;
  for (;; record++)
    {
      while (record < records && workload_state_absent (benchmark->states[record]))
        record++;
      answer = driver->scan_next (worker->session, &key, &value);
      if (answer != DRIVER_FOUND || record >= records)
        break;
      sound = worker_verify_record (worker, record, worker_state_of (worker, record), key, value);
      if (!sound)
        break;
      worker->operations++;
    }
  driver->scan_end (worker->session);
  if (!sound || answer == DRIVER_FAILED)
    return false;
  if (answer == DRIVER_FOUND)
    return worker_fail_record (worker, records, "found a record too many, after");
  return record >= records || worker_fail_record (worker, record, "ended before");
}
