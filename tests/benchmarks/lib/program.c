/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdlib.h>

void
check (gboolean fine, const char *format, ...)
{
  va_list arguments;
  if (fine)
    return;
  va_start (arguments, format);
  fprintf (stderr, "%s: ", program_invocation_short_name);
  vfprintf (stderr, format, arguments);
  fputc ('\n', stderr);
  va_end (arguments);
  exit (1);
}

void
check_error (const GError *error)
{
  check (error == NULL, "%s", error != NULL ? error->message : "");
}

static void
remove_directory (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);
      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        remove_directory (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

static void
measure_below (const Program *self, const char *directory, const char *markdown)
{
  FILE *page = NULL;
  if (markdown != NULL)
    {
      page = fopen (markdown, "w");
      check (page != NULL, "%s: %s", markdown, g_strerror (errno));
    }
  g_autofree char *name = g_strconcat (program_invocation_short_name, "-XXXXXX", NULL);
  g_autofree char *made = g_build_filename (directory, name, NULL);
  check (g_mkdtemp (made) != NULL, "%s: %s", directory, g_strerror (errno));
  g_autofree char *path = g_build_filename (made, "database", NULL);
  self->measure (path, page);
  remove_directory (made);
  check (page == NULL || fclose (page) == 0, "%s: %s", markdown, g_strerror (errno));
}

int
program_run (const Program *self, int argc, char **argv)
{
  g_autofree char *directory = NULL, *markdown = NULL;
  gboolean quick = FALSE;
  GOptionEntry entries[] = {
    { "directory", 0, 0, G_OPTION_ARG_FILENAME, &directory, "Where, on a disk", "DIR" },
    { "markdown", 0, 0, G_OPTION_ARG_FILENAME, &markdown, "Write the tables there, too", "FILE" },
    { "quick", 0, 0, G_OPTION_ARG_NONE, &quick, "Does it work at all?", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_main_entries (context, self->options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || directory == NULL
      || !self->is_sensible ())
    {
      if (error != NULL)
        fprintf (stderr, "%s\n", error->message);
      else
        fprintf (stderr, "%s --directory DIR; --help says more\n", program_invocation_short_name);
      return 2;
    }
  if (quick)
    self->shorten ();
  measure_below (self, directory, markdown);
  return 0;
}
