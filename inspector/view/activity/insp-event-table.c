/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-event-table.h"
#include "insp-key-text.h"
#include "insp-plot.h"
#include "insp-table.h"
#include "insp-unit.h"

struct _InspEventTable
{
  GtkWidget parent_instance;

  GtkCustomFilter *filter; /* owned by the table's model */
  InspTable *table;        /* child */
  gboolean of_work;
  int kind;   /* -1: all */
  char *text; /* casefolded; NULL: any; owned */
};

G_DEFINE_FINAL_TYPE (InspEventTable, insp_event_table, GTK_TYPE_WIDGET)

/* ---- columns ---- */

static char *
format_time (gconstpointer contents, gpointer data)
{
  return insp_plot_format_clock (((const LdbEvent *) contents)->time);
}

static char *
format_begin (gconstpointer contents, gpointer data)
{
  gint64 from, to;
  insp_event_get_span (contents, &from, &to);
  return insp_plot_format_clock (from);
}

static char *
format_kind (gconstpointer contents, gpointer data)
{
  return g_strdup (insp_event_name (((const LdbEvent *) contents)->kind));
}

static char *
format_text (gconstpointer contents, gpointer data)
{
  return ldb_event_describe (contents);
}

static char *
format_key (gconstpointer contents, gpointer data)
{
  const LdbEvent *event = contents;
  return insp_key_text_of (event->key, event->key_length);
}

static char *
format_duration (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_NANOSECONDS, (double) ((const LdbEvent *) contents)->duration);
}

static char *
format_size (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_BYTES, (double) ((const LdbEvent *) contents)->size);
}

static char *
format_size_read (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_BYTES, (double) ((const LdbEvent *) contents)->size_read);
}

/* ---- which are shown ---- */

static gboolean
is_shown (gpointer row, gpointer data)
{
  InspEventTable *self = data;
  const LdbEvent *event = insp_row_get (row);
  if ((self->of_work && !insp_event_is_work (event->kind))
      || (self->kind >= 0 && event->kind != (LdbEventKind) self->kind))
    return FALSE;
  if (self->text == NULL)
    return TRUE;
  g_autofree char *text = ldb_event_describe (event);
  g_autofree char *key = format_key (event, NULL);
  g_autofree char *all = g_strconcat (insp_event_name (event->kind), " ", text, " ", key, NULL);
  g_autofree char *folded = g_utf8_casefold (all, -1);
  return strstr (folded, self->text) != NULL;
}

static void
filter_anew (InspEventTable *self)
{
  gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  insp_table_set_empty (self->table, self->text != NULL || self->kind >= 0
                                         ? _ ("No event is like that.")
                                         : _ ("Nothing has happened yet: no flush, merge, stall, "
                                              "conflict or failure."));
}

void
insp_event_table_set_kind (InspEventTable *self, int kind)
{
  self->kind = kind;
  filter_anew (self);
}

void
insp_event_table_set_text (InspEventTable *self, const char *text)
{
  g_free (self->text);
  self->text = text != NULL && text[0] != '\0' ? g_utf8_casefold (text, -1) : NULL;
  filter_anew (self);
}

char *
insp_event_table_get_cell (InspEventTable *self, guint row, guint column)
{
  return insp_table_get_cell (self->table, row, column);
}

/* ---- the object ---- */

static void
insp_event_table_dispose (GObject *object)
{
  InspEventTable *self = INSP_EVENT_TABLE (object);
  if (self->table != NULL)
    gtk_custom_filter_set_filter_func (self->filter, NULL, NULL, NULL);
  g_clear_pointer ((GtkWidget **) &self->table, gtk_widget_unparent);
  g_clear_pointer (&self->text, g_free);
  G_OBJECT_CLASS (insp_event_table_parent_class)->dispose (object);
}

static void
insp_event_table_class_init (InspEventTableClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_event_table_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_event_table_init (InspEventTable *self)
{
  self->kind = -1;
}

static InspEventTable *
table_new (InspEventLog *log, const char *title, gboolean of_work)
{
  InspEventTable *self = g_object_new (INSP_TYPE_EVENT_TABLE, NULL);
  self->of_work = of_work;
  self->filter = gtk_custom_filter_new (is_shown, self, NULL);
  GListModel *list = G_LIST_MODEL (insp_event_log_get_list (log));
  GListModel *shown
      = G_LIST_MODEL (gtk_filter_list_model_new (g_object_ref (list), GTK_FILTER (self->filter)));
  self->table = INSP_TABLE (insp_table_new (title, "", shown));
  gtk_widget_set_parent (GTK_WIDGET (self->table), GTK_WIDGET (self));
  filter_anew (self);
  return self;
}

GtkWidget *
insp_event_table_new (InspEventLog *log)
{
  InspEventTable *self = table_new (log, _ ("Events"), FALSE);
  insp_table_add_column (self->table, _ ("Time"), INSP_TABLE_TEXT, format_time, NULL);
  insp_table_add_column (self->table, _ ("Event"), INSP_TABLE_TEXT, format_kind, NULL);
  insp_table_add_column (self->table, _ ("What Happened"), INSP_TABLE_WIDE, format_text, NULL);
  insp_table_add_column (self->table, _ ("Key"), INSP_TABLE_TEXT, format_key, NULL);
  return GTK_WIDGET (self);
}

GtkWidget *
insp_event_table_new_of_work (InspEventLog *log)
{
  InspEventTable *self = table_new (log, _ ("Jobs"), TRUE);
  insp_table_add_column (self->table, _ ("Job"), INSP_TABLE_WIDE, format_kind, NULL);
  /* Translators: the columns of a table of jobs: when one began, and ended */
  insp_table_add_column (self->table, _ ("Began"), INSP_TABLE_NUMBER, format_begin, NULL);
  insp_table_add_column (self->table, _ ("Ended"), INSP_TABLE_NUMBER, format_time, NULL);
  insp_table_add_column (self->table, _ ("Duration"), INSP_TABLE_NUMBER, format_duration, NULL);
  insp_table_add_column (self->table, _ ("Read"), INSP_TABLE_NUMBER, format_size_read, NULL);
  insp_table_add_column (self->table, _ ("Written"), INSP_TABLE_NUMBER, format_size, NULL);
  return GTK_WIDGET (self);
}
