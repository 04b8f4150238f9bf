/* SPDX-License-Identifier: MIT */
/*
 * A headless service: settings from a file, durable commits, a backup while it runs, an orderly
 * end: production_deployment DIRECTORY SETTINGS
 */
#include <glib-unix.h>
#include <lightning-db.h>
#include <signal.h>
#include <unistd.h>

#define ORDERS 100

typedef struct
{
  GMainLoop *loop;  /* runs until SIGTERM */
  LdbDatabase *db;  /* borrowed */
  char *backup;     /* where to; owned */
  guint stored;     /* orders so far */
  gboolean stopped; /* by SIGTERM */
  GError *error;    /* what ended it early, or NULL; owned */
} Service;

static guint
count (LdbDatabase *db)
{
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan_prefix (db, "order:", 6, LDB_SCAN_KEYS_ONLY, NULL);
  guint found = 0;
  while (cursor != NULL && ldb_cursor_next (cursor, NULL, NULL))
    found++;
  return found;
}

static gboolean
on_sigterm (gpointer data)
{
  Service *service = data;
  service->stopped = TRUE;
  g_main_loop_quit (service->loop);
  return G_SOURCE_REMOVE;
}

static void
checked (GObject *source, GAsyncResult *result, gpointer data)
{
  Service *service = data;
  g_autoptr (LdbCheckReport) report = ldb_database_check_path_finish (result, &service->error);
  g_autoptr (LdbDatabase) copy
      = report == NULL
            ? NULL
            : ldb_database_open (service->backup, LDB_OPEN_READ_ONLY, NULL, NULL, &service->error);
  if (copy == NULL)
    {
      g_main_loop_quit (service->loop);
      return;
    }
  g_print ("backup: %u orders, %u faults\n", count (copy), (guint) report->fault_count);
  kill (getpid (), SIGTERM); /* as an operator does */
}

static void
backed_up (GObject *source, GAsyncResult *result, gpointer data)
{
  Service *service = data;
  g_autoptr (LdbBackupResult) backup
      = ldb_database_backup_finish (service->db, result, &service->error);
  if (backup == NULL)
    g_main_loop_quit (service->loop);
  else
    ldb_database_check_path_async (service->backup, LDB_CHECK_DEEP, NULL, NULL, NULL, NULL, checked,
                                   service);
}

/* Stores the next order; when all are there, makes a backup. Writes could go on meanwhile. A later
 * backup to the same place copies only what is new. */
static void
store_next (GObject *source, GAsyncResult *result, gpointer data)
{
  Service *service = data;
  if (result != NULL && !ldb_database_put_finish (service->db, result, &service->error))
    g_main_loop_quit (service->loop);
  else if (service->stored < ORDERS)
    {
      g_autofree char *key = g_strdup_printf ("order:%04u", service->stored++);
      ldb_database_put_async (service->db, key, strlen (key), "paid", 4, NULL, store_next, service);
    }
  else
    {
      g_print ("%u orders stored\n", count (service->db));
      ldb_database_backup_async (service->db, service->backup, LDB_BACKUP_VERIFY, NULL, NULL, NULL,
                                 NULL, backed_up, service);
    }
}

static gboolean
serve (const char *directory, const char *path, LdbOptions *options, GError **error)
{
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, options, NULL, error);
  if (db == NULL)
    return FALSE;
  Service service = { .loop = g_main_loop_new (NULL, FALSE), .db = db };
  service.backup = g_build_filename (directory, "orders.backup", NULL);
  g_unix_signal_add (SIGTERM, on_sigterm, &service);
  store_next (NULL, NULL, &service);
  g_main_loop_run (service.loop);
  g_main_loop_unref (service.loop);
  g_free (service.backup);
  if (service.error != NULL)
    {
      g_propagate_error (error, service.error);
      return FALSE;
    }
  if (!ldb_database_close (db, NULL, error))
    return FALSE;
  g_print ("%s\n", service.stopped ? "stopped by SIGTERM" : "?");
  return TRUE;
}

static gboolean
run (const char *directory, const char *settings, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "orders.db", NULL);
  g_autoptr (LdbOptions) options = ldb_options_new ();
  /* What the environment says goes before the file. */
  if (!ldb_options_load_from_file (options, settings, error) || !ldb_options_check (options, error))
    return FALSE;
  g_print ("cache %u MiB, durable %s\n", (guint) (ldb_options_get_cache_size (options) >> 20),
           ldb_options_get_wal_sync_mode (options) == LDB_SYNC_MODE_FULL ? "at once" : "soon");
  if (!serve (directory, path, options, error))
    return FALSE;
  g_autoptr (LdbDatabase) again = ldb_database_open (path, LDB_OPEN_NONE, options, NULL, error);
  if (again == NULL)
    return FALSE;
  g_print ("after a restart: %u orders\n", count (again));
  return ldb_database_close (again, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc != 3 || !run (argv[1], argv[2], &error))
    {
      g_printerr ("%s\n",
                  error != NULL ? error->message : "production_deployment DIRECTORY SETTINGS");
      return 1;
    }
  return 0;
}
