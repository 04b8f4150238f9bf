/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>

static char *directory_path;
static struct vfs_directory *directory;
static pid_t owner; /* a forked child leaves the directory to its parent */

static void
end_directory (void)
{
  if (getpid () != owner)
    return;
  vfs_directory_close (directory);
  remove_directory (directory_path);
}

struct vfs_directory *
fuzz_directory (void)
{
  struct failure failure = FAILURE_INIT;
  if (directory != NULL)
    return directory;
  if (getenv ("TMPDIR") == NULL && access ("/dev/shm", W_OK) == 0)
    setenv ("TMPDIR", "/dev/shm", 1);
  owner = getpid ();
  directory_path = fresh_directory ();
  CHECK_OK (vfs_directory_open (vfs_posix (), directory_path, false, &directory, &failure));
  atexit (end_directory);
  return directory;
}

const char *
fuzz_directory_path (void)
{
  fuzz_directory ();
  return directory_path;
}

void
fuzz_write (const char *name, struct bytes content)
{
  struct failure failure = FAILURE_INIT;
  struct vfs_file *file;
  CHECK_OK (
      vfs_open (fuzz_directory (), name, VFS_WRITE | VFS_CREATE | VFS_TRUNCATE, &file, &failure));
  if (content.size > 0)
    CHECK_OK (vfs_write (file, 0, content.data, content.size, &failure));
  vfs_close (file);
}

void
fuzz_remove (const char *name)
{
  struct failure failure = FAILURE_INIT;
  CHECK_OK (vfs_unlink (fuzz_directory (), name, &failure));
}

bool
fuzz_result (status result, const struct failure *failure)
{
  if (result == STATUS_OK)
    return true;
  CHECK_INT (failure->code, result);
  CHECK (failure->message[0] != '\0');
  return false;
}

void
fuzz_note_fault (void *found, const char *file, uint64_t page, const char *reason)
{
  (void) page;
  CHECK (file != NULL && reason != NULL && reason[0] != '\0');
  *(bool *) found = true;
}

void
fuzz_touch (struct bytes bytes)
{
  for (size_t i = 0; i < bytes.size; i++)
    (void) *(const volatile uint8_t *) &bytes.data[i];
}
