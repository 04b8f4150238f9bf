/* SPDX-License-Identifier: MIT */
/*
 * metrics: the block that describes itself, under threads, hostile bytes and other processes' eyes;
 * and that each thing an engine does moves what counts it by exactly what was done.
 */
#include "metrics-trial.h"

#include "base/ledger.h"
#include "core/engine-private.h"
#include "replaced-vfs.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct failure failure;
static const struct metrics_origin origin = { .process = 7, .process_started = 11, .opened = 13 };

/* ---- the block by itself ---- */

static void
test_description (void)
{
  struct metrics *metrics;
  struct metrics_reader reader;
  CHECK_OK (metrics_new (NULL, &origin, &metrics, &failure));
  CHECK_INT ((uintptr_t) metrics % 64, 0);
  CHECK (memcmp (metrics, "LDBMETR1", 8) == 0);
  metrics_set_database (metrics, (const uint8_t *) "0123456789abcdef");
  CHECK_OK (metrics_reader_init (&reader, metrics, sizeof *metrics, &failure));
  CHECK_INT (reader.header.process, 7);
  CHECK_INT (reader.header.process_started, 11);
  CHECK_INT (reader.header.opened, 13);
  CHECK (memcmp (reader.header.database_id, "0123456789abcdef", 16) == 0);
  CHECK_INT (metrics_reader_count (&reader), METRICS_NAMES);

  struct metric metric, other;
  for (uint32_t i = 0; i < METRICS_NAMES; i++)
    {
      CHECK (metrics_reader_describe (&reader, i, &metric));
      CHECK (metrics_text (metric.name) != NULL);
      CHECK (metrics_reader_find (&reader, metric.name, &other));
      CHECK (other.kind == metric.kind && other.index == metric.index); /* no name twice */
      CHECK_INT (metrics_reader_value (&reader, &metric), 0);
    }
  CHECK (!metrics_reader_describe (&reader, METRICS_NAMES, &metric));
  CHECK (!metrics_reader_find (&reader, "no_such_thing", &metric));
  CHECK (metrics_text ("no_such_thing") == NULL);

  count_in_thread (metrics, THREAD_GETS_RUN, 5);
  count_locked (metrics, SHARED_PUTS, 6);
  count_shared (metrics, SHARED_PUTS, 1);
  gauge_set (metrics, GAUGE_RUNS, 3);
  CHECK_INT (gauge_add (metrics, GAUGE_RUNS, -8), 3);
  metrics_record (metrics, HISTOGRAM_FLUSH, 100);
  metrics_record (metrics, HISTOGRAM_FLUSH, 100000);
  CHECK_INT (metrics_thread_total (metrics, THREAD_GETS_RUN), 5);
  CHECK_INT (metrics_shared_total (metrics, SHARED_PUTS), 7);
  CHECK_INT (metrics_gauge (metrics, GAUGE_RUNS), -5);
  CHECK (metrics_reader_find (&reader, "gets_run", &metric));
  CHECK_INT (metrics_reader_value (&reader, &metric), 5);
  CHECK (metrics_reader_find (&reader, "puts", &metric));
  CHECK_INT (metrics_reader_value (&reader, &metric), 7);
  CHECK (metrics_reader_find (&reader, "runs", &metric));
  CHECK_INT ((int64_t) metrics_reader_value (&reader, &metric), -5);
  static struct histogram histogram;
  CHECK (!metrics_reader_histogram (&reader, &metric, &histogram));
  CHECK (metrics_reader_find (&reader, "flush", &metric));
  CHECK_INT (metrics_reader_value (&reader, &metric), 2);
  CHECK (metrics_reader_histogram (&reader, &metric, &histogram));
  CHECK_INT (histogram_sum (&histogram), 100100);
  CHECK_INT (histogram_maximum (&histogram), 100000);

  CHECK (!metrics_reader_has_ended (&reader));
  metrics_end (metrics);
  CHECK (metrics_reader_has_ended (&reader));
  metrics_free (metrics, false);
}

/* More threads than there are lines, all alive at once: none of their counts is lost. */

#define THREADS 50u
#define ROUNDS 20000u

static pthread_barrier_t all_there;

static void *
count_much (void *data)
{
  struct metrics *metrics = data;
  epoch_enter (); /* the thread gets its number */
  epoch_leave ();
  pthread_barrier_wait (&all_there);
  for (unsigned i = 0; i < ROUNDS; i++)
    {
      count_in_thread (metrics, THREAD_GETS_RUN, 1);
      count_shared (metrics, SHARED_FLUSH_BYTES, 3);
    }
  pthread_barrier_wait (&all_there);
  return NULL;
}

static void
test_threads (void)
{
  struct metrics *metrics;
  pthread_t threads[THREADS];
  CHECK_OK (metrics_new (NULL, &origin, &metrics, &failure));
  CHECK (pthread_barrier_init (&all_there, NULL, THREADS) == 0);
  for (unsigned i = 0; i < THREADS; i++)
    CHECK (pthread_create (&threads[i], NULL, count_much, metrics) == 0);
  uint64_t before = 0;
  for (unsigned i = 0; i < 1000; i++) /* M1: never back */
    {
      uint64_t now = metrics_thread_total (metrics, THREAD_GETS_RUN);
      CHECK (now >= before);
      before = now;
    }
  for (unsigned i = 0; i < THREADS; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK_INT (metrics_thread_total (metrics, THREAD_GETS_RUN), THREADS * ROUNDS);
  CHECK_INT (metrics_shared_total (metrics, SHARED_FLUSH_BYTES), 3 * THREADS * ROUNDS);
  uint64_t in_last = atomic_load (&metrics->lines[METRICS_LINES - 1].counters[THREAD_GETS_RUN]);
  CHECK (in_last >= (THREADS - METRICS_LINES + 1) * ROUNDS);
  pthread_barrier_destroy (&all_there);
  metrics_free (metrics, false);
}

/* ---- blocks that others made ---- */

static void
check_refused (const struct metrics *block, size_t size, status expected)
{
  struct metrics_reader reader;
  CHECK_FAILS (metrics_reader_init (&reader, block, size, &failure), expected);
}

static void
test_malformed (void)
{
  static _Alignas(64) struct metrics block;
  struct metrics *good;
  struct metrics_reader reader;
  CHECK_OK (metrics_new (NULL, &origin, &good, &failure));
  size_t size = sizeof block;

#define SPOILED(field, value, expected)                                                            \
  do                                                                                               \
    {                                                                                              \
      memcpy (&block, good, size);                                                                 \
      block.header.field = (value);                                                                \
      check_refused (&block, size, expected);                                                      \
    }                                                                                              \
  while (0)
  SPOILED (magic, 0, STATUS_CORRUPT);
  SPOILED (layout, METRICS_LAYOUT + 1, STATUS_UNSUPPORTED);
  SPOILED (size, size + 1, STATUS_CORRUPT);
  SPOILED (size, UINT64_MAX, STATUS_CORRUPT);
  SPOILED (names, 8, STATUS_CORRUPT);
  SPOILED (names, block.header.names + 4, STATUS_CORRUPT);
  SPOILED (names, UINT64_MAX - 7, STATUS_CORRUPT);
  SPOILED (name_count, UINT32_MAX, STATUS_CORRUPT);
  SPOILED (lines, size - 8, STATUS_CORRUPT);
  SPOILED (line_count, UINT32_MAX, STATUS_CORRUPT);
  /* Many that lie on each other: who reads them all would be at it for hours. */
  SPOILED (name_count, 4097, STATUS_CORRUPT);
  SPOILED (line_size, 4, STATUS_CORRUPT);
  SPOILED (line_size, UINT32_MAX - 7, STATUS_CORRUPT);
  SPOILED (thread_count, METRICS_LINE_SIZE / 8 + 1, STATUS_CORRUPT);
  SPOILED (shared, size, STATUS_CORRUPT);
  SPOILED (shared_count, UINT32_MAX, STATUS_CORRUPT);
  SPOILED (gauges, size - 8, STATUS_CORRUPT);
  SPOILED (gauge_count, UINT32_MAX, STATUS_CORRUPT);
  SPOILED (histograms, block.header.histograms + 64, STATUS_CORRUPT);
  SPOILED (histogram_count, HISTOGRAMS + 1, STATUS_CORRUPT);
#undef SPOILED
  memcpy (&block, good, size);
  block.header.thread_count = 1;
  block.header.line_size = 8;
  block.header.line_count = 1025;
  check_refused (&block, size, STATUS_CORRUPT);
  memcpy (&block, good, size);
  check_refused (&block, sizeof (struct metrics_header) - 1, STATUS_CORRUPT);
  check_refused (&block, 0, STATUS_CORRUPT);
  check_refused (&block, size - 1, STATUS_CORRUPT);
  check_refused ((const struct metrics *) (const void *) ((const uint8_t *) &block + 1), size - 1,
                 STATUS_CORRUPT);

  /* Names that mean nothing are passed over; all else is read. */
  memcpy (&block, good, size);
  block.names[0].kind = METRIC_KINDS;
  block.names[1].unit = METRIC_UNITS;
  block.names[2].index = THREAD_COUNTERS;
  memset (block.names[3].name, 'x', sizeof block.names[3].name);
  strcpy (block.names[4].name, "With Blanks");
  block.names[5].name[0] = '\0';
  strcpy (block.names[6].name, "9lives");
  CHECK_OK (metrics_reader_init (&reader, &block, size, &failure));
  struct metric metric;
  for (uint32_t i = 0; i < METRICS_NAMES; i++)
    CHECK (metrics_reader_describe (&reader, i, &metric) == (i > 6));
  metric.index = UINT32_MAX; /* also when somebody else filled it */
  for (int kind = 0; kind <= METRIC_KINDS; kind++)
    {
      metric.kind = (enum metric_kind) kind;
      CHECK_INT (metrics_reader_value (&reader, &metric), 0);
      CHECK (!metrics_reader_histogram (&reader, &metric, NULL));
    }

  /* The header counts as it was when it was checked. */
  block.header.lines = UINT64_MAX;
  block.header.name_count = UINT32_MAX;
  CHECK (metrics_reader_find (&reader, "multi_gets", &metric));
  CHECK_INT (metrics_reader_value (&reader, &metric), 0);
  metrics_free (good, false);
}

/* One whose counters are others, in other places, of a version with finer histograms. */
static void
test_other_version (void)
{
  struct other
  {
    struct metrics_header header;
    uint64_t unknown;
    uint64_t lines[3][4];
    struct metrics_name names[3];
    uint64_t shared[2];
  };
  static struct other other;
  struct metrics_reader reader;
  struct metric metric;
  struct metrics *ours;
  CHECK_OK (metrics_new (NULL, &origin, &ours, &failure));
  memcpy (&other.header, &ours->header, sizeof other.header);
  metrics_free (ours, false);
  other.header.name_count = 3;
  other.header.thread_count = 4;
  other.header.shared_count = 2;
  other.header.gauge_count = 0;
  other.header.histogram_count = 1000; /* of a size that we do not know */
  other.header.precision_bits = 9;
  other.header.line_count = 3;
  other.header.line_size = sizeof other.lines[0];
  other.header.lines = offsetof (struct other, lines);
  other.header.names = offsetof (struct other, names);
  other.header.shared = other.header.gauges = offsetof (struct other, shared);
  other.header.histograms = sizeof other;
  other.header.size = sizeof other;
  other.names[0] = (struct metrics_name){ METRIC_HISTOGRAM, METRIC_NANOSECONDS, 0, "flush" };
  other.names[1] = (struct metrics_name){ METRIC_COUNTER, METRIC_BYTES, 3, "of_the_future" };
  other.names[2] = (struct metrics_name){ METRIC_SHARED_COUNTER, METRIC_COUNT, 1, "gets_run" };
  other.lines[0][3] = 5;
  other.lines[2][3] = 50;
  other.shared[1] = 9;
  CHECK_OK (metrics_reader_init (&reader, &other, sizeof other, &failure));
  CHECK (!metrics_reader_find (&reader, "flush", &metric));
  CHECK (metrics_reader_find (&reader, "of_the_future", &metric));
  CHECK_INT (metric.unit, METRIC_BYTES);
  CHECK_INT (metrics_reader_value (&reader, &metric), 55);
  CHECK (metrics_text (metric.name) == NULL);
  CHECK (metrics_reader_find (&reader, "gets_run", &metric));
  CHECK_INT (metrics_reader_value (&reader, &metric), 9);
}

/* ---- the ledger ---- */

static void
test_accounts (void)
{
  struct metrics *metrics;
  struct ledger alone = { .budget = 1 }, ledger = { .budget = 1 };
  CHECK_OK (metrics_new (NULL, &origin, &metrics, &failure));
  ledger.elsewhere = &metrics->gauges[GAUGE_MEMORY_CACHE];
  for (int account = 0; account < LEDGER_ACCOUNTS; account++)
    {
      ledger_charge (&alone, (enum ledger_account) account, 100);
      ledger_charge (&ledger, (enum ledger_account) account, 1000 + (size_t) account);
      ledger_refund (&ledger, (enum ledger_account) account, 1);
      CHECK_INT (metrics_gauge (metrics, (enum gauge) account), 999 + account);
      CHECK_INT (ledger_used (&ledger, (enum ledger_account) account), 999 + account);
      CHECK_INT (ledger_used (&alone, (enum ledger_account) account), 100);
    }
  CHECK_INT (ledger_total (&alone), 900);
  CHECK_INT (ledger_total (&ledger), 9 * 999 + 36);
  metrics_free (metrics, false);
}

/* ---- an engine ---- */

static void
test_writes (struct engine *engine, struct readings *readings)
{
  put (engine, "a", "1");
  put (engine, "b", "22");
  MOVED (readings, { "commits", 2 }, { "log_records", 2 }, { "puts", 2 }, { "user_bytes", 5 },
         { "log_change", 1 }); /* the log begins */
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("b"), ENGINE_SYNC_DEFAULT,
                           NULL, &failure));
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "deletes", 1 }, { "user_bytes", 1 });
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("x"),
                                 BYTES_LITERAL ("y"), ENGINE_SYNC_DEFAULT, NULL, &failure));
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "range_deletes", 1 },
         { "user_bytes", 2 });

  struct engine_batch *batch;
  CHECK_OK (engine_batch_new (&batch, &failure));
  for (unsigned i = 0; i < 10; i++)
    {
      char name[32];
      CHECK_OK (engine_batch_put (batch, ENGINE_STORE_DEFAULT, number_key (name, i),
                                  BYTES_LITERAL ("value"), &failure));
    }
  CHECK_OK (engine_batch_delete (batch, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("c"), &failure));
  CHECK_OK (engine_write (engine, batch, ENGINE_SYNC_DEFAULT, NULL, &failure));
  engine_batch_free (batch);
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "puts", 10 }, { "deletes", 1 },
         { "user_bytes", 10 * (12 + 5) + 1 });
  CHECK_FAILS (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_NONE, BYTES_NONE,
                           ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_INVALID);
  NOTHING_MOVED (readings);
  put (engine, "full", "durable");
  CHECK_OK (engine_sync (engine, &failure));
  MOVED (readings, { "commits", 1 }, { "log_records", 1 }, { "puts", 1 }, { "user_bytes", 11 },
         { "log_sync", 1 });
  CHECK_OK (engine_sync (engine, &failure)); /* all is */
  NOTHING_MOVED (readings);
}

/* What test_writes left, in memory: "a", "full", ten numbers; "b", "c" and [x, y) deleted. */
static void
test_reads_of_memtables (struct engine *engine, struct readings *readings)
{
  struct engine_value value;
  get (engine, "a", STATUS_OK);
  get (engine, "full", STATUS_OK);
  MOVED (readings, { "gets_memtable", 2 });
  get (engine, "b", STATUS_NOT_FOUND);
  get (engine, "xylophone", STATUS_NOT_FOUND);
  MOVED (readings, { "gets_deleted", 2 });
  get (engine, "nothing", STATUS_NOT_FOUND);
  MOVED (readings, { "gets_missing", 1 });
  CHECK_OK (
      engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("a"), &value, &failure));
  engine_value_release (&value);
  MOVED (readings, { "gets_memtable", 1 });
  CHECK_OK (engine_get_value_cached (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("a"),
                                     &value, &failure));
  engine_value_release (&value);
  MOVED (readings, { "gets_memtable", 1 });
  CHECK_OK (
      engine_contains (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("a"), false, &failure));
  MOVED (readings, { "gets_memtable", 1 }, { "contains", 1 });
  CHECK_INT (
      engine_contains (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("b"), false, &failure),
      STATUS_NOT_FOUND);
  MOVED (readings, { "gets_deleted", 1 }, { "contains", 1 });
  CHECK_FAILS (engine_contains (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_NONE, false, &failure),
               STATUS_INVALID);
  NOTHING_MOVED (readings);
}

static void
get_many (struct engine *engine, const char *const *names, size_t count)
{
  struct bytes keys[8];
  struct engine_value values[8];
  status results[8];
  for (size_t i = 0; i < count; i++)
    keys[i] = BYTES (names[i], strlen (names[i]));
  CHECK_OK (
      engine_get_many (engine, NULL, ENGINE_STORE_DEFAULT, keys, count, values, results, &failure));
  for (size_t i = 0; i < count; i++)
    engine_value_release (&values[i]);
}

/* In a run: the same, and "later" in memory. */
static void
test_reads_of_runs (struct engine *engine, struct readings *readings)
{
  flush (engine);
  uint64_t bytes = reading (readings, "flush_bytes");
  CHECK (bytes > 0);
  MOVED (readings, { "flushes", 1 }, { "flush", 1 }, { "flush_bytes", (int64_t) bytes },
         { "events", 1 }, { "runs", 1 }, { "run_bytes", (int64_t) bytes });
  get (engine, "a", STATUS_OK); /* its page is not in memory yet */
  MOVED (readings, { "gets_run", 1 }, { "gets_disk", 1 },
         { "page_read", 3 }, /* the inner one for the index, again to find the leaf, the leaf */
         { "decompress", 1 }, { "page_bytes_read", SOME }, { "page_bytes_decompressed", SOME });
  get (engine, "a", STATUS_OK);
  get (engine, "b", STATUS_NOT_FOUND);
  get (engine, "x1", STATUS_NOT_FOUND);
  MOVED (readings, { "gets_run", 1 }, { "page_hits", 1 },
         { "gets_missing", 2 }, /* nothing is below: deletes went */
         { "filters_excluded", 2 });
  put (engine, "later", "value");
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("full"),
                           ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key-00000008"),
                                 BYTES_LITERAL ("key-00000009"), ENGINE_SYNC_DEFAULT, NULL,
                                 &failure));
  MOVED (readings, { "commits", 3 }, { "log_records", 3 }, { "puts", 1 }, { "deletes", 1 },
         { "range_deletes", 1 }, { "user_bytes", 14 + 24 });
  static const char *const names[]
      = { "a", "key-00000001", "later", "full", "nowhere", "key-00000002", "key-00000008" };
  get_many (engine, names, 7);
  MOVED (readings, { "multi_gets", 1 }, { "multi_get_keys", 7 }, { "gets_run", 3 },
         { "gets_memtable", 1 }, { "gets_deleted", 2 }, { "gets_missing", 1 }, { "page_hits", 3 });
  flush (engine);
  uint64_t more = reading (readings, "flush_bytes") - bytes;
  MOVED (readings, { "flushes", 1 }, { "flush", 1 }, { "flush_bytes", (int64_t) more },
         { "events", 1 }, { "runs", 1 }, { "run_bytes", (int64_t) more });
  get_many (engine, names, 7);
  MOVED (readings, { "multi_gets", 1 }, { "multi_get_keys", 7 }, { "gets_run", 4 },
         { "gets_deleted", 2 }, /* one that the run has, one that it covers */
         { "gets_missing", 1 },
         { "filters_excluded", 3 }, /* numbers lie between "full" and "later" */
         { "page_read", 3 }, { "page_bytes_read", SOME }, { "page_hits", 3 });
  get (engine, "full", STATUS_NOT_FOUND);
  MOVED (readings, { "gets_deleted", 1 }, { "page_hits", 1 });
}

static void
test_hot_records (struct engine *engine, struct readings *readings)
{
  /* The trial begins somewhere within these; then the key stays hot. */
  for (unsigned i = 0; i < 60000; i++)
    get (engine, "a", STATUS_OK);
  uint64_t hot = reading (readings, "gets_hot");
  CHECK (hot > 0 && hot < 60000);
  MOVED (readings, { "gets_hot", (int64_t) hot }, { "gets_run", 60000 - (int64_t) hot },
         { "page_hits", 60000 - (int64_t) hot });
  for (unsigned i = 0; i < 100; i++)
    get (engine, "a", STATUS_OK);
  MOVED (readings, { "gets_hot", 100 });
}

static void
test_merge (struct engine *engine, struct readings *readings)
{
  uint64_t bytes = reading (readings, "run_bytes"), written;
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  written = reading (readings, "merge_bytes_written");
  MOVED (readings, { "merges", 1 }, { "merge", 1 }, { "merge_bytes_read", (int64_t) bytes },
         { "merge_bytes_written", (int64_t) written }, { "events", 1 }, { "runs", -1 },
         { "run_bytes", (int64_t) (written - bytes) });
}

static void
test_cursors_and_snapshots (struct engine *engine, struct readings *readings)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  struct engine_snapshot *snapshot;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  MOVED (readings, { "cursors", 1 }, { "snapshots_active", 1 });
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  MOVED (readings, { "snapshots_active", 1 });
  engine_cursor_free (cursor);
  MOVED (readings, { "snapshots_active", -1 });
  engine_snapshot_free (snapshot);
  MOVED (readings, { "snapshots_active", -1 });
}

static void
step (struct engine_cursor *cursor, unsigned times, bool backward)
{
  for (unsigned i = 0; i < times; i++)
    CHECK_OK (backward ? engine_cursor_previous (cursor, &failure)
                       : engine_cursor_next (cursor, &failure));
}

/* The run holds "a", nine numbers and "later", in one leaf: steps of each way, as many as there are
 * records to come to, whether the cursor goes within the page or by the long way. */
static void
test_cursor_steps (struct engine *engine, struct readings *readings)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  readings_begin (readings, engine);
  step (cursor, 5, false);
  step (cursor, 2, true); /* to "key-00000002" */
  step (cursor, 7, false);
  CHECK (engine_cursor_valid (cursor));
  CHECK (bytes_equal (engine_cursor_key (cursor), BYTES_LITERAL ("later")));
  step (cursor, 3, false); /* behind the last one: there is none to come to */
  CHECK (!engine_cursor_valid (cursor));
  engine_cursor_free (cursor);
  MOVED (readings, { "cursor_steps", 14 }, { "snapshots_active", -1 });

  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  unsigned within = 0;
  while (engine_cursor_step (cursor, false))
    within++;
  CHECK (within > 0);
  readings_begin (readings, engine);
  CHECK_OK (engine_cursor_last (cursor, &failure)); /* what was stepped is told by now */
  MOVED (readings, { "cursor_steps", (int64_t) within }, { "seeks", 1 });
  engine_cursor_free (cursor);
  readings_begin (readings, engine);

  /* Those that a caller makes alone, and then frees the cursor. */
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  CHECK (engine_cursor_step (cursor, false));
  within = 1;
  while (engine_cursor_step_ahead (engine_cursor_place (cursor)))
    within++;
  CHECK (within > 1);
  readings_begin (readings, engine);
  engine_cursor_free (cursor);
  MOVED (readings, { "cursor_steps", (int64_t) within }, { "snapshots_active", -1 });
}

static void
test_list_of_snapshots (struct engine *engine, struct readings *readings)
{
  struct engine_snapshot_information held[2];
  struct engine_snapshot *snapshots[3];
  uint64_t sequence = engine_sequence (engine);
  size_t count;
  CHECK_OK (engine_snapshots (engine, held, 2, &count, &failure));
  CHECK_INT (count, 0);
  for (unsigned i = 0; i < 3; i++)
    {
      if (i == 2)
        put (engine, "snapped", "1");
      CHECK_OK (engine_snapshot_new (engine, &snapshots[i], &failure));
    }
  put (engine, "snapped", "2");
  CHECK_OK (engine_snapshots (engine, held, 1, &count, &failure));
  CHECK_INT (count, 2); /* of which there was room for the older one */
  CHECK_INT (held[0].sequence, sequence);
  CHECK_INT (held[0].holders, 2);
  CHECK_INT (held[0].behind, 2);
  CHECK_OK (engine_snapshots (engine, held, 2, &count, &failure));
  CHECK_INT (held[1].sequence, sequence + 1);
  CHECK_INT (held[1].holders, 1);
  CHECK_INT (held[1].behind, 1);
  for (unsigned i = 0; i < 3; i++)
    engine_snapshot_free (snapshots[i]);
  CHECK_OK (engine_snapshots (engine, NULL, 0, &count, &failure));
  CHECK_INT (count, 0);
  readings_begin (readings, engine);
}

static struct engine_transaction *
begin (struct engine *engine, unsigned flags)
{
  struct engine_transaction *transaction;
  CHECK_OK (engine_transaction_begin (engine, flags, &transaction, &failure));
  return transaction;
}

static void
test_transactions (struct engine *engine, struct readings *readings)
{
  struct engine_transaction *one = begin (engine, 0), *two = begin (engine, 0);
  MOVED (readings, { "transactions_begun", 2 }, { "transactions_active", 2 },
         { "snapshots_active", 2 });
  CHECK_OK (engine_transaction_put (one, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("t"),
                                    BYTES_LITERAL ("1"), &failure));
  CHECK_OK (engine_transaction_put (two, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("t"),
                                    BYTES_LITERAL ("2"), &failure));
  NOTHING_MOVED (readings);
  CHECK_OK (engine_transaction_commit (one, ENGINE_SYNC_DEFAULT, NULL, &failure));
  MOVED (readings, { "transactions_committed", 1 }, { "transactions_active", -1 },
         { "transaction", 1 }, { "snapshots_active", -1 }, { "commits", 1 }, { "log_records", 1 },
         { "puts", 1 }, { "user_bytes", 2 });
  CHECK_FAILS (engine_transaction_commit (two, ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_CONFLICT);
  MOVED (readings, { "transactions_aborted", 1 }, { "conflicts", 1 }, { "transactions_active", -1 },
         { "transaction", 1 }, { "snapshots_active", -1 }, { "events", 1 });
  engine_transaction_free (one);
  engine_transaction_free (two);
  struct engine_transaction *read_only = begin (engine, ENGINE_TRANSACTION_READ_ONLY);
  MOVED (readings, { "transactions_begun", 1 }, { "snapshots_active", 1 });
  engine_transaction_rollback (read_only);
  MOVED (readings, { "transactions_aborted", 1 }, { "transaction", 1 }, { "snapshots_active", -1 });
  engine_transaction_free (read_only);
  NOTHING_MOVED (readings);
}

/* One that could have written, did not, and locked nothing either, was more than was needed. */
static void
test_unwritten (struct engine *engine, struct readings *readings)
{
  struct engine_transaction *reads = begin (engine, 0), *locks = begin (engine, 0);
  struct engine_transaction *read_only = begin (engine, ENGINE_TRANSACTION_READ_ONLY);
  CHECK_OK (
      engine_transaction_lock_key (locks, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("t"), &failure));
  readings_begin (readings, engine);
  CHECK_OK (engine_transaction_commit (locks, ENGINE_SYNC_DEFAULT, NULL, &failure));
  MOVED (readings, { "transactions_committed", 1 }, { "transactions_active", -1 },
         { "transaction", 1 }, { "snapshots_active", -1 });
  CHECK_OK (engine_transaction_commit (read_only, ENGINE_SYNC_DEFAULT, NULL, &failure));
  MOVED (readings, { "transactions_committed", 1 }, { "transaction", 1 },
         { "snapshots_active", -1 });
  CHECK_OK (engine_transaction_commit (reads, ENGINE_SYNC_DEFAULT, NULL, &failure));
  MOVED (readings, { "transactions_committed", 1 }, { "transactions_active", -1 },
         { "transaction", 1 }, { "snapshots_active", -1 }, { "transactions_unwritten", 1 });
  engine_transaction_free (reads);
  engine_transaction_free (locks);
  engine_transaction_free (read_only);
}

static void
test_abort (struct engine *engine, struct readings *readings)
{
  struct engine_transaction_information open[4];
  CHECK_INT (engine_transactions (engine, open, 4), 0);
  struct engine_transaction *one = begin (engine, 0);
  struct engine_transaction *two = begin (engine, ENGINE_TRANSACTION_SERIALIZABLE);
  struct engine_transaction *reader = begin (engine, ENGINE_TRANSACTION_READ_ONLY);
  CHECK_OK (engine_transaction_put (two, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("t"),
                                    BYTES_LITERAL ("22"), &failure));
  CHECK_INT (engine_transactions (engine, NULL, 0), 2);
  CHECK_INT (engine_transactions (engine, open, 4), 2);
  CHECK_INT (open[0].id, engine_transaction_id (two)); /* the newest first */
  CHECK_INT (open[1].id, engine_transaction_id (one));
  CHECK (open[0].serializable && !open[1].serializable);
  CHECK_INT (open[0].operations, 1);
  CHECK_INT (open[0].bytes, 3);
  CHECK_INT (open[1].operations, 0);
  CHECK_INT (open[0].reads, 0);
  CHECK_INT (open[0].snapshot, engine_transaction_snapshot (two));
  CHECK_INT (engine_transaction_contains (two, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("t"), &failure),
             STATUS_OK); /* its own: depends on nobody */
  CHECK_INT (engine_transaction_contains (two, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("?"), &failure),
             STATUS_NOT_FOUND);
  CHECK_OK (engine_transaction_lock_key (one, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("!"), &failure));
  CHECK_INT (engine_transactions (engine, open, 4), 2);
  CHECK_INT (open[0].reads, 1);
  CHECK_INT (open[1].reads, 1);
  CHECK (open[1].age >= open[0].age && open[0].left <= UINT64_C (30000000000));
  readings_begin (readings, engine);

  CHECK_OK (engine_transaction_abort (engine, open[0].id));
  MOVED (readings, { "transactions_aborted", 1 }, { "transaction", 1 },
         { "transactions_active", -1 }, { "snapshots_active", -1 }, { "events", 1 });
  CHECK_FAILS (engine_transaction_commit (two, ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_TIMED_OUT);
  CHECK (strstr (failure.message, "somebody who looks after") != NULL);
  CHECK_INT (engine_transaction_abort (engine, open[0].id), STATUS_NOT_FOUND);
  CHECK_INT (engine_transaction_abort (engine, engine_transaction_id (reader)), STATUS_NOT_FOUND);
  CHECK_INT (engine_transaction_abort (engine, 0), STATUS_NOT_FOUND);
  CHECK_INT (engine_transactions (engine, open, 4), 1);
  engine_transaction_free (two);
  CHECK_OK (engine_transaction_commit (one, ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_INT (engine_transactions (engine, open, 4), 0);
  engine_transaction_free (one);
  engine_transaction_free (reader);
  get (engine, "t", STATUS_OK); /* as it was before */
  readings_begin (readings, engine);
}

static void
test_time_out (const char *path)
{
  struct engine_options options = still_options ();
  options.transaction_timeout = 1000;
  struct engine *engine = open_with (path, &options);
  struct readings readings;
  readings_begin (&readings, engine);
  struct engine_transaction *transaction = begin (engine, 0);
  while (engine_transaction_is_active (transaction))
    nanosleep (&(struct timespec){ 0, 1000000 }, NULL);
  while (reading (&readings, "transactions_active") != 0) /* the timer's last word on it */
    sched_yield ();
  MOVED (&readings, { "transactions_begun", 1 }, { "transactions_aborted", 1 },
         { "transaction", 1 }, { "transactions_timed_out", 1 }, { "events", 1 });
  engine_transaction_free (transaction);
  NOTHING_MOVED (&readings);
  close_it (engine);
}

/* ---- a stall ---- */

static struct metrics_reader stalling; /* of the engine */
static _Atomic bool blocking;          /* syncs wait for a writer to stall */

static uint64_t
value_of (const struct metrics_reader *reader, const char *name)
{
  struct metric metric;
  CHECK (metrics_reader_find (reader, name, &metric));
  return metrics_reader_value (reader, &metric);
}

static status
sync_late (struct vfs_file *file, struct failure *cause)
{
  while (atomic_load (&blocking) && value_of (&stalling, "writers_stalled") == 0)
    sched_yield ();
  atomic_store (&blocking, false);
  return vfs_posix ()->sync_data (file, cause);
}

static void
test_stall (void)
{
  struct vfs vfs = replaced_vfs ();
  vfs.sync_data = sync_late;
  struct engine_options options = still_options ();
  options.vfs = &vfs;
  options.memtable_size = 64 << 10;
  char *path = fresh_directory (), value[1024];
  struct engine *engine = open_with (path, &options);
  struct readings readings;
  memset (value, 'v', sizeof value);
  value[sizeof value - 1] = '\0';
  put (engine, "first", value); /* the log's first segment is there */
  flush (engine);
  readings_begin (&readings, engine);
  stalling = readings.reader;
  atomic_store (&blocking, true);
  unsigned puts = 0;
  for (; reading (&readings, "stalls") == 0; puts++)
    {
      char name[32];
      put (engine, (const char *) number_key (name, puts).data, value);
    }
  CHECK_OK (engine_wait_settled (engine, UINT64_C (60000000), &failure)); /* or flush would wait */
  flush (engine);
  int64_t flushes = (int64_t) reading (&readings, "flushes") - 1;
  int64_t written = moved_by (&readings, "flush_bytes");
  int64_t naps = moved_by (&readings, "nap"); /* as time will have it */
  int64_t changes = moved_by (&readings, "log_change");
  MOVED (&readings, { "stalls", 1 }, { "stall", 1 }, { "puts", puts }, { "commits", puts },
         { "log_records", puts }, { "user_bytes", puts * (12 + 1023) }, { "flushes", flushes },
         { "flush", flushes }, { "flush_bytes", written }, { "runs", flushes },
         { "run_bytes", written }, { "nap", naps }, { "log_change", changes },
         { "events", flushes + 1 });
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.stalls, 1);
  CHECK (statistics.stall_microseconds >= statistics.worst_stall_microseconds);
  close_it (engine);
  remove_directory (path);
}

/* A page that does not verify. */
static status
spoil_reads (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
             struct failure *cause)
{
  status result = vfs_posix ()->read (file, offset, to, size, got, cause);
  if (atomic_load (&blocking) && size > 0)
    ((uint8_t *) to)[size / 2] ^= 1;
  return result;
}

static void
test_failed (void)
{
  struct vfs vfs = replaced_vfs ();
  vfs.read = spoil_reads;
  struct engine_options options = still_options ();
  options.vfs = &vfs;
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, &options);
  struct readings readings;
  for (unsigned i = 0; i < 1000; i++)
    {
      char name[32];
      put (engine, (const char *) number_key (name, i).data, "value");
    }
  flush (engine);
  get (engine, "key-00000000", STATUS_OK); /* index and filter are there */
  readings_begin (&readings, engine);
  atomic_store (&blocking, true);
  get (engine, "key-00000900", STATUS_CORRUPT);
  atomic_store (&blocking, false);
  MOVED (&readings, { "gets_failed", 1 }, { "gets_disk", 2 }, /* it was tried again (read.c, L4) */
         { "page_read", 2 }, { "page_bytes_read", SOME }, { "events", 1 });
  close_it (engine);
  remove_directory (path);
}

static void
test_statistics (struct engine *engine, struct readings *readings)
{
  struct engine_statistics now;
  engine_statistics (engine, &now);
  CHECK_INT (now.gets_found, reading (readings, "gets_hot") + reading (readings, "gets_memtable")
                                 + reading (readings, "gets_run"));
  CHECK_INT (now.gets, now.gets_found + reading (readings, "gets_missing")
                           + reading (readings, "gets_deleted"));
  CHECK_INT (now.cache_misses, reading (readings, "gets_disk"));
  CHECK_INT (now.puts, reading (readings, "puts"));
  CHECK_INT (now.runs, reading (readings, "runs"));
  CHECK_INT (now.memory_budget, reading (readings, "memory_budget_bytes"));
  CHECK_INT (now.transactions_committed, reading (readings, "transactions_committed"));
  uint64_t used = 0;
  for (uint32_t account = 0; account < LEDGER_ACCOUNTS; account++)
    {
      struct metric metric = { .kind = METRIC_GAUGE, .index = account };
      used += metrics_reader_value (&readings->reader, &metric);
    }
  CHECK_INT (now.memory_used, used);
}

static void
test_engine (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine *engine = open_with (path, &options);
  struct readings readings;
  readings_begin (&readings, engine);
  CHECK_INT (reading (&readings, "memory_budget_bytes"), options.memory_budget);
  test_writes (engine, &readings);
  test_reads_of_memtables (engine, &readings);
  test_reads_of_runs (engine, &readings);
  test_hot_records (engine, &readings);
  test_merge (engine, &readings);
  test_cursors_and_snapshots (engine, &readings);
  test_cursor_steps (engine, &readings);
  test_list_of_snapshots (engine, &readings);
  test_transactions (engine, &readings);
  test_unwritten (engine, &readings);
  test_abort (engine, &readings);
  test_statistics (engine, &readings);
  engine_ref (engine);
  close_it (engine);
  CHECK (metrics_reader_has_ended (&readings.reader)); /* and may still be read */
  CHECK_INT (reading (&readings, "runs"), 0);
  engine_unref (engine);
  test_time_out (path);
  remove_directory (path);
}

/* ---- seen from another process ---- */

static _Atomic unsigned released;

static void
release (void *data)
{
  CHECK (data == &released);
  atomic_fetch_add (&released, 1);
}

static void
work_and_stop (const char *path, void *memory)
{
  struct engine_options options = still_options ();
  options.metrics_memory = memory;
  options.metrics_memory_size = engine_metrics_size ();
  options.metrics_process = (uint64_t) getpid ();
  options.metrics_process_started = 42;
  options.metrics_release = release;
  options.metrics_data = &released;
  struct engine *engine = open_with (path, &options);
  for (unsigned i = 0; i < 17; i++)
    put (engine, "key", "value");
  get (engine, "key", STATUS_OK);
  raise (SIGSTOP);
  close_it (engine);
  CHECK_INT (atomic_load (&released), 1);
  _exit (0);
}

static void
test_stopped_process (void)
{
  char *path = fresh_directory ();
  size_t size = engine_metrics_size ();
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK (memory != MAP_FAILED);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    work_and_stop (path, memory);
  int outcome;
  CHECK (waitpid (child, &outcome, WUNTRACED) == child);
  CHECK (WIFSTOPPED (outcome));
  struct metrics_reader reader;
  CHECK_OK (metrics_reader_init (&reader, memory, size, &failure));
  CHECK_INT (reader.header.process, child);
  CHECK_INT (reader.header.process_started, 42);
  CHECK_INT (value_of (&reader, "puts"), 17);
  CHECK_INT (value_of (&reader, "gets_memtable"), 1);
  CHECK (value_of (&reader, "memory_memtable_bytes") > 0);
  CHECK (!metrics_reader_has_ended (&reader));
  CHECK (kill (child, SIGCONT) == 0);
  CHECK (waitpid (child, &outcome, 0) == child);
  CHECK_INT (outcome, 0);
  CHECK (metrics_reader_has_ended (&reader));
  CHECK_INT (value_of (&reader, "puts"), 17);
  munmap (memory, size);
  remove_directory (path);
}

/* Memory that is lent is given back whatever becomes of the opening. */
static void
test_lent_memory (void)
{
  char *path = fresh_directory ();
  size_t size = engine_metrics_size ();
  uint8_t *memory = aligned_alloc (64, (size + 127) & ~(size_t) 63);
  struct engine_options options = still_options ();
  struct engine *engine;
  CHECK (memory != NULL);
  options.metrics_memory = memory;
  options.metrics_memory_size = size - 1;
  options.metrics_release = release;
  options.metrics_data = &released;
  atomic_store (&released, 0);
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure), STATUS_INVALID);
  CHECK_INT (atomic_load (&released), 1);
  options.metrics_memory = memory + 8;
  options.metrics_memory_size = size;
  CHECK_FAILS (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure), STATUS_INVALID);
  CHECK_INT (atomic_load (&released), 2);
  options.metrics_memory = memory;
  memset (memory, 0, size);
  CHECK_FAILS (engine_open ("/nowhere/at/all", ENGINE_OPEN_CREATE, &options, &engine, &failure),
               STATUS_NOT_FOUND);
  CHECK_INT (atomic_load (&released), 3);
  memset (memory, 0, size);
  engine = open_with (path, &options);
  put (engine, "key", "value");
  struct engine_value value;
  CHECK_OK (engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), &value,
                              &failure));
  close_it (engine);
  CHECK_INT (atomic_load (&released), 3); /* the value holds the memtable, and that its account */
  engine_value_release (&value);
  CHECK_INT (atomic_load (&released), 4);
  free (memory);
  remove_directory (path);
}

/* Every metric that there is was seen to move by a known amount, or to be what it should. */
static void
check_complete (void)
{
  static const char *const compared[] = {
    "log_bytes",        "cache_evictions",
    "cache_ghost_hits", "cache_capacity_bytes",
    "cache_t1_pages",   "cache_t2_pages",
    "cache_scan_pages", "cache_b1_ghosts",
    "cache_b2_ghosts",  "cache_t1_target",
    "writers_stalled",  "frozen_memtables",
    "merges_running",   "nap",
  };
  /* What the library counts in the engine's block: tests/lib/test-watch-counters.c. */
  static const char watches[] = "watch";
  bool complete = true;
  struct metrics *metrics;
  struct metrics_reader reader;
  CHECK_OK (metrics_new (NULL, &origin, &metrics, &failure));
  CHECK_OK (metrics_reader_init (&reader, metrics, sizeof *metrics, &failure));
  for (uint32_t i = 0; i < METRICS_NAMES; i++)
    {
      struct metric metric;
      CHECK (metrics_reader_describe (&reader, i, &metric));
      bool elsewhere = metric.kind == METRIC_GAUGE && metric.index <= GAUGE_MEMORY_BUDGET;
      for (size_t n = 0; n < sizeof compared / sizeof *compared; n++)
        elsewhere |= strcmp (metric.name, compared[n]) == 0;
      elsewhere |= strncmp (metric.name, watches, sizeof watches - 1) == 0;
      if (elsewhere || was_moved (metric.name))
        continue;
      fprintf (stderr, "no test moves %s\n", metric.name);
      complete = false;
    }
  CHECK (complete);
  metrics_free (metrics, false);
}

int
main (void)
{
  test_stopped_process (); /* forks: before there are threads */
  test_description ();
  test_threads ();
  test_malformed ();
  test_other_version ();
  test_accounts ();
  test_engine ();
  test_stall ();
  test_failed ();
  test_lent_memory ();
  test_timing ();
  check_complete ();
  return 0;
}
