/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-touch-private.h"

static struct bytes
copy_to (guint8 **to, struct bytes bytes)
{
  if (bytes.size == 0)
    return BYTES_NONE;
  struct bytes copy = BYTES (memcpy (*to, bytes.data, bytes.size), bytes.size);
  *to += bytes.size;
  return copy;
}

LdbTouch *
ldb_touch_new (LdbTouchKind kind, engine_store store, guint64 sequence, struct bytes key,
               struct bytes end)
{
  LdbTouch *self = g_malloc (sizeof *self + key.size + end.size);
  guint8 *tail = (guint8 *) (self + 1);
  *self = (LdbTouch){ .references = 1, .kind = kind, .store = store, .sequence = sequence };
  self->key = copy_to (&tail, key);
  self->end = copy_to (&tail, end);
  return self;
}

void
ldb_touch_count (LdbTouch *self, gsize *bytes)
{
  self->counted = bytes;
  *bytes += ldb_touch_size (self);
}

LdbTouch *
ldb_touch_ref (LdbTouch *self)
{
  self->references++;
  return self;
}

void
ldb_touch_unref (gpointer data)
{
  LdbTouch *self = data;
  if (--self->references > 0)
    return;
  if (self->counted != NULL)
    *self->counted -= ldb_touch_size (self);
  g_clear_pointer (&self->change, ldb_change_unref);
  g_free (self);
}

void
ldb_touch_forget (gpointer data)
{
  LdbTouch *self = data;
  g_clear_pointer (&self->change, ldb_change_unref);
  self->change_until = 0;
  ldb_touch_unref (self);
}

/* Eight bytes at a time; the tail as one overlapping word would hash short keys alike, so it is
 * taken byte by byte. */
guint
ldb_touch_hash (gconstpointer data)
{
  const LdbTouch *self = data;
  const guint64 prime = G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  guint64 hash = (self->store + self->key.size) * prime, word;
  gsize at = 0;
  for (; at + sizeof word <= self->key.size; at += sizeof word)
    {
      memcpy (&word, self->key.data + at, sizeof word);
      hash = (hash ^ word) * prime;
      hash ^= hash >> 32;
    }
  for (word = 0; at < self->key.size; at++)
    word = word << 8 | self->key.data[at];
  hash = (hash ^ word) * prime;
  return (guint) (hash >> 32);
}

gboolean
ldb_touch_equal (gconstpointer a, gconstpointer b)
{
  const LdbTouch *one = a, *other = b;
  return one->store == other->store && bytes_equal (one->key, other->key);
}

gint
ldb_touch_compare (gconstpointer a, gconstpointer b)
{
  const LdbTouch *one = *(LdbTouch *const *) a, *other = *(LdbTouch *const *) b;
  if (one->store != other->store)
    return one->store < other->store ? -1 : 1;
  gint order = bytes_compare (one->key, other->key);
  if (order == 0 && one->kind != other->kind)
    return one->kind < other->kind ? -1 : 1;
  if (order == 0)
    order = bytes_compare (one->end, other->end);
  if (order != 0)
    return order;
  return (one->sequence < other->sequence) - (one->sequence > other->sequence);
}

gboolean
ldb_touch_same (const LdbTouch *one, const LdbTouch *other)
{
  return one->kind == other->kind && ldb_touch_equal (one, other)
         && bytes_equal (one->end, other->end);
}
