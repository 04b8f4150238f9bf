/* SPDX-License-Identifier: MIT */
/*
 * Inspectors that are broken, slow, greedy, somebody else's or dead, and applications that die: the
 * database and the other inspectors notice nothing.
 *
 * This program is also the application of another process (--application PATH), a stranger
 * (--stranger SOCKET), an inspector (--visit SOCKET) and one in another PID namespace (--look SOCKET).
 */
#include "inspector-client.h"
#include "written-log.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

typedef struct
{
  Place place;
  LdbDatabase *db; /* shared; owned */
  char *socket;    /* of this process; owned */
} Shared;

static char *program; /* this one; owned */

static void
shared_set_up (Shared *self, gconstpointer data)
{
  place_set_up (&self->place, data);
  written_log_clear ();
  self->db = place_open (&self->place, NULL);
  ldb_database_put_string (self->db, "a", "1", NULL, NULL);
  ldb_database_set_inspectable (self->db, TRUE);
  self->socket = runtime_file (".socket");
}

static void
shared_tear_down (Shared *self, gconstpointer data)
{
  g_object_unref (self->db);
  g_free (self->socket);
  place_tear_down (&self->place, data);
}

/* Of each kind only so many at once, however many there were. */
static GHashTable *
assert_logged (Shared *self, const char *reason)
{
  GHashTable *line = written_log_wait ("inspector-refused", reason);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (written_log_count ("inspector-refused"), <=, 20);
  const char *database = g_hash_table_lookup (line, "LDB_DATABASE");
  g_assert_true (database == NULL || g_str_equal (database, self->place.path));
  return line;
}

/* The process is this one. */
static void
assert_logged_of_us (Shared *self, const char *reason)
{
  g_autofree char *process = g_strdup_printf ("%d", (int) getpid ());
  g_assert_cmpstr (written_field (assert_logged (self, reason), "LDB_PEER"), ==, process);
}

/* Somebody who behaves is served. */
static void
assert_alive (Shared *self)
{
  Client client;
  client_connect (&client, self->socket);
  client_do (&client, "ListStores", NULL);
  client_close (&client);
}

/* The inspection's thread closes in its own time. */
static void
wait_for_descriptors (guint count)
{
  while (ldb_test_count_descriptors () > count)
    g_usleep (1000);
}

static void
begin_peak (void)
{
  int file = open ("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (write (file, "5", 1), ==, 1);
  close (file);
}

/* Bytes of this process that were in memory at once, at most, since begin_peak. */
static gsize
peak_memory (void)
{
  g_autofree char *text = NULL;
  g_file_get_contents ("/proc/self/status", &text, NULL, NULL);
  const char *line = text != NULL ? strstr (text, "VmHWM:") : NULL;
  g_assert_nonnull (line);
  return (gsize) g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) * 1024;
}

/* ---- what is no handshake ---- */

static void
test_handshake (Shared *self, gconstpointer data)
{
#define TEXT(text) text, sizeof text - 1
  static const struct
  {
    const char *bytes;
    gsize size;
  } cases[] = {
    { TEXT ("AUTH EXTERNAL\r\n") },
    { TEXT ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") },
    { TEXT ("\0BEGIN\r\n") },
    { TEXT ("\0AUTH EXTERNAL\nDATA\n") },
    { TEXT ("\0AUTH EXTERNAL\r\nBEGIN\r\n") },
    { TEXT ("\0AUTH ANONYMOUS\r\nBEGIN\r\n") },
    { TEXT ("\0AUTH DBUS_COOKIE_SHA1 726f6f74\r\nBEGIN\r\n") },
    { TEXT ("\0AUTH EXTERNAL 3939393939\r\nBEGIN\r\n") },
    { TEXT ("\0AUTH EXTERNAL zz\r\nBEGIN\r\n") },
    { TEXT ("\0AUTH EXTERNAL\r\nDATA 00\r\nBEGIN\r\n") },
    { TEXT ("\0AUTH EXTERNAL\r\nDATA\r\nCANCEL\r\nBEGIN\r\n") },
    { TEXT ("\0AUTH EXTERNAL\r\nDA\0TA\r\nBEGIN\r\n") },
    { TEXT ("\0\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n") },
    { TEXT ("\0\xff\xfe\xfd\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n") },
  };
#undef TEXT
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int stranger = connect_to (self->socket);
      send_bytes (stranger, cases[i].bytes, cases[i].size);
      read_to_end (stranger);
      close (stranger);
    }
  assert_alive (self);
  assert_logged_of_us (self, "handshake");
}

/* A line that does not end, and one that is too long by one. */
static void
test_endless_line (Shared *self, gconstpointer data)
{
  g_autofree char *line = g_strnfill (1 << 20, 'A');
  int stranger = connect_to (self->socket);
  line[0] = '\0';
  send_bytes (stranger, line, 1 << 20);
  read_to_end (stranger);
  close (stranger);
  assert_alive (self);
  assert_logged_of_us (self, "handshake");
}

/* ---- what is no message ---- */

static void
test_malformed (Shared *self, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  g_autoptr (GDBusMessage) call = client_make_call (
      1, CLIENT_INTERFACE, "Read",
      g_variant_new ("(us@ay@ayuuu)", 0, "", text_variant ("a"), text_variant ("b"), 0, 10, 10));
  gsize size;
  g_dbus_message_set_serial (call, 1);
  g_autofree guchar *blob
      = g_dbus_message_to_blob (call, &size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  for (guint i = 0; i < 500; i++)
    {
      Client client;
      g_autofree guchar *changed = g_memdup2 (blob, size);
      guint changes = (guint) g_rand_int_range (random, 1, 5);
      for (guint k = 0; k < changes; k++)
        changed[g_rand_int_range (random, 0, (gint) size)] = (guchar) g_rand_int (random);
      client_connect (&client, self->socket);
      send_bytes (client.socket, changed, size);
      shutdown (client.socket, SHUT_WR);
      read_to_end (client.socket);
      client_close (&client);
    }
  assert_alive (self);
  assert_logged_of_us (self, "message");
}

static void
test_oversized (Shared *self, gconstpointer data)
{
  static const guint32 lengths[][2] = {
    /* body, header's fields */
    { 1 << 20, 8 },
    { 128 << 20, 8 },
    { G_MAXUINT32, 8 },
    { 8, G_MAXUINT32 },
    { G_MAXUINT32, G_MAXUINT32 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      Client client;
      guint8 header[16] = { 'l', 1, 0, 1 };
      memcpy (header + 4, &lengths[i][0], 4);
      header[8] = 1;
      memcpy (header + 12, &lengths[i][1], 4);
      client_connect (&client, self->socket);
      g_assert_true (send_bytes (client.socket, header, sizeof header));
      g_assert_cmpuint (read_to_end (client.socket), ==, 0);
      client_close (&client);
    }
  assert_alive (self);
  assert_logged_of_us (self, "message");
}

/* Bytes of a message, field by field. */
static void
append_number (GByteArray *to, guint32 number)
{
  static const guint8 zeros[4] = { 0 };
  g_byte_array_append (to, zeros, (4 - to->len % 4) % 4);
  g_byte_array_append (to, (const guint8 *) &number, sizeof number);
}

static void
append_field (GByteArray *to, guint8 code, char type, const char *text)
{
  const guint8 head[4] = { code, 1, (guint8) type, 0 };
  static const guint8 zeros[8] = { 0 };
  g_byte_array_append (to, zeros, (8 - to->len % 8) % 8);
  g_byte_array_append (to, head, sizeof head);
  append_number (to, (guint32) strlen (text));
  g_byte_array_append (to, (const guint8 *) text, (guint) strlen (text) + 1);
}

/* What the server makes of a call of Introspect with these fields: bytes that it answers. */
static gsize
send_fields (Shared *self, GByteArray *fields, guint32 serial)
{
  Client client;
  const guint8 head[4] = { 'l', 1, 0, 1 };
  static const guint8 zeros[8] = { 0 };
  g_autoptr (GByteArray) message = g_byte_array_new ();
  g_byte_array_append (message, head, sizeof head);
  append_number (message, 0);
  append_number (message, serial);
  append_number (message, fields->len);
  g_byte_array_append (message, fields->data, fields->len);
  g_byte_array_append (message, zeros, (8 - message->len % 8) % 8);
  client_connect (&client, self->socket);
  send_bytes (client.socket, message->data, message->len);
  shutdown (client.socket, SHUT_WR);
  gsize answered = read_to_end (client.socket);
  client_close (&client);
  return answered;
}

/* A path that is no path but a string, a member that is a path, the serial number 0: GLib takes them. */
static void
test_odd_fields (Shared *self, gconstpointer data)
{
  static const char types[][2] = { { 'o', 's' }, { 's', 's' }, { 'o', 'o' }, { 'o', 's' } };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GByteArray) fields = g_byte_array_new ();
      append_field (fields, 1, types[i][0], "/org");
      append_field (fields, 3, types[i][1], types[i][1] == 'o' ? "/Introspect" : "Introspect");
      gsize answered = send_fields (self, fields, i == 3 ? 0 : 7);
      g_assert_cmpint (answered > 0, ==, i == 0);
    }
  assert_alive (self);
  assert_logged_of_us (self, "message");
}

/* A field that nobody knows, of a type that takes memory: it would be kept as long as the call is. */
static void
test_greedy_fields (Shared *self, gconstpointer data)
{
  g_autofree char *long_path = g_strnfill (5000, 'x');
  long_path[0] = '/';
  g_autoptr (GByteArray) fields = g_byte_array_new ();
  append_field (fields, 1, 'o', "/org");
  append_field (fields, 3, 's', "Introspect");
  append_field (fields, 200, 'o', long_path);
  g_assert_cmpuint (send_fields (self, fields, 7), ==, 0);
  assert_alive (self);
  assert_logged_of_us (self, "message");
}

/* A body of a megabyte that would be as many objects when it is decoded: the application's memory does
 * not grow by them, and the client is dropped. */
static void
send_body (Shared *self, const char *signature, guint size, gsize *answered)
{
  Client client;
  const guint8 head[4] = { 'l', 1, 0, 1 };
  static const guint8 zeros[8] = { 0 };
  const guint8 field[4] = { 8, 1, 'g', 0 };
  guint8 length = (guint8) strlen (signature);
  g_autoptr (GByteArray) fields = g_byte_array_new ();
  g_autoptr (GByteArray) message = g_byte_array_new ();
  append_field (fields, 1, 'o', "/org");
  append_field (fields, 3, 's', "Introspect");
  g_byte_array_append (fields, zeros, (8 - fields->len % 8) % 8);
  g_byte_array_append (fields, field, sizeof field);
  g_byte_array_append (fields, &length, 1);
  g_byte_array_append (fields, (const guint8 *) signature, length + 1);
  g_byte_array_append (message, head, sizeof head);
  append_number (message, size + 4);
  append_number (message, 7);
  append_number (message, fields->len);
  g_byte_array_append (message, fields->data, fields->len);
  g_byte_array_append (message, zeros, (8 - message->len % 8) % 8);
  append_number (message, size);
  guint begin = message->len;
  g_byte_array_set_size (message, begin + size);
  memset (message->data + begin, 0, size);
  client_connect (&client, self->socket);
  send_bytes (client.socket, message->data, message->len);
  shutdown (client.socket, SHUT_WR);
  *answered = read_to_end (client.socket);
  client_close (&client);
}

static void
test_greedy_bodies (Shared *self, gconstpointer data)
{
  static const char *const greedy[] = { "ag", "ab", "as", "aay", "av", "a(sayaaybaay)" };
  gsize answered;
  for (guint i = 0; i < G_N_ELEMENTS (greedy); i++)
    {
      begin_peak ();
      gsize before = peak_memory ();
      send_body (self, greedy[i], 1000000, &answered);
      g_assert_cmpuint (answered, ==, 0);
      g_assert_cmpuint (peak_memory () - before, <, 16 << 20); /* decoded it is 70 */
    }
  assert_logged_of_us (self, "message");
  send_body (self, "ay", 1000000, &answered); /* a long key, say: told that it is wrong here */
  g_assert_cmpuint (answered, >, 0);
  send_body (self, "ab", 400, &answered);
  g_assert_cmpuint (answered, >, 0);
  assert_alive (self);
}

/* Calls of nothing that there is, and with other arguments. */
static void
test_wrong_calls (Shared *self, gconstpointer data)
{
  static const struct
  {
    guint object;           /* asked */
    const char *member;     /* called */
    const char *error_name; /* that is the answer; less what they all begin with */
  } cases[] = {
    { 1, "Explode", "UnknownMethod" },
    { 99, "ListStores", "UnknownObject" },
    { 1, "Get", "InvalidArgs" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Client client;
      g_autofree char *name
          = g_strconcat ("org.freedesktop.DBus.Error.", cases[i].error_name, NULL);
      g_autoptr (GDBusMessage) call
          = client_make_call (cases[i].object, CLIENT_INTERFACE, cases[i].member, NULL);
      client_connect (&client, self->socket);
      client_send (&client, call);
      g_autoptr (GDBusMessage) reply = client_receive (&client);
      g_assert_cmpstr (g_dbus_message_get_error_name (reply), ==, name);
      client_close (&client);
    }
  assert_logged_of_us (self, "call");
}

/* Replies and signals that nobody waits for mean nothing. */
static void
test_unexpected (Shared *self, gconstpointer data)
{
  Client client;
  client_connect (&client, self->socket);
  g_autoptr (GDBusMessage) call = client_make_call (1, CLIENT_INTERFACE, "ListStores", NULL);
  g_dbus_message_set_serial (call, 99);
  g_autoptr (GDBusMessage) reply = g_dbus_message_new_method_reply (call);
  g_autoptr (GDBusMessage) signal
      = g_dbus_message_new_signal ("/org/lightningdb/Inspector1/1", CLIENT_INTERFACE, "Closed");
  client_send (&client, reply);
  client_send (&client, signal);
  g_dbus_message_set_flags (call, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
  client_send (&client, call);
  client_do (&client, "ListStores", NULL);
  client_close (&client);
}

/* What one connection said, said again by another: control is no part of it, and a commit that says
 * what it expects is not made twice. */
static void
test_replayed (Shared *self, gconstpointer data)
{
  Client client;
  gsize size;
  const char key[] = "a";
  GVariant *new_value = text_variant ("2"), *old_value = text_variant ("1");
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a(sayaaybaay)"));
  g_variant_builder_add (&all, "(s@ay@aayb@aay)", "", text_variant (key),
                         g_variant_new_array (G_VARIANT_TYPE_BYTESTRING, &new_value, 1), TRUE,
                         g_variant_new_array (G_VARIANT_TYPE_BYTESTRING, &old_value, 1));
  g_autoptr (GVariant) arguments = g_variant_ref_sink (g_variant_new ("(a(sayaaybaay))", &all));
  g_autoptr (GDBusMessage) commit = client_make_call (1, CLIENT_INTERFACE, "Commit", arguments);
  g_dbus_message_set_serial (commit, 2);
  g_autofree guchar *blob
      = g_dbus_message_to_blob (commit, &size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  ldb_database_set_control_allowed (self->db, TRUE);
  client_connect (&client, self->socket);
  client_do (&client, "RequestControl", NULL);
  for (guint i = 0; i < 2; i++)
    {
      send_bytes (client.socket, blob, size);
      g_autoptr (GDBusMessage) reply = client_receive (&client);
      g_assert_cmpstr (g_dbus_message_get_error_name (reply), ==,
                       i == 0 ? NULL : "org.lightningdb.Error.Conflict");
    }
  client_close (&client);
  client_connect (&client, self->socket);
  send_bytes (client.socket, blob, size);
  g_autoptr (GDBusMessage) reply = client_receive (&client);
  g_assert_cmpstr (g_dbus_message_get_error_name (reply), ==,
                   "org.lightningdb.Error.PermissionDenied");
  client_close (&client);
  assert_logged_of_us (self, "control");
}

/* Who comes, asks for control and goes is told to whoever asks for that. */
static void
test_told (Shared *self, gconstpointer data)
{
  Client client;
  g_setenv ("G_MESSAGES_DEBUG", "Ldb", TRUE);
  ldb_database_set_control_allowed (self->db, TRUE);
  client_connect (&client, self->socket);
  client_do (&client, "RequestControl", NULL);
  client_close (&client);
  written_field (written_log_wait ("inspector-connected", NULL), "LDB_PEER");
  GHashTable *line = written_log_wait ("inspector-control", NULL);
  g_assert_cmpstr (written_field (line, "LDB_DATABASE"), ==, self->place.path);
  written_log_wait ("inspector-ended", "left");
  g_assert_cmpuint (written_log_count ("inspector-refused"), ==, 0);
  g_setenv ("G_MESSAGES_DEBUG", "", TRUE);
}

/* ---- too much ---- */

static void
test_connections (Shared *self, gconstpointer data)
{
  Client clients[16];
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    client_connect (&clients[i], self->socket);
  for (guint i = 0; i < 3; i++)
    {
      int more = connect_to (self->socket);
      g_assert_cmpuint (read_to_end (more), ==, 0);
      close (more);
    }
  client_do (&clients[15], "ListStores", NULL);
  guint before = ldb_test_count_descriptors ();
  client_close (&clients[3]);
  wait_for_descriptors (before - 2); /* both ends */
  assert_alive (self);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    if (i != 3)
      client_close (&clients[i]);
  assert_logged_of_us (self, "connections");
}

static int
run_program (const char *const *arguments)
{
  int status = -1;
  g_autoptr (GError) error = NULL;
  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
                NULL, &status, &error);
  g_assert_no_error (error);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

/* Another process than the one that holds them all comes in: what was silent for the longest makes way. */
static void
test_crowded (Shared *self, gconstpointer data)
{
  Client clients[16];
  const char *const visit[] = { program, "--visit", self->socket, NULL };
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    client_connect (&clients[i], self->socket);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    if (i != 5)
      client_do (&clients[i], "ListStores", NULL);
  g_assert_cmpint (run_program (visit), ==, 0);
  g_assert_cmpuint (read_to_end (clients[5].socket), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    if (i != 5)
      client_do (&clients[i], "ListStores", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    client_close (&clients[i]);
  assert_logged_of_us (self, "connections");
}

/* More than a client may have is refused, and told. */
static void
test_limit (Shared *self, gconstpointer data)
{
  Client client;
  client_connect (&client, self->socket);
  for (guint i = 0; i < 4; i++)
    client_do (&client, "OpenSnapshot", NULL);
  client_fail (&client, "OpenSnapshot", NULL, "org.lightningdb.Error.LimitExceeded");
  assert_logged_of_us (self, "limit");
  client_close (&client);
}

/* A flood leaves lines out, and the next one says how many. */
static void
test_held_back (Shared *self, gconstpointer data)
{
  Client client;
  GHashTable *line;
  client_connect (&client, self->socket);
  for (guint i = 0; i < 30; i++)
    client_fail (&client, "RequestControl", NULL, "org.lightningdb.Error.PermissionDenied");
  assert_logged_of_us (self, "control");
  written_log_clear ();
  do /* one in ten seconds */
    {
      client_fail (&client, "RequestControl", NULL, "org.lightningdb.Error.PermissionDenied");
      g_usleep (200000);
      g_main_context_iteration (NULL, FALSE);
      line = written_log_find ("inspector-refused", "control");
    }
  while (line == NULL || g_hash_table_lookup (line, "LDB_HELD_BACK") == NULL);
  g_assert_cmpuint (g_ascii_strtoull (written_field (line, "LDB_HELD_BACK"), NULL, 10), >=, 20);
  client_close (&client);
}

/* Ten thousand that come and go, at every stage, leave nothing. */
static void
test_ten_thousand (Shared *self, gconstpointer data)
{
  assert_alive (self);
  guint before = ldb_test_count_descriptors ();
  for (guint i = 0; i < 10000; i++)
    {
      int passer = connect_to (self->socket);
      if (passer < 0)
        continue;
      if (i % 4 != 0)
        send_bytes (passer, CLIENT_HELLO, sizeof CLIENT_HELLO - (i % 4));
      if (i % 64 == 1)
        wait_readable (passer); /* an answer, or its end */
      close (passer);
    }
  Client last;
  while (!client_try_connect (&last, self->socket)) /* there are too many of them */
    g_usleep (1000);
  client_close (&last); /* who was served came last: none of them has still to be let in */
  wait_for_descriptors (before);
  assert_alive (self);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (written_log.lines->len, <, 200); /* however long it took */
}

/* Calls without end, whose answers are read late: all are answered, in order; what is not read is
 * the sender's to keep. */
static void
test_flood (Shared *self, gconstpointer data)
{
  Client client;
  guint sent = 0, answered = 0;
  const guint calls = 20000;
  g_autofree char *value = g_strnfill (60000, 'x');
  ldb_database_put_string (self->db, "big", value, NULL, NULL);
  client_connect (&client, self->socket);
  g_autoptr (GByteArray) unsent = g_byte_array_new ();
  while (answered < calls)
    {
      if (unsent->len == 0 && sent < calls)
        {
          gsize size;
          const char *method = sent % 50 == 0 ? "Get" : "ListStores";
          GVariant *arguments = sent % 50 == 0
                                    ? g_variant_new ("(us@aytu)", 0, "", text_variant ("big"),
                                                     (guint64) 0, G_MAXUINT)
                                    : NULL;
          g_autoptr (GDBusMessage) call = client_make_call (1, CLIENT_INTERFACE, method, arguments);
          g_dbus_message_set_serial (call, ++sent);
          g_autofree guchar *blob
              = g_dbus_message_to_blob (call, &size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
          g_byte_array_append (unsent, blob, (guint) size);
        }
      gssize count = unsent->len > 0 ? send (client.socket, unsent->data, unsent->len,
                                             MSG_NOSIGNAL | MSG_DONTWAIT)
                                     : -1;
      if (count > 0)
        {
          g_byte_array_remove_range (unsent, 0, (guint) count);
          continue;
        }
      g_autoptr (GDBusMessage) reply = client_receive (&client);
      g_assert_nonnull (reply);
      g_assert_cmpuint (g_dbus_message_get_reply_serial (reply), ==, ++answered);
      g_assert_cmpint (g_dbus_message_get_message_type (reply), ==,
                       G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
    }
  client_close (&client);
}

/* ---- what is the application's ---- */

/* Threads of this process that have the name. */
static guint
count_threads (const char *name)
{
  guint count = 0;
  const char *id;
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  while ((id = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/task", id, "comm", NULL);
      g_autofree char *text = NULL;
      if (g_file_get_contents (path, &text, NULL, NULL))
        count += g_str_equal (g_strchomp (text), name);
    }
  return count;
}

/* Whoever asks for a lot has two of the library's workers at it, and the others are the application's. */
static void
test_workers (Shared *self, gconstpointer data)
{
  Client clients[4];
  guint before = count_threads ("ldb-worker");
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    client_connect (&clients[i], self->socket);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    for (guint k = 0; k < 16; k++)
      {
        static const char *const methods[] = { "GetHealth", "LocateKey" };
        GVariant *key = g_variant_new ("(s@ay)", "", text_variant ("a"));
        g_autoptr (GVariant) arguments = g_variant_ref_sink (key);
        g_autoptr (GDBusMessage) call
            = client_make_call (1, CLIENT_INTERFACE, methods[k % 2], k % 2 == 1 ? arguments : NULL);
        client_send (&clients[i], call);
      }
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      for (guint k = 0; k < 16; k++)
        {
          g_autoptr (GDBusMessage) reply = client_receive (&clients[i]);
          g_assert_cmpint (g_dbus_message_get_message_type (reply), ==,
                           G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
        }
      client_close (&clients[i]);
    }
  /* Two of each pool are at work. One that has just finished may not wait yet when the next is wanted, so
   * there may be one more of each; without a limit there were all twelve. */
  g_assert_cmpuint (count_threads ("ldb-worker"), <=, before + 6);
}

/* Shares a database, and closes it while an inspector waits for answers. */
static void
close_meanwhile (Place *place)
{
  Client client;
  LdbDatabase *db = place_open (place, NULL);
  ldb_database_set_inspectable (db, TRUE);
  client_open (&client);
  for (guint i = 0; i < 16; i++)
    {
      g_autoptr (GDBusMessage) call = client_make_call (
          1, CLIENT_INTERFACE, "MeasureSizes",
          g_variant_new ("(s@ay@ayuu)", "", text_variant (""), text_variant (""), 0, 0));
      client_send (&client, call);
    }
  wait_readable (client.socket); /* one is answered, the others wait */
  g_object_unref (db);
  read_to_end (client.socket);
  client_close (&client);
}

/* What they waited for comes to nothing, and nothing is left of it: each left a descriptor behind once. */
static void
test_closed_meanwhile (Place *place, gconstpointer data)
{
  LdbDatabase *db = place_open (place, NULL);
  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", i);
      ldb_database_put_string (db, key, "value", NULL, NULL);
    }
  g_object_unref (db);
  close_meanwhile (place); /* GLib has its thread from here on */
  guint before = ldb_test_count_descriptors ();
  for (guint i = 0; i < 5; i++)
    close_meanwhile (place);
  wait_for_descriptors (before);
}

/* ---- too slow ---- */

/* One who never says who he is, and one who asks and never reads, are dropped, in their time. */
static void
test_slow (Shared *self, gconstpointer data)
{
  Client deaf;
  g_autofree char *value = g_strnfill (60000, 'x');
  ldb_database_put_string (self->db, "big", value, NULL, NULL);
  int silent = connect_to (self->socket);
  client_connect (&deaf, self->socket);
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (GDBusMessage) call = client_make_call (
          1, CLIENT_INTERFACE, "Get",
          g_variant_new ("(us@aytu)", 0, "", text_variant ("big"), (guint64) 0, G_MAXUINT));
      client_send (&deaf, call);
    }
  g_assert_cmpuint (read_to_end (silent), ==, 0);
  struct pollfd end = { .fd = deaf.socket };
  g_assert_cmpint (poll (&end, 1, 300000), ==, 1);
  g_assert_true ((end.revents & POLLHUP) != 0);
  assert_alive (self);
  close (silent);
  client_close (&deaf);
  assert_logged_of_us (self, "slow");
}

/* ---- who leaves at the wrong moment ---- */

static gint leaves; /* atomic: the client leaves before it is told that it has missed something */

/* In place of the C library's, for the library, too. */
__attribute__ ((visibility ("default"))) ssize_t
send (int descriptor, const void *bytes, size_t size, int flags)
{
  if (g_atomic_int_get (&leaves) && size < 400 && memmem (bytes, size, "Changed", 7) != NULL)
    {
      g_atomic_int_set (&leaves, FALSE);
      errno = EPIPE;
      return -1;
    }
  return syscall (SYS_sendto, descriptor, bytes, size, flags, NULL, 0);
}

/* One who follows two streams, was too slow for both, and goes while the first is announced anew. */
static void
test_leaving (Shared *self, gconstpointer data)
{
  Client client;
  g_autofree char *value = g_strnfill (60000, 'x');
  client_connect (&client, self->socket);
  for (guint i = 0; i < 2; i++)
    client_do (&client, "Subscribe",
               g_variant_new ("(sb@ayuu)", "", FALSE, text_variant (""), LDB_WATCH_VALUES, 0));
  for (guint i = 0; i < 400; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", i);
      ldb_test_put (self->db, key, value);
      if (i % 8 == 0)
        g_usleep (1000);
    }
  g_atomic_int_set (&leaves, TRUE);
  read_to_end (client.socket);
  client_close (&client);
  g_assert_false (g_atomic_int_get (&leaves));
  assert_alive (self);
}

/* ---- somebody else ---- */

#define STRANGER 65534 /* nobody's number */
#define EXIT_SKIPPED 77

/* As another user: 0 when the connection is closed without a word. */
static int
be_stranger (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  char buffer[64];
  if (setgroups (0, NULL) != 0 || setresgid (STRANGER, STRANGER, STRANGER) != 0
      || setresuid (STRANGER, STRANGER, STRANGER) != 0)
    return EXIT_SKIPPED;
  int descriptor = socket (AF_UNIX, SOCK_STREAM, 0);
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  if (connect (descriptor, (struct sockaddr *) &address, sizeof address) != 0)
    return 2;
  send_bytes (descriptor, CLIENT_HELLO, sizeof CLIENT_HELLO - 1);
  wait_readable (descriptor);
  return recv (descriptor, buffer, sizeof buffer, 0) > 0 ? 1 : 0;
}

/* Even where the folders were open to everybody. */
static void
test_other_user (Shared *self, gconstpointer data)
{
  g_autofree char *folder = runtime_folder ();
  g_autofree char *above = g_path_get_dirname (folder);
  const char *const stranger[] = { program, "--stranger", self->socket, NULL };
  if (geteuid () != 0)
    {
      g_test_skip ("only root can be another user");
      return;
    }
  g_assert_cmpint (run_program (stranger), ==, 2);
  g_chmod (above, 0755);
  g_chmod (folder, 0755);
  g_chmod (self->socket, 0777);
  int outcome = run_program (stranger);
  g_chmod (folder, 0700);
  g_chmod (above, 0700);
  if (outcome == EXIT_SKIPPED)
    g_test_skip ("this root cannot be another user");
  else
    {
      g_assert_cmpint (outcome, ==, 0);
      assert_logged (self, "user");
    }
  assert_alive (self);
}

static int
visit (const char *path)
{
  Client client;
  client_connect (&client, path);
  client_do (&client, "ListStores", NULL);
  client_close (&client);
  return 0;
}

/* From another PID namespace, where the application's number means nothing. */
static int
look_from_elsewhere (const char *path)
{
  Client client;
  int status;
  if (unshare (CLONE_NEWPID) != 0)
    return EXIT_SKIPPED;
  pid_t child = fork ();
  if (child == 0)
    {
      client_connect (&client, path);
      client_do (&client, "ListStores", NULL);
      _exit (getpid () == 1 ? 0 : 1);
    }
  if (child < 0 || waitpid (child, &status, 0) != child || !WIFEXITED (status))
    return 1;
  return WEXITSTATUS (status);
}

static void
test_namespace (Shared *self, gconstpointer data)
{
  const char *const inspector[] = { program, "--look", self->socket, NULL };
  int outcome = run_program (inspector);
  if (outcome == EXIT_SKIPPED)
    g_test_skip ("PID namespaces cannot be made here");
  else
    g_assert_cmpint (outcome, ==, 0);
}

/* ---- what lies in the folder ---- */

static void
leave_behind (const char *folder, const char *token, const char *rest, gboolean fifo)
{
  g_autofree char *name = g_strconcat (token, rest, NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  if (fifo)
    g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  else
    g_assert_true (g_file_set_contents (path, "", 0, NULL));
}

/* All files of all who are dead go, whichever of them are left; what is not ours, and the living, stay. */
static void
test_sweep (Shared *self, gconstpointer data)
{
  static const char *const rests[] = { "-1.database", "-2.database", "-1.counters", ".socket" };
  g_autofree char *folder = runtime_folder ();
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *token = g_strdup_printf ("%032x", i);
      for (guint k = i % 3; k < G_N_ELEMENTS (rests); k++)
        leave_behind (folder, token, rests[k], FALSE);
      if (i % 2 == 0)
        leave_behind (folder, token, ".alive", TRUE);
    }
  leave_behind (folder, "somebody", ".database", FALSE);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_assert_cmpuint (ldb_running_list_get_n_items (list), ==, 1);
  g_autofree char *life = runtime_file (".alive");
  g_autofree char *socket = runtime_file (".socket");
  g_autoptr (GPtrArray) adverts = runtime_files (".database");
  g_assert_cmpuint (adverts->len, ==, 2);
  g_autofree char *stray = g_build_filename (folder, "somebody.database", NULL);
  g_assert_cmpint (g_unlink (stray), ==, 0);
  assert_alive (self);
}

/* A link in place of the socket leads nowhere. */
static void
test_linked_socket (Shared *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *real = g_build_filename (g_get_user_runtime_dir (), "real", NULL);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, self->place.path);
  g_assert_nonnull (running);
  g_assert_cmpint (rename (self->socket, real), ==, 0);
  g_assert_cmpint (symlink (real, self->socket), ==, 0);
  g_assert_null (ldb_inspector_open (running, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_IO, "no socket");
  g_assert_cmpint (rename (real, self->socket), ==, 0);
  g_autoptr (LdbInspector) inspector = ldb_inspector_open (running, NULL, &error);
  g_assert_no_error (error);
}

/* ---- life and death ---- */

/* Shares a database, forks a child that lives on, says so, and waits. */
static int
be_application (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  ldb_database_set_inspectable (db, TRUE);
  pid_t child = fork ();
  if (child != 0)
    {
      printf ("%d\n", (int) child);
      fflush (stdout);
    }
  alarm (600); /* nobody is left behind */
  pause ();
  return 0;
}

static gboolean
may_be_locked (const char *path)
{
  int life = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (life, >=, 0);
  gboolean may = flock (life, LOCK_SH | LOCK_NB) == 0;
  close (life);
  return may;
}

/* Death is the kernel's to tell, even while a forked child of the dead lives; whoever comes next
 * clears up. */
static void
test_death (Place *place, gconstpointer data)
{
  int output;
  char line[32] = "";
  GPid application;
  g_autoptr (GError) error = NULL;
  const char *const arguments[] = { program, "--application", place->path, NULL };
  g_spawn_async_with_pipes (NULL, (char **) arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                            &application, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  for (gsize at = 0; at < sizeof line - 1 && strchr (line, '\n') == NULL; at++)
    g_assert_cmpint (read (output, line + at, 1), ==, 1);
  pid_t orphan = (pid_t) atoi (line);
  g_autofree char *life = runtime_file (".alive");
  g_assert_false (may_be_locked (life));
  struct pollfd watch = { .fd = open (life, O_RDONLY | O_NONBLOCK | O_CLOEXEC) };
  g_assert_cmpint (poll (&watch, 1, 0), ==, 0);
  kill (application, SIGSTOP);
  g_assert_cmpint (poll (&watch, 1, 0), ==, 0);
  g_assert_false (may_be_locked (life));
  kill (application, SIGKILL);
  waitpid (application, NULL, 0);
  g_assert_cmpint (poll (&watch, 1, 300000), ==, 1);
  g_assert_true ((watch.revents & POLLHUP) != 0);
  g_assert_true (may_be_locked (life));
  kill (orphan, SIGKILL);
  close (watch.fd);
  close (output);
  g_assert_true (g_file_test (life, G_FILE_TEST_EXISTS));
  g_autofree char *mine = g_build_filename (place->directory, "mine", NULL);
  g_autoptr (LdbDatabase) db = ldb_database_open (mine, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  ldb_database_set_inspectable (db, TRUE);
  g_assert_false (g_file_test (life, G_FILE_TEST_EXISTS));
  g_autofree char *only = runtime_file (".database");
  g_autofree char *socket = runtime_file (".socket");
}

/* Behind all others: what there is to be told of inspectors was. */
static void
test_log_is_complete (void)
{
  written_log_check_complete ("inspector-");
}

#define add_abuse(name, function)                                                                  \
  g_test_add (name, Shared, NULL, shared_set_up, function, shared_tear_down)

int
main (int argc, char **argv)
{
#ifdef __SANITIZE_THREAD__
  g_print ("1..0 # SKIP client and server both use GVariant, whose locks are GLib's own\n");
  return 0;
#endif
  if (argc == 3 && strcmp (argv[1], "--stranger") == 0)
    return be_stranger (argv[2]);
  if (argc == 3 && strcmp (argv[1], "--visit") == 0)
    return visit (argv[2]);
  if (argc == 3 && strcmp (argv[1], "--look") == 0)
    _exit (look_from_elsewhere (argv[2])); /* no process can be made any more, as LSan would */
  if (argc == 3 && strcmp (argv[1], "--application") == 0)
    return be_application (argv[2]);
  g_autofree char *runtime = runtime_directory_make ();
  program = g_file_read_link ("/proc/self/exe", NULL);
  g_test_init (&argc, &argv, NULL);
  written_log_begin ();
  add_abuse ("/inspection-abuse/handshake", test_handshake);
  add_abuse ("/inspection-abuse/endless-line", test_endless_line);
  add_abuse ("/inspection-abuse/malformed", test_malformed);
  add_abuse ("/inspection-abuse/oversized", test_oversized);
  add_abuse ("/inspection-abuse/odd-fields", test_odd_fields);
  add_abuse ("/inspection-abuse/greedy-fields", test_greedy_fields);
  add_abuse ("/inspection-abuse/greedy-bodies", test_greedy_bodies);
  add_abuse ("/inspection-abuse/unexpected", test_unexpected);
  add_abuse ("/inspection-abuse/replayed", test_replayed);
  add_abuse ("/inspection-abuse/told", test_told);
  add_abuse ("/inspection-abuse/wrong-calls", test_wrong_calls);
  add_abuse ("/inspection-abuse/connections", test_connections);
  add_abuse ("/inspection-abuse/crowded", test_crowded);
  add_abuse ("/inspection-abuse/limit", test_limit);
  add_abuse ("/inspection-abuse/held-back", test_held_back);
  add_abuse ("/inspection-abuse/ten-thousand", test_ten_thousand);
  add_abuse ("/inspection-abuse/flood", test_flood);
  add_abuse ("/inspection-abuse/workers", test_workers);
  add_test ("/inspection-abuse/closed-meanwhile", test_closed_meanwhile);
  add_abuse ("/inspection-abuse/slow", test_slow);
  add_abuse ("/inspection-abuse/leaving", test_leaving);
  add_abuse ("/inspection-abuse/other-user", test_other_user);
  add_abuse ("/inspection-abuse/namespace", test_namespace);
  add_abuse ("/inspection-abuse/sweep", test_sweep);
  add_abuse ("/inspection-abuse/linked-socket", test_linked_socket);
  add_test ("/inspection-abuse/death", test_death);
  g_test_add_func ("/inspection-abuse/log", test_log_is_complete);
  int status = g_test_run ();
  ldb_test_remove (runtime);
  g_free (program);
  return status;
}
