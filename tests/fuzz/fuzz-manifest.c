/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a manifest: what loads is written as a copy, which loads to the same, and takes an
 * edit when it is opened for writing.
 */
#include "fuzz.h"

#include "base/coding.h"
#include "version/manifest-private.h"

#include <string.h>

#define NUMBER_OFFSET 40u /* in the header (docs/design/manifest.md) */

static void
compare (const struct manifest_state *a, const struct manifest_state *b)
{
  CHECK (memcmp (a->database_id, b->database_id, 16) == 0);
  CHECK_INT (a->page_size, b->page_size);
  CHECK_INT (a->flushed_sequence, b->flushed_sequence);
  CHECK_INT (a->user_bytes, b->user_bytes);
  CHECK_INT (a->segment_count, b->segment_count);
  CHECK_INT (a->blob_count, b->blob_count);
  for (size_t i = 0; i < a->segment_count; i++)
    {
      const struct segment_information *one = &a->segments[i].information,
                                       *other = &b->segments[i].information;
      CHECK_INT (one->number, other->number);
      CHECK (one->number < a->next_number && a->segments[i].run < a->next_run); /* V4 */
      CHECK (bytes_equal (BYTES (one->smallest, one->smallest_size),
                          BYTES (other->smallest, other->smallest_size)));
      CHECK (bytes_equal (BYTES (one->largest, one->largest_size),
                          BYTES (other->largest, other->largest_size)));
    }
}

static bool
note_name (void *data, const char *name)
{
  (void) data;
  if (strncmp (name, "MANIFEST-", 9) == 0 || strcmp (name, "CURRENT") == 0
      || strstr (name, ".tmp") != NULL)
    fuzz_remove (name);
  return true;
}

static void
clear_directory (void)
{
  struct failure failure = FAILURE_INIT;
  CHECK_OK (vfs_directory_list (fuzz_directory (), note_name, NULL, &failure));
}

/* As a writer does: a fresh manifest that says the same, and one edit more. */
static void
open_and_edit (const struct manifest_state *state)
{
  struct failure failure = FAILURE_INIT;
  struct manifest *manifest;
  if (!fuzz_result (manifest_open (fuzz_directory (), &manifest, &failure), &failure))
    return;
  compare (manifest_state (manifest), state);
  struct manifest_edit edit = { .flushed_sequence = state->flushed_sequence + 1 };
  failure = FAILURE_INIT;
  if (fuzz_result (manifest_apply (manifest, &edit, &failure), &failure))
    CHECK_INT (manifest_state (manifest)->flushed_sequence, state->flushed_sequence + 1);
  manifest_close (manifest);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct failure failure = FAILURE_INIT;
  struct manifest_state state, again;
  char name[FILE_NAME_SIZE], current[CURRENT_SIZE_MAX];
  uint64_t number = size >= MANIFEST_HEADER_SIZE ? load_u64 (data + NUMBER_OFFSET) & 0xffffffff : 1;
  number = number > 0 ? number : 1;
  file_name (name, FILE_MANIFEST, number);
  fuzz_write ("CURRENT", BYTES (current, current_encode (current, number)));
  fuzz_write (name, BYTES (data, size));
  if (fuzz_result (manifest_load (fuzz_directory (), &state, &failure), &failure))
    {
      open_and_edit (&state);
      clear_directory ();
      failure = FAILURE_INIT;
      if (fuzz_result (manifest_write_copy (&state, fuzz_directory (), &failure), &failure))
        {
          CHECK_OK (manifest_load (fuzz_directory (), &again, &failure));
          compare (&again, &state);
          manifest_state_clear (&again);
        }
      manifest_state_clear (&state);
    }
  clear_directory ();
  return 0;
}
