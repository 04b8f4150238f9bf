/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. Each item's process is in `lives`, and its sign of life watched, from before the item is
 *      shown; with its last item a process goes.
 *   2. What is shown is what the last look saw, less what has died since; each event of a folder,
 *      and each death, leads to another look, which removes what the dead have left.
 */
#include "config.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "ldb-database-private.h"
#include "ldb-running-database-private.h"
#include "ldb-running-list.h"
#include "ldb-runtime-directory-private.h"

/**
 * LdbRunningList:
 *
 * The databases that processes of the same user let inspectors look into: see
 * [property@Ldb.Database:inspectable].
 *
 * A [iface@Gio.ListModel] of [class@Ldb.RunningDatabase], kept true while the main context runs: what
 * is offered appears, and what is closed, or whose process dies, is gone at once. Processes in
 * sandboxes are in it, and those that are stopped. None of them notices that it is listed.
 *
 * Threads: that of the main context that was the thread's default when the list was made.
 *
 * Since: 0.1
 */
struct _LdbRunningList
{
  GObject parent_instance;

  GMainContext *context; /* where it works; owned */
  GPtrArray *items;      /* LdbRunningDatabase; owned */
  GHashTable *lives;     /* token → Life; owned */
  GHashTable *monitors;  /* path of a folder → GFileMonitor; owned */
  GSource *due;          /* another look is due; owned, or NULL */
  gint64 looked;         /* when the last one began, monotonic */
};

/* Milliseconds from one look to the next, however much goes on in the folders: one in a sandbox could keep
 * the main loop busy. */
#define LOOK_LEAST 50

/* A process that was alive when it was looked at. */
typedef struct
{
  LdbRunningList *list; /* borrowed */
  char *token;          /* owned */
  int descriptor;       /* of its sign of life; owned */
  GSource *source;      /* ready when it dies; owned */
} Life;

static void list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (LdbRunningList, ldb_running_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

enum
{
  PROP_ITEM_TYPE = 1,
  PROP_N_ITEMS,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

/* ---- the model ---- */

static GType
get_item_type (GListModel *model)
{
  return LDB_TYPE_RUNNING_DATABASE;
}

static guint
get_n_items (GListModel *model)
{
  return LDB_RUNNING_LIST (model)->items->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  LdbRunningList *self = LDB_RUNNING_LIST (model);
  return position < self->items->len ? g_object_ref (g_ptr_array_index (self->items, position))
                                     : NULL;
}

static void
list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

static LdbRunningDatabase *
item_at (LdbRunningList *self, guint position)
{
  return g_ptr_array_index (self->items, position);
}

/* The one way in which the list changes. Takes `added` (may be NULL) over. */
static void
change_at (LdbRunningList *self, guint position, guint removed, LdbRunningDatabase *added)
{
  g_autoptr (LdbRunningDatabase) gone = NULL;
  if (removed > 0)
    gone = g_ptr_array_steal_index (self->items, position);
  if (added != NULL)
    g_ptr_array_insert (self->items, (gint) position, added);
  g_list_model_items_changed (G_LIST_MODEL (self), position, removed, added != NULL ? 1 : 0);
  if (removed != (added != NULL ? 1u : 0u))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
  if (gone != NULL)
    ldb_running_database_end (gone);
}

/* ---- lives ---- */

static void
life_free (gpointer data)
{
  Life *life = data;
  g_source_destroy (life->source);
  g_source_unref (life->source);
  close (life->descriptor);
  g_free (life->token);
  g_free (life);
}

/* While handlers run the list may change: each round begins anew. */
static gboolean
remove_one_of (LdbRunningList *self, const char *token)
{
  for (guint i = self->items->len; i > 0; i--)
    if (strcmp (item_at (self, i - 1)->advert.token, token) == 0)
      {
        change_at (self, i - 1, 1, NULL);
        return TRUE;
      }
  return FALSE;
}

static void look_soon (LdbRunningList *self);

/* The process has died. Its files are left to the next look. */
static gboolean
died (gint descriptor, GIOCondition condition, gpointer data)
{
  Life *life = data;
  g_autoptr (LdbRunningList) self = g_object_ref (life->list);
  g_autofree char *token = g_strdup (life->token);
  g_hash_table_remove (self->lives, token);
  while (remove_one_of (self, token))
    ;
  look_soon (self);
  return G_SOURCE_REMOVE;
}

static void
attach (LdbRunningList *self, GSource *source, GSourceFunc function, gpointer data)
{
  g_source_set_static_name (source, "[lightning-db] running databases");
  g_source_set_callback (source, function, data, NULL);
  g_source_attach (source, self->context);
}

/* Whether the process lives; if so it is watched from now on. */
static gboolean
watch_life (LdbRunningList *self, int directory, const char *token)
{
  if (g_hash_table_contains (self->lives, token))
    return TRUE;
  int descriptor = ldb_life_watch (directory, token);
  if (descriptor < 0)
    return FALSE;
  Life *life = g_new0 (Life, 1);
  life->list = self;
  life->token = g_strdup (token);
  life->descriptor = descriptor;
  life->source = g_unix_fd_source_new (descriptor, G_IO_HUP);
  attach (self, life->source, G_SOURCE_FUNC (died), life);
  g_hash_table_insert (self->lives, life->token, life);
  return TRUE;
}

/* ---- looking ---- */

/* A database that was seen is known by its process and its number there. */
static char *
key_of (const char *token, guint object)
{
  return g_strdup_printf ("%s-%u", token, object);
}

static gboolean
is_listed (LdbRunningList *self, const char *token, guint object)
{
  for (guint i = 0; i < self->items->len; i++)
    if (item_at (self, i)->advert.object == object
        && strcmp (item_at (self, i)->advert.token, token) == 0)
      return TRUE;
  return FALSE;
}

static void
look_at_advert (LdbRunningList *self, const char *folder, int directory, const char *name,
                GHashTable *seen)
{
  char token[LDB_TOKEN_LENGTH + 1];
  guint object;
  g_auto (LdbAdvert) advert = { .object = 0 };
  if (!ldb_advert_parse_file_name (name, token, &object) || !watch_life (self, directory, token))
    return;
  if (!is_listed (self, token, object))
    {
      if (!ldb_runtime_directory_read_advert (directory, name, &advert))
        return;
      change_at (self, self->items->len, 0, ldb_running_database_new (folder, &advert));
    }
  g_hash_table_add (seen, key_of (token, object));
}

static void
look_into_folder (LdbRunningList *self, const char *folder, GHashTable *seen)
{
  int directory = ldb_runtime_directory_open (folder, FALSE, NULL);
  if (directory < 0)
    return;
  ldb_life_sweep (directory);
  g_autoptr (GPtrArray) names = ldb_runtime_directory_list (directory);
  for (guint i = 0; i < names->len; i++)
    look_at_advert (self, folder, directory, g_ptr_array_index (names, i), seen);
  close (directory);
}

/* One that is listed and was not seen goes. FALSE: there is none. */
static gboolean
remove_unseen (LdbRunningList *self, GHashTable *seen)
{
  for (guint i = self->items->len; i > 0; i--)
    {
      const LdbAdvert *advert = &item_at (self, i - 1)->advert;
      g_autofree char *key = key_of (advert->token, advert->object);
      if (!g_hash_table_contains (seen, key))
        {
          change_at (self, i - 1, 1, NULL);
          return TRUE;
        }
    }
  return FALSE;
}

/* Forgets processes that have no item any more. */
static gboolean
is_superfluous (gpointer token, gpointer life, gpointer data)
{
  LdbRunningList *self = data;
  for (guint i = 0; i < self->items->len; i++)
    if (strcmp (item_at (self, i)->advert.token, token) == 0)
      return FALSE;
  return TRUE;
}

/* ---- folders ---- */

static void
folder_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event,
                gpointer data)
{
  look_soon (data);
}

static void
monitor_free (gpointer monitor)
{
  g_file_monitor_cancel (monitor);
  g_object_unref (monitor);
}

static void
monitor_folder (LdbRunningList *self, const char *path)
{
  if (g_hash_table_contains (self->monitors, path))
    return;
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GFileMonitor *monitor = g_file_monitor_directory (file, G_FILE_MONITOR_NONE, NULL, NULL);
  if (monitor == NULL)
    return;
  g_signal_connect_object (monitor, "changed", G_CALLBACK (folder_changed), self, 0);
  g_hash_table_insert (self->monitors, g_strdup (path), monitor);
}

/* Into each application's folder that a sandbox shares with its outside. */
static void
list_sandboxes (LdbRunningList *self, GPtrArray *folders)
{
  const char *name;
  g_autofree char *above = g_build_filename (g_get_user_runtime_dir (), "app", NULL);
  g_autoptr (GDir) dir = g_dir_open (above, 0, NULL);
  /* Until there is such a folder, whoever makes it is waited for. */
  monitor_folder (self, dir != NULL ? above : g_get_user_runtime_dir ());
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *sandbox = g_build_filename (above, name, NULL);
      monitor_folder (self, sandbox);
      g_ptr_array_add (folders, g_build_filename (sandbox, LDB_RUNTIME_FOLDER, NULL));
    }
}

/* All in which there may be adverts; each is monitored from now on. */
static GPtrArray *
list_folders (LdbRunningList *self)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *own = ldb_runtime_directory_path ();
  char *plain = g_build_filename (g_get_user_runtime_dir (), LDB_RUNTIME_FOLDER, NULL);
  int made = ldb_runtime_directory_open (own, TRUE, NULL);
  if (made >= 0)
    close (made);
  g_ptr_array_add (folders, plain);
  list_sandboxes (self, folders);
  for (guint i = 0; i < folders->len; i++)
    if (g_file_test (g_ptr_array_index (folders, i), G_FILE_TEST_IS_DIR))
      monitor_folder (self, g_ptr_array_index (folders, i));
  return folders;
}

static gboolean
is_gone (gpointer path, gpointer monitor, gpointer data)
{
  return !g_file_test (path, G_FILE_TEST_IS_DIR);
}

/* Monitors first, then looks: what comes meanwhile leads to another look. */
static void
look (LdbRunningList *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->looked = g_get_monotonic_time ();
  g_hash_table_foreach_remove (self->monitors, is_gone, NULL);
  g_autoptr (GPtrArray) folders = list_folders (self);
  for (guint i = 0; i < folders->len; i++)
    look_into_folder (self, g_ptr_array_index (folders, i), seen);
  while (remove_unseen (self, seen))
    ;
  g_hash_table_foreach_remove (self->lives, is_superfluous, self);
}

static gboolean
look_now (gpointer data)
{
  g_autoptr (LdbRunningList) self = g_object_ref (LDB_RUNNING_LIST (data));
  g_clear_pointer (&self->due, g_source_unref);
  g_main_context_push_thread_default (self->context);
  look (self);
  g_main_context_pop_thread_default (self->context);
  return G_SOURCE_REMOVE;
}

static void
look_soon (LdbRunningList *self)
{
  if (self->due != NULL)
    return;
  gint64 passed = (g_get_monotonic_time () - self->looked) / 1000;
  self->due = g_timeout_source_new (passed < LOOK_LEAST ? (guint) (LOOK_LEAST - passed) : 0);
  attach (self, self->due, look_now, self);
}

/* ---- the object ---- */

static void
ldb_running_list_dispose (GObject *object)
{
  LdbRunningList *self = LDB_RUNNING_LIST (object);
  if (self->due != NULL)
    g_source_destroy (self->due);
  g_clear_pointer (&self->due, g_source_unref);
  g_hash_table_remove_all (self->monitors);
  g_hash_table_remove_all (self->lives);
  G_OBJECT_CLASS (ldb_running_list_parent_class)->dispose (object);
}

static void
ldb_running_list_finalize (GObject *object)
{
  LdbRunningList *self = LDB_RUNNING_LIST (object);
  g_hash_table_unref (self->monitors);
  g_hash_table_unref (self->lives);
  g_ptr_array_unref (self->items);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (ldb_running_list_parent_class)->finalize (object);
}

static void
ldb_running_list_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbRunningList *self = LDB_RUNNING_LIST (object);
  switch (id)
    {
    case PROP_ITEM_TYPE:
      g_value_set_gtype (value, LDB_TYPE_RUNNING_DATABASE);
      break;
    case PROP_N_ITEMS:
      g_value_set_uint (value, self->items->len);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_running_list_constructed (GObject *object)
{
  G_OBJECT_CLASS (ldb_running_list_parent_class)->constructed (object);
  look (LDB_RUNNING_LIST (object));
}

static void
ldb_running_list_class_init (LdbRunningListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->dispose = ldb_running_list_dispose;
  object_class->finalize = ldb_running_list_finalize;
  object_class->get_property = ldb_running_list_get_property;
  object_class->constructed = ldb_running_list_constructed;
  /**
   * LdbRunningList:item-type:
   *
   * The type of the items: [class@Ldb.RunningDatabase].
   *
   * Since: 0.1
   */
  properties[PROP_ITEM_TYPE] = g_param_spec_gtype ("item-type", NULL, NULL, G_TYPE_OBJECT, flags);
  /**
   * LdbRunningList:n-items:
   *
   * How many databases there are.
   *
   * Since: 0.1
   */
  properties[PROP_N_ITEMS]
      = g_param_spec_uint ("n-items", NULL, NULL, 0, G_MAXUINT, 0, flags | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_running_list_init (LdbRunningList *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  self->lives = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, life_free);
  self->monitors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, monitor_free);
}

/**
 * ldb_running_list_new:
 *
 * Makes a list that is kept true in the current thread-default main context. It is complete when this
 * returns.
 *
 * Reads files in the runtime directory, which are in memory; any thread.
 *
 * Returns: (transfer full): the list
 *
 * Since: 0.1
 */
LdbRunningList *
ldb_running_list_new (void)
{
  return g_object_new (LDB_TYPE_RUNNING_LIST, NULL);
}

/**
 * ldb_running_list_get_n_items:
 * @self: a list
 *
 * Gets how many databases there are.
 *
 * In the list's main context.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint
ldb_running_list_get_n_items (LdbRunningList *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_LIST (self), 0);
  return self->items->len;
}

/* Whether they name one directory, by what it is where both can be seen from here. */
static gboolean
is_same_directory (const char *one, const char *other)
{
  GStatBuf a, b;
  g_autofree char *absolute = g_canonicalize_filename (other, NULL);
  return strcmp (one, absolute) == 0
         || (g_stat (one, &a) == 0 && g_stat (other, &b) == 0 && a.st_dev == b.st_dev
             && a.st_ino == b.st_ino);
}

/* Which of two that say to have the same path is meant; `own` is the folder of this process's adverts. */
static guint
rank_of (const LdbRunningDatabase *item, const char *own)
{
  return (strcmp (item->folder, own) == 0 ? 2 : 0) + (item->advert.read_only ? 0 : 1);
}

/**
 * ldb_running_list_find:
 * @self: a list
 * @path: (type filename): a database directory
 *
 * Finds the database at a path. When several processes share it, the one that writes comes first, but none
 * in a sandbox before one on this side of it: what is in one may say what it likes of its path.
 *
 * In the list's main context.
 *
 * Returns: (transfer full) (nullable): the database, or %NULL when nobody shares it
 *
 * Since: 0.1
 */
LdbRunningDatabase *
ldb_running_list_find (LdbRunningList *self, const char *path)
{
  LdbRunningDatabase *found = NULL;
  g_return_val_if_fail (LDB_IS_RUNNING_LIST (self), NULL);
  g_return_val_if_fail (path != NULL, NULL);
  g_autofree char *own = ldb_runtime_directory_path ();
  for (guint i = 0; i < self->items->len; i++)
    {
      LdbRunningDatabase *item = item_at (self, i);
      if (is_same_directory (item->advert.path, path)
          && (found == NULL || rank_of (item, own) > rank_of (found, own)))
        found = item;
    }
  return found != NULL ? g_object_ref (found) : NULL;
}

/**
 * ldb_running_list_find_database:
 * @self: a list
 * @database: an open database
 *
 * Finds who shares a database that is open here, too, as [method@Ldb.RunningList.find] does by its path; but
 * also when that is relative and the process has gone to another folder since.
 *
 * In the list's main context.
 *
 * Returns: (transfer full) (nullable): the database, or %NULL when nobody shares it
 *
 * Since: 0.1
 */
LdbRunningDatabase *
ldb_running_list_find_database (LdbRunningList *self, LdbDatabase *database)
{
  g_return_val_if_fail (LDB_IS_RUNNING_LIST (self), NULL);
  g_return_val_if_fail (LDB_IS_DATABASE (database), NULL);
  g_autoptr (LdbRunningDatabase) found = ldb_running_list_find (self, database->location);
  if (found == NULL || g_strcmp0 (found->advert.id, ldb_database_get_id (database)) != 0)
    return NULL;
  return g_steal_pointer (&found);
}

/**
 * ldb_running_list_check_folder:
 * @self: a list
 * @error: return location for an error
 *
 * Tells why nothing can be found when the folder in the user's runtime directory, in which applications
 * announce what they share, is not used: neither they nor the list use one that is a link, another user's, or
 * open to others.
 *
 * Fails with %LDB_ERROR_PERMISSION_DENIED or %LDB_ERROR_IO, and says what to do. In the list's main
 * context.
 *
 * Returns: %TRUE if it is used
 *
 * Since: 0.1
 */
gboolean
ldb_running_list_check_folder (LdbRunningList *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_RUNNING_LIST (self), FALSE);
  g_autofree char *own = ldb_runtime_directory_path ();
  int directory = ldb_runtime_directory_open (own, TRUE, error);
  if (directory >= 0)
    close (directory);
  return directory >= 0;
}
