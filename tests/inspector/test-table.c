/* SPDX-License-Identifier: MIT */
/* What a table shows while its rows come and go. */
#include "insp-table.h"

#define MOST 500 /* rows */

static guint64
identity (gconstpointer contents)
{
  return *(const guint *) contents;
}

static char *
format (gconstpointer contents, gpointer data)
{
  return g_strdup_printf ("row %u", *(const guint *) contents);
}

typedef struct
{
  GtkWidget *window, *table;
  InspRowList *list;
  guint newest;
} Shown;

/* Frames, in which all is laid out. */
static gboolean
count_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer left)
{
  return --*(guint *) left > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
run_frames (Shown *shown)
{
  for (guint i = 0; i < 2; i++) /* what is done behind a layout asks for another one */
    {
      guint left = 4;
      gtk_widget_add_tick_callback (shown->window, count_frame, &left, NULL);
      while (left > 0)
        g_main_context_iteration (NULL, TRUE);
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
}

/* The newest first, as a log has it. */
static void
prepend (Shown *shown, guint count)
{
  g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < count; i++)
    {
      guint number = ++shown->newest;
      g_ptr_array_add (contents, g_memdup2 (&number, sizeof number));
    }
  insp_row_list_prepend_reversed (shown->list, contents, MOST);
  run_frames (shown);
}

static GtkWidget *
find (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  GtkWidget *found = NULL, *child = gtk_widget_get_first_child (widget);
  for (; child != NULL && found == NULL; child = gtk_widget_get_next_sibling (child))
    found = find (child, type);
  return found;
}

/* What stands so far from the top of the rows, or NULL. */
static const char *
text_at (Shown *shown, double y)
{
  GtkWidget *list = gtk_widget_get_last_child (find (shown->table, GTK_TYPE_COLUMN_VIEW));
  GtkWidget *found = gtk_widget_pick (list, 10, y, GTK_PICK_INSENSITIVE);
  for (; found != NULL && found != list; found = gtk_widget_get_parent (found))
    {
      GtkWidget *label = find (found, GTK_TYPE_LABEL);
      if (label != NULL)
        return gtk_label_get_text (GTK_LABEL (label));
    }
  return NULL;
}

/* Also those that cannot be seen. */
static guint
count_rows (Shown *shown)
{
  GtkColumnView *view = GTK_COLUMN_VIEW (find (shown->table, GTK_TYPE_COLUMN_VIEW));
  return g_list_model_get_n_items (G_LIST_MODEL (gtk_column_view_get_model (view)));
}

static GtkAdjustment *
place (Shown *shown)
{
  GtkScrolledWindow *scroller = GTK_SCROLLED_WINDOW (find (shown->table, GTK_TYPE_SCROLLED_WINDOW));
  return gtk_scrolled_window_get_vadjustment (scroller);
}

static void
show (Shown *shown)
{
  shown->list = insp_row_list_new (identity, g_free);
  shown->table = insp_table_new ("Rows", "None", g_object_ref (G_LIST_MODEL (shown->list)));
  insp_table_add_column (INSP_TABLE (shown->table), "Row", INSP_TABLE_TEXT, format, NULL);
  shown->window = gtk_window_new ();
  gtk_window_set_default_size (GTK_WINDOW (shown->window), 300, 400);
  gtk_window_set_child (GTK_WINDOW (shown->window), shown->table);
  gtk_window_present (GTK_WINDOW (shown->window));
  prepend (shown, 100);
}

static void
hide (Shown *shown)
{
  gtk_window_destroy (GTK_WINDOW (shown->window));
  g_object_unref (shown->list);
}

/* At its beginning the newest row is shown, however many come at once. */
static void
test_newest (void)
{
  static const guint counts[] = { 1, 100, 250, 250, 600, 3, 2000 };
  Shown shown = { 0 };
  show (&shown);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      prepend (&shown, counts[i]);
      g_autofree char *newest = format (&shown.newest, NULL);
      g_assert_cmpstr (text_at (&shown, 8), ==, newest);
    }
  hide (&shown);
}

/* Elsewhere what is shown stays in place as long as it is there; then something else is shown. */
static void
test_elsewhere (void)
{
  Shown shown = { 0 };
  show (&shown);
  prepend (&shown, 300);
  gtk_adjustment_set_value (place (&shown), 1000);
  run_frames (&shown);
  g_autofree char *before = g_strdup (text_at (&shown, 8));
  g_assert_nonnull (before);
  prepend (&shown, 50);
  g_assert_cmpstr (text_at (&shown, 8), ==, before);
  for (guint i = 0; i < 4; i++)
    {
      prepend (&shown, 250 + 250 * i);
      g_assert_nonnull (text_at (&shown, 8));
    }
  hide (&shown);
}

/* A row that is selected stays where it is. */
static void
test_selected (void)
{
  Shown shown = { 0 };
  show (&shown);
  prepend (&shown, 5);
  GtkColumnView *view = GTK_COLUMN_VIEW (find (shown.table, GTK_TYPE_COLUMN_VIEW));
  GtkSelectionModel *model = gtk_column_view_get_model (view);
  gtk_selection_model_select_item (model, 0, TRUE);
  g_assert_cmpstr (text_at (&shown, 8), ==, "row 105");
  prepend (&shown, 7);
  g_assert_cmpstr (text_at (&shown, 8), ==, "row 105");
  g_assert_cmpfloat (gtk_adjustment_get_value (place (&shown)), >, 0);
  hide (&shown);
}

/* Rows that come all the time: those that can be seen, until somebody uses the table. */
static void
test_first (void)
{
  Shown shown = { 0 };
  show (&shown);
  gtk_widget_set_visible (shown.table, FALSE);
  insp_table_show_first (INSP_TABLE (shown.table));
  prepend (&shown, 100);
  g_assert_cmpuint (count_rows (&shown), ==, 0); /* while it is hidden */
  gtk_widget_set_visible (shown.table, TRUE);
  run_frames (&shown);
  g_assert_cmpuint (count_rows (&shown), ==, 20);
  g_assert_cmpstr (text_at (&shown, 8), ==, "row 200");
  g_autofree char *last = insp_table_get_cell (INSP_TABLE (shown.table), 199, 0);
  g_assert_cmpstr (last, ==, "row 1"); /* what is exported has all of them */
  gtk_adjustment_set_value (place (&shown), 40);
  run_frames (&shown);
  g_assert_cmpuint (count_rows (&shown), ==, 200);
  g_autofree char *before = g_strdup (text_at (&shown, 8));
  prepend (&shown, 50);
  g_assert_cmpuint (count_rows (&shown), ==, 250);
  g_assert_cmpstr (text_at (&shown, 8), ==, before);
  gtk_adjustment_set_value (place (&shown), 0);
  run_frames (&shown);
  g_assert_cmpuint (count_rows (&shown), ==, 20);
  GtkColumnView *view = GTK_COLUMN_VIEW (find (shown.table, GTK_TYPE_COLUMN_VIEW));
  gtk_selection_model_select_item (gtk_column_view_get_model (view), 3, TRUE);
  run_frames (&shown);
  g_assert_cmpuint (count_rows (&shown), ==, 250);
  insp_table_unselect (INSP_TABLE (shown.table));
  run_frames (&shown);
  g_assert_cmpuint (count_rows (&shown), ==, 20);
  gtk_widget_child_focus (shown.table, GTK_DIR_TAB_FORWARD);
  gtk_widget_child_focus (shown.table, GTK_DIR_TAB_FORWARD);
  run_frames (&shown);
  g_assert_cmpuint (count_rows (&shown), ==, 250);
  hide (&shown);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  g_test_add_func ("/table/newest", test_newest);
  g_test_add_func ("/table/elsewhere", test_elsewhere);
  g_test_add_func ("/table/selected", test_selected);
  g_test_add_func ("/table/first", test_first);
  return g_test_run ();
}
