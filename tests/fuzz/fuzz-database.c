/* SPDX-License-Identifier: MIT */
/*
 * Any files as a whole database: opened for reading, read in every store, checked and repaired;
 * then opened for writing, which recovers it, checked, backed up, written to, closed
 * and opened again. What a deep
 * check passes reads the same before and after the recovery, and what was written is there.
 */
#include "fuzz-files.h"

#include "engine.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#define STEPS_MAX 200000u /* of a walk; more cannot stand in files this small */
#define STORES_MAX 64u

static char *path, *repaired_path, *backup_path;

/* Waiting for a writer that is not there would take most of the time. */
int __wrap_nanosleep (const struct timespec *time, struct timespec *left);
int
__wrap_nanosleep (const struct timespec *time, struct timespec *left)
{
  (void) time;
  (void) left;
  return sched_yield ();
}

/* What is read, as one number. */
struct reading
{
  struct engine *engine;
  engine_store stores[STORES_MAX];
  unsigned count;   /* of stores */
  bool failed;      /* something could not be read */
  uint64_t records; /* read */
  uint64_t digest;
};

static void
add (struct reading *reading, struct bytes bytes)
{
  for (size_t i = 0; i < bytes.size; i++)
    reading->digest = (reading->digest ^ bytes.data[i]) * UINT64_C (0x100000001b3);
  reading->digest = (reading->digest ^ bytes.size) * UINT64_C (0x100000001b3);
}

static bool
note_store (void *data, const char *name, engine_store store)
{
  struct reading *reading = data;
  add (reading, BYTES (name, strlen (name)));
  if (reading->count < STORES_MAX)
    reading->stores[reading->count++] = store;
  return true;
}

static void
read_store (struct reading *reading, engine_store store, bool backward)
{
  struct failure failure = FAILURE_INIT;
  struct engine_cursor_settings settings = { .store = store };
  struct engine_cursor *cursor;
  struct bytes value;
  unsigned steps = 0;
  CHECK_OK (engine_cursor_new (reading->engine, &settings, &cursor, &failure));
  status result
      = backward ? engine_cursor_last (cursor, &failure) : engine_cursor_first (cursor, &failure);
  while (result == STATUS_OK && engine_cursor_valid (cursor))
    {
      CHECK (steps++ < STEPS_MAX);
      result = engine_cursor_value (cursor, &value, &failure);
      if (result != STATUS_OK)
        break;
      fuzz_touch (value);
      if (!backward)
        {
          add (reading, engine_cursor_key (cursor));
          add (reading, value);
          reading->records++;
        }
      result = backward ? engine_cursor_previous (cursor, &failure)
                        : engine_cursor_next (cursor, &failure);
    }
  reading->failed |= !fuzz_result (result, &failure);
  engine_cursor_free (cursor);
}

static void
read_all (struct engine *engine, struct reading *reading)
{
  struct failure failure = FAILURE_INIT;
  struct engine_statistics statistics;
  *reading = (struct reading){ .engine = engine, .digest = UINT64_C (0xcbf29ce484222325) };
  status result = engine_store_list (engine, note_store, reading, &failure);
  reading->failed = !fuzz_result (result, &failure);
  for (unsigned i = 0; i < reading->count; i++)
    {
      read_store (reading, reading->stores[i], false);
      read_store (reading, reading->stores[i], true);
    }
  engine_statistics (engine, &statistics);
}

static struct engine *
open_it (unsigned flags)
{
  struct failure failure = FAILURE_INIT;
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.log_segment_size = 64 << 10;
  options.merge_enabled = false;
  return fuzz_result (engine_open (path, flags, &options, &engine, &failure), &failure) ? engine
                                                                                        : NULL;
}

/* Closing may fail: what it flushes may not be readable. */
static void
close_it (struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  fuzz_result (engine_close (engine, &failure), &failure);
  engine_unref (engine);
}

static bool
is_sound (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_check_report found;
  bool faults = false;
  bool good = fuzz_result (
      engine_check (path, true, fuzz_note_fault, NULL, &faults, &found, &failure), &failure);
  CHECK (!good || !faults);
  failure = FAILURE_INIT;
  bool pages_unread
      = fuzz_result (engine_check (path, false, NULL, NULL, NULL, NULL, &failure), &failure);
  CHECK (!good || pages_unread);
  return good;
}

static void
repair (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_repair_report saved;
  bool lost = false;
  rmdir (repaired_path);
  if (fuzz_result (
          engine_repair (path, repaired_path, fuzz_note_fault, NULL, &lost, &saved, &failure),
          &failure))
    CHECK_OK (engine_check (repaired_path, true, fuzz_note_fault, NULL, &lost,
                            &(struct engine_check_report){ 0 }, &failure));
  fuzz_files_clear (repaired_path);
}

/* The files of an open database: checked, and copied. */
static bool
keep (struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  bool faults = false;
  bool good = fuzz_result (
      engine_check_open (engine, true, fuzz_note_fault, NULL, &faults, NULL, &failure), &failure);
  CHECK (!good || !faults);
  rmdir (backup_path);
  failure = FAILURE_INIT;
  good &= fuzz_result (engine_backup (engine, backup_path, true, NULL, NULL, NULL, &failure),
                       &failure);
  fuzz_files_clear (backup_path);
  return good;
}

static bool
write_batch (struct engine *engine, engine_store store)
{
  struct failure failure = FAILURE_INIT;
  struct engine_batch *batch;
  CHECK_OK (engine_batch_new (&batch, &failure));
  CHECK_OK (engine_batch_put (batch, store, BYTES_LITERAL ("b"), BYTES_LITERAL ("1"), &failure));
  CHECK_OK (engine_batch_put (batch, store, BYTES_LITERAL ("c"), BYTES_LITERAL ("2"), &failure));
  CHECK_OK (engine_batch_delete (batch, store, BYTES_LITERAL ("b"), &failure));
  CHECK_OK (engine_batch_delete_range (batch, store, BYTES_LITERAL ("a"), BYTES_LITERAL ("bb"),
                                       &failure));
  CHECK_INT (engine_batch_count (batch), 4);
  bool written
      = fuzz_result (engine_write (engine, batch, ENGINE_SYNC_NONE, NULL, &failure), &failure);
  engine_batch_free (batch);
  return written;
}

/* The second store of the catalogue, whatever it is called, goes. */
static bool
drop_store (void *data, const char *name, engine_store store)
{
  struct failure failure = FAILURE_INIT;
  engine_store found;
  (void) store;
  fuzz_result (engine_store_open (data, name, false, &found, &failure), &failure);
  if (strcmp (name, "second") != 0)
    return true;
  failure = FAILURE_INIT;
  fuzz_result (engine_store_drop (data, name, &failure), &failure);
  return false;
}

static bool
write_some (struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  engine_store store;
  bool made = fuzz_result (engine_store_open (engine, "fuzz", true, &store, &failure), &failure);
  if (made)
    made = write_batch (engine, store);
  failure = FAILURE_INIT;
  bool put = fuzz_result (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("fuzz"),
                                      BYTES_LITERAL ("value"), ENGINE_SYNC_FULL, NULL, &failure),
                          &failure);
  failure = FAILURE_INIT;
  fuzz_result (engine_store_list (engine, drop_store, engine, &failure), &failure);
  failure = FAILURE_INIT;
  fuzz_result (engine_checkpoint (engine, &failure), &failure);
  failure = FAILURE_INIT;
  fuzz_result (engine_compact (engine, NULL, NULL, &failure), &failure);
  return made && put;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct failure failure = FAILURE_INIT;
  struct reading before = { .failed = true }, after;
  struct engine *engine;
  char value[8];
  size_t value_size;
  if (path == NULL)
    {
      path = fuzz_files_directory ("database");
      repaired_path = fuzz_files_directory ("repaired");
      backup_path = fuzz_files_directory ("backup");
    }
  fuzz_files_write (path, BYTES (data, size));
  if ((engine = open_it (ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC)) != NULL)
    {
      read_all (engine, &before);
      close_it (engine);
    }
  bool sound = is_sound ();
  CHECK (!sound || !before.failed);
  repair ();
  if ((engine = open_it (ENGINE_OPEN_EXISTING)) != NULL)
    {
      read_all (engine, &after);
      if (sound)
        CHECK (!after.failed && after.records == before.records && after.digest == before.digest);
      bool kept = keep (engine);
      CHECK (!sound || kept);
      bool written = write_some (engine);
      close_it (engine);
      engine = open_it (ENGINE_OPEN_EXISTING);
      CHECK (!sound || (written && engine != NULL));
      if (sound)
        {
          CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("fuzz"), value,
                                sizeof value, &value_size, &failure));
          CHECK_INT (value_size, 5);
        }
      if (engine != NULL)
        close_it (engine);
    }
  else
    CHECK (!sound);
  fuzz_files_clear (path);
  return 0;
}
