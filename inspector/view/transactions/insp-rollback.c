/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-deed.h"
#include "insp-question.h"
#include "insp-rollback.h"

typedef struct
{
  InspPage *page; /* owned */
  guint64 id;     /* of the transaction */
} Rollback;

static void
rollback_free (gpointer data)
{
  g_object_unref (((Rollback *) data)->page);
  g_free (data);
}

static void
begin (LdbInspector *inspector, gpointer id, GAsyncReadyCallback answered, gpointer answered_data)
{
  ldb_inspector_abort_transaction_async (inspector, *(const guint64 *) id, NULL, answered,
                                         answered_data);
}

static const InspDeed rolling_back = { begin, ldb_inspector_abort_transaction_finish };

static void
on_accepted (gpointer data)
{
  const Rollback *self = data;
  insp_deed_do (&rolling_back, self->page, g_memdup2 (&self->id, sizeof self->id), g_free);
}

void
insp_rollback_ask (InspPage *page, guint64 id)
{
  Rollback *self = g_new (Rollback, 1);
  *self = (Rollback){ .page = g_object_ref (page), .id = id };
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, id);
  g_autofree char *text = g_strdup_printf (
      _ ("What transaction %s wrote is lost; the application is told that it was rolled back."),
      number);
  insp_question_ask (GTK_WIDGET (page), _ ("Roll the Transaction Back?"), text, _ ("_Roll Back"),
                     on_accepted, self, rollback_free);
}
