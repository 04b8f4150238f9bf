/* SPDX-License-Identifier: MIT */
/*
 * workload: the rows of the benchmark. A row does one thing many times, on one thread or several,
 * and verifies every byte it reads. Rows of one run share the database, in the order asked for.
 *
 * What a read must give is known: `states` has the version of each record's newest acknowledged
 * value and whether it was deleted since, in one word, so that both are of one moment. Each record
 * is written by one thread only, which moves its state on after the acknowledgement. A reader on
 * another thread accepts what lies between the version it saw before its read and the one after
 * the read, plus the one that may be under way. Versions never go around, however long a reader
 * may be held up between two steps.
 *
 * Threads: a benchmark belongs to the thread that runs its rows; a worker to its own.
 */
#ifndef LIGHTNING_BENCHMARK_WORKLOAD_H
#define LIGHTNING_BENCHMARK_WORKLOAD_H

#include "driver.h"
#include "generator.h"
#include "latency.h"
#include "measure.h"

#include <pthread.h>
#include <stdatomic.h>

/* Marks a text for the translators of who shows it. */
#define WORKLOAD_TEXT(text) text

#define WORKLOAD_THREADS_MAXIMUM 64
#define WORKLOAD_BATCH 1000     /* operations a batch */
#define WORKLOAD_MULTI_GET 100  /* keys a call */
#define WORKLOAD_SCAN_LENGTH 10 /* records after a seek */
#define WORKLOAD_SAMPLING 16    /* one call of so many is timed */

/* How a run is done, apart from what the driver is told. */
struct workload_settings
{
  uint64_t operations; /* of rows that can be short; 0: one a record, times `times` */
  double seconds;      /* after which such a row ends */
  double warming;      /* part of a row that reads that is run before it, untimed; 0 … 1 */
  uint64_t seed;       /* of records and of what is picked */
  bool (*stopped) (
      void *data);    /* asked now and then, on any thread; true: rows end early. NULL: never */
  void *stopped_data; /* for it */
};

struct benchmark
{
  const struct driver *driver;
  struct driver_options options;
  struct workload_settings settings;
  struct driver_database *database; /* NULL while closed; owned */
  struct generator *generator;      /* owned */
  struct generator_zipf hot;        /* ranks of the hot records */
  _Atomic uint32_t *states;         /* of each record, see workload_state; owned */
  bool uniform;                     /* every record is there with version 0 */
  struct measure_peak peak;         /* watches the memory */
  bool watched;                     /* peak is running */
  uint64_t memory_before;           /* anonymous, before the database was opened, in bytes */
  uint64_t first_read;              /* from before opening to the first read, in ns; 0: none */
  _Atomic uint64_t filled;          /* records that a row put which fills, so far */
  const struct mix *mix;            /* of the row “mix”; NULL: it is not run; borrowed */
};

struct workload;
struct gate;
struct mix;

/* One thread of a row. */
struct worker
{
  struct benchmark *benchmark;
  const struct workload *workload;
  struct driver_session *session; /* owned */
  unsigned number;                /* from 0 */
  unsigned threads;               /* of the row */
  struct generator_random random; /* its own stream */
  char *value;                    /* one value to write; owned */
  char *buffer;                   /* for values read: multi_get's many; owned */
  uint64_t deadline;              /* in ns; later no operation begins */
  uint64_t limit;                 /* operations at most */
  uint64_t operations;            /* done; unit of the row */
  uint64_t begun, ended;          /* in ns */
  struct latency latency;         /* of calls of the driver; a seek's with its records verified */
  struct latency *calls;          /* where calls are recorded: that, or what a row has instead */
  uint64_t place;                 /* of what goes through the records in order */
  uint64_t wrong;                 /* values read that were not the right ones */
  atomic_bool *stop;              /* of the row: somebody is done or has failed */
  struct gate *start;             /* of the row; NULL: alone */
  char failure[512];              /* "" when all went well */
};

enum workload_use
{
  WORKLOAD_READS = 1 << 0,      /* changes nothing: is warmed up and may be cut short */
  WORKLOAD_CHANGES = 1 << 1,    /* records get other versions */
  WORKLOAD_TWO_SIDES = 1 << 2,  /* worker 0 reads, the others write: two results */
  WORKLOAD_EVERY_CALL = 1 << 3, /* every call is timed, not one of 16 */
  WORKLOAD_ONE_THREAD = 1 << 4, /* makes no sense on more */
  WORKLOAD_FILLS = 1 << 5,      /* begins with an empty database, does all records */
  WORKLOAD_ALSO_READS = 1 << 6, /* reads and changes: is warmed up by random reads alone */
  WORKLOAD_UNCUT = 1 << 7,      /* does all records, never cut short */
  WORKLOAD_BATCHES = 1 << 8,    /* a call is of many records: its latency is not that of one */
};

struct workload
{
  const char *name;  /* as options and reports have it */
  const char *title; /* in words, in English */
  const char *unit;  /* what is counted, in English; "": nothing */
  unsigned use;      /* workload_use flags */
  unsigned times;    /* it goes through the records so often, to take long enough; 0: once */
  bool (*possible) (const struct driver *driver);                     /* NULL: always */
  bool (*work) (struct worker *worker);                               /* on each thread; or … */
  bool (*whole) (struct benchmark *benchmark, struct worker *worker); /* … on the database itself */
};

struct workload_result
{
  uint64_t operations, other_operations; /* of both sides; the second: writes */
  double seconds, other_seconds;         /* that they took */
  struct latency latency, other_latency; /* of calls */
  uint64_t written;                      /* to the disk meanwhile, in bytes */
  uint64_t disk;                         /* what the database takes afterwards, in bytes */
  uint64_t peak_memory;                  /* anonymous, above what was there before, in bytes */
};

/* All rows, ended by one without a name. */
extern const struct workload workload_list[];
const struct workload *workload_find (const char *name);

/* FALSE from any of these: driver_failure says why. `existing`: the database is there and has every
 * record with version 0. */
bool benchmark_open (struct benchmark *benchmark, bool existing);
bool benchmark_close (struct benchmark *benchmark);
/* Reads a record of a database that was opened at `begun` and keeps how long it took. */
bool benchmark_first_read (struct benchmark *benchmark, uint64_t begun);
bool workload_run (struct benchmark *benchmark, const struct workload *workload, unsigned threads,
                   struct workload_result *result);

/* ---- For the rows ---- */

/* Is there still time? */
static inline bool
worker_has_time (const struct worker *worker)
{
  const struct workload_settings *settings = &worker->benchmark->settings;
  return latency_now () <= worker->deadline && !atomic_load (worker->stop)
         && (settings->stopped == NULL || !settings->stopped (settings->stopped_data));
}

/* May another operation begin? Counts it. */
static inline bool
worker_goes_on (struct worker *worker)
{
  if (worker->operations >= worker->limit)
    return false;
  if ((worker->operations & 63) == 0 && !worker_has_time (worker))
    return false;
  worker->operations++;
  return true;
}

/* Of a record: its version, and whether it is not there: never put, or deleted since. */
static inline uint32_t
workload_state (uint32_t version, bool absent)
{
  return version << 1 | (absent ? 1 : 0);
}

static inline uint32_t
workload_state_version (uint32_t state)
{
  return state >> 1;
}

static inline bool
workload_state_absent (uint32_t state)
{
  return (state & 1) != 0;
}

/* 0 when this call is not to be timed, else now. */
static inline uint64_t
worker_call_begins (const struct worker *worker)
{
  bool every = (worker->workload->use & WORKLOAD_EVERY_CALL) != 0;
  return every || worker->operations % WORKLOAD_SAMPLING == 0 ? latency_now () : 0;
}

static inline void
worker_call_ends (struct worker *worker, uint64_t begun)
{
  if (begun != 0)
    latency_record (worker->calls, latency_now () - begun);
}

/* Any record; for writing one that only this worker writes. */
static inline uint64_t
worker_any_record (struct worker *worker)
{
  return generator_random_below (&worker->random, worker->benchmark->options.records);
}

uint64_t worker_own_record (struct worker *worker);
bool worker_put (struct worker *worker, uint64_t record, uint32_t version);
/* Puts the record's next version and moves its state on. */
bool worker_overwrite (struct worker *worker, uint64_t record);
/* Deletes it; it keeps its version. */
bool worker_delete (struct worker *worker, uint64_t record);
bool worker_get (struct worker *worker, uint64_t record);
bool worker_get_missing (struct worker *worker, uint64_t record);
/* Its state now; to be asked before a read, and told to what judges the read. */
uint32_t worker_state_of (const struct worker *worker, uint64_t record);
void worker_set_state (struct worker *worker, uint64_t record, uint32_t state);
/* After a read: is it sound not to find it? */
bool worker_may_be_absent (const struct worker *worker, uint64_t record, uint32_t before);
bool worker_is_key_of (const struct worker *worker, uint64_t record, struct driver_bytes key);
/* Is this record the one that a scan must give? `before`: its state before the scan began. */
bool worker_verify_record (struct worker *worker, uint64_t record, uint32_t before,
                           struct driver_bytes key, struct driver_bytes value);
/* One transaction of ten operations on records that `pick` gives, of this worker's own. */
bool worker_transact (struct worker *worker, uint64_t (*pick) (struct worker *worker));
bool worker_fail_record (struct worker *worker, uint64_t record, const char *what);

/* The rows, by file. */
bool workload_fillseq (struct worker *worker);
bool workload_fillseq_batch (struct worker *worker);
bool workload_fillrandom (struct worker *worker);
bool workload_fillrandom_batch (struct worker *worker);
bool workload_overwrite (struct worker *worker);
bool workload_overwriteall_batch (struct worker *worker);
bool workload_deleterandom (struct worker *worker);
bool workload_fillsync (struct worker *worker);
bool workload_fillsync_batch (struct worker *worker);
bool workload_removerange (struct worker *worker);
bool workload_bulkload (struct worker *worker);

bool workload_readrandom (struct worker *worker);
bool workload_readsnapshot (struct worker *worker);
bool workload_readlent (struct worker *worker);
bool workload_readhot (struct worker *worker);
bool workload_readmissing (struct worker *worker);
bool workload_multiget (struct worker *worker);
bool workload_readseq (struct worker *worker);
bool workload_readreverse (struct worker *worker);
bool workload_seek (struct worker *worker);
bool workload_check (struct worker *worker);

bool workload_mixed (struct worker *worker);
bool workload_readwhilewriting (struct worker *worker);
bool workload_transactions (struct worker *worker);

bool workload_settle (struct benchmark *benchmark, struct worker *worker);
bool workload_compact (struct benchmark *benchmark, struct worker *worker);
bool workload_openclose (struct benchmark *benchmark, struct worker *worker);
bool workload_kill (struct benchmark *benchmark, struct worker *worker);

#endif
