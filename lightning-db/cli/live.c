/* SPDX-License-Identifier: MIT */
/* A database of a running application, and what it counts: metrics. */
#include "live.h"

#include "ldb-counted-stats.h"

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

static gboolean
take_path (struct invocation *invocation, struct live_database *live, GError **error)
{
  const char *path = command_take (invocation, _ ("the database"), error);
  if (path == NULL || !command_finish (invocation, error))
    return FALSE;
  live->path = g_strdup (path);
  return TRUE;
}

static LdbRunningDatabase *
find_running (struct live_database *live)
{
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  return ldb_running_list_find (list, live->path);
}

static gboolean
open_here (struct live_database *live, GError **error)
{
  live->database = ldb_database_open (live->path, LDB_OPEN_READ_ONLY, NULL, NULL, error);
  return live->database != NULL;
}

gboolean
live_open (struct invocation *invocation, struct live_database *live, GError **error)
{
  if (!take_path (invocation, live, error))
    return FALSE;
  g_autoptr (LdbRunningDatabase) running = find_running (live);
  if (running == NULL)
    return open_here (live, error);
  live->inspector = command_connect (running, error);
  return live->inspector != NULL;
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
  COUNT (cache_pinned),
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

static void
add_figure (JsonBuilder *builder, const struct live_figure *figure, const LdbStats *stats)
{
  if (!figure->real)
    {
      command_add_number (builder, figure->name, G_STRUCT_MEMBER (guint64, stats, figure->offset));
      return;
    }
  json_builder_set_member_name (builder, figure->name);
  json_builder_add_double_value (builder, G_STRUCT_MEMBER (double, stats, figure->offset));
}

void
live_add_figures (JsonBuilder *builder, const LdbStats *stats)
{
  for (const struct live_figure *figure = live_figures; figure->name != NULL; figure++)
    add_figure (builder, figure, stats);
}

/* ---- of an application that does not answer ---- */

gboolean
live_read_counters (LdbRunningDatabase *running, LdbStats *stats, GError **error)
{
  g_autoptr (LdbMetrics) metrics = ldb_running_database_get_metrics (running, error);
  if (metrics == NULL)
    return FALSE;
  ldb_counted_stats_take (stats, metrics);
  return TRUE;
}

/* ---- metrics ---- */

/* What is shown, and whose it is. */
struct figures
{
  LdbStats *stats;  /* owned */
  gboolean running; /* of an application */
  gboolean partly;  /* which does not answer: only what it shares */
};

static void
print_figures (const struct figures *shown)
{
  const LdbStats *stats = shown->stats;
  for (const struct live_figure *figure = live_figures; figure->name != NULL; figure++)
    if (shown->partly && !ldb_counted_stats_have (figure->offset))
      continue;
    else if (figure->real)
      printf ("%s %.4f\n", figure->name, G_STRUCT_MEMBER (double, stats, figure->offset));
    else
      printf ("%s %" G_GUINT64_FORMAT "\n", figure->name,
              G_STRUCT_MEMBER (guint64, stats, figure->offset));
}

static void
print_figures_as_json (const struct live_database *live, const struct figures *shown)
{
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_text (builder, "path", live->path);
  json_builder_set_member_name (builder, "running");
  json_builder_add_boolean_value (builder, shown->running);
  if (shown->running)
    {
      json_builder_set_member_name (builder, "answers");
      json_builder_add_boolean_value (builder, !shown->partly);
    }
  for (const struct live_figure *figure = live_figures; figure->name != NULL; figure++)
    if (!shown->partly || ldb_counted_stats_have (figure->offset))
      add_figure (builder, figure, shown->stats);
  json_builder_end_object (builder);
  command_print_json (builder);
}

/* FALSE: error. */
static gboolean
ask_application (struct live_database *live, LdbRunningDatabase *running, struct figures *out,
                 GError **error)
{
  g_autoptr (GError) failure = NULL;
  out->running = TRUE;
  live->inspector = command_connect (running, &failure);
  if (live->inspector != NULL)
    {
      out->stats = ldb_inspector_get_stats (live->inspector, NULL, error);
      return out->stats != NULL;
    }
  out->partly = g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  out->stats = g_new0 (LdbStats, 1);
  if (!out->partly || !live_read_counters (running, out->stats, NULL))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_printerr (_ ("lightning-cli: %s. What it counts in shared memory is shown; what it would have "
                 "to be asked is missing.\n"),
              failure->message);
  return TRUE;
}

/* The same. */
static gboolean
find_figures (struct live_database *live, struct figures *out, GError **error)
{
  g_autoptr (LdbRunningDatabase) running = find_running (live);
  if (running != NULL)
    return ask_application (live, running, out, error);
  if (open_here (live, error))
    out->stats = ldb_database_get_stats (live->database, error);
  return out->stats != NULL;
}

#ifdef HAVE_MONITOR
/* As “serve” has them; an application's, too, beside which the files are opened. FALSE: error. */
static gboolean
print_prometheus (struct live_database *live, GError **error)
{
  if (!open_here (live, error))
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
  struct figures shown = { NULL };
  g_auto (live_database) live = { NULL };
  if (!command_parse (invocation, entries, NULL,
                      _ ("Of an application that has the database open and lets it be inspected, "
                         "they are what it has done since it opened it."),
                      &error)
      || !take_path (invocation, &live, &error))
    return command_fail (invocation, error);
#ifdef HAVE_MONITOR
  if (prometheus)
    return print_prometheus (&live, &error) ? EXIT_STATUS_DONE : command_fail (invocation, error);
#endif
  gboolean found = find_figures (&live, &shown, &error);
  if (found && invocation->json)
    print_figures_as_json (&live, &shown);
  else if (found)
    print_figures (&shown);
  g_clear_pointer (&shown.stats, ldb_stats_free);
  return found ? EXIT_STATUS_DONE : command_fail (invocation, error);
}
