/* SPDX-License-Identifier: MIT */
/*
 * What an open transaction wrote and depends on.
 */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-store-private.h"
#include "ldb-transaction-key.h"
#include "ldb-transaction-private.h"

G_STATIC_ASSERT ((int) LDB_KEY_ACCESS_PUT == (int) ENGINE_ACCESS_PUT
                 && (int) LDB_KEY_ACCESS_DELETE == (int) ENGINE_ACCESS_DELETE
                 && (int) LDB_KEY_ACCESS_DELETE_RANGE == (int) ENGINE_ACCESS_DELETE_RANGE
                 && (int) LDB_KEY_ACCESS_READ == (int) ENGINE_ACCESS_READ
                 && (int) LDB_KEY_ACCESS_READ_RANGE == (int) ENGINE_ACCESS_READ_RANGE);

G_DEFINE_BOXED_TYPE (LdbTransactionKey, ldb_transaction_key, ldb_transaction_key_copy,
                     ldb_transaction_key_free)

/**
 * ldb_transaction_key_copy:
 * @self: a key of a transaction
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbTransactionKey *
ldb_transaction_key_copy (const LdbTransactionKey *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbTransactionKey *copy = g_memdup2 (self, sizeof *self);
  copy->store = g_strdup (self->store);
  copy->key = g_bytes_ref (self->key);
  copy->end = self->end != NULL ? g_bytes_ref (self->end) : NULL;
  return copy;
}

/**
 * ldb_transaction_key_free:
 * @self: (transfer full) (nullable): a key of a transaction, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_transaction_key_free (LdbTransactionKey *self)
{
  if (self == NULL)
    return;
  g_free (self->store);
  g_bytes_unref (self->key);
  g_clear_pointer (&self->end, g_bytes_unref);
  g_free (self);
}

static LdbTransactionKey *
transaction_key_new (const struct engine_transaction_key *from, GHashTable *names)
{
  LdbTransactionKey *key = g_new0 (LdbTransactionKey, 1);
  key->access = (LdbKeyAccess) from->access;
  key->store = g_strdup (g_hash_table_lookup (names, GUINT_TO_POINTER (from->store)));
  key->key = g_bytes_new (from->key, MIN (from->key_size, sizeof from->key));
  key->key_length = from->key_size;
  if (from->end_size > 0)
    key->end = g_bytes_new (from->end, MIN (from->end_size, sizeof from->end));
  key->end_length = from->end_size;
  key->value_length = from->value_size;
  return key;
}

/**
 * ldb_database_list_transaction_keys:
 * @self: a database
 * @id: the number of a transaction, as in [struct@Ldb.ActiveTransaction]
 * @error: return location for an error
 *
 * Lists what an open read-write transaction of this process has to do with: the first 1,000 keys and
 * ranges that it wrote, in this order, and then 1,000 that nobody else may change until it commits. It
 * goes on meanwhile.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT when no transaction of that number is open (any more), or it
 * is just being committed; %LDB_ERROR_CLOSED, %LDB_ERROR_FORKED or what reading the list of stores
 * fails with. Any thread.
 *
 * Returns: (transfer container) (element-type LdbTransactionKey): the keys and ranges
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_transaction_keys (LdbDatabase *self, guint64 id, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  size_t count;
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return NULL;
  g_autofree struct engine_transaction_key *keys
      = g_new (struct engine_transaction_key, 2 * ENGINE_TRANSACTION_KEYS);
  if (engine_transaction_keys (engine, id, keys, &count) != STATUS_OK)
    {
      ldb_transaction_refuse_number (id, error);
      return NULL;
    }
  g_autoptr (GHashTable) names = ldb_store_list_names (engine, error);
  if (names == NULL)
    return NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_transaction_key_free);
  for (size_t i = 0; i < count; i++)
    g_ptr_array_add (list, transaction_key_new (&keys[i], names));
  return list;
}
