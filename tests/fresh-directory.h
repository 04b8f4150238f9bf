/* SPDX-License-Identifier: MIT */
/* A place for what a test in C makes. */
#ifndef LIGHTNING_TESTS_FRESH_DIRECTORY_H
#define LIGHTNING_TESTS_FRESH_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A fresh directory below $TMPDIR (or /tmp); removed with remove_directory. malloc'd. */
static inline char *
fresh_directory (void)
{
  const char *parent = getenv ("TMPDIR");
  char *path = malloc (512);
  snprintf (path, 512, "%s/lightning-test-XXXXXX", parent != NULL ? parent : "/tmp");
  if (mkdtemp (path) == NULL)
    {
      perror (path);
      abort ();
    }
  return path;
}

static inline void
remove_directory (char *path)
{
  char command[600];
  snprintf (command, sizeof command, "rm -rf -- '%s'", path);
  if (system (command) != 0)
    fprintf (stderr, "could not remove %s\n", path);
  free (path);
}

#endif
