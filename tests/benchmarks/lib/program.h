/* SPDX-License-Identifier: MIT */
/*
 * A program that measures, from its options to its end: in a directory of its own, below one that
 * is named and on a disk, which is removed when all went well. It prints tables, and writes them to
 * a page, too, if that is wanted; what is not as it must be ends it.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct
{
  const GOptionEntry *options;    /* beside --directory, --markdown and --quick; ends with a NULL */
  gboolean (*is_sensible) (void); /* are their values? */
  void (*shorten) (void);         /* --quick: does it work at all? */
  /* A database is to be made at `path`. `page`: of the tables; NULL: none. */
  void (*measure) (const char *path, FILE *page);
} Program;

/* Gives what main does. */
int program_run (const Program *self, int argc, char **argv);

/* Says what is wrong, and ends the program. */
void check (gboolean fine, const char *format, ...) G_GNUC_PRINTF (2, 3);
void check_error (const GError *error);
