/* SPDX-License-Identifier: MIT */
/*
 * import: one loop that reads records from a source in any format and loads them in one commit.
 *
 * A source gives one record after the other. A record that breaks the rules of its format ends the
 * import with its line, and nothing of it is in the database, unless the user asked to skip such
 * records.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"
#include "input.h"

struct import_record
{
  GString *key;   /* bytes */
  GString *value; /* bytes */
  guint64 line;   /* where the record begins in its source, from 1 */
};

enum import_result
{
  IMPORT_RECORD, /* the record is filled in */
  IMPORT_END,    /* there are no more */
  IMPORT_BAD,    /* this one breaks the rules: error; the next call goes on */
  IMPORT_FAILED, /* the source is of no further use: error */
};

struct import_source
{
  gpointer state; /* of the source; borrowed */
  enum import_result (*next) (gpointer state, struct import_record *record, GError **error);
};

/* What every kind of import understands. */
struct import_options
{
  gboolean create;   /* --create: the database, when it is missing */
  gboolean skip_bad; /* --skip-bad: leave out what breaks the rules */
};

/* Says what is wrong with a record; returns IMPORT_BAD. */
enum import_result import_bad (const struct input *input, guint64 line, GError **error,
                               const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Reads the command line, of which `entries` are this kind's own and `options` everybody's, and
 * opens the file it names. NULL: with an error. */
struct input *import_begin (struct invocation *invocation, const GOptionEntry *entries,
                            const char *description, struct import_options *options,
                            GError **error);

/* Loads everything from `source`, which reads `input`, into the invocation's next argument. */
enum exit_status import_run (struct invocation *invocation, const struct import_options *options,
                             struct input *input, const struct import_source *source);

enum exit_status import_command_run (struct invocation *invocation);
/* The kinds: `lightning-cli import KIND`. */
extern const struct command import_kinds[];
enum exit_status import_csv_run (struct invocation *invocation);
enum exit_status import_json_run (struct invocation *invocation);
enum exit_status import_control_run (struct invocation *invocation);
