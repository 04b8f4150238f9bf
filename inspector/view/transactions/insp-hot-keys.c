/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "insp-hot-keys.h"
#include "insp-key-text.h"
#include "insp-page.h"
#include "insp-plot.h"
#include "insp-refresher.h"
#include "insp-table.h"
#include "insp-unit.h"

#define INTERVAL 2000 /* milliseconds between requests */

struct _InspHotKeys
{
  GtkWidget parent_instance;

  InspRowList *list;  /* of LdbHotKey, the hottest first; owned */
  GtkWidget *box;     /* child */
  GtkWidget *remark;  /* a label: how it is counted */
  InspTable *table;   /* in the box */
  LdbHotKeyKind kind; /* that is shown */
  guint64 total;      /* how often it happened to all keys */
  InspRefresher *refresher;
};

G_DEFINE_FINAL_TYPE (InspHotKeys, insp_hot_keys, GTK_TYPE_WIDGET)

/* ---- asking ---- */

static void
ask (gpointer widget, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_list_hot_keys_async (inspector, INSP_HOT_KEYS (widget)->kind, cancellable, answered,
                                     data);
}

static gboolean
take (gpointer widget, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  InspHotKeys *self = widget;
  g_autoptr (GPtrArray) keys
      = ldb_inspector_list_hot_keys_finish (inspector, result, &self->total, error);
  if (keys == NULL)
    return FALSE;
  insp_row_list_set (self->list, keys);
  return TRUE;
}

void
insp_hot_keys_refresh (InspHotKeys *self)
{
  insp_refresher_ask (self->refresher);
}

static void
review_kind (InspHotKeys *self)
{
  gboolean sampled = self->kind != LDB_HOT_KEY_CONFLICT;
  gtk_label_set_text (
      GTK_LABEL (self->remark),
      sampled ? _ ("Counted in operations that are sampled, one in about 1024: the shares are what "
                   "tells.")
              : _ ("Keys because of which commits were refused: another had changed them since."));
  insp_table_set_empty (self->table,
                        sampled ? _ ("No key was noted yet, or none more often than others.")
                                : _ ("No commit was refused because of another one."));
}

void
insp_hot_keys_set_kind (InspHotKeys *self, LdbHotKeyKind kind)
{
  if (self->kind == kind)
    return;
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  self->kind = kind;
  insp_row_list_set (self->list, none);
  review_kind (self);
  insp_hot_keys_refresh (self);
}

/* ---- columns ---- */

char *
insp_hot_key_format_count (const LdbHotKey *key)
{
  g_autofree char *most = insp_unit_format (INSP_UNIT_COUNT, (double) key->count);
  if (key->uncertainty == 0)
    return g_steal_pointer (&most);
  guint64 sure = key->count > key->uncertainty ? key->count - key->uncertainty : 0;
  g_autofree char *least = insp_unit_format (INSP_UNIT_COUNT, (double) sure);
  return g_strdup_printf ("%s–%s", least, most);
}

static char *
format_key (gconstpointer contents, gpointer widget)
{
  const LdbHotKey *its = contents;
  return insp_key_text_of (its->key, its->key_length);
}

static char *
format_store (gconstpointer contents, gpointer widget)
{
  const LdbHotKey *its = contents;
  /* Translators: of a store that is not there any more */
  return g_strdup (its->store != NULL ? its->store : _ ("(dropped)"));
}

static char *
format_count (gconstpointer contents, gpointer widget)
{
  return insp_hot_key_format_count (contents);
}

static char *
format_share (gconstpointer contents, gpointer widget)
{
  guint64 total = INSP_HOT_KEYS (widget)->total;
  return insp_unit_format (
      INSP_UNIT_SHARE,
      total > 0 ? (double) ((const LdbHotKey *) contents)->count / (double) total : NAN);
}

static char *
format_last (gconstpointer contents, gpointer widget)
{
  gint64 last = ((const LdbHotKey *) contents)->last;
  return last > 0 ? insp_plot_format_clock (last) : g_strdup ("–");
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  const LdbHotKey *its = contents;
  gsize size;
  gconstpointer bytes = g_bytes_get_data (its->key, &size);
  guint64 store
      = its->store != NULL ? insp_row_identity_of_bytes (its->store, strlen (its->store) + 1) : 0;
  return (insp_row_identity_of_bytes (bytes, size) ^ its->key_length) * 31 + store;
}

static void
insp_hot_keys_dispose (GObject *object)
{
  InspHotKeys *self = INSP_HOT_KEYS (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->list);
  G_OBJECT_CLASS (insp_hot_keys_parent_class)->dispose (object);
}

static void
insp_hot_keys_class_init (InspHotKeysClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_hot_keys_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_hot_keys_init (InspHotKeys *self)
{
  self->list = insp_row_list_new (identity, (GDestroyNotify) ldb_hot_key_free);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->remark = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->remark), TRUE);
  gtk_label_set_xalign (GTK_LABEL (self->remark), 0);
  gtk_widget_add_css_class (self->remark, "dim-label");
  self->table
      = INSP_TABLE (insp_table_new (_ ("Hot Keys"), "", g_object_ref (G_LIST_MODEL (self->list))));
  insp_table_add_column (self->table, _ ("Key"), INSP_TABLE_WIDE, format_key, self);
  insp_table_add_column (self->table, _ ("Store"), INSP_TABLE_TEXT, format_store, self);
  /* Translators: the column of a table: how often something happened to a key */
  insp_table_add_column (self->table, _ ("Times"), INSP_TABLE_NUMBER, format_count, self);
  insp_table_add_column (self->table, _ ("Share"), INSP_TABLE_NUMBER, format_share, self);
  insp_table_add_column (self->table, _ ("Last"), INSP_TABLE_TEXT, format_last, self);
  review_kind (self);
  gtk_box_append (GTK_BOX (self->box), self->remark);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->table));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_hot_keys_new (InspSession *session)
{
  InspHotKeys *self = g_object_new (INSP_TYPE_HOT_KEYS, NULL);
  self->refresher
      = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, insp_page_tell_from);
  return GTK_WIDGET (self);
}
