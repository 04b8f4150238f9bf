/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>
#include <string.h>

#include "insp-sheet.h"

typedef struct
{
  char *text; /* NULL: there is nothing; owned */
  gboolean is_number;
} Cell;

struct _InspSheet
{
  char *title;
  GPtrArray *columns; /* char *; owned */
  GArray *cells;      /* Cell, row by row; owned */
};

/* ---- what is in it ---- */

static void
clear_cell (gpointer cell)
{
  g_free (((Cell *) cell)->text);
}

InspSheet *
insp_sheet_new (const char *title)
{
  InspSheet *self = g_new (InspSheet, 1);
  self->title = g_strdup (title);
  self->columns = g_ptr_array_new_with_free_func (g_free);
  self->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  g_array_set_clear_func (self->cells, clear_cell);
  return self;
}

void
insp_sheet_free (gpointer sheet)
{
  InspSheet *self = sheet;
  g_free (self->title);
  g_ptr_array_unref (self->columns);
  g_array_unref (self->cells);
  g_free (self);
}

void
insp_sheet_add_column (InspSheet *self, const char *title)
{
  g_ptr_array_add (self->columns, g_strdup (title));
}

void
insp_sheet_add_text (InspSheet *self, char *text)
{
  const Cell cell = { text, FALSE };
  g_array_append_val (self->cells, cell);
}

void
insp_sheet_add_number (InspSheet *self, double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  Cell cell = { NULL, TRUE };
  if (isfinite (number))
    cell.text = g_strdup (g_ascii_formatd (text, sizeof text, "%.15g", number));
  g_array_append_val (self->cells, cell);
}

guint
insp_sheet_count_rows (InspSheet *self)
{
  return self->columns->len > 0 ? self->cells->len / self->columns->len : 0;
}

static const Cell *
cell_at (InspSheet *self, guint row, guint column)
{
  return &g_array_index (self->cells, Cell, row * self->columns->len + column);
}

/* ---- CSV ---- */

static void
append_csv (GString *to, const char *text, gboolean is_number)
{
  if (text == NULL || is_number)
    {
      g_string_append (to, text != NULL ? text : "");
      return;
    }
  g_string_append_c (to, '"');
  if (text[0] != '\0' && strchr ("=+-@\t\r", text[0]) != NULL)
    g_string_append_c (to, '\'');
  for (; *text != '\0'; text++)
    {
      if (*text == '"')
        g_string_append_c (to, '"');
      g_string_append_c (to, *text);
    }
  g_string_append_c (to, '"');
}

static void
append_csv_sheet (GString *to, InspSheet *sheet)
{
  append_csv (to, sheet->title, FALSE);
  g_string_append (to, "\r\n");
  for (guint i = 0; i < sheet->columns->len; i++)
    {
      g_string_append (to, i > 0 ? "," : "");
      append_csv (to, sheet->columns->pdata[i], FALSE);
    }
  g_string_append (to, "\r\n");
  for (guint row = 0; row < insp_sheet_count_rows (sheet); row++)
    {
      for (guint i = 0; i < sheet->columns->len; i++)
        {
          const Cell *cell = cell_at (sheet, row, i);
          g_string_append (to, i > 0 ? "," : "");
          append_csv (to, cell->text, cell->is_number);
        }
      g_string_append (to, "\r\n");
    }
}

GBytes *
insp_sheets_to_csv (GPtrArray *sheets)
{
  GString *to = g_string_new (NULL);
  for (guint i = 0; i < sheets->len; i++)
    {
      g_string_append (to, i > 0 ? "\r\n" : "");
      append_csv_sheet (to, sheets->pdata[i]);
    }
  return g_string_free_to_bytes (to);
}

/* ---- JSON ---- */

static void
append_json (GString *to, const char *text, gboolean is_number)
{
  if (text == NULL || is_number)
    {
      g_string_append (to, text != NULL ? text : "null");
      return;
    }
  g_string_append_c (to, '"');
  for (; *text != '\0'; text++)
    if (*text == '"' || *text == '\\')
      g_string_append_printf (to, "\\%c", *text);
    else if ((guchar) *text < 0x20)
      g_string_append_printf (to, "\\u%04x", (guint) *text);
    else
      g_string_append_c (to, *text);
  g_string_append_c (to, '"');
}

static void
append_json_sheet (GString *to, InspSheet *sheet)
{
  g_string_append (to, "{\"title\": ");
  append_json (to, sheet->title, FALSE);
  g_string_append (to, ",\n \"columns\": [");
  for (guint i = 0; i < sheet->columns->len; i++)
    {
      g_string_append (to, i > 0 ? ", " : "");
      append_json (to, sheet->columns->pdata[i], FALSE);
    }
  g_string_append (to, "],\n \"rows\": [");
  for (guint row = 0; row < insp_sheet_count_rows (sheet); row++)
    {
      g_string_append (to, row > 0 ? ",\n  [" : "\n  [");
      for (guint i = 0; i < sheet->columns->len; i++)
        {
          const Cell *cell = cell_at (sheet, row, i);
          g_string_append (to, i > 0 ? ", " : "");
          append_json (to, cell->text, cell->is_number);
        }
      g_string_append_c (to, ']');
    }
  g_string_append (to, "]}");
}

GBytes *
insp_sheets_to_json (GPtrArray *sheets)
{
  GString *to = g_string_new ("[");
  for (guint i = 0; i < sheets->len; i++)
    {
      g_string_append (to, i > 0 ? ",\n" : "");
      append_json_sheet (to, sheets->pdata[i]);
    }
  g_string_append (to, "]\n");
  return g_string_free_to_bytes (to);
}
