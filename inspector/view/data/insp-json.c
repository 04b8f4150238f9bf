/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   J1  `closers` holds what closes each container that is open, the innermost last; no more than DEPTH.
 *   J2  One pass, no recursion: a hostile value costs its length.
 */
#include "config.h"

#include <string.h>

#include "insp-json.h"

#define DEPTH 200  /* containers in each other */
#define INDENTED 40 /* of them: a hostile text is all depth, and would become a hundred times as long */

/* What may come next. */
typedef enum
{
  EXPECT_VALUE,
  EXPECT_VALUE_OR_END, /* behind [ */
  EXPECT_NAME,
  EXPECT_NAME_OR_END, /* behind { */
  EXPECT_COLON,
  EXPECT_COMMA_OR_END, /* behind a value; the end of the text, too */
} Expect;

typedef struct
{
  const char *at, *end; /* what is left */
  GString *text;        /* indented so far; NULL: nobody wants it */
  char closers[DEPTH];  /* J1 */
  guint depth;          /* of them */
  Expect expect;
} Indenter;

static void
break_line (Indenter *self)
{
  if (self->text == NULL)
    return;
  g_string_append_c (self->text, '\n');
  for (guint i = 0; i < MIN (self->depth, INDENTED); i++)
    g_string_append (self->text, "  ");
}

static gsize
escape_length (const char *at, const char *end)
{
  if (end - at < 2 || at[1] == '\0' || strchr ("\"\\/bfnrtu", at[1]) == NULL)
    return 0;
  if (at[1] != 'u')
    return 2;
  for (guint i = 2; i < 6; i++)
    if (end - at <= i || !g_ascii_isxdigit (at[i]))
      return 0;
  return 6;
}

/* How long a string with its quotes is; 0: it does not end, or is none. */
static gsize
string_length (const char *at, const char *end)
{
  const char *next = at + 1;
  while (next < end && *next != '"')
    {
      gsize length = *next == '\\' ? escape_length (next, end) : (guchar) *next >= 0x20;
      if (length == 0)
        return 0;
      next += length;
    }
  return next < end ? (gsize) (next + 1 - at) : 0;
}

/* How long a number or a word is. */
static gsize
word_length (const char *at, const char *end)
{
  const char *next = at;
  while (next < end && (g_ascii_isalnum (*next) || strchr ("+-.", *next) != NULL) && *next != '\0')
    next++;
  return (gsize) (next - at);
}

static const char *
skip_digits (const char *at, const char *end)
{
  while (at < end && g_ascii_isdigit (*at))
    at++;
  return at;
}

static gboolean
is_number (const char *at, gsize length)
{
  const char *end = at + length;
  at += at < end && *at == '-';
  const char *next = at < end && *at == '0' ? at + 1 : skip_digits (at, end);
  if (next == at)
    return FALSE;
  if (next < end && *next == '.')
    {
      at = next + 1;
      next = skip_digits (at, end);
      if (next == at)
        return FALSE;
    }
  if (next < end && (*next == 'e' || *next == 'E'))
    {
      next++;
      at = next + (next < end && (*next == '+' || *next == '-'));
      next = skip_digits (at, end);
      if (next == at)
        return FALSE;
    }
  return next == end;
}

static gboolean
is_word (const char *at, gsize length)
{
  static const char *const words[] = { "true", "false", "null" };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (length == strlen (words[i]) && memcmp (at, words[i], length) == 0)
      return TRUE;
  return is_number (at, length);
}

static gboolean
take (Indenter *self, gsize length, Expect next)
{
  if (self->text != NULL)
    g_string_append_len (self->text, self->at, (gssize) length);
  self->at += length;
  self->expect = next;
  return length > 0;
}

static gboolean
open_container (Indenter *self)
{
  gboolean is_object = *self->at == '{';
  if (self->depth == DEPTH)
    return FALSE;
  self->closers[self->depth++] = is_object ? '}' : ']'; /* J1 */
  return take (self, 1, is_object ? EXPECT_NAME_OR_END : EXPECT_VALUE_OR_END);
}

static gboolean
close_container (Indenter *self)
{
  gboolean is_empty = self->expect == EXPECT_NAME_OR_END || self->expect == EXPECT_VALUE_OR_END;
  if (self->depth == 0 || *self->at != self->closers[self->depth - 1])
    return FALSE;
  self->depth--;
  if (!is_empty)
    break_line (self);
  return take (self, 1, EXPECT_COMMA_OR_END);
}

static gboolean
take_value (Indenter *self)
{
  if (self->expect == EXPECT_VALUE_OR_END)
    break_line (self);
  if (*self->at == '{' || *self->at == '[')
    return open_container (self);
  if (*self->at == '"')
    return take (self, string_length (self->at, self->end), EXPECT_COMMA_OR_END);
  gsize length = word_length (self->at, self->end);
  return is_word (self->at, length) && take (self, length, EXPECT_COMMA_OR_END);
}

static gboolean
take_name (Indenter *self)
{
  if (*self->at != '"')
    return FALSE;
  if (self->expect == EXPECT_NAME_OR_END)
    break_line (self);
  return take (self, string_length (self->at, self->end), EXPECT_COLON);
}

static gboolean
take_comma (Indenter *self)
{
  if (*self->at != ',' || self->depth == 0)
    return FALSE;
  take (self, 1, self->closers[self->depth - 1] == '}' ? EXPECT_NAME : EXPECT_VALUE);
  break_line (self);
  return TRUE;
}

static gboolean
take_colon (Indenter *self)
{
  if (*self->at != ':' || !take (self, 1, EXPECT_VALUE))
    return FALSE;
  if (self->text != NULL)
    g_string_append_c (self->text, ' ');
  return TRUE;
}

/* One token. FALSE: it does not belong there. */
static gboolean
step (Indenter *self)
{
  gboolean ends = *self->at == '}' || *self->at == ']';
  switch (self->expect)
    {
    case EXPECT_VALUE:
      return take_value (self);
    case EXPECT_VALUE_OR_END:
      return ends ? close_container (self) : take_value (self);
    case EXPECT_NAME:
      return take_name (self);
    case EXPECT_NAME_OR_END:
      return ends ? close_container (self) : take_name (self);
    case EXPECT_COLON:
      return take_colon (self);
    case EXPECT_COMMA_OR_END:
    default:
      return ends ? close_container (self) : take_comma (self);
    }
}

/* Whether what is left could be the beginning of something that was cut off. */
static gboolean
may_be_cut (const Indenter *self)
{
  return *self->at == '"' ? string_length (self->at, self->end) == 0
                          : word_length (self->at, self->end) == (gsize) (self->end - self->at);
}

/* Takes tokens to the end of the text. FALSE: what is at `at` does not belong there. */
static gboolean
take_all (Indenter *self)
{
  for (;;)
    {
      while (self->at < self->end && *self->at != '\0' && strchr (" \t\r\n", *self->at) != NULL)
        self->at++;
      if (self->at == self->end)
        return TRUE;
      if (!step (self))
        return FALSE;
    }
}

static gboolean
is_whole (const Indenter *self)
{
  return self->at == self->end && self->depth == 0 && self->expect == EXPECT_COMMA_OR_END;
}

/* All of it is taken. FALSE: it is no JSON. */
static gboolean
accept (Indenter *self, gboolean whole)
{
  if (self->at == self->end)
    return FALSE;
  gboolean fine = take_all (self);
  if (whole || (!fine && !may_be_cut (self)))
    return fine && is_whole (self);
  if (!fine)
    take (self, (gsize) (self->end - self->at), EXPECT_VALUE);
  return TRUE;
}

char *
insp_json_indent (const char *text, gsize size, gboolean whole)
{
  Indenter self = { .at = text, .end = text + size, .expect = EXPECT_VALUE };
  self.text = g_string_sized_new (size + size / 2);
  gboolean fine = accept (&self, whole);
  return g_string_free (self.text, !fine);
}

gboolean
insp_json_is (const char *text, gsize size, gboolean whole)
{
  Indenter self = { .at = text, .end = text + size, .expect = EXPECT_VALUE };
  return accept (&self, whole);
}

gssize
insp_json_find_error (const char *text, gsize size)
{
  Indenter self = { .at = text, .end = text + size, .expect = EXPECT_VALUE };
  take_all (&self);
  return is_whole (&self) ? -1 : self.at - text;
}
