/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "insp-host.h"
#include "insp-load.h"
#include "insp-scratch.h"

#define PATIENCE 10 /* seconds until a database that is open should be shared */
#define END_PATIENCE (10 * G_TIME_SPAN_SECOND) /* that the end of the program waits */

static GMutex ending_lock;
static GCond ending_less;
static guint ending; /* databases that are being closed, or deleted; guarded by ending_lock */

struct _InspHost
{
  GObject parent_instance;

  char *path;                  /* of the database; NULL: there can be none */
  gboolean is_demo;            /* it is deleted in the end */
  InspScratch *scratch;        /* of a demo, where it is; owned */
  GError *failure;             /* of a demo, why there can be none; owned */
  gboolean is_static;          /* what is written later is not followed */
  LdbDatabase *database;       /* NULL: not open; owned */
  InspLoad *load;              /* NULL: none; owned */
  LdbRunningList *list;        /* where it appears; owned */
  LdbRunningDatabase *running; /* NULL: not yet; owned */
  GTask *waiting;              /* for that; owned */
  guint patience;              /* source that ends the waiting; 0: none */
};

G_DEFINE_FINAL_TYPE (InspHost, insp_host, G_TYPE_OBJECT)

/* ---- the end ---- */

typedef struct
{
  InspScratch *scratch; /* to delete; NULL: nothing */
  LdbDatabase *database;
  InspLoad *load;
} Rest;

/* Closing may have to write, and deleting takes its time. */
static gpointer
end (gpointer data)
{
  Rest *rest = data;
  g_clear_pointer (&rest->load, insp_load_stop);
  if (rest->database != NULL)
    ldb_database_close (rest->database, NULL, NULL);
  g_clear_object (&rest->database);
  g_clear_pointer (&rest->scratch, insp_scratch_free);
  g_free (rest);
  g_mutex_lock (&ending_lock);
  ending--;
  g_cond_broadcast (&ending_less);
  g_mutex_unlock (&ending_lock);
  return NULL;
}

static void
begin_end (Rest *rest)
{
  g_mutex_lock (&ending_lock);
  ending++;
  g_mutex_unlock (&ending_lock);
  g_thread_unref (g_thread_new ("closing", end, rest));
}

void
insp_host_wait_for_ends (void)
{
  gint64 limit = g_get_monotonic_time () + END_PATIENCE;
  g_mutex_lock (&ending_lock);
  while (ending > 0 && g_cond_wait_until (&ending_less, &ending_lock, limit))
    ;
  g_mutex_unlock (&ending_lock);
}

static void
insp_host_dispose (GObject *object)
{
  InspHost *self = INSP_HOST (object);
  if (self->path != NULL)
    {
      Rest *rest = g_new0 (Rest, 1);
      rest->scratch = g_steal_pointer (&self->scratch);
      rest->database = g_steal_pointer (&self->database);
      rest->load = g_steal_pointer (&self->load);
      begin_end (rest);
    }
  g_clear_pointer (&self->path, g_free);
  g_clear_error (&self->failure);
  g_clear_handle_id (&self->patience, g_source_remove);
  g_clear_object (&self->list);
  g_clear_object (&self->running);
  G_OBJECT_CLASS (insp_host_parent_class)->dispose (object);
}

static void
insp_host_class_init (InspHostClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_host_dispose;
}

static void
insp_host_init (InspHost *self)
{
  self->list = ldb_running_list_new ();
}

InspHost *
insp_host_new_for_folder (GFile *folder, gboolean is_static)
{
  InspHost *self = g_object_new (INSP_TYPE_HOST, NULL);
  self->path = g_file_get_path (folder);
  self->is_static = is_static;
  return self;
}

InspHost *
insp_host_new_for_demo (void)
{
  InspHost *self = g_object_new (INSP_TYPE_HOST, NULL);
  self->is_demo = TRUE;
  self->scratch = insp_scratch_new ("contacts", &self->failure);
  if (self->scratch != NULL)
    self->path = g_strdup (insp_scratch_get_path (self->scratch));
  return self;
}

/* ---- sharing ---- */

static void
found (InspHost *self, LdbRunningDatabase *running)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->waiting);
  g_clear_handle_id (&self->patience, g_source_remove);
  g_set_object (&self->running, running);
  g_task_return_pointer (task, running, NULL);
}

/* One of another program is found first, if it is there. */
static gboolean
look (InspHost *self, gboolean of_others)
{
  guint count = ldb_running_list_get_n_items (self->list);
  for (guint i = 0; i < count && self->waiting != NULL; i++)
    {
      g_autoptr (LdbRunningDatabase) running = g_list_model_get_item (G_LIST_MODEL (self->list), i);
      gboolean ours = ldb_running_database_get_process_id (running) == (guint) getpid ();
      if (ours == of_others || g_strcmp0 (ldb_running_database_get_path (running), self->path) != 0)
        continue;
      found (self, running);
      return TRUE;
    }
  return FALSE;
}

static void
on_list_changed (InspHost *self)
{
  if (self->waiting != NULL && self->database != NULL)
    look (self, FALSE);
}

static gboolean
lose_patience (gpointer data)
{
  InspHost *self = data;
  g_autoptr (GTask) task = g_steal_pointer (&self->waiting);
  self->patience = 0;
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                           _ ("The database is open, but cannot be looked into: the user's runtime "
                              "directory cannot be used. Check XDG_RUNTIME_DIR."));
  return G_SOURCE_REMOVE;
}

static void
on_open (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspHost) self = data;
  g_autoptr (GError) error = NULL;
  GObject *database = g_async_initable_new_finish (G_ASYNC_INITABLE (source), result, &error);
  if (database == NULL)
    {
      g_autoptr (GTask) task = g_steal_pointer (&self->waiting);
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  self->database = LDB_DATABASE (database);
  if (self->is_demo)
    self->load = insp_load_start (self->database);
  if (!look (self, FALSE))
    self->patience = g_timeout_add_seconds (PATIENCE, lose_patience, self);
}

void
insp_host_share_async (InspHost *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (self->waiting == NULL);
  self->waiting = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->waiting, insp_host_share_async);
  if (self->path == NULL)
    {
      g_autoptr (GTask) task = g_steal_pointer (&self->waiting);
      if (self->failure != NULL)
        g_task_return_error (task, g_steal_pointer (&self->failure));
      else
        g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                                 _ ("That is no local folder."));
      return;
    }
  if (!self->is_demo && look (self, TRUE))
    return;
  g_signal_connect_object (self->list, "items-changed", G_CALLBACK (on_list_changed), self,
                           G_CONNECT_SWAPPED);
  LdbOpenFlags flags = self->is_demo ? LDB_OPEN_CREATE : LDB_OPEN_READ_ONLY;
  if (self->is_static)
    flags |= LDB_OPEN_STATIC;
  g_async_initable_new_async (LDB_TYPE_DATABASE, G_PRIORITY_DEFAULT, NULL, on_open,
                              g_object_ref (self), "path", self->path, "flags", flags,
                              "inspectable", TRUE, "control-allowed", self->is_demo, NULL);
}

const char *
insp_host_get_path (InspHost *self)
{
  return self->path;
}

LdbDatabase *
insp_host_get_database (InspHost *self)
{
  return self->database;
}

LdbRunningDatabase *
insp_host_share_finish (InspHost *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
