/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

static void *
allocate (size_t count, size_t size)
{
  void *memory = calloc (count + 1, size);
  if (memory == NULL)
    abort ();
  return memory;
}

void
graph_clear (struct graph *graph)
{
  free (graph->edges);
  free (graph->first);
  *graph = (struct graph){ 0 };
}

void
graph_add (struct graph *graph, uint32_t from, uint32_t to, enum edge_kind kind, uint32_t key)
{
  if (from == to)
    return;
  if (graph->count == graph->room)
    {
      graph->room = graph->room * 2 + 1024;
      graph->edges = realloc (graph->edges, graph->room * sizeof *graph->edges);
      if (graph->edges == NULL)
        abort ();
    }
  graph->edges[graph->count++] = (struct edge){ from, to, key, kind };
}

void
graph_sort (struct graph *graph)
{
  free (graph->first);
  graph->first = allocate ((size_t) graph->nodes + 1, sizeof *graph->first);
  struct edge *sorted = allocate (graph->count, sizeof *sorted);
  for (size_t i = 0; i < graph->count; i++)
    graph->first[graph->edges[i].from + 1]++;
  for (uint32_t node = 0; node < graph->nodes; node++)
    graph->first[node + 1] += graph->first[node];
  size_t *next = allocate (graph->nodes, sizeof *next);
  memcpy (next, graph->first, graph->nodes * sizeof *next);
  for (size_t i = 0; i < graph->count; i++)
    sorted[next[graph->edges[i].from]++] = graph->edges[i];
  free (next);
  free (graph->edges);
  graph->edges = sorted;
  graph->room = graph->count;
}

static uint32_t
state_count (struct graph_view view)
{
  return view.graph->nodes << view.nonadjacent;
}

static uint32_t
node_of (struct graph_view view, uint32_t state)
{
  return state >> view.nonadjacent;
}

bool
graph_step (struct graph_view view, uint32_t state, const struct edge *edge, uint32_t *to)
{
  bool is_rw = edge->kind == EDGE_RW;
  if (edge->from != node_of (view, state) || (edge->kind & view.kinds) == 0
      || (view.nonadjacent && is_rw && (state & 1) != 0))
    return false;
  *to = view.nonadjacent ? edge->to << 1 | is_rw : edge->to;
  return true;
}

/* ---- components: Tarjan's algorithm, its recursion on a stack of its own ---- */

struct search
{
  struct graph_view view;
  uint32_t *component; /* by state */
  uint32_t *order;     /* in which states were reached; 0 = not yet */
  uint32_t *low;       /* the earliest state on the stack that is reached from there */
  size_t *edge;        /* the next one to look at */
  uint32_t *path;      /* states from the root to the one under work */
  uint32_t *stack;     /* states without a component yet */
  uint32_t depth, waiting, reached, components;
};

static void
enter (struct search *search, uint32_t state)
{
  search->order[state] = search->low[state] = ++search->reached;
  search->edge[state] = search->view.graph->first[node_of (search->view, state)];
  search->path[search->depth++] = state;
  search->stack[search->waiting++] = state;
}

static void
leave (struct search *search)
{
  uint32_t state = search->path[--search->depth], member;
  if (search->low[state] == search->order[state])
    {
      do
        {
          member = search->stack[--search->waiting];
          search->component[member] = search->components;
        }
      while (member != state);
      search->components++;
    }
  if (search->depth > 0)
    {
      uint32_t above = search->path[search->depth - 1];
      if (search->low[state] < search->low[above])
        search->low[above] = search->low[state];
    }
}

/* One edge of the state at the end of the path. */
static void
advance (struct search *search)
{
  uint32_t state = search->path[search->depth - 1], to;
  const struct graph *graph = search->view.graph;
  if (search->edge[state] == graph->first[node_of (search->view, state) + 1])
    {
      leave (search);
      return;
    }
  if (!graph_step (search->view, state, &graph->edges[search->edge[state]++], &to))
    return;
  if (search->order[to] == 0)
    enter (search, to);
  else if (search->component[to] == UINT32_MAX && search->order[to] < search->low[state])
    search->low[state] = search->order[to];
}

uint32_t *
graph_components (struct graph_view view)
{
  uint32_t states = state_count (view);
  struct search search = {
    .view = view,
    .component = allocate (states, sizeof *search.component),
    .order = allocate (states, sizeof *search.order),
    .low = allocate (states, sizeof *search.low),
    .edge = allocate (states, sizeof *search.edge),
    .path = allocate (states, sizeof *search.path),
    .stack = allocate (states, sizeof *search.stack),
  };
  memset (search.component, 0xff, states * sizeof *search.component);
  for (uint32_t state = 0; state < states; state++)
    if (search.order[state] == 0)
      for (enter (&search, state); search.depth > 0;)
        advance (&search);
  free (search.order);
  free (search.low);
  free (search.edge);
  free (search.path);
  free (search.stack);
  return search.component;
}

/* ---- paths ---- */

const struct edge **
graph_path (struct graph_view view, uint32_t from, uint32_t to, size_t *length)
{
  uint32_t states = state_count (view), head = 0, tail = 0, next;
  const struct graph *graph = view.graph;
  const struct edge **by = allocate (states, sizeof *by), **path = NULL; /* that led there first */
  uint32_t *before = allocate (states, sizeof *before);
  uint32_t *queue = allocate (states, sizeof *queue);
  bool found = false;
  queue[tail++] = from;
  while (head < tail && !found)
    {
      uint32_t state = queue[head++], node = node_of (view, state);
      for (size_t i = graph->first[node]; i < graph->first[node + 1] && !found; i++)
        {
          if (!graph_step (view, state, &graph->edges[i], &next) || by[next] != NULL)
            continue;
          by[next] = &graph->edges[i];
          before[next] = state;
          queue[tail++] = next;
          found = next == to;
        }
    }
  *length = 0;
  if (found)
    {
      for (uint32_t state = to; *length == 0 || state != from; state = before[state])
        ++*length;
      path = allocate (*length, sizeof *path);
      uint32_t state = to;
      for (size_t i = *length; i-- > 0; state = before[state])
        path[i] = by[state];
    }
  free (by);
  free (before);
  free (queue);
  return path;
}
