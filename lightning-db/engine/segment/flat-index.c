/* SPDX-License-Identifier: MIT */
#include "segment/flat-index.h"

#include "base/buffer.h"
#include "base/coding.h"

#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define NODE_HEADS 16u
#define NODE_CHILDREN 17u
#define LAYERS_MAX 8u /* 16 * 17^7 heads are more than 2^32 */
#define HEAD_BYTES 8u
#define SIZE_LONG 255u /* in `sizes`: more than HEAD_BYTES, the rest is in `tails` */

struct flat_index
{
  const int64_t *layers[LAYERS_MAX]; /* [0] the heads, last the root; into `block` */
  uint32_t nodes[LAYERS_MAX];        /* per layer */
  unsigned layer_count;              /* at least 1 */
  uint32_t count;                    /* separators */
  uint32_t added;                    /* so far */
  const uint8_t *prefix;             /* shared by all; behind the struct's own bytes */
  size_t prefix_size;                /* bytes */
  struct buffer block;               /* all layers; owned */
  uint8_t *sizes;                    /* bytes behind the prefix, or SIZE_LONG; owned */
  uint32_t *tail_ends;    /* per separator, end of its bytes in `tails`; NULL: none long */
  uint8_t *tails;         /* what follows the heads of long separators; owned */
  size_t tail_room;       /* bytes allocated */
  struct epoch_link link; /* for retiring */
  struct ledger *ledger;  /* refunded when freed; NULL before retiring */
  size_t charged;         /* bytes to refund */
};

/* ---- heads ---- */

/* Unsigned order as signed numbers, which AVX2 can compare. */
static inline int64_t
bias (uint64_t head)
{
  return (int64_t) (head ^ UINT64_C (0x8000000000000000));
}

static inline int64_t
head_of (struct bytes key, size_t prefix_size)
{
  return bias (key_head (key, prefix_size));
}

/* Heads of one node that are <= head. */
static inline unsigned
rank_scalar (const int64_t *node, int64_t head)
{
  unsigned rank = 0;
  for (unsigned i = 0; i < NODE_HEADS; i++)
    rank += node[i] <= head;
  return rank;
}

#if defined(__x86_64__)
__attribute__ ((target ("avx2,popcnt"))) static inline unsigned
rank_avx2 (const int64_t *node, int64_t head)
{
  __m256i wanted = _mm256_set1_epi64x (head);
  unsigned above = 0;
  for (unsigned part = 0; part < 4; part++)
    {
      __m256i heads = _mm256_load_si256 ((const __m256i *) (const void *) (node + 4 * part));
      __m256i greater = _mm256_cmpgt_epi64 (heads, wanted);
      above |= (unsigned) _mm256_movemask_pd (_mm256_castsi256_pd (greater)) << (4 * part);
    }
  return NODE_HEADS - (unsigned) _mm_popcnt_u32 (above);
}

__attribute__ ((target ("avx512f,popcnt"))) static inline unsigned
rank_avx512 (const int64_t *node, int64_t head)
{
  __m512i wanted = _mm512_set1_epi64 (head);
  __mmask8 low = _mm512_cmple_epi64_mask (_mm512_load_si512 (node), wanted);
  __mmask8 high = _mm512_cmple_epi64_mask (_mm512_load_si512 (node + 8), wanted);
  return (unsigned) _mm_popcnt_u32 ((unsigned) low | (unsigned) high << 8);
}
#endif

/* ---- searching by head ---- */

static inline void
prefetch_slots (struct page_table *table, uint64_t first)
{
  uint64_t last = table->page_count - 1;
  page_table_prefetch (table, first < last ? first : last);
  page_table_prefetch (table, first + 8 < last ? first + 8 : last);
}

static inline uint32_t
child_of (const struct flat_index *index, unsigned layer, uint32_t node, unsigned rank)
{
  uint32_t child = node * NODE_CHILDREN + rank;
  return child < index->nodes[layer - 1] ? child : index->nodes[layer - 1] - 1;
}

static inline uint32_t
final_rank (const struct flat_index *index, uint32_t node, unsigned rank)
{
  uint32_t found = node * NODE_HEADS + rank;
  return found < index->count ? found : index->count;
}

/* The same walk for each kernel; a macro, so that each kernel is inlined into code of its own
 * target. */
#define DEFINE_WALK(NAME, RANK)                                                                    \
  static uint32_t NAME (const struct flat_index *index, int64_t head, struct page_table *table)    \
  {                                                                                                \
    uint32_t node = 0;                                                                             \
    for (unsigned layer = index->layer_count - 1; layer > 0; layer--)                              \
      node = child_of (index, layer, node,                                                         \
                       RANK (index->layers[layer] + (size_t) node * NODE_HEADS, head));            \
    if (table != NULL)                                                                             \
      prefetch_slots (table, (uint64_t) node *NODE_HEADS);                                         \
    return final_rank (index, node, RANK (index->layers[0] + (size_t) node * NODE_HEADS, head));   \
  }

DEFINE_WALK (walk_scalar, rank_scalar)
#if defined(__x86_64__)
__attribute__ ((target ("avx2,popcnt"))) DEFINE_WALK (walk_avx2, rank_avx2)
    __attribute__ ((target ("avx512f,popcnt"))) DEFINE_WALK (walk_avx512, rank_avx512)
#endif

        static inline uint32_t walk (const struct flat_index *index, int64_t head,
                                     enum cpu_level level, struct page_table *table)
{
#if defined(__x86_64__)
  if (level == CPU_AVX512)
    return walk_avx512 (index, head, table);
  if (level == CPU_AVX2)
    return walk_avx2 (index, head, table);
#endif
  return walk_scalar (index, head, table);
}

static inline unsigned
node_rank (const int64_t *node, int64_t head, enum cpu_level level)
{
#if defined(__x86_64__)
  if (level == CPU_AVX512)
    return rank_avx512 (node, head);
  if (level == CPU_AVX2)
    return rank_avx2 (node, head);
#endif
  return rank_scalar (node, head);
}

/* ---- telling equal heads apart ---- */

/* Whether separator `i`, whose head is the key's, is <= the key. */
static bool
at_or_below (const struct flat_index *index, uint32_t i, struct bytes suffix)
{
  if (index->sizes[i] != SIZE_LONG)
    return index->sizes[i] <= suffix.size;
  if (suffix.size <= HEAD_BYTES)
    return false;
  uint32_t start = i > 0 ? index->tail_ends[i - 1] : 0;
  struct bytes tail = BYTES (index->tails + start, index->tail_ends[i] - start);
  return bytes_compare (tail, BYTES (suffix.data + HEAD_BYTES, suffix.size - HEAD_BYTES)) <= 0;
}

/* `rank` separators have heads <= the key's; how many are themselves <= the key. */
static uint32_t
settle_ties (const struct flat_index *index, uint32_t rank, int64_t head, struct bytes suffix,
             enum cpu_level level)
{
  uint32_t low = head == INT64_MIN ? 0 : walk (index, head - 1, level, NULL), high = rank;
  while (low < high)
    {
      uint32_t middle = low + (high - low) / 2;
      if (at_or_below (index, middle, suffix))
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* The order of a key and the shared prefix: true when heads decide, else *rank is the answer. */
static inline bool
behind_prefix (const struct flat_index *index, struct bytes key, struct bytes *suffix,
               uint32_t *rank)
{
  size_t size = index->prefix_size;
  if (__builtin_expect (key.size < size || !bytes_same (key.data, index->prefix, size), 0))
    {
      *rank = bytes_compare (key, BYTES (index->prefix, size)) > 0 ? index->count : 0;
      return false;
    }
  *suffix = BYTES (key.data + size, key.size - size);
  return true;
}

uint32_t
flat_index_find (const struct flat_index *index, struct bytes key, enum cpu_level level,
                 struct page_table *table)
{
  struct bytes suffix;
  uint32_t rank;
  if (!behind_prefix (index, key, &suffix, &rank))
    return rank;
  int64_t head = head_of (key, index->prefix_size);
  rank = walk (index, head, level, table);
  if (rank > 0 && __builtin_expect (index->layers[0][rank - 1] == head, 0))
    rank = settle_ties (index, rank, head, suffix, level);
  return rank;
}

/* A probe under way. */
struct descent
{
  struct bytes suffix; /* of the key, behind the prefix */
  int64_t head;        /* of it */
  uint32_t node;       /* in the layer that is next */
  bool settled;        /* the prefix has decided */
};

/* From a node of `layer` into the one below, which starts to be fetched. */
static inline void
descend (const struct flat_index_probe *probe, struct descent *descent, unsigned layer,
         enum cpu_level level)
{
  const struct flat_index *index = probe->index;
  const int64_t *node = index->layers[layer] + (size_t) descent->node * NODE_HEADS;
  descent->node = child_of (index, layer, descent->node, node_rank (node, descent->head, level));
  const int64_t *child = index->layers[layer - 1] + (size_t) descent->node * NODE_HEADS;
  __builtin_prefetch (child);
  __builtin_prefetch (child + 8);
  if (layer == 1 && probe->table != NULL)
    prefetch_slots (probe->table, (uint64_t) descent->node * NODE_HEADS);
}

void
flat_index_find_many (struct flat_index_probe *probes, size_t count, enum cpu_level level)
{
  struct descent descents[FLAT_INDEX_BATCH];
  unsigned layers = 0;
  for (size_t i = 0; i < count; i++)
    {
      const struct flat_index *index = probes[i].index;
      struct descent *descent = &descents[i];
      descent->node = 0;
      descent->settled = !behind_prefix (index, probes[i].key, &descent->suffix, &probes[i].found);
      descent->head = descent->settled ? 0 : head_of (probes[i].key, index->prefix_size);
      layers = index->layer_count > layers ? index->layer_count : layers;
    }
  for (unsigned layer = layers - 1; count > 0 && layer > 0; layer--)
    for (size_t i = 0; i < count; i++)
      if (layer < probes[i].index->layer_count)
        descend (&probes[i], &descents[i], layer, level);
  for (size_t i = 0; i < count; i++)
    {
      const struct flat_index *index = probes[i].index;
      const struct descent *descent = &descents[i];
      if (descent->settled)
        continue;
      const int64_t *node = index->layers[0] + (size_t) descent->node * NODE_HEADS;
      uint32_t found = final_rank (index, descent->node, node_rank (node, descent->head, level));
      if (found > 0 && index->layers[0][found - 1] == descent->head)
        found = settle_ties (index, found, descent->head, descent->suffix, level);
      probes[i].found = found;
    }
}

/* ---- building ---- */

/* Fills nodes[] and returns how many heads all layers have room for. */
static size_t
plan_layers (uint32_t count, uint32_t nodes[LAYERS_MAX], unsigned *layer_count)
{
  size_t total = 0;
  uint64_t here = ((uint64_t) count + NODE_HEADS - 1) / NODE_HEADS;
  unsigned layer = 0;
  here = here > 0 ? here : 1;
  for (;; layer++)
    {
      nodes[layer] = (uint32_t) here;
      total += (size_t) here * NODE_HEADS;
      if (here == 1 || layer + 1 == LAYERS_MAX)
        break;
      here = (here + NODE_CHILDREN - 1) / NODE_CHILDREN;
    }
  *layer_count = layer + 1;
  return total;
}

size_t
flat_index_estimate (uint32_t count)
{
  uint32_t nodes[LAYERS_MAX];
  unsigned layer_count;
  return sizeof (struct flat_index) + plan_layers (count, nodes, &layer_count) * sizeof (int64_t)
         + count;
}

size_t
flat_index_memory (const struct flat_index *index)
{
  size_t memory
      = sizeof *index + index->prefix_size + index->block.room + index->count + index->tail_room;
  return index->tail_ends != NULL ? memory + (size_t) index->count * sizeof (uint32_t) : memory;
}

void
flat_index_free (struct flat_index *index)
{
  if (index == NULL)
    return;
  buffer_release (&index->block, NULL, LEDGER_INDEX);
  free (index->sizes);
  free (index->tail_ends);
  free (index->tails);
  free (index);
}

static void
release (struct epoch_link *link)
{
  struct flat_index *index
      = (struct flat_index *) (void *) ((char *) link - offsetof (struct flat_index, link));
  if (index->ledger != NULL)
    ledger_refund (index->ledger, LEDGER_INDEX, index->charged);
  flat_index_free (index);
}

void
flat_index_retire (struct flat_index *index, struct ledger *ledger, size_t charged)
{
  index->ledger = ledger;
  index->charged = charged;
  epoch_retire (&index->link, release);
}

static int64_t *
heads_of (const struct flat_index *index)
{
  return (int64_t *) (void *) index->block.data;
}

status
flat_index_new (uint32_t count, struct bytes prefix, struct flat_index **out,
                struct failure *failure)
{
  size_t size = sizeof (struct flat_index) + prefix.size;
  struct flat_index *index = calloc (1, size);
  *out = NULL;
  if (index == NULL)
    return fail_memory (failure, size, "a segment's index");
  index->count = count;
  index->prefix_size = prefix.size;
  index->prefix = (uint8_t *) (index + 1);
  if (prefix.size > 0)
    memcpy (index + 1, prefix.data, prefix.size);
  size_t heads = plan_layers (count, index->nodes, &index->layer_count);
  index->sizes = malloc (count > 0 ? count : 1);
  if (!buffer_resize (&index->block, heads * sizeof (int64_t), NULL, LEDGER_INDEX)
      || index->sizes == NULL)
    {
      flat_index_free (index);
      return fail_memory (failure, heads * sizeof (int64_t), "a segment's index");
    }
  for (size_t i = 0; i < heads; i++)
    heads_of (index)[i] = INT64_MAX;
  const int64_t *at = heads_of (index) + heads;
  for (unsigned layer = 0; layer < index->layer_count; layer++)
    {
      at -= (size_t) index->nodes[layer] * NODE_HEADS;
      index->layers[layer] = at;
    }
  *out = index;
  return STATUS_OK;
}

static int64_t *
layer_to_fill (struct flat_index *index, unsigned layer)
{
  return heads_of (index) + (index->layers[layer] - heads_of (index));
}

static status
keep_tail (struct flat_index *index, struct bytes tail, struct failure *failure)
{
  if (index->tail_ends == NULL)
    {
      index->tail_ends = calloc (index->count, sizeof *index->tail_ends);
      if (index->tail_ends == NULL)
        return fail_memory (failure, (size_t) index->count * sizeof (uint32_t),
                            "a segment's index");
    }
  size_t start = index->added > 0 ? index->tail_ends[index->added - 1] : 0;
  size_t end = start + tail.size;
  if (end > UINT32_MAX)
    return fail (failure, STATUS_TOO_MANY, "a segment's separators are too long to index");
  if (end > index->tail_room)
    {
      size_t room = end + end / 2 + 256;
      uint8_t *tails = realloc (index->tails, room);
      if (tails == NULL)
        return fail_memory (failure, room, "a segment's index");
      index->tails = tails;
      index->tail_room = room;
    }
  memcpy (index->tails + start, tail.data, tail.size);
  index->tail_ends[index->added] = (uint32_t) end;
  return STATUS_OK;
}

status
flat_index_add (struct flat_index *index, struct bytes separator, struct failure *failure)
{
  struct bytes prefix = BYTES (index->prefix, index->prefix_size);
  if (index->added == index->count || !bytes_has_prefix (separator, prefix))
    return fail (failure, STATUS_INVALID, "separators are out of order");
  struct bytes suffix = BYTES (separator.data + prefix.size, separator.size - prefix.size);
  int64_t *heads = layer_to_fill (index, 0);
  int64_t head = head_of (separator, prefix.size);
  uint32_t at = index->added;
  if (at > 0 && heads[at - 1] > head)
    return fail (failure, STATUS_INVALID, "separators are out of order");
  status result = STATUS_OK;
  if (suffix.size > HEAD_BYTES)
    result = keep_tail (index, BYTES (suffix.data + HEAD_BYTES, suffix.size - HEAD_BYTES), failure);
  else if (index->tail_ends != NULL)
    index->tail_ends[at] = at > 0 ? index->tail_ends[at - 1] : 0;
  if (result != STATUS_OK)
    return result;
  heads[at] = head;
  index->sizes[at] = suffix.size > HEAD_BYTES ? SIZE_LONG : (uint8_t) suffix.size;
  index->added++;
  return STATUS_OK;
}

status
flat_index_finish (struct flat_index *index, struct failure *failure)
{
  if (index->added != index->count)
    return fail (failure, STATUS_INVALID, "separators are missing");
  uint64_t span = 1; /* nodes of layer 0 below one node of the layer under `layer` */
  for (unsigned layer = 1; layer < index->layer_count; layer++, span *= NODE_CHILDREN)
    for (uint64_t node = 0; node < index->nodes[layer]; node++)
      for (uint64_t key = 0; key < NODE_HEADS; key++)
        {
          uint64_t below = (node * NODE_CHILDREN + key + 1) * span;
          if (below < index->nodes[0])
            layer_to_fill (index, layer)[node * NODE_HEADS + key]
                = index->layers[0][below * NODE_HEADS];
        }
  return STATUS_OK;
}
