/* SPDX-License-Identifier: MIT */
/* Forks: the child's inherited handles say so and do no harm, while the parent's threads are in the
 * middle of everything; the child opens what it likes by itself. */
#include "ffi-check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static char *directory;
static LightningDB *db, *store;
static LightningDBIterator *iterator;
static LightningDBBatch *batch;
static LightningDBConfig *config;
static uint64_t tx;
static atomic_bool stop;

/* AddressSanitizer's allocator does not survive a fork amid another thread's allocation: with it
 * nothing else goes on. */
#define THREADS 2
#if defined(__SANITIZE_ADDRESS__)
#undef THREADS
#define THREADS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#undef THREADS
#define THREADS 0
#endif
#endif
#define FORKS 20

/* Keeps every lock of the library busy, so that forks come at all moments. */
static void *
keep_busy (void *data)
{
  while (!atomic_load (&stop))
    {
      LightningDBEntry entry;
      uint64_t own;
      LightningDBIterator *walking = lightning_db_scan (db, NULL, 0, NULL, 0, 0);
      CHECK_OK (lightning_db_iterator_next (walking, &entry));
      CHECK_OK (lightning_db_begin_transaction (db, &own));
      CHECK_OK (lightning_db_put_tx (db, own, TEXT ("busy"), TEXT ("busy")));
      LightningDBError code = lightning_db_commit_transaction (db, own);
      CHECK (code == Success || code == TransactionConflict);
      lightning_db_iterator_free (walking);
      LightningDB *then = lightning_db_snapshot (db);
      check_value (then, "there", "there");
      lightning_db_free (then);
      CHECK_OK (lightning_db_put_tx (db, tx, TEXT ("held"), TEXT ("held")));
      CHECK_OK (lightning_db_batch_put (batch, store, TEXT ("b"), TEXT ("b")));
      CHECK_OK (lightning_db_config_set_page_size (config, 4096));
      CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("there")));
    }
  return NULL;
}

static void
check_inherited (void)
{
  LightningDBResult result;
  LightningDBEntry entry;
  size_t count;
  uint64_t number;
  CHECK_FAILS (lightning_db_put (db, TEXT ("a"), TEXT ("b")), ForkedProcess);
  CHECK_FAILS (lightning_db_get (store, TEXT ("a"), &result), ForkedProcess);
  CHECK_FAILS (lightning_db_begin_transaction (db, &number), ForkedProcess);
  CHECK_FAILS (lightning_db_put_tx (db, tx, TEXT ("a"), TEXT ("b")), ForkedProcess);
  CHECK_FAILS (lightning_db_commit_transaction (db, tx), ForkedProcess);
  CHECK_FAILS (lightning_db_iterator_next (iterator, &entry), ForkedProcess);
  CHECK_FAILS (lightning_db_batch_count (batch, &count), ForkedProcess);
  CHECK_FAILS (lightning_db_write_batch (db, batch, LightningDBSyncDefault), ForkedProcess);
  CHECK_FAILS (lightning_db_checkpoint (db), ForkedProcess);
  CHECK_NONE (lightning_db_scan (db, NULL, 0, NULL, 0, 0), ForkedProcess);
  CHECK_NONE (lightning_db_snapshot (store), ForkedProcess);
  CHECK_NONE (lightning_db_open (inside (directory, "main"), NULL), DatabaseLocked);
}

static void
free_inherited (void)
{
  LightningDBEntry entry;
  lightning_db_iterator_free (iterator);
  CHECK_FAILS (lightning_db_iterator_next (iterator, &entry), InvalidHandle);
  lightning_db_batch_free (batch);
  lightning_db_free (store);
  CHECK_FAILS (lightning_db_put (store, TEXT ("a"), TEXT ("b")), InvalidHandle);
  CHECK_FAILS (lightning_db_close (db), ForkedProcess);
  CHECK_FAILS (lightning_db_close (db), InvalidHandle);
  lightning_db_free (db);
}

/* A config is no more than memory: it serves the child. */
static void
open_own (int number)
{
#ifndef __SANITIZE_THREAD__ /* which ends a forked child that starts a thread */
  char name[32];
  sprintf (name, "child%d", number);
  CHECK_OK (lightning_db_config_set_cache_size (config, 16 << 20));
  LightningDB *own = lightning_db_create (inside (directory, name), config);
  CHECK (own != NULL);
  CHECK_OK (lightning_db_put (own, TEXT ("mine"), TEXT ("mine")));
  check_value (own, "mine", "mine");
  CHECK_OK (lightning_db_close (own));
  CHECK_OK (lightning_db_destroy (inside (directory, name)));
#endif
  lightning_db_config_free (config);
}

int
main (void)
{
  pthread_t threads[THREADS + 1];
  directory = fresh_directory ();
  config = lightning_db_config_new ();
  CHECK_OK (lightning_db_config_set_transaction_timeout (config, 0));
  db = lightning_db_create (inside (directory, "main"), config);
  CHECK_OK (lightning_db_put (db, TEXT ("there"), TEXT ("there")));
  store = lightning_db_open_store (db, "store", 1);
  iterator = lightning_db_scan (db, NULL, 0, NULL, 0, 0);
  batch = lightning_db_batch_new ();
  CHECK_OK (lightning_db_begin_transaction (db, &tx));
  for (int i = 0; i < THREADS; i++)
    CHECK (pthread_create (&threads[i], NULL, keep_busy, NULL) == 0);
  for (int i = 0; i < FORKS; i++)
    {
      usleep ((useconds_t) (i * 300));
      pid_t child = fork ();
      CHECK (child >= 0);
      if (child == 0)
        {
          alarm (600); /* a lock that nobody is left to open */
          check_inherited ();
          free_inherited ();
          open_own (i);
          _exit (0);
        }
      int status;
      CHECK (waitpid (child, &status, 0) == child);
      CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    }
  atomic_store (&stop, true);
  for (int i = 0; i < THREADS; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK_OK (lightning_db_commit_transaction (db, tx));
  check_value (db, "held", THREADS > 0 ? "held" : NULL);
  lightning_db_iterator_free (iterator);
  lightning_db_batch_free (batch);
  lightning_db_config_free (config);
  lightning_db_free (store);
  CHECK_OK (lightning_db_close (db));
  remove_directory (directory);
  return 0;
}
