/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   C1  `texture` shows the cells exactly while `is_stale` is FALSE and it has the size of the plot.
 *   C2  Cells begin at multiples of their step: they move with time, and do not flicker.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-decades.h"
#include "insp-heat-map.h"
#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-pointing.h"
#include "insp-raster.h"
#include "insp-unit.h"

#define CELLS_MOST 240                          /* in time */
#define STEP_UNIT ((gint64) G_USEC_PER_SEC / 4) /* samples are so far apart */
#define BARS_PER_CELL 2u
#define FAINTEST 0.14      /* of a cell that is not empty */
#define DRAG_LEAST 6.0     /* pixels that make a drag of a click */
#define TELLING_INTERVAL 2 /* seconds between descriptions for assistive technology */
#define SPANS 2u

struct _InspHeatMap
{
  GtkWidget parent_instance;

  InspDistribution *distribution; /* owned */
  InspAxis *axis;                 /* owned */
  GdkTexture *texture;            /* C1; owned */
  gboolean is_stale;
  gboolean is_empty;      /* nothing was recorded in the time that is shown */
  InspDecades decades;    /* of the texture */
  InspRegion region;      /* `from` 0: nothing is selected */
  graphene_rect_t drag;   /* what is dragged over; no width: nothing is */
  gint64 spans[SPANS][2]; /* from, to; 0: there is none */
  guint telling;          /* source that describes what is shown; 0: none */
};

G_DEFINE_FINAL_TYPE (InspHeatMap, insp_heat_map, GTK_TYPE_WIDGET)

static guint selected;

/* ---- cells ---- */

gint64
insp_heat_map_step (InspAxis *axis)
{
  gint64 step = insp_axis_get_span (axis) / CELLS_MOST;
  return MAX ((step + STEP_UNIT - 1) / STEP_UNIT, 1) * STEP_UNIT;
}

/* What was recorded in all that is shown, and the greatest count of a cell. */
static guint64
survey (InspHeatMap *self, guint64 *all)
{
  gint64 step = insp_heat_map_step (self->axis), end = insp_axis_get_end (self->axis);
  guint64 greatest = 0;
  for (gint64 from = insp_axis_get_start (self->axis) / step * step; from < end; from += step)
    {
      guint64 bars[INSP_BARS] = { 0 };
      if (insp_distribution_add (self->distribution, from + 1, from + step, bars) == 0)
        continue;
      for (guint i = 0; i < INSP_BARS; i++)
        all[i] += bars[i];
      for (guint i = 0; i < INSP_BARS; i += BARS_PER_CELL)
        greatest = MAX (greatest, bars[i] + bars[i + 1]);
    }
  return greatest;
}

static void
draw_cells (InspHeatMap *self, InspRaster *raster, gint64 from, gint64 to, guint64 greatest)
{
  guint64 bars[INSP_BARS] = { 0 };
  GdkRGBA color = insp_palette_color (0, insp_palette_is_dark (GTK_WIDGET (self)));
  double scale = raster->width / (double) insp_axis_get_span (self->axis);
  int left = (int) floor ((double) (from - insp_axis_get_start (self->axis)) * scale);
  int right = (int) floor ((double) (to - insp_axis_get_start (self->axis)) * scale);
  if (insp_distribution_add (self->distribution, from + 1, to, bars) == 0)
    return;
  for (guint i = 0; i < INSP_BARS; i += BARS_PER_CELL)
    {
      guint64 count = bars[i] + bars[i + 1];
      if (count == 0)
        continue;
      double top = insp_decades_place (self->decades, insp_history_bar_end (i + 1));
      double bottom = insp_decades_place (self->decades, insp_history_bar_end (i)
                                                             * exp2 (-1.0 / INSP_BARS_PER_OCTAVE));
      int y = (int) floor ((1 - top) * raster->height);
      int low = (int) floor ((1 - bottom) * raster->height);
      double strength = log1p ((double) count) / log1p ((double) greatest);
      color.alpha = (float) (FAINTEST + (1 - FAINTEST) * strength);
      insp_raster_box (raster, left, y, MAX (right - left, 1), MAX (low - y, 1), &color);
    }
}

static void
draw_texture (InspHeatMap *self, int width, int height, int factor)
{
  InspRaster raster;
  guint64 all[INSP_BARS] = { 0 }, greatest = survey (self, all);
  gint64 step = insp_heat_map_step (self->axis), end = insp_axis_get_end (self->axis);
  g_clear_object (&self->texture);
  self->decades = insp_decades_of (all);
  self->is_empty = greatest == 0;
  insp_raster_init (&raster, width * factor, height * factor);
  for (gint64 from = insp_axis_get_start (self->axis) / step * step; from < end;
       from += step) /* C2 */
    draw_cells (self, &raster, from, from + step, greatest);
  self->texture = insp_raster_finish (&raster);
  self->is_stale = FALSE;
}

/* ---- over them ---- */

static graphene_rect_t
box_of (InspHeatMap *self, const InspRegion *region)
{
  graphene_rect_t plot = insp_plot_of (GTK_WIDGET (self));
  double left = insp_plot_x_of (GTK_WIDGET (self), self->axis, region->from);
  double right = insp_plot_x_of (GTK_WIDGET (self), self->axis, region->to);
  double top = plot.size.height * (1 - insp_decades_place (self->decades, region->most));
  double bottom = plot.size.height * (1 - insp_decades_place (self->decades, region->least));
  top = CLAMP (top, 0, plot.size.height);
  bottom = CLAMP (bottom, 0, plot.size.height);
  return GRAPHENE_RECT_INIT ((float) left, (float) top, (float) MAX (right - left, 1),
                             (float) (bottom - top));
}

static void
append_frame (GtkWidget *widget, GtkSnapshot *snapshot, graphene_rect_t box)
{
  GdkRGBA area = insp_palette_faint (widget, 0.12), edge = insp_palette_faint (widget, 0.8);
  double x = box.origin.x, y = box.origin.y, width = box.size.width, height = box.size.height;
  insp_plot_append_box (snapshot, x, y, width, height, &area);
  insp_plot_append_box (snapshot, x, y, width, 1, &edge);
  insp_plot_append_box (snapshot, x, y + height - 1, width, 1, &edge);
  insp_plot_append_box (snapshot, x, y, 1, height, &edge);
  insp_plot_append_box (snapshot, x + width - 1, y, 1, height, &edge);
}

static void
append_span (InspHeatMap *self, GtkSnapshot *snapshot, guint index)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA color = insp_palette_color (index + 1, insp_palette_is_dark (widget));
  double left = MAX (insp_plot_x_of (widget, self->axis, self->spans[index][0]), 0);
  double right = MIN (insp_plot_x_of (widget, self->axis, self->spans[index][1]),
                      gtk_widget_get_width (widget));
  const char letter[] = { (char) ('A' + index), '\0' };
  if (self->spans[index][0] == 0 || left >= right)
    return;
  double bottom = insp_plot_of (widget).size.height;
  insp_plot_append_box (snapshot, left, bottom - 3, right - left, 3, &color);
  insp_plot_append_text (widget, snapshot, letter, left + 2,
                         bottom - 4 - insp_plot_text_height (widget), 0, &color);
}

static void
insp_heat_map_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspHeatMap *self = INSP_HEAT_MAP (widget);
  graphene_rect_t plot = insp_plot_of (widget);
  int width = (int) plot.size.width, height = (int) plot.size.height;
  int factor = gtk_widget_get_scale_factor (widget);
  if (width < 1)
    return;
  if (self->is_stale || self->texture == NULL
      || gdk_texture_get_width (self->texture) != width * factor
      || gdk_texture_get_height (self->texture) != height * factor)
    draw_texture (self, width, height, factor);
  gtk_snapshot_append_texture (snapshot, self->texture, &plot);
  insp_decades_append_grid (self->decades, widget, snapshot);
  insp_plot_append_times (widget, self->axis, snapshot);
  if (self->is_empty)
    {
      GdkRGBA color = insp_palette_faint (widget, 0.65);
      insp_plot_append_text (widget, snapshot, _ ("None in this time"), width / 2.0,
                             height / 2.0 - 8, 0.5, &color);
    }
  for (guint i = 0; i < SPANS; i++)
    append_span (self, snapshot, i);
  if (self->drag.size.width > 0)
    append_frame (widget, snapshot, self->drag);
  else if (self->region.from != 0)
    append_frame (widget, snapshot, box_of (self, &self->region));
  insp_plot_append_cursor (widget, self->axis, snapshot);
}

static void
insp_heat_map_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                       int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : 220;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 360 : 240;
}

/* ---- what assistive technology is told ---- */

static gboolean
describe (gpointer data)
{
  InspHeatMap *self = data;
  guint64 bars[INSP_BARS] = { 0 };
  guint64 count = insp_distribution_add (self->distribution, insp_axis_get_start (self->axis) + 1,
                                         insp_axis_get_end (self->axis), bars);
  g_autofree char *number = insp_unit_format (INSP_UNIT_COUNT, (double) count);
  g_autofree char *median
      = insp_unit_format (INSP_UNIT_NANOSECONDS, insp_history_percentile (bars, 0.5));
  g_autofree char *most
      = insp_unit_format (INSP_UNIT_NANOSECONDS, insp_history_percentile (bars, 1));
  /* Translators: of a heat map: how many were timed, half took at most …, the longest … */
  g_autofree char *text
      = g_strdup_printf (_ ("%s timed, median %s, longest %s"), number, median, most);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                  -1);
  self->telling = 0;
  return G_SOURCE_REMOVE;
}

static void
go_stale (InspHeatMap *self)
{
  self->is_stale = TRUE;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  if (self->telling == 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
    self->telling = g_timeout_add_seconds (TELLING_INTERVAL, describe, self);
}

/* ---- selecting ---- */

const InspRegion *
insp_heat_map_get_region (InspHeatMap *self)
{
  return self->region.from != 0 ? &self->region : NULL;
}

void
insp_heat_map_set_region (InspHeatMap *self, const InspRegion *region)
{
  if (region == NULL && self->region.from == 0)
    return;
  self->region = region != NULL ? *region : (InspRegion){ 0, 0, 0, 0 };
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit (self, selected, 0);
}

void
insp_heat_map_set_span (InspHeatMap *self, guint index, gint64 from, gint64 to)
{
  self->spans[index][0] = from;
  self->spans[index][1] = to;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_drag_update (InspHeatMap *self, double x, double y, GtkGestureDrag *drag)
{
  double start_x, start_y;
  graphene_rect_t plot = insp_plot_of (GTK_WIDGET (self));
  gtk_gesture_drag_get_start_point (drag, &start_x, &start_y);
  if (self->drag.size.width <= 0 && fabs (x) < DRAG_LEAST)
    return;
  double left = CLAMP (MIN (start_x, start_x + x), 0, plot.size.width);
  double right = CLAMP (MAX (start_x, start_x + x), 0, plot.size.width);
  double top = CLAMP (MIN (start_y, start_y + y), 0, plot.size.height);
  double bottom = CLAMP (MAX (start_y, start_y + y), 0, plot.size.height);
  self->drag = GRAPHENE_RECT_INIT ((float) left, (float) top, (float) MAX (right - left, 1),
                                   (float) MAX (bottom - top, 1));
  gtk_gesture_set_state (GTK_GESTURE (drag), GTK_EVENT_SEQUENCE_CLAIMED);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_drag_end (InspHeatMap *self, double x, double y, GtkGestureDrag *drag)
{
  GtkWidget *widget = GTK_WIDGET (self);
  graphene_rect_t box = self->drag;
  double height = insp_plot_of (widget).size.height;
  if (box.size.width <= 0)
    return;
  self->drag.size.width = 0;
  InspRegion region = {
    insp_plot_time_at (widget, self->axis, box.origin.x),
    insp_plot_time_at (widget, self->axis, box.origin.x + box.size.width),
    insp_decades_at (self->decades, 1 - (box.origin.y + box.size.height) / height),
    insp_decades_at (self->decades, 1 - box.origin.y / height),
  };
  insp_heat_map_set_region (self, &region);
}

/* The cell that is pointed at, or the newest, with all that took place then. */
static InspRegion
region_at_cursor (InspHeatMap *self)
{
  gint64 cursor = insp_axis_get_cursor (self->axis), step = insp_heat_map_step (self->axis);
  if (cursor == 0)
    cursor = insp_axis_get_end (self->axis) - 1;
  return (InspRegion){ cursor / step * step, (cursor / step + 1) * step,
                       insp_decades_at (self->decades, 0), insp_decades_at (self->decades, 1) };
}

static gboolean
on_key (InspHeatMap *self, guint key, guint code, GdkModifierType modifiers)
{
  InspRegion region = self->region.from != 0 ? self->region : region_at_cursor (self);
  gint64 step = insp_heat_map_step (self->axis);
  if (key == GDK_KEY_Escape && self->region.from != 0)
    {
      insp_heat_map_set_region (self, NULL);
      return GDK_EVENT_STOP;
    }
  if (!(modifiers & GDK_SHIFT_MASK))
    return GDK_EVENT_PROPAGATE;
  if (key == GDK_KEY_Left)
    region.from = MAX (region.from - step, insp_axis_get_start (self->axis));
  else if (key == GDK_KEY_Right)
    region.to += step;
  else if (key == GDK_KEY_Up)
    region.least = MIN (region.least * exp2 (0.5), region.most / 2);
  else if (key == GDK_KEY_Down)
    region.least = MAX (region.least / exp2 (0.5), 1);
  else
    return GDK_EVENT_PROPAGATE;
  insp_heat_map_set_region (self, &region);
  return GDK_EVENT_STOP;
}

/* ---- the object ---- */

static void
insp_heat_map_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (insp_heat_map_parent_class)->css_changed (widget, change);
  INSP_HEAT_MAP (widget)->is_stale = TRUE;
}

static void
insp_heat_map_dispose (GObject *object)
{
  InspHeatMap *self = INSP_HEAT_MAP (object);
  g_clear_handle_id (&self->telling, g_source_remove);
  g_clear_object (&self->texture);
  g_clear_object (&self->distribution);
  g_clear_object (&self->axis);
  G_OBJECT_CLASS (insp_heat_map_parent_class)->dispose (object);
}

static void
insp_heat_map_class_init (InspHeatMapClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_heat_map_dispose;
  widget_class->snapshot = insp_heat_map_snapshot;
  widget_class->measure = insp_heat_map_measure;
  widget_class->css_changed = insp_heat_map_css_changed;
  selected = g_signal_new ("selected", INSP_TYPE_HEAT_MAP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                           G_TYPE_NONE, 0);
  gtk_widget_class_set_css_name (widget_class, "insp-chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
insp_heat_map_init (InspHeatMap *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  self->is_stale = TRUE;
  gtk_widget_set_focusable (widget, TRUE);
  gtk_widget_set_hexpand (widget, TRUE);
  gtk_widget_set_vexpand (widget, TRUE);
  gtk_widget_set_overflow (widget, GTK_OVERFLOW_HIDDEN);
}

static void
add_controllers (InspHeatMap *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GtkGesture *drag = gtk_gesture_drag_new ();
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (on_drag_update), self);
  g_signal_connect_swapped (drag, "drag-end", G_CALLBACK (on_drag_end), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  GtkEventController *keys = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE); /* before pointing */
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (on_key), self);
  gtk_widget_add_controller (widget, keys);
}

GtkWidget *
insp_heat_map_new (InspDistribution *distribution, InspAxis *axis)
{
  InspHeatMap *self = g_object_new (INSP_TYPE_HEAT_MAP, NULL);
  self->distribution = g_object_ref (distribution);
  self->axis = g_object_ref (axis);
  insp_pointing_add (GTK_WIDGET (self), axis, insp_distribution_get_history (distribution));
  add_controllers (self);
  g_signal_connect_object (axis, "changed", G_CALLBACK (go_stale), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (distribution, "changed", G_CALLBACK (go_stale), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "pointed", G_CALLBACK (gtk_widget_queue_draw), self,
                           G_CONNECT_SWAPPED);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Durations over time"), -1);
  return GTK_WIDGET (self);
}
