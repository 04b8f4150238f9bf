/* SPDX-License-Identifier: MIT */
/*
 * A tour of Lightning DB on real input: the package lists of a Debian system.
 *
 *   tour --packages FILE --directory DIRECTORY
 *
 * FILE is what `apt-cache dumpavail` prints. Loads it in bulk, looks packages up, scans, runs
 * transactions over two stores, kills a writing process at random moments and proves that nothing
 * it had acknowledged is missing, backs up, and checks everything. Each step prints what it did and
 * how long it took. The exit status is 0 only when every step found what it should.
 *
 * It uses the public API only, and is meant to be read.
 */
#include "tour-crash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tour
{
  char *packages_path;      /* the package lists */
  char *directory;          /* everything goes here; made anew */
  char *database_path;      /* below it */
  char *backup_path;        /* below it */
  int kills;                /* of the writing process */
  LdbDatabase *database;    /* open from load on */
  LdbStore *packages;       /* package name → stanza */
  LdbStore *sections;       /* section/package name → version */
  GPtrArray *names;         /* char *: of all packages, each once, in the order of the input */
  gint64 begun, step_begun; /* g_get_monotonic_time */
};

/* ---- saying what happens ---- */

static void
begin_step (struct tour *tour, const char *title)
{
  printf ("\n%s\n", title);
  fflush (stdout);
  tour->step_begun = g_get_monotonic_time ();
}

static double
seconds_of_step (const struct tour *tour)
{
  return (double) (g_get_monotonic_time () - tour->step_begun) / 1e6;
}

static void
end_step (const struct tour *tour)
{
  printf ("  took %.3f s\n", seconds_of_step (tour));
  fflush (stdout);
}

static void
show_progress (const char *label, guint64 done, guint64 total)
{
  static gint64 shown_at;
  gint64 now = g_get_monotonic_time ();
  gboolean last = done >= total;
  if (!isatty (STDERR_FILENO) || (!last && now - shown_at < 50000))
    return;
  shown_at = now;
  char bar[41];
  int full = total > 0 ? (int) (done * 40 / total) : 0;
  for (int i = 0; i < 40; i++)
    bar[i] = i < full ? '#' : '-';
  bar[40] = '\0';
  fprintf (stderr, "\r  %s [%s] %3d %%", label, bar, full * 100 / 40);
  if (last)
    fprintf (stderr, "\r\033[K");
}

static void
report_progress (guint64 done, guint64 total, const char *step, gpointer user_data)
{
  show_progress (user_data, done, total);
}

/* ---- 1. loading ---- */

/* The value of a field of a stanza that ends at `end`; NULL: it has none. Free it. */
static char *
copy_field (const char *stanza, const char *end, const char *name)
{
  gsize length = strlen (name);
  for (const char *line = stanza; line < end;)
    {
      const char *line_end = memchr (line, '\n', (gsize) (end - line));
      if (line_end == NULL)
        line_end = end;
      if ((gsize) (line_end - line) > length && strncmp (line, name, length) == 0
          && line[length] == ':')
        return g_strstrip (g_strndup (line + length + 1, (gsize) (line_end - line) - length - 1));
      line = line_end + 1;
    }
  return NULL;
}

/* Puts one stanza into both stores. */
static gboolean
load_stanza (struct tour *tour, LdbLoader *loader, GHashTable *seen, const char *stanza,
             const char *end, GError **error)
{
  g_autofree char *name = copy_field (stanza, end, "Package");
  g_autofree char *version = copy_field (stanza, end, "Version");
  g_autofree char *section = copy_field (stanza, end, "Section");
  if (name == NULL || version == NULL)
    return TRUE;
  g_autofree char *entry = g_strdup_printf ("%s/%s", section != NULL ? section : "none", name);
  if (!ldb_loader_put (loader, tour->packages, name, strlen (name), stanza, (gsize) (end - stanza),
                       error)
      || !ldb_loader_put (loader, tour->sections, entry, strlen (entry), version, strlen (version),
                          error))
    return FALSE;
  if (g_hash_table_add (seen, g_strdup (name)))
    g_ptr_array_add (tour->names, g_strdup (name));
  return TRUE;
}

static gboolean
load_text (struct tour *tour, LdbLoader *loader, const char *text, gsize size, guint64 *stanzas,
           GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *end = text + size;
  for (const char *stanza = text; stanza < end;)
    {
      const char *stanza_end = g_strstr_len (stanza, (gssize) (end - stanza), "\n\n");
      stanza_end = stanza_end != NULL ? stanza_end + 1 : end;
      if (!load_stanza (tour, loader, seen, stanza, stanza_end, error))
        return FALSE;
      (*stanzas)++;
      show_progress ("loading", (guint64) (stanza_end - text), size);
      for (stanza = stanza_end; stanza < end && *stanza == '\n';)
        stanza++;
    }
  return ldb_loader_commit (loader, NULL, error);
}

static gboolean
load (struct tour *tour, GError **error)
{
  begin_step (tour, "1. Load the package lists of this system in bulk, into two stores");
  g_autofree char *text = NULL;
  gsize size;
  guint64 stanzas = 0;
  if (!g_file_get_contents (tour->packages_path, &text, &size, error))
    return FALSE;
  tour->database = ldb_database_open (tour->database_path, LDB_OPEN_CREATE | LDB_OPEN_EXCLUSIVE,
                                      NULL, NULL, error);
  if (tour->database == NULL)
    return FALSE;
  tour->packages
      = ldb_database_open_store (tour->database, "packages", LDB_OPEN_CREATE, NULL, error);
  if (tour->packages == NULL)
    return FALSE;
  tour->sections
      = ldb_database_open_store (tour->database, "sections", LDB_OPEN_CREATE, NULL, error);
  if (tour->sections == NULL)
    return FALSE;
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (tour->database, error);
  if (loader == NULL || !load_text (tour, loader, text, size, &stanzas, error))
    return FALSE;
  double seconds = seconds_of_step (tour);
  printf ("  %" G_GUINT64_FORMAT " records, %.1f MB, in one durable commit: %.0f MB/s\n", stanzas,
          (double) size / 1e6, (double) size / 1e6 / seconds);
  printf ("  %u different packages\n", tour->names->len);
  end_step (tour);
  return TRUE;
}

/* ---- 2. looking up ---- */

static gboolean
show_package (struct tour *tour, const char *name, GError **error)
{
  GError *failure = NULL;
  g_autofree char *stanza = ldb_store_get_string (tour->packages, name, NULL, &failure);
  if (failure != NULL)
    return g_propagate_error (error, failure), FALSE;
  if (stanza == NULL)
    {
      printf ("  %-18s is not in these lists\n", name);
      return TRUE;
    }
  const char *end = stanza + strlen (stanza);
  g_autofree char *version = copy_field (stanza, end, "Version");
  g_autofree char *description = copy_field (stanza, end, "Description");
  printf ("  %-18s %-22s %s\n", name, version, description != NULL ? description : "");
  return TRUE;
}

static gboolean
look_up (struct tour *tour, GError **error)
{
  static const char *const some[]
      = { "bash", "git", "gnome-shell", "libglib2.0-0", "no-such-package" };
  begin_step (tour, "2. Look packages up");
  for (gsize i = 0; i < G_N_ELEMENTS (some); i++)
    if (!show_package (tour, some[i], error))
      return FALSE;
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  const guint rounds = 4 * tour->names->len;
  guint64 bytes = 0;
  gint64 begun = g_get_monotonic_time ();
  for (guint i = 0; i < rounds; i++)
    {
      const char *name
          = tour->names->pdata[g_rand_int_range (random, 0, (gint32) tour->names->len)];
      /* The value is lent, not copied. */
      g_auto (LdbView) view = LDB_VIEW_INIT;
      if (!ldb_store_peek (tour->packages, name, strlen (name), &view, error))
        {
          if (error == NULL || *error == NULL)
            g_set_error (error, LDB_ERROR, LDB_ERROR_CORRUPT, "package %s is gone", name);
          return FALSE;
        }
      bytes += view.size;
    }
  double seconds = (double) (g_get_monotonic_time () - begun) / 1e6;
  printf ("  %u random lookups, %.1f MB: %.0f lookups/s\n", rounds, (double) bytes / 1e6,
          rounds / seconds);
  end_step (tour);
  return TRUE;
}

/* ---- 3. scanning ---- */

static gboolean
scan (struct tour *tour, GError **error)
{
  static const char prefix[] = "python3-";
  begin_step (tour, "3. Scan: every package whose name begins with “python3-”, then backwards");
  for (int pass = 0; pass < 2; pass++)
    {
      LdbScanFlags flags = pass == 0 ? LDB_SCAN_NONE : LDB_SCAN_REVERSE;
      g_autoptr (LdbCursor) cursor
          = ldb_store_scan_prefix (tour->packages, prefix, strlen (prefix), flags, error);
      guint64 count = 0;
      GError *failure = NULL;
      g_autoptr (GString) first = g_string_new (NULL);
      if (cursor == NULL)
        return FALSE;
      while (ldb_cursor_next (cursor, NULL, &failure))
        if (count++ < 3)
          {
            gsize size;
            const guint8 *key = ldb_cursor_peek_key (cursor, &size);
            g_string_append_c (first, ' ');
            g_string_append_len (first, (const char *) key, (gssize) size);
          }
      if (failure != NULL)
        return g_propagate_error (error, failure), FALSE;
      printf ("  %s %" G_GUINT64_FORMAT ":%s …\n", pass == 0 ? "forwards " : "backwards", count,
              first->str);
    }
  end_step (tour);
  return TRUE;
}

/* ---- 4. transactions ---- */

struct hold
{
  LdbStore *held;   /* package → reason; borrowed */
  LdbStore *totals; /* “held” → how many; borrowed */
  const char *name; /* of the package */
  int attempts;     /* how often the function was called */
};

static guint64
parse_count (GBytes *text)
{
  gsize size = 0;
  const char *data = text != NULL ? g_bytes_get_data (text, &size) : "";
  g_autofree char *copy = g_strndup (data, size);
  return g_ascii_strtoull (copy, NULL, 10);
}

/* Holds a package: one record in each of two stores, both or none. */
static gboolean
hold_package (LdbTransaction *transaction, gpointer user_data, GError **error)
{
  struct hold *hold = user_data;
  GError *failure = NULL;
  hold->attempts++;
  g_autoptr (GBytes) total
      = ldb_transaction_get (transaction, hold->totals, "held", 4, NULL, &failure);
  if (failure != NULL)
    return g_propagate_error (error, failure), FALSE;
  if (hold->attempts == 1)
    {
      /* Somebody else commits in between: the first attempt must conflict. */
      g_autofree char *other = g_strdup_printf ("%" G_GUINT64_FORMAT, parse_count (total) + 1);
      if (!ldb_store_put_string (hold->totals, "held", other, NULL, error)
          || !ldb_store_put_string (hold->held, "git", "somebody else", NULL, error))
        return FALSE;
    }
  g_autofree char *next = g_strdup_printf ("%" G_GUINT64_FORMAT, parse_count (total) + 1);
  return ldb_transaction_put_string (transaction, hold->held, hold->name, "tour", error)
         && ldb_transaction_put_string (transaction, hold->totals, "held", next, error);
}

static gboolean
transact (struct tour *tour, GError **error)
{
  begin_step (tour, "4. A transaction over two stores, in conflict with another writer, retried");
  g_autoptr (LdbStore) held
      = ldb_database_open_store (tour->database, "held", LDB_OPEN_CREATE, NULL, error);
  g_autoptr (LdbStore) totals
      = held != NULL
            ? ldb_database_open_store (tour->database, "totals", LDB_OPEN_CREATE, NULL, error)
            : NULL;
  if (totals == NULL)
    return FALSE;
  struct hold hold = { .held = held, .totals = totals, .name = "bash" };
  if (!ldb_database_run_transaction (tour->database, LDB_TRANSACTION_NONE, hold_package, &hold,
                                     NULL, error))
    return FALSE;
  g_autofree char *total = ldb_store_get_string (totals, "held", NULL, error);
  g_autofree char *reason = total != NULL ? ldb_store_get_string (held, "bash", NULL, error) : NULL;
  if (reason == NULL || strcmp (total, "2") != 0 || hold.attempts != 2)
    {
      if (error != NULL && *error == NULL)
        g_set_error (error, LDB_ERROR, LDB_ERROR_FAILED,
                     "an update was lost: total %s after %d attempts", total, hold.attempts);
      return FALSE;
    }
  printf ("  bash held in store “held”, total %s in store “totals”\n", total);
  printf ("  %d attempts: the first conflicted and was repeated; no update was lost\n",
          hold.attempts);
  end_step (tour);
  return TRUE;
}

/* ---- 5. killing ---- */

static gboolean
kill_writers (struct tour *tour, GError **error)
{
  begin_step (tour, "5. Kill a writing process at random moments, and recover");
  g_autofree char *path = g_build_filename (tour->directory, "crash.db", NULL);
  struct tour_crash_result result = { 0 };
  for (int i = 0; i < tour->kills; i++)
    {
      if (!tour_crash_once (path, &result, error))
        return FALSE;
      show_progress ("killing", (guint64) i + 1, (guint64) tour->kills);
    }
  printf ("  %d kills; %" G_GUINT64_FORMAT " transactions over two stores acknowledged\n",
          tour->kills, result.present - result.kept);
  printf ("  acknowledged and missing: 0; half-applied: 0; not acknowledged but kept: "
          "%" G_GUINT64_FORMAT "\n",
          result.kept);
  printf ("  opening after a kill took %.1f ms on average, %.1f ms at most\n",
          (double) result.opening_microseconds / 1e3 / tour->kills,
          (double) result.worst_opening_microseconds / 1e3);
  end_step (tour);
  return TRUE;
}

/* ---- 6. backing up ---- */

/* Goes through the package stores of both databases side by side. FALSE: error; they differ. */
static gboolean
compare_stores (LdbStore *ours, LdbStore *theirs, guint64 *count, GError **error)
{
  g_autoptr (LdbCursor) left = ldb_store_scan (ours, NULL, 0, NULL, 0, LDB_SCAN_NONE, error);
  g_autoptr (LdbCursor) right
      = left != NULL ? ldb_store_scan (theirs, NULL, 0, NULL, 0, LDB_SCAN_NONE, error) : NULL;
  GError *failure = NULL;
  gboolean equal = right != NULL;
  while (equal && failure == NULL && ldb_cursor_next (left, NULL, &failure))
    {
      equal = ldb_cursor_next (right, NULL, &failure);
      if (failure != NULL || !equal)
        break;
      g_autoptr (GBytes) left_key = ldb_cursor_get_key (left);
      g_autoptr (GBytes) right_key = ldb_cursor_get_key (right);
      g_autoptr (GBytes) left_value = ldb_cursor_get_value (left, NULL, &failure);
      if (failure != NULL)
        break;
      g_autoptr (GBytes) right_value = ldb_cursor_get_value (right, NULL, &failure);
      if (failure != NULL)
        break;
      equal = g_bytes_equal (left_key, right_key) && g_bytes_equal (left_value, right_value);
      (*count)++;
    }
  if (equal && failure == NULL)
    equal = !ldb_cursor_next (right, NULL, &failure);
  if (failure != NULL)
    return g_propagate_error (error, failure), FALSE;
  if (!equal && right != NULL)
    g_set_error (error, LDB_ERROR, LDB_ERROR_CORRUPT,
                 "the backup differs at record %" G_GUINT64_FORMAT, *count);
  return equal;
}

static gboolean
compare_backup (struct tour *tour, GError **error)
{
  guint64 count = 0;
  g_autoptr (LdbDatabase) backup
      = ldb_database_open (tour->backup_path, LDB_OPEN_READ_ONLY, NULL, NULL, error);
  g_autoptr (LdbStore) store
      = backup != NULL ? ldb_database_open_store (backup, "packages", LDB_OPEN_NONE, NULL, error)
                       : NULL;
  if (store == NULL || !compare_stores (tour->packages, store, &count, error)
      || !ldb_database_close (backup, NULL, error))
    return FALSE;
  printf ("  opened the backup: %" G_GUINT64_FORMAT " packages, every byte as in the original\n",
          count);
  return TRUE;
}

static gboolean
back_up (struct tour *tour, GError **error)
{
  begin_step (tour, "6. Back up while it is open; write; back up again, which copies what is new");
  for (int pass = 0; pass < 2; pass++)
    {
      if (pass == 1
          && !ldb_store_put_string (tour->packages, "tour", "Package: tour\nVersion: 1\n", NULL,
                                    error))
        return FALSE;
      g_autoptr (LdbBackupResult) result
          = ldb_database_backup (tour->database, tour->backup_path, LDB_BACKUP_VERIFY,
                                 report_progress, (gpointer) "backing up", NULL, error);
      if (result == NULL)
        return FALSE;
      printf ("  %s: %" G_GUINT64_FORMAT " files, %.1f MB; copied %" G_GUINT64_FORMAT
              " (%.1f MB), linked %" G_GUINT64_FORMAT ", sharing blocks %" G_GUINT64_FORMAT
              ", there already %" G_GUINT64_FORMAT "\n",
              pass == 0 ? "full       " : "incremental", result->files,
              (double) result->bytes / 1e6, result->copied_files,
              (double) result->copied_bytes / 1e6, result->linked_files, result->reflinked_files,
              result->kept_files);
    }
  if (!compare_backup (tour, error))
    return FALSE;
  end_step (tour);
  return TRUE;
}

/* ---- 7. checking ---- */

static gboolean
check_path (const char *title, const char *path, GError **error)
{
  g_autoptr (LdbCheckReport) report = ldb_database_check_path (
      path, LDB_CHECK_DEEP, report_progress, (gpointer) "checking", NULL, error);
  if (report == NULL)
    return FALSE;
  printf ("  %-12s %" G_GUINT64_FORMAT " pages, %" G_GUINT64_FORMAT " records, %.1f MB read: "
          "%" G_GUINT64_FORMAT " faults\n",
          title, report->pages, report->records, (double) report->bytes / 1e6, report->fault_count);
  if (report->fault_count == 0)
    return TRUE;
  GPtrArray *faults = ldb_check_report_get_faults (report);
  const LdbFault *first = faults->len > 0 ? faults->pdata[0] : NULL;
  g_set_error (error, LDB_ERROR, LDB_ERROR_CORRUPT, "%s: %s: %s", path,
               first != NULL ? first->file : "", first != NULL ? first->reason : "faults found");
  return FALSE;
}

static gboolean
check (struct tour *tour, GError **error)
{
  begin_step (tour, "7. Check everything deeply: every page, every value");
  g_autofree char *crash_path = g_build_filename (tour->directory, "crash.db", NULL);
  if (!ldb_database_compact (tour->database, NULL, NULL, NULL, error))
    return FALSE;
  g_autoptr (LdbStats) stats = ldb_database_get_stats (tour->database, error);
  if (stats == NULL)
    return FALSE;
  g_clear_object (&tour->packages);
  g_clear_object (&tour->sections);
  if (!ldb_database_close (tour->database, NULL, error)
      || !check_path ("database", tour->database_path, error)
      || !check_path ("backup", tour->backup_path, error)
      || !check_path ("after kills", crash_path, error))
    return FALSE;
  printf ("  on disk: %.1f MB for %.1f MB of keys and values, %" G_GUINT64_FORMAT
          " sorted run, B+Tree depth %" G_GUINT64_FORMAT ", pages %.0f %% full\n",
          (double) stats->disk_bytes / 1e6, (double) stats->data_bytes / 1e6, stats->runs,
          stats->tree_depth, stats->page_utilisation * 100);
  end_step (tour);
  return TRUE;
}

/* ---- all together ---- */

static gboolean
prepare (struct tour *tour, GError **error)
{
  if (g_mkdir_with_parents (tour->directory, 0700) != 0)
    {
      g_set_error (error, G_FILE_ERROR, (int) g_file_error_from_errno (errno),
                   "%s cannot be made: %s", tour->directory, g_strerror (errno));
      return FALSE;
    }
  tour->database_path = g_build_filename (tour->directory, "packages.db", NULL);
  tour->backup_path = g_build_filename (tour->directory, "backup.db", NULL);
  tour->names = g_ptr_array_new_with_free_func (g_free);
  tour->begun = g_get_monotonic_time ();
  return TRUE;
}

static gboolean
run (struct tour *tour, GError **error)
{
  return prepare (tour, error) && load (tour, error) && look_up (tour, error) && scan (tour, error)
         && transact (tour, error) && kill_writers (tour, error) && back_up (tour, error)
         && check (tour, error);
}

int
main (int argc, char **argv)
{
  struct tour tour = { .kills = 25 };
  char *write_path = NULL;
  const GOptionEntry entries[] = {
    { "packages", 0, 0, G_OPTION_ARG_FILENAME, &tour.packages_path,
      "What “apt-cache dumpavail” prints", "FILE" },
    { "directory", 0, 0, G_OPTION_ARG_FILENAME, &tour.directory,
      "Where the databases go; must not hold them yet", "DIRECTORY" },
    { "kills", 0, 0, G_OPTION_ARG_INT, &tour.kills, "How often to kill the writer (25)", "COUNT" },
    { "write", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &write_path, NULL, NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  gboolean parsed = g_option_context_parse (context, &argc, &argv, &error);
  if (parsed && write_path != NULL)
    return tour_crash_write (write_path);
  if (parsed && (tour.packages_path == NULL || tour.directory == NULL || tour.kills < 1))
    {
      g_autofree char *help = g_option_context_get_help (context, TRUE, NULL);
      fputs (help, stderr);
      return 2;
    }
  if (!parsed || !run (&tour, &error))
    {
      fprintf (stderr, "tour: %s\n", error != NULL ? error->message : "failed");
      return 1;
    }
  printf ("\nThe whole tour took %.1f s. Everything was as it should be.\n",
          (double) (g_get_monotonic_time () - tour.begun) / 1e6);
  g_clear_object (&tour.database);
  g_ptr_array_unref (tour.names);
  g_free (tour.packages_path);
  g_free (tour.directory);
  g_free (tour.database_path);
  g_free (tour.backup_path);
  return 0;
}
