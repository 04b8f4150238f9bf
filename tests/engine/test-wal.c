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

struct fault_plan
{
  _Atomic int write_after;    /* writes until they fail; negative: never */
  _Atomic int write_error;    /* the errno of it */
  _Atomic bool write_half;    /* half of the failing write reaches the file */
  _Atomic int allocate_error; /* 0: none */
  _Atomic int sync_after;     /* syncs until they fail; negative: never */
  _Atomic int directory_sync_error;
  _Atomic int unlink_error;
  _Atomic int rename_error;
  _Atomic bool refuse_map;
  _Atomic int read_error;
  _Atomic int syncs; /* seen */
};

static struct fault_plan plan;

/* Called once, in the middle of the next sync of a file. */
static void (*during_sync) (struct vfs_file *file);

struct fault_directory
{
  struct vfs_directory base;
  struct vfs_directory *inner;
};

struct fault_file
{
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
fault_directory_list (struct vfs_directory *directory, bool (*visit) (void *data, const char *name),
                      void *data, struct failure *failure)
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
  void (*hook) (struct vfs_file *) = during_sync;
  plan.syncs++;
  if (hook != NULL)
    {
      during_sync = NULL;
      hook (file);
    }
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
fault_information (struct vfs_file *file, struct vfs_file_information *out, struct failure *failure)
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

struct place
{
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
  struct bytes parts[3]
      = { BYTES (payload, size / 3), BYTES_NONE, BYTES (payload + size / 3, size - size / 3) };
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

struct seen
{
  uint64_t next; /* expected, unless gaps are allowed */
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
  CHECK_OK (
      wal_recover (place->directory, database_id, after, false, see, &seen, &first, &failure));
  CHECK_OK (
      wal_recover (place->directory, database_id, after, false, see, &again, &second, &failure));
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

struct count
{
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

/* A record by the format alone, as docs/design/log.md has it. */
struct shape
{
  bool is_long;
  uint64_t head;     /* bytes before the payload */
  uint64_t size;     /* of the payload */
  uint64_t behind;   /* long: sequence - first sequence */
  uint64_t distance; /* long: sequence - synced up to */
};

static uint64_t
varint_read (const uint8_t *bytes, uint64_t *at)
{
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7)
    {
      value |= (uint64_t) (bytes[*at] & 0x7f) << shift;
      if (bytes[(*at)++] < 0x80)
        return value;
    }
}

static struct shape
record_shape (const uint8_t *bytes, uint64_t offset)
{
  uint64_t at = offset;
  struct shape shape = { .is_long = bytes[offset] == 1 };
  if (shape.is_long)
    {
      at += 1 + 4 + 8;
      shape.size = varint_read (bytes, &at);
      shape.behind = varint_read (bytes, &at);
      shape.distance = varint_read (bytes, &at);
    }
  else
    {
      shape.size = varint_read (bytes, &at) - 1;
      at += 4;
    }
  shape.head = at - offset;
  return shape;
}

/* Offset of record `index` (from 0) in a segment. */
static uint64_t
record_offset (const uint8_t *bytes, unsigned index)
{
  uint64_t offset = 64;
  while (index-- > 0)
    {
      struct shape shape = record_shape (bytes, offset);
      offset += shape.head + shape.size;
    }
  return offset;
}

/* Where a byte of its checksum stands. */
static uint64_t
checksum_offset (const uint8_t *bytes, uint64_t offset)
{
  struct shape shape = record_shape (bytes, offset);
  return offset + (shape.is_long ? 5 : shape.head - 4);
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
  CHECK_INT (wal_synced (place.wal), 5000); /* what was not asked for is not promised */
  CHECK_OK (wal_sync (place.wal, 6000, &failure));
  CHECK_INT (wal_synced (place.wal), 6000);
  CHECK_FAILS (wal_sync (place.wal, 6001, &failure), STATUS_INVALID);
  CHECK_FAILS (append_sized (&place, 6000, 1, store, &failure), STATUS_INVALID);
  CHECK_FAILS (append_sized (&place, 6002, 1, store, &failure), STATUS_INVALID);

  wal_statistics (place.wal, &statistics);
  CHECK_INT (statistics.records, 6000);
  CHECK (statistics.written_bytes >= statistics.bytes + 5 * 6000);
  CHECK (statistics.written_bytes <= statistics.bytes + 7 * 6000);
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

/* S6: however much is live, three segments are mapped at most; with `late`, nobody prepares. */
static void
test_mapped_bounded (bool late)
{
  struct place place;
  struct failure failure;
  uint64_t sequence = 1;
  int64_t most = 0;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  for (; sequence <= 8000; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, 200, true, &failure));
      if (!late && wal_wants_preparing (place.wal))
        CHECK_OK (wal_prepare (place.wal, &failure));
      int64_t mapped = ledger_used (&place.ledger, LEDGER_LOG);
      most = mapped > most ? mapped : most;
    }
  CHECK (count_files (&place).files > 10); /* all live */
  CHECK (most > 0 && most <= 3 * (int64_t) SEGMENT_SIZE);
  CHECK_INT (recover_to (&place, 0, NULL, NULL), sequence - 1);
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

/* A segment whose records refer to much in other files ends early, and the next one is ready by
 * then. */
static void
test_referring (void)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 1, true);
  wal_note_files (place.wal, 7, 4 << 20);
  CHECK (!wal_wants_preparing (place.wal));
  append (&place, 2, 2, true);
  wal_note_files (place.wal, 8, 4 << 20);
  CHECK (wal_wants_preparing (place.wal));
  CHECK_OK (wal_prepare (place.wal, &failure));
  uint64_t number = place.next_number;
  append (&place, 3, 3, true);
  wal_note_files (place.wal, 9, 8 << 20);
  CHECK_INT (count_files (&place).files, 2);
  append (&place, 4, 4, true);
  CHECK_INT (place.next_number, number);
  CHECK_OK (wal_release (place.wal, 3, &failure));
  CHECK_INT (wal_oldest_file (place.wal), UINT64_MAX);
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
  struct wal_settings settings = {
    .directory = place.directory, .ledger = &place.ledger, .segment_size = 1000, .next_sequence = 1
  };
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

/* The last record damaged from each of its bytes on: torn, whatever the damage is. */
static void
test_torn_tail (bool map, bool synced)
{
  struct place place;
  struct failure failure;
  size_t size;
  struct random random = { 3 };
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, map, 1);
  append (&place, 1, 19, map);
  if (synced)
    CHECK_OK (wal_sync (place.wal, 19, &failure));
  append (&place, 20, 20, map);
  log_close (&place, false);

  char *path = segment_path (&place, 1);
  uint8_t *whole = file_load (path, &size), *bytes = malloc (size);
  uint64_t start = record_offset (whole, 19), end = record_offset (whole, 20);
  CHECK (end < size);
  for (uint64_t at = start; at < end; at++)
    for (unsigned kind = 0; kind < 4; kind++)
      {
        size_t keep = kind == 2 ? at : size;
        memcpy (bytes, whole, size);
        if (kind == 0)
          memset (bytes + at, 0, end - at);
        else if (kind == 1)
          for (uint64_t i = at; i < end; i++)
            bytes[i] = (uint8_t) random_next (&random);
        else if (kind == 3)
          bytes[at] ^= (uint8_t) (1u << random_below (&random, 8));
        file_store (path, bytes, keep);
        bool same = keep == size && memcmp (bytes + start, whole + start, end - start) == 0;
        struct wal_recovery out;
        CHECK_INT (recover_to (&place, 0, payload_size, &out), same ? 20 : 19);
        if (kind == 1 && !same)
          CHECK (out.torn_bytes > 0);
      }
  free (bytes);
  free (whole);
  place_close (&place);
}

static void
test_damage (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  size_t size;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 6, true);
  CHECK_OK (wal_sync (place.wal, 6, &failure));
  append (&place, 7, 10, true);
  log_close (&place, false);
  char *path = segment_path (&place, 1);
  uint8_t *whole = file_load (path, &size);

  for (unsigned bad = 1; bad <= 10; bad++)
    {
      uint64_t offset = record_offset (whole, bad - 1), at = checksum_offset (whole, offset);
      uint8_t flipped = whole[at] ^ 4;
      char place_named[64];
      file_store (path, whole, size);
      file_patch (path, at, &flipped, 1);
      if (bad <= 6)
        {
          CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
          CHECK (strstr (failure.message, "/1.log") != NULL);
          snprintf (place_named, sizeof place_named, "offset %" PRIu64 ":", offset);
          CHECK (strstr (failure.message, place_named) != NULL);
          CHECK_FAILS (recover_status (&place, bad - 1, &failure), STATUS_CORRUPT);

          struct seen seen = { .next = 1, .gaps = true, .size = payload_size };
          CHECK_OK (
              wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
          CHECK_INT (out.records, 9);
          CHECK_INT (out.lost, 1);
          CHECK_INT (out.last_sequence, 10);
        }
      else
        CHECK_INT (recover_to (&place, 0, payload_size, &out), bad - 1);
      /* What the tree has already may be damaged. */
      CHECK_INT (recover_to (&place, bad, payload_size, NULL), 10);
    }

  /* No claim behind it: the same damage is a torn tail. */
  log_open (&place, SEGMENT_SIZE, false, 1);
  CHECK (unlink (path) == 0);
  append (&place, 1, 10, false);
  log_close (&place, false);
  path = segment_path (&place, 2);
  free (whole);
  whole = file_load (path, &size);
  for (unsigned bad = 1; bad <= 10; bad++)
    {
      uint64_t at = checksum_offset (whole, record_offset (whole, bad - 1)) + 1;
      uint8_t garbage = whole[at] ^ 0x80;
      file_store (path, whole, size);
      file_patch (path, at, &garbage, 1);
      CHECK_INT (recover_to (&place, 0, payload_size, &out), bad - 1);
      CHECK (out.torn_bytes > 0);
    }
  free (whole);
  place_close (&place);
}

/* Stale records of an earlier use, of the same size and at the same places, never verify. */
static void
test_stale (bool map)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  size_t size;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, map, 1);
  for (; place.next_number < 4; sequence++)
    CHECK_OK (append_sized (&place, sequence, 256, map, &failure));
  CHECK_OK (wal_release (place.wal, sequence - 2, &failure));
  uint64_t released = sequence - 2;
  while (place.next_number < 5)
    CHECK_OK (append_sized (&place, sequence++, 256, map, &failure));
  CHECK_OK (append_sized (&place, sequence++, 256, map, &failure));
  log_close (&place, false);

  char *path = segment_path (&place, 4);
  uint8_t *whole = file_load (path, &size);
  CHECK_INT (load_u16 (whole + 10), 1);
  CHECK_INT (whole[record_offset (whole, 2)], 0);               /* a reader stops here */
  CHECK (load_u64 (whole + record_offset (whole, 2) + 1) != 0); /* stale bytes behind */
  CHECK_INT (recover_to (&place, released, NULL, &out), sequence - 1);
  CHECK_INT (out.torn_bytes, 0);

  /* The newest record torn: stale ones stand behind it. */
  whole[record_offset (whole, 1) + 20] ^= 1;
  file_store (path, whole, size);
  CHECK_INT (recover_to (&place, released, NULL, &out), sequence - 2);
  CHECK (out.torn_bytes > 0);
  free (whole);
  place_close (&place);
}

/* Three segments; `sync_at`: synced up to there before the third begins. Returns the last. */
static uint64_t
three_segments (struct place *place, bool synced, uint64_t first[4])
{
  struct failure failure;
  uint64_t sequence = 1;
  place_open (place);
  log_open (place, SEGMENT_SIZE, true, 1);
  for (unsigned i = 1; i <= 3; i++)
    {
      while (place->next_number <= i)
        append (place, sequence, sequence, true), sequence++;
      first[i] = sequence - 1;
      if (synced)
        CHECK_OK (wal_sync (place->wal, sequence - 1, &failure));
    }
  append (place, sequence, sequence + 9, true);
  log_close (place, false);
  CHECK_INT (place->next_number, 4);
  CHECK_INT (recover_to (place, 0, payload_size, NULL), sequence + 9);
  return sequence + 9;
}

static void
test_missing_segment (void)
{
  struct place place;
  struct failure failure;
  uint64_t first[4], last;

  last = three_segments (&place, true, first);
  CHECK (unlink (segment_path (&place, 2)) == 0);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK_FAILS (recover_status (&place, first[3] - 2, &failure), STATUS_CORRUPT);
  CHECK_INT (recover_to (&place, first[3] - 1, payload_size, NULL), last);
  CHECK (unlink (segment_path (&place, 1)) == 0);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK_INT (recover_to (&place, first[3] - 1, payload_size, NULL), last);
  place_close (&place);

  last = three_segments (&place, false, first);
  CHECK (unlink (segment_path (&place, 2)) == 0);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), first[2] - 1);
  CHECK_INT (recover_to (&place, first[3] + 1, payload_size, NULL), last);
  CHECK (unlink (segment_path (&place, 1)) == 0);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 0);
  place_close (&place);

  /* The newest one gone: nothing claims that it was. */
  last = three_segments (&place, true, first);
  CHECK (unlink (segment_path (&place, 3)) == 0);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), first[3] - 1);
  place_close (&place);
}

/* Files that a crash leaves before a segment is in use, and headers that are wrong. */
static void
test_segment_states (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  uint64_t first[4], last;
  size_t size;
  static const uint8_t zeros[1000];

  last = three_segments (&place, true, first);
  uint8_t *one = file_load (segment_path (&place, 1), &size);
  uint8_t *spare = malloc (size); /* renamed, its old name is gone, its header is not written yet */
  memcpy (spare, one, size);
  store_u64 (spare + 16, 77);
  store_u64 (spare + 56, checksum (checksum_seed (database_id, 77), 0, BYTES (spare, 56)));
  file_store (segment_path (&place, 4), spare, size);
  free (spare);
  file_store (segment_path (&place, 5), zeros, 0);    /* created */
  file_store (segment_path (&place, 6), zeros, 1000); /* partly zeroed */
  file_store (segment_path (&place, 7), zeros, 65);   /* an odd size */
  file_store (segment_path (&place, 8), one, 30);     /* a piece of a header */
  CHECK_INT (recover_to (&place, 0, payload_size, &out), last);
  CHECK_INT (out.highest_number, 8);

  /* A header that is being written: the first record's word is zero. */
  uint8_t *partly = calloc (1, size);
  memcpy (partly, one, 50);
  file_store (segment_path (&place, 9), partly, size);
  CHECK_INT (recover_to (&place, 0, payload_size, &out), last);
  free (partly);

  /* One that stands under another's name while its own is taken: no crash leaves that. Two names of
   * one file are what a rename leaves that a crash cut. */
  file_store (segment_path (&place, 10), one, size);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK (strstr (failure.message, "/10.log") != NULL);
  CHECK (unlink (segment_path (&place, 10)) == 0);
  char from[600];
  strcpy (from, segment_path (&place, 1));
  CHECK (link (from, segment_path (&place, 10)) == 0);
  CHECK_INT (recover_to (&place, 0, payload_size, &out), last);
  CHECK (unlink (segment_path (&place, 10)) == 0);

  /* Two that changed names: salvage takes each for what it says it is. */
  char to[600], aside[620];
  strcpy (from, segment_path (&place, 1));
  strcpy (to, segment_path (&place, 3));
  snprintf (aside, sizeof aside, "%s.aside", from);
  for (int turn = 0; turn < 2; turn++)
    {
      CHECK (rename (from, aside) == 0 && rename (to, from) == 0 && rename (aside, to) == 0);
      if (turn == 0)
        {
          CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
          struct seen all = { .next = 1, .size = payload_size };
          CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &all, &out, &failure));
          CHECK_INT (out.last_sequence, last);
          CHECK_INT (out.lost, 0);
        }
    }
  CHECK_INT (recover_to (&place, 0, payload_size, &out), last);

  /* A damaged header in front of records matters only while they are needed. */
  file_patch (segment_path (&place, 1), 17, "\x55", 1);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK_FAILS (recover_status (&place, first[2] - 2, &failure), STATUS_CORRUPT);
  CHECK_INT (recover_to (&place, first[2] - 1, payload_size, &out), last);
  file_store (segment_path (&place, 1), one, size);
  file_patch (segment_path (&place, 3), 41, "\x55\x66", 2);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  CHECK (strstr (failure.message, "/3.log") != NULL);
  struct seen seen = { .next = 1, .size = payload_size };
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.last_sequence, first[3] - 1);

  /* A segment under a lower number than its own. */
  CHECK (rename (segment_path (&place, 2), "/dev/null/no") != 0);
  uint8_t *two = file_load (segment_path (&place, 2), &size);
  file_store (segment_path (&place, 1), two, size);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  free (two);
  free (one);
  place_close (&place);

  /* Another database's, a later format's, one with features of later versions. */
  three_segments (&place, false, first);
  static const uint8_t other[16] = "another-database";
  struct seen none = { .next = 1 };
  CHECK_FAILS (wal_recover (place.directory, other, 0, false, see, &none, &out, &failure),
               STATUS_CORRUPT);
  CHECK_OK (wal_recover (place.directory, other, 0, true, see, &none, &out, &failure));
  CHECK_INT (out.records, 0);
  one = file_load (segment_path (&place, 1), &size);
  store_u16 (one + 8, 2);
  store_u64 (one + 56, checksum (checksum_seed (database_id, 1), 0, BYTES (one, 56)));
  file_store (segment_path (&place, 1), one, size);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_NEWER_FORMAT);
  store_u16 (one + 8, 1);
  store_u16 (one + 10, 2);
  store_u64 (one + 56, checksum (checksum_seed (database_id, 1), 0, BYTES (one, 56)));
  file_store (segment_path (&place, 1), one, size);
  CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_NEWER_FORMAT);
  CHECK (strstr (failure.message, "features 2") != NULL);
  free (one);
  place_close (&place);
}

/* A torn log is recovered, a new one started, and the old files are still there at the next
 * recovery: what stands in them behind the torn place stays void. */
static void
test_runs (void)
{
  struct place place;
  size_t size;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 20, true);
  log_close (&place, false);
  uint8_t *bytes = file_load (segment_path (&place, 1), &size);
  uint64_t at = checksum_offset (bytes, record_offset (bytes, 11));
  uint8_t flipped = bytes[at] ^ 1;
  file_patch (segment_path (&place, 1), at, &flipped, 1);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 11);

  log_open (&place, SEGMENT_SIZE, true, 12);
  CHECK_INT (recover_to (&place, 11, payload_size, NULL), 11);
  append (&place, 12, 14, true);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 14);
  CHECK_INT (recover_to (&place, 11, payload_size, NULL), 14);
  CHECK_INT (recover_to (&place, 12, payload_size, NULL), 14);
  /* 15 … 20 of the first run verify, and are not taken for what follows 14. */
  CHECK_INT (recover_to (&place, 14, payload_size, NULL), 14);
  log_close (&place, false);
  free (bytes);
  place_close (&place);
}

/* Time in proportion to the size, however the file is made. */
static void
test_hostile (bool tags)
{
  struct place place;
  struct failure failure;
  size_t size = 2 << 20;
  uint8_t *bytes = calloc (1, size);
  place_open (&place);
  memcpy (bytes, "LDB-LOG\n", 8);
  store_u16 (bytes + 8, 1);
  store_u64 (bytes + 16, 1);
  memcpy (bytes + 24, database_id, 16);
  store_u64 (bytes + 40, 0x11111);
  store_u64 (bytes + 48, 1);
  store_u64 (bytes + 56, checksum (checksum_seed (database_id, 1), 0, BYTES (bytes, 56)));
  /* Each place looks like a long record of a megabyte, or like the head of a short one. */
  for (size_t at = 64; at + 24 < size; at += tags ? 20 : 3)
    if (tags)
      {
        bytes[at] = 1;
        store_u32 (bytes + at + 1, 0x11111);
        uint8_t *end = varint_store (bytes + at + 13, (size - at) / 2);
        end = varint_store (end, 0);
        varint_store (end, 1);
      }
    else
      varint_store (bytes + at, (size - at) / 2);
  file_store (segment_path (&place, 1), bytes, size);
  struct wal_recovery out;
  struct seen seen = { .next = 1 };
  if (tags)
    CHECK_FAILS (recover_status (&place, 0, &failure), STATUS_CORRUPT);
  else
    CHECK_OK (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure));
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.records, 0);
  free (bytes);
  place_close (&place);
}

/* ---- the format ---- */

static size_t
hundred (uint64_t sequence)
{
  return 100;
}

/* What each record costs, byte by byte, and where the long ones stand. */
static void
test_heads (void)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics;
  size_t size;
  static const size_t sizes[] = { 1, 126, 127, 16383, 16384, 0, 5000 };
  static const uint64_t totals[]
      = { 16 + 1, 5 + 126, 6 + 127, 17 + 16383, 18 + 16384, 16, 17 + 5000 };
  place_open (&place);
  log_open (&place, 16 * SEGMENT_SIZE, true, 1);
  for (uint64_t sequence = 1; sequence <= 7; sequence++)
    {
      uint64_t before;
      wal_statistics (place.wal, &statistics);
      before = statistics.written_bytes;
      CHECK_OK (append_sized (&place, sequence, sizes[sequence - 1], true, &failure));
      wal_statistics (place.wal, &statistics);
      CHECK_INT (statistics.written_bytes - before, totals[sequence - 1]);
    }
  place_close (&place);

  /* Long: the first, then one in a block of 512 bytes, 1 KiB, 2 KiB, 4 KiB, 4 KiB; a sync makes the
   * next one long and the distances short again. */
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  for (uint64_t sequence = 1; sequence <= 300; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, 100, true, &failure));
      if (sequence == 200)
        CHECK_OK (wal_sync (place.wal, 200, &failure));
    }
  log_close (&place, false);
  uint8_t *bytes = file_load (segment_path (&place, 1), &size);
  uint64_t next = 0, stride = 0, synced = 0;
  for (unsigned index = 0; index < 300; index++)
    {
      uint64_t offset = record_offset (bytes, index);
      struct shape shape = record_shape (bytes, offset);
      CHECK_INT (shape.size, 100);
      CHECK_INT (shape.is_long, offset >= next || index == 200);
      if (!shape.is_long)
        continue;
      CHECK_INT (shape.behind, index);
      CHECK_INT (shape.distance, index + 1 - (index < 200 ? 0 : 200));
      stride = stride == 0 || index == 200 ? 512 : stride < 4096 ? 2 * stride : 4096;
      next = (offset / stride + 1) * stride;
      synced++;
    }
  CHECK (synced > 10 && synced < 25);
  CHECK_INT (bytes[record_offset (bytes, 300)], 0);

  /* One sector gone, the synced records and the first claim of it: the claim's repetition tells. */
  uint64_t at = record_offset (bytes, 200) / 512 * 512;
  memset (bytes + at, 0, 512);
  file_store (segment_path (&place, 1), bytes, size);
  struct wal_recovery out;
  struct seen seen = { .next = 1, .size = hundred };
  CHECK_FAILS (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure),
               STATUS_CORRUPT);
  failure = FAILURE_INIT;
  seen = (struct seen){ .next = 1, .gaps = true, .size = hundred };
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.last_sequence, 300);
  CHECK (out.lost > 3 && out.lost < 15);
  CHECK_INT (out.records + out.lost, 300);
  free (bytes);
  place_close (&place);
}

/* Records that lost their size: the next long one is found, whatever stands in between. */
static void
test_lost_way (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  size_t size;
  struct random random = { 8 };
  place_open (&place);
  log_open (&place, 4 * SEGMENT_SIZE, false, 1);
  for (uint64_t sequence = 1; sequence <= 500; sequence++)
    {
      CHECK_OK (append_sized (&place, sequence, 100, false, &failure));
      if (sequence % 100 == 0)
        CHECK_OK (wal_sync (place.wal, sequence, &failure));
    }
  log_close (&place, false);
  uint8_t *whole = file_load (segment_path (&place, 1), &size), *bytes = malloc (size);
  uint64_t end = record_offset (whole, 500);
  for (unsigned round = 0; round < 300; round++)
    {
      uint64_t at = record_offset (whole, 1 + (unsigned) random_below (&random, 350));
      uint64_t length = 1 + random_below (&random, 3000);
      memcpy (bytes, whole, size);
      if (round % 3 == 0) /* a size of its own, which leads elsewhere */
        bytes[at] = (uint8_t) (2 + random_below (&random, 120));
      else
        for (uint64_t i = at; i < at + length; i++)
          bytes[i] = round % 3 == 1 ? (uint8_t) random_next (&random) : 0;
      bool same = memcmp (bytes, whole, end) == 0;
      file_store (segment_path (&place, 1), bytes, size);
      struct seen seen = { .next = 1, .size = hundred };
      status result
          = wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure);
      CHECK_INT (result, same ? STATUS_OK : STATUS_CORRUPT);
      failure = FAILURE_INIT;
      seen = (struct seen){ .next = 1, .gaps = true, .size = hundred };
      CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
      CHECK_INT (out.last_sequence, 500);
      CHECK_INT (out.records + out.lost, 500);
      CHECK (out.lost <= (length + 2 * 4096) / 100 + 2);
    }
  free (bytes);
  free (whole);
  place_close (&place);
}

/* ---- failures of the disk ---- */

static void
check_dead (struct place *place, uint64_t sequence)
{
  struct failure failure;
  CHECK (wal_failed (place->wal));
  uint64_t synced = wal_synced (place->wal);
  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_FAILS (append_sized (place, sequence, 10, i == 0, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_FAILS (wal_sync (place->wal, 1, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_FAILS (wal_prepare (place->wal, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_OK (wal_release (place->wal, sequence - 1, &failure));
    }
  CHECK_INT (wal_synced (place->wal), synced);
}

static void
test_failed_sync (bool directory)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 10, true);
  if (directory)
    plan.directory_sync_error = EIO;
  else
    plan.sync_after = 0;
  CHECK_FAILS (wal_sync (place.wal, 10, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK_INT (failure.system_error, EIO);
  plan_reset ();
  CHECK_INT (wal_synced (place.wal), 0);
  check_dead (&place, 11);
  log_close (&place, false);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 10);
  place_close (&place);
}

/* The second of three segments fails to sync: what was synced before counts, no more. */
static void
test_failed_later_sync (void)
{
  struct place place;
  struct failure failure;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, false, 1);
  for (; place.next_number <= 3; sequence++)
    append (&place, sequence, sequence, false);
  plan.sync_after = 1;
  CHECK_FAILS (wal_sync (place.wal, sequence - 1, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK (wal_synced (place.wal) > 0 && wal_synced (place.wal) < sequence - 2);
  check_dead (&place, sequence);
  place_close (&place);
}

static void
test_full_disk (bool map)
{
  struct place place;
  struct failure failure;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, 2 * SEGMENT_SIZE, map, 1);

  plan.allocate_error = ENOSPC;
  CHECK_FAILS (append_sized (&place, 1, payload_size (1), true, &failure), STATUS_NO_SPACE);
  CHECK_FAILS (wal_prepare (place.wal, &failure), STATUS_NO_SPACE);
  CHECK (wal_wants_preparing (place.wal));
  CHECK_INT (count_files (&place).files, 0);
  plan_reset ();

  for (unsigned round = 0; round < 30; round++)
    {
      /* Up to the place where a new segment is needed, which can't be had. */
      plan.write_error = ENOSPC;
      plan.allocate_error = round % 2 == 0 ? ENOSPC : 0;
      status result;
      do
        {
          /* Writes of records go through; making a segment takes at least two. */
          plan.write_after = 1;
          failure = FAILURE_INIT;
          result = append_sized (&place, sequence, payload_size (sequence), map, &failure);
          sequence += result == STATUS_OK;
        }
      while (result == STATUS_OK);
      CHECK_INT (result, STATUS_NO_SPACE);
      unsigned files = count_files (&place).files;
      CHECK_FAILS (append_sized (&place, sequence, payload_size (sequence), map, &failure),
                   STATUS_NO_SPACE);
      CHECK_INT (count_files (&place).files, files);
      CHECK (!wal_failed (place.wal));
      plan_reset ();
      append (&place, sequence, sequence, map);
      sequence++;
      CHECK_OK (wal_sync (place.wal, sequence - 1, &failure));
      if (round % 4 == 3)
        CHECK_OK (wal_release (place.wal, 0, &failure));
    }
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), sequence - 1);
  place_close (&place);
}

/* A record's own write fails. */
static void
test_failed_write (int error, bool half, size_t size, bool retryable)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  log_open (&place, 64 * SEGMENT_SIZE, false, 1);
  append (&place, 1, 10, false);
  /* A segment for the large one first, so that only its own writes fail. */
  while (size > SEGMENT_SIZE && place.next_number < 5)
    append (&place, wal_appended (place.wal) + 1, wal_appended (place.wal) + 1, false);
  uint64_t sequence = wal_appended (place.wal) + 1;

  for (unsigned after = 0; after < (size > 1 << 20 ? 3 : 1); after++)
    {
      plan.write_after = (int) after;
      plan.write_error = error;
      plan.write_half = half;
      status expected = retryable ? STATUS_NO_SPACE : STATUS_UNKNOWN_OUTCOME;
      CHECK_FAILS (append_sized (&place, sequence, size, false, &failure), expected);
      CHECK (strstr (failure.message, "injected") != NULL);
      CHECK_INT (failure.system_error, error);
      plan_reset ();
      CHECK_INT (wal_appended (place.wal), sequence - 1);
      if (!retryable)
        {
          check_dead (&place, sequence);
          break;
        }
    }
  if (retryable)
    append (&place, sequence, sequence, false);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), retryable ? sequence : sequence - 1);
  place_close (&place);
}

static void
test_fallbacks (void)
{
  struct place place;
  struct failure failure;
  struct wal_statistics statistics;
  place_open (&place);
  plan.refuse_map = true;
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 1000, true);
  wal_statistics (place.wal, &statistics);
  CHECK (!statistics.mapped);
  CHECK_INT (recover_to (&place, 0, payload_size, NULL), 1000);
  place_close (&place);

  place_open (&place);
  plan.allocate_error = EOPNOTSUPP;
  log_open (&place, SEGMENT_SIZE, true, 1);
  append (&place, 1, 1000, true);
  CHECK_OK (append_sized (&place, 1001, 100000, true, &failure));
  CHECK_INT (recover_to (&place, 0, NULL, NULL), 1001);
  CHECK_INT (ledger_used (&place.ledger, LEDGER_LOG), 0);
  place_close (&place);
}

/* Preparing and releasing fail softly. */
static void
test_failed_housekeeping (void)
{
  struct place place;
  struct failure failure;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  plan.directory_sync_error = EIO;
  CHECK_FAILS (wal_prepare (place.wal, &failure), STATUS_IO);
  CHECK_INT (count_files (&place).files, 0);
  plan_reset ();
  plan.sync_after = 0;
  CHECK_FAILS (wal_prepare (place.wal, &failure), STATUS_IO);
  CHECK (!wal_failed (place.wal));
  CHECK_INT (count_files (&place).files, 0);
  plan_reset ();
  CHECK_OK (wal_prepare (place.wal, &failure));
  CHECK_OK (wal_prepare (place.wal, &failure));
  CHECK_INT (count_files (&place).files, 1);
  CHECK (!wal_wants_preparing (place.wal));

  while (place.next_number < 6)
    append (&place, sequence, sequence, true), sequence++;
  CHECK_OK (append_sized (&place, sequence++, 70000, true, &failure));
  for (uint64_t number = place.next_number; place.next_number == number; sequence++)
    append (&place, sequence, sequence, true);
  CHECK_OK (wal_release (place.wal, 50, &failure));
  unsigned files = count_files (&place).files;
  plan.unlink_error = EACCES;
  CHECK_FAILS (wal_release (place.wal, sequence - 1, &failure), STATUS_DENIED);
  CHECK_INT (count_files (&place).files, files);
  plan_reset ();
  plan.rename_error = EIO;
  CHECK_FAILS (wal_prepare (place.wal, &failure), STATUS_IO);
  plan_reset ();
  CHECK_OK (wal_prepare (place.wal, &failure));
  append (&place, sequence, sequence + 1000, true);
  CHECK_INT (recover_to (&place, sequence - 1, payload_size, NULL), sequence + 1000);
  place_close (&place);
}

static void
test_unreadable (void)
{
  struct place place;
  struct failure failure;
  struct wal_recovery out;
  uint64_t first[4], last = three_segments (&place, true, first);
  struct seen seen = { .next = 1, .size = payload_size };
  plan.read_error = EIO;
  CHECK_FAILS (wal_recover (place.directory, database_id, 0, false, see, &seen, &out, &failure),
               STATUS_IO);
  CHECK_OK (wal_recover (place.directory, database_id, 0, true, see, &seen, &out, &failure));
  CHECK_INT (out.last_sequence, last);
  place_close (&place);
}

/* ---- threads ---- */

struct crew
{
  struct place place;
  _Atomic bool done;
  _Atomic uint64_t released;
};

#define CREW_COMMITS 20000

static void *
crew_sync (void *data)
{
  struct crew *crew = data;
  struct failure failure;
  while (!crew->done)
    {
      uint64_t appended = wal_appended (crew->place.wal);
      CHECK_OK (wal_sync (crew->place.wal, appended, &failure));
      CHECK (wal_synced (crew->place.wal) >= appended);
      usleep (200);
    }
  return NULL;
}

static void *
crew_prepare (void *data)
{
  struct crew *crew = data;
  struct failure failure;
  while (!crew->done)
    {
      if (wal_wants_preparing (crew->place.wal))
        CHECK_OK (wal_prepare (crew->place.wal, &failure));
      wal_trim (crew->place.wal, 2);
      usleep (100);
    }
  return NULL;
}

static void *
crew_release (void *data)
{
  struct crew *crew = data;
  struct failure failure;
  struct wal_statistics statistics;
  while (!crew->done)
    {
      uint64_t appended = wal_appended (crew->place.wal);
      uint64_t released = appended > 500 ? appended - 500 : 0;
      CHECK_OK (wal_release (crew->place.wal, released, &failure));
      crew->released = released > crew->released ? released : crew->released;
      wal_statistics (crew->place.wal, &statistics);
      CHECK (wal_synced (crew->place.wal) <= wal_appended (crew->place.wal));
      usleep (1000);
    }
  return NULL;
}

static void
test_threads (bool map)
{
  static struct crew crew;
  static void *(*const duties[]) (void *) = { crew_sync, crew_prepare, crew_release };
  struct failure failure;
  pthread_t threads[3];
  memset (&crew, 0, sizeof crew);
  place_open (&crew.place);
  log_open (&crew.place, SEGMENT_SIZE, map, 1);
  for (unsigned i = 0; i < 3; i++)
    CHECK (pthread_create (&threads[i], NULL, duties[i], &crew) == 0);
  for (uint64_t sequence = 1; sequence <= CREW_COMMITS; sequence++)
    {
      size_t size = sequence % 5000 == 0 ? 100000 : payload_size (sequence);
      CHECK_OK (append_sized (&crew.place, sequence, size, sequence % 4 != 0, &failure));
      if (sequence % 1000 == 0)
        usleep (500);
    }
  crew.done = true;
  for (unsigned i = 0; i < 3; i++)
    pthread_join (threads[i], NULL);
  CHECK_INT (recover_to (&crew.place, crew.released, NULL, NULL), CREW_COMMITS);
  place_close (&crew.place);
}

/* A record is durable only by a sync that began after it was appended. */
static void *
crew_truth (void *data)
{
  struct crew *crew = data;
  struct failure failure;
  while (!crew->done)
    CHECK_OK (wal_sync (crew->place.wal, wal_appended (crew->place.wal), &failure));
  return NULL;
}

static void
test_synced_is_true (void)
{
  static struct crew crew;
  struct failure failure;
  pthread_t thread;
  memset (&crew, 0, sizeof crew);
  place_open (&crew.place);
  log_open (&crew.place, SEGMENT_SIZE, true, 1);
  CHECK (pthread_create (&thread, NULL, crew_truth, &crew) == 0);
  for (uint64_t sequence = 1; sequence <= 5000; sequence++)
    {
      int before = plan.syncs;
      CHECK_OK (append_sized (&crew.place, sequence, 40, sequence % 2 == 0, &failure));
      if (wal_synced (crew.place.wal) >= sequence)
        CHECK (plan.syncs > before);
    }
  crew.done = true;
  pthread_join (thread, NULL);
  place_close (&crew.place);
}

/* What other threads do in the middle of a sync, at a place of the test's choosing. */
static struct place *busy;

static void
release_during_sync (struct vfs_file *file)
{
  struct failure failure;
  char path[700];
  CHECK_OK (wal_release (busy->wal, wal_appended (busy->wal), &failure));
  wal_trim (busy->wal, 0);
  snprintf (path, sizeof path, "%s/%s", busy->path, file->name);
  CHECK (access (path, F_OK) == 0);
}

static void
rotate_during_sync (struct vfs_file *file)
{
  struct failure failure;
  uint64_t sequence = wal_appended (busy->wal);
  for (unsigned i = 0; i < 3; i++)
    CHECK_OK (append_sized (busy, ++sequence, 70000, true, &failure));
}

static void
test_interleavings (void)
{
  struct place place;
  struct failure failure;
  place_open (&place);
  busy = &place;
  log_open (&place, SEGMENT_SIZE, true, 1);
  while (place.next_number < 3)
    append (&place, wal_appended (place.wal) + 1, wal_appended (place.wal) + 1, true);
  uint64_t last = wal_appended (place.wal);
  during_sync = release_during_sync;
  CHECK_OK (wal_sync (place.wal, last, &failure));
  CHECK_INT (wal_synced (place.wal), last);
  /* What waited for the sync is released now. */
  wal_trim (place.wal, 0);
  CHECK_INT (count_files (&place).files, 1);

  /* A segment that was overtaken while it was prepared is not used under its number. */
  during_sync = rotate_during_sync;
  CHECK_OK (wal_prepare (place.wal, &failure));
  append (&place, last + 4, last + 1000, true);
  CHECK_INT (recover_to (&place, last, NULL, NULL), last + 1000);
  place_close (&place);
}

/* ---- killed processes ---- */

/* Appends until it is killed; reports each sequence after it is acknowledged. */
static void
child_append (struct place *place, int to, unsigned round)
{
  struct failure failure;
  struct random random = { round };
  log_open (place, SEGMENT_SIZE, round % 4 != 3, 1);
  for (uint64_t sequence = 1;; sequence++)
    {
      append (place, sequence, sequence, random_below (&random, 8) != 0);
      if (random_below (&random, 100) == 0)
        CHECK_OK (wal_sync (place->wal, sequence, &failure));
      if (wal_wants_preparing (place->wal))
        CHECK_OK (wal_prepare (place->wal, &failure));
      if (write (to, &sequence, sizeof sequence) != sizeof sequence)
        _exit (1);
    }
}

static void
test_killed (unsigned round)
{
  struct place place;
  int ends[2];
  uint64_t acknowledged = 0, sequence;
  struct random random = { round + 1000 };
  place_open (&place);
  CHECK (pipe (ends) == 0);
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      close (ends[0]);
      child_append (&place, ends[1], round);
    }
  close (ends[1]);
  uint64_t until = 1 + random_below (&random, 3000);
  while (read (ends[0], &sequence, sizeof sequence) == sizeof sequence)
    {
      CHECK_INT (sequence, acknowledged + 1);
      acknowledged = sequence;
      if (sequence == until)
        CHECK (kill (child, SIGKILL) == 0);
    }
  CHECK (acknowledged >= until);
  CHECK (waitpid (child, NULL, 0) == child);
  close (ends[0]);
  uint64_t recovered = recover_to (&place, 0, payload_size, NULL);
  CHECK (recovered == acknowledged || recovered == acknowledged + 1);
  place_close (&place);
}

/* ---- mutated files ---- */

#define IMAGES_MOST 8

struct image
{
  uint64_t number;
  uint8_t *bytes;
  size_t size;
};

static void
mutate (struct random *random, const struct image *images, unsigned count, uint8_t *bytes,
        size_t *size)
{
  size_t at = (size_t) random_below (random, *size), length;
  length = (size_t) random_below (random, random_below (random, 2) ? *size - at : 64);
  if (length > *size - at)
    length = *size - at;
  const struct image *other = &images[random_below (random, count)];
  switch (random_below (random, 8))
    {
    case 0:
    case 1:
      bytes[at] ^= (uint8_t) (1u << random_below (random, 8));
      break;
    case 2:
      memset (bytes + at, (int) random_below (random, 256), length);
      break;
    case 3:
      memset (bytes + at, 0, length);
      break;
    case 4:
      *size = at;
      break;
    case 5: /* bytes of another place in the log */
      length = length < other->size ? length : other->size;
      memcpy (bytes + at, other->bytes + random_below (random, other->size - length + 1), length);
      break;
    case 6: /* a field of a header or record */
      at &= ~(size_t) 7;
      if (*size - at >= 8)
        store_u64 (bytes + at, random_next (random) >> random_below (random, 64));
      break;
    default: /* a header that verifies and is wrong */
      if (*size >= 64)
        {
          bytes[8 + random_below (random, 48)] ^= (uint8_t) (1u << random_below (random, 8));
          store_u64 (bytes + 56, checksum (checksum_seed (bytes + 24, load_u64 (bytes + 16)), 0,
                                           BYTES (bytes, 56)));
        }
      break;
    }
}

static void
test_mutations (unsigned rounds)
{
  struct place place;
  struct failure failure;
  struct random random = { 20 };
  struct image images[IMAGES_MOST];
  unsigned count = 0;
  uint64_t sequence = 1;
  place_open (&place);
  log_open (&place, SEGMENT_SIZE, true, 1);
  for (; place.next_number < 7; sequence++)
    {
      append (&place, sequence, sequence, true);
      if (sequence % 50 == 0)
        CHECK_OK (wal_sync (place.wal, sequence, &failure));
      if (place.next_number == 4)
        CHECK_OK (wal_release (place.wal, 350, &failure));
    }
  log_close (&place, false);
  for (uint64_t number = 1; number < 7; number++)
    if (access (segment_path (&place, number), R_OK) == 0)
      {
        images[count].number = number;
        images[count].bytes = file_load (segment_path (&place, number), &images[count].size);
        count++;
      }
  CHECK (count >= 4);

  uint8_t *bytes = malloc (SEGMENT_SIZE);
  unsigned outcomes[2] = { 0, 0 };
  for (unsigned round = 0; round < rounds; round++)
    {
      const struct image *image = &images[random_below (&random, count)];
      size_t size = image->size;
      memcpy (bytes, image->bytes, size);
      for (uint64_t i = 0, changes = 1 + random_below (&random, 4); i < changes && size > 0; i++)
        mutate (&random, images, count, bytes, &size);
      file_store (segment_path (&place, image->number), bytes, size);

      struct wal_recovery out;
      for (unsigned salvage = 0; salvage < 2; salvage++)
        {
          uint64_t after = random_below (&random, 2) ? 350 : random_below (&random, sequence);
          struct seen seen = { .next = after + 1, .gaps = salvage != 0, .size = payload_size };
          failure = FAILURE_INIT;
          status result = wal_recover (place.directory, database_id, after, salvage != 0, see,
                                       &seen, &out, &failure);
          CHECK (result == STATUS_OK || failure.code == result);
          CHECK (result == STATUS_OK || result == STATUS_CORRUPT || result == STATUS_NEWER_FORMAT);
          if (salvage == 0)
            outcomes[result == STATUS_OK]++;
        }
      /* Every other time the damage stays, so that it gathers. */
      if (round % 4 != 0)
        file_store (segment_path (&place, image->number), image->bytes, image->size);
      else if (round % 64 == 0)
        for (unsigned i = 0; i < count; i++)
          file_store (segment_path (&place, images[i].number), images[i].bytes, images[i].size);
    }
  CHECK (outcomes[0] > rounds / 20 && outcomes[1] > rounds / 20);
  for (unsigned i = 0; i < count; i++)
    free (images[i].bytes);
  free (bytes);
  place_close (&place);
}

int
main (void)
{
  for (unsigned round = 0; round < 20; round++)
    test_killed (round);
  test_round_trip (true, true);
  test_round_trip (true, false);
  test_round_trip (false, true);
  test_mixed ();
  test_mapped_bounded (false);
  test_mapped_bounded (true);
  for (unsigned map = 0; map < 2; map++)
    {
      test_recycling (map != 0);
      test_stale (map != 0);
      test_torn_tail (map != 0, false);
      test_torn_tail (map != 0, true);
      test_full_disk (map != 0);
      test_threads (map != 0);
      test_big (map != 0, SEGMENT_SIZE);
      test_big (map != 0, 64 * SEGMENT_SIZE);
    }
  test_referring ();
  test_limits ();
  test_damage ();
  test_missing_segment ();
  test_segment_states ();
  test_runs ();
  test_hostile (true);
  test_hostile (false);
  test_heads ();
  test_lost_way ();
  test_failed_sync (false);
  test_failed_sync (true);
  test_failed_later_sync ();
  test_failed_write (ENOSPC, false, 100, true);
  test_failed_write (ENOSPC, true, 100, false);
  test_failed_write (EIO, false, 100, false);
  test_failed_write (ENOSPC, false, 2 << 20, true);
  test_failed_write (EIO, true, 2 << 20, false);
  test_fallbacks ();
  test_failed_housekeeping ();
  test_unreadable ();
  test_synced_is_true ();
  test_interleavings ();
  test_mutations (2000);
  return 0;
}
