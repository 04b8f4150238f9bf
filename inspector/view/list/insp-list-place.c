/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-list-place.h"

#define LOOK_BELOW 40 /* pixels from the top in which there is a row, if any is shown */
#define LOOK_EVERY 8

typedef struct
{
  GtkWidget *view;          /* it is its */
  GtkWidget *list;          /* the view, or what is in it; borrowed */
  GtkSelectionModel *model; /* what it shows; owned, or NULL */
  gulong handler;           /* of its items-changed */
  guint check;  /* a callback of the view that looks whether it shows anything; 0: none */
  guint frames; /* that it has seen since rows went */
} Place;

static void
scroll_to_beginning (Place *self)
{
  gtk_widget_activate_action (self->list, "list.scroll-to-item", "u", 0);
}

static gboolean
has_selected (Place *self)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->model);
  return !gtk_bitset_is_empty (selected);
}

static gboolean
is_at_beginning (Place *self)
{
  GtkAdjustment *adjustment = gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (self->list));
  return gtk_adjustment_get_value (adjustment) < 1
         && gtk_widget_get_focus_child (self->list) == NULL && !has_selected (self);
}

static gboolean
shows_nothing (Place *self)
{
  int height = gtk_widget_get_height (self->list);
  double middle = gtk_widget_get_width (self->list) / 2.0;
  for (int y = 0; y < MIN (height, LOOK_BELOW); y += LOOK_EVERY)
    if (gtk_widget_pick (self->list, middle, y, GTK_PICK_INSENSITIVE) != self->list)
      return FALSE;
  return height > 0 && g_list_model_get_n_items (G_LIST_MODEL (self->model)) > 0;
}

/* In the frame after the one in which it is laid out. */
static gboolean
check (GtkWidget *view, GdkFrameClock *clock, gpointer data)
{
  Place *self = data;
  if (++self->frames < 2)
    return G_SOURCE_CONTINUE;
  self->check = 0;
  if (self->model != NULL && gtk_widget_get_mapped (self->list) && shows_nothing (self))
    scroll_to_beginning (self);
  return G_SOURCE_REMOVE;
}

/* A list that had no rows has no place yet. */
static void
on_items_changed (Place *self, guint position, guint removed, guint added)
{
  gboolean had_rows = added < g_list_model_get_n_items (G_LIST_MODEL (self->model));
  if (had_rows && is_at_beginning (self))
    scroll_to_beginning (self);
  else if (removed > 0)
    {
      self->frames = 0;
      if (self->check == 0)
        self->check = gtk_widget_add_tick_callback (self->view, check, self, NULL);
    }
}

static void
leave_model (Place *self)
{
  if (self->model != NULL)
    g_signal_handler_disconnect (self->model, self->handler);
  g_clear_object (&self->model);
}

static void
on_model (Place *self)
{
  leave_model (self);
  g_object_get (self->view, "model", &self->model, NULL);
  if (self->model != NULL) /* the view is told first: it was there before */
    self->handler = g_signal_connect_swapped (self->model, "items-changed",
                                              G_CALLBACK (on_items_changed), self);
}

static void
place_free (gpointer data)
{
  Place *self = data;
  leave_model (self);
  g_free (self); /* the view's callbacks ended before */
}

void
insp_list_place_keep (GtkWidget *view)
{
  Place *self = g_new0 (Place, 1);
  self->view = view;
  self->list = GTK_IS_COLUMN_VIEW (view) ? gtk_widget_get_last_child (view) : view;
  g_object_set_data_full (G_OBJECT (view), "insp-list-place", self, place_free);
  g_signal_connect_swapped (view, "notify::model", G_CALLBACK (on_model), self);
  on_model (self);
}
