/* SPDX-License-Identifier: MIT */
/* What the programs do, between creating a database and deleting it. */
#include "system-call-program.h"

#include "base/wait-word.h"

#include <string.h>
#include <sys/wait.h>

#define LOAD_KEYS 60u
#define LOAD_FILLERS 3000u /* small records of a load beside them; nobody asks for them */
#define BATCH_KEYS 140u
#define READS_UNTIL_HOT 30000u

static void
follow (struct program *program)
{
  struct engine_options options = program_options (program);
  struct engine *follower;
  failure = FAILURE_INIT;
  if (!program_said (program, "follow",
             engine_open (program->database, ENGINE_OPEN_READ_ONLY, &options, &follower, &failure)))
    return;
  program_put (program, ENGINE_SYNC_ASYNC);
  program_check_keys (program, follower, true, false);
  failure = FAILURE_INIT;
  status result = engine_close (follower, &failure);
  engine_unref (follower);
  program_said (program, "close (follower)", result);
}

static void
live (struct program *program)
{
  program_open (program);
  program_write_some (program, 9);
  follow (program);
  failure = FAILURE_INIT;
  program_said (program, "flush", engine_flush (program->engine, &failure));
  program_write_some (program, 9);
  program_check_keys (program, program->engine, false, false);
  failure = FAILURE_INIT;
  status result = engine_sync (program->engine, &failure);
  program_said (program, "sync", result);
  program_check_durable (program, result);
  program_close (program);
  program_open (program);
  program_write_some (program, 5);
  engine_evict_cache (program->engine, 1);
  program_check_keys (program, program->engine, false, false);
}

static void
load (struct program *program)
{
  static uint8_t value[VALUE_MOST];
  struct engine_loader *loader;
  uint32_t first = program->next, end = first + LOAD_KEYS;
  failure = FAILURE_INIT;
  status result = engine_loader_new (program->engine, &loader, &failure);
  if (!program_said (program, "load", result))
    return;
  for (uint32_t key = first; key < end && result == STATUS_OK; key++)
    result = engine_loader_put (loader, ENGINE_STORE_DEFAULT, BYTES (&key, sizeof key),
                                program_value (key, value), &failure);
  for (uint32_t i = 0; i < LOAD_FILLERS && result == STATUS_OK; i++)
    {
      uint8_t key[] = { 255, 255, 255, 255, (uint8_t) (i >> 8), (uint8_t) i };
      result = engine_loader_put (loader, ENGINE_STORE_DEFAULT, BYTES (key, sizeof key), BYTES_NONE,
                                  &failure);
    }
  if (result == STATUS_OK)
    result = engine_loader_commit (loader, NULL, &failure);
  engine_loader_free (loader);
  for (; program->next < end; program->next++)
    program->keys[program->next] = program_presence_after (result);
  program_said (program, "load", result);
}

/* One commit that is larger than what a memtable is meant for. */
static void
write_batch (struct program *program)
{
  static uint8_t value[VALUE_MOST];
  struct engine_batch *batch;
  uint32_t first = program->next, end = first + BATCH_KEYS;
  failure = FAILURE_INIT;
  status result = engine_batch_new (&batch, &failure);
  for (uint32_t key = first; key < end && result == STATUS_OK; key++)
    result = engine_batch_put (batch, ENGINE_STORE_DEFAULT, BYTES (&key, sizeof key),
                               program_value (key, value), &failure);
  if (result == STATUS_OK)
    result = engine_write (program->engine, batch, ENGINE_SYNC_FULL, NULL, &failure);
  engine_batch_free (batch);
  for (; program->next < end; program->next++)
    program->keys[program->next] = program_presence_after (result);
  program_said (program, "batch", result);
  program_check_durable (program, result);
}

static void
recover (struct program *program)
{
  int input = dup (STDIN_FILENO);
  close (STDIN_FILENO); /* its number must not become a file's of the database */
  program->budget = LARGE_BUDGET;
  program_open (program);
  program_check_keys (program, program->engine, false, false);
  program_write_some (program, 20);
  load (program);
  write_batch (program);
  failure = FAILURE_INIT;
  program_said (program, "compact", engine_compact (program->engine, NULL, NULL, &failure));
  engine_evict_cache (program->engine, 1);
  program_check_keys (program, program->engine, false, false);
  program_write_some (program, 9);
  program_close (program);
  program_open (program);
  CHECK (input < 0 || dup2 (input, STDIN_FILENO) == STDIN_FILENO);
  close (input);
}

/* Two threads write what the log holds. */
static void
recover_long (struct program *program)
{
  program->budget = LARGE_BUDGET;
  program->long_log = true;
  program_open (program);
  program_check_keys (program, program->engine, false, false);
}

static void
back_up (struct program *program)
{
  struct engine_backup_result result;
  failure = FAILURE_INIT;
  if (!program_said (program, "backup",
             engine_backup (program->engine, program->backup, true, NULL, NULL, &result, &failure)))
    return;
  program->backed_up = true;
}

static void
ask_for_room (struct program *program)
{
  uint64_t total = 0, available = 0;
  failure = FAILURE_INIT;
  if (program_said (program, "asking for room",
            engine_disk_space (program->engine, &total, &available, &failure)))
    CHECK (total > 0 && available <= total);
}

static bool
has_call_failed (const char *call)
{
  size_t count;
  const struct call_site *const *sites = call_sites (&count);
  for (size_t i = 0; i < count; i++)
    if (call_tally->failures[i] > 0 && strcmp (sites[i]->call, call) == 0)
      return true;
  return false;
}

/* A child has to close what holds the parent's locks; whether it can is its own business. */
static void
fork_and_end (void)
{
  pid_t child = fork ();
  if (child == 0)
    _exit (0);
  CHECK (child > 0 && waitpid (child, NULL, 0) == child);
}

static void
count_lost (void *count, const char *file, uint64_t page, const char *reason)
{
  (void) file, (void) page, (void) reason;
  ++*(unsigned *) count;
}

static bool
give_up (void *data, uint64_t done, uint64_t total, const char *step)
{
  (void) data, (void) done, (void) total, (void) step;
  return false;
}

/* A restore that is given up leaves nothing but what can't be removed. */
static void
restore_in_vain (struct program *program)
{
  failure = FAILURE_INIT;
  status result = engine_restore (program->backup, program->restored, give_up, NULL, &failure);
  if (result != STATUS_CANCELLED && program_said (program, "restore in vain", result))
    program_broken (program, "it was not given up");
  if (call_plan.failed == 0 && access (program->restored, F_OK) == 0)
    program_broken (program, "what was given up is still there");
}

static void
copy (struct program *program)
{
  unsigned lost = 0;
  struct engine_turn *turn = NULL;
  struct engine_repair_report report;
  program->merging = program->copying = true;
  program_open (program);
  fork_and_end ();
  program_write_some (program, 5);
  back_up (program);
  program_write_some (program, 5);
  back_up (program);
  ask_for_room (program);
  failure = FAILURE_INIT;
  if (!program_said (program, "wait for a turn",
             engine_turn_new (program->database, NULL, &turn, &failure)))
    turn = NULL;
  program_close (program);
  failure = FAILURE_INIT;
  if (turn != NULL)
    program_said (program, "wait for a turn", engine_turn_wait (turn, &failure));
  engine_turn_free (turn);
  failure = FAILURE_INIT;
  /* What can't be read it leaves out, and tells. */
  program->is_repaired = program_said (program, "repair",
                               engine_repair (program->database, program->repaired, count_lost,
                                              NULL, &lost, &report, &failure))
                         && lost == 0;
  if (program->backed_up)
    restore_in_vain (program);
  failure = FAILURE_INIT;
  if (program->backed_up)
    program->is_restored
        = program_said (program, "restore",
                engine_restore (program->backup, program->restored, NULL, NULL, &failure));
  failure = FAILURE_INIT;
  if (program->is_restored
      && program_said (program, "delete", engine_destroy (program->restored, NULL, &failure)))
    {
      program->is_restored = false;
      if (access (program->restored, F_OK) == 0 && !has_call_failed ("rmdir"))
        program_broken (program, "it is still there");
    }
  else if (program->is_restored)
    {
      call_plan.armed = false;
      CHECK_OK (engine_destroy (program->restored, NULL, &failure));
      program->is_restored = false;
    }
}

/* What the disk offers and the engine asks for never, or only when something went wrong before. */
static void
use_files (struct program *program)
{
  static const uint8_t page[4096];
  uint8_t found[100];
  struct vfs_directory *directory;
  struct vfs_file *file;
  void *map;
  int descriptor;
  size_t got;
  failure = FAILURE_INIT;
  if (!program_said (program, "a directory",
             vfs_directory_open (vfs_posix (), program->repaired, true, &directory, &failure)))
    return;
  failure = FAILURE_INIT;
  if (program_said (program, "a shared file", vfs_share (directory, "file", true, &descriptor, &failure)))
    {
      CHECK (write (descriptor, page, sizeof page) == sizeof page);
      close (descriptor);
    }
  failure = FAILURE_INIT;
  if (program_said (program, "a direct file",
            vfs_open (directory, "file", VFS_WRITE | VFS_CREATE | VFS_TRUNCATE | VFS_DIRECT, &file,
                      &failure)))
    {
      failure = FAILURE_INIT;
      if (program_said (program, "a write", vfs_write (file, 0, page, sizeof page, &failure)))
        {
          failure = FAILURE_INIT;
          if (program_said (program, "a read", vfs_read (file, 0, found, sizeof found, &got, &failure))
              && (got != sizeof found || memcmp (found, page, sizeof found) != 0))
            program_broken (program, "a wrong read");
          failure = FAILURE_INIT;
          if (program_said (program, "a mapping",
                    vfs_map (file, 0, sizeof page, true, true, &map, &failure)))
            vfs_unmap (file, map, sizeof page);
        }
      vfs_close (file);
    }
  vfs_directory_close (directory);
  wait_word word = 0;
  wait_word_sleep (&word, 1); /* only with two commits at a time, else; not for long here */
  program_open (program);
}

/* So many reads of what is in a segment that a table of hot records pays. */
static void
read_often (struct program *program)
{
  program->budget = LARGE_BUDGET;
  program_open (program);
  program_put (program, ENGINE_SYNC_ASYNC);
  failure = FAILURE_INIT;
  program_said (program, "flush", engine_flush (program->engine, &failure));
  for (unsigned i = 0; i < READS_UNTIL_HOT / KEYS; i++)
    program_check_keys (program, program->engine, false, false);
}

const struct program_kind programs[PROGRAMS] = {
  { "files", use_files, NULL, false },        { "live", live, NULL, false },
  { "recover", recover, "database", false },  { "copy", copy, "database", false },
  { "long", recover_long, "long-log", true }, { "hot", read_often, NULL, true },
};
