/* SPDX-License-Identifier: MIT */
#include "list-validator.h"

#include <string.h>

/* What is known of a row. */
typedef struct
{
  GBytes *key;   /* owned */
  GObject *item; /* a reference if rows are held, else NULL */
} Row;

struct _ListValidator
{
  GListModel *list;         /* a reference */
  gboolean reverse;         /* keys fall */
  ListValidatorFlags flags; /* how to look */
  GArray *rows;             /* of Row */
  GArray *signals;          /* of ListSignal, since they were last taken */
  guint n_items;            /* as last notified, or at first */
  gulong changed, notified; /* handlers */
  GRand *random;            /* which rows to look at */
};

static void
row_clear (gpointer data)
{
  Row *row = data;
  g_bytes_unref (row->key);
  g_clear_object (&row->item);
}

static Row *
row_at (ListValidator *self, guint position)
{
  return &g_array_index (self->rows, Row, position);
}

static Row
look (ListValidator *self, guint position)
{
  g_autoptr (GObject) item = g_list_model_get_item (self->list, position);
  g_assert_nonnull (item);
  g_assert_true (g_type_is_a (G_OBJECT_TYPE (item), g_list_model_get_item_type (self->list)));
  GBytes *key = ldb_entry_get_key (LDB_ENTRY (item));
  g_assert_nonnull (key);
  return (Row){
    .key = g_bytes_ref (key),
    .item = self->flags & LIST_VALIDATOR_HOLD ? g_steal_pointer (&item) : NULL,
  };
}

/* The list's row is the copy's. */
static void
check_row (ListValidator *self, guint position)
{
  Row row = look (self, position), *known = row_at (self, position);
  g_assert_true (g_bytes_equal (row.key, known->key));
  g_assert_true (row.item == known->item);
  row_clear (&row);
}

static void
check_order (ListValidator *self, guint position)
{
  if (position == 0 || position >= self->rows->len)
    return;
  int order = g_bytes_compare (row_at (self, position - 1)->key, row_at (self, position)->key);
  g_assert_true (self->reverse ? order > 0 : order < 0);
}

static void
check_ends (ListValidator *self)
{
  guint count = self->rows->len;
  g_assert_cmpuint (g_list_model_get_n_items (self->list), ==, count);
  g_assert_null (g_list_model_get_item (self->list, count));
  g_assert_null (g_list_model_get_item (self->list, G_MAXUINT));
}

void
list_validator_check (ListValidator *self)
{
  check_ends (self);
  for (guint i = 0; i < self->rows->len; i++)
    {
      check_row (self, i);
      check_order (self, i);
    }
}

/* A few rows: around what has changed, at the ends, anywhere. */
static void
check_some (ListValidator *self, guint position, guint added)
{
  guint count = self->rows->len;
  guint places[] = { 0, position - 1, position, position + added - 1, position + added, count - 1 };
  check_ends (self);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (places[i] < count)
      {
        check_row (self, places[i]);
        check_order (self, places[i]);
      }
  for (guint i = 0; i < 4 && count > 0; i++)
    check_row (self, (guint) g_rand_int_range (self->random, 0, (gint32) count));
}

static gboolean
has_key (const Row *rows, guint count, GBytes *key)
{
  for (guint i = 0; i < count; i++)
    if (g_bytes_equal (rows[i].key, key))
      return TRUE;
  return FALSE;
}

/* No row is said to have gone and come that has not. */
static void
check_minimal (ListValidator *self, guint position, guint removed, const Row *added, guint count)
{
  gboolean spans = (self->flags & LIST_VALIDATOR_SPANS) != 0;
  const Row *gone = removed > 0 ? row_at (self, position) : NULL;
  g_assert_true (removed > 0 || count > 0);
  if (removed == 0 || count == 0)
    return;
  g_assert_false (g_bytes_equal (gone[0].key, added[0].key));
  g_assert_false (g_bytes_equal (gone[removed - 1].key, added[count - 1].key));
  for (guint i = 0; !spans && i < count; i++)
    g_assert_false (has_key (gone, removed, added[i].key));
}

static void
items_changed (GListModel *list, guint position, guint removed, guint added, gpointer data)
{
  ListValidator *self = data;
  ListSignal told = { position, removed, added };
  g_assert_cmpuint (position, <=, self->rows->len);
  g_assert_cmpuint (removed, <=, self->rows->len - position);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, self->rows->len - removed + added);
  g_array_append_val (self->signals, told);
  g_autofree Row *rows = g_new (Row, added > 0 ? added : 1);
  for (guint i = 0; i < added; i++)
    rows[i] = look (self, position + i);
  check_minimal (self, position, removed, rows, added);
  g_array_remove_range (self->rows, position, removed);
  g_array_insert_vals (self->rows, position, rows, added);
  if (self->flags & LIST_VALIDATOR_SOME)
    check_some (self, position, added);
  else
    list_validator_check (self);
}

static void
n_items_notified (GObject *list, GParamSpec *pspec, gpointer data)
{
  ListValidator *self = data;
  guint count;
  g_object_get (list, "n-items", &count, NULL);
  g_assert_cmpuint (count, !=, self->n_items);
  g_assert_cmpuint (count, ==, self->rows->len);
  self->n_items = count;
}

ListValidator *
list_validator_new (GListModel *list, gboolean reverse, ListValidatorFlags flags)
{
  ListValidator *self = g_new0 (ListValidator, 1);
  self->list = g_object_ref (list);
  self->reverse = reverse;
  self->flags = flags;
  self->random = g_rand_new_with_seed (5);
  self->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  g_array_set_clear_func (self->rows, row_clear);
  self->signals = g_array_new (FALSE, FALSE, sizeof (ListSignal));
  self->n_items = g_list_model_get_n_items (list);
  for (guint i = 0; i < self->n_items; i++)
    {
      Row row = look (self, i);
      g_array_append_val (self->rows, row);
      check_order (self, i);
    }
  self->changed = g_signal_connect (list, "items-changed", G_CALLBACK (items_changed), self);
  self->notified = g_signal_connect (list, "notify::n-items", G_CALLBACK (n_items_notified), self);
  return self;
}

void
list_validator_free (ListValidator *self)
{
  g_assert_cmpuint (self->n_items, ==, self->rows->len);
  g_signal_handler_disconnect (self->list, self->changed);
  g_signal_handler_disconnect (self->list, self->notified);
  g_object_unref (self->list);
  g_array_unref (self->rows);
  g_array_unref (self->signals);
  g_rand_free (self->random);
  g_free (self);
}

GArray *
list_validator_take_signals (ListValidator *self)
{
  GArray *signals = self->signals;
  self->signals = g_array_new (FALSE, FALSE, sizeof (ListSignal));
  return signals;
}

guint
list_validator_get_n_signals (ListValidator *self)
{
  return self->signals->len;
}

guint
list_validator_get_n_rows (ListValidator *self)
{
  return self->rows->len;
}

GBytes *
list_validator_get_key (ListValidator *self, guint position)
{
  return row_at (self, position)->key;
}

GObject *
list_validator_get_item (ListValidator *self, guint position)
{
  return row_at (self, position)->item;
}

GPtrArray *
list_validator_copy_keys (ListValidator *self)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < self->rows->len; i++)
    g_ptr_array_add (keys, g_bytes_ref (row_at (self, i)->key));
  return keys;
}

/* Which of two keys comes first in the list; NULL comes after all. */
static int
compare (ListValidator *self, GBytes *a, GBytes *b)
{
  if (a == NULL || b == NULL)
    return (a == NULL) - (b == NULL);
  int order = g_bytes_compare (a, b);
  return self->reverse ? -order : order;
}

/* Stretches of keys that are in one of both only, between those that are in both. */
static GArray *
find_stretches (ListValidator *self, GPtrArray *before)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (ListSignal));
  gboolean open = FALSE;
  for (guint i = 0, j = 0; i < before->len || j < self->rows->len;)
    {
      GBytes *old = i < before->len ? g_ptr_array_index (before, i) : NULL;
      GBytes *new = j < self->rows->len ? row_at (self, j)->key : NULL;
      int order = compare (self, old, new);
      if (order != 0 && !open)
        {
          ListSignal fresh = { self->reverse ? i : j, 0, 0 };
          g_array_append_val (all, fresh);
        }
      open = order != 0;
      if (order < 0)
        g_array_index (all, ListSignal, all->len - 1).removed++;
      else if (order > 0)
        g_array_index (all, ListSignal, all->len - 1).added++;
      i += order <= 0;
      j += order >= 0;
    }
  return all;
}

/* Signals come from the lowest key up: the first one of a reversed list is the last one here. */
void
list_validator_check_fewest (ListValidator *self, GPtrArray *before)
{
  g_autoptr (GArray) told = list_validator_take_signals (self);
  g_autoptr (GArray) fewest = find_stretches (self, before);
  g_assert_cmpuint (told->len, ==, fewest->len);
  for (guint i = 0; i < told->len; i++)
    {
      const ListSignal *is = &g_array_index (told, ListSignal, i);
      const ListSignal *expected
          = &g_array_index (fewest, ListSignal, self->reverse ? told->len - 1 - i : i);
      g_assert_cmpuint (is->position, ==, expected->position);
      g_assert_cmpuint (is->removed, ==, expected->removed);
      g_assert_cmpuint (is->added, ==, expected->added);
    }
}
