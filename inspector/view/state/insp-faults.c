/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>

#include "insp-faults.h"

#define FAULTS_MOST 5u /* that are told one by one */

/* A reason may be a message that names its place itself: "DIRECTORY/FILE: page 7: …". */
static const char *
skip_place (const LdbFault *fault)
{
  const char *rest = strstr (fault->reason, fault->file);
  if (rest == NULL || !g_str_has_prefix (rest + strlen (fault->file), ": "))
    return fault->reason;
  rest += strlen (fault->file) + 2;
  g_autofree char *page = g_strdup_printf ("page %" G_GINT64_FORMAT ": ", fault->page);
  return g_str_has_prefix (rest, page) ? rest + strlen (page) : rest;
}

char *
insp_fault_describe (const LdbFault *fault)
{
  if (fault->page == LDB_FAULT_NO_PAGE)
    return g_strdup_printf ("%s: %s", fault->file, skip_place (fault));
  return g_strdup_printf (_ ("%s, page %" PRId64 ": %s"), fault->file, fault->page,
                          skip_place (fault));
}

char *
insp_faults_describe (LdbCheckReport *report)
{
  GPtrArray *faults = ldb_check_report_get_faults (report);
  GString *text = g_string_new (NULL);
  g_string_append_printf (text,
                          g_dngettext (GETTEXT_PACKAGE, "%d fault was found:",
                                       "%d faults were found:", (gulong) report->fault_count),
                          (int) MIN (report->fault_count, G_MAXINT));
  for (guint i = 0; i < MIN (faults->len, FAULTS_MOST); i++)
    {
      g_autofree char *line = insp_fault_describe (g_ptr_array_index (faults, i));
      g_string_append_printf (text, "\n%s", line);
    }
  return g_string_free (text, FALSE);
}
