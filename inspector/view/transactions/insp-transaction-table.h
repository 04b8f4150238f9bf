/* SPDX-License-Identifier: MIT */
/*
 * InspTransactionTable: the read-write transactions that an application has open, the oldest first.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-row-list.h"
#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_TRANSACTION_TABLE (insp_transaction_table_get_type ())
G_DECLARE_FINAL_TYPE (InspTransactionTable, insp_transaction_table, INSP, TRANSACTION_TABLE,
                      GtkWidget)

/* Signals: changed (): they were asked for; selected (): another one is, or none; activated (). */
GtkWidget *insp_transaction_table_new (InspSession *session);

/* Rows of LdbActiveTransaction. Borrowed. */
InspRowList *insp_transaction_table_get_list (InspTransactionTable *self);
/* NULL: none. Valid until the list changes. */
const LdbActiveTransaction *insp_transaction_table_get_selected (InspTransactionTable *self);
void insp_transaction_table_refresh (InspTransactionTable *self);

G_END_DECLS
