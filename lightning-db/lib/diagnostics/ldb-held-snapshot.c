/* SPDX-License-Identifier: MIT */
/*
 * Which states of the database somebody still reads.
 */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-held-snapshot.h"

G_DEFINE_BOXED_TYPE (LdbHeldSnapshot, ldb_held_snapshot, ldb_held_snapshot_copy,
                     ldb_held_snapshot_free)

/**
 * ldb_held_snapshot_copy:
 * @self: a held snapshot
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbHeldSnapshot *
ldb_held_snapshot_copy (const LdbHeldSnapshot *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_memdup2 (self, sizeof *self);
}

/**
 * ldb_held_snapshot_free:
 * @self: (transfer full) (nullable): a held snapshot, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_held_snapshot_free (LdbHeldSnapshot *self)
{

  g_free (self);
}

/**
 * ldb_database_list_snapshots:
 * @self: a database
 * @error: return location for an error
 *
 * Lists the states that are held by snapshots, transactions and cursors of this process. In a process
 * that reads beside the one that writes nothing is held: its files are kept another way.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_FORKED or %LDB_ERROR_NO_MEMORY. Does not block; any
 * thread.
 *
 * Returns: (transfer container) (element-type LdbHeldSnapshot): the states, the oldest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_snapshots (LdbDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  struct failure failure = FAILURE_INIT;
  size_t room = 64, count;
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return NULL;
  g_autofree struct engine_snapshot_information *all
      = g_new (struct engine_snapshot_information, room);
  status result;
  while ((result = engine_snapshots (engine, all, room, &count, &failure)) == STATUS_OK
         && count > room)
    {
      room = count + 16; /* others may come meanwhile */
      all = g_renew (struct engine_snapshot_information, all, room);
    }
  if (!ldb_error_check (error, result, &failure))
    return NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_held_snapshot_free);
  for (size_t i = 0; i < count; i++)
    {
      LdbHeldSnapshot *held = g_new0 (LdbHeldSnapshot, 1);
      held->sequence = all[i].sequence;
      held->behind = all[i].behind;
      held->holders = all[i].holders;
      g_ptr_array_add (list, held);
    }
  return list;
}
