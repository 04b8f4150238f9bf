/* SPDX-License-Identifier: MIT */
/* Processes that do what they should not, or end, stop or fork when they should not. */
#include "followed-engine.h"
#include "replaced-vfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static bool vandal_stops;

/* Another process of the same user does what it likes to the page. */
static void *
vandal_main (void *data)
{
  int descriptor = open (data, O_RDWR);
  uint64_t random = 12345;
  CHECK (descriptor >= 0);
  while (!__atomic_load_n (&vandal_stops, __ATOMIC_RELAXED))
    {
      uint64_t draw = next_random (&random), word = next_random (&random);
      if (draw % 50 == 0)
        CHECK (ftruncate (descriptor, (off_t) (draw >> 8) % 3 * 2048) == 0);
      else if (draw % 5 == 0)
        CHECK (pwrite (descriptor, &word, 8, (off_t) (draw >> 8) % 128) == 8);
      else
        CHECK (pwrite (descriptor, &word, 4, (off_t) SHARED_CHANGE + (draw >> 8) % 2 * 4) == 4);
      if (draw % 7 == 0)
        usleep (500);
    }
  close (descriptor);
  return NULL;
}

void
test_vandal (void)
{
  char *path = fresh_directory (), page[600], value[32];
  struct engine *writer = open_writer (path), *reader;
  pthread_t vandal;
  snprintf (page, sizeof page, "%s/%s", path, SHARED_PAGE_NAME);
  reader = open_reader (path);
  CHECK (pthread_create (&vandal, NULL, vandal_main, page) == 0);
  uint64_t before = 0;
  for (int i = 0; i < 3000; i++)
    {
      snprintf (value, sizeof value, "%d", i);
      put (writer, 1, "key", value);
      uint64_t sequence = engine_sequence (reader);
      CHECK (sequence >= before);
      before = sequence;
      if (i % 500 == 0)
        {
          CHECK_OK (engine_flush (writer, &failure));
          struct engine *other = open_reader (path);
          close_engine (other);
        }
      if (i % 10 == 0)
        usleep (300);
    }
  __atomic_store_n (&vandal_stops, true, __ATOMIC_RELAXED);
  pthread_join (vandal, NULL);
  usleep (1100000); /* both look again, a second after they found the page cut */
  await (reader, put (writer, 1, "key", "at last"));
  expect (reader, 1, "key", "at last");
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

/* A page of which one bit is another one says nothing. */
void
test_damaged_page (void)
{
  char *path = fresh_directory ();
  struct vfs_directory *directory;
  struct shared_page *page;
  struct shared_state told = { .live = true, .life = 0x123456789, .published = 77, .files = 5 },
                      heard;
  memcpy (told.database_id, "database-id-0123", 16);
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  CHECK_OK (shared_page_open (directory, SHARED_PAGE_NAME, true, &page, &failure));
  CHECK (shared_state_write (page, &told));
  for (unsigned bit = 0; bit < 64 * 8; bit++)
    {
      uint8_t byte, other;
      CHECK (shared_page_read (page, bit / 8, &byte, 1));
      other = byte ^ (uint8_t) (1u << bit % 8);
      CHECK (shared_page_write (page, bit / 8, &other, 1));
      CHECK (!shared_state_read (page, &heard));
      CHECK (shared_page_write (page, bit / 8, &byte, 1));
    }
  CHECK (shared_state_read (page, &heard));
  CHECK (heard.published == 77 && heard.files == 5 && heard.live);
  shared_page_close (page);
  vfs_directory_close (directory);
  remove_directory (path);
}

/* Who waits at a page that was cut cannot be woken; he is ended all the same. `written`: the page
 * cannot be made whole either, as on a full disk. */
static void
close_at_cut_page (struct engine *engine, const char *path, bool written)
{
  char page[512];
  struct rlimit size, none;
  snprintf (page, sizeof page, "%s/%s", path, SHARED_PAGE_NAME);
  usleep (100000); /* it has come to rest */
  CHECK (getrlimit (RLIMIT_FSIZE, &size) == 0);
  CHECK (truncate (page, 0) == 0);
  none = (struct rlimit){ 0, size.rlim_max };
  CHECK (!written || setrlimit (RLIMIT_FSIZE, &none) == 0);
  alarm (120);
  engine_close (engine, &failure);
  alarm (0);
  CHECK (setrlimit (RLIMIT_FSIZE, &size) == 0);
  engine_unref (engine);
}

void
test_cut_page (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader;
  put (writer, 0, "k", "v");
  reader = open_reader (path);
  expect (reader, 0, "k", "v");
  close_engine (writer); /* nobody makes the page whole */
  close_at_cut_page (reader, path, false);

  signal (SIGXFSZ, SIG_IGN);
  close_at_cut_page (open_writer (path), path, true);
  signal (SIGXFSZ, SIG_DFL);
  writer = open_writer (path);
  expect (writer, 0, "k", "v");
  close_engine (writer);
  remove_directory (path);
}

/* Threads ("task") or descriptors ("fd") of this process. */
static unsigned
count_own (const char *what)
{
  char path[32];
  unsigned count = 0;
  snprintf (path, sizeof path, "/proc/self/%s", what);
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  while (readdir (directory) != NULL)
    count++;
  closedir (directory);
  return count;
}

/* The kernel lists a thread that has been joined for a moment more. */
static void
await_threads (unsigned threads)
{
  AWAIT (count_own ("task") <= threads);
}

/* Readers leave nothing behind, and hold no more files open than there are to be read. */
void
test_leaks (void)
{
  char *path = fresh_directory (), key[32];
  struct engine *writer = open_writer (path), *reader;
  put (writer, 1, "first", "one");
  unsigned threads = count_own ("task"); /* the writer's, and ours */
  reader = open_reader (path);
  await (reader, put (writer, 1, "second", "one"));
  close_engine (reader);
  await_threads (threads);
  unsigned descriptors = count_own ("fd");
  for (int round = 0; round < 20; round++)
    {
      reader = open_reader (path);
      uint64_t sequence = 0;
      for (int i = 0; i < 500; i++)
        {
          snprintf (key, sizeof key, "key-%d", i);
          sequence = put (writer, 1, key, "some value that takes a little room in the memtable");
        }
      CHECK_OK (engine_compact (writer, NULL, NULL, &failure));
      await (reader, sequence);
      struct engine_statistics statistics;
      engine_statistics (reader, &statistics);
      CHECK (statistics.memory_used <= statistics.memory_budget);
      CHECK (statistics.descriptors < 60);
      close_engine (reader);
      await_threads (threads);
    }
  CHECK_OK (engine_wait_settled (writer, PATIENCE, &failure));
  CHECK (count_own ("fd") <= descriptors + 12); /* the writer's own log and segments */
  close_engine (writer);
  remove_directory (path);
}

/* A writer that is stopped delays nobody but by the second that an open waits for an answer; one
 * that is killed left all it committed. */
void
test_stopped_writer (void)
{
  char *path = fresh_directory (), *beside = fresh_directory (), file[600];
  snprintf (file, sizeof file, "%s/board", beside);
  struct board *board = board_map (file);
  pid_t writer = start ("--writer", path, file, 0);
  AWAIT (atomic_load (&board->acknowledged) >= 3000);
  struct engine *follower = open_reader (path), *late;
  kill (writer, SIGSTOP);
  usleep (50000);
  uint64_t acknowledged = atomic_load (&board->acknowledged);
  late = open_reader (path);
  struct engine_snapshot *snapshot;
  CHECK_OK (engine_snapshot_new (late, &snapshot, &failure));
  verify_snapshot (late, snapshot, read_number (late, snapshot));
  engine_snapshot_free (snapshot);
  kill (writer, SIGKILL);
  end (writer, 0 + SIGKILL);
  struct engine *readers[] = { follower, late };
  for (int i = 0; i < 2; i++)
    {
      AWAIT (read_number (readers[i], NULL) >= acknowledged);
      CHECK_OK (engine_snapshot_new (readers[i], &snapshot, &failure));
      verify_snapshot (readers[i], snapshot, read_number (readers[i], snapshot));
      engine_snapshot_free (snapshot);
      close_engine (readers[i]);
    }
  munmap (board, sizeof *board);
  remove_directory (path);
  remove_directory (beside);
}

/* A writer's process: one commit, which its follower sees, then one that it dies of, long before the
 * frame is over in which it would be told. */
int
last_words_role (const char *path, struct board *board)
{
  struct engine *engine = open_writer (path);
  atomic_store (&board->opened, now ());
  AWAIT (atomic_load (&board->seen[0]) != 0);
  atomic_store (&board->acknowledged, put (engine, 1, "key", "told"));
  AWAIT (atomic_load (&board->seen[0]) != 1);
  put (engine, 1, "key", "untold");
  raise (SIGKILL);
  return 1;
}

/* What a writer that was killed had committed and not told: who follows looks for it. */
void
test_last_words (void)
{
  char *beside = fresh_directory (), file[600];
  snprintf (file, sizeof file, "%s/board", beside);
  for (int round = 0; round < 3; round++)
    {
      char *path = fresh_directory ();
      struct board *board = board_map (file);
      atomic_store (&board->opened, 0);
      atomic_store (&board->acknowledged, 0);
      atomic_store (&board->seen[0], 0);
      pid_t writer = start ("--last-words", path, file, 0);
      AWAIT (atomic_load (&board->opened) != 0);
      struct engine *reader = open_reader (path);
      atomic_store (&board->seen[0], 1);
      AWAIT (atomic_load (&board->acknowledged) != 0);
      uint64_t sequence = atomic_load (&board->acknowledged);
      await (reader, sequence);
      atomic_store (&board->seen[0], 2);
      await (reader, sequence + 1);
      expect (reader, 1, "key", "untold");
      end (writer, SIGKILL);
      close_engine (reader);
      munmap (board, sizeof *board);
      remove_directory (path);
    }
  remove_directory (beside);
}

/* What happens to a database that is destroyed, or replaced, is none of what a reader has open. */
void
test_destroyed (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader;
  put (writer, 1, "key", "value");
  CHECK_OK (engine_flush (writer, &failure));
  reader = open_reader (path);
  close_engine (writer);
  CHECK_OK (engine_destroy (path, NULL, &failure));
  expect (reader, 1, "key", "value");
  writer = open_writer (path); /* another one */
  put (writer, 1, "key", "other");
  usleep (30000);
  expect (reader, 1, "key", "value");
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

/* Every file of one directory to another, into those that are there. */
static void
copy_into (const char *from, const char *to)
{
  static char buffer[65536];
  char source[600], target[600];
  DIR *directory = opendir (from);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    {
      if (entry->d_name[0] == '.')
        continue;
      snprintf (source, sizeof source, "%s/%s", from, entry->d_name);
      snprintf (target, sizeof target, "%s/%s", to, entry->d_name);
      int in = open (source, O_RDONLY), out = open (target, O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ssize_t size;
      CHECK (in >= 0 && out >= 0);
      while ((size = read (in, buffer, sizeof buffer)) > 0)
        CHECK (write (out, buffer, (size_t) size) == size);
      close (in);
      close (out);
    }
  closedir (directory);
}

/* An earlier state of the files is put back, and written to, while somebody has them open for
 * reading: he says so, and shows what he had. */
void
test_put_back (void)
{
  char *path = fresh_directory (), *earlier = fresh_directory ();
  struct engine *writer = open_writer (path), *reader;
  struct engine_condition condition;
  put (writer, 1, "key", "1");
  close_engine (writer);
  copy_into (path, earlier);
  writer = open_writer (path);
  put (writer, 1, "key", "2");
  CHECK_OK (engine_flush (writer, &failure));
  reader = open_reader (path);
  engine_condition (reader, &condition);
  CHECK_INT (condition.following.code, STATUS_OK);
  close_engine (writer);
  copy_into (earlier, path);
  writer = open_writer (path);
  expect (writer, 1, "key", "1");
  for (unsigned i = 0; i < 30000 && condition.following.code == STATUS_OK; i++)
    {
      usleep (1000);
      engine_condition (reader, &condition);
    }
  CHECK_INT (condition.following.code, STATUS_CORRUPT);
  CHECK (strstr (condition.following.message, "an older state") != NULL);
  expect (reader, 1, "key", "2");
  close_engine (reader);
  close_engine (writer);
  remove_directory (earlier);
  remove_directory (path);
}

/* What a reader found often it does not give from memory once the files of the writer have
 * another. */
void
test_found_often (void)
{
  char *path = fresh_directory (), got[8];
  struct engine *writer = open_writer (path), *reader;
  size_t size;
  put (writer, 1, "key", "1");
  CHECK_OK (engine_flush (writer, &failure));
  reader = open_reader (path);
  for (unsigned i = 0; i < 100000; i++)
    CHECK_OK (engine_get (reader, NULL, 1, TEXT ("key"), got, sizeof got, &size, &failure));
  uint64_t sequence = put (writer, 1, "key", "2");
  CHECK_OK (engine_flush (writer, &failure));
  await (reader, sequence);
  for (unsigned i = 0; i < 300; i++) /* from its memtable at first, then from the files */
    {
      CHECK_OK (engine_get (reader, NULL, 1, TEXT ("key"), got, sizeof got, &size, &failure));
      CHECK (size == 1 && got[0] == '2');
      usleep (500);
    }
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

/* A file of history that is missing takes what was before it along, for a reader too. */
static _Atomic bool refuses;

static status
open_refusing (struct vfs_directory *directory, const char *name, unsigned flags,
               struct vfs_file **out, struct failure *cause)
{
  if (refuses && strstr (name, ".seg") != NULL)
    return fail_system (cause, EIO, "%s cannot be opened", name);
  return replaced_open (directory, name, flags, out, cause);
}

/* A reader that could not open a file of the writer's, which then rests: nobody calls it again. */
void
test_second_try (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader;
  struct engine_options options;
  static struct vfs refusing;
  refusing = replaced_vfs ();
  refusing.open = open_refusing;
  choose (&options);
  options.vfs = &refusing;
  put (writer, 1, "key", "1");
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  refuses = true;
  uint64_t sequence = put (writer, 1, "key", "2");
  CHECK_OK (engine_flush (writer, &failure));
  CHECK_OK (engine_wait_settled (writer, PATIENCE, &failure));
  status failing = STATUS_OK;
  for (uint64_t until = now () + PATIENCE; failing == STATUS_OK && now () < until; usleep (1000))
    {
      pthread_mutex_lock (&reader->events.lock);
      failing = reader->events.following.code;
      pthread_mutex_unlock (&reader->events.lock);
    }
  CHECK_INT (failing, STATUS_IO);
  refuses = false;
  CHECK (await_for (reader, sequence, 60000000));
  for (uint64_t until = now () + 60000000; failing != STATUS_OK && now () < until; usleep (1000))
    {
      pthread_mutex_lock (&reader->events.lock);
      failing = reader->events.following.code;
      pthread_mutex_unlock (&reader->events.lock);
    }
  CHECK_INT (failing, STATUS_OK);
  expect (reader, 1, "key", "2");
  close_engine (reader);
  close_engine (writer);
  remove_directory (path);
}

void
test_lost_history (void)
{
  char *path = fresh_directory (), name[600] = "";
  struct engine_options options;
  struct engine *engine;
  struct engine_feed *feed;
  uint64_t sequence, lost = 0, number;
  choose (&options);
  options.change_retention = 64 << 20;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  for (int i = 0; i < 20000; i++)
    put (engine, 1, "key", "a value of some bytes, for there to be several files");
  close_engine (engine);
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (sscanf (entry->d_name, "%" SCNu64 ".history", &number) == 1
        && strstr (entry->d_name, ".history") != NULL && number > lost)
      lost = number;
  closedir (directory);
  do /* the last but one */
    snprintf (name, sizeof name, "%s/%" PRIu64 ".history", path, --lost);
  while (lost > 0 && access (name, F_OK) != 0);
  CHECK (lost > 0 && unlink (name) == 0);
  engine = open_reader (path);
  uint64_t oldest = engine_history_oldest (engine);
  CHECK (oldest > 0 && oldest < 20000);
  CHECK_FAILS (engine_feed_new (engine, 0, &feed, &failure), STATUS_HISTORY_GONE);
  CHECK_OK (engine_feed_new (engine, oldest, &feed, &failure));
  for (uint64_t i = oldest + 1; i <= 20000; i++)
    {
      CHECK_OK (engine_feed_next_commit (feed, &sequence, &failure));
      CHECK_INT (sequence, i);
    }
  engine_feed_free (feed);
  close_engine (engine);
  remove_directory (path);
}

void
test_fork (void)
{
  char *path = fresh_directory ();
  struct engine *writer = open_writer (path), *reader = open_reader (path);
  await (reader, put (writer, 1, "key", "1"));
  pid_t child = fork ();
  if (child == 0)
    {
      size_t size;
      CHECK_FAILS (engine_get (reader, NULL, 1, TEXT ("key"), NULL, 0, &size, &failure),
                   STATUS_FORKED);
      engine_unref (reader);
      engine_unref (writer);
      usleep (200000); /* outlives the parent's closing: none of its locks may be here */
      _exit (0);
    }
  await (reader, put (writer, 1, "key", "2"));
  uint64_t sequence = engine_sequence (writer);
  close_engine (writer);
  writer = open_writer (path);
  CHECK_INT (put (writer, 1, "key", "3"), sequence + 1);
  await (reader, sequence + 1);
  expect (reader, 1, "key", "3");
  close_engine (reader);
  close_engine (writer);
  int how;
  CHECK (waitpid (child, &how, 0) == child && WIFEXITED (how) && WEXITSTATUS (how) == 0);
  remove_directory (path);
}
