/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-facts.h"
#include "insp-key-text.h"
#include "insp-page-view.h"
#include "insp-page.h"
#include "insp-table.h"
#include "insp-unit.h"

#define HEIGHT 240 /* pixels, of tables and bytes */

struct _InspPageView
{
  GtkWidget parent_instance;

  InspSession *session;      /* owned */
  GCancellable *cancellable; /* of what is read; owned */
  guint64 segment, number;   /* of the page that is shown */
  gboolean is_inner;         /* it leads to others */
  InspRowList *records;      /* of LdbPageRecord; owned */
  InspRowList *fields;       /* of LdbPageField; owned */
  GtkWidget *box;            /* child */
  InspFacts *facts;
  GtkTextBuffer *decoded; /* owned by its view; likewise below */
  GtkTextBuffer *stored;
};

G_DEFINE_FINAL_TYPE (InspPageView, insp_page_view, GTK_TYPE_WIDGET)

/* ---- reading ---- */

static void
set_bytes (GtkTextBuffer *buffer, GBytes *bytes)
{
  g_autofree char *text = bytes != NULL ? insp_bytes_dump (bytes) : g_strdup ("");
  gtk_text_buffer_set_text (buffer, text, -1);
}

static void
set_rows (InspRowList *list, GPtrArray *contents, gpointer (*copy) (gconstpointer))
{
  g_autoptr (GPtrArray) copies = g_ptr_array_new ();
  for (guint i = 0; contents != NULL && i < contents->len; i++)
    g_ptr_array_add (copies, copy (g_ptr_array_index (contents, i)));
  insp_row_list_set (list, copies);
}

static gpointer
copy_record (gconstpointer record)
{
  return ldb_page_record_copy (record);
}

static gpointer
copy_field (gconstpointer field)
{
  return ldb_page_field_copy (field);
}

static void
fill (InspPageView *self, LdbPageContents *contents)
{
  LdbPage *page = ldb_page_contents_get_page (contents);
  self->is_inner = page->level > 0;
  insp_facts_show_page (self->facts, page);
  set_rows (self->records, ldb_page_contents_get_records (contents), copy_record);
  set_rows (self->fields, ldb_page_contents_get_fields (contents), copy_field);
  set_bytes (self->decoded, ldb_page_contents_get_decoded (contents));
  set_bytes (self->stored, ldb_page_contents_get_stored (contents));
}

static void
clear (InspPageView *self, const LdbPage *page)
{
  insp_facts_show_page (self->facts, page);
  set_rows (self->records, NULL, copy_record);
  set_rows (self->fields, NULL, copy_field);
  set_bytes (self->decoded, NULL);
  set_bytes (self->stored, NULL);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspPageView) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbPageContents) contents
      = ldb_inspector_read_page_finish (LDB_INSPECTOR (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->box == NULL)
    return;
  if (contents != NULL)
    fill (self, contents);
  insp_page_tell_from (self, error);
}

void
insp_page_view_show (InspPageView *self, guint64 segment, const LdbPage *page)
{
  if (segment == self->segment && page->number == self->number)
    return;
  self->segment = segment;
  self->number = page->number;
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  clear (self, page);
  if (insp_session_get_state (self->session) != INSP_SESSION_LIVE)
    return;
  self->cancellable = g_cancellable_new ();
  ldb_inspector_read_page_async (insp_session_get_inspector (self->session), segment, page->number,
                                 self->cancellable, on_read, g_object_ref (self));
}

/* ---- columns of records ---- */

static char *
format_key (gconstpointer contents, gpointer data)
{
  GBytes *key = ((const LdbPageRecord *) contents)->key;
  return insp_key_text_of (key, key != NULL ? g_bytes_get_size (key) : 0);
}

static char *
format_says (gconstpointer contents, gpointer view)
{
  const LdbPageRecord *record = contents;
  if (INSP_PAGE_VIEW (view)->is_inner)
    {
      g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, record->child);
      return g_strdup_printf (_ ("Page %s"), number);
    }
  g_autofree char *size = insp_unit_format (INSP_UNIT_BYTES, (double) record->value_size);
  switch (record->kind)
    {
    case LDB_VERSION_DELETE:
      return g_strdup (_ ("deleted"));
    case LDB_VERSION_BLOB:
      /* Translators: the size of a large value, and the number of the file that it is in */
      return g_strdup_printf (_ ("%s in file %u"), size, (guint) record->blob_file);
    case LDB_VERSION_PUT:
    default:
      return record->value != NULL ? insp_bytes_escape (record->value, 200) : g_strdup (size);
    }
}

static char *
format_sequence (gconstpointer contents, gpointer data)
{
  guint64 sequence = ((const LdbPageRecord *) contents)->sequence;
  return sequence > 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT, sequence) : g_strdup ("–");
}

static char *
format_place (guint64 offset, guint64 size)
{
  return g_strdup_printf ("%04" G_GINT64_MODIFIER "x, %" G_GUINT64_FORMAT, offset, size);
}

static char *
format_record_place (gconstpointer contents, gpointer data)
{
  const LdbPageRecord *record = contents;
  return format_place (record->offset, record->size);
}

static GtkWidget *
make_records (InspPageView *self)
{
  InspTable *table = INSP_TABLE (insp_table_new (_ ("Records of the Page"), _ ("There are none."),
                                                 g_object_ref (G_LIST_MODEL (self->records))));
  insp_table_add_column (table, _ ("Key"), INSP_TABLE_WIDE, format_key, NULL);
  insp_table_add_column (table, _ ("Value"), INSP_TABLE_WIDE, format_says, self);
  insp_table_add_column (table, _ ("Commit"), INSP_TABLE_NUMBER, format_sequence, NULL);
  /* Translators: where something is in a page: an offset in hexadecimal digits, and its length */
  insp_table_add_column (table, _ ("Offset, Length"), INSP_TABLE_NUMBER, format_record_place, NULL);
  insp_table_set_heights (table, HEIGHT, HEIGHT);
  return GTK_WIDGET (table);
}

/* ---- columns of fields ---- */

static char *
format_field (gconstpointer contents, gpointer data)
{
  return g_strdup (((const LdbPageField *) contents)->name);
}

static char *
format_number (gconstpointer contents, gpointer data)
{
  const LdbPageField *field = contents;
  return field->is_number ? g_strdup_printf ("%" G_GUINT64_FORMAT, field->value) : g_strdup ("–");
}

static char *
format_field_place (gconstpointer contents, gpointer data)
{
  const LdbPageField *field = contents;
  return format_place (field->offset, field->size);
}

static GtkWidget *
make_fields (InspPageView *self)
{
  InspTable *table = INSP_TABLE (insp_table_new (_ ("Fields of the Page"), _ ("There are none."),
                                                 g_object_ref (G_LIST_MODEL (self->fields))));
  insp_table_add_column (table, _ ("Field"), INSP_TABLE_WIDE, format_field, NULL);
  insp_table_add_column (table, _ ("Value"), INSP_TABLE_NUMBER, format_number, NULL);
  insp_table_add_column (table, _ ("Offset, Length"), INSP_TABLE_NUMBER, format_field_place, NULL);
  insp_table_set_heights (table, HEIGHT, HEIGHT);
  return GTK_WIDGET (table);
}

/* ---- the object ---- */

static guint64
identify_record (gconstpointer contents)
{
  return ((const LdbPageRecord *) contents)->offset;
}

/* Several fields may begin at one place. */
static guint64
identify_field (gconstpointer contents)
{
  const LdbPageField *field = contents;
  return (field->offset << 32) ^ (field->size << 20) ^ g_str_hash (field->name);
}

static void
insp_page_view_dispose (GObject *object)
{
  InspPageView *self = INSP_PAGE_VIEW (object);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->records);
  g_clear_object (&self->fields);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (insp_page_view_parent_class)->dispose (object);
}

static void
insp_page_view_class_init (InspPageViewClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_page_view_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
make_bytes (const char *name, GtkTextBuffer **buffer)
{
  GtkWidget *view = gtk_text_view_new (), *scroller = gtk_scrolled_window_new ();
  gtk_text_view_set_editable (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_monospace (GTK_TEXT_VIEW (view), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_widget_add_css_class (view, "insp-value");
  *buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (view));
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroller), HEIGHT);
  return scroller;
}

static void
insp_page_view_init (InspPageView *self)
{
  GtkWidget *stack = gtk_stack_new (), *switcher = gtk_stack_switcher_new ();
  self->segment = self->number = G_MAXUINT64;
  self->records = insp_row_list_new (identify_record, (GDestroyNotify) ldb_page_record_free);
  self->fields = insp_row_list_new (identify_field, (GDestroyNotify) ldb_page_field_free);
  self->facts = INSP_FACTS (insp_facts_new ());
  gtk_stack_add_titled (GTK_STACK (stack), make_records (self), "records", _ ("Records"));
  gtk_stack_add_titled (GTK_STACK (stack), make_fields (self), "fields", _ ("Fields"));
  gtk_stack_add_titled (GTK_STACK (stack), make_bytes (_ ("Decoded bytes"), &self->decoded),
                        "decoded", _ ("Bytes"));
  gtk_stack_add_titled (GTK_STACK (stack), make_bytes (_ ("Stored bytes"), &self->stored), "stored",
                        _ ("As Stored"));
  gtk_stack_switcher_set_stack (GTK_STACK_SWITCHER (switcher), GTK_STACK (stack));
  gtk_widget_set_halign (switcher, GTK_ALIGN_START);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->facts));
  gtk_box_append (GTK_BOX (self->box), switcher);
  gtk_box_append (GTK_BOX (self->box), stack);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_page_view_new (InspSession *session)
{
  InspPageView *self = g_object_new (INSP_TYPE_PAGE_VIEW, NULL);
  self->session = g_object_ref (session);
  return GTK_WIDGET (self);
}
