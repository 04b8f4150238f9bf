/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-service-private.h"

#include "ldb-monitor-events-private.h"
#include "ldb-monitor-health-private.h"
#include "ldb-monitor-rate-private.h"
#include "ldb-monitor-text-private.h"

#include <pthread.h>
#include <sys/resource.h>

#define ACCEPTED_AT_ONCE 32 /* connections, before what they want is looked at */
#define PAUSE_SECONDS 1     /* without accepting, when the process has no descriptors left */
#define HANDSHAKES_AT_ONCE 4

struct _MonitorService
{
  gatomicrefcount references; /* of this */
  MonitorSettings settings;   /* fixed; cleared by monitor_service_stop */
  guint most_connections;     /* of the settings, or what the process can afford */
  GPtrArray *ports;           /* of MonitorPort; owned */
  GMainContext *context;      /* of its thread; owned */
  LdbLogQueue *log;           /* a reference */
  SoupServer *soup;           /* parses and writes; owned */
  MonitorHealth *health;      /* what was found last; owned */
  MonitorStreams *streams;    /* who follows events; owned */
  GHashTable *connections;    /* a set of MonitorConnection, a reference each */
  GQueue idle;                /* of them, those that have not said what they want; the oldest first */
  guint leaving;              /* of them, those that make way for another and are still to be closed */
  GQueue waiting;             /* connections that a handshake waits for; a reference each */
  guint handshakes;           /* under way */
  GSource *pause;             /* while nothing is accepted; a reference */
  MonitorRate *rate;          /* how many requests may come; owned */
  guint64 answers;            /* given */
  guint64 refusals[MONITOR_N_REFUSALS];

  pthread_mutex_t lock;        /* guards what follows */
  pthread_cond_t stopped_cond; /* `stopped` was set */
  gboolean stopped;            /* invariant 2 holds */
  gint stopping;               /* atomic: the thread shall end */
};

static void accept_on (MonitorService *self, MonitorPort *port);

void
monitor_port_free (MonitorPort *port)
{
  if (port->source != NULL)
    g_source_destroy (port->source);
  g_clear_pointer (&port->source, g_source_unref);
  g_clear_object (&port->socket);
  g_free (port);
}

static void
service_unref (MonitorService *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_pointer (&self->ports, g_ptr_array_unref);
  g_clear_pointer (&self->connections, g_hash_table_unref);
  g_clear_pointer (&self->rate, monitor_rate_free);
  g_main_context_unref (self->context);
  ldb_log_queue_unref (self->log);
  pthread_mutex_destroy (&self->lock);
  pthread_cond_destroy (&self->stopped_cond);
  g_free (self);
}

const MonitorSettings *
monitor_service_get_settings (MonitorService *self)
{
  return &self->settings;
}

LdbLogQueue *
monitor_service_get_log (MonitorService *self)
{
  return self->log;
}

GMainContext *
monitor_service_get_context (MonitorService *self)
{
  return self->context;
}

SoupServer *
monitor_service_get_soup (MonitorService *self)
{
  return self->soup;
}

MonitorHealth *
monitor_service_get_health (MonitorService *self)
{
  return self->health;
}

MonitorStreams *
monitor_service_get_streams (MonitorService *self)
{
  return self->streams;
}

/* ---- limits ---- */

/* The one that has been silent for the longest. libsoup closes it in one of the loop's next turns; until
 * then there is one too many, and no other is accepted. */
static gboolean
make_room (MonitorService *self)
{
  MonitorConnection *oldest = g_queue_peek_head (&self->idle);
  if (oldest == NULL)
    return FALSE;
  monitor_service_note_busy (self, oldest);
  self->leaving++;
  monitor_connection_make_way (oldest);
  return TRUE;
}

gboolean
monitor_service_add (MonitorService *self, MonitorConnection *connection)
{
  if (g_hash_table_size (self->connections) - self->leaving >= self->most_connections
      && !make_room (self))
    return FALSE;
  g_hash_table_add (self->connections, monitor_connection_ref (connection));
  g_queue_push_tail_link (&self->idle, monitor_connection_get_link (connection));
  return TRUE;
}

void
monitor_service_note_busy (MonitorService *self, MonitorConnection *connection)
{
  GList *link = monitor_connection_get_link (connection);
  if (link->prev != NULL || link->next != NULL || self->idle.head == link)
    g_queue_unlink (&self->idle, link);
}

void
monitor_service_remove (MonitorService *self, MonitorConnection *connection)
{
  if (!g_hash_table_remove (self->connections, connection))
    return;
  monitor_service_note_busy (self, connection);
  self->leaving -= monitor_connection_is_leaving (connection);
  monitor_connection_unref (connection);
}

gboolean
monitor_service_take_turn (MonitorService *self, GSocket *socket)
{
  g_autofree char *client = monitor_rate_client (socket);
  return monitor_rate_take (self->rate, client, g_get_monotonic_time ());
}

/* The descriptors are the application's: it keeps half of them, whatever max-connections says, also while
 * one makes way for another. */
static guint
most_connections (guint wanted)
{
  struct rlimit limit;
  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return wanted;
  return (guint) MIN (wanted, MAX (limit.rlim_cur / 2, 2) - 1);
}

void
monitor_service_count_refusal (MonitorService *self, MonitorVerdict verdict)
{
  self->refusals[verdict]++;
}

void
monitor_service_count_answer (MonitorService *self)
{
  self->answers++;
}

void
monitor_service_append_metrics (MonitorService *self, GString *out)
{
  static const char connections[] = "lightning_db_monitor_connections";
  static const char streams[] = "lightning_db_monitor_event_streams";
  static const char answers[] = "lightning_db_monitor_answers_total";
  static const char refusals[] = "lightning_db_monitor_refusals_total";
  monitor_text_family (out, connections, "gauge", "Clients connected to the monitor.");
  monitor_text_count (out, connections, NULL, NULL, g_hash_table_size (self->connections));
  monitor_text_family (out, streams, "gauge", "Clients that follow events.");
  monitor_text_count (out, streams, NULL, NULL, monitor_streams_count (self->streams));
  monitor_text_family (out, answers, "counter", "Requests that the monitor answered.");
  monitor_text_count (out, answers, NULL, NULL, self->answers);
  monitor_text_family (out, refusals, "counter",
                       "Connections and requests that the monitor refused.");
  for (MonitorVerdict i = 0; i < MONITOR_N_REFUSALS; i++)
    monitor_text_count (out, refusals, "reason", monitor_verdict_name (i), self->refusals[i]);
}

/* ---- handshakes ---- */

static void
begin_handshakes (MonitorService *self)
{
  while (self->handshakes < HANDSHAKES_AT_ONCE && self->waiting.length > 0)
    {
      MonitorConnection *next = g_queue_pop_head (&self->waiting);
      self->handshakes++;
      monitor_connection_shake_hands (next);
      monitor_connection_unref (next);
    }
}

void
monitor_handshakes_add (MonitorService *self, MonitorConnection *connection)
{
  g_queue_push_tail (&self->waiting, monitor_connection_ref (connection));
  begin_handshakes (self);
}

void
monitor_handshakes_remove (MonitorService *self, MonitorConnection *connection)
{
  if (g_queue_remove (&self->waiting, connection))
    monitor_connection_unref (connection);
}

void
monitor_handshakes_done (MonitorService *self)
{
  self->handshakes--;
  begin_handshakes (self);
}

/* ---- accepting ---- */

static gboolean
go_on (gpointer data)
{
  MonitorService *self = data;
  g_clear_pointer (&self->pause, g_source_unref);
  for (guint i = 0; i < self->ports->len; i++)
    accept_on (self, self->ports->pdata[i]);
  return G_SOURCE_REMOVE;
}

/* A socket with a client that can't be accepted stays ready: looking at it again at once would take a
 * whole processor. */
static void
pause_accepting (MonitorService *self)
{
  for (guint i = 0; i < self->ports->len; i++)
    {
      MonitorPort *port = self->ports->pdata[i];
      if (port->source != NULL)
        g_source_destroy (port->source);
      g_clear_pointer (&port->source, g_source_unref);
    }
  if (self->pause != NULL)
    return;
  self->pause = g_timeout_source_new_seconds (PAUSE_SECONDS);
  g_source_set_callback (self->pause, go_on, self, NULL);
  g_source_attach (self->pause, self->context);
}

/* What the port was found by. */
typedef struct
{
  MonitorService *service; /* outlives the source */
  MonitorPort *port;       /* the service's */
} Acceptance;

static gboolean
accept_some (GSocket *socket, GIOCondition condition, gpointer data)
{
  Acceptance *acceptance = data;
  MonitorService *self = acceptance->service;
  for (guint i = 0; i < ACCEPTED_AT_ONCE && self->leaving == 0; i++)
    {
      g_autoptr (GError) error = NULL;
      GSocket *client = g_socket_accept (socket, NULL, &error);
      if (client != NULL)
        {
          monitor_connection_new (self, acceptance->port, client);
          continue;
        }
      /* None is waiting, or the one that was is gone again; else descriptors or memory are short. */
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)
          && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
        {
          pause_accepting (self);
          return G_SOURCE_REMOVE;
        }
      return G_SOURCE_CONTINUE;
    }
  return G_SOURCE_CONTINUE;
}

static void
accept_on (MonitorService *self, MonitorPort *port)
{
  Acceptance *acceptance = g_new0 (Acceptance, 1);
  acceptance->service = self;
  acceptance->port = port;
  port->source = g_socket_create_source (port->socket, G_IO_IN, NULL);
  g_source_set_static_name (port->source, "[lightning-db] monitor accept");
  g_source_set_callback (port->source, G_SOURCE_FUNC (accept_some), acceptance, g_free);
  g_source_attach (port->source, self->context);
}

/* ---- the thread ---- */

/* Invariant 2. Connections first: the end of an examination is waited for, and meanwhile no request may
 * come to what is not there any more. */
static void
close_everything (MonitorService *self)
{
  guint count;
  if (self->pause != NULL)
    g_source_destroy (self->pause);
  g_clear_pointer (&self->pause, g_source_unref);
  g_ptr_array_set_size (self->ports, 0);
  soup_server_disconnect (self->soup);
  g_autofree gpointer *rest = g_hash_table_get_keys_as_array (self->connections, &count);
  for (guint i = 0; i < count; i++)
    monitor_connection_close (rest[i]);
  g_clear_pointer (&self->streams, monitor_streams_free);
  g_clear_pointer (&self->health, monitor_health_free);
  g_clear_object (&self->soup);
}

static void
tell_stopped (MonitorService *self)
{
  pthread_mutex_lock (&self->lock);
  self->stopped = TRUE;
  pthread_cond_signal (&self->stopped_cond);
  pthread_mutex_unlock (&self->lock);
}

static gpointer
run (gpointer data)
{
  MonitorService *self = data;
  g_main_context_push_thread_default (self->context);
  self->soup = soup_server_new ("raw-paths", TRUE, NULL);
  self->health = monitor_health_new (self->settings.database);
  self->streams = monitor_streams_new (self);
  monitor_requests_serve (self->soup);
  for (guint i = 0; i < self->ports->len; i++)
    accept_on (self, self->ports->pdata[i]);
  while (!g_atomic_int_get (&self->stopping))
    g_main_context_iteration (self->context, TRUE);
  close_everything (self);
  tell_stopped (self);
  /* What has nothing to do with the database any more: threads that a handshake was begun on. */
  while (self->handshakes > 0)
    g_main_context_iteration (self->context, TRUE);
  while (g_main_context_iteration (self->context, FALSE))
    continue;
  g_main_context_pop_thread_default (self->context);
  service_unref (self);
  return NULL;
}

/* In the main context of who starts it: an application's log writer never runs on our thread. */
static LdbLogQueue *
new_log (void)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  return ldb_log_queue_new (context);
}

MonitorService *
monitor_service_start (MonitorSettings *settings, GPtrArray *ports, GError **error)
{
  MonitorService *self = g_new0 (MonitorService, 1);
  g_atomic_ref_count_init (&self->references);
  self->settings = *settings;
  *settings = (MonitorSettings){ 0 };
  self->most_connections = most_connections (self->settings.max_connections);
  self->ports = ports;
  self->context = g_main_context_new ();
  self->log = new_log ();
  self->connections = g_hash_table_new (NULL, NULL);
  g_queue_init (&self->waiting);
  g_queue_init (&self->idle);
  self->rate = monitor_rate_new (self->settings.max_requests);
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->stopped_cond, NULL);
  g_atomic_ref_count_inc (&self->references);
  GThread *thread = g_thread_try_new ("ldb-monitor", run, self, error);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return self;
    }
  monitor_settings_clear (&self->settings);
  service_unref (self);
  service_unref (self);
  return NULL;
}

void
monitor_service_stop (MonitorService *self)
{
  g_atomic_int_set (&self->stopping, TRUE);
  g_main_context_wakeup (self->context);
  pthread_mutex_lock (&self->lock);
  while (!self->stopped)
    pthread_cond_wait (&self->stopped_cond, &self->lock);
  pthread_mutex_unlock (&self->lock);
  ldb_log_queue_close (self->log);
  monitor_settings_clear (&self->settings);
  service_unref (self);
}
