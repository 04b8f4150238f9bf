/* SPDX-License-Identifier: MIT */
#include "shell.h"

#include "import.h"
#include "input.h"

#include <editline/readline.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_LINES 1000
#define KEYS_COMPLETED 100
#define LINE_SIZE_MAX ((gsize) 64 << 20) /* of a script; larger values come from files */

/* ---- commands that only a shell has ---- */

enum exit_status
use_run (struct invocation *invocation)
{
  struct session *session = invocation->session;
  GError *error = NULL;
  const char *name;
  if (!command_parse (invocation, NULL, NULL,
                      _ ("The commands that follow work on STORE, without --store."), &error)
      || (name = command_take (invocation, _ ("STORE"), &error)) == NULL
      || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  g_free (invocation->store_name);
  invocation->store_name = g_strdup (name);
  if (!command_open_store (invocation, LDB_OPEN_NONE, &error))
    return command_fail (invocation, error);
  g_free (session->store_name);
  session->store_name = g_strdup (name);
  return EXIT_STATUS_DONE;
}

static gboolean
require_transaction (struct invocation *invocation, GError **error)
{
  if (invocation->session->transaction != NULL)
    return TRUE;
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                       _ ("no transaction is open; “begin” opens one"));
  return FALSE;
}

enum exit_status
begin_run (struct invocation *invocation)
{
  struct session *session = invocation->session;
  gboolean serializable = FALSE;
  const GOptionEntry entries[] = {
    { "serializable", 0, 0, G_OPTION_ARG_NONE, &serializable,
      N_ ("Also conflict when what was read has changed meanwhile"), NULL },
    { NULL },
  };
  GError *error = NULL;
  if (!command_parse (invocation, entries, NULL,
                      _ ("What follows, up to “commit”, is one transaction: it reads one snapshot "
                         "and its own writes, and is written whole or not at all."),
                      &error)
      || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  if (session->transaction != NULL)
    g_set_error_literal (&error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                         _ ("a transaction is open; “commit” or “rollback” it first"));
  else
    session->transaction = ldb_database_begin (
        session->database, serializable ? LDB_TRANSACTION_SERIALIZABLE : LDB_TRANSACTION_NONE,
        &error);
  return command_fail (invocation, error);
}

enum exit_status
commit_run (struct invocation *invocation)
{
  struct session *session = invocation->session;
  GError *error = NULL;
  if (!command_parse (invocation, NULL, NULL, NULL, &error) || !command_finish (invocation, &error)
      || !require_transaction (invocation, &error))
    return command_fail (invocation, error);
  ldb_transaction_commit (session->transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_clear_object (&session->transaction);
  return command_fail (invocation, error);
}

enum exit_status
rollback_run (struct invocation *invocation)
{
  struct session *session = invocation->session;
  GError *error = NULL;
  if (!command_parse (invocation, NULL, NULL, NULL, &error) || !command_finish (invocation, &error)
      || !require_transaction (invocation, &error))
    return command_fail (invocation, error);
  ldb_transaction_rollback (session->transaction, &error);
  g_clear_object (&session->transaction);
  return command_fail (invocation, error);
}

enum exit_status
quit_run (struct invocation *invocation)
{
  GError *error = NULL;
  if (command_parse (invocation, NULL, NULL, NULL, &error) && command_finish (invocation, &error))
    invocation->session->leave = TRUE;
  return command_fail (invocation, error);
}

/* ---- completion ---- */

static struct session *completing; /* the shell's; the line editor passes no data */
static GPtrArray *candidates;      /* char *; for the word being completed */
static guint next_candidate;       /* in candidates */

static void
offer (const char *word, gsize length, const char *typed)
{
  gsize typed_length = strlen (typed);
  if (length >= typed_length && memcmp (word, typed, typed_length) == 0)
    g_ptr_array_add (candidates, g_strndup (word, length));
}

static void
offer_commands (const struct command *list, const char *typed)
{
  for (const struct command *command = list; command->name != NULL; command++)
    if ((command->use & COMMAND_USE_NO_SHELL) == 0)
      offer (command->name, strlen (command->name), typed);
}

static void
offer_stores (const char *typed)
{
  g_auto (GStrv) names = ldb_database_list_stores (completing->database, NULL, NULL);
  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    offer (names[i], strlen (names[i]), typed);
}

static gboolean
is_plain_word (const guint8 *data, gsize size)
{
  if (!g_utf8_validate_len ((const char *) data, size, NULL))
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (data[i] <= ' ' || data[i] == 0x7f || strchr ("\"'\\#$`", data[i]) != NULL)
      return FALSE;
  return TRUE;
}

static void
offer_keys (const char *typed)
{
  const char *name = completing->store_name != NULL ? completing->store_name : "default";
  g_autoptr (LdbStore) store
      = ldb_database_open_store (completing->database, name, LDB_OPEN_NONE, NULL, NULL);
  g_autoptr (LdbCursor) cursor
      = store != NULL
            ? ldb_store_scan_prefix (store, typed, strlen (typed), LDB_SCAN_KEYS_ONLY, NULL)
            : NULL;
  for (guint i = 0; cursor != NULL && i < KEYS_COMPLETED && ldb_cursor_next (cursor, NULL, NULL);
       i++)
    {
      gsize size;
      const guint8 *key = ldb_cursor_peek_key (cursor, &size);
      if (is_plain_word (key, size))
        offer ((const char *) key, size, typed);
    }
}

static char *
next_match (const char *typed, int state)
{
  (void) typed;
  if (state == 0)
    next_candidate = 0;
  /* The line editor frees it. */
  return next_candidate < candidates->len ? strdup (candidates->pdata[next_candidate++]) : NULL;
}

static char **
complete (const char *typed, int start, int end)
{
  (void) end;
  g_autofree char *before = g_strndup (rl_line_buffer, (gsize) MAX (start, 0));
  g_strstrip (before);
  g_auto (GStrv) words = g_strsplit_set (before, " \t", -1);
  guint count = g_strv_length (words);
  const char *last = count > 0 ? words[count - 1] : "";
  g_ptr_array_set_size (candidates, 0);
  rl_attempted_completion_over = 1;
  if (before[0] == '\0' || (count == 1 && strcmp (last, "help") == 0))
    offer_commands (commands, typed);
  else if (count == 1 && strcmp (last, "import") == 0)
    offer_commands (import_kinds, typed);
  else if (strcmp (last, "use") == 0 || strcmp (last, "--store") == 0 || strcmp (last, "-s") == 0
           || strcmp (last, "--drop") == 0)
    offer_stores (typed);
  else if (strcmp (words[0], "get") == 0 || strcmp (words[0], "put") == 0
           || strcmp (words[0], "del") == 0 || strcmp (last, "--prefix") == 0
           || strcmp (last, "--from") == 0 || strcmp (last, "--to") == 0)
    offer_keys (typed);
  return rl_completion_matches (typed, next_match);
}

/* ---- reading and running lines ---- */

static char *
history_path (void)
{
  g_autofree char *directory = g_build_filename (g_get_user_state_dir (), "lightning-db", NULL);
  if (g_mkdir_with_parents (directory, 0700) != 0)
    return NULL;
  return g_build_filename (directory, "history", NULL);
}

static char *
prompt (const struct session *session)
{
  g_autofree char *name = g_path_get_basename (ldb_database_get_path (session->database));
  g_autofree char *shown = g_filename_display_name (name);
  const char *store = session->store_name;
  return g_strdup_printf ("%s%s%s%s ", shown, store != NULL ? ":" : "", store != NULL ? store : "",
                          session->transaction != NULL ? "*>" : ">");
}

static enum exit_status
run_line (struct session *session, const char *line)
{
  g_auto (GStrv) words = NULL;
  GError *error = NULL;
  if (!g_shell_parse_argv (line, NULL, &words, &error))
    {
      if (g_error_matches (error, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING))
        {
          g_error_free (error);
          return EXIT_STATUS_DONE;
        }
      struct invocation invocation = { .session = session };
      return command_fail (&invocation, error);
    }
  command_forget_interrupt ();
  enum exit_status status = command_run (session, words);
  fflush (stdout);
  return status;
}

static void
run_interactively (struct session *session)
{
  g_autofree char *path = history_path ();
  candidates = g_ptr_array_new_with_free_func (g_free);
  completing = session;
  rl_readline_name = (char *) "lightning-cli";
  rl_initialize ();
  rl_attempted_completion_function = complete;
  rl_completer_word_break_characters = (char *) " \t\"'";
  using_history ();
  stifle_history (HISTORY_LINES);
  if (path != NULL)
    read_history (path);
  printf (_ ("Lightning DB %s. “help” lists the commands, Ctrl+D leaves.\n"), ldb_get_version ());
  while (!session->leave)
    {
      g_autofree char *text = prompt (session);
      command_forget_interrupt ();
      command_catch_interrupts ();
      char *line = readline (text);
      if (line == NULL && command_is_interrupted ())
        {
          putchar ('\n');
          continue;
        }
      if (line == NULL)
        {
          putchar ('\n');
          break;
        }
      if (line[strspn (line, " \t")] != '\0')
        add_history (line);
      run_line (session, line);
      free (line);
    }
  if (path != NULL && write_history (path) == 0)
    chmod (path, 0600);
  g_clear_pointer (&candidates, g_ptr_array_unref);
}

static enum exit_status
run_script (struct session *session, struct input *script)
{
  struct invocation invocation = { .session = session };
  g_autoptr (GString) line = g_string_new (NULL);
  guint64 number = script->line;
  GError *error = NULL;
  enum exit_status status = EXIT_STATUS_DONE;
  while (!session->leave && status <= EXIT_STATUS_NEGATIVE
         && input_read_line (script, line, LINE_SIZE_MAX, &error))
    {
      if (memchr (line->str, '\0', line->len) != NULL)
        status = command_fail (
            &invocation,
            g_error_new_literal (COMMAND_ERROR, COMMAND_ERROR_INPUT,
                                 _ ("a zero byte in a command; write \\x00 and --input escaped")));
      else
        status = run_line (session, line->str);
      if (status <= EXIT_STATUS_NEGATIVE)
        number = script->line;
    }
  if (error != NULL)
    status = command_fail (&invocation, error);
  if (status > EXIT_STATUS_NEGATIVE)
    fprintf (stderr, _ ("lightning-cli: stopped at line %" PRIu64 "\n"), number);
  return status > EXIT_STATUS_NEGATIVE ? status : EXIT_STATUS_DONE;
}

static void
roll_back_rest (struct session *session)
{
  if (session->transaction == NULL)
    return;
  fputs (_ ("lightning-cli: the open transaction was rolled back\n"), stderr);
  ldb_transaction_rollback (session->transaction, NULL);
  g_clear_object (&session->transaction);
}

enum exit_status
shell_run (struct invocation *invocation)
{
  gboolean read_only = FALSE;
  gboolean create = FALSE;
  const GOptionEntry entries[] = {
    { "read-only", 0, 0, G_OPTION_ARG_NONE, &read_only,
      N_ ("Write nothing; works beside a writing process"), NULL },
    { "create", 'c', 0, G_OPTION_ARG_NONE, &create, N_ ("Create the database when it is missing"),
      NULL },
    { NULL },
  };
  GError *error = NULL;
  LdbOpenFlags flags = LDB_OPEN_NONE;
  gboolean parsed
      = command_parse (invocation, entries, NULL,
                       _ ("Holds the database open and runs the commands that are typed, without "
                          "DATABASE. From a pipe it stops at the first line that fails."),
                       &error);
  if (read_only)
    flags = LDB_OPEN_READ_ONLY;
  else if (create)
    flags = LDB_OPEN_CREATE;
  if (!parsed || !command_open (invocation, flags, &error) || !command_finish (invocation, &error))
    return command_fail (invocation, error);
  struct session session = { .database = g_object_ref (invocation->database) };
  enum exit_status status = EXIT_STATUS_DONE;
  struct input *script = input_open ("-", NULL);
  invocation->database_is_new = FALSE; /* from here on there may be something in it */
  input_reserve_standard ();
  if (isatty (STDIN_FILENO))
    run_interactively (&session);
  else
    status = run_script (&session, script);
  input_free (script);
  roll_back_rest (&session);
  session_clear (&session);
  if (!command_close (invocation, &error))
    return command_fail (invocation, error);
  return status;
}
