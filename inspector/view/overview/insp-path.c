/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-figure.h"
#include "insp-flow.h"
#include "insp-path.h"

struct _InspPath
{
  GtkWidget parent_instance;

  GtkWidget *title; /* child */
  GtkWidget *steps; /* child */
};

G_DEFINE_FINAL_TYPE (InspPath, insp_path, GTK_TYPE_WIDGET)

typedef enum
{
  FIGURE_RATE,
  FIGURE_BYTES, /* a second */
  FIGURE_MEAN,
  FIGURE_VALUE,
} FigureKind;

typedef struct
{
  FigureKind kind;
  const char *title;
  const char *names;
  const char *counts; /* of a mean */
} Figure;

typedef struct
{
  const char *title;
  const char *text; /* what is done there */
  Figure figures[2];
} Step;

static const Step reads[] = {
  { N_ ("Visibility"),
    N_ ("Which commits a lookup sees: it takes the newest view of the database, or its "
        "snapshot's."),
    { { FIGURE_RATE, N_ ("lookups"), INSP_LOOKUPS },
      { FIGURE_MEAN, N_ ("mean"), "step_visibility_time", "step_visibility" } } },
  { N_ ("Memory tables"),
    N_ ("Records that were written or read lately are found here, without a file."),
    { { FIGURE_RATE, N_ ("found"), "gets_hot gets_memtable" },
      { FIGURE_MEAN, N_ ("mean"), "step_memtables_time step_hot_records_time", "samples" } } },
  { N_ ("Filter and index"),
    N_ ("A filter rules out segments that cannot have the key; the index leads to its leaf."),
    { { FIGURE_RATE, N_ ("ruled out"), "filters_excluded" },
      { FIGURE_MEAN, N_ ("mean"), "step_filter_time step_index_time", "samples" } } },
  { N_ ("Page"),
    N_ ("The leaf's page comes from the page cache, else from its file."),
    { { FIGURE_BYTES, N_ ("read"), "page_bytes_read" },
      { FIGURE_MEAN, N_ ("mean"), "step_page_time", "step_page" } } },
  { N_ ("Leaf"),
    N_ ("The record is found in its leaf, and the value is handed out."),
    { { FIGURE_RATE, N_ ("found"), "gets_run" },
      { FIGURE_MEAN, N_ ("mean"), "step_leaf_time step_copy_time", "samples" } } },
};

static const Step writes[] = {
  { N_ ("Validation"),
    N_ ("Whether anything changed that a transaction depends on."),
    { { FIGURE_RATE, N_ ("conflicts"), "conflicts" },
      { FIGURE_MEAN, N_ ("mean"), "step_validate_time", "step_validate" } } },
  { N_ ("Log"),
    N_ ("The commit is appended to the write-ahead log: from here on it survives a kill."),
    { { FIGURE_BYTES, N_ ("appended"), "log_bytes" },
      { FIGURE_MEAN, N_ ("mean"), "step_log_append_time", "step_log_append" } } },
  { N_ ("Memory table"),
    N_ ("Records go into the memory table, sorted, where reads find them."),
    { { FIGURE_RATE, N_ ("records"), INSP_WRITES },
      { FIGURE_MEAN, N_ ("mean"), "step_insert_time", "step_insert" } } },
  { N_ ("Flush"),
    N_ ("A full memory table becomes a sorted run of files."),
    { { FIGURE_BYTES, N_ ("written"), "flush_bytes" },
      { FIGURE_VALUE, N_ ("waiting"), "frozen_memtables" } } },
  { N_ ("Merge"),
    N_ ("Runs are merged until one is left, which makes reads short."),
    { { FIGURE_BYTES, N_ ("written"), "merge_bytes_written" },
      { FIGURE_VALUE, N_ ("runs"), "runs" } } },
};

static InspSeries *
series_of (InspHistory *history, const Figure *figure)
{
  const char *title = _ (figure->title);
  switch (figure->kind)
    {
    case FIGURE_RATE:
      return insp_series_new_rate (history, title, INSP_UNIT_PER_SECOND, figure->names);
    case FIGURE_BYTES:
      return insp_series_new_rate (history, title, INSP_UNIT_BYTES_PER_SECOND, figure->names);
    case FIGURE_MEAN:
      return insp_series_new_mean (history, title, INSP_UNIT_NANOSECONDS, figure->names,
                                   figure->counts);
    case FIGURE_VALUE:
      return insp_series_new_value (history, title, INSP_UNIT_COUNT, figure->names);
    default:
      g_assert_not_reached ();
    }
}

static GtkWidget *
make_step (InspHistory *history, const Step *step, guint number)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *title = gtk_label_new (NULL);
  GtkWidget *figures = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  /* Translators: a step of reading or writing: its number and its name */
  g_autofree char *text = g_strdup_printf (_ ("%u. %s"), number, _ (step->title));
  gtk_label_set_text (GTK_LABEL (title), text);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_widget_add_css_class (title, "caption-heading");
  gtk_widget_add_css_class (box, "insp-step");
  gtk_widget_set_tooltip_text (box, _ (step->text));
  gtk_box_append (GTK_BOX (box), title);
  for (guint i = 0; i < G_N_ELEMENTS (step->figures); i++)
    gtk_box_append (GTK_BOX (figures),
                    insp_figure_new (series_of (history, &step->figures[i]), FALSE));
  gtk_box_append (GTK_BOX (box), figures);
  return box;
}

static void
insp_path_dispose (GObject *object)
{
  InspPath *self = INSP_PATH (object);
  g_clear_pointer (&self->title, gtk_widget_unparent);
  g_clear_pointer (&self->steps, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_path_parent_class)->dispose (object);
}

static void
insp_path_class_init (InspPathClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_path_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "insp-card");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
insp_path_init (InspPath *self)
{
  GtkLayoutManager *layout = gtk_widget_get_layout_manager (GTK_WIDGET (self));
  gtk_orientable_set_orientation (GTK_ORIENTABLE (layout), GTK_ORIENTATION_VERTICAL);
  gtk_box_layout_set_spacing (GTK_BOX_LAYOUT (layout), 12);
  self->title = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->title), 0);
  gtk_widget_add_css_class (self->title, "heading");
  self->steps = insp_flow_new_even (2, G_N_ELEMENTS (reads), 6);
  gtk_widget_set_parent (self->title, GTK_WIDGET (self));
  gtk_widget_set_parent (self->steps, GTK_WIDGET (self));
}

static GtkWidget *
path_new (InspHistory *history, const char *title, const Step *steps, guint count)
{
  InspPath *self = g_object_new (INSP_TYPE_PATH, NULL);
  gtk_label_set_text (GTK_LABEL (self->title), title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  for (guint i = 0; i < count; i++)
    insp_flow_add (self->steps, make_step (history, &steps[i], i + 1));
  return GTK_WIDGET (self);
}

GtkWidget *
insp_path_new_for_reads (InspHistory *history)
{
  return path_new (history, _ ("What a Read Does"), reads, G_N_ELEMENTS (reads));
}

GtkWidget *
insp_path_new_for_writes (InspHistory *history)
{
  return path_new (history, _ ("What a Write Does"), writes, G_N_ELEMENTS (writes));
}
