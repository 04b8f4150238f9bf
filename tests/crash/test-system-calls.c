/* SPDX-License-Identifier: MIT */
/*
 * Every place in the engine's source that calls the operating system (failing-calls.h) fails, in
 * each way that the call can, once or from then on, while a program creates, writes, follows,
 * closes; recovers, loads, merges; backs up, waits for a turn, repairs, restores, deletes, on files
 * of a real file system.
 *
 * Every answer is checked: what was refused is not there, what was acknowledged is, an outcome is
 * open only where it was called unknown; what was called durable had its log synced; an error says
 * what the system said, and of which file; no answer blames the files or the caller; interruptions
 * and parts of reads and writes go unnoticed; what failed to sync is not synced again. Once the
 * fault is gone the database opens, passes a deep check, takes writes and opens again; what a
 * backup, a repair and a deletion said they had done is done. No descriptor, mapping or memory is
 * left.
 *
 *   test-system-calls           each site, in a few ways
 *   test-system-calls --long    each site, in each way, at its first calls and some later ones
 *   test-system-calls --sites   the sites, and how often each program passes them
 *   test-system-calls --case PROGRAM SITE KIND once|lasting AT    as a failure printed it
 *
 * A site that never fails makes the test fail. The engine's own threads make some of the calls, so
 * the same number may be another call the next time; the first one of each site is always there.
 */
#include "failing-calls.h"

#undef close
#undef closedir
#undef fstat
#undef mmap
#undef munmap
#undef open
#undef readdir
#undef rmdir

#include "../engine/small-engine.h"
#include "base/buffer.h"
#include "base/random.h"
#include "log/wal-format-private.h"

#include <string.h>
#include <sys/wait.h>

static struct failure failure;

/* ---- the programs and what they may have left ---- */

#define IN_MEMORY "/dev/shm"
#define KEYS 400u
#define KILLED_KEYS 40u /* in the database that a killed process left */
#define LONG_FILLERS 2600u /* records of FILLER_SIZE bytes in a log that is long enough for two threads */
#define FILLER_SIZE 1900u
#define LOAD_KEYS 60u
#define LOAD_FILLERS 3000u /* small records of a load beside them; nobody asks for them */
#define BATCH_KEYS 140u
#define READS_UNTIL_HOT 30000u
#define LARGE_BUDGET (UINT64_C (128) << 20) /* has two merging threads and huge pages */
#define VALUE_MOST 20000u

enum presence
{
  ABSENT,
  PRESENT,
  UNKNOWN,
};

struct program
{
  char *path; /* all of it is below */
  char database[600], backup[600], restored[600], repaired[600];
  struct engine *engine;                    /* NULL: not open */
  uint64_t budget;                          /* bytes of memory */
  bool merging;                             /* in the background, too */
  bool long_log;                            /* memtable and log as large as users have them */
  enum presence keys[KEYS];                 /* each is written once */
  uint32_t next;                            /* first that was not */
  const char *doing;                        /* the call that is under way */
  bool copying;                             /* makes a backup */
  bool backed_up, is_restored, is_repaired; /* so it was said */
};

static void __attribute__ ((noreturn)) broken (const struct program *program, const char *what)
{
  call_plan.armed = false;
  fprintf (stderr, "%s: %s: %s (%s)\n", program->doing, what, status_name (failure.code),
           failure.message);
  abort ();
}

static struct bytes
value_of (uint32_t key, uint8_t to[VALUE_MOST])
{
  struct random random = { key };
  size_t size = key % 7 == 3 ? 3000 : key % 16 == 5 ? VALUE_MOST : 900 + key;
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t) random_next (&random);
  return BYTES (to, size);
}

/* What the engine may say of a fault without naming a file and what the system said. */
static bool
stands_by_itself (status code)
{
  return code == STATUS_NO_MEMORY || code == STATUS_UNSUPPORTED || code == STATUS_LOCKED
         || code == STATUS_UNKNOWN_OUTCOME;
}

/* These are not calls for a file. */
static bool
names_no_file (const char *message)
{
  return strstr (message, "starting a database thread") != NULL
         || strstr (message, "random bytes from the kernel") != NULL;
}

/* Who answers an interruption with an error: whoever syncs, which is never done twice (P4 of
 * vfs-posix.c). */
static bool
may_be_interrupted (const struct call_site *site)
{
  return strcmp (site->call, "fsync") == 0 || strcmp (site->call, "fdatasync") == 0;
}

static bool
was_interrupted (void)
{
  size_t count;
  const struct call_site *const *sites = call_sites (&count);
  for (size_t i = 0; i < count; i++)
    if (call_tally->failures[i] > 0 && may_be_interrupted (sites[i]))
      return true;
  return false;
}

/* An error is an answer as long as something failed that a caller hears of, and it says so. */
static bool
is_answer (const struct program *program, status result)
{
  if (result == STATUS_OK)
    return true;
  if (call_plan.failed == 0)
    broken (program, "an error without a fault");
  if (failure.message[0] == '\0' || result == STATUS_CORRUPT || result == STATUS_NOT_A_DATABASE
      || result == STATUS_NEWER_FORMAT || result == STATUS_NOT_FOUND || result == STATUS_INVALID
      || result == STATUS_EXISTS || result == STATUS_CLOSED || result == STATUS_MISMATCH)
    broken (program, "an answer that cannot be");
  if (names_no_file (failure.message) && strstr (failure.message, "check the disk") != NULL)
    broken (program, "the remedy is for something else");
  if (call_plan.kind == CALL_SHORT || (call_plan.kind == CALL_INTERRUPTED && !was_interrupted ()))
    broken (program, "an interruption or a part was noticed");
  if (!stands_by_itself (result)
      && strstr (failure.message, strerror (call_fault_error (call_plan.kind))) == NULL)
    broken (program, "the message does not say what the system said");
  if (!stands_by_itself (result) && !names_no_file (failure.message)
      && (call_plan.name_count > 0 ? !call_names_file (failure.message)
                                   : strstr (failure.message, program->path) == NULL))
    broken (program, "the message does not name the file");
  return false;
}

static bool
said (struct program *program, const char *what, status result)
{
  program->doing = what;
  if (call_plan.synced_again > 0)
    broken (program, "what had failed to sync was synced again");
  return is_answer (program, result);
}

/* `follows`: a reader beside the writer, which may be a little behind. */
static void
check_keys (struct program *program, struct engine *engine, bool follows, bool settle)
{
  static uint8_t found[VALUE_MOST], expected[VALUE_MOST];
  program->doing = follows ? "read (follower)" : "read";
  for (uint32_t key = 0; key < KEYS; key++)
    {
      size_t size;
      failure = FAILURE_INIT;
      status result = engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES (&key, sizeof key),
                                  found, sizeof found, &size, &failure);
      if (result != STATUS_OK && result != STATUS_NOT_FOUND)
        {
          is_answer (program, result);
          continue;
        }
      if (result == STATUS_OK && program->keys[key] == ABSENT)
        broken (program, "what was refused is there");
      if (result == STATUS_NOT_FOUND && program->keys[key] == PRESENT && !follows)
        broken (program, "a commit is lost");
      if (result == STATUS_OK && !bytes_equal (BYTES (found, size), value_of (key, expected)))
        broken (program, "a wrong value");
      if (settle)
        program->keys[key] = result == STATUS_OK ? PRESENT : ABSENT;
    }
}

static enum presence
presence_after (status result)
{
  return result == STATUS_OK ? PRESENT : result == STATUS_UNKNOWN_OUTCOME ? UNKNOWN : ABSENT;
}

/* Whether a segment of the log holds it, and is not on its way to history. */
static bool
holds (const char *path, struct bytes sought)
{
  static uint8_t bytes[1 << 20];
  int file = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t size = file < 0 ? 0 : read (file, bytes, sizeof bytes);
  if (file >= 0)
    close (file);
  return size >= (ssize_t) WAL_NOTE_SIZE
         && memcmp (bytes + size - WAL_NOTE_SIZE, WAL_NOTE_MAGIC, 8) != 0
         && memmem (bytes, (size_t) size, sought.data, sought.size) != NULL;
}

/* What was called durable, the newest put being of it, needs a log that was synced. A segment that
 * is made ready or becomes history may fail to be: it holds nothing yet, or no longer matters. */
static void
check_durable (const struct program *program, status result)
{
  static uint8_t value[VALUE_MOST];
  struct bytes sought = value_of (program->next - 1, value);
  DIR *directory = result == STATUS_OK ? opendir (program->database) : NULL;
  struct dirent *entry;
  while (directory != NULL && (entry = readdir (directory)) != NULL)
    {
      char path[1300];
      struct stat file;
      snprintf (path, sizeof path, "%s/%s", program->database, entry->d_name);
      const char *end = strrchr (entry->d_name, '.');
      if (end != NULL && strcmp (end, ".log") == 0 && stat (path, &file) == 0
          && call_sync_failed (&file) && holds (path, sought))
        broken (program, "called durable, though the log could not be synced");
    }
  if (directory != NULL)
    closedir (directory);
}

static void
put (struct program *program, enum engine_sync sync)
{
  static uint8_t value[VALUE_MOST];
  uint32_t key = program->next++;
  CHECK (key < KEYS);
  failure = FAILURE_INIT;
  status result = engine_put (program->engine, ENGINE_STORE_DEFAULT, BYTES (&key, sizeof key),
                              value_of (key, value), sync, NULL, &failure);
  program->keys[key] = presence_after (result);
  said (program, "put", result);
  if (sync == ENGINE_SYNC_FULL)
    check_durable (program, result);
}

static void
write_some (struct program *program, unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    put (program, i % 4 == 2   ? ENGINE_SYNC_FULL
                  : i % 4 == 3 ? ENGINE_SYNC_NONE
                               : ENGINE_SYNC_ASYNC);
}

static struct engine_options
options_of (const struct program *program)
{
  struct engine_options options = small_options ();
  options.memory_budget = program->budget > 0 ? program->budget : options.memory_budget;
  options.blob_threshold = 2048;
  options.change_retention = 1 << 20;
  options.merge_enabled = program->merging;
  options.merge_workers = 2;
  options.segment_file_size = 32 << 10;
  if (program->long_log)
    {
      options.memtable_size = options.segment_file_size = 0;
      options.log_segment_size = 1 << 20;
    }
  return options;
}

static status
open_database (struct program *program)
{
  struct engine_options options = options_of (program);
  call_forget_syncs ();
  failure = FAILURE_INIT;
  program->engine = NULL;
  return engine_open (program->database, ENGINE_OPEN_CREATE, &options, &program->engine, &failure);
}

/* Should it fail, the fault goes and it is opened after all. */
static void
open_it (struct program *program)
{
  if (said (program, "open", open_database (program)))
    return;
  call_plan.armed = false;
  if (open_database (program) != STATUS_OK)
    broken (program, "it does not open once the fault is gone");
}

static void
close_engine (struct program *program)
{
  failure = FAILURE_INIT;
  status result = engine_close (program->engine, &failure);
  engine_unref (program->engine);
  program->engine = NULL;
  said (program, "close", result);
}

/* ---- the programs ---- */

static void
follow (struct program *program)
{
  struct engine_options options = options_of (program);
  struct engine *follower;
  failure = FAILURE_INIT;
  if (!said (program, "follow",
             engine_open (program->database, ENGINE_OPEN_READ_ONLY, &options, &follower, &failure)))
    return;
  put (program, ENGINE_SYNC_ASYNC);
  check_keys (program, follower, true, false);
  failure = FAILURE_INIT;
  status result = engine_close (follower, &failure);
  engine_unref (follower);
  said (program, "close (follower)", result);
}

static void
live (struct program *program)
{
  open_it (program);
  write_some (program, 9);
  follow (program);
  failure = FAILURE_INIT;
  said (program, "flush", engine_flush (program->engine, &failure));
  write_some (program, 9);
  check_keys (program, program->engine, false, false);
  failure = FAILURE_INIT;
  status result = engine_sync (program->engine, &failure);
  said (program, "sync", result);
  check_durable (program, result);
  close_engine (program);
  open_it (program);
  write_some (program, 5);
  engine_evict_cache (program->engine, 1);
  check_keys (program, program->engine, false, false);
}

static void
load (struct program *program)
{
  static uint8_t value[VALUE_MOST];
  struct engine_loader *loader;
  uint32_t first = program->next, end = first + LOAD_KEYS;
  failure = FAILURE_INIT;
  status result = engine_loader_new (program->engine, &loader, &failure);
  if (!said (program, "load", result))
    return;
  for (uint32_t key = first; key < end && result == STATUS_OK; key++)
    result = engine_loader_put (loader, ENGINE_STORE_DEFAULT, BYTES (&key, sizeof key),
                                value_of (key, value), &failure);
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
    program->keys[program->next] = presence_after (result);
  said (program, "load", result);
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
                               value_of (key, value), &failure);
  if (result == STATUS_OK)
    result = engine_write (program->engine, batch, ENGINE_SYNC_FULL, NULL, &failure);
  engine_batch_free (batch);
  for (; program->next < end; program->next++)
    program->keys[program->next] = presence_after (result);
  said (program, "batch", result);
  check_durable (program, result);
}

static void
recover (struct program *program)
{
  int input = dup (STDIN_FILENO);
  close (STDIN_FILENO); /* its number must not become a file's of the database */
  program->budget = LARGE_BUDGET;
  open_it (program);
  check_keys (program, program->engine, false, false);
  write_some (program, 20);
  load (program);
  write_batch (program);
  failure = FAILURE_INIT;
  said (program, "compact", engine_compact (program->engine, NULL, NULL, &failure));
  engine_evict_cache (program->engine, 1);
  check_keys (program, program->engine, false, false);
  write_some (program, 9);
  close_engine (program);
  open_it (program);
  CHECK (input < 0 || dup2 (input, STDIN_FILENO) == STDIN_FILENO);
  close (input);
}

/* Two threads write what the log holds. */
static void
recover_long (struct program *program)
{
  program->budget = LARGE_BUDGET;
  program->long_log = true;
  open_it (program);
  check_keys (program, program->engine, false, false);
}

static void
back_up (struct program *program)
{
  struct engine_backup_result result;
  failure = FAILURE_INIT;
  if (!said (program, "backup",
             engine_backup (program->engine, program->backup, true, NULL, NULL, &result, &failure)))
    return;
  program->backed_up = true;
}

static void
ask_for_room (struct program *program)
{
  uint64_t total = 0, available = 0;
  failure = FAILURE_INIT;
  if (said (program, "asking for room",
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
  if (result != STATUS_CANCELLED && said (program, "restore in vain", result))
    broken (program, "it was not given up");
  if (call_plan.failed == 0 && access (program->restored, F_OK) == 0)
    broken (program, "what was given up is still there");
}

static void
copy (struct program *program)
{
  unsigned lost = 0;
  struct engine_turn *turn = NULL;
  struct engine_repair_report report;
  program->merging = program->copying = true;
  open_it (program);
  fork_and_end ();
  write_some (program, 5);
  back_up (program);
  write_some (program, 5);
  back_up (program);
  ask_for_room (program);
  failure = FAILURE_INIT;
  if (!said (program, "wait for a turn",
             engine_turn_new (program->database, NULL, &turn, &failure)))
    turn = NULL;
  close_engine (program);
  failure = FAILURE_INIT;
  if (turn != NULL)
    said (program, "wait for a turn", engine_turn_wait (turn, &failure));
  engine_turn_free (turn);
  failure = FAILURE_INIT;
  /* What can't be read it leaves out, and tells. */
  program->is_repaired = said (program, "repair",
                               engine_repair (program->database, program->repaired, count_lost,
                                              NULL, &lost, &report, &failure))
                         && lost == 0;
  if (program->backed_up)
    restore_in_vain (program);
  failure = FAILURE_INIT;
  if (program->backed_up)
    program->is_restored
        = said (program, "restore",
                engine_restore (program->backup, program->restored, NULL, NULL, &failure));
  failure = FAILURE_INIT;
  if (program->is_restored
      && said (program, "delete", engine_destroy (program->restored, NULL, &failure)))
    {
      program->is_restored = false;
      if (access (program->restored, F_OK) == 0 && !has_call_failed ("rmdir"))
        broken (program, "it is still there");
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
  if (!said (program, "a directory",
             vfs_directory_open (vfs_posix (), program->repaired, true, &directory, &failure)))
    return;
  failure = FAILURE_INIT;
  if (said (program, "a shared file", vfs_share (directory, "file", true, &descriptor, &failure)))
    {
      CHECK (write (descriptor, page, sizeof page) == sizeof page);
      close (descriptor);
    }
  failure = FAILURE_INIT;
  if (said (program, "a direct file",
            vfs_open (directory, "file", VFS_WRITE | VFS_CREATE | VFS_TRUNCATE | VFS_DIRECT, &file,
                      &failure)))
    {
      failure = FAILURE_INIT;
      if (said (program, "a write", vfs_write (file, 0, page, sizeof page, &failure)))
        {
          failure = FAILURE_INIT;
          if (said (program, "a read", vfs_read (file, 0, found, sizeof found, &got, &failure))
              && (got != sizeof found || memcmp (found, page, sizeof found) != 0))
            broken (program, "a wrong read");
          failure = FAILURE_INIT;
          if (said (program, "a mapping",
                    vfs_map (file, 0, sizeof page, true, true, &map, &failure)))
            vfs_unmap (file, map, sizeof page);
        }
      vfs_close (file);
    }
  vfs_directory_close (directory);
  open_it (program);
}

/* So many reads of what is in a segment that a table of hot records pays. */
static void
read_often (struct program *program)
{
  program->budget = LARGE_BUDGET;
  open_it (program);
  put (program, ENGINE_SYNC_ASYNC);
  failure = FAILURE_INIT;
  said (program, "flush", engine_flush (program->engine, &failure));
  for (unsigned i = 0; i < READS_UNTIL_HOT / KEYS; i++)
    check_keys (program, program->engine, false, false);
}

static const struct
{
  const char *name;
  void (*run) (struct program *program);
  const char *killed; /* begins with what a killed process left there; or NULL */
  bool rare;          /* not in the short form for what another one passes */
} programs[] = {
  { "files", use_files, NULL, false },        { "live", live, NULL, false },
  { "recover", recover, "database", false },  { "copy", copy, "database", false },
  { "long", recover_long, "long-log", true }, { "hot", read_often, NULL, true },
};
#define PROGRAMS (sizeof programs / sizeof *programs)

/* ---- afterwards ---- */

static void
check_copy (struct program *program, const char *path, uint32_t keys)
{
  struct engine_check_report report;
  struct program other = *program;
  snprintf (other.database, sizeof other.database, "%s", path);
  for (uint32_t key = 0; key < KEYS; key++)
    if (key >= keys && other.keys[key] == PRESENT)
      other.keys[key] = UNKNOWN;
  program->doing = path;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  CHECK_OK (open_database (&other));
  check_keys (&other, other.engine, false, false);
  close_engine (&other);
}

static void
judge (struct program *program)
{
  struct engine_backup_result backed_up;
  struct engine_check_report report;
  call_plan.armed = false;
  if (program->engine != NULL)
    close_engine (program);
  call_plan.failed = 0;
  program->doing = "the backup";
  if (program->backed_up)
    CHECK_OK (engine_check (program->backup, true, NULL, NULL, NULL, &report, &failure));
  for (unsigned i = 0; i < 2; i++)
    {
      program->doing = "afterwards";
      if (open_database (program) != STATUS_OK)
        broken (program, "it does not open");
      check_keys (program, program->engine, false, true);
      CHECK_OK (engine_check_open (program->engine, true, NULL, NULL, NULL, &report, &failure));
      put (program, ENGINE_SYNC_FULL);
      if (i == 1 && program->copying)
        CHECK_OK (engine_backup (program->engine, program->backup, true, NULL, NULL, &backed_up,
                                 &failure));
      close_engine (program);
    }
  if (program->copying)
    check_copy (program, program->backup, program->next);
  if (program->is_repaired)
    check_copy (program, program->repaired, KILLED_KEYS);
}

static unsigned
descriptors (void)
{
  unsigned count = 0;
  DIR *list = opendir ("/proc/self/fd");
  CHECK (list != NULL);
  while (readdir (list) != NULL)
    count++;
  closedir (list);
  return count;
}

/* ---- one case ---- */

struct fault_case
{
  unsigned program;             /* in programs */
  const struct call_site *site; /* NULL: nothing fails */
  enum call_fault kind;
  bool lasting;
  uint64_t at;
};

static char *killed; /* a directory with the databases that killed processes left */

static void
copy_killed (const char *name, const char *to)
{
  char command[1300];
  snprintf (command, sizeof command, "cp -r -- '%s/%s' '%s'", killed, name, to);
  CHECK (system (command) == 0);
}

static void
run_program (const struct fault_case *chosen, bool strict)
{
  struct program program = { .path = fresh_directory () };
  snprintf (program.database, sizeof program.database, "%s/database", program.path);
  snprintf (program.backup, sizeof program.backup, "%s/backup", program.path);
  snprintf (program.restored, sizeof program.restored, "%s/restored", program.path);
  snprintf (program.repaired, sizeof program.repaired, "%s/repaired", program.path);
  if (programs[chosen->program].killed != NULL)
    {
      copy_killed (programs[chosen->program].killed, program.database);
      for (; program.next < KILLED_KEYS; program.next++)
        program.keys[program.next] = PRESENT;
    }
  unsigned descriptors_before = descriptors ();
  int64_t mapped_before = call_mapped;
  int64_t blocks_before = call_blocks;

  call_plan.site = chosen->site;
  call_plan.kind = chosen->kind;
  call_plan.lasting = chosen->lasting;
  call_plan.at = chosen->at;
  call_plan.begun = false;
  call_plan.failed = call_plan.synced_again = 0;
  call_plan.name_count = 0;
  call_plan.armed = true;
  programs[chosen->program].run (&program);
  uint64_t failed = call_plan.failed;
  judge (&program);

  program.doing = "at the end";
  if (descriptors () != descriptors_before)
    broken (&program, "a descriptor is left open");
  if (call_mapped != mapped_before)
    broken (&program, "a mapping is left");
  if (strict && call_blocks != blocks_before)
    broken (&program, "memory is left");
  call_plan.failed = failed;
  remove_directory (program.path);
}

/* ---- many ---- */

static const char *const kind_names[CALL_FAULTS]
    = { "EIO",    "ENOSPC", "EINTR",  "EAGAIN", "EMFILE",
        "ENOMEM", "EACCES", "EINVAL", "EFAULT", "short" };

/* What the processes that run the cases tell the one that chooses them; shared memory. */
static struct call_tally *tally;

static const struct call_site *const *sites; /* in order */
static size_t site_count;
static uint64_t calls_of[PROGRAMS][CALL_SITES_MOST]; /* without a fault */
static bool passed[CALL_SITES_MOST];                 /* in any case */
static bool has_failed[CALL_SITES_MOST];             /* in any case */
static uint64_t cases, without_fault, broken_promises;

static void
print_case (const struct fault_case *chosen)
{
  fprintf (stderr, "%s:%u: %s in %s\n", chosen->site->file, chosen->site->line, chosen->site->call,
           chosen->site->function);
  fprintf (stderr, "replay: test-system-calls --case %s %u %s %s %llu\n",
           programs[chosen->program].name, chosen->site->index, kind_names[chosen->kind],
           chosen->lasting ? "lasting" : "once", (unsigned long long) chosen->at);
}

/* In a process of its own, so that the next case is run whatever becomes of this one. */
static bool
run_apart (const struct fault_case *chosen)
{
  int how = 0;
  memset (tally, 0, sizeof *tally);
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (120);
      run_program (chosen, true);
      _exit (0);
    }
  bool fine = child > 0 && waitpid (child, &how, 0) == child && how == 0;
  uint64_t failures = 0;
  for (size_t i = 0; i < site_count; i++)
    {
      failures += tally->failures[i];
      passed[i] |= tally->calls[i] > 0;
      has_failed[i] |= tally->failures[i] > 0;
    }
  cases++;
  without_fault += failures == 0;
  broken_promises += !fine;
  if (!fine && chosen->site != NULL)
    print_case (chosen);
  return fine;
}

/* Records that nobody asks for, each a commit. */
static void
write_fillers (struct program *program, uint32_t count)
{
  static uint8_t value[FILLER_SIZE];
  for (uint32_t i = 0; i < count; i++)
    {
      uint8_t key[] = { 255, 255, 255, 255, (uint8_t) (i >> 8), (uint8_t) i };
      CHECK_OK (engine_put (program->engine, ENGINE_STORE_DEFAULT, BYTES (key, sizeof key),
                            BYTES (value, sizeof value), ENGINE_SYNC_NONE, NULL, &failure));
    }
}

static void
leave_killed (const char *name, bool long_log)
{
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      struct program program = { .path = killed, .doing = "before", .long_log = long_log };
      program.budget = long_log ? LARGE_BUDGET : 0;
      snprintf (program.database, sizeof program.database, "%s/%s", killed, name);
      CHECK_OK (open_database (&program));
      write_some (&program, KILLED_KEYS / 2);
      if (long_log)
        write_fillers (&program, LONG_FILLERS);
      else
        CHECK_OK (engine_flush (program.engine, &failure));
      write_some (&program, KILLED_KEYS / 2);
      CHECK_OK (engine_sync (program.engine, &failure));
      _exit (0);
    }
  int how;
  CHECK (waitpid (child, &how, 0) == child && how == 0);
}

/* What is made once in a process's life is there afterwards. */
static void
count_calls (void)
{
  for (unsigned i = 0; i < PROGRAMS; i++)
    {
      struct fault_case nothing = { .program = i };
      run_program (&nothing, false);
      CHECK (run_apart (&nothing));
      for (size_t site = 0; site < site_count; site++)
        calls_of[i][site] = tally->calls[site];
    }
  cases = without_fault = 0;
}

static void
print_sites (void)
{
  for (size_t i = 0; i < site_count; i++)
    {
      printf ("%zu %s:%u %s in %s:", i, sites[i]->file, sites[i]->line, sites[i]->call,
              sites[i]->function);
      for (unsigned program = 0; program < PROGRAMS; program++)
        printf (" %llu", (unsigned long long) calls_of[program][i]);
      printf ("\n");
    }
}

/* ---- all ---- */

/* Sites that no single fault makes fail: so many of a call in a function, at most. */
static const struct
{
  const char *function, *call;
  unsigned count;
  const char *reason;
} out_of_reach[] = {
  { "open_directory", "open", 1,
    "a directory that can't be opened, and again once its mode is set" },
  { "leave_direct", "fcntl", 1, "only where the file system takes O_DIRECT; see test-vfs" },
  { "buffer_map_aligned", "munmap", 1,
    "passed unless the system's address happens to be aligned" },
  { "frames_grow", "munmap", 1, "behind a failed allocation; see test-faults" },
  { "shared_page_open", "close", 1, "behind a failed allocation; see test-faults" },
};

static bool
is_out_of_reach (size_t site)
{
  /* Under AddressSanitizer no buffer is mapped. */
  if (!buffer_is_mapped (BUFFER_MAPPED_SIZE) && strcmp (sites[site]->file, "base/buffer.c") == 0)
    return true;
  for (size_t i = 0; i < sizeof out_of_reach / sizeof *out_of_reach; i++)
    {
      unsigned unfailed = 0;
      if (strcmp (out_of_reach[i].function, sites[site]->function) != 0
          || strcmp (out_of_reach[i].call, sites[site]->call) != 0)
        continue;
      for (size_t other = 0; other < site_count; other++)
        unfailed += !has_failed[other] && sites[other]->function == sites[site]->function
                    && strcmp (sites[other]->call, sites[site]->call) == 0;
      return unfailed <= out_of_reach[i].count;
    }
  return false;
}

/* What has to be the case once all have been run. */
static unsigned
check_sites (void)
{
  unsigned missing = 0, excused = 0;
  for (size_t i = 0; i < site_count; i++)
    if (!has_failed[i] && is_out_of_reach (i))
      excused++;
    else if (!has_failed[i])
      {
        fprintf (stderr, "%s:%u: %s in %s never failed%s\n", sites[i]->file, sites[i]->line,
                 sites[i]->call, sites[i]->function, passed[i] ? "" : " and was never passed");
        missing++;
      }
  printf ("%zu sites, %u of them out of reach; %llu faults, %llu broken promises\n", site_count,
          excused, (unsigned long long) (cases - without_fault),
          (unsigned long long) broken_promises);
  return missing;
}

static bool
is_passed_by (size_t site, unsigned program, bool rare)
{
  return programs[program].rare == rare && calls_of[program][site] > 0;
}

/* Of those that pass a site another one for each kind of fault. */
static unsigned
program_of (size_t site, enum call_fault kind)
{
  for (unsigned i = 0; i < 2 * PROGRAMS; i++)
    if (is_passed_by (site, (unsigned) (site + kind + i) % PROGRAMS, i >= PROGRAMS))
      return (unsigned) (site + kind + i) % PROGRAMS;
  return PROGRAMS;
}

#define FIRST_CALLS 3u /* of a site, which all fail in the long form */
#define LATER_CALLS 6u /* about so many more */

static void
run_site (size_t site, enum call_fault kind, unsigned program, bool in_full)
{
  struct random random = { site * CALL_FAULTS + kind };
  uint64_t count = calls_of[program][site];
  for (unsigned lasting = 0; lasting < 2; lasting++)
    for (uint64_t at = 0; at < count;
         at += at < FIRST_CALLS ? 1 : 1 + random_below (&random, 2 + count / LATER_CALLS))
      {
        struct fault_case chosen = { program, sites[site], kind, lasting, at };
        if (in_full
            || (at == 0
                && (lasting ? (kind == CALL_IO && !programs[program].rare) || program == 0
                            : program == program_of (site, kind))))
          run_apart (&chosen);
      }
}

static unsigned
run_all (bool in_full)
{
  for (size_t site = 0; site < site_count; site++)
    for (enum call_fault kind = 0; kind < CALL_FAULTS; kind++)
      for (unsigned program = 0; program < PROGRAMS; program++)
        if ((sites[site]->kinds & (1u << kind)) != 0)
          run_site (site, kind, program, in_full);
  return check_sites ();
}

static int
run_one (char **arguments)
{
  struct fault_case chosen = { .program = PROGRAMS, .kind = CALL_FAULTS };
  for (unsigned i = 0; i < PROGRAMS; i++)
    if (strcmp (arguments[0], programs[i].name) == 0)
      chosen.program = i;
  for (unsigned i = 0; i < CALL_FAULTS; i++)
    if (strcmp (arguments[2], kind_names[i]) == 0)
      chosen.kind = (enum call_fault) i;
  size_t site = strtoul (arguments[1], NULL, 10);
  CHECK (chosen.program < PROGRAMS && chosen.kind < CALL_FAULTS && site < site_count);
  chosen.site = sites[site];
  chosen.lasting = strcmp (arguments[3], "lasting") == 0;
  chosen.at = strtoull (arguments[4], NULL, 10);
  return run_apart (&chosen) ? 0 : 1;
}

int
main (int argument_count, char **arguments)
{
  const char *first = argument_count > 1 ? arguments[1] : "";
  if (access (IN_MEMORY, W_OK | X_OK) == 0)
    setenv ("TMPDIR", IN_MEMORY, 0); /* syncs take no time there, and fail all the same */
  tally = mmap (NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK (tally != MAP_FAILED);
  call_tally = tally;
  sites = call_sites (&site_count);
  killed = fresh_directory ();
  leave_killed ("database", false);
  leave_killed ("long-log", true);
  count_calls ();
  int result = 0;
  if (strcmp (first, "--sites") == 0)
    print_sites ();
  else if (strcmp (first, "--case") == 0 && argument_count == 7)
    result = run_one (arguments + 2);
  else
    result = run_all (strcmp (first, "--long") == 0) > 0;
  remove_directory (killed);
  return result != 0 || broken_promises > 0;
}
