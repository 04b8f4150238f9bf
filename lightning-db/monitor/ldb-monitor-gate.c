/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-gate-private.h"

#include <string.h>

#define DIGEST_LENGTH 64 /* of SHA-256 in hex */

static const struct
{
  const char *name; /* the label in /metrics */
  guint status;     /* of the answer; 0: the connection is closed without one */
} refusals[MONITOR_N_REFUSALS] = {
  /* Of events; else the connection is closed without an answer. */
  [MONITOR_REFUSED_CONNECTIONS] = { "connections", SOUP_STATUS_SERVICE_UNAVAILABLE },
  [MONITOR_REFUSED_RATE] = { "rate", 429 },
  [MONITOR_REFUSED_HANDSHAKE] = { "handshake", 0 },
  [MONITOR_REFUSED_TIMEOUT] = { "timeout", 0 },
  [MONITOR_REFUSED_HEADER] = { "header", 431 },
  [MONITOR_REFUSED_MALFORMED] = { "malformed", SOUP_STATUS_BAD_REQUEST },
  [MONITOR_REFUSED_BODY] = { "body", SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE },
  [MONITOR_REFUSED_METHOD] = { "method", SOUP_STATUS_METHOD_NOT_ALLOWED },
  [MONITOR_REFUSED_HOST] = { "host", SOUP_STATUS_MISDIRECTED_REQUEST },
  [MONITOR_REFUSED_ORIGIN] = { "origin", SOUP_STATUS_FORBIDDEN },
  [MONITOR_REFUSED_TOKEN] = { "token", SOUP_STATUS_UNAUTHORIZED },
  [MONITOR_REFUSED_PATH] = { "path", SOUP_STATUS_NOT_FOUND },
};

const char *
monitor_verdict_name (MonitorVerdict verdict)
{
  g_return_val_if_fail (verdict < MONITOR_N_REFUSALS, "admitted");
  return refusals[verdict].name;
}

guint
monitor_verdict_status (MonitorVerdict verdict)
{
  g_return_val_if_fail (verdict < MONITOR_N_REFUSALS, SOUP_STATUS_OK);
  return refusals[verdict].status;
}

/* ---- the host ---- */

/* The part before the port: “a.example” of “a.example:80”, “::1” of “[::1]:80”. NULL: it is neither
 * a name nor an address. */
static char *
host_of (const char *text)
{
  const char *start = text;
  const char *end;
  const char *rest;
  if (text[0] == '[')
    {
      start = text + 1;
      end = strchr (start, ']');
      rest = end != NULL ? end + 1 : NULL;
    }
  else
    {
      end = text + strcspn (text, ":");
      rest = end;
    }
  if (end == NULL || end == start || (rest[0] != '\0' && rest[0] != ':'))
    return NULL;
  if (rest[0] == ':' && (rest[1] == '\0' || strspn (rest + 1, "0123456789") != strlen (rest + 1)))
    return NULL;
  g_autofree char *exact = g_strndup (start, (gsize) (end - start));
  return g_ascii_strdown (exact, -1);
}

/* No name of another's domain can stand for these: that is what the list is for. */
static gboolean
is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);
  return strcmp (host, "localhost") == 0
         || (address != NULL && g_inet_address_get_is_loopback (address));
}

static gboolean
is_address (const char *host, const char *local)
{
  g_autoptr (GInetAddress) a = g_inet_address_new_from_string (host);
  g_autoptr (GInetAddress) b = local != NULL ? g_inet_address_new_from_string (local) : NULL;
  return a != NULL && b != NULL && g_inet_address_equal (a, b);
}

gboolean
monitor_gate_admits_host (const MonitorSettings *settings, const char *local, const char *host)
{
  g_autofree char *name = host != NULL ? host_of (host) : NULL;
  if (name == NULL)
    return FALSE;
  if (is_loopback (name) || is_address (name, local))
    return TRUE;
  return settings->allowed_hosts != NULL
         && g_strv_contains ((const char *const *) settings->allowed_hosts, name);
}

/* ---- the token ---- */

char *
monitor_gate_digest (const char *token, gsize length)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) token, length);
}

gboolean
monitor_gate_admits_token (const MonitorSettings *settings, const char *authorization)
{
  if (settings->token_digest == NULL)
    return TRUE;
  if (authorization == NULL || g_ascii_strncasecmp (authorization, "Bearer ", 7) != 0)
    return FALSE;
  const char *token = authorization + 7 + strspn (authorization + 7, " ");
  g_autofree char *digest = monitor_gate_digest (token, strlen (token));
  /* Digests, so that neither the length nor the beginning of the right one shows in the time. */
  volatile guint8 difference = 0;
  for (gsize i = 0; i < DIGEST_LENGTH; i++)
    difference |= (guint8) (digest[i] ^ settings->token_digest[i]);
  return difference == 0;
}

/* ---- a request ---- */

/* How often a field is there, and its value. */
typedef struct
{
  const char *name;  /* of the field */
  const char *value; /* of the first one, or NULL; borrowed */
  guint count;       /* of these fields */
} Field;

static void
note_field (const char *name, const char *value, gpointer data)
{
  Field *field = data;
  if (g_ascii_strcasecmp (name, field->name) != 0)
    return;
  if (field->count++ == 0)
    field->value = value;
}

static Field
find_field (SoupMessageHeaders *headers, const char *name)
{
  Field field = { .name = name };
  soup_message_headers_foreach (headers, note_field, &field);
  return field;
}

gboolean
monitor_gate_sees_body (SoupMessageHeaders *headers)
{
  Field length = find_field (headers, "Content-Length");
  return find_field (headers, "Transfer-Encoding").count > 0 || length.count > 1
         || (length.count == 1 && strcmp (length.value, "0") != 0)
         || find_field (headers, "Expect").count > 0;
}

/* A page of another site, in a browser that says so, or in one that only sends Origin. */
static gboolean
is_from_a_page (SoupMessageHeaders *headers)
{
  Field site = find_field (headers, "Sec-Fetch-Site");
  return find_field (headers, "Origin").count > 0
         || (site.count > 0 && strcmp (site.value, "none") != 0
             && strcmp (site.value, "same-origin") != 0);
}

/* A request may name the host in its first line, too: then both must be right. */
static gboolean
admits_uri (const MonitorSettings *settings, const char *local, GUri *uri)
{
  const char *host = g_uri_get_host (uri);
  gboolean is_ipv6 = host != NULL && strchr (host, ':') != NULL;
  g_autofree char *text = is_ipv6 ? g_strdup_printf ("[%s]", host) : g_strdup (host);
  return monitor_gate_admits_host (settings, local, text);
}

MonitorVerdict
monitor_gate_check (const MonitorSettings *settings, const char *local, const char *method,
                    GUri *uri, SoupMessageHeaders *headers)
{
  if (monitor_gate_sees_body (headers))
    return MONITOR_REFUSED_BODY;
  if (strcmp (method, "GET") != 0 && strcmp (method, "HEAD") != 0)
    return MONITOR_REFUSED_METHOD;
  Field host = find_field (headers, "Host");
  if (host.count != 1 || !monitor_gate_admits_host (settings, local, host.value))
    return MONITOR_REFUSED_HOST;
  if (uri != NULL && !admits_uri (settings, local, uri))
    return MONITOR_REFUSED_HOST;
  if (is_from_a_page (headers))
    return MONITOR_REFUSED_ORIGIN;
  Field authorization = find_field (headers, "Authorization");
  if (authorization.count > 1 || !monitor_gate_admits_token (settings, authorization.value))
    return MONITOR_REFUSED_TOKEN;
  return MONITOR_ADMITTED;
}
