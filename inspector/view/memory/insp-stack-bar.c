/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-flow.h"
#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-stack-bar.h"
#include "insp-swatch.h"

#define HEIGHT 48     /* pixels, of the bar */
#define TEXT_LEAST 60 /* width of a part with its name */
#define LEGEND_IN_A_ROW 4u

/* ---- the bar itself ---- */

#define INSP_TYPE_STACK (insp_stack_get_type ())
G_DECLARE_FINAL_TYPE (InspStack, insp_stack, INSP, STACK, GtkWidget)

struct _InspStack
{
  GtkWidget parent_instance;

  InspStackPart parts[INSP_STACK_PARTS]; /* names are borrowed of whoever sets them: they stay */
  guint count;
  double whole, mark;
};

G_DEFINE_FINAL_TYPE (InspStack, insp_stack, GTK_TYPE_WIDGET)

static void
append_part (InspStack *self, GtkSnapshot *snapshot, const InspStackPart *part, double x,
             double width)
{
  GtkWidget *widget = GTK_WIDGET (self);
  gboolean dark = insp_palette_is_dark (widget);
  GdkRGBA color = insp_palette_color (part->color, dark);
  GdkRGBA text = part->hollow ? insp_palette_faint (widget, 1)
                 : dark       ? (GdkRGBA){ 0, 0, 0, 1 }
                              : (GdkRGBA){ 1, 1, 1, 1 };
  if (part->hollow)
    {
      GskRoundedRect outline;
      graphene_rect_t box = GRAPHENE_RECT_INIT ((float) x, 0, (float) MAX (width - 1, 1), HEIGHT);
      const float widths[] = { 2, 2, 2, 2 };
      const GdkRGBA colors[] = { color, color, color, color };
      gsk_rounded_rect_init_from_rect (&outline, &box, 0);
      gtk_snapshot_append_border (snapshot, &outline, widths, colors);
    }
  else
    insp_plot_append_box (snapshot, x, 0, MAX (width - 1, 0.5), HEIGHT, &color);
  if (width < TEXT_LEAST)
    return;
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (widget, part->name);
  int text_height = insp_plot_text_height (widget);
  graphene_point_t origin
      = GRAPHENE_POINT_INIT ((float) x + 6, (float) ((HEIGHT - text_height) / 2));
  pango_layout_set_width (layout, (int) ((width - 12) * PANGO_SCALE));
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &origin);
  gtk_snapshot_append_layout (snapshot, layout, &text);
  gtk_snapshot_restore (snapshot);
}

static void
insp_stack_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspStack *self = INSP_STACK (widget);
  double width = gtk_widget_get_width (widget), at = 0;
  GdkRGBA ground = insp_palette_faint (widget, 0.08), line = insp_palette_faint (widget, 0.9);
  insp_plot_append_box (snapshot, 0, 0, width, HEIGHT, &ground);
  for (guint i = 0; i < self->count; i++)
    {
      double its = self->whole > 0 ? self->parts[i].value / self->whole * width : 0;
      if (its > 0)
        append_part (self, snapshot, &self->parts[i], at, its);
      at += its;
    }
  if (!isnan (self->mark) && self->whole > 0)
    insp_plot_append_box (snapshot, MIN (self->mark / self->whole * width, width - 2), 0, 2, HEIGHT,
                          &line);
}

static void
insp_stack_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : HEIGHT;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 360 : HEIGHT;
}

static void
insp_stack_class_init (InspStackClass *class)
{
  GTK_WIDGET_CLASS (class)->snapshot = insp_stack_snapshot;
  GTK_WIDGET_CLASS (class)->measure = insp_stack_measure;
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (class), "insp-chart");
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (class), GTK_ACCESSIBLE_ROLE_IMG);
}

static void
insp_stack_init (InspStack *self)
{
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
}

/* ---- with its legend ---- */

struct _InspStackBar
{
  GtkWidget parent_instance;

  GtkWidget *box; /* child */
  InspStack *stack;
  GtkWidget *legend;
  GtkWidget *figures[INSP_STACK_PARTS]; /* labels in the legend */
  guint count;                          /* of what is in the legend */
  InspUnit unit;
};

G_DEFINE_FINAL_TYPE (InspStackBar, insp_stack_bar, GTK_TYPE_WIDGET)

static void
add_to_legend (InspStackBar *self, const InspStackPart *part)
{
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *name = gtk_label_new (part->name);
  GtkWidget *figure = gtk_label_new (NULL);
  gtk_label_set_ellipsize (GTK_LABEL (name), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_widget_add_css_class (name, "caption");
  gtk_widget_add_css_class (figure, "numeric");
  gtk_widget_add_css_class (figure, "caption-heading");
  gtk_box_append (GTK_BOX (line), insp_swatch_new (part->color));
  gtk_box_append (GTK_BOX (line), name);
  gtk_box_append (GTK_BOX (line), figure);
  insp_flow_add (self->legend, line);
  self->figures[self->count++] = figure;
}

static void
describe (InspStackBar *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < self->stack->count; i++)
    {
      g_autofree char *figure = insp_unit_format (self->unit, self->stack->parts[i].value);
      g_string_append_printf (text, "%s%s: %s", i > 0 ? "; " : "", self->stack->parts[i].name,
                              figure);
    }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->stack), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  text->str, -1);
}

void
insp_stack_bar_set (InspStackBar *self, const InspStackPart *parts, guint count, double whole,
                    double mark)
{
  double sum = 0;
  g_return_if_fail (count <= INSP_STACK_PARTS);
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *figure = insp_unit_format (self->unit, parts[i].value);
      self->stack->parts[i] = parts[i];
      sum += parts[i].value;
      if (i == self->count)
        add_to_legend (self, &parts[i]);
      gtk_label_set_text (GTK_LABEL (self->figures[i]), figure);
    }
  self->stack->count = count;
  self->stack->whole = MAX (whole, sum);
  self->stack->mark = mark;
  gtk_widget_queue_draw (GTK_WIDGET (self->stack));
  describe (self);
}

static void
insp_stack_bar_dispose (GObject *object)
{
  g_clear_pointer (&INSP_STACK_BAR (object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_stack_bar_parent_class)->dispose (object);
}

static void
insp_stack_bar_class_init (InspStackBarClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_stack_bar_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_stack_bar_init (InspStackBar *self)
{
  self->stack = g_object_new (INSP_TYPE_STACK, NULL);
  self->legend = insp_flow_new_even (1, LEGEND_IN_A_ROW, 6);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 9);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->stack));
  gtk_box_append (GTK_BOX (self->box), self->legend);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_stack_bar_new (const char *title, InspUnit unit)
{
  InspStackBar *self = g_object_new (INSP_TYPE_STACK_BAR, NULL);
  self->unit = unit;
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->stack), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  title, -1);
  return GTK_WIDGET (self);
}
