/* SPDX-License-Identifier: MIT */
#include "manifest-trial.h"

#include "replaced-vfs.h"

#include <fcntl.h>
#include <sys/stat.h>

struct failure failure;

struct stop_plan stop;

struct vfs stopping;

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
  return code == STATUS_OK ? replaced_open (directory, name, flags, out, f) : code;
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

void
stop_after (long changes, enum stop_mode mode)
{
  stop.left = changes;
  stop.mode = mode;
  stop.stopped = false;
  stop.random.state = (uint64_t) changes;
}

void
prepare_stopping (void)
{
  stopping = replaced_vfs ();
  stopping.name = "stopping";
  stopping.directory_sync = stopping_directory_sync;
  stopping.rename = stopping_rename;
  stopping.unlink = stopping_unlink;
  stopping.open = stopping_open;
  stopping.write = stopping_write;
  stopping.sync_data = stopping_sync_data;
  stopping.truncate = stopping_truncate;
}

char *
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

char *
load_text (struct vfs_directory *directory)
{
  struct manifest_state state;
  CHECK_OK (manifest_load (directory, &state, &failure));
  char *text = print_state (&state);
  manifest_state_clear (&state);
  return text;
}

char *
state_text (const struct manifest *manifest)
{
  return print_state (manifest_state (manifest));
}

void
check_same (char *actual, char *expected)
{
  if (strcmp (actual, expected) != 0)
    fprintf (stderr, "--- actual\n%s\n--- expected\n%s\n", actual, expected);
  CHECK (strcmp (actual, expected) == 0);
  free (actual);
}

struct manifest_segment
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

void
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

struct vfs_directory *
open_directory (const struct vfs *vfs, const char *path)
{
  struct vfs_directory *directory;
  CHECK_OK (vfs_directory_open (vfs, path, true, &directory, &failure));
  return directory;
}

void
clean (const char *path)
{
  char command[600];
  snprintf (command, sizeof command, "rm -rf -- '%s' && mkdir -m 700 '%s'", path, path);
  CHECK (system (command) == 0);
}

void
write_bytes (const char *path, const char *name, const void *data, size_t size)
{
  char whole[700];
  snprintf (whole, sizeof whole, "%s/%s", path, name);
  unlink (whole); /* a file system may flush a file that is truncated and closed */
  FILE *file = fopen (whole, "w");
  CHECK (file != NULL && fwrite (data, 1, size, file) == size);
  fclose (file);
}

uint8_t *
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

bool
exists (const char *path, const char *name)
{
  char whole[700];
  snprintf (whole, sizeof whole, "%s/%s", path, name);
  return access (whole, F_OK) == 0;
}
