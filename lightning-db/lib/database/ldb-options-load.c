/* SPDX-License-Identifier: MIT */
/*
 * LdbOptions from text: environment variables and `lightning_db.toml`.
 *
 * The file is the part of TOML that configuration needs: comments, [sections], and keys with a
 * quoted string, an integer or a boolean. Anything else is an error that names file, section and
 * key, and then nothing of the file is applied.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "ldb-error-private.h"
#include "ldb-options-private.h"

/* A configuration file is a few lines; more than this is something else. */
#define FILE_SIZE_MAX MEBIBYTE

typedef struct
{
  const char *name; /* as written after the number, in lower case */
  guint64 scale;    /* what one of it is in bytes or milliseconds */
} Unit;

static const Unit size_units[] = {
  { "b", 1 },          { "k", KIBIBYTE },   { "kb", KIBIBYTE },  { "kib", KIBIBYTE },
  { "m", MEBIBYTE },   { "mb", MEBIBYTE },  { "mib", MEBIBYTE }, { "g", GIBIBYTE },
  { "gb", GIBIBYTE },  { "gib", GIBIBYTE }, { "t", TEBIBYTE },   { "tb", TEBIBYTE },
  { "tib", TEBIBYTE }, { NULL, 0 },
};

static const Unit time_units[] = {
  { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 }, { NULL, 0 },
};

static const Unit no_units[] = { { NULL, 0 } };

static const Unit *
units_of (LdbOptionKind kind)
{
  switch (kind)
    {
    case LDB_OPTION_KIND_SIZE:
      return size_units;
    case LDB_OPTION_KIND_DURATION:
      return time_units;
    default:
      return no_units;
    }
}

static gboolean
find_unit (const Unit *units, const char *name, guint64 *scale)
{
  for (; units->name != NULL; units++)
    if (g_ascii_strcasecmp (units->name, name) == 0)
      {
        *scale = units->scale;
        return TRUE;
      }
  return FALSE;
}

/* Digits, then perhaps a unit. An underscore between digits is allowed, as in TOML. */
static gboolean
parse_number (const char *text, const Unit *units, guint64 scale, guint64 *value)
{
  guint64 number = 0;
  const char *at = text;
  if (!g_ascii_isdigit (*at))
    return FALSE;
  for (; g_ascii_isdigit (*at) || (*at == '_' && g_ascii_isdigit (at[1])); at++)
    {
      if (*at == '_')
        continue;
      if (!g_uint64_checked_mul (&number, number, 10)
          || !g_uint64_checked_add (&number, number, (guint64) (*at - '0')))
        return FALSE;
    }
  while (*at == ' ')
    at++;
  if (*at != '\0' && !find_unit (units, at, &scale))
    return FALSE;
  return g_uint64_checked_mul (value, number, scale);
}

static gboolean
parse_boolean (const char *text, guint64 *value)
{
  static const char *const names[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (names[i], text) == 0)
      {
        *value = i % 2;
        return TRUE;
      }
  return FALSE;
}

static gboolean
parse_nick (GType type, const char *text, guint64 *value)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);
  g_autofree char *nick = g_ascii_strdown (text, -1);
  const GEnumValue *found = g_enum_get_value_by_nick (klass, nick);
  if (found == NULL)
    return FALSE;
  *value = (guint64) found->value;
  return TRUE;
}

gboolean
ldb_option_parse (LdbOptionId id, const char *text, guint64 scale, guint64 *value, GError **error)
{
  const LdbOptionSpec *spec = &ldb_option_specs[id];
  g_autofree char *stripped = g_strstrip (g_strdup (text));
  gboolean understood;
  const char *example;

  if (spec->kind == LDB_OPTION_KIND_BOOLEAN)
    {
      understood = parse_boolean (stripped, value);
      example = "true or false";
    }
  else if (spec->kind == LDB_OPTION_KIND_ENUM)
    {
      understood = parse_nick (spec->get_type (), stripped, value);
      example = id == LDB_OPTION_WAL_SYNC_MODE ? "full, async or none"
                                               : "adaptive, zstd, lz4 or snappy";
    }
  else
    {
      understood = parse_number (stripped, units_of (spec->kind), scale, value);
      example = spec->kind == LDB_OPTION_KIND_SIZE       ? "a size such as 512MB"
                : spec->kind == LDB_OPTION_KIND_DURATION ? "a time such as 30s"
                                                         : "a number";
    }
  if (!understood)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The option %s cannot be \"%s\"; write %s.", spec->name, stripped,
                          example);
  return ldb_option_check (id, *value, error);
}

char *
ldb_option_to_text (LdbOptionId id, guint64 value)
{
  const LdbOptionSpec *spec = &ldb_option_specs[id];
  g_autoptr (GEnumClass) klass = NULL;
  const GEnumValue *name;
  switch (spec->kind)
    {
    case LDB_OPTION_KIND_BOOLEAN:
      return g_strdup (value != 0 ? "true" : "false");
    case LDB_OPTION_KIND_ENUM:
      klass = g_type_class_ref (spec->get_type ());
      name = g_enum_get_value (klass, (int) value);
      return name != NULL ? g_strdup (name->value_nick)
                          : g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) value);
    case LDB_OPTION_KIND_INT:
      return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) value);
    case LDB_OPTION_KIND_SIZE:
      return g_strdup_printf ("%" G_GUINT64_FORMAT " bytes", value);
    case LDB_OPTION_KIND_DURATION:
      return g_strdup_printf ("%" G_GUINT64_FORMAT " ms", value);
    default:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, value);
    }
}

/* ---- the environment ---- */

/* LIGHTNING_DB_CACHE_SIZE for cache-size. */
static char *
variable_name (LdbOptionId id)
{
  g_autofree char *upper = g_ascii_strup (ldb_option_specs[id].name, -1);
  g_strdelimit (upper, "-", '_');
  return g_strconcat ("LIGHTNING_DB_", upper, NULL);
}

gboolean
ldb_options_load_from_environment (LdbOptions *self, GError **error)
{
  for (guint id = 1; id < LDB_OPTION_COUNT; id++)
    {
      g_autofree char *name = variable_name (id);
      const char *text = g_getenv (name);
      guint64 value;
      if (text == NULL)
        continue;
      if (!ldb_option_parse (id, text, 1, &value, error))
        {
          g_prefix_error (error, "The environment variable %s is wrong. ", name);
          return FALSE;
        }
      ldb_options_set_number (self, id, value, LDB_OPTION_SOURCE_ENVIRONMENT);
    }
  return TRUE;
}

/* ---- the file ---- */

/* The keys of the file that are not simply an option's name with underscores. */
static const struct
{
  const char *section; /* in brackets */
  const char *key;     /* before the equals sign */
  LdbOptionId option;  /* what it sets; 0: it belongs to another part and is left alone */
  guint64 scale;       /* what a bare number is multiplied by */
} file_keys[] = {
  { "database", "cache_size_mb", LDB_OPTION_CACHE_SIZE, MEBIBYTE },
  { "database", "mmap_size_mb", LDB_OPTION_MMAP_SIZE, MEBIBYTE },
  { "transaction", "max_active", LDB_OPTION_MAX_ACTIVE_TRANSACTIONS, 1 },
  { "transaction", "timeout_seconds", LDB_OPTION_TRANSACTION_TIMEOUT, 1000 },
  { "transaction", "use_optimized", LDB_OPTION_USE_OPTIMIZED_TRANSACTIONS, 1 },
  { "wal", "enabled", LDB_OPTION_WAL_ENABLED, 1 },
  { "wal", "sync_mode", LDB_OPTION_WAL_SYNC_MODE, 1 },
  { "wal", "improved", LDB_OPTION_IMPROVED_WAL, 1 },
  { "wal", "segment_size_mb", LDB_OPTION_WAL_SEGMENT_SIZE, MEBIBYTE },
  { "wal", "sync_interval_ms", LDB_OPTION_SYNC_INTERVAL, 1 },
  { "monitoring", "metrics_enabled", 0, 0 },
  { "monitoring", "metrics_port", 0, 0 },
};

/* Finds what a key of the file sets: one of file_keys, or in [database] any option by name. */
static gboolean
find_key (const char *section, const char *key, LdbOptionId *option, guint64 *scale)
{
  for (guint i = 0; i < G_N_ELEMENTS (file_keys); i++)
    if (strcmp (file_keys[i].section, section) == 0 && strcmp (file_keys[i].key, key) == 0)
      {
        *option = file_keys[i].option;
        *scale = file_keys[i].scale;
        return TRUE;
      }
  if (strcmp (section, "database") != 0 || strchr (key, '-') != NULL)
    return FALSE;
  g_autofree char *name = g_strdelimit (g_strdup (key), "_", '-');
  for (guint id = 1; id < LDB_OPTION_COUNT; id++)
    if (strcmp (ldb_option_specs[id].name, name) == 0)
      {
        *option = id;
        *scale = 1;
        return TRUE;
      }
  return FALSE;
}

/* Cuts a trailing comment and the quotes off a value; FALSE when a quote is not closed or text
 * follows it. */
static gboolean
unquote (char *text)
{
  char quote = text[0];
  if (quote == '"' || quote == '\'')
    {
      char *end = strchr (text + 1, quote);
      if (end == NULL)
        return FALSE;
      char *rest = end + 1;
      while (*rest == ' ' || *rest == '\t')
        rest++;
      if (*rest != '\0' && *rest != '#')
        return FALSE;
      gsize length = (gsize) (end - text) - 1;
      memmove (text, text + 1, length);
      text[length] = '\0';
      return TRUE;
    }
  char *comment = strchr (text, '#');
  if (comment != NULL)
    *comment = '\0';
  g_strchomp (text);
  return text[0] != '\0';
}

/* What a file says, before any of it is applied. */
typedef struct
{
  guint64 values[LDB_OPTION_COUNT]; /* where given */
  gboolean given[LDB_OPTION_COUNT]; /* whether the file names the option */
} FileValues;

static gboolean
read_key (GKeyFile *file, const char *section, const char *key, FileValues *values, GError **error)
{
  LdbOptionId option;
  guint64 scale;
  g_autofree char *text = g_key_file_get_value (file, section, key, NULL);
  if (!find_key (section, key, &option, &scale))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "There is no setting %s in [%s]; correct or remove it.", key, section);
  if (text == NULL || !unquote (text))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The value of %s in [%s] is no string, number or boolean; correct it.",
                          key, section);
  if (option == 0)
    return TRUE;
  if (!ldb_option_parse (option, text, scale, &values->values[option], error))
    {
      g_prefix_error (error, "The value of %s in [%s] is wrong. ", key, section);
      return FALSE;
    }
  values->given[option] = TRUE;
  return TRUE;
}

static gboolean
read_file (GKeyFile *file, FileValues *values, GError **error)
{
  g_auto (GStrv) sections = g_key_file_get_groups (file, NULL);
  for (guint i = 0; sections[i] != NULL; i++)
    {
      g_auto (GStrv) keys = g_key_file_get_keys (file, sections[i], NULL, error);
      if (keys == NULL)
        return FALSE;
      for (guint k = 0; keys[k] != NULL; k++)
        if (!read_key (file, sections[i], keys[k], values, error))
          return FALSE;
    }
  return TRUE;
}

static LdbError
code_of_file_error (const GError *error)
{
  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return LDB_ERROR_NOT_FOUND;
  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_ACCES)
      || g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_PERM))
    return LDB_ERROR_PERMISSION_DENIED;
  return LDB_ERROR_IO;
}

/* Reads the text of the file; refuses what cannot be a configuration: a key file would end at the
 * first zero byte, so one that a crash left full of them would pass for an empty one. */
static gboolean
load_text (const char *path, char **text, gsize *length, GError **error)
{
  GStatBuf info;
  g_autoptr (GError) local = NULL;
  gboolean known = g_stat (path, &info) == 0;
  if (known && (guint64) info.st_size > FILE_SIZE_MAX)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The file \"%s\" is larger than 1 MiB: it is no configuration file.",
                          path);
  /* A pipe may never answer, a device never end. */
  if (known && !S_ISREG (info.st_mode) && !S_ISDIR (info.st_mode))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "\"%s\" is not a regular file; name a configuration file.", path);
  if (g_file_get_contents (path, text, length, &local))
    return memchr (*text, '\0', *length) == NULL
           || ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                             "The file \"%s\" holds zero bytes: it is no text file, or a crash "
                             "damaged it; write it anew.",
                             path);
  return ldb_error_set (error, code_of_file_error (local),
                        "%s; check the path and its permissions.", local->message);
}

/**
 * ldb_options_load_from_file:
 * @self: options
 * @path: (type filename): the file, usually called `lightning_db.toml`
 * @error: return location for an error
 *
 * Loads settings from a file in a small part of TOML:
 *
 * ```toml
 * [database]
 * cache_size_mb = 512
 * compression_type = "zstd"
 *
 * [transaction]
 * max_active = 10000
 * timeout_seconds = 30
 *
 * [wal]
 * sync_mode = "full"
 * segment_size_mb = 64
 * ```
 *
 * In `[database]` every property may stand, with underscores. What the program or the environment
 * has set is kept.
 *
 * Fails with %LDB_ERROR_NOT_FOUND, %LDB_ERROR_PERMISSION_DENIED, %LDB_ERROR_IO, or
 * %LDB_ERROR_INVALID_ARGUMENT and a message that
 * names the file, the section and the key; then nothing has changed.
 *
 * One thread at a time. Reads a file: do it before the main loop runs.
 *
 * Returns: %TRUE if the file was loaded
 *
 * Since: 0.1
 */
gboolean
ldb_options_load_from_file (LdbOptions *self, const char *path, GError **error)
{
  g_return_val_if_fail (LDB_IS_OPTIONS (self), FALSE);
  g_return_val_if_fail (path != NULL, FALSE);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;
  gsize length;
  FileValues values = { 0 };

  if (!load_text (path, &text, &length, error))
    return FALSE;
  if (!g_key_file_load_from_data (file, text, length, G_KEY_FILE_NONE, &local))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The file \"%s\" is wrong. %s; write a section such as [database], and "
                          "below it lines such as cache_size_mb = 64.",
                          path, local->message);
  if (!read_file (file, &values, &local))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT, "The file \"%s\" is wrong. %s", path,
                          local->message);
  for (guint id = 1; id < LDB_OPTION_COUNT; id++)
    if (values.given[id])
      ldb_options_set_number (self, id, values.values[id], LDB_OPTION_SOURCE_FILE);
  return TRUE;
}
