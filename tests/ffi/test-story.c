/* SPDX-License-Identifier: MIT */
/* The flat C ABI as one story: every function does what the header says, and says why when it does
 * not. */
#include "story.h"

char *story_directory;

/* ---- versions, errors, config ---- */

static void
test_versions (void)
{
  CHECK (strcmp (lightning_db_version (), LIGHTNING_DB_VERSION) == 0);
  CHECK (strcmp (ldb_get_version (), LIGHTNING_DB_VERSION) == 0);
  CHECK (ldb_initialize () == 0);
  CHECK (lightning_db_last_error () == Success);
  CHECK (strcmp (lightning_db_last_error_message (), "") == 0);
}

/* The numbers are for ever, and each has a text of its own. */
static void
test_codes (void)
{
  static const struct
  {
    int number;
    LightningDBError code;
  } codes[] = {
    { 0, Success },
    { -1, NullPointer },
    { -2, InvalidUtf8 },
    { -3, IoError },
    { -4, CorruptedData },
    { -5, InvalidArgument },
    { -6, OutOfMemory },
    { -7, DatabaseLocked },
    { -8, TransactionConflict },
    { -9, InvalidHandle },
    { -10, InvalidTransaction },
    { -11, NotFound },
    { -12, AlreadyExists },
    { -13, NotADatabase },
    { -14, NewerFormat },
    { -15, KeyTooLarge },
    { -16, ValueTooLarge },
    { -17, DiskFull },
    { -18, PermissionDenied },
    { -19, DatabaseReadOnly },
    { -20, DatabaseClosed },
    { -21, ForkedProcess },
    { -22, TransactionTimedOut },
    { -23, LimitExceeded },
    { -24, RateLimited },
    { -25, OutcomeUnknown },
    { -26, OperationCancelled },
    { -27, OperationBusy },
    { -28, OptionsMismatch },
    { -29, NotSupported },
    { -30, HistoryGone },
    { -31, BufferTooSmall },
    { -99, UnknownError },
  };
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    {
      CHECK (codes[i].number == (int) codes[i].code);
      const char *text = lightning_db_error_string (codes[i].code);
      for (size_t k = 0; k < i; k++)
        CHECK (strcmp (text, lightning_db_error_string (codes[k].code)) != 0);
    }
  const int unknown[] = { 1, 99, -32, -50, -98, -100, 2147483647, -2147483647 - 1 };
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
    CHECK (strcmp (lightning_db_error_string ((LightningDBError) unknown[i]), "Unknown error")
           == 0);
}

static void
test_config (void)
{
  LightningDBConfig *config = lightning_db_config_new ();
  CHECK (config != NULL);
  CHECK_OK (lightning_db_config_set_page_size (config, 8192));
  CHECK_FAILS (lightning_db_config_set_page_size (config, 0), InvalidArgument);
  CHECK_FAILS (lightning_db_config_set_page_size (config, 5000), InvalidArgument);
  CHECK_FAILS (lightning_db_config_set_page_size (config, SIZE_MAX), InvalidArgument);
  CHECK_FAILS (lightning_db_config_set_page_size (config, (size_t) 4096 + UINT32_MAX + 1),
               InvalidArgument);
  CHECK_OK (lightning_db_config_set_cache_size (config, 1));
  CHECK_OK (lightning_db_config_set_cache_size (config, 16 << 20));
  CHECK_FAILS (lightning_db_config_set_cache_size (config, SIZE_MAX), InvalidArgument);
  for (int compression = 0; compression <= 4; compression++)
    CHECK_OK (lightning_db_config_set_compression (config, (LightningDBCompression) compression));
  CHECK_FAILS (lightning_db_config_set_compression (config, (LightningDBCompression) 5),
               InvalidArgument);
  CHECK_FAILS (lightning_db_config_set_compression (config, (LightningDBCompression) -1),
               InvalidArgument);
  CHECK_OK (lightning_db_config_set_compression_level (config, 19));
  CHECK_FAILS (lightning_db_config_set_compression_level (config, 0), InvalidArgument);
  CHECK_FAILS (lightning_db_config_set_compression_level (config, -3), InvalidArgument);
  CHECK_OK (lightning_db_config_set_sync_mode (config, LightningDBSyncNone));
  CHECK_OK (lightning_db_config_set_sync_mode (config, LightningDBSyncDefault));
  CHECK_FAILS (lightning_db_config_set_sync_mode (config, (LightningDBSyncMode) 4),
               InvalidArgument);
  CHECK_OK (lightning_db_config_set_sync_interval (config, 50));
  CHECK_FAILS (lightning_db_config_set_sync_interval (config, 0), InvalidArgument);
  CHECK_FAILS (lightning_db_config_set_sync_interval (config, UINT64_MAX), InvalidArgument);
  CHECK_OK (lightning_db_config_set_wal_enabled (config, 1));
  CHECK_OK (lightning_db_config_set_wal_mapping (config, 0));
  CHECK_OK (lightning_db_config_set_wal_segment_size (config, 1 << 20));
  CHECK_FAILS (lightning_db_config_set_wal_segment_size (config, 100000), InvalidArgument);
  CHECK_OK (lightning_db_config_set_blob_threshold (config, 4096));
  CHECK_FAILS (lightning_db_config_set_blob_threshold (config, 1), InvalidArgument);
  CHECK_OK (lightning_db_config_set_max_active_transactions (config, 3));
  CHECK_FAILS (lightning_db_config_set_max_active_transactions (config, 0), InvalidArgument);
  CHECK_OK (lightning_db_config_set_transaction_timeout (config, 0));
  CHECK_FAILS (lightning_db_config_set_transaction_timeout (config, UINT64_MAX), InvalidArgument);
  CHECK_OK (lightning_db_config_set_max_transaction_size (config, 1 << 20));
  CHECK_FAILS (lightning_db_config_set_max_transaction_size (config, 1), InvalidArgument);
  CHECK_OK (lightning_db_config_set_prefetch_enabled (config, 0));
  CHECK_OK (lightning_db_config_set_prefetch_distance (config, 16));
  CHECK_FAILS (lightning_db_config_set_prefetch_distance (config, 1025), InvalidArgument);
  CHECK_OK (lightning_db_config_set_background_compaction (config, 1));
  CHECK_OK (lightning_db_config_set_compaction_interval (config, 1000));
  CHECK_FAILS (lightning_db_config_set_compaction_interval (config, 1), InvalidArgument);
  CHECK_OK (lightning_db_config_set_compaction_workers (config, 1));
  CHECK_FAILS (lightning_db_config_set_compaction_workers (config, 17), InvalidArgument);
  CHECK_OK (lightning_db_config_set_mmap_enabled (config, 0));
  CHECK_OK (lightning_db_config_set_rate_limit (config, 0));
  CHECK_OK (lightning_db_config_set_sampling_interval (config, 1));
  CHECK_FAILS (lightning_db_config_set_sampling_interval (config, 1000001), InvalidArgument);
  CHECK_OK (lightning_db_config_set_change_retention (config, UINT64_C (1) << 50));
  CHECK_FAILS (lightning_db_config_set_change_retention (config, (UINT64_C (1) << 50) + 1),
               InvalidArgument);
  CHECK_FAILS (lightning_db_config_set_change_retention (config, UINT64_MAX), InvalidArgument);
  CHECK_OK (lightning_db_config_set_change_retention (config, 0));
  CHECK_OK (lightning_db_config_set_use_simd (config, 1));
  CHECK_OK (lightning_db_config_set_network_file_systems (config, 1));
  CHECK_OK (lightning_db_config_set_network_file_systems (config, 0));
  CHECK_FAILS (lightning_db_config_set_change_retention (NULL, 0), NullPointer);
  CHECK_FAILS (lightning_db_config_set_use_simd (NULL, 0), NullPointer);
  CHECK_FAILS (lightning_db_config_set_network_file_systems (NULL, 0), NullPointer);

  LightningDB *db = lightning_db_create (inside (story_directory, "config"), config);
  CHECK (db != NULL);
  lightning_db_config_free (config);
  uint64_t tx[4];
  for (int i = 0; i < 3; i++)
    CHECK_OK (lightning_db_begin_transaction (db, &tx[i]));
  CHECK_FAILS (lightning_db_begin_transaction (db, &tx[3]), LimitExceeded);
  CHECK (tx[3] == 0);
  LightningDBStats stats;
  CHECK_OK (lightning_db_stats (db, &stats, sizeof stats));
  CHECK (stats.memory_budget == 16 << 20 && stats.transactions_active == 3);
  CHECK_OK (lightning_db_close (db));
  CHECK_FAILS (lightning_db_config_set_cache_size (config, 1 << 30), InvalidHandle);
  CHECK_NONE (lightning_db_create (inside (story_directory, "config"), config), InvalidHandle);
}

/* Files of past changes that are there once 300 commits were moved to segments. */
static int
count_history (const char *name, uint64_t retention)
{
  static const uint8_t value[1000];
  LightningDBConfig *config = lightning_db_config_new ();
  CHECK_OK (lightning_db_config_set_wal_segment_size (config, 65536));
  CHECK_OK (lightning_db_config_set_change_retention (config, retention));
  LightningDB *db = lightning_db_create (inside (story_directory, name), config);
  CHECK (db != NULL);
  lightning_db_config_free (config);
  for (int i = 0; i < 300; i++)
    {
      char key[16];
      sprintf (key, "%d", i);
      CHECK_OK (lightning_db_put (db, TEXT (key), value, sizeof value));
    }
  CHECK_OK (lightning_db_checkpoint (db));
  CHECK_OK (lightning_db_close (db));
  char command[1000];
  int count;
  snprintf (command, sizeof command, "ls '%s' | grep -c '\\.history$'",
            inside (story_directory, name));
  FILE *list = popen (command, "r");
  CHECK (list != NULL && fscanf (list, "%d", &count) == 1);
  pclose (list);
  return count;
}

static void
test_retention (void)
{
  CHECK (count_history ("forgets", 0) == 0);
  CHECK (count_history ("remembers", 1 << 20) > 2);
}

/* ---- opening ---- */

static void
test_open (void)
{
  const char *path = inside (story_directory, "open");
  CHECK_NONE (lightning_db_open (path, NULL), NotFound);
  CHECK (strstr (lightning_db_last_error_message (), path) != NULL);
  CHECK_NONE (lightning_db_create (NULL, NULL), NullPointer);
  CHECK_NONE (lightning_db_open (NULL, NULL), NullPointer);
  CHECK_NONE (lightning_db_create ("", NULL), InvalidArgument);
  CHECK_NONE (lightning_db_create (inside (story_directory, "no/such/parent"), NULL), NotFound);
  CHECK_NONE (lightning_db_open_with (path, NULL, 8), InvalidArgument);
  static const char *const bad[]
      = { "\xff",         "a\x80",        "\xc0\xaf",         "\xc3",        "\xe0\x9f\xbf",
          "\xed\xa0\x80", "\xf0\x8f\xbf", "\xf4\x90\x80\x80", "\xf5\x80",    "x\xe2\x82",
          "\xf8\x88\x80", "ok/\xfe/db",   "\xe2\x82/x",       "\xed\xbf\xbf" };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK_NONE (lightning_db_create (bad[i], NULL), InvalidUtf8);
  CHECK_FAILS (lightning_db_destroy ("\xff"), InvalidUtf8);

  LightningDB *db = lightning_db_create (path, NULL);
  CHECK (db != NULL);
  CHECK_OK (lightning_db_put (db, TEXT ("a"), TEXT ("1")));
  /* One process, one handle that writes: the second is told which one has it. */
  CHECK_NONE (lightning_db_open (path, NULL), DatabaseLocked);
  CHECK (strstr (lightning_db_last_error_message (), "in this process") != NULL);
  CHECK_NONE (lightning_db_create (path, NULL), DatabaseLocked);
  CHECK_FAILS (lightning_db_destroy (path), DatabaseLocked);
  CHECK_FAILS (lightning_db_restore (path, inside (story_directory, "restored")), DatabaseLocked);
  /* One that reads sees what is there now, and nothing of later. */
  LightningDB *reader = lightning_db_open_with (path, NULL, LightningDBOpenReadOnly);
  CHECK (reader != NULL);
  CHECK_OK (lightning_db_put (db, TEXT ("a"), TEXT ("2")));
  check_value (reader, "a", "1");
  CHECK_FAILS (lightning_db_put (reader, TEXT ("a"), TEXT ("3")), DatabaseReadOnly);
  CHECK_FAILS (lightning_db_delete (reader, TEXT ("a")), DatabaseReadOnly);
  uint64_t tx;
  CHECK_FAILS (lightning_db_begin_transaction (reader, &tx), DatabaseReadOnly);
  CHECK_OK (lightning_db_begin_transaction_with (reader, LightningDBTransactionReadOnly, &tx));
  CHECK_OK (lightning_db_abort_transaction (reader, tx));
  lightning_db_free (reader);
  check_value (db, "a", "2");
  CHECK_OK (lightning_db_close (db));

  CHECK_NONE (lightning_db_open_with (path, NULL, LightningDBOpenCreate | LightningDBOpenExclusive),
              AlreadyExists);
  db = lightning_db_open (path, NULL);
  check_value (db, "a", "2");
  lightning_db_free (db);
  db = lightning_db_create (path, NULL); /* an old program may do so each time */
  check_value (db, "a", "2");
  lightning_db_free (db);
  lightning_db_free (NULL);
  CHECK_FAILS (lightning_db_close (NULL), NullPointer);
  CHECK_OK (lightning_db_destroy (path));
  CHECK_FAILS (lightning_db_destroy (path), NotFound);

  char *foreign = fresh_directory ();
  fclose (fopen (inside (foreign, "letter.txt"), "w"));
  CHECK_NONE (lightning_db_create (foreign, NULL), NotADatabase);
  remove_directory (foreign);
  char *empty = fresh_directory ();
  CHECK ((db = lightning_db_create (empty, NULL)) != NULL);
  lightning_db_free (db);
  remove_directory (empty);
}

/* ---- upkeep ---- */

static void
test_upkeep (LightningDB *db)
{
  const char *backup = inside (story_directory, "backup"),
             *restored = inside (story_directory, "restored");
  CHECK_OK (lightning_db_put (db, TEXT ("kept"), TEXT ("kept")));
  CHECK_OK (lightning_db_sync (db));
  LightningDBStats stats;
  CHECK_OK (lightning_db_stats (db, &stats, sizeof stats));
  CHECK (stats.sequence == stats.durable_sequence && stats.puts > 0 && stats.disk_bytes > 0);
  uint64_t first[2] = { 0, 77 };
  CHECK_OK (lightning_db_stats (db, (LightningDBStats *) (void *) first, sizeof first[0]));
  CHECK (first[0] == stats.sequence && first[1] == 77); /* an older caller's size is kept to */
  CHECK_OK (lightning_db_stats (db, &stats, 0));
  CHECK_FAILS (lightning_db_stats (db, NULL, sizeof stats), NullPointer);
  CHECK_OK (lightning_db_checkpoint (db));
  CHECK_OK (lightning_db_compact (db));
  CHECK_OK (lightning_db_evict_cache (db, 1));
  CHECK_FAILS (lightning_db_evict_cache (db, -0.1), InvalidArgument);
  CHECK_FAILS (lightning_db_evict_cache (db, 1.5), InvalidArgument);
  CHECK_FAILS (lightning_db_evict_cache (db, strtod ("nan", NULL)), InvalidArgument);
  check_value (db, "kept", "kept");

  CHECK_OK (lightning_db_backup (db, backup));
  CHECK_OK (lightning_db_put (db, TEXT ("later"), TEXT ("later")));
  CHECK_OK (lightning_db_backup (db, backup));
  CHECK_FAILS (lightning_db_backup (db, NULL), NullPointer);
  CHECK_FAILS (lightning_db_backup (db, "\xff"), InvalidUtf8);
  CHECK_OK (lightning_db_restore (backup, restored));
  CHECK_FAILS (lightning_db_restore (backup, restored), AlreadyExists);
  CHECK_FAILS (lightning_db_restore (NULL, restored), NullPointer);
  CHECK_FAILS (lightning_db_restore (backup, NULL), NullPointer);
  CHECK_FAILS (
      lightning_db_restore (inside (story_directory, "no-backup"), inside (story_directory, "x")),
      NotFound);
  LightningDB *copy = lightning_db_open (restored, NULL);
  check_value (copy, "later", "later");
  CHECK_OK (lightning_db_close (copy));
  CHECK_OK (lightning_db_check (restored, 0));
  CHECK_OK (lightning_db_check (restored, 1));
  CHECK_FAILS (lightning_db_check (NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_check (inside (story_directory, "nothing"), 1), NotFound);
}

static void
flip_byte_of_a_segment (const char *path)
{
  char command[1000];
  snprintf (command, sizeof command,
            "f=$(ls '%s'/*.seg | head -n 1) && printf '\\377' | dd of=\"$f\" bs=1 seek=100 "
            "conv=notrunc status=none",
            path);
  CHECK (system (command) == 0);
}

static void
test_damage (void)
{
  const char *path = inside (story_directory, "damaged"),
             *mended = inside (story_directory, "mended");
  LightningDB *db = lightning_db_create (path, NULL);
  CHECK_OK (lightning_db_put (db, TEXT ("k"), TEXT ("value")));
  CHECK_OK (lightning_db_close (db));
  CHECK_OK (lightning_db_check (path, 1));
  flip_byte_of_a_segment (path);
  CHECK_FAILS (lightning_db_check (path, 1), CorruptedData);
  CHECK (strstr (lightning_db_last_error_message (), ".seg") != NULL);
  db = lightning_db_open (path, NULL);
  LightningDBResult result = { (uint8_t *) "stale", 5 };
  if (db != NULL)
    CHECK_FAILS (lightning_db_get (db, TEXT ("k"), &result), CorruptedData);
  CHECK (db == NULL || (result.data == NULL && result.len == 0));
  lightning_db_free (db);
  CHECK_FAILS (lightning_db_repair (path, NULL), NullPointer);
  CHECK_FAILS (lightning_db_repair (NULL, mended), NullPointer);
  CHECK_OK (lightning_db_repair (path, mended));
  CHECK_OK (lightning_db_check (mended, 1));
}

/* ---- the end ---- */

static void
test_close (LightningDB *db)
{
  uint64_t tx, more;
  LightningDBEntry entry;
  LightningDBResult result;
  LightningDB *people = lightning_db_open_store (db, "people", 0);
  LightningDB *then = lightning_db_snapshot (db);
  LightningDBIterator *iterator = lightning_db_scan (db, NULL, 0, NULL, 0, 0);
  CHECK_OK (lightning_db_begin_transaction (db, &tx));
  CHECK_OK (lightning_db_begin_transaction (people, &more));
  CHECK_OK (lightning_db_put_tx (db, tx, TEXT ("never"), TEXT ("seen")));
  LightningDBIterator *inner = lightning_db_scan_tx (db, tx, NULL, 0, NULL, 0, 0);
  CHECK_OK (lightning_db_iterator_next (iterator, &entry));
  uint8_t first = entry.key[0];
  CHECK_OK (lightning_db_close (db));
  CHECK (entry.key[0] == first); /* lent until the next call with it */

  CHECK_FAILS (lightning_db_close (db), InvalidHandle);
  lightning_db_free (db);
  CHECK_FAILS (lightning_db_put (db, TEXT ("a"), TEXT ("b")), InvalidHandle);
  CHECK_FAILS (lightning_db_put (people, TEXT ("a"), TEXT ("b")), DatabaseClosed);
  CHECK_FAILS (lightning_db_get (people, TEXT ("a"), &result), DatabaseClosed);
  CHECK_FAILS (lightning_db_get (then, TEXT ("a"), &result), DatabaseClosed);
  CHECK_FAILS (lightning_db_begin_transaction (people, &tx), DatabaseClosed);
  CHECK_FAILS (lightning_db_commit_transaction (people, more), InvalidTransaction);
  CHECK_FAILS (lightning_db_checkpoint (people), DatabaseClosed);
  CHECK_NONE (lightning_db_snapshot (people), DatabaseClosed);
  CHECK_NONE (lightning_db_scan (people, NULL, 0, NULL, 0, 0), DatabaseClosed);
  CHECK_FAILS (lightning_db_iterator_next (iterator, &entry), DatabaseClosed);
  CHECK_FAILS (lightning_db_iterator_next (inner, &entry), InvalidTransaction);
  lightning_db_iterator_free (iterator);
  lightning_db_iterator_free (inner);
  lightning_db_free (people);
  lightning_db_free (then);

  db = lightning_db_open (inside (story_directory, "main"), NULL);
  check_value (db, "never", NULL);
  check_value (db, "kept", "kept");
  lightning_db_free (db);
}

/* What was written with vector instructions is read without, and the other way round. For the whole
 * process, so it comes last. */
static void
test_scalar (void)
{
  LightningDB *db = lightning_db_create (inside (story_directory, "vectors"), NULL);
  char key[16], expected[200] = "";
  for (int i = 0; i < 500; i++)
    {
      sprintf (key, "v%04d", i);
      CHECK_OK (lightning_db_put (db, TEXT (key), TEXT (key)));
      if (i % 25 == 0)
        sprintf (expected + strlen (expected), "%s,", key);
    }
  CHECK_OK (lightning_db_close (db));

  LightningDBConfig *config = lightning_db_config_new ();
  CHECK_OK (lightning_db_config_set_use_simd (config, 0));
  db = lightning_db_open (inside (story_directory, "vectors"), config);
  CHECK (db != NULL);
  lightning_db_config_free (config);
  for (int i = 0; i < 500; i++)
    {
      sprintf (key, "v%04d", i);
      check_value (db, key, key);
      if (i % 25 != 0)
        CHECK_OK (lightning_db_delete (db, TEXT (key)));
    }
  CHECK_OK (lightning_db_compact (db));
  check_walk (lightning_db_scan (db, NULL, 0, NULL, 0, 0), expected);
  CHECK_OK (lightning_db_close (db));
}

int
main (void)
{
  story_directory = fresh_directory ();
  test_versions ();
  test_codes ();
  test_config ();
  test_retention ();
  test_open ();
  LightningDB *db = lightning_db_create (inside (story_directory, "main"), NULL);
  CHECK (db != NULL);
  test_values (db);
  test_sizes (db);
  test_last_error (db);
  test_many (db);
  test_scans (db);
  test_seeks (db);
  test_transactions (db);
  test_conflicts (db);
  test_iterators_of_transactions (db);
  test_timeout ();
  test_batches (db);
  test_stores (db);
  test_snapshots (db);
  test_upkeep (db);
  test_damage ();
  test_close (db);
  test_scalar ();
  remove_directory (story_directory);
  return 0;
}
