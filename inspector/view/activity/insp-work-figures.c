/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-figure.h"
#include "insp-flow.h"
#include "insp-unit.h"
#include "insp-work-figures.h"

#define TILES 6u

struct _InspWorkFigures
{
  GtkWidget parent_instance;

  InspHistory *history; /* owned */
  InspAxis *axis;       /* owned */
  GtkWidget *flow;      /* child */
  InspFigure *figures[TILES];
};

G_DEFINE_FINAL_TYPE (InspWorkFigures, insp_work_figures, GTK_TYPE_WIDGET)

/* ---- figures ---- */

static gint64
rise (InspHistory *history, const char *name, guint64 first, guint64 last)
{
  int column = insp_history_find (history, name);
  if (column < 0)
    return 0;
  return MAX (insp_history_get_value (history, last, column)
                  - insp_history_get_value (history, first, column),
              0);
}

InspWork
insp_work_of (InspHistory *history, gint64 from, gint64 to)
{
  guint64 first = insp_history_seek (history, from), end = insp_history_seek (history, to + 1);
  if (end <= first + 1)
    return (InspWork){ 0, 0, 0, 0, 0 };
  return (InspWork){
    .user_bytes = rise (history, "user_bytes", first, end - 1),
    .log_bytes = rise (history, "log_bytes", first, end - 1),
    .flush_bytes = rise (history, "flush_bytes", first, end - 1),
    .merge_bytes = rise (history, "merge_bytes_written", first, end - 1),
    .stalls = rise (history, "stalls", first, end - 1),
  };
}

double
insp_work_amplification (InspWork self)
{
  if (self.user_bytes <= 0)
    return NAN;
  return (double) (self.log_bytes + self.flush_bytes + self.merge_bytes) / (double) self.user_bytes;
}

static void
set_figure (InspWorkFigures *self, guint index, InspUnit unit, double value)
{
  g_autofree char *text = insp_unit_format (unit, value);
  insp_figure_say (self->figures[index], text);
}

static void
fill (InspWorkFigures *self)
{
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  InspWork work = insp_work_of (self->history, insp_axis_get_start (self->axis),
                                insp_axis_get_end (self->axis));
  set_figure (self, 0, INSP_UNIT_BYTES, (double) work.user_bytes);
  set_figure (self, 1, INSP_UNIT_BYTES, (double) work.log_bytes);
  set_figure (self, 2, INSP_UNIT_BYTES, (double) work.flush_bytes);
  set_figure (self, 3, INSP_UNIT_BYTES, (double) work.merge_bytes);
  set_figure (self, 4, INSP_UNIT_COUNT, insp_work_amplification (work));
  set_figure (self, 5, INSP_UNIT_COUNT, (double) work.stalls);
}

/* ---- the object ---- */

static void
insp_work_figures_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_work_figures_parent_class)->map (widget);
  fill (INSP_WORK_FIGURES (widget));
}

static void
insp_work_figures_dispose (GObject *object)
{
  InspWorkFigures *self = INSP_WORK_FIGURES (object);
  g_clear_pointer (&self->flow, gtk_widget_unparent);
  g_clear_object (&self->history);
  g_clear_object (&self->axis);
  G_OBJECT_CLASS (insp_work_figures_parent_class)->dispose (object);
}

static void
insp_work_figures_class_init (InspWorkFiguresClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_work_figures_dispose;
  GTK_WIDGET_CLASS (class)->map = insp_work_figures_map;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
add_tile (InspWorkFigures *self, guint index, const char *name)
{
  GtkWidget *tile = insp_figure_new_tile (name);
  self->figures[index] = INSP_FIGURE (tile);
  insp_flow_add (self->flow, tile);
}

static void
insp_work_figures_init (InspWorkFigures *self)
{
  self->flow = insp_flow_new_even (2, TILES, 12);
  gtk_widget_set_parent (self->flow, GTK_WIDGET (self));
  /* Translators: what was written in the time that is shown, from here to “Stalls” */
  add_tile (self, 0, _ ("Committed"));
  add_tile (self, 1, _ ("Log"));
  add_tile (self, 2, _ ("Flushes"));
  add_tile (self, 3, _ ("Merges"));
  add_tile (self, 4, _ ("Write amplification"));
  add_tile (self, 5, _ ("Stalls"));
}

GtkWidget *
insp_work_figures_new (InspHistory *history, InspAxis *axis)
{
  InspWorkFigures *self = g_object_new (INSP_TYPE_WORK_FIGURES, NULL);
  self->history = g_object_ref (history);
  self->axis = g_object_ref (axis);
  g_signal_connect_object (history, "appended", G_CALLBACK (fill), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "changed", G_CALLBACK (fill), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
