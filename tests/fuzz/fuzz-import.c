/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a file for lightning-cli's imports and its load, into a real database. The first byte
 * chooses the form. What is refused leaves the database as it was; what is taken is dumped, and the
 * dump is taken back by another database and gives the same dump again.
 */
#include "command.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define CHECK(condition)                                                                           \
  do                                                                                               \
    if (!(condition))                                                                              \
      {                                                                                            \
        fprintf (stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);             \
        abort ();                                                                                  \
      }                                                                                            \
  while (0)

static char *directory; /* of all files */
static LdbDatabase *first, *second;

static LdbDatabase *
open_new (const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  LdbDatabase *database = ldb_database_open (path, LDB_OPEN_CREATE, options, NULL, &error);
  CHECK (database != NULL);
  return database;
}

static void
remove_all (void)
{
  g_clear_object (&first);
  g_clear_object (&second);
  g_autofree char *command = g_strdup_printf ("rm -rf -- '%s'", directory);
  if (system (command) != 0)
    fprintf (stderr, "could not remove %s\n", directory);
}

static void
begin (void)
{
  const char *parent = g_getenv ("TMPDIR");
  if (parent == NULL)
    parent = access ("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  directory = g_build_filename (parent, "lightning-fuzz-XXXXXX", NULL);
  CHECK (g_mkdtemp (directory) != NULL);
  first = open_new ("first.db");
  second = open_new ("second.db");
  atexit (remove_all);
}

/* As a shell that has the database open runs it. */
static enum exit_status
run (LdbDatabase *database, const char *const *words)
{
  struct session session = { .database = database };
  g_auto (GStrv) copy = g_strdupv ((char **) words);
  enum exit_status status = command_run (&session, copy);
  CHECK (status <= EXIT_STATUS_LOCKED && session.transaction == NULL);
  return status;
}

static char *
dump (LdbDatabase *database, const char *name, gsize *size)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  char *content;
  const char *words[] = { "dump", path, NULL };
  g_unlink (path);
  CHECK (run (database, words) == EXIT_STATUS_DONE);
  CHECK (g_file_get_contents (path, &content, size, NULL));
  return content;
}

static void
empty (LdbDatabase *database)
{
  g_auto (GStrv) names = ldb_database_list_stores (database, NULL, NULL);
  CHECK (names != NULL);
  for (gsize i = 0; names[i] != NULL; i++)
    CHECK (ldb_database_drop_store (database, names[i], NULL, NULL));
}

static void
there_and_back (void)
{
  gsize size, size_again;
  g_autofree char *content = dump (first, "first.dump", &size);
  g_autofree char *path = g_build_filename (directory, "first.dump", NULL);
  const char *words[] = { "load", path, NULL };
  CHECK (run (second, words) == EXIT_STATUS_DONE);
  g_autofree char *again = dump (second, "second.dump", &size_again);
  CHECK (size == size_again && memcmp (content, again, size) == 0);
  empty (second);
  empty (first);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const forms[][4] = {
    { "import", "csv", NULL },
    { "import", "json", NULL },
    { "import", "control", NULL },
    { "load", NULL },
  };
  if (directory == NULL)
    begin ();
  if (size == 0)
    return 0;
  g_autofree char *path = g_build_filename (directory, "input", NULL);
  CHECK (g_file_set_contents (path, (const char *) data + 1, (gssize) size - 1, NULL));
  const char *words[6] = { NULL };
  guint count = 0;
  for (const char *const *word = forms[data[0] % G_N_ELEMENTS (forms)]; *word != NULL; word++)
    words[count++] = *word;
  words[count++] = path;
  if ((data[0] & 0x40) != 0 && data[0] % G_N_ELEMENTS (forms) != 3)
    words[count++] = "--skip-bad";
  if (run (first, words) == EXIT_STATUS_DONE)
    {
      there_and_back ();
      return 0;
    }
  gsize left;
  g_autofree char *content = dump (first, "first.dump", &left);
  CHECK (strstr (content, "\n+ ") == NULL); /* nothing of it stayed */
  return 0;
}
