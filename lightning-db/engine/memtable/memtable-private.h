/* SPDX-License-Identifier: MIT */
/*
 * memtable-private: what the memtable's files share. Nothing outside the folder includes it.
 *
 *   entry    { newest version, key size, key bytes … }    one for each key, never changes but
 *                                                          for `newest`
 *   version  { word, older, value size [, jump, depth] [, expiry], value bytes … }
 *
 * A key's first version lies right behind its entry, so a get that the side hash answers touches
 * a bucket and one run of bytes. A version that overwrites carries a jump reference, so that a
 * reader with an old snapshot finds its version of a hot key in O(log versions).
 */
#ifndef LIGHTNING_MEMTABLE_PRIVATE_H
#define LIGHTNING_MEMTABLE_PRIVATE_H

#include "base/epoch.h"
#include "memtable/memtable-arena.h"
#include "memtable/memtable-node.h"
#include "memtable/memtable.h"

#include <assert.h>
#include <stdatomic.h>

#define CACHE_LINE 64

struct entry
{
  _Atomic reference newest; /* newest version; release store publishes an overwrite */
  uint32_t key_size;        /* bytes */
  uint8_t key[];            /* internal key */
};

struct version
{
  uint64_t word;       /* sequence << 4 | VERSION_EXPIRES | VERSION_OVERWRITES | kind */
  reference older;     /* the version before, or 0 */
  uint32_t value_size; /* bytes */
  uint8_t rest[];      /* struct version_jump, expiry (8 bytes), both optional; value */
};

struct version_jump
{
  reference jump; /* some older version, see version_push */
  uint32_t depth; /* versions below this one */
};

#define VERSION_KIND_MASK 3u
#define VERSION_EXPIRES 4u    /* an expiry time precedes the value */
#define VERSION_OVERWRITES 8u /* a jump follows the header */
#define VERSION_SEQUENCE_SHIFT 4

/* Bytes of one insert beside key and value, at most: entry 8, version 16, jump 8, expiry 8,
 * rounding 14; the journal's 4 and its share of a chunk header; overflow buckets 16; its place
 * among those put off and a share of the chunk 8.3. */
#define RECORD_OVERHEAD_MAX 80u

/* Of that, for overflow buckets; when it is used up the tree answers for what finds no place. */
#define OVERFLOW_ROOM_PER_RECORD 16u
#define OVERFLOW_ROOM_FIRST 256u

/* ---- side hash ---- */

#define BUCKET_SLOTS 8u

/* One cache line. A slot is one word, so that readers never see half of it:
 *   low half odd    an entry: low half = hash | 1, high half = its reference
 *   0               empty
 * The last slot is the tail and may instead be
 *   low half 0      a link: high half = reference of an overflow bucket
 *   low half 2      BUCKET_INCOMPLETE: what is not found here may still be in the tree */
struct bucket
{
  uint64_t slots[BUCKET_SLOTS];
};

#define PUT_OFF_AFTER 1024u /* inserts in a rising row behind which entries are put off (H4) */
#define CATCH_UP 8u         /* of these, how many an insert hashes once they are wanted */
#define PUT_OFF_CHUNK 62u   /* entries of a chunk */

/* Entries that are in no bucket yet: a list of chunks in the order of their inserts. */
struct put_off_chunk
{
  reference next;                /* chunk behind, or 0 */
  uint32_t count;                /* slots that were filled */
  uint32_t taken;                /* of them, how many are in buckets by now */
  uint64_t slots[PUT_OFF_CHUNK]; /* as in a bucket */
};

/* ---- journal: entries in the order of their inserts ---- */

#define JOURNAL_CHUNK_ENTRIES 124u

struct journal_chunk
{
  uint64_t first_sequence;                  /* of the first entry */
  reference previous;                       /* chunk before, or 0 */
  _Atomic uint32_t count;                   /* entries in use */
  reference entries[JOURNAL_CHUNK_ENTRIES]; /* what each insert wrote to */
};

/* ---- range deletes ---- */

/* One range delete in the arena, linked newest first. */
struct range_entry
{
  uint64_t sequence;   /* of its commit */
  uint32_t ordinal;    /* 1 for the first one of the memtable */
  reference previous;  /* the one before, or 0 */
  uint32_t start_size; /* bytes */
  uint32_t end_size;   /* bytes */
  uint8_t keys[];      /* start, then end */
};

struct range_layers; /* immutable sets of the older range deletes, memtable-range.c */

/* ---- the writer's place in the tree ---- */

/* The path of the last insert. `low` and `high` are the fences of the node at that level as entry
 * references, 0 where open. Index 0 is the leaf. */
struct tree_path
{
  unsigned depth; /* levels; path.nodes[depth - 1] is the root */
  reference nodes[TREE_DEPTH_MAX];
  reference low[TREE_DEPTH_MAX];
  reference high[TREE_DEPTH_MAX];
};

struct tree_finger
{
  struct tree_path path; /* valid when `position` is not FINGER_NONE */
  reference entry;       /* the last new entry */
  unsigned position;     /* its slot in the leaf, or FINGER_NONE */
  unsigned rising;       /* inserts in a row that landed right behind the one before */
  unsigned falling;      /* … right before it */
};
#define FINGER_NONE UINT32_MAX

struct memtable
{
  /* Read by everyone, constant while the memtable lives. */
  uint8_t *data;              /* the arena's base */
  struct bucket *buckets;     /* the side hash's base */
  head_search search;         /* picked for this processor */
  struct memtable_pool *pool; /* where the arena comes from */
  struct arena *arena;        /* see above */

  /* Read by everyone, changed now and then by the writer. */
  _Alignas(CACHE_LINE) _Atomic reference root; /* the tree's top node */
  _Atomic uint32_t bucket_count;               /* buckets in use; only grows */
  _Atomic bool put_off;                        /* some entries are in no bucket (H4) */
  _Atomic bool wanted;                         /* no more are to be; readers set it, too (H4) */
  _Atomic reference newest_range;              /* newest range delete, or 0 */
  _Atomic uint64_t first_sequence;             /* 0 = empty */
  _Atomic (struct range_layers *) layers;      /* sets of all but the newest ones, or NULL */
  _Atomic bool frozen;                         /* M5 */

  /* Written at each insert, read now and then. */
  _Alignas(CACHE_LINE) _Atomic uint64_t used; /* bytes of the arena handed out */
  _Atomic uint64_t records;                   /* versions, deletes included */
  _Atomic uint64_t deletes;                   /* point deletes */
  _Atomic uint64_t range_deletes;             /* range deletes */
  _Atomic uint64_t data_bytes;                /* keys and values */
  _Atomic uint64_t last_sequence;             /* newest of anything */
  _Atomic reference journal;                  /* newest chunk, or 0 */

  /* The writer's own. */
  _Alignas(CACHE_LINE) struct tree_finger finger; /* where the last insert went */
  uint64_t charged;                               /* copy of arena->data.charged */
  uint64_t hashed;                                /* entries in the side hash */
  uint64_t bucket_limit;                          /* buckets whose memory is open */
  uint64_t overflow_room;                         /* arena bytes reserved for overflow buckets */
  reference free_bucket;                          /* list of overflow buckets out of use */
  reference first_put_off, last_put_off;          /* the list of those put off; 0: empty */
  size_t put_off_count;                           /* entries in it */
  uint32_t leaf_count;                            /* leaves of the tree */
  uint32_t inner_count;                           /* inner nodes */
  unsigned depth;                                 /* levels */

  _Alignas(CACHE_LINE) atomic_uint references; /* memtable_ref */
  struct epoch_link link;                      /* for the last unref */
};

/* ---- arena ---- */

static inline void *
arena_at (const struct memtable *table, reference at)
{
  return table->data + (size_t) at * 8;
}

static inline struct entry *
entry_at (const struct memtable *table, reference at)
{
  return arena_at (table, at);
}

static inline struct version *
version_at (const struct memtable *table, reference at)
{
  return arena_at (table, at);
}

static inline struct node *
node_at (const struct memtable *table, reference at)
{
  return arena_at (table, at);
}

static inline struct bytes
entry_key (const struct entry *entry)
{
  return BYTES (entry->key, entry->key_size);
}

/* Offset of an entry's first version from the entry, which is a multiple of 8. */
static inline size_t
entry_size (size_t key_size)
{
  return (sizeof (struct entry) + key_size + 7) & ~(size_t) 7;
}

/* `size` bytes at a multiple of `alignment` (8 or more). The room was reserved: M3. */
reference memtable_take (struct memtable *table, size_t size, size_t alignment);

/* ---- versions ---- */

static inline reference
entry_newest (const struct entry *entry)
{
  return atomic_load_explicit (&entry->newest, memory_order_acquire);
}

static inline uint64_t
version_sequence (const struct version *version)
{
  return version->word >> VERSION_SEQUENCE_SHIFT;
}

static inline const struct version_jump *
version_jump (const struct version *version)
{
  return (version->word & VERSION_OVERWRITES) != 0 ? (const struct version_jump *) version->rest
                                                   : NULL;
}

static inline uint32_t
version_depth (const struct version *version)
{
  const struct version_jump *jump = version_jump (version);
  return jump != NULL ? jump->depth : 0;
}

/* The newest version of `entry` at `snapshot`, or 0. */
reference version_find (const struct memtable *table, const struct entry *entry, uint64_t snapshot);
/* The version right above `at` in the chain of `entry`, or 0 when it is the newest. */
reference version_above (const struct memtable *table, const struct entry *entry, reference at);
/* The first version of the key. */
reference version_oldest (const struct memtable *table, const struct entry *entry);
void version_read (const struct entry *entry, const struct version *version, struct record *out);

/* ---- tree (memtable-tree.c) ---- */

#define NODE_RESERVE (NODE_SIZE + CACHE_LINE) /* arena bytes of a node, aligned */
void tree_init (struct memtable *table);
/* Bytes that the nodes of `records` more inserts can take. False on overflow. */
bool tree_reserve_size (const struct memtable *table, size_t records, size_t *size);
/* The entry of `key`, or 0. Any thread. */
reference tree_find (const struct memtable *table, struct bytes key);
/* Whether `key` belongs right behind the last insert, one of a row in rising order: then it is not
 * in the tree. Writer only. */
bool tree_follows (const struct memtable *table, struct bytes key);
/* Adds an entry whose key is not in the tree; `follows` as tree_follows says. Writer only. */
void tree_insert (struct memtable *table, reference entry, bool follows);

/* A leaf as it was at one moment, and an index into it. */
struct leaf_copy
{
  reference leaf;                  /* the node */
  reference next;                  /* right neighbour then */
  unsigned count;                  /* entries */
  uint32_t entries[LEAF_CAPACITY]; /* their references */
};
/* Copies the leaf that `key` belongs to; returns the number of its entries below `key`. */
unsigned tree_copy_for (const struct memtable *table, struct bytes key, struct leaf_copy *copy);
void tree_copy_first (const struct memtable *table, struct leaf_copy *copy);
void tree_copy_last (const struct memtable *table, struct leaf_copy *copy);
/* Replaces the copy by its neighbour's; false (copy unchanged) at the end of the tree. */
bool tree_copy_next (const struct memtable *table, struct leaf_copy *copy);
bool tree_copy_previous (const struct memtable *table, struct leaf_copy *copy);

/* ---- side hash (memtable-hash.c) ---- */

void hash_init (struct memtable *table);
/* Opens bucket memory for `records` more entries. False when the system refuses. */
bool hash_reserve (struct memtable *table, size_t records);
/* The entry of `key`, or 0; falls back on the tree. Any thread. */
reference hash_find (struct memtable *table, struct bytes key, uint64_t hash);
/* Adds an entry that is not there. Writer only; cannot fail. */
void hash_insert (struct memtable *table, uint64_t hash, reference entry);
/* Whether the next entry is put off (H4), which then has to be said before it is in the tree;
 * `follows` as tree_follows says. Writer only. */
bool hash_puts_off (struct memtable *table, bool follows);
/* Puts it on the list. Writer only; cannot fail. */
void hash_put_off (struct memtable *table, uint64_t hash, reference entry);
/* Of those put off, how many `records` inserts may put into buckets. */
size_t hash_due (const struct memtable *table, size_t records);
/* Puts up to `most` of them into buckets. Writer only; cannot fail. */
void hash_catch_up (struct memtable *table, size_t most);

/* ---- range deletes (memtable-range.c) ---- */

#define RANGE_OVERHEAD_MAX (sizeof (struct range_entry) + 8)
void range_insert (struct memtable *table, const struct range_delete *range);
/* The start of the first part of [start, end) that a range delete newer than `since` covers. */
bool range_changed_since (struct memtable *table, struct bytes start, const struct bytes *end,
                          uint64_t since, struct bytes *key);
void range_release (struct memtable *table);

/* ---- counters with one writer ---- */

static inline void
counter_add (_Atomic uint64_t *counter, uint64_t amount)
{
  uint64_t now = atomic_load_explicit (counter, memory_order_relaxed);
  atomic_store_explicit (counter, now + amount, memory_order_relaxed);
}

#endif
