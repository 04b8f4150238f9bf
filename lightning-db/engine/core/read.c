/* SPDX-License-Identifier: MIT */
/*
 * read: point lookups.
 *
 *   epoch section ─► view ─► sequence ─► (fetch ahead) ─► memtables ─► runs, newest first
 *                 ─► copy or pin ─► leave
 *
 * Invariants
 *   L1  The view is loaded before the sequence is, so the view holds all of what is visible at the
 *       moment it was loaded; commits that went to a later memtable are wholly unseen.
 *   L2  The first member (newest first) that has a version or a covering range delete at or below
 *       the sequence decides.
 *   L3  Nothing blocks inside the epoch section; when a page must be read the view is referenced.
 *   L4  Without a snapshot a large value may be overwritten, and its file collected, between lookup
 *       and read. So what looks corrupt without one is looked up once more with one, which keeps
 *       the version and its file.
 */
#include "core/call.h"

#include <assert.h>
#include <stdlib.h>

#define FETCHED_RUNS 8u /* whose filters are fetched together, at most */

/* Where a lookup found its record. Written in place by whoever finds it: nothing of it is
 * copied. */
struct found
{
  struct segment_lookup lookup; /* the record; the page is NULL when it is in none that is cached */
  struct memtable *table;       /* that has it, or */
  struct segment *segment;      /* the segment, or NULL: a range delete covers the key */
  struct view *view;            /* where; referenced when `referenced` */
  bool referenced;              /* the page had to be read, or it is a blob: see found_clear */
};

static inline void
found_begin (struct found *found, struct view *view)
{
  found->lookup.page = NULL;
  found->table = NULL;
  found->segment = NULL;
  found->view = view;
  found->referenced = false;
}

/* ---- one key ---- */

/* L2 for the memtables. NOT_FOUND: they don't decide; OK: *out is set (maybe a delete). */
static status
find_in_tables (const struct view *view, struct bytes key, uint64_t hash, uint64_t sequence,
                struct found *out)
{
  for (int i = -1; i < (int) view->frozen_count; i++)
    {
      struct generation *generation = i < 0 ? view->active : view->frozen[i];
      if (generation == NULL || memtable_is_empty (generation->table))
        continue;
      struct memtable *table = generation->table;
      uint64_t cover = memtable_cover (table, key, sequence);
      if (memtable_get (table, key, hash, sequence, &out->lookup.record))
        {
          out->table = table;
          if (out->lookup.record.sequence < cover)
            out->lookup.record.kind = RECORD_DELETE;
          return STATUS_OK;
        }
      if (cover > 0)
        {
          out->lookup.record.kind = RECORD_DELETE;
          return STATUS_OK;
        }
    }
  return STATUS_NOT_FOUND;
}

/* Whether this thread's keys are likely to be in the memtables: from 2 on, up to 3. */
static __thread uint8_t tables_likely;

static inline void
learn_tables (bool found)
{
  if (found && tables_likely < 3)
    tables_likely++;
  else if (!found && tables_likely > 0)
    tables_likely--;
}

/* Starts fetching what memtables and the newest runs' filters are asked by. Beside a writer there
 * are several of them, and one after the other each would be waited for by itself. */
static inline void
fetch_members (const struct view *view, struct bytes key, uint64_t hash)
{
  if (view->active != NULL)
    memtable_prefetch_get (view->active->table, hash);
  for (size_t i = 0; i < view->frozen_count; i++)
    memtable_prefetch_get (view->frozen[i]->table, hash);
  size_t count = view->run_count < FETCHED_RUNS ? view->run_count : FETCHED_RUNS;
  for (size_t i = 0; i < count; i++)
    {
      struct segment *segment = run_find_last (view->runs[i], key);
      if (segment != NULL)
        segment_prefetch_filter (segment, hash);
    }
}

/* Whether the memtables need not be asked, as when the database is settled. */
static inline bool
tables_are_empty (const struct view *view)
{
  return view->frozen_count == 0
         && (view->active == NULL || memtable_is_empty (view->active->table));
}

/* L2 for one segment. `cached`: BUSY instead of reading a page; `lends`: the page will be pinned. */
static inline status
find_in_segment (struct segment *segment, struct bytes key, uint64_t hash, uint64_t sequence,
                 bool cached, bool lends, struct found *out, struct steps *steps,
                 struct failure *failure)
{
  status result;
  if (steps != NULL)
    result = segment_get_timed (segment, key, hash, sequence, cached, &out->lookup, steps, failure);
  else
    result = cached ? segment_get_cached (segment, key, hash, sequence, lends, &out->lookup)
                    : segment_get (segment, key, hash, sequence, &out->lookup, failure);
  if (result == STATUS_OK)
    out->segment = segment;
  const struct range_set *ranges = segment_range_deletes (segment);
  if (__builtin_expect (ranges == NULL, 1) || result > STATUS_NOT_FOUND)
    return result;
  uint64_t cover = range_set_cover (ranges, key, sequence);
  if (cover > 0 && (result == STATUS_NOT_FOUND || out->lookup.record.sequence < cover))
    {
      out->lookup.record.kind = RECORD_DELETE;
      return STATUS_OK;
    }
  return result;
}

static inline __attribute__ ((always_inline)) status
find_in_runs (const struct view *view, struct bytes key, uint64_t hash, uint64_t sequence,
              bool cached, bool lends, struct found *out, struct steps *steps,
              struct failure *failure)
{
  for (size_t i = 0; i < view->run_count; i++)
    {
      struct segment *segment = i + 1 < view->run_count ? run_find (view->runs[i], key)
                                                        : run_find_last (view->runs[i], key);
      if (segment == NULL)
        continue;
      status result
          = find_in_segment (segment, key, hash, sequence, cached, lends, out, steps, failure);
      if (result != STATUS_NOT_FOUND)
        return result;
    }
  return STATUS_NOT_FOUND;
}

/* ---- handing values out ---- */

/* The reference outlives the section that is about to be left. */
static status
copy_reference (struct engine *engine, const struct found *found, uint8_t to[BLOB_REFERENCE_SIZE],
                struct failure *failure)
{
  struct bytes reference = found->lookup.record.value;
  if (reference.size != BLOB_REFERENCE_SIZE)
    return fail (failure, STATUS_CORRUPT, "%s: a blob reference is malformed; run repair",
                 engine->path);
  memcpy (to, reference.data, BLOB_REFERENCE_SIZE);
  return STATUS_OK;
}

/* A key's delete was found: in a leaf, perhaps. */
static __attribute__ ((noinline)) status
found_deleted (struct engine *engine, const struct found *found)
{
  if (found->segment != NULL && !found->referenced)
    count_in_thread (engine->metrics, THREAD_PAGE_HITS, 1);
  return STATUS_NOT_FOUND;
}

/* Turns what was found into a value that outlives the epoch section. Inside the section; a blob's
 * read leaves it (the view is referenced then). */
static status
lend (struct engine *engine, const struct found *found, struct engine_value *out,
      struct failure *failure)
{
  const struct record *record = &found->lookup.record;
  if (record->kind == RECORD_DELETE)
    return found_deleted (engine, found);
  out->sequence = record->sequence;
  if (record->kind == RECORD_BLOB)
    {
      uint8_t reference[BLOB_REFERENCE_SIZE];
      status result = copy_reference (engine, found, reference, failure);
      if (result != STATUS_OK)
        return result;
      epoch_leave ();
      result = blob_value (engine, found->view, BYTES (reference, sizeof reference), out, failure);
      epoch_enter ();
      return result;
    }
  out->data = record->value;
  if (found->table != NULL)
    {
      out->holder = memtable_ref (found->table);
      out->holder_kind = HOLDER_TABLE;
      out->owner = engine_ref (engine);
    }
  else if (found->lookup.page != NULL)
    {
      cache_pin (found->lookup.page);
      out->holder = (void *) found->lookup.page;
      out->holder_kind = HOLDER_PAGE;
    }
  else
    {
      out->holder = segment_ref (found->segment);
      out->holder_kind = HOLDER_SEGMENT;
      out->owner = engine_ref (engine);
    }
  return STATUS_OK;
}

static inline void
copy_out (struct bytes value, void *buffer, size_t capacity, size_t *size)
{
  *size = value.size;
  if (value.size <= capacity && value.size > 0)
    memcpy (buffer, value.data, value.size);
}

/* ---- lookups ---- */

/* When memory alone has no answer; the view is referenced. */
static __attribute__ ((noinline)) status
find_by_reading (struct engine *engine, struct bytes key, uint64_t hash, uint64_t sequence,
                 struct found *found, struct steps *steps, struct failure *failure)
{
  count_in_thread (engine->metrics, THREAD_GETS_DISK, 1);
  return find_in_runs (found->view, key, hash, sequence, false, false, found, steps, failure);
}

/* A get that copies may go through the hot records; one that lends has none of this. */
struct hot_use
{
  struct hot_records *records; /* NULL: not looked at */
  void *buffer;                /* where a hit copies the value to */
  size_t capacity;             /* bytes of it */
  size_t *size;                /* of the value */
  uint64_t hash;               /* of the key */
  bool hit;                    /* the value was copied */
  bool keep;                   /* what the runs say is worth keeping, and H1 holds */
};

static inline bool
hot_answers (struct hot_use *hot, const struct view *view, struct bytes key, uint64_t hash,
             uint64_t sequence)
{
  hot->hit = hot_records_get (hot->records, view->runs_id, key, hash, sequence, hot->buffer,
                              hot->capacity, hot->size);
  hot->hash = hash;
  hot->keep = sequence >= view->runs_sequence;
  return hot->hit;
}

/* The whole path, inside one epoch section that the caller enters and leaves. What was found needs
 * found_clear after leaving. */
static inline __attribute__ ((always_inline)) status
look_up_taking (struct engine *engine, const struct engine_snapshot *snapshot, struct bytes key,
                bool cached_only, struct hot_use *hot, struct found *found, struct steps *steps,
                struct failure *failure)
{
  uint64_t hash = key_hash (key);
  assert (snapshot_is_of (snapshot, engine));
  for (;;)
    {
      struct view *view = snapshot != NULL && snapshot->view != NULL
                              ? snapshot->view
                              : atomic_load_explicit (&engine->view, memory_order_acquire);
      found_begin (found, view);
      if (__builtin_expect (view == NULL, 0))
        return engine_enter_slow (engine, failure);
      uint64_t sequence
          = snapshot != NULL ? snapshot->sequence : engine_visible_in (engine, view); /* L1 */
      status result = STATUS_NOT_FOUND;
      step_done (steps, STEP_VISIBILITY);
      if (!tables_are_empty (view))
        {
          if (tables_likely < 2 && (hot == NULL || hot->records == NULL))
            fetch_members (view, key, hash);
          result = find_in_tables (view, key, hash, sequence, found);
          learn_tables (result == STATUS_OK);
          step_done (steps, STEP_MEMTABLES);
        }
      if (result == STATUS_NOT_FOUND && hot != NULL && hot->records != NULL)
        {
          bool answered = hot_answers (hot, view, key, hash, sequence);
          step_done (steps, STEP_HOT_RECORDS);
          if (answered)
            return STATUS_OK;
        }
      if (result == STATUS_NOT_FOUND)
        result = find_in_runs (view, key, hash, sequence, true, hot == NULL, found, steps, failure);
      bool is_blob = result == STATUS_OK && found->lookup.record.kind == RECORD_BLOB;
      if (__builtin_expect (result != STATUS_BUSY && !is_blob, 1) || cached_only)
        return result;
      if (!view_try_ref (view)) /* L3: the section is about to be left */
        continue;
      found->referenced = true;
      if (is_blob)
        {
          if (found->segment != NULL)
            count_in_thread (engine->metrics, THREAD_PAGE_HITS, 1);
          return result;
        }
      return find_by_reading (engine, key, hash, sequence, found, steps, failure);
    }
}

static status
look_up (struct engine *engine, const struct engine_snapshot *snapshot, struct bytes key,
         bool cached_only, struct hot_use *hot, struct found *found, struct failure *failure)
{
  return look_up_taking (engine, snapshot, key, cached_only, hot, found, NULL, failure);
}

/* The same, its steps taken. */
static __attribute__ ((noinline)) status
look_up_timed (struct engine *engine, const struct engine_snapshot *snapshot, struct bytes key,
               bool cached_only, struct hot_use *hot, struct found *found, struct steps *steps,
               struct failure *failure)
{
  return look_up_taking (engine, snapshot, key, cached_only, hot, found, steps, failure);
}

static inline void
found_clear (struct found *found)
{
  if (__builtin_expect (found->referenced, 0))
    view_unref (found->view);
}

static inline status
prepare_key (struct engine *engine, engine_store store, struct bytes key,
             struct internal_key *internal, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result == STATUS_OK)
    result = check_key (key, failure);
  if (result == STATUS_OK)
    result = internal_key_make (internal, store, key, failure);
  return result;
}

/* Which counter a lookup adds to, by what look_up said. */
static inline enum thread_counter
outcome_of (const struct found *found, status result)
{
  if (result != STATUS_OK)
    return THREAD_GETS_MISSING; /* errors are told apart by count_lookup */
  if (found->lookup.record.kind == RECORD_DELETE)
    return THREAD_GETS_DELETED;
  return found->table != NULL ? THREAD_GETS_MEMTABLE : THREAD_GETS_RUN;
}

static __attribute__ ((noinline)) void
count_failure (struct engine *engine, status result, const struct failure *failure)
{
  count_in_thread (engine->metrics, THREAD_GETS_FAILED, 1);
  if (result == STATUS_CORRUPT)
    engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_CORRUPT, .failure = failure });
}

/* `line` is the calling thread's. */
static inline void
count_lookup (struct engine *engine, uint32_t line, enum thread_counter outcome,
              const struct found *found, status result, const struct failure *failure)
{
  if (__builtin_expect (result > STATUS_NOT_FOUND, 0))
    count_failure (engine, result, failure);
  else if (outcome == THREAD_GETS_RUN && !found->referenced)
    count_both_in_line (engine->metrics, line, THREAD_GETS_RUN, THREAD_PAGE_HITS);
  else
    count_in_line (engine->metrics, line, outcome, 1);
}

/* What is no plain value: a delete, or a blob, which is read outside the section. */
static __attribute__ ((noinline)) status
copy_other (struct engine *engine, const struct found *found, void *buffer, size_t capacity,
            size_t *size, struct failure *failure)
{
  uint8_t reference[BLOB_REFERENCE_SIZE];
  if (found->lookup.record.kind == RECORD_DELETE)
    return found_deleted (engine, found);
  status result = copy_reference (engine, found, reference, failure);
  if (result != STATUS_OK)
    return result;
  epoch_leave ();
  result = blob_copy (engine, found->view, BYTES (reference, sizeof reference), buffer, capacity,
                      size, failure);
  epoch_enter ();
  return result;
}

/* Finds the hot records, if this thread looks at them now. */
static inline struct hot_trial *
begin_hot (struct engine *engine, uint32_t line, struct hot_use *hot)
{
  struct hot_trial *trial = &engine->threads[line].hot;
  if (line == METRICS_LINES - 1 || !hot_trial_looks (trial))
    return NULL;
  hot->records = hot_records_provide (&engine->hot_records, &engine->ledger);
  if (hot->records == NULL)
    hot_trial_end (trial);
  return trial;
}

/* The section may have been left to read a page since the hot records were looked at, and their
 * table dropped: the one that is there now is asked for. */
static void
keep_hot (struct engine *engine, const struct found *found, struct bytes key, uint64_t hash)
{
  struct hot_records *records = atomic_load_explicit (&engine->hot_records, memory_order_acquire);
  const struct record *record = &found->lookup.record;
  if (records != NULL)
    hot_records_keep (records, found->view->runs_id, key, hash, record->sequence, record->value);
}

/* L4. True when `held` is held and it is to be tried again with it. */
static __attribute__ ((noinline)) bool
hold_to_retry (struct engine *engine, struct engine_snapshot *held, struct failure *failure)
{
  held->engine = engine;
  if (snapshot_hold (held, NULL) != STATUS_OK)
    return false;
  if (failure != NULL)
    *failure = FAILURE_INIT;
  return true;
}

static inline bool
may_be_stale (const struct engine_snapshot *snapshot, status result)
{
  return __builtin_expect (result == STATUS_CORRUPT, 0) && snapshot == NULL;
}

static status get_copy_timed (struct engine *engine, struct engine_snapshot *snapshot,
                              engine_store store, struct bytes key, void *buffer, size_t capacity,
                              size_t *size, struct failure *failure);

/* `steps` NULL, and it is this call's turn to be sampled: get_copy_timed does it instead. */
static inline __attribute__ ((always_inline)) status
get_copy (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
          struct bytes key, void *buffer, size_t capacity, size_t *size, struct steps *steps,
          struct failure *failure)
{
  struct internal_key internal;
  status result = prepare_key (engine, store, key, &internal, failure);
  if (result != STATUS_OK)
    return result;

  struct found found;
  struct hot_use hot = { .buffer = buffer, .capacity = capacity, .size = size };
  epoch_enter ();
  uint32_t line = metrics_line_number ();
  if (steps == NULL && __builtin_expect (call_is_due (engine), 0))
    {
      epoch_leave ();
      internal_key_clear (&internal);
      return get_copy_timed (engine, snapshot, store, key, buffer, capacity, size, failure);
    }
  struct hot_trial *trial = begin_hot (engine, line, &hot);
  result = steps == NULL ? look_up (engine, snapshot, internal.bytes, false, &hot, &found, failure)
                         : look_up_timed (engine, snapshot, internal.bytes, false, &hot, &found,
                                          steps, failure);
  if (hot.hit) /* there is nothing else to see to */
    {
      trial->hits++;
      step_done (steps, STEP_COPY);
      epoch_leave ();
      internal_key_clear (&internal);
      count_in_line (engine->metrics, line, THREAD_GETS_HOT, 1);
      call_end (engine, steps, ENGINE_CALL_GET, store, key, *size);
      return STATUS_OK;
    }
  enum thread_counter outcome = outcome_of (&found, result);
  if (result == STATUS_OK && found.lookup.record.kind == RECORD_PUT)
    {
      struct bytes value = found.lookup.record.value;
      copy_out (value, buffer, capacity, size);
      if (hot.keep && found.segment != NULL)
        keep_hot (engine, &found, internal.bytes, hot.hash);
    }
  else if (result == STATUS_OK)
    result = copy_other (engine, &found, buffer, capacity, size, failure);
  step_done (steps, STEP_COPY);
  epoch_leave ();
  found_clear (&found);
  internal_key_clear (&internal);
  struct engine_snapshot held;
  if (may_be_stale (snapshot, result) && hold_to_retry (engine, &held, failure))
    {
      result = engine_get (engine, &held, store, key, buffer, capacity, size, failure);
      snapshot_let_go (&held);
      return result;
    }
  count_lookup (engine, line, outcome, &found, result, failure);
  call_end (engine, steps, ENGINE_CALL_GET, store, key, result == STATUS_OK ? *size : 0);
  return result;
}

static __attribute__ ((noinline)) status
get_copy_timed (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                struct bytes key, void *buffer, size_t capacity, size_t *size,
                struct failure *failure)
{
  struct steps steps;
  return get_copy (engine, snapshot, store, key, buffer, capacity, size, steps_begin (&steps),
                   failure);
}

status
engine_get (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
            struct bytes key, void *buffer, size_t capacity, size_t *size, struct failure *failure)
{
  return get_copy (engine, snapshot, store, key, buffer, capacity, size, NULL, failure);
}

static status get_value_timed (struct engine *engine, const struct engine_snapshot *snapshot,
                               engine_store store, struct bytes key, bool cached_only,
                               struct engine_value *out, struct failure *failure);

/* The same. */
static inline __attribute__ ((always_inline)) status
get_value (struct engine *engine, const struct engine_snapshot *snapshot, engine_store store,
           struct bytes key, bool cached_only, struct engine_value *out, struct steps *steps,
           struct failure *failure)
{
  *out = (struct engine_value){ .holder_kind = HOLDER_NONE };
  struct internal_key internal;
  status result = prepare_key (engine, store, key, &internal, failure);
  if (result != STATUS_OK)
    return result;

  struct found found;
  epoch_enter ();
  uint32_t line = metrics_line_number ();
  if (steps == NULL && __builtin_expect (call_is_due (engine), 0))
    {
      epoch_leave ();
      internal_key_clear (&internal);
      return get_value_timed (engine, snapshot, store, key, cached_only, out, failure);
    }
  result = steps == NULL
               ? look_up (engine, snapshot, internal.bytes, cached_only, NULL, &found, failure)
               : look_up_timed (engine, snapshot, internal.bytes, cached_only, NULL, &found, steps,
                                failure);
  enum thread_counter outcome = outcome_of (&found, result);
  if (result == STATUS_OK && found.lookup.record.kind == RECORD_BLOB && cached_only)
    result = STATUS_BUSY;
  else if (result == STATUS_OK)
    result = lend (engine, &found, out, failure);
  step_done (steps, STEP_COPY);
  epoch_leave ();
  found_clear (&found);
  internal_key_clear (&internal);
  if (result == STATUS_BUSY)
    return result;
  struct engine_snapshot held;
  if (may_be_stale (snapshot, result) && hold_to_retry (engine, &held, failure))
    {
      result = engine_get_value (engine, &held, store, key, out, failure);
      snapshot_let_go (&held);
      return result;
    }
  count_lookup (engine, line, outcome, &found, result, failure);
  call_end (engine, steps, ENGINE_CALL_GET, store, key, out->data.size);
  return result;
}

static __attribute__ ((noinline)) status
get_value_taking (struct engine *engine, const struct engine_snapshot *snapshot, engine_store store,
                  struct bytes key, bool cached_only, struct engine_value *out, struct steps *steps,
                  struct failure *failure)
{
  return get_value (engine, snapshot, store, key, cached_only, out, steps, failure);
}

static status
get_value_timed (struct engine *engine, const struct engine_snapshot *snapshot, engine_store store,
                 struct bytes key, bool cached_only, struct engine_value *out,
                 struct failure *failure)
{
  struct steps steps;
  return get_value_taking (engine, snapshot, store, key, cached_only, out, steps_begin (&steps),
                           failure);
}

status
engine_trace_get (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                  struct bytes key, struct engine_value *out, struct engine_trace *trace,
                  struct failure *failure)
{
  struct steps steps;
  *trace = (struct engine_trace){ .duration = 0 };
  steps_begin (&steps)->on_request = true;
  status result = get_value_taking (engine, snapshot, store, key, false, out, &steps, failure);
  trace->duration = steps.last - steps.started;
  memcpy (trace->taken, steps.taken, sizeof trace->taken);
  memcpy (trace->times, steps.times, sizeof trace->times);
  if (steps.waited != 0)
    memcpy (trace->waited, timing.by, sizeof trace->waited);
  return result;
}

status
engine_get_value (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                  struct bytes key, struct engine_value *out, struct failure *failure)
{
  return get_value (engine, snapshot, store, key, false, out, NULL, failure);
}

status
engine_get_value_cached (struct engine *engine, struct engine_snapshot *snapshot,
                         engine_store store, struct bytes key, struct engine_value *out,
                         struct failure *failure)
{
  return get_value (engine, snapshot, store, key, true, out, NULL, failure);
}

status
engine_contains (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                 struct bytes key, bool cached_only, struct failure *failure)
{
  struct internal_key internal;
  status result = prepare_key (engine, store, key, &internal, failure);
  if (result != STATUS_OK)
    return result;
  struct found found;
  struct steps taken, *steps = call_begin (engine, &taken);
  epoch_enter ();
  uint32_t line = metrics_line_number ();
  result = steps == NULL
               ? look_up (engine, snapshot, internal.bytes, cached_only, NULL, &found, failure)
               : look_up_timed (engine, snapshot, internal.bytes, cached_only, NULL, &found, steps,
                                failure);
  enum thread_counter outcome = outcome_of (&found, result);
  if (result == STATUS_OK && found.lookup.record.kind == RECORD_DELETE)
    result = found_deleted (engine, &found);
  epoch_leave ();
  found_clear (&found);
  internal_key_clear (&internal);
  if (result == STATUS_BUSY)
    return result;
  count_in_line (engine->metrics, line, THREAD_CONTAINS, 1);
  count_lookup (engine, line, outcome, &found, result, failure);
  call_end (engine, steps, ENGINE_CALL_CONTAINS, store, key, 0);
  return result;
}

/* ---- many keys ---- */

/* The arrays of one multi-get, laid out in one allocation. */
struct many
{
  size_t count;
  struct bytes *keys; /* internal */
  uint64_t *hashes;
  struct segment **segments;      /* of one run: where each may be, or NULL */
  struct segment_lookup *lookups; /* of one run */
  status *states;                 /* of one run; CANCELLED: not looked for there */
  uint8_t *bytes;                 /* the internal keys */
  size_t in_tables;               /* keys that were found in memtables; */
  size_t deleted;                 /* that had been deleted */
};

static status
many_new (struct many **out, const struct bytes *keys, size_t count, engine_store store,
          struct failure *failure)
{
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    {
      status result = check_key (keys[i], failure);
      if (result != STATUS_OK)
        return result;
      bytes += keys[i].size + STORE_ID_SIZE;
    }
  size_t each = sizeof (struct bytes) + sizeof (uint64_t) + sizeof (struct segment *)
                + sizeof (struct segment_lookup) + sizeof (status);
  size_t size;
  if (__builtin_mul_overflow (each, count, &size)
      || __builtin_add_overflow (size, sizeof (struct many) + bytes + 64, &size))
    return fail_memory (failure, SIZE_MAX, "a multi-get");
  struct many *many = malloc (size);
  if (many == NULL)
    return fail_memory (failure, size, "a multi-get");
  many->count = count;
  many->lookups = (struct segment_lookup *) (many + 1);
  many->keys = (struct bytes *) (many->lookups + count);
  many->hashes = (uint64_t *) (many->keys + count);
  many->segments = (struct segment **) (many->hashes + count);
  many->states = (status *) (many->segments + count);
  many->bytes = (uint8_t *) (many->states + count);
  uint8_t *at = many->bytes;
  for (size_t i = 0; i < count; i++)
    {
      many->keys[i] = internal_key_store (at, store, keys[i]);
      many->hashes[i] = key_hash (many->keys[i]);
      at += many->keys[i].size;
    }
  *out = many;
  return STATUS_OK;
}

/* What a run has of one key, in many->lookups[i], becomes its value. */
static status
many_take (struct engine *engine, struct many *many, struct view *view, size_t i, uint64_t cover,
           struct engine_value *value, struct failure *failure)
{
  struct segment_lookup *lookup = &many->lookups[i];
  bool hidden = lookup->record.sequence < cover || lookup->record.kind == RECORD_DELETE;
  status result = STATUS_OK;
  many->deleted += hidden;
  if (hidden)
    result = STATUS_NOT_FOUND;
  else if (lookup->record.kind == RECORD_BLOB)
    result = blob_value (engine, view, lookup->record.value, value, failure);
  else
    {
      value->data = lookup->record.value;
      value->holder
          = lookup->page != NULL ? (void *) lookup->page : segment_ref (many->segments[i]);
      value->holder_kind = lookup->page != NULL ? HOLDER_PAGE : HOLDER_SEGMENT;
      value->owner = lookup->page != NULL ? NULL : engine_ref (engine);
    }
  value->sequence = lookup->record.sequence;
  if ((hidden || lookup->record.kind == RECORD_BLOB) && lookup->page != NULL)
    cache_unpin (lookup->page);
  return result;
}

/* Looks the still open keys (results BUSY) up in a run, all at once. */
static void
many_in_run (struct engine *engine, struct many *many, struct view *view, const struct run *run,
             uint64_t sequence, struct engine_value *values, status *results,
             struct failure *failure)
{
  for (size_t i = 0; i < many->count; i++)
    {
      many->segments[i] = results[i] == STATUS_BUSY ? run_find (run, many->keys[i]) : NULL;
      many->states[i] = many->segments[i] != NULL ? STATUS_BUSY : STATUS_CANCELLED;
    }
  epoch_enter ();
  segment_get_many (many->segments, many->keys, many->hashes, many->count, sequence, many->lookups,
                    many->states, failure);
  epoch_leave (); /* what was found is pinned, or in a mapping of the view's segment */
  for (size_t i = 0; i < many->count; i++)
    {
      if (many->segments[i] == NULL)
        continue;
      const struct range_set *ranges = segment_range_deletes (many->segments[i]);
      uint64_t cover = ranges != NULL ? range_set_cover (ranges, many->keys[i], sequence) : 0;
      if (many->states[i] == STATUS_OK)
        results[i] = many_take (engine, many, view, i, cover, &values[i], failure);
      else if (many->states[i] != STATUS_NOT_FOUND)
        results[i] = many->states[i];
      else if (cover > 0)
        {
          results[i] = STATUS_NOT_FOUND;
          many->deleted++;
        }
    }
}

/* All keys at one sequence. Whether any looks corrupt. */
static bool
many_look_up (struct engine *engine, struct many *many, struct view *view, uint64_t sequence,
              struct engine_value *values, status *results, struct failure *failure)
{
  many->in_tables = many->deleted = 0;
  epoch_enter ();
  for (size_t i = 0; i < many->count; i++)
    {
      struct found found;
      found_begin (&found, view);
      values[i] = (struct engine_value){ .holder_kind = HOLDER_NONE };
      results[i] = find_in_tables (view, many->keys[i], many->hashes[i], sequence, &found);
      if (results[i] == STATUS_OK)
        {
          results[i] = lend (engine, &found, &values[i], failure);
          many->in_tables += results[i] == STATUS_OK;
          many->deleted += results[i] == STATUS_NOT_FOUND;
        }
      else
        results[i] = STATUS_BUSY;
    }
  epoch_leave ();
  for (size_t r = 0; r < view->run_count; r++)
    many_in_run (engine, many, view, view->runs[r], sequence, values, results, failure);
  bool corrupt = false;
  for (size_t i = 0; i < many->count; i++)
    {
      if (results[i] == STATUS_BUSY)
        results[i] = STATUS_NOT_FOUND;
      corrupt |= results[i] == STATUS_CORRUPT;
    }
  return corrupt;
}

/* What the snapshot, which may be NULL, is read in; referenced. NULL: the engine is closed. */
static struct view *
view_for (struct engine *engine, const struct engine_snapshot *snapshot)
{
  assert (snapshot_is_of (snapshot, engine));
  if (snapshot == NULL || snapshot->view == NULL)
    return engine_view (engine);
  return view_try_ref (snapshot->view) ? snapshot->view : NULL; /* it is held: always */
}

/* L4, for all keys: they are to stand at one sequence. */
static void
many_retry (struct engine *engine, struct many *many, struct engine_value *values, status *results,
            struct failure *failure)
{
  struct engine_snapshot held;
  if (!hold_to_retry (engine, &held, failure))
    return;
  for (size_t i = 0; i < many->count; i++)
    engine_value_release (&values[i]);
  struct view *view = view_for (engine, &held);
  if (view != NULL)
    many_look_up (engine, many, view, held.sequence, values, results, failure);
  for (size_t i = 0; view == NULL && i < many->count; i++)
    results[i] = engine_enter_slow (engine, failure);
  view_unref (view);
  snapshot_let_go (&held);
}

static void
count_many (struct engine *engine, const struct many *many, const status *results,
            const struct failure *failure)
{
  struct metrics *metrics = engine->metrics;
  uint32_t line = metrics_line_number ();
  size_t found = 0, failed = 0;
  for (size_t i = 0; i < many->count; i++)
    {
      found += results[i] == STATUS_OK;
      if (results[i] > STATUS_NOT_FOUND)
        {
          count_failure (engine, results[i], failure);
          failed++;
        }
    }
  count_in_line (metrics, line, THREAD_MULTI_GETS, 1);
  count_in_line (metrics, line, THREAD_MULTI_GET_KEYS, many->count);
  count_in_line (metrics, line, THREAD_GETS_MEMTABLE, many->in_tables);
  count_in_line (metrics, line, THREAD_GETS_RUN, found - many->in_tables);
  count_in_line (metrics, line, THREAD_GETS_DELETED, many->deleted);
  count_in_line (metrics, line, THREAD_GETS_MISSING, many->count - found - failed - many->deleted);
}

status
engine_get_many (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                 const struct bytes *keys, size_t count, struct engine_value *values,
                 status *results, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK || count == 0)
    return result;
  struct steps taken, *steps = call_begin (engine, &taken);
  struct many *many = NULL;
  result = many_new (&many, keys, count, store, failure);
  if (result != STATUS_OK)
    return result;
  struct view *view = view_for (engine, snapshot);
  if (view == NULL)
    {
      free (many);
      return engine_enter_slow (engine, failure);
    }
  uint64_t sequence
      = snapshot != NULL ? snapshot->sequence : engine_visible_in (engine, view); /* L1 */
  bool corrupt = many_look_up (engine, many, view, sequence, values, results, failure);
  view_unref (view);
  if (corrupt && snapshot == NULL)
    many_retry (engine, many, values, results, failure);

  count_many (engine, many, results, failure);
  free (many);
  call_end (engine, steps, ENGINE_CALL_MULTI_GET, store, keys[0], count);
  if (__builtin_expect (steps != NULL, 0))
    hot_keys_note_many (engine, store, keys, count);
  return STATUS_OK;
}
