/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-enum-types.h"
#include "ldb-storage-node-private.h"

/**
 * LdbStorageNode:
 *
 * A part of a [class@Ldb.StorageMap]: the database, a level, a run, a segment, a store, …
 *
 * A node is a [iface@Gio.ListModel] of its parts, so that a [GtkTreeListModel](https://docs.gtk.org/gtk4/class.TreeListModel.html) can show
 * the tree. What it amounts to is in [property@Ldb.StorageNode:figures]; the figures that lists sort by are properties, too.
 *
 * Nodes never change. Threads: any.
 *
 * Since: 0.1
 */

static void list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (LdbStorageNode, ldb_storage_node, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))
G_DEFINE_BOXED_TYPE (LdbStorageFigures, ldb_storage_figures, ldb_storage_figures_copy,
                     ldb_storage_figures_free)

enum
{
  PROP_KIND = 1,
  PROP_NAME,
  PROP_NUMBER,
  PROP_LEVEL,
  PROP_STATE,
  PROP_FILTER,
  PROP_FIGURES,
  PROP_FILL,
  PROP_SMALLEST,
  PROP_LARGEST,
  PROP_BYTES,
  PROP_RECORDS,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

/* Figures that add up, and their names in JSON. */
static const struct
{
  const char *name;
  gsize offset;
} sums[] = {
#define SUM(field)                                                                                 \
  {                                                                                                \
#field, G_STRUCT_OFFSET(LdbStorageFigures, field)                                              \
  }
  SUM (bytes),        SUM (memory_bytes),  SUM (segments),     SUM (records),
  SUM (deletes),      SUM (range_deletes), SUM (key_bytes),    SUM (value_bytes),
  SUM (blob_values),  SUM (blob_bytes),    SUM (leaves),       SUM (inner_pages),
  SUM (stored_bytes), SUM (logical_bytes), SUM (used_bytes),   SUM (raw_pages),
  SUM (zstd_pages),   SUM (lz4_pages),     SUM (snappy_pages), SUM (filter_bytes),
  SUM (index_bytes),  SUM (cached_pages),
#undef SUM
};

/* ---- the list of its parts ---- */

static GType
get_item_type (GListModel *model)
{
  return LDB_TYPE_STORAGE_NODE;
}

static guint
get_n_items (GListModel *model)
{
  LdbStorageNode *self = LDB_STORAGE_NODE (model);
  return self->children != NULL ? self->children->len : 0;
}

static gpointer
get_item (GListModel *model, guint position)
{
  LdbStorageNode *self = LDB_STORAGE_NODE (model);
  return position < get_n_items (model)
             ? g_object_ref (g_ptr_array_index (self->children, position))
             : NULL;
}

static void
list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

/* ---- the object ---- */

static void
ldb_storage_node_finalize (GObject *object)
{
  LdbStorageNode *self = LDB_STORAGE_NODE (object);
  g_clear_pointer (&self->children, g_ptr_array_unref);
  g_clear_pointer (&self->smallest, g_bytes_unref);
  g_clear_pointer (&self->largest, g_bytes_unref);
  g_clear_pointer (&self->name, g_free);
  G_OBJECT_CLASS (ldb_storage_node_parent_class)->finalize (object);
}

static void
ldb_storage_node_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbStorageNode *self = LDB_STORAGE_NODE (object);
  switch (id)
    {
    case PROP_KIND:
      g_value_set_enum (value, self->kind);
      break;
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_NUMBER:
      g_value_set_uint64 (value, self->number);
      break;
    case PROP_LEVEL:
      g_value_set_int (value, self->level);
      break;
    case PROP_STATE:
      g_value_set_flags (value, self->state);
      break;
    case PROP_FILTER:
      g_value_set_enum (value, self->filter);
      break;
    case PROP_FIGURES:
      g_value_set_boxed (value, &self->figures);
      break;
    case PROP_FILL:
      g_value_set_double (value, ldb_storage_node_get_fill (self));
      break;
    case PROP_SMALLEST:
      g_value_set_boxed (value, self->smallest);
      break;
    case PROP_LARGEST:
      g_value_set_boxed (value, self->largest);
      break;
    case PROP_BYTES:
      g_value_set_uint64 (value, self->figures.bytes);
      break;
    case PROP_RECORDS:
      g_value_set_uint64 (value, self->figures.records);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_names (GParamFlags flags)
{
  /**
   * LdbStorageNode:kind: (getter get_kind)
   *
   * What it is.
   *
   * Since: 0.1
   */
  properties[PROP_KIND]
      = g_param_spec_enum ("kind", NULL, NULL, LDB_TYPE_STORAGE_KIND, LDB_STORAGE_DATABASE, flags);
  /**
   * LdbStorageNode:name: (getter get_name)
   *
   * The name of the file, store or group.
   *
   * Since: 0.1
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  /**
   * LdbStorageNode:number: (getter get_number)
   *
   * The number of the file, run, store or level.
   *
   * Since: 0.1
   */
  properties[PROP_NUMBER] = g_param_spec_uint64 ("number", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbStorageNode:level: (getter get_level)
   *
   * The level it is on, or -1.
   *
   * Since: 0.1
   */
  properties[PROP_LEVEL] = g_param_spec_int ("level", NULL, NULL, -1, G_MAXINT, -1, flags);
  /**
   * LdbStorageNode:state: (getter get_state)
   *
   * What is to be known beside its figures.
   *
   * Since: 0.1
   */
  properties[PROP_STATE] = g_param_spec_flags ("state", NULL, NULL, LDB_TYPE_STORAGE_STATE,
                                               LDB_STORAGE_STATE_NONE, flags);
  /**
   * LdbStorageNode:filter: (getter get_filter)
   *
   * The filter of a segment.
   *
   * Since: 0.1
   */
  properties[PROP_FILTER]
      = g_param_spec_enum ("filter", NULL, NULL, LDB_TYPE_FILTER_KIND, LDB_FILTER_NONE, flags);
}

static void
install_figures (GParamFlags flags)
{
  /**
   * LdbStorageNode:figures: (getter get_figures)
   *
   * What it amounts to.
   *
   * Since: 0.1
   */
  properties[PROP_FIGURES]
      = g_param_spec_boxed ("figures", NULL, NULL, LDB_TYPE_STORAGE_FIGURES, flags);
  /**
   * LdbStorageNode:fill: (getter get_fill)
   *
   * The used part of its pages, 0 to 1.
   *
   * Since: 0.1
   */
  properties[PROP_FILL] = g_param_spec_double ("fill", NULL, NULL, 0, 1, 0, flags);
  /**
   * LdbStorageNode:smallest: (getter get_smallest)
   *
   * The smallest key of a segment, cut to 1,024 bytes. Of one with records of several stores it is that of
   * the first store in it, in the order of their creation.
   *
   * Since: 0.1
   */
  properties[PROP_SMALLEST] = g_param_spec_boxed ("smallest", NULL, NULL, G_TYPE_BYTES, flags);
  /**
   * LdbStorageNode:largest: (getter get_largest)
   *
   * The largest key of a segment, cut to 1,024 bytes. Of one with records of several stores it is that of
   * the last store in it, in the order of their creation.
   *
   * Since: 0.1
   */
  properties[PROP_LARGEST] = g_param_spec_boxed ("largest", NULL, NULL, G_TYPE_BYTES, flags);
  /**
   * LdbStorageNode:bytes:
   *
   * What it takes on the disk, in bytes.
   *
   * Since: 0.1
   */
  properties[PROP_BYTES] = g_param_spec_uint64 ("bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbStorageNode:records:
   *
   * How many versions of keys are in it.
   *
   * Since: 0.1
   */
  properties[PROP_RECORDS] = g_param_spec_uint64 ("records", NULL, NULL, 0, G_MAXUINT64, 0, flags);
}

static void
ldb_storage_node_class_init (LdbStorageNodeClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->finalize = ldb_storage_node_finalize;
  object_class->get_property = ldb_storage_node_get_property;
  install_names (flags);
  install_figures (flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_storage_node_init (LdbStorageNode *self)
{
  self->level = -1;
}

/* ---- making ---- */

LdbStorageNode *
ldb_storage_node_new (LdbStorageKind kind, const char *name, guint64 number)
{
  LdbStorageNode *self = g_object_new (LDB_TYPE_STORAGE_NODE, NULL);
  self->kind = kind;
  self->name = name != NULL ? g_utf8_make_valid (name, -1) : NULL;
  self->number = number;
  return self;
}

void
ldb_storage_node_add (LdbStorageNode *self, LdbStorageNode *child)
{
  if (self->children == NULL)
    self->children = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->children, child);
}

static void
add_up (LdbStorageFigures *sum, const LdbStorageFigures *part)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sums); i++)
    G_STRUCT_MEMBER (guint64, sum, sums[i].offset)
        += G_STRUCT_MEMBER (guint64, part, sums[i].offset);
  sum->depth = MAX (sum->depth, part->depth);
  sum->newest_sequence = MAX (sum->newest_sequence, part->newest_sequence);
  if (part->records + part->range_deletes > 0)
    sum->oldest_sequence = MIN (sum->oldest_sequence, part->oldest_sequence);
  if (part->created > 0 && (sum->created == 0 || part->created < sum->created))
    sum->created = part->created;
}

void
ldb_storage_node_sum_up (LdbStorageNode *self)
{
  if (self->children == NULL)
    return;
  LdbStorageFigures sum = { .oldest_sequence = G_MAXUINT64 };
  for (guint i = 0; i < self->children->len; i++)
    {
      LdbStorageNode *child = g_ptr_array_index (self->children, i);
      ldb_storage_node_sum_up (child);
      add_up (&sum, &child->figures);
      self->state |= child->state & LDB_STORAGE_STATE_APPROXIMATE;
    }
  if (sum.oldest_sequence == G_MAXUINT64)
    sum.oldest_sequence = 0;
  self->figures = sum;
}

/* ---- JSON ---- */

static const char *const kind_names[] = {
  "database", "group", "level", "run", "segment", "store", "extent", "memtable", "blob", "file",
};

static const struct
{
  LdbStorageState state;
  const char *name;
} state_names[] = {
  { LDB_STORAGE_STATE_MERGING, "merging" },
  { LDB_STORAGE_STATE_NARROWED, "narrowed" },
  { LDB_STORAGE_STATE_FILTER_LOADED, "filter_loaded" },
  { LDB_STORAGE_STATE_APPROXIMATE, "approximate" },
  { LDB_STORAGE_STATE_UNSETTLED, "unsettled" },
  { LDB_STORAGE_STATE_DROPPED, "dropped" },
  { LDB_STORAGE_STATE_SYSTEM, "system" },
};

static void
write_figures (const LdbStorageFigures *figures, LdbJson *json)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sums); i++)
    {
      guint64 figure = G_STRUCT_MEMBER (guint64, figures, sums[i].offset);
      if (figure > 0 || i == 0)
        ldb_json_number (json, sums[i].name, figure);
    }
  if (figures->depth > 0)
    ldb_json_number (json, "depth", figures->depth);
  if (figures->newest_sequence > 0)
    {
      ldb_json_number (json, "oldest_sequence", figures->oldest_sequence);
      ldb_json_number (json, "newest_sequence", figures->newest_sequence);
    }
  if (figures->created > 0)
    ldb_json_number (json, "created", figures->created);
}

void
ldb_storage_node_write_json (LdbStorageNode *self, LdbJson *json, const char *name)
{
  ldb_json_begin (json, name, '{');
  ldb_json_text (json, "kind", kind_names[self->kind]);
  if (self->name != NULL)
    ldb_json_text (json, "name", self->name);
  if (self->kind != LDB_STORAGE_DATABASE && self->kind != LDB_STORAGE_GROUP)
    ldb_json_number (json, "number", self->number);
  if (self->level >= 0)
    ldb_json_number (json, "level", (guint64) self->level);
  write_figures (&self->figures, json);
  if (self->figures.logical_bytes > 0)
    ldb_json_real (json, "fill", ldb_storage_node_get_fill (self));
  if (self->filter != LDB_FILTER_NONE)
    ldb_json_text (json, "filter", self->filter == LDB_FILTER_BLOOM ? "bloom" : "fuse");
  for (gsize i = 0; i < G_N_ELEMENTS (state_names); i++)
    if ((self->state & state_names[i].state) != 0)
      ldb_json_flag (json, state_names[i].name, TRUE);
  ldb_json_bytes (json, "smallest", self->smallest);
  ldb_json_bytes (json, "largest", self->largest);
  if (self->children != NULL)
    {
      ldb_json_begin (json, "parts", '[');
      for (guint i = 0; i < self->children->len; i++)
        ldb_storage_node_write_json (g_ptr_array_index (self->children, i), json, NULL);
      ldb_json_end (json, ']');
    }
  ldb_json_end (json, '}');
}

/* ---- figures ---- */

/**
 * ldb_storage_figures_copy:
 * @self: figures
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbStorageFigures *
ldb_storage_figures_copy (const LdbStorageFigures *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_memdup2 (self, sizeof *self);
}

/**
 * ldb_storage_figures_free:
 * @self: (transfer full) (nullable): figures, or %NULL
 *
 * Frees them.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_storage_figures_free (LdbStorageFigures *self)
{
  g_free (self);
}

/* ---- looking ---- */

/**
 * ldb_storage_node_get_kind: (get-property kind)
 * @self: a node
 *
 * Gets what it is.
 *
 * Any thread.
 *
 * Returns: the kind
 *
 * Since: 0.1
 */
LdbStorageKind
ldb_storage_node_get_kind (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), LDB_STORAGE_DATABASE);
  return self->kind;
}

/**
 * ldb_storage_node_get_name: (get-property name)
 * @self: a node
 *
 * Gets the name of the file, store or group. Levels, runs and dropped stores have none.
 *
 * Any thread.
 *
 * Returns: (nullable): the name
 *
 * Since: 0.1
 */
const char *
ldb_storage_node_get_name (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), NULL);
  return self->name;
}

/**
 * ldb_storage_node_get_number: (get-property number)
 * @self: a node
 *
 * Gets the number of the file, run, store or level. That of a segment, also of an extent, names it
 * in [method@Ldb.Database.list_pages] and [method@Ldb.Database.read_page].
 *
 * Any thread.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
ldb_storage_node_get_number (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), 0);
  return self->number;
}

/**
 * ldb_storage_node_get_level: (get-property level)
 * @self: a node
 *
 * Gets the level that a level, run or segment is.
 *
 * Any thread.
 *
 * Returns: the level, or -1
 *
 * Since: 0.1
 */
int
ldb_storage_node_get_level (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), -1);
  return self->level;
}

/**
 * ldb_storage_node_get_state: (get-property state)
 * @self: a node
 *
 * Gets what is to be known of it beside its figures.
 *
 * Any thread.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
LdbStorageState
ldb_storage_node_get_state (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), LDB_STORAGE_STATE_NONE);
  return self->state;
}

/**
 * ldb_storage_node_get_filter: (get-property filter)
 * @self: a node
 *
 * Gets the kind of a segment's filter.
 *
 * Any thread.
 *
 * Returns: the kind
 *
 * Since: 0.1
 */
LdbFilterKind
ldb_storage_node_get_filter (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), LDB_FILTER_NONE);
  return self->filter;
}

/**
 * ldb_storage_node_get_figures: (get-property figures)
 * @self: a node
 *
 * Gets what it amounts to.
 *
 * Any thread.
 *
 * Returns: (transfer none): the figures
 *
 * Since: 0.1
 */
const LdbStorageFigures *
ldb_storage_node_get_figures (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), NULL);
  return &self->figures;
}

/**
 * ldb_storage_node_get_fill: (get-property fill)
 * @self: a node
 *
 * Gets which part of its pages is used.
 *
 * Any thread.
 *
 * Returns: 0 to 1; 0 of what has no pages
 *
 * Since: 0.1
 */
double
ldb_storage_node_get_fill (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), 0);
  const LdbStorageFigures *figures = &self->figures;
  return figures->logical_bytes > 0
             ? MIN (1.0, (double) figures->used_bytes / (double) figures->logical_bytes)
             : 0;
}

/**
 * ldb_storage_node_get_smallest: (get-property smallest)
 * @self: a node
 *
 * Gets the smallest key of a segment, cut to 1,024 bytes.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the key
 *
 * Since: 0.1
 */
GBytes *
ldb_storage_node_get_smallest (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), NULL);
  return self->smallest;
}

/**
 * ldb_storage_node_get_largest: (get-property largest)
 * @self: a node
 *
 * Gets the largest key of a segment, cut to 1,024 bytes.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the key
 *
 * Since: 0.1
 */
GBytes *
ldb_storage_node_get_largest (LdbStorageNode *self)
{
  g_return_val_if_fail (LDB_IS_STORAGE_NODE (self), NULL);
  return self->largest;
}
