/* SPDX-License-Identifier: MIT */
/* Memtables that are full, or have no memory, or values as large as they may be. */
#include "memtable-trial.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Rows in rising order, which are recognised without a search, that run into keys that are there:
 * the next one, the last one again, one further back. */
void
test_rising_rows (void)
{
  struct memtable *table = new_table ();
  struct memtable_statistics statistics;
  struct random random = { 44 };
  uint64_t sequence = 0, last[4000] = { 0 };
  uint8_t key[8];
  for (unsigned row = 0; row < 600; row++)
    {
      uint64_t number = random_below (&random, 4000), step = 1 + random_below (&random, 3);
      for (unsigned i = 0; i < 24 && number < 4000; i++, number += step)
        {
          uint64_t again = i > 12 && random_below (&random, 4) == 0 ? random_below (&random, 4) : 0;
          uint64_t chosen = number - (again * step <= number ? again * step : 0);
          store_u64 (key, __builtin_bswap64 (chosen));
          put (table, BYTES (key, 8), BYTES (key, 8), ++sequence);
          last[chosen] = sequence;
        }
    }
  memtable_statistics (table, &statistics);
  CHECK_INT (statistics.records, sequence);

  struct source *source;
  size_t keys = 0, versions = 0;
  for (unsigned i = 0; i < 4000; i++)
    {
      store_u64 (key, __builtin_bswap64 ((uint64_t) i));
      CHECK_INT (memtable_newest (table, BYTES (key, 8), key_hash (BYTES (key, 8))), last[i]);
      keys += last[i] != 0;
    }
  CHECK_OK (memtable_source_new (table, &source, &failure));
  uint64_t before = UINT64_MAX;
  CHECK_OK (source_first (source, &failure));
  while (source->valid)
    {
      uint64_t number = load_u64_big (source->record.key.data);
      keys -= number != before;
      before = number;
      versions++;
      CHECK_OK (source_next (source, &failure));
    }
  CHECK_INT (keys, 0);
  CHECK_INT (versions, sequence);
  source_release (source);
  memtable_unref (table);
}

void
test_large_value (void)
{
  struct memtable *table = new_table ();
  struct bytes key = BYTES_LITERAL ("\0\0\0\1large");
  size_t size = (size_t) 80 << 20;
  uint8_t *value = malloc (size);
  struct record record;
  memset (value, 0x5a, size);
  put (table, key, BYTES (value, size), 1);
  CHECK (memtable_get (table, key, key_hash (key), 1, &record));
  CHECK (bytes_equal (record.value, BYTES (value, size)));
  CHECK (ledger_used (&ledger, LEDGER_MEMTABLE) >= (int64_t) size);
  free (value);
  memtable_unref (table);
  epoch_collect (true);
  /* The pool keeps an arena, but not one of that size. */
  CHECK (ledger_used (&ledger, LEDGER_MEMTABLE) < (int64_t) (4 * ARENA_SIZE));
}

void
test_reserve_too_much (void)
{
  struct memtable *table = new_table ();
  size_t memory = memtable_memory (table);
  int64_t charged = ledger_used (&ledger, LEDGER_MEMTABLE);
  CHECK_FAILS (memtable_reserve (table, SIZE_MAX, 1, 0, 0, &failure), STATUS_NO_MEMORY);
  CHECK_FAILS (memtable_reserve (table, 1, SIZE_MAX, 0, 0, &failure), STATUS_NO_MEMORY);
  CHECK_FAILS (memtable_reserve (table, 1, 1, SIZE_MAX / 2, 0, &failure), STATUS_NO_MEMORY);
  CHECK_FAILS (memtable_reserve (table, 1, 1, 1, (size_t) 1 << 40, &failure), STATUS_NO_MEMORY);
  CHECK (failure.message[0] != '\0');
  CHECK_INT (memtable_memory (table), memory);
  CHECK_INT (ledger_used (&ledger, LEDGER_MEMTABLE), charged);
  put (table, BYTES_LITERAL ("\0\0\0\1k"), BYTES_NONE, 1);
  memtable_unref (table);
}

/* The system refuses memory: the table is as it was, and goes on when there is some. */
static void
check_little_memory (void)
{
  struct memtable *table = new_table ();
  struct bytes key = BYTES_LITERAL ("\0\0\0\1k");
  struct rlimit old;
  struct record record;
  put (table, key, BYTES_LITERAL ("v"), 1);
  getrlimit (RLIMIT_DATA, &old);
  setrlimit (RLIMIT_DATA, &(struct rlimit){ 1 << 20, old.rlim_max });
  CHECK_FAILS (memtable_reserve (table, 1, (size_t) 64 << 20, 0, 0, &failure), STATUS_NO_MEMORY);
  CHECK (memtable_get (table, key, key_hash (key), 1, &record));
  setrlimit (RLIMIT_DATA, &old);
  CHECK_OK (memtable_reserve (table, 1, (size_t) 64 << 20, 0, 0, &failure));
  memtable_unref (table);
}

/* Less address space than an arena asks for at first, then next to none. */
static void
check_little_address_space (void)
{
  struct rlimit old;
  struct memtable *table;
  struct memtable_pool *small;
  CHECK_OK (memtable_pool_new (&ledger, ARENA_SIZE, &small, &failure));
  getrlimit (RLIMIT_AS, &old);
  setrlimit (RLIMIT_AS, &(struct rlimit){ (rlim_t) 48 << 30, old.rlim_max });
  size_t made = 0;
  struct memtable *tables[16];
  while (made < 16 && memtable_new (small, &table, NULL) == STATUS_OK)
    {
      put (table, BYTES_LITERAL ("\0\0\0\1k"), BYTES_LITERAL ("v"), 1);
      tables[made++] = table;
    }
  CHECK (made > 2);
  while (made > 0)
    memtable_unref (tables[--made]);
  epoch_collect (true);
  memtable_pool_trim (small);

  /* The memtables of a database leave most of a limit to threads' stacks and everything else. */
  setrlimit (RLIMIT_AS, &(struct rlimit){ (rlim_t) 2 << 30, old.rlim_max });
  while (made < 4 && memtable_new (small, &tables[made], NULL) == STATUS_OK)
    made++;
  CHECK_INT (made, 4);
  size_t rest = (size_t) 1 << 30;
  void *other = mmap (NULL, rest, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK (other != MAP_FAILED);
  munmap (other, rest);
  setrlimit (RLIMIT_AS, &(struct rlimit){ 1 << 20, old.rlim_max });
  CHECK_FAILS (memtable_new (small, &table, &failure), STATUS_NO_MEMORY);
  setrlimit (RLIMIT_AS, &old);
  while (made > 0)
    memtable_unref (tables[--made]);
  memtable_pool_free (small);
}

void
test_no_memory (void)
{
  if (SANITIZED)
    return;
  epoch_collect (true);
  memtable_pool_trim (pool);
  pid_t child = fork ();
  if (child == 0)
    {
      check_little_address_space ();
      check_little_memory ();
      _exit (0);
    }
  int result;
  CHECK (waitpid (child, &result, 0) == child);
  CHECK_INT (result, 0);
}

/* M3 at its narrowest: one large reserve, inserts in the orders that split most. */
void
test_reserve_covers (void)
{
  enum
  {
    KEYS = 20000
  };
  for (int order = 0; order < 4; order++)
    {
      struct memtable *table = new_table ();
      struct random random = { 3 };
      for (unsigned round = 0; round < 4; round++)
        {
          CHECK_OK (memtable_reserve (table, KEYS, KEYS * 12, 0, 0, &failure));
          for (uint64_t i = 0; i < KEYS; i++)
            {
              uint8_t key[12] = { 0, 0, 0, 1 };
              uint64_t number = order == 0   ? i * 4 + round
                                : order == 1 ? (KEYS - i) * 4 + round
                                : order == 2 ? random_next (&random)
                                             : i % 10 * 1000000 + i / 10 * 4 + round;
              put_number (key + 4, number);
              struct record record = { .key = BYTES (key, 12), .sequence = round * KEYS + i + 1 };
              memtable_insert (table, key_hash (record.key), &record);
            }
        }
      struct memtable_statistics statistics;
      memtable_statistics (table, &statistics);
      CHECK_INT (statistics.records, 4 * KEYS);
      memtable_unref (table);
    }
}

void
test_arenas_are_reused (void)
{
  epoch_collect (true);
  memtable_pool_trim (pool);
  CHECK_INT (ledger_used (&ledger, LEDGER_MEMTABLE), 0);
  for (int round = 0; round < 20; round++)
    {
      struct memtable *table = new_table ();
      struct record record;
      uint8_t key[12] = { 0, 0, 0, 1 };
      for (uint64_t i = 0; i < 2000; i++)
        {
          put_number (key + 4, i * 7919 % 2000 + (uint64_t) round);
          put (table, BYTES (key, 12), BYTES (key, 12), i + 1);
        }
      for (uint64_t i = 0; i < 2100; i++)
        {
          put_number (key + 4, i);
          CHECK_INT (memtable_get (table, BYTES (key, 12), key_hash (BYTES (key, 12)), UINT64_MAX,
                                   &record),
                     i >= (uint64_t) round && i < (uint64_t) round + 2000);
        }
      memtable_unref (table);
      epoch_collect (true);
    }
  CHECK (ledger_used (&ledger, LEDGER_MEMTABLE) > 0);
  CHECK (ledger_used (&ledger, LEDGER_MEMTABLE) < (int64_t) (3 * ARENA_SIZE));
  memtable_pool_trim (pool);
  CHECK_INT (ledger_used (&ledger, LEDGER_MEMTABLE), 0);
}
