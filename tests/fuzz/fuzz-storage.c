/* SPDX-License-Identifier: MIT */
/* Any bytes as what another process tells of its storage: a map, a page, its contents, sizes. Refused, or
 * taken, and then told again. The first byte says which, and whether a map and a page's contents come in two parts. */
#include "../check-condition.h"

#include "ldb-storage-variant-private.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define PAGE_TYPE LDB_PAGE_VARIANT_TYPE
#define CONTENTS_TYPE "(" LDB_CONTENTS_VARIANT_TYPE "b)"
#define MAP_TYPE "(a" LDB_NODE_VARIANT_TYPE "a" LDB_FAULT_VARIANT_TYPE ")"

/* As a message's parser gives it: in normal form. */
static GVariant *
variant_of (const char *type, const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) any
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE));
  return g_variant_get_normal_form (any);
}

static gboolean
add_nodes (LdbStorageReading *reading, GVariant *told)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) nodes = g_variant_get_child_value (told, 0);
  g_autoptr (GVariant) faults = g_variant_get_child_value (told, 1);
  gboolean fine = ldb_storage_reading_add (reading, nodes, faults, &error);
  CHECK (fine == (error == NULL));
  return fine;
}

static void
try_map (GVariant *one, GVariant *other)
{
  LdbStorageReading reading;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStorageMap) map = NULL;
  ldb_storage_reading_begin (&reading, 1, 2);
  if (add_nodes (&reading, one) && (other == NULL || add_nodes (&reading, other)))
    {
      map = ldb_storage_reading_end (&reading, &error);
      CHECK ((map != NULL) == (error == NULL));
    }
  ldb_storage_reading_clear (&reading);
  if (map == NULL)
    return;
  g_autofree char *json = ldb_storage_map_to_json (map);
  CHECK (json != NULL);
  g_autoptr (GArray) steps = ldb_storage_map_list_steps (map);
  for (guint i = 0; i < steps->len; i++)
    {
      const LdbStorageStep *step = &g_array_index (steps, LdbStorageStep, i);
      CHECK (step->parent < (int) i);
      g_variant_unref (g_variant_ref_sink (ldb_storage_step_to_variant (step)));
    }
}

static void
try_page (GVariant *told)
{
  g_autoptr (LdbPage) page = ldb_page_from_variant (told);
  g_autoptr (GVariant) again = g_variant_ref_sink (ldb_page_to_variant (page));
  g_autoptr (LdbPage) same = ldb_page_from_variant (again);
  CHECK (page->number == same->number && page->records == same->records);
  CHECK (page->codec <= LDB_PAGE_CODEC_SNAPPY);
}

/* Whatever was told, what it says lies in the page does. */
static void
check_inside (LdbPageContents *contents)
{
  gsize size = contents->decoded != NULL ? g_bytes_get_size (contents->decoded) : G_MAXSIZE;
  for (guint i = 0; i < contents->fields->len; i++)
    {
      const LdbPageField *field = g_ptr_array_index (contents->fields, i);
      CHECK (field->offset <= size && field->size <= size - field->offset);
    }
  for (guint i = 0; i < contents->records->len; i++)
    {
      const LdbPageRecord *record = g_ptr_array_index (contents->records, i);
      CHECK (record->offset <= size && record->size <= size - record->offset);
      CHECK (record->value == NULL || g_bytes_get_size (record->value) <= size);
    }
}

static void
try_contents (GVariant *one, GVariant *other)
{
  LdbPageReading reading;
  g_autoptr (GError) error = NULL;
  ldb_page_reading_begin (&reading);
  if (ldb_page_reading_add (&reading, one, &error)
      && (other == NULL || ldb_page_reading_add (&reading, other, &error)))
    {
      gboolean more;
      g_autoptr (LdbPageContents) contents = ldb_page_reading_end (&reading);
      check_inside (contents);
      g_variant_unref (
          g_variant_ref_sink (ldb_page_contents_to_variant (contents, 0, 0, 1 << 16, &more)));
    }
  ldb_page_reading_clear (&reading);
}

static void
try_sizes (GVariant *told)
{
  g_autoptr (LdbSizes) sizes = ldb_sizes_from_variant (told);
  ldb_sizes_get_key_percentile (sizes, 0.99);
  g_variant_unref (g_variant_ref_sink (ldb_sizes_to_variant (sizes, 1 << 16)));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const types[] = { MAP_TYPE, PAGE_TYPE, CONTENTS_TYPE, LDB_SIZES_VARIANT_TYPE };
  if (size < 1)
    return 0;
  guint which = data[0] % G_N_ELEMENTS (types);
  gsize half = (data[0] & 0x80) != 0 ? (size - 1) / 16 * 8 : size - 1;
  g_autoptr (GVariant) one = variant_of (types[which], data + 1, half);
  g_autoptr (GVariant) other
      = half < size - 1 ? variant_of (types[which], data + 1 + half, size - 1 - half) : NULL;
  if (which == 0)
    try_map (one, other);
  else if (which == 1)
    try_page (one);
  else if (which == 2)
    try_contents (one, other);
  else
    try_sizes (one);
  return 0;
}
