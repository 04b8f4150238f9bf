/* SPDX-License-Identifier: MIT */
/* directory-files: which files a database has. */
#ifndef LIGHTNING_TESTS_DIRECTORY_FILES_H
#define LIGHTNING_TESTS_DIRECTORY_FILES_H

#include "check.h"

#include <dirent.h>
#include <string.h>

/* Files in `path` whose name ends in `suffix`; the first one's name to `name` unless NULL. */
static inline unsigned
find_files (const char *path, const char *suffix, char *name)
{
  DIR *directory = opendir (path);
  unsigned count = 0;
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    {
      size_t length = strlen (entry->d_name), tail = strlen (suffix);
      if (length < tail || strcmp (entry->d_name + length - tail, suffix) != 0)
        continue;
      if (count == 0 && name != NULL)
        strcpy (name, entry->d_name);
      count++;
    }
  closedir (directory);
  return count;
}

static inline unsigned
count_files (const char *path, const char *suffix)
{
  return find_files (path, suffix, NULL);
}

#endif
