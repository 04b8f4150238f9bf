/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-load.h"

#define CONTACTS 20000
#define TURN 10000 /* microseconds between bursts */

struct _InspLoad
{
  LdbDatabase *database; /* owned */
  GThread *thread;
  GRand *random; /* of the thread */
  gint stopping; /* atomic */
  guint64 turns; /* of the thread */
};

static void
put_contact (InspLoad *self, guint number)
{
  static const char *const towns[] = { "Brno", "Riga", "Porto", "Gdansk", "Turku", "Kyoto" };
  g_autofree char *key = g_strdup_printf ("contact:%06u", number);
  g_autofree char *value = g_strdup_printf (
      "{\"name\": \"Contact %u\", \"town\": \"%s\", \"calls\": %u, \"note\": \"%08x%08x\"}", number,
      towns[number % G_N_ELEMENTS (towns)], g_rand_int_range (self->random, 0, 500),
      g_rand_int (self->random), g_rand_int (self->random));
  ldb_database_put_string (self->database, key, value, NULL, NULL);
}

static void
get_contact (InspLoad *self, guint number)
{
  g_autofree char *key = g_strdup_printf ("contact:%06u", number);
  g_autoptr (GBytes) value = ldb_database_get (self->database, key, strlen (key), NULL, NULL);
}

/* More at some times than at others, so that there is something to see. */
static guint
burst (InspLoad *self)
{
  return 20 + (guint) (self->turns / 400 % 4) * 40 + g_rand_int_range (self->random, 0, 30);
}

static void
work (InspLoad *self)
{
  guint count = burst (self);
  for (guint i = 0; i < count; i++)
    {
      put_contact (self, g_rand_int_range (self->random, 0, CONTACTS));
      for (guint j = 0; j < 6; j++)
        get_contact (self, g_rand_int_range (self->random, 0, CONTACTS + CONTACTS / 10));
    }
  if (self->turns % 20 == 0)
    {
      g_autoptr (LdbTransaction) transaction
          = ldb_database_begin (self->database, LDB_TRANSACTION_NONE, NULL);
      g_autofree char *visits = g_strdup_printf ("%" G_GUINT64_FORMAT, self->turns);
      if (transaction != NULL
          && ldb_transaction_put_string (transaction, NULL, "statistics:visits", visits, NULL))
        ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
    }
  self->turns++;
}

static gpointer
run (gpointer data)
{
  InspLoad *self = data;
  self->random = g_rand_new_with_seed (42);
  for (guint i = 0; i < CONTACTS && !g_atomic_int_get (&self->stopping); i++)
    put_contact (self, i);
  while (!g_atomic_int_get (&self->stopping))
    {
      work (self);
      g_usleep (TURN);
    }
  g_rand_free (self->random);
  return NULL;
}

InspLoad *
insp_load_start (LdbDatabase *database)
{
  InspLoad *self = g_new0 (InspLoad, 1);
  self->database = g_object_ref (database);
  self->thread = g_thread_new ("demonstration", run, self);
  return self;
}

void
insp_load_stop (InspLoad *self)
{
  g_atomic_int_set (&self->stopping, TRUE);
  g_thread_join (self->thread);
  g_object_unref (self->database);
  g_free (self);
}
