/* SPDX-License-Identifier: MIT */
/* Taking a dump back: load. The form is described in dump.h. */
#include "dump.h"

#include "input.h"
#include "progress.h"
#include "text-form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A key and a value of the largest size, every byte escaped to four. */
#define LINE_SIZE_MAX ((gsize) 4 * ((1 << 30) + (1 << 16)) + 64)

struct load
{
  LdbDatabase *database; /* borrowed */
  LdbLoader *loader;     /* owned */
  LdbStore *store;       /* that the records are of; NULL before the first; owned */
  const char *only;      /* --store; NULL: all; borrowed */
  gboolean skip;         /* records of this store are not wanted */
  GPtrArray *new_stores; /* names of the stores made here; owned */
  struct input *input;   /* owned */
  GString *line;         /* owned */
  guint64 line_number;   /* of it, from 1 */
  GChecksum *checksum;   /* of all lines so far; owned */
  GByteArray *key;       /* owned */
  GByteArray *value;     /* owned */
  guint64 records;       /* in the dump, so far */
  guint64 loaded;        /* of them wanted */
  gboolean ended;        /* the end line was seen */
  struct progress progress;
};

static gboolean
refuse (const struct load *load, const char *reason, GError **error)
{
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT, "%s, line %" PRIu64 ": %s",
               load->input->name, load->line_number, reason);
  return FALSE;
}

static gboolean
unescape (const struct load *load, const char *text, gsize length, GByteArray *to, GError **error)
{
  GError *failure = NULL;
  g_byte_array_set_size (to, 0);
  if (text_form_parse_escaped (text, length, to, &failure))
    return TRUE;
  refuse (load, failure->message, error);
  g_error_free (failure);
  return FALSE;
}

/* Puts the line in front of an error of the library that concerns one record. */
static gboolean
locate (const struct load *load, GError *failure, GError **error)
{
  g_prefix_error (&failure, "%s, line %" PRIu64 ": ", load->input->name, load->line_number);
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
load_store (struct load *load, GError **error)
{
  const char *escaped = load->line->str + strlen ("store ");
  const char *end = load->line->str + load->line->len;
  if (!unescape (load, escaped, (gsize) (end - escaped), load->key, error))
    return FALSE;
  if (load->key->len == 0 || memchr (load->key->data, '\0', load->key->len) != NULL)
    return refuse (load, _ ("the name of a store is empty or has a zero byte"), error);
  g_autofree char *name = g_strndup ((const char *) load->key->data, load->key->len);
  load->skip = load->only != NULL && strcmp (name, load->only) != 0;
  if (load->skip)
    return TRUE;
  g_clear_object (&load->store);
  GError *failure = NULL;
  load->store = ldb_database_open_store (load->database, name, LDB_OPEN_NONE, NULL, &failure);
  if (load->store == NULL && g_error_matches (failure, LDB_ERROR, LDB_ERROR_NOT_FOUND))
    {
      g_clear_error (&failure);
      load->store = ldb_database_open_store (load->database, name, LDB_OPEN_CREATE, NULL, &failure);
      if (load->store != NULL)
        g_ptr_array_add (load->new_stores, g_steal_pointer (&name));
    }
  return load->store != NULL || locate (load, failure, error);
}

static gboolean
load_record (struct load *load, GError **error)
{
  const char *key = load->line->str + strlen ("+ ");
  const char *end = load->line->str + load->line->len;
  const char *tabulator = memchr (key, '\t', (gsize) (end - key));
  if (tabulator == NULL)
    return refuse (load, _ ("there is no tabulator between key and value"), error);
  if (load->store == NULL && !load->skip)
    return refuse (load, _ ("a record stands before the first “store” line"), error);
  load->records++;
  if (load->skip)
    return TRUE;
  const char *value = tabulator + 1;
  if (!unescape (load, key, (gsize) (tabulator - key), load->key, error)
      || !unescape (load, value, (gsize) (end - value), load->value, error))
    return FALSE;
  GError *failure = NULL;
  load->loaded++;
  return ldb_loader_put (load->loader, load->store, load->key->data, load->key->len,
                         load->value->data, load->value->len, &failure)
         || locate (load, failure, error);
}

static gboolean
load_end (struct load *load, GError **error)
{
  char *number = load->line->str + strlen ("end ");
  char *rest = number;
  guint64 count = g_ascii_isdigit (number[0]) ? g_ascii_strtoull (number, &rest, 10) : 0;
  load->ended = TRUE;
  if (rest == number)
    return refuse (load, _ ("“end ” is followed by the number of records"), error);
  if (count != load->records)
    {
      g_autofree char *reason = g_strdup_printf (
          _ ("%" PRIu64 " records were announced and %" PRIu64 " are there; the dump is not whole"),
          count, load->records);
      return refuse (load, reason, error);
    }
  if (rest[0] == '\0')
    return TRUE;
  if (rest[0] != ' ' || strcmp (rest + 1, g_checksum_get_string (load->checksum)) != 0)
    return refuse (load,
                   _ ("the checksum is wrong: the dump was damaged or changed; if it was changed "
                      "on purpose, remove the checksum behind the count"),
                   error);
  return TRUE;
}

static gboolean
load_line (struct load *load, GError **error)
{
  const char *line = load->line->str;
  if (load->ended)
    return line[0] == '\0' || refuse (load, _ ("something follows the “end” line"), error);
  if (g_str_has_prefix (line, "end "))
    return load_end (load, error);
  g_checksum_update (load->checksum, (const guchar *) line, (gssize) load->line->len);
  g_checksum_update (load->checksum, (const guchar *) "\n", 1);
  if (line[0] == '\0' || line[0] == '#')
    return TRUE;
  if (g_str_has_prefix (line, "+ "))
    return load_record (load, error);
  if (g_str_has_prefix (line, "store "))
    return load_store (load, error);
  return refuse (load, _ ("a line begins with “store ”, “+ ”, “end ” or “#”"), error);
}

static gboolean
read_line (struct load *load, GError **error)
{
  load->line_number = load->input->line;
  return input_read_line (load->input, load->line, LINE_SIZE_MAX, error);
}

/* What is no dump may have no line ends either: its first line is not read to its end. */
static gboolean
read_header (struct load *load, GError **error)
{
  GError *failure = NULL;
  if (input_read_line (load->input, load->line, strlen (DUMP_HEADER "\r"), &failure)
      && strcmp (load->line->str, DUMP_HEADER) == 0)
    return TRUE;
  g_clear_error (&failure);
  if (!input_failed (load->input, error))
    g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT,
                 _ ("%s is not a dump: its first line is not “%s”; “import” reads other formats"),
                 load->input->name, DUMP_HEADER);
  return FALSE;
}

static gboolean
load_lines (struct load *load, GError **error)
{
  GError *failure = NULL;
  if (!read_header (load, error))
    return FALSE;
  g_checksum_update (load->checksum, (const guchar *) DUMP_HEADER "\n", -1);
  while (read_line (load, &failure))
    {
      if (command_interrupted (error) || !load_line (load, error))
        return FALSE;
      progress_update (&load->progress,
                       load->input->bytes_read - (load->input->filled - load->input->position),
                       load->input->size);
    }
  if (failure != NULL)
    return g_propagate_error (error, failure), FALSE;
  if (!load->ended)
    return refuse (load, _ ("the “end” line is missing: the dump is not whole"), error);
  return TRUE;
}

static void
drop_new_stores (struct load *load)
{
  g_clear_object (&load->store);
  for (guint i = 0; i < load->new_stores->len; i++)
    ldb_database_drop_store (load->database, load->new_stores->pdata[i], NULL, NULL);
}

static gboolean
load_all (struct load *load, GError **error)
{
  load->loader = ldb_database_create_loader (load->database, error);
  if (load->loader == NULL)
    return FALSE;
  gboolean done = load_lines (load, error);
  if (done)
    {
      progress_wait (&load->progress, _ ("Committing"));
      done = ldb_loader_commit (load->loader, load->progress.cancellable, error);
    }
  ldb_loader_close (load->loader);
  if (!done)
    drop_new_stores (load);
  return done;
}

static void
load_clear (struct load *load)
{
  g_clear_object (&load->store);
  g_clear_object (&load->loader);
  g_ptr_array_unref (load->new_stores);
  input_free (load->input);
  g_string_free (load->line, TRUE);
  g_checksum_free (load->checksum);
  g_byte_array_unref (load->key);
  g_byte_array_unref (load->value);
}

static void
print_loaded (struct invocation *invocation, guint64 records, gint64 duration)
{
  if (invocation->json)
    {
      JsonBuilder *builder = json_builder_new ();
      json_builder_begin_object (builder);
      command_add_number (builder, "records", records);
      command_add_number (builder, "microseconds", (guint64) duration);
      json_builder_end_object (builder);
      command_print_json (builder);
    }
  else if (!invocation->quiet)
    {
      g_autofree char *count = command_format_count (records);
      g_autofree char *time = command_format_seconds (duration);
      printf (ngettext ("Loaded %s record in %s\n", "Loaded %s records in %s\n", (gulong) records),
              count, time);
    }
}

static gboolean
load_from (struct invocation *invocation, const char *path, GError **error)
{
  struct input *input = input_open (path, error);
  if (input == NULL)
    return FALSE;
  struct load load = { .database = invocation->database,
                       .only = invocation->store_name,
                       .new_stores = g_ptr_array_new_with_free_func (g_free),
                       .input = input,
                       .line = g_string_new (NULL),
                       .checksum = g_checksum_new (G_CHECKSUM_SHA256),
                       .key = g_byte_array_new (),
                       .value = g_byte_array_new () };
  progress_begin (&load.progress, _ ("Loading"), TRUE, invocation->quiet);
  gboolean done = load_all (&load, error) && command_close (invocation, error);
  gint64 duration = progress_end (&load.progress);
  if (done)
    print_loaded (invocation, load.loaded, duration);
  load_clear (&load);
  return done;
}

enum exit_status
load_run (struct invocation *invocation)
{
  gboolean create = FALSE;
  const GOptionEntry entries[] = {
    { "create", 'c', 0, G_OPTION_ARG_NONE, &create, N_ ("Create the database when it is missing"),
      NULL },
    { NULL },
  };
  GError *error = NULL;
  const char *path = "-";
  if (!command_parse (invocation, entries, NULL,
                      _ ("Takes back what “dump” wrote, from FILE or from standard input, in one "
                         "commit: all of it or nothing. Records that the database has already are "
                         "replaced. With --store, only that store's records are taken."),
                      &error)
      || !command_open (invocation, create ? LDB_OPEN_CREATE : LDB_OPEN_NONE, &error)
      || (invocation->next_argument < invocation->argument_count
          && (path = command_take (invocation, _ ("FILE"), &error)) == NULL)
      || !command_finish (invocation, &error) || !load_from (invocation, path, &error))
    return command_fail (invocation, error);
  return EXIT_STATUS_DONE;
}
