/* SPDX-License-Identifier: MIT */
#include "input.h"

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean standard_is_reserved; /* by a shell, for its commands */

void
input_reserve_standard (void)
{
  standard_is_reserved = TRUE;
}

struct input *
input_open (const char *path, GError **error)
{
  gboolean is_standard = strcmp (path, "-") == 0;
  if (is_standard && standard_is_reserved)
    {
      g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                           _ ("standard input holds the shell's commands; name a file instead"));
      return NULL;
    }
  int descriptor = is_standard ? STDIN_FILENO : open (path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT, _ ("%s cannot be read: %s"), path,
                   g_strerror (errno));
      return NULL;
    }
  struct input *input = g_new0 (struct input, 1);
  input->descriptor = descriptor;
  input->name = is_standard ? g_strdup (_ ("standard input")) : g_filename_display_name (path);
  input->line = 1;
  struct stat status;
  if (fstat (descriptor, &status) == 0 && S_ISREG (status.st_mode))
    input->size = (guint64) status.st_size;
  return input;
}

void
input_free (struct input *input)
{
  if (input->descriptor != STDIN_FILENO)
    close (input->descriptor);
  g_free (input->name);
  g_free (input);
}

gboolean
input_fill (struct input *input)
{
  if (input->system_error != 0)
    return FALSE;
  gsize left = input->filled - input->position;
  memmove (input->block, input->block + input->position, left);
  input->position = 0;
  input->filled = left;
  gssize got;
  do
    got = read (input->descriptor, input->block + left, sizeof input->block - left);
  while (got < 0 && errno == EINTR && !command_is_interrupted ());
  if (got < 0)
    input->system_error = errno;
  if (got <= 0)
    return FALSE;
  input->filled += (gsize) got;
  input->bytes_read += (guint64) got;
  return TRUE;
}

gboolean
input_have (struct input *input, gsize count)
{
  while (input->filled - input->position < count)
    if (!input_fill (input))
      return FALSE;
  return TRUE;
}

gboolean
input_failed (const struct input *input, GError **error)
{
  if (input->system_error == 0)
    return FALSE;
  if (input->system_error == EINTR && command_interrupted (error))
    return TRUE;
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT, _ ("%s cannot be read: %s"), input->name,
               g_strerror (input->system_error));
  return TRUE;
}

gboolean
input_read_line (struct input *input, GString *line, gsize limit, GError **error)
{
  g_string_truncate (line, 0);
  if (input_peek (input) == INPUT_END)
    return input_failed (input, error), FALSE;
  while (input_peek (input) != INPUT_END)
    {
      const guint8 *start = input->block + input->position;
      gsize left = input->filled - input->position;
      const guint8 *feed = memchr (start, '\n', left);
      gsize length = feed != NULL ? (gsize) (feed - start) : left;
      if (length > limit - MIN (limit, line->len))
        {
          g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_INPUT,
                       _ ("%s, line %" PRIu64 ": longer than %zu bytes"), input->name, input->line,
                       limit);
          return FALSE;
        }
      g_string_append_len (line, (const char *) start, (gssize) length);
      input->position += length;
      if (feed != NULL)
        {
          input_next (input);
          break;
        }
    }
  if (line->len > 0 && line->str[line->len - 1] == '\r')
    g_string_truncate (line, line->len - 1);
  return !input_failed (input, error);
}
