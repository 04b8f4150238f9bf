/* SPDX-License-Identifier: MIT */
#include "core/blob-collect.h"

#include <stdlib.h>

#define PAYS_BYTES (UINT64_C (4) << 20) /* of dead values: less is not worth a rewrite */
#define PAYS_PART 4u                    /* of all blob bytes must be dead */
#define OVERHEAD_PART 16u               /* of a file's bytes are taken for headers and trailers, */
#define OVERHEAD_BYTES 4096u            /* and that many more */

/* One file, as measured. */
struct collected
{
  uint64_t number;
  uint64_t size;          /* bytes of the file */
  uint64_t live;          /* bytes of values that segments refer to */
  struct blob_file *file; /* owned */
};

struct blob_collection
{
  struct collected *files; /* rising number; malloc'd */
  size_t count;
  uint64_t dead;    /* bytes in them that nobody needs */
  uint64_t total;   /* bytes of all blob files */
  uint64_t current; /* the file that took new values before it was measured; 0 = none */
};

/* ---- measuring ---- */

void
blob_collection_free (struct blob_collection *collection)
{
  if (collection == NULL)
    return;
  for (size_t i = 0; i < collection->count; i++)
    blob_file_unref (collection->files[i].file);
  free (collection->files);
  free (collection);
}

static struct collected *
find_file (const struct blob_collection *collection, uint64_t number)
{
  size_t low = 0, high = collection->count;
  while (low < high)
    {
      size_t middle = (low + high) / 2;
      if (collection->files[middle].number == number)
        return &collection->files[middle];
      if (collection->files[middle].number < number)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

/* All files of the manifest with their sizes and live bytes. manifest_lock held. */
static status
measure (struct engine *engine, const struct view *view, struct blob_collection *collection,
         struct failure *failure)
{
  const struct manifest_state *state = manifest_state (engine->manifest);
  collection->files = calloc (state->blob_count + 1, sizeof *collection->files);
  if (collection->files == NULL)
    return fail_memory (failure, state->blob_count * sizeof *collection->files,
                        "a list of blob files");
  for (size_t i = 0; i < state->blob_count; i++)
    {
      struct blob_file *file = view_blob (view, state->blobs[i].number);
      struct collected *entry = &collection->files[collection->count];
      if (file == NULL)
        continue;
      status result = blob_file_size (file, &entry->size, failure);
      if (result != STATUS_OK)
        return result;
      entry->number = state->blobs[i].number;
      entry->file = blob_file_ref (file);
      collection->total += entry->size;
      collection->count++;
    }
  for (size_t i = 0; i < state->segment_count; i++)
    {
      const struct segment_information *information = &state->segments[i].information;
      for (size_t b = 0; b < information->blob_count; b++)
        {
          struct collected *entry = find_file (collection, information->blobs[b].file);
          if (entry != NULL
              && __builtin_add_overflow (entry->live, information->blobs[b].bytes, &entry->live))
            entry->live = UINT64_MAX;
        }
    }
  return STATUS_OK;
}

static bool
is_spoiled (struct engine *engine, uint64_t number)
{
  bool found = false;
  pthread_mutex_lock (&engine->blob_lock);
  for (size_t i = 0; i < engine->spoiled_blob_count; i++)
    found |= engine->spoiled_blobs[i] == number;
  pthread_mutex_unlock (&engine->blob_lock);
  return found;
}

static bool
is_worth_it (const struct collected *entry, bool everything)
{
  if (!everything)
    return entry->live < entry->size / 2;
  uint64_t overhead = entry->size / OVERHEAD_PART + OVERHEAD_BYTES;
  return overhead < entry->size && entry->live < entry->size - overhead;
}

/* Keeps the files that are to be collected. C1 for all but the file that takes new values. */
static void
select_files (struct engine *engine, bool everything, uint64_t limit,
              struct blob_collection *collection)
{
  size_t kept = 0;
  for (size_t i = 0; i < collection->count; i++)
    {
      struct collected *entry = &collection->files[i];
      if (entry->number < limit && is_worth_it (entry, everything)
          && !is_spoiled (engine, entry->number))
        {
          collection->dead += entry->size - entry->live;
          collection->files[kept++] = *entry;
        }
      else
        blob_file_unref (entry->file);
    }
  collection->count = kept;
}

/* `sealed`: without the file that takes new values. */
static status
collection_make (struct engine *engine, bool everything, bool sealed, struct blob_collection **out,
                 struct failure *failure)
{
  struct blob_collection *collection = calloc (1, sizeof *collection);
  *out = NULL;
  if (collection == NULL)
    return fail_memory (failure, sizeof *collection, "a list of blob files");
  pthread_mutex_lock (&engine->manifest_lock);
  collection->current = blob_writer_current (engine->blob_writer);
  uint64_t limit
      = sealed ? engine_oldest_unflushed_blob (engine) : engine_oldest_referred_blob (engine);
  struct view *view;
  status result = engine_view_of_files (engine, &view, failure);
  if (result == STATUS_OK && view != NULL)
    result = measure (engine, view, collection, failure);
  view_unref (view);
  pthread_mutex_unlock (&engine->manifest_lock);
  if (result == STATUS_OK)
    select_files (engine, everything, limit, collection);
  if (result == STATUS_OK && collection->count > 0)
    *out = collection;
  else
    blob_collection_free (collection);
  return result;
}

status
blob_collection_new (struct engine *engine, bool everything, struct blob_collection **out,
                     struct failure *failure)
{
  return collection_make (engine, everything, true, out, failure);
}

status
blob_collection_due (struct engine *engine, bool seal, struct blob_collection **out,
                     struct failure *failure)
{
  status result = collection_make (engine, false, false, out, failure);
  if (result != STATUS_OK || *out == NULL)
    return result;
  bool pays = (*out)->dead >= PAYS_BYTES && (*out)->dead >= (*out)->total / PAYS_PART;
  uint64_t newest = (*out)->files[(*out)->count - 1].number;
  if (pays && seal && newest == (*out)->current)
    {
      blob_collection_free (*out);
      *out = NULL;
      result = commit_sync_blobs (engine, true, failure);
      return result == STATUS_OK ? blob_collection_due (engine, true, out, failure) : result;
    }
  if (!pays)
    {
      blob_collection_free (*out);
      *out = NULL;
    }
  return STATUS_OK;
}

uint64_t
blob_collection_dead (const struct blob_collection *collection)
{
  return collection->dead;
}

bool
blob_collection_concerns (const struct blob_collection *collection, const struct segment *segment)
{
  const struct segment_information *information = segment_information (segment);
  for (size_t i = 0; collection != NULL && i < information->blob_count; i++)
    if (find_file (collection, information->blobs[i].file) != NULL)
      return true;
  return false;
}

/* ---- copying ---- */

struct collecting_source
{
  struct source source; /* what the caller sees; first member */
  struct engine *engine;
  const struct blob_collection *collection;
  struct source *survivors;               /* owned */
  uint8_t *buffer;                        /* the value being copied; malloc'd */
  size_t capacity;                        /* of it */
  uint8_t reference[BLOB_REFERENCE_SIZE]; /* where the value is now */
};

/* C2 */
static void
spoil (struct engine *engine, uint64_t number, const struct failure *cause)
{
  pthread_mutex_lock (&engine->blob_lock);
  uint64_t *list = realloc (engine->spoiled_blobs, (engine->spoiled_blob_count + 1) * sizeof *list);
  if (list != NULL)
    {
      engine->spoiled_blobs = list;
      list[engine->spoiled_blob_count++] = number;
    }
  pthread_mutex_unlock (&engine->blob_lock);
  engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_CORRUPT, .failure = cause });
}

static status
make_buffer (struct collecting_source *collecting, uint64_t size, struct failure *failure)
{
  if (size < collecting->capacity)
    return STATUS_OK;
  uint8_t *buffer = realloc (collecting->buffer, (size_t) size + 1);
  if (buffer == NULL)
    return fail_memory (failure, size, "a large value to be moved");
  ledger_charge (&collecting->engine->ledger, LEDGER_MERGE,
                 (size_t) size + 1 - collecting->capacity);
  collecting->buffer = buffer;
  collecting->capacity = (size_t) size + 1;
  return STATUS_OK;
}

/* Writes the value anew; the record then holds the new reference. */
static status
copy_value (struct collecting_source *collecting, const struct collected *entry,
            const struct blob_reference *place, struct failure *failure)
{
  struct engine *engine = collecting->engine;
  struct blob_reference fresh;
  struct failure cause = FAILURE_INIT;
  if (atomic_load_explicit (&engine->cancel_merges, memory_order_relaxed))
    return fail (failure, STATUS_CANCELLED, "the database is closing; nothing was changed");
  status result = make_buffer (collecting, place->size, failure);
  if (result != STATUS_OK)
    return result;
  result = blob_file_read (entry->file, place, collecting->buffer, &cause);
  if (result == STATUS_CORRUPT || result == STATUS_IO)
    {
      if (!is_spoiled (engine, entry->number))
        spoil (engine, entry->number, &cause);
      return STATUS_OK;
    }
  if (result != STATUS_OK)
    return fail (failure, result, "%s", cause.message);
  result = blob_writer_put (engine->blob_writer, BYTES (collecting->buffer, place->size), &fresh,
                            failure);
  if (result != STATUS_OK)
    return result;
  blob_reference_store (collecting->reference, &fresh);
  collecting->source.record.value = BYTES (collecting->reference, sizeof collecting->reference);
  count_shared (engine->metrics, SHARED_MERGE_BYTES_WRITTEN, place->size);
  return STATUS_OK;
}

/* Shows the record that the survivors stand on. */
static status
show (struct collecting_source *collecting, struct failure *failure)
{
  struct source *source = &collecting->source;
  struct blob_reference place;
  if (!collecting->survivors->valid)
    return STATUS_OK;
  source->record = collecting->survivors->record;
  source->valid = true;
  if (source->record.kind != RECORD_BLOB || !blob_reference_load (source->record.value, &place))
    return STATUS_OK;
  const struct collected *entry = find_file (collecting->collection, place.file);
  status result = entry != NULL ? copy_value (collecting, entry, &place, failure) : STATUS_OK;
  source->valid = result == STATUS_OK;
  return result;
}

static status
collecting_seek (struct source *source, struct bytes key, struct failure *failure)
{
  struct collecting_source *collecting = (struct collecting_source *) source;
  source->valid = false;
  status result = source_seek (collecting->survivors, key, failure);
  return result == STATUS_OK ? show (collecting, failure) : result;
}

static status
collecting_first (struct source *source, struct failure *failure)
{
  struct collecting_source *collecting = (struct collecting_source *) source;
  source->valid = false;
  status result = source_first (collecting->survivors, failure);
  return result == STATUS_OK ? show (collecting, failure) : result;
}

static status
collecting_next (struct source *source, struct failure *failure)
{
  struct collecting_source *collecting = (struct collecting_source *) source;
  if (!source->valid)
    return STATUS_OK;
  source->valid = false;
  status result = source_next (collecting->survivors, failure);
  return result == STATUS_OK ? show (collecting, failure) : result;
}

static status
backward (struct source *source, struct failure *failure)
{
  source->valid = false;
  return fail (failure, STATUS_UNSUPPORTED,
               "values being collected are only read forward; this is a fault of the program");
}

static status
backward_from (struct source *source, struct bytes key, struct failure *failure)
{
  (void) key;
  return backward (source, failure);
}

static void
collecting_release (struct source *source)
{
  struct collecting_source *collecting = (struct collecting_source *) source;
  source_release (collecting->survivors);
  ledger_refund (&collecting->engine->ledger, LEDGER_MERGE, collecting->capacity);
  free (collecting->buffer);
  free (collecting);
}

static const struct source_operations collecting_operations = {
  collecting_seek, backward_from, collecting_first,   backward,
  collecting_next, backward,      collecting_release,
};

status
blob_collection_source (struct engine *engine, const struct blob_collection *collection,
                        struct source *survivors, struct source **out, struct failure *failure)
{
  struct collecting_source *collecting = calloc (1, sizeof *collecting);
  *out = NULL;
  if (collecting == NULL)
    {
      source_release (survivors);
      return fail_memory (failure, sizeof *collecting, "a merge");
    }
  collecting->source.operations = &collecting_operations;
  collecting->engine = engine;
  collecting->collection = collection;
  collecting->survivors = survivors;
  *out = &collecting->source;
  return STATUS_OK;
}

status
blob_guard_enter_new (struct engine *engine, struct blob_guard *guard, struct failure *failure)
{
  status result = blob_guard_enter (engine, guard, failure);
  if (result != STATUS_OK)
    return result;
  uint64_t current = blob_writer_current (engine->blob_writer);
  if (current == 0) /* the next file's number is above this one */
    current = manifest_next_number (engine->manifest);
  pthread_mutex_lock (&engine->blob_lock);
  guard->file = current;
  pthread_mutex_unlock (&engine->blob_lock);
  return STATUS_OK;
}

/* ---- blob files that come with an edit ---- */

status
new_blobs_lend (struct engine *engine, const struct new_blobs *blobs, struct failure *failure)
{
  status result = STATUS_OK;
  if (blobs->count == 0)
    return result;
  struct view *view = engine_view (engine);
  for (size_t b = 0; view != NULL && result == STATUS_OK && b < blobs->count; b++)
    {
      if (view->active != NULL)
        result = generation_lend_blob (view->active, blobs->files[b], failure);
      for (unsigned i = 0; result == STATUS_OK && i < view->frozen_count; i++)
        result = generation_lend_blob (view->frozen[i], blobs->files[b], failure);
    }
  view_unref (view);
  return result;
}

void
new_blobs_clear (struct new_blobs *blobs)
{
  for (size_t i = 0; i < blobs->count; i++)
    blob_file_unref (blobs->files[i]);
  free (blobs->files);
  free (blobs->entries);
  *blobs = (struct new_blobs){ 0 };
}

static bool
blob_is_known (const struct manifest_state *state, const struct new_blobs *blobs, uint64_t number)
{
  for (size_t i = 0; i < state->blob_count; i++)
    if (state->blobs[i].number == number)
      return true;
  for (size_t i = 0; i < blobs->count; i++)
    if (blobs->entries[i].number == number)
      return true;
  return false;
}

static status
new_blob_add (struct engine *engine, struct new_blobs *blobs, uint64_t number,
              struct failure *failure)
{
  struct manifest_blob *entries = realloc (blobs->entries, (blobs->count + 1) * sizeof *entries);
  if (entries != NULL)
    blobs->entries = entries;
  struct blob_file **files = realloc (blobs->files, (blobs->count + 1) * sizeof *files);
  if (files != NULL)
    blobs->files = files;
  if (entries == NULL || files == NULL)
    return fail_memory (failure, (blobs->count + 1) * sizeof *entries, "a list of blob files");
  status result = blob_file_open (engine->directory, engine->database_id, number,
                                  &files[blobs->count], failure);
  if (result != STATUS_OK)
    return result == STATUS_NOT_FOUND
               ? fail (failure, STATUS_CORRUPT, "%s: blob file %llu is missing; run repair",
                       engine->path, (unsigned long long) number)
               : result;
  engine_keep_blobs (engine, files[blobs->count]);
  entries[blobs->count++] = (struct manifest_blob){ .number = number };
  return STATUS_OK;
}

status
new_blobs_find (struct engine *engine, const struct flushed *flushed, struct new_blobs *out,
                struct failure *failure)
{
  const struct manifest_state *state = manifest_state (engine->manifest);
  status result = STATUS_OK;
  for (size_t i = 0; i < flushed->count && result == STATUS_OK; i++)
    {
      const struct segment_information *information = &flushed->segments[i].information;
      for (size_t b = 0; b < information->blob_count && result == STATUS_OK; b++)
        if (!blob_is_known (state, out, information->blobs[b].file))
          result = new_blob_add (engine, out, information->blobs[b].file, failure);
    }
  return result;
}

void
view_add_blobs (struct view *view, const struct new_blobs *blobs)
{
  for (size_t i = 0; i < blobs->count; i++)
    {
      size_t at = view->blob_count++;
      uint64_t number = blob_file_number (blobs->files[i]);
      for (; at > 0 && blob_file_number (view->blobs[at - 1]) > number; at--)
        view->blobs[at] = view->blobs[at - 1];
      view->blobs[at] = blob_file_ref (blobs->files[i]);
    }
}

/* ---- blob files nobody needs ---- */

struct blob_drop
{
  const uint64_t *numbers;
  size_t count;
};

static bool
is_dropped (const struct blob_drop *drop, uint64_t number)
{
  for (size_t i = 0; i < drop->count; i++)
    if (drop->numbers[i] == number)
      return true;
  return false;
}

static void
blob_drop_edit_view (void *data, struct view *view)
{
  size_t kept = 0;
  for (size_t i = 0; i < view->blob_count; i++)
    if (is_dropped (data, blob_file_number (view->blobs[i])))
      blob_file_unref (view->blobs[i]);
    else
      view->blobs[kept++] = view->blobs[i];
  view->blob_count = kept;
}

static bool
blob_is_used (const struct manifest_state *state, uint64_t number)
{
  for (size_t i = 0; i < state->segment_count; i++)
    {
      const struct segment_information *information = &state->segments[i].information;
      for (size_t b = 0; b < information->blob_count; b++)
        if (information->blobs[b].file == number)
          return true;
    }
  return false;
}

/* Files this process run wrote, from `from` on, rising. */
struct created_blobs
{
  uint64_t from;
  uint64_t *numbers; /* malloc'd */
  size_t count, room;
};

static void
note_created (void *data, uint64_t number, uint64_t size)
{
  struct created_blobs *created = data;
  (void) size;
  if (number < created->from)
    return;
  if (created->count == created->room)
    {
      size_t room = created->room > 0 ? 2 * created->room : 16;
      uint64_t *numbers = realloc (created->numbers, room * sizeof *numbers);
      if (numbers == NULL)
        return; /* the next collection sees it */
      created->numbers = numbers;
      created->room = room;
    }
  created->numbers[created->count++] = number;
}

/* Removes files below `limit` that never came into the manifest: all that referred to them was
 * overwritten before it was flushed. manifest_lock held. */
static void
sweep_created (struct engine *engine, const struct created_blobs *created, uint64_t limit)
{
  const struct manifest_state *state = manifest_state (engine->manifest);
  for (size_t i = 0; i < created->count && created->numbers[i] < limit; i++)
    {
      char name[FILE_NAME_SIZE];
      file_name (name, FILE_BLOB, created->numbers[i]);
      if (!blob_is_known (state, &(struct new_blobs){ 0 }, created->numbers[i]))
        vfs_unlink (engine->directory, name, NULL);
      engine->blobs_swept = created->numbers[i] + 1;
    }
}

/* The same of files that earlier runs left for the sake of history. manifest_lock held. */
static void
sweep_left (struct engine *engine, uint64_t limit)
{
  size_t kept = 0;
  for (size_t i = 0; i < engine->left_blob_count; i++)
    {
      uint64_t number = engine->left_blobs[i];
      char name[FILE_NAME_SIZE];
      file_name (name, FILE_BLOB, number);
      if (number < limit)
        vfs_unlink (engine->directory, name, NULL);
      else
        engine->left_blobs[kept++] = number;
    }
  engine->left_blob_count = kept;
}

/* Once a write has failed it is unknown what the manifest and the log on the disk refer to: every
 * file stays until the next open. */
static bool
is_unknown (struct engine *engine)
{
  return manifest_failed (engine->manifest) || atomic_load (&engine->write_failed);
}

void
blob_collect (struct engine *engine)
{
  pthread_mutex_lock (&engine->manifest_lock);
  if (is_unknown (engine))
    {
      pthread_mutex_unlock (&engine->manifest_lock);
      return;
    }
  struct created_blobs created = { .from = engine->blobs_swept };
  blob_writer_files (engine->blob_writer, note_created,
                     &created); /* before the limit is asked for */
  uint64_t limit
      = engine_oldest_unflushed_blob (engine); /* here: a backup's guard counts at once */
  const struct manifest_state *state = manifest_state (engine->manifest);
  uint64_t *numbers = state->blob_count > 0 ? malloc (state->blob_count * sizeof *numbers) : NULL;
  struct blob_drop drop = { numbers, 0 };
  for (size_t i = 0; numbers != NULL && i < state->blob_count; i++)
    if (state->blobs[i].number < limit && !blob_is_used (state, state->blobs[i].number))
      numbers[drop.count++] = state->blobs[i].number;
  if (drop.count > 0)
    {
      struct manifest_edit edit = { .remove_blobs = numbers, .remove_blob_count = drop.count };
      if (install (engine, &edit, 0, 0, blob_drop_edit_view, &drop, NULL) == STATUS_OK)
        for (size_t i = 0; i < drop.count; i++)
          {
            char name[FILE_NAME_SIZE];
            file_name (name, FILE_BLOB, numbers[i]);
            vfs_unlink (engine->directory, name, NULL); /* open readers keep its bytes */
          }
    }
  if (!is_unknown (engine))
    {
      sweep_created (engine, &created, limit);
      sweep_left (engine, limit);
    }
  pthread_mutex_unlock (&engine->manifest_lock);
  free (created.numbers);
  free (numbers);
}
