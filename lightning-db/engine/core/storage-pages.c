/* SPDX-License-Identifier: MIT */
/*
 * storage: the pages of one segment, what is in a page, and where a key is. Invariants: storage.h.
 */
#include "core/storage.h"

#include "segment/inner.h"
#include "segment/leaf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAT_PAGES 256u /* asked for at once */

_Static_assert((unsigned) ENGINE_HEAT_CACHED == PAGE_HEAT_CACHED
                   && (unsigned) ENGINE_HEAT_REFERENCED == PAGE_HEAT_REFERENCED
                   && (unsigned) ENGINE_HEAT_FREQUENT == PAGE_HEAT_FREQUENT
                   && (unsigned) ENGINE_HEAT_SCANNED == PAGE_HEAT_SCANNED
                   && (unsigned) ENGINE_HEAT_PINNED == PAGE_HEAT_PINNED
                   && (unsigned) ENGINE_HEAT_MAPPED == PAGE_HEAT_MAPPED,
               "heat is passed on as it is");
_Static_assert((unsigned) ENGINE_CODEC_SNAPPY == CODEC_SNAPPY
                   && (unsigned) ENGINE_CODECS == CODEC_COUNT
                   && (unsigned) ENGINE_FILTER_FUSE == FILTER_FUSE8
                   && (unsigned) ENGINE_RECORD_BLOB == RECORD_BLOB,
               "numbers of the format are passed on as they are");

/* ---- listing ---- */

/* The key of a record of a leaf, as far as it is told, in `to` (ENGINE_STORAGE_KEY_MAX + id). */
static struct bytes
record_key (const struct leaf_view *view, unsigned slot, uint8_t *to, size_t room)
{
  struct leaf_record record = leaf_record (view, slot);
  size_t head = view->prefix_size < room ? view->prefix_size : room;
  size_t tail = record.suffix.size < room - head ? record.suffix.size : room - head;
  memcpy (to, view->prefix, head);
  if (tail > 0)
    memcpy (to + head, record.suffix.data, tail);
  return BYTES (to, head + tail);
}

struct page_survey
{
  struct segment *segment;
  struct segment_look *look;
  bool read;
  struct failure fault; /* of the present page */
  uint8_t key[ENGINE_STORAGE_KEY_MAX + STORE_ID_SIZE];
};

static void
count_leaf (struct page_survey *survey, struct bytes page, struct engine_storage_page *out)
{
  struct leaf_view view = leaf_view (page.data);
  out->records = view.count;
  for (unsigned slot = 0; slot < view.count; slot++)
    out->deletes += leaf_record (&view, slot).kind == RECORD_DELETE;
  out->key = storage_key (record_key (&view, 0, survey->key, sizeof survey->key), &out->store);
}

/* What is known of a page; NO_MEMORY only. `segment_page` is where it lies. */
static status
describe_page (struct page_survey *survey, uint32_t number, unsigned heat,
               struct segment_page *place, struct engine_storage_page *out, struct failure *failure)
{
  survey->fault = FAILURE_INIT;
  status result = segment_look_at (survey->look, number, place, &survey->fault);
  *out = (struct engine_storage_page){
    .number = number,
    .level = place->level,
    .offset = place->place.offset,
    .stored_size = place->place.stored,
    .used_size = place->place.logical,
    .logical_size = place->units,
    .codec = (enum engine_codec) place->place.codec,
    .heat = heat,
  };
  if (result == STATUS_OK)
    out->key = storage_key (place->separator, &out->store);
  struct bytes page;
  if (result == STATUS_OK && survey->read)
    {
      result = segment_look_read (survey->look, place, &page, &survey->fault);
      out->read = result == STATUS_OK;
      if (out->read && place->level == 0)
        count_leaf (survey, page, out);
      else if (out->read)
        out->records = inner_count (page.data);
    }
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", survey->fault.message);
  out->fault = result != STATUS_OK ? &survey->fault : NULL;
  return STATUS_OK;
}

static status
visit_pages (struct engine *engine, struct page_survey *survey, uint32_t first, uint32_t count,
             bool (*visit) (void *data, const struct engine_storage_page *page), void *data,
             struct failure *failure)
{
  uint8_t heat[HEAT_PAGES];
  status result = STATUS_OK;
  for (uint32_t i = 0; i < count && result == STATUS_OK; i++)
    {
      struct segment_page place;
      struct engine_storage_page page;
      if (i % HEAT_PAGES == 0)
        segment_heat (survey->segment, first + i, count - i < HEAT_PAGES ? count - i : HEAT_PAGES,
                      heat);
      result = engine_enter (engine, failure); /* Z4 */
      if (result == STATUS_OK)
        result = describe_page (survey, first + i, heat[i % HEAT_PAGES], &place, &page, failure);
      if (result == STATUS_OK && !visit (data, &page))
        result = storage_cancelled (failure);
    }
  return result;
}

static uint64_t
page_count_of (struct segment *segment)
{
  struct segment_shape shape;
  segment_shape (segment, &shape);
  return shape.leaves + shape.inner_pages;
}

status
engine_storage_pages (struct engine *engine, uint64_t number, uint64_t first, uint64_t count,
                      bool read, bool (*visit) (void *data, const struct engine_storage_page *page),
                      void *data, struct failure *failure)
{
  struct view *view;
  const struct run *run;
  struct page_survey *survey = calloc (1, sizeof *survey);
  if (survey == NULL)
    return fail_memory (failure, sizeof *survey, "a list of pages");
  survey->read = read;
  status result = storage_begin (engine, &view, failure);
  if (result != STATUS_OK)
    {
      free (survey);
      return result;
    }
  result = storage_find (view, number, &survey->segment, &run, failure);
  if (result == STATUS_OK)
    result = segment_look_new (survey->segment, &survey->look, failure);
  if (result == STATUS_OK)
    {
      uint64_t pages = page_count_of (survey->segment);
      uint64_t left = first < pages ? pages - first : 0;
      result = visit_pages (engine, survey, (uint32_t) (first < pages ? first : pages),
                            (uint32_t) (count < left ? count : left), visit, data, failure);
    }
  segment_look_free (survey->look);
  free (survey);
  storage_end (engine, view);
  return result;
}

/* ---- one page ---- */

static bool
copy_bytes (struct bytes from, uint8_t **to, size_t *size)
{
  *to = malloc (from.size > 0 ? from.size : 1);
  if (*to == NULL)
    return false;
  if (from.size > 0)
    memcpy (*to, from.data, from.size);
  *size = from.size;
  return true;
}

static status
read_contents (struct page_survey *survey, uint32_t number, struct engine_page_contents *out,
               struct failure *failure)
{
  struct segment_page place;
  struct bytes stored, decoded = BYTES_NONE;
  struct failure unread = FAILURE_INIT;
  uint8_t heat;
  segment_heat (survey->segment, number, 1, &heat);
  status result = describe_page (survey, number, heat, &place, &out->page, failure);
  if (result != STATUS_OK)
    return result;
  snprintf (out->file, sizeof out->file, "%s", segment_file_name (survey->segment));
  out->fault = survey->fault;
  out->page.fault = out->page.fault != NULL ? &out->fault : NULL;
  struct bytes first = out->page.key;
  out->page.key = BYTES_NONE;
  out->key = malloc (INTERNAL_KEY_SIZE_MAX + ENGINE_STORAGE_KEY_MAX);
  if (out->key == NULL)
    return fail_memory (failure, INTERNAL_KEY_SIZE_MAX, "a key");
  if (first.size > 0)
    memcpy (out->key + INTERNAL_KEY_SIZE_MAX, first.data, first.size);
  out->page.key = BYTES (out->key + INTERNAL_KEY_SIZE_MAX, first.size);
  if (place.place.stored == 0)
    return STATUS_OK; /* where it lies is not known */
  if (segment_look_stored (survey->look, &place, &stored, &unread) == STATUS_OK
      && !copy_bytes (stored, &out->stored, &out->stored_size))
    return fail_memory (failure, stored.size, "a page");
  if (out->page.read && segment_look_read (survey->look, &place, &decoded, &unread) == STATUS_OK
      && !copy_bytes (decoded, &out->decoded, &out->decoded_size))
    return fail_memory (failure, decoded.size, "a page");
  return STATUS_OK;
}

status
engine_page_read (struct engine *engine, uint64_t number, uint64_t page,
                  struct engine_page_contents *out, struct failure *failure)
{
  struct view *view;
  const struct run *run;
  *out = (struct engine_page_contents){ 0 };
  struct page_survey *survey = calloc (1, sizeof *survey);
  if (survey == NULL)
    return fail_memory (failure, sizeof *survey, "a page");
  survey->read = true;
  status result = storage_begin (engine, &view, failure);
  if (result != STATUS_OK)
    {
      free (survey);
      return result;
    }
  result = storage_find (view, number, &survey->segment, &run, failure);
  if (result == STATUS_OK && page >= page_count_of (survey->segment))
    result = fail (failure, STATUS_NOT_FOUND,
                   "%s has %" PRIu64 " pages, and no page %" PRIu64 "; the first is page 0",
                   segment_file_name (survey->segment), page_count_of (survey->segment), page);
  if (result == STATUS_OK)
    result = segment_look_new (survey->segment, &survey->look, failure);
  if (result == STATUS_OK)
    result = read_contents (survey, (uint32_t) page, out, failure);
  if (result != STATUS_OK)
    engine_page_clear (out);
  segment_look_free (survey->look);
  free (survey);
  storage_end (engine, view);
  return result;
}

void
engine_page_clear (struct engine_page_contents *contents)
{
  free (contents->stored);
  free (contents->decoded);
  free (contents->key);
  *contents = (struct engine_page_contents){ 0 };
}

/* ---- a page's layout ---- */

#define NUMBER(name, at, width, number)                                                            \
  (struct engine_page_field) { (name), (size_t) (at), (width), true, (number) }
#define AREA(name, at, width)                                                                      \
  (struct engine_page_field) { (name), (size_t) (at), (width), false, 0 }

static bool
leaf_field (const uint8_t *page, unsigned index, struct engine_page_field *out)
{
  struct leaf_view view = leaf_view (page);
  size_t offset_size = view.wide ? 4 : 2;
  const struct engine_page_field fields[] = {
    NUMBER ("kind", 0, 1, page[0]),
    NUMBER ("flags", 1, 1, page[1]),
    NUMBER ("count", 2, 2, view.count),
    NUMBER ("prefix size", 4, 2, view.prefix_size),
    NUMBER ("reserved", 6, 2, load_u16 (page + 6)),
    NUMBER ("used", 8, 4, view.used),
    AREA ("tags", LEAF_HEADER_SIZE, view.count),
    AREA ("record offsets", view.offsets - page, view.count * offset_size),
    NUMBER ("base sequence", view.prefix - 8 - page, 8, view.base),
    AREA ("key prefix", view.prefix - page, view.prefix_size),
    AREA ("key heads", view.heads - page, 4u * view.count),
  };
  if (index >= sizeof fields / sizeof *fields)
    return false;
  *out = fields[index];
  return true;
}

static bool
inner_field (const uint8_t *page, unsigned index, struct engine_page_field *out)
{
  size_t count = inner_count (page), prefix_size = load_u16 (page + 4);
  size_t offsets_size = count * ((page[1] & PAGE_FLAG_WIDE) != 0 ? 4 : 2);
  const struct engine_page_field fields[] = {
    NUMBER ("kind", 0, 1, page[0]),
    NUMBER ("flags", 1, 1, page[1]),
    NUMBER ("count", 2, 2, count),
    NUMBER ("prefix size", 4, 2, prefix_size),
    NUMBER ("level", 6, 1, page[6]),
    NUMBER ("reserved", 7, 1, page[7]),
    NUMBER ("used", 8, 4, load_u32 (page + 8)),
    NUMBER ("first child", 12, 4, inner_first_child (page)),
    AREA ("entry offsets", INNER_HEADER_SIZE, offsets_size),
    AREA ("separator prefix", INNER_HEADER_SIZE + offsets_size, prefix_size),
  };
  if (index >= sizeof fields / sizeof *fields)
    return false;
  *out = fields[index];
  return true;
}

bool
engine_page_field (const struct engine_page_contents *contents, unsigned index,
                   struct engine_page_field *out)
{
  if (contents->decoded == NULL)
    return false;
  return contents->page.level == 0 ? leaf_field (contents->decoded, index, out)
                                   : inner_field (contents->decoded, index, out);
}

/* Prefix and suffix in contents->key, which has room for any key; a hostile page may have longer
 * ones: cut. */
static struct bytes
whole_key (struct engine_page_contents *contents, struct bytes prefix, struct bytes suffix)
{
  size_t head = prefix.size < INTERNAL_KEY_SIZE_MAX ? prefix.size : INTERNAL_KEY_SIZE_MAX;
  size_t room = INTERNAL_KEY_SIZE_MAX - head;
  size_t tail = suffix.size < room ? suffix.size : room;
  if (head > 0)
    memcpy (contents->key, prefix.data, head);
  if (tail > 0)
    memcpy (contents->key + head, suffix.data, tail);
  return BYTES (contents->key, head + tail);
}

/* Without its store, whole. */
static struct bytes
user_key (struct bytes internal, engine_store *store)
{
  storage_key (internal, store);
  return bytes_behind (internal, internal.size < STORE_ID_SIZE ? internal.size : STORE_ID_SIZE);
}

static void
leaf_slot (struct engine_page_contents *contents, const struct leaf_view *view, unsigned slot,
           struct engine_page_record *out)
{
  struct leaf_record record = leaf_record (view, slot);
  struct blob_reference reference;
  const uint8_t *end = record.value.data + record.value.size;
  *out = (struct engine_page_record){
    .offset = leaf_offset (view, slot),
    .kind = (enum engine_record_kind) record.kind,
    .sequence = record.sequence,
    .value_size = record.value.size,
  };
  out->size = (size_t) (end - view->page) - out->offset;
  out->key = user_key (whole_key (contents, BYTES (view->prefix, view->prefix_size), record.suffix),
                       &out->store);
  if (record.kind == RECORD_PUT)
    out->value = record.value;
  if (record.kind != RECORD_BLOB || !blob_reference_load (record.value, &reference))
    return;
  out->value_size = reference.size;
  out->blob_file = reference.file;
  out->blob_offset = reference.offset;
}

bool
engine_page_record (struct engine_page_contents *contents, unsigned slot,
                    struct engine_page_record *out)
{
  const uint8_t *page = contents->decoded;
  if (page == NULL || slot >= contents->page.records)
    return false;
  if (contents->page.level == 0)
    {
      struct leaf_view view = leaf_view (page);
      leaf_slot (contents, &view, slot, out);
      return true;
    }
  struct inner_entry entry = inner_entry (page, slot);
  bool wide = (page[1] & PAGE_FLAG_WIDE) != 0;
  const uint8_t *offsets = page + INNER_HEADER_SIZE;
  *out = (struct engine_page_record){
    .offset = wide ? load_u32 (offsets + 4u * slot) : load_u16 (offsets + 2u * slot),
    .child = (uint64_t) inner_first_child (page) + slot,
  };
  out->size = (size_t) (entry.suffix.data + entry.suffix.size - page) - out->offset;
  out->key = user_key (whole_key (contents, inner_prefix (page), entry.suffix), &out->store);
  return true;
}

/* ---- where a key is ---- */

struct search
{
  struct engine *engine;
  struct bytes key;  /* internal */
  uint64_t hash;     /* of it */
  uint64_t sequence; /* what is visible */
  bool decided;
  bool (*visit) (void *data, const struct engine_location *location);
  void *data;
  struct failure fault; /* of the present place */
};

static status
tell_location (struct search *search, struct engine_location *location, struct failure *failure)
{
  status result = engine_enter (search->engine, failure); /* Z4 */
  if (result != STATUS_OK)
    return result;
  bool answers = location->verdict == ENGINE_LOCATION_FOUND || location->range_delete > 0
                 || location->verdict == ENGINE_LOCATION_FAULT;
  location->decides = answers && !search->decided;
  search->decided |= answers;
  return search->visit (search->data, location) ? STATUS_OK : storage_cancelled (failure);
}

static void
found (struct engine_location *location, enum record_kind kind, struct bytes value,
       uint64_t sequence)
{
  struct blob_reference reference;
  location->verdict = ENGINE_LOCATION_FOUND;
  location->kind = (enum engine_record_kind) kind;
  location->sequence = sequence;
  location->value_size = value.size;
  if (kind == RECORD_BLOB && blob_reference_load (value, &reference))
    {
      location->value_size = reference.size;
      location->blob_file = reference.file;
    }
}

static status
search_memtables (struct search *search, const struct view *view, struct failure *failure)
{
  unsigned index = 0;
  status result = STATUS_OK;
  for (int i = -1; i < (int) view->frozen_count && result == STATUS_OK; i++)
    {
      struct generation *generation = i < 0 ? view->active : view->frozen[i];
      struct record record;
      if (generation == NULL)
        continue;
      struct memtable *table = generation->table;
      struct engine_location location = { .in_memory = true, .memtable = index++ };
      location.verdict = ENGINE_LOCATION_ABSENT;
      location.range_delete = memtable_cover (table, search->key, search->sequence);
      if (memtable_get (table, search->key, search->hash, search->sequence, &record))
        found (&location, record.kind, record.value, record.sequence);
      result = tell_location (search, &location, failure);
    }
  return result;
}

/* From the leaf where its versions begin to the newest one that is visible. */
static status
search_leaves (struct search *search, struct segment *segment, struct segment_look *look,
               struct engine_location *location)
{
  struct segment_shape shape;
  uint32_t leaf;
  segment_shape (segment, &shape);
  status result = segment_look_for (look, search->key, &leaf, &search->fault);
  for (; result == STATUS_OK && leaf < shape.leaves; leaf++)
    {
      struct segment_page place;
      struct bytes page;
      uint8_t heat;
      result = segment_look_at (look, leaf, &place, &search->fault);
      if (result == STATUS_OK)
        result = segment_look_read (look, &place, &page, &search->fault);
      if (result != STATUS_OK)
        break;
      segment_heat (segment, leaf, 1, &heat);
      location->page = leaf;
      location->heat = heat;
      struct leaf_view view = leaf_view (page.data);
      for (unsigned slot = leaf_lower_bound (&view, search->key); slot < view.count; slot++)
        {
          struct leaf_record record = leaf_record (&view, slot);
          size_t size = view.prefix_size + record.suffix.size;
          if (size != search->key.size
              || memcmp (search->key.data, view.prefix, view.prefix_size) != 0
              || !bytes_equal (bytes_behind (search->key, view.prefix_size), record.suffix))
            return STATUS_NOT_FOUND;
          if (record.sequence > search->sequence)
            continue;
          location->slot = slot;
          found (location, (enum record_kind) record.kind, record.value, record.sequence);
          return STATUS_OK;
        }
    }
  return result == STATUS_OK ? STATUS_NOT_FOUND : result;
}

static status
search_segment (struct search *search, struct segment *segment, struct engine_location *location,
                struct failure *failure)
{
  struct segment_filter_answer answer;
  struct segment_look *look = NULL;
  location->verdict = ENGINE_LOCATION_ABSENT;
  location->segment = segment_information (segment)->number;
  location->range_delete
      = range_set_cover (segment_range_deletes (segment), search->key, search->sequence);
  status result = segment_look_filter (segment, search->hash, &answer, &search->fault);
  location->filter = (enum engine_filter) answer.kind;
  location->filter_loaded = answer.loaded;
  if (result == STATUS_OK && !answer.may_contain)
    {
      location->verdict = ENGINE_LOCATION_FILTERED;
      return STATUS_OK;
    }
  if (result == STATUS_OK)
    result = segment_look_new (segment, &look, &search->fault);
  if (result == STATUS_OK)
    result = search_leaves (search, segment, look, location);
  segment_look_free (look);
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", search->fault.message);
  if (result != STATUS_OK && result != STATUS_NOT_FOUND)
    {
      location->verdict = ENGINE_LOCATION_FAULT;
      location->fault = &search->fault;
    }
  return STATUS_OK;
}

static status
search_runs (struct search *search, const struct view *view, struct failure *failure)
{
  status result = STATUS_OK;
  for (size_t i = 0; i < view->run_count && result == STATUS_OK; i++)
    {
      struct run *run = view->runs[i];
      struct segment *segment = run_find (run, search->key);
      struct engine_location location
          = { .run = run->id, .level = storage_level (search->engine, run) };
      location.verdict = ENGINE_LOCATION_OUTSIDE;
      search->fault = FAILURE_INIT;
      if (segment != NULL)
        result = search_segment (search, segment, &location, failure);
      if (result == STATUS_OK)
        result = tell_location (search, &location, failure);
    }
  return result;
}

/* The memtables are let go before anything is read (Z1). */
static status
search_all (struct search *search, struct failure *failure)
{
  struct view *files = NULL, *view = engine_view (search->engine); /* before what is visible: L1 */
  if (view == NULL)
    return engine_enter_slow (search->engine, failure);
  search->sequence = engine_visible_in (search->engine, view);
  status result = view_copy_files (view, &files, failure);
  if (result == STATUS_OK)
    result = search_memtables (search, view, failure);
  view_unref (view);
  if (result == STATUS_OK)
    result = search_runs (search, files, failure);
  view_unref (files);
  return result;
}

status
engine_storage_locate (struct engine *engine, engine_store store, struct bytes key,
                       bool (*visit) (void *data, const struct engine_location *location),
                       void *data, struct failure *failure)
{
  struct internal_key internal = { 0 };
  struct search search = { .engine = engine, .visit = visit, .data = data };
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  result = check_key (key, failure);
  if (result == STATUS_OK)
    result = internal_key_make (&internal, store, key, failure);
  if (result == STATUS_OK)
    {
      search.key = internal.bytes;
      search.hash = key_hash (internal.bytes);
      result = search_all (&search, failure);
      internal_key_clear (&internal);
    }
  engine_collect ();
  engine_end (engine);
  return result;
}
