/* SPDX-License-Identifier: MIT */
/*
 * Applications that share their databases, as processes of their own. The test program is also the
 * application (--application DIRECTORY): it opens db-0 … db-4 and does what it is told line by line.
 */
#pragma once

#include "watch-test.h"

#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define DATABASES 5 /* of an application */

static inline LdbTransaction *
begin (LdbDatabase *db, const char *key, GError **error)
{
  LdbTransaction *transaction = ldb_database_begin (db, LDB_TRANSACTION_NONE, error);
  g_assert_nonnull (transaction);
  g_assert_true (ldb_transaction_put_string (transaction, NULL, key, "mine", error));
  return transaction;
}

static inline void
be_refused (LdbDatabase *db, const char *key, GError **error)
{
  g_autoptr (LdbTransaction) transaction = begin (db, key, error);
  g_assert_true (ldb_database_put_string (db, key, "theirs", NULL, error));
  g_assert_false (ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, error));
  g_clear_error (error);
}

static inline void
be_slow (LdbDatabase *db, GError **error)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_assert_true (ldb_database_set_slow_threshold (db, 1, error));
  g_assert_true (
      ldb_batch_put (batch, NULL, (const guint8 *) "s", 1, (const guint8 *) "1", 1, error));
  g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_FULL, NULL, error));
}

static inline void
make_stores (LdbDatabase *db, GError **error)
{
  for (guint i = 0; i < 1500; i++)
    {
      g_autofree char *name = g_strdup_printf ("store-%04u", i);
      g_autoptr (LdbStore) store = ldb_database_open_store (db, name, LDB_OPEN_CREATE, NULL, error);
      g_assert_nonnull (store);
      g_assert_true (ldb_store_put_string (store, name, "value", NULL, error));
    }
}

static inline void
put_long_keys (LdbDatabase *db, GError **error)
{
  for (char letter = 'x'; letter <= 'z'; letter++)
    {
      g_autofree char *key = g_strnfill (65536, letter);
      g_assert_true (ldb_database_put_string (db, key, "long", NULL, error));
    }
}

static inline void
write_map (LdbDatabase *db, const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "map", NULL);
  g_autoptr (LdbStorageMap) map = ldb_database_load_storage_map (db, NULL, error);
  g_assert_nonnull (map);
  g_autofree char *json = ldb_storage_map_to_json (map);
  g_assert_true (g_file_set_contents (path, json, -1, error));
}

/* Lines from standard input: "put N KEY VALUE", "fill N" (2500 records), "big N" (a value of three
 * megabytes), "allow N", "close N", "open N", "begin N KEY" (a transaction that puts it and stays
 * open), "conflict N KEY" (one that is refused), "slow N" (a commit that waits for the disk, where
 * any wait is slow), "stores N" (1500, each with a record), "long N" (three keys of 64 KiB), "map
 * N" (writes the storage map to DIRECTORY/map). Each is answered by "ok". */
static inline int
be_application (const char *directory)
{
  LdbDatabase *databases[DATABASES] = { NULL };
  char line[256];
  g_print ("ok\n");
  while (fgets (line, sizeof line, stdin) != NULL)
    {
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) words = g_strsplit (g_strstrip (line), " ", 4);
      guint number = (guint) atoi (words[1]);
      LdbDatabase **db = &databases[number];
      if (strcmp (words[0], "open") == 0)
        {
          g_autofree char *name = g_strdup_printf ("db-%u", number);
          g_autofree char *path = g_build_filename (directory, name, NULL);
          *db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
          g_assert_no_error (error);
          ldb_database_set_inspectable (*db, TRUE);
        }
      else if (strcmp (words[0], "put") == 0)
        ldb_database_put_string (*db, words[2], words[3], NULL, &error);
      else if (strcmp (words[0], "fill") == 0)
        for (guint i = 0; i < 2500; i++)
          {
            g_autofree char *key = g_strdup_printf ("key-%04u", i);
            ldb_database_put_string (*db, key, "value", NULL, NULL);
          }
      else if (strcmp (words[0], "big") == 0)
        {
          g_autofree char *value = g_strnfill (3000000, 'b');
          ldb_database_put_string (*db, "big", value, NULL, &error);
        }
      else if (strcmp (words[0], "allow") == 0)
        ldb_database_set_control_allowed (*db, TRUE);
      else if (strcmp (words[0], "begin") == 0)
        begin (*db, words[2], &error); /* for as long as the process lives */
      else if (strcmp (words[0], "conflict") == 0)
        be_refused (*db, words[2], &error);
      else if (strcmp (words[0], "slow") == 0)
        be_slow (*db, &error);
      else if (strcmp (words[0], "stores") == 0)
        make_stores (*db, &error);
      else if (strcmp (words[0], "long") == 0)
        put_long_keys (*db, &error);
      else if (strcmp (words[0], "map") == 0)
        write_map (*db, directory, &error);
      else if (strcmp (words[0], "close") == 0)
        g_clear_object (db);
      g_assert_no_error (error);
      g_print ("ok\n");
    }
  return 0;
}

static char *program;                    /* this one; owned */
static gboolean in_memory G_GNUC_UNUSED; /* the runtime directory is */

typedef struct
{
  char *directory; /* owned */
  GPid process;    /* 0 once it is dead */
  FILE *input;     /* of the process */
  int output;      /* of the process */
} Application;

static inline void
wait_for_ok (Application *self)
{
  char answer[3];
  for (gsize at = 0; at < sizeof answer; at++)
    g_assert_cmpint (read (self->output, answer + at, 1), ==, 1);
  g_assert_cmpmem (answer, sizeof answer, "ok\n", 3);
}

static inline void
tell (Application *self, const char *line)
{
  fprintf (self->input, "%s\n", line);
  fflush (self->input);
  wait_for_ok (self);
}

/* With its runtime directory there; NULL: where this process has its own. `variable` is set to 1 in
 * its environment, if it is not NULL. */
static inline void
application_start_in (Application *self, const char *runtime, const char *variable)
{
  int input;
  g_auto (GStrv) environment = g_get_environ ();
  if (runtime != NULL)
    environment = g_environ_setenv (environment, "XDG_RUNTIME_DIR", runtime, TRUE);
  if (variable != NULL)
    environment = g_environ_setenv (environment, variable, "1", TRUE);
  g_autoptr (GError) error = NULL;
  self->directory = g_dir_make_tmp ("ldb-test-XXXXXX", &error);
  const char *const arguments[] = { program, "--application", self->directory, NULL };
  g_spawn_async_with_pipes (NULL, (char **) arguments, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                            NULL, &self->process, &input, &self->output, NULL, &error);
  g_assert_no_error (error);
  self->input = fdopen (input, "w");
  wait_for_ok (self);
}

static inline void
application_start (Application *self)
{
  application_start_in (self, NULL, NULL);
}

static inline void
application_kill (Application *self)
{
  if (self->process == 0)
    return;
  kill (self->process, SIGKILL);
  waitpid (self->process, NULL, 0);
  self->process = 0;
}

/* It is stopped when this returns. */
static inline void
application_stop (Application *self)
{
  int status;
  kill (self->process, SIGSTOP);
  g_assert_cmpint (waitpid (self->process, &status, WUNTRACED), ==, self->process);
  g_assert_true (WIFSTOPPED (status));
}

static inline void
application_end (Application *self)
{
  application_kill (self);
  fclose (self->input);
  close (self->output);
  ldb_test_remove (self->directory);
  g_free (self->directory);
}

static inline void
application_set_up (Application *self, gconstpointer data)
{
  application_start (self);
  tell (self, "open 0");
}

static inline void
application_tear_down (Application *self, gconstpointer data)
{
  application_end (self);
}

static inline LdbRunningDatabase *
find_first (LdbRunningList *list, Application *application)
{
  g_autofree char *path = g_build_filename (application->directory, "db-0", NULL);
  LdbRunningDatabase *running = ldb_running_list_find (list, path);
  g_assert_nonnull (running);
  return running;
}

/* Connected to the application's first database. */
static inline LdbInspector *
inspect (Application *application)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = find_first (list, application);
  LdbInspector *inspector = ldb_inspector_open (running, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ldb_inspector_get_running_database (inspector) == running);
  return inspector;
}

/* ---- the program ---- */

#define add_look(name, function)                                                                   \
  g_test_add (name, Application, NULL, application_set_up, function, application_tear_down)

/* `add` adds the tests. */
static inline int
running_application_main (int argc, char **argv, void (*add) (void))
{
#ifdef __SANITIZE_THREAD__
  g_print ("1..0 # SKIP GDBusConnection's thread is GIO's, which is not built for it\n");
  return 0;
#endif
  if (argc == 3 && strcmp (argv[1], "--application") == 0)
    return be_application (argv[2]);
  g_autoptr (GError) error = NULL;
  g_autofree char *runtime = g_strdup ("/dev/shm/ldb-run-XXXXXX");
  struct statfs info;
  in_memory = statfs ("/dev/shm", &info) == 0 && info.f_type == TMPFS_MAGIC
              && g_mkdtemp (runtime) != NULL;
  if (!in_memory)
    {
      g_free (runtime);
      runtime = g_dir_make_tmp ("ldb-run-XXXXXX", &error);
      g_assert_no_error (error);
    }
  g_setenv ("XDG_RUNTIME_DIR", runtime, TRUE);
  program = g_file_read_link ("/proc/self/exe", NULL);
  g_test_init (&argc, &argv, NULL);
  add ();
  int status = g_test_run ();
  ldb_test_remove (runtime);
  g_free (program);
  return status;
}
