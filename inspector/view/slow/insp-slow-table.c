/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-key-text.h"
#include "insp-page.h"
#include "insp-plot.h"
#include "insp-refresher.h"
#include "insp-slow-table.h"
#include "insp-table.h"
#include "insp-time-split.h"
#include "insp-unit.h"

#define INTERVAL 1000 /* milliseconds between requests */

struct _InspSlowTable
{
  GtkWidget parent_instance;

  InspRowList *list;       /* of LdbSlowOperation, the newest first: the session's; owned */
  GtkCustomFilter *filter; /* by `range`; owned by the table's model */
  InspTable *table;        /* child */
  InspRefresher *refresher;
  InspSlowRange range;
};

G_DEFINE_FINAL_TYPE (InspSlowTable, insp_slow_table, GTK_TYPE_WIDGET)

const char *
insp_slow_operation_name (LdbOperationKind kind)
{
  static const char *const names[] = {
    [LDB_OPERATION_GET] = N_ ("Lookup"),
    [LDB_OPERATION_MULTI_GET] = N_ ("Lookup of several"),
    [LDB_OPERATION_CONTAINS] = N_ ("Presence"),
    [LDB_OPERATION_SEEK] = N_ ("Seek"),
    [LDB_OPERATION_PUT] = N_ ("Put"),
    [LDB_OPERATION_DELETE] = N_ ("Delete"),
    [LDB_OPERATION_BATCH] = N_ ("Batch"),
    [LDB_OPERATION_TRANSACTION_COMMIT] = N_ ("Transaction commit"),
  };
  return kind < G_N_ELEMENTS (names) ? _ (names[kind]) : _ ("Other");
}

/* ---- asking ---- */

static void
ask (gpointer widget, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  guint64 newest = insp_seen_get_newest_operation (INSP_SLOW_TABLE (widget)->list);
  ldb_inspector_list_slow_operations_async (inspector, newest, cancellable, answered, data);
}

static gboolean
take (gpointer widget, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  g_autoptr (GPtrArray) operations
      = ldb_inspector_list_slow_operations_finish (inspector, result, error);
  if (operations == NULL)
    return FALSE;
  insp_seen_add_operations (INSP_SLOW_TABLE (widget)->list, operations);
  return TRUE;
}

/* ---- columns ---- */

static char *
format_time (gconstpointer contents, gpointer data)
{
  return insp_plot_format_clock (((const LdbSlowOperation *) contents)->ended);
}

static char *
format_kind (gconstpointer contents, gpointer data)
{
  return g_strdup (insp_slow_operation_name (((const LdbSlowOperation *) contents)->kind));
}

static char *
format_duration (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_NANOSECONDS,
                           (double) ((const LdbSlowOperation *) contents)->duration);
}

static char *
format_size (gconstpointer contents, gpointer data)
{
  const LdbSlowOperation *operation = contents;
  if (operation->kind == LDB_OPERATION_MULTI_GET)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%d key", "%d keys", operation->size),
                            (int) operation->size);
  return insp_unit_format (INSP_UNIT_BYTES, (double) operation->size);
}

static char *
format_key (gconstpointer contents, gpointer data)
{
  const LdbSlowOperation *operation = contents;
  return insp_key_text_of (operation->key, operation->key_length);
}

static char *
format_split (gconstpointer contents, gpointer data)
{
  InspTimeParts parts = { { 0 } };
  insp_time_parts_add (&parts, contents);
  return insp_time_parts_format (&parts);
}

static void
show_split (GtkWidget *widget, gconstpointer contents, gpointer data)
{
  InspTimeParts parts = { { 0 } };
  insp_time_parts_add (&parts, contents);
  insp_time_split_show (INSP_TIME_SPLIT (widget), &parts);
}

/* ---- the range ---- */

static gboolean
is_in_range (gpointer row, gpointer data)
{
  const InspSlowRange *range = &INSP_SLOW_TABLE (data)->range;
  const LdbSlowOperation *its = insp_row_get (row);
  return its->ended >= range->from && its->ended <= range->to && its->duration >= range->least
         && its->duration <= range->most && (range->kinds >> its->kind & 1) != 0;
}

void
insp_slow_table_set_range (InspSlowTable *self, InspSlowRange range)
{
  InspSlowRange all = INSP_SLOW_ALL, old = self->range;
  if (range.from == old.from && range.to == old.to && range.least == old.least
      && range.most == old.most && range.kinds == old.kinds)
    return;
  self->range = range;
  gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  insp_table_set_empty (self->table,
                        range.from == all.from && range.most == all.most
                            ? _ ("No operation took longer than the threshold: 10 ms, "
                                 "unless the application set another.")
                            : _ ("No slow operation is known of this range. Operations "
                                 "that take longer than 10 ms are, unless the "
                                 "application set another threshold."));
}

void
insp_slow_table_refresh (InspSlowTable *self)
{
  insp_refresher_ask (self->refresher);
}

InspRowList *
insp_slow_table_get_list (InspSlowTable *self)
{
  return self->list;
}

/* ---- the object ---- */

static void
insp_slow_table_dispose (GObject *object)
{
  InspSlowTable *self = INSP_SLOW_TABLE (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  if (self->table != NULL)
    gtk_custom_filter_set_filter_func (self->filter, NULL, NULL, NULL);
  g_clear_pointer ((GtkWidget **) &self->table, gtk_widget_unparent);
  g_clear_object (&self->list);
  G_OBJECT_CLASS (insp_slow_table_parent_class)->dispose (object);
}

static void
insp_slow_table_class_init (InspSlowTableClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_slow_table_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_slow_table_init (InspSlowTable *self)
{
  self->filter = gtk_custom_filter_new (is_in_range, self, NULL);
}

static void
make_table (InspSlowTable *self)
{
  self->table = INSP_TABLE (
      insp_table_new (_ ("Slow Operations"), "",
                      G_LIST_MODEL (gtk_filter_list_model_new (
                          g_object_ref (G_LIST_MODEL (self->list)), GTK_FILTER (self->filter)))));
  insp_slow_table_set_range (self, INSP_SLOW_ALL);
  insp_table_add_column (self->table, _ ("Time"), INSP_TABLE_TEXT, format_time, NULL);
  insp_table_add_column (self->table, _ ("Operation"), INSP_TABLE_TEXT, format_kind, NULL);
  insp_table_add_column (self->table, _ ("Duration"), INSP_TABLE_NUMBER, format_duration, NULL);
  /* Translators: the column of a table: what an operation spent its time with */
  insp_table_add_widgets (self->table, _ ("Spent With"), INSP_TYPE_TIME_SPLIT, show_split,
                          format_split, NULL);
  insp_table_add_column (self->table, _ ("Size"), INSP_TABLE_NUMBER, format_size, NULL);
  insp_table_add_column (self->table, _ ("Key"), INSP_TABLE_WIDE, format_key, NULL);
  gtk_widget_set_parent (GTK_WIDGET (self->table), GTK_WIDGET (self));
}

GtkWidget *
insp_slow_table_new (InspSession *session)
{
  InspSlowTable *self = g_object_new (INSP_TYPE_SLOW_TABLE, NULL);
  self->list = g_object_ref (insp_session_get_operations (session));
  make_table (self);
  self->refresher
      = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, insp_page_tell_from);
  return GTK_WIDGET (self);
}
