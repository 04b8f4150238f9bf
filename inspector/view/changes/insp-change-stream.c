/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   F1  There is a subscription, or one is asked for, exactly while the stream is mapped and the
 *       session is live and looks.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-bytes.h"
#include "insp-change-log.h"
#include "insp-change-stream.h"
#include "insp-diff.h"
#include "insp-difference.h"
#include "insp-export.h"
#include "insp-flow.h"
#include "insp-key-text.h"
#include "insp-page.h"
#include "insp-plot.h"
#include "insp-subscription.h"
#include "insp-table.h"

#define INTERVAL 500u /* milliseconds that changes gather: more often is more than anybody reads */
#define VALUE_LIMIT 80u /* bytes of a value in a row */

struct _InspChangeStream
{
  GtkWidget parent_instance;

  InspSession *session;           /* owned */
  InspChangeLog *log;             /* owned */
  InspSubscription *subscription; /* F1; owned */
  char *text;                     /* what is searched for, casefolded; NULL: nothing; owned */
  GtkCustomFilter *filter;        /* owned by the model; likewise below */
  GListModel *shown;
  GtkWidget *box; /* child */
  GtkWidget *search;
  GtkWidget *pause;
  GtkWidget *step;
  GtkWidget *export;
  InspTable *table;
  GtkWidget *difference;
};

G_DEFINE_FINAL_TYPE (InspChangeStream, insp_change_stream, GTK_TYPE_WIDGET)

/* ---- following ---- */

static void
on_changed (InspChangeStream *self, LdbChangeSet *changes)
{
  g_autoptr (GPtrArray) list = ldb_change_set_list (changes);
  insp_change_log_add (self->log, list, g_get_real_time ());
}

static void
on_begun (InspChangeStream *self, const GError *error)
{
  insp_page_tell_from (self, error);
}

static void
review_following (InspChangeStream *self) /* F1 */
{
  gboolean wanted = gtk_widget_get_mapped (GTK_WIDGET (self))
                    && insp_session_get_looking (self->session)
                    && insp_session_get_state (self->session) == INSP_SESSION_LIVE;
  gboolean follows = insp_subscription_is_active (self->subscription);
  if (wanted && !follows)
    insp_subscription_begin (self->subscription, "*", NULL,
                             LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES | LDB_WATCH_UNCHANGED,
                             INTERVAL);
  else if (!wanted && follows)
    insp_subscription_end (self->subscription);
}

static void
insp_change_stream_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_change_stream_parent_class)->map (widget);
  review_following (INSP_CHANGE_STREAM (widget));
}

static void
insp_change_stream_unmap (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_change_stream_parent_class)->unmap (widget);
  review_following (INSP_CHANGE_STREAM (widget));
}

/* ---- columns ---- */

static LdbChange *
change_of (gconstpointer contents)
{
  return ((const InspChangeEntry *) contents)->change;
}

static char *
format_time (gconstpointer contents, gpointer data)
{
  return insp_plot_format_clock (((const InspChangeEntry *) contents)->time);
}

static char *
format_commit (gconstpointer contents, gpointer data)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, ldb_change_get_sequence (change_of (contents)));
}

static char *
format_kind (gconstpointer contents, gpointer data)
{
  return g_strdup (insp_change_kind_name (ldb_change_get_kind (change_of (contents))));
}

static char *
format_store (gconstpointer contents, gpointer data)
{
  const char *store = ldb_change_get_store (change_of (contents));
  return g_strdup (store != NULL ? store : "–");
}

static char *
format_key (gconstpointer contents, gpointer data)
{
  GBytes *key = ldb_change_get_key (change_of (contents));
  return insp_key_text_of (key, key != NULL ? g_bytes_get_size (key) : 0);
}

static char *
format_value (gconstpointer contents, gpointer data)
{
  GBytes *value = ldb_change_get_value (change_of (contents));
  return value != NULL ? insp_bytes_escape (value, VALUE_LIMIT) : g_strdup ("–");
}

/* ---- what is shown ---- */

static gboolean
is_shown (gpointer row, gpointer stream)
{
  InspChangeStream *self = stream;
  if (self->text == NULL)
    return TRUE;
  g_autofree char *key = format_key (insp_row_get (row), NULL);
  g_autofree char *value = format_value (insp_row_get (row), NULL);
  g_autofree char *store = format_store (insp_row_get (row), NULL);
  g_autofree char *all = g_strconcat (key, " ", value, " ", store, NULL);
  g_autofree char *folded = g_utf8_casefold (all, -1);
  return strstr (folded, self->text) != NULL;
}

static void
review (InspChangeStream *self)
{
  gboolean paused = insp_change_log_get_paused (self->log);
  guint waiting = insp_change_log_get_waiting (self->log);
  g_autofree char *step
      = waiting > 0 ? g_strdup_printf (_ ("Step (%u)"), waiting) : g_strdup (_ ("Step"));
  gtk_button_set_label (GTK_BUTTON (self->step), step);
  gtk_widget_set_sensitive (self->step, paused && waiting > 0);
  gtk_widget_set_sensitive (self->export, g_list_model_get_n_items (self->shown) > 0);
}

static void
on_search (InspChangeStream *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search));
  g_free (self->text);
  self->text = text[0] != '\0' ? g_utf8_casefold (text, -1) : NULL;
  gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  insp_table_set_empty (self->table,
                        self->text != NULL
                            ? _ ("No change is like that.")
                            : _ ("Nothing has been committed since this page was opened."));
  review (self);
}

static void
on_pause (InspChangeStream *self)
{
  insp_change_log_set_paused (self->log,
                              gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (self->pause)));
}

static void
on_step (InspChangeStream *self)
{
  insp_change_log_step (self->log);
}

static void
on_selected (InspChangeStream *self)
{
  const InspChangeEntry *entry = insp_table_get_selected (self->table);
  gtk_widget_set_visible (self->difference, entry != NULL);
  if (entry == NULL)
    return;
  g_autoptr (GPtrArray) lines = insp_diff_compare_values (ldb_change_get_old_value (entry->change),
                                                          ldb_change_get_value (entry->change));
  insp_difference_show (self->difference, lines);
}

void
insp_change_stream_focus_search (InspChangeStream *self)
{
  gtk_widget_grab_focus (self->search);
}

/* ---- a file ---- */

/* The oldest first, as they were committed. */
static GBytes *
to_file (gpointer widget, const char *name)
{
  InspChangeStream *self = widget;
  if (g_str_has_suffix (name, ".csv") || g_str_has_suffix (name, ".json"))
    return insp_export_tables (gtk_widget_get_ancestor (widget, INSP_TYPE_PAGE), name);
  GString *text = g_string_new (NULL);
  for (guint i = g_list_model_get_n_items (self->shown); i > 0; i--)
    {
      g_autoptr (InspRow) row = g_list_model_get_item (self->shown, i - 1);
      g_autofree char *line = insp_change_entry_to_json (insp_row_get (row));
      g_string_append_printf (text, "%s\n", line);
    }
  return g_string_free_to_bytes (text);
}

void
insp_change_stream_export (InspChangeStream *self)
{
  insp_export_ask (GTK_WIDGET (self), _ ("Export Changes"), "changes.jsonl", to_file);
}

/* ---- the object ---- */

static void
insp_change_stream_dispose (GObject *object)
{
  InspChangeStream *self = INSP_CHANGE_STREAM (object);
  if (self->subscription != NULL)
    insp_subscription_end (self->subscription);
  g_clear_object (&self->subscription);
  if (self->box != NULL)
    gtk_custom_filter_set_filter_func (self->filter, NULL, NULL, NULL);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->log);
  g_clear_object (&self->session);
  g_clear_pointer (&self->text, g_free);
  G_OBJECT_CLASS (insp_change_stream_parent_class)->dispose (object);
}

static void
insp_change_stream_class_init (InspChangeStreamClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_change_stream_dispose;
  widget_class->map = insp_change_stream_map;
  widget_class->unmap = insp_change_stream_unmap;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
make_toolbar (InspChangeStream *self)
{
  GtkWidget *flow = insp_flow_new (2, 6), *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->search = gtk_search_entry_new ();
  g_object_set (self->search, "placeholder-text", _ ("Search changes"), NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->search), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Search changes"), -1);
  g_signal_connect_swapped (self->search, "search-changed", G_CALLBACK (on_search), self);
  self->pause = gtk_toggle_button_new_with_label (_ ("Hold"));
  gtk_widget_set_tooltip_text (self->pause, _ ("Changes wait, and come in step by step"));
  g_signal_connect_swapped (self->pause, "toggled", G_CALLBACK (on_pause), self);
  self->step = gtk_button_new ();
  g_signal_connect_swapped (self->step, "clicked", G_CALLBACK (on_step), self);
  self->export = gtk_button_new_with_label (_ ("Export…"));
  g_signal_connect_swapped (self->export, "clicked", G_CALLBACK (insp_change_stream_export), self);
  gtk_widget_set_halign (buttons, GTK_ALIGN_END);
  gtk_box_append (GTK_BOX (buttons), self->pause);
  gtk_box_append (GTK_BOX (buttons), self->step);
  gtk_box_append (GTK_BOX (buttons), self->export);
  insp_flow_add (flow, self->search);
  insp_flow_add (flow, buttons);
  return flow;
}

static void
make_table (InspChangeStream *self)
{
  self->table = INSP_TABLE (
      insp_table_new (_ ("Changes"), _ ("Nothing has been committed since this page was opened."),
                      g_object_ref (self->shown)));
  insp_table_set_heights (self->table, 240, 320);
  insp_table_show_first (self->table);
  insp_table_add_column (self->table, _ ("Time"), INSP_TABLE_TEXT, format_time, NULL);
  insp_table_add_column (self->table, _ ("Commit"), INSP_TABLE_NUMBER, format_commit, NULL);
  insp_table_add_column (self->table, _ ("Change"), INSP_TABLE_TEXT, format_kind, NULL);
  insp_table_add_column (self->table, _ ("Store"), INSP_TABLE_TEXT, format_store, NULL);
  insp_table_add_column (self->table, _ ("Key"), INSP_TABLE_WIDE, format_key, NULL);
  insp_table_add_column (self->table, _ ("Value"), INSP_TABLE_WIDE, format_value, NULL);
  g_signal_connect_object (self->table, "selected", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
}

static void
insp_change_stream_init (InspChangeStream *self)
{
  self->log = insp_change_log_new ();
  self->filter = gtk_custom_filter_new (is_shown, self, NULL);
  self->shown = G_LIST_MODEL (
      gtk_filter_list_model_new (g_object_ref (G_LIST_MODEL (insp_change_log_get_list (self->log))),
                                 GTK_FILTER (self->filter)));
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_box_append (GTK_BOX (self->box), make_toolbar (self));
  make_table (self);
  g_object_unref (self->shown); /* the table has it */
  self->difference = insp_difference_new (_ ("Difference"));
  gtk_widget_set_visible (self->difference, FALSE);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->table));
  gtk_box_append (GTK_BOX (self->box), self->difference);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  g_signal_connect_object (self->log, "changed", G_CALLBACK (review), self, G_CONNECT_SWAPPED);
  review (self);
}

GtkWidget *
insp_change_stream_new (InspSession *session)
{
  InspChangeStream *self = g_object_new (INSP_TYPE_CHANGE_STREAM, NULL);
  self->session = g_object_ref (session);
  self->subscription = insp_subscription_new (session);
  g_signal_connect_object (self->subscription, "begun", G_CALLBACK (on_begun), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->subscription, "changed", G_CALLBACK (on_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "notify::state", G_CALLBACK (review_following), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "notify::looking", G_CALLBACK (review_following), self,
                           G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
