/* SPDX-License-Identifier: MIT */
/*
 * check: reads a database and says what is wrong with it. Writes nothing.
 *
 * Invariants
 *   H1  What is reported is a fault of the files: a file that vanishes because a writer replaced it
 *       is none (the manifest is read again before a missing file counts).
 *   H2  One fault never hides the next: every file is looked at, whatever was found before.
 *   H3  Memory is bounded by a page, a value and the manifest, whatever the files say.
 *
 * Areas
 *
 * - page_checksums: bytes of pages, blocks, headers and footers verify.
 *
 * - tree_structure: order, bounds, counts, separators and filters; the manifest and its files.
 *
 * - log: all that was synced is there. A torn tail is what a crash leaves, no fault.
 *
 * - blobs_intact: every blob file that is listed, or that the log refers to, opens; deep: every value a
 *   record refers to verifies.
 *
 * - no_orphans: nothing is left over that no state refers to. Leftovers are what a crash or a
 *   failed commit leaves, cost room only and go at the next open: they are noted here and are no
 *   fault. Beside a writer they are not looked for: what it is writing now belongs to no state yet.
 */
#include "core/upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ATTEMPTS_MAX 8 /* beside a writer that replaces files meanwhile */

struct check
{
  struct vfs_directory *directory;
  const struct manifest_state *state;
  struct engine_check_report *report;
  void (*fault) (void *data, const char *file, uint64_t page, const char *reason);
  void *fault_data;
  struct failure *first; /* NULL, or what gets the first fault of a copy */
  struct upkeep_progress *progress;
  bool deep;
  bool moving; /* files may be replaced meanwhile (H1) */
  struct upkeep_reader reader;
  struct upkeep_blobs blobs;
  uint64_t bad_blob;        /* blob file that was reported as a whole; 0 = none */
  uint64_t weight, weighed; /* file bytes of the present segment; told to progress so far */
  uint64_t records, seen;   /* of the present segment: all, so far */
  uint64_t log_cut;         /* first commit in the log whose large value is not whole; 0 = none */
  struct failure cut_cause; /* what is wrong with it */
  bool cut_unread;          /* it can't be read: no crash leaves that */
};

/* Bytes that do not verify are damage; of what can't be read now nobody knows. */
static void
note_first (struct check *check, const char *file, uint64_t page, const struct failure *cause)
{
  char place[32] = "";
  const char *what = cause->code == STATUS_CORRUPT ? "does not verify" : "can't be verified";
  if (page != SEGMENT_NO_PAGE)
    snprintf (place, sizeof place, "page %llu of ", (unsigned long long) page);
  fail (check->first, cause->code, "%s%s/%s of the copy %s: %s", place, check->directory->path,
        file, what, cause->message);
}

static void
add_fault (struct check *check, bool *area, const char *file, uint64_t page,
           const struct failure *cause)
{
  *area = false;
  check->report->faults++;
  if (check->first != NULL)
    note_first (check, file, page, cause);
  if (check->fault != NULL)
    check->fault (check->fault_data, file, page, cause->message);
}

/* The area a segment's fault belongs to. */
static bool *
segment_area (struct check *check, const struct failure *cause)
{
  return strstr (cause->message, "checksum") != NULL || strstr (cause->message, "reading") != NULL
             ? &check->report->page_checksums
             : &check->report->tree_structure;
}

static bool
lists (const struct manifest_state *state, enum file_kind kind, uint64_t number)
{
  if (kind == FILE_SEGMENT)
    for (size_t i = 0; i < state->segment_count; i++)
      if (state->segments[i].information.number == number)
        return true;
  if (kind == FILE_BLOB)
    for (size_t i = 0; i < state->blob_count; i++)
      if (state->blobs[i].number == number)
        return true;
  return false;
}

/* H1: whether the file is no longer part of the database. */
static bool
is_replaced (const struct check *check, enum file_kind kind, uint64_t number)
{
  struct manifest_state now = { 0 };
  if (!check->moving || manifest_load (check->directory, &now, NULL) != STATUS_OK)
    return false;
  bool replaced = !lists (&now, kind, number);
  manifest_state_clear (&now);
  return replaced;
}

/* ---- values ---- */

/* A fault of a blob file as a whole is reported once, one of a value for each. */
static status
check_value_of (struct check *check, const struct record *record, struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  struct bytes value;
  struct blob_reference place;
  status result = upkeep_blob_read (&check->blobs, record->value, &value, &cause);
  if (result == STATUS_OK)
    {
      check->report->bytes += value.size;
      return upkeep_advance (check->progress, value.size, failure);
    }
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", cause.message);
  bool whole = check->blobs.file == NULL;
  uint64_t number = blob_reference_load (record->value, &place) ? place.file : 0;
  if ((whole && number != 0 && number == check->bad_blob) || is_replaced (check, FILE_BLOB, number))
    return STATUS_OK;
  if (whole)
    check->bad_blob = number;
  char name[FILE_NAME_SIZE];
  file_name (name, FILE_BLOB, number);
  add_fault (check, &check->report->blobs_intact, name, SEGMENT_NO_PAGE, &cause);
  return STATUS_OK;
}

/* ---- segments ---- */

static void
on_segment_fault (void *data, const char *file, uint64_t page, const struct failure *cause)
{
  struct check *check = data;
  add_fault (check, segment_area (check, cause), file, page, cause);
}

static status
on_record (void *data, const struct record *record, struct failure *failure)
{
  struct check *check = data;
  check->report->records++;
  check->seen++;
  status result = STATUS_OK;
  if (record->kind == RECORD_BLOB)
    result = check_value_of (check, record, failure);
  if (result == STATUS_OK && check->seen % 256 == 0 && check->seen <= check->records)
    {
      uint64_t due
          = (uint64_t) ((double) check->weight * (double) check->seen / (double) check->records);
      if (due > check->weighed)
        {
          result = upkeep_advance (check->progress, due - check->weighed, failure);
          check->weighed = due;
        }
    }
  return result;
}

static status
read_segment (struct check *check, struct segment *segment, struct failure *failure)
{
  const struct segment_information *information = segment_information (segment);
  struct segment_shape shape;
  struct failure cause = FAILURE_INIT;
  check->weight = information->file_size;
  check->records = information->records;
  check->seen = check->weighed = 0;
  uint64_t faults = check->report->faults;
  status result = segment_verify (segment, on_segment_fault, on_record, check, NULL, &cause);
  if (result == STATUS_CORRUPT && check->report->faults == faults)
    add_fault (check, &check->report->tree_structure, "segment", SEGMENT_NO_PAGE, &cause);
  if (result != STATUS_OK && result != STATUS_CORRUPT)
    return fail (failure, result, "%s", cause.message);
  segment_shape (segment, &shape);
  check->report->pages += shape.leaves + shape.inner_pages;
  check->report->bytes += information->file_size;
  return upkeep_advance (check->progress, check->weight - check->weighed, failure);
}

/* `information` NULL: the manifest is lost, so the file speaks for itself. */
static status
check_segment (struct check *check, uint64_t number, const struct segment_information *information,
               struct failure *failure)
{
  struct segment *segment;
  struct failure cause = FAILURE_INIT;
  char name[FILE_NAME_SIZE];
  file_name (name, FILE_SEGMENT, number);
  status result = information != NULL
                      ? segment_open (&check->reader.settings, information, &segment, &cause)
                      : segment_open_alone (&check->reader.settings, number, &segment, &cause);
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", cause.message);
  check->report->segments++;
  if (result != STATUS_OK)
    {
      if (cause.code == STATUS_OK)
        fail (&cause, STATUS_CORRUPT, "it is missing; restore it from a backup");
      if (!is_replaced (check, FILE_SEGMENT, number))
        add_fault (check, segment_area (check, &cause), name, SEGMENT_NO_PAGE, &cause);
      return upkeep_advance (check->progress, information != NULL ? information->file_size : 0,
                             failure);
    }
  if (check->deep)
    result = read_segment (check, segment, failure);
  else
    result = upkeep_advance (check->progress, segment_information (segment)->file_size, failure);
  segment_unref (segment);
  engine_collect ();
  return result;
}

static status
check_segments (struct check *check, struct failure *failure)
{
  status result = upkeep_step (check->progress, "segments", failure);
  for (size_t i = 0; result == STATUS_OK && i < check->state->segment_count; i++)
    {
      const struct segment_information *information = &check->state->segments[i].information;
      result = check_segment (check, information->number, information, failure);
    }
  return result;
}

/* ---- blob files ---- */

static status
check_blobs (struct check *check, struct failure *failure)
{
  status result = upkeep_step (check->progress, "large values", failure);
  for (size_t i = 0; result == STATUS_OK && i < check->state->blob_count; i++)
    {
      uint64_t number = check->state->blobs[i].number;
      struct failure cause = FAILURE_INIT;
      struct blob_file *file;
      char name[FILE_NAME_SIZE];
      file_name (name, FILE_BLOB, number);
      check->report->blobs++;
      status opened
          = blob_file_open (check->directory, check->state->database_id, number, &file, &cause);
      if (opened == STATUS_OK)
        blob_file_unref (file);
      else if (opened == STATUS_NO_MEMORY)
        result = fail (failure, opened, "%s", cause.message);
      else if (number != check->bad_blob && !is_replaced (check, FILE_BLOB, number))
        add_fault (check, &check->report->blobs_intact, name, SEGMENT_NO_PAGE, &cause);
    }
  return result;
}

/* ---- the log ---- */

/* What is wrong with a large value that the log refers to; not deep: with its file. */
static status
look_at_value (struct check *check, struct bytes reference, struct failure *cause)
{
  struct bytes value;
  if (check->deep)
    return upkeep_blob_read (&check->blobs, reference, &value, cause);
  return upkeep_blob_open (&check->blobs, reference, cause);
}

/* A commit whose large value is not whole ends the log, unless it was synced; one of which that can't
 * be known keeps the database from being opened, and is a fault whatever was synced. */
static status
check_commit_value (struct check *check, uint64_t sequence, struct bytes reference,
                    struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  status result = look_at_value (check, reference, &cause);
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", cause.message);
  if (result == STATUS_OK)
    return STATUS_OK;
  check->log_cut = sequence;
  check->cut_cause = cause;
  check->cut_unread = result != STATUS_CORRUPT;
  return STATUS_OK;
}

static status
on_commit (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  struct check *check = data;
  struct operation_reader reader = operation_reader_over (payload);
  struct operation operation;
  uint64_t records = 0;
  status result;
  if (check->log_cut != 0)
    return STATUS_OK;
  while ((result = operation_next (&reader, &operation, failure)) == STATUS_OK)
    {
      records += operation.kind != OPERATION_DELETE_RANGE && operation.kind != OPERATION_LOADED
                 && !operation.dead;
      if (operation.kind != OPERATION_BLOB || operation.dead || check->log_cut != 0)
        continue;
      result = check_commit_value (check, sequence, operation.value, failure);
      if (result != STATUS_OK)
        return result;
    }
  if (result != STATUS_NOT_FOUND)
    return result;
  if (!check->deep)
    return STATUS_OK;
  check->report->records += check->log_cut == 0 ? records : 0;
  return upkeep_advance (check->progress, payload.size, failure);
}

static bool
count_log (void *data, const char *name, uint64_t number)
{
  (void) name;
  (void) number;
  ((struct check *) data)->report->logs++;
  return true;
}

/* The newest commit that is in segments by now. */
static uint64_t
flushed_now (const struct check *check)
{
  struct manifest_state now = { 0 };
  uint64_t flushed = check->state->flushed_sequence;
  if (check->moving && manifest_load (check->directory, &now, NULL) == STATUS_OK)
    flushed = now.flushed_sequence;
  manifest_state_clear (&now);
  return flushed;
}

/* One reading of the log; `cause` says what is wrong with it. */
static status
read_log (struct check *check, uint64_t after, struct wal_recovery *found, struct failure *cause)
{
  check->log_cut = 0;
  status result = wal_recover (check->directory, check->state->database_id, after, false, on_commit,
                               check, found, cause);
  if (result == STATUS_OK && check->log_cut != 0 && check->cut_unread)
    return fail (cause, STATUS_CORRUPT, "the large value of commit %llu can't be read: %.350s",
                 (unsigned long long) check->log_cut, check->cut_cause.message);
  if (result == STATUS_OK && check->log_cut != 0 && found->synced_sequence >= check->log_cut)
    return fail (cause, STATUS_CORRUPT,
                 "the large value of commit %llu is missing or damaged although it was synced: "
                 "%.350s",
                 (unsigned long long) check->log_cut, check->cut_cause.message);
  return result;
}

static status
check_log (struct check *check, struct wal_recovery *found, struct failure *failure)
{
  status result = upkeep_step (check->progress, "log", failure);
  if (result != STATUS_OK)
    return result;
  struct failure cause = FAILURE_INIT;
  uint64_t records = check->report->records;
  *found = (struct wal_recovery){ 0 };
  for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++)
    {
      uint64_t after = flushed_now (check);
      cause = FAILURE_INIT;
      check->report->records = records;
      result = read_log (check, after, found, &cause);
      if (result == STATUS_OK || result == STATUS_NO_MEMORY || result == STATUS_CANCELLED)
        break;
      if (attempt >= 2 && flushed_now (check) == after)
        break; /* nothing was given back meanwhile: it is the log (H1) */
      if (attempt + 1 == ATTEMPTS_MAX)
        result = STATUS_OK; /* its writer is faster than we read */
      nanosleep (&(struct timespec){ 0, 2000000 }, NULL);
    }
  if (result == STATUS_NO_MEMORY || result == STATUS_CANCELLED)
    return fail (failure, result, "%s", cause.message);
  if (result != STATUS_OK)
    {
      fail (&cause, result, "it can't be read"); /* unless it says more */
      add_fault (check, check->log_cut != 0 ? &check->report->blobs_intact : &check->report->log,
                 "log", SEGMENT_NO_PAGE, &cause);
    }
  check->report->bytes += found->bytes;
  return wal_list (check->directory, count_log, check, failure);
}

/* ---- leftovers ---- */

struct orphan_count
{
  bool log_in_use; /* the log or history may refer to blob files that the manifest does not know */
  uint64_t count;
};

static void
count_orphan (void *data, const char *name)
{
  struct orphan_count *orphans = data;
  enum file_kind kind;
  uint64_t number;
  if (file_name_parse (name, &kind, &number) && !(kind == FILE_BLOB && orphans->log_in_use))
    orphans->count++;
}

static bool
find_history (void *data, const char *name)
{
  enum file_kind kind;
  uint64_t number;
  bool *found = data;
  *found = file_name_parse (name, &kind, &number) && kind == FILE_HISTORY;
  return !*found;
}

static status
check_orphans (struct check *check, const struct wal_recovery *found, struct failure *failure)
{
  char manifest[FILE_NAME_SIZE];
  uint64_t number;
  struct orphan_count orphans = { .log_in_use = found->records > 0 };
  if (upkeep_writer_lives (check->directory)
      || upkeep_current_manifest (check->directory, manifest, &number, NULL) != STATUS_OK)
    return STATUS_OK;
  bool history = false;
  status result = vfs_directory_list (check->directory, find_history, &history, failure);
  orphans.log_in_use |= history;
  if (result == STATUS_OK)
    result = manifest_orphans (check->directory, check->state, manifest, count_orphan, &orphans,
                               failure);
  if (result == STATUS_OK && orphans.count > 0 && !upkeep_writer_lives (check->directory))
    check->report->no_orphans = false;
  return result;
}

/* ---- all of it ---- */

static void
report_init (struct engine_check_report *report)
{
  *report = (struct engine_check_report){
    .page_checksums = true,
    .tree_structure = true,
    .log = true,
    .no_orphans = true,
    .blobs_intact = true,
  };
}

static status
check_begin (struct check *check, const struct manifest_state *state, struct failure *failure)
{
  check->state = state;
  check->blobs.directory = check->directory;
  memcpy (check->blobs.database_id, state->database_id, 16);
  for (size_t i = 0; i < state->segment_count; i++)
    {
      const struct segment_information *information = &state->segments[i].information;
      check->progress->total += information->file_size;
      for (size_t b = 0; check->deep && b < information->blob_count; b++)
        check->progress->total += information->blobs[b].bytes;
    }
  return upkeep_reader_open (&check->reader, check->directory, state->database_id, state->page_size,
                             failure);
}

static void
check_end (struct check *check)
{
  upkeep_blobs_clear (&check->blobs);
  upkeep_reader_close (&check->reader);
}

static status
check_state (struct check *check, const struct manifest_state *state, bool log,
             struct failure *failure)
{
  struct wal_recovery found = { 0 };
  status result = check_begin (check, state, failure);
  if (result == STATUS_OK)
    result = check_segments (check, failure);
  if (result == STATUS_OK)
    result = check_blobs (check, failure);
  if (result == STATUS_OK && log)
    result = check_log (check, &found, failure);
  if (result == STATUS_OK && log && check->moving)
    result = check_orphans (check, &found, failure);
  check_end (check);
  return result;
}

/* Without a manifest: each segment by itself. */
static status
check_loose (struct check *check, struct failure *failure)
{
  struct upkeep_listing listing;
  status result = upkeep_list (check->directory, &listing, failure);
  for (size_t i = 0; result == STATUS_OK && i < listing.count; i++)
    {
      struct manifest_state state = { 0 };
      size_t page_size;
      const struct upkeep_file *file = &listing.files[i];
      if (file->kind != FILE_SEGMENT)
        continue;
      if (!upkeep_sniff_segment (check->directory, file->name, state.database_id, &page_size))
        {
          struct failure cause = FAILURE_INIT;
          fail (&cause, STATUS_CORRUPT, "it does not begin like a segment");
          add_fault (check, &check->report->page_checksums, file->name, SEGMENT_NO_PAGE, &cause);
          continue;
        }
      state.page_size = (uint32_t) page_size;
      result = check_begin (check, &state, failure);
      if (result == STATUS_OK)
        result = check_segment (check, file->number, NULL, failure);
      check_end (check);
    }
  upkeep_listing_clear (&listing);
  return result;
}

static status
conclude (const struct check *check, status result, struct failure *failure)
{
  if (result != STATUS_OK || check->report->faults == 0)
    return result;
  return fail (failure, STATUS_CORRUPT, "%s has %llu faults; restore a backup, or run repair",
               check->directory->path, (unsigned long long) check->report->faults);
}

static status
check_directory (struct check *check, struct failure *failure)
{
  enum manifest_presence presence;
  struct manifest_state state = { 0 };
  struct failure cause = FAILURE_INIT;
  status result = manifest_probe (check->directory, &presence, failure);
  if (result != STATUS_OK)
    return result;
  if (presence == MANIFEST_EMPTY)
    return fail (failure, STATUS_NOT_FOUND, "there is no database in %s; check the path",
                 check->directory->path);
  if (presence == MANIFEST_FOREIGN)
    return fail (failure, STATUS_NOT_A_DATABASE, "%s holds files but no database; check the path",
                 check->directory->path);
  result = manifest_load (check->directory, &state, &cause);
  if (result == STATUS_OK)
    result = check_state (check, &state, true, failure);
  else if (result == STATUS_CORRUPT || result == STATUS_NOT_FOUND || result == STATUS_IO)
    {
      char manifest[FILE_NAME_SIZE] = "CURRENT";
      uint64_t number;
      upkeep_current_manifest (check->directory, manifest, &number, NULL);
      fail (&cause, STATUS_CORRUPT, "it names no manifest"); /* unless it says more */
      add_fault (check, &check->report->tree_structure, manifest, SEGMENT_NO_PAGE, &cause);
      result = check_loose (check, failure);
    }
  else
    return fail (failure, result, "%s", cause.message);
  manifest_state_clear (&state);
  return conclude (check, result, failure);
}

status
engine_check (const char *path, bool deep,
              void (*fault) (void *data, const char *file, uint64_t page, const char *reason),
              engine_progress progress, void *data, struct engine_check_report *out,
              struct failure *failure)
{
  return check_path (vfs_posix (), path, deep, fault, progress, data, out, failure);
}

status
check_path (const struct vfs *vfs, const char *path, bool deep,
            void (*fault) (void *data, const char *file, uint64_t page, const char *reason),
            engine_progress progress, void *data, struct engine_check_report *out,
            struct failure *failure)
{
  struct engine_check_report unused;
  struct upkeep_progress told = { .report = progress, .data = data };
  struct check check = {
    .report = out != NULL ? out : &unused,
    .fault = fault,
    .fault_data = data,
    .progress = &told,
    .deep = deep,
    .moving = true,
  };
  report_init (check.report);
  if (path == NULL || *path == '\0')
    return fail (failure, STATUS_INVALID, "the path of the database is empty; pass a directory");
  status result = vfs_directory_open (vfs, path, false, &check.directory, failure);
  if (result == STATUS_NOT_FOUND)
    return fail (failure, result, "there is no directory %s; check the path", path);
  if (result != STATUS_OK)
    return result;
  result = upkeep_refuse_newer (check.directory, NULL, failure);
  if (result == STATUS_OK)
    result = check_directory (&check, failure);
  vfs_directory_close (check.directory);
  return result;
}

/* A writer's own files: pinned by a view and a blob guard, so that nothing is replaced. */
static status
check_pinned (struct engine *engine, struct check *check, struct failure *failure)
{
  struct manifest_state state = { 0 };
  struct blob_guard guard;
  status result = blob_guard_enter (engine, &guard, failure);
  if (result != STATUS_OK)
    return result;
  pthread_mutex_lock (&engine->manifest_lock);
  result = manifest_state_copy (&state, manifest_state (engine->manifest), failure);
  struct view *view = NULL;
  if (result == STATUS_OK)
    result = engine_view_of_files (engine, &view, failure);
  pthread_mutex_unlock (&engine->manifest_lock);
  if (result == STATUS_OK)
    result = check_state (check, &state, false, failure);
  struct wal_recovery found;
  check->moving = true; /* the log is given back while it is read */
  if (result == STATUS_OK)
    {
      check->state = &state;
      check->blobs.directory = check->directory;
      memcpy (check->blobs.database_id, state.database_id, 16);
      result = check_log (check, &found, failure);
      upkeep_blobs_clear (&check->blobs);
    }
  view_unref (view);
  manifest_state_clear (&state);
  blob_guard_leave (engine, &guard);
  background_wake_merge (engine); /* what only this pinned may be collected */
  return conclude (check, result, failure);
}

status
engine_check_open (struct engine *engine, bool deep,
                   void (*fault) (void *data, const char *file, uint64_t page, const char *reason),
                   engine_progress progress, void *data, struct engine_check_report *out,
                   struct failure *failure)
{
  struct engine_check_report unused;
  struct upkeep_progress told = { .report = progress, .data = data };
  struct check check = {
    .directory = engine->directory,
    .report = out != NULL ? out : &unused,
    .fault = fault,
    .fault_data = data,
    .progress = &told,
    .deep = deep,
    .moving = engine->read_only,
  };
  report_init (check.report);
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  result = engine->read_only ? check_directory (&check, failure)
                             : check_pinned (engine, &check, failure);
  engine_end (engine);
  return result;
}

/* ---- for backup and restore ---- */

status
check_files (struct vfs_directory *directory, const struct manifest_state *state,
             struct upkeep_progress *progress, struct failure *failure)
{
  struct engine_check_report report;
  struct failure first = FAILURE_INIT;
  struct check check = {
    .directory = directory,
    .report = &report,
    .first = &first,
    .progress = progress,
    .deep = true,
  };
  report_init (&report);
  status result = check_state (&check, state, false, failure);
  if (result == STATUS_OK && first.code != STATUS_OK)
    result = fail (failure, first.code, "%s", first.message);
  return result;
}
