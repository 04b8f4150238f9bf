/* SPDX-License-Identifier: MIT */
/*
 * LdbMonitorServer as an application uses it: settings, starting and stopping, what it answers while the
 * main loop does not run, a database that is closed meanwhile, what is logged and where.
 */
#include "../lib/written-log.h"

#include <gio/gunixsocketaddress.h>
#include <lightning-db-monitor.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a client that blocks ---- */

static char *
talk (GSocketConnectable *where, const char *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_socket_client_set_enable_proxy (client, FALSE);
  g_autoptr (GSocketConnection) connection = g_socket_client_connect (client, where, NULL, &error);
  g_assert_no_error (error);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_assert_true (g_output_stream_write_all (output, request, strlen (request), NULL, NULL, &error));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GString *answer = g_string_new (NULL);
  char bytes[4096];
  gssize count;
  while ((count = g_input_stream_read (input, bytes, sizeof bytes, NULL, &error)) > 0)
    g_string_append_len (answer, bytes, count);
  g_assert_no_error (error);
  return g_string_free (answer, FALSE);
}

/* Asks where the server listens; `place` is the index of the address. */
static char *
ask (LdbMonitorServer *server, guint place, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) uris = ldb_monitor_server_list_uris (server);
  g_assert_cmpuint (g_strv_length (uris), >, place);
  g_autofree char *request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
  if (g_str_has_prefix (uris[place], "unix:"))
    {
      g_autoptr (GSocketAddress) address = g_unix_socket_address_new (uris[place] + 5);
      return talk (G_SOCKET_CONNECTABLE (address), request);
    }
  g_autoptr (GSocketConnectable) address = g_network_address_parse_uri (uris[place], 0, &error);
  g_assert_no_error (error);
  return talk (address, request);
}

static void
assert_answer (char *taken, const char *first_line, const char *words)
{
  g_autofree char *answer = taken;
  if (!g_str_has_prefix (answer, first_line) || strstr (answer, words) == NULL)
    g_error ("neither “%s” nor “%s” in: %s", first_line, words, answer);
}

static LdbMonitorServer *
server_on_socket (Place *place, LdbDatabase *database)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (place->directory, "socket", NULL);
  LdbMonitorServer *server = ldb_monitor_server_new (database);
  ldb_monitor_server_set_socket_path (server, path);
  g_assert_true (ldb_monitor_server_start (server, &error));
  g_assert_no_error (error);
  return server;
}

/* ---- settings ---- */

static void
note_property (GObject *object, GParamSpec *pspec, gpointer names)
{
  g_ptr_array_add (names, (gpointer) pspec->name);
}

/* Each property has its default, notifies when it changes and only then. */
static void
test_properties (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = ldb_monitor_server_new (database);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *const hosts[] = { "Db.Example", NULL };
  g_signal_connect (server, "notify", G_CALLBACK (note_property), names);
  g_assert_true (ldb_monitor_server_get_database (server) == database);
  g_assert_false (ldb_monitor_server_get_running (server));
  g_assert_null (ldb_monitor_server_get_socket_path (server));
  g_assert_cmpstr (ldb_monitor_server_get_address (server), ==, "127.0.0.1");
  g_assert_cmpint (ldb_monitor_server_get_metrics_port (server), ==, 9090);
  g_assert_cmpint (ldb_monitor_server_get_port (server), ==, 8080);
  g_assert_cmpuint (ldb_monitor_server_get_max_connections (server), ==, 1000);
  g_assert_cmpuint (ldb_monitor_server_get_max_requests_per_second (server), ==, 100);
  g_assert_cmpuint (ldb_monitor_server_get_request_timeout (server), ==, 10);
  g_assert_null (ldb_monitor_server_get_allowed_hosts (server)[0]);
  g_assert_null (ldb_monitor_server_get_tls_certificate (server));
  g_assert_null (ldb_monitor_server_get_tls_database (server));
  for (guint round = 0; round < 2; round++)
    {
      g_object_set (server, "socket-path", "/nowhere/socket", "address", "::1", "metrics-port", 0,
                    "port", -1, "max-connections", 7, "max-requests-per-second", 8,
                    "request-timeout", 9, "allowed-hosts", hosts, NULL);
      g_assert_cmpuint (names->len, ==, 8);
    }
  g_assert_cmpstr (ldb_monitor_server_get_allowed_hosts (server)[0], ==, "db.example");
  g_assert_cmpint (ldb_monitor_server_get_port (server), ==, -1);
  g_assert_cmpuint (ldb_monitor_server_get_request_timeout (server), ==, 9);
}

/* Starts a server with these settings, which must fail. */
static void
assert_refused (LdbDatabase *database, const char *word, const char *property, ...)
{
  g_autoptr (GError) error = NULL;
  va_list settings;
  g_autoptr (LdbMonitorServer) server = ldb_monitor_server_new (database);
  va_start (settings, property);
  g_object_set_valist (G_OBJECT (server), property, settings);
  va_end (settings);
  g_assert_false (ldb_monitor_server_start (server, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, word) == NULL)
    g_error ("“%s” is not in: %s", word, error->message);
  g_assert_false (ldb_monitor_server_get_running (server));
  g_auto (GStrv) uris = ldb_monitor_server_list_uris (server);
  g_assert_cmpuint (g_strv_length (uris), ==, 0);
}

static void
test_refused (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autofree char *long_name = g_strnfill (120, 'x');
  g_autofree char *long_path = g_build_filename (place->directory, long_name, NULL);
  assert_refused (database, "numeric", "address", "localhost", NULL);
  assert_refused (database, "-1", "port", -1, "metrics-port", -1, NULL);
  assert_refused (database, "absolute", "socket-path", "socket", NULL);
  assert_refused (database, "107", "socket-path", long_path, NULL);
  assert_refused (database, "nowhere", "socket-path", "/nowhere/socket", NULL);
  assert_refused (database, "something else", "socket-path", place->directory, NULL);
  /* Beyond the loopback interface: not without TLS. Documentation addresses, which nobody has. */
  assert_refused (database, "TLS", "address", "192.0.2.1", "port", 0, NULL);
  assert_refused (database, "TLS", "address", "0.0.0.0", "port", 0, NULL);
  assert_refused (database, "TLS", "address", "::", "port", 0, NULL);
  assert_refused (database, "TLS", "address", "::ffff:127.0.0.1", "port", 0, NULL);
}

static void
write_file (const char *path, const char *text, guint mode)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (path, text, -1, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_chmod (path, (int) mode), ==, 0);
}

static void
test_token (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = ldb_monitor_server_new (database);
  g_autofree char *path = g_build_filename (place->directory, "token", NULL);
  g_autofree char *long_token = g_strnfill (513, 'x');
  g_assert_false (ldb_monitor_server_set_token (server, "short", &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "16");
  g_assert_false (ldb_monitor_server_set_token (server, long_token, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "512");
  g_assert_false (ldb_monitor_server_set_token (server, "with a space in it", &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "spaces");
  g_assert_false (ldb_monitor_server_load_token (server, path, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  write_file (path, "0123456789abcdef\n", 0644);
  g_assert_false (ldb_monitor_server_load_token (server, path, &error));
  assert_ldb_error (error, LDB_ERROR_PERMISSION_DENIED, "chmod 600");
  g_assert_false (ldb_monitor_server_load_token (server, place->directory, &error));
  g_clear_error (&error);
  write_file (path, "0123456789abcdef\n", 0600);
  g_assert_true (ldb_monitor_server_load_token (server, path, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_monitor_server_set_token (server, NULL, &error));
  g_assert_no_error (error);
}

/* ---- running ---- */

/* The main loop never runs here: the monitor doesn't need it. */
static void
test_pages (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);
      g_assert_true (ldb_database_put_string (database, key, "v", NULL, &error));
    }
  g_assert_true (ldb_database_delete (database, "k4", 2, NULL, &error));
  g_autofree char *value = ldb_database_get_string (database, "k0", NULL, &error);
  g_assert_cmpstr (value, ==, "v");
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  g_assert_true (ldb_monitor_server_get_running (server));
  g_assert_false (ldb_monitor_server_start (server, &error));
  assert_ldb_error (error, LDB_ERROR_EXISTS, "stop");
  assert_answer (ask (server, 0, "/metrics"), "HTTP/1.1 200",
                 "\nlightning_db_operations_total{type=\"read\"} 1\n"
                 "lightning_db_operations_total{type=\"write\"} 5\n"
                 "lightning_db_operations_total{type=\"delete\"} 1\n");
  assert_answer (ask (server, 0, "/metrics"), "HTTP/1.1 200",
                 "text/plain; version=0.0.4; charset=utf-8\r\n");
  assert_answer (ask (server, 0, "/health"), "HTTP/1.1 200",
                 "\r\n\r\n{\"status\":\"healthy\",\"issues\":[],\"time\":");
  assert_answer (ask (server, 0, "/ready"), "HTTP/1.1 200", "\r\n\r\n{\"ready\":true}\n");
  assert_answer (ask (server, 0, "/stats.json"), "HTTP/1.1 200", "\"puts\":5,\"deletes\":1,");
  assert_answer (ask (server, 0, "/"), "HTTP/1.1 404", "path");
  g_autofree char *alone = ldb_monitor_format_metrics (database);
  g_assert_nonnull (strstr (alone, "\nlightning_db_operations_total{type=\"write\"} 5\n"));
  g_assert_null (strstr (alone, "monitor"));
}

/* One port answers /metrics, the other everything else; or one answers everything. */
static void
test_ports (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = ldb_monitor_server_new (database);
  ldb_monitor_server_set_metrics_port (server, 0);
  ldb_monitor_server_set_port (server, 0);
  g_assert_true (ldb_monitor_server_start (server, &error));
  g_assert_no_error (error);
  assert_answer (ask (server, 0, "/metrics"), "HTTP/1.1 200", "lightning_db_up 1\n");
  assert_answer (ask (server, 0, "/health"), "HTTP/1.1 404", "path");
  assert_answer (ask (server, 1, "/metrics"), "HTTP/1.1 404", "path");
  assert_answer (ask (server, 1, "/health"), "HTTP/1.1 200", "healthy");
  /* A port that is taken. */
  g_auto (GStrv) uris = ldb_monitor_server_list_uris (server);
  g_autoptr (LdbMonitorServer) second = ldb_monitor_server_new (database);
  ldb_monitor_server_set_port (second,
                               (int) g_ascii_strtoll (strrchr (uris[0], ':') + 1, NULL, 10));
  ldb_monitor_server_set_metrics_port (second, -1);
  g_assert_false (ldb_monitor_server_start (second, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
}

/* Stopping gives the socket back; starting again takes it; so does another process's death. */
static void
test_again (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct stat there;
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  g_autofree char *path = g_strdup (ldb_monitor_server_get_socket_path (server));
  g_assert_cmpint (stat (path, &there), ==, 0);
  g_assert_cmpuint (there.st_mode & 0777, ==, 0600);
  for (guint i = 0; i < 20; i++)
    {
      ldb_monitor_server_stop (server);
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      g_assert_true (ldb_monitor_server_start (server, &error));
      g_assert_no_error (error);
      assert_answer (ask (server, 0, "/ready"), "HTTP/1.1 200", "true");
    }
  assert_refused (database, "another program", "socket-path", path, NULL);
  /* Somebody else's socket of that name is left alone. */
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_autoptr (LdbMonitorServer) second = server_on_socket (place, database);
  ldb_monitor_server_stop (server);
  assert_answer (ask (second, 0, "/ready"), "HTTP/1.1 200", "true");
}

#define MEASURINGS 64
#define LATE 12

/* A client that is connected, and asks for something later. */
typedef struct
{
  GSocketConnection *connection; /* owned */
  const char *path;              /* asked for */
} LateClient;

static void
late_client_connect (LateClient *self, LdbMonitorServer *server)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address
      = g_unix_socket_address_new (ldb_monitor_server_get_socket_path (server));
  self->connection = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, &error);
  g_assert_no_error (error);
}

static void
late_client_ask (LateClient *self)
{
  g_autofree char *request
      = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", self->path);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->connection));
  g_output_stream_write_all (output, request, strlen (request), NULL, NULL, NULL);
}

static gpointer
ask_late (gpointer clients)
{
  for (guint i = 0; i < LATE; i++)
    {
      g_usleep (2000);
      late_client_ask ((LateClient *) clients + i);
    }
  return NULL;
}

static void
note_measured (GObject *source, GAsyncResult *result, gpointer left)
{
  g_autoptr (LdbSizes) sizes
      = ldb_database_measure_sizes_finish (LDB_DATABASE (source), result, NULL);
  g_assert_nonnull (sizes);
  --*(guint *) left;
}

static void
stop_meanwhile (Place *place, LdbDatabase *database, LdbStore *store)
{
  static const char *const paths[] = { "/metrics", "/events", "/health" };
  LateClient first = { .path = "/health" };
  LateClient late[LATE];
  guint left = MEASURINGS;
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  late_client_connect (&first, server);
  for (guint i = 0; i < LATE; i++)
    {
      late[i].path = paths[i % G_N_ELEMENTS (paths)];
      late_client_connect (&late[i], server);
    }
  for (guint i = 0; i < MEASURINGS; i++)
    ldb_database_measure_sizes_async (database, store, NULL, 0, NULL, 0, 0, 0, NULL, NULL, NULL,
                                      NULL, note_measured, &left);
  late_client_ask (&first);
  assert_answer (ask (server, 0, "/stats.json"), "HTTP/1.1 200",
                 "puts"); /* the first one was heard */
  GThread *thread = g_thread_new ("late", ask_late, late);
  ldb_monitor_server_stop (server);
  g_thread_join (thread);
  while (left > 0)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (first.connection);
  for (guint i = 0; i < LATE; i++)
    g_object_unref (late[i].connection);
}

/* While it stops it waits for an examination, which has to wait for the library's workers; what clients who
 * are still connected ask for meanwhile, nobody answers. */
static void
test_stopping (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbStore) store
      = ldb_database_open_store (database, "default", LDB_OPEN_NONE, NULL, NULL);
  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", i);
      ldb_test_put (database, key, "value");
    }
  for (guint round = 0; round < 5; round++)
    stop_meanwhile (place, database, store);
}

static void
test_stale (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autofree char *path = g_build_filename (place->directory, "socket", NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocket) left = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                           G_SOCKET_PROTOCOL_DEFAULT, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_bind (left, address, FALSE, &error));
  g_assert_true (g_socket_close (left, &error));
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  assert_answer (ask (server, 0, "/ready"), "HTTP/1.1 200", "true");
}

/* It is told, not hidden. */
/* ---- what is found ---- */

/* Changes a byte in the middle of each segment. */
static void
damage (Place *place)
{
  const char *name;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (place->path, 0, &error);
  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      gsize size;
      g_autofree char *bytes = NULL;
      g_autofree char *path = g_build_filename (place->path, name, NULL);
      if (!g_str_has_suffix (name, ".seg"))
        continue;
      g_assert_true (g_file_get_contents (path, &bytes, &size, &error));
      for (gsize i = 4096; i < MIN (size, 5120); i++)
        bytes[i] ^= 1;
      g_assert_true (g_file_set_contents (path, bytes, (gssize) size, &error));
    }
}

static void
test_critical (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) written = place_open (place, NULL);
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("key-%04u", i);
      g_assert_true (ldb_database_put_string (written, key, "value", NULL, &error));
    }
  g_assert_true (ldb_database_flush (written, NULL, &error));
  g_assert_true (ldb_database_close (written, NULL, &error));
  damage (place);
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  g_assert_null (ldb_database_get_string (database, "key-0001", NULL, &error));
  g_assert_error (error, LDB_ERROR, LDB_ERROR_CORRUPT);
  g_clear_error (&error);
  g_autofree char *answer = ask (server, 0, "/health");
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 503"));
  g_assert_nonnull (strstr (answer, "{\"status\":\"unhealthy\",\"issues\":[{\"id\":\"damage\","
                                    "\"severity\":\"critical\",\"message\":\"Damage was met\","));
  g_assert_nonnull (strstr (answer, "\"evidence\":{\"times\":"));
  g_assert_null (strstr (answer, place->directory));
  g_assert_null (strstr (answer, ".seg"));
  assert_answer (ask (server, 0, "/metrics"), "HTTP/1.1 200", "\nlightning_db_healthy 0\n");
  assert_answer (ask (server, 0, "/ready"), "HTTP/1.1 200", "{\"ready\":true}");
}

/* Reads until the words are there, or the end. */
static gboolean
read_until (GSocketConnection *connection, GString *read, const char *words)
{
  char bytes[4096];
  g_autoptr (GError) error = NULL;
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  while (words == NULL || strstr (read->str, words) == NULL)
    {
      gssize count = g_input_stream_read (input, bytes, sizeof bytes, NULL, &error);
      if (count <= 0)
        return FALSE;
      g_string_append_len (read, bytes, count);
    }
  return TRUE;
}

static GSocketConnection *
follow (LdbMonitorServer *server, const char *fields)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address
      = g_unix_socket_address_new (ldb_monitor_server_get_socket_path (server));
  GSocketConnection *connection
      = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, &error);
  g_assert_no_error (error);
  g_autofree char *request
      = g_strdup_printf ("GET /events HTTP/1.1\r\nHost: localhost\r\n%s\r\n", fields);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
                             strlen (request), NULL, NULL, &error);
  g_assert_no_error (error);
  return connection;
}

static void
test_events (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) all = g_string_new (NULL);
  g_autoptr (GString) fresh = g_string_new (NULL);
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  g_autoptr (GSocketConnection) knowing = follow (server, "Last-Event-ID: 0\r\n");
  g_assert_true (read_until (knowing, all, "event: opened\n"));
  g_assert_nonnull (strstr (all->str, "Content-Type: text/event-stream\r\n"));
  g_assert_nonnull (strstr (all->str, "id: 1\nevent: opened\ndata: {\"number\":1,"));
  g_autoptr (GSocketConnection) other = follow (server, "");
  g_assert_true (read_until (other, fresh, "retry: 3000\n"));
  g_assert_true (ldb_database_put_string (database, "secret-key", "secret-value", NULL, &error));
  g_assert_true (ldb_database_flush (database, NULL, &error));
  g_assert_true (read_until (knowing, all, "event: flushed\n"));
  g_assert_true (read_until (other, fresh, "event: flushed\n"));
  g_assert_null (strstr (fresh->str, "event: opened"));
  g_assert_null (strstr (all->str, "secret"));
  assert_answer (ask (server, 0, "/metrics"), "HTTP/1.1 200",
                 "\nlightning_db_monitor_event_streams 2\n");

  /* One who goes is forgotten, the other one goes on. */
  g_assert_true (g_io_stream_close (G_IO_STREAM (knowing), NULL, &error));
  for (;;)
    {
      g_autofree char *answer = ask (server, 0, "/metrics");
      if (strstr (answer, "\nlightning_db_monitor_event_streams 1\n") != NULL)
        break;
      g_usleep (10000);
    }
  g_string_truncate (fresh, 0);
  g_assert_true (ldb_database_put_string (database, "a", "b", NULL, &error));
  g_assert_true (ldb_database_flush (database, NULL, &error));
  g_assert_true (read_until (other, fresh, "event: flushed\n"));
  ldb_monitor_server_stop (server);
  g_assert_false (read_until (other, fresh, NULL));
}

/* Only so many follow, and their connections count like all others. */
static void
test_many_events (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  g_autoptr (GPtrArray) connections = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < 17; i++)
    {
      g_autoptr (GString) read = g_string_new (NULL);
      GSocketConnection *connection = follow (server, "");
      g_ptr_array_add (connections, connection);
      g_assert_cmpint (read_until (connection, read, "retry: 3000\n"), ==, i < 16);
      g_assert_true (g_str_has_prefix (read->str, i < 16 ? "HTTP/1.1 200" : "HTTP/1.1 503"));
    }
}

static void
test_closed (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  g_assert_true (ldb_database_close (database, NULL, &error));
  assert_answer (ask (server, 0, "/health"), "HTTP/1.1 503", "unhealthy");
  assert_answer (ask (server, 0, "/ready"), "HTTP/1.1 503",
                 "{\"ready\":false,\"reason\":\"closed\"}");
  assert_answer (ask (server, 0, "/stats.json"), "HTTP/1.1 503", "\"open\":false");
  assert_answer (ask (server, 0, "/metrics"), "HTTP/1.1 200", "\nlightning_db_up 0\n");
  g_autofree char *health = ask (server, 0, "/health");
  g_assert_null (strstr (health, place->directory));
}

/* A process that reads beside the one that writes knows what lies there, not what that one did. */
static void
test_read_only (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) writer = place_open (place, NULL);
  g_assert_true (ldb_database_put_string (writer, "k", "v", NULL, &error));
  g_assert_true (ldb_database_close (writer, NULL, &error));
  g_autoptr (LdbDatabase) reader
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *text = ldb_monitor_format_metrics (reader);
  g_assert_nonnull (strstr (text, "\nlightning_db_keys 1\n"));
  g_assert_nonnull (strstr (text, "\nlightning_db_operations_total{type=\"read\"} 0\n"));
  g_assert_null (strstr (text, "type=\"write\""));
  g_assert_null (strstr (text, "lightning_db_commits_total"));
}

/* ---- the log ---- */

static const char *
message_of (guint line)
{
  return written_field (g_ptr_array_index (written_log.lines, line), "MESSAGE");
}

/* On the application's thread, in its main loop, one line for one refusal, and not one for each of a
 * thousand. What a client sent can't make a line of its own. */
static void
test_log (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  g_autoptr (GSocketAddress) address
      = g_unix_socket_address_new (ldb_monitor_server_get_socket_path (server));
  written_log_clear ();
  g_free (talk (G_SOCKET_CONNECTABLE (address),
                "GET /%0d%0aforged%1b[31m HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  g_free (talk (G_SOCKET_CONNECTABLE (address), "GET / HTTP/1.1\r\nHost: evil\"\\\x1b[2J\r\n\r\n"));
  g_assert_cmpuint (written_log.lines->len, ==, 0);
  while (written_log.lines->len < 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (strstr (message_of (0), "(path)"));
  for (guint i = 0; i < 60; i++)
    g_free (ask (server, 0, "/nothing?token=secret"));
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (written_log.lines->len, >=, 3);
  g_assert_cmpuint (written_log.lines->len, <, 40);
  for (guint i = 0; i < written_log.lines->len; i++)
    g_assert_null (strstr (message_of (i), "secret"));
}

/* Behind all others: that it listens, and where, was said when somebody asked for that. */
static void
test_log_is_complete (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  written_log_clear ();
  g_setenv ("G_MESSAGES_DEBUG", "LdbMonitor", TRUE);
  g_autoptr (LdbMonitorServer) server = server_on_socket (place, database);
  g_setenv ("G_MESSAGES_DEBUG", "", TRUE);
  GHashTable *line = written_log_find ("monitor-started", NULL);
  g_assert_nonnull (
      strstr (written_field (line, "LDB_PLACE"), ldb_monitor_server_get_socket_path (server)));
  written_log_check_complete ("monitor-");
}

/* ---- the end ---- */

/* How a child of a fork ends that lets go of the server. Where another thread has one of GLib's own
 * locks at the fork the child waits for it for ever: it is killed, and another one tried. */
static int
let_go_in_child (LdbMonitorServer *server, const char *path)
{
  int status = -1;
  for (guint i = 0; i < 20; i++)
    {
      pid_t child = fork ();
      if (child == 0)
        {
          alarm (2);
          g_object_unref (server);
          _exit (g_file_test (path, G_FILE_TEST_EXISTS) ? 0 : 1);
        }
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      if (!WIFSIGNALED (status) || WTERMSIG (status) != SIGALRM)
        break;
    }
  return status;
}

/* Clients that are connected don't keep it from stopping, nor does a child of a fork. */
static void
test_stop (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database = place_open (place, NULL);
  LdbMonitorServer *server = server_on_socket (place, database);
  g_autofree char *path = g_strdup (ldb_monitor_server_get_socket_path (server));
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GSocketConnection *waiting[8];
  for (guint i = 0; i < G_N_ELEMENTS (waiting); i++)
    {
      waiting[i] = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, &error);
      g_assert_no_error (error);
      GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (waiting[i]));
      g_assert_true (g_output_stream_write_all (output, "GET /he", i, NULL, NULL, &error));
    }
  g_assert_cmpint (let_go_in_child (server, path), ==, 0);
  assert_answer (ask (server, 0, "/ready"), "HTTP/1.1 200", "true");
  g_object_add_weak_pointer (G_OBJECT (server), (gpointer *) &server);
  g_object_unref (server);
  g_assert_null (server);
  for (guint i = 0; i < G_N_ELEMENTS (waiting); i++)
    {
      char byte;
      GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (waiting[i]));
      g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, NULL), <=, 0);
      g_object_unref (waiting[i]);
    }
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (ldb_database_close (database, NULL, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ldb_test_allow_warnings ();
  written_log_begin ();
  add_test ("/monitor/properties", test_properties);
  add_test ("/monitor/refused", test_refused);
  add_test ("/monitor/token", test_token);
  add_test ("/monitor/pages", test_pages);
  add_test ("/monitor/ports", test_ports);
  add_test ("/monitor/again", test_again);
  add_test ("/monitor/stopping", test_stopping);
  add_test ("/monitor/stale", test_stale);
  add_test ("/monitor/closed", test_closed);
  add_test ("/monitor/critical", test_critical);
  add_test ("/monitor/events", test_events);
  add_test ("/monitor/many-events", test_many_events);
  add_test ("/monitor/read-only", test_read_only);
  add_test ("/monitor/log", test_log);
  add_test ("/monitor/stop", test_stop);
  add_test ("/monitor/log-is-complete", test_log_is_complete);
  return g_test_run ();
}
