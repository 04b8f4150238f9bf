/* SPDX-License-Identifier: MIT */
/*
 * What stands at which byte of a subject's files, and which version of which key on which page:
 * read from the undamaged files with the engine's own readers.
 */
#include "subject.h"

#include "../crash/simulated-memory.h"
#include "blob/blob.h"
#include "core/batch.h"
#include "core/upkeep.h"
#include "log/wal-format-private.h"
#include "segment/inner.h"
#include "segment/leaf.h"
#include "segment/segment-private.h"
#include "version/manifest-private.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- spots ---- */

static void
add_spot (struct subject *subject, enum spot_kind kind, uint32_t file, uint64_t from, uint64_t to,
          uint64_t number)
{
  if (from >= to)
    return;
  if (subject->spot_count == subject->spot_room)
    {
      subject->spot_room = subject->spot_room * 2 + 256;
      subject->spots = kept_realloc (subject->spots, subject->spot_room * sizeof *subject->spots);
    }
  subject->spots[subject->spot_count++] = (struct spot){ kind, file, from, to, number };
}

static int
compare_spots (const void *a, const void *b)
{
  const struct spot *left = a, *right = b;
  if (left->file != right->file)
    return left->file < right->file ? -1 : 1;
  return (left->from > right->from) - (left->from < right->from);
}

/* Sorts the spots by place, drops doubles (a value may be referred to twice), fills the gaps. */
static void
finish_spots (struct subject *subject)
{
  size_t known = subject->spot_count, kept = 0;
  qsort (subject->spots, known, sizeof *subject->spots, compare_spots);
  for (size_t i = 0; i < known; i++)
    if (kept == 0 || compare_spots (&subject->spots[kept - 1], &subject->spots[i]) != 0)
      subject->spots[kept++] = subject->spots[i];
  subject->spot_count = kept;
  uint64_t at = 0;
  for (size_t i = 0, file = 0; i <= kept; i++)
    {
      for (; file < subject->file_count && (i == kept || subject->spots[i].file > file); file++)
        {
          add_spot (subject, SPOT_SLACK, (uint32_t) file, at, subject->files[file].size, 0);
          at = 0;
        }
      if (i == kept)
        break;
      if (subject->spots[i].from < at)
        abort (); /* two things at one place */
      uint64_t end = subject->spots[i].to;
      add_spot (subject, SPOT_SLACK, (uint32_t) file, at, subject->spots[i].from, 0);
      at = end;
    }
  qsort (subject->spots, subject->spot_count, sizeof *subject->spots, compare_spots);
  for (size_t i = 0; i < subject->spot_count; i++)
    {
      struct subject_file *file = &subject->files[subject->spots[i].file];
      if (file->last == 0)
        file->first = i;
      file->last = i + 1;
    }
}

const struct spot *
subject_spot (const struct subject *subject, uint32_t file, uint64_t offset)
{
  size_t low = subject->files[file].first, high = subject->files[file].last;
  while (high - low > 1)
    {
      size_t middle = (low + high) / 2;
      if (subject->spots[middle].from <= offset)
        low = middle;
      else
        high = middle;
    }
  return &subject->spots[low];
}

/* ---- files ---- */

uint32_t
subject_find_file (const struct subject *subject, const char *name)
{
  for (uint32_t i = 0; i < subject->file_count; i++)
    if (strcmp (subject->files[i].name, name) == 0)
      return i;
  return UINT32_MAX;
}

struct disk_content *
subject_content (const struct subject *subject, const struct disk *disk, uint32_t file)
{
  uint32_t number = disk_find (disk, 0, subject->files[file].name);
  return number != 0 ? disk->files[number].content : NULL;
}

static int
compare_files (const void *a, const void *b)
{
  return strcmp (((const struct subject_file *) a)->name, ((const struct subject_file *) b)->name);
}

static void
list_files (struct subject *subject)
{
  const struct disk *disk = subject->disk;
  for (size_t i = 0; i < disk->name_count; i++)
    {
      if (subject->file_count == SUBJECT_FILES_MOST)
        abort ();
      struct subject_file *file = &subject->files[subject->file_count++];
      strcpy (file->name, disk->names[i].name);
      file->size = disk->files[disk->names[i].file].content->size;
    }
  qsort (subject->files, subject->file_count, sizeof *subject->files, compare_files);
}

static uint32_t
numbered_file (const struct subject *subject, enum file_kind kind, uint64_t number)
{
  char name[FILE_NAME_SIZE];
  file_name (name, kind, number);
  uint32_t file = subject_find_file (subject, name);
  if (file == UINT32_MAX)
    abort ();
  return file;
}

/* ---- manifest ---- */

static void
map_manifest (struct subject *subject, const struct manifest_place *place,
              const struct manifest_state *state)
{
  uint32_t file = numbered_file (subject, FILE_MANIFEST, place->number), payload;
  const struct disk_content *content = subject_content (subject, subject->disk, file);
  uint64_t seed = checksum_seed (state->database_id, place->number), sum, count = 0;
  uint64_t at = MANIFEST_HEADER_SIZE;
  while (at < content->size && edit_header_decode (content->bytes + at, seed, at, &payload, &sum))
    {
      uint64_t size = edit_size (payload);
      bool copy = edit_copy_of (BYTES (content->bytes + at + EDIT_HEADER_SIZE, payload)) != 0;
      if (at == MANIFEST_HEADER_SIZE)
        add_spot (subject, SPOT_MANIFEST, file, 0, at + size, 0);
      else
        add_spot (subject, copy ? SPOT_COPY : SPOT_EDIT, file, at, at + size, count += !copy);
      at = next_sector (at + size);
    }
  if (at < content->size || (count == 0 && !subject->closed))
    abort ();
  file = subject_find_file (subject, CURRENT_NAME);
  add_spot (subject, SPOT_CURRENT, file, 0, subject->files[file].size, 0);
}

/* ---- blob files ---- */

static struct bytes
read_blob (struct subject *subject, struct upkeep_blobs *blobs, struct bytes reference,
           uint32_t *file, uint64_t *offset)
{
  struct bytes value;
  struct blob_reference place;
  MUST (upkeep_blob_read (blobs, reference, &value, &failure));
  blob_reference_load (reference, &place);
  *file = numbered_file (subject, FILE_BLOB, place.file);
  *offset = place.offset;
  add_spot (subject, SPOT_BLOB, *file, 0, 64, 0);
  add_spot (subject, SPOT_VALUE, *file, place.offset, place.offset + place.size + 8, place.offset);
  return value;
}

/* ---- segments ---- */

static void
add_version (struct subject *subject, struct version version)
{
  if (subject->version_count == subject->version_room)
    {
      subject->version_room = subject->version_room * 2 + 1024;
      subject->versions
          = kept_realloc (subject->versions, subject->version_room * sizeof *subject->versions);
    }
  if (version.value.data != NULL)
    {
      uint8_t *copy = kept_malloc (version.value.size + 1);
      memcpy (copy, version.value.data, version.value.size);
      version.value.data = copy;
    }
  subject->versions[subject->version_count++] = version;
}

static uint32_t
store_index (const struct subject *subject, engine_store store)
{
  for (uint32_t i = 0; i < SUBJECT_STORES; i++)
    if (subject->stores[i] == store)
      return i;
  if (store != ENGINE_STORE_SYSTEM)
    abort ();
  return SUBJECT_CATALOGUE;
}

/* Of the catalogue: "i" is 0, names are the rest. */
static uint32_t
key_index (const struct subject *subject, uint32_t store, struct bytes key)
{
  if (store == SUBJECT_CATALOGUE)
    return key.data[0] != 'i';
  uint32_t index = subject_find_key (subject, key);
  if (index == subject->keys || !bytes_equal (subject->key_pool[index], key))
    abort ();
  return index;
}

static void
map_ranges (struct subject *subject, const struct range_set *ranges)
{
  for (size_t i = 0; ranges != NULL && i < range_set_delete_count (ranges); i++)
    {
      struct range_delete range = range_set_delete (ranges, i);
      struct bytes start = range.start, end = range.end;
      engine_store store = internal_key_store_of (start);
      bool whole = internal_key_store_of (end) != store;
      struct version version = {
        .leaf = NO_LEAF,
        .store = store_index (subject, store),
        .key = subject_find_key (subject,
                                 BYTES (start.data + STORE_ID_SIZE, start.size - STORE_ID_SIZE)),
        .deleted = true,
        .sequence = range.sequence,
        .blob = NO_BLOB,
      };
      version.end = whole ? subject->keys
                          : subject_find_key (
                              subject, BYTES (end.data + STORE_ID_SIZE, end.size - STORE_ID_SIZE));
      add_version (subject, version);
    }
}

static void
map_record (struct subject *subject, uint32_t leaf, const struct leaf_view *view, unsigned slot,
            struct upkeep_blobs *blobs)
{
  uint8_t key[1024];
  struct leaf_record record = leaf_record (view, slot);
  size_t size = view->prefix_size + record.suffix.size;
  if (size > sizeof key)
    abort ();
  memcpy (key, view->prefix, view->prefix_size);
  memcpy (key + view->prefix_size, record.suffix.data, record.suffix.size);
  struct version version = {
    .leaf = leaf,
    .store = store_index (subject, internal_key_store_of (BYTES (key, size))),
    .deleted = record.kind == RECORD_DELETE,
    .sequence = record.sequence,
    .blob = NO_BLOB,
  };
  version.key
      = key_index (subject, version.store, BYTES (key + STORE_ID_SIZE, size - STORE_ID_SIZE));
  version.end = version.key + 1;
  if (record.kind == RECORD_PUT)
    version.value = record.value;
  else if (record.kind == RECORD_BLOB)
    version.value = read_blob (subject, blobs, record.value, &version.blob, &version.blob_offset);
  add_version (subject, version);
}

static void
map_pages (struct subject *subject, struct subject_segment *mapped, struct segment *segment,
           struct upkeep_blobs *blobs)
{
  const struct segment_totals *totals = &segment->totals;
  uint32_t count = segment->page_count;
  struct page_place *places = kept_calloc (count, sizeof *places);
  places[count - 1] = totals->root;
  for (uint32_t page = count; page-- > 0;)
    {
      bool leaf = page < totals->leaves;
      uint8_t *bytes = kept_malloc (segment_page_room (segment, &places[page]));
      MUST (segment_read_page (segment, page, &places[page], bytes, &failure));
      add_spot (subject, leaf ? SPOT_LEAF : SPOT_INNER, mapped->file, places[page].offset,
                places[page].offset + places[page].stored, page);
      for (unsigned i = 0; !leaf && i < inner_count (bytes); i++)
        {
          places[inner_first_child (bytes) + i] = inner_entry (bytes, i).place;
          mapped->parents[inner_first_child (bytes) + i] = page;
        }
      free (bytes);
    }
  for (uint32_t page = 0; page < totals->leaves; page++)
    {
      uint8_t *bytes = kept_malloc (segment_page_room (segment, &places[page]));
      MUST (segment_read_page (segment, page, &places[page], bytes, &failure));
      struct leaf_view view = leaf_view (bytes);
      for (unsigned slot = 0; slot < view.count; slot++)
        map_record (subject, page, &view, slot, blobs);
      free (bytes);
    }
  free (places);
}

static void
map_segment (struct subject *subject, const struct segment_reader_settings *settings,
             const struct segment_information *information, struct upkeep_blobs *blobs)
{
  struct segment *segment;
  struct subject_segment *mapped = &subject->segments[subject->segment_count++];
  MUST (segment_open (settings, information, &segment, &failure));
  *mapped = (struct subject_segment){
    .file = numbered_file (subject, FILE_SEGMENT, information->number),
    .pages = segment->page_count,
    .leaves = segment->totals.leaves,
    .number = information->number,
    .max_sequence = information->max_sequence,
    .parents = kept_calloc (segment->page_count + 1, sizeof *mapped->parents),
    .first = subject->version_count,
  };
  uint64_t size = subject->files[mapped->file].size;
  add_spot (subject, SPOT_HEADER, mapped->file, 0, SEGMENT_HEADER_SIZE, 0);
  add_spot (subject, SPOT_FOOTER, mapped->file, size - SEGMENT_FOOTER_SIZE, size, 0);
  for (uint64_t block = 0; block < BLOCK_COUNT; block++)
    add_spot (subject, SPOT_BLOCK, mapped->file, segment->blocks[block].offset,
              segment->blocks[block].offset + segment->blocks[block].size, block);
  map_ranges (subject, segment->ranges);
  if (segment->page_count > 0)
    map_pages (subject, mapped, segment, blobs);
  mapped->last = subject->version_count;
  segment_unref (segment);
}

/* ---- the log ---- */

struct log_map
{
  struct subject *subject;
  struct upkeep_blobs *blobs;
};

/* Where the large values of a commit are. */
static status
map_commit (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  struct log_map *map = data;
  struct subject *subject = map->subject;
  const struct logged *logged = &subject->logged[sequence - subject->flushed - 1];
  struct operation_reader reader = operation_reader_over (payload);
  struct operation operation;
  status result;
  while ((result = operation_next (&reader, &operation, failure)) == STATUS_OK)
    {
      if (operation.kind != OPERATION_BLOB || operation.dead)
        continue;
      uint32_t store = store_index (subject, operation.store), file;
      uint32_t key = key_index (subject, store, operation.key);
      uint64_t offset;
      struct bytes value = read_blob (subject, map->blobs, operation.value, &file, &offset);
      for (size_t i = logged->first; i < logged->last; i++)
        {
          struct change *change = &subject->changes[i];
          if (change->store == store && change->key == key && change->value != 0
              && bytes_equal (subject->value_pool[change->value], value))
            {
              change->blob = file;
              change->blob_offset = offset;
            }
        }
    }
  return result == STATUS_NOT_FOUND ? STATUS_OK : result;
}

/* The records of one file; *next is the sequence expected. */
static void
map_log_file (struct subject *subject, uint32_t file, uint64_t number, const uint8_t id[16],
              uint64_t *next)
{
  const struct disk_content *content = subject_content (subject, subject->disk, file);
  struct wal_segment_header header;
  if (!wal_header_decode (content->bytes, &header) || header.number != number)
    return;
  struct wal_binding binding = wal_bind (id, number, header.salt);
  add_spot (subject, SPOT_LOG_HEADER, file, 0, WAL_HEADER_SIZE, header.first_sequence);
  *next = header.first_sequence;
  for (uint64_t at = WAL_HEADER_SIZE; at < content->size && content->bytes[at] != 0;)
    {
      struct wal_record_head head;
      const uint8_t *bytes = content->bytes + at;
      if (!wal_record_head_decode (BYTES (bytes, content->size - at), binding.tag,
                                   header.first_sequence, *next, &head))
        abort ();
      uint64_t end = at + head.payload + head.size;
      uint64_t sum = checksum (wal_record_seed (&binding, head.sequence), at,
                               BYTES (bytes + head.checked, end - at - head.checked));
      if (head.checksum != wal_record_checksum (&head, sum) || head.sequence != *next)
        abort ();
      if (head.sequence > subject->flushed && head.sequence <= subject->last)
        {
          struct logged *logged = &subject->logged[head.sequence - subject->flushed - 1];
          logged->is_long = head.is_long;
          logged->claim = head.synced;
        }
      add_spot (subject, SPOT_RECORD, file, at, end, head.sequence);
      at = end;
      ++*next;
    }
}

static void
map_log (struct subject *subject, struct vfs_directory *directory, const uint8_t id[16],
         struct upkeep_blobs *blobs)
{
  struct upkeep_listing listing;
  struct wal_recovery found;
  struct log_map map = { subject, blobs };
  uint64_t next = 0;
  MUST (upkeep_list (directory, &listing, &failure)); /* rising numbers */
  for (size_t i = 0; i < listing.count; i++)
    if (listing.files[i].kind == FILE_LOG)
      map_log_file (subject, numbered_file (subject, FILE_LOG, listing.files[i].number),
                    listing.files[i].number, id, &next);
  upkeep_listing_clear (&listing);
  if (subject->closed ? next != 0 : next != subject->last + 1)
    abort ();
  if (!subject->closed)
    MUST (wal_recover (directory, id, subject->flushed, false, map_commit, &map, &found, &failure));
}

/* Where each commit's record is. */
static void
find_records (struct subject *subject)
{
  for (size_t i = 0; !subject->closed && i < subject->spot_count; i++)
    {
      const struct spot *spot = &subject->spots[i];
      if (spot->kind != SPOT_RECORD || spot->number <= subject->flushed)
        continue;
      struct logged *logged = &subject->logged[spot->number - subject->flushed - 1];
      logged->record = i;
      logged->header = subject->files[spot->file].first;
    }
}

/* ---- all of it ---- */

void
subject_map (struct subject *subject)
{
  struct vfs_directory *directory;
  struct manifest_place place;
  struct manifest_state state;
  struct upkeep_reader reader;
  list_files (subject);
  MUST (vfs_directory_open (&subject->disk->vfs, SUBJECT_PATH, false, &directory, &failure));
  MUST (manifest_load_place (directory, &state, &place, &failure));
  MUST (upkeep_reader_open (&reader, directory, state.database_id, state.page_size, &failure));
  struct upkeep_blobs blobs = { .directory = directory };
  memcpy (blobs.database_id, state.database_id, 16);
  if (state.flushed_sequence != (subject->closed ? subject->last : subject->flushed))
    abort ();
  map_manifest (subject, &place, &state);
  for (size_t i = 0; i < state.segment_count; i++)
    map_segment (subject, &reader.settings, &state.segments[i].information, &blobs);
  map_log (subject, directory, state.database_id, &blobs);
  finish_spots (subject);
  find_records (subject);
  upkeep_blobs_clear (&blobs);
  upkeep_reader_close (&reader);
  manifest_state_clear (&state);
  vfs_directory_close (directory);
}

void
subject_map_clear (struct subject *subject)
{
  for (uint32_t i = 0; i < subject->segment_count; i++)
    free (subject->segments[i].parents);
  for (size_t i = 0; i < subject->version_count; i++)
    free ((void *) subject->versions[i].value.data);
  free (subject->versions);
  free (subject->spots);
}
