/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stddef.h>

#include "engine.h"
#include "ldb-view.h"

/* A view is the engine's own value with a flag behind it. */
G_STATIC_ASSERT (offsetof (LdbView, data) == offsetof (struct engine_value, data.data));
G_STATIC_ASSERT (offsetof (LdbView, size) == offsetof (struct engine_value, data.size));
G_STATIC_ASSERT (offsetof (LdbView, sequence) == offsetof (struct engine_value, sequence));
G_STATIC_ASSERT (offsetof (LdbView, in_use) >= sizeof (struct engine_value));

/**
 * ldb_view_clear: (skip)
 * @view: a view, filled or empty
 *
 * Gives back what a view lends. Its data must not be used any more.
 *
 * Any thread; also after the database was closed.
 *
 * Since: 0.1
 */
void
ldb_view_clear (LdbView *view)
{
  if (view->in_use)
    engine_value_release ((struct engine_value *) (void *) view);
  view->data = NULL;
  view->size = 0;
  view->in_use = FALSE;
}
