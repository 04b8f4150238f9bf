/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-series.h"

#define RECENT 20 /* samples: five seconds */

typedef enum
{
  KIND_VALUE,
  KIND_RATE,
  KIND_SHARE,
  KIND_REST, /* what a share leaves */
  KIND_MEAN,
  KIND_PERCENTILE,
} Kind;

struct _InspSeries
{
  GObject parent_instance;

  InspHistory *history; /* owned */
  char *title;
  InspUnit unit;
  Kind kind;
  char **names;    /* of what it is reckoned from; owned */
  char **wholes;   /* of a share; NULL: none; owned */
  GArray *columns; /* int; where the names are, once history has names */
  GArray *whole_columns;
  double fraction;  /* of a percentile */
  double *ring;     /* figures of samples, at number % capacity; owned */
  guint64 reckoned; /* up to this number */
};

G_DEFINE_FINAL_TYPE (InspSeries, insp_series, G_TYPE_OBJECT)

/* ---- reckoning ---- */

static double
sum_at (InspSeries *self, GArray *columns, guint64 number)
{
  guint64 sum = 0; /* of strangers' numbers (recordings): they may wrap */
  for (guint i = 0; i < columns->len; i++)
    sum += (guint64) insp_history_get_value (self->history, number,
                                             g_array_index (columns, int, i));
  return (double) (gint64) sum;
}

/* NAN where there is no sample before, or counting began anew. */
static double
rise_at (InspSeries *self, GArray *columns, guint64 number)
{
  if (number <= insp_history_get_first (self->history))
    return NAN;
  double rise = sum_at (self, columns, number) - sum_at (self, columns, number - 1);
  return rise >= 0 ? rise : NAN;
}

static double
rate_at (InspSeries *self, guint64 number)
{
  double rise = rise_at (self, self->columns, number);
  if (isnan (rise))
    return NAN;
  gint64 passed = insp_history_get_time (self->history, number)
                  - insp_history_get_time (self->history, number - 1);
  return rise * 1e6 / (double) passed;
}

static double
share_at (InspSeries *self, guint64 number)
{
  double part = rise_at (self, self->columns, number);
  double whole = rise_at (self, self->whole_columns, number);
  if (isnan (part) || !(whole > 0))
    return NAN;
  double share = part / whole;
  if (self->kind == KIND_MEAN)
    return share;
  return self->kind == KIND_REST ? 1 - MIN (share, 1) : MIN (share, 1);
}

static double
percentile_at (InspSeries *self, guint64 number)
{
  guint64 bars[INSP_BARS] = { 0 };
  gint64 time = insp_history_get_time (self->history, number);
  guint64 from = insp_history_seek (self->history, time - G_USEC_PER_SEC + 1);
  for (guint i = 0; i < self->columns->len; i++)
    insp_history_add_bars (self->history, g_array_index (self->columns, int, i), from, number + 1,
                           bars);
  return insp_history_percentile (bars, self->fraction);
}

static double
reckon (InspSeries *self, guint64 number)
{
  if (self->columns->len == 0)
    return NAN;
  switch (self->kind)
    {
    case KIND_VALUE:
      return sum_at (self, self->columns, number);
    case KIND_RATE:
      return rate_at (self, number);
    case KIND_SHARE:
    case KIND_REST:
    case KIND_MEAN:
      return share_at (self, number);
    case KIND_PERCENTILE:
      return percentile_at (self, number);
    default:
      g_assert_not_reached ();
    }
}

/* ---- following the history ---- */

static void
find_columns (InspSeries *self, char **names, GArray *columns)
{
  g_array_set_size (columns, 0);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      int column = self->kind == KIND_PERCENTILE
                       ? insp_history_find_histogram (self->history, names[i])
                       : insp_history_find (self->history, names[i]);
      if (column >= 0)
        g_array_append_val (columns, column);
    }
}

static void
follow (InspSeries *self)
{
  guint capacity = insp_history_get_capacity (self->history);
  guint64 end = insp_history_get_end (self->history);
  self->reckoned = MAX (self->reckoned, insp_history_get_first (self->history));
  for (; self->reckoned < end; self->reckoned++)
    self->ring[self->reckoned % capacity] = reckon (self, self->reckoned);
}

static void
begin_anew (InspSeries *self)
{
  find_columns (self, self->names, self->columns);
  find_columns (self, self->wholes, self->whole_columns);
  self->reckoned = insp_history_get_first (self->history);
  follow (self);
}

/* ---- the object ---- */

static void
insp_series_finalize (GObject *object)
{
  InspSeries *self = INSP_SERIES (object);
  g_object_unref (self->history);
  g_free (self->title);
  g_strfreev (self->names);
  g_strfreev (self->wholes);
  g_array_unref (self->columns);
  g_array_unref (self->whole_columns);
  g_free (self->ring);
  G_OBJECT_CLASS (insp_series_parent_class)->finalize (object);
}

static void
insp_series_class_init (InspSeriesClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_series_finalize;
}

static void
insp_series_init (InspSeries *self)
{
  self->columns = g_array_new (FALSE, FALSE, sizeof (int));
  self->whole_columns = g_array_new (FALSE, FALSE, sizeof (int));
}

static InspSeries *
new_of_kind (Kind kind, InspHistory *history, const char *title, InspUnit unit, const char *names)
{
  InspSeries *self = g_object_new (INSP_TYPE_SERIES, NULL);
  self->kind = kind;
  self->history = g_object_ref (history);
  self->title = g_strdup (title);
  self->unit = unit;
  self->names = g_strsplit (names, " ", -1);
  self->ring = g_new (double, insp_history_get_capacity (history));
  g_signal_connect_object (history, "appended", G_CALLBACK (follow), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (history, "begun-anew", G_CALLBACK (begin_anew), self, G_CONNECT_SWAPPED);
  return self;
}

InspSeries *
insp_series_new_value (InspHistory *history, const char *title, InspUnit unit, const char *names)
{
  InspSeries *self = new_of_kind (KIND_VALUE, history, title, unit, names);
  begin_anew (self);
  return self;
}

InspSeries *
insp_series_new_rate (InspHistory *history, const char *title, InspUnit unit, const char *names)
{
  InspSeries *self = new_of_kind (KIND_RATE, history, title, unit, names);
  begin_anew (self);
  return self;
}

InspSeries *
insp_series_new_share (InspHistory *history, const char *title, const char *parts,
                       const char *wholes, gboolean less)
{
  InspSeries *self
      = new_of_kind (less ? KIND_REST : KIND_SHARE, history, title, INSP_UNIT_SHARE, parts);
  self->wholes = g_strsplit (wholes, " ", -1);
  begin_anew (self);
  return self;
}

InspSeries *
insp_series_new_mean (InspHistory *history, const char *title, InspUnit unit, const char *sums,
                      const char *counts)
{
  InspSeries *self = new_of_kind (KIND_MEAN, history, title, unit, sums);
  self->wholes = g_strsplit (counts, " ", -1);
  begin_anew (self);
  return self;
}

InspSeries *
insp_series_new_percentile (InspHistory *history, const char *title, const char *histograms,
                            double fraction)
{
  InspSeries *self
      = new_of_kind (KIND_PERCENTILE, history, title, INSP_UNIT_NANOSECONDS, histograms);
  self->fraction = fraction;
  begin_anew (self);
  return self;
}

InspHistory *
insp_series_get_history (InspSeries *self)
{
  return self->history;
}

const char *
insp_series_get_title (InspSeries *self)
{
  return self->title;
}

InspUnit
insp_series_get_unit (InspSeries *self)
{
  return self->unit;
}

double
insp_series_get (InspSeries *self, guint64 number)
{
  follow (self); /* whoever was told of a sample before this was */
  if (number < insp_history_get_first (self->history) || number >= self->reckoned)
    return NAN;
  return self->ring[number % insp_history_get_capacity (self->history)];
}

double
insp_series_get_recent (InspSeries *self, guint64 number)
{
  guint64 first = insp_history_get_first (self->history);
  double value = insp_series_get (self, number);
  for (guint64 back = 1; isnan (value) && back <= RECENT && number >= first + back; back++)
    value = insp_series_get (self, number - back);
  return value;
}

gboolean
insp_series_get_extent (InspSeries *self, guint64 from, guint64 to, double *least, double *greatest)
{
  gboolean any = FALSE;
  for (guint64 number = from; number < to; number++)
    {
      double value = insp_series_get (self, number);
      if (isnan (value))
        continue;
      *least = any ? MIN (*least, value) : value;
      *greatest = any ? MAX (*greatest, value) : value;
      any = TRUE;
    }
  return any;
}

char *
insp_series_format (InspSeries *self, double value)
{
  return insp_unit_format (self->unit, value);
}
