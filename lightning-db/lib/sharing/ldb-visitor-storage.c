/* SPDX-License-Identifier: MIT */
/*
 * What a visitor is told of the storage: all of it on the library's workers, in parts of about half a
 * MiB.
 */
#include "config.h"

#include "ldb-visitor-private.h"

#include "ldb-error-private.h"
#include "ldb-page.h"
#include "ldb-sizes.h"
#include "ldb-storage-variant-private.h"

#define PAGES_MAX 1000                   /* of one list */
#define PAGE_PART (LDB_VISITOR_PART / 4) /* of each form of a page, and of its records */
#define BIGGEST_MAX 1000                 /* largest values that are named */
#define MEASURING_TIME 10000             /* milliseconds of one measuring */

/* The error of the call under way, as it was finished. */
static gboolean
has_failed (LdbVisit *self, gpointer result, GError *error)
{
  if (result == NULL)
    ldb_visit_fail (self, error);
  return result == NULL;
}

/* ---- the map ---- */

void
ldb_visitor_map_free (LdbVisitorMap *map)
{
  g_array_unref (map->steps);
  g_object_unref (map->map);
  ldb_export_unref (map->of);
  g_free (map);
}

/* Nodes first, then faults, counted on. *end: what is told next. */
static GVariant *
map_part (LdbVisitorMap *map, guint first, guint *end)
{
  gsize bytes = 0;
  GPtrArray *found = ldb_storage_map_get_faults (map->map);
  guint i = first, count = map->steps->len + found->len;
  GVariantBuilder nodes, faults;
  g_variant_builder_init (&nodes, G_VARIANT_TYPE ("a" LDB_NODE_VARIANT_TYPE));
  g_variant_builder_init (&faults, G_VARIANT_TYPE ("a" LDB_FAULT_VARIANT_TYPE));
  for (; i < count && bytes < LDB_VISITOR_PART; i++)
    {
      const LdbFault *fault
          = i >= map->steps->len ? g_ptr_array_index (found, i - map->steps->len) : NULL;
      GVariant *told
          = fault != NULL
                ? g_variant_new (LDB_FAULT_VARIANT_TYPE, fault->file, fault->page, fault->reason)
                : ldb_storage_step_to_variant (&g_array_index (map->steps, LdbStorageStep, i));
      bytes += g_variant_get_size (told);
      g_variant_builder_add_value (fault != NULL ? &faults : &nodes, told);
    }
  *end = i < count ? i : 0;
  return g_variant_new ("(utxa" LDB_NODE_VARIANT_TYPE "a" LDB_FAULT_VARIANT_TYPE "u)", map->id,
                        ldb_storage_map_get_sequence (map->map),
                        ldb_storage_map_get_time (map->map), &nodes, &faults, (guint32) *end);
}

/* A map that all is told of is not kept. */
static void
return_map_part (LdbVisit *self, guint first)
{
  guint end;
  LdbVisitor *visitor = self->visitor;
  GVariant *part = map_part (visitor->map, first, &end);
  visitor->map->used = g_get_monotonic_time ();
  if (end == 0)
    g_clear_pointer (&visitor->map, ldb_visitor_map_free);
  ldb_visitor_watch_expiry (visitor);
  ldb_visit_return (self, part);
}

static void
loaded (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  LdbVisitor *visitor = self->visitor;
  LdbStorageMap *map = ldb_database_load_storage_map_finish (LDB_DATABASE (source), result, &error);
  if (has_failed (self, map, error))
    return;
  g_clear_pointer (&visitor->map, ldb_visitor_map_free);
  visitor->map = g_new0 (LdbVisitorMap, 1);
  visitor->map->id = ++visitor->last_id;
  visitor->map->of = ldb_export_ref (self->export);
  visitor->map->map = map;
  visitor->map->steps = ldb_storage_map_list_steps (map);
  return_map_part (self, 0);
}

void
ldb_visit_load_storage_map (LdbVisit *self)
{
  guint id, first;
  LdbVisitorMap *map = self->visitor->map;
  g_variant_get (self->arguments, "(uu)", &id, &first);
  if (id == 0)
    ldb_database_load_storage_map_async (self->export->handle, self->cancellable, loaded, self);
  else if (map != NULL && map->id == id && map->of == self->export)
    return_map_part (self, first);
  else
    ldb_visit_refuse (self, LDB_ERROR_CLOSED,
                      "That storage map is not kept any longer; load it anew.");
}

/* ---- pages ---- */

static void
listed (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  g_autoptr (GPtrArray) pages
      = ldb_database_list_pages_finish (LDB_DATABASE (source), result, &error);
  if (has_failed (self, pages, error))
    return;
  GVariantBuilder all;
  gsize bytes = 0;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a" LDB_PAGE_VARIANT_TYPE));
  for (guint i = 0; i < pages->len && bytes < LDB_VISITOR_PART; i++)
    {
      GVariant *told = ldb_page_to_variant (g_ptr_array_index (pages, i));
      bytes += g_variant_get_size (told);
      g_variant_builder_add_value (&all, told);
    }
  ldb_visit_return (self, g_variant_new ("(a" LDB_PAGE_VARIANT_TYPE ")", &all));
}

void
ldb_visit_list_pages (LdbVisit *self)
{
  guint64 segment, first;
  guint32 count;
  gboolean read;
  g_variant_get (self->arguments, "(ttub)", &segment, &first, &count, &read);
  ldb_database_list_pages_async (self->export->handle, segment, first, MIN (count, PAGES_MAX), read,
                                 self->cancellable, listed, self);
}

static void
page_read (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  guint64 byte;
  guint32 record;
  gboolean more;
  LdbPageContents *contents = ldb_database_read_page_finish (LDB_DATABASE (source), result, &error);
  if (has_failed (self, contents, error))
    return;
  g_variant_get (self->arguments, "(tttu)", NULL, NULL, &byte, &record);
  ldb_visit_return (self, ldb_page_contents_to_variant (contents, byte, record, PAGE_PART, &more));
  ldb_page_contents_free (contents);
}

void
ldb_visit_read_page (LdbVisit *self)
{
  guint64 segment, page;
  g_variant_get (self->arguments, "(tttu)", &segment, &page, NULL, NULL);
  ldb_database_read_page_async (self->export->handle, segment, page, self->cancellable, page_read,
                                self);
}

/* ---- keys ---- */

static void
located (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  g_autoptr (GPtrArray) places
      = ldb_database_locate_key_finish (LDB_DATABASE (source), result, &error);
  if (has_failed (self, places, error))
    return;
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < places->len; i++)
    g_variant_builder_add_value (&all, ldb_key_location_to_variant (g_ptr_array_index (places, i)));
  ldb_visit_return (self, g_variant_new ("(aa{sv})", &all));
}

void
ldb_visit_locate_key (LdbVisit *self)
{
  gsize size;
  const char *name;
  GError *error = NULL;
  g_autoptr (GVariant) key = NULL;
  g_variant_get (self->arguments, "(&s@ay)", &name, &key);
  gconstpointer data = g_variant_get_fixed_array (key, &size, 1);
  g_autoptr (LdbStore) store = ldb_visit_open_store (self, name, &error);
  if (!has_failed (self, store, error))
    ldb_database_locate_key_async (self->export->handle, store, data, size, self->cancellable,
                                   located, self);
}

static void
measured (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  g_autoptr (LdbSizes) sizes
      = ldb_database_measure_sizes_finish (LDB_DATABASE (source), result, &error);
  if (!has_failed (self, sizes, error))
    ldb_visit_return (self, g_variant_new ("(@" LDB_SIZES_VARIANT_TYPE ")",
                                           ldb_sizes_to_variant (sizes, LDB_VISITOR_PART)));
}

/* Others wait for it, so it ends in time. */
void
ldb_visit_measure_sizes (LdbVisit *self)
{
  const char *name;
  guint32 time, biggest;
  gsize start_size, end_size;
  GError *error = NULL;
  g_autoptr (GVariant) start = NULL;
  g_autoptr (GVariant) end = NULL;
  g_variant_get (self->arguments, "(&s@ay@ayuu)", &name, &start, &end, &time, &biggest);
  gconstpointer start_data = g_variant_get_fixed_array (start, &start_size, 1);
  gconstpointer end_data = g_variant_get_fixed_array (end, &end_size, 1);
  g_autoptr (LdbStore) store = ldb_visit_open_store (self, name, &error);
  if (!has_failed (self, store, error))
    ldb_database_measure_sizes_async (
        self->export->handle, store, start_data, start_size, end_data, end_size,
        time == 0 || time > MEASURING_TIME ? MEASURING_TIME : time, MIN (biggest, BIGGEST_MAX),
        NULL, NULL, NULL, self->cancellable, measured, self);
}
