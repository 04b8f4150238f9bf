/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "insp-load-records.h"

#define TYPE "(suaa{sv})"
#define MAGIC "Lightning DB load tests"
#define VERSION 1u
#define MOST_BYTES (1u << 20) /* of a file that this program may have written */

struct _InspLoadRecords
{
  GObject parent_instance;

  InspRowList *list; /* of InspLoadRun; owned */
};

G_DEFINE_FINAL_TYPE (InspLoadRecords, insp_load_records, G_TYPE_OBJECT)

static char *
get_path (void)
{
  return g_build_filename (g_get_user_data_dir (), "lightning-inspector", "load-tests", NULL);
}

/* ---- the file ---- */

/* What the file has, as far as it is one of ours; a damaged one has nothing. */
static GVariant *
read_file (void)
{
  g_autofree char *path = get_path ();
  g_autofree char *contents = NULL;
  gsize length;
  GStatBuf its;
  if (g_stat (path, &its) != 0 || its.st_size > MOST_BYTES
      || !g_file_get_contents (path, &contents, &length, NULL))
    return NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&contents), length);
  g_autoptr (GVariant) whole
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (TYPE), bytes, FALSE));
  const char *magic;
  guint32 version;
  g_variant_get_child (whole, 0, "&s", &magic);
  g_variant_get_child (whole, 1, "u", &version);
  if (!g_variant_is_normal_form (whole) || strcmp (magic, MAGIC) != 0
      || GUINT32_FROM_LE (version) != VERSION)
    return NULL;
  if (G_BYTE_ORDER == G_BIG_ENDIAN)
    {
      GVariant *swapped = g_variant_byteswap (whole);
      g_variant_unref (whole);
      whole = swapped;
    }
  return g_variant_get_child_value (whole, 2);
}

static GPtrArray *
read_runs (void)
{
  GPtrArray *runs = g_ptr_array_new_with_free_func ((GDestroyNotify) insp_load_run_free);
  g_autoptr (GVariant) all = read_file ();
  gsize count = all != NULL ? MIN (g_variant_n_children (all), INSP_LOAD_RECORDS_KEPT) : 0;
  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) one = g_variant_get_child_value (all, i);
      InspLoadRun *run = insp_load_run_new_from_variant (one);
      /* Newest first, and each time once. */
      if (run != NULL && runs->len > 0
          && ((InspLoadRun *) runs->pdata[runs->len - 1])->time <= run->time)
        g_clear_pointer (&run, insp_load_run_free);
      if (run != NULL)
        g_ptr_array_add (runs, run);
    }
  return runs;
}

static gboolean
write_runs (GPtrArray *runs, GError **error)
{
  g_autofree char *path = get_path ();
  g_autofree char *folder = g_path_get_dirname (path);
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < runs->len; i++)
    g_variant_builder_add_value (&all, insp_load_run_to_variant (runs->pdata[i]));
  g_autoptr (GVariant) whole
      = g_variant_ref_sink (g_variant_new ("(suaa{sv})", MAGIC, VERSION, &all));
  if (G_BYTE_ORDER == G_BIG_ENDIAN)
    {
      GVariant *swapped = g_variant_byteswap (whole);
      g_variant_unref (whole);
      whole = swapped;
    }
  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      int code = errno;
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "%s: %s", folder,
                   g_strerror (code));
      return FALSE;
    }
  return g_file_set_contents_full (path, g_variant_get_data (whole),
                                   (gssize) g_variant_get_size (whole),
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

/* ---- the list ---- */

InspRowList *
insp_load_records_get_list (InspLoadRecords *self)
{
  return self->list;
}

void
insp_load_records_read (InspLoadRecords *self)
{
  g_autoptr (GPtrArray) runs = read_runs ();
  insp_row_list_set (self->list, runs);
}

static gint
compare_times (gconstpointer first, gconstpointer second)
{
  gint64 one = (*(InspLoadRun *const *) first)->time,
         other = (*(InspLoadRun *const *) second)->time;
  return one < other ? 1 : one > other ? -1 : 0;
}

gboolean
insp_load_records_add (InspLoadRecords *self, InspLoadRun *run, GError **error)
{
  g_autoptr (GPtrArray) runs = read_runs ();
  for (guint i = 0; i < runs->len; i++)
    if (((InspLoadRun *) runs->pdata[i])->time == run->time)
      run->time++; /* another program's */
  g_ptr_array_insert (runs, 0, run);
  g_ptr_array_sort (runs, compare_times);
  if (runs->len > INSP_LOAD_RECORDS_KEPT)
    g_ptr_array_set_size (runs, INSP_LOAD_RECORDS_KEPT);
  gboolean written = write_runs (runs, error);
  insp_row_list_set (self->list, runs);
  return written;
}

gboolean
insp_load_records_remove (InspLoadRecords *self, gint64 time, GError **error)
{
  g_autoptr (GPtrArray) runs = read_runs ();
  for (guint i = runs->len; i-- > 0;)
    if (((InspLoadRun *) runs->pdata[i])->time == time)
      g_ptr_array_remove_index (runs, i);
  gboolean written = write_runs (runs, error);
  if (written)
    insp_row_list_set (self->list, runs);
  return written;
}

GPtrArray *
insp_load_records_list (InspLoadRecords *self)
{
  GPtrArray *runs = g_ptr_array_new ();
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->list));
  for (guint i = 0; i < count; i++)
    g_ptr_array_add (runs, (gpointer) insp_row_list_get (self->list, i));
  return runs;
}

const InspLoadRun *
insp_load_records_find (InspLoadRecords *self, gint64 time)
{
  g_autoptr (GPtrArray) runs = insp_load_records_list (self);
  for (guint i = 0; i < runs->len; i++)
    if (((const InspLoadRun *) runs->pdata[i])->time == time)
      return runs->pdata[i];
  return NULL;
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  return (guint64) ((const InspLoadRun *) contents)->time;
}

static void
insp_load_records_finalize (GObject *object)
{
  g_object_unref (INSP_LOAD_RECORDS (object)->list);
  G_OBJECT_CLASS (insp_load_records_parent_class)->finalize (object);
}

static void
insp_load_records_class_init (InspLoadRecordsClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_load_records_finalize;
}

static void
insp_load_records_init (InspLoadRecords *self)
{
  self->list = insp_row_list_new (identity, (GDestroyNotify) insp_load_run_free);
}

InspLoadRecords *
insp_load_records_new (void)
{
  InspLoadRecords *self = g_object_new (INSP_TYPE_LOAD_RECORDS, NULL);
  insp_load_records_read (self);
  return self;
}
