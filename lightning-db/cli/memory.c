/* SPDX-License-Identifier: MIT */
/* What memory is used for, and another budget while an application works: memory. */
#include "memory.h"

#include "columns.h"
#include "live.h"
#include "settings.h"
#include "storage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BAR_WIDTH 30

struct request
{
  char *budget; /* --budget; owned */
  char *evict;  /* --evict; owned */
};

/* ---- where it is done ---- */

/* The application that has the database open; outside of one there is no memory to speak of. FALSE:
 * error. */
static gboolean
find_application (struct invocation *invocation, GError **error)
{
  const char *path = command_take (invocation, _ ("DATABASE"), error);
  if (path == NULL || !command_finish (invocation, error))
    return FALSE;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, path);
  if (running != NULL)
    invocation->inspector = command_connect (running, error);
  else
    {
      g_autofree char *shown = g_filename_display_name (path);
      g_set_error (error, LDB_ERROR, LDB_ERROR_NOT_FOUND,
                   _ ("no running application shares the database %s; its budget is set where it "
                      "is opened, by the option cache-size"),
                   shown);
    }
  return invocation->inspector != NULL;
}

static gboolean
look (struct invocation *invocation, GError **error)
{
  if (invocation->session->database == NULL)
    return find_application (invocation, error);
  return command_open (invocation, LDB_OPEN_NONE, error) && command_finish (invocation, error);
}

/* ---- changes ---- */

static gboolean
parse_percent (const char *text, double *fraction)
{
  char *end;
  double percent = g_ascii_strtod (text, &end);
  *fraction = percent / 100;
  return end != text && (*end == '\0' || strcmp (end, "%") == 0) && percent >= 0 && percent <= 100;
}

static gboolean
set_budget (struct invocation *invocation, guint64 bytes, GError **error)
{
  return invocation->inspector != NULL
             ? ldb_inspector_set_memory_budget (invocation->inspector, bytes, NULL, error)
             : ldb_database_set_memory_budget (invocation->database, bytes, NULL, error);
}

static gboolean
evict (struct invocation *invocation, double fraction, GError **error)
{
  GError *failure = NULL;
  if (invocation->inspector != NULL)
    return ldb_inspector_evict_cache (invocation->inspector, fraction, NULL, error);
  ldb_database_evict_cache (invocation->database, fraction, &failure);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

/* What is wrong is said before anything is changed. */
static gboolean
change (struct invocation *invocation, const struct request *request, GError **error)
{
  guint64 bytes = 0;
  double fraction = 0;
  if (request->budget != NULL && !settings_parse_size (request->budget, &bytes))
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("“%s” is no size; write for example 64MiB"), request->budget);
      return FALSE;
    }
  if (request->evict != NULL && !parse_percent (request->evict, &fraction))
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("“%s” is no share of the cache; write for example 50%%"), request->evict);
      return FALSE;
    }
  if (request->budget == NULL && request->evict == NULL)
    return TRUE;
  return (invocation->inspector == NULL
          || ldb_inspector_request_control (invocation->inspector, NULL, error))
         && (request->budget == NULL || set_budget (invocation, bytes, error))
         && (request->evict == NULL || evict (invocation, fraction, error));
}

/* ---- what there is ---- */

static const struct
{
  const char *name;  /* in LdbMetrics, and in JSON */
  const char *label; /* to be translated */
} parts[] = {
  { "memory_cache_bytes", N_ ("Cache") },
  { "memory_memtable_bytes", N_ ("Tables in memory") },
  { "memory_log_bytes", N_ ("Log, mapped") },
  { "memory_index_bytes", N_ ("Indexes") },
  { "memory_filter_bytes", N_ ("Filters") },
  { "memory_page_table_bytes", N_ ("Page tables") },
  { "memory_merge_bytes", N_ ("Flushes and merges") },
  { "memory_segment_bytes", N_ ("Open segments") },
  { "memory_other_bytes", N_ ("Other") },
};

static guint64
count_of (LdbMetrics *metrics, const char *name)
{
  return (guint64) MAX (ldb_metrics_get_value (metrics, name), 0);
}

static guint64
count_used (LdbMetrics *metrics)
{
  guint64 used = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    used += count_of (metrics, parts[i].name);
  return used;
}

static void
print_line (const char *label, guint64 bytes, guint64 budget)
{
  double share = budget > 0 ? (double) bytes / (double) budget : 0;
  g_autofree char *size = command_format_size (bytes);
  g_autofree char *percent = g_strdup_printf ("%.1f", share * 100);
  g_autoptr (GString) line = g_string_new (NULL);
  column_append_left (line, label, 22);
  column_append_right (line, size, 10);
  column_append_right (line, percent, 7);
  g_string_append (line, " % ");
  bar_append (line, share, BAR_WIDTH);
  puts (g_strchomp (line->str));
}

static void
print_memory (LdbMetrics *metrics)
{
  guint64 budget = count_of (metrics, "memory_budget_bytes");
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    print_line (_ (parts[i].label), count_of (metrics, parts[i].name), budget);
  print_line (_ ("Used"), count_used (metrics), budget);
  print_line (_ ("Memory budget"), budget, budget);
}

static void
print_json (LdbMetrics *metrics)
{
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_number (builder, "memory_budget_bytes", count_of (metrics, "memory_budget_bytes"));
  command_add_number (builder, "memory_used_bytes", count_used (metrics));
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    command_add_number (builder, parts[i].name, count_of (metrics, parts[i].name));
  json_builder_end_object (builder);
  command_print_json (builder);
}

static enum exit_status
run (struct invocation *invocation, const struct request *request)
{
  GError *error = NULL;
  if (!look (invocation, &error) || !change (invocation, request, &error))
    return command_fail (invocation, error);
  g_autoptr (LdbMetrics) metrics
      = invocation->inspector != NULL
            ? ldb_inspector_get_metrics (invocation->inspector, NULL, &error)
            : ldb_database_get_metrics (invocation->database, &error);
  if (metrics == NULL)
    return command_fail (invocation, error);
  if (invocation->json)
    print_json (metrics);
  else if (!invocation->quiet)
    print_memory (metrics);
  return EXIT_STATUS_DONE;
}

enum exit_status
memory_run (struct invocation *invocation)
{
  struct request request = { NULL };
  const GOptionEntry entries[] = {
    { "budget", 'b', 0, G_OPTION_ARG_STRING, &request.budget,
      N_ ("Have it keep to another budget, until it is closed"), N_ ("SIZE") },
    { "evict", 0, 0, G_OPTION_ARG_STRING, &request.evict, N_ ("Give so much of the cache back"),
      N_ ("PERCENT") },
    { NULL },
  };
  GError *error = NULL;
  enum exit_status status;
  if (command_parse (invocation, entries, NULL,
                     _ ("In the application that has the database open and lets it be inspected. "
                        "To change something it has to allow that, too (property "
                        "control-allowed)."),
                     &error))
    status = run (invocation, &request);
  else
    status = command_fail (invocation, error);
  g_free (request.budget);
  g_free (request.evict);
  return status;
}
