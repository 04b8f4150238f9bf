/* SPDX-License-Identifier: MIT */
/*
 * LdbMetrics, by name: all that is counted.
 */
#include "config.h"

#include "ldb-metrics-private.h"

guint64
ldb_metrics_value_of (LdbMetrics *self, const char *name)
{
  struct metric metric;
  return metrics_reader_find (&self->reader, name, &metric)
             ? metrics_reader_value (&self->reader, &metric)
             : 0;
}

const struct histogram *
ldb_metrics_histogram_of (LdbMetrics *self, const char *name)
{
  struct metric metric;
  if (self->scratch == NULL)
    self->scratch = g_new0 (struct histogram, 1);
  histogram_clear (self->scratch);
  if (metrics_reader_find (&self->reader, name, &metric))
    metrics_reader_histogram (&self->reader, &metric, self->scratch);
  return self->scratch;
}

/**
 * ldb_metrics_list_names:
 * @self: metrics
 *
 * Lists the names of everything that is counted. Each stays the same in later versions; there may be
 * more.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names
 *
 * Since: 0.1
 */
char **
ldb_metrics_list_names (LdbMetrics *self)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), NULL);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  struct metric metric;
  for (guint32 i = 0; i < metrics_reader_count (&self->reader); i++)
    if (metrics_reader_describe (&self->reader, i, &metric))
      g_strv_builder_add (names, metric.name);
  return g_strv_builder_end (names);
}

static LdbMetricKind
kind_of (const struct metric *metric)
{
  switch (metric->kind)
    {
    case METRIC_GAUGE:
      return LDB_METRIC_GAUGE;
    case METRIC_HISTOGRAM:
      return LDB_METRIC_HISTOGRAM;
    case METRIC_COUNTER:
    case METRIC_SHARED_COUNTER:
    case METRIC_KINDS:
      break;
    }
  return LDB_METRIC_COUNTER;
}

/**
 * ldb_metrics_describe:
 * @self: metrics
 * @name: a name
 * @kind: (out) (optional): return location for what kind of figure it is
 * @unit: (out) (optional): return location for its unit
 * @text: (out) (optional) (nullable) (transfer none): return location for what it says, in English; %NULL
 *   when it is of another version, which this one has no words for
 *
 * Tells what stands behind a name.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: whether there is one of that name
 *
 * Since: 0.1
 */
gboolean
ldb_metrics_describe (LdbMetrics *self, const char *name, LdbMetricKind *kind, LdbMetricUnit *unit,
                      const char **text)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  struct metric metric;
  if (!metrics_reader_find (&self->reader, name, &metric))
    return FALSE;
  if (kind != NULL)
    *kind = kind_of (&metric);
  if (unit != NULL)
    *unit = metric.unit == METRIC_BYTES         ? LDB_METRIC_BYTES
            : metric.unit == METRIC_NANOSECONDS ? LDB_METRIC_NANOSECONDS
                                                : LDB_METRIC_COUNT;
  if (text != NULL)
    *text = metrics_text (name);
  return TRUE;
}

/**
 * ldb_metrics_get_value:
 * @self: metrics
 * @name: a name
 *
 * Gets a counter or gauge, or how many values a histogram holds, as it is now.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: the value; 0 when there is none of that name
 *
 * Since: 0.1
 */
gint64
ldb_metrics_get_value (LdbMetrics *self, const char *name)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  g_return_val_if_fail (name != NULL, 0);
  return (gint64) ldb_metrics_value_of (self, name);
}

/**
 * ldb_metrics_get_sum:
 * @self: metrics
 * @name: the name of a histogram
 *
 * Gets the sum of all values of a histogram, exactly.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: the sum, in the histogram's unit; 0 when there is none of that name
 *
 * Since: 0.1
 */
gint64
ldb_metrics_get_sum (LdbMetrics *self, const char *name)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  g_return_val_if_fail (name != NULL, 0);
  return (gint64) histogram_sum (ldb_metrics_histogram_of (self, name));
}

/**
 * ldb_metrics_get_maximum:
 * @self: metrics
 * @name: the name of a histogram
 *
 * Gets the greatest value of a histogram, exactly.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: the value, in the histogram's unit; 0 when it is empty, or there is none of that name
 *
 * Since: 0.1
 */
gint64
ldb_metrics_get_maximum (LdbMetrics *self, const char *name)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  g_return_val_if_fail (name != NULL, 0);
  return (gint64) histogram_maximum (ldb_metrics_histogram_of (self, name));
}

/**
 * ldb_metrics_get_percentile:
 * @self: metrics
 * @name: the name of a histogram
 * @fraction: 0 to 1; 0.99 for the 99th percentile
 *
 * Gets the value that a fraction of a histogram's values do not exceed, at most 1 % off; the median
 * with 0.5.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: the value, in the histogram's unit; 0 when it is empty, or there is none of that name
 *
 * Since: 0.1
 */
gint64
ldb_metrics_get_percentile (LdbMetrics *self, const char *name, double fraction)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  g_return_val_if_fail (name != NULL, 0);
  return (gint64) histogram_percentile (ldb_metrics_histogram_of (self, name), fraction);
}

/**
 * ldb_metrics_get_count_at_most:
 * @self: metrics
 * @name: the name of a histogram
 * @value: a value, in the histogram's unit
 *
 * Gets how many of a histogram's values are at most @value, where values less than 1.6 % apart may count
 * alike.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: their number; 0 when there is none of that name
 *
 * Since: 0.1
 */
gint64
ldb_metrics_get_count_at_most (LdbMetrics *self, const char *name, gint64 value)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), 0);
  g_return_val_if_fail (name != NULL, 0);
  return value < 0 ? 0
                   : (gint64) histogram_count_at_most (ldb_metrics_histogram_of (self, name),
                                                       (guint64) value);
}

/**
 * ldb_metrics_list_counts_at_most:
 * @self: metrics
 * @name: the name of a histogram
 * @values: (array length=n_values): values, in the histogram's unit
 * @n_values: how many
 *
 * Gets for each of @values what [method@Ldb.Metrics.get_count_at_most] gives, all from one look at the
 * histogram: what lies between two neighbours is how high a bar is that is drawn there, and what was
 * added between two looks is how high it was in that time.
 *
 * Does not block. The thread of its main context.
 *
 * Returns: (transfer full) (array length=n_values): their numbers
 *
 * Since: 0.1
 */
gint64 *
ldb_metrics_list_counts_at_most (LdbMetrics *self, const char *name, const gint64 *values,
                                 gsize n_values)
{
  g_return_val_if_fail (LDB_IS_METRICS (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (values != NULL || n_values == 0, NULL);
  const struct histogram *histogram = ldb_metrics_histogram_of (self, name);
  gint64 *counts = g_new0 (gint64, n_values + 1);
  struct histogram_walk walk = { 0 };
  for (gsize i = 0; i < n_values; i++)
    if (values[i] >= 0)
      counts[i] = (gint64) histogram_walk_to (histogram, &walk, (guint64) values[i]);
  return counts;
}
