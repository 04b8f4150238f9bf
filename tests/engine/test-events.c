/* SPDX-License-Identifier: MIT */
/*
 * events: what happens is told once, in order, with its figures; what repeats itself only counts;
 * what is rare outlives what is not; what was lost is counted; whoever waits is woken once.
 */
#include "core/engine-private.h"
#include "faulty-disk.h"
#include "small-engine.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>

static struct failure failure;
static struct engine_event events[ENGINE_EVENTS_KEPT + 1];

static struct engine_options
still_options (void)
{
  struct engine_options options = small_options ();
  options.merge_enabled = false;
  options.memtable_size = 1 << 20;
  return options;
}

static void
put (struct engine *engine, const char *key, const char *value)
{
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)),
                        BYTES (value, strlen (value)), ENGINE_SYNC_DEFAULT, NULL, &failure));
}

/* Those above `after`, of which none was lost; numbers without gaps. */
static size_t
take (struct engine *engine, uint64_t after)
{
  uint64_t lost;
  size_t count = engine_events (engine, after, events, ENGINE_EVENTS_KEPT + 1, &lost);
  CHECK_INT (lost, 0);
  for (size_t i = 0; i < count; i++)
    {
      CHECK_INT (events[i].number, after + i + 1);
      CHECK (events[i].time > UINT64_C (1500000000000000) && events[i].last >= events[i].time);
      CHECK (events[i].times >= 1);
    }
  CHECK_INT (engine_newest_event (engine), after + count);
  return count;
}

static struct engine_transaction *
begin (struct engine *engine)
{
  struct engine_transaction *transaction;
  CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
  return transaction;
}

/* A transaction that loses `key` to somebody else. */
static void
lose (struct engine *engine, const char *key)
{
  struct engine_transaction *transaction = begin (engine);
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, BYTES (key, strlen (key)),
                                    BYTES_LITERAL ("mine"), &failure));
  put (engine, key, "theirs");
  CHECK_FAILS (engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, &failure),
               STATUS_CONFLICT);
  engine_transaction_free (transaction);
}

/* ---- each kind ---- */

static void
test_life (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine *engine = open_with (path, &options);
  CHECK_INT (take (engine, 0), 1);
  CHECK_INT (events[0].kind, ENGINE_EVENT_OPENED);
  put (engine, "a", "1");
  CHECK_INT (take (engine, 1), 0); /* a commit is none */

  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, UINT64_C (60000000), &failure));
  CHECK_INT (take (engine, 1), 1);
  CHECK_INT (events[0].kind, ENGINE_EVENT_FLUSHED);
  CHECK (events[0].bytes > 0
         && events[0].bytes == metrics_shared_total (engine->metrics, SHARED_FLUSH_BYTES));
  put (engine, "b", "2");
  CHECK_OK (engine_flush (engine, &failure));
  while (take (engine, 2) == 0) /* who waited for the flush may be on before it is told */
    usleep (1000);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_OK (engine_wait_settled (engine, UINT64_C (60000000), &failure));
  CHECK_INT (take (engine, 2), 2);
  CHECK_INT (events[0].kind, ENGINE_EVENT_FLUSHED);
  CHECK_INT (events[1].kind, ENGINE_EVENT_MERGED);
  CHECK_INT (events[1].bytes, metrics_shared_total (engine->metrics, SHARED_MERGE_BYTES_WRITTEN));
  CHECK_INT (events[1].bytes_read, metrics_shared_total (engine->metrics, SHARED_MERGE_BYTES_READ));

  struct engine_loader *loader;
  uint64_t sequence;
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  for (unsigned i = 0; i < 3; i++)
    {
      char key[32];
      CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, number_key (key, i),
                                   BYTES_LITERAL ("v"), &failure));
    }
  CHECK_OK (engine_loader_commit (loader, &sequence, &failure));
  engine_loader_free (loader);
  CHECK (take (engine, 4) >= 1);
  size_t newest = engine_newest_event (engine) - 5;
  CHECK_INT (events[newest].kind, ENGINE_EVENT_LOADED);
  CHECK_INT (events[newest].bytes, 3);

  uint64_t before = engine_newest_event (engine);
  char *copy = fresh_directory ();
  struct engine_backup_result result;
  CHECK_OK (engine_backup (engine, copy, false, NULL, NULL, &result, &failure));
  size_t count = take (engine, before);
  CHECK (count >= 1);
  CHECK_INT (events[count - 1].kind, ENGINE_EVENT_BACKED_UP);
  CHECK (events[count - 1].microseconds > 0);
  CHECK_INT (events[count - 1].bytes, result.bytes);
  remove_directory (copy);
  close_it (engine);
  remove_directory (path);
}

/* What a process that was killed left in the log is told by who finds it. */
static void
test_recovered (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  pid_t child = fork ();
  if (child == 0)
    {
      struct engine *engine = open_with (path, &options);
      put (engine, "a", "1");
      _exit (0);
    }
  int how;
  CHECK (waitpid (child, &how, 0) == child && WIFEXITED (how) && WEXITSTATUS (how) == 0);
  struct engine *engine = open_with (path, &options);
  size_t count = take (engine, 0);
  CHECK (count >= 2);
  CHECK_INT (events[0].kind, ENGINE_EVENT_RECOVERED);
  CHECK (events[0].bytes > 0);
  CHECK_INT (events[count - 1].kind, ENGINE_EVENT_OPENED);
  close_it (engine);
  remove_directory (path);
}

static void
test_transactions (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine *engine = open_with (path, &options);
  char longest[100];
  memset (longest, 'k', 99);
  longest[99] = '\0';
  lose (engine, "key");
  lose (engine, "key"); /* E3 */
  lose (engine, longest);
  lose (engine, "yek");
  lose (engine, "key");
  CHECK_INT (take (engine, 1), 4);
  CHECK_INT (events[0].kind, ENGINE_EVENT_CONFLICT);
  CHECK_INT (events[0].times, 2);
  CHECK_INT (events[0].store, ENGINE_STORE_DEFAULT);
  CHECK_INT (events[0].key_size, 3);
  CHECK (memcmp (events[0].key, "key", 3) == 0);
  CHECK_INT (events[1].key_size, 99);
  CHECK (memcmp (events[1].key, longest, ENGINE_EVENT_KEY_MAX) == 0);
  CHECK (events[2].times == 1 && events[3].times == 1);
  CHECK (memcmp (events[3].key, "key", 3) == 0);
  CHECK_INT (metrics_shared_total (engine->metrics, SHARED_EVENTS), 6);

  struct engine_transaction *transaction = begin (engine);
  uint64_t id = engine_transaction_id (transaction);
  CHECK_OK (engine_transaction_abort (engine, id));
  CHECK_INT (take (engine, 5), 1);
  CHECK_INT (events[0].kind, ENGINE_EVENT_TIMED_OUT);
  char named[64];
  snprintf (named, sizeof named, "transaction %llu ", (unsigned long long) id);
  CHECK (strstr (events[0].message, named) != NULL);
  engine_transaction_free (transaction);
  close_it (engine);
  remove_directory (path);
}

/* ---- what does not work ---- */

static void
test_flush_fails (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine_condition condition;
  options.vfs = faulty_disk_new (true);
  struct engine *engine = open_with (path, &options);
  engine_condition (engine, &condition);
  CHECK (condition.writing.code == STATUS_OK && condition.flushing.code == STATUS_OK
         && condition.following.code == STATUS_OK && condition.corruptions == 0);
  put (engine, "a", "1");
  faulty_disk_break (FAULTY_WRITE, ENOSPC, ".seg");
  CHECK_FAILS (engine_flush (engine, &failure), STATUS_NO_SPACE);
  engine_condition (engine, &condition);
  CHECK_INT (condition.flushing.code, STATUS_NO_SPACE);
  CHECK (condition.flushing.message[0] != '\0' && condition.writing.code == STATUS_OK);
  CHECK_INT (take (engine, 1), 1); /* however often it was tried again */
  CHECK_INT (events[0].kind, ENGINE_EVENT_FAILED);
  CHECK_INT (events[0].code, STATUS_NO_SPACE);
  CHECK (strcmp (events[0].message, condition.flushing.message) == 0);
  faulty_disk_mend ();
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, UINT64_C (60000000), &failure));
  CHECK_INT (take (engine, 2), 2);
  CHECK_INT (events[0].kind + events[1].kind, ENGINE_EVENT_FLUSHED + ENGINE_EVENT_HEALED);
  engine_condition (engine, &condition);
  CHECK_INT (condition.flushing.code, STATUS_OK);
  close_it (engine);
  remove_directory (path);
}

/* A disk that stays full: each attempt fails at a file with another number. It is one event, however
 * long that goes on and whatever else fails beside it; what was rare before is still there. */
static void
test_failing_for_long (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  options.vfs = faulty_disk_new (true);
  struct engine *engine = open_with (path, &options);
  struct failure other = FAILURE_INIT;
  fail (&other, STATUS_IO, "%s/7.blob: the disk does not answer", path);
  put (engine, "a", "1");
  faulty_disk_break (FAULTY_WRITE, ENOSPC, ".seg");
  char first[sizeof failure.message];
  for (unsigned i = 0; i < 200; i++)
    {
      CHECK_FAILS (engine_flush (engine, &failure), STATUS_NO_SPACE);
      if (i == 0)
        memcpy (first, failure.message, sizeof first);
      engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_FAILED, .failure = &other });
    }
  CHECK (strcmp (first, failure.message) != 0); /* the files were others */
  CHECK_INT (take (engine, 0), 3);
  CHECK_INT (events[0].kind, ENGINE_EVENT_OPENED);
  CHECK (events[1].kind == ENGINE_EVENT_FAILED && events[2].kind == ENGINE_EVENT_FAILED);
  CHECK_INT (events[1].code, STATUS_NO_SPACE);
  CHECK (events[1].times >= 200);
  CHECK (events[1].last >= events[1].time);
  CHECK_INT (events[2].code, STATUS_IO);
  CHECK_INT (events[2].times, 200);
  CHECK (strcmp (events[1].message, failure.message) == 0); /* the newest file is named */

  /* Once it has worked again, it is another event. */
  faulty_disk_mend ();
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, UINT64_C (60000000), &failure));
  put (engine, "a", "2");
  faulty_disk_break (FAULTY_WRITE, ENOSPC, ".seg");
  uint64_t before = engine_newest_event (engine);
  CHECK_FAILS (engine_flush (engine, &failure), STATUS_NO_SPACE);
  CHECK_INT (take (engine, before), 1);
  CHECK_INT (events[0].kind, ENGINE_EVENT_FAILED);
  faulty_disk_mend ();
  close_it (engine);
  remove_directory (path);
}

static void
test_sync_fails (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine_condition condition;
  options.vfs = faulty_disk_new (true);
  struct engine *engine = open_with (path, &options);
  faulty_disk_break (FAULTY_SYNC, EIO, "");
  CHECK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("a"), BYTES_LITERAL ("1"),
                     ENGINE_SYNC_FULL, NULL, NULL)
         != STATUS_OK);
  engine_condition (engine, &condition);
  CHECK (condition.writing.code != STATUS_OK && condition.writing.message[0] != '\0');
  CHECK_INT (take (engine, 1), 1);
  CHECK_INT (events[0].kind, ENGINE_EVENT_FAILED);
  CHECK (strcmp (events[0].message, condition.writing.message) == 0);
  faulty_disk_mend ();
  engine_close (engine, NULL);
  engine_unref (engine);
  remove_directory (path);
}

static _Atomic bool spoiling;

static status
spoil_reads (struct vfs_file *file, uint64_t offset, void *to, size_t size, size_t *got,
             struct failure *cause)
{
  status result = vfs_posix ()->read (file, offset, to, size, got, cause);
  if (atomic_load (&spoiling) && size > 0)
    ((uint8_t *) to)[size / 2] ^= 1;
  return result;
}

static void
test_corrupt (void)
{
  struct vfs vfs = replaced_vfs ();
  vfs.read = spoil_reads;
  struct engine_options options = still_options ();
  options.vfs = &vfs;
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, &options);
  for (unsigned i = 0; i < 1000; i++)
    {
      char key[32];
      number_key (key, i);
      put (engine, key, "value");
    }
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, UINT64_C (60000000), &failure));
  uint64_t before = engine_newest_event (engine);
  char buffer[16];
  size_t size;
  atomic_store (&spoiling, true);
  for (unsigned i = 0; i < 3; i++)
    CHECK_INT (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key-00000900"),
                           buffer, sizeof buffer, &size, NULL),
               STATUS_CORRUPT);
  atomic_store (&spoiling, false);
  CHECK_INT (take (engine, before), 1);
  CHECK_INT (events[0].kind, ENGINE_EVENT_CORRUPT);
  CHECK_INT (events[0].times, 3);
  CHECK (events[0].message[0] != '\0'); /* also of a caller who wants none */
  struct engine_condition condition;
  engine_condition (engine, &condition);
  CHECK_INT (condition.corruptions, 3);
  CHECK (strcmp (condition.corruption.message, events[0].message) == 0);
  close_it (engine);
  remove_directory (path);
}

static status
little_space (struct vfs_directory *directory, uint64_t *total, uint64_t *available,
              struct failure *cause)
{
  *total = 1000;
  *available = 10;
  return STATUS_OK;
}

static void
test_space (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  uint64_t total = 0, available = 0;
  struct engine *engine = open_with (path, &options);
  CHECK_OK (engine_disk_space (engine, &total, &available, &failure));
  CHECK (total > 0 && available <= total);
  close_it (engine);
  struct vfs vfs = replaced_vfs ();
  vfs.space = little_space;
  options.vfs = &vfs;
  engine = open_with (path, &options);
  CHECK_OK (engine_disk_space (engine, &total, &available, &failure));
  CHECK (total == 1000 && available == 10);
  close_it (engine);
  vfs.space = NULL;
  engine = open_with (path, &options);
  CHECK_FAILS (engine_disk_space (engine, &total, &available, &failure), STATUS_UNSUPPORTED);
  close_it (engine);
  remove_directory (path);
}

/* ---- the rings ---- */

static void
note (struct engine *engine, enum engine_event_kind kind, uint64_t bytes)
{
  engine_note (engine, &(struct event_note){ .kind = kind, .bytes = bytes });
}

/* E2: a load drives out what loads bring, and nothing else. */
static void
test_bounds (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine *engine = open_with (path, &options);
  uint64_t lost;
  engine_note_health (engine, "something changed");
  for (uint64_t i = 1; i <= 1000; i++)
    note (engine, ENGINE_EVENT_FLUSHED, i);
  size_t count = engine_events (engine, 0, events, ENGINE_EVENTS_KEPT + 1, &lost);
  CHECK_INT (count, 2 + 192);
  CHECK_INT (lost, 1000 - 192);
  CHECK_INT (events[0].kind, ENGINE_EVENT_OPENED);
  CHECK_INT (events[1].kind, ENGINE_EVENT_HEALTH);
  CHECK (strcmp (events[1].message, "something changed") == 0);
  for (size_t i = 2; i < count; i++)
    {
      CHECK_INT (events[i].number, 1002 - 192 + i - 1);
      CHECK_INT (events[i].bytes, events[i].number - 2);
      CHECK (events[i].message[0] == '\0');
    }
  for (unsigned i = 0; i < 100; i++)
    note (engine, ENGINE_EVENT_HEALED, i);
  count = engine_events (engine, 0, events, ENGINE_EVENTS_KEPT + 1, &lost);
  CHECK_INT (count, ENGINE_EVENTS_KEPT);
  CHECK_INT (lost, 1102 - ENGINE_EVENTS_KEPT);

  /* Where one stopped another goes on, whatever room there is. */
  CHECK_INT (engine_events (engine, 1000, events, 1, &lost), 1);
  CHECK_INT (events[0].number, 1001);
  CHECK_INT (lost, 36); /* the older of what is rare */
  CHECK_INT (engine_events (engine, 1102, events, 8, &lost), 0);
  CHECK_INT (lost, 0);
  CHECK_INT (engine_events (engine, UINT64_MAX, events, 8, &lost), 0);
  CHECK_INT (lost, 0);
  CHECK_INT (engine_events (engine, 1100, events, 8, NULL), 2);
  close_it (engine);
  remove_directory (path);
}

/* ---- being woken ---- */

struct woken
{
  unsigned times;
  uint64_t number;             /* of the newest */
  enum engine_event_kind kind; /* likewise */
};

static void
count_wake (void *data, enum engine_event_kind kind, uint64_t number)
{
  struct woken *woken = data;
  woken->times++;
  woken->number = number;
  woken->kind = kind;
}

static void
test_wake (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine *engine = open_with (path, &options);
  struct woken woken = { 0 }, other = { 0 };
  engine_watch_events (engine, count_wake, &woken);
  CHECK_INT (woken.times, 0); /* of what was before */
  note (engine, ENGINE_EVENT_FLUSHED, 1);
  CHECK (woken.times == 1 && woken.number == 2 && woken.kind == ENGINE_EVENT_FLUSHED);
  lose (engine, "k");
  CHECK (woken.times == 2 && woken.number == 3 && woken.kind == ENGINE_EVENT_CONFLICT);
  lose (engine, "k"); /* a repetition is no new event */
  CHECK_INT (woken.times, 2);
  engine_watch_events (engine, count_wake, &other); /* in its place */
  note (engine, ENGINE_EVENT_FLUSHED, 2);
  CHECK (woken.times == 2 && other.times == 1 && other.number == 4);
  engine_watch_events (engine, NULL, NULL);
  note (engine, ENGINE_EVENT_FLUSHED, 3);
  CHECK (woken.times == 2 && other.times == 1);
  close_it (engine);
  remove_directory (path);
}

/* ---- who flushed ---- */

/* Somebody who flushes. */
struct flusher
{
  struct engine *engine;
  pthread_t thread;
  _Atomic unsigned waits; /* begun: for a flush that is under way */
  _Atomic bool returned;
  bool told; /* when it had returned, its flush was among the events */
};

static struct
{
  atomic_bool armed;
  struct flusher before, between; /* come before the flush began, and when it was installed */
} flushers;
static _Thread_local struct flusher *myself;

int __real_pthread_cond_wait (pthread_cond_t *condition, pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait (pthread_cond_t *condition, pthread_mutex_t *mutex);

int
__wrap_pthread_cond_wait (pthread_cond_t *condition, pthread_mutex_t *mutex)
{
  if (myself != NULL)
    atomic_fetch_add (&myself->waits, 1);
  return __real_pthread_cond_wait (condition, mutex);
}

static void *
flush_and_look (void *data)
{
  struct engine_event seen[2]; /* all that there were: it was opened before */
  struct failure cause = FAILURE_INIT;
  myself = data;
  CHECK_OK (engine_flush (myself->engine, &cause));
  size_t count = engine_events (myself->engine, 0, seen, 2, NULL);
  myself->told = count == 2 && seen[1].kind == ENGINE_EVENT_FLUSHED;
  atomic_store (&myself->returned, true);
  return NULL;
}

static void
start_flusher (struct flusher *flusher, struct engine *engine)
{
  *flusher = (struct flusher){ .engine = engine };
  CHECK (pthread_create (&flusher->thread, NULL, flush_and_look, flusher) == 0);
}

/* Until it has returned, or waits for the `nth` time. */
static void
await_flusher (struct flusher *flusher, unsigned nth)
{
  while (!atomic_load (&flusher->returned) && atomic_load (&flusher->waits) < nth)
    sched_yield ();
}

void __real_events_note (struct events *to, struct metrics *metrics, const struct event_note *note);
void __wrap_events_note (struct events *to, struct metrics *metrics, const struct event_note *note);

/* The flush thread, about to tell of a flush that is installed. */
void
__wrap_events_note (struct events *to, struct metrics *metrics, const struct event_note *note)
{
  if (note->kind == ENGINE_EVENT_FLUSHED && atomic_exchange (&flushers.armed, false))
    {
      start_flusher (&flushers.between, flushers.before.engine);
      await_flusher (&flushers.before, 2);
      await_flusher (&flushers.between, 1);
    }
  __real_events_note (to, metrics, note);
}

/* Whoever flushes finds the flush among the events, whenever it came. */
static void
test_flushers_are_told (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine *engine = open_with (path, &options);
  put (engine, "k", "v");
  atomic_store (&flushers.armed, true);
  start_flusher (&flushers.before, engine);
  pthread_join (flushers.before.thread, NULL);
  CHECK (!atomic_load (&flushers.armed));
  pthread_join (flushers.between.thread, NULL);
  CHECK (flushers.before.told);
  CHECK (flushers.between.told);
  close_it (engine);
  remove_directory (path);
}

/* ---- threads ---- */

#define WRITERS 4u
#define NOTES 2000u

static void *
note_many (void *data)
{
  for (unsigned i = 0; i < NOTES; i++)
    note (data, i % 8 == 0 ? ENGINE_EVENT_HEALED : ENGINE_EVENT_MERGED, i);
  return NULL;
}

/* Whoever follows sees rising numbers, and what it sees and what it is told was lost is all. */
static void
test_threads (void)
{
  char *path = fresh_directory ();
  struct engine_options options = still_options ();
  struct engine *engine = open_with (path, &options);
  pthread_t threads[WRITERS];
  for (unsigned i = 0; i < WRITERS; i++)
    CHECK (pthread_create (&threads[i], NULL, note_many, engine) == 0);
  uint64_t after = 0, seen = 0, lost_of_all = 0, lost;
  while (after < WRITERS * NOTES + 1)
    {
      size_t count = engine_events (engine, after, events, ENGINE_EVENTS_KEPT + 1, &lost);
      for (size_t i = 0; i < count; i++)
        {
          CHECK (events[i].number > after);
          after = events[i].number;
        }
      seen += count;
      lost_of_all += lost;
      if (count == 0)
        sched_yield ();
    }
  CHECK_INT (seen + lost_of_all, WRITERS * NOTES + 1);
  for (unsigned i = 0; i < WRITERS; i++)
    pthread_join (threads[i], NULL);
  CHECK_INT (engine_newest_event (engine), WRITERS * NOTES + 1);
  close_it (engine);
  remove_directory (path);
}

int
main (void)
{
  test_recovered (); /* forks: before there are threads */
  test_life ();
  test_transactions ();
  test_flush_fails ();
  test_failing_for_long ();
  test_sync_fails ();
  test_corrupt ();
  test_space ();
  test_bounds ();
  test_wake ();
  test_flushers_are_told ();
  test_threads ();
  return 0;
}
