/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include "../crash/simulated-disk.h"
#include "../crash/simulated-threads.h"

#define CHANGE_ONE_IN 12u /* places where threads meet */

static struct disk *disk;

bool
schedule_is_exact (void)
{
  return true;
}

const struct vfs *
schedule_begin (uint64_t seed, unsigned yields, const char **path)
{
  (void) yields;
  disk = disk_new (seed % 2 == 0, NULL);
  *path = "/db";
  simulated_threads_begin (seed, CHANGE_ONE_IN);
  return &disk->vfs;
}

void
schedule_end (void)
{
  disk_free (disk);
}

uint64_t
schedule_changes (void)
{
  return simulated_threads_changes ();
}
