/* SPDX-License-Identifier: MIT */
#include "anomalies.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_MOST 4000 /* edges tried for a cycle of one kind; then there is another bug */

const char *
anomaly_name (enum anomaly anomaly)
{
  static const char *names[ANOMALIES] = {
    "internal",    "garbage",      "incompatible-order", "G1a",
    "G1b",         "lost-update",  "commit-numbers",     "G0",
    "G1c",         "G-single",     "G-nonadjacent",      "G2",
    "G0-realtime", "G1c-realtime", "G-single-realtime",  "G-nonadjacent-realtime",
    "G2-realtime",
  };
  return names[anomaly];
}

/* ---- findings ---- */

FILE *
findings_note (struct findings *findings, enum anomaly anomaly, size_t *size)
{
  static size_t nobody_asks;
  findings->found |= 1u << anomaly;
  if (findings->counts[anomaly]++ > 0)
    return NULL;
  return open_memstream (&findings->examples[anomaly], size != NULL ? size : &nobody_asks);
}

void
findings_print (const struct findings *findings, unsigned kinds, FILE *to)
{
  for (unsigned i = 0; i < ANOMALIES; i++)
    if ((findings->found & kinds & 1u << i) != 0)
      fprintf (to, "%s, %" PRIu64 " times; the first:\n%s", anomaly_name (i), findings->counts[i],
               findings->examples[i]);
}

void
findings_clear (struct findings *findings)
{
  for (unsigned i = 0; i < ANOMALIES; i++)
    free (findings->examples[i]);
  *findings = (struct findings){ 0 };
}

/* ---- real time ---- */

struct moment
{
  uint64_t at;
  uint32_t transaction;
  bool ends;
};

static int
compare_moments (const void *a, const void *b)
{
  const struct moment *left = a, *right = b;
  if (left->at != right->at)
    return left->at < right->at ? -1 : 1;
  return left->ends - right->ends; /* what ends when another begins is not before it */
}

/* Those that ended and are not before another one that ended, too. */
struct frontier
{
  uint32_t *list; /* malloc'd */
  size_t count, room;
};

static void
end_transaction (const struct history *history, struct frontier *frontier, uint32_t transaction)
{
  size_t kept = 0;
  for (size_t i = 0; i < frontier->count; i++)
    if (history->transactions[frontier->list[i]].completed
        >= history->transactions[transaction].invoked)
      frontier->list[kept++] = frontier->list[i];
  if (kept == frontier->room)
    {
      frontier->room = kept * 2 + 16;
      frontier->list = realloc (frontier->list, frontier->room * sizeof *frontier->list);
      if (frontier->list == NULL)
        abort ();
    }
  frontier->list[kept++] = transaction;
  frontier->count = kept;
}

/* Not all pairs: an edge that follows from others is left out. */
static void
add_real_time (const struct history *history, struct graph *graph)
{
  struct frontier frontier = { 0 };
  struct moment *moments = malloc ((history->count * 2 + 1) * sizeof *moments);
  if (moments == NULL)
    abort ();
  for (uint32_t i = 0; i < history->count; i++)
    {
      moments[i * 2] = (struct moment){ history->transactions[i].invoked, i, false };
      moments[i * 2 + 1] = (struct moment){ history->transactions[i].completed, i, true };
    }
  qsort (moments, history->count * 2, sizeof *moments, compare_moments);
  for (size_t i = 0; i < history->count * 2; i++)
    if (moments[i].ends)
      end_transaction (history, &frontier, moments[i].transaction);
    else
      for (size_t j = 0; j < frontier.count; j++)
        graph_add (graph, frontier.list[j], moments[i].transaction, EDGE_RT, 0);
  free (frontier.list);
  free (moments);
}

/* ---- cycles ---- */

struct cycles
{
  const struct history *history;
  const struct graph *graph;
  struct findings *findings;
  unsigned real_time; /* EDGE_RT, or 0 */
};

static const char *
kind_name (enum edge_kind kind)
{
  return kind == EDGE_WW   ? "wrote over what it wrote"
         : kind == EDGE_WR ? "read what it wrote"
         : kind == EDGE_RW ? "wrote over what it read"
                           : "began when it had ended";
}

/* A cycle: the walk, and the edge that closes it (NULL: it is closed). */
static void
note_cycle (const struct cycles *cycles, enum anomaly anomaly, const struct edge *closing,
            const struct edge **walk, size_t length)
{
  FILE *to = findings_note (cycles->findings, anomaly, NULL);
  if (to == NULL)
    return;
  for (size_t i = 0; i < length + (closing != NULL); i++)
    {
      const struct edge *edge = i < length ? walk[i] : closing;
      fprintf (to, "  T%" PRIu32 ": ", edge->from);
      history_print_transaction (cycles->history, edge->from, to);
      fprintf (to, "    T%" PRIu32 " %s", edge->to, kind_name (edge->kind));
      if (edge->kind != EDGE_RT)
        fprintf (to, ", key %" PRIu32, edge->key);
      fputc ('\n', to);
    }
  fclose (to);
}

static bool
is_known (const struct cycles *cycles, enum anomaly anomaly)
{
  return cycles->real_time != 0 && (cycles->findings->found & 1u << anomaly) != 0;
}

/* The kind in question, or its twin. */
static enum anomaly
variant (const struct cycles *cycles, enum anomaly anomaly)
{
  return cycles->real_time == 0 ? anomaly : anomaly + ANOMALY_G0_REALTIME - ANOMALY_G0;
}

/* Cycles of which one edge is of a kind, and the rest is within a view: its examples and the number
 * of the view's components in which there are some. */
static bool
find_cycles (const struct cycles *cycles, enum anomaly anomaly, enum edge_kind needed,
             unsigned rest)
{
  if (is_known (cycles, anomaly))
    return true;
  struct graph_view all = { cycles->graph, rest | needed | cycles->real_time, false };
  struct graph_view others = { cycles->graph, rest | cycles->real_time, false };
  uint32_t *component = graph_components (all);
  size_t tried = 0, length;
  bool found = false;
  for (size_t i = 0; i < cycles->graph->count && tried < CANDIDATES_MOST; i++)
    {
      const struct edge *edge = &cycles->graph->edges[i];
      if (edge->kind != needed || component[edge->from] != component[edge->to])
        continue;
      tried++;
      const struct edge **walk = graph_path (others, edge->to, edge->from, &length);
      if (walk == NULL)
        continue;
      found = true;
      note_cycle (cycles, variant (cycles, anomaly), edge, walk, length);
      free (walk);
      if (cycles->findings->counts[variant (cycles, anomaly)] >= 10)
        break; /* enough of them */
    }
  free (component);
  return found;
}

/* Cycles with rw edges, no two in a row. */
static void
find_nonadjacent (const struct cycles *cycles)
{
  enum edge_kind others = EDGE_WW | EDGE_WR;
  struct graph_view view
      = { cycles->graph, others | EDGE_RW | cycles->real_time, .nonadjacent = true };
  uint32_t *component = graph_components (view);
  const struct edge *edge = NULL;
  size_t length;
  for (size_t i = 0; i < cycles->graph->count && edge == NULL; i++)
    {
      const struct edge *it = &cycles->graph->edges[i];
      if (it->kind == EDGE_RW && component[it->from << 1] == component[it->to << 1 | 1])
        edge = it;
    }
  free (component);
  if (edge == NULL || find_cycles (cycles, ANOMALY_G_SINGLE, EDGE_RW, others)
      || is_known (cycles, ANOMALY_G_NONADJACENT))
    return;
  const struct edge **walk = graph_path (view, edge->to << 1 | 1, edge->from << 1, &length);
  note_cycle (cycles, variant (cycles, ANOMALY_G_NONADJACENT), edge, walk, length);
  free (walk);
}

/* Two rw edges in a row, within a component. */
static void
find_adjacent (const struct cycles *cycles)
{
  if (is_known (cycles, ANOMALY_G2))
    return;
  const struct graph *graph = cycles->graph;
  struct graph_view view = { graph, EDGE_WW | EDGE_WR | EDGE_RW | cycles->real_time, false };
  uint32_t *component = graph_components (view);
  bool *counted = calloc (graph->nodes + 1, sizeof *counted); /* by component */
  if (counted == NULL)
    abort ();
  for (size_t i = 0; i < graph->count; i++)
    {
      const struct edge *one = &graph->edges[i];
      if (one->kind != EDGE_RW || component[one->from] != component[one->to]
          || counted[component[one->from]])
        continue;
      for (size_t j = graph->first[one->to]; j < graph->first[one->to + 1]; j++)
        {
          const struct edge *two = &graph->edges[j];
          if (two->kind != EDGE_RW || component[two->to] != component[one->from])
            continue;
          size_t length = 0;
          const struct edge **back
              = two->to == one->from ? NULL : graph_path (view, two->to, one->from, &length);
          const struct edge **walk = malloc ((length + 2) * sizeof *walk);
          if (walk == NULL)
            abort ();
          walk[0] = one;
          walk[1] = two;
          if (back != NULL)
            memcpy (walk + 2, back, length * sizeof *walk);
          note_cycle (cycles, variant (cycles, ANOMALY_G2), NULL, walk, length + 2);
          free (back);
          free (walk);
          counted[component[one->from]] = true;
          break;
        }
    }
  free (counted);
  free (component);
}

static void
count_edges (const struct graph *graph, struct findings *findings)
{
  for (size_t i = 0; i < graph->count; i++)
    switch (graph->edges[i].kind)
      {
      case EDGE_WW:
        findings->ww++;
        break;
      case EDGE_WR:
        findings->wr++;
        break;
      case EDGE_RW:
        findings->rw++;
        break;
      case EDGE_RT:
        findings->rt++;
      }
}

void
anomalies_find (const struct history *history, struct findings *out)
{
  struct graph graph = { .nodes = (uint32_t) history->count };
  *out = (struct findings){ 0 };
  versions_find (history, &graph, out);
  add_real_time (history, &graph);
  graph_sort (&graph);
  count_edges (&graph, out);
  struct cycles cycles = { history, &graph, out, 0 };
  for (unsigned pass = 0; pass < 2; pass++)
    {
      cycles.real_time = pass == 0 ? 0 : EDGE_RT;
      find_cycles (&cycles, ANOMALY_G0, EDGE_WW, EDGE_WW);
      find_cycles (&cycles, ANOMALY_G1C, EDGE_WR, EDGE_WW | EDGE_WR);
      find_nonadjacent (&cycles);
      find_adjacent (&cycles);
    }
  graph_clear (&graph);
}
