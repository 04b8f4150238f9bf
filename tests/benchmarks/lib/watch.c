/* SPDX-License-Identifier: MIT */
/*
 * How soon a watch tells what was committed, and what that costs who commits, through the public C
 * API:
 *
 *   bench-watch --directory DIR [--commits N] [--seconds S] [--rounds N] [--places LIST]
 *               [--watches LIST] [--intervals LIST] [--markdown FILE] [--quick]
 *
 * One thread commits puts of 16 + 100 bytes to 1000 keys in turns, either one every 25 ms, so that
 * each finds a quiet frame, or one after the other as fast as it can. Watches follow in the same thread
 * (which runs its main loop after each commit, at full speed after 64), in another thread, or in another
 * process that reads; all of all keys, or each of a part of its own.
 *
 * Latency is the time from before the call that commits to the beginning of the handler, of each change
 * that is told in each watch: where commits were coalesced, of the newest.
 *
 * The cost is what a commit's call takes with and without watches: the same load in turns within a round,
 * the order changing from round to round. CPU time is the committing thread's; what else runs at full speed
 * on the same cores is in the time by the clock. Isolated: medians of all commits. At full speed:
 * medians of the rounds.
 *
 * Every emission is verified in whole: it continues the last one, has each of its keys that was written
 * between the two states once, with the newest value in between, and nothing else; a resync is
 * compared with the snapshot. After each segment all has to arrive, and nothing more.
 */
#include <lightning-db.h>

#include "latency.h"
#include "table.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 1000u
#define KEY_SIZE 16
#define VALUE_SIZE 100
#define QUIET 25000               /* microseconds before an isolated commit */
#define AFTERWARDS 40000          /* … in which nothing more may come */
#define PATIENCE 120000000        /* … after which something is amiss */
#define COMMITS_BETWEEN_TURNS 64u /* of the same thread's main loop, at full speed */
#define ROUNDS_MAX 99

static char *directory, *markdown, *places_wanted, *watches_wanted, *intervals_wanted;
static gint commits_wanted = 300, rounds_wanted = 5;
static gdouble seconds_wanted = 0.5;
static gboolean quick;

static void G_GNUC_PRINTF (2, 3) check (gboolean fine, const char *format, ...)
{
  va_list arguments;
  if (fine)
    return;
  va_start (arguments, format);
  fputs ("bench-watch: ", stderr);
  vfprintf (stderr, format, arguments);
  fputc ('\n', stderr);
  exit (1);
}

static void
check_error (GError *error)
{
  check (error == NULL, "%s", error != NULL ? error->message : "");
}

/* ---- commits ---- */

/* What a value begins with. */
typedef struct
{
  guint64 time;   /* just before it was committed, of the monotonic clock, ns */
  guint64 number; /* of the commit, from 1 */
} Stamp;

static inline guint
key_of (guint64 number)
{
  return (guint) (number % KEYS);
}

/* The newest commit up to `number` that wrote the key; 0: none. */
static inline guint64
newest (guint key, guint64 number)
{
  guint64 back = (number % KEYS + KEYS - key) % KEYS;
  return number > back ? number - back : 0;
}

/* How many of the commits 1 … number wrote one of the keys first … first + keys - 1. */
static guint64
count_up_to (guint first, guint keys, guint64 number)
{
  guint64 rest = number % KEYS + 1;
  guint64 count = number / KEYS * keys + (rest > first ? MIN (rest - first, keys) : 0);
  return first == 0 ? count - 1 : count; /* there is no commit 0 */
}

/* How many of these keys the commits in (after, number] wrote. */
static guint64
count_written (guint first, guint keys, guint64 after, guint64 number)
{
  guint64 commits = count_up_to (first, keys, number) - count_up_to (first, keys, after);
  return MIN (commits, keys);
}

static void
make_key (guint8 to[KEY_SIZE + 1], guint key)
{
  g_snprintf ((char *) to, KEY_SIZE + 1, "watched/%08u", key);
}

static inline guint
parse_key (const guint8 *key)
{
  guint number = 0;
  for (guint i = 8; i < KEY_SIZE; i++)
    number = number * 10 + (key[i] - (guint) '0');
  return number;
}

/* ---- who follows ---- */

typedef enum
{
  SAME_THREAD,
  OTHER_THREAD,
  OTHER_PROCESS,
  N_PLACES,
} WatchPlace;

static const char *const place_names[N_PLACES] = { "same thread", "other thread", "other process" };
static const char *const place_options[N_PLACES] = { "thread", "other-thread", "process" };

/* What is measured. */
typedef struct
{
  gboolean isolated; /* commits, else at full speed */
  WatchPlace place;  /* of handlers */
  guint watches;     /* how many */
  guint apart;       /* boolean: each has keys of its own */
  guint interval;    /* milliseconds */
} Case;

/* What came. */
typedef struct
{
  struct latency latency;              /* of each change of each watch */
  guint64 emissions, changes, resyncs; /* of all watches */
} Told;

typedef struct _Watcher Watcher;

typedef struct
{
  Watcher *watcher;  /* that it belongs to */
  LdbWatch *watch;   /* owned */
  guint first, keys; /* that it watches */
  guint64 told;      /* all commits up to here are known */
} Follower;

struct _Watcher
{
  LdbDatabase *db;       /* borrowed */
  const Case *what;      /* borrowed */
  guint64 base;          /* commit n has the sequence number base + n */
  GMainContext *context; /* of the handlers; borrowed */
  Follower *followers;   /* owned */
  guint64 last;          /* the last commit; 0: not known yet; atomic */
  Told told;             /* so far */
};

static void
check_change (Follower *follower, LdbChange *change, guint64 upto, guint64 *previous, guint64 now)
{
  gsize key_size, value_size = 0;
  const guint8 *key = ldb_change_peek_key (change, &key_size);
  GBytes *value = ldb_change_get_value (change);
  gconstpointer data = value != NULL ? g_bytes_get_data (value, &value_size) : NULL;
  Stamp stamp;
  check (ldb_change_get_kind (change) == LDB_CHANGE_PUT && key_size == KEY_SIZE
             && value_size == VALUE_SIZE,
         "a change is none that was committed");
  memcpy (&stamp, data, sizeof stamp);
  guint number = parse_key (key);
  check (number - follower->first < follower->keys, "key %u is not watched", number);
  check (key_of (stamp.number) == number && stamp.number == newest (number, upto)
             && ldb_change_get_sequence (change) == follower->watcher->base + stamp.number,
         "key %u: commit %" G_GUINT64_FORMAT " instead of %" G_GUINT64_FORMAT, number, stamp.number,
         newest (number, upto));
  check (stamp.number > *previous, "commit %" G_GUINT64_FORMAT " came twice", stamp.number);
  *previous = stamp.number;
  latency_record (&follower->watcher->told.latency, now - stamp.time);
}

/* All keys in the snapshot, as they have to be there. */
static void
check_state (Follower *follower, LdbChangeSet *changes, guint64 upto)
{
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  guint8 key[KEY_SIZE + 1];
  for (guint i = follower->first; i < follower->first + follower->keys; i++)
    {
      g_autoptr (GError) error = NULL;
      Stamp stamp = { 0 };
      make_key (key, i);
      g_autoptr (GBytes) value = ldb_snapshot_get (snapshot, NULL, key, KEY_SIZE, NULL, &error);
      check_error (error);
      if (value != NULL)
        memcpy (&stamp, g_bytes_get_data (value, NULL), sizeof stamp);
      check (stamp.number == newest (i, upto), "key %u is wrong in the snapshot of a resync", i);
    }
}

static void
on_changed (LdbWatch *watch, LdbChangeSet *changes, gpointer data)
{
  guint64 now = latency_now ();
  Follower *follower = data;
  Watcher *watcher = follower->watcher;
  guint64 upto = ldb_change_set_get_sequence (changes) - watcher->base;
  guint count = ldb_change_set_get_n_changes (changes);
  watcher->told.emissions++;
  if (ldb_change_set_get_resync (changes))
    {
      watcher->told.resyncs++;
      check_state (follower, changes, upto);
    }
  else
    {
      guint64 since = ldb_change_set_get_since (changes) - watcher->base, previous = since;
      check (since >= follower->told && upto > since, "an emission goes back");
      check (count_written (follower->first, follower->keys, follower->told, since) == 0,
             "commits between two emissions are missing");
      check (count == count_written (follower->first, follower->keys, since, upto),
             "%u changes came of %" G_GUINT64_FORMAT, count,
             count_written (follower->first, follower->keys, since, upto));
      watcher->told.changes += count;
      for (guint i = 0; i < count; i++)
        check_change (follower, ldb_change_set_get_change (changes, i), upto, &previous, now);
    }
  follower->told = upto;
}

static void
follow (Watcher *watcher, Follower *follower, guint number)
{
  g_autoptr (GError) error = NULL;
  guint8 start[KEY_SIZE + 1], end[KEY_SIZE + 1];
  guint keys = watcher->what->apart ? KEYS / watcher->what->watches : KEYS;
  follower->watcher = watcher;
  follower->first = watcher->what->apart ? number * keys : 0;
  follower->keys = keys;
  make_key (start, follower->first);
  make_key (end, follower->first + keys);
  follower->watch = ldb_database_watch_range (watcher->db, start, KEY_SIZE, end, KEY_SIZE,
                                              LDB_WATCH_VALUES, &error);
  check_error (error);
  ldb_watch_set_batch_interval (follower->watch, watcher->what->interval);
  follower->told = ldb_watch_get_sequence (follower->watch) - watcher->base;
  g_signal_connect (follower->watch, "changed", G_CALLBACK (on_changed), follower);
}

/* In the thread whose default main context is `context`. */
static void
watcher_begin (Watcher *self, LdbDatabase *db, const Case *what, guint64 base,
               GMainContext *context)
{
  *self = (Watcher){ .db = db, .what = what, .base = base, .context = context };
  self->followers = g_new0 (Follower, what->watches);
  for (guint i = 0; i < what->watches; i++)
    follow (self, &self->followers[i], i);
}

static gboolean
has_all (const Watcher *self, guint64 last)
{
  for (guint i = 0; i < self->what->watches; i++)
    {
      const Follower *follower = &self->followers[i];
      if (follower->told < last
          && count_written (follower->first, follower->keys, follower->told, last) > 0)
        return FALSE;
    }
  return TRUE;
}

/* Runs the main loop until everything has come, and a while longer. */
static void
watcher_end (Watcher *self, guint64 last)
{
  gint64 patience = g_get_monotonic_time () + PATIENCE;
  while (!has_all (self, last))
    {
      check (g_get_monotonic_time () < patience, "commits up to %" G_GUINT64_FORMAT " never came",
             last);
      if (!g_main_context_iteration (self->context, FALSE))
        g_usleep (100);
    }
  gint64 end = g_get_monotonic_time () + AFTERWARDS;
  guint64 told = self->told.emissions - self->told.resyncs; /* a resync may tell nothing new */
  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (self->context, FALSE))
      g_usleep (1000);
  check (self->told.emissions - self->told.resyncs == told,
         "an emission came after the last commit was told");
  for (guint i = 0; i < self->what->watches; i++)
    g_object_unref (self->followers[i].watch);
  g_free (self->followers);
}

static void
add_told (Told *to, const Told *from)
{
  latency_merge (&to->latency, &from->latency);
  to->emissions += from->emissions;
  to->changes += from->changes;
  to->resyncs += from->resyncs;
}

/* ---- another thread ---- */

typedef struct
{
  Watcher watcher;       /* the thread's until it has ended */
  LdbDatabase *db;       /* borrowed */
  const Case *what;      /* borrowed */
  guint64 base;          /* see Watcher */
  pthread_t thread;      /* that runs the main loop */
  pthread_mutex_t lock;  /* guards what follows */
  pthread_cond_t change; /* of it */
  GMainContext *context; /* the thread's; NULL until it watches */
  guint64 last;          /* the last commit, once it is known */
} Neighbour;

static guint64
last_of (Neighbour *self)
{
  pthread_mutex_lock (&self->lock);
  guint64 last = self->last;
  pthread_mutex_unlock (&self->lock);
  return last;
}

static void *
watch_in_thread (void *data)
{
  Neighbour *self = data;
  guint64 last;
  GMainContext *context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  watcher_begin (&self->watcher, self->db, self->what, self->base, context);
  pthread_mutex_lock (&self->lock);
  self->context = context;
  pthread_cond_signal (&self->change);
  pthread_mutex_unlock (&self->lock);
  while ((last = last_of (self)) == 0)
    g_main_context_iteration (context, TRUE);
  watcher_end (&self->watcher, last);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
neighbour_begin (Neighbour *self, LdbDatabase *db, const Case *what, guint64 base)
{
  *self = (Neighbour){ .db = db, .what = what, .base = base };
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->change, NULL);
  check (pthread_create (&self->thread, NULL, watch_in_thread, self) == 0, "no thread");
  pthread_mutex_lock (&self->lock);
  while (self->context == NULL)
    pthread_cond_wait (&self->change, &self->lock);
  pthread_mutex_unlock (&self->lock);
}

static void
neighbour_end (Neighbour *self, guint64 last)
{
  pthread_mutex_lock (&self->lock);
  self->last = last;
  pthread_mutex_unlock (&self->lock);
  g_main_context_wakeup (self->context);
  pthread_join (self->thread, NULL);
  g_main_context_unref (self->context);
  pthread_cond_destroy (&self->change);
  pthread_mutex_destroy (&self->lock);
}

/* ---- another process ---- */

typedef struct
{
  GPid pid;     /* of it */
  int to, from; /* its standard input and output */
} Process;

static void
read_whole (int from, gpointer to, gsize size)
{
  for (gsize done = 0; done < size;)
    {
      gssize got = read (from, (char *) to + done, size - done);
      check (got > 0 || (got < 0 && errno == EINTR), "the other process has ended too soon");
      done += got > 0 ? (gsize) got : 0;
    }
}

static void
write_whole (int to, gconstpointer from, gsize size)
{
  for (gsize done = 0; done < size;)
    {
      gssize put = write (to, (const char *) from + done, size - done);
      check (put > 0 || (put < 0 && errno == EINTR), "the other process is gone");
      done += put > 0 ? (gsize) put : 0;
    }
}

static gboolean
note_input (gint descriptor, GIOCondition condition, gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* What this program does as the other process: --follow PATH, which case, and where commits begin. */
static int
watch_in_process (const char *path)
{
  g_autoptr (GError) error = NULL;
  Case what;
  guint64 base, last;
  Watcher watcher;
  gboolean told = FALSE;
  read_whole (STDIN_FILENO, &what, sizeof what);
  read_whole (STDIN_FILENO, &base, sizeof base);
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  check_error (error);
  watcher_begin (&watcher, db, &what, base, NULL);
  write_whole (STDOUT_FILENO, "", 1);
  g_autoptr (GSource) source = g_unix_fd_source_new (STDIN_FILENO, G_IO_IN | G_IO_HUP);
  g_source_set_callback (source, G_SOURCE_FUNC (note_input), &told, NULL);
  g_source_attach (source, NULL);
  while (!told)
    g_main_context_iteration (NULL, TRUE);
  read_whole (STDIN_FILENO, &last, sizeof last);
  watcher_end (&watcher, last);
  write_whole (STDOUT_FILENO, &watcher.told, sizeof watcher.told);
  check (ldb_database_close (db, NULL, &error), "the reader did not close");
  return 0;
}

static void
process_begin (Process *self, const char *path, const Case *what, guint64 base)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  char *arguments[] = { program, (char *) "--follow", (char *) path, NULL };
  char ready;
  g_spawn_async_with_pipes (NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                            &self->pid, &self->to, &self->from, NULL, &error);
  check_error (error);
  write_whole (self->to, what, sizeof *what);
  write_whole (self->to, &base, sizeof base);
  read_whole (self->from, &ready, 1);
}

static void
process_end (Process *self, guint64 last, Told *told)
{
  int status;
  write_whole (self->to, &last, sizeof last);
  read_whole (self->from, told, sizeof *told);
  check (waitpid (self->pid, &status, 0) == self->pid && status == 0,
         "the other process ended badly");
  close (self->to);
  close (self->from);
}

/* ---- who writes ---- */

/* Of commits, with or without watches. */
typedef struct
{
  struct latency each, each_cpu;              /* isolated: of each one */
  gdouble round[ROUNDS_MAX], cpu[ROUNDS_MAX]; /* full speed: ns a commit, of each round */
  guint rounds;                               /* of them */
} Cost;

typedef struct
{
  const char *path; /* of the database */
  LdbDatabase *db;  /* owned */
  guint64 base;     /* see Watcher */
  guint64 number;   /* of the last commit */
} Bench;

static guint64
cpu_now (void)
{
  struct timespec now;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (guint64) now.tv_sec * 1000000000u + (guint64) now.tv_nsec;
}

static void
commit (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  guint8 key[KEY_SIZE + 1], value[VALUE_SIZE] = { 0 };
  Stamp stamp = { 0, ++bench->number };
  make_key (key, key_of (stamp.number));
  stamp.time = latency_now ();
  memcpy (value, &stamp, sizeof stamp);
  if (!ldb_database_put (bench->db, key, KEY_SIZE, value, VALUE_SIZE, NULL, &error))
    check_error (error);
}

static gboolean
note_time (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Nothing happens for a while; handlers of this thread run. */
static void
be_quiet (WatchPlace place)
{
  gboolean over = FALSE;
  if (place != SAME_THREAD)
    {
      g_usleep (QUIET);
      return;
    }
  g_timeout_add (QUIET / 1000, note_time, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

static void
write_isolated (Bench *bench, const Case *what, guint commits, Cost *cost)
{
  for (guint i = 0; i < commits; i++)
    {
      be_quiet (what->place);
      guint64 cpu = cpu_now (), begun = latency_now ();
      commit (bench);
      latency_record (&cost->each, latency_now () - begun);
      latency_record (&cost->each_cpu, cpu_now () - cpu);
    }
}

static void
write_at_full_speed (Bench *bench, const Case *what, Cost *cost)
{
  guint64 clock = 0, cpu = 0, first = bench->number;
  gint64 end = g_get_monotonic_time () + (gint64) (seconds_wanted * 1e6);
  while (g_get_monotonic_time () < end)
    {
      guint64 cpu_begun = cpu_now (), begun = latency_now ();
      for (guint i = 0; i < COMMITS_BETWEEN_TURNS; i++)
        commit (bench);
      clock += latency_now () - begun;
      cpu += cpu_now () - cpu_begun;
      while (what->place == SAME_THREAD && g_main_context_iteration (NULL, FALSE))
        ;
    }
  gdouble commits = (gdouble) (bench->number - first);
  cost->round[cost->rounds] = (gdouble) clock / commits;
  cost->cpu[cost->rounds] = (gdouble) cpu / commits;
  cost->rounds++;
}

static void
write_segment (Bench *bench, const Case *what, Cost *cost)
{
  guint commits = ((guint) commits_wanted + (guint) rounds_wanted - 1) / (guint) rounds_wanted;
  if (what->isolated)
    write_isolated (bench, what, commits, cost);
  else
    write_at_full_speed (bench, what, cost);
}

/* The load, watched. */
static void
run_watched (Bench *bench, const Case *what, Cost *cost, Told *told)
{
  Watcher watcher;
  Neighbour neighbour;
  Process process;
  Told new_told;
  switch (what->place)
    {
    case SAME_THREAD:
      watcher_begin (&watcher, bench->db, what, bench->base, NULL);
      write_segment (bench, what, cost);
      watcher_end (&watcher, bench->number);
      add_told (told, &watcher.told);
      break;
    case OTHER_THREAD:
      neighbour_begin (&neighbour, bench->db, what, bench->base);
      write_segment (bench, what, cost);
      neighbour_end (&neighbour, bench->number);
      add_told (told, &neighbour.watcher.told);
      break;
    case OTHER_PROCESS:
    case N_PLACES:
    default:
      process_begin (&process, bench->path, what, bench->base);
      write_segment (bench, what, cost);
      process_end (&process, bench->number, &new_told);
      add_told (told, &new_told);
    }
  check (ldb_database_get_sequence (bench->db) == bench->base + bench->number,
         "there are other commits than ours");
}

/* ---- tables ---- */

typedef enum
{
  LATENCY_TABLE,
  COST_TABLE,
  N_TABLES,
} TableKind;

#define COLUMNS 9

static const char *const headings[N_TABLES][COLUMNS] = {
  { "handler in", "watches", "interval, ms", "median, µs", "P99, µs", "most, µs", "emissions",
    "changes each", "resyncs" },
  { "handler in", "watches", "interval, ms", "unwatched, ns", "watched, ns", "more, ns",
    "unwatched, CPU ns", "watched, CPU ns", "more, CPU ns" },
};

static void
add_row (Table *table, const Case *what, const char *const texts[COLUMNS - 3])
{
  char **row = g_new0 (char *, COLUMNS + 1);
  const char *keys = what->watches == 1 ? "" : what->apart ? ", keys of their own" : ", all keys";
  row[0] = g_strdup (place_names[what->place]);
  row[1] = g_strdup_printf ("%u%s", what->watches, keys);
  row[2] = g_strdup_printf ("%u", what->interval);
  for (guint i = 3; i < COLUMNS; i++)
    row[i] = g_strdup (texts[i - 3]);
  table_add (table, row);
}

/* Into one of six places, which take turns. */
static const char *
print_number (gdouble number, int digits)
{
  static char texts[6][32];
  static guint next;
  char *text = texts[next++ % G_N_ELEMENTS (texts)];
  g_snprintf (text, sizeof texts[0], "%.*f", digits, number);
  return text;
}

static void
add_latency_row (Table *table, const Case *what, const Told *told)
{
  const struct latency *latency = &told->latency;
  guint64 full = told->emissions - told->resyncs;
  gboolean some = latency->count > 0;
  add_row (table, what,
           (const char *[]){
               some ? print_number ((gdouble) latency_percentile (latency, 0.5) / 1e3, 1) : "–",
               some ? print_number ((gdouble) latency_percentile (latency, 0.99) / 1e3, 1) : "–",
               some ? print_number ((gdouble) latency->maximum / 1e3, 1) : "–",
               print_number ((gdouble) told->emissions, 0),
               full > 0 ? print_number ((gdouble) told->changes / (gdouble) full, 1) : "–",
               print_number ((gdouble) told->resyncs, 0) });
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  gdouble left = *(const gdouble *) a, right = *(const gdouble *) b;
  return (left > right) - (left < right);
}

static gdouble
median_of (gdouble *numbers, guint count)
{
  qsort (numbers, count, sizeof *numbers, compare_numbers);
  return (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
}

static void
add_cost_row (Table *table, const Case *what, Cost costs[2])
{
  gdouble clock[2], cpu[2];
  for (guint i = 0; i < 2; i++)
    {
      Cost *cost = &costs[i];
      clock[i] = what->isolated ? (gdouble) latency_percentile (&cost->each, 0.5)
                                : median_of (cost->round, cost->rounds);
      cpu[i] = what->isolated ? (gdouble) latency_percentile (&cost->each_cpu, 0.5)
                              : median_of (cost->cpu, cost->rounds);
    }
  add_row (table, what,
           (const char *[]){ print_number (clock[0], 0), print_number (clock[1], 0),
                             print_number (clock[1] - clock[0], 0), print_number (cpu[0], 0),
                             print_number (cpu[1], 0), print_number (cpu[1] - cpu[0], 0) });
}

static void
print_tables (Table tables[N_TABLES], gboolean isolated, FILE *file)
{
  static const char *const titles[2][N_TABLES] = {
    { "Full speed: from commit to handler", "Full speed: what a commit costs" },
    { "Isolated commits: from commit to handler", "Isolated commits: what a commit costs" },
  };
  for (guint kind = 0; kind < N_TABLES; kind++)
    {
      printf ("\n%s\n", titles[isolated][kind]);
      table_print (&tables[kind], stdout);
      if (file == NULL)
        continue;
      fprintf (file, "**%s**\n\n", titles[isolated][kind]);
      table_print_markdown (&tables[kind], file);
      fputc ('\n', file);
    }
}

/* ---- all of it ---- */

/* Whether `name` is in a list, or there is none. */
static gboolean
is_wanted (const char *list, const char *name)
{
  if (list == NULL)
    return TRUE;
  g_auto (GStrv) names = g_strsplit (list, ",", 0);
  return g_strv_contains ((const char *const *) names, name);
}

static gboolean
is_number_wanted (const char *list, guint number)
{
  g_autofree char *name = g_strdup_printf ("%u", number);
  return is_wanted (list, name);
}

static void
run_case (Bench *bench, const Case *what, Table tables[N_TABLES])
{
  g_autofree Cost *costs = g_new0 (Cost, 2);
  g_autofree Told *told = g_new0 (Told, 1);
  for (guint round = 0; round < (guint) rounds_wanted; round++)
    for (guint half = 0; half < 2; half++)
      if ((round + half) % 2 == 0)
        write_segment (bench, what, &costs[0]);
      else
        run_watched (bench, what, &costs[1], told);
  add_latency_row (&tables[LATENCY_TABLE], what, told);
  add_cost_row (&tables[COST_TABLE], what, costs);
  fputc ('.', stderr);
}

static void
run_cases (Bench *bench, gboolean isolated, FILE *file)
{
  static const guint counts[] = { 1, 10, 1000 }, intervals[] = { 16, 0 };
  Table tables[N_TABLES];
  for (guint i = 0; i < N_TABLES; i++)
    table_begin (&tables[i], headings[i], COLUMNS, 2);
  for (guint place = 0; place < N_PLACES; place++)
    for (guint count = 0; count < G_N_ELEMENTS (counts); count++)
      for (guint apart = 0; apart < (counts[count] == 1 ? 1 : 2); apart++)
        for (guint interval = 0; interval < G_N_ELEMENTS (intervals); interval++)
          {
            Case what = { isolated, place, counts[count], apart, intervals[interval] };
            if (is_wanted (places_wanted, place_options[place])
                && is_number_wanted (watches_wanted, what.watches)
                && is_number_wanted (intervals_wanted, what.interval))
              run_case (bench, &what, tables);
          }
  fputc ('\n', stderr);
  print_tables (tables, isolated, file);
  for (guint i = 0; i < N_TABLES; i++)
    table_end (&tables[i]);
}

static void
measure (const char *path, FILE *file)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { .path = path };
  bench.db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  check_error (error);
  bench.base = ldb_database_get_sequence (bench.db);
  for (guint i = 0; i < KEYS; i++) /* each key is there */
    commit (&bench);
  run_cases (&bench, TRUE, file);
  run_cases (&bench, FALSE, file);
  check (ldb_database_close (bench.db, NULL, &error), "the database did not close");
  g_object_unref (bench.db);
}

static void
remove_directory (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);
      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        remove_directory (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

static gboolean
parse_options (int *argc, char ***argv)
{
  GOptionEntry entries[] = {
    { "directory", 0, 0, G_OPTION_ARG_FILENAME, &directory, "Where, on a disk", "DIR" },
    { "commits", 0, 0, G_OPTION_ARG_INT, &commits_wanted, "Isolated ones of a case (300)", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds_wanted, "Full speed, of a round (0.5)", "S" },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds_wanted, "Of each case (5)", "N" },
    { "places", 0, 0, G_OPTION_ARG_STRING, &places_wanted,
      "Only these of thread, other-thread, process", "LIST" },
    { "watches", 0, 0, G_OPTION_ARG_STRING, &watches_wanted, "Only these of 1, 10, 1000", "LIST" },
    { "intervals", 0, 0, G_OPTION_ARG_STRING, &intervals_wanted, "Only these of 16, 0", "LIST" },
    { "markdown", 0, 0, G_OPTION_ARG_FILENAME, &markdown, "Write the tables there, too", "FILE" },
    { "quick", 0, 0, G_OPTION_ARG_NONE, &quick, "Does it work at all?", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (g_option_context_parse (context, argc, argv, &error) && directory != NULL
      && commits_wanted > 0 && seconds_wanted > 0 && rounds_wanted > 0
      && rounds_wanted <= ROUNDS_MAX)
    return TRUE;
  fprintf (stderr, "%s\n",
           error != NULL ? error->message : "bench-watch --directory DIR; --help says more");
  return FALSE;
}

int
main (int argc, char **argv)
{
  FILE *file = NULL;
  if (argc == 3 && strcmp (argv[1], "--follow") == 0)
    return watch_in_process (argv[2]);
  if (!parse_options (&argc, &argv))
    return 2;
  if (quick)
    {
      commits_wanted = 4;
      rounds_wanted = 2;
      seconds_wanted = 0.02;
    }
  if (markdown != NULL)
    {
      file = fopen (markdown, "w");
      check (file != NULL, "%s: %s", markdown, g_strerror (errno));
    }
  g_autofree char *made = g_build_filename (directory, "bench-watch-XXXXXX", NULL);
  check (g_mkdtemp (made) != NULL, "%s: %s", directory, g_strerror (errno));
  g_autofree char *path = g_build_filename (made, "database", NULL);
  measure (path, file);
  remove_directory (made);
  check (file == NULL || fclose (file) == 0, "%s: %s", markdown, g_strerror (errno));
  return 0;
}
