/* SPDX-License-Identifier: MIT */
/* Whether a database is sound: check. */
#include "upkeep.h"

#include "progress.h"
#include "text-form.h"

#include <inttypes.h>
#include <stdio.h>

#define FAULTS_PRINTED 100

void
print_faults (GPtrArray *faults, guint limit)
{
  for (guint i = 0; i < faults->len && i < limit; i++)
    {
      g_autofree char *text = ldb_fault_describe (faults->pdata[i]);
      g_autofree char *shown = text_form_show (text, "");
      printf ("  %s\n", shown);
    }
  if (faults->len > limit)
    printf (ngettext ("  and %u more\n", "  and %u more\n", faults->len - limit),
            faults->len - limit);
}

void
add_faults (JsonBuilder *builder, const char *name, GPtrArray *faults)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; i < faults->len; i++)
    {
      const LdbFault *fault = faults->pdata[i];
      json_builder_begin_object (builder);
      command_add_text (builder, "file", fault->file);
      if (fault->page != LDB_FAULT_NO_PAGE)
        command_add_number (builder, "page", (guint64) fault->page);
      command_add_text (builder, "reason", fault->reason);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
print_line (gboolean fine, const char *good, const char *bad)
{
  gboolean plain = !g_get_charset (NULL);
  const char *mark = fine ? plain ? "ok " : "✓ " : plain ? "BAD " : "✗ ";
  printf ("%s%s\n", mark, fine ? good : bad);
}

static void
print_report (LdbCheckReport *report, gboolean deep)
{
  print_line (report->page_checksums, _ ("Page checksums valid"), _ ("Page checksums wrong"));
  print_line (report->tree_structure, _ ("B+Tree structure valid"), _ ("B+Tree structure broken"));
  print_line (report->log, _ ("Transaction log consistent"), _ ("Transaction log damaged"));
  print_line (report->no_orphans, _ ("No orphaned pages"), _ ("Orphaned pages found"));
  print_line (report->blobs_intact, _ ("Large values intact"), _ ("Large values damaged"));
  if (report->fault_count == 0 && report->no_orphans)
    print_line (TRUE, _ ("All checks passed"), "");
  else if (report->fault_count == 0)
    puts (_ ("Nothing is damaged; the files that a crash left behind go at the next opening for "
             "writing"));
  else
    {
      g_autofree char *message = g_strdup_printf (
          ngettext ("%" PRIu64 " fault found", "%" PRIu64 " faults found", report->fault_count),
          report->fault_count);
      print_line (FALSE, "", message);
    }
  print_faults (ldb_check_report_get_faults (report), FAULTS_PRINTED);
  g_autofree char *pages = command_format_count (report->pages);
  g_autofree char *records = command_format_count (report->records);
  g_autofree char *size = command_format_size (report->bytes);
  if (deep)
    printf (_ ("Read %s pages with %s records, %s (B+Tree files: %" PRIu64
               ", files of large values: %" PRIu64 ", log files: %" PRIu64 ")\n"),
            pages, records, size, report->segments, report->blobs, report->logs);
  else
    puts (_ ("Headers, manifest and log were read; --deep reads every page and value too"));
}

static void
print_json (LdbCheckReport *report, gboolean deep)
{
  JsonBuilder *builder = json_builder_new ();
  const struct
  {
    const char *name;
    gboolean value;
  } findings[] = {
    { "passed", report->fault_count == 0 },
    { "deep", deep },
    { "page_checksums", report->page_checksums },
    { "tree_structure", report->tree_structure },
    { "log", report->log },
    { "no_orphans", report->no_orphans },
    { "blobs_intact", report->blobs_intact },
  };
  json_builder_begin_object (builder);
  for (gsize i = 0; i < G_N_ELEMENTS (findings); i++)
    {
      json_builder_set_member_name (builder, findings[i].name);
      json_builder_add_boolean_value (builder, findings[i].value);
    }
  command_add_number (builder, "pages", report->pages);
  command_add_number (builder, "bytes", report->bytes);
  command_add_number (builder, "records", report->records);
  command_add_number (builder, "segments", report->segments);
  command_add_number (builder, "blobs", report->blobs);
  command_add_number (builder, "logs", report->logs);
  command_add_number (builder, "fault_count", report->fault_count);
  add_faults (builder, "faults", ldb_check_report_get_faults (report));
  json_builder_end_object (builder);
  command_print_json (builder);
}

/* An open database is checked beside its users, another one by its path, so that one that does not
 * open can be checked too. */
static LdbCheckReport *
check (struct invocation *invocation, LdbCheckFlags flags, GError **error)
{
  LdbDatabase *database = invocation->session->database;
  const char *path = NULL;
  if (database == NULL && (path = command_take (invocation, _ ("DATABASE"), error)) == NULL)
    return NULL;
  if (!command_finish (invocation, error))
    return NULL;
  struct progress progress;
  progress_begin (&progress, _ ("Checking"), TRUE, invocation->quiet);
  LdbCheckReport *report = database != NULL
                               ? ldb_database_check (database, flags, progress_report, &progress,
                                                     progress.cancellable, error)
                               : ldb_database_check_path (path, flags, progress_report, &progress,
                                                          progress.cancellable, error);
  progress_end (&progress);
  return report;
}

enum exit_status
check_run (struct invocation *invocation)
{
  gboolean deep = FALSE;
  const GOptionEntry entries[] = {
    { "deep", 'd', 0, G_OPTION_ARG_NONE, &deep, N_ ("Read and verify every page and every value"),
      NULL },
    { NULL },
  };
  GError *error = NULL;
  if (!command_parse (invocation, entries, NULL,
                      _ ("Exit status: 0 when the database is sound, 1 when it has faults, 2 when "
                         "it could not be checked. “repair” saves what is sound."),
                      &error))
    return command_fail (invocation, error);
  g_autoptr (LdbCheckReport) report
      = check (invocation, deep ? LDB_CHECK_DEEP : LDB_CHECK_NONE, &error);
  if (report == NULL)
    return command_fail (invocation, error);
  if (invocation->json)
    print_json (report, deep);
  else if (!invocation->quiet || report->fault_count > 0)
    print_report (report, deep);
  return report->fault_count == 0 ? EXIT_STATUS_DONE : EXIT_STATUS_NEGATIVE;
}
