/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-page-slot.h"

struct _InspPageSlot
{
  GtkWidget parent_instance;

  InspSession *session; /* owned */
  InspMakePage make;
  GtkWidget *page; /* child; NULL: it was not shown yet */
};

G_DEFINE_FINAL_TYPE (InspPageSlot, insp_page_slot, GTK_TYPE_WIDGET)

static void
insp_page_slot_map (GtkWidget *widget)
{
  InspPageSlot *self = INSP_PAGE_SLOT (widget);
  if (self->page == NULL)
    {
      self->page = self->make (self->session);
      gtk_widget_set_parent (self->page, widget);
    }
  gtk_widget_set_visible (self->page, TRUE);
  GTK_WIDGET_CLASS (insp_page_slot_parent_class)->map (widget);
}

static void
insp_page_slot_unmap (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_page_slot_parent_class)->unmap (widget);
  if (INSP_PAGE_SLOT (widget)->page != NULL)
    gtk_widget_set_visible (INSP_PAGE_SLOT (widget)->page, FALSE);
}

static void
insp_page_slot_dispose (GObject *object)
{
  InspPageSlot *self = INSP_PAGE_SLOT (object);
  g_clear_pointer (&self->page, gtk_widget_unparent);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (insp_page_slot_parent_class)->dispose (object);
}

static void
insp_page_slot_class_init (InspPageSlotClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_page_slot_dispose;
  widget_class->map = insp_page_slot_map;
  widget_class->unmap = insp_page_slot_unmap;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
insp_page_slot_init (InspPageSlot *self)
{
}

GtkWidget *
insp_page_slot_new (InspSession *session, InspMakePage make)
{
  InspPageSlot *self = g_object_new (INSP_TYPE_PAGE_SLOT, NULL);
  self->session = g_object_ref (session);
  self->make = make;
  return GTK_WIDGET (self);
}
