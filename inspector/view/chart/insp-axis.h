/* SPDX-License-Identifier: MIT */
/*
 * InspAxis: the stretch of time that all charts show, and the moment that is pointed at in all of them.
 *
 * Times are monotonic microseconds, as in a history.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define INSP_AXIS_SPAN_LEAST (5 * G_USEC_PER_SEC)
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

/* 0: nothing is pointed at. */
gint64 insp_axis_get_cursor (InspAxis *self);
void insp_axis_set_cursor (InspAxis *self, gint64 cursor);

G_END_DECLS
