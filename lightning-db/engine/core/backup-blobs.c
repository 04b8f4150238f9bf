/* SPDX-License-Identifier: MIT */
/*
 * backup-blobs: is a blob file of an earlier backup this database's own?
 *
 * Nothing in the manifest tells one blob file from another of the same number, so they are read.
 * Equal bytes are the ordinary answer. But a file may hold more than commits refer to: a value that
 * was still arriving when it was copied, or that a power cut took from the one side only. So where
 * bytes differ, the values that the earlier backup refers to decide: when all of them verify on
 * both sides and are equal, the two files are of one course of the database.
 */
#include "core/upkeep.h"

#include <stdlib.h>

#define HALF_SIZE ((size_t) 512 * 1024)

static status
compare_bytes (struct vfs_file *a, struct vfs_file *b, uint8_t *buffer, bool *same,
               struct failure *failure)
{
  size_t got = HALF_SIZE, other;
  status result = STATUS_OK;
  for (uint64_t offset = 0; result == STATUS_OK && *same && got == HALF_SIZE; offset += got)
    {
      result = vfs_read (a, offset, buffer, HALF_SIZE, &got, failure);
      if (result == STATUS_OK)
        result = vfs_read (b, offset, buffer + HALF_SIZE, HALF_SIZE, &other, failure);
      if (result == STATUS_OK)
        *same = got == other && memcmp (buffer, buffer + HALF_SIZE, got) == 0;
    }
  return result;
}

status
backup_same_bytes (struct vfs_directory *one, struct vfs_directory *two, const char *name,
                   bool *same, struct failure *failure)
{
  struct vfs_file *a = NULL, *b = NULL;
  uint8_t *buffer = malloc (2 * HALF_SIZE);
  *same = true;
  if (buffer == NULL)
    return fail_memory (failure, 2 * HALF_SIZE, "comparing two files");
  status result = vfs_open (one, name, VFS_READ, &a, failure);
  if (result == STATUS_OK)
    result = vfs_open (two, name, VFS_READ, &b, failure);
  if (result == STATUS_OK)
    result = compare_bytes (a, b, buffer, same, failure);
  vfs_close (b);
  vfs_close (a);
  free (buffer);
  return result;
}

struct comparison
{
  struct upkeep_blobs source, copy; /* of the database; of the earlier backup */
  uint64_t number;                  /* of the blob file that is compared */
  struct upkeep_progress *progress; /* asked whether to go on */
  bool same;                        /* so far */
  struct failure unread;            /* the first thing that can't be read now; OK: all can */
};

/* Damage tells that two values are not the same; what can't be read now tells nothing. */
static void
note_fault (struct comparison *comparison, const struct failure *fault)
{
  comparison->same = false; /* of a lost page the values are unknown */
  if (fault->code != STATUS_CORRUPT)
    fail (&comparison->unread, fault->code, "%s", fault->message);
}

static void
on_fault (void *data, const char *file, uint64_t page, const struct failure *fault)
{
  (void) file;
  (void) page;
  note_fault (data, fault);
}

static status
on_record (void *data, const struct record *record, struct failure *failure)
{
  struct comparison *comparison = data;
  struct blob_reference place;
  if (!comparison->same || record->kind != RECORD_BLOB
      || !blob_reference_load (record->value, &place) || place.file != comparison->number)
    return STATUS_OK;
  struct failure cause = FAILURE_INIT;
  struct bytes here, there;
  status result = upkeep_blob_read (&comparison->source, record->value, &here, &cause);
  if (result == STATUS_OK)
    result = upkeep_blob_read (&comparison->copy, record->value, &there, &cause);
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", cause.message);
  if (result != STATUS_OK)
    note_fault (comparison, &cause);
  else
    comparison->same = bytes_equal (here, there);
  return upkeep_advance (comparison->progress, 0, failure);
}

static bool
uses_blob (const struct segment_information *information, uint64_t number)
{
  for (size_t i = 0; i < information->blob_count; i++)
    if (information->blobs[i].file == number)
      return true;
  return false;
}

static status
compare_segment (struct comparison *comparison, const struct segment_reader_settings *settings,
                 const struct segment_information *information, struct failure *failure)
{
  struct segment *segment;
  struct failure cause = FAILURE_INIT;
  status result = segment_open (settings, information, &segment, &cause);
  if (result == STATUS_OK)
    {
      result = segment_verify (segment, on_fault, on_record, comparison, NULL, &cause);
      segment_unref (segment);
      engine_collect ();
    }
  if (comparison->unread.code != STATUS_OK)
    return fail (failure, comparison->unread.code, "%s", comparison->unread.message);
  if (result == STATUS_OK || result == STATUS_CORRUPT || result == STATUS_NOT_FOUND)
    {
      comparison->same &= result == STATUS_OK;
      return STATUS_OK;
    }
  return fail (failure, result, "%s", cause.message);
}

status
backup_same_values (struct vfs_directory *source, struct vfs_directory *copy,
                    const struct manifest_state *before, uint64_t number,
                    struct upkeep_progress *progress, bool *same, struct failure *failure)
{
  struct upkeep_reader reader;
  struct comparison comparison = {
    .source.directory = source,
    .copy.directory = copy,
    .number = number,
    .progress = progress,
    .same = true,
  };
  memcpy (comparison.source.database_id, before->database_id, 16);
  memcpy (comparison.copy.database_id, before->database_id, 16);
  status result
      = upkeep_reader_open (&reader, copy, before->database_id, before->page_size, failure);
  for (size_t i = 0; result == STATUS_OK && comparison.same && i < before->segment_count; i++)
    if (uses_blob (&before->segments[i].information, number))
      result = compare_segment (&comparison, &reader.settings, &before->segments[i].information,
                                failure);
  upkeep_blobs_clear (&comparison.source);
  upkeep_blobs_clear (&comparison.copy);
  upkeep_reader_close (&reader);
  *same = comparison.same;
  return result;
}
