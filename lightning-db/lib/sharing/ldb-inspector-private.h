/* SPDX-License-Identifier: MIT */
/*
 * LdbInspector inside the library: calls of the running process. Each is one on a thread of its own
 * when it is asynchronous, as the other side may take its time.
 *
 * Threads: any.
 */
#pragma once

#include "ldb-call-private.h"
#include "ldb-inspector.h"

G_BEGIN_DECLS

/* A call of a method whose reply is of the type; `answer`, NULL for none, makes the result of it. */
LdbCall *ldb_inspector_call_new (LdbInspector *self, const char *method, GVariant *arguments,
                                 const char *reply_type, LdbAnswerFunc answer, GDestroyNotify free);
/* The same for what may take as long as it likes. */
LdbCall *ldb_inspector_call_new_long (LdbInspector *self, const char *method, GVariant *arguments,
                                      const char *reply_type, LdbAnswerFunc answer,
                                      GDestroyNotify free);

/* Calls and waits. The reply, or NULL. */
GVariant *ldb_inspector_ask (LdbInspector *self, const char *method, GVariant *arguments,
                             const char *reply_type, gboolean patient, GCancellable *cancellable,
                             GError **error);

/* A number as the result of a call, which has nothing to free. */
void ldb_inspector_free_nothing (gpointer number);
/* Makes a number of a reply that begins with one. */
gpointer ldb_inspector_answer_number (GVariant *reply, GError **error);
/* Bytes as an argument. */
GVariant *ldb_inspector_bytes (gconstpointer data, gsize size);

G_END_DECLS
