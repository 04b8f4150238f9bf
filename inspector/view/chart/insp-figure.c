/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-figure.h"
#include "insp-flow.h"

#define TILES_MOST 8 /* beside one another */

struct _InspFigure
{
  GtkWidget parent_instance;

  InspSeries *series; /* NULL: it is told what to say; owned */
  GtkWidget *figure;  /* child */
  GtkWidget *name;    /* child */
};

G_DEFINE_FINAL_TYPE (InspFigure, insp_figure, GTK_TYPE_WIDGET)

static double
newest (InspSeries *series)
{
  guint64 end = insp_history_get_end (insp_series_get_history (series));
  return end > 0 ? insp_series_get_recent (series, end - 1) : NAN;
}

static void
follow (InspFigure *self)
{
  if (self->series == NULL || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  g_autofree char *text = insp_series_format (self->series, newest (self->series));
  insp_figure_say (self, text);
}

static void
insp_figure_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_figure_parent_class)->map (widget);
  follow (INSP_FIGURE (widget));
}

static void
insp_figure_dispose (GObject *object)
{
  InspFigure *self = INSP_FIGURE (object);
  g_clear_pointer (&self->figure, gtk_widget_unparent);
  g_clear_pointer (&self->name, gtk_widget_unparent);
  g_clear_object (&self->series);
  G_OBJECT_CLASS (insp_figure_parent_class)->dispose (object);
}

static void
insp_figure_class_init (InspFigureClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_figure_dispose;
  widget_class->map = insp_figure_map;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "insp-figure");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
insp_figure_init (InspFigure *self)
{
  GtkLayoutManager *layout = gtk_widget_get_layout_manager (GTK_WIDGET (self));
  gtk_orientable_set_orientation (GTK_ORIENTABLE (layout), GTK_ORIENTATION_VERTICAL);
  self->figure = gtk_label_new ("–");
  self->name = gtk_label_new (NULL);
  gtk_widget_add_css_class (self->figure, "numeric");
  gtk_widget_add_css_class (self->name, "dim-label");
  gtk_widget_add_css_class (self->name, "caption");
  gtk_label_set_xalign (GTK_LABEL (self->figure), 0);
  gtk_label_set_xalign (GTK_LABEL (self->name), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->name), PANGO_ELLIPSIZE_END);
  gtk_widget_set_parent (self->figure, GTK_WIDGET (self));
  gtk_widget_set_parent (self->name, GTK_WIDGET (self));
}

static InspFigure *
new_of (const char *title, gboolean large)
{
  InspFigure *self = g_object_new (INSP_TYPE_FIGURE, NULL);
  gtk_label_set_text (GTK_LABEL (self->name), title);
  gtk_widget_add_css_class (self->figure, large ? "title-2" : "heading");
  gtk_label_set_width_chars (GTK_LABEL (self->figure), large ? 8 : 9); /* so that nothing jumps */
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return self;
}

GtkWidget *
insp_figure_new (InspSeries *series, gboolean large)
{
  InspFigure *self = new_of (insp_series_get_title (series), large);
  self->series = series;
  g_signal_connect_object (insp_series_get_history (series), "figures", G_CALLBACK (follow), self,
                           G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}

GtkWidget *
insp_figure_new_tile (const char *title)
{
  GtkWidget *self = GTK_WIDGET (new_of (title, TRUE));
  gtk_widget_add_css_class (self, "insp-tile");
  return self;
}

void
insp_figure_say (InspFigure *self, const char *text)
{
  gtk_label_set_text (GTK_LABEL (self->figure), text);
}

GtkWidget *
insp_figure_new_tiles (InspSeries **series, guint count)
{
  GtkWidget *flow = insp_flow_new_even (1, TILES_MOST, 12);
  for (guint i = 0; i < count; i++)
    {
      GtkWidget *tile = insp_figure_new (series[i], TRUE);
      gtk_widget_add_css_class (tile, "insp-tile");
      insp_flow_add (flow, tile);
    }
  return flow;
}
