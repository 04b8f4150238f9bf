/* SPDX-License-Identifier: MIT */
/*
 *   thread          state ─► a new life? ─► new files? adopt ─► records? apply ─► publish ─► wait ─┐
 *      ▲                                                                                           │
 *      ├───────────────────────────── the word changed ────────────────────────────────────────────┤
 *      └── the writer is gone (the other thread, that waits for the life's lock): what is left ─────┘
 */
#include "core/follow.h"

#include "core/feed.h"
#include "core/memory.h"
#include "core/recovery.h"
#include "core/sharing.h"
#include "core/upkeep.h"
#include "log/wal-reader.h"

#include <stdlib.h>
#include <time.h>

#define GREETING_MOST                                                                              \
  UINT64_C (1000000)                  /* microseconds that an open waits for a writer to answer */
#define GREETING_STEP UINT64_C (2000) /* when nobody heard it: the writer is about to wait */
#define ADOPT_ATTEMPTS 9              /* the writer removes what its manifest named a moment ago */
#define VAIN_ATTEMPTS 20u             /* looks for records that are neither here nor there */
#define RETRY_MICROSECONDS                                                                         \
  UINT64_C (1000000)                      /* after a failure, or to a writer that does not hear */
#define WAKE_PAUSE_MOST UINT64_C (100000) /* between two wakes that nobody hears */
#define PUBLISH_EVERY 256u                /* records */

struct follow
{
  struct engine *engine;
  bool stand_still;          /* as asked for */
  struct shared_page *page;  /* NULL: it stands still */
  struct wal_follow *log;    /* what there is of the log */
  struct wal_reader *reader; /* gives the record behind `applied`; NULL: to be made */
  uint64_t applied;          /* newest commit in memtable or runs */
  uint64_t life;             /* of the writer; 0 = none was ever there */
  uint64_t finished;         /* the life whose writer is gone, and all of which was read */
  uint64_t files;            /* as the page had it before the view's manifest was read */
  uint64_t confirmed;        /* what the files lack of commits up to here never came */
  uint64_t unheard; /* microseconds until a writer that lives, and does not look after readers,
                       is called again; 0 = it does, or there is none */
  bool failing;     /* the last look failed, and it was told */
  uint8_t *scratch; /* COMMIT_SCRATCH_SIZE (KEY_SIZE_MAX) */

  pthread_t thread;      /* follows */
  pthread_t watcher;     /* waits for the writer's end */
  bool runs, watches;    /* the threads were started */
  _Atomic bool ended;    /* the first is at its end */
  pthread_mutex_t mutex; /* what is below */
  pthread_cond_t news;   /* it changed */
  bool stop;             /* the threads end */
  uint64_t watched;      /* the life to be waited for; 0 = none */
  uint64_t gone;         /* the life that was waited for to its end */
  uint64_t noticed;      /* and the first thread knows */
};

static void
nap (uint64_t microseconds)
{
  nanosleep (&(struct timespec){ 0, (long) microseconds * 1000 }, NULL);
}

static struct view *
present_view (struct follow *follow)
{
  return atomic_load (&follow->engine->view); /* nobody else replaces it */
}

/* ---- visible ---- */

static void
publish (struct follow *follow)
{
  struct engine *engine = follow->engine;
  struct wakes wakes;
  pthread_mutex_lock (&engine->commit_lock);
  engine->last_sequence = follow->applied;
  atomic_store_explicit (&engine->published, follow->applied, memory_order_release);
  feed_take_wakes (engine, &wakes);
  pthread_mutex_unlock (&engine->commit_lock);
  feed_call (engine, &wakes);
}

/* ---- files ---- */

/* Segments of the present view, to be found by number. */
struct known_segment
{
  uint64_t number;
  struct segment *segment; /* borrowed from the view */
};

static int
compare_known (const void *left, const void *right)
{
  uint64_t a = ((const struct known_segment *) left)->number;
  uint64_t b = ((const struct known_segment *) right)->number;
  return (a > b) - (a < b);
}

struct adoption
{
  struct engine *engine;
  const struct view *present;
  const struct manifest_state *state;
  struct known_segment *known; /* by rising number; malloc'd */
  size_t known_count;
  struct view *next; /* being filled */
};

static status
know_segments (struct adoption *adoption, struct failure *failure)
{
  const struct view *present = adoption->present;
  size_t count = 0;
  for (size_t i = 0; i < present->run_count; i++)
    count += present->runs[i]->count;
  adoption->known = malloc ((count + 1) * sizeof *adoption->known);
  if (adoption->known == NULL)
    return fail_memory (failure, count * sizeof *adoption->known, "a list of segments");
  for (size_t i = 0; i < present->run_count; i++)
    for (size_t s = 0; s < present->runs[i]->count; s++)
      {
        struct segment *segment = present->runs[i]->segments[s];
        adoption->known[adoption->known_count++]
            = (struct known_segment){ segment_information (segment)->number, segment };
      }
  qsort (adoption->known, adoption->known_count, sizeof *adoption->known, compare_known);
  return STATUS_OK;
}

/* The segment that is open already, or is opened now. */
static status
take_segment (struct adoption *adoption, const struct manifest_segment *entry, struct segment **out,
              struct failure *failure)
{
  struct known_segment key = { .number = entry->information.number };
  const struct known_segment *known
      = bsearch (&key, adoption->known, adoption->known_count, sizeof key, compare_known);
  if (known != NULL)
    {
      *out = segment_ref (known->segment);
      return STATUS_OK;
    }
  struct segment_reader_settings settings = engine_reader_settings (adoption->engine);
  return segment_open (&settings, &entry->information, out, failure);
}

static struct bytes
lower_bound (const struct manifest_segment *entry)
{
  return BYTES (entry->information.smallest, entry->information.smallest_size);
}

/* The run of the present view that is just this one. */
static struct run *
find_run (const struct adoption *adoption, size_t first, size_t count)
{
  const struct manifest_segment *entries = adoption->state->segments + first;
  for (size_t i = 0; i < adoption->present->run_count; i++)
    {
      struct run *run = adoption->present->runs[i];
      bool same
          = run->id == entries[0].run && run->order == entries[0].order && run->count == count;
      for (size_t s = 0; same && s < count; s++)
        same = segment_information (run->segments[s])->number == entries[s].information.number
               && bytes_equal (run_smallest (run, s), lower_bound (&entries[s]));
      if (same)
        return run;
    }
  return NULL;
}

/* Takes over the segments. The writer may have narrowed them since they were opened. */
static status
make_run (struct adoption *adoption, size_t first, struct segment **segments, size_t count,
          struct run **out, struct failure *failure)
{
  const struct manifest_segment *entries = adoption->state->segments + first;
  status result = run_new (entries[0].run, entries[0].order, entries[0].created, segments, count,
                           out, failure);
  if (result != STATUS_OK)
    return result;
  for (size_t s = 0; result == STATUS_OK && s < count; s++)
    if (!bytes_equal (run_smallest (*out, s), lower_bound (&entries[s])))
      result = run_narrow (*out, s, lower_bound (&entries[s]), failure);
  if (result != STATUS_OK)
    run_unref (*out);
  return result;
}

/* The run of the state's segments first … first + count - 1. */
static status
adopt_run (struct adoption *adoption, size_t first, size_t count, struct failure *failure)
{
  struct view *next = adoption->next;
  struct run *run = find_run (adoption, first, count);
  if (run != NULL)
    {
      next->runs[next->run_count++] = run_ref (run);
      return STATUS_OK;
    }
  struct segment **segments = calloc (count, sizeof *segments);
  if (segments == NULL)
    return fail_memory (failure, count * sizeof *segments, "a list of segments");
  status result = STATUS_OK;
  size_t taken = 0;
  while (result == STATUS_OK && taken < count)
    {
      result = take_segment (adoption, &adoption->state->segments[first + taken], &segments[taken],
                             failure);
      taken += result == STATUS_OK;
    }
  if (result == STATUS_OK)
    result = make_run (adoption, first, segments, count, &next->runs[next->run_count], failure);
  else
    for (size_t i = 0; i < taken; i++)
      segment_unref (segments[i]);
  next->run_count += result == STATUS_OK;
  free (segments);
  return result;
}

static status
adopt_blobs (struct adoption *adoption, struct failure *failure)
{
  struct engine *engine = adoption->engine;
  struct view *next = adoption->next;
  status result = STATUS_OK;
  for (size_t i = 0; result == STATUS_OK && i < adoption->state->blob_count; i++)
    {
      uint64_t number = adoption->state->blobs[i].number;
      struct blob_file *file = view_blob (adoption->present, number);
      if (file != NULL)
        next->blobs[next->blob_count] = blob_file_ref (file);
      else
        result = blob_file_open (engine->directory, engine->database_id, number,
                                 &next->blobs[next->blob_count], failure);
      if (result == STATUS_OK && file == NULL)
        engine_keep_blobs (engine, next->blobs[next->blob_count]);
      next->blob_count += result == STATUS_OK;
    }
  return result;
}

static bool
is_flushed (const struct generation *generation, uint64_t flushed)
{
  struct memtable_statistics statistics;
  memtable_statistics (generation->table, &statistics);
  return statistics.last_sequence <= flushed;
}

/* Memtables of which the runs have not all. */
static status
adopt_tables (struct adoption *adoption, struct failure *failure)
{
  struct engine *engine = adoption->engine;
  struct view *next = adoption->next;
  const struct view *present = adoption->present;
  uint64_t flushed = adoption->state->flushed_sequence;
  for (unsigned i = 0; i < present->frozen_count; i++)
    if (!is_flushed (present->frozen[i], flushed))
      next->frozen[next->frozen_count++] = generation_ref (present->frozen[i]);
  if (memtable_is_empty (present->active->table) || !is_flushed (present->active, flushed))
    {
      next->active = generation_ref (present->active);
      return STATUS_OK;
    }
  return generation_new (engine->pool, &next->active, failure);
}

static status
adopt_all (struct adoption *adoption, struct failure *failure)
{
  const struct manifest_state *state = adoption->state;
  status result = know_segments (adoption, failure);
  if (result == STATUS_OK)
    result = adopt_tables (adoption, failure);
  for (size_t first = 0, end; result == STATUS_OK && first < state->segment_count; first = end)
    {
      for (end = first + 1;
           end < state->segment_count && state->segments[end].run == state->segments[first].run;)
        end++;
      result = adopt_run (adoption, first, end - first, failure);
    }
  if (result == STATUS_OK)
    result = adopt_blobs (adoption, failure);
  free (adoption->known);
  return result;
}

/* Whether the manifest is of what was followed so far, and not older. */
static status
check_course (struct follow *follow, const struct manifest_state *state, struct failure *failure)
{
  struct engine *engine = follow->engine;
  if (memcmp (state->database_id, engine->database_id, 16) == 0
      && state->flushed_sequence >= present_view (follow)->flushed_sequence)
    return STATUS_OK;
  return fail (failure, STATUS_CORRUPT,
               "%s was replaced by another database, or by an older state of it, while it was open "
               "for reading; close it and open it again",
               engine->path);
}

static bool
has_same_runs (const struct view *one, const struct view *other)
{
  return one->run_count == other->run_count
         && memcmp (one->runs, other->runs, one->run_count * sizeof (struct run *)) == 0;
}

static void
install_view (struct follow *follow, struct view *next, uint64_t flushed)
{
  struct engine *engine = follow->engine;
  next->flushed_sequence = next->floor_sequence = flushed; /* O3 */
  pthread_mutex_lock (&engine->commit_lock);
  if (engine->active != next->active)
    {
      generation_unref (engine->active);
      engine->active = generation_ref (next->active);
    }
  pthread_mutex_lock (&engine->view_lock);
  if (has_same_runs (next, present_view (follow)))
    next->runs_id = present_view (follow)->runs_id;
  engine_view_replace (engine, next);
  pthread_mutex_unlock (&engine->view_lock);
  memory_look (engine, memtable_memory (engine->active->table));
  memory_take_due (engine); /* it is told below */
  pthread_mutex_unlock (&engine->commit_lock);
  if (flushed > follow->applied)
    {
      follow->applied = flushed;
      wal_reader_free (follow->reader); /* it would give what is in runs by now */
      follow->reader = NULL;
    }
  publish (follow);
  feed_wake (engine); /* who holds a snapshot for long may take another */
  engine_collect ();  /* files that were replaced are closed */
  engine_rebalance (engine);
}

static status
adopt_once (struct follow *follow, struct failure *failure)
{
  struct engine *engine = follow->engine;
  struct manifest_state state = { 0 };
  struct adoption adoption
      = { .engine = engine, .present = present_view (follow), .state = &state };
  status result = manifest_load (engine->directory, &state, failure);
  if (result != STATUS_OK)
    return result;
  result = check_course (follow, &state, failure);
  if (result == STATUS_OK)
    result = view_reserve (state.segment_count, state.blob_count, &adoption.next, failure);
  if (result == STATUS_OK)
    {
      result = adopt_all (&adoption, failure);
      if (result == STATUS_OK)
        install_view (follow, adoption.next, state.flushed_sequence);
      else
        view_unref (adoption.next);
    }
  manifest_state_clear (&state);
  return result;
}

/* O4. */
static status
adopt_files (struct follow *follow, struct failure *failure)
{
  struct failure cause;
  status result;
  int attempt = 0;
  do
    {
      if (attempt > 0)
        nap (2000);
      cause = FAILURE_INIT;
      result = adopt_once (follow, &cause);
    }
  while ((result == STATUS_NOT_FOUND || result == STATUS_CORRUPT || result == STATUS_IO)
         && ++attempt < ADOPT_ATTEMPTS);
  if (result == STATUS_OK)
    return result;
  if (cause.message[0] == '\0')
    return fail (failure, result, "%s is no longer where it was opened", follow->engine->path);
  return fail (failure, result, "%s", cause.message);
}

/* ---- records ---- */

/* O4: what a record refers to is held open by its memtable, when no view does. */
static status
hold_blob (void *data, struct bytes reference, struct record_needs *needs, struct failure *failure)
{
  struct follow *follow = data;
  struct engine *engine = follow->engine;
  struct blob_reference place;
  struct blob_file *file;
  if (!blob_reference_load (reference, &place))
    return fail (failure, STATUS_CORRUPT, "%s: a blob reference in the log is malformed",
                 engine->path);
  if (view_blob (present_view (follow), place.file) != NULL)
    return STATUS_OK;
  status result = blob_file_open (engine->directory, engine->database_id, place.file, &file, NULL);
  needs->blob_missing |= result == STATUS_CORRUPT || result == STATUS_NOT_FOUND;
  if (needs->blob_missing)
    return STATUS_OK;
  if (result != STATUS_OK)
    return fail (failure, result, "%s: blob file %llu cannot be opened", engine->path,
                 (unsigned long long) place.file);
  result = generation_lend_blob (engine->active, file, failure);
  blob_file_unref (file);
  return result;
}

/* A new memtable when this one is full and there is a place for it; else it grows: there is nowhere
 * to write it to, and the writer's own will bring it to segments soon. */
static void
turn_table (struct engine *engine)
{
  size_t memory = memtable_memory (engine->active->table);
  bool full = memory >= engine->memtable_size;
  if (memory < engine->memtable_look && !full)
    return;
  pthread_mutex_lock (&engine->commit_lock);
  if ((!full || commit_switch (engine, false, NULL) != STATUS_OK)
      && engine->memtable_look != SIZE_MAX)
    memory_look (engine, memory);
  bool due = memory_take_due (engine);
  pthread_mutex_unlock (&engine->commit_lock);
  if (due)
    engine_rebalance (engine);
}

static status
apply_record (struct follow *follow, uint64_t sequence, struct bytes payload,
              struct failure *failure)
{
  struct engine *engine = follow->engine;
  struct record_needs needs;
  status result = record_measure (payload, hold_blob, follow, &needs, failure);
  if (result == STATUS_OK
      && (needs.blob_missing
          || (needs.loaded && sequence > present_view (follow)->flushed_sequence
              && sequence > follow->confirmed)))
    return STATUS_NOT_FOUND; /* what it says is in newer files; a load that failed is not */
  if (result == STATUS_OK)
    {
      turn_table (engine);
      result = memtable_reserve (engine->active->table, needs.records, needs.record_bytes,
                                 needs.ranges, needs.range_bytes, failure);
    }
  if (result != STATUS_OK)
    return result;
  commit_apply (engine->active->table, payload, sequence, follow->scratch);
  follow->applied = sequence;
  if (sequence % PUBLISH_EVERY == 0)
    publish (follow);
  return STATUS_OK;
}

/* Until `limit`, or something is not there. */
static status
apply_records (struct follow *follow, uint64_t limit, struct failure *failure)
{
  struct bytes payload;
  uint64_t sequence;
  status result = STATUS_OK;
  if (follow->reader == NULL)
    result = wal_reader_new_following (follow->log, follow->applied, &follow->reader, failure);
  while (result == STATUS_OK && follow->applied < limit)
    {
      result = wal_reader_take (follow->reader, limit, &sequence, &payload);
      if (result == STATUS_BUSY)
        result = wal_reader_next (follow->reader, limit, &sequence, &payload, failure);
      if (result == STATUS_OK)
        result = apply_record (follow, sequence, payload, failure);
    }
  if (result != STATUS_OK)
    {
      wal_reader_free (follow->reader); /* it may have given what was not applied */
      follow->reader = NULL;
    }
  return result;
}

/* O4: what the log no longer has is in the files. */
static status
apply_up_to (struct follow *follow, uint64_t limit, struct failure *failure)
{
  unsigned vain = 0;
  status result = STATUS_OK;
  while (result == STATUS_OK && follow->applied < limit)
    {
      struct failure cause = FAILURE_INIT;
      uint64_t before = follow->applied;
      status applied = apply_records (follow, limit, &cause);
      if (applied == STATUS_OK)
        break;
      if (applied == STATUS_NO_MEMORY)
        return fail (failure, applied, "%s", cause.message);
      result = adopt_files (follow, failure);
      if (result == STATUS_OK)
        follow->confirmed = limit; /* all of it was visible before the manifest was read */
      if (result != STATUS_OK || follow->applied > before)
        continue;
      if (++vain == VAIN_ATTEMPTS)
        result
            = fail (failure, applied, "%s: commit %llu is announced and not to be found (%.200s)",
                    follow->engine->path, (unsigned long long) before + 1, cause.message);
      else
        nap (1000);
    }
  publish (follow);
  return result;
}

/* ---- the writer's end ---- */

static bool
lives (struct follow *follow, const struct shared_state *state)
{
  return state->life != 0 && shared_page_is_locked (follow->page, shared_alive (state->life), true);
}

/* All that a writer left, whether it closed or was killed: as who opens now would find it. */
static status
apply_rest (struct follow *follow, struct failure *failure)
{
  struct engine *engine = follow->engine;
  status result = adopt_files (follow, failure);
  if (result == STATUS_OK)
    result = recover_into_memory (engine, failure);
  follow->applied = engine->last_sequence;
  wal_reader_free (follow->reader);
  follow->reader = NULL;
  publish (follow);
  return result;
}

/* Waits for the end of the life in hand, again and again. The wait can't be told to end, so it is
 * cancelled; nothing is held meanwhile, nor anything on the stack (AddressSanitizer would find it
 * there later). */
static void *
watch_main (void *data)
{
  struct follow *follow = data;
  pthread_setname_np (pthread_self (), "ldb-watch");
  pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
  pthread_mutex_lock (&follow->mutex);
  while (!follow->stop)
    {
      uint64_t life = follow->watched;
      if (life == 0 || life == follow->gone)
        {
          pthread_cond_wait (&follow->news, &follow->mutex);
          continue;
        }
      pthread_mutex_unlock (&follow->mutex);
      pthread_setcancelstate (PTHREAD_CANCEL_ENABLE, NULL);
      bool ended = shared_page_await_unlocked (follow->page, shared_alive (life));
      pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
      pthread_mutex_lock (&follow->mutex);
      if (!ended) /* the system has no locks left: its end is seen when the next writer begins */
        {
          while (!follow->stop && follow->watched == life)
            pthread_cond_wait (&follow->news, &follow->mutex);
          continue;
        }
      follow->gone = life;
      /* A wake may come too early to be heard, or the page be cut. */
      for (uint64_t pause = 500; !follow->stop && follow->noticed != life;)
        {
          pthread_mutex_unlock (&follow->mutex);
          shared_page_wake (follow->page, SHARED_CHANGE);
          nap (pause);
          pause = pause < WAKE_PAUSE_MOST / 2 ? 2 * pause : WAKE_PAUSE_MOST;
          pthread_mutex_lock (&follow->mutex);
        }
    }
  pthread_mutex_unlock (&follow->mutex);
  return NULL;
}

static void
watch_life (struct follow *follow, uint64_t life)
{
  pthread_mutex_lock (&follow->mutex);
  follow->watched = life;
  pthread_cond_broadcast (&follow->news);
  pthread_mutex_unlock (&follow->mutex);
}

static bool
notice_end (struct follow *follow)
{
  pthread_mutex_lock (&follow->mutex);
  follow->noticed = follow->gone;
  bool gone = follow->gone == follow->life;
  pthread_mutex_unlock (&follow->mutex);
  return gone;
}

/* ---- looking ---- */

/* The state, if it is of this database. */
static bool
read_state (struct follow *follow, struct shared_state *out)
{
  return shared_state_read (follow->page, out)
         && memcmp (out->database_id, follow->engine->database_id, 16) == 0;
}

static status
look_at_writer (struct follow *follow, const struct shared_state *state, struct failure *failure)
{
  status result = STATUS_OK;
  if (state->files != follow->files)
    {
      result = adopt_files (follow, failure);
      if (result == STATUS_OK)
        follow->files = state->files;
    }
  return result == STATUS_OK ? apply_up_to (follow, state->published, failure) : result;
}

static status
look (struct follow *follow, struct failure *failure)
{
  struct shared_state state;
  bool gone = notice_end (follow); /* before the state is read */
  if (!read_state (follow, &state))
    return STATUS_OK; /* O5: what it says later may be right */
  if (gone || state.live || !lives (follow, &state))
    follow->unheard = 0;
  else if (follow->unheard == 0)
    follow->unheard = GREETING_STEP;
  if (state.life != follow->life)
    {
      follow->life = state.life;
      follow->files = state.files - 1; /* whatever there was, the files are others */
      watch_life (follow, state.life);
      gone = false;
    }
  if (!gone)
    return look_at_writer (follow, &state, failure);
  if (follow->finished == follow->life)
    return STATUS_OK;
  struct failure cause = FAILURE_INIT;
  status result = apply_rest (follow, &cause);
  if (result == STATUS_OK)
    follow->finished = follow->life;
  else if (read_state (follow, &state) && state.life != follow->life)
    return STATUS_OK; /* the next writer is at it, and has told so */
  else
    fail (failure, result, "%s", cause.message);
  return result;
}

static bool
is_stopped (struct follow *follow)
{
  pthread_mutex_lock (&follow->mutex);
  bool stop = follow->stop;
  pthread_mutex_unlock (&follow->mutex);
  return stop;
}

static void
rest (struct follow *follow, uint64_t microseconds)
{
  uint64_t due = engine_now () + microseconds;
  struct timespec at = { (time_t) (due / 1000000), (long) (due % 1000000) * 1000 };
  pthread_mutex_lock (&follow->mutex);
  while (!follow->stop && engine_now () < due)
    pthread_cond_timedwait (&follow->news, &follow->mutex, &at);
  pthread_mutex_unlock (&follow->mutex);
}

static void
tell_failure (struct follow *follow, status result, const struct failure *cause)
{
  if (result != STATUS_OK && !follow->failing)
    events_note_following (follow->engine, cause);
  else if (result == STATUS_OK && follow->failing)
    events_note_following (follow->engine, NULL);
  follow->failing = result != STATUS_OK;
}

/* How long to wait for the word to change; 0 = for as long as it takes. A writer that was stopped
 * just when it went to sleep has missed our greeting. */
static uint64_t
patience (struct follow *follow)
{
  uint64_t step = follow->unheard;
  if (follow->failing)
    return RETRY_MICROSECONDS;
  if (step == 0)
    return 0;
  follow->unheard = step < RETRY_MICROSECONDS / 2 ? 2 * step : RETRY_MICROSECONDS;
  shared_page_wake (follow->page, SHARED_HELLO);
  return step;
}

static void *
follow_main (void *data)
{
  struct follow *follow = data;
  pthread_setname_np (pthread_self (), "ldb-follow");
  pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
  while (!is_stopped (follow))
    {
      struct failure cause = FAILURE_INIT;
      uint32_t word = shared_word_read (follow->page, SHARED_CHANGE);
      tell_failure (follow, look (follow, &cause), &cause);
      if (!is_stopped (follow)
          && shared_page_wait_endable (follow->page, SHARED_CHANGE, word, patience (follow))
                 == SHARED_PAGE_LOST)
        rest (follow, RETRY_MICROSECONDS); /* somebody cut the file; the writer makes it whole */
    }
  atomic_store (&follow->ended, true);
  return NULL;
}

/* ---- beginning ---- */

/* Until a writer that lives has told what is visible now, or for as long as it may take. */
static void
greet (struct follow *follow)
{
  uint64_t until = engine_now () + GREETING_MOST, now;
  struct shared_state state;
  bool woke = false; /* then it has told because of us */
  while ((now = engine_now ()) < until && !is_stopped (follow))
    {
      uint32_t word = shared_word_read (follow->page, SHARED_CHANGE);
      if (!shared_state_read (follow->page, &state) || !lives (follow, &state))
        return;
      if (state.live && woke)
        return;
      uint64_t patience = until - now;
      woke = true;
      if (state.live) /* it tells at the end of a frame, if there is anything to tell */
        patience = SHARED_FRAME * 5 / 4;
      else if (!shared_page_wake (follow->page, SHARED_HELLO))
        patience = GREETING_STEP;
      enum shared_page_event event = shared_page_wait (follow->page, SHARED_CHANGE, word, patience);
      if (state.live || event == SHARED_PAGE_LOST)
        return;
    }
}

/* NULL page: there is nothing to be followed. */
static status
open_page (struct follow *follow, struct failure *failure)
{
  struct engine *engine = follow->engine;
  struct failure cause = FAILURE_INIT;
  const char *name;
  if (vfs_reach (engine->directory, &name) != VFS_REACH_LOCAL && !engine->options.network_allowed)
    return fail (
        failure, STATUS_UNSUPPORTED,
        "%s is on a file system (%s) where a process that reads may not see what another one "
        "writes; open it static, which shows it as it is now, set network-file-systems, or "
        "move it to a local disk",
        engine->path, name);
  status result
      = shared_page_open (engine->directory, SHARED_PAGE_NAME, false, &follow->page, &cause);
  if (result == STATUS_OK && shared_page_lock (follow->page, SHARED_PRESENCE, false))
    return STATUS_OK;
  shared_page_close (follow->page);
  follow->page = NULL;
  if (result == STATUS_NO_MEMORY)
    return fail (failure, result, "%s", cause.message);
  return STATUS_OK; /* not there, not ours to open, or without locks: as it is now */
}

status
follow_begin (struct engine *engine, bool stand_still, struct failure *failure)
{
  struct follow *follow = calloc (1, sizeof *follow);
  if (follow == NULL)
    return fail_memory (failure, sizeof *follow, "following a database");
  follow->engine = engine;
  follow->stand_still = stand_still;
  pthread_mutex_init (&follow->mutex, NULL);
  engine_init_condition (&follow->news);
  engine->follow = follow;
  follow->scratch = malloc (COMMIT_SCRATCH_SIZE (KEY_SIZE_MAX));
  if (follow->scratch == NULL)
    return fail_memory (failure, COMMIT_SCRATCH_SIZE (KEY_SIZE_MAX), "following a database");
  status result = stand_still ? STATUS_OK : open_page (follow, failure);
  if (result == STATUS_OK && follow->page != NULL)
    greet (follow);
  return result;
}

status
follow_load (struct engine *engine, struct failure *failure)
{
  struct follow *follow = engine->follow;
  struct shared_state state = { 0 };
  bool known = follow->page != NULL && read_state (follow, &state);
  wal_reader_free (follow->reader);
  wal_follow_free (follow->log);
  follow->reader = NULL;
  follow->log = NULL;
  follow->applied = engine->last_sequence; /* what the manifest says is in runs */
  present_view (follow)->floor_sequence = engine->last_sequence;
  status result = wal_follow_new (engine->directory, &engine->ledger, engine->database_id,
                                  &follow->log, failure);
  if (result != STATUS_OK)
    return result;
  follow->life = known ? state.life : 0;
  follow->finished = 0;
  follow->files = state.files - 1; /* read before: the view may be older */
  if (known && lives (follow, &state))
    return apply_up_to (follow, state.published, failure);
  follow->finished = follow->life;
  follow->gone = follow->life;
  result = recover_into_memory (engine, failure);
  follow->applied = engine->last_sequence;
  return result;
}

/* Whether a page has appeared since we looked for one. Who makes a database makes it last, so while
 * somebody writes it may come any moment. */
static bool
page_has_come (struct engine *engine)
{
  struct shared_page *page;
  uint64_t until = engine_now () + GREETING_MOST;
  do
    {
      status result = shared_page_open (engine->directory, SHARED_PAGE_NAME, false, &page, NULL);
      if (result == STATUS_OK)
        shared_page_close (page);
      if (result != STATUS_NOT_FOUND)
        return result == STATUS_OK;
    }
  while (upkeep_writer_lives (engine->directory) /* which pauses in between */
         && engine_now () < until);
  return false;
}

bool
follow_is_right (struct engine *engine)
{
  struct follow *follow = engine->follow;
  struct shared_state state;
  if (follow->page == NULL)
    return follow->stand_still || !page_has_come (engine);
  return !shared_state_read (follow->page, &state)
         || memcmp (state.database_id, engine->database_id, sizeof state.database_id) == 0;
}

status
follow_start (struct engine *engine, struct failure *failure)
{
  struct follow *follow = engine->follow;
  if (follow->page == NULL)
    return STATUS_OK;
  follow->watched = follow->life;
  atomic_store (&engine->follows, true);
  status result = engine_start_thread (&follow->watcher, watch_main, follow, failure);
  follow->watches = result == STATUS_OK;
  if (result == STATUS_OK)
    result = engine_start_thread (&follow->thread, follow_main, follow, failure);
  follow->runs = result == STATUS_OK;
  return result;
}

/* ---- end ---- */

void
follow_stop (struct engine *engine)
{
  struct follow *follow = engine->follow;
  if (follow == NULL)
    return;
  pthread_mutex_lock (&follow->mutex);
  follow->stop = true;
  pthread_cond_broadcast (&follow->news);
  pthread_mutex_unlock (&follow->mutex);
  if (follow->watches)
    {
      pthread_cancel (follow->watcher);
      pthread_join (follow->watcher, NULL);
    }
  if (follow->runs)
    shared_page_end_waiter (follow->page, SHARED_CHANGE, follow->thread, &follow->ended);
  follow->runs = follow->watches = false;
}

void
follow_free (struct engine *engine)
{
  struct follow *follow = engine->follow;
  if (follow == NULL)
    return;
  engine->follow = NULL;
  wal_reader_free (follow->reader);
  wal_follow_free (follow->log);
  shared_page_close (follow->page);
  pthread_mutex_destroy (&follow->mutex);
  pthread_cond_destroy (&follow->news);
  free (follow->scratch);
  free (follow);
}

/* ---- feeds ---- */

status
follow_reader_new (struct engine *engine, uint64_t after, struct wal_reader **out,
                   struct failure *failure)
{
  return wal_reader_new_following (engine->follow->log, after, out, failure);
}

uint64_t
follow_history_oldest (struct engine *engine)
{
  return wal_follow_oldest (engine->follow->log, engine_sequence (engine)) - 1;
}
