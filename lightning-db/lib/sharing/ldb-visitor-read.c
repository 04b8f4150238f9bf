/* SPDX-License-Identifier: MIT */
/*
 * What a visitor may look at: figures, stores, records. Reads happen on the host's thread; they are
 * bounded in number, bytes and time.
 */
#include "config.h"

#include "ldb-visitor-private.h"

#include <string.h>

#include "base/metrics.h"
#include "ldb-cursor-private.h"
#include "ldb-error-private.h"
#include "ldb-range-map-private.h"

#define SNAPSHOTS_MAX 4                      /* of a visitor */
#define SNAPSHOT_LIFE (600 * G_USEC_PER_SEC) /* after it was opened */
#define PAGE_RECORDS 1000                    /* of one page */
#define PAGE_BYTES ((gsize) 512 << 10)       /* of its keys and values */
#define VALUE_BYTES ((gsize) 64 << 10)       /* of one value in a page */
#define VALUE_MAX ((gsize) 64 << 20)         /* of a value that is read: it is read as a whole */
#define PAGE_TIME (G_USEC_PER_SEC / 20)      /* of one page */
#define READ_REVERSE 1u                      /* from the end */
#define READ_KEYS_ONLY 2u                    /* without values */

static GVariant *
bytes_variant (gconstpointer data, gsize size)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1);
}

/* ---- figures ---- */

void
ldb_visit_get_statistics (LdbVisit *self)
{
  GError *error = NULL;
  g_autoptr (LdbStats) stats = ldb_database_get_stats (self->export->handle, &error);
  if (stats == NULL)
    ldb_visit_fail (self, error);
  else
    ldb_visit_return (self, g_variant_new ("(@a{sv})", ldb_stats_to_variant (stats)));
}

/* A copy of the block that the engine counts in, as the counters file has it. */
void
ldb_visit_get_metrics (LdbVisit *self)
{
  GError *error = NULL;
  struct metrics_reader reader;
  struct engine *engine = ldb_database_enter (self->export->handle, &error);
  if (engine == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  engine_metrics (engine, &reader);
  ldb_visit_return (
      self, g_variant_new ("(@ay)", bytes_variant (reader.memory, (gsize) reader.header.size)));
}

void
ldb_visit_get_options (LdbVisit *self)
{
  guint count;
  GVariantBuilder all;
  GObject *options = G_OBJECT (ldb_database_get_options (self->export->handle));
  g_autofree GParamSpec **known
      = g_object_class_list_properties (G_OBJECT_GET_CLASS (options), &count);
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a{ss}"));
  for (guint i = 0; i < count; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;
      g_auto (GValue) text = G_VALUE_INIT;
      g_value_init (&text, G_TYPE_STRING);
      g_object_get_property (options, known[i]->name, &value);
      if (g_value_transform (&value, &text) && g_value_get_string (&text) != NULL)
        g_variant_builder_add (&all, "{ss}", known[i]->name, g_value_get_string (&text));
    }
  ldb_visit_return (self, g_variant_new ("(a{ss})", &all));
}

void
ldb_visit_list_stores (LdbVisit *self)
{
  GError *error = NULL;
  g_auto (GStrv) names = ldb_database_list_stores (self->export->handle, NULL, &error);
  if (names == NULL)
    ldb_visit_fail (self, error);
  else
    ldb_visit_return (self, g_variant_new ("(^as)", names));
}

/* ---- snapshots ---- */

void
ldb_visitor_snapshot_free (gpointer data)
{
  LdbVisitorSnapshot *snapshot = data;
  ldb_snapshot_close (snapshot->snapshot);
  g_object_unref (snapshot->snapshot);
  ldb_export_unref (snapshot->of);
  g_free (snapshot);
}

static gint64
end_of (const LdbVisitorSnapshot *snapshot)
{
  return MIN (snapshot->used + LDB_VISITOR_IDLE, snapshot->opened + SNAPSHOT_LIFE);
}

static gboolean
expire (gpointer data)
{
  LdbVisitor *visitor = data;
  gint64 now = g_get_monotonic_time ();
  for (guint i = visitor->snapshots->len; i > 0; i--)
    if (end_of (g_ptr_array_index (visitor->snapshots, i - 1)) <= now)
      g_ptr_array_remove_index_fast (visitor->snapshots, i - 1);
  if (visitor->map != NULL && visitor->map->used + LDB_VISITOR_IDLE <= now)
    g_clear_pointer (&visitor->map, ldb_visitor_map_free);
  if (visitor->value != NULL && visitor->value->used + LDB_VISITOR_IDLE <= now)
    ldb_visitor_forget_value (visitor);
  ldb_visitor_watch_expiry (visitor);
  return G_SOURCE_REMOVE;
}

void
ldb_visitor_watch_expiry (LdbVisitor *visitor)
{
  gint64 first = G_MAXINT64;
  if (visitor->expiry != NULL)
    g_source_destroy (visitor->expiry);
  g_clear_pointer (&visitor->expiry, g_source_unref);
  for (guint i = 0; i < visitor->snapshots->len; i++)
    first = MIN (first, end_of (g_ptr_array_index (visitor->snapshots, i)));
  if (visitor->map != NULL)
    first = MIN (first, visitor->map->used + LDB_VISITOR_IDLE);
  if (visitor->value != NULL)
    first = MIN (first, visitor->value->used + LDB_VISITOR_IDLE);
  if (first == G_MAXINT64)
    return;
  gint64 left = MAX (first - g_get_monotonic_time (), 0);
  visitor->expiry = g_timeout_source_new_seconds ((guint) (left / G_USEC_PER_SEC) + 1);
  g_source_set_static_name (visitor->expiry, "[lightning-db] inspector's leftovers");
  g_source_set_callback (visitor->expiry, expire, visitor, NULL);
  g_source_attach (visitor->expiry, ldb_host_get_context (visitor->host));
}

void
ldb_visit_open_snapshot (LdbVisit *self)
{
  LdbVisitor *visitor = self->visitor;
  GError *error = NULL;
  if (visitor->snapshots->len == SNAPSHOTS_MAX)
    {
      ldb_visit_refuse (self, LDB_ERROR_LIMIT_EXCEEDED,
                        "The connection has four snapshots open; close one.");
      return;
    }
  LdbSnapshot *snapshot = ldb_database_create_snapshot (self->export->handle, &error);
  if (snapshot == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  LdbVisitorSnapshot *kept = g_new0 (LdbVisitorSnapshot, 1);
  kept->id = ++visitor->last_id;
  kept->of = ldb_export_ref (self->export);
  kept->snapshot = snapshot;
  kept->opened = kept->used = g_get_monotonic_time ();
  g_ptr_array_add (visitor->snapshots, kept);
  ldb_visitor_watch_expiry (visitor);
  ldb_visit_return (self, g_variant_new ("(ut)", kept->id, ldb_snapshot_get_sequence (snapshot)));
}

/* The visitor's snapshot; NULL with an error. */
static LdbVisitorSnapshot *
find_snapshot (LdbVisit *self, guint id, GError **error)
{
  for (guint i = 0; i < self->visitor->snapshots->len; i++)
    {
      LdbVisitorSnapshot *snapshot = g_ptr_array_index (self->visitor->snapshots, i);
      if (snapshot->id == id && snapshot->of == self->export)
        return snapshot;
    }
  ldb_error_set (error, LDB_ERROR_CLOSED,
                 "There is no snapshot %u, or not any longer; open one anew.", id);
  return NULL;
}

void
ldb_visit_close_snapshot (LdbVisit *self)
{
  guint id;
  GError *error = NULL;
  g_variant_get (self->arguments, "(u)", &id);
  LdbVisitorSnapshot *snapshot = find_snapshot (self, id, &error);
  if (snapshot == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  g_ptr_array_remove_fast (self->visitor->snapshots, snapshot);
  ldb_visitor_watch_expiry (self->visitor);
  ldb_visit_return (self, NULL);
}

/* A snapshot of the visitor's, or for 0 a new one; NULL with an error. */
static LdbSnapshot *
use_snapshot (LdbVisit *self, guint id, GError **error)
{
  if (id == 0)
    return ldb_database_create_snapshot (self->export->handle, error);
  LdbVisitorSnapshot *snapshot = find_snapshot (self, id, error);
  if (snapshot == NULL)
    return NULL;
  snapshot->used = g_get_monotonic_time ();
  return g_object_ref (snapshot->snapshot);
}

/* ---- records ---- */

/* How large the value is, which is copied to the buffer if it fits and else, if it is large, not read.
 * FALSE: there is none, or an error. */
static gboolean
measure_value (LdbVisit *self, LdbSnapshot *snapshot, LdbStore *store, struct bytes key,
               gpointer buffer, gsize capacity, gsize *size, GError **error)
{
  LdbPlace place;
  struct failure failure = FAILURE_INIT;
  if (!ldb_place_init (&place, self->export->handle, store, error))
    return FALSE;
  LdbPin *pin = ldb_snapshot_pin (snapshot);
  if (pin == NULL)
    return ldb_error_set (error, LDB_ERROR_CLOSED, "The snapshot is closed; open one anew.");
  status code
      = engine_get (pin->engine, pin->snapshot, place.store, key, buffer, capacity, size, &failure);
  ldb_pin_unref (pin);
  return code == STATUS_OK
         || (code != STATUS_NOT_FOUND && ldb_error_take_failure (error, code, &failure));
}

static GBytes *
read_value (LdbVisit *self, LdbSnapshot *snapshot, LdbStore *store, gconstpointer key,
            gsize key_size, GError **error)
{
  struct bytes bytes;
  gsize size;
  g_autofree gpointer buffer = g_malloc (VALUE_BYTES);
  if (!ldb_check_key (key, key_size, &bytes, error)
      || !measure_value (self, snapshot, store, bytes, buffer, VALUE_BYTES, &size, error))
    return NULL;
  if (size <= VALUE_BYTES)
    return g_bytes_new (buffer, size);
  if (size <= VALUE_MAX)
    return ldb_snapshot_get (snapshot, store, key, key_size, NULL, error);
  ldb_error_set (error, LDB_ERROR_LIMIT_EXCEEDED,
                 "The value has %" G_GSIZE_FORMAT " bytes; inspectors are told values of up to %d "
                 "MiB. Open the database beside the application to read it.",
                 size, (int) (VALUE_MAX >> 20));
  return NULL;
}

void
ldb_visitor_forget_value (LdbVisitor *self)
{
  LdbVisitorValue *value = g_steal_pointer (&self->value);
  if (value == NULL)
    return;
  g_free (value->store);
  g_bytes_unref (value->key);
  g_bytes_unref (value->value);
  g_free (value);
}

/* The value that the visitor was told a part of, if this is the same; a reference, or NULL. */
static GBytes *
find_kept_value (LdbVisitor *self, guint snapshot, const char *store, GBytes *key)
{
  LdbVisitorValue *kept = self->value;
  return kept != NULL && kept->snapshot == snapshot && strcmp (kept->store, store) == 0
                 && g_bytes_equal (kept->key, key)
             ? g_bytes_ref (kept->value)
             : NULL;
}

/* The next part will be asked for: it is not to be read again for each. */
static void
keep_value (LdbVisitor *self, guint snapshot, const char *store, GBytes *key, GBytes *value)
{
  LdbVisitor *before = ldb_host_change_keeper (self->host, self);
  g_autoptr (GBytes) held = g_bytes_ref (value); /* it may be the one that is kept */
  if (before != NULL)
    ldb_visitor_forget_value (before);
  ldb_visitor_forget_value (self);
  self->value = g_new0 (LdbVisitorValue, 1);
  self->value->snapshot = snapshot;
  self->value->store = g_strdup (store);
  self->value->key = g_bytes_ref (key);
  self->value->value = g_steal_pointer (&held);
  self->value->used = g_get_monotonic_time ();
  ldb_visitor_watch_expiry (self);
}

void
ldb_visit_get (LdbVisit *self)
{
  guint32 id, length;
  guint64 offset;
  const char *name;
  gsize key_size, size = 0;
  GError *error = NULL;
  g_autoptr (GVariant) key = NULL;
  g_autoptr (LdbSnapshot) snapshot = NULL;
  g_autoptr (LdbStore) store = NULL;
  g_autoptr (GBytes) value = NULL;
  g_variant_get (self->arguments, "(u&s@aytu)", &id, &name, &key, &offset, &length);
  gconstpointer key_data = g_variant_get_fixed_array (key, &key_size, 1);
  g_autoptr (GBytes) key_bytes = g_bytes_new (key_data, key_size);
  if ((snapshot = use_snapshot (self, id, &error)) != NULL
      && (store = ldb_visit_open_store (self, name, &error)) != NULL
      && (value = find_kept_value (self->visitor, id, name, key_bytes)) == NULL)
    value = read_value (self, snapshot, store, key_data, key_size, &error);
  if (error != NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  const guint8 *data = value != NULL ? g_bytes_get_data (value, &size) : NULL;
  gsize begin = (gsize) MIN (offset, size);
  gsize part = MIN (MIN (size - begin, length), LDB_VISITOR_PART);
  if (id != 0 && size > LDB_VISITOR_PART && begin + part < size)
    keep_value (self->visitor, id, name, key_bytes, value);
  else if (self->visitor->value != NULL && self->visitor->value->value == value)
    ldb_visitor_forget_value (self->visitor);
  ldb_visit_return (self, g_variant_new ("(bt@ay)", value != NULL, (guint64) size,
                                         bytes_variant (part > 0 ? data + begin : NULL, part)));
}

/* A page that is being read. */
typedef struct
{
  GVariantBuilder records; /* a(ayayt) */
  gsize bytes;             /* in it */
  guint count;             /* of it */
  guint limit;             /* records at most */
  gsize value_limit;       /* bytes of one value at most */
  gboolean keys_only;      /* no values */
  gboolean reverse;        /* from the end */
  gint64 until;            /* monotonic time, microseconds: when it is cut short */
  GByteArray *next;        /* there may be others from here on, or NULL; owned */
  LdbVisit *visit;         /* that it is for */
  LdbSnapshot *snapshot;   /* that it is of; borrowed */
  LdbStore *store;         /* likewise; borrowed */
} Page;

/* Whether the record's value is larger than may be read; *size: how large. */
static gboolean
is_huge (Page *page, LdbCursor *cursor, struct bytes key, gsize *size, GError **error)
{
  return cursor->place->shown->apart
         && measure_value (page->visit, page->snapshot, page->store, key, NULL, 0, size, error)
         && *size > VALUE_MAX;
}

static gboolean
add_record (Page *page, LdbCursor *cursor, GError **error)
{
  gsize key_size, size = 0;
  const guint8 *value = NULL;
  const guint8 *key = ldb_cursor_peek_key (cursor, &key_size);
  GError *failure = NULL;
  gboolean huge
      = !page->keys_only && is_huge (page, cursor, BYTES (key, key_size), &size, &failure);
  if (!page->keys_only && !huge && failure == NULL)
    value = ldb_cursor_peek_value (cursor, &size, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  gsize part = huge ? 0 : MIN (size, page->value_limit);
  g_variant_builder_add (&page->records, "(@ay@ayt)", bytes_variant (key, key_size),
                         bytes_variant (value, part), (guint64) size);
  page->bytes += key_size + part;
  page->count++;
  return TRUE;
}

/* The page ends here; the next one is to begin with `key`, or right behind it. */
static void
cut_page (Page *page, struct bytes key, gboolean behind)
{
  page->next = g_byte_array_sized_new ((guint) key.size + 1);
  g_byte_array_append (page->next, key.data, (guint) key.size);
  /* From the end it is the end of the next page, which is not part of that. */
  if (behind != page->reverse)
    g_byte_array_append (page->next, (const guint8 *) "", 1);
  if (!ldb_bound_fit (page->next))
    g_clear_pointer (&page->next, g_byte_array_unref);
}

/* Asked while a step of the cursor passes what was deleted. */
static bool
has_time (void *data)
{
  return g_get_monotonic_time () < ((Page *) data)->until;
}

static gboolean
fill_page (Page *page, LdbCursor *cursor, GError **error)
{
  GError *failure = NULL;
  engine_cursor_limit (cursor->cursor, has_time, page);
  while (ldb_cursor_next (cursor, NULL, &failure))
    {
      if (!add_record (page, cursor, error))
        return FALSE;
      if (page->count < page->limit && page->bytes < PAGE_BYTES && has_time (page))
        continue;
      cut_page (page, cursor->place->shown->key, TRUE);
      return TRUE;
    }
  struct bytes reached = engine_cursor_reached (cursor->cursor);
  if (reached.size > 0)
    {
      g_clear_error (&failure);
      cut_page (page, reached, FALSE);
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

/* Reads what the arguments say. */
static gboolean
read_page (LdbVisit *self, Page *page, GError **error)
{
  guint32 id, flags, limit, value_limit;
  const char *name;
  gsize start_size, end_size;
  g_autoptr (GVariant) start = NULL;
  g_autoptr (GVariant) end = NULL;
  g_autoptr (LdbStore) store = NULL;
  g_variant_get (self->arguments, "(u&s@ay@ayuuu)", &id, &name, &start, &end, &flags, &limit,
                 &value_limit);
  if ((flags & ~(READ_REVERSE | READ_KEYS_ONLY)) != 0)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "Read knows no such flags as %#x; 1 is from the end, 2 keys only.",
                          flags & ~(READ_REVERSE | READ_KEYS_ONLY));
  page->limit = CLAMP (limit, 1, PAGE_RECORDS);
  page->value_limit = MIN (value_limit, VALUE_BYTES);
  page->keys_only = (flags & READ_KEYS_ONLY) != 0;
  page->reverse = (flags & READ_REVERSE) != 0;
  LdbScanFlags scan
      = (page->reverse ? LDB_SCAN_REVERSE : 0) | (page->keys_only ? LDB_SCAN_KEYS_ONLY : 0);
  gconstpointer start_data = g_variant_get_fixed_array (start, &start_size, 1);
  gconstpointer end_data = g_variant_get_fixed_array (end, &end_size, 1);
  g_autoptr (LdbSnapshot) snapshot = use_snapshot (self, id, error);
  if (snapshot == NULL || (store = ldb_visit_open_store (self, name, error)) == NULL)
    return FALSE;
  g_autoptr (LdbCursor) cursor = ldb_snapshot_scan (snapshot, store, start_data, start_size,
                                                    end_data, end_size, scan, error);
  page->visit = self;
  page->snapshot = snapshot;
  page->store = store;
  return cursor != NULL && fill_page (page, cursor, error);
}

void
ldb_visit_read (LdbVisit *self)
{
  Page page = { .until = g_get_monotonic_time () + PAGE_TIME };
  GError *error = NULL;
  g_variant_builder_init (&page.records, G_VARIANT_TYPE ("a(ayayt)"));
  gboolean read = read_page (self, &page, &error);
  g_autoptr (GVariant) records = g_variant_ref_sink (g_variant_builder_end (&page.records));
  g_autoptr (GByteArray) next = page.next;
  if (read)
    ldb_visit_return (self, g_variant_new ("(@a(ayayt)b@ay)", records, next != NULL,
                                           bytes_variant (next != NULL ? next->data : NULL,
                                                          next != NULL ? next->len : 0)));
  else
    ldb_visit_fail (self, error);
}
