/* SPDX-License-Identifier: MIT */
/* list-test: what the tests of LdbListModel are written with: a list of a database that is written
 * to, and the main loop until the list shows it. */
#ifndef LDB_LIST_TEST_H
#define LDB_LIST_TEST_H

#include "ldb-test.h"
#include "list-validator.h"

#define SCAN_ALL NULL, 0, NULL, 0

static inline gboolean
turn (gboolean block)
{
  return g_main_context_iteration (g_main_context_get_thread_default (), block);
}

static inline LdbListModel *
list_all (LdbDatabase *db, LdbListFlags flags)
{
  g_autoptr (GError) error = NULL;
  LdbListModel *list = ldb_list_model_new (db, NULL, SCAN_ALL, flags, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  g_assert_nonnull (list);
  return list;
}

static inline void
put (LdbDatabase *db, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;
  ldb_database_put_string (db, key, value, NULL, &error);
  g_assert_no_error (error);
}

static inline void
put_numbers (LdbDatabase *db, guint from, guint to, guint step)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_autoptr (GError) error = NULL;
  for (guint i = from; i < to; i += step)
    {
      char key[16], value[32];
      g_snprintf (key, sizeof key, "n%08u", i);
      g_snprintf (value, sizeof value, "value of %u", i);
      ldb_batch_put_string (batch, NULL, key, value, &error);
    }
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_assert_no_error (error);
}

/* Runs the loop until the list shows a commit and has all its rows. */
static inline void
wait_for (LdbListModel *list, guint64 sequence)
{
  while (ldb_list_model_get_sequence (list) < sequence || ldb_list_model_get_pending (list))
    turn (TRUE);
}

/* Until it shows all there is. The last commit must have been a change to the list. */
static inline void
settle (LdbListModel *list)
{
  wait_for (list, ldb_database_get_sequence (ldb_list_model_get_database (list)));
}

static inline guint
count (LdbListModel *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (list));
}

static inline LdbEntry *
entry_at (LdbListModel *list, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (list), position);
}

static inline void
wait_loaded (LdbEntry *entry)
{
  while (!ldb_entry_get_loaded (entry))
    turn (TRUE);
}

static inline void
assert_row (LdbListModel *list, guint position, const char *key, const char *value)
{
  g_autoptr (LdbEntry) entry = entry_at (list, position);
  g_assert_nonnull (entry);
  wait_loaded (entry);
  assert_bytes (ldb_entry_get_key (entry), key);
  g_autofree char *text = ldb_entry_dup_text (entry);
  g_assert_cmpstr (text, ==, value);
}

/* The list is what a scan of the database is. */
static inline void
assert_equals_database (LdbListModel *list)
{
  g_autoptr (GError) error = NULL;
  gboolean reverse = (ldb_list_model_get_flags (list) & LDB_LIST_REVERSE) != 0;
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan (ldb_list_model_get_database (list), SCAN_ALL,
                           reverse ? LDB_SCAN_REVERSE : LDB_SCAN_NONE, &error);
  g_assert_no_error (error);
  guint at = 0;
  while (at < ldb_list_model_get_max_items (list) && ldb_cursor_next (cursor, NULL, &error))
    {
      g_autoptr (LdbEntry) entry = entry_at (list, at++);
      g_autoptr (GBytes) key = ldb_cursor_get_key (cursor);
      g_autoptr (GBytes) value = ldb_cursor_get_value (cursor, NULL, &error);
      g_assert_nonnull (entry);
      wait_loaded (entry);
      g_assert_true (g_bytes_equal (key, ldb_entry_get_key (entry)));
      g_assert_true (g_bytes_equal (value, ldb_entry_get_value (entry)));
    }
  g_assert_no_error (error);
  g_assert_cmpuint (count (list), ==, at);
}

/* The same database with nothing of it in memory; takes the old handle. */
static inline LdbDatabase *
reopen_cold (Place *place, LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  ldb_database_compact (db, NULL, NULL, NULL, &error);
  ldb_database_close (db, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (db);
  return place_open (place, NULL);
}

static inline void
count_notify (GObject *object, GParamSpec *pspec, gpointer data)
{
  guint *calls = data;
  *calls += 1;
}

/* A list of many rows, each of whose signals is held against what was shown before. */
typedef struct
{
  LdbDatabase *db;          /* owned */
  LdbListModel *list;       /* owned */
  ListValidator *validator; /* owned */
} Watched;

static inline Watched
watch_list (Place *place, guint rows, LdbListFlags flags)
{
  Watched watched = { place_open (place, NULL) };
  put_numbers (watched.db, 0, rows, 1);
  watched.list = list_all (watched.db, flags | LDB_LIST_BLOCKING);
  settle (watched.list);
  watched.validator
      = list_validator_new (G_LIST_MODEL (watched.list), (flags & LDB_LIST_REVERSE) != 0,
                            LIST_VALIDATOR_SOME | LIST_VALIDATOR_HOLD | LIST_VALIDATOR_SPANS);
  return watched;
}

static inline void
watched_check (Watched *watched)
{
  settle (watched->list);
  list_validator_check (watched->validator);
  assert_equals_database (watched->list);
}

static inline void
watched_clear (Watched *watched)
{
  list_validator_free (watched->validator);
  g_object_unref (watched->list);
  ldb_database_close (watched->db, NULL, NULL);
  g_object_unref (watched->db);
}

/* The test of lists in the order of keys, and against it; its data are the list's flags. */
#define add_both_ways(name, function)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_test_add (name "/forward", Place, GUINT_TO_POINTER (LDB_LIST_NONE), place_set_up, function,  \
                place_tear_down);                                                                  \
    g_test_add (name "/reverse", Place, GUINT_TO_POINTER (LDB_LIST_REVERSE), place_set_up,         \
                function, place_tear_down);                                                        \
  }                                                                                                \
  G_STMT_END

#endif
