/* SPDX-License-Identifier: MIT */
/*
 * LdbHealth of databases for which something goes wrong in earnest: each finding is there once it does, and
 * neither before nor once it is over. The system calls of this program are its own (below), so a disk
 * fails, is full or slow when a test says so.
 *
 * This program is also the process that writes (--writer PATH).
 */
#include "other-process.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

/* ---- the system, as the library has it in this program ---- */

static gint failing_sync; /* the errno of syncs; 0: they work; atomic */
static gint slow_sync;    /* microseconds that each takes beside; atomic */
static LdbMetrics
    *stalling; /* whose writer is to wait before a segment is synced; NULL: none; atomic */
static gint failing_creation;   /* the errno of making a segment; atomic */
static gint failing_opening;    /* the errno of opening one that is there; atomic */
static gint failing_thread;     /* the errno of the library's making a thread; atomic */
static gint threads_refused;    /* how often it was given; atomic */
static guint64 space_available; /* bytes that are free; 0: as it is */
static long foreign_magic;      /* of the file system that everything is on; 0: as it is */

#define SPACE_TOTAL (G_GUINT64_CONSTANT (1) << 40)

#define OF_THE_SYSTEM __attribute__ ((visibility ("default")))

OF_THE_SYSTEM int fdatasync (int descriptor);
OF_THE_SYSTEM int openat64 (int directory, const char *name, int flags, ...);
OF_THE_SYSTEM int fstatvfs64 (int descriptor, struct statvfs64 *out);
OF_THE_SYSTEM int fstatfs64 (int descriptor, struct statfs64 *out);
OF_THE_SYSTEM int pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
                                  void *(*run) (void *), void *data);

static gboolean
is_segment (int descriptor)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", descriptor);
  g_autofree char *path = g_file_read_link (link, NULL);
  return path != NULL && g_str_has_suffix (path, ".seg");
}

int
fdatasync (int descriptor)
{
  static int (*original) (int);
  if (original == NULL)
    original = (int (*) (int)) dlsym (RTLD_NEXT, "fdatasync");
  int error = g_atomic_int_get (&failing_sync), slow = g_atomic_int_get (&slow_sync);
  if (slow > 0)
    g_usleep ((gulong) slow);
  LdbMetrics *metrics = g_atomic_pointer_get (&stalling);
  if (metrics != NULL && !is_segment (descriptor))
    metrics = NULL;
  while (metrics != NULL && ldb_metrics_get_value (metrics, "writers_stalled") == 0
         && g_atomic_pointer_get (&stalling) != NULL)
    g_usleep (1000);
  if (error == 0)
    return original (descriptor);
  errno = error;
  return -1;
}

int
openat64 (int directory, const char *name, int flags, ...)
{
  static int (*original) (int, const char *, int, ...);
  va_list arguments;
  va_start (arguments, flags);
  mode_t mode = flags & O_CREAT ? va_arg (arguments, mode_t) : 0;
  va_end (arguments);
  if (original == NULL)
    original = (int (*) (int, const char *, int, ...)) dlsym (RTLD_NEXT, "openat64");
  int error = g_atomic_int_get (flags & O_CREAT ? &failing_creation : &failing_opening);
  if (error == 0 || !g_str_has_suffix (name, ".seg"))
    return original (directory, name, flags, mode);
  errno = error;
  return -1;
}

int
fstatvfs64 (int descriptor, struct statvfs64 *out)
{
  static int (*original) (int, struct statvfs64 *);
  if (original == NULL)
    original = (int (*) (int, struct statvfs64 *)) dlsym (RTLD_NEXT, "fstatvfs64");
  int result = original (descriptor, out);
  guint64 available = space_available;
  if (result == 0 && available > 0)
    {
      out->f_blocks = SPACE_TOTAL / out->f_frsize;
      out->f_bavail = out->f_bfree = available / out->f_frsize;
    }
  return result;
}

int
fstatfs64 (int descriptor, struct statfs64 *out)
{
  static int (*original) (int, struct statfs64 *);
  if (original == NULL)
    original = (int (*) (int, struct statfs64 *)) dlsym (RTLD_NEXT, "fstatfs64");
  int result = original (descriptor, out);
  if (result == 0 && foreign_magic != 0)
    out->f_type = foreign_magic;
  return result;
}

/* GLib's own threads must not fail: it would end the program. */
static gboolean
is_of_the_library (const void *caller)
{
  Dl_info information;
  return dladdr (caller, &information) != 0
         && strstr (information.dli_fname, "liblightning-db-1") != NULL;
}

int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*run) (void *),
                void *data)
{
  static int (*original) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);
  if (original == NULL)
    original = (int (*) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *)) dlsym (
        RTLD_NEXT, "pthread_create");
  int error = g_atomic_int_get (&failing_thread);
  if (error == 0 || !is_of_the_library (__builtin_return_address (0)))
    return original (thread, attributes, run, data);
  g_atomic_int_inc (&threads_refused);
  return error;
}

/* ---- examinations ---- */

static LdbHealth *
examine (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  LdbHealth *health = ldb_database_examine_health (db, NULL, &error);
  g_assert_no_error (error);
  return health;
}

static gboolean
is_found (LdbDatabase *db, const char *id)
{
  g_autoptr (LdbHealth) health = examine (db);
  return ldb_health_find_issue (health, id) != NULL;
}

static LdbHealthIssue *
found (LdbDatabase *db, const char *id)
{
  g_autoptr (LdbHealth) health = examine (db);
  const LdbHealthIssue *issue = ldb_health_find_issue (health, id);
  g_assert_nonnull (issue);
  return ldb_health_issue_copy (issue);
}

static guint64
figure_of (const LdbHealthIssue *issue, const char *name)
{
  guint64 figure;
  g_assert_true (g_variant_lookup (issue->evidence, name, "t", &figure));
  return figure;
}

/* ---- the watch ---- */

static void
count_change (GObject *watch, GParamSpec *pspec, gpointer data)
{
  ++*(guint *) data;
}

/* There is no thread to examine on; it goes on when there is one, and says both once. */
static void
test_watch_failing (Place *place, gconstpointer data)
{
  guint told = 0, judged = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  g_atomic_int_set (&threads_refused, 0);
  g_atomic_int_set (&failing_thread, EAGAIN);
  g_autoptr (LdbHealthWatch) watch = ldb_database_watch_health (db, 1, &error);
  g_assert_no_error (error);
  g_assert_null (ldb_health_watch_get_error (watch));
  g_signal_connect (watch, "notify::error", G_CALLBACK (count_change), &told);
  g_signal_connect (watch, "notify::health", G_CALLBACK (count_change), &judged);
  while (g_atomic_int_get (&threads_refused) < 3)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (told, ==, 1);
  g_assert_cmpuint (judged, ==, 0);
  g_assert_true (
      g_error_matches (ldb_health_watch_get_error (watch), LDB_ERROR, LDB_ERROR_NO_MEMORY));
  g_atomic_int_set (&failing_thread, 0);
  while (told == 1 || judged == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (told, ==, 2);
  g_assert_null (ldb_health_watch_get_error (watch));
  ldb_health_watch_close (watch);
}

/* ---- the trials ---- */

/* A sync that failed: nothing is written any more, until the database is opened anew. */
static void
test_writes_refused (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  ldb_test_put (db, "key", "value");
  g_assert_false (is_found (db, "writes-refused"));
  g_atomic_int_set (&failing_sync, EIO);
  g_assert_false (ldb_database_sync (db, NULL, &error));
  g_atomic_int_set (&failing_sync, 0);
  g_clear_error (&error);
  g_autoptr (LdbHealthIssue) issue = found (db, "writes-refused");
  g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_CRITICAL);
  g_assert_cmpint (issue->action, ==, LDB_REMEDY_NONE);
  g_assert_false (ldb_database_put_string (db, "key", "more", NULL, &error)); /* as it says */
  g_assert_nonnull (error);
  g_clear_error (&error);
  ldb_database_close (db, NULL, &error);
  g_clear_error (&error);
  g_autoptr (LdbDatabase) again = place_open (place, NULL);
  g_assert_false (is_found (again, "writes-refused"));
  ldb_test_put (again, "key", "more");
}

/* No segment can be made; once one can, the remedy does it. */
static void
test_flush_failing (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  ldb_test_put (db, "key", "value");
  g_assert_false (is_found (db, "flush-failing"));
  g_atomic_int_set (&failing_creation, ENOSPC);
  g_assert_false (ldb_database_flush (db, NULL, &error));
  assert_ldb_error (error, LDB_ERROR_NO_SPACE, "");
  g_clear_error (&error);
  g_autoptr (LdbHealthIssue) issue = found (db, "flush-failing");
  g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_CRITICAL);
  g_assert_cmpint (issue->action, ==, LDB_REMEDY_FLUSH);
  g_assert_nonnull (strstr (issue->summary, ".seg"));
  g_assert_false (ldb_database_apply_remedy (db, issue, NULL, &error)); /* the cause is there */
  g_assert_nonnull (error);
  g_clear_error (&error);
  ldb_test_put (db, "other", "value"); /* all the same */
  g_atomic_int_set (&failing_creation, 0);
  g_assert_true (ldb_database_apply_remedy (db, issue, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (is_found (db, "flush-failing"));
}

/* Who follows cannot open what the other process wrote; then it can. */
static void
test_following_failing (Place *place, gconstpointer data)
{
  g_auto (Other) writer = { 0 };
  g_autoptr (GError) error = NULL;
  begin (&writer, "--writer", place->path);
  hear_ok (&writer);
  tell (&writer, "put key value");
  g_autoptr (LdbDatabase) db
      = ldb_database_open (place->path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (is_found (db, "following-failing"));
  g_atomic_int_set (&failing_opening, EIO);
  tell (&writer, "put key newer");
  tell (&writer, "compact");
  tell (&writer, "put key newest");
  wait_until (is_found (db, "following-failing"));
  g_autoptr (LdbHealthIssue) issue = found (db, "following-failing");
  g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_WARNING);
  g_atomic_int_set (&failing_opening, 0);
  guint64 newest = tell (&writer, "put key last");
  wait_until (ldb_database_get_sequence (db) == newest);
  wait_until (!is_found (db, "following-failing"));
  g_autofree char *value = ldb_database_get_string (db, "key", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (value, ==, "last");
}

/* Much is free; little of a large disk; less than it takes to write on. */
static void
test_disk_space (Place *place, gconstpointer data)
{
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  ldb_test_put (db, "key", "value");
  space_available = SPACE_TOTAL / 2;
  g_assert_false (is_found (db, "disk-space"));
  space_available = G_GUINT64_CONSTANT (500) << 20;
  g_autoptr (LdbHealthIssue) little = found (db, "disk-space");
  g_assert_cmpint (little->severity, ==, LDB_SEVERITY_WARNING);
  g_assert_cmpuint (figure_of (little, "available_bytes"), ==, space_available);
  g_assert_cmpuint (figure_of (little, "total_bytes"), ==, SPACE_TOTAL);
  space_available = G_GUINT64_CONSTANT (20) << 20;
  g_autoptr (LdbHealthIssue) none = found (db, "disk-space");
  g_assert_cmpint (none->severity, ==, LDB_SEVERITY_CRITICAL);
  space_available = SPACE_TOTAL / 2;
  g_assert_false (is_found (db, "disk-space"));
  space_available = 0;
}

static guint64
stalls_of (LdbDatabase *db)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStats) stats = ldb_database_get_stats (db, &error);
  g_assert_no_error (error);
  return stats->stalls;
}

/* A disk on which no table in memory is written out before somebody waits for it. */
static void
test_stalls (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 10 << 20);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_autoptr (LdbMetrics) metrics = ldb_database_get_metrics (db, &error);
  g_autofree char *value = g_strnfill (4096, 'v');
  g_assert_no_error (error);
  ldb_test_put (db, "key", value);
  g_assert_false (is_found (db, "stalls"));
  g_atomic_pointer_set (&stalling, metrics);
  for (guint i = 0; stalls_of (db) < 4; i++)
    {
      char key[32];
      g_snprintf (key, sizeof key, "key-%u", i);
      ldb_test_put (db, key, value);
      if (stalls_of (db) == 3)
        g_atomic_int_set (&slow_sync, 200000); /* this wait is a long one */
    }
  g_atomic_int_set (&slow_sync, 0);
  g_atomic_pointer_set (&stalling, NULL);
  g_autoptr (LdbHealthIssue) issue = found (db, "stalls");
  g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_WARNING);
  g_assert_cmpuint (figure_of (issue, "stalls"), >=, 4);
  g_assert_cmpuint (figure_of (issue, "stall_ns"), >, 0);
}

/* Values that somebody holds on to are memory of the database's. */
static void
test_over_budget (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_autoptr (GPtrArray) held = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree guint8 *value = g_malloc (7000);
  ldb_options_set_cache_size (options, 10 << 20);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  for (guint i = 0; i < 4000; i++)
    {
      for (guint k = 0; k < 7000; k += 4) /* nothing compresses it */
        {
          guint32 noise = g_test_rand_int ();
          memcpy (value + k, &noise, MIN (4, 7000 - k));
        }
      ldb_database_put (db, &i, sizeof i, value, 7000, NULL, &error);
      g_assert_no_error (error);
    }
  ldb_database_compact (db, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (is_found (db, "over-budget"));
  for (guint i = 0; i < 4000; i++)
    g_ptr_array_add (held, ldb_database_get (db, &i, sizeof i, NULL, &error));
  g_assert_no_error (error);
  {
    g_autoptr (LdbHealthIssue) issue = found (db, "over-budget");
    g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_WARNING);
    g_assert_cmpuint (figure_of (issue, "budget_bytes"), ==, 10 << 20);
    g_assert_cmpuint (figure_of (issue, "used_bytes"), >, 11 << 20);
  }
  g_ptr_array_set_size (held, 0);
  ldb_database_evict_cache (db, 1, &error);
  g_assert_no_error (error);
  g_assert_false (is_found (db, "over-budget"));
}

static void
commit_many (LdbDatabase *db)
{
  for (guint i = 0; i < 1100; i++)
    ldb_test_put (db, "key", "value");
}

/* Whoever agreed to write there is told what that means; on a local disk nobody is. */
static void
test_network (Place *place, gconstpointer data)
{
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_network_file_systems (options, TRUE);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_assert_false (is_found (db, "network-file-system"));
  foreign_magic = NFS_SUPER_MAGIC;
  {
    g_autoptr (LdbHealthIssue) issue = found (db, "network-file-system");
    g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_WARNING);
    g_assert_nonnull (strstr (issue->summary, "(NFS)"));
  }
  foreign_magic = FUSE_SUPER_MAGIC;
  {
    g_autoptr (LdbHealthIssue) issue = found (db, "network-file-system");
    g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_ADVICE);
    g_assert_nonnull (strstr (issue->summary, "(FUSE)"));
  }
  foreign_magic = 0;
  g_assert_false (is_found (db, "network-file-system"));
}

/* Each commit waits for the disk; and the same load where none does. */
static void
test_sync_load (Place *place, gconstpointer data)
{
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_atomic_int_set (&slow_sync, 2000);
  {
    g_autoptr (LdbDatabase) db = place_open (place, NULL);
    commit_many (db);
    g_assert_false (is_found (db, "sync-load"));
  }
  ldb_options_set_wal_sync_mode (options, LDB_SYNC_MODE_FULL);
  g_autoptr (LdbDatabase) db = place_open (place, options);
  g_assert_false (is_found (db, "sync-load"));
  commit_many (db);
  g_atomic_int_set (&slow_sync, 0);
  g_autoptr (LdbHealthIssue) issue = found (db, "sync-load");
  g_assert_cmpint (issue->severity, ==, LDB_SEVERITY_ADVICE);
  g_assert_cmpuint (figure_of (issue, "commits"), ==, 1100);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--writer") == 0)
    return write_as_told (argv[2]);
  g_test_init (&argc, &argv, NULL);
  ldb_test_allow_warnings ();
  add_test ("/health-trials/watch-failing", test_watch_failing); /* before there are idle threads */
  add_test ("/health-trials/writes-refused", test_writes_refused);
  add_test ("/health-trials/flush-failing", test_flush_failing);
  add_test ("/health-trials/following-failing", test_following_failing);
  add_test ("/health-trials/disk-space", test_disk_space);
  add_test ("/health-trials/network", test_network);
  add_test ("/health-trials/stalls", test_stalls);
  add_test ("/health-trials/over-budget", test_over_budget);
  add_test ("/health-trials/sync-load", test_sync_load);
  return g_test_run ();
}
