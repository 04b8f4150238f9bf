/* SPDX-License-Identifier: MIT */
/*
 * What a visitor may see of the work that is going on: slow operations, transactions and their keys, held
 * states, hot keys, who watches and what he was told, one get step by step; and, with control, roll a
 * transaction back. The lists are bounded by what the engine keeps, and by LIST_MAX.
 */
#include "config.h"

#include "ldb-visitor-private.h"

#define LIST_MAX 1000u /* in one answer: the first of the list */

/* The first of the list, which is taken over; NULL: the visit fails with the error. */
static void
answer_first (LdbVisit *self, GPtrArray *list, guint max,
              GVariant *(*to_variant) (gconstpointer structure), GError *error)
{
  GVariantBuilder all;
  if (list == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  g_variant_builder_init (&all, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < MIN (list->len, max); i++)
    g_variant_builder_add_value (&all, to_variant (g_ptr_array_index (list, i)));
  g_ptr_array_unref (list);
  ldb_visit_return (self, g_variant_new ("(aa{sv})", &all));
}

static void
answer_list (LdbVisit *self, GPtrArray *list, GVariant *(*to_variant) (gconstpointer structure),
             GError *error)
{
  answer_first (self, list, LIST_MAX, to_variant, error);
}

void
ldb_visit_list_slow_operations (LdbVisit *self)
{
  guint64 after;
  GError *error = NULL;
  g_variant_get (self->arguments, "(t)", &after);
  GPtrArray *list = ldb_database_list_slow_operations (self->export->handle, after, &error);
  answer_list (self, list, ldb_slow_operation_to_variant, error);
}

void
ldb_visit_list_transactions (LdbVisit *self)
{
  GError *error = NULL;
  GPtrArray *list = ldb_database_list_transactions (self->export->handle, &error);
  answer_list (self, list, ldb_active_transaction_to_variant, error);
}

void
ldb_visit_list_transaction_keys (LdbVisit *self)
{
  guint64 id;
  GError *error = NULL;
  g_variant_get (self->arguments, "(t)", &id);
  GPtrArray *list = ldb_database_list_transaction_keys (self->export->handle, id, &error);
  answer_first (self, list, G_MAXUINT, ldb_transaction_key_to_variant, error);
}

void
ldb_visit_list_snapshots (LdbVisit *self)
{
  GError *error = NULL;
  GPtrArray *list = ldb_database_list_snapshots (self->export->handle, &error);
  answer_list (self, list, ldb_held_snapshot_to_variant, error);
}

void
ldb_visit_list_hot_keys (LdbVisit *self)
{
  guint32 kind;
  guint64 total;
  GError *error = NULL;
  GVariantBuilder all;
  g_variant_get (self->arguments, "(u)", &kind);
  if (kind > LDB_HOT_KEY_WRITE)
    {
      ldb_visit_refuse (self, LDB_ERROR_INVALID_ARGUMENT,
                        "There is no such kind of hot keys: 0 conflicts, 1 reads, 2 writes.");
      return;
    }
  g_autoptr (GPtrArray) list
      = ldb_database_list_hot_keys (self->export->handle, (LdbHotKeyKind) kind, &total, &error);
  if (list == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  g_variant_builder_init (&all, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < list->len; i++)
    g_variant_builder_add_value (&all, ldb_hot_key_to_variant (g_ptr_array_index (list, i)));
  ldb_visit_return (self, g_variant_new ("(taa{sv})", total, &all));
}

void
ldb_visit_list_watches (LdbVisit *self)
{
  GError *error = NULL;
  GPtrArray *list = ldb_database_list_watches (self->export->handle, &error);
  answer_list (self, list, ldb_active_watch_to_variant, error);
}

void
ldb_visit_list_deliveries (LdbVisit *self)
{
  guint64 after;
  GError *error = NULL;
  g_variant_get (self->arguments, "(t)", &after);
  GPtrArray *list = ldb_database_list_deliveries (self->export->handle, after, &error);
  answer_list (self, list, ldb_watch_delivery_to_variant, error);
}

void
ldb_visit_trace_get (LdbVisit *self)
{
  const char *name;
  gsize size;
  GError *error = NULL;
  g_autoptr (GVariant) key = NULL;
  g_autoptr (LdbTrace) trace = NULL;
  g_variant_get (self->arguments, "(&s@ay)", &name, &key);
  gconstpointer data = g_variant_get_fixed_array (key, &size, 1);
  g_autoptr (LdbStore) store = ldb_visit_open_store (self, name, &error);
  if (store != NULL)
    trace = ldb_database_trace_get (self->export->handle, store, data, size, NULL, &error);
  if (trace == NULL)
    ldb_visit_fail (self, error);
  else
    ldb_visit_return (self, g_variant_new ("(@a{sv})", ldb_trace_to_variant (trace)));
}

void
ldb_visit_abort_transaction (LdbVisit *self)
{
  guint64 id;
  GError *error = NULL;
  g_variant_get (self->arguments, "(t)", &id);
  if (ldb_database_abort_transaction (self->export->handle, id, &error))
    ldb_visit_return (self, NULL);
  else
    ldb_visit_fail (self, error);
}
