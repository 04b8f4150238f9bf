/* SPDX-License-Identifier: MIT */
/*
 * LdbListModel, asked what it is.
 */
#include "config.h"

#include "ldb-list-model-private.h"

#include "ldb-database-private.h"
#include "ldb-error-private.h"

/**
 * ldb_list_model_get_database:
 * @self: a list
 *
 * Gets the database whose records the list shows.
 *
 * In the list's thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_list_model_get_database (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), NULL);
  return self->place.database;
}

/**
 * ldb_list_model_get_store:
 * @self: a list
 *
 * Gets the store whose records the list shows.
 *
 * In the list's thread.
 *
 * Returns: (transfer none) (nullable): the store; %NULL for the default store
 *
 * Since: 0.1
 */
LdbStore *
ldb_list_model_get_store (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), NULL);
  return self->store;
}

/**
 * ldb_list_model_get_flags:
 * @self: a list
 *
 * Gets how the list shows its records.
 *
 * In the list's thread.
 *
 * Returns: the flags it was made with
 *
 * Since: 0.1
 */
LdbListFlags
ldb_list_model_get_flags (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), LDB_LIST_NONE);
  return self->flags;
}

/**
 * ldb_list_model_get_max_items:
 * @self: a list
 *
 * Gets [property@Ldb.ListModel:max-items].
 *
 * In the list's thread.
 *
 * Returns: how many rows are shown at most
 *
 * Since: 0.1
 */
guint
ldb_list_model_get_max_items (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), 0);
  return self->max_items;
}

/**
 * ldb_list_model_get_batch_interval:
 * @self: a list
 *
 * Gets [property@Ldb.ListModel:batch-interval].
 *
 * In the list's thread.
 *
 * Returns: milliseconds
 *
 * Since: 0.1
 */
guint
ldb_list_model_get_batch_interval (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), 0);
  return self->batch_interval;
}

/**
 * ldb_list_model_get_pending:
 * @self: a list
 *
 * Gets [property@Ldb.ListModel:pending].
 *
 * In the list's thread.
 *
 * Returns: %TRUE while rows are still being counted
 *
 * Since: 0.1
 */
gboolean
ldb_list_model_get_pending (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), FALSE);
  return self->pending;
}

/**
 * ldb_list_model_get_sequence:
 * @self: a list
 *
 * Gets [property@Ldb.ListModel:sequence].
 *
 * In the list's thread.
 *
 * Returns: the commit whose state the list shows, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_list_model_get_sequence (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), 0);
  return self->sequence;
}

/**
 * ldb_list_model_get_error:
 * @self: a list
 *
 * Gets [property@Ldb.ListModel:error].
 *
 * In the list's thread.
 *
 * Returns: (transfer none) (nullable): why something could not be read, or %NULL
 *
 * Since: 0.1
 */
const GError *
ldb_list_model_get_error (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), NULL);
  return self->error;
}

/**
 * ldb_list_model_create_snapshot:
 * @self: a list
 * @error: return location for an error
 *
 * Makes a snapshot of the state that the list shows, to read other records as they were then. While
 * a step from one state to the next is being told it is the later one.
 *
 * Fails with %LDB_ERROR_CLOSED. Does not block; in the list's thread.
 *
 * Returns: (transfer full): the snapshot
 *
 * Since: 0.1
 */
LdbSnapshot *
ldb_list_model_create_snapshot (LdbListModel *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), NULL);
  if (self->state != NULL)
    return ldb_snapshot_new_for_pin (self->place.database, self->state);
  ldb_error_set (error, LDB_ERROR_CLOSED, "The list is closed; make a new one.");
  return NULL;
}
