/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-page.h"
#include "insp-pin-table.h"
#include "insp-pins.h"
#include "insp-refresher.h"
#include "insp-table.h"
#include "insp-unit.h"

#define INTERVAL 1000 /* milliseconds between requests */

struct _InspPinTable
{
  GtkWidget parent_instance;

  InspRowList *transactions; /* owned */
  InspRowList *list;         /* of InspPin; owned */
  GtkWidget *box;            /* child */
  GtkWidget *oldest;         /* a label: who keeps the oldest */
  InspTable *table;
  InspRefresher *refresher;
};

G_DEFINE_FINAL_TYPE (InspPinTable, insp_pin_table, GTK_TYPE_WIDGET)

/* ---- asking ---- */

static void
ask (gpointer widget, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_list_snapshots_async (inspector, cancellable, answered, data);
}

static gboolean
take (gpointer widget, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  InspPinTable *self = widget;
  g_autoptr (GPtrArray) snapshots = ldb_inspector_list_snapshots_finish (inspector, result, error);
  if (snapshots == NULL)
    return FALSE;
  g_autoptr (GPtrArray) pins = insp_pins_of (snapshots, self->transactions);
  insp_row_list_set (self->list, pins);
  const InspPin *oldest = insp_row_list_get (self->list, 0);
  g_autofree char *text = oldest != NULL ? insp_pin_describe (oldest) : NULL;
  gtk_label_set_text (GTK_LABEL (self->oldest), text != NULL ? text : "");
  gtk_widget_set_visible (self->oldest, text != NULL);
  return TRUE;
}

void
insp_pin_table_refresh (InspPinTable *self)
{
  insp_refresher_ask (self->refresher);
}

/* ---- columns ---- */

static char *
format_sequence (gconstpointer contents, gpointer data)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, ((const InspPin *) contents)->snapshot.sequence);
}

static char *
format_behind (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_COUNT, (double) ((const InspPin *) contents)->snapshot.behind);
}

static char *
format_holders (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_COUNT,
                           (double) ((const InspPin *) contents)->snapshot.holders);
}

static char *
format_transactions (gconstpointer contents, gpointer data)
{
  return insp_pin_format_transactions (contents);
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  return ((const InspPin *) contents)->snapshot.sequence;
}

static void
insp_pin_table_dispose (GObject *object)
{
  InspPinTable *self = INSP_PIN_TABLE (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->list);
  g_clear_object (&self->transactions);
  G_OBJECT_CLASS (insp_pin_table_parent_class)->dispose (object);
}

static void
insp_pin_table_class_init (InspPinTableClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_pin_table_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_pin_table_init (InspPinTable *self)
{
  self->list = insp_row_list_new (identity, (GDestroyNotify) insp_pin_free);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->oldest = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->oldest), TRUE);
  gtk_label_set_xalign (GTK_LABEL (self->oldest), 0);
  gtk_widget_set_visible (self->oldest, FALSE);
  self->table = INSP_TABLE (
      insp_table_new (_ ("States That Are Read"),
                      _ ("Nobody reads an older state: no transaction, snapshot or cursor is open, "
                         "and nothing that was overwritten is kept."),
                      g_object_ref (G_LIST_MODEL (self->list))));
  insp_table_add_column (self->table, _ ("Commit"), INSP_TABLE_NUMBER, format_sequence, NULL);
  insp_table_add_column (self->table, _ ("Commits Since"), INSP_TABLE_NUMBER, format_behind, NULL);
  insp_table_add_column (self->table, _ ("Readers"), INSP_TABLE_NUMBER, format_holders, NULL);
  insp_table_add_column (self->table, _ ("Transactions"), INSP_TABLE_WIDE, format_transactions,
                         NULL);
  gtk_box_append (GTK_BOX (self->box), self->oldest);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->table));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_pin_table_new (InspSession *session, InspRowList *transactions)
{
  InspPinTable *self = g_object_new (INSP_TYPE_PIN_TABLE, NULL);
  self->transactions = g_object_ref (transactions);
  self->refresher
      = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, insp_page_tell_from);
  return GTK_WIDGET (self);
}
