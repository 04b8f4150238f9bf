/* SPDX-License-Identifier: MIT */
/*
 * The tree: a B+tree of 512-byte nodes over the entries, one writer, readers by seqlock.
 *
 * Invariants
 *   T1  A node is never freed, merged or moved before its memtable. A split leaves the lower half
 * in place, so a leaf's low fence never changes, and all that a leaf loses goes to the leaves
 *       between it and its old right neighbour.
 *   T2  Whatever moves keys between two nodes holds the seqlocks of both and of their parent.
 *       A reader checks the parent's version again after it took the child's.
 *   T3  A node is split only while its parent has room: splits run from the top down.
 *   T4  Separators are entries, the first of the right-hand node: child i holds the keys from
 *       separator i - 1 (inclusive) to separator i (exclusive).
 *   T5  Every key of an unchecked node, and every key a search can bring to it, shares its prefix.
 */
#include "memtable/memtable-private.h"

#include <sched.h>

#define STREAK_MIN 8 /* neighbouring inserts after which a split leaves nodes full */
#define RESTARTS_BEFORE_YIELD 8

/* A rebuilt prefix that is longer by less than this is not worth reading every key of the node. */
#define PREFIX_GAIN_MIN 1

static struct bytes
key_at (const struct memtable *table, reference entry)
{
  return entry_key (entry_at (table, entry));
}

static uint32_t
key_head (struct bytes key, size_t prefix)
{
  if (key.size >= prefix + 4)
    {
      uint32_t head;
      memcpy (&head, key.data + prefix, 4);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
      head = __builtin_bswap32 (head);
#endif
      return head ^ UINT32_C (0x80000000);
    }
  uint32_t head = 0;
  for (size_t i = prefix; i < key.size; i++)
    head |= (uint32_t) key.data[i] << (24 - 8 * (i - prefix));
  return head ^ UINT32_C (0x80000000);
}

/* Order of two keys that share `prefix` bytes. */
static int
compare_behind (struct bytes a, struct bytes b, size_t prefix)
{
  return bytes_compare (BYTES (a.data + prefix, a.size - prefix),
                        BYTES (b.data + prefix, b.size - prefix));
}

/* ---- searching a node ---- */

#define LOCATE_RETRY UINT32_MAX

/* Where `key` stands to the bytes that a checked node's keys share: -1 below all of them, 1 above,
 * 0 it shares them too. False when the node changed. */
static bool
locate_side (const struct memtable *table, const struct node *node, uint32_t version,
             struct bytes key, int *side)
{
  *side = 0;
  uint32_t prefix = shared_load (&node->prefix);
  unsigned count = node_count (node);
  reference first = shared_load (node_entries (node));
  if (!node_valid (node, version))
    return false;
  if (count == 0 || prefix == 0)
    return true;
  struct bytes shared = BYTES (entry_at (table, first)->key, prefix);
  size_t shorter = key.size < prefix ? key.size : prefix;
  int order = memcmp (key.data, shared.data, shorter);
  if (order != 0)
    *side = order < 0 ? -1 : 1;
  else if (key.size < prefix)
    *side = -1;
  return true;
}

/* Number of the node's keys below `key` (`through`: below or equal). LOCATE_RETRY when the node
 * changed; otherwise the caller still validates before it believes the number. */
static inline uint32_t
node_locate (const struct memtable *table, const struct node *node, uint32_t version,
             struct bytes key, bool through, bool *equal)
{
  unsigned count = node_count (node);
  size_t prefix = shared_load (&node->prefix);
  *equal = false;
  if (__builtin_expect (__atomic_load_n (&node->checked, SHARED_LOAD) != 0, 0))
    {
      int side;
      if (!locate_side (table, node, version, key, &side))
        return LOCATE_RETRY;
      if (side != 0)
        return side < 0 ? 0 : count;
    }

  struct head_span span = table->search (node->heads, count, key_head (key, prefix));
  const uint32_t *entries = node_entries (node);
  uint32_t low = span.below;
  uint32_t high = span.through;
  while (low < high)
    {
      uint32_t middle = low + (high - low) / 2;
      reference entry = shared_load (&entries[middle]);
      if (!node_valid (node, version))
        return LOCATE_RETRY;
      int order = compare_behind (key, key_at (table, entry), prefix);
      if (order == 0)
        {
          *equal = true;
          return through ? middle + 1 : middle;
        }
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return low;
}

/* The same for the writer, whom nothing disturbs. */
static unsigned
node_locate_own (const struct memtable *table, const struct node *node, struct bytes key,
                 bool through)
{
  bool equal;
  return node_locate (table, node, node->version, key, through, &equal);
}

/* The header and the heads. */
static inline void
node_prefetch (const struct node *node)
{
  const char *lines = (const char *) node;
  __builtin_prefetch (lines);
  __builtin_prefetch (lines + CACHE_LINE);
  __builtin_prefetch (lines + 2 * CACHE_LINE);
  __builtin_prefetch (lines + 3 * CACHE_LINE);
  __builtin_prefetch (lines + 4 * CACHE_LINE);
}

/* ---- reading ---- */

enum tree_goal
{
  GOAL_KEY,   /* the leaf a key belongs to */
  GOAL_FIRST, /* the leftmost leaf */
  GOAL_LAST,  /* the rightmost leaf */
};

/* One attempt to reach a leaf. T2. */
static bool
descend_once (const struct memtable *table, enum tree_goal goal, struct bytes key, reference *leaf,
              uint32_t *leaf_version)
{
  reference at = atomic_load_explicit (&table->root, memory_order_acquire);
  const struct node *node = node_at (table, at);
  uint32_t version = node_begin (node);
  if (atomic_load_explicit (&table->root, memory_order_acquire) != at)
    return false;
  while (node->level > 0)
    {
      bool equal;
      uint32_t index = 0;
      if (goal == GOAL_KEY)
        index = node_locate (table, node, version, key, true, &equal);
      else if (goal == GOAL_LAST)
        index = node_count (node);
      if (index == LOCATE_RETRY)
        return false;
      at = shared_load (&node_children (node)[index]);
      if (!node_valid (node, version))
        return false;
      const struct node *child = node_at (table, at);
      node_prefetch (child);
      uint32_t child_version = node_begin (child);
      if (!node_valid (node, version))
        return false;
      node = child;
      version = child_version;
    }
  *leaf = at;
  *leaf_version = version;
  return true;
}

static void
descend (const struct memtable *table, enum tree_goal goal, struct bytes key, unsigned *restarts,
         reference *leaf, uint32_t *version)
{
  while (!descend_once (table, goal, key, leaf, version))
    if (++*restarts >= RESTARTS_BEFORE_YIELD)
      sched_yield ();
}

/* Reads the leaf under `version`. False when it changed meanwhile. */
static bool
leaf_read (const struct memtable *table, reference at, uint32_t version, struct leaf_copy *copy)
{
  const struct node *node = node_at (table, at);
  copy->leaf = at;
  copy->count = node_count (node);
  copy->next = shared_load (&node->next);
  shared_copy_out (copy->entries, node->slots, copy->count);
  return node_valid (node, version);
}

static void
leaf_read_any (const struct memtable *table, reference at, struct leaf_copy *copy)
{
  const struct node *node = node_at (table, at);
  for (unsigned restarts = 0; !leaf_read (table, at, node_begin (node), copy); restarts++)
    if (restarts >= RESTARTS_BEFORE_YIELD)
      sched_yield ();
}

reference
tree_find (const struct memtable *table, struct bytes key)
{
  for (unsigned restarts = 0;;)
    {
      reference at;
      uint32_t version;
      bool equal;
      descend (table, GOAL_KEY, key, &restarts, &at, &version);
      const struct node *leaf = node_at (table, at);
      uint32_t index = node_locate (table, leaf, version, key, false, &equal);
      if (index == LOCATE_RETRY)
        continue;
      reference entry = equal ? shared_load (&leaf->slots[index]) : 0;
      if (node_valid (leaf, version))
        return entry;
    }
}

unsigned
tree_copy_for (const struct memtable *table, struct bytes key, struct leaf_copy *copy)
{
  for (unsigned restarts = 0;;)
    {
      reference at;
      uint32_t version;
      bool equal;
      descend (table, GOAL_KEY, key, &restarts, &at, &version);
      uint32_t index = node_locate (table, node_at (table, at), version, key, false, &equal);
      if (index != LOCATE_RETRY && leaf_read (table, at, version, copy))
        return index;
    }
}

static void
copy_end (const struct memtable *table, enum tree_goal goal, struct leaf_copy *copy)
{
  unsigned restarts = 0;
  reference at;
  uint32_t version;
  do
    descend (table, goal, BYTES_NONE, &restarts, &at, &version);
  while (!leaf_read (table, at, version, copy));
}

void
tree_copy_first (const struct memtable *table, struct leaf_copy *copy)
{
  copy_end (table, GOAL_FIRST, copy);
}

void
tree_copy_last (const struct memtable *table, struct leaf_copy *copy)
{
  copy_end (table, GOAL_LAST, copy);
}

/* A stale `next` may jump over leaves split off since; what they hold was in the copy, or is newer
 * than it (T1). */
bool
tree_copy_next (const struct memtable *table, struct leaf_copy *copy)
{
  if (copy->next == 0)
    return false;
  leaf_read_any (table, copy->next, copy);
  return true;
}

/* `previous` may be behind a split: from there the way right leads back here (T1). */
bool
tree_copy_previous (const struct memtable *table, struct leaf_copy *copy)
{
  reference here = copy->leaf;
  reference at = __atomic_load_n (&node_at (table, here)->previous, __ATOMIC_ACQUIRE);
  if (at == 0)
    return false;
  do
    {
      leaf_read_any (table, at, copy);
      at = copy->next;
    }
  while (at != here);
  return true;
}

/* ---- building nodes ---- */

/* A prefix for a single key: its last four bytes are the head. Later keys shorten it. */
static uint32_t
prefix_alone (struct bytes key)
{
  return key.size > 4 ? (uint32_t) key.size - 4 : 0;
}

static void
node_fill_heads (const struct memtable *table, struct node *node)
{
  const uint32_t *entries = node_entries (node);
  for (unsigned i = 0; i < node->count; i++)
    __builtin_prefetch (entry_at (table, entries[i]));
  for (unsigned i = 0; i < node->count; i++)
    shared_store (&node->heads[i], key_head (key_at (table, entries[i]), node->prefix));
}

/* Chooses the prefix of a node nobody sees that lies between two fences (T5), and renews the heads
 * when it differs from the one they were made with (`fresh`: they were made with none). */
static void
node_fit (const struct memtable *table, struct node *node, reference low, reference high,
          bool fresh)
{
  const uint32_t *entries = node_entries (node);
  uint32_t prefix;
  node->checked = low == 0 || high == 0;
  if (!node->checked)
    prefix = (uint32_t) bytes_common_prefix (key_at (table, low), key_at (table, high));
  else if (node->count == 0)
    prefix = 0;
  else if (node->count == 1)
    prefix = prefix_alone (key_at (table, entries[0]));
  else
    prefix = (uint32_t) bytes_common_prefix (key_at (table, entries[0]),
                                             key_at (table, entries[node->count - 1]));
  if (!fresh && prefix >= node->prefix && prefix - node->prefix < PREFIX_GAIN_MIN)
    return;
  node->prefix = prefix;
  node_fill_heads (table, node);
}

static reference
node_new (struct memtable *table, unsigned level)
{
  reference at = memtable_take (table, NODE_SIZE, CACHE_LINE);
  struct node *node = node_at (table, at);
  memset (node, 0, sizeof *node);
  node->level = (uint8_t) level;
  node->checked = 1;
  if (level == 0)
    table->leaf_count++;
  else
    table->inner_count++;
  return at;
}

void
tree_init (struct memtable *table)
{
  reference root = node_new (table, 0);
  table->depth = 1;
  table->finger.position = FINGER_NONE;
  atomic_store_explicit (&table->root, root, memory_order_release);
}

/* Takes over `image`, a changed copy of the node. The lock is held. */
static void
node_replace (struct node *node, const struct node *image)
{
  __atomic_store_n (&node->count, image->count, SHARED_STORE);
  __atomic_store_n (&node->checked, image->checked, SHARED_STORE);
  shared_store (&node->prefix, image->prefix);
  shared_store (&node->next, image->next);
  shared_copy_in (node->heads, image->heads, image->count);
  shared_copy_in (node_entries (node), node_entries (image), image->count);
  if (image->level > 0)
    shared_copy_in (node_children (node), node_children (image), image->count + 1u);
}

/* Makes a checked node's prefix one that `key` shares too. The lock is held. */
static void
node_admit (const struct memtable *table, struct node *node, struct bytes key)
{
  uint32_t prefix;
  if (node->count == 0)
    prefix = prefix_alone (key);
  else
    {
      struct bytes shared = BYTES (key_at (table, node_entries (node)[0]).data, node->prefix);
      prefix = (uint32_t) bytes_common_prefix (key, shared);
    }
  if (node->count > 0 && prefix == node->prefix)
    return;
  shared_store (&node->prefix, prefix);
  node_fill_heads (table, node);
}

/* Puts an entry, and in an inner node the child at its right, at `index`. The lock is held. */
static void
node_add (const struct memtable *table, struct node *node, unsigned index, reference entry,
          reference child)
{
  struct bytes key = key_at (table, entry);
  unsigned count = node->count;
  assert (count < node_capacity (node));
  if (node->checked)
    node_admit (table, node, key);
  shared_insert (node->heads, count, index, key_head (key, node->prefix));
  shared_insert (node_entries (node), count, index, entry);
  if (node->level > 0)
    shared_insert (node_children (node), count + 1, index + 1, child);
  __atomic_store_n (&node->count, (uint16_t) (count + 1), SHARED_STORE);
}

/* ---- splitting ---- */

/* Publishes a split: `left` shrinks to `image`, `right` is new, the parent learns of it. T2. */
static void
split_publish (struct memtable *table, struct node *parent, struct node *left,
               const struct node *image, reference separator, reference right)
{
  unsigned index = node_locate_own (table, parent, key_at (table, separator), true);
  node_lock (parent);
  node_lock (left);
  node_add (table, parent, index, separator, right);
  node_replace (left, image);
  node_unlock (left);
  node_unlock (parent);
}

/* After a split at `level`: the path goes on in the half that `key` belongs to. */
static bool
path_turn (const struct memtable *table, struct tree_path *path, unsigned level, struct bytes key,
           reference separator, reference right)
{
  if (bytes_compare (key, key_at (table, separator)) < 0)
    {
      path->high[level] = separator;
      return false;
    }
  path->nodes[level] = right;
  path->low[level] = separator;
  return true;
}

/* How many separators stay in the left half. One goes up. */
static unsigned
split_point (const struct tree_finger *finger, unsigned index, unsigned count)
{
  if (index == count && finger->rising >= STREAK_MIN)
    return count - 1;
  if (index == 0 && finger->falling >= STREAK_MIN)
    return 0;
  return count / 2;
}

static void
split_inner (struct memtable *table, unsigned level, struct bytes key)
{
  struct tree_path *path = &table->finger.path;
  struct node *left = node_at (table, path->nodes[level]);
  unsigned count = left->count;
  unsigned stay = split_point (&table->finger, node_locate_own (table, left, key, true), count);
  reference separator = node_entries (left)[stay];

  reference right_at = node_new (table, level);
  struct node *right = node_at (table, right_at);
  unsigned moved = count - stay - 1;
  right->count = (uint16_t) moved;
  right->prefix = left->prefix;
  shared_copy_in (right->heads, left->heads + stay + 1, moved);
  shared_copy_in (node_entries (right), node_entries (left) + stay + 1, moved);
  shared_copy_in (node_children (right), node_children (left) + stay + 1, moved + 1);
  node_fit (table, right, separator, path->high[level], false);

  struct node image = *left;
  image.count = (uint16_t) stay;
  node_fit (table, &image, path->low[level], separator, false);

  split_publish (table, node_at (table, path->nodes[level + 1]), left, &image, separator, right_at);
  path_turn (table, path, level, key, separator, right_at);
}

/* Splits the full leaf of the path while adding `entry` at `index`; returns its new index. */
static unsigned
split_leaf (struct memtable *table, reference entry, unsigned index)
{
  struct tree_finger *finger = &table->finger;
  struct tree_path *path = &finger->path;
  struct node *left = node_at (table, path->nodes[0]);
  struct bytes key = key_at (table, entry);

  uint32_t entries[LEAF_CAPACITY + 1];
  memcpy (entries, left->slots, index * sizeof *entries);
  entries[index] = entry;
  memcpy (entries + index + 1, left->slots + index, (LEAF_CAPACITY - index) * sizeof *entries);

  unsigned stay = (LEAF_CAPACITY + 1) / 2;
  if (index == LEAF_CAPACITY && finger->rising >= STREAK_MIN)
    stay = LEAF_CAPACITY;
  else if (index == 0 && finger->falling >= STREAK_MIN)
    stay = 1;
  reference separator = entries[stay];

  reference right_at = node_new (table, 0);
  struct node *right = node_at (table, right_at);
  right->count = (uint16_t) (LEAF_CAPACITY + 1 - stay);
  right->next = left->next;
  right->previous = path->nodes[0];
  shared_copy_in (right->slots, entries + stay, right->count);
  struct node image = *left;
  image.count = (uint16_t) stay;
  image.next = right_at;
  memcpy (image.slots, entries, stay * sizeof *entries);

  /* Heads made with the old prefix still serve the half that the new entry is not in. */
  bool new_is_left = index < stay;
  if (new_is_left)
    {
      right->prefix = left->prefix;
      shared_copy_in (right->heads, left->heads + stay - 1, right->count);
    }
  node_fit (table, right, separator, path->high[0], !new_is_left);
  node_fit (table, &image, path->low[0], separator, new_is_left);

  split_publish (table, node_at (table, path->nodes[1]), left, &image, separator, right_at);
  if (right->next != 0)
    __atomic_store_n (&node_at (table, right->next)->previous, right_at, __ATOMIC_RELEASE);
  return path_turn (table, path, 0, key, separator, right_at) ? index - stay : index;
}

/* A new root above the old one, with that as its only child. */
static void
grow_root (struct memtable *table)
{
  struct tree_path *path = &table->finger.path;
  unsigned level = table->depth;
  assert (level < TREE_DEPTH_MAX);
  reference at = node_new (table, level);
  shared_store (node_children (node_at (table, at)), path->nodes[level - 1]);
  path->nodes[level] = at;
  path->low[level] = path->high[level] = 0;
  path->depth = ++table->depth;
  atomic_store_explicit (&table->root, at, memory_order_release);
}

/* T3. */
static unsigned
split_path (struct memtable *table, reference entry, unsigned index)
{
  struct tree_path *path = &table->finger.path;
  unsigned level = 1;
  while (level < table->depth && node_at (table, path->nodes[level])->count == INNER_CAPACITY)
    level++;
  if (level == table->depth)
    grow_root (table);
  while (--level > 0)
    split_inner (table, level, key_at (table, entry));
  return split_leaf (table, entry, index);
}

/* ---- inserting ---- */

/* Fills the path to `key`; returns its index in the leaf. */
static unsigned
path_find (const struct memtable *table, struct tree_path *path, struct bytes key)
{
  reference at = atomic_load_explicit (&table->root, memory_order_relaxed);
  reference low = 0;
  reference high = 0;
  unsigned level = path->depth = table->depth;
  for (;;)
    {
      const struct node *node = node_at (table, at);
      level--;
      path->nodes[level] = at;
      path->low[level] = low;
      path->high[level] = high;
      unsigned index = node_locate_own (table, node, key, level > 0);
      if (level == 0)
        return index;
      at = node_children (node)[index];
      node_prefetch (node_at (table, at));
      if (index > 0)
        low = node_entries (node)[index - 1];
      if (index < node->count)
        high = node_entries (node)[index];
    }
}

/* Whether `key` belongs right behind the last insert, which spares the descent. */
static bool
finger_continues (const struct memtable *table, struct bytes key)
{
  const struct tree_finger *finger = &table->finger;
  if (bytes_compare (key, key_at (table, finger->entry)) <= 0)
    return false;
  const struct node *leaf = node_at (table, finger->path.nodes[0]);
  reference above = finger->position + 1 < leaf->count ? leaf->slots[finger->position + 1]
                                                       : finger->path.high[0];
  return above == 0 || bytes_compare (key, key_at (table, above)) < 0;
}

bool
tree_follows (const struct memtable *table, struct bytes key)
{
  return table->finger.rising >= STREAK_MIN && finger_continues (table, key);
}

/* The finger is tried only while inserts do come in rising order. */
static unsigned
finger_seek (struct memtable *table, struct bytes key, bool follows)
{
  struct tree_finger *finger = &table->finger;
  if (follows
      || (finger->rising > 0 && finger->rising < STREAK_MIN && finger_continues (table, key)))
    {
      finger->rising++;
      return finger->position + 1;
    }
  reference before = finger->position != FINGER_NONE ? finger->path.nodes[0] : 0;
  unsigned index = path_find (table, &finger->path, key);
  bool same = finger->path.nodes[0] == before;
  finger->rising = same && index == finger->position + 1 ? finger->rising + 1 : 0;
  finger->falling = same && index == finger->position ? finger->falling + 1 : 0;
  return index;
}

void
tree_insert (struct memtable *table, reference entry, bool follows)
{
  struct tree_finger *finger = &table->finger;
  unsigned index = finger_seek (table, key_at (table, entry), follows);
  struct node *leaf = node_at (table, finger->path.nodes[0]);
  if (leaf->count == LEAF_CAPACITY)
    index = split_path (table, entry, index);
  else
    {
      node_lock (leaf);
      node_add (table, leaf, index, entry, 0);
      node_unlock (leaf);
    }
  finger->entry = entry;
  finger->position = index;
}

/* Splits that `records` inserts can cause. A leaf that is full now may split at once, later ones
 * only after half a leaf of inserts, or, leaving a full one behind, after STREAK_MIN neighbours. An
 * inner node likewise; at worst each split of a leaf reaches up to the root. */
bool
tree_reserve_size (const struct memtable *table, size_t records, size_t *size)
{
  size_t leaves = table->leaf_count + records / (LEAF_CAPACITY / 2) + records / STREAK_MIN + 1;
  if (leaves > records)
    leaves = records;
  size_t inner = table->inner_count + 2 * leaves;
  if (inner > leaves * table->depth)
    inner = leaves * table->depth;
  inner += table->depth + 2;
  return !__builtin_mul_overflow (leaves + inner, (size_t) NODE_RESERVE, size);
}
