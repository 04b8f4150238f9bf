/* SPDX-License-Identifier: MIT */
/*
 * InspPinTable: older states of a database that somebody reads, the oldest first, and who keeps that.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-row-list.h"
#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_PIN_TABLE (insp_pin_table_get_type ())
G_DECLARE_FINAL_TYPE (InspPinTable, insp_pin_table, INSP, PIN_TABLE, GtkWidget)

/* `transactions`: rows of LdbActiveTransaction that are open. */
GtkWidget *insp_pin_table_new (InspSession *session, InspRowList *transactions);
void insp_pin_table_refresh (InspPinTable *self);

G_END_DECLS
