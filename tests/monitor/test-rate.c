/* SPDX-License-Identifier: MIT */
/*
 * The turns of requests, at times that the test says: of all clients, of one, and of more clients than
 * are kept.
 */
#include "ldb-monitor-rate-private.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static guint
take (MonitorRate *rate, const char *client, guint wanted, gint64 now)
{
  guint taken = 0;
  for (guint i = 0; i < wanted; i++)
    taken += monitor_rate_take (rate, client, now);
  return taken;
}

static void
test_turns (void)
{
  MonitorRate *rate = monitor_rate_new (100);
  g_assert_cmpuint (take (rate, "a", 1000, SECOND), ==, 50);
  g_assert_cmpuint (take (rate, "b", 20, SECOND), ==, 20);
  g_assert_cmpuint (take (rate, "c", 1000, SECOND), ==, 30); /* what is left of all */
  g_assert_cmpuint (take (rate, "d", 1, SECOND), ==, 0);
  g_assert_cmpuint (take (rate, "a", 1000, SECOND + SECOND / 10), ==, 5);
  g_assert_cmpuint (take (rate, "d", 1000, SECOND + SECOND / 10), ==, 5);
  g_assert_cmpuint (take (rate, "a", 1000, 9 * SECOND), ==, 50); /* no more than a second's */
  g_assert_cmpuint (monitor_rate_count (rate), ==, 4);
  monitor_rate_free (rate);
}

static void
test_one_a_second (void)
{
  MonitorRate *rate = monitor_rate_new (1);
  g_assert_cmpuint (take (rate, "a", 2, SECOND), ==, 1);
  g_assert_cmpuint (take (rate, "b", 2, SECOND), ==, 0);
  g_assert_cmpuint (take (rate, "b", 2, 2 * SECOND), ==, 1);
  monitor_rate_free (rate);
}

/* Those beyond the bound share what one may have; once others are full again there is room. */
static void
test_many_clients (void)
{
  MonitorRate *rate = monitor_rate_new (100000);
  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);
      g_assert_cmpuint (take (rate, name, 1, SECOND), ==, 1);
    }
  g_assert_cmpuint (monitor_rate_count (rate), ==, 1024);
  g_assert_cmpuint (take (rate, "newer", 60000, SECOND), ==, 50000 - (5000 - 1024));
  g_assert_cmpuint (take (rate, "newest", 1, SECOND), ==, 0);
  g_assert_cmpuint (take (rate, "newest", 1, 2 * SECOND), ==, 1);
  g_assert_cmpuint (monitor_rate_count (rate), ==, 1);
  monitor_rate_free (rate);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/monitor-rate/turns", test_turns);
  g_test_add_func ("/monitor-rate/one-a-second", test_one_a_second);
  g_test_add_func ("/monitor-rate/many-clients", test_many_clients);
  return g_test_run ();
}
