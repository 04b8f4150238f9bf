/* SPDX-License-Identifier: MIT */
/*
 * Keys that commits conflict about, that are read and that are written most.
 */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-hot-key.h"
#include "ldb-store-private.h"

G_STATIC_ASSERT ((int) LDB_HOT_KEY_CONFLICT == (int) ENGINE_HOT_CONFLICTS
                 && (int) LDB_HOT_KEY_READ == (int) ENGINE_HOT_READS
                 && (int) LDB_HOT_KEY_WRITE == (int) ENGINE_HOT_WRITES && ENGINE_HOT_KINDS == 3);

G_DEFINE_BOXED_TYPE (LdbHotKey, ldb_hot_key, ldb_hot_key_copy, ldb_hot_key_free)

/**
 * ldb_hot_key_copy:
 * @self: a hot key
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbHotKey *
ldb_hot_key_copy (const LdbHotKey *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbHotKey *copy = g_memdup2 (self, sizeof *self);
  copy->store = g_strdup (self->store);
  copy->key = g_bytes_ref (self->key);
  return copy;
}

/**
 * ldb_hot_key_free:
 * @self: (transfer full) (nullable): a hot key, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_hot_key_free (LdbHotKey *self)
{
  if (self == NULL)
    return;
  g_free (self->store);
  g_bytes_unref (self->key);
  g_free (self);
}

static LdbHotKey *
hot_key_new (const struct engine_hot_key *from, GHashTable *names)
{
  LdbHotKey *key = g_new0 (LdbHotKey, 1);
  key->store = g_strdup (g_hash_table_lookup (names, GUINT_TO_POINTER (from->store)));
  key->key = g_bytes_new (from->key, MIN (from->key_size, sizeof from->key));
  key->key_length = from->key_size;
  key->count = from->count;
  key->uncertainty = from->error;
  key->last = (gint64) from->last;
  return key;
}

/**
 * ldb_database_list_hot_keys:
 * @self: a database
 * @kind: what happens to them
 * @total: (out) (optional): return location for how often it happened to all keys
 * @error: return location for an error
 *
 * Lists the keys of which it is most sure that it happened to them more than to others, since the
 * database was opened in this process; up to 256.
 *
 * Of conflicts each counts. Reads and writes count in operations that are sampled, one in about 512
 * ([property@Ldb.Options:sampling-interval]), so what is told are shares: of a key with the share *p*
 * of *n* samples, the true one is within 2·√(p (1 − p) / n) in 19 cases of 20. When 65,536 were noted,
 * all are halved, so that keys which are hot now come to the front. What a cursor passes is not
 * counted as read.
 *
 * The memory for this is fixed, so a key that was noted seldom may make room for another, and
 * that one counts from there: [struct@Ldb.HotKey] says by how much a count may be too high. That is
 * never more than a 256th part of @total, and each key with a larger share is in the list.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_FORKED or what reading the list of stores fails with.
 * Does not wait for other threads; any thread.
 *
 * Returns: (transfer container) (element-type LdbHotKey): the keys, the hottest first
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_hot_keys (LdbDatabase *self, LdbHotKeyKind kind, guint64 *total, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  g_return_val_if_fail ((guint) kind < ENGINE_HOT_KINDS, NULL);
  guint64 all;
  struct engine *engine = ldb_database_enter (self, error);
  if (engine == NULL)
    return NULL;
  g_autofree struct engine_hot_key *keys = g_new (struct engine_hot_key, ENGINE_HOT_KEYS);
  size_t count = engine_hot_keys (engine, (enum engine_hot_kind) kind, keys, &all);
  g_autoptr (GHashTable) names = ldb_store_list_names (engine, error);
  if (names == NULL)
    return NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_hot_key_free);
  for (size_t i = 0; i < count; i++)
    g_ptr_array_add (list, hot_key_new (&keys[i], names));
  if (total != NULL)
    *total = all;
  return list;
}
