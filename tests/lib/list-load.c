/* SPDX-License-Identifier: MIT */
/*
 * What a list costs, measured by hand:
 *
 *   list-load --directory DIR [--rows N] [--cache MEGABYTES] [--reverse]
 *
 * Prints how soon the first rows are there and when all are, how long the main loop's turns take
 * meanwhile, what memory the list takes beside the cache, how long a random row takes that is
 * cached, beside it how long a few loads from memory take on this machine at the same time, and what
 * steps with one change and with many cost: signals, and the main loop's longest turn.
 */
#include "ldb-test.h"

#include <malloc.h>
#include <string.h>

static gint rows_wanted = 1000000, cache_megabytes = 1024;
static char *directory = NULL;
static gboolean reverse = FALSE;

static gint64 longest; /* turn of the main loop, microseconds */

static gboolean
turn (gboolean block)
{
  while (block && !g_main_context_pending (NULL))
    g_usleep (20);
  gint64 begun = g_get_monotonic_time ();
  gboolean done = g_main_context_iteration (NULL, FALSE);
  longest = MAX (longest, g_get_monotonic_time () - begun);
  return done;
}

static gsize
allocated (void)
{
  struct mallinfo2 info = mallinfo2 ();
  return info.uordblks + info.hblkhd;
}

static void
make_key (guint number, char to[24])
{
  g_snprintf (to, 24, "contact:%010u", number);
}

static void
load (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < (guint) rows_wanted; i++)
    {
      char key[24], value[64];
      make_key (2 * i, key);
      g_snprintf (value, sizeof value, "%08x: a name, a town and a number %u", i * 2654435761u, i);
      ldb_loader_put (loader, NULL, key, strlen (key), value, strlen (value), &error);
      g_assert_no_error (error);
    }
  ldb_loader_commit (loader, NULL, &error);
  g_assert_no_error (error);
}

static LdbListModel *
fill (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  gsize before = allocated ();
  gint64 begun = g_get_monotonic_time (), first = 0;
  LdbListModel *list
      = ldb_list_model_new (db, NULL, NULL, 0, NULL, 0, reverse ? LDB_LIST_REVERSE : LDB_LIST_NONE,
                            LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  gint64 made = g_get_monotonic_time ();
  longest = 0;
  guint at_once = g_list_model_get_n_items (G_LIST_MODEL (list));
  while (ldb_list_model_get_pending (list))
    {
      turn (TRUE);
      if (first == 0 && g_list_model_get_n_items (G_LIST_MODEL (list)) > 0)
        first = g_get_monotonic_time ();
    }
  gint64 all = g_get_monotonic_time ();
  g_print ("made in %" G_GINT64_FORMAT
           " us with %u rows; the first ones after %.1f ms, all %u after "
           "%.0f ms; longest turn meanwhile %" G_GINT64_FORMAT " us\n",
           made - begun, at_once, at_once > 0 ? 0.0 : (double) (first - begun) / 1000,
           g_list_model_get_n_items (G_LIST_MODEL (list)), (double) (all - begun) / 1000, longest);
  g_print ("memory of the list: %.1f MB (limit 64)\n",
           ((double) allocated () - (double) before) / (1 << 20));
  return list;
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return (left > right) - (left < right);
}

#define RANDOM_ROWS 10000

/* Microseconds that this thread has run: what it waited for others on a busy machine is not in it. */
static double
thread_time (void)
{
  struct timespec now;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double) now.tv_sec * 1e6 + (double) now.tv_nsec / 1e3;
}

static void
print_times (const char *what, double *times)
{
  double sum = 0;
  guint above = 0;
  for (guint i = 0; i < RANDOM_ROWS; i++)
    {
      sum += times[i];
      above += times[i] > 100;
    }
  qsort (times, RANDOM_ROWS, sizeof *times, compare_times);
  g_print ("%s: %.1f us on average, P50 %.1f, P99 %.1f, P99.9 %.1f, most %.1f; above 100 us: %u of "
           "%u, %.2f in a millisecond\n",
           what, sum / RANDOM_ROWS, times[RANDOM_ROWS / 2], times[RANDOM_ROWS * 99 / 100],
           times[RANDOM_ROWS * 999 / 1000], times[RANDOM_ROWS - 1], above, RANDOM_ROWS,
           above / sum * 1000);
}

#define LOADS 25
#define LOADS_MEMORY (120u << 20)

/* What the machine itself does to whoever reads memory: as little work as can be. */
static guint
load_somewhere (const guint8 *memory, GRand *random)
{
  guint sum = 0;
  for (guint i = 0; i < LOADS; i++)
    sum += memory[g_rand_int (random) % LOADS_MEMORY];
  return sum;
}

/* Rows anywhere, each twice: the second time what it needs is cached. */
static void
read_rows (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (9);
  g_autoptr (LdbListModel) list = ldb_list_model_new (
      db, NULL, NULL, 0, NULL, 0, LDB_LIST_BLOCKING | (reverse ? LDB_LIST_REVERSE : LDB_LIST_NONE),
      LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  while (ldb_list_model_get_pending (list))
    turn (TRUE);
  g_autofree guint *places = g_new (guint, RANDOM_ROWS);
  g_autofree double *times = g_new (double, RANDOM_ROWS);
  g_autofree double *run_times = g_new (double, RANDOM_ROWS);
  g_autofree double *load_times = g_new (double, RANDOM_ROWS);
  g_autofree guint8 *memory = g_malloc (LOADS_MEMORY);
  guint sum = 0;
  memset (memory, 1, LOADS_MEMORY);
  guint rows = g_list_model_get_n_items (G_LIST_MODEL (list));
  for (guint i = 0; i < RANDOM_ROWS; i++)
    places[i] = (guint) g_rand_int_range (random, 0, (gint32) rows);
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < RANDOM_ROWS; i++)
      {
        gint64 begun = g_get_monotonic_time ();
        double run = thread_time ();
        g_autoptr (LdbEntry) entry = g_list_model_get_item (G_LIST_MODEL (list), places[i]);
        run_times[i] = thread_time () - run;
        times[i] = (double) (g_get_monotonic_time () - begun);
        g_assert_true (ldb_entry_get_loaded (entry));
        run = thread_time ();
        sum += load_somewhere (memory, random);
        load_times[i] = thread_time () - run;
      }
  g_assert_cmpuint (sum, ==, 2 * RANDOM_ROWS * LOADS);
  print_times ("a random row that is cached, by the clock (limit 100)", times);
  print_times ("the same, run time of the thread (limit 100)", run_times);
  print_times ("beside each, 25 loads from 120 MB of memory, run time", load_times);
}

static void
count_signal (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  guint *signals = data;
  *signals += 1;
}

/* So many new keys anywhere in one commit, and a view's worth of rows held. */
static void
step (LdbDatabase *db, LdbListModel *list, guint changes, guint number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  LdbEntry *held[200];
  guint signals = 0, rows = g_list_model_get_n_items (G_LIST_MODEL (list));
  guint first = rows / 3;
  for (guint i = 0; i < G_N_ELEMENTS (held); i++)
    held[i] = g_list_model_get_item (G_LIST_MODEL (list), first + i);
  for (guint i = 0; i < changes; i++)
    {
      char key[40];
      make_key ((guint) ((guint64) i * 2 * (guint) rows_wanted / changes), key);
      g_snprintf (key + strlen (key), 12, ".%u", number);
      ldb_batch_put_string (batch, NULL, key, "new", &error);
    }
  while (turn (FALSE))
    ;
  gulong handler = g_signal_connect (list, "items-changed", G_CALLBACK (count_signal), &signals);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_assert_no_error (error);
  longest = 0;
  gint64 begun = g_get_monotonic_time ();
  while (ldb_list_model_get_sequence (list) < ldb_database_get_sequence (db))
    turn (TRUE);
  g_print ("%6u new keys: shown after %6.1f ms in %3u signals; longest turn %" G_GINT64_FORMAT
           " us\n",
           changes, (double) (g_get_monotonic_time () - begun) / 1000, signals, longest);
  g_signal_handler_disconnect (list, handler);
  for (guint i = 0; i < G_N_ELEMENTS (held); i++)
    g_object_unref (held[i]);
}

static void
measure (const char *path)
{
  static const guint sizes[] = { 1, 10, 32, 100, 1000, 10000, 50000 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, (guint64) cache_megabytes << 20);
  LdbDatabase *db = ldb_database_open (path, LDB_OPEN_CREATE, options, NULL, &error);
  g_assert_no_error (error);
  load (db);
  ldb_database_close (db, NULL, &error);
  g_object_unref (db);
  db = ldb_database_open (path, LDB_OPEN_NONE, options, NULL, &error);
  g_assert_no_error (error);
  LdbListModel *list = fill (db);
  read_rows (db);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint round = 0; round < 3; round++)
      step (db, list, sizes[i], 3 * i + round);
  g_object_unref (list);
  ldb_database_close (db, NULL, &error);
  g_object_unref (db);
}

int
main (int argc, char **argv)
{
  GOptionEntry entries[] = {
    { "directory", 0, 0, G_OPTION_ARG_FILENAME, &directory, "Where, on a disk", "DIR" },
    { "rows", 0, 0, G_OPTION_ARG_INT, &rows_wanted, "How many", "N" },
    { "cache", 0, 0, G_OPTION_ARG_INT, &cache_megabytes, "The database's cache", "MEGABYTES" },
    { "reverse", 0, 0, G_OPTION_ARG_NONE, &reverse, "From the greatest key down", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || directory == NULL)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "list-load --directory DIR");
      return 2;
    }
  g_autofree char *made = g_build_filename (directory, "list-load-XXXXXX", NULL);
  if (g_mkdtemp (made) == NULL)
    {
      g_printerr ("%s: %s\n", directory, g_strerror (errno));
      return 1;
    }
  g_autofree char *path = g_build_filename (made, "database", NULL);
  measure (path);
  ldb_test_remove (made);
  return 0;
}
