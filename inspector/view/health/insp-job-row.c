/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   J1  `cancellable` is there exactly while work is under way; so is the pulse.
 */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-flow.h"
#include "insp-fold.h"
#include "insp-job-row.h"
#include "insp-row-text.h"

#define PULSE 150 /* milliseconds between steps of a bar that does not know how far it is */

struct _InspJobRow
{
  GtkWidget parent_instance;

  GtkWidget *fold;    /* child */
  GtkWidget *texts;   /* in the fold; likewise below */
  GtkWidget *buttons; /* that begin it, or the one that ends it */
  GtkWidget *title;   /* in the texts; likewise below */
  GtkWidget *text;
  GtkWidget *bar;
  GtkWidget *result;
  GtkWidget *beginning; /* in the buttons, an InspFlow; likewise below */
  GtkWidget *cancel;
  GCancellable *cancellable; /* J1; owned */
  guint pulse;               /* 0: none */
};

G_DEFINE_FINAL_TYPE (InspJobRow, insp_job_row, GTK_TYPE_WIDGET)

static void
review (InspJobRow *self)
{
  gboolean working = self->cancellable != NULL;
  gtk_widget_set_visible (self->beginning, !working);
  gtk_widget_set_visible (self->cancel, working);
  gtk_widget_set_visible (self->bar, working);
}

static gboolean
on_pulse (gpointer data)
{
  gtk_progress_bar_pulse (GTK_PROGRESS_BAR (INSP_JOB_ROW (data)->bar));
  return G_SOURCE_CONTINUE;
}

GCancellable *
insp_job_row_begin (InspJobRow *self)
{
  g_return_val_if_fail (self->cancellable == NULL, NULL);
  self->cancellable = g_cancellable_new ();
  self->pulse = g_timeout_add (PULSE, on_pulse, self);
  gtk_widget_set_visible (self->result, FALSE);
  review (self);
  gtk_widget_grab_focus (self->cancel);
  return self->cancellable;
}

GCancellable *
insp_job_row_get_cancellable (InspJobRow *self)
{
  return self->cancellable;
}

void
insp_job_row_progress (InspJobRow *self, double fraction)
{
  if (self->cancellable == NULL || fraction < 0)
    return;
  g_clear_handle_id (&self->pulse, g_source_remove);
  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (self->bar), fraction);
}

void
insp_job_row_end (InspJobRow *self, const char *text)
{
  g_clear_handle_id (&self->pulse, g_source_remove);
  g_clear_object (&self->cancellable);
  if (self->fold == NULL)
    return; /* it is gone */
  gtk_label_set_text (GTK_LABEL (self->result), text);
  gtk_widget_set_visible (self->result, TRUE);
  review (self);
}

static void
on_cancel (InspJobRow *self)
{
  g_cancellable_cancel (self->cancellable);
}

GtkWidget *
insp_job_row_add_button (InspJobRow *self, const char *label, GCallback pressed, gpointer data)
{
  GtkWidget *button = gtk_button_new_with_label (label);
  g_signal_connect_swapped (button, "clicked", pressed, data);
  insp_job_row_add (self, button);
  return button;
}

void
insp_job_row_add (InspJobRow *self, GtkWidget *widget)
{
  insp_flow_add (self->beginning, widget);
}

/* ---- the object ---- */

static void
insp_job_row_dispose (GObject *object)
{
  InspJobRow *self = INSP_JOB_ROW (object);
  g_clear_handle_id (&self->pulse, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->fold, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_job_row_parent_class)->dispose (object);
}

static void
insp_job_row_class_init (InspJobRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_job_row_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "insp-issue");
}

static void
insp_job_row_init (InspJobRow *self)
{
  self->texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  self->title = insp_row_text_add (GTK_BOX (self->texts), NULL);
  self->text = insp_row_text_add (GTK_BOX (self->texts), "dim-label");
  self->bar = gtk_progress_bar_new ();
  gtk_box_append (GTK_BOX (self->texts), self->bar);
  self->result = insp_row_text_add (GTK_BOX (self->texts), "caption-heading");
  gtk_widget_set_visible (self->result, FALSE);
  self->buttons = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_widget_set_valign (self->buttons, GTK_ALIGN_CENTER);
  self->beginning = insp_flow_new (2, 0);
  self->cancel = gtk_button_new_with_label (_ ("Cancel"));
  g_signal_connect_swapped (self->cancel, "clicked", G_CALLBACK (on_cancel), self);
  gtk_box_append (GTK_BOX (self->buttons), self->beginning);
  gtk_box_append (GTK_BOX (self->buttons), self->cancel);
  self->fold = insp_fold_new (self->texts, self->buttons);
  gtk_widget_set_parent (self->fold, GTK_WIDGET (self));
  review (self);
}

GtkWidget *
insp_job_row_new (const char *title, const char *text)
{
  InspJobRow *self = g_object_new (INSP_TYPE_JOB_ROW, NULL);
  gtk_label_set_text (GTK_LABEL (self->title), title);
  gtk_label_set_text (GTK_LABEL (self->text), text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->bar), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                  -1);
  return GTK_WIDGET (self);
}
