/* SPDX-License-Identifier: MIT */
/* Manifests that are refused: edits that make no sense, bytes that changed, later versions, missing
 * files. */
#include "manifest-trial.h"

void
test_rejected_edits (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  apply_run (manifest);
  char *before = state_text (manifest);
  uint64_t size = manifest_file_size (manifest);
  uint64_t run = manifest_next_run (manifest), number = manifest_next_number (manifest);
  uint64_t old_run = manifest_state (manifest)->segments[0].run;

  struct manifest_segment bad[9];
  for (int i = 0; i < 9; i++)
    bad[i] = segment_of (number, run, "0001b", "0001c");
  bad[0].information.number = manifest_state (manifest)->segments[0].information.number;
  bad[1].information.number = number + 1; /* not handed out */
  bad[2].run = run + 1;
  bad[3].run = bad[3].order = old_run; /* overlaps there */
  bad[4].order = old_run;              /* two runs, one order */
  bad[5].run = old_run;                /* one run, two orders */
  bad[6].information.largest = (uint8_t *) "0001a";
  bad[7].information.deletes = 501;
  bad[8].information.max_sequence = SEQUENCE_MAX + 1;
  for (int i = 0; i < 9; i++)
    {
      struct manifest_edit edit = { .add_segments = &bad[i], .add_segment_count = 1 };
      CHECK_FAILS (manifest_apply (manifest, &edit, &failure), STATUS_INVALID);
      CHECK (failure.message[0] != '\0');
    }
  struct manifest_segment twice[2]
      = { segment_of (number, run, "0001b", "0001c"), segment_of (number, run, "0001d", "0001e") };
  struct manifest_edit edits[] = {
    { .add_segments = twice, .add_segment_count = 2 },
    { .remove_segments = &number, .remove_segment_count = 1 },
    { .remove_blobs = &bad[0].information.number, .remove_blob_count = 1 },
    { .flushed_sequence = 1 },
    { .user_bytes_added = UINT64_MAX },
  };
  for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
    CHECK_FAILS (manifest_apply (manifest, &edits[i], &failure), STATUS_INVALID);
  CHECK_INT (manifest_file_size (manifest), size);
  CHECK (!manifest_failed (manifest));
  check_same (state_text (manifest), before);
  check_same (load_text (directory), before);

  /* Where a range delete ends, the next segment may begin. */
  struct manifest_segment touching[2]
      = { segment_of (number, run, "0001b", "0001c"),
          segment_of (manifest_next_number (manifest), run, "0001c", "0001d") };
  struct manifest_edit edit = { .add_segments = touching, .add_segment_count = 2 };
  CHECK_FAILS (manifest_apply (manifest, &edit, &failure), STATUS_INVALID);
  touching[0].information.range_deletes = 1;
  CHECK_OK (manifest_apply (manifest, &edit, &failure));

  /* A segment may hold one key. */
  struct manifest_segment single = segment_of (manifest_next_number (manifest),
                                               manifest_next_run (manifest), "0001q", "0001q");
  edit = (struct manifest_edit){ .add_segments = &single, .add_segment_count = 1 };
  CHECK_OK (manifest_apply (manifest, &edit, &failure));
  free (before);
  manifest_close (manifest);
  vfs_directory_close (directory);
}

/* Writes `size` bytes as the manifest and loads: returns the code; *text gets the state if OK. */
static status
load_variant (struct vfs_directory *directory, const char *path, const char *name,
              const uint8_t *data, size_t size, char **text)
{
  struct manifest_state state;
  write_bytes (path, name, data, size);
  failure = FAILURE_INIT;
  status code = manifest_load (directory, &state, &failure);
  *text = code == STATUS_OK ? print_state (&state) : NULL;
  if (code != STATUS_OK)
    CHECK (failure.message[0] != '\0');
  manifest_state_clear (&state);
  return code;
}

void
test_torn_and_flipped (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  size_t first = (size_t) manifest_file_size (manifest);
  apply_run (manifest);
  char *before = state_text (manifest), *text;
  size_t base = (size_t) manifest_file_size (manifest), size;
  apply_run (manifest);
  char *after = state_text (manifest);
  char name[FILE_NAME_SIZE];
  strcpy (name, manifest_file_name (manifest));
  manifest_close (manifest);
  uint8_t *data = read_bytes (path, name, &size);
  CHECK (size > base);

  size_t whole = base + edit_size (load_u32 (data + base + 8));
  for (size_t cut = base; cut <= size; cut++)
    {
      CHECK_INT (load_variant (directory, path, name, data, cut, &text), STATUS_OK);
      CHECK (strcmp (text, cut >= whole ? after : before) == 0);
      free (text);
    }
  for (size_t cut = 0; cut < base; cut++)
    {
      status code = load_variant (directory, path, name, data, cut, &text);
      CHECK (code == STATUS_CORRUPT || code == STATUS_OK);
      bool has_first = cut >= first + edit_size (load_u32 (data + first + 8));
      CHECK (code != STATUS_OK
             || (strcmp (text, after) != 0 && (strcmp (text, before) == 0) == has_first));
      free (text);
    }
  /* A flipped bit is never a torn tail: the edit's copy counts, or there is none and it is told. */
  for (size_t bit = 0; bit < size * 8; bit++)
    {
      data[bit / 8] ^= (uint8_t) (1 << bit % 8);
      status code = load_variant (directory, path, name, data, size, &text);
      CHECK (code == STATUS_CORRUPT || (code == STATUS_OK && strcmp (text, after) == 0));
      CHECK (code == STATUS_OK || bit / 8 < first);
      free (text);
      data[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
  /* The file grew, its data did not arrive, or other bytes did. */
  uint8_t *longer = calloc (1, size + 4096);
  memcpy (longer, data, base);
  CHECK_INT (load_variant (directory, path, name, longer, size + 4096, &text), STATUS_OK);
  check_same (text, before);
  memset (longer + base, 0x5a, size + 4096 - base);
  CHECK_INT (load_variant (directory, path, name, longer, size + 4096, &text), STATUS_OK);
  check_same (text, before);
  /* One sector of the two copies: gone, or garbage. Both first sectors: torn. */
  size_t second = (whole + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;
  for (size_t sector = base; sector < size; sector += SECTOR_SIZE)
    for (int fill = 0; fill < 256; fill += 0x5a)
      {
        memcpy (longer, data, size);
        memset (longer + sector, fill, SECTOR_SIZE);
        CHECK_INT (load_variant (directory, path, name, longer, size, &text), STATUS_OK);
        check_same (text, after);
        memset (longer + base, fill, SECTOR_SIZE);
        memset (longer + second, fill, SECTOR_SIZE);
        CHECK_INT (load_variant (directory, path, name, longer, size, &text), STATUS_OK);
        check_same (text, before);
      }
  free (longer);
  free (data);
  free (before);
  free (after);
  vfs_directory_close (directory);
}

/* An edit and its copy lost, with a later edit behind them: no crash leaves that, and what the later
 * one says stands on the earlier. */
void
test_lost_edit (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  apply_run (manifest);
  size_t from = (size_t) manifest_file_size (manifest), size;
  apply_run (manifest);
  size_t to = (size_t) manifest_file_size (manifest);
  apply_run (manifest);
  char name[FILE_NAME_SIZE], *text;
  strcpy (name, manifest_file_name (manifest));
  manifest_close (manifest);
  uint8_t *data = read_bytes (path, name, &size);
  CHECK (size > to);
  for (int fill = 0; fill < 256; fill += 0x5a)
    {
      memset (data + from, fill, to - from);
      CHECK_INT (load_variant (directory, path, name, data, size, &text), STATUS_CORRUPT);
      CHECK (strstr (failure.message, name) != NULL);
    }
  free (data);
  vfs_directory_close (directory);
}

/* Rewrites checksums so that mutations reach the decoder. */
static void
reseal (uint8_t *data, size_t size, const uint8_t id[16], uint64_t number)
{
  uint64_t seed = checksum_seed (id, number);
  memcpy (data + 24, id, 16);
  store_u64 (data + 40, number);
  store_u64 (data + 56, checksum (seed, 0, BYTES (data, 56)));
  for (size_t at = MANIFEST_HEADER_SIZE; size - at >= EDIT_HEADER_SIZE;)
    {
      uint64_t whole = edit_size (load_u32 (data + at + 8));
      if (whole > size - at)
        return;
      store_u32 (data + at + 12, (uint32_t) checksum (~seed, at, BYTES (data + at + 8, 4)));
      store_u64 (data + at, checksum (seed, at, BYTES (data + at + 8, whole - 8)));
      at = (at + whole + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;
      if (at > size)
        return;
    }
}

void
test_mutations (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  for (int i = 0; i < 4; i++)
    apply_run (manifest);
  struct manifest_blob blob = { manifest_next_number (manifest), 4096, 1 };
  struct manifest_edit edit = { .add_blobs = &blob, .add_blob_count = 1 };
  CHECK_OK (manifest_apply (manifest, &edit, &failure));
  uint8_t id[16];
  memcpy (id, manifest_state (manifest)->database_id, 16);
  char name[FILE_NAME_SIZE], *text;
  strcpy (name, manifest_file_name (manifest));
  manifest_close (manifest);
  size_t size, accepted = 0;
  uint8_t *data = read_bytes (path, name, &size), *copy = malloc (size);
  struct random random = { 20 };
  for (int round = 0; round < 4000; round++)
    {
      memcpy (copy, data, size);
      for (uint64_t i = random_below (&random, 4) + 1; i > 0; i--)
        copy[MANIFEST_HEADER_SIZE + random_below (&random, size - MANIFEST_HEADER_SIZE)]
            = (uint8_t) random_next (&random);
      if (random_below (&random, 10) != 0)
        reseal (copy, size, id, 1);
      size_t cut = random_below (&random, 5) == 0 ? (size_t) random_below (&random, size) : size;
      status code = load_variant (directory, path, name, copy, cut, &text);
      CHECK (code == STATUS_OK || code == STATUS_CORRUPT || code == STATUS_NEWER_FORMAT);
      accepted += code == STATUS_OK;
      free (text);
    }
  CHECK (accepted > 100); /* else the mutations never pass the checksums */
  free (copy);
  free (data);
  vfs_directory_close (directory);
}

void
test_newer_format (const char *path)
{
  static const struct
  {
    size_t at;
    uint8_t value;
    status code;
  } changes[] = {
    { 8, 2, STATUS_NEWER_FORMAT },
    { 16, MANIFEST_UNFINISHED, STATUS_NOT_A_DATABASE },
    { 16, 2, STATUS_NEWER_FORMAT },
    { 19, 0x80, STATUS_NEWER_FORMAT },
    { 48, 1, STATUS_NEWER_FORMAT },
    { 23, 1, STATUS_OK /* optional */ },
    { 12, 1, STATUS_CORRUPT },
    { 8, 0, STATUS_CORRUPT },
    { 0, 'X', STATUS_CORRUPT },
  };
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  uint8_t id[16];
  memcpy (id, manifest_state (manifest)->database_id, 16);
  manifest_close (manifest);
  size_t size;
  uint8_t *data = read_bytes (path, "MANIFEST-1", &size);
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
    {
      uint8_t *copy = malloc (size);
      memcpy (copy, data, size);
      copy[changes[i].at] = changes[i].value;
      reseal (copy, size, id, 1);
      write_bytes (path, "MANIFEST-1", copy, size);
      if (changes[i].code != STATUS_OK)
        {
          size_t after;
          CHECK_FAILS (manifest_open (directory, &manifest, &failure), changes[i].code);
          uint8_t *again = read_bytes (path, "MANIFEST-1", &after);
          CHECK (after == size && memcmp (again, copy, size) == 0);
          CHECK (!exists (path, "MANIFEST-2") && !exists (path, "2.tmp"));
          free (again);
        }
      else
        {
          struct manifest_state state;
          CHECK_OK (manifest_load (directory, &state, &failure));
          manifest_state_clear (&state);
        }
      free (copy);
    }
  free (data);
  vfs_directory_close (directory);
}

static uint64_t hole_read_to; /* the end of what was read of a hole */

static status
read_hole (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
           struct failure *cause)
{
  if (offset < UINT64_C (1) << 20)
    return vfs_posix ()->read (file, offset, to, size, got, cause);
  memset (to, 0, size);
  *got = size;
  hole_read_to = offset + size;
  return STATUS_OK;
}

/* Of a hole of a terabyte behind the edits no more is read than the largest manifest can have. */
void
test_endless_manifest (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  struct manifest_state state;
  char file[600];
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  CHECK_OK (manifest_apply (manifest, &(struct manifest_edit){ .flushed_sequence = 7 }, &failure));
  manifest_close (manifest);
  snprintf (file, sizeof file, "%s/MANIFEST-1", path);
  CHECK_INT (truncate (file, INT64_C (1) << 40), 0);
  stopping.read = read_hole;
  CHECK_OK (manifest_load (directory, &state, &failure));
  stopping.read = vfs_posix ()->read;
  CHECK_INT (state.flushed_sequence, 7);
  CHECK (hole_read_to > 0 && hole_read_to <= UINT64_C (9) << 28);
  manifest_state_clear (&state);
  vfs_directory_close (directory);
}

static void
check_presence (struct vfs_directory *directory, enum manifest_presence expected)
{
  enum manifest_presence presence;
  CHECK_OK (manifest_probe (directory, &presence, &failure));
  CHECK_INT (presence, expected);
}

void
test_presence (const char *path)
{
  clean (path);
  struct vfs_directory *directory = open_directory (&stopping, path);
  struct manifest *manifest;
  struct manifest_state state;
  check_presence (directory, MANIFEST_EMPTY);
  write_bytes (path, "LOCK", "", 0);
  write_bytes (path, "MANIFEST-1", "half", 4);
  write_bytes (path, "1.tmp", "", 0);
  check_presence (directory, MANIFEST_EMPTY);
  write_bytes (path, "notes.txt", "mine", 4);
  check_presence (directory, MANIFEST_FOREIGN);
  CHECK_FAILS (manifest_create (directory, 4096, &manifest, &failure), STATUS_NOT_A_DATABASE);
  CHECK_FAILS (manifest_load (directory, &state, &failure), STATUS_NOT_A_DATABASE);
  CHECK (exists (path, "notes.txt") && exists (path, "MANIFEST-1"));

  /* Another program's directory with names like ours. */
  vfs_directory_close (directory);
  clean (path);
  directory = open_directory (&stopping, path);
  write_bytes (path, "CURRENT", "MANIFEST-000001\n", 16);
  write_bytes (path, "MANIFEST-000001", "\x56\xf9\xb8\xf8\x1c\x00\x01\x01", 8);
  write_bytes (path, "3.log", "", 0);
  check_presence (directory, MANIFEST_FOREIGN);
  CHECK_FAILS (manifest_open (directory, &manifest, &failure), STATUS_NOT_A_DATABASE);

  /* A database that lost CURRENT, or half of it, is damaged, not foreign, and not empty. */
  vfs_directory_close (directory);
  clean (path);
  directory = open_directory (&stopping, path);
  CHECK_OK (manifest_create (directory, 4096, &manifest, &failure));
  manifest_close (manifest);
  CHECK_OK (manifest_open (directory, &manifest, &failure));
  manifest_close (manifest);
  check_presence (directory, MANIFEST_PRESENT);
  write_bytes (path, "CURRENT", "MANIFEST-2\n", 11);
  check_presence (directory, MANIFEST_PRESENT);
  CHECK_FAILS (manifest_load (directory, &state, &failure), STATUS_CORRUPT);
  char gone[700];
  snprintf (gone, sizeof gone, "%s/CURRENT", path);
  CHECK (unlink (gone) == 0);
  check_presence (directory, MANIFEST_PRESENT);
  CHECK_FAILS (manifest_load (directory, &state, &failure), STATUS_CORRUPT);
  CHECK_FAILS (manifest_create (directory, 4096, &manifest, &failure), STATUS_EXISTS);
  write_bytes (path, "7.seg", "LDBSEG1\n", 8); /* and also its manifest */
  write_bytes (path, "MANIFEST-2", "garbage", 7);
  check_presence (directory, MANIFEST_FOREIGN);
  write_bytes (path, "CURRENT", "garbage", 7);
  check_presence (directory, MANIFEST_PRESENT);
  CHECK_FAILS (manifest_load (directory, &state, &failure), STATUS_CORRUPT);
  char current[CURRENT_SIZE_MAX];
  write_bytes (path, "CURRENT", current, current_encode (current, 77));
  CHECK_FAILS (manifest_load (directory, &state, &failure), STATUS_CORRUPT);
  vfs_directory_close (directory);
}
