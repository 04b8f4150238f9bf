/* SPDX-License-Identifier: MIT */
/*
 * Bytes as people read, type and copy them: keys and values have no type.
 *
 *   escaped   printable text as it is; \\ \n \r \t and \xNN for everything else: any bytes are one line
 *   hex       offsets, sixteen bytes a line, and what of them is ASCII
 *   literals  as C, Python and JavaScript have bytes in their source
 *
 * Threads: no state.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  INSP_LITERAL_TEXT, /* the bytes themselves if they are text, else escaped */
  INSP_LITERAL_C,
  INSP_LITERAL_PYTHON,
  INSP_LITERAL_JAVASCRIPT,
} InspLiteral;

/* Escaped text of `bytes`, at most about `limit` bytes of it and “…” then; 0: all. Free it. */
char *insp_bytes_escape (GBytes *bytes, gsize limit);

/* The bytes that escaped text stands for. NULL: error, in the words of a person who typed it. */
GBytes *insp_bytes_unescape (const char *text, GError **error);

/* Whether it is UTF-8 that can be shown and edited as it is: no control characters but line ends and
 * tabulators. `whole` FALSE: the last character may be cut. */
gboolean insp_bytes_are_text (GBytes *bytes, gboolean whole);

/* The length of the text that it begins with: as above. */
gsize insp_bytes_text_length (GBytes *bytes);

/* Free them. */
char *insp_bytes_dump (GBytes *bytes);
char *insp_bytes_dump_in (GBytes *bytes, gsize width); /* so many bytes a line, even */
char *insp_bytes_to_hex (GBytes *bytes);
char *insp_bytes_to_literal (GBytes *bytes, InspLiteral literal);

/* The bytes of hex digits; white space between them means nothing. NULL: error. */
GBytes *insp_bytes_from_hex (const char *text, GError **error);

/* The first key behind all keys that begin with `prefix`; NULL: there is none. */
GBytes *insp_bytes_prefix_end (GBytes *prefix);

/* The key right behind `key`. */
GBytes *insp_bytes_successor (GBytes *key);

gboolean insp_bytes_have_prefix (GBytes *bytes, GBytes *prefix);

G_END_DECLS
