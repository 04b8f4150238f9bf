/* SPDX-License-Identifier: MIT */
/* Lists that could not be made whole because memory ran out are not taken for whole. The linker
 * sends the engine's calls of realloc here. */
#include "check.h"
#include "engine.h"
#include "version/manifest.h"

#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

static struct failure failure;
static size_t refused; /* the size of calls that get nothing, */
static unsigned turn;  /* when it is their turn; 0 = none */
static bool missed;    /* one did */

void *__real_realloc (void *memory, size_t size);
void *__wrap_realloc (void *memory, size_t size);

void *
__wrap_realloc (void *memory, size_t size)
{
  if (turn == 0 || size != refused || --turn > 0)
    return __real_realloc (memory, size);
  missed = true;
  return NULL;
}

static struct engine *
open_database (const char *path)
{
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.memory_budget = 10 << 20;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  return engine;
}

static void
put (struct engine *engine, const char *key)
{
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)),
                        BYTES_LITERAL ("value"), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
crash (const char *path)
{
  int outcome;
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      put (open_database (path), "key");
      _exit (0);
    }
  CHECK (waitpid (child, &outcome, 0) == child);
  CHECK_INT (outcome, 0);
}

/* Recovery removes the old log before a new one begins, all of it or the open fails. */
static void
test_old_logs (void)
{
  char *path = fresh_directory ();
  struct engine *engine = NULL;
  bool list = false;
  size_t size;
  crash (path);
  refused = 64 * 2 * sizeof (uint64_t); /* a number and what kind of file it is */
  for (unsigned which = 1; engine == NULL; which++)
    {
      turn = which;
      missed = false;
      failure = FAILURE_INIT;
      status result = engine_open (path, 0, NULL, &engine, &failure);
      CHECK_INT (result, missed ? STATUS_NO_MEMORY : STATUS_OK);
      list |= missed && strstr (failure.message, "the list of log segments") != NULL;
    }
  CHECK (list);
  turn = 0;
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"), NULL, 0, &size,
                        &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

int
main (void)
{
  test_old_logs ();
  return 0;
}
