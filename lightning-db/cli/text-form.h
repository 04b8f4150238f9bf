/* SPDX-License-Identifier: MIT */
/*
 * text-form: bytes as people and other programs read and write them.
 *
 *   text     the bytes themselves, on the command line
 *   escaped  printable text as it is; \\ \n \r \t and \xNN for everything else, so that any bytes
 *            are one line, without a tabulator, and come back exactly
 *   hex      two digits a byte
 *   json     a JSON string where the bytes are UTF-8, else their hex digits under another name
 *   shown    text for people that others had a hand in: what would steer a terminal is \xNN
 *
 * Threads: no state.
 */
#pragma once

#include <glib.h>

/* What text is turned into holds less than this, bytes: a little more than the largest value. */
#define TEXT_FORM_SIZE_MAX (((gsize) 1 << 30) + 65536)

enum text_form
{
  TEXT_FORM_TEXT,
  TEXT_FORM_ESCAPED,
  TEXT_FORM_HEX,
  TEXT_FORM_JSON,
};

/* Names of the forms, as --format and --input take them. FALSE: an error that lists them. */
gboolean text_form_parse_name (const char *name, enum text_form *form, GError **error);

void text_form_append_escaped (GString *to, const guint8 *data, gsize size);
void text_form_append_hex (GString *to, const guint8 *data, gsize size);
/* Shown; control characters that are in `kept`, and backslashes, stay as they are; free it. */
char *text_form_show (const char *text, const char *kept);
/* The same of JSON, which stays what it says; free it. */
char *text_form_show_json (const char *json);
/* With the quotes. The bytes must be UTF-8. */
void text_form_append_json_string (GString *to, const char *text, gsize size);
/* `"name":"text"`, or `"name_hex":"digits"` where the bytes are not UTF-8. */
void text_form_append_json_member (GString *to, const char *name, const guint8 *data, gsize size);

/* Appends the bytes that `text` stands for. FALSE: an error that says which character is wrong. */
gboolean text_form_parse_escaped (const char *text, gsize length, GByteArray *to, GError **error);
gboolean text_form_parse_hex (const char *text, gsize length, GByteArray *to, GError **error);
/* An argument of the command line in `form` (text, escaped or hex). NULL: error. */
GBytes *text_form_parse (enum text_form form, const char *argument, GError **error);
