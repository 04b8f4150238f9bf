/* SPDX-License-Identifier: MIT */
/*
 * What GTK loads from its directory of inspector modules when its inspector is opened for the first time in
 * a program.
 */
#include "config.h"

#include "insp-gtk-page.h"

G_MODULE_EXPORT void
g_io_module_load (GIOModule *module)
{
  g_type_module_use (G_TYPE_MODULE (module)); /* types stay, so it must */
  g_io_extension_point_implement ("gtk-inspector-page", INSP_TYPE_GTK_PAGE, "lightning-db", 10);
}

G_MODULE_EXPORT void
g_io_module_unload (GIOModule *module)
{
}

G_MODULE_EXPORT char **
g_io_module_query (void)
{
  return g_strsplit ("gtk-inspector-page", ",", 0);
}
