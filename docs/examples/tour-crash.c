/* SPDX-License-Identifier: MIT */
#include "tour-crash.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFE_MAX_MICROSECONDS 250000
/* A small budget, so that kills also meet flushes and merges. */
#define CACHE_SIZE (10 * 1024 * 1024)

/* The stores that each transaction spans. */
struct pair
{
  LdbDatabase *database; /* owned */
  LdbStore *orders;      /* owned */
  LdbStore *ledger;      /* owned */
};

static void
pair_close (struct pair *pair)
{
  g_clear_object (&pair->orders);
  g_clear_object (&pair->ledger);
  if (pair->database != NULL)
    ldb_database_close (pair->database, NULL, NULL);
  g_clear_object (&pair->database);
}

static gboolean
pair_open (struct pair *pair, const char *path, GError **error)
{
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, CACHE_SIZE);
  *pair = (struct pair){ 0 };
  pair->database = ldb_database_open (path, LDB_OPEN_CREATE, options, NULL, error);
  if (pair->database == NULL)
    return FALSE;
  pair->orders = ldb_database_open_store (pair->database, "orders", LDB_OPEN_CREATE, NULL, error);
  if (pair->orders == NULL)
    return FALSE;
  pair->ledger = ldb_database_open_store (pair->database, "ledger", LDB_OPEN_CREATE, NULL, error);
  return pair->ledger != NULL;
}

static void
write_key (guint64 number, char key[17])
{
  g_snprintf (key, 17, "%016" G_GINT64_MODIFIER "x", number);
}

/* What commit `number` wrote: its number and a text that follows from it. */
static void
write_value (guint64 number, char value[200])
{
  memset (value, 0, 200);
  g_snprintf (value, 200, "%" G_GUINT64_FORMAT " ", number);
  guint64 state = number * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + 1;
  for (gsize i = strlen (value); i < 199; i++)
    {
      state = state * G_GUINT64_CONSTANT (6364136223846793005) + 1442695040888963407;
      value[i] = (char) ('a' + (state >> 33) % 26);
    }
}

/* ---- the child ---- */

static gboolean
find_last (LdbStore *store, guint64 *number, GError **error)
{
  g_autoptr (LdbCursor) cursor = ldb_store_scan (store, NULL, 0, NULL, 0, LDB_SCAN_NONE, error);
  GError *failure = NULL;
  *number = 0;
  if (cursor == NULL)
    return FALSE;
  if (ldb_cursor_last (cursor, NULL, &failure))
    {
      gsize size;
      const guint8 *key = ldb_cursor_peek_key (cursor, &size);
      g_autofree char *text = g_strndup ((const char *) key, size);
      *number = g_ascii_strtoull (text, NULL, 16);
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gboolean
commit_one (struct pair *pair, guint64 number, GError **error)
{
  char key[17], value[200];
  write_key (number, key);
  write_value (number, value);
  g_autoptr (LdbTransaction) transaction
      = ldb_database_begin (pair->database, LDB_TRANSACTION_NONE, error);
  return transaction != NULL
         && ldb_transaction_put (transaction, pair->orders, key, 16, value, 199, error)
         && ldb_transaction_put (transaction, pair->ledger, key, 16, value, 199, error)
         && ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, error);
}

int
tour_crash_write (const char *path)
{
  struct pair pair;
  guint64 number = 0;
  g_autoptr (GError) error = NULL;
  gboolean going = pair_open (&pair, path, &error) && find_last (pair.orders, &number, &error);
  while (going)
    {
      number++;
      going = commit_one (&pair, number, &error)
              && write (STDOUT_FILENO, &number, sizeof number) == (gssize) sizeof number;
    }
  fprintf (stderr, "tour: the writing process: %s\n",
           error != NULL ? error->message : g_strerror (errno));
  pair_close (&pair);
  return 1;
}

/* ---- the parent ---- */

/* Reads what is in the pipe into `*newest`. FALSE: its other end is closed. */
static gboolean
read_acknowledgements (int descriptor, guint64 *newest)
{
  guint64 numbers[512];
  gssize got = read (descriptor, numbers, sizeof numbers);
  if (got < 0 && errno == EINTR)
    return TRUE;
  /* Each number is written at once and far smaller than a pipe's atomic size. */
  if (got >= (gssize) sizeof numbers[0])
    *newest = numbers[got / (gssize) sizeof numbers[0] - 1];
  return got > 0;
}

/* Lets the child live for a random time, kills it, and gives its last acknowledgement. FALSE: the
 * child ended by itself. */
static gboolean
let_live_and_kill (GPid child, int descriptor, guint64 *newest)
{
  gint64 end = g_get_monotonic_time () + g_random_int_range (1000, LIFE_MAX_MICROSECONDS);
  gboolean open = TRUE;
  gint64 left;
  while (open && (left = end - g_get_monotonic_time ()) > 0)
    {
      struct pollfd wait = { .fd = descriptor, .events = POLLIN };
      if (poll (&wait, 1, (int) (left / 1000 + 1)) > 0)
        open = read_acknowledgements (descriptor, newest);
    }
  kill (child, SIGKILL);
  int status = 0;
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    continue;
  while (open && read_acknowledgements (descriptor, newest))
    continue;
  return WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL;
}

static gboolean
spawn_child (const char *path, GPid *child, int *descriptor, GError **error)
{
  const char *const arguments[] = { "/proc/self/exe", "--write", path, NULL };
  return g_spawn_async_with_pipes (NULL, (char **) arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                   NULL, child, NULL, descriptor, NULL, error);
}

static gboolean
fail_at (guint64 number, const char *what, GError **error)
{
  g_set_error (error, LDB_ERROR, LDB_ERROR_CORRUPT, "after a kill, commit %" G_GUINT64_FORMAT " %s",
               number, what);
  return FALSE;
}

/* Goes through a store and checks that it holds commits 1 … n, each as it was written. */
static gboolean
count_commits (LdbStore *store, guint64 *count, GError **error)
{
  g_autoptr (LdbCursor) cursor = ldb_store_scan (store, NULL, 0, NULL, 0, LDB_SCAN_NONE, error);
  GError *failure = NULL;
  *count = 0;
  if (cursor == NULL)
    return FALSE;
  while (ldb_cursor_next (cursor, NULL, &failure))
    {
      char key[17], value[200];
      gsize key_size, size;
      write_key (++*count, key);
      write_value (*count, value);
      const guint8 *found_key = ldb_cursor_peek_key (cursor, &key_size);
      const guint8 *found = ldb_cursor_peek_value (cursor, &size, &failure);
      if (failure != NULL)
        break;
      if (key_size != 16 || memcmp (found_key, key, 16) != 0)
        return fail_at (*count, "is missing in the middle", error);
      if (size != 199 || memcmp (found, value, 199) != 0)
        return fail_at (*count, "has other bytes than were written", error);
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gboolean
verify (struct pair *pair, guint64 acknowledged, struct tour_crash_result *result, GError **error)
{
  guint64 orders, ledger;
  if (!count_commits (pair->orders, &orders, error)
      || !count_commits (pair->ledger, &ledger, error))
    return FALSE;
  if (orders != ledger)
    return fail_at (MAX (orders, ledger), "is half applied: in one store only", error);
  if (orders < acknowledged)
    return fail_at (acknowledged, "was acknowledged and is missing", error);
  result->kept += orders - acknowledged;
  result->present = orders;
  return TRUE;
}

gboolean
tour_crash_once (const char *path, struct tour_crash_result *result, GError **error)
{
  GPid child;
  int descriptor;
  guint64 newest = result->present;
  if (!spawn_child (path, &child, &descriptor, error))
    return FALSE;
  gboolean killed = let_live_and_kill (child, descriptor, &newest);
  g_spawn_close_pid (child);
  close (descriptor);
  if (!killed)
    {
      g_set_error (error, LDB_ERROR, LDB_ERROR_FAILED,
                   "the writing process ended by itself; its message stands above");
      return FALSE;
    }
  struct pair pair;
  gint64 begun = g_get_monotonic_time ();
  gboolean good = pair_open (&pair, path, error);
  gint64 duration = g_get_monotonic_time () - begun;
  result->opening_microseconds += duration;
  result->worst_opening_microseconds = MAX (result->worst_opening_microseconds, duration);
  good = good && verify (&pair, newest, result, error);
  pair_close (&pair);
  return good;
}
