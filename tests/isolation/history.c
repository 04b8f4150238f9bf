/* SPDX-License-Identifier: MIT */
#include "history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` behind `count`; there is memory, or the test ends. */
static void *
grow (void *list, size_t size, size_t count, size_t more, size_t *room)
{
  if (count + more <= *room)
    return list;
  *room = (count + more) * 2 + 64;
  list = realloc (list, *room * size);
  if (list == NULL)
    abort ();
  return list;
}

void
history_clear (struct history *history)
{
  free (history->transactions);
  free (history->steps);
  free (history->elements);
  *history = (struct history){ 0 };
}

struct transaction *
history_begin (struct history *history)
{
  history->transactions = grow (history->transactions, sizeof *history->transactions,
                                history->count, 1, &history->room);
  struct transaction *transaction = &history->transactions[history->count++];
  *transaction = (struct transaction){ .first = history->step_count };
  return transaction;
}

static struct step *
add_step (struct history *history, enum step_kind kind, uint32_t key)
{
  history->steps
      = grow (history->steps, sizeof *history->steps, history->step_count, 1, &history->step_room);
  struct step *step = &history->steps[history->step_count++];
  *step = (struct step){ .kind = kind, .key = key, .list = history->element_count };
  history->transactions[history->count - 1].count++;
  return step;
}

void
history_read (struct history *history, uint32_t key, const uint32_t *list, uint32_t count)
{
  struct step *step = add_step (history, STEP_READ, key);
  step->count = count;
  history->elements = grow (history->elements, sizeof *history->elements, history->element_count,
                            count, &history->element_room);
  if (count > 0)
    memcpy (history->elements + history->element_count, list, count * sizeof *list);
  history->element_count += count;
}

void
history_append (struct history *history, uint32_t key, uint32_t element)
{
  add_step (history, STEP_APPEND, key)->element = element;
}

void
history_wipe (struct history *history, uint32_t key)
{
  add_step (history, STEP_CLEAR, key);
}

void
history_forget (struct history *history)
{
  history->step_count = history->transactions[--history->count].first;
}

void
history_add (struct history *history, const struct history *from)
{
  for (size_t i = 0; i < from->count; i++)
    {
      const struct transaction *old = &from->transactions[i];
      const struct step *steps = history_steps (from, old);
      struct transaction *new = history_begin (history);
      size_t first = new->first;
      *new = *old;
      new->first = first;
      new->count = 0;
      for (size_t j = 0; j < old->count; j++)
        if (steps[j].kind == STEP_READ)
          history_read (history, steps[j].key, from->elements + steps[j].list, steps[j].count);
        else
          add_step (history, steps[j].kind, steps[j].key)->element = steps[j].element;
    }
}

/* ---- as text ---- */

static void
print_step (const struct history *history, const struct step *step, FILE *to)
{
  fprintf (to, "%c %" PRIu32, "rac"[step->kind], step -> key);
  if (step->kind == STEP_APPEND)
    fprintf (to, " %" PRIu32, step->element);
  for (uint32_t i = 0; step->kind == STEP_READ && i < step->count; i++)
    fprintf (to, " %" PRIu32, history->elements[step->list + i]);
}

void
history_print_transaction (const struct history *history, size_t transaction, FILE *to)
{
  const struct transaction *it = &history->transactions[transaction];
  fprintf (to, "%s %s %" PRIu32 " %" PRIu64 " %" PRIu64 " ", it->committed ? "ok" : "no",
           it->level == LEVEL_SERIALIZABLE ? "serializable" : "snapshot", it->process, it->invoked,
           it->completed);
  if (it->has_snapshot)
    fprintf (to, "%" PRIu64, it->snapshot);
  else
    fputc ('-', to);
  fprintf (to, " %" PRIu64 ":", it->sequence);
  for (size_t i = 0; i < it->count; i++)
    {
      fputs (i == 0 ? " " : ", ", to);
      print_step (history, history_steps (history, it) + i, to);
    }
  fputc ('\n', to);
}

void
history_print (const struct history *history, FILE *to)
{
  for (size_t i = 0; i < history->count; i++)
    history_print_transaction (history, i, to);
}

/* The number at *at, which moves behind it and the blanks around it. */
static bool
parse_number (const char **at, uint64_t *out)
{
  char *end;
  *out = strtoull (*at, &end, 10);
  if (end == *at)
    return false;
  *at = end + strspn (end, " ");
  return true;
}

static bool
parse_step (struct history *history, const char **at)
{
  uint64_t key, element;
  char kind = **at;
  ++*at;
  if (!parse_number (at, &key))
    return false;
  if (kind == 'c')
    history_wipe (history, (uint32_t) key);
  else if (kind == 'a' && parse_number (at, &element))
    history_append (history, (uint32_t) key, (uint32_t) element);
  else if (kind == 'r')
    {
      history_read (history, (uint32_t) key, NULL, 0);
      struct step *step = &history->steps[history->step_count - 1];
      for (; parse_number (at, &element); step->count++)
        {
          history->elements = grow (history->elements, sizeof *history->elements,
                                    history->element_count, 1, &history->element_room);
          history->elements[history->element_count++] = (uint32_t) element;
        }
    }
  else
    return false;
  return true;
}

static bool
parse_head (struct transaction *transaction, const char **at)
{
  char outcome[4], level[16], snapshot[24];
  int used = 0;
  if (sscanf (*at, "%3s %15s %" SCNu32 " %" SCNu64 " %" SCNu64 " %23s %" SCNu64 ":%n", outcome,
              level, &transaction->process, &transaction->invoked, &transaction->completed,
              snapshot, &transaction->sequence, &used)
          != 7
      || used == 0)
    return false;
  *at += used;
  *at += strspn (*at, " ");
  transaction->committed = strcmp (outcome, "ok") == 0;
  transaction->level = strcmp (level, "serializable") == 0 ? LEVEL_SERIALIZABLE : LEVEL_SNAPSHOT;
  transaction->has_snapshot = snapshot[0] != '-';
  transaction->snapshot = strtoull (snapshot, NULL, 10);
  return true;
}

bool
history_parse (struct history *history, const char *text, unsigned *line)
{
  for (*line = 1; *text != '\0'; ++*line)
    {
      if (!parse_head (history_begin (history), &text))
        return false;
      while (*text != '\0' && *text != '\n')
        {
          if (!parse_step (history, &text))
            return false;
          text += strspn (text, ", ");
        }
      text += *text == '\n';
    }
  return true;
}
