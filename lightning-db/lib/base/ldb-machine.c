/* SPDX-License-Identifier: MIT */
/*
 * What the machine is short of: gives caches back when it is memory, puts off settling when it is
 * power.
 *
 * The monitors are made when a main loop runs for the first time after a database was opened: a
 * program without one never connects to the bus, and opening a database waits for nothing.
 */
#include "config.h"

#include <gio/gio.h>

#include "ldb-share-private.h"

static gpointer
evict (gpointer data)
{
  ldb_share_evict_all (GPOINTER_TO_INT (data) / 100.0);
  return NULL;
}

/* The more urgent, the more goes. Freeing pages takes a moment, so not on the main loop. */
static void
warned (GMemoryMonitor *monitor, GMemoryMonitorWarningLevel level, gpointer user_data)
{
  int percent = level >= G_MEMORY_MONITOR_WARNING_LEVEL_CRITICAL ? 100
                : level >= G_MEMORY_MONITOR_WARNING_LEVEL_MEDIUM ? 50
                                                                 : 20;
  GThread *thread = g_thread_try_new ("ldb-evict", evict, GINT_TO_POINTER (percent), NULL);
  if (thread != NULL)
    g_thread_unref (thread);
}

static void
power_changed (GPowerProfileMonitor *monitor, GParamSpec *property, gpointer user_data)
{
  ldb_share_set_saving_all (g_power_profile_monitor_get_power_saver_enabled (monitor));
}

static gboolean
start_watching (gpointer data)
{
  static GMemoryMonitor *memory; /* both for the life of the process */
  static GPowerProfileMonitor *power;
  memory = g_memory_monitor_dup_default ();
  if (memory != NULL)
    g_signal_connect (memory, "low-memory-warning", G_CALLBACK (warned), NULL);
  power = g_power_profile_monitor_dup_default ();
  if (power != NULL)
    {
      g_signal_connect (power, "notify::power-saver-enabled", G_CALLBACK (power_changed), NULL);
      power_changed (power, NULL, NULL);
    }
  return G_SOURCE_REMOVE;
}

void
ldb_machine_watch (void)
{
  static gsize once;
#ifdef __SANITIZE_THREAD__
  return; /* the monitors' D-Bus threads are GIO's, which is not built for it, and would be blamed */
#endif
  if (!g_once_init_enter (&once))
    return;
  GSource *source = g_idle_source_new ();
  g_source_set_static_name (source, "[lightning-db] machine monitors");
  g_source_set_callback (source, start_watching, NULL, NULL);
  g_source_attach (source, NULL);
  g_source_unref (source);
  g_once_init_leave (&once, 1);
}
