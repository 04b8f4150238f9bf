/* SPDX-License-Identifier: MIT */
/*
 * InspTransactionKeys: the keys and ranges that an open transaction wrote, and those it depends on.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_TRANSACTION_KEYS (insp_transaction_keys_get_type ())
G_DECLARE_FINAL_TYPE (InspTransactionKeys, insp_transaction_keys, INSP, TRANSACTION_KEYS, GtkWidget)

GtkWidget *insp_transaction_keys_new (InspSession *session);

/* Of the transaction with that number; 0: of none, and it is hidden. */
void insp_transaction_keys_set_id (InspTransactionKeys *self, guint64 id);
void insp_transaction_keys_refresh (InspTransactionKeys *self);

/* What is listed of a key, or a range: “a”, “from a”, “a to b”. Free it. */
char *insp_transaction_key_format (const LdbTransactionKey *key);

G_END_DECLS
