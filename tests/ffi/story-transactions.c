/* SPDX-License-Identifier: MIT */
/* What keeps several keys together: transactions, batches, stores, snapshots. */
#include "story.h"

/* ---- transactions ---- */

void
test_transactions (LightningDB *db)
{
  uint64_t tx, other;
  LightningDBResult result;
  CHECK_OK (lightning_db_begin_transaction (db, &tx));
  CHECK (tx > 0 && tx < INT32_MAX);
  CHECK_OK (lightning_db_put_tx (db, tx, TEXT ("t1"), TEXT ("one")));
  CHECK_OK (lightning_db_put_tx (db, tx, TEXT ("t2"), (const uint8_t *) "", 0));
  check_value (db, "t1", NULL);
  CHECK_OK (lightning_db_get_tx (db, tx, TEXT ("t1"), &result));
  check_text (result, "one");
  CHECK_OK (lightning_db_get_tx (db, tx, TEXT ("t2"), &result));
  check_text (result, "");
  CHECK_OK (lightning_db_get_tx (db, tx, TEXT ("t3"), &result));
  CHECK (result.data == NULL);
  CHECK_OK (lightning_db_contains_tx (db, tx, TEXT ("t1")));
  CHECK_GIVES (lightning_db_contains_tx (db, tx, TEXT ("t3")), NotFound);
  CHECK_OK (lightning_db_delete_tx (db, tx, TEXT ("t2")));
  check_walk (lightning_db_scan_prefix_tx (db, tx, TEXT ("t2"), 0), "");
  uint64_t savepoint;
  CHECK_OK (lightning_db_savepoint_tx (db, tx, &savepoint));
  CHECK_OK (lightning_db_put_tx (db, tx, TEXT ("t9"), TEXT ("t9")));
  check_walk (lightning_db_scan_tx (db, tx, TEXT ("t2"), TEXT ("u"), 0), "t9,");
  CHECK_OK (lightning_db_rollback_to_tx (db, tx, savepoint));
  check_walk (lightning_db_scan_tx (db, tx, TEXT ("t2"), TEXT ("u"), 0), "");
  CHECK_FAILS (lightning_db_rollback_to_tx (db, tx, 12), InvalidArgument);
  CHECK_OK (lightning_db_commit_transaction (db, tx));
  check_value (db, "t1", "one");
  check_value (db, "t2", NULL);

  /* Ended, unknown, foreign. */
  CHECK_FAILS (lightning_db_commit_transaction (db, tx), InvalidTransaction);
  CHECK_FAILS (lightning_db_abort_transaction (db, tx), InvalidTransaction);
  CHECK_FAILS (lightning_db_put_tx (db, tx, TEXT ("x"), TEXT ("x")), InvalidTransaction);
  CHECK_FAILS (lightning_db_get_tx (db, 99999, TEXT ("x"), &result), InvalidTransaction);
  CHECK_FAILS (lightning_db_delete_tx (db, 0, TEXT ("x")), InvalidTransaction);
  CHECK_FAILS (lightning_db_abort_transaction (db, UINT64_MAX), InvalidTransaction);
  CHECK_NONE (lightning_db_scan_tx (db, tx, NULL, 0, NULL, 0, 0), InvalidTransaction);
  CHECK_NONE (lightning_db_scan_tx (db, 0, NULL, 0, NULL, 0, 0), InvalidTransaction);
  CHECK_NONE (lightning_db_scan_prefix_tx (db, tx, TEXT ("t"), 0), InvalidTransaction);
  LightningDB *second = lightning_db_create (inside (story_directory, "second"), NULL);
  CHECK_OK (lightning_db_begin_transaction (second, &other));
  CHECK (other > tx);
  CHECK_FAILS (lightning_db_put_tx (db, other, TEXT ("x"), TEXT ("x")), InvalidTransaction);
  CHECK (strstr (lightning_db_last_error_message (), "another database") != NULL);
  CHECK_FAILS (lightning_db_commit_transaction (db, other), InvalidTransaction);
  CHECK_OK (lightning_db_put_tx (second, other, TEXT ("x"), TEXT ("x")));
  CHECK_OK (lightning_db_commit_transaction_with (second, other, LightningDBSyncFull));
  check_value (second, "x", "x");
  lightning_db_free (second);

  CHECK_FAILS (lightning_db_begin_transaction (db, NULL), NullPointer);
  CHECK_FAILS (lightning_db_begin_transaction_with (db, 4, &tx), InvalidArgument);
  CHECK_OK (lightning_db_begin_transaction (db, &tx));
  CHECK_FAILS (lightning_db_put_tx (db, tx, NULL, 1, TEXT ("x")), NullPointer);
  CHECK_FAILS (lightning_db_put_tx (db, tx, TEXT ("x"), NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_get_tx (db, tx, TEXT ("x"), NULL), NullPointer);
  CHECK_FAILS (lightning_db_get_tx (db, tx, NULL, 1, &result), NullPointer);
  CHECK_FAILS (lightning_db_contains_tx (db, tx, NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_delete_tx (db, tx, NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_lock_key_tx (db, tx, NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_savepoint_tx (db, tx, NULL), NullPointer);
  CHECK_FAILS (lightning_db_delete_range_tx (db, tx, NULL, 1, NULL, 0), NullPointer);
  CHECK_FAILS (lightning_db_delete_range_tx (db, tx, TEXT ("b"), TEXT ("a")), InvalidArgument);
  CHECK_FAILS (lightning_db_commit_transaction_with (db, tx, (LightningDBSyncMode) 9),
               InvalidArgument);
  CHECK_OK (lightning_db_delete_range_tx (db, tx, TEXT ("t"), TEXT ("u")));
  CHECK_GIVES (lightning_db_contains_tx (db, tx, TEXT ("t1")), NotFound);
  CHECK_OK (lightning_db_abort_transaction (db, tx));
  check_value (db, "t1", "one");
}

void
test_conflicts (LightningDB *db)
{
  uint64_t first, second;
  CHECK_OK (lightning_db_begin_transaction (db, &first));
  CHECK_OK (lightning_db_begin_transaction (db, &second));
  CHECK_OK (lightning_db_put_tx (db, first, TEXT ("fought-over"), TEXT ("1")));
  CHECK_OK (lightning_db_put_tx (db, second, TEXT ("fought-over"), TEXT ("2")));
  CHECK_OK (lightning_db_commit_transaction (db, second));
  CHECK_FAILS (lightning_db_commit_transaction (db, first), TransactionConflict);
  CHECK (strstr (lightning_db_last_error_message (), "fought-over") != NULL);
  CHECK_FAILS (lightning_db_abort_transaction (db, first), InvalidTransaction); /* it has ended */
  check_value (db, "fought-over", "2");

  /* A read counts when it is locked, or the transaction serializable. */
  LightningDBResult result;
  for (int how = 0; how < 3; how++)
    {
      CHECK_OK (lightning_db_begin_transaction_with (
          db, how == 1 ? LightningDBTransactionSerializable : 0, &first));
      CHECK_OK (lightning_db_get_tx (db, first, TEXT ("fought-over"), &result));
      lightning_db_free_result (result.data, result.len);
      if (how == 2)
        CHECK_OK (lightning_db_lock_key_tx (db, first, TEXT ("fought-over")));
      CHECK_OK (lightning_db_put_tx (db, first, TEXT ("mine"), TEXT ("1")));
      CHECK_OK (lightning_db_put (db, TEXT ("fought-over"), TEXT ("3")));
      CHECK_GIVES (lightning_db_commit_transaction (db, first),
                   how == 0 ? Success : TransactionConflict);
    }
  CHECK_OK (lightning_db_begin_transaction_with (db, LightningDBTransactionReadOnly, &first));
  CHECK_OK (lightning_db_put (db, TEXT ("fought-over"), TEXT ("4")));
  CHECK_OK (lightning_db_get_tx (db, first, TEXT ("fought-over"), &result));
  check_text (result, "3");
  CHECK_FAILS (lightning_db_put_tx (db, first, TEXT ("a"), TEXT ("b")), DatabaseReadOnly);
  CHECK_OK (lightning_db_commit_transaction (db, first));
}

/* What walks a transaction stops with it; its own end touches nothing that is gone. */
void
test_iterators_of_transactions (LightningDB *db)
{
  uint64_t tx;
  LightningDBEntry entry;
  LightningDBIterator *iterators[4];
  CHECK_OK (lightning_db_begin_transaction_with (db, LightningDBTransactionSerializable, &tx));
  for (int i = 0; i < 50; i++)
    {
      char key[16];
      sprintf (key, "walked%02d", i);
      CHECK_OK (lightning_db_put_tx (db, tx, TEXT (key), TEXT (key)));
    }
  for (int i = 0; i < 4; i++)
    {
      iterators[i] = lightning_db_scan_prefix_tx (db, tx, TEXT ("walked"), (uint32_t) i % 2);
      CHECK (iterators[i] != NULL);
      CHECK_OK (lightning_db_iterator_next (iterators[i], &entry));
      CHECK (memcmp (entry.key, i % 2 == 0 ? "walked00" : "walked49", 8) == 0);
    }
  lightning_db_iterator_free (iterators[0]);
  CHECK_OK (lightning_db_abort_transaction (db, tx));
  CHECK_FAILS (lightning_db_iterator_next (iterators[1], &entry), InvalidTransaction);
  CHECK (entry.key == NULL);
  CHECK_FAILS (lightning_db_iterator_seek (iterators[2], TEXT ("walked")), InvalidTransaction);
  for (int i = 1; i < 4; i++)
    lightning_db_iterator_free (iterators[i]);
  CHECK_FAILS (lightning_db_iterator_next (iterators[3], &entry), InvalidHandle);
  check_walk (lightning_db_scan_prefix (db, TEXT ("walked"), 0), "");
}

void
test_timeout (void)
{
  uint64_t tx;
  LightningDBConfig *config = lightning_db_config_new ();
  CHECK_OK (lightning_db_config_set_transaction_timeout (config, 30));
  LightningDB *db = lightning_db_create (inside (story_directory, "timeout"), config);
  lightning_db_config_free (config);
  CHECK_OK (lightning_db_begin_transaction (db, &tx));
  LightningDBError code;
  while ((code = lightning_db_put_tx (db, tx, TEXT ("a"), TEXT ("b"))) == Success)
    usleep (5000); /* for good, if it never ends */
  CHECK (code == TransactionTimedOut);
  CHECK_FAILS (lightning_db_commit_transaction (db, tx), TransactionTimedOut);
  CHECK_FAILS (lightning_db_commit_transaction (db, tx), InvalidTransaction);
  check_value (db, "a", NULL);
  lightning_db_free (db);
}

/* ---- batches, stores, snapshots ---- */

void
test_batches (LightningDB *db)
{
  size_t count = 0;
  LightningDBBatch *batch = lightning_db_batch_new ();
  CHECK (batch != NULL);
  CHECK_OK (lightning_db_batch_put (batch, NULL, TEXT ("b:1"), TEXT ("1")));
  CHECK_OK (lightning_db_batch_put (batch, NULL, TEXT ("b:2"), NULL, 0));
  CHECK_OK (lightning_db_batch_put (batch, db, TEXT ("b:3"), TEXT ("3")));
  CHECK_OK (lightning_db_batch_delete (batch, NULL, TEXT ("b:1")));
  CHECK_OK (lightning_db_batch_put (batch, NULL, TEXT ("b:1"), TEXT ("one")));
  CHECK_OK (lightning_db_batch_count (batch, &count));
  CHECK (count == 5);
  check_value (db, "b:1", NULL);
  CHECK_OK (lightning_db_write_batch (db, batch, LightningDBSyncFull));
  check_value (db, "b:1", "one");
  check_value (db, "b:2", "");
  check_value (db, "b:3", "3");
  CHECK_OK (lightning_db_batch_clear (batch));
  CHECK_OK (lightning_db_batch_count (batch, &count));
  CHECK (count == 0);
  CHECK_OK (lightning_db_write_batch (db, batch, LightningDBSyncDefault));
  CHECK_OK (lightning_db_batch_delete_range (batch, NULL, TEXT ("b:"), TEXT ("b:3")));
  CHECK_FAILS (lightning_db_batch_delete_range (batch, NULL, TEXT ("b"), TEXT ("a")),
               InvalidArgument);
  CHECK_FAILS (lightning_db_batch_put (batch, NULL, NULL, 1, TEXT ("1")), NullPointer);
  CHECK_FAILS (lightning_db_batch_put (batch, NULL, TEXT ("1"), NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_batch_delete (batch, NULL, NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_batch_count (batch, NULL), NullPointer);
  CHECK_FAILS (lightning_db_write_batch (db, batch, (LightningDBSyncMode) -1), InvalidArgument);
  CHECK_FAILS (lightning_db_write_batch (db, NULL, LightningDBSyncDefault), NullPointer);
  CHECK_OK (lightning_db_write_batch (db, batch, LightningDBSyncNone));
  check_value (db, "b:1", NULL);
  check_value (db, "b:3", "3");
  lightning_db_batch_free (batch);
  lightning_db_batch_free (NULL);
  CHECK_FAILS (lightning_db_batch_clear (batch), InvalidHandle);
}

/* Names in the order of the list, each with a comma. */
static void
check_stores (LightningDB *db, const char *expected)
{
  LightningDBResult names;
  char text[500] = "";
  CHECK_OK (lightning_db_list_stores (db, &names));
  for (size_t at = 0; at < names.len; at += strlen ((char *) names.data + at) + 1)
    sprintf (text + strlen (text), "%s,", (char *) names.data + at);
  lightning_db_free_result (names.data, names.len);
  if (strcmp (text, expected) != 0)
    fprintf (stderr, "stores: %s\n", text);
  CHECK (strcmp (text, expected) == 0);
}

void
test_stores (LightningDB *db)
{
  CHECK_NONE (lightning_db_open_store (db, "people", 0), NotFound);
  CHECK (strstr (lightning_db_last_error_message (), "people") != NULL);
  LightningDB *people = lightning_db_open_store (db, "people", 1);
  LightningDB *places = lightning_db_open_store (db, "places", 1);
  CHECK (people != NULL && places != NULL && people != db);
  CHECK_NONE (lightning_db_open_store (db, NULL, 1), NullPointer);
  CHECK_NONE (lightning_db_open_store (db, "\xc3(", 1), InvalidUtf8);
  CHECK_NONE (lightning_db_open_store (db, "", 1), InvalidArgument);
  check_stores (db, "default,people,places,");
  CHECK_OK (lightning_db_put (people, TEXT ("ada"), TEXT ("Ada")));
  CHECK_OK (lightning_db_put (db, TEXT ("ada"), TEXT ("no store")));
  check_value (people, "ada", "Ada");
  check_value (places, "ada", NULL);
  check_value (db, "ada", "no store");
  check_walk (lightning_db_scan (places, NULL, 0, NULL, 0, 0), "");

  /* One transaction and one batch over several. */
  uint64_t tx;
  CHECK_OK (lightning_db_begin_transaction (people, &tx));
  CHECK_OK (lightning_db_put_tx (people, tx, TEXT ("bo"), TEXT ("bo")));
  CHECK_OK (lightning_db_put_tx (places, tx, TEXT ("rome"), TEXT ("rome")));
  CHECK_OK (lightning_db_commit_transaction (db, tx));
  check_walk (lightning_db_scan_prefix (people, TEXT ("b"), 0), "bo,");
  check_walk (lightning_db_scan (places, NULL, 0, NULL, 0, 0), "rome,");
  LightningDBBatch *batch = lightning_db_batch_new ();
  CHECK_OK (lightning_db_batch_delete (batch, people, TEXT ("bo")));
  CHECK_OK (lightning_db_batch_put (batch, places, TEXT ("oslo"), TEXT ("oslo")));
  LightningDB *second = lightning_db_open (inside (story_directory, "second"), NULL);
  CHECK_FAILS (lightning_db_batch_put (batch, second, TEXT ("x"), TEXT ("x")), InvalidArgument);
  CHECK_FAILS (lightning_db_write_batch (second, batch, LightningDBSyncDefault), InvalidArgument);
  lightning_db_free (second);
  CHECK_FAILS (lightning_db_batch_put (batch, second, TEXT ("x"), TEXT ("x")), InvalidHandle);
  CHECK_OK (lightning_db_write_batch (places, batch, LightningDBSyncDefault));
  lightning_db_batch_free (batch);
  check_walk (lightning_db_scan (places, NULL, 0, NULL, 0, 0), "oslo,rome,");

  CHECK_FAILS (lightning_db_drop_store (db, "nowhere"), NotFound);
  CHECK_FAILS (lightning_db_drop_store (db, NULL), NullPointer);
  CHECK_OK (lightning_db_drop_store (db, "places"));
  check_stores (people, "default,people,");
  CHECK_FAILS (lightning_db_put (places, TEXT ("a"), TEXT ("b")), NotFound);
  CHECK_FAILS (lightning_db_delete_range (places, NULL, 0, NULL, 0), NotFound);
  check_value (places, "oslo", NULL);
  LightningDB *anew = lightning_db_open_store (db, "places", 1);
  CHECK_FAILS (lightning_db_delete_range (places, TEXT ("a"), TEXT ("z")), NotFound);
  CHECK_OK (lightning_db_drop_store (db, "places"));
  lightning_db_free (anew);
  lightning_db_free (places);
  CHECK_FAILS (lightning_db_put (places, TEXT ("a"), TEXT ("b")), InvalidHandle);
  lightning_db_free (people);
  check_value (db, "ada", "no store"); /* a store's end is not the database's */
  LightningDB *same = lightning_db_open_store (db, "default", 0);
  check_value (same, "ada", "no store");
  CHECK_OK (lightning_db_close (same));
}

void
test_snapshots (LightningDB *db)
{
  LightningDB *people = lightning_db_open_store (db, "people", 1);
  CHECK_OK (lightning_db_put (people, TEXT ("cy"), TEXT ("cy")));
  CHECK_OK (lightning_db_put (db, TEXT ("s:1"), TEXT ("s:1")));
  LightningDB *then = lightning_db_snapshot (db);
  CHECK (then != NULL);
  CHECK_OK (lightning_db_put (db, TEXT ("s:1"), TEXT ("new")));
  CHECK_OK (lightning_db_put (db, TEXT ("s:2"), TEXT ("s:2")));
  CHECK_OK (lightning_db_delete (people, TEXT ("cy")));
  check_value (then, "s:1", "s:1");
  check_value (then, "s:2", NULL);
  check_value (db, "s:1", "new");
  check_walk (lightning_db_scan_prefix (then, TEXT ("s:"), 0), "s:1,");
  CHECK_GIVES (lightning_db_contains (then, TEXT ("s:2")), NotFound);
  const uint8_t *key = (const uint8_t *) "s:1";
  const size_t length = 3;
  LightningDBResult result;
  CHECK_OK (lightning_db_multi_get (then, &key, &length, 1, &result));
  check_text (result, "s:1");

  /* Another store at the same moment, and a snapshot of a snapshot. */
  LightningDB *people_then = lightning_db_open_store (then, "people", 0);
  check_value (people_then, "cy", "cy");
  check_value (people, "cy", NULL);
  LightningDB *again = lightning_db_snapshot (people_then);
  CHECK_NONE (lightning_db_open_store (then, "later", 1), NotFound);
  uint64_t tx;
  CHECK_FAILS (lightning_db_put (then, TEXT ("x"), TEXT ("x")), DatabaseReadOnly);
  CHECK_FAILS (lightning_db_delete (then, TEXT ("x")), DatabaseReadOnly);
  CHECK_FAILS (lightning_db_delete_range (then, NULL, 0, NULL, 0), DatabaseReadOnly);
  CHECK_FAILS (lightning_db_drop_store (then, "people"), DatabaseReadOnly);
  CHECK_FAILS (lightning_db_begin_transaction (then, &tx), DatabaseReadOnly);
  LightningDBIterator *iterator = lightning_db_scan_prefix (then, TEXT ("s:"), 0);
  lightning_db_free (people_then);
  lightning_db_free (then);
  check_walk (iterator, "s:1,"); /* it holds the moment by itself */
  check_value (again, "cy", "cy");
  CHECK_FAILS (lightning_db_get (then, TEXT ("s:1"), &result), InvalidHandle);
  lightning_db_free (again);
  lightning_db_free (people);
}
