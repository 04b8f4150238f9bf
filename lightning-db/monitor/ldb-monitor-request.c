/* SPDX-License-Identifier: MIT */
/* What is answered to a request that libsoup has read. */
#include "ldb-monitor-connection-private.h"

#include "ldb-monitor-events-private.h"
#include "ldb-monitor-health-private.h"
#include "ldb-monitor-metrics-private.h"
#include "ldb-monitor-text-private.h"

#include <string.h>

#define JSON_TYPE "application/json"
#define PLAIN_TYPE "text/plain; charset=utf-8"

typedef struct
{
  const char *path;          /* as it stands in the request */
  MonitorEndpoints endpoint; /* ports that answer it */
  const char *type;          /* of what is answered */
  /* One of these tells it, else it is the events. FALSE: the status is 503. */
  gboolean (*append) (GString *out, LdbDatabase *database);
  gboolean (*judge) (GString *out, LdbHealth *health);
} Page;

static gboolean
append_metrics (GString *out, LdbDatabase *database)
{
  monitor_metrics_append (out, database);
  return TRUE;
}

static const Page pages[] = {
  { "/metrics", MONITOR_METRICS, MONITOR_TEXT_TYPE, append_metrics, NULL },
  { "/health", MONITOR_STATE, JSON_TYPE, NULL, monitor_health_append },
  { "/ready", MONITOR_STATE, JSON_TYPE, NULL, monitor_ready_append },
  { "/stats.json", MONITOR_STATE, JSON_TYPE, monitor_stats_append, NULL },
  { "/events", MONITOR_STATE, "text/event-stream", NULL, NULL },
};

static const Page *
find_page (MonitorEndpoints endpoints, const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    if ((pages[i].endpoint & endpoints) != 0 && strcmp (pages[i].path, path) == 0)
      return &pages[i];
  return NULL;
}

static const char *
reason_of (guint status)
{
  switch (status)
    {
    case SOUP_STATUS_MISDIRECTED_REQUEST:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    default:
      return soup_status_get_phrase (status);
    }
}

static void
set_headers (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  soup_message_headers_replace (headers, "Connection", "close");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (headers, "Content-Security-Policy", "default-src 'none'");
  soup_message_headers_replace (headers, "Cross-Origin-Resource-Policy", "same-origin");
  /* A part of an answer is of no use to anybody, and many parts of one are more than the whole. */
  soup_message_headers_remove (soup_server_message_get_request_headers (message), "Range");
}

/* Takes the text. */
static void
answer (SoupServerMessage *message, guint status, const char *type, GString *text)
{
  gsize length = text->len;
  set_headers (message);
  soup_server_message_set_status (message, status, reason_of (status));
  soup_server_message_set_response (message, type, SOUP_MEMORY_TAKE, g_string_free (text, FALSE),
                                    length);
}

static void
refuse (MonitorConnection *connection, SoupServerMessage *message, MonitorVerdict verdict,
        const char *what)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  GString *text = g_string_new (NULL);
  g_string_printf (text, "Refused: %s\n", monitor_verdict_name (verdict));
  monitor_connection_note_refusal (connection, verdict, what);
  if (verdict == MONITOR_REFUSED_METHOD)
    soup_message_headers_replace (headers, "Allow", "GET, HEAD");
  if (verdict == MONITOR_REFUSED_TOKEN)
    soup_message_headers_replace (headers, "WWW-Authenticate", "Bearer");
  if (verdict == MONITOR_REFUSED_RATE)
    soup_message_headers_replace (headers, "Retry-After", "1");
  answer (message, monitor_verdict_status (verdict), PLAIN_TYPE, text);
}

/* What of a request is shown in the log: never a token, nor what follows a question mark. */
static const char *
what_of (MonitorVerdict verdict, SoupServerMessage *message, const char *path)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  switch (verdict)
    {
    case MONITOR_REFUSED_HOST:
      return soup_message_headers_get_one (headers, "Host");
    case MONITOR_REFUSED_ORIGIN:
      return soup_message_headers_get_one (headers, "Origin");
    case MONITOR_REFUSED_METHOD:
      return soup_server_message_get_method (message);
    default:
      return path;
    }
}

/* When the fields are there, and before a body is waited for. */
static void
admit (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
       gpointer data)
{
  MonitorConnection *connection = monitor_connection_of (message);
  MonitorService *service = monitor_connection_get_service (connection);
  const MonitorSettings *settings = monitor_service_get_settings (service);
  monitor_service_note_busy (service, connection);
  MonitorVerdict verdict = MONITOR_REFUSED_RATE;
  if (!monitor_connection_is_too_soon (connection))
    verdict = monitor_gate_check (settings, monitor_connection_get_local (connection),
                                  soup_server_message_get_method (message),
                                  soup_server_message_get_uri (message),
                                  soup_server_message_get_request_headers (message));
  if (verdict != MONITOR_ADMITTED)
    refuse (connection, message, verdict, what_of (verdict, message, path));
}

/* When that was answered, or libsoup has refused the request by itself: it is not to look for the body,
 * since it warns of a length below zero, and warnings can be made to end a program. */
static void
keep_from_body (SoupServerMessage *message, gpointer data)
{
  guint status = soup_server_message_get_status (message);
  if (!monitor_gate_sees_body (soup_server_message_get_request_headers (message)))
    return;
  g_autoptr (MonitorConnection) connection
      = monitor_connection_ref (monitor_connection_of (message));
  g_autoptr (GIOStream) stream = soup_server_message_steal_connection (message);
  monitor_connection_cut_off (connection, status != 0 ? status : SOUP_STATUS_BAD_REQUEST);
  g_io_stream_close (stream, NULL, NULL);
}

static void
watch_headers (SoupServer *soup, SoupServerMessage *message, gpointer data)
{
  g_signal_connect (message, "got-headers", G_CALLBACK (keep_from_body), NULL);
}

static void
answer_page (SoupServerMessage *message, const Page *page, gboolean yes, GString *text)
{
  if (page->endpoint != MONITOR_METRICS)
    g_string_append_c (text, '\n');
  answer (message, yes ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE, page->type, text);
}

static void
answer_judged (SoupServerMessage *message, LdbHealth *health, gpointer data)
{
  const Page *page = data;
  GString *text = g_string_new (NULL);
  gboolean yes = page->judge (text, health);
  monitor_service_count_answer (monitor_connection_get_service (monitor_connection_of (message)));
  answer_page (message, page, yes, text);
}

/* One that goes on; of who asks for its head alone there is nothing to follow. */
static void
answer_events (MonitorConnection *connection, SoupServerMessage *message, const Page *page)
{
  MonitorService *service = monitor_connection_get_service (connection);
  if (soup_server_message_get_method (message) == SOUP_METHOD_HEAD)
    answer_page (message, page, TRUE, g_string_new (NULL));
  else if (monitor_streams_add (monitor_service_get_streams (service), connection, message))
    {
      set_headers (message);
      monitor_service_count_answer (service);
    }
  else
    refuse (connection, message, MONITOR_REFUSED_CONNECTIONS, page->path);
}

static void
serve_page (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer data)
{
  MonitorConnection *connection = monitor_connection_of (message);
  MonitorService *service = monitor_connection_get_service (connection);
  const Page *page = find_page (monitor_connection_get_endpoints (connection), path);
  if (page == NULL)
    refuse (connection, message, MONITOR_REFUSED_PATH, path);
  else if (page->judge != NULL)
    monitor_health_ask (monitor_service_get_health (service), message, answer_judged,
                        (gpointer) page);
  else if (page->append == NULL)
    answer_events (connection, message, page);
  else
    {
      GString *text = g_string_sized_new (8192);
      gboolean yes = page->append (text, monitor_service_get_settings (service)->database);
      monitor_service_count_answer (service);
      if (page->endpoint == MONITOR_METRICS)
        monitor_service_append_metrics (service, text);
      answer_page (message, page, yes, text);
    }
}

/* libsoup refuses by itself what it can't read. */
static void
note_malformed (SoupServer *soup, SoupServerMessage *message, gpointer data)
{
  MonitorConnection *connection = monitor_connection_of (message);
  if (soup_server_message_get_uri (message) == NULL && connection != NULL)
    monitor_connection_note_refusal (connection, MONITOR_REFUSED_MALFORMED, NULL);
}

void
monitor_requests_serve (SoupServer *soup)
{
  /* “*” is what a request says that is about the server and no page of it. */
  static const char *const places[] = { NULL, "*" };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      soup_server_add_early_handler (soup, places[i], admit, NULL, NULL);
      soup_server_add_handler (soup, places[i], serve_page, NULL, NULL);
    }
  g_signal_connect (soup, "request-started", G_CALLBACK (watch_headers), NULL);
  g_signal_connect (soup, "request-finished", G_CALLBACK (note_malformed), NULL);
  g_signal_connect (soup, "request-aborted", G_CALLBACK (note_malformed), NULL);
}
