/* SPDX-License-Identifier: MIT */
/*
 * The client before a process that answers wrongly: in the place of an application's socket listens a
 * server of this program, which says nothing, hangs up, sends bytes that are no message, messages that
 * are no answer, answers of another type, and answers of the right type with anything in them. Each call
 * comes to an end, with an error or with what it says to have; nothing crashes, nothing hangs.
 */
#include "fake-server.h"
#include "running-application.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INTERFACE "org.lightningdb.Inspector1"

typedef enum
{
  /* Instead of the handshake. */
  HANDSHAKE_SILENCE,
  HANDSHAKE_END,
  HANDSHAKE_REFUSAL,
  HANDSHAKE_ENDLESS,
  HANDSHAKES,
  /* Instead of an answer. */
  ANSWER_SILENCE = HANDSHAKES,
  ANSWER_END,
  ANSWER_GARBAGE,    /* no message at all */
  ANSWER_HUGE,       /* a head that says that 2 GB follow */
  ANSWER_HALF,       /* of a message, and the end */
  ANSWER_EMPTY,      /* no arguments */
  ANSWER_WRONG_TYPE, /* a text */
  ANSWER_ERROR,      /* of a name and with a message that are no text to show */
  ANSWER_OTHERS,     /* to calls that were not made; then the end */
  ANSWER_RANDOM,     /* of the type of the interface, with anything in it; and signals */
  ANSWER_BEFORE_PROGRESS, /* none needed, and then how the call goes */
} Hostility;

static struct
{
  FakeServer server;       /* in the application's place */
  gint hostility;          /* how; atomic */
  gint seed;               /* of what is random; atomic */
  GDBusInterfaceInfo *xml; /* what the methods return; owned */
} fake;

/* ---- values of a type with anything in them ---- */

static GVariant *random_value (GRand *random, const GVariantType *type, guint depth);

static guint64
random_number (GRand *random)
{
  static const guint64 edges[]
      = { 0, 1, 2, 3, 255, 65536, G_MAXINT32, G_MAXUINT32, G_MAXINT64, G_MAXUINT64 };
  guint at = (guint) g_rand_int_range (random, 0, G_N_ELEMENTS (edges) + 2);
  return at < G_N_ELEMENTS (edges)
             ? edges[at]
             : (guint64) g_rand_int (random) << 32 | (guint64) g_rand_int (random);
}

static GVariant *
random_text (GRand *random)
{
  static const char *const texts[]
      = { "", "x", "\x1b[2J\n\r", "ü\xe2\x80\xae", "%s%n%1000000d", "/", "0" };
  if (g_rand_int_range (random, 0, 20) > 0)
    return g_variant_new_string (
        texts[g_rand_int_range (random, 0, (gint32) G_N_ELEMENTS (texts))]);
  g_autofree char *much = g_strnfill (50000, 'x');
  return g_variant_new_string (much);
}

static GVariant *
random_bytes (GRand *random)
{
  gsize size = g_rand_int_range (random, 0, 4) > 0 ? (gsize) g_rand_int_range (random, 0, 20)
                                                   : (gsize) g_rand_int_range (random, 0, 70000);
  g_autofree guint8 *bytes = g_malloc (size + 1);
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8) g_rand_int (random);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1);
}

static GVariant *
random_array (GRand *random, const GVariantType *type, guint depth)
{
  const GVariantType *element = g_variant_type_element (type);
  GVariantBuilder all;
  if (g_variant_type_equal (type, G_VARIANT_TYPE_BYTESTRING))
    return random_bytes (random);
  gint many = depth > 2 ? 2 : g_rand_int_range (random, 0, 40) == 0 ? 500 : 4;
  g_variant_builder_init (&all, type);
  for (gint count = g_rand_int_range (random, 0, many); count > 0; count--)
    g_variant_builder_add_value (&all, random_value (random, element, depth + 1));
  return g_variant_builder_end (&all);
}

static GVariant *
random_tuple (GRand *random, const GVariantType *type, guint depth)
{
  GVariantBuilder all;
  g_variant_builder_init (&all, type);
  for (const GVariantType *member = g_variant_type_first (type); member != NULL;
       member = g_variant_type_next (member))
    g_variant_builder_add_value (&all, random_value (random, member, depth + 1));
  return g_variant_builder_end (&all);
}

static GVariant *
random_value (GRand *random, const GVariantType *type, guint depth)
{
  switch (g_variant_type_peek_string (type)[0])
    {
    case 'b':
      return g_variant_new_boolean (g_rand_boolean (random));
    case 'y':
      return g_variant_new_byte ((guint8) random_number (random));
    case 'n':
      return g_variant_new_int16 ((gint16) random_number (random));
    case 'q':
      return g_variant_new_uint16 ((guint16) random_number (random));
    case 'i':
      return g_variant_new_int32 (g_rand_boolean (random) ? g_rand_int_range (random, -2, 4)
                                                          : (gint32) random_number (random));
    case 'u':
      return g_variant_new_uint32 (g_rand_boolean (random) ? g_rand_int (random) % 8
                                                           : (guint32) random_number (random));
    case 'x':
      return g_variant_new_int64 ((gint64) random_number (random));
    case 't':
      return g_variant_new_uint64 (random_number (random));
    case 'd':
      return g_variant_new_double (g_rand_boolean (random)
                                       ? g_rand_double (random)
                                       : (double) random_number (random) * 1e300);
    case 's':
      return random_text (random);
    case 'o':
      return g_variant_new_object_path ("/");
    case 'g':
      return g_variant_new_signature ("");
    case 'v':
      return g_variant_new_variant (g_rand_boolean (random)
                                        ? random_text (random)
                                        : g_variant_new_uint64 (random_number (random)));
    case 'a':
      return random_array (random, type, depth);
    default:
      return random_tuple (random, type, depth);
    }
}

/* ---- the server ---- */

static GVariantType *
type_of_arguments (GDBusArgInfo **arguments)
{
  GString *type = g_string_new ("(");
  for (guint i = 0; arguments != NULL && arguments[i] != NULL; i++)
    g_string_append (type, arguments[i]->signature);
  g_string_append_c (type, ')');
  return (GVariantType *) g_string_free (type, FALSE);
}

/* Signals that nobody sent, of the type they have. */
static void
send_signals (int socket, GRand *random, const char *path)
{
  for (guint i = 0; fake.xml->signals[i] != NULL; i++)
    {
      const GDBusSignalInfo *info = fake.xml->signals[i];
      g_autoptr (GVariantType) type = type_of_arguments (info->args);
      g_autoptr (GDBusMessage) message = g_dbus_message_new_signal (path, INTERFACE, info->name);
      if (strcmp (info->name, "Closed") == 0)
        continue;
      g_dbus_message_set_body (message, random_value (random, type, 0));
      fake_server_send_message (socket, message, 7, FALSE);
    }
}

/* How a call goes that has been answered. */
static void
send_progress (int socket, GDBusMessage *call)
{
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (GDBusMessage) message
          = g_dbus_message_new_signal (g_dbus_message_get_path (call), INTERFACE, "Progress");
      g_dbus_message_set_body (message, g_variant_new ("(utts)", g_dbus_message_get_serial (call),
                                                       (guint64) i, (guint64) 200, "late"));
      fake_server_send_message (socket, message, 7, FALSE);
    }
}

static void
answer_randomly (int socket, GDBusMessage *call)
{
  g_autoptr (GRand) random = g_rand_new_with_seed ((guint32) g_atomic_int_add (&fake.seed, 1));
  GDBusMethodInfo *info
      = g_dbus_interface_info_lookup_method (fake.xml, g_dbus_message_get_member (call));
  g_autoptr (GDBusMessage) answer = g_dbus_message_new_method_reply (call);
  g_assert_nonnull (info); /* the client calls what there is */
  g_autoptr (GVariantType) type = type_of_arguments (info->out_args);
  send_signals (socket, random, g_dbus_message_get_path (call));
  if (!g_variant_type_equal (type, G_VARIANT_TYPE_UNIT))
    g_dbus_message_set_body (answer, random_value (random, type, 0));
  if (!fake_server_send_message (socket, answer, 1, FALSE))
    {
      g_dbus_message_set_body (answer, NULL);
      fake_server_send_message (socket, answer, 1, FALSE);
    }
}

static gboolean
answer (FakeServer *server, int socket, GDBusMessage *call)
{
  static const guint8 huge[16]
      = { 'l', 2, 0, 1, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f };
  g_autoptr (GDBusMessage) reply = g_dbus_message_new_method_reply (call);
  g_autofree char *much = g_strnfill (100000, '\x1b');
  switch ((Hostility) g_atomic_int_get (&fake.hostility))
    {
    case ANSWER_END:
      return FALSE;
    case ANSWER_GARBAGE:
      return fake_server_send (socket, much, 1000);
    case ANSWER_HUGE:
      return fake_server_send (socket, huge, sizeof huge);
    case ANSWER_HALF:
      g_dbus_message_set_body (reply, g_variant_new ("(s)", "text"));
      fake_server_send_message (socket, reply, 1, TRUE);
      return FALSE;
    case ANSWER_EMPTY:
      fake_server_send_message (socket, reply, 1, FALSE);
      return TRUE;
    case ANSWER_WRONG_TYPE:
      g_dbus_message_set_body (reply, g_variant_new ("(s)", "text"));
      fake_server_send_message (socket, reply, 1, FALSE);
      return TRUE;
    case ANSWER_ERROR:
      g_clear_object (&reply);
      reply = g_dbus_message_new_method_error_literal (call, "org.lightningdb.Error.NoSuchError",
                                                       much);
      fake_server_send_message (socket, reply, 1, FALSE);
      return TRUE;
    case ANSWER_OTHERS:
      g_dbus_message_set_reply_serial (reply, 12345);
      fake_server_send_message (socket, reply, 1, FALSE);
      return FALSE;
    case ANSWER_RANDOM:
      answer_randomly (socket, call);
      return TRUE;
    case ANSWER_BEFORE_PROGRESS:
      fake_server_send_message (socket, reply, 1, FALSE);
      send_progress (socket, call);
      return TRUE;
    default: /* silence */
      return TRUE;
    }
}

static gboolean
shake_hands (FakeServer *server, int socket)
{
  Hostility hostility = (Hostility) g_atomic_int_get (&fake.hostility);
  g_autofree char *much = g_strnfill (1 << 20, 'A');
  char more;
  if (hostility == HANDSHAKE_ENDLESS)
    fake_server_send (socket, much, 1 << 20);
  else if (hostility == HANDSHAKE_REFUSAL)
    fake_server_send (socket, "DATA\r\nREJECTED EXTERNAL\r\n", 25);
  else if (hostility == HANDSHAKE_SILENCE)
    recv (socket, &more, 1, 0); /* until the client goes */
  return hostility >= HANDSHAKES && fake_server_shake_hands (socket);
}

/* Puts the fake in the place of the application's socket, which stays alive, and so found. */
static void
take_the_place (void)
{
  g_autofree char *folder = g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), "lightning-db-1", NULL);
  g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
  g_autofree char *path = NULL;
  const char *name;
  while ((name = g_dir_read_name (directory)) != NULL)
    if (path == NULL && g_str_has_suffix (name, ".socket"))
      path = g_build_filename (folder, name, NULL);
  g_assert_nonnull (path);
  g_assert_cmpint (unlink (path), ==, 0);
  fake.server = (FakeServer){ .handshake = shake_hands, .answer = answer };
  fake_server_start (&fake.server, path);
}

static void
read_interface (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = NULL;
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "..", "data",
                                                 "org.lightningdb.Inspector1.xml", NULL);
  g_file_get_contents (path, &xml, NULL, &error);
  g_assert_no_error (error);
  GDBusNodeInfo *node = g_dbus_node_info_new_for_xml (xml, &error);
  g_assert_no_error (error);
  fake.xml = g_dbus_interface_info_ref (g_dbus_node_info_lookup_interface (node, INTERFACE));
  g_dbus_node_info_unref (node);
}

/* ---- the calls ---- */

#define N_CALLS 31

static void
hear_progress (guint64 done, guint64 total, const char *step, gpointer data)
{
  g_assert_true (g_utf8_validate (step, -1, NULL));
}

/* Makes one of the calls, and looks at what it gives. Whether it gave anything. */
static gboolean
call_one (LdbInspector *self, guint which, GCancellable *cancellable, GError **error)
{
  guint64 total;
  switch (which)
    {
#define OF(type, variable, call)                                                                   \
  {                                                                                                \
    g_autoptr (type) variable = call;                                                              \
    return variable != NULL;                                                                       \
  }
    case 0:
      OF (LdbStats, got, ldb_inspector_get_stats (self, cancellable, error));
    case 1:
      {
        g_autoptr (LdbMetrics) got = ldb_inspector_get_metrics (self, cancellable, error);
        g_auto (GStrv) names = got != NULL ? ldb_metrics_list_names (got) : NULL;
        return got != NULL;
      }
    case 2:
      {
        g_autoptr (LdbStorageMap) got = ldb_inspector_load_storage_map (self, cancellable, error);
        g_autofree char *json = got != NULL ? ldb_storage_map_to_json (got) : NULL;
        return got != NULL;
      }
    case 3:
      OF (GPtrArray, got, ldb_inspector_list_pages (self, 1, 0, 100, TRUE, cancellable, error));
    case 4:
      OF (LdbPageContents, got, ldb_inspector_read_page (self, 1, 0, cancellable, error));
    case 5:
      OF (GPtrArray, got, ldb_inspector_locate_key (self, NULL, "a", 1, cancellable, error));
    case 6:
      {
        g_autoptr (LdbSizes) got = ldb_inspector_measure_sizes (self, NULL, NULL, 0, NULL, 0, 1000,
                                                                10, cancellable, error);
        if (got != NULL)
          ldb_sizes_get_key_percentile (got, 0.99);
        return got != NULL;
      }
    case 7:
      {
        g_autofree char *got = ldb_inspector_generate_report (self, LDB_REPORT_HTML,
                                                              LDB_REPORT_KEYS, cancellable, error);
        return got != NULL;
      }
    case 8:
      OF (GHashTable, got, ldb_inspector_get_options (self, cancellable, error));
    case 9:
      {
        g_auto (GStrv) got = ldb_inspector_list_stores (self, cancellable, error);
        return got != NULL;
      }
    case 10:
      return ldb_inspector_open_snapshot (self, cancellable, error) != 0 || *error == NULL;
    case 11:
      return ldb_inspector_close_snapshot (self, 1, cancellable, error);
    case 12:
      {
        g_autoptr (GBytes) got = ldb_inspector_get (self, 0, NULL, "a", 1, cancellable, error);
        return got != NULL || *error == NULL;
      }
    case 13:
      {
        g_autoptr (GPtrArray) got = ldb_inspector_read (self, 0, NULL, NULL, 0, NULL, 0,
                                                        LDB_SCAN_NONE, 10, 100, cancellable, error);
        for (guint i = 1; got != NULL && i < got->len; i++)
          g_assert_cmpint (g_bytes_compare (ldb_record_get_key (got->pdata[i - 1]),
                                            ldb_record_get_key (got->pdata[i])),
                           <, 0);
        return got != NULL;
      }
    case 14:
      return ldb_inspector_subscribe (self, NULL, "", 0, LDB_WATCH_VALUES, 16, cancellable, error)
                 != 0
             || *error == NULL;
    case 15:
      return ldb_inspector_unsubscribe (self, 1, cancellable, error);
    case 16:
      OF (GPtrArray, got, ldb_inspector_list_slow_operations (self, 0, cancellable, error));
    case 17:
      OF (GPtrArray, got, ldb_inspector_list_transactions (self, cancellable, error));
    case 18:
      OF (GPtrArray, got, ldb_inspector_list_snapshots (self, cancellable, error));
    case 19:
      OF (GPtrArray, got,
          ldb_inspector_list_hot_keys (self, LDB_HOT_KEY_READ, &total, cancellable, error));
    case 20:
      {
        g_autoptr (GPtrArray) got = ldb_inspector_list_watches (self, cancellable, error);
        for (guint i = 0; got != NULL && i < got->len; i++)
          ldb_active_watch_free (ldb_active_watch_copy (g_ptr_array_index (got, i)));
        return got != NULL;
      }
    case 21:
      OF (GPtrArray, got, ldb_inspector_list_deliveries (self, 0, cancellable, error));
    case 22:
      {
        g_autoptr (LdbTrace) got = ldb_inspector_trace_get (self, NULL, "a", 1, cancellable, error);
        return got != NULL;
      }
    case 23:
      {
        g_autoptr (LdbHealth) got = ldb_inspector_examine_health (self, cancellable, error);
        g_autofree char *json = got != NULL ? ldb_health_to_json (got) : NULL;
        return got != NULL;
      }
    case 24:
      {
        g_autoptr (GPtrArray) got = ldb_inspector_list_events (self, 0, cancellable, error);
        for (guint i = 0; got != NULL && i < got->len; i++)
          g_free (ldb_event_describe (g_ptr_array_index (got, i)));
        return got != NULL;
      }
    case 25:
      return ldb_inspector_follow_events (self, TRUE, cancellable, error);
    case 26:
      return ldb_inspector_flush (self, cancellable, error);
    case 27:
      return ldb_inspector_request_control (self, cancellable, error);
    case 28:
      OF (GPtrArray, got, ldb_inspector_list_transaction_keys (self, 1, cancellable, error));
    case 29:
      OF (LdbCheckReport, got,
          ldb_inspector_check (self, LDB_CHECK_NONE, hear_progress, NULL, cancellable, error));
    case 30:
      return ldb_inspector_compact (self, hear_progress, NULL, cancellable, error);
#undef OF
    default:
      g_assert_not_reached ();
    }
}

/* What comes beside “done” is not looked at. */
static gboolean
answers_nothing (guint which)
{
  return which == 11 || which == 15 || (which >= 25 && which <= 27) || which == 30;
}

static LdbInspector *
open_with (LdbRunningDatabase *running, Hostility hostility)
{
  g_autoptr (GError) error = NULL;
  g_atomic_int_set (&fake.hostility, hostility);
  LdbInspector *self = ldb_inspector_open (running, NULL, &error);
  g_assert_no_error (error);
  return self;
}

static LdbRunningDatabase *
find_it (Application *application)
{
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  return find_first (list, application);
}

static void
drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

/* ---- the tests ---- */

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (20000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* The one that stays silent ends by the time that the client gives a handshake, 25 s: all of what this
 * test takes, and of what this program takes for the most part. Who does not want to wait cancels. */
static void
test_handshake (Application *application, gconstpointer data)
{
  take_the_place ();
  g_autoptr (LdbRunningDatabase) running = find_it (application);
  g_autoptr (GError) given_up = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_atomic_int_set (&fake.hostility, HANDSHAKE_SILENCE);
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_null (ldb_inspector_open (running, cancellable, &given_up));
  g_assert_error (given_up, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  for (guint hostility = 0; hostility < HANDSHAKES; hostility++)
    {
      g_autoptr (GError) error = NULL;
      g_atomic_int_set (&fake.hostility, (gint) hostility);
      g_assert_null (ldb_inspector_open (running, NULL, &error));
      g_assert_nonnull (error);
      g_assert_cmpint ((int) strlen (error->message), >, 10);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
                     == (hostility == HANDSHAKE_SILENCE));
    }
  fake_server_stop (&fake.server);
}

/* Who waits for an answer that does not come can give up. */
static void
test_silence (Application *application, gconstpointer data)
{
  take_the_place ();
  g_autoptr (LdbRunningDatabase) running = find_it (application);
  g_autoptr (LdbInspector) self = open_with (running, ANSWER_SILENCE);
  for (guint which = 0; which < N_CALLS; which++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
      g_assert_false (call_one (self, which, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_thread_join (thread);
    }
  fake_server_stop (&fake.server);
}

/* Each call before each wrong answer: an error that says something, or, where nothing is to be
 * answered, what it was. */
static void
test_wrong_answers (Application *application, gconstpointer data)
{
  take_the_place ();
  g_autoptr (LdbRunningDatabase) running = find_it (application);
  for (guint hostility = ANSWER_END; hostility < ANSWER_RANDOM; hostility++)
    for (guint which = 0; which < N_CALLS; which++)
      {
        g_autoptr (GError) error = NULL;
        g_autoptr (LdbInspector) self = open_with (running, (Hostility) hostility);
        gboolean got = call_one (self, which, NULL, &error);
        g_assert_true (got == (error == NULL));
        if (error == NULL
            && !(hostility <= ANSWER_WRONG_TYPE && hostility >= ANSWER_EMPTY
                 && answers_nothing (which)))
          g_error ("call %u took the wrong answer %u", which, hostility);
        if (error != NULL)
          g_assert_true (g_utf8_validate (error->message, -1, NULL)
                         && strlen (error->message) > 10);
        drain ();
      }
  fake_server_stop (&fake.server);
}

static void
note_changes (LdbInspector *self, guint id, LdbChangeSet *changes, guint *told)
{
  *told += 1 + ldb_change_set_get_n_changes (changes);
}

static void
note_event (LdbInspector *self, LdbEvent *event, guint *told)
{
  g_autofree char *text = ldb_event_describe (event);
  *told += 1;
}

/* Whatever stands in an answer of the right type is taken, or refused as wrong. */
static void
test_random_answers (Application *application, gconstpointer data)
{
  guint rounds = g_test_thorough () ? 2000 : 40, told = 0, taken = 0;
  take_the_place ();
  g_autoptr (LdbRunningDatabase) running = find_it (application);
  g_atomic_int_set (&fake.seed, (gint) g_test_rand_int_range (0, G_MAXINT / 2));
  for (guint round = 0; round < rounds; round++)
    {
      g_autoptr (LdbInspector) self = open_with (running, ANSWER_RANDOM);
      g_signal_connect (self, "changed", G_CALLBACK (note_changes), &told);
      g_signal_connect (self, "event", G_CALLBACK (note_event), &told);
      for (guint which = 0; which < N_CALLS; which++)
        {
          g_autoptr (GError) error = NULL;
          gboolean got = call_one (self, which, NULL, &error);
          g_assert_true (got == (error == NULL));
          taken += got;
          drain ();
        }
    }
  g_assert_cmpuint (taken, >, rounds); /* not all is refused: it was of the right type */
  g_assert_cmpuint (told, >, rounds);
  fake_server_stop (&fake.server);
}

/* What is told of a call after its answer is kept by nobody. */
static void
test_late_progress (Application *application, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  take_the_place ();
  g_autoptr (LdbRunningDatabase) running = find_it (application);
  g_autoptr (LdbInspector) self = open_with (running, ANSWER_BEFORE_PROGRESS);
  ldb_inspector_compact (self, hear_progress, NULL, NULL, &error);
  guint before = ldb_test_count_descriptors ();
  for (guint i = 0; i < 50 && error == NULL; i++)
    ldb_inspector_compact (self, hear_progress, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ldb_test_count_descriptors (), ==, before);
  fake_server_stop (&fake.server);
}

static void
add_tests (void)
{
  read_interface ();
  ldb_test_allow_warnings (); /* GIO has some, of bytes that are no message */
  add_look ("/inspector-hostile/handshake", test_handshake);
  add_look ("/inspector-hostile/silence", test_silence);
  add_look ("/inspector-hostile/wrong-answers", test_wrong_answers);
  add_look ("/inspector-hostile/random-answers", test_random_answers);
  add_look ("/inspector-hostile/late-progress", test_late_progress);
}

int
main (int argc, char **argv)
{
  return running_application_main (argc, argv, add_tests);
}
