/* SPDX-License-Identifier: MIT */
/* An inner page of any bytes: what validates is read in every way there is. */
#include "fuzz.h"

#include "segment/inner.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static uint8_t key[1 << 17];
  const char *reason = NULL;
  if (!inner_validate (BYTES (data, size), &reason))
    {
      CHECK (reason != NULL);
      return 0;
    }
  struct bytes prefix = inner_prefix (data);
  unsigned count = inner_count (data);
  CHECK (count > 0);
  fuzz_touch (prefix);
  for (unsigned i = 0; i < count; i++)
    {
      struct inner_entry entry = inner_entry (data, i);
      fuzz_touch (entry.suffix);
      CHECK (inner_find_leaf (data, entry.first_leaf) < count);
      if (prefix.size + entry.suffix.size > sizeof key)
        continue;
      memcpy (key, prefix.data, prefix.size);
      memcpy (key + prefix.size, entry.suffix.data, entry.suffix.size);
      CHECK (inner_find_key (data, BYTES (key, prefix.size + entry.suffix.size)) < count);
    }
  CHECK (inner_find_key (data, BYTES_NONE) < count);
  CHECK (inner_find_leaf (data, UINT32_MAX) < count);
  return 0;
}
