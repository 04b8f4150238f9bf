/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-axis.h"

struct _InspAxis
{
  GObject parent_instance;

  gint64 now;       /* of the newest sample */
  gint64 end;       /* of what is shown, unless it follows */
  gint64 span;      /* shown */
  gint64 span_most; /* microseconds of history there can be */
  gint64 cursor;    /* 0: none */
  gint64 at_zero;   /* what the clock said at the moment 0, microseconds since 1970 */
  gboolean following;
};

G_DEFINE_FINAL_TYPE (InspAxis, insp_axis, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_FOLLOWING,
  N_PROPS
};

enum
{
  CHANGED,
  POINTED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void
insp_axis_get_property (GObject *object, guint property, GValue *value, GParamSpec *spec)
{
  if (property == PROP_FOLLOWING)
    g_value_set_boolean (value, INSP_AXIS (object)->following);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
insp_axis_set_property (GObject *object, guint property, const GValue *value, GParamSpec *spec)
{
  if (property == PROP_FOLLOWING)
    insp_axis_set_following (INSP_AXIS (object), g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
insp_axis_class_init (InspAxisClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  object_class->get_property = insp_axis_get_property;
  object_class->set_property = insp_axis_set_property;
  properties[PROP_FOLLOWING]
      = g_param_spec_boolean ("following", NULL, NULL, TRUE,
                              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  /* Another stretch of time is shown. */
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_AXIS, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  /* Another moment is pointed at. */
  signals[POINTED] = g_signal_new ("pointed", INSP_TYPE_AXIS, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
insp_axis_init (InspAxis *self)
{
  self->span = INSP_AXIS_SPAN_USUAL;
  self->following = TRUE;
  self->at_zero = g_get_real_time () - g_get_monotonic_time ();
}

InspAxis *
insp_axis_new (gint64 span_most)
{
  InspAxis *self = g_object_new (INSP_TYPE_AXIS, NULL);
  self->span_most = MAX (span_most, INSP_AXIS_SPAN_USUAL);
  return self;
}

static void
show (InspAxis *self, gint64 end, gint64 span)
{
  span = CLAMP (span, INSP_AXIS_SPAN_LEAST, self->span_most);
  if (end == self->end && span == self->span)
    return;
  self->end = end;
  self->span = span;
  g_signal_emit (self, signals[CHANGED], 0);
}

void
insp_axis_set_now (InspAxis *self, gint64 now)
{
  self->now = now;
  if (self->following)
    show (self, now, self->span);
}

gint64
insp_axis_get_end (InspAxis *self)
{
  return self->end;
}

gint64
insp_axis_get_span (InspAxis *self)
{
  return self->span;
}

gint64
insp_axis_get_start (InspAxis *self)
{
  return self->end - self->span;
}

gboolean
insp_axis_get_following (InspAxis *self)
{
  return self->following;
}

void
insp_axis_set_following (InspAxis *self, gboolean following)
{
  if (self->following == following)
    return;
  self->following = following;
  if (following)
    show (self, self->now, self->span);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FOLLOWING]);
}

void
insp_axis_zoom (InspAxis *self, double factor, gint64 around)
{
  gint64 span
      = CLAMP ((gint64) ((double) self->span * factor), INSP_AXIS_SPAN_LEAST, self->span_most);
  gint64 end = self->end;
  if (!self->following && around != 0)
    end = around + (gint64) ((double) (self->end - around) * ((double) span / (double) self->span));
  show (self, MIN (end, self->now), span);
}

void
insp_axis_show (InspAxis *self, gint64 start, gint64 end)
{
  insp_axis_set_following (self, FALSE);
  show (self, MIN (end, self->now), end - start);
}

void
insp_axis_reset (InspAxis *self)
{
  insp_axis_set_following (self, TRUE);
  show (self, self->now, INSP_AXIS_SPAN_USUAL);
}

void
insp_axis_set_clock (InspAxis *self, gint64 at_zero)
{
  self->at_zero = at_zero;
}

gint64
insp_axis_to_clock (InspAxis *self, gint64 time)
{
  return time + self->at_zero;
}

gint64
insp_axis_from_clock (InspAxis *self, gint64 clock)
{
  return CLAMP (clock, 0, INSP_CLOCK_MOST) - self->at_zero;
}

gint64
insp_axis_get_cursor (InspAxis *self)
{
  return self->cursor;
}

void
insp_axis_set_cursor (InspAxis *self, gint64 cursor)
{
  if (self->cursor == cursor)
    return;
  self->cursor = cursor;
  g_signal_emit (self, signals[POINTED], 0);
}
