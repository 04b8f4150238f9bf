/* SPDX-License-Identifier: MIT */
#include "output-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file under its partial name is removed; what went to a pipe or a device lies there. */
gboolean
output_file_fail_interrupted (const struct output_file *self, GError **error)
{
  g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_INTERRUPTED,
                       self->partial_path != NULL ? _ ("interrupted; nothing of it was written")
                                                  : self->unfinished);
  return FALSE;
}

gboolean
output_file_fail (const struct output_file *self, GError **error)
{
  if (self->unfinished != NULL && command_write_interrupted ())
    return output_file_fail_interrupted (self, error);
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_OUTPUT, _ ("%s cannot be written: %s"),
               self->path != NULL ? self->path : _ ("standard output"), g_strerror (errno));
  return FALSE;
}

/* Whether a file is one of the database's own, or would lie among them. */
static gboolean
lies_in (const char *path, const char *database)
{
  struct stat there, own;
  g_autofree char *directory = g_path_get_dirname (path);
  return stat (directory, &there) == 0 && stat (database, &own) == 0 && there.st_dev == own.st_dev
         && there.st_ino == own.st_ino;
}

/* A symbolic link to a file stays one. */
gboolean
output_file_open (struct output_file *self, const char *path, const char *database, GError **error)
{
  struct stat information;
  self->file = stdout;
  if (path == NULL || strcmp (path, "-") == 0)
    return TRUE;
  g_autofree char *resolved = realpath (path, NULL);
  self->path = g_strdup (resolved != NULL ? resolved : path);
  if (lies_in (self->path, database))
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_OUTPUT,
                   _ ("%s lies in the database itself; choose a file outside of it"), path);
      return FALSE;
    }
  int descriptor;
  if (stat (path, &information) == 0 && !S_ISREG (information.st_mode))
    descriptor = open (path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  else
    {
      self->partial_path = g_strdup_printf ("%s.partial-%d", self->path, (int) getpid ());
      descriptor = open (self->partial_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
  self->file = descriptor >= 0 ? fdopen (descriptor, "w") : NULL;
  if (self->file != NULL)
    return TRUE;
  output_file_fail (self, error);
  if (descriptor >= 0)
    close (descriptor);
  return FALSE;
}

gboolean
output_file_finish (struct output_file *self, GError **error)
{
  if (fflush (self->file) != 0 || ferror (self->file))
    return output_file_fail (self, error);
  if (self->partial_path == NULL)
    return TRUE;
  if (fsync (fileno (self->file)) != 0)
    return output_file_fail (self, error);
  fclose (self->file);
  self->file = NULL;
  if (rename (self->partial_path, self->path) != 0)
    return output_file_fail (self, error);
  g_clear_pointer (&self->partial_path, g_free);
  return TRUE;
}

void
output_file_clear (struct output_file *self)
{
  if (self->file != NULL && self->file != stdout)
    fclose (self->file);
  if (self->partial_path != NULL)
    unlink (self->partial_path);
  g_free (self->partial_path);
  g_free (self->path);
}
