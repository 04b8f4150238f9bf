/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the lines that a shell of lightning-cli reads: keys and values in every form,
 * ranges, stores, transactions, settings. Commands that write other files than the database's are
 * left out, and so is what reads them. What was stored in the end survives a dump and a load.
 */
#include "fuzz-cli.h"

#include "settings.h"

#include <string.h>

#define LINES_MAX 40u

/* Whether the line stays within the database. */
static gboolean
is_harmless (char *const *words)
{
  static const char *const harmless[]
      = { "get",   "put",    "del",      "scan", "stores",     "inspect", "use",
          "begin", "commit", "rollback", "help", "checkpoint", NULL };
  for (gsize i = 1; words[0] != NULL && words[i] != NULL; i++)
    if (g_str_has_prefix (words[i], "--file")
        || (words[i][0] == '-' && words[i][1] != '-' && strchr (words[i], 'f') != NULL))
      return FALSE;
  return words[0] != NULL && g_strv_contains (harmless, words[0]);
}

/* A line that is none of these is taken for settings of --option. */
static void
apply_settings (const char *line)
{
  g_auto (GStrv) settings = g_strsplit (line, " ", -1);
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_autoptr (GError) error = NULL;
  gboolean taken = settings_apply (options, (const char *const *) settings, &error);
  CHECK (taken == (error == NULL));
}

static void
run_line (struct session *session, const char *line)
{
  g_auto (GStrv) words = NULL;
  if (strchr (line, '=') != NULL)
    apply_settings (line);
  if (g_shell_parse_argv (line, NULL, &words, NULL) && is_harmless (words))
    CHECK (command_run (session, words) <= EXIT_STATUS_LOCKED);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  struct session session = { .database = fuzz_cli_database () };
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", LINES_MAX);
  for (gsize i = 0; lines[i] != NULL && !session.leave; i++)
    run_line (&session, lines[i]);
  if (session.transaction != NULL)
    ldb_transaction_rollback (session.transaction, NULL);
  g_clear_object (&session.transaction);
  g_clear_pointer (&session.store_name, g_free);
  fuzz_cli_there_and_back ();
  return 0;
}
