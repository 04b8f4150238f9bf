/* SPDX-License-Identifier: MIT */
/* A leaf page of any bytes: what validates is read in every way there is, by every kernel. */
#include "fuzz.h"

#include "base/hash.h"
#include "segment/leaf.h"

#include <string.h>

/* Every frame has room for a whole vector behind the page (L1). */
#define BEHIND LEAF_TAGS_PER_VECTOR

static struct bytes
whole_key (const struct leaf_view *view, struct bytes suffix, uint8_t *to, size_t room)
{
  if (view->prefix_size + suffix.size > room)
    return BYTES_NONE;
  memcpy (to, view->prefix, view->prefix_size);
  if (suffix.size > 0)
    memcpy (to + view->prefix_size, suffix.data, suffix.size);
  return BYTES (to, view->prefix_size + suffix.size);
}

/* All kernels find the same. */
static void
find_everywhere (const uint8_t *page, struct bytes key, uint8_t tag)
{
  struct record first = { .sequence = 0 };
  enum leaf_result expected = leaf_find (page, key, tag, UINT64_MAX, CPU_SCALAR, &first);
  for (enum cpu_level level = CPU_SSE2; level <= cpu_level (); level++)
    {
      struct record record = { .sequence = 0 };
      CHECK (leaf_find (page, key, tag, UINT64_MAX, level, &record) == expected);
      if (expected == LEAF_FOUND)
        CHECK (record.value.data == first.value.data && record.sequence == first.sequence);
      leaf_prefetch_candidate (page, tag, level);
      CHECK (leaf_match_tags (level, page, tag) == leaf_match_tags (CPU_SCALAR, page, tag));
    }
  leaf_prefetch_candidate (page, tag, CPU_SCALAR);
  if (expected == LEAF_FOUND)
    fuzz_touch (first.value);
  leaf_find (page, key, tag, first.sequence / 2, CPU_SCALAR, &first);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static uint8_t key[1 << 17];
  const char *reason = NULL;
  uint8_t *page = calloc (1, size + BEHIND);
  CHECK (page != NULL);
  if (size > 0)
    memcpy (page, data, size);
  if (!leaf_validate (BYTES (page, size), &reason))
    CHECK (reason != NULL);
  else
    {
      struct leaf_view view = leaf_view (page);
      for (unsigned slot = 0; slot < view.count; slot++)
        {
          struct leaf_record record = leaf_record (&view, slot);
          fuzz_touch (record.suffix);
          fuzz_touch (record.value);
          struct bytes whole = whole_key (&view, record.suffix, key, sizeof key);
          CHECK (leaf_lower_bound (&view, whole) <= view.count);
          find_everywhere (page, whole, page[LEAF_HEADER_SIZE + slot]);
          find_everywhere (page, whole, key_tag (key_hash (whole)));
        }
      CHECK (leaf_lower_bound (&view, BYTES_NONE) == 0);
      if (view.count > 0)
        leaf_is_distinct (&view);
    }
  free (page);
  return 0;
}
