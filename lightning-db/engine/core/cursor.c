/* SPDX-License-Identifier: MIT */
/*
 * cursor: what one snapshot (and a transaction's own writes) looks like, in order.
 *
 *   overlay (own writes) ─┐
 *   memtables ────────────┼─► merge ─► newest visible version of each key ─► not deleted ─► bounds
 *   runs ─────────────────┘
 *
 * Forward, the merge stands on the record shown. Backward it has already passed it (the newest
 * version of a key comes last), so the record is shown from a copy; not so when there is but one
 * source and that knows the record to be the only one of its key. When the engine has published
 * a new view, the next move builds the sources anew and goes on behind the key it stood on, so that
 * a long-lived cursor pins no old memtables and files.
 *
 * Invariants
 *   C1  The snapshot is held before the first view is taken: every later view has all it can see.
 *   C2  Key and value stay valid until the next move.
 *   C3  Steps within a page are counted in `stepped`, and for all to see when the cursor leaves the
 *       page, is positioned anew or goes: counting each there would make a scan a tenth dearer.
 *       Those that callers make by themselves are counted when the source catches up with them.
 *   C4  A move that is ended early has looked at one key at least, all of it: whoever goes on from
 *       where it came to gets to the end.
 *   C5  `at.shown` is `place`, with nothing ahead, or one of the `ahead`, which end at `at.last`
 *       and stand in the source's present page behind the record it is on, in the direction of the
 *       scan. Whoever asks the source, or has it moved, has it catch up first.
 */
#include "core/call.h"
#include "core/cursor-private.h"
#include "core/overlay.h"

#include "base/coding.h"

#include <assert.h>
#include <stdlib.h>

static status
buffer_set (struct byte_buffer *buffer, struct bytes from, struct failure *failure)
{
  if (from.size > buffer->capacity)
    {
      size_t capacity = from.size < 64 ? 64 : 2 * from.size;
      uint8_t *data = realloc (buffer->data, capacity);
      if (data == NULL)
        return fail_memory (failure, capacity, "a cursor");
      buffer->data = data;
      buffer->capacity = capacity;
    }
  if (from.size > 0)
    memcpy (buffer->data, from.data, from.size);
  buffer->size = from.size;
  return STATUS_OK;
}

/* Before the source moves: keeps the key shown in a place of its own. */
static status
keep_key (struct engine_cursor *cursor, struct failure *failure)
{
  if (cursor->key_kept)
    return STATUS_OK;
  status result = buffer_set (&cursor->key, cursor->record->key, failure);
  cursor->key_kept = result == STATUS_OK;
  return result;
}

static inline bool
view_is_stale (const struct engine_cursor *cursor)
{
  return cursor->view != atomic_load_explicit (&cursor->engine->view, memory_order_relaxed)
         && (cursor->view == NULL || cursor->view != cursor->reading.view);
}

/* ---- what is visible ---- */

static inline bool
is_visible (const struct engine_cursor *cursor, const struct record *record)
{
  if (record->sequence >= OVERLAY_BASE)
    return record->sequence - OVERLAY_BASE <= cursor->own_operations;
  return record->sequence <= cursor->sequence;
}

static bool
is_covered (const struct engine_cursor *cursor, const struct record *record)
{
  bool own = record->sequence >= OVERLAY_BASE;
  if (cursor->own_ranges)
    {
      uint64_t cover = memtable_cover (cursor->own_index, record->key, cursor->own_operations);
      if (own ? cover > record->sequence - OVERLAY_BASE : cover > 0)
        return true;
    }
  if (own)
    return false;
  for (unsigned i = 0; i < cursor->table_count; i++)
    if (memtable_cover (cursor->tables[i], record->key, cursor->sequence) > record->sequence)
      return true;
  for (size_t i = 0; i < cursor->range_count; i++)
    if (range_set_cover (cursor->ranges[i], record->key, cursor->sequence) > record->sequence)
      return true;
  return false;
}

static inline bool
is_hidden (const struct engine_cursor *cursor, const struct record *record)
{
  return record->kind == RECORD_DELETE
         || (__builtin_expect (has_ranges (cursor), 0) && is_covered (cursor, record));
}

static inline void
forget_value (struct engine_cursor *cursor)
{
  if (cursor->has_blob)
    engine_value_release (&cursor->blob);
  cursor->has_blob = cursor->blob_lent = false;
}

static status
ran_out (struct engine_cursor *cursor, struct bytes limit, struct failure *failure)
{
  cursor->place.valid = false;
  return cursor->span != NULL
             ? transaction_span_reach (cursor->transaction, cursor->span, limit, false, failure)
             : STATUS_OK;
}

/* Tells callers of the record. */
static inline void
place_on (struct engine_cursor *cursor, const struct record *record)
{
  struct record_place *place = &cursor->place;
  place->key = BYTES (record->key.data + STORE_ID_SIZE, record->key.size - STORE_ID_SIZE);
  place->value = record->value;
  place->sequence = record->sequence < OVERLAY_BASE ? record->sequence : 0;
  place->apart = record->kind == RECORD_BLOB;
  place->valid = true;
}

/* How many of those ahead were stepped to. */
static inline uint32_t
steps_ahead (const struct engine_cursor *cursor)
{
  return cursor->ahead != NULL ? (uint32_t) (cursor->at.shown - cursor->ahead) + 1 : 0;
}

/* Nothing is ahead; what is shown is `place`. */
static inline void
forget_ahead (struct engine_cursor *cursor)
{
  cursor->stepped += steps_ahead (cursor); /* C3 */
  cursor->ahead = NULL;
  cursor->at.shown = cursor->at.last = &cursor->place;
}

/* The source moves to the record shown (C5). */
static inline void
catch_up (struct engine_cursor *cursor)
{
  if (cursor->ahead == NULL)
    return;
  source_step_over (cursor->source, cursor->direction == DIRECTION_BACKWARD, steps_ahead (cursor));
  place_on (cursor, cursor->record);
  forget_ahead (cursor);
}

static inline status
show (struct engine_cursor *cursor, struct failure *failure)
{
  place_on (cursor, cursor->record);
  return __builtin_expect (cursor->span != NULL, 0)
             ? transaction_span_reach (cursor->transaction, cursor->span, cursor->record->key, true,
                                       failure)
             : STATUS_OK;
}

/* Shows what the source stands on. */
static inline status
show_source (struct engine_cursor *cursor, struct failure *failure)
{
  cursor->record = source_record (cursor->source);
  cursor->standing = true;
  cursor->key_kept = false;
  cursor->steps = cursor->plain ? cursor->direction : DIRECTION_NONE;
  return show (cursor, failure);
}

static inline bool
is_below_upper (const struct engine_cursor *cursor, struct bytes key)
{
  uint64_t head = key_head (key, 0);
  return head < cursor->upper_head
         || (head == cursor->upper_head && bytes_compare (key, cursor->upper.bytes) < 0);
}

static inline bool
is_from_lower (const struct engine_cursor *cursor, struct bytes key)
{
  uint64_t head = key_head (key, 0);
  return head > cursor->lower_head
         || (head == cursor->lower_head && bytes_compare (key, cursor->lower.bytes) >= 0);
}

/* ---- giving up ---- */

/* The move ends before it has looked at `key`. */
static status
stop_before (struct engine_cursor *cursor, struct bytes key, struct failure *failure)
{
  status result = buffer_set (&cursor->reached, key, failure);
  if (result == STATUS_OK && cursor->span != NULL)
    result = transaction_span_reach (cursor->transaction, cursor->span, key, false, failure);
  cursor->stopped = result == STATUS_OK;
  return cursor->stopped
             ? fail (failure, STATUS_CANCELLED,
                     "the search for the next record was ended; go on from the key that "
                     "it came to")
             : result;
}

static bool
may_go_on (struct engine_cursor *cursor)
{
  if (cursor->passed < ENGINE_CURSOR_PATIENCE)
    return true;
  cursor->passed = 0;
  return cursor->go_on (cursor->go_on_data);
}

/* A forward move came to `record`. It ends where another key begins (C4). */
static __attribute__ ((noinline)) status
look_up_forward (struct engine_cursor *cursor, const struct record *record, struct failure *failure)
{
  cursor->passed++;
  if (!cursor->stopping)
    {
      cursor->stopping = !may_go_on (cursor);
      return cursor->stopping ? buffer_set (&cursor->reached, record->key, failure) : STATUS_OK;
    }
  if (bytes_equal (record->key, buffer_bytes (&cursor->reached))
      || !is_below_upper (cursor, record->key))
    return STATUS_OK;
  return stop_before (cursor, record->key, failure);
}

static inline bool
is_patient (const struct engine_cursor *cursor)
{
  return __builtin_expect (cursor->go_on == NULL, 1);
}

static inline void
begin_move (struct engine_cursor *cursor)
{
  cursor->passed = 0;
  cursor->stopping = cursor->stopped = false;
}

/* From where the merge stands to the next key to show. `skip`: the key in cursor->key is done. */
static inline status
settle_forward (struct engine_cursor *cursor, bool skip, struct failure *failure)
{
  struct source *source = cursor->source;
  status result = STATUS_OK;
  cursor->direction = DIRECTION_FORWARD;
  for (; result == STATUS_OK && source->valid; result = source_next (source, failure))
    {
      const struct record *record = source_record (source);
      if (!is_patient (cursor) && (result = look_up_forward (cursor, record, failure)) != STATUS_OK)
        break;
      if (skip && bytes_equal (record->key, buffer_bytes (&cursor->key)))
        continue;
      if (!is_below_upper (cursor, record->key))
        return ran_out (cursor, cursor->upper.bytes, failure);
      skip = false;
      if (!is_visible (cursor, record))
        continue;
      if (!is_hidden (cursor, record))
        return show_source (cursor, failure);
      skip = record->sequence != 0; /* else it is the oldest version */
      if (skip)
        result = buffer_set (&cursor->key, record->key, failure);
      if (result != STATUS_OK)
        break;
    }
  if (result != STATUS_OK)
    cursor->place.valid = false;
  return result == STATUS_OK ? ran_out (cursor, cursor->upper.bytes, failure) : result;
}

/* From the oldest version of a key back to the newest: the newest visible one, copied. */
static status
gather_backward (struct engine_cursor *cursor, bool *found, struct failure *failure)
{
  struct source *source = cursor->source;
  const struct record *record = source_record (source);
  status result = buffer_set (&cursor->key, record->key, failure);
  *found = false;
  cursor->standing = false;
  cursor->key_kept = true;
  cursor->record = &cursor->gathered;
  while (result == STATUS_OK && source->valid
         && bytes_equal (record->key, buffer_bytes (&cursor->key)))
    {
      cursor->passed++;
      if (is_visible (cursor, record))
        {
          *found = true;
          bool keep = !cursor->keys_only || record->kind == RECORD_BLOB;
          result = buffer_set (&cursor->copy, keep ? record->value : BYTES_NONE, failure);
          cursor->gathered = *record;
          cursor->gathered.key = buffer_bytes (&cursor->key);
          cursor->gathered.value = buffer_bytes (&cursor->copy);
        }
      if (result == STATUS_OK)
        result = source_previous (source, failure);
      record = source_record (source);
    }
  return result;
}

static status
settle_backward (struct engine_cursor *cursor, struct failure *failure)
{
  struct source *source = cursor->source;
  status result = STATUS_OK;
  cursor->direction = DIRECTION_BACKWARD;
  while (result == STATUS_OK && source->valid
         && is_from_lower (cursor, source_record (source)->key))
    {
      bool found;
      const struct record *record = source_record (source);
      if (!is_patient (cursor) && !may_go_on (cursor))
        {
          result = stop_before (cursor, record->key, failure);
          break;
        }
      if (source_is_alone (source))
        {
          if (is_visible (cursor, record) && !is_hidden (cursor, record))
            return show_source (cursor, failure);
          cursor->passed++;
          result = source_previous (source, failure);
          continue;
        }
      result = gather_backward (cursor, &found, failure);
      if (result == STATUS_OK && found && !is_hidden (cursor, cursor->record))
        return show (cursor, failure);
    }
  cursor->place.valid = false;
  return result == STATUS_OK ? ran_out (cursor, cursor->lower.bytes, failure) : result;
}

/* ---- moving ---- */

static inline status
check_open (struct engine_cursor *cursor, struct failure *failure)
{
  if (cursor->transaction != NULL)
    return transaction_check (cursor->transaction, failure);
  return engine_enter (cursor->engine, failure);
}

/* Ready to be positioned anew: sources of the present view, own writes up to now. */
static status
position (struct engine_cursor *cursor, struct bytes start, struct failure *failure)
{
  cursor->steps = DIRECTION_NONE;
  begin_move (cursor);
  forget_value (cursor);
  forget_ahead (cursor);
  cursor->place.valid = false;
  status result = check_open (cursor, failure);
  if (result != STATUS_OK)
    return result;
  uint64_t own = cursor->transaction != NULL ? transaction_operations (cursor->transaction) : 0;
  bool own_changed = own != cursor->own_operations
                     || (cursor->transaction != NULL /* a rollback makes a new index */
                         && transaction_index (cursor->transaction) != cursor->own_index);
  cursor->own_operations = own;
  cursor->span = NULL;
  if (cursor->source == NULL || own_changed || view_is_stale (cursor))
    result = cursor_build_sources (cursor, failure);
  if (result == STATUS_OK && cursor->transaction != NULL
      && transaction_is_serializable (cursor->transaction))
    result = transaction_span_new (cursor->transaction, start, start, &cursor->span, failure);
  return result;
}

/* The user's key, clamped to the cursor's range. */
static status
clamp (struct engine_cursor *cursor, struct bytes key, struct internal_key *internal,
       struct bytes *out, struct failure *failure)
{
  engine_store store = internal_key_store_of (cursor->lower.bytes);
  if (key.size > KEY_SIZE_MAX)
    return fail (failure, STATUS_KEY_TOO_LARGE, "a key of %zu bytes is too large: the limit is %u",
                 key.size, KEY_SIZE_MAX);
  status result = internal_key_make (internal, store, key, failure);
  if (result != STATUS_OK)
    return result;
  *out = internal->bytes;
  if (bytes_compare (*out, cursor->lower.bytes) < 0)
    *out = cursor->lower.bytes;
  if (bytes_compare (*out, cursor->upper.bytes) > 0)
    *out = cursor->upper.bytes;
  return STATUS_OK;
}

/* A transaction whose timeout passed during the move has let its snapshot go: what the cursor found
 * may be too little. */
static inline status
finish_move (struct engine_cursor *cursor, status result, struct failure *failure)
{
  if (result == STATUS_OK && cursor->transaction != NULL)
    result = transaction_check (cursor->transaction, failure);
  if (result != STATUS_OK)
    cursor->place.valid = false;
  return result;
}

/* C3. */
static inline void
count_steps (struct engine_cursor *cursor)
{
  if (cursor->stepped > 0)
    count_in_thread (cursor->engine->metrics, THREAD_CURSOR_STEPS, cursor->stepped);
  cursor->stepped = 0;
}

/* The same for a step, which counts when it came to a record. */
static inline status
finish_step (struct engine_cursor *cursor, status result, struct failure *failure)
{
  result = finish_move (cursor, result, failure);
  cursor->stepped += cursor->place.valid;
  count_steps (cursor);
  return result;
}

/* The call that `seek`s ends. */
static inline void
end_seek (struct engine_cursor *cursor, struct steps *steps, struct bytes from)
{
  struct engine *engine = cursor->engine;
  count_steps (cursor);
  count_in_thread (engine->metrics, THREAD_SEEKS, 1);
  call_end (engine, steps, ENGINE_CALL_SEEK, internal_key_store_of (cursor->lower.bytes),
            BYTES (from.data + STORE_ID_SIZE, from.size - STORE_ID_SIZE), 0);
}

static status
seek_forward (struct engine_cursor *cursor, struct bytes from, struct failure *failure)
{
  struct steps taken, *steps = call_begin (cursor->engine, &taken);
  status result = position (cursor, from, failure);
  if (result == STATUS_OK)
    result = source_seek (cursor->source, from, failure);
  if (result == STATUS_OK)
    result = settle_forward (cursor, false, failure);
  end_seek (cursor, steps, from);
  return finish_move (cursor, result, failure);
}

static status
seek_backward (struct engine_cursor *cursor, struct bytes before, struct failure *failure)
{
  struct steps taken, *steps = call_begin (cursor->engine, &taken);
  status result = position (cursor, before, failure);
  if (result == STATUS_OK)
    result = source_seek_before (cursor->source, before, failure);
  if (result == STATUS_OK)
    result = settle_backward (cursor, failure);
  end_seek (cursor, steps, before);
  return finish_move (cursor, result, failure);
}

status
engine_cursor_first (struct engine_cursor *cursor, struct failure *failure)
{
  return seek_forward (cursor, cursor->lower.bytes, failure);
}

status
engine_cursor_last (struct engine_cursor *cursor, struct failure *failure)
{
  return seek_backward (cursor, cursor->upper.bytes, failure);
}

status
engine_cursor_seek (struct engine_cursor *cursor, struct bytes key, struct failure *failure)
{
  struct internal_key internal;
  struct bytes from;
  status result = clamp (cursor, key, &internal, &from, failure);
  if (result != STATUS_OK)
    return result;
  result = seek_forward (cursor, from, failure);
  internal_key_clear (&internal);
  return result;
}

status
engine_cursor_seek_before (struct engine_cursor *cursor, struct bytes key, struct failure *failure)
{
  struct internal_key internal;
  struct bytes before;
  status result = clamp (cursor, key, &internal, &before, failure);
  if (result != STATUS_OK)
    return result;
  result = seek_backward (cursor, before, failure);
  internal_key_clear (&internal);
  return result;
}

/* The sources are of an old view, or stand wrong for the direction. */
static status
place_again (struct engine_cursor *cursor, enum direction direction, struct failure *failure)
{
  status result = keep_key (cursor, failure);
  if (result == STATUS_OK && view_is_stale (cursor))
    result = cursor_build_sources (cursor, failure);
  struct bytes here = buffer_bytes (&cursor->key);
  if (result == STATUS_OK)
    result = direction == DIRECTION_FORWARD ? source_seek (cursor->source, here, failure)
                                            : source_seek_before (cursor->source, here, failure);
  if (result != STATUS_OK)
    cursor->place.valid = false;
  return result;
}

/* Before a step: the sources must be of the present view and stand right for the direction. */
static inline status
prepare_step (struct engine_cursor *cursor, enum direction direction, bool *moved,
              struct failure *failure)
{
  *moved = false;
  cursor->steps = DIRECTION_NONE;
  begin_move (cursor);
  forget_value (cursor);
  status result = check_open (cursor, failure);
  if (__builtin_expect (result != STATUS_OK || !cursor->place.valid, 0))
    {
      cursor->place.valid = false;
      return result;
    }
  if (__builtin_expect (!view_is_stale (cursor) && cursor->direction == direction, 1))
    return STATUS_OK;
  *moved = true;
  return place_again (cursor, direction, failure);
}

static __attribute__ ((noinline)) bool
is_inside (const struct engine_cursor *cursor, struct bytes key, bool backward)
{
  return backward ? is_from_lower (cursor, key) : is_below_upper (cursor, key);
}

/* The same where the first bytes decide. */
static inline bool
is_well_inside (const struct engine_cursor *cursor, struct bytes key, bool backward)
{
  if (key.size < 8)
    return false;
  uint64_t head = load_u64_big (key.data);
  return backward ? head > cursor->lower_head : head < cursor->upper_head;
}

static inline bool
is_in_range (const struct engine_cursor *cursor, struct bytes key, bool backward)
{
  return is_well_inside (cursor, key, backward) || is_inside (cursor, key, backward);
}

/* One that is not to be looked at ahead. */
static bool
step_alone (struct engine_cursor *cursor, bool backward)
{
  if (!source_step (cursor->source, backward))
    return false;
  const struct record *record = cursor->record;
  if (record->sequence <= cursor->sequence && record->kind != RECORD_DELETE
      && (!backward || source_is_alone (cursor->source))
      && is_in_range (cursor, record->key, backward))
    {
      place_on (cursor, record);
      cursor->stepped++;
      return true;
    }
  source_step (cursor->source, !backward); /* to where it came from */
  return false;
}

/* Looks at the next records, as far as they are in the cursor's range, and shows the first. */
static bool
look_ahead (struct engine_cursor *cursor, bool backward)
{
  const struct record_place *first;
  uint32_t count = source_look_ahead (cursor->source, backward, cursor->sequence, &first);
  for (; count > 0; count--)
    {
      struct bytes key = first[count - 1].key;
      if (is_in_range (cursor, BYTES (key.data - STORE_ID_SIZE, key.size + STORE_ID_SIZE),
                       backward))
        break;
    }
  if (count == 0)
    return false;
  cursor->ahead = cursor->at.shown = first;
  cursor->at.last = first + count - 1;
  return true;
}

/* Whether a step that way may stay in the page. */
static inline bool
may_step (const struct engine_cursor *cursor, bool backward)
{
  return __builtin_expect (cursor->steps == (backward ? DIRECTION_BACKWARD : DIRECTION_FORWARD)
                               && !view_is_stale (cursor)
                               && engine_enter (cursor->engine, NULL) == STATUS_OK,
                           1);
}

bool
engine_cursor_step (struct engine_cursor *cursor, bool backward)
{
  if (!may_step (cursor, backward))
    return false;
  catch_up (cursor);
  return look_ahead (cursor, backward) || step_alone (cursor, backward);
}

status
engine_cursor_next (struct engine_cursor *cursor, struct failure *failure)
{
  catch_up (cursor);
  if (may_step (cursor, false) && step_alone (cursor, false))
    return STATUS_OK;
  bool moved;
  status result = prepare_step (cursor, DIRECTION_FORWARD, &moved, failure);
  if (result != STATUS_OK || !cursor->place.valid)
    return result;
  /* What is older than every snapshot has no older version behind it. */
  bool skip = moved || cursor->record->sequence != 0;
  if (skip)
    result = keep_key (cursor, failure);
  if (!moved && result == STATUS_OK)
    result = source_next (cursor->source, failure);
  if (result == STATUS_OK)
    result = settle_forward (cursor, skip, failure);
  return finish_step (cursor, result, failure);
}

status
engine_cursor_previous (struct engine_cursor *cursor, struct failure *failure)
{
  catch_up (cursor);
  if (may_step (cursor, true) && step_alone (cursor, true))
    return STATUS_OK;
  bool moved;
  status result = prepare_step (cursor, DIRECTION_BACKWARD, &moved, failure);
  if (result != STATUS_OK || !cursor->place.valid)
    return result;
  if (!moved && cursor->standing)
    result = source_previous (cursor->source, failure);
  if (result == STATUS_OK)
    result = settle_backward (cursor, failure);
  return finish_step (cursor, result, failure);
}

void
engine_cursor_limit (struct engine_cursor *cursor, bool (*go_on) (void *data), void *data)
{
  cursor->go_on = go_on;
  cursor->go_on_data = data;
}

struct bytes
engine_cursor_reached (const struct engine_cursor *cursor)
{
  struct bytes reached = buffer_bytes (&cursor->reached);
  return cursor->stopped ? BYTES (reached.data + STORE_ID_SIZE, reached.size - STORE_ID_SIZE)
                         : BYTES_NONE;
}

/* ---- making ---- */

static status
hold_snapshot (struct engine_cursor *cursor, const struct engine_cursor_settings *settings,
               struct failure *failure)
{
  status result = STATUS_OK;
  if (settings->transaction != NULL)
    {
      const struct engine_snapshot *reading = transaction_reading (settings->transaction);
      result = transaction_check (settings->transaction, failure);
      if (result == STATUS_OK && reading->view != NULL)
        result = snapshot_share (reading, &cursor->reading, failure);
      cursor->sequence = reading->sequence;
      return result;
    }
  cursor->reading.engine = cursor->engine;
  if (settings->snapshot != NULL)
    result = snapshot_share (settings->snapshot, &cursor->reading, failure);
  else
    result = snapshot_hold (&cursor->reading, failure);
  cursor->sequence = cursor->reading.sequence;
  return result;
}

status
engine_cursor_new (struct engine *engine, const struct engine_cursor_settings *settings,
                   struct engine_cursor **out, struct failure *failure)
{
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (settings->lower.size > KEY_SIZE_MAX || settings->upper.size > KEY_SIZE_MAX)
    return fail (failure, STATUS_KEY_TOO_LARGE,
                 "a bound of the cursor is larger than %u bytes; shorten it", KEY_SIZE_MAX);
  if (settings->upper.size > 0 && bytes_compare (settings->lower, settings->upper) > 0)
    return fail (failure, STATUS_INVALID,
                 "the range is reversed: its lower bound is above its upper bound; swap them");
  struct engine_cursor *cursor = calloc (1, sizeof *cursor);
  if (cursor == NULL)
    return fail_memory (failure, sizeof *cursor, "a cursor");
  assert (snapshot_is_of (settings->snapshot, engine));
  assert (settings->transaction == NULL
          || snapshot_is_of (transaction_reading (settings->transaction), engine));
  forget_ahead (cursor);
  cursor->engine = engine_ref (engine);
  cursor->transaction = settings->transaction;
  cursor->keys_only = settings->keys_only;
  cursor->cached_only = settings->cached_only;
  cursor->past_cache = settings->past_cache;
  result = internal_key_make (&cursor->lower, settings->store, settings->lower, failure);
  if (result == STATUS_OK)
    result = internal_range_end (&cursor->upper, settings->store, settings->upper, failure);
  if (result == STATUS_OK)
    {
      cursor->lower_head = key_head (cursor->lower.bytes, 0);
      cursor->upper_head = key_head (cursor->upper.bytes, 0);
    }
  if (result == STATUS_OK)
    result = hold_snapshot (cursor, settings, failure);
  if (result != STATUS_OK)
    {
      engine_cursor_free (cursor);
      return result;
    }
  count_in_thread (engine->metrics, THREAD_CURSORS, 1);
  *out = cursor;
  return STATUS_OK;
}

void
engine_cursor_free (struct engine_cursor *cursor)
{
  if (cursor == NULL)
    return;
  forget_ahead (cursor);
  count_steps (cursor);
  forget_value (cursor);
  cursor_drop_sources (cursor);
  snapshot_let_go (&cursor->reading);
  internal_key_clear (&cursor->lower);
  internal_key_clear (&cursor->upper);
  free (cursor->key.data);
  free (cursor->copy.data);
  free (cursor->reached.data);
  engine_unref (cursor->engine);
  free (cursor);
}
