/* SPDX-License-Identifier: MIT */
/* A map of storage: where its rectangles are, what colours them, and what is said of keys and sizes. */
#include "insp-choice.h"
#include "insp-key-finder.h"
#include "insp-sizes-view.h"
#include "insp-squarify.h"
#include "insp-treemap.h"

#define COUNT 40u

static double
area_of (const graphene_rect_t *rect)
{
  return (double) rect->size.width * (double) rect->size.height;
}

static gboolean
overlap (const graphene_rect_t *first, const graphene_rect_t *second)
{
  graphene_rect_t both;
  return graphene_rect_intersection (first, second, &both) && both.size.width > 0.01f
         && both.size.height > 0.01f;
}

static void
assert_inside (const graphene_rect_t *rect, const graphene_rect_t *area)
{
  g_assert_cmpfloat (rect->origin.x, >=, area->origin.x - 0.01);
  g_assert_cmpfloat (rect->origin.y, >=, area->origin.y - 0.01);
  g_assert_cmpfloat (rect->origin.x + rect->size.width, <=,
                     area->origin.x + area->size.width + 0.01);
  g_assert_cmpfloat (rect->origin.y + rect->size.height, <=,
                     area->origin.y + area->size.height + 0.01);
}

/* Areas tell weights, the whole is filled, and none covers another. */
static void
test_squarify (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  for (guint turn = 0; turn < 200; turn++)
    {
      double weights[COUNT], total = 0;
      graphene_rect_t rects[COUNT], area;
      guint count = (guint) g_rand_int_range (random, 0, COUNT + 1);
      graphene_rect_init (&area, 7, 11, 500, (float) g_rand_double_range (random, 20, 900));
      for (guint i = 0; i < count; i++)
        {
          weights[i] = g_rand_boolean (random) ? g_rand_double_range (random, 0.1, 100) : 0;
          total += weights[i];
        }
      insp_squarify (weights, count, &area, rects);
      for (guint i = 0; i < count; i++)
        {
          assert_inside (&rects[i], &area);
          g_assert_cmpfloat_with_epsilon (area_of (&rects[i]),
                                          total > 0 ? weights[i] / total * area_of (&area) : 0, 2);
          for (guint j = 0; j < i; j++)
            g_assert_false (overlap (&rects[i], &rects[j]));
        }
    }
}

/* The example of the paper: none of its rectangles is worse than 3 to 1, and the first are 3:2. */
static void
test_squares (void)
{
  const double weights[] = { 6, 6, 4, 3, 2, 2, 1 };
  graphene_rect_t rects[G_N_ELEMENTS (weights)], area = GRAPHENE_RECT_INIT (0, 0, 600, 400);
  insp_squarify (weights, G_N_ELEMENTS (weights), &area, rects);
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++)
    {
      double ratio = (double) rects[i].size.width / (double) rects[i].size.height;
      g_assert_cmpfloat (MAX (ratio, 1 / ratio), <, 3);
    }
  g_assert_cmpfloat_with_epsilon (rects[0].size.width, 300, 0.1);
  g_assert_cmpfloat_with_epsilon (rects[0].size.height, 200, 0.1);
}

static void
test_beside (void)
{
  const graphene_rect_t rects[] = {
    GRAPHENE_RECT_INIT (0, 0, 100, 100),   GRAPHENE_RECT_INIT (100, 0, 100, 50),
    GRAPHENE_RECT_INIT (100, 50, 100, 50), GRAPHENE_RECT_INIT (0, 100, 200, 50),
    GRAPHENE_RECT_INIT (0, 0, 200, 150), /* that all of them are in */
    GRAPHENE_RECT_INIT (100, 0, 0, 0),
  };
  const gboolean skip[] = { FALSE, FALSE, FALSE, FALSE, TRUE, FALSE };
#define BESIDE(from, direction)                                                                    \
  insp_squarify_beside (rects, skip, G_N_ELEMENTS (rects), from, direction)
  g_assert_cmpuint (BESIDE (1, GTK_DIR_LEFT), ==, 0);
  g_assert_cmpuint (BESIDE (1, GTK_DIR_DOWN), ==, 2);
  g_assert_cmpuint (BESIDE (2, GTK_DIR_UP), ==, 1);
  g_assert_cmpuint (BESIDE (2, GTK_DIR_DOWN), ==, 3);
  g_assert_cmpuint (BESIDE (0, GTK_DIR_DOWN), ==, 3);
  g_assert_cmpuint (BESIDE (0, GTK_DIR_LEFT), ==, 0); /* there is none */
  g_assert_cmpuint (BESIDE (3, GTK_DIR_RIGHT), ==, 3);
#undef BESIDE
}

static void
add_tile (GPtrArray *tiles, guint64 id, guint depth, gboolean is_leaf, double weight)
{
  InspTile *tile = g_rc_box_new0 (InspTile);
  *tile = (InspTile){ .id = id,
                      .depth = depth,
                      .is_leaf = is_leaf,
                      .weight = weight,
                      .step = is_leaf ? 1 : -1,
                      .name = g_strdup_printf ("%u", (guint) id),
                      .figure = g_strdup ("–") };
  g_ptr_array_add (tiles, tile);
}

static GPtrArray *
tiles_new (void)
{
  GPtrArray *tiles = g_ptr_array_new_with_free_func ((GDestroyNotify) insp_tile_unref);
  add_tile (tiles, 1, 0, FALSE, 60);
  add_tile (tiles, 2, 1, FALSE, 40);
  add_tile (tiles, 3, 2, TRUE, 30);
  add_tile (tiles, 4, 2, TRUE, 10);
  add_tile (tiles, 5, 1, TRUE, 20);
  add_tile (tiles, 6, 0, TRUE, 40);
  return tiles;
}

static void
test_layout (void)
{
  static const int above[] = { -1, 0, 1, 1, 0, -1 };
  g_autoptr (GPtrArray) tiles = tiles_new ();
  const int title = 41;
  graphene_rect_t rects[6], area = GRAPHENE_RECT_INIT (0, 0, 800, 600);
  insp_treemap_lay_out (tiles, &area, title, rects);
  for (guint i = 0; i < 6; i++)
    {
      assert_inside (&rects[i], above[i] < 0 ? &area : &rects[above[i]]);
      if (above[i] >= 0)
        g_assert_cmpfloat (rects[i].origin.y, >=, rects[above[i]].origin.y + title);
      g_assert_cmpfloat (area_of (&rects[i]), >, 0);
      for (guint j = 0; j < i; j++)
        g_assert_true (above[j] != above[i] || !overlap (&rects[i], &rects[j]));
    }
}

static void
on_selected (InspTreemap *treemap, guint *times)
{
  ++*times;
}

/* What is selected stays so when there are others, and is not any more when it has gone. */
static void
test_selection (void)
{
  guint times = 0;
  g_autoptr (GPtrArray) tiles = tiles_new (), others = tiles_new (), none = g_ptr_array_new ();
  InspTreemap *treemap = INSP_TREEMAP (g_object_ref_sink (insp_treemap_new ("Parts", 100)));
  g_signal_connect (treemap, "selected", G_CALLBACK (on_selected), &times);
  insp_treemap_set_tiles (treemap, tiles, TRUE);
  g_assert_null (insp_treemap_get_selected (treemap));
  insp_treemap_move (treemap, GTK_DIR_RIGHT); /* the largest leaf */
  g_assert_cmpuint (insp_treemap_get_selected (treemap)->id, ==, 6);
  g_assert_cmpuint (times, ==, 1);
  g_ptr_array_remove_index (others, 0);
  insp_treemap_set_tiles (treemap, others, TRUE);
  g_assert_cmpuint (insp_treemap_get_selected (treemap)->id, ==, 6);
  g_assert_cmpuint (times, ==, 1);
  insp_treemap_set_tiles (treemap, none, TRUE);
  g_assert_null (insp_treemap_get_selected (treemap));
  g_assert_cmpuint (times, ==, 2);
  g_object_unref (treemap);
}

static void
assert_page (InspLens lens, LdbPage page, int step, const char *expected)
{
  g_autofree char *figure = insp_lens_figure_of_page (lens, &page);
  g_assert_cmpint (insp_lens_step_of_page (lens, &page), ==, step);
  g_assert_cmpstr (figure, ==, expected);
}

static void
test_lenses (void)
{
  assert_page (INSP_LENS_FILL, (LdbPage){ .used_size = 2048, .logical_size = 4096 }, 1, "50 %");
  assert_page (INSP_LENS_FILL, (LdbPage){ .used_size = 4096, .logical_size = 4096 }, 4, "100 %");
  assert_page (INSP_LENS_CODEC, (LdbPage){ .codec = LDB_PAGE_CODEC_LZ4 }, 2, "LZ4");
  assert_page (INSP_LENS_HEAT, (LdbPage){ .heat = LDB_PAGE_HEAT_COLD }, 0, "not cached");
  assert_page (INSP_LENS_HEAT, (LdbPage){ .heat = LDB_PAGE_HEAT_CACHED | LDB_PAGE_HEAT_FREQUENT },
               3, "wanted often");
  assert_page (INSP_LENS_AGE, (LdbPage){ .number = 1 }, -1, "–");
  for (guint i = 0; i < INSP_LENSES; i++)
    for (guint step = 0; step < (insp_lens_is_ordered ((InspLens) i) ? INSP_LENS_STEPS : 4); step++)
      g_assert_nonnull (insp_lens_step_name ((InspLens) i, TRUE, step));
}

static void
assert_location (LdbKeyLocation location, const char *name, const char *description)
{
  g_autofree char *its_name = insp_key_location_name (&location);
  g_autofree char *its_description = insp_key_location_describe (&location);
  g_assert_cmpstr (its_name, ==, name);
  g_assert_cmpstr (its_description, ==, description);
}

static void
test_locations (void)
{
  assert_location ((LdbKeyLocation){ .in_memory = TRUE, .verdict = LDB_LOCATION_ABSENT },
                   "Memory table that is written to", "It is not there.");
  assert_location (
      (LdbKeyLocation){
          .run = 3, .level = 1, .segment = 9, .verdict = LDB_LOCATION_FOUND, .value_size = 12 },
      "Level 1, run 3, segment 9", "Found: a value of 12 B.");
  assert_location (
      (LdbKeyLocation){ .run = 4, .verdict = LDB_LOCATION_OUTSIDE, .range_delete = 77 },
      "Level 0, run 4", "Its keys do not reach so far. Commit 77 deleted a range with it.");
  assert_location (
      (LdbKeyLocation){
          .run = 4, .verdict = LDB_LOCATION_ABSENT, .filter = LDB_FILTER_BLOOM, .segment = 5 },
      "Level 0, run 4, segment 5", "It is not there, though the filter did not rule it out.");
}

static void
test_sizes (void)
{
  LdbSizeBucket keys[] = { { 8, 15, 10 }, { 16, 31, 0 }, { 32, 63, 1 } };
  LdbSizeBucket values[] = { { 0, 0, 4 }, { 8, 15, 7 } };
  g_autoptr (GPtrArray) of_keys = g_ptr_array_new (), of_values = g_ptr_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_ptr_array_add (of_keys, &keys[i]);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    g_ptr_array_add (of_values, &values[i]);
  g_autoptr (GPtrArray) rows = insp_size_rows_of (of_keys, of_values);
  const InspSizeRow expected[] = { { 0, 0, 0, 4 }, { 8, 15, 10, 7 }, { 32, 63, 1, 0 } };
  g_assert_cmpuint (rows->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      const InspSizeRow *row = g_ptr_array_index (rows, i);
      g_assert_cmpmem (row, sizeof *row, &expected[i], sizeof *row);
    }
}

/* Many stores can be searched, few can't: that would be in the way. */
static void
test_stores (void)
{
  GtkStringList *stores = gtk_string_list_new (NULL);
  GtkWidget *choice = insp_choice_new_of_strings (stores, "Store");
  g_object_ref_sink (choice);
  for (guint i = 0; i < 30; i++)
    {
      g_autofree char *name = g_strdup_printf ("store %u", i);
      g_assert_cmpint (gtk_drop_down_get_enable_search (GTK_DROP_DOWN (choice)), ==, i >= 20);
      gtk_string_list_append (stores, name);
    }
  gtk_drop_down_set_selected (GTK_DROP_DOWN (choice), 29);
  gtk_string_list_splice (stores, 0, 28, NULL);
  g_assert_false (gtk_drop_down_get_enable_search (GTK_DROP_DOWN (choice)));
  g_assert_cmpuint (gtk_drop_down_get_selected (GTK_DROP_DOWN (choice)), ==, 1);
  g_object_unref (choice);
}

int
main (int argument_count, char **arguments)
{
  gtk_test_init (&argument_count, &arguments);
  g_test_add_func ("/storage/stores", test_stores);
  g_test_add_func ("/storage/squarify", test_squarify);
  g_test_add_func ("/storage/squares", test_squares);
  g_test_add_func ("/storage/beside", test_beside);
  g_test_add_func ("/storage/layout", test_layout);
  g_test_add_func ("/storage/selection", test_selection);
  g_test_add_func ("/storage/lenses", test_lenses);
  g_test_add_func ("/storage/locations", test_locations);
  g_test_add_func ("/storage/sizes", test_sizes);
  return g_test_run ();
}
