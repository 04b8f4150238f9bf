/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <glib-unix.h>
#include <lightning-db-monitor.h>
#include <signal.h>
#include <stdio.h>

#define NOT_GIVEN (-2) /* of a number: the library's default holds */

/* The command line; the strings are owned. */
struct wishes
{
  char *socket_path; /* --socket */
  char *address;     /* --address */
  int metrics_port;  /* --metrics-port */
  int port;          /* --port */
  char *certificate; /* --tls-certificate */
  char *key;         /* --tls-key */
  char *authorities; /* --tls-ca */
  char *token_file;  /* --token-file */
  char **hosts;      /* --allow-host */
  int connections;   /* --max-connections */
  int requests;      /* --max-requests */
  int timeout;       /* --timeout */
};

static void
wishes_clear (struct wishes *wishes)
{
  g_free (wishes->socket_path);
  g_free (wishes->address);
  g_free (wishes->certificate);
  g_free (wishes->key);
  g_free (wishes->authorities);
  g_free (wishes->token_file);
  g_strfreev (wishes->hosts);
}

static gboolean
parse (struct invocation *invocation, struct wishes *wishes, GError **error)
{
  const GOptionEntry entries[] = {
    { "socket", 0, 0, G_OPTION_ARG_FILENAME, &wishes->socket_path,
      N_ ("Listen on a Unix socket instead of ports"), N_ ("PATH") },
    { "address", 0, 0, G_OPTION_ARG_STRING, &wishes->address,
      N_ ("Listen on this address instead of 127.0.0.1"), N_ ("ADDRESS") },
    { "metrics-port", 0, 0, G_OPTION_ARG_INT, &wishes->metrics_port,
      N_ ("The port of /metrics instead of 9090; 0: a free one; -1: none"), N_ ("PORT") },
    { "port", 0, 0, G_OPTION_ARG_INT, &wishes->port,
      N_ ("The port of everything else instead of 8080; 0: a free one; -1: none"), N_ ("PORT") },
    { "tls-certificate", 0, 0, G_OPTION_ARG_FILENAME, &wishes->certificate,
      N_ ("Speak TLS with this certificate"), N_ ("FILE") },
    { "tls-key", 0, 0, G_OPTION_ARG_FILENAME, &wishes->key, N_ ("The key of that certificate"),
      N_ ("FILE") },
    { "tls-ca", 0, 0, G_OPTION_ARG_FILENAME, &wishes->authorities,
      N_ ("Ask clients for a certificate that one of these has signed"), N_ ("FILE") },
    { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &wishes->token_file,
      N_ ("Ask clients for the token in this file"), N_ ("FILE") },
    { "allow-host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &wishes->hosts,
      N_ ("A name that clients know this host by"), N_ ("NAME") },
    { "max-connections", 0, 0, G_OPTION_ARG_INT, &wishes->connections,
      N_ ("Clients at once instead of 1000"), N_ ("COUNT") },
    { "max-requests", 0, 0, G_OPTION_ARG_INT, &wishes->requests,
      N_ ("Requests a second instead of 100"), N_ ("COUNT") },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &wishes->timeout,
      N_ ("Seconds for a request and its answer instead of 10"), N_ ("SECONDS") },
    { NULL },
  };
  return command_parse (invocation, entries, NULL,
                        _ ("Answers /metrics for Prometheus, /health, /ready, /stats.json and /events "
                           "over HTTP until SIGTERM or Ctrl+C. It only reads, beside a process that "
                           "writes or by itself. It listens beyond this machine only with TLS and "
                           "a token."),
                        error);
}

/* Sets a number that was given, within the limits of its property. */
static gboolean
set_number (LdbMonitorServer *server, const char *property, const char *option, int number,
            GError **error)
{
  if (number == NOT_GIVEN)
    return TRUE;
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (server), property);
  g_auto (GValue) value = G_VALUE_INIT;
  g_value_init (&value, spec->value_type);
  gboolean fits = number >= 0 || G_IS_PARAM_SPEC_INT (spec);
  if (G_IS_PARAM_SPEC_INT (spec))
    g_value_set_int (&value, number);
  else
    g_value_set_uint (&value, (guint) number);
  if (!fits || g_param_value_validate (spec, &value))
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE, _ ("%s cannot be %d"), option,
                   number);
      return FALSE;
    }
  g_object_set_property (G_OBJECT (server), property, &value);
  return TRUE;
}

static gboolean
set_tls (LdbMonitorServer *server, const struct wishes *wishes, GError **error)
{
  if (wishes->certificate == NULL && wishes->key == NULL && wishes->authorities == NULL)
    return TRUE;
  if (wishes->certificate != NULL && wishes->key != NULL)
    return ldb_monitor_server_load_tls (server, wishes->certificate, wishes->key,
                                        wishes->authorities, error);
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                       _ ("--tls-certificate and --tls-key go together, and --tls-ca with both"));
  return FALSE;
}

static LdbMonitorServer *
make_server (LdbDatabase *database, const struct wishes *wishes, GError **error)
{
  g_autoptr (LdbMonitorServer) server = ldb_monitor_server_new (database);
  if (wishes->socket_path != NULL)
    {
      g_autofree char *absolute = g_canonicalize_filename (wishes->socket_path, NULL);
      ldb_monitor_server_set_socket_path (server, absolute);
    }
  if (wishes->address != NULL)
    ldb_monitor_server_set_address (server, wishes->address);
  if (wishes->hosts != NULL)
    ldb_monitor_server_set_allowed_hosts (server, (const char *const *) wishes->hosts);
  if (!set_number (server, "metrics-port", "--metrics-port", wishes->metrics_port, error)
      || !set_number (server, "port", "--port", wishes->port, error)
      || !set_number (server, "max-connections", "--max-connections", wishes->connections, error)
      || !set_number (server, "max-requests-per-second", "--max-requests", wishes->requests, error)
      || !set_number (server, "request-timeout", "--timeout", wishes->timeout, error)
      || !set_tls (server, wishes, error)
      || (wishes->token_file != NULL
          && !ldb_monitor_server_load_token (server, wishes->token_file, error))
      || !ldb_monitor_server_start (server, error))
    return NULL;
  return g_steal_pointer (&server);
}

/* Where it listens: whoever started this program waits for it. */
static void
print_places (struct invocation *invocation, LdbMonitorServer *server)
{
  g_auto (GStrv) uris = ldb_monitor_server_list_uris (server);
  if (invocation->json)
    {
      JsonBuilder *builder = json_builder_new ();
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "uris");
      json_builder_begin_array (builder);
      for (gsize i = 0; uris[i] != NULL; i++)
        json_builder_add_string_value (builder, uris[i]);
      json_builder_end_array (builder);
      json_builder_end_object (builder);
      command_print_json (builder);
    }
  else
    for (gsize i = 0; uris[i] != NULL && !invocation->quiet; i++)
      printf (_ ("Listening on %s\n"), uris[i]);
  fflush (stdout);
}

/* What ends it: signals that are caught before anything listens, so that they never find it half-way. */
struct end
{
  GMainLoop *loop;  /* owned */
  guint sources[2]; /* of SIGTERM and SIGINT */
  gboolean came;    /* one of them */
};

static gboolean
note_end (gpointer data)
{
  struct end *end = data;
  end->came = TRUE;
  g_main_loop_quit (end->loop);
  return G_SOURCE_CONTINUE;
}

static void
end_prepare (struct end *end)
{
  end->loop = g_main_loop_new (NULL, FALSE);
  end->sources[0] = g_unix_signal_add (SIGTERM, note_end, end);
  end->sources[1] = g_unix_signal_add (SIGINT, note_end, end);
}

static void
end_await (struct end *end)
{
  if (!end->came)
    g_main_loop_run (end->loop);
}

static void
end_clear (struct end *end)
{
  for (gsize i = 0; i < G_N_ELEMENTS (end->sources); i++)
    g_source_remove (end->sources[i]);
  g_main_loop_unref (end->loop);
}

enum exit_status
serve_run (struct invocation *invocation)
{
  GError *error = NULL;
  struct wishes wishes = {
    .metrics_port = NOT_GIVEN,
    .port = NOT_GIVEN,
    .connections = NOT_GIVEN,
    .requests = NOT_GIVEN,
    .timeout = NOT_GIVEN,
  };
  struct end end = { 0 };
  g_autoptr (LdbMonitorServer) server = NULL;
  if (!parse (invocation, &wishes, &error) || !command_open (invocation, LDB_OPEN_READ_ONLY, &error)
      || !command_finish (invocation, &error))
    {
      wishes_clear (&wishes);
      return command_fail (invocation, error);
    }
  end_prepare (&end);
  server = make_server (invocation->database, &wishes, &error);
  wishes_clear (&wishes);
  if (server != NULL)
    {
      print_places (invocation, server);
      end_await (&end);
      ldb_monitor_server_stop (server);
    }
  end_clear (&end);
  if (server == NULL || !command_close (invocation, &error))
    return command_fail (invocation, error);
  return EXIT_STATUS_DONE;
}
