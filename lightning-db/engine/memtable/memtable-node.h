/* SPDX-License-Identifier: MIT */
/*
 * memtable-node: one node of the memtable's tree, 512 bytes, eight cache lines.
 *
 *   leaf    32 B header | 60 heads | 60 references of entries
 *   inner   32 B header | 39 heads | 39 references of entries (separators) | 40 children
 *
 * A head is four bytes of the key behind the node's prefix, big-endian, zero-padded, its top bit
 * turned so that signed comparison orders it. Heads decide; equal heads are settled by the keys.
 *
 * The prefix is a length only. A node between two finite fences takes what the fences share: every
 * key that a search can bring here has it. A node at an edge of the tree (the root always) takes
 * what its own keys share, and a search first compares that much with the first key (`checked`).
 *
 * Seqlock: the version is odd while the writer changes the node. A reader takes an even version,
 * reads, and believes what it read once the version is still the same; it follows a reference only
 * after that. `previous` is not under the seqlock: it is published by itself.
 *
 * Under ThreadSanitizer every shared word is read and written through ordered scalar atomics, and
 * the scalar kernel is the only one.
 */
#ifndef LIGHTNING_MEMTABLE_NODE_H
#define LIGHTNING_MEMTABLE_NODE_H

#include "base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
#define MEMTABLE_SCALAR_ONLY 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MEMTABLE_SCALAR_ONLY 1
#endif
#endif
#ifndef MEMTABLE_SCALAR_ONLY
#define MEMTABLE_SCALAR_ONLY 0
#endif

typedef uint32_t reference; /* offset in the arena in units of 8 bytes; 0 = none */

#define NODE_SIZE 512u
#define LEAF_CAPACITY 60u
#define INNER_CAPACITY 39u /* separators; one child more */
#define TREE_DEPTH_MAX 16u /* more than 2^32 entries could ever need */

struct node
{
  uint32_t version;              /* seqlock: odd while being changed */
  uint16_t count;                /* heads in use */
  uint8_t level;                 /* 0 = leaf; constant */
  uint8_t checked;               /* the prefix is not implied by the fences */
  uint32_t prefix;               /* bytes every key of the node shares */
  reference next;                /* leaf to the right, or 0 */
  reference previous;            /* leaf to the left, or 0; published by itself */
  uint32_t unused[3];            /* zero */
  uint32_t heads[LEAF_CAPACITY]; /* see above; an inner node has INNER_CAPACITY */
  uint32_t slots[LEAF_CAPACITY]; /* a leaf's references */
};
_Static_assert(sizeof (struct node) == NODE_SIZE, "a node is eight cache lines");
_Static_assert(INNER_CAPACITY * 3 + 1 <= 2 * LEAF_CAPACITY, "an inner node fits a node");

/* ---- shared words ---- */

#if MEMTABLE_SCALAR_ONLY
#define SHARED_LOAD __ATOMIC_ACQUIRE
#define SHARED_STORE __ATOMIC_RELEASE
#else
#define SHARED_LOAD __ATOMIC_RELAXED
#define SHARED_STORE __ATOMIC_RELAXED
#endif

static inline uint32_t
shared_load (const uint32_t *from)
{
  return __atomic_load_n (from, SHARED_LOAD);
}

static inline void
shared_store (uint32_t *to, uint32_t value)
{
  __atomic_store_n (to, value, SHARED_STORE);
}

/* Copies `count` words that the writer may be changing; the caller validates. */
static inline void
shared_copy_out (uint32_t *to, const uint32_t *from, size_t count)
{
#if MEMTABLE_SCALAR_ONLY
  for (size_t i = 0; i < count; i++)
    to[i] = shared_load (&from[i]);
#else
  memcpy (to, from, count * sizeof *to);
#endif
}

static inline void
shared_copy_in (uint32_t *to, const uint32_t *from, size_t count)
{
#if MEMTABLE_SCALAR_ONLY
  for (size_t i = 0; i < count; i++)
    shared_store (&to[i], from[i]);
#else
  memcpy (to, from, count * sizeof *to);
#endif
}

/* Opens a gap at `index` of an array of `count` words and puts `value` there. */
static inline void
shared_insert (uint32_t *array, size_t count, size_t index, uint32_t value)
{
#if MEMTABLE_SCALAR_ONLY
  for (size_t i = count; i > index; i--)
    shared_store (&array[i], shared_load (&array[i - 1]));
#else
  memmove (array + index + 1, array + index, (count - index) * sizeof *array);
#endif
  shared_store (&array[index], value);
}

/* ---- the parts of a node ---- */

static inline unsigned
node_count (const struct node *node)
{
  return __atomic_load_n (&node->count, SHARED_LOAD);
}

static inline unsigned
node_capacity (const struct node *node)
{
  return node->level == 0 ? LEAF_CAPACITY : INNER_CAPACITY;
}

/* References of the entries, leaf or inner. */
static inline uint32_t *
node_entries (const struct node *node)
{
  return (uint32_t *) node->heads + node_capacity (node);
}

static inline uint32_t *
node_children (const struct node *node)
{
  return (uint32_t *) node->heads + 2 * INNER_CAPACITY;
}

/* ---- the seqlock ---- */

/* An even version to read under. Waits while the writer is at this very node. */
uint32_t node_begin_slow (const struct node *node);

static inline uint32_t
node_begin (const struct node *node)
{
  uint32_t version = __atomic_load_n (&node->version, __ATOMIC_ACQUIRE);
  return (version & 1) == 0 ? version : node_begin_slow (node);
}

/* Whether all that was read since node_begin is of one state. */
static inline bool
node_valid (const struct node *node, uint32_t version)
{
#if !MEMTABLE_SCALAR_ONLY
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
#endif
  return __atomic_load_n (&node->version, SHARED_LOAD) == version;
}

static inline void
node_lock (struct node *node)
{
  __atomic_store_n (&node->version, node->version + 1, SHARED_STORE);
#if !MEMTABLE_SCALAR_ONLY
  __atomic_thread_fence (__ATOMIC_RELEASE);
#endif
}

static inline void
node_unlock (struct node *node)
{
  __atomic_store_n (&node->version, node->version + 1, __ATOMIC_RELEASE);
}

/* ---- head search ---- */

/* Of `count` rising heads: how many are below `head`, and how many below or equal. */
struct head_span
{
  uint32_t below;   /* heads < head */
  uint32_t through; /* heads <= head */
};
typedef struct head_span (*head_search) (const uint32_t *heads, unsigned count, uint32_t head);

/* The best search the processor level allows; count <= LEAF_CAPACITY. They may read, never use, the
 * 64 words from the first head on: inside a node these are still the node. */
head_search head_search_for (enum cpu_level level);

#endif
