/* SPDX-License-Identifier: MIT */
#include "table.h"

void
table_begin (Table *self, const char *const *headings, guint columns, guint words)
{
  *self = (Table){ headings, columns, words,
                   g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev) };
}

void
table_add (Table *self, char **row)
{
  g_ptr_array_add (self->rows, row);
}

void
table_end (Table *self)
{
  g_ptr_array_unref (self->rows);
}

/* Row 0 has the headings. */
static const char *
text_at (const Table *self, guint row, guint column)
{
  if (row == 0)
    return self->headings[column];
  return ((char **) g_ptr_array_index (self->rows, row - 1))[column];
}

static int
width_of (const Table *self, guint column)
{
  glong width = 0;
  for (guint row = 0; row <= self->rows->len; row++)
    width = MAX (width, g_utf8_strlen (text_at (self, row, column), -1));
  return (int) width;
}

void
table_print (const Table *self, FILE *to)
{
  for (guint row = 0; row <= self->rows->len; row++)
    for (guint column = 0; column < self->columns; column++)
      {
        const char *text = text_at (self, row, column);
        int space = width_of (self, column) - (int) g_utf8_strlen (text, -1);
        if (column < self->words)
          fprintf (to, "%s%*s", text, space, "");
        else
          fprintf (to, "%*s%s", space, "", text);
        fputs (column + 1 < self->columns ? "  " : "\n", to);
      }
}

void
table_print_markdown (const Table *self, FILE *to)
{
  for (guint row = 0; row <= self->rows->len; row++)
    {
      for (guint column = 0; column < self->columns; column++)
        fprintf (to, "| %s ", text_at (self, row, column));
      fputs ("|\n", to);
      for (guint column = 0; row == 0 && column < self->columns; column++)
        fputs (column < self->words ? "|---" : "|--:", to);
      fputs (row == 0 ? "|\n" : "", to);
    }
}
