/* SPDX-License-Identifier: MIT */
/* Whole databases: create, stores, compact, checkpoint, backup, restore, repair. */
#include "upkeep.h"

#include "progress.h"
#include "text-form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static JsonBuilder *
begin_object (void)
{
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  return builder;
}

static void
end_object (JsonBuilder *builder)
{
  json_builder_end_object (builder);
  command_print_json (builder);
}

/* ---- create ---- */

enum exit_status
create_run (struct invocation *invocation)
{
  GError *error = NULL;
  if (!command_parse (invocation, NULL, NULL,
                      _ ("The database is a directory, readable by its owner only. Its page size "
                         "is fixed here: --option page-size=16KiB."),
                      &error)
      || !command_open (invocation, LDB_OPEN_CREATE | LDB_OPEN_EXCLUSIVE, &error)
      || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  g_autofree char *path = g_filename_display_name (ldb_database_get_path (invocation->database));
  g_autofree char *id = g_strdup (ldb_database_get_id (invocation->database));
  if (!command_close (invocation, &error))
    return command_fail (invocation, error);
  if (invocation->json)
    {
      JsonBuilder *builder = begin_object ();
      command_add_text (builder, "path", path);
      command_add_text (builder, "id", id);
      end_object (builder);
    }
  else if (!invocation->quiet)
    printf (_ ("Created %s\n"), path);
  return EXIT_STATUS_DONE;
}

/* ---- stores ---- */

/* One a line, escaped: a name may have any characters, also such as end a line or steer a terminal. */
static void
print_names (char **names)
{
  g_autoptr (GString) line = g_string_new (NULL);
  for (gsize i = 0; names[i] != NULL; i++)
    {
      g_string_truncate (line, 0);
      text_form_append_escaped (line, (const guint8 *) names[i], strlen (names[i]));
      puts (line->str);
    }
}

static gboolean
list_stores (struct invocation *invocation, GError **error)
{
  g_auto (GStrv) names = ldb_database_list_stores (invocation->database, NULL, error);
  if (names == NULL)
    return FALSE;
  if (!invocation->json)
    {
      print_names (names);
      return TRUE;
    }
  JsonBuilder *builder = begin_object ();
  json_builder_set_member_name (builder, "stores");
  json_builder_begin_array (builder);
  for (gsize i = 0; names[i] != NULL; i++)
    json_builder_add_string_value (builder, names[i]);
  json_builder_end_array (builder);
  end_object (builder);
  return TRUE;
}

static gboolean
change_stores (struct invocation *invocation, const char *create, const char *drop, GError **error)
{
  if (create != NULL)
    {
      g_autoptr (LdbStore) store
          = ldb_database_open_store (invocation->database, create, LDB_OPEN_CREATE, NULL, error);
      if (store == NULL)
        return FALSE;
    }
  return drop == NULL || ldb_database_drop_store (invocation->database, drop, NULL, error);
}

static void
print_stores_changed (const char *create, const char *drop, guint64 sequence)
{
  JsonBuilder *builder = begin_object ();
  if (create != NULL)
    command_add_text (builder, "created", create);
  if (drop != NULL)
    command_add_text (builder, "dropped", drop);
  command_add_number (builder, "sequence", sequence);
  end_object (builder);
}

enum exit_status
stores_run (struct invocation *invocation)
{
  g_autofree char *create = NULL;
  g_autofree char *drop = NULL;
  const GOptionEntry entries[] = {
    { "create", 0, 0, G_OPTION_ARG_STRING, &create, N_ ("Make a store"), N_ ("NAME") },
    { "drop", 0, 0, G_OPTION_ARG_STRING, &drop, N_ ("Drop a store with everything in it"),
      N_ ("NAME") },
    { NULL },
  };
  GError *error = NULL;
  if (!command_parse (invocation, entries, NULL,
                      _ ("Without options it lists the stores. Dropping “default” empties it."),
                      &error))
    return command_fail (invocation, error);
  gboolean writes = create != NULL || drop != NULL;
  if (!command_open (invocation, writes ? LDB_OPEN_NONE : LDB_OPEN_READ_ONLY, &error)
      || !command_finish (invocation, &error)
      || !(writes ? change_stores (invocation, create, drop, &error)
                  : list_stores (invocation, &error)))
    return command_fail (invocation, error);
  guint64 sequence = ldb_database_get_sequence (invocation->database);
  if (!command_close (invocation, &error))
    return command_fail (invocation, error);
  if (writes && invocation->json)
    print_stores_changed (create, drop, sequence);
  return EXIT_STATUS_DONE;
}

/* ---- compact and checkpoint ---- */

static guint64
disk_bytes (struct invocation *invocation)
{
  g_autoptr (LdbStats) stats = invocation->inspector != NULL
                                   ? ldb_inspector_get_stats (invocation->inspector, NULL, NULL)
                                   : ldb_database_get_stats (invocation->database, NULL);
  return stats != NULL ? stats->disk_bytes : 0;
}

static void
print_sizes (struct invocation *invocation, const char *done, guint64 before, guint64 after,
             gint64 duration)
{
  if (invocation->json)
    {
      JsonBuilder *builder = begin_object ();
      command_add_number (builder, "bytes_before", before);
      command_add_number (builder, "bytes_after", after);
      command_add_number (builder, "microseconds", (guint64) duration);
      end_object (builder);
    }
  else if (!invocation->quiet)
    {
      g_autofree char *size_before = command_format_size (before);
      g_autofree char *size_after = command_format_size (after);
      g_autofree char *time = command_format_seconds (duration);
      printf (_ ("%s: %s before, %s now, in %s\n"), done, size_before, size_after, time);
    }
}

static gboolean
compact (struct invocation *invocation, gint64 *duration, GError **error)
{
  struct progress progress;
  progress_begin (&progress, _ ("Compacting"), TRUE, invocation->quiet);
  if (invocation->inspector != NULL)
    progress_watch (&progress);
  gboolean done = invocation->inspector != NULL
                      ? ldb_inspector_compact (invocation->inspector, progress_report, &progress,
                                               progress.cancellable, error)
                      : ldb_database_compact (invocation->database, progress_report, &progress,
                                              progress.cancellable, error);
  *duration = progress_end (&progress);
  return done;
}

enum exit_status
compact_run (struct invocation *invocation)
{
  GError *error = NULL;
  if (!command_parse (invocation, NULL, NULL,
                      _ ("Merges everything to one run, whatever it costs. A database does that by "
                         "itself when it is quiet; this is for taking the space back at once. An "
                         "application that has it open and lets itself be controlled does it "
                         "there."),
                      &error)
      || !command_open_control (invocation, FALSE, &error) || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  guint64 before = disk_bytes (invocation);
  gint64 duration;
  gboolean done = compact (invocation, &duration, &error);
  guint64 after = disk_bytes (invocation);
  if (!done || !command_close (invocation, &error))
    return command_fail (invocation, error);
  print_sizes (invocation, _ ("Compacted"), before, after, duration);
  return EXIT_STATUS_DONE;
}

enum exit_status
checkpoint_run (struct invocation *invocation)
{
  GError *error = NULL;
  if (!command_parse (invocation, NULL, NULL,
                      _ ("Writes everything that is only in the log to segments and empties the "
                         "log, for example before a file system snapshot. An application that has "
                         "it open and lets itself be controlled does it there."),
                      &error)
      || !command_open_control (invocation, FALSE, &error) || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  guint64 before = disk_bytes (invocation);
  gint64 begun = g_get_monotonic_time ();
  gboolean done = invocation->inspector != NULL
                      ? ldb_inspector_checkpoint (invocation->inspector, NULL, &error)
                      : ldb_database_checkpoint (invocation->database, NULL, &error);
  gint64 duration = g_get_monotonic_time () - begun;
  guint64 after = disk_bytes (invocation);
  if (!done || !command_close (invocation, &error))
    return command_fail (invocation, error);
  print_sizes (invocation, _ ("Checkpoint"), before, after, duration);
  return EXIT_STATUS_DONE;
}

/* ---- backup and restore ---- */

static void
print_backup (struct invocation *invocation, const LdbBackupResult *result, const char *path,
              gint64 duration)
{
  if (invocation->json)
    {
      JsonBuilder *builder = begin_object ();
      command_add_number (builder, "sequence", result->sequence);
      command_add_number (builder, "files", result->files);
      command_add_number (builder, "bytes", result->bytes);
      command_add_number (builder, "copied_files", result->copied_files);
      command_add_number (builder, "copied_bytes", result->copied_bytes);
      command_add_number (builder, "linked_files", result->linked_files);
      command_add_number (builder, "reflinked_files", result->reflinked_files);
      command_add_number (builder, "kept_files", result->kept_files);
      command_add_number (builder, "microseconds", (guint64) duration);
      end_object (builder);
      return;
    }
  if (invocation->quiet)
    return;
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *size = command_format_size (result->bytes);
  g_autofree char *copied = command_format_size (result->copied_bytes);
  g_autofree char *time = command_format_seconds (duration);
  printf (_ ("Backed up to %s: commit %" PRIu64 ", %s (files: %" PRIu64 "), in %s\n"), shown,
          result->sequence, size, result->files, time);
  printf (_ ("  %" PRIu64 " copied (%s), %" PRIu64 " linked, %" PRIu64 " share blocks, %" PRIu64
             " were there already\n"),
          result->copied_files, copied, result->linked_files, result->reflinked_files,
          result->kept_files);
}

static LdbBackupResult *
back_up (struct invocation *invocation, const char *path, LdbBackupFlags flags, gint64 *duration,
         GError **error)
{
  struct progress progress;
  LdbBackupResult *result;
  progress_begin (&progress, _ ("Backing up"), TRUE, invocation->quiet);
  if (invocation->inspector != NULL)
    {
      g_autofree char *whole = g_canonicalize_filename (path, NULL);
      progress_watch (&progress);
      result = ldb_inspector_backup (invocation->inspector, whole, flags, progress_report,
                                     &progress, progress.cancellable, error);
    }
  else
    result = ldb_database_backup (invocation->database, path, flags, progress_report, &progress,
                                  progress.cancellable, error);
  *duration = progress_end (&progress);
  return result;
}

enum exit_status
backup_run (struct invocation *invocation)
{
  gboolean no_verify = FALSE;
  const GOptionEntry entries[] = {
    { "no-verify", 0, 0, G_OPTION_ARG_NONE, &no_verify,
      N_ ("Do not read the backup again to verify it"), NULL },
    { NULL },
  };
  GError *error = NULL;
  const char *path;
  if (!command_parse (invocation, entries, NULL,
                      _ ("PATH is created. An earlier backup of the same database is brought up to "
                         "date: only files that it lacks are copied. The backup is a database: it "
                         "can be opened, checked and restored. An application that has the "
                         "database open to write makes it, if it lets itself be controlled."),
                      &error)
      || !command_open_control (invocation, TRUE, &error)
      || (path = command_take (invocation, _ ("PATH"), &error)) == NULL
      || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  gint64 duration;
  g_autoptr (LdbBackupResult) result = back_up (
      invocation, path, no_verify ? LDB_BACKUP_NONE : LDB_BACKUP_VERIFY, &duration, &error);
  if (result == NULL || !command_close (invocation, &error))
    return command_fail (invocation, error);
  print_backup (invocation, result, path, duration);
  return EXIT_STATUS_DONE;
}

enum exit_status
restore_run (struct invocation *invocation)
{
  GError *error = NULL;
  const char *backup, *path = NULL;
  if (!command_parse (invocation, NULL, NULL,
                      _ ("Copies a backup, or any database that nobody has open, to PATH, which "
                         "must not exist, and verifies it."),
                      &error)
      || (backup = command_take (invocation, _ ("BACKUP"), &error)) == NULL
      || (path = command_take (invocation, _ ("PATH"), &error)) == NULL
      || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  struct progress progress;
  progress_begin (&progress, _ ("Restoring"), TRUE, invocation->quiet);
  gboolean done = ldb_database_restore (backup, path, progress_report, &progress,
                                        progress.cancellable, &error);
  gint64 duration = progress_end (&progress);
  if (!done)
    return command_fail (invocation, error);
  g_autofree char *shown = g_filename_display_name (path);
  if (invocation->json)
    {
      JsonBuilder *builder = begin_object ();
      command_add_text (builder, "path", shown);
      command_add_number (builder, "microseconds", (guint64) duration);
      end_object (builder);
    }
  else if (!invocation->quiet)
    {
      g_autofree char *time = command_format_seconds (duration);
      printf (_ ("Restored to %s and verified, in %s\n"), shown, time);
    }
  return EXIT_STATUS_DONE;
}

/* ---- repair ---- */

static void
print_repair (struct invocation *invocation, LdbRepairReport *report, const char *destination)
{
  GPtrArray *lost = ldb_repair_report_get_lost (report);
  if (invocation->json)
    {
      JsonBuilder *builder = begin_object ();
      command_add_number (builder, "records", report->records);
      command_add_number (builder, "lost_pages", report->lost_pages);
      command_add_number (builder, "lost_log_bytes", report->lost_log_bytes);
      command_add_number (builder, "files_skipped", report->files_skipped);
      add_faults (builder, "lost", lost);
      end_object (builder);
      return;
    }
  g_autofree char *count = command_format_count (report->records);
  g_autofree char *shown = g_filename_display_name (destination);
  printf (
      ngettext ("Saved %s record to %s\n", "Saved %s records to %s\n", (gulong) report->records),
      count, shown);
  if (lost->len == 0)
    puts (_ ("Nothing was lost"));
  else
    printf (
        _ ("Lost pages: %" PRIu64 ", bytes of the log: %" PRIu64 ", whole files: %" PRIu64 "\n"),
        report->lost_pages, report->lost_log_bytes, report->files_skipped);
  print_faults (lost, 20);
}

enum exit_status
repair_run (struct invocation *invocation)
{
  GError *error = NULL;
  const char *path, *destination = NULL;
  if (!command_parse (invocation, NULL, NULL,
                      _ ("Saves everything that verifies from a damaged database into a new one at "
                         "DESTINATION. The damaged one is only read, and stays as it is. Exit "
                         "status: 0 when nothing was lost, 1 when something was."),
                      &error)
      || (path = command_take (invocation, _ ("DATABASE"), &error)) == NULL
      || (destination = command_take (invocation, _ ("DESTINATION"), &error)) == NULL
      || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  struct progress progress;
  progress_begin (&progress, _ ("Repairing"), TRUE, invocation->quiet);
  g_autoptr (LdbRepairReport) report = ldb_database_repair (
      path, destination, progress_report, &progress, progress.cancellable, &error);
  progress_end (&progress);
  if (report == NULL)
    return command_fail (invocation, error);
  print_repair (invocation, report, destination);
  return ldb_repair_report_get_lost (report)->len == 0 ? EXIT_STATUS_DONE : EXIT_STATUS_NEGATIVE;
}
