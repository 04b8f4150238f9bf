/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-chart-card.h"
#include "insp-flow.h"
#include "insp-list-place.h"
#include "insp-plot.h"
#include "insp-sample-list.h"
#include "insp-swatch.h"
#include "insp-tab-stop.h"

#define TABLE_HEIGHT 220 /* pixels */
#define HEIGHT_MOST 720  /* pixels of the card: lines that are steeper are not read better */

struct _InspChartCard
{
  GtkWidget parent_instance;

  char *title;
  InspAxis *axis;      /* borrowed of the chart */
  GtkWidget *card;     /* a box; child; at the top of what room there is */
  InspChart *chart;    /* in the stack */
  GtkWidget *stack;    /* of chart and table; in the card, likewise … */
  GtkWidget *header;   /* above it */
  GtkWidget *legend;   /* below it */
  GtkWidget *toggle;   /* in the header */
  GtkWidget *table;    /* NULL: was never asked for */
  GListModel *samples; /* of the table; owned by it */
  GPtrArray *figures;  /* labels of the legend, in the order of the lines; owned by it */
};

G_DEFINE_FINAL_TYPE (InspChartCard, insp_chart_card, GTK_TYPE_WIDGET)

static InspSeries *
series_at (InspChartCard *self, guint index)
{
  g_autoptr (InspSeries) series
      = g_list_model_get_item (insp_chart_get_series (self->chart), index);
  return series; /* the chart holds it */
}

static guint
series_count (InspChartCard *self)
{
  return g_list_model_get_n_items (insp_chart_get_series (self->chart));
}

/* The sample that is pointed at, or the last one shown. FALSE: there is none. */
static gboolean
find_sample (InspChartCard *self, guint64 *number)
{
  InspHistory *history = insp_series_get_history (series_at (self, 0));
  gint64 cursor = insp_axis_get_cursor (self->axis);
  guint64 first = insp_history_get_first (history), end = insp_history_get_end (history);
  if (first == end)
    return FALSE;
  guint64 found
      = insp_history_seek (history, cursor != 0 ? cursor : insp_axis_get_end (self->axis));
  *number = MIN (found, end - 1);
  return TRUE;
}

static void
tell_figures (InspChartCard *self)
{
  guint64 number;
  gboolean points = insp_axis_get_cursor (self->axis) != 0;
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)) || series_count (self) == 0
      || !find_sample (self, &number))
    return;
  for (guint i = 0; i < series_count (self); i++)
    {
      InspSeries *series = series_at (self, i);
      double figure
          = points ? insp_series_get (series, number) : insp_series_get_recent (series, number);
      g_autofree char *text = insp_series_format (series, figure);
      gtk_label_set_text (g_ptr_array_index (self->figures, i), text);
    }
}

/* Those of the newest sample come with the history's. */
static void
on_axis (InspChartCard *self)
{
  if (!insp_axis_get_following (self->axis))
    tell_figures (self);
}

static void
add_to_legend (InspChartCard *self, InspSeries *series, guint index)
{
  GtkWidget *entry = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *name = gtk_label_new (insp_series_get_title (series));
  GtkWidget *figure = gtk_label_new ("–");
  gtk_widget_add_css_class (name, "caption");
  gtk_widget_add_css_class (figure, "caption-heading");
  gtk_widget_add_css_class (figure, "numeric");
  gtk_label_set_xalign (GTK_LABEL (figure), 0);
  gtk_label_set_width_chars (GTK_LABEL (figure), 9); /* so that nothing jumps */
  gtk_box_append (GTK_BOX (entry), insp_swatch_new (index));
  gtk_box_append (GTK_BOX (entry), name);
  gtk_box_append (GTK_BOX (entry), figure);
  insp_flow_add (self->legend, entry);
  g_ptr_array_add (self->figures, figure);
}

/* ---- the table ---- */

static char *
cell_text (InspChartCard *self, guint64 number, int index)
{
  InspHistory *history = insp_series_get_history (series_at (self, 0));
  if (index >= 0)
    {
      InspSeries *series = series_at (self, (guint) index);
      return insp_series_format (series, insp_series_get (series, number));
    }
  gint64 time = insp_history_get_time (history, number);
  return insp_plot_format_clock (insp_axis_to_clock (self->axis, time));
}

static void
on_cell_setup (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_widget_add_css_class (label, "numeric");
  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_list_item_set_child (item, label);
}

static void
on_cell_bind (GtkSignalListItemFactory *factory, GtkListItem *item, InspChartCard *self)
{
  int index = GPOINTER_TO_INT (g_object_get_data (G_OBJECT (factory), "insp-index"));
  InspSample *sample = gtk_list_item_get_item (item);
  g_autofree char *text = cell_text (self, insp_sample_get_number (sample), index);
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (item)), text);
}

/* `index` -1: the time. */
static void
add_column (InspChartCard *self, GtkColumnView *view, const char *title, int index)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_object_set_data (G_OBJECT (factory), "insp-index", GINT_TO_POINTER (index));
  g_signal_connect (factory, "setup", G_CALLBACK (on_cell_setup), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (on_cell_bind), self);
  GtkColumnViewColumn *column = gtk_column_view_column_new (title, factory);
  gtk_column_view_column_set_expand (column, TRUE);
  gtk_column_view_append_column (view, column);
  g_object_unref (column);
}

static void
make_table (InspChartCard *self)
{
  InspHistory *history = insp_series_get_history (series_at (self, 0));
  self->samples = G_LIST_MODEL (insp_sample_list_new (history, self->axis));
  GtkWidget *view
      = gtk_column_view_new (GTK_SELECTION_MODEL (gtk_no_selection_new (self->samples)));
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, self->title,
                                  -1);
  /* Translators: the column of a table: when that was */
  add_column (self, GTK_COLUMN_VIEW (view), _ ("Time"), -1);
  for (guint i = 0; i < series_count (self); i++)
    add_column (self, GTK_COLUMN_VIEW (view), insp_series_get_title (series_at (self, i)), (int) i);
  GtkWidget *scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  insp_list_place_keep (view);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroller), TABLE_HEIGHT);
  self->table = insp_tab_stop_new (scroller);
  gtk_stack_add_child (GTK_STACK (self->stack), self->table);
}

static void
on_toggled (InspChartCard *self)
{
  gboolean as_table = gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (self->toggle));
  if (as_table && self->table == NULL && series_count (self) > 0)
    make_table (self);
  gtk_stack_set_visible_child (GTK_STACK (self->stack),
                               as_table ? self->table : GTK_WIDGET (self->chart));
}

static void
add_column_of (InspSheet *sheet, InspSeries *series)
{
  static const char *const units[] = {
    [INSP_UNIT_COUNT] = "1",        [INSP_UNIT_PER_SECOND] = "1/s",
    [INSP_UNIT_BYTES] = "B",        [INSP_UNIT_BYTES_PER_SECOND] = "B/s",
    [INSP_UNIT_NANOSECONDS] = "ns", [INSP_UNIT_SHARE] = "1",
  };
  g_autofree char *title = g_strdup_printf ("%s [%s]", insp_series_get_title (series),
                                            units[insp_series_get_unit (series)]);
  insp_sheet_add_column (sheet, title);
}

static char *
format_moment (gint64 clock)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (clock / G_USEC_PER_SEC);
  g_autofree char *text
      = second != NULL && clock >= 0 ? g_date_time_format (second, "%Y-%m-%dT%H:%M:%S") : NULL;
  if (text == NULL)
    return g_strdup (""); /* of a recording that nobody's clock made */
  return g_strdup_printf ("%s.%03dZ", text, (int) (clock % G_USEC_PER_SEC / 1000));
}

InspSheet *
insp_chart_card_to_sheet (InspChartCard *self)
{
  InspSheet *sheet = insp_sheet_new (self->title);
  guint count = series_count (self);
  if (count == 0)
    return sheet;
  InspHistory *history = insp_series_get_history (series_at (self, 0));
  guint64 first = insp_history_seek (history, insp_axis_get_start (self->axis));
  guint64 end = insp_history_seek (history, insp_axis_get_end (self->axis) + 1);
  insp_sheet_add_column (sheet, _ ("Time"));
  for (guint i = 0; i < count; i++)
    add_column_of (sheet, series_at (self, i));
  for (; end > first; end--)
    {
      gint64 time = insp_history_get_time (history, end - 1);
      insp_sheet_add_text (sheet, format_moment (insp_axis_to_clock (self->axis, time)));
      for (guint i = 0; i < count; i++)
        insp_sheet_add_number (sheet, insp_series_get (series_at (self, i), end - 1));
    }
  return sheet;
}

char *
insp_chart_card_get_cell (InspChartCard *self, guint row, guint series)
{
  if (self->table == NULL)
    make_table (self);
  g_autoptr (InspSample) sample = g_list_model_get_item (self->samples, row);
  return sample != NULL ? cell_text (self, insp_sample_get_number (sample), (int) series) : NULL;
}

/* ---- the object ---- */

static void
insp_chart_card_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_chart_card_parent_class)->map (widget);
  tell_figures (INSP_CHART_CARD (widget));
}

static void
insp_chart_card_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                         int *natural, int *minimum_baseline, int *natural_baseline)
{
  gtk_widget_measure (INSP_CHART_CARD (widget)->card, orientation, for_size, minimum, natural,
                      minimum_baseline, natural_baseline);
}

static GtkSizeRequestMode
insp_chart_card_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
insp_chart_card_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  GtkWidget *card = INSP_CHART_CARD (widget)->card;
  int least;
  gtk_widget_measure (card, GTK_ORIENTATION_VERTICAL, width, &least, NULL, NULL, NULL);
  gtk_widget_allocate (card, width, MIN (height, MAX (HEIGHT_MOST, least)), baseline, NULL);
}

static void
insp_chart_card_dispose (GObject *object)
{
  InspChartCard *self = INSP_CHART_CARD (object);
  g_clear_pointer (&self->card, gtk_widget_unparent);
  g_clear_pointer (&self->figures, g_ptr_array_unref);
  g_clear_pointer (&self->title, g_free);
  G_OBJECT_CLASS (insp_chart_card_parent_class)->dispose (object);
}

static void
insp_chart_card_class_init (InspChartCardClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_chart_card_dispose;
  widget_class->map = insp_chart_card_map;
  widget_class->get_request_mode = insp_chart_card_get_request_mode;
  widget_class->measure = insp_chart_card_measure;
  widget_class->size_allocate = insp_chart_card_size_allocate;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
insp_chart_card_init (InspChartCard *self)
{
  self->card = g_object_new (GTK_TYPE_BOX, "css-name", "insp-card", "orientation",
                             GTK_ORIENTATION_VERTICAL, "spacing", 6, NULL);
  gtk_widget_set_parent (self->card, GTK_WIDGET (self));
  gtk_widget_set_vexpand (GTK_WIDGET (self), TRUE);
  self->figures = g_ptr_array_new ();
}

static void
make_header (InspChartCard *self)
{
  GtkWidget *title = gtk_label_new (self->title);
  self->header = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->toggle = gtk_toggle_button_new ();
  gtk_button_set_icon_name (GTK_BUTTON (self->toggle), "view-list-symbolic");
  gtk_widget_set_tooltip_text (self->toggle, _ ("Show as table"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->toggle), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Show as table"), -1);
  gtk_widget_add_css_class (self->toggle, "flat");
  gtk_widget_add_css_class (title, "heading");
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (title, TRUE);
  gtk_box_append (GTK_BOX (self->header), title);
  gtk_box_append (GTK_BOX (self->header), self->toggle);
  g_signal_connect_swapped (self->toggle, "toggled", G_CALLBACK (on_toggled), self);
}

GtkWidget *
insp_chart_card_new (const char *title, InspAxis *axis)
{
  InspChartCard *self = g_object_new (INSP_TYPE_CHART_CARD, NULL);
  self->title = g_strdup (title);
  self->chart = INSP_CHART (insp_chart_new (title, axis));
  self->axis = axis;
  make_header (self);
  self->stack = gtk_stack_new ();
  gtk_widget_set_vexpand (self->stack, TRUE);
  gtk_stack_add_child (GTK_STACK (self->stack), GTK_WIDGET (self->chart));
  self->legend = insp_flow_new (6, 0);
  gtk_box_append (GTK_BOX (self->card), self->header);
  gtk_box_append (GTK_BOX (self->card), self->stack);
  gtk_box_append (GTK_BOX (self->card), self->legend);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  g_signal_connect_object (axis, "changed", G_CALLBACK (on_axis), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "notify::following", G_CALLBACK (tell_figures), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "pointed", G_CALLBACK (tell_figures), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}

void
insp_chart_card_add (InspChartCard *self, InspSeries *series)
{
  guint index = series_count (self);
  if (index == 0)
    g_signal_connect_object (insp_series_get_history (series), "figures", G_CALLBACK (tell_figures),
                             self, G_CONNECT_SWAPPED);
  insp_chart_add (self->chart, series);
  add_to_legend (self, series, index);
}

InspChart *
insp_chart_card_get_chart (InspChartCard *self)
{
  return self->chart;
}
