/* SPDX-License-Identifier: MIT */
/*
 * manifest: the writing side. V1 … V8 are in the header; the steps and what a crash after each one
 * leaves are in docs/design/manifest.md.
 *
 *              create, open                       failed sync, failed switch
 *   (nothing) ──▶ (READ) ───▶ APPENDING ───────────────────────────────────▶ FAILED
 *                              ▲     │ append met a full disk                  ▲
 *             switched to a    │     ▼ or the file lost its name               │
 *             fresh manifest   └── TORN ───────────────────────────────────────┘
 *
 *   READ: it was loaded, and nothing written yet.
 *   M1  `state` is what a reader of the durable bytes would load, in every state but FAILED.
 *   M2  APPENDING: the file ends at `size`, a whole sector, and everything before is durable.
 *   M3  TORN: an incomplete edit may follow `size`, or CURRENT or the file were deleted; nothing is
 *       appended to this file any more.
 *   M4  FAILED: what is durable is unknown; nothing is written any more.
 */
#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "version/manifest-private.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LOG_SIZE_MIN (64u << 10) /* bytes below which it is not worth a switch */

enum phase
{
  READ,
  APPENDING,
  TORN,
  FAILED
};

struct manifest
{
  struct vfs_directory *directory; /* the caller's; outlives the manifest */
  struct vfs_file *file;           /* the present log of edits; owned */
  struct manifest_state state;     /* M1 */
  _Atomic uint64_t next_number;    /* may run ahead of `state`; any thread */
  _Atomic uint64_t next_run;       /* the same */
  enum phase phase;                /* see above */
  uint64_t number;                 /* of the present file */
  uint64_t seed;                   /* of its checksums */
  uint64_t size;                   /* bytes of it that count */
  uint64_t edits;                  /* in it */
  char name[FILE_NAME_SIZE];       /* its name */
};

/* ---- a fresh manifest ---- */

/* How far writing one came: what is to be undone, and whether the outcome is known. */
struct fresh
{
  struct vfs_file *file; /* owned until taken */
  uint64_t size;         /* bytes written */
  bool switching;        /* the rename was begun: CURRENT may name it */
};

static status
encode_fresh (struct output *output, const struct manifest_state *state, uint64_t number,
              struct failure *failure)
{
  *output = (struct output){ 0 };
  output->data = malloc (MANIFEST_HEADER_SIZE);
  if (output->data == NULL)
    return fail_memory (failure, MANIFEST_HEADER_SIZE, "a manifest");
  output->size = output->capacity = MANIFEST_HEADER_SIZE;
  manifest_header_encode (output->data, state, number);
  status code = edit_encode_state (output, checksum_seed (state->database_id, number),
                                   MANIFEST_HEADER_SIZE, state, failure);
  output_fill_sector (output);
  return code == STATUS_OK && output->failed ? fail_memory (failure, output->size, "a manifest")
                                             : code;
}

/* Creates or replaces `name` with `content`, synced. *file is open also on failure, or NULL. */
static status
write_file (struct vfs_directory *directory, const char *name, struct bytes content,
            struct vfs_file **file, struct failure *failure)
{
  *file = NULL;
  status code = vfs_open (directory, name, VFS_WRITE | VFS_CREATE | VFS_TRUNCATE, file, failure);
  if (code == STATUS_OK)
    code = vfs_write (*file, 0, content.data, content.size, failure);
  if (code == STATUS_OK)
    code = vfs_sync_data (*file, failure);
  return code;
}

static status
switch_current (struct vfs_directory *directory, uint64_t number, struct fresh *fresh,
                struct failure *failure)
{
  char temporary[FILE_NAME_SIZE], content[CURRENT_SIZE_MAX];
  struct vfs_file *file;
  file_name (temporary, FILE_TEMPORARY, number);
  size_t size = current_encode (content, number);
  status code = write_file (directory, temporary, BYTES (content, size), &file, failure);
  vfs_close (file);
  /* Both names are durable before CURRENT changes, whatever order the file system keeps. */
  if (code == STATUS_OK)
    code = vfs_directory_sync (directory, failure);
  if (code != STATUS_OK)
    {
      vfs_unlink (directory, temporary, NULL);
      return code;
    }
  fresh->switching = true;
  code = vfs_rename (directory, temporary, CURRENT_NAME, failure);
  return code == STATUS_OK ? vfs_directory_sync (directory, failure) : code;
}

/* Writes `state` as manifest `number` and makes it the current one. */
static status
write_fresh (struct vfs_directory *directory, const struct manifest_state *state, uint64_t number,
             struct fresh *fresh, struct failure *failure)
{
  struct output output;
  char name[FILE_NAME_SIZE];
  *fresh = (struct fresh){ 0 };
  file_name (name, FILE_MANIFEST, number);
  status code = encode_fresh (&output, state, number, failure);
  if (code == STATUS_OK)
    code = write_file (directory, name, BYTES (output.data, output.size), &fresh->file, failure);
  fresh->size = output.size;
  output_clear (&output);
  if (code == STATUS_OK)
    code = switch_current (directory, number, fresh, failure);
  if (code == STATUS_OK)
    return STATUS_OK;

  bool made = fresh->file != NULL;
  vfs_close (fresh->file);
  fresh->file = NULL;
  if (made && !fresh->switching)
    vfs_unlink (directory, name, NULL);
  return code;
}

/* Takes the written file over as the present one. */
static void
take_fresh (struct manifest *manifest, struct fresh *fresh, uint64_t number)
{
  vfs_close (manifest->file);
  manifest->file = fresh->file;
  manifest->size = fresh->size;
  manifest->edits = 1;
  manifest->number = number;
  manifest->seed = checksum_seed (manifest->state.database_id, number);
  manifest->phase = APPENDING;
  file_name (manifest->name, FILE_MANIFEST, number);
}

/* ---- create, open, close ---- */

static status
manifest_new (struct vfs_directory *directory, struct manifest **out, struct failure *failure)
{
  struct manifest *manifest = calloc (1, sizeof *manifest);
  *out = NULL;
  if (manifest == NULL)
    return fail_memory (failure, sizeof *manifest, "a manifest");
  manifest->directory = directory;
  *out = manifest;
  return STATUS_OK;
}

static void
publish_numbers (struct manifest *manifest)
{
  atomic_store (&manifest->next_number, manifest->state.next_number);
  atomic_store (&manifest->next_run, manifest->state.next_run);
}

static status
check_empty (struct vfs_directory *directory, struct failure *failure)
{
  enum manifest_presence presence;
  status code = manifest_probe (directory, &presence, failure);
  if (code != STATUS_OK)
    return code;
  if (presence == MANIFEST_PRESENT)
    return fail (failure, STATUS_EXISTS,
                 "%s holds a database already; open it, or choose another "
                 "directory",
                 directory->path);
  if (presence == MANIFEST_FOREIGN)
    return fail (failure, STATUS_NOT_A_DATABASE,
                 "%s holds files that are not a database; choose another directory",
                 directory->path);
  return STATUS_OK;
}

static status
create (struct vfs_directory *directory, uint32_t page_size, uint64_t features,
        struct manifest **out, struct failure *failure)
{
  struct manifest *manifest = NULL;
  struct fresh fresh;
  *out = NULL;
  if (page_size < 4096 || page_size > 65536 || (page_size & (page_size - 1)) != 0)
    return fail (failure, STATUS_INVALID,
                 "a page size of %u is not possible; give a power of two from 4096 to 65536",
                 page_size);
  status code = check_empty (directory, failure);
  if (code == STATUS_OK)
    code = manifest_new (directory, &manifest, failure);
  if (code != STATUS_OK)
    return code;

  manifest->state = (struct manifest_state){
    .format_version = FORMAT_VERSION,
    .features = features,
    .page_size = page_size,
    .next_number = MANIFEST_FIRST_NUMBER + 1,
    .next_run = 1,
  };
  code = random_bytes (manifest->state.database_id, 16, failure);
  if (code == STATUS_OK)
    code = write_fresh (directory, &manifest->state, MANIFEST_FIRST_NUMBER, &fresh, failure);
  if (code != STATUS_OK)
    {
      manifest_close (manifest);
      return code;
    }
  take_fresh (manifest, &fresh, MANIFEST_FIRST_NUMBER);
  publish_numbers (manifest);
  *out = manifest;
  return STATUS_OK;
}

status
manifest_create (struct vfs_directory *directory, uint32_t page_size, struct manifest **out,
                 struct failure *failure)
{
  return create (directory, page_size, 0, out, failure);
}

status
manifest_create_unfinished (struct vfs_directory *directory, uint32_t page_size,
                            struct manifest **out, struct failure *failure)
{
  return create (directory, page_size, MANIFEST_UNFINISHED, out, failure);
}

status
manifest_read (struct vfs_directory *directory, struct manifest **out, struct failure *failure)
{
  struct manifest *manifest;
  struct manifest_place place;
  status code = manifest_new (directory, &manifest, failure);
  *out = NULL;
  if (code == STATUS_OK)
    code = manifest_load_place (directory, &manifest->state, &place, failure);
  if (code != STATUS_OK)
    {
      manifest_close (manifest);
      return code;
    }
  manifest->phase = READ;
  file_name (manifest->name, FILE_MANIFEST, place.number);
  *out = manifest;
  return STATUS_OK;
}

/* READ → M2. */
status
manifest_begin (struct manifest *manifest, struct failure *failure)
{
  char before[FILE_NAME_SIZE];
  struct fresh fresh;
  assert (manifest->phase == READ);
  memcpy (before, manifest->name, sizeof before);
  uint64_t number = manifest->state.next_number++;
  /* What this version does not know it will not keep up. */
  manifest->state.features &= FEATURES_KNOWN;
  manifest->state.format_version = FORMAT_VERSION;
  status code = write_fresh (manifest->directory, &manifest->state, number, &fresh, failure);
  if (code != STATUS_OK)
    return code;
  take_fresh (manifest, &fresh, number);
  publish_numbers (manifest);
  vfs_unlink (manifest->directory, before, NULL); /* else an orphan of the next open */
  return STATUS_OK;
}

status
manifest_open (struct vfs_directory *directory, struct manifest **out, struct failure *failure)
{
  status code = manifest_read (directory, out, failure);
  if (code == STATUS_OK)
    code = manifest_begin (*out, failure);
  if (code != STATUS_OK)
    {
      manifest_close (*out);
      *out = NULL;
    }
  return code;
}

void
manifest_close (struct manifest *manifest)
{
  if (manifest == NULL)
    return;
  vfs_close (manifest->file);
  manifest_state_clear (&manifest->state);
  free (manifest);
}

status
manifest_write_copy (const struct manifest_state *state, struct vfs_directory *directory,
                     struct failure *failure)
{
  struct manifest_state copy = *state; /* shares the arrays; only numbers change */
  struct fresh fresh;
  uint64_t number = copy.next_number++;
  if (number >= FILE_NUMBER_MAX)
    return fail (failure, STATUS_TOO_MANY, "%s: the file numbers are used up", directory->path);
  status code = write_fresh (directory, &copy, number, &fresh, failure);
  if (code == STATUS_OK)
    vfs_close (fresh.file);
  return code;
}

/* ---- applying an edit ---- */

static status
gather_present (struct history *history, const struct manifest_state *state,
                struct failure *failure)
{
  status code = STATUS_OK;
  for (size_t i = 0; code == STATUS_OK && i < state->segment_count; i++)
    {
      /* Shares its bytes with the state: owned_from keeps the history from freeing them. */
      struct manifest_segment segment = state->segments[i];
      history->owned_from = history->segment_count + 1;
      code = history_add_segment (history, 0, &segment, failure);
    }
  for (size_t i = 0; code == STATUS_OK && i < state->blob_count; i++)
    code = history_add_blob (history, 0, &state->blobs[i], failure);
  return code;
}

static status
gather_segment (struct history *history, const struct manifest_segment *added, const char *file,
                struct failure *failure)
{
  struct manifest_segment segment = *added;
  const char *fault = manifest_segment_fault (added);
  if (fault != NULL)
    return fail (failure, STATUS_INVALID, "%s: segment %llu: %s; nothing was written", file,
                 (unsigned long long) added->information.number, fault);
  status code = segment_information_copy (&segment.information, &added->information, failure);
  return code == STATUS_OK ? history_add_segment (history, 1, &segment, failure) : code;
}

static status
gather_edit (struct history *history, const struct manifest_edit *edit, const char *file,
             struct failure *failure)
{
  status code = STATUS_OK;
  for (size_t i = 0; code == STATUS_OK && i < edit->remove_segment_count; i++)
    code = history_remove (history, 1, edit->remove_segments[i], false, failure);
  for (size_t i = 0; code == STATUS_OK && i < edit->remove_blob_count; i++)
    code = history_remove (history, 1, edit->remove_blobs[i], true, failure);
  for (size_t i = 0; code == STATUS_OK && i < edit->add_segment_count; i++)
    code = gather_segment (history, &edit->add_segments[i], file, failure);
  for (size_t i = 0; code == STATUS_OK && i < edit->add_blob_count; i++)
    code = history_add_blob (history, 1, &edit->add_blobs[i], failure);
  return code;
}

static status
next_numbers (struct manifest *manifest, const struct manifest_edit *edit,
              struct manifest_state *next, struct failure *failure)
{
  next->next_number = atomic_load (&manifest->next_number);
  next->next_run = atomic_load (&manifest->next_run);
  if (edit->flushed_sequence != 0)
    next->flushed_sequence = edit->flushed_sequence;
  if (next->flushed_sequence < manifest->state.flushed_sequence
      || next->flushed_sequence > SEQUENCE_MAX
      || __builtin_add_overflow (next->user_bytes, edit->user_bytes_added, &next->user_bytes)
      || next->next_number > FILE_NUMBER_MAX)
    return fail (failure, STATUS_INVALID,
                 "%s: an edit moves the flushed sequence back, or counts too far; nothing was "
                 "written",
                 manifest->name);
  if (edit->settled)
    next->settle_debt_base = next->user_bytes;
  return STATUS_OK;
}

/* Works out the state after the edit. On failure nothing is left to free. */
static status
plan (struct manifest *manifest, const struct manifest_edit *edit, struct history *history,
      struct manifest_state *next, struct failure *failure)
{
  *history = (struct history){ 0 };
  *next = manifest->state;
  status code = next_numbers (manifest, edit, next, failure);
  if (code == STATUS_OK)
    code = gather_present (history, &manifest->state, failure);
  if (code == STATUS_OK)
    code = gather_edit (history, edit, manifest->name, failure);
  if (code == STATUS_OK)
    code = history_resolve (history, STATUS_INVALID, manifest->name, next, failure);
  if (code != STATUS_OK)
    history_reject (history);
  return code;
}

/* V3. */
static status
fail_for_good (struct manifest *manifest, const struct failure *cause, struct failure *failure)
{
  manifest->phase = FAILED;
  fail (
      failure, STATUS_UNKNOWN_OUTCOME,
      "whether a change of the list of files is on disk is unknown (%.*s); close the database and "
      "open it again",
      300, cause->message);
  if (failure != NULL && failure->system_error == 0)
    failure->system_error = cause->system_error;
  return STATUS_UNKNOWN_OUTCOME;
}

/* The outcome is known: nothing changed. */
static status
pass_on (const struct failure *cause, struct failure *failure)
{
  if (failure != NULL && failure->code == STATUS_OK)
    *failure = *cause;
  return cause->code;
}

/* Whether the first copy of an edit is whole in the file after a write that failed: then it counts
 * unless it is cut off again, durably. */
static bool
has_arrived (struct manifest *manifest, struct bytes edit)
{
  size_t first = (size_t) edit_size (load_u32 (edit.data + 8)), got = 0;
  uint8_t *found = malloc (first);
  bool arrived = found == NULL
                 || vfs_read (manifest->file, manifest->size, found, first, &got, NULL) != STATUS_OK
                 || (got == first && memcmp (found, edit.data, first) == 0);
  free (found);
  return arrived;
}

/* M2 → M2, or M3 with NO_SPACE, or M4. */
static status
append (struct manifest *manifest, struct bytes edit, struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  assert (manifest->phase == APPENDING); /* M2 */
  status code = vfs_write (manifest->file, manifest->size, edit.data, edit.size, &cause);
  if (code == STATUS_NO_SPACE || code == STATUS_NO_MEMORY)
    {
      struct failure ignored = FAILURE_INIT;
      bool counts = has_arrived (manifest, edit);
      code = vfs_truncate (manifest->file, manifest->size, &ignored);
      if (counts && code == STATUS_OK)
        code = vfs_sync_data (manifest->file, &ignored);
      if (counts && code != STATUS_OK)
        return fail_for_good (manifest, &cause, failure);
      manifest->phase = TORN;
      return pass_on (&cause, failure);
    }
  if (code == STATUS_OK)
    code = vfs_sync_data (manifest->file, &cause);
  if (code != STATUS_OK)
    return fail_for_good (manifest, &cause, failure);
  manifest->size += edit.size;
  manifest->edits++;
  return STATUS_OK;
}

/* Any phase but FAILED → M2, or the same phase with NO_SPACE or NO_MEMORY, or M4. */
static status
rotate (struct manifest *manifest, struct manifest_state *next, struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  struct fresh fresh;
  char before[FILE_NAME_SIZE];
  uint64_t number = manifest_next_number (manifest);
  next->next_number = number + 1 > next->next_number ? number + 1 : next->next_number;
  status code = write_fresh (manifest->directory, next, number, &fresh, &cause);
  if (code == STATUS_NO_SPACE || code == STATUS_NO_MEMORY || code == STATUS_TOO_MANY)
    if (!fresh.switching)
      return pass_on (&cause, failure);
  if (code != STATUS_OK)
    return fail_for_good (manifest, &cause, failure);
  memcpy (before, manifest->name, sizeof before);
  take_fresh (manifest, &fresh, number);
  vfs_unlink (manifest->directory, before, NULL); /* else an orphan of the next open */
  return STATUS_OK;
}

/* The edit and its copy, each in sectors of its own: what a crash tears in the one it tears in the
 * other at the same time, what wears out later wears out in one (L1). */
static status
encode_twice (struct output *output, const struct manifest *manifest,
              const struct manifest_state *next, const struct manifest_edit *edit,
              struct failure *failure)
{
  status code = edit_encode (output, manifest->seed, manifest->size, next, edit, 0, failure);
  output_fill_sector (output);
  if (code == STATUS_OK)
    code = edit_encode (output, manifest->seed, manifest->size + output->size, next, edit,
                        manifest->size, failure);
  output_fill_sector (output);
  return code == STATUS_OK && output->failed
             ? fail_memory (failure, output->size, "an edit of the manifest")
             : code;
}

static status
make_durable (struct manifest *manifest, const struct manifest_edit *edit,
              struct manifest_state *next, struct failure *failure)
{
  struct output output = { 0 };
  uint64_t fresh = MANIFEST_HEADER_SIZE + edit_state_size (next);
  uint64_t limit = fresh * LOG_GROWTH_MAX;
  if (limit < LOG_SIZE_MIN)
    limit = LOG_SIZE_MIN;
  status code = encode_twice (&output, manifest, next, edit, failure);
  if (code == STATUS_OK)
    code = manifest->phase == TORN || manifest->size + output.size > limit
               ? rotate (manifest, next, failure)
               : append (manifest, BYTES (output.data, output.size), failure);
  output_clear (&output);
  return code;
}

static status
refuse_failed (const struct manifest *manifest, struct failure *failure)
{
  return fail (failure, STATUS_UNKNOWN_OUTCOME,
               "%s/%s could not be written earlier; close the database and open it again",
               manifest->directory->path, manifest->name);
}

/* ---- what others did to the directory ---- */

/* Whether `name` leads to the open file; also when that can't be found out now. */
static bool
leads_to (struct vfs_directory *directory, const char *name, struct vfs_file *file, bool *missing)
{
  struct vfs_file *named;
  struct vfs_file_information here, there;
  status code = vfs_open (directory, name, VFS_READ, &named, NULL);
  *missing = code == STATUS_NOT_FOUND;
  if (code != STATUS_OK)
    return code != STATUS_NOT_FOUND && code != STATUS_INVALID;
  bool known = vfs_information (named, &there, NULL) == STATUS_OK
               && vfs_information (file, &here, NULL) == STATUS_OK;
  vfs_close (named);
  return !known || (here.device == there.device && here.inode == there.inode);
}

/* V8: → M3 when something was deleted (*gone), → M4 when something else stands in its place. */
static status
look_around (struct manifest *manifest, bool *gone, struct failure *failure)
{
  uint64_t number = manifest->number;
  bool missing;
  bool leads = leads_to (manifest->directory, manifest->name, manifest->file, &missing);
  status code = manifest_read_current (manifest->directory, &number, NULL);
  if ((!leads && !missing) || code == STATUS_CORRUPT || code == STATUS_INVALID
      || (code == STATUS_OK && number != manifest->number))
    {
      manifest->phase = FAILED;
      return fail (failure, STATUS_CORRUPT,
                   "another program put other files in the place of %s/" CURRENT_NAME
                   " or %s while the database was open; what is there was left alone: close the "
                   "database, then restore a backup, or run repair",
                   manifest->directory->path, manifest->name);
    }
  *gone = missing || code == STATUS_NOT_FOUND;
  if (*gone && manifest->phase == APPENDING)
    manifest->phase = TORN;
  return STATUS_OK;
}

/* The same state, but for its features, in a fresh manifest. */
static status
restate (struct manifest *manifest, uint64_t features, struct failure *failure)
{
  struct manifest_state next = manifest->state; /* shares the arrays; only numbers change */
  if (manifest->phase == FAILED)
    return refuse_failed (manifest, failure);
  next.next_number = atomic_load (&manifest->next_number);
  next.next_run = atomic_load (&manifest->next_run);
  next.features = features;
  status code = rotate (manifest, &next, failure);
  if (code == STATUS_OK)
    manifest->state = next;
  return code;
}

status
manifest_secure (struct manifest *manifest, struct failure *failure)
{
  bool gone;
  status code = look_around (manifest, &gone, failure);
  return code == STATUS_OK && gone ? restate (manifest, manifest->state.features, failure) : code;
}

status
manifest_condense (struct manifest *manifest, struct failure *failure)
{
  return manifest->edits > 1 ? restate (manifest, manifest->state.features, failure) : STATUS_OK;
}

status
manifest_finish (struct manifest *manifest, struct failure *failure)
{
  return restate (manifest, manifest->state.features & ~MANIFEST_UNFINISHED, failure);
}

status
manifest_apply (struct manifest *manifest, const struct manifest_edit *edit,
                struct failure *failure)
{
  struct history history;
  struct manifest_state next;
  if (manifest->phase == FAILED)
    return refuse_failed (manifest, failure);
  bool gone;
  status code = look_around (manifest, &gone, failure);
  if (code == STATUS_OK)
    code = plan (manifest, edit, &history, &next, failure);
  if (code != STATUS_OK)
    return code;
  code = make_durable (manifest, edit, &next, failure);
  if (code != STATUS_OK)
    {
      history_reject (&history);
      free (next.segments);
      free (next.blobs);
      return code;
    }
  free (manifest->state.segments);
  free (manifest->state.blobs);
  history_accept (&history);
  manifest->state = next;
  return STATUS_OK;
}

/* ---- looking ---- */

const struct manifest_state *
manifest_state (const struct manifest *manifest)
{
  return &manifest->state;
}

uint64_t
manifest_next_number (struct manifest *manifest)
{
  return atomic_fetch_add (&manifest->next_number, 1);
}

uint64_t
manifest_next_run (struct manifest *manifest)
{
  return atomic_fetch_add (&manifest->next_run, 1);
}

bool
manifest_failed (const struct manifest *manifest)
{
  return manifest->phase == FAILED;
}

const char *
manifest_file_name (const struct manifest *manifest)
{
  return manifest->name;
}

uint64_t
manifest_file_size (const struct manifest *manifest)
{
  return manifest->size;
}
