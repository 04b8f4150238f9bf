/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-page.h"
#include "insp-refresher.h"
#include "insp-table.h"
#include "insp-transaction-table.h"
#include "insp-unit.h"

#define INTERVAL 1000 /* milliseconds between requests */

struct _InspTransactionTable
{
  GtkWidget parent_instance;

  InspRowList *list; /* of LdbActiveTransaction, the oldest first; owned */
  InspTable *table;  /* child */
  InspRefresher *refresher;
};

G_DEFINE_FINAL_TYPE (InspTransactionTable, insp_transaction_table, GTK_TYPE_WIDGET)

enum
{
  CHANGED,
  SELECTED,
  ACTIVATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- asking ---- */

static void
ask (gpointer widget, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_list_transactions_async (inspector, cancellable, answered, data);
}

static int
compare_ids (gconstpointer first, gconstpointer second)
{
  const LdbActiveTransaction *a = *(const LdbActiveTransaction *const *) first;
  const LdbActiveTransaction *b = *(const LdbActiveTransaction *const *) second;
  return (a->id > b->id) - (a->id < b->id);
}

static gboolean
take (gpointer widget, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  g_autoptr (GPtrArray) transactions
      = ldb_inspector_list_transactions_finish (inspector, result, error);
  if (transactions == NULL)
    return FALSE;
  g_ptr_array_sort (transactions, compare_ids);
  insp_row_list_set (INSP_TRANSACTION_TABLE (widget)->list, transactions);
  g_signal_emit (widget, signals[CHANGED], 0);
  return TRUE;
}

void
insp_transaction_table_refresh (InspTransactionTable *self)
{
  insp_refresher_ask (self->refresher);
}

/* ---- columns ---- */

static char *
format_id (gconstpointer contents, gpointer data)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, ((const LdbActiveTransaction *) contents)->id);
}

static char *
format_age (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_NANOSECONDS,
                           (double) ((const LdbActiveTransaction *) contents)->age);
}

static char *
format_left (gconstpointer contents, gpointer data)
{
  guint64 left = ((const LdbActiveTransaction *) contents)->left;
  return insp_unit_format (INSP_UNIT_NANOSECONDS, left == G_MAXUINT64 ? NAN : (double) left);
}

static char *
format_isolation (gconstpointer contents, gpointer data)
{
  const LdbActiveTransaction *its = contents;
  return g_strdup (its->serializable ? _ ("Serializable") : _ ("Snapshot"));
}

static char *
format_operations (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_COUNT,
                           (double) ((const LdbActiveTransaction *) contents)->operations);
}

static char *
format_bytes (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_BYTES,
                           (double) ((const LdbActiveTransaction *) contents)->bytes);
}

static char *
format_reads (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_COUNT,
                           (double) ((const LdbActiveTransaction *) contents)->reads);
}

static char *
format_snapshot (gconstpointer contents, gpointer data)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT,
                          ((const LdbActiveTransaction *) contents)->snapshot);
}

static void
add_columns (InspTable *table)
{
  insp_table_add_column (table, _ ("Transaction"), INSP_TABLE_NUMBER, format_id, NULL);
  insp_table_add_column (table, _ ("Age"), INSP_TABLE_NUMBER, format_age, NULL);
  insp_table_add_column (table, _ ("Isolation"), INSP_TABLE_WIDE, format_isolation, NULL);
  /* Translators: columns of a table: how much a transaction wrote, and how large that is */
  insp_table_add_column (table, _ ("Written"), INSP_TABLE_NUMBER, format_operations, NULL);
  insp_table_add_column (table, _ ("Size"), INSP_TABLE_NUMBER, format_bytes, NULL);
  /* Translators: how many keys and ranges nobody else may change until a transaction commits */
  insp_table_add_column (table, _ ("Depends On"), INSP_TABLE_NUMBER, format_reads, NULL);
  /* Translators: the number of the commit whose state a transaction reads */
  insp_table_add_column (table, _ ("Reads Commit"), INSP_TABLE_NUMBER, format_snapshot, NULL);
  /* Translators: the time until a transaction is rolled back because it took too long */
  insp_table_add_column (table, _ ("Time Left"), INSP_TABLE_NUMBER, format_left, NULL);
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  return ((const LdbActiveTransaction *) contents)->id;
}

static void
on_selected (InspTransactionTable *self)
{
  g_signal_emit (self, signals[SELECTED], 0);
}

static void
on_activated (InspTransactionTable *self)
{
  g_signal_emit (self, signals[ACTIVATED], 0);
}

InspRowList *
insp_transaction_table_get_list (InspTransactionTable *self)
{
  return self->list;
}

const LdbActiveTransaction *
insp_transaction_table_get_selected (InspTransactionTable *self)
{
  return insp_table_get_selected (self->table);
}

static void
insp_transaction_table_dispose (GObject *object)
{
  InspTransactionTable *self = INSP_TRANSACTION_TABLE (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_pointer ((GtkWidget **) &self->table, gtk_widget_unparent);
  g_clear_object (&self->list);
  G_OBJECT_CLASS (insp_transaction_table_parent_class)->dispose (object);
}

static void
insp_transaction_table_class_init (InspTransactionTableClass *class)
{
  static const char *const names[] = { "changed", "selected", "activated" };
  G_OBJECT_CLASS (class)->dispose = insp_transaction_table_dispose;
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], INSP_TYPE_TRANSACTION_TABLE, G_SIGNAL_RUN_LAST, 0, NULL,
                               NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_transaction_table_init (InspTransactionTable *self)
{
  self->list = insp_row_list_new (identity, (GDestroyNotify) ldb_active_transaction_free);
  self->table = INSP_TABLE (insp_table_new (
      _ ("Open Transactions"),
      _ ("No transaction is open. Those of the application that write appear here while they are."),
      g_object_ref (G_LIST_MODEL (self->list))));
  add_columns (self->table);
  g_signal_connect_object (self->table, "selected", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->table, "activated", G_CALLBACK (on_activated), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_set_parent (GTK_WIDGET (self->table), GTK_WIDGET (self));
}

GtkWidget *
insp_transaction_table_new (InspSession *session)
{
  InspTransactionTable *self = g_object_new (INSP_TYPE_TRANSACTION_TABLE, NULL);
  self->refresher
      = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, insp_page_tell_from);
  return GTK_WIDGET (self);
}
