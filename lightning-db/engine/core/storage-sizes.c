/* SPDX-License-Identifier: MIT */
/*
 * storage: how large keys and values are. Invariants: storage.h.
 *
 * The range is cut into up to PIECES pieces that take about as many leaves each of the run that has
 * most of it. Without a limit they are walked in order. With one they are walked in an order that at
 * any moment has gone through the whole range evenly (their numbers with the bits reversed), so that
 * what was seen when the time is over stands for the rest.
 */
#include "core/storage.h"

#include "base/histogram.h"

#include <stdlib.h>

#define PIECES 64u
#define PIECE_BITS 6u
#define LOOK_RECORDS 256u /* between looks at the clock and for cancellation */

struct sizing
{
  struct engine *engine;
  const struct engine_sizes_settings *settings;
  struct engine_sizes *out;
  struct engine_snapshot *snapshot;
  engine_progress progress;
  void *data;
  uint64_t deadline;        /* 0 = none */
  bool over;                /* the time is */
  uint8_t *cuts[PIECES];    /* where pieces begin, the first at `lower`: user keys; owned */
  size_t cut_sizes[PIECES]; /* of them */
  unsigned count;           /* pieces */
  unsigned done;            /* pieces */
  uint64_t looked;          /* microseconds, when it last looked */
};

/* ---- the largest values ---- */

/* A heap whose root is the least, until finish_biggest sorts it. */
static bool
is_less (const struct engine_big_value *a, const struct engine_big_value *b)
{
  if (a->value_size != b->value_size)
    return a->value_size < b->value_size;
  return bytes_compare (BYTES (a->key, a->key_size), BYTES (b->key, b->key_size)) > 0;
}

static void
swap (struct engine_big_value *a, struct engine_big_value *b)
{
  struct engine_big_value held = *a;
  *a = *b;
  *b = held;
}

static void
sift_down (struct engine_big_value *heap, size_t count)
{
  for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child)
    {
      if (child + 1 < count && is_less (&heap[child + 1], &heap[child]))
        child++;
      if (!is_less (&heap[child], &heap[at]))
        break;
      swap (&heap[child], &heap[at]);
    }
}

static void
sift_up (struct engine_big_value *heap, size_t at)
{
  for (; at > 0 && is_less (&heap[at], &heap[(at - 1) / 2]); at = (at - 1) / 2)
    swap (&heap[at], &heap[(at - 1) / 2]);
}

static status
note_biggest (struct engine_sizes *out, size_t most, struct bytes key, uint64_t size,
              struct failure *failure)
{
  struct engine_big_value value = { (uint8_t *) key.data, key.size, size };
  bool full = out->biggest_count == most;
  if (most == 0 || (full && !is_less (&out->biggest[0], &value)))
    return STATUS_OK;
  value.key = malloc (key.size + 1);
  if (value.key == NULL)
    return fail_memory (failure, key.size, "a key");
  memcpy (value.key, key.data, key.size);
  if (full)
    {
      free (out->biggest[0].key);
      out->biggest[0] = value;
      sift_down (out->biggest, out->biggest_count);
      return STATUS_OK;
    }
  out->biggest[out->biggest_count] = value;
  sift_up (out->biggest, out->biggest_count++);
  return STATUS_OK;
}

static void
finish_biggest (struct engine_sizes *out)
{
  for (size_t left = out->biggest_count; left > 1; left--)
    {
      swap (&out->biggest[0], &out->biggest[left - 1]);
      sift_down (out->biggest, left - 1);
    }
}

/* ---- one piece ---- */

static uint64_t
value_size (const struct record_place *place)
{
  struct blob_reference reference;
  if (!place->apart)
    return place->value.size;
  return blob_reference_load (place->value, &reference) ? reference.size : 0;
}

static status
look_up_from_work (struct sizing *sizing, struct failure *failure)
{
  status result = engine_enter (sizing->engine, failure); /* Z4 */
  if (result != STATUS_OK)
    return result;
  uint64_t now = engine_now ();
  sizing->over = sizing->deadline != 0 && now >= sizing->deadline;
  if (sizing->progress == NULL || (now - sizing->looked < 10000 && sizing->done < sizing->count))
    return STATUS_OK;
  sizing->looked = now;
  return sizing->progress (sizing->data, sizing->done, sizing->count, "sizes")
             ? STATUS_OK
             : storage_cancelled (failure);
}

static status
count_piece (struct sizing *sizing, struct engine_cursor *cursor, struct failure *failure)
{
  struct engine_sizes *out = sizing->out;
  status result = engine_cursor_first (cursor, failure);
  for (unsigned turn = 1; result == STATUS_OK && engine_cursor_valid (cursor); turn++)
    {
      const struct record_place *place = engine_cursor_place (cursor)->shown;
      uint64_t size = value_size (place);
      out->records++;
      out->key_bytes += place->key.size;
      out->value_bytes += size;
      histogram_record (out->keys, place->key.size);
      histogram_record (out->values, size);
      result = note_biggest (out, sizing->settings->biggest, place->key, size, failure);
      if (result == STATUS_OK && turn % LOOK_RECORDS == 0)
        {
          result = look_up_from_work (sizing, failure);
          if (sizing->over)
            return result;
        }
      if (result == STATUS_OK)
        result = engine_cursor_next (cursor, failure);
    }
  return result;
}

static status
size_piece (struct sizing *sizing, unsigned piece, struct failure *failure)
{
  struct engine_cursor *cursor = NULL;
  struct failure cause = FAILURE_INIT;
  struct engine_cursor_settings settings = {
    .store = sizing->settings->store,
    .snapshot = sizing->snapshot,
    .lower
    = piece == 0 ? sizing->settings->lower : BYTES (sizing->cuts[piece], sizing->cut_sizes[piece]),
    .upper = piece + 1 == sizing->count
                 ? sizing->settings->upper
                 : BYTES (sizing->cuts[piece + 1], sizing->cut_sizes[piece + 1]),
    .keys_only = true,
    .past_cache = true,
  };
  status result = engine_cursor_new (sizing->engine, &settings, &cursor, &cause);
  if (result == STATUS_OK)
    result = count_piece (sizing, cursor, &cause);
  engine_cursor_free (cursor);
  if (result == STATUS_OK || (result != STATUS_CORRUPT && result != STATUS_IO))
    return result == STATUS_OK ? result : fail (failure, result, "%s", cause.message);
  if (sizing->out->faults++ == 0) /* Z2 */
    sizing->out->first_fault = cause;
  return STATUS_OK;
}

/* ---- pieces ---- */

/* Leaves of a segment in the range, [*first, *end). */
static void
leaves_in_range (struct segment *segment, struct segment_look *look, struct bytes lower,
                 struct bytes upper, uint32_t *first, uint32_t *end)
{
  struct segment_shape shape;
  segment_shape (segment, &shape);
  *first = 0;
  *end = (uint32_t) shape.leaves;
  uint32_t leaf;
  if (segment_look_for (look, lower, &leaf, NULL) == STATUS_OK)
    *first = leaf;
  if (segment_look_for (look, upper, &leaf, NULL) == STATUS_OK && leaf + 1 < *end)
    *end = leaf + 1;
}

static status
add_cut (struct sizing *sizing, struct bytes separator, struct bytes lower, struct bytes upper,
         struct failure *failure)
{
  if (sizing->count == PIECES || bytes_compare (separator, lower) <= 0
      || bytes_compare (separator, upper) >= 0 || separator.size <= STORE_ID_SIZE
      || separator.size > INTERNAL_KEY_SIZE_MAX)
    return STATUS_OK;
  struct bytes key = bytes_behind (separator, STORE_ID_SIZE);
  unsigned before = sizing->count - 1;
  if (before > 0
      && bytes_compare (key, BYTES (sizing->cuts[before], sizing->cut_sizes[before])) <= 0)
    return STATUS_OK;
  sizing->cuts[sizing->count] = malloc (key.size);
  if (sizing->cuts[sizing->count] == NULL)
    return fail_memory (failure, key.size, "a key");
  memcpy (sizing->cuts[sizing->count], key.data, key.size);
  sizing->cut_sizes[sizing->count++] = key.size;
  return STATUS_OK;
}

static bool
overlaps (const struct run *run, size_t index, struct bytes lower, struct bytes upper)
{
  const struct segment_information *information = segment_information (run->segments[index]);
  return bytes_compare (run_smallest (run, index), upper) < 0
         && bytes_compare (BYTES (information->largest, information->largest_size), lower) >= 0;
}

static uint64_t
leaves_of (struct segment *segment)
{
  struct segment_shape shape;
  segment_shape (segment, &shape);
  return shape.leaves;
}

/* The run with most leaves in segments that reach into the range; NULL: none does. */
static const struct run *
widest_run (const struct view *view, struct bytes lower, struct bytes upper, uint64_t *leaves)
{
  const struct run *widest = NULL;
  *leaves = 0;
  for (size_t r = 0; r < view->run_count; r++)
    {
      uint64_t count = 0;
      for (size_t s = 0; s < view->runs[r]->count; s++)
        if (overlaps (view->runs[r], s, lower, upper))
          count += leaves_of (view->runs[r]->segments[s]);
      if (count > *leaves)
        {
          *leaves = count;
          widest = view->runs[r];
        }
    }
  return widest;
}

/* Cuts at every stride-th leaf of the segments; *next counts down to it across them. */
static status
cut_at_leaves (struct sizing *sizing, struct segment *segment, struct bytes lower,
               struct bytes upper, uint64_t stride, uint64_t *next, struct failure *failure)
{
  struct segment_look *look;
  uint32_t first, end;
  status result = segment_look_new (segment, &look, failure);
  if (result != STATUS_OK)
    return result;
  leaves_in_range (segment, look, lower, upper, &first, &end);
  for (; first < end && result == STATUS_OK; first++)
    {
      struct segment_page page;
      if (--*next > 0)
        continue;
      *next = stride;
      if (segment_look_at (look, first, &page, NULL) == STATUS_OK)
        result = add_cut (sizing, page.separator, lower, upper, failure);
    }
  segment_look_free (look);
  return result;
}

static status
cut_range (struct sizing *sizing, const struct view *view, struct bytes lower, struct bytes upper,
           struct failure *failure)
{
  uint64_t leaves;
  const struct run *run = widest_run (view, lower, upper, &leaves);
  uint64_t stride = leaves / PIECES + 1, next = stride;
  status result = STATUS_OK;
  for (size_t s = 0; run != NULL && s < run->count && result == STATUS_OK; s++)
    if (overlaps (run, s, lower, upper))
      result = cut_at_leaves (sizing, run->segments[s], lower, upper, stride, &next, failure);
  return result;
}

static unsigned
reversed (unsigned number)
{
  unsigned out = 0;
  for (unsigned bit = 0; bit < PIECE_BITS; bit++)
    out |= (number >> bit & 1u) << (PIECE_BITS - 1 - bit);
  return out;
}

static status
size_all (struct sizing *sizing, struct failure *failure)
{
  status result = STATUS_OK;
  for (unsigned i = 0; i < PIECES && result == STATUS_OK && !sizing->over; i++)
    {
      unsigned piece = sizing->deadline != 0 ? reversed (i) : i;
      if (piece >= sizing->count)
        continue;
      result = size_piece (sizing, piece, failure);
      sizing->done += !sizing->over;
      bool over = sizing->over;
      if (result == STATUS_OK)
        result = look_up_from_work (sizing, failure);
      sizing->over |= over;
    }
  double whole = (double) sizing->done - (double) sizing->out->faults;
  sizing->out->share = whole > 0 ? whole / sizing->count : 0;
  finish_biggest (sizing->out);
  return result;
}

/* ---- the call ---- */

static status
prepare (struct sizing *sizing, struct failure *failure)
{
  struct engine_sizes *out = sizing->out;
  out->keys = calloc (1, sizeof *out->keys);
  out->values = calloc (1, sizeof *out->values);
  if (out->keys == NULL || out->values == NULL)
    return fail_memory (failure, sizeof *out->keys, "histograms");
  if (sizing->settings->biggest == 0)
    return STATUS_OK;
  out->biggest = calloc (sizing->settings->biggest, sizeof *out->biggest);
  return out->biggest != NULL ? STATUS_OK
                              : fail_memory (failure, sizeof *out->biggest, "the largest values");
}

static status
cut (struct sizing *sizing, struct failure *failure)
{
  const struct engine_sizes_settings *settings = sizing->settings;
  struct internal_key lower = { 0 }, upper = { 0 };
  struct view *view = NULL;
  sizing->count = 1;
  status result = internal_key_make (&lower, settings->store, settings->lower, failure);
  if (result == STATUS_OK)
    result = internal_range_end (&upper, settings->store, settings->upper, failure);
  if (result == STATUS_OK)
    result = engine_view_of_files (sizing->engine, &view, failure);
  if (result == STATUS_OK && view != NULL)
    result = cut_range (sizing, view, lower.bytes, upper.bytes, failure);
  view_unref (view);
  internal_key_clear (&lower);
  internal_key_clear (&upper);
  return result;
}

status
engine_storage_sizes (struct engine *engine, const struct engine_sizes_settings *settings,
                      engine_progress progress, void *data, struct engine_sizes *out,
                      struct failure *failure)
{
  struct sizing sizing
      = { .engine = engine, .settings = settings, .out = out, .progress = progress, .data = data };
  *out = (struct engine_sizes){ 0 };
  if (settings->biggest > ENGINE_BIGGEST_MAX)
    return fail (failure, STATUS_INVALID, "at most %u values can be named, not %u",
                 ENGINE_BIGGEST_MAX, settings->biggest);
  if (settings->lower.size > KEY_SIZE_MAX || settings->upper.size > KEY_SIZE_MAX)
    return fail (failure, STATUS_KEY_TOO_LARGE,
                 "a bound of the range is larger than %u bytes; shorten it", KEY_SIZE_MAX);
  if (settings->upper.size > 0 && bytes_compare (settings->lower, settings->upper) > 0)
    return fail (failure, STATUS_INVALID,
                 "the range is reversed: its lower bound is above its upper bound; swap them");
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (settings->time_limit > 0)
    sizing.deadline = engine_now () + settings->time_limit;
  result = prepare (&sizing, failure);
  if (result == STATUS_OK)
    result = engine_snapshot_new (engine, &sizing.snapshot, failure);
  if (result == STATUS_OK)
    result = cut (&sizing, failure);
  if (result == STATUS_OK)
    result = size_all (&sizing, failure);
  engine_snapshot_free (sizing.snapshot);
  for (unsigned i = 1; i < sizing.count; i++)
    free (sizing.cuts[i]);
  if (result != STATUS_OK)
    engine_sizes_clear (out);
  engine_end (engine);
  return result;
}

void
engine_sizes_clear (struct engine_sizes *sizes)
{
  for (size_t i = 0; i < sizes->biggest_count; i++)
    free (sizes->biggest[i].key);
  free (sizes->biggest);
  free (sizes->keys);
  free (sizes->values);
  *sizes = (struct engine_sizes){ 0 };
}
