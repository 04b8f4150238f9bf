/* SPDX-License-Identifier: MIT */
/*
 * InspLegend: what the colours of a treemap and the numbers of its dots mean.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-lens.h"

G_BEGIN_DECLS

#define INSP_TYPE_LEGEND (insp_legend_get_type ())
G_DECLARE_FINAL_TYPE (InspLegend, insp_legend, INSP, LEGEND, GtkWidget)

/* `of_pages`: of the steps of pages. */
GtkWidget *insp_legend_new (gboolean of_pages);
void insp_legend_set_lens (InspLegend *self, InspLens lens);

G_END_DECLS
