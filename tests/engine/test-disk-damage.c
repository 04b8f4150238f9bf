/* SPDX-License-Identifier: MIT */
/* Files that were damaged, or that a later version wrote. */
#include "disk-trial.h"

#include <dirent.h>
#include <stdbool.h>

/* ---- damaged files ---- */

static void
write_file (const char *path, const uint8_t *data, size_t size)
{
  FILE *file = fopen (path, "wb");
  CHECK (file != NULL && fwrite (data, 1, size, file) == size && fclose (file) == 0);
}

static void
copy_directory (const char *from, const char *to)
{
  char command[1300];
  snprintf (command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
  CHECK (system (command) == 0);
}

void
test_corrupt_page (void)
{
  char *path = fresh_directory (), *name = NULL;
  make_settled (path);
  DIR *directory = opendir (path);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (strstr (entry->d_name, ".seg") != NULL)
      name = join (path, entry->d_name);
  closedir (directory);
  CHECK (name != NULL);
  size_t size;
  uint8_t *data = read_file (name, &size);
  data[200000] ^= 0x10;
  write_file (name, data, size);
  struct engine *engine = open_on (path, NULL);
  unsigned unreadable = count_unreadable (engine, STATUS_CORRUPT);
  printf ("one corrupt page: %u of 2000 values\n", unreadable);
  CHECK (unreadable > 0 && unreadable < 100);
  engine_unref (engine);
  free (data);
  free (name);
  remove_directory (path);
}

/* Opens what was damaged and reads all of it: a value, an error, or, where the log's end may be
 * gone, nothing; never wrong bytes (get_number). */
static void
use_damaged (const char *path, const char *name, unsigned count, bool may_forget)
{
  struct engine_options options = small_options ();
  struct engine *engine;
  failure = FAILURE_INIT;
  alarm (60); /* never hang */
  status result = engine_open (path, 0, &options, &engine, &failure);
  if (result != STATUS_OK)
    {
      CHECK (result == STATUS_CORRUPT || result == STATUS_NOT_A_DATABASE
             || result == STATUS_NEWER_FORMAT || result == STATUS_NOT_FOUND);
      CHECK (strstr (failure.message, path) != NULL);
      if (result == STATUS_CORRUPT && strstr (failure.message, name) == NULL)
        printf ("  %s damaged: “%s”\n", name, failure.message);
      alarm (0);
      return;
    }
  unsigned missing = 0;
  for (unsigned i = 0; i < count; i++)
    {
      result = get_number (engine, i);
      CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND || result == STATUS_CORRUPT);
      missing += result == STATUS_NOT_FOUND;
    }
  if (missing > 0 && !may_forget)
    fprintf (stderr, "%s: %u of %u values are missing without an error\n", name, missing, count);
  CHECK (missing == 0 || may_forget);
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  struct engine_cursor *cursor;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  failure = FAILURE_INIT;
  result = engine_cursor_first (cursor, &failure);
  for (unsigned i = 0; result == STATUS_OK && engine_cursor_valid (cursor); i++)
    {
      CHECK (i < count);
      result = engine_cursor_next (cursor, &failure);
    }
  CHECK (result == STATUS_OK || result == STATUS_CORRUPT);
  engine_cursor_free (cursor);
  failure = FAILURE_INIT;
  result = engine_compact (engine, NULL, NULL, &failure);
  CHECK (result == STATUS_OK || result == STATUS_CORRUPT);
  engine_unref (engine);
  alarm (0);
}

/* One way to damage `size` bytes at `data`; returns the new size. */
static size_t
damage (unsigned way, uint8_t *data, size_t size, struct random *random)
{
  switch (way)
    {
    case 0:
      return 0;
    case 1:
      return size / 2;
    case 2:
      return size > 0 ? size - 1 : 0;
    case 3: /* all of it */
      for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t) random_next (random);
      return size;
    case 4: /* zeros */
      memset (data, 0, size);
      return size;
    case 5: /* the end */
      for (size_t i = size > 64 ? size - 64 : 0; i < size; i++)
        data[i] = (uint8_t) random_next (random);
      return size;
    default: /* a few bytes anywhere */
      for (unsigned i = 0; size > 0 && i < 4; i++)
        data[random_below (random, size)] ^= (uint8_t) (1 + random_below (random, 255));
      return size;
    }
}

#define DAMAGES 12u

void
test_damaged_files (void)
{
  char *base = fresh_directory (), *copy = fresh_directory ();
  enum
  {
    COUNT = 900
  };
  make_abandoned (base, COUNT);
  struct random random = { 4711 };
  DIR *directory = opendir (base);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    for (unsigned way = 0; way < DAMAGES && entry->d_name[0] != '.'; way++)
      {
        size_t size;
        copy_directory (base, copy);
        char *name = join (copy, entry->d_name);
        uint8_t *data = read_file (name, &size);
        bool log = strstr (entry->d_name, ".log") != NULL;
        size = damage (way, data, size, &random);
        write_file (name, data, size);
        use_damaged (copy, entry->d_name, COUNT, log);
        copy_directory (base, copy); /* and gone altogether */
        CHECK (way > 0 || unlink (name) == 0);
        if (way == 0)
          use_damaged (copy, entry->d_name, COUNT, log);
        free (data);
        free (name);
      }
  closedir (directory);
  remove_directory (base);
  remove_directory (copy);
}

/* ---- newer formats ---- */

/* docs/design/manifest.md: the header's format version is at 8, the database's id at 24, the
 * checksum of what is before it at 56. */
static void
raise_version (uint8_t *header, int by, const char *name)
{
  uint64_t number = strtoull (strrchr (name, '-') + 1, NULL, 10);
  header[8] = (uint8_t) (header[8] + by);
  store_u64 (header + 56, checksum (checksum_seed (header + 24, number), 0, BYTES (header, 56)));
}

void
test_newer_format (void)
{
  char *path = fresh_directory ();
  make_abandoned (path, 600);
  DIR *directory = opendir (path);
  char *manifest = NULL;
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (strncmp (entry->d_name, "MANIFEST-", 9) == 0)
      manifest = join (path, entry->d_name);
  closedir (directory);
  size_t size;
  uint8_t *data = read_file (manifest, &size);
  raise_version (data, 1, manifest);
  write_file (manifest, data, size);
  uint64_t before = digest (path);
  struct engine *engine;
  for (unsigned flags = 0; flags <= ENGINE_OPEN_READ_ONLY; flags += ENGINE_OPEN_READ_ONLY)
    {
      CHECK_FAILS (engine_open (path, flags, NULL, &engine, &failure), STATUS_NEWER_FORMAT);
      CHECK (strstr (failure.message, path) != NULL);
    }
  CHECK (digest (path) == before);
  raise_version (data, -1, manifest);
  write_file (manifest, data, size);
  engine = open_on (path, NULL);
  check_numbers (engine, 0, 600);
  engine_unref (engine);
  free (data);
  free (manifest);
  remove_directory (path);
}
