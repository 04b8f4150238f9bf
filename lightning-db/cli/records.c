/* SPDX-License-Identifier: MIT */
/* Single records: get, put, del. Within a shell's transaction they are part of it. */
#include "records.h"

#include "input.h"
#include "text-form.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VALUE_SIZE_MAX ((gsize) 1 << 30)

static const char input_help[]
    = N_ ("Keys and values on the command line are text, hex (two digits a byte) or escaped "
          "(\\n, \\t, \\xNN)");

/* The form that an option names; `otherwise` without one. */
static gboolean
parse_form (const char *name, enum text_form otherwise, enum text_form *form, GError **error)
{
  *form = otherwise;
  return name == NULL || text_form_parse_name (name, form, error);
}

static GBytes *
take_bytes (struct invocation *invocation, const char *name, enum text_form form, GError **error)
{
  const char *argument = command_take (invocation, name, error);
  return argument != NULL ? text_form_parse (form, argument, error) : NULL;
}

/* ---- get ---- */

static GBytes *
get_one (struct invocation *invocation, GBytes *key, GError **error)
{
  gsize size;
  const void *data = g_bytes_get_data (key, &size);
  LdbTransaction *transaction = invocation->session->transaction;
  if (transaction != NULL)
    return ldb_transaction_get (transaction, invocation->store, data, size, NULL, error);
  return ldb_store_get (invocation->store, data, size, NULL, error);
}

static void
print_record (enum text_form form, GBytes *key, GBytes *value)
{
  gsize key_size, size = 0;
  const guint8 *key_data = g_bytes_get_data (key, &key_size);
  const guint8 *data = value != NULL ? g_bytes_get_data (value, &size) : NULL;
  g_autoptr (GString) line = g_string_new (NULL);
  if (form == TEXT_FORM_TEXT)
    {
      if (size > 0)
        fwrite (data, 1, size, stdout);
      if (!isatty (STDOUT_FILENO))
        return;
    }
  else if (form == TEXT_FORM_ESCAPED)
    text_form_append_escaped (line, data, size);
  else if (form == TEXT_FORM_HEX)
    text_form_append_hex (line, data, size);
  else
    {
      g_string_append_c (line, '{');
      text_form_append_json_member (line, "key", key_data, key_size);
      g_string_append_c (line, ',');
      if (value != NULL)
        text_form_append_json_member (line, "value", data, size);
      else
        g_string_append (line, "\"value\":null");
      g_string_append_c (line, '}');
    }
  fwrite (line->str, 1, line->len, stdout);
  putchar ('\n');
}

static void
report_missing (struct invocation *invocation, GBytes *key)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (key, &size);
  g_autoptr (GString) shown = g_string_new (NULL);
  text_form_append_escaped (shown, data, size);
  if (!invocation->quiet)
    fprintf (stderr, _ ("lightning-cli: there is no key “%s” in store “%s”\n"), shown->str,
             ldb_store_get_name (invocation->store));
}

static gboolean
get_all (struct invocation *invocation, enum text_form input, enum text_form form,
         enum exit_status *status, GError **error)
{
  do
    {
      g_autoptr (GBytes) key = take_bytes (invocation, _ ("KEY"), input, error);
      if (key == NULL)
        return FALSE;
      GError *failure = NULL;
      g_autoptr (GBytes) value = get_one (invocation, key, &failure);
      if (failure != NULL)
        return g_propagate_error (error, failure), FALSE;
      if (value == NULL)
        *status = EXIT_STATUS_NEGATIVE;
      if (value != NULL || form == TEXT_FORM_JSON)
        print_record (form, key, value);
      else
        report_missing (invocation, key);
    }
  while (invocation->next_argument < invocation->argument_count);
  return TRUE;
}

enum exit_status
get_run (struct invocation *invocation)
{
  g_autofree char *format_name = NULL;
  g_autofree char *input_name = NULL;
  const GOptionEntry entries[] = {
    { "format", 'f', 0, G_OPTION_ARG_STRING, &format_name,
      N_ ("Print values as text (their bytes as they are), escaped, hex or json"), N_ ("FORM") },
    { "input", 'i', 0, G_OPTION_ARG_STRING, &input_name, input_help, N_ ("FORM") },
    { NULL },
  };
  GError *error = NULL;
  enum text_form form, input;
  enum exit_status status = EXIT_STATUS_DONE;
  if (!command_parse (invocation, entries, NULL,
                      _ ("Exit status: 0 when all keys are there, 1 when one is not."), &error)
      || !parse_form (format_name, invocation->json ? TEXT_FORM_JSON : TEXT_FORM_TEXT, &form,
                      &error)
      || !parse_form (input_name, TEXT_FORM_TEXT, &input, &error)
      || !command_open_store (invocation, LDB_OPEN_READ_ONLY, &error)
      || !get_all (invocation, input, form, &status, &error))
    return command_fail (invocation, error);
  return status;
}

/* ---- put ---- */

/* Closes the database after a write, and tells --json in which commit it is: none yet within a
 * shell's transaction. */
static gboolean
finish_write (struct invocation *invocation, GError **error)
{
  g_autofree char *store = g_strdup (ldb_store_get_name (invocation->store));
  guint64 sequence = ldb_database_get_sequence (invocation->database);
  if (!command_close (invocation, error))
    return FALSE;
  if (!invocation->json)
    return TRUE;
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_text (builder, "store", store);
  if (invocation->session->transaction == NULL)
    command_add_number (builder, "sequence", sequence);
  else
    {
      json_builder_set_member_name (builder, "sequence");
      json_builder_add_null_value (builder);
    }
  json_builder_end_object (builder);
  command_print_json (builder);
  return TRUE;
}

static GBytes *
read_value (const char *path, GError **error)
{
  struct input *input = input_open (path, error);
  if (input == NULL)
    return NULL;
  g_autoptr (GByteArray) value = g_byte_array_new ();
  gboolean too_long = FALSE;
  while (!too_long && input_peek (input) != INPUT_END)
    {
      gsize left = input->filled - input->position;
      too_long = left > VALUE_SIZE_MAX - value->len;
      if (!too_long)
        g_byte_array_append (value, input->block + input->position, (guint) left);
      input->position += left;
    }
  gboolean failed = input_failed (input, error);
  if (too_long && !failed)
    g_set_error (error, LDB_ERROR, LDB_ERROR_VALUE_TOO_LARGE,
                 _ ("%s is larger than a value may be: 1 GiB"), input->name);
  input_free (input);
  return failed || too_long ? NULL : g_byte_array_free_to_bytes (g_steal_pointer (&value));
}

/* The value: the next argument, or what --file names, or standard input. */
static GBytes *
take_value (struct invocation *invocation, const char *file, enum text_form input, GError **error)
{
  if (file != NULL)
    return read_value (file, error);
  if (invocation->next_argument < invocation->argument_count)
    return take_bytes (invocation, _ ("VALUE"), input, error);
  if (isatty (STDIN_FILENO) || invocation->session->database != NULL)
    {
      command_take (invocation, _ ("VALUE"), error);
      return NULL;
    }
  return read_value ("-", error);
}

static gboolean
put_one (struct invocation *invocation, GBytes *key, GBytes *value, GError **error)
{
  LdbTransaction *transaction = invocation->session->transaction;
  if (transaction != NULL)
    return ldb_transaction_put_bytes (transaction, invocation->store, key, value, error);
  return ldb_store_put_bytes (invocation->store, key, value, NULL, error);
}

enum exit_status
put_run (struct invocation *invocation)
{
  g_autofree char *file = NULL;
  g_autofree char *input_name = NULL;
  gboolean create = FALSE;
  const GOptionEntry entries[] = {
    { "create", 'c', 0, G_OPTION_ARG_NONE, &create,
      N_ ("Create the database and the store when they are missing"), NULL },
    { "file", 0, 0, G_OPTION_ARG_FILENAME, &file,
      N_ ("Take the value from a file; - is standard input"), N_ ("FILE") },
    { "input", 'i', 0, G_OPTION_ARG_STRING, &input_name, input_help, N_ ("FORM") },
    { NULL },
  };
  GError *error = NULL;
  enum text_form input;
  g_autoptr (GBytes) key = NULL;
  g_autoptr (GBytes) value = NULL;
  if (!command_parse (invocation, entries, NULL,
                      _ ("Without VALUE and --file the value is read from standard input."), &error)
      || !parse_form (input_name, TEXT_FORM_TEXT, &input, &error)
      || !command_open_store (invocation, create ? LDB_OPEN_CREATE : LDB_OPEN_NONE, &error)
      || (key = take_bytes (invocation, _ ("KEY"), input, &error)) == NULL
      || (value = take_value (invocation, file, input, &error)) == NULL
      || !command_finish (invocation, &error) || !put_one (invocation, key, value, &error)
      || !finish_write (invocation, &error))
    return command_fail (invocation, error);
  return EXIT_STATUS_DONE;
}

/* ---- del ---- */

static gboolean
delete_one (struct invocation *invocation, GBytes *key, GError **error)
{
  gsize size;
  const void *data = g_bytes_get_data (key, &size);
  LdbTransaction *transaction = invocation->session->transaction;
  if (transaction != NULL)
    return ldb_transaction_delete (transaction, invocation->store, data, size, error);
  return ldb_store_delete (invocation->store, data, size, NULL, error);
}

static gboolean
delete_range (struct invocation *invocation, const key_range *range, GError **error)
{
  gsize start_size = 0, end_size = 0;
  const void *start = range->start != NULL ? g_bytes_get_data (range->start, &start_size) : NULL;
  const void *end = range->end != NULL ? g_bytes_get_data (range->end, &end_size) : NULL;
  LdbTransaction *transaction = invocation->session->transaction;
  if (transaction != NULL)
    return ldb_transaction_delete_range (transaction, invocation->store, start, start_size, end,
                                         end_size, error);
  return ldb_store_delete_range (invocation->store, start, start_size, end, end_size, NULL, error);
}

static gboolean
delete_all (struct invocation *invocation, enum text_form input, GError **error)
{
  do
    {
      g_autoptr (GBytes) key = take_bytes (invocation, _ ("KEY"), input, error);
      if (key == NULL || !delete_one (invocation, key, error))
        return FALSE;
    }
  while (invocation->next_argument < invocation->argument_count);
  return TRUE;
}

enum exit_status
del_run (struct invocation *invocation)
{
  g_autofree char *input_name = NULL;
  g_auto (key_range_options) options = { 0 };
  const GOptionEntry entries[] = {
    { "input", 'i', 0, G_OPTION_ARG_STRING, &input_name, input_help, N_ ("FORM") },
    { NULL },
  };
  const GOptionEntry range_entries[] = RANGE_ENTRIES (options);
  GError *error = NULL;
  enum text_form input;
  g_auto (key_range) range = { 0 };
  gboolean done = command_parse (invocation, entries, range_entries,
                                 _ ("Deleting a key that is not there succeeds. With --prefix, "
                                    "--from or --to the whole range goes in one commit."),
                                 &error)
                  && parse_form (input_name, TEXT_FORM_TEXT, &input, &error)
                  && key_range_parse (&options, input, &range, &error)
                  && command_open_store (invocation, LDB_OPEN_NONE, &error);
  if (done && range.given)
    done = command_finish (invocation, &error) && delete_range (invocation, &range, &error);
  else if (done)
    done = delete_all (invocation, input, &error);
  if (!done || !finish_write (invocation, &error))
    return command_fail (invocation, error);
  return EXIT_STATUS_DONE;
}
