/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <pthread.h>

#include "ldb-database-private.h"
#include "ldb-registry.h"

/**
 * LdbRegistry:
 *
 * Tells which databases are open in this process, and when that changes.
 *
 * Make one for each main context that wants to know: its signals are emitted in the main context
 * that was the thread's default when it was made, some time after the fact.
 *
 * Threads: any number at once. It needs no closing.
 *
 * Since: 0.1
 */
struct _LdbRegistry
{
  GObject parent_instance;

  GMainContext *context; /* where its signals go; owned */
  GWeakRef weak;         /* to itself, for the list */
};

G_DEFINE_FINAL_TYPE (LdbRegistry, ldb_registry, G_TYPE_OBJECT)

enum
{
  SIGNAL_OPENED,
  SIGNAL_CLOSED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static pthread_mutex_t listeners_lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *listeners; /* every LdbRegistry, borrowed; guarded by listeners_lock */

/* One signal on its way to one registry. */
typedef struct
{
  LdbRegistry *registry; /* owned */
  LdbDatabase *database; /* opened, or NULL; owned */
  char *path;            /* closed, or NULL; owned */
} Announcement;

static gboolean
announce (gpointer data)
{
  Announcement *announcement = data;
  if (announcement->database != NULL)
    g_signal_emit (announcement->registry, signals[SIGNAL_OPENED], 0, announcement->database);
  else
    g_signal_emit (announcement->registry, signals[SIGNAL_CLOSED], 0, announcement->path);
  return G_SOURCE_REMOVE;
}

static void
announcement_free (gpointer data)
{
  Announcement *announcement = data;
  g_clear_object (&announcement->database);
  g_clear_object (&announcement->registry);
  g_free (announcement->path);
  g_free (announcement);
}

static void
queue_announcement (LdbRegistry *registry, LdbDatabase *database, const char *path)
{
  Announcement *announcement = g_new0 (Announcement, 1);
  announcement->registry = registry;
  announcement->database = database != NULL ? g_object_ref (database) : NULL;
  announcement->path = g_strdup (path);
  GSource *source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "[lightning-db] registry");
  g_source_set_callback (source, announce, announcement, announcement_free);
  g_source_attach (source, registry->context);
  g_source_unref (source);
}

static void
announce_to_all (LdbDatabase *database, const char *path)
{
  pthread_mutex_lock (&listeners_lock);
  for (guint i = 0; listeners != NULL && i < listeners->len; i++)
    {
      LdbRegistry *listed = g_ptr_array_index (listeners, i);
      LdbRegistry *registry = g_weak_ref_get (&listed->weak);
      if (registry != NULL)
        queue_announcement (registry, database, path);
    }
  pthread_mutex_unlock (&listeners_lock);
}

void
ldb_registry_announce_opened (LdbDatabase *database)
{
  announce_to_all (database, NULL);
}

void
ldb_registry_announce_closed (const char *path)
{
  announce_to_all (NULL, path);
}

void
ldb_registry_forget_listeners (void)
{
  listeners_lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
  listeners = NULL;
}

static void
ldb_registry_dispose (GObject *object)
{
  pthread_mutex_lock (&listeners_lock);
  if (listeners != NULL)
    g_ptr_array_remove_fast (listeners, object);
  pthread_mutex_unlock (&listeners_lock);
  G_OBJECT_CLASS (ldb_registry_parent_class)->dispose (object);
}

static void
ldb_registry_finalize (GObject *object)
{
  LdbRegistry *self = LDB_REGISTRY (object);
  g_weak_ref_clear (&self->weak);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (ldb_registry_parent_class)->finalize (object);
}

static void
ldb_registry_class_init (LdbRegistryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = ldb_registry_dispose;
  object_class->finalize = ldb_registry_finalize;

  /**
   * LdbRegistry::database-opened:
   * @self: the registry
   * @database: the new handle
   *
   * A database was opened.
   *
   * Since: 0.1
   */
  signals[SIGNAL_OPENED] = g_signal_new ("database-opened", LDB_TYPE_REGISTRY, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 1, LDB_TYPE_DATABASE);
  /**
   * LdbRegistry::database-closed:
   * @self: the registry
   * @path: (type filename): the path the handle was opened with
   *
   * A handle of a database was closed.
   *
   * Since: 0.1
   */
  signals[SIGNAL_CLOSED] = g_signal_new ("database-closed", LDB_TYPE_REGISTRY, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
ldb_registry_init (LdbRegistry *self)
{
  self->context = g_main_context_ref_thread_default ();
  g_weak_ref_init (&self->weak, self);
  pthread_mutex_lock (&listeners_lock);
  if (listeners == NULL)
    listeners = g_ptr_array_new ();
  g_ptr_array_add (listeners, self);
  pthread_mutex_unlock (&listeners_lock);
}

/**
 * ldb_registry_new:
 *
 * Makes a registry that emits its signals in the current thread-default main context.
 *
 * Any thread.
 *
 * Returns: (transfer full): the registry
 *
 * Since: 0.1
 */
LdbRegistry *
ldb_registry_new (void)
{
  return g_object_new (LDB_TYPE_REGISTRY, NULL);
}

/**
 * ldb_registry_list:
 * @self: a registry
 *
 * Lists the open databases of this process, as [func@Ldb.Database.list_open] does.
 *
 * Does not block; any thread.
 *
 * Returns: (transfer container) (element-type LdbDatabase): the handles
 *
 * Since: 0.1
 */
GPtrArray *
ldb_registry_list (LdbRegistry *self)
{
  g_return_val_if_fail (LDB_IS_REGISTRY (self), NULL);
  return ldb_share_list_handles ();
}
