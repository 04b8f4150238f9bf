/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a request to the monitor, up to its empty line: whoever is admitted has asked in the one
 * way that is allowed. And as a label in /metrics and a member in JSON: it stays within its line.
 */
#include "../check-condition.h"

#include "ldb-monitor-gate-private.h"
#include "ldb-monitor-text-private.h"

#include <arpa/inet.h>
#include <string.h>

#define TOKEN "correct-horse-battery-staple"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static guint
count_fields (SoupMessageHeaders *headers, const char *wanted)
{
  SoupMessageHeadersIter fields;
  const char *name;
  const char *value;
  guint count = 0;
  soup_message_headers_iter_init (&fields, headers);
  while (soup_message_headers_iter_next (&fields, &name, &value))
    count += g_ascii_strcasecmp (name, wanted) == 0;
  return count;
}

/* The hosts that the settings below allow, found in another way than the gate does. */
static gboolean
is_ours (const char *host)
{
  g_autofree char *name = g_ascii_strdown (host, -1);
  struct in_addr ipv4;
  struct in6_addr ipv6;
  char *port = strrchr (name, ':');
  if (port != NULL && strchr (port, ']') == NULL)
    *port = '\0';
  char *inner = name[0] == '[' ? name + 1 : name;
  inner[strcspn (inner, "]")] = '\0';
  if (inet_pton (AF_INET, inner, &ipv4) == 1)
    return ntohl (ipv4.s_addr) >> 24 == 127 || strcmp (inner, "192.0.2.1") == 0;
  if (inet_pton (AF_INET6, inner, &ipv6) == 1)
    return IN6_IS_ADDR_LOOPBACK (&ipv6);
  return strcmp (inner, "localhost") == 0 || strcmp (inner, "db.example") == 0;
}

static void
check_admitted (const char *method, SoupMessageHeaders *headers, gboolean has_token)
{
  CHECK (strcmp (method, "GET") == 0 || strcmp (method, "HEAD") == 0);
  CHECK (count_fields (headers, "Host") == 1 && count_fields (headers, "Origin") == 0
         && count_fields (headers, "Transfer-Encoding") == 0);
  CHECK (is_ours (soup_message_headers_get_one (headers, "Host")));
  CHECK (!has_token
         || strstr (soup_message_headers_get_one (headers, "Authorization"), TOKEN) != NULL);
}

static void
check_request (const char *text, gsize length, gboolean has_token)
{
  const char *const hosts[] = { "db.example", NULL };
  g_autofree char *digest = has_token ? monitor_gate_digest (TOKEN, strlen (TOKEN)) : NULL;
  const MonitorSettings settings = { .token_digest = digest, .allowed_hosts = (char **) hosts };
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  g_autofree char *method = NULL;
  g_autofree char *path = NULL;
  SoupHTTPVersion version;
  guint status = soup_headers_parse_request (text, (int) length, headers, &method, &path, &version);
  if (SOUP_STATUS_IS_SUCCESSFUL (status))
    {
      g_autoptr (GUri) uri = g_uri_parse (path, SOUP_HTTP_URI_FLAGS, NULL);
      MonitorVerdict verdict = monitor_gate_check (&settings, "192.0.2.1", method, uri, headers);
      CHECK (verdict <= MONITOR_ADMITTED);
      if (verdict == MONITOR_ADMITTED)
        check_admitted (method, headers, has_token);
      else
        CHECK (monitor_verdict_name (verdict) != NULL && monitor_verdict_status (verdict) >= 400);
    }
  soup_message_headers_unref (headers);
}

static void
check_text (const char *value)
{
  g_autoptr (GString) out = g_string_new (NULL);
  monitor_text_count (out, "name", "label", value, 1);
  CHECK (strchr (out->str, '\n') == out->str + out->len - 1);
  CHECK (g_str_has_suffix (out->str, "\"} 1\n") && g_utf8_validate (out->str, -1, NULL));
  g_string_truncate (out, 0);
  monitor_json_begin (out);
  monitor_json_text (out, "name", value);
  monitor_json_real (out, "real", 0.5);
  monitor_json_end (out);
  CHECK (g_str_has_suffix (out->str, "\",\"real\":0.5}"));
  for (const char *at = out->str; *at != '\0'; at++)
    CHECK ((guchar) *at >= 0x20);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize length = MIN (size, 8192);
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *request = g_malloc (length + 1);
  memcpy (request, data, length);
  request[length] = '\0';
  /* What libsoup is given ends before the empty line. */
  const char *end = g_strstr_len (request, (gssize) length, "\r\n\r\n");
  if (end != NULL)
    length = (gsize) (end - request) + 2;
  request[length] = '\0';
  check_request (request, length, FALSE);
  check_request (request, length, TRUE);
  check_text (text);
  return 0;
}
