/* SPDX-License-Identifier: MIT */
/* LdbEvent: what is listed, what the signal tells, in which context, and what it costs when nobody is
 * connected. */
#include "ldb-test.h"

/* A transaction that loses `key` to somebody else. */
static void
lose (LdbDatabase *db, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_no_error (error);
  ldb_transaction_put_string (transaction, NULL, key, "mine", &error);
  g_assert_no_error (error);
  ldb_test_put (db, key, "theirs");
  ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  assert_ldb_error (error, LDB_ERROR_CONFLICT, key);
}

static GPtrArray *
list (LdbDatabase *db, guint64 after)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *events = ldb_database_list_events (db, after, &error);
  g_assert_no_error (error);
  return events;
}

static const LdbEvent *
nth (GPtrArray *events, guint index)
{
  g_assert_cmpuint (index, <, events->len);
  return g_ptr_array_index (events, index);
}

/* The number of the newest event that is kept. */
static guint64
newest (LdbDatabase *db)
{
  g_autoptr (GPtrArray) events = list (db, 0);
  return nth (events, events->len - 1)->number;
}

/* Until it is told as well, which is after it is done. */
static void
flush (LdbDatabase *db, const char *key)
{
  g_autoptr (GError) error = NULL;
  guint64 before = newest (db);
  ldb_test_put (db, key, "value");
  ldb_database_flush (db, NULL, &error);
  g_assert_no_error (error);
  while (newest (db) == before)
    g_thread_yield ();
}

/* ---- the list ---- */

static void
test_list (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GPtrArray) events = list (db, 0);
  g_assert_cmpuint (events->len, ==, 1);
  g_assert_cmpint (nth (events, 0)->kind, ==, LDB_EVENT_OPENED);
  g_assert_cmpuint (nth (events, 0)->number, ==, 1);
  g_assert_cmpint (nth (events, 0)->code, ==, -1);
  g_assert_null (nth (events, 0)->message);
  gint64 now = g_get_real_time ();
  g_assert_cmpint (nth (events, 0)->time, >, now - 600 * G_USEC_PER_SEC);
  g_assert_cmpint (nth (events, 0)->time, <, now + 600 * G_USEC_PER_SEC);

  lose (db, "key");
  lose (db, "key");
  g_autoptr (GPtrArray) more = list (db, 1);
  g_assert_cmpuint (more->len, ==, 1);
  g_autoptr (LdbEvent) copy = ldb_event_copy (nth (more, 0));
  g_assert_cmpint (copy->kind, ==, LDB_EVENT_CONFLICT);
  g_assert_cmpuint (copy->times, ==, 2);
  g_assert_cmpuint (copy->key_length, ==, 3);
  g_assert_cmpint (copy->last, >=, copy->time);
  assert_bytes (copy->key, "key");
  g_autofree char *text = ldb_event_describe (copy);
  g_assert_nonnull (strstr (text, "(2 times)"));
  g_assert_null (strstr (text, "key"));
  g_autofree char *json = ldb_event_to_json (copy);
  g_assert_nonnull (strstr (json, "\"kind\":\"conflict\""));
  g_assert_nonnull (strstr (json, "\"key\":\"key\""));
  g_assert_nonnull (strstr (json, "\"number\":2,"));

  flush (db, "a");
  g_autoptr (GPtrArray) flushes = list (db, 2);
  g_assert_cmpint (nth (flushes, 0)->kind, ==, LDB_EVENT_FLUSHED);
  g_assert_cmpuint (nth (flushes, 0)->size, >, 0);
  g_assert_cmpuint (nth (flushes, 0)->duration, >, 0);

  g_autoptr (GError) error = NULL;
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (ldb_database_list_events (db, 0, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "closed");
}

/* Every kind has a sentence of its own. */
static void
test_words (Place *place, gconstpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (int kind = LDB_EVENT_OPENED; kind <= LDB_EVENT_HEALTH; kind++)
    {
      LdbEvent event = { .kind = (LdbEventKind) kind, .times = 1, .size = 1000, .duration = 5 };
      char *text = ldb_event_describe (&event);
      g_assert_true (g_hash_table_add (seen, text));
      event.message = (char *) "the reason";
      g_autofree char *longer = ldb_event_describe (&event);
      g_assert_true (g_str_has_suffix (longer, ": the reason"));
    }
}

/* ---- the signal ---- */

typedef struct
{
  LdbDatabase *closes; /* closed by the first event; borrowed */
  GThread *thread;     /* in which events are to come; borrowed */
  guint count;         /* of events */
  guint64 first, last; /* numbers */
  gboolean nested;     /* the context is run within */
} Heard;

static void
hear (LdbDatabase *db, LdbEvent *event, gpointer data)
{
  Heard *heard = data;
  g_assert_true (g_thread_self () == heard->thread);
  g_assert_cmpuint (event->number, >, heard->last);
  if (heard->count++ == 0)
    heard->first = event->number;
  heard->last = event->number;
  if (heard->closes != NULL)
    {
      g_autoptr (GError) error = NULL;
      ldb_database_close (g_steal_pointer (&heard->closes), NULL, &error);
      g_assert_no_error (error);
    }
  if (heard->nested)
    while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
      ;
}

static void
wait_for (const Heard *heard, guint64 number)
{
  while (heard->last < number)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
}

static void
drain (void)
{
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
}

static void
test_signal (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbDatabase) other = place_open (place, NULL);
  Heard heard = { .thread = g_thread_self () }, another = heard;
  lose (db, "before");
  drain ();
  gulong id = g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
  lose (db, "one");
  lose (db, "two");
  g_assert_cmpuint (heard.count, ==, 0); /* not within the call */
  wait_for (&heard, 4);
  g_assert_cmpuint (heard.count, ==, 2);
  g_assert_cmpuint (heard.first, ==, 3); /* not what was before anybody was connected */

  g_signal_connect (other, "event", G_CALLBACK (hear), &another);
  flush (db, "key");
  guint64 number = newest (db);
  wait_for (&heard, number);
  wait_for (&another, number);
  g_assert_cmpuint (another.first, ==, 5);

  g_signal_handler_disconnect (db, id);
  guint count = heard.count;
  lose (db, "three");
  wait_for (&another, newest (db));
  drain ();
  g_assert_cmpuint (heard.count, ==, count);
}

/* Nobody is connected: no main loop is woken. */
static void
test_idle (Place *place, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  {
    g_autoptr (LdbDatabase) db = place_open (place, NULL);
    Heard heard = { .thread = g_thread_self () };
    lose (db, "one");
    g_assert_false (g_main_context_pending (context));
    gulong id = g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
    lose (db, "two");
    g_assert_true (g_main_context_pending (context));
    wait_for (&heard, 3);
    g_signal_handler_disconnect (db, id);
    lose (db, "three");
    g_assert_false (g_main_context_pending (context));
    g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
    lose (db, "four");
    wait_for (&heard, 5);
    g_assert_cmpuint (heard.count, ==, 2); /* "three" was nobody's */
  }
  g_main_context_pop_thread_default (context);
}

/* A main loop that hangs holds nothing, and is told of the newest; the gap shows. */
static void
test_flood (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Heard heard = { .thread = g_thread_self (), .nested = TRUE };
  g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
  for (guint i = 0; i < 400; i++)
    lose (db, i % 2 == 0 ? "even" : "odd");
  wait_for (&heard, newest (db));
  g_assert_cmpuint (heard.count, ==, 192);
  g_assert_cmpuint (heard.first, ==, 401 - 192 + 1);
}

/* What a handler may do: close the database, which ends it. */
static void
test_close (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Heard heard = { .thread = g_thread_self (), .closes = db };
  g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
  lose (db, "one");
  lose (db, "two");
  wait_for (&heard, 2);
  drain ();
  g_assert_cmpuint (heard.count, ==, 1);
}

/* What was on its way when the handle was closed, or went, does not come any more. */
static void
test_closed_before (Place *place, gconstpointer data)
{
  Heard heard = { .thread = g_thread_self () };
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (LdbDatabase) db = place_open (place, NULL);
      g_autoptr (GError) error = NULL;
      g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
      lose (db, "one");
      if (round == 0)
        ldb_database_close (db, NULL, &error);
      g_assert_no_error (error);
    }
  drain ();
  g_assert_cmpuint (heard.count, ==, 0);
}

/* A reader that takes over tells of the engine that it has from then on. */
static void
test_take_over (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) writer = place_open (place, NULL);
  g_autoptr (GError) error = NULL;
  ldb_database_close (writer, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LdbDatabase) db
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  Heard heard = { .thread = g_thread_self () };
  g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
  ldb_database_take_over (db, NULL, &error);
  g_assert_no_error (error);
  guint64 before = newest (db);
  lose (db, "key");
  wait_for (&heard, before + 1);
  g_assert_cmpuint (heard.count, ==, 1);
}

/* ---- contexts ---- */

typedef struct
{
  Place *place;    /* borrowed */
  gint ready;      /* boolean: it is connected; atomic */
  guint64 awaited; /* until it has heard this */
} Elsewhere;

static gpointer
listen_elsewhere (gpointer data)
{
  Elsewhere *elsewhere = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  {
    g_autoptr (LdbDatabase) db = place_open (elsewhere->place, NULL);
    Heard heard = { .thread = g_thread_self () };
    g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
    g_atomic_int_set (&elsewhere->ready, TRUE);
    wait_for (&heard, elsewhere->awaited);
  }
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* A handle made in another thread's context tells it there, while events happen here. */
static void
test_contexts (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Elsewhere elsewhere = { .place = place, .awaited = 21 };
  Heard heard = { .thread = g_thread_self () };
  g_signal_connect (db, "event", G_CALLBACK (hear), &heard);
  GThread *thread = g_thread_new ("elsewhere", listen_elsewhere, &elsewhere);
  while (!g_atomic_int_get (&elsewhere.ready))
    g_thread_yield ();
  for (guint i = 0; i < 20; i++)
    lose (db, i % 2 == 0 ? "even" : "odd");
  g_thread_join (thread);
  wait_for (&heard, 21);
  g_assert_cmpuint (heard.count, ==, 20);
}

/* Handles come and go while events happen on other threads. */
static gpointer
lose_many (gpointer data)
{
  for (guint i = 0; i < 300; i++)
    lose (data, i % 2 == 0 ? "even" : "odd");
  return NULL;
}

static void
test_churn (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  GThread *thread = g_thread_new ("loser", lose_many, db);
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (LdbDatabase) handle = place_open (place, NULL);
      Heard heard = { .thread = g_thread_self () };
      g_signal_connect (handle, "event", G_CALLBACK (hear), &heard);
      g_main_context_iteration (NULL, FALSE);
    }
  g_thread_join (thread);
  drain ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/events/list", test_list);
  add_test ("/events/words", test_words);
  add_test ("/events/signal", test_signal);
  add_test ("/events/idle", test_idle);
  add_test ("/events/flood", test_flood);
  add_test ("/events/close", test_close);
  add_test ("/events/closed-before", test_closed_before);
  add_test ("/events/take-over", test_take_over);
  add_test ("/events/contexts", test_contexts);
  add_test ("/events/churn", test_churn);
  return g_test_run ();
}
