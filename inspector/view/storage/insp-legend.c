/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-flow.h"
#include "insp-legend.h"
#include "insp-plot.h"
#include "insp-treemap.h"

#define SAMPLE_WIDTH 34 /* pixels */
#define SAMPLE_HEIGHT 16

/* ---- the colour of a step, and its dots ---- */

#define INSP_TYPE_STEP_SAMPLE (insp_step_sample_get_type ())
G_DECLARE_FINAL_TYPE (InspStepSample, insp_step_sample, INSP, STEP_SAMPLE, GtkWidget)

struct _InspStepSample
{
  GtkWidget parent_instance;

  int step;
  gboolean ordered;
};

G_DEFINE_FINAL_TYPE (InspStepSample, insp_step_sample, GTK_TYPE_WIDGET)

static void
insp_step_sample_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspStepSample *self = INSP_STEP_SAMPLE (widget);
  GdkRGBA text, color = insp_treemap_color (widget, self->step, self->ordered, &text);
  insp_plot_append_box (snapshot, 0, 0, SAMPLE_WIDTH, SAMPLE_HEIGHT, &color);
  insp_treemap_append_dots (snapshot, SAMPLE_WIDTH - 3, SAMPLE_HEIGHT - 3, self->step, &text);
}

static void
insp_step_sample_class_init (InspStepSampleClass *class)
{
  GTK_WIDGET_CLASS (class)->snapshot = insp_step_sample_snapshot;
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (class), GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void
insp_step_sample_init (InspStepSample *self)
{
  gtk_widget_set_size_request (GTK_WIDGET (self), SAMPLE_WIDTH, SAMPLE_HEIGHT);
  gtk_widget_set_valign (GTK_WIDGET (self), GTK_ALIGN_CENTER);
}

/* ---- the legend ---- */

struct _InspLegend
{
  GtkWidget parent_instance;

  GtkWidget *flow; /* child */
  GtkWidget *steps[INSP_LENS_STEPS];
  InspStepSample *samples[INSP_LENS_STEPS]; /* in the steps */
  GtkWidget *names[INSP_LENS_STEPS];        /* labels in the steps */
  gboolean of_pages;
};

G_DEFINE_FINAL_TYPE (InspLegend, insp_legend, GTK_TYPE_WIDGET)

void
insp_legend_set_lens (InspLegend *self, InspLens lens)
{
  for (guint i = 0; i < INSP_LENS_STEPS; i++)
    {
      const char *name = insp_lens_step_name (lens, self->of_pages, i);
      gtk_widget_set_visible (gtk_widget_get_parent (self->steps[i]), name != NULL);
      if (name == NULL)
        continue;
      self->samples[i]->ordered = insp_lens_is_ordered (lens);
      gtk_widget_queue_draw (GTK_WIDGET (self->samples[i]));
      gtk_label_set_text (GTK_LABEL (self->names[i]), name);
    }
}

static void
insp_legend_dispose (GObject *object)
{
  g_clear_pointer (&INSP_LEGEND (object)->flow, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_legend_parent_class)->dispose (object);
}

static void
insp_legend_class_init (InspLegendClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_legend_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_legend_init (InspLegend *self)
{
  self->flow = insp_flow_new (INSP_LENS_STEPS, 6);
  for (guint i = 0; i < INSP_LENS_STEPS; i++)
    {
      self->steps[i] = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
      self->samples[i] = g_object_new (INSP_TYPE_STEP_SAMPLE, NULL);
      self->samples[i]->step = (int) i;
      self->names[i] = gtk_label_new (NULL);
      gtk_widget_add_css_class (self->names[i], "caption");
      gtk_box_append (GTK_BOX (self->steps[i]), GTK_WIDGET (self->samples[i]));
      gtk_box_append (GTK_BOX (self->steps[i]), self->names[i]);
      insp_flow_add (self->flow, self->steps[i]);
    }
  gtk_widget_set_parent (self->flow, GTK_WIDGET (self));
}

GtkWidget *
insp_legend_new (gboolean of_pages)
{
  InspLegend *self = g_object_new (INSP_TYPE_LEGEND, NULL);
  self->of_pages = of_pages;
  return GTK_WIDGET (self);
}
