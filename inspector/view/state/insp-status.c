/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-sentence.h"
#include "insp-status.h"

struct _InspStatus
{
  GtkWidget parent_instance;

  GtkWidget *box; /* child */
  GtkWidget *icon;
  GtkWidget *spinner; /* instead of the icon */
  GtkWidget *title;
  GtkWidget *text;
};

G_DEFINE_FINAL_TYPE (InspStatus, insp_status, GTK_TYPE_WIDGET)

static void
insp_status_dispose (GObject *object)
{
  g_clear_pointer (&INSP_STATUS (object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_status_parent_class)->dispose (object);
}

static void
insp_status_class_init (InspStatusClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_status_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (class), GTK_ACCESSIBLE_ROLE_GROUP);
}

static GtkWidget *
add_label (InspStatus *self, const char *style)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_justify (GTK_LABEL (label), GTK_JUSTIFY_CENTER);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 50);
  gtk_widget_add_css_class (label, style);
  gtk_box_append (GTK_BOX (self->box), label);
  return label;
}

static void
insp_status_init (InspStatus *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_valign (self->box, GTK_ALIGN_CENTER);
  gtk_widget_set_halign (self->box, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (self->box, "insp-status");
  self->icon = gtk_image_new ();
  gtk_image_set_pixel_size (GTK_IMAGE (self->icon), 64);
  gtk_widget_add_css_class (self->icon, "dim-label");
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->icon), GTK_ACCESSIBLE_STATE_HIDDEN, TRUE, -1);
  gtk_box_append (GTK_BOX (self->box), self->icon);
  self->spinner = gtk_spinner_new ();
  gtk_widget_set_size_request (self->spinner, 32, 32);
  gtk_widget_set_visible (self->spinner, FALSE);
  gtk_box_append (GTK_BOX (self->box), self->spinner);
  self->title = add_label (self, "title-2");
  self->text = add_label (self, "dim-label");
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_status_new (const char *icon, const char *title, const char *text)
{
  InspStatus *self = g_object_new (INSP_TYPE_STATUS, NULL);
  insp_status_say (self, icon, title, text);
  return GTK_WIDGET (self);
}

static void
show (InspStatus *self, gboolean waits, const char *title, const char *text)
{
  g_autofree char *sentence = insp_sentence_of (text);
  gtk_widget_set_visible (self->icon, !waits);
  gtk_widget_set_visible (self->spinner, waits);
  gtk_spinner_set_spinning (GTK_SPINNER (self->spinner), waits);
  gtk_label_set_text (GTK_LABEL (self->title), title);
  gtk_label_set_text (GTK_LABEL (self->text), sentence);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
}

void
insp_status_say (InspStatus *self, const char *icon, const char *title, const char *text)
{
  gtk_image_set_from_icon_name (GTK_IMAGE (self->icon), icon);
  show (self, FALSE, title, text);
}

void
insp_status_wait (InspStatus *self, const char *title, const char *text)
{
  show (self, TRUE, title, text);
}
