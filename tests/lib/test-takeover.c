/* SPDX-License-Identifier: MIT */
/*
 * A handle that reads beside another process takes over when that ends, however it ends: what
 * follows the database by it misses nothing and is told nothing twice, what holds a state goes on
 * to see that, and what is begun afterwards writes.
 */
#include "list-validator.h"
#include "other-process.h"

#include <glib/gstdio.h>

/* ---- a replica ---- */

/* All that follows the database through one handle. */
typedef struct
{
  LdbDatabase *db;          /* owned */
  LdbWatch *watch;          /* owned */
  GHashTable *rows;         /* key to value, kept by the watch; owned */
  guint64 sequence;         /* of the newest emission */
  guint told;               /* changes so far */
  guint resyncs;            /* emissions so far that were such */
  LdbListModel *list;       /* owned */
  ListValidator *validator; /* of the list; owned */
  LdbEntry *entry;          /* on "mark"; owned */
  guint role_told;          /* notifications of read-only */
} Replica;

/* A change is one only if it changes something: one that is told twice, or one that lacks what came
 * before it, is none. */
static void
apply (Replica *self, LdbChange *change)
{
  GBytes *key = ldb_change_get_key (change), *value = ldb_change_get_value (change);
  g_autofree char *name = g_strndup (g_bytes_get_data (key, NULL), g_bytes_get_size (key));
  self->told++;
  if (ldb_change_get_kind (change) == LDB_CHANGE_PUT)
    {
      g_autofree char *text = g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value));
      g_assert_cmpstr (g_hash_table_lookup (self->rows, name), !=, text);
      g_hash_table_insert (self->rows, g_steal_pointer (&name), g_steal_pointer (&text));
    }
  else
    {
      g_assert_cmpint (ldb_change_get_kind (change), ==, LDB_CHANGE_DELETE);
      g_assert_true (g_hash_table_remove (self->rows, name));
    }
}

static void
keep_up (LdbWatch *watch, LdbChangeSet *changes, Replica *self)
{
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  g_assert_cmpuint (ldb_change_set_get_sequence (changes), >, self->sequence);
  self->sequence = ldb_change_set_get_sequence (changes);
  g_assert_cmpuint (ldb_snapshot_get_sequence (snapshot), ==, self->sequence);
  if (ldb_change_set_get_resync (changes))
    {
      g_hash_table_unref (self->rows);
      self->rows = read_all (snapshot);
      self->resyncs++;
      return;
    }
  for (guint i = 0; i < ldb_change_set_get_n_changes (changes); i++)
    apply (self, ldb_change_set_get_change (changes, i));
}

static void
count_role (LdbDatabase *db, GParamSpec *pspec, Replica *self)
{
  g_assert_false (ldb_database_is_read_only (db));
  self->role_told++;
}

static void
replica_init (Replica *self, Place *place)
{
  g_autoptr (GError) error = NULL;
  *self = (Replica){ .db = open_reader (place) };
  self->watch = ldb_database_watch_all (self->db, LDB_WATCH_VALUES | LDB_WATCH_EACH_KEY, &error);
  g_assert_no_error (error);
  /* A state of between the watch's beginning and now would be told of again. */
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (self->db, &error);
  g_assert_no_error (error);
  self->rows = read_all (snapshot);
  self->sequence = ldb_snapshot_get_sequence (snapshot);
  g_signal_connect (self->watch, "changed", G_CALLBACK (keep_up), self);
  g_signal_connect (self->db, "notify::read-only", G_CALLBACK (count_role), self);
  self->list = ldb_list_model_new (self->db, NULL, NULL, 0, NULL, 0, LDB_LIST_BLOCKING,
                                   LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  wait_until (!ldb_list_model_get_pending (self->list));
  self->validator
      = list_validator_new (G_LIST_MODEL (self->list), FALSE,
                            LIST_VALIDATOR_HOLD | LIST_VALIDATOR_SPANS | LIST_VALIDATOR_SOME);
  self->entry = ldb_database_watch_entry (self->db, "mark", 4, &error);
  g_assert_no_error (error);
}

static void
replica_clear (Replica *self)
{
  g_clear_pointer (&self->validator, list_validator_free);
  g_clear_object (&self->list);
  g_clear_object (&self->entry);
  g_clear_object (&self->watch);
  g_clear_object (&self->db);
  g_clear_pointer (&self->rows, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Replica, replica_clear)

/* Puts a mark behind all that was committed; when everybody has told of that, the watch's copy, the
 * list and the database are the same. */
static void
check (Replica *self, const char *mark)
{
  g_autoptr (GError) error = NULL;
  put (self->db, "mark", mark);
  guint64 last = ldb_database_get_sequence (self->db);
  wait_until (g_strcmp0 (g_hash_table_lookup (self->rows, "mark"), mark) == 0
              && ldb_list_model_get_sequence (self->list) >= last);
  g_autofree char *text = NULL;
  wait_until ((g_free (text), g_strcmp0 (text = ldb_entry_dup_text (self->entry), mark) == 0));
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (self->db, &error);
  g_assert_no_error (error);
  g_autoptr (GHashTable) found = read_all (snapshot);
  assert_equal (self->rows, found);
  list_validator_check (self->validator);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (self->list)), ==,
                    g_hash_table_size (found));
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->list)); i++)
    {
      g_autoptr (LdbEntry) row = g_list_model_get_item (G_LIST_MODEL (self->list), i);
      GBytes *key = ldb_entry_get_key (row);
      g_autofree char *name = g_strndup (g_bytes_get_data (key, NULL), g_bytes_get_size (key));
      g_autofree char *value = ldb_entry_dup_text (row);
      g_assert_cmpstr (value, ==, g_hash_table_lookup (found, name));
    }
  g_assert_null (ldb_list_model_get_error (self->list));
}

/* Commits of the process that took over, of all kinds. */
static void
write_some (LdbDatabase *db, GRand *random, guint count)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (LdbTransaction) transaction
          = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
      g_assert_no_error (error);
      for (guint k = 0; k < 3; k++)
        {
          g_autofree char *key = g_strdup_printf ("fill-%04d", g_rand_int_range (random, 0, 5000));
          if (g_rand_int_range (random, 0, 4) == 0)
            ldb_transaction_delete (transaction, NULL, key, strlen (key), &error);
          else
            ldb_transaction_put_string (transaction, NULL, key, key + k, &error);
          g_assert_no_error (error);
        }
      g_assert_true (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
      g_assert_no_error (error);
    }
  delete_range (db, "fill-1", "fill-11");
}

/* ---- how the other one ends ---- */

typedef enum
{
  END_KILLED,  /* in the middle of a commit, perhaps */
  END_CLOSED,  /* by itself */
  END_STOPPED, /* it hangs, and is killed later */
  N_ENDS,
} End;

/* Has the other process commit without a pause, and end somewhere in that. */
static void
end_somehow (Other *writer, End how, guint round, GRand *random)
{
  say (writer, "fill 20000 %u-", round);
  g_usleep ((gulong) g_rand_int_range (random, 0, 30000));
  if (how == END_CLOSED)
    {
      hear_ok (writer);
      say (writer, "close");
      return;
    }
  if (how == END_STOPPED)
    {
      kill (writer->pid, SIGSTOP);
      run_for ((guint) g_rand_int_range (random, 0, 30));
    }
  kill_it (writer);
}

static void
take_over_from (Place *place, End how, guint round, GRand *random)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_auto (Other) writer = { 0 };
  g_auto (Replica) replica = { 0 };
  /* With a small budget the log is short: who is slow finds changes gone, and is told to resync. */
  begin_with (&writer, "--writer", place->path, round / N_ENDS % 2 == 1 ? "16MB" : NULL);
  hear_ok (&writer);
  tell (&writer, "fill 500 %u+", round);
  replica_init (&replica, place);
  tell (&writer, "fill 500 %u*", round);
  ldb_database_take_over_async (replica.db, NULL, KEEP (result));
  if (round % 2 == 0)
    run_for (5);
  end_somehow (&writer, how, round, random);
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_assert_true (ldb_database_take_over_finish (replica.db, done, &error));
  g_assert_no_error (error);
  g_assert_false (ldb_database_is_read_only (replica.db));
  g_assert_cmpuint (replica.role_told, ==, 1);
  check (&replica, "taken over");
  write_some (replica.db, random, 40);
  check (&replica, "written");
  g_assert_true (ldb_database_compact (replica.db, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  write_some (replica.db, random, 40);
  check (&replica, "written again");
  g_test_message ("round %u: %u changes told, %u resyncs", round, replica.told, replica.resyncs);
  g_assert_true (ldb_database_close (replica.db, NULL, &error));
  g_assert_no_error (error);
  wait_until (ldb_watch_is_closed (replica.watch) && ldb_list_model_is_closed (replica.list)
              && ldb_entry_is_closed (replica.entry));
}

static void
test_ends (Place *place, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  guint rounds = g_test_slow () ? 60 : 9;
  for (guint round = 0; round < rounds; round++)
    take_over_from (place, (End) (round % N_ENDS), round, random);
}

/* ---- what was begun before ---- */

static void
assert_text (char *text, const char *expected, const GError *error)
{
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
  g_free (text);
}

/* Each commit comes once, in order, wherever it was made. */
static void
check_feed (LdbFeed *feed, guint64 from, guint64 to)
{
  g_autoptr (GError) error = NULL;
  for (guint64 i = from; i <= to; i++)
    {
      g_autoptr (GAsyncResult) result = NULL;
      ldb_feed_read_commit_async (feed, NULL, KEEP (result));
      g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
      g_autoptr (LdbChangeSet) commit = ldb_feed_read_commit_finish (feed, done, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (ldb_change_set_get_sequence (commit), ==, i);
    }
}

static void
test_begun_before (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) taken = NULL, waited = NULL;
  g_auto (Other) writer = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "in people bob");
  tell (&writer, "put a 1");
  guint64 first = tell (&writer, "put b 1");
  g_autoptr (LdbDatabase) db = open_reader (place);
  g_autoptr (LdbDatabase) beside = open_reader (place);
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  g_autoptr (LdbTransaction) transaction
      = ldb_database_begin (db, LDB_TRANSACTION_READ_ONLY, &error);
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "people", 0, NULL, &error);
  g_autoptr (LdbStore) store_beside = ldb_database_open_store (beside, "people", 0, NULL, &error);
  g_autoptr (LdbFeed) feed = ldb_database_create_feed (db, first, NULL, &error);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_assert_no_error (error);
  g_assert_true (ldb_cursor_next (cursor, NULL, &error));
  g_assert_true (ldb_batch_put (batch, store, "eve", 3, "batch", 5, &error));
  g_assert_false (ldb_database_put_string (db, "a", "mine", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_READ_ONLY, "take over");
  ldb_feed_wait_async (feed, NULL, KEEP (waited));
  ldb_database_take_over_async (db, NULL, KEEP (taken));
  run_for (30);
  g_assert_null (taken);
  g_assert_true (ldb_database_is_read_only (db));
  kill_it (&writer);
  g_autoptr (GAsyncResult) done = ldb_test_wait (&taken);
  g_assert_true (ldb_database_take_over_finish (db, done, &error));
  g_assert_null (waited);

  put (db, "a", "2");
  guint64 last = ldb_database_get_sequence (db);
  g_autoptr (GAsyncResult) heard = ldb_test_wait (&waited);
  g_assert_true (ldb_feed_wait_finish (feed, heard, &error));
  check_feed (feed, first + 1, last);
  assert_text (ldb_database_get_string (db, "a", NULL, &error), "2", error);
  assert_text (ldb_snapshot_get_string (snapshot, NULL, "a", NULL, &error), "1", error);
  assert_text (ldb_snapshot_get_string (snapshot, store, "bob", NULL, &error), "in a store", error);
  assert_text (ldb_transaction_get_string (transaction, NULL, "a", NULL, &error), "1", error);
  g_assert_false (ldb_transaction_put_string (transaction, NULL, "a", "3", &error));
  assert_ldb_error (error, LDB_ERROR_READ_ONLY, "");
  g_autoptr (LdbCursor) of_snapshot
      = ldb_snapshot_scan (snapshot, NULL, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  g_autoptr (LdbCursor) of_transaction
      = ldb_transaction_scan (transaction, NULL, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  LdbCursor *const cursors[] = { cursor, of_snapshot, of_transaction };
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (cursors); i++)
    {
      if (i > 0)
        g_assert_true (ldb_cursor_next (cursors[i], NULL, &error));
      g_autoptr (GBytes) value = ldb_cursor_get_value (cursors[i], NULL, &error);
      g_assert_cmpmem (g_bytes_get_data (value, NULL), g_bytes_get_size (value), "1", 1);
      g_assert_true (ldb_cursor_next (cursors[i], NULL, &error)); /* b */
      g_assert_false (ldb_cursor_next (cursors[i], NULL, &error));
      g_assert_no_error (error);
    }
  const char *keys[] = { "a", "b" };
  g_autoptr (GPtrArray) wanted = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < 2; i++)
    g_ptr_array_add (wanted, g_bytes_new (keys[i], 1));
  g_autoptr (GPtrArray) many = ldb_snapshot_get_many (snapshot, NULL, (GBytes **) wanted->pdata,
                                                      wanted->len, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (many->pdata[0], NULL), 1, "1", 1);

  /* Stores and batches are the database's, not the engine's. */
  g_assert_true (ldb_store_put_string (store, "bob", "again", NULL, &error));
  g_assert_true (ldb_batch_put (batch, store_beside, "joe", 3, "batch", 5, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_no_error (error);
  assert_text (ldb_store_get_string (store, "joe", NULL, &error), "batch", error);
  assert_text (ldb_snapshot_get_string (snapshot, store_beside, "bob", NULL, &error), "in a store",
               error);
  g_assert_true (ldb_database_is_read_only (beside)); /* which follows this process now */
  last = ldb_database_get_sequence (db);
  wait_until (ldb_database_get_sequence (beside) == last);
  assert_text (ldb_store_get_string (store_beside, "bob", NULL, &error), "again", error);
  g_assert_true (ldb_database_take_over (beside, NULL, &error)); /* at once: it is written here */
  g_assert_true (ldb_database_take_over (beside, NULL, &error)); /* and once is enough */
  put (beside, "a", "3");
  assert_text (ldb_database_get_string (db, "a", NULL, &error), "3", error);

  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_null (ldb_snapshot_get_string (snapshot, NULL, "a", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_false (ldb_feed_wait (feed, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  put (beside, "a", "4");
  g_assert_true (ldb_database_close (beside, NULL, &error));
  begin (&writer, "--writer", place->path); /* nothing of the role was kept */
  hear_ok (&writer);
}

/* ---- giving up ---- */

static guint
count_threads (const char *name)
{
  guint count = 0;
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *task;
  while ((task = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/task", task, "comm", NULL);
      g_autofree char *text = NULL;
      if (g_file_get_contents (path, &text, NULL, NULL))
        count += g_str_equal (g_strchomp (text), name);
    }
  return count;
}

/* Cancelled a little before, while or after the other one ends: it either writes or reads on. */
static void
test_cancelled (Place *place, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  guint rounds = g_test_slow () ? 200 : 30, taken = 0;
  for (guint round = 0; round < rounds; round++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_auto (Other) writer = { 0 };
      begin (&writer, "--writer", place->path);
      hear_ok (&writer);
      tell (&writer, "put a %u", round);
      g_autoptr (LdbDatabase) db = open_reader (place);
      g_autofree char *expected = g_strdup_printf ("%u", round);
      if (round == 0)
        g_cancellable_cancel (cancellable);
      ldb_database_take_over_async (db, cancellable, KEEP (result));
      if (round % 3 != 1)
        kill_it (&writer);
      gint64 until = g_get_monotonic_time () + g_rand_int_range (random, 0, 12000);
      while (result == NULL && g_get_monotonic_time () < until)
        g_main_context_iteration (NULL, FALSE);
      g_cancellable_cancel (cancellable);
      g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
      gboolean took = ldb_database_take_over_finish (db, done, &error);
      taken += took;
      g_assert_true (took || round % 3 == 1 || error != NULL);
      if (!took)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&error);
      g_assert_true (took == !ldb_database_is_read_only (db));
      assert_text (ldb_database_get_string (db, "a", NULL, &error), expected, error);
      if (took)
        put (db, "a", "mine");
      kill_it (&writer);
      g_assert_true (ldb_database_take_over (db, NULL, &error)); /* it may ask again */
      g_assert_no_error (error);
      g_assert_true (ldb_database_close (db, NULL, &error));
      g_assert_no_error (error);
    }
  g_test_message ("%u of %u took over before they were cancelled", taken, rounds);
}

static void
test_closed (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL, other = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Other) writer = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  g_autoptr (LdbDatabase) db = open_reader (place);
  g_autoptr (LdbDatabase) beside = open_reader (place);
  ldb_database_take_over_async (db, NULL, KEEP (result));
  ldb_database_take_over_async (beside, cancellable, KEEP (other));
  run_for (20);
  wait_until (count_threads ("ldb-turn") == 1);
  g_assert_true (ldb_database_close (db, NULL, &error)); /* while it waits */
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_assert_false (ldb_database_take_over_finish (db, done, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_false (ldb_database_take_over (db, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_null (other);
  g_cancellable_cancel (cancellable); /* nobody waits any more, nor does a thread */
  g_autoptr (GAsyncResult) cancelled = ldb_test_wait (&other);
  g_assert_false (ldb_database_take_over_finish (beside, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  wait_until (count_threads ("ldb-waiter") + count_threads ("ldb-turn") == 0);
  ldb_database_take_over_async (beside, NULL, KEEP (other));
  kill_it (&writer);
  g_autoptr (GAsyncResult) taken = ldb_test_wait (&other);
  g_assert_true (ldb_database_take_over_finish (beside, taken, &error));
  g_assert_no_error (error);
}

/* The process has gone to another folder since it opened the database by a relative path. */
static void
test_elsewhere (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_auto (Other) writer = { 0 };
  g_autofree char *before = g_get_current_dir ();
  g_autofree char *name = g_path_get_basename (place->path);
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  g_autoptr (LdbDatabase) waits = ldb_database_open (name, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_autoptr (LdbDatabase) joins = ldb_database_open (name, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_chdir (before), ==, 0);
  ldb_database_take_over_async (waits, NULL, KEEP (result));
  run_for (20);
  g_assert_null (result);
  kill_it (&writer);
  g_autoptr (GAsyncResult) taken = ldb_test_wait (&result);
  g_assert_true (ldb_database_take_over_finish (waits, taken, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_database_take_over (joins, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_database_put_string (joins, "k", "v", NULL, &error));
  g_assert_no_error (error);
}

/* It has gone there while the database was to be opened. */
static void
test_opened_elsewhere (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL, other = NULL, destroyed = NULL;
  g_auto (Other) writer = { 0 };
  g_autofree char *before = g_get_current_dir ();
  g_autofree char *name = g_path_get_basename (place->path);
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  ldb_database_open_async (name, LDB_OPEN_WAIT, NULL, NULL, KEEP (result));
  run_for (20);
  ldb_database_open_async (name, LDB_OPEN_READ_ONLY, NULL, NULL, KEEP (other));
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_autoptr (GAsyncResult) read = ldb_test_wait (&other);
  g_autoptr (LdbDatabase) reader = ldb_database_open_finish (read, &error);
  g_assert_no_error (error);
  g_assert_null (result);
  kill_it (&writer);
  g_autoptr (GAsyncResult) opened = ldb_test_wait (&result);
  g_autoptr (LdbDatabase) db = ldb_database_open_finish (opened, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (ldb_database_get_path (db), ==, name);
  g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
  g_assert_no_error (error);
  ldb_test_close (db);
  ldb_test_close (reader);
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  ldb_database_destroy_async (name, NULL, KEEP (destroyed));
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_autoptr (GAsyncResult) gone = ldb_test_wait (&destroyed);
  g_assert_true (ldb_database_destroy_finish (gone, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (place->path, G_FILE_TEST_EXISTS));
}

/* Or while it was backed up, restored, looked at or repaired. */
static void
test_kept_elsewhere (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) first = NULL, second = NULL, third = NULL, fourth = NULL;
  g_autofree char *before = g_get_current_dir ();
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  ldb_database_backup_async (db, "backup", LDB_BACKUP_NONE, NULL, NULL, NULL, NULL, KEEP (first));
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_autoptr (GAsyncResult) saved = ldb_test_wait (&first);
  g_autoptr (LdbBackupResult) backup = ldb_database_backup_finish (db, saved, &error);
  g_assert_no_error (error);
  g_assert_nonnull (backup);
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  ldb_database_restore_async ("backup", "restored", NULL, NULL, NULL, NULL, KEEP (second));
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_autoptr (GAsyncResult) restored = ldb_test_wait (&second);
  g_assert_true (ldb_database_restore_finish (restored, &error));
  g_assert_no_error (error);
  /* One after the other: each keeps the others out. */
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  ldb_database_check_path_async ("backup", LDB_CHECK_DEEP, NULL, NULL, NULL, NULL, KEEP (third));
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_autoptr (GAsyncResult) checked = ldb_test_wait (&third);
  g_autoptr (LdbCheckReport) report = ldb_database_check_path_finish (checked, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (report->fault_count, ==, 0);
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  ldb_database_repair_async ("backup", "repaired", NULL, NULL, NULL, NULL, KEEP (fourth));
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_autoptr (GAsyncResult) repaired = ldb_test_wait (&fourth);
  g_autoptr (LdbRepairReport) repair = ldb_database_repair_finish (repaired, &error);
  g_assert_no_error (error);
  g_assert_nonnull (repair);
}

/* No path is none, not the folder one is in. */
static void
test_nowhere (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autofree char *before = g_get_current_dir ();
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  ldb_database_open_async ("", LDB_OPEN_CREATE, NULL, NULL, KEEP (result));
  g_autoptr (GAsyncResult) opened = ldb_test_wait (&result);
  g_assert_null (ldb_database_open_finish (opened, &error));
  g_assert_nonnull (error);
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_test_message ("%s", error->message);
}

static void
test_refused (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 }, next = { 0 };
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put a 1");
  g_autoptr (LdbDatabase) still
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY | LDB_OPEN_STATIC, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (ldb_database_take_over (still, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "static");
  g_autoptr (LdbDatabase) unopened = g_object_new (LDB_TYPE_DATABASE, NULL);
  g_assert_false (ldb_database_take_over (unopened, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "never opened");
  /* Another database is in its place when the role is free. */
  g_autoptr (LdbDatabase) db = open_reader (place);
  tell (&writer, "close");
  /* In the very same directory, as something else is in it meanwhile. */
  g_autofree char *kept = g_build_filename (place->path, "kept", NULL);
  g_assert_true (g_file_set_contents (kept, "", 0, &error));
  tell (&writer, "destroy");
  g_assert_cmpint (g_unlink (kept), ==, 0);
  g_assert_false (ldb_database_take_over (db, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, place->path);
  begin (&next, "--writer", place->path);
  hear_ok (&next);
  tell (&next, "put a other");
  tell (&next, "close");
  g_assert_false (ldb_database_take_over (db, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, place->path);
  assert_text (ldb_database_get_string (db, "a", NULL, &error), "1", error); /* as it was */
  g_assert_true (ldb_database_is_read_only (db));
  g_autoptr (LdbDatabase) anew = ldb_database_open (place->path, LDB_OPEN_NONE, NULL, NULL, &error);
  g_assert_no_error (error); /* the attempt left nothing behind */
  assert_text (ldb_database_get_string (anew, "a", NULL, &error), "other", error);
}

/* In this process: a handle that may not write on an engine that does. */
static void
test_beside_writer (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) writing
      = ldb_database_open (place->path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_autoptr (LdbDatabase) db = open_reader (place);
  put (writing, "a", "1");
  g_assert_true (ldb_database_take_over (db, NULL, &error));
  g_assert_no_error (error);
  put (db, "a", "2");
  assert_text (ldb_database_get_string (writing, "a", NULL, &error), "2", error);
  g_assert_true (ldb_database_close (writing, NULL, &error));
  put (db, "a", "3");
}

/* ---- threads ---- */

/* What threads do with the handle meanwhile. */
typedef struct
{
  LdbDatabase *db;
  gint stop;  /* boolean; atomic */
  gint wrote; /* threads that have written; atomic */
} Busy;

/* Reads always succeed; writes are refused up to a moment, and from then on never. */
static gpointer
keep_busy (gpointer data)
{
  Busy *busy = data;
  gboolean wrote = FALSE;
  for (guint i = 0; !g_atomic_int_get (&busy->stop); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (busy->db, &error);
      g_assert_no_error (error);
      assert_text (ldb_snapshot_get_string (snapshot, NULL, "a", NULL, &error), "1", error);
      gboolean read_only = ldb_database_is_read_only (busy->db);
      g_autoptr (LdbTransaction) transaction
          = ldb_database_begin (busy->db, LDB_TRANSACTION_NONE, &error);
      if (transaction == NULL)
        {
          g_assert_true (read_only && !wrote);
          assert_ldb_error (error, LDB_ERROR_READ_ONLY, "read-only");
          continue;
        }
      g_autofree char *key = g_strdup_printf ("thread-%p", (gpointer) g_thread_self ());
      g_assert_true (ldb_transaction_put_string (transaction, NULL, key, "1", &error));
      g_assert_true (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
      g_assert_no_error (error);
      g_atomic_int_add (&busy->wrote, !wrote);
      wrote = TRUE;
      g_assert_false (ldb_database_is_read_only (busy->db));
    }
  return NULL;
}

static gpointer
take_over_too (gpointer db)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_take_over (db, NULL, &error));
  g_assert_no_error (error);
  return NULL;
}

static void
test_threads (Place *place, gconstpointer data)
{
  enum
  {
    THREADS = 3
  };
  for (guint round = 0; round < (g_test_slow () ? 50 : 5); round++)
    {
      g_auto (Other) writer = { 0 };
      GThread *threads[THREADS], *takers[2];
      Replica told = { 0 };
      begin (&writer, "--writer", place->path);
      hear_ok (&writer);
      tell (&writer, "put a 1");
      g_autoptr (LdbDatabase) db = open_reader (place);
      g_signal_connect (db, "notify::read-only", G_CALLBACK (count_role), &told);
      Busy busy = { .db = db };
      for (guint i = 0; i < THREADS; i++)
        threads[i] = g_thread_new ("busy", keep_busy, &busy);
      for (guint i = 0; i < G_N_ELEMENTS (takers); i++)
        takers[i] = g_thread_new ("taker", take_over_too, db);
      g_usleep (10000);
      kill_it (&writer);
      for (guint i = 0; i < G_N_ELEMENTS (takers); i++)
        g_thread_join (takers[i]);
      wait_until (g_atomic_int_get (&busy.wrote) == THREADS);
      g_atomic_int_set (&busy.stop, TRUE);
      for (guint i = 0; i < THREADS; i++)
        g_thread_join (threads[i]);
      g_assert_cmpuint (told.role_told, ==, 1);
    }
}

/* ---- many ---- */

typedef struct
{
  guint opened;    /* handles that write */
  guint cancelled; /* those that gave up */
} Crowd;

static void
note_opened (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  Crowd *crowd = data;
  g_autoptr (LdbDatabase) db = ldb_database_open_finish (result, &error);
  if (db != NULL)
    {
      put (db, "a", "1");
      crowd->opened++;
      return;
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  crowd->cancelled++;
}

static void
note_taken (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  Crowd *crowd = data;
  g_assert_true (ldb_database_take_over_finish (LDB_DATABASE (source), result, &error));
  g_assert_no_error (error);
  crowd->opened++;
}

/* A thousand who wait, and some who would take over, have one thread that waits, and one that lies
 * in the kernel for it; whatever else there is to do is done meanwhile. */
static void
test_many (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  enum
  {
    MANY = 1000,
    READERS = 20
  };
  Crowd crowd = { 0 };
  GAsyncResult *beside = NULL, *got = NULL;
  g_autoptr (GPtrArray) readers = g_ptr_array_new_with_free_func (g_object_unref);
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put b 1");
  for (guint i = 0; i < MANY; i++)
    ldb_database_open_async (place->path, LDB_OPEN_WAIT, NULL, i % 2 == 0 ? cancellable : NULL,
                             note_opened, &crowd);
  for (guint i = 0; i < READERS; i++)
    {
      g_ptr_array_add (readers, open_reader (place));
      ldb_database_take_over_async (readers->pdata[i], NULL, note_taken, &crowd);
    }
  ldb_database_open_async (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, KEEP (beside));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&beside);
  g_autoptr (LdbDatabase) db = ldb_database_open_finish (done, &error);
  g_assert_no_error (error);
  ldb_database_get_async (db, "b", 1, NULL, KEEP (got));
  g_autoptr (GAsyncResult) answer = ldb_test_wait (&got);
  g_autoptr (GBytes) value = ldb_database_get_finish (db, answer, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (value), ==, 1);
  wait_until (count_threads ("ldb-turn") == 1); /* it lies in the kernel */
  g_assert_cmpuint (count_threads ("ldb-waiter"), ==, 1);
  g_assert_cmpuint (crowd.opened + crowd.cancelled, ==, 0);
  g_cancellable_cancel (cancellable);
  wait_until (crowd.cancelled == MANY / 2);
  g_assert_cmpuint (count_threads ("ldb-waiter"), ==, 1);
  kill_it (&writer);
  wait_until (crowd.opened == MANY / 2 + READERS);
  wait_until (count_threads ("ldb-waiter") + count_threads ("ldb-turn") == 0);
  for (guint i = 0; i < READERS; i++)
    put (readers->pdata[i], "a", "2");
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--writer") == 0)
    return write_as_told (argv[2]);
  g_test_init (&argc, &argv, NULL);
  ldb_test_allow_warnings (); /* whoever reads a database that is replaced says so */
  add_test ("/takeover/ends", test_ends);
  add_test ("/takeover/begun-before", test_begun_before);
  add_test ("/takeover/cancelled", test_cancelled);
  add_test ("/takeover/closed", test_closed);
  add_test ("/takeover/elsewhere", test_elsewhere);
  add_test ("/takeover/opened-elsewhere", test_opened_elsewhere);
  add_test ("/takeover/kept-elsewhere", test_kept_elsewhere);
  add_test ("/takeover/nowhere", test_nowhere);
  add_test ("/takeover/refused", test_refused);
  add_test ("/takeover/beside-writer", test_beside_writer);
  add_test ("/takeover/threads", test_threads);
  add_test ("/takeover/many", test_many);
  return g_test_run ();
}
