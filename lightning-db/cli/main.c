/* SPDX-License-Identifier: MIT */
/* lightning-cli: the list of its commands, and where it begins. */
#include "benchmark.h"
#include "command.h"
#include "dump.h"
#include "import.h"
#include "live.h"
#include "memory.h"
#include "records.h"
#ifdef HAVE_MONITOR
#include "serve.h"
#endif
#include "shell.h"
#include "storage.h"
#include "upkeep.h"

#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum exit_status help_run (struct invocation *invocation);

#define RECORD_USE (COMMAND_USE_DATABASE | COMMAND_USE_STORE)
#define LOAD_USE (RECORD_USE | COMMAND_USE_NO_TRANSACTION)
#define PATHS_USE (COMMAND_USE_PATH | COMMAND_USE_NO_SHELL)
#define CREATE_USE (COMMAND_USE_DATABASE | COMMAND_USE_NO_SHELL)

const struct command commands[] = {
  { "create", "", N_ ("Make a new, empty database"), create_run, CREATE_USE },
  { "get", N_ ("KEY…"), N_ ("Print the values of keys"), get_run, RECORD_USE },
  { "put", N_ ("KEY [VALUE]"), N_ ("Store a value under a key"), put_run, RECORD_USE },
  { "del", N_ ("KEY…"), N_ ("Delete keys, or a range of them"), del_run, RECORD_USE },
  { "scan", "", N_ ("Print the records of a range, in order"), scan_run, RECORD_USE },
  { "stores", "", N_ ("List, make and drop named stores"), stores_run, COMMAND_USE_DATABASE },
  { "shell", "", N_ ("Work on a database interactively"), shell_run, CREATE_USE },
  { "inspect", "", N_ ("Say what a database looks like"), inspect_run, COMMAND_USE_DATABASE },
  { "stat", "", N_ ("The same as inspect"), inspect_run, COMMAND_USE_DATABASE },
  { "storage", "", N_ ("Show how it lies on the disk: levels, segments, pages"), storage_run,
    RECORD_USE },
  { "bigkeys", "", N_ ("Find the largest values, and how sizes are distributed"), bigkeys_run,
    RECORD_USE },
  { "report", "", N_ ("Write what there is to say of a database, as text or a page"), report_run,
    COMMAND_USE_DATABASE },
  { "check", "", N_ ("Find out whether a database is sound"), check_run, COMMAND_USE_PATH },
  { "compact", "", N_ ("Merge everything to one run"), compact_run, COMMAND_USE_DATABASE },
  { "checkpoint", "", N_ ("Empty the write-ahead log"), checkpoint_run, COMMAND_USE_DATABASE },
  { "backup", N_ ("PATH"), N_ ("Back a database up, also while it is in use"), backup_run,
    COMMAND_USE_DATABASE },
  { "restore", N_ ("BACKUP PATH"), N_ ("Make a database of a backup"), restore_run,
    COMMAND_USE_NO_SHELL },
  { "repair", N_ ("DESTINATION"), N_ ("Save what is sound of a damaged database"), repair_run,
    PATHS_USE },
  { "dump", N_ ("[FILE]"), N_ ("Write a database as text"), dump_run, RECORD_USE },
  { "load", N_ ("[FILE]"), N_ ("Take back what dump wrote"), load_run, LOAD_USE },
  { "import", N_ ("KIND …"), N_ ("Import csv, json lines or Debian control files"),
    import_command_run, 0 },
  { "top", N_ ("[DATABASE]"), N_ ("Show what databases of running applications are doing"), top_run,
    COMMAND_USE_NO_SHELL },
  { "monitor", "", N_ ("Print changes as they are committed"), monitor_run,
    PATHS_USE | COMMAND_USE_STORE },
  { "metrics", "", N_ ("Print what a database counts"), metrics_run, PATHS_USE },
  { "latency", "", N_ ("Print how long operations take"), latency_run, PATHS_USE },
  { "profile", "", N_ ("Print what operations spend their time on"), profile_run, PATHS_USE },
  { "trace", N_ ("KEY"), N_ ("Print what one lookup of a key does, step by step"), trace_run,
    RECORD_USE },
  { "slow", "", N_ ("Print which operations took long, and why"), slow_run, PATHS_USE },
  { "hotkeys", "", N_ ("Find the keys that are read, written, in conflict most"), hotkeys_run,
    PATHS_USE },
  { "memory", "", N_ ("Show what memory is used for, or set another budget"), memory_run,
    COMMAND_USE_PATH },
  { "health", "", N_ ("Say whether a database is well, and what to do if not"), health_run,
    PATHS_USE },
  { "events", "", N_ ("Print what happened: flushes, merges, stalls, failures"), events_run,
    PATHS_USE },
  { "benchmark", N_ ("[DIRECTORY]"), N_ ("Measure how fast it is here"), benchmark_run,
    COMMAND_USE_NO_SHELL },
#ifdef HAVE_MONITOR
  { "serve", "", N_ ("Show a database to Prometheus, over HTTP"), serve_run, CREATE_USE },
#endif
  { "use", N_ ("STORE"), N_ ("Work on another store from here on"), use_run,
    COMMAND_USE_SHELL_ONLY },
  { "begin", "", N_ ("Begin a transaction"), begin_run, COMMAND_USE_SHELL_ONLY },
  { "commit", "", N_ ("Commit the transaction"), commit_run, COMMAND_USE_SHELL_ONLY },
  { "rollback", "", N_ ("Roll the transaction back"), rollback_run, COMMAND_USE_SHELL_ONLY },
  { "help", N_ ("[COMMAND]"), N_ ("List the commands, or explain one"), help_run, 0 },
  { "quit", "", N_ ("Leave the shell"), quit_run, COMMAND_USE_SHELL_ONLY },
  { NULL },
};

static void
list_commands (gboolean in_shell)
{
  if (!in_shell)
    printf (_ ("Usage: lightning-cli COMMAND [DATABASE] [OPTION…]\n\n"
               "Reads, writes, checks, converts and repairs Lightning DB databases.\n\n"));
  unsigned other = in_shell ? COMMAND_USE_NO_SHELL : COMMAND_USE_SHELL_ONLY;
  for (const struct command *command = commands; command->name != NULL; command++)
    if ((command->use & other) == 0)
      printf ("  %-11s %s\n", command->name, _ (command->summary));
  puts (in_shell ? _ ("\n“help COMMAND” explains one.")
                 : _ ("\n“lightning-cli COMMAND --help” explains one; “man lightning-cli” all.\n"
                      "Exit status: 0 done, 1 the answer is no, 2 failed, 3 the database is "
                      "locked."));
}

static enum exit_status
help_run (struct invocation *invocation)
{
  const char *name = invocation->words[1];
  if (name != NULL && name[0] != '-' && strcmp (name, "help") != 0)
    {
      const char *const words[] = { name, "--help", NULL };
      return command_run (invocation->session, (char **) words);
    }
  list_commands (invocation->session->database != NULL);
  return EXIT_STATUS_DONE;
}

static void
prepare_language (void)
{
  const char *directory = g_getenv ("TEXTDOMAINDIR");
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, directory != NULL ? directory : LOCALE_DIRECTORY);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}

/* Whether standard output is a pipe that nobody reads any more. */
static gboolean
reader_has_left (void)
{
  struct pollfd output = { .fd = STDOUT_FILENO };
  return poll (&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

/* What was not written, for which there is no reason to complain when nobody wanted it (“head”): then
 * the process ends as it would have if GIO had not had SIGPIPE ignored, which it has for a socket. */
static enum exit_status
fail_to_write (void)
{
  if (reader_has_left () && signal (SIGPIPE, SIG_DFL) != SIG_ERR)
    raise (SIGPIPE);
  fputs (_ ("lightning-cli: standard output cannot be written; is the disk full?\n"), stderr);
  return EXIT_STATUS_FAILED;
}

int
main (int argc, char **argv)
{
  prepare_language ();
  g_set_prgname ("lightning-cli");
  g_log_writer_default_set_use_stderr (TRUE); /* the other one is for answers */
  struct session session = { 0 };
  const char *first = argc > 1 ? argv[1] : NULL;
  enum exit_status status = EXIT_STATUS_DONE;
  if (first == NULL)
    {
      list_commands (FALSE);
      status = EXIT_STATUS_FAILED;
    }
  else if (strcmp (first, "--version") == 0 || strcmp (first, "-V") == 0)
    printf ("lightning-cli %s\n", ldb_get_version ());
  else if (strcmp (first, "--help") == 0 || strcmp (first, "-h") == 0)
    list_commands (FALSE);
  else
    status = command_run (&session, argv + 1);
  session_clear (&session);
  /* A command that failed has said why. */
  if ((fflush (stdout) != 0 || ferror (stdout)) && status != EXIT_STATUS_FAILED)
    status = fail_to_write ();
  return status;
}
