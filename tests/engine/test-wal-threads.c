/* SPDX-License-Identifier: MIT */
/* The log under several threads, and in processes that are killed. */
#include "log-trial.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

/* ---- threads ---- */

struct crew
{
  struct place place;
  _Atomic bool done;
  _Atomic uint64_t released;
};

#define CREW_COMMITS 20000

static void *
crew_sync (void *data)
{
  struct crew *crew = data;
  struct failure failure;
  while (!crew->done)
    {
      uint64_t appended = wal_appended (crew->place.wal);
      CHECK_OK (wal_sync (crew->place.wal, appended, &failure));
      CHECK (wal_synced (crew->place.wal) >= appended);
      usleep (200);
    }
  return NULL;
}

static void *
crew_prepare (void *data)
{
  struct crew *crew = data;
  struct failure failure;
  while (!crew->done)
    {
      if (wal_wants_preparing (crew->place.wal))
        CHECK_OK (wal_prepare (crew->place.wal, &failure));
      wal_trim (crew->place.wal, 2);
      usleep (100);
    }
  return NULL;
}

static void *
crew_release (void *data)
{
  struct crew *crew = data;
  struct failure failure;
  struct wal_statistics statistics;
  while (!crew->done)
    {
      uint64_t appended = wal_appended (crew->place.wal);
      uint64_t released = appended > 500 ? appended - 500 : 0;
      CHECK_OK (wal_release (crew->place.wal, released, &failure));
      crew->released = released > crew->released ? released : crew->released;
      wal_statistics (crew->place.wal, &statistics);
      CHECK (wal_synced (crew->place.wal) <= wal_appended (crew->place.wal));
      usleep (1000);
    }
  return NULL;
}

void
test_threads (bool map)
{
  static struct crew crew;
  static void *(*const duties[]) (void *) = { crew_sync, crew_prepare, crew_release };
  struct failure failure;
  pthread_t threads[3];
  memset (&crew, 0, sizeof crew);
  place_open (&crew.place);
  log_open (&crew.place, SEGMENT_SIZE, map, 1);
  for (unsigned i = 0; i < 3; i++)
    CHECK (pthread_create (&threads[i], NULL, duties[i], &crew) == 0);
  for (uint64_t sequence = 1; sequence <= CREW_COMMITS; sequence++)
    {
      size_t size = sequence % 5000 == 0 ? 100000 : payload_size (sequence);
      CHECK_OK (append_sized (&crew.place, sequence, size, sequence % 4 != 0, &failure));
      if (sequence % 1000 == 0)
        usleep (500);
    }
  crew.done = true;
  for (unsigned i = 0; i < 3; i++)
    pthread_join (threads[i], NULL);
  CHECK_INT (recover_to (&crew.place, crew.released, NULL, NULL), CREW_COMMITS);
  place_close (&crew.place);
}

/* A record is durable only by a sync that began after it was appended. */
static void *
crew_truth (void *data)
{
  struct crew *crew = data;
  struct failure failure;
  while (!crew->done)
    CHECK_OK (wal_sync (crew->place.wal, wal_appended (crew->place.wal), &failure));
  return NULL;
}

void
test_synced_is_true (void)
{
  static struct crew crew;
  struct failure failure;
  pthread_t thread;
  memset (&crew, 0, sizeof crew);
  place_open (&crew.place);
  log_open (&crew.place, SEGMENT_SIZE, true, 1);
  CHECK (pthread_create (&thread, NULL, crew_truth, &crew) == 0);
  for (uint64_t sequence = 1; sequence <= 5000; sequence++)
    {
      int before = plan.syncs;
      CHECK_OK (append_sized (&crew.place, sequence, 40, sequence % 2 == 0, &failure));
      if (wal_synced (crew.place.wal) >= sequence)
        CHECK (plan.syncs > before);
    }
  crew.done = true;
  pthread_join (thread, NULL);
  place_close (&crew.place);
}

/* What other threads do in the middle of a sync, at a place of the test's choosing. */
static struct place *busy;

static void
release_during_sync (struct vfs_file *file)
{
  struct failure failure;
  char path[700];
  CHECK_OK (wal_release (busy->wal, wal_appended (busy->wal), &failure));
  wal_trim (busy->wal, 0);
  snprintf (path, sizeof path, "%s/%s", busy->path, file->name);
  CHECK (access (path, F_OK) == 0);
}

static void
release_during_unmap (struct vfs_file *file)
{
  struct failure failure;
  char path[700];
  CHECK_OK (wal_release (busy->wal, wal_appended (busy->wal) - 1, &failure));
  wal_trim (busy->wal, 0);
  snprintf (path, sizeof path, "%s/%s", busy->path, file->name);
  CHECK (access (path, F_OK) == 0);
}

/* Until the next segment has this number. */
static void
append_until (struct place *place, uint64_t number, bool store)
{
  while (place->next_number < number)
    append (place, wal_appended (place->wal) + 1, wal_appended (place->wal) + 1, store);
}

static void
rotate_during_sync (struct vfs_file *file)
{
  struct failure failure;
  uint64_t sequence = wal_appended (busy->wal);
  for (unsigned i = 0; i < 3; i++)
    CHECK_OK (append_sized (busy, ++sequence, 70000, true, &failure));
}

/* Opens a log and writes on into its second segment, nothing synced, for the functions above. */
static void
place_busy (struct place *place)
{
  place_open (place);
  busy = place;
  log_open (place, SEGMENT_SIZE, true, 1);
  append_until (place, 3, true);
}

static void
prepare_during_sync (struct vfs_file *file)
{
  struct failure failure;
  CHECK_OK (wal_prepare (busy->wal, &failure)); /* unmaps what is full, but for this one */
}

/* A full segment that could not be unmapped because it was in a sync is unmapped behind it. */
void
test_unmapped_behind_sync (void)
{
  struct place place;
  struct failure failure;
  place_busy (&place);
  CHECK_INT (ledger_used (&place.ledger, LEDGER_LOG), 2 * SEGMENT_SIZE);
  during_sync = prepare_during_sync;
  CHECK_OK (wal_sync (place.wal, wal_appended (place.wal), &failure));
  CHECK (during_sync == NULL);
  wal_trim (place.wal, 0);
  CHECK_INT (ledger_used (&place.ledger, LEDGER_LOG), SEGMENT_SIZE);
  place_close (&place);
}

void
test_interleavings (void)
{
  struct place place;
  struct failure failure;
  place_busy (&place);
  uint64_t last = wal_appended (place.wal);
  during_sync = release_during_sync;
  CHECK_OK (wal_sync (place.wal, last, &failure));
  CHECK_INT (wal_synced (place.wal), last);
  /* What waited for the sync is released now. */
  wal_trim (place.wal, 0);
  CHECK_INT (count_files (&place).files, 1);

  /* Nor does one go that is being unmapped. */
  append_until (&place, 4, true);
  last = wal_appended (place.wal);
  during_unmap = release_during_unmap;
  CHECK_OK (wal_prepare (place.wal, &failure));
  CHECK (during_unmap == NULL);
  wal_trim (place.wal, 0);

  /* A segment that was overtaken while it was prepared is not used under its number. (Where commits
   * are written it is synced then.) */
  append_until (&place, place.next_number + 1, false);
  while (!wal_wants_preparing (place.wal))
    append (&place, wal_appended (place.wal) + 1, wal_appended (place.wal) + 1, false);
  last = wal_appended (place.wal);
  during_sync = rotate_during_sync;
  CHECK_OK (wal_prepare (place.wal, &failure));
  CHECK (during_sync == NULL);
  append (&place, last + 4, last + 1000, true);
  CHECK_INT (recover_to (&place, last, NULL, NULL), last + 1000);
  place_close (&place);
}

/* ---- killed processes ---- */

/* Appends until it is killed; reports each sequence after it is acknowledged. */
static void
child_append (struct place *place, int to, unsigned round)
{
  struct failure failure;
  struct random random = { round };
  log_open (place, SEGMENT_SIZE, round % 4 != 3, 1);
  for (uint64_t sequence = 1;; sequence++)
    {
      append (place, sequence, sequence, random_below (&random, 8) != 0);
      if (random_below (&random, 100) == 0)
        CHECK_OK (wal_sync (place->wal, sequence, &failure));
      if (wal_wants_preparing (place->wal))
        CHECK_OK (wal_prepare (place->wal, &failure));
      if (write (to, &sequence, sizeof sequence) != sizeof sequence)
        _exit (1);
    }
}

void
test_killed (unsigned round)
{
  struct place place;
  int ends[2];
  uint64_t acknowledged = 0, sequence;
  struct random random = { round + 1000 };
  place_open (&place);
  CHECK (pipe (ends) == 0);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      close (ends[0]);
      child_append (&place, ends[1], round);
    }
  close (ends[1]);
  uint64_t until = 1 + random_below (&random, 3000);
  while (read (ends[0], &sequence, sizeof sequence) == sizeof sequence)
    {
      CHECK_INT (sequence, acknowledged + 1);
      acknowledged = sequence;
      if (sequence == until)
        CHECK (kill (child, SIGKILL) == 0);
    }
  CHECK (acknowledged >= until);
  CHECK (waitpid (child, NULL, 0) == child);
  close (ends[0]);
  uint64_t recovered = recover_to (&place, 0, payload_size, NULL);
  CHECK (recovered == acknowledged || recovered == acknowledged + 1);
  place_close (&place);
}
