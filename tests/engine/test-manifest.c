/* SPDX-License-Identifier: MIT */
/*
 * The manifest's contract: V1 … V7, and that a crash after any step leaves the state before or
 * after. States are compared through a printed form, so that a difference shows.
 */
#include "manifest-trial.h"
#include "replaced-vfs.h"

/* ---- tests ---- */

static void
test_names (void)
{
  static const char *const wrong[] = {
    "",
    "CURRENT",
    "LOCK",
    "7",
    "7.seg2",
    ".seg",
    "0.seg",
    "07.seg",
    "+7.seg",
    " 7.seg",
    "-7.seg",
    "7.SEG",
    "MANIFEST-",
    "MANIFEST-0",
    "MANIFEST-01",
    "MANIFEST-7.seg",
    "manifest-7",
    "9007199254740992.seg",
    "99999999999999999999999999999999.seg",
    "seven.seg",
    "7.log.bak",
  };
  char name[FILE_NAME_SIZE];
  enum file_kind kind;
  uint64_t number;
  for (int k = FILE_LOG; k <= FILE_HISTORY; k++)
    for (uint64_t n = 1; n <= FILE_NUMBER_MAX; n = n < FILE_NUMBER_MAX ? n * 3 : n + 1)
      {
        if (n > FILE_NUMBER_MAX)
          n = FILE_NUMBER_MAX;
        file_name (name, (enum file_kind) k, n);
        CHECK (file_name_parse (name, &kind, &number));
        CHECK (kind == (enum file_kind) k && number == n);
      }
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    CHECK (!file_name_parse (wrong[i], &kind, &number));
}

static void
test_round_trip (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (vfs_posix (), path);
  struct manifest *manifest;
  CHECK_FAILS (manifest_create (directory, 5000, &manifest, &failure), STATUS_INVALID);
  CHECK_FAILS (manifest_open (directory, &manifest, &failure), STATUS_NOT_FOUND);
  CHECK_OK (manifest_create (directory, 8192, &manifest, &failure));
  CHECK_INT (manifest_state (manifest)->page_size, 8192);
  apply_run (manifest);
  apply_run (manifest);
  uint64_t first = manifest_state (manifest)->segments[2].information.number;
  CHECK (manifest_state (manifest)->segments[0].order
         > manifest_state (manifest)->segments[2].order);

  /* Blobs, a removal, a segment that moves to another run, a settling. */
  struct manifest_blob blobs[2] = { { manifest_next_number (manifest), 1 << 20, 1000000 },
                                    { manifest_next_number (manifest), 4096, 1 } };
  struct manifest_segment moved
      = segment_of (first + 1, manifest_next_run (manifest), "0001n", "0001zz");
  uint64_t removed[2] = { first, first + 1 };
  struct manifest_edit edit = {
    .add_blobs = blobs,
    .add_blob_count = 2,
    .remove_segments = removed,
    .remove_segment_count = 2,
    .add_segments = &moved,
    .add_segment_count = 1,
    .settled = true,
  };
  CHECK_OK (manifest_apply (manifest, &edit, &failure));
  CHECK_INT (manifest_state (manifest)->segment_count, 3);
  CHECK_INT (manifest_state (manifest)->settle_debt_base, 2000);
  struct manifest_edit drop = { .remove_blobs = &blobs[0].number, .remove_blob_count = 1 };
  CHECK_OK (manifest_apply (manifest, &drop, &failure));

  char *expected = state_text (manifest);
  check_same (load_text (directory), expected);
  uint64_t number = manifest_next_number (manifest);
  manifest_close (manifest);
  CHECK_FAILS (manifest_create (directory, 8192, &manifest, &failure), STATUS_EXISTS);
  for (int i = 0; i < 3; i++)
    {
      CHECK_OK (manifest_open (directory, &manifest, &failure));
      check_same (state_text (manifest), expected);
      check_same (load_text (directory), expected);
      CHECK (manifest_next_number (manifest) >= number + (uint64_t) i);
      CHECK (exists (path, manifest_file_name (manifest)) && !exists (path, "MANIFEST-1"));
      manifest_close (manifest);
    }

  /* A copy elsewhere has the same state and opens. */
  char *other = fresh_directory ();
  struct vfs_directory *copy = open_directory (vfs_posix (), other);
  struct manifest_state state, twin;
  CHECK_OK (manifest_load (directory, &state, &failure));
  CHECK_OK (manifest_state_copy (&twin, &state, &failure));
  CHECK_OK (manifest_write_copy (&twin, copy, &failure));
  manifest_state_clear (&twin);
  manifest_state_clear (&state);
  CHECK_OK (manifest_open (copy, &manifest, &failure));
  check_same (state_text (manifest), expected);
  manifest_close (manifest);
  vfs_directory_close (copy);
  remove_directory (other);
  free (expected);
  vfs_directory_close (directory);
}

static void
count_visit (void *data, const char *name)
{
  char (*seen)[FILE_NAME_SIZE] = data;
  while (**seen != '\0')
    seen++;
  snprintf (*seen, FILE_NAME_SIZE, "%s", name);
}

static void
test_numbers_and_orphans (const char *path)
{
  static const char *const files[]
      = { "500.log", "501.seg", "502.blob", "503.tmp", "MANIFEST-504", "notes.txt", "LOCK" };
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  apply_run (manifest);
  manifest_close (manifest);
  write_bytes (path, "2.seg", "", 0);
  write_bytes (path, "3.seg", "", 0);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    write_bytes (path, files[i], "", 0);
  CHECK_OK (manifest_open (directory, &manifest, &failure));
  CHECK (strcmp (manifest_file_name (manifest), "MANIFEST-505") == 0);
  CHECK_INT (manifest_next_number (manifest), 506);
  char seen[16][FILE_NAME_SIZE] = { "" };
  CHECK_OK (manifest_orphans (directory, manifest_state (manifest), manifest_file_name (manifest),
                              count_visit, seen, &failure));
  int count = 0;
  for (; seen[count][0] != '\0'; count++)
    CHECK (strcmp (seen[count], "501.seg") == 0 || strcmp (seen[count], "502.blob") == 0
           || strcmp (seen[count], "503.tmp") == 0 || strcmp (seen[count], "MANIFEST-504") == 0);
  CHECK_INT (count, 4);
  manifest_close (manifest);
  write_bytes (path, "9007199254740991.seg", "", 0);
  CHECK_FAILS (manifest_open (directory, &manifest, &failure), STATUS_CORRUPT);
  vfs_directory_close (directory);
}

static struct vfs_directory *switched; /* where a writer opens the manifest, which writes it anew */

static status
open_switched (struct vfs_directory *directory, const char *name, unsigned flags,
               struct vfs_file **out, struct failure *cause)
{
  struct vfs_directory *writers = switched;
  if (writers != NULL && strncmp (name, "MANIFEST-", 9) == 0)
    {
      struct manifest *manifest;
      switched = NULL;
      CHECK_OK (manifest_open (writers, &manifest, &failure));
      CHECK (strcmp (manifest_file_name (manifest), name) != 0);
      manifest_close (manifest);
    }
  return replaced_open (directory, name, flags, out, cause);
}

/* L2: the file that CURRENT named has gone when it is opened, since a writer wrote it anew. */
static void
test_switched_while_read (const char *path)
{
  struct vfs switching = replaced_vfs ();
  struct manifest *manifest;
  struct manifest_state state = { 0 };
  switching.open = open_switched;
  clean (path);
  struct vfs_directory *writers = open_directory (vfs_posix (), path);
  struct vfs_directory *reads = open_directory (&switching, path);
  CHECK_OK (manifest_create (writers, 4096, &manifest, &failure));
  apply_run (manifest);
  manifest_close (manifest);
  switched = writers;
  CHECK_OK (manifest_load (reads, &state, &failure));
  CHECK (switched == NULL);
  CHECK_INT (state.segment_count, 2);
  manifest_state_clear (&state);
  vfs_directory_close (reads);
  vfs_directory_close (writers);
}

/* Many edits: the log switches files by itself, and stays bounded. */
static void
test_rotation (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  char name[FILE_NAME_SIZE], *expected;
  strcpy (name, manifest_file_name (manifest));
  int switches = 0;
  for (int i = 0; i < 1500; i++)
    {
      apply_run (manifest);
      if (manifest_state (manifest)->segment_count > 20)
        {
          uint64_t numbers[20];
          for (int j = 0; j < 20; j++)
            numbers[j] = manifest_state (manifest)->segments[j].information.number;
          struct manifest_edit edit = { .remove_segments = numbers, .remove_segment_count = 20 };
          CHECK_OK (manifest_apply (manifest, &edit, &failure));
        }
      CHECK (manifest_file_size (manifest) <= 64 << 10);
      if (strcmp (name, manifest_file_name (manifest)) != 0)
        {
          CHECK (!exists (path, name));
          strcpy (name, manifest_file_name (manifest));
          expected = state_text (manifest);
          check_same (load_text (directory), expected);
          free (expected);
          switches++;
        }
    }
  CHECK (switches >= 2);
  expected = state_text (manifest);
  check_same (load_text (directory), expected);
  free (expected);
  manifest_close (manifest);
  vfs_directory_close (directory);
}

/* Random edits against a list kept beside; reopened now and then. */
static void
test_random (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  struct random random = { 77 };
  uint64_t live[400];
  size_t count = 0;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  for (int round = 0; round < 400; round++)
    {
      uint64_t removed[8];
      size_t removals = 0, additions = random_below (&random, 5);
      struct manifest_segment added[4];
      char keys[8][8];
      uint64_t run = manifest_next_run (manifest);
      while (removals < 3 && removals < count && random_below (&random, 2) == 0)
        {
          size_t at = random_below (&random, count);
          removed[removals++] = live[at];
          live[at] = live[--count];
        }
      for (size_t i = 0; i < additions; i++)
        {
          snprintf (keys[2 * i], 8, "k%zu", 2 * i);
          snprintf (keys[2 * i + 1], 8, "k%zu", 2 * i + 1);
          added[i]
              = segment_of (manifest_next_number (manifest), run, keys[2 * i], keys[2 * i + 1]);
          live[count++] = added[i].information.number;
        }
      struct manifest_edit edit = {
        .add_segments = added,
        .add_segment_count = additions,
        .remove_segments = removed,
        .remove_segment_count = removals,
        .user_bytes_added = random_below (&random, 1000),
        .settled = random_below (&random, 10) == 0,
      };
      CHECK_OK (manifest_apply (manifest, &edit, &failure));
      const struct manifest_state *state = manifest_state (manifest);
      CHECK_INT (state->segment_count, count);
      for (size_t i = 0; i < count; i++)
        {
          size_t j = 0;
          while (j < count && state->segments[j].information.number != live[i])
            j++;
          CHECK (j < count);
        }
      if (count > 380)
        break;
      if (random_below (&random, 20) == 0)
        {
          char *expected = state_text (manifest);
          manifest_close (manifest);
          CHECK_OK (manifest_open (directory, &manifest, &failure));
          check_same (state_text (manifest), expected);
          free (expected);
        }
    }
  manifest_close (manifest);
  vfs_directory_close (directory);
}

int
main (void)
{
  char *path = fresh_directory ();
  prepare_stopping ();
  stop_after (-1, STOP_CRASH);
  test_names ();
  test_round_trip (path);
  test_rejected_edits (path);
  test_torn_and_flipped (path);
  test_lost_edit (path);
  test_mutations (path);
  test_newer_format (path);
  test_endless_manifest (path);
  test_presence (path);
  test_numbers_and_orphans (path);
  test_switched_while_read (path);
  test_rotation (path);
  test_condensed (path);
  test_crashes (path);
  test_random (path);
  remove_directory (path);
  return 0;
}
