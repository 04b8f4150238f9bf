/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-store-private.h"

/**
 * LdbStore:
 *
 * A named, ordered key space of its own within a database.
 *
 * Stores share the database's log, so one commit may span several of them: see [class@Ldb.Batch]
 * and [class@Ldb.Transaction]. A database itself stands for the store named `default`. Get one with
 * [method@Ldb.Database.open_store].
 *
 * Threads: any number at once. A store needs no closing; when its database handle is closed, calls
 * fail with %LDB_ERROR_CLOSED.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (LdbStore, ldb_store, G_TYPE_OBJECT)

enum
{
  PROP_DATABASE = 1,
  PROP_NAME,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static void
ldb_store_finalize (GObject *object)
{
  LdbStore *self = LDB_STORE (object);
  g_clear_object (&self->place.database);
  g_free (self->name);
  G_OBJECT_CLASS (ldb_store_parent_class)->finalize (object);
}

static void
ldb_store_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbStore *self = LDB_STORE (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->place.database);
      break;
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_store_class_init (LdbStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->finalize = ldb_store_finalize;
  object_class->get_property = ldb_store_get_property;

  /**
   * LdbStore:database:
   *
   * The database it is part of.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE] = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * LdbStore:name:
   *
   * Its name.
   *
   * Since: 0.1
   */
  properties[PROP_NAME]
      = g_param_spec_string ("name", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_store_init (LdbStore *self)
{
}

/**
 * ldb_store_get_database:
 * @self: a store
 *
 * Gets the database it is part of.
 *
 * Any thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_store_get_database (LdbStore *self)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return self->place.database;
}

/**
 * ldb_store_get_name:
 * @self: a store
 *
 * Gets its name.
 *
 * Any thread.
 *
 * Returns: (transfer none): the name
 *
 * Since: 0.1
 */
const char *
ldb_store_get_name (LdbStore *self)
{
  g_return_val_if_fail (LDB_IS_STORE (self), NULL);
  return self->name;
}
