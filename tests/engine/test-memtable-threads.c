/* SPDX-License-Identifier: MIT */
/* Readers of a memtable beside its writer. */
#include "memtable-trial.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* Commit s writes key s for the first time and, when s is a multiple of 3, key s / 3 again. So at
 * snapshot p there are just the keys 1 … p, and key j was last written by 3 j if that is <= p. */
#define READERS 3

struct concurrency
{
  struct memtable *table;
  _Atomic uint64_t published; /* newest commit readers may ask for */
  uint64_t commits;           /* in all */
  int order;                  /* how keys lie: 0 rising, 1 falling, 2 scattered */
  atomic_uint scans;          /* finished by readers */
  pthread_barrier_t start;    /* of the writer and all readers */
};

static struct bytes
concurrent_key (const struct concurrency *test, uint64_t number, uint8_t to[12])
{
  uint64_t place = test->order == 0   ? number
                   : test->order == 1 ? UINT64_MAX - number
                                      : number * UINT64_C (0x9e3779b97f4a7c15);
  memcpy (to, "\0\0\0\1", 4);
  put_number (to + 4, place);
  return BYTES (to, 12);
}

static uint64_t
expected_sequence (uint64_t number, uint64_t snapshot)
{
  return number * 3 <= snapshot ? number * 3 : number;
}

static void
check_concurrent_record (const struct record *record, uint64_t snapshot)
{
  uint64_t number;
  CHECK_INT (record->value.size, sizeof number);
  memcpy (&number, record->value.data, sizeof number);
  CHECK_INT (record->sequence, expected_sequence (number, snapshot));
}

/* All keys visible at `snapshot`, each once, in order, at the right version. */
static void
concurrent_scan (struct concurrency *test, uint64_t snapshot, bool forward)
{
  struct source *source;
  struct failure reader_failure = FAILURE_INIT;
  CHECK (memtable_source_new (test->table, &source, &reader_failure) == STATUS_OK);
  CHECK ((forward ? source_first : source_last) (source, &reader_failure) == STATUS_OK);
  uint64_t seen = 0;
  struct bytes key = BYTES_NONE;
  struct record best = { .sequence = 0 };
  for (;;)
    {
      bool new_key = !source->valid || key.data != source->record.key.data;
      if (new_key && best.sequence != 0)
        {
          check_concurrent_record (&best, snapshot);
          seen++;
          best.sequence = 0;
        }
      if (!source->valid)
        break;
      if (new_key && key.data != NULL)
        CHECK ((bytes_compare (key, source->record.key) < 0) == forward);
      key = source->record.key;
      if (source->record.sequence <= snapshot && source->record.sequence > best.sequence)
        best = source->record;
      CHECK ((forward ? source_next : source_previous) (source, &reader_failure) == STATUS_OK);
    }
  CHECK_INT (seen, snapshot);
  source_release (source);
  atomic_fetch_add (&test->scans, 1);
}

static void *
concurrent_reader (void *data)
{
  struct concurrency *test = data;
  struct random random = { (uint64_t) (uintptr_t) &random };
  pthread_barrier_wait (&test->start);
  for (bool last = false; !last;)
    {
      uint64_t snapshot = atomic_load_explicit (&test->published, memory_order_acquire);
      last = snapshot == test->commits;
      for (int i = 0; i < 200 && snapshot > 0; i++)
        {
          uint8_t buffer[12];
          struct record record;
          uint64_t number = 1 + random_below (&random, snapshot);
          struct bytes key = concurrent_key (test, number, buffer);
          CHECK (memtable_get (test->table, key, key_hash (key), snapshot, &record));
          check_concurrent_record (&record, snapshot);
          CHECK (memtable_newest (test->table, key, key_hash (key)) >= record.sequence);
          key = concurrent_key (test, test->commits + 1 + number, buffer);
          CHECK (!memtable_get (test->table, key, key_hash (key), snapshot, &record));
        }
      concurrent_scan (test, snapshot, random_below (&random, 2) == 0);
      uint8_t buffer[12];
      struct bytes changed;
      struct bytes key = concurrent_key (test, 1 + random_below (&random, test->commits), buffer);
      memtable_changed_since (test->table, key, NULL, snapshot, &changed);
      memtable_cover (test->table, key, snapshot);
      struct range_set *set;
      CHECK (memtable_range_deletes (test->table, &set, NULL) == STATUS_OK);
      range_set_unref (set);
    }
  return NULL;
}

static void
concurrent_write (struct concurrency *test)
{
  pthread_barrier_wait (&test->start);
  for (uint64_t sequence = 1; sequence <= test->commits; sequence++)
    {
      uint8_t buffer[12];
      put (test->table, concurrent_key (test, sequence, buffer), BYTES (&sequence, sizeof sequence),
           sequence);
      uint64_t again = sequence / 3;
      if (sequence % 3 == 0)
        put (test->table, concurrent_key (test, again, buffer), BYTES (&again, sizeof again),
             sequence);
      if (sequence % 50 == 0)
        {
          CHECK_OK (memtable_reserve (test->table, 0, 0, 1, 10, &failure));
          memtable_delete_range (test->table,
                                 &(struct range_delete){ BYTES_LITERAL ("\0\0\0\2a"),
                                                         BYTES_LITERAL ("\0\0\0\2b"), sequence });
        }
      atomic_store_explicit (&test->published, sequence, memory_order_release);
      /* On few processors, too, readers are to meet the writer on its way. */
      if (sequence % 512 == 0)
        sched_yield ();
      while (sequence > test->commits / 2 && atomic_load (&test->scans) < READERS)
        sched_yield ();
    }
}

void
test_concurrency (void)
{
  for (int order = 0; order < 3; order++)
    {
      struct concurrency test
          = { .table = new_table (), .commits = SANITIZED ? 8000 : 60000, .order = order };
      pthread_t readers[READERS];
      pthread_barrier_init (&test.start, NULL, READERS + 1);
      for (int i = 0; i < READERS; i++)
        CHECK (pthread_create (&readers[i], NULL, concurrent_reader, &test) == 0);
      concurrent_write (&test);
      for (int i = 0; i < READERS; i++)
        pthread_join (readers[i], NULL);
      pthread_barrier_destroy (&test.start);
      memtable_unref (test.table);
    }
}
