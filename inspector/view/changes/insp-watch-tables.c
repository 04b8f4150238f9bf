/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-plot.h"
#include "insp-unit.h"
#include "insp-watch-tables.h"

#define WATCHES_LEAST 90 /* pixels, of the table … */
#define WATCHES_MOST 240

/* ---- watches ---- */

static char *
format_kind (gconstpointer contents, gpointer data)
{
  return g_strdup (insp_watch_kind_name (((const LdbActiveWatch *) contents)->kind));
}

static char *
format_keys (gconstpointer contents, gpointer data)
{
  return insp_watch_format_keys (contents);
}

static char *
format_store (gconstpointer contents, gpointer data)
{
  const LdbActiveWatch *watch = contents;
  if (watch->kind == LDB_WATCH_KIND_STORES)
    return g_strdup ("–");
  return g_strdup (watch->store != NULL ? watch->store : "default");
}

static char *
format_state (gconstpointer contents, gpointer data)
{
  const LdbActiveWatch *watch = contents;
  if (watch->paused)
    return g_strdup (_ ("Paused"));
  return g_strdup (watch->waiting ? _ ("Is being told") : _ ("Waits"));
}

static char *
format_count (gconstpointer contents, gpointer offset)
{
  guint64 count = G_STRUCT_MEMBER (guint64, contents, GPOINTER_TO_SIZE (offset));
  return insp_unit_format (INSP_UNIT_COUNT, (double) count);
}

static void
add_count (InspTable *table, const char *title, gsize offset)
{
  insp_table_add_column (table, title, INSP_TABLE_NUMBER, format_count, GSIZE_TO_POINTER (offset));
}

GtkWidget *
insp_watch_table_new (InspWatchLog *log)
{
  GListModel *list = G_LIST_MODEL (insp_watch_log_get_watches (log));
  GtkWidget *widget = insp_table_new (_ ("Watches"),
                                      _ ("Nobody is told of changes. Watches, entries and lists of "
                                         "the application appear here while "
                                         "they are there."),
                                      g_object_ref (list));
  InspTable *table = INSP_TABLE (widget);
  insp_table_set_heights (table, WATCHES_LEAST, WATCHES_MOST);
  /* Translators: the column of a table: whether somebody watches a key, a range … */
  insp_table_add_column (table, _ ("Watch"), INSP_TABLE_TEXT, format_kind, NULL);
  insp_table_add_column (table, _ ("Keys"), INSP_TABLE_WIDE, format_keys, NULL);
  insp_table_add_column (table, _ ("Store"), INSP_TABLE_TEXT, format_store, NULL);
  insp_table_add_column (table, _ ("State"), INSP_TABLE_TEXT, format_state, NULL);
  /* Translators: columns of a table: how often a watch was told, of how many changes … */
  add_count (table, _ ("Told"), G_STRUCT_OFFSET (LdbActiveWatch, deliveries));
  add_count (table, _ ("Changes"), G_STRUCT_OFFSET (LdbActiveWatch, changes));
  add_count (table, _ ("Summed Up"), G_STRUCT_OFFSET (LdbActiveWatch, coalesced));
  add_count (table, _ ("Read Anew"), G_STRUCT_OFFSET (LdbActiveWatch, resyncs));
  /* Translators: the column of a table: how many commits a watch was behind when it was told */
  add_count (table, _ ("Behind"), G_STRUCT_OFFSET (LdbActiveWatch, lag));
  return widget;
}

/* ---- deliveries ---- */

static char *
format_time (gconstpointer contents, gpointer data)
{
  return insp_plot_format_clock (((const LdbWatchDelivery *) contents)->delivered);
}

static char *
format_watch (gconstpointer contents, gpointer log)
{
  return g_strdup (insp_watch_log_get_name (log, ((const LdbWatchDelivery *) contents)->watch));
}

static char *
format_changes (gconstpointer contents, gpointer data)
{
  const LdbWatchDelivery *its = contents;
  return its->resync ? g_strdup (_ ("Read anew"))
                     : g_strdup_printf ("%" G_GUINT64_FORMAT, its->changes);
}

static char *
format_delay (gconstpointer contents, gpointer data)
{
  gint64 delay = insp_watch_get_delay (contents);
  return insp_unit_format (INSP_UNIT_NANOSECONDS, delay >= 0 ? (double) delay * 1000 : NAN);
}

static char *
format_aim (gconstpointer contents, gpointer data)
{
  gint64 delay = insp_watch_get_delay (contents);
  if (delay < 0)
    return g_strdup ("–");
  return g_strdup (delay <= INSP_WATCH_AIM ? _ ("Yes") : _ ("No"));
}

GtkWidget *
insp_delivery_table_new (InspWatchLog *log)
{
  GListModel *list = G_LIST_MODEL (insp_watch_log_get_deliveries (log));
  GtkWidget *widget = insp_table_new (
      _ ("Deliveries"), _ ("No watch was told of changes since this page was opened."),
      g_object_ref (list));
  InspTable *table = INSP_TABLE (widget);
  insp_table_show_first (table);
  insp_table_add_column (table, _ ("Time"), INSP_TABLE_TEXT, format_time, NULL);
  insp_table_add_column (table, _ ("Watch"), INSP_TABLE_WIDE, format_watch, log);
  insp_table_add_column (table, _ ("Changes"), INSP_TABLE_NUMBER, format_changes, NULL);
  /* Translators: the column of a table: the time from a commit until a watch was told of it */
  insp_table_add_column (table, _ ("After the Commit"), INSP_TABLE_NUMBER, format_delay, NULL);
  /* Translators: the column of a table: whether a watch was told so soon */
  insp_table_add_column (table, _ ("Within 12 ms"), INSP_TABLE_TEXT, format_aim, NULL);
  /* Its columns ask it for names. */
  g_object_set_data_full (G_OBJECT (widget), "insp-log", g_object_ref (log), g_object_unref);
  return widget;
}
