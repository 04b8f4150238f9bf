/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-choice.h"
#include "insp-legend.h"
#include "insp-page.h"
#include "insp-refresher.h"
#include "insp-storage-panel.h"
#include "insp-table.h"
#include "insp-treemap.h"
#include "insp-twin.h"
#include "insp-unit.h"

#define INTERVAL 5000 /* milliseconds between requests */
#define HEIGHT 320    /* pixels, of the treemap */
#define TABLE_HEIGHT 360

struct _InspStoragePanel
{
  GtkWidget parent_instance;

  LdbStorageMap *map; /* NULL: none yet; owned */
  InspRowList *rows;  /* of InspTile; owned */
  GtkWidget *twin;    /* child */
  InspTreemap *treemap;
  InspLegend *legend;
  InspTable *table;
  GtkWidget *arrangements; /* a drop-down, by InspArrangement */
  GtkWidget *lenses;       /* a drop-down, by InspLens */
  InspRefresher *refresher;
};

G_DEFINE_FINAL_TYPE (InspStoragePanel, insp_storage_panel, GTK_TYPE_WIDGET)

enum
{
  LOADED,
  SELECTED,
  RECOLORED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- showing ---- */

InspLens
insp_storage_panel_get_lens (InspStoragePanel *self)
{
  return (InspLens) gtk_drop_down_get_selected (GTK_DROP_DOWN (self->lenses));
}

static void
fill (InspStoragePanel *self)
{
  InspLens lens = insp_storage_panel_get_lens (self);
  if (self->map == NULL)
    return;
  InspArrangement arrangement
      = (InspArrangement) gtk_drop_down_get_selected (GTK_DROP_DOWN (self->arrangements));
  g_autoptr (GPtrArray) tiles = insp_tiles_of_map (self->map, arrangement, lens);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) insp_tile_unref);
  for (guint i = 0; i < tiles->len; i++)
    g_ptr_array_add (rows, insp_tile_ref (g_ptr_array_index (tiles, i)));
  insp_row_list_set (self->rows, rows);
  insp_treemap_set_tiles (self->treemap, tiles, insp_lens_is_ordered (lens));
}

static void
on_lens (InspStoragePanel *self)
{
  insp_legend_set_lens (self->legend, insp_storage_panel_get_lens (self));
  fill (self);
  g_signal_emit (self, signals[RECOLORED], 0);
}

/* ---- asking ---- */

static void
ask (gpointer widget, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_load_storage_map_async (inspector, cancellable, answered, data);
}

static gboolean
take (gpointer widget, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  InspStoragePanel *self = widget;
  LdbStorageMap *map = ldb_inspector_load_storage_map_finish (inspector, result, error);
  if (map == NULL)
    return FALSE;
  g_clear_object (&self->map);
  self->map = map;
  fill (self);
  g_signal_emit (self, signals[LOADED], 0);
  return TRUE;
}

void
insp_storage_panel_refresh (InspStoragePanel *self)
{
  insp_refresher_ask (self->refresher);
}

/* ---- selecting ---- */

LdbStorageMap *
insp_storage_panel_get_map (InspStoragePanel *self)
{
  return self->map;
}

LdbStorageNode *
insp_storage_panel_get_selected (InspStoragePanel *self)
{
  const InspTile *tile = insp_treemap_get_selected (self->treemap);
  return tile != NULL ? tile->node : NULL;
}

gboolean
insp_storage_panel_select_segment (InspStoragePanel *self, guint64 number)
{
  const InspTile *tile;
  for (guint i = 0; (tile = insp_row_list_get (self->rows, i)) != NULL; i++)
    {
      LdbStorageKind kind = ldb_storage_node_get_kind (tile->node);
      if ((kind == LDB_STORAGE_SEGMENT || kind == LDB_STORAGE_EXTENT)
          && ldb_storage_node_get_number (tile->node) == number)
        {
          insp_treemap_select (self->treemap, tile->id);
          return TRUE;
        }
    }
  return FALSE;
}

static void
on_row (InspStoragePanel *self)
{
  const InspTile *tile = insp_table_get_selected (self->table);
  if (tile != NULL)
    insp_treemap_select (self->treemap, tile->id);
}

static void
on_selected (InspStoragePanel *self)
{
  g_signal_emit (self, signals[SELECTED], 0);
}

/* ---- columns ---- */

static char *
format_name (gconstpointer contents, gpointer data)
{
  const InspTile *tile = contents;
  return g_strdup_printf ("%*s%s", (int) (4 * tile->depth), "", tile->name);
}

static char *
format_kind (gconstpointer contents, gpointer data)
{
  return g_strdup (
      insp_storage_kind_name (ldb_storage_node_get_kind (((const InspTile *) contents)->node)));
}

static char *
format_bytes (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_BYTES, ((const InspTile *) contents)->weight);
}

static char *
format_records (gconstpointer contents, gpointer data)
{
  const LdbStorageFigures *figures
      = ldb_storage_node_get_figures (((const InspTile *) contents)->node);
  return insp_unit_format (INSP_UNIT_COUNT, (double) figures->records);
}

static char *
format_by (InspLens lens, gconstpointer contents, gpointer panel)
{
  LdbStorageMap *map = INSP_STORAGE_PANEL (panel)->map;
  return insp_lens_figure_of (lens, ((const InspTile *) contents)->node,
                              ldb_storage_map_get_time (map));
}

static char *
format_age (gconstpointer contents, gpointer panel)
{
  return format_by (INSP_LENS_AGE, contents, panel);
}

static char *
format_fill (gconstpointer contents, gpointer panel)
{
  return format_by (INSP_LENS_FILL, contents, panel);
}

static char *
format_codec (gconstpointer contents, gpointer panel)
{
  return format_by (INSP_LENS_CODEC, contents, panel);
}

static char *
format_heat (gconstpointer contents, gpointer panel)
{
  return format_by (INSP_LENS_HEAT, contents, panel);
}

static char *
format_filter (gconstpointer contents, gpointer panel)
{
  return format_by (INSP_LENS_FILTER, contents, panel);
}

static void
make_table (InspStoragePanel *self)
{
  self->table
      = INSP_TABLE (insp_table_new (_ ("Parts of the Storage"), _ ("Nothing is stored yet."),
                                    g_object_ref (G_LIST_MODEL (self->rows))));
  insp_table_set_heights (self->table, HEIGHT, TABLE_HEIGHT);
  /* Translators: the column of a table: a part of the storage */
  insp_table_add_column (self->table, _ ("Part"), INSP_TABLE_WIDE, format_name, self);
  insp_table_add_column (self->table, _ ("Kind"), INSP_TABLE_TEXT, format_kind, self);
  insp_table_add_column (self->table, _ ("Size"), INSP_TABLE_NUMBER, format_bytes, self);
  insp_table_add_column (self->table, _ ("Records"), INSP_TABLE_NUMBER, format_records, self);
  insp_table_add_column (self->table, _ ("Fill"), INSP_TABLE_NUMBER, format_fill, self);
  insp_table_add_column (self->table, _ ("Compression"), INSP_TABLE_TEXT, format_codec, self);
  insp_table_add_column (self->table, _ ("Cache"), INSP_TABLE_NUMBER, format_heat, self);
  insp_table_add_column (self->table, _ ("Filter"), INSP_TABLE_TEXT, format_filter, self);
  insp_table_add_column (self->table, _ ("Age"), INSP_TABLE_NUMBER, format_age, self);
  g_signal_connect_object (self->table, "selected", G_CALLBACK (on_row), self, G_CONNECT_SWAPPED);
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  return ((const InspTile *) contents)->id;
}

static void
insp_storage_panel_dispose (GObject *object)
{
  InspStoragePanel *self = INSP_STORAGE_PANEL (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_pointer (&self->twin, gtk_widget_unparent);
  g_clear_object (&self->rows);
  g_clear_object (&self->map);
  G_OBJECT_CLASS (insp_storage_panel_parent_class)->dispose (object);
}

static void
insp_storage_panel_class_init (InspStoragePanelClass *class)
{
  static const char *const names[] = { "loaded", "selected", "recolored" };
  G_OBJECT_CLASS (class)->dispose = insp_storage_panel_dispose;
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], INSP_TYPE_STORAGE_PANEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
make_choice (InspStoragePanel *self, const char *name, const char *const *choices,
             void (*chosen) (InspStoragePanel *))
{
  GtkWidget *choice = insp_choice_new_from_strings (choices, name);
  gtk_widget_set_tooltip_text (choice, name);
  g_signal_connect_swapped (choice, "notify::selected", G_CALLBACK (chosen), self);
  return choice;
}

static void
insp_storage_panel_init (InspStoragePanel *self)
{
  const char *const arrangements[] = { _ ("By Place"), _ ("By Store"), NULL };
  const char *lenses[INSP_LENSES + 1] = { NULL };
  GtkWidget *picture = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  for (guint i = 0; i < INSP_LENSES; i++)
    lenses[i] = insp_lens_name ((InspLens) i);
  self->rows = insp_row_list_new (identity, (GDestroyNotify) insp_tile_unref);
  self->treemap = INSP_TREEMAP (insp_treemap_new (_ ("Parts of the storage, by size"), HEIGHT));
  self->legend = INSP_LEGEND (insp_legend_new (FALSE));
  self->arrangements = make_choice (self, _ ("Arranged"), arrangements, fill);
  self->lenses = make_choice (self, _ ("Colored by"), lenses, on_lens);
  g_signal_connect_object (self->treemap, "selected", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  make_table (self);
  gtk_box_append (GTK_BOX (picture), GTK_WIDGET (self->treemap));
  gtk_box_append (GTK_BOX (picture), GTK_WIDGET (self->legend));
  self->twin = insp_twin_new (_ ("Storage Map"), picture, GTK_WIDGET (self->table));
  insp_twin_add_control (INSP_TWIN (self->twin), self->lenses);
  insp_twin_add_control (INSP_TWIN (self->twin), self->arrangements);
  gtk_widget_set_parent (self->twin, GTK_WIDGET (self));
  gtk_widget_set_vexpand (GTK_WIDGET (self), TRUE);
  insp_legend_set_lens (self->legend, INSP_LENS_AGE);
}

GtkWidget *
insp_storage_panel_new (InspSession *session)
{
  InspStoragePanel *self = g_object_new (INSP_TYPE_STORAGE_PANEL, NULL);
  self->refresher
      = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, insp_page_tell_from);
  return GTK_WIDGET (self);
}
