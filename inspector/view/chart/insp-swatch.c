/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-palette.h"
#include "insp-swatch.h"

struct _InspSwatch
{
  GtkWidget parent_instance;

  guint index; /* of the line */
};

G_DEFINE_FINAL_TYPE (InspSwatch, insp_swatch, GTK_TYPE_WIDGET)

static void
insp_swatch_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  GdkRGBA color = insp_palette_color (INSP_SWATCH (widget)->index, insp_palette_is_dark (widget));
  GskRoundedRect rounded;
  graphene_rect_t box = GRAPHENE_RECT_INIT (0, 0, (float) gtk_widget_get_width (widget),
                                            (float) gtk_widget_get_height (widget));
  gsk_rounded_rect_init_from_rect (&rounded, &box, 3);
  gtk_snapshot_push_rounded_clip (snapshot, &rounded);
  gtk_snapshot_append_color (snapshot, &color, &box);
  gtk_snapshot_pop (snapshot);
}

static void
insp_swatch_class_init (InspSwatchClass *class)
{
  GTK_WIDGET_CLASS (class)->snapshot = insp_swatch_snapshot;
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (class), GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void
insp_swatch_init (InspSwatch *self)
{
  gtk_widget_set_size_request (GTK_WIDGET (self), 12, 12);
  gtk_widget_set_valign (GTK_WIDGET (self), GTK_ALIGN_CENTER);
}

GtkWidget *
insp_swatch_new (guint index)
{
  InspSwatch *self = g_object_new (INSP_TYPE_SWATCH, NULL);
  self->index = index;
  return GTK_WIDGET (self);
}
