/* SPDX-License-Identifier: MIT */
/*
 * InspTransactionsPage: the transactions that an application has open, which states of the database are
 * read, and the keys that commits conflict about.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_TRANSACTIONS_PAGE (insp_transactions_page_get_type ())
G_DECLARE_FINAL_TYPE (InspTransactionsPage, insp_transactions_page, INSP, TRANSACTIONS_PAGE,
                      InspPage)

GtkWidget *insp_transactions_page_new (InspSession *session);

G_END_DECLS
