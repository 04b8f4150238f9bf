/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-faults.h"

#define FAULTS_MOST 5u /* that are told one by one */

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
      g_autofree char *line = ldb_fault_describe (g_ptr_array_index (faults, i));
      g_string_append_printf (text, "\n%s", line);
    }
  return g_string_free (text, FALSE);
}
