/* SPDX-License-Identifier: MIT */
/*
 * A real file system that is full, and has room again: a small tmpfs in a mount namespace of the
 * test's own. Episodes of random writes, flushes, compactions, bulk loads and backups run while
 * another file takes all room but a little, or all inodes, away; then it is given back, or the file
 * system made larger.
 *
 * Whatever is answered while it is full must be OK or NO_SPACE with a message; what was refused is
 * not there, what was acknowledged is, and can be read all the time. Once there is room, writes go
 * on in the same engine, and what was refused can be done. Some episodes end closed or killed while
 * it is still full: then it is read as it is, and opened for writing when there is room.
 *
 *   test-full-disk                      the short form
 *   test-full-disk --long               300 episodes
 *   test-full-disk --episodes N SEED    the episodes SEED … SEED + N - 1
 * Where nothing may be mounted it says so and is skipped (77).
 */
#include "../engine/small-engine.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define KEYS 600u
#define VALUE_MOST 24000u
#define SKIPPED 77

/* Shared with the process that goes through the episode, and is killed. */
struct model
{
  uint32_t numbers[KEYS]; /* of each key's value; 0 = absent */
  uint32_t next_number;
  uint32_t refused, done; /* calls */
  uint32_t enlarged;      /* how often the file system was */
};

enum ending
{
  ENDING_HEALED, /* then closed */
  ENDING_CLOSED_FULL,
  ENDING_KILLED_FULL,
  ENDINGS,
};

struct episode
{
  uint64_t seed;
  struct random random;
  struct model *model; /* shared */
  char *place;         /* where the file system is mounted */
  char database[600], backup[600], filler[600];
  enum ending ending;
  bool inodes; /* they are what runs out */
  struct engine *engine;
};

static struct failure failure;

static void __attribute__ ((noreturn)) broken (const struct episode *episode, const char *what)
{
  fprintf (stderr, "%s: %s (%s)\nreplay: test-full-disk --episodes 1 %llu\n", what,
           status_name (failure.code), failure.message, (unsigned long long) episode->seed);
  abort ();
}

/* ---- room ---- */

/* A private namespace in which the test may mount. False: it may not. */
static bool
may_mount (void)
{
  char map[64];
  uid_t user = getuid ();
  gid_t group = getgid ();
  if (unshare (CLONE_NEWNS) != 0)
    {
      if (unshare (CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
      const struct
      {
        const char *file;
        unsigned id;
      } maps[] = { { "/proc/self/setgroups", 0 },
                   { "/proc/self/uid_map", user },
                   { "/proc/self/gid_map", group } };
      for (unsigned i = 0; i < 3; i++)
        {
          int size = i == 0 ? snprintf (map, sizeof map, "deny")
                            : snprintf (map, sizeof map, "0 %u 1", maps[i].id);
          int file = open (maps[i].file, O_WRONLY);
          bool written = file >= 0 && write (file, map, (size_t) size) == size;
          if (file >= 0)
            close (file);
          if (!written && i > 0)
            return false;
        }
    }
  return mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool
mount_small (const char *place, unsigned kilobytes, bool again)
{
  char options[64];
  snprintf (options, sizeof options, "size=%uk,nr_inodes=400,mode=700", kilobytes);
  return mount ("none", place, "tmpfs", again ? MS_REMOUNT : 0, options) == 0;
}

static void
fill_room (struct episode *episode)
{
  static const unsigned left[] = { 0, 4, 16, 64, 160, 400, 900 }; /* KiB */
  static char block[4096];
  int file = open (episode->filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK (file >= 0);
  while (write (file, block, sizeof block) > 0)
    ;
  off_t size = lseek (file, 0, SEEK_END);
  off_t back = (off_t) left[random_below (&episode->random, 7)] * 1024;
  CHECK (ftruncate (file, size > back ? size - back : 0) == 0);
  close (file);
}

static void
fill_inodes (struct episode *episode)
{
  char name[700];
  unsigned spare = (unsigned) random_below (&episode->random, 4);
  for (unsigned i = 0;; i++)
    {
      snprintf (name, sizeof name, "%s.%u", episode->filler, i);
      int file = open (name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      if (file >= 0)
        close (file);
      else
        {
          for (; spare > 0 && i > 0; spare--)
            {
              snprintf (name, sizeof name, "%s.%u", episode->filler, --i);
              CHECK (unlink (name) == 0);
            }
          return;
        }
    }
}

static void
take_room (struct episode *episode)
{
  if (episode->inodes)
    fill_inodes (episode);
  else
    fill_room (episode);
}

static void
give_room (struct episode *episode)
{
  char name[700];
  for (unsigned i = 0; i < 400; i++)
    {
      snprintf (name, sizeof name, "%s.%u", episode->filler, i);
      unlink (name);
    }
  if (!episode->inodes && random_below (&episode->random, 3) == 0)
    /* larger each time; the file stays */
    CHECK (mount_small (episode->place, 24000 + 16000 * episode->model->enlarged++, true));
  else
    unlink (episode->filler);
}

/* ---- what is there ---- */

static struct bytes
key_of (uint32_t key, char to[16])
{
  return BYTES (to, (size_t) snprintf (to, 16, "key-%05u", key));
}

static struct bytes
value_of (uint32_t number, uint8_t to[VALUE_MOST])
{
  struct random random = { number };
  size_t size
      = number % 29 == 0 ? 3000 + random_below (&random, 20000) : 20 + random_below (&random, 700);
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t) random_next (&random);
  return BYTES (to, size);
}

static void
check_key (const struct episode *episode, struct engine *engine, uint32_t key)
{
  static uint8_t expected[VALUE_MOST], found[VALUE_MOST];
  char name[16];
  size_t size;
  uint32_t number = episode->model->numbers[key];
  failure = FAILURE_INIT;
  status result = engine_get (engine, NULL, ENGINE_STORE_DEFAULT, key_of (key, name), found,
                              sizeof found, &size, &failure);
  if (number == 0
          ? result != STATUS_NOT_FOUND
          : result != STATUS_OK || !bytes_equal (value_of (number, expected), BYTES (found, size)))
    broken (episode, name);
}

static void
check_all (const struct episode *episode, struct engine *engine)
{
  for (uint32_t key = 0; key < KEYS; key++)
    check_key (episode, engine, key);
}

/* ---- calls ---- */

/* True when it was done; refused for want of room, else. */
static bool
accept (struct episode *episode, status result, bool room, const char *what)
{
  if (result == STATUS_OK)
    {
      episode->model->done++;
      return true;
    }
  if (room || result != STATUS_NO_SPACE || failure.message[0] == '\0')
    broken (episode, what);
  episode->model->refused++;
  return false;
}

static void
call_write (struct episode *episode, bool room)
{
  static uint8_t value[VALUE_MOST];
  uint32_t keys[12], numbers[12];
  char name[16];
  unsigned count = random_below (&episode->random, 4) == 0 ? 12 : 1;
  struct engine_batch *batch;
  CHECK_OK (engine_batch_new (&batch, &failure));
  for (unsigned i = 0; i < count; i++)
    {
      keys[i] = (uint32_t) random_below (&episode->random, KEYS);
      numbers[i] = random_below (&episode->random, 7) == 0 ? 0 : ++episode->model->next_number;
      if (numbers[i] == 0)
        CHECK_OK (
            engine_batch_delete (batch, ENGINE_STORE_DEFAULT, key_of (keys[i], name), &failure));
      else
        CHECK_OK (engine_batch_put (batch, ENGINE_STORE_DEFAULT, key_of (keys[i], name),
                                    value_of (numbers[i], value), &failure));
    }
  failure = FAILURE_INIT;
  status result = engine_write (episode->engine, batch,
                                random_below (&episode->random, 3) == 0 ? ENGINE_SYNC_FULL
                                                                        : ENGINE_SYNC_ASYNC,
                                NULL, &failure);
  engine_batch_free (batch);
  bool done = accept (episode, result, room, "a write");
  for (unsigned i = 0; done && i < count; i++)
    episode->model->numbers[keys[i]] = numbers[i];
  for (unsigned i = 0; i < count; i++)
    check_key (episode, episode->engine, keys[i]);
}

static void
call_load (struct episode *episode, bool room)
{
  static uint8_t value[VALUE_MOST];
  struct engine_loader *loader;
  uint32_t numbers[40], first = (uint32_t) random_below (&episode->random, KEYS - 40);
  char name[16];
  failure = FAILURE_INIT;
  status result = engine_loader_new (episode->engine, &loader, &failure);
  if (!accept (episode, result, room, "a bulk load"))
    return;
  for (unsigned i = 0; i < 40 && result == STATUS_OK; i++)
    {
      numbers[i] = ++episode->model->next_number;
      result = engine_loader_put (loader, ENGINE_STORE_DEFAULT, key_of (first + i, name),
                                  value_of (numbers[i], value), &failure);
    }
  if (result == STATUS_OK)
    result = engine_loader_commit (loader, NULL, &failure);
  engine_loader_free (loader);
  if (accept (episode, result, room, "a bulk load"))
    memcpy (episode->model->numbers + first, numbers, sizeof numbers);
}

static void
call_backup (struct episode *episode, bool room)
{
  struct engine_backup_result information;
  struct engine *copy;
  failure = FAILURE_INIT;
  status result
      = engine_backup (episode->engine, episode->backup, true, NULL, NULL, &information, &failure);
  if (!accept (episode, result, room, "a backup"))
    return;
  CHECK_OK (engine_open (episode->backup, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC, NULL, &copy,
                         &failure));
  check_all (episode, copy);
  engine_unref (copy);
}

static void
call_any (struct episode *episode, bool room)
{
  unsigned turn = (unsigned) random_below (&episode->random, 40);
  failure = FAILURE_INIT;
  if (turn == 0)
    call_load (episode, room);
  else if (turn == 1)
    call_backup (episode, room);
  else if (turn == 2)
    accept (episode, engine_compact (episode->engine, NULL, NULL, &failure), room, "a compaction");
  else if (turn <= 4)
    accept (episode, engine_flush (episode->engine, &failure), room, "a flush");
  else if (turn == 5)
    accept (episode, engine_sync (episode->engine, &failure), room, "a sync");
  else
    call_write (episode, room);
}

/* ---- episodes ---- */

static status
open_database (struct episode *episode, unsigned flags, struct engine **out)
{
  struct engine_options options = small_options ();
  options.memtable_size = 128 << 10;
  options.log_segment_size = 128 << 10;
  options.segment_file_size = 256 << 10;
  options.blob_threshold = 2048;
  options.log_mapping = episode->seed % 2 == 0;
  options.change_retention = episode->seed % 3 == 0 ? 200000 : 0;
  failure = FAILURE_INIT;
  return engine_open (episode->database, flags, &options, out, &failure);
}

/* The first write that is tried once there is room may still be told of a flush that had failed
 * before: the flush is tried again within a second. */
static void
await_healing (struct episode *episode)
{
  char name[16];
  for (unsigned attempt = 0; attempt < 3000; attempt++)
    {
      failure = FAILURE_INIT;
      status result = engine_put (episode->engine, ENGINE_STORE_DEFAULT, key_of (0, name),
                                  BYTES (name, 0), ENGINE_SYNC_FULL, NULL, &failure);
      if (result == STATUS_OK)
        result = engine_delete (episode->engine, ENGINE_STORE_DEFAULT, key_of (0, name),
                                ENGINE_SYNC_FULL, NULL, &failure);
      if (result == STATUS_OK)
        result = engine_flush (episode->engine, &failure);
      if (result == STATUS_OK)
        {
          episode->model->numbers[0] = 0;
          return;
        }
      if (result != STATUS_NO_SPACE)
        break;
      nanosleep (&(struct timespec){ 0, 100000000 }, NULL);
    }
  broken (episode, "there is room again, and no write is accepted");
}

static void
close_database (struct episode *episode, bool room)
{
  failure = FAILURE_INIT;
  status result = engine_close (episode->engine, &failure);
  accept (episode, result, room, "a close");
  engine_unref (episode->engine);
}

/* In a process of its own, which ends as the episode says. */
static void
live (struct episode *episode)
{
  unsigned phases = 1 + (unsigned) random_below (&episode->random, 3);
  if (open_database (episode, ENGINE_OPEN_CREATE, &episode->engine) != STATUS_OK)
    broken (episode, "opening");
  for (unsigned i = 0; i < 120; i++)
    call_any (episode, true);
  for (unsigned phase = 0; phase < phases; phase++)
    {
      take_room (episode);
      for (unsigned i = 0; i < 80; i++)
        call_any (episode, false);
      check_all (episode, episode->engine);
      if (phase + 1 == phases && episode->ending == ENDING_KILLED_FULL)
        _exit (0);
      if (phase + 1 == phases && episode->ending == ENDING_CLOSED_FULL)
        {
          close_database (episode, false);
          return;
        }
      give_room (episode);
      await_healing (episode);
      for (unsigned i = 0; i < 30; i++)
        call_any (episode, true);
    }
  check_all (episode, episode->engine);
  struct engine_check_report report;
  CHECK_OK (engine_check_open (episode->engine, true, NULL, NULL, NULL, &report, &failure));
  close_database (episode, true);
}

/* What it left: read as it is, opened for writing, which may be refused while there is no room and
 * then changes nothing, and opened when there is. */
static void
judge (struct episode *episode)
{
  struct engine_check_report report;
  struct engine *engine;
  if (open_database (episode, ENGINE_OPEN_READ_ONLY, &engine) != STATUS_OK)
    broken (episode, "opening read-only");
  check_all (episode, engine);
  engine_unref (engine);
  status result = open_database (episode, ENGINE_OPEN_EXISTING, &engine);
  if (result == STATUS_OK)
    {
      check_all (episode, engine);
      engine_unref (engine);
    }
  else if (result != STATUS_NO_SPACE || episode->ending == ENDING_HEALED)
    broken (episode, "opening");
  give_room (episode);
  if (open_database (episode, ENGINE_OPEN_EXISTING, &engine) != STATUS_OK)
    broken (episode, "opening once there is room");
  check_all (episode, engine);
  episode->engine = engine;
  call_write (episode, true);
  call_backup (episode, true);
  CHECK_OK (engine_check_open (engine, true, NULL, NULL, NULL, &report, &failure));
  close_database (episode, true);
}

static bool
run_episode (struct model *total, const char *place, uint64_t seed)
{
  struct episode episode = {
    .seed = seed,
    .random = { seed },
    .place = (char *) place,
    .ending = (enum ending) (seed % ENDINGS),
    .inodes = seed % 4 == 3,
  };
  int how;
  CHECK (mount_small (place, 10000 + (unsigned) random_below (&episode.random, 6000), false));
  snprintf (episode.database, sizeof episode.database, "%s/database", place);
  snprintf (episode.backup, sizeof episode.backup, "%s/backup", place);
  snprintf (episode.filler, sizeof episode.filler, "%s/filler", place);
  episode.model = mmap (NULL, sizeof *episode.model, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK (episode.model != MAP_FAILED);
  fflush (stdout);
  pid_t child = fork ();
  if (child == 0)
    {
      alarm (240);
      live (&episode);
      _exit (0);
    }
  bool fine = child > 0 && waitpid (child, &how, 0) == child && how == 0;
  if (!fine)
    fprintf (stderr, "the episode ended with %x\nreplay: test-full-disk --episodes 1 %llu\n", how,
             (unsigned long long) seed);
  else
    judge (&episode);
  total->done += episode.model->done;
  total->refused += episode.model->refused;
  munmap (episode.model, sizeof *episode.model);
  CHECK (umount2 (place, MNT_DETACH) == 0);
  return fine;
}

/* Making a database while there is so much room, or so many inodes: it is made, or nothing of it is
 * left, not even its directory. */
static bool
create_in (struct episode *episode, unsigned kilobytes, unsigned inodes)
{
  char options[64];
  struct engine *engine;
  struct stat about;
  snprintf (options, sizeof options, "size=%uk,nr_inodes=%u,mode=700", kilobytes, inodes);
  CHECK (mount ("none", episode->place, "tmpfs", 0, options) == 0);
  status result = open_database (episode, ENGINE_OPEN_CREATE | ENGINE_OPEN_EXCLUSIVE, &engine);
  if (result == STATUS_OK)
    {
      failure = FAILURE_INIT;
      engine_close (engine, &failure);
      engine_unref (engine);
    }
  else if (result != STATUS_NO_SPACE || stat (episode->database, &about) == 0)
    broken (episode, "making a database on a full disk");
  bool made = result == STATUS_OK;
  CHECK (mount ("none", episode->place, "tmpfs", MS_REMOUNT, "size=8m,nr_inodes=400") == 0);
  if (open_database (episode, ENGINE_OPEN_CREATE | (made ? 0 : ENGINE_OPEN_EXCLUSIVE), &engine)
      != STATUS_OK)
    broken (episode, "making it once there is room");
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK (umount2 (episode->place, MNT_DETACH) == 0);
  return made;
}

/* With less and less room, in pages of 4 KiB, and inodes. */
static void
run_creations (const char *place)
{
  struct episode episode = { .place = (char *) place };
  unsigned made = 0, refused = 0;
  snprintf (episode.database, sizeof episode.database, "%s/database", place);
  for (unsigned pages = 1; pages <= 40; pages++)
    *(create_in (&episode, 4 * pages, 400) ? &made : &refused) += 1;
  for (unsigned inodes = 2; inodes <= 12; inodes++)
    *(create_in (&episode, 8000, inodes) ? &made : &refused) += 1;
  printf ("%u databases were made in little room, %u refused\n", made, refused);
  CHECK (made > 0 && refused > 0);
}

static int
run (const char *place, uint64_t episodes, uint64_t seed)
{
  struct model total = { 0 };
  unsigned bad = 0;
  if (!may_mount () || !mount_small (place, 5000, false))
    {
      printf ("skipped: no file system may be mounted here (%s)\n", strerror (errno));
      return SKIPPED;
    }
  CHECK (umount (place) == 0);
  run_creations (place);
  for (uint64_t i = 0; i < episodes; i++)
    bad += !run_episode (&total, place, seed + i);
  printf ("%llu episodes: %u calls were done, %u refused for want of room, %u episodes broken\n",
          (unsigned long long) episodes, total.done, total.refused, bad);
  CHECK (total.refused > 0);
  return bad > 0;
}

int
main (int argument_count, char **arguments)
{
  const char *first = argument_count > 1 ? arguments[1] : "";
  uint64_t episodes = 12, seed = 1;
  if (strcmp (first, "--long") == 0)
    episodes = 300;
  if (strcmp (first, "--episodes") == 0 && argument_count > 3)
    {
      episodes = strtoull (arguments[2], NULL, 10);
      seed = strtoull (arguments[3], NULL, 10);
    }
  int how;
  char *place = fresh_directory (); /* outlives the namespace, so that it can be removed */
  pid_t child = fork ();
  if (child == 0)
    exit (run (place, episodes, seed));
  CHECK (child > 0 && waitpid (child, &how, 0) == child);
  remove_directory (place);
  return WIFEXITED (how) ? WEXITSTATUS (how) : 1;
}
