/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "settings.h"
#include "text-form.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define RUNS_LEFT_BEHIND_MAX 32 /* the engine merges small runs from about as many on */
#define SETTLE_MILLISECONDS 10000

G_DEFINE_QUARK (lightning - cli - error, command_error)

static volatile sig_atomic_t interrupted; /* set by Ctrl+C */

/* ---- finding and running ---- */

const struct command *
command_find (const char *name)
{
  for (const struct command *command = commands; command->name != NULL; command++)
    if (strcmp (command->name, name) == 0)
      return command;
  return NULL;
}

/* How many letters differ: the edit distance of two short words. */
static guint
word_distance (const char *a, const char *b)
{
  enum
  {
    WORD_MAX = 24
  };
  guint row[WORD_MAX + 1];
  gsize width = strlen (b);
  if (strlen (a) > WORD_MAX || width > WORD_MAX)
    return G_MAXUINT;
  for (gsize j = 0; j <= width; j++)
    row[j] = (guint) j;
  for (gsize i = 0; a[i] != '\0'; i++)
    {
      guint diagonal = row[0];
      row[0] = (guint) i + 1;
      for (gsize j = 0; j < width; j++)
        {
          guint change = diagonal + (a[i] != b[j]);
          diagonal = row[j + 1];
          row[j + 1] = MIN (change, 1 + MIN (row[j], row[j + 1]));
        }
    }
  return row[width];
}

const struct command *
command_nearest (const char *name)
{
  const struct command *nearest = NULL;
  guint least = 3;
  for (const struct command *command = commands; command->name != NULL; command++)
    {
      guint distance = word_distance (name, command->name);
      if (distance < least && distance < strlen (command->name))
        {
          least = distance;
          nearest = command;
        }
    }
  return nearest;
}

static enum exit_status refuse (struct invocation *invocation, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

static enum exit_status
refuse (struct invocation *invocation, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  GError *error = g_error_new_valist (COMMAND_ERROR, COMMAND_ERROR_USAGE, format, arguments);
  va_end (arguments);
  return command_fail (invocation, error);
}

static enum exit_status
run_unknown (struct invocation *invocation, const char *name)
{
  const struct command *nearest = command_nearest (name);
  g_autoptr (GString) message = g_string_new (NULL);
  g_string_printf (message, _ ("there is no command “%s”"), name);
  if (nearest != NULL)
    g_string_append_printf (message, _ ("; did you mean “%s”?"), nearest->name);
  else
    g_string_append (message, _ ("; “help” lists them all"));
  return refuse (invocation, "%s", message->str);
}

static void
invocation_clear (struct invocation *invocation)
{
  g_clear_pointer (&invocation->arguments, g_strfreev);
  g_clear_pointer (&invocation->store_name, g_free);
  g_clear_pointer (&invocation->settings, g_strfreev);
  g_clear_object (&invocation->store);
  g_clear_object (&invocation->inspector);
  g_clear_object (&invocation->database);
}

/* Before the options are read, or when they can't be. */
static gboolean
asks_for_json (char **words)
{
  for (gsize i = 0; words[i] != NULL && strcmp (words[i], "--") != 0; i++)
    if (strcmp (words[i], "--json") == 0 || strcmp (words[i], "-j") == 0)
      return TRUE;
  return FALSE;
}

enum exit_status
command_run (struct session *session, char **words)
{
  struct invocation invocation = { .session = session, .words = words };
  const struct command *command = command_find (words[0]);
  invocation.json = asks_for_json (words);
  gboolean in_shell = session->database != NULL;
  if (command == NULL)
    return run_unknown (&invocation, words[0]);
  if ((command->use & COMMAND_USE_SHELL_ONLY) != 0 && !in_shell)
    return refuse (&invocation, _ ("“%s” is for the shell: lightning-cli shell DATABASE"),
                   words[0]);
  if ((command->use & COMMAND_USE_NO_SHELL) != 0 && in_shell)
    return refuse (&invocation, _ ("“%s” does not work inside a shell; leave it with “quit”"),
                   words[0]);
  if ((command->use & COMMAND_USE_NO_TRANSACTION) != 0 && session->transaction != NULL)
    return refuse (&invocation,
                   _ ("“%s” does not work inside a transaction; “commit” or “rollback” it first"),
                   words[0]);
  return command_run_one (command, session, words);
}

enum exit_status
command_run_one (const struct command *command, struct session *session, char **words)
{
  struct invocation invocation = { .session = session, .command = command, .words = words };
  enum exit_status status = command->run (&invocation);
  invocation_clear (&invocation);
  return status;
}

void
session_clear (struct session *session)
{
  g_clear_object (&session->transaction);
  g_clear_object (&session->database);
  g_clear_pointer (&session->store_name, g_free);
}

/* ---- the command line ---- */

static void
print_help (struct invocation *invocation, GOptionContext *context)
{
  const char *name = invocation->words[0];
  gboolean in_shell = invocation->session->database != NULL;
  g_autofree char *program
      = in_shell ? g_strdup (name) : g_strdup_printf ("lightning-cli %s", name);
  g_set_prgname (program);
  g_autofree char *help = g_option_context_get_help (context, TRUE, NULL);
  g_set_prgname ("lightning-cli");
  fputs (help, stdout);
}

static char *
describe_arguments (struct invocation *invocation)
{
  const struct command *command = invocation->command;
  gboolean outside = invocation->session->database == NULL;
  const unsigned front_uses = COMMAND_USE_DATABASE | COMMAND_USE_PATH;
  gboolean front = outside && (command->use & front_uses) != 0;
  gboolean back = outside && (command->use & COMMAND_USE_DATABASE_LAST) != 0;
  gboolean more = command->arguments[0] != '\0';
  return g_strconcat (front ? _ ("DATABASE") : "", front && more ? " " : "",
                      more ? _ (command->arguments) : "", back && more ? " " : "",
                      back ? _ ("DATABASE") : "", NULL);
}

static gboolean
parse_with (struct invocation *invocation, GOptionContext *context, GError **error)
{
  GError *failure = NULL;
  char **words = g_strdupv (invocation->words);
  gboolean parsed = g_option_context_parse_strv (context, &words, &failure);
  g_strfreev (words);
  if (!parsed)
    {
      invocation->json = asks_for_json (invocation->words);
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("%s; “%s --help” lists the options, and “--” goes before an argument that "
                      "starts with “-”"),
                   failure->message, invocation->words[0]);
      g_clear_error (&failure);
      return FALSE;
    }
  invocation->argument_count
      = invocation->arguments != NULL ? g_strv_length (invocation->arguments) : 0;
  if (invocation->help)
    print_help (invocation, context);
  return !invocation->help;
}

gboolean
command_parse (struct invocation *invocation, const GOptionEntry *entries, const GOptionEntry *more,
               const char *description, GError **error)
{
  const GOptionEntry common[] = {
    { "json", 'j', 0, G_OPTION_ARG_NONE, &invocation->json, N_ ("Print JSON, for other programs"),
      NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &invocation->quiet,
      N_ ("Print no progress and no summary"), NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &invocation->help, N_ ("Print this help"), NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &invocation->arguments, NULL, NULL },
    { NULL },
  };
  const GOptionEntry of_store[] = {
    { "store", 's', 0, G_OPTION_ARG_STRING, &invocation->store_name,
      N_ ("The store to work on, instead of “default”"), N_ ("NAME") },
    { NULL },
  };
  const GOptionEntry of_database[] = {
    { "option", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &invocation->settings,
      N_ ("Open the database with this option; may be repeated"), N_ ("NAME=VALUE") },
    { NULL },
  };
  g_autofree char *arguments = describe_arguments (invocation);
  g_autoptr (GOptionContext) context = g_option_context_new (arguments);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  /* Translators: what a command does, as a sentence. */
  g_autofree char *summary = g_strdup_printf (_ ("%s."), _ (invocation->command->summary));
  g_option_context_set_summary (context, summary);
  if (description != NULL)
    g_option_context_set_description (context, description);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (more != NULL)
    g_option_context_add_main_entries (context, more, GETTEXT_PACKAGE);
  if ((invocation->command->use & COMMAND_USE_STORE) != 0)
    g_option_context_add_main_entries (context, of_store, GETTEXT_PACKAGE);
  if ((invocation->command->use & (COMMAND_USE_DATABASE | COMMAND_USE_DATABASE_LAST)) != 0
      && invocation->session->database == NULL)
    g_option_context_add_main_entries (context, of_database, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, common, GETTEXT_PACKAGE);
  return parse_with (invocation, context, error);
}

const char *
command_take (struct invocation *invocation, const char *name, GError **error)
{
  if (invocation->next_argument < invocation->argument_count)
    return invocation->arguments[invocation->next_argument++];
  g_autofree char *arguments = describe_arguments (invocation);
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE, _ ("%s is missing; usage: %s %s"), name,
               invocation->words[0], arguments);
  return NULL;
}

gboolean
command_finish (struct invocation *invocation, GError **error)
{
  if (invocation->next_argument >= invocation->argument_count)
    return TRUE;
  g_autofree char *arguments = describe_arguments (invocation);
  g_autofree char *surplus
      = g_filename_display_name (invocation->arguments[invocation->next_argument]);
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
               _ ("“%s” is one argument too many; usage: %s %s"), surplus, invocation->words[0],
               arguments);
  return FALSE;
}

/* ---- the database ---- */

static gboolean
is_unwritable (const GError *error)
{
  return g_error_matches (error, LDB_ERROR, LDB_ERROR_READ_ONLY)
         || g_error_matches (error, LDB_ERROR, LDB_ERROR_PERMISSION_DENIED);
}

/* Opens a database, or makes it where the flags say so. *made: it was this call that made it. */
static LdbDatabase *
open_or_make (const char *path, LdbOpenFlags flags, LdbOptions *options, gboolean *made,
              GError **error)
{
  GError *failure = NULL;
  LdbDatabase *database = NULL;
  *made = FALSE;
  if ((flags & LDB_OPEN_EXCLUSIVE) == 0)
    {
      database = ldb_database_open (path, flags & ~LDB_OPEN_CREATE, options, NULL, &failure);
      if ((flags & LDB_OPEN_CREATE) == 0
          || !g_error_matches (failure, LDB_ERROR, LDB_ERROR_NOT_FOUND))
        goto out;
      g_clear_error (&failure);
    }
  database = ldb_database_open (path, flags | LDB_OPEN_EXCLUSIVE, options, NULL, &failure);
  *made = database != NULL;
  if ((flags & LDB_OPEN_EXCLUSIVE) == 0 && g_error_matches (failure, LDB_ERROR, LDB_ERROR_EXISTS))
    {
      g_clear_error (&failure); /* another process was faster */
      database = ldb_database_open (path, flags & ~LDB_OPEN_CREATE, options, NULL, &failure);
    }
out:
  if (failure != NULL)
    g_propagate_error (error, failure);
  return database;
}

/* `else_read`: read-only where it can't be written. */
static gboolean
open_database (struct invocation *invocation, LdbOpenFlags flags, gboolean else_read,
               GError **error)
{
  struct session *session = invocation->session;
  if (session->database != NULL)
    {
      invocation->database = g_object_ref (session->database);
      return TRUE;
    }
  const char *path = command_take (invocation, _ ("DATABASE"), error);
  if (path == NULL)
    return FALSE;
  g_autoptr (LdbOptions) options = ldb_options_new ();
  if (!settings_apply (options, (const char *const *) invocation->settings, error))
    return FALSE;
  GError *failure = NULL;
  gboolean made, was_there = g_file_test (path, G_FILE_TEST_EXISTS);
  invocation->database = open_or_make (path, flags, options, &made, &failure);
  if (else_read && is_unwritable (failure))
    {
      g_clear_error (&failure);
      invocation->database = ldb_database_open (path, LDB_OPEN_READ_ONLY, options, NULL, &failure);
    }
  invocation->database_is_new = made && !was_there; /* an empty directory of the user's stays */
  if (invocation->database != NULL)
    return TRUE;
  if (g_error_matches (failure, LDB_ERROR, LDB_ERROR_NOT_FOUND) && (flags & LDB_OPEN_CREATE) == 0)
    {
      g_autofree char *shown = g_filename_display_name (path);
      g_set_error (error, LDB_ERROR, LDB_ERROR_NOT_FOUND,
                   _ ("there is no database at %s; “lightning-cli create” makes one"), shown);
      g_clear_error (&failure);
    }
  else
    g_propagate_error (error, failure);
  return FALSE;
}

gboolean
command_open (struct invocation *invocation, LdbOpenFlags flags, GError **error)
{
  return open_database (invocation, flags, FALSE, error);
}

/* An application answers within milliseconds, on a thread of its own; one that is stopped never. */
#define PATIENCE 3 /* seconds */

struct connecting
{
  GMainLoop *loop;         /* runs until there is an answer; owned */
  GCancellable *patience;  /* is over when it is cancelled; owned */
  LdbInspector *inspector; /* connected; NULL: not */
  GError *error;           /* then */
};

static void
connected (GObject *source, GAsyncResult *result, gpointer data)
{
  struct connecting *self = data;
  self->inspector = ldb_inspector_open_finish (result, &self->error);
  g_main_loop_quit (self->loop);
}

static gboolean
lose_patience (gpointer data)
{
  g_cancellable_cancel (((struct connecting *) data)->patience);
  return G_SOURCE_CONTINUE;
}

LdbInspector *
command_connect (LdbRunningDatabase *running, GError **error)
{
  struct connecting self
      = { .loop = g_main_loop_new (NULL, FALSE), .patience = g_cancellable_new () };
  guint timer = g_timeout_add_seconds (PATIENCE, lose_patience, &self);
  ldb_inspector_open_async (running, self.patience, connected, &self);
  g_main_loop_run (self.loop);
  g_source_remove (timer);
  if (g_error_matches (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_clear_error (&self.error);
      self.error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                                _ ("the application that has the database open (process %u) does "
                                   "not answer; it may be stopped"),
                                ldb_running_database_get_process_id (running));
    }
  if (self.error != NULL)
    g_propagate_error (error, self.error);
  g_object_unref (self.patience);
  g_main_loop_unref (self.loop);
  return self.inspector;
}

gboolean
command_check_count (gint64 *count, GError **error)
{
  gboolean given = *count != COMMAND_COUNT_NONE;
  if (!given)
    *count = 0;
  if (!given || *count > 0)
    return TRUE;
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                       _ ("--count is how many, 1 or more; without it there is no end"));
  return FALSE;
}

gboolean
command_check_not_negative (const char *option, double value, GError **error)
{
  if (!(value < 0))
    return TRUE;
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE, _ ("%s must not be below 0"), option);
  return FALSE;
}

gboolean
command_check_running (LdbRunningList *list, GError **error)
{
  return ldb_running_list_get_n_items (list) > 0 || ldb_running_list_check_folder (list, error);
}

/* An application that does not answer is no reason not to look: a process may read beside it. */
static void
connect_to_application (struct invocation *invocation, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, path);
  if (running != NULL)
    invocation->inspector = command_connect (running, &error);
  if (error != NULL)
    g_printerr (_ ("lightning-cli: %s. Its files are read; its newest commits may be missing.\n"),
                error->message);
}

/* The path by which an application may be found: not a shell's, and not to be opened in some way. */
static const char *
path_of_application (struct invocation *invocation)
{
  if (invocation->session->database != NULL || invocation->settings != NULL
      || invocation->next_argument >= invocation->argument_count)
    return NULL;
  return invocation->arguments[invocation->next_argument];
}

gboolean
command_open_look (struct invocation *invocation, GError **error)
{
  const char *path = path_of_application (invocation);
  if (path != NULL)
    connect_to_application (invocation, path);
  if (invocation->inspector == NULL)
    return command_open (invocation, LDB_OPEN_READ_ONLY, error);
  return command_take (invocation, _ ("DATABASE"), error) != NULL;
}

/* Whether the application that writes to it does not let itself be controlled. */
static gboolean
take_control (struct invocation *invocation, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, path);
  g_autoptr (LdbInspector) inspector = NULL;
  if (running != NULL && !ldb_running_database_is_read_only (running))
    inspector = command_connect (running, NULL);
  if (inspector != NULL && ldb_inspector_request_control (inspector, NULL, &error))
    invocation->inspector = g_steal_pointer (&inspector);
  return g_error_matches (error, LDB_ERROR, LDB_ERROR_PERMISSION_DENIED);
}

gboolean
command_open_control (struct invocation *invocation, gboolean else_read, GError **error)
{
  GError *failure = NULL;
  const char *path = path_of_application (invocation);
  gboolean refused = path != NULL && take_control (invocation, path);
  if (invocation->inspector != NULL)
    return command_take (invocation, _ ("DATABASE"), error) != NULL;
  if (open_database (invocation, LDB_OPEN_NONE, else_read, &failure))
    return TRUE;
  if (refused && g_error_matches (failure, LDB_ERROR, LDB_ERROR_LOCKED))
    {
      g_set_error (error, LDB_ERROR, LDB_ERROR_LOCKED,
                   _ ("%s. The application would do it if it let itself be controlled "
                      "(property control-allowed)."),
                   failure->message);
      g_clear_error (&failure);
    }
  else
    g_propagate_error (error, failure);
  return FALSE;
}

gboolean
command_open_beside (struct invocation *invocation, GError **error)
{
  LdbRunningDatabase *running = ldb_inspector_get_running_database (invocation->inspector);
  if (invocation->database == NULL)
    invocation->database = ldb_database_open (ldb_running_database_get_path (running),
                                              LDB_OPEN_READ_ONLY, NULL, NULL, error);
  return invocation->database != NULL;
}

const char *
command_get_store_name (struct invocation *invocation)
{
  if (invocation->store_name != NULL)
    return invocation->store_name;
  return invocation->session->store_name != NULL ? invocation->session->store_name : "default";
}

gboolean
command_open_store (struct invocation *invocation, LdbOpenFlags flags, GError **error)
{
  return command_open (invocation, flags, error)
         && command_choose_store (invocation, (flags & LDB_OPEN_CREATE) != 0, error);
}

gboolean
command_choose_store (struct invocation *invocation, gboolean create, GError **error)
{
  const char *name = command_get_store_name (invocation);
  GError *failure = NULL;
  LdbDatabase *database = invocation->database;
  invocation->store = ldb_database_open_store (database, name, LDB_OPEN_NONE, NULL, &failure);
  if (invocation->store == NULL && create
      && g_error_matches (failure, LDB_ERROR, LDB_ERROR_NOT_FOUND))
    {
      g_clear_error (&failure);
      invocation->store = ldb_database_open_store (database, name, LDB_OPEN_CREATE, NULL, &failure);
      invocation->store_is_new = invocation->store != NULL;
    }
  if (invocation->store != NULL)
    return TRUE;
  if (g_error_matches (failure, LDB_ERROR, LDB_ERROR_NOT_FOUND))
    {
      g_set_error (error, LDB_ERROR, LDB_ERROR_NOT_FOUND,
                   _ ("there is no store “%s”; “stores” lists them, “stores --create” makes one"),
                   name);
      g_clear_error (&failure);
    }
  else
    g_propagate_error (error, failure);
  return FALSE;
}

void
command_undo_store (struct invocation *invocation)
{
  if (!invocation->store_is_new)
    return;
  g_autofree char *name = g_strdup (ldb_store_get_name (invocation->store));
  g_clear_object (&invocation->store);
  ldb_database_drop_store (invocation->database, name, NULL, NULL);
  invocation->store_is_new = FALSE;
}

/* Takes back a database that command_open made, when what it was made for failed. */
static void
undo_database (struct invocation *invocation)
{
  if (!invocation->database_is_new)
    return;
  invocation->database_is_new = FALSE;
  ldb_database_close (invocation->database, NULL, NULL);
  ldb_database_destroy (ldb_database_get_path (invocation->database), NULL, NULL);
}

/* A command lives too briefly for the background work of a program: every thousandth `put` of a
 * script would otherwise find a thousand runs. So every now and then one stays to merge them. */
static void
settle_now_and_then (LdbDatabase *database)
{
  g_autoptr (LdbStats) stats = ldb_database_get_stats (database, NULL);
  if (stats != NULL && stats->runs >= RUNS_LEFT_BEHIND_MAX)
    ldb_database_wait_settled (database, SETTLE_MILLISECONDS, NULL, NULL);
}

gboolean
command_close (struct invocation *invocation, GError **error)
{
  if (invocation->session->database != NULL || invocation->database == NULL)
    return TRUE;
  if (!ldb_database_is_read_only (invocation->database))
    settle_now_and_then (invocation->database);
  return ldb_database_close (invocation->database, NULL, error);
}

/* ---- output ---- */

static const char *
error_name (const GError *error)
{
  static const char *const own_names[] = { "usage", "input", "output", "interrupted" };
  if (error->domain == COMMAND_ERROR)
    return own_names[error->code];
  if (error->domain == G_IO_ERROR)
    return error->code == G_IO_ERROR_CANCELLED ? "interrupted" : "io";
  if (error->domain != LDB_ERROR)
    return "failed";
  g_autoptr (GEnumClass) codes = g_type_class_ref (LDB_TYPE_ERROR);
  const GEnumValue *value = g_enum_get_value (codes, error->code);
  return value != NULL ? value->value_nick : "failed";
}

enum exit_status
command_fail (struct invocation *invocation, GError *error)
{
  if (error == NULL)
    return EXIT_STATUS_DONE;
  undo_database (invocation);
  fflush (stdout);
  if (invocation->json)
    {
      g_autoptr (GString) line = g_string_new ("{\"error\":");
      const char *name = error_name (error);
      text_form_append_json_string (line, name, strlen (name));
      g_string_append (line, ",\"message\":");
      /* A message may quote what was typed, or the name of a file. */
      g_autofree char *message = g_utf8_make_valid (error->message, -1);
      text_form_append_json_string (line, message, strlen (message));
      fprintf (stderr, "%s}\n", line->str);
    }
  else
    command_complain (error->message);
  enum exit_status status = g_error_matches (error, LDB_ERROR, LDB_ERROR_LOCKED)
                                ? EXIT_STATUS_LOCKED
                                : EXIT_STATUS_FAILED;
  g_error_free (error);
  return status;
}

void
command_complain (const char *text)
{
  g_autofree char *shown = text_form_show (text, "\n\t");
  fprintf (stderr, "lightning-cli: %s\n", shown);
}

void
command_print (const struct invocation *invocation, const char *text)
{
  g_autofree char *shown
      = invocation->json ? text_form_show_json (text) : text_form_show (text, "\n\t");
  fputs (shown, stdout);
}

void
command_print_json (JsonBuilder *builder)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  JsonNode *root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  g_autofree char *text = json_generator_to_data (generator, NULL);
  g_autofree char *shown = text_form_show_json (text);
  puts (shown);
  json_node_unref (root);
  g_object_unref (builder);
}

void
command_add_number (JsonBuilder *builder, const char *name, guint64 number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) MIN (number, (guint64) G_MAXINT64));
}

void
command_add_text (JsonBuilder *builder, const char *name, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, valid);
}

char *
command_format_count (guint64 count)
{
  const char *separator = localeconv ()->thousands_sep;
  if (separator == NULL || separator[0] == '\0')
    separator = ",";
  g_autofree char *digits = g_strdup_printf ("%" PRIu64, count);
  gsize length = strlen (digits);
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < length; i++)
    {
      if (i > 0 && (length - i) % 3 == 0)
        g_string_append (text, separator);
      g_string_append_c (text, digits[i]);
    }
  return g_string_free (text, FALSE);
}

char *
command_format_size (guint64 bytes)
{
  /* A plain space, so that scripts can split the line. */
  g_autofree char *text = g_format_size (bytes);
  g_auto (GStrv) parts = g_strsplit (text, "\302\240", -1);
  return g_strjoinv (" ", parts);
}

char *
command_format_seconds (gint64 microseconds)
{
  if (microseconds < 1000000)
    return g_strdup_printf (_ ("%.1f ms"), (double) microseconds / 1e3);
  return g_strdup_printf (_ ("%.2f s"), (double) microseconds / 1e6);
}

/* ---- Ctrl+C ---- */

static void
note_interrupt (int signal_number)
{
  (void) signal_number;
  interrupted = 1;
}

/* The second Ctrl+C ends the program at once: that is as safe as a kill always is. */
void
command_catch_interrupts (void)
{
  struct sigaction action = { .sa_handler = note_interrupt, .sa_flags = (int) SA_RESETHAND };
  sigaction (SIGINT, &action, NULL);
}

gboolean
command_is_interrupted (void)
{
  return interrupted != 0;
}

gboolean
command_write_interrupted (void)
{
  return errno == EINTR && interrupted != 0;
}

void
command_forget_interrupt (void)
{
  interrupted = 0;
}

gboolean
command_interrupted (GError **error)
{
  if (!interrupted)
    return FALSE;
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_INTERRUPTED,
                       _ ("interrupted; nothing of it was written"));
  return TRUE;
}
