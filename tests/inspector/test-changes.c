/* SPDX-License-Identifier: MIT */
/* What was committed while somebody looked: in order, held and let in, as lines of JSON. */
#include <glib/gstdio.h>

#include "insp-change-log.h"
#include "insp-watch-lanes.h"
#include "insp-watch-log.h"

#define LIMIT (20 * G_USEC_PER_SEC)

typedef struct
{
  char *directory;
  LdbDatabase *database;
  LdbWatch *watch;
  GPtrArray *told; /* LdbChange, of the last batch */
  InspChangeLog *log;
} Fixture;

static void
on_changed (Fixture *self, LdbChangeSet *changes)
{
  g_clear_pointer (&self->told, g_ptr_array_unref);
  self->told = ldb_change_set_list (changes);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->directory = g_dir_make_tmp ("inspector-changes-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (self->directory, "database", NULL);
  self->database = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  self->watch
      = ldb_database_watch_all (self->database, LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES, &error);
  g_assert_no_error (error);
  ldb_watch_set_batch_interval (self->watch, 0);
  g_signal_connect_swapped (self->watch, "changed", G_CALLBACK (on_changed), self);
  self->log = insp_change_log_new ();
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->directory, "database", NULL);
  g_object_unref (self->log);
  g_clear_pointer (&self->told, g_ptr_array_unref);
  g_object_unref (self->watch);
  g_assert_true (ldb_database_close (self->database, NULL, NULL));
  g_object_unref (self->database);
  g_assert_true (ldb_database_destroy (path, NULL, NULL));
  g_rmdir (self->directory);
  g_free (self->directory);
}

/* Commits, and adds what the watch is told of it. */
static void
put (Fixture *self, const char *key, const char *value)
{
  gint64 end = g_get_monotonic_time () + LIMIT;
  g_clear_pointer (&self->told, g_ptr_array_unref);
  if (value != NULL)
    g_assert_true (ldb_database_put_string (self->database, key, value, NULL, NULL));
  else
    g_assert_true (ldb_database_delete_string (self->database, key, NULL, NULL));
  while (self->told == NULL)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_main_context_iteration (NULL, TRUE);
    }
  insp_change_log_add (self->log, self->told, (gint64) 1000000000 * G_USEC_PER_SEC);
}

static void
assert_keys (Fixture *self, const char *const *expected)
{
  InspRowList *list = insp_change_log_get_list (self->log);
  const InspChangeEntry *entry;
  guint i = 0;
  for (; (entry = insp_row_list_get (list, i)) != NULL; i++)
    {
      g_autofree char *key = ldb_change_dup_key_string (entry->change);
      g_assert_cmpstr (key, ==, expected[i]);
    }
  g_assert_null (expected[i]);
}

#define ASSERT_KEYS(self, ...) assert_keys (self, (const char *const[]){ __VA_ARGS__, NULL })

static void
test_order (Fixture *self, gconstpointer data)
{
  put (self, "a", "1");
  put (self, "b", "2");
  ASSERT_KEYS (self, "b", "a"); /* the newest is first */
  g_assert_cmpuint (insp_change_log_get_waiting (self->log), ==, 0);
}

static void
test_hold (Fixture *self, gconstpointer data)
{
  put (self, "a", "1");
  insp_change_log_set_paused (self->log, TRUE);
  put (self, "b", "1");
  put (self, "c", "1");
  put (self, "d", "1");
  ASSERT_KEYS (self, "a");
  g_assert_cmpuint (insp_change_log_get_waiting (self->log), ==, 3);
  insp_change_log_step (self->log); /* the oldest */
  ASSERT_KEYS (self, "b", "a");
  insp_change_log_set_paused (self->log, FALSE);
  ASSERT_KEYS (self, "d", "c", "b", "a");
  g_assert_cmpuint (insp_change_log_get_waiting (self->log), ==, 0);
  insp_change_log_step (self->log); /* nothing waits */
  put (self, "e", "1");
  ASSERT_KEYS (self, "e", "d", "c", "b", "a");
}

static void
assert_json (Fixture *self, const char *expected)
{
  const InspChangeEntry *entry = insp_row_list_get (insp_change_log_get_list (self->log), 0);
  g_autofree char *json = insp_change_entry_to_json (entry);
  g_assert_cmpstr (json, ==, expected);
}

static void
test_json (Fixture *self, gconstpointer data)
{
  put (self, "a\"b\\c\n", "\x01 one");
  assert_json (self, "{\"commit\":1,\"time\":\"2001-09-09T01:46:40Z\",\"kind\":\"put\",\"store\":"
                     "\"default\",\"key\":\"a\\\"b\\\\\\\\c\\\\n\",\"value\":\"\\\\x01 one\"}");
  put (self, "a\"b\\c\n", "2");
  assert_json (self, "{\"commit\":2,\"time\":\"2001-09-09T01:46:40Z\",\"kind\":\"put\",\"store\":"
                     "\"default\",\"key\":\"a\\\"b\\\\\\\\c\\\\n\",\"before\":\"\\\\x01 one\","
                     "\"value\":\"2\"}");
  put (self, "a\"b\\c\n", NULL);
  assert_json (self, "{\"commit\":3,\"time\":\"2001-09-09T01:46:40Z\",\"kind\":\"delete\","
                     "\"store\":\"default\",\"key\":\"a\\\"b\\\\\\\\c\\\\n\",\"before\":\"2\"}");
}

static LdbActiveWatch *
a_watch (guint64 id, LdbWatchKind kind, const char *start, const char *end, gboolean inspector)
{
  LdbActiveWatch watch = { .id = id, .kind = kind, .inspector = inspector };
  watch.start = start != NULL ? g_bytes_new_static (start, strlen (start)) : NULL;
  watch.end = end != NULL ? g_bytes_new_static (end, strlen (end)) : NULL;
  watch.start_length = start != NULL ? strlen (start) : 0;
  watch.end_length = end != NULL ? strlen (end) : 0;
  LdbActiveWatch *made = ldb_active_watch_copy (&watch);
  g_clear_pointer (&watch.start, g_bytes_unref);
  g_clear_pointer (&watch.end, g_bytes_unref);
  return made;
}

static void
set_watches (InspWatchLog *log, LdbActiveWatch *one, LdbActiveWatch *other)
{
  g_autoptr (GPtrArray) watches
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_active_watch_free);
  g_ptr_array_add (watches, one);
  if (other != NULL)
    g_ptr_array_add (watches, other);
  insp_watch_log_set_watches (log, watches);
}

static void
add_deliveries (InspWatchLog *log, guint64 first, const guint64 *watches, guint count)
{
  g_autoptr (GPtrArray) all
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_watch_delivery_free);
  for (guint i = 0; i < count; i++)
    g_ptr_array_add (all, ldb_watch_delivery_copy (&(LdbWatchDelivery){
                              .number = first + i, .watch = watches[i], .delivered = 1 }));
  insp_watch_log_add (log, all);
}

/* What inspectors follow is left out, also what they were told before they were known to be; a watch that
 * is gone keeps its name. */
static void
test_watches (void)
{
  g_autoptr (InspWatchLog) log = insp_watch_log_new ();
  InspRowList *watches = insp_watch_log_get_watches (log);
  InspRowList *deliveries = insp_watch_log_get_deliveries (log);
  add_deliveries (log, 1, (const guint64[]){ 7, 8 }, 2);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (deliveries)), ==, 2);
  set_watches (log, a_watch (8, LDB_WATCH_KIND_STORES, NULL, NULL, TRUE),
               a_watch (7, LDB_WATCH_KIND_PREFIX, "user:", NULL, FALSE));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (watches)), ==, 1);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (deliveries)), ==, 1);
  add_deliveries (log, 3, (const guint64[]){ 8, 7, 8 }, 3);
  g_assert_cmpuint (insp_watch_log_get_newest (log), ==, 5);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (deliveries)), ==, 2);
  g_assert_cmpuint (((const LdbWatchDelivery *) insp_row_list_get (deliveries, 0))->number, ==, 4);
  set_watches (log, a_watch (9, LDB_WATCH_KIND_RANGE, "a", "b", FALSE),
               a_watch (11, LDB_WATCH_KIND_LIST, "list:", "list;", FALSE));
  g_assert_cmpstr (insp_watch_log_get_name (log, 7), ==, "Prefix user:…");
  g_assert_cmpstr (insp_watch_log_get_name (log, 9), ==, "Range a to b");
  g_assert_cmpstr (insp_watch_log_get_name (log, 11), ==, "List list:…");
  g_assert_cmpstr (insp_watch_log_get_name (log, 10), ==, "Closed");
}

/* 12 ms are in the middle of a lane, later is higher, and nothing is above it. */
static void
test_lanes (void)
{
  const LdbWatchDelivery soon = { .committed = 1000, .delivered = 1300 },
                         unknown = { .delivered = 5 };
  g_assert_cmpint (insp_watch_get_delay (&soon), ==, 300);
  g_assert_cmpint (insp_watch_get_delay (&unknown), ==, -1);
  g_assert_cmpfloat (insp_watch_lanes_place (INSP_WATCH_AIM), ==, 0.5);
  g_assert_cmpfloat (insp_watch_lanes_place (-1), ==, 0);
  double below = -1;
  for (gint64 delay = 0; delay < (gint64) 1 << 40; delay = delay * 2 + 100)
    {
      g_assert_cmpfloat (insp_watch_lanes_place (delay), >, below);
      below = insp_watch_lanes_place (delay);
      g_assert_cmpfloat (below, <=, 1);
    }
}

/* An application notes what it tells from a question on, for ten seconds: what lies before, and between, is
 * not known. */
static void
test_gaps (void)
{
  static const gint64 answers[] = { 100, 105, 114, 124, 140, 141, 1000 }; /* seconds */
  static const gint64 gaps[][2] = { { 0, 100 }, { 134, 140 }, { 151, 1000 } };
  g_autoptr (InspWatchLog) log = insp_watch_log_new ();
  gint64 start, end;
  g_assert_false (insp_watch_log_get_gap (log, 0, &start, &end));
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    insp_watch_log_note_answer (log, answers[i] * G_USEC_PER_SEC);
  for (guint i = 0; i < G_N_ELEMENTS (gaps); i++)
    {
      g_assert_true (insp_watch_log_get_gap (log, i, &start, &end));
      g_assert_cmpint (start, ==, gaps[i][0] * G_USEC_PER_SEC);
      g_assert_cmpint (end, ==, gaps[i][1] * G_USEC_PER_SEC);
    }
  g_assert_false (insp_watch_log_get_gap (log, G_N_ELEMENTS (gaps), &start, &end));
}

int
main (int argument_count, char **arguments)
{
  g_test_init (&argument_count, &arguments, NULL);
  g_test_add ("/changes/order", Fixture, NULL, set_up, test_order, tear_down);
  g_test_add ("/changes/hold", Fixture, NULL, set_up, test_hold, tear_down);
  g_test_add ("/changes/json", Fixture, NULL, set_up, test_json, tear_down);
  g_test_add_func ("/changes/watches", test_watches);
  g_test_add_func ("/changes/lanes", test_lanes);
  g_test_add_func ("/changes/gaps", test_gaps);
  return g_test_run ();
}
