/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   D1  A change is noted before the call that made it returns, in the order in which a program
 *       could have seen it. What was stored through a mapping is noted, at the latest, before the
 *       next change or sync.
 *   D2  A content with more than one reference is never changed; one that is mapped has one.
 *   D3  Bytes behind a content's size are zeros, unless DISK_DATA_ONLY put them there.
 */
#include "simulated-disk.h"

#include "base/hash.h"
#include "simulated-memory.h"
#include "simulated-threads.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u
#define PAGE 4096u

struct simulated_directory
{
  struct vfs_directory directory; /* first: it is cast back */
  uint32_t index;
  bool locks; /* holds the directory's lock */
};

struct simulated_file
{
  struct vfs_file file; /* first: it is cast back */
  uint32_t number;
  bool locks; /* holds the file's lock */
};

static struct disk *
disk_of (const struct vfs *vfs)
{
  return vfs->context;
}

/* ---- contents ---- */

static struct disk_content *
content_new (uint64_t size, uint64_t capacity)
{
  struct disk_content *content = kept_calloc (1, sizeof *content);
  content->references = 1;
  content->size = size;
  content->capacity = capacity;
  content->bytes = kept_calloc (1, capacity + 1);
  return content;
}

static void
content_unref (struct disk_content *content)
{
  if (content == NULL || --content->references > 0)
    return;
  free (content->bytes);
  free (content->seen);
  free (content);
}

static struct disk_content *
content_copy (const struct disk_content *content)
{
  struct disk_content *copy = content_new (content->size, content->capacity);
  memcpy (copy->bytes, content->bytes, content->capacity);
  return copy;
}

/* The file's content, to be changed, with room for `reach` bytes (D2). */
static struct disk_content *
content_own (struct disk *disk, uint32_t file, uint64_t reach)
{
  struct disk_content *content = disk->files[file].content;
  if (content->references > 1)
    {
      content->references--;
      content = disk->files[file].content = content_copy (content);
    }
  if (reach > content->capacity)
    {
      if (content->mappings > 0)
        abort ();
      uint64_t capacity = reach + reach / 2 + 512;
      content->bytes = kept_realloc (content->bytes, capacity);
      memset (content->bytes + content->capacity, 0, capacity - content->capacity);
      content->capacity = capacity;
    }
  content->summed = false;
  return content;
}

static void
content_resize (struct disk_content *content, uint64_t size)
{
  if (size < content->size)
    memset (content->bytes + size, 0, content->capacity - size);
  content->size = size;
}

static uint64_t
content_sum (struct disk_content *content)
{
  if (!content->summed || content->mappings > 0)
    content->sum = checksum (content->size, 0, BYTES (content->bytes, content->size));
  content->summed = true;
  return content->sum;
}

/* ---- the tree ---- */

static uint32_t
file_new (struct disk *disk, uint32_t number)
{
  if (number >= disk->file_room)
    {
      size_t room = number * 2 + 32;
      disk->files = kept_realloc (disk->files, room * sizeof *disk->files);
      memset (disk->files + disk->file_room, 0, (room - disk->file_room) * sizeof *disk->files);
      disk->file_room = room;
    }
  if (number >= disk->file_count)
    disk->file_count = number + 1;
  if (disk->files[number].content == NULL)
    disk->files[number].content = content_new (0, 0);
  return number;
}

static struct disk_name *
name_find (const struct disk *disk, uint32_t directory, const char *name)
{
  for (size_t i = 0; i < disk->name_count; i++)
    if (disk->names[i].directory == directory && strcmp (disk->names[i].name, name) == 0)
      return &disk->names[i];
  return NULL;
}

uint32_t
disk_find (const struct disk *disk, uint32_t directory, const char *name)
{
  const struct disk_name *found = name_find (disk, directory, name);
  return found != NULL ? found->file : 0;
}

static void
name_set (struct disk *disk, uint32_t directory, const char *name, uint32_t file)
{
  struct disk_name *found = name_find (disk, directory, name);
  if (found == NULL)
    {
      if (disk->name_count == disk->name_room)
        {
          disk->name_room = disk->name_room * 2 + 16;
          disk->names = kept_realloc (disk->names, disk->name_room * sizeof *disk->names);
        }
      found = &disk->names[disk->name_count++];
      *found = (struct disk_name){ .directory = directory };
      if (strlen (name) >= DISK_NAME_SIZE)
        abort ();
      strcpy (found->name, name);
    }
  found->file = file;
}

static void
name_drop (struct disk *disk, uint32_t directory, const char *name)
{
  struct disk_name *found = name_find (disk, directory, name);
  if (found != NULL)
    *found = disk->names[--disk->name_count];
}

static uint32_t
directory_index (struct disk *disk, const char *path, bool create)
{
  for (uint32_t i = 0; i < disk->directory_count; i++)
    if (strcmp (disk->directories[i], path) == 0)
      return i;
  if (!create)
    return UINT32_MAX;
  if (disk->directory_count == DISK_DIRECTORIES_MOST)
    abort ();
  disk->directories[disk->directory_count] = kept_strdup (path);
  return disk->directory_count++;
}

/* ---- the journal ---- */

static bool
all_zeros (const uint8_t *bytes, uint64_t size)
{
  return size == 0 || (bytes[0] == 0 && memcmp (bytes, bytes + 1, size - 1) == 0);
}

static void
note (struct disk *disk, struct disk_change change, const char *name, const void *bytes)
{
  struct disk_journal *journal = disk->journal;
  if (journal == NULL)
    return;
  if (journal->count == journal->room)
    {
      journal->room = journal->room * 2 + 64;
      journal->changes = kept_realloc (journal->changes, journal->room * sizeof change);
    }
  if (name != NULL)
    strcpy (change.name, name);
  if (bytes != NULL && !all_zeros (bytes, change.size))
    {
      change.bytes = kept_malloc (change.size);
      memcpy (change.bytes, bytes, change.size);
    }
  journal->changes[journal->count++] = change;
}

void
disk_journal_clear (struct disk_journal *journal)
{
  for (size_t i = 0; i < journal->count; i++)
    free (journal->changes[i].bytes);
  free (journal->changes);
  *journal = (struct disk_journal){ 0 };
}

/* Notes what differs in a page. A page in memory goes to the disk by whole sectors: with the new
 * bytes those around them, as they are now. */
static void
look_at_page (struct disk *disk, uint32_t file, struct disk_content *content, uint64_t page)
{
  uint64_t end = page + PAGE < content->size ? page + PAGE : content->size;
  uint64_t first = page, last = end;
  if (memcmp (content->bytes + page, content->seen + page, end - page) == 0)
    return;
  while (content->bytes[first] == content->seen[first])
    first++;
  while (content->bytes[last - 1] == content->seen[last - 1])
    last--;
  uint64_t start = first / SECTOR * SECTOR, stop = (last + SECTOR - 1) / SECTOR * SECTOR;
  struct disk_change change = {
    .kind = DISK_WRITE,
    .file = file,
    .offset = start,
    .size = (stop < end ? stop : end) - start,
    .from = first,
    .to = last,
    .size_before = content->size,
  };
  note (disk, change, NULL, content->bytes + start);
  memcpy (content->seen + first, content->bytes + first, last - first);
}

void
disk_look (struct disk *disk)
{
  for (uint32_t i = 1; i < disk->file_count; i++)
    {
      struct disk_content *content = disk->files[i].content;
      if (content == NULL || content->mappings == 0)
        continue;
      for (uint64_t page = 0; page < content->size; page += PAGE)
        look_at_page (disk, i, content, page);
    }
}

/* Every operation passes here: others may go on, stores are noted (D1), and it may fail. */
static int
enter (struct disk *disk, const char *operation, const char *name, uint64_t size, uint64_t *written)
{
  simulated_threads_meet ();
  disk_look (disk);
  return disk->fault.decide != NULL
             ? disk->fault.decide (disk->fault.data, operation, name, size, written)
             : 0;
}

static status
refuse (int error, const struct vfs_directory *directory, const char *name, const char *what,
        struct failure *failure)
{
  return fail_system (failure, error, "%s/%s cannot be %s", directory->path, name, what);
}

/* ---- changing ---- */

static void
content_write (struct disk *disk, uint32_t file, uint64_t offset, const uint8_t *bytes,
               uint64_t size)
{
  struct disk_content *content = content_own (disk, file, offset + size);
  if (bytes != NULL)
    memcpy (content->bytes + offset, bytes, size);
  else
    memset (content->bytes + offset, 0, size);
  if (content->seen != NULL)
    memcpy (content->seen + offset, content->bytes + offset, size);
  if (offset + size > content->size)
    content->size = offset + size;
}

/* Fills what of [from, to) the write would have changed. */
static void
fill_part (uint8_t *bytes, uint64_t from, uint64_t to, const struct disk_change *change,
           enum disk_fill fill)
{
  from = from > change->from ? from : change->from;
  to = to < change->to ? to : change->to;
  if (from >= to)
    return;
  uint64_t size = to - from;
  struct random random = { size * 31 + 7 };
  if (fill == DISK_ZEROS)
    memset (bytes + from, 0, size);
  else if (fill == DISK_GARBAGE)
    for (uint64_t i = 0; i < size; i++)
      bytes[from + i] = (uint8_t) (random_next (&random) >> 32);
}

/* Writes all but [from, to), which is filled instead. */
static void
apply_torn (struct disk *disk, const struct disk_change *change, uint64_t from, uint64_t to,
            enum disk_fill fill, bool grows)
{
  uint64_t end = change->offset + change->size;
  struct disk_content *content = content_own (disk, change->file, end);
  uint64_t reach = to >= end && fill == DISK_OLD && from > change->offset ? from : end;
  for (uint64_t at = change->offset; at < end;)
    {
      bool torn = at >= from && at < to;
      uint64_t stop = torn ? to : at < from ? from : end;
      stop = stop < end ? stop : end;
      if (torn)
        fill_part (content->bytes, at, stop, change, fill);
      else if (change->bytes != NULL)
        memcpy (content->bytes + at, change->bytes + (at - change->offset), stop - at);
      else
        memset (content->bytes + at, 0, stop - at);
      at = stop;
    }
  if (grows && reach > content->size)
    content->size = reach;
}

static void
apply_write (struct disk *disk, const struct disk_change *change, struct disk_choice choice)
{
  uint64_t end = change->offset + change->size;
  switch (choice.tear)
    {
    case DISK_WHOLE:
      apply_torn (disk, change, end, end, DISK_OLD, true);
      break;
    case DISK_PREFIX:
      apply_torn (disk, change, choice.from, end, choice.fill, true);
      break;
    case DISK_SUFFIX:
      apply_torn (disk, change, change->offset, choice.from, choice.fill, true);
      break;
    case DISK_HOLE:
      apply_torn (disk, change, choice.from, choice.to, choice.fill, true);
      break;
    case DISK_SIZE_ONLY:
      if (disk->files[change->file].content->size < end)
        content_resize (content_own (disk, change->file, end), end);
      break;
    case DISK_DATA_ONLY:
      apply_torn (disk, change, end, end, DISK_OLD, false);
      break;
    }
}

void
disk_apply (struct disk *disk, const struct disk_change *change, struct disk_choice choice)
{
  if (!choice.applied)
    return;
  if (change->file != 0)
    file_new (disk, change->file);
  switch (change->kind)
    {
    case DISK_WRITE:
      apply_write (disk, change, choice);
      break;
    case DISK_TRUNCATE:
      content_resize (content_own (disk, change->file, change->offset), change->offset);
      break;
    case DISK_ALLOCATE:
      if (disk->files[change->file].content->size < change->offset)
        content_resize (content_own (disk, change->file, change->offset), change->offset);
      break;
    case DISK_NAME:
      name_set (disk, change->directory, change->name, change->file);
      break;
    case DISK_UNNAME:
      name_drop (disk, change->directory, change->name);
      break;
    default:
      abort ();
    }
}

/* ---- directories ---- */

static status
simulated_directory_open (const struct vfs *vfs, const char *path, bool create,
                          struct vfs_directory **out, struct failure *failure)
{
  struct disk *disk = disk_of (vfs);
  int error = enter (disk, "directory-open", path, 0, NULL);
  if (error != 0)
    return fail_system (failure, error, "the directory %s cannot be opened", path);
  uint32_t index = directory_index (disk, path, create);
  if (index == UINT32_MAX)
    return STATUS_NOT_FOUND;
  struct simulated_directory *directory = kept_calloc (1, sizeof *directory);
  directory->directory.vfs = vfs;
  directory->directory.path = kept_strdup (path);
  directory->index = index;
  disk->open++;
  *out = &directory->directory;
  return STATUS_OK;
}

static status
simulated_directory_lock (struct vfs_directory *directory, enum vfs_lock_result *out,
                          struct failure *failure)
{
  struct simulated_directory *handle = (struct simulated_directory *) directory;
  struct disk *disk = disk_of (directory->vfs);
  int error = enter (disk, "directory-lock", "", 0, NULL);
  if (error != 0)
    return fail_system (failure, error, "the directory %s cannot be locked", directory->path);
  bool held = (disk->locked_directories >> handle->index & 1) != 0;
  *out = held && !handle->locks ? VFS_LOCK_HELD_BY_OTHER : VFS_LOCK_TAKEN;
  if (*out == VFS_LOCK_TAKEN)
    {
      disk->locked_directories |= 1u << handle->index;
      handle->locks = true;
    }
  return STATUS_OK;
}

static void
simulated_directory_unlock (struct vfs_directory *directory)
{
  struct simulated_directory *handle = (struct simulated_directory *) directory;
  if (handle->locks)
    disk_of (directory->vfs)->locked_directories &= ~(1u << handle->index);
  handle->locks = false;
}

static void
simulated_directory_close (struct vfs_directory *directory)
{
  simulated_directory_unlock (directory);
  disk_of (directory->vfs)->open--;
  free (directory->path);
  free (directory);
}

static uint32_t
index_of (const struct vfs_directory *directory)
{
  return ((const struct simulated_directory *) directory)->index;
}

static status
simulated_directory_list (struct vfs_directory *directory,
                          bool (*visit) (void *data, const char *name), void *data,
                          struct failure *failure)
{
  struct disk *disk = disk_of (directory->vfs);
  int error = enter (disk, "list", "", 0, NULL);
  if (error != 0)
    return fail_system (failure, error, "the directory %s cannot be listed", directory->path);
  for (size_t i = 0; i < disk->name_count; i++)
    if (disk->names[i].directory == index_of (directory) && !visit (data, disk->names[i].name))
      break;
  return STATUS_OK;
}

static status
simulated_directory_sync (struct vfs_directory *directory, struct failure *failure)
{
  struct disk *disk = disk_of (directory->vfs);
  int error = enter (disk, "directory-sync", "", 0, NULL);
  if (error != 0)
    return fail_system (failure, error, "the directory %s could not be synced", directory->path);
  struct disk_change change = { .kind = DISK_SYNC_DIRECTORY, .directory = index_of (directory) };
  note (disk, change, NULL, NULL);
  return STATUS_OK;
}

static bool
simulated_mapping_is_safe (struct vfs_directory *directory)
{
  return disk_of (directory->vfs)->mappable;
}

/* ---- names ---- */

static void
link_name (struct disk *disk, uint32_t directory, const char *name, uint32_t file)
{
  name_set (disk, directory, name, file);
  struct disk_change change = { .kind = DISK_NAME, .directory = directory, .file = file };
  note (disk, change, name, NULL);
}

static status
simulated_rename (struct vfs_directory *directory, const char *from, const char *to,
                  struct failure *failure)
{
  struct disk *disk = disk_of (directory->vfs);
  int error = enter (disk, "rename", from, 0, NULL);
  uint32_t file = disk_find (disk, index_of (directory), from);
  if (error == 0 && file == 0)
    error = ENOENT;
  if (error != 0)
    return refuse (error, directory, from, "renamed", failure);
  link_name (disk, index_of (directory), to, file);
  name_drop (disk, index_of (directory), from);
  struct disk_change change
      = { .kind = DISK_UNNAME, .directory = index_of (directory), .file = file, .follows = true };
  note (disk, change, from, NULL);
  return STATUS_OK;
}

static status
simulated_unlink (struct vfs_directory *directory, const char *name, struct failure *failure)
{
  struct disk *disk = disk_of (directory->vfs);
  int error = enter (disk, "unlink", name, 0, NULL);
  if (error != 0)
    return refuse (error, directory, name, "removed", failure);
  uint32_t file = disk_find (disk, index_of (directory), name);
  if (file == 0)
    return STATUS_OK;
  name_drop (disk, index_of (directory), name);
  struct disk_change change
      = { .kind = DISK_UNNAME, .directory = index_of (directory), .file = file };
  note (disk, change, name, NULL);
  return STATUS_OK;
}

static status
simulated_link (struct vfs_directory *from, const char *name, struct vfs_directory *to,
                const char *new_name, struct failure *failure)
{
  struct disk *disk = disk_of (from->vfs);
  if (to->vfs != from->vfs || disk->linkless)
    return fail (failure, STATUS_UNSUPPORTED, "another file system");
  int error = enter (disk, "link", name, 0, NULL);
  uint32_t file = disk_find (disk, index_of (from), name);
  if (error == 0 && file == 0)
    error = ENOENT;
  if (error == 0 && disk_find (disk, index_of (to), new_name) != 0)
    return fail (failure, STATUS_EXISTS, "%s/%s is there already", to->path, new_name);
  if (error != 0)
    return refuse (error, from, name, "linked", failure);
  link_name (disk, index_of (to), new_name, file);
  return STATUS_OK;
}

static status
simulated_clone (struct vfs_directory *from, const char *name, struct vfs_directory *to,
                 const char *new_name, struct failure *failure)
{
  return fail (failure, STATUS_UNSUPPORTED, "this file system shares no blocks");
}

/* ---- files ---- */

static uint32_t
number_of (const struct vfs_file *file)
{
  return ((const struct simulated_file *) file)->number;
}

static status
create_file (struct disk *disk, struct vfs_directory *directory, const char *name, uint32_t *out)
{
  *out = file_new (disk, disk->file_count > 0 ? (uint32_t) disk->file_count : 1);
  link_name (disk, index_of (directory), name, *out);
  return STATUS_OK;
}

static status
simulated_open (struct vfs_directory *directory, const char *name, unsigned flags,
                struct vfs_file **out, struct failure *failure)
{
  struct disk *disk = disk_of (directory->vfs);
  uint32_t number = disk_find (disk, index_of (directory), name);
  bool creates = number == 0 && (flags & VFS_CREATE) != 0;
  int error = enter (disk, creates ? "create" : "open", name, 0, NULL);
  number = disk_find (disk, index_of (directory), name);
  if (error != 0)
    return refuse (error, directory, name, "opened", failure);
  if (number != 0 && (flags & VFS_CREATE) != 0 && (flags & VFS_EXCLUSIVE) != 0)
    return fail (failure, STATUS_EXISTS, "%s/%s is there already", directory->path, name);
  if (number == 0 && (flags & VFS_CREATE) == 0)
    return STATUS_NOT_FOUND;
  if (number == 0)
    create_file (disk, directory, name, &number);
  else if ((flags & VFS_TRUNCATE) != 0)
    {
      struct disk_content *content = content_own (disk, number, 0);
      struct disk_change change
          = { .kind = DISK_TRUNCATE, .file = number, .size_before = content->size };
      content_resize (content, 0);
      note (disk, change, NULL, NULL);
    }
  struct simulated_file *file = kept_calloc (1, sizeof *file);
  file->file.vfs = directory->vfs;
  file->file.directory = directory;
  file->file.name = kept_strdup (name);
  file->number = number;
  disk->open++;
  *out = &file->file;
  return STATUS_OK;
}

static void
simulated_close (struct vfs_file *handle)
{
  struct simulated_file *file = (struct simulated_file *) handle;
  struct disk *disk = disk_of (handle->vfs);
  if (file->locks)
    disk->files[file->number].locked = false;
  disk->open--;
  free (handle->name);
  free (file);
}

static status
simulated_read (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
                struct failure *failure)
{
  struct disk *disk = disk_of (file->vfs);
  int error = disk->fault.decide != NULL ? enter (disk, "read", file->name, size, NULL) : 0;
  if (error != 0)
    return refuse (error, file->directory, file->name, "read", failure);
  const struct disk_content *content = disk->files[number_of (file)].content;
  *got = offset >= content->size         ? 0
         : content->size - offset < size ? (size_t) (content->size - offset)
                                         : size;
  memcpy (to, content->bytes + (offset < content->size ? offset : 0), *got);
  return STATUS_OK;
}

static status
simulated_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
                 struct failure *failure)
{
  struct disk *disk = disk_of (file->vfs);
  uint64_t written = 0;
  int error = enter (disk, "write", file->name, size, &written);
  if (error == 0)
    written = size;
  if (written > 0)
    {
      struct disk_change change = {
        .kind = DISK_WRITE,
        .file = number_of (file),
        .offset = offset,
        .size = written,
        .from = offset,
        .to = offset + written,
        .size_before = disk->files[number_of (file)].content->size,
      };
      content_write (disk, number_of (file), offset, from, written);
      note (disk, change, NULL, from);
    }
  return error == 0 ? STATUS_OK : refuse (error, file->directory, file->name, "written", failure);
}

static status
simulated_sync_data (struct vfs_file *file, struct failure *failure)
{
  struct disk *disk = disk_of (file->vfs);
  int error = enter (disk, "sync", file->name, 0, NULL);
  if (error != 0)
    return refuse (error, file->directory, file->name, "synced", failure);
  struct disk_change change = { .kind = DISK_SYNC_FILE, .file = number_of (file) };
  note (disk, change, NULL, NULL);
  return STATUS_OK;
}

static status
simulated_truncate (struct vfs_file *file, uint64_t size, struct failure *failure)
{
  struct disk *disk = disk_of (file->vfs);
  int error = enter (disk, "truncate", file->name, size, NULL);
  if (error != 0)
    return refuse (error, file->directory, file->name, "cut or grown", failure);
  struct disk_content *content = content_own (disk, number_of (file), size);
  struct disk_change change = {
    .kind = DISK_TRUNCATE, .file = number_of (file), .offset = size, .size_before = content->size
  };
  content_resize (content, size);
  note (disk, change, NULL, NULL);
  return STATUS_OK;
}

static status
simulated_allocate (struct vfs_file *file, uint64_t offset, uint64_t size, struct failure *failure)
{
  struct disk *disk = disk_of (file->vfs);
  int error = enter (disk, "allocate", file->name, size, NULL);
  if (error != 0)
    return refuse (error, file->directory, file->name, "given room", failure);
  struct disk_content *content = content_own (disk, number_of (file), offset + size);
  struct disk_change change = { .kind = DISK_ALLOCATE,
                                .file = number_of (file),
                                .offset = offset + size,
                                .size_before = content->size };
  if (content->size < offset + size)
    content_resize (content, offset + size);
  note (disk, change, NULL, NULL);
  return STATUS_OK;
}

static status
simulated_information (struct vfs_file *file, struct vfs_file_information *out,
                       struct failure *failure)
{
  struct disk *disk = disk_of (file->vfs);
  const struct disk_content *content = disk->files[number_of (file)].content;
  *out = (struct vfs_file_information){
    .size = content->size,
    .allocated = (content->size + 4095) / 4096 * 4096,
    .device = 1,
    .inode = number_of (file),
  };
  return STATUS_OK;
}

static void
simulated_advise (struct vfs_file *file, uint64_t offset, uint64_t size)
{
}

/* ---- mappings and locks ---- */

static status
simulated_map (struct vfs_file *file, uint64_t offset, size_t size, bool writable,
               bool populate_write, void **out, struct failure *failure)
{
  struct disk *disk = disk_of (file->vfs);
  int error = enter (disk, "map", file->name, size, NULL);
  if (error != 0)
    return refuse (error, file->directory, file->name, "mapped", failure);
  uint32_t number = number_of (file);
  struct disk_content *content = content_own (disk, number, offset + size);
  if (offset + size > content->size)
    abort (); /* a store there would be a bus error */
  if (writable && content->seen == NULL)
    {
      content->seen = kept_malloc (content->capacity + 1);
      memcpy (content->seen, content->bytes, content->capacity);
    }
  content->mappings++;
  *out = content->bytes + offset;
  return STATUS_OK;
}

static void
simulated_unmap (struct vfs_file *file, void *at, size_t size)
{
  struct disk *disk = disk_of (file->vfs);
  disk_look (disk);
  struct disk_content *content = disk->files[number_of (file)].content;
  if (--content->mappings > 0)
    return;
  free (content->seen);
  content->seen = NULL;
}

static status
simulated_lock (struct vfs_file *handle, bool wait, enum vfs_lock_result *out,
                struct failure *failure)
{
  struct simulated_file *file = (struct simulated_file *) handle;
  struct disk *disk = disk_of (handle->vfs);
  int error = enter (disk, "lock", handle->name, 0, NULL);
  if (error != 0)
    return refuse (error, handle->directory, handle->name, "locked", failure);
  *out = disk->files[file->number].locked ? VFS_LOCK_HELD_BY_OTHER : VFS_LOCK_TAKEN;
  if (*out == VFS_LOCK_TAKEN)
    disk->files[file->number].locked = file->locks = true;
  return STATUS_OK;
}

/* ---- disks ---- */

static const struct vfs simulated = {
  .name = "simulated",
  .directory_open = simulated_directory_open,
  .directory_close = simulated_directory_close,
  .directory_list = simulated_directory_list,
  .directory_sync = simulated_directory_sync,
  .directory_mapping_is_safe = simulated_mapping_is_safe,
  .directory_lock = simulated_directory_lock,
  .directory_unlock = simulated_directory_unlock,
  .rename = simulated_rename,
  .unlink = simulated_unlink,
  .link = simulated_link,
  .clone = simulated_clone,
  .open = simulated_open,
  .close = simulated_close,
  .read = simulated_read,
  .write = simulated_write,
  .sync_data = simulated_sync_data,
  .truncate = simulated_truncate,
  .allocate = simulated_allocate,
  .information = simulated_information,
  .advise_will_need = simulated_advise,
  .advise_write_back = simulated_advise,
  .advise_drop = simulated_advise,
  .map = simulated_map,
  .unmap = simulated_unmap,
  .lock = simulated_lock,
};

struct disk *
disk_new (bool mappable, struct disk_journal *journal)
{
  struct disk *disk = kept_calloc (1, sizeof *disk);
  disk->vfs = simulated;
  disk->vfs.context = disk;
  disk->mappable = mappable;
  disk->journal = journal;
  return disk;
}

struct disk *
disk_clone (const struct disk *disk)
{
  struct disk *clone = disk_new (disk->mappable, NULL);
  clone->linkless = disk->linkless;
  clone->directory_count = disk->directory_count;
  for (uint32_t i = 0; i < disk->directory_count; i++)
    clone->directories[i] = kept_strdup (disk->directories[i]);
  clone->names = kept_malloc ((disk->name_count + 1) * sizeof *clone->names);
  memcpy (clone->names, disk->names, disk->name_count * sizeof *clone->names);
  clone->name_count = disk->name_count;
  clone->name_room = disk->name_count + 1;
  clone->files = kept_calloc (disk->file_count + 1, sizeof *clone->files);
  for (size_t i = 0; i < disk->file_count; i++)
    {
      struct disk_content *content = disk->files[i].content;
      if (content != NULL && content->mappings > 0)
        clone->files[i].content = content_copy (content); /* D2 */
      else if (content != NULL)
        {
          content->references++;
          clone->files[i].content = content;
        }
    }
  clone->file_count = disk->file_count;
  clone->file_room = disk->file_count + 1;
  return clone;
}

void
disk_free (struct disk *disk)
{
  if (disk == NULL)
    return;
  if (disk->open > 0)
    {
      fprintf (stderr, "%u files or directories were left open\n", disk->open);
      abort ();
    }
  for (size_t i = 0; i < disk->file_count; i++)
    content_unref (disk->files[i].content);
  for (uint32_t i = 0; i < disk->directory_count; i++)
    free (disk->directories[i]);
  free (disk->files);
  free (disk->names);
  free (disk);
}

uint64_t
disk_sum (struct disk *disk)
{
  uint64_t sum = 0; /* of a set: the order of names does not count */
  for (size_t i = 0; i < disk->name_count; i++)
    {
      const struct disk_name *name = &disk->names[i];
      uint64_t one = checksum (name->directory, 0, BYTES (name->name, strlen (name->name)));
      sum += (one ^ content_sum (disk->files[name->file].content)) * UINT64_C (0x9e3779b97f4a7c15);
    }
  return sum;
}

void
disk_print (const struct disk *disk)
{
  for (size_t i = 0; i < disk->name_count; i++)
    {
      const struct disk_name *name = &disk->names[i];
      const struct disk_content *content = disk->files[name->file].content;
      fprintf (stderr, "  %s/%s: file %u, %llu bytes\n", disk->directories[name->directory],
               name->name, name->file, (unsigned long long) content->size);
    }
}
