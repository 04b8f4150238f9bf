/* SPDX-License-Identifier: MIT */
/*
 * Invariant
 *   R1  The list is what the settings say, in all windows: they tell of changes.
 */
#include "config.h"

#include "insp-recent.h"

#define KEY "recent"
#define MOST 12u /* folders */

struct _InspRecent
{
  GObject parent_instance;

  GSettings *settings; /* owned */
  GPtrArray *folders;  /* of GFile; owned */
};

static void list_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (InspRecent, insp_recent, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_init))

/* ---- the list ---- */

static GType
get_item_type (GListModel *model)
{
  return G_TYPE_FILE;
}

static guint
get_n_items (GListModel *model)
{
  return INSP_RECENT (model)->folders->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  GPtrArray *folders = INSP_RECENT (model)->folders;
  return position < folders->len ? g_object_ref (folders->pdata[position]) : NULL;
}

static void
list_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

static void
load (InspRecent *self) /* R1 */
{
  g_auto (GStrv) uris = g_settings_get_strv (self->settings, KEY);
  guint old = self->folders->len;
  g_ptr_array_set_size (self->folders, 0);
  for (guint i = 0; uris[i] != NULL; i++)
    g_ptr_array_add (self->folders, g_file_new_for_uri (uris[i]));
  g_list_model_items_changed (G_LIST_MODEL (self), 0, old, self->folders->len);
}

/* ---- changes ---- */

/* The list without a folder, with `first` before it (NULL: nothing). */
static void
save (InspRecent *self, GFile *first, GFile *without)
{
  g_autoptr (GStrvBuilder) uris = g_strv_builder_new ();
  guint count = 0;
  if (first != NULL)
    {
      g_autofree char *uri = g_file_get_uri (first);
      g_strv_builder_add (uris, uri);
      count++;
    }
  for (guint i = 0; i < self->folders->len && count < MOST; i++)
    {
      g_autofree char *uri = g_file_get_uri (self->folders->pdata[i]);
      if (g_file_equal (self->folders->pdata[i], without))
        continue;
      g_strv_builder_add (uris, uri);
      count++;
    }
  g_auto (GStrv) list = g_strv_builder_end (uris);
  g_settings_set_strv (self->settings, KEY, (const char *const *) list);
}

void
insp_recent_add (InspRecent *self, GFile *folder)
{
  save (self, folder, folder);
}

void
insp_recent_remove (InspRecent *self, GFile *folder)
{
  g_autoptr (GFile) held = g_object_ref (folder); /* the list drops it */
  save (self, NULL, held);
}

/* ---- the object ---- */

static void
insp_recent_finalize (GObject *object)
{
  InspRecent *self = INSP_RECENT (object);
  g_object_unref (self->settings);
  g_ptr_array_unref (self->folders);
  G_OBJECT_CLASS (insp_recent_parent_class)->finalize (object);
}

static void
insp_recent_class_init (InspRecentClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_recent_finalize;
}

static void
insp_recent_init (InspRecent *self)
{
  self->settings = g_settings_new (APPLICATION_ID);
  self->folders = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect_object (self->settings, "changed::" KEY, G_CALLBACK (load), self,
                           G_CONNECT_SWAPPED);
  load (self);
}

InspRecent *
insp_recent_new (void)
{
  return g_object_new (INSP_TYPE_RECENT, NULL);
}
