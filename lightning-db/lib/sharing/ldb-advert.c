/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-advert-private.h"

#include <string.h>

#define GROUP "Lightning DB"
#define VERSION 1
#define SUFFIX ".database"

void
ldb_advert_clear (LdbAdvert *self)
{
  g_clear_pointer (&self->program, g_free);
  g_clear_pointer (&self->application, g_free);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->id, g_free);
  memset (self, 0, sizeof *self);
}

char *
ldb_advert_format (const LdbAdvert *self, gsize *size)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *uri = g_filename_to_uri (self->path, NULL, NULL);
  g_key_file_set_integer (file, GROUP, "Version", VERSION);
  g_key_file_set_string (file, GROUP, "Process", self->token);
  g_key_file_set_uint64 (file, GROUP, "Object", self->object);
  g_key_file_set_string (file, GROUP, "Program", self->program);
  g_key_file_set_uint64 (file, GROUP, "ProcessId", self->process_id);
  g_key_file_set_string (file, GROUP, "Application", self->application);
  g_key_file_set_string (file, GROUP, "Path", uri != NULL ? uri : "");
  g_key_file_set_string (file, GROUP, "Id", self->id);
  g_key_file_set_boolean (file, GROUP, "ReadOnly", self->read_only);
  return g_key_file_to_data (file, size, NULL);
}

static gboolean
are_digits (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isxdigit (text[i]) || g_ascii_isupper (text[i]))
      return FALSE;
  return TRUE;
}

static gboolean
is_hexadecimal (const char *text, gsize length)
{
  return text != NULL && strlen (text) == length && are_digits (text, length);
}

/* 0 for what is none. */
static guint
number_of (GKeyFile *file, const char *key)
{
  guint64 number = g_key_file_get_uint64 (file, GROUP, key, NULL);
  return number <= G_MAXINT ? (guint) number : 0;
}

/* A line for people: no control characters, which a terminal would obey. */
static char *
line_of (GKeyFile *file, const char *key)
{
  char *text = g_key_file_get_string (file, GROUP, key, NULL);
  if (text == NULL)
    return g_strdup ("");
  for (char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      memset (at, '?', (gsize) (g_utf8_next_char (at) - at));
  return text;
}

gboolean
ldb_advert_parse (LdbAdvert *self, const char *text, gsize size)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  memset (self, 0, sizeof *self);
  if (size > LDB_ADVERT_SIZE_MAX || !g_utf8_validate_len (text, size, NULL)
      || !g_key_file_load_from_data (file, text, size, G_KEY_FILE_NONE, NULL)
      || g_key_file_get_integer (file, GROUP, "Version", NULL) != VERSION)
    return FALSE;
  g_autofree char *token = g_key_file_get_string (file, GROUP, "Process", NULL);
  g_autofree char *uri = g_key_file_get_string (file, GROUP, "Path", NULL);
  self->id = g_key_file_get_string (file, GROUP, "Id", NULL);
  self->object = number_of (file, "Object");
  self->process_id = number_of (file, "ProcessId");
  self->program = line_of (file, "Program");
  self->application = line_of (file, "Application");
  self->path = uri != NULL ? g_filename_from_uri (uri, NULL, NULL) : NULL;
  self->read_only = g_key_file_get_boolean (file, GROUP, "ReadOnly", NULL);
  gboolean valid = is_hexadecimal (token, LDB_TOKEN_LENGTH) && is_hexadecimal (self->id, 32)
                   && self->object > 0 && self->path != NULL;
  if (valid)
    memcpy (self->token, token, sizeof self->token);
  else
    ldb_advert_clear (self);
  return valid;
}

char *
ldb_advert_file_name (const char *token, guint object)
{
  return g_strdup_printf ("%s-%u" SUFFIX, token, object);
}

gboolean
ldb_advert_token_of (const char *file_name, char token[LDB_TOKEN_LENGTH + 1])
{
  if (file_name[0] == '.')
    file_name++;
  if (strlen (file_name) <= LDB_TOKEN_LENGTH || !are_digits (file_name, LDB_TOKEN_LENGTH)
      || (file_name[LDB_TOKEN_LENGTH] != '-' && file_name[LDB_TOKEN_LENGTH] != '.'))
    return FALSE;
  memcpy (token, file_name, LDB_TOKEN_LENGTH);
  token[LDB_TOKEN_LENGTH] = '\0';
  return TRUE;
}

gboolean
ldb_advert_parse_file_name (const char *file_name, char token[LDB_TOKEN_LENGTH + 1], guint *object)
{
  guint64 number;
  if (file_name[0] == '.' || !ldb_advert_token_of (file_name, token)
      || file_name[LDB_TOKEN_LENGTH] != '-' || !g_str_has_suffix (file_name, SUFFIX))
    return FALSE;
  const char *digits = file_name + LDB_TOKEN_LENGTH + 1;
  g_autofree char *text = g_strndup (digits, strlen (digits) - strlen (SUFFIX));
  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT, &number, NULL))
    return FALSE;
  *object = (guint) number;
  return TRUE;
}
