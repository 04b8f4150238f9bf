/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_HELD_SNAPSHOT (ldb_held_snapshot_get_type ())
typedef struct _LdbHeldSnapshot LdbHeldSnapshot;

/**
 * LdbHeldSnapshot:
 * @sequence: the number of the commit that is held
 * @behind: how many commits there were since
 * @holders: how many snapshots, transactions and cursors read there
 *
 * A state of the database that somebody still reads. What it shows is kept beside all that came
 * later, so a snapshot that is held long, while much is written, costs room on the disk.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbHeldSnapshot
{
  guint64 sequence;
  guint64 behind;
  guint64 holders;
};

LDB_AVAILABLE_IN_ALL
GType ldb_held_snapshot_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbHeldSnapshot *ldb_held_snapshot_copy (const LdbHeldSnapshot *self);
LDB_AVAILABLE_IN_ALL
void ldb_held_snapshot_free (LdbHeldSnapshot *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_snapshots (LdbDatabase *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbHeldSnapshot, ldb_held_snapshot_free)

G_END_DECLS
