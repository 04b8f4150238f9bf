/* SPDX-License-Identifier: MIT */
/*
 * What the rows of a list are to the application: entries, objects of a type of its own, or what a
 * function of its own makes of entries.
 */
#include "config.h"

#include "ldb-list-rows-private.h"

#include "ldb-entry-private.h"
#include "ldb-error-private.h"

/* ---- types with properties ---- */

static const char *const property_names[LDB_ROW_N_PROPERTIES] = {
  [LDB_ROW_KEY] = "key",
  [LDB_ROW_VALUE] = "value",
  [LDB_ROW_SEQUENCE] = "sequence",
  [LDB_ROW_LOADED] = "loaded",
};

static gboolean
can_hold (GParamSpec *pspec, LdbRowProperty property)
{
  GType type = pspec->value_type;
  if ((pspec->flags & G_PARAM_WRITABLE) == 0 || (pspec->flags & G_PARAM_CONSTRUCT_ONLY) != 0)
    return FALSE;
  if (property == LDB_ROW_SEQUENCE)
    return type == G_TYPE_UINT64;
  if (property == LDB_ROW_LOADED)
    return type == G_TYPE_BOOLEAN;
  return type == G_TYPE_BYTES || type == G_TYPE_STRING || type == G_TYPE_VARIANT;
}

static gboolean
can_be_made (GType type)
{
  return G_TYPE_IS_CLASSED (type) && !G_TYPE_IS_ABSTRACT (type);
}

static gboolean
find_properties (LdbRowMaker *maker, GObjectClass *klass, GError **error)
{
  for (guint i = 0; i < LDB_ROW_N_PROPERTIES; i++)
    {
      GParamSpec *pspec = g_object_class_find_property (klass, property_names[i]);
      gboolean fits = pspec != NULL && can_hold (pspec, (LdbRowProperty) i);
      if (fits)
        maker->properties[i] = pspec;
      else if (i == LDB_ROW_KEY || i == LDB_ROW_VALUE)
        return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                              "Rows of a list cannot be of type %s: it has no property “%s” of "
                              "type GBytes, string or GVariant that can be set after construction. "
                              "Add one, or make rows with a function.",
                              g_type_name (maker->type), property_names[i]);
    }
  return TRUE;
}

gboolean
ldb_row_maker_init (LdbRowMaker *maker, GType type, GError **error)
{
  *maker = (LdbRowMaker){ .type = type };
  if (type == G_TYPE_NONE || type == G_TYPE_INVALID)
    maker->type = LDB_TYPE_ENTRY;
  if (maker->type == LDB_TYPE_ENTRY)
    return TRUE;
  if (!g_type_is_a (type, G_TYPE_OBJECT) || !can_be_made (type))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "Rows of a list cannot be of type %s: it is no class of objects that can "
                          "be made.",
                          g_type_name (type));
  GObjectClass *klass = g_type_class_ref (type);
  gboolean found = find_properties (maker, klass, error);
  g_type_class_unref (klass);
  return found;
}

gboolean
ldb_row_maker_init_mapped (LdbRowMaker *maker, GType type, LdbRowFunc func, gpointer data,
                           GDestroyNotify destroy, GError **error)
{
  *maker = (LdbRowMaker){ .type = type, .func = func, .data = data, .destroy = destroy };
  if (g_type_is_a (type, G_TYPE_OBJECT) || G_TYPE_IS_INTERFACE (type))
    return TRUE;
  const char *name = g_type_name (type);
  ldb_row_maker_clear (maker);
  return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                        "Rows of a list cannot be of type %s: it is neither a class of objects nor "
                        "an interface.",
                        name != NULL ? name : "“invalid”");
}

void
ldb_row_maker_clear (LdbRowMaker *maker)
{
  GDestroyNotify destroy = g_steal_pointer (&maker->destroy);
  maker->func = NULL;
  if (destroy != NULL)
    destroy (g_steal_pointer (&maker->data));
}

/* Sets what holds bytes. */
static void
set_bytes (GObject *item, GParamSpec *pspec, GBytes *bytes)
{
  g_auto (GValue) value = G_VALUE_INIT;
  gsize size = 0;
  const char *text = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  g_value_init (&value, pspec->value_type);
  if (bytes != NULL && pspec->value_type == G_TYPE_STRING)
    g_value_take_string (&value, g_utf8_make_valid (text != NULL ? text : "", (gssize) size));
  else if (bytes != NULL && pspec->value_type == G_TYPE_VARIANT)
    g_value_take_variant (&value, ldb_variant_from_bytes (bytes, NULL, NULL));
  else if (bytes != NULL)
    g_value_set_boxed (&value, bytes);
  g_object_set_property (item, pspec->name, &value);
}

static void
set_properties (LdbListModel *self, GObject *item, GBytes *key, const LdbListRead *read,
                gboolean loaded)
{
  GParamSpec *const *properties = self->maker.properties;
  g_object_freeze_notify (item);
  if (key != NULL)
    set_bytes (item, properties[LDB_ROW_KEY], key);
  if (loaded)
    set_bytes (item, properties[LDB_ROW_VALUE], read->value);
  if (loaded && properties[LDB_ROW_SEQUENCE] != NULL)
    g_object_set (item, "sequence", read->sequence, NULL);
  if (properties[LDB_ROW_LOADED] != NULL)
    g_object_set (item, "loaded", loaded, NULL);
  g_object_thaw_notify (item);
}

/* ---- entries ---- */

static LdbEntry *
make_entry (LdbListModel *self, const LdbListRow *row, const LdbListRead *read)
{
  LdbEntry *entry = ldb_entry_new_row (self->place.database, self->store, row->key);
  if (row->loaded && read->value != NULL)
    ldb_entry_begin (entry, read->value, read->sequence);
  return entry;
}

static gboolean
keeps_entry (LdbListModel *self)
{
  return self->maker.func != NULL || self->maker.type == LDB_TYPE_ENTRY;
}

/* A reference; NULL when nobody wants to know. */
static LdbEntry *
entry_of (LdbListModel *self, LdbListRow *row, GObject *item)
{
  return self->maker.func != NULL ? g_weak_ref_get (&row->entry) : g_object_ref (LDB_ENTRY (item));
}

/* ---- what a function makes ---- */

static GObject *
make_instead (LdbListModel *self, LdbEntry *entry)
{
  GType type = self->maker.type;
  if (can_be_made (type) && !g_type_is_a (LDB_TYPE_ENTRY, type))
    {
      GObject *item = g_object_new (type, NULL);
      return g_object_is_floating (item) ? g_object_ref_sink (item) : item;
    }
  return G_OBJECT (g_object_ref (entry));
}

static GObject *
make_mapped (LdbListModel *self, LdbEntry *entry)
{
  GType type = self->maker.type;
  GObject *item = self->maker.func (entry, self->maker.data);
  if (item != NULL && g_type_is_a (G_OBJECT_TYPE (item), type))
    return g_object_is_floating (item) ? g_object_ref_sink (item) : item;
  g_critical ("The function that makes the rows of a list returned %s instead of an object of type "
              "%s; the row is %s",
              item != NULL ? G_OBJECT_TYPE_NAME (item) : "NULL", g_type_name (type),
              G_TYPE_IS_CLASSED (type) && !G_TYPE_IS_ABSTRACT (type) ? "an empty one"
                                                                     : "an LdbEntry");
  g_clear_object (&item);
  return make_instead (self, entry);
}

/* ---- all of them ---- */

GObject *
ldb_row_make (LdbListModel *self, LdbListRow *row, const LdbListRead *read)
{
  GObject *item;
  if (!keeps_entry (self))
    {
      item = g_object_new (self->maker.type, NULL);
      if (g_object_is_floating (item))
        g_object_ref_sink (item);
      set_properties (self, item, row->key, read, read->value != NULL);
    }
  else if (self->maker.func == NULL)
    item = G_OBJECT (make_entry (self, row, read));
  else
    {
      g_autoptr (LdbEntry) entry = make_entry (self, row, read);
      g_weak_ref_set (&row->entry, entry);
      item = make_mapped (self, entry);
    }
  g_weak_ref_set (&row->item, item);
  return item;
}

void
ldb_row_tell (LdbListModel *self, LdbListRow *row, GObject *item, const LdbListRead *read)
{
  if (!keeps_entry (self))
    {
      set_properties (self, item, read->key, read, read->value != NULL);
      return;
    }
  g_autoptr (LdbEntry) entry = entry_of (self, row, item);
  if (entry == NULL)
    return;
  if (read->key != NULL && ldb_entry_get_key (entry) == NULL)
    ldb_entry_set_key (entry, read->key);
  if (read->value != NULL)
    ldb_entry_set (entry, read->value, read->sequence);
}

void
ldb_row_tell_unloaded (LdbListModel *self, LdbListRow *row, GObject *item)
{
  if (!keeps_entry (self))
    {
      if (self->maker.properties[LDB_ROW_LOADED] != NULL)
        g_object_set (item, "loaded", FALSE, NULL);
      return;
    }
  g_autoptr (LdbEntry) entry = entry_of (self, row, item);
  if (entry != NULL)
    ldb_entry_unload (entry);
}

void
ldb_row_tell_gone (LdbListModel *self, LdbListRow *row, GObject *item)
{
  g_autoptr (LdbEntry) entry = keeps_entry (self) ? entry_of (self, row, item) : NULL;
  if (entry != NULL)
    ldb_entry_set (entry, NULL, self->sequence);
}
