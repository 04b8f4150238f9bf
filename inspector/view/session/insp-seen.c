/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-seen.h"

/* ---- lists ---- */

static guint64
number_of_event (gconstpointer contents)
{
  return ((const LdbEvent *) contents)->number;
}

static guint64
number_of_operation (gconstpointer contents)
{
  return ((const LdbSlowOperation *) contents)->number;
}

InspRowList *
insp_seen_events_new (void)
{
  return insp_row_list_new (number_of_event, (GDestroyNotify) ldb_event_free);
}

InspRowList *
insp_seen_operations_new (void)
{
  return insp_row_list_new (number_of_operation, (GDestroyNotify) ldb_slow_operation_free);
}

guint64
insp_seen_get_newest_event (InspRowList *list)
{
  const LdbEvent *newest = insp_row_list_get (list, 0);
  return newest != NULL ? newest->number : 0;
}

guint64
insp_seen_get_newest_operation (InspRowList *list)
{
  const LdbSlowOperation *newest = insp_row_list_get (list, 0);
  return newest != NULL ? newest->number : 0;
}

/* Of two that asked at the same time, the later answer has nothing new. */
static void
add_newer (InspRowList *list, GPtrArray *contents, InspRowIdentity number_of, guint64 newest,
           guint most)
{
  while (contents->len > 0 && number_of (contents->pdata[0]) <= newest)
    g_ptr_array_remove_index (contents, 0);
  if (contents->len > 0)
    insp_row_list_prepend_reversed (list, contents, most);
}

void
insp_seen_add_events (InspRowList *list, GPtrArray *events)
{
  add_newer (list, events, number_of_event, insp_seen_get_newest_event (list), INSP_EVENTS_MOST);
}

void
insp_seen_add_operations (InspRowList *list, GPtrArray *operations)
{
  add_newer (list, operations, number_of_operation, insp_seen_get_newest_operation (list),
             INSP_OPERATIONS_MOST);
}

/* ---- as a recording has them ---- */

static guint
count_of (InspRowList *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (list));
}

GVariant *
insp_seen_events_to_variant (InspRowList *list)
{
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE (INSP_EVENTS_TYPE));
  for (guint i = count_of (list); i > 0; i--)
    {
      const LdbEvent *its = insp_row_list_get (list, i - 1);
      g_variant_builder_add (&all, "(tixxttttis)", its->number, (gint32) its->kind, its->time,
                             its->last, its->times, its->size, its->size_read, its->duration,
                             (gint32) its->code, its->message != NULL ? its->message : "");
    }
  return g_variant_builder_end (&all);
}

GVariant *
insp_seen_operations_to_variant (InspRowList *list)
{
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE (INSP_OPERATIONS_TYPE));
  for (guint i = count_of (list); i > 0; i--)
    {
      const LdbSlowOperation *its = insp_row_list_get (list, i - 1);
      g_variant_builder_add (&all, "(tixtbtttttttttt)", its->number, (gint32) its->kind, its->ended,
                             its->duration, its->sampled, (guint64) its->size, its->page_read,
                             its->decompress, its->blob_read, its->lock, its->stall, its->nap,
                             its->log_change, its->log_sync, its->turn);
    }
  return g_variant_builder_end (&all);
}

static gboolean
fail (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       _ ("The events or slow operations of the recording are damaged."));
  return FALSE;
}

/* NULL: of a kind that is not known. The message, which it may keep, is owned. */
static gpointer
event_from_variant (GVariant *variant)
{
  LdbEvent its = { 0 };
  gint32 kind, code;
  const char *message;
  g_variant_get (variant, "(tixxtttti&s)", &its.number, &kind, &its.time, &its.last, &its.times,
                 &its.size, &its.size_read, &its.duration, &code, &message);
  if (kind < (gint32) LDB_EVENT_OPENED || kind > (gint32) LDB_EVENT_HEALTH)
    return NULL;
  its.kind = (LdbEventKind) kind;
  its.code = code;
  its.message = message[0] != '\0' ? (char *) message : NULL;
  return ldb_event_copy (&its);
}

static gpointer
operation_from_variant (GVariant *variant)
{
  LdbSlowOperation its = { 0 };
  gint32 kind;
  guint64 size;
  g_variant_get (variant, "(tixtbtttttttttt)", &its.number, &kind, &its.ended, &its.duration,
                 &its.sampled, &size, &its.page_read, &its.decompress, &its.blob_read, &its.lock,
                 &its.stall, &its.nap, &its.log_change, &its.log_sync, &its.turn);
  if (kind < (gint32) LDB_OPERATION_GET || kind > (gint32) LDB_OPERATION_TRANSACTION_COMMIT)
    return NULL;
  its.kind = (LdbOperationKind) kind;
  its.size = (gsize) size;
  return ldb_slow_operation_copy (&its);
}

/* What can be understood of an array, by rising numbers, which are so many bytes into each. FALSE: it is
 * not such an array. */
static gboolean
take (GVariant *array, gsize most, gpointer (*convert) (GVariant *), gsize number, GPtrArray *all,
      GError **error)
{
  gsize count = g_variant_n_children (array);
  guint64 last = 0;
  if (count > most)
    return fail (error);
  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) one = g_variant_get_child_value (array, i);
      gpointer its = convert (one);
      if (its == NULL)
        continue;
      g_ptr_array_add (all, its);
      if (G_STRUCT_MEMBER (guint64, its, number) <= last)
        return fail (error);
      last = G_STRUCT_MEMBER (guint64, its, number);
    }
  return TRUE;
}

gboolean
insp_seen_take_events (InspRowList *list, GVariant *events, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_event_free);
  if (!take (events, INSP_EVENTS_MOST, event_from_variant, G_STRUCT_OFFSET (LdbEvent, number), all,
             error))
    return FALSE;
  insp_seen_add_events (list, all);
  return TRUE;
}

gboolean
insp_seen_take_operations (InspRowList *list, GVariant *operations, GError **error)
{
  g_autoptr (GPtrArray) all
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_slow_operation_free);
  if (!take (operations, INSP_OPERATIONS_MOST, operation_from_variant,
             G_STRUCT_OFFSET (LdbSlowOperation, number), all, error))
    return FALSE;
  insp_seen_add_operations (list, all);
  return TRUE;
}
