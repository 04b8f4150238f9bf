/* SPDX-License-Identifier: MIT */
/*
 * A store that is dropped: whoever follows a part of it is told that all is gone, and then that
 * nothing follows; whoever writes to it, or begins to follow it, is refused. Also in processes that
 * read what another one writes: this program is those, too (--writer, --follower).
 */
#include "list-validator.h"
#include "other-process.h"
#include "watch-listener.h"

/* How many times an object said that it is closed, and what it had said by then. */
typedef struct
{
  guint told;   /* notifications of "closed" */
  guint before; /* emissions until the first of them */
} Ending;

static void
note_closed (GObject *object, GParamSpec *pspec, Ending *ending)
{
  gboolean closed;
  g_object_get (object, "closed", &closed, NULL);
  g_assert_true (closed);
  ending->told++;
}

static void
count_emission (LdbWatch *watch, LdbChangeSet *changes, Ending *ending)
{
  g_assert_false (ldb_watch_is_closed (watch)); /* not before it has told */
  g_assert_cmpuint (ending->told, ==, 0);
  ending->before++;
}

static void
follow_end (Listener *listener, Ending *ending)
{
  *ending = (Ending){ 0 };
  g_signal_connect (listener->watch, "notify::closed", G_CALLBACK (note_closed), ending);
  g_signal_connect (listener->watch, "changed", G_CALLBACK (count_emission), ending);
}

static LdbStore *
make_store (LdbDatabase *db, const char *name, gboolean filled)
{
  g_autoptr (GError) error = NULL;
  LdbStore *store = ldb_database_open_store (db, name, LDB_OPEN_CREATE, NULL, &error);
  g_assert_no_error (error);
  if (filled)
    {
      g_assert_true (ldb_store_put_string (store, "bob", "Paris", NULL, &error));
      g_assert_true (ldb_store_put_string (store, "eve", "Rome", NULL, &error));
    }
  return store;
}

static void
drop (LdbDatabase *db, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_drop_store (db, name, NULL, &error));
  g_assert_no_error (error);
}

/* ---- watches ---- */

/* Watches of all kinds, with something to tell and with nothing. */
static void
test_watches (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) people = make_store (db, "people", TRUE);
  g_autoptr (LdbStore) other = make_store (db, "other", TRUE);
  g_auto (Listener) all = { 0 }, key = { 0 }, prefix = { 0 }, none = { 0 }, stores = { 0 },
                    still = { 0 };
  Ending of_all, of_key, of_prefix, of_none, of_stores, of_still;
  listen_to (&all, ldb_store_watch_all (people, LDB_WATCH_NONE, &error));
  listen_to (&key, ldb_store_watch_key (people, "bob", 3, LDB_WATCH_OLD_VALUES, &error));
  listen_to (&prefix, ldb_store_watch_prefix (people, "e", 1, LDB_WATCH_EACH_KEY, &error));
  listen_to (&none, ldb_store_watch_key (people, "nobody", 6, LDB_WATCH_NONE, &error));
  listen_to (&stores, ldb_database_watch_stores (db, LDB_WATCH_NONE, &error));
  listen_to (&still, ldb_store_watch_all (other, LDB_WATCH_NONE, &error));
  g_assert_no_error (error);
  follow_end (&all, &of_all);
  follow_end (&key, &of_key);
  follow_end (&prefix, &of_prefix);
  follow_end (&none, &of_none);
  follow_end (&stores, &of_stores);
  follow_end (&still, &of_still);
  drop (db, "people");
  wait_until (of_all.told && of_key.told && of_prefix.told && of_none.told);
  expect (&all, "people/range [,)");
  expect (&key, "people/delete bob<Paris");
  expect (&prefix, "people/delete eve");
  g_assert_cmpuint (of_none.before, ==, 0);
  expect (&stores, "people/range [,)");
  /* The others go on; one of the same name is another store. */
  g_autoptr (LdbStore) again = make_store (db, "people", TRUE);
  expect (&stores, "people/put bob, people/put eve");
  g_assert_true (ldb_store_put_string (other, "zoe", "Oslo", NULL, &error));
  expect (&still, "other/put zoe");
  run_for (50);
  g_assert_cmpuint (of_stores.told + of_still.told, ==, 0);
  const Ending *const ended[] = { &of_all, &of_key, &of_prefix, &of_none };
  const Listener *const listeners[] = { &all, &key, &prefix, &none };
  for (guint i = 0; i < G_N_ELEMENTS (ended); i++)
    {
      g_assert_cmpuint (ended[i]->told, ==, 1);
      g_assert_true (ldb_watch_is_closed (listeners[i]->watch));
      ldb_watch_pause (listeners[i]->watch); /* is harmless */
      ldb_watch_resume (listeners[i]->watch);
      g_assert_false (ldb_watch_replay (listeners[i]->watch, 0, NULL, &error));
      assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
      ldb_watch_close (listeners[i]->watch);
    }
}

/* A store that is emptied as a whole is there still. */
static void
test_emptied (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) people = make_store (db, "people", TRUE);
  g_auto (Listener) all = { 0 }, whole = { 0 };
  Ending of_all, of_whole;
  listen_to (&all, ldb_store_watch_all (people, LDB_WATCH_NONE, &error));
  listen_to (&whole, ldb_database_watch_all (db, LDB_WATCH_NONE, &error));
  follow_end (&all, &of_all);
  follow_end (&whole, &of_whole);
  put (db, "a", "1");
  expect (&whole, "put a");
  g_assert_true (ldb_store_delete_range (people, NULL, 0, NULL, 0, NULL, &error));
  expect (&all, "people/range [,)");
  drop (db, "default"); /* is emptied */
  expect (&whole, "range [,)");
  g_assert_true (ldb_store_put_string (people, "eve", "Rome", NULL, &error));
  put (db, "b", "1");
  expect (&all, "people/put eve");
  expect (&whole, "put b");
  g_assert_cmpuint (of_all.told + of_whole.told, ==, 0);
  g_assert_no_error (error);
}

/* What is kept back is told first; one that lagged is told to read anew, and then closed. */
static void
test_paused_and_lost (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) people = make_store (db, "people", TRUE);
  g_auto (Listener) paused = { 0 }, nothing = { 0 }, lost = { 0 };
  Ending of_paused, of_nothing, of_lost;
  listen_to (&paused, ldb_store_watch_all (people, LDB_WATCH_NONE, &error));
  listen_to (&nothing, ldb_store_watch_key (people, "nobody", 6, LDB_WATCH_NONE, &error));
  listen_to (&lost, ldb_store_watch_all (people, LDB_WATCH_NONE, &error));
  g_assert_no_error (error);
  follow_end (&paused, &of_paused);
  follow_end (&nothing, &of_nothing);
  follow_end (&lost, &of_lost);
  ldb_watch_set_max_changes (lost.watch, 1);
  ldb_watch_pause (paused.watch);
  ldb_watch_pause (nothing.watch);
  ldb_watch_pause (lost.watch);
  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *key = g_strdup_printf ("key-%u", i);
      g_assert_true (ldb_store_put_string (people, key, "v", NULL, &error));
    }
  drop (db, "people");
  run_for (50);
  g_assert_cmpuint (of_paused.told + of_nothing.told + of_lost.told, ==, 0);
  ldb_watch_resume (paused.watch);
  ldb_watch_pause (paused.watch); /* takes back what may be under way, once more */
  ldb_watch_resume (paused.watch);
  ldb_watch_resume (nothing.watch);
  ldb_watch_resume (lost.watch);
  wait_until (of_paused.told && of_nothing.told && of_lost.told);
  expect (&paused, "people/range [,)");
  expect (&lost, "people/resync [,)");
  g_assert_cmpuint (of_nothing.before, ==, 0);
}

/* A frame is taken back when it is ready, and told later. */
static void
test_taken_back (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  for (guint round = 0; round < 20; round++)
    {
      g_autoptr (LdbStore) people = make_store (db, "people", round % 2 == 0);
      g_auto (Listener) all = { 0 };
      Ending ending;
      listen_to (&all, ldb_store_watch_all (people, LDB_WATCH_NONE, &error));
      follow_end (&all, &ending);
      drop (db, "people");
      g_usleep (round * 200); /* the hub's thread may have put it into our context by now */
      ldb_watch_pause (all.watch);
      run_for (5);
      g_assert_cmpuint (ending.told, ==, 0);
      ldb_watch_resume (all.watch);
      wait_until (ending.told);
      g_assert_cmpuint (ending.before, ==, round % 2 == 0 ? 1 : 0);
      if (round % 2 == 0)
        expect (&all, "people/range [,)");
    }
}

/* Dropped between the opening of the store and its watch, or since the watch was made and before
 * anything was read for it. */
static void
test_race (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  for (guint round = 0; round < 20; round++)
    {
      g_autoptr (LdbStore) people = make_store (db, "people", FALSE);
      GAsyncResult *result = NULL;
      ldb_database_drop_store_async (db, "people", NULL, KEEP (result));
      g_usleep (round * 20);
      g_autoptr (LdbWatch) watch = ldb_store_watch_all (people, LDB_WATCH_NONE, &error);
      g_autoptr (GAsyncResult) done = NULL;
      if (watch == NULL)
        assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "people", "dropped");
      done = ldb_test_wait (&result);
      g_assert_true (ldb_database_drop_store_finish (db, done, &error));
      if (watch != NULL)
        wait_until (ldb_watch_is_closed (watch));
    }
}

/* ---- entries and lists ---- */

static void
test_entries (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) people = make_store (db, "people", TRUE);
  g_autoptr (LdbEntry) bob = ldb_store_watch_entry (people, "bob", 3, &error);
  g_autoptr (LdbEntry) nobody = ldb_store_watch_entry (people, "nobody", 6, &error);
  g_assert_no_error (error);
  Ending of_bob = { 0 }, of_nobody = { 0 };
  g_signal_connect (bob, "notify::closed", G_CALLBACK (note_closed), &of_bob);
  g_signal_connect (nobody, "notify::closed", G_CALLBACK (note_closed), &of_nobody);
  g_assert_true (ldb_entry_get_exists (bob));
  drop (db, "people");
  wait_until (of_bob.told && of_nobody.told);
  g_assert_false (ldb_entry_get_exists (bob));
  g_assert_true (ldb_entry_is_closed (bob));
  g_assert_true (ldb_entry_is_closed (nobody));
}

static LdbListModel *
list_store (LdbDatabase *db, LdbStore *store, Ending *ending)
{
  g_autoptr (GError) error = NULL;
  LdbListModel *list
      = ldb_list_model_new (db, store, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  *ending = (Ending){ 0 };
  g_signal_connect (list, "notify::closed", G_CALLBACK (note_closed), ending);
  return list;
}

static void
test_lists (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) people = make_store (db, "people", TRUE);
  g_autoptr (LdbStore) nothing = make_store (db, "nothing", FALSE);
  Ending of_list, of_empty;
  g_autoptr (LdbListModel) list = list_store (db, people, &of_list);
  g_autoptr (LdbListModel) empty = list_store (db, nothing, &of_empty);
  ListValidator *validator = list_validator_new (G_LIST_MODEL (list), FALSE, 0);
  wait_until (g_list_model_get_n_items (G_LIST_MODEL (list)) == 2);
  g_autoptr (LdbEntry) row = g_list_model_get_item (G_LIST_MODEL (list), 0);
  drop (db, "people");
  drop (db, "nothing");
  wait_until (of_list.told && of_empty.told);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 0);
  g_assert_false (ldb_entry_get_exists (row));
  g_assert_true (ldb_list_model_is_closed (list));
  g_assert_null (ldb_list_model_get_error (list));
  list_validator_free (validator);
}

/* ---- in other processes ---- */

/* All that can follow a store, and that it has ended. */
typedef struct
{
  LdbDatabase *db;                    /* owned */
  LdbStore *store;                    /* owned */
  Listener watch;                     /* of the store */
  LdbEntry *entry;                    /* on "bob"; owned */
  LdbListModel *list;                 /* of the store; owned */
  ListValidator *validator;           /* of the list; owned */
  Ending of_watch, of_entry, of_list; /* what they said of it */
} Follower;

static void
follower_init (Follower *self, const char *path)
{
  g_autoptr (GError) error = NULL;
  *self = (Follower){ 0 };
  self->db = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  self->store = ldb_database_open_store (self->db, "people", LDB_OPEN_NONE, NULL, &error);
  g_assert_no_error (error);
  listen_to (&self->watch, ldb_store_watch_all (self->store, LDB_WATCH_EACH_KEY, &error));
  follow_end (&self->watch, &self->of_watch);
  self->entry = ldb_store_watch_entry (self->store, "bob", 3, &error);
  g_assert_no_error (error);
  g_signal_connect (self->entry, "notify::closed", G_CALLBACK (note_closed), &self->of_entry);
  self->list = list_store (self->db, self->store, &self->of_list);
  self->validator = list_validator_new (G_LIST_MODEL (self->list), FALSE, 0);
  wait_until (g_list_model_get_n_items (G_LIST_MODEL (self->list)) == 2);
}

static void
follower_expect_end (Follower *self)
{
  g_autoptr (GError) error = NULL;
  wait_until (self->of_watch.told && self->of_entry.told && self->of_list.told);
  expect (&self->watch, "people/delete bob, people/delete eve");
  g_assert_false (ldb_entry_get_exists (self->entry));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (self->list)), ==, 0);
  g_assert_null (ldb_list_model_get_error (self->list));
  list_validator_check (self->validator);
  g_assert_null (ldb_store_watch_all (self->store, LDB_WATCH_NONE, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "dropped");
}

static void
follower_clear (Follower *self)
{
  g_clear_pointer (&self->validator, list_validator_free);
  listener_clear (&self->watch);
  g_clear_object (&self->entry);
  g_clear_object (&self->list);
  g_clear_object (&self->store);
  g_clear_object (&self->db);
}

static int
follow (const char *path)
{
  Follower follower;
  follower_init (&follower, path);
  g_print ("ok 0\n");
  follower_expect_end (&follower);
  follower_clear (&follower);
  g_print ("ok 1\n");
  return 0;
}

static void
test_elsewhere (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Other) writer = { 0 }, one = { 0 }, two = { 0 };
  Follower here;
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "in people bob");
  tell (&writer, "in people eve");
  begin (&one, "--follower", place->path);
  begin (&two, "--follower", place->path);
  hear_ok (&one);
  hear_ok (&two);
  follower_init (&here, place->path);
  tell (&writer, "drop people");
  follower_expect_end (&here);
  g_assert_cmpuint (hear_ok (&one), ==, 1);
  g_assert_cmpuint (hear_ok (&two), ==, 1);
  g_assert_true (end (&one));
  g_assert_true (end (&two));
  /* One of the same name is another store. */
  guint64 last = tell (&writer, "in people zoe");
  wait_until (ldb_database_get_sequence (here.db) == last);
  run_for (30);
  g_assert_cmpuint (here.watch.told->len + here.of_watch.told + here.of_list.told, ==, 2);
  g_autoptr (LdbStore) again
      = ldb_database_open_store (here.db, "people", LDB_OPEN_NONE, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *zoe = ldb_store_get_string (again, "zoe", NULL, &error);
  g_assert_cmpstr (zoe, ==, "in a store");
  g_autofree char *bob = ldb_store_get_string (again, "bob", NULL, &error);
  g_assert_null (bob);
  g_assert_no_error (error);
  follower_clear (&here);
}

/* ---- what is refused ---- */

#define assert_gone(call)                                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_false (call);                                                                         \
    assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "dropped");                                      \
  }                                                                                                \
  G_STMT_END

static void
refuse_writes (LdbDatabase *db, LdbStore *people)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, &error);
  guint64 before = ldb_database_get_sequence (db);
  g_assert_no_error (error);
  assert_gone (ldb_store_put_string (people, "bob", "Paris", NULL, &error));
  assert_gone (ldb_store_delete (people, "bob", 3, NULL, &error));
  assert_gone (ldb_store_delete_range (people, NULL, 0, NULL, 0, NULL, &error));
  assert_gone (ldb_store_delete_range (people, "a", 1, "z", 1, NULL, &error));
  assert_gone (ldb_store_delete_prefix (people, "b", 1, NULL, &error));
  g_assert_true (ldb_batch_put_string (batch, NULL, "a", "1", &error));
  g_assert_true (ldb_batch_delete_range (batch, people, NULL, 0, NULL, 0, &error));
  assert_gone (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_true (ldb_transaction_put_string (transaction, NULL, "a", "1", &error));
  g_assert_true (ldb_transaction_delete_range (transaction, people, "a", 1, "z", 1, &error));
  assert_gone (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_true (ldb_loader_put (loader, people, "bob", 3, "Paris", 5, &error));
  assert_gone (ldb_loader_commit (loader, NULL, &error));
  g_assert_cmpuint (ldb_database_get_sequence (db), ==, before);
  g_autofree char *a = ldb_database_get_string (db, "a", NULL, &error);
  g_assert_null (a); /* nor anything that went with it */
}

static void
test_refused (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) people = make_store (db, "people", TRUE);
  drop (db, "people");
  for (guint round = 0; round < 2; round++)
    {
      refuse_writes (db, people);
      assert_gone (ldb_store_watch_all (people, LDB_WATCH_NONE, &error));
      assert_gone (ldb_store_watch_key (people, "bob", 3, LDB_WATCH_NONE, &error));
      assert_gone (ldb_store_watch_prefix (people, "b", 1, LDB_WATCH_NONE, &error));
      assert_gone (ldb_store_watch_entry (people, "bob", 3, &error));
      assert_gone (
          ldb_list_model_new (db, people, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error));
      /* Reading it finds nothing. */
      g_autofree char *bob = ldb_store_get_string (people, "bob", NULL, &error);
      g_assert_null (bob);
      g_assert_no_error (error);
      /* And once more beside another store of that name. */
      g_autoptr (LdbStore) again = make_store (db, "people", TRUE);
      g_autofree char *there = ldb_store_get_string (again, "bob", NULL, &error);
      g_assert_cmpstr (there, ==, "Paris");
    }
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--writer") == 0)
    return write_as_told (argv[2]);
  if (argc == 3 && strcmp (argv[1], "--follower") == 0)
    return follow (argv[2]);
  g_test_init (&argc, &argv, NULL);
  add_test ("/dropped-store/watches", test_watches);
  add_test ("/dropped-store/emptied", test_emptied);
  add_test ("/dropped-store/paused-and-lost", test_paused_and_lost);
  add_test ("/dropped-store/taken-back", test_taken_back);
  add_test ("/dropped-store/race", test_race);
  add_test ("/dropped-store/entries", test_entries);
  add_test ("/dropped-store/lists", test_lists);
  add_test ("/dropped-store/elsewhere", test_elsewhere);
  add_test ("/dropped-store/refused", test_refused);
  return g_test_run ();
}
