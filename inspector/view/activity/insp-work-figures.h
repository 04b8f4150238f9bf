/* SPDX-License-Identifier: MIT */
/*
 * InspWorkFigures: what was written in the time that is shown, and how much more than the application's
 * own keys and values that is: as tiles.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-axis.h"
#include "insp-history.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 user_bytes; /* keys and values committed */
  gint64 log_bytes;
  gint64 flush_bytes;
  gint64 merge_bytes;
  gint64 stalls; /* times that a writer waited */
} InspWork;

/* Between the first and the last sample in a stretch of time; 0 of what is not counted. */
InspWork insp_work_of (InspHistory *history, gint64 from, gint64 to);
/* Bytes written for each that was committed; NAN: none was. */
double insp_work_amplification (InspWork self);

#define INSP_TYPE_WORK_FIGURES (insp_work_figures_get_type ())
G_DECLARE_FINAL_TYPE (InspWorkFigures, insp_work_figures, INSP, WORK_FIGURES, GtkWidget)

GtkWidget *insp_work_figures_new (InspHistory *history, InspAxis *axis);

G_END_DECLS
