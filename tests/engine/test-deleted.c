/* SPDX-License-Identifier: MIT */
/* What happens to a database whose files are deleted or replaced by others while it is open: either
 * nothing is lost, or the next use or the close says so. */
#include "check.h"
#include "directory-files.h"
#include "engine.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct failure failure;

/* `retention`: bytes of the log that are kept for feeds. */
static struct engine *
open_with_history (const char *path, uint64_t retention)
{
  struct engine_options options;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  options.merge_enabled = false;
  options.change_retention = retention;
  struct engine *engine;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

static struct engine *
open_database (const char *path)
{
  return open_with_history (path, 0);
}

static void
put (struct engine *engine, const char *key, size_t size)
{
  static uint8_t value[100000];
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)),
                        BYTES (value, size), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
check_there (const char *path, const char *const *keys)
{
  struct engine *engine;
  size_t size;
  CHECK_OK (engine_open (path, ENGINE_OPEN_EXISTING, NULL, &engine, &failure));
  for (; *keys != NULL; keys++)
    CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES (*keys, strlen (*keys)), NULL,
                          0, &size, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, NULL, &failure));
}

/* Deletes the files whose names contain `part`; returns how many. */
static unsigned
delete_files (const char *path, const char *part)
{
  unsigned count = 0;
  char file[600];
  struct dirent *entry;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  while ((entry = readdir (directory)) != NULL)
    if (entry->d_name[0] != '.' && strstr (entry->d_name, part) != NULL)
      {
        snprintf (file, sizeof file, "%s/%.300s", path, entry->d_name);
        CHECK (unlink (file) == 0);
        count++;
      }
  closedir (directory);
  return count;
}

/* CURRENT and the manifest are written anew: by the next edit, a checkpoint, or the close. */
static void
test_manifest_deleted (const char *part)
{
  const char *const keys[] = { "flushed", "later", NULL };
  for (int use = 0; use < 3; use++)
    {
      char *path = fresh_directory ();
      struct engine *engine = open_database (path);
      put (engine, "flushed", 100);
      CHECK_OK (engine_flush (engine, &failure));
      CHECK (delete_files (path, part) > 0);
      if (use == 0)
        put (engine, "later", 100);
      if (use == 1)
        {
          CHECK_OK (engine_checkpoint (engine, &failure));
          CHECK_OK (engine_check (path, true, NULL, NULL, NULL, NULL, &failure));
          CHECK_INT (delete_files (path, part), 1);
        }
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      check_there (path, use == 0 ? keys : (const char *const[]){ "flushed", NULL });
      remove_directory (path);
    }
}

/* All that was committed is still in memory. */
static void
test_everything_deleted_unflushed (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_database (path);
  put (engine, "one", 100);
  CHECK (delete_files (path, "") >= 4);
  put (engine, "two", 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  check_there (path, (const char *const[]){ "one", "two", NULL });
  remove_directory (path);
}

static void
put_full (struct engine *engine, const char *key)
{
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)),
                        BYTES_LITERAL ("value"), ENGINE_SYNC_FULL, NULL, &failure));
}

/* The log is deleted before what makes commits durable: they survive the process all the same. And the
 * log goes on in a file that has a name. */
static void
lose_log_and_die (const char *path, int use)
{
  struct engine *engine = open_database (path);
  put (engine, "one", 100);
  if (use == 1)
    CHECK_OK (engine_sync (engine, &failure));
  CHECK (delete_files (path, ".log") > 0);
  put (engine, "two", 100);
  if (use == 0 || use == 1)
    CHECK_OK (engine_sync (engine, &failure));
  else if (use == 2)
    put_full (engine, "three");
  else
    sleep (3); /* the timer's sync, within a second */
  put_full (engine, "four");
  CHECK (count_files (path, ".log") > 0);
  _exit (0);
}

static void
test_log_deleted (int use)
{
  char *path = fresh_directory ();
  int ended;
  pid_t child = fork ();
  if (child == 0)
    lose_log_and_die (path, use);
  CHECK (waitpid (child, &ended, 0) == child);
  CHECK_INT (ended, 0);
  check_there (path, (const char *const[]){ "one", "two", "four", NULL });
  remove_directory (path);
}

/* Nothing was committed since: sync says nothing that is not so. Spare files are gone, too. */
static void
test_log_deleted_again (uint64_t retention)
{
  char *path = fresh_directory (), key[16];
  struct engine *engine = open_with_history (path, retention);
  for (unsigned i = 0; i < 60; i++)
    {
      snprintf (key, sizeof key, "%u", i);
      put (engine, key, 100000);
      if (i % 7 == 0)
        delete_files (path, ".log");
      if (i % 5 == 0)
        CHECK_OK (engine_sync (engine, &failure));
      if (i % 11 == 0)
        CHECK_OK (engine_flush (engine, &failure));
    }
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  check_there (path, (const char *const[]){ "0", "30", "59", NULL });
  remove_directory (path);
}

static void
test_data_deleted (const char *part, size_t value_size)
{
  char *path = fresh_directory ();
  struct engine *engine = open_database (path);
  put (engine, "one", value_size);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_INT (delete_files (path, part), 1);
  CHECK_FAILS (engine_close (engine, &failure), STATUS_CORRUPT);
  CHECK (strstr (failure.message, part) != NULL && strstr (failure.message, path) != NULL);
  CHECK (strstr (failure.message, "repair") != NULL);
  CHECK_OK (engine_close (engine, &failure)); /* it is closed */
  engine_unref (engine);
  remove_directory (path);
}

static void
test_directory_deleted (bool written)
{
  char *path = fresh_directory ();
  struct engine *engine = open_database (path);
  put (engine, "one", 100);
  CHECK_OK (engine_flush (engine, &failure));
  delete_files (path, "");
  CHECK (rmdir (path) == 0);
  if (written)
    put (engine, "two", 100); /* the log is open: nothing says so yet */
  else
    CHECK_FAILS (engine_checkpoint (engine, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK_FAILS (engine_close (engine, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK (strstr (failure.message, "directory was deleted") != NULL);
  engine_unref (engine);
  CHECK (access (path, F_OK) != 0);
  free (path);
}

static void
write_file (const char *path, const char *name, const char *content)
{
  char file[600];
  snprintf (file, sizeof file, "%s/%s", path, name);
  FILE *stream = fopen (file, "w");
  CHECK (stream != NULL && fputs (content, stream) >= 0 && fclose (stream) == 0);
}

/* Somebody restores a copy over the open database: what he put there is not written over. */
static void
test_current_replaced (void)
{
  char *path = fresh_directory ();
  char file[600], back[64] = "";
  struct engine *engine = open_database (path);
  put (engine, "one", 100);
  CHECK_INT (delete_files (path, "CURRENT"), 1);
  write_file (path, "CURRENT", "MANIFEST-77\n");
  CHECK_FAILS (engine_flush (engine, &failure), STATUS_UNKNOWN_OUTCOME);
  CHECK (strstr (failure.message, "CURRENT") != NULL);
  CHECK_FAILS (engine_put (engine, 1, BYTES_LITERAL ("k"), BYTES_NONE, 0, NULL, &failure),
               STATUS_UNKNOWN_OUTCOME);
  CHECK_FAILS (engine_close (engine, &failure), STATUS_CORRUPT);
  engine_unref (engine);
  snprintf (file, sizeof file, "%s/CURRENT", path);
  FILE *stream = fopen (file, "r");
  CHECK (stream != NULL && fgets (back, sizeof back, stream) != NULL);
  fclose (stream);
  CHECK (strcmp (back, "MANIFEST-77\n") == 0);
  remove_directory (path);
}

int
main (void)
{
  test_manifest_deleted ("CURRENT");
  test_manifest_deleted ("MANIFEST-");
  test_everything_deleted_unflushed ();
  for (int use = 0; use < 4; use++)
    test_log_deleted (use);
  test_log_deleted_again (0);
  test_log_deleted_again (1 << 20);
  test_data_deleted (".seg", 100);
  test_data_deleted (".blob", 100000);
  test_directory_deleted (false);
  test_directory_deleted (true);
  test_current_replaced ();
  return 0;
}
