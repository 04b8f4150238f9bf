/* SPDX-License-Identifier: MIT */
/*
 * The client: running databases of other processes as a list, and looking into them. Two
 * applications with five databases each; they are stopped, killed, and close what they have.
 */
#include "running-application.h"

/* ---- the list ---- */

/* A copy of the list that is kept by its signals alone. */
static void
follow_list (GListModel *list, guint position, guint removed, guint added, GPtrArray *copy)
{
  for (guint i = 0; i < removed; i++)
    g_ptr_array_remove_index (copy, position);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (copy, (gint) (position + i), g_list_model_get_item (list, position + i));
}

static void
assert_copy (LdbRunningList *list, GPtrArray *copy)
{
  g_assert_cmpuint (copy->len, ==, ldb_running_list_get_n_items (list));
  for (guint i = 0; i < copy->len; i++)
    {
      g_autoptr (LdbRunningDatabase) item = g_list_model_get_item (G_LIST_MODEL (list), i);
      g_assert_true (item == g_ptr_array_index (copy, i));
      g_assert_true (ldb_running_database_is_running (item));
    }
}

/* What processes that were killed have left in the runtime directory. */
static guint
count_left_files (void)
{
  guint count = 0;
  g_autofree char *folder = g_build_filename (g_get_user_runtime_dir (), "lightning-db-1", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  while (dir != NULL && g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

static void
test_list (void)
{
  Application one, other;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (GPtrArray) copy = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect (list, "items-changed", G_CALLBACK (follow_list), copy);
  g_assert_cmpuint (ldb_running_list_get_n_items (list), ==, 0);
  application_start (&one);
  application_start (&other);
  for (guint i = 0; i < DATABASES; i++)
    {
      g_autofree char *open = g_strdup_printf ("open %u", i);
      tell (&one, open);
      tell (&other, open);
    }
  wait_until (ldb_running_list_get_n_items (list) == 2 * DATABASES);
  assert_copy (list, copy);
  /* What is made later sees the same at once. */
  g_autoptr (LdbRunningList) second = ldb_running_list_new ();
  g_assert_cmpuint (ldb_running_list_get_n_items (second), ==, 2 * DATABASES);

  g_autoptr (LdbRunningDatabase) first = find_first (list, &one);
  g_autofree char *path = g_build_filename (one.directory, "db-0", NULL);
  g_assert_cmpstr (ldb_running_database_get_path (first), ==, path);
  g_assert_cmpuint (ldb_running_database_get_process_id (first), ==, (guint) one.process);
  g_assert_cmpuint (strlen (ldb_running_database_get_id (first)), ==, 32);
  g_assert_false (ldb_running_database_is_read_only (first));
  g_autoptr (LdbRunningDatabase) elsewhere = find_first (list, &other);
  g_assert_cmpstr (ldb_running_database_get_process (first), !=,
                   ldb_running_database_get_process (elsewhere));

  tell (&one, "close 0");
  wait_until (ldb_running_list_get_n_items (list) == 2 * DATABASES - 1);
  g_assert_false (ldb_running_database_is_running (first));
  assert_copy (list, copy);
  tell (&one, "open 0");
  wait_until (ldb_running_list_get_n_items (list) == 2 * DATABASES);
  application_stop (&other);
  g_autoptr (LdbRunningList) third = ldb_running_list_new ();
  g_assert_cmpuint (ldb_running_list_get_n_items (third), ==, 2 * DATABASES);
  application_kill (&other);
  wait_until (ldb_running_list_get_n_items (list) == DATABASES);
  wait_until (ldb_running_list_get_n_items (third) == DATABASES);
  g_assert_false (ldb_running_database_is_running (elsewhere));
  assert_copy (list, copy);
  application_kill (&one);
  wait_until (ldb_running_list_get_n_items (list) == 0);
  assert_copy (list, copy);
  wait_until (count_left_files () == 0);
  application_end (&one);
  application_end (&other);
}

static void
assert_counted (LdbRunningDatabase *running, gint64 puts)
{
  gint64 found, commits;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) counters = ldb_running_database_read_counters (running, &error);
  g_assert_no_error (error);
  g_assert_true (g_variant_lookup (counters, "puts", "x", &found));
  g_assert_true (g_variant_lookup (counters, "commits", "x", &commits));
  g_assert_cmpint (found, ==, puts);
  g_assert_cmpint (commits, ==, puts);
}

static void
take_writes (LdbMetrics *metrics, GParamSpec *spec, guint64 *writes)
{
  *writes = ldb_metrics_get_total_writes (metrics);
}

/* The figures that the application counts with, while it is stopped. */
static void
test_counters (void)
{
  Application application;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  application_start_in (&application, NULL, "LIGHTNING_INSPECT");
  tell (&application, "open 0");
  tell (&application, "put 0 a 1");
  tell (&application, "put 0 b 2");
  wait_until (ldb_running_list_get_n_items (list) == 1);
  g_autoptr (LdbRunningDatabase) running = find_first (list, &application);
  g_autoptr (LdbMetrics) metrics = ldb_running_database_get_metrics (running, &error);
  if (in_memory)
    {
      guint64 writes = 0;
      g_assert_no_error (error);
      g_assert_cmpuint (ldb_metrics_get_total_writes (metrics), ==, 2);
      application_stop (&application);
      assert_counted (running, 2);
      kill (application.process, SIGCONT);
      tell (&application, "put 0 c 3");
      application_stop (&application);
      assert_counted (running, 3);
      g_assert_cmpint (ldb_metrics_get_value (metrics, "puts"), ==, 2); /* at the last look */
      ldb_metrics_set_interval (metrics, 10);
      g_signal_connect (metrics, "notify::total-writes", G_CALLBACK (take_writes), &writes);
      ldb_metrics_get_interval (metrics);
      ldb_metrics_refresh (metrics);
      g_assert_cmpuint (writes, ==, 3);
      g_assert_cmpint (ldb_metrics_get_value (metrics, "puts"), ==, 3);
      kill (application.process, SIGCONT);
      tell (&application, "put 0 d 4");
      wait_until (writes == 4); /* without being asked */
      application_kill (&application);
      wait_until (ldb_running_list_get_n_items (list) == 0);
      ldb_metrics_refresh (metrics);
      g_assert_cmpuint (ldb_metrics_get_total_writes (metrics), ==, 4); /* the last figures */
    }
  else
    {
      g_assert_null (metrics);
      assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "no counters");
      g_clear_error (&error);
      g_assert_null (ldb_running_database_read_counters (running, &error));
      assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "no counters");
      g_test_skip ("there is no tmpfs that can be written to");
    }
  application_end (&application);
}

/* Without, as it began to be inspectable when it was open already. */
static void
test_no_counters (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  LdbRunningDatabase *running = ldb_inspector_get_running_database (inspector);
  g_assert_null (ldb_running_database_read_counters (running, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "no counters");
}

/* As outside of a sandbox: in the folder that it shares. */
static void
test_sandbox (void)
{
  Application application;
  g_autofree char *shared
      = g_build_filename (g_get_user_runtime_dir (), "app", "org.example.App", NULL);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_mkdir_with_parents (shared, 0700);
  application_start_in (&application, shared, NULL);
  tell (&application, "open 0");
  wait_until (ldb_running_list_get_n_items (list) == 1);
  g_autoptr (LdbInspector) inspector = inspect (&application);
  application_kill (&application);
  wait_until (ldb_running_list_get_n_items (list) == 0);
  application_end (&application);
}

/* Says in the advert of the application's database that it is somewhere else. */
static void
forge_path (const char *folder, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const char *name;
  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      if (!g_str_has_suffix (name, ".database"))
        continue;
      g_autofree char *file = g_build_filename (folder, name, NULL);
      g_autofree char *uri = g_filename_to_uri (path, NULL, NULL);
      g_autoptr (GKeyFile) advert = g_key_file_new ();
      g_assert_true (g_key_file_load_from_file (advert, file, G_KEY_FILE_NONE, &error));
      g_key_file_set_string (advert, "Lightning DB", "Path", uri);
      g_assert_true (g_key_file_save_to_file (advert, file, &error));
    }
}

/* Whoever is in a sandbox may say that its database is somebody else's: that one comes first. */
static void
test_pretender (void)
{
  Application application, pretender;
  g_autofree char *shared
      = g_build_filename (g_get_user_runtime_dir (), "app", "org.example.Pretender", NULL);
  g_autofree char *folder = g_build_filename (shared, "lightning-db-1", NULL);
  g_mkdir_with_parents (shared, 0700);
  application_start (&application);
  application_start_in (&pretender, shared, NULL);
  tell (&pretender, "open 0");
  g_autofree char *path = g_build_filename (application.directory, "db-0", NULL);
  forge_path (folder, path);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_assert_cmpuint (ldb_running_list_get_n_items (list), ==, 1);
  tell (&application, "open 0");
  wait_until (ldb_running_list_get_n_items (list) == 2);
  g_autoptr (LdbRunningDatabase) found = ldb_running_list_find (list, path);
  g_assert_cmpuint (ldb_running_database_get_process_id (found), ==, (guint) application.process);
  application_end (&pretender);
  application_end (&application);
}

/* ---- looking ---- */

static void
test_look (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  tell (application, "fill 0");
  g_autoptr (LdbStats) stats = ldb_inspector_get_stats (inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (stats->puts, ==, 2500);
  g_assert_cmpuint (stats->sequence, ==, 2500);
  g_assert_cmpfloat (stats->compression_ratio, >, 0);
  g_auto (GStrv) names = ldb_inspector_list_stores (inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (names[0], ==, "default");
  g_assert_null (names[1]);
  g_autoptr (GHashTable) options = ldb_inspector_get_options (inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_hash_table_contains (options, "cache-size"));
}

/* The work that is going on there. */
/* The only one of that kind; a busy machine may make others slow. */
static const LdbSlowOperation *
find_slow (GPtrArray *slow, LdbOperationKind kind)
{
  const LdbSlowOperation *found = NULL;
  for (guint i = 0; i < slow->len; i++)
    {
      const LdbSlowOperation *operation = g_ptr_array_index (slow, i);
      if (operation->kind == kind)
        {
          g_assert_null (found);
          found = operation;
        }
    }
  g_assert_nonnull (found);
  return found;
}

static void
test_activity (Application *application, gconstpointer data)
{
  guint64 total = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  tell (application, "put 0 key value");
  tell (application, "begin 0 key");
  g_autoptr (GPtrArray) transactions = ldb_inspector_list_transactions (inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (transactions->len, ==, 1);
  const LdbActiveTransaction *transaction = g_ptr_array_index (transactions, 0);
  g_assert_cmpuint (transaction->operations, ==, 1);
  g_assert_cmpuint (transaction->bytes, ==, 7);
  g_assert_false (transaction->serializable);
  g_autoptr (GPtrArray) written
      = ldb_inspector_list_transaction_keys (inspector, transaction->id, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (written->len, ==, 1);
  const LdbTransactionKey *its = g_ptr_array_index (written, 0);
  g_assert_cmpint (its->access, ==, LDB_KEY_ACCESS_PUT);
  g_assert_cmpstr (its->store, ==, "default");
  assert_bytes (its->key, "key");
  g_assert_cmpuint (its->value_length, ==, 4);
  g_assert_null (ldb_inspector_list_transaction_keys (inspector, 999, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "999");
  g_autoptr (GPtrArray) snapshots = ldb_inspector_list_snapshots (inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (snapshots->len, ==, 1);
  const LdbHeldSnapshot *held = g_ptr_array_index (snapshots, 0);
  g_assert_cmpuint (held->sequence, ==, 1);
  g_assert_cmpuint (held->holders, ==, 1);
  g_assert_cmpuint (held->behind, ==, 0);

  tell (application, "conflict 0 hot");
  tell (application, "conflict 0 hot");
  g_autoptr (GPtrArray) keys
      = ldb_inspector_list_hot_keys (inspector, LDB_HOT_KEY_CONFLICT, &total, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (total, ==, 2);
  g_assert_cmpuint (keys->len, ==, 1);
  const LdbHotKey *hot = g_ptr_array_index (keys, 0);
  g_assert_cmpstr (hot->store, ==, "default");
  assert_bytes (hot->key, "hot");
  g_assert_cmpuint (hot->key_length, ==, 3);
  g_assert_cmpuint (hot->count, ==, 2);
  g_assert_cmpint (hot->last, >, 0);
  g_assert_null (ldb_inspector_list_hot_keys (inspector, (LdbHotKeyKind) 9, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "kind");

  tell (application, "slow 0");
  g_autoptr (GPtrArray) slow = ldb_inspector_list_slow_operations (inspector, 0, NULL, &error);
  g_assert_no_error (error);
  const LdbSlowOperation *operation = find_slow (slow, LDB_OPERATION_BATCH);
  const LdbSlowOperation *newest = g_ptr_array_index (slow, slow->len - 1);
  g_assert_null (operation->key);
  g_assert_cmpuint (operation->size, ==, 2);
  g_assert_cmpuint (operation->duration, >, 0);
  g_autoptr (GPtrArray) newer
      = ldb_inspector_list_slow_operations (inspector, newest->number, NULL, &error);
  g_assert_cmpuint (newer->len, ==, 0);

  /* What it follows itself is listed as that. */
  g_autoptr (GPtrArray) unwatched = ldb_inspector_list_watches (inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (unwatched->len, ==, 0);
  g_assert_cmpuint (
      ldb_inspector_subscribe (inspector, NULL, "user:", 5, LDB_WATCH_NONE, 0, NULL, &error), !=,
      0);
  g_autoptr (GPtrArray) watches = ldb_inspector_list_watches (inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (watches->len, ==, 1);
  const LdbActiveWatch *watch = g_ptr_array_index (watches, 0);
  g_assert_cmpint (watch->kind, ==, LDB_WATCH_KIND_PREFIX);
  assert_bytes (watch->start, "user:");
  g_assert_null (watch->end);
  g_assert_true (watch->inspector);
  g_autoptr (GPtrArray) deliveries = NULL;
  for (guint i = 0; i < 1000 && (deliveries == NULL || deliveries->len == 0); i++)
    {
      g_clear_pointer (&deliveries, g_ptr_array_unref);
      g_autofree char *put = g_strdup_printf ("put 0 user:ada %u", i);
      tell (application, put);
      deliveries = ldb_inspector_list_deliveries (inspector, 0, NULL, &error);
      g_assert_no_error (error);
    }
  const LdbWatchDelivery *delivery = g_ptr_array_index (deliveries, 0);
  g_assert_cmpuint (delivery->watch, ==, watch->id);
  g_assert_cmpuint (delivery->changes, ==, 1);
  g_assert_cmpint (delivery->delivered, >=, delivery->committed);

  g_autoptr (LdbTrace) trace = ldb_inspector_trace_get (inspector, NULL, "key", 3, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (trace->found);
  g_assert_cmpuint (trace->value_length, ==, 5);
  g_assert_cmpuint (trace->duration, >, 0);
  g_assert_null (ldb_inspector_trace_get (inspector, "nothing", "key", 3, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "nothing");

  g_assert_false (ldb_inspector_abort_transaction (inspector, transaction->id, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_PERMISSION_DENIED, "control");
  tell (application, "allow 0");
  g_assert_true (ldb_inspector_request_control (inspector, NULL, &error));
  g_assert_true (ldb_inspector_abort_transaction (inspector, transaction->id, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (ldb_inspector_abort_transaction (inspector, transaction->id, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "no open read-write transaction");
  g_autoptr (GPtrArray) none = ldb_inspector_list_transactions (inspector, NULL, &error);
  g_assert_cmpuint (none->len, ==, 0);
}

static void
assert_records (LdbInspector *inspector, LdbScanFlags flags, guint limit, guint count,
                const char *first, const char *last)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) records = ldb_inspector_read (inspector, 0, NULL, "key-0100", 8, NULL, 0,
                                                      flags, limit, 100, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (records->len, ==, count);
  assert_bytes (ldb_record_get_key (g_ptr_array_index (records, 0)), first);
  assert_bytes (ldb_record_get_key (g_ptr_array_index (records, count - 1)), last);
  if ((flags & LDB_SCAN_KEYS_ONLY) == 0)
    assert_bytes (ldb_record_get_value (g_ptr_array_index (records, count - 1)), "value");
  else
    g_assert_null (ldb_record_get_value (g_ptr_array_index (records, 0)));
}

static void
test_read (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  tell (application, "fill 0");
  assert_records (inspector, LDB_SCAN_NONE, G_MAXUINT, 2400, "key-0100", "key-2499");
  assert_records (inspector, LDB_SCAN_NONE, 1500, 1500, "key-0100", "key-1599");
  assert_records (inspector, LDB_SCAN_REVERSE, 2000, 2000, "key-2499", "key-0500");
  assert_records (inspector, LDB_SCAN_KEYS_ONLY, 3, 3, "key-0100", "key-0102");
  g_assert_null (ldb_inspector_read (inspector, 0, "nothing", NULL, 0, NULL, 0, LDB_SCAN_NONE, 1, 1,
                                     NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "nothing");
}

static void
test_get (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  tell (application, "put 0 key old");
  tell (application, "big 0");
  guint snapshot = ldb_inspector_open_snapshot (inspector, NULL, &error);
  g_assert_no_error (error);
  tell (application, "put 0 key new");
  g_autoptr (GBytes) old = ldb_inspector_get (inspector, snapshot, NULL, "key", 3, NULL, &error);
  g_autoptr (GBytes) now = ldb_inspector_get (inspector, 0, "default", "key", 3, NULL, &error);
  g_assert_no_error (error);
  assert_bytes (old, "old");
  assert_bytes (now, "new");
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) big
          = ldb_inspector_get (inspector, i == 0 ? 0 : snapshot, NULL, "big", 3, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_bytes_get_size (big), ==, 3000000);
      g_assert_cmpint (((const char *) g_bytes_get_data (big, NULL))[2999999], ==, 'b');
    }
  g_assert_null (ldb_inspector_get (inspector, 0, NULL, "none", 4, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_inspector_close_snapshot (inspector, snapshot, NULL, &error));
  g_assert_false (ldb_inspector_close_snapshot (inspector, snapshot, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "snapshot");
  g_assert_null (ldb_inspector_get (inspector, 0, NULL, "", 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "key");
}

static void
note_changes (LdbInspector *inspector, guint subscription, LdbChangeSet *changes, GString *text)
{
  g_autofree char *told = describe_changes (changes);
  g_string_append_printf (text, "%u: %s\n", subscription, told);
  g_assert_null (ldb_change_set_get_snapshot (changes));
}

static void
test_changes (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (LdbInspector) inspector = inspect (application);
  g_signal_connect (inspector, "changed", G_CALLBACK (note_changes), text);
  guint every
      = ldb_inspector_subscribe (inspector, "*", NULL, 0, LDB_WATCH_VALUES, 0, NULL, &error);
  g_assert_no_error (error);
  guint some = ldb_inspector_subscribe (inspector, NULL, "k", 1,
                                        LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES, 0, NULL, &error);
  g_assert_no_error (error);
  tell (application, "put 0 a 1");
  wait_until (text->len > 0);
  g_autofree char *first = g_strdup_printf ("%u: put a=1\n", every);
  g_assert_cmpstr (text->str, ==, first);
  g_assert_true (ldb_inspector_unsubscribe (inspector, every, NULL, &error));
  g_string_truncate (text, 0);
  tell (application, "put 0 k 1");
  wait_until (text->len > 0);
  g_string_truncate (text, 0);
  tell (application, "put 0 k 2");
  wait_until (text->len > 0);
  g_autofree char *second = g_strdup_printf ("%u: put k=2<1\n", some);
  g_assert_cmpstr (text->str, ==, second);
}

/* ---- changing ---- */

static void
test_control (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  g_autofree char *backup = g_build_filename (application->directory, "backup", NULL);
  g_assert_false (ldb_inspector_request_control (inspector, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_PERMISSION_DENIED, "control-allowed");
  g_assert_false (ldb_inspector_compact (inspector, NULL, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_PERMISSION_DENIED, "control");
  tell (application, "put 0 a 1");
  tell (application, "allow 0");
  g_assert_true (ldb_inspector_request_control (inspector, NULL, &error));
  g_assert_true (ldb_inspector_flush (inspector, NULL, &error));
  g_assert_true (ldb_inspector_checkpoint (inspector, NULL, &error));
  g_assert_true (ldb_inspector_sync (inspector, NULL, &error));
  g_assert_true (ldb_inspector_compact (inspector, NULL, NULL, NULL, &error));
  g_assert_true (ldb_inspector_evict_cache (inspector, 0.5, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (ldb_inspector_set_memory_budget (inspector, 10485759, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "10485760");
  g_assert_true (ldb_inspector_set_memory_budget (inspector, 20 << 20, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (LdbStats) stats = ldb_inspector_get_stats (inspector, NULL, &error);
  g_assert_cmpuint (stats->memory_budget, ==, 20 << 20);
  g_autoptr (LdbCheckReport) report
      = ldb_inspector_check (inspector, LDB_CHECK_DEEP, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (report->page_checksums && report->fault_count == 0);
  g_assert_cmpuint (ldb_check_report_get_faults (report)->len, ==, 0);
  g_autoptr (LdbBackupResult) result
      = ldb_inspector_backup (inspector, backup, LDB_BACKUP_VERIFY, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (result->files, >, 0);
  g_autoptr (GVariant) operations
      = g_variant_ref_sink (g_variant_new_parsed ("[('', b'a', [b'2'], true, [b'1'])]"));
  g_assert_cmpuint (ldb_inspector_commit (inspector, operations, NULL, &error), ==, 0);
  /* The texts of the format end with a zero byte, the value there does not. */
  assert_ldb_error (error, LDB_ERROR_CONFLICT, "expected");
  g_assert_cmpuint (ldb_inspector_commit (inspector, g_variant_new ("(s)", "x"), NULL, &error), ==,
                    0);
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "a(sayaaybaay)");
  g_autoptr (GVariant) right = g_variant_ref_sink (
      g_variant_new_parsed ("[('', [byte 0x61], [[byte 0x32]], true, [[byte 0x31]])]"));
  g_assert_cmpuint (ldb_inspector_commit (inspector, right, NULL, &error), ==, 2);
  g_assert_no_error (error);
  g_autoptr (GBytes) value = ldb_inspector_get (inspector, 0, NULL, "a", 1, NULL, &error);
  assert_bytes (value, "2");
}

/* ---- what takes long ---- */

typedef struct
{
  guint reports;
  gboolean released;
  GCancellable *cancels; /* with the next report; borrowed, or NULL */
} Heard;

static void
hear_progress (guint64 done, guint64 total, const char *step, gpointer data)
{
  Heard *heard = data;
  g_assert_true (total == 0 || done <= total);
  g_assert_cmpuint (strlen (step), >, 0);
  g_assert_false (heard->released);
  heard->reports++;
  if (heard->cancels != NULL)
    g_cancellable_cancel (heard->cancels);
}

static void
note_released (gpointer data)
{
  ((Heard *) data)->released = TRUE;
}

static void
test_progress (Application *application, gconstpointer data)
{
  Heard heard = { 0 }, later = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  g_autofree char *backup = g_build_filename (application->directory, "backup", NULL);
  tell (application, "fill 0");
  tell (application, "allow 0");
  g_assert_true (ldb_inspector_request_control (inspector, NULL, &error));
  g_autoptr (LdbCheckReport) report
      = ldb_inspector_check (inspector, LDB_CHECK_DEEP, hear_progress, &heard, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (heard.reports, >, 0);
  g_assert_true (ldb_inspector_compact (inspector, hear_progress, &heard, NULL, &error));
  ldb_inspector_backup_async (inspector, backup, LDB_BACKUP_VERIFY, hear_progress, &later,
                              note_released, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_autoptr (LdbBackupResult) made = ldb_inspector_backup_finish (inspector, done, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (later.reports, >, 0);
  g_assert_true (later.released);
}

/* Whether there is a whole backup. */
static gboolean
is_backup (const char *path)
{
  g_autoptr (LdbCheckReport) report
      = ldb_database_check_path (path, LDB_CHECK_NONE, NULL, NULL, NULL, NULL);
  return report != NULL && report->fault_count == 0;
}

/* FALSE: it was made before it could be cancelled. */
static gboolean
cancel_backup (LdbInspector *inspector, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Heard heard = { .cancels = cancellable };
  g_autoptr (LdbBackupResult) made = ldb_inspector_backup (
      inspector, path, LDB_BACKUP_VERIFY, hear_progress, &heard, cancellable, &error);
  if (made != NULL)
    return FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  while (!ldb_inspector_flush (inspector, NULL, &error))
    assert_ldb_error (error, LDB_ERROR_PENDING, "not finished");
  return !is_backup (path);
}

/* What is given up here is given up there, too. */
static void
test_cancelled (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  gboolean cancelled = FALSE;
  tell (application, "big 0");
  tell (application, "allow 0");
  g_assert_true (ldb_inspector_request_control (inspector, NULL, &error));
  for (guint i = 0; i < 100 && !cancelled; i++)
    {
      g_autofree char *name = g_strdup_printf ("backup-%u", i);
      g_autofree char *path = g_build_filename (application->directory, name, NULL);
      cancelled = cancel_backup (inspector, path);
    }
  g_assert_true (cancelled);
}

/* ---- health and events ---- */

static void
hear_event (LdbInspector *inspector, LdbEvent *event, gpointer data)
{
  guint64 *last = data;
  g_assert_cmpuint (event->number, >, *last);
  *last = event->number;
}

static void
test_health (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = inspect (application);
  g_autofree char *path = g_build_filename (application->directory, "db-0", NULL);
  guint64 heard = 0;
  g_autoptr (GPtrArray) events = ldb_inspector_list_events (inspector, 0, NULL, &error);
  g_assert_no_error (error);
  const LdbEvent *opened = g_ptr_array_index (events, 0);
  g_assert_cmpint (opened->kind, ==, LDB_EVENT_OPENED);
  g_assert_cmpuint (opened->number, ==, 1);
  g_assert_cmpint (opened->code, ==, -1);
  g_assert_null (opened->message);

  g_signal_connect (inspector, "event", G_CALLBACK (hear_event), &heard);
  g_assert_true (ldb_inspector_follow_events (inspector, TRUE, NULL, &error));
  g_assert_cmpint (g_chmod (path, 0755), ==, 0);
  g_autoptr (LdbHealth) health = ldb_inspector_examine_health (inspector, NULL, &error);
  g_assert_no_error (error);
  const LdbHealthIssue *issue = ldb_health_find_issue (health, "exposed");
  g_assert_nonnull (issue);
  g_assert_cmpint (issue->action, ==, LDB_REMEDY_RESTRICT_ACCESS);
  wait_until (heard > 0); /* that the health is another one */
  g_autoptr (GPtrArray) more = ldb_inspector_list_events (inspector, heard - 1, NULL, &error);
  g_assert_no_error (error);
  const LdbEvent *changed = g_ptr_array_index (more, 0);
  g_assert_cmpint (changed->kind, ==, LDB_EVENT_HEALTH);
  g_assert_nonnull (strstr (changed->message, "exposed"));

  g_assert_false (ldb_inspector_apply_remedy (inspector, issue, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_PERMISSION_DENIED, "control");
  tell (application, "allow 0");
  g_assert_true (ldb_inspector_request_control (inspector, NULL, &error));
  g_assert_true (ldb_inspector_apply_remedy (inspector, issue, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GAsyncResult) result = NULL;
  ldb_inspector_examine_health_async (inspector, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_autoptr (LdbHealth) healed = ldb_inspector_examine_health_finish (inspector, done, &error);
  g_assert_no_error (error);
  g_assert_null (ldb_health_find_issue (healed, "exposed"));
  g_assert_false (ldb_inspector_apply_remedy (inspector, issue, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "no such issue");

  /* Not followed any more: what is asked for behind it comes behind it. */
  g_assert_true (ldb_inspector_follow_events (inspector, FALSE, NULL, &error));
  g_autoptr (GPtrArray) all = ldb_inspector_list_events (inspector, 0, NULL, &error);
  const LdbEvent *newest = g_ptr_array_index (all, all->len - 1);
  wait_until (heard == newest->number);
  tell (application, "put 0 a 1");
  g_assert_true (ldb_inspector_flush (inspector, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (LdbStats) stats = ldb_inspector_get_stats (inspector, NULL, &error);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (heard, ==, newest->number);
}

/* ---- without blocking ---- */

static void
test_async (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = find_first (list, application);
  tell (application, "put 0 a 1");
  tell (application, "allow 0");
  ldb_inspector_open_async (running, NULL, KEEP (result));
  g_autoptr (GAsyncResult) opened = ldb_test_wait (&result);
  g_autoptr (LdbInspector) inspector = ldb_inspector_open_finish (opened, &error);
  g_assert_no_error (error);
  ldb_inspector_get_async (inspector, 0, NULL, "a", 1, NULL, KEEP (result));
  g_autoptr (GAsyncResult) got = ldb_test_wait (&result);
  g_autoptr (GBytes) value = ldb_inspector_get_finish (inspector, got, &error);
  g_assert_no_error (error);
  assert_bytes (value, "1");
  ldb_inspector_open_snapshot_async (inspector, NULL, KEEP (result));
  g_autoptr (GAsyncResult) taken = ldb_test_wait (&result);
  g_assert_cmpuint (ldb_inspector_open_snapshot_finish (inspector, taken, &error), >, 0);
  ldb_inspector_request_control_async (inspector, NULL, KEEP (result));
  g_autoptr (GAsyncResult) asked = ldb_test_wait (&result);
  g_assert_true (ldb_inspector_request_control_finish (inspector, asked, &error));
  g_autoptr (GVariant) operations = g_variant_ref_sink (
      g_variant_new_parsed ("[('', [byte 0x62], [[byte 0x32]], false, @aay [])]"));
  ldb_inspector_commit_async (inspector, operations, NULL, KEEP (result));
  g_autoptr (GAsyncResult) committed = ldb_test_wait (&result);
  g_assert_cmpuint (ldb_inspector_commit_finish (inspector, committed, &error), ==, 2);
  g_assert_no_error (error);
  ldb_inspector_close (inspector);
  ldb_inspector_sync_async (inspector, NULL, KEEP (result));
  g_autoptr (GAsyncResult) late = ldb_test_wait (&result);
  g_assert_false (ldb_inspector_sync_finish (inspector, late, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "ended");
}

/* One that is stopped is waited for, until it goes on or the caller gives up. */
static void
test_stopped (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL, other = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (LdbInspector) inspector = inspect (application);
  LdbRunningDatabase *running = ldb_inspector_get_running_database (inspector);
  application_stop (application);
  ldb_inspector_open_async (running, cancellable, KEEP (result));
  ldb_inspector_list_stores_async (inspector, NULL, KEEP (other));
  run_for (50);
  g_assert_null (result);
  g_assert_null (other);
  g_cancellable_cancel (cancellable);
  g_autoptr (GAsyncResult) cancelled = ldb_test_wait (&result);
  g_assert_null (ldb_inspector_open_finish (cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  kill (application->process, SIGCONT);
  g_autoptr (GAsyncResult) listed = ldb_test_wait (&other);
  g_auto (GStrv) names = ldb_inspector_list_stores_finish (inspector, listed, &error);
  g_assert_no_error (error);
  g_assert_nonnull (names);
}

/* ---- the end ---- */

static void
count (GObject *object, guint *ended)
{
  ++*ended;
}

static void
test_ended (Application *application, gconstpointer data)
{
  guint ended = 0;
  g_autoptr (GError) error = NULL;
  tell (application, "open 1");
  g_autoptr (LdbInspector) inspector = inspect (application);
  g_signal_connect (inspector, "ended", G_CALLBACK (count), &ended);
  tell (application, "close 0");
  wait_until (ended == 1);
  g_assert_true (ldb_inspector_is_closed (inspector));
  g_assert_null (ldb_inspector_get_stats (inspector, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "ended");
  tell (application, "open 0");
  g_autoptr (LdbInspector) again = inspect (application);
  g_autoptr (LdbRunningDatabase) running
      = g_object_ref (ldb_inspector_get_running_database (again));
  g_signal_connect (again, "ended", G_CALLBACK (count), &ended);
  application_kill (application);
  wait_until (ended == 2);
  g_assert_null (ldb_inspector_open (running, NULL, &error));
  g_assert_nonnull (error);
}

static void
add_tests (void)
{
  g_test_add_func ("/inspector/list", test_list);
  g_test_add_func ("/inspector/sandbox", test_sandbox);
  g_test_add_func ("/inspector/pretender", test_pretender);
  g_test_add_func ("/inspector/counters", test_counters);
  add_look ("/inspector/no-counters", test_no_counters);
  add_look ("/inspector/look", test_look);
  add_look ("/inspector/activity", test_activity);
  add_look ("/inspector/read", test_read);
  add_look ("/inspector/get", test_get);
  add_look ("/inspector/changes", test_changes);
  add_look ("/inspector/control", test_control);
  add_look ("/inspector/progress", test_progress);
  add_look ("/inspector/cancelled", test_cancelled);
  add_look ("/inspector/health", test_health);
  add_look ("/inspector/async", test_async);
  add_look ("/inspector/stopped", test_stopped);
  add_look ("/inspector/ended", test_ended);
}

int
main (int argc, char **argv)
{
  return running_application_main (argc, argv, add_tests);
}
