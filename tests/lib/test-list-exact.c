/* SPDX-License-Identifier: MIT */
/*
 * Two copies of a database, one kept by a watch and one by a list, while other threads commit at
 * random as fast as they can. Neither copy reads the database again: the watch's is made of the
 * changes it is told, the list's of its signals and of what its rows notify. At every checkpoint
 * both are what the database is, key for key and value for value; in between the validator holds
 * every signal against the list.
 *
 *   test-lib-list-exact [--commits N] [--checkpoint N] [--sequence-seed N] [--long]
 *
 * --long: ten million commits.
 */
#include "list-validator.h"
#include "watch-test.h"

#include <string.h>

#define WRITERS 2
#define KEYS 4000
#define LISTS 3

static gint64 commits_wanted = 60000;
static gint64 checkpoint = 10000;
static gint64 seed = 20241107;

/* A copy that a watch keeps. */
typedef struct
{
  LdbWatch *watch;  /* owned */
  GTree *records;   /* keys and values: GBytes */
  guint64 sequence; /* of the newest emission */
  guint64 told;     /* changes so far */
} Watched;

/* A copy that a list keeps: the validator has the rows, which hold key and value. */
typedef struct
{
  LdbListModel *list;       /* owned */
  ListValidator *validator; /* owned */
  guint64 signals;          /* so far */
} Listed;

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  return g_bytes_compare (a, b);
}

/* ---- the watch's copy ---- */

static gboolean
collect_range (gpointer key, gpointer value, gpointer data)
{
  g_ptr_array_add (data, g_bytes_ref (key));
  return FALSE;
}

static void
remove_range (GTree *records, GBytes *start, GBytes *end)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_tree_foreach (records, collect_range, all);
  for (guint i = 0; i < all->len; i++)
    {
      GBytes *key = g_ptr_array_index (all, i);
      if ((start == NULL || g_bytes_compare (key, start) >= 0)
          && (end == NULL || g_bytes_compare (key, end) < 0))
        g_tree_remove (records, key);
    }
}

static void
read_again (Watched *watched, LdbChangeSet *changes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  g_autoptr (LdbCursor) cursor
      = ldb_snapshot_scan (snapshot, NULL, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  g_assert_no_error (error);
  g_tree_remove_all (g_tree_ref (watched->records)); /* which gives a reference up */
  while (ldb_cursor_next (cursor, NULL, &error))
    g_tree_insert (watched->records, ldb_cursor_get_key (cursor),
                   ldb_cursor_get_value (cursor, NULL, &error));
  g_assert_no_error (error);
}

static void
apply (Watched *watched, LdbChange *change)
{
  GBytes *key = ldb_change_get_key (change);
  if (ldb_change_get_kind (change) == LDB_CHANGE_PUT)
    g_tree_insert (watched->records, own_copy (key), own_copy (ldb_change_get_value (change)));
  else if (ldb_change_get_kind (change) == LDB_CHANGE_DELETE)
    g_assert_true (g_tree_remove (watched->records, key));
  else
    remove_range (watched->records, key, ldb_change_get_end (change));
}

static void
changed (LdbWatch *watch, LdbChangeSet *changes, Watched *watched)
{
  guint count = ldb_change_set_get_n_changes (changes);
  watched->sequence = ldb_change_set_get_sequence (changes);
  watched->told += count;
  if (ldb_change_set_get_resync (changes))
    {
      read_again (watched, changes);
      return;
    }
  for (guint i = 0; i < count; i++)
    apply (watched, ldb_change_set_get_change (changes, i));
}

static void
begin_watch (Watched *watched, LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  watched->records = g_tree_new_full (compare_keys, NULL, (GDestroyNotify) g_bytes_unref,
                                      (GDestroyNotify) g_bytes_unref);
  watched->watch = ldb_database_watch_all (db, LDB_WATCH_VALUES, &error);
  g_assert_no_error (error);
  g_signal_connect (watched->watch, "changed", G_CALLBACK (changed), watched);
}

/* ---- the lists' copies ---- */

static void
begin_list (Listed *listed, LdbDatabase *db, guint number)
{
  g_autoptr (GError) error = NULL;
  gboolean reverse = number == 1;
  listed->list = ldb_list_model_new (
      db, NULL, NULL, 0, NULL, 0, LDB_LIST_BLOCKING | (reverse ? LDB_LIST_REVERSE : LDB_LIST_NONE),
      LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  ldb_list_model_set_batch_interval (listed->list, number == 2 ? 16 : 0);
  listed->validator
      = list_validator_new (G_LIST_MODEL (listed->list), reverse,
                            LIST_VALIDATOR_HOLD | LIST_VALIDATOR_SPANS | LIST_VALIDATOR_SOME);
}

/* ---- checkpoints ---- */

static gboolean
same (GBytes *a, GBytes *b)
{
  return a != NULL && b != NULL && g_bytes_equal (a, b);
}

static void
check_row (Listed *listed, guint position, GBytes *key, GBytes *value)
{
  gboolean reverse = (ldb_list_model_get_flags (listed->list) & LDB_LIST_REVERSE) != 0;
  guint rows = list_validator_get_n_rows (listed->validator);
  g_assert_cmpuint (position, <, rows);
  LdbEntry *row = LDB_ENTRY (
      list_validator_get_item (listed->validator, reverse ? rows - 1 - position : position));
  if (!same (ldb_entry_get_key (row), key) || !same (ldb_entry_get_value (row), value))
    g_error ("row %u of a list is not what the database has (--sequence-seed %" G_GINT64_FORMAT ")",
             position, seed);
}

static void
check (LdbDatabase *db, Watched *watched, Listed *lists)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  g_assert_no_error (error);
  guint rows = 0;
  for (; ldb_cursor_next (cursor, NULL, &error); rows++)
    {
      g_autoptr (GBytes) key = ldb_cursor_get_key (cursor);
      g_autoptr (GBytes) value = ldb_cursor_get_value (cursor, NULL, &error);
      if (!same (g_tree_lookup (watched->records, key), value))
        g_error ("the watch's copy is not what the database is (--sequence-seed %" G_GINT64_FORMAT
                 ")",
                 seed);
      for (guint i = 0; i < LISTS; i++)
        check_row (&lists[i], rows, key, value);
    }
  g_assert_no_error (error);
  g_assert_cmpint (g_tree_nnodes (watched->records), ==, rows);
  for (guint i = 0; i < LISTS; i++)
    {
      g_assert_cmpuint (list_validator_get_n_rows (lists[i].validator), ==, rows);
      list_validator_check (lists[i].validator);
      g_autoptr (GArray) signals = list_validator_take_signals (lists[i].validator);
      lists[i].signals += signals->len;
    }
}

/* ---- writers ---- */

typedef struct
{
  LdbDatabase *db; /* borrowed */
  guint commits;   /* to be made */
  guint32 seed;    /* of its choices */
} Writer;

static gint writing; /* writers that are at it; atomic */

static void
random_key (GRand *random, char key[8])
{
  g_snprintf (key, 8, "k%04u", (guint) g_rand_int_range (random, 0, KEYS));
}

static void
commit (LdbDatabase *db, GRand *random)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  char key[8], value[16];
  gint kind = g_rand_int_range (random, 0, 2000), count = kind < 1600 ? 1 : kind < 1990 ? 4 : 60;
  random_key (random, key);
  if (kind == 1999)
    {
      char end[8];
      g_snprintf (end, sizeof end, "k%04u", (guint) atoi (key + 1) + 150);
      ldb_batch_delete_range (batch, NULL, key, 5, end, strlen (end), &error);
      count = 0;
    }
  for (; count > 0; count--)
    {
      random_key (random, key);
      g_snprintf (value, sizeof value, "%u", g_rand_int (random) % 100);
      if (g_rand_int_range (random, 0, 100) < 40)
        ldb_batch_delete_string (batch, NULL, key, &error);
      else
        ldb_batch_put_string (batch, NULL, key, value, &error);
    }
  g_assert_no_error (error);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_assert_no_error (error);
}

static gpointer
write_all (gpointer data)
{
  Writer *writer = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (writer->seed);
  for (guint i = 0; i < writer->commits; i++)
    {
      commit (writer->db, random);
      /* Without a rest for those who follow there would be few large steps only. */
      if (g_rand_int_range (random, 0, 100) == 0)
        g_usleep ((gulong) g_rand_int_range (random, 0, 1000));
    }
  g_atomic_int_dec_and_test (&writing);
  return NULL;
}

static gboolean
are_there (Watched *watched, Listed *lists, guint64 sequence)
{
  for (guint i = 0; i < LISTS; i++)
    if (ldb_list_model_get_sequence (lists[i].list) < sequence)
      return FALSE;
  return watched->sequence >= sequence;
}

/* So many commits, and one more that everybody is told of. */
static void
write_and_check (LdbDatabase *db, Watched *watched, Listed *lists, guint round)
{
  GThread *threads[WRITERS];
  Writer writers[WRITERS];
  g_autofree char *mark = g_strdup_printf ("%u", round);
  g_atomic_int_set (&writing, WRITERS);
  for (guint i = 0; i < WRITERS; i++)
    {
      writers[i]
          = (Writer){ db, (guint) (checkpoint / WRITERS), (guint32) (seed + 16 * round + i) };
      threads[i] = g_thread_new ("writer", write_all, &writers[i]);
    }
  while (g_atomic_int_get (&writing) > 0)
    run_for (1);
  for (guint i = 0; i < WRITERS; i++)
    g_thread_join (threads[i]);
  put (db, "mark", mark);
  guint64 sequence = ldb_database_get_sequence (db);
  while (!are_there (watched, lists, sequence))
    g_main_context_iteration (NULL, TRUE);
  check (db, watched, lists);
}

static void
test_exact (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Watched watched = { NULL };
  Listed lists[LISTS] = { { NULL } };
  g_object_unref (ldb_batch_new ()); /* so that no two threads make the class at once */
  begin_watch (&watched, db);
  for (guint i = 0; i < LISTS; i++)
    begin_list (&lists[i], db, i);
  guint rounds = (guint) ((commits_wanted + checkpoint - 1) / checkpoint);
  for (guint round = 0; round < rounds; round++)
    write_and_check (db, &watched, lists, round);
  g_test_message ("%u checkpoints, %" G_GUINT64_FORMAT
                  " commits; the watch was told %" G_GUINT64_FORMAT
                  " changes, the lists gave %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
                  " and %" G_GUINT64_FORMAT " signals",
                  rounds, ldb_database_get_sequence (db), watched.told, lists[0].signals,
                  lists[1].signals, lists[2].signals);
  for (guint i = 0; i < LISTS; i++)
    {
      list_validator_free (lists[i].validator);
      g_object_unref (lists[i].list);
    }
  g_object_unref (watched.watch);
  g_tree_unref (watched.records);
  g_assert_true (ldb_database_close (db, NULL, NULL));
}

int
main (int argc, char **argv)
{
  gboolean is_long = FALSE;
  GOptionEntry entries[] = {
    { "commits", 0, 0, G_OPTION_ARG_INT64, &commits_wanted, "How many", "N" },
    { "checkpoint", 0, 0, G_OPTION_ARG_INT64, &checkpoint, "Commits from one to the next", "N" },
    { "sequence-seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Of all that is random", "N" },
    { "long", 0, 0, G_OPTION_ARG_NONE, &is_long, "Ten million commits", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_test_init (&argc, &argv, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  if (is_long)
    commits_wanted = 10000000;
  add_test ("/list/exact", test_exact);
  return g_test_run ();
}
