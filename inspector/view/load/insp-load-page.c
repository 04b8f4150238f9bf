/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "insp-chart-card.h"
#include "insp-choice.h"
#include "insp-export.h"
#include "insp-flow.h"
#include "insp-load-form.h"
#include "insp-load-page.h"
#include "insp-load-records.h"
#include "insp-load-table.h"
#include "insp-load-test.h"
#include "insp-sentence.h"
#include "insp-status.h"
#include "insp-table.h"

#define LISTED 32 /* characters of a title where one is chosen */
#define AXIS_MOST ((gint64) INSP_LOAD_SECONDS_MOST * G_USEC_PER_SEC)

struct _InspLoadPage
{
  InspPage parent_instance;

  InspLoadTest *test;       /* owned */
  InspLoadRecords *records; /* owned */
  InspAxis *axis;           /* of its charts; owned */
  gint64 shown;             /* the time of the run whose figures are shown; 0: none */
  GtkWidget *form;
  GtkWidget *button;     /* that starts and stops */
  GtkWidget *progress;   /* a bar */
  GtkWidget *phase;      /* a label: what is done now */
  GtkWidget *results;    /* a stack of what is said and what is shown */
  InspStatus *status;    /* in it; likewise below */
  GtkWidget *charts;     /* a flow of two cards, of the last test */
  GtkWidget *title;      /* of the run whose figures are shown */
  GtkWidget *comparison; /* a drop-down of runs */
  InspLoadTable *figures;
  InspTable *history;
  GtkWidget *remove; /* a button; likewise below */
  GtkWidget *export;
};

G_DEFINE_FINAL_TYPE (InspLoadPage, insp_load_page, INSP_TYPE_PAGE)

/* ---- figures ---- */

static const InspLoadRun *
compared (InspLoadPage *self)
{
  guint position = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->comparison));
  g_autoptr (GPtrArray) runs = insp_load_records_list (self->records);
  return position > 0 && position <= runs->len ? runs->pdata[position - 1] : NULL;
}

static void
show_figures (InspLoadPage *self)
{
  const InspLoadRun *run = insp_load_records_find (self->records, self->shown);
  g_autofree char *title = run != NULL ? insp_load_run_title (run) : g_strdup ("");
  gtk_label_set_text (GTK_LABEL (self->title), title);
  insp_load_table_set (self->figures, run, compared (self));
}

/* What can be compared is what was made; the choice stays where it was. */
static void
list_comparisons (InspLoadPage *self)
{
  const InspLoadRun *before = compared (self);
  gint64 time = before != NULL ? before->time : 0;
  g_autoptr (GPtrArray) runs = insp_load_records_list (self->records);
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  guint selected = 0;
  gtk_string_list_append (titles, _ ("Nothing"));
  for (guint i = 0; i < runs->len; i++)
    {
      const InspLoadRun *run = runs->pdata[i];
      g_autofree char *title = insp_load_run_title (run);
      gtk_string_list_append (titles, title);
      if (run->time == time)
        selected = i + 1;
    }
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->comparison), G_LIST_MODEL (titles));
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->comparison), selected);
}

static void
show_run (InspLoadPage *self, gint64 time)
{
  self->shown = time;
  gtk_stack_set_visible_child_name (GTK_STACK (self->results), "figures");
  show_figures (self);
}

/* ---- the charts of a test ---- */

static void
add_line (GtkWidget *card, InspSeries *series)
{
  insp_chart_card_add (INSP_CHART_CARD (card), series);
  g_object_unref (series);
}

/* Of the kinds that the test does. */
static void
make_charts (InspLoadPage *self)
{
  const InspLoadPlan *plan = insp_load_test_get_plan (self->test);
  InspHistory *history = insp_load_test_get_history (self->test);
  GtkWidget *rates = insp_chart_card_new (_ ("Operations"), self->axis);
  GtkWidget *times = insp_chart_card_new (_ ("Latency, 99 %"), self->axis);
  insp_flow_remove_all (self->charts);
  for (guint i = 0; i < MIX_KINDS; i++)
    {
      const char *id = mix_kind_names[i].id;
      const char *name = insp_load_kind_name ((enum mix_kind) i);
      g_autofree char *histogram = g_strconcat (id, "_time", NULL);
      if (plan->shares[i] == 0)
        continue;
      add_line (rates, insp_series_new_rate (history, name, INSP_UNIT_PER_SECOND, id));
      add_line (times, insp_series_new_percentile (history, name, histogram, 0.99));
    }
  insp_flow_add (self->charts, rates);
  insp_flow_add (self->charts, times);
  gtk_widget_set_visible (self->charts, TRUE);
  insp_axis_reset (self->axis);
  insp_axis_zoom (self->axis,
                  (double) plan->seconds * G_USEC_PER_SEC / (double) INSP_AXIS_SPAN_USUAL, 0);
}

/* ---- a test ---- */

static char *
describe_phase (InspLoadPage *self)
{
  double progress = insp_load_test_get_progress (self->test);
  g_autofree char *share = insp_unit_format (INSP_UNIT_SHARE, progress);
  g_autofree char *count = insp_unit_format (INSP_UNIT_COUNT, progress);
  switch (insp_load_test_get_phase (self->test))
    {
    case INSP_LOAD_COPYING:
      /* Translators: how many records of the database were copied */
      return g_strdup_printf (_ ("Copying the database: %s records"), count);
    case INSP_LOAD_FILLING:
      /* Translators: which share of the load's own records was written */
      return g_strdup_printf (_ ("Filling in records: %s"), share);
    case INSP_LOAD_RUNNING:
      /* Translators: which share of its time has passed */
      return g_strdup_printf (_ ("Working: %s"), share);
    case INSP_LOAD_CLEANING:
      return g_strdup (_ ("Removing the scratch database"));
    default:
      return g_strdup ("");
    }
}

static void
review (InspLoadPage *self)
{
  InspLoadPhase phase = insp_load_test_get_phase (self->test);
  gboolean working = phase > INSP_LOAD_IDLE && phase < INSP_LOAD_CLEANING;
  gboolean idle = phase == INSP_LOAD_IDLE || phase == INSP_LOAD_DONE;
  g_autofree char *text = describe_phase (self);
  InspHistory *history = insp_load_test_get_history (self->test);
  guint64 end = insp_history_get_end (history);
  gtk_button_set_label (GTK_BUTTON (self->button), working ? _ ("Stop") : _ ("Start"));
  if (working)
    gtk_widget_remove_css_class (self->button, "suggested-action");
  else
    gtk_widget_add_css_class (self->button, "suggested-action");
  gtk_widget_set_sensitive (self->button, working || idle);
  insp_load_form_set_open (INSP_LOAD_FORM (self->form), idle);
  gtk_label_set_text (GTK_LABEL (self->phase), text);
  gtk_widget_set_visible (self->progress, phase == INSP_LOAD_FILLING || phase == INSP_LOAD_RUNNING);
  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (self->progress),
                                 CLAMP (insp_load_test_get_progress (self->test), 0, 1));
  if (end > insp_history_get_first (history))
    insp_axis_set_now (self->axis, insp_history_get_time (history, end - 1));
}

static void
say (InspLoadPage *self, const char *icon, const char *title, const char *text)
{
  insp_status_say (self->status, icon, title, text);
  gtk_stack_set_visible_child_name (GTK_STACK (self->results), "status");
}

static void
tell_wrong (InspLoadPage *self, guint64 wrong)
{
  const char *first = insp_load_test_get_wrong (self->test);
  g_autofree char *text = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%u value was not what had been written. The first: %s",
                   "%u values were not what had been written. The first: %s", (gulong) wrong),
      (guint) MIN (wrong, G_MAXUINT), first != NULL ? first : "–");
  insp_page_say (INSP_PAGE (self), text);
}

static void
keep_run (InspLoadPage *self, InspLoadRun *run)
{
  g_autoptr (GError) error = NULL;
  guint64 wrong = run->wrong;
  if (!insp_load_records_add (self->records, run, &error))
    insp_page_tell (INSP_PAGE (self), error);
  list_comparisons (self);
  insp_table_unselect (self->history);
  show_run (self, run->time);
  if (wrong > 0)
    tell_wrong (self, wrong);
}

static void
on_ended (InspLoadPage *self)
{
  const GError *error = insp_load_test_get_error (self->test);
  InspLoadRun *run = insp_load_test_take_run (self->test);
  gtk_widget_set_visible (self->charts, run != NULL);
  if (run != NULL)
    keep_run (self, run);
  else if (error != NULL)
    say (self, "dialog-error-symbolic", _ ("The Load Test Failed"), error->message);
  else
    say (self, "media-playback-stop-symbolic", _ ("The Load Test Was Stopped"),
         _ ("It ended before anything was measured."));
  review (self);
}

static void
begin (InspLoadPage *self)
{
  InspLoadPlan plan;
  InspSession *session = insp_page_get_session (INSP_PAGE (self));
  insp_load_form_get_plan (INSP_LOAD_FORM (self->form), &plan);
  const char *reason = insp_load_plan_check (&plan);
  insp_page_say (INSP_PAGE (self), reason);
  if (reason != NULL)
    return;
  gboolean copies = insp_load_form_get_copies (INSP_LOAD_FORM (self->form));
  insp_load_test_start (self->test, &plan, copies ? insp_session_get_path (session) : NULL);
  make_charts (self);
  insp_status_wait (self->status, _ ("The Load Test Is Under Way"),
                    _ ("Its figures are here when it has ended."));
  gtk_stack_set_visible_child_name (GTK_STACK (self->results), "status");
}

static void
on_button (InspLoadPage *self)
{
  InspLoadPhase phase = insp_load_test_get_phase (self->test);
  if (phase == INSP_LOAD_IDLE || phase == INSP_LOAD_DONE)
    begin (self);
  else
    insp_load_test_stop (self->test);
}

/* ---- those that were made ---- */

static void
on_selected (InspLoadPage *self)
{
  const InspLoadRun *run = insp_table_get_selected (self->history);
  gtk_widget_set_sensitive (self->remove, run != NULL);
  if (run != NULL && run->time != self->shown)
    show_run (self, run->time);
}

static void
on_remove (InspLoadPage *self)
{
  const InspLoadRun *run = insp_table_get_selected (self->history);
  g_autoptr (GError) error = NULL;
  if (run == NULL)
    return;
  if (!insp_load_records_remove (self->records, run->time, &error))
    insp_page_tell (INSP_PAGE (self), error);
}

static void
on_records (InspLoadPage *self)
{
  GListModel *list = G_LIST_MODEL (insp_load_records_get_list (self->records));
  gtk_widget_set_sensitive (self->export, g_list_model_get_n_items (list) > 0);
  list_comparisons (self);
  show_figures (self);
}

static GBytes *
to_file (gpointer widget, const char *name)
{
  InspLoadPage *self = widget;
  g_autoptr (GPtrArray) runs = insp_load_records_list (self->records);
  g_autofree char *lower = g_ascii_strdown (name, -1);
  char *text = g_str_has_suffix (lower, ".csv") ? insp_load_runs_to_csv (runs)
                                                : insp_load_runs_to_json (runs);
  return g_bytes_new_take (text, strlen (text));
}

static void
insp_load_page_export (InspPage *page)
{
  InspLoadPage *self = INSP_LOAD_PAGE (page);
  if (gtk_widget_get_sensitive (self->export))
    insp_export_ask (GTK_WIDGET (self), _ ("Export Load Tests"), "load-tests.json", to_file);
}

static void
insp_load_page_refresh (InspPage *page)
{
  insp_load_records_read (INSP_LOAD_PAGE (page)->records);
}

static char *
format_time (gconstpointer contents, gpointer data)
{
  const InspLoadRun *run = contents;
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (run->time / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  return local != NULL ? g_date_time_format (local, "%x %X") : g_strdup ("–");
}

static char *
format_load (gconstpointer contents, gpointer data)
{
  return g_strdup (insp_load_plan_name (&((const InspLoadRun *) contents)->plan));
}

static char *
format_database (gconstpointer contents, gpointer data)
{
  const InspLoadRun *run = contents;
  g_autofree char *name = run->copy_of != NULL ? g_path_get_basename (run->copy_of) : NULL;
  g_autofree char *shown = name != NULL ? g_filename_display_name (name) : NULL;
  if (shown == NULL)
    return g_strdup (_ ("new"));
  /* Translators: of a database, by the name of its folder */
  return g_strdup_printf (_ ("copy of %s"), shown);
}

static char *
format_size (gconstpointer contents, gpointer data)
{
  const InspLoadPlan *plan = &((const InspLoadRun *) contents)->plan;
  g_autofree char *count = insp_unit_format (INSP_UNIT_COUNT, plan->records);
  g_autofree char *size = insp_unit_format (INSP_UNIT_BYTES, plan->value_size);
  /* Translators: how many records, and the size of each value */
  return g_strdup_printf (_ ("%s × %s"), count, size);
}

static char *
format_threads (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_COUNT, ((const InspLoadRun *) contents)->plan.threads);
}

static char *
format_rate (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_PER_SECOND, insp_load_run_get_rate (contents));
}

static char *
format_wrong (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_COUNT, (double) ((const InspLoadRun *) contents)->wrong);
}

/* ---- parts ---- */

static GtkWidget *
new_text (const char *text)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "dim-label");
  return label;
}

/* Whether its records can be read from here. */
static gboolean
can_copy (InspSession *session)
{
  const char *path = insp_session_get_path (session);
  return insp_session_get_state (session) != INSP_SESSION_RECORDED && path != NULL
         && access (path, R_OK | X_OK) == 0;
}

static char *
explain (InspSession *session)
{
  const char *path = insp_session_get_path (session);
  g_autofree char *shown = g_filename_display_name (path != NULL ? path : "–");
  if (can_copy (session))
    /* Translators: a folder */
    return g_strdup_printf (
        _ ("The load runs on a scratch database in the cache folder, which is removed afterwards. "
           "Nothing is written to %s; a copy is made by reading it. Each value that is read back "
           "is compared with what was written. Leaving this page stops the test."),
        shown);
  /* Translators: a folder */
  return g_strdup_printf (
      _ ("The load runs on a new scratch database in the cache folder, which is removed "
         "afterwards. No copy can be made of %s, since its folder cannot be read from here; a "
         "backup that the application made (on the page Health) can be opened, and copied, "
         "instead. "
         "Leaving this page stops the test."),
      shown);
}

static void
add_form (InspLoadPage *self, InspSession *session)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  g_autofree char *text = explain (session);
  self->form = insp_load_form_new (can_copy (session));
  self->button = gtk_button_new_with_label (_ ("Start"));
  gtk_widget_add_css_class (self->button, "suggested-action");
  g_signal_connect_swapped (self->button, "clicked", G_CALLBACK (on_button), self);
  self->phase = gtk_label_new ("");
  gtk_label_set_xalign (GTK_LABEL (self->phase), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->phase), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (self->phase, "numeric");
  gtk_widget_set_hexpand (self->phase, TRUE);
  self->progress = gtk_progress_bar_new ();
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->progress), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Progress of the load test"), -1);
  gtk_box_append (GTK_BOX (line), self->button);
  gtk_box_append (GTK_BOX (line), self->phase);
  gtk_box_append (GTK_BOX (box), new_text (text));
  gtk_box_append (GTK_BOX (box), self->form);
  gtk_box_append (GTK_BOX (box), line);
  gtk_box_append (GTK_BOX (box), self->progress);
  insp_page_add_section (INSP_PAGE (self), _ ("Load Test"), NULL, box);
}

/* `least`: characters that are shown in any case; -1: none. */
static void
set_up_title (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer least)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (label), GPOINTER_TO_INT (least));
  gtk_list_item_set_child (item, label);
}

static void
bind_title (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GtkStringObject *title = gtk_list_item_get_item (item);
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (item)),
                      gtk_string_object_get_string (title));
}

static GtkListItemFactory *
new_titles (int least)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_signal_connect (factory, "setup", G_CALLBACK (set_up_title), GINT_TO_POINTER (least));
  g_signal_connect (factory, "bind", G_CALLBACK (bind_title), NULL);
  return factory;
}

/* Of titles that are longer than a narrow window is wide. */
static GtkWidget *
new_comparison (void)
{
  GtkWidget *choice = insp_choice_new (NULL, NULL, _ ("Compared with"));
  g_autoptr (GtkListItemFactory) shown = new_titles (-1), listed = new_titles (LISTED);
  gtk_drop_down_set_factory (GTK_DROP_DOWN (choice), shown);
  gtk_drop_down_set_list_factory (GTK_DROP_DOWN (choice), listed);
  gtk_widget_set_hexpand (choice, TRUE);
  return choice;
}

static GtkWidget *
make_figures (InspLoadPage *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 9), *line = insp_flow_new (2, 9);
  GtkWidget *choice = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 9);
  self->title = gtk_label_new ("");
  gtk_label_set_xalign (GTK_LABEL (self->title), 0);
  gtk_label_set_wrap (GTK_LABEL (self->title), TRUE);
  gtk_widget_set_hexpand (self->title, TRUE);
  self->comparison = new_comparison ();
  g_signal_connect_swapped (self->comparison, "notify::selected", G_CALLBACK (show_figures), self);
  self->figures = INSP_LOAD_TABLE (insp_load_table_new ());
  gtk_box_append (GTK_BOX (choice), new_text (_ ("Compared with")));
  gtk_box_append (GTK_BOX (choice), self->comparison);
  gtk_box_append (GTK_BOX (box), self->title);
  insp_flow_add (line, choice);
  gtk_box_append (GTK_BOX (box), line);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->figures));
  return box;
}

static void
add_results (InspLoadPage *self)
{
  self->charts = insp_flow_new (2, 12);
  gtk_widget_set_visible (self->charts, FALSE);
  self->results = gtk_stack_new ();
  gtk_stack_set_vhomogeneous (GTK_STACK (self->results), FALSE);
  self->status
      = INSP_STATUS (insp_status_new ("insp-load-symbolic", _ ("No Load Test Yet"),
                                      _ ("Choose what it is to do and start it: its figures appear "
                                         "here, beside an earlier one's.")));
  gtk_stack_add_named (GTK_STACK (self->results), GTK_WIDGET (self->status), "status");
  gtk_stack_add_named (GTK_STACK (self->results), make_figures (self), "figures");
  insp_page_add (INSP_PAGE (self), self->charts);
  insp_page_add_section (INSP_PAGE (self), _ ("Result"), NULL, self->results);
}

static void
add_history (InspLoadPage *self)
{
  InspRowList *list = insp_load_records_get_list (self->records);
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *table
      = insp_table_new (_ ("Load tests"), _ ("Load tests that were made are kept here."),
                        g_object_ref (G_LIST_MODEL (list)));
  self->history = INSP_TABLE (table);
  insp_table_add_column (self->history, _ ("Time"), INSP_TABLE_TEXT, format_time, NULL);
  insp_table_add_column (self->history, _ ("Load"), INSP_TABLE_WIDE, format_load, NULL);
  insp_table_add_column (self->history, _ ("Database"), INSP_TABLE_TEXT, format_database, NULL);
  insp_table_add_column (self->history, _ ("Records"), INSP_TABLE_NUMBER, format_size, NULL);
  insp_table_add_column (self->history, _ ("Threads"), INSP_TABLE_NUMBER, format_threads, NULL);
  insp_table_add_column (self->history, _ ("Operations"), INSP_TABLE_NUMBER, format_rate, NULL);
  insp_table_add_column (self->history, _ ("Wrong Values"), INSP_TABLE_NUMBER, format_wrong, NULL);
  g_signal_connect_object (table, "selected", G_CALLBACK (on_selected), self, G_CONNECT_SWAPPED);
  self->remove = gtk_button_new_with_label (_ ("Remove"));
  gtk_widget_set_sensitive (self->remove, FALSE);
  g_signal_connect_swapped (self->remove, "clicked", G_CALLBACK (on_remove), self);
  self->export = gtk_button_new_with_label (_ ("Export…"));
  g_signal_connect_swapped (self->export, "clicked", G_CALLBACK (insp_load_page_export), self);
  gtk_box_append (GTK_BOX (buttons), self->remove);
  gtk_box_append (GTK_BOX (buttons), self->export);
  insp_page_add_section (INSP_PAGE (self), _ ("Earlier Load Tests"), buttons, table);
  g_signal_connect_object (list, "items-changed", G_CALLBACK (on_records), self, G_CONNECT_SWAPPED);
}

/* ---- the object ---- */

/* A load that nobody sees would disturb what is seen instead. */
static void
insp_load_page_unmap (GtkWidget *widget)
{
  insp_load_test_stop (INSP_LOAD_PAGE (widget)->test);
  GTK_WIDGET_CLASS (insp_load_page_parent_class)->unmap (widget);
}

static void
insp_load_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_load_page_parent_class)->map (widget);
  insp_load_records_read (INSP_LOAD_PAGE (widget)->records);
}

static void
insp_load_page_dispose (GObject *object)
{
  InspLoadPage *self = INSP_LOAD_PAGE (object);
  if (self->test != NULL)
    insp_load_test_stop (self->test);
  g_clear_object (&self->test);
  G_OBJECT_CLASS (insp_load_page_parent_class)->dispose (object);
}

static void
insp_load_page_finalize (GObject *object)
{
  InspLoadPage *self = INSP_LOAD_PAGE (object);
  g_object_unref (self->records);
  g_object_unref (self->axis);
  G_OBJECT_CLASS (insp_load_page_parent_class)->finalize (object);
}

static void
insp_load_page_class_init (InspLoadPageClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_load_page_dispose;
  G_OBJECT_CLASS (class)->finalize = insp_load_page_finalize;
  GTK_WIDGET_CLASS (class)->map = insp_load_page_map;
  GTK_WIDGET_CLASS (class)->unmap = insp_load_page_unmap;
  INSP_PAGE_CLASS (class)->refresh = insp_load_page_refresh;
  INSP_PAGE_CLASS (class)->export = insp_load_page_export;
}

static void
insp_load_page_init (InspLoadPage *self)
{
  self->test = insp_load_test_new ();
  self->records = insp_load_records_new ();
  self->axis = insp_axis_new (AXIS_MOST);
  g_signal_connect_object (self->test, "changed", G_CALLBACK (review), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->test, "ended", G_CALLBACK (on_ended), self, G_CONNECT_SWAPPED);
}

GtkWidget *
insp_load_page_new (InspSession *session)
{
  InspLoadPage *self = g_object_new (INSP_TYPE_LOAD_PAGE, "session", session, NULL);
  add_form (self, session);
  add_results (self);
  add_history (self);
  on_records (self);
  review (self);
  return GTK_WIDGET (self);
}
