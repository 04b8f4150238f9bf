/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   S1  `pages` are of the segment of `node`, from `first` on; there are none of what is no segment.
 *   S2  `cancellable` is there exactly while pages are asked for that are wanted.
 */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-facts.h"
#include "insp-key-text.h"
#include "insp-legend.h"
#include "insp-page.h"
#include "insp-segment-view.h"
#include "insp-table.h"
#include "insp-treemap.h"
#include "insp-twin.h"
#include "insp-unit.h"

#define PAGES 1000u /* at once */
#define HEIGHT 200  /* pixels, of the treemap */
#define NO_PAGE G_MAXUINT64

struct _InspSegmentView
{
  GtkWidget parent_instance;

  InspSession *session;      /* owned */
  LdbStorageNode *node;      /* NULL: none; owned */
  GPtrArray *pages;          /* S1; LdbPage; owned */
  InspRowList *rows;         /* of InspTile of these; owned */
  guint64 first;             /* S1 */
  guint64 wanted;            /* a page that is to be selected once it is there; NO_PAGE: none */
  GCancellable *cancellable; /* S2; owned */
  InspLens lens;
  GtkWidget *box; /* child */
  InspFacts *facts;
  GtkWidget *twin; /* of the pages */
  InspTreemap *treemap;
  InspLegend *legend;
  InspTable *table;
  GtkWidget *previous; /* a button; likewise below */
  GtkWidget *next;
};

G_DEFINE_FINAL_TYPE (InspSegmentView, insp_segment_view, GTK_TYPE_WIDGET)

enum
{
  SELECTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- showing ---- */

gboolean
insp_segment_view_get_segment (InspSegmentView *self, guint64 *number)
{
  LdbStorageKind kind
      = self->node != NULL ? ldb_storage_node_get_kind (self->node) : LDB_STORAGE_DATABASE;
  if (kind != LDB_STORAGE_SEGMENT && kind != LDB_STORAGE_EXTENT)
    return FALSE;
  *number = ldb_storage_node_get_number (self->node);
  return TRUE;
}

/* A segment's own: the part of a store has fewer. */
static guint64
page_count (InspSegmentView *self)
{
  const LdbStorageFigures *figures = ldb_storage_node_get_figures (self->node);
  return figures->leaves + figures->inner_pages;
}

static void
fill (InspSegmentView *self)
{
  guint64 number;
  gboolean is_segment = insp_segment_view_get_segment (self, &number);
  InspLens lens = self->lens == INSP_LENS_AGE || self->lens == INSP_LENS_FILTER
                      ? INSP_LENS_FILL
                      : self->lens; /* a page has no others */
  g_autoptr (GPtrArray) tiles = insp_tiles_of_pages (self->pages, lens);
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  for (guint i = 0; i < tiles->len; i++)
    g_ptr_array_add (rows, insp_tile_ref (g_ptr_array_index (tiles, i)));
  insp_row_list_set (self->rows, rows);
  insp_treemap_set_tiles (self->treemap, tiles, insp_lens_is_ordered (lens));
  insp_legend_set_lens (self->legend, lens);
  gtk_widget_set_visible (self->twin, is_segment);
  gtk_widget_set_sensitive (self->previous, self->first > 0);
  gtk_widget_set_sensitive (self->next, is_segment && self->pages->len == PAGES);
  gtk_widget_set_visible (self->previous,
                          is_segment && (self->first > 0 || page_count (self) > PAGES));
  gtk_widget_set_visible (self->next, gtk_widget_get_visible (self->previous));
}

void
insp_segment_view_set_lens (InspSegmentView *self, InspLens lens)
{
  self->lens = lens;
  fill (self);
}

/* ---- asking ---- */

static void
stop (InspSegmentView *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static void
take_pages (InspSegmentView *self, GPtrArray *pages)
{
  g_ptr_array_unref (self->pages);
  self->pages = g_ptr_array_ref (pages);
  fill (self);
  if (self->wanted != NO_PAGE)
    insp_treemap_select (self->treemap, self->wanted);
  self->wanted = NO_PAGE;
}

static void
on_pages (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspSegmentView) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) pages
      = ldb_inspector_list_pages_finish (LDB_INSPECTOR (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->box == NULL)
    return;
  g_clear_object (&self->cancellable);
  if (pages != NULL)
    take_pages (self, pages);
  insp_page_tell_from (self, error);
}

static void
ask (InspSegmentView *self)
{
  guint64 number;
  stop (self);
  if (!insp_segment_view_get_segment (self, &number)
      || insp_session_get_state (self->session) != INSP_SESSION_LIVE)
    return;
  self->cancellable = g_cancellable_new ();
  ldb_inspector_list_pages_async (insp_session_get_inspector (self->session), number, self->first,
                                  PAGES, FALSE, self->cancellable, on_pages, g_object_ref (self));
}

void
insp_segment_view_set_node (InspSegmentView *self, LdbStorageNode *node, gint64 now)
{
  guint64 before = 0, number = 0;
  gboolean was_segment = insp_segment_view_get_segment (self, &before);
  g_set_object (&self->node, node);
  insp_facts_show_node (self->facts, node, now);
  if (was_segment && insp_segment_view_get_segment (self, &number) && number == before)
    return; /* its pages do not change */
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  self->first = 0;
  self->wanted = NO_PAGE;
  take_pages (self, none);
  ask (self);
}

void
insp_segment_view_go_to (InspSegmentView *self, guint64 page)
{
  self->wanted = page;
  if (self->cancellable == NULL && self->pages->len > 0 && page >= self->first
      && page < self->first + self->pages->len)
    {
      take_pages (self, self->pages);
      return;
    }
  self->first = page / PAGES * PAGES;
  ask (self);
}

static void
on_previous (InspSegmentView *self)
{
  self->first -= MIN (self->first, PAGES);
  ask (self);
}

static void
on_next (InspSegmentView *self)
{
  self->first += PAGES;
  ask (self);
}

/* ---- selecting ---- */

const LdbPage *
insp_segment_view_get_page (InspSegmentView *self)
{
  const InspTile *tile = insp_treemap_get_selected (self->treemap);
  return tile != NULL ? tile->page : NULL;
}

static void
on_row (InspSegmentView *self)
{
  const InspTile *tile = insp_table_get_selected (self->table);
  if (tile != NULL)
    insp_treemap_select (self->treemap, tile->id);
}

static void
on_selected (InspSegmentView *self)
{
  g_signal_emit (self, signals[SELECTED], 0);
}

/* ---- columns ---- */

static const LdbPage *
page_of (gconstpointer contents)
{
  return ((const InspTile *) contents)->page;
}

static char *
format_name (gconstpointer contents, gpointer data)
{
  return g_strdup (((const InspTile *) contents)->name);
}

static char *
format_stored (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_BYTES, (double) page_of (contents)->stored_size);
}

static char *
format_lens (gconstpointer contents, gpointer lens)
{
  return insp_lens_figure_of_page ((InspLens) GPOINTER_TO_UINT (lens), page_of (contents));
}

static char *
format_key (gconstpointer contents, gpointer data)
{
  GBytes *key = page_of (contents)->key;
  return insp_key_text_of (key, key != NULL ? g_bytes_get_size (key) : 0);
}

static void
make_table (InspSegmentView *self)
{
  self->table = INSP_TABLE (insp_table_new (_ ("Pages of the Segment"),
                                            _ ("No pages are known of this segment."),
                                            g_object_ref (G_LIST_MODEL (self->rows))));
  insp_table_add_column (self->table, _ ("Page"), INSP_TABLE_TEXT, format_name, NULL);
  insp_table_add_column (self->table, _ ("Size"), INSP_TABLE_NUMBER, format_stored, NULL);
  insp_table_add_column (self->table, _ ("Fill"), INSP_TABLE_NUMBER, format_lens,
                         GUINT_TO_POINTER (INSP_LENS_FILL));
  insp_table_add_column (self->table, _ ("Compression"), INSP_TABLE_TEXT, format_lens,
                         GUINT_TO_POINTER (INSP_LENS_CODEC));
  insp_table_add_column (self->table, _ ("Cache"), INSP_TABLE_TEXT, format_lens,
                         GUINT_TO_POINTER (INSP_LENS_HEAT));
  insp_table_add_column (self->table, _ ("Keys From"), INSP_TABLE_WIDE, format_key, NULL);
  g_signal_connect_object (self->table, "selected", G_CALLBACK (on_row), self, G_CONNECT_SWAPPED);
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  return ((const InspTile *) contents)->id;
}

static void
insp_segment_view_dispose (GObject *object)
{
  InspSegmentView *self = INSP_SEGMENT_VIEW (object);
  stop (self);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->rows);
  g_clear_object (&self->node);
  g_clear_object (&self->session);
  g_clear_pointer (&self->pages, g_ptr_array_unref);
  G_OBJECT_CLASS (insp_segment_view_parent_class)->dispose (object);
}

static void
insp_segment_view_class_init (InspSegmentViewClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_segment_view_dispose;
  signals[SELECTED] = g_signal_new ("selected", INSP_TYPE_SEGMENT_VIEW, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
add_button (InspSegmentView *self, const char *icon, const char *name,
            void (*pressed) (InspSegmentView *))
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_widget_add_css_class (button, "flat");
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (pressed), self);
  insp_twin_add_control (INSP_TWIN (self->twin), button);
  return button;
}

static void
insp_segment_view_init (InspSegmentView *self)
{
  GtkWidget *picture = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->wanted = NO_PAGE;
  self->lens = INSP_LENS_FILL;
  self->pages = g_ptr_array_new ();
  self->rows = insp_row_list_new (identity, (GDestroyNotify) insp_tile_unref);
  self->facts = INSP_FACTS (insp_facts_new ());
  self->treemap = INSP_TREEMAP (insp_treemap_new (_ ("Pages, by size"), HEIGHT));
  self->legend = INSP_LEGEND (insp_legend_new (TRUE));
  g_signal_connect_object (self->treemap, "selected", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  make_table (self);
  gtk_box_append (GTK_BOX (picture), GTK_WIDGET (self->treemap));
  gtk_box_append (GTK_BOX (picture), GTK_WIDGET (self->legend));
  self->twin = insp_twin_new (C_ ("of a segment", "Pages"), picture, GTK_WIDGET (self->table));
  self->next = add_button (self, "go-next-symbolic", _ ("Next pages"), on_next);
  self->previous = add_button (self, "go-previous-symbolic", _ ("Previous pages"), on_previous);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->facts));
  gtk_box_append (GTK_BOX (self->box), self->twin);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  fill (self);
}

GtkWidget *
insp_segment_view_new (InspSession *session)
{
  InspSegmentView *self = g_object_new (INSP_TYPE_SEGMENT_VIEW, NULL);
  self->session = g_object_ref (session);
  return GTK_WIDGET (self);
}
