/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-flow.h"

struct _InspFlow
{
  GtkWidget parent_instance;

  GtkWidget *box;  /* a flow box; child */
  guint spacing;   /* pixels */
  guint most;      /* things in a row … */
  gboolean even;   /* … which are all as large; then no row is much shorter than another */
  guint balancing; /* a source; 0: none */
};

G_DEFINE_FINAL_TYPE (InspFlow, insp_flow, GTK_TYPE_WIDGET)

/* ---- the keyboard ---- */

static gboolean
is_forward (GtkDirectionType direction)
{
  return direction == GTK_DIR_TAB_FORWARD || direction == GTK_DIR_RIGHT || direction == GTK_DIR_DOWN;
}

static GtkWidget *
next (GtkWidget *place, GtkDirectionType direction)
{
  return is_forward (direction) ? gtk_widget_get_next_sibling (place)
                                : gtk_widget_get_prev_sibling (place);
}

/* GTK's flow box would keep the keyboard at a child that has no use for it. */
static gboolean
insp_flow_focus (GtkWidget *widget, GtkDirectionType direction)
{
  GtkWidget *box = INSP_FLOW (widget)->box, *place = gtk_widget_get_focus_child (box);
  if (place == NULL)
    place = is_forward (direction) ? gtk_widget_get_first_child (box)
                                   : gtk_widget_get_last_child (box);
  for (; place != NULL; place = next (place, direction))
    if (gtk_widget_get_visible (place)
        && gtk_widget_child_focus (gtk_flow_box_child_get_child (GTK_FLOW_BOX_CHILD (place)),
                                   direction))
      return TRUE;
  return FALSE;
}

/* ---- rows ---- */

static guint
count_shown (InspFlow *self, int *width)
{
  guint count = 0;
  *width = 1;
  for (GtkWidget *its = gtk_widget_get_first_child (self->box); its != NULL;
       its = gtk_widget_get_next_sibling (its))
    if (gtk_widget_get_visible (its))
      {
        int natural;
        gtk_widget_measure (its, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &natural, NULL, NULL);
        *width = MAX (*width, natural);
        count++;
      }
  return count;
}

/* Seven things of which six have room are four and three, not six and one. */
static gboolean
balance (gpointer flow)
{
  InspFlow *self = flow;
  int width, room = gtk_widget_get_width (GTK_WIDGET (self)) + (int) self->spacing;
  guint count = count_shown (self, &width);
  guint fit = (guint) MAX (room / (width + (int) self->spacing), 1);
  self->balancing = 0;
  if (count == 0 || room <= 0)
    return G_SOURCE_REMOVE;
  fit = MIN (fit, self->most);
  guint rows = (count + fit - 1) / fit;
  gtk_flow_box_set_max_children_per_line (GTK_FLOW_BOX (self->box), (count + rows - 1) / rows);
  return G_SOURCE_REMOVE;
}

static void
insp_flow_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  InspFlow *self = INSP_FLOW (widget);
  gtk_widget_allocate (self->box, width, height, baseline, NULL);
  if (self->even && self->balancing == 0) /* not while it is laid out */
    self->balancing = g_idle_add_full (G_PRIORITY_HIGH_IDLE, balance, self, NULL);
}

static void
insp_flow_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                   int *natural, int *minimum_baseline, int *natural_baseline)
{
  gtk_widget_measure (INSP_FLOW (widget)->box, orientation, for_size, minimum, natural,
                      minimum_baseline, natural_baseline);
}

static GtkSizeRequestMode
insp_flow_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

/* ---- the object ---- */

static void
insp_flow_dispose (GObject *object)
{
  g_clear_handle_id (&INSP_FLOW (object)->balancing, g_source_remove);
  g_clear_pointer (&INSP_FLOW (object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_flow_parent_class)->dispose (object);
}

static void
insp_flow_class_init (InspFlowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_flow_dispose;
  widget_class->focus = insp_flow_focus;
  widget_class->get_request_mode = insp_flow_get_request_mode;
  widget_class->measure = insp_flow_measure;
  widget_class->size_allocate = insp_flow_size_allocate;
}

static void
insp_flow_init (InspFlow *self)
{
  self->box = gtk_flow_box_new ();
  gtk_flow_box_set_selection_mode (GTK_FLOW_BOX (self->box), GTK_SELECTION_NONE);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_flow_new (guint most_in_a_row, guint spacing)
{
  InspFlow *self = g_object_new (INSP_TYPE_FLOW, NULL);
  GtkFlowBox *box = GTK_FLOW_BOX (self->box);
  self->most = most_in_a_row;
  self->spacing = spacing;
  gtk_flow_box_set_max_children_per_line (box, most_in_a_row);
  gtk_flow_box_set_row_spacing (box, spacing);
  gtk_flow_box_set_column_spacing (box, spacing);
  return GTK_WIDGET (self);
}

GtkWidget *
insp_flow_new_even (guint least_in_a_row, guint most_in_a_row, guint spacing)
{
  GtkWidget *self = insp_flow_new (most_in_a_row, spacing);
  GtkFlowBox *box = GTK_FLOW_BOX (INSP_FLOW (self)->box);
  INSP_FLOW (self)->even = TRUE;
  gtk_flow_box_set_homogeneous (box, TRUE);
  gtk_flow_box_set_min_children_per_line (box, least_in_a_row);
  return self;
}

void
insp_flow_add (GtkWidget *self, GtkWidget *child)
{
  gtk_flow_box_insert (GTK_FLOW_BOX (INSP_FLOW (self)->box), child, -1);
  gtk_widget_set_focusable (gtk_widget_get_parent (child), FALSE);
}

GtkWidget *
insp_flow_get (GtkWidget *self, guint index)
{
  GtkFlowBoxChild *place
      = gtk_flow_box_get_child_at_index (GTK_FLOW_BOX (INSP_FLOW (self)->box), (int) index);
  return place != NULL ? gtk_flow_box_child_get_child (place) : NULL;
}

void
insp_flow_remove_all (GtkWidget *self)
{
  GtkWidget *box = INSP_FLOW (self)->box, *place;
  while ((place = gtk_widget_get_first_child (box)) != NULL)
    gtk_flow_box_remove (GTK_FLOW_BOX (box), place);
}

void
insp_flow_show_first (GtkWidget *self, guint count)
{
  GtkWidget *place = gtk_widget_get_first_child (INSP_FLOW (self)->box);
  for (guint i = 0; place != NULL; i++, place = gtk_widget_get_next_sibling (place))
    gtk_widget_set_visible (place, i < count);
}
