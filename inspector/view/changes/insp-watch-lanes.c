/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-pointing.h"
#include "insp-unit.h"
#include "insp-watch-lanes.h"

#define NAME_HEIGHT 18  /* pixels, at least */
#define MARKS_HEIGHT 34 /* below it */
#define LANE_FOOT 4     /* below that */
#define AIM_WIDTH 44    /* of its label, at least */
#define LANES_MOST 12u /* further watches are in the table alone */
#define MARK_LEAST 4.0 /* pixels */
#define MARK_MOST 12.0
#define POINT_REACH 6 /* pixels that may be pointed beside a mark */
#define GAP_NAMED                                                                                  \
  300 /* pixels from which on a gap is called by its name, beside those of watches */

struct _InspWatchLanes
{
  GtkWidget parent_instance;

  InspWatchLog *log; /* owned */
  InspAxis *axis;    /* owned */
  int name_height;   /* pixels, of a lane's: measured before all are drawn */
};

G_DEFINE_FINAL_TYPE (InspWatchLanes, insp_watch_lanes, GTK_TYPE_WIDGET)

/* ---- places ---- */

double
insp_watch_lanes_place (gint64 delay)
{
  double aims = (double) MAX (delay, 0) / INSP_WATCH_AIM;
  return aims / (1 + aims); /* nothing lies beyond the top, however late it is */
}

static double
size_of_mark (guint64 changes)
{
  return MIN (MARK_LEAST + 2 * log10 ((double) MAX (changes, 1)), MARK_MOST);
}

/* The watches that have a lane, the first ones, and how many have none. */
static guint
find_lanes (InspWatchLanes *self, const LdbActiveWatch *lanes[LANES_MOST], guint *beyond)
{
  InspRowList *list = insp_watch_log_get_watches (self->log);
  const LdbActiveWatch *watch;
  guint count = 0;
  *beyond = 0;
  for (guint i = 0; (watch = insp_row_list_get (list, i)) != NULL; i++)
    if (count < LANES_MOST)
      lanes[count++] = watch;
    else
      (*beyond)++;
  return count;
}

/* How many have none, in words; "": each has one. Free it. */
static char *
format_beyond (guint beyond)
{
  if (beyond == 0)
    return g_strdup ("");
  /* Translators: of a chart with a lane for each watch: so many have none */
  return g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%u more in the table", "%u more in the table", beyond),
      beyond);
}

static void
measure_names (InspWatchLanes *self)
{
  self->name_height = MAX (NAME_HEIGHT, insp_plot_text_height (GTK_WIDGET (self)) + 2);
}

static int
lane_height (InspWatchLanes *self)
{
  return self->name_height + MARKS_HEIGHT + LANE_FOOT;
}

static double
lane_top (InspWatchLanes *self, guint lane)
{
  return (double) lane * lane_height (self);
}

static double
plot_top (InspWatchLanes *self, guint lane)
{
  return lane_top (self, lane) + self->name_height;
}

static double
y_of (InspWatchLanes *self, guint lane, double place)
{
  return plot_top (self, lane) + MARKS_HEIGHT * (1 - place);
}

/* ---- marks ---- */

static void
append_hollow (GtkSnapshot *snapshot, double x, double y, double size, const GdkRGBA *color)
{
  graphene_rect_t box = GRAPHENE_RECT_INIT ((float) x, (float) y, (float) size, (float) size);
  GskRoundedRect outline;
  const float widths[] = { 1.5f, 1.5f, 1.5f, 1.5f };
  const GdkRGBA colors[] = { *color, *color, *color, *color };
  gsk_rounded_rect_init_from_rect (&outline, &box, 0);
  gtk_snapshot_append_border (snapshot, &outline, widths, colors);
}

static void
append_mark (InspWatchLanes *self, GtkSnapshot *snapshot, guint lane,
             const LdbWatchDelivery *delivery, double x)
{
  gboolean dark = insp_palette_is_dark (GTK_WIDGET (self));
  gint64 delay = insp_watch_get_delay (delivery);
  double size = size_of_mark (delivery->changes);
  double y = y_of (self, lane, insp_watch_lanes_place (delay)) - size / 2;
  GdkRGBA color = insp_palette_color (delivery->resync ? 4 : delay > INSP_WATCH_AIM, dark);
  if (delivery->resync)
    insp_plot_append_box (snapshot, floor (x) - 1, plot_top (self, lane), 3, MARKS_HEIGHT, &color);
  else if (delay < 0 || delay > INSP_WATCH_AIM)
    append_hollow (snapshot, floor (x - size / 2), floor (y), size, &color);
  else
    insp_plot_append_box (snapshot, floor (x - size / 2), floor (y), size, size, &color);
}

/* Those in one place of a lane are drawn once: many come in a pixel when a long time is shown. */
static void
append_marks (InspWatchLanes *self, GtkSnapshot *snapshot, const LdbActiveWatch **lanes,
              guint count)
{
  InspRowList *list = insp_watch_log_get_deliveries (self->log);
  gint64 start = insp_axis_get_start (self->axis), end = insp_axis_get_end (self->axis);
  const LdbWatchDelivery *its;
  int last[LANES_MOST][2];
  memset (last, 0xff, sizeof last);
  for (guint i = 0; (its = insp_row_list_get (list, i)) != NULL; i++)
    {
      gint64 time = insp_axis_from_clock (self->axis, its->delivered);
      guint lane = 0;
      while (lane < count && lanes[lane]->id != its->watch)
        lane++;
      if (time < start)
        break;
      if (lane == count || time > end)
        continue;
      double x = insp_plot_x_of (GTK_WIDGET (self), self->axis, time);
      double delay = insp_watch_lanes_place (insp_watch_get_delay (its));
      int place[] = { (int) x, (int) y_of (self, lane, delay) };
      if (!its->resync && memcmp (place, last[lane], sizeof place) == 0)
        continue;
      memcpy (last[lane], place, sizeof place);
      append_mark (self, snapshot, lane, its, x);
    }
}

/* ---- where nothing is known ---- */

/* From where to where a gap can be seen. FALSE: it can't. */
static gboolean
place_gap (InspWatchLanes *self, gint64 start, gint64 end, double *left, double *right)
{
  GtkWidget *widget = GTK_WIDGET (self);
  gint64 from = MAX (insp_axis_from_clock (self->axis, start), insp_axis_get_start (self->axis));
  gint64 to = MIN (insp_axis_from_clock (self->axis, end), insp_axis_get_end (self->axis));
  if (to <= from)
    return FALSE;
  *left = ceil (insp_plot_x_of (widget, self->axis, from));
  *right = floor (insp_plot_x_of (widget, self->axis, to));
  return *right > *left;
}

static void
append_gaps (InspWatchLanes *self, GtkSnapshot *snapshot, guint count)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA shade = insp_palette_faint (widget, 0.05), text = insp_palette_faint (widget, 0.65);
  double left, right;
  gint64 start, end;
  for (guint i = 0; insp_watch_log_get_gap (self->log, i, &start, &end); i++)
    if (place_gap (self, start, end, &left, &right))
      {
        insp_plot_append_box (snapshot, left, 0, right - left, lane_top (self, count), &shade);
        if (count > 0 && right - left >= GAP_NAMED)
          /* Translators: of a part of a chart of what was told to watches over time */
          insp_plot_append_text (widget, snapshot, _ ("Not noted"), (left + right) / 2, 2, 0.5,
                                 &text);
      }
}

static gboolean
is_in_gap (InspWatchLanes *self, double x)
{
  double left, right;
  gint64 start, end;
  for (guint i = 0; insp_watch_log_get_gap (self->log, i, &start, &end); i++)
    if (place_gap (self, start, end, &left, &right) && x >= left && x < right)
      return TRUE;
  return FALSE;
}

static const char *
describe_gap (void)
{
  /* Translators: of the shaded part of a chart of what was told to watches over time */
  return _ ("Shaded: the application noted nothing, since this page was not shown.");
}

/* ---- lanes ---- */

static void
append_lane (InspWatchLanes *self, GtkSnapshot *snapshot, guint lane, const LdbActiveWatch *watch)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA text = insp_palette_faint (widget, 0.65), line = insp_palette_faint (widget, 0.12);
  GdkRGBA aim = insp_palette_faint (widget, 0.35);
  double width = gtk_widget_get_width (widget), middle = floor (y_of (self, lane, 0.5));
  g_autofree char *name = insp_watch_format (watch);
  double top = lane_top (self, lane);
  int text_height = insp_plot_text_height (widget), aim_width = MAX (AIM_WIDTH, 3 * text_height);
  insp_plot_append_box (snapshot, 0, top, width, 1, &line);
  insp_plot_append_text (widget, snapshot, name, 2, top + 2, 0, &text);
  for (double x = aim_width; x < width; x += 8) /* dashes, behind the label */
    insp_plot_append_box (snapshot, x, middle, 4, 1, &aim);
  insp_plot_append_text (widget, snapshot, _ ("12 ms"), 2, middle - text_height / 2, 0, &text);
}

static void
insp_watch_lanes_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspWatchLanes *self = INSP_WATCH_LANES (widget);
  GdkRGBA text = insp_palette_faint (widget, 0.65);
  const LdbActiveWatch *lanes[LANES_MOST];
  guint beyond, count = find_lanes (self, lanes, &beyond);
  measure_names (self);
  if (count == 0)
    insp_plot_append_text (widget, snapshot, _ ("Each watch of the application has a lane here."),
                           gtk_widget_get_width (widget) / 2.0, lane_height (self) / 2 - 8, 0.5,
                           &text);
  append_gaps (self, snapshot, count);
  for (guint i = 0; i < count; i++)
    append_lane (self, snapshot, i, lanes[i]);
  append_marks (self, snapshot, lanes, count);
  if (count > 0)
    insp_plot_append_times (widget, self->axis, snapshot);
  insp_plot_append_cursor (widget, self->axis, snapshot);
  g_autofree char *more = format_beyond (beyond);
  insp_plot_append_text (widget, snapshot, more, gtk_widget_get_width (widget), 2, 1, &text);
}

static void
insp_watch_lanes_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                          int *natural, int *minimum_baseline, int *natural_baseline)
{
  const LdbActiveWatch *lanes[LANES_MOST];
  InspWatchLanes *self = INSP_WATCH_LANES (widget);
  guint beyond, count = MAX (find_lanes (self, lanes, &beyond), 1);
  measure_names (self);
  int height = (int) lane_top (self, count) + insp_plot_labels_height (widget);
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : height;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 360 : height;
}

/* ---- words ---- */

/* The delivery at a place of a lane; NULL: there is none. */
static const LdbWatchDelivery *
delivery_at (InspWatchLanes *self, guint64 watch, double x)
{
  InspRowList *list = insp_watch_log_get_deliveries (self->log);
  const LdbWatchDelivery *its, *nearest = NULL;
  double reach = POINT_REACH;
  for (guint i = 0; (its = insp_row_list_get (list, i)) != NULL; i++)
    {
      gint64 time = insp_axis_from_clock (self->axis, its->delivered);
      double away = fabs (insp_plot_x_of (GTK_WIDGET (self), self->axis, time) - x);
      if (its->watch != watch || away > reach)
        continue;
      reach = away;
      nearest = its;
    }
  return nearest;
}

static gboolean
on_tooltip (InspWatchLanes *self, int x, int y, gboolean by_keyboard, GtkTooltip *tooltip)
{
  const LdbActiveWatch *lanes[LANES_MOST];
  guint beyond, count = find_lanes (self, lanes, &beyond);
  guint lane = (guint) (MAX (y, 0) / lane_height (self));
  const LdbWatchDelivery *its
      = lane < count && !by_keyboard ? delivery_at (self, lanes[lane]->id, x) : NULL;
  if (its == NULL && !by_keyboard && lane < count && is_in_gap (self, x))
    {
      gtk_tooltip_set_text (tooltip, describe_gap ());
      return TRUE;
    }
  if (its == NULL)
    return FALSE;
  gint64 delay = insp_watch_get_delay (its);
  g_autofree char *late
      = insp_unit_format (INSP_UNIT_NANOSECONDS, delay >= 0 ? (double) delay * 1000 : NAN);
  g_autofree char *changes = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%u change", "%u changes", (gulong) its->changes),
      (guint) its->changes);
  /* Translators: how many changes a watch was told of, and how long after their commit */
  g_autofree char *text = its->resync
                              ? g_strdup (_ ("Told to read everything anew"))
                              : g_strdup_printf (_ ("%s, %s after the commit"), changes, late);
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

static void
describe (InspWatchLanes *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const LdbActiveWatch *lanes[LANES_MOST];
  guint beyond, count = find_lanes (self, lanes, &beyond);
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *name = insp_watch_format (lanes[i]);
      /* Translators: of a chart of watches: a watch, and how often it was told of changes */
      g_string_append_printf (text, _ ("%s: %u. "), name, (guint) lanes[i]->deliveries);
    }
  gint64 start, end;
  if (count > 0 && insp_watch_log_get_gap (self->log, 0, &start, &end))
    g_string_append_printf (text, "%s ", describe_gap ());
  g_autofree char *more = format_beyond (beyond);
  g_string_append (text, more);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  text->str, -1);
}

static void
on_log (InspWatchLanes *self)
{
  gtk_widget_queue_resize (GTK_WIDGET (self));
  describe (self);
}

/* ---- the object ---- */

static void
insp_watch_lanes_dispose (GObject *object)
{
  InspWatchLanes *self = INSP_WATCH_LANES (object);
  g_clear_object (&self->log);
  g_clear_object (&self->axis);
  G_OBJECT_CLASS (insp_watch_lanes_parent_class)->dispose (object);
}

static void
insp_watch_lanes_class_init (InspWatchLanesClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_watch_lanes_dispose;
  widget_class->snapshot = insp_watch_lanes_snapshot;
  widget_class->measure = insp_watch_lanes_measure;
  gtk_widget_class_set_css_name (widget_class, "insp-chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
insp_watch_lanes_init (InspWatchLanes *self)
{
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  g_signal_connect (self, "query-tooltip", G_CALLBACK (on_tooltip), NULL);
}

GtkWidget *
insp_watch_lanes_new (InspWatchLog *log, InspAxis *axis, InspHistory *history)
{
  InspWatchLanes *self = g_object_new (INSP_TYPE_WATCH_LANES, NULL);
  self->log = g_object_ref (log);
  self->axis = g_object_ref (axis);
  insp_pointing_add (GTK_WIDGET (self), axis, history);
  g_signal_connect_object (log, "changed", G_CALLBACK (on_log), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "changed", G_CALLBACK (gtk_widget_queue_draw), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "pointed", G_CALLBACK (gtk_widget_queue_draw), self,
                           G_CONNECT_SWAPPED);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Deliveries to watches over time"), -1);
  return GTK_WIDGET (self);
}
