/* SPDX-License-Identifier: MIT */
/*
 * The manifest's contract: V1 … V7, and that a crash after any step leaves the state before or
 * after. States are compared through a printed form, so that a difference shows.
 */
#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "check.h"
#include "version/manifest-private.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct failure failure;

/* ---- a file layer that stops working after some operations ---- */

enum stop_mode
{
  STOP_CRASH,    /* this and every later change fails; a write leaves a part of its bytes */
  STOP_NO_SPACE, /* this change alone fails with a full disk */
  STOP_SYNC,     /* syncs fail, from this change on */
};

static struct
{
  long left; /* changes that still work; -1: all */
  enum stop_mode mode;
  bool stopped;
  struct random random; /* how much of a torn write arrives */
} stop;
static struct vfs stopping;

static status
change (struct failure *out, bool sync)
{
  bool over = stop.left == 0;
  if (stop.left > 0)
    stop.left--;
  if (!over || (stop.mode == STOP_SYNC && !sync))
    return STATUS_OK;
  stop.stopped = true;
  if (stop.mode == STOP_NO_SPACE)
    stop.left = -1;
  return fail_system (out, stop.mode == STOP_NO_SPACE ? 28 : 5, "stopped by the test");
}

static status
stopping_directory_open (const struct vfs *vfs, const char *path, bool create,
                         struct vfs_directory **out, struct failure *f)
{
  status code = vfs_posix ()->directory_open (vfs_posix (), path, create, out, f);
  if (code == STATUS_OK)
    (*out)->vfs = &stopping;
  return code;
}

static status
stopping_directory_sync (struct vfs_directory *directory, struct failure *f)
{
  status code = change (f, true);
  (void) directory;
  return code;
}

static status
stopping_rename (struct vfs_directory *directory, const char *from, const char *to,
                 struct failure *f)
{
  status code = change (f, false);
  return code == STATUS_OK ? vfs_posix ()->rename (directory, from, to, f) : code;
}

static status
stopping_unlink (struct vfs_directory *directory, const char *name, struct failure *f)
{
  status code = change (f, false);
  return code == STATUS_OK ? vfs_posix ()->unlink (directory, name, f) : code;
}

static status
stopping_open (struct vfs_directory *directory, const char *name, unsigned flags,
               struct vfs_file **out, struct failure *f)
{
  status code = (flags & VFS_CREATE) != 0 ? change (f, false) : STATUS_OK;
  if (code == STATUS_OK)
    code = vfs_posix ()->open (directory, name, flags, out, f);
  if (code == STATUS_OK)
    (*out)->vfs = &stopping;
  return code;
}

static status
stopping_write (struct vfs_file *file, uint64_t offset, const void *from, size_t size,
                struct failure *f)
{
  status code = change (f, false);
  if (code == STATUS_OK)
    return vfs_posix ()->write (file, offset, from, size, f);
  size_t part = (size_t) random_below (&stop.random, size);
  vfs_posix ()->write (file, offset, from, part, NULL);
  return code;
}

static status
stopping_sync_data (struct vfs_file *file, struct failure *f)
{
  status code = change (f, true);
  (void) file; /* a process that dies loses nothing that was written */
  return code;
}

static status
stopping_truncate (struct vfs_file *file, uint64_t size, struct failure *f)
{
  status code = change (f, false);
  return code == STATUS_OK ? vfs_posix ()->truncate (file, size, f) : code;
}

static void
stop_after (long changes, enum stop_mode mode)
{
  stop.left = changes;
  stop.mode = mode;
  stop.stopped = false;
  stop.random.state = (uint64_t) changes;
}

static void
prepare_stopping (void)
{
  stopping = *vfs_posix ();
  stopping.name = "stopping";
  stopping.directory_open = stopping_directory_open;
  stopping.directory_sync = stopping_directory_sync;
  stopping.rename = stopping_rename;
  stopping.unlink = stopping_unlink;
  stopping.open = stopping_open;
  stopping.write = stopping_write;
  stopping.sync_data = stopping_sync_data;
  stopping.truncate = stopping_truncate;
}

/* ---- states ---- */

static char *
print_state (const struct manifest_state *state)
{
  char *text;
  size_t size;
  FILE *to = open_memstream (&text, &size);
  fprintf (to, "page %u flushed %llu debt %llu user %llu\n", state->page_size,
           (unsigned long long) state->flushed_sequence,
           (unsigned long long) state->settle_debt_base, (unsigned long long) state->user_bytes);
  for (int i = 0; i < 16; i++)
    fprintf (to, "%02x", state->database_id[i]);
  for (size_t i = 0; i < state->segment_count; i++)
    {
      const struct manifest_segment *s = &state->segments[i];
      const struct segment_information *n = &s->information;
      fprintf (to, "\nsegment %llu run %llu order %llu at %llu size %llu records %llu %llu %llu",
               (unsigned long long) n->number, (unsigned long long) s->run,
               (unsigned long long) s->order, (unsigned long long) s->created,
               (unsigned long long) n->file_size, (unsigned long long) n->records,
               (unsigned long long) n->deletes, (unsigned long long) n->range_deletes);
      fprintf (to, " bytes %llu %llu sequences %llu %llu [", (unsigned long long) n->key_bytes,
               (unsigned long long) n->value_bytes, (unsigned long long) n->min_sequence,
               (unsigned long long) n->max_sequence);
      fwrite (n->smallest, 1, n->smallest_size, to);
      fputc (',', to);
      fwrite (n->largest, 1, n->largest_size, to);
      fputc (']', to);
      for (size_t j = 0; j < n->blob_count; j++)
        fprintf (to, " blob %llu %llu %llu", (unsigned long long) n->blobs[j].file,
                 (unsigned long long) n->blobs[j].values, (unsigned long long) n->blobs[j].bytes);
    }
  for (size_t i = 0; i < state->blob_count; i++)
    fprintf (to, "\nblob file %llu %llu %llu", (unsigned long long) state->blobs[i].number,
             (unsigned long long) state->blobs[i].file_size,
             (unsigned long long) state->blobs[i].value_bytes);
  fclose (to);
  return text;
}

/* The numbers go into the print apart, because opening takes one. */
static char *
load_text (struct vfs_directory *directory)
{
  struct manifest_state state;
  CHECK_OK (manifest_load (directory, &state, &failure));
  char *text = print_state (&state);
  manifest_state_clear (&state);
  return text;
}

static char *
state_text (const struct manifest *manifest)
{
  return print_state (manifest_state (manifest));
}

static void
check_same (char *actual, char *expected)
{
  if (strcmp (actual, expected) != 0)
    fprintf (stderr, "--- actual\n%s\n--- expected\n%s\n", actual, expected);
  CHECK (strcmp (actual, expected) == 0);
  free (actual);
}

static struct manifest_segment
segment_of (uint64_t number, uint64_t run, const char *smallest, const char *largest)
{
  static struct blob_use uses[2] = { { 3, 10, 100000 }, { 900, 1, 8192 } };
  return (struct manifest_segment){
    .information = {
      .number = number, .file_size = 65536 + number, .records = 500, .deletes = 7,
      .range_deletes = 0, .key_bytes = 8000, .value_bytes = 50000, .min_sequence = 0,
      .max_sequence = SEQUENCE_MAX,
      .smallest = (uint8_t *) smallest, .smallest_size = strlen (smallest),
      .largest = (uint8_t *) largest, .largest_size = strlen (largest),
      .blobs = uses, .blob_count = number % 3,
    },
    .run = run, .order = run, .created = UINT64_C (1700000000000000) + number,
  };
}

/* A run of two segments. */
static void
apply_run (struct manifest *manifest)
{
  uint64_t run = manifest_next_run (manifest);
  struct manifest_segment segments[2] = {
    segment_of (manifest_next_number (manifest), run, "0001aaa", "0001mm"),
    segment_of (manifest_next_number (manifest), run, "0001mmm", "0001zz"),
  };
  struct manifest_edit edit = {
    .add_segments = segments,
    .add_segment_count = 2,
    .user_bytes_added = 1000,
    .flushed_sequence = manifest_state (manifest)->flushed_sequence + 10,
  };
  CHECK_OK (manifest_apply (manifest, &edit, &failure));
}

static struct vfs_directory *
open_directory (const struct vfs *vfs, const char *path)
{
  struct vfs_directory *directory;
  CHECK_OK (vfs_directory_open (vfs, path, true, &directory, &failure));
  return directory;
}

static void
clean (const char *path)
{
  char command[600];
  snprintf (command, sizeof command, "rm -rf -- '%s' && mkdir -m 700 '%s'", path, path);
  CHECK (system (command) == 0);
}

static void
write_bytes (const char *path, const char *name, const void *data, size_t size)
{
  char whole[700];
  snprintf (whole, sizeof whole, "%s/%s", path, name);
  unlink (whole); /* a file system may flush a file that is truncated and closed */
  FILE *file = fopen (whole, "w");
  CHECK (file != NULL && fwrite (data, 1, size, file) == size);
  fclose (file);
}

static uint8_t *
read_bytes (const char *path, const char *name, size_t *size)
{
  char whole[700];
  struct stat information;
  snprintf (whole, sizeof whole, "%s/%s", path, name);
  FILE *file = fopen (whole, "r");
  CHECK (file != NULL && fstat (fileno (file), &information) == 0);
  *size = (size_t) information.st_size;
  uint8_t *data = malloc (*size + 1);
  CHECK (fread (data, 1, *size, file) == *size);
  fclose (file);
  return data;
}

static bool
exists (const char *path, const char *name)
{
  char whole[700];
  snprintf (whole, sizeof whole, "%s/%s", path, name);
  return access (whole, F_OK) == 0;
}

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

static void
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

static void
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

static void
test_newer_format (const char *path)
{
  static const struct
  {
    size_t at;
    uint8_t value;
    status code;
  } changes[] = {
    { 8, 2, STATUS_NEWER_FORMAT },
    { 16, 1, STATUS_NEWER_FORMAT },
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

static void
check_presence (struct vfs_directory *directory, enum manifest_presence expected)
{
  enum manifest_presence presence;
  CHECK_OK (manifest_probe (directory, &presence, &failure));
  CHECK_INT (presence, expected);
}

static void
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
static void
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

static void
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
  test_mutations (path);
  test_newer_format (path);
  test_presence (path);
  test_numbers_and_orphans (path);
  test_rotation (path);
  test_condensed (path);
  test_crashes (path);
  test_random (path);
  remove_directory (path);
  return 0;
}
