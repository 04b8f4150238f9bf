/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-choice.h"
#include "insp-export.h"
#include "insp-key-finder.h"
#include "insp-page-view.h"
#include "insp-segment-view.h"
#include "insp-sizes-view.h"
#include "insp-storage-page.h"
#include "insp-storage-panel.h"

struct _InspStoragePage
{
  InspPage parent_instance;

  InspStoragePanel *panel;
  InspSegmentView *segment;
  InspPageView *page;
  InspKeyFinder *finder;
  InspSizesView *sizes;
  GtkWidget *segment_section; /* shown while a part is selected */
  GtkWidget *page_section;    /* likewise a page */
  GtkStringList *names;       /* of stores; owned by the drop-downs */
  GtkWidget *stores;          /* a drop-down, of both */
  GtkWidget *measure;         /* a button */
};

G_DEFINE_FINAL_TYPE (InspStoragePage, insp_storage_page, INSP_TYPE_PAGE)

/* ---- following ---- */

static void
on_page (InspStoragePage *self)
{
  guint64 segment;
  const LdbPage *page = insp_segment_view_get_page (self->segment);
  gboolean any = page != NULL && insp_segment_view_get_segment (self->segment, &segment);
  gtk_widget_set_visible (self->page_section, any);
  if (any)
    insp_page_view_show (self->page, segment, page);
}

static void
on_part (InspStoragePage *self)
{
  LdbStorageNode *node = insp_storage_panel_get_selected (self->panel);
  LdbStorageMap *map = insp_storage_panel_get_map (self->panel);
  insp_segment_view_set_node (self->segment, node,
                              map != NULL ? ldb_storage_map_get_time (map) : 0);
  gtk_widget_set_visible (self->segment_section, node != NULL);
  on_page (self);
}

static void
on_recolored (InspStoragePage *self)
{
  insp_segment_view_set_lens (self->segment, insp_storage_panel_get_lens (self->panel));
}

/* The stores that can be searched; the drop-down stays as it is while they are the same. */
static void
review_stores (InspStoragePage *self)
{
  GListModel *stores = ldb_storage_map_get_stores (insp_storage_panel_get_map (self->panel));
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < g_list_model_get_n_items (stores); i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (stores, i);
      LdbStorageState state = ldb_storage_node_get_state (store);
      if (!(state & (LDB_STORAGE_STATE_SYSTEM | LDB_STORAGE_STATE_DROPPED))
          && ldb_storage_node_get_name (store) != NULL)
        g_ptr_array_add (names, (gpointer) ldb_storage_node_get_name (store));
    }
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->names));
  gboolean same = count == names->len;
  for (guint i = 0; same && i < count; i++)
    same = g_str_equal (gtk_string_list_get_string (self->names, i), g_ptr_array_index (names, i));
  g_ptr_array_add (names, NULL);
  if (!same)
    gtk_string_list_splice (self->names, 0, count, (const char *const *) names->pdata);
}

static void
on_loaded (InspStoragePage *self)
{
  review_stores (self);
  on_part (self);
}

static void
on_store (InspStoragePage *self)
{
  guint position = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->stores));
  const char *name = position != GTK_INVALID_LIST_POSITION
                         ? gtk_string_list_get_string (self->names, position)
                         : NULL;
  insp_key_finder_set_store (self->finder, name);
  insp_sizes_view_set_store (self->sizes, name);
}

/* Where a key is or would be: its page. */
static void
on_located (InspStoragePage *self)
{
  const LdbKeyLocation *location = insp_key_finder_get_selected (self->finder);
  if (location == NULL || location->in_memory || location->segment == 0
      || !insp_storage_panel_select_segment (self->panel, location->segment))
    return;
  if (location->verdict == LDB_LOCATION_FOUND || location->verdict == LDB_LOCATION_ABSENT)
    insp_segment_view_go_to (self->segment, location->page);
}

/* ---- using ---- */

static void
insp_storage_page_refresh (InspPage *page)
{
  insp_storage_panel_refresh (INSP_STORAGE_PAGE (page)->panel);
}

static void
insp_storage_page_search (InspPage *page)
{
  insp_key_finder_focus (INSP_STORAGE_PAGE (page)->finder);
}

static void
review_state (InspStoragePage *self)
{
  InspSession *session = insp_page_get_session (INSP_PAGE (self));
  gtk_widget_set_sensitive (self->measure, insp_session_get_state (session) == INSP_SESSION_LIVE);
}

/* ---- the object ---- */

static void
insp_storage_page_class_init (InspStoragePageClass *class)
{
  INSP_PAGE_CLASS (class)->refresh = insp_storage_page_refresh;
  INSP_PAGE_CLASS (class)->search = insp_storage_page_search;
}

static void
insp_storage_page_init (InspStoragePage *self)
{
}

static void
add_keys (InspStoragePage *self, InspSession *session)
{
  self->finder = INSP_KEY_FINDER (insp_key_finder_new (session));
  self->sizes = INSP_SIZES_VIEW (insp_sizes_view_new (session));
  self->names = gtk_string_list_new (NULL);
  self->stores = insp_choice_new_of_strings (self->names, _ ("Store"));
  g_signal_connect_swapped (self->stores, "notify::selected", G_CALLBACK (on_store), self);
  g_signal_connect_object (self->finder, "selected", G_CALLBACK (on_located), self,
                           G_CONNECT_SWAPPED);
  insp_page_add_section (INSP_PAGE (self), _ ("Places of a Key"), self->stores,
                         GTK_WIDGET (self->finder));
  self->measure = gtk_button_new_with_label (_ ("Measure"));
  g_signal_connect_swapped (self->measure, "clicked", G_CALLBACK (insp_sizes_view_measure),
                            self->sizes);
  g_signal_connect_object (session, "notify::state", G_CALLBACK (review_state), self,
                           G_CONNECT_SWAPPED);
  insp_page_add_section (INSP_PAGE (self), _ ("Sizes of Keys and Values"), self->measure,
                         GTK_WIDGET (self->sizes));
  review_state (self);
}

GtkWidget *
insp_storage_page_new (InspSession *session)
{
  InspStoragePage *self = g_object_new (INSP_TYPE_STORAGE_PAGE, "session", session, NULL);
  self->panel = INSP_STORAGE_PANEL (insp_storage_panel_new (session));
  self->segment = INSP_SEGMENT_VIEW (insp_segment_view_new (session));
  self->page = INSP_PAGE_VIEW (insp_page_view_new (session));
  insp_page_add (INSP_PAGE (self), GTK_WIDGET (self->panel));
  self->segment_section = insp_page_add_section (INSP_PAGE (self), _ ("Selected Part"), NULL,
                                                 GTK_WIDGET (self->segment));
  self->page_section = insp_page_add_section (INSP_PAGE (self), _ ("Selected Page"), NULL,
                                              GTK_WIDGET (self->page));
  gtk_widget_set_visible (self->segment_section, FALSE);
  gtk_widget_set_visible (self->page_section, FALSE);
  add_keys (self, session);
  g_signal_connect_object (self->panel, "loaded", G_CALLBACK (on_loaded), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->panel, "selected", G_CALLBACK (on_part), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->panel, "recolored", G_CALLBACK (on_recolored), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->segment, "selected", G_CALLBACK (on_page), self,
                           G_CONNECT_SWAPPED);
  insp_export_offer (GTK_WIDGET (self), "storage");
  return GTK_WIDGET (self);
}
