/* SPDX-License-Identifier: MIT */
/*
 * backup: a copy of a database that is in use, and back.
 *
 *   flush ─► state and view, taken together ─► seal blobs ─► note ─► copy what is lacking ─►
 *   (verify) ─► manifest ─► sync names ─► CURRENT ─► remove what the backup no longer needs
 *
 * The note, a small file BACKUP in the destination, names the database and the two manifests that a
 * backup may have left there: that of the last complete one and that of the one under way. A
 * directory whose CURRENT names another one was opened and perhaps written since: its files may
 * bear our numbers with other contents, so it is refused.
 *
 * Invariants
 *   U1  A backup holds all commits up to its sequence, in segments: it has no log.
 *   U2  Until CURRENT is replaced the destination is the earlier backup, whole; after, the new one.
 *       No file of the earlier one is removed before.
 *   U3  A file is kept only if it is the same file (a hard link), or the earlier backup's manifest
 *       lists it and it is equal: a segment by creation time, counts, upper bound and size, a blob
 *       file by its bytes. A segment that is listed there and is not equal ends the backup; so does
 *       a blob file, unless every value of the earlier backup is the same in both (backup-blobs.c):
 *       then what differs is what no commit referred to when it was copied, and it is copied anew.
 *   U4  Files are shared by links only once sealed: segments always are; blobs are sealed here.
 *       Nothing in the engine ever writes to an installed segment or an earlier run's blob, so
 *       neither side of a link can change the other.
 *   U5  Whatever else stands in the destination is left untouched, and the backup refused.
 */
#include "core/upkeep.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOTE_SIZE_MAX 128
#define NOTE_TEMPORARY "1.tmp" /* taken for a leftover when it is one */

/* ---- the note ---- */

struct note
{
  uint8_t database_id[16];
  uint64_t complete;  /* number of the manifest of the last complete backup; 0 = none */
  uint64_t under_way; /* of the one being made */
};

static size_t
note_encode (const struct note *note, char to[NOTE_SIZE_MAX])
{
  char id[33];
  for (int i = 0; i < 16; i++)
    snprintf (id + 2 * i, 3, "%02x", note->database_id[i]);
  return (size_t) snprintf (to, NOTE_SIZE_MAX, "Lightning DB backup 1\n%s\n%llu %llu\n", id,
                            (unsigned long long) note->complete,
                            (unsigned long long) note->under_way);
}

/* False when it is not one of ours. */
static bool
note_decode (const char content[NOTE_SIZE_MAX + 1], size_t size, struct note *out)
{
  char id[33], again[NOTE_SIZE_MAX];
  unsigned long long complete, under_way;
  if (sscanf (content, "Lightning DB backup 1\n%32[0-9a-f]\n%19llu %19llu\n", id, &complete,
              &under_way)
          != 3
      || strlen (id) != 32)
    return false;
  for (int i = 0; i < 16; i++)
    {
      unsigned byte;
      sscanf (id + 2 * i, "%2x", &byte);
      out->database_id[i] = (uint8_t) byte;
    }
  out->complete = complete;
  out->under_way = under_way;
  return note_encode (out, again) == size && memcmp (again, content, size) == 0;
}

/* *ours: there is a note, and it is one of ours. */
static status
note_read (struct vfs_directory *directory, struct note *out, bool *ours, struct failure *failure)
{
  struct vfs_file *file;
  char content[NOTE_SIZE_MAX + 1] = "";
  size_t got = 0;
  *ours = false;
  status result = vfs_open (directory, BACKUP_NOTE_NAME, VFS_READ, &file, failure);
  if (result != STATUS_OK)
    return result == STATUS_NOT_FOUND ? STATUS_OK : result;
  result = vfs_read (file, 0, content, NOTE_SIZE_MAX, &got, failure);
  vfs_close (file);
  *ours = result == STATUS_OK && note_decode (content, got, out);
  return result;
}

static status
note_write (struct vfs_directory *directory, const struct note *note, struct failure *failure)
{
  struct vfs_file *file;
  char content[NOTE_SIZE_MAX];
  size_t size = note_encode (note, content);
  status result
      = vfs_open (directory, NOTE_TEMPORARY, VFS_WRITE | VFS_CREATE | VFS_TRUNCATE, &file, failure);
  if (result != STATUS_OK)
    return result;
  result = vfs_write (file, 0, content, size, failure);
  if (result == STATUS_OK)
    result = vfs_sync_data (file, failure);
  vfs_close (file);
  if (result == STATUS_OK)
    result = vfs_rename (directory, NOTE_TEMPORARY, BACKUP_NOTE_NAME, failure);
  if (result == STATUS_OK)
    return vfs_directory_sync (directory, failure);
  vfs_unlink (directory, NOTE_TEMPORARY, NULL);
  return result;
}

/* ---- the destination ---- */

struct destination
{
  struct vfs_directory *directory;
  struct writer_lock lock;      /* the writer's, so that nobody opens it meanwhile */
  struct manifest_state before; /* of the earlier backup; nothing when there is none */
  struct note note;             /* of the copy being made */
  bool restores;                /* what is copied there is to be a database, not a backup */
};

static void
destination_close (struct destination *destination)
{
  manifest_state_clear (&destination->before);
  writer_lock_release (&destination->lock);
  vfs_directory_close (destination->directory);
}

static status
refuse (const struct destination *destination, status code, const char *why,
        struct failure *failure)
{
  return fail (failure, code, "%s %s; it was left untouched: choose another directory",
               destination->directory->path, why);
}

/* A first copy that was cut short, perhaps with its manifest in place already: files of ours, and
 * the note that says why they are there. */
static status
judge_interrupted (struct destination *destination, const uint8_t database_id[16],
                   struct failure *failure)
{
  struct note note;
  bool ours;
  status result = note_read (destination->directory, &note, &ours, failure);
  if (result != STATUS_OK)
    return result;
  if (!ours)
    return refuse (destination, STATUS_NOT_A_DATABASE, "holds other files", failure);
  if (memcmp (note.database_id, database_id, 16) != 0)
    return refuse (destination, STATUS_EXISTS, "holds a backup of another database", failure);
  destination->note.complete = 0;
  return STATUS_OK;
}

/* An earlier backup: of this database, and unchanged since. */
static status
judge_earlier (struct destination *destination, const uint8_t database_id[16],
               struct failure *failure)
{
  char manifest[FILE_NAME_SIZE];
  uint64_t number;
  struct note note;
  bool ours = false;
  struct failure cause = FAILURE_INIT;
  status result = manifest_load (destination->directory, &destination->before, &cause);
  if (result != STATUS_OK && result != STATUS_CORRUPT && result != STATUS_NOT_FOUND)
    return fail (failure, result, "%s", cause.message);
  if (result != STATUS_OK)
    return refuse (destination, STATUS_EXISTS, "holds a damaged database", failure);
  if (memcmp (destination->before.database_id, database_id, 16) != 0)
    return refuse (destination, STATUS_EXISTS, "holds another database", failure);
  status named = upkeep_current_manifest (destination->directory, manifest, &number, failure);
  if (named != STATUS_OK && named != STATUS_NOT_FOUND)
    return named;
  result = note_read (destination->directory, &note, &ours, failure);
  if (result != STATUS_OK)
    return result;
  if (named != STATUS_OK || !ours || memcmp (note.database_id, database_id, 16) != 0
      || (number != note.complete && number != note.under_way))
    return refuse (destination, STATUS_EXISTS,
                   "is no backup, or was opened for writing since it was made", failure);
  destination->note.complete = number;
  /* Cut short at its switch: the next note must not outlive a CURRENT that is not durable. */
  return number != note.complete ? vfs_directory_sync (destination->directory, failure) : STATUS_OK;
}

static status
judge (struct destination *destination, const uint8_t database_id[16], struct failure *failure)
{
  enum manifest_presence presence;
  struct upkeep_listing listing;
  manifest_state_clear (&destination->before);
  destination->note.complete = 0;
  status result = manifest_probe (destination->directory, &presence, failure);
  if (result != STATUS_OK || presence == MANIFEST_EMPTY)
    return result;
  result = upkeep_list (destination->directory, &listing, failure);
  if (result != STATUS_OK)
    return result;
  bool current = listing.current, note = listing.backup_note;
  upkeep_listing_clear (&listing);
  if (!current && (note || presence == MANIFEST_FOREIGN))
    return judge_interrupted (destination, database_id, failure);
  if (presence == MANIFEST_PRESENT && destination->restores)
    return refuse (destination, STATUS_EXISTS, "holds a database already", failure);
  return presence == MANIFEST_PRESENT
             ? judge_earlier (destination, database_id, failure)
             : refuse (destination, STATUS_NOT_A_DATABASE, "holds other files", failure);
}

/* U5: judges, locks, and judges again what may have changed until the lock was had. */
static status
destination_open (struct destination *destination, const struct vfs *vfs, const char *path,
                  bool restores, const uint8_t database_id[16], struct failure *failure)
{
  *destination = (struct destination){ .restores = restores };
  memcpy (destination->note.database_id, database_id, 16);
  status result = vfs_directory_open (vfs, path, true, &destination->directory, failure);
  if (result != STATUS_OK)
    {
      destination->directory = NULL;
      return result == STATUS_NOT_FOUND
                 ? fail (failure, result, "%s can't be made: its parent directory is missing", path)
                 : result;
    }
  result = judge (destination, database_id, failure);
  if (result == STATUS_OK)
    result = writer_lock_take (&destination->lock, destination->directory, true,
                               "close it there first", failure);
  return result == STATUS_OK ? judge (destination, database_id, failure) : result;
}

/* ---- which files are there already ---- */

/* The file's, that is: its lower bound may have risen since (R2). */
static bool
same_contents (const struct manifest_segment *a, const struct manifest_segment *b)
{
  const struct segment_information *x = &a->information, *y = &b->information;
  return a->created == b->created && x->file_size == y->file_size && x->records == y->records
         && x->deletes == y->deletes && x->range_deletes == y->range_deletes
         && x->key_bytes == y->key_bytes && x->value_bytes == y->value_bytes
         && x->min_sequence == y->min_sequence && x->max_sequence == y->max_sequence
         && bytes_equal (BYTES (x->largest, x->largest_size), BYTES (y->largest, y->largest_size));
}

/* What the earlier backup's manifest says of a file of ours. */
enum earlier
{
  EARLIER_LACKS,   /* nothing */
  EARLIER_HAS,     /* a segment with the same contents, or a blob file of the number */
  EARLIER_DIFFERS, /* another segment of the number */
};

static enum earlier
earlier_segment (const struct manifest_state *before, const struct manifest_segment *segment)
{
  for (size_t i = 0; i < before->segment_count; i++)
    if (before->segments[i].information.number == segment->information.number)
      return same_contents (&before->segments[i], segment) ? EARLIER_HAS : EARLIER_DIFFERS;
  return EARLIER_LACKS;
}

static enum earlier
earlier_blob (const struct manifest_state *before, uint64_t number)
{
  for (size_t i = 0; i < before->blob_count; i++)
    if (before->blobs[i].number == number)
      return EARLIER_HAS;
  return EARLIER_LACKS;
}

/* U3. What can't be looked at now is neither kept nor replaced: it is an error. */
static status
judge_file (const struct destination *destination, struct vfs_directory *source, const char *name,
            bool blob, enum earlier earlier, bool *kept, uint64_t *size, struct failure *failure)
{
  struct vfs_file_information here, there;
  *kept = false;
  status result = upkeep_information (destination->directory, name, &there, failure);
  if (result == STATUS_OK)
    result = upkeep_information (source, name, &here, failure);
  if (result != STATUS_OK)
    return result == STATUS_NOT_FOUND ? STATUS_OK : result;
  *size = there.size;
  *kept = here.device == there.device && here.inode == there.inode;
  if (*kept || earlier != EARLIER_HAS || here.size != there.size)
    return STATUS_OK;
  *kept = true;
  return blob ? backup_same_bytes (source, destination->directory, name, kept, failure) : STATUS_OK;
}

/* ---- copying ---- */

struct copying
{
  struct vfs_directory *source;
  struct destination *destination;
  const struct manifest_state *state;
  struct upkeep_progress *progress;
  struct engine_backup_result *result;
  bool link; /* hard links will do (backup); else copies (restore) */
};

/* U2, U3: a copy that differs is replaced when the earlier backup has no value in it that differs:
 * at once, by a rename. What is not a backup's own is left alone. */
static status
copy_other (struct copying *copying, const char *name, uint64_t number, bool blob,
            enum upkeep_copied *how, uint64_t *size, struct failure *failure)
{
  struct destination *destination = copying->destination;
  char temporary[FILE_NAME_SIZE];
  bool same = false;
  status result = STATUS_OK;
  if (blob)
    result = backup_same_values (copying->source, destination->directory, &destination->before,
                                 number, copying->progress, &same, failure);
  if (result != STATUS_OK)
    return result;
  if (!same)
    return fail (failure, STATUS_EXISTS,
                 "%s/%s differs from the database's own: this backup is damaged, or of another "
                 "course of the database; it was left as it was: choose another directory",
                 destination->directory->path, name);
  file_name (temporary, FILE_TEMPORARY, number);
  result = upkeep_copy (copying->source, name, destination->directory, temporary, copying->link,
                        copying->progress, how, size, failure);
  return result == STATUS_OK ? vfs_rename (destination->directory, temporary, name, failure)
                             : result;
}

static status
copy_one (struct copying *copying, const char *name, uint64_t number, bool blob,
          enum earlier earlier, struct failure *failure)
{
  struct engine_backup_result *counts = copying->result;
  struct vfs_directory *to = copying->destination->directory;
  uint64_t size = 0;
  enum upkeep_copied how = UPKEEP_COPIED;
  bool kept;
  counts->files++;
  status result = judge_file (copying->destination, copying->source, name, blob, earlier, &kept,
                              &size, failure);
  if (result != STATUS_OK)
    return result;
  if (kept)
    {
      counts->kept_files++;
      counts->bytes += size;
      return upkeep_advance (copying->progress, size, failure);
    }
  result = earlier == EARLIER_DIFFERS || (earlier == EARLIER_HAS && blob)
               ? copy_other (copying, name, number, blob, &how, &size, failure)
               : upkeep_copy (copying->source, name, to, name, copying->link, copying->progress,
                              &how, &size, failure);
  if (result != STATUS_OK)
    return result == STATUS_NOT_FOUND
               ? fail (failure, STATUS_CORRUPT,
                       "%s/%s is missing, and the database refers to it; run check",
                       copying->source->path, name)
               : result;
  counts->bytes += size;
  counts->reflinked_files += how == UPKEEP_REFLINKED;
  counts->linked_files += how == UPKEEP_LINKED;
  counts->copied_files += how == UPKEEP_COPIED;
  counts->copied_bytes += how == UPKEEP_COPIED ? size : 0;
  return STATUS_OK;
}

static status
copy_state (struct copying *copying, struct failure *failure)
{
  const struct manifest_state *state = copying->state, *before = &copying->destination->before;
  char name[FILE_NAME_SIZE];
  status result = upkeep_step (copying->progress, "copying", failure);
  for (size_t i = 0; result == STATUS_OK && i < state->segment_count; i++)
    {
      uint64_t number = state->segments[i].information.number;
      file_name (name, FILE_SEGMENT, number);
      result = copy_one (copying, name, number, false,
                         earlier_segment (before, &state->segments[i]), failure);
    }
  for (size_t i = 0; result == STATUS_OK && i < state->blob_count; i++)
    {
      uint64_t number = state->blobs[i].number;
      file_name (name, FILE_BLOB, number);
      result = copy_one (copying, name, number, true, earlier_blob (before, number), failure);
    }
  return result;
}

/* Bytes of the files in the state. */
static uint64_t
state_bytes (struct vfs_directory *directory, const struct manifest_state *state)
{
  uint64_t segments = 0, blobs = 0;
  for (size_t i = 0; i < state->segment_count; i++)
    segments += state->segments[i].information.file_size;
  for (size_t i = 0; i < state->blob_count; i++)
    {
      struct vfs_file_information information = { 0 };
      char name[FILE_NAME_SIZE];
      file_name (name, FILE_BLOB, state->blobs[i].number);
      upkeep_information (directory, name, &information, NULL);
      blobs += information.size;
    }
  return segments + blobs;
}

struct stale
{
  struct upkeep_file *files;
  size_t count, capacity;
};

static void
note_stale (void *data, const char *name)
{
  struct stale *stale = data;
  enum file_kind kind;
  uint64_t number;
  if (!file_name_parse (name, &kind, &number))
    return;
  if (stale->count == stale->capacity)
    {
      size_t capacity = stale->capacity == 0 ? 64 : 2 * stale->capacity;
      struct upkeep_file *files = realloc (stale->files, capacity * sizeof *files);
      if (files == NULL)
        return; /* the next backup removes it */
      stale->files = files;
      stale->capacity = capacity;
    }
  strcpy (stale->files[stale->count++].name, name);
}

/* U2: only now. What can't be removed costs room until the next backup. */
static void
remove_stale (struct destination *destination, const struct manifest_state *state)
{
  struct stale stale = { 0 };
  char manifest[FILE_NAME_SIZE];
  uint64_t number;
  if (upkeep_current_manifest (destination->directory, manifest, &number, NULL) != STATUS_OK)
    return;
  manifest_orphans (destination->directory, state, manifest, note_stale, &stale, NULL);
  for (size_t i = 0; i < stale.count; i++)
    vfs_unlink (destination->directory, stale.files[i].name, NULL);
  if (stale.count > 0)
    vfs_directory_sync (destination->directory, NULL);
  free (stale.files);
}

/* From a consistent state to a finished copy, whose names manifest_write_copy makes durable.
 * `state` gets the number of the new manifest. */
static status
fill (struct copying *copying, struct manifest_state *state, bool verify, struct failure *failure)
{
  struct destination *destination = copying->destination;
  struct random random;
  status result = random_bytes (&random.state, sizeof random.state, failure);
  if (result != STATUS_OK)
    return result;
  /* A number that no writer who opens the copy is likely to choose for its own manifest. */
  state->next_number += 1 + random_below (&random, UINT64_C (1) << 20);
  destination->note.under_way = state->next_number;
  result = note_write (destination->directory, &destination->note, failure);
  if (result == STATUS_OK)
    result = copy_state (copying, failure);
  if (result == STATUS_OK && verify)
    result = check_files (destination->directory, state, copying->progress, failure);
  return result;
}

/* ---- backup ---- */

/* The state that the backup will stand at. Its files live as long as *view and the guard. */
static status
take_state (struct engine *engine, struct manifest_state *state, struct view **view,
            struct failure *failure)
{
  status result = engine_flush (engine, failure); /* U1 */
  if (result != STATUS_OK)
    return result;
  pthread_mutex_lock (&engine->manifest_lock);
  result = manifest_state_copy (state, manifest_state (engine->manifest), failure);
  if (result == STATUS_OK)
    result = engine_view_of_files (engine, view, failure);
  pthread_mutex_unlock (&engine->manifest_lock);
  if (result == STATUS_OK)
    result = commit_sync_blobs (engine, true, failure); /* U4 */
  return result;
}

/* Fills the destination with the state and makes that the present one. */
static status
copy_whole (struct engine *engine, struct destination *destination, struct manifest_state *state,
            bool verify, struct upkeep_progress *progress, struct engine_backup_result *out,
            struct failure *failure)
{
  progress->total = state_bytes (engine->directory, state);
  struct copying copying = { engine->directory, destination, state, progress, out, true };
  status result = fill (&copying, state, verify, failure);
  if (result == STATUS_OK)
    result = manifest_write_copy (state, destination->directory, failure);
  if (result == STATUS_OK)
    {
      out->sequence = state->flushed_sequence;
      remove_stale (destination, state);
    }
  return result;
}

static status
backup_writer (struct engine *engine, struct destination *destination, bool verify,
               struct upkeep_progress *progress, struct engine_backup_result *out,
               struct failure *failure)
{
  struct blob_guard guard;
  struct manifest_state state = { 0 };
  struct view *view = NULL;
  status result = blob_guard_enter (engine, &guard, failure);
  if (result != STATUS_OK)
    return result;
  result = take_state (engine, &state, &view, failure);
  if (result == STATUS_OK)
    result = copy_whole (engine, destination, &state, verify, progress, out, failure);
  view_unref (view);
  manifest_state_clear (&state);
  blob_guard_leave (engine, &guard);
  background_wake_merge (engine); /* what only this pinned may be collected */
  return result;
}

static status
skip_commit (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  (void) data;
  (void) sequence;
  (void) payload;
  (void) failure;
  return STATUS_OK;
}

/* U1: what only the log holds can't be brought into segments here. */
static status
refuse_unflushed (struct engine *engine, const struct manifest_state *state,
                  struct failure *failure)
{
  struct wal_recovery found = { 0 };
  status result = wal_recover (engine->directory, state->database_id, state->flushed_sequence,
                               false, skip_commit, NULL, &found, failure);
  if (result == STATUS_OK && found.records > 0)
    return fail (failure, STATUS_READ_ONLY,
                 "%s holds commits in its log, which a database that is open read-only can't bring "
                 "into a backup; open it for writing once, or copy it with restore",
                 engine->path);
  return result;
}

/* For as long as it takes nobody may write: the role is held, which needs no writable medium. */
static status
backup_reader (struct engine *engine, struct destination *destination, bool verify,
               struct upkeep_progress *progress, struct engine_backup_result *out,
               struct failure *failure)
{
  struct writer_lock lock;
  struct manifest_state state = { 0 };
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  result = writer_lock_take (&lock, engine->directory, false, "make the backup there", failure);
  if (result == STATUS_OK)
    {
      result = manifest_load (engine->directory, &state, failure);
      if (result == STATUS_OK)
        result = refuse_unflushed (engine, &state, failure);
      if (result == STATUS_OK)
        result = copy_whole (engine, destination, &state, verify, progress, out, failure);
      manifest_state_clear (&state);
      writer_lock_release (&lock);
    }
  engine_end (engine);
  return result;
}

status
engine_backup (struct engine *engine, const char *path, bool verify, engine_progress progress,
               void *data, struct engine_backup_result *out, struct failure *failure)
{
  struct engine_backup_result counts = { 0 };
  struct upkeep_progress told = { .report = progress, .data = data };
  status result = engine_enter (engine, failure);
  if (result == STATUS_OK)
    result = upkeep_refuse_inside (engine->vfs, engine->path, path, failure);
  if (result != STATUS_OK)
    return result;
  uint64_t started = metrics_now ();
  struct destination destination;
  result = destination_open (&destination, engine->vfs, path, false, engine->database_id, failure);
  if (result == STATUS_OK)
    result = engine->read_only
                 ? backup_reader (engine, &destination, verify, &told, &counts, failure)
                 : backup_writer (engine, &destination, verify, &told, &counts, failure);
  destination_close (&destination);
  if (result == STATUS_OK)
    engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_BACKED_UP,
                                               .bytes = counts.bytes,
                                               .microseconds = (metrics_now () - started) / 1000 });
  if (result == STATUS_OK && out != NULL)
    *out = counts;
  return result;
}

/* ---- restore ---- */

/* What a crash left in the log comes along: the log itself, and the blob files it may refer to. */
static status
copy_log (struct copying *copying, struct failure *failure)
{
  struct upkeep_listing listing;
  bool log = false;
  status result = upkeep_list (copying->source, &listing, failure);
  for (size_t i = 0; i < listing.count; i++)
    log |= listing.files[i].kind == FILE_LOG;
  for (size_t i = 0; result == STATUS_OK && log && i < listing.count; i++)
    {
      const struct upkeep_file *file = &listing.files[i];
      if (file->kind == FILE_LOG
          || (file->kind == FILE_BLOB
              && earlier_blob (copying->state, file->number) == EARLIER_LACKS))
        result = copy_one (copying, file->name, file->number, file->kind == FILE_BLOB,
                           EARLIER_LACKS, failure);
    }
  upkeep_listing_clear (&listing);
  return result;
}

/* A restore that failed leaves nothing behind. */
static void
remove_all (struct destination *destination)
{
  struct upkeep_listing listing;
  if (upkeep_list (destination->directory, &listing, NULL) != STATUS_OK)
    return;
  vfs_unlink (destination->directory, "CURRENT", NULL);
  for (size_t i = 0; i < listing.count; i++)
    vfs_unlink (destination->directory, listing.files[i].name, NULL);
  vfs_unlink (destination->directory, BACKUP_NOTE_NAME, NULL);
  vfs_unlink (destination->directory, WRITER_LOCK_NAME, NULL); /* others see that it is gone: L2 */
  upkeep_listing_clear (&listing);
}

static status
restore_to (struct vfs_directory *source, struct destination *destination,
            struct manifest_state *state, struct upkeep_progress *progress, struct failure *failure)
{
  struct engine_backup_result counts = { 0 };
  struct copying copying = { source, destination, state, progress, &counts, false };
  progress->total = state_bytes (source, state);
  status result = fill (&copying, state, false, failure);
  if (result == STATUS_OK)
    result = copy_log (&copying, failure);
  if (result == STATUS_OK)
    result = check_files (destination->directory, state, progress, failure);
  if (result == STATUS_OK)
    result = manifest_write_copy (state, destination->directory, failure);
  if (result == STATUS_OK)
    {
      vfs_unlink (destination->directory, BACKUP_NOTE_NAME, NULL); /* a database, no backup */
      vfs_directory_sync (destination->directory, NULL);
    }
  else
    remove_all (destination);
  return result;
}

static status
restore_from (struct vfs_directory *source, const char *path, struct upkeep_progress *progress,
              struct failure *failure)
{
  enum manifest_presence presence;
  struct manifest_state state = { 0 };
  struct destination destination;
  struct vfs_directory *before;
  status result = manifest_probe (source, &presence, failure);
  if (result != STATUS_OK)
    return result;
  if (presence != MANIFEST_PRESENT)
    return fail (failure, presence == MANIFEST_EMPTY ? STATUS_NOT_FOUND : STATUS_NOT_A_DATABASE,
                 "there is no backup or database in %s; check the path", source->path);
  result = manifest_load (source, &state, failure);
  if (result == STATUS_OK)
    result = upkeep_refuse_newer (source, NULL, failure);
  if (result != STATUS_OK)
    {
      manifest_state_clear (&state);
      return result;
    }
  bool made = vfs_directory_open (vfs_posix (), path, false, &before, NULL) == STATUS_NOT_FOUND;
  vfs_directory_close (before);
  result = destination_open (&destination, vfs_posix (), path, true, state.database_id, failure);
  if (result == STATUS_OK)
    result = restore_to (source, &destination, &state, progress, failure);
  destination_close (&destination);
  if (result != STATUS_OK && made)
    rmdir (path); /* stays when it holds something */
  manifest_state_clear (&state);
  return result;
}

status
engine_restore (const char *backup_path, const char *path, engine_progress progress, void *data,
                struct failure *failure)
{
  struct upkeep_progress told = { .report = progress, .data = data };
  struct vfs_directory *source;
  struct writer_lock lock;
  if (backup_path == NULL || *backup_path == '\0')
    return fail (failure, STATUS_INVALID, "the path of the backup is empty; pass a directory");
  status result = upkeep_refuse_inside (vfs_posix (), backup_path, path, failure);
  if (result == STATUS_OK)
    result = vfs_directory_open (vfs_posix (), backup_path, false, &source, failure);
  if (result == STATUS_NOT_FOUND)
    return fail (failure, result, "there is no directory %s; check the path", backup_path);
  if (result != STATUS_OK)
    return result;
  /* Nobody opens it while it is copied. */
  result = writer_lock_take (&lock, source, false, "close it there first", failure);
  if (result == STATUS_OK)
    {
      result = restore_from (source, path, &told, failure);
      writer_lock_release (&lock);
    }
  vfs_directory_close (source);
  return result;
}
