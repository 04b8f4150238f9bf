// SPDX-License-Identifier: MIT
// A C++ program that includes the monitor's header and uses the installed library.
#include <lightning-db-monitor.h>

int
main ()
{
  GObjectClass *type = G_OBJECT_CLASS (g_type_class_ref (LDB_MONITOR_TYPE_SERVER));
  g_assert_nonnull (g_object_class_find_property (type, "metrics-port"));
  g_type_class_unref (type);
  return 0;
}
