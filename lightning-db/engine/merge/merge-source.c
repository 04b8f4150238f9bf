/* SPDX-License-Identifier: MIT */
/*
 * merge-source: many sorted sources as one, by a tree of losers.
 *
 *                 winner: 2
 *                 [1] 0                 Each inner node keeps who lost there; the winner of all
 *            ┌─────┴─────┐              stands aside. When the winner has moved, only the matches
 *         [2] 1       [3] 3             on its path to the root are played again: log2 (count)
 *         ┌──┴──┐     ┌──┴──┐           comparisons.
 *         0     1     2     3
 *
 * When one child wins twice in a row, the best of the losers on its path (the runner-up) is looked
 * up and remembered: from then on each step of that child costs one comparison, until it loses.
 *
 *   K1  Forward, every child but the current one stands on its first record behind the current
 *       record, or on an equal (key, sequence), or has ended; backward, the mirror image.
 *   K2  Equal (key, sequence): the newest child wins. Whoever loses a match between equals is
 * marked and, when it comes to win, passed over. In a tree of losers an equal of the winner has
 * always lost to an equal, so that none is missed.
 */
#include "merge/merge.h"

#include <stdlib.h>

#define NOBODY SIZE_MAX

struct child
{
  struct source *source; /* owned */
  bool duplicate;        /* K2: its record has an equal that comes before it */
};

struct merge_source
{
  struct source source; /* what the caller sees; first member */
  size_t count;         /* of children, at least 2 */
  size_t winner;        /* index of the current child */
  size_t runner_up;     /* the best of the others, or NOBODY: not known */
  bool backward;        /* the way the children stand (K1) */
  size_t *losers;       /* [1 … count): at each inner node; owned with the source */
  size_t *winners;      /* [1 … 2 × count): scratch of the first tournament */
  struct child children[];
};

static inline struct merge_source *
merge_of (struct source *source)
{
  return (struct merge_source *) source;
}

/* ---- matches ---- */

/* Whether child `a` comes before child `b`. Marks the loser of a match between equals (K2). */
static bool
beats (struct merge_source *merge, size_t a, size_t b)
{
  const struct source *left = merge->children[a].source, *right = merge->children[b].source;
  if (!left->valid || !right->valid)
    return left->valid || (!right->valid && a < b);
  const struct record *its = source_record (left), *other = source_record (right);
  int order = bytes_compare (its->key, other->key);
  if (order == 0)
    order = (its->sequence < other->sequence) - (its->sequence > other->sequence);
  if (order != 0)
    return (order < 0) != merge->backward;
  merge->children[a < b ? b : a].duplicate = true;
  return a < b;
}

/* Plays all matches: after every child was positioned. */
static void
play_all (struct merge_source *merge)
{
  size_t count = merge->count;
  for (size_t i = 0; i < count; i++)
    {
      merge->children[i].duplicate = false;
      merge->winners[count + i] = i;
    }
  for (size_t node = count - 1; node >= 1; node--)
    {
      size_t a = merge->winners[2 * node], b = merge->winners[2 * node + 1];
      bool first = beats (merge, a, b);
      merge->winners[node] = first ? a : b;
      merge->losers[node] = first ? b : a;
    }
  merge->winner = merge->winners[1];
  merge->runner_up = NOBODY;
}

/* Plays the matches on the path of the present winner, which has moved. */
static void
play_path (struct merge_source *merge)
{
  size_t best = merge->winner;
  for (size_t node = (merge->count + best) / 2; node >= 1; node /= 2)
    if (beats (merge, merge->losers[node], best))
      {
        size_t loser = best;
        best = merge->losers[node];
        merge->losers[node] = loser;
      }
  merge->runner_up = NOBODY;
  merge->winner = best;
}

static size_t
find_runner_up (struct merge_source *merge)
{
  size_t best = NOBODY;
  for (size_t node = (merge->count + merge->winner) / 2; node >= 1; node /= 2)
    if (best == NOBODY || beats (merge, merge->losers[node], best))
      best = merge->losers[node];
  return best;
}

/* ---- moving ---- */

static status
publish (struct merge_source *merge)
{
  const struct source *winner = merge->children[merge->winner].source;
  merge->source.valid = winner->valid;
  if (winner->valid && merge->source.lean)
    merge->source.lent = source_record (winner);
  else if (winner->valid)
    merge->source.record = *source_record (winner);
  return STATUS_OK;
}

static status
step (struct source *source, bool backward, struct failure *failure)
{
  return backward ? source_previous (source, failure) : source_next (source, failure);
}

/* Moves the winner on by one and finds the next winner. */
static status
advance_once (struct merge_source *merge, struct failure *failure)
{
  size_t moved = merge->winner;
  struct child *child = &merge->children[moved];
  child->duplicate = false;
  status code = step (child->source, merge->backward, failure);
  if (code != STATUS_OK)
    return code;
  if (merge->runner_up != NOBODY && beats (merge, moved, merge->runner_up))
    return STATUS_OK;
  play_path (merge);
  if (merge->winner == moved && child->source->valid)
    merge->runner_up = find_runner_up (merge);
  return STATUS_OK;
}

static status
advance (struct merge_source *merge, struct failure *failure)
{
  merge->source.valid = false;
  do
    {
      status code = advance_once (merge, failure);
      if (code != STATUS_OK)
        return code;
    }
  while (merge->children[merge->winner].source->valid && merge->children[merge->winner].duplicate);
  return publish (merge);
}

/* K1 after turning round: every other child steps over the current record, and one that had ended
 * stands at the end it went past. */
static status
turn (struct merge_source *merge, struct failure *failure)
{
  bool backward = !merge->backward;
  for (size_t i = 0; i < merge->count; i++)
    {
      struct source *child = merge->children[i].source;
      status code = STATUS_OK;
      if (i == merge->winner)
        continue;
      if (child->valid)
        code = step (child, backward, failure);
      else
        code = backward ? source_last (child, failure) : source_first (child, failure);
      if (code != STATUS_OK)
        return code;
    }
  struct source *current = merge->children[merge->winner].source;
  status code = step (current, backward, failure);
  if (code != STATUS_OK)
    return code;
  merge->backward = backward;
  play_all (merge);
  return publish (merge);
}

static status
move (struct source *source, bool backward, struct failure *failure)
{
  struct merge_source *merge = merge_of (source);
  if (!source->valid)
    return STATUS_OK;
  if (merge->backward == backward)
    return advance (merge, failure);
  source->valid = false;
  return turn (merge, failure);
}

static status
merge_next (struct source *source, struct failure *failure)
{
  return move (source, false, failure);
}

static status
merge_previous (struct source *source, struct failure *failure)
{
  return move (source, true, failure);
}

/* ---- positioning ---- */

enum place
{
  AT_KEY,
  BEFORE_KEY,
  AT_FIRST,
  AT_LAST
};

static status
place_child (struct source *child, enum place place, struct bytes key, struct failure *failure)
{
  switch (place)
    {
    case AT_KEY:
      return source_seek (child, key, failure);
    case BEFORE_KEY:
      return source_seek_before (child, key, failure);
    case AT_FIRST:
      return source_first (child, failure);
    case AT_LAST:
      break;
    }
  return source_last (child, failure);
}

static status
place_all (struct source *source, enum place place, struct bytes key, struct failure *failure)
{
  struct merge_source *merge = merge_of (source);
  source->valid = false;
  for (size_t i = 0; i < merge->count; i++)
    {
      status code = place_child (merge->children[i].source, place, key, failure);
      if (code != STATUS_OK)
        return code;
    }
  merge->backward = place == BEFORE_KEY || place == AT_LAST;
  play_all (merge);
  return publish (merge);
}

static status
merge_seek (struct source *source, struct bytes key, struct failure *failure)
{
  return place_all (source, AT_KEY, key, failure);
}

static status
merge_seek_before (struct source *source, struct bytes key, struct failure *failure)
{
  return place_all (source, BEFORE_KEY, key, failure);
}

static status
merge_first (struct source *source, struct failure *failure)
{
  return place_all (source, AT_FIRST, BYTES_NONE, failure);
}

static status
merge_last (struct source *source, struct failure *failure)
{
  return place_all (source, AT_LAST, BYTES_NONE, failure);
}

static void
merge_release (struct source *source)
{
  struct merge_source *merge = merge_of (source);
  for (size_t i = 0; i < merge->count; i++)
    source_release (merge->children[i].source);
  free (merge->losers);
  free (merge);
}

static const struct source_operations merge_operations = {
  merge_seek, merge_seek_before, merge_first, merge_last, merge_next, merge_previous, merge_release,
};

/* ---- the merge of nothing ---- */

static status
empty_seek (struct source *source, struct bytes key, struct failure *failure)
{
  return STATUS_OK;
}

static status
empty_move (struct source *source, struct failure *failure)
{
  return STATUS_OK;
}

static void
empty_release (struct source *source)
{
  free (source);
}

static const struct source_operations empty_operations = {
  empty_seek, empty_seek, empty_move, empty_move, empty_move, empty_move, empty_release,
};

static status
empty_source_new (struct source **out, struct failure *failure)
{
  *out = calloc (1, sizeof **out);
  if (*out == NULL)
    return fail_memory (failure, sizeof **out, "a merge");
  (*out)->operations = &empty_operations;
  return STATUS_OK;
}

/* ---- making one ---- */

static struct merge_source *
merge_allocate (size_t count)
{
  size_t size, nodes;
  if (__builtin_mul_overflow (count, sizeof (struct child), &size)
      || __builtin_add_overflow (size, sizeof (struct merge_source), &size)
      || __builtin_mul_overflow (count, 3 * sizeof (size_t), &nodes))
    return NULL;
  struct merge_source *merge = calloc (1, size);
  if (merge == NULL)
    return NULL;
  merge->losers = malloc (nodes);
  if (merge->losers == NULL)
    {
      free (merge);
      return NULL;
    }
  merge->winners = merge->losers + count;
  return merge;
}

status
merge_source_new (struct source **children, size_t count, struct source **out,
                  struct failure *failure)
{
  *out = NULL;
  if (count == 0)
    return empty_source_new (out, failure);
  if (count == 1)
    {
      *out = children[0];
      return STATUS_OK;
    }
  struct merge_source *merge = merge_allocate (count);
  if (merge == NULL)
    {
      for (size_t i = 0; i < count; i++)
        source_release (children[i]);
      return fail_memory (failure, count * sizeof (struct child), "a merge");
    }
  merge->source.operations = &merge_operations;
  merge->count = count;
  for (size_t i = 0; i < count; i++)
    {
      merge->children[i].source = children[i];
      children[i]->lean = true;
    }
  *out = &merge->source;
  return STATUS_OK;
}
