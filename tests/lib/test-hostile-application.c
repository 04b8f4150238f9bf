/* SPDX-License-Identifier: MIT */
/*
 * An application that is none: it answers inspectors as it likes. They say that the answer is wrong, or
 * take what they can use of it.
 */
#include "fake-server.h"
#include "inspector-client.h"

#include <fcntl.h>
#include <math.h>
#include <sys/file.h>
#include <sys/stat.h>

#define TOKEN "0123456789abcdef0123456789abcdef"

typedef struct
{
  FakeServer server;       /* first: its answers are found by it */
  int life;                /* its sign of life */
  GVariant *answer;        /* to each call; owned */
  LdbInspector *inspector; /* connected to it; owned */
} Hostile;

static char *
file_of (const char *rest)
{
  g_autofree char *folder = runtime_folder ();
  return g_strconcat (folder, "/" TOKEN, rest, NULL);
}

static void
write_advert (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = file_of ("-1.database");
  g_autoptr (GKeyFile) advert = g_key_file_new ();
  g_key_file_set_integer (advert, "Lightning DB", "Version", 1);
  g_key_file_set_string (advert, "Lightning DB", "Process", TOKEN);
  g_key_file_set_integer (advert, "Lightning DB", "Object", 1);
  g_key_file_set_string (advert, "Lightning DB", "Path", "file:///nowhere");
  g_key_file_set_string (advert, "Lightning DB", "Id", TOKEN);
  g_assert_true (g_key_file_save_to_file (advert, path, &error));
}

static gboolean
answer (FakeServer *server, int socket, GDBusMessage *call)
{
  Hostile *self = (Hostile *) server;
  g_autoptr (GDBusMessage) reply = g_dbus_message_new_method_reply (call);
  g_dbus_message_set_body (reply, self->answer);
  fake_server_send_message (socket, reply, 1, FALSE);
  return TRUE;
}

static void
hostile_set_up (Hostile *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = runtime_folder ();
  g_autofree char *life = file_of (".alive");
  g_autofree char *socket = file_of (".socket");
  g_mkdir (folder, 0700);
  g_assert_cmpint (mkfifo (life, 0600), ==, 0);
  self->life = open (life, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (flock (self->life, LOCK_EX | LOCK_NB), ==, 0);
  self->server.answer = answer;
  fake_server_start (&self->server, socket);
  write_advert ();
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, "/nowhere");
  g_assert_nonnull (running);
  self->inspector = ldb_inspector_open (running, NULL, &error);
  g_assert_no_error (error);
}

static void
hostile_tear_down (Hostile *self, gconstpointer data)
{
  g_autofree char *folder = runtime_folder ();
  ldb_inspector_close (self->inspector);
  g_object_unref (self->inspector);
  fake_server_stop (&self->server);
  g_clear_pointer (&self->answer, g_variant_unref);
  close (self->life);
  ldb_test_remove (folder);
}

/* What it answers from here on. */
static void
answer_with (Hostile *self, GVariant *answer)
{
  g_clear_pointer (&self->answer, g_variant_unref);
  self->answer = g_variant_ref_sink (answer);
}

/* ---- maps ---- */

#define NODE(parent, kind, name)                                                                   \
  "(" parent ", uint32 " kind ", '" name "', uint64 1, 0, uint32 0, uint32 0, @at [], @aay [], "   \
  "@aay [])"
#define MAP(nodes, next) "(uint32 1, uint64 1, int64 0, [" nodes "], @a(sxs) [], uint32 " next ")"

static void
test_maps (Hostile *self, gconstpointer data)
{
  static const char *const maps[] = {
    MAP (NODE ("0", "0", "db"), "0"),                            /* its own parent */
    MAP (NODE ("-1", "0", "db") ", " NODE ("7", "2", "x"), "0"), /* of a parent that is not there */
    MAP (NODE ("-1", "99", "db"), "0"),                          /* of no kind */
    MAP (NODE ("-1", "0", ""), "0"),                             /* without a name, each kind … */
    MAP (NODE ("-1", "0", "db") ", " NODE ("0", "1", ""), "0"),  /* … that has one */
    MAP (NODE ("-1", "0", "db") ", " NODE ("0", "4", ""), "0"),
    MAP (NODE ("-1", "0", "db") ", " NODE ("0", "6", ""), "0"),
    MAP (NODE ("-1", "0", "db") ", " NODE ("0", "7", ""), "0"),
    MAP (NODE ("-1", "0", "db") ", " NODE ("0", "8", ""), "0"),
    MAP (NODE ("-1", "0", "db") ", " NODE ("0", "9", ""), "0"),
    MAP (NODE ("-1", "0", "db"), "1"), /* it never ends */
  };
  for (guint i = 0; i < G_N_ELEMENTS (maps); i++)
    {
      g_autoptr (GError) error = NULL;
      answer_with (self, g_variant_new_parsed (maps[i]));
      g_autoptr (LdbStorageMap) map
          = ldb_inspector_load_storage_map (self->inspector, NULL, &error);
      if (map != NULL)
        g_error ("map %u was taken", i);
      assert_ldb_error (error, LDB_ERROR_FAILED, "wrong answer");
    }
}

/* ---- the rest ---- */

static void
test_values (Hostile *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  answer_with (self, g_variant_new_parsed ("(true, uint64 4611686018427387904, @ay [1])"));
  g_assert_null (ldb_inspector_get (self->inspector, 0, NULL, "k", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_FAILED, "wrong answer");
  answer_with (self, g_variant_new_parsed ("(true, uint64 5, @ay [])"));
  g_assert_null (ldb_inspector_get (self->inspector, 0, NULL, "k", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_FAILED, "wrong answer");
  answer_with (self, g_variant_new_parsed ("('something else',)"));
  g_assert_null (ldb_inspector_get (self->inspector, 0, NULL, "k", 1, NULL, &error));
  g_assert_nonnull (error);
}

static void
test_figures (Hostile *self, gconstpointer data)
{
  static const double shares[] = { NAN, -INFINITY, -1, 2 };
  g_autoptr (GError) error = NULL;
  answer_with (self, g_variant_new_parsed ("({'gets': <'many'>, 'puts': <uint64 3>, 'x': <1>},)"));
  g_autoptr (LdbStats) stats = ldb_inspector_get_stats (self->inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (stats->gets, ==, 0);
  g_assert_cmpuint (stats->puts, ==, 3);
  answer_with (self,
               g_variant_new_parsed ("({'compression_ratio': <%d>, 'page_utilisation': <%d>},)",
                                     (double) NAN, (double) INFINITY));
  g_autoptr (LdbStats) unreal = ldb_inspector_get_stats (self->inspector, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (unreal->compression_ratio, ==, 0);
  g_assert_cmpfloat (unreal->page_utilisation, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
    {
      answer_with (self, g_variant_new_parsed (
                             "((uint64 1, uint64 1, uint64 1, %d, uint64 0, @a(ut) [], uint64 0, "
                             "uint64 0, @a(ut) [], uint64 0, uint64 0, @a(ayt) [], ''),)",
                             shares[i]));
      g_autoptr (LdbSizes) sizes = ldb_inspector_measure_sizes (self->inspector, NULL, NULL, 0,
                                                                NULL, 0, 0, 1, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (sizes->share >= 0 && sizes->share <= 1);
    }
  answer_with (self, g_variant_new_parsed ("([{'kind': <-5>, 'key': <'text'>}, @a{sv} {}],)"));
  g_autoptr (GPtrArray) slow
      = ldb_inspector_list_slow_operations (self->inspector, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (slow->len, ==, 2);
  g_assert_null (((LdbSlowOperation *) g_ptr_array_index (slow, 0))->key);
  answer_with (self, g_variant_new_parsed ("([{'verdict': <-1>, 'kind': <99>, 'filter': <-9>}],)"));
  g_autoptr (GPtrArray) places
      = ldb_inspector_locate_key (self->inspector, NULL, "k", 1, NULL, &error);
  g_assert_no_error (error);
  const LdbKeyLocation *location = g_ptr_array_index (places, 0);
  g_assert_cmpint (location->verdict, <=, LDB_LOCATION_FAULT);
  g_assert_cmpint (location->filter, <=, LDB_FILTER_FUSE);
  g_autofree char *block = g_strnfill (4096, 'x');
  answer_with (self, g_variant_new ("(@ay)", text_variant (block)));
  g_assert_null (ldb_inspector_get_metrics (self->inspector, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CORRUPT, "no block of metrics");
}

/* ---- adverts ---- */

/* More than anybody has databases. */
static void
test_many_adverts (Hostile *self, gconstpointer data)
{
  g_autofree char *first = file_of ("-1.database");
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (first, &text, NULL, NULL));
  for (guint i = 2; i <= 1100; i++)
    {
      g_autofree char *rest = g_strdup_printf ("-%u.database", i);
      g_autofree char *path = file_of (rest);
      g_autofree char *line = g_strdup_printf ("Object=%u\n", i);
      g_auto (GStrv) parts = g_strsplit (text, "Object=1\n", 2);
      g_autofree char *other = g_strjoin (line, parts[0], parts[1], NULL);
      g_assert_true (g_file_set_contents (path, other, -1, NULL));
    }
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_assert_cmpuint (ldb_running_list_get_n_items (list), ==, 1000);
}

#define add_hostile(name, function)                                                                \
  g_test_add (name, Hostile, NULL, hostile_set_up, function, hostile_tear_down)

int
main (int argc, char **argv)
{
#ifdef __SANITIZE_THREAD__
  g_print ("1..0 # SKIP GDBusConnection's thread is GIO's, which is not built for it\n");
  return 0;
#endif
  g_autofree char *runtime = runtime_directory_make ();
  g_test_init (&argc, &argv, NULL);
  add_hostile ("/hostile-application/maps", test_maps);
  add_hostile ("/hostile-application/values", test_values);
  add_hostile ("/hostile-application/figures", test_figures);
  add_hostile ("/hostile-application/many-adverts", test_many_adverts);
  int status = g_test_run ();
  ldb_test_remove (runtime);
  return status;
}
