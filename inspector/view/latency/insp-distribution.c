/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-distribution.h"

struct _InspDistribution
{
  GObject parent_instance;

  InspHistory *history; /* owned */
  const InspOperation *operation;
  char **names; /* of its histograms; owned */
};

G_DEFINE_FINAL_TYPE (InspDistribution, insp_distribution, G_TYPE_OBJECT)

static guint changed;

static void
insp_distribution_finalize (GObject *object)
{
  InspDistribution *self = INSP_DISTRIBUTION (object);
  g_object_unref (self->history);
  g_strfreev (self->names);
  G_OBJECT_CLASS (insp_distribution_parent_class)->finalize (object);
}

static void
insp_distribution_class_init (InspDistributionClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_distribution_finalize;
  changed = g_signal_new ("changed", INSP_TYPE_DISTRIBUTION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                          G_TYPE_NONE, 0);
}

static void
insp_distribution_init (InspDistribution *self)
{
}

static void
tell (InspDistribution *self)
{
  g_signal_emit (self, changed, 0);
}

InspDistribution *
insp_distribution_new (InspHistory *history, const InspOperation *operation)
{
  InspDistribution *self = g_object_new (INSP_TYPE_DISTRIBUTION, NULL);
  self->history = g_object_ref (history);
  insp_distribution_set_operation (self, operation);
  g_signal_connect_object (history, "begun-anew", G_CALLBACK (tell), self, G_CONNECT_SWAPPED);
  return self;
}

void
insp_distribution_set_operation (InspDistribution *self, const InspOperation *operation)
{
  if (self->operation == operation)
    return;
  self->operation = operation;
  g_strfreev (self->names);
  self->names = g_strsplit (operation->histograms, " ", -1);
  tell (self);
}

const InspOperation *
insp_distribution_get_operation (InspDistribution *self)
{
  return self->operation;
}

InspHistory *
insp_distribution_get_history (InspDistribution *self)
{
  return self->history;
}

guint64
insp_distribution_add (InspDistribution *self, gint64 from, gint64 to, guint64 *bars)
{
  guint64 sum = 0, first = insp_history_seek (self->history, from);
  guint64 end = insp_history_seek (self->history, to + 1);
  for (guint i = 0; self->names[i] != NULL; i++)
    {
      int histogram = insp_history_find_histogram (self->history, self->names[i]);
      if (histogram >= 0)
        sum += insp_history_add_bars (self->history, histogram, first, end, bars);
    }
  return sum;
}

guint64
insp_distribution_count_below (const guint64 *bars, double nanoseconds)
{
  guint64 count = 0;
  for (guint i = 0; i < INSP_BARS; i++)
    if (insp_history_bar_end (i) * exp2 (-0.5 / INSP_BARS_PER_OCTAVE) < nanoseconds)
      count += bars[i];
  return count;
}
