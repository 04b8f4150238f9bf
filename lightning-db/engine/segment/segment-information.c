/* SPDX-License-Identifier: MIT */
#include "segment/segment.h"

#include <stdlib.h>

/* A copy of `size` bytes, or of nothing as a NULL; false when memory is short. */
static bool
duplicate (void **to, const void *from, size_t size)
{
  *to = NULL;
  if (size == 0)
    return true;
  *to = malloc (size);
  if (*to == NULL)
    return false;
  memcpy (*to, from, size);
  return true;
}

status
segment_information_copy (struct segment_information *to, const struct segment_information *from,
                          struct failure *failure)
{
  size_t blob_bytes;
  void *smallest = NULL, *largest = NULL, *blobs = NULL;
  if (__builtin_mul_overflow (from->blob_count, sizeof *from->blobs, &blob_bytes)
      || !duplicate (&smallest, from->smallest, from->smallest_size)
      || !duplicate (&largest, from->largest, from->largest_size)
      || !duplicate (&blobs, from->blobs, blob_bytes))
    {
      free (smallest);
      free (largest);
      *to = (struct segment_information){ 0 };
      return fail_memory (failure, from->smallest_size + from->largest_size + blob_bytes,
                          "what the manifest keeps of a segment");
    }
  *to = *from;
  to->smallest = smallest;
  to->largest = largest;
  to->blobs = blobs;
  return STATUS_OK;
}

void
segment_information_clear (struct segment_information *information)
{
  free (information->smallest);
  free (information->largest);
  free (information->blobs);
  *information = (struct segment_information){ 0 };
}
