/* SPDX-License-Identifier: MIT */
/*
 * golden-files: copies of golden databases on the real disk, to read and to spoil, and sums that
 * tell whether a byte of one changed.
 *
 * A golden database is DIRECTORY/<name>.tar.xz, or, as make-golden left it, DIRECTORY/<name>/.
 */
#ifndef LIGHTNING_TESTS_GOLDEN_FILES_H
#define LIGHTNING_TESTS_GOLDEN_FILES_H

#include "../engine/check.h"
#include "base/hash.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#define GOLDEN_PATH_SIZE 4096

/* Makes `to`/<name> of it. */
static inline void
golden_copy (const char *directory, const char *name, const char *to)
{
  char archive[GOLDEN_PATH_SIZE], command[3 * GOLDEN_PATH_SIZE];
  snprintf (archive, sizeof archive, "%s/%s.tar.xz", directory, name);
  if (access (archive, R_OK) == 0)
    snprintf (command, sizeof command, "tar -xJf '%s' -C '%s'", archive, to);
  else
    snprintf (command, sizeof command, "cp -a '%s/%s' '%s'", directory, name, to);
  if (system (command) != 0)
    {
      fprintf (stderr, "there is no golden database %s in %s, or it cannot be unpacked\n", name,
               directory);
      exit (1);
    }
}

static inline size_t
golden_read_file (const char *path, uint8_t **out)
{
  struct stat information;
  FILE *file = fopen (path, "rb");
  CHECK (file != NULL && fstat (fileno (file), &information) == 0);
  *out = malloc ((size_t) information.st_size + 1);
  CHECK (*out != NULL
         && fread (*out, 1, (size_t) information.st_size, file) == (size_t) information.st_size);
  fclose (file);
  return (size_t) information.st_size;
}

/* Of all files' names, sizes, modes and bytes, whatever order they are listed in. */
static inline uint64_t
golden_sum (const char *directory)
{
  uint64_t sum = 0;
  struct dirent *entry;
  DIR *list = opendir (directory);
  CHECK (list != NULL);
  while ((entry = readdir (list)) != NULL)
    {
      char path[GOLDEN_PATH_SIZE + sizeof entry->d_name];
      struct stat information;
      uint8_t *bytes;
      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
        continue;
      snprintf (path, sizeof path, "%s/%s", directory, entry->d_name);
      CHECK (lstat (path, &information) == 0 && S_ISREG (information.st_mode));
      size_t size = golden_read_file (path, &bytes);
      uint64_t name
          = checksum (information.st_mode, size, BYTES (entry->d_name, strlen (entry->d_name)));
      sum += checksum (name, 0, BYTES (bytes, size));
      free (bytes);
    }
  closedir (list);
  return sum;
}

#endif
