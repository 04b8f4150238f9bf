/* SPDX-License-Identifier: MIT */
/*
 * graph: which transaction must come before which, and the cycles in that.
 *
 * Edges are Adya's dependencies (Adya, "Weak Consistency", 1999), and the order of real time:
 *   ww  its write was overwritten by the other's      wr  its write was read by the other
 *   rw  what it read was overwritten by the other     rt  it had ended when the other began
 *
 * Snapshot isolation forbids each closed walk without two rw edges in a row: every edge but rw says
 * that the commit of the one came before the begin of the other, an rw edge only that the begin of
 * the one came before the commit of the other. Such walks are found in the graph with each node
 * twice, once reached by rw and once by anything else (GRAPH_NONADJACENT): there they are cycles.
 *
 * Cost: searches for components are linear in nodes and edges.
 */
#ifndef LIGHTNING_TESTS_GRAPH_H
#define LIGHTNING_TESTS_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum edge_kind
{
  EDGE_WW = 1 << 0,
  EDGE_WR = 1 << 1,
  EDGE_RW = 1 << 2,
  EDGE_RT = 1 << 3,
};

struct edge
{
  uint32_t from, to; /* transactions */
  uint32_t key;      /* by which they depend; of rt nothing */
  enum edge_kind kind;
};

struct graph
{
  uint32_t nodes;
  struct edge *edges; /* malloc'd; sorted by `from` once graph_sort was called */
  size_t count, room;
  size_t *first; /* of each node's edges, and one more; malloc'd by graph_sort */
};

void graph_clear (struct graph *graph);
/* An edge from a node to itself is none. */
void graph_add (struct graph *graph, uint32_t from, uint32_t to, enum edge_kind kind, uint32_t key);
void graph_sort (struct graph *graph);

/* A way to look at the graph: edges of some kinds only, and which walks there are. */
struct graph_view
{
  const struct graph *graph;
  unsigned kinds;   /* enum edge_kind */
  bool nonadjacent; /* no rw edge follows another */
};

/* The strongly connected components. Numbers are from 0; the caller frees. A state is a node, or in
 * a nonadjacent view 2 * node, + 1 where an rw edge led to it. */
uint32_t *graph_components (struct graph_view view);
/* The state an edge leads from and to; false: the view has no such step from there. */
bool graph_step (struct graph_view view, uint32_t state, const struct edge *edge, uint32_t *to);

/* A shortest walk between two states. Edges in order; malloc'd; NULL when there is none. */
const struct edge **graph_path (struct graph_view view, uint32_t from, uint32_t to, size_t *length);

#endif
