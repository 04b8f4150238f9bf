/* SPDX-License-Identifier: MIT */
/*
 * The tables of an InspWatchLog: who is told of changes, and what each was told, the newest first.
 */
#pragma once

#include "insp-table.h"
#include "insp-watch-log.h"

G_BEGIN_DECLS

GtkWidget *insp_watch_table_new (InspWatchLog *log);
GtkWidget *insp_delivery_table_new (InspWatchLog *log);

G_END_DECLS
