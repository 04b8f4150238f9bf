/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   H1  Samples first … end - 1 are in the ring at number % capacity; their times rise.
 *   H2  A sample holds only bars that are not empty: most of them are.
 *   H3  State first, signal second: whoever is told of a sample can read it.
 *   H4  “figures” has told of the newest sample, or `telling` will.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "insp-history.h"

#define LEAST_EXPONENT 5 /* the first bar ends at 2^5 */

/* What a history that a stranger wrote may have at most. */
#define STRANGERS_SAMPLES 100000u
#define STRANGERS_NAMES 4096u
#define FIGURES_WAIT 300                /* milliseconds: more than there are between two samples */
#define STRANGERS_TIME (G_MAXINT64 / 4) /* microseconds: there is room to reckon with it */

typedef struct
{
  guint16 histogram;
  guint16 bar;
  guint32 count; /* recorded in it since the sample before */
} Bar;

typedef struct
{
  gint64 time;    /* monotonic microseconds */
  gint64 *values; /* of each name; owned */
  Bar *bars;      /* H2; owned */
  guint bar_count;
} Sample;

struct _InspHistory
{
  GObject parent_instance;

  guint capacity;    /* samples */
  Sample *ring;      /* H1 */
  guint64 first;     /* number of the oldest sample */
  guint64 end;       /* of the next one */
  char **names;      /* of values; owned */
  char **histograms; /* names; owned */
  gint64 *recorded;  /* INSP_BARS for each histogram, as of the newest sample; owned */
  guint telling;     /* H4; a source; 0: none */
};

G_DEFINE_FINAL_TYPE (InspHistory, insp_history, G_TYPE_OBJECT)

enum
{
  APPENDED,
  BEGUN_ANEW,
  FIGURES,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sample_clear (Sample *sample)
{
  g_clear_pointer (&sample->values, g_free);
  g_clear_pointer (&sample->bars, g_free);
  sample->bar_count = 0;
}

static Sample *
sample_at (InspHistory *self, guint64 number)
{
  g_assert (number >= self->first && number < self->end); /* H1 */
  return &self->ring[number % self->capacity];
}

static void
drop_all (InspHistory *self)
{
  for (guint i = 0; i < self->capacity; i++)
    sample_clear (&self->ring[i]);
  self->first = self->end;
}

static void
insp_history_finalize (GObject *object)
{
  InspHistory *self = INSP_HISTORY (object);
  drop_all (self);
  g_free (self->ring);
  g_strfreev (self->names);
  g_strfreev (self->histograms);
  g_free (self->recorded);
  g_clear_handle_id (&self->telling, g_source_remove);
  G_OBJECT_CLASS (insp_history_parent_class)->finalize (object);
}

static void
insp_history_class_init (InspHistoryClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_history_finalize;
  /* There is one more, and perhaps one less. */
  signals[APPENDED] = g_signal_new ("appended", INSP_TYPE_HISTORY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                    NULL, G_TYPE_NONE, 0);
  /* There is one more, or there are two: figures that people read change no more often than that. */
  signals[FIGURES] = g_signal_new ("figures", INSP_TYPE_HISTORY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  /* All are gone, and names may be others. */
  signals[BEGUN_ANEW] = g_signal_new ("begun-anew", INSP_TYPE_HISTORY, G_SIGNAL_RUN_LAST, 0, NULL,
                                      NULL, NULL, G_TYPE_NONE, 0);
}

static void
insp_history_init (InspHistory *self)
{
}

InspHistory *
insp_history_new (guint capacity)
{
  InspHistory *self = g_object_new (INSP_TYPE_HISTORY, NULL);
  self->capacity = MAX (capacity, 2);
  self->ring = g_new0 (Sample, self->capacity);
  return self;
}

/* ---- names ---- */

static gboolean
same (char **ours, const char *const *theirs)
{
  return ours != NULL && g_strv_equal ((const char *const *) ours, theirs);
}

void
insp_history_set_names (InspHistory *self, const char *const *values, const char *const *histograms)
{
  if (same (self->names, values) && same (self->histograms, histograms))
    return;
  drop_all (self);
  g_strfreev (self->names);
  g_strfreev (self->histograms);
  g_free (self->recorded);
  self->names = g_strdupv ((char **) values);
  self->histograms = g_strdupv ((char **) histograms);
  self->recorded = g_new0 (gint64, g_strv_length (self->histograms) * INSP_BARS);
  g_signal_emit (self, signals[BEGUN_ANEW], 0);
}

void
insp_history_begin_anew (InspHistory *self)
{
  drop_all (self);
  memset (self->recorded, 0, g_strv_length (self->histograms) * INSP_BARS * sizeof *self->recorded);
  g_signal_emit (self, signals[BEGUN_ANEW], 0);
}

static int
find (char **names, const char *name)
{
  for (int i = 0; names != NULL && names[i] != NULL; i++)
    if (g_str_equal (names[i], name))
      return i;
  return -1;
}

int
insp_history_find (InspHistory *self, const char *name)
{
  return find (self->names, name);
}

int
insp_history_find_histogram (InspHistory *self, const char *name)
{
  return find (self->histograms, name);
}

/* ---- samples ---- */

/* What was recorded since the sample before. A histogram that has less than it had is another one: its
 * process began anew. */
static void
take_bars (InspHistory *self, Sample *sample, const gint64 *recorded, gboolean is_first)
{
  guint all = g_strv_length (self->histograms) * INSP_BARS, count = 0;
  g_autofree Bar *bars = NULL;
  for (guint i = 0; i < all; i++)
    count += recorded[i] > self->recorded[i];
  bars = g_new (Bar, MAX (count, 1));
  count = 0;
  for (guint i = 0; i < all && !is_first; i++)
    if (recorded[i] > self->recorded[i])
      bars[count++]
          = (Bar){ .histogram = (guint16) (i / INSP_BARS),
                   .bar = (guint16) (i % INSP_BARS),
                   .count = (guint32) MIN (recorded[i] - self->recorded[i], G_MAXUINT32) };
  memcpy (self->recorded, recorded, all * sizeof *recorded);
  sample->bars = g_steal_pointer (&bars);
  sample->bar_count = count;
}

static gboolean
tell_figures (gpointer history)
{
  InspHistory *self = history;
  self->telling = 0;
  g_signal_emit (self, signals[FIGURES], 0);
  return G_SOURCE_REMOVE;
}

/* Every other sample at once, and the others unless the next one comes first: H4. */
static void
review_figures (InspHistory *self)
{
  g_clear_handle_id (&self->telling, g_source_remove);
  if (self->end % 2 == 0)
    g_signal_emit (self, signals[FIGURES], 0);
  else
    self->telling = g_timeout_add (FIGURES_WAIT, tell_figures, self);
}

void
insp_history_append (InspHistory *self, gint64 time, const gint64 *values, const gint64 *recorded)
{
  g_return_if_fail (self->names != NULL);
  g_return_if_fail (self->end == self->first || time > insp_history_get_time (self, self->end - 1));
  gboolean is_first = self->end == self->first;
  if (self->end - self->first == self->capacity)
    self->first++;
  Sample *sample = &self->ring[self->end % self->capacity];
  sample_clear (sample);
  sample->time = time;
  sample->values = g_memdup2 (values, g_strv_length (self->names) * sizeof *values);
  if (recorded != NULL)
    take_bars (self, sample, recorded, is_first);
  self->end++;
  g_signal_emit (self, signals[APPENDED], 0); /* H3 */
  review_figures (self);
}

/* What bars hold, of numbers of values up to their ends. */
static void
record_bars (LdbMetrics *metrics, const char *name, gint64 *recorded)
{
  gint64 ends[INSP_BARS];
  for (guint i = 0; i < INSP_BARS; i++)
    ends[i] = i == INSP_BARS - 1 ? G_MAXINT64 : (gint64) insp_history_bar_end (i);
  g_autofree gint64 *counts
      = ldb_metrics_list_counts_at_most (metrics, name, ends, G_N_ELEMENTS (ends));
  for (guint i = 0; i < INSP_BARS; i++)
    recorded[i] = i == 0 ? counts[0] : counts[i] - counts[i - 1];
}

static void
learn_names (InspHistory *self, LdbMetrics *metrics)
{
  g_autoptr (GStrvBuilder) values = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) histograms = g_strv_builder_new ();
  g_auto (GStrv) all = ldb_metrics_list_names (metrics);
  for (guint i = 0; all[i] != NULL; i++)
    {
      LdbMetricKind kind;
      if (ldb_metrics_describe (metrics, all[i], &kind, NULL, NULL))
        g_strv_builder_add (kind == LDB_METRIC_HISTOGRAM ? histograms : values, all[i]);
    }
  g_auto (GStrv) value_names = g_strv_builder_end (values);
  g_auto (GStrv) histogram_names = g_strv_builder_end (histograms);
  insp_history_set_names (self, (const char *const *) value_names,
                          (const char *const *) histogram_names);
}

void
insp_history_look (InspHistory *self, LdbMetrics *metrics, gint64 time)
{
  if (self->names == NULL)
    learn_names (self, metrics);
  guint value_count = g_strv_length (self->names);
  guint histogram_count = g_strv_length (self->histograms);
  g_autofree gint64 *values = g_new (gint64, value_count + 1);
  g_autofree gint64 *recorded = g_new (gint64, histogram_count * INSP_BARS + 1);
  for (guint i = 0; i < value_count; i++)
    values[i] = ldb_metrics_get_value (metrics, self->names[i]);
  for (guint i = 0; i < histogram_count; i++)
    record_bars (metrics, self->histograms[i], recorded + i * INSP_BARS);
  insp_history_append (self, time, values, recorded);
}

guint64
insp_history_get_first (InspHistory *self)
{
  return self->first;
}

guint64
insp_history_get_end (InspHistory *self)
{
  return self->end;
}

guint
insp_history_get_capacity (InspHistory *self)
{
  return self->capacity;
}

gint64
insp_history_get_time (InspHistory *self, guint64 number)
{
  return sample_at (self, number)->time;
}

gint64
insp_history_get_value (InspHistory *self, guint64 number, int column)
{
  g_return_val_if_fail (column >= 0 && column < (int) g_strv_length (self->names), 0);
  return sample_at (self, number)->values[column];
}

guint64
insp_history_seek (InspHistory *self, gint64 time)
{
  guint64 low = self->first, high = self->end;
  while (low < high)
    {
      guint64 middle = low + (high - low) / 2;
      if (sample_at (self, middle)->time < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* ---- as a value ---- */

static GVariant *
sample_to_variant (const Sample *sample, guint value_count)
{
  GVariantBuilder bars;
  g_variant_builder_init (&bars, G_VARIANT_TYPE ("a(qqu)"));
  for (guint i = 0; i < sample->bar_count; i++)
    g_variant_builder_add (&bars, "(qqu)", sample->bars[i].histogram, sample->bars[i].bar,
                           sample->bars[i].count);
  return g_variant_new ("(x@axa(qqu))", sample->time,
                        g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, sample->values,
                                                   value_count, sizeof (gint64)),
                        &bars);
}

GVariant *
insp_history_to_variant (InspHistory *self)
{
  static const char *const none[] = { NULL };
  const char *const *names = self->names != NULL ? (const char *const *) self->names : none;
  const char *const *histograms
      = self->histograms != NULL ? (const char *const *) self->histograms : none;
  GVariantBuilder samples;
  g_variant_builder_init (&samples, G_VARIANT_TYPE ("a(xaxa(qqu))"));
  for (guint64 number = self->first; number < self->end; number++)
    g_variant_builder_add_value (
        &samples, sample_to_variant (sample_at (self, number), g_strv_length (self->names)));
  return g_variant_new ("(^as^asa(xaxa(qqu)))", names, histograms, &samples);
}

/* The next sample, if it can be right: as many values as there are names, a later time, known bars. */
static gboolean
take_sample (InspHistory *self, GVariant *variant)
{
  gint64 time;
  gsize value_count;
  guint histogram_count = g_strv_length (self->histograms);
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariantIter) bars = NULL;
  g_variant_get (variant, "(x@axa(qqu))", &time, &values, &bars);
  const gint64 *numbers = g_variant_get_fixed_array (values, &value_count, sizeof (gint64));
  if (value_count != g_strv_length (self->names) || time < 0 || time > STRANGERS_TIME
      || (self->end > self->first && time <= insp_history_get_time (self, self->end - 1)))
    return FALSE;
  Sample *sample = &self->ring[self->end % self->capacity];
  sample->time = time;
  sample->values = g_memdup2 (numbers, value_count * sizeof *numbers);
  sample->bars = g_new (Bar, g_variant_iter_n_children (bars) + 1);
  self->end++;
  Bar bar;
  while (g_variant_iter_next (bars, "(qqu)", &bar.histogram, &bar.bar, &bar.count))
    {
      if (bar.histogram >= histogram_count || bar.bar >= INSP_BARS)
        return FALSE;
      sample->bars[sample->bar_count++] = bar;
    }
  return TRUE;
}

InspHistory *
insp_history_new_from_variant (GVariant *variant, GError **error)
{
  g_auto (GStrv) names = NULL;
  g_auto (GStrv) histograms = NULL;
  g_autoptr (GVariantIter) samples = NULL;
  g_variant_get (variant, "(^as^asa(xaxa(qqu)))", &names, &histograms, &samples);
  gsize count = g_variant_iter_n_children (samples);
  if (count > STRANGERS_SAMPLES || g_strv_length (names) > STRANGERS_NAMES
      || g_strv_length (histograms) > STRANGERS_NAMES)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   _ ("There are more samples or names than this program ever writes."));
      return NULL;
    }
  g_autoptr (InspHistory) self = insp_history_new ((guint) count);
  insp_history_set_names (self, (const char *const *) names, (const char *const *) histograms);
  gboolean good = TRUE;
  GVariant *sample;
  while (good && (sample = g_variant_iter_next_value (samples)) != NULL)
    {
      good = take_sample (self, sample);
      g_variant_unref (sample);
    }
  if (good)
    return g_steal_pointer (&self);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("Sample %" PRIu64 " is damaged."),
               self->end);
  return NULL;
}

/* ---- bars ---- */

guint64
insp_history_add_bars (InspHistory *self, int histogram, guint64 from, guint64 to, guint64 *bars)
{
  guint64 sum = 0;
  for (guint64 number = MAX (from, self->first); number < MIN (to, self->end); number++)
    {
      const Sample *sample = sample_at (self, number);
      for (guint i = 0; i < sample->bar_count; i++)
        if (sample->bars[i].histogram == histogram)
          {
            bars[sample->bars[i].bar] += sample->bars[i].count;
            sum += sample->bars[i].count;
          }
    }
  return sum;
}

double
insp_history_bar_end (guint bar)
{
  return exp2 (LEAST_EXPONENT + (double) bar / INSP_BARS_PER_OCTAVE);
}

double
insp_history_percentile (const guint64 *bars, double fraction)
{
  guint64 sum = 0, passed = 0;
  for (guint i = 0; i < INSP_BARS; i++)
    sum += bars[i];
  if (sum == 0)
    return NAN;
  guint64 wanted = MAX ((guint64) ceil (fraction * (double) sum), 1);
  for (guint i = 0; i < INSP_BARS; i++)
    if ((passed += bars[i]) >= wanted)
      return insp_history_bar_end (i) * exp2 (-0.5 / INSP_BARS_PER_OCTAVE);
  return insp_history_bar_end (INSP_BARS - 1);
}
