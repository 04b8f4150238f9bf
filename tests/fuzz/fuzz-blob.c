/* SPDX-License-Identifier: MIT */
/* A reference of any bytes into a file of large values of any bytes: the first 24 are the
 * reference. */
#include "fuzz.h"

#include "base/coding.h"
#include "blob/blob.h"

#include <inttypes.h>
#include <string.h>

#define NUMBER_OFFSET 16u /* in the header (docs/design/format-blob.md) */
#define ID_OFFSET 24u
#define HEADER_SIZE 64u
#define SIZE_MOST (UINT64_C (1) << 22) /* a caller asks for no more memory than the file is long */

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct failure failure = FAILURE_INIT;
  struct blob_reference reference;
  struct blob_file *file;
  char name[40];
  if (size < BLOB_REFERENCE_SIZE + HEADER_SIZE)
    return 0;
  const uint8_t *content = data + BLOB_REFERENCE_SIZE;
  uint64_t number = load_u64 (content + NUMBER_OFFSET) & 0xffffffff, bytes;
  number = number > 0 ? number : 1;
  snprintf (name, sizeof name, "%" PRIu64 ".blob", number);
  fuzz_write (name, BYTES (content, size - BLOB_REFERENCE_SIZE));
  if (fuzz_result (blob_file_open (fuzz_directory (), content + ID_OFFSET, number, &file, &failure),
                   &failure))
    {
      CHECK_OK (blob_file_size (file, &bytes, &failure));
      CHECK_INT (bytes, size - BLOB_REFERENCE_SIZE);
      if (blob_reference_load (BYTES (data, BLOB_REFERENCE_SIZE), &reference)
          && reference.size <= SIZE_MOST)
        {
          uint8_t *value = malloc (reference.size + 1);
          CHECK (value != NULL);
          failure = FAILURE_INIT;
          if (fuzz_result (blob_file_read (file, &reference, value, &failure), &failure))
            fuzz_touch (BYTES (value, reference.size));
          free (value);
        }
      blob_file_unref (file);
    }
  fuzz_remove (name);
  return 0;
}
