/* SPDX-License-Identifier: MIT */
#include "fuzz-cli.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

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

LdbDatabase *
fuzz_cli_database (void)
{
  if (first == NULL)
    begin ();
  return first;
}

char *
fuzz_cli_path (const char *name)
{
  fuzz_cli_database ();
  return g_build_filename (directory, name, NULL);
}

enum exit_status
fuzz_cli_run (LdbDatabase *database, const char *const *words)
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
  CHECK (fuzz_cli_run (database, words) == EXIT_STATUS_DONE);
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

void
fuzz_cli_there_and_back (void)
{
  gsize size, size_again;
  g_autofree char *content = dump (first, "first.dump", &size);
  g_autofree char *path = g_build_filename (directory, "first.dump", NULL);
  const char *words[] = { "load", path, NULL };
  CHECK (fuzz_cli_run (second, words) == EXIT_STATUS_DONE);
  g_autofree char *again = dump (second, "second.dump", &size_again);
  CHECK (size == size_again && memcmp (content, again, size) == 0);
  empty (second);
  empty (first);
}

void
fuzz_cli_take (const char *const *words)
{
  if (fuzz_cli_run (fuzz_cli_database (), words) == EXIT_STATUS_DONE)
    {
      fuzz_cli_there_and_back ();
      return;
    }
  gsize size;
  g_autofree char *content = dump (first, "first.dump", &size);
  CHECK (strstr (content, "\n+ ") == NULL);
}
