/* SPDX-License-Identifier: MIT */
/* What a get and a put cost in C, beside calls that do nothing: calls DIRECTORY SECONDS */
#include "benchmark-noop.h"

#include <lightning-db.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDS 1000
#define CHUNK 2000 /* calls between two looks at the clock */
#define CHUNKS 10000

typedef void (*call_function) (gpointer object, const char *key, const char *value);

static void
get (gpointer object, const char *key, const char *value)
{
  g_autoptr (GBytes) found = ldb_database_get (object, key, 16, NULL, NULL);
  g_assert (found != NULL && g_bytes_get_size (found) == 100);
}

static void
put (gpointer object, const char *key, const char *value)
{
  gboolean done = ldb_database_put (object, key, 16, value, 100, NULL, NULL);
  g_assert (done);
}

static void
noop_get (gpointer object, const char *key, const char *value)
{
  g_autoptr (GBytes) found = benchmark_noop_get (object, key, 16, NULL, NULL);
  g_assert (g_bytes_get_size (found) == 100);
}

static void
noop_put (gpointer object, const char *key, const char *value)
{
  benchmark_noop_put (object, key, 16, value, 100, NULL, NULL);
}

static int
compare (gconstpointer one, gconstpointer other)
{
  double difference = *(const double *) one - *(const double *) other;
  return difference < 0 ? -1 : difference > 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) database
      = argc < 3 ? NULL : ldb_database_open (argv[1], LDB_OPEN_CREATE, NULL, NULL, &error);
  if (database == NULL)
    {
      fprintf (stderr, "%s\n", error != NULL ? error->message : "calls DIRECTORY SECONDS");
      return 1;
    }
  g_autoptr (BenchmarkNoop) noop = benchmark_noop_new ();
  static char keys[RECORDS][32];
  char value[101];
  g_snprintf (value, sizeof value, "%0100d", 7);
  for (int i = 0; i < RECORDS; i++)
    {
      g_snprintf (keys[i], sizeof keys[i], "%016d", i);
      put (database, keys[i], value);
    }

  const struct
  {
    const char *row;
    call_function call;
    gpointer object;
  } kinds[] = { { "get", get, database },
                { "no-op get", noop_get, noop },
                { "put", put, database },
                { "no-op put", noop_put, noop } };
  static double costs[4][CHUNKS];
  gsize chunks = 0;
  gint64 end = g_get_monotonic_time () + (gint64) (atof (argv[2]) * 1e6);
  while (chunks < CHUNKS && (chunks < 3 || g_get_monotonic_time () < end))
    {
      for (int kind = 0; kind < 4; kind++)
        {
          gint64 begun = g_get_monotonic_time ();
          for (int i = 0; i < CHUNK; i++)
            kinds[kind].call (kinds[kind].object, keys[i * 7 % RECORDS], value);
          costs[kind][chunks] = (double) (g_get_monotonic_time () - begun) * 1000 / CHUNK;
        }
      chunks++;
    }
  for (int kind = 0; kind < 4; kind++)
    {
      qsort (costs[kind], chunks, sizeof (double), compare);
      printf ("{\"row\": \"%s\", \"nanoseconds\": %.1f}\n", kinds[kind].row,
              costs[kind][chunks / 2]);
    }
  return ldb_database_close (database, NULL, &error) ? 0 : 1;
}
