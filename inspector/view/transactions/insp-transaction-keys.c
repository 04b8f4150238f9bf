/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "insp-key-text.h"
#include "insp-page.h"
#include "insp-refresher.h"
#include "insp-table.h"
#include "insp-transaction-keys.h"
#include "insp-unit.h"

#define INTERVAL 1000 /* milliseconds between requests */

/* A row: the key, and which of those that were written, or that are depended on, it is. */
typedef struct
{
  LdbTransactionKey *key; /* owned */
  guint64 number;
} Listed;

struct _InspTransactionKeys
{
  GtkWidget parent_instance;

  guint64 id;           /* of the transaction; 0: none */
  InspSession *session; /* owned */
  InspRowList *list;    /* of Listed; owned */
  GtkWidget *box;       /* child */
  GtkWidget *heading;   /* a label: whose keys they are */
  InspTable *table;     /* in the box; says nothing of no rows before the answer is there */
  InspRefresher *refresher;
};

G_DEFINE_FINAL_TYPE (InspTransactionKeys, insp_transaction_keys, GTK_TYPE_WIDGET)

static void
listed_free (gpointer data)
{
  Listed *self = data;
  ldb_transaction_key_free (self->key);
  g_free (self);
}

static guint64
identity (gconstpointer contents)
{
  return ((const Listed *) contents)->number;
}

/* ---- asking ---- */

static void
ask (gpointer widget, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_list_transaction_keys_async (inspector, INSP_TRANSACTION_KEYS (widget)->id,
                                             cancellable, answered, data);
}

static gboolean
is_read (const LdbTransactionKey *key)
{
  return key->access == LDB_KEY_ACCESS_READ || key->access == LDB_KEY_ACCESS_READ_RANGE;
}

/* What was written and what is depended on are counted apart, since both grow. Takes the keys. */
static GPtrArray *
number_keys (GPtrArray *keys)
{
  guint64 writes = 0, reads = 0;
  GPtrArray *rows = g_ptr_array_new_with_free_func (listed_free);
  for (guint i = 0; i < keys->len; i++)
    {
      Listed *row = g_new (Listed, 1);
      row->key = g_ptr_array_index (keys, i);
      row->number = is_read (row->key) ? 2 * reads++ + 1 : 2 * writes++;
      g_ptr_array_add (rows, row);
    }
  g_ptr_array_set_free_func (keys, NULL);
  return rows;
}

static gboolean
take (gpointer widget, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  InspTransactionKeys *self = widget;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) keys
      = ldb_inspector_list_transaction_keys_finish (inspector, result, &failure);
  if (keys == NULL && g_error_matches (failure, LDB_ERROR, LDB_ERROR_INVALID_ARGUMENT))
    return TRUE; /* it has just ended, which the list of transactions will tell */
  if (keys == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_autoptr (GPtrArray) rows = number_keys (keys);
  insp_row_list_set (self->list, rows);
  insp_table_set_empty (
      self->table,
      _ ("It has written nothing yet, and depends on nothing that others could change."));
  return TRUE;
}

void
insp_transaction_keys_refresh (InspTransactionKeys *self)
{
  if (self->id != 0)
    insp_refresher_ask (self->refresher);
}

void
insp_transaction_keys_set_id (InspTransactionKeys *self, guint64 id)
{
  if (self->id == id)
    return;
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  gboolean can_ask = insp_session_get_state (self->session) == INSP_SESSION_LIVE;
  self->id = id;
  insp_row_list_set (self->list, none);
  insp_table_set_empty (self->table, "");
  gtk_widget_set_visible (GTK_WIDGET (self), id != 0 && can_ask);
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, id);
  /* Translators: a heading; %s is the number of a transaction */
  g_autofree char *heading = g_strdup_printf (_ ("Keys of Transaction %s"), number);
  gtk_label_set_text (GTK_LABEL (self->heading), heading);
  insp_transaction_keys_refresh (self);
}

/* ---- columns ---- */

/* A range with this one key. */
static gboolean
has_one_key (const LdbTransactionKey *key)
{
  gsize start_size, end_size = 0;
  const char *start = g_bytes_get_data (key->key, &start_size);
  const char *end = key->end != NULL ? g_bytes_get_data (key->end, &end_size) : NULL;
  return end_size == start_size + 1 && key->key_length == start_size && key->end_length == end_size
         && end[end_size - 1] == '\0' && (start_size == 0 || memcmp (start, end, start_size) == 0);
}

char *
insp_transaction_key_format (const LdbTransactionKey *key)
{
  gboolean is_range
      = key->access == LDB_KEY_ACCESS_DELETE_RANGE || key->access == LDB_KEY_ACCESS_READ_RANGE;
  if (!is_range || has_one_key (key))
    return insp_key_text_of (key->key, key->key_length);
  return insp_key_text_of_range (key->key_length > 0 ? key->key : NULL, key->key_length, key->end,
                                 key->end_length);
}

static char *
format_access (gconstpointer contents, gpointer data)
{
  static const char *const names[] = {
    [LDB_KEY_ACCESS_PUT] = N_ ("Put"),
    [LDB_KEY_ACCESS_DELETE] = N_ ("Deleted"),
    [LDB_KEY_ACCESS_DELETE_RANGE] = N_ ("Range deleted"),
    /* Translators: a transaction read, or locked, a key or a range, which nobody else may change */
    [LDB_KEY_ACCESS_READ] = N_ ("Depends on"),
    [LDB_KEY_ACCESS_READ_RANGE] = N_ ("Depends on range"),
  };
  guint access = (guint) ((const Listed *) contents)->key->access;
  return g_strdup (access < G_N_ELEMENTS (names) ? _ (names[access]) : "–");
}

static char *
format_key (gconstpointer contents, gpointer data)
{
  return insp_transaction_key_format (((const Listed *) contents)->key);
}

static char *
format_store (gconstpointer contents, gpointer data)
{
  const char *store = ((const Listed *) contents)->key->store;
  /* Translators: of a store that is not there any more */
  return g_strdup (store != NULL ? store : _ ("(dropped)"));
}

static char *
format_size (gconstpointer contents, gpointer data)
{
  const LdbTransactionKey *key = ((const Listed *) contents)->key;
  return insp_unit_format (INSP_UNIT_BYTES,
                           key->access == LDB_KEY_ACCESS_PUT ? (double) key->value_length : NAN);
}

/* ---- the object ---- */

static void
insp_transaction_keys_dispose (GObject *object)
{
  InspTransactionKeys *self = INSP_TRANSACTION_KEYS (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->list);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (insp_transaction_keys_parent_class)->dispose (object);
}

static void
insp_transaction_keys_class_init (InspTransactionKeysClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_transaction_keys_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_transaction_keys_init (InspTransactionKeys *self)
{
  self->list = insp_row_list_new (identity, listed_free);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->heading = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->heading), 0);
  gtk_widget_add_css_class (self->heading, "caption-heading");
  self->table = INSP_TABLE (
      insp_table_new (_ ("Keys of the Transaction"), "", g_object_ref (G_LIST_MODEL (self->list))));
  /* Translators: the column of a table: what a transaction did to a key */
  insp_table_add_column (self->table, _ ("Access"), INSP_TABLE_TEXT, format_access, NULL);
  insp_table_add_column (self->table, _ ("Key"), INSP_TABLE_WIDE, format_key, NULL);
  insp_table_add_column (self->table, _ ("Store"), INSP_TABLE_TEXT, format_store, NULL);
  insp_table_add_column (self->table, _ ("Size"), INSP_TABLE_NUMBER, format_size, NULL);
  gtk_box_append (GTK_BOX (self->box), self->heading);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->table));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

GtkWidget *
insp_transaction_keys_new (InspSession *session)
{
  InspTransactionKeys *self = g_object_new (INSP_TYPE_TRANSACTION_KEYS, NULL);
  self->session = g_object_ref (session);
  self->refresher
      = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, insp_page_tell_from);
  return GTK_WIDGET (self);
}
