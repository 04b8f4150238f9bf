/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-fold.h"

#define SPACING 12      /* pixels between the two */
#define FIRST_LEAST 260 /* pixels that the first one has for itself, or nothing is beside it */

struct _InspFold
{
  GtkWidget parent_instance;

  GtkWidget *first; /* child; likewise below */
  GtkWidget *behind;
};

G_DEFINE_FINAL_TYPE (InspFold, insp_fold, GTK_TYPE_WIDGET)

static int
width_behind (InspFold *self)
{
  int least;
  gtk_widget_measure (self->behind, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
  return least;
}

/* Whether the second one is below the first in so much width. */
static gboolean
is_folded (InspFold *self, int width)
{
  return width < FIRST_LEAST + SPACING + width_behind (self);
}

static int
height_of (GtkWidget *widget, int width)
{
  int natural;
  gtk_widget_measure (widget, GTK_ORIENTATION_VERTICAL, width, NULL, &natural, NULL, NULL);
  return natural;
}

static void
insp_fold_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                   int *natural, int *minimum_baseline, int *natural_baseline)
{
  InspFold *self = INSP_FOLD (widget);
  int behind = width_behind (self), first, first_natural;
  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      gtk_widget_measure (self->first, orientation, -1, &first, &first_natural, NULL, NULL);
      *minimum = MAX (first, behind);
      *natural = MAX (first_natural, FIRST_LEAST) + SPACING + behind;
    }
  else if (for_size >= 0 && is_folded (self, for_size))
    *minimum = *natural
        = height_of (self->first, for_size) + SPACING + height_of (self->behind, for_size);
  else
    *minimum = *natural
        = MAX (height_of (self->first, for_size >= 0 ? for_size - SPACING - behind : -1),
               height_of (self->behind, behind));
}

static void
insp_fold_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  InspFold *self = INSP_FOLD (widget);
  int behind = width_behind (self);
  GtkAllocation first = { 0, 0, width, height }, second = { 0, 0, width, height };
  if (is_folded (self, width))
    {
      second.height = height_of (self->behind, width);
      first.height = MAX (height - SPACING - second.height, 0);
      second.y = height - second.height;
    }
  else
    {
      gboolean mirrored = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;
      first.width = width - SPACING - behind;
      second.width = behind;
      first.x = mirrored ? behind + SPACING : 0;
      second.x = mirrored ? 0 : first.width + SPACING;
    }
  gtk_widget_size_allocate (self->first, &first, -1);
  gtk_widget_size_allocate (self->behind, &second, -1);
}

static GtkSizeRequestMode
insp_fold_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
insp_fold_dispose (GObject *object)
{
  InspFold *self = INSP_FOLD (object);
  g_clear_pointer (&self->first, gtk_widget_unparent);
  g_clear_pointer (&self->behind, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_fold_parent_class)->dispose (object);
}

static void
insp_fold_class_init (InspFoldClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_fold_dispose;
  widget_class->get_request_mode = insp_fold_get_request_mode;
  widget_class->measure = insp_fold_measure;
  widget_class->size_allocate = insp_fold_size_allocate;
}

static void
insp_fold_init (InspFold *self)
{
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
}

GtkWidget *
insp_fold_new (GtkWidget *first, GtkWidget *behind)
{
  InspFold *self = g_object_new (INSP_TYPE_FOLD, NULL);
  self->first = first;
  self->behind = behind;
  gtk_widget_set_parent (first, GTK_WIDGET (self));
  gtk_widget_set_parent (behind, GTK_WIDGET (self));
  return GTK_WIDGET (self);
}
