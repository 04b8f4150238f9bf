/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-tile.h"

/* ---- words ---- */

const char *
insp_storage_kind_name (LdbStorageKind kind)
{
  static const char *const names[] = {
    [LDB_STORAGE_DATABASE] = N_ ("Database"),   [LDB_STORAGE_GROUP] = N_ ("Group"),
    [LDB_STORAGE_LEVEL] = N_ ("Level"),         [LDB_STORAGE_RUN] = N_ ("Run"),
    [LDB_STORAGE_SEGMENT] = N_ ("Segment"),     [LDB_STORAGE_STORE] = N_ ("Store"),
    [LDB_STORAGE_EXTENT] = N_ ("Of a segment"), [LDB_STORAGE_MEMTABLE] = N_ ("Memory table"),
    [LDB_STORAGE_BLOB] = N_ ("Large values"),   [LDB_STORAGE_FILE] = N_ ("File"),
  };
  return kind < G_N_ELEMENTS (names) ? _ (names[kind]) : "";
}

/* The library names groups in English. */
static const char *
group_name (const char *name)
{
  static const struct
  {
    const char *name, *title;
  } groups[] = {
    { "memtables", N_ ("Memory Tables") },
    { "large values", N_ ("Large Values") },
    { "log", N_ ("Log") },
    { "other files", N_ ("Other Files") },
  };
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    if (g_strcmp0 (name, groups[i].name) == 0)
      return _ (groups[i].title);
  return name != NULL ? name : "";
}

char *
insp_storage_node_name (LdbStorageNode *node)
{
  const char *name = ldb_storage_node_get_name (node);
  g_autofree char *number
      = g_strdup_printf ("%" G_GUINT64_FORMAT, ldb_storage_node_get_number (node));
  switch (ldb_storage_node_get_kind (node))
    {
    case LDB_STORAGE_LEVEL:
      return g_strdup_printf (_ ("Level %s"), number);
    case LDB_STORAGE_RUN:
      return g_strdup_printf (_ ("Run %s"), number);
    case LDB_STORAGE_SEGMENT:
    case LDB_STORAGE_EXTENT:
      return g_strdup_printf (_ ("Segment %s"), number);
    case LDB_STORAGE_GROUP:
      return g_strdup (group_name (name));
    case LDB_STORAGE_MEMTABLE:
      return g_strcmp0 (name, "active") == 0 ? g_strdup (_ ("Active Table"))
                                             : g_strdup_printf (_ ("Full Table %s"), number);
    case LDB_STORAGE_STORE:
      if (ldb_storage_node_get_state (node) & LDB_STORAGE_STATE_SYSTEM)
        return g_strdup (_ ("Catalogue of Stores"));
      return name != NULL ? g_strdup (name) : g_strdup_printf (_ ("Dropped Store %s"), number);
    default:
      return g_strdup (name != NULL ? name : number);
    }
}

char *
insp_page_name (const LdbPage *page)
{
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, page->number);
  if (page->level == 0)
    return g_strdup_printf (_ ("Page %s"), number);
  /* Translators: the number of a page, and its level above the leaves */
  return g_strdup_printf (_ ("Page %s, level %u"), number, page->level);
}

guint64
insp_storage_node_bytes (LdbStorageNode *node)
{
  const LdbStorageFigures *figures = ldb_storage_node_get_figures (node);
  return figures->bytes > 0 ? figures->bytes : figures->memory_bytes;
}

/* ---- tiles ---- */

InspTile *
insp_tile_ref (InspTile *self)
{
  return g_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  InspTile *self = data;
  g_free (self->name);
  g_free (self->figure);
  g_clear_object (&self->node);
  g_clear_pointer (&self->page, ldb_page_free);
}

void
insp_tile_unref (InspTile *self)
{
  g_rc_box_release_full (self, clear);
}

static GPtrArray *
tiles_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) insp_tile_unref);
}

/* Kind and number, and where it is: a segment is in several stores; names are told apart, too. */
static guint64
identify (LdbStorageNode *node, guint64 above)
{
  const char *name = ldb_storage_node_get_name (node);
  return ((above * 31 + (guint64) ldb_storage_node_get_kind (node)) * 1000003
          + ldb_storage_node_get_number (node))
             * 31
         + (name != NULL ? g_str_hash (name) : 0);
}

/* What is inside of segments are the stores' parts: another arrangement. */
static gboolean
is_leaf (LdbStorageNode *node)
{
  return ldb_storage_node_get_kind (node) == LDB_STORAGE_SEGMENT
         || g_list_model_get_n_items (G_LIST_MODEL (node)) == 0;
}

typedef struct
{
  GPtrArray *tiles;
  InspLens lens;
  gint64 now;
} Laying;

/* The tree of a map is four deep. */
static void
add_parts (Laying *its, GListModel *parts, guint depth, guint64 above)
{
  for (guint i = 0; i < g_list_model_get_n_items (parts); i++)
    {
      g_autoptr (LdbStorageNode) node = g_list_model_get_item (parts, i);
      InspTile *tile = g_rc_box_new0 (InspTile);
      tile->id = identify (node, above);
      tile->depth = depth;
      tile->is_leaf = is_leaf (node);
      tile->weight = (double) insp_storage_node_bytes (node);
      tile->step = insp_lens_step_of (its->lens, node, its->now);
      tile->name = insp_storage_node_name (node);
      tile->figure = insp_lens_figure_of (its->lens, node, its->now);
      tile->node = g_object_ref (node);
      g_ptr_array_add (its->tiles, tile);
      if (!tile->is_leaf)
        add_parts (its, G_LIST_MODEL (node), depth + 1, tile->id);
    }
}

GPtrArray *
insp_tiles_of_map (LdbStorageMap *map, InspArrangement arrangement, InspLens lens)
{
  Laying laying = { tiles_new (), lens, ldb_storage_map_get_time (map) };
  add_parts (&laying,
             arrangement == INSP_ARRANGED_BY_STORE ? ldb_storage_map_get_stores (map)
                                                   : G_LIST_MODEL (ldb_storage_map_get_root (map)),
             0, 0);
  return laying.tiles;
}

GPtrArray *
insp_tiles_of_pages (GPtrArray *pages, InspLens lens)
{
  GPtrArray *tiles = tiles_new ();
  for (guint i = 0; i < pages->len; i++)
    {
      const LdbPage *page = g_ptr_array_index (pages, i);
      InspTile *tile = g_rc_box_new0 (InspTile);
      tile->id = page->number;
      tile->is_leaf = TRUE;
      tile->weight = (double) MAX (page->stored_size, 1);
      tile->step = insp_lens_step_of_page (lens, page);
      tile->name = insp_page_name (page);
      tile->figure = insp_lens_figure_of_page (lens, page);
      tile->page = ldb_page_copy (page);
      g_ptr_array_add (tiles, tile);
    }
  return tiles;
}
