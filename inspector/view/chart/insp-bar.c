/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-bar.h"
#include "insp-palette.h"
#include "insp-plot.h"

#define HEIGHT 12       /* pixels */
#define WIDTH_LEAST 120 /* with its figure */
#define FIGURE_WIDTH 60

struct _InspBar
{
  GtkWidget parent_instance;

  GtkWidget *figure; /* a label; child */
  double share;
  guint index; /* in the palette */
};

G_DEFINE_FINAL_TYPE (InspBar, insp_bar, GTK_TYPE_WIDGET)

void
insp_bar_set (InspBar *self, double share, const char *figure, guint index)
{
  self->share = CLAMP (share, 0, 1);
  self->index = index;
  gtk_label_set_text (GTK_LABEL (self->figure), figure);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
insp_bar_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspBar *self = INSP_BAR (widget);
  GdkRGBA color = insp_palette_color (self->index, insp_palette_is_dark (widget));
  double width = gtk_widget_get_width (widget) - FIGURE_WIDTH;
  double length = self->share * width;
  double x
      = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL ? FIGURE_WIDTH + width - length : 0;
  if (length > 0)
    insp_plot_append_box (snapshot, x, (gtk_widget_get_height (widget) - HEIGHT) / 2.0,
                          MAX (length, 1), HEIGHT, &color);
  gtk_widget_snapshot_child (widget, self->figure, snapshot);
}

static void
insp_bar_dispose (GObject *object)
{
  g_clear_pointer (&INSP_BAR (object)->figure, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_bar_parent_class)->dispose (object);
}

static void
insp_bar_class_init (InspBarClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_bar_dispose;
  GTK_WIDGET_CLASS (class)->snapshot = insp_bar_snapshot;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_bar_init (InspBar *self)
{
  self->figure = gtk_label_new (NULL);
  gtk_widget_set_halign (self->figure, GTK_ALIGN_END);
  gtk_widget_add_css_class (self->figure, "numeric");
  gtk_widget_set_size_request (GTK_WIDGET (self), WIDTH_LEAST, -1);
  gtk_widget_set_parent (self->figure, GTK_WIDGET (self));
}
