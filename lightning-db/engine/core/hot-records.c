/* SPDX-License-Identifier: MIT */
#include "core/hot-records.h"

#include "base/buffer.h"
#include "base/coding.h"

#include <stdlib.h>
#include <sys/mman.h>

#define WAYS 2u
#define WAY_WORDS 24u   /* 192 bytes: three cache lines */
#define HEADER_WORDS 5u /* version, hash, runs_id, sequence, sizes */
#define DATA_WORDS (WAY_WORDS - HEADER_WORDS)
#define TABLE_SIZE_MOST ((size_t) 4 << 20)
#define TABLE_SIZE_LEAST ((size_t) 64 << 10)
#define BUDGET_PART 64u /* of the memory budget */

#define TRIAL_LOOKUPS 4096u
#define PAUSE_LEAST 16384u
#define PAUSE_MOST 131072u

/* One record. Read by words, so that a torn copy is a stale one and never a race. */
struct way
{
  _Atomic uint64_t version;          /* odd: being written; 0: never was */
  _Atomic uint64_t hash;             /* key_hash of the key */
  _Atomic uint64_t runs_id;          /* of which runs it is */
  _Atomic uint64_t sequence;         /* of the record */
  _Atomic uint64_t sizes;            /* key bytes << 32 | value bytes */
  _Atomic uint64_t data[DATA_WORDS]; /* the key, zeros up to a whole word, the value likewise */
};
_Static_assert(sizeof (struct way) == WAY_WORDS * 8, "a way is three cache lines");

struct hot_records
{
  struct epoch_link link; /* retired through it */
  struct ledger *ledger;  /* refunded when freed */
  size_t charged;         /* bytes */
  uint64_t buckets;       /* number of them */
  struct way *ways;       /* WAYS for each bucket; cache lines */
};

/* ---- the table ---- */

static struct hot_records *
make (struct ledger *ledger)
{
  size_t size = ledger->budget / BUDGET_PART;
  if (size < TABLE_SIZE_LEAST)
    return NULL;
  if (size > TABLE_SIZE_MOST)
    size = TABLE_SIZE_MOST;
  size_t alignment = size >= BUFFER_HUGE_PAGE ? BUFFER_HUGE_PAGE : 64;
  struct hot_records *records = calloc (1, sizeof *records + size + alignment);
  if (records == NULL)
    return NULL;
  records->ledger = ledger;
  records->charged = size;
  records->buckets = size / (WAYS * sizeof (struct way));
  uintptr_t start = ((uintptr_t) (records + 1) + alignment - 1) & ~(uintptr_t) (alignment - 1);
  records->ways = (struct way *) start;
  if (alignment == BUFFER_HUGE_PAGE)
    madvise (records->ways, size, MADV_HUGEPAGE); /* a hint */
  ledger_charge (ledger, LEDGER_OTHER, size);
  return records;
}

void
hot_records_free (struct hot_records *records)
{
  if (records == NULL)
    return;
  ledger_refund (records->ledger, LEDGER_OTHER, records->charged);
  free (records);
}

static void
release (struct epoch_link *link)
{
  hot_records_free ((struct hot_records *) link);
}

size_t
hot_records_drop (_Atomic (struct hot_records *) *place)
{
  struct hot_records *records = atomic_exchange (place, NULL);
  if (records == NULL)
    return 0;
  size_t size = records->charged;
  epoch_retire (&records->link, release);
  return size;
}

struct hot_records *
hot_records_provide (_Atomic (struct hot_records *) *place, struct ledger *ledger)
{
  struct hot_records *there = atomic_load_explicit (place, memory_order_acquire);
  if (there != NULL)
    return there;
  struct hot_records *fresh = make (ledger);
  if (fresh == NULL || atomic_compare_exchange_strong (place, &there, fresh))
    return fresh;
  hot_records_free (fresh);
  return there;
}

static inline struct way *
bucket_of (struct hot_records *records, uint64_t hash)
{
  return records->ways + WAYS * (size_t) (((unsigned __int128) hash * records->buckets) >> 64);
}

/* ---- whether it pays ---- */

bool
hot_trial_turn (struct hot_trial *trial)
{
  if (trial->pause == 0) /* a program's first gets: not worth a table yet */
    {
      trial->left = TRIAL_LOOKUPS;
      trial->pause = PAUSE_LEAST;
      trial->on = false;
      return false;
    }
  if (!trial->on || trial->hits >= TRIAL_LOOKUPS / 4) /* a pause is over, or it pays */
    {
      if (trial->on)
        trial->pause = PAUSE_LEAST;
      trial->on = true;
      trial->left = TRIAL_LOOKUPS;
    }
  else
    {
      trial->on = false;
      trial->left = trial->pause;
      trial->pause = trial->pause < PAUSE_MOST ? 2 * trial->pause : PAUSE_MOST;
    }
  trial->hits = 0;
  return trial->on;
}

void
hot_trial_end (struct hot_trial *trial)
{
  trial->on = false;
  trial->left = UINT32_MAX;
}

/* ---- words ---- */

static inline size_t
words_of (size_t size)
{
  return (size + 7) / 8;
}

/* Up to 8 bytes as a word, zeros behind them. */
static inline uint64_t
word_at (struct bytes data, size_t at)
{
  uint64_t word = 0;
  size_t left = data.size - at;
  if (left >= 8)
    return load_u64 (data.data + at);
  if (data.size >= 8)
    return load_u64 (data.data + data.size - 8) >> (64 - 8 * left);
  for (size_t i = 0; i < left; i++)
    word |= (uint64_t) data.data[at + i] << (8 * i);
  return word;
}

/* Not a plain load: the version must be looked at again behind it. */
static inline uint64_t
read_word (const _Atomic uint64_t *from)
{
  return atomic_load_explicit (from, memory_order_acquire);
}

static inline void
write_word (_Atomic uint64_t *to, uint64_t word)
{
  atomic_store_explicit (to, word, memory_order_release);
}

/* ---- getting ---- */

static inline bool
has_key (const struct way *way, struct bytes key)
{
  for (size_t at = 0; at < key.size; at += 8)
    if (read_word (&way->data[at / 8]) != word_at (key, at))
      return false;
  return true;
}

static inline void
copy_value (const _Atomic uint64_t *from, uint8_t *to, size_t size)
{
  size_t at = 0;
  for (; at + 8 <= size; at += 8)
    store_u64 (to + at, read_word (&from[at / 8]));
  uint64_t last = at < size ? read_word (&from[at / 8]) : 0;
  for (; at < size; at++, last >>= 8)
    to[at] = (uint8_t) last;
}

static inline bool
get (const struct way *way, uint64_t runs_id, struct bytes key, uint64_t hash, uint64_t sequence,
     void *buffer, size_t capacity, size_t *size)
{
  uint64_t version = atomic_load_explicit (&way->version, memory_order_acquire);
  if (read_word (&way->hash) != hash || read_word (&way->runs_id) != runs_id || (version & 1) != 0)
    return false;
  uint64_t sizes = read_word (&way->sizes);
  size_t value_size = sizes & UINT32_MAX, key_words = words_of (key.size);
  if (sizes >> 32 != key.size || key_words + words_of (value_size) > DATA_WORDS
      || read_word (&way->sequence) > sequence || !has_key (way, key))
    return false;
  if (value_size <= capacity)
    copy_value (way->data + key_words, buffer, value_size);
  *size = value_size;
  return atomic_load_explicit (&way->version, memory_order_relaxed) == version; /* H2 */
}

bool
hot_records_get (struct hot_records *records, uint64_t runs_id, struct bytes key, uint64_t hash,
                 uint64_t sequence, void *buffer, size_t capacity, size_t *size)
{
  const struct way *way = bucket_of (records, hash);
  __builtin_prefetch (&way[1]);
  __builtin_prefetch ((const uint8_t *) way + 64);
  __builtin_prefetch ((const uint8_t *) way + 128);
  for (unsigned i = 0; i < WAYS; i++)
    if (get (way + i, runs_id, key, hash, sequence, buffer, capacity, size))
      return true;
  return false;
}

/* ---- keeping ---- */

/* The way that holds the key, or one of other runs, or one by chance. */
static struct way *
way_to_fill (struct way *bucket, uint64_t runs_id, uint64_t hash)
{
  static _Thread_local unsigned turn;
  for (unsigned i = 0; i < WAYS; i++)
    if (read_word (&bucket[i].hash) == hash)
      return &bucket[i];
  for (unsigned i = 0; i < WAYS; i++)
    if (read_word (&bucket[i].runs_id) != runs_id)
      return &bucket[i];
  return &bucket[turn++ % WAYS];
}

void
hot_records_keep (struct hot_records *records, uint64_t runs_id, struct bytes key, uint64_t hash,
                  uint64_t sequence, struct bytes value)
{
  size_t key_words = words_of (key.size);
  if (value.size > DATA_WORDS * 8 || key_words + words_of (value.size) > DATA_WORDS)
    return;
  struct way *way = way_to_fill (bucket_of (records, hash), runs_id, hash);
  uint64_t version = atomic_load_explicit (&way->version, memory_order_relaxed);
  if ((version & 1) != 0
      || !atomic_compare_exchange_strong_explicit (&way->version, &version, version + 1,
                                                   memory_order_acquire, memory_order_relaxed))
    return; /* H2 */
  write_word (&way->hash, hash);
  write_word (&way->runs_id, runs_id);
  write_word (&way->sequence, sequence);
  write_word (&way->sizes, (uint64_t) key.size << 32 | value.size);
  for (size_t at = 0; at < key.size; at += 8)
    write_word (&way->data[at / 8], word_at (key, at));
  for (size_t at = 0; at < value.size; at += 8)
    write_word (&way->data[key_words + at / 8], word_at (value, at));
  atomic_store_explicit (&way->version, version + 2, memory_order_release);
}
