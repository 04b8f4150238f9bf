/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

/**
 * LdbView: (skip)
 * @data: the value's bytes; valid until ldb_view_clear(), from any thread
 * @size: their number
 * @sequence: the commit that wrote the value, or 0 when it settled long ago
 *
 * A value lent to C code without a copy or an allocation, on the caller's stack.
 *
 * ```c
 * g_auto(LdbView) view = LDB_VIEW_INIT;
 * if (ldb_database_peek (db, "k", 1, &view, &error))
 *   use (view.data, view.size);
 * ```
 *
 * A view pins memory of the database: clear it soon. It may outlive the closing of the database.
 *
 * Since: 0.1
 */
struct _LdbView
{
  gconstpointer data;
  gsize size;
  guint64 sequence;
  /*< private >*/
  gpointer holder[5];
  guint in_use;
};

/**
 * LDB_VIEW_INIT: (skip)
 *
 * An empty view, as [struct@Ldb.View] variables start out.
 *
 * Since: 0.1
 */
#define LDB_VIEW_INIT                                                                              \
  {                                                                                                \
    NULL, 0, 0, { NULL }, 0                                                                        \
  }

LDB_AVAILABLE_IN_ALL
void ldb_view_clear (LdbView *view);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LdbView, ldb_view_clear)

G_END_DECLS
