/* SPDX-License-Identifier: MIT */
/*
 * A database that is shared with inspectors: what they find, read, follow and change, and what they
 * may not. Abuse is in test-inspection-abuse.c.
 */
#include "inspector-client.h"

#include <sys/stat.h>
#include <sys/wait.h>

static LdbDatabase *
open_shared (Place *place)
{
  LdbDatabase *db = place_open (place, NULL);
  ldb_database_set_inspectable (db, TRUE);
  return db;
}

/* ---- being found ---- */

static void
assert_nothing_shared (void)
{
  g_autoptr (GPtrArray) files = runtime_files ("");
  g_assert_cmpuint (files->len, ==, 0);
}

static void
test_advert (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  struct stat info;
  assert_nothing_shared ();
  g_assert_false (ldb_database_get_inspectable (db));
  ldb_database_set_inspectable (db, TRUE);
  g_assert_true (ldb_database_get_inspectable (db));
  g_autofree char *folder = runtime_folder ();
  g_assert_cmpint (stat (folder, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0700);
  g_autofree char *advert = runtime_file (".database");
  g_assert_cmpint (stat (advert, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0600);
  g_key_file_load_from_file (file, advert, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  g_autofree char *id = g_key_file_get_string (file, "Lightning DB", "Id", NULL);
  g_autofree char *uri = g_key_file_get_string (file, "Lightning DB", "Path", NULL);
  g_autofree char *path = g_filename_from_uri (uri, NULL, NULL);
  g_assert_cmpstr (id, ==, ldb_database_get_id (db));
  g_assert_cmpstr (path, ==, place->path);
  ldb_database_set_inspectable (db, FALSE);
  assert_nothing_shared ();
  ldb_database_set_inspectable (db, TRUE);
  ldb_test_close (db);
  assert_nothing_shared ();
}

/* Where it is, though the process has gone to another folder since it opened it by a relative path. */
static void
test_advert_of_relative_path (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *before = g_get_current_dir ();
  g_autofree char *name = g_path_get_basename (place->path);
  g_assert_cmpint (g_chdir (place->directory), ==, 0);
  g_autoptr (LdbDatabase) db = ldb_database_open (name, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_chdir (before), ==, 0);
  ldb_database_set_inspectable (db, TRUE);
  g_autofree char *advert = runtime_file (".database");
  g_key_file_load_from_file (file, advert, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  g_autofree char *uri = g_key_file_get_string (file, "Lightning DB", "Path", NULL);
  g_autofree char *path = g_filename_from_uri (uri, NULL, NULL);
  g_assert_cmpstr (path, ==, place->path);
#ifndef __SANITIZE_THREAD__ /* GFileMonitor's thread is GIO's, which is not built for it */
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_assert_null (ldb_running_list_find (list, ldb_database_get_path (db)));
  g_autoptr (LdbRunningDatabase) found = ldb_running_list_find_database (list, db);
  g_assert_cmpstr (ldb_running_database_get_path (found), ==, place->path);
#endif
}

/* It is shared while one of its handles wants that. */
static void
test_handles (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) one = open_shared (place);
  g_autoptr (LdbDatabase) other = place_open (place, NULL);
  g_autoptr (LdbDatabase) third = open_shared (place);
  g_autofree char *advert = runtime_file (".database");
  ldb_test_close (one);
  g_autofree char *same = runtime_file (".database");
  g_assert_cmpstr (advert, ==, same);
  ldb_database_set_inspectable (third, FALSE);
  assert_nothing_shared ();
  g_assert_false (ldb_database_is_closed (other));
  g_autoptr (GPtrArray) open = ldb_database_list_open ();
  g_assert_cmpuint (open->len, ==, 2);
}

static gboolean
advert_says_read_only (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *advert = runtime_file (".database"); /* the only one */
  g_key_file_load_from_file (file, advert, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  return g_key_file_get_boolean (file, "Lightning DB", "ReadOnly", NULL);
}

/* A handle that takes over shares the engine that writes from then on, and that alone. */
static void
test_taken_over (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *made = place_open (place, NULL);
  ldb_test_close (made);
  g_object_unref (made);
  g_autoptr (LdbDatabase) db
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  ldb_database_set_inspectable (db, TRUE);
  g_assert_true (advert_says_read_only ());
  g_assert_true (ldb_database_take_over (db, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (advert_says_read_only ());
  ldb_test_put (db, "a", "1");
  ldb_test_close (db);
  assert_nothing_shared ();
}

static void
count_notification (GObject *object, GParamSpec *property, gpointer data)
{
  ++*(guint *) data;
}

static void
test_properties (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint inspectable = 0, control = 0;
  gboolean value;
  g_autoptr (LdbDatabase) db
      = g_initable_new (LDB_TYPE_DATABASE, NULL, &error, "path", place->path, "flags",
                        LDB_OPEN_CREATE, "inspectable", TRUE, "control-allowed", TRUE, NULL);
  g_assert_no_error (error);
  g_autofree char *advert = runtime_file (".database");
  g_assert_true (ldb_database_get_control_allowed (db));
  g_signal_connect (db, "notify::inspectable", G_CALLBACK (count_notification), &inspectable);
  g_signal_connect (db, "notify::control-allowed", G_CALLBACK (count_notification), &control);
  g_object_set (db, "inspectable", TRUE, "control-allowed", FALSE, NULL);
  g_object_get (db, "control-allowed", &value, NULL);
  g_assert_false (value);
  g_assert_cmpuint (inspectable, ==, 0);
  g_assert_cmpuint (control, ==, 1);
}

/* What the environment asks for, in a process of its own. */
static void
test_environment (void)
{
  static const struct
  {
    const char *name, *value; /* of a variable */
    guint shared;             /* databases then */
  } cases[] = {
    { "LIGHTNING_INSPECT", "1", 1 },
    { "LIGHTNING_INSPECT", "0", 0 },
    { "GTK_DEBUG", "actions,interactive", 1 },
    { "GTK_DEBUG", "actions", 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Place place;
      place_set_up (&place, NULL);
      g_setenv (cases[i].name, cases[i].value, TRUE);
      LdbDatabase *db = place_open (&place, NULL);
      g_unsetenv (cases[i].name);
      g_autoptr (GPtrArray) adverts = runtime_files (".database");
      g_assert_cmpuint (adverts->len, ==, cases[i].shared);
      g_object_unref (db);
      place_tear_down (&place, NULL);
    }
}

static guint warnings; /* that a database could not be shared */

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
  for (gsize i = 0; i < count; i++)
    if (strcmp (fields[i].key, "LDB_EVENT") == 0
        && strcmp (fields[i].value, "not-inspectable") == 0)
      {
        warnings++;
        return G_LOG_WRITER_HANDLED;
      }
  return g_log_writer_default (level, fields, count, data);
}

/* A folder that others may look into is not used, and the database works all the same. */
static void
test_unsafe_folder (Place *place, gconstpointer data)
{
  g_autofree char *folder = runtime_folder ();
  g_mkdir (folder, 0700);
  g_chmod (folder, 0755);
  guint before = warnings;
  g_autoptr (LdbDatabase) db = open_shared (place);
  g_assert_cmpuint (warnings, ==, before + 1);
  ldb_test_put (db, "a", "1");
  g_chmod (folder, 0700);
  assert_nothing_shared ();
  ldb_database_set_inspectable (db, FALSE);
  ldb_database_set_inspectable (db, TRUE);
  g_autofree char *advert = runtime_file (".database");
}

static LdbDatabase *
open_counted (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_setenv ("LIGHTNING_INSPECT", "1", TRUE);
  LdbDatabase *db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_unsetenv ("LIGHTNING_INSPECT");
  g_assert_no_error (error);
  return db;
}

/* The second one's advert cannot be written: nothing is left of it. */
static void
test_half_offered (Place *place, gconstpointer data)
{
  g_autofree char *other = g_build_filename (place->directory, "other", NULL);
  g_autoptr (LdbDatabase) db = open_counted (place->path);
  g_autoptr (GPtrArray) counters = runtime_files (".counters"); /* none where it is not in memory */
  g_autofree char *socket = runtime_file (".socket");
  g_autofree char *folder = runtime_folder ();
  g_autofree char *name = g_path_get_basename (socket);
  g_autofree char *obstacle = g_strdup_printf ("%s/.%.32s-new", folder, name);
  guint before = warnings;
  g_assert_cmpint (g_mkdir (obstacle, 0700), ==, 0);
  g_autoptr (LdbDatabase) half = open_counted (other);
  g_assert_cmpuint (warnings, ==, before + 1);
  g_assert_cmpint (g_rmdir (obstacle), ==, 0);
  g_autoptr (GPtrArray) left = runtime_files (".counters");
  g_assert_cmpuint (left->len, ==, counters->len);
  g_autofree char *advert = runtime_file (".database");
  ldb_database_set_inspectable (half, TRUE);
  ldb_test_close (half);
  ldb_test_close (db);
  assert_nothing_shared ();
}

/* Whether the process has anything open in the folder, or a socket; without allocating. */
static gboolean
holds_something (void)
{
  char link[32], target[256];
  for (guint i = 0; i < 1024; i++)
    {
      g_snprintf (link, sizeof link, "/proc/self/fd/%u", i);
      gssize length = readlink (link, target, sizeof target - 1);
      target[MAX (length, 0)] = '\0';
      if (strstr (target, "/lightning-db-1") != NULL || g_str_has_prefix (target, "socket:"))
        return TRUE;
    }
  return FALSE;
}

/* The child of a fork gives everything back, also while the parent's thread is ending: a sign of life
 * that it held would outlive the parent. */
static void
test_forked_while_ending (Place *place, gconstpointer data)
{
  for (guint i = 0; i < 30; i++)
    {
      int status;
      g_autoptr (LdbDatabase) db = open_shared (place);
      ldb_database_set_inspectable (db, FALSE);
      pid_t child = fork ();
      if (child == 0)
        _exit (holds_something () ? 1 : 0);
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
      ldb_test_close (db);
    }
}

/* ---- looking ---- */

static void
test_look (Place *place, gconstpointer data)
{
  Client client;
  guint64 commits;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_shared (place);
  for (guint i = 0; i < 25; i++)
    {
      g_autofree char *key = g_strdup_printf ("key-%02u", i);
      ldb_test_put (db, key, "value");
    }
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "other", LDB_OPEN_CREATE, NULL, &error);
  g_assert_no_error (error);
  client_open (&client);
  g_autoptr (GVariant) reply = client_call (&client, "GetStatistics", NULL);
  g_autoptr (GVariant) statistics = g_variant_get_child_value (reply, 0);
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_true (g_variant_lookup (statistics, "commits", "t", &commits));
  g_assert_cmpuint (commits, ==, stats->commits);
  g_autoptr (GVariant) names = client_call (&client, "ListStores", NULL);
  g_autofree char *text = g_variant_print (names, FALSE);
  g_assert_cmpstr (text, ==, "(['default', 'other'],)");
  g_autoptr (GVariant) options = client_call (&client, "GetOptions", NULL);
  g_autofree char *options_text = g_variant_print (options, FALSE);
  g_assert_nonnull (strstr (options_text, "'cache-size'"));
  client_close (&client);
}

static guint64
count_pinned (Client *client)
{
  guint64 pinned = G_MAXUINT64;
  g_autoptr (GVariant) reply = client_call (client, "GetStatistics", NULL);
  g_autoptr (GVariant) statistics = g_variant_get_child_value (reply, 0);
  g_assert_true (g_variant_lookup (statistics, "cache_pinned", "t", &pinned));
  return pinned;
}

/* A page whose bytes somebody holds is told of until they are let go, also when it was evicted. */
static void
test_pinned (Place *place, gconstpointer data)
{
  Client client;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = open_shared (place);
  g_autofree char *value = g_strnfill (3000, 'v');
  ldb_test_put (db, "key", value);
  g_assert_true (ldb_database_flush (db, NULL, &error));
  client_open (&client);
  g_assert_cmpuint (count_pinned (&client), ==, 0);
  GBytes *held = ldb_database_get (db, "key", 3, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_pinned (&client), ==, 1);
  ldb_database_evict_cache (db, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_pinned (&client), ==, 1);
  g_bytes_unref (held);
  g_assert_cmpuint (count_pinned (&client), ==, 0);
  client_close (&client);
}

static void
test_standard_interfaces (Place *place, gconstpointer data)
{
  Client client;
  char *error;
  const char *xml, *id;
  g_autoptr (LdbDatabase) db = open_shared (place);
  client_open (&client);
  g_autoptr (GVariant) introspection = client_call_on (
      &client, 1, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, &error);
  g_variant_get (introspection, "(&s)", &xml);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (xml, &failure);
  g_assert_no_error (failure);
  GDBusInterfaceInfo *interface = g_dbus_node_info_lookup_interface (node, CLIENT_INTERFACE);
  g_assert_nonnull (interface);
  g_assert_nonnull (g_dbus_interface_info_lookup_method (interface, "Commit"));
  g_autoptr (GVariant) all
      = client_call_on (&client, 1, "org.freedesktop.DBus.Properties", "GetAll",
                        g_variant_new ("(s)", CLIENT_INTERFACE), &error);
  g_autoptr (GVariant) properties = g_variant_get_child_value (all, 0);
  g_assert_true (g_variant_lookup (properties, "Id", "&s", &id));
  g_assert_cmpstr (id, ==, ldb_database_get_id (db));
  guint known = 0;
  while (interface->properties[known] != NULL)
    known++;
  g_assert_cmpuint (g_variant_n_children (properties), ==, known);
  g_assert_null (client_call_on (&client, 1, "org.freedesktop.DBus.Properties", "Get",
                                 g_variant_new ("(ss)", CLIENT_INTERFACE, "Nothing"), &error));
  g_free (error);
  g_assert_null (client_call_on (&client, 7, CLIENT_INTERFACE, "ListStores", NULL, &error));
  g_assert_true (g_str_has_prefix (error, "org.freedesktop.DBus.Error.UnknownObject"));
  g_free (error);
  client_fail (&client, "Nonsense", NULL, "org.freedesktop.DBus.Error.UnknownMethod");
  client_fail (&client, "CloseSnapshot", g_variant_new ("(s)", "1"),
               "org.freedesktop.DBus.Error.InvalidArgs");
  client_close (&client);
}

/* "a=1 b=2", with a plus behind it when there may be more. */
static char *
read_page (Client *client, guint snapshot, const char *start, const char *end, guint flags,
           guint limit, guint value_limit)
{
  GString *text = g_string_new (NULL);
  gboolean more;
  g_autoptr (GVariant) reply
      = client_call (client, "Read",
                     g_variant_new ("(us@ay@ayuuu)", snapshot, "", text_variant (start),
                                    text_variant (end), flags, limit, value_limit));
  g_autoptr (GVariant) records = NULL;
  g_variant_get (reply, "(@a(ayayt)b@ay)", &records, &more, NULL);
  for (gsize i = 0; i < g_variant_n_children (records); i++)
    {
      g_autoptr (GVariant) key = NULL;
      g_autoptr (GVariant) value = NULL;
      guint64 size;
      g_variant_get_child (records, i, "(@ay@ayt)", &key, &value, &size);
      g_string_append_printf (text, "%s%.*s=%.*s", i > 0 ? " " : "", (int) g_variant_get_size (key),
                              (const char *) g_variant_get_data (key),
                              (int) g_variant_get_size (value),
                              (const char *) g_variant_get_data (value));
      if (size > g_variant_get_size (value))
        g_string_append_printf (text, "/%" G_GUINT64_FORMAT, size);
    }
  return g_string_free (more ? g_string_append_c (text, '+') : text, FALSE);
}

#define assert_page(expected, ...)                                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    char *page_ = read_page (__VA_ARGS__);                                                         \
    g_assert_cmpstr (page_, ==, expected);                                                         \
    g_free (page_);                                                                                \
  }                                                                                                \
  G_STMT_END

static void
test_read (Place *place, gconstpointer data)
{
  Client client;
  g_autoptr (LdbDatabase) db = open_shared (place);
  ldb_test_put (db, "a", "1");
  ldb_test_put (db, "b", "two");
  ldb_test_put (db, "c", "3");
  client_open (&client);
  assert_page ("a=1 b=two c=3", &client, 0, "", "", 0, 10, 100);
  assert_page ("a=1 b=two+", &client, 0, "", "", 0, 2, 100);
  assert_page ("b=tw/3", &client, 0, "b", "c", 0, 10, 2);
  assert_page ("c=3 b=two+", &client, 0, "", "", 1, 2, 100);
  assert_page ("a= b= c=", &client, 0, "", "", 2, 10, 100);
  assert_page ("", &client, 0, "x", "", 0, 10, 100);
  client_fail (
      &client, "Read",
      g_variant_new ("(us@ay@ayuuu)", 0, "missing", text_variant (""), text_variant (""), 0, 1, 1),
      "org.lightningdb.Error.NotFound");
  client_close (&client);
}

static void
test_pages (Place *place, gconstpointer data)
{
  Client client;
  gboolean more = TRUE;
  guint total = 0, pages = 0;
  g_autoptr (GError) error = NULL;
  g_autofree char *big = g_strnfill (20000, 'x');
  g_autofree char *next = g_strdup ("");
  g_autoptr (LdbDatabase) db = open_shared (place);
  for (guint i = 0; i < 1500; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", i);
      ldb_test_put (db, key, i % 20 == 0 ? big : "v");
    }
  client_open (&client);
  for (; more; pages++)
    {
      g_autoptr (GVariant) records = NULL;
      g_autoptr (GVariant) reply
          = client_call (&client, "Read",
                         g_variant_new ("(us@ay@ayuuu)", 0, "", text_variant (next),
                                        text_variant (""), 0, G_MAXUINT, G_MAXUINT));
      g_assert_cmpuint (g_variant_get_size (reply), <, 1 << 20);
      g_variant_get (reply, "(@a(ayayt)b@ay)", &records, &more, NULL);
      guint count = (guint) g_variant_n_children (records);
      g_assert_cmpuint (count, >, 0);
      g_assert_cmpuint (count, <=, 1000);
      g_autoptr (GVariant) last = g_variant_get_child_value (records, count - 1);
      g_autoptr (GVariant) key = g_variant_get_child_value (last, 0);
      g_free (next);
      next = g_strdup_printf ("%.*s!", (int) g_variant_get_size (key),
                              (const char *) g_variant_get_data (key));
      total += count;
    }
  g_assert_cmpuint (total, ==, 1500);
  g_assert_cmpuint (pages, >, 2);
  client_close (&client);
}

static void
test_get (Place *place, gconstpointer data)
{
  Client client;
  g_autoptr (LdbDatabase) db = open_shared (place);
  ldb_test_put (db, "key", "0123456789");
  client_open (&client);
  g_autoptr (GVariant) part = client_call (
      &client, "Get", g_variant_new ("(us@aytu)", 0, "", text_variant ("key"), (guint64) 3, 4));
  g_autofree char *text = g_variant_print (part, FALSE);
  g_assert_cmpstr (text, ==, "(true, 10, [0x33, 0x34, 0x35, 0x36])");
  g_autoptr (GVariant) beyond = client_call (
      &client, "Get",
      g_variant_new ("(us@aytu)", 0, "", text_variant ("key"), G_MAXUINT64, G_MAXUINT));
  g_autofree char *beyond_text = g_variant_print (beyond, FALSE);
  g_assert_cmpstr (beyond_text, ==, "(true, 10, [])");
  g_autoptr (GVariant) absent = client_call (
      &client, "Get", g_variant_new ("(us@aytu)", 0, "", text_variant ("no"), (guint64) 0, 4));
  g_autofree char *absent_text = g_variant_print (absent, FALSE);
  g_assert_cmpstr (absent_text, ==, "(false, 0, [])");
  client_fail (&client, "Get",
               g_variant_new ("(us@aytu)", 0, "", text_variant (""), (guint64) 0, 1),
               "org.lightningdb.Error.InvalidArgument");
  client_close (&client);
}

static void
test_snapshots (Place *place, gconstpointer data)
{
  Client client;
  guint ids[4];
  guint64 sequence;
  g_autoptr (LdbDatabase) db = open_shared (place);
  ldb_test_put (db, "a", "old");
  client_open (&client);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autoptr (GVariant) reply = client_call (&client, "OpenSnapshot", NULL);
      g_variant_get (reply, "(ut)", &ids[i], &sequence);
      g_assert_cmpuint (sequence, ==, ldb_database_get_sequence (db));
    }
  client_fail (&client, "OpenSnapshot", NULL, "org.lightningdb.Error.LimitExceeded");
  ldb_test_put (db, "a", "new");
  assert_page ("a=old", &client, ids[2], "", "", 0, 10, 100);
  assert_page ("a=new", &client, 0, "", "", 0, 10, 100);
  client_do (&client, "CloseSnapshot", g_variant_new ("(u)", ids[2]));
  client_fail (&client, "CloseSnapshot", g_variant_new ("(u)", ids[2]),
               "org.lightningdb.Error.Closed");
  client_do (&client, "OpenSnapshot", NULL);
  client_close (&client);
  /* What the connection had open is gone once its end was seen. */
  g_autoptr (LdbStats) stats = NULL;
  do
    {
      g_clear_pointer (&stats, ldb_stats_free);
      g_usleep (1000);
      stats = ldb_database_get_stats (db, NULL);
    }
  while (stats->snapshots > 0);
}

/* ---- following ---- */

static guint
subscribe (Client *client, const char *prefix, LdbWatchFlags flags)
{
  guint id;
  guint64 sequence;
  g_autoptr (GVariant) reply = client_call (
      client, "Subscribe",
      g_variant_new ("(sb@ayuu)", "", FALSE, text_variant (prefix), (guint) flags, 0));
  g_variant_get (reply, "(ut)", &id, &sequence);
  return id;
}

static void
test_changes (Place *place, gconstpointer data)
{
  Client client;
  guint id;
  guint64 since, sequence;
  gboolean resync;
  g_autoptr (LdbDatabase) db = open_shared (place);
  ldb_test_put (db, "key", "old");
  client_open (&client);
  guint subscription = subscribe (&client, "key", LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES);
  ldb_test_put (db, "other", "1");
  ldb_test_put (db, "key", "new");
  g_autoptr (GVariant) changed = client_next_signal (&client, "Changed");
  g_autoptr (GVariant) changes = NULL;
  g_variant_get (changed, "(uttb@a(usayayaayaay))", &id, &since, &sequence, &resync, &changes);
  g_assert_cmpuint (id, ==, subscription);
  g_assert_cmpuint (sequence, ==, ldb_database_get_sequence (db));
  g_assert_false (resync);
  g_autofree char *text = g_variant_print (changes, FALSE);
  g_assert_cmpstr (text, ==,
                   "[(0, 'default', [0x6b, 0x65, 0x79], [], [[0x6e, 0x65, 0x77]], "
                   "[[0x6f, 0x6c, 0x64]])]");
  client_do (&client, "Unsubscribe", g_variant_new ("(u)", subscription));
  client_fail (&client, "Unsubscribe", g_variant_new ("(u)", subscription),
               "org.lightningdb.Error.Closed");
  ldb_test_put (db, "key", "unheard");
  client_do (&client, "ListStores", NULL);
  g_assert_true (g_queue_is_empty (&client.signals));
  client_close (&client);
}

/* A client that does not read while much changes is told so when it reads again, and then hears what
 * comes after; the writer never waited for it. */
static void
test_lost_changes (Place *place, gconstpointer data)
{
  Client client;
  guint64 told = 0;
  gboolean resynced = FALSE;
  g_autofree char *value = g_strnfill (60000, 'x');
  g_autoptr (LdbDatabase) db = open_shared (place);
  client_open (&client);
  subscribe (&client, "", LDB_WATCH_VALUES);
  for (guint i = 0; i < 400; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", i);
      ldb_test_put (db, key, value);
      if (i % 8 == 0)
        g_usleep (1000);
    }
  while (told < ldb_database_get_sequence (db))
    {
      guint id;
      guint64 since, sequence;
      gboolean resync;
      g_autoptr (GVariant) changes = NULL;
      g_autoptr (GVariant) changed = client_next_signal (&client, "Changed");
      g_variant_get (changed, "(uttb@a(usayayaayaay))", &id, &since, &sequence, &resync, &changes);
      g_assert_cmpuint (g_variant_get_size (changes), <, 3 << 19);
      if (!resync)
        g_assert_cmpuint (since, ==, told);
      g_assert_cmpuint (sequence, >=, told);
      told = sequence;
      resynced = resynced || resync;
    }
  g_assert_true (resynced);
  client_close (&client);
}

/* ---- large values ---- */

#define MIB ((gsize) 1 << 20)

static void
put_large (LdbDatabase *db, const char *key, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = g_strnfill (size, key[0]);
  ldb_database_put (db, (const guint8 *) key, strlen (key), (const guint8 *) value, size, NULL,
                    &error);
  g_assert_no_error (error);
}

/* In parts, of a snapshot; how many. */
static guint
get_in_parts (Client *client, const char *key, gsize size)
{
  guint id, parts = 0;
  guint64 sequence, told = 0;
  g_autoptr (GVariant) opened = client_call (client, "OpenSnapshot", NULL);
  g_variant_get (opened, "(ut)", &id, &sequence);
  for (; told < size; parts++)
    {
      gboolean found;
      guint64 whole;
      gsize length;
      g_autoptr (GVariant) part = NULL;
      g_autoptr (GVariant) reply = client_call (
          client, "Get", g_variant_new ("(us@aytu)", id, "", text_variant (key), told, G_MAXUINT));
      g_variant_get (reply, "(bt@ay)", &found, &whole, &part);
      const char *data = g_variant_get_fixed_array (part, &length, 1);
      g_assert_true (found && length > 0 && data[0] == key[0] && data[length - 1] == key[0]);
      g_assert_cmpuint (whole, ==, size);
      told += length;
    }
  g_assert_cmpuint (told, ==, size);
  client_do (client, "CloseSnapshot", g_variant_new ("(u)", id));
  return parts;
}

/* A value that is told in many parts is read from the disk once; one that would take the application's
 * memory is not told at all, but for its size. */
static void
test_large_values (Place *place, gconstpointer data)
{
  Client client;
  gboolean more;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) records = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 10 * MIB);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  ldb_database_set_inspectable (db, TRUE);
  put_large (db, "huge", 64 * MIB + 1);
  put_large (db, "large", 30 * MIB);
  ldb_test_put (db, "small", "1");
  g_assert_true (ldb_database_flush (db, NULL, &error));
  g_assert_no_error (error);
  client_open (&client);
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, &error);
  gint64 before = ldb_metrics_get_value (metrics, "blob_read");
  g_assert_cmpuint (get_in_parts (&client, "large", 30 * MIB), ==, 60);
  g_assert_cmpint (ldb_metrics_get_value (metrics, "blob_read") - before, ==, 1);
  client_fail (&client, "Get",
               g_variant_new ("(us@aytu)", 0, "", text_variant ("huge"), (guint64) 0, 10),
               "org.lightningdb.Error.LimitExceeded");
  g_autoptr (GVariant) reply = client_call (
      &client, "Read",
      g_variant_new ("(us@ay@ayuuu)", 0, "", text_variant (""), text_variant (""), 0, 1, 10));
  g_variant_get (reply, "(@a(ayayt)b@ay)", &records, &more, NULL);
  guint64 size;
  g_autoptr (GVariant) key = NULL;
  g_autoptr (GVariant) value = NULL;
  g_variant_get_child (records, 0, "(@ay@ayt)", &key, &value, &size);
  g_assert_cmpuint (g_variant_n_children (value), ==, 0);
  g_assert_cmpuint (size, ==, 64 * MIB + 1);
  g_assert_cmpint (ldb_metrics_get_value (metrics, "blob_read") - before, ==, 1);
  client_close (&client);
}

/* ---- changing ---- */

typedef struct
{
  const char *key, *value; /* value NULL: delete */
  gboolean checks;         /* the old value is to be ... */
  const char *expected;    /* ... this; NULL: absent */
} Operation;

static GVariant *
value_variant (const char *value)
{
  GVariant *child = value != NULL ? text_variant (value) : NULL;
  return g_variant_new_array (G_VARIANT_TYPE_BYTESTRING, &child, child != NULL ? 1 : 0);
}

static GVariant *
commit_arguments (const Operation *operations, guint count)
{
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a(sayaaybaay)"));
  for (guint i = 0; i < count; i++)
    g_variant_builder_add (&all, "(s@ay@aayb@aay)", "", text_variant (operations[i].key),
                           value_variant (operations[i].value), operations[i].checks,
                           value_variant (operations[i].expected));
  return g_variant_new ("(a(sayaaybaay))", &all);
}

#define COMMIT(...)                                                                                \
  commit_arguments ((const Operation[]){ __VA_ARGS__ },                                            \
                    G_N_ELEMENTS (((const Operation[]){ __VA_ARGS__ })))

static const char denied[] = "org.lightningdb.Error.PermissionDenied";

static void
test_control_refused (Place *place, gconstpointer data)
{
  Client client;
  static const char *const methods[] = { "Flush", "Checkpoint", "Sync", "Compact" };
  g_autoptr (LdbDatabase) db = open_shared (place);
  client_open (&client);
  client_fail (&client, "RequestControl", NULL, denied);
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    client_fail (&client, methods[i], NULL, denied);
  client_fail (&client, "Evict", g_variant_new ("(d)", 1.0), denied);
  client_fail (&client, "Check", g_variant_new ("(b)", TRUE), denied);
  client_fail (&client, "Backup", g_variant_new ("(^ayb)", "/tmp/x", FALSE), denied);
  client_fail (&client, "Commit", COMMIT ({ "a", "1", FALSE, NULL }), denied);
  /* Not even its arguments are looked at. */
  client_fail (&client, "Evict", NULL, denied);
  g_assert_cmpuint (ldb_database_get_sequence (db), ==, 0);
  client_close (&client);
}

static void
test_control (Place *place, gconstpointer data)
{
  Client client, other;
  guint64 files;
  gboolean sound;
  g_autoptr (GError) error = NULL;
  g_autofree char *backup = g_build_filename (place->directory, "backup", NULL);
  g_autoptr (LdbDatabase) db = open_shared (place);
  ldb_test_put (db, "a", "1");
  client_open (&client);
  client_open (&other);
  ldb_database_set_control_allowed (db, TRUE);
  client_fail (&client, "Flush", NULL, denied);
  client_do (&client, "RequestControl", NULL);
  client_do (&client, "Flush", NULL);
  client_do (&client, "Checkpoint", NULL);
  client_do (&client, "Sync", NULL);
  client_do (&client, "Compact", NULL);
  client_do (&client, "Evict", g_variant_new ("(d)", 1.0));
  client_fail (&client, "Evict", g_variant_new ("(d)", 2.0),
               "org.lightningdb.Error.InvalidArgument");
  client_fail (&client, "Evict", NULL, "org.freedesktop.DBus.Error.InvalidArgs");
  client_fail (&client, "Backup", g_variant_new ("(^ayb)", "relative", FALSE),
               "org.lightningdb.Error.InvalidArgument");
  g_autoptr (GVariant) made
      = client_call (&client, "Backup", g_variant_new ("(^ayb)", backup, TRUE));
  g_autoptr (GVariant) result = g_variant_get_child_value (made, 0);
  g_assert_true (g_variant_lookup (result, "files", "t", &files));
  g_assert_cmpuint (files, >, 0);
  g_autoptr (LdbDatabase) copy = ldb_database_open (backup, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GVariant) checked = client_call (&client, "Check", g_variant_new ("(b)", TRUE));
  g_autoptr (GVariant) report = g_variant_get_child_value (checked, 0);
  g_assert_true (g_variant_lookup (report, "page_checksums", "b", &sound));
  g_assert_true (sound);
  /* Control is the connection's, and lasts as long as the application allows it. */
  client_fail (&other, "Flush", NULL, denied);
  ldb_database_set_control_allowed (db, FALSE);
  client_fail (&client, "Flush", NULL, denied);
  ldb_database_set_control_allowed (db, TRUE);
  client_fail (&client, "Flush", NULL, denied);
  client_close (&client);
  client_close (&other);
}

static void
test_commit (Place *place, gconstpointer data)
{
  Client client;
  guint64 sequence;
  g_autoptr (LdbDatabase) db = open_shared (place);
  ldb_database_set_control_allowed (db, TRUE);
  ldb_test_put (db, "a", "1");
  client_open (&client);
  client_do (&client, "RequestControl", NULL);
  g_autoptr (GVariant) reply = client_call (
      &client, "Commit",
      COMMIT ({ "a", "2", TRUE, "1" }, { "b", "new", TRUE, NULL }, { "c", "any", FALSE, NULL }));
  g_variant_get (reply, "(t)", &sequence);
  g_assert_cmpuint (sequence, ==, ldb_database_get_sequence (db));
  assert_page ("a=2 b=new c=any", &client, 0, "", "", 0, 10, 100);
  static const char conflict[] = "org.lightningdb.Error.Conflict";
  client_fail (&client, "Commit", COMMIT ({ "c", NULL, FALSE, NULL }, { "a", "3", TRUE, "1" }),
               conflict);
  client_fail (&client, "Commit", COMMIT ({ "a", "3", TRUE, NULL }), conflict);
  client_fail (&client, "Commit", COMMIT ({ "none", "3", TRUE, "" }), conflict);
  client_fail (&client, "Commit", COMMIT ({ "", "3", FALSE, NULL }),
               "org.lightningdb.Error.InvalidArgument");
  client_fail (&client, "Commit",
               g_variant_new ("(@a(sayaaybaay))",
                              g_variant_new_array (G_VARIANT_TYPE ("(sayaaybaay)"), NULL, 0)),
               "org.lightningdb.Error.LimitExceeded");
  assert_page ("a=2 b=new c=any", &client, 0, "", "", 0, 10, 100);
  client_do (&client, "Commit", COMMIT ({ "a", NULL, TRUE, "2" }));
  assert_page ("b=new c=any", &client, 0, "", "", 0, 10, 100);
  client_close (&client);
}

/* Of a key that has another value than expected no large value is read to find that out. */
static void
test_commit_large (Place *place, gconstpointer data)
{
  Client client;
  static const char conflict[] = "org.lightningdb.Error.Conflict";
  g_autoptr (GError) error = NULL;
  g_autofree char *half = g_strnfill (20000, 'a'); /* is in a file of its own */
  g_autofree char *other = g_strnfill (20000, 'b');
  g_autoptr (LdbDatabase) db = open_shared (place);
  ldb_database_set_control_allowed (db, TRUE);
  put_large (db, "large", MIB);
  ldb_test_put (db, "half", half);
  g_assert_true (ldb_database_flush (db, NULL, &error));
  g_assert_no_error (error);
  client_open (&client);
  client_do (&client, "RequestControl", NULL);
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, &error);
  gint64 before = ldb_metrics_get_value (metrics, "blob_read");
  client_fail (&client, "Commit", COMMIT ({ "large", "1", TRUE, "2" }), conflict);
  client_fail (&client, "Commit", COMMIT ({ "large", "1", TRUE, NULL }), conflict);
  client_fail (&client, "Commit", COMMIT ({ "large", NULL, TRUE, half }), conflict);
  g_assert_cmpint (ldb_metrics_get_value (metrics, "blob_read"), ==, before);
  client_fail (&client, "Commit", COMMIT ({ "half", NULL, TRUE, other }), conflict);
  client_do (&client, "Commit",
             COMMIT ({ "half", "", TRUE, half }, { "half", "x", TRUE, "" },
                     { "half", NULL, TRUE, "x" }, { "half", "new", TRUE, NULL }));
  g_assert_cmpint (ldb_metrics_get_value (metrics, "blob_read"), >, before);
  assert_page ("half=new", &client, 0, "", "large", 0, 10, 100);
  client_close (&client);
}

/* How often the inspection's thread has gone to sleep so far; 0: there is none. */
static guint64
count_sleeps (void)
{
  guint64 sleeps = 0;
  const char *task;
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  while ((task = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *text = NULL;
      g_autofree char *path = g_build_filename ("/proc/self/task", task, "status", NULL);
      const char *line;
      if (g_file_get_contents (path, &text, NULL, NULL)
          && strstr (text, "Name:\tldb-inspect\n") != NULL
          && (line = strstr (text, "\nvoluntary_ctxt_switches:")) != NULL)
        sleeps += g_ascii_strtoull (line + strlen ("\nvoluntary_ctxt_switches:"), NULL, 10);
    }
  return sleeps;
}

/* While nobody asks for anything the thread sleeps, whatever the application does; without an
 * inspectable database there is none. */
static void
test_idle (Place *place, gconstpointer data)
{
  Client client;
  guint64 before, after;
  g_autoptr (LdbDatabase) db = open_shared (place);
  for (guint i = 0; i < 2; i++)
    {
      after = 0;
      do
        {
          before = after;
          for (guint k = 0; k < 100; k++)
            ldb_test_put (db, "a", "1");
          g_usleep (200000);
          after = count_sleeps ();
        }
      while (after == 0 || after != before);
      if (i == 0)
        {
          client_open (&client);
          client_do (&client, "ListStores", NULL);
        }
    }
  client_close (&client);
  ldb_database_set_inspectable (db, FALSE);
  while (count_sleeps () > 0)
    g_usleep (1000);
}

/* ---- the database's end ---- */

/* What an inspector has open keeps nothing open. */
static void
test_close (Place *place, gconstpointer data)
{
  Client client;
  guint8 byte;
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = open_shared (place);
  ldb_test_put (db, "a", "1");
  client_open (&client);
  client_do (&client, "OpenSnapshot", NULL);
  subscribe (&client, "", LDB_WATCH_NONE);
  g_object_unref (db);
  assert_nothing_shared ();
  /* Options that would not agree with those of an engine that were still open. */
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_object_set (options, "cache-size", (guint64) 32 << 20, NULL);
  g_autoptr (LdbDatabase) again
      = ldb_database_open (place->path, LDB_OPEN_NONE, options, NULL, &error);
  g_assert_no_error (error);
  g_variant_unref (client_next_signal (&client, "Closed"));
  g_assert_cmpint (recv (client.socket, &byte, 1, 0), ==, 0);
  client_close (&client);
}

/* The connection stays while the process shares something. */
static void
test_several (Place *place, gconstpointer data)
{
  Client client;
  char *error;
  g_autofree char *other_path = g_build_filename (place->directory, "other", NULL);
  g_autoptr (GError) failure = NULL;
  g_autoptr (LdbDatabase) db = open_shared (place);
  g_autoptr (LdbDatabase) other
      = ldb_database_open (other_path, LDB_OPEN_CREATE, NULL, NULL, &failure);
  g_assert_no_error (failure);
  ldb_database_set_inspectable (other, TRUE);
  g_autoptr (GPtrArray) adverts = runtime_files (".database");
  g_assert_cmpuint (adverts->len, ==, 2);
  client_open (&client);
  client_do (&client, "OpenSnapshot", NULL);
  ldb_test_close (db);
  g_variant_unref (client_next_signal (&client, "Closed"));
  client_fail (&client, "ListStores", NULL, "org.freedesktop.DBus.Error.UnknownObject");
  g_autoptr (GVariant) stores
      = client_call_on (&client, 2, CLIENT_INTERFACE, "ListStores", NULL, &error);
  g_assert_nonnull (stores);
  client_close (&client);
}

/* Shared, looked at and not shared again and again, while it is written to. */
static void
test_again (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  for (guint i = 0; i < 50; i++)
    {
      Client client;
      ldb_database_set_inspectable (db, TRUE);
      client_open (&client);
      subscribe (&client, "", LDB_WATCH_VALUES);
      ldb_test_put (db, "a", i % 2 == 0 ? "even" : "odd");
      if (i % 3 == 0)
        g_variant_unref (client_next_signal (&client, "Changed"));
      if (i % 5 == 0)
        client_do (&client, "OpenSnapshot", NULL);
      ldb_database_set_inspectable (db, FALSE);
      client_close (&client);
    }
  assert_nothing_shared ();
}

int
main (int argc, char **argv)
{
  g_autofree char *runtime = runtime_directory_make ();
  g_log_set_writer_func (write_log, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  add_test ("/inspection/advert", test_advert);
  add_test ("/inspection/advert-of-relative-path", test_advert_of_relative_path);
  add_test ("/inspection/handles", test_handles);
  add_test ("/inspection/taken-over", test_taken_over);
  add_test ("/inspection/properties", test_properties);
  g_test_add_func ("/inspection/environment", test_environment);
  add_test ("/inspection/unsafe-folder", test_unsafe_folder);
  add_test ("/inspection/half-offered", test_half_offered);
  add_test ("/inspection/forked-while-ending", test_forked_while_ending);
  add_test ("/inspection/look", test_look);
  add_test ("/inspection/pinned", test_pinned);
  add_test ("/inspection/standard-interfaces", test_standard_interfaces);
  add_test ("/inspection/read", test_read);
  add_test ("/inspection/pages", test_pages);
  add_test ("/inspection/get", test_get);
  add_test ("/inspection/snapshots", test_snapshots);
  add_test ("/inspection/changes", test_changes);
  add_test ("/inspection/lost-changes", test_lost_changes);
  add_test ("/inspection/large-values", test_large_values);
  add_test ("/inspection/control-refused", test_control_refused);
  add_test ("/inspection/control", test_control);
  add_test ("/inspection/commit", test_commit);
  add_test ("/inspection/commit-large", test_commit_large);
  add_test ("/inspection/idle", test_idle);
  add_test ("/inspection/close", test_close);
  add_test ("/inspection/several", test_several);
  add_test ("/inspection/again", test_again);
  int status = g_test_run ();
  ldb_test_remove (runtime);
  return status;
}
