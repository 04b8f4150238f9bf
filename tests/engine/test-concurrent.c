/* SPDX-License-Identifier: MIT */
/*
 * concurrent: everything at once, and closing in the middle of it.
 *
 *   test-engine-concurrent [--long] [--cycles N]
 *
 * Rows of four cells (three in one store, one in another) are always written in one batch or
 * transaction, each row by one writer, with a rising version. Every value says what it is, so each
 * read verifies itself; and however a row is read at one snapshot, its cells have one version, not
 * below the newest that was acknowledged before the read began. Beside readers and writers:
 * flushes, merges, evictions, syncs, snapshots held for a while. Each cycle ends with engine_close
 * while all of it goes on, and begins with a look at what is there.
 */
#include "base/random.h"
#include "check.h"
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>

#define ROWS 600u
#define CELLS 4u /* of a row: the last is in the second store */
#define WRITERS 3u
#define READERS 4u
#define DELETABLE 10u /* each such row may be absent as a whole */
#define VALUE_MAX 12000u

static char *path;
static struct engine *engine;
static engine_store stores[2];
static _Atomic uint64_t acknowledged[ROWS]; /* newest version a writer was told is in */
static uint64_t written[ROWS];              /* by its writer only */
static _Atomic uint64_t reads, writes, scans;

/* ---- cells ---- */

static bool
is_deletable (unsigned row)
{
  return row % DELETABLE == 0;
}

static struct bytes
cell_key (char to[32], unsigned row, unsigned cell)
{
  return BYTES (to, (size_t) sprintf (to, "row%04u/%u", row, cell));
}

static engine_store
cell_store (unsigned cell)
{
  return stores[cell == CELLS - 1];
}

static struct bytes
cell_value (uint8_t *to, unsigned row, unsigned cell, uint64_t version)
{
  struct random random = { version * 4096 + row * 4 + cell };
  uint64_t shape = random_below (&random, 60);
  size_t size = 24 + random_below (&random, shape == 0 ? VALUE_MAX - 24 : 250);
  uint64_t head[3] = { version, (uint64_t) row << 8 | cell, size };
  memcpy (to, head, sizeof head);
  for (size_t i = sizeof head; i < size; i++)
    to[i] = (uint8_t) (version * 7 + i * (row + 1) + cell);
  return BYTES (to, size);
}

/* The version of a value that is what it says it is. */
static uint64_t
verify_value (unsigned row, unsigned cell, struct bytes value)
{
  uint8_t expected[VALUE_MAX + 250];
  uint64_t version;
  CHECK (value.size >= 24);
  memcpy (&version, value.data, sizeof version);
  CHECK (bytes_equal (value, cell_value (expected, row, cell, version)));
  atomic_fetch_add_explicit (&reads, 1, memory_order_relaxed);
  return version;
}

/* OK goes on; CLOSED ends the thread; anything else is a failure. */
static bool
is_open (status result, const struct failure *failure)
{
  if (result == STATUS_CLOSED)
    return false;
  if (result != STATUS_OK)
    fprintf (stderr, "%s: %s\n", status_name (result), failure->message);
  CHECK_INT (result, STATUS_OK);
  return true;
}

/* What a row reads as: all cells of one version, 0 = all absent. */
static void
expect_row (unsigned row, const uint64_t *versions, unsigned count, uint64_t least)
{
  for (unsigned i = 1; i < count; i++)
    CHECK_INT (versions[i], versions[0]);
  if (!is_deletable (row))
    CHECK (versions[0] >= least && versions[0] > 0);
}

/* ---- writers ---- */

static status
write_batch (unsigned row, uint64_t version, bool erase, uint8_t *scratch, struct failure *failure)
{
  struct engine_batch *batch;
  char key[32], end[32];
  status result = engine_batch_new (&batch, failure);
  CHECK_INT (result, STATUS_OK);
  for (unsigned cell = 0; cell < CELLS && result == STATUS_OK; cell++)
    if (erase && cell == 0) /* one range over three cells, then a delete in the other store */
      result = engine_batch_delete_range (batch, stores[0], cell_key (key, row, 0),
                                          cell_key (end, row, CELLS - 1), failure);
    else if (erase && cell == CELLS - 1)
      result = engine_batch_delete (batch, stores[1], cell_key (key, row, cell), failure);
    else if (!erase)
      result = engine_batch_put (batch, cell_store (cell), cell_key (key, row, cell),
                                 cell_value (scratch, row, cell, version), failure);
  CHECK_INT (result, STATUS_OK);
  enum engine_sync sync = version % 301 == 0 ? ENGINE_SYNC_FULL : ENGINE_SYNC_DEFAULT;
  result = engine_write (engine, batch, sync, NULL, failure);
  engine_batch_free (batch);
  return result;
}

static status
write_transaction (unsigned row, uint64_t version, uint8_t *scratch, struct failure *failure)
{
  struct engine_transaction *transaction;
  char key[32];
  unsigned flags = version % 2 == 0 ? ENGINE_TRANSACTION_SERIALIZABLE : 0;
  status result = engine_transaction_begin (engine, flags, &transaction, failure);
  if (result != STATUS_OK)
    return result;
  for (unsigned cell = 0; cell < CELLS && result == STATUS_OK; cell++)
    {
      struct engine_value value;
      result = engine_transaction_get_value (transaction, cell_store (cell),
                                             cell_key (key, row, cell), &value, failure);
      if (result == STATUS_OK)
        {
          CHECK_INT (verify_value (row, cell, value.data),
                     written[row]); /* nobody else writes it */
          engine_value_release (&value);
        }
      if (result == STATUS_OK || result == STATUS_NOT_FOUND)
        result = engine_transaction_put (transaction, cell_store (cell), cell_key (key, row, cell),
                                         cell_value (scratch, row, cell, version), failure);
    }
  if (result == STATUS_OK)
    result = engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, failure);
  engine_transaction_free (transaction);
  return result;
}

static void *
writer_main (void *data)
{
  unsigned writer = (unsigned) (uintptr_t) data;
  struct random random = { writer + 100 };
  uint8_t *scratch = malloc (VALUE_MAX + 250);
  uint64_t counter = 0;
  for (;;)
    {
      struct failure failure = FAILURE_INIT;
      unsigned row = (unsigned) random_below (&random, ROWS / WRITERS) * WRITERS + writer;
      uint64_t version = written[row] + 1;
      bool erase = is_deletable (row) && random_below (&random, 3) == 0;
      status result = random_below (&random, 4) == 0 && !erase
                          ? write_transaction (row, version, scratch, &failure)
                          : write_batch (row, version, erase, scratch, &failure);
      if (!is_open (result, &failure))
        break;
      written[row] = version;
      atomic_store (&acknowledged[row], version);
      atomic_fetch_add_explicit (&writes, 1, memory_order_relaxed);
      if (++counter % 64 == 0)
        usleep (500);
    }
  free (scratch);
  return NULL;
}

/* ---- readers ---- */

static bool
read_one (unsigned row, unsigned cell)
{
  struct failure failure = FAILURE_INIT;
  uint8_t buffer[VALUE_MAX + 250];
  char key[32];
  size_t size;
  uint64_t least = atomic_load (&acknowledged[row]);
  status result = engine_get (engine, NULL, cell_store (cell), cell_key (key, row, cell), buffer,
                              sizeof buffer, &size, &failure);
  if (result == STATUS_NOT_FOUND)
    CHECK (is_deletable (row));
  else if (!is_open (result, &failure))
    return false;
  else
    CHECK (verify_value (row, cell, BYTES (buffer, size)) >= least || is_deletable (row));
  return true;
}

static bool
read_many (unsigned row, struct engine_value *kept, unsigned *kept_row)
{
  struct failure failure = FAILURE_INIT;
  char names[CELLS][32];
  struct bytes keys[CELLS];
  struct engine_value values[CELLS];
  status results[CELLS];
  uint64_t versions[CELLS], least = atomic_load (&acknowledged[row]);
  for (unsigned i = 0; i < CELLS - 1; i++)
    keys[i] = cell_key (names[i], row, i);
  if (!is_open (
          engine_get_many (engine, NULL, stores[0], keys, CELLS - 1, values, results, &failure),
          &failure))
    return false;
  for (unsigned i = 0; i < CELLS - 1; i++)
    {
      CHECK (results[i] == STATUS_OK || results[i] == STATUS_NOT_FOUND);
      versions[i] = results[i] == STATUS_OK ? verify_value (row, i, values[i].data) : 0;
      if (results[i] != STATUS_OK)
        continue;
      if (i > 0)
        {
          engine_value_release (&values[i]);
          continue;
        }
      if (kept->data.size > 0) /* as it was, though flushed, merged and evicted since */
        verify_value (*kept_row, 0, kept->data);
      engine_value_release (kept);
      *kept = values[0];
      *kept_row = row;
    }
  expect_row (row, versions, CELLS - 1, least);
  return true;
}

static bool
read_transaction (unsigned row)
{
  struct failure failure = FAILURE_INIT;
  struct engine_transaction *transaction;
  uint64_t versions[CELLS] = { 0 }, least = atomic_load (&acknowledged[row]);
  char key[32];
  status result
      = engine_transaction_begin (engine, ENGINE_TRANSACTION_READ_ONLY, &transaction, &failure);
  if (!is_open (result, &failure))
    return false;
  for (unsigned cell = 0; cell < CELLS; cell++)
    {
      struct engine_value value;
      result = engine_transaction_get_value (transaction, cell_store (cell),
                                             cell_key (key, row, cell), &value, &failure);
      if (result == STATUS_CLOSED)
        break;
      CHECK (result == STATUS_NOT_FOUND || is_open (result, &failure));
      if (result != STATUS_OK)
        continue;
      versions[cell] = verify_value (row, cell, value.data);
      engine_value_release (&value);
    }
  engine_transaction_free (transaction);
  if (result != STATUS_CLOSED)
    expect_row (row, versions, CELLS, least);
  return result != STATUS_CLOSED;
}

/* ---- scans ---- */

struct scan
{
  uint64_t versions[CELLS]; /* of the row under way */
  unsigned row, cells, rows;
};

static void
scan_row_done (struct scan *scan)
{
  if (scan->cells == 0)
    return;
  CHECK_INT (scan->cells, CELLS - 1);
  expect_row (scan->row, scan->versions, CELLS - 1, 1);
  scan->rows++;
  scan->cells = 0;
}

static void
scan_cell (struct scan *scan, struct bytes key, struct bytes value)
{
  char text[32] = "";
  unsigned row, cell;
  CHECK (key.size < sizeof text);
  memcpy (text, key.data, key.size);
  CHECK_INT (sscanf (text, "row%u/%u", &row, &cell), 2);
  CHECK (row < ROWS && cell < CELLS - 1);
  if (scan->cells > 0 && row != scan->row)
    scan_row_done (scan);
  scan->row = row;
  scan->versions[scan->cells++] = verify_value (row, cell, value);
}

/* Over everything at one snapshot; with a turn in the middle now and then. *rows: seen. */
static bool
scan_store (struct engine_snapshot *snapshot, bool backward, unsigned *rows)
{
  struct failure failure = FAILURE_INIT;
  struct engine_cursor_settings settings = { .store = stores[0], .snapshot = snapshot };
  struct engine_cursor *cursor;
  struct scan scan = { .cells = 0 };
  if (!is_open (engine_cursor_new (engine, &settings, &cursor, &failure), &failure))
    return false;
  status result
      = backward ? engine_cursor_last (cursor, &failure) : engine_cursor_first (cursor, &failure);
  while (result == STATUS_OK && engine_cursor_valid (cursor))
    {
      struct bytes value;
      result = engine_cursor_value (cursor, &value, &failure);
      if (result != STATUS_OK)
        break;
      scan_cell (&scan, engine_cursor_key (cursor), value);
      result = backward ? engine_cursor_previous (cursor, &failure)
                        : engine_cursor_next (cursor, &failure);
    }
  engine_cursor_free (cursor);
  if (!is_open (result, &failure))
    return false;
  scan_row_done (&scan);
  CHECK (scan.rows >= ROWS - ROWS / DELETABLE);
  *rows = scan.rows;
  atomic_fetch_add_explicit (&scans, 1, memory_order_relaxed);
  return true;
}

static void *
reader_main (void *data)
{
  struct random random = { (uint64_t) (uintptr_t) data + 1000 };
  struct engine_value kept = { .holder_kind = 0 };
  unsigned kept_row = 0, rows;
  for (bool go_on = true; go_on;)
    {
      unsigned row = (unsigned) random_below (&random, ROWS);
      uint64_t shape = random_below (&random, 100);
      if (shape < 50)
        go_on = read_one (row, (unsigned) random_below (&random, CELLS));
      else if (shape < 80)
        go_on = read_many (row, &kept, &kept_row);
      else if (shape < 98)
        go_on = read_transaction (row);
      else
        go_on = scan_store (NULL, shape == 98, &rows);
    }
  engine_value_release (&kept);
  return NULL;
}

/* A snapshot reads the same however often and late it is asked. */
static void *
snapshot_main (void *data)
{
  (void) data;
  for (bool go_on = true; go_on;)
    {
      struct failure failure = FAILURE_INIT;
      struct engine_snapshot *snapshot;
      unsigned first = 0, rows = 0;
      if (!is_open (engine_snapshot_new (engine, &snapshot, &failure), &failure))
        break;
      go_on = scan_store (snapshot, false, &first);
      for (unsigned i = 0; i < 3 && go_on; i++)
        {
          usleep (3000);
          go_on = scan_store (snapshot, i % 2 == 0, &rows);
          CHECK (!go_on || rows == first);
        }
      engine_snapshot_free (snapshot);
    }
  return NULL;
}

/* ---- upkeep ---- */

static void *
upkeep_main (void *data)
{
  struct random random = { (uint64_t) (uintptr_t) data + 5000 };
  for (;;)
    {
      struct failure failure = FAILURE_INIT;
      struct engine_statistics statistics;
      status result = STATUS_OK;
      uint64_t shape = random_below (&random, 20);
      if (shape < 4)
        result = engine_flush (engine, &failure);
      else if (shape == 4)
        result = engine_compact (engine, NULL, NULL, &failure);
      else if (shape < 8)
        result = engine_sync (engine, &failure);
      else if (shape == 8)
        result = engine_checkpoint (engine, &failure);
      else if (shape < 15)
        engine_evict_cache (engine, (double) random_below (&random, 5) / 4);
      else
        engine_statistics (engine, &statistics);
      if (result == STATUS_CANCELLED) /* the compaction, by closing */
        return NULL;
      if (!is_open (result, &failure) || engine_is_closed (engine))
        return NULL;
      usleep (2000);
    }
}

/* ---- cycles ---- */

static void
open_database (unsigned cycle)
{
  struct failure failure;
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 65536;
  options.map_segments = cycle % 4 == 3;
  options.log_mapping = cycle % 2 == 0;
  options.merge_workers = 1 + cycle % 3;
  options.compression = (enum engine_compression) (cycle % 5);
  options.transaction_timeout = 0;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  stores[0] = ENGINE_STORE_DEFAULT;
  CHECK_OK (engine_store_open (engine, "second", true, &stores[1], &failure));
}

/* Everything acknowledged is there; what was under way when it was closed is there or not. */
static void
check_rows (void)
{
  for (unsigned row = 0; row < ROWS; row++)
    {
      struct failure failure;
      struct engine_value value;
      char key[32];
      CHECK (read_transaction (row));
      status result
          = engine_get_value (engine, NULL, stores[0], cell_key (key, row, 0), &value, &failure);
      if (result != STATUS_OK)
        continue;
      uint64_t version = verify_value (row, 0, value.data);
      if (version > written[row]) /* the commit that was told CLOSED */
        {
          CHECK_INT (version, written[row] + 1);
          written[row] = version;
        }
      engine_value_release (&value);
    }
}

static void
fill (void)
{
  uint8_t *scratch = malloc (VALUE_MAX + 250);
  for (unsigned row = 0; row < ROWS; row++)
    {
      struct failure failure;
      CHECK_OK (write_batch (row, 1, false, scratch, &failure));
      written[row] = 1;
      atomic_store (&acknowledged[row], 1);
    }
  free (scratch);
}

static void
run_cycle (unsigned cycle, unsigned microseconds)
{
  struct failure failure;
  pthread_t threads[WRITERS + READERS + 3];
  unsigned count = 0;
  open_database (cycle);
  if (cycle == 0)
    fill ();
  check_rows ();
  for (uintptr_t i = 0; i < WRITERS; i++)
    CHECK (pthread_create (&threads[count++], NULL, writer_main, (void *) i) == 0);
  for (uintptr_t i = 0; i < READERS; i++)
    CHECK (pthread_create (&threads[count++], NULL, reader_main, (void *) (cycle * 16 + i)) == 0);
  CHECK (pthread_create (&threads[count++], NULL, snapshot_main, NULL) == 0);
  for (uintptr_t i = 0; i < 2; i++)
    CHECK (pthread_create (&threads[count++], NULL, upkeep_main, (void *) (cycle * 4 + i)) == 0);
  usleep (microseconds);
  CHECK_OK (engine_close (engine, &failure));
  for (unsigned i = 0; i < count; i++)
    pthread_join (threads[i], NULL);
  CHECK_OK (engine_close (engine, &failure)); /* a second time: fine */
  engine_unref (engine);
}

int
main (int argc, char **argv)
{
  struct failure failure;
  unsigned cycles = 12;
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--long") == 0)
      cycles = 300;
    else if (i + 1 < argc && strcmp (argv[i], "--cycles") == 0)
      cycles = (unsigned) strtoul (argv[++i], NULL, 10);
  path = fresh_directory ();
  for (unsigned cycle = 0; cycle < cycles; cycle++)
    run_cycle (cycle, cycle % 3 == 2 ? 100000 + cycle % 7 * 9000 : 900000);
  open_database (0);
  check_rows ();
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  remove_directory (path);
  printf ("%u cycles: %llu rows written, %llu values verified, %llu scans; all as they must be\n",
          cycles, (unsigned long long) writes, (unsigned long long) reads,
          (unsigned long long) scans);
  return 0;
}
