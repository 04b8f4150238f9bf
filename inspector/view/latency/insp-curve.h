/* SPDX-License-Identifier: MIT */
/*
 * InspCurve: percentiles of up to three distributions: to the right the share of operations, which is
 * stretched towards 100 %, up the duration that this share does not exceed, on a logarithmic scale.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-history.h"

G_BEGIN_DECLS

#define INSP_CURVE_LINES 3u

#define INSP_TYPE_CURVE (insp_curve_get_type ())
G_DECLARE_FINAL_TYPE (InspCurve, insp_curve, INSP, CURVE, GtkWidget)

GtkWidget *insp_curve_new (const char *title);
/* INSP_BARS bars for each line; one of empty bars is not drawn. */
void insp_curve_set (InspCurve *self, const guint64 bars[INSP_CURVE_LINES][INSP_BARS]);

G_END_DECLS
