/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-mark-private.h"

#ifdef HAVE_SYSPROF
#include <sysprof-capture.h>

#define GROUP "Lightning DB" /* that marks stand under */

gboolean
ldb_mark_is_wanted (void)
{
  static gsize known; /* 0: not yet, 1: no, 2: yes */
  if (g_once_init_enter (&known))
    {
      gboolean records = g_getenv ("SYSPROF_CONTROL_FD") != NULL;
      if (records)
        sysprof_collector_init (); /* its clock, too */
      g_once_init_leave (&known, records ? 2 : 1);
    }
  return known == 2;
}

gint64
ldb_mark_begin (void)
{
  return ldb_mark_is_wanted () ? SYSPROF_CAPTURE_CURRENT_TIME : 0;
}

void
ldb_mark_end (gint64 begun, const char *name, const char *detail)
{
  if (ldb_mark_is_wanted ())
    sysprof_collector_mark (begun, SYSPROF_CAPTURE_CURRENT_TIME - begun, GROUP, name, detail);
}

void
ldb_mark_past (gint64 end, guint64 duration, const char *name, const char *detail)
{
  if (!ldb_mark_is_wanted ())
    return;
  gint64 ago = (g_get_real_time () - end) * 1000 + (gint64) duration;
  sysprof_collector_mark (SYSPROF_CAPTURE_CURRENT_TIME - ago, (gint64) duration, GROUP, name,
                          detail);
}
#else
gboolean
ldb_mark_is_wanted (void)
{
  return FALSE;
}

gint64
ldb_mark_begin (void)
{
  return 0;
}

void
ldb_mark_end (gint64 begun, const char *name, const char *detail)
{
}

void
ldb_mark_past (gint64 end, guint64 duration, const char *name, const char *detail)
{
}
#endif
