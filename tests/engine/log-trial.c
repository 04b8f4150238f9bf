/* SPDX-License-Identifier: MIT */
#include "log-trial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

const uint8_t database_id[16] = "database-id-0123";

struct fault_plan plan;

void (*during_sync) (struct vfs_file *file);
void (*during_unmap) (struct vfs_file *file);

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

void
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

struct listing
{
  bool (*visit) (void *data, const char *name);
  void *data;
  char hidden[32]; /* a name that is not told; empty: none */
};

static bool
visit_all_but (void *data, const char *name)
{
  const struct listing *listing = data;
  return strcmp (name, listing->hidden) == 0 || listing->visit (listing->data, name);
}

static status
fault_directory_list (struct vfs_directory *directory, bool (*visit) (void *data, const char *name),
                      void *data, struct failure *failure)
{
  struct listing listing = { visit, data, "" };
  if (plan.hide_in > 0)
    {
      plan.hide_in--;
      snprintf (listing.hidden, sizeof listing.hidden, "%llu.log", (unsigned long long) plan.hide);
    }
  return vfs_directory_list (inner_directory (directory), visit_all_but, &listing, failure);
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
  if (plan.hole != 0 && offset >= plan.hole)
    {
      memset (to, 0, size);
      *got = size;
      plan.read_to = offset + size > plan.read_to ? offset + size : plan.read_to;
      return STATUS_OK;
    }
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
  void (*hook) (struct vfs_file *) = during_unmap;
  if (hook != NULL)
    {
      during_unmap = NULL;
      hook (file);
    }
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

static uint64_t
take_number (void *context)
{
  return atomic_fetch_add (&((struct place *) context)->next_number, 1);
}

void
place_open (struct place *place)
{
  struct failure failure;
  memset (place, 0, sizeof *place);
  plan_reset ();
  place->path = fresh_directory ();
  place->next_number = 1;
  CHECK_OK (vfs_directory_open (&fault_vfs, place->path, false, &place->directory, &failure));
}

void
place_close (struct place *place)
{
  plan_reset ();
  wal_close (place->wal, false);
  CHECK_INT (ledger_used (&place->ledger, LEDGER_LOG), 0);
  vfs_directory_close (place->directory);
  remove_directory (place->path);
}

void
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
    .retention = place->retention,
  };
  memcpy (settings.database_id, database_id, 16);
  CHECK_OK (wal_open (&settings, &place->wal, &failure));
}

void
log_close (struct place *place, bool unlink_all)
{
  wal_close (place->wal, unlink_all);
  place->wal = NULL;
}

size_t
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

status
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

void
append (struct place *place, uint64_t from, uint64_t to, bool store)
{
  struct failure failure;
  for (uint64_t sequence = from; sequence <= to; sequence++)
    CHECK_OK (append_sized (place, sequence, payload_size (sequence), store, &failure));
}

status
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

uint64_t
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

status
recover_status (struct place *place, uint64_t after, struct failure *failure)
{
  struct wal_recovery out;
  struct seen seen = { .next = after + 1, .size = payload_size };
  return wal_recover (place->directory, database_id, after, false, see, &seen, &out, failure);
}

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

struct count
count_files (struct place *place)
{
  struct failure failure;
  struct count count = { .path = place->path };
  CHECK_OK (wal_list (place->directory, count_file, &count, &failure));
  return count;
}

char *
segment_path (struct place *place, uint64_t number)
{
  static char path[600];
  snprintf (path, sizeof path, "%s/%" PRIu64 ".log", place->path, number);
  return path;
}

uint8_t *
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

void
file_store (const char *path, const uint8_t *bytes, size_t size)
{
  int descriptor = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK (descriptor >= 0);
  CHECK (pwrite (descriptor, bytes, size, 0) == (ssize_t) size);
  close (descriptor);
}

void
file_patch (const char *path, uint64_t offset, const void *bytes, size_t size)
{
  int descriptor = open (path, O_WRONLY);
  CHECK (descriptor >= 0);
  CHECK (pwrite (descriptor, bytes, size, (off_t) offset) == (ssize_t) size);
  close (descriptor);
}

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

struct shape
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

uint64_t
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

uint64_t
checksum_offset (const uint8_t *bytes, uint64_t offset)
{
  struct shape shape = record_shape (bytes, offset);
  return offset + (shape.is_long ? 5 : shape.head - 4);
}

uint64_t
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
