/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-axis.h"
#include "insp-seen.h"
#include "insp-watch-log.h"

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

GVariant *
insp_seen_watches_to_variant (InspRowList *list)
{
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE (INSP_WATCHES_TYPE));
  for (guint i = 0; i < MIN (count_of (list), INSP_WATCHES_MOST); i++)
    {
      const LdbActiveWatch *its = insp_row_list_get (list, i);
      g_variant_builder_add (&all, "(tisttbbtttttt)", its->id, (gint32) its->kind,
                             its->store != NULL ? its->store : "", (guint64) its->start_length,
                             (guint64) its->end_length, its->paused, its->waiting,
                             its->batch_interval, its->deliveries, its->changes, its->resyncs,
                             its->lag, its->coalesced);
    }
  return g_variant_builder_end (&all);
}

GVariant *
insp_seen_deliveries_to_variant (InspRowList *list)
{
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE (INSP_DELIVERIES_TYPE));
  for (guint i = count_of (list); i > 0; i--)
    {
      const LdbWatchDelivery *its = insp_row_list_get (list, i - 1);
      g_variant_builder_add (&all, "(ttxxtb)", its->number, its->watch, its->committed,
                             its->delivered, its->changes, its->resync);
    }
  return g_variant_builder_end (&all);
}

static gboolean
is_of_a_clock (gint64 moment)
{
  return moment >= 0 && moment <= INSP_CLOCK_MOST;
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
  if (kind < (gint32) LDB_EVENT_OPENED || kind > (gint32) LDB_EVENT_HEALTH
      || !is_of_a_clock (its.time) || !is_of_a_clock (its.last))
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
  if (kind < (gint32) LDB_OPERATION_GET || kind > (gint32) LDB_OPERATION_TRANSACTION_COMMIT
      || !is_of_a_clock (its.ended))
    return NULL;
  its.kind = (LdbOperationKind) kind;
  its.size = (gsize) size;
  return ldb_slow_operation_copy (&its);
}

static gpointer
watch_from_variant (GVariant *variant)
{
  LdbActiveWatch its = { 0 };
  gint32 kind;
  guint64 start, end;
  const char *store;
  gboolean is_earlier = g_variant_is_of_type (variant, G_VARIANT_TYPE ("(tisttbbttttt)"));
  g_variant_get (variant, is_earlier ? "(ti&sttbbttttt)" : "(ti&sttbbtttttt)", &its.id, &kind,
                 &store, &start, &end, &its.paused, &its.waiting, &its.batch_interval,
                 &its.deliveries, &its.changes, &its.resyncs, &its.lag, &its.coalesced);
  if (kind < (gint32) LDB_WATCH_KIND_KEY || kind > (gint32) LDB_WATCH_KIND_LIST)
    return NULL;
  its.kind = (LdbWatchKind) kind;
  its.store = store[0] != '\0' ? (char *) store : NULL;
  its.start_length = (gsize) start;
  its.end_length = (gsize) end;
  return ldb_active_watch_copy (&its);
}

static gpointer
delivery_from_variant (GVariant *variant)
{
  LdbWatchDelivery its = { 0 };
  g_variant_get (variant, "(ttxxtb)", &its.number, &its.watch, &its.committed, &its.delivered,
                 &its.changes, &its.resync);
  if (!is_of_a_clock (its.committed) || !is_of_a_clock (its.delivered))
    return NULL;
  return ldb_watch_delivery_copy (&its);
}

/* What can be understood of an array, by rising numbers. NULL: it is not such an array. */
static GPtrArray *
take (GVariant *array, gsize most, gpointer (*convert) (GVariant *), InspRowIdentity number_of,
      GDestroyNotify free_one, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (free_one);
  gsize count = g_variant_n_children (array), taken = 0;
  guint64 last = 0;
  for (; taken < count && count <= most; taken++)
    {
      g_autoptr (GVariant) one = g_variant_get_child_value (array, taken);
      gpointer its = convert (one);
      if (its == NULL)
        continue;
      g_ptr_array_add (all, its);
      if (number_of (its) <= last)
        break;
      last = number_of (its);
    }
  if (taken == count)
    return g_steal_pointer (&all);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       _ ("The events, slow operations or watches of the recording are damaged."));
  return NULL;
}

GPtrArray *
insp_seen_events_from_variant (GVariant *events, GError **error)
{
  return take (events, INSP_EVENTS_MOST, event_from_variant, number_of_event,
               (GDestroyNotify) ldb_event_free, error);
}

GPtrArray *
insp_seen_operations_from_variant (GVariant *operations, GError **error)
{
  return take (operations, INSP_OPERATIONS_MOST, operation_from_variant, number_of_operation,
               (GDestroyNotify) ldb_slow_operation_free, error);
}

GPtrArray *
insp_seen_watches_from_variant (GVariant *watches, GError **error)
{
  return take (watches, INSP_WATCHES_MOST, watch_from_variant, insp_watch_get_id,
               (GDestroyNotify) ldb_active_watch_free, error);
}

GPtrArray *
insp_seen_deliveries_from_variant (GVariant *deliveries, GError **error)
{
  return take (deliveries, INSP_DELIVERIES_MOST, delivery_from_variant, insp_watch_get_number,
               (GDestroyNotify) ldb_watch_delivery_free, error);
}
