/* SPDX-License-Identifier: MIT */
/*
 * kill-points: a process is killed at points that have names, each as often as is asked, and
 * another process judges what is left.
 *
 *   test-kill-points [--long] [--hits N] [--kills N] [--seed S] [--point NAME] [--list]
 *
 * A point is before, amid or after something that is done to a file: by a commit, by the engine's
 * own threads, or in the middle of a recovery, a backup, a repair (killing-disk.h). `--list` prints
 * how often each was passed in a few unharmed runs.
 *
 * After each kill the database is opened, and
 *   - every acknowledged commit is there, each commit is whole (writer.h);
 *   - there is no hole: the numbers of the acknowledged commits, and of those that had got through
 *     unacknowledged, are all there are;
 *   - a bulk load is there as a whole or not at all; a backup stands at the commit it says, and one
 *     that was cut short can be continued; a restore and a repair can be done again, and their
 *     source is as it was;
 *   - now and then everything is checked deeply.
 */
#include "kill-places.h"
#include "writer.h"

#include "base/random.h"
#include "check.h"
#include "sound-database.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LOAD_KEYS 40u
#define LOAD_VALUE 300u   /* bytes; every eighth is large */
#define LOAD_LARGE 9000u  /* bytes */
#define PATIENCE 4000000u /* microseconds until a child that does not come to its point is killed */
#define MISSES_MOST 40u   /* in a row, at the first turn: then a point is out of reach */

enum told
{
  TOLD_LOAD,   /* number: which; sequence: its commit */
  TOLD_BACKUP, /* sequence: it stands there */
};

static char *base; /* all of it is below */
static char database[600], backup[600], restored[600], repaired[600], made[600];
static struct kill_order *order; /* shared */
static struct random chances;
static const char *program;

static struct
{
  uint64_t seed;
  uint64_t hits, kills; /* how often each point, or how many in all; 0 = the other says */
  bool brief;           /* each place at one of its moments, which follows from the seed */
  bool list;            /* only tell what there is */
  const char *point;    /* NULL = all of them */
} settings = { .seed = 1, .hits = 1, .brief = true };

/* ---- what is known ---- */

struct state
{
  writer_picture pictures[WRITERS];
  uint64_t done[WRITERS]; /* operations that are in it */
  uint64_t load;          /* the newest bulk load in it */
};

/* A commit that is in the present state, and perhaps not in the backup. */
struct known_commit
{
  uint32_t writer; /* WRITERS: a bulk load */
  uint64_t number;
  uint64_t least, most; /* its sequence lies there */
};

static struct state present;
static uint64_t newest; /* commit, as of the last verification */

static struct
{
  bool complete;             /* one was, in this directory */
  uint64_t least;            /* commit it stands at, or a later one */
  struct state state;        /* at that commit, or an earlier one */
  struct known_commit *list; /* what came behind `state`, in each writer's order; malloc'd */
  size_t count, room;
} behind;

static struct
{
  uint64_t acknowledged, extra; /* in this round */
  unsigned unseen;              /* writers whose next operation would change nothing */
  bool loads;                   /* bulk loads took part: they take numbers beyond one */
  uint64_t least[WRITERS + 1];  /* the last acknowledged commit of each */
} round_now;

static struct
{
  uint64_t kills, hits, missed, acknowledged, extra, loads, backups, continued, repairs, restores,
      holes_looked_for, checks;
} totals;

static void
remember (struct known_commit commit)
{
  if (behind.count == behind.room)
    {
      behind.room = behind.room * 2 + 1024;
      behind.list = realloc (behind.list, behind.room * sizeof *behind.list);
      CHECK (behind.list != NULL);
    }
  behind.list[behind.count++] = commit;
}

static void
apply (struct state *state, const struct known_commit *commit)
{
  if (commit->writer == WRITERS)
    state->load = commit->number;
  else
    {
      CHECK_INT (commit->number, state->done[commit->writer] + 1);
      writer_apply (state->pictures[commit->writer], commit->writer, commit->number);
      state->done[commit->writer] = commit->number;
    }
}

/* A commit that is in the database for sure. */
static void
learn (uint32_t writer, uint64_t number, uint64_t least, uint64_t most)
{
  struct known_commit commit = { writer, number, least, most };
  apply (&present, &commit);
  remember (commit);
  round_now.least[writer] = most;
}

/* ---- the child ---- */

static int pipe_end;
static _Atomic bool stop;

static status
open_database (const char *path, unsigned flags, uint64_t variant, struct engine **out,
               struct failure *failure)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.memtable_size = 64 << 10;
  options.segment_file_size = 128 << 10;
  options.log_segment_size = 65536 << (variant % 2);
  options.log_mapping = variant % 3 != 0;
  options.sync_interval = 5000;
  return engine_open (path, flags, &options, out, failure);
}

static void
open_stores (struct engine *engine, engine_store stores[WRITER_STORES])
{
  struct failure failure;
  stores[0] = ENGINE_STORE_DEFAULT;
  CHECK_OK (engine_store_open (engine, "second", true, &stores[1], &failure));
}

static struct bytes
load_key (char to[32], unsigned key)
{
  return BYTES (to, (size_t) sprintf (to, "load/%03u", key));
}

static struct bytes
load_value (uint8_t to[LOAD_LARGE], unsigned key, uint64_t number)
{
  size_t size = key % 8 == 0 ? LOAD_LARGE : LOAD_VALUE;
  memset (to, (int) (number * 7 + key) & 0xff, size);
  memcpy (to, &number, sizeof number);
  return BYTES (to, size);
}

static void
load_once (struct engine *engine, uint64_t number)
{
  struct failure failure;
  struct engine_loader *loader;
  uint8_t value[LOAD_LARGE];
  char key[32];
  uint64_t sequence;
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  for (unsigned i = 0; i < LOAD_KEYS; i++)
    CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, load_key (key, i),
                                 load_value (value, i, number), &failure));
  failure = FAILURE_INIT;
  status result = engine_loader_commit (loader, &sequence, &failure);
  engine_loader_free (loader);
  CHECK (result == STATUS_OK || result == STATUS_BUSY); /* others commit faster than it can */
  if (result == STATUS_OK)
    acknowledge (pipe_end, (struct acknowledgement){ WRITERS, TOLD_LOAD, number, sequence });
}

/* What the child does beside its writers, over and over. */
static void
act (struct engine *engine, enum activity activity)
{
  struct failure failure;
  struct engine_backup_result result;
  uint64_t number = present.load;
  for (;;)
    {
      killing_disk_do (activity);
      switch (activity)
        {
        case ACTIVITY_CHECKPOINT:
          CHECK_OK (engine_checkpoint (engine, &failure));
          break;
        case ACTIVITY_COMPACT:
          CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
          break;
        case ACTIVITY_LOAD:
          load_once (engine, ++number);
          break;
        case ACTIVITY_BACKUP:
          CHECK_OK (engine_backup (engine, backup, false, NULL, NULL, &result, &failure));
          acknowledge (pipe_end,
                       (struct acknowledgement){ WRITERS, TOLD_BACKUP, 0, result.sequence });
          break;
        default:
          break;
        }
      killing_disk_do (ACTIVITY_NONE);
      usleep (3000);
    }
}

static void *
killed_writer_main (void *data)
{
  killing_disk_do (ACTIVITY_WRITE);
  return writer_main (data);
}

/* A database in use: writers, and something beside them. */
static _Noreturn void
child_use (enum activity activity, uint64_t variant)
{
  struct failure failure;
  struct engine *engine;
  pthread_t threads[WRITERS];
  struct writer writers[WRITERS];
  engine_store stores[WRITER_STORES];
  CHECK_OK (open_database (database, ENGINE_OPEN_EXISTING, variant, &engine, &failure));
  open_stores (engine, stores);
  for (unsigned i = 0; i < WRITERS; i++)
    {
      writers[i] = (struct writer){
        engine, { stores[0], stores[1] }, i, present.done[i] + 1, pipe_end, NULL, &stop
      };
      CHECK (pthread_create (&threads[i], NULL, killed_writer_main, &writers[i]) == 0);
    }
  if (activity != ACTIVITY_CLOSE)
    act (engine, activity);
  usleep (10000);
  atomic_store (&stop, true);
  for (unsigned i = 0; i < WRITERS; i++)
    pthread_join (threads[i], NULL);
  killing_disk_do (ACTIVITY_CLOSE);
  CHECK_OK (engine_close (engine, &failure));
  _exit (0);
}

static _Noreturn void
child_main (enum activity activity, uint64_t variant)
{
  struct failure failure;
  struct engine *engine;
  killing_disk_use (order);
  switch (activity)
    {
    case ACTIVITY_CREATE:
      killing_disk_do (activity);
      CHECK_OK (open_database (made, ENGINE_OPEN_CREATE, variant, &engine, &failure));
      break;
    case ACTIVITY_RECOVER:
      killing_disk_do (activity);
      CHECK_OK (open_database (database, ENGINE_OPEN_EXISTING, variant, &engine, &failure));
      break;
    case ACTIVITY_RESTORE:
      killing_disk_do (activity);
      CHECK_OK (engine_restore (backup, restored, NULL, NULL, &failure));
      break;
    case ACTIVITY_REPAIR:
      killing_disk_do (activity);
      CHECK_OK (engine_repair (database, repaired, NULL, NULL, NULL, NULL, &failure));
      break;
    case ACTIVITY_DESTROY:
      killing_disk_do (activity);
      CHECK_OK (engine_destroy (made, NULL, &failure));
      break;
    default:
      child_use (activity, variant);
    }
  _exit (0);
}

/* ---- killing ---- */

static void
hear (const struct acknowledgement *told)
{
  round_now.acknowledged++;
  if (told->writer < WRITERS)
    learn (told->writer, told->number, told->sequence, told->sequence);
  else if (told->what == TOLD_LOAD)
    {
      learn (WRITERS, told->number, told->sequence, told->sequence);
      totals.loads++;
    }
  else
    {
      round_now.acknowledged--;
      behind.complete = true;
      behind.least = told->sequence;
      totals.backups++;
    }
}

/* Starts a child that dies at its point, or by our hand after so many acknowledgements, or when we
 * lose patience, or ends by itself. */
static void
run_child (enum activity activity, uint64_t variant, uint64_t most)
{
  int ends[2];
  struct acknowledgement told;
  enum acknowledged how = ACKNOWLEDGED;
  uint64_t until = writer_now () + PATIENCE, heard = 0;
  atomic_store (&order->at, 0);
  atomic_store (&order->hit, false);
  CHECK (pipe (ends) == 0);
  fflush (stdout);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      signal (SIGABRT, SIG_DFL);
      close (ends[0]);
      pipe_end = ends[1];
      child_main (activity, variant);
    }
  close (ends[1]);
  while (heard < most && (how = read_acknowledgement (ends[0], until, &told)) == ACKNOWLEDGED)
    {
      hear (&told);
      heard++;
    }
  if (how != ACKNOWLEDGED_END)
    {
      kill (child, SIGKILL);
      while (read_acknowledgement (ends[0], UINT64_MAX, &told) == ACKNOWLEDGED)
        hear (&told);
    }
  close (ends[0]);
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  bool killed = WIFSIGNALED (ended) && WTERMSIG (ended) == SIGKILL;
  CHECK (killed || (WIFEXITED (ended) && WEXITSTATUS (ended) == 0));
  totals.kills += killed;
}

/* ---- verifying ---- */

static bool
load_matches (struct engine *engine, uint64_t number)
{
  struct failure failure = FAILURE_INIT;
  uint8_t expected[LOAD_LARGE];
  char key[32];
  for (unsigned i = 0; i < LOAD_KEYS; i++)
    {
      struct engine_value value;
      status result = engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, load_key (key, i),
                                        &value, &failure);
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
      bool same = result == STATUS_OK
                      ? number > 0 && bytes_equal (value.data, load_value (expected, i, number))
                      : number == 0;
      if (result == STATUS_OK)
        engine_value_release (&value);
      if (!same)
        return false;
    }
  return true;
}

/* Why a database differs from a state; NULL when it doesn't. */
static const char *
difference (struct engine *engine, struct state *state, char message[200])
{
  engine_store stores[WRITER_STORES] = { ENGINE_STORE_DEFAULT, 0 };
  struct failure failure = FAILURE_INIT;
  if (engine_store_open (engine, "second", false, &stores[1], &failure) != STATUS_OK)
    return "the second store is gone";
  for (unsigned writer = 0; writer < WRITERS; writer++)
    if (writer_difference (engine, stores, writer, state->pictures[writer], message, 200) != NULL)
      return message;
  if (load_matches (engine, state->load))
    return NULL;
  snprintf (message, 200, "bulk load %" PRIu64 " is not there as it was", state->load);
  return message;
}

static void
verify_writer (struct engine *engine, const engine_store *stores, unsigned writer)
{
  char message[200], other[200];
  writer_picture next;
  memcpy (next, present.pictures[writer], sizeof next);
  writer_apply (next, writer, present.done[writer] + 1);
  if (writer_difference (engine, stores, writer, present.pictures[writer], message, sizeof message)
      == NULL)
    {
      round_now.unseen += memcmp (next, present.pictures[writer], sizeof next) == 0;
      return;
    }
  if (writer_difference (engine, stores, writer, next, other, sizeof other) != NULL)
    {
      fprintf (stderr,
               "writer %u acknowledged %" PRIu64 " operations, but %s (with the next one: %s)\n",
               writer, present.done[writer], message, other);
      abort ();
    }
  learn (writer, present.done[writer] + 1, round_now.least[writer] + 1, engine_sequence (engine));
  round_now.extra++;
}

/* Each number up to the newest is that of a commit that is known. An unacknowledged operation that
 * changes nothing (it deletes what is not there) can't be seen: it may have taken a number, too. */
static void
look_for_holes (struct engine *engine)
{
  uint64_t sequence = engine_sequence (engine);
  uint64_t taken = sequence - newest, found = round_now.acknowledged + round_now.extra;
  for (unsigned writer = 0; writer <= WRITERS; writer++)
    CHECK (round_now.least[writer] <= sequence);
  if (!round_now.loads)
    {
      totals.holes_looked_for++;
      CHECK (found <= taken);
      CHECK (taken <= found + round_now.unseen);
    }
  newest = sequence;
  totals.acknowledged += round_now.acknowledged;
  totals.extra += round_now.extra;
}

/* The database itself, which is closed again unless it is asked for. */
static struct engine *
verify_database (uint64_t variant, bool keep)
{
  struct failure failure;
  struct engine *engine;
  engine_store stores[WRITER_STORES];
  if (random_below (&chances, 3) == 0)
    {
      CHECK_OK (open_database (database, ENGINE_OPEN_READ_ONLY, variant, &engine, &failure));
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
    }
  CHECK_OK (open_database (database, ENGINE_OPEN_EXISTING, variant, &engine, &failure));
  open_stores (engine, stores);
  for (unsigned writer = 0; writer < WRITERS; writer++)
    verify_writer (engine, stores, writer);
  if (!load_matches (engine, present.load))
    {
      CHECK (load_matches (engine, present.load + 1));
      learn (WRITERS, present.load + 1, newest + 1, engine_sequence (engine));
      round_now.extra++;
    }
  look_for_holes (engine);
  if (keep)
    return engine;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  return NULL;
}

static void
check_deeply (const char *path)
{
  check_sound (path);
  totals.checks++;
}

/* ---- backups ---- */

/* Brings what is known of the backup to a commit. Which commits it has beside that can't be told,
 * at most one of each writer, is left in `open`, as places in the list; returns how many. */
static size_t
advance_behind (uint64_t sequence, size_t open[WRITERS + 1])
{
  size_t kept = 0, open_count = 0;
  bool waits[WRITERS + 1] = { false };
  for (size_t i = 0; i < behind.count; i++)
    {
      struct known_commit commit = behind.list[i];
      if (commit.most <= sequence && !waits[commit.writer])
        {
          apply (&behind.state, &commit);
          continue;
        }
      if (commit.least <= sequence && !waits[commit.writer])
        open[open_count++] = kept;
      waits[commit.writer] = true;
      behind.list[kept++] = commit;
    }
  behind.count = kept;
  return open_count;
}

/* A directory holds what the database held at the commit it says. */
static void
verify_copy (const char *path, struct engine *engine)
{
  uint64_t sequence = engine_sequence (engine);
  char message[200];
  const char *reason = NULL;
  size_t open[WRITERS + 1];
  CHECK (sequence >= behind.least);
  size_t open_count = advance_behind (sequence, open);
  for (unsigned choice = 0; choice < 1u << open_count; choice++)
    {
      static struct state state;
      state = behind.state;
      for (size_t i = 0; i < open_count; i++)
        if ((choice >> i & 1) != 0)
          apply (&state, &behind.list[open[i]]);
      reason = difference (engine, &state, message);
      if (reason == NULL)
        return;
    }
  fprintf (stderr, "%s stands at commit %" PRIu64 ", but %s\n", path, sequence, reason);
  abort ();
}

/* False: there is no database. */
static bool
open_copy (const char *path, struct engine **out, struct failure *failure)
{
  *failure = FAILURE_INIT;
  return open_database (path, ENGINE_OPEN_READ_ONLY, 0, out, failure) == STATUS_OK;
}

static void
close_copy (struct engine *engine)
{
  struct failure failure;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

static void
remove_tree (const char *path)
{
  char command[700];
  snprintf (command, sizeof command, "rm -rf -- '%s'", path);
  CHECK_INT (system (command), 0);
}

/* The next backup is a first one. */
static void
forget_backup (void)
{
  remove_tree (backup);
  behind.complete = false;
  behind.least = 0;
  behind.count = 0;
  behind.state = present;
}

/* As the kill left it; then it is continued. */
static void
verify_backup (struct engine *engine)
{
  struct failure failure;
  struct engine *copy;
  struct engine_backup_result result;
  bool there = open_copy (backup, &copy, &failure);
  if (!there && behind.complete)
    fprintf (stderr, "the backup does not open: %s\n", failure.message);
  CHECK (there || !behind.complete);
  if (there)
    {
      verify_copy (backup, copy);
      close_copy (copy);
      check_deeply (backup);
    }
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.sequence, engine_sequence (engine));
  totals.continued++;
  behind.complete = true;
  behind.least = result.sequence;
  CHECK (open_copy (backup, &copy, &failure));
  verify_copy (backup, copy);
  CHECK_INT (behind.count, 0);
  close_copy (copy);
}

static void
make_backup (uint64_t variant)
{
  struct failure failure;
  struct engine *engine = verify_database (variant, true);
  struct engine_backup_result result;
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  behind.complete = true;
  behind.least = result.sequence;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

/* ---- what else may be left ---- */

static void
verify_restored (void)
{
  struct failure failure;
  struct engine *copy;
  if (open_copy (restored, &copy, &failure))
    {
      verify_copy (restored, copy);
      close_copy (copy);
      CHECK_FAILS (engine_restore (backup, restored, NULL, NULL, &failure), STATUS_EXISTS);
      remove_tree (restored);
    }
  CHECK_OK (engine_restore (backup, restored, NULL, NULL, &failure));
  CHECK (open_copy (restored, &copy, &failure));
  verify_copy (restored, copy);
  close_copy (copy);
  check_deeply (restored);
  remove_tree (restored);
  CHECK (open_copy (backup, &copy, &failure)); /* as it was */
  verify_copy (backup, copy);
  close_copy (copy);
  totals.restores++;
}

static void
verify_saved (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine *copy;
  char message[200];
  CHECK (open_copy (repaired, &copy, &failure));
  const char *reason = difference (copy, &present, message);
  if (reason != NULL)
    {
      fprintf (stderr, "the repaired database: %s\n", reason);
      abort ();
    }
  close_copy (copy);
}

/* The database was recovered meanwhile: it holds what is known. */
static void
verify_repaired (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_repair_report report;
  status result = engine_repair (database, repaired, NULL, NULL, NULL, &report, &failure);
  if (result == STATUS_EXISTS) /* done when it was killed: then all is there */
    {
      verify_saved ();
      CHECK_OK (engine_destroy (repaired, NULL, &failure));
      CHECK_OK (engine_repair (database, repaired, NULL, NULL, NULL, &report, &failure));
    }
  else
    CHECK_INT (result, STATUS_OK);
  verify_saved ();
  remove_tree (repaired);
  totals.repairs++;
}

static void
verify_made (uint64_t variant)
{
  struct failure failure;
  struct engine *engine;
  CHECK_OK (open_database (made, ENGINE_OPEN_CREATE, variant, &engine, &failure));
  CHECK_OK (engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_NONE, 0, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK_OK (engine_destroy (made, NULL, &failure));
  CHECK (access (made, F_OK) != 0 && errno == ENOENT);
}

static void
verify_destroyed (void)
{
  struct failure failure = FAILURE_INIT;
  status result = engine_destroy (made, NULL, &failure);
  CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
  if (result == STATUS_NOT_FOUND) /* an empty directory at most, which may be anybody's */
    CHECK (rmdir (made) == 0 || errno == ENOENT);
  CHECK (access (made, F_OK) != 0 && errno == ENOENT);
}

/* Something to be destroyed. */
static void
prepare_made (uint64_t variant)
{
  struct failure failure;
  struct engine *engine;
  uint8_t value[LOAD_LARGE];
  char key[32];
  CHECK_OK (open_database (made, ENGINE_OPEN_CREATE, variant, &engine, &failure));
  for (unsigned i = 0; i < LOAD_KEYS; i++)
    CHECK_OK (
        engine_put (engine, 1, load_key (key, i), load_value (value, i, 1), 0, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

/* ---- rounds ---- */

static void
prepare (enum activity activity, uint64_t variant)
{
  struct kill_point none = { 0 };
  struct kill_point point = order->point;
  uint64_t turn = order->turn;
  if (activity == ACTIVITY_RECOVER || activity == ACTIVITY_REPAIR)
    { /* a log to recover: a writer that dies at any moment */
      order->point = none;
      order->turn = 0;
      run_child (ACTIVITY_WRITE, variant, 1 + random_below (&chances, 200));
      order->point = point;
      order->turn = turn;
    }
  else if (activity == ACTIVITY_BACKUP && (!behind.complete || random_below (&chances, 3) == 0))
    forget_backup ();
  else if (activity == ACTIVITY_RESTORE && !behind.complete)
    make_backup (variant);
  else if (activity == ACTIVITY_DESTROY)
    prepare_made (variant);
}

static void
begin_round (void)
{
  round_now.acknowledged = round_now.extra = 0;
  round_now.unseen = 0;
  round_now.loads = false;
  for (unsigned i = 0; i <= WRITERS; i++)
    round_now.least[i] = newest;
}

static void
verify (enum activity activity, uint64_t variant)
{
  struct failure failure;
  round_now.loads = activity == ACTIVITY_LOAD;
  struct engine *engine = verify_database (variant, true);
  if (activity == ACTIVITY_BACKUP)
    verify_backup (engine);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  if (activity == ACTIVITY_CREATE)
    verify_made (variant);
  else if (activity == ACTIVITY_DESTROY)
    verify_destroyed ();
  else if (activity == ACTIVITY_RESTORE)
    verify_restored ();
  else if (activity == ACTIVITY_REPAIR)
    verify_repaired ();
  if (random_below (&chances, 16) == 0)
    check_deeply (database);
}

/* True: the process died at the point. */
static bool
run_round (const struct kill_point *point, uint64_t turn, uint64_t most)
{
  uint64_t variant = random_below (&chances, 6);
  begin_round ();
  order->point = *point;
  order->turn = turn;
  order->part = random_below (&chances, 1000);
  prepare (point->activity, variant);
  if (point->activity == ACTIVITY_RESTORE)
    begin_round ();
  run_child (point->activity, variant, most);
  bool hit = atomic_load (&order->hit);
  if (hit && point->activity == ACTIVITY_RECOVER && random_below (&chances, 2) == 0)
    run_child (point->activity, variant, most); /* and the recovery of that */
  verify (point->activity, variant);
  return hit;
}

static void
set_up (void)
{
  struct failure failure;
  struct engine *engine;
  engine_store stores[WRITER_STORES];
  base = fresh_directory ();
  snprintf (database, sizeof database, "%s/database", base);
  snprintf (backup, sizeof backup, "%s/backup", base);
  snprintf (restored, sizeof restored, "%s/restored", base);
  snprintf (repaired, sizeof repaired, "%s/repaired", base);
  snprintf (made, sizeof made, "%s/made", base);
  order = mmap (NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK (order != MAP_FAILED);
  CHECK_OK (open_database (database, ENGINE_OPEN_CREATE, 0, &engine, &failure));
  open_stores (engine, stores);
  newest = engine_sequence (engine);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

/* ---- which point, and the how manyth time ---- */

struct progress
{
  struct kill_point point;
  uint64_t hits;
  uint64_t reach;  /* times that a process passes it */
  unsigned misses; /* in a row */
};
static struct progress points[KILL_PLACES_MOST * 3];
static size_t point_count;

static bool
is_wanted (const struct kill_point *point, size_t place)
{
  if (point->moment == MOMENT_AMID && point->operation != OPERATION_WRITE)
    return false;
  if (settings.point != NULL)
    return strcmp (settings.point, kill_point_name (point)) == 0;
  uint64_t turn = settings.seed + place;
  enum moment chosen = point->operation == OPERATION_WRITE ? turn % 3 : turn % 2 * 2;
  return !settings.brief || point->moment == chosen;
}

static void
add_points (void)
{
  for (size_t i = 0; i < kill_place_count; i++)
    for (enum moment moment = MOMENT_BEFORE; moment <= MOMENT_AFTER; moment++)
      {
        struct kill_point point
            = { kill_places[i].activity, kill_places[i].operation, kill_places[i].kind, moment };
        if (is_wanted (&point, i))
          points[point_count++] = (struct progress){ .point = point };
      }
  if (point_count == 0)
    {
      fprintf (stderr, "there is no point “%s”\n", settings.point);
      exit (2);
    }
}

/* One of those with the fewest hits. */
static struct progress *
choose_point (void)
{
  struct progress *chosen = NULL;
  uint64_t ties = 0;
  for (size_t i = 0; i < point_count; i++)
    if (chosen == NULL || points[i].hits < chosen->hits)
      {
        chosen = &points[i];
        ties = 1;
      }
    else if (points[i].hits == chosen->hits && random_below (&chances, ++ties) == 0)
      chosen = &points[i];
  return chosen;
}

static void
kill_at (struct progress *progress)
{
  const struct kill_point *point = &progress->point;
  _Atomic uint64_t *seen = &order->seen[point->activity][point->operation][point->kind];
  uint64_t before = atomic_load (seen);
  uint64_t most = progress->reach < 12 ? progress->reach : 12;
  uint64_t turn = progress->misses > 0 || most == 0 ? 1 : 1 + random_below (&chances, most);
  bool hit = run_round (point, turn, UINT64_MAX);
  uint64_t passed = atomic_load (seen) - before;
  progress->reach = passed > progress->reach ? passed : progress->reach;
  if (hit)
    {
      progress->hits++;
      progress->misses = 0;
      totals.hits++;
      return;
    }
  totals.missed++;
  if (++progress->misses < MISSES_MOST)
    return;
  fprintf (stderr, "no process comes to the point “%s”\n", kill_point_name (point));
  abort ();
}

static void
list_points (void)
{
  for (enum activity activity = ACTIVITY_WRITE; activity < ACTIVITIES; activity++)
    for (unsigned i = 0; i < 6; i++)
      run_round (&(struct kill_point){ .activity = activity }, 0, 300);
  for (unsigned activity = 0; activity < ACTIVITIES; activity++)
    for (unsigned operation = 0; operation < OPERATIONS; operation++)
      for (unsigned kind = 0; kind < KINDS; kind++)
        {
          struct kill_point point = { activity, operation, kind, MOMENT_AFTER };
          uint64_t seen = atomic_load (&order->seen[activity][operation][kind]);
          if (seen > 0)
            printf ("%8" PRIu64 "  %s\n", seen, kill_point_name (&point));
        }
}

/* What failed, for the parent alone; the files stay. */
static void
tell_where (int signal_number)
{
  dprintf (2,
           "killed at the point “%s”, turn %" PRIu64 "; what is left is in %s\n"
           "such kills again:  %s --seed %" PRIu64 " --hits 20 --point '%s'\n",
           kill_point_name (&order->point), order->turn, base, program, settings.seed,
           kill_point_name (&order->point));
  signal (signal_number, SIG_DFL);
  raise (signal_number);
}

static void
read_arguments (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    {
      const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
      if (strcmp (name, "--list") == 0)
        settings.list = true;
      else if (strcmp (name, "--long") == 0)
        {
          settings.hits = 20;
          settings.brief = false;
        }
      else if (strcmp (name, "--seed") == 0)
        settings.seed = strtoull (argv[++i], NULL, 10);
      else if (strcmp (name, "--point") == 0)
        settings.point = argv[++i];
      else if (strcmp (name, "--hits") == 0 || strcmp (name, "--kills") == 0)
        {
          settings.hits = strcmp (name, "--hits") == 0 ? strtoull (value, NULL, 10) : 0;
          settings.kills = settings.hits == 0 ? strtoull (value, NULL, 10) : 0;
          settings.brief = false;
          i++;
        }
      else
        {
          fprintf (stderr, "%s: no such option\n", name);
          exit (2);
        }
    }
}

int
main (int argc, char **argv)
{
  program = argv[0];
  read_arguments (argc, argv);
  chances = (struct random){ settings.seed };
  add_points ();
  set_up ();
  signal (SIGABRT, tell_where);
  if (settings.list)
    list_points ();
  else
    while (settings.kills > 0 ? totals.hits < settings.kills
                              : choose_point ()->hits < settings.hits)
      kill_at (choose_point ());
  signal (SIGABRT, SIG_DFL);
  remove_directory (base);
  printf ("%" PRIu64 " kills, %" PRIu64 " of them at %zu points, each at least %" PRIu64
          " times (%" PRIu64 " did not come to theirs); %" PRIu64
          " acknowledged commits, none lost; %" PRIu64
          " had got through unacknowledged; no hole in %" PRIu64 " recoveries; %" PRIu64
          " bulk loads, each whole or not there; %" PRIu64 " backups, %" PRIu64
          " of killed ones continued; %" PRIu64 " restores and %" PRIu64
          " repairs done again; %" PRIu64 " deep checks\n",
          totals.kills, totals.hits, point_count, choose_point ()->hits, totals.missed,
          totals.acknowledged, totals.extra, totals.holes_looked_for, totals.loads, totals.backups,
          totals.continued, totals.restores, totals.repairs, totals.checks);
  return 0;
}
