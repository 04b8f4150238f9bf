/* SPDX-License-Identifier: MIT */
/*
 * What the tests of watches, entries and feeds share: waiting for something to be so, and emissions
 * written down as text.
 */
#pragma once

#include "ldb-test.h"

/* Runs this thread's main context until `condition` holds; fails after five minutes. */
#define wait_until(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 wait_until_end_ = g_get_monotonic_time () + 300 * G_TIME_SPAN_SECOND;                   \
    while (!(condition))                                                                           \
      {                                                                                            \
        if (g_get_monotonic_time () > wait_until_end_)                                             \
          g_error ("%s:%d: it never came to pass: %s", __FILE__, __LINE__, #condition);            \
        if (!g_main_context_iteration (g_main_context_get_thread_default (), FALSE))               \
          g_usleep (200);                                                                          \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

/* Runs this thread's main context for so long, in which nothing more may come. */
static inline void
run_for (guint milliseconds)
{
  gint64 end = g_get_monotonic_time () + milliseconds * 1000;
  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
      g_usleep (200);
}

/* What is not printable as two digits behind a backslash. */
static inline void
append_bytes (GString *text, GBytes *bytes)
{
  gsize size;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  for (gsize i = 0; data != NULL && i < size; i++)
    if (g_ascii_isgraph (data[i]))
      g_string_append_c (text, data[i]);
    else
      g_string_append_printf (text, "\\%02x", (guchar) data[i]);
}

/* "put a", "put a=new", "put a=new<old", "delete a<old", "range [b,d)", "resync [,)"; in another
 * store than the default one behind its name and a slash. */
static inline void
append_change (GString *text, LdbChange *change)
{
  static const char *const kinds[] = { "put ", "delete ", "range [", "resync [" };
  LdbChangeKind kind = ldb_change_get_kind (change);
  const char *store = ldb_change_get_store (change);
  if (text->len > 0)
    g_string_append (text, ", ");
  if (g_strcmp0 (store, "default") != 0)
    g_string_append_printf (text, "%s/", store != NULL ? store : "?");
  g_string_append (text, kinds[kind]);
  append_bytes (text, ldb_change_get_key (change));
  if (kind == LDB_CHANGE_DELETE_RANGE || kind == LDB_CHANGE_RESYNC)
    {
      g_string_append_c (text, ',');
      append_bytes (text, ldb_change_get_end (change));
      g_string_append_c (text, ')');
    }
  if (ldb_change_get_value (change) != NULL)
    g_string_append_c (text, '=');
  append_bytes (text, ldb_change_get_value (change));
  if (ldb_change_get_old_value (change) != NULL)
    g_string_append_c (text, '<');
  append_bytes (text, ldb_change_get_old_value (change));
}

static inline char *
describe_changes (LdbChangeSet *changes)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < ldb_change_set_get_n_changes (changes); i++)
    append_change (text, ldb_change_set_get_change (changes, i));
  return g_string_free (text, FALSE);
}

static inline void
put (LdbDatabase *db, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_put_string (db, key, value, NULL, &error));
  g_assert_no_error (error);
}

static inline void delete (LdbDatabase *db, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_delete_string (db, key, NULL, &error));
  g_assert_no_error (error);
}

static inline void
delete_range (LdbDatabase *db, const char *start, const char *end)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (ldb_database_delete_range (db, start, start != NULL ? strlen (start) : 0, end,
                                            end != NULL ? strlen (end) : 0, NULL, &error));
  g_assert_no_error (error);
}

/* Of one's own: what the hub shares it lets go of on its thread, and ThreadSanitizer does not see
 * how GBytes are counted. */
static inline GBytes *
own_copy (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  return g_bytes_new (data, size);
}
