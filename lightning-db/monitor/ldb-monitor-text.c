/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-text-private.h"

#include <math.h>

/* ---- Prometheus ---- */

void
monitor_text_family (GString *out, const char *name, const char *type, const char *help)
{
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* As the format wants label values: backslash, quotation mark and line feed escaped, UTF-8. */
static void
append_escaped (GString *out, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);
  for (const char *at = valid; *at != '\0'; at++)
    if (*at == '\n')
      g_string_append (out, "\\n");
    else
      {
        if (*at == '\\' || *at == '"')
          g_string_append_c (out, '\\');
        g_string_append_c (out, *at);
      }
}

static void
append_name (GString *out, const char *name, const char *label, const char *value)
{
  g_string_append (out, name);
  if (label == NULL)
    return;
  g_string_append_printf (out, "{%s=\"", label);
  append_escaped (out, value);
  g_string_append (out, "\"}");
}

void
monitor_text_count (GString *out, const char *name, const char *label, const char *value,
                    guint64 count)
{
  append_name (out, name, label, value);
  g_string_append_printf (out, " %" G_GUINT64_FORMAT "\n", count);
}

void
monitor_text_bucket (GString *out, const char *name, const char *label, const char *value,
                     const char *bound, guint64 count)
{
  g_string_append_printf (out, "%s_bucket{", name);
  if (label != NULL)
    {
      g_string_append_printf (out, "%s=\"", label);
      append_escaped (out, value);
      g_string_append (out, "\",");
    }
  g_string_append_printf (out, "le=\"%s\"} %" G_GUINT64_FORMAT "\n", bound != NULL ? bound : "+Inf",
                          count);
}

static void
append_real (GString *out, double real, const char *if_none)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (isfinite (real))
    g_string_append (out, g_ascii_dtostr (text, sizeof text, real));
  else
    g_string_append (out, if_none);
}

void
monitor_text_real (GString *out, const char *name, const char *label, const char *value,
                   double real)
{
  append_name (out, name, label, value);
  g_string_append_c (out, ' ');
  append_real (out, real, "NaN");
  g_string_append_c (out, '\n');
}

const char *
monitor_text_nick (GType type, int value)
{
  g_autoptr (GTypeClass) class = g_type_class_ref (type);
  const GEnumValue *known = g_enum_get_value (G_ENUM_CLASS (class), value);
  return known != NULL ? known->value_nick : "other"; /* static: enumerations stay */
}

/* ---- JSON ---- */

void
monitor_json_begin (GString *out)
{
  g_string_append_c (out, '{');
}

void
monitor_json_end (GString *out)
{
  g_string_append_c (out, '}');
}

static void
append_json_text (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_string_append_c (out, '"');
  for (const char *at = valid; *at != '\0'; at++)
    if ((guchar) *at < 0x20)
      g_string_append_printf (out, "\\u%04x", (guint) (guchar) *at);
    else
      {
        if (*at == '\\' || *at == '"')
          g_string_append_c (out, '\\');
        g_string_append_c (out, *at);
      }
  g_string_append_c (out, '"');
}

void
monitor_json_member (GString *out, const char *name)
{
  if (out->len > 0 && out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
  append_json_text (out, name);
  g_string_append_c (out, ':');
}

void
monitor_json_text (GString *out, const char *name, const char *text)
{
  monitor_json_member (out, name);
  append_json_text (out, text);
}

void
monitor_json_count (GString *out, const char *name, guint64 count)
{
  monitor_json_member (out, name);
  g_string_append_printf (out, "%" G_GUINT64_FORMAT, count);
}

void
monitor_json_real (GString *out, const char *name, double real)
{
  monitor_json_member (out, name);
  append_real (out, real, "null");
}

void
monitor_json_truth (GString *out, const char *name, gboolean truth)
{
  monitor_json_member (out, name);
  g_string_append (out, truth ? "true" : "false");
}
