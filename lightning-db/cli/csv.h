/* SPDX-License-Identifier: MIT */
/*
 * csv: reads comma-separated values as RFC 4180 has them: fields may be in double quotes, a quote
 * inside them is doubled, quoted fields may span lines, lines end in LF or CR LF. A byte order mark
 * at the front and empty lines are skipped.
 *
 * A record that breaks the rules is reported with its line, and reading goes on behind it: at the
 * next line feed, or behind the closing quote where one is missing, at the end. One that is too
 * long to be a value ends the reading: it may have no end.
 * Threads: one at a time.
 */
#pragma once

#include "input.h"

struct csv_reader
{
  struct input *input; /* borrowed */
  char delimiter;      /* between fields */
  GString *text;       /* the record's fields, one behind the other */
  GArray *ends;        /* gsize: where each field ends in text */
  guint64 line;        /* that the record began on */
  gboolean again;      /* the next call gives the same record once more */
};

enum csv_result
{
  CSV_RECORD, /* the fields are there */
  CSV_END,    /* no more records */
  CSV_BAD,    /* this one breaks the rules: error; the next call goes on */
  CSV_FAILED, /* reading failed: error; nothing more comes */
};

void csv_reader_init (struct csv_reader *reader, struct input *input, char delimiter);
void csv_reader_clear (struct csv_reader *reader);
enum csv_result csv_reader_next (struct csv_reader *reader, GError **error);

guint csv_reader_count (const struct csv_reader *reader);
/* Borrowed until the next record; not terminated. */
const char *csv_reader_field (const struct csv_reader *reader, guint index, gsize *size);
