/* SPDX-License-Identifier: MIT */
/*
 * A list in real views, GtkListView and GtkColumnView, while 10,000 random commits come in: after
 * every frame that is drawn the rows in sight are where they were, what was selected is selected,
 * and every row in sight has its text. The same while hundreds of rows all over the list come and
 * go at once, which is told in few signals. Then rows in sight come and go, too: of those frames
 * none has a blank. Pictures of before, during and after go to the directory PICTURES of the
 * environment, if there is one.
 */
#include "../lib/ldb-test.h"
#include "picture.h"

#define ROWS 20000
#define COMMITS 10000
#define COMMITS_A_FRAME 20
#define STORMS 30
#define COMMITS_A_STORM 500
#define SELECTED 5

typedef struct
{
  LdbDatabase *db;
  LdbListModel *list;
  GtkSelectionModel *selection;
  GtkWidget *window, *scrolled, *view; /* borrowed from the window */
  GRand *random;
  guint painted;               /* frames so far */
  char *anchor;                /* the key of a row in sight; owned */
  float anchor_y;              /* where it is */
  char *first, *last;          /* keys of what is in sight; owned */
  GObject *selected[SELECTED]; /* rows, references */
  char *keep[SELECTED];        /* their keys, which are not deleted; owned */
  const char *name;            /* of the view */
} Fixture;

/* ---- the window ---- */

static void
set_up_row (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_name (label, data);
  gtk_list_item_set_child (item, label);
}

/* The text of bytes. */
static gboolean
to_text (GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
  GBytes *bytes = g_value_get_boxed (from);
  gsize size = 0;
  const char *text = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  g_value_take_string (to, g_strndup (text, size));
  return TRUE;
}

static void
bind_row (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  GBinding *binding = g_object_bind_property_full (
      gtk_list_item_get_item (item), data, gtk_list_item_get_child (item), "label",
      G_BINDING_SYNC_CREATE, to_text, NULL, NULL, NULL);
  g_object_set_data (G_OBJECT (item), "binding", binding);
}

static void
unbind_row (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  g_binding_unbind (g_object_get_data (G_OBJECT (item), "binding"));
}

static GtkListItemFactory *
make_factory (const char *what)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_signal_connect (factory, "setup", G_CALLBACK (set_up_row), (gpointer) what);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_row), (gpointer) what);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind_row), (gpointer) what);
  return factory;
}

static GtkWidget *
make_list_view (GtkSelectionModel *selection)
{
  return gtk_list_view_new (selection, make_factory ("key"));
}

static GtkWidget *
make_column_view (GtkSelectionModel *selection)
{
  GtkWidget *view = gtk_column_view_new (selection);
  const char *columns[] = { "key", "value" };
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column
          = gtk_column_view_column_new (columns[i], make_factory (columns[i]));
      gtk_column_view_column_set_expand (column, TRUE);
      gtk_column_view_append_column (GTK_COLUMN_VIEW (view), column);
    }
  return view;
}

static void
count_paint (GdkFrameClock *clock, gpointer data)
{
  guint *painted = data;
  *painted += 1;
}

/* Until another frame is drawn. */
static void
draw (Fixture *f)
{
  guint before = f->painted;
  gtk_widget_queue_draw (f->window);
  while (f->painted == before)
    g_main_context_iteration (NULL, TRUE);
}

static void
open_window (Fixture *f, GtkWidget *view)
{
  f->view = view;
  f->scrolled = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (f->scrolled), view);
  f->window = gtk_window_new ();
  gtk_window_set_title (GTK_WINDOW (f->window), f->name);
  gtk_window_set_default_size (GTK_WINDOW (f->window), 420, 640);
  gtk_window_set_child (GTK_WINDOW (f->window), f->scrolled);
  gtk_window_present (GTK_WINDOW (f->window));
  g_signal_connect (gtk_widget_get_frame_clock (f->window), "after-paint", G_CALLBACK (count_paint),
                    &f->painted);
  for (guint i = 0; i < 5; i++)
    draw (f);
}

static void
save_picture (Fixture *f, const char *when)
{
  const char *directory = g_getenv ("PICTURES");
  if (directory == NULL)
    return;
  g_autofree char *name = g_strdup_printf ("%s-%s.png", f->name, when);
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_assert_cmpint (g_mkdir_with_parents (directory, 0755), ==, 0);
  g_assert_true (picture_save (f->window, path));
}

/* ---- what is in sight ---- */

/* A label and where it is, in the window. */
typedef struct
{
  GtkLabel *label;
  graphene_rect_t place;
} Seen;

static void
find_labels (Fixture *f, GtkWidget *widget, const char *name, GArray *found)
{
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      Seen seen = { NULL };
      if (!gtk_widget_get_mapped (child))
        continue;
      find_labels (f, child, name, found);
      if (!GTK_IS_LABEL (child) || !g_str_equal (gtk_widget_get_name (child), name)
          || !gtk_widget_compute_bounds (child, f->scrolled, &seen.place))
        continue;
      seen.label = GTK_LABEL (child);
      g_array_append_val (found, seen);
    }
}

static int
compare_places (gconstpointer a, gconstpointer b)
{
  const Seen *left = a, *right = b;
  return (left->place.origin.y > right->place.origin.y)
         - (left->place.origin.y < right->place.origin.y);
}

/* The labels that are wholly in sight, from the top down. */
static GArray *
look (Fixture *f, const char *name)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Seen));
  float height = (float) gtk_widget_get_height (f->scrolled);
  find_labels (f, f->view, name, found);
  g_array_sort (found, compare_places);
  for (guint i = found->len; i > 0; i--)
    {
      const graphene_rect_t *place = &g_array_index (found, Seen, i - 1).place;
      if (place->origin.y < 0 || place->origin.y + place->size.height > height)
        g_array_remove_index (found, i - 1);
    }
  return found;
}

/* Rows without a gap from top to bottom, each with its text. */
static void
check_no_blank (Fixture *f, const char *name)
{
  g_autoptr (GArray) seen = look (f, name);
  const graphene_rect_t *last = NULL;
  float step = 0;
  if (seen->len <= 10)
    save_picture (f, "blank");
  g_assert_cmpuint (seen->len, >, 10);
  for (guint i = 0; i < seen->len; i++)
    {
      const Seen *row = &g_array_index (seen, Seen, i);
      g_assert_cmpuint (strlen (gtk_label_get_text (row->label)), >, 0);
      if (i == 1)
        step = row->place.origin.y - last->origin.y;
      if (i > 1)
        g_assert_cmpfloat_with_epsilon (row->place.origin.y - last->origin.y, step, 1);
      last = &row->place;
    }
  g_assert_cmpfloat (last->origin.y + 2 * step, >, gtk_widget_get_height (f->scrolled));
}

static void
check_anchor (Fixture *f)
{
  g_autoptr (GArray) seen = look (f, "key");
  for (guint i = 0; i < seen->len; i++)
    {
      const Seen *row = &g_array_index (seen, Seen, i);
      if (!g_str_equal (gtk_label_get_text (row->label), f->anchor))
        continue;
      g_assert_cmpfloat_with_epsilon (row->place.origin.y, f->anchor_y, 1);
      return;
    }
  g_error ("the row %s is not in sight any more", f->anchor);
}

static void
set_anchor (Fixture *f)
{
  g_autoptr (GArray) seen = look (f, "key");
  g_assert_cmpuint (seen->len, >, 10);
  const Seen *row = &g_array_index (seen, Seen, seen->len / 2);
  const Seen *first = &g_array_index (seen, Seen, 0);
  const Seen *last = &g_array_index (seen, Seen, seen->len - 1);
  const char *ends[] = { gtk_label_get_text (first->label), gtk_label_get_text (last->label) };
  gboolean rising = strcmp (ends[0], ends[1]) < 0;
  f->anchor = g_strdup (gtk_label_get_text (row->label));
  f->anchor_y = row->place.origin.y;
  /* Rows that are half in sight belong to it, too. */
  f->first = g_strdup_printf ("n%07u", (guint) atoi (ends[!rising] + 1) - 10);
  f->last = g_strdup_printf ("n%07u", (guint) atoi (ends[rising] + 1) + 10);
}

static void
check_selection (Fixture *f)
{
  g_autoptr (GtkBitset) chosen = gtk_selection_model_get_selection (f->selection);
  g_assert_cmpuint (gtk_bitset_get_size (chosen), ==, SELECTED);
  for (guint i = 0; i < SELECTED; i++)
    {
      g_autoptr (GObject) item
          = g_list_model_get_item (G_LIST_MODEL (f->list), gtk_bitset_get_nth (chosen, i));
      g_assert_true (item == f->selected[i]);
    }
}

static void
check_content (Fixture *f)
{
  check_no_blank (f, "key");
  if (GTK_IS_COLUMN_VIEW (f->view))
    check_no_blank (f, "value");
  check_selection (f);
}

static void
check_frame (Fixture *f)
{
  check_content (f);
  check_anchor (f);
}

/* ---- the commits ---- */

static gboolean
is_kept (Fixture *f, const char *key)
{
  for (guint i = 0; i < SELECTED; i++)
    if (g_str_equal (f->keep[i], key))
      return TRUE;
  return FALSE;
}

static char *
choose_key (Fixture *f, gboolean in_sight)
{
  guint from = (guint) atoi (f->first + 1), to = (guint) atoi (f->last + 1);
  for (;;)
    {
      guint number = in_sight ? (guint) g_rand_int_range (f->random, (gint32) from, (gint32) to)
                              : (guint) g_rand_int_range (f->random, 0, 2 * ROWS);
      g_autofree char *key = g_strdup_printf ("n%07u", number);
      if (!is_kept (f, key) && (in_sight || number < from || number > to))
        return g_steal_pointer (&key);
    }
}

static void
commit (Fixture *f, guint number, gboolean in_sight)
{
  g_autofree char *key = choose_key (f, in_sight);
  g_autofree char *value = g_strdup_printf ("commit %u", number);
  g_autoptr (GError) error = NULL;
  if (g_rand_int_range (f->random, 0, 100) < 48)
    ldb_database_delete_string (f->db, key, NULL, &error);
  else
    ldb_database_put_string (f->db, key, value, NULL, &error);
  if (number % 100 == 0) /* a row in sight gets another value */
    ldb_database_put_string (f->db, f->anchor, value, NULL, &error);
  g_assert_no_error (error);
}

/* One commit of many keys. */
static void
storm (Fixture *f)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 0; i < COMMITS_A_STORM; i++)
    {
      g_autofree char *key = choose_key (f, FALSE);
      if (g_rand_boolean (f->random))
        ldb_batch_delete_string (batch, NULL, key, NULL);
      else
        ldb_batch_put_string (batch, NULL, key, "storm", NULL);
    }
  ldb_batch_put_string (batch, NULL, f->anchor, "storm", NULL); /* so that it is told for certain */
  g_assert_true (ldb_database_write_batch (f->db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL));
  while (ldb_list_model_get_sequence (f->list) < ldb_batch_get_sequence (batch))
    g_main_context_iteration (NULL, TRUE);
}

static void
fill (Fixture *f)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  for (guint i = 0; i < ROWS; i++)
    {
      g_autofree char *key = g_strdup_printf ("n%07u", 2 * i);
      g_autofree char *value = g_strdup_printf ("value of %u", i);
      ldb_batch_put_string (batch, NULL, key, value, NULL);
    }
  g_assert_true (ldb_database_write_batch (f->db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL));
}

static void
select_some (Fixture *f)
{
  for (guint i = 0; i < SELECTED; i++)
    {
      guint position = ROWS * 2 / 5 + i * (i % 2 ? 900 : 3);
      gtk_selection_model_select_item (f->selection, position, FALSE);
    }
  g_autoptr (GtkBitset) chosen = gtk_selection_model_get_selection (f->selection);
  for (guint i = 0; i < SELECTED; i++)
    {
      f->selected[i]
          = g_list_model_get_item (G_LIST_MODEL (f->list), gtk_bitset_get_nth (chosen, i));
      gsize size;
      while (!ldb_entry_get_loaded (LDB_ENTRY (f->selected[i])))
        g_main_context_iteration (NULL, TRUE);
      const char *key = g_bytes_get_data (ldb_entry_get_key (LDB_ENTRY (f->selected[i])), &size);
      f->keep[i] = g_strndup (key, size);
    }
}

static void
wait_filled (Fixture *f)
{
  while (ldb_list_model_get_pending (f->list))
    g_main_context_iteration (NULL, TRUE);
}

/* Until the list shows the last commit. */
static void
wait_shown (Fixture *f)
{
  ldb_database_put_string (f->db, f->anchor, "the last commit", NULL, NULL);
  guint64 sequence = ldb_database_get_sequence (f->db);
  while (ldb_list_model_get_sequence (f->list) < sequence)
    draw (f);
}

static void
clear (Fixture *f)
{
  gtk_window_destroy (GTK_WINDOW (f->window));
  for (guint i = 0; i < SELECTED; i++)
    {
      g_object_unref (f->selected[i]);
      g_free (f->keep[i]);
    }
  g_free (f->anchor);
  g_free (f->first);
  g_free (f->last);
  g_object_unref (f->list);
  ldb_database_close (f->db, NULL, NULL);
  g_object_unref (f->db);
  g_rand_free (f->random);
}

static void
run (Place *place, const char *name, LdbListFlags flags,
     GtkWidget *(*make_view) (GtkSelectionModel *selection))
{
  g_autoptr (GError) error = NULL;
  Fixture f = { .db = place_open (place, NULL), .random = g_rand_new_with_seed (41), .name = name };
  fill (&f);
  f.list = ldb_list_model_new (f.db, NULL, NULL, 0, NULL, 0, flags, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  wait_filled (&f);
  f.selection
      = GTK_SELECTION_MODEL (gtk_multi_selection_new (g_object_ref (G_LIST_MODEL (f.list))));
  open_window (&f, make_view (f.selection));
  select_some (&f);
  GtkWidget *inner = GTK_IS_COLUMN_VIEW (f.view) ? gtk_widget_get_last_child (f.view) : f.view;
  gtk_widget_activate_action (inner, "list.scroll-to-item", "u", (guint) ROWS * 2 / 5);
  draw (&f);
  draw (&f);
  set_anchor (&f);
  check_frame (&f);
  save_picture (&f, "before");
  for (guint i = 0; i < COMMITS; i++)
    {
      commit (&f, i, FALSE);
      if (i % COMMITS_A_FRAME == 0)
        {
          draw (&f);
          check_frame (&f);
        }
      if (i == COMMITS / 2)
        save_picture (&f, "during");
    }
  wait_shown (&f);
  draw (&f);
  check_frame (&f);
  save_picture (&f, "after");
  for (guint i = 0; i < STORMS; i++)
    {
      storm (&f);
      draw (&f);
      check_frame (&f);
    }
  for (guint i = 0; i < COMMITS / 10; i++)
    {
      commit (&f, i, TRUE);
      if (i % 5 == 0)
        {
          draw (&f);
          check_content (&f);
        }
    }
  save_picture (&f, "in-sight");
  clear (&f);
}

static void
test_list_view (Place *place, gconstpointer data)
{
  run (place, "list-view", LDB_LIST_NONE, make_list_view);
}

static void
test_column_view (Place *place, gconstpointer data)
{
  run (place, "column-view", LDB_LIST_REVERSE, make_column_view);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  add_test ("/gtk/list-view", test_list_view);
  add_test ("/gtk/column-view", test_column_view);
  return g_test_run ();
}
