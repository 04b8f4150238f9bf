/* SPDX-License-Identifier: MIT */
/* A database of a running application, and what it counts: metrics. */
#include "live.h"

#include <glib-unix.h>
#ifdef HAVE_MONITOR
#include <lightning-db-monitor.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <string.h>

void
live_database_clear (struct live_database *live)
{
  g_clear_object (&live->inspector);
  g_clear_object (&live->database);
  g_clear_pointer (&live->path, g_free);
}

gboolean
live_open (struct invocation *invocation, struct live_database *live, GError **error)
{
  const char *path = command_take (invocation, _ ("the database"), error);
  if (path == NULL || !command_finish (invocation, error))
    return FALSE;
  live->path = g_strdup (path);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, path);
  if (running != NULL)
    live->inspector = command_connect (running, error);
  else
    live->database = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, error);
  return live->inspector != NULL || live->database != NULL;
}

gboolean
live_is_closed (const struct live_database *live, GError **error)
{
  LdbRunningDatabase *was = ldb_inspector_get_running_database (live->inspector);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) is
      = ldb_running_list_find (list, ldb_running_database_get_path (was));
  if (is == NULL
      || strcmp (ldb_running_database_get_process (is), ldb_running_database_get_process (was))
             != 0)
    return TRUE;
  g_set_error_literal (error, LDB_ERROR, LDB_ERROR_CLOSED,
                       _ ("the application has ended the connection, as it does when nothing is "
                          "read for ten seconds; what happened since was not told"));
  return FALSE;
}

static gboolean
quit_loop (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

guint
live_catch_interrupt (GMainLoop *loop)
{
  return g_unix_signal_add (SIGINT, quit_loop, loop);
}

/* ---- figures ---- */

#define COUNT(field)                                                                               \
  {                                                                                                \
#field, G_STRUCT_OFFSET(LdbStats, field), FALSE                                                \
  }
#define REAL(field)                                                                                \
  {                                                                                                \
#field, G_STRUCT_OFFSET(LdbStats, field), TRUE                                                 \
  }

const struct live_figure live_figures[] = {
  COUNT (sequence),
  COUNT (durable_sequence),
  COUNT (keys),
  COUNT (data_bytes),
  COUNT (disk_bytes),
  COUNT (log_bytes),
  COUNT (spare_log_bytes),
  COUNT (blob_bytes),
  COUNT (segment_bytes),
  COUNT (memtable_bytes),
  COUNT (memtable_records),
  COUNT (frozen_memtables),
  COUNT (runs),
  COUNT (segments),
  COUNT (pages),
  COUNT (blobs),
  COUNT (tree_depth),
  REAL (page_utilisation),
  REAL (compression_ratio),
  COUNT (memory_used),
  COUNT (memory_budget),
  COUNT (cache_capacity),
  COUNT (cache_used),
  COUNT (cache_hits),
  COUNT (cache_misses),
  COUNT (cache_evictions),
  COUNT (gets),
  COUNT (gets_found),
  COUNT (puts),
  COUNT (deletes),
  COUNT (range_deletes),
  COUNT (commits),
  COUNT (cursors),
  COUNT (transactions_active),
  COUNT (transactions_committed),
  COUNT (transactions_aborted),
  COUNT (conflicts),
  COUNT (snapshots),
  COUNT (oldest_snapshot),
  COUNT (flushes),
  COUNT (merges),
  COUNT (flush_bytes),
  COUNT (merge_bytes_read),
  COUNT (merge_bytes_written),
  COUNT (user_bytes),
  COUNT (log_written_bytes),
  COUNT (log_syncs),
  COUNT (pending_compaction_bytes),
  COUNT (stalls),
  COUNT (stall_microseconds),
  COUNT (worst_stall_microseconds),
  COUNT (descriptors),
  { NULL },
};

void
live_add_figures (JsonBuilder *builder, const LdbStats *stats)
{
  for (const struct live_figure *figure = live_figures; figure->name != NULL; figure++)
    if (figure->real)
      {
        json_builder_set_member_name (builder, figure->name);
        json_builder_add_double_value (builder, G_STRUCT_MEMBER (double, stats, figure->offset));
      }
    else
      command_add_number (builder, figure->name, G_STRUCT_MEMBER (guint64, stats, figure->offset));
}

static void
print_figures (const LdbStats *stats)
{
  for (const struct live_figure *figure = live_figures; figure->name != NULL; figure++)
    if (figure->real)
      printf ("%s %.4f\n", figure->name, G_STRUCT_MEMBER (double, stats, figure->offset));
    else
      printf ("%s %" G_GUINT64_FORMAT "\n", figure->name,
              G_STRUCT_MEMBER (guint64, stats, figure->offset));
}

#ifdef HAVE_MONITOR
/* As “serve” has them; an application's, too, beside which the files are opened. FALSE: error. */
static gboolean
print_prometheus (struct live_database *live, GError **error)
{
  if (live->database == NULL)
    live->database = ldb_database_open (live->path, LDB_OPEN_READ_ONLY, NULL, NULL, error);
  if (live->database == NULL)
    return FALSE;
  g_autofree char *text = ldb_monitor_format_metrics (live->database);
  fputs (text, stdout);
  return TRUE;
}
#endif

enum exit_status
metrics_run (struct invocation *invocation)
{
  gboolean prometheus G_GNUC_UNUSED = FALSE;
  const GOptionEntry entries[] = {
#ifdef HAVE_MONITOR
    { "prometheus", 0, 0, G_OPTION_ARG_NONE, &prometheus,
      N_ ("Print the text that Prometheus reads"), NULL },
#endif
    { NULL },
  };
  GError *error = NULL;
  g_auto (live_database) live = { NULL };
  g_autoptr (LdbStats) stats = NULL;
  if (!command_parse (invocation, entries, NULL,
                      _ ("Of an application that has the database open and lets it be inspected, "
                         "they are what it has done since it opened it."),
                      &error)
      || !live_open (invocation, &live, &error))
    return command_fail (invocation, error);
#ifdef HAVE_MONITOR
  if (prometheus)
    return print_prometheus (&live, &error) ? EXIT_STATUS_DONE : command_fail (invocation, error);
#endif
  stats = live.inspector != NULL ? ldb_inspector_get_stats (live.inspector, NULL, &error)
                                 : ldb_database_get_stats (live.database, &error);
  if (stats == NULL)
    return command_fail (invocation, error);
  if (!invocation->json)
    {
      print_figures (stats);
      return EXIT_STATUS_DONE;
    }
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_text (builder, "path", live.path);
  json_builder_set_member_name (builder, "running");
  json_builder_add_boolean_value (builder, live.inspector != NULL);
  live_add_figures (builder, stats);
  json_builder_end_object (builder);
  command_print_json (builder);
  return EXIT_STATUS_DONE;
}
