/* SPDX-License-Identifier: MIT */
#include "system-call-program.h"

#include "base/random.h"
#include "log/wal-format-private.h"

#include <string.h>

struct failure failure;

/* ---- answers ---- */

void
program_broken (const struct program *program, const char *what)
{
  call_plan.armed = false;
  fprintf (stderr, "%s: %s: %s (%s)\n", program->doing, what, status_name (failure.code),
           failure.message);
  abort ();
}

struct bytes
program_value (uint32_t key, uint8_t to[VALUE_MOST])
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
    program_broken (program, "an error without a fault");
  if (failure.message[0] == '\0' || result == STATUS_CORRUPT || result == STATUS_NOT_A_DATABASE
      || result == STATUS_NEWER_FORMAT || result == STATUS_NOT_FOUND || result == STATUS_INVALID
      || result == STATUS_EXISTS || result == STATUS_CLOSED || result == STATUS_MISMATCH)
    program_broken (program, "an answer that cannot be");
  if (names_no_file (failure.message) && strstr (failure.message, "check the disk") != NULL)
    program_broken (program, "the remedy is for something else");
  if (call_plan.kind == CALL_SHORT || (call_plan.kind == CALL_INTERRUPTED && !was_interrupted ()))
    program_broken (program, "an interruption or a part was noticed");
  if (!stands_by_itself (result)
      && strstr (failure.message, strerror (call_fault_error (call_plan.kind))) == NULL)
    program_broken (program, "the message does not say what the system said");
  if (!stands_by_itself (result) && !names_no_file (failure.message)
      && (call_plan.name_count > 0 ? !call_names_file (failure.message)
                                   : strstr (failure.message, program->path) == NULL))
    program_broken (program, "the message does not name the file");
  return false;
}

bool
program_said (struct program *program, const char *what, status result)
{
  program->doing = what;
  if (call_plan.synced_again > 0)
    program_broken (program, "what had failed to sync was synced again");
  return is_answer (program, result);
}

/* `follows`: a reader beside the writer, which may be a little behind. */
void
program_check_keys (struct program *program, struct engine *engine, bool follows, bool settle)
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
        program_broken (program, "what was refused is there");
      if (result == STATUS_NOT_FOUND && program->keys[key] == PRESENT && !follows)
        program_broken (program, "a commit is lost");
      if (result == STATUS_OK && !bytes_equal (BYTES (found, size), program_value (key, expected)))
        program_broken (program, "a wrong value");
      if (settle)
        program->keys[key] = result == STATUS_OK ? PRESENT : ABSENT;
    }
}

enum presence
program_presence_after (status result)
{
  return result == STATUS_OK ? PRESENT : result == STATUS_UNKNOWN_OUTCOME ? UNKNOWN : ABSENT;
}

/* Whether a segment of the log holds it, and is not on its way to history. */
static bool
program_holds (const char *path, struct bytes sought)
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
void
program_check_durable (const struct program *program, status result)
{
  static uint8_t value[VALUE_MOST];
  struct bytes sought = program_value (program->next - 1, value);
  DIR *directory = result == STATUS_OK ? opendir (program->database) : NULL;
  struct dirent *entry;
  while (directory != NULL && (entry = readdir (directory)) != NULL)
    {
      char path[1300];
      struct stat file;
      snprintf (path, sizeof path, "%s/%s", program->database, entry->d_name);
      const char *end = strrchr (entry->d_name, '.');
      if (end != NULL && strcmp (end, ".log") == 0 && stat (path, &file) == 0
          && call_sync_failed (&file) && program_holds (path, sought))
        program_broken (program, "called durable, though the log could not be synced");
    }
  if (directory != NULL)
    closedir (directory);
}

void
program_put (struct program *program, enum engine_sync sync)
{
  static uint8_t value[VALUE_MOST];
  uint32_t key = program->next++;
  CHECK (key < KEYS);
  failure = FAILURE_INIT;
  status result = engine_put (program->engine, ENGINE_STORE_DEFAULT, BYTES (&key, sizeof key),
                              program_value (key, value), sync, NULL, &failure);
  program->keys[key] = program_presence_after (result);
  program_said (program, "put", result);
  if (sync == ENGINE_SYNC_FULL)
    program_check_durable (program, result);
}

void
program_write_some (struct program *program, unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    program_put (program, i % 4 == 2   ? ENGINE_SYNC_FULL
                          : i % 4 == 3 ? ENGINE_SYNC_NONE
                                       : ENGINE_SYNC_ASYNC);
}

struct engine_options
program_options (const struct program *program)
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

status
program_open_database (struct program *program)
{
  struct engine_options options = program_options (program);
  call_forget_syncs ();
  failure = FAILURE_INIT;
  program->engine = NULL;
  return engine_open (program->database, ENGINE_OPEN_CREATE, &options, &program->engine, &failure);
}

/* Should it fail, the fault goes and it is opened after all. */
void
program_open (struct program *program)
{
  if (program_said (program, "open", program_open_database (program)))
    return;
  call_plan.armed = false;
  if (program_open_database (program) != STATUS_OK)
    program_broken (program, "it does not open once the fault is gone");
}

void
program_close (struct program *program)
{
  failure = FAILURE_INIT;
  status result = engine_close (program->engine, &failure);
  engine_unref (program->engine);
  program->engine = NULL;
  program_said (program, "close", result);
}

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
  CHECK_OK (program_open_database (&other));
  program_check_keys (&other, other.engine, false, false);
  program_close (&other);
}

void
program_judge (struct program *program)
{
  struct engine_backup_result backed_up;
  struct engine_check_report report;
  call_plan.armed = false;
  if (program->engine != NULL)
    program_close (program);
  call_plan.failed = 0;
  program->doing = "the backup";
  if (program->backed_up)
    CHECK_OK (engine_check (program->backup, true, NULL, NULL, NULL, &report, &failure));
  for (unsigned i = 0; i < 2; i++)
    {
      program->doing = "afterwards";
      if (program_open_database (program) != STATUS_OK)
        program_broken (program, "it does not open");
      program_check_keys (program, program->engine, false, true);
      CHECK_OK (engine_check_open (program->engine, true, NULL, NULL, NULL, &report, &failure));
      program_put (program, ENGINE_SYNC_FULL);
      if (i == 1 && program->copying)
        CHECK_OK (engine_backup (program->engine, program->backup, true, NULL, NULL, &backed_up,
                                 &failure));
      program_close (program);
    }
  if (program->copying)
    check_copy (program, program->backup, program->next);
  if (program->is_repaired)
    check_copy (program, program->repaired, KILLED_KEYS);
}
