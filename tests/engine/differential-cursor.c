/* SPDX-License-Identifier: MIT */
/* Cursors of the differential test: every move, and the span a serializable transaction looked at.
 */
#include "differential.h"

static struct trial_cursor *
pick_cursor (struct trial *trial)
{
  unsigned start = (unsigned) pick (trial, CURSORS_MAX);
  for (unsigned i = 0; i < CURSORS_MAX; i++)
    {
      struct trial_cursor *of = &trial->cursors[(start + i) % CURSORS_MAX];
      if (of->cursor != NULL)
        return of;
    }
  return NULL;
}

void
cursor_free (struct trial_cursor *of)
{
  engine_cursor_free (of->cursor);
  of->cursor = NULL;
}

static struct trial_cursor *
place_for_cursor (struct trial *trial)
{
  for (unsigned i = 0; i < CURSORS_MAX; i++)
    if (trial->cursors[i].cursor == NULL)
      return &trial->cursors[i];
  struct trial_cursor *of = &trial->cursors[pick (trial, CURSORS_MAX)];
  cursor_free (of);
  return of;
}

void
do_cursor_new (struct trial *trial, enum kind kind)
{
  (void) kind;
  struct trial_cursor *of = place_for_cursor (trial);
  struct trial_transaction *transaction = &trial->transactions[pick (trial, TRANSACTIONS_MAX)];
  struct trial_snapshot *snapshot = &trial->snapshots[pick (trial, SNAPSHOTS_MAX)];
  *of = (struct trial_cursor){
    .store = pick_store (trial),
    .sequence = trial->oracle.sequence,
    .keys_only = pick (trial, 8) == 0,
    .lower = POSITION_START,
    .upper = 2 * trial->oracle.count,
  };
  struct engine_cursor_settings settings = { .store = of->store->id, .keys_only = of->keys_only };
  uint64_t shape = pick (trial, 4);
  if (shape < 2 && transaction->transaction != NULL)
    {
      of->transaction = transaction;
      of->sequence = transaction->sequence;
      settings.transaction = transaction->transaction;
    }
  else if (shape == 2 && snapshot->snapshot != NULL)
    {
      settings.snapshot = snapshot->snapshot;
      of->sequence = snapshot->sequence;
    }
  if (pick (trial, 3) == 0)
    of->lower = 2 * (position) pick (trial, (uint64_t) trial->oracle.count);
  if (pick (trial, 3) == 0)
    {
      of->upper = (of->lower > 0 ? of->lower : 0) + 2 * (position) pick (trial, 60);
      of->upper = of->upper > 2 * trial->oracle.count ? 2 * trial->oracle.count : of->upper;
      if (of->upper <= 0)
        of->upper = 2;
    }
  settings.lower = oracle_key (&trial->oracle, of->lower);
  settings.upper = oracle_key (&trial->oracle, of->upper);
  EXPECT_OK (engine_cursor_new (trial->engine, &settings, &of->cursor, &failure));
  EXPECT (!engine_cursor_valid (of->cursor), "a new cursor stands somewhere");
}

/* ---- what the oracle says about a move ---- */

static struct oracle_interval *
span_of (const struct trial_cursor *of)
{
  return of->has_span ? &of->transaction->reads.list[of->span] : NULL;
}

/* The span grows to a key that was shown, or to the end where the cursor ran out. */
static void
reach (const struct trial_cursor *of, position at, bool including)
{
  struct oracle_interval *span = span_of (of);
  if (span == NULL)
    return;
  if (at < span->from)
    span->from = at;
  else if (at + including > span->to)
    span->to = at + including;
}

static void
reposition (struct trial_cursor *of, position at)
{
  of->own.count = 0;
  of->has_span = false;
  if (of->transaction == NULL)
    return;
  of->own = of->transaction->writes;
  if (!of->transaction->serializable || of->transaction->read_only)
    return;
  of->span = of->transaction->reads.count;
  of->has_span = true;
  oracle_note (&of->transaction->reads, 0, of->store->id, at, at);
}

static void
land (struct trial *trial, struct trial_cursor *of, position rank, position limit)
{
  (void) trial;
  of->valid = rank >= 0;
  if (!of->valid)
    {
      reach (of, limit, false);
      return;
    }
  of->rank = rank;
  of->value = oracle_get (of->store, &of->own, rank, of->sequence, &of->value_sequence);
  reach (of, 2 * rank, true);
}

static position
clamp (const struct trial_cursor *of, position at)
{
  at = at < of->lower ? of->lower : at;
  return at > of->upper ? of->upper : at;
}

static void
forward (struct trial *trial, struct trial_cursor *of, position from)
{
  position rank = from < 0 ? 0 : (from + 1) / 2;
  land (trial, of,
        oracle_next (&trial->oracle, of->store, &of->own, rank, of->upper / 2, of->sequence),
        of->upper);
}

static void
backward (struct trial *trial, struct trial_cursor *of, position before)
{
  position rank = before <= 0 ? -1 : (before - 1) / 2;
  position bound = of->lower <= 0 ? -1 : of->lower / 2 - 1;
  land (trial, of, oracle_previous (&trial->oracle, of->store, &of->own, rank, bound, of->sequence),
        of->lower);
}

/* ---- comparing ---- */

static void
expect_place (struct trial *trial, struct trial_cursor *of)
{
  bool valid = engine_cursor_valid (of->cursor);
  EXPECT (valid == of->valid, "the cursor %s, but the oracle %s (key %lld)",
          valid ? "stands on a key" : "ran out", of->valid ? "stands on one" : "ran out",
          (long long) of->rank);
  if (!valid)
    {
      EXPECT (engine_cursor_key (of->cursor).size == 0, "a cursor that ran out has a key");
      return;
    }
  struct bytes key = engine_cursor_key (of->cursor);
  EXPECT (bytes_equal (key, oracle_key (&trial->oracle, 2 * of->rank)),
          "the cursor stands on another key (%zu bytes) than the oracle (key %lld, %zu bytes)",
          key.size, (long long) of->rank, oracle_key (&trial->oracle, 2 * of->rank).size);
}

static void
expect_cursor_value (struct trial *trial, struct trial_cursor *of)
{
  if (!of->valid)
    {
      struct bytes value;
      EXPECT_STATUS (engine_cursor_value (of->cursor, &value, &failure), STATUS_INVALID);
      return;
    }
  uint64_t sequence = engine_cursor_sequence (of->cursor);
  EXPECT (trial->renumbered || sequence == 0 || sequence == of->value_sequence,
          "the cursor's value is of commit %llu, not %llu", (unsigned long long) sequence,
          (unsigned long long) of->value_sequence);
  if (of->keys_only)
    return;
  if (pick (trial, 3) == 0)
    {
      struct engine_value taken;
      EXPECT_OK (engine_cursor_take_value (of->cursor, &taken, &failure));
      trial_expect_value (trial, taken.data, of->value, of->rank);
      engine_value_release (&taken);
    }
  struct bytes value;
  EXPECT_OK (engine_cursor_value (of->cursor, &value, &failure));
  trial_expect_value (trial, value, of->value, of->rank);
}

/* ---- moving ---- */

static void
seek (struct trial *trial, struct trial_cursor *of, enum kind kind)
{
  position at = 2 * pick_key (trial);
  if (kind == KIND_CURSOR_FIRST || kind == KIND_CURSOR_LAST)
    at = kind == KIND_CURSOR_FIRST ? of->lower : of->upper;
  else if (pick (trial, 40) == 0)
    at = POSITION_START; /* the empty key is before everything */
  else if (of->valid && pick (trial, 4) == 0)
    at = 2 * of->rank; /* where it stands */
  struct bytes key = oracle_key (&trial->oracle, at);
  at = clamp (of, at);
  of->ahead = AHEAD_NONE;
  reposition (of, at);
  if (kind == KIND_CURSOR_FIRST)
    EXPECT_OK (engine_cursor_first (of->cursor, &failure));
  else if (kind == KIND_CURSOR_LAST)
    EXPECT_OK (engine_cursor_last (of->cursor, &failure));
  else if (kind == KIND_CURSOR_SEEK)
    EXPECT_OK (engine_cursor_seek (of->cursor, key, &failure));
  else
    EXPECT_OK (engine_cursor_seek_before (of->cursor, key, &failure));
  if (kind == KIND_CURSOR_FIRST || kind == KIND_CURSOR_SEEK)
    forward (trial, of, at);
  else
    backward (trial, of, at);
}

/* One record on, at random by itself or as those go who look at each: to what was looked at ahead,
 * or a step within the page, where there is such. */
static void
go_on (struct trial *trial, struct trial_cursor *of, bool backwards)
{
  bool was_valid = of->valid;
  bool stepped = of->ahead == (backwards ? AHEAD_BACKWARD : AHEAD_FORWARD)
                 && engine_cursor_step_ahead (engine_cursor_place (of->cursor));
  of->ahead = stepped ? of->ahead : AHEAD_NONE;
  if (!stepped && was_valid && pick (trial, 4) != 0)
    {
      stepped = engine_cursor_step (of->cursor, backwards);
      of->ahead = backwards ? AHEAD_BACKWARD : AHEAD_FORWARD;
      if (!stepped) /* it stands as before */
        expect_place (trial, of);
    }
  if (!stepped)
    EXPECT_OK (backwards ? engine_cursor_previous (of->cursor, &failure)
                         : engine_cursor_next (of->cursor, &failure));
  if (was_valid && backwards)
    backward (trial, of, 2 * of->rank);
  else if (was_valid)
    forward (trial, of, 2 * of->rank + 1);
}

void
do_cursor (struct trial *trial, enum kind kind)
{
  struct trial_cursor *of = pick_cursor (trial);
  if (of == NULL)
    {
      do_cursor_new (trial, kind);
      of = pick_cursor (trial);
    }
  switch (kind)
    {
    case KIND_CURSOR_FREE:
      cursor_free (of);
      return;
    case KIND_CURSOR_VALUE:
      expect_place (trial, of); /* nothing that happened since may have changed it */
      expect_cursor_value (trial, of);
      return;
    case KIND_CURSOR_NEXT:
    case KIND_CURSOR_PREVIOUS:
      if (!of->valid && pick (trial, 8) != 0)
        seek (trial, of, kind == KIND_CURSOR_NEXT ? KIND_CURSOR_SEEK : KIND_CURSOR_SEEK_BEFORE);
      else
        for (uint64_t left = pick (trial, 4) == 0 ? pick (trial, 40) : 0;; left--)
          {
            go_on (trial, of, kind == KIND_CURSOR_PREVIOUS);
            if (left == 0 || !of->valid)
              break;
            expect_place (trial, of);
            if (pick (trial, 8) == 0)
              expect_cursor_value (trial, of);
          }
      break;
    default:
      seek (trial, of, kind);
    }
  expect_place (trial, of);
  if (pick (trial, 4) == 0)
    expect_cursor_value (trial, of);
}

void
trial_verify_store (struct trial *trial, struct oracle_store *store, bool backwards)
{
  struct trial_cursor whole = {
    .store = store,
    .sequence = trial->oracle.sequence,
    .lower = POSITION_START,
    .upper = 2 * trial->oracle.count,
  };
  struct engine_cursor_settings settings = { .store = store->id };
  EXPECT_OK (engine_cursor_new (trial->engine, &settings, &whole.cursor, &failure));
  if (backwards)
    {
      EXPECT_OK (engine_cursor_last (whole.cursor, &failure));
      backward (trial, &whole, whole.upper);
    }
  else
    {
      EXPECT_OK (engine_cursor_first (whole.cursor, &failure));
      forward (trial, &whole, whole.lower);
    }
  for (;;)
    {
      expect_place (trial, &whole);
      if (!whole.valid)
        break;
      expect_cursor_value (trial, &whole);
      go_on (trial, &whole, backwards);
    }
  engine_cursor_free (whole.cursor);
}
