/* SPDX-License-Identifier: MIT */
/* memtable-trial: a memtable's surroundings, its keys of several kinds, and the model: a sorted
 * array of the same versions. */
#ifndef LIGHTNING_TESTS_MEMTABLE_TRIAL_H
#define LIGHTNING_TESTS_MEMTABLE_TRIAL_H

#include "base/coding.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/random.h"
#include "check.h"
#include "memtable/memtable-node.h"
#include "memtable/memtable.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define ARENA_SIZE ((size_t) 8 << 20)

extern struct failure failure;
extern struct ledger ledger;
extern struct memtable_pool *pool;

struct memtable *new_table (void);
void put (struct memtable *table, struct bytes key, struct bytes value, uint64_t sequence);

struct model_version
{
  uint64_t sequence;
  uint64_t expiry;
  enum record_kind kind;
  size_t value_size;
};

struct model_key
{
  uint8_t *data;
  size_t size;
  size_t version_count; /* oldest first */
  struct model_version *versions;
};

struct model_range
{
  struct bytes start;
  struct bytes end;
  uint64_t sequence;
};

struct model
{
  struct model_key *keys; /* sorted */
  size_t key_count;
  struct model_range *ranges;
  size_t range_count;
  uint64_t sequence; /* newest */
};

struct bytes model_bytes (const struct model_key *key);

/* Number of keys below `key`. */
size_t model_lower (const struct model *model, struct bytes key);

struct model_key *model_find (const struct model *model, struct bytes key);
uint8_t *copy_bytes (struct bytes bytes);
void model_insert (struct model *model, const struct record *record);
void model_clear (struct model *model);

/* A value is told from others by every byte of it. */
void fill_value (uint8_t *to, size_t size, uint64_t sequence, struct bytes key);

void check_record (const struct record *record, const struct model_key *key,
                   const struct model_version *version);

enum key_family
{
  FAMILY_TINY,     /* prefixes of each other, zero bytes */
  FAMILY_DECIMAL,  /* user00000123 */
  FAMILY_PREFIXED, /* 200 bytes in common, suffixes from empty */
  FAMILY_STORES,   /* rising numbers in three stores */
  FAMILY_FALLING,  /* falling numbers */
  FAMILY_HUGE,     /* up to the longest */
  FAMILY_BINARY,   /* 16 random bytes */
  FAMILIES,
};

void put_number (uint8_t *to, uint64_t number);
struct bytes make_key (struct random *random, enum key_family family, uint64_t step);

/* ---- the tests, by file ---- */

/* test-memtable-limits.c */
void test_rising_rows (void);
void test_large_value (void);
void test_reserve_too_much (void);
void test_no_memory (void);
void test_reserve_covers (void);
void test_arenas_are_reused (void);

/* test-memtable-threads.c */
void test_concurrency (void);

/* test-memtable-steps.c */
void test_steps (void);

#endif
