/* SPDX-License-Identifier: MIT */
#include "kill-judge.h"

#include "check.h"
#include "sound-database.h"

#include <errno.h>
#include <inttypes.h>

struct state present;
uint64_t newest;
struct behind behind;
struct round round_now;
struct totals totals;
struct random chances;

/* ---- what is known ---- */

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

void
judge_learn (uint32_t writer, uint64_t number, uint64_t least, uint64_t most)
{
  struct known_commit commit = { writer, number, least, most };
  apply (&present, &commit);
  remember (commit);
  round_now.least[writer] = most;
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
      status result = engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, kill_load_key (key, i),
                                        &value, &failure);
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
      bool same = result == STATUS_OK
                      ? number > 0 && bytes_equal (value.data, kill_load_value (expected, i, number))
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
  judge_learn (writer, present.done[writer] + 1, round_now.least[writer] + 1, engine_sequence (engine));
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

struct engine *
judge_database (uint64_t variant, bool keep)
{
  struct failure failure;
  struct engine *engine;
  engine_store stores[WRITER_STORES];
  if (random_below (&chances, 3) == 0)
    {
      CHECK_OK (kill_open (database, ENGINE_OPEN_READ_ONLY, variant, &engine, &failure));
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
    }
  CHECK_OK (kill_open (database, ENGINE_OPEN_EXISTING, variant, &engine, &failure));
  kill_open_stores (engine, stores);
  for (unsigned writer = 0; writer < WRITERS; writer++)
    verify_writer (engine, stores, writer);
  if (!load_matches (engine, present.load))
    {
      CHECK (load_matches (engine, present.load + 1));
      judge_learn (WRITERS, present.load + 1, newest + 1, engine_sequence (engine));
      round_now.extra++;
    }
  look_for_holes (engine);
  if (keep)
    return engine;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  return NULL;
}

void
judge_deeply (const char *path)
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
  return kill_open (path, ENGINE_OPEN_READ_ONLY, 0, out, failure) == STATUS_OK;
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

void
judge_forget_backup (void)
{
  remove_tree (backup);
  behind.complete = false;
  behind.least = 0;
  behind.count = 0;
  behind.state = present;
}

void
judge_backup (struct engine *engine)
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
      judge_deeply (backup);
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

void
judge_make_backup (uint64_t variant)
{
  struct failure failure;
  struct engine *engine = judge_database (variant, true);
  struct engine_backup_result result;
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  behind.complete = true;
  behind.least = result.sequence;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

/* ---- what else may be left ---- */

void
judge_restored (void)
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
  judge_deeply (restored);
  remove_tree (restored);
  CHECK (open_copy (backup, &copy, &failure)); /* as it was */
  verify_copy (backup, copy);
  close_copy (copy);
  totals.restores++;
}

static void
verify_saved (void)
{
  struct failure failure;
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
void
judge_repaired (void)
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

void
judge_made (uint64_t variant)
{
  struct failure failure;
  struct engine *engine;
  CHECK_OK (kill_open (made, ENGINE_OPEN_CREATE, variant, &engine, &failure));
  CHECK_OK (engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_NONE, 0, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK_OK (engine_destroy (made, NULL, &failure));
  CHECK (access (made, F_OK) != 0 && errno == ENOENT);
}

void
judge_destroyed (void)
{
  struct failure failure = FAILURE_INIT;
  status result = engine_destroy (made, NULL, &failure);
  CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
  if (result == STATUS_NOT_FOUND) /* an empty directory at most, which may be anybody's */
    CHECK (rmdir (made) == 0 || errno == ENOENT);
  CHECK (access (made, F_OK) != 0 && errno == ENOENT);
}

void
judge_prepare_made (uint64_t variant)
{
  struct failure failure;
  struct engine *engine;
  uint8_t value[LOAD_LARGE];
  char key[32];
  CHECK_OK (kill_open (made, ENGINE_OPEN_CREATE, variant, &engine, &failure));
  for (unsigned i = 0; i < LOAD_KEYS; i++)
    CHECK_OK (
        engine_put (engine, 1, kill_load_key (key, i), kill_load_value (value, i, 1), 0, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}
