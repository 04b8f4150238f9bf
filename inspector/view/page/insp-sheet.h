/* SPDX-License-Identifier: MIT */
/*
 * InspSheet: a table as a file has it: a title, columns, and rows of texts and numbers.
 *
 * Threads: the main one.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _InspSheet InspSheet;

InspSheet *insp_sheet_new (const char *title);
void insp_sheet_free (gpointer self);

/* Before the first cell. */
void insp_sheet_add_column (InspSheet *self, const char *title);

/* The next cell, row by row. Takes the text; NULL: there is nothing. NAN likewise. */
void insp_sheet_add_text (InspSheet *self, char *text);
void insp_sheet_add_number (InspSheet *self, double number);

guint insp_sheet_count_rows (InspSheet *self);

/* All of them (InspSheet): as CSV (RFC 4180, UTF-8), each below its title, with an empty line between two; or as
 * JSON, an array of {"title", "columns", "rows"}, whose rows are arrays. What is text in a CSV and begins as a
 * formula does has an apostrophe before it: keys come from anybody, and spreadsheets would reckon them. */
GBytes *insp_sheets_to_csv (GPtrArray *sheets);
GBytes *insp_sheets_to_json (GPtrArray *sheets);

G_END_DECLS
