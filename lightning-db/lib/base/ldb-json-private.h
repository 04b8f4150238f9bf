/* SPDX-License-Identifier: MIT */
/*
 * LdbJson: writes a JSON text, member by member. Names are ASCII without quotes; NULL where an
 * element of an array is written. Numbers of 64 bits are written whole: they stay below 2^53 where
 * they count something.
 *
 * Threads: one at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GString *text;         /* owned until ldb_json_end_text */
  gboolean behind;       /* a member stands before the next one */
  gboolean without_keys; /* what ldb_json_bytes would write is left out */
} LdbJson;

void ldb_json_init (LdbJson *json);
/* The text; `json` is empty then. */
char *ldb_json_end_text (LdbJson *json);

void ldb_json_begin (LdbJson *json, const char *name, char bracket); /* { or [ */
void ldb_json_end (LdbJson *json, char bracket);                     /* } or ] */
void ldb_json_number (LdbJson *json, const char *name, guint64 number);
void ldb_json_real (LdbJson *json, const char *name, double number); /* not finite: null */
void ldb_json_flag (LdbJson *json, const char *name, gboolean flag);
/* NULL: null. What is not UTF-8 is replaced. */
void ldb_json_text (LdbJson *json, const char *name, const char *text);
/* Text where it is UTF-8, else hexadecimal digits under the name with "_hex" behind it. Nothing for
 * NULL. */
void ldb_json_bytes (LdbJson *json, const char *name, GBytes *bytes);

G_END_DECLS
