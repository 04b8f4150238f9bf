/* SPDX-License-Identifier: MIT */
/*
 * An application with work to do and a monitor, for Prometheus to look at: it writes, reads, deletes and
 * settles a database until its standard input ends. Prints where the monitor listens.
 *   monitor-subject DATABASE
 */
#include <lightning-db-monitor.h>

#include <stdio.h>
#include <unistd.h>

#define KEYS 500

static void
must (gboolean done, GError *error)
{
  if (!done)
    g_error ("%s", error != NULL ? error->message : "failed");
}

static gboolean
work_in_transaction (LdbTransaction *transaction, gpointer key, GError **error)
{
  return ldb_transaction_put_string (transaction, NULL, key, "in a transaction", error);
}

/* A transaction that comes too late. */
static void
conflict (LdbDatabase *database)
{
  GError *error = NULL;
  g_autoptr (LdbTransaction) late = ldb_database_begin (database, LDB_TRANSACTION_NONE, &error);
  must (late != NULL, error);
  must (ldb_transaction_put_string (late, NULL, "contended", "late", &error), error);
  must (ldb_database_put_string (database, "contended", "early", NULL, &error), error);
  if (ldb_transaction_commit (late, LDB_SYNC_MODE_DEFAULT, NULL, &error)
      || !g_error_matches (error, LDB_ERROR, LDB_ERROR_CONFLICT))
    g_error ("there should be a conflict");
  g_clear_error (&error);
}

static void
round_of_work (LdbDatabase *database, guint round)
{
  GError *error = NULL;
  for (guint i = 0; i < KEYS; i++)
    {
      g_autofree char *key = g_strdup_printf ("key-%u", i);
      g_autofree char *value = g_strdup_printf ("value %u of round %u", i, round);
      must (ldb_database_put_string (database, key, value, NULL, &error), error);
    }
  must (ldb_database_delete (database, "key-0", 5, NULL, &error), error);
  must (ldb_database_run_transaction (database, LDB_TRANSACTION_NONE, work_in_transaction, "key-t",
                                      NULL, &error),
        error);
  conflict (database);
  must (ldb_database_sync (database, NULL, &error),
        error); /* before the log is not needed any more */
  must (ldb_database_compact (database, NULL, NULL, NULL, &error), error);
  for (guint i = 1; i < KEYS; i++)
    {
      g_autofree char *key = g_strdup_printf ("key-%u", i);
      g_autofree char *value = ldb_database_get_string (database, key, NULL, &error);
      must (value != NULL, error);
    }
}

static gpointer
work (gpointer data)
{
  for (guint round = 0;; round++)
    {
      round_of_work (data, round);
      g_usleep (100000);
    }
  return NULL;
}

/* Somebody who is told of changes, on a thread with a main loop. */
static gpointer
follow (gpointer database)
{
  GError *error = NULL;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  g_autoptr (LdbWatch) watch = ldb_database_watch_all (database, LDB_WATCH_NONE, &error);
  must (watch != NULL, error);
  for (;;)
    g_main_context_iteration (context, TRUE);
  return NULL;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  char byte;
  LdbDatabase *database
      = ldb_database_open (argc > 1 ? argv[1] : "", LDB_OPEN_CREATE, NULL, NULL, &error);
  must (database != NULL, error);
  LdbMonitorServer *server = ldb_monitor_server_new (database);
  ldb_monitor_server_set_metrics_port (server, 0);
  ldb_monitor_server_set_port (server, 0);
  must (ldb_monitor_server_start (server, &error), error);
  char **uris = ldb_monitor_server_list_uris (server);
  printf ("%s %s\n", uris[0], uris[1]);
  fflush (stdout);
  g_thread_unref (g_thread_new ("follow", follow, database));
  g_thread_unref (g_thread_new ("work", work, database));
  /* Its own main loop never runs: the monitor doesn't need it. */
  while (read (STDIN_FILENO, &byte, 1) > 0)
    continue;
  _exit (0);
}
