/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "log/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SEGMENT_SIZE (UINT64_C (64) << 10)

static const uint8_t database_id[16] = "database-id-0123";

/* ---- a vfs that fails on demand, in front of the real one ---- */

struct fault_plan {
  _Atomic int write_after;        /* writes until they fail; negative: never */
  _Atomic int write_error;        /* the errno of it */
  _Atomic bool write_half;        /* half of the failing write reaches the file */
  _Atomic int allocate_error;     /* 0: none */
  _Atomic int sync_after;         /* syncs until they fail; negative: never */
  _Atomic int directory_sync_error;
  _Atomic int unlink_error;
  _Atomic int rename_error;
  _Atomic bool refuse_map;
  _Atomic int read_error;
  _Atomic int syncs;              /* seen */
};

static struct fault_plan plan;

struct fault_directory {
  struct vfs_directory base;
  struct vfs_directory *inner;
};

struct fault_file {
  struct vfs_file base;
  struct vfs_file *inner;
};

static void
plan_reset (void)
{
  plan = (struct fault_plan){ .write_after = -1, .sync_after = -1 };
}

static struct vfs_directory *
inner_directory (struct vfs_directory *directory)
{
  return ((struct fault_directory *) directory)->inner;
}

static struct vfs_file *
inner_file (struct vfs_file *file)
{
  return ((struct fault_file *) file)->inner;
}

static const struct vfs fault_vfs;

static status
fault_directory_open (const struct vfs *vfs, const char *path, bool create,
                      struct vfs_directory **out, struct failure *failure)
{
  struct fault_directory *directory = calloc (1, sizeof *directory);
  status result = vfs_directory_open (vfs_posix (), path, create, &directory->inner, failure);
  CHECK (result == STATUS_OK);
  directory->base.vfs = &fault_vfs;
  directory->base.path = strdup (path);
  *out = &directory->base;
  return STATUS_OK;
}

static void
fault_directory_close (struct vfs_directory *directory)
{
  vfs_directory_close (inner_directory (directory));
  free (directory->path);
  free (directory);
}

static status
fault_directory_list (struct vfs_directory *directory,
                      bool (*visit) (void *data, const char *name), void *data,
                      struct failure *failure)
{
  return vfs_directory_list (inner_directory (directory), visit, data, failure);
}

static status
fault_directory_sync (struct vfs_directory *directory, struct failure *failure)
{
  if (plan.directory_sync_error != 0)
    return fail_system (failure, plan.directory_sync_error, "%s: injected", directory->path);
  return vfs_directory_sync (inner_directory (directory), failure);
}

static bool
fault_mapping_is_safe (struct vfs_directory *directory)
{
  return vfs_directory_mapping_is_safe (inner_directory (directory));
}

static status
fault_rename (struct vfs_directory *directory, const char *from, const char *to,
              struct failure *failure)
{
  if (plan.rename_error != 0)
    return fail_system (failure, plan.rename_error, "%s: injected", from);
  return vfs_rename (inner_directory (directory), from, to, failure);
}

static status
fault_unlink (struct vfs_directory *directory, const char *name, struct failure *failure)
{
  if (plan.unlink_error != 0)
    return fail_system (failure, plan.unlink_error, "%s: injected", name);
  return vfs_unlink (inner_directory (directory), name, failure);
}

static status
fault_open (struct vfs_directory *directory, const char *name, unsigned flags,
            struct vfs_file **out, struct failure *failure)
{
  struct fault_file *file = calloc (1, sizeof *file);
  status result = vfs_open (inner_directory (directory), name, flags, &file->inner, failure);
  if (result != STATUS_OK)
    {
      free (file);
      return result;
    }
  file->base.vfs = &fault_vfs;
  file->base.directory = directory;
  file->base.name = strdup (name);
  *out = &file->base;
  return STATUS_OK;
}

static void
fault_close (struct vfs_file *file)
{
  vfs_close (inner_file (file));
  free (file->name);
  free (file);
}

static status
fault_read (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
            struct failure *failure)
{
  if (plan.read_error != 0 && size > 4096)
    return fail_system (failure, plan.read_error, "%s: injected", file->name);
  return vfs_read (inner_file (file), offset, to, size, got, failure);
}

static status
fault_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
             struct failure *failure)
{
  if (plan.write_after >= 0 && plan.write_after-- == 0)
    {
      plan.write_after = 0;
      if (plan.write_half)
        vfs_write (inner_file (file), offset, from, size / 2, NULL);
      return fail_system (failure, plan.write_error, "%s: injected", file->name);
    }
  return vfs_write (inner_file (file), offset, from, size, failure);
}

static status
fault_sync_data (struct vfs_file *file, struct failure *failure)
{
  plan.syncs++;
  if (plan.sync_after >= 0 && plan.sync_after-- == 0)
    {
      plan.sync_after = -1;
      return fail_system (failure, EIO, "%s: injected", file->name);
    }
  return vfs_sync_data (inner_file (file), failure);
}

static status
fault_truncate (struct vfs_file *file, uint64_t size, struct failure *failure)
{
  return vfs_truncate (inner_file (file), size, failure);
}

static status
fault_allocate (struct vfs_file *file, uint64_t offset, uint64_t size, struct failure *failure)
{
  if (plan.allocate_error == EOPNOTSUPP)
    return fail (failure, STATUS_UNSUPPORTED, "%s: injected", file->name);
  if (plan.allocate_error != 0)
    return fail_system (failure, plan.allocate_error, "%s: injected", file->name);
  return vfs_allocate (inner_file (file), offset, size, failure);
}

static status
fault_information (struct vfs_file *file, struct vfs_file_information *out,
                   struct failure *failure)
{
  return vfs_information (inner_file (file), out, failure);
}

static status
fault_map (struct vfs_file *file, uint64_t offset, size_t size, bool writable, bool populate_write,
           void **out, struct failure *failure)
{
  if (plan.refuse_map)
    return fail (failure, STATUS_UNSUPPORTED, "%s: injected", file->name);
  return vfs_map (inner_file (file), offset, size, writable, populate_write, out, failure);
}

static void
fault_unmap (struct vfs_file *file, void *at, size_t size)
{
  vfs_unmap (inner_file (file), at, size);
}

static const struct vfs fault_vfs = {
  .name = "fault",
  .directory_open = fault_directory_open,
  .directory_close = fault_directory_close,
  .directory_list = fault_directory_list,
  .directory_sync = fault_directory_sync,
  .directory_mapping_is_safe = fault_mapping_is_safe,
  .rename = fault_rename,
  .unlink = fault_unlink,
  .open = fault_open,
  .close = fault_close,
  .read = fault_read,
  .write = fault_write,
  .sync_data = fault_sync_data,
  .truncate = fault_truncate,
  .allocate = fault_allocate,
  .information = fault_information,
  .map = fault_map,
  .unmap = fault_unmap,
};

/* ---- one log in a fresh directory ---- */

struct place {
  char *path;
  struct vfs_directory *directory;
  struct ledger ledger;
  _Atomic uint64_t next_number;
  struct wal *wal;
};

static uint64_t
take_number (void *context)
{
  return atomic_fetch_add (&((struct place *) context)->next_number, 1);
}

static void
place_open (struct place *place)
{
  struct failure failure;
  memset (place, 0, sizeof *place);
  plan_reset ();
  place->path = fresh_directory ();
  place->next_number = 1;
  CHECK_OK (vfs_directory_open (&fault_vfs, place->path, false, &place->directory, &failure));
}

static void
place_close (struct place *place)
{
  plan_reset ();
  wal_close (place->wal, false);
  CHECK_INT (ledger_used (&place->ledger, LEDGER_LOG), 0);
  vfs_directory_close (place->directory);
  remove_directory (place->path);
}

static void
log_open (struct place *place, uint64_t segment_size, bool map, uint64_t next_sequence)
{
  struct failure failure;
  struct wal_settings settings = {
    .directory = place->directory,
    .ledger = &place->ledger,
    .segment_size = segment_size,
    .allow_mapping = map,
    .next_number = take_number,
    .next_number_context = place,
    .next_sequence = next_sequence,
  };
  memcpy (settings.database_id, database_id, 16);
  CHECK_OK (wal_open (&settings, &place->wal, &failure));
}

static void
log_close (struct place *place, bool unlink_all)
{
  wal_close (place->wal, unlink_all);
  place->wal = NULL;
}

/* The payload of a commit is a function of its sequence. */
static size_t
payload_size (uint64_t sequence)
{
  struct random random = { sequence };
  return (size_t) random_below (&random, 300);
}

static void
payload_fill (uint64_t sequence, uint8_t *to, size_t size)
{
  struct random random = { sequence * 977 };
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t) random_next (&random);
}

static status
append_sized (struct place *place, uint64_t sequence, size_t size, bool store,
              struct failure *failure)
{
  uint8_t *payload = malloc (size + 1);
  payload_fill (sequence, payload, size);
  struct bytes parts[3] = { BYTES (payload, size / 3), BYTES_NONE,
                            BYTES (payload + size / 3, size - size / 3) };
  status result = wal_append (place->wal, sequence, parts, 3, store, failure);
  free (payload);
  return result;
}

static void
append (struct place *place, uint64_t from, uint64_t to, bool store)
{
  struct failure failure;
  for (uint64_t sequence = from; sequence <= to; sequence++)
    CHECK_OK (append_sized (place, sequence, payload_size (sequence), store, &failure));
}

struct seen {
  uint64_t next;  /* expected, unless gaps are allowed */
  bool gaps;
  size_t (*size) (uint64_t sequence);
  uint64_t digest;
  uint64_t stop_at; /* visit fails here; 0 never */
};

static status
see (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  struct seen *seen = data;
  static uint8_t expected[4 << 20];
  if (seen->stop_at == sequence)
    return fail (failure, STATUS_CANCELLED, "asked to stop");
  CHECK (seen->gaps ? sequence >= seen->next : sequence == seen->next);
  seen->next = sequence + 1;
  if (seen->size != NULL)
    {
      size_t size = seen->size (sequence);
      CHECK_INT (payload.size, size);
      payload_fill (sequence, expected, size);
      CHECK (bytes_equal (payload, BYTES (expected, size)));
    }
  seen->digest = checksum (seen->digest, sequence, payload);
  return STATUS_OK;
}

/* Recovers and returns the newest sequence handed out, `after` when none. */
static uint64_t
recover_to (struct place *place, uint64_t after, size_t (*size) (uint64_t),
            struct wal_recovery *out)
{
  struct failure failure;
  struct wal_recovery first, second;
  struct seen seen = { .next = after + 1, .size = size };
  struct seen again = seen;
  CHECK_OK (wal_recover (place->directory, database_id, after, false, see, &seen, &first,
                         &failure));
  CHECK_OK (wal_recover (place->directory, database_id, after, false, see, &again, &second,
                         &failure));
  CHECK (memcmp (&first, &second, sizeof first) == 0);
  CHECK (seen.digest == again.digest);
  CHECK_INT (first.records, seen.next - after - 1);
  if (first.records != 0)
    {
      CHECK_INT (first.first_sequence, after + 1);
      CHECK_INT (first.last_sequence, seen.next - 1);
    }
  if (out != NULL)
    *out = first;
  return seen.next - 1;
}

static status
recover_status (struct place *place, uint64_t after, struct failure *failure)
{
  struct wal_recovery out;
  struct seen seen = { .next = after + 1, .size = payload_size };
  return wal_recover (place->directory, database_id, after, false, see, &seen, &out, failure);
}

struct count {
  unsigned files;
  uint64_t bytes;
  uint64_t highest;
  const char *path;
};

static bool
count_file (void *data, const char *name, uint64_t number)
{
  struct count *count = data;
  char path[600];
  struct stat information;
  snprintf (path, sizeof path, "%s/%s", count->path, name);
  CHECK (stat (path, &information) == 0);
  count->files++;
  count->bytes += (uint64_t) information.st_size;
  if (number > count->highest)
    count->highest = number;
  return true;
}

static struct count
count_files (struct place *place)
{
  struct failure failure;
  struct count count = { .path = place->path };
  CHECK_OK (wal_list (place->directory, count_file, &count, &failure));
  return count;
}

/* ---- files as bytes ---- */

static char *
segment_path (struct place *place, uint64_t number)
{
  static char path[600];
  snprintf (path, sizeof path, "%s/%" PRIu64 ".log", place->path, number);
  return path;
}

static uint8_t *
file_load (const char *path, size_t *size)
{
  struct stat information;
  int descriptor = open (path, O_RDONLY);
  CHECK (descriptor >= 0 && fstat (descriptor, &information) == 0);
  *size = (size_t) information.st_size;
  uint8_t *bytes = malloc (*size + 1);
  CHECK (pread (descriptor, bytes, *size, 0) == (ssize_t) *size);
  close (descriptor);
  return bytes;
}

static void
file_store (const char *path, const uint8_t *bytes, size_t size)
{
  int descriptor = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK (descriptor >= 0);
  CHECK (pwrite (descriptor, bytes, size, 0) == (ssize_t) size);
  close (descriptor);
}

static void
file_patch (const char *path, uint64_t offset, const void *bytes, size_t size)
{
  int descriptor = open (path, O_WRONLY);
  CHECK (descriptor >= 0);
  CHECK (pwrite (descriptor, bytes, size, (off_t) offset) == (ssize_t) size);
  close (descriptor);
}

/* Offset of record `index` (from 0) in a segment, by the format alone. */
static uint64_t
record_offset (const uint8_t *bytes, unsigned index)
{
  uint64_t offset = 64;
  while (index-- > 0)
    offset += (32 + (uint64_t) load_u32 (bytes + offset + 8) + 7) & ~UINT64_C (7);
  return offset;
}

/* ---- tests ---- */

static void
test_round_trip (bool map, bool store)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  struct wal_statistics statistics;
  place_open (&place);
  CHECK_INT (recover_to (&place, 0, payload_size, &out), 0);
  CHECK_INT (out.highest_number, 0);

  log_open (&place, 4 * SEGMENT_SIZE, map, 1);
  CHECK (wal_wants_preparing (place.wal));
  append (&place, 1, 1, store);
  CHECK_INT (count_files (&place).bytes, SEGMENT_SIZE); /* a small database starts small */
  append (&place, 2, 6000, store);
  CHECK_INT (wal_appended (place.wal), 6000);
  CHECK_INT (wal_synced (place.wal), 0);
  CHECK_OK (wal_sync (place.wal, 5000, &failure));
  CHECK (wal_synced (place.wal) >= 5000);
  CHECK_OK (wal_sync (place.wal, 6000, &failure));
  CHECK_INT (wal_synced (place.wal), 6000);
  CHECK_FAILS (wal_sync (place.wal, 6001, &failure), STATUS_INVALID);
  CHECK_FAILS (append_sized (&place, 6000, 1, store, &failure), STATUS_INVALID);
  CHECK_FAILS (append_sized (&place, 6002, 1, store, &failure), STATUS_INVALID);

  wal_statistics (place.wal, &statistics);
  CHECK_INT (statistics.records, 6000);
  CHECK (statistics.written_bytes >= statistics.bytes + 32 * 6000);
  CHECK_INT (statistics.live_bytes, count_files (&place).bytes);
  CHECK_INT (statistics.oldest_number, 1);
  if (statistics.mapped)
    CHECK (ledger_used (&place.ledger, LEDGER_LOG) > 0);
  if (!map)
    CHECK_INT (ledger_used (&place.ledger, LEDGER_LOG), 0);

  CHECK_INT (recover_to (&place, 0, payload_size, &out), 6000);
  CHECK_INT (out.bytes, statistics.bytes);
  CHECK_INT (out.torn_bytes, 0);
  CHECK_INT (out.highest_number, count_files (&place).highest);
  CHECK_INT (recover_to (&place, 4321, payload_size, &out), 6000);
  CHECK_INT (recover_to (&place, 6000, payload_size, &out), 6000);
  CHECK_INT (recover_to (&place, 7000, payload_size, &out), 7000);

  struct seen seen = { .next = 1, .size = payload_size, .stop_at = 77 };
  CHECK_FAILS (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure),
               STATUS_CANCELLED);
  CHECK_INT (out.last_sequence, 76);
  log_close (&place, true);
  CHECK_INT (count_files (&place).files, 0);
  place_close (&place);
}

/* Stores and writes, and syncs in between, mixed at random. */
static void
test_mixed (void)
{
  struct place place;
  struct failure failure;
  struct random random = { 7 };
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 100);
  for (uint64_t sequence = 100; sequence < 3000; sequence++)
    {
      append (&place, sequence, sequence, random_below (&random, 2) == 0);
      if (random_below (&random, 50) == 0)
        CHECK_OK (wal_sync (place.wal, sequence - random_below (&random, 20), &failure));
      if (random_below (&random, 100) == 0)
        CHECK_OK (wal_prepare (place.wal, &failure));
    }
  CHECK_INT (recover_to (&place, 99, payload_size, NULL), 2999);
  place_close (&place);
}

static void
test_recycling (bool map)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics;
  uint64_t sequence = 1, released = 0;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, map, 1);
  /* Equal sizes: stale records stand exactly where new ones would. */
  for (unsigned round = 0; round < 40; round++)
    {
      for (unsigned i = 0; i < 300; i++, sequence++)
        CHECK_OK (append_sized (&place, sequence, 200, i % 2 == 0, &failure));
      if (wal_wants_preparing (place.wal))
        CHECK_OK (wal_prepare (place.wal, &failure));
      CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
      released = sequence - 100;
      CHECK_OK (wal_release (place.wal, released, &failure));
      CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
    }
  wal_statistics (place.wal, &statistics);
  CHECK (statistics.spare_bytes > 0);
  CHECK_INT (count_files (&place).bytes, statistics.live_bytes + statistics.spare_bytes);
  CHECK (count_files (&place).files < 8);
  wal_trim (place.wal, 1);
  wal_statistics (place.wal, &statistics);
  CHECK (statistics.spare_bytes <= SEGMENT_SIZE);
  wal_trim (place.wal, 0);
  wal_statistics (place.wal, &statistics);
  CHECK_INT (statistics.spare_bytes, 0);
  CHECK_INT (count_files (&place).bytes, statistics.live_bytes);
  CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
  log_close (&place, false);
  CHECK_INT (recover_to (&place, released, NULL, NULL), sequence - 1);
  place_close (&place);
}

static size_t
big_size (uint64_t sequence)
{
  static const size_t sizes[] = { 10, 70000, 65440, 65441, 2500000, 0, 3, 1048576, 1 };
  return sizes[sequence % (sizeof sizes / sizeof *sizes)];
}

static void
test_big (bool map, uint64_t segment_size)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, segment_size, map, 1);
  for (uint64_t sequence = 1; sequence <= 40; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, big_size (sequence), sequence % 3 != 0, &failure));
      if (sequence % 5 == 0)
        CHECK_OK (wal_prepare (place.wal, &failure));
      if (sequence % 7 == 0)
        CHECK_OK (wal_sync (place.wal, sequence, &failure));
    }
  CHECK_INT (recover_to (&place, 0, big_size, NULL), 40);
  CHECK_OK (wal_release (place.wal, 40, &failure));
  CHECK_OK (append_sized (&place, 41, big_size (41), true, &failure));
  CHECK_INT (recover_to (&place, 40, big_size, NULL), 41);
  CHECK (count_files (&place).bytes < 3000000 + 8 * segment_size);
  place_close (&place);
}

static void
test_limits (void)
{
  struct place place;
  struct failure failure;
  uint8_t byte = 0;
  place_open (&place);
  struct wal *wal;
  struct wal_settings settings = { .directory = place.directory, .ledger = &place.ledger,
                                   .segment_size = 1000, .next_sequence = 1 };
  CHECK_FAILS (wal_open (&settings, &wal, &failure), STATUS_INVALID);
  settings.segment_size = SEGMENT_SIZE;
  settings.next_sequence = 0;
  CHECK_FAILS (wal_open (&settings, &wal, &failure), STATUS_INVALID);
  log_open (&place, SEGMENT_SIZE, true, SEQUENCE_MAX);
  struct bytes huge[2] = { BYTES (&byte, UINT32_MAX), BYTES (&byte, 1) };
  CHECK_FAILS (wal_append (place.wal, SEQUENCE_MAX, huge, 2, true, &failure),
               STATUS_VALUE_TOO_LARGE);
  huge[1].size = SIZE_MAX;
  CHECK_FAILS (wal_append (place.wal, SEQUENCE_MAX, huge, 2, true, &failure),
               STATUS_VALUE_TOO_LARGE);
  CHECK_OK (wal_append (place.wal, SEQUENCE_MAX, NULL, 0, true, &failure));
  CHECK_FAILS (wal_append (place.wal, SEQUENCE_MAX + 1, NULL, 0, true, &failure), STATUS_INVALID);
  CHECK_INT (recover_to (&place, SEQUENCE_MAX - 1, NULL, NULL), SEQUENCE_MAX);
  place_close (&place);
}

int
main (void)
{
  test_round_trip (true, true);
  test_round_trip (true, false);
  test_round_trip (false, true);
  test_mixed ();
  test_recycling (true);
  test_recycling (false);
  test_big (true, SEGMENT_SIZE);
  test_big (false, SEGMENT_SIZE);
  test_big (true, 64 * SEGMENT_SIZE);
  test_big (false, 64 * SEGMENT_SIZE);
  test_limits ();
  return 0;
}
