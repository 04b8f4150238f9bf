/* SPDX-License-Identifier: MIT */
#include "protocol.h"

#include "log/wal.h"
#include "simulated-threads.h"
#include "version/manifest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct course
{
  const struct workload *workload; /* NULL: a recovery */
  uint64_t counted;                /* the newest commit that it found */
  struct crash_walk walk;
  uint32_t directory; /* of the database */
  char *reason;       /* the caller's, 256 bytes */
};

static bool __attribute__ ((format (printf, 2, 3)))
broken (struct course *course, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  vsnprintf (course->reason, 256, format, arguments);
  va_end (arguments);
  return false;
}

/* ---- what a disk says ---- */

static struct vfs_directory *
open_directory (struct disk *disk)
{
  struct vfs_directory *directory;
  struct failure failure = FAILURE_INIT;
  if (vfs_directory_open (&disk->vfs, WORKLOAD_PATH, false, &directory, &failure) != STATUS_OK)
    abort ();
  return directory;
}

/* Empty when there is no database yet. */
static bool
load_state (struct course *course, struct disk *disk, struct manifest_state *state)
{
  struct failure failure = FAILURE_INIT;
  struct vfs_directory *directory = open_directory (disk);
  status result = manifest_load (directory, state, &failure);
  vfs_directory_close (directory);
  if (result == STATUS_NOT_FOUND)
    *state = (struct manifest_state){ 0 };
  return result == STATUS_OK || result == STATUS_NOT_FOUND
         || broken (course, "the manifest: %s (%.150s)", status_name (result), failure.message);
}

static status
pass_over (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  return STATUS_OK;
}

/* The newest commit of the log on a disk, behind `after`. */
static bool
newest_logged (struct course *course, struct disk *disk, const uint8_t id[16], uint64_t after,
               uint64_t *newest)
{
  struct wal_recovery found;
  struct failure failure = FAILURE_INIT;
  struct vfs_directory *directory = open_directory (disk);
  status result = wal_recover (directory, id, after, false, pass_over, NULL, &found, &failure);
  vfs_directory_close (directory);
  *newest = found.last_sequence > after ? found.last_sequence : after;
  return result == STATUS_OK
         || broken (course, "the log: %s (%.150s)", status_name (result), failure.message);
}

/* The disk with all that was done to it so far. */
static struct disk *
present_disk (const struct course *course)
{
  size_t count = course->walk.pending_count;
  struct disk_choice *all = calloc (count + 1, sizeof *all);
  if (all == NULL)
    abort ();
  for (size_t i = 0; i < count; i++)
    all[i] = (struct disk_choice){ .applied = true, .tear = DISK_WHOLE };
  struct disk *disk = crash_build (&course->walk, all);
  free (all);
  return disk;
}

static bool
has_suffix (const char *name, const char *suffix)
{
  size_t size = strlen (name), end = strlen (suffix);
  return size > end && strcmp (name + size - end, suffix) == 0;
}

/* ---- what is not durable ---- */

/* The newest commit when the call returned that made the change; UINT64_MAX: it did not yet. */
static uint64_t
made_for (const struct course *course, size_t change)
{
  const struct workload *workload = course->workload;
  for (size_t i = 0; workload != NULL && i < workload->call_count; i++)
    if (change < workload->calls[i].last)
      return workload->calls[i].last <= course->walk.point ? workload->calls[i].sequence
                                                           : UINT64_MAX;
  return UINT64_MAX;
}

/* Whether a power cut may take back something that was done to a file, or its name. `flushed`: the
 * file grows at its end, and only what was done for commits up to there counts. */
static bool
is_pending (const struct course *course, uint32_t file, uint64_t flushed)
{
  for (size_t i = 0; i < course->walk.pending_count; i++)
    {
      size_t index = course->walk.pending[i];
      const struct disk_change *change = &course->walk.journal->changes[index];
      if (change->file == file && change->kind != DISK_UNNAME && change->kind != DISK_ALLOCATE
          && (flushed == UINT64_MAX || made_for (course, index) <= flushed))
        return true;
    }
  return false;
}

/* P2 */
static bool
check_references (struct course *course)
{
  struct disk *disk = present_disk (course);
  struct manifest_state state;
  char name[DISK_NAME_SIZE];
  bool good = load_state (course, disk, &state);
  for (size_t i = 0; good && i < state.segment_count; i++)
    {
      snprintf (name, sizeof name, "%llu.seg",
                (unsigned long long) state.segments[i].information.number);
      if (is_pending (course, disk_find (disk, course->directory, name), UINT64_MAX))
        good = broken (course, "the manifest refers to %s, which is not durable", name);
    }
  for (size_t i = 0; good && i < state.blob_count; i++)
    {
      snprintf (name, sizeof name, "%llu.blob", (unsigned long long) state.blobs[i].number);
      if (is_pending (course, disk_find (disk, course->directory, name), state.flushed_sequence))
        good = broken (course, "the manifest refers to values of %s that are not durable", name);
    }
  manifest_state_clear (&state);
  disk_free (disk);
  return good;
}

/* ---- what is deleted ---- */

/* P3, of a log segment: what a recovery finds with it and what it finds without it. */
static bool
check_retired (struct course *course, const struct disk_change *gone,
               const struct manifest_state *durable)
{
  struct disk *disk = present_disk (course);
  struct disk_change name
      = { .kind = DISK_NAME, .directory = course->directory, .file = gone->file };
  uint64_t with = 0, without = 0, flushed = durable->flushed_sequence;
  bool good = newest_logged (course, disk, durable->database_id, flushed, &without);
  strcpy (name.name, gone->name);
  disk_apply (disk, &name, (struct disk_choice){ .applied = true, .tear = DISK_WHOLE });
  good = good && newest_logged (course, disk, durable->database_id, flushed, &with);
  with = with < course->counted ? with : course->counted;
  if (good && with > without)
    good = broken (course, "%s goes with commit %llu, and %llu is the newest that is flushed",
                   gone->name, (unsigned long long) with, (unsigned long long) flushed);
  disk_free (disk);
  return good;
}

/* P3 */
static bool
check_deleted (struct course *course, const struct disk_change *gone)
{
  struct disk *disk = disk_clone (course->walk.floor);
  struct manifest_state state;
  bool good = load_state (course, disk, &state);
  uint64_t number = strtoull (gone->name, NULL, 10);
  for (size_t i = 0; good && has_suffix (gone->name, ".seg") && i < state.segment_count; i++)
    if (state.segments[i].information.number == number)
      good = broken (course, "%s is deleted, and the durable manifest needs it", gone->name);
  for (size_t i = 0; good && has_suffix (gone->name, ".blob") && i < state.blob_count; i++)
    if (state.blobs[i].number == number)
      good = broken (course, "%s is deleted, and the durable manifest needs it", gone->name);
  if (good && has_suffix (gone->name, ".log"))
    good = check_retired (course, gone, &state);
  manifest_state_clear (&state);
  disk_free (disk);
  return good;
}

/* ---- what is promised ---- */

static bool
check_values (struct course *course, const struct disk *disk, uint64_t promised)
{
  for (size_t i = 0; i < disk->name_count; i++)
    if (disk->names[i].directory == course->directory && has_suffix (disk->names[i].name, ".blob")
        && is_pending (course, disk->names[i].file, promised))
      return broken (course, "commit %llu is promised, and values in %s are not durable",
                     (unsigned long long) promised, disk->names[i].name);
  return true;
}

/* P1 */
static bool
check_promise (struct course *course, uint64_t promised)
{
  struct disk *disk = disk_clone (course->walk.floor), *present = present_disk (course);
  struct manifest_state state;
  uint64_t newest = 0;
  bool good = load_state (course, disk, &state);
  if (good && promised > state.flushed_sequence)
    good = newest_logged (course, disk, state.database_id, state.flushed_sequence, &newest)
           && (newest >= promised
               || broken (course, "commit %llu is promised, and %llu is the newest that is durable",
                          (unsigned long long) promised, (unsigned long long) newest))
           && check_values (course, present, promised);
  manifest_state_clear (&state);
  disk_free (present);
  disk_free (disk);
  return good;
}

/* ---- all of it ---- */

static bool
check_change (struct course *course)
{
  const struct disk_change *change = &course->walk.journal->changes[course->walk.point - 1];
  bool here = change->kind == DISK_NAME || change->kind == DISK_UNNAME
                  ? change->directory == course->directory
                  : change->kind == DISK_WRITE;
  if (here && change->kind == DISK_UNNAME)
    return check_deleted (course, change);
  if (!here || (change->kind == DISK_NAME && strcmp (change->name, "CURRENT") != 0))
    return true;
  if (change->kind == DISK_NAME)
    return check_references (course);
  for (size_t i = 0; i < course->walk.floor->name_count; i++)
    {
      const struct disk_name *name = &course->walk.floor->names[i];
      if (name->file == change->file && name->directory == course->directory
          && strncmp (name->name, "MANIFEST-", 9) == 0)
        return check_references (course);
    }
  return true;
}

static bool
check_calls (struct course *course)
{
  uint64_t promised = 0;
  for (size_t i = 0; course->workload != NULL && i < course->workload->call_count; i++)
    if (course->workload->calls[i].last == course->walk.point
        && course->workload->calls[i].durable > promised)
      promised = course->workload->calls[i].durable;
  return promised == 0 || check_promise (course, promised);
}

bool
protocol_holds (const struct disk *base, const struct disk_journal *journal,
                const struct workload *workload, uint64_t counted, char reason[256], size_t *point)
{
  struct course course = { .workload = workload, .counted = counted, .reason = reason };
  bool good = true;
  while (strcmp (base->directories[course.directory], WORKLOAD_PATH) != 0)
    course.directory++;
  simulated_threads_begin (1, 0);
  crash_walk_init (&course.walk, base, journal, CRASH_MINIMAL);
  while (good && crash_walk_next (&course.walk))
    good = check_change (&course) && check_calls (&course);
  *point = course.walk.point;
  crash_walk_clear (&course.walk);
  return good;
}
