/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   C1  `texture` shows the lines exactly while `is_stale` is FALSE and it has the size of the plot;
 *       pointing draws over it and never makes it anew.
 *   C2  Nothing here draws with cairo.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-chart.h"
#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-pointing.h"
#include "insp-raster.h"

#define LINE_WIDTH 1.6           /* pixels */
#define GRID_LINES 4u            /* parts of the scale */
#define DRAG_LEAST 6.0           /* pixels that make a drag of a click */
#define TELLING_INTERVAL 2       /* seconds between descriptions for assistive technology */
#define GAP (5 * G_USEC_PER_SEC) /* between samples that no line connects */

struct _InspChart
{
  GtkWidget parent_instance;

  char *title;
  InspAxis *axis;     /* owned */
  GListStore *series; /* InspSeries; owned */
  gboolean stacked;
  double mark; /* NAN: none */
  char *mark_name;
  GdkTexture *texture; /* C1; owned */
  gboolean is_stale;
  gboolean is_empty; /* nothing is known of the time that is shown */
  double scale;      /* the value at the top */
  double drag_start; /* where a drag began, in pixels; NAN: there is none … */
  double drag_end;   /* … and where it is */
  guint telling;     /* source that describes what is shown; 0: none */
};

G_DEFINE_FINAL_TYPE (InspChart, insp_chart, GTK_TYPE_WIDGET)

/* ---- the lines ---- */

static InspSeries *
series_at (InspChart *self, guint index)
{
  g_autoptr (InspSeries) series = g_list_model_get_item (G_LIST_MODEL (self->series), index);
  return series; /* the store holds it */
}

static guint
series_count (InspChart *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->series));
}

static InspHistory *
history_of (InspChart *self)
{
  return series_count (self) > 0 ? insp_series_get_history (series_at (self, 0)) : NULL;
}

/* What is drawn for a sample: of stacked lines the sum up to this one. */
static double
level (InspChart *self, guint index, guint64 number)
{
  double sum = 0;
  if (!self->stacked)
    return insp_series_get (series_at (self, index), number);
  for (guint i = 0; i <= index; i++)
    {
      double value = insp_series_get (series_at (self, i), number);
      sum += isnan (value) ? 0 : value;
    }
  return sum;
}

/* ---- lines ---- */

typedef struct
{
  gint64 time;
  double value;
} Point;

static double
between (Point before, Point after, gint64 time)
{
  if (isnan (before.value) || isnan (after.value) || after.time - before.time > (gint64) GAP)
    return NAN;
  double part = (double) (time - before.time) / (double) (after.time - before.time);
  return before.value + part * (after.value - before.value);
}

static void
widen (double value, double *least, double *greatest)
{
  if (isnan (value))
    return;
  *least = isnan (*least) ? value : MIN (*least, value);
  *greatest = isnan (*greatest) ? value : MAX (*greatest, value);
}

/* The samples of one line from the one before what is shown to the one behind it. */
static GArray *
points_of (InspChart *self, guint index)
{
  InspHistory *history = history_of (self);
  GArray *points = g_array_new (FALSE, FALSE, sizeof (Point));
  guint64 end = insp_history_get_end (history);
  guint64 number = insp_history_seek (history, insp_axis_get_start (self->axis));
  if (number > insp_history_get_first (history))
    number--;
  for (; number < end; number++)
    {
      Point point = { insp_history_get_time (history, number), level (self, index, number) };
      g_array_append_val (points, point);
      if (point.time > insp_axis_get_end (self->axis))
        break;
    }
  return points;
}

/* What a line has between two moments. `*next`: the first point that is not before `from`; goes on. */
static void
column_of (GArray *points, guint *next, gint64 from, gint64 to, double *least, double *greatest)
{
  const Point *point = (const Point *) (void *) points->data;
  *least = *greatest = NAN;
  while (*next < points->len && point[*next].time < from)
    ++*next;
  if (*next > 0 && *next < points->len)
    widen (between (point[*next - 1], point[*next], from), least, greatest);
  guint behind = *next;
  for (; behind < points->len && point[behind].time < to; behind++)
    widen (point[behind].value, least, greatest);
  if (behind > 0 && behind < points->len)
    widen (between (point[behind - 1], point[behind], to), least, greatest);
}

static void
draw_line (InspChart *self, InspRaster *raster, guint index, double thickness)
{
  gboolean dark = insp_palette_is_dark (GTK_WIDGET (self));
  GdkRGBA line = insp_palette_color (index, dark), area = line;
  gboolean fill = self->stacked || series_count (self) == 1;
  gint64 start = insp_axis_get_start (self->axis), span = insp_axis_get_span (self->axis);
  g_autoptr (GArray) points = points_of (self, index);
  g_autoptr (GArray) below = self->stacked && index > 0 ? points_of (self, index - 1) : NULL;
  guint next = 0, next_below = 0;
  area.alpha = self->stacked ? 0.45f : 0.15f;
  for (int column = 0; column < raster->width; column++)
    {
      gint64 from = start + span * column / raster->width;
      gint64 to = start + span * (column + 1) / raster->width;
      double least, greatest, ground = 0, ignored;
      column_of (points, &next, from, to, &least, &greatest);
      if (isnan (least))
        continue;
      if (below != NULL)
        column_of (below, &next_below, from, to, &ignored, &ground);
      double unit = raster->height / self->scale;
      double top = raster->height - greatest * unit, bottom = raster->height - least * unit;
      if (fill)
        insp_raster_span (raster, column, bottom,
                          raster->height - (isnan (ground) ? 0 : ground) * unit, &area);
      insp_raster_span (raster, column, MIN (top - thickness / 2, raster->height - thickness),
                        MAX (bottom + thickness / 2, thickness), &line);
    }
}

static void
find_scale (InspChart *self)
{
  InspHistory *history = history_of (self);
  double greatest = isnan (self->mark) ? 0 : self->mark;
  guint64 from = insp_history_seek (history, insp_axis_get_start (self->axis));
  guint64 to = insp_history_seek (history, insp_axis_get_end (self->axis) + 1);
  self->is_empty = TRUE;
  for (guint64 number = from; number < to; number++)
    for (guint i = self->stacked ? series_count (self) - 1 : 0; i < series_count (self); i++)
      {
        double value = level (self, i, number);
        self->is_empty &= isnan (value);
        if (value > greatest)
          greatest = value;
      }
  self->scale = insp_unit_round_up (insp_series_get_unit (series_at (self, 0)), greatest);
}

static void
draw_texture (InspChart *self, int width, int height, int factor)
{
  InspRaster raster;
  g_clear_object (&self->texture);
  insp_raster_init (&raster, width * factor, height * factor);
  for (guint i = 0; i < series_count (self); i++)
    draw_line (self, &raster, i, LINE_WIDTH * factor);
  self->texture = insp_raster_finish (&raster);
  self->is_stale = FALSE;
}

/* ---- around them ---- */

static void
append_grid (InspChart *self, GtkSnapshot *snapshot, graphene_rect_t plot)
{
  GdkRGBA line = insp_palette_faint (GTK_WIDGET (self), 0.12);
  GdkRGBA text = insp_palette_faint (GTK_WIDGET (self), 0.65);
  InspUnit unit = insp_series_get_unit (series_at (self, 0));
  for (guint i = 0; i <= GRID_LINES; i++)
    {
      double y = floor (plot.size.height * (1 - (double) i / GRID_LINES));
      insp_plot_append_box (snapshot, 0, MIN (y, plot.size.height - 1), plot.size.width, 1, &line);
      if (i == 0 || i % 2 == 1 || self->is_empty)
        continue;
      g_autofree char *label = insp_unit_format (unit, self->scale * i / GRID_LINES);
      insp_plot_append_text (GTK_WIDGET (self), snapshot, label, 2, y + 1, 0, &text);
    }
}

static void
append_mark (InspChart *self, GtkSnapshot *snapshot, graphene_rect_t plot)
{
  GdkRGBA color = insp_palette_faint (GTK_WIDGET (self), 0.5);
  if (isnan (self->mark) || self->mark > self->scale)
    return;
  double y = floor (plot.size.height * (1 - self->mark / self->scale));
  for (double x = 0; x < plot.size.width; x += 8)
    insp_plot_append_box (snapshot, x, y, 4, 1, &color);
  insp_plot_append_text (GTK_WIDGET (self), snapshot, self->mark_name, plot.size.width - 2, y + 1,
                         1, &color);
}

static void
append_drag (InspChart *self, GtkSnapshot *snapshot, graphene_rect_t plot)
{
  GdkRGBA color = insp_palette_color (0, insp_palette_is_dark (GTK_WIDGET (self)));
  color.alpha = 0.2f;
  if (!isnan (self->drag_start))
    insp_plot_append_box (snapshot, MIN (self->drag_start, self->drag_end), 0,
                          fabs (self->drag_end - self->drag_start), plot.size.height, &color);
}

static void
insp_chart_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspChart *self = INSP_CHART (widget);
  graphene_rect_t plot = insp_plot_of (widget);
  int width = (int) plot.size.width, height = (int) plot.size.height;
  int factor = gtk_widget_get_scale_factor (widget);
  if (series_count (self) == 0 || width < 1)
    return;
  if (self->is_stale || self->texture == NULL
      || gdk_texture_get_width (self->texture) != width * factor
      || gdk_texture_get_height (self->texture) != height * factor)
    {
      find_scale (self);
      draw_texture (self, width, height, factor);
    }
  append_grid (self, snapshot, plot);
  insp_plot_append_times (widget, self->axis, snapshot);
  gtk_snapshot_append_texture (snapshot, self->texture, &plot);
  append_mark (self, snapshot, plot);
  append_drag (self, snapshot, plot);
  insp_plot_append_cursor (widget, self->axis, snapshot);
}

static void
insp_chart_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : 96;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 360 : 150;
}

/* ---- what assistive technology is told ---- */

static char *
describe (InspChart *self)
{
  GString *text = g_string_new (NULL);
  InspHistory *history = history_of (self);
  if (history == NULL)
    return g_string_free (text, FALSE);
  guint64 from = insp_history_seek (history, insp_axis_get_start (self->axis));
  guint64 to = insp_history_seek (history, insp_axis_get_end (self->axis) + 1);
  for (guint i = 0; i < series_count (self); i++)
    {
      InspSeries *series = series_at (self, i);
      double least, greatest;
      if (!insp_series_get_extent (series, from, to, &least, &greatest))
        continue;
      g_autofree char *now = insp_series_format (series, insp_series_get (series, to - 1));
      g_autofree char *low = insp_series_format (series, least);
      g_autofree char *high = insp_series_format (series, greatest);
      /* Translators: of a line in a chart: its name, the last, the least and the greatest figure */
      g_string_append_printf (text, _ ("%s: last %s, least %s, greatest %s. "),
                              insp_series_get_title (series), now, low, high);
    }
  return g_string_free (text, FALSE);
}

static gboolean
tell (gpointer data)
{
  InspChart *self = data;
  g_autofree char *text = describe (self);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                  -1);
  self->telling = 0;
  return G_SOURCE_REMOVE;
}

static void
go_stale (InspChart *self)
{
  self->is_stale = TRUE;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  if (self->telling == 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
    self->telling = g_timeout_add_seconds (TELLING_INTERVAL, tell, self);
}

/* ---- zooming in by a drag ---- */

static void
on_drag_update (InspChart *self, double x, double y, GtkGestureDrag *drag)
{
  double start_x, start_y;
  gtk_gesture_drag_get_start_point (drag, &start_x, &start_y);
  if (isnan (self->drag_start) && fabs (x) < DRAG_LEAST)
    return;
  self->drag_start = start_x;
  self->drag_end = CLAMP (start_x + x, 0, gtk_widget_get_width (GTK_WIDGET (self)));
  gtk_gesture_set_state (GTK_GESTURE (drag), GTK_EVENT_SEQUENCE_CLAIMED);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_drag_end (InspChart *self, double x, double y, GtkGestureDrag *drag)
{
  double from = MIN (self->drag_start, self->drag_end);
  double to = MAX (self->drag_start, self->drag_end);
  if (isnan (self->drag_start))
    return;
  self->drag_start = NAN;
  insp_axis_show (self->axis, insp_plot_time_at (GTK_WIDGET (self), self->axis, from),
                  insp_plot_time_at (GTK_WIDGET (self), self->axis, to));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
add_drag (InspChart *self)
{
  GtkGesture *drag = gtk_gesture_drag_new ();
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (on_drag_update), self);
  g_signal_connect_swapped (drag, "drag-end", G_CALLBACK (on_drag_end), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
}

/* ---- the object ---- */

static void
insp_chart_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (insp_chart_parent_class)->css_changed (widget, change);
  INSP_CHART (widget)->is_stale = TRUE;
}

static void
insp_chart_dispose (GObject *object)
{
  InspChart *self = INSP_CHART (object);
  g_clear_handle_id (&self->telling, g_source_remove);
  g_clear_object (&self->texture);
  g_clear_object (&self->series);
  g_clear_object (&self->axis);
  g_clear_pointer (&self->title, g_free);
  g_clear_pointer (&self->mark_name, g_free);
  G_OBJECT_CLASS (insp_chart_parent_class)->dispose (object);
}

static void
insp_chart_class_init (InspChartClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_chart_dispose;
  widget_class->snapshot = insp_chart_snapshot;
  widget_class->measure = insp_chart_measure;
  widget_class->css_changed = insp_chart_css_changed;
  gtk_widget_class_set_css_name (widget_class, "insp-chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
insp_chart_init (InspChart *self)
{
  self->series = g_list_store_new (INSP_TYPE_SERIES);
  self->is_stale = TRUE;
  self->scale = 1;
  self->mark = self->drag_start = NAN;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  add_drag (self);
}

GtkWidget *
insp_chart_new (const char *title, InspAxis *axis)
{
  InspChart *self = g_object_new (INSP_TYPE_CHART, NULL);
  self->title = g_strdup (title);
  self->axis = g_object_ref (axis);
  insp_pointing_add (GTK_WIDGET (self), axis, NULL);
  g_signal_connect_object (axis, "changed", G_CALLBACK (go_stale), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "pointed", G_CALLBACK (gtk_widget_queue_draw), self,
                           G_CONNECT_SWAPPED);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return GTK_WIDGET (self);
}

void
insp_chart_add (InspChart *self, InspSeries *series)
{
  g_list_store_append (self->series, series);
  insp_pointing_set_history (GTK_WIDGET (self), insp_series_get_history (series));
  go_stale (self);
}

void
insp_chart_set_mark (InspChart *self, double value, const char *name)
{
  if (value == self->mark)
    return;
  self->mark = value;
  g_free (self->mark_name);
  self->mark_name = g_strdup (name);
  go_stale (self);
}

void
insp_chart_set_stacked (InspChart *self, gboolean stacked)
{
  self->stacked = stacked;
  go_stale (self);
}

GListModel *
insp_chart_get_series (InspChart *self)
{
  return G_LIST_MODEL (self->series);
}

InspAxis *
insp_chart_get_axis (InspChart *self)
{
  return self->axis;
}
