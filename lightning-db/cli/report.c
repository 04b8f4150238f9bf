/* SPDX-License-Identifier: MIT */
/* What there is to say of a database, in one text or page: report. */
#include "output-file.h"
#include "storage.h"
#include "text-form.h"

#include <stdio.h>
#include <string.h>

static gboolean
parse_format (const char *name, const char *path, LdbReportFormat *format, GError **error)
{
  static const char *const names[] = { "text", "json", "html" };
  if (name == NULL && path != NULL
      && (g_str_has_suffix (path, ".html") || g_str_has_suffix (path, ".json")))
    name = strrchr (path, '.') + 1; /* the file says it */
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i]) == 0)
      {
        *format = (LdbReportFormat) i;
        return TRUE;
      }
  if (name != NULL)
    g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                 _ ("“%s” is no form of a report; choose text, json or html"), name);
  return name == NULL;
}

static gboolean
agree_on_format (struct invocation *invocation, LdbReportFormat format, GError **error)
{
  if (!invocation->json || format == LDB_REPORT_JSON)
    return TRUE;
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                       _ ("--json is another form than --format, or the file's ending, says; give one "
                          "of them"));
  return FALSE;
}

static const char *
path_of_database (struct invocation *invocation)
{
  return invocation->inspector != NULL ? ldb_running_database_get_path (
             ldb_inspector_get_running_database (invocation->inspector))
                                       : ldb_database_get_path (invocation->database);
}

/* To a file that only its owner can read. */
static gboolean
write_file (struct invocation *invocation, const char *report, const char *path, GError **error)
{
  struct output_file to = { NULL };
  gboolean written = output_file_open (&to, path, path_of_database (invocation), error)
                     && (fputs (report, to.file) >= 0 || output_file_fail (&to, error))
                     && output_file_finish (&to, error);
  output_file_clear (&to);
  return written;
}

static gboolean
write_report (struct invocation *invocation, const char *report, LdbReportFormat format,
              const char *path, GError **error)
{
  if (path != NULL && strcmp (path, "-") != 0)
    return write_file (invocation, report, path, error);
  g_autofree char *shown = format == LDB_REPORT_TEXT   ? text_form_show (report, "\n\t")
                           : format == LDB_REPORT_JSON ? text_form_show_json (report)
                                                       : g_strdup (report);
  fputs (shown, stdout);
  if (!g_str_has_suffix (report, "\n"))
    putchar ('\n');
  return TRUE;
}

static char *
generate (struct invocation *invocation, LdbReportFormat format, gboolean keys, GError **error)
{
  LdbReportFlags flags = keys ? LDB_REPORT_KEYS : LDB_REPORT_NONE;
  return invocation->inspector != NULL
             ? ldb_inspector_generate_report (invocation->inspector, format, flags, NULL, error)
             : ldb_database_generate_report (invocation->database, format, flags, NULL, error);
}

enum exit_status
report_run (struct invocation *invocation)
{
  g_autofree char *format_name = NULL;
  g_autofree char *path = NULL;
  g_autofree char *report = NULL;
  gboolean keys = FALSE;
  const GOptionEntry entries[] = {
    { "format", 'f', 0, G_OPTION_ARG_STRING, &format_name,
      N_ ("Write text (the default), json or html"), N_ ("FORM") },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &path,
      N_ ("Write to a file, whose ending may say the form; - is standard output"), N_ ("FILE") },
    { "keys", 0, 0, G_OPTION_ARG_NONE, &keys,
      N_ ("Tell keys, too: the bounds of segments, and those of the largest values"), NULL },
    { NULL },
  };
  GError *error = NULL;
  LdbReportFormat format = LDB_REPORT_TEXT;
  if (!command_parse (
          invocation, entries, NULL,
          _ ("Its health, statistics, a map of the storage, the largest stores and how large their "
             "keys and values are, the options. There are no values in it, and no keys "
             "without --keys. Of an application that has the database open and lets it "
             "be inspected it is what that has done and sees. The html form is one file with "
             "charts that fetches "
             "nothing and runs nothing."),
          &error))
    return command_fail (invocation, error);
  if (invocation->json)
    format = LDB_REPORT_JSON;
  if (!parse_format (format_name, path, &format, &error)
      || !agree_on_format (invocation, format, &error) || !command_open_look (invocation, &error)
      || !command_finish (invocation, &error)
      || (report = generate (invocation, format, keys, &error)) == NULL
      || !write_report (invocation, report, format, path, &error))
    return command_fail (invocation, error);
  return EXIT_STATUS_DONE;
}
