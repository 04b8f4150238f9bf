/* SPDX-License-Identifier: MIT */
/*
 * Figures in rows and columns, for a terminal and for a page.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct
{
  const char *const *headings; /* of the columns; borrowed */
  guint columns;               /* how many */
  guint words;                 /* of them, the first ones: words rather than numbers */
  GPtrArray *rows;             /* of arrays of `columns` strings and a NULL; owned */
} Table;

void table_begin (Table *self, const char *const *headings, guint columns, guint words);
/* Takes the row over, and its strings. */
void table_add (Table *self, char **row);
void table_print (const Table *self, FILE *to);
void table_print_markdown (const Table *self, FILE *to);
void table_end (Table *self);
