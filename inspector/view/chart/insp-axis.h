/* SPDX-License-Identifier: MIT */
/*
 * InspAxis: the stretch of time that all charts show, and the moment that is pointed at in all of them.
 *
 * Times are monotonic microseconds, as in a history: those of the machine that saw it, since it was
 * started. What the clock says then (microseconds since 1970) is known of one moment, and so of each.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define INSP_AXIS_SPAN_LEAST (5 * G_USEC_PER_SEC)
#define INSP_CLOCK_MOST 253402300799999999 /* of the year 9999: no moment of a clock is later */
#define INSP_AXIS_SPAN_USUAL (120 * (gint64) G_USEC_PER_SEC)

#define INSP_TYPE_AXIS (insp_axis_get_type ())
G_DECLARE_FINAL_TYPE (InspAxis, insp_axis, INSP, AXIS, GObject)

InspAxis *insp_axis_new (gint64 span_most);

/* What is shown ends at `now` while it is followed, else where it was when that ended. */
void insp_axis_set_now (InspAxis *self, gint64 now);
gint64 insp_axis_get_end (InspAxis *self);
gint64 insp_axis_get_span (InspAxis *self);
gint64 insp_axis_get_start (InspAxis *self);

gboolean insp_axis_get_following (InspAxis *self);
void insp_axis_set_following (InspAxis *self, gboolean following);

/* Zooming by a factor keeps `around` where it is; while following, the end. */
void insp_axis_zoom (InspAxis *self, double factor, gint64 around);
/* Shows just that, and follows no more. */
void insp_axis_show (InspAxis *self, gint64 start, gint64 end);
/* The usual span, following. */
void insp_axis_reset (InspAxis *self);

/* What the clock said at the moment 0. An axis begins with what it would have said by this machine's. */
void insp_axis_set_clock (InspAxis *self, gint64 at_zero);
gint64 insp_axis_to_clock (InspAxis *self, gint64 time);
gint64 insp_axis_from_clock (InspAxis *self, gint64 clock);

/* 0: nothing is pointed at. */
gint64 insp_axis_get_cursor (InspAxis *self);
void insp_axis_set_cursor (InspAxis *self, gint64 cursor);

G_END_DECLS
