/* SPDX-License-Identifier: MIT */
/*
 * LdbOptions: defaults, sources and their order, ranges, and what each option does to a database as
 * far as that can be seen from outside.
 */
#include "ldb-test.h"

static void
test_defaults (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_assert_cmpuint (ldb_options_get_page_size (options), ==, 4096);
  g_assert_cmpuint (ldb_options_get_cache_size (options), ==, 64 << 20);
  g_assert_cmpuint (ldb_options_get_mmap_size (options), ==, 0);
  g_assert_true (ldb_options_get_compression_enabled (options));
  g_assert_cmpint (ldb_options_get_compression_type (options), ==, LDB_COMPRESSION_TYPE_ADAPTIVE);
  g_assert_cmpint (ldb_options_get_compression_level (options), ==, 3);
  g_assert_cmpuint (ldb_options_get_max_active_transactions (options), ==, 1000);
  g_assert_cmpuint (ldb_options_get_transaction_timeout (options), ==, 30000);
  g_assert_true (ldb_options_get_use_optimized_transactions (options));
  g_assert_true (ldb_options_get_wal_enabled (options));
  g_assert_cmpint (ldb_options_get_wal_sync_mode (options), ==, LDB_SYNC_MODE_ASYNC);
  g_assert_true (ldb_options_get_improved_wal (options));
  g_assert_true (ldb_options_get_prefetch_enabled (options));
  g_assert_cmpuint (ldb_options_get_prefetch_distance (options), ==, 8);
  g_assert_cmpuint (ldb_options_get_prefetch_workers (options), ==, 2);
  g_assert_true (ldb_options_get_use_lock_free_cache (options));
  g_assert_true (ldb_options_get_background_compaction (options));
  g_assert_cmpuint (ldb_options_get_compaction_interval (options), ==, 60000);
  g_assert_cmpuint (ldb_options_get_parallel_compaction_workers (options), ==, 2);
  g_assert_true (ldb_options_get_use_simd (options));
  g_assert_cmpuint (ldb_options_get_rate_limit_ops_per_second (options), ==, 0);
  g_assert_cmpuint (ldb_options_get_wal_segment_size (options), ==, 4 << 20);
  g_assert_cmpuint (ldb_options_get_sync_interval (options), ==, 1000);
  g_assert_cmpuint (ldb_options_get_blob_threshold (options), ==, 8192);
  g_assert_cmpuint (ldb_options_get_change_retention (options), ==, 0);
  g_assert_false (ldb_options_get_network_file_systems (options));
  g_assert_cmpuint (ldb_options_get_sampling_interval (options), ==, 1024);
  g_assert_true (ldb_options_check (options, &error));
  g_assert_no_error (error);
}

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer data)
{
  (*(guint *) data)++;
}

/* Every property: set to another value, read back, one notification, none for the same value. */
static void
test_properties (Place *place, gconstpointer data)
{
  g_autoptr (LdbOptions) options = ldb_options_new ();
  guint count;
  g_autofree GParamSpec **specs
      = g_object_class_list_properties (G_OBJECT_GET_CLASS (options), &count);
  g_assert_cmpuint (count, ==, 27);
  for (guint i = 0; i < count; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;
      g_auto (GValue) back = G_VALUE_INIT;
      guint notified = 0;
      gulong handler = 0;
      g_autofree char *signal = g_strconcat ("notify::", specs[i]->name, NULL);
      handler = g_signal_connect (options, signal, G_CALLBACK (count_notify), &notified);
      g_object_get_property (G_OBJECT (options), specs[i]->name, &value);
      if (G_VALUE_HOLDS_BOOLEAN (&value))
        g_value_set_boolean (&value, !g_value_get_boolean (&value));
      else if (G_VALUE_HOLDS_ENUM (&value))
        g_value_set_enum (&value, 1);
      else if (G_VALUE_HOLDS_INT (&value))
        g_value_set_int (&value, 7);
      else if (G_VALUE_HOLDS_UINT (&value))
        g_value_set_uint (&value, 9);
      else
        g_value_set_uint64 (&value, G_GUINT64_CONSTANT (1) << 33);
      g_object_set_property (G_OBJECT (options), specs[i]->name, &value);
      g_object_set_property (G_OBJECT (options), specs[i]->name, &value);
      g_object_get_property (G_OBJECT (options), specs[i]->name, &back);
      g_assert_cmpint (g_param_values_cmp (specs[i], &value, &back), ==, 0);
      g_assert_cmpuint (notified, ==, 1);
      g_signal_handler_disconnect (options, handler);
    }
}

/* Out of range: the error names the option and its range, also when a database is opened. */
static void
test_ranges (Place *place, gconstpointer data)
{
  static const struct
  {
    const char *name;  /* of the option */
    guint64 value;     /* out of its range */
    const char *range; /* in the message */
  } cases[] = {
    { "page-size", 1024, "from 4096 to 65536" },
    { "page-size", 5000, "a power of two" },
    { "cache-size", 1 << 20, "from 10485760 bytes" },
    { "compression-level", 20, "from 1 to 19" },
    { "compression-level", 0, "from 1 to 19" },
    { "max-active-transactions", 0, "from 1 to 1000000" },
    { "transaction-timeout", 90000000, "from 0 ms to 86400000 ms" },
    { "wal-sync-mode", LDB_SYNC_MODE_DEFAULT, "one of full, async, none" },
    { "prefetch-distance", 0, "from 1 to 1024" },
    { "prefetch-workers", 65, "from 0 to 64" },
    { "compaction-interval", 999, "from 1000 ms" },
    { "wal-segment-size", 65537, "a multiple of 64 KiB" },
    { "parallel-compaction-workers", 17, "from 1 to 16" },
    { "wal-segment-size", 1024, "from 65536 bytes to 1073741824 bytes" },
    { "sync-interval", 0, "from 1 ms" },
    { "blob-threshold", 10, "from 1024 bytes" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LdbOptions) options = ldb_options_new ();
      GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (options), cases[i].name);
      if (G_IS_PARAM_SPEC_UINT64 (spec))
        g_object_set (options, cases[i].name, cases[i].value, NULL);
      else
        g_object_set (options, cases[i].name, (guint) cases[i].value, NULL);
      g_assert_false (ldb_options_check (options, &error));
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, cases[i].name, cases[i].range);
      g_assert_null (ldb_database_open (place->path, LDB_OPEN_CREATE, options, NULL, &error));
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, cases[i].name);
      g_assert_false (g_file_test (place->path, G_FILE_TEST_EXISTS));
    }
}

static void
test_environment (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_setenv ("LIGHTNING_DB_CACHE_SIZE", "512MB", TRUE);
  g_setenv ("LIGHTNING_DB_PREFETCH_WORKERS", "4", TRUE);
  g_setenv ("LIGHTNING_DB_SYNC_INTERVAL", "2s", TRUE);
  g_setenv ("LIGHTNING_DB_WAL_SYNC_MODE", "FULL", TRUE);
  g_setenv ("LIGHTNING_DB_COMPRESSION_TYPE", "lz4", TRUE);
  g_setenv ("LIGHTNING_DB_USE_SIMD", "off", TRUE);
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_assert_cmpuint (ldb_options_get_cache_size (options), ==, 512 << 20);
  g_assert_cmpuint (ldb_options_get_prefetch_workers (options), ==, 4);
  g_assert_cmpuint (ldb_options_get_sync_interval (options), ==, 2000);
  g_assert_cmpint (ldb_options_get_wal_sync_mode (options), ==, LDB_SYNC_MODE_FULL);
  g_assert_cmpint (ldb_options_get_compression_type (options), ==, LDB_COMPRESSION_TYPE_LZ4);
  g_assert_false (ldb_options_get_use_simd (options));
  g_assert_true (ldb_options_check (options, &error));

  /* A database opened without options follows the environment too. */
  g_unsetenv ("LIGHTNING_DB_USE_SIMD");
  g_setenv ("LIGHTNING_DB_CACHE_SIZE", "16 MiB", TRUE);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_cmpuint (stats->memory_budget, ==, 16 << 20);

  static const char *const wrong[] = { "many", "-5", "12XB", "99999999999999999999", "1MB" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_setenv ("LIGHTNING_DB_CACHE_SIZE", wrong[i], TRUE);
      g_autoptr (LdbOptions) bad = ldb_options_new ();
      g_assert_false (ldb_options_check (bad, &error));
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "LIGHTNING_DB_CACHE_SIZE", "cache-size");
    }
  for (const char *const *name
       = (const char *const[]){ "CACHE_SIZE", "PREFETCH_WORKERS", "SYNC_INTERVAL", "WAL_SYNC_MODE",
                                "COMPRESSION_TYPE", NULL };
       *name != NULL; name++)
    {
      g_autofree char *variable = g_strconcat ("LIGHTNING_DB_", *name, NULL);
      g_unsetenv (variable);
    }
}

/* Each option's variable: what is no value of it is refused, and named. */
static void
test_wrong_environment (Place *place, gconstpointer data)
{
  guint count = 0;
  g_autoptr (GTypeClass) klass = g_type_class_ref (LDB_TYPE_OPTIONS);
  g_autofree GParamSpec **properties = g_object_class_list_properties (G_OBJECT_CLASS (klass), &count);
  g_assert_cmpuint (count, >, 20);
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *upper = g_ascii_strup (properties[i]->name, -1);
      g_autofree char *variable
          = g_strconcat ("LIGHTNING_DB_", g_strdelimit (upper, "-", '_'), NULL);
      g_setenv (variable, "nonsense", TRUE);
      g_assert_null (ldb_database_open (place->path, LDB_OPEN_CREATE, NULL, NULL, &error));
      g_unsetenv (variable);
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, variable, "nonsense",
                        properties[i]->name);
    }
}

static char *
write_file (Place *place, const char *text)
{
  g_autoptr (GError) error = NULL;
  char *path = g_build_filename (place->directory, "lightning_db.toml", NULL);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

static void
test_file (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = write_file (place, "# settings\n"
                                             "[database]\n"
                                             "cache_size_mb = 512   # half a gigabyte\n"
                                             "page_size = 8192\n"
                                             "compression_enabled = true\n"
                                             "compression_type = \"zstd\" # small\n"
                                             "prefetch_distance = 1_6\n"
                                             "\n"
                                             "[transaction]\n"
                                             "max_active = 10000\n"
                                             "timeout_seconds = 45\n"
                                             "[wal]\n"
                                             "enabled = true\n"
                                             "sync_mode = 'full'\n"
                                             "segment_size_mb = 64\n"
                                             "[monitoring]\n"
                                             "metrics_enabled = true\n"
                                             "metrics_port = 9090\n");
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_assert_true (ldb_options_load_from_file (options, path, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_options_get_cache_size (options), ==, 512 << 20);
  g_assert_cmpuint (ldb_options_get_page_size (options), ==, 8192);
  g_assert_cmpint (ldb_options_get_compression_type (options), ==, LDB_COMPRESSION_TYPE_ZSTD);
  g_assert_cmpuint (ldb_options_get_prefetch_distance (options), ==, 16);
  g_assert_cmpuint (ldb_options_get_max_active_transactions (options), ==, 10000);
  g_assert_cmpuint (ldb_options_get_transaction_timeout (options), ==, 45000);
  g_assert_cmpint (ldb_options_get_wal_sync_mode (options), ==, LDB_SYNC_MODE_FULL);
  g_assert_cmpuint (ldb_options_get_wal_segment_size (options), ==, 64 << 20);
}

/* What is wrong is named, and nothing of the file is taken over. */
static void
test_bad_files (Place *place, gconstpointer data)
{
  static const struct
  {
    const char *text;     /* after a good line */
    const char *words[2]; /* in the message */
  } cases[] = {
    { "cache_sise_mb = 5", { "cache_sise_mb", "[database]" } },
    { "page_size = large", { "page_size", "large" } },
    { "page_size = 5000", { "page-size", "power of two" } },
    { "compression_type = \"gzip\"", { "compression_type", "zstd, lz4 or snappy" } },
    { "compression_type = \"zstd", { "compression_type", "string" } },
    { "cache_size_mb = 99999999999999999999", { "cache_size_mb", "size" } },
    { "cache_size_mb = 9999999999999999", { "cache_size_mb", "size" } },
    { "[wal]\nsync_mode = 3", { "sync_mode", "[wal]" } },
    { "[nonsense]\nx = 1", { "x", "[nonsense]" } },
    { "no equals sign", { "lightning_db.toml", "" } },
    { "sync_interval =", { "sync_interval", "" } },
  };
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text
          = g_strconcat ("[database]\nprefetch_distance = 99\n", cases[i].text, "\n", NULL);
      g_autofree char *path = write_file (place, text);
      g_autoptr (LdbOptions) options = ldb_options_new ();
      g_assert_false (ldb_options_load_from_file (options, path, &error));
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "lightning_db.toml", cases[i].words[0],
                        cases[i].words[1]);
      g_assert_cmpuint (ldb_options_get_prefetch_distance (options), ==, 8);
    }
  g_autofree char *bare = write_file (place, "cache_size_mb = 64\n");
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_assert_false (ldb_options_load_from_file (options, bare, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "lightning_db.toml", "[database]");
  g_assert_false (ldb_options_load_from_file (options, "/nonexistent/x.toml", &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "/nonexistent/x.toml");
  g_assert_false (ldb_options_load_from_file (options, place->directory, &error));
  assert_ldb_error (error, LDB_ERROR_IO, place->directory);
  g_autofree char *pipe = g_build_filename (place->directory, "pipe", NULL);
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_assert_false (ldb_options_load_from_file (options, pipe, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, pipe, "regular file");
  g_assert_false (ldb_options_load_from_file (options, "/dev/zero", &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "/dev/zero", "regular file");

  /* What a crash left of a file: as long as it was, and all zeros; or zeros behind some text. */
  const char zeros[64] = { 0 }, torn[] = "[database]\n\0prefetch_distance = 2\n";
  g_assert_true (g_file_set_contents (bare, zeros, sizeof zeros, &error));
  g_assert_false (ldb_options_load_from_file (options, bare, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "lightning_db.toml", "zero bytes");
  g_assert_true (g_file_set_contents (bare, torn, sizeof torn - 1, &error));
  g_assert_false (ldb_options_load_from_file (options, bare, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "lightning_db.toml", "zero bytes");
}

/* Code wins over environment, environment over file, file over profile, whatever the order. */
static void
test_precedence (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = write_file (place, "[database]\n"
                                             "prefetch_distance = 2\n"
                                             "prefetch_workers = 2\n"
                                             "max_active_transactions = 2\n");
  g_setenv ("LIGHTNING_DB_PREFETCH_DISTANCE", "3", TRUE);
  g_setenv ("LIGHTNING_DB_PREFETCH_WORKERS", "3", TRUE);
  g_autoptr (LdbOptions) options = ldb_options_new_for_profile (LDB_PROFILE_READ_HEAVY);
  ldb_options_set_prefetch_distance (options, 4);
  g_assert_true (ldb_options_load_from_file (options, path, &error));
  g_unsetenv ("LIGHTNING_DB_PREFETCH_DISTANCE");
  g_unsetenv ("LIGHTNING_DB_PREFETCH_WORKERS");
  g_assert_cmpuint (ldb_options_get_prefetch_distance (options), ==, 4);
  g_assert_cmpuint (ldb_options_get_prefetch_workers (options), ==, 3);
  g_assert_cmpuint (ldb_options_get_max_active_transactions (options), ==, 2);
  g_assert_cmpuint (ldb_options_get_cache_size (options), ==, 1024 << 20);
  g_autoptr (LdbOptions) copy = ldb_options_copy (options);
  g_assert_true (ldb_options_load_from_file (copy, path, &error));
  g_assert_cmpuint (ldb_options_get_prefetch_distance (copy), ==, 4);
}

static void
test_profiles (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  for (LdbProfile profile = LDB_PROFILE_DEFAULT; profile <= LDB_PROFILE_LOW_MEMORY; profile++)
    {
      g_autoptr (LdbOptions) options = ldb_options_new_for_profile (profile);
      g_assert_true (ldb_options_check (options, &error));
      g_autoptr (LdbDatabase) db
          = ldb_database_open (place->path, LDB_OPEN_CREATE, options, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
      g_assert_cmpuint (stats->memory_budget, ==, ldb_options_get_cache_size (options));
    }
}

/* ---- what the options do ---- */

/* Puts records of which half compresses well; returns the bytes of the settled files. */
static guint64
load_and_measure (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  for (guint i = 0; i < 3000; i++)
    {
      char value[200];
      g_autofree char *key = g_strdup_printf ("key%06u", i);
      memset (value, 'x', sizeof value);
      for (guint k = 0; k < 60; k++)
        value[k] = (char) g_rand_int (random);
      g_assert_true (ldb_database_put (db, key, strlen (key), value, sizeof value, NULL, &error));
    }
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_cmpuint (stats->runs, ==, 1);
  return stats->segment_bytes;
}

static guint64
measure_with (Place *place, const char *name, LdbOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (place->directory, name, NULL);
  g_autoptr (LdbDatabase) db = ldb_database_create (path, options, NULL, &error);
  g_assert_no_error (error);
  return load_and_measure (db);
}

static void
test_compression (Place *place, gconstpointer data)
{
  g_autoptr (LdbOptions) raw = ldb_options_new ();
  ldb_options_set_compression_enabled (raw, FALSE);
  guint64 uncompressed = measure_with (place, "raw", raw);
  g_assert_cmpuint (uncompressed, >, 3000 * 200);
  for (LdbCompressionType type = LDB_COMPRESSION_TYPE_ADAPTIVE; type <= LDB_COMPRESSION_TYPE_SNAPPY;
       type++)
    {
      g_autoptr (LdbOptions) options = ldb_options_new ();
      g_autofree char *name = g_strdup_printf ("type-%d", type);
      ldb_options_set_compression_type (options, type);
      g_assert_cmpuint (measure_with (place, name, options), <, uncompressed * 3 / 4);
    }
  g_autoptr (LdbOptions) weak = ldb_options_new ();
  g_autoptr (LdbOptions) strong = ldb_options_new ();
  ldb_options_set_compression_type (weak, LDB_COMPRESSION_TYPE_ZSTD);
  ldb_options_set_compression_type (strong, LDB_COMPRESSION_TYPE_ZSTD);
  ldb_options_set_compression_level (weak, 1);
  ldb_options_set_compression_level (strong, 19);
  g_assert_cmpuint (measure_with (place, "strong", strong), <=, measure_with (place, "weak", weak));
}

static void
test_page_size (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_page_size (options, 16384);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  load_and_measure (db);
  g_assert_true (ldb_database_close (db, NULL, &error));
  /* It is the database's own from then on. */
  g_autoptr (LdbDatabase) again = place_open (place, NULL);
  g_assert_cmpuint (ldb_options_get_page_size (ldb_database_get_options (again)), ==, 16384);
}

static void
test_blob_threshold (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = g_strnfill (4000, 'x');
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_blob_threshold (options, 2000);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_assert_true (ldb_database_put (db, "small", 5, value, 1000, NULL, &error));
  g_assert_true (ldb_database_flush (db, NULL, &error));
  g_autoptr (LdbStats) before = ldb_database_get_stats (db, &error);
  g_assert_cmpuint (before->blob_bytes, ==, 0);
  g_assert_true (ldb_database_put (db, "large", 5, value, 4000, NULL, &error));
  g_assert_true (ldb_database_flush (db, NULL, &error));
  g_autoptr (LdbStats) after = ldb_database_get_stats (db, &error);
  g_assert_cmpuint (after->blob_bytes, >=, 4000);
}

static void
test_transactions (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_max_active_transactions (options, 2);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  G_GNUC_UNUSED g_autoptr (LdbTransaction) one
      = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  G_GNUC_UNUSED g_autoptr (LdbTransaction) two
      = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_no_error (error);
  g_assert_null (ldb_database_begin (db, LDB_TRANSACTION_NONE, &error));
  assert_ldb_error (error, LDB_ERROR_TOO_MANY_TRANSACTIONS, "2");
  g_autoptr (LdbTransaction) reader = ldb_database_begin (db, LDB_TRANSACTION_READ_ONLY, &error);
  g_assert_nonnull (reader);
}

static void
test_transaction_timeout (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_transaction_timeout (options, 50);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  gint64 begun = g_get_monotonic_time ();
  g_autoptr (LdbTransaction) late = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_no_error (error);
  g_autoptr (LdbTransaction) reader = ldb_database_begin (db, LDB_TRANSACTION_READ_ONLY, &error);
  g_assert_no_error (error);
  while (ldb_transaction_put_string (late, NULL, "k", "v", &error)) /* for good, if it never ends */
    g_usleep (10000);
  assert_ldb_error (error, LDB_ERROR_TIMED_OUT, "");
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, 50000);
  g_assert_null (ldb_transaction_get_string (reader, NULL, "k", NULL, &error));
  g_assert_no_error (error);
}

static void
test_rate_limit (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_rate_limit_ops_per_second (options, 10);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  guint refused = 0;
  gint64 begun = g_get_monotonic_time ();
  for (guint i = 0; i < 1000; i++)
    if (!ldb_database_put_string (db, "k", "v", NULL, &error))
      {
        assert_ldb_error (error, LDB_ERROR_RATE_LIMITED, "10");
        refused++;
      }
  gint64 seconds = (g_get_monotonic_time () - begun) / G_USEC_PER_SEC;
  g_assert_cmpint (1000 - refused, <, 500 + 10 * seconds);
}

/* The log's files: how large, whether there are any. */
static void
test_log (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_wal_segment_size (options, 65536);
  ldb_options_set_improved_wal (options, FALSE);
  ldb_options_set_wal_sync_mode (options, LDB_SYNC_MODE_FULL);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
  g_assert_cmpuint (ldb_database_get_durable_sequence (db), ==, ldb_database_get_sequence (db));
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_cmpuint (stats->log_syncs, >, 0);
  g_assert_cmpuint (stats->log_written_bytes, >, 0);
  g_assert_true (ldb_database_close (db, NULL, &error));

  g_autofree char *path = g_build_filename (place->directory, "no-log", NULL);
  g_autoptr (LdbOptions) without = ldb_options_new ();
  ldb_options_set_wal_enabled (without, FALSE);
  g_autoptr (LdbDatabase) unlogged = ldb_database_create (path, without, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_database_put_string (unlogged, "k", "v", NULL, &error));
  g_autoptr (LdbStats) none = ldb_database_get_stats (unlogged, &error);
  g_assert_cmpuint (none->log_written_bytes, ==, 0);
  g_assert_true (ldb_database_close (unlogged, NULL, &error));
  g_autoptr (LdbDatabase) again = ldb_database_open (path, LDB_OPEN_NONE, without, NULL, &error);
  g_autofree char *kept = ldb_database_get_string (again, "k", NULL, &error);
  g_assert_cmpstr (kept, ==, "v");
}

static void
test_sync_interval (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_sync_interval (options, 20);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
  for (guint i = 0;
       i < 30000 && ldb_database_get_durable_sequence (db) < ldb_database_get_sequence (db); i++)
    g_usleep (10000);
  g_assert_cmpuint (ldb_database_get_durable_sequence (db), ==, ldb_database_get_sequence (db));
}

/* Without background work runs pile up; reads are right with every setting that shows only
 * there. */
static void
test_background (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_background_compaction (options, FALSE);
  ldb_options_set_compaction_interval (options, 1000);
  ldb_options_set_parallel_compaction_workers (options, 1);
  ldb_options_set_prefetch_enabled (options, FALSE);
  ldb_options_set_prefetch_distance (options, 1);
  ldb_options_set_use_simd (options, FALSE);
  ldb_options_set_mmap_size (options, 1 << 30);
  ldb_options_set_compression_enabled (options, FALSE);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      g_assert_true (ldb_database_put_string (db, key, key, NULL, &error));
      g_assert_true (ldb_database_flush (db, NULL, &error));
    }
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_cmpuint (stats->runs, ==, 5);
  g_assert_cmpuint (stats->merges, ==, 0);
  g_autofree char *text = ldb_database_get_string (db, "3", NULL, &error);
  g_assert_cmpstr (text, ==, "3");
}

/* Handles on one database share it; options that disagree are refused, those left alone agree. */
static void
test_agreement (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 32 << 20);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_autoptr (LdbDatabase) plain = place_open (place, NULL);
  g_autoptr (LdbOptions) untouched = ldb_options_new ();
  G_GNUC_UNUSED g_autoptr (LdbDatabase) same = place_open (place, untouched);
  g_autoptr (LdbDatabase) equal = place_open (place, options);
  ldb_options_set_cache_size (options, 48 << 20);
  g_assert_null (ldb_database_open (place->path, LDB_OPEN_NONE, options, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_OPTIONS_MISMATCH, place->path, "cache-size", "33554432",
                    "50331648");
  g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
  g_autofree char *text = ldb_database_get_string (equal, "k", NULL, &error);
  g_assert_cmpstr (text, ==, "v");
  g_assert_cmpuint (ldb_options_get_cache_size (ldb_database_get_options (plain)), ==, 32 << 20);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/options/defaults", test_defaults);
  add_test ("/options/properties", test_properties);
  add_test ("/options/ranges", test_ranges);
  add_test ("/options/environment", test_environment);
  add_test ("/options/wrong-environment", test_wrong_environment);
  add_test ("/options/file", test_file);
  add_test ("/options/bad-files", test_bad_files);
  add_test ("/options/precedence", test_precedence);
  add_test ("/options/profiles", test_profiles);
  add_test ("/options/compression", test_compression);
  add_test ("/options/page-size", test_page_size);
  add_test ("/options/blob-threshold", test_blob_threshold);
  add_test ("/options/transactions", test_transactions);
  add_test ("/options/transaction-timeout", test_transaction_timeout);
  add_test ("/options/rate-limit", test_rate_limit);
  add_test ("/options/log", test_log);
  add_test ("/options/sync-interval", test_sync_interval);
  add_test ("/options/background", test_background);
  add_test ("/options/agreement", test_agreement);
  return g_test_run ();
}
