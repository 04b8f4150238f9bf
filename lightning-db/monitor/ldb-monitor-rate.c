/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-rate-private.h"

#define CLIENTS_MAX 1024u /* that are told apart */
#define NETWORK_SIZE 8u   /* bytes of an IPv6 address that say which network it is of */

/* Fills at the allowed rate, and holds a second's worth. */
typedef struct
{
  double turns;   /* requests that may come now */
  gint64 counted; /* when `turns` was last seen to, monotonic, in microseconds; 0: never */
} Bucket;

struct _MonitorRate
{
  double most;         /* requests a second of all clients */
  double most_of_one;  /* and of one */
  Bucket all;          /* of all clients */
  Bucket others;       /* of those that there is no room for */
  GHashTable *clients; /* their names → Bucket; both owned */
};

MonitorRate *
monitor_rate_new (guint most)
{
  MonitorRate *self = g_new0 (MonitorRate, 1);
  self->most = most;
  self->most_of_one = MAX (1, most / 2);
  self->clients = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
monitor_rate_free (MonitorRate *self)
{
  g_hash_table_unref (self->clients);
  g_free (self);
}

guint
monitor_rate_count (MonitorRate *self)
{
  return g_hash_table_size (self->clients);
}

/* ---- who ---- */

static char *
address_name (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);
  if (g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6
      || g_inet_address_get_is_loopback (address))
    return g_inet_address_to_string (address);
  GString *name = g_string_new ("network ");
  for (guint i = 0; i < NETWORK_SIZE; i++)
    g_string_append_printf (name, "%02x", bytes[i]);
  return g_string_free (name, FALSE);
}

char *
monitor_rate_client (GSocket *socket)
{
  g_autoptr (GSocketAddress) peer = g_socket_get_remote_address (socket, NULL);
  if (G_IS_INET_SOCKET_ADDRESS (peer))
    return address_name (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (peer)));
  g_autoptr (GCredentials) credentials = g_socket_get_credentials (socket, NULL);
  pid_t process = credentials != NULL ? g_credentials_get_unix_pid (credentials, NULL) : 0;
  return g_strdup_printf ("process %ld", (long) process);
}

/* ---- when ---- */

static void
fill (Bucket *bucket, double most, gint64 now)
{
  double more = (double) (now - bucket->counted) * most / G_USEC_PER_SEC;
  bucket->turns = bucket->counted == 0 ? most : MIN (most, bucket->turns + more);
  bucket->counted = now;
}

/* What the time of the caller's is, for those that are full. */
typedef struct
{
  MonitorRate *self; /* borrowed */
  gint64 now;        /* monotonic, microseconds */
} Moment;

static gboolean
is_full (gpointer name, gpointer value, gpointer data)
{
  Moment *moment = data;
  Bucket *bucket = value;
  fill (bucket, moment->self->most_of_one, moment->now);
  return bucket->turns >= moment->self->most_of_one;
}

static Bucket *
bucket_of (MonitorRate *self, const char *client, gint64 now)
{
  Bucket *bucket = g_hash_table_lookup (self->clients, client);
  if (bucket != NULL)
    return bucket;
  Moment moment = { self, now };
  if (g_hash_table_size (self->clients) >= CLIENTS_MAX)
    g_hash_table_foreach_remove (self->clients, is_full, &moment);
  if (g_hash_table_size (self->clients) >= CLIENTS_MAX)
    return &self->others;
  bucket = g_new0 (Bucket, 1);
  g_hash_table_insert (self->clients, g_strdup (client), bucket);
  return bucket;
}

gboolean
monitor_rate_take (MonitorRate *self, const char *client, gint64 now)
{
  Bucket *bucket = bucket_of (self, client, now);
  fill (bucket, self->most_of_one, now);
  fill (&self->all, self->most, now);
  if (bucket->turns < 1 || self->all.turns < 1)
    return FALSE;
  bucket->turns -= 1;
  self->all.turns -= 1;
  return TRUE;
}
