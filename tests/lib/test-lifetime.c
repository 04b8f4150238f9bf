/* SPDX-License-Identifier: MIT */
/*
 * Lives of objects: closed in any order, outliving each other, shared, listed, forked.
 */
#include "ldb-test.h"

#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum
{
  DATABASE,
  STORE,
  SNAPSHOT,
  TRANSACTION,
  CURSOR,
  INSIDE_CURSOR,
  BATCH,
  N_OBJECTS,
};

static void
make_all (Place *place, GObject *objects[N_OBJECTS])
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = place_open (place, NULL);
  g_assert_true (ldb_database_put_string (db, "a", "1", NULL, &error));
  LdbStore *store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  LdbTransaction *transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_true (ldb_transaction_put_string (transaction, store, "b", "2", &error));
  LdbBatch *batch = ldb_batch_new ();
  g_assert_true (ldb_batch_put_string (batch, store, "c", "3", &error));
  objects[DATABASE] = G_OBJECT (db);
  objects[STORE] = G_OBJECT (store);
  objects[SNAPSHOT] = G_OBJECT (ldb_database_create_snapshot (db, &error));
  objects[TRANSACTION] = G_OBJECT (transaction);
  objects[CURSOR] = G_OBJECT (ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
  objects[INSIDE_CURSOR] = G_OBJECT (
      ldb_transaction_scan (transaction, store, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
  objects[BATCH] = G_OBJECT (batch);
  g_assert_true (ldb_cursor_next (LDB_CURSOR (objects[CURSOR]), NULL, &error));
  g_assert_true (ldb_cursor_next (LDB_CURSOR (objects[INSIDE_CURSOR]), NULL, &error));
  g_assert_no_error (error);
}

/* Whatever goes first, the rest can be used, or says that it is closed, and can go. */
static void
test_any_order (Place *place, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  for (guint round = 0; round < 100; round++)
    {
      GObject *objects[N_OBJECTS];
      make_all (place, objects);
      if (g_rand_boolean (random))
        ldb_database_close (LDB_DATABASE (objects[DATABASE]), NULL, NULL);
      if (g_rand_boolean (random))
        ldb_transaction_rollback (LDB_TRANSACTION (objects[TRANSACTION]), NULL);
      if (g_rand_boolean (random))
        ldb_cursor_close (LDB_CURSOR (objects[CURSOR]));
      if (g_rand_boolean (random))
        ldb_snapshot_close (LDB_SNAPSHOT (objects[SNAPSHOT]));
      for (guint left = N_OBJECTS; left > 0; left--)
        {
          guint chosen = (guint) g_rand_int_range (random, 0, (gint32) left);
          g_object_unref (objects[chosen]);
          objects[chosen] = objects[left - 1];
        }
      g_autoptr (GPtrArray) open = ldb_database_list_open ();
      g_assert_cmpuint (open->len, ==, 0);
    }
}

/* Everything made from a handle fails with CLOSED once the handle is closed. */
static void
test_closed (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GObject *objects[N_OBJECTS];
  make_all (place, objects);
  LdbTransaction *transaction = LDB_TRANSACTION (objects[TRANSACTION]);
  LdbCursor *cursor = LDB_CURSOR (objects[CURSOR]);
  g_autoptr (LdbDatabase) other = place_open (place, NULL);
  g_assert_true (ldb_database_close (LDB_DATABASE (objects[DATABASE]), NULL, &error));

  g_assert_false (ldb_transaction_is_active (transaction));
  g_assert_null (ldb_transaction_get (transaction, NULL, "a", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_false (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_false (ldb_cursor_first (cursor, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_null (ldb_snapshot_get (LDB_SNAPSHOT (objects[SNAPSHOT]), NULL, "a", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_null (ldb_store_get (LDB_STORE (objects[STORE]), "a", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_false (ldb_database_write_batch (LDB_DATABASE (objects[DATABASE]),
                                            LDB_BATCH (objects[BATCH]), LDB_SYNC_MODE_DEFAULT, NULL,
                                            &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  GAsyncResult *result = NULL;
  ldb_store_get_async (LDB_STORE (objects[STORE]), "a", 1, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_assert_null (ldb_store_get_finish (LDB_STORE (objects[STORE]), done, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);

  /* The other handle on the same database goes on. */
  g_autofree char *text = ldb_database_get_string (other, "a", NULL, &error);
  g_assert_cmpstr (text, ==, "1");
  g_clear_object (&done);
  for (guint i = 0; i < N_OBJECTS; i++)
    g_object_unref (objects[i]);
}

/* Bytes and views that were read stay as they are when everything else is gone. */
static void
test_values_outlive (Place *place, gconstpointer data)
{
  static const gsize sizes[] = { 1, 500, 1024, 3000, 7000, 100000 };
  g_autoptr (GError) error = NULL;
  GBytes *bytes[G_N_ELEMENTS (sizes)];
  GBytes *scanned[G_N_ELEMENTS (sizes)];
  LdbView views[G_N_ELEMENTS (sizes)];
  LdbDatabase *db = place_open (place, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *value = g_strnfill (sizes[i], (char) ('a' + i));
      g_assert_true (ldb_database_put (db, &(char){ (char) i }, 1, value, sizes[i], NULL, &error));
    }
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      bytes[i] = ldb_database_get (db, &(char){ (char) i }, 1, NULL, &error);
      g_assert_true (ldb_database_peek (db, &(char){ (char) i }, 1, &views[i], &error));
      g_assert_true (ldb_cursor_next (cursor, NULL, &error));
      scanned[i] = ldb_cursor_get_value (cursor, NULL, &error);
    }
  g_assert_no_error (error);
  g_assert_true (ldb_database_delete_range (db, NULL, 0, NULL, 0, NULL, &error));
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  ldb_database_evict_cache (db, 1.0, &error);
  g_clear_object (&cursor);
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_object_unref (db);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *value = g_strnfill (sizes[i], (char) ('a' + i));
      g_assert_cmpmem (g_bytes_get_data (bytes[i], NULL), g_bytes_get_size (bytes[i]), value,
                       sizes[i]);
      g_assert_cmpmem (g_bytes_get_data (scanned[i], NULL), g_bytes_get_size (scanned[i]), value,
                       sizes[i]);
      g_assert_cmpmem (views[i].data, views[i].size, value, sizes[i]);
      g_bytes_unref (bytes[i]);
      g_bytes_unref (scanned[i]);
      ldb_view_clear (&views[i]);
      ldb_view_clear (&views[i]);
    }
}

/* Handles of one process on one directory are one database, by whatever name. */
static void
test_sharing (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *roundabout = g_build_filename (place->directory, ".", "database", NULL);
  LdbDatabase *one = place_open (place, NULL);
  g_autoptr (LdbDatabase) two = ldb_database_open (roundabout, LDB_OPEN_NONE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (ldb_database_get_id (one), ==, ldb_database_get_id (two));
  g_assert_cmpuint (strlen (ldb_database_get_id (one)), ==, 32);
  g_assert_true (ldb_database_put_string (one, "k", "v", NULL, &error));
  g_autofree char *text = ldb_database_get_string (two, "k", NULL, &error);
  g_assert_cmpstr (text, ==, "v");
  {
    g_autoptr (GPtrArray) open = ldb_database_list_open ();
    g_assert_cmpuint (open->len, ==, 2);
  }
  g_object_unref (one);
  g_assert_true (ldb_database_put_string (two, "k", "w", NULL, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_database_close (two, NULL, &error));
  g_autoptr (GPtrArray) none = ldb_database_list_open ();
  g_assert_cmpuint (none->len, ==, 0);
}

static gpointer
open_and_close (gpointer data)
{
  Place *place = data;
  for (guint i = 0; i < 30; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LdbDatabase) db = place_open (place, NULL);
      g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
      g_autoptr (GPtrArray) open = ldb_database_list_open ();
      g_assert_cmpuint (open->len, >, 0);
    }
  return NULL;
}

/* Opening and closing from many threads at once never meets its own lock. */
static void
test_open_and_close (Place *place, gconstpointer data)
{
  GThread *threads[4];
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("open-and-close", open_and_close, place);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static gpointer
read_until_closed (gpointer data)
{
  LdbDatabase *db = data;
  g_autoptr (GError) error = NULL;
  for (;;)
    {
      g_autoptr (GBytes) value = ldb_database_get (db, "k", 1, NULL, &error);
      if (value == NULL)
        break;
    }
  assert_ldb_error (error, LDB_ERROR_CLOSED, "");
  return NULL;
}

/* Two threads may initialise one handle: it is open once. */
static void
test_initialised_twice (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  for (guint round = 0; round < 20; round++)
    {
      GAsyncResult *results[4] = { NULL };
      GAsyncInitable *handle
          = g_object_new (LDB_TYPE_DATABASE, "path", place->path, "flags", LDB_OPEN_CREATE, NULL);
      for (guint i = 0; i < G_N_ELEMENTS (results); i++)
        g_async_initable_init_async (handle, G_PRIORITY_DEFAULT, NULL, KEEP (results[i]));
      for (guint i = 0; i < G_N_ELEMENTS (results); i++)
        {
          g_autoptr (GAsyncResult) result = ldb_test_wait (&results[i]);
          g_assert_true (g_async_initable_init_finish (handle, result, &error));
        }
      while (g_main_context_iteration (NULL, FALSE))
        ;
      g_autoptr (GPtrArray) open = ldb_database_list_open ();
      g_assert_cmpuint (open->len, ==, 1);
      g_ptr_array_set_size (open, 0);
      g_assert_finalize_object (handle);
      g_autoptr (GPtrArray) left = ldb_database_list_open ();
      g_assert_cmpuint (left->len, ==, 0);
    }
}

static gboolean
cancel_it (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

/* A wait for background work is given up when it is cancelled, however long it may be. */
static void
test_settling_given_up (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GAsyncResult *result = NULL;
  g_autofree char *value = g_strnfill (100000, 'v');
  g_assert_true (ldb_database_wait_settled (db, 60000, cancellable, &error));
  for (guint i = 0; i < 200; i++)
    ldb_database_put (db, &i, sizeof i, value, 100000, NULL, NULL);
  g_timeout_add (1, cancel_it, cancellable);
  ldb_database_wait_settled_async (db, G_MAXUINT, cancellable, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  if (!ldb_database_wait_settled_finish (db, done, &error)) /* else it was done before that */
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_close_under_readers (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  for (guint round = 0; round < 5; round++)
    {
      GThread *threads[3];
      g_autoptr (LdbDatabase) db = place_open (place, NULL);
      g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("reader", read_until_closed, db);
      g_usleep (5000);
      g_assert_true (ldb_database_close (db, NULL, &error));
      g_assert_no_error (error);
      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
    }
}

typedef struct
{
  guint opened;    /* signals so far */
  guint closed;    /* signals so far */
  GThread *thread; /* where they have to be */
  char *last_path; /* of the last closed; owned */
} Seen;

static void
see_opened (LdbRegistry *registry, LdbDatabase *database, gpointer data)
{
  Seen *seen = data;
  g_assert_true (g_thread_self () == seen->thread);
  g_assert_true (LDB_IS_DATABASE (database));
  seen->opened++;
}

static void
see_closed (LdbRegistry *registry, const char *path, gpointer data)
{
  Seen *seen = data;
  g_assert_true (g_thread_self () == seen->thread);
  g_free (seen->last_path);
  seen->last_path = g_strdup (path);
  seen->closed++;
}

/* Closes the database within its own operation; `user_data` is the handle. */
static void
close_within (guint64 done, guint64 total, const char *step, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (ldb_database_close (user_data, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_PENDING, "progress", "cancel");
  g_object_run_dispose (user_data);
  g_assert_false (ldb_database_is_closed (user_data));
  g_object_set_data (user_data, "refused", GINT_TO_POINTER (TRUE));
}

/* Closing from a progress function would wait for the operation that waits for the function. */
static void
test_close_within_progress (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database
      = ldb_database_open (place->path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *value = g_malloc0 (1000);
  for (guint i = 0; i < 4000; i++)
    {
      guint32 key = g_str_hash (value) + i * 2654435761u;
      memcpy (value, &key, sizeof key);
      g_assert_true (ldb_database_put (database, &key, sizeof key, value, 1000, NULL, &error));
      if (i == 2000)
        g_assert_true (ldb_database_flush (database, NULL, &error));
    }
  g_autofree char *backup = g_strconcat (place->path, ".backup", NULL);
  g_assert_true (ldb_database_compact (database, close_within, database, NULL, &error));
  g_autoptr (LdbBackupResult) result = ldb_database_backup (database, backup, LDB_BACKUP_NONE,
                                                            close_within, database, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (result);
  g_assert_nonnull (g_object_get_data (G_OBJECT (database), "refused"));
  g_assert_true (ldb_database_close (database, NULL, &error));
  g_assert_true (ldb_database_is_closed (database));
}

static void
test_registry (Place *place, gconstpointer data)
{
  Seen seen = { .thread = g_thread_self () };
  g_autoptr (LdbRegistry) registry = ldb_registry_new ();
  g_signal_connect (registry, "database-opened", G_CALLBACK (see_opened), &seen);
  g_signal_connect (registry, "database-closed", G_CALLBACK (see_closed), &seen);
  g_thread_join (g_thread_new ("open-and-close", open_and_close, place));
  g_assert_cmpuint (seen.opened, ==, 0);
  while (seen.closed < 30)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (seen.opened, ==, 30);
  g_assert_cmpstr (seen.last_path, ==, place->path);
  g_autoptr (GPtrArray) open = ldb_registry_list (registry);
  g_assert_cmpuint (open->len, ==, 0);
  g_free (seen.last_path);
}

/* What starts threads in the child: more than ThreadSanitizer puts up with after a fork. And
 * AddressSanitizer's allocator leaves a lock behind that another thread held at that moment, which
 * threads of their own run into. */
static void
use_threads_in_child (Place *place, LdbDatabase *db)
{
#if !SANITIZED
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  ldb_database_put_async (db, "a", 1, "2", 1, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_assert_false (ldb_database_put_finish (db, done, &error));
  assert_ldb_error (error, LDB_ERROR_FORKED, place->path);
  g_clear_object (&done);
  g_autofree char *own_path = g_build_filename (place->directory, "child", NULL);
  g_autoptr (LdbDatabase) own = ldb_database_create (own_path, NULL, NULL, &error);
  g_assert_no_error (error);
  ldb_database_put_async (own, "a", 1, "1", 1, NULL, KEEP (result));
  g_autoptr (GAsyncResult) put = ldb_test_wait (&result);
  g_assert_true (ldb_database_put_finish (own, put, &error));
  g_assert_no_error (error);
  g_clear_object (&put);
  g_assert_true (ldb_database_close (own, NULL, &error));
#endif
}

/* In the child of a fork: old handles refuse, also asynchronously, and do no harm; new ones
 * work. */
static void
use_in_child (Place *place, GObject *objects[N_OBJECTS])
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = LDB_DATABASE (objects[DATABASE]);
  g_assert_true (ldb_database_is_closed (db));
  g_assert_null (ldb_database_get (db, "a", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_FORKED, place->path, "anew");
  g_assert_false (ldb_database_put_string (db, "a", "2", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_FORKED, place->path);
  g_assert_false (ldb_cursor_next (LDB_CURSOR (objects[CURSOR]), NULL, &error));
  assert_ldb_error (error, LDB_ERROR_FORKED, place->path);
  g_assert_false (ldb_transaction_commit (LDB_TRANSACTION (objects[TRANSACTION]),
                                          LDB_SYNC_MODE_DEFAULT, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_FORKED, place->path);
  use_threads_in_child (place, db);
  g_assert_null (ldb_database_open (place->path, LDB_OPEN_NONE, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_LOCKED, place->path);
  for (guint i = 0; i < N_OBJECTS; i++)
    g_object_unref (objects[i]);
}

static void
test_fork (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GObject *objects[N_OBJECTS];
  make_all (place, objects);
  LdbDatabase *db = LDB_DATABASE (objects[DATABASE]);
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (300);
      use_in_child (place, objects);
      _exit (0);
    }
  int state = 0;
  g_assert_cmpint (waitpid (child, &state, 0), ==, child);
  g_assert_cmpint (state, ==, 0);
  /* The parent has not noticed. */
  g_assert_true (ldb_database_put_string (db, "a", "3", NULL, &error));
  g_assert_true (ldb_transaction_commit (LDB_TRANSACTION (objects[TRANSACTION]), LDB_SYNC_MODE_FULL,
                                         NULL, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_database_close (db, NULL, &error));
  for (guint i = 0; i < N_OBJECTS; i++)
    g_object_unref (objects[i]);
  g_autoptr (LdbDatabase) again = place_open (place, NULL);
  g_autofree char *text = ldb_database_get_string (again, "a", NULL, &error);
  g_assert_cmpstr (text, ==, "3");
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint count = 0;
  while (dir != NULL && g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

/* Memory that is resident and no file's, in bytes. */
static gsize
anonymous_memory (void)
{
  g_autofree char *status = NULL;
  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  const char *line = strstr (status, "RssAnon:");
  g_assert_nonnull (line);
  return 1024 * (gsize) g_ascii_strtoull (line + strlen ("RssAnon:"), NULL, 10);
}

/* Opening and closing leaves no descriptor behind. */
static void
test_cycles (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint before = 0;
  for (guint i = 0; i < 10; i++)
    {
      LdbDatabase *db = place_open (place, NULL);
      g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
      g_assert_true (ldb_database_flush (db, NULL, &error));
      g_assert_true (ldb_database_close (db, NULL, &error));
      /* Only now: a closed handle keeps open what values may still be lent from. */
      g_object_unref (db);
      if (i == 0)
        before = count_descriptors ();
      g_assert_cmpuint (count_descriptors (), ==, before);
    }
}

/* A closed handle that somebody keeps, as a garbage collector does, holds its directory open, but
 * no cache. */
static void
test_closed_and_kept (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 32 * 1024 * 1024);
  ldb_options_set_compression_enabled (options, FALSE);
  g_object_unref (place_open (place, options)); /* what is made once stays */
  guint before = count_descriptors ();
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_autofree char *value = g_strnfill (4000, 'x');
  for (guint32 i = 0; i < 6000; i++)
    g_assert_true (ldb_database_put (db, &i, sizeof i, value, 4000, NULL, &error));
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  for (guint32 i = 0; i < 6000; i++)
    g_assert_true (ldb_database_contains (db, &i, sizeof i, NULL, &error));
  gsize open = anonymous_memory ();
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_descriptors (), ==, before + 1);
  /* Sanitizers keep what is freed; without them most of the cache is gone. */
  if (!SANITIZED)
    g_assert_cmpuint (anonymous_memory (), <, open - 8 * 1024 * 1024);
}

static void
test_default_place (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db
      = ldb_database_open_default ("org.example.LdbTest", NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *expected
      = g_build_filename (g_get_user_data_dir (), "org.example.LdbTest", "lightning-db", NULL);
  g_assert_cmpstr (ldb_database_get_path (db), ==, expected);
  g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
}

/* A commit that is refused ends its transaction too, whoever holds on to it. */
static void
test_refused_commit (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_autoptr (LdbTransaction) refused = NULL;
  ldb_options_set_rate_limit_ops_per_second (options, 1);
  ldb_options_set_max_active_transactions (options, 1);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  while (refused == NULL) /* until two come within a second */
    {
      g_autoptr (LdbTransaction) transaction
          = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
      g_assert_no_error (error);
      g_assert_true (ldb_transaction_put_string (transaction, NULL, "k", "v", &error));
      if (!ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error))
        refused = g_object_ref (transaction);
    }
  assert_ldb_error (error, LDB_ERROR_RATE_LIMITED, "");
  g_assert_false (ldb_transaction_is_active (refused));
  g_assert_false (ldb_transaction_commit (refused, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "");
  g_autoptr (LdbTransaction) next = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_transaction_is_active (next));
}

int
main (int argc, char *argv[])
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = g_dir_make_tmp ("ldb-test-data-XXXXXX", &error);
  g_assert_no_error (error);
  g_setenv ("XDG_DATA_HOME", data, TRUE);
  g_test_init (&argc, &argv, NULL);
  add_test ("/lifetime/fork", test_fork);
  add_test ("/lifetime/any-order", test_any_order);
  add_test ("/lifetime/closed", test_closed);
  add_test ("/lifetime/values-outlive", test_values_outlive);
  add_test ("/lifetime/sharing", test_sharing);
  add_test ("/lifetime/open-and-close", test_open_and_close);
  add_test ("/lifetime/initialised-twice", test_initialised_twice);
  add_test ("/lifetime/settling-given-up", test_settling_given_up);
  add_test ("/lifetime/close-under-readers", test_close_under_readers);
  add_test ("/lifetime/close-within-progress", test_close_within_progress);
  add_test ("/lifetime/registry", test_registry);
  add_test ("/lifetime/cycles", test_cycles);
  add_test ("/lifetime/closed-and-kept", test_closed_and_kept);
  add_test ("/lifetime/default-place", test_default_place);
  add_test ("/lifetime/refused-commit", test_refused_commit);
  int failed = g_test_run ();
  ldb_test_remove (data);
  return failed;
}
