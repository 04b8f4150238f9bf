/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   L1  Item i is sample `end` - 1 - i; `first` … `end` - 1 are what the list's users were told of.
 */
#include "config.h"

#include <gio/gio.h>

#include "insp-sample-list.h"

struct _InspSample
{
  GObject parent_instance;

  guint64 number;
};

G_DEFINE_FINAL_TYPE (InspSample, insp_sample, G_TYPE_OBJECT)

static void
insp_sample_class_init (InspSampleClass *class)
{
}

static void
insp_sample_init (InspSample *self)
{
}

guint64
insp_sample_get_number (InspSample *self)
{
  return self->number;
}

struct _InspSampleList
{
  GObject parent_instance;

  InspHistory *history; /* owned */
  InspAxis *axis;       /* owned */
  guint64 first, end;   /* L1 */
};

static GType
get_item_type (GListModel *list)
{
  return INSP_TYPE_SAMPLE;
}

static guint
get_n_items (GListModel *list)
{
  InspSampleList *self = INSP_SAMPLE_LIST (list);
  return (guint) (self->end - self->first);
}

static gpointer
get_item (GListModel *list, guint position)
{
  InspSampleList *self = INSP_SAMPLE_LIST (list);
  if (position >= self->end - self->first)
    return NULL;
  InspSample *sample = g_object_new (INSP_TYPE_SAMPLE, NULL);
  sample->number = self->end - 1 - position;
  return sample;
}

static void
list_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (InspSampleList, insp_sample_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_init))

/* Those at the front first, then those at the back: each signal finds its state. */
static void
follow (InspSampleList *self)
{
  guint64 first = insp_history_seek (self->history, insp_axis_get_start (self->axis));
  guint64 end = insp_history_seek (self->history, insp_axis_get_end (self->axis) + 1);
  guint64 old_first = self->first, old_end = self->end;
  if (end < first || first >= old_end || end <= old_first) /* others altogether */
    {
      self->first = first;
      self->end = MAX (end, first);
      g_list_model_items_changed (G_LIST_MODEL (self), 0, (guint) (old_end - old_first),
                                  get_n_items (G_LIST_MODEL (self)));
      return;
    }
  if (end != old_end)
    {
      self->end = end;
      g_list_model_items_changed (G_LIST_MODEL (self), 0,
                                  end < old_end ? (guint) (old_end - end) : 0,
                                  end > old_end ? (guint) (end - old_end) : 0);
    }
  if (first != old_first)
    {
      guint kept = (guint) (end - MAX (first, old_first));
      self->first = first;
      g_list_model_items_changed (G_LIST_MODEL (self), kept,
                                  first > old_first ? (guint) (first - old_first) : 0,
                                  first < old_first ? (guint) (old_first - first) : 0);
    }
}

static void
insp_sample_list_finalize (GObject *object)
{
  InspSampleList *self = INSP_SAMPLE_LIST (object);
  g_object_unref (self->history);
  g_object_unref (self->axis);
  G_OBJECT_CLASS (insp_sample_list_parent_class)->finalize (object);
}

static void
insp_sample_list_class_init (InspSampleListClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_sample_list_finalize;
}

static void
insp_sample_list_init (InspSampleList *self)
{
}

InspSampleList *
insp_sample_list_new (InspHistory *history, InspAxis *axis)
{
  InspSampleList *self = g_object_new (INSP_TYPE_SAMPLE_LIST, NULL);
  self->history = g_object_ref (history);
  self->axis = g_object_ref (axis);
  g_signal_connect_object (axis, "changed", G_CALLBACK (follow), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (history, "appended", G_CALLBACK (follow), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (history, "begun-anew", G_CALLBACK (follow), self, G_CONNECT_SWAPPED);
  follow (self);
  return self;
}
