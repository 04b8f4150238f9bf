/* SPDX-License-Identifier: MIT */
#include "disk-trial.h"

#include <dirent.h>
#include <sys/wait.h>

struct failure failure;

struct engine *
open_on (const char *path, const struct vfs *vfs)
{
  struct engine_options options = small_options ();
  options.vfs = vfs;
  return open_with (path, &options);
}

struct bytes
number_value (uint8_t to[10000], unsigned number)
{
  struct random random = { number * 7919 + 1 };
  size_t size = number % 400 == 399 ? 10000 : 300;
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t) random_next (&random);
  return BYTES (to, size);
}

status
put_number (struct engine *engine, unsigned number, enum engine_sync sync)
{
  char key[64];
  uint8_t value[10000];
  failure = FAILURE_INIT;
  return engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, number),
                     number_value (value, number), sync, NULL, &failure);
}

status
get_number (struct engine *engine, unsigned number)
{
  char key[64];
  uint8_t expected[10000], got[10000];
  size_t size;
  failure = FAILURE_INIT;
  status result = engine_get (engine, NULL, ENGINE_STORE_DEFAULT, number_key (key, number), got,
                              sizeof got, &size, &failure);
  if (result == STATUS_OK)
    CHECK (bytes_equal (BYTES (got, size), number_value (expected, number)));
  return result;
}

void
put_numbers (struct engine *engine, unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++)
    CHECK_OK (put_number (engine, i, ENGINE_SYNC_DEFAULT));
}

void
check_numbers (struct engine *engine, unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++)
    CHECK_OK (get_number (engine, i));
}

unsigned
put_until_full (struct engine *engine, unsigned next)
{
  for (unsigned i = next; i < next + 200000; i++)
    {
      status result = put_number (engine, i, ENGINE_SYNC_DEFAULT);
      if (result == STATUS_OK)
        continue;
      if (result != STATUS_NO_SPACE)
        fprintf (stderr, "%s: %s\n", status_name (result), failure.message);
      CHECK_INT (result, STATUS_NO_SPACE);
      CHECK (strchr (failure.message, '/') != NULL); /* names the file */
      return i;
    }
  CHECK (!"the disk never filled up");
  return 0;
}

unsigned
put_once_healed (struct engine *engine, unsigned next)
{
  for (int attempt = 0; attempt < 30000; attempt++)
    {
      status result = put_number (engine, next, ENGINE_SYNC_DEFAULT);
      if (result == STATUS_OK)
        return next + 1;
      CHECK_INT (result, STATUS_NO_SPACE);
      usleep (10000);
    }
  CHECK (!"it never healed");
  return 0;
}

void
make_settled (const char *path)
{
  struct engine_options options = small_options ();
  struct engine *engine;
  options.segment_file_size = 0;
  options.blob_threshold = 1 << 20; /* no blobs here */
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put_numbers (engine, 0, 2000);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

unsigned
count_unreadable (struct engine *engine, status expected)
{
  unsigned unreadable = 0;
  for (unsigned i = 0; i < 2000; i++)
    {
      status result = get_number (engine, i);
      if (result == STATUS_OK)
        continue;
      CHECK_INT (result, expected);
      CHECK (strstr (failure.message, ".seg") != NULL);
      CHECK (strstr (failure.message, "page") != NULL);
      unreadable++;
    }
  return unreadable;
}

char *
join (const char *path, const char *name)
{
  char *joined;
  CHECK (asprintf (&joined, "%s/%s", path, name) > 0);
  return joined;
}

uint8_t *
read_file (const char *path, size_t *size)
{
  FILE *file = fopen (path, "rb");
  CHECK (file != NULL && fseek (file, 0, SEEK_END) == 0);
  *size = (size_t) ftell (file);
  uint8_t *data = malloc (*size + 1);
  rewind (file);
  CHECK (fread (data, 1, *size, file) == *size);
  fclose (file);
  return data;
}

void
make_abandoned (const char *path, unsigned count)
{
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      struct engine *engine = open_on (path, NULL);
      put_numbers (engine, 0, count - 100);
      if (engine_compact (engine, NULL, NULL, &failure) != STATUS_OK)
        _exit (1);
      put_numbers (engine, count - 100, count);
      if (engine_sync (engine, &failure) != STATUS_OK)
        _exit (1);
      _exit (0);
    }
  int ended;
  CHECK (waitpid (child, &ended, 0) == child);
  CHECK_INT (ended, 0);
}

uint64_t
digest (const char *path)
{
  uint64_t sum = 0;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (entry->d_name[0] != '.')
      {
        size_t size;
        char *name = join (path, entry->d_name);
        uint8_t *data = read_file (name, &size);
        uint64_t here = size * 31;
        for (size_t i = 0; i < size; i++)
          here = here * 1099511628211u + data[i];
        for (const char *at = entry->d_name; *at != '\0'; at++)
          here = here * 31 + (uint8_t) *at;
        sum += here;
        free (data);
        free (name);
      }
  closedir (directory);
  return sum;
}
