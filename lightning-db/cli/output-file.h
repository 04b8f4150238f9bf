/* SPDX-License-Identifier: MIT */
/*
 * output-file: where a command writes something whole, a dump or a report: a file that takes its name
 * when it is whole, or what was there already and is no regular file, a device or a pipe, which is
 * written to and stays what it is; or standard output.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

#include <stdio.h>

struct output_file
{
  FILE *file;             /* where it goes */
  char *path;             /* of the finished file; NULL: standard output; owned */
  char *partial_path;     /* while it is written; NULL: it is written in place; owned */
  const char *unfinished; /* what to say of one in place that Ctrl+C cut short; NULL: no more than
                           * of any failure */
};

/* `path`: NULL or "-" for standard output. Nothing is written among the files of the database in the
 * directory `database`. FALSE: error. */
gboolean output_file_open (struct output_file *self, const char *path, const char *database,
                           GError **error);
/* It is whole: takes its name. FALSE: error. */
gboolean output_file_finish (struct output_file *self, GError **error);
/* One that was not finished is removed, if it is a file. */
void output_file_clear (struct output_file *self);

/* By errno: something was not written. Returns FALSE. */
gboolean output_file_fail (const struct output_file *self, GError **error);
gboolean output_file_fail_interrupted (const struct output_file *self, GError **error);
