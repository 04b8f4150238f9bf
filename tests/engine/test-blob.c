/* SPDX-License-Identifier: MIT */
/* blob.h: what is put comes back, nothing damaged does; failing disks. */
#include "blob/blob.h"

#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* --- a file layer that fails when told to ----------------------------------------------------- */

struct faults
{
  _Atomic int write_in;                       /* the n-th write from now fails (0 = none) */
  _Atomic int sync_in;                        /* the n-th fdatasync */
  _Atomic int directory_sync_in;              /* the n-th directory sync */
  _Atomic int writes, syncs, directory_syncs; /* calls so far */
  _Atomic int open_files;
};

struct faulty_directory
{
  struct vfs_directory directory;
  struct vfs_directory *real; /* owned */
};

struct faulty_file
{
  struct vfs_file file;
  struct vfs_file *real; /* owned */
};

static struct faults faults;
static void (*during_sync) (void);    /* called once, in the middle of the next one */
static struct vfs_file *being_synced; /* while that is called */

static bool
strikes (_Atomic int *countdown)
{
  int left = atomic_load (countdown);
  return left > 0 && atomic_fetch_sub (countdown, 1) == 1;
}

static struct vfs_directory *
real_directory (struct vfs_directory *directory)
{
  return ((struct faulty_directory *) directory)->real;
}

static struct vfs_file *
real_file (struct vfs_file *file)
{
  return ((struct faulty_file *) file)->real;
}

static status
faulty_directory_open (const struct vfs *vfs, const char *path, bool create,
                       struct vfs_directory **out, struct failure *failure)
{
  struct faulty_directory *opened = calloc (1, sizeof *opened);
  status result = vfs_directory_open (vfs_posix (), path, create, &opened->real, failure);
  CHECK (result == STATUS_OK);
  opened->directory = (struct vfs_directory){ vfs, strdup (path) };
  *out = &opened->directory;
  return STATUS_OK;
}

static void
faulty_directory_close (struct vfs_directory *directory)
{
  vfs_directory_close (real_directory (directory));
  free (directory->path);
  free (directory);
}

static status
faulty_directory_sync (struct vfs_directory *directory, struct failure *failure)
{
  faults.directory_syncs++;
  if (strikes (&faults.directory_sync_in))
    return fail_system (failure, EIO, "%s (as told)", directory->path);
  return vfs_directory_sync (real_directory (directory), failure);
}

static status
faulty_unlink (struct vfs_directory *directory, const char *name, struct failure *failure)
{
  return vfs_unlink (real_directory (directory), name, failure);
}

static status
faulty_open (struct vfs_directory *directory, const char *name, unsigned flags,
             struct vfs_file **out, struct failure *failure)
{
  struct vfs_file *real;
  status result = vfs_open (real_directory (directory), name, flags, &real, failure);
  *out = NULL;
  if (result != STATUS_OK)
    return result;
  struct faulty_file *opened = calloc (1, sizeof *opened);
  opened->file = (struct vfs_file){ directory->vfs, directory, strdup (name) };
  opened->real = real;
  *out = &opened->file;
  faults.open_files++;
  return STATUS_OK;
}

static void
faulty_close (struct vfs_file *file)
{
  CHECK (file != being_synced);
  vfs_close (real_file (file));
  free (file->name);
  free (file);
  faults.open_files--;
}

static status
faulty_read (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
             struct failure *failure)
{
  return vfs_read (real_file (file), offset, to, size, got, failure);
}

static status
faulty_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
              struct failure *failure)
{
  faults.writes++;
  if (strikes (&faults.write_in))
    return fail_system (failure, ENOSPC, "%s (as told)", file->name);
  return vfs_write (real_file (file), offset, from, size, failure);
}

static status
faulty_sync_data (struct vfs_file *file, struct failure *failure)
{
  void (*hook) (void) = during_sync;
  during_sync = NULL;
  faults.syncs++;
  if (hook != NULL)
    {
      being_synced = file;
      hook ();
      being_synced = NULL;
    }
  if (strikes (&faults.sync_in))
    return fail_system (failure, EIO, "%s (as told)", file->name);
  return vfs_sync_data (real_file (file), failure);
}

static status
faulty_information (struct vfs_file *file, struct vfs_file_information *out,
                    struct failure *failure)
{
  return vfs_information (real_file (file), out, failure);
}

static const struct vfs faulty = {
  .name = "faulty",
  .directory_open = faulty_directory_open,
  .directory_close = faulty_directory_close,
  .directory_sync = faulty_directory_sync,
  .unlink = faulty_unlink,
  .open = faulty_open,
  .close = faulty_close,
  .read = faulty_read,
  .write = faulty_write,
  .sync_data = faulty_sync_data,
  .information = faulty_information,
};

/* --- the stage -------------------------------------------------------------------------------- */

static const uint8_t database_id[16] = "sixteen bytes id";
static struct failure failure;
static struct vfs_directory *directory;
static char *root;
static _Atomic uint64_t last_number;

static uint64_t
next_number (void *context)
{
  CHECK (context == &last_number);
  return ++last_number;
}

static struct blob_writer *
new_writer (uint64_t file_size)
{
  struct blob_writer_settings settings = { .directory = directory,
                                           .file_size = file_size,
                                           .next_number = next_number,
                                           .next_number_context = &last_number };
  struct blob_writer *writer;
  memcpy (settings.database_id, database_id, 16);
  CHECK_OK (blob_writer_new (&settings, &writer, &failure));
  return writer;
}

static void
set_stage (void)
{
  root = fresh_directory ();
  memset (&faults, 0, sizeof faults);
  CHECK_OK (vfs_directory_open (&faulty, root, false, &directory, &failure));
}

static void
clear_stage (void)
{
  CHECK_INT (faults.open_files, 0);
  vfs_directory_close (directory);
  remove_directory (root);
}

static uint8_t *
pattern (uint64_t seed, size_t size)
{
  struct random random = { seed };
  uint8_t *data = malloc (size + 8);
  for (size_t i = 0; i < size; i += 8)
    store_u64 (data + i, random_next (&random));
  return data;
}

/* The value at `reference` is pattern (seed, size). */
static void
expect_value (const struct blob_reference *reference, uint64_t seed, size_t size)
{
  struct blob_file *file;
  uint8_t *expected = pattern (seed, size), *found = malloc (size + 1);
  CHECK_INT (reference->size, size);
  CHECK_OK (blob_file_open (directory, database_id, reference->file, &file, &failure));
  CHECK_INT (blob_file_number (file), reference->file);
  CHECK_OK (blob_file_read (file, reference, found, &failure));
  CHECK (memcmp (found, expected, size) == 0);
  blob_file_unref (file);
  free (found);
  free (expected);
}

static struct blob_reference
put_pattern (struct blob_writer *writer, uint64_t seed, size_t size)
{
  struct blob_reference reference;
  uint8_t *data = pattern (seed, size);
  CHECK_OK (blob_writer_put (writer, BYTES (data, size), &reference, &failure));
  free (data);
  return reference;
}

static void
add_size (void *data, uint64_t number, uint64_t size)
{
  uint64_t *total = data;
  CHECK (number > 0 && number <= last_number);
  CHECK (size >= 64);
  total[0]++;
  total[1] += size;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void
test_references (void)
{
  uint8_t stored[BLOB_REFERENCE_SIZE];
  struct blob_reference reference = { 7, 64, VALUE_SIZE_MAX }, loaded;
  blob_reference_store (stored, &reference);
  CHECK (blob_reference_load (BYTES (stored, sizeof stored), &loaded));
  CHECK (loaded.file == 7 && loaded.offset == 64 && loaded.size == VALUE_SIZE_MAX);
  CHECK (!blob_reference_load (BYTES (stored, sizeof stored - 1), &loaded));
  const struct blob_reference bad[] = {
    { 7, 64, VALUE_SIZE_MAX + 1 },
    { 7, 65, 10 },
    { 7, 56, 10 },
    { 7, 0, 10 },
    { 7, UINT64_MAX - 7, 10 },
    { 7, INT64_MAX - 7, 10 },
    { 7, 64, UINT64_MAX },
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    {
      blob_reference_store (stored, &bad[i]);
      CHECK (!blob_reference_load (BYTES (stored, sizeof stored), &loaded));
    }
}

static void
test_streaming_checksum (void)
{
  struct random random = { 3 };
  uint8_t *data = pattern (1, 5000);
  for (int round = 0; round < 200; round++)
    {
      size_t size = random_below (&random, 5001), done = 0;
      struct checksum_stream *stream = checksum_stream_new (99, 64);
      while (done < size)
        {
          size_t part = random_below (&random, size - done + 1);
          checksum_stream_add (stream, BYTES (data + done, part));
          done += part;
        }
      CHECK (checksum_stream_result (stream) == checksum (99, 64, BYTES (data, size)));
      checksum_stream_free (stream);
    }
  free (data);
}

static void
test_put_and_rotate (void)
{
  enum
  {
    COUNT = 200
  };
  struct blob_reference references[COUNT];
  size_t sizes[COUNT];
  struct random random = { 5 };
  set_stage ();
  struct blob_writer *writer = new_writer (100000);
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_INT (faults.syncs + faults.directory_syncs, 0);
  uint64_t least = 0;
  for (int i = 0; i < COUNT; i++)
    {
      sizes[i] = i == 17 ? 300000 : i == 18 ? 0 : random_below (&random, 20000);
      references[i] = put_pattern (writer, (uint64_t) i, sizes[i]);
      CHECK (references[i].offset % 8 == 0 && references[i].offset >= 64);
      least += sizes[i] + 8;
      if (i % 16 == 0) /* readable before it is durable, and before the file is sealed */
        expect_value (&references[i], (uint64_t) i, sizes[i]);
    }
  uint64_t files[2] = { 0, 0 };
  blob_writer_files (writer, add_size, files);
  CHECK (files[0] > 10 && files[1] >= least);
  CHECK (faults.open_files <= 9);
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_INT (faults.open_files, 1);

  /* Nothing dirty: no system call. A known file: no directory sync. */
  int syncs = faults.syncs, directory_syncs = faults.directory_syncs;
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_INT (faults.syncs, syncs);
  struct blob_reference more = put_pattern (writer, 1000, 10);
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_INT (faults.syncs, syncs + 1);
  CHECK_INT (faults.directory_syncs, directory_syncs);

  CHECK_OK (blob_writer_seal (writer, &failure));
  CHECK_INT (faults.open_files, 0);
  struct blob_reference after = put_pattern (writer, 1001, 10);
  CHECK (after.file != more.file);
  struct blob_reference too_large;
  CHECK_FAILS (blob_writer_put (writer, BYTES ("", VALUE_SIZE_MAX + 1), &too_large, &failure),
               STATUS_VALUE_TOO_LARGE);
  blob_writer_free (writer);
  for (int i = 0; i < COUNT; i++)
    expect_value (&references[i], (uint64_t) i, sizes[i]);
  expect_value (&after, 1001, 10);
  clear_stage ();
}

/* Where a value stood whose commit was refused, one other is put. */
static void
test_space_given_back (void)
{
  set_stage ();
  struct blob_writer *writer = new_writer (1 << 20);
  struct blob_reference refused = put_pattern (writer, 1, 1000);
  struct blob_reference kept = put_pattern (writer, 2, 1000);
  blob_writer_take_back (writer, &refused);
  struct blob_reference again = put_pattern (writer, 3, 1000);
  struct blob_reference behind = put_pattern (writer, 4, 1000);
  CHECK (again.file == refused.file && again.offset == refused.offset);
  CHECK (behind.offset > kept.offset);
  blob_writer_free (writer);
  expect_value (&kept, 2, 1000);
  expect_value (&again, 3, 1000);
  expect_value (&behind, 4, 1000);
  clear_stage ();
}

static struct blob_writer *synced_writer;

/* Into the file that is being synced, and a larger one for which the next is begun. */
static void
put_during_sync (void)
{
  put_pattern (synced_writer, 2, 1000);
  put_pattern (synced_writer, 3, 90000);
}

/* W2, W4: what is put while a sync is under way is not durable by it, and the file it is in stays
 * open for the next one. */
static void
test_put_during_sync (void)
{
  set_stage ();
  struct blob_writer *writer = synced_writer = new_writer (100000);
  put_pattern (writer, 1, 20000);
  during_sync = put_during_sync;
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_INT (faults.syncs, 1);
  CHECK_INT (faults.open_files, 2);
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_INT (faults.syncs, 3); /* both files */
  CHECK_INT (faults.open_files, 1);
  blob_writer_free (writer);
  clear_stage ();
}

static _Atomic bool sealed;
static pthread_t sealer;

static void *
seal (void *data)
{
  struct failure own = FAILURE_INIT;
  CHECK (blob_writer_seal (data, &own) == STATUS_OK);
  atomic_store (&sealed, true);
  return NULL;
}

/* Another thread has time enough to be wrong: when it is right, it waits for the end of the sync. */
static void
seal_during_sync (void)
{
  CHECK (pthread_create (&sealer, NULL, seal, synced_writer) == 0);
  for (unsigned i = 0; i < 100 && !atomic_load (&sealed); i++)
    nanosleep (&(struct timespec){ 0, 1000000 }, NULL);
  CHECK_INT (faults.open_files, 2);
}

/* W3: a sync walks its files while another thread gives the writer's up. */
static void
test_seal_during_sync (void)
{
  set_stage ();
  struct blob_writer *writer = synced_writer = new_writer (100000);
  put_pattern (writer, 1, 20000);
  put_pattern (writer, 2, 90000);
  during_sync = seal_during_sync;
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK (pthread_join (sealer, NULL) == 0);
  CHECK_INT (faults.syncs, 2);
  CHECK_INT (faults.open_files, 0);
  blob_writer_free (writer);
  clear_stage ();
}

/* Parts of any size arrive as the value they make; a wrong total, an abort or a full disk does not.
 */
static void
test_streams (void)
{
  struct random random = { 11 };
  set_stage ();
  struct blob_writer *writer = new_writer (1 << 20);
  for (uint64_t round = 0; round < 60; round++)
    {
      size_t size = random_below (&random, 400000), done = 0;
      uint8_t *data = pattern (round, size);
      struct blob_stream *stream;
      struct blob_reference reference;
      CHECK_OK (blob_stream_begin (writer, size, &stream, &failure));
      while (done < size)
        {
          size_t most = random_below (&random, 4) == 0 ? 200000 : 3000;
          size_t part = random_below (&random, (size - done < most ? size - done : most) + 1);
          CHECK_OK (blob_stream_append (stream, BYTES (data + done, part), &failure));
          done += part;
        }
      CHECK_OK (blob_stream_end (stream, &reference, &failure));
      expect_value (&reference, round, size);
      free (data);
    }

  struct blob_stream *stream;
  struct blob_reference reference;
  CHECK_OK (blob_stream_begin (writer, 5, &stream, &failure));
  CHECK_OK (blob_stream_append (stream, BYTES_LITERAL ("1234"), &failure));
  CHECK_FAILS (blob_stream_end (stream, &reference, &failure), STATUS_INVALID);
  CHECK_OK (blob_stream_begin (writer, 5, &stream, &failure));
  CHECK_OK (blob_stream_append (stream, BYTES_LITERAL ("1234"), &failure));
  CHECK_FAILS (blob_stream_append (stream, BYTES_LITERAL ("56"), &failure), STATUS_INVALID);
  CHECK_FAILS (blob_stream_append (stream, BYTES_LITERAL ("5"), &failure), STATUS_INVALID);
  CHECK_FAILS (blob_stream_end (stream, &reference, &failure), STATUS_INVALID);
  CHECK_INT (reference.size, 0);
  CHECK_OK (blob_stream_begin (writer, 5, &stream, &failure));
  blob_stream_abort (stream);
  CHECK_FAILS (blob_stream_begin (writer, VALUE_SIZE_MAX + 1, &stream, &failure),
               STATUS_VALUE_TOO_LARGE);

  /* A stream outlives the seal of its file, and the file stays open until it ends. */
  struct blob_reference before = put_pattern (writer, 1, 100);
  CHECK_OK (blob_stream_begin (writer, 3, &stream, &failure));
  CHECK_OK (blob_writer_seal (writer, &failure));
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_INT (faults.open_files, 1);
  CHECK_OK (blob_stream_append (stream, BYTES_LITERAL ("abc"), &failure));
  CHECK_OK (blob_stream_end (stream, &reference, &failure));
  CHECK_INT (reference.file, before.file);
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_INT (faults.open_files, 0);

  faults.write_in = 1;
  CHECK_FAILS (blob_stream_begin (writer, 100000, &stream, &failure), STATUS_NO_SPACE);
  CHECK_OK (blob_stream_begin (writer, 100000, &stream, &failure));
  uint8_t *data = pattern (2, 100000);
  faults.write_in = 1;
  CHECK_FAILS (blob_stream_append (stream, BYTES (data, 100000), &failure), STATUS_NO_SPACE);
  CHECK_FAILS (blob_stream_append (stream, BYTES (data, 1), &failure), STATUS_NO_SPACE);
  CHECK_INT (failure.system_error, ENOSPC);
  CHECK_FAILS (blob_stream_end (stream, &reference, &failure), STATUS_NO_SPACE);
  free (data);
  blob_writer_free (writer);
  clear_stage ();
}

static void
test_full_disk (void)
{
  struct blob_reference reference, kept;
  uint64_t files[2] = { 0, 0 };
  uint8_t *data = pattern (9, 1000);
  set_stage ();
  struct blob_writer *writer = new_writer (1 << 20);
  faults.write_in = 1; /* the header: no file stays behind */
  CHECK_FAILS (blob_writer_put (writer, BYTES (data, 1000), &reference, &failure), STATUS_NO_SPACE);
  CHECK_INT (faults.open_files, 0);
  blob_writer_files (writer, add_size, files);
  CHECK_INT (files[0], 0);
  kept = put_pattern (writer, 1, 1000);
  for (int which = 1; which <= 2; which++) /* the value, then the trailer */
    {
      faults.write_in = which;
      CHECK_FAILS (blob_writer_put (writer, BYTES (data, 1000), &reference, &failure),
                   STATUS_NO_SPACE);
      CHECK_INT (reference.size, 0);
    }
  reference = put_pattern (writer, 2, 1000); /* heals by itself */
  CHECK_OK (blob_writer_sync (writer, &failure));
  blob_writer_free (writer);
  expect_value (&kept, 1, 1000);
  expect_value (&reference, 2, 1000);
  free (data);
  clear_stage ();
}

static void
test_failed_sync (void)
{
  for (int which = 0; which < 2; which++)
    {
      struct blob_reference reference;
      struct blob_stream *stream;
      set_stage ();
      struct blob_writer *writer = new_writer (1 << 20);
      struct blob_reference kept = put_pattern (writer, 1, 1000);
      *(which == 0 ? &faults.sync_in : &faults.directory_sync_in) = 1;
      CHECK_FAILS (blob_writer_sync (writer, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_INT (failure.system_error, EIO);
      CHECK (strstr (failure.message, "open it again") != NULL);
      int calls = faults.syncs + faults.directory_syncs + faults.writes;
      CHECK_FAILS (blob_writer_sync (writer, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_FAILS (blob_writer_put (writer, BYTES_LITERAL ("x"), &reference, &failure),
                   STATUS_UNKNOWN_OUTCOME);
      CHECK_FAILS (blob_stream_begin (writer, 1, &stream, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_FAILS (blob_writer_seal (writer, &failure), STATUS_UNKNOWN_OUTCOME);
      CHECK_INT (failure.system_error, EIO);
      CHECK_INT (faults.syncs + faults.directory_syncs + faults.writes, calls); /* no retry */
      blob_writer_free (writer);
      expect_value (&kept, 1, 1000);
      clear_stage ();
    }
}

/* --- damage ----------------------------------------------------------------------------------- */

static void
flip (uint64_t number, uint64_t offset, uint8_t bits)
{
  char name[40];
  uint8_t byte;
  struct vfs_file *file;
  snprintf (name, sizeof name, "%llu.blob", (unsigned long long) number);
  CHECK_OK (vfs_open (directory, name, VFS_WRITE, &file, &failure));
  CHECK_OK (vfs_read_exact (file, offset, &byte, 1, &failure));
  byte ^= bits;
  CHECK_OK (vfs_write (file, offset, &byte, 1, &failure));
  vfs_close (file);
}

static status
read_back (const struct blob_reference *reference)
{
  struct blob_file *file;
  uint8_t *to = malloc (reference->size < 1 << 20 ? reference->size + 1 : 1 << 20);
  failure = FAILURE_INIT;
  status result = blob_file_open (directory, database_id, reference->file, &file, &failure);
  if (result == STATUS_OK)
    {
      result = blob_file_read (file, reference, to, &failure);
      blob_file_unref (file);
    }
  free (to);
  return result;
}

/* Every byte of header, value and trailer counts; the message says where. */
static void
test_damage (void)
{
  set_stage ();
  struct blob_writer *writer = new_writer (1 << 20);
  struct blob_reference first = put_pattern (writer, 1, 301);
  struct blob_reference second = put_pattern (writer, 1, 301);
  blob_writer_free (writer);
  CHECK_INT (second.offset, 64 + (301 + 8 + 7) / 8 * 8);
  for (uint64_t at = 0; at < second.offset + 301 + 8; at++)
    {
      if (at >= first.offset + 301 + 8 && at < second.offset)
        continue; /* padding */
      const struct blob_reference *hit = at < second.offset ? &first : &second;
      const struct blob_reference *other = at < second.offset ? &second : &first;
      uint8_t bits = (uint8_t) (1u << at % 8);
      flip (first.file, at, bits);
      CHECK_INT (read_back (hit), STATUS_CORRUPT);
      CHECK (strstr (failure.message, ".blob") != NULL);
      if (at >= 64)
        {
          char place[40];
          snprintf (place, sizeof place, "offset %llu", (unsigned long long) hit->offset);
          CHECK (strstr (failure.message, place) != NULL);
          CHECK_INT (read_back (other), STATUS_OK);
        }
      flip (first.file, at, bits);
    }
  CHECK_INT (read_back (&first), STATUS_OK);

  /* Equal bytes in the wrong place do not verify. */
  uint8_t value[309];
  struct vfs_file *file;
  char name[40];
  snprintf (name, sizeof name, "%llu.blob", (unsigned long long) first.file);
  CHECK_OK (vfs_open (directory, name, VFS_WRITE, &file, &failure));
  CHECK_OK (vfs_read_exact (file, first.offset, value, sizeof value, &failure));
  CHECK_OK (vfs_write (file, second.offset, value, sizeof value, &failure));
  vfs_close (file);
  CHECK_INT (read_back (&second), STATUS_CORRUPT);
  clear_stage ();
}

static void
test_faulty_references (void)
{
  set_stage ();
  struct blob_writer *writer = new_writer (1 << 20);
  struct blob_reference good = put_pattern (writer, 1, 1000);
  blob_writer_free (writer);
  const struct blob_reference bad[] = {
    { good.file, good.offset, 999 },
    { good.file, good.offset, 1001 },
    { good.file, good.offset, 100000 },
    { good.file, good.offset + 8, 992 },
    { good.file, good.offset + 1, 10 },
    { good.file, 0, 64 },
    { good.file, 1 << 20, 10 },
    { good.file, UINT64_MAX - 7, 10 },
    { good.file, good.offset, UINT64_MAX },
    { good.file + 77, good.offset, 1000 },
  };
  CHECK_INT (read_back (&good), STATUS_OK);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    {
      CHECK_INT (read_back (&bad[i]), STATUS_CORRUPT);
      CHECK (failure.message[0] != '\0');
    }

  struct blob_file *file;
  uint8_t to[1000];
  struct blob_reference other = { good.file + 1, good.offset, 1000 };
  CHECK_OK (blob_file_open (directory, database_id, good.file, &file, &failure));
  CHECK_FAILS (blob_file_read (file, &other, to, &failure), STATUS_INVALID);
  CHECK (blob_file_ref (file) == file);
  blob_file_unref (file);
  blob_file_unref (file);
  static const uint8_t other_id[16] = "another database";
  CHECK_FAILS (blob_file_open (directory, other_id, good.file, &file, &failure), STATUS_CORRUPT);
  CHECK (file == NULL);
  clear_stage ();
}

/* A valid header of what this version does not know. */
static void
test_later_formats (void)
{
  static const struct
  {
    int offset; /* of the field that differs */
    status expected;
  } cases[] = { { 8, STATUS_NEWER_FORMAT },
                { 12, STATUS_NEWER_FORMAT },
                { 40, STATUS_NEWER_FORMAT },
                { 48, STATUS_OK },
                { 49, STATUS_CORRUPT } };
  set_stage ();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    {
      struct blob_writer *writer = new_writer (1 << 20);
      struct blob_reference reference = put_pattern (writer, 1, 100);
      blob_writer_free (writer);
      uint8_t header[64];
      char name[40];
      struct vfs_file *file;
      struct blob_file *opened;
      snprintf (name, sizeof name, "%llu.blob", (unsigned long long) reference.file);
      CHECK_OK (vfs_open (directory, name, VFS_WRITE, &file, &failure));
      CHECK_OK (vfs_read_exact (file, 0, header, sizeof header, &failure));
      header[cases[i].offset] += 16;
      store_u64 (header + 56,
                 checksum (checksum_seed (database_id, reference.file), 0, BYTES (header, 56)));
      CHECK_OK (vfs_write (file, 0, header, sizeof header, &failure));
      vfs_close (file);
      CHECK_FAILS (blob_file_open (directory, database_id, reference.file, &opened, &failure),
                   cases[i].expected);
      blob_file_unref (opened);
    }
  clear_stage ();
}

/* --- threads ---------------------------------------------------------------------------------- */

#define PUTS_PER_THREAD 150

static struct blob_writer *shared_writer;
static struct blob_reference shared_references[4][PUTS_PER_THREAD];

static size_t
size_of_put (uintptr_t thread, int i)
{
  return (size_t) (thread * 997 + (size_t) i * 131) % 12000;
}

static void *
put_many (void *data)
{
  uintptr_t thread = (uintptr_t) data;
  for (int i = 0; i < PUTS_PER_THREAD; i++)
    {
      struct failure own = FAILURE_INIT;
      uint8_t *value = pattern (thread * 1000 + (uint64_t) i, size_of_put (thread, i));
      CHECK (blob_writer_put (shared_writer, BYTES (value, size_of_put (thread, i)),
                              &shared_references[thread][i], &own)
             == STATUS_OK);
      free (value);
      if (i % 8 == (int) thread)
        CHECK (blob_writer_sync (shared_writer, &own) == STATUS_OK);
      if (i % 50 == 49)
        CHECK (blob_writer_seal (shared_writer, &own) == STATUS_OK);
    }
  return NULL;
}

static void
test_threads (void)
{
  pthread_t threads[4];
  set_stage ();
  shared_writer = new_writer (200000);
  for (uintptr_t i = 0; i < 4; i++)
    CHECK (pthread_create (&threads[i], NULL, put_many, (void *) i) == 0);
  for (int i = 0; i < 4; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK_OK (blob_writer_sync (shared_writer, &failure));
  blob_writer_free (shared_writer);
  for (uintptr_t thread = 0; thread < 4; thread++)
    for (int i = 0; i < PUTS_PER_THREAD; i++)
      expect_value (&shared_references[thread][i], thread * 1000 + (uint64_t) i,
                    size_of_put (thread, i));
  clear_stage ();
}

/* Lends the value twice: as it was put, and from memory the second time. */
static void
expect_lent (struct blob_file *file, const struct blob_reference *reference, uint64_t seed,
             size_t size, bool kept)
{
  uint8_t *expected = pattern (seed, size);
  const uint8_t *pages[2] = { NULL, NULL };
  for (int i = 0; i < 2; i++)
    {
      struct bytes value = BYTES_NONE;
      CHECK_OK (blob_file_lend (file, reference, &pages[i], &value, &failure));
      CHECK_INT (pages[i] != NULL, kept);
      if (kept)
        CHECK (value.size == size && memcmp (value.data, expected, size) == 0);
    }
  CHECK (pages[0] == pages[1]);
  for (int i = 0; i < 2 && kept; i++)
    cache_unpin (pages[i]);
  free (expected);
}

/* Values in the cache: whole, once, verified when they come in, alive as long as they are
 * pinned. */
static void
test_lending (void)
{
  struct ledger ledger = { .budget = 16 * 200000 };
  struct cache *cache;
  struct blob_file *file;
  const uint8_t *page, *other;
  struct bytes value;
  set_stage ();
  struct blob_writer *writer = new_writer (UINT64_C (1) << 30);
  struct blob_reference small = put_pattern (writer, 1, 300);
  struct blob_reference first = put_pattern (writer, 2, 4096);
  struct blob_reference second = put_pattern (writer, 3, 100000);
  struct blob_reference huge = put_pattern (writer, 4, 400001);
  CHECK_OK (cache_new (&ledger, 4096, 8 << 20, &cache, &failure));
  CHECK_OK (blob_file_open (directory, database_id, first.file, &file, &failure));
  expect_lent (file, &second, 3, 100000, false); /* no cache yet */
  blob_file_set_cache (file, cache, 1 << 20);
  struct blob_reference late = put_pattern (writer, 5, 5000);
  blob_writer_free (writer);
  expect_lent (file, &small, 1, 300, false);
  expect_lent (file, &first, 2, 4096, true);
  expect_lent (file, &second, 3, 100000, true);
  expect_lent (file, &huge, 4, 400001, false);
  expect_lent (file, &late, 5, 5000, true); /* the file has grown since */

  struct blob_reference beside = second, elsewhere = second;
  beside.size -= 8; /* the same slot, another value: never the one that is there */
  CHECK_OK (blob_file_lend (file, &beside, &other, &value, &failure));
  CHECK (other == NULL);
  elsewhere.offset = 512 << 20;
  CHECK_OK (blob_file_lend (file, &elsewhere, &other, &value, &failure));
  CHECK (other == NULL);

  cache_evict_fraction (cache, 1);
  flip (first.file, first.offset + 99, 1);
  failure = FAILURE_INIT;
  CHECK_INT (blob_file_lend (file, &first, &page, &value, &failure), STATUS_CORRUPT);
  CHECK (page == NULL);
  failure = FAILURE_INIT;
  CHECK_OK (blob_file_lend (file, &second, &page, &value, &failure));
  blob_file_unref (file);
  epoch_collect (true);
  cache_free (cache);
  uint8_t *expected = pattern (3, 100000);
  CHECK (memcmp (value.data, expected, value.size) == 0); /* outlives file and cache */
  free (expected);
  cache_unpin (page);
  epoch_collect (true);
  CHECK_INT (ledger_total (&ledger), 0);
  clear_stage ();
}

int
main (void)
{
  test_references ();
  test_streaming_checksum ();
  test_put_and_rotate ();
  test_space_given_back ();
  test_put_during_sync ();
  test_seal_during_sync ();
  test_streams ();
  test_full_disk ();
  test_failed_sync ();
  test_damage ();
  test_faulty_references ();
  test_later_formats ();
  test_threads ();
  test_lending ();
  return 0;
}
