/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-key-cell.h"

#define KEY_LIMIT 160  /* bytes of a key that are shown */
#define VALUE_LIMIT 80 /* and of a value */

struct _InspKeyCell
{
  GtkWidget parent_instance;

  InspKey *key;     /* NULL: none; owned */
  gulong handler;   /* of its changes; 0: none */
  InspEdits *edits; /* NULL: none; owned */
  char *store;      /* of the key; owned */
  GtkWidget *mark;  /* child */
  GtkWidget *name;  /* child */
  GtkWidget *value; /* child */
};

G_DEFINE_FINAL_TYPE (InspKeyCell, insp_key_cell, GTK_TYPE_WIDGET)

static void
show_bytes (GtkWidget *label, GBytes *bytes, gsize limit)
{
  g_autofree char *text = bytes != NULL ? insp_bytes_escape (bytes, limit) : g_strdup ("");
  gtk_label_set_text (GTK_LABEL (label), text);
}

static gboolean
is_staged (InspKeyCell *self)
{
  return self->edits != NULL
         && insp_edits_find (self->edits, self->store, insp_key_get_key (self->key)) != NULL;
}

/* What a mark says; "": there is none. */
static const char *
name_mark (InspKeyCell *self, InspKeyMark mark)
{
  return is_staged (self)           ? _ ("Staged")
         : mark == INSP_KEY_NEW     ? _ ("New")
         : mark == INSP_KEY_CHANGED ? _ ("Changed")
                                    : "";
}

/* By a sign and its name as well as by colour. */
static void
show_mark (InspKeyCell *self, InspKeyMark mark)
{
  static const char *const signs[] = { "", "+", "●" };
  gtk_label_set_text (GTK_LABEL (self->mark), is_staged (self) ? "✎" : signs[mark]);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->mark), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  name_mark (self, mark), -1);
  if (mark != INSP_KEY_SETTLED)
    gtk_widget_add_css_class (GTK_WIDGET (self), "insp-flash");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self), "insp-flash");
}

/* Asked for: to set one takes GTK 4.8 a question to the X server, and rows are bound by the hundred. */
static gboolean
on_mark_tooltip (InspKeyCell *self, int x, int y, gboolean by_keyboard, GtkTooltip *tooltip)
{
  const char *name = self->key != NULL ? name_mark (self, insp_key_get_mark (self->key)) : "";
  gtk_tooltip_set_text (tooltip, name);
  return name[0] != '\0';
}

static void
show (InspKeyCell *self)
{
  show_bytes (self->name, insp_key_get_key (self->key), KEY_LIMIT);
  show_bytes (self->value, insp_key_get_value (self->key), VALUE_LIMIT);
  show_mark (self, insp_key_get_mark (self->key));
}

void
insp_key_cell_set_key (InspKeyCell *self, InspKey *key)
{
  if (self->key != NULL)
    g_clear_signal_handler (&self->handler, self->key);
  g_set_object (&self->key, key);
  if (key == NULL)
    return;
  self->handler = g_signal_connect_swapped (key, "changed", G_CALLBACK (show), self);
  show (self);
}

static void
on_edits (InspKeyCell *self)
{
  if (self->key != NULL)
    show_mark (self, insp_key_get_mark (self->key));
}

void
insp_key_cell_set_edits (InspKeyCell *self, InspEdits *edits, const char *store)
{
  g_free (self->store);
  self->store = g_strdup (store);
  if (!g_set_object (&self->edits, edits))
    return;
  g_signal_connect_object (edits, "items-changed", G_CALLBACK (on_edits), self, G_CONNECT_SWAPPED);
}

static void
insp_key_cell_dispose (GObject *object)
{
  InspKeyCell *self = INSP_KEY_CELL (object);
  insp_key_cell_set_key (self, NULL);
  g_clear_object (&self->edits);
  g_clear_pointer (&self->store, g_free);
  g_clear_pointer (&self->mark, gtk_widget_unparent);
  g_clear_pointer (&self->name, gtk_widget_unparent);
  g_clear_pointer (&self->value, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_key_cell_parent_class)->dispose (object);
}

static void
insp_key_cell_class_init (InspKeyCellClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_key_cell_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "insp-key");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static GtkWidget *
add_label (InspKeyCell *self, int width)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_single_line_mode (GTK_LABEL (label), TRUE);
  gtk_label_set_width_chars (GTK_LABEL (label), width);
  gtk_widget_set_parent (label, GTK_WIDGET (self));
  return label;
}

static void
insp_key_cell_init (InspKeyCell *self)
{
  gtk_box_layout_set_spacing (GTK_BOX_LAYOUT (gtk_widget_get_layout_manager (GTK_WIDGET (self))),
                              6);
  self->mark = add_label (self, 2);
  self->name = add_label (self, 12);
  self->value = add_label (self, 6);
  gtk_widget_set_has_tooltip (self->mark, TRUE);
  g_signal_connect_swapped (self->mark, "query-tooltip", G_CALLBACK (on_mark_tooltip), self);
  gtk_label_set_max_width_chars (GTK_LABEL (self->name), 44);
  gtk_label_set_ellipsize (GTK_LABEL (self->name), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_ellipsize (GTK_LABEL (self->value), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (self->value, TRUE);
  gtk_widget_add_css_class (self->name, "monospace");
  gtk_widget_add_css_class (self->value, "dim-label");
  gtk_widget_add_css_class (self->value, "caption");
}

GtkWidget *
insp_key_cell_new (void)
{
  return g_object_new (INSP_TYPE_KEY_CELL, NULL);
}
