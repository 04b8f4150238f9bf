/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-event-log-private.h"
#include "ldb-health-private.h"
#include "ldb-inspection-private.h"
#include "ldb-options-private.h"
#include "ldb-waiter-private.h"

#include "ldb-enum-types.h"

/**
 * LdbDatabase:
 *
 * A database: ordered records of bytes, in a directory.
 *
 * ```c
 * g_autoptr(LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
 * ldb_database_put (db, "key", 3, "value", 5, NULL, &error);
 * g_autoptr(GBytes) value = ldb_database_get (db, "key", 3, NULL, &error);
 * ```
 *
 * Keys have 1 to 65,536 bytes and are ordered as bytes; values have up to 1 GiB. Every write is a
 * commit of its own; [class@Ldb.Batch] and [class@Ldb.Transaction] make one commit of many. By
 * default a commit survives the death of the process at once and reaches the disk within a second:
 * see [enum@Ldb.SyncMode].
 *
 * All handles of a process on one directory share one engine, so opening it again is cheap. One
 * process writes; others can have it open for reading at the same time, and follow it: see
 * [flags@Ldb.OpenFlags].
 *
 * Threads: any number at once. [method@Ldb.Database.close] makes everything durable; afterwards
 * every call on the handle, and on what was made from it, fails with %LDB_ERROR_CLOSED, while
 * values that were read stay valid. The last unref closes too, which may block. A process that was
 * forked cannot use the handles of its parent: they fail with %LDB_ERROR_FORKED.
 *
 * Since: 0.1
 */
static void initable_init (GInitableIface *interface);
static void async_initable_init (GAsyncInitableIface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (LdbDatabase, ldb_database, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE,
                                                          async_initable_init))

enum
{
  PROP_PATH = 1,
  PROP_FLAGS,
  PROP_OPTIONS,
  PROP_CLOSED,
  PROP_READ_ONLY,
  PROP_ID,
  PROP_SEQUENCE,
  PROP_DURABLE_SEQUENCE,
  PROP_MAX_RETRIES,
  PROP_INSPECTABLE,
  PROP_CONTROL_ALLOWED,
  PROP_HEALTH,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

enum
{
  SIGNAL_EVENT,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

#define MAX_RETRIES_DEFAULT 3
/* With the waits between them, the last of these comes after more than an hour. */
#define MAX_RETRIES_MAX 1000

G_STATIC_ASSERT ((int) LDB_OPEN_CREATE == (int) ENGINE_OPEN_CREATE);
G_STATIC_ASSERT ((int) LDB_OPEN_EXCLUSIVE == (int) ENGINE_OPEN_EXCLUSIVE);
G_STATIC_ASSERT ((int) LDB_OPEN_READ_ONLY == (int) ENGINE_OPEN_READ_ONLY);
G_STATIC_ASSERT ((int) LDB_OPEN_STATIC == (int) ENGINE_OPEN_STATIC);

/* ---- the state ---- */

struct engine *
ldb_database_refuse (LdbDatabase *self, GError **error)
{
  if (self == NULL)
    ldb_error_set (error, LDB_ERROR_CLOSED,
                   "The object was made without a database; get it from one instead.");
  else if (g_atomic_int_get (&self->state) == LDB_DATABASE_NEW)
    ldb_error_set (error, LDB_ERROR_CLOSED,
                   "The database was never opened; open it with ldb_database_open().");
  else if (self->generation != ldb_fork_generation)
    ldb_error_set (error, LDB_ERROR_FORKED,
                   "The database \"%s\" was opened before this process was forked; open it anew.",
                   self->path);
  else
    ldb_error_set (error, LDB_ERROR_CLOSED, "The database \"%s\" is closed; open it again.",
                   self->path);
  return NULL;
}

struct engine *
ldb_database_enter_write (LdbDatabase *self, GError **error)
{
  /* First, as that of a reader comes with an engine that writes when this has changed. */
  gboolean read_only = self != NULL && __atomic_load_n (&self->read_only, __ATOMIC_ACQUIRE);
  struct engine *engine = ldb_database_enter (self, error);
  if (G_LIKELY (engine == NULL || !read_only))
    return engine;
  ldb_error_set (error, LDB_ERROR_READ_ONLY,
                 "The database \"%s\" was opened read-only; open it for writing, take over, or "
                 "begin a read-only transaction.",
                 self->path);
  return NULL;
}

/* `engine` first: `retired_engine` is set before it changes. */
gboolean
ldb_database_is_same (LdbDatabase *self, LdbDatabase *other)
{
  struct engine *mine = __atomic_load_n (&self->engine, __ATOMIC_ACQUIRE);
  struct engine *others = __atomic_load_n (&other->engine, __ATOMIC_ACQUIRE);
  struct engine *my_retired = __atomic_load_n (&self->retired_engine, __ATOMIC_ACQUIRE);
  struct engine *others_retired = __atomic_load_n (&other->retired_engine, __ATOMIC_ACQUIRE);
  return self == other || mine == others || (mine != NULL && mine == others_retired)
         || (others != NULL && others == my_retired)
         || (my_retired != NULL && my_retired == others_retired);
}

gboolean
ldb_database_is_usable (LdbDatabase *self, GError **error)
{
  return ldb_database_enter (self, error) != NULL;
}

static gboolean
check_flags (LdbDatabase *self, GError **error)
{
  gboolean read_only = (self->flags & LDB_OPEN_READ_ONLY) != 0;
  if ((self->flags & LDB_OPEN_STATIC) != 0 && !read_only)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The database \"%s\" is to be opened static, but not read-only; what is "
                          "written cannot stay as it is.",
                          self->path);
  if ((self->flags & LDB_OPEN_WAIT) != 0 && read_only)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The database \"%s\" is to be opened read-only, which waits for nobody; "
                          "leave the flag to wait out.",
                          self->path);
  return TRUE;
}

/* A new handle, before it is opened. */
static gboolean
prepare (LdbDatabase *self, GError **error)
{
  if (self->path == NULL || self->path[0] == '\0')
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The path of the database is empty; name a directory.");
  if (ldb_inspection_is_wanted ())
    g_atomic_int_set (&self->inspectable, TRUE);
  return check_flags (self, error);
}

void
ldb_database_note_opened (LdbDatabase *self)
{
  if (ldb_database_get_inspectable (self))
    ldb_share_set_inspection (self, TRUE, ldb_database_get_control_allowed (self),
                              &self->inspection_error);
  ldb_registry_announce_opened (self);
  ldb_machine_watch ();
}

gboolean
ldb_database_open_handle (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  if (g_atomic_int_get (&self->state) != LDB_DATABASE_NEW)
    return ldb_database_is_usable (self, error);
  if (!prepare (self, error)
      || !ldb_waiter_try (self, FALSE, (self->flags & LDB_OPEN_WAIT) != 0, cancellable, error))
    return FALSE;
  ldb_database_note_opened (self);
  return TRUE;
}

void
ldb_database_open_handle_later (LdbDatabase *self, LdbCall *call, const LdbReply *reply)
{
  GError *error = NULL;
  /* Who comes while others wait is not tried before they are, so what is wrong is told here. */
  if (prepare (self, &error)
      && (self->options == NULL || ldb_options_check (self->options, &error)))
    ldb_waiter_start (call, reply, self, FALSE);
  else
    ldb_call_complete (call, reply, error);
}

/* OPEN → CLOSED. */
static gboolean
close_handle (LdbDatabase *self, GError **error)
{
  if (ldb_call_is_within (self))
    return ldb_error_set (error, LDB_ERROR_PENDING,
                          "The database \"%s\" is in the middle of the operation whose progress "
                          "is being told; cancel that, and close when it has returned.",
                          self->path);
  if (!g_atomic_int_compare_and_exchange (&self->state, LDB_DATABASE_OPEN, LDB_DATABASE_CLOSED))
    return TRUE;
  ldb_waiter_close_handle (self);
  gboolean closed = ldb_share_leave (self, error);
  if (self->generation == ldb_fork_generation)
    ldb_registry_announce_closed (self->path);
  return closed;
}

/* ---- the role ---- */

void
ldb_database_tell_role (LdbDatabase *self)
{
  GError *error = NULL;
  if (!g_atomic_int_compare_and_exchange (&self->role_untold, TRUE, FALSE))
    return;
  ldb_share_move_inspection (self, &error);
  ldb_database_log_role (self, LDB_LOG_TOOK_OVER, "Took over writing to");
  ldb_database_log_events (self);
  ldb_database_log_inspection_error (self, &error);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_READ_ONLY]);
}

/* ---- the object ---- */

static void
ldb_database_dispose (GObject *object)
{
  close_handle (LDB_DATABASE (object), NULL);
  G_OBJECT_CLASS (ldb_database_parent_class)->dispose (object);
}

static void
ldb_database_finalize (GObject *object)
{
  LdbDatabase *self = LDB_DATABASE (object);
  g_weak_ref_clear (&self->weak);
  g_main_context_unref (self->context);
  g_clear_pointer (&self->engine, engine_unref);
  g_clear_pointer (&self->retired_engine, engine_unref);
  g_clear_object (&self->options);
  g_clear_object (&self->retired_options);
  g_clear_error (&self->inspection_error);
  g_free (self->path);
  g_free (self->location);
  G_OBJECT_CLASS (ldb_database_parent_class)->finalize (object);
}

static void
ldb_database_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbDatabase *self = LDB_DATABASE (object);
  switch (id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_FLAGS:
      g_value_set_flags (value, self->flags);
      break;
    case PROP_OPTIONS:
      g_value_set_object (value, ldb_database_get_options (self));
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, ldb_database_is_closed (self));
      break;
    case PROP_READ_ONLY:
      g_value_set_boolean (value, ldb_database_is_read_only (self));
      break;
    case PROP_ID:
      g_value_set_string (value, self->id);
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, ldb_database_get_sequence (self));
      break;
    case PROP_DURABLE_SEQUENCE:
      g_value_set_uint64 (value, ldb_database_get_durable_sequence (self));
      break;
    case PROP_MAX_RETRIES:
      g_value_set_uint (value, ldb_database_get_max_retries (self));
      break;
    case PROP_INSPECTABLE:
      g_value_set_boolean (value, ldb_database_get_inspectable (self));
      break;
    case PROP_CONTROL_ALLOWED:
      g_value_set_boolean (value, ldb_database_get_control_allowed (self));
      break;
    case PROP_HEALTH:
      g_value_take_boxed (value, ldb_database_get_health (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* ".." stays: behind a link it leads elsewhere than the text says. */
char *
ldb_database_absolute_path (const char *path)
{
  if (path == NULL || *path == '\0' || g_path_is_absolute (path))
    return g_strdup (path);
  g_autofree char *here = g_get_current_dir ();
  return g_build_filename (here, path, NULL);
}

static void
make_absolute (char **path)
{
  char *absolute = ldb_database_absolute_path (*path);
  g_free (*path);
  *path = absolute;
}

void
ldb_database_settle_paths (LdbCall *call)
{
  make_absolute (&call->path);
  make_absolute (&call->other_path);
}

static void
ldb_database_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LdbDatabase *self = LDB_DATABASE (object);
  LdbOptions *options;
  switch (id)
    {
    case PROP_PATH:
      self->path = g_value_dup_string (value);
      self->location = ldb_database_absolute_path (self->path);
      break;
    case PROP_FLAGS:
      self->flags = g_value_get_flags (value);
      break;
    case PROP_OPTIONS:
      options = g_value_get_object (value);
      self->options = options != NULL ? ldb_options_copy (options) : NULL;
      break;
    case PROP_MAX_RETRIES:
      ldb_database_set_max_retries (self, g_value_get_uint (value));
      break;
    case PROP_INSPECTABLE:
      ldb_database_set_inspectable (self, g_value_get_boolean (value));
      break;
    case PROP_CONTROL_ALLOWED:
      ldb_database_set_control_allowed (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_opening_properties (void)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;
  /**
   * LdbDatabase:path: (type filename)
   *
   * The directory, as it was given.
   *
   * Since: 0.1
   */
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);
  /**
   * LdbDatabase:flags:
   *
   * How it was opened.
   *
   * Since: 0.1
   */
  properties[PROP_FLAGS]
      = g_param_spec_flags ("flags", NULL, NULL, LDB_TYPE_OPEN_FLAGS, LDB_OPEN_NONE, flags);
  /**
   * LdbDatabase:options:
   *
   * The options in force, once it is open. Changing the object has no effect.
   *
   * Since: 0.1
   */
  properties[PROP_OPTIONS] = g_param_spec_object ("options", NULL, NULL, LDB_TYPE_OPTIONS, flags);
}

static void
install_state_properties (void)
{
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  /**
   * LdbDatabase:closed:
   *
   * Whether the handle is closed, or was never opened. It does not notify.
   *
   * Since: 0.1
   */
  properties[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, TRUE, flags);
  /**
   * LdbDatabase:read-only:
   *
   * Whether the handle refuses writes. It notifies when [method@Ldb.Database.take_over] has changed
   * that.
   *
   * Since: 0.1
   */
  properties[PROP_READ_ONLY]
      = g_param_spec_boolean ("read-only", NULL, NULL, FALSE, flags | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * LdbDatabase:id:
   *
   * The database's own number, in hexadecimal: its backups have the same.
   *
   * Since: 0.1
   */
  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);
  /**
   * LdbDatabase:sequence:
   *
   * The newest visible commit. It does not notify.
   *
   * Since: 0.1
   */
  properties[PROP_SEQUENCE]
      = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbDatabase:durable-sequence:
   *
   * The newest commit that is on disk. It does not notify.
   *
   * Since: 0.1
   */
  properties[PROP_DURABLE_SEQUENCE]
      = g_param_spec_uint64 ("durable-sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbDatabase:max-retries:
   *
   * How often [method@Ldb.Database.run_transaction] begins again after a conflict. More than 1000
   * is taken for 1000.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_RETRIES]
      = g_param_spec_uint ("max-retries", NULL, NULL, 0, G_MAXUINT, MAX_RETRIES_DEFAULT,
                           G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

static void
install_inspection_properties (void)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  /**
   * LdbDatabase:inspectable:
   *
   * Whether other processes of the same user may find the database and look into it while it is
   * open: figures, records and changes, through [class@Ldb.Inspector]. Nobody
   * else can, and nothing can be changed: see [property@Ldb.Database:control-allowed].
   *
   * It is set by the environment, too: `LIGHTNING_INSPECT=1`, or `GTK_DEBUG=interactive`. The database
   * is offered while one of the process's handles on it has this set.
   *
   * Since: 0.1
   */
  properties[PROP_INSPECTABLE] = g_param_spec_boolean ("inspectable", NULL, NULL, FALSE, flags);
  /**
   * LdbDatabase:control-allowed:
   *
   * Whether an inspector that asks for it gets control: to flush, compact, evict, check, back up,
   * and to commit. Setting it to %FALSE takes control from those who have it.
   *
   * Since: 0.1
   */
  properties[PROP_CONTROL_ALLOWED]
      = g_param_spec_boolean ("control-allowed", NULL, NULL, FALSE, flags);
}

static void
install_health (void)
{
  /**
   * LdbDatabase:health: (getter get_health)
   *
   * The last verdict on the database's health; %NULL until there is one. Whoever calls
   * [method@Ldb.Database.examine_health] on a handle of this process makes one;
   * [class@Ldb.HealthWatch] does so again and again.
   *
   * When another verdict than the last is made it notifies, as [signal@Ldb.Database::event] is emitted.
   *
   * Since: 0.1
   */
  properties[PROP_HEALTH]
      = g_param_spec_boxed ("health", NULL, NULL, LDB_TYPE_HEALTH,
                            G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

static void
install_signals (void)
{
  /**
   * LdbDatabase::event:
   * @self: the database
   * @event: what happened
   *
   * Something happened to the database: see [struct@Ldb.Event]. It is emitted some time after the
   * fact, in the main context that was the thread's default when the handle was made, on each handle
   * that somebody is connected to; of what happens faster than the context can be told, the oldest
   * are left out, which their numbers show.
   *
   * Nothing is done, and no main loop woken, while nobody is connected.
   *
   * Since: 0.1
   */
  signals[SIGNAL_EVENT]
      = g_signal_new ("event", LDB_TYPE_DATABASE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                      G_TYPE_NONE, 1, LDB_TYPE_EVENT | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
ldb_database_class_init (LdbDatabaseClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = ldb_database_dispose;
  object_class->finalize = ldb_database_finalize;
  object_class->get_property = ldb_database_get_property;
  object_class->set_property = ldb_database_set_property;
  install_opening_properties ();
  install_state_properties ();
  install_inspection_properties ();
  install_health ();
  install_signals ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_database_init (LdbDatabase *self)
{
  self->place = (LdbPlace){ .database = self, .store = ENGINE_STORE_DEFAULT, .name = "default" };
  self->max_retries = MAX_RETRIES_DEFAULT;
  self->context = g_main_context_ref_thread_default ();
  g_weak_ref_init (&self->weak, self);
}

void
ldb_database_emit_event (gpointer self, LdbEvent *event)
{
  ldb_database_log_events (self);
  g_signal_emit (self, signals[SIGNAL_EVENT], 0, event);
  if (event->kind == LDB_EVENT_HEALTH)
    g_object_notify_by_pspec (self, properties[PROP_HEALTH]);
}

gboolean
ldb_database_wants_events (gpointer self, LdbEventKind kind)
{
  static gsize notify;
  if (g_once_init_enter (&notify))
    g_once_init_leave (&notify, g_signal_lookup ("notify", G_TYPE_OBJECT));
  return ldb_event_log_wants (kind)
         || g_signal_has_handler_pending (self, signals[SIGNAL_EVENT], 0, TRUE)
         || g_signal_has_handler_pending (self, (guint) notify,
                                          g_quark_from_static_string ("health"), TRUE);
}


/* ---- opening ---- */

static gboolean
init_now (GInitable *initable, GCancellable *cancellable, GError **error)
{
  LdbDatabase *self = LDB_DATABASE (initable);
  if (g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_database_open_handle (self, cancellable, error))
    return FALSE;
  ldb_database_log_opened (self);
  return TRUE;
}

static gboolean
run_init (LdbCall *call, GError **error)
{
  return ldb_database_open_handle (LDB_DATABASE (call->subject), call->cancellable, error);
}

static void
init_async (GAsyncInitable *initable, int io_priority, GCancellable *cancellable,
            GAsyncReadyCallback callback, gpointer user_data)
{
  LdbDatabase *self = LDB_DATABASE (initable);
  const LdbReply *reply = LDB_REPLY (initable, init_async, cancellable, callback, user_data);
  LdbCall *call = ldb_call_new (run_init, NULL);
  call->subject = G_OBJECT (g_object_ref (initable));
  if (g_atomic_int_get (&self->state) == LDB_DATABASE_NEW)
    self->later = TRUE;
  if ((self->flags & LDB_OPEN_WAIT) != 0 && g_atomic_int_get (&self->state) == LDB_DATABASE_NEW)
    ldb_database_open_handle_later (self, call, reply);
  else
    ldb_call_start (call, reply, LDB_WORK_LONG);
}

static gboolean
init_finish (GAsyncInitable *initable, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (initable, result, init_async, error);
}

static void
initable_init (GInitableIface *interface)
{
  interface->init = init_now;
}

static void
async_initable_init (GAsyncInitableIface *interface)
{
  interface->init_async = init_async;
  interface->init_finish = init_finish;
}

/**
 * ldb_database_list_open:
 *
 * Lists the open databases of this process, one entry for each handle. [class@Ldb.Registry] tells
 * when that changes.
 *
 * Does not block; any thread.
 *
 * Returns: (transfer container) (element-type LdbDatabase): the handles
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_open (void)
{
  return ldb_share_list_handles ();
}

/**
 * ldb_database_close:
 * @self: a database
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Closes the handle; the last one in the process makes everything durable and gives the lock back.
 * Closing it again does nothing and succeeds.
 *
 * Fails with %LDB_ERROR_NO_SPACE, %LDB_ERROR_IO or %LDB_ERROR_UNKNOWN_OUTCOME when not everything
 * could be made durable; the handle is closed all the same. From the progress function of a
 * synchronous operation on the same handle it fails with %LDB_ERROR_PENDING and does nothing.
 * Blocks for the disk and for operations of other threads; any thread.
 *
 * Returns: %TRUE if all went well
 *
 * Since: 0.1
 */
gboolean
ldb_database_close (LdbDatabase *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return !g_cancellable_set_error_if_cancelled (cancellable, error) && close_handle (self, error);
}

static gboolean
run_close (LdbCall *call, GError **error)
{
  return close_handle (LDB_DATABASE (call->subject), error);
}

/**
 * ldb_database_close_async:
 * @self: a database
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.close], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_close_async (LdbDatabase *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  LdbCall *call = ldb_call_new (run_close, NULL);
  call->subject = G_OBJECT (g_object_ref (self));
  ldb_call_start (call,
                  LDB_REPLY (self, ldb_database_close_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_close_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.close_async].
 *
 * Returns: %TRUE if all went well
 *
 * Since: 0.1
 */
gboolean
ldb_database_close_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_database_close_async, error);
}

/* ---- what it is ---- */

/**
 * ldb_database_is_closed:
 * @self: a database
 *
 * Whether the handle is closed, was never opened, or belongs to the parent of this process.
 *
 * Any thread.
 *
 * Returns: %TRUE if it cannot be used
 *
 * Since: 0.1
 */
gboolean
ldb_database_is_closed (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), TRUE);
  return !ldb_database_is_usable (self, NULL);
}

/**
 * ldb_database_is_read_only:
 * @self: a database
 *
 * Whether the handle refuses writes. That changes when [method@Ldb.Database.take_over] succeeds.
 *
 * Any thread.
 *
 * Returns: %TRUE if it does
 *
 * Since: 0.1
 */
gboolean
ldb_database_is_read_only (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), TRUE);
  return __atomic_load_n (&self->read_only, __ATOMIC_ACQUIRE);
}

/**
 * ldb_database_get_path:
 * @self: a database
 *
 * Gets the directory, as it was given.
 *
 * Any thread.
 *
 * Returns: (transfer none) (type filename): the path
 *
 * Since: 0.1
 */
const char *
ldb_database_get_path (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return self->path;
}

/**
 * ldb_database_get_id:
 * @self: a database
 *
 * Gets the database's own number, in hexadecimal: its backups have the same.
 *
 * Any thread.
 *
 * Returns: (transfer none): 32 digits, or an empty string before it was opened
 *
 * Since: 0.1
 */
const char *
ldb_database_get_id (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return self->id;
}

/**
 * ldb_database_get_options:
 * @self: a database
 *
 * Gets the options in force. Changing them has no effect.
 *
 * Any thread, for reading.
 *
 * Returns: (transfer none) (nullable): the options; %NULL before it was opened without any
 *
 * Since: 0.1
 */
LdbOptions *
ldb_database_get_options (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return __atomic_load_n (&self->options, __ATOMIC_ACQUIRE);
}

/**
 * ldb_database_get_sequence:
 * @self: a database
 *
 * Gets the sequence number of the newest visible commit.
 *
 * Any thread.
 *
 * Returns: the number, below 2^53; 0 when the handle is closed or nothing was ever committed
 *
 * Since: 0.1
 */
guint64
ldb_database_get_sequence (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), 0);
  struct engine *engine = ldb_database_enter (self, NULL);
  return engine != NULL ? engine_sequence (engine) : 0;
}

/**
 * ldb_database_get_durable_sequence:
 * @self: a database
 *
 * Gets the sequence number of the newest commit that is on disk.
 *
 * Any thread.
 *
 * Returns: the number, below 2^53; 0 when the handle is closed or nothing was ever committed
 *
 * Since: 0.1
 */
guint64
ldb_database_get_durable_sequence (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), 0);
  struct engine *engine = ldb_database_enter (self, NULL);
  return engine != NULL ? engine_durable_sequence (engine) : 0;
}

/**
 * ldb_database_get_max_retries:
 * @self: a database
 *
 * Gets [property@Ldb.Database:max-retries].
 *
 * Any thread.
 *
 * Returns: the number of retries
 *
 * Since: 0.1
 */
guint
ldb_database_get_max_retries (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), 0);
  return (guint) g_atomic_int_get (&self->max_retries);
}

/**
 * ldb_database_set_max_retries:
 * @self: a database
 * @max_retries: how often to begin again; more than 1000 is taken for 1000
 *
 * Sets [property@Ldb.Database:max-retries].
 *
 * Any thread; it notifies there.
 *
 * Since: 0.1
 */
void
ldb_database_set_max_retries (LdbDatabase *self, guint max_retries)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  max_retries = MIN (max_retries, MAX_RETRIES_MAX);
  if (ldb_database_get_max_retries (self) == max_retries)
    return;
  g_atomic_int_set (&self->max_retries, (gint) max_retries);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_RETRIES]);
}

/**
 * ldb_database_get_inspectable:
 * @self: a database
 *
 * Gets whether inspectors of the same user may look into it.
 *
 * Any thread.
 *
 * Returns: whether they may
 *
 * Since: 0.1
 */
gboolean
ldb_database_get_inspectable (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return g_atomic_int_get (&self->inspectable) != 0;
}

/* Both wishes, and a notification for the one that changed. */
static void
set_inspection (LdbDatabase *self, gboolean inspectable, gboolean control_allowed, guint changed)
{
  g_autoptr (GError) error = NULL;
  if (self->generation != 0 && self->generation != ldb_fork_generation)
    return;
  if (!ldb_share_set_inspection (self, inspectable, control_allowed, &error))
    ldb_database_log_error (self, LDB_LOG_NOT_INSPECTABLE, error);
  g_object_notify_by_pspec (G_OBJECT (self), properties[changed]);
}

/**
 * ldb_database_set_inspectable:
 * @self: a database
 * @inspectable: whether inspectors of the same user may look into it
 *
 * Sets [property@Ldb.Database:inspectable]. When the user's runtime directory cannot be used, that is
 * said to the log.
 *
 * Touches files in the runtime directory, which are in memory; any thread.
 *
 * Since: 0.1
 */
void
ldb_database_set_inspectable (LdbDatabase *self, gboolean inspectable)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  inspectable = inspectable != FALSE;
  if (inspectable != ldb_database_get_inspectable (self))
    set_inspection (self, inspectable, ldb_database_get_control_allowed (self), PROP_INSPECTABLE);
}

/**
 * ldb_database_get_control_allowed:
 * @self: a database
 *
 * Gets whether inspectors may be granted control.
 *
 * Any thread.
 *
 * Returns: whether they may
 *
 * Since: 0.1
 */
gboolean
ldb_database_get_control_allowed (LdbDatabase *self)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), FALSE);
  return g_atomic_int_get (&self->control_allowed) != 0;
}

/**
 * ldb_database_set_control_allowed:
 * @self: a database
 * @control_allowed: whether inspectors may be granted control
 *
 * Sets [property@Ldb.Database:control-allowed].
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_database_set_control_allowed (LdbDatabase *self, gboolean control_allowed)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  control_allowed = control_allowed != FALSE;
  if (control_allowed != ldb_database_get_control_allowed (self))
    set_inspection (self, ldb_database_get_inspectable (self), control_allowed,
                    PROP_CONTROL_ALLOWED);
}
