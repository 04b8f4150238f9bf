/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-plot.h"
#include "insp-pointing.h"

#define ZOOM_STEP 1.25 /* of one turn of the wheel */

typedef struct
{
  GtkWidget *widget;    /* holds this; borrowed */
  InspAxis *axis;       /* owned */
  InspHistory *history; /* NULL: not known yet; owned */
} Pointing;

static GQuark
pointing_quark (void)
{
  return g_quark_from_static_string ("insp-pointing");
}

static void
pointing_free (gpointer data)
{
  Pointing *self = data;
  g_clear_object (&self->axis);
  g_clear_object (&self->history);
  g_free (self);
}

static void
on_motion (Pointing *self, double x, double y)
{
  insp_axis_set_cursor (self->axis, insp_plot_time_at (self->widget, self->axis, x));
}

static void
on_leave (Pointing *self)
{
  insp_axis_set_cursor (self->axis, 0);
}

static void
on_pressed (Pointing *self, int times, double x, double y)
{
  gtk_widget_grab_focus (self->widget);
  if (times == 2)
    insp_axis_reset (self->axis);
}

static gboolean
on_scroll (Pointing *self, double dx, double dy, GtkEventController *controller)
{
  if (!(gtk_event_controller_get_current_event_state (controller) & GDK_CONTROL_MASK))
    return GDK_EVENT_PROPAGATE;
  insp_axis_zoom (self->axis, pow (ZOOM_STEP, dy), insp_axis_get_cursor (self->axis));
  return GDK_EVENT_STOP;
}

/* One sample further than where is pointed at, or the newest. */
static void
point_beside (Pointing *self, int step)
{
  InspHistory *history = self->history;
  if (history == NULL || insp_history_get_end (history) == insp_history_get_first (history))
    return;
  gint64 cursor = insp_axis_get_cursor (self->axis);
  guint64 first = insp_history_get_first (history), last = insp_history_get_end (history) - 1;
  guint64 number = last;
  if (cursor != 0)
    {
      number = MIN (insp_history_seek (history, cursor), last);
      if (step < 0 && number > first)
        number--;
      else if (step > 0 && number < last)
        number++;
    }
  insp_axis_set_cursor (self->axis, insp_history_get_time (history, number));
}

static gboolean
on_key (Pointing *self, guint key)
{
  gint64 cursor = insp_axis_get_cursor (self->axis);
  switch (key)
    {
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      point_beside (self, -1);
      return GDK_EVENT_STOP;
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      point_beside (self, 1);
      return GDK_EVENT_STOP;
    case GDK_KEY_plus:
    case GDK_KEY_equal:
    case GDK_KEY_KP_Add:
      insp_axis_zoom (self->axis, 1 / ZOOM_STEP, cursor);
      return GDK_EVENT_STOP;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract:
      insp_axis_zoom (self->axis, ZOOM_STEP, cursor);
      return GDK_EVENT_STOP;
    case GDK_KEY_Home:
    case GDK_KEY_KP_Home:
      insp_axis_reset (self->axis);
      return GDK_EVENT_STOP;
    case GDK_KEY_Escape:
      insp_axis_set_cursor (self->axis, 0);
      return cursor != 0;
    default:
      return GDK_EVENT_PROPAGATE;
    }
}

void
insp_pointing_add (GtkWidget *widget, InspAxis *axis, InspHistory *history)
{
  Pointing *self = g_new0 (Pointing, 1);
  self->widget = widget;
  self->axis = g_object_ref (axis);
  g_object_set_qdata_full (G_OBJECT (widget), pointing_quark (), self, pointing_free);
  insp_pointing_set_history (widget, history);
  GtkEventController *motion = gtk_event_controller_motion_new ();
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (on_leave), self);
  gtk_widget_add_controller (widget, motion);
  GtkGesture *click = gtk_gesture_click_new ();
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (on_pressed), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (click));
  GtkEventController *scroll
      = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  g_signal_connect_swapped (scroll, "scroll", G_CALLBACK (on_scroll), self);
  gtk_widget_add_controller (widget, scroll);
  GtkEventController *keys = gtk_event_controller_key_new ();
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (on_key), self);
  gtk_widget_add_controller (widget, keys);
}

void
insp_pointing_set_history (GtkWidget *widget, InspHistory *history)
{
  Pointing *self = g_object_get_qdata (G_OBJECT (widget), pointing_quark ());
  g_set_object (&self->history, history);
}
