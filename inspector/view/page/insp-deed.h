/* SPDX-License-Identifier: MIT */
/*
 * Something that is done in the application, and so needs control: the application is asked for that
 * first, and what it refuses or what went wrong is said by the page.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

typedef struct
{
  /* Calls some ldb_inspector_…_async() with these. */
  void (*begin) (LdbInspector *inspector, gpointer data, GAsyncReadyCallback answered,
                 gpointer answered_data);
  /* Calls its …_finish(). FALSE with `error`: it was not done. */
  gboolean (*end) (LdbInspector *inspector, GAsyncResult *result, GError **error);
} InspDeed;

/* Does it while the session is live; then the page is refreshed. `data` is freed in any case; `deed`
 * stays. */
void insp_deed_do (const InspDeed *deed, InspPage *page, gpointer data, GDestroyNotify free_data);

G_END_DECLS
