/* SPDX-License-Identifier: MIT */
/*
 * destroy: deletes a database that nobody has open, and nothing else that stands beside it.
 */
#include "core/engine-private.h"

#include <stdlib.h>
#include <unistd.h>

struct file_list
{
  char (*names)[FILE_NAME_SIZE];
  size_t count, capacity;
  bool foreign, no_memory;
};

static bool
collect_name (void *data, const char *name)
{
  struct file_list *list = data;
  enum file_kind kind;
  uint64_t number;
  bool ours = file_name_parse (name, &kind, &number) || strcmp (name, "CURRENT") == 0
              || strcmp (name, WRITER_LOCK_NAME) == 0 || strcmp (name, SHARED_PAGE_NAME) == 0
              || strcmp (name, BACKUP_NOTE_NAME) == 0;
  if (!ours || strlen (name) >= FILE_NAME_SIZE)
    {
      list->foreign = true;
      return true;
    }
  if (list->count == list->capacity)
    {
      size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
      void *names = realloc (list->names, capacity * sizeof *list->names);
      list->no_memory = names == NULL;
      if (names == NULL)
        return false;
      list->names = names;
      list->capacity = capacity;
    }
  strcpy (list->names[list->count++], name);
  return true;
}

/* The files that are manifests, or all that are not; CURRENT and LOCK are neither. */
static status
remove_listed (struct vfs_directory *directory, const struct file_list *list, bool manifests,
               struct failure *failure)
{
  status result = STATUS_OK;
  for (size_t i = 0; result == STATUS_OK && i < list->count; i++)
    {
      enum file_kind kind;
      uint64_t number;
      bool is_manifest = file_name_parse (list->names[i], &kind, &number) && kind == FILE_MANIFEST;
      if (is_manifest == manifests && strcmp (list->names[i], WRITER_LOCK_NAME) != 0)
        result = vfs_unlink (directory, list->names[i], failure);
    }
  return result;
}

/* CURRENT first: once it is gone there is no database, whatever is left. Manifests last: while
 * there is anything else, they tell that it is ours, so that this can be done again when it was cut
 * short. */
static status
remove_files (struct vfs_directory *directory, struct failure *failure)
{
  struct file_list list = { 0 };
  status result = vfs_directory_list (directory, collect_name, &list, failure);
  if (result == STATUS_OK && list.no_memory)
    result = fail_memory (failure, list.capacity * sizeof *list.names, "a list of files");
  if (result == STATUS_OK)
    result = vfs_unlink (directory, "CURRENT", failure);
  if (result == STATUS_OK)
    result = vfs_directory_sync (directory, failure);
  if (result == STATUS_OK)
    result = remove_listed (directory, &list, false, failure);
  if (result == STATUS_OK)
    result = vfs_directory_sync (directory, failure);
  if (result == STATUS_OK)
    result = remove_listed (directory, &list, true, failure);
  if (result == STATUS_OK)
    result = vfs_unlink (directory, WRITER_LOCK_NAME, failure);
  free (list.names);
  return result;
}

/* Whether there is no database, but what the making or the deleting of one left when it was cut
 * short. */
static bool
has_remains (struct vfs_directory *directory)
{
  struct file_list list = { 0 };
  enum manifest_presence presence;
  bool remains = directory != NULL && manifest_probe (directory, &presence, NULL) == STATUS_OK
                 && presence == MANIFEST_EMPTY
                 && vfs_directory_list (directory, collect_name, &list, NULL) == STATUS_OK
                 && list.count > 0;
  free (list.names);
  return remains;
}

void
destroy_directory (struct engine *engine)
{
  if (engine->vfs == vfs_posix ())
    rmdir (engine->path); /* stays when it holds something else */
}

/* Files of a database that there never was: what a power cut leaves of them in whatever order is
 * none, either. */
static void
remove_remains (struct vfs_directory *directory)
{
  struct file_list list = { 0 };
  status result = vfs_directory_list (directory, collect_name, &list, NULL);
  if (result == STATUS_OK && !list.no_memory)
    result = remove_listed (directory, &list, false, NULL);
  if (result == STATUS_OK && !list.no_memory)
    result = remove_listed (directory, &list, true, NULL);
  if (result == STATUS_OK && !list.no_memory)
    vfs_unlink (directory, WRITER_LOCK_NAME, NULL);
  free (list.names);
}

void
destroy_unmade (struct engine *engine)
{
  enum manifest_presence presence;
  if (manifest_probe (engine->directory, &presence, NULL) != STATUS_OK)
    return;
  if (presence == MANIFEST_EMPTY)
    remove_remains (engine->directory);
  else if (presence == MANIFEST_PRESENT && engine->unmade != STATUS_IO
           && engine->unmade != STATUS_UNKNOWN_OUTCOME) /* a sync that failed is not tried again */
    remove_files (engine->directory, NULL);
}

status
engine_destroy (const char *path, const struct vfs *vfs, struct failure *failure)
{
  struct engine_options options;
  engine_options_init (&options);
  options.vfs = vfs;
  struct engine *engine;
  if (path == NULL || *path == '\0')
    return fail (failure, STATUS_INVALID, "the path of the database is empty; pass a directory");
  status result = engine_new (path, 0, &options, &engine, failure);
  if (result != STATUS_OK)
    return result;
  enum manifest_presence presence;
  struct failure cause = FAILURE_INIT;
  result = engine_open_directory (engine, ENGINE_OPEN_EXISTING, &presence, &cause);
  if (result == STATUS_NOT_FOUND && has_remains (engine->directory))
    result = STATUS_OK;
  else if (result != STATUS_OK && failure != NULL && failure->code == STATUS_OK)
    *failure = cause;
  if (result == STATUS_OK)
    result = writer_lock_take (&engine->writer_lock, engine->directory, true,
                               "close it there first", failure);
  if (result == STATUS_OK)
    result = remove_files (engine->directory, failure);
  if (result == STATUS_OK)
    destroy_directory (engine);
  writer_lock_release (&engine->writer_lock);
  atomic_store (&engine->state, ENGINE_STATE_CLOSED);
  engine_free (engine);
  return result;
}
