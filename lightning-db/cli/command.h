/* SPDX-License-Identifier: MIT */
/*
 * command: what every command of lightning-cli stands on: its options, the database and store it
 * works on, its output, its errors and its exit status.
 *
 * A command is a function from an invocation to an exit status. It reads its options with
 * command_parse, gets its database from command_open, and either prints its result or hands its
 * error to command_fail. Within a shell the database is open already: then no command takes one.
 *
 * Threads: the main thread only.
 */
#pragma once

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <lightning-db.h>

/* What a script may rely on; the man page has the same list. */
enum exit_status
{
  EXIT_STATUS_DONE = 0,     /* it was done; the answer is yes */
  EXIT_STATUS_NEGATIVE = 1, /* it was done; the answer is no: key not there, faults found */
  EXIT_STATUS_FAILED = 2,   /* it could not be done, or the command line is wrong */
  EXIT_STATUS_LOCKED = 3,   /* another process is writing to the database: try again later */
};

#define COMMAND_ERROR (command_error_quark ())
GQuark command_error_quark (void);
enum
{
  COMMAND_ERROR_USAGE,       /* the command line is wrong */
  COMMAND_ERROR_INPUT,       /* a file to read is missing or wrong */
  COMMAND_ERROR_OUTPUT,      /* standard output or a file cannot be written */
  COMMAND_ERROR_INTERRUPTED, /* Ctrl+C */
};

/* What outlives one command: the state of a shell. */
struct session
{
  LdbDatabase *database;       /* open in a shell, else NULL; owned */
  LdbTransaction *transaction; /* begun in a shell and not ended, else NULL; owned */
  char *store_name;            /* chosen in a shell, else NULL; owned */
  gboolean read_only;          /* the shell was opened so */
  gboolean leave;              /* the shell shall end */
};

struct invocation
{
  struct session *session;       /* borrowed */
  const struct command *command; /* borrowed */
  char **words;                  /* the command's name and all behind it; borrowed */

  /* Filled by command_parse. */
  char **arguments;     /* what is no option, as bytes; owned */
  guint argument_count; /* of arguments */
  guint next_argument;  /* the first one that command_take has not given out */
  gboolean json;        /* --json */
  gboolean quiet;       /* --quiet */
  gboolean help;        /* --help: command_parse has printed it */
  char *store_name;     /* --store; owned */
  char **settings;      /* --option, each NAME=VALUE; owned */

  /* Filled by command_open. */
  LdbDatabase *database;   /* owned */
  LdbInspector *inspector; /* command_open_look, command_open_control: in the application that has
                              it open; owned */
  LdbStore *store;         /* owned; NULL before command_open_store */
  gboolean store_is_new;   /* command_open_store made it */

  gboolean database_is_new; /* command_open made it; command_fail takes it back */
};

enum command_use
{
  COMMAND_USE_STORE = 1 << 0,         /* works on one store: takes --store */
  COMMAND_USE_DATABASE = 1 << 1,      /* its first argument is a database, but not within a shell */
  COMMAND_USE_PATH = 1 << 4,          /* the same, but it is not opened: no --option */
  COMMAND_USE_DATABASE_LAST = 1 << 5, /* like DATABASE, but it is the last argument */
  COMMAND_USE_NO_TRANSACTION = 1 << 6, /* commits by itself, so not within a transaction */
  COMMAND_USE_SHELL_ONLY = 1 << 2,     /* makes sense only within a shell */
  COMMAND_USE_NO_SHELL = 1 << 3,       /* works on paths, so not within a shell */
};

struct command
{
  const char *name;      /* as typed */
  const char *arguments; /* what follows the database, for the help */
  const char *summary;   /* one line for the list; to be translated */
  enum exit_status (*run) (struct invocation *invocation);
  unsigned use; /* command_use flags */
};

/* All commands in the order of the help, ended by one without a name. */
extern const struct command commands[];
const struct command *command_find (const char *name);
/* The command whose name is nearest to a mistyped one; NULL: none is near. */
const struct command *command_nearest (const char *name);
/* Runs `words` (name first, NULL-terminated). */
enum exit_status command_run (struct session *session, char **words);
/* The same for a command that is not in the list, as the kinds of import are. */
enum exit_status command_run_one (const struct command *command, struct session *session,
                                  char **words);
void session_clear (struct session *session);

/* Reads the options: the common ones (--json, --quiet, --help; --store and --option where the
 * command's use says so) and those of `entries` and `more` (may be NULL). `description` is the long
 * help; translated. FALSE: error, or no error when --help was asked for and printed. */
gboolean command_parse (struct invocation *invocation, const GOptionEntry *entries,
                        const GOptionEntry *more, const char *description, GError **error);
/* --count, of which COMMAND_COUNT_NONE was the value before: 0 when it is not given. FALSE: error. */
#define COMMAND_COUNT_NONE G_MININT64
gboolean command_check_count (gint64 *count, GError **error);
/* What is no number is no negative one. */
gboolean command_check_not_negative (const char *option, double value, GError **error);
/* The next argument. NULL: error that says what `name` is missing. */
const char *command_take (struct invocation *invocation, const char *name, GError **error);
/* FALSE: error, when arguments are left over. */
gboolean command_finish (struct invocation *invocation, GError **error);

/* Opens the database that the next argument names, or takes the shell's. */
gboolean command_open (struct invocation *invocation, LdbOpenFlags flags, GError **error);
/* The same for looking at it: in the application that has it open, where that lets it be inspected; else
 * read-only. One of `inspector` and `database` is there then. */
gboolean command_open_look (struct invocation *invocation, GError **error);
/* The same for having something done to it: in the application that has it open, where that lets itself be
 * controlled; else for writing (`else_read`: or read-only, where it can't be written). */
gboolean command_open_control (struct invocation *invocation, gboolean else_read, GError **error);
/* Nobody shares anything: FALSE with an error, if that is because the folder where it is announced cannot be
 * used. */
gboolean command_check_running (LdbRunningList *list, GError **error);
/* Connects to an application; NULL with an error, soon, when it does not answer. */
LdbInspector *command_connect (LdbRunningDatabase *running, GError **error);
/* Opens what command_open_look looks at in an application here, beside it. */
gboolean command_open_beside (struct invocation *invocation, GError **error);
/* The name of the store that is worked on. */
const char *command_get_store_name (struct invocation *invocation);
/* Takes the store of --store, else the shell's, else the default one. */
gboolean command_choose_store (struct invocation *invocation, gboolean create, GError **error);
/* Both; the flags hold for the store too. */
gboolean command_open_store (struct invocation *invocation, LdbOpenFlags flags, GError **error);
/* Takes back a store that command_open_store made, when what it was made for failed. */
void command_undo_store (struct invocation *invocation);
/* Closes what a command opened to write to, so that its failure is seen. */
gboolean command_close (struct invocation *invocation, GError **error);

/* Prints the error, takes it over, and gives the exit status for it. A NULL error: --help was
 * printed. */
enum exit_status command_fail (struct invocation *invocation, GError *error);
/* Prints what was built on one line and frees it. */
/* Says on standard error what is wrong; and prints what a command has to tell, which is JSON with
 * --json. Others had a hand in either, so neither steers a terminal: text_form_show. */
void command_complain (const char *text);
void command_print (const struct invocation *invocation, const char *text);
void command_print_json (JsonBuilder *builder);
void command_add_number (JsonBuilder *builder, const char *name, guint64 number);
void command_add_text (JsonBuilder *builder, const char *name, const char *text);

/* 1,234,567 with the separator of the language; free it. */
char *command_format_count (guint64 count);
/* 45.6 MB; free it. */
char *command_format_size (guint64 bytes);
/* 1.23 s; free it. */
char *command_format_seconds (gint64 microseconds);

/* Ctrl+C: from command_catch_interrupts on it sets a flag that long commands look at. */
void command_catch_interrupts (void);
gboolean command_is_interrupted (void);
void command_forget_interrupt (void);
/* TRUE, with an error, when it was pressed. */
gboolean command_interrupted (GError **error);
/* TRUE when it was pressed and the write that has just failed (errno) waited for a reader: it is
 * not the output that is at fault. */
gboolean command_write_interrupted (void);
