/* SPDX-License-Identifier: MIT */
/*
 * repair: saves what verifies of a damaged database into a new one.
 *
 *   manifest, or else every segment there is ─► segments, oldest run first ─► log ─► new database
 *
 * Everything is replayed into an ordinary engine in the order in which it was committed, as far as
 * the files still tell: runs by their order in the manifest or, without one, by the newest sequence
 * in each file (runs hold disjoint spans of sequences; zeroed ones are the oldest), then the log. A
 * later put, delete or range delete thus overrides an earlier one as it did before.
 *
 * Invariants
 *   X1  The original is only read.
 *   X2  Only bytes that verify are saved: pages, values and log records by their checksums.
 *   X3  Whatever is not saved is told: a file, a page, a value (with its key), part of the log.
 *       And of what is lost of a segment, which keys that concerns: they may be missing, or what an
 *       older run holds of them.
 *   X4  Of a segment's versions of a key the newest counts, unless a range delete hides it.
 *   X5  When it fails or is cancelled, nothing is left at the destination.
 *
 * What can't be known: which keys of a lost page's span it held, so an older run's version of one
 * comes to light again, and is kept; without a manifest, files that a crash kept beside the merge
 * that replaced them do too, and what no longer counts of a segment that a merge is half through.
 */
#include "core/upkeep.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH_SIZE (UINT64_C (1) << 20) /* bytes committed at once */
#define BATCH_COUNT 4096u               /* operations, likewise */
#define LOG_ID_OFFSET 24u /* of the database id in a log segment (docs/design/log.md) */

struct repair
{
  struct vfs_directory *directory; /* the original */
  struct engine *target;
  struct engine_batch batch; /* for the target, not written yet */
  struct engine_repair_report *report;
  void (*lost) (void *data, const char *file, uint64_t page, const char *reason);
  void *lost_data;
  struct upkeep_progress *progress;
  struct upkeep_blobs blobs;
  const struct segment_information *bounds; /* of the segment in work; NULL: it speaks for itself */
  struct segment *segment;                  /* in work */
  uint64_t gap;                   /* its first lost leaf after `last`; SEGMENT_NO_PAGE = none */
  const struct range_set *ranges; /* its range deletes */
  uint8_t *last;                  /* key of the last record of the segment in work */
  size_t last_size, last_capacity;
  bool has_last;
  engine_store *stores; /* with records saved, rising; malloc'd */
  size_t store_count, store_capacity;
};

static void
add_lost (struct repair *repair, const char *file, uint64_t page, const char *reason)
{
  if (repair->lost != NULL)
    repair->lost (repair->lost_data, file, page, reason);
}

/* Tells which keys a loss concerns: those above `after` (none: from `from`) up to `end`, which are
 * internal. A key's newest version may be the last record of a page, and older ones of it
 * follow. */
static void
add_lost_span (struct repair *repair, const char *file, uint64_t page, const char *word,
               struct bytes from, struct bytes end)
{
  char shown[2][256], reason[2 * 256 + 160];
  engine_store stores[2] = { 0 };
  struct bytes keys[2] = { from, end };
  for (int i = 0; i < 2; i++)
    {
      bool whole = keys[i].size >= STORE_ID_SIZE; /* bounds come from the manifest */
      stores[i] = whole ? internal_key_store_of (keys[i]) : 0;
      engine_printable (whole ? BYTES (keys[i].data + STORE_ID_SIZE, keys[i].size - STORE_ID_SIZE)
                              : BYTES_NONE,
                        shown[i]);
    }
  snprintf (reason, sizeof reason,
            "keys %s \"%s\" (store %u) up to \"%s\" (store %u) may be missing, or have an older "
            "value than they had",
            word, shown[0], stores[0], shown[1], stores[1]);
  add_lost (repair, file, page, reason);
}

/* ---- into the new database ---- */

static status
write_batch (struct repair *repair, struct failure *failure)
{
  if (repair->batch.count == 0)
    return STATUS_OK;
  status result = engine_write (repair->target, &repair->batch, ENGINE_SYNC_NONE, NULL, failure);
  engine_batch_clear (&repair->batch);
  return result;
}

/* Remembers that the store has records. They come store by store, mostly. */
static status
note_store (struct repair *repair, engine_store store, struct failure *failure)
{
  size_t low = 0, high = repair->store_count;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (repair->stores[middle] < store)
        low = middle + 1;
      else
        high = middle;
    }
  if (store <= ENGINE_STORE_DEFAULT || (low < repair->store_count && repair->stores[low] == store))
    return STATUS_OK;
  if (repair->store_count == repair->store_capacity)
    {
      size_t capacity = repair->store_capacity * 2 + 16;
      engine_store *stores = reallocarray (repair->stores, capacity, sizeof *stores);
      if (stores == NULL)
        return fail_memory (failure, capacity * sizeof *stores, "a list of stores");
      repair->stores = stores;
      repair->store_capacity = capacity;
    }
  memmove (repair->stores + low + 1, repair->stores + low,
           (repair->store_count++ - low) * sizeof *repair->stores);
  repair->stores[low] = store;
  return STATUS_OK;
}

static status
add_operation (struct repair *repair, const struct operation *operation, struct failure *failure)
{
  status result = note_store (repair, operation->store, failure);
  if (result == STATUS_OK)
    result = batch_append (&repair->batch, operation, failure);
  if (result == STATUS_OK
      && (repair->batch.size >= BATCH_SIZE || repair->batch.count >= BATCH_COUNT))
    result = write_batch (repair, failure);
  if (result == STATUS_OK)
    result
        = upkeep_advance (repair->progress, operation->key.size + operation->value.size, failure);
  return result;
}

/* Reads the value of a blob operation. When it does not verify the loss is told, and the key
 * deleted. */
static status
resolve_blob (struct repair *repair, struct operation *operation, struct failure *failure)
{
  struct failure cause = FAILURE_INIT;
  struct bytes value;
  status result = upkeep_blob_read (&repair->blobs, operation->value, &value, &cause);
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", cause.message);
  if (result == STATUS_OK)
    {
      operation->kind = OPERATION_PUT;
      operation->value = value;
      return STATUS_OK;
    }
  char name[FILE_NAME_SIZE], key[256], reason[FAILURE_MESSAGE_SIZE + 320];
  struct blob_reference place;
  blob_reference_load (operation->value, &place);
  file_name (name, FILE_BLOB, place.file);
  snprintf (reason, sizeof reason, "the value of key \"%s\" (store %u) is lost: %s",
            engine_printable (operation->key, key), operation->store, cause.message);
  add_lost (repair, name, SEGMENT_NO_PAGE, reason);
  operation->kind = OPERATION_DELETE; /* an older value must not pass for the present one */
  operation->value = BYTES_NONE;
  return STATUS_OK;
}

/* An operation from a segment or from the log. */
static status
save (struct repair *repair, struct operation *operation, struct failure *failure)
{
  status result = STATUS_OK;
  if (operation->kind == OPERATION_BLOB)
    result = resolve_blob (repair, operation, failure);
  if (result != STATUS_OK)
    return result;
  return add_operation (repair, operation, failure);
}

/* ---- segments ---- */

static bool
within_bounds (const struct repair *repair, struct bytes key)
{
  const struct segment_information *bounds = repair->bounds;
  return bounds == NULL
         || (bytes_compare (key, BYTES (bounds->smallest, bounds->smallest_size)) >= 0
             && bytes_compare (key, BYTES (bounds->largest, bounds->largest_size)) <= 0);
}

static status
remember (struct repair *repair, struct bytes key, struct failure *failure)
{
  if (key.size > repair->last_capacity)
    {
      uint8_t *last = realloc (repair->last, key.size);
      if (last == NULL)
        return fail_memory (failure, key.size, "a key");
      repair->last = last;
      repair->last_capacity = key.size;
    }
  memcpy (repair->last, key.data, key.size);
  repair->last_size = key.size;
  repair->has_last = true;
  return STATUS_OK;
}

static const struct segment_information *
bounds_of (const struct repair *repair)
{
  return repair->bounds != NULL ? repair->bounds : segment_information (repair->segment);
}

/* The record after lost leaves has `key`, or the segment ends with it. */
static void
end_gap (struct repair *repair, struct bytes key)
{
  const struct segment_information *bounds = bounds_of (repair);
  struct bytes last = BYTES (repair->last, repair->last_size);
  struct bytes smallest = BYTES (bounds->smallest, bounds->smallest_size);
  char name[FILE_NAME_SIZE];
  file_name (name, FILE_SEGMENT, segment_information (repair->segment)->number);
  if (repair->has_last && bytes_compare (last, key) < 0)
    add_lost_span (repair, name, repair->gap, "after", last, key);
  else if (!repair->has_last && bytes_compare (smallest, key) <= 0)
    add_lost_span (repair, name, repair->gap, "from", smallest, key);
  repair->gap = SEGMENT_NO_PAGE; /* else it held nothing that counts (X4, V7) */
}

static status
on_record (void *data, const struct record *record, struct failure *failure)
{
  struct repair *repair = data;
  struct bytes key = record->key;
  if (repair->gap != SEGMENT_NO_PAGE)
    end_gap (repair, key);
  if (key.size <= STORE_ID_SIZE || key.size > INTERNAL_KEY_SIZE_MAX || !within_bounds (repair, key)
      || (repair->has_last && bytes_equal (key, BYTES (repair->last, repair->last_size))))
    return STATUS_OK; /* X4: an older version */
  status result = remember (repair, key, failure);
  if (result != STATUS_OK || range_set_cover (repair->ranges, key, SEQUENCE_MAX) > record->sequence)
    return result;
  struct operation operation = {
    .kind = record->kind == RECORD_DELETE ? OPERATION_DELETE
            : record->kind == RECORD_BLOB ? OPERATION_BLOB
                                          : OPERATION_PUT,
    .store = internal_key_store_of (key),
    .key = BYTES (key.data + STORE_ID_SIZE, key.size - STORE_ID_SIZE),
    .value = record->kind == RECORD_DELETE ? BYTES_NONE : record->value,
  };
  if (operation.kind == OPERATION_PUT && operation.value.size > VALUE_SIZE_MAX)
    return STATUS_OK;
  return save (repair, &operation, failure);
}

static void
on_fault (void *data, const char *file, uint64_t page, const struct failure *fault)
{
  struct repair *repair = data;
  struct segment_shape shape;
  repair->report->lost_pages += page != SEGMENT_NO_PAGE;
  add_lost (repair, file, page, fault->message);
  segment_shape (repair->segment, &shape);
  if (page < shape.leaves && repair->gap == SEGMENT_NO_PAGE)
    repair->gap = page;
}

/* A range delete may reach over stores (from one to the start of the next): one operation each. */
static status
save_range (struct repair *repair, const struct range_delete *range, struct failure *failure)
{
  if (range->start.size < STORE_ID_SIZE || range->end.size < STORE_ID_SIZE)
    return STATUS_OK;
  engine_store store = internal_key_store_of (range->start);
  engine_store end_store = internal_key_store_of (range->end);
  struct operation operation = {
    .kind = OPERATION_DELETE_RANGE,
    .store = store,
    .key = BYTES (range->start.data + STORE_ID_SIZE, range->start.size - STORE_ID_SIZE),
    .value = BYTES (range->end.data + STORE_ID_SIZE, range->end.size - STORE_ID_SIZE),
  };
  if (store == end_store && operation.value.size > 0)
    return add_operation (repair, &operation, failure);
  operation.value = BYTES_NONE; /* a range delete never leaves its store */
  return store != UINT32_MAX ? add_operation (repair, &operation, failure) : STATUS_OK;
}

static status
save_ranges (struct repair *repair, struct failure *failure)
{
  size_t count = repair->ranges != NULL ? range_set_delete_count (repair->ranges) : 0;
  status result = STATUS_OK;
  for (size_t i = 0; result == STATUS_OK && i < count; i++)
    {
      struct range_delete range = range_set_delete (repair->ranges, i);
      result = save_range (repair, &range, failure);
    }
  return result;
}

static status
save_segment (struct repair *repair, const struct segment_reader_settings *settings,
              uint64_t number, const struct segment_information *information,
              struct failure *failure)
{
  char name[FILE_NAME_SIZE];
  struct segment *segment;
  struct failure cause = FAILURE_INIT;
  file_name (name, FILE_SEGMENT, number);
  struct segment_reader_settings salvaging = *settings;
  salvaging.salvage = information != NULL; /* else the file's own properties must do */
  status result = segment_open_alone (&salvaging, number, &segment, &cause);
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", cause.message);
  if (result != STATUS_OK)
    {
      repair->report->files_skipped++;
      add_lost (repair, name, SEGMENT_NO_PAGE,
                cause.message[0] != '\0' ? cause.message : "it is missing");
      if (information != NULL)
        add_lost_span (repair, name, SEGMENT_NO_PAGE, "from",
                       BYTES (information->smallest, information->smallest_size),
                       BYTES (information->largest, information->largest_size));
      return STATUS_OK;
    }
  repair->bounds = information;
  repair->segment = segment;
  repair->gap = SEGMENT_NO_PAGE;
  repair->ranges = segment_range_deletes (segment);
  repair->has_last = false;
  if (segment_lacks_range_deletes (segment))
    add_lost_span (repair, name, SEGMENT_NO_PAGE, "from",
                   BYTES (bounds_of (repair)->smallest, bounds_of (repair)->smallest_size),
                   BYTES (bounds_of (repair)->largest, bounds_of (repair)->largest_size));
  result = save_ranges (repair, failure);
  if (result == STATUS_OK)
    {
      cause = FAILURE_INIT;
      result = segment_verify (segment, on_fault, on_record, repair, NULL, &cause);
      result = result == STATUS_CORRUPT ? STATUS_OK
               : result != STATUS_OK    ? fail (failure, result, "%s", cause.message)
                                        : STATUS_OK;
      if (repair->gap != SEGMENT_NO_PAGE)
        end_gap (repair, BYTES (bounds_of (repair)->largest, bounds_of (repair)->largest_size));
    }
  repair->ranges = NULL;
  repair->segment = NULL;
  segment_unref (segment);
  engine_collect ();
  return result;
}

/* ---- with a manifest ---- */

static status
save_listed (struct repair *repair, const struct manifest_state *state, struct failure *failure)
{
  struct upkeep_reader reader;
  status result = upkeep_reader_open (&reader, repair->directory, state->database_id,
                                      state->page_size, failure);
  reader.settings.page_size = state->page_size;
  for (size_t i = 0; i < state->segment_count; i++)
    repair->progress->total
        += state->segments[i].information.key_bytes + state->segments[i].information.value_bytes;
  for (size_t i = state->segment_count; result == STATUS_OK && i-- > 0;) /* oldest run first */
    {
      const struct segment_information *information = &state->segments[i].information;
      result = save_segment (repair, &reader.settings, information->number, information, failure);
    }
  upkeep_reader_close (&reader);
  return result;
}

/* ---- without one ---- */

struct loose
{
  uint64_t number, max_sequence;
  uint8_t database_id[16];
  size_t page_size;
};

static int
compare_loose (const void *a, const void *b)
{
  const struct loose *left = a, *right = b;
  if (left->max_sequence != right->max_sequence)
    return left->max_sequence < right->max_sequence ? -1 : 1;
  return (left->number > right->number) - (left->number < right->number);
}

/* Whether the file opens; tells its newest sequence. */
static status
inspect_loose (struct repair *repair, const char *name, struct loose *loose, bool *good,
               struct failure *failure)
{
  struct upkeep_reader reader;
  struct segment *segment;
  struct failure cause = FAILURE_INIT;
  *good = false;
  if (!upkeep_sniff_segment (repair->directory, name, loose->database_id, &loose->page_size))
    {
      repair->report->files_skipped++;
      add_lost (repair, name, SEGMENT_NO_PAGE, "it does not begin like a segment");
      return STATUS_OK;
    }
  status result = upkeep_reader_open (&reader, repair->directory, loose->database_id,
                                      loose->page_size, failure);
  if (result != STATUS_OK)
    return result;
  result = segment_open_alone (&reader.settings, loose->number, &segment, &cause);
  *good = result == STATUS_OK;
  if (*good)
    {
      const struct segment_information *information = segment_information (segment);
      loose->max_sequence = information->max_sequence;
      repair->progress->total += information->key_bytes + information->value_bytes;
      segment_unref (segment);
    }
  else if (result != STATUS_NO_MEMORY)
    {
      repair->report->files_skipped++;
      add_lost (repair, name, SEGMENT_NO_PAGE, cause.message);
      result = STATUS_OK;
    }
  upkeep_reader_close (&reader);
  return result == STATUS_OK ? STATUS_OK : fail (failure, result, "%s", cause.message);
}

static status
save_loose (struct repair *repair, const struct upkeep_listing *listing, uint8_t database_id[16],
            struct failure *failure)
{
  size_t count = 0;
  struct loose *all = calloc (listing->count + 1, sizeof *all);
  status result = all != NULL
                      ? STATUS_OK
                      : fail_memory (failure, listing->count * sizeof *all, "a list of segments");
  for (size_t i = 0; result == STATUS_OK && i < listing->count; i++)
    {
      bool good;
      if (listing->files[i].kind != FILE_SEGMENT)
        continue;
      all[count] = (struct loose){ .number = listing->files[i].number };
      result = inspect_loose (repair, listing->files[i].name, &all[count], &good, failure);
      count += result == STATUS_OK && good;
    }
  if (result == STATUS_OK && count > 0)
    {
      qsort (all, count, sizeof *all, compare_loose);
      memcpy (database_id, all[0].database_id, 16);
      memcpy (repair->blobs.database_id, database_id, 16);
    }
  for (size_t i = 0; result == STATUS_OK && i < count; i++)
    {
      struct upkeep_reader reader;
      result = upkeep_reader_open (&reader, repair->directory, all[i].database_id, all[i].page_size,
                                   failure);
      if (result == STATUS_OK)
        result = save_segment (repair, &reader.settings, all[i].number, NULL, failure);
      upkeep_reader_close (&reader);
    }
  free (all);
  return result;
}

/* ---- the log ---- */

static status
on_commit (void *data, uint64_t sequence, struct bytes payload, struct failure *failure)
{
  struct repair *repair = data;
  struct operation_reader reader = operation_reader_over (payload);
  struct operation operation;
  struct failure cause = FAILURE_INIT;
  status result;
  while ((result = operation_next (&reader, &operation, &cause)) == STATUS_OK)
    {
      if (operation.dead || operation.kind == OPERATION_LOADED)
        continue;
      result = save (repair, &operation, failure);
      if (result != STATUS_OK)
        return result;
    }
  if (result != STATUS_NOT_FOUND)
    {
      char reason[FAILURE_MESSAGE_SIZE + 64];
      snprintf (reason, sizeof reason, "part of commit %llu: %s", (unsigned long long) sequence,
                cause.message);
      add_lost (repair, "log", SEGMENT_NO_PAGE, reason);
    }
  return STATUS_OK;
}

/* `after`: commits up to it are in segments; 0 without a manifest, when all that is left of the log
 * is replayed: it ends with the newest commit, so every key in it ends as it was. */
static status
save_log (struct repair *repair, const uint8_t database_id[16], uint64_t after,
          struct failure *failure)
{
  struct wal_recovery found = { 0 };
  struct failure cause = FAILURE_INIT;
  char reason[160];
  status result = upkeep_step (repair->progress, "log", failure);
  if (result == STATUS_OK)
    result = wal_recover (repair->directory, database_id, after, true, on_commit, repair, &found,
                          &cause);
  if (result == STATUS_CORRUPT || result == STATUS_IO)
    {
      add_lost (repair, "log", SEGMENT_NO_PAGE, cause.message);
      result = STATUS_OK;
    }
  else if (result != STATUS_OK)
    return fail (failure, result, "%s", cause.message);
  repair->report->lost_log_bytes = found.torn_bytes;
  if (found.torn_bytes > 0)
    {
      snprintf (
          reason, sizeof reason,
          "%llu bytes at its end, behind commit %llu, are no whole commit, or damaged; nothing "
          "says that they were synced",
          (unsigned long long) found.torn_bytes, (unsigned long long) found.last_sequence);
      add_lost (repair, "log", SEGMENT_NO_PAGE, reason);
    }
  if (after == 0 || found.lost == 0)
    return result;
  snprintf (reason, sizeof reason, "%llu commits that were synced are missing or damaged",
            (unsigned long long) found.lost);
  add_lost (repair, "log", SEGMENT_NO_PAGE, reason);
  return result;
}

/* ---- names of stores ---- */

struct naming
{
  struct repair *repair;
  engine_store highest; /* id of any store */
};

/* A store with a name needs none. */
static bool
strike_named (void *data, const char *name, engine_store store)
{
  struct naming *naming = data;
  struct repair *repair = naming->repair;
  (void) name;
  naming->highest = store > naming->highest ? store : naming->highest;
  for (size_t i = 0; i < repair->store_count; i++)
    if (repair->stores[i] == store)
      memmove (repair->stores + i, repair->stores + i + 1,
               (--repair->store_count - i) * sizeof *repair->stores);
  return true;
}

/* What was saved of a store is all deleted again, when the store was dropped. */
static status
is_empty (struct repair *repair, engine_store store, bool *empty, struct failure *failure)
{
  struct engine_cursor_settings settings = { .store = store, .keys_only = true };
  struct engine_cursor *cursor;
  status result = engine_cursor_new (repair->target, &settings, &cursor, failure);
  if (result != STATUS_OK)
    return result;
  result = engine_cursor_first (cursor, failure);
  *empty = result == STATUS_OK && !engine_cursor_valid (cursor);
  engine_cursor_free (cursor);
  return result;
}

static status
name_store (struct repair *repair, engine_store store, struct failure *failure)
{
  char name[48], reason[160];
  status result = STATUS_EXISTS;
  for (unsigned turn = 0; result == STATUS_EXISTS; turn++)
    {
      snprintf (name, sizeof name, turn == 0 ? "recovered-%u" : "recovered-%u-%u", store, turn);
      struct failure cause = FAILURE_INIT;
      result = store_adopt (repair->target, name, store, &cause);
      if (result != STATUS_OK && result != STATUS_EXISTS)
        return fail (failure, result, "%s", cause.message);
    }
  snprintf (reason, sizeof reason, "the name of store %u is lost; its keys are in store \"%s\"",
            store, name);
  add_lost (repair, "catalogue", SEGMENT_NO_PAGE, reason);
  return STATUS_OK;
}

/* The catalogue of stores may be among what is lost: keys must not be out of reach for it, nor come
 * to light in a store that is made later under an id that it had forgotten. */
static status
name_stores (struct repair *repair, struct failure *failure)
{
  struct naming naming = { .repair = repair };
  if (repair->store_count > 0)
    naming.highest = repair->stores[repair->store_count - 1];
  status result = engine_store_list (repair->target, strike_named, &naming, failure);
  for (size_t i = 0; result == STATUS_OK && i < repair->store_count; i++)
    {
      bool empty;
      result = is_empty (repair, repair->stores[i], &empty, failure);
      if (result == STATUS_OK && !empty)
        result = name_store (repair, repair->stores[i], failure);
    }
  if (result == STATUS_OK && naming.highest > ENGINE_STORE_DEFAULT)
    result = store_reserve (repair->target, naming.highest, failure);
  return result;
}

/* ---- all of it ---- */

/* The database the log says it belongs to, when there is no segment and no manifest to say so. */
static void
sniff_log (struct repair *repair, const struct upkeep_listing *listing, uint8_t database_id[16])
{
  for (size_t i = 0; i < listing->count; i++)
    {
      struct vfs_file *file;
      uint8_t id[16];
      if (listing->files[i].kind != FILE_LOG
          || vfs_open (repair->directory, listing->files[i].name, VFS_READ, &file, NULL)
                 != STATUS_OK)
        continue;
      status result = vfs_read_exact (file, LOG_ID_OFFSET, id, sizeof id, NULL);
      vfs_close (file);
      if (result == STATUS_OK) /* wal_recover judges the rest */
        {
          memcpy (database_id, id, sizeof id);
          memcpy (repair->blobs.database_id, id, sizeof id);
          return;
        }
    }
}

static status
save_all (struct repair *repair, const struct upkeep_listing *listing,
          const struct manifest_state *state, struct failure *failure)
{
  uint8_t database_id[16];
  uint64_t after = 0;
  status result = upkeep_step (repair->progress, "segments", failure);
  if (result != STATUS_OK)
    return result;
  repair->blobs.directory = repair->directory;
  memcpy (database_id, state->database_id, 16);
  memcpy (repair->blobs.database_id, database_id, 16);
  if (state->format_version != 0)
    {
      after = state->flushed_sequence;
      result = save_listed (repair, state, failure);
    }
  else
    {
      sniff_log (repair, listing, database_id);
      result = save_loose (repair, listing, database_id, failure);
    }
  if (result == STATUS_OK)
    result = save_log (repair, database_id, after, failure);
  if (result == STATUS_OK)
    result = write_batch (repair, failure);
  return result == STATUS_OK ? name_stores (repair, failure) : result;
}

static status
count_store (struct repair *repair, engine_store store, struct failure *failure)
{
  struct engine_cursor_settings settings = { .store = store, .keys_only = true };
  struct engine_cursor *cursor;
  status result = engine_cursor_new (repair->target, &settings, &cursor, failure);
  if (result != STATUS_OK)
    return result;
  result = engine_cursor_first (cursor, failure);
  while (result == STATUS_OK && engine_cursor_valid (cursor))
    {
      repair->report->records++;
      result = upkeep_advance (repair->progress, 0, failure);
      if (result == STATUS_OK)
        result = engine_cursor_next (cursor, failure);
    }
  engine_cursor_free (cursor);
  return result;
}

struct counting
{
  struct repair *repair;
  struct failure *failure;
  status result; /* the first failure */
};

static bool
count_listed (void *data, const char *name, engine_store store)
{
  struct counting *counting = data;
  (void) name;
  counting->result = count_store (counting->repair, store, counting->failure);
  return counting->result == STATUS_OK;
}

/* How many keys there are in the end: what was replayed of older runs does not count twice. */
static status
count_saved (struct repair *repair, struct failure *failure)
{
  struct counting counting = { .repair = repair, .failure = failure };
  status result = upkeep_step (repair->progress, "counting", failure);
  if (result == STATUS_OK)
    result = engine_store_list (repair->target, count_listed, &counting, failure);
  return result == STATUS_OK ? counting.result : result;
}

/* Whether a repair that was cut short left what is there. */
static bool
is_cut_short (const struct repair *repair, const char *destination)
{
  struct vfs_directory *directory;
  if (vfs_directory_open (repair->directory->vfs, destination, false, &directory, NULL)
      != STATUS_OK)
    return false;
  bool unfinished = manifest_is_unfinished (directory);
  vfs_directory_close (directory);
  return unfinished;
}

static status
open_target (const struct repair *repair, const char *destination,
             const struct manifest_state *state, struct engine **out, struct failure *failure)
{
  struct engine_options options;
  engine_options_init (&options);
  options.vfs = repair->directory->vfs;
  options.log_enabled = false; /* closing makes it durable; a repair cut short is begun again */
  if (state->page_size != 0)
    options.page_size = state->page_size;
  unsigned flags = ENGINE_OPEN_CREATE | ENGINE_OPEN_EXCLUSIVE | ENGINE_OPEN_UNFINISHED;
  status result = STATUS_OK;
  if (is_cut_short (repair, destination))
    result = engine_destroy (destination, repair->directory->vfs, failure);
  return result == STATUS_OK ? engine_open (destination, flags, &options, out, failure) : result;
}

static status
repair_into (struct repair *repair, const char *destination, const struct upkeep_listing *listing,
             const struct manifest_state *state, struct failure *failure)
{
  status result = open_target (repair, destination, state, &repair->target, failure);
  if (result != STATUS_OK)
    return result;
  result = save_all (repair, listing, state, failure);
  if (result == STATUS_OK)
    result = engine_checkpoint (repair->target, failure);
  if (result == STATUS_OK)
    result = count_saved (repair, failure);
  if (result == STATUS_OK)
    result = engine_finish (repair->target, failure);
  if (result == STATUS_OK)
    result = engine_close (repair->target, failure);
  engine_unref (repair->target);
  upkeep_blobs_clear (&repair->blobs);
  batch_clear_memory (&repair->batch);
  free (repair->last);
  free (repair->stores);
  if (result != STATUS_OK)
    engine_destroy (destination, repair->directory->vfs, NULL); /* X5 */
  return result;
}

static bool
has_data (const struct upkeep_listing *listing)
{
  for (size_t i = 0; i < listing->count; i++)
    if (listing->files[i].kind == FILE_SEGMENT || listing->files[i].kind == FILE_LOG)
      return true;
  return false;
}

/* Whether the file is a sound segment of the database that its header names. */
static bool
is_sound_alone (struct repair *repair, uint64_t number, const uint8_t database_id[16],
                size_t page_size)
{
  struct upkeep_reader reader;
  struct segment *segment;
  status result = upkeep_reader_open (&reader, repair->directory, database_id, page_size, NULL);
  if (result == STATUS_OK)
    result = segment_open_alone (&reader.settings, number, &segment, NULL);
  if (result == STATUS_OK)
    segment_unref (segment);
  upkeep_reader_close (&reader);
  return result == STATUS_OK;
}

/* Whether the manifest lists segments and none that is here is of its database, but of another:
 * then it says nothing about these files. */
static bool
is_foreign (struct repair *repair, const struct upkeep_listing *listing,
            const struct manifest_state *state)
{
  bool others = false;
  for (size_t i = 0; state->segment_count > 0 && i < listing->count; i++)
    {
      uint8_t id[16];
      size_t page_size;
      if (listing->files[i].kind != FILE_SEGMENT
          || !upkeep_sniff_segment (repair->directory, listing->files[i].name, id, &page_size))
        continue;
      if (memcmp (id, state->database_id, sizeof id) == 0)
        return false;
      others = others || is_sound_alone (repair, listing->files[i].number, id, page_size);
    }
  return others;
}

/* What was told to those who would open or make a database there is of no use to who repairs it. */
static const char *
why_no_manifest (status result, const struct failure *cause)
{
  if (result == STATUS_NOT_A_DATABASE || result == STATUS_NOT_FOUND)
    return "it is missing, and so is every manifest; which files were in use can't be known";
  return cause->message[0] != '\0' ? cause->message : "it names no manifest";
}

static status
repair_directory (struct repair *repair, const char *destination, struct failure *failure)
{
  struct manifest_state state = { 0 };
  struct upkeep_listing listing;
  struct failure cause = FAILURE_INIT;
  status result = upkeep_refuse_newer (repair->directory, NULL, failure);
  if (result == STATUS_OK)
    result = upkeep_list (repair->directory, &listing, failure);
  if (result != STATUS_OK)
    return result;
  result = manifest_load (repair->directory, &state, &cause);
  if (result == STATUS_OK && is_foreign (repair, &listing, &state))
    result = fail (&cause, STATUS_CORRUPT,
                   "the manifest it names belongs to another database than the segments beside it");
  if (result == STATUS_NEWER_FORMAT || result == STATUS_NO_MEMORY)
    result = fail (failure, result, "%s", cause.message);
  else if (result != STATUS_OK && !has_data (&listing))
    result = fail (failure, STATUS_NOT_A_DATABASE,
                   "there is nothing in %s that could be repaired; check the path",
                   repair->directory->path);
  else
    {
      if (result != STATUS_OK)
        {
          manifest_state_clear (&state);
          state = (struct manifest_state){ 0 };
          add_lost (repair, "CURRENT", SEGMENT_NO_PAGE, why_no_manifest (result, &cause));
        }
      result = repair_into (repair, destination, &listing, &state, failure);
    }
  manifest_state_clear (&state);
  upkeep_listing_clear (&listing);
  return result;
}

status
engine_repair (const char *path, const char *destination,
               void (*lost) (void *data, const char *file, uint64_t page, const char *reason),
               engine_progress progress, void *data, struct engine_repair_report *out,
               struct failure *failure)
{
  return repair_path (vfs_posix (), path, destination, lost, progress, data, out, failure);
}

status
repair_path (const struct vfs *vfs, const char *path, const char *destination,
             void (*lost) (void *data, const char *file, uint64_t page, const char *reason),
             engine_progress progress, void *data, struct engine_repair_report *out,
             struct failure *failure)
{
  struct engine_repair_report unused;
  struct upkeep_progress told = { .report = progress, .data = data };
  struct repair repair = {
    .report = out != NULL ? out : &unused,
    .lost = lost,
    .lost_data = data,
    .progress = &told,
  };
  struct writer_lock lock;
  *repair.report = (struct engine_repair_report){ 0 };
  if (path == NULL || *path == '\0')
    return fail (failure, STATUS_INVALID, "the path of the database is empty; pass a directory");
  status result = upkeep_refuse_inside (vfs, path, destination, failure);
  if (result == STATUS_OK)
    result = vfs_directory_open (vfs, path, false, &repair.directory, failure);
  if (result == STATUS_NOT_FOUND)
    return fail (failure, result, "there is no directory %s; check the path", path);
  if (result != STATUS_OK)
    return result;
  result = writer_lock_take (&lock, repair.directory, false, "close it there first", failure);
  if (result == STATUS_OK)
    {
      result = repair_directory (&repair, destination, failure);
      writer_lock_release (&lock);
    }
  vfs_directory_close (repair.directory);
  return result;
}
