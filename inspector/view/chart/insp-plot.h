/* SPDX-License-Identifier: MIT */
/*
 * What all pictures over time have around what they show: places on an axis, text, boxes, a scale of
 * times, the moment that is pointed at. Colour nodes and text alone.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-axis.h"

G_BEGIN_DECLS

/* Pixels: of a line of the widget's text, which people may have larger, and below a plot, for times. */
int insp_plot_text_height (GtkWidget *widget);
int insp_plot_labels_height (GtkWidget *widget);

/* The widget without the labels below. */
graphene_rect_t insp_plot_of (GtkWidget *widget);

/* Pixels from the left, and what is there. */
double insp_plot_x_of (GtkWidget *widget, InspAxis *axis, gint64 time);
gint64 insp_plot_time_at (GtkWidget *widget, InspAxis *axis, double x);

/* `align`: which part of the text is left of x. It stays inside the widget. */
void insp_plot_append_text (GtkWidget *widget, GtkSnapshot *snapshot, const char *text, double x,
                            double y, double align, const GdkRGBA *color);
void insp_plot_append_box (GtkSnapshot *snapshot, double x, double y, double width, double height,
                           const GdkRGBA *color);

void insp_plot_append_times (GtkWidget *widget, InspAxis *axis, GtkSnapshot *snapshot);
void insp_plot_append_cursor (GtkWidget *widget, InspAxis *axis, GtkSnapshot *snapshot);

/* A moment of the clock (microseconds since 1970), without its day; “–” for what is none. Free it. */
char *insp_plot_format_clock (gint64 clock);

G_END_DECLS
