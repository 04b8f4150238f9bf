/* SPDX-License-Identifier: MIT */
/*
 * manifest-state: what a sequence of edits amounts to.
 *
 * All appearances and disappearances of files are gathered, then sorted by file number and time, so
 * that the cost is n log n however the edits are cut, also for a file made to be slow.
 *
 *   number 7   +edit 0   −edit 3                gone
 *   number 9   +edit 0   −edit 4  +edit 4       lives, as edit 4 describes it
 *   number 11  −edit 5                          contradiction
 *
 *   H1  For one number appearances and removals alternate, an appearance first.
 *   H2  A number is a segment's or a blob file's, never both.
 *   H3  The state's segments obey V7, and every number in it is below next_number or next_run.
 */
#include "version/manifest-private.h"

#include <stdlib.h>

/* ---- states ---- */

void
manifest_state_clear (struct manifest_state *state)
{
  for (size_t i = 0; i < state->segment_count; i++)
    segment_information_clear (&state->segments[i].information);
  free (state->segments);
  free (state->blobs);
  *state = (struct manifest_state){ 0 };
}

static status
copy_segments (struct manifest_state *to, const struct manifest_state *from,
               struct failure *failure)
{
  if (from->segment_count == 0)
    return STATUS_OK;
  to->segments = calloc (from->segment_count, sizeof *to->segments);
  if (to->segments == NULL)
    return fail_memory (failure, from->segment_count * sizeof *to->segments, "a list of segments");
  to->segment_capacity = from->segment_count;
  for (size_t i = 0; i < from->segment_count; i++)
    {
      struct manifest_segment *segment = &to->segments[i];
      *segment = from->segments[i];
      status code = segment_information_copy (&segment->information, &from->segments[i].information,
                                              failure);
      if (code != STATUS_OK)
        return code;
      to->segment_count++;
    }
  return STATUS_OK;
}

static status
copy_blobs (struct manifest_state *to, const struct manifest_state *from, struct failure *failure)
{
  if (from->blob_count == 0)
    return STATUS_OK;
  to->blobs = calloc (from->blob_count, sizeof *to->blobs);
  if (to->blobs == NULL)
    return fail_memory (failure, from->blob_count * sizeof *to->blobs, "a list of blob files");
  memcpy (to->blobs, from->blobs, from->blob_count * sizeof *to->blobs);
  to->blob_count = to->blob_capacity = from->blob_count;
  return STATUS_OK;
}

status
manifest_state_copy (struct manifest_state *to, const struct manifest_state *from,
                     struct failure *failure)
{
  *to = *from;
  to->segments = NULL;
  to->blobs = NULL;
  to->segment_count = to->segment_capacity = to->blob_count = to->blob_capacity = 0;
  status code = copy_segments (to, from, failure);
  if (code == STATUS_OK)
    code = copy_blobs (to, from, failure);
  if (code != STATUS_OK)
    manifest_state_clear (to);
  return code;
}

/* ---- gathering ---- */

/* Makes room for one more element. */
static bool
grow (void **array, size_t count, size_t *capacity, size_t element)
{
  size_t wanted, bytes;
  if (count < *capacity)
    return true;
  if (__builtin_mul_overflow (*capacity, 2, &wanted)
      || __builtin_mul_overflow (wanted < 16 ? 16 : wanted, element, &bytes))
    return false;
  void *larger = realloc (*array, bytes);
  if (larger == NULL)
    return false;
  *array = larger;
  *capacity = bytes / element;
  return true;
}

static status
history_event (struct history *history, struct history_event event, struct failure *failure)
{
  if (!grow ((void **) &history->events, history->event_count, &history->event_capacity,
             sizeof *history->events))
    return fail_memory (failure, history->event_capacity * sizeof *history->events,
                        "reading the manifest");
  history->events[history->event_count++] = event;
  return STATUS_OK;
}

status
history_add_segment (struct history *history, uint64_t ordinal, struct manifest_segment *segment,
                     struct failure *failure)
{
  if (!grow ((void **) &history->segments, history->segment_count, &history->segment_capacity,
             sizeof *history->segments))
    {
      if (history->segment_count >= history->owned_from)
        segment_information_clear (&segment->information);
      return fail_memory (failure, history->segment_capacity * sizeof *history->segments,
                          "reading the manifest");
    }
  size_t index = history->segment_count++;
  history->segments[index] = *segment;
  struct history_event event = {
    .number = segment->information.number,
    .place = 2 * ordinal + 1,
    .index = index,
    .appears = true,
  };
  return history_event (history, event, failure);
}

status
history_add_blob (struct history *history, uint64_t ordinal, const struct manifest_blob *blob,
                  struct failure *failure)
{
  if (!grow ((void **) &history->blobs, history->blob_count, &history->blob_capacity,
             sizeof *history->blobs))
    return fail_memory (failure, history->blob_capacity * sizeof *history->blobs,
                        "reading the manifest");
  size_t index = history->blob_count++;
  history->blobs[index] = *blob;
  struct history_event event = {
    .number = blob->number,
    .place = 2 * ordinal + 1,
    .index = index,
    .appears = true,
    .blob = true,
  };
  return history_event (history, event, failure);
}

status
history_remove (struct history *history, uint64_t ordinal, uint64_t number, bool blob,
                struct failure *failure)
{
  struct history_event event = { .number = number, .place = 2 * ordinal, .blob = blob };
  return history_event (history, event, failure);
}

static void
history_free (struct history *history)
{
  free (history->segments);
  free (history->segment_survives);
  free (history->blobs);
  free (history->events);
  *history = (struct history){ 0 };
}

void
history_accept (struct history *history)
{
  for (size_t i = 0; i < history->segment_count; i++)
    if (history->segment_survives == NULL || !history->segment_survives[i])
      segment_information_clear (&history->segments[i].information);
  history_free (history);
}

void
history_reject (struct history *history)
{
  for (size_t i = history->owned_from; i < history->segment_count; i++)
    segment_information_clear (&history->segments[i].information);
  history_free (history);
}

/* ---- resolving ---- */

static int
compare_events (const void *left, const void *right)
{
  const struct history_event *a = left, *b = right;
  if (a->number != b->number)
    return a->number < b->number ? -1 : 1;
  return (a->place > b->place) - (a->place < b->place);
}

static int
compare_segments (const void *left, const void *right)
{
  const struct manifest_segment *a = left, *b = right;
  if (a->order != b->order)
    return a->order > b->order ? -1 : 1;
  int order = bytes_compare (BYTES (a->information.smallest, a->information.smallest_size),
                             BYTES (b->information.smallest, b->information.smallest_size));
  if (order != 0)
    return order;
  return (a->information.number > b->information.number)
         - (a->information.number < b->information.number);
}

/* Fills the arrays from the events, which are sorted. Returns the number that contradicts H1 or H2,
 * or 0. The arrays have room for everything. */
static uint64_t
collect (struct history *history, struct manifest_state *state)
{
  for (size_t i = 0; i < history->event_count; i++)
    {
      const struct history_event *event = &history->events[i];
      bool more = i + 1 < history->event_count && event[1].number == event->number;
      bool first = i == 0 || event[-1].number != event->number;
      if ((first ? !event->appears : event->appears == event[-1].appears)
          || (!first && event->blob != event[-1].blob) || event->number == 0)
        return event->number == 0 ? UINT64_MAX : event->number;
      if (more || !event->appears)
        continue;
      if (event->blob)
        state->blobs[state->blob_count++] = history->blobs[event->index];
      else
        {
          state->segments[state->segment_count++] = history->segments[event->index];
          history->segment_survives[event->index] = true;
        }
    }
  return 0;
}

static status
make_room (struct history *history, struct manifest_state *state, struct failure *failure)
{
  state->segment_count = state->blob_count = 0;
  state->segment_capacity = history->segment_count;
  state->blob_capacity = history->blob_count;
  state->segments = calloc (history->segment_count + 1, sizeof *state->segments);
  state->blobs = calloc (history->blob_count + 1, sizeof *state->blobs);
  history->segment_survives = calloc (history->segment_count + 1, sizeof (bool));
  if (state->segments != NULL && state->blobs != NULL && history->segment_survives != NULL)
    return STATUS_OK;
  return fail_memory (failure, history->segment_count * sizeof *state->segments,
                      "the list of segments");
}

const char *
manifest_segment_fault (const struct manifest_segment *segment)
{
  const struct segment_information *information = &segment->information;
  struct bytes smallest = BYTES (information->smallest, information->smallest_size);
  struct bytes largest = BYTES (information->largest, information->largest_size);
  if (information->number == 0 || information->number > FILE_NUMBER_MAX)
    return "the file number is impossible";
  if (segment->run == 0 || segment->order == 0)
    return "it belongs to no run";
  if (information->deletes > information->records)
    return "it has more deletes than records";
  if (information->min_sequence > information->max_sequence
      || information->max_sequence > SEQUENCE_MAX)
    return "the sequence numbers are impossible";
  if (smallest.size == 0 || smallest.size > INTERNAL_KEY_SIZE_MAX || largest.size == 0
      || largest.size > INTERNAL_KEY_SIZE_MAX || bytes_compare (smallest, largest) > 0)
    return "the bounds are impossible";
  for (size_t i = 0; i < information->blob_count; i++)
    if (information->blobs[i].file == 0 || information->blobs[i].file > FILE_NUMBER_MAX
        || (i > 0 && information->blobs[i].file <= information->blobs[i - 1].file))
      return "the blob files it uses are not in rising order";
  return NULL;
}

/* V7 for two neighbours in the sorted list. A range delete ends before its end key, so that the
 * bound of a segment with range deletes may be where the next one begins. */
static const char *
neighbours_fault (const struct manifest_segment *before, const struct manifest_segment *after)
{
  if (before->order != after->order)
    return NULL;
  if (before->run != after->run)
    return "two runs have the same order";
  int order = bytes_compare (BYTES (before->information.largest, before->information.largest_size),
                             BYTES (after->information.smallest, after->information.smallest_size));
  if (order > 0 || (order == 0 && before->information.range_deletes == 0))
    return "two segments of one run overlap";
  return NULL;
}

static int
compare_numbers (const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
  return (a > b) - (a < b);
}

/* Whether one run's segments stand in two orders. */
static status
check_runs (const struct manifest_state *state, const char **fault, struct failure *failure)
{
  size_t count = 0;
  uint64_t *runs = malloc ((state->segment_count + 1) * sizeof *runs);
  if (runs == NULL)
    return fail_memory (failure, state->segment_count * sizeof *runs, "checking the list of runs");
  for (size_t i = 0; i < state->segment_count; i++)
    if (i == 0 || state->segments[i].order != state->segments[i - 1].order)
      runs[count++] = state->segments[i].run;
  qsort (runs, count, sizeof *runs, compare_numbers);
  for (size_t i = 1; i < count; i++)
    if (runs[i] == runs[i - 1])
      *fault = "one run stands in two orders";
  free (runs);
  return STATUS_OK;
}

/* H3. */
static const char *
state_fault (const struct manifest_state *state, uint64_t *number)
{
  for (size_t i = 0; i < state->segment_count; i++)
    {
      const struct manifest_segment *segment = &state->segments[i];
      *number = segment->information.number;
      if (*number >= state->next_number || segment->run >= state->next_run)
        return "its number or run has not been handed out yet";
      const char *fault = i > 0 ? neighbours_fault (segment - 1, segment) : NULL;
      if (fault != NULL)
        return fault;
    }
  for (size_t i = 0; i < state->blob_count; i++)
    {
      *number = state->blobs[i].number;
      if (*number >= state->next_number)
        return "its number has not been handed out yet";
    }
  return NULL;
}

static status
contradiction (status code, const char *file, uint64_t number, const char *fault,
               struct failure *failure)
{
  return fail (
      failure, code, "%s: file number %llu: %s; %s", file, (unsigned long long) number, fault,
      code == STATUS_CORRUPT ? "restore a backup or repair the database" : "nothing was written");
}

status
history_resolve (struct history *history, status code, const char *file,
                 struct manifest_state *state, struct failure *failure)
{
  status result = make_room (history, state, failure);
  const char *fault = NULL;
  uint64_t number = 0;
  if (result != STATUS_OK)
    goto failed;
  if (history->event_count > 0)
    qsort (history->events, history->event_count, sizeof *history->events, compare_events);
  number = collect (history, state);
  if (number != 0)
    fault = "it is added twice, or removed without being there";
  else
    {
      qsort (state->segments, state->segment_count, sizeof *state->segments, compare_segments);
      fault = state_fault (state, &number);
    }
  if (fault == NULL)
    result = check_runs (state, &fault, failure);
  if (fault != NULL)
    result = contradiction (code, file, number, fault, failure);
  if (result == STATUS_OK)
    return STATUS_OK;

failed:
  free (state->segments);
  free (state->blobs);
  state->segments = NULL;
  state->blobs = NULL;
  state->segment_count = state->segment_capacity = state->blob_count = state->blob_capacity = 0;
  return result;
}
