/* SPDX-License-Identifier: MIT */
/* All three linked, in whichever order the build says. */
#include "story.h"

#include <stdlib.h>
#include <unistd.h>

int
main (void)
{
  char directory[] = "/tmp/lightning-coexistence-XXXXXX", command[100];
  int wrong = 0;
  if (mkdtemp (directory) == NULL)
    return 99;
  for (int round = 0; round < 3; round++)
    {
      wrong += samba_story (directory);
      wrong += lightning_story (directory);
      wrong += flat_story (directory);
      wrong += samba_story (directory);
    }
  snprintf (command, sizeof command, "rm -rf '%s'", directory);
  return system (command) != 0 || wrong > 0;
}
