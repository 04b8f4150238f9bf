/* SPDX-License-Identifier: MIT */
/*
 * loader: much data at once, past log and memtable, in one commit.
 *
 *   put ─► sorter ─► spill: a piece of sorted segments ─► … commit:
 *   one piece, or a merge of the pieces ─► flush what is in memory ─► install in front of all runs
 *
 * Pieces whose keys only rise are joined as they are, so input in order is written once. Others are
 * merged, 16 of a size at a time, so that few are ever open.
 *
 * The sequence number. Records carry their commit's number, but it is known only when the commit
 * takes its place in the order, after they were written. So it is guessed: the next number, if
 * nobody else commits; else some way ahead. When the place is taken the numbers up to the guess are
 * given to empty commits. When others went past the guess meanwhile the piece is merged again under
 * a higher one.
 *
 * Invariants
 *   B1  Until the manifest edit nothing refers to our segments: a crash leaves orphans, which the
 *       next open removes, and perhaps empty commits.
 *   B2  At the edit every earlier commit is in runs and none is under way (`loading` keeps them
 *       out), so the new run is the newest and flushed_sequence may pass over it.
 *   B3  The log stays gapless: an empty record stands for each number up to ours, and at ours one
 *       that says which spans of keys were loaded. They are appended before the edit, so a full
 *       disk there has changed nothing; when the edit fails, what they announce did not come.
 *   B4  The commit becomes visible in its turn, behind those that still wait for a sync.
 *   B5  Blob files written for it are guarded from being collected for as long as the loader lives;
 *       earlier ones are not.
 *   B6  The loader does not keep the database from closing: each call brackets itself; afterwards
 *       its files are left to the next open.
 *
 * Threads: one at a time.
 */
#include "core/blob-collect.h"
#include "core/feed.h"
#include "core/memory.h"

#include <stdlib.h>

#define PIECES_MERGED 16u
#define COMMIT_ATTEMPTS 12
#define GAP_FIRST 256u
#define GAP_MAX (UINT64_C (1) << 20)

/* A sorted run of segments beside the database, one version a key. */
struct piece
{
  struct flushed flushed;
  unsigned level; /* how often merged */
};

/* A key of our own. */
struct key_copy
{
  uint8_t *data; /* malloc'd */
  size_t size, capacity;
};

/* What of a store was written to. */
struct loaded_span
{
  engine_store store;
  struct key_copy least, most; /* keys of puts */
};

struct engine_loader
{
  struct engine *engine;   /* referenced */
  struct blob_guard guard; /* B5 */
  struct sorter *sorter;   /* what was put since the last spill; sequence = number of the put */
  uint64_t puts;           /* accepted */
  uint64_t user_bytes;     /* of them */
  uint64_t guess;          /* sequence that the pieces carry */
  struct piece *pieces;    /* oldest first; malloc'd */
  size_t piece_count, piece_capacity;
  struct loaded_span *spans; /* one a store written to, rising; malloc'd */
  size_t span_count;
  struct engine_batch record; /* of the log, when it is committed: what was loaded where */
  bool ended;                 /* committed, or failed at the very end */
};

/* ---- beginning and end ---- */

status
engine_loader_new (struct engine *engine, struct engine_loader **out, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (engine->read_only)
    return fail (failure, STATUS_READ_ONLY,
                 "%s is open read-only; open it for writing to load into it", engine->path);
  struct engine_loader *loader = calloc (1, sizeof *loader);
  if (loader == NULL)
    return fail_memory (failure, sizeof *loader, "a bulk loader");
  result = sorter_new (&engine->ledger, &loader->sorter, failure);
  if (result == STATUS_OK)
    result = blob_guard_enter_new (engine, &loader->guard, failure);
  if (result != STATUS_OK)
    {
      sorter_free (loader->sorter);
      free (loader);
      return result;
    }
  engine_end (engine); /* B6: the guard stays, the bracket that came with it does not */
  loader->engine = engine_ref (engine);
  pthread_mutex_lock (&engine->commit_lock);
  loader->guess = engine->last_sequence + 1;
  pthread_mutex_unlock (&engine->commit_lock);
  *out = loader;
  return STATUS_OK;
}

static void
piece_unlink (struct engine *engine, struct piece *piece)
{
  for (size_t i = 0; i < piece->flushed.count; i++)
    {
      char name[FILE_NAME_SIZE];
      file_name (name, FILE_SEGMENT, piece->flushed.segments[i].information.number);
      vfs_unlink (engine->directory, name, NULL);
    }
  flushed_clear (&piece->flushed);
}

static void
spans_clear (struct engine_loader *loader)
{
  for (size_t i = 0; i < loader->span_count; i++)
    {
      free (loader->spans[i].least.data);
      free (loader->spans[i].most.data);
    }
  free (loader->spans);
  batch_clear_memory (&loader->record);
}

void
engine_loader_free (struct engine_loader *loader)
{
  if (loader == NULL)
    return;
  struct engine *engine = loader->engine;
  status entered = engine_begin (engine, NULL);
  if (entered == STATUS_FORKED)
    return; /* its locks and guards are the parent's */
  bool open = entered == STATUS_OK;
  for (size_t i = 0; i < loader->piece_count; i++)
    if (open)
      piece_unlink (engine, &loader->pieces[i]);
    else
      flushed_clear (&loader->pieces[i].flushed);
  if (!open)
    atomic_fetch_add (&engine->operations, 1);
  blob_guard_leave (engine, &loader->guard); /* ends the bracket */
  if (open)
    background_wake_merge (engine); /* what only this pinned may be collected */
  sorter_free (loader->sorter);
  free (loader->pieces);
  spans_clear (loader);
  free (loader);
  engine_unref (engine);
}

uint64_t
engine_loader_count (const struct engine_loader *loader)
{
  return loader->puts;
}

/* ---- one version a key, under one sequence ---- */

struct newest_source
{
  struct source source;
  struct source *inner; /* owned */
  uint64_t sequence;    /* that every record gets */
  uint8_t *last;        /* key last yielded; malloc'd */
  size_t last_size, last_capacity;
};

static status
newest_yield (struct newest_source *newest, struct failure *failure)
{
  newest->source.valid = newest->inner->valid;
  if (!newest->inner->valid)
    return STATUS_OK;
  newest->source.record = newest->inner->record;
  newest->source.record.sequence = newest->sequence;
  struct bytes key = newest->inner->record.key;
  if (key.size > newest->last_capacity)
    {
      uint8_t *last = realloc (newest->last, 2 * key.size);
      if (last == NULL)
        {
          newest->source.valid = false;
          return fail_memory (failure, 2 * key.size, "a key");
        }
      newest->last = last;
      newest->last_capacity = 2 * key.size;
    }
  memcpy (newest->last, key.data, key.size);
  newest->last_size = key.size;
  return STATUS_OK;
}

static status
newest_first (struct source *source, struct failure *failure)
{
  struct newest_source *newest = (struct newest_source *) source;
  source->valid = false;
  status result = source_first (newest->inner, failure);
  return result == STATUS_OK ? newest_yield (newest, failure) : result;
}

static status
newest_next (struct source *source, struct failure *failure)
{
  struct newest_source *newest = (struct newest_source *) source;
  source->valid = false;
  status result;
  do
    result = source_next (newest->inner, failure);
  while (result == STATUS_OK && newest->inner->valid
         && bytes_equal (newest->inner->record.key, BYTES (newest->last, newest->last_size)));
  return result == STATUS_OK ? newest_yield (newest, failure) : result;
}

static void
newest_release (struct source *source)
{
  struct newest_source *newest = (struct newest_source *) source;
  source_release (newest->inner);
  free (newest->last);
  free (newest);
}

static const struct source_operations newest_operations = {
  .first = newest_first,
  .next = newest_next,
  .release = newest_release, /* output_write only walks forward */
};

/* Takes over `inner`, also on failure. */
static status
newest_source_new (struct source *inner, uint64_t sequence, struct source **out,
                   struct failure *failure)
{
  struct newest_source *newest = calloc (1, sizeof *newest);
  if (newest == NULL)
    {
      source_release (inner);
      return fail_memory (failure, sizeof *newest, "a bulk load");
    }
  newest->source.operations = &newest_operations;
  newest->inner = inner;
  newest->sequence = sequence;
  *out = &newest->source;
  return STATUS_OK;
}

/* Writes what `inner` (taken over) yields to a new piece. */
static status
write_piece (struct engine *engine, struct source *inner, uint64_t sequence, uint64_t bytes,
             bool settled, struct flushed *out, struct failure *failure)
{
  struct source *newest = NULL;
  status result = newest_source_new (inner, sequence, &newest, failure);
  if (result != STATUS_OK)
    return result;
  struct output_settings settings = {
    .settled = settled,
    .expected_bytes = bytes,
    .cancel = &engine->cancel_merges,
  };
  result = output_write (engine, newest, NULL, &settings, out, failure);
  source_release (newest);
  return result;
}

/* ---- pieces ---- */

static uint64_t
flushed_bytes (const struct flushed *flushed)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < flushed->count; i++)
    bytes += flushed->segments[i].information.file_size;
  return bytes;
}

/* Merges pieces [first, end), newer ones win, to one that carries `sequence`. */
static status
merge_pieces (struct engine_loader *loader, size_t first, size_t end, uint64_t sequence,
              bool settled, struct flushed *out, struct failure *failure)
{
  struct engine *engine = loader->engine;
  struct segment_source_settings settings = engine_source_settings (engine, true);
  size_t count = end - first, opened = 0;
  uint64_t bytes = 0;
  settings.chunk_most = memory_merge_chunk (engine, count);
  struct source **sources = calloc (count, sizeof *sources), *merged;
  status result
      = sources != NULL ? STATUS_OK : fail_memory (failure, count * sizeof *sources, "a bulk load");
  while (result == STATUS_OK && opened < count)
    {
      const struct flushed *piece = &loader->pieces[end - 1 - opened].flushed; /* newest first */
      struct run *run;
      bytes += flushed_bytes (piece);
      result = flushed_open (engine, piece, 0, &run, failure);
      if (result != STATUS_OK)
        break;
      result = run_source (run, &settings, &sources[opened], failure);
      run_unref (run);
      opened += result == STATUS_OK;
    }
  if (result == STATUS_OK)
    {
      result = merge_source_new (sources, count, &merged, failure);
      opened = 0; /* taken over, also on failure */
    }
  if (result == STATUS_OK)
    result = write_piece (engine, merged, sequence, bytes, settled, out, failure);
  for (size_t i = 0; i < opened; i++)
    source_release (sources[i]);
  free (sources);
  engine_collect ();
  return result;
}

/* Puts `flushed` in place of the pieces from `first` on, whose files go. Takes it over. */
static void
replace_pieces (struct engine_loader *loader, size_t first, unsigned level, struct flushed *flushed)
{
  for (size_t i = first; i < loader->piece_count; i++)
    piece_unlink (loader->engine, &loader->pieces[i]);
  loader->pieces[first] = (struct piece){ *flushed, level };
  loader->piece_count = first + 1;
  *flushed = (struct flushed){ 0 };
}

/* Whether all keys of `after` are above those of `before`. */
static bool
follows (const struct flushed *before, const struct flushed *after)
{
  const struct segment_information *last = &before->segments[before->count - 1].information;
  const struct segment_information *first = &after->segments[0].information;
  return bytes_compare (BYTES (last->largest, last->largest_size),
                        BYTES (first->smallest, first->smallest_size))
         < 0;
}

/* Appends the segments of `flushed` (taken over) to the last piece. */
static status
join_last (struct engine_loader *loader, struct flushed *flushed, struct failure *failure)
{
  struct flushed *last = &loader->pieces[loader->piece_count - 1].flushed;
  size_t count = last->count + flushed->count;
  struct manifest_segment *segments = realloc (last->segments, count * sizeof *segments);
  if (segments == NULL)
    return fail_memory (failure, count * sizeof *segments, "a list of segments");
  memcpy (segments + last->count, flushed->segments, flushed->count * sizeof *segments);
  last->segments = segments;
  last->count = count;
  free (flushed->segments);
  *flushed = (struct flushed){ 0 };
  return STATUS_OK;
}

static status
add_piece (struct engine_loader *loader, struct flushed *flushed, struct failure *failure)
{
  if (loader->piece_count > 0
      && follows (&loader->pieces[loader->piece_count - 1].flushed, flushed))
    return join_last (loader, flushed, failure);
  if (loader->piece_count == loader->piece_capacity)
    {
      size_t capacity = loader->piece_capacity == 0 ? 32 : 2 * loader->piece_capacity;
      struct piece *pieces = realloc (loader->pieces, capacity * sizeof *pieces);
      if (pieces == NULL)
        return fail_memory (failure, capacity * sizeof *pieces, "a bulk load");
      loader->pieces = pieces;
      loader->piece_capacity = capacity;
    }
  loader->pieces[loader->piece_count++] = (struct piece){ *flushed, 0 };
  *flushed = (struct flushed){ 0 };
  return STATUS_OK;
}

/* Keeps the pieces few: the last 16 of one level become one of the next. */
static status
merge_levels (struct engine_loader *loader, struct failure *failure)
{
  for (;;)
    {
      size_t first = loader->piece_count;
      unsigned level = loader->pieces[first - 1].level;
      while (first > 0 && loader->pieces[first - 1].level == level)
        first--;
      if (loader->piece_count - first < PIECES_MERGED)
        return STATUS_OK;
      struct flushed merged;
      status result = merge_pieces (loader, first, loader->piece_count, loader->guess, false,
                                    &merged, failure);
      if (result != STATUS_OK)
        return result;
      replace_pieces (loader, first, level + 1, &merged);
    }
}

/* Writes what was put to a piece. */
static status
spill (struct engine_loader *loader, struct failure *failure)
{
  if (sorter_is_empty (loader->sorter))
    return STATUS_OK;
  struct engine *engine = loader->engine;
  struct source *source;
  struct flushed flushed = { 0 };
  status result = sorter_source_new (loader->sorter, &source, failure);
  if (result == STATUS_OK)
    result = write_piece (engine, source, loader->guess, sorter_used (loader->sorter), false,
                          &flushed, failure);
  if (result == STATUS_OK)
    result = add_piece (loader, &flushed, failure);
  if (result
      != STATUS_OK) /* the sorter still has it all, and takes more: who comes next tries again */
    {
      struct piece lost = { flushed, 0 };
      piece_unlink (engine, &lost);
      return result;
    }
  sorter_clear (loader->sorter);
  engine_rebalance (engine);
  return merge_levels (loader, failure);
}

/* ---- putting ---- */

static status
refuse_ended (const struct engine_loader *loader, struct failure *failure)
{
  if (!loader->ended)
    return STATUS_OK;
  return fail (failure, STATUS_CLOSED,
               "the bulk load was committed already, or failed; begin a new one");
}

static status
key_copy_set (struct key_copy *copy, struct bytes key, struct failure *failure)
{
  if (key.size > copy->capacity)
    {
      uint8_t *data = realloc (copy->data, key.size + 16);
      if (data == NULL)
        return fail_memory (failure, key.size + 16, "a key");
      copy->data = data;
      copy->capacity = key.size + 16;
    }
  memcpy (copy->data, key.data, key.size);
  copy->size = key.size;
  return STATUS_OK;
}

/* The store's span, an empty one if need be. */
static status
find_span (struct engine_loader *loader, engine_store store, struct loaded_span **out,
           struct failure *failure)
{
  size_t at = loader->span_count;
  while (at > 0 && loader->spans[at - 1].store > store)
    at--;
  if (at > 0 && loader->spans[at - 1].store == store)
    {
      *out = &loader->spans[at - 1];
      return STATUS_OK;
    }
  struct loaded_span *spans
      = realloc (loader->spans, (loader->span_count + 1) * sizeof *loader->spans);
  if (spans == NULL)
    return fail_memory (failure, (loader->span_count + 1) * sizeof *spans, "a list of stores");
  memmove (spans + at + 1, spans + at, (loader->span_count - at) * sizeof *spans);
  spans[at] = (struct loaded_span){ .store = store };
  loader->spans = spans;
  loader->span_count++;
  *out = &spans[at];
  return STATUS_OK;
}

static status
note_key (struct engine_loader *loader, engine_store store, struct bytes key,
          struct failure *failure)
{
  struct loaded_span *span = NULL;
  status result = find_span (loader, store, &span, failure);
  if (result == STATUS_OK
      && (span->most.size == 0
          || bytes_compare (key, BYTES (span->most.data, span->most.size)) > 0))
    result = key_copy_set (&span->most, key, failure);
  if (result == STATUS_OK
      && (span->least.size == 0
          || bytes_compare (key, BYTES (span->least.data, span->least.size)) < 0))
    result = key_copy_set (&span->least, key, failure);
  return result;
}

/* What the log will say of the load. */
static status
make_record (struct engine_loader *loader, struct failure *failure)
{
  status result = STATUS_OK;
  engine_batch_clear (&loader->record);
  for (size_t i = 0; result == STATUS_OK && i < loader->span_count; i++)
    {
      const struct loaded_span *span = &loader->spans[i];
      struct operation operation = {
        .kind = OPERATION_LOADED,
        .store = span->store,
        .key = BYTES (span->least.data, span->least.size),
        .value = BYTES (span->most.data, span->most.size),
      };
      if (span->least.size > 0)
        result = batch_append (&loader->record, &operation, failure);
    }
  return result;
}

static status
insert (struct engine_loader *loader, const struct record *record, struct failure *failure)
{
  struct engine *engine = loader->engine;
  status result = STATUS_OK;
  if (sorter_used (loader->sorter) >= engine->memtable_size)
    result = spill (loader, failure);
  return result == STATUS_OK ? sorter_add (loader->sorter, record, failure) : result;
}

static status
put (struct engine_loader *loader, engine_store store, struct bytes key, struct bytes value,
     struct failure *failure)
{
  struct internal_key internal;
  struct blob_reference place;
  uint8_t reference[BLOB_REFERENCE_SIZE];
  struct record record = { .value = value, .sequence = loader->puts + 1, .kind = RECORD_PUT };
  status result = note_key (loader, store, key, failure);
  if (result == STATUS_OK && value.size >= loader->engine->options.blob_threshold)
    {
      result = blob_writer_put (loader->engine->blob_writer, value, &place, failure);
      if (result == STATUS_OK)
        blob_reference_store (reference, &place);
      record.value = BYTES (reference, sizeof reference);
      record.kind = RECORD_BLOB;
    }
  if (result == STATUS_OK)
    result = internal_key_make (&internal, store, key, failure);
  if (result != STATUS_OK)
    return result;
  record.key = internal.bytes;
  result = insert (loader, &record, failure);
  internal_key_clear (&internal);
  if (result != STATUS_OK)
    return result;
  loader->puts++;
  loader->user_bytes += key.size + value.size;
  return STATUS_OK;
}

status
engine_loader_put (struct engine_loader *loader, engine_store store, struct bytes key,
                   struct bytes value, struct failure *failure)
{
  status result = check_key (key, failure);
  if (result == STATUS_OK)
    result = check_value (value, failure);
  if (result == STATUS_OK)
    result = refuse_ended (loader, failure);
  if (result == STATUS_OK)
    result = engine_begin (loader->engine, failure);
  if (result != STATUS_OK)
    return result;
  result = put (loader, store, key, value, failure);
  engine_end (loader->engine);
  return result;
}

/* ---- committing ---- */

/* Brings the pieces down to one that carries the guess. */
static status
make_final (struct engine_loader *loader, uint64_t guess, struct failure *failure)
{
  struct engine *engine = loader->engine;
  if (loader->piece_count == 1 && loader->guess == guess)
    return STATUS_OK;
  struct view *view = engine_view (engine);
  bool settled = view != NULL && view->run_count == 0;
  view_unref (view);
  struct flushed merged;
  status result = merge_pieces (loader, 0, loader->piece_count, guess, settled, &merged, failure);
  if (result != STATUS_OK)
    return result;
  replace_pieces (loader, 0, 0, &merged);
  loader->guess = guess;
  return STATUS_OK;
}

static status
check_stores (struct engine_loader *loader, struct failure *failure)
{
  for (size_t i = 0; i < loader->span_count; i++)
    if (store_is_dropped (loader->engine, loader->spans[i].store))
      return fail (failure, STATUS_NOT_FOUND,
                   "a store that was loaded into was dropped meanwhile; open a store of that "
                   "name again and load anew");
  return STATUS_OK;
}

static status
refuse_failed (struct engine *engine, struct failure *failure)
{
  if (!atomic_load (&engine->write_failed))
    return STATUS_OK;
  return fail (failure, STATUS_UNKNOWN_OUTCOME,
               "writes to %s are refused since an earlier failure (%.200s); close every handle and "
               "open the database again",
               engine->path, engine->write_failure.message);
}

/* B2: waits until everything committed is in runs. commit_lock held, dropped to wait: `loading`
 * keeps new commits out. */
static status
drain (struct engine *engine, struct failure *failure)
{
  uint64_t begun = engine->flush_attempts;
  if (atomic_load (&engine->flush_failure) != STATUS_OK)
    background_wake_flush (engine); /* try again at once what failed before */
  for (;;)
    {
      status result = engine_enter (engine, failure);
      if (result == STATUS_OK)
        result = refuse_failed (engine, failure);
      if (result != STATUS_OK)
        return result;
      bool empty = memtable_is_empty (engine->active->table);
      unsigned frozen = atomic_load (&engine->frozen_count);
      if (empty && frozen == 0)
        return STATUS_OK;
      if (engine->failed_attempt > begun)
        return fail (failure, engine->flush_failed.code, "%s", engine->flush_failed.message);
      if (!empty && frozen < FROZEN_MAX)
        result = commit_switch (engine, false, failure);
      if (result != STATUS_OK && result != STATUS_BUSY) /* readers of a flushed one still leave */
        return result;
      pthread_cond_wait (&engine->room, &engine->commit_lock);
    }
}

/* B3: empty records, and ours. */
static status
append_up_to (struct engine *engine, uint64_t sequence, struct bytes record,
              struct failure *failure)
{
  while (engine->last_sequence < sequence)
    {
      uint64_t next = engine->last_sequence + 1;
      status result = commit_log (engine, next, &record, next == sequence, true, failure);
      if (result != STATUS_OK)
        return result;
      engine->last_sequence = next;
    }
  return STATUS_OK;
}

/* The place in the order of commits. commit_lock held. BUSY: others went past the guess. */
static status
take_place (struct engine_loader *loader, struct failure *failure)
{
  struct engine *engine = loader->engine;
  status result = refuse_failed (engine, failure);
  if (result == STATUS_OK)
    result = check_stores (loader, failure);
  if (result == STATUS_OK && engine->last_sequence >= loader->guess)
    return STATUS_BUSY;
  if (result == STATUS_OK && loader->guess > SEQUENCE_MAX)
    result = fail (failure, STATUS_TOO_MANY,
                   "the database has seen 2^53 commits; dump it and load it into a new one");
  if (result == STATUS_OK)
    result = drain (engine, failure);
  if (result != STATUS_OK)
    return result;
  struct bytes record = BYTES (loader->record.data, loader->record.size);
  return append_up_to (engine, loader->guess, record, failure);
}

/* B4: the numbers taken become visible, those of empty commits too. commit_lock held. */
static status
publish (struct engine *engine, struct failure *failure)
{
  uint64_t newest = engine->last_sequence;
  if (engine->first_waiter != NULL)
    return commit_wait_turn (engine, newest, false, failure);
  atomic_store_explicit (&engine->published, newest, memory_order_release);
  return STATUS_OK;
}

/* The commit itself. Other commits wait; readers don't. */
static status
take_place_and_install (struct engine_loader *loader, struct failure *failure)
{
  struct engine *engine = loader->engine;
  pthread_mutex_lock (&engine->commit_lock);
  while (engine->loading)
    pthread_cond_wait (&engine->room, &engine->commit_lock);
  engine->loading = true;
  uint64_t before = engine->last_sequence;
  status result = take_place (loader, failure);
  if (result == STATUS_OK)
    {
      loader->ended = true; /* installed, or its files are removed */
      pthread_mutex_unlock (&engine->commit_lock);
      result = flush_install (engine, &loader->pieces[0].flushed, NULL, loader->guess,
                              loader->user_bytes, failure);
      pthread_mutex_lock (&engine->commit_lock);
    }
  bool took = engine->last_sequence > before && !atomic_load (&engine->write_failed);
  if (took)
    {
      status published = publish (engine, result == STATUS_OK ? failure : NULL);
      result = result == STATUS_OK ? published : result;
    }
  engine->loading = false;
  pthread_cond_broadcast (&engine->room);
  struct wakes wakes;
  feed_take_wakes (engine, &wakes);
  pthread_mutex_unlock (&engine->commit_lock);
  feed_call (engine, &wakes);
  return result;
}

/* How far ahead to guess: nobody commits beside us, or as much again as they did lately. */
static uint64_t
guess_after (struct engine *engine, uint64_t before, unsigned attempt)
{
  pthread_mutex_lock (&engine->commit_lock);
  uint64_t last = engine->last_sequence;
  pthread_mutex_unlock (&engine->commit_lock);
  if (last < before)
    return before;
  uint64_t gap = (last - before + 1) * 2;
  uint64_t least = (uint64_t) GAP_FIRST << attempt;
  gap = gap < least ? least : gap;
  return last + 1 + (gap < GAP_MAX ? gap : GAP_MAX);
}

static status
commit (struct engine_loader *loader, struct failure *failure)
{
  struct engine *engine = loader->engine;
  status result = make_record (loader, failure);
  if (result != STATUS_OK)
    return result;
  result = STATUS_BUSY;
  for (unsigned attempt = 0; result == STATUS_BUSY && attempt < COMMIT_ATTEMPTS; attempt++)
    {
      uint64_t guess = guess_after (engine, loader->guess, attempt);
      result = make_final (loader, guess, failure);
      if (result == STATUS_OK)
        result = engine_flush (engine, failure); /* most of it, while others go on */
      if (result != STATUS_OK)
        return result;
      result = take_place_and_install (loader, failure);
    }
  if (result == STATUS_BUSY)
    return fail (failure, STATUS_BUSY,
                 "others commit faster than %s can take the load; try again when it is quieter",
                 engine->path);
  return result;
}

/* The files are the database's now. */
static void
give_up_files (struct engine_loader *loader)
{
  flushed_clear (&loader->pieces[0].flushed);
  loader->piece_count = 0;
}

status
engine_loader_commit (struct engine_loader *loader, uint64_t *sequence, struct failure *failure)
{
  struct engine *engine = loader->engine;
  status result = refuse_ended (loader, failure);
  if (result == STATUS_OK)
    result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  result = spill (loader, failure);
  if (sequence != NULL)
    *sequence = engine_sequence (engine);
  if (result == STATUS_OK && loader->puts > 0)
    {
      result = commit (loader, failure);
      if (result == STATUS_OK || (loader->ended && atomic_load (&engine->write_failed)))
        give_up_files (loader);
      if (result == STATUS_OK && sequence != NULL)
        *sequence = loader->guess;
    }
  loader->ended |= result == STATUS_OK;
  if (result == STATUS_OK && loader->puts > 0)
    {
      if (engine->wal != NULL)
        wal_release (engine->wal, loader->guess, NULL);
      background_wake_merge (engine);
      engine_rebalance (engine);
      engine_note (engine,
                   &(struct event_note){ .kind = ENGINE_EVENT_LOADED, .bytes = loader->puts });
    }
  engine_end (engine);
  return result;
}
