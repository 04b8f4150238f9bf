/* SPDX-License-Identifier: MIT */
/*
 * Any files in a directory: what is taken for a database, what for an empty place and what for
 * somebody else's. Looking changes nothing; creating, deleting, backing up to it and restoring from
 * it follow what the look said, and never touch a file that has none of our names.
 */
#include "fuzz-files.h"

#include "engine.h"
#include "version/manifest-private.h"

#include <string.h>

static char *path, *restored_path;
static struct engine *source; /* what is backed up */

static void
begin (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.merge_enabled = false;
  path = fuzz_files_directory ("probed");
  restored_path = fuzz_files_directory ("restored");
  char *source_path = fuzz_files_directory ("source");
  CHECK_OK (engine_open (source_path, ENGINE_OPEN_CREATE, &options, &source, &failure));
  CHECK_OK (engine_put (source, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"),
                        BYTES_LITERAL ("value"), ENGINE_SYNC_ASYNC, NULL, &failure));
  CHECK_OK (engine_checkpoint (source, &failure));
  free (source_path);
}

static enum manifest_presence
probe (bool *sound)
{
  struct failure failure = FAILURE_INIT;
  struct vfs_directory *directory;
  enum manifest_presence presence = MANIFEST_FOREIGN;
  uint64_t number;
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  CHECK_OK (manifest_probe (directory, &presence, &failure));
  *sound = manifest_read_current (directory, &number, NULL) == STATUS_OK;
  vfs_directory_close (directory);
  return presence;
}

/* What reads the directory has to say the same as the look. */
static void
load (enum manifest_presence presence)
{
  struct failure failure = FAILURE_INIT;
  struct vfs_directory *directory;
  struct manifest_state state = { 0 };
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  status result = manifest_load (directory, &state, &failure);
  if (result == STATUS_OK)
    {
      CHECK (presence == MANIFEST_PRESENT);
      manifest_state_clear (&state);
    }
  else if (presence != MANIFEST_PRESENT)
    CHECK (result == (presence == MANIFEST_EMPTY ? STATUS_NOT_FOUND : STATUS_NOT_A_DATABASE));
  vfs_directory_close (directory);
}

static void
create (enum manifest_presence presence)
{
  struct failure failure = FAILURE_INIT;
  struct vfs_directory *directory;
  struct manifest *manifest;
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  status result = manifest_create (directory, 4096, &manifest, &failure);
  fuzz_result (result, &failure);
  CHECK (presence != MANIFEST_FOREIGN || result == STATUS_NOT_A_DATABASE);
  CHECK (presence != MANIFEST_PRESENT || result == STATUS_EXISTS);
  if (result == STATUS_OK)
    {
      bool sound;
      manifest_close (manifest);
      CHECK (probe (&sound) == MANIFEST_PRESENT && sound);
      load (MANIFEST_PRESENT);
    }
  vfs_directory_close (directory);
}

static void
destroy (enum manifest_presence presence)
{
  struct failure failure = FAILURE_INIT;
  status result = engine_destroy (path, NULL, &failure);
  fuzz_result (result, &failure);
  CHECK (presence != MANIFEST_FOREIGN || result == STATUS_NOT_A_DATABASE);
}

/* What was made of it holds what was backed up. */
static void
back_up (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_options options;
  struct engine *engine;
  char value[8];
  size_t size;
  if (!fuzz_result (engine_backup (source, path, true, NULL, NULL, NULL, &failure), &failure))
    return;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  CHECK_OK (
      engine_open (path, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC, &options, &engine, &failure));
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), value,
                        sizeof value, &size, &failure));
  CHECK (size == 5 && memcmp (value, "value", 5) == 0);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
}

static void
restore (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_check_report report;
  rmdir (restored_path);
  if (fuzz_result (engine_restore (path, restored_path, NULL, NULL, &failure), &failure))
    CHECK_OK (engine_check (restored_path, false, NULL, NULL, NULL, &report, &failure));
  fuzz_files_clear (restored_path);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  bool sound;
  struct bytes input = BYTES (data, size);
  if (path == NULL)
    begin ();
  fuzz_files_write (path, input);
  uint64_t all = fuzz_files_digest (path, false), foreign = fuzz_files_digest (path, true);
  enum manifest_presence presence = probe (&sound);
  CHECK (!sound || presence == MANIFEST_PRESENT);
  load (presence);
  CHECK (fuzz_files_digest (path, false) == all);
  create (presence);
  CHECK (presence == MANIFEST_EMPTY || fuzz_files_digest (path, false) == all);
  fuzz_files_clear (path);

  fuzz_files_write (path, input);
  destroy (presence);
  CHECK (fuzz_files_digest (path, true) == foreign);
  CHECK (presence != MANIFEST_FOREIGN || fuzz_files_digest (path, false) == all);
  fuzz_files_clear (path);

  fuzz_files_write (path, input);
  restore ();
  CHECK (fuzz_files_digest (path, true) == foreign);
  back_up ();
  CHECK (fuzz_files_digest (path, true) == foreign);
  fuzz_files_clear (path);
  return 0;
}
