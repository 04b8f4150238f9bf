/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-gantt.h"
#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-pointing.h"
#include "insp-unit.h"

#define NAME_HEIGHT 16 /* pixels, at least */
#define BARS_HEIGHT 28 /* below it */
#define ROWS_MOST 8u  /* of a lane that are told apart */
#define BAR_LEAST 2.0 /* pixels of width */

struct _InspGantt
{
  GtkWidget parent_instance;

  InspEventLog *log; /* owned */
  InspAxis *axis;    /* owned */
};

G_DEFINE_FINAL_TYPE (InspGantt, insp_gantt, GTK_TYPE_WIDGET)

static const LdbEventKind lanes[] = { LDB_EVENT_FLUSHED, LDB_EVENT_MERGED, LDB_EVENT_STALLED };

guint
insp_gantt_place (const gint64 (*spans)[2], guint count, guint *rows)
{
  gint64 ends[ROWS_MOST];
  guint used = 0;
  for (guint i = 0; i < count; i++)
    {
      guint row = 0;
      while (row < used && ends[row] > spans[i][0])
        row++;
      if (row == ROWS_MOST)
        row--; /* they lie over one another there */
      used = MAX (used, row + 1);
      ends[row] = spans[i][1];
      rows[i] = row;
    }
  return used;
}

/* ---- bars ---- */

static int
compare_begins (gconstpointer first, gconstpointer second)
{
  gint64 difference = ((const gint64 *) first)[0] - ((const gint64 *) second)[0];
  return difference < 0 ? -1 : difference > 0;
}

/* On the axis. */
static void
get_span (InspGantt *self, const LdbEvent *event, gint64 *from, gint64 *to)
{
  insp_event_get_span (event, from, to);
  *from = insp_axis_from_clock (self->axis, *from);
  *to = insp_axis_from_clock (self->axis, *to);
}

/* Begin and end of what is shown of a kind, by begin. */
static GArray *
spans_of (InspGantt *self, LdbEventKind kind)
{
  const LdbEvent *event;
  InspRowList *list = insp_event_log_get_list (self->log);
  GArray *spans = g_array_new (FALSE, FALSE, 2 * sizeof (gint64));
  for (guint i = 0; (event = insp_row_list_get (list, i)) != NULL; i++)
    {
      gint64 span[2];
      if (event->kind != kind)
        continue;
      get_span (self, event, &span[0], &span[1]);
      if (span[1] >= insp_axis_get_start (self->axis) && span[0] <= insp_axis_get_end (self->axis))
        g_array_append_vals (spans, span, 1);
    }
  g_array_sort (spans, compare_begins);
  return spans;
}

static int
name_height (InspGantt *self)
{
  return MAX (NAME_HEIGHT, insp_plot_text_height (GTK_WIDGET (self)) + 1);
}

static int
lane_height (InspGantt *self)
{
  return name_height (self) + BARS_HEIGHT;
}

static void
append_lane (InspGantt *self, GtkSnapshot *snapshot, guint index)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA color = insp_palette_color (index, insp_palette_is_dark (widget));
  GdkRGBA text = insp_palette_faint (widget, 0.65), line = insp_palette_faint (widget, 0.12);
  g_autoptr (GArray) spans = spans_of (self, lanes[index]);
  const gint64 (*span)[2] = (const gint64 (*)[2]) (void *) spans->data;
  g_autofree guint *rows = g_new (guint, spans->len + 1);
  guint used = MAX (insp_gantt_place (span, spans->len, rows), 1);
  double top = index * (guint) lane_height (self), height = floor ((BARS_HEIGHT - 4.0) / used);
  double bars = top + name_height (self);
  insp_plot_append_box (snapshot, 0, top, gtk_widget_get_width (widget), 1, &line);
  insp_plot_append_text (widget, snapshot, insp_event_name (lanes[index]), 2, top + 1, 0, &text);
  for (guint i = 0; i < spans->len; i++)
    {
      double x = insp_plot_x_of (widget, self->axis, span[i][0]);
      double width = insp_plot_x_of (widget, self->axis, span[i][1]) - x;
      insp_plot_append_box (snapshot, x, bars + rows[i] * height, MAX (width, BAR_LEAST),
                            MAX (height - 1, 1), &color);
    }
}

static void
insp_gantt_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspGantt *self = INSP_GANTT (widget);
  for (guint i = 0; i < G_N_ELEMENTS (lanes); i++)
    append_lane (self, snapshot, i);
  insp_plot_append_times (widget, self->axis, snapshot);
  insp_plot_append_cursor (widget, self->axis, snapshot);
}

static void
insp_gantt_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  int height = (int) G_N_ELEMENTS (lanes) * lane_height (INSP_GANTT (widget))
               + insp_plot_labels_height (widget);
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : height;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 360 : height;
}

/* ---- words ---- */

/* The job at a place of a lane; NULL: there is none. */
static const LdbEvent *
job_at (InspGantt *self, LdbEventKind kind, gint64 time)
{
  const LdbEvent *event;
  InspRowList *list = insp_event_log_get_list (self->log);
  gint64 reach = insp_axis_get_span (self->axis) / 200; /* bars may be narrow */
  for (guint i = 0; (event = insp_row_list_get (list, i)) != NULL; i++)
    {
      gint64 from, to;
      get_span (self, event, &from, &to);
      if (event->kind == kind && time >= from - reach && time <= to + reach)
        return event;
    }
  return NULL;
}

static gboolean
on_tooltip (InspGantt *self, int x, int y, gboolean by_keyboard, GtkTooltip *tooltip)
{
  guint lane = (guint) (MAX (y, 0) / lane_height (self));
  const LdbEvent *event
      = lane < G_N_ELEMENTS (lanes) && !by_keyboard
            ? job_at (self, lanes[lane], insp_plot_time_at (GTK_WIDGET (self), self->axis, x))
            : NULL;
  if (event == NULL)
    return FALSE;
  g_autofree char *text = ldb_event_describe (event);
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

static void
describe (InspGantt *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (lanes); i++)
    {
      g_autoptr (GArray) spans = spans_of (self, lanes[i]);
      /* Translators: of a chart of jobs: a kind of job, and how many there are */
      g_string_append_printf (text, _ ("%s: %u. "), insp_event_name (lanes[i]), spans->len);
    }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  text->str, -1);
}

static void
on_log (InspGantt *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
  describe (self);
}

/* ---- the object ---- */

static void
insp_gantt_dispose (GObject *object)
{
  InspGantt *self = INSP_GANTT (object);
  g_clear_object (&self->log);
  g_clear_object (&self->axis);
  G_OBJECT_CLASS (insp_gantt_parent_class)->dispose (object);
}

static void
insp_gantt_class_init (InspGanttClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_gantt_dispose;
  widget_class->snapshot = insp_gantt_snapshot;
  widget_class->measure = insp_gantt_measure;
  gtk_widget_class_set_css_name (widget_class, "insp-chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
insp_gantt_init (InspGantt *self)
{
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  g_signal_connect (self, "query-tooltip", G_CALLBACK (on_tooltip), NULL);
}

GtkWidget *
insp_gantt_new (InspEventLog *log, InspSession *session)
{
  InspGantt *self = g_object_new (INSP_TYPE_GANTT, NULL);
  InspAxis *axis = insp_session_get_axis (session);
  self->log = g_object_ref (log);
  self->axis = g_object_ref (axis);
  insp_pointing_add (GTK_WIDGET (self), axis, insp_session_get_history (session));
  g_signal_connect_object (log, "changed", G_CALLBACK (on_log), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "changed", G_CALLBACK (gtk_widget_queue_draw), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "pointed", G_CALLBACK (gtk_widget_queue_draw), self,
                           G_CONNECT_SWAPPED);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Flushes, merges and stalls over time"), -1);
  describe (self);
  return GTK_WIDGET (self);
}
