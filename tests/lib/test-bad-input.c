/* SPDX-License-Identifier: MIT */
/*
 * What a caller, a path or a file can get wrong: each with its exact code and a message that names
 * the thing and what to do about it.
 */
#include "ldb-test.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY_MAX 65536

static void
test_keys (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autofree char *long_key = g_strnfill (KEY_MAX + 1, 'k');
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();

  g_assert_false (ldb_database_put (db, "", 0, "v", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "key is empty", "1 to 65536");
  g_assert_false (ldb_database_put (db, NULL, 0, "v", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "key is empty");
  g_assert_false (ldb_database_put (db, NULL, 5, "v", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "key is NULL");
  g_assert_false (ldb_database_put (db, long_key, KEY_MAX + 1, "v", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_KEY_TOO_LARGE, "65537", "65536");
  g_assert_null (ldb_database_get (db, "", 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "key is empty");
  g_assert_null (ldb_database_get (db, long_key, KEY_MAX + 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_KEY_TOO_LARGE, "65537");
  g_assert_false (ldb_database_delete (db, "", 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "key is empty");
  g_assert_false (ldb_transaction_put (transaction, NULL, "", 0, "v", 1, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "key is empty");
  g_assert_false (ldb_batch_put (batch, NULL, long_key, KEY_MAX + 1, "v", 1, &error));
  assert_ldb_error (error, LDB_ERROR_KEY_TOO_LARGE, "65537");
  g_assert_cmpuint (ldb_batch_get_count (batch), ==, 0);

  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (keys, text_bytes ("good"));
  g_ptr_array_add (keys, text_bytes (""));
  g_assert_null (
      ldb_database_get_many (db, (GBytes *const *) keys->pdata, keys->len, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "Key 2 of 2");

  /* The longest key there may be is one. */
  g_assert_true (ldb_database_put (db, long_key, KEY_MAX, "v", 1, NULL, &error));
  g_autoptr (GBytes) value = ldb_database_get (db, long_key, KEY_MAX, NULL, &error);
  assert_bytes (value, "v");
}

static void
test_values (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_assert_false (ldb_database_put (db, "k", 1, NULL, 5, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "value is NULL");
  /* Refused by its length alone: the bytes are never looked at. */
  g_assert_false (ldb_database_put (db, "k", 1, "v", ((gsize) 1 << 30) + 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_VALUE_TOO_LARGE, "1073741825", "1073741824");
  g_assert_true (ldb_database_put (db, "k", 1, NULL, 0, NULL, &error));
  g_autoptr (GBytes) empty = ldb_database_get (db, "k", 1, NULL, &error);
  assert_bytes (empty, "");
  g_assert_true (ldb_database_put (db, "k", 1, "\xff\xfe", 2, NULL, &error));
  g_assert_null (ldb_database_get_string (db, "k", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_WRONG_TYPE, "UTF-8");
  g_assert_null (ldb_database_get_variant (db, "k", 1, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_WRONG_TYPE, "variant");
}

static void
test_ranges (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_assert_null (ldb_database_scan (db, "b", 1, "a", 1, LDB_SCAN_NONE, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "range is empty");
  g_assert_null (ldb_database_scan (db, "a", 1, "a", 1, LDB_SCAN_NONE, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "range is empty");
  g_assert_false (ldb_database_delete_range (db, "b", 1, "a", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "range is empty");
  g_assert_false (ldb_batch_delete_range (batch, NULL, "b", 1, "a", 1, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "range is empty");
  g_assert_false (ldb_database_delete_range (db, NULL, 3, "a", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "start of the range is NULL");
  g_assert_false (ldb_database_delete_prefix (db, "", 0, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "prefix is empty");

  /* A prefix of the greatest bytes has no end. */
  g_assert_true (ldb_database_put (db, "\xff\xff\x01", 3, "v", 1, NULL, &error));
  g_assert_true (ldb_database_put (db, "\xff\xfe", 2, "v", 1, NULL, &error));
  g_autoptr (LdbCursor) cursor
      = ldb_database_scan_prefix (db, "\xff\xff", 2, LDB_SCAN_NONE, &error);
  g_autoptr (GPtrArray) records = ldb_cursor_read (cursor, 10, NULL, &error);
  g_assert_cmpuint (records->len, ==, 1);
}

static void
assert_open_fails (const char *path, LdbOpenFlags flags, LdbError code, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (ldb_database_open (path, flags, NULL, NULL, &error));
  assert_ldb_error (error, code, word);
}

static void
test_paths (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (place->directory, "file", NULL);
  g_autofree char *deep = g_build_filename (place->directory, "no", "such", "folder", NULL);
  assert_open_fails ("", LDB_OPEN_CREATE, LDB_ERROR_INVALID_ARGUMENT, "path");
  assert_open_fails (place->path, LDB_OPEN_NONE, LDB_ERROR_NOT_FOUND, place->path);
  assert_open_fails (place->path, LDB_OPEN_READ_ONLY, LDB_ERROR_NOT_FOUND, place->path);
  assert_open_fails (deep, LDB_OPEN_CREATE, LDB_ERROR_NOT_FOUND, deep);
  g_assert_true (g_file_set_contents (file, "not a database", -1, &error));
  assert_open_fails (file, LDB_OPEN_CREATE, LDB_ERROR_INVALID_ARGUMENT, file);
  assert_open_fails (file, LDB_OPEN_NONE, LDB_ERROR_INVALID_ARGUMENT, file);
  assert_open_fails (place->path, LDB_OPEN_CREATE | 0x40, LDB_ERROR_INVALID_ARGUMENT, "0x40");
  g_assert_false (ldb_database_destroy (place->path, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, place->path);
  g_assert_null (ldb_database_open_default ("not an id", NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "not an id", "org.example");

  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_assert_null (ldb_database_create (place->path, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_EXISTS, place->path);
  g_assert_false (ldb_database_destroy (place->path, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_LOCKED, place->path, "close");
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_null (ldb_database_create (place->path, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_EXISTS, place->path);
}

/* A directory with something else in it is refused and left as it is. */
static void
test_foreign_directory (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (place->path, "letter.txt", NULL);
  g_autofree char *text = NULL;
  g_assert_cmpint (g_mkdir (place->path, 0755), ==, 0);
  g_assert_true (g_file_set_contents (file, "dear", -1, &error));
  assert_open_fails (place->path, LDB_OPEN_CREATE, LDB_ERROR_NOT_A_DATABASE, place->path);
  assert_open_fails (place->path, LDB_OPEN_NONE, LDB_ERROR_NOT_A_DATABASE, place->path);
  g_assert_false (ldb_database_destroy (place->path, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_A_DATABASE, place->path);
  g_assert_true (g_file_get_contents (file, &text, NULL, &error));
  g_assert_cmpstr (text, ==, "dear");
  g_autoptr (GDir) dir = g_dir_open (place->path, 0, &error);
  guint entries = 0;
  while (g_dir_read_name (dir) != NULL)
    entries++;
  g_assert_cmpuint (entries, ==, 1);
}

/* Runs `work` in a child that has no special rights; its exit status is 0 when all went well. */
static void
run_unprivileged (Place *place, void (*work) (Place *place))
{
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      if (geteuid () == 0 && (setgid (65534) != 0 || setuid (65534) != 0))
        _exit (77);
      work (place);
      _exit (0);
    }
  int state = 0;
  g_assert_cmpint (waitpid (child, &state, 0), ==, child);
  g_assert_true (WIFEXITED (state));
  if (WEXITSTATUS (state) == 77)
    g_test_message ("skipped: cannot drop rights here");
  else
    g_assert_cmpint (WEXITSTATUS (state), ==, 0);
}

static void
create_where_forbidden (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (ldb_database_open (place->path, LDB_OPEN_CREATE, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_PERMISSION_DENIED, place->path, "ermission");
}

static void
open_default_where_forbidden (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_setenv ("XDG_DATA_HOME", place->directory, TRUE);
  g_assert_cmpstr (g_get_user_data_dir (), ==, place->directory);
  g_assert_null (ldb_database_open_default ("org.example.Notes", NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_PERMISSION_DENIED, place->directory, "ermission");
}

static void
test_unwritable (Place *place, gconstpointer data)
{
  g_assert_cmpint (g_chmod (place->directory, 0555), ==, 0);
  run_unprivileged (place, create_where_forbidden);
  run_unprivileged (place, open_default_where_forbidden);
}

/* Files end up with rights for the owner alone, whatever the umask says. */
static void
test_rights (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  mode_t before = umask (0);
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_assert_true (ldb_database_put_string (db, "k", "v", NULL, &error));
  g_assert_true (ldb_database_flush (db, NULL, &error));
  umask (before);
  GStatBuf info;
  g_assert_cmpint (g_stat (place->path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0700);
  g_autoptr (GDir) dir = g_dir_open (place->path, 0, &error);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (place->path, name, NULL);
      g_assert_cmpint (g_stat (file, &info), ==, 0);
      g_assert_cmpint (info.st_mode & 0777, ==, 0600);
    }
}

/* ---- files that are damaged ---- */

static void
fill_and_close (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  for (guint i = 0; i < 2000; i++)
    {
      guint32 value[50];
      g_autofree char *key = g_strdup_printf ("key%05u", i);
      for (guint k = 0; k < G_N_ELEMENTS (value); k++)
        value[k] = g_rand_int (random);
      g_assert_true (ldb_database_put (db, key, 8, value, sizeof value, NULL, &error));
    }
  g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_no_error (error);
}

/* The path of the largest file, which holds the pages. */
static char *
largest_file (Place *place, goffset *size)
{
  g_autoptr (GDir) dir = g_dir_open (place->path, 0, NULL);
  char *largest = NULL;
  const char *name;
  *size = -1;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      GStatBuf info;
      g_autofree char *file = g_build_filename (place->path, name, NULL);
      if (g_stat (file, &info) == 0 && info.st_size > *size && !g_str_has_suffix (name, ".log"))
        {
          g_free (largest);
          largest = g_strdup (file);
          *size = info.st_size;
        }
    }
  return largest;
}

/* A page in the middle is damaged: reads of it fail and say where, all others work. */
static void
test_corrupt_page (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  goffset size;
  fill_and_close (place);
  g_autofree char *file = largest_file (place, &size);
  g_autofree char *base = g_path_get_basename (file);
  int descriptor = open (file, O_WRONLY);
  g_assert_cmpint (descriptor, >=, 0);
  g_assert_cmpint (pwrite (descriptor, "damage", 6, size / 2), ==, 6);
  close (descriptor);

  g_autoptr (LdbDatabase) db = ldb_database_open (place->path, LDB_OPEN_NONE, NULL, NULL, &error);
  g_assert_no_error (error);
  guint good = 0;
  guint bad = 0;
  for (guint i = 0; i < 2000; i++)
    {
      g_autofree char *key = g_strdup_printf ("key%05u", i);
      g_autoptr (GBytes) value = ldb_database_get (db, key, 8, NULL, &error);
      if (value != NULL)
        good++;
      else
        {
          assert_ldb_error (error, LDB_ERROR_CORRUPT, base, "page");
          bad++;
        }
    }
  g_assert_cmpuint (bad, >, 0);
  g_assert_cmpuint (bad, <, 200);
  g_assert_cmpuint (good + bad, ==, 2000);

  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  while (ldb_cursor_next (cursor, NULL, &error))
    ;
  assert_ldb_error (error, LDB_ERROR_CORRUPT, base, "page");
  g_assert_false (ldb_cursor_next (cursor, NULL, &error));
  g_assert_no_error (error);
}

/* Where and what in one line, the place once. */
static void
test_fault_in_words (void)
{
  static const struct
  {
    LdbFault fault;
    const char *line;
  } cases[] = {
    { { "7.seg", 3, "wrong checksum" }, "7.seg, page 3: wrong checksum" },
    { { "7.seg", 3, "/srv/db/7.seg: page 3: wrong checksum" }, "7.seg, page 3: wrong checksum" },
    { { "7.seg", 3, "/srv/db/7.seg: page 4: wrong" }, "7.seg, page 3: page 4: wrong" },
    { { "2.log", LDB_FAULT_NO_PAGE, "/srv/db/2.log: it ends early" }, "2.log: it ends early" },
    { { "2.log", LDB_FAULT_NO_PAGE, "2.log is short" }, "2.log: 2.log is short" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *line = ldb_fault_describe (&cases[i].fault);
      g_assert_cmpstr (line, ==, cases[i].line);
    }
}

/* Garbage and truncation: opening or reading fails cleanly, with the file's name. */
static void
test_garbage (Place *place, gconstpointer data)
{
  static const char *const kinds[] = { "empty", "short", "zeros", "garbage" };
  g_autoptr (GError) error = NULL;
  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    {
      goffset size;
      fill_and_close (place);
      g_autofree char *file = largest_file (place, &size);
      g_autofree char *base = g_path_get_basename (file);
      g_autofree char *bytes = g_malloc0 ((gsize) size);
      gsize length = kind == 0 ? 0 : kind == 1 ? (gsize) size / 3 : (gsize) size;
      if (kind == 3)
        for (gsize i = 0; i < length; i++)
          bytes[i] = (char) (i * 131 + 7);
      g_assert_true (g_file_set_contents (file, bytes, (gssize) length, &error));
      g_autoptr (LdbDatabase) db
          = ldb_database_open (place->path, LDB_OPEN_NONE, NULL, NULL, &error);
      if (db != NULL)
        g_assert_null (ldb_database_get (db, "key00001", 8, NULL, &error));
      g_test_message ("%s: %s", kinds[kind], error->message);
      assert_ldb_error (error, LDB_ERROR_CORRUPT, base);
      if (db != NULL)
        ldb_database_close (db, NULL, NULL);
      ldb_test_remove (place->path);
    }
}

/* ---- no writing, no second writer ---- */

static void
test_read_only (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) writer = place_open (place, NULL);
  g_assert_true (ldb_database_put_string (writer, "k", "v", NULL, &error));
  g_autoptr (LdbDatabase) reader
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_database_is_read_only (reader));
  g_assert_false (ldb_database_is_read_only (writer));
  g_autofree char *text = ldb_database_get_string (reader, "k", NULL, &error);
  g_assert_cmpstr (text, ==, "v");
  g_assert_false (ldb_database_put_string (reader, "k", "w", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_READ_ONLY, place->path);
  g_assert_null (ldb_database_begin (reader, LDB_TRANSACTION_NONE, &error));
  assert_ldb_error (error, LDB_ERROR_READ_ONLY, place->path);
  g_autoptr (LdbTransaction) transaction
      = ldb_database_begin (reader, LDB_TRANSACTION_READ_ONLY, &error);
  g_assert_no_error (error);
  g_assert_false (ldb_transaction_put_string (transaction, NULL, "k", "w", &error));
  assert_ldb_error (error, LDB_ERROR_READ_ONLY, "");
  g_assert_null (ldb_database_open_store (reader, "new", LDB_OPEN_CREATE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_READ_ONLY, "new");
  g_assert_true (ldb_database_close (writer, NULL, &error));
  g_assert_true (ldb_database_close (reader, NULL, &error));

  /* With no writer about, a read-only handle is an engine of its own. */
  g_autoptr (LdbDatabase) alone
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (ldb_database_put_string (alone, "k", "w", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_READ_ONLY, place->path);
}

/* A second process that writes is refused at once, and told what is the matter. */
static void
open_as_second (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (ldb_database_open (place->path, LDB_OPEN_NONE, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_LOCKED, place->path);
  G_GNUC_UNUSED g_autoptr (LdbDatabase) reader
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
test_second_writer (Place *place, gconstpointer data)
{
  /* The child is there first, so that it has nothing of this process' database. */
  int gate[2];
  g_assert_cmpint (pipe (gate), ==, 0);
  pid_t child = fork ();
  if (child == 0)
    {
      char byte;
      close (gate[1]);
      if (read (gate[0], &byte, 1) != 1)
        _exit (1);
      open_as_second (place);
      _exit (0);
    }
  G_GNUC_UNUSED g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_assert_cmpint (write (gate[1], "x", 1), ==, 1);
  int state = 0;
  g_assert_cmpint (waitpid (child, &state, 0), ==, child);
  g_assert_cmpint (state, ==, 0);
  close (gate[0]);
  close (gate[1]);
}

/* ---- the wrong order of calls ---- */

static void
test_after_the_end (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_true (ldb_transaction_put_string (transaction, NULL, "k", "v", &error));
  g_assert_cmpuint (ldb_transaction_savepoint (transaction, &error), ==, 1);
  g_assert_cmpuint (ldb_transaction_savepoint (transaction, &error), ==, 2);
  g_assert_false (ldb_transaction_rollback_to (transaction, 77, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "savepoint 77", "there are 2");
  g_assert_false (ldb_transaction_rollback_to (transaction, 0, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "savepoint");
  g_assert_true (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_false (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "transaction");
  g_assert_null (ldb_transaction_get (transaction, NULL, "k", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "transaction");
  g_assert_null (ldb_transaction_scan (transaction, NULL, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "transaction");
  g_assert_true (ldb_transaction_rollback (transaction, &error));

  g_autoptr (LdbCursor) cursor = ldb_database_scan (db, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error);
  g_assert_null (ldb_cursor_get_key (cursor));
  g_assert_null (ldb_cursor_get_value (cursor, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "not on a record");
  ldb_cursor_close (cursor);
  g_assert_false (ldb_cursor_next (cursor, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "cursor");

  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_false (ldb_database_put_string (db, "k", "v", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path, "open it again");
  g_assert_null (ldb_database_begin (db, LDB_TRANSACTION_NONE, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_assert_null (ldb_database_get_stats (db, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, place->path);
  g_autoptr (LdbDatabase) never = g_object_new (LDB_TYPE_DATABASE, "path", place->path, NULL);
  g_assert_false (ldb_database_put_string (never, "k", "v", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "never opened");
}

static void
test_stores (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autofree char *long_name = g_strnfill (256, 'n');
  g_autofree char *other_path = g_build_filename (place->directory, "other", NULL);
  g_autoptr (LdbDatabase) other = ldb_database_create (other_path, NULL, NULL, &error);
  g_assert_null (ldb_database_open_store (db, "", LDB_OPEN_CREATE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "1 to 255");
  g_assert_null (ldb_database_open_store (db, long_name, LDB_OPEN_CREATE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "1 to 255");
  g_assert_null (ldb_database_open_store (db, "\xff", LDB_OPEN_CREATE, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "UTF-8");
  g_assert_false (ldb_database_drop_store (db, "absent", NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "absent", place->path);
  g_autoptr (LdbStore) here = ldb_database_open_store (db, "here", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbStore) there
      = ldb_database_open_store (other, "there", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbTransaction) transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_false (ldb_transaction_put_string (transaction, there, "k", "v", &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "there", other_path, place->path);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_assert_true (ldb_batch_put_string (batch, here, "k", "v", &error));
  g_assert_false (ldb_batch_put_string (batch, there, "k", "v", &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "there");
  g_assert_false (ldb_database_write_batch (other, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, place->path, other_path);
  g_assert_true (ldb_database_drop_store (db, "here", NULL, &error));
  g_assert_false (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  assert_ldb_error (error, LDB_ERROR_NOT_FOUND, "the store was dropped");
  ldb_database_evict_cache (db, 1.5, &error);
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "1.5", "from 0 to 1");
}

static void
test_matching (Place *place, gconstpointer data)
{
  g_autoptr (GError) missing = g_error_new_literal (LDB_ERROR, LDB_ERROR_NOT_FOUND, "x");
  g_autoptr (GError) full = g_error_new_literal (LDB_ERROR, LDB_ERROR_NO_SPACE, "x");
  g_autoptr (GError) cancelled = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "x");
  g_autoptr (GError) conflict = g_error_new_literal (LDB_ERROR, LDB_ERROR_CONFLICT, "x");
  g_assert_true (ldb_error_matches_io (missing, G_IO_ERROR_NOT_FOUND));
  g_assert_false (ldb_error_matches_io (missing, G_IO_ERROR_NO_SPACE));
  g_assert_true (ldb_error_matches_io (full, G_IO_ERROR_NO_SPACE));
  g_assert_true (ldb_error_matches_io (cancelled, G_IO_ERROR_CANCELLED));
  g_assert_false (ldb_error_matches_io (conflict, G_IO_ERROR_FAILED));
  g_assert_false (ldb_error_matches_io (NULL, G_IO_ERROR_FAILED));
  g_assert_null (ldb_check_version (LDB_MAJOR_VERSION, LDB_MINOR_VERSION, LDB_MICRO_VERSION));
  g_assert_nonnull (ldb_check_version (LDB_MAJOR_VERSION, LDB_MINOR_VERSION + 1, 0));
  g_assert_cmpstr (ldb_get_version (), ==, LDB_VERSION_S);
}

/* An unknown sync mode is not taken for the weakest one. */
static void
test_sync_modes (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  const int wrong[] = { LDB_SYNC_MODE_NONE + 1, -1, G_MAXINT, G_MININT };
  g_assert_true (ldb_batch_put (batch, NULL, "k", 1, "v", 1, &error));
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      LdbSyncMode mode = (LdbSyncMode) wrong[i];
      g_autoptr (LdbTransaction) transaction
          = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
      g_assert_true (ldb_transaction_put (transaction, NULL, "k", 1, "v", 1, &error));
      g_assert_false (ldb_transaction_commit (transaction, mode, NULL, &error));
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "LdbSyncMode");
      g_assert_true (ldb_transaction_is_active (transaction));
      GAsyncResult *result = NULL;
      ldb_transaction_commit_async (transaction, mode, NULL, KEEP (result));
      g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
      g_assert_false (ldb_transaction_commit_finish (transaction, done, &error));
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "LdbSyncMode");
      g_assert_false (ldb_database_write_batch (db, batch, mode, NULL, &error));
      assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "LdbSyncMode");
    }
  g_assert_false (ldb_database_contains (db, "k", 1, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_NONE, NULL, &error));
}

static void
test_absent_records (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (db, &error);
  g_autoptr (GBytes) key = text_bytes ("k");
  g_autoptr (LdbRecord) record = ldb_record_new (key, key);
  LdbRecord *records[] = { record, NULL };
  GAsyncResult *result = NULL;
  g_assert_false (ldb_loader_put_many (loader, NULL, records, 2, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "Record 2 of 2");
  ldb_loader_put_many_async (loader, NULL, records, 2, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_assert_false (ldb_loader_put_many_finish (loader, done, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "Record 2 of 2");
}

/* Bindings can make objects that only a database should make: they fail, and do no harm. */
static void
test_made_by_hand (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) store = g_object_new (LDB_TYPE_STORE, NULL);
  g_autoptr (LdbSnapshot) snapshot = g_object_new (LDB_TYPE_SNAPSHOT, NULL);
  g_autoptr (LdbTransaction) transaction = g_object_new (LDB_TYPE_TRANSACTION, NULL);
  g_autoptr (LdbCursor) cursor = g_object_new (LDB_TYPE_CURSOR, NULL);
  g_autoptr (LdbLoader) loader = g_object_new (LDB_TYPE_LOADER, NULL);
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_assert_null (ldb_store_get (store, "k", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_assert_false (ldb_store_put (store, "k", 1, "v", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_assert_null (ldb_store_scan (store, NULL, 0, NULL, 0, LDB_SCAN_NONE, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_assert_null (ldb_store_get_name (store));
  GAsyncResult *result = NULL;
  ldb_store_put_async (store, "k", 1, "v", 1, NULL, KEEP (result));
  g_autoptr (GAsyncResult) done = ldb_test_wait (&result);
  g_assert_false (ldb_store_put_finish (store, done, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_assert_false (ldb_batch_put (batch, store, "k", 1, "v", 1, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_assert_null (ldb_snapshot_get (snapshot, NULL, "k", 1, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  ldb_snapshot_close (snapshot);
  g_assert_false (ldb_transaction_put (transaction, NULL, "k", 1, "v", 1, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_assert_false (ldb_transaction_put (transaction, store, "k", 1, "v", 1, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_assert_false (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_assert_cmpuint (ldb_transaction_savepoint (transaction, &error), ==, 0);
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  ldb_transaction_commit_async (transaction, LDB_SYNC_MODE_DEFAULT, NULL, KEEP (result));
  g_autoptr (GAsyncResult) committed = ldb_test_wait (&result);
  g_assert_false (ldb_transaction_commit_finish (transaction, committed, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  ldb_cursor_next_async (cursor, NULL, KEEP (result));
  g_autoptr (GAsyncResult) moved = ldb_test_wait (&result);
  g_assert_false (ldb_cursor_next_finish (cursor, moved, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "cursor");
  g_assert_false (ldb_transaction_is_active (transaction));
  g_assert_true (ldb_transaction_rollback (transaction, &error));
  g_assert_false (ldb_cursor_next (cursor, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "cursor");
  g_assert_false (ldb_loader_put (loader, store, "k", 1, "v", 1, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  g_autoptr (LdbTransaction) real = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_assert_false (ldb_transaction_put (real, store, "k", 1, "v", 1, &error));
  assert_ldb_error (error, LDB_ERROR_CLOSED, "without a database");
  guint64 savepoint = ldb_transaction_savepoint (real, &error);
  g_assert_false (ldb_transaction_rollback_to (real, savepoint + 7, &error));
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, savepoint + 7);
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, number);
}

static gboolean
never_called (LdbTransaction *transaction, gpointer data, GError **error)
{
  g_assert_not_reached ();
}

/* What is no flag of this version is refused, by its bits, and nothing is made. */
static void
test_flags (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_autoptr (LdbStore) store = ldb_database_open_store (db, "s", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (db, &error);
  g_autoptr (LdbTransaction) real = ldb_database_begin (db, LDB_TRANSACTION_NONE, &error);
  g_autofree char *copy = g_build_filename (place->directory, "copy", NULL);
  g_assert_no_error (error);
#define assert_flags(call, bits, type)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_null (call);                                                                          \
    assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, bits " are none of " type);               \
  }                                                                                                \
  G_STMT_END
  const guint scan = LDB_SCAN_REVERSE | 1 << 2 | 1 << 30, watch = LDB_WATCH_VALUES | 1 << 16;
  const guint list = 1 << 3, transaction = 1 << 2, any = 1u << 31;
  assert_flags (ldb_database_scan (db, NULL, 0, NULL, 0, scan, &error), "0x40000004",
                "LdbScanFlags");
  assert_flags (ldb_database_scan_prefix (db, "a", 1, scan, &error), "0x40000004", "LdbScanFlags");
  assert_flags (ldb_store_scan (store, NULL, 0, NULL, 0, scan, &error), "0x40000004",
                "LdbScanFlags");
  assert_flags (ldb_store_scan_prefix (store, "a", 1, scan, &error), "0x40000004", "LdbScanFlags");
  assert_flags (ldb_snapshot_scan (snapshot, NULL, NULL, 0, NULL, 0, scan, &error), "0x40000004",
                "LdbScanFlags");
  assert_flags (ldb_snapshot_scan_prefix (snapshot, NULL, "a", 1, scan, &error), "0x40000004",
                "LdbScanFlags");
  assert_flags (ldb_transaction_scan (real, NULL, NULL, 0, NULL, 0, scan, &error), "0x40000004",
                "LdbScanFlags");
  assert_flags (ldb_transaction_scan_prefix (real, NULL, "a", 1, scan, &error), "0x40000004",
                "LdbScanFlags");
  assert_flags (ldb_database_watch_key (db, "a", 1, watch, &error), "0x10000", "LdbWatchFlags");
  assert_flags (ldb_database_watch_prefix (db, "a", 1, watch, &error), "0x10000", "LdbWatchFlags");
  assert_flags (ldb_database_watch_range (db, "a", 1, "b", 1, watch, &error), "0x10000",
                "LdbWatchFlags");
  assert_flags (ldb_database_watch_all (db, watch, &error), "0x10000", "LdbWatchFlags");
  assert_flags (ldb_database_watch_stores (db, watch, &error), "0x10000", "LdbWatchFlags");
  assert_flags (ldb_store_watch_key (store, "a", 1, watch, &error), "0x10000", "LdbWatchFlags");
  assert_flags (ldb_store_watch_all (store, watch, &error), "0x10000", "LdbWatchFlags");
  assert_flags (ldb_list_model_new (db, NULL, NULL, 0, NULL, 0, list, LDB_TYPE_ENTRY, &error),
                "0x8", "LdbListFlags");
  assert_flags (ldb_list_model_new_prefix (db, store, "a", 1, list, LDB_TYPE_ENTRY, &error), "0x8",
                "LdbListFlags");
  assert_flags (ldb_database_begin (db, transaction, &error), "0x4", "LdbTransactionFlags");
  g_assert_false (ldb_database_run_transaction (db, transaction, never_called, NULL, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_INVALID_ARGUMENT, "0x4", "LdbTransactionFlags");
  assert_flags (ldb_database_open_store (db, "s", any, NULL, &error), "0x80000000", "LdbOpenFlags");
  assert_flags (ldb_database_open (place->path, any, NULL, NULL, &error), "0x80000000",
                "LdbOpenFlags");
  assert_flags (ldb_database_backup (db, copy, 2, NULL, NULL, NULL, &error), "0x2",
                "LdbBackupFlags");
  g_assert_false (g_file_test (copy, G_FILE_TEST_EXISTS));
  assert_flags (ldb_database_check (db, 2, NULL, NULL, NULL, &error), "0x2", "LdbCheckFlags");
  assert_flags (ldb_database_check_path (place->path, 2, NULL, NULL, NULL, &error), "0x2",
                "LdbCheckFlags");
#undef assert_flags
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ldb_test_allow_warnings ();
  g_test_add_func ("/bad-input/fault-in-words", test_fault_in_words);
  add_test ("/bad-input/second-writer", test_second_writer);
  add_test ("/bad-input/unwritable", test_unwritable);
  add_test ("/bad-input/keys", test_keys);
  add_test ("/bad-input/values", test_values);
  add_test ("/bad-input/ranges", test_ranges);
  add_test ("/bad-input/paths", test_paths);
  add_test ("/bad-input/foreign-directory", test_foreign_directory);
  add_test ("/bad-input/rights", test_rights);
  add_test ("/bad-input/corrupt-page", test_corrupt_page);
  add_test ("/bad-input/garbage", test_garbage);
  add_test ("/bad-input/read-only", test_read_only);
  add_test ("/bad-input/after-the-end", test_after_the_end);
  add_test ("/bad-input/stores", test_stores);
  add_test ("/bad-input/sync-modes", test_sync_modes);
  add_test ("/bad-input/absent-records", test_absent_records);
  add_test ("/bad-input/made-by-hand", test_made_by_hand);
  add_test ("/bad-input/matching", test_matching);
  add_test ("/bad-input/flags", test_flags);
  return g_test_run ();
}
