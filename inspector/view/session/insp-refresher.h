/* SPDX-License-Identifier: MIT */
/*
 * InspRefresher: asks a running database again and again for what a widget shows, as long as that can be
 * seen.
 *
 * A request is made when the widget is mapped while the session is live and looks, and again `interval`
 * after the answer to the one before: there is never more than one under way, and a slow application
 * is asked less often. What is under way is cancelled when the widget is unmapped, the session is
 * paused or ends; no answer is told after that.
 *
 * The widget holds it and frees it in its dispose. Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

/* Begins a request: calls some ldb_inspector_…_async() with these. */
typedef void (*InspRefresherAsk) (gpointer widget, LdbInspector *inspector,
                                  GCancellable *cancellable, GAsyncReadyCallback answered,
                                  gpointer answered_data);

/* Takes its answer: calls the …_finish() and shows what it gave. FALSE with `error`: there is none. */
typedef gboolean (*InspRefresherTake) (gpointer widget, LdbInspector *inspector,
                                       GAsyncResult *result, GError **error);

/* What came of a request: NULL when it was answered, else why not. */
typedef void (*InspRefresherTell) (gpointer widget, const GError *error);

typedef struct _InspRefresher InspRefresher;

/* `interval`: milliseconds. `tell` may be NULL. */
InspRefresher *insp_refresher_new (GtkWidget *widget, InspSession *session, guint interval,
                                   InspRefresherAsk ask, InspRefresherTake take,
                                   InspRefresherTell tell);
void insp_refresher_free (InspRefresher *self);

/* Asks at once, also when the session is paused: what the user calls for. A request that is under way is
 * cancelled. */
void insp_refresher_ask (InspRefresher *self);

G_END_DECLS
