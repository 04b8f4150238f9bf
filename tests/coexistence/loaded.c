/* SPDX-License-Identifier: MIT */
/*
 * Loaded at run time, each for everybody to see (RTLD_GLOBAL), as modules are.
 *
 *   loaded lazy|now LIBRARY[=STORY] …      in this order; then each STORY in turn, three times
 */
#include "story.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*story) (const char *directory);

int
main (int argc, char **argv)
{
  char directory[] = "/tmp/lightning-coexistence-XXXXXX", command[100];
  story stories[8];
  int count = 0, wrong = 0;
  if (argc < 3 || argc > 9 || mkdtemp (directory) == NULL)
    return 99;
  int flags = RTLD_GLOBAL | (strcmp (argv[1], "lazy") == 0 ? RTLD_LAZY : RTLD_NOW);
  for (int i = 2; i < argc; i++)
    {
      char *name = strchr (argv[i], '=');
      if (name != NULL)
        *name++ = '\0';
      void *library = dlopen (argv[i], flags);
      if (library == NULL
          || (name != NULL && (stories[count] = (story) dlsym (library, name)) == NULL))
        {
          fprintf (stderr, "%s\n", dlerror ());
          return 99;
        }
      count += name != NULL;
    }
  for (int i = 0; i < 3 * count; i++)
    wrong += stories[i % count](directory);
  snprintf (command, sizeof command, "rm -rf '%s'", directory);
  return system (command) != 0 || wrong > 0 || count == 0;
}
