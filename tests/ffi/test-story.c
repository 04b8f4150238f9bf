/* SPDX-License-Identifier: MIT */
/* The flat C ABI as one story: every function does what the header says, and says why when it does
 * not. */
#include "ffi-check.h"

static char *directory;

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

  LightningDB *db = lightning_db_create (inside (directory, "config"), config);
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
  CHECK_NONE (lightning_db_create (inside (directory, "config"), config), InvalidHandle);
}

/* Files of past changes that are there once 300 commits were moved to segments. */
static int
count_history (const char *name, uint64_t retention)
{
  static const uint8_t value[1000];
  LightningDBConfig *config = lightning_db_config_new ();
  CHECK_OK (lightning_db_config_set_wal_segment_size (config, 65536));
  CHECK_OK (lightning_db_config_set_change_retention (config, retention));
  LightningDB *db = lightning_db_create (inside (directory, name), config);
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
  snprintf (command, sizeof command, "ls '%s' | grep -c '\\.history$'", inside (directory, name));
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
  const char *path = inside (directory, "open");
  CHECK_NONE (lightning_db_open (path, NULL), NotFound);
  CHECK (strstr (lightning_db_last_error_message (), path) != NULL);
  CHECK_NONE (lightning_db_create (NULL, NULL), NullPointer);
  CHECK_NONE (lightning_db_open (NULL, NULL), NullPointer);
  CHECK_NONE (lightning_db_create ("", NULL), InvalidArgument);
  CHECK_NONE (lightning_db_create (inside (directory, "no/such/parent"), NULL), NotFound);
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
  CHECK_FAILS (lightning_db_restore (path, inside (directory, "restored")), DatabaseLocked);
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

/* ---- reading and writing ---- */

static void
test_values (LightningDB *db)
{
  uint8_t zeros[3] = { 0, 0, 0 };
  LightningDBResult result;
  CHECK_OK (lightning_db_put (db, TEXT ("hello"), TEXT ("world")));
  check_value (db, "hello", "world");
  check_value (db, "nothing", NULL);
  CHECK_OK (lightning_db_put (db, TEXT ("hello"), TEXT ("again")));
  check_value (db, "hello", "again");
  CHECK_OK (lightning_db_delete (db, TEXT ("hello")));
  check_value (db, "hello", NULL);
  CHECK_OK (lightning_db_delete (db, TEXT ("hello")));

  /* Empty and absent differ, and so do zero bytes from nothing. */
  CHECK_OK (lightning_db_put (db, TEXT ("empty"), (const uint8_t *) "", 0));
  CHECK_OK (lightning_db_put (db, TEXT ("null"), NULL, 0));
  for (int i = 0; i < 2; i++)
    {
      result.data = NULL;
      result.len = 9;
      CHECK_OK (lightning_db_get (db, TEXT (i == 0 ? "empty" : "null"), &result));
      CHECK (result.data != NULL && result.len == 0);
      lightning_db_free_result (result.data, result.len);
    }
  CHECK_OK (lightning_db_put (db, zeros, 3, zeros, 2));
  CHECK_OK (lightning_db_get (db, zeros, 3, &result));
  CHECK (result.len == 2 && memcmp (result.data, zeros, 2) == 0);
  lightning_db_free_result (result.data, 77); /* lengths are not believed */
  CHECK_OK (lightning_db_get (db, zeros, 2, &result));
  CHECK (result.data == NULL);
  lightning_db_free_result (NULL, 0);
  lightning_db_free_result (NULL, 5);

  CHECK_FAILS (lightning_db_put (db, NULL, 3, TEXT ("v")), NullPointer);
  CHECK_FAILS (lightning_db_put (db, TEXT ("k"), NULL, 3), NullPointer);
  CHECK_FAILS (lightning_db_put (db, (const uint8_t *) "", 0, TEXT ("v")), InvalidArgument);
  CHECK_FAILS (lightning_db_put (db, TEXT ("k"), (const uint8_t *) "v", SIZE_MAX), ValueTooLarge);
  CHECK_FAILS (lightning_db_put (db, (const uint8_t *) "k", SIZE_MAX, TEXT ("v")), KeyTooLarge);
  CHECK_FAILS (lightning_db_get (db, NULL, 3, &result), NullPointer);
  CHECK_FAILS (lightning_db_get (db, TEXT ("k"), NULL), NullPointer);
  CHECK_FAILS (lightning_db_get (db, (const uint8_t *) "k", 0, &result), InvalidArgument);
  CHECK_FAILS (lightning_db_get (db, (const uint8_t *) "k", SIZE_MAX, &result), KeyTooLarge);
  CHECK_FAILS (lightning_db_delete (db, NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_contains (db, NULL, 1), NullPointer);
}

/* Each size on either side of what is copied by way of the stack, or goes to a file of its own. */
static void
test_sizes (LightningDB *db)
{
  static const size_t sizes[]
      = { 1, 255, 1023, 1024, 1025, 4095, 8191, 8192, 8193, 100000, 3000000 };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
      size_t size = sizes[i], found = 0;
      uint8_t *value = malloc (size), *buffer = malloc (size);
      for (size_t k = 0; k < size; k++)
        value[k] = (uint8_t) (k * 7 + size);
      CHECK_OK (lightning_db_put (db, TEXT ("sized"), value, size));
      LightningDBResult result;
      CHECK_OK (lightning_db_get (db, TEXT ("sized"), &result));
      CHECK (result.len == size && memcmp (result.data, value, size) == 0);
      lightning_db_free_result (result.data, result.len);
      CHECK_OK (lightning_db_get_into (db, TEXT ("sized"), buffer, size, &found));
      CHECK (found == size && memcmp (buffer, value, size) == 0);
      CHECK_FAILS (lightning_db_get_into (db, TEXT ("sized"), buffer, size - 1, &found),
                   BufferTooSmall);
      CHECK (found == size);
      free (value);
      free (buffer);
    }
  size_t found = 5;
  uint8_t byte = 77;
  CHECK_GIVES (lightning_db_get_into (db, TEXT ("absent"), &byte, 1, &found), NotFound);
  CHECK (found == 0 && byte == 77);
  CHECK_FAILS (lightning_db_get_into (db, TEXT ("sized"), NULL, 0, &found), BufferTooSmall);
  CHECK_FAILS (lightning_db_get_into (db, TEXT ("sized"), NULL, 9, &found), NullPointer);
  CHECK_FAILS (lightning_db_get_into (db, TEXT ("sized"), &byte, 1, NULL), NullPointer);
  CHECK_OK (lightning_db_contains (db, TEXT ("sized")));
  CHECK_GIVES (lightning_db_contains (db, TEXT ("absent")), NotFound);
  CHECK_OK (lightning_db_delete (db, TEXT ("sized")));
  CHECK_GIVES (lightning_db_contains (db, TEXT ("sized")), NotFound);
}

/* An answer that is no failure leaves the message of the last failure alone. */
static void
test_last_error (LightningDB *db)
{
  CHECK_FAILS (lightning_db_put (db, NULL, 3, TEXT ("v")), NullPointer);
  char before[480];
  strcpy (before, lightning_db_last_error_message ());
  CHECK_OK (lightning_db_put (db, TEXT ("fine"), TEXT ("v")));
  CHECK_GIVES (lightning_db_contains (db, TEXT ("absent")), NotFound);
  CHECK (strcmp (before, lightning_db_last_error_message ()) == 0);
  CHECK (lightning_db_last_error () == NullPointer);
}

static void
test_many (LightningDB *db)
{
  enum
  {
    COUNT = 40
  };
  char texts[COUNT][16];
  const uint8_t *keys[COUNT];
  size_t lengths[COUNT];
  LightningDBResult results[COUNT];
  for (int i = 0; i < COUNT; i++)
    {
      lengths[i] = (size_t) sprintf (texts[i], "many%02d", i);
      keys[i] = (const uint8_t *) texts[i];
      results[i] = (LightningDBResult){ (uint8_t *) "stale", 5 };
      if (i % 3 != 0)
        CHECK_OK (lightning_db_put (db, keys[i], lengths[i], keys[i], lengths[i]));
    }
  CHECK_OK (lightning_db_multi_get (db, keys, lengths, COUNT, results));
  for (int i = 0; i < COUNT; i++)
    if (i % 3 != 0)
      check_text (results[i], texts[i]);
    else
      CHECK (results[i].data == NULL && results[i].len == 0);
  CHECK_OK (lightning_db_multi_get (db, NULL, NULL, 0, NULL));
  CHECK_FAILS (lightning_db_multi_get (db, NULL, lengths, 1, results), NullPointer);
  CHECK_FAILS (lightning_db_multi_get (db, keys, NULL, 1, results), NullPointer);
  CHECK_FAILS (lightning_db_multi_get (db, keys, lengths, 1, NULL), NullPointer);
  keys[7] = NULL;
  CHECK_FAILS (lightning_db_multi_get (db, keys, lengths, COUNT, results), NullPointer);
  CHECK (strstr (lightning_db_last_error_message (), "key 7") != NULL);
  keys[7] = (const uint8_t *) texts[7];
  lengths[7] = 0;
  CHECK_FAILS (lightning_db_multi_get (db, keys, lengths, COUNT, results), InvalidArgument);
  lengths[7] = SIZE_MAX;
  CHECK_FAILS (lightning_db_multi_get (db, keys, lengths, COUNT, results), KeyTooLarge);
  for (int i = 0; i < COUNT; i++)
    CHECK (results[i].data == NULL);
  CHECK_OK (lightning_db_delete_range (db, TEXT ("many"), TEXT ("many05")));
  check_value (db, "many04", NULL);
  check_value (db, "many05", "many05");
  CHECK_FAILS (lightning_db_delete_range (db, TEXT ("b"), TEXT ("a")), InvalidArgument);
  CHECK_FAILS (lightning_db_delete_range (db, NULL, 1, TEXT ("a")), NullPointer);
  CHECK_FAILS (lightning_db_delete_range (db, TEXT ("a"), NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_delete_range (db, (const uint8_t *) "a", 1 << 20, NULL, 0),
               KeyTooLarge);
  CHECK_OK (lightning_db_delete_range (db, NULL, 0, NULL, 0));
  check_value (db, "many05", NULL);
}

/* ---- scans ---- */

/* Walks and writes the keys, each with a comma, to `to`. */
static void
walk (LightningDBIterator *iterator, char *to)
{
  LightningDBEntry entry;
  CHECK (iterator != NULL);
  *to = '\0';
  for (;;)
    {
      CHECK_OK (lightning_db_iterator_next (iterator, &entry));
      if (entry.key == NULL)
        break;
      CHECK (entry.value == NULL
             || (entry.value_len == entry.key_len
                 && memcmp (entry.key, entry.value, entry.key_len) == 0));
      to += sprintf (to, "%.*s,", (int) entry.key_len, (const char *) entry.key);
    }
  CHECK_OK (lightning_db_iterator_next (iterator, &entry)); /* it stays at its end */
  CHECK (entry.key == NULL);
}

static void
check_walk (LightningDBIterator *iterator, const char *expected)
{
  char keys[1000];
  walk (iterator, keys);
  if (strcmp (keys, expected) != 0)
    fprintf (stderr, "walked %s\n", keys);
  CHECK (strcmp (keys, expected) == 0);
  lightning_db_iterator_free (iterator);
}

static void
test_scans (LightningDB *db)
{
  static const char *const keys[] = { "a", "b1", "b2", "b3", "c", "\377\377", "\377\377a" };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    CHECK_OK (lightning_db_put (db, TEXT (keys[i]), TEXT (keys[i])));
  check_walk (lightning_db_scan (db, NULL, 0, NULL, 0, 0), "a,b1,b2,b3,c,\xff\xff,\xff\xff"
                                                           "a,");
  check_walk (lightning_db_scan (db, NULL, 0, NULL, 0, LightningDBScanReverse),
              "\xff\xff"
              "a,\xff\xff,c,b3,b2,b1,a,");
  check_walk (lightning_db_scan (db, TEXT ("b"), TEXT ("b3"), 0), "b1,b2,");
  check_walk (lightning_db_scan (db, TEXT ("b"), TEXT ("b3"), LightningDBScanReverse), "b2,b1,");
  check_walk (lightning_db_scan (db, TEXT ("b2"), NULL, 0, LightningDBScanKeysOnly),
              "b2,b3,c,\xff\xff,\xff\xff"
              "a,");
  check_walk (lightning_db_scan (db, TEXT ("b2"), TEXT ("b2"), 0), "");
  check_walk (lightning_db_scan_prefix (db, TEXT ("b"), 0), "b1,b2,b3,");
  check_walk (
      lightning_db_scan_prefix (db, TEXT ("b"), LightningDBScanReverse | LightningDBScanKeysOnly),
      "b3,b2,b1,");
  check_walk (lightning_db_scan_prefix (db, TEXT ("\xff"), 0), "\xff\xff,\xff\xff"
                                                               "a,");
  check_walk (lightning_db_scan_prefix (db,
                                        TEXT ("\xff\xff"
                                              "a"),
                                        0),
              "\xff\xff"
              "a,");
  check_walk (lightning_db_scan_prefix (db, NULL, 0, LightningDBScanReverse),
              "\xff\xff"
              "a,\xff\xff,c,b3,b2,b1,a,");
  check_walk (lightning_db_scan_prefix (db, TEXT ("x"), 0), "");
  CHECK_NONE (lightning_db_scan (db, TEXT ("b"), TEXT ("a"), 0), InvalidArgument);
  CHECK_NONE (lightning_db_scan (db, NULL, 1, NULL, 0, 0), NullPointer);
  CHECK_NONE (lightning_db_scan (db, NULL, 0, NULL, 0, 4), InvalidArgument);
  CHECK_NONE (lightning_db_scan_prefix (db, NULL, 1, 0), NullPointer);
  CHECK_NONE (lightning_db_scan_prefix (db, (const uint8_t *) "x", SIZE_MAX, 0), KeyTooLarge);
}

static void
check_next (LightningDBIterator *iterator, const char *expected)
{
  LightningDBEntry entry;
  CHECK_OK (lightning_db_iterator_next (iterator, &entry));
  if (expected == NULL)
    CHECK (entry.key == NULL);
  else
    CHECK (entry.key_len == strlen (expected) && memcmp (entry.key, expected, entry.key_len) == 0);
}

static void
test_seeks (LightningDB *db)
{
  LightningDBIterator *iterator = lightning_db_scan (db, TEXT ("b"), TEXT ("d"), 0);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("b2")));
  check_next (iterator, "b2");
  check_next (iterator, "b3");
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("b25")));
  check_next (iterator, "b3");
  CHECK_OK (
      lightning_db_iterator_seek (iterator, TEXT ("a"))); /* its range has an end on each side */
  check_next (iterator, "b1");
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("z")));
  check_next (iterator, NULL);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("c")));
  check_next (iterator, "c");
  check_next (iterator, NULL);
  CHECK_FAILS (lightning_db_iterator_seek (iterator, NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_iterator_next (iterator, NULL), NullPointer);
  lightning_db_iterator_free (iterator);

  iterator = lightning_db_scan (db, TEXT ("b"), TEXT ("d"), LightningDBScanReverse);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("b2")));
  check_next (iterator, "b2");
  check_next (iterator, "b1");
  check_next (iterator, NULL);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("b25")));
  check_next (iterator, "b2");
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("a")));
  check_next (iterator, NULL);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("z")));
  check_next (iterator, "c");
  lightning_db_iterator_free (iterator);
  lightning_db_iterator_free (NULL);

  /* An empty value is shown as one, also in a scan of keys only. */
  LightningDBEntry entry;
  CHECK_OK (lightning_db_put (db, TEXT ("empty"), NULL, 0));
  iterator = lightning_db_scan_prefix (db, TEXT ("empty"), 0);
  CHECK_OK (lightning_db_iterator_next (iterator, &entry));
  CHECK (entry.value != NULL && entry.value_len == 0);
  lightning_db_iterator_free (iterator);
  iterator = lightning_db_scan_prefix (db, TEXT ("empty"), LightningDBScanKeysOnly);
  CHECK_OK (lightning_db_iterator_next (iterator, &entry));
  CHECK (entry.value == NULL && entry.value_len == 0 && entry.key_len == 5);
  lightning_db_iterator_free (iterator);
}

/* ---- transactions ---- */

static void
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
  LightningDB *second = lightning_db_create (inside (directory, "second"), NULL);
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

static void
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
static void
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

static void
test_timeout (void)
{
  uint64_t tx;
  LightningDBConfig *config = lightning_db_config_new ();
  CHECK_OK (lightning_db_config_set_transaction_timeout (config, 30));
  LightningDB *db = lightning_db_create (inside (directory, "timeout"), config);
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

static void
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

static void
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
  LightningDB *second = lightning_db_open (inside (directory, "second"), NULL);
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

static void
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

/* ---- upkeep ---- */

static void
test_upkeep (LightningDB *db)
{
  const char *backup = inside (directory, "backup"), *restored = inside (directory, "restored");
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
  CHECK_FAILS (lightning_db_restore (inside (directory, "no-backup"), inside (directory, "x")),
               NotFound);
  LightningDB *copy = lightning_db_open (restored, NULL);
  check_value (copy, "later", "later");
  CHECK_OK (lightning_db_close (copy));
  CHECK_OK (lightning_db_check (restored, 0));
  CHECK_OK (lightning_db_check (restored, 1));
  CHECK_FAILS (lightning_db_check (NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_check (inside (directory, "nothing"), 1), NotFound);
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
  const char *path = inside (directory, "damaged"), *mended = inside (directory, "mended");
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

  db = lightning_db_open (inside (directory, "main"), NULL);
  check_value (db, "never", NULL);
  check_value (db, "kept", "kept");
  lightning_db_free (db);
}

/* What was written with vector instructions is read without, and the other way round. For the whole
 * process, so it comes last. */
static void
test_scalar (void)
{
  LightningDB *db = lightning_db_create (inside (directory, "vectors"), NULL);
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
  db = lightning_db_open (inside (directory, "vectors"), config);
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
  directory = fresh_directory ();
  test_versions ();
  test_codes ();
  test_config ();
  test_retention ();
  test_open ();
  LightningDB *db = lightning_db_create (inside (directory, "main"), NULL);
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
  remove_directory (directory);
  return 0;
}
