/* SPDX-License-Identifier: MIT */
/*
 * Makes the golden databases: for each codec one that is closed, and one that is left as by a
 * process killed amid a commit.
 *
 *   make-golden DIRECTORY     writes DIRECTORY/<codec>-<closed|killed>/…
 *
 * The engine goes through the story on the simulated disk of tests/crash, with simulated threads
 * and clock and seeded random bytes, so the same program makes the same bytes each time.
 * tests/formats/generate packs them.
 */
#include "../crash/simulated-disk.h"
#include "../crash/simulated-threads.h"
#include "story.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH "/db"

struct maker
{
  struct story story;
  struct disk *disk;
  struct engine *engine;
  struct engine_snapshot *snapshot; /* NULL: none is held */
  engine_store stores[STORY_STORES];
  bool tears; /* the next write to the log is cut in its middle */
};

static void __attribute__ ((noreturn)) give_up (const char *what, const char *why)
{
  fprintf (stderr, "make-golden: %s: %s\n", what, why);
  exit (1);
}

#define MUST(call)                                                                                 \
  do                                                                                               \
    {                                                                                              \
      struct failure failure = FAILURE_INIT;                                                       \
      if ((call) != STATUS_OK)                                                                     \
        give_up (#call, failure.message);                                                          \
    }                                                                                              \
  while (0)

static int
tear (void *data, const char *operation, const char *name, uint64_t size, uint64_t *written)
{
  struct maker *maker = data;
  if (!maker->tears || strcmp (operation, "write") != 0 || strstr (name, ".log") == NULL)
    return 0;
  maker->tears = false;
  *written = size / 2;
  return EIO;
}

static void
open_engine (struct maker *maker)
{
  struct engine_options options;
  story_options (&maker->story, &maker->disk->vfs, &options);
  MUST (engine_open (PATH, ENGINE_OPEN_CREATE, &options, &maker->engine, &failure));
}

static void
close_engine (struct maker *maker)
{
  MUST (engine_close (maker->engine, &failure));
  engine_unref (maker->engine);
}

static void
add_operation (struct maker *maker, struct engine_batch *batch,
               const struct story_operation *operation)
{
  engine_store store = maker->stores[operation->store];
  const struct bytes *keys = maker->story.key_pool;
  uint8_t value[STORY_VALUE_MOST];
  struct bytes key = keys[operation->key];
  if (operation->value != 0)
    MUST (engine_batch_put (batch, store, key, story_value (operation->value, value), &failure));
  else if (operation->end == operation->key + 1)
    MUST (engine_batch_delete (batch, store, key, &failure));
  else
    MUST (engine_batch_delete_range (batch, store, key, keys[operation->end], &failure));
}

static void
write_batch (struct maker *maker, const struct step *step)
{
  struct engine_batch *batch;
  MUST (engine_batch_new (&batch, &failure));
  for (size_t i = step->first; i < step->last; i++)
    add_operation (maker, batch, &maker->story.operations[i]);
  if (step->kind == STEP_TORN)
    {
      maker->tears = true;
      if (engine_write (maker->engine, batch, ENGINE_SYNC_FULL, NULL, NULL)
              != STATUS_UNKNOWN_OUTCOME
          || maker->tears)
        give_up ("the torn commit", "it was not torn");
    }
  else
    MUST (engine_write (maker->engine, batch, step->sync, NULL, &failure));
  engine_batch_free (batch);
}

static void
load (struct maker *maker, const struct step *step)
{
  struct engine_loader *loader;
  uint8_t value[STORY_VALUE_MOST];
  MUST (engine_loader_new (maker->engine, &loader, &failure));
  for (size_t i = step->first; i < step->last; i++)
    {
      const struct story_operation *operation = &maker->story.operations[i];
      MUST (engine_loader_put (loader, maker->stores[operation->store],
                               maker->story.key_pool[operation->key],
                               story_value (operation->value, value), &failure));
    }
  MUST (engine_loader_commit (loader, NULL, &failure));
  engine_loader_free (loader);
}

static void
take_step (struct maker *maker, const struct step *step)
{
  switch (step->kind)
    {
    case STEP_STORE:
      MUST (engine_store_open (maker->engine, story_store_names[step->store], true,
                               &maker->stores[step->store], &failure));
      break;
    case STEP_WRITE:
    case STEP_TORN:
      write_batch (maker, step);
      break;
    case STEP_LOAD:
      load (maker, step);
      break;
    case STEP_DROP:
      MUST (engine_store_drop (maker->engine, story_store_names[step->store], &failure));
      break;
    case STEP_FLUSH:
      MUST (engine_flush (maker->engine, &failure));
      break;
    case STEP_COMPACT:
      MUST (engine_compact (maker->engine, NULL, NULL, &failure));
      break;
    case STEP_REOPEN:
      close_engine (maker);
      open_engine (maker);
      break;
    case STEP_SNAPSHOT:
      MUST (engine_snapshot_new (maker->engine, &maker->snapshot, &failure));
      break;
    case STEP_RELEASE:
      engine_snapshot_free (maker->snapshot);
      maker->snapshot = NULL;
      break;
    }
}

static void
write_file (const char *path, const struct disk_content *content)
{
  int file = open (path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  for (uint64_t done = 0; file >= 0 && done < content->size;)
    {
      ssize_t count = write (file, content->bytes + done, content->size - done);
      if (count <= 0)
        give_up (path, strerror (errno));
      done += (uint64_t) count;
    }
  if (file < 0 || close (file) != 0)
    give_up (path, strerror (errno));
}

static void
write_files (const struct disk *disk, const char *directory, const char *name)
{
  char path[4096];
  snprintf (path, sizeof path, "%s/%s", directory, name);
  if (mkdir (path, 0700) != 0)
    give_up (path, strerror (errno));
  for (size_t i = 0; i < disk->name_count; i++)
    {
      snprintf (path, sizeof path, "%s/%s/%s", directory, name, disk->names[i].name);
      write_file (path, disk->files[disk->names[i].file].content);
    }
}

static void
make (unsigned codec, bool killed, const char *directory)
{
  struct maker maker = { .stores = { ENGINE_STORE_DEFAULT } };
  char name[64];
  snprintf (name, sizeof name, "%s-%s", story_codec_names[codec], killed ? "killed" : "closed");
  story_write (&maker.story, codec, killed);
  simulated_threads_begin (codec * 2 + killed, 0);
  maker.disk = disk_new (true, NULL);
  maker.disk->fault = (struct disk_fault){ tear, &maker };
  open_engine (&maker);
  for (size_t i = 0; i < maker.story.step_count; i++)
    take_step (&maker, &maker.story.steps[i]);
  if (engine_sequence (maker.engine) != maker.story.commits)
    give_up (name, "the engine counts its commits otherwise than the story");
  if (!killed)
    close_engine (&maker);
  disk_look (maker.disk);
  write_files (maker.disk, directory, name);
}

int
main (int argument_count, char **arguments)
{
  if (argument_count != 2)
    give_up ("usage", "make-golden DIRECTORY");
  if (mkdir (arguments[1], 0700) != 0 && errno != EEXIST)
    give_up (arguments[1], strerror (errno));
  for (unsigned codec = 0; codec < STORY_CODECS; codec++)
    for (int killed = 0; killed < 2; killed++)
      {
        int how;
        pid_t child
            = fork (); /* what an engine leaves in the process changes no bytes of the next */
        if (child == 0)
          {
            make (codec, killed, arguments[1]);
            _exit (0);
          }
        if (child < 0 || waitpid (child, &how, 0) != child || how != 0)
          return 1;
      }
  return 0;
}
