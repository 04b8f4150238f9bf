/* SPDX-License-Identifier: MIT */
/*
 * storage: what a database is made of, part by part. Invariants: storage.h.
 *
 * A segment that holds several stores is cut where one ends and the next begins: a search for the
 * first key behind the store leads to the leaf, the leaf to the slot. What a store has of such a
 * segment is told by the share of bytes: only the segment as a whole is counted.
 */
#include "core/storage.h"

#include "segment/leaf.h"

#include <stdlib.h>

#define EXTENTS_MAX 1024u /* of one segment; further stores are told as one */
#define LEVEL_FACTOR 16u  /* between size classes: the picker's */

typedef bool (*part_visitor) (void *data, const struct engine_storage_part *part);

struct survey
{
  struct engine *engine;
  struct view *view;
  part_visitor visit;
  void *data;
  struct failure *failure;
};

/* ---- shared by the calls ---- */

status
storage_cancelled (struct failure *failure)
{
  return fail (failure, STATUS_CANCELLED, "the look at the storage was cancelled");
}

status
storage_begin (struct engine *engine, struct view **out, struct failure *failure)
{
  *out = NULL;
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  result = engine_view_of_files (engine, out, failure);
  if (result == STATUS_OK && *out == NULL)
    result = engine_enter_slow (engine, failure);
  if (result != STATUS_OK)
    engine_end (engine);
  return result;
}

void
storage_end (struct engine *engine, struct view *view)
{
  view_unref (view);
  engine_collect ();
  engine_end (engine);
}

status
storage_find (const struct view *view, uint64_t number, struct segment **out,
              const struct run **run, struct failure *failure)
{
  for (size_t r = 0; r < view->run_count; r++)
    for (size_t s = 0; s < view->runs[r]->count; s++)
      if (segment_information (view->runs[r]->segments[s])->number == number)
        {
          *out = view->runs[r]->segments[s];
          *run = view->runs[r];
          return STATUS_OK;
        }
  return fail (failure, STATUS_NOT_FOUND,
               "there is no segment %llu any more: it was merged into others; look at the storage "
               "again",
               (unsigned long long) number);
}

unsigned
storage_level (const struct engine *engine, const struct run *run)
{
  uint64_t bound = 2 * (uint64_t) engine->memtable_size + 1;
  unsigned level = 0;
  for (; run->bytes >= bound && bound <= UINT64_MAX / LEVEL_FACTOR; bound *= LEVEL_FACTOR)
    level++;
  return level;
}

struct bytes
storage_key (struct bytes internal, engine_store *store)
{
  uint8_t id[STORE_ID_SIZE] = { 0 };
  size_t head = internal.size < STORE_ID_SIZE ? internal.size : STORE_ID_SIZE;
  if (head > 0)
    memcpy (id, internal.data, head);
  *store = internal_key_store_of (BYTES (id, sizeof id));
  struct bytes key = bytes_behind (internal, head);
  if (key.size > ENGINE_STORAGE_KEY_MAX)
    key.size = ENGINE_STORAGE_KEY_MAX;
  return key;
}

static status
tell (const struct survey *survey, const struct engine_storage_part *part)
{
  status result = engine_enter (survey->engine, survey->failure); /* Z4 */
  if (result != STATUS_OK)
    return result;
  return survey->visit (survey->data, part) ? STATUS_OK : storage_cancelled (survey->failure);
}

static status
tell_fault (const struct survey *survey, const char *file, uint64_t page, const char *reason)
{
  struct engine_storage_part part
      = { .kind = ENGINE_STORAGE_FAULT, .fault = { file, page, reason } };
  return tell (survey, &part);
}

/* ---- stores ---- */

struct store_survey
{
  const struct survey *survey;
  status result; /* of the visitor */
};

static bool
visit_store (void *data, const char *name, engine_store store)
{
  struct store_survey *stores = data;
  struct engine_storage_part part
      = { .kind = ENGINE_STORAGE_STORE, .store = { .store = store, .name = name } };
  stores->result = tell (stores->survey, &part);
  return stores->result == STATUS_OK;
}

static status
survey_stores (const struct survey *survey)
{
  struct failure cause = FAILURE_INIT;
  struct store_survey stores = { .survey = survey };
  visit_store (&stores, "", ENGINE_STORE_SYSTEM);
  if (stores.result != STATUS_OK)
    return stores.result;
  status result = engine_store_list (survey->engine, visit_store, &stores, &cause);
  if (stores.result != STATUS_OK)
    return stores.result;
  if (result == STATUS_CORRUPT || result == STATUS_IO) /* Z2 */
    return tell_fault (survey, "", UINT64_MAX, cause.message);
  return result == STATUS_OK ? result : fail (survey->failure, result, "%s", cause.message);
}

/* ---- memtables ---- */

static status
survey_memtables (const struct survey *survey)
{
  struct memtable_statistics tables[FROZEN_MAX + 1];
  unsigned count = 0;
  struct view *view = engine_view (survey->engine);
  for (int i = -1; view != NULL && i < (int) view->frozen_count; i++)
    {
      struct generation *generation = i < 0 ? view->active : view->frozen[i];
      if (generation != NULL)
        memtable_statistics (generation->table, &tables[count++]);
    }
  view_unref (view);
  status result = STATUS_OK;
  for (unsigned i = 0; i < count && result == STATUS_OK; i++)
    {
      struct engine_storage_part part = {
        .kind = ENGINE_STORAGE_MEMTABLE,
        .memtable = { .index = i,
                      .records = tables[i].records,
                      .deletes = tables[i].deletes,
                      .range_deletes = tables[i].range_deletes,
                      .data_bytes = tables[i].data_bytes,
                      .memory = tables[i].memory,
                      .oldest_sequence = tables[i].first_sequence,
                      .newest_sequence = tables[i].last_sequence },
      };
      result = tell (survey, &part);
    }
  return result;
}

/* ---- what a segment has of each store ---- */

/* A record's place in the order of a segment. */
struct cut
{
  uint32_t leaf;
  uint64_t bytes; /* of stored leaves before it, about */
};

struct extents
{
  const struct survey *survey;
  struct segment *segment;
  struct segment_look *look;
  uint64_t total;  /* bytes of stored leaves */
  uint64_t origin; /* offset of the first one */
  unsigned told;
};

static status
tell_extent (struct extents *extents, engine_store store, const struct cut *from,
             const struct cut *to, bool exact)
{
  const struct segment_information *all = segment_information (extents->segment);
  uint64_t bytes = to->bytes > from->bytes ? to->bytes - from->bytes : 0, blob_bytes = 0;
  double share = exact ? 1 : extents->total > 0 ? (double) bytes / (double) extents->total : 0;
  for (size_t i = 0; i < all->blob_count; i++)
    blob_bytes += all->blobs[i].bytes;
#define SHARE(amount) (exact ? (amount) : (uint64_t) ((double) (amount) *share + 0.5))
  struct engine_storage_part part = {
    .kind = ENGINE_STORAGE_EXTENT,
    .extent = { .store = store,
                .segment = all->number,
                .first_leaf = from->leaf,
                .leaves = to->leaf - from->leaf,
                .bytes = bytes,
                .records = SHARE (all->records),
                .deletes = SHARE (all->deletes),
                .key_bytes = SHARE (all->key_bytes),
                .value_bytes = SHARE (all->value_bytes),
                .blob_bytes = SHARE (blob_bytes),
                .exact = exact },
  };
#undef SHARE
  extents->told++;
  return tell (extents->survey, &part);
}

static struct bytes
first_part (const struct leaf_view *view, unsigned slot, uint8_t id[STORE_ID_SIZE])
{
  struct leaf_record record = leaf_record (view, slot);
  size_t size = 0;
  for (; size < STORE_ID_SIZE && size < view->prefix_size; size++)
    id[size] = view->prefix[size];
  for (size_t i = 0; size < STORE_ID_SIZE && i < record.suffix.size; i++)
    id[size++] = record.suffix.data[i];
  while (size < STORE_ID_SIZE)
    id[size++] = 0;
  return BYTES (id, STORE_ID_SIZE);
}

/* The store of the first record at or behind `key`, and where it stands; NOT_FOUND: none. */
static status
next_store (struct extents *extents, struct bytes key, engine_store *store, struct cut *at,
            struct failure *failure)
{
  uint32_t leaf = 0;
  struct segment_shape shape;
  segment_shape (extents->segment, &shape);
  status result = segment_look_for (extents->look, key, &leaf, failure);
  for (unsigned tries = 0; result == STATUS_OK && tries < 2 && leaf < shape.leaves; tries++, leaf++)
    {
      struct segment_page page;
      struct bytes bytes;
      uint8_t id[STORE_ID_SIZE];
      result = segment_look_at (extents->look, leaf, &page, failure);
      if (result == STATUS_OK)
        result = segment_look_read (extents->look, &page, &bytes, failure);
      if (result != STATUS_OK)
        return result;
      struct leaf_view view = leaf_view (bytes.data);
      unsigned slot = leaf_lower_bound (&view, key);
      if (slot == view.count)
        continue;
      *store = internal_key_store_of (first_part (&view, slot, id));
      at->leaf = leaf;
      at->bytes = (page.place.offset > extents->origin ? page.place.offset - extents->origin : 0)
                  + (uint64_t) page.place.stored * slot / view.count;
      return STATUS_OK;
    }
  return result == STATUS_OK ? STATUS_NOT_FOUND : result;
}

/* One for each store, where there are several. What does not verify ends the cutting: the rest is
 * told as the last store's. */
static status
cut_segment (struct extents *extents, uint32_t leaves, engine_store smallest)
{
  struct failure cause = FAILURE_INIT;
  struct cut from = { 0 }, end = { leaves, extents->total };
  engine_store store = smallest, last = smallest;
  uint8_t key[STORE_ID_SIZE] = { 0 };
  status told = STATUS_OK;
  status result = next_store (extents, BYTES (key, sizeof key), &store, &from, &cause);
  bool first = true;
  while (result == STATUS_OK && told == STATUS_OK)
    {
      struct cut next;
      last = store;
      if (store == UINT32_MAX || extents->told + 1 == EXTENTS_MAX)
        break;
      internal_key_store (key, store + 1, BYTES_NONE);
      result = next_store (extents, BYTES (key, sizeof key), &store, &next, &cause);
      if (result == STATUS_OK && store <= last)
        result = fail (&cause, STATUS_CORRUPT, "%s: its keys are out of order",
                       segment_file_name (extents->segment));
      if (first && result == STATUS_NOT_FOUND) /* only a range delete reaches further */
        return tell_extent (extents, last, &from, &end, true);
      first = false;
      if (result != STATUS_OK)
        break;
      told = tell_extent (extents, last, &from, &next, false);
      from = next;
    }
  if (told != STATUS_OK)
    return told;
  if (result != STATUS_OK && result != STATUS_NOT_FOUND)
    {
      if (result == STATUS_NO_MEMORY)
        return fail (extents->survey->failure, result, "%s", cause.message);
      told = tell_fault (extents->survey, segment_file_name (extents->segment), UINT64_MAX,
                         cause.message);
      if (told != STATUS_OK)
        return told;
    }
  bool others = extents->told + 1 == EXTENTS_MAX;
  return tell_extent (extents, others ? ENGINE_STORE_OTHERS : last, &from, &end, false);
}

static status
survey_extents (const struct survey *survey, struct segment *segment,
                const struct engine_storage_segment *about)
{
  struct extents extents = { .survey = survey, .segment = segment, .total = about->stored_bytes };
  if (about->first_store == about->last_store || about->leaves == 0)
    return tell_extent (&extents, about->first_store, &(struct cut){ 0 },
                        &(struct cut){ (uint32_t) about->leaves, about->stored_bytes }, true);
  struct segment_page page, last;
  struct failure ignored = FAILURE_INIT;
  status result = segment_look_new (segment, &extents.look, survey->failure);
  if (result != STATUS_OK)
    return result;
  if (segment_look_at (extents.look, 0, &page, &ignored) == STATUS_OK
      && segment_look_at (extents.look, (uint32_t) about->leaves - 1, &last, &ignored) == STATUS_OK
      && last.place.offset + last.place.stored > page.place.offset)
    {
      extents.origin = page.place.offset;
      extents.total = last.place.offset + last.place.stored - page.place.offset;
    }
  result = cut_segment (&extents, (uint32_t) about->leaves, about->first_store);
  segment_look_free (extents.look);
  return result;
}

/* ---- runs ---- */

static void
describe (const struct survey *survey, const struct run *run, size_t index,
          struct engine_storage_segment *out)
{
  struct segment *segment = run->segments[index];
  const struct segment_information *information = segment_information (segment);
  struct bytes largest = BYTES (information->largest, information->largest_size);
  struct bytes smallest = run_smallest (run, index);
  struct segment_shape shape;
  struct segment_details details;
  segment_shape (segment, &shape);
  segment_details (segment, &details);
  *out = (struct engine_storage_segment){
    .number = information->number,
    .file = segment_file_name (segment),
    .run = run->id,
    .level = storage_level (survey->engine, run),
    .created = run->created,
    .file_size = information->file_size,
    .records = information->records,
    .deletes = information->deletes,
    .range_deletes = information->range_deletes,
    .key_bytes = information->key_bytes,
    .value_bytes = information->value_bytes,
    .oldest_sequence = information->min_sequence,
    .newest_sequence = information->max_sequence,
    .smallest_size
    = smallest.size - (smallest.size < STORE_ID_SIZE ? smallest.size : STORE_ID_SIZE),
    .largest_size = largest.size - (largest.size < STORE_ID_SIZE ? largest.size : STORE_ID_SIZE),
    .narrowed = run_is_narrowed (run, index),
    .leaves = shape.leaves,
    .inner_pages = shape.inner_pages,
    .depth = shape.depth,
    .stored_bytes = shape.stored_bytes,
    .logical_bytes = shape.logical_bytes,
    .used_bytes = shape.used_bytes,
    .filter = (enum engine_filter) details.filter,
    .filter_bytes = details.filter_bytes,
    .filter_loaded = details.filter_loaded,
    .index_bytes = shape.index_memory,
    .cached_pages = details.cached_pages,
    .range_bytes = details.range_bytes,
  };
  out->smallest = storage_key (smallest, &out->first_store);
  out->largest = storage_key (largest, &out->last_store);
  for (unsigned codec = 0; codec < ENGINE_CODECS; codec++)
    out->pages_by_codec[codec] = shape.pages_by_codec[codec];
  for (size_t i = 0; i < information->blob_count; i++)
    {
      out->blob_values += information->blobs[i].values;
      out->blob_bytes += information->blobs[i].bytes;
    }
}

static bool
run_is_busy (struct engine *engine, struct run *run)
{
  pthread_mutex_lock (&engine->view_lock);
  bool busy = run->busy;
  pthread_mutex_unlock (&engine->view_lock);
  return busy;
}

static status
survey_run (const struct survey *survey, struct run *run)
{
  struct engine_storage_part part = {
    .kind = ENGINE_STORAGE_RUN,
    .run = { .id = run->id,
             .level = storage_level (survey->engine, run),
             .created = run->created,
             .segments = run->count,
             .bytes = run->bytes,
             .records = run->records,
             .newest_sequence = run->max_sequence,
             .merging = run_is_busy (survey->engine, run) },
  };
  status result = tell (survey, &part);
  for (size_t i = 0; i < run->count && result == STATUS_OK; i++)
    {
      part.kind = ENGINE_STORAGE_SEGMENT;
      describe (survey, run, i, &part.segment);
      result = tell (survey, &part);
      if (result == STATUS_OK)
        result = survey_extents (survey, run->segments[i], &part.segment);
    }
  return result;
}

/* ---- blob files ---- */

struct live
{
  uint64_t values, bytes;
};

/* Adds what one segment refers to. Both rise by file number. */
static void
add_live (const struct view *view, const struct segment_information *information, struct live *live)
{
  size_t b = 0;
  for (size_t i = 0; i < information->blob_count; i++)
    {
      const struct blob_use *use = &information->blobs[i];
      while (b < view->blob_count && blob_file_number (view->blobs[b]) < use->file)
        b++;
      if (b < view->blob_count && blob_file_number (view->blobs[b]) == use->file)
        {
          live[b].values += use->values;
          live[b].bytes += use->bytes;
        }
    }
}

static status
survey_blobs (const struct survey *survey)
{
  const struct view *view = survey->view;
  status result = STATUS_OK;
  uint64_t unflushed
      = survey->engine->read_only ? UINT64_MAX : engine_oldest_unflushed_blob (survey->engine);
  struct live *live = calloc (view->blob_count + 1, sizeof *live);
  if (live == NULL)
    return fail_memory (survey->failure, view->blob_count * sizeof *live, "a list of blob files");
  for (size_t r = 0; r < view->run_count; r++)
    for (size_t s = 0; s < view->runs[r]->count; s++)
      add_live (view, segment_information (view->runs[r]->segments[s]), live);
  for (size_t i = 0; i < view->blob_count && result == STATUS_OK; i++)
    {
      char name[FILE_NAME_SIZE];
      uint64_t size = 0, number = blob_file_number (view->blobs[i]);
      struct failure cause = FAILURE_INIT;
      file_name (name, FILE_BLOB, number);
      if (blob_file_size (view->blobs[i], &size, &cause) != STATUS_OK)
        result = tell_fault (survey, name, UINT64_MAX, cause.message);
      struct engine_storage_part part = {
        .kind = ENGINE_STORAGE_BLOB,
        .blob = { number, name, size, live[i].values, live[i].bytes, number >= unflushed },
      };
      if (result == STATUS_OK)
        result = tell (survey, &part);
    }
  free (live);
  return result;
}

/* ---- other files ---- */

struct file_survey
{
  const struct survey *survey;
  uint64_t *segments; /* numbers of the view's, rising; owned */
  size_t segment_count;
  status result;
};

static int
compare_numbers (const void *a, const void *b)
{
  uint64_t left = *(const uint64_t *) a, right = *(const uint64_t *) b;
  return (left > right) - (left < right);
}

static status
list_segments (struct file_survey *files)
{
  const struct view *view = files->survey->view;
  size_t count = 0;
  for (size_t r = 0; r < view->run_count; r++)
    count += view->runs[r]->count;
  files->segments = malloc ((count + 1) * sizeof *files->segments);
  if (files->segments == NULL)
    return fail_memory (files->survey->failure, count * sizeof *files->segments,
                        "a list of segments");
  for (size_t r = 0; r < view->run_count; r++)
    for (size_t s = 0; s < view->runs[r]->count; s++)
      files->segments[files->segment_count++]
          = segment_information (view->runs[r]->segments[s])->number;
  qsort (files->segments, count, sizeof *files->segments, compare_numbers);
  return STATUS_OK;
}

static bool
is_in_view (const struct file_survey *files, enum file_kind kind, uint64_t number)
{
  if (kind == FILE_SEGMENT)
    return bsearch (&number, files->segments, files->segment_count, sizeof number, compare_numbers)
           != NULL;
  return kind == FILE_BLOB && view_blob (files->survey->view, number) != NULL;
}

static enum engine_file_kind
kind_of (enum file_kind kind)
{
  switch (kind)
    {
    case FILE_LOG:
      return ENGINE_FILE_LOG;
    case FILE_HISTORY:
      return ENGINE_FILE_HISTORY;
    case FILE_MANIFEST:
      return ENGINE_FILE_MANIFEST;
    case FILE_SEGMENT:
    case FILE_BLOB:
      return ENGINE_FILE_LEFT;
    case FILE_TEMPORARY:
      break;
    }
  return ENGINE_FILE_OTHER;
}

static bool
visit_file (void *data, const char *name)
{
  struct file_survey *files = data;
  const struct survey *survey = files->survey;
  struct vfs_file *file;
  struct vfs_file_information information;
  struct engine_storage_part part
      = { .kind = ENGINE_STORAGE_FILE, .file = { name, ENGINE_FILE_OTHER, 0 } };
  enum file_kind kind;
  uint64_t number;
  if (file_name_parse (name, &kind, &number))
    {
      if (is_in_view (files, kind, number))
        return true;
      part.file.kind = kind_of (kind);
    }
  else if (strcmp (name, "CURRENT") == 0)
    part.file.kind = ENGINE_FILE_MANIFEST;
  if (vfs_open (survey->engine->directory, name, VFS_READ, &file, NULL) != STATUS_OK)
    return true; /* it is gone by now, or no file */
  bool known = vfs_information (file, &information, NULL) == STATUS_OK;
  vfs_close (file);
  if (!known)
    return true;
  part.file.size = information.size;
  files->result = tell (survey, &part);
  return files->result == STATUS_OK;
}

static status
survey_files (const struct survey *survey)
{
  struct file_survey files = { .survey = survey };
  status result = list_segments (&files);
  if (result == STATUS_OK)
    result = vfs_directory_list (survey->engine->directory, visit_file, &files, survey->failure);
  free (files.segments);
  return files.result != STATUS_OK ? files.result : result;
}

status
engine_storage_visit (struct engine *engine, part_visitor visit, void *data,
                      struct failure *failure)
{
  struct survey survey = { .engine = engine, .visit = visit, .data = data, .failure = failure };
  status result = storage_begin (engine, &survey.view, failure);
  if (result != STATUS_OK)
    return result;
  result = survey_stores (&survey);
  if (result == STATUS_OK)
    result = survey_memtables (&survey);
  for (size_t i = 0; i < survey.view->run_count && result == STATUS_OK; i++)
    result = survey_run (&survey, survey.view->runs[i]);
  if (result == STATUS_OK)
    result = survey_blobs (&survey);
  if (result == STATUS_OK)
    result = survey_files (&survey);
  storage_end (engine, survey.view);
  return result;
}
