/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-record.h"

/**
 * LdbRecord:
 *
 * A key and its value, as read by [method@Ldb.Cursor.read].
 *
 * A record never changes. Threads: any.
 *
 * Since: 0.1
 */
struct _LdbRecord
{
  gint references; /* free at 0 */
  GBytes *key;     /* owned */
  GBytes *value;   /* owned, or NULL: only keys were read */
};

G_DEFINE_BOXED_TYPE (LdbRecord, ldb_record, ldb_record_ref, ldb_record_unref)

/**
 * ldb_record_new:
 * @key: the key
 * @value: (nullable): the value
 *
 * Makes a record, for [method@Ldb.Loader.put_many].
 *
 * Any thread.
 *
 * Returns: (transfer full): the record
 *
 * Since: 0.1
 */
LdbRecord *
ldb_record_new (GBytes *key, GBytes *value)
{
  g_return_val_if_fail (key != NULL, NULL);
  LdbRecord *self = g_new (LdbRecord, 1);
  self->references = 1;
  self->key = g_bytes_ref (key);
  self->value = value != NULL ? g_bytes_ref (value) : NULL;
  return self;
}

/**
 * ldb_record_ref: (skip)
 * @self: a record
 *
 * Takes a reference.
 *
 * Any thread.
 *
 * Returns: (transfer full): the same record
 *
 * Since: 0.1
 */
LdbRecord *
ldb_record_ref (LdbRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * ldb_record_unref: (skip)
 * @self: (transfer full): a record
 *
 * Drops a reference.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_record_unref (LdbRecord *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_bytes_unref (self->key);
  g_clear_pointer (&self->value, g_bytes_unref);
  g_free (self);
}

/**
 * ldb_record_get_key:
 * @self: a record
 *
 * Gets the key.
 *
 * Any thread.
 *
 * Returns: (transfer none): the key
 *
 * Since: 0.1
 */
GBytes *
ldb_record_get_key (LdbRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->key;
}

/**
 * ldb_record_get_value:
 * @self: a record
 *
 * Gets the value.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the value, or %NULL when only keys were read
 *
 * Since: 0.1
 */
GBytes *
ldb_record_get_value (LdbRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->value;
}
