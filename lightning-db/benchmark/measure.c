/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include "latency.h"

#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PEAK_INTERVAL 20000000 /* between looks at the memory, in ns */
#define IDLE_INTERVAL 20000000 /* between looks for work, in ns */
#define IDLE_LOOKS 15          /* without work, until idle is believed */
#define IDLE_SHARE 20          /* under 1/20 of a core is no work: our own looks cost something */

/* The number behind `label` in a file of /proc; 0: not there. */
static uint64_t
read_number (const char *path, const char *label)
{
  FILE *file = fopen (path, "re");
  if (file == NULL)
    return 0;
  char line[256];
  unsigned long long number = 0;
  size_t length = strlen (label);
  while (fgets (line, sizeof line, file) != NULL)
    if (strncmp (line, label, length) == 0)
      {
        if (sscanf (line + length, " %llu", &number) != 1)
          number = 0;
        break;
      }
  fclose (file);
  return number;
}

uint64_t
measure_anonymous_memory (void)
{
  return read_number ("/proc/self/status", "RssAnon:") * 1024;
}

uint64_t
measure_written (void)
{
  return read_number ("/proc/self/io", "write_bytes:");
}

uint64_t
measure_processor_time (void)
{
  struct timespec time;
  if (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time) != 0)
    return 0;
  return (uint64_t) time.tv_sec * 1000000000u + (uint64_t) time.tv_nsec;
}

uint64_t
measure_disk (const char *directory)
{
  char *const roots[] = { (char *) directory, NULL };
  FTS *tree = fts_open (roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
  if (tree == NULL)
    return 0;
  uint64_t bytes = 0;
  for (FTSENT *entry; (entry = fts_read (tree)) != NULL;)
    if (entry->fts_info == FTS_F)
      bytes += (uint64_t) entry->fts_statp->st_blocks * 512;
  fts_close (tree);
  return bytes;
}

static void
rest (uint64_t duration)
{
  struct timespec time = { .tv_nsec = (long) duration };
  nanosleep (&time, NULL);
}

static void *
watch_peak (void *data)
{
  struct measure_peak *peak = data;
  while (!atomic_load (&peak->stop))
    {
      uint64_t now = measure_anonymous_memory ();
      if (now > atomic_load (&peak->peak))
        atomic_store (&peak->peak, now);
      rest (PEAK_INTERVAL);
    }
  return NULL;
}

bool
measure_peak_start (struct measure_peak *peak)
{
  atomic_store (&peak->stop, false);
  atomic_store (&peak->peak, 0);
  return pthread_create (&peak->thread, NULL, watch_peak, peak) == 0;
}

void
measure_peak_stop (struct measure_peak *peak)
{
  atomic_store (&peak->stop, true);
  pthread_join (peak->thread, NULL);
}

uint64_t
measure_wait_idle (uint64_t since, uint64_t limit)
{
  uint64_t last_work = latency_now (), written = measure_written ();
  uint64_t processor = measure_processor_time (), looked = last_work;
  for (unsigned idle = 0; idle < IDLE_LOOKS;)
    {
      rest (IDLE_INTERVAL);
      uint64_t now = latency_now (), now_written = measure_written ();
      uint64_t now_processor = measure_processor_time ();
      bool worked
          = now_written != written || (now_processor - processor) * IDLE_SHARE > now - looked;
      idle = worked ? 0 : idle + 1;
      if (worked)
        last_work = now;
      written = now_written;
      processor = now_processor;
      looked = now;
      if (now - since > limit)
        break;
    }
  return last_work - since;
}
