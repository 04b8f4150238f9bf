/* SPDX-License-Identifier: MIT */
/*
 * What the log costs: an append through the mapping, an append by one write, and a durable commit
 * beside a bare loop of pwrite and fdatasync on a preallocated, zeroed file.
 *
 *   log DIRECTORY [SECONDS]
 */
#include "log/wal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT_SIZE (UINT64_C (4) << 20)
#define RECORD_SIZE 119u /* payload: the put of a key of 16 and a value of 100 bytes */

static _Atomic uint64_t numbers = 1;

static uint64_t
next_number (void *context)
{
  return atomic_fetch_add (&numbers, 1);
}

static double
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static void
require (status result, const struct failure *failure)
{
  if (result == STATUS_OK)
    return;
  fprintf (stderr, "%s\n", failure->message);
  exit (1);
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return (left > right) - (left < right);
}

static struct wal *
open_log (struct vfs_directory *directory, struct ledger *ledger)
{
  struct wal *wal;
  struct failure failure = FAILURE_INIT;
  struct wal_settings settings = {
    .directory = directory,
    .ledger = ledger,
    .segment_size = SEGMENT_SIZE,
    .allow_mapping = true,
    .next_number = next_number,
    .next_sequence = 1,
  };
  require (wal_open (&settings, &wal, &failure), &failure);
  return wal;
}

/* Single appends; the time of each segment apart, preparing the next one not counted. */
static void
bench_append (struct vfs_directory *directory, bool store, double seconds)
{
  struct ledger ledger = { 0 };
  struct failure failure = FAILURE_INIT;
  uint8_t payload[RECORD_SIZE] = { 1 };
  struct bytes part = BYTES (payload, sizeof payload);
  struct wal *wal = open_log (directory, &ledger);
  double samples[4096];
  size_t count = 0;
  uint64_t sequence = 1;
  for (double end = now () + seconds; now () < end && count < 4096; count++)
    {
      require (wal_prepare (wal, &failure), &failure);
      require (wal_release (wal, sequence - 1, &failure), &failure);
      const uint64_t batch = SEGMENT_SIZE / 160;
      double start = now ();
      for (uint64_t i = 0; i < batch; i++)
        {
          memcpy (payload, &sequence, sizeof sequence);
          require (wal_append (wal, sequence++, &part, 1, store, &failure), &failure);
        }
      samples[count] = (now () - start) / (double) batch * 1e9;
    }
  qsort (samples, count, sizeof *samples, compare_doubles);
  printf ("append, 119 bytes, %-14s median %7.1f ns   best %7.1f   worst half segment %7.1f\n",
          store ? "by stores" : "by one write", samples[count / 2], samples[0], samples[count - 1]);
  wal_close (wal, true);
}

static void
report_commits (const char *what, double *samples, size_t count, double elapsed)
{
  qsort (samples, count, sizeof *samples, compare_doubles);
  printf ("durable commit, %-24s %8.0f /s   median %6.1f us   P99 %7.1f   worst %7.1f us\n", what,
          (double) count / elapsed, samples[count / 2] * 1e6, samples[count * 99 / 100] * 1e6,
          samples[count - 1] * 1e6);
}

#define COMMITS_MOST 200000

static void
bench_durable (struct vfs_directory *directory, bool store, double seconds, double *samples)
{
  struct ledger ledger = { 0 };
  struct failure failure = FAILURE_INIT;
  uint8_t payload[RECORD_SIZE] = { 1 };
  struct bytes part = BYTES (payload, sizeof payload);
  struct wal *wal = open_log (directory, &ledger);
  uint64_t sequence = 1;
  size_t count = 0;
  double began = now (), at = began, spent = 0;
  while (at < began + seconds && count < COMMITS_MOST)
    {
      if (wal_wants_preparing (wal))
        require (wal_prepare (wal, &failure), &failure);
      at = now ();
      require (wal_append (wal, sequence, &part, 1, store, &failure), &failure);
      require (wal_sync (wal, sequence++, &failure), &failure);
      double then = now ();
      samples[count++] = then - at;
      spent += then - at;
      /* As the tree would, off the commit path; segments are recycled from then on. */
      if (sequence % 1024 == 0)
        require (wal_release (wal, sequence - 1, &failure), &failure);
    }
  report_commits (store ? "log by stores" : "log by one write", samples, count, spent);
  wal_close (wal, true);
}

static void
bench_bare (const char *path, double seconds, double *samples)
{
  static const uint8_t zeros[65536];
  char name[4096];
  uint8_t record[128] = { 1 };
  size_t count = 0;
  snprintf (name, sizeof name, "%s/bare", path);
  int descriptor = open (name, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (descriptor < 0 || posix_fallocate (descriptor, 0, SEGMENT_SIZE) != 0)
    exit (1);
  for (uint64_t at = 0; at < SEGMENT_SIZE; at += sizeof zeros)
    if (pwrite (descriptor, zeros, sizeof zeros, (off_t) at) != sizeof zeros)
      exit (1);
  fdatasync (descriptor);
  double began = now (), at = began;
  while (at < began + seconds && count < COMMITS_MOST)
    {
      off_t offset = (off_t) (count * sizeof record % SEGMENT_SIZE);
      if (pwrite (descriptor, record, sizeof record, offset) != sizeof record
          || fdatasync (descriptor) != 0)
        exit (1);
      double then = now ();
      samples[count++] = then - at;
      at = then;
    }
  report_commits ("bare pwrite + fdatasync", samples, count, at - began);
  close (descriptor);
  unlink (name);
}

static status
count_record (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  *(uint64_t *) data += payload.size;
  return STATUS_OK;
}

/* Reading back a log of 64 MiB that is in the page cache. */
static void
bench_recovery (struct vfs_directory *directory)
{
  struct ledger ledger = { 0 };
  struct failure failure = FAILURE_INIT;
  struct wal_recovery out;
  uint8_t payload[RECORD_SIZE] = { 1 };
  struct bytes part = BYTES (payload, sizeof payload);
  struct wal *wal = open_log (directory, &ledger);
  uint64_t bytes = 0;
  for (uint64_t sequence = 1; sequence <= (UINT64_C (64) << 20) / 128; sequence++)
    require (wal_append (wal, sequence, &part, 1, true, &failure), &failure);
  uint8_t database_id[16] = { 0 };
  double start = now ();
  require (wal_recover (directory, database_id, 0, false, count_record, &bytes, &out, &failure),
           &failure);
  double elapsed = now () - start;
  printf ("recovery, 119-byte records          %7.0f MB/s %9.1f ns a record\n",
          (double) out.bytes / elapsed / 1e6, elapsed / (double) out.records * 1e9);
  wal_close (wal, true);
}

/* What the log writes for the data of one commit. */
static void
bench_size (struct vfs_directory *directory, const char *what, size_t data, size_t payload,
            unsigned commits, bool synced)
{
  struct ledger ledger = { 0 };
  struct failure failure = FAILURE_INIT;
  struct wal_statistics statistics;
  struct bytes part = BYTES (calloc (1, payload), payload);
  struct wal *wal = open_log (directory, &ledger);
  for (uint64_t sequence = 1; sequence <= commits; sequence++)
    {
      require (wal_append (wal, sequence, &part, 1, !synced, &failure), &failure);
      if (synced)
        require (wal_sync (wal, sequence, &failure), &failure);
      if (sequence % 64 == 0)
        require (wal_release (wal, sequence, &failure), &failure);
    }
  wal_statistics (wal, &statistics);
  double each = (double) statistics.written_bytes / commits;
  printf ("%-34s %9zu bytes of data, %11.1f in the log, %.3f x\n", what, data, each,
          each / (double) data);
  wal_close (wal, true);
  free ((void *) part.data);
}

int
main (int argument_count, char **arguments)
{
  struct failure failure = FAILURE_INIT;
  struct vfs_directory *directory;
  if (argument_count < 2)
    {
      fprintf (stderr, "usage: %s DIRECTORY [SECONDS]\n", arguments[0]);
      return 2;
    }
  double seconds = argument_count > 2 ? atof (arguments[2]) : 2;
  double *samples = malloc (COMMITS_MOST * sizeof *samples);
  require (vfs_directory_open (vfs_posix (), arguments[1], true, &directory, &failure), &failure);
  printf ("%s, mapping %s\n", arguments[1],
          vfs_directory_mapping_is_safe (directory) ? "safe" : "not safe");
  bench_size (directory, "single puts, 16 + 100", 116, 119, 500000, false);
  bench_size (directory, "single puts, 16 + 100, synced", 116, 119, 200, true);
  bench_size (directory, "single puts, 8 + 8", 16, 19, 500000, false);
  bench_size (directory, "batches of 1000 x (16 + 100)", 116000, 119000, 500, false);
  bench_size (directory, "values of 4000", 4016, 4020, 5000, false);
  bench_size (directory, "batches of 20 MB", 20000000, 20010000, 10, false);
  for (unsigned round = 0; round < 2; round++)
    {
      bench_append (directory, true, seconds);
      bench_append (directory, false, seconds);
      bench_recovery (directory);
      bench_bare (arguments[1], seconds, samples);
      bench_durable (directory, false, seconds, samples);
      bench_durable (directory, true, seconds, samples);
    }
  vfs_directory_close (directory);
  free (samples);
  return 0;
}
