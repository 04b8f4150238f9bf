/* SPDX-License-Identifier: MIT */
#include "core/upkeep.h"

#include "base/coding.h"
#include "segment/segment-format.h"

#include <limits.h>
#include <stdlib.h>

#define REPORT_MICROSECONDS 10000u
#define COPY_SIZE (UINT64_C (1) << 20)
#define READER_CACHE_SIZE (UINT64_C (4) << 20)

/* ---- progress ---- */

static status
cancelled (struct failure *failure)
{
  return fail (failure, STATUS_CANCELLED, "cancelled; nothing that was there before has changed");
}

static status
report (struct upkeep_progress *progress, struct failure *failure)
{
  progress->last = engine_now ();
  uint64_t done = progress->done < progress->total ? progress->done : progress->total;
  progress->cancelled = !progress->report (progress->data, done, progress->total, progress->step);
  return progress->cancelled ? cancelled (failure) : STATUS_OK;
}

status
upkeep_advance (struct upkeep_progress *progress, uint64_t bytes, struct failure *failure)
{
  progress->done += bytes;
  if (progress->cancelled)
    return cancelled (failure);
  if (progress->report == NULL || engine_now () - progress->last < REPORT_MICROSECONDS)
    return STATUS_OK;
  return report (progress, failure);
}

status
upkeep_step (struct upkeep_progress *progress, const char *step, struct failure *failure)
{
  progress->step = step;
  if (progress->cancelled)
    return cancelled (failure);
  return progress->report != NULL ? report (progress, failure) : STATUS_OK;
}

/* ---- directories ---- */

static bool
list_visit (void *data, const char *name)
{
  struct upkeep_listing *listing = data;
  struct upkeep_file file;
  if (strcmp (name, "CURRENT") == 0)
    listing->current = true;
  else if (strcmp (name, BACKUP_NOTE_NAME) == 0)
    listing->backup_note = true;
  else if (strcmp (name, WRITER_LOCK_NAME) == 0 || strcmp (name, SHARED_PAGE_NAME) == 0)
    return true;
  else if (!file_name_parse (name, &file.kind, &file.number))
    listing->foreign = true;
  else
    {
      if (listing->count == listing->capacity)
        {
          size_t capacity = listing->capacity == 0 ? 64 : 2 * listing->capacity;
          struct upkeep_file *files = realloc (listing->files, capacity * sizeof *files);
          listing->no_memory = files == NULL;
          if (files == NULL)
            return false;
          listing->files = files;
          listing->capacity = capacity;
        }
      strcpy (file.name, name); /* file_name_parse bounds it */
      listing->files[listing->count++] = file;
    }
  return true;
}

static int
compare_files (const void *a, const void *b)
{
  const struct upkeep_file *left = a, *right = b;
  if (left->number != right->number)
    return left->number < right->number ? -1 : 1;
  return (left->kind > right->kind) - (left->kind < right->kind);
}

status
upkeep_list (struct vfs_directory *directory, struct upkeep_listing *out, struct failure *failure)
{
  *out = (struct upkeep_listing){ 0 };
  status result = vfs_directory_list (directory, list_visit, out, failure);
  if (result == STATUS_OK && out->no_memory)
    result = fail_memory (failure, out->capacity * sizeof *out->files, "a list of files");
  if (result != STATUS_OK)
    upkeep_listing_clear (out);
  else if (out->count > 0)
    qsort (out->files, out->count, sizeof *out->files, compare_files);
  return result;
}

void
upkeep_listing_clear (struct upkeep_listing *listing)
{
  free (listing->files);
  *listing = (struct upkeep_listing){ 0 };
}

static bool
listing_has (const struct upkeep_listing *listing, enum file_kind kind, uint64_t number)
{
  struct upkeep_file wanted = { .kind = kind, .number = number };
  return listing->count > 0
         && bsearch (&wanted, listing->files, listing->count, sizeof *listing->files, compare_files)
                != NULL;
}

status
upkeep_find_missing (struct vfs_directory *directory, const struct manifest_state *state,
                     char to[FILE_NAME_SIZE], struct failure *failure)
{
  struct upkeep_listing listing;
  to[0] = '\0';
  status result = upkeep_list (directory, &listing, failure);
  if (result != STATUS_OK)
    return result;
  for (size_t i = 0; to[0] == '\0' && i < state->segment_count; i++)
    if (!listing_has (&listing, FILE_SEGMENT, state->segments[i].information.number))
      file_name (to, FILE_SEGMENT, state->segments[i].information.number);
  for (size_t i = 0; to[0] == '\0' && i < state->blob_count; i++)
    if (!listing_has (&listing, FILE_BLOB, state->blobs[i].number))
      file_name (to, FILE_BLOB, state->blobs[i].number);
  upkeep_listing_clear (&listing);
  return STATUS_OK;
}

status
upkeep_current_manifest (struct vfs_directory *directory, char to[FILE_NAME_SIZE], uint64_t *number,
                         struct failure *failure)
{
  struct vfs_file *file;
  char content[FILE_NAME_SIZE] = "";
  size_t got = 0;
  enum file_kind kind;
  status result = vfs_open (directory, "CURRENT", VFS_READ, &file, failure);
  if (result != STATUS_OK)
    return result;
  result = vfs_read (file, 0, content, sizeof content - 1, &got, failure);
  vfs_close (file);
  if (result != STATUS_OK)
    return result;
  content[got] = '\0';
  content[strcspn (content, "\n")] = '\0';
  if (!file_name_parse (content, &kind, number) || kind != FILE_MANIFEST)
    return STATUS_NOT_FOUND;
  strcpy (to, content);
  return STATUS_OK;
}

bool
upkeep_writer_lives (struct vfs_directory *directory)
{
  struct writer_lock lock;
  bool lives = writer_lock_take (&lock, directory, false, "", NULL) == STATUS_LOCKED;
  writer_lock_release (&lock);
  return lives;
}

/* The resolved path of `path` or, while it is missing, of the directory it is to be made in. */
static char *
resolve (const char *path)
{
  char *whole = realpath (path, NULL);
  if (whole != NULL)
    return whole;
  char *parent = strdup (path);
  if (parent == NULL)
    return NULL;
  size_t size = strlen (parent);
  while (size > 1 && parent[size - 1] == '/')
    parent[--size] = '\0';
  char *slash = strrchr (parent, '/');
  if (slash == NULL)
    strcpy (parent, ".");
  else if (slash == parent)
    parent[1] = '\0';
  else
    *slash = '\0';
  whole = realpath (*path != '\0' ? parent : path, NULL);
  free (parent);
  return whole;
}

status
upkeep_refuse_inside (const struct vfs *vfs, const char *source, const char *path,
                      struct failure *failure)
{
  if (path == NULL || *path == '\0')
    return fail (failure, STATUS_INVALID, "the destination's path is empty; pass a directory");
  bool real = vfs == vfs_posix ();
  char *outer = real ? realpath (source, NULL) : strdup (source);
  char *inner = real ? resolve (path) : strdup (path);
  bool inside = false;
  if (outer != NULL && inner != NULL)
    {
      size_t size = strlen (outer);
      inside = strncmp (outer, inner, size) == 0 && (inner[size] == '\0' || inner[size] == '/');
    }
  free (outer);
  free (inner);
  if (inside)
    return fail (failure, STATUS_INVALID,
                 "%s lies in the database %s itself; choose a directory outside of it", path,
                 source);
  return STATUS_OK;
}

status
upkeep_information (struct vfs_directory *directory, const char *name,
                    struct vfs_file_information *out, struct failure *failure)
{
  struct vfs_file *file;
  status result = vfs_open (directory, name, VFS_READ, &file, failure);
  if (result != STATUS_OK)
    return result;
  result = vfs_information (file, out, failure);
  vfs_close (file);
  return result;
}

/* ---- copying ---- */

static status
sync_file (struct vfs_directory *directory, const char *name, uint64_t *size,
           struct failure *failure)
{
  struct vfs_file *file;
  struct vfs_file_information information;
  status result = vfs_open (directory, name, VFS_WRITE, &file, failure);
  if (result != STATUS_OK)
    return result;
  result = vfs_sync_data (file, failure);
  if (result == STATUS_OK)
    result = vfs_information (file, &information, failure);
  if (result == STATUS_OK)
    *size = information.size;
  vfs_close (file);
  return result;
}

static status
copy_bytes (struct vfs_file *from, struct vfs_file *to, struct upkeep_progress *progress,
            uint64_t *size, struct failure *failure)
{
  uint8_t *buffer = malloc (COPY_SIZE);
  status result = buffer != NULL ? STATUS_OK : fail_memory (failure, COPY_SIZE, "copying a file");
  size_t got = COPY_SIZE;
  *size = 0;
  while (result == STATUS_OK && got == COPY_SIZE)
    {
      result = vfs_read (from, *size, buffer, COPY_SIZE, &got, failure);
      if (result == STATUS_OK && got > 0)
        result = vfs_write (to, *size, buffer, got, failure);
      if (result != STATUS_OK)
        break;
      *size += got;
      result = upkeep_advance (progress, got, failure);
    }
  free (buffer);
  return result == STATUS_OK ? vfs_sync_data (to, failure) : result;
}

static status
copy_file (struct vfs_directory *from, const char *name, struct vfs_directory *to,
           const char *new_name, struct upkeep_progress *progress, uint64_t *size,
           struct failure *failure)
{
  struct vfs_file *source, *target;
  status result = vfs_open (from, name, VFS_READ, &source, failure);
  if (result != STATUS_OK)
    return result;
  result = vfs_open (to, new_name, VFS_WRITE | VFS_CREATE | VFS_EXCLUSIVE, &target, failure);
  if (result == STATUS_OK)
    {
      result = copy_bytes (source, target, progress, size, failure);
      vfs_close (target);
      if (result != STATUS_OK)
        vfs_unlink (to, new_name, NULL);
    }
  vfs_close (source);
  return result;
}

status
upkeep_copy (struct vfs_directory *from, const char *name, struct vfs_directory *to,
             const char *new_name, bool link, struct upkeep_progress *progress,
             enum upkeep_copied *how, uint64_t *size, struct failure *failure)
{
  struct vfs_file_information information;
  status result = vfs_unlink (to, new_name, failure);
  if (result != STATUS_OK)
    return result;
  *how = UPKEEP_REFLINKED;
  if (vfs_clone (from, name, to, new_name, NULL) == STATUS_OK)
    {
      result = sync_file (to, new_name, size, failure);
      return result == STATUS_OK ? upkeep_advance (progress, *size, failure) : result;
    }
  vfs_unlink (to, new_name, NULL); /* what a failed clone may leave */
  *how = UPKEEP_LINKED;
  if (link && vfs_link (from, name, to, new_name, NULL) == STATUS_OK)
    {
      result = upkeep_information (to, new_name, &information, failure);
      *size = result == STATUS_OK ? information.size : 0;
      return result == STATUS_OK ? upkeep_advance (progress, *size, failure) : result;
    }
  *how = UPKEEP_COPIED;
  return copy_file (from, name, to, new_name, progress, size, failure);
}

/* ---- opening segments without an engine ---- */

status
upkeep_reader_open (struct upkeep_reader *reader, struct vfs_directory *directory,
                    const uint8_t database_id[16], size_t page_size, struct failure *failure)
{
  *reader = (struct upkeep_reader){ .ledger = { .budget = READER_CACHE_SIZE } };
  status result
      = cache_new (&reader->ledger, page_size, READER_CACHE_SIZE, &reader->cache, failure);
  if (result != STATUS_OK)
    return result;
  reader->settings = (struct segment_reader_settings){
    .directory = directory,
    .cache = reader->cache,
    .ledger = &reader->ledger,
    .verify = true,
  };
  memcpy (reader->settings.database_id, database_id, 16);
  return STATUS_OK;
}

void
upkeep_reader_close (struct upkeep_reader *reader)
{
  if (reader->cache == NULL)
    return;
  epoch_collect (true);
  cache_free (reader->cache);
  reader->cache = NULL;
  codec_trim ();
}

bool
upkeep_sniff_segment (struct vfs_directory *directory, const char *name, uint8_t database_id[16],
                      size_t *page_size)
{
  struct vfs_file *file;
  uint8_t header[64];
  size_t got = 0;
  if (vfs_open (directory, name, VFS_READ, &file, NULL) != STATUS_OK)
    return false;
  status result = vfs_read (file, 0, header, sizeof header, &got, NULL);
  vfs_close (file);
  if (result != STATUS_OK || got < sizeof header
      || memcmp (header, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE) != 0)
    return false;
  uint32_t size = load_u32 (header + HEADER_PAGE_SIZE);
  if (size < 4096 || size > 65536 || (size & (size - 1)) != 0)
    return false;
  memcpy (database_id, header + HEADER_DATABASE_ID, 16);
  *page_size = size;
  return true;
}

/* ---- blobs ---- */

static status
open_blob (struct upkeep_blobs *blobs, uint64_t number, struct failure *failure)
{
  if (blobs->file != NULL && blob_file_number (blobs->file) == number)
    return STATUS_OK;
  blob_file_unref (blobs->file);
  blobs->file = NULL;
  char name[FILE_NAME_SIZE];
  struct vfs_file_information information;
  file_name (name, FILE_BLOB, number);
  status result = upkeep_information (blobs->directory, name, &information, failure);
  if (result == STATUS_NOT_FOUND)
    return fail (failure, STATUS_CORRUPT,
                 "%s/%s is missing, and the database refers to it; restore it from a backup",
                 blobs->directory->path, name);
  if (result != STATUS_OK)
    return result;
  blobs->file_size = information.size;
  return blob_file_open (blobs->directory, blobs->database_id, number, &blobs->file, failure);
}

status
upkeep_blob_open (struct upkeep_blobs *blobs, struct bytes reference, struct failure *failure)
{
  struct blob_reference place;
  if (!blob_reference_load (reference, &place))
    return fail (failure, STATUS_CORRUPT, "%s: a blob reference is malformed",
                 blobs->directory->path);
  return open_blob (blobs, place.file, failure);
}

status
upkeep_blob_read (struct upkeep_blobs *blobs, struct bytes reference, struct bytes *out,
                  struct failure *failure)
{
  struct blob_reference place;
  uint64_t end;
  if (!blob_reference_load (reference, &place))
    return fail (failure, STATUS_CORRUPT, "%s: a blob reference is malformed",
                 blobs->directory->path);
  status result = open_blob (blobs, place.file, failure);
  if (result != STATUS_OK)
    return result;
  if (__builtin_add_overflow (place.offset, place.size, &end))
    end = UINT64_MAX;
  if (end > blobs->file_size) /* it may have grown since it was opened */
    {
      char name[FILE_NAME_SIZE];
      struct vfs_file_information information;
      file_name (name, FILE_BLOB, place.file);
      result = upkeep_information (blobs->directory, name, &information, failure);
      if (result != STATUS_OK && result != STATUS_NOT_FOUND)
        return result;
      if (result == STATUS_OK)
        blobs->file_size = information.size;
    }
  if (end > blobs->file_size)
    return fail (failure, STATUS_CORRUPT,
                 "%s/%llu.blob ends before the value of %llu bytes at offset %llu",
                 blobs->directory->path, (unsigned long long) place.file,
                 (unsigned long long) place.size, (unsigned long long) place.offset);
  if (place.size > blobs->capacity)
    {
      free (blobs->buffer);
      blobs->capacity = 0;
      blobs->buffer = malloc (place.size);
      if (blobs->buffer == NULL)
        return fail_memory (failure, place.size, "a large value");
      blobs->capacity = place.size;
    }
  static uint8_t nothing;
  uint8_t *to = place.size > 0 ? blobs->buffer : &nothing;
  *out = BYTES (to, place.size);
  return blob_file_read (blobs->file, &place, to, failure);
}

void
upkeep_blobs_clear (struct upkeep_blobs *blobs)
{
  blob_file_unref (blobs->file);
  free (blobs->buffer);
  *blobs = (struct upkeep_blobs){ 0 };
}
