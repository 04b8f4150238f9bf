/* SPDX-License-Identifier: MIT */
/* Manifests that are cut short, at every operation, while they are made, opened or added to. */
#include "manifest-trial.h"

/* What a stopped creation leaves can be created again, or is whole. Returns whether it stopped. */
static bool
crash_create (const char *path, long changes)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  enum manifest_presence presence;
  stop_after (changes, STOP_CRASH);
  failure = FAILURE_INIT;
  status code = manifest_create (directory, 4096, &manifest, &failure);
  bool stopped = stop.stopped;
  CHECK (stopped ? code != STATUS_OK : code == STATUS_OK);
  if (!stopped)
    manifest_close (manifest);
  stop_after (-1, STOP_CRASH);
  CHECK_OK (manifest_probe (directory, &presence, &failure));
  if (presence == MANIFEST_EMPTY)
    CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  else
    CHECK_OK (manifest_open (directory, &manifest, &failure));
  CHECK (presence != MANIFEST_FOREIGN);
  apply_run (manifest);
  manifest_close (manifest);
  vfs_directory_close (directory);
  return stopped;
}

/* A stopped open changes nothing, however often. */
static bool
crash_open (const char *path, long changes)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  stop_after (-1, STOP_CRASH);
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  apply_run (manifest);
  char *expected = state_text (manifest);
  manifest_close (manifest);
  bool stopped = false;
  for (int again = 0; again < 3; again++)
    {
      stop_after (changes, STOP_CRASH);
      failure = FAILURE_INIT;
      if (manifest_open (directory, &manifest, &failure) == STATUS_OK)
        manifest_close (manifest);
      stopped |= stop.stopped;
      stop_after (-1, STOP_CRASH);
      check_same (load_text (directory), expected);
    }
  CHECK_OK (manifest_open (directory, &manifest, &failure));
  check_same (state_text (manifest), expected);
  manifest_close (manifest);
  free (expected);
  vfs_directory_close (directory);
  return stopped;
}

/* Whatever becomes of the end of a manifest that was condensed is found. */
void
test_condensed (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (vfs_posix (), path);
  struct manifest *manifest;
  struct manifest_state state;
  char name[FILE_NAME_SIZE];
  size_t size;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  for (int i = 0; i < 24; i++)
    apply_run (manifest);
  char *expected = state_text (manifest);
  CHECK_OK (manifest_condense (manifest, &failure));
  strcpy (name, manifest_file_name (manifest));
  CHECK (exists (path, name) && !exists (path, "MANIFEST-1"));
  CHECK_OK (manifest_condense (manifest, &failure)); /* it is one edit already */
  CHECK (strcmp (manifest_file_name (manifest), name) == 0);
  check_same (load_text (directory), expected);
  manifest_close (manifest);
  uint8_t *data = read_bytes (path, name, &size);
  CHECK (size > 1024);
  for (size_t cut = 0; cut < size; cut += cut % 512 == 0 ? 1 : 511)
    {
      write_bytes (path, name, data, cut);
      failure = FAILURE_INIT;
      status code = manifest_load (directory, &state, &failure);
      CHECK (code == STATUS_CORRUPT || (code == STATUS_OK && size - cut < 512));
      CHECK (code == STATUS_OK || strstr (failure.message, name) != NULL);
      manifest_state_clear (&state);
    }
  free (expected);
  free (data);
  vfs_directory_close (directory);
}

static void
fill_log (struct manifest *manifest)
{
  struct manifest_blob blob = { 0, 1, 1 };
  struct manifest_edit add = { .add_blobs = &blob, .add_blob_count = 1 };
  struct manifest_edit remove = { .remove_blobs = &blob.number, .remove_blob_count = 1 };
  for (bool there = false; manifest_file_size (manifest) + 2 * SECTOR_SIZE <= (64 << 10);
       there = !there)
    {
      if (!there)
        blob.number = manifest_next_number (manifest);
      CHECK_OK (manifest_apply (manifest, there ? &remove : &add, &failure));
    }
}

/* One edit while changes fail: by append, or by rotation when the log is full. */
static bool
crash_apply (const char *path, long changes, enum stop_mode mode, bool full)
{
  struct manifest_state loaded;
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  stop_after (-1, mode);
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  apply_run (manifest);
  if (full)
    fill_log (manifest);
  char *before = state_text (manifest);
  uint64_t run = manifest_next_run (manifest);
  struct manifest_segment segment
      = segment_of (manifest_next_number (manifest), run, "0001aaa", "0001mm");
  struct manifest_edit edit = { .add_segments = &segment, .add_segment_count = 1 };

  stop_after (changes, mode);
  failure = FAILURE_INIT;
  status code = manifest_apply (manifest, &edit, &failure);
  bool stopped = stop.stopped;
  if (stopped && mode != STOP_NO_SPACE)
    {
      CHECK (code == STATUS_UNKNOWN_OUTCOME || code == STATUS_OK /* only the unlink failed */);
      CHECK (manifest_failed (manifest) == (code != STATUS_OK));
    }
  if (code != STATUS_OK)
    check_same (state_text (manifest), before);
  if (manifest_failed (manifest))
    CHECK_FAILS (manifest_apply (manifest, &edit, &failure), STATUS_UNKNOWN_OUTCOME);
  stop_after (-1, mode);
  if (code == STATUS_NO_SPACE)
    {
      check_same (load_text (directory), before);
      CHECK_OK (manifest_apply (manifest, &edit, &failure)); /* healed */
      code = STATUS_OK;
    }
  char *found = load_text (directory);
  CHECK_OK (manifest_load (directory, &loaded, &failure));
  size_t count = loaded.segment_count;
  manifest_state_clear (&loaded);
  if (code == STATUS_OK)
    check_same (state_text (manifest), found);
  CHECK (count == 3 || (code != STATUS_OK && strcmp (found, before) == 0));
  manifest_close (manifest);
  CHECK_OK (manifest_open (directory, &manifest, &failure));
  check_same (state_text (manifest), found);
  manifest_close (manifest);
  free (found);
  free (before);
  vfs_directory_close (directory);
  return stopped;
}

void
test_crashes (const char *path)
{
  long k;
  for (k = 0; crash_create (path, k); k++)
    CHECK (k < 100);
  CHECK (k >= 7);
  for (k = 0; crash_open (path, k); k++)
    CHECK (k < 100);
  CHECK (k >= 8);
  for (int mode = STOP_CRASH; mode <= STOP_SYNC; mode++)
    for (int full = 0; full < 2; full++)
      {
        for (k = 0; crash_apply (path, k, (enum stop_mode) mode, full); k++)
          CHECK (k < 100);
        CHECK (k >= (full ? 5 : 1));
      }
}
