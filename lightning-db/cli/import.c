/* SPDX-License-Identifier: MIT */
#include "import.h"

#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REPORTED_MAX 20 /* of skipped records; the rest is only counted */

struct importing
{
  struct invocation *invocation;        /* borrowed */
  const struct import_options *options; /* borrowed */
  const struct import_source *source;   /* borrowed */
  struct input *input;                  /* borrowed */
  LdbLoader *loader;                    /* owned */
  struct import_record record;          /* owned */
  guint64 records;                      /* given to the loader */
  guint64 skipped;                      /* because they break the rules */
  guint64 bytes;                        /* of the keys and values loaded */
  struct progress progress;
};

/* TRUE when the record was skipped. */
static gboolean
skip (struct importing *importing, GError *failure, GError **error)
{
  if (!importing->options->skip_bad)
    {
      const char *remedy = _ ("nothing was imported; --skip-bad leaves such records out");
      g_set_error (error, failure->domain, failure->code, "%s (%s)", failure->message, remedy);
      g_error_free (failure);
      return FALSE;
    }
  importing->skipped++;
  if (importing->skipped <= REPORTED_MAX)
    fprintf (stderr, _ ("lightning-cli: skipped: %s\n"), failure->message);
  else if (importing->skipped == REPORTED_MAX + 1)
    fputs (_ ("lightning-cli: more was skipped and is only counted\n"), stderr);
  g_error_free (failure);
  return TRUE;
}

/* Whether the record is to blame, not the disk. */
static gboolean
concerns_record (const GError *error)
{
  return g_error_matches (error, LDB_ERROR, LDB_ERROR_KEY_TOO_LARGE)
         || g_error_matches (error, LDB_ERROR, LDB_ERROR_VALUE_TOO_LARGE)
         || g_error_matches (error, LDB_ERROR, LDB_ERROR_INVALID_ARGUMENT);
}

static gboolean
put_record (struct importing *importing, GError **error)
{
  const struct import_record *record = &importing->record;
  GError *failure = NULL;
  if (ldb_loader_put (importing->loader, importing->invocation->store, record->key->str,
                      record->key->len, record->value->str, record->value->len, &failure))
    {
      importing->records++;
      importing->bytes += record->key->len + record->value->len;
      return TRUE;
    }
  if (!concerns_record (failure))
    return g_propagate_error (error, failure), FALSE;
  g_prefix_error (&failure, _ ("%s, line %" PRIu64 ": "), importing->input->name, record->line);
  return skip (importing, failure, error);
}

static gboolean
import_records (struct importing *importing, GError **error)
{
  for (;;)
    {
      GError *failure = NULL;
      enum import_result result
          = importing->source->next (importing->source->state, &importing->record, &failure);
      if (result == IMPORT_END)
        return TRUE;
      if (result == IMPORT_FAILED)
        return g_propagate_error (error, failure), FALSE;
      if (command_interrupted (error))
        return g_clear_error (&failure), FALSE;
      if (result == IMPORT_BAD ? !skip (importing, failure, error) : !put_record (importing, error))
        return FALSE;
      const struct input *input = importing->input;
      progress_update (&importing->progress, input->bytes_read - (input->filled - input->position),
                       input->size);
    }
}

static void
print_result (const struct importing *importing, gint64 duration)
{
  if (importing->invocation->json)
    {
      JsonBuilder *builder = json_builder_new ();
      json_builder_begin_object (builder);
      command_add_number (builder, "records", importing->records);
      command_add_number (builder, "skipped", importing->skipped);
      command_add_number (builder, "bytes", importing->bytes);
      command_add_number (builder, "microseconds", (guint64) duration);
      json_builder_end_object (builder);
      command_print_json (builder);
      return;
    }
  if (importing->invocation->quiet)
    return;
  g_autofree char *count = command_format_count (importing->records);
  g_autofree char *size = command_format_size (importing->bytes);
  g_autofree char *time = command_format_seconds (duration);
  printf (ngettext ("Imported %s record, %s, in %s\n", "Imported %s records, %s, in %s\n",
                    (gulong) importing->records),
          count, size, time);
  if (importing->skipped > 0)
    {
      g_autofree char *skipped = command_format_count (importing->skipped);
      printf (ngettext ("Skipped %s record that breaks the rules\n",
                        "Skipped %s records that break the rules\n", (gulong) importing->skipped),
              skipped);
    }
}

enum import_result
import_bad (const struct input *input, guint64 line, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT, _ ("%s, line %" PRIu64 ": %s"),
               input->name, line, reason);
  return IMPORT_BAD;
}

struct input *
import_begin (struct invocation *invocation, const GOptionEntry *entries, const char *description,
              struct import_options *options, GError **error)
{
  const GOptionEntry shared[] = {
    { "create", 'c', 0, G_OPTION_ARG_NONE, &options->create,
      N_ ("Create the database when it is missing"), NULL },
    { "skip-bad", 0, 0, G_OPTION_ARG_NONE, &options->skip_bad,
      N_ ("Skip records that break the rules, instead of importing nothing"), NULL },
    { NULL },
  };
  const char *path = NULL;
  if (!command_parse (invocation, entries, shared, description, error)
      || (path = command_take (invocation, _ ("FILE"), error)) == NULL)
    return NULL;
  return input_open (path, error);
}

static gboolean
import_into (struct importing *importing, GError **error)
{
  importing->loader = ldb_database_create_loader (importing->invocation->database, error);
  if (importing->loader == NULL)
    return FALSE;
  gboolean done = import_records (importing, error);
  if (done)
    {
      progress_wait (&importing->progress, _ ("Committing"));
      done = ldb_loader_commit (importing->loader, importing->progress.cancellable, error);
    }
  ldb_loader_close (importing->loader);
  if (!done)
    command_undo_store (importing->invocation);
  return done && command_close (importing->invocation, error);
}

enum exit_status
import_run (struct invocation *invocation, const struct import_options *options,
            struct input *input, const struct import_source *source)
{
  GError *error = NULL;
  LdbOpenFlags flags = options->create ? LDB_OPEN_CREATE : LDB_OPEN_NONE;
  if (!command_open (invocation, flags, &error) || !command_finish (invocation, &error)
      || !command_choose_store (invocation, TRUE, &error))
    return command_fail (invocation, error);
  struct importing importing = { .invocation = invocation,
                                 .options = options,
                                 .source = source,
                                 .input = input,
                                 .record = { g_string_new (NULL), g_string_new (NULL), 0 } };
  progress_begin (&importing.progress, _ ("Importing"), TRUE, invocation->quiet);
  gboolean done = import_into (&importing, &error);
  gint64 duration = progress_end (&importing.progress);
  if (done)
    print_result (&importing, duration);
  g_clear_object (&importing.loader);
  g_string_free (importing.record.key, TRUE);
  g_string_free (importing.record.value, TRUE);
  return done ? EXIT_STATUS_DONE : command_fail (invocation, error);
}

/* ---- import KIND ---- */

#define KIND_USE (COMMAND_USE_STORE | COMMAND_USE_DATABASE_LAST | COMMAND_USE_NO_TRANSACTION)

const struct command import_kinds[] = {
  { "csv", "FILE", N_ ("Import comma-separated values"), import_csv_run, KIND_USE },
  { "json", "FILE", N_ ("Import JSON lines"), import_json_run, KIND_USE },
  { "control", "FILE", N_ ("Import Debian control stanzas"), import_control_run, KIND_USE },
  { NULL },
};

static char *
describe_kinds (void)
{
  g_autoptr (GString) text = g_string_new (_ ("The kinds:"));
  for (const struct command *kind = import_kinds; kind->name != NULL; kind++)
    g_string_append_printf (text, "\n  %-10s %s", kind->name, _ (kind->summary));
  g_string_append_printf (text, "\n\n%s",
                          _ ("“lightning-cli import KIND --help” says more about each."));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

enum exit_status
import_command_run (struct invocation *invocation)
{
  const char *name = invocation->words[1];
  for (const struct command *kind = import_kinds; kind->name != NULL && name != NULL; kind++)
    if (strcmp (kind->name, name) == 0)
      {
        g_auto (GStrv) words = g_strdupv (invocation->words + 1);
        g_free (words[0]);
        words[0] = g_strdup_printf ("import %s", kind->name);
        return command_run_one (kind, invocation->session, words);
      }
  GError *error = NULL;
  g_autofree char *kinds = describe_kinds ();
  if (command_parse (invocation, NULL, NULL, kinds, &error))
    g_set_error (&error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                 _ ("what is to be imported? import csv, import json or import control"));
  return command_fail (invocation, error);
}
