/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-split.h"

#define WIDE 620 /* pixels from which on they are beside each other */

struct _InspSplit
{
  GtkWidget parent_instance;

  GtkWidget *paned; /* child */
  double share;     /* of the first one, until the bar is moved */
  int room;         /* pixels that were shared out last; 0: none */
};

G_DEFINE_FINAL_TYPE (InspSplit, insp_split, GTK_TYPE_WIDGET)

static GtkSizeRequestMode
insp_split_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_CONSTANT_SIZE;
}

/* As narrow as the wider of the two. */
static void
insp_split_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  GtkPaned *paned = GTK_PANED (INSP_SPLIT (widget)->paned);
  int first, second, first_natural, second_natural;
  gtk_widget_measure (gtk_paned_get_start_child (paned), orientation, -1, &first, &first_natural,
                      NULL, NULL);
  gtk_widget_measure (gtk_paned_get_end_child (paned), orientation, -1, &second, &second_natural,
                      NULL, NULL);
  *minimum = MAX (first, second);
  *natural = MAX (first_natural, second_natural);
}

static void
insp_split_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  InspSplit *self = INSP_SPLIT (widget);
  GtkOrientation orientation
      = width >= WIDE ? GTK_ORIENTATION_HORIZONTAL : GTK_ORIENTATION_VERTICAL;
  int room = orientation == GTK_ORIENTATION_HORIZONTAL ? width : height;
  gboolean turns = gtk_orientable_get_orientation (GTK_ORIENTABLE (self->paned)) != orientation;
  if (turns)
    gtk_orientable_set_orientation (GTK_ORIENTABLE (self->paned), orientation);
  if (room != self->room || turns)
    {
      if (self->room > 0 && !turns)
        self->share = (double) gtk_paned_get_position (GTK_PANED (self->paned)) / self->room;
      gtk_paned_set_position (GTK_PANED (self->paned), (int) (self->share * room));
      self->room = room;
    }
  gtk_widget_measure (self->paned, GTK_ORIENTATION_HORIZONTAL, -1, NULL, NULL, NULL, NULL);
  gtk_widget_measure (self->paned, GTK_ORIENTATION_VERTICAL, -1, NULL, NULL, NULL, NULL);
  gtk_widget_allocate (self->paned, width, height, baseline, NULL);
}

static void
insp_split_dispose (GObject *object)
{
  g_clear_pointer (&INSP_SPLIT (object)->paned, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_split_parent_class)->dispose (object);
}

static void
insp_split_class_init (InspSplitClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_split_dispose;
  widget_class->get_request_mode = insp_split_get_request_mode;
  widget_class->measure = insp_split_measure;
  widget_class->size_allocate = insp_split_size_allocate;
}

static void
insp_split_init (InspSplit *self)
{
  self->paned = gtk_paned_new (GTK_ORIENTATION_HORIZONTAL);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_parent (self->paned, GTK_WIDGET (self));
}

GtkWidget *
insp_split_new (GtkWidget *first, GtkWidget *second, double share)
{
  InspSplit *self = g_object_new (INSP_TYPE_SPLIT, NULL);
  self->share = share;
  gtk_paned_set_start_child (GTK_PANED (self->paned), first);
  gtk_paned_set_end_child (GTK_PANED (self->paned), second);
  return GTK_WIDGET (self);
}
