/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   F2  `count` is what its users were told: the lesser of the list's count and `most`.
 */
#include "config.h"

#include "insp-first-rows.h"

struct _InspFirstRows
{
  GObject parent_instance;

  GListModel *list; /* owned */
  guint most;       /* rows */
  guint count;      /* F2 */
};

static GType
get_item_type (GListModel *model)
{
  return g_list_model_get_item_type (INSP_FIRST_ROWS (model)->list);
}

static guint
get_n_items (GListModel *model)
{
  return INSP_FIRST_ROWS (model)->count;
}

static gpointer
get_item (GListModel *model, guint position)
{
  InspFirstRows *self = INSP_FIRST_ROWS (model);
  return position < self->count ? g_list_model_get_item (self->list, position) : NULL;
}

static void
list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (InspFirstRows, insp_first_rows, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static void
change (InspFirstRows *self, guint position, guint removed, guint added)
{
  self->count = self->count - removed + added;
  if (removed > 0 || added > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), position, removed, added);
}

static void
on_items_changed (InspFirstRows *self, guint position, guint removed, guint added)
{
  if (position >= self->most)
    return;
  guint wanted = MIN (g_list_model_get_n_items (self->list), self->most);
  guint behind = self->count - position;
  if (removed <= behind && wanted == self->count - removed + added)
    change (self, position, removed, added);
  else /* some come in or go at the end */
    change (self, position, behind, wanted - position);
}

void
insp_first_rows_set_most (InspFirstRows *self, guint most)
{
  guint wanted = MIN (g_list_model_get_n_items (self->list), most);
  self->most = most;
  if (wanted > self->count)
    change (self, self->count, 0, wanted - self->count);
  else
    change (self, wanted, self->count - wanted, 0);
}

GListModel *
insp_first_rows_get_list (InspFirstRows *self)
{
  return self->list;
}

static void
insp_first_rows_finalize (GObject *object)
{
  g_object_unref (INSP_FIRST_ROWS (object)->list);
  G_OBJECT_CLASS (insp_first_rows_parent_class)->finalize (object);
}

static void
insp_first_rows_class_init (InspFirstRowsClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_first_rows_finalize;
}

static void
insp_first_rows_init (InspFirstRows *self)
{
}

InspFirstRows *
insp_first_rows_new (GListModel *list, guint most)
{
  InspFirstRows *self = g_object_new (INSP_TYPE_FIRST_ROWS, NULL);
  self->list = g_object_ref (list);
  self->most = most;
  self->count = MIN (g_list_model_get_n_items (list), most);
  g_signal_connect_object (list, "items-changed", G_CALLBACK (on_items_changed), self,
                           G_CONNECT_SWAPPED);
  return self;
}
