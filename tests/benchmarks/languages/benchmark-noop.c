/* SPDX-License-Identifier: MIT */
#include "benchmark-noop.h"

struct _BenchmarkNoop
{
  GObject parent_instance;
  GBytes *value; /* what every get gives; owned */
};

G_DEFINE_FINAL_TYPE (BenchmarkNoop, benchmark_noop, G_TYPE_OBJECT)

static void
benchmark_noop_finalize (GObject *object)
{
  g_bytes_unref (BENCHMARK_NOOP (object)->value);
  G_OBJECT_CLASS (benchmark_noop_parent_class)->finalize (object);
}

static void
benchmark_noop_class_init (BenchmarkNoopClass *class)
{
  G_OBJECT_CLASS (class)->finalize = benchmark_noop_finalize;
}

static void
benchmark_noop_init (BenchmarkNoop *self)
{
  char value[100] = "the same for every key";
  self->value = g_bytes_new (value, sizeof value);
}

/**
 * benchmark_noop_new:
 *
 * Returns: (transfer full): a new object
 */
BenchmarkNoop *
benchmark_noop_new (void)
{
  return g_object_new (BENCHMARK_TYPE_NOOP, NULL);
}

/**
 * benchmark_noop_get:
 * @self: an object
 * @key: (array length=key_length) (element-type guint8): any bytes
 * @key_length: their number
 * @cancellable: (nullable): ignored
 * @error: return location for an error
 *
 * Returns: (nullable) (transfer full): a value of 100 bytes
 */
GBytes *
benchmark_noop_get (BenchmarkNoop *self, gconstpointer key, gsize key_length,
                    GCancellable *cancellable, GError **error)
{
  return g_bytes_ref (self->value);
}

/**
 * benchmark_noop_put:
 * @self: an object
 * @key: (array length=key_length) (element-type guint8): any bytes
 * @key_length: their number
 * @value: (array length=value_length) (element-type guint8): any bytes
 * @value_length: their number
 * @cancellable: (nullable): ignored
 * @error: return location for an error
 *
 * Returns: %TRUE
 */
gboolean
benchmark_noop_put (BenchmarkNoop *self, gconstpointer key, gsize key_length, gconstpointer value,
                    gsize value_length, GCancellable *cancellable, GError **error)
{
  return TRUE;
}
