/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-change-private.h"
#include "ldb-range-map-private.h"

/**
 * LdbChange:
 *
 * What happened to a key, or to a range of keys.
 *
 * A [class@Ldb.Watch] tells what became of a key since it last told anything, a [class@Ldb.Feed]
 * each operation of each commit.
 *
 * A change never changes. Threads: any.
 *
 * Since: 0.1
 */
G_DEFINE_BOXED_TYPE (LdbChange, ldb_change, ldb_change_ref, ldb_change_unref)

/* ---- names of stores ---- */

LdbStoreName *
ldb_store_name_new (const char *text)
{
  gsize size = strlen (text) + 1;
  LdbStoreName *self = g_malloc (sizeof *self + size);
  self->references = 1;
  memcpy (self->text, text, size);
  return self;
}

LdbStoreName *
ldb_store_name_ref (LdbStoreName *self)
{
  if (self != NULL)
    g_atomic_int_inc (&self->references);
  return self;
}

void
ldb_store_name_unref (LdbStoreName *self)
{
  if (self != NULL && g_atomic_int_dec_and_test (&self->references))
    g_free (self);
}

static void
forget_name (gpointer name)
{
  ldb_store_name_unref (name);
}

GHashTable *
ldb_store_names_new (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, forget_name);
}

static bool
note_name (void *data, const char *name, engine_store store)
{
  GHashTable *names = data;
  if (g_hash_table_lookup (names, GUINT_TO_POINTER (store)) == NULL)
    g_hash_table_insert (names, GUINT_TO_POINTER (store), ldb_store_name_new (name));
  return true;
}

void
ldb_store_names_add (GHashTable *names, engine_store store, LdbStoreName *name)
{
  g_hash_table_insert (names, GUINT_TO_POINTER (store), ldb_store_name_ref (name));
}

LdbStoreName *
ldb_store_names_find (GHashTable *names, struct engine *engine, engine_store store,
                      struct engine_snapshot *after, struct engine_snapshot *before)
{
  gpointer key = GUINT_TO_POINTER (store);
  if (g_hash_table_contains (names, key))
    return g_hash_table_lookup (names, key);
  status code = engine_store_list_at (engine, after, note_name, names, NULL);
  if (code == STATUS_OK && !g_hash_table_contains (names, key) && before != after)
    code = engine_store_list_at (engine, before, note_name, names, NULL);
  /* It was dropped, and its number never comes back. What could not be read is asked again. */
  if (code == STATUS_OK && !g_hash_table_contains (names, key))
    g_hash_table_insert (names, key, NULL);
  return g_hash_table_lookup (names, key);
}

/* ---- changes ---- */

static struct bytes
copy_bytes (guint8 **to, struct bytes bytes)
{
  if (bytes.size == 0)
    return BYTES_NONE;
  struct bytes copy = BYTES (memcpy (*to, bytes.data, bytes.size), bytes.size);
  *to += bytes.size;
  return copy;
}

LdbChange *
ldb_change_new (LdbChangeKind kind, engine_store store, guint64 sequence, struct bytes key,
                struct bytes end)
{
  LdbChange *self = g_malloc (sizeof *self + key.size + end.size);
  guint8 *tail = (guint8 *) (self + 1);
  *self = (LdbChange){ .references = 1, .kind = kind, .store = store, .sequence = sequence };
  self->key = copy_bytes (&tail, key);
  self->end = copy_bytes (&tail, end);
  if (end.size > KEY_SIZE_MAX)
    {
      gsize size = ldb_bound_fit_bytes ((guint8 *) self->end.data, end.size);
      self->end = size > 0 ? BYTES (self->end.data, size) : BYTES_NONE;
    }
  return self;
}

/**
 * ldb_change_ref: (skip)
 * @self: a change
 *
 * Takes a reference.
 *
 * Any thread.
 *
 * Returns: (transfer full): the same change
 *
 * Since: 0.1
 */
LdbChange *
ldb_change_ref (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * ldb_change_unref: (skip)
 * @self: (transfer full): a change
 *
 * Drops a reference.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_change_unref (LdbChange *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  ldb_store_name_unref (self->name);
  g_clear_pointer (&self->value, g_bytes_unref);
  g_clear_pointer (&self->old_value, g_bytes_unref);
  g_clear_pointer (&self->key_bytes, g_bytes_unref);
  g_clear_pointer (&self->end_bytes, g_bytes_unref);
  g_free (self);
}

/**
 * ldb_change_get_kind:
 * @self: a change
 *
 * Gets what happened.
 *
 * Any thread.
 *
 * Returns: the kind
 *
 * Since: 0.1
 */
LdbChangeKind
ldb_change_get_kind (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, LDB_CHANGE_RESYNC);
  return self->kind;
}

/**
 * ldb_change_get_store:
 * @self: a change
 *
 * Gets the name of the store in which it happened: `default` for the database's own.
 *
 * Any thread.
 *
 * Returns: (nullable): the name; %NULL if the store was dropped before the change was looked at
 *
 * Since: 0.1
 */
const char *
ldb_change_get_store (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->name != NULL ? self->name->text : NULL;
}

/**
 * ldb_change_get_sequence:
 * @self: a change
 *
 * Gets the sequence number of the commit: where several commits became one change, of the newest.
 *
 * Any thread.
 *
 * Returns: the sequence number, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_change_get_sequence (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->sequence;
}

/* Makes the GBytes that goes with `bytes` when it is asked for first, on whatever thread. */
static GBytes *
bytes_on_demand (GBytes **made, struct bytes bytes)
{
  GBytes *there = g_atomic_pointer_get (made);
  if (there != NULL || bytes.size == 0)
    return there;
  GBytes *fresh = g_bytes_new (bytes.data, bytes.size);
  if (g_atomic_pointer_compare_and_exchange (made, NULL, fresh))
    return fresh;
  g_bytes_unref (fresh);
  return g_atomic_pointer_get (made);
}

/**
 * ldb_change_get_key:
 * @self: a change
 *
 * Gets the key; of a range, its first possible key.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the key; %NULL for a range that is open at its start
 *
 * Since: 0.1
 */
GBytes *
ldb_change_get_key (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return bytes_on_demand (&self->key_bytes, self->key);
}

/**
 * ldb_change_peek_key: (skip)
 * @self: a change
 * @size: (out) (optional): return location for its bytes
 *
 * The same as [method@Ldb.Change.get_key] for C, without an allocation.
 *
 * Any thread.
 *
 * Returns: (nullable): the bytes, as long as the change is there
 *
 * Since: 0.1
 */
gconstpointer
ldb_change_peek_key (LdbChange *self, gsize *size)
{
  g_return_val_if_fail (self != NULL, NULL);
  if (size != NULL)
    *size = self->key.size;
  return self->key.data;
}

/**
 * ldb_change_dup_key_string:
 * @self: a change
 *
 * Gets the key as text.
 *
 * Any thread.
 *
 * Returns: (transfer full) (nullable): the text; %NULL if it is no UTF-8, or has zero bytes
 *
 * Since: 0.1
 */
char *
ldb_change_dup_key_string (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  const char *text = (const char *) self->key.data;
  if (text == NULL || !g_utf8_validate_len (text, self->key.size, NULL))
    return NULL;
  return g_strndup (text, self->key.size);
}

/**
 * ldb_change_get_end:
 * @self: a change
 *
 * Gets where a range ends: the first key behind it.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the key; %NULL for a range that is open at its end, and for
 *   what is no range
 *
 * Since: 0.1
 */
GBytes *
ldb_change_get_end (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return bytes_on_demand (&self->end_bytes, self->end);
}

/**
 * ldb_change_get_value:
 * @self: a change
 *
 * Gets the value that was put. A watch has it if it was made with %LDB_WATCH_VALUES; a feed always.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the value, or %NULL
 *
 * Since: 0.1
 */
GBytes *
ldb_change_get_value (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->value;
}

/**
 * ldb_change_get_old_value:
 * @self: a change
 *
 * Gets the value that was there before. A watch has it if it was made with
 * %LDB_WATCH_OLD_VALUES.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the value, or %NULL: there was none, or nobody asked
 *
 * Since: 0.1
 */
GBytes *
ldb_change_get_old_value (LdbChange *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->old_value;
}
