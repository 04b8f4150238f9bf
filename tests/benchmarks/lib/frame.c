/* SPDX-License-Identifier: MIT */
/*
 * What a transaction of many changes takes from a main loop that is told of it, through the public
 * C API:
 *
 *   bench-frame --directory DIR [--rows N] [--rounds N] [--markdown FILE] [--quick]
 *
 * A database of N rows (100,000). In each round so many new keys, spread evenly over the rows, are
 * put in one transaction, then given other values in a second one, then deleted in a third one;
 * each time the main loop runs until the watch or the list has told it. Printed is the longest turn
 * of the loop meanwhile, the median and the most of the rounds: for a watch whose handler looks at
 * nothing (what the library takes), for one whose handler reads each change, and for a list of all
 * rows of which 200 in a row are held, as by a view.
 *
 * It is verified that each transaction comes whole, once, and that the list has the rows.
 */
#include <lightning-db.h>

#include "latency.h"
#include "program.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define HELD 200 /* rows */
#define ROUNDS_MAX 99

typedef enum
{
  PUT_NEW,
  PUT_AGAIN,
  DELETE,
  N_DEEDS,
} Deed;

typedef enum
{
  WATCH,
  READING_WATCH,
  LIST,
  N_LISTENERS,
} ListenerKind;

static const char *const deed_names[N_DEEDS] = { "new keys", "other values", "deleted keys" };
static const char *const listener_names[N_LISTENERS]
    = { "watch", "watch, all changes read", "list" };

static gint rows_wanted = 100000, rounds_wanted = 9;

/* Who is told. */
typedef struct
{
  ListenerKind kind;
  LdbWatch *watch;     /* owned, or NULL */
  LdbListModel *list;  /* owned, or NULL */
  GObject *held[HELD]; /* rows of the list; owned */
  gboolean told;       /* of the transaction */
  guint changes;       /* in it */
  guint64 bytes;       /* read of them */
} Listener;

/* ---- data ---- */

static void
make_row_key (char to[32], guint row)
{
  g_snprintf (to, 32, "contact:%010u", row);
}

/* The n-th of `count` keys that come and go: behind a row, evenly spread. */
static void
make_new_key (char to[40], guint number, guint count)
{
  guint row = (guint) ((guint64) number * (guint) rows_wanted / count);
  make_row_key (to, row);
  g_snprintf (to + strlen (to), 8, ".%u", number % 100000);
}

static void
load_rows (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, &error);
  check_error (error);
  for (guint i = 0; i < (guint) rows_wanted; i++)
    {
      char key[32], value[64];
      make_row_key (key, i);
      g_snprintf (value, sizeof value, "a name, a town and a number %u", i);
      ldb_loader_put (loader, NULL, key, strlen (key), value, strlen (value), &error);
      check_error (error);
    }
  ldb_loader_commit (loader, NULL, &error);
  check_error (error);
}

static void
write_changes (LdbDatabase *db, Deed deed, guint count)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 0; i < count; i++)
    {
      char key[40];
      make_new_key (key, i, count);
      if (deed == DELETE)
        ldb_batch_delete_string (batch, NULL, key, &error);
      else
        ldb_batch_put_string (batch, NULL, key, deed == PUT_NEW ? "new" : "again", &error);
      check_error (error);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  check_error (error);
}

/* ---- who is told ---- */

static void
on_changed (LdbWatch *watch, LdbChangeSet *changes, gpointer data)
{
  Listener *self = data;
  check (!self->told, "a transaction came in parts");
  check (!ldb_change_set_get_resync (changes), "a transaction was too much for a frame");
  self->told = TRUE;
  self->changes = ldb_change_set_get_n_changes (changes);
  for (guint i = 0; self->kind == READING_WATCH && i < self->changes; i++)
    {
      gsize size;
      LdbChange *change = ldb_change_set_get_change (changes, i);
      GBytes *value = ldb_change_get_value (change);
      ldb_change_peek_key (change, &size);
      self->bytes += size + (value != NULL ? g_bytes_get_size (value) : 0);
    }
}

static void
listener_begin (Listener *self, ListenerKind kind, LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  *self = (Listener){ .kind = kind };
  if (kind != LIST)
    {
      self->watch = ldb_database_watch_all (db, LDB_WATCH_VALUES, &error);
      check_error (error);
      g_signal_connect (self->watch, "changed", G_CALLBACK (on_changed), self);
      return;
    }
  self->list
      = ldb_list_model_new (db, NULL, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  check_error (error);
  while (ldb_list_model_get_pending (self->list))
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < HELD; i++)
    self->held[i] = g_list_model_get_item (G_LIST_MODEL (self->list), (guint) rows_wanted / 3 + i);
}

static void
listener_end (Listener *self)
{
  for (guint i = 0; i < HELD; i++)
    g_clear_object (&self->held[i]);
  g_clear_object (&self->watch);
  g_clear_object (&self->list);
}

static gboolean
has_been_told (const Listener *self, LdbDatabase *db)
{
  if (self->list == NULL)
    return self->told;
  return ldb_list_model_get_sequence (self->list) == ldb_database_get_sequence (db);
}

static void
verify (const Listener *self, Deed deed, guint count)
{
  guint rows = (guint) rows_wanted + (deed == DELETE ? 0 : count);
  if (self->list != NULL)
    check (g_list_model_get_n_items (G_LIST_MODEL (self->list)) == rows, "rows are missing");
  else
    check (self->changes == count, "%u changes came of %u", self->changes, count);
}

/* ---- measuring ---- */

/* Commits, and runs the loop until it is told. Returns the longest turn, ns. */
static guint64
measure_turns (LdbDatabase *db, Listener *listener, Deed deed, guint count)
{
  guint64 longest = 0;
  while (g_main_context_iteration (NULL, FALSE))
    ;
  listener->told = FALSE;
  write_changes (db, deed, count);
  while (!has_been_told (listener, db))
    {
      while (!g_main_context_pending (NULL))
        g_usleep (20);
      guint64 begun = latency_now ();
      g_main_context_iteration (NULL, FALSE);
      longest = MAX (longest, latency_now () - begun);
    }
  verify (listener, deed, count);
  return longest;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 left = *(const guint64 *) a, right = *(const guint64 *) b;
  return (left > right) - (left < right);
}

static void
measure_size (LdbDatabase *db, Listener *listener, guint count, Table *table)
{
  guint64 turns[N_DEEDS][ROUNDS_MAX];
  guint rounds = (guint) rounds_wanted;
  for (guint round = 0; round < rounds; round++)
    for (guint deed = 0; deed < N_DEEDS; deed++)
      turns[deed][round] = measure_turns (db, listener, deed, count);
  for (guint deed = 0; deed < N_DEEDS; deed++)
    {
      char **row = g_new0 (char *, 6);
      qsort (turns[deed], rounds, sizeof turns[0][0], compare_numbers);
      gdouble median = (gdouble) turns[deed][rounds / 2];
      row[0] = g_strdup (listener_names[listener->kind]);
      row[1] = g_strdup (deed_names[deed]);
      row[2] = g_strdup_printf ("%u", count);
      row[3] = g_strdup_printf ("%.1f", median / 1e3);
      row[4] = g_strdup_printf ("%.1f", (gdouble) turns[deed][rounds - 1] / 1e3);
      table_add (table, row);
    }
}

static void
measure (const char *path, FILE *file)
{
  static const guint sizes[] = { 1, 100, 1000, 10000, 60000 };
  static const char *const headings[]
      = { "told", "of", "changes", "longest turn, median µs", "most, µs" };
  g_autoptr (GError) error = NULL;
  Table table;
  LdbDatabase *db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  check_error (error);
  load_rows (db);
  table_begin (&table, headings, G_N_ELEMENTS (headings), 2);
  for (guint kind = 0; kind < N_LISTENERS; kind++)
    {
      Listener listener;
      listener_begin (&listener, kind, db);
      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        measure_size (db, &listener, sizes[i], &table);
      listener_end (&listener);
    }
  check (ldb_database_close (db, NULL, &error), "the database did not close");
  g_object_unref (db);
  table_print (&table, stdout);
  if (file != NULL)
    table_print_markdown (&table, file);
  table_end (&table);
}

static gboolean
is_sensible (void)
{
  return rows_wanted >= 3 * HELD && rounds_wanted >= 1 && rounds_wanted <= ROUNDS_MAX;
}

static void
shorten (void)
{
  rows_wanted = 2000;
  rounds_wanted = 1;
}

int
main (int argc, char **argv)
{
  static const GOptionEntry options[] = {
    { "rows", 0, 0, G_OPTION_ARG_INT, &rows_wanted, "That are there (100,000)", "N" },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds_wanted, "Of each size (9)", "N" },
    { NULL },
  };
  static const Program program = { options, is_sensible, shorten, measure };
  return program_run (&program, argc, argv);
}
