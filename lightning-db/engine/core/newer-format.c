/* SPDX-License-Identifier: MIT */
#include "core/upkeep.h"

#include "blob/blob.h"
#include "log/wal.h"
#include "segment/segment.h"

#include <stdlib.h>

/* Of what carries a version beside the manifest, the judge and how much of the file it looks at. */
static const struct
{
  status (*judge) (const uint8_t *header, const char *directory, const char *name,
                   struct failure *failure);
  size_t size; /* bytes */
} judges[] = {
  [FILE_LOG] = { wal_judge_header, 64 },
  [FILE_HISTORY] = { wal_judge_header, 64 },
  [FILE_BLOB] = { blob_judge_header, 64 },
  [FILE_SEGMENT] = { segment_judge_header, 4096 },
};

/* What is missing, short or can't be read is for those to tell who need it. */
static status
judge_file (struct vfs_directory *directory, const struct upkeep_file *file,
            struct failure *failure)
{
  uint8_t header[4096];
  struct vfs_file *opened;
  size_t got = 0;
  size_t size = file->kind < sizeof judges / sizeof *judges ? judges[file->kind].size : 0;
  if (size == 0 || vfs_open (directory, file->name, VFS_READ, &opened, NULL) != STATUS_OK)
    return STATUS_OK;
  status result = vfs_read (opened, 0, header, size, &got, NULL);
  vfs_close (opened);
  if (result != STATUS_OK || got < size)
    return STATUS_OK;
  result = judges[file->kind].judge (header, directory->path, file->name, failure);
  return result == STATUS_NEWER_FORMAT ? result : STATUS_OK;
}

static int
compare_blobs (const void *left, const void *right)
{
  uint64_t a = ((const struct manifest_blob *) left)->number;
  uint64_t b = ((const struct manifest_blob *) right)->number;
  return (a > b) - (a < b);
}

/* Whether opening the state has judged the file. A segment that it does not list is of no state. */
static bool
is_opened (const struct manifest_state *state, const struct upkeep_file *file)
{
  struct manifest_blob wanted = { .number = file->number };
  return file->kind == FILE_SEGMENT
         || (file->kind == FILE_BLOB && state->blob_count > 0
             && bsearch (&wanted, state->blobs, state->blob_count, sizeof wanted, compare_blobs)
                    != NULL);
}

status
upkeep_refuse_newer (struct vfs_directory *directory, const struct manifest_state *opened,
                     struct failure *failure)
{
  struct upkeep_listing listing;
  status result = upkeep_list (directory, &listing, failure);
  for (size_t i = 0; result == STATUS_OK && i < listing.count; i++)
    if (opened == NULL || !is_opened (opened, &listing.files[i]))
      result = judge_file (directory, &listing.files[i], failure);
  upkeep_listing_clear (&listing);
  return result;
}
