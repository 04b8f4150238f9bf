/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   L1  `rows` is what the list's users were told of; `by_identity` has just these.
 *   L2  State first, signal second.
 */
#include "config.h"

#include "insp-row-list.h"

struct _InspRow
{
  GObject parent_instance;

  gpointer contents; /* owned */
  GDestroyNotify free_contents;
  guint64 identity;
};

G_DEFINE_FINAL_TYPE (InspRow, insp_row, G_TYPE_OBJECT)

static guint row_changed;

static void
insp_row_finalize (GObject *object)
{
  InspRow *self = INSP_ROW (object);
  self->free_contents (self->contents);
  G_OBJECT_CLASS (insp_row_parent_class)->finalize (object);
}

static void
insp_row_class_init (InspRowClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_row_finalize;
  row_changed = g_signal_new ("changed", INSP_TYPE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                              G_TYPE_NONE, 0);
}

static void
insp_row_init (InspRow *self)
{
}

gconstpointer
insp_row_get (InspRow *self)
{
  return self->contents;
}

struct _InspRowList
{
  GObject parent_instance;

  GPtrArray *rows;         /* L1; InspRow; owned */
  GHashTable *by_identity; /* L1; pointer to a row's identity to row; borrowed of `rows` */
  InspRowIdentity identity;
  GDestroyNotify free_contents;
};

static GType
get_item_type (GListModel *list)
{
  return INSP_TYPE_ROW;
}

static guint
get_n_items (GListModel *list)
{
  return INSP_ROW_LIST (list)->rows->len;
}

static gpointer
get_item (GListModel *list, guint position)
{
  InspRowList *self = INSP_ROW_LIST (list);
  return position < self->rows->len ? g_object_ref (g_ptr_array_index (self->rows, position))
                                    : NULL;
}

static void
list_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (InspRowList, insp_row_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_init))

static void
insp_row_list_finalize (GObject *object)
{
  InspRowList *self = INSP_ROW_LIST (object);
  g_hash_table_unref (self->by_identity);
  g_ptr_array_unref (self->rows);
  G_OBJECT_CLASS (insp_row_list_parent_class)->finalize (object);
}

static void
insp_row_list_class_init (InspRowListClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_row_list_finalize;
}

static void
insp_row_list_init (InspRowList *self)
{
  self->rows = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_identity = g_hash_table_new (g_int64_hash, g_int64_equal);
}

InspRowList *
insp_row_list_new (InspRowIdentity identity, GDestroyNotify free_contents)
{
  InspRowList *self = g_object_new (INSP_TYPE_ROW_LIST, NULL);
  self->identity = identity;
  self->free_contents = free_contents;
  return self;
}

/* ---- splices ---- */

static InspRow *
row_new (InspRowList *self, gpointer contents)
{
  InspRow *row = g_object_new (INSP_TYPE_ROW, NULL);
  row->contents = contents;
  row->free_contents = self->free_contents;
  row->identity = self->identity (contents);
  return row;
}

static void
remove_rows (InspRowList *self, guint position, guint count)
{
  if (count == 0)
    return;
  for (guint i = position; i < position + count; i++)
    {
      InspRow *row = g_ptr_array_index (self->rows, i);
      g_hash_table_remove (self->by_identity, &row->identity);
    }
  g_ptr_array_remove_range (self->rows, position, count);
  g_list_model_items_changed (G_LIST_MODEL (self), position, count, 0);
}

static void
insert_rows (InspRowList *self, guint position, gpointer *contents, guint count)
{
  if (count == 0)
    return;
  for (guint i = 0; i < count; i++)
    {
      InspRow *row = row_new (self, contents[i]);
      g_ptr_array_insert (self->rows, (int) (position + i), row);
      g_hash_table_insert (self->by_identity, &row->identity, row);
    }
  g_list_model_items_changed (G_LIST_MODEL (self), position, 0, count);
}

static void
change_row (InspRow *row, gpointer contents)
{
  row->free_contents (row->contents);
  row->contents = contents;
  g_signal_emit (row, row_changed, 0);
}

static guint64
identity_at (InspRowList *self, guint position)
{
  return ((InspRow *) g_ptr_array_index (self->rows, position))->identity;
}

/* How many from `position` on are not in the set any more. */
static guint
count_gone (InspRowList *self, guint position, GHashTable *wanted)
{
  guint end = position;
  while (end < self->rows->len)
    {
      guint64 identity = identity_at (self, end);
      if (g_hash_table_contains (wanted, &identity))
        break;
      end++;
    }
  return end - position;
}

/* How many contents from `next` on no row is of. */
static guint
count_new (InspRowList *self, GPtrArray *contents, guint next)
{
  guint end = next;
  while (end < contents->len)
    {
      guint64 identity = self->identity (g_ptr_array_index (contents, end));
      if (g_hash_table_contains (self->by_identity, &identity))
        break;
      end++;
    }
  return end - next;
}

/* What comes a second time goes: an application may tell what it likes. */
static GHashTable *
take_identities (InspRowList *self, GPtrArray *contents)
{
  GHashTable *set = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  guint i = 0;
  while (i < contents->len)
    {
      guint64 identity = self->identity (g_ptr_array_index (contents, i));
      if (g_hash_table_add (set, g_memdup2 (&identity, sizeof identity)))
        i++;
      else
        self->free_contents (g_ptr_array_steal_index (contents, i));
    }
  return set;
}

/* The next contents' row is further behind: all of it that is between goes, to come again. */
static guint
count_before (InspRowList *self, guint position, guint64 identity)
{
  guint end = position;
  while (identity_at (self, end) != identity)
    end++;
  return end - position;
}

void
insp_row_list_set (InspRowList *self, GPtrArray *contents)
{
  guint position = 0, next = 0;
  g_autoptr (GHashTable) wanted = take_identities (self, contents);
  while (next < contents->len)
    {
      gpointer *from = &g_ptr_array_index (contents, next);
      guint count = count_new (self, contents, next);
      remove_rows (self, position, count_gone (self, position, wanted));
      insert_rows (self, position, from, count);
      position += count;
      next += count;
      if (next == contents->len)
        break;
      guint64 identity = self->identity (g_ptr_array_index (contents, next));
      remove_rows (self, position, count_gone (self, position, wanted));
      remove_rows (self, position, count_before (self, position, identity));
      change_row (g_ptr_array_index (self->rows, position++), g_ptr_array_index (contents, next++));
    }
  remove_rows (self, position, self->rows->len - position);
  g_ptr_array_set_free_func (contents, NULL); /* all are taken */
  g_ptr_array_set_size (contents, 0);
}

static void
reverse (GPtrArray *array)
{
  for (guint i = 0; i < array->len / 2; i++)
    {
      gpointer first = array->pdata[i];
      array->pdata[i] = array->pdata[array->len - 1 - i];
      array->pdata[array->len - 1 - i] = first;
    }
}

void
insp_row_list_prepend_reversed (InspRowList *self, GPtrArray *contents, guint most)
{
  reverse (contents);
  insert_rows (self, 0, contents->pdata, contents->len);
  g_ptr_array_set_free_func (contents, NULL);
  g_ptr_array_set_size (contents, 0);
  if (self->rows->len > most)
    remove_rows (self, most, self->rows->len - most);
}

gconstpointer
insp_row_list_get (InspRowList *self, guint position)
{
  return position < self->rows->len ? insp_row_get (g_ptr_array_index (self->rows, position))
                                    : NULL;
}

guint64
insp_row_identity_of_bytes (gconstpointer bytes, gsize size)
{
  const guint8 *byte = bytes;
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325); /* FNV-1a */
  for (gsize i = 0; i < size; i++)
    hash = (hash ^ byte[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash;
}
