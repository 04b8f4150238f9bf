/* SPDX-License-Identifier: MIT */
/* A writer and its readers as processes of their own, killed and stopped at random; and how soon
 * what is committed is seen. */
#include "followed-engine.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

/* ---- processes ---- */

/* Writes batch after batch: a number, its slot, and each slot deleted once in a while. */
int
write_role (const char *path, struct board *board)
{
  struct engine *engine = NULL;
  struct engine_options options;
  choose (&options);
  for (uint64_t until = now () + PATIENCE;;)
    {
      failure = FAILURE_INIT;
      status result = engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure);
      if (result == STATUS_OK)
        break;
      if (result != STATUS_LOCKED || now () > until)
        {
          fprintf (stderr, "a writer cannot open: %s\n", failure.message);
          return 1;
        }
      usleep (1000);
    }
  atomic_store (&board->opened, now ());
  struct engine_batch *batch;
  CHECK_OK (engine_batch_new (&batch, &failure));
  uint64_t number = read_number (engine, NULL);
  CHECK (number >= atomic_load (&board->acknowledged));
  while (atomic_load (&board->stop) == 0)
    {
      char key[16];
      number++;
      engine_batch_clear (batch);
      CHECK_OK (
          engine_batch_put (batch, 1, TEXT ("number"), BYTES (&number, sizeof number), &failure));
      slot_key (key, number);
      CHECK_OK (engine_batch_put (batch, 1, TEXT (key), slot_value (number), &failure));
      enum engine_sync sync = number % 500 == 0 ? ENGINE_SYNC_FULL
                              : number % 3 == 0 ? ENGINE_SYNC_NONE
                                                : ENGINE_SYNC_ASYNC;
      CHECK_OK (engine_write (engine, batch, sync, NULL, &failure));
      atomic_store (&board->acknowledged, number);
      if (number % 20000 == 0)
        CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      if (atomic_load (&board->full_speed) == 0 && number % 50 == 0)
        usleep (1000);
    }
  engine_batch_free (batch);
  close_engine (engine);
  return 0;
}

/* A replica of the numbers in slots, kept by a feed. */
struct replica
{
  struct engine_feed *feed;
  uint64_t number; /* the newest */
  uint64_t sums[SLOTS];
};

static uint64_t
sum_of (struct bytes value)
{
  uint64_t sum = value.size;
  for (size_t i = 0; i < value.size; i++)
    sum = (sum ^ value.data[i]) * UINT64_C (1099511628211);
  return sum;
}

static void
replica_copy (struct replica *replica, struct engine *engine, struct engine_snapshot *snapshot)
{
  struct engine_value value;
  char key[16];
  replica->number = read_number (engine, snapshot);
  for (unsigned slot = 0; slot < SLOTS; slot++)
    {
      slot_key (key, slot);
      status result = engine_get_value (engine, snapshot, 1, TEXT (key), &value, NULL);
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
      replica->sums[slot] = result == STATUS_OK ? sum_of (value.data) : 0;
      if (result == STATUS_OK)
        engine_value_release (&value);
    }
}

/* False: a value is no longer kept. */
static bool
replica_apply (struct replica *replica, struct engine_feed *feed)
{
  struct engine_change change;
  struct failure cause = FAILURE_INIT;
  status result;
  while ((result = engine_feed_next_change (feed, &change, &cause)) == STATUS_OK)
    {
      struct engine_value value;
      unsigned slot;
      char text[16] = "";
      CHECK (change.kind == ENGINE_CHANGE_PUT && change.key.size < sizeof text);
      memcpy (text, change.key.data, change.key.size);
      result = engine_feed_value (feed, &value, &cause);
      if (result == STATUS_HISTORY_GONE)
        return false;
      CHECK (result == STATUS_OK);
      if (sscanf (text, "slot-%u", &slot) == 1)
        replica->sums[slot] = sum_of (value.data);
      else
        memcpy (&replica->number, value.data.data, sizeof replica->number);
      engine_value_release (&value);
    }
  CHECK (result == STATUS_NOT_FOUND);
  return true;
}

/* Brings the replica to the snapshot, by the feed, or anew when that fell behind. Whether by the
 * feed. */
static bool
replica_follow (struct replica *replica, struct engine *engine, struct engine_snapshot *snapshot)
{
  uint64_t goal = engine_snapshot_sequence (snapshot), sequence;
  struct failure cause = FAILURE_INIT;
  bool whole = replica->feed != NULL;
  while (whole && engine_feed_position (replica->feed) < goal)
    {
      status result = engine_feed_next_commit (replica->feed, &sequence, &cause);
      whole = result == STATUS_OK && replica_apply (replica, replica->feed);
      if (result != STATUS_OK && result != STATUS_HISTORY_GONE)
        fprintf (stderr, "a reader's feed: %s (%s)\n", status_name (result), cause.message);
      CHECK (result == STATUS_OK || result == STATUS_HISTORY_GONE);
    }
  if (whole)
    return true;
  engine_feed_free (replica->feed);
  replica->feed = NULL;
  failure = FAILURE_INIT;
  status result = engine_feed_new (engine, goal, &replica->feed, &failure);
  CHECK (result == STATUS_OK || result == STATUS_HISTORY_GONE);
  replica_copy (replica, engine, snapshot);
  return false;
}

/* Reads snapshot after snapshot, each whole, each as new as the one before at least. */
int
read_role (const char *path, struct board *board, unsigned number)
{
  struct engine *engine = open_reader (path);
  struct replica replica = { .feed = NULL }, other = { .feed = NULL };
  uint64_t before = 0, sequence_before = 0;
  while (atomic_load (&board->stop) == 0)
    {
      struct engine_snapshot *snapshot;
      await_for (engine, sequence_before + 1, 50000);
      CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
      uint64_t seen = read_number (engine, snapshot),
               sequence = engine_snapshot_sequence (snapshot);
      CHECK (seen >= before && sequence >= sequence_before);
      CHECK (seen > 0 || sequence == 0);
      before = seen;
      sequence_before = sequence;
      verify_snapshot (engine, snapshot, seen);
      if (!replica_follow (&replica, engine, snapshot))
        atomic_fetch_add (&board->resyncs[number], 1);
      else
        {
          replica_copy (&other, engine, snapshot);
          CHECK (replica.number == other.number
                 && memcmp (replica.sums, other.sums, sizeof other.sums) == 0);
        }
      engine_snapshot_free (snapshot);
      atomic_store (&board->seen[number], seen);
      atomic_fetch_add (&board->snapshots[number], 1);
    }
  engine_feed_free (replica.feed);
  close_engine (engine);
  return 0;
}

static uint64_t
await_seen (struct board *board, unsigned reader, uint64_t number)
{
  uint64_t until = now () + PATIENCE;
  while (atomic_load (&board->seen[reader]) < number && now () < until)
    usleep (500);
  return atomic_load (&board->seen[reader]);
}

static uint64_t
count_snapshots (struct board *board)
{
  uint64_t count = 0;
  for (unsigned i = 0; i < READERS; i++)
    count += atomic_load (&board->snapshots[i]);
  return count;
}

/* One writer and four readers; each is killed, or stopped for a while, at random. Whoever is killed
 * gets a successor. */
void
test_kills (const char *program, unsigned kills, uint64_t seed)
{
  char *path = fresh_directory (), *beside = fresh_directory (), file[600];
  uint64_t random = seed * UINT64_C (0x9e3779b97f4a7c15) + 1, worst_open = 0;
  unsigned killed_writers = 0, stopped = 0;
  pid_t writer, readers[READERS];
  fprintf (stderr, "such kills again:  %s --kills %u --seed %llu\n", program, kills,
           (unsigned long long) seed);
  snprintf (file, sizeof file, "%s/board", beside);
  struct board *board = board_map (file);
  writer = start ("--writer", path, file, 0);
  while (atomic_load (&board->acknowledged) == 0)
    usleep (1000);
  for (unsigned i = 0; i < READERS; i++)
    readers[i] = start ("--reader", path, file, i);
  for (unsigned i = 0; i < kills; i++)
    {
      unsigned victim = (unsigned) (next_random (&random) % (READERS + 1));
      pid_t *child = victim == READERS ? &writer : &readers[victim];
      atomic_store (&board->full_speed, next_random (&random) % 2);
      usleep ((useconds_t) (next_random (&random) % 15000));
      if (next_random (&random) % 3 == 0)
        {
          kill (*child, SIGSTOP);
          stopped++;
          usleep ((useconds_t) (next_random (&random) % 40000));
          if (next_random (&random) % 2 == 0)
            {
              kill (*child, SIGCONT);
              continue;
            }
        }
      end (*child, SIGKILL);
      if (victim == READERS)
        {
          uint64_t began = now ();
          killed_writers++;
          atomic_store (&board->opened, 0);
          writer = start ("--writer", path, file, 0);
          while (atomic_load (&board->opened) == 0 && now () < began + PATIENCE)
            usleep (200);
          CHECK (atomic_load (&board->opened) != 0);
          uint64_t took = now () - began;
          worst_open = took > worst_open ? took : worst_open;
        }
      else
        {
          atomic_store (&board->seen[victim], 0);
          readers[victim] = start ("--reader", path, file, victim);
        }
    }
  uint64_t goal = atomic_load (&board->acknowledged);
  for (unsigned i = 0; i < READERS; i++)
    CHECK (await_seen (board, i, goal) >= goal);
  while (count_snapshots (board) <= kills) /* those that were killed may have got no core */
    usleep (1000);
  atomic_store (&board->stop, 1);
  end (writer, 0);
  for (unsigned i = 0; i < READERS; i++)
    end (readers[i], 0);
  struct engine *engine = open_flags (path, 0);
  CHECK (read_number (engine, NULL) >= atomic_load (&board->acknowledged));
  close_engine (engine);
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  uint64_t snapshots = count_snapshots (board), resyncs = 0;
  for (unsigned i = 0; i < READERS; i++)
    resyncs += board->resyncs[i];
  printf ("%u kills (%u of the writer, whose successors were there within %llu ms), %u stops: %llu "
          "commits, %llu snapshots verified, %llu replicas begun anew\n",
          kills, killed_writers, (unsigned long long) worst_open / 1000, stopped,
          (unsigned long long) board->acknowledged, (unsigned long long) snapshots,
          (unsigned long long) resyncs);
  munmap (board, sizeof *board);
  remove_directory (path);
  remove_directory (beside);
}

/* ---- how soon ---- */

int
time_role (const char *path, struct board *board)
{
  struct engine *engine = open_writer (path);
  while (atomic_load (&board->stop) == 0)
    {
      bool full_speed = atomic_load (&board->full_speed) != 0;
      if (!full_speed)
        usleep (20000 + (useconds_t) (now () % 7000));
      uint64_t at = now ();
      CHECK_OK (engine_put (engine, 1, TEXT ("time"), BYTES (&at, sizeof at), ENGINE_SYNC_ASYNC,
                            NULL, &failure));
      atomic_fetch_add (&board->acknowledged, 1);
    }
  close_engine (engine);
  return 0;
}

static int
compare_numbers (const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
  return (a > b) - (a < b);
}

#define SAMPLES 80u

static void
print_latency (struct engine *engine, const char *what)
{
  uint64_t samples[SAMPLES];
  for (unsigned i = 0; i < SAMPLES; i++)
    {
      uint64_t at;
      size_t size;
      await (engine, engine_sequence (engine) + 1);
      CHECK_OK (engine_get (engine, NULL, 1, TEXT ("time"), &at, sizeof at, &size, &failure));
      samples[i] = now () - at;
    }
  qsort (samples, SAMPLES, sizeof *samples, compare_numbers);
  printf ("%s: visible in the reader after %llu µs (median), %llu µs (99 of 100)\n", what,
          (unsigned long long) samples[SAMPLES / 2],
          (unsigned long long) samples[SAMPLES * 99 / 100]);
}

void
test_latency (void)
{
  char *path = fresh_directory (), *beside = fresh_directory (), file[600];
  snprintf (file, sizeof file, "%s/board", beside);
  struct board *board = board_map (file);
  pid_t writer = start ("--timer", path, file, 0);
  while (atomic_load (&board->acknowledged) == 0)
    usleep (1000);
  struct engine *engine = open_reader (path);
  print_latency (engine, "isolated commits");
  atomic_store (&board->full_speed, 1);
  print_latency (engine, "at full speed");
  close_engine (engine);
  atomic_store (&board->stop, 1);
  end (writer, 0);
  munmap (board, sizeof *board);
  remove_directory (path);
  remove_directory (beside);
}
