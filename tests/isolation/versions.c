/* SPDX-License-Identifier: MIT */
/*
 * Each key by itself: the order of its versions, and the dependencies that follow from it.
 *
 * A version is what a transaction leaves in a key when it commits. The elements of all versions
 * between two deletions of the key stand in one row, the `elements` of the key, and a version is a
 * piece of it: appending makes the piece longer, deleting begins a new one.
 *
 *   elements   10 11 12 │ 20 │ 30 31
 *   versions   ──        a transaction appended 10
 *              ────────  one appended 11 and 12
 *                        one deleted the key
 *                         ──   one appended 20 …
 *
 * Versions in a row that are equal (a key deleted twice) can't be told apart by who reads them: a
 * reader depends on the first of them, and whoever makes the next that differs overwrites it.
 */
#include "anomalies.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* One transaction's dealings with one key. */
struct visit
{
  uint32_t transaction;
  bool reads;          /* what others wrote: before it wrote itself */
  bool writes, clears; /* it leaves a version; that holds nothing of the one before */
  uint32_t seen_count;
  const uint32_t *seen; /* when it reads */
  size_t own;           /* where in `appended` its elements stand */
  uint32_t own_count;   /* elements it leaves, behind what was there unless it clears */
  uint32_t version;     /* it leaves; NONE */
};

struct version
{
  uint32_t transaction;
  uint32_t count;    /* elements */
  size_t start;      /* in the row of elements */
  uint64_t sequence; /* of the commit; 0 = not known */
};

/* Who wrote an element. */
struct origin
{
  uint32_t transaction; /* NONE = nobody */
  uint32_t key;
  bool lasts;      /* it is in what the transaction left */
  uint32_t number; /* of the version that brought it, once known; NONE */
  size_t place;    /* in the key's row of elements */
  uint64_t looked; /* when a list that has it was last looked through */
};

struct key_order
{
  const struct history *history;
  struct graph *graph;
  struct findings *findings;
  uint32_t key;
  struct origin *origins; /* by element; malloc'd */
  size_t origin_count;
  uint64_t looks;       /* lists looked through */
  struct visit *visits; /* of the key; by moment of begin; malloc'd */
  size_t visit_count, visit_room;
  uint32_t *appended; /* by the visits; malloc'd */
  size_t appended_count, appended_room;
  struct version *versions; /* in their order; malloc'd */
  uint32_t version_count, version_room;
  uint32_t *elements; /* the row; malloc'd */
  size_t element_count, element_room;
};

static void *
room_for_one (void *list, size_t size, size_t count, size_t *room)
{
  if (count < *room)
    return list;
  *room = count * 2 + 64;
  list = realloc (list, *room * size);
  if (list == NULL)
    abort ();
  return list;
}

/* ---- saying what is wrong ---- */

static void
print_list (const uint32_t *list, uint32_t count, FILE *to)
{
  fputc ('[', to);
  for (uint32_t i = 0; i < count; i++)
    fprintf (to, "%s%" PRIu32, i == 0 ? "" : " ", list[i]);
  fputc (']', to);
}

/* “key K: reason”, what was read, and the transactions. */
static void
complain (struct key_order *order, enum anomaly anomaly, const char *reason,
          const struct visit *visit, uint32_t other)
{
  FILE *to = findings_note (order->findings, anomaly, NULL);
  if (to == NULL)
    return;
  fprintf (to, "  key %" PRIu32 ": %s", order->key, reason);
  if (visit->reads)
    {
      fputs ("; it read ", to);
      print_list (visit->seen, visit->seen_count, to);
    }
  fputs ("\n    ", to);
  history_print_transaction (order->history, visit->transaction, to);
  if (other != NONE && other != visit->transaction)
    {
      fputs ("    ", to);
      history_print_transaction (order->history, other, to);
    }
  fclose (to);
}

/* ---- what a transaction does to a key ---- */

struct walk
{
  struct visit visit;
  bool known;      /* what a read must give: */
  uint32_t prefix; /* so many of the elements seen, then its own */
};

static bool
agrees (const struct key_order *order, const struct walk *walk, const uint32_t *list,
        uint32_t count)
{
  const struct visit *visit = &walk->visit;
  return count == walk->prefix + visit->own_count
         && (walk->prefix == 0 || memcmp (list, visit->seen, walk->prefix * sizeof *list) == 0)
         && (visit->own_count == 0
             || memcmp (list + walk->prefix, order->appended + visit->own,
                        visit->own_count * sizeof *list)
                    == 0);
}

/* The first read of the key: what others left, then what it appended itself. */
static void
learn (struct key_order *order, struct walk *walk, const uint32_t *list, uint32_t count)
{
  struct visit *visit = &walk->visit;
  walk->known = true;
  visit->reads = true;
  visit->seen = list;
  visit->seen_count = walk->prefix = count < visit->own_count ? 0 : count - visit->own_count;
}

static void
walk_step (struct key_order *order, struct walk *walk, const struct step *step)
{
  struct visit *visit = &walk->visit;
  const uint32_t *list = order->history->elements + step->list;
  switch (step->kind)
    {
    case STEP_READ:
      if (!walk->known)
        learn (order, walk, list, step->count);
      if (!agrees (order, walk, list, step->count))
        complain (order, ANOMALY_INTERNAL, "a transaction does not see what it should", visit,
                  NONE);
      break;
    case STEP_APPEND:
      order->appended = room_for_one (order->appended, sizeof *order->appended,
                                      order->appended_count, &order->appended_room);
      order->appended[order->appended_count++] = step->element;
      visit->own_count++;
      visit->writes = true;
      break;
    case STEP_CLEAR:
      walk->known = visit->writes = visit->clears = true;
      walk->prefix = visit->own_count = 0;
      visit->own = order->appended_count;
    }
}

/* All its steps on the key. */
static void
add_visit (struct key_order *order, uint32_t transaction)
{
  const struct transaction *it = &order->history->transactions[transaction];
  const struct step *steps = history_steps (order->history, it);
  struct walk walk = { .visit = { .transaction = transaction, .version = NONE } };
  walk.visit.own = order->appended_count;
  for (size_t i = 0; i < it->count; i++)
    if (steps[i].key == order->key)
      walk_step (order, &walk, &steps[i]);
  order->visits
      = room_for_one (order->visits, sizeof *order->visits, order->visit_count, &order->visit_room);
  order->visits[order->visit_count++] = walk.visit;
}

/* ---- the order of versions ---- */

static bool
is_committed (const struct key_order *order, uint32_t transaction)
{
  return order->history->transactions[transaction].committed;
}

static void
add_version (struct key_order *order, uint32_t transaction, size_t start)
{
  size_t room = order->version_room;
  order->versions
      = room_for_one (order->versions, sizeof *order->versions, order->version_count, &room);
  order->version_room = (uint32_t) room;
  order->versions[order->version_count++] = (struct version){
    .transaction = transaction,
    .start = start,
    .count = (uint32_t) (order->element_count - start),
    .sequence = order->history->transactions[transaction].sequence,
  };
}

static void
add_element (struct key_order *order, uint32_t element)
{
  order->elements = room_for_one (order->elements, sizeof *order->elements, order->element_count,
                                  &order->element_room);
  struct origin *origin = &order->origins[element];
  origin->place = order->element_count;
  origin->number = order->version_count;
  order->elements[order->element_count++] = element;
}

static bool
is_sound_element (struct key_order *order, const struct visit *visit, uint32_t element, bool tell)
{
  struct origin *origin = element < order->origin_count ? &order->origins[element] : NULL;
  bool known = origin != NULL && origin->transaction != NONE && origin->key == order->key;
  bool twice = known && origin->looked == order->looks;
  bool counts
      = known
        && (is_committed (order, origin->transaction) || origin->transaction == visit->transaction);
  if (known)
    origin->looked = order->looks;
  if (!known && tell)
    complain (order, ANOMALY_GARBAGE, "an element that nobody wrote there", visit, NONE);
  if (twice && tell)
    complain (order, ANOMALY_GARBAGE, "an element twice", visit, NONE);
  if (known && !counts && tell)
    complain (order, ANOMALY_G1A, "reads what was not committed", visit, origin->transaction);
  return counts && !twice;
}

/* Whether each element read was written to this key and committed, and is there once. */
static bool
is_sound (struct key_order *order, const struct visit *visit, bool tell)
{
  order->looks++;
  for (uint32_t i = 0; i < visit->seen_count; i++)
    if (!is_sound_element (order, visit, visit->seen[i], tell))
      return false;
  return true;
}

/* The longest list that was read has all writes up to it in their order. */
static void
order_by_lists (struct key_order *order)
{
  const struct visit *longest = NULL;
  for (size_t i = 0; i < order->visit_count; i++)
    if (order->visits[i].reads
        && (longest == NULL || order->visits[i].seen_count > longest->seen_count)
        && is_sound (order, &order->visits[i], false))
      longest = &order->visits[i];
  for (uint32_t i = 0; longest != NULL && i < longest->seen_count; i++)
    {
      uint32_t writer = order->origins[longest->seen[i]].transaction;
      add_element (order, longest->seen[i]);
      if (i + 1 == longest->seen_count
          || order->origins[longest->seen[i + 1]].transaction != writer)
        add_version (order, writer, 0);
    }
}

static int
compare_sequences (const void *a, const void *b)
{
  const struct version *left = a, *right = b;
  return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

/* Plays the writes in the order of their commits. */
static void
order_by_sequences (struct key_order *order)
{
  size_t start = 0;
  for (size_t i = 0; i < order->visit_count; i++)
    if (order->visits[i].writes && is_committed (order, order->visits[i].transaction))
      {
        add_version (order, order->visits[i].transaction, 0);
        order->versions[order->version_count - 1].start = i; /* for now: the visit */
      }
  qsort (order->versions, order->version_count, sizeof *order->versions, compare_sequences);
  uint32_t count = order->version_count;
  order->version_count = 0; /* add_element counts on it */
  for (uint32_t i = 0; i < count; i++)
    {
      const struct visit *visit = &order->visits[order->versions[i].start];
      if (visit->clears)
        start = order->element_count;
      for (uint32_t j = 0; j < visit->own_count; j++)
        add_element (order, order->appended[visit->own + j]);
      add_version (order, visit->transaction, start);
    }
}

/* ---- what each visit saw and left ---- */

static bool
are_equal (const struct key_order *order, uint32_t a, uint32_t b)
{
  const struct version *left = &order->versions[a], *right = &order->versions[b];
  return left->count == right->count && (left->count == 0 || left->start == right->start);
}

/* The first of the equal versions around one; NONE: before anything was written. */
static uint32_t
first_like (const struct key_order *order, uint32_t version)
{
  while (version != NONE && version > 0 && are_equal (order, version, version - 1))
    version--;
  return version == 0 && order->versions[0].count == 0 ? NONE : version;
}

/* The next that differs; version_count: there is none. */
static uint32_t
next_unlike (const struct key_order *order, uint32_t version)
{
  uint32_t next = version == NONE ? 0 : version + 1;
  while (next < order->version_count
         && (version == NONE ? order->versions[next].count == 0 : are_equal (order, version, next)))
    next++;
  return next;
}

/* An empty list: the version is the one at its snapshot. False: it can't be told. */
static bool
find_empty (struct key_order *order, const struct visit *visit, bool cleared, uint32_t *out)
{
  const struct transaction *it = &order->history->transactions[visit->transaction];
  *out = NONE;
  if (!cleared)
    return true;
  if (!it->has_snapshot)
    return false;
  for (uint32_t i = 0; i < order->version_count && order->versions[i].sequence <= it->snapshot; i++)
    *out = i;
  if (*out == NONE || order->versions[*out].count == 0)
    return true;
  complain (order, ANOMALY_INCOMPATIBLE, "reads nothing, at a commit at which there is something",
            visit, order->versions[*out].transaction);
  return false;
}

/* Whether the elements read are the first of a version; which one. */
static bool
is_part (const struct key_order *order, const struct visit *visit, const struct version **out)
{
  uint32_t element = visit->seen[visit->seen_count - 1];
  const struct origin *last = element < order->origin_count ? &order->origins[element] : NULL;
  if (last == NULL || last->key != order->key || last->number >= order->version_count)
    return false;
  const struct version *version = *out = &order->versions[last->number];
  return last->place == version->start + visit->seen_count - 1
         && memcmp (order->elements + version->start, visit->seen,
                    visit->seen_count * sizeof *visit->seen)
                == 0;
}

/* The version a visit read; false: none, which is told. */
static bool
find_version (struct key_order *order, const struct visit *visit, bool cleared, uint32_t *out)
{
  const struct version *version = NULL;
  if (visit->seen_count == 0)
    return find_empty (order, visit, cleared, out);
  bool part = is_part (order, visit, &version);
  if (part && version->count == visit->seen_count)
    {
      *out = (uint32_t) (version - order->versions);
      return true;
    }
  if (!is_sound (order, visit, true))
    return false;
  const struct origin *last = &order->origins[visit->seen[visit->seen_count - 1]];
  if (part || !last->lasts)
    complain (order, ANOMALY_G1B, "reads what its writer had not done with", visit,
              last->transaction);
  else
    complain (order, ANOMALY_INCOMPATIBLE, "no order of the writes explains this list", visit,
              last->transaction);
  return false;
}

/* ---- the numbers of the commits ---- */

static void
check_numbers (struct key_order *order, const struct visit *visit, uint32_t version)
{
  const struct transaction *it = &order->history->transactions[visit->transaction];
  uint32_t first = first_like (order, version), next = next_unlike (order, version);
  const struct version *after = next < order->version_count ? &order->versions[next] : NULL;
  if (it->has_snapshot && first != NONE && order->versions[first].sequence > it->snapshot)
    complain (order, ANOMALY_NUMBERS, "reads a commit that is newer than its snapshot", visit,
              order->versions[first].transaction);
  if (after == NULL || after->transaction == visit->transaction || after->sequence == 0)
    return;
  if (it->has_snapshot && after->sequence <= it->snapshot)
    complain (order, ANOMALY_NUMBERS, "misses a commit of its snapshot", visit, after->transaction);
  if (it->committed && it->level == LEVEL_SERIALIZABLE && after->sequence < it->sequence)
    complain (order, ANOMALY_NUMBERS, "what it read was overwritten before its own commit", visit,
              after->transaction);
}

static void
check_written (struct key_order *order, const struct visit *visit)
{
  const struct transaction *it = &order->history->transactions[visit->transaction];
  const struct version *before
      = visit->version != NONE && visit->version > 0 ? &order->versions[visit->version - 1] : NULL;
  if (before == NULL)
    return;
  if (it->has_snapshot && before->sequence > it->snapshot)
    complain (order, ANOMALY_NUMBERS, "a key it wrote had changed since its snapshot", visit,
              before->transaction);
  if (it->sequence != 0 && before->sequence > it->sequence)
    complain (order, ANOMALY_NUMBERS, "an older commit overwrote it", visit, before->transaction);
}

/* ---- dependencies ---- */

static void
add_read (struct key_order *order, const struct visit *visit, uint32_t version)
{
  uint32_t first = first_like (order, version), next = next_unlike (order, version);
  order->findings->reads++;
  check_numbers (order, visit, version);
  if (first != NONE)
    graph_add (order->graph, order->versions[first].transaction, visit->transaction, EDGE_WR,
               order->key);
  if (next < order->version_count)
    graph_add (order->graph, visit->transaction, order->versions[next].transaction, EDGE_RW,
               order->key);
  if (visit->version != NONE && next < visit->version)
    complain (order, ANOMALY_LOST_UPDATE, "wrote over a version that it had not read", visit,
              order->versions[next].transaction);
}

/* Committed appends that nobody sees, though somebody looked later. */
static void
find_lost (struct key_order *order)
{
  uint32_t last = NONE;
  const struct transaction *all = order->history->transactions;
  for (size_t i = 0; i < order->visit_count; i++)
    if (order->visits[i].reads
        && (last == NONE || all[order->visits[i].transaction].invoked > all[last].invoked))
      last = order->visits[i].transaction;
  for (size_t i = 0; i < order->visit_count && last != NONE; i++)
    {
      const struct visit *visit = &order->visits[i];
      if (visit->own_count > 0 && is_committed (order, visit->transaction)
          && order->origins[order->appended[visit->own]].number == NONE
          && all[visit->transaction].completed < all[last].invoked)
        complain (order, ANOMALY_LOST_UPDATE, "what it appended is gone", visit, last);
    }
}

static void
number_visits (struct key_order *order)
{
  uint32_t *by = malloc ((order->history->count + 1) * sizeof *by); /* version by transaction */
  if (by == NULL)
    abort ();
  for (size_t i = 0; i < order->visit_count; i++)
    by[order->visits[i].transaction] = NONE;
  for (uint32_t i = 0; i < order->version_count; i++)
    by[order->versions[i].transaction] = i;
  for (size_t i = 0; i < order->visit_count; i++)
    order->visits[i].version = by[order->visits[i].transaction];
  free (by);
}

static void
judge_key (struct key_order *order)
{
  bool cleared = false;
  for (size_t i = 0; i < order->visit_count; i++)
    cleared |= order->visits[i].clears && is_committed (order, order->visits[i].transaction);
  if (cleared)
    order_by_sequences (order);
  else
    order_by_lists (order);
  number_visits (order);
  order->findings->versions += order->version_count;
  for (uint32_t i = 1; i < order->version_count; i++)
    graph_add (order->graph, order->versions[i - 1].transaction, order->versions[i].transaction,
               EDGE_WW, order->key);
  for (size_t i = 0; i < order->visit_count; i++)
    {
      uint32_t version;
      const struct visit *visit = &order->visits[i];
      if (visit->reads && find_version (order, visit, cleared, &version))
        add_read (order, visit, version);
      if (visit->writes)
        check_written (order, visit);
    }
  find_lost (order);
}

/* ---- all keys ---- */

/* Who appended which element, and whether it lasts. */
static void
note_origins (struct key_order *order)
{
  const struct history *history = order->history;
  for (size_t i = 0; i < history->step_count; i++)
    if (history->steps[i].kind == STEP_APPEND && history->steps[i].element >= order->origin_count)
      order->origin_count = (size_t) history->steps[i].element + 1;
  order->origins = malloc ((order->origin_count + 1) * sizeof *order->origins);
  if (order->origins == NULL)
    abort ();
  for (size_t i = 0; i < order->origin_count; i++)
    order->origins[i] = (struct origin){ .transaction = NONE, .number = NONE };
  for (uint32_t i = 0; i < history->count; i++)
    {
      const struct transaction *it = &history->transactions[i];
      const struct step *steps = history_steps (history, it);
      for (size_t j = 0; j < it->count; j++)
        if (steps[j].kind == STEP_APPEND)
          {
            bool lasts = true;
            for (size_t k = j + 1; k < it->count; k++)
              lasts &= steps[k].kind != STEP_CLEAR || steps[k].key != steps[j].key;
            order->origins[steps[j].element]
                = (struct origin){ i, steps[j].key, lasts, NONE, 0, 0 };
          }
    }
}

/* A key and a transaction that has to do with it. */
struct touch
{
  uint32_t key, transaction;
};

static int
compare_touches (const void *a, const void *b)
{
  const struct touch *left = a, *right = b;
  if (left->key != right->key)
    return left->key < right->key ? -1 : 1;
  return (left->transaction > right->transaction) - (left->transaction < right->transaction);
}

void
versions_find (const struct history *history, struct graph *graph, struct findings *findings)
{
  struct key_order order = { .history = history, .graph = graph, .findings = findings };
  struct touch *touches = malloc ((history->step_count + 1) * sizeof *touches);
  size_t count = 0;
  if (touches == NULL)
    abort ();
  for (uint32_t i = 0; i < history->count; i++)
    for (size_t j = 0; j < history->transactions[i].count; j++)
      touches[count++]
          = (struct touch){ history_steps (history, &history->transactions[i])[j].key, i };
  qsort (touches, count, sizeof *touches, compare_touches);
  note_origins (&order);
  for (size_t i = 0; i < count;)
    {
      order.key = touches[i].key;
      order.visit_count = order.appended_count = order.element_count = 0;
      order.version_count = 0;
      for (; i < count && touches[i].key == order.key; i++)
        if (i == 0 || compare_touches (&touches[i - 1], &touches[i]) != 0)
          add_visit (&order, touches[i].transaction);
      judge_key (&order);
    }
  free (touches);
  free (order.origins);
  free (order.visits);
  free (order.appended);
  free (order.versions);
  free (order.elements);
}
