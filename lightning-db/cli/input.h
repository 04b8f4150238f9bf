/* SPDX-License-Identifier: MIT */
/*
 * input: a file or standard input read once from front to back, in blocks, with the line and the
 * share that has been read. The sources of imports stand on it.
 *
 * A character is a byte; INPUT_END comes at the end and again on every later call. A failed read is
 * the end too, and input_failed tells them apart.
 * Threads: one at a time.
 */
#pragma once

#include <glib.h>

#define INPUT_END (-1)
#define INPUT_BLOCK_SIZE 262144

struct input
{
  int descriptor;                 /* open; 0 may be standard input */
  char *name;                     /* for messages; owned */
  guint8 block[INPUT_BLOCK_SIZE]; /* what was read last */
  gsize position, filled;         /* in block, bytes */
  guint64 line;                   /* of the next byte, from 1 */
  guint64 bytes_read;             /* from the file so far */
  guint64 size;                   /* of the file; 0 = unknown (a pipe) */
  int system_error;               /* errno of the read that failed, or 0 */
};

/* From here on standard input belongs to a shell: “-” is an error. */
void input_reserve_standard (void);
/* “-” is standard input. NULL: an error that names the file. */
struct input *input_open (const char *path, GError **error);
void input_free (struct input *input);

/* Reads more, behind what is left of the block. FALSE at the end or on failure. */
gboolean input_fill (struct input *input);
/* Whether `count` bytes, a few, are there; they are in the block then. */
gboolean input_have (struct input *input, gsize count);
/* TRUE, with an error, when reading failed. */
gboolean input_failed (const struct input *input, GError **error);

static inline int
input_peek (struct input *input)
{
  if (input->position == input->filled && !input_fill (input))
    return INPUT_END;
  return input->block[input->position];
}

static inline int
input_next (struct input *input)
{
  int byte = input_peek (input);
  if (byte == INPUT_END)
    return INPUT_END;
  input->position++;
  if (byte == '\n')
    input->line++;
  return byte;
}

/* The next line, without its line feed or its CR LF. FALSE at the end, when it failed or when the
 * line is longer than `limit` bytes (then with an error). */
gboolean input_read_line (struct input *input, GString *line, gsize limit, GError **error);
