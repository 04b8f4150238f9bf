/* SPDX-License-Identifier: MIT */
/*
 * What the data page reads and shows: bytes in their forms, and the list of keys over a store that is
 * made up here, so that it may be large, slow, and change under the list.
 */
#include <string.h>

#include "insp-bytes.h"
#include "insp-image.h"
#include "insp-json.h"
#include "insp-key-list.h"
#include "insp-key-tree.h"
#include "insp-key.h"
#include "insp-value-form.h"

#define BYTES(literal) g_bytes_new_static (literal, sizeof literal - 1)

/* ---- bytes ---- */

static void
test_escaping (void)
{
  g_autoptr (GBytes) bytes = BYTES ("a\\b\n\x01\xff\xc3\xa9");
  g_autofree char *text = insp_bytes_escape (bytes, 0);
  g_assert_cmpstr (text, ==, "a\\\\b\\n\\x01\\xff\xc3\xa9");
  g_autoptr (GBytes) back = insp_bytes_unescape (text, NULL);
  g_assert_true (g_bytes_equal (bytes, back));
  g_autofree char *part = insp_bytes_escape (bytes, 3);
  g_assert_cmpstr (part, ==, "a\\\\b…");
  static const char *const wrong[] = { "\\", "\\q", "\\x", "\\x1", "\\x1g" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (insp_bytes_unescape (wrong[i], &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

/* A stack of marks on one letter is what lays out in hours. */
static void
test_marks (void)
{
  g_autoptr (GString) text = g_string_new ("a");
  for (guint i = 0; i < 31; i++)
    g_string_append (text, "\xcc\x80");
  g_autoptr (GBytes) many = g_bytes_new (text->str, text->len);
  g_autoptr (GBytes) fewer = g_bytes_new_from_bytes (many, 0, text->len - 2);
  g_assert_true (insp_bytes_are_text (fewer, TRUE));
  g_assert_false (insp_bytes_are_text (many, TRUE));
  g_autofree char *shown = insp_bytes_escape (many, 0);
  g_assert_true (g_str_has_suffix (shown, "\xcc\x80\\xcc\\x80"));
  g_autoptr (GBytes) back = insp_bytes_unescape (shown, NULL);
  g_assert_true (g_bytes_equal (many, back));
}

static void
assert_literal (GBytes *bytes, InspLiteral literal, const char *expected)
{
  g_autofree char *text = insp_bytes_to_literal (bytes, literal);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_literals (void)
{
  g_autoptr (GBytes) text = BYTES ("it's \"1\"\n");
  g_autoptr (GBytes) binary = BYTES ("\x01"
                                     "2\xff??z");
  assert_literal (text, INSP_LITERAL_TEXT, "it's \"1\"\n");
  assert_literal (text, INSP_LITERAL_C, "\"it's \\\"1\\\"\\n\"");
  assert_literal (text, INSP_LITERAL_PYTHON, "b'it\\'s \"1\"\\n'");
  assert_literal (text, INSP_LITERAL_JAVASCRIPT, "'it\\'s \"1\"\\n'");
  assert_literal (binary, INSP_LITERAL_TEXT, "\\x012\\xff??z");
  assert_literal (binary, INSP_LITERAL_C, "\"\\x01\" \"2\\xff\\?\\?z\"");
  assert_literal (binary, INSP_LITERAL_PYTHON, "b'\\x012\\xff??z'");
  assert_literal (binary, INSP_LITERAL_JAVASCRIPT,
                  "new Uint8Array([0x01, 0x32, 0xff, 0x3f, 0x3f, 0x7a])");
}

static void
test_hex (void)
{
  g_autoptr (GBytes) bytes = BYTES ("0123456789abcdef\x7f\n");
  g_autofree char *dump = insp_bytes_dump (bytes);
  g_assert_cmpstr (dump, ==,
                   "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef\n"
                   "00000010  7f 0a                                             ..\n");
  g_autofree char *hex = insp_bytes_to_hex (bytes);
  g_autoptr (GBytes) back = insp_bytes_from_hex (hex, NULL);
  g_assert_true (g_bytes_equal (bytes, back));
  g_assert_null (insp_bytes_from_hex ("0g", NULL));
  g_assert_null (insp_bytes_from_hex ("012", NULL));
}

static void
test_order (void)
{
  g_autoptr (GBytes) prefix = BYTES ("a\xff\xff");
  g_autoptr (GBytes) none = BYTES ("\xff");
  g_autoptr (GBytes) end = insp_bytes_prefix_end (prefix), no_end = insp_bytes_prefix_end (none);
  g_autoptr (GBytes) next = insp_bytes_successor (prefix), b = BYTES ("b");
  g_assert_true (g_bytes_equal (end, b));
  g_assert_null (no_end);
  g_assert_cmpint (g_bytes_compare (prefix, next), <, 0);
  g_assert_cmpuint (g_bytes_get_size (next), ==, 4);
  g_assert_true (insp_bytes_have_prefix (next, prefix));
  g_assert_false (insp_bytes_have_prefix (prefix, next));
}

/* ---- forms ---- */

static void
assert_json (const char *text, gboolean whole, const char *expected)
{
  g_autofree char *indented = insp_json_indent (text, strlen (text), whole);
  g_assert_cmpstr (indented, ==, expected);
}

static void
test_json (void)
{
  assert_json ("{\"a\":[1, -2.5e3,true],\"b\":{},\"c\":\"\\\"x\"}", TRUE,
               "{\n  \"a\": [\n    1,\n    -2.5e3,\n    true\n  ],\n  \"b\": {},\n  \"c\": "
               "\"\\\"x\"\n}");
  static const char *const wrong[]
      = { "",      "{",      "[1,]",  "{\"a\"}", "[1}", "tru",  "[1 2]",
          "{1:2}", "\"open", "[nan]", "1 2",     "]",   "[,1]", "0x10" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    assert_json (wrong[i], TRUE, NULL);
  assert_json ("{\"a\": [1, 2", FALSE, "{\n  \"a\": [\n    1,\n    2");
  assert_json ("{\"a\": \"bro", FALSE, "{\n  \"a\": \"bro");
  g_autoptr (GString) deep = g_string_new (NULL);
  for (guint i = 0; i < 100000; i++)
    g_string_append_c (deep, '[');
  assert_json (deep->str, TRUE, NULL);
}

/* As long as it is deep, it is not shown as a hundred times as much. */
static void
test_deep_json (void)
{
  g_autoptr (GString) deep = g_string_new (NULL);
  for (guint i = 0; i < 199; i++)
    g_string_append_c (deep, '[');
  while (deep->len < 1 << 20)
    g_string_append (deep, "1,");
  g_assert_true (insp_json_is (deep->str, deep->len, FALSE));
  g_assert_false (insp_json_is (deep->str, deep->len, TRUE));
  g_autofree char *indented = insp_json_indent (deep->str, deep->len, FALSE);
  g_assert_cmpuint (strlen (indented), <, 50 << 20);
}

static GBytes *
stored (GVariant *variant)
{
  g_autoptr (GVariant) wrapped = g_variant_ref_sink (g_variant_new_variant (variant));
  return g_variant_get_data_as_bytes (wrapped);
}

static void
test_guesses (void)
{
  g_autoptr (GBytes) document = stored (g_variant_new_parsed ("{'n': <1>, 'on': <true>}"));
  g_autoptr (GBytes) text = BYTES ("just text"), json = BYTES ("{\"a\": 1}");
  g_autoptr (GBytes) binary = BYTES ("\x00\x01\x02"), png = BYTES ("\x89PNG\r\n\x1a\n....");
  g_autoptr (GBytes) brace = BYTES ("{not json");
  g_autoptr (GBytes) cut = BYTES ("caf\xc3"), odd = BYTES ("\x05\x00"
                                                           "a{sv}");
  g_assert_cmpint (insp_value_form_guess (document, TRUE), ==, INSP_VALUE_DOCUMENT);
  g_assert_cmpint (insp_value_form_guess (document, FALSE), ==, INSP_VALUE_HEX);
  g_assert_cmpint (insp_value_form_guess (text, TRUE), ==, INSP_VALUE_TEXT);
  g_assert_cmpint (insp_value_form_guess (json, TRUE), ==, INSP_VALUE_JSON);
  g_assert_cmpint (insp_value_form_guess (brace, TRUE), ==, INSP_VALUE_TEXT);
  g_assert_cmpint (insp_value_form_guess (binary, TRUE), ==, INSP_VALUE_HEX);
  g_assert_cmpint (insp_value_form_guess (png, TRUE), ==, INSP_VALUE_IMAGE);
  g_assert_cmpint (insp_value_form_guess (cut, FALSE), ==, INSP_VALUE_TEXT);
  g_assert_cmpint (insp_value_form_guess (cut, TRUE), ==, INSP_VALUE_HEX);
  g_assert_cmpint (insp_value_form_guess (odd, TRUE), ==, INSP_VALUE_HEX);
  g_autofree char *printed = insp_value_form_print (INSP_VALUE_DOCUMENT, document, TRUE);
  g_assert_cmpstr (printed, ==, "{\n  'n': 1,\n  'on': true\n}");
  g_assert_null (insp_value_form_print (INSP_VALUE_DOCUMENT, odd, TRUE));
}

/* ---- images ---- */

static void
on_image (GObject *source, GAsyncResult *result, gpointer at)
{
  *(GAsyncResult **) at = g_object_ref (result);
}

static GdkTexture *
load (GBytes *bytes, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  insp_image_load_async (bytes, NULL, on_image, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return insp_image_load_finish (result, error);
}

static GBytes *
picture (int width, int height)
{
  char *data;
  gsize size;
  g_autoptr (GdkPixbuf) image = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, width, height);
  gdk_pixbuf_fill (image, 0x336699ff);
  g_assert_true (gdk_pixbuf_save_to_buffer (image, &data, &size, "png", NULL, NULL));
  return g_bytes_new_take (data, size);
}

static void
assert_image (GBytes *bytes, int width, int height)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GdkTexture) texture = load (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpint (gdk_texture_get_width (texture), ==, width);
  g_assert_cmpint (gdk_texture_get_height (texture), ==, height);
}

static void
assert_no_image (GBytes *bytes, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (load (bytes, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, reason));
}

/* What is wider than cairo can draw is scaled down; what would take gigabytes is not decoded. */
static void
test_images (void)
{
  g_autoptr (GBytes) small = picture (30, 20), wide = picture (40000, 1);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (small, 0, g_bytes_get_size (small) / 2);
  g_autoptr (GBytes) none = BYTES ("\x89PNG\r\n\x1a\nnothing of the kind");
  g_autoptr (GBytes) bomb = BYTES ("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\x01\x86\xa0\0\x01\x86\xa0"
                                   "\x08\0\0\0\0\x8d\x39\x54\x14\0\1\0\0IDATx\xda........");
  assert_image (small, 30, 20);
  assert_image (wide, INSP_IMAGE_SIDE_MAX, 1);
  assert_no_image (none, "is no image");
  assert_no_image (cut, "is no image");
  assert_no_image (bomb, "too large");
}

/* ---- a store that is made up ---- */

#define MADE_TYPE_STORE (made_store_get_type ())
G_DECLARE_FINAL_TYPE (MadeStore, made_store, MADE, STORE, GObject)

struct _MadeStore
{
  GObject parent_instance;

  GMutex lock;
  GTree *records; /* GBytes → GBytes; the lock */
  guint reads;    /* the lock */
  guint failing;  /* this read fails, of those; 0: none; the lock */
  gulong delay;   /* microseconds of each read */
  int begun;      /* reads; atomic */
};

G_DEFINE_FINAL_TYPE (MadeStore, made_store, G_TYPE_OBJECT)

static int
by_key (gconstpointer a, gconstpointer b, gpointer data)
{
  return g_bytes_compare (a, b);
}

static void
made_store_finalize (GObject *object)
{
  g_tree_unref (MADE_STORE (object)->records);
  g_mutex_clear (&MADE_STORE (object)->lock);
  G_OBJECT_CLASS (made_store_parent_class)->finalize (object);
}

static void
made_store_class_init (MadeStoreClass *class)
{
  G_OBJECT_CLASS (class)->finalize = made_store_finalize;
}

static void
made_store_init (MadeStore *self)
{
  g_mutex_init (&self->lock);
  self->records = g_tree_new_full (by_key, NULL, (GDestroyNotify) g_bytes_unref,
                                   (GDestroyNotify) g_bytes_unref);
}

static void
put (MadeStore *self, const char *key, const char *value)
{
  g_mutex_lock (&self->lock);
  g_tree_replace (self->records, g_bytes_new (key, strlen (key)),
                  g_bytes_new (value, strlen (value)));
  g_mutex_unlock (&self->lock);
}

static void delete (MadeStore *self, const char *key)
{
  g_autoptr (GBytes) bytes = g_bytes_new (key, strlen (key));
  g_mutex_lock (&self->lock);
  g_assert_true (g_tree_remove (self->records, bytes));
  g_mutex_unlock (&self->lock);
}

static GPtrArray *
read_made (gpointer source, const InspWish *wish, GCancellable *cancellable, GError **error)
{
  MadeStore *self = source;
  gboolean reverse = (wish->flags & LDB_SCAN_REVERSE) != 0;
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_record_unref);
  g_autoptr (GBytes) first = g_bytes_new (NULL, 0);
  GBytes *start = wish->start != NULL ? wish->start : first;
  g_atomic_int_inc (&self->begun);
  g_usleep (self->delay);
  g_mutex_lock (&self->lock);
  self->reads++;
  if (self->reads == self->failing)
    {
      g_mutex_unlock (&self->lock);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "It did not answer.");
      g_ptr_array_unref (records);
      return NULL;
    }
  GTreeNode *node = NULL;
  if (!reverse)
    node = g_tree_lower_bound (self->records, start);
  else if (wish->end == NULL)
    node = g_tree_node_last (self->records);
  else
    {
      node = g_tree_lower_bound (self->records, wish->end);
      node = node != NULL ? g_tree_node_previous (node) : g_tree_node_last (self->records);
    }
  for (; node != NULL && records->len < wish->limit;
       node = reverse ? g_tree_node_previous (node) : g_tree_node_next (node))
    {
      GBytes *key = g_tree_node_key (node);
      if (reverse ? g_bytes_compare (key, start) < 0
                  : wish->end != NULL && g_bytes_compare (key, wish->end) >= 0)
        break;
      g_ptr_array_add (records, ldb_record_new (key, (wish->flags & LDB_SCAN_KEYS_ONLY) == 0
                                                         ? g_tree_node_value (node)
                                                         : NULL));
    }
  g_mutex_unlock (&self->lock);
  return records;
}

static void
put_many (MadeStore *self, guint count)
{
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *key = g_strdup_printf ("key%07u", 2 * i);
      put (self, key, "value");
    }
}

/* ---- a list, and somebody who is told everything about it ---- */

typedef struct
{
  MadeStore *store;
  InspKeyList *list;
  guint count;   /* of its items, as it told */
  guint told;    /* signals */
  guint changed; /* items of the last signal: removed and added */
  guint arrived; /* position; G_MAXUINT: not yet */
} Fixture;

static void
on_items_changed (GListModel *list, guint position, guint removed, guint added, Fixture *self)
{
  g_assert_cmpuint (position + removed, <=, self->count);
  self->count = self->count - removed + added;
  g_assert_cmpuint (self->count, ==, g_list_model_get_n_items (list));
  self->told++;
  self->changed = removed + added;
}

static void
on_arrived (InspKeyList *list, guint position, Fixture *self)
{
  self->arrived = position;
}

static void
begin (Fixture *self, const char *prefix, gboolean reverse)
{
  g_autoptr (InspRecordReader) reader = insp_record_reader_new (read_made, self->store);
  g_autoptr (GBytes) bytes = g_bytes_new (prefix, strlen (prefix));
  self->list = insp_key_list_new (reader, NULL, bytes, reverse);
  self->count = 0;
  self->arrived = G_MAXUINT;
  g_signal_connect (self->list, "items-changed", G_CALLBACK (on_items_changed), self);
  g_signal_connect (self->list, "arrived", G_CALLBACK (on_arrived), self);
  insp_key_list_set_active (self->list, TRUE);
}

static void
end (Fixture *self)
{
  g_assert_finalize_object (self->list);
  g_object_unref (self->store);
}

static void
complete (Fixture *self)
{
  while (!insp_key_list_is_complete (self->list))
    g_main_context_iteration (NULL, TRUE);
}

static gboolean
on_time (gpointer passed)
{
  *(gboolean *) passed = TRUE;
  return G_SOURCE_REMOVE;
}

static void
pass_time (guint milliseconds)
{
  gboolean passed = FALSE;
  g_timeout_add (milliseconds, on_time, &passed);
  while (!passed)
    g_main_context_iteration (NULL, TRUE);
}

static char *
key_at (Fixture *self, guint position)
{
  g_autoptr (InspKey) row = g_list_model_get_item (G_LIST_MODEL (self->list), position);
  g_assert_nonnull (row);
  while (insp_key_get_key (row) == NULL)
    g_main_context_iteration (NULL, TRUE);
  return insp_bytes_escape (insp_key_get_key (row), 0);
}

static void
assert_key (Fixture *self, guint position, const char *expected)
{
  g_autofree char *key = key_at (self, position);
  g_assert_cmpstr (key, ==, expected);
}

/* Each item is what the store has there. */
static void
assert_all (Fixture *self)
{
  guint count = (guint) g_tree_nnodes (self->store->records);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (self->list)), ==, count);
  GTreeNode *node = g_tree_node_first (self->store->records);
  for (guint i = 0; i < count; i++, node = g_tree_node_next (node))
    {
      g_autofree char *expected = insp_bytes_escape (g_tree_node_key (node), 0);
      assert_key (self, insp_key_list_is_reverse (self->list) ? count - 1 - i : i, expected);
    }
}

static void
test_list (void)
{
  for (guint reverse = 0; reverse < 2; reverse++)
    for (guint i = 0; i < 5; i++)
      {
        static const guint counts[] = { 0, 1, 249, 250, 3001 };
        Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
        put_many (self.store, counts[i]);
        begin (&self, "", reverse);
        complete (&self);
        assert_all (&self);
        g_assert_null (g_list_model_get_item (G_LIST_MODEL (self.list), counts[i]));
        end (&self);
      }
}

static void
test_prefix (void)
{
  Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
  put_many (self.store, 2000);
  put (self.store, "other", "");
  begin (&self, "key00010", FALSE);
  complete (&self);
  g_assert_cmpuint (self.count, ==, 50);
  assert_key (&self, 0, "key0001000");
  assert_key (&self, 49, "key0001098");
  end (&self);
}

/* However many there are, few are held; and each is the same object while somebody has it. */
static void
test_million (void)
{
  Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
  put_many (self.store, 1000000);
  begin (&self, "", FALSE);
  complete (&self);
  g_assert_cmpuint (self.count, ==, 1000000);
  g_autoptr (InspKey) first = g_list_model_get_item (G_LIST_MODEL (self.list), 10);
  for (guint i = 0; i < 200; i++)
    {
      guint at = g_random_int_range (0, 1000000);
      g_autofree char *expected = g_strdup_printf ("key%07u", 2 * at);
      assert_key (&self, at, expected);
    }
  g_autoptr (InspKey) again = g_list_model_get_item (G_LIST_MODEL (self.list), 10);
  g_assert_true (first == again);
  g_assert_cmpuint (insp_key_list_count_held (self.list), <, 10000);
  end (&self);
}

static void
all_is_read (MadeStore *store)
{
  for (guint reads = G_MAXUINT, before = 0; reads != before;)
    {
      before = reads;
      pass_time (20 + (guint) (3 * store->delay / 1000));
      g_mutex_lock (&store->lock);
      reads = store->reads;
      g_mutex_unlock (&store->lock);
    }
}

/* What arrives when nobody has it any longer is not held. */
static void
test_late (void)
{
  Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
  put_many (self.store, 200000);
  begin (&self, "", FALSE);
  complete (&self);
  self.store->delay = 2000;
  for (guint i = 0; i < 200; i++) /* and the two chunks beside each, of 800 */
    g_object_unref (g_list_model_get_item (G_LIST_MODEL (self.list), i * 1000));
  all_is_read (self.store);
  g_assert_cmpuint (insp_key_list_count_held (self.list), <, 10000);
  end (&self);
}

/* Keys are counted while their rows are asked for: these have values nevertheless. */
static void
test_counted_meanwhile (void)
{
  Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
  put_many (self.store, 100000);
  begin (&self, "", FALSE);
  complete (&self);
  g_autoptr (GBytes) key = BYTES ("key0100000");
  insp_key_list_touch (self.list, key, NULL);
  self.store->delay = 5000; /* the list waits for that */
  g_atomic_int_set (&self.store->begun, 0);
  while (g_atomic_int_get (&self.store->begun) == 0)
    g_main_context_iteration (NULL, FALSE);
  g_autoptr (InspKey) row = g_list_model_get_item (G_LIST_MODEL (self.list), 50000);
  assert_key (&self, 50000, "key0100000");
  g_assert_nonnull (insp_key_get_value (row));
  end (&self);
}

/* An item is there when it is asked for, if the application answers soon; else the list does not wait. */
static void
test_patience (void)
{
  Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
  put_many (self.store, 100000);
  begin (&self, "", FALSE);
  complete (&self);
  gboolean was_there = FALSE;
  for (guint i = 0; i < 100 && !was_there; i++) /* a machine may have other things to do */
    {
      g_autoptr (InspKey) soon = g_list_model_get_item (G_LIST_MODEL (self.list), i * 700);
      was_there = insp_key_get_key (soon) != NULL;
      pass_time (50);
    }
  g_assert_true (was_there);
  self.store->delay = 300000;
  g_autoptr (InspKey) late = g_list_model_get_item (G_LIST_MODEL (self.list), 80000);
  g_assert_null (insp_key_get_key (late));
  assert_key (&self, 80000, "key0160000");
  g_assert_nonnull (insp_key_get_key (late));
  end (&self);
}

static void
touch (Fixture *self, const char *key)
{
  g_autoptr (GBytes) bytes = g_bytes_new (key, strlen (key));
  insp_key_list_touch (self->list, bytes, NULL);
}

static void
test_changes (void)
{
  for (guint reverse = 0; reverse < 2; reverse++)
    {
      Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
      put_many (self.store, 1000);
      begin (&self, "", reverse);
      complete (&self);
      guint at = reverse ? 999 - 10 : 10;
      g_autoptr (InspKey) row = g_list_model_get_item (G_LIST_MODEL (self.list), at);
      put (self.store, "key0000020", "another");
      put (self.store, "key0000021", "new");
      put (self.store, "key0000023", "new");
      delete (self.store, "key0000018");
      touch (&self, "key0000020");
      touch (&self, "key0000021");
      touch (&self, "key0000023");
      touch (&self, "key0000018");
      self.told = 0;
      pass_time (600);
      g_assert_cmpuint (self.told, ==, 3); /* each for what it is, not all anew */
      g_assert_cmpuint (self.count, ==, 1001);
      g_assert_cmpint (insp_key_get_mark (row), ==, INSP_KEY_CHANGED);
      g_autoptr (InspKey) same
          = g_list_model_get_item (G_LIST_MODEL (self.list), at + (reverse ? 2 : -1));
      g_assert_true (row == same);
      g_clear_object (&same);
      assert_all (&self);
      end (&self);
    }
}

/* A chunk that is not seen is counted again by and by; one that grows is parted. */
static void
test_growth (void)
{
  Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
  put_many (self.store, 2000);
  begin (&self, "", FALSE);
  complete (&self);
  for (guint i = 0; i < 3000; i++)
    {
      g_autofree char *key = g_strdup_printf ("key0001999-%04u", i);
      put (self.store, key, "");
      touch (&self, key);
    }
  while (self.count != 5000)
    g_main_context_iteration (NULL, TRUE);
  assert_all (&self);
  put (self.store, "zzz", "");
  touch (&self, "zzz");
  while (self.count != 5001)
    g_main_context_iteration (NULL, TRUE);
  end (&self);
}

static void
test_deletion (void)
{
  Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
  g_autoptr (GBytes) from = BYTES ("key0000100"), to = BYTES ("key0001900");
  put_many (self.store, 1000);
  begin (&self, "", FALSE);
  complete (&self);
  for (guint i = 50; i < 950; i++)
    {
      g_autofree char *key = g_strdup_printf ("key%07u", 2 * i);
      delete (self.store, key);
    }
  insp_key_list_touch (self.list, from, to);
  while (self.count != 100)
    g_main_context_iteration (NULL, TRUE);
  assert_all (&self);
  end (&self);
}

/* As a list view, which holds what it shows. */
static void
on_rows (GListModel *list, guint position, guint removed, guint added, GPtrArray *shown)
{
  g_ptr_array_set_size (shown, 0);
  for (guint i = 0; i < 200 && i < g_list_model_get_n_items (list); i++)
    g_ptr_array_add (shown, g_list_model_get_item (list, i));
}

/* Where what moves up into view is gone as well, the main loop has its turns in between. */
static void
test_deletion_in_view (void)
{
  Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
  g_autoptr (GBytes) from = BYTES ("key"), to = BYTES ("kez");
  g_autoptr (GPtrArray) shown = g_ptr_array_new_with_free_func (g_object_unref);
  guint most = 0;
  put_many (self.store, 20000);
  put (self.store, "last", "");
  begin (&self, "", FALSE);
  g_signal_connect (self.list, "items-changed", G_CALLBACK (on_rows), shown);
  complete (&self);
  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *key = g_strdup_printf ("key%07u", 2 * i);
      delete (self.store, key);
    }
  insp_key_list_touch (self.list, from, to);
  while (self.count != 1)
    {
      self.told = 0;
      g_main_context_iteration (NULL, TRUE);
      most = MAX (most, self.told);
    }
  g_assert_cmpuint (most, <, 5); /* of 80 chunks */
  g_ptr_array_set_size (shown, 0);
  end (&self);
}

static void
go_to (Fixture *self, const char *key)
{
  g_autoptr (GBytes) bytes = g_bytes_new (key, strlen (key));
  self->arrived = G_MAXUINT;
  insp_key_list_go_to (self->list, bytes);
  while (self->arrived == G_MAXUINT)
    g_main_context_iteration (NULL, TRUE);
}

/* At once, before the list knows how many there are before; then at the right place. */
static void
test_go_to (void)
{
  for (guint reverse = 0; reverse < 2; reverse++)
    {
      Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
      put_many (self.store, 100000);
      begin (&self, "", reverse);
      go_to (&self, "key0100001");
      g_assert_false (insp_key_list_is_complete (self.list));
      assert_key (&self, self.arrived, "key0100002");
      complete (&self);
      assert_key (&self, reverse ? 99999 - 50001 : 50001, "key0100002");
      go_to (&self, "key0150000");
      g_assert_cmpuint (self.arrived, ==, reverse ? 99999 - 75000 : 75000);
      go_to (&self, "a");
      g_assert_cmpuint (self.arrived, ==, reverse ? 99999 : 0);
      go_to (&self, "zzz");
      g_assert_cmpuint (self.arrived, ==, reverse ? 0 : 99999);
      end (&self);
    }
}

static void
test_begun_and_left (void)
{
  for (guint i = 0; i < 20; i++)
    {
      Fixture self = { .store = g_object_new (MADE_TYPE_STORE, NULL) };
      self.store->delay = 2000;
      put_many (self.store, 5000);
      begin (&self, "", i % 2);
      pass_time (i);
      end (&self);
    }
  pass_time (50);
}

/* ---- the tree ---- */

static char *
branches (GListModel *rows)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < g_list_model_get_n_items (rows); i++)
    {
      g_autoptr (GtkTreeListRow) row = g_list_model_get_item (rows, i);
      g_autoptr (InspBranch) branch = gtk_tree_list_row_get_item (row);
      g_autofree char *name = insp_branch_to_text (branch);
      g_string_append_printf (text, "%s%*s%s", i > 0 ? "|" : "",
                              (int) gtk_tree_list_row_get_depth (row), "", name);
    }
  return g_string_free (text, FALSE);
}

static void
assert_branches (GtkTreeListModel *model, const char *expected)
{
  g_autofree char *text = NULL;
  gint64 until = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  do
    {
      g_free (text);
      g_main_context_iteration (NULL, FALSE);
      text = branches (G_LIST_MODEL (model));
    }
  while (!g_str_equal (text, expected) && g_get_monotonic_time () < until);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_tree (void)
{
  g_autoptr (MadeStore) store = g_object_new (MADE_TYPE_STORE, NULL);
  g_autoptr (GBytes) prefix = g_bytes_new (NULL, 0), key = BYTES ("user:bob:age");
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *name = g_strdup_printf ("log:%04u", i);
      put (store, name, "");
    }
  put (store, "alone", "");
  put (store, "user:ada:age", "");
  put (store, "user:ada:name", "");
  put (store, "user:bob:name", "");
  InspRecordReader *reader = insp_record_reader_new (read_made, store);
  InspKeyTree *tree = insp_key_tree_new (reader, NULL, prefix, ':');
  GtkTreeListModel *model = insp_key_tree_make_model (tree);
  assert_branches (model, "alone|log:|user:");
  g_assert_cmpuint (store->reads, <, 10); /* 1000 keys of a branch cost one read */
  g_autoptr (GtkTreeListRow) users = g_list_model_get_item (G_LIST_MODEL (model), 2);
  gtk_tree_list_row_set_expanded (users, TRUE);
  assert_branches (model, "alone|log:|user:| ada:| bob:");
  g_autoptr (GtkTreeListRow) bob = g_list_model_get_item (G_LIST_MODEL (model), 4);
  gtk_tree_list_row_set_expanded (bob, TRUE);
  assert_branches (model, "alone|log:|user:| ada:| bob:|  name");
  put (store, "user:bob:age", "");
  put (store, "user:cal", "");
  insp_key_tree_touch (tree, key);
  assert_branches (model, "alone|log:|user:| ada:| bob:|  age|  name| cal");
  g_object_unref (model);
  g_object_unref (tree);
  g_object_unref (reader);
}

static void
on_told (InspKeyTree *tree, guint *told)
{
  ++*told;
}

static void
on_error (InspKeyTree *tree, const GError *error, guint *failed)
{
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  ++*failed;
}

/* A level that was read in part is read from its beginning the next time, and who watches knows. */
static void
test_tree_fails (void)
{
  g_autoptr (MadeStore) store = g_object_new (MADE_TYPE_STORE, NULL);
  g_autoptr (GBytes) prefix = g_bytes_new (NULL, 0);
  guint told = 0, failed = 0;
  for (guint i = 0; i < 150; i++) /* in two readings */
    {
      g_autofree char *name = g_strdup_printf ("key%03u", i);
      put (store, name, "");
    }
  store->failing = 2;
  g_autoptr (InspRecordReader) reader = insp_record_reader_new (read_made, store);
  g_autoptr (InspKeyTree) tree = insp_key_tree_new (reader, NULL, prefix, ':');
  g_signal_connect (tree, "progressed", G_CALLBACK (on_told), &told);
  g_signal_connect (tree, "failed", G_CALLBACK (on_error), &failed);
  g_autoptr (GtkTreeListModel) model = insp_key_tree_make_model (tree);
  while (failed == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (model)), ==, 0);
  insp_key_tree_touch (tree, NULL);
  while (told == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (model)), ==, 150);
}

static char
guess (const char *const *keys)
{
  g_autoptr (GPtrArray) records
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_record_unref);
  for (; *keys != NULL; keys++)
    {
      g_autoptr (GBytes) key = g_bytes_new (*keys, strlen (*keys));
      g_ptr_array_add (records, ldb_record_new (key, NULL));
    }
  return insp_key_tree_guess (records);
}

static void
test_delimiters (void)
{
  g_assert_cmpint (guess ((const char *const[]){ "a/b.c", "a/c.d", "b/c", NULL }), ==, '/');
  g_assert_cmpint (guess ((const char *const[]){ "org.a", "org.b", NULL }), ==, '.');
  g_assert_cmpint (guess ((const char *const[]){ "a", "b", NULL }), ==, ':');
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/data/escaping", test_escaping);
  g_test_add_func ("/data/marks", test_marks);
  g_test_add_func ("/data/literals", test_literals);
  g_test_add_func ("/data/hex", test_hex);
  g_test_add_func ("/data/order", test_order);
  g_test_add_func ("/data/json", test_json);
  g_test_add_func ("/data/deep-json", test_deep_json);
  g_test_add_func ("/data/guesses", test_guesses);
  g_test_add_func ("/data/images", test_images);
  g_test_add_func ("/data/tree-fails", test_tree_fails);
  g_test_add_func ("/data/list", test_list);
  g_test_add_func ("/data/prefix", test_prefix);
  g_test_add_func ("/data/million", test_million);
  g_test_add_func ("/data/late", test_late);
  g_test_add_func ("/data/counted-meanwhile", test_counted_meanwhile);
  g_test_add_func ("/data/patience", test_patience);
  g_test_add_func ("/data/changes", test_changes);
  g_test_add_func ("/data/growth", test_growth);
  g_test_add_func ("/data/deletion", test_deletion);
  g_test_add_func ("/data/deletion-in-view", test_deletion_in_view);
  g_test_add_func ("/data/go-to", test_go_to);
  g_test_add_func ("/data/begun-and-left", test_begun_and_left);
  g_test_add_func ("/data/tree", test_tree);
  g_test_add_func ("/data/delimiters", test_delimiters);
  return g_test_run ();
}
