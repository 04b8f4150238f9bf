/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the library share: a directory of their own, errors checked for code and words,
 * and waiting for an asynchronous call.
 */
#pragma once

#include <glib/gstdio.h>
#include <lightning-db.h>

/* Fails unless `error` has the code and its message contains each of the words; clears it. */
#define assert_ldb_error(error, code, ...)                                                         \
  ldb_test_assert_error (&(error), LDB_ERROR, (code), __FILE__, __LINE__,                          \
                         (const char *const[]){ __VA_ARGS__, NULL })

static inline void
ldb_test_assert_error (GError **error, GQuark domain, int code, const char *file, int line,
                       const char *const *words)
{
  if (*error == NULL)
    g_error ("%s:%d: no error, but code %d was expected", file, line, code);
  if ((*error)->domain != domain || (*error)->code != code)
    g_error ("%s:%d: %s %d instead of %d: %s", file, line, g_quark_to_string ((*error)->domain),
             (*error)->code, code, (*error)->message);
  for (; *words != NULL; words++)
    if (strstr ((*error)->message, *words) == NULL)
      g_error ("%s:%d: \"%s\" is not in the message: %s", file, line, *words, (*error)->message);
  g_clear_error (error);
}

/* After g_test_init: what the library warns of, such as damage, ends no test. */
static inline void
ldb_test_allow_warnings (void)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
}

/* That are open in this process. */
static inline guint
ldb_test_count_descriptors (void)
{
  guint count = 0;
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  while (g_dir_read_name (directory) != NULL)
    count++;
  return count;
}

static inline void
ldb_test_put (LdbDatabase *db, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;
  ldb_database_put_string (db, key, value, NULL, &error);
  g_assert_no_error (error);
}

static inline void
ldb_test_close (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
}

/* A directory that is empty when the test begins and gone when it has ended. */
typedef struct
{
  char *directory; /* owned */
  char *path;      /* for a database in it; owned */
} Place;

static inline void
ldb_test_remove (const char *path)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      g_chmod (path, 0700);
      dir = g_dir_open (path, 0, NULL);
      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *child = g_build_filename (path, name, NULL);
          ldb_test_remove (child);
        }
    }
  g_remove (path);
}

static inline void
place_set_up (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  place->directory = g_dir_make_tmp ("ldb-test-XXXXXX", &error);
  g_assert_no_error (error);
  place->path = g_build_filename (place->directory, "database", NULL);
}

static inline void
place_tear_down (Place *place, gconstpointer data)
{
  ldb_test_remove (place->directory);
  g_free (place->path);
  g_free (place->directory);
}

#define add_test(name, function)                                                                   \
  g_test_add (name, Place, NULL, place_set_up, function, place_tear_down)

static inline LdbDatabase *
place_open (Place *place, LdbOptions *options)
{
  g_autoptr (GError) error = NULL;
  LdbDatabase *database = ldb_database_open (place->path, LDB_OPEN_CREATE, options, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (database);
  return database;
}

/* A callback that keeps the result, and the wait for it. */
static inline void
ldb_test_keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  GAsyncResult **kept = data;
  g_assert_null (*kept);
  *kept = g_object_ref (result);
}

static inline GAsyncResult *
ldb_test_wait (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  return g_steal_pointer (result);
}

#define KEEP(result) ldb_test_keep_result, &(result)

static inline void
assert_bytes (GBytes *bytes, const char *text)
{
  gsize size;
  g_assert_nonnull (bytes);
  const char *data = g_bytes_get_data (bytes, &size);
  g_assert_cmpmem (data, size, text, strlen (text));
}

static inline GBytes *
text_bytes (const char *text)
{
  return g_bytes_new (text, strlen (text));
}
