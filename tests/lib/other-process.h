/* SPDX-License-Identifier: MIT */
/*
 * Another process that writes to the database of a test, or that keeps up with it: the test's own
 * program with an argument, which does what it is told line by line.
 */
#pragma once

#include "watch-test.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* ---- the other process ---- */

static inline void
write_time (LdbDatabase *db, const char *key)
{
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();
  ldb_database_put (db, key, strlen (key), &now, sizeof now, NULL, &error);
  g_assert_no_error (error);
}

/* A commit that has no other near it. */
static inline void
write_isolated (LdbDatabase *db, guint number, const char *key)
{
  g_usleep (25000 + number % 7 * 1000);
  write_time (db, key);
}

static inline void
rush (LdbDatabase *db, guint milliseconds)
{
  gint64 end = g_get_monotonic_time () + milliseconds * 1000;
  do
    write_time (db, "time");
  while (g_get_monotonic_time () < end);
}

/* A commit to a store, which is made if need be. */
static inline void
put_in_store (LdbDatabase *db, const char *name, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStore) store = ldb_database_open_store (db, name, LDB_OPEN_CREATE, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_store_put_string (store, key, "in a store", NULL, &error));
  g_assert_no_error (error);
}

/* Lines from standard input: "put KEY VALUE", "delete KEY", "range START END", "batch N", "fill N
 * SALT" (as many random puts and deletes; the salt, which may be left out, is in the values), "time
 * N" (the Nth isolated commit of the time), "tick N" (the same, to a key of its own), "rush
 * MILLISECONDS" (commits of the time, without a pause), "in STORE KEY" (a put), "drop STORE",
 * "compact", "close", "destroy" (after that).
 * Each is answered by "ok" and the newest commit. */
static inline int
write_as_told (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db
      = ldb_database_open (path, LDB_OPEN_CREATE | LDB_OPEN_WAIT, NULL, NULL, &error);
  g_assert_no_error (error);
  g_print ("ok 0\n");
  char line[256];
  while (fgets (line, sizeof line, stdin) != NULL)
    {
      g_auto (GStrv) words = g_strsplit (g_strstrip (line), " ", 3);
      const char *verb = words[0];
      guint number = words[1] != NULL ? (guint) atoi (words[1]) : 0;
      if (strcmp (verb, "put") == 0)
        put (db, words[1], words[2]);
      else if (strcmp (verb, "delete") == 0)
        delete (db, words[1]);
      else if (strcmp (verb, "range") == 0)
        delete_range (db, words[1], words[2]);
      else if (strcmp (verb, "batch") == 0)
        {
          g_autoptr (LdbBatch) batch = ldb_batch_new ();
          for (guint i = 0; i < number; i++)
            {
              g_autofree char *key = g_strdup_printf ("batch-%05u", i);
              ldb_batch_put (batch, NULL, key, strlen (key), "b", 1, &error);
            }
          ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
        }
      else if (strcmp (verb, "time") == 0)
        write_isolated (db, number, "time");
      else if (strcmp (verb, "tick") == 0)
        {
          g_autofree char *key = g_strdup_printf ("tick-%05u", number);
          write_isolated (db, number, key);
        }
      else if (strcmp (verb, "rush") == 0)
        rush (db, number);
      else if (strcmp (verb, "fill") == 0)
        for (guint i = 0; i < number; i++)
          {
            g_autofree char *key = g_strdup_printf ("fill-%04u", i * 7919 % 5000);
            g_autofree char *value = g_strdup_printf (
                "%s%u %0200u", words[1][0] != '\0' && words[2] != NULL ? words[2] : "", i, i);
            if (i % 11 == 0)
              delete (db, key);
            else
              put (db, key, value);
          }
      else if (strcmp (verb, "in") == 0)
        put_in_store (db, words[1], words[2]);
      else if (strcmp (verb, "drop") == 0)
        ldb_database_drop_store (db, words[1], NULL, &error);
      else if (strcmp (verb, "compact") == 0)
        ldb_database_compact (db, NULL, NULL, NULL, &error);
      else if (strcmp (verb, "close") == 0)
        ldb_database_close (db, NULL, &error);
      else if (strcmp (verb, "destroy") == 0)
        ldb_database_destroy (path, NULL, &error);
      else
        g_error ("what is %s?", verb);
      g_assert_no_error (error);
      g_print ("ok %" G_GUINT64_FORMAT "\n",
               ldb_database_is_closed (db) ? 0 : ldb_database_get_sequence (db));
    }
  return 0;
}

/* ---- telling it ---- */

/* Not a GSubprocess: GLib would start a thread of its own, which ThreadSanitizer does not
 * understand. */
typedef struct
{
  GPid pid;   /* 0: none */
  FILE *from; /* what it prints */
  FILE *to;   /* its standard input */
} Other;

/* Whether it ended well. */
static inline gboolean
end (Other *other)
{
  int status;
  if (other->to != NULL)
    fclose (other->to);
  other->to = NULL;
  g_assert_cmpint (waitpid (other->pid, &status, 0), ==, other->pid);
  fclose (other->from);
  other->pid = 0;
  return WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

static inline void
kill_it (Other *other)
{
  if (other->pid == 0)
    return;
  kill (other->pid, SIGKILL);
  end (other);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Other, kill_it)

/* The next line. Free with g_free(). */
static inline char *
hear (Other *other)
{
  char line[256];
  g_assert_nonnull (fgets (line, sizeof line, other->from));
  return g_strdup (g_strchomp (line));
}

static inline guint64
hear_ok (Other *other)
{
  g_autofree char *line = hear (other);
  g_assert_true (g_str_has_prefix (line, "ok "));
  return g_ascii_strtoull (line + 3, NULL, 10);
}

static inline void
begin_with (Other *other, const char *role, const char *path, const char *cache_size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_auto (GStrv) variables = g_get_environ ();
  char *arguments[] = { self, (char *) role, (char *) path, NULL };
  int to, from;
  if (cache_size != NULL)
    variables = g_environ_setenv (variables, "LIGHTNING_DB_CACHE_SIZE", cache_size, TRUE);
  g_spawn_async_with_pipes (NULL, arguments, variables, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                            &other->pid, &to, &from, NULL, &error);
  g_assert_no_error (error);
  other->to = fdopen (to, "w");
  other->from = fdopen (from, "r");
}

static inline void
begin (Other *other, const char *role, const char *path)
{
  begin_with (other, role, path, NULL);
}

static inline void say (Other *other, const char *format, ...) G_GNUC_PRINTF (2, 3);

static inline void
say (Other *other, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  vfprintf (other->to, format, arguments);
  va_end (arguments);
  fputc ('\n', other->to);
  g_assert_cmpint (fflush (other->to), ==, 0);
}

#define tell(other, ...) (say (other, __VA_ARGS__), hear_ok (other))

/* ---- reading beside it ---- */

static inline LdbDatabase *
open_reader (Place *place)
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *db = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_database_is_read_only (db));
  return db;
}

static inline GHashTable *
read_all (LdbSnapshot *snapshot)
{
  g_autoptr (GError) error = NULL;
  GHashTable *found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (LdbCursor) cursor
      = ldb_snapshot_scan (snapshot, NULL, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  while (ldb_cursor_next (cursor, NULL, &error))
    {
      g_autoptr (GBytes) key = ldb_cursor_get_key (cursor);
      g_autoptr (GBytes) value = ldb_cursor_get_value (cursor, NULL, &error);
      g_hash_table_insert (found, g_strndup (g_bytes_get_data (key, NULL), g_bytes_get_size (key)),
                           g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value)));
    }
  g_assert_no_error (error);
  return found;
}

static inline void
assert_equal (GHashTable *replica, GHashTable *found)
{
  GHashTableIter iterator;
  gpointer key, value;
  g_assert_cmpuint (g_hash_table_size (replica), ==, g_hash_table_size (found));
  g_hash_table_iter_init (&iterator, found);
  while (g_hash_table_iter_next (&iterator, &key, &value))
    g_assert_cmpstr (g_hash_table_lookup (replica, key), ==, value);
}
