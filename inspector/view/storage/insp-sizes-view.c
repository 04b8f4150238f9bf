/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bar.h"
#include "insp-key-text.h"
#include "insp-page.h"
#include "insp-sizes-view.h"
#include "insp-table.h"
#include "insp-unit.h"

#define TIME_LIMIT 3000u /* milliseconds */
#define BIGGEST 20u

struct _InspSizesView
{
  GtkWidget parent_instance;

  InspSession *session;      /* owned */
  char *store;               /* NULL: the default one; owned */
  GCancellable *cancellable; /* of a measurement under way; owned */
  InspRowList *rows;         /* of InspSizeRow; owned */
  InspRowList *biggest;      /* of LdbBigValue; owned */
  guint64 most_keys;         /* the longest bars */
  guint64 most_values;
  GtkWidget *box;     /* child */
  GtkWidget *summary; /* a label */
  InspTable *histogram;
  InspTable *big;
};

G_DEFINE_FINAL_TYPE (InspSizesView, insp_sizes_view, GTK_TYPE_WIDGET)

/* ---- rows ---- */

static int
compare_rows (gconstpointer first, gconstpointer second)
{
  const InspSizeRow *a = *(const InspSizeRow *const *) first,
                    *b = *(const InspSizeRow *const *) second;
  return (a->least > b->least) - (a->least < b->least);
}

static InspSizeRow *
row_of (GPtrArray *rows, const LdbSizeBucket *bucket)
{
  for (guint i = 0; i < rows->len; i++)
    {
      InspSizeRow *row = g_ptr_array_index (rows, i);
      if (row->least == bucket->least && row->most == bucket->most)
        return row;
    }
  InspSizeRow *row = g_new0 (InspSizeRow, 1);
  row->least = bucket->least;
  row->most = bucket->most;
  g_ptr_array_add (rows, row);
  return row;
}

GPtrArray *
insp_size_rows_of (GPtrArray *keys, GPtrArray *values)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < keys->len; i++)
    {
      const LdbSizeBucket *bucket = g_ptr_array_index (keys, i);
      if (bucket->count > 0)
        row_of (rows, bucket)->keys += bucket->count;
    }
  for (guint i = 0; i < values->len; i++)
    {
      const LdbSizeBucket *bucket = g_ptr_array_index (values, i);
      if (bucket->count > 0)
        row_of (rows, bucket)->values += bucket->count;
    }
  g_ptr_array_sort (rows, compare_rows);
  return rows;
}

/* ---- measuring ---- */

static char *
summarize (LdbSizes *sizes)
{
  g_autofree char *records = insp_unit_format (INSP_UNIT_COUNT, (double) sizes->records);
  g_autofree char *share = insp_unit_format (INSP_UNIT_SHARE, sizes->share);
  g_autofree char *key
      = insp_unit_format (INSP_UNIT_BYTES, (double) ldb_sizes_get_key_percentile (sizes, 0.5));
  g_autofree char *value
      = insp_unit_format (INSP_UNIT_BYTES, (double) ldb_sizes_get_value_percentile (sizes, 0.5));
  g_autofree char *large
      = insp_unit_format (INSP_UNIT_BYTES, (double) ldb_sizes_get_value_percentile (sizes, 0.99));
  if (sizes->records == 0)
    return g_strdup (_ ("The store is empty."));
  /* Translators: a number of keys, a share of a store, and sizes */
  return g_strdup_printf (_ ("%s keys were seen, in %s of the store. Half of the keys have up to "
                             "%s, half of the values "
                             "up to %s, and 99 of 100 values up to %s."),
                          records, share, key, value, large);
}

static void
fill (InspSizesView *self, LdbSizes *sizes)
{
  g_autoptr (GPtrArray) keys = ldb_sizes_list_key_buckets (sizes);
  g_autoptr (GPtrArray) values = ldb_sizes_list_value_buckets (sizes);
  g_autoptr (GPtrArray) rows = insp_size_rows_of (keys, values);
  g_autoptr (GPtrArray) biggest = g_ptr_array_new ();
  g_autofree char *summary = summarize (sizes);
  GPtrArray *all = ldb_sizes_get_biggest (sizes);
  self->most_keys = self->most_values = 1;
  for (guint i = 0; i < rows->len; i++)
    {
      const InspSizeRow *row = g_ptr_array_index (rows, i);
      self->most_keys = MAX (self->most_keys, row->keys);
      self->most_values = MAX (self->most_values, row->values);
    }
  for (guint i = 0; all != NULL && i < all->len; i++)
    g_ptr_array_add (biggest, ldb_big_value_copy (g_ptr_array_index (all, i)));
  insp_row_list_set (self->rows, rows);
  insp_row_list_set (self->biggest, biggest);
  gtk_label_set_text (GTK_LABEL (self->summary), summary);
  gtk_widget_set_visible (GTK_WIDGET (self->big), self->most_values > 1 || sizes->records > 0);
}

static void
clear (InspSizesView *self)
{
  g_autoptr (GPtrArray) no_rows = g_ptr_array_new (), no_values = g_ptr_array_new ();
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  insp_row_list_set (self->rows, no_rows);
  insp_row_list_set (self->biggest, no_values);
  gtk_widget_set_visible (GTK_WIDGET (self->big), FALSE);
  gtk_label_set_text (GTK_LABEL (self->summary),
                      _ ("The application goes through the store, three seconds at most; of a "
                         "large one it sees a part that is spread evenly."));
}

static void
on_measured (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspSizesView) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbSizes) sizes
      = ldb_inspector_measure_sizes_finish (LDB_INSPECTOR (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->box == NULL)
    return;
  if (sizes != NULL)
    fill (self, sizes);
  insp_page_tell_from (self, error);
}

void
insp_sizes_view_measure (InspSizesView *self)
{
  clear (self);
  if (insp_session_get_state (self->session) != INSP_SESSION_LIVE)
    return;
  gtk_label_set_text (GTK_LABEL (self->summary), _ ("The store is being measured…"));
  self->cancellable = g_cancellable_new ();
  ldb_inspector_measure_sizes_async (insp_session_get_inspector (self->session), self->store, NULL,
                                     0, NULL, 0, TIME_LIMIT, BIGGEST, self->cancellable,
                                     on_measured, g_object_ref (self));
}

void
insp_sizes_view_set_store (InspSizesView *self, const char *store)
{
  if (g_strcmp0 (store, self->store) == 0)
    return;
  g_free (self->store);
  self->store = g_strdup (store);
  clear (self);
}

/* ---- columns ---- */

static char *
format_sizes (gconstpointer contents, gpointer data)
{
  const InspSizeRow *row = contents;
  g_autofree char *least = insp_unit_format (INSP_UNIT_BYTES, (double) row->least);
  g_autofree char *most = insp_unit_format (INSP_UNIT_BYTES, (double) row->most);
  return row->least == row->most ? g_steal_pointer (&least)
                                 : g_strdup_printf ("%s – %s", least, most);
}

static char *
format_keys (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_COUNT, (double) ((const InspSizeRow *) contents)->keys);
}

static char *
format_values (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_COUNT, (double) ((const InspSizeRow *) contents)->values);
}

static void
show_keys (GtkWidget *bar, gconstpointer contents, gpointer view)
{
  g_autofree char *figure = format_keys (contents, view);
  insp_bar_set (INSP_BAR (bar),
                (double) ((const InspSizeRow *) contents)->keys
                    / (double) INSP_SIZES_VIEW (view)->most_keys,
                figure, 0);
}

static void
show_values (GtkWidget *bar, gconstpointer contents, gpointer view)
{
  g_autofree char *figure = format_values (contents, view);
  insp_bar_set (INSP_BAR (bar),
                (double) ((const InspSizeRow *) contents)->values
                    / (double) INSP_SIZES_VIEW (view)->most_values,
                figure, 1);
}

static char *
format_key (gconstpointer contents, gpointer data)
{
  GBytes *key = ((const LdbBigValue *) contents)->key;
  return insp_key_text_of (key, g_bytes_get_size (key));
}

static char *
format_size (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_BYTES, (double) ((const LdbBigValue *) contents)->size);
}

/* ---- the object ---- */

static guint64
identify_row (gconstpointer contents)
{
  const InspSizeRow *row = contents;
  return row->least ^ row->most << 32;
}

static guint64
identify_value (gconstpointer contents)
{
  gsize size;
  gconstpointer bytes = g_bytes_get_data (((const LdbBigValue *) contents)->key, &size);
  return insp_row_identity_of_bytes (bytes, size);
}

static void
insp_sizes_view_dispose (GObject *object)
{
  InspSizesView *self = INSP_SIZES_VIEW (object);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->rows);
  g_clear_object (&self->biggest);
  g_clear_object (&self->session);
  g_clear_pointer (&self->store, g_free);
  G_OBJECT_CLASS (insp_sizes_view_parent_class)->dispose (object);
}

static void
insp_sizes_view_class_init (InspSizesViewClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_sizes_view_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_sizes_view_init (InspSizesView *self)
{
  self->rows = insp_row_list_new (identify_row, g_free);
  self->biggest = insp_row_list_new (identify_value, (GDestroyNotify) ldb_big_value_free);
  self->summary = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->summary), TRUE);
  gtk_label_set_xalign (GTK_LABEL (self->summary), 0);
  self->histogram
      = INSP_TABLE (insp_table_new (_ ("Sizes of Keys and Values"), _ ("Nothing was measured yet."),
                                    g_object_ref (G_LIST_MODEL (self->rows))));
  insp_table_add_column (self->histogram, _ ("Size"), INSP_TABLE_TEXT, format_sizes, self);
  insp_table_add_widgets (self->histogram, _ ("Keys"), INSP_TYPE_BAR, show_keys, format_keys, self);
  insp_table_add_widgets (self->histogram, _ ("Values"), INSP_TYPE_BAR, show_values, format_values,
                          self);
  self->big = INSP_TABLE (insp_table_new (_ ("Largest Values"), _ ("There is no value."),
                                          g_object_ref (G_LIST_MODEL (self->biggest))));
  insp_table_add_column (self->big, _ ("Largest Values"), INSP_TABLE_WIDE, format_key, self);
  insp_table_add_column (self->big, _ ("Size"), INSP_TABLE_NUMBER, format_size, self);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_box_append (GTK_BOX (self->box), self->summary);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->histogram));
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->big));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  clear (self);
}

GtkWidget *
insp_sizes_view_new (InspSession *session)
{
  InspSizesView *self = g_object_new (INSP_TYPE_SIZES_VIEW, NULL);
  self->session = g_object_ref (session);
  return GTK_WIDGET (self);
}
