/* SPDX-License-Identifier: MIT */
#include "core/overlay.h"

#include "core/engine-private.h"

#include <stdlib.h>

struct overlay_source
{
  struct source base;
  struct source *inner; /* the transaction's index */
};

static status
overlay_show (struct overlay_source *overlay, status result)
{
  overlay->base.valid = result == STATUS_OK && overlay->inner->valid;
  if (overlay->base.valid)
    {
      overlay->base.record = overlay->inner->record;
      overlay->base.record.sequence += OVERLAY_BASE;
    }
  return result;
}

static status
overlay_seek (struct source *source, struct bytes key, struct failure *failure)
{
  struct overlay_source *overlay = (struct overlay_source *) source;
  return overlay_show (overlay, source_seek (overlay->inner, key, failure));
}

static status
overlay_seek_before (struct source *source, struct bytes key, struct failure *failure)
{
  struct overlay_source *overlay = (struct overlay_source *) source;
  return overlay_show (overlay, source_seek_before (overlay->inner, key, failure));
}

static status
overlay_first (struct source *source, struct failure *failure)
{
  struct overlay_source *overlay = (struct overlay_source *) source;
  return overlay_show (overlay, source_first (overlay->inner, failure));
}

static status
overlay_last (struct source *source, struct failure *failure)
{
  struct overlay_source *overlay = (struct overlay_source *) source;
  return overlay_show (overlay, source_last (overlay->inner, failure));
}

static status
overlay_next (struct source *source, struct failure *failure)
{
  struct overlay_source *overlay = (struct overlay_source *) source;
  return overlay_show (overlay, source_next (overlay->inner, failure));
}

static status
overlay_previous (struct source *source, struct failure *failure)
{
  struct overlay_source *overlay = (struct overlay_source *) source;
  return overlay_show (overlay, source_previous (overlay->inner, failure));
}

static void
overlay_release (struct source *source)
{
  struct overlay_source *overlay = (struct overlay_source *) source;
  source_release (overlay->inner);
  free (overlay);
}

status
overlay_source_new (struct memtable *index, struct source **out, struct failure *failure)
{
  static const struct source_operations operations = {
    .seek = overlay_seek,
    .seek_before = overlay_seek_before,
    .first = overlay_first,
    .last = overlay_last,
    .next = overlay_next,
    .previous = overlay_previous,
    .release = overlay_release,
  };
  struct overlay_source *overlay = calloc (1, sizeof *overlay);
  if (overlay == NULL)
    return fail_memory (failure, sizeof *overlay, "a cursor");
  overlay->base.operations = &operations;
  status result = memtable_source_new (index, &overlay->inner, failure);
  if (result != STATUS_OK)
    {
      free (overlay);
      return result;
    }
  *out = &overlay->base;
  return STATUS_OK;
}
