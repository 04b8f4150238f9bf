/* SPDX-License-Identifier: MIT */
/*
 * InspSlowTable: the slow operations that a database had while its session was looked at, and the last
 * before, the newest first, with what each spent its time with. It asks for them while it is shown.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-row-list.h"
#include "insp-session.h"

G_BEGIN_DECLS

/* Which of them are shown. */
typedef struct
{
  gint64 from, to;     /* they ended between these, both included; microseconds since 1970 */
  guint64 least, most; /* their duration, both included; nanoseconds */
  guint32 kinds;       /* a bit for each LdbOperationKind */
} InspSlowRange;

#define INSP_SLOW_ALL ((InspSlowRange){ 0, G_MAXINT64, 0, G_MAXUINT64, G_MAXUINT32 })

#define INSP_TYPE_SLOW_TABLE (insp_slow_table_get_type ())
G_DECLARE_FINAL_TYPE (InspSlowTable, insp_slow_table, INSP, SLOW_TABLE, GtkWidget)

GtkWidget *insp_slow_table_new (InspSession *session);
void insp_slow_table_set_range (InspSlowTable *self, InspSlowRange range);
void insp_slow_table_refresh (InspSlowTable *self);

/* All of them: rows of LdbSlowOperation. Borrowed. */
InspRowList *insp_slow_table_get_list (InspSlowTable *self);

/* What people call a kind of operation. */
const char *insp_slow_operation_name (LdbOperationKind kind);

G_END_DECLS
