/* SPDX-License-Identifier: MIT */
/*
 * A visitor's calls: which object, interface and method are meant, whether the arguments are what
 * the interface says, and whether it may.
 */
#include "config.h"

#include "ldb-visitor-private.h"

#include <string.h>
#include <unistd.h>

#include "ldb-error-private.h"
#include "ldb-inspector-interface.h"

#define PROGRESS_INTERVAL (G_USEC_PER_SEC / 10)

/* ---- answers ---- */

static void run_method (LdbVisit *self);

static void
visit_free (LdbVisit *self)
{
  LdbVisit *next = NULL;
  if (self->operation)
    ldb_host_end_operation (self->visitor->host);
  if (self->lane != LDB_LANES)
    next = ldb_host_end_work (self->visitor->host, self->lane);
  ldb_host_end_visit (self->visitor->host);
  ldb_peer_end_call (self->visitor->peer);
  g_ptr_array_remove_fast (self->visitor->visits, self);
  g_object_unref (self->cancellable);
  g_clear_pointer (&self->export, ldb_export_unref);
  g_clear_pointer (&self->arguments, g_variant_unref);
  g_clear_object (&self->call);
  ldb_visitor_unref (self->visitor);
  g_free (self);
  if (next != NULL)
    run_method (next);
}

static void
visit_send (LdbVisit *self, GDBusMessage *reply)
{
  if ((g_dbus_message_get_flags (self->call) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) == 0)
    ldb_peer_send (self->visitor->peer, reply);
  g_object_unref (reply);
  visit_free (self);
}

void
ldb_visit_return (LdbVisit *self, GVariant *result)
{
  GDBusMessage *reply = g_dbus_message_new_method_reply (self->call);
  if (result != NULL)
    g_dbus_message_set_body (reply, result);
  visit_send (self, reply);
}

static void
visit_fail_as (LdbVisit *self, const char *name, const char *message)
{
  visit_send (self, g_dbus_message_new_method_error_literal (self->call, name, message));
}

void
ldb_visit_fail (LdbVisit *self, GError *error)
{
  g_autofree char *name = g_dbus_error_encode_gerror (error);
  g_autofree char *message = g_strdup (error->message);
  g_error_free (error);
  visit_fail_as (self, name, message);
}

static void
log_refusal (LdbVisit *self, const char *reason, const char *message)
{
  ldb_host_log_refusal (self->visitor->host, self->export, self->visitor->process, reason, message);
}

/* A call that is none of the interface's. */
static void
visit_refuse_call (LdbVisit *self, const char *name, const char *message)
{
  log_refusal (self, "call", message);
  visit_fail_as (self, name, message);
}

void
ldb_visit_refuse (LdbVisit *self, LdbError code, const char *message)
{
  if (code == LDB_ERROR_PERMISSION_DENIED)
    log_refusal (self, "control", message);
  else if (code == LDB_ERROR_LIMIT_EXCEEDED)
    log_refusal (self, "limit", message);
  ldb_visit_fail (self, g_error_new_literal (LDB_ERROR, (int) code, message));
}

LdbStore *
ldb_visit_open_store (LdbVisit *self, const char *name, GError **error)
{
  return ldb_database_open_store (self->export->handle, name[0] != '\0' ? name : "default",
                                  LDB_OPEN_NONE, NULL, error);
}

void
ldb_visit_tell_progress (guint64 done, guint64 total, const char *step, gpointer visit)
{
  LdbVisit *self = visit;
  gint64 now = g_get_monotonic_time ();
  if (now - self->told < PROGRESS_INTERVAL)
    return;
  self->told = now;
  ldb_visitor_send_signal (
      self->visitor, self->export, "Progress",
      g_variant_new ("(utts)", g_dbus_message_get_serial (self->call), done, total, step));
}

/* ---- what is said about an object ---- */

#define COMMIT_SIGNATURE "a(sayaaybaay)"
#define COMMIT_UNASKED_MAX 65536 /* bytes of a commit, to be told that it needs control */
#define STANDARD_INTERFACES                                                                        \
  "  <interface name=\"org.freedesktop.DBus.Introspectable\">\n"                                   \
  "    <method name=\"Introspect\"><arg type=\"s\" direction=\"out\"/></method>\n"                 \
  "  </interface>\n"                                                                               \
  "  <interface name=\"org.freedesktop.DBus.Peer\">\n"                                             \
  "    <method name=\"Ping\"/>\n"                                                                  \
  "  </interface>\n"                                                                               \
  "  <interface name=\"org.freedesktop.DBus.Properties\">\n"                                       \
  "    <method name=\"Get\"><arg type=\"s\" direction=\"in\"/><arg type=\"s\" direction=\"in\"/>"  \
  "<arg type=\"v\" direction=\"out\"/></method>\n"                                                 \
  "    <method name=\"GetAll\"><arg type=\"s\" direction=\"in\"/>"                                 \
  "<arg type=\"a{sv}\" direction=\"out\"/></method>\n"                                             \
  "  </interface>\n"

/* The part of the next object's path on the way down from `path`, or NULL. */
static const char *
next_part (const char *path)
{
  static const char *const way[][2] = {
    { "/", "org" },
    { "/org", "lightningdb" },
    { "/org/lightningdb", "Inspector1" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (way); i++)
    if (strcmp (way[i][0], path) == 0)
      return way[i][1];
  return NULL;
}

static void
introspect (LdbVisit *self)
{
  const char *path = g_dbus_message_get_path (self->call);
  g_autoptr (GString) text = g_string_new ("<node>\n" STANDARD_INTERFACES);
  if (self->export != NULL)
    g_dbus_interface_info_generate_xml (
        (GDBusInterfaceInfo *) &org_lightningdb_inspector1_interface, 2, text);
  if (next_part (path) != NULL)
    g_string_append_printf (text, "  <node name=\"%s\"/>\n", next_part (path));
  if (strcmp (path, LDB_OBJECT_PREFIX) == 0)
    {
      g_autoptr (GArray) objects = ldb_host_list_exports (self->visitor->host);
      for (guint i = 0; i < objects->len; i++)
        g_string_append_printf (text, "  <node name=\"%u\"/>\n", g_array_index (objects, guint, i));
    }
  g_string_append (text, "</node>\n");
  ldb_visit_return (self, g_variant_new ("(s)", text->str));
}

static GVariant *
property (LdbExport *export, const char *name)
{
  LdbDatabase *database = export->handle;
  if (strcmp (name, "Program") == 0)
    return g_variant_new_string (export->program);
  if (strcmp (name, "Application") == 0)
    return g_variant_new_string (export->application);
  if (strcmp (name, "ProcessId") == 0)
    return g_variant_new_uint32 ((guint32) getpid ());
  if (strcmp (name, "LibraryVersion") == 0)
    return g_variant_new_string (ldb_get_version ());
  if (strcmp (name, "Path") == 0)
    return g_variant_new_bytestring (export->path);
  if (strcmp (name, "Id") == 0)
    return g_variant_new_string (ldb_database_get_id (database));
  if (strcmp (name, "ReadOnly") == 0)
    return g_variant_new_boolean (ldb_database_is_read_only (database));
  if (strcmp (name, "Sequence") == 0)
    return g_variant_new_uint64 (ldb_database_get_sequence (database));
  if (strcmp (name, "DurableSequence") == 0)
    return g_variant_new_uint64 (ldb_database_get_durable_sequence (database));
  if (strcmp (name, "ControlAllowed") == 0)
    return g_variant_new_boolean (g_atomic_int_get (&export->control) != 0);
  return NULL;
}

static void
get_property (LdbVisit *self)
{
  const char *interface, *name;
  g_variant_get (self->arguments, "(&s&s)", &interface, &name);
  GVariant *value
      = strcmp (interface, LDB_INSPECTOR_INTERFACE) == 0 ? property (self->export, name) : NULL;
  if (value != NULL)
    ldb_visit_return (self, g_variant_new ("(v)", value));
  else
    visit_fail_as (self, "org.freedesktop.DBus.Error.UnknownProperty",
                   "There is no such property.");
}

static void
get_all_properties (LdbVisit *self)
{
  const char *interface;
  GVariantBuilder all;
  g_variant_get (self->arguments, "(&s)", &interface);
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a{sv}"));
  GDBusPropertyInfo **known = org_lightningdb_inspector1_interface.properties;
  for (guint i = 0; strcmp (interface, LDB_INSPECTOR_INTERFACE) == 0 && known[i] != NULL; i++)
    g_variant_builder_add (&all, "{sv}", known[i]->name, property (self->export, known[i]->name));
  ldb_visit_return (self, g_variant_new ("(a{sv})", &all));
}

static void
ping (LdbVisit *self)
{
  ldb_visit_return (self, NULL);
}

/* There is no bus here, but tools like gdbus(1) greet one before they say anything else. */
static void
hello (LdbVisit *self)
{
  ldb_visit_return (self, g_variant_new ("(s)", ":1.1"));
}

static void
cancel (LdbVisit *self)
{
  guint32 serial;
  g_variant_get (self->arguments, "(u)", &serial);
  GPtrArray *visits = self->visitor->visits;
  for (guint i = 0; i < visits->len; i++)
    {
      const LdbVisit *visit = g_ptr_array_index (visits, i);
      if (g_dbus_message_get_serial (visit->call) == serial)
        {
          g_cancellable_cancel (visit->cancellable);
          break;
        }
    }
  ldb_visit_return (self, NULL);
}

/* ---- methods ---- */

typedef enum
{
  METHOD_PLAIN = 0,
  METHOD_ANYWHERE = 1 << 0,  /* also at objects that are no database */
  METHOD_CONTROL = 1 << 1,   /* only with control */
  METHOD_OPERATION = 1 << 2, /* takes long: one at a time in a process */
  METHOD_EXAMINES = 1 << 3,  /* takes a while: likewise, but others wait for their turn */
  METHOD_LOOKS = 1 << 4,     /* takes a moment of a short worker: two at a time, others wait */
  METHOD_SURVEYS = 1 << 5,   /* the same of a long one */
} MethodFlags;

#define LONG_CONTROL (METHOD_CONTROL | METHOD_OPERATION)

static const struct
{
  const char *interface; /* name */
  const char *member;    /* name */
  const char *signature; /* of the arguments */
  void (*run) (LdbVisit *visit);
  MethodFlags flags;
} methods[] = {
  { "org.freedesktop.DBus", "Hello", "", hello, METHOD_ANYWHERE },
  { "org.freedesktop.DBus.Introspectable", "Introspect", "", introspect, METHOD_ANYWHERE },
  { "org.freedesktop.DBus.Peer", "Ping", "", ping, METHOD_ANYWHERE },
  { "org.freedesktop.DBus.Properties", "Get", "ss", get_property, METHOD_PLAIN },
  { "org.freedesktop.DBus.Properties", "GetAll", "s", get_all_properties, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "GetStatistics", "", ldb_visit_get_statistics, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "GetMetrics", "", ldb_visit_get_metrics, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "GetOptions", "", ldb_visit_get_options, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "ListStores", "", ldb_visit_list_stores, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "OpenSnapshot", "", ldb_visit_open_snapshot, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "CloseSnapshot", "u", ldb_visit_close_snapshot, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "Get", "usaytu", ldb_visit_get, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "Read", "usayayuuu", ldb_visit_read, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "Subscribe", "sbayuu", ldb_visit_subscribe, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "Unsubscribe", "u", ldb_visit_unsubscribe, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "ListSlowOperations", "t", ldb_visit_list_slow_operations,
    METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "ListTransactions", "", ldb_visit_list_transactions, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "ListTransactionKeys", "t", ldb_visit_list_transaction_keys,
    METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "ListSnapshots", "", ldb_visit_list_snapshots, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "ListHotKeys", "u", ldb_visit_list_hot_keys, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "ListWatches", "", ldb_visit_list_watches, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "ListDeliveries", "t", ldb_visit_list_deliveries, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "TraceGet", "say", ldb_visit_trace_get, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "LoadStorageMap", "uu", ldb_visit_load_storage_map, METHOD_EXAMINES },
  { LDB_INSPECTOR_INTERFACE, "ListPages", "ttub", ldb_visit_list_pages, METHOD_SURVEYS },
  { LDB_INSPECTOR_INTERFACE, "ReadPage", "tttu", ldb_visit_read_page, METHOD_LOOKS },
  { LDB_INSPECTOR_INTERFACE, "LocateKey", "say", ldb_visit_locate_key, METHOD_LOOKS },
  { LDB_INSPECTOR_INTERFACE, "MeasureSizes", "sayayuu", ldb_visit_measure_sizes, METHOD_EXAMINES },
  { LDB_INSPECTOR_INTERFACE, "GetHealth", "", ldb_visit_get_health, METHOD_SURVEYS },
  { LDB_INSPECTOR_INTERFACE, "ListEvents", "t", ldb_visit_list_events, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "FollowEvents", "b", ldb_visit_follow_events, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "RequestControl", "", ldb_visit_request_control, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "Cancel", "u", cancel, METHOD_PLAIN },
  { LDB_INSPECTOR_INTERFACE, "Flush", "", ldb_visit_flush, LONG_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "Checkpoint", "", ldb_visit_checkpoint, LONG_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "Sync", "", ldb_visit_sync, LONG_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "Compact", "", ldb_visit_compact, LONG_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "Evict", "d", ldb_visit_evict, METHOD_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "SetMemoryBudget", "t", ldb_visit_set_memory_budget, LONG_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "Check", "b", ldb_visit_check, LONG_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "ApplyRemedy", "s", ldb_visit_apply_remedy, LONG_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "Backup", "ayb", ldb_visit_backup, LONG_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "AbortTransaction", "t", ldb_visit_abort_transaction, METHOD_CONTROL },
  { LDB_INSPECTOR_INTERFACE, "Commit", COMMIT_SIGNATURE, ldb_visit_commit, LONG_CONTROL },
};

/* N of the path "/org/lightningdb/Inspector1/N"; 0: it is none. */
static guint
object_of (const char *path)
{
  guint64 object;
  if (path == NULL || !g_str_has_prefix (path, LDB_OBJECT_PREFIX "/")
      || !g_ascii_string_to_unsigned (path + strlen (LDB_OBJECT_PREFIX "/"), 10, 1, G_MAXUINT,
                                      &object, NULL))
    return 0;
  return (guint) object;
}

/* A call to a database that is not shared. Of one that was, and was closed since, it is no abuse. */
static void
refuse_object (LdbVisit *self)
{
  static const char *const name = "org.freedesktop.DBus.Error.UnknownObject";
  static const char *const message = "No database is shared under that path.";
  guint object = object_of (g_dbus_message_get_path (self->call));
  if (object != 0 && ldb_host_had_export (self->visitor->host, object))
    visit_fail_as (self, name, message);
  else
    visit_refuse_call (self, name, message);
}

/* Of the table; G_N_ELEMENTS when there is none. */
static guint
find_method (GDBusMessage *call)
{
  const char *interface = g_dbus_message_get_interface (call);
  const char *member = g_dbus_message_get_member (call);
  guint i = 0;
  while (i < G_N_ELEMENTS (methods)
         && ((interface != NULL && strcmp (interface, methods[i].interface) != 0)
             || g_strcmp0 (member, methods[i].member) != 0))
    i++;
  return i;
}

/* It has its turn. */
static void
run_method (LdbVisit *self)
{
  methods[find_method (self->call)].run (self);
}

static LdbLane
lane_of (MethodFlags flags)
{
  if ((flags & METHOD_EXAMINES) != 0)
    return LDB_LANE_EXAMINE;
  if ((flags & METHOD_SURVEYS) != 0)
    return LDB_LANE_SURVEY;
  return (flags & METHOD_LOOKS) != 0 ? LDB_LANE_LOOK : LDB_LANES;
}

static void
begin_method (LdbVisit *self, guint i)
{
  MethodFlags flags = methods[i].flags;
  if (self->export == NULL && (flags & METHOD_ANYWHERE) == 0)
    refuse_object (self);
  else if ((flags & METHOD_CONTROL) != 0 && !ldb_visitor_has_control (self->visitor, self->export))
    ldb_visit_refuse (self, LDB_ERROR_PERMISSION_DENIED,
                      "This changes things, and the connection has no control; request it, and "
                      "have the application allow it: LdbDatabase:control-allowed.");
  else if (strcmp (g_dbus_message_get_signature (self->call), methods[i].signature) != 0)
    visit_refuse_call (self, "org.freedesktop.DBus.Error.InvalidArgs",
                       "The arguments are of other types than the method takes.");
  else if ((flags & METHOD_OPERATION) != 0 && !ldb_host_begin_operation (self->visitor->host))
    ldb_visit_refuse (self, LDB_ERROR_PENDING, "Another operation has not finished; wait for it.");
  else
    {
      self->operation = (flags & METHOD_OPERATION) != 0;
      self->lane = lane_of (flags);
      if (self->lane == LDB_LANES || ldb_host_begin_work (self->visitor->host, self->lane, self))
        run_method (self);
    }
}

static void
take_message (gpointer owner, GDBusMessage *message)
{
  LdbVisitor *visitor = owner;
  if (g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return;
  LdbVisit *visit = g_new0 (LdbVisit, 1);
  GVariant *body = g_dbus_message_get_body (message);
  visitor->heard = g_get_monotonic_time ();
  visitor->references++;
  visit->visitor = visitor;
  visit->lane = LDB_LANES;
  visit->cancellable = g_cancellable_new ();
  g_ptr_array_add (visitor->visits, visit);
  visit->call = g_object_ref (message);
  visit->arguments
      = body != NULL ? g_variant_ref (body) : g_variant_ref_sink (g_variant_new ("()"));
  visit->export
      = ldb_host_find_export (visitor->host, object_of (g_dbus_message_get_path (message)));
  ldb_host_begin_visit (visitor->host);
  ldb_peer_begin_call (visitor->peer);
  guint i = find_method (message);
  if (i < G_N_ELEMENTS (methods))
    begin_method (visit, i);
  else
    visit_refuse_call (visit, "org.freedesktop.DBus.Error.UnknownMethod",
                       "There is no such method.");
}

/* ---- visitors ---- */

static void
drained (gpointer owner)
{
  ldb_visitor_resync (owner);
}

static void
close_all (LdbVisitor *self)
{
  g_ptr_array_set_size (self->subscriptions, 0);
  g_ptr_array_set_size (self->follows, 0);
  g_ptr_array_set_size (self->snapshots, 0);
  g_clear_pointer (&self->map, ldb_visitor_map_free);
  ldb_visitor_forget_value (self);
  g_hash_table_remove_all (self->grants);
  if (self->expiry != NULL)
    g_source_destroy (self->expiry);
  g_clear_pointer (&self->expiry, g_source_unref);
}

static void
log_connected (LdbVisitor *self)
{
  LdbLogLine *line = ldb_host_begin_line (self->host, LDB_LOG_INSPECTOR_CONNECTED, self->process);
  if (line == NULL)
    return;
  ldb_log_line_say (line, "Process %" G_GINT64_FORMAT " has connected as an inspector",
                    self->process);
  ldb_host_end_line (self->host, line);
}

static void
log_end (LdbVisitor *self, LdbPeerEnd end)
{
  static const struct
  {
    const char *reason;  /* in a word */
    const char *message; /* what the inspector did */
  } ends[] = {
    [LDB_PEER_LEFT] = { "left", "has disconnected" },
    [LDB_PEER_DISMISSED] = { "dismissed", "was disconnected: nothing is shared any longer" },
    [LDB_PEER_HANDSHAKE] = { "handshake", "it did not say who it is." },
    [LDB_PEER_MESSAGE] = { "message", "it sent no D-Bus message, or one that is too long." },
    [LDB_PEER_SLOW] = { "slow", "it took too long to say who it is, or takes no answers." },
    [LDB_PEER_CROWDED] = { "connections", "it made way for an inspector of another process." },
  };
  if (end > LDB_PEER_DISMISSED)
    {
      ldb_host_log_refusal (self->host, NULL, self->process, ends[end].reason, ends[end].message);
      return;
    }
  LdbLogLine *line = ldb_host_begin_line (self->host, LDB_LOG_INSPECTOR_ENDED, self->process);
  if (line == NULL)
    return;
  ldb_log_line_set (line, "LDB_REASON", "%s", ends[end].reason);
  ldb_log_line_say (line, "The inspector that is process %" G_GINT64_FORMAT " %s", self->process,
                    ends[end].message);
  ldb_host_end_line (self->host, line);
}

/* Nobody waits for them any longer. */
static void
cancel_visits (LdbVisitor *self)
{
  for (guint i = 0; i < self->visits->len; i++)
    g_cancellable_cancel (((LdbVisit *) g_ptr_array_index (self->visits, i))->cancellable);
}

static void
ended (gpointer owner, LdbPeerEnd end)
{
  LdbVisitor *self = owner;
  log_end (self, end);
  close_all (self);
  cancel_visits (self);
  ldb_host_forget_visitor (self->host, self);
}

/* The one call with a list of what it is to do, and only of who may make it. */
static gboolean
admits (gpointer owner, const char *signature, gsize length)
{
  LdbVisitor *self = owner;
  return strcmp (signature, COMMIT_SIGNATURE) == 0
         && (length <= COMMIT_UNASKED_MAX || g_hash_table_size (self->grants) > 0);
}

static const LdbPeerHandler handler = {
  .admits = admits,
  .message = take_message,
  .drained = drained,
  .ended = ended,
};

LdbVisitor *
ldb_visitor_new (LdbHost *host, int descriptor, const struct ucred *credentials, const char *guid,
                 guint slot)
{
  LdbVisitor *self = g_new0 (LdbVisitor, 1);
  ldb_error_register_names ();
  self->references = 1;
  self->host = ldb_host_ref (host);
  self->slot = slot;
  self->snapshots = g_ptr_array_new_with_free_func (ldb_visitor_snapshot_free);
  self->subscriptions = g_ptr_array_new_with_free_func (ldb_subscription_free);
  self->follows = g_ptr_array_new_with_free_func (ldb_visitor_follow_free);
  self->grants = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) ldb_export_unref, NULL);
  self->visits = g_ptr_array_new ();
  self->process = credentials->pid;
  self->heard = g_get_monotonic_time ();
  self->peer = ldb_peer_new (descriptor, credentials->uid, guid, ldb_host_get_context (host),
                             &handler, self);
  log_connected (self);
  return self;
}

void
ldb_visitor_unref (LdbVisitor *self)
{
  if (--self->references > 0)
    return;
  close_all (self);
  g_ptr_array_unref (self->subscriptions);
  g_ptr_array_unref (self->follows);
  g_ptr_array_unref (self->snapshots);
  g_hash_table_unref (self->grants);
  g_ptr_array_unref (self->visits);
  ldb_peer_unref (self->peer);
  ldb_host_unref (self->host);
  g_free (self);
}

void
ldb_visitor_end (LdbVisitor *self, LdbPeerEnd end)
{
  ldb_peer_end (self->peer, end);
}

void
ldb_visitor_send_signal (LdbVisitor *self, LdbExport *export, const char *name, GVariant *arguments)
{
  g_autofree char *path = g_strdup_printf (LDB_OBJECT_PREFIX "/%u", export->object);
  g_autoptr (GDBusMessage) signal = g_dbus_message_new_signal (path, LDB_INSPECTOR_INTERFACE, name);
  if (arguments != NULL)
    g_dbus_message_set_body (signal, arguments);
  ldb_peer_send (self->peer, signal);
}

void
ldb_visitor_leave_export (LdbVisitor *self, LdbExport *export)
{
  for (guint i = self->subscriptions->len; i > 0; i--)
    if (((LdbSubscription *) g_ptr_array_index (self->subscriptions, i - 1))->of == export)
      g_ptr_array_remove_index_fast (self->subscriptions, i - 1);
  for (guint i = self->snapshots->len; i > 0; i--)
    if (((LdbVisitorSnapshot *) g_ptr_array_index (self->snapshots, i - 1))->of == export)
      g_ptr_array_remove_index_fast (self->snapshots, i - 1);
  for (guint i = self->follows->len; i > 0; i--)
    if (((LdbVisitorFollow *) g_ptr_array_index (self->follows, i - 1))->of == export)
      g_ptr_array_remove_index_fast (self->follows, i - 1);
  if (self->map != NULL && self->map->of == export)
    g_clear_pointer (&self->map, ldb_visitor_map_free);
  ldb_visitor_forget_value (self);
  g_hash_table_remove (self->grants, export);
  ldb_visitor_send_signal (self, export, "Closed", NULL);
}
