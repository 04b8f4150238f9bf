/* SPDX-License-Identifier: MIT */
/* Writing a database as text: dump. The form is described in dump.h. */
#include "dump.h"

#include "output-file.h"
#include "progress.h"
#include "text-form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_BLOCK 65536

struct dump
{
  struct output_file to; /* where it goes */
  GString *output;       /* not written yet; owned */
  GChecksum *checksum;   /* of everything written; owned */
  guint64 records;       /* so far */
  guint64 total;         /* expected, for the progress; 0 unknown */
  struct progress progress;
};

static gboolean
write_output (struct dump *dump, gsize least, GError **error)
{
  if (dump->output->len < least)
    return TRUE;
  g_checksum_update (dump->checksum, (const guchar *) dump->output->str,
                     (gssize) dump->output->len);
  gboolean written
      = fwrite (dump->output->str, 1, dump->output->len, dump->to.file) == dump->output->len;
  g_string_truncate (dump->output, 0);
  return written || output_file_fail (&dump->to, error);
}

static void
dump_clear (struct dump *dump)
{
  output_file_clear (&dump->to);
  g_string_free (dump->output, TRUE);
  g_checksum_free (dump->checksum);
}

static gboolean
dump_record (struct dump *dump, const guint8 *key, gsize key_size, const guint8 *value, gsize size,
             GError **error)
{
  g_string_append (dump->output, "+ ");
  text_form_append_escaped (dump->output, key, key_size);
  g_string_append_c (dump->output, '\t');
  text_form_append_escaped (dump->output, value, size);
  g_string_append_c (dump->output, '\n');
  dump->records++;
  progress_update (&dump->progress, dump->records, MAX (dump->total, dump->records));
  return write_output (dump, OUTPUT_BLOCK, error);
}

static gboolean
dump_store (struct dump *dump, LdbDatabase *database, LdbSnapshot *snapshot, const char *name,
            GError **error)
{
  g_autoptr (LdbStore) store = ldb_database_open_store (database, name, LDB_OPEN_NONE, NULL, error);
  if (store == NULL)
    return FALSE;
  g_autoptr (LdbCursor) cursor
      = ldb_snapshot_scan (snapshot, store, NULL, 0, NULL, 0, LDB_SCAN_NONE, error);
  if (cursor == NULL)
    return FALSE;
  g_string_append (dump->output, "store ");
  text_form_append_escaped (dump->output, (const guint8 *) name, strlen (name));
  g_string_append_c (dump->output, '\n');
  GError *failure = NULL;
  const guint8 *key, *value;
  gsize key_size, size;
  while (ldb_cursor_peek_next (cursor, &key, &key_size, &value, &size, &failure))
    if (command_is_interrupted ())
      return output_file_fail_interrupted (&dump->to, error);
    else if (!dump_record (dump, key, key_size, value, size, error))
      return FALSE;
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gboolean
dump_stores (struct dump *dump, LdbDatabase *database, char **names, GError **error)
{
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (database, error);
  if (snapshot == NULL)
    return FALSE;
  g_string_append (dump->output, DUMP_HEADER "\n");
  for (gsize i = 0; names[i] != NULL; i++)
    if (!dump_store (dump, database, snapshot, names[i], error))
      return FALSE;
  if (!write_output (dump, 0, error))
    return FALSE;
  g_autofree char *end = g_strdup_printf ("end %" PRIu64 " %s\n", dump->records,
                                          g_checksum_get_string (dump->checksum));
  if (fputs (end, dump->to.file) < 0)
    return output_file_fail (&dump->to, error);
  return output_file_finish (&dump->to, error);
}

static char **
choose_stores (struct invocation *invocation, GError **error)
{
  if (invocation->store_name == NULL)
    return ldb_database_list_stores (invocation->database, NULL, error);
  const char *const names[] = { invocation->store_name, NULL };
  return g_strdupv ((char **) names);
}

static gboolean
dump_to (struct invocation *invocation, const char *path, GError **error)
{
  g_auto (GStrv) names = choose_stores (invocation, error);
  if (names == NULL)
    return FALSE;
  struct dump dump
      = { .to = { .unfinished = _ ("interrupted; the dump ends before its “end” line") },
          .output = g_string_new (NULL),
          .checksum = g_checksum_new (G_CHECKSUM_SHA256) };
  g_autoptr (LdbStats) stats = ldb_database_get_stats (invocation->database, NULL);
  dump.total = stats != NULL ? stats->keys : 0;
  progress_begin (&dump.progress, _ ("Dumping"), FALSE, invocation->quiet);
  gboolean done
      = output_file_open (&dump.to, path, ldb_database_get_path (invocation->database), error)
        && dump_stores (&dump, invocation->database, names, error);
  gint64 duration = progress_end (&dump.progress);
  if (done && dump.to.path != NULL && !invocation->quiet)
    {
      g_autofree char *count = command_format_count (dump.records);
      g_autofree char *time = command_format_seconds (duration);
      fprintf (stderr,
               ngettext ("Dumped %s record to %s in %s\n", "Dumped %s records to %s in %s\n",
                         (gulong) dump.records),
               count, dump.to.path, time);
    }
  dump_clear (&dump);
  return done;
}

enum exit_status
dump_run (struct invocation *invocation)
{
  GError *error = NULL;
  const char *path = NULL;
  if (!command_parse (invocation, NULL, NULL,
                      _ ("Writes all stores, or the one of --store, as text that “load” takes back "
                         "byte for byte, to FILE or to standard output. It is the state of one "
                         "commit, also while others write."),
                      &error)
      || !command_open (invocation, LDB_OPEN_READ_ONLY, &error)
      || (invocation->next_argument < invocation->argument_count
          && (path = command_take (invocation, _ ("FILE"), &error)) == NULL)
      || !command_finish (invocation, &error) || !dump_to (invocation, path, &error))
    return command_fail (invocation, error);
  return EXIT_STATUS_DONE;
}
