/* SPDX-License-Identifier: MIT */
/* Load tests of the inspector: what is planned, done, kept and cleaned up. */
#include <glib/gstdio.h>
#include <string.h>

#include "insp-load-copy.h"
#include "insp-load-records.h"
#include "insp-load-test.h"
#include "insp-scratch.h"

static InspLoadPlan
small_plan (void)
{
  InspLoadPlan plan;
  insp_load_plan_init (&plan);
  plan.records = INSP_LOAD_RECORDS_LEAST;
  plan.seconds = 1;
  return plan;
}

/* ---- plans ---- */

static void
test_plans (void)
{
  InspLoadPlan plan;
  insp_load_plan_init (&plan);
  g_assert_null (insp_load_plan_check (&plan));
  for (guint i = 0; mix_presets[i].row != NULL; i++)
    {
      insp_load_plan_set_preset (&plan, i);
      g_assert_cmpint (insp_load_plan_find_preset (&plan), ==, (int) i);
      g_assert_cmpstr (insp_load_plan_name (&plan), ==, workload_find (mix_presets[i].row)->title);
    }
  plan.shares[MIX_SCAN] = 3;
  g_assert_cmpint (insp_load_plan_find_preset (&plan), ==, -1);
  g_assert_cmpstr (insp_load_plan_name (&plan), ==, "own mix");
  memset (plan.shares, 0, sizeof plan.shares);
  g_assert_nonnull (insp_load_plan_check (&plan));
  plan = small_plan ();
  plan.threads = INSP_LOAD_THREADS_MOST + 1;
  g_assert_nonnull (insp_load_plan_check (&plan));
}

/* ---- runs and records ---- */

static InspLoadRun *
make_run (gint64 time)
{
  InspLoadPlan plan = small_plan ();
  InspLoadRun *run = insp_load_run_new (time, "/srv/a \"quoted\" folder", &plan);
  run->seconds = 2;
  run->kinds[MIX_GET] = (InspLoadFigures){ 800, 300, 900, 5000, 70000 };
  run->kinds[MIX_PUT] = (InspLoadFigures){ 200, 1300, 1900, 15000, 80000 };
  run->disk = 123;
  return run;
}

static void
test_runs (void)
{
  g_autoptr (InspLoadRun) run = make_run (1000000);
  g_autoptr (GVariant) variant = g_variant_ref_sink (insp_load_run_to_variant (run));
  g_autoptr (InspLoadRun) again = insp_load_run_new_from_variant (variant);
  g_assert_nonnull (again);
  g_assert_cmpstr (again->copy_of, ==, run->copy_of);
  g_assert_cmpmem (&again->plan, sizeof again->plan, &run->plan, sizeof run->plan);
  g_assert_cmpmem (again->kinds, sizeof again->kinds, run->kinds, sizeof run->kinds);
  g_assert_cmpfloat (insp_load_run_get_rate (again), ==, 500);
  g_assert_cmpuint (again->disk, ==, 123);
  g_autoptr (GVariant) nothing = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  g_assert_null (insp_load_run_new_from_variant (nothing));

  g_autoptr (GPtrArray) runs = g_ptr_array_new ();
  g_ptr_array_add (runs, run);
  g_autofree char *csv = insp_load_runs_to_csv (runs);
  g_auto (GStrv) lines = g_strsplit (csv, "\r\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4); /* heading, reads, writes, the end */
  g_assert_cmpstr (lines[1], ==,
                   "1970-01-01T00:00:01Z,\"/srv/a \"\"quoted\"\" folder\",1000,100,2,evenly,0,0,"
                   "2.000000,reads,80,800,400.000000,300,900,5000,70000,0");
  g_autofree char *json = insp_load_runs_to_json (runs);
  g_assert_nonnull (strstr (json, "\"copy_of\": \"/srv/a \\\"quoted\\\" folder\""));
  g_assert_nonnull (strstr (json, "\"writes\": {\"share\": 20, \"operations\": 200, "
                                  "\"p50_ns\": 1300, \"p99_ns\": 1900"));
}

static void
test_records (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (InspLoadRecords) records = insp_load_records_new ();
  GListModel *list = G_LIST_MODEL (insp_load_records_get_list (records));
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 0);
  for (guint i = 1; i <= INSP_LOAD_RECORDS_KEPT + 5; i++)
    {
      insp_load_records_add (records, make_run (i * 1000), &error);
      g_assert_no_error (error);
    }
  insp_load_records_add (records, make_run (7000), &error); /* somebody else's of the same time */
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, INSP_LOAD_RECORDS_KEPT);

  g_autoptr (InspLoadRecords) others = insp_load_records_new ();
  g_autoptr (GPtrArray) runs = insp_load_records_list (others);
  g_assert_cmpuint (runs->len, ==, INSP_LOAD_RECORDS_KEPT);
  for (guint i = 1; i < runs->len; i++)
    g_assert_cmpint (((InspLoadRun *) runs->pdata[i - 1])->time, >,
                     ((InspLoadRun *) runs->pdata[i])->time);
  g_assert_nonnull (insp_load_records_find (others, 55000));
  g_assert_true (insp_load_records_remove (others, 55000, &error));
  insp_load_records_read (records);
  g_assert_null (insp_load_records_find (records, 55000));

  /* A damaged file is as none. */
  g_autofree char *path
      = g_build_filename (g_get_user_data_dir (), "lightning-inspector", "load-tests", NULL);
  g_assert_true (g_file_set_contents (path, "\1\2\3 not a list of anything", -1, NULL));
  insp_load_records_read (records);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 0);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* ---- scratch folders ---- */

static guint
count_scratch (void)
{
  g_autofree char *root = insp_scratch_get_root ();
  g_autoptr (GDir) dir = g_dir_open (root, 0, NULL);
  guint count = 0;
  while (dir != NULL && g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

static void
test_scratch (void)
{
  g_autoptr (GError) error = NULL;
  InspScratch *scratch = insp_scratch_new ("data", &error),
              *living = insp_scratch_new ("data", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (insp_scratch_get_room (scratch), >, 0);
  g_autofree char *below = g_build_filename (insp_scratch_get_path (scratch), "below", NULL);
  g_autofree char *file = g_build_filename (below, "file", NULL);
  g_autofree char *link = g_build_filename (below, "link", NULL);
  g_autofree char *root = insp_scratch_get_root ();
  g_autofree char *foreign = g_build_filename (root, "database-foreign", NULL);
  g_autofree char *kept = g_build_filename (foreign, "kept", NULL);
  g_assert_cmpint (g_mkdir_with_parents (below, 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  /* What is no folder of ours stays, also when one of ours points there. */
  g_assert_cmpint (g_mkdir (foreign, 0700), ==, 0);
  g_assert_true (g_file_set_contents (kept, "x", 1, NULL));
  g_autoptr (GFile) link_file = g_file_new_for_path (link);
  g_assert_true (g_file_make_symbolic_link (link_file, foreign, NULL, NULL));
  g_assert_cmpuint (insp_scratch_sweep (), ==, 0);
  insp_scratch_abandon (scratch);
  g_assert_cmpuint (insp_scratch_sweep (), ==, 1);
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (count_scratch (), ==, 2); /* the foreign one, and the one that lives */
  insp_scratch_free (living);
  g_assert_cmpuint (count_scratch (), ==, 1);
  g_unlink (kept);
  g_rmdir (foreign);
}

/* ---- tests ---- */

static void
wait_until (InspLoadTest *test, InspLoadPhase phase)
{
  while (insp_load_test_get_phase (test) < phase)
    g_main_context_iteration (NULL, TRUE);
}

static InspLoadRun *
run_to_end (InspLoadTest *test, const InspLoadPlan *plan, const char *copy_of)
{
  insp_load_test_start (test, plan, copy_of);
  wait_until (test, INSP_LOAD_DONE);
  g_assert_no_error (insp_load_test_get_error (test));
  g_assert_cmpstr (insp_load_test_get_wrong (test), ==, NULL);
  g_assert_cmpuint (count_scratch (), ==, 0);
  InspLoadRun *run = insp_load_test_take_run (test);
  g_assert_nonnull (run);
  g_assert_cmpuint (run->wrong, ==, 0);
  return run;
}

static void
check_figures (const InspLoadRun *run)
{
  for (guint i = 0; i < MIX_KINDS; i++)
    if (run->plan.shares[i] == 0)
      g_assert_cmpuint (run->kinds[i].operations, ==, 0);
    else
      {
        const InspLoadFigures *its = &run->kinds[i];
        g_assert_cmpuint (its->operations, >, 0);
        g_assert_cmpuint (its->median, >, 0);
        g_assert_true (its->median <= its->p99 && its->p99 <= its->p999
                       && its->p999 <= its->longest);
      }
}

static void
test_every_kind (void)
{
  g_autoptr (InspLoadTest) test = insp_load_test_new ();
  for (enum mix_order order = MIX_EVENLY; order < MIX_ORDERS; order++)
    {
      InspLoadPlan plan = small_plan ();
      plan.threads = 3;
      plan.order = order;
      for (guint i = 0; i < MIX_KINDS; i++)
        plan.shares[i] = 10 + i;
      g_autoptr (InspLoadRun) run = run_to_end (test, &plan, NULL);
      check_figures (run); /* deletes among them */
      g_assert_false (run->stopped);
      g_assert_cmpuint (run->disk, >, 0);
      /* What was followed ends with what came of it. */
      InspHistory *history = insp_load_test_get_history (test);
      guint64 end = insp_history_get_end (history);
      g_assert_cmpuint (end - insp_history_get_first (history), >, 1);
      for (guint i = 0; i < MIX_KINDS; i++)
        g_assert_cmpint (insp_history_get_value (history, end - 1,
                                                 insp_history_find (history, mix_kind_names[i].id)),
                         ==, (gint64) run->kinds[i].operations);
    }
}

static void
test_durable (void)
{
  g_autoptr (InspLoadTest) test = insp_load_test_new ();
  InspLoadPlan plan = small_plan ();
  memset (plan.shares, 0, sizeof plan.shares);
  plan.shares[MIX_PUT] = 1;
  plan.durable = TRUE;
  plan.value_size = 10000;
  g_autoptr (InspLoadRun) run = run_to_end (test, &plan, NULL);
  check_figures (run);
}

static GHashTable *
contents_of (const char *path)
{
  GHashTable *files
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      char *contents;
      gsize length;
      if (g_file_get_contents (file, &contents, &length, NULL))
        g_hash_table_insert (files, g_strdup (name), g_bytes_new_take (contents, length));
    }
  return files;
}

static gboolean
progress (guint64 records, gpointer data)
{
  return TRUE;
}

/* A copy has all records of all stores; what it is made of stays as it is. */
static void
test_copy (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("inspector-load-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "live", NULL);
  g_autofree char *copy = g_build_filename (folder, "copy", NULL);
  g_autoptr (LdbDatabase) live = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LdbStore) other = ldb_database_open_store (live, "other", LDB_OPEN_CREATE, NULL, NULL);
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("%016u", i * 2); /* as the load's are */
      ldb_database_put_string (live, key, "live", NULL, NULL);
    }
  ldb_store_put_string (other, "k", "v", NULL, NULL);
  g_autoptr (GHashTable) before = contents_of (path);
  g_assert_true (insp_load_copy (path, copy, progress, NULL, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (LdbDatabase) copied = ldb_database_open (copy, LDB_OPEN_READ_ONLY, NULL, NULL, NULL);
  g_autoptr (LdbStore) store = ldb_database_open_store (copied, "other", LDB_OPEN_NONE, NULL, NULL);
  g_autofree char *last = ldb_database_get_string (copied, "0000000000001998", NULL, NULL);
  g_autofree char *value = ldb_store_get_string (store, "k", NULL, NULL);
  g_assert_cmpstr (last, ==, "live");
  g_assert_cmpstr (value, ==, "v");
  g_assert_true (ldb_database_close (copied, NULL, NULL));

  g_autoptr (InspLoadTest) test = insp_load_test_new ();
  InspLoadPlan plan = small_plan ();
  for (guint i = 0; i < MIX_KINDS; i++)
    plan.shares[i] = 1;
  g_autoptr (InspLoadRun) run = run_to_end (test, &plan, path);
  check_figures (run);
  g_assert_cmpstr (run->copy_of, ==, path);
  g_autoptr (GHashTable) after = contents_of (path);
  GHashTableIter iter;
  gpointer name, bytes;
  g_assert_cmpuint (g_hash_table_size (after), ==, g_hash_table_size (before));
  g_hash_table_iter_init (&iter, before);
  while (g_hash_table_iter_next (&iter, &name, &bytes))
    g_assert_true (g_hash_table_contains (after, name)
                   && g_bytes_equal (bytes, g_hash_table_lookup (after, name)));
  g_assert_true (ldb_database_close (live, NULL, NULL));
  g_clear_object (&other);

  /* Of a folder that is gone. */
  ldb_database_destroy (copy, NULL, NULL);
  ldb_database_destroy (path, NULL, NULL);
  insp_load_test_start (test, &plan, path);
  wait_until (test, INSP_LOAD_DONE);
  g_assert_nonnull (insp_load_test_get_error (test));
  g_assert_null (insp_load_test_take_run (test));
  g_assert_cmpuint (count_scratch (), ==, 0);
  g_rmdir (folder);
}

static void
test_stop (void)
{
  g_autoptr (InspLoadTest) test = insp_load_test_new ();
  InspLoadPlan plan = small_plan ();
  plan.seconds = INSP_LOAD_SECONDS_MOST;
  insp_load_test_start (test, &plan, NULL);
  while (insp_history_get_end (insp_load_test_get_history (test)) < 2)
    g_main_context_iteration (NULL, TRUE);
  insp_load_test_stop (test);
  wait_until (test, INSP_LOAD_DONE);
  g_autoptr (InspLoadRun) run = insp_load_test_take_run (test);
  g_assert_nonnull (run);
  g_assert_true (run->stopped);
  check_figures (run);
  g_assert_cmpuint (count_scratch (), ==, 0);
  /* While it is filled: there is nothing to tell. */
  plan.records = INSP_LOAD_RECORDS_MOST / 10;
  insp_load_test_start (test, &plan, NULL);
  insp_load_test_stop (test);
  wait_until (test, INSP_LOAD_DONE);
  g_assert_null (insp_load_test_take_run (test));
  g_assert_null (insp_load_test_get_error (test));
  g_assert_cmpuint (count_scratch (), ==, 0);
  /* Nobody holds it: it ends all the same. */
  insp_load_test_start (test, &plan, NULL);
  while (count_scratch () == 0)
    g_usleep (1000);
  g_clear_object (&test);
  while (count_scratch () > 0)
    g_usleep (1000);
}

static void
test_room (void)
{
  g_autoptr (InspLoadTest) test = insp_load_test_new ();
  InspLoadPlan plan = small_plan ();
  plan.records = INSP_LOAD_RECORDS_MOST;
  plan.value_size = INSP_LOAD_VALUE_MOST;
  insp_load_test_start (test, &plan, NULL);
  wait_until (test, INSP_LOAD_DONE);
  g_assert_error (insp_load_test_get_error (test), G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_null (insp_load_test_take_run (test));
  /* Where no folder can be made. */
  g_autofree char *root = insp_scratch_get_root ();
  g_rmdir (root);
  g_assert_true (g_file_set_contents (root, "", 0, NULL));
  insp_load_test_start (test, &plan, NULL);
  wait_until (test, INSP_LOAD_DONE);
  g_assert_error (insp_load_test_get_error (test), G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY);
  g_assert_nonnull (strstr (insp_load_test_get_error (test)->message, root));
  g_unlink (root);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/load/plans", test_plans);
  g_test_add_func ("/load/runs", test_runs);
  g_test_add_func ("/load/records", test_records);
  g_test_add_func ("/load/scratch", test_scratch);
  g_test_add_func ("/load/every-kind", test_every_kind);
  g_test_add_func ("/load/durable", test_durable);
  g_test_add_func ("/load/copy", test_copy);
  g_test_add_func ("/load/stop", test_stop);
  g_test_add_func ("/load/room", test_room);
  return g_test_run ();
}
