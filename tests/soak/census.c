/* SPDX-License-Identifier: MIT */
#include "soak.h"

#include "process-memory.h"

#include <dirent.h>
#include <sys/stat.h>

static uint64_t
disk_bytes (const char *path)
{
  DIR *directory = opendir (path);
  uint64_t bytes = 0;
  struct stat about;
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (fstatat (dirfd (directory), entry->d_name, &about, 0) == 0 && S_ISREG (about.st_mode))
      bytes += (uint64_t) about.st_blocks * 512;
  closedir (directory);
  return bytes;
}

static unsigned
descriptors (void)
{
  DIR *directory = opendir ("/proc/self/fd");
  unsigned count = 0;
  CHECK (directory != NULL);
  while (readdir (directory) != NULL)
    count++;
  closedir (directory);
  return count - 3; /* “.”, “..” and the listing's own */
}

void
census_take (const char *path, struct soak_census *out)
{
  out->memory = process_anonymous_memory () + process_log_memory (path);
  out->disk = disk_bytes (path);
  out->descriptors = descriptors ();
}

void
slope_add (struct slope *slope, double x, double y)
{
  slope->first = slope->count == 0 ? x : slope->first;
  slope->least = slope->count == 0 || y < slope->least ? y : slope->least;
  slope->most = slope->count == 0 || y > slope->most ? y : slope->most;
  slope->last = x;
  slope->count++;
  slope->x += x;
  slope->y += y;
  slope->xx += x * x;
  slope->xy += x * y;
}

double
slope_growth (const struct slope *slope)
{
  double spread = slope->count * slope->xx - slope->x * slope->x;
  if (slope->count < 2 || spread <= 0)
    return 0;
  return (slope->count * slope->xy - slope->x * slope->y) / spread * (slope->last - slope->first);
}
