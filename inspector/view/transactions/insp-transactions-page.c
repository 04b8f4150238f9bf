/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-chart-card.h"
#include "insp-choice.h"
#include "insp-export.h"
#include "insp-figure.h"
#include "insp-hot-keys.h"
#include "insp-pin-table.h"
#include "insp-rollback.h"
#include "insp-transaction-keys.h"
#include "insp-transaction-table.h"
#include "insp-transactions-page.h"

struct _InspTransactionsPage
{
  InspPage parent_instance;

  InspTransactionTable *open;
  InspTransactionKeys *keys; /* of the one that is selected */
  InspPinTable *pins;
  InspHotKeys *hot;
  GtkWidget *rollback; /* a button */
  GtkWidget *kinds;    /* a drop-down, by LdbHotKeyKind */
};

G_DEFINE_FINAL_TYPE (InspTransactionsPage, insp_transactions_page, INSP_TYPE_PAGE)

/* ---- using ---- */

static void
insp_transactions_page_refresh (InspPage *page)
{
  InspTransactionsPage *self = INSP_TRANSACTIONS_PAGE (page);
  insp_transaction_table_refresh (self->open);
  insp_transaction_keys_refresh (self->keys);
  insp_pin_table_refresh (self->pins);
  insp_hot_keys_refresh (self->hot);
}

static void
review_selection (InspTransactionsPage *self)
{
  InspSession *session = insp_page_get_session (INSP_PAGE (self));
  const LdbActiveTransaction *selected = insp_transaction_table_get_selected (self->open);
  gtk_widget_set_sensitive (self->rollback, insp_session_get_state (session) == INSP_SESSION_LIVE
                                                && selected != NULL);
  insp_transaction_keys_set_id (self->keys, selected != NULL ? selected->id : 0);
}

static void
on_rollback (InspTransactionsPage *self)
{
  const LdbActiveTransaction *transaction = insp_transaction_table_get_selected (self->open);
  if (transaction != NULL && gtk_widget_get_sensitive (self->rollback))
    insp_rollback_ask (INSP_PAGE (self), transaction->id);
}

static void
on_kind (InspTransactionsPage *self)
{
  insp_hot_keys_set_kind (self->hot,
                          (LdbHotKeyKind) gtk_drop_down_get_selected (GTK_DROP_DOWN (self->kinds)));
}

/* ---- parts ---- */

static void
add_tiles (InspTransactionsPage *self, InspHistory *history)
{
  InspSeries *series[] = {
    insp_series_new_value (history, _ ("Open"), INSP_UNIT_COUNT, "transactions_active"),
    insp_series_new_value (history, _ ("Snapshots"), INSP_UNIT_COUNT, "snapshots_active"),
    insp_series_new_percentile (history, _ ("Open for, median"), "transaction", 0.5),
    insp_series_new_percentile (history, _ ("Open for, 99 of 100"), "transaction", 0.99),
    insp_series_new_percentile (history, _ ("Commits, 99 of 100"), "transaction_commit", 0.99),
  };
  insp_page_add (INSP_PAGE (self), insp_figure_new_tiles (series, G_N_ELEMENTS (series)));
}

static void
add_chart (InspTransactionsPage *self, InspHistory *history, InspAxis *axis)
{
  GtkWidget *card = insp_chart_card_new (_ ("How Transactions End"), axis);
  InspSeries *series[] = {
    insp_series_new_rate (history, _ ("Committed"), INSP_UNIT_PER_SECOND, "transactions_committed"),
    insp_series_new_rate (history, _ ("Rolled back"), INSP_UNIT_PER_SECOND, "transactions_aborted"),
    insp_series_new_rate (history, _ ("In conflict"), INSP_UNIT_PER_SECOND, "conflicts"),
  };
  for (guint i = 0; i < G_N_ELEMENTS (series); i++)
    {
      insp_chart_card_add (INSP_CHART_CARD (card), series[i]);
      g_object_unref (series[i]);
    }
  insp_page_add (INSP_PAGE (self), card);
}

static void
add_open (InspTransactionsPage *self, InspSession *session)
{
  self->open = INSP_TRANSACTION_TABLE (insp_transaction_table_new (session));
  self->keys = INSP_TRANSACTION_KEYS (insp_transaction_keys_new (session));
  self->rollback = gtk_button_new_with_label (_ ("Roll Back…"));
  g_signal_connect_swapped (self->rollback, "clicked", G_CALLBACK (on_rollback), self);
  g_signal_connect_object (self->open, "selected", G_CALLBACK (review_selection), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->open, "activated", G_CALLBACK (on_rollback), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "notify::state", G_CALLBACK (review_selection), self,
                           G_CONNECT_SWAPPED);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->open));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->keys));
  insp_page_add_section (INSP_PAGE (self), _ ("Open Transactions"), self->rollback, box);
  review_selection (self);
}

static void
add_hot_keys (InspTransactionsPage *self, InspSession *session)
{
  const char *const names[] = {
    [LDB_HOT_KEY_CONFLICT] = _ ("In conflict"),
    [LDB_HOT_KEY_READ] = _ ("Read"),
    [LDB_HOT_KEY_WRITE] = _ ("Written"),
    NULL,
  };
  self->hot = INSP_HOT_KEYS (insp_hot_keys_new (session));
  self->kinds = insp_choice_new_from_strings (names, _ ("What happens to the keys"));
  g_signal_connect_swapped (self->kinds, "notify::selected", G_CALLBACK (on_kind), self);
  insp_page_add_section (INSP_PAGE (self), _ ("Hot Keys"), self->kinds, GTK_WIDGET (self->hot));
}

/* ---- the object ---- */

static void
insp_transactions_page_class_init (InspTransactionsPageClass *class)
{
  INSP_PAGE_CLASS (class)->refresh = insp_transactions_page_refresh;
}

static void
insp_transactions_page_init (InspTransactionsPage *self)
{
}

GtkWidget *
insp_transactions_page_new (InspSession *session)
{
  InspTransactionsPage *self = g_object_new (INSP_TYPE_TRANSACTIONS_PAGE, "session", session, NULL);
  InspHistory *history = insp_session_get_history (session);
  add_tiles (self, history);
  add_open (self, session);
  self->pins
      = INSP_PIN_TABLE (insp_pin_table_new (session, insp_transaction_table_get_list (self->open)));
  insp_page_add_section (INSP_PAGE (self), _ ("States That Are Read"), NULL,
                         GTK_WIDGET (self->pins));
  add_hot_keys (self, session);
  add_chart (self, history, insp_session_get_axis (session));
  insp_export_offer (GTK_WIDGET (self), "transactions");
  return GTK_WIDGET (self);
}
