/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-inspector-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldb-change-private.h"
#include "ldb-change-set-private.h"
#include "ldb-error-private.h"
#include "ldb-event-private.h"
#include "ldb-running-database-private.h"
#include "ldb-runtime-directory-private.h"

/**
 * LdbInspector:
 *
 * A connection to a database that another process of the same user has open.
 *
 * ```c
 * g_autoptr(LdbRunningList) list = ldb_running_list_new ();
 * g_autoptr(LdbRunningDatabase) running = ldb_running_list_find (list, "notes.db");
 * g_autoptr(LdbInspector) inspector = ldb_inspector_open (running, NULL, &error);
 * g_autoptr(LdbStats) stats = ldb_inspector_get_stats (inspector, NULL, &error);
 * ```
 *
 * It looks, reads and follows, as far as [property@Ldb.Database:inspectable] lets everybody; once
 * the application has granted control ([method@Ldb.Inspector.request_control]) it also changes
 * things. Calls wait for the other process: one that is stopped answers when it goes on, so cancel
 * what takes too long.
 *
 * Errors are those of the call in the other process. Once that has closed the database, or died,
 * every call fails with %LDB_ERROR_CLOSED.
 *
 * Threads: any number at once. Signals are emitted in the main context that was the thread's default
 * when it was connected.
 *
 * Since: 0.1
 */
struct _LdbInspector
{
  GObject parent_instance;

  LdbRunningDatabase *running; /* what it is connected to; owned */
  GDBusConnection *connection; /* owned; NULL when it was made by its type alone */
  char *object;                /* path; owned */
  guint subscription;          /* to the object's signals */
  gint closed;                 /* boolean; atomic */
};

G_DEFINE_FINAL_TYPE (LdbInspector, ldb_inspector, G_TYPE_OBJECT)

enum
{
  PROP_RUNNING_DATABASE = 1,
  PROP_CLOSED,
  N_PROPERTIES,
};

enum
{
  SIGNAL_CHANGED,
  SIGNAL_ENDED,
  SIGNAL_EVENT,
  N_SIGNALS,
};

static GParamSpec *properties[N_PROPERTIES];
static guint signals[N_SIGNALS];

#define INTERFACE "org.lightningdb.Inspector1"
#define ANSWER_TIME 25000                    /* milliseconds for what is looked up */
#define HANDSHAKE_TIME (25 * G_USEC_PER_SEC) /* for the other side's */
#define HELLO "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"

/* ---- the end ---- */

static gboolean
set_closed (LdbInspector *self)
{
  return g_atomic_int_compare_and_exchange (&self->closed, FALSE, TRUE);
}

static void
disconnect (LdbInspector *self)
{
  g_dbus_connection_signal_unsubscribe (self->connection, self->subscription);
  g_dbus_connection_close (self->connection, NULL, NULL, NULL);
}

/* It came by itself. */
static void
end (LdbInspector *self)
{
  if (!set_closed (self))
    return;
  disconnect (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CLOSED]);
  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
}

static void
connection_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
  end (LDB_INSPECTOR (data));
}

/* ---- what is told ---- */

static GBytes *
bytes_of (GVariant *array)
{
  gsize size;
  gconstpointer data = g_variant_get_fixed_array (array, &size, 1);
  return g_bytes_new (data, size);
}

/* None, or the one there is. */
static GBytes *
value_of (GVariant *values)
{
  if (g_variant_n_children (values) == 0)
    return NULL;
  g_autoptr (GVariant) value = g_variant_get_child_value (values, 0);
  return bytes_of (value);
}

static struct bytes
key_of (GVariant *array)
{
  gsize size;
  gconstpointer data = g_variant_get_fixed_array (array, &size, 1);
  return size > 0 ? BYTES (data, size) : BYTES_NONE;
}

static LdbChange *
change_of (GVariant *told, guint64 sequence)
{
  guint32 kind;
  const char *store;
  g_autoptr (GVariant) key = NULL;
  g_autoptr (GVariant) limit = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GVariant) old_value = NULL;
  g_variant_get (told, "(u&s@ay@ay@aay@aay)", &kind, &store, &key, &limit, &value, &old_value);
  LdbChange *change = ldb_change_new (MIN (kind, LDB_CHANGE_RESYNC), ENGINE_STORE_DEFAULT, sequence,
                                      key_of (key), key_of (limit));
  change->name = store[0] != '\0' ? ldb_store_name_new (store) : NULL;
  change->value = value_of (value);
  change->old_value = value_of (old_value);
  change->before = change->old_value != NULL ? LDB_BEFORE_PRESENT : LDB_BEFORE_UNKNOWN;
  return change;
}

static void
tell_changed (LdbInspector *self, GVariant *arguments)
{
  guint32 id;
  guint64 since, sequence;
  gboolean resync;
  g_autoptr (GVariant) told = NULL;
  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(uttba(usayayaayaay))")))
    return;
  g_variant_get (arguments, "(uttb@a(usayayaayaay))", &id, &since, &sequence, &resync, &told);
  GPtrArray *changes = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_change_unref);
  for (gsize i = 0; i < g_variant_n_children (told); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (told, i);
      g_ptr_array_add (changes, change_of (child, sequence));
    }
  if (resync)
    g_ptr_array_add (changes, ldb_change_new (LDB_CHANGE_RESYNC, ENGINE_STORE_DEFAULT, sequence,
                                              BYTES_NONE, BYTES_NONE));
  g_autoptr (LdbChangeSet) set = ldb_change_set_new_told (since, sequence, resync, changes);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0, id, set);
}

static void
tell_event (LdbInspector *self, GVariant *arguments)
{
  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(" LDB_EVENT_VARIANT_TYPE ")")))
    return;
  g_autoptr (GVariant) told = g_variant_get_child_value (arguments, 0);
  g_autoptr (LdbEvent) event = ldb_event_from_variant (told);
  g_signal_emit (self, signals[SIGNAL_EVENT], 0, event);
}

static void
hear (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
      const char *name, GVariant *arguments, gpointer data)
{
  g_autoptr (LdbInspector) self = g_weak_ref_get (data);
  if (self == NULL || ldb_inspector_is_closed (self))
    return;
  if (strcmp (name, "Changed") == 0)
    tell_changed (self, arguments);
  else if (strcmp (name, "Event") == 0)
    tell_event (self, arguments);
  else if (strcmp (name, "Closed") == 0)
    end (self);
}

static void
weak_ref_free (gpointer weak)
{
  g_weak_ref_clear (weak);
  g_free (weak);
}

/* ---- connecting ---- */

static gboolean
fail_connecting (const char *why, GError **error)
{
  return ldb_error_set (error, LDB_ERROR_IO, "The running process cannot be inspected: %s.", why);
}

/* Who listens is to be the same user, too. */
static gboolean
is_same_user (GSocket *socket, GError **error)
{
  struct ucred peer;
  socklen_t size = sizeof peer;
  return (getsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
          && peer.uid == geteuid ())
         || ldb_error_set (error, LDB_ERROR_PERMISSION_DENIED,
                           "The running process cannot be inspected: it is another user's.");
}

/* Reads up to the end of a line, and no further. FALSE: error, or it is no line. */
static gboolean
read_line (GSocket *socket, char *line, gsize room, GCancellable *cancellable, GError **error)
{
  gint64 until = g_get_monotonic_time () + HANDSHAKE_TIME;
  for (gsize at = 0; at < room; at++)
    {
      gint64 left = until - g_get_monotonic_time ();
      if (!g_socket_condition_timed_wait (socket, G_IO_IN, MAX (left, 1), cancellable, error))
        return FALSE;
      gssize count = g_socket_receive (socket, line + at, 1, cancellable, error);
      if (count <= 0)
        return count < 0 ? FALSE
                         : fail_connecting ("it has too many inspectors, or is ending", error);
      if (line[at] == '\n')
        {
          line[at] = '\0';
          return TRUE;
        }
    }
  return fail_connecting ("it does not speak the D-Bus handshake", error);
}

static gboolean
shake_hands (GSocket *socket, GCancellable *cancellable, GError **error)
{
  char line[256];
  if (g_socket_send (socket, HELLO, sizeof HELLO - 1, cancellable, error) < 0
      || !read_line (socket, line, sizeof line, cancellable, error)
      || !read_line (socket, line, sizeof line, cancellable, error))
    return FALSE;
  return g_str_has_prefix (line, "OK ") || fail_connecting ("it does not accept this user", error);
}

/* A socket that has shaken hands; NULL with an error. */
static GSocket *
connect_socket (LdbRunningDatabase *running, GCancellable *cancellable, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s.socket", running->advert.token);
  int directory = ldb_runtime_directory_open (running->folder, FALSE, error);
  if (directory < 0)
    return NULL;
  int descriptor = ldb_runtime_directory_connect (directory, name, error);
  close (directory);
  if (descriptor < 0)
    return NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (descriptor, error);
  if (socket == NULL)
    {
      close (descriptor);
      return NULL;
    }
  return is_same_user (socket, error) && shake_hands (socket, cancellable, error)
             ? g_steal_pointer (&socket)
             : NULL;
}

/* In the context that its signals go to. */
static LdbInspector *
make_inspector (LdbRunningDatabase *running, GSocket *socket, GError **error)
{
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_sync (
      G_IO_STREAM (stream), NULL, G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING, NULL, NULL,
      error);
  if (connection == NULL)
    return NULL;
  ldb_error_register_names ();
  LdbInspector *self = g_object_new (LDB_TYPE_INSPECTOR, NULL);
  GWeakRef *weak = g_new0 (GWeakRef, 1);
  g_weak_ref_init (weak, self);
  self->closed = FALSE;
  self->running = g_object_ref (running);
  self->object = g_strdup_printf ("/org/lightningdb/Inspector1/%u", running->advert.object);
  self->connection = g_object_ref (connection);
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  self->subscription
      = g_dbus_connection_signal_subscribe (connection, NULL, INTERFACE, NULL, self->object, NULL,
                                            G_DBUS_SIGNAL_FLAGS_NONE, hear, weak, weak_ref_free);
  g_signal_connect_object (connection, "closed", G_CALLBACK (connection_closed), self, 0);
  g_dbus_connection_start_message_processing (connection);
  return self;
}

/* The call's result is a socket, and then the inspector. */
static gboolean
run_open (LdbCall *call, GError **error)
{
  call->result = connect_socket (LDB_RUNNING_DATABASE (call->subject), call->cancellable, error);
  return call->result != NULL;
}

static void
opened (LdbCall *call)
{
  g_autoptr (GSocket) socket = g_steal_pointer (&call->result);
  if (socket != NULL)
    call->result = make_inspector (LDB_RUNNING_DATABASE (call->subject), socket, &call->error);
}

static LdbCall *
new_open (LdbRunningDatabase *running)
{
  LdbCall *call = ldb_call_new (run_open, NULL);
  call->subject = G_OBJECT (g_object_ref (running));
  call->returning = opened;
  call->result_free = g_object_unref;
  return call;
}

/**
 * ldb_inspector_open:
 * @running: a running database
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Connects to a running database.
 *
 * Fails with %LDB_ERROR_IO when the process is not there any longer or has too many inspectors
 * already, with %G_IO_ERROR_TIMED_OUT when it does not answer, with %LDB_ERROR_PERMISSION_DENIED
 * when it is another user's. Blocks for the other process; any thread.
 *
 * Returns: (transfer full): the connection
 *
 * Since: 0.1
 */
LdbInspector *
ldb_inspector_open (LdbRunningDatabase *running, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (running), NULL);
  g_autoptr (GSocket) socket = ldb_call_now_pointer (new_open (running), cancellable, error);
  return socket != NULL ? make_inspector (running, socket, error) : NULL;
}

/**
 * ldb_inspector_open_async:
 * @running: a running database
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [func@Ldb.Inspector.open], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_inspector_open_async (LdbRunningDatabase *running, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_RUNNING_DATABASE (running));
  ldb_call_start (new_open (running),
                  LDB_REPLY (NULL, ldb_inspector_open_async, cancellable, callback, user_data),
                  LDB_WORK_ENDLESS);
}

/**
 * ldb_inspector_open_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [func@Ldb.Inspector.open_async].
 *
 * Returns: (transfer full): the connection
 *
 * Since: 0.1
 */
LdbInspector *
ldb_inspector_open_finish (GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (NULL, result, ldb_inspector_open_async, error);
}

/* ---- calls ---- */

static gboolean
is_open (LdbInspector *self, GError **error)
{
  return (self->connection != NULL && !ldb_inspector_is_closed (self))
         || ldb_error_set (error, LDB_ERROR_CLOSED,
                           "The connection to the running database has ended; open it again.");
}

static const GVariantType *
type_of (const char *reply_type)
{
  return reply_type != NULL ? G_VARIANT_TYPE (reply_type) : NULL;
}

/* The serial of the message that this thread sent since its last one was `before`; 0: of none. */
static guint32
serial_since (LdbInspector *self, guint32 before)
{
  guint32 serial = g_dbus_connection_get_last_serial (self->connection); /* of this thread */
  return serial != before ? serial : 0;
}

/* Has the other side give up, too, what nobody waits for any longer. */
static void
cancel_there (LdbInspector *self, guint32 serial)
{
  g_dbus_connection_call (self->connection, NULL, self->object, INTERFACE, "Cancel",
                          g_variant_new ("(u)", serial), NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                          NULL, NULL, NULL);
}

/* The call of that serial has failed; takes the failure over. */
static void
tell_failure (LdbInspector *self, guint32 serial, GError *failure, GError **error)
{
  g_autoptr (GError) owned = failure;
  if (serial != 0 && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    cancel_there (self, serial);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CLOSED)
      || g_error_matches (failure, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT))
    {
      ldb_error_set (error, LDB_ERROR_CLOSED,
                     "The running process has closed the database, or ended.");
      return;
    }
  g_dbus_error_strip_remote_error (failure);
  g_propagate_error (error, g_steal_pointer (&owned));
}

GVariant *
ldb_inspector_ask (LdbInspector *self, const char *method, GVariant *arguments,
                   const char *reply_type, gboolean patient, GCancellable *cancellable,
                   GError **error)
{
  GError *failure = NULL;
  g_autoptr (GVariant) held = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  if (!is_open (self, error))
    return NULL;
  guint32 before = g_dbus_connection_get_last_serial (self->connection);
  GVariant *reply = g_dbus_connection_call_sync (
      self->connection, NULL, self->object, INTERFACE, method, held, type_of (reply_type),
      G_DBUS_CALL_FLAGS_NO_AUTO_START, patient ? G_MAXINT : ANSWER_TIME, cancellable, &failure);
  if (reply == NULL)
    tell_failure (self, serial_since (self, before), failure, error);
  return reply;
}

/* Somebody who waits on this thread for the answer to a call, and is told how it goes. */
typedef struct
{
  LdbProgress *progress; /* borrowed */
  guint32 serial;        /* of the call's message; 0: it was not sent */
  gboolean answered;
  GVariant *reply; /* or NULL, with the failure */
  GError *failure;
} Waiting;

static void
hear_progress (GDBusConnection *connection, const char *sender, const char *path,
               const char *interface, const char *name, GVariant *arguments, gpointer data)
{
  Waiting *waiting = data;
  guint32 serial;
  guint64 done, total;
  const char *step;
  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(utts)")))
    return;
  g_variant_get (arguments, "(utt&s)", &serial, &done, &total, &step);
  if (serial == waiting->serial)
    ldb_progress_report (waiting->progress, done, total, step);
}

static void
on_answer (GObject *connection, GAsyncResult *result, gpointer data)
{
  Waiting *waiting = data;
  waiting->answered = TRUE;
  waiting->reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (connection), result, &waiting->failure);
}

/* The same for a call that tells how it goes: waits in a context that has nothing else to do. */
static GVariant *
ask_and_tell (LdbInspector *self, LdbCall *call, GError **error)
{
  Waiting waiting = { .progress = &call->progress };
  if (!is_open (self, error))
    return NULL;
  g_autoptr (GMainContext) context = g_main_context_new ();
  guint32 before = g_dbus_connection_get_last_serial (self->connection);
  g_main_context_push_thread_default (context);
  guint subscription = g_dbus_connection_signal_subscribe (
      self->connection, NULL, INTERFACE, "Progress", self->object, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
      hear_progress, &waiting, NULL);
  g_dbus_connection_call (self->connection, NULL, self->object, INTERFACE, call->path,
                          call->arguments, type_of (call->reply_type),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, call->cancellable, on_answer,
                          &waiting);
  waiting.serial = serial_since (self, before);
  g_main_context_pop_thread_default (context);
  while (!waiting.answered)
    g_main_context_iteration (context, TRUE);
  g_dbus_connection_signal_unsubscribe (self->connection, subscription);
  while (g_main_context_iteration (context, FALSE))
    continue; /* a report that comes late holds the context in which it waits */
  if (waiting.reply == NULL)
    tell_failure (self, waiting.serial, waiting.failure, error);
  return waiting.reply;
}

static gboolean
run_call (LdbCall *call, GError **error)
{
  LdbInspector *self = LDB_INSPECTOR (call->subject);
  g_autoptr (GVariant) reply
      = call->progress.func != NULL
            ? ask_and_tell (self, call, error)
            : ldb_inspector_ask (self, call->path, call->arguments, call->reply_type,
                                 call->flags != 0, call->cancellable, error);
  if (reply == NULL)
    return FALSE;
  if (call->answer != NULL)
    call->result = call->answer (reply, error);
  return call->answer == NULL || call->result != NULL;
}

LdbCall *
ldb_inspector_call_new (LdbInspector *self, const char *method, GVariant *arguments,
                        const char *reply_type, LdbAnswerFunc answer, GDestroyNotify free)
{
  LdbCall *call = ldb_call_new (run_call, NULL);
  call->subject = G_OBJECT (g_object_ref (self));
  call->path = g_strdup (method);
  call->arguments = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  call->reply_type = reply_type;
  call->answer = answer;
  call->result_free = free;
  return call;
}

LdbCall *
ldb_inspector_call_new_long (LdbInspector *self, const char *method, GVariant *arguments,
                             const char *reply_type, LdbAnswerFunc answer, GDestroyNotify free)
{
  LdbCall *call = ldb_inspector_call_new (self, method, arguments, reply_type, answer, free);
  call->flags = TRUE;
  return call;
}

void
ldb_inspector_free_nothing (gpointer number)
{
}

gpointer
ldb_inspector_answer_number (GVariant *reply, GError **error)
{
  guint32 number;
  g_variant_get_child (reply, 0, "u", &number);
  if (number == 0)
    ldb_error_set (error, LDB_ERROR_FAILED, "The running process gave no number.");
  return GUINT_TO_POINTER (number);
}

GVariant *
ldb_inspector_bytes (gconstpointer data, gsize size)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1);
}

/* ---- the object ---- */

static void
ldb_inspector_dispose (GObject *object)
{
  ldb_inspector_close (LDB_INSPECTOR (object));
  G_OBJECT_CLASS (ldb_inspector_parent_class)->dispose (object);
}

static void
ldb_inspector_finalize (GObject *object)
{
  LdbInspector *self = LDB_INSPECTOR (object);
  g_clear_object (&self->connection);
  g_clear_object (&self->running);
  g_free (self->object);
  G_OBJECT_CLASS (ldb_inspector_parent_class)->finalize (object);
}

static void
ldb_inspector_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbInspector *self = LDB_INSPECTOR (object);
  switch (id)
    {
    case PROP_RUNNING_DATABASE:
      g_value_set_object (value, self->running);
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, ldb_inspector_is_closed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_inspector_class_init (LdbInspectorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->dispose = ldb_inspector_dispose;
  object_class->finalize = ldb_inspector_finalize;
  object_class->get_property = ldb_inspector_get_property;
  /**
   * LdbInspector:running-database:
   *
   * What it is connected to.
   *
   * Since: 0.1
   */
  properties[PROP_RUNNING_DATABASE]
      = g_param_spec_object ("running-database", NULL, NULL, LDB_TYPE_RUNNING_DATABASE, flags);
  /**
   * LdbInspector:closed:
   *
   * Whether the connection has ended. It notifies when the other side ended it.
   *
   * Since: 0.1
   */
  properties[PROP_CLOSED]
      = g_param_spec_boolean ("closed", NULL, NULL, FALSE, flags | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  /**
   * LdbInspector::changed:
   * @self: the inspector
   * @subscription: which change stream, as [method@Ldb.Inspector.subscribe] numbered it
   * @changes: what became of each key since the last emission; there is no snapshot with it
   *
   * Something was committed. When the inspector was too slow to be told everything,
   * [property@Ldb.ChangeSet:resync] is set, and what it knows is to be read anew.
   *
   * Since: 0.1
   */
  signals[SIGNAL_CHANGED]
      = g_signal_new ("changed", LDB_TYPE_INSPECTOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                      G_TYPE_NONE, 2, G_TYPE_UINT, LDB_TYPE_CHANGE_SET);
  /**
   * LdbInspector::ended:
   * @self: the inspector
   *
   * The application has closed the database, does not share it any longer, or died; or it has dropped
   * the inspector, which took none of what waited for it in ten seconds.
   *
   * Since: 0.1
   */
  signals[SIGNAL_ENDED] = g_signal_new ("ended", LDB_TYPE_INSPECTOR, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 0);
  /**
   * LdbInspector::event:
   * @self: the inspector
   * @event: what happened
   *
   * Something happened to the database, after [method@Ldb.Inspector.follow_events]. What the inspector
   * was too slow for is left out, which the numbers show.
   *
   * Since: 0.1
   */
  signals[SIGNAL_EVENT]
      = g_signal_new ("event", LDB_TYPE_INSPECTOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                      G_TYPE_NONE, 1, LDB_TYPE_EVENT | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
ldb_inspector_init (LdbInspector *self)
{
  self->closed = TRUE;
}

/**
 * ldb_inspector_get_running_database:
 * @self: an inspector
 *
 * Gets what it is connected to.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the running database
 *
 * Since: 0.1
 */
LdbRunningDatabase *
ldb_inspector_get_running_database (LdbInspector *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), NULL);
  return self->running;
}

/**
 * ldb_inspector_is_closed:
 * @self: an inspector
 *
 * Whether the connection has ended.
 *
 * Any thread.
 *
 * Returns: whether it has
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_is_closed (LdbInspector *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR (self), TRUE);
  return g_atomic_int_get (&self->closed) != 0;
}

/**
 * ldb_inspector_close:
 * @self: an inspector
 *
 * Ends the connection, and with it what it has open in the other process. Calls under way fail.
 *
 * Any thread; does not block.
 *
 * Since: 0.1
 */
void
ldb_inspector_close (LdbInspector *self)
{
  g_return_if_fail (LDB_IS_INSPECTOR (self));
  if (set_closed (self))
    disconnect (self);
}
