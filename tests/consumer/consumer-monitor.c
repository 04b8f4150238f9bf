/* SPDX-License-Identifier: MIT */
/* A C program that uses the installed monitor. */
#include <glib/gstdio.h>
#include <lightning-db-monitor.h>

#include <string.h>

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("lightning-consumer-XXXXXX", &error);
  g_autofree char *path = g_build_filename (directory, "notes.db", NULL);
  g_autofree char *socket_path = g_build_filename (directory, "socket", NULL);
  g_autoptr (LdbDatabase) database = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LdbMonitorServer) server = ldb_monitor_server_new (database);
  ldb_monitor_server_set_socket_path (server, socket_path);
  if (!ldb_monitor_server_start (server, &error))
    g_error ("%s", error->message);
  g_assert_true (g_file_test (socket_path, G_FILE_TEST_EXISTS));
  ldb_monitor_server_stop (server);
  g_autofree char *text = ldb_monitor_format_metrics (database);
  g_assert_nonnull (strstr (text, "lightning_db_up 1\n"));
  if (!ldb_database_close (database, NULL, &error) || !ldb_database_destroy (path, NULL, &error))
    g_error ("%s", error->message);
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  return 0;
}
