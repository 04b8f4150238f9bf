/* SPDX-License-Identifier: MIT */
/* What a cursor shows: keys are borrowed from the source (C2 of cursor.c), and so are values but
 * large ones, which are read when somebody asks. */
#include "core/cursor-private.h"

#include <stdlib.h>

struct engine_cursor_place *
engine_cursor_place (struct engine_cursor *cursor)
{
  return &cursor->at;
}

bool
engine_cursor_valid (const struct engine_cursor *cursor)
{
  return cursor->at.shown->valid;
}

struct bytes
engine_cursor_key (const struct engine_cursor *cursor)
{
  return cursor->at.shown->valid ? cursor->at.shown->key : BYTES_NONE;
}

uint64_t
engine_cursor_sequence (const struct engine_cursor *cursor)
{
  return cursor->at.shown->valid ? cursor->at.shown->sequence : 0;
}

static status
find_value (struct engine_cursor *cursor, struct bytes *out, struct failure *failure)
{
  *out = BYTES_NONE;
  if (!cursor->at.shown->valid)
    return fail (failure, STATUS_INVALID,
                 "the cursor stands on no record; move it and check that it is valid");
  if (!cursor->at.shown->apart)
    {
      *out = cursor->at.shown->value;
      return STATUS_OK;
    }
  if (!cursor->has_blob)
    {
      status result = engine_enter (cursor->engine, failure);
      if (result == STATUS_OK && cursor->cached_only)
        result = STATUS_BUSY;
      if (result == STATUS_OK)
        result = blob_value (cursor->engine, cursor->view, cursor->at.shown->value, &cursor->blob,
                             failure);
      if (result != STATUS_OK)
        return result;
      cursor->has_blob = true;
      cursor->steps = DIRECTION_NONE;     /* the next move lets it go … */
      cursor->at.last = cursor->at.shown; /* … and none is made by callers alone */
    }
  *out = cursor->blob.data;
  return STATUS_OK;
}

status
engine_cursor_value (struct engine_cursor *cursor, struct bytes *out, struct failure *failure)
{
  status result = find_value (cursor, out, failure);
  cursor->blob_lent = cursor->has_blob;
  return result;
}

status
engine_cursor_take_value (struct engine_cursor *cursor, struct engine_value *out,
                          struct failure *failure)
{
  *out = (struct engine_value){ .holder_kind = HOLDER_NONE };
  struct bytes value;
  status result = find_value (cursor, &value, failure);
  if (result != STATUS_OK)
    return result;
  if (cursor->has_blob && !cursor->blob_lent) /* C2 of cursor.c: what was lent stays */
    {
      *out = cursor->blob;
      cursor->has_blob = false;
    }
  else if (value.size > 0)
    {
      uint8_t *copy = malloc (value.size);
      if (copy == NULL)
        return fail_memory (failure, value.size, "a value");
      memcpy (copy, value.data, value.size);
      out->data = BYTES (copy, value.size);
      out->holder = copy;
      out->holder_kind = HOLDER_HEAP;
    }
  out->sequence = engine_cursor_sequence (cursor);
  return STATUS_OK;
}
