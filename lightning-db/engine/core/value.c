/* SPDX-License-Identifier: MIT */
/*
 * value: what callers hold of what was read, and large values from their files, from the cache
 * where it has them.
 */
#include "base/timing.h"
#include "core/engine-private.h"

#include <stdlib.h>

void
engine_value_release (struct engine_value *value)
{
  switch ((enum holder_kind) value->holder_kind)
    {
    case HOLDER_HEAP:
      free (value->holder);
      break;
    case HOLDER_PAGE:
      cache_unpin (value->holder);
      break;
    case HOLDER_TABLE:
      memtable_unref (value->holder);
      engine_unref (value->owner);
      break;
    case HOLDER_SEGMENT:
      segment_unref (value->holder);
      engine_unref (value->owner);
      break;
    case HOLDER_NONE:
      break;
    }
  value->holder_kind = HOLDER_NONE;
  value->holder = value->owner = NULL;
  value->data = BYTES_NONE;
}

/* ---- large values ---- */

/* The file, with a reference of its own. `view` is referenced by the caller. */
static status
blob_find (struct engine *engine, struct view *view, uint64_t number, struct blob_file **out,
           struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  struct blob_file *file = view_blob (view, number);
  if (file == NULL) /* written since the last flush */
    {
      status result = blob_file_open (engine->directory, engine->database_id, number, out, &cause);
      if (result == STATUS_OK)
        return result;
      file = view_blob (view,
                        number); /* perhaps it was installed, collected and dropped meanwhile */
      if (file == NULL)
        return fail (failure, result, "%s", cause.message);
    }
  *out = blob_file_ref (file);
  return STATUS_OK;
}

static status
blob_place (struct engine *engine, struct bytes reference, struct blob_reference *out,
            struct failure *failure)
{
  if (blob_reference_load (reference, out))
    return STATUS_OK;
  return fail (failure, STATUS_CORRUPT, "%s: a blob reference is malformed; run check, then repair",
               engine->path);
}

void
engine_keep_blobs (struct engine *engine, struct blob_file *file)
{
  blob_file_set_metrics (file, engine->metrics);
  blob_file_set_cache (file, engine->cache, BLOB_FILE_SIZE);
}

/* A value that is not kept in the cache. */
static status
read_apart (struct engine *engine, struct blob_file *file, const struct blob_reference *place,
            uint8_t *to, struct failure *failure)
{
  struct wait_mark mark = wait_begin ();
  status result = blob_file_read (file, place, to, failure);
  wait_end (engine->metrics, WAIT_BLOB_READ, mark);
  return result;
}

status
blob_value (struct engine *engine, struct view *view, struct bytes reference,
            struct engine_value *out, struct failure *failure)
{
  struct blob_reference place;
  struct blob_file *file;
  const uint8_t *page = NULL;
  status result = blob_place (engine, reference, &place, failure);
  if (result == STATUS_OK)
    result = blob_find (engine, view, place.file, &file, failure);
  if (result != STATUS_OK)
    return result;
  result = blob_file_lend (file, &place, &page, &out->data, failure);
  if (result != STATUS_OK || page != NULL)
    {
      blob_file_unref (file);
      out->holder = (void *) page;
      out->holder_kind = page != NULL ? HOLDER_PAGE : HOLDER_NONE;
      return result;
    }
  uint8_t *bytes = malloc (place.size > 0 ? place.size : 1);
  if (bytes == NULL)
    result = fail_memory (failure, place.size, "a large value");
  else
    result = read_apart (engine, file, &place, bytes, failure);
  blob_file_unref (file);
  if (result != STATUS_OK)
    {
      free (bytes);
      return result;
    }
  out->data = BYTES (bytes, place.size);
  out->holder = bytes;
  out->holder_kind = HOLDER_HEAP;
  return STATUS_OK;
}

status
blob_copy (struct engine *engine, struct view *view, struct bytes reference, void *buffer,
           size_t capacity, size_t *size, struct failure *failure)
{
  struct blob_reference place;
  struct blob_file *file;
  status result = blob_place (engine, reference, &place, failure);
  if (result != STATUS_OK)
    return result;
  *size = place.size;
  if (place.size > capacity || place.size == 0)
    return STATUS_OK;
  result = blob_find (engine, view, place.file, &file, failure);
  if (result != STATUS_OK)
    return result;
  const uint8_t *page;
  struct bytes value;
  result = blob_file_lend (file, &place, &page, &value, failure);
  if (result == STATUS_OK && page == NULL)
    result = read_apart (engine, file, &place, buffer, failure);
  if (page != NULL)
    {
      memcpy (buffer, value.data, value.size);
      cache_unpin (page);
    }
  blob_file_unref (file);
  return result;
}
