/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-bytes.h"
#include "insp-json.h"
#include "insp-value-form.h"

#define DEPTH 40 /* to which a document is indented */

/* ---- images ---- */

gboolean
insp_value_form_is_image (GBytes *value)
{
  static const struct
  {
    gsize offset;
    gsize size;
    const char *bytes;
  } beginnings[] = {
    { 0, 8, "\x89PNG\r\n\x1a\n" },
    { 0, 3, "\xff\xd8\xff" }, /* JPEG */
    { 0, 6, "GIF87a" },
    { 0, 6, "GIF89a" },
    { 8, 4, "WEBP" },
    { 0, 4, "II*\0" }, /* TIFF */
    { 0, 4, "MM\0*" },
  };
  gsize size;
  const char *data = g_bytes_get_data (value, &size);
  for (guint i = 0; i < G_N_ELEMENTS (beginnings); i++)
    if (size >= beginnings[i].offset + beginnings[i].size
        && memcmp (data + beginnings[i].offset, beginnings[i].bytes, beginnings[i].size) == 0)
      return TRUE;
  return FALSE;
}

/* ---- documents ---- */

/* What a value ends with if a variant is wrapped in it: a zero byte and the type. */
static gboolean
ends_with_type (GBytes *value, const char *type)
{
  gsize size, length = strlen (type);
  const char *data = g_bytes_get_data (value, &size);
  return size > length && memcmp (data + size - length, type, length) == 0
         && data[size - length - 1] == '\0';
}

/* The variant that is stored; NULL: none. */
static GVariant *
read_variant (GBytes *value)
{
  if (g_bytes_get_size (value) < 2)
    return NULL;
  g_autoptr (GVariant) stored
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARIANT, value, FALSE));
  if (G_BYTE_ORDER == G_BIG_ENDIAN)
    {
      GVariant *swapped = g_variant_byteswap (stored);
      g_variant_unref (stored);
      stored = swapped;
    }
  return g_variant_is_normal_form (stored) ? g_variant_get_variant (stored) : NULL;
}

static void print_variant (GString *text, GVariant *variant, guint depth);

static void
break_line (GString *text, guint depth)
{
  g_string_append_c (text, '\n');
  for (guint i = 0; i < depth; i++)
    g_string_append (text, "  ");
}

static void
print_children (GString *text, GVariant *variant, guint depth)
{
  gboolean is_tuple = g_variant_is_of_type (variant, G_VARIANT_TYPE_TUPLE);
  gboolean is_dictionary = g_variant_is_of_type (variant, G_VARIANT_TYPE_DICTIONARY);
  gsize count = g_variant_n_children (variant);
  g_string_append (text, is_tuple ? "(" : is_dictionary ? "{" : "[");
  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
      if (i > 0)
        g_string_append_c (text, ',');
      break_line (text, depth + 1);
      print_variant (text, child, depth + 1);
    }
  if (count > 0)
    break_line (text, depth);
  g_string_append (text, is_tuple ? ")" : is_dictionary ? "}" : "]");
}

/* GVariant nests 64 deep at most; this goes DEPTH levels deep, what is below is on one line. */
static void
print_variant (GString *text, GVariant *variant, guint depth)
{
  gboolean is_bytes = g_variant_is_of_type (variant, G_VARIANT_TYPE_BYTESTRING);
  if (depth < DEPTH && g_variant_is_of_type (variant, G_VARIANT_TYPE_VARIANT))
    {
      g_autoptr (GVariant) inner = g_variant_get_variant (variant);
      print_variant (text, inner, depth);
    }
  else if (depth < DEPTH && g_variant_is_of_type (variant, G_VARIANT_TYPE_DICT_ENTRY))
    {
      g_autoptr (GVariant) name = g_variant_get_child_value (variant, 0);
      g_autoptr (GVariant) value = g_variant_get_child_value (variant, 1);
      print_variant (text, name, DEPTH);
      g_string_append (text, ": ");
      print_variant (text, value, depth);
    }
  else if (depth < DEPTH && !is_bytes && g_variant_is_container (variant)
           && !g_variant_is_of_type (variant, G_VARIANT_TYPE_MAYBE))
    print_children (text, variant, depth);
  else
    g_variant_print_string (variant, text, TRUE);
}

static char *
print_document (GBytes *value)
{
  g_autoptr (GVariant) variant = read_variant (value);
  if (variant == NULL)
    return NULL;
  GString *text = g_string_new (NULL);
  print_variant (text, variant, 0);
  return g_string_free (text, FALSE);
}

/* ---- all ---- */

static char *
print_text (GBytes *value)
{
  gsize size, length = insp_bytes_text_length (value);
  const char *data = g_bytes_get_data (value, &size);
  if (length == size)
    return g_strndup (data != NULL ? data : "", size);
  return insp_bytes_escape (value, 0);
}

static char *
print_json (GBytes *value, gboolean whole)
{
  gsize size;
  const char *data = g_bytes_get_data (value, &size);
  if (!insp_bytes_are_text (value, whole))
    return NULL;
  return insp_json_indent (data, insp_bytes_text_length (value), whole);
}

char *
insp_value_form_print (InspValueForm form, GBytes *value, gboolean whole)
{
  switch (form)
    {
    case INSP_VALUE_TEXT:
      return print_text (value);
    case INSP_VALUE_HEX:
      return insp_bytes_dump (value);
    case INSP_VALUE_JSON:
      return print_json (value, whole);
    case INSP_VALUE_DOCUMENT:
      return whole ? print_document (value) : NULL;
    case INSP_VALUE_IMAGE:
    default:
      return NULL;
    }
}

static gboolean
is_json (GBytes *value, gboolean whole)
{
  const char *data = g_bytes_get_data (value, NULL);
  return insp_bytes_are_text (value, whole)
         && insp_json_is (data, insp_bytes_text_length (value), whole);
}

InspValueForm
insp_value_form_guess (GBytes *value, gboolean whole)
{
  gsize size;
  const char *data = g_bytes_get_data (value, &size);
  if (insp_value_form_is_image (value))
    return INSP_VALUE_IMAGE;
  if (whole && ends_with_type (value, "a{sv}"))
    {
      g_autoptr (GVariant) variant = read_variant (value);
      if (variant != NULL)
        return INSP_VALUE_DOCUMENT;
    }
  if (size > 0 && (data[0] == '{' || data[0] == '[') && is_json (value, whole))
    return INSP_VALUE_JSON;
  return insp_bytes_are_text (value, whole) ? INSP_VALUE_TEXT : INSP_VALUE_HEX;
}
