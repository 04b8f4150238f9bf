/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n.h>
#include <locale.h>

#include "insp-application.h"
#include "insp-host.h"

int
main (int argument_count, char **arguments)
{
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALE_DIRECTORY);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_autoptr (InspApplication) application = insp_application_new ();
  int status = g_application_run (G_APPLICATION (application), argument_count, arguments);
  insp_host_wait_for_ends ();
  return status;
}
