/* SPDX-License-Identifier: MIT */
#include "filled-engine.h"

#include "replaced-vfs.h"

#include <fcntl.h>

struct failure failure;

struct bytes
number_value (char *to, unsigned number, unsigned round)
{
  size_t size = (size_t) sprintf (to, "value %u of round %u %0*u", number, round,
                                  (int) (number % 90), number);
  if (number % 97 == 0)
    for (; size < 9000; size++)
      to[size] = (char) ('a' + (number + round + size * size) % 26);
  return BYTES (to, size);
}

void
put_range (struct engine *engine, unsigned from, unsigned to, unsigned round)
{
  char key[64], value[9100];
  for (unsigned i = from; i < to; i++)
    CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, i),
                          number_value (value, i, round), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

void
check_one (struct engine *engine, engine_store store, unsigned number, unsigned round)
{
  char key[64], value[9100];
  struct engine_value got;
  struct bytes expected = number_value (value, number, round);
  CHECK_OK (engine_get_value (engine, NULL, store, number_key (key, number), &got, &failure));
  CHECK (bytes_equal (expected, got.data));
  engine_value_release (&got);
}

void
check_range_of (struct engine *engine, unsigned from, unsigned to, unsigned round)
{
  for (unsigned i = from; i < to; i++)
    check_one (engine, ENGINE_STORE_DEFAULT, i, round);
}

bool
has (struct engine *engine, engine_store store, unsigned number)
{
  char key[64], buffer[64];
  size_t size;
  status result = engine_get (engine, NULL, store, number_key (key, number), buffer, sizeof buffer,
                              &size, &failure);
  CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND);
  return result == STATUS_OK;
}

unsigned
count_keys (struct engine *engine, engine_store store)
{
  struct engine_cursor_settings settings = { .store = store, .keys_only = true };
  struct engine_cursor *cursor;
  unsigned count = 0;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); count++)
    CHECK_OK (engine_cursor_next (cursor, &failure));
  engine_cursor_free (cursor);
  return count;
}

unsigned
count_all (struct engine *engine)
{
  engine_store store;
  unsigned count = count_keys (engine, ENGINE_STORE_DEFAULT);
  struct failure cause = FAILURE_INIT;
  if (engine_store_open (engine, "names", false, &store, &cause) == STATUS_OK
      || engine_store_open (engine, "recovered-2", false, &store, &cause) == STATUS_OK)
    count += count_keys (engine, store);
  return count;
}

char *
below (const char *path, const char *name)
{
  char *whole = malloc (strlen (path) + strlen (name) + 2);
  sprintf (whole, "%s/%s", path, name);
  return whole;
}

void
flip (const char *path, const char *name, off_t offset)
{
  char *file = below (path, name);
  unsigned char byte;
  int descriptor = open (file, O_RDWR);
  CHECK (descriptor >= 0 && pread (descriptor, &byte, 1, offset) == 1);
  byte ^= 0x40;
  CHECK (pwrite (descriptor, &byte, 1, offset) == 1);
  close (descriptor);
  free (file);
}

static struct vfs small_disk; /* the operating system's, but for what follows */

_Atomic int64_t disk_left; /* bytes that segments and blobs may still take */

static status
disk_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
            struct failure *cause)
{
  if (strstr (file->name, ".seg") != NULL || strstr (file->name, ".blob") != NULL)
    if (atomic_fetch_sub (&disk_left, (int64_t) size) < (int64_t) size)
      return fail (cause, STATUS_NO_SPACE, "no room for %s", file->name);
  return vfs_posix ()->write (file, offset, from, size, cause);
}

static status
disk_shares_nothing (struct vfs_directory *from, const char *name, struct vfs_directory *to,
                     const char *new_name, struct failure *cause)
{
  (void) from, (void) to, (void) new_name;
  return fail (cause, STATUS_UNSUPPORTED, "%s can't be shared here", name);
}

struct engine *
open_on_disk (const char *path)
{
  struct engine_options options = small_options ();
  struct engine *engine;
  small_disk = replaced_vfs ();
  small_disk.write = disk_write;
  small_disk.link = small_disk.clone = disk_shares_nothing;
  options.vfs = &small_disk;
  atomic_store (&disk_left, INT64_MAX);
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

void *
write_beside (void *data)
{
  struct beside *beside = data;
  struct failure mine = FAILURE_INIT;
  char key[64], value[9100];
  for (unsigned i = 0; !atomic_load (&beside->stop); i++)
    {
      unsigned number = beside->first + i % 500;
      if (engine_put (beside->engine, ENGINE_STORE_DEFAULT, number_key (key, number),
                      number_value (value, number, i / 500), beside->sync, NULL, &mine)
          != STATUS_OK)
        {
          fprintf (stderr, "%s\n", mine.message);
          abort ();
        }
      atomic_fetch_add (&beside->commits, 1);
    }
  return NULL;
}

void
fill (struct engine *engine)
{
  engine_store store;
  put_range (engine, 0, 8000, 1);
  put_range (engine, 2000, 3000, 2);
  CHECK_OK (engine_store_open (engine, "names", true, &store, &failure));
  char key[64];
  for (unsigned i = 0; i < 300; i++)
    CHECK_OK (engine_put (engine, store, number_key (key, i), BYTES_LITERAL ("x"),
                          ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, number_key (key, 4000),
                                 BYTES_LITERAL ("key-00004500"), ENGINE_SYNC_DEFAULT, NULL,
                                 &failure));
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, 5000),
                           ENGINE_SYNC_DEFAULT, NULL, &failure));
}

void
check_filled (const char *path)
{
  struct engine *engine = open_small (path);
  engine_store store;
  check_range_of (engine, 0, 2000, 1);
  check_range_of (engine, 2000, 3000, 2);
  check_range_of (engine, 3000, 4000, 1);
  check_range_of (engine, 5001, 8000, 1);
  CHECK (!has (engine, ENGINE_STORE_DEFAULT, 4000) && !has (engine, ENGINE_STORE_DEFAULT, 4499));
  CHECK (!has (engine, ENGINE_STORE_DEFAULT, 5000) && has (engine, ENGINE_STORE_DEFAULT, 4500));
  CHECK_OK (engine_store_open (engine, "names", false, &store, &failure));
  CHECK_INT (count_keys (engine, store), 300);
  close_it (engine);
}

bool
cancel_at_once (void *data, uint64_t done, uint64_t total, const char *step)
{
  (void) done;
  (void) total;
  return strcmp (step, data) != 0;
}
