/* SPDX-License-Identifier: MIT */
/* What is to be seen of a database from inside its program, and over HTTP: monitoring_setup DIRECTORY */
#include <lightning-db-monitor.h>

#define REQUEST "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

/* What Prometheus would get; free it. */
static char *
scrape (const char *address, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_to_uri (client, address, 80, NULL, error);
  g_autoptr (GOutputStream) answer = g_memory_output_stream_new_resizable ();
  if (connection == NULL
      || !g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                                     REQUEST, sizeof REQUEST - 1, NULL, NULL, error)
      || g_output_stream_splice (
             answer, g_io_stream_get_input_stream (G_IO_STREAM (connection)),
             G_OUTPUT_STREAM_SPLICE_NONE, NULL, error) < 0
      || !g_output_stream_write_all (answer, "", 1, NULL, NULL, error)
      || !g_output_stream_close (answer, NULL, error))
    return NULL;
  return g_memory_output_stream_steal_data (G_MEMORY_OUTPUT_STREAM (answer));
}

/* All of it over HTTP, on loopback or a socket unless told otherwise; for Prometheus port 9090 is
 * usual. */
static gboolean
serve (LdbDatabase *db, GError **error)
{
  g_autoptr (LdbMonitorServer) server = ldb_monitor_server_new (db);
  ldb_monitor_server_set_metrics_port (server, 0); /* any that is free */
  ldb_monitor_server_set_port (server, -1);        /* health and events are left out */
  if (!ldb_monitor_server_start (server, error))
    return FALSE;
  g_auto (GStrv) addresses = ldb_monitor_server_list_uris (server);
  g_autofree char *answer = scrape (addresses[0], error);
  if (answer == NULL)
    return FALSE;
  g_auto (GStrv) lines = g_strsplit (answer, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "lightning_db_operations_total{type=\"read\"")
        || g_str_has_prefix (lines[i], "lightning_db_operations_total{type=\"write\""))
      g_print ("%s\n", g_strchomp (lines[i]));
  ldb_monitor_server_stop (server);
  return TRUE;
}

/* Health: what is wrong, how bad it is, and what to do about it. Events: what the database did by
 * itself; the signal `event` tells of them as they happen. */
static gboolean
look (LdbDatabase *db, GError **error)
{
  g_autoptr (LdbHealth) health = ldb_database_examine_health (db, NULL, error);
  if (health == NULL)
    return FALSE;
  g_autoptr (GPtrArray) events = ldb_database_list_events (db, 0, error);
  if (events == NULL)
    return FALSE;
  GPtrArray *issues = ldb_health_get_issues (health);
  g_print ("%s\n", ldb_health_is_healthy (health) ? "healthy" : "not healthy");
  for (guint i = 0; i < issues->len; i++)
    {
      const LdbHealthIssue *issue = g_ptr_array_index (issues, i);
      g_print ("%s %s\n", issue->id, issue->remedy);
    }
  for (guint i = 0; i < events->len; i++)
    if (((const LdbEvent *) g_ptr_array_index (events, i))->kind == LDB_EVENT_OPENED)
      g_print ("event: opened\n");
  return TRUE;
}

/* Figures: each has a name, some are properties too. They notify while somebody looks. */
static gboolean
count (LdbDatabase *db, GError **error)
{
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *key = g_strdup_printf ("sensor:%03u", i);
      if (!ldb_database_put_string (db, key, "21.5", NULL, error))
        return FALSE;
    }
  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *key = g_strdup_printf ("sensor:%03u", i);
      g_free (ldb_database_get_string (db, key, NULL, error));
    }
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, error);
  if (metrics == NULL)
    return FALSE;
  ldb_metrics_refresh (metrics);
  g_print ("%" G_GUINT64_FORMAT " writes, %" G_GUINT64_FORMAT " reads\n",
           ldb_metrics_get_total_writes (metrics), ldb_metrics_get_total_reads (metrics));
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (argv[1], "sensors.db", NULL);
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  if (db == NULL || !count (db, &error) || !look (db, &error) || !serve (db, &error))
    g_error ("%s", error->message);
  return 0;
}
