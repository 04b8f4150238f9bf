/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include "command.h"

#include <string.h>

gboolean
settings_parse_size (const char *text, guint64 *size)
{
  static const char units[] = "KMGT";
  char *end;
  if (!g_ascii_isdigit (text[0]))
    return FALSE;
  guint64 number = g_ascii_strtoull (text, &end, 10);
  guint64 unit = 1;
  const char *letter = end[0] != '\0' ? strchr (units, g_ascii_toupper (end[0])) : NULL;
  if (letter != NULL)
    {
      for (const char *power = units; power <= letter; power++)
        unit *= 1024;
      end++;
      if (g_ascii_strcasecmp (end, "B") == 0 || g_ascii_strcasecmp (end, "iB") == 0)
        end += strlen (end);
    }
  return end[0] == '\0' && !__builtin_mul_overflow (number, unit, size);
}

static gboolean
parse_enumeration (GParamSpec *property, const char *text, GValue *value, GString *choices)
{
  GEnumClass *all = G_PARAM_SPEC_ENUM (property)->enum_class;
  for (guint i = 0; i < all->n_values; i++)
    {
      if (g_ascii_strcasecmp (all->values[i].value_nick, text) == 0)
        {
          g_value_set_enum (value, all->values[i].value);
          return TRUE;
        }
      g_string_append_printf (choices, "%s%s", i > 0 ? ", " : "", all->values[i].value_nick);
    }
  return FALSE;
}

static gboolean
parse_truth (const char *text, GValue *value, GString *choices)
{
  gboolean yes = strcmp (text, "true") == 0 || strcmp (text, "yes") == 0 || strcmp (text, "1") == 0;
  gboolean no = strcmp (text, "false") == 0 || strcmp (text, "no") == 0 || strcmp (text, "0") == 0;
  g_value_set_boolean (value, yes);
  g_string_append (choices, "true, false");
  return yes || no;
}

static gboolean
parse_number (GParamSpec *property, const char *text, GValue *value, GString *choices)
{
  guint64 number;
  g_string_append (choices, _ ("a number, also as 64KiB or 512MB"));
  if (!settings_parse_size (text, &number))
    return FALSE;
  if (G_IS_PARAM_SPEC_UINT64 (property))
    g_value_set_uint64 (value, number);
  else if (G_IS_PARAM_SPEC_UINT (property) && number <= G_MAXUINT)
    g_value_set_uint (value, (guint) number);
  else if (G_IS_PARAM_SPEC_INT (property) && number <= G_MAXINT)
    g_value_set_int (value, (int) number);
  else
    return FALSE;
  return !g_param_value_validate (property, value);
}

static gboolean
apply_one (LdbOptions *options, const char *setting, GError **error)
{
  const char *sign = strchr (setting, '=');
  g_autofree char *name = sign != NULL ? g_strndup (setting, (gsize) (sign - setting)) : NULL;
  GParamSpec *property
      = name != NULL ? g_object_class_find_property (G_OBJECT_GET_CLASS (options), name) : NULL;
  if (property == NULL || (property->flags & G_PARAM_WRITABLE) == 0)
    {
      g_auto (GStrv) names = settings_names ();
      g_autofree char *list = g_strjoinv (", ", names);
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("--option wants NAME=VALUE, not “%s”; the names are %s"), setting, list);
      return FALSE;
    }
  g_auto (GValue) value = G_VALUE_INIT;
  g_value_init (&value, property->value_type);
  g_autoptr (GString) choices = g_string_new (NULL);
  gboolean parsed
      = G_IS_PARAM_SPEC_ENUM (property) ? parse_enumeration (property, sign + 1, &value, choices)
        : G_IS_PARAM_SPEC_BOOLEAN (property) ? parse_truth (sign + 1, &value, choices)
                                             : parse_number (property, sign + 1, &value, choices);
  if (!parsed)
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("option %s cannot be “%s”; it is one of: %s"), name, sign + 1, choices->str);
      return FALSE;
    }
  g_object_set_property (G_OBJECT (options), name, &value);
  return TRUE;
}

gboolean
settings_apply (LdbOptions *options, const char *const *settings, GError **error)
{
  for (gsize i = 0; settings != NULL && settings[i] != NULL; i++)
    if (!apply_one (options, settings[i], error))
      return FALSE;
  return TRUE;
}

char **
settings_names (void)
{
  guint count;
  GObjectClass *type = g_type_class_ref (LDB_TYPE_OPTIONS);
  g_autofree GParamSpec **properties = g_object_class_list_properties (type, &count);
  GPtrArray *names = g_ptr_array_new ();
  for (guint i = 0; i < count; i++)
    if ((properties[i]->flags & G_PARAM_WRITABLE) != 0)
      g_ptr_array_add (names, g_strdup (properties[i]->name));
  g_ptr_array_add (names, NULL);
  g_type_class_unref (type);
  return (char **) g_ptr_array_free (names, FALSE);
}
