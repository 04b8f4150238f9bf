/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-first-rows.h"
#include "insp-list-place.h"
#include "insp-tab-stop.h"
#include "insp-table.h"

#define HEIGHT_LEAST 120 /* pixels, unless it is said otherwise … */
#define HEIGHT_MOST 320
#define ROW_LEAST 16  /* pixels: no row is less high */
#define WIDE_LEAST 16 /* characters of a column that takes what room there is */

typedef struct
{
  InspTableColumn kind;
  InspTableText text;
  InspTableShow show; /* NULL: a label shows the text */
  GType widget;       /* what shows it */
  gpointer data;      /* borrowed */
} Column;

struct _InspTable
{
  GtkWidget parent_instance;

  char *title;
  GtkWidget *stop;     /* of the keyboard; child */
  GtkWidget *scroller; /* in it */
  GtkWidget *empty;    /* a label; child; one of the two is visible */
  GtkColumnView *view;
  GtkSingleSelection *selection; /* borrowed of the view */
  GPtrArray *columns;            /* Column; owned */

  InspFirstRows *first;        /* what the selection is of; NULL: all rows, always; owned */
  guint unused;                /* rows of it while nobody uses the table */
  GtkEventController *pointer; /* it looks whether it is in the table; borrowed; likewise … */
  GtkEventController *keyboard;
  guint reviewing; /* source that looks how many rows are to be shown; 0: none */
};

G_DEFINE_FINAL_TYPE (InspTable, insp_table, GTK_TYPE_WIDGET)

enum
{
  SELECTED,
  ACTIVATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- cells ---- */

static void
show_cell (InspRow *row, GtkListItem *item)
{
  const Column *column = g_object_get_data (G_OBJECT (item), "insp-column");
  GtkWidget *widget = gtk_list_item_get_child (item);
  if (column->show != NULL)
    {
      column->show (widget, insp_row_get (row), column->data);
      return;
    }
  g_autofree char *text = column->text (insp_row_get (row), column->data);
  gtk_label_set_text (GTK_LABEL (widget), text);
}

/* All of a text that is cut. It is asked for: with a text of its own GTK 4.8 would ask the X server where the
 * pointer is, for each cell that is shown. */
static gboolean
on_tooltip (GtkLabel *label, int x, int y, gboolean by_keyboard, GtkTooltip *tooltip)
{
  gtk_tooltip_set_text (tooltip, gtk_label_get_text (label));
  return gtk_label_get_text (label)[0] != '\0';
}

static void
on_setup (Column *column, GtkListItem *item)
{
  GtkWidget *child = g_object_new (column->widget, NULL);
  g_object_set_data (G_OBJECT (item), "insp-column", column);
  if (GTK_IS_LABEL (child))
    {
      gtk_label_set_xalign (GTK_LABEL (child), column->kind == INSP_TABLE_NUMBER ? 1 : 0);
      if (column->kind == INSP_TABLE_WIDE)
        {
          gtk_label_set_ellipsize (GTK_LABEL (child), PANGO_ELLIPSIZE_END);
          gtk_label_set_width_chars (GTK_LABEL (child), WIDE_LEAST);
          gtk_widget_set_has_tooltip (child, TRUE);
          g_signal_connect (child, "query-tooltip", G_CALLBACK (on_tooltip), NULL);
        }
      gtk_widget_add_css_class (child, "numeric");
    }
  gtk_list_item_set_child (item, child);
}

static void
on_bind (Column *column, GtkListItem *item)
{
  InspRow *row = gtk_list_item_get_item (item);
  show_cell (row, item);
  g_signal_connect (row, "changed", G_CALLBACK (show_cell), item);
}

static void
on_unbind (Column *column, GtkListItem *item)
{
  g_signal_handlers_disconnect_by_func (gtk_list_item_get_item (item), show_cell, item);
}

static void
add_column (InspTable *self, const char *title, Column *column)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_ptr_array_add (self->columns, column);
  g_signal_connect_swapped (factory, "setup", G_CALLBACK (on_setup), column);
  g_signal_connect_swapped (factory, "bind", G_CALLBACK (on_bind), column);
  g_signal_connect_swapped (factory, "unbind", G_CALLBACK (on_unbind), column);
  g_autoptr (GtkColumnViewColumn) shown = gtk_column_view_column_new (title, factory);
  gtk_column_view_column_set_expand (shown, column->kind == INSP_TABLE_WIDE);
  gtk_column_view_column_set_resizable (shown, TRUE);
  gtk_column_view_append_column (self->view, shown);
}

void
insp_table_add_column (InspTable *self, const char *title, InspTableColumn kind, InspTableText text,
                       gpointer data)
{
  Column *column = g_new (Column, 1);
  *column = (Column){ .kind = kind, .text = text, .widget = GTK_TYPE_LABEL, .data = data };
  add_column (self, title, column);
}

void
insp_table_add_widgets (InspTable *self, const char *title, GType widget, InspTableShow show,
                        InspTableText text, gpointer data)
{
  Column *column = g_new (Column, 1);
  *column = (Column){
    .kind = INSP_TABLE_WIDE, .text = text, .show = show, .widget = widget, .data = data
  };
  add_column (self, title, column);
}

/* ---- rows ---- */

/* All of them, also those that are not shown; borrowed. */
static GListModel *
get_rows (InspTable *self)
{
  return self->first != NULL ? insp_first_rows_get_list (self->first)
                             : G_LIST_MODEL (self->selection);
}

static void
review_rows (InspTable *self)
{
  gboolean any = g_list_model_get_n_items (get_rows (self)) > 0;
  gtk_widget_set_visible (self->stop, any);
  gtk_widget_set_visible (self->empty, !any);
}

static void
on_selected (InspTable *self)
{
  g_signal_emit (self, signals[SELECTED], 0);
}

static void
on_activated (InspTable *self)
{
  g_signal_emit (self, signals[ACTIVATED], 0);
}

static char *
cell_text (InspTable *self, InspRow *row, guint column)
{
  const Column *its = g_ptr_array_index (self->columns, column);
  return its->text (insp_row_get (row), its->data);
}

static gboolean
copy (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  InspTable *self = INSP_TABLE (widget);
  InspRow *row = gtk_single_selection_get_selected_item (self->selection);
  if (row == NULL)
    return GDK_EVENT_PROPAGATE;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < self->columns->len; i++)
    {
      g_autofree char *cell = cell_text (self, row, i);
      g_string_append_printf (text, "%s%s", i > 0 ? "\t" : "", cell);
    }
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), text->str);
  return GDK_EVENT_STOP;
}

gconstpointer
insp_table_get_selected (InspTable *self)
{
  InspRow *row = gtk_single_selection_get_selected_item (self->selection);
  return row != NULL ? insp_row_get (row) : NULL;
}

void
insp_table_unselect (InspTable *self)
{
  gtk_single_selection_set_selected (self->selection, GTK_INVALID_LIST_POSITION);
}

void
insp_table_set_empty (InspTable *self, const char *empty)
{
  gtk_label_set_text (GTK_LABEL (self->empty), empty);
}

void
insp_table_set_heights (InspTable *self, int least, int most)
{
  GtkScrolledWindow *scroller = GTK_SCROLLED_WINDOW (self->scroller);
  gtk_scrolled_window_set_min_content_height (scroller, -1);
  gtk_scrolled_window_set_max_content_height (scroller, most);
  gtk_scrolled_window_set_min_content_height (scroller, least);
}

/* ---- rows that come all the time ---- */

static gboolean
review_first (gpointer table)
{
  InspTable *self = table;
  GtkAdjustment *place = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (self->scroller));
  gboolean is_used
      = gtk_event_controller_motion_contains_pointer (GTK_EVENT_CONTROLLER_MOTION (self->pointer))
        || gtk_event_controller_focus_contains_focus (GTK_EVENT_CONTROLLER_FOCUS (self->keyboard))
        || gtk_single_selection_get_selected_item (self->selection) != NULL
        || gtk_adjustment_get_value (place) >= 1;
  gboolean is_shown = gtk_widget_get_mapped (GTK_WIDGET (self));
  self->reviewing = 0;
  insp_first_rows_set_most (self->first, is_used ? G_MAXUINT : is_shown ? self->unused : 0);
  return G_SOURCE_REMOVE;
}

/* Before the next frame: not while rows are laid out, which may scroll, or are told of. */
static void
on_use (InspTable *self)
{
  if (self->reviewing == 0)
    self->reviewing = g_idle_add_full (G_PRIORITY_HIGH_IDLE, review_first, self, NULL);
}

static void
watch_use (InspTable *self, gpointer object, const char *signal)
{
  g_signal_connect_object (object, signal, G_CALLBACK (on_use), self, G_CONNECT_SWAPPED);
}

void
insp_table_show_first (InspTable *self)
{
  g_return_if_fail (self->first == NULL);
  int height = gtk_scrolled_window_get_max_content_height (GTK_SCROLLED_WINDOW (self->scroller));
  self->unused = (guint) height / ROW_LEAST;
  self->first
      = insp_first_rows_new (gtk_single_selection_get_model (self->selection), self->unused);
  gtk_single_selection_set_model (self->selection, G_LIST_MODEL (self->first));
  self->pointer = gtk_event_controller_motion_new ();
  self->keyboard = gtk_event_controller_focus_new ();
  gtk_widget_add_controller (GTK_WIDGET (self), self->pointer);
  gtk_widget_add_controller (GTK_WIDGET (self), self->keyboard);
  watch_use (self, self, "map");
  watch_use (self, self, "unmap");
  watch_use (self, self->pointer, "notify::contains-pointer");
  watch_use (self, self->keyboard, "notify::contains-focus");
  watch_use (self, self->selection, "notify::selected-item");
  watch_use (self, gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (self->scroller)),
             "value-changed");
  on_use (self);
}

InspSheet *
insp_table_to_sheet (InspTable *self)
{
  InspSheet *sheet = insp_sheet_new (self->title);
  GListModel *columns = gtk_column_view_get_columns (self->view);
  GListModel *rows = get_rows (self);
  for (guint i = 0; i < self->columns->len; i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);
      insp_sheet_add_column (sheet, gtk_column_view_column_get_title (column));
    }
  for (guint row = 0; row < g_list_model_get_n_items (rows); row++)
    {
      g_autoptr (InspRow) its = g_list_model_get_item (rows, row);
      for (guint i = 0; i < self->columns->len; i++)
        insp_sheet_add_text (sheet, cell_text (self, its, i));
    }
  return sheet;
}

char *
insp_table_get_cell (InspTable *self, guint row, guint column)
{
  g_autoptr (InspRow) its = g_list_model_get_item (get_rows (self), row);
  return its != NULL ? cell_text (self, its, column) : NULL;
}

/* ---- the object ---- */

static void
insp_table_dispose (GObject *object)
{
  InspTable *self = INSP_TABLE (object);
  g_clear_pointer (&self->stop, gtk_widget_unparent);
  g_clear_pointer (&self->empty, gtk_widget_unparent);
  g_clear_handle_id (&self->reviewing, g_source_remove);
  g_clear_object (&self->first);
  g_clear_pointer (&self->columns, g_ptr_array_unref);
  g_clear_pointer (&self->title, g_free);
  G_OBJECT_CLASS (insp_table_parent_class)->dispose (object);
}

static void
insp_table_class_init (InspTableClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_table_dispose;
  /* Another row is selected, or none. */
  signals[SELECTED] = g_signal_new ("selected", INSP_TYPE_TABLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                    NULL, G_TYPE_NONE, 0);
  /* The row that is selected was activated. */
  signals[ACTIVATED] = g_signal_new ("activated", INSP_TYPE_TABLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                     NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_c, GDK_CONTROL_MASK, copy, NULL);
  gtk_widget_class_set_css_name (widget_class, "insp-table");
}

static void
insp_table_init (InspTable *self)
{
  self->columns = g_ptr_array_new_with_free_func (g_free);
  self->empty = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->empty), TRUE);
  gtk_label_set_justify (GTK_LABEL (self->empty), GTK_JUSTIFY_CENTER);
  gtk_widget_add_css_class (self->empty, "dim-label");
  gtk_widget_add_css_class (self->empty, "insp-empty");
  self->scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (self->scroller), TRUE);
  gtk_widget_set_parent (self->empty, GTK_WIDGET (self));
  self->stop = insp_tab_stop_new (self->scroller);
  gtk_widget_set_parent (self->stop, GTK_WIDGET (self));
}

GtkWidget *
insp_table_new (const char *title, const char *empty, GListModel *model)
{
  InspTable *self = g_object_new (INSP_TYPE_TABLE, NULL);
  self->title = g_strdup (title);
  self->selection = gtk_single_selection_new (model);
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  insp_table_unselect (self);
  self->view = GTK_COLUMN_VIEW (gtk_column_view_new (GTK_SELECTION_MODEL (self->selection)));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                  -1);
  gtk_widget_add_css_class (GTK_WIDGET (self->view), "data-table");
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->scroller), GTK_WIDGET (self->view));
  insp_list_place_keep (GTK_WIDGET (self->view));
  insp_table_set_heights (self, HEIGHT_LEAST, HEIGHT_MOST);
  insp_table_set_empty (self, empty);
  g_signal_connect_object (self->selection, "items-changed", G_CALLBACK (review_rows), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->view, "activate", G_CALLBACK (on_activated), self,
                           G_CONNECT_SWAPPED);
  review_rows (self);
  return GTK_WIDGET (self);
}
