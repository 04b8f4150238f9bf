/* SPDX-License-Identifier: MIT */
/* Rows that stay the same objects, and how keys are written. */
#include <math.h>

#include "insp-first-rows.h"
#include "insp-key-text.h"
#include "insp-row-list.h"
#include "insp-sheet.h"

/* Contents: an identity, and what is said of it. */
typedef struct
{
  guint64 identity;
  int text;
} Contents;

static guint64
identity (gconstpointer contents)
{
  return ((const Contents *) contents)->identity;
}

static gpointer
contents_new (guint64 number, int text)
{
  Contents *contents = g_new (Contents, 1);
  *contents = (Contents){ number, text };
  return contents;
}

/* What a view of the list believes: its rows, kept by its signals alone. */
static void
apply (GListModel *list, guint position, guint removed, guint added, GPtrArray *belief)
{
  g_assert_cmpuint (position + removed, <=, belief->len);
  g_assert_cmpuint (belief->len - removed + added, ==, g_list_model_get_n_items (list));
  if (removed > 0)
    g_ptr_array_remove_range (belief, position, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (belief, (int) (position + i), g_list_model_get_item (list, position + i));
}

static void
assert_belief (InspRowList *list, GPtrArray *belief)
{
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, belief->len);
  for (guint i = 0; i < belief->len; i++)
    {
      g_autoptr (InspRow) row = g_list_model_get_item (G_LIST_MODEL (list), i);
      g_assert_true (row == g_ptr_array_index (belief, i));
    }
  g_assert_null (insp_row_list_get (list, belief->len));
}

/* Any set may follow any other, in any order. */
static void
test_set (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  g_autoptr (InspRowList) list = insp_row_list_new (identity, g_free);
  g_autoptr (GPtrArray) belief = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect (list, "items-changed", G_CALLBACK (apply), belief);
  for (int turn = 0; turn < 3000; turn++)
    {
      guint64 order[20];
      guint count = 0;
      g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
      for (guint64 i = 0; i < G_N_ELEMENTS (order); i++)
        if (g_rand_boolean (random))
          order[count++] = i;
      for (guint i = 0; i < count && turn % 3 == 0; i++) /* in another order */
        {
          guint other = (guint) g_rand_int_range (random, 0, (int) count);
          guint64 first = order[i];
          order[i] = order[other];
          order[other] = first;
        }
      for (guint i = 0; i < count; i++)
        g_ptr_array_add (contents, contents_new (order[i], turn));
      insp_row_list_set (list, contents);
      g_assert_cmpuint (contents->len, ==, 0);
      assert_belief (list, belief);
      g_assert_cmpuint (belief->len, ==, count);
      for (guint i = 0; i < count; i++)
        {
          const Contents *its = insp_row_list_get (list, i);
          g_assert_cmpuint (its->identity, ==, order[i]);
          g_assert_cmpint (its->text, ==, turn);
        }
    }
}

/* What is there in both stays the same object, and nothing is told of it but that it changed. */
static void
test_identity (void)
{
  guint told = 0, changed = 0;
  g_autoptr (InspRowList) list = insp_row_list_new (identity, g_free);
  g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
  for (guint64 i = 0; i < 10; i++)
    g_ptr_array_add (contents, contents_new (i, 0));
  insp_row_list_set (list, contents);
  g_autoptr (InspRow) row = g_list_model_get_item (G_LIST_MODEL (list), 5);
  g_signal_connect_swapped (list, "items-changed", G_CALLBACK (g_atomic_int_inc), &told);
  g_signal_connect_swapped (row, "changed", G_CALLBACK (g_atomic_int_inc), &changed);
  for (guint64 i = 2; i < 12; i++)
    g_ptr_array_add (contents, contents_new (i, 1));
  insp_row_list_set (list, contents);
  g_assert_cmpuint (told, ==, 2); /* two went, two came */
  g_assert_cmpuint (changed, ==, 1);
  g_assert_cmpint (((const Contents *) insp_row_get (row))->text, ==, 1);
  g_autoptr (InspRow) same = g_list_model_get_item (G_LIST_MODEL (list), 3);
  g_assert_true (same == row);
}

/* An application may tell the same thing twice: the first is taken. */
static void
test_twice (void)
{
  static const guint64 answers[][3] = { { 7, 7, 8 }, { 7, 7, 7 }, { 8, 7, 8 }, { 7, 8, 7 } };
  static const guint64 seen[][2] = { { 7, 8 }, { 7 }, { 8, 7 }, { 7, 8 } };
  static const guint counts[] = { 2, 1, 2, 2 };
  g_autoptr (InspRowList) list = insp_row_list_new (identity, g_free);
  g_autoptr (GPtrArray) belief = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect (list, "items-changed", G_CALLBACK (apply), belief);
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
      for (guint j = 0; j < G_N_ELEMENTS (answers[i]); j++)
        g_ptr_array_add (contents, contents_new (answers[i][j], (int) j));
      insp_row_list_set (list, contents);
      assert_belief (list, belief);
      g_assert_cmpuint (belief->len, ==, counts[i]);
      for (guint j = 0; j < counts[i]; j++)
        g_assert_cmpuint (((const Contents *) insp_row_list_get (list, j))->identity, ==,
                          seen[i][j]);
    }
}

static void
test_prepend (void)
{
  g_autoptr (InspRowList) list = insp_row_list_new (identity, g_free);
  g_autoptr (GPtrArray) belief = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect (list, "items-changed", G_CALLBACK (apply), belief);
  for (guint64 i = 0; i < 30; i += 3)
    {
      g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
      for (guint64 j = 0; j < 3; j++)
        g_ptr_array_add (contents, contents_new (i + j, 0));
      insp_row_list_prepend_reversed (list, contents, 10);
      assert_belief (list, belief);
    }
  g_assert_cmpuint (belief->len, ==, 10);
  g_assert_cmpuint (((const Contents *) insp_row_list_get (list, 0))->identity, ==, 29);
  g_assert_cmpuint (((const Contents *) insp_row_list_get (list, 9))->identity, ==, 20);
}

/* Whatever is inserted and removed, and however many are wanted, they are the first ones. */
static void
test_first (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  g_autoptr (GListStore) list = g_list_store_new (G_TYPE_OBJECT);
  g_autoptr (InspFirstRows) first = insp_first_rows_new (G_LIST_MODEL (list), 10);
  g_autoptr (GPtrArray) belief = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect (first, "items-changed", G_CALLBACK (apply), belief);
  for (int turn = 0; turn < 5000; turn++)
    {
      static const guint mosts[] = { 0, 1, 5, 10, 12, G_MAXUINT };
      GObject *items[15];
      guint added = (guint) g_rand_int_range (random, 0, G_N_ELEMENTS (items) + 1);
      guint count = g_list_model_get_n_items (G_LIST_MODEL (list));
      guint at = (guint) g_rand_int_range (random, 0, (int) count + 1);
      guint removed = (guint) g_rand_int_range (random, 0, (int) (count - at) + 1);
      for (guint i = 0; i < added; i++)
        items[i] = g_object_new (G_TYPE_OBJECT, NULL);
      g_list_store_splice (list, at, removed, (gpointer *) items, added);
      for (guint i = 0; i < added; i++)
        g_object_unref (items[i]);
      guint most = mosts[(guint) turn / 50 % G_N_ELEMENTS (mosts)];
      insp_first_rows_set_most (first, most);
      g_assert_cmpuint (belief->len, ==,
                        MIN (g_list_model_get_n_items (G_LIST_MODEL (list)), most));
      for (guint i = 0; i < belief->len; i++)
        {
          g_autoptr (GObject) expected = g_list_model_get_item (G_LIST_MODEL (list), i);
          g_assert_true (expected == g_ptr_array_index (belief, i));
        }
      g_assert_null (g_list_model_get_object (G_LIST_MODEL (first), belief->len));
    }
}

/* As little as can be is told, and at once. */
static void
test_first_stay (void)
{
  g_autoptr (GListStore) list = g_list_store_new (G_TYPE_OBJECT);
  g_autoptr (InspFirstRows) first = insp_first_rows_new (G_LIST_MODEL (list), 10);
  g_autoptr (GPtrArray) belief = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect (first, "items-changed", G_CALLBACK (apply), belief);
  guint told = 0;
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (GObject) item = g_object_new (G_TYPE_OBJECT, NULL);
      g_list_store_insert (list, 0, item);
    }
  g_signal_connect_swapped (first, "items-changed", G_CALLBACK (g_atomic_int_inc), &told);
  g_list_store_remove (list, 15); /* nobody sees it */
  g_assert_cmpuint (told, ==, 0);
  g_list_store_remove (list, 3);
  g_assert_cmpuint (told, ==, 1); /* that one, and another one at the end */
}

static void
assert_key (const char *bytes, gsize size, gsize length, const char *text, const char *prefix)
{
  g_autoptr (GBytes) key = g_bytes_new (bytes, size);
  g_autofree char *said = insp_key_text_of (key, length);
  g_autofree char *begins = insp_key_text_prefix (key);
  g_assert_cmpstr (said, ==, text);
  g_assert_cmpstr (begins, ==, prefix);
}

static void
test_keys (void)
{
  g_autofree char *none = insp_key_text_of (NULL, 0);
  g_assert_cmpstr (none, ==, "–");
  assert_key ("user:42", 7, 7, "user:42", "user:…");
  assert_key ("a/b/c", 5, 5, "a/b/c", "a/b/…");
  assert_key ("a/b/c", 5, 70, "a/b/c…", "a/b/…");
  assert_key ("plain-key", 9, 9, "plain-key", "plai…");
  assert_key ("\x00\x01\xff", 3, 3, "\\x00\\x01\\xff", "\\x00\\x01\\xff");
  assert_key ("Br\xc3\xbc", 4, 9, "Brü…", "Brü");
  assert_key ("Br\xc3", 3, 9, "Br…", "Br\\xc3"); /* cut inside a character */
}

static void
assert_bytes (GBytes *bytes, const char *expected)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_autofree char *text = g_strndup (data, size);
  g_assert_cmpstr (text, ==, expected);
}

/* As files: numbers as they are, texts quoted, nothing as nothing; what begins as a formula is none. */
static void
test_sheets (void)
{
  g_autoptr (GPtrArray) sheets = g_ptr_array_new_with_free_func (insp_sheet_free);
  InspSheet *sheet = insp_sheet_new ("A \"title\"");
  insp_sheet_add_column (sheet, "Key");
  insp_sheet_add_column (sheet, "Size [B]");
  insp_sheet_add_text (sheet, g_strdup ("=1+1"));
  insp_sheet_add_number (sheet, 1234567.5);
  insp_sheet_add_text (sheet, g_strdup ("a,\"b\"\n\\"));
  insp_sheet_add_number (sheet, NAN);
  insp_sheet_add_text (sheet, NULL);
  insp_sheet_add_number (sheet, -3);
  g_assert_cmpuint (insp_sheet_count_rows (sheet), ==, 3);
  g_ptr_array_add (sheets, sheet);
  g_ptr_array_add (sheets, insp_sheet_new ("Empty"));
  g_autoptr (GBytes) csv = insp_sheets_to_csv (sheets);
  assert_bytes (csv, "\"A \"\"title\"\"\"\r\n\"Key\",\"Size [B]\"\r\n\"'=1+1\",1234567.5\r\n"
                     "\"a,\"\"b\"\"\n\\\",\r\n,-3\r\n\r\n\"Empty\"\r\n\r\n");
  g_autoptr (GBytes) json = insp_sheets_to_json (sheets);
  assert_bytes (
      json,
      "[{\"title\": \"A \\\"title\\\"\",\n \"columns\": [\"Key\", \"Size [B]\"],\n \"rows\": [\n"
      "  [\"=1+1\", 1234567.5],\n  [\"a,\\\"b\\\"\\u000a\\\\\", null],\n  [null, -3]]},\n"
      "{\"title\": \"Empty\",\n \"columns\": [],\n \"rows\": []}]\n");
}

int
main (int argument_count, char **arguments)
{
  g_test_init (&argument_count, &arguments, NULL);
  g_test_add_func ("/lists/set", test_set);
  g_test_add_func ("/lists/identity", test_identity);
  g_test_add_func ("/lists/twice", test_twice);
  g_test_add_func ("/lists/prepend", test_prepend);
  g_test_add_func ("/lists/first", test_first);
  g_test_add_func ("/lists/first/stay", test_first_stay);
  g_test_add_func ("/lists/keys", test_keys);
  g_test_add_func ("/lists/sheets", test_sheets);
  return g_test_run ();
}
