/* SPDX-License-Identifier: MIT */
/*
 * Structures of figures as dictionaries of their fields' names, and back. Who reads one takes what
 * it knows and leaves the rest, so each side may be older.
 */
#include "config.h"

#include "ldb-visitor-private.h"

#include <math.h>

typedef enum
{
  FIGURE_COUNT,   /* guint64; t */
  FIGURE_REAL,    /* double; d */
  FIGURE_BOOLEAN, /* gboolean; b */
  FIGURE_TIME,    /* gint64; x */
  FIGURE_SIZE,    /* gsize; t */
  FIGURE_KIND,    /* an enumeration; i */
  FIGURE_SMALL,   /* guint; u */
  FIGURE_TEXT,    /* char *, which may be NULL; s */
  FIGURE_BYTES,   /* GBytes *, which may be NULL; ay */
} FigureKind;

typedef struct
{
  const char *name; /* of the field */
  gsize offset;     /* of the field */
  FigureKind kind;  /* of the field */
} Figure;

#define COUNT(type, field)                                                                         \
  {                                                                                                \
#field, G_STRUCT_OFFSET(type, field), FIGURE_COUNT                                             \
  }
#define REAL(type, field)                                                                          \
  {                                                                                                \
#field, G_STRUCT_OFFSET(type, field), FIGURE_REAL                                              \
  }
#define BOOLEAN(type, field)                                                                       \
  {                                                                                                \
#field, G_STRUCT_OFFSET(type, field), FIGURE_BOOLEAN                                           \
  }

#define OTHER(type, field, kind)                                                                   \
  {                                                                                                \
#field, G_STRUCT_OFFSET(type, field), kind                                                     \
  }

static const Figure stats_figures[] = {
  COUNT (LdbStats, sequence),
  COUNT (LdbStats, durable_sequence),
  COUNT (LdbStats, keys),
  COUNT (LdbStats, data_bytes),
  COUNT (LdbStats, disk_bytes),
  COUNT (LdbStats, log_bytes),
  COUNT (LdbStats, spare_log_bytes),
  COUNT (LdbStats, blob_bytes),
  COUNT (LdbStats, segment_bytes),
  COUNT (LdbStats, memtable_bytes),
  COUNT (LdbStats, memtable_records),
  COUNT (LdbStats, frozen_memtables),
  COUNT (LdbStats, runs),
  COUNT (LdbStats, segments),
  COUNT (LdbStats, pages),
  COUNT (LdbStats, blobs),
  COUNT (LdbStats, tree_depth),
  REAL (LdbStats, page_utilisation),
  REAL (LdbStats, compression_ratio),
  COUNT (LdbStats, memory_used),
  COUNT (LdbStats, memory_budget),
  COUNT (LdbStats, cache_capacity),
  COUNT (LdbStats, cache_used),
  COUNT (LdbStats, cache_hits),
  COUNT (LdbStats, cache_misses),
  COUNT (LdbStats, cache_evictions),
  COUNT (LdbStats, cache_pinned),
  COUNT (LdbStats, gets),
  COUNT (LdbStats, gets_found),
  COUNT (LdbStats, puts),
  COUNT (LdbStats, deletes),
  COUNT (LdbStats, range_deletes),
  COUNT (LdbStats, commits),
  COUNT (LdbStats, cursors),
  COUNT (LdbStats, transactions_active),
  COUNT (LdbStats, transactions_committed),
  COUNT (LdbStats, transactions_aborted),
  COUNT (LdbStats, conflicts),
  COUNT (LdbStats, snapshots),
  COUNT (LdbStats, oldest_snapshot),
  COUNT (LdbStats, flushes),
  COUNT (LdbStats, merges),
  COUNT (LdbStats, flush_bytes),
  COUNT (LdbStats, merge_bytes_read),
  COUNT (LdbStats, merge_bytes_written),
  COUNT (LdbStats, user_bytes),
  COUNT (LdbStats, log_written_bytes),
  COUNT (LdbStats, log_syncs),
  COUNT (LdbStats, pending_compaction_bytes),
  COUNT (LdbStats, stalls),
  COUNT (LdbStats, stall_microseconds),
  COUNT (LdbStats, worst_stall_microseconds),
  COUNT (LdbStats, descriptors),
};

static const Figure check_figures[] = {
  COUNT (LdbCheckReport, pages),
  COUNT (LdbCheckReport, bytes),
  COUNT (LdbCheckReport, segments),
  COUNT (LdbCheckReport, blobs),
  COUNT (LdbCheckReport, logs),
  COUNT (LdbCheckReport, records),
  COUNT (LdbCheckReport, fault_count),
  BOOLEAN (LdbCheckReport, page_checksums),
  BOOLEAN (LdbCheckReport, tree_structure),
  BOOLEAN (LdbCheckReport, log),
  BOOLEAN (LdbCheckReport, no_orphans),
  BOOLEAN (LdbCheckReport, blobs_intact),
};

static const Figure backup_figures[] = {
  COUNT (LdbBackupResult, sequence),        COUNT (LdbBackupResult, files),
  COUNT (LdbBackupResult, bytes),           COUNT (LdbBackupResult, copied_files),
  COUNT (LdbBackupResult, copied_bytes),    COUNT (LdbBackupResult, linked_files),
  COUNT (LdbBackupResult, reflinked_files), COUNT (LdbBackupResult, kept_files),
};

static const Figure slow_figures[] = {
  COUNT (LdbSlowOperation, number),
  OTHER (LdbSlowOperation, ended, FIGURE_TIME),
  COUNT (LdbSlowOperation, duration),
  OTHER (LdbSlowOperation, kind, FIGURE_KIND),
  BOOLEAN (LdbSlowOperation, sampled),
  OTHER (LdbSlowOperation, key, FIGURE_BYTES),
  OTHER (LdbSlowOperation, key_length, FIGURE_SIZE),
  OTHER (LdbSlowOperation, size, FIGURE_SIZE),
  COUNT (LdbSlowOperation, page_read),
  COUNT (LdbSlowOperation, decompress),
  COUNT (LdbSlowOperation, blob_read),
  COUNT (LdbSlowOperation, lock),
  COUNT (LdbSlowOperation, stall),
  COUNT (LdbSlowOperation, nap),
  COUNT (LdbSlowOperation, log_change),
  COUNT (LdbSlowOperation, log_sync),
  COUNT (LdbSlowOperation, turn),
};

static const Figure transaction_figures[] = {
  COUNT (LdbActiveTransaction, id),         COUNT (LdbActiveTransaction, snapshot),
  COUNT (LdbActiveTransaction, age),        COUNT (LdbActiveTransaction, left),
  COUNT (LdbActiveTransaction, operations), COUNT (LdbActiveTransaction, bytes),
  COUNT (LdbActiveTransaction, reads),      BOOLEAN (LdbActiveTransaction, serializable),
};

static const Figure snapshot_figures[] = {
  COUNT (LdbHeldSnapshot, sequence),
  COUNT (LdbHeldSnapshot, behind),
  COUNT (LdbHeldSnapshot, holders),
};

static const Figure transaction_key_figures[] = {
  OTHER (LdbTransactionKey, access, FIGURE_KIND),
  OTHER (LdbTransactionKey, store, FIGURE_TEXT),
  OTHER (LdbTransactionKey, key, FIGURE_BYTES),
  OTHER (LdbTransactionKey, key_length, FIGURE_SIZE),
  OTHER (LdbTransactionKey, end, FIGURE_BYTES),
  OTHER (LdbTransactionKey, end_length, FIGURE_SIZE),
  OTHER (LdbTransactionKey, value_length, FIGURE_SIZE),
};

static const Figure hot_key_figures[] = {
  OTHER (LdbHotKey, store, FIGURE_TEXT),
  OTHER (LdbHotKey, key, FIGURE_BYTES),
  OTHER (LdbHotKey, key_length, FIGURE_SIZE),
  COUNT (LdbHotKey, count),
  COUNT (LdbHotKey, uncertainty),
  OTHER (LdbHotKey, last, FIGURE_TIME),
};

static const Figure watch_figures[] = {
  COUNT (LdbActiveWatch, id),
  OTHER (LdbActiveWatch, kind, FIGURE_KIND),
  OTHER (LdbActiveWatch, store, FIGURE_TEXT),
  OTHER (LdbActiveWatch, start, FIGURE_BYTES),
  OTHER (LdbActiveWatch, start_length, FIGURE_SIZE),
  OTHER (LdbActiveWatch, end, FIGURE_BYTES),
  OTHER (LdbActiveWatch, end_length, FIGURE_SIZE),
  BOOLEAN (LdbActiveWatch, inspector),
  BOOLEAN (LdbActiveWatch, paused),
  BOOLEAN (LdbActiveWatch, waiting),
  COUNT (LdbActiveWatch, batch_interval),
  COUNT (LdbActiveWatch, deliveries),
  COUNT (LdbActiveWatch, changes),
  COUNT (LdbActiveWatch, resyncs),
  COUNT (LdbActiveWatch, lag),
  COUNT (LdbActiveWatch, coalesced),
};

static const Figure delivery_figures[] = {
  COUNT (LdbWatchDelivery, number),
  COUNT (LdbWatchDelivery, watch),
  OTHER (LdbWatchDelivery, committed, FIGURE_TIME),
  OTHER (LdbWatchDelivery, delivered, FIGURE_TIME),
  COUNT (LdbWatchDelivery, changes),
  BOOLEAN (LdbWatchDelivery, resync),
};

static const Figure trace_figures[] = {
  BOOLEAN (LdbTrace, found),    COUNT (LdbTrace, value_length), COUNT (LdbTrace, duration),
  COUNT (LdbTrace, visibility), COUNT (LdbTrace, memtables),    COUNT (LdbTrace, hot_records),
  COUNT (LdbTrace, filter),     COUNT (LdbTrace, index),        COUNT (LdbTrace, page),
  COUNT (LdbTrace, leaf),       COUNT (LdbTrace, handing_out),  COUNT (LdbTrace, other),
  COUNT (LdbTrace, page_read),  COUNT (LdbTrace, decompress),   COUNT (LdbTrace, blob_read),
  COUNT (LdbTrace, filters),    COUNT (LdbTrace, leaves),
};

static const Figure location_figures[] = {
  OTHER (LdbKeyLocation, verdict, FIGURE_KIND),
  BOOLEAN (LdbKeyLocation, decides),
  BOOLEAN (LdbKeyLocation, in_memory),
  OTHER (LdbKeyLocation, memtable, FIGURE_SMALL),
  COUNT (LdbKeyLocation, run),
  OTHER (LdbKeyLocation, level, FIGURE_SMALL),
  COUNT (LdbKeyLocation, segment),
  OTHER (LdbKeyLocation, filter, FIGURE_KIND),
  BOOLEAN (LdbKeyLocation, filter_loaded),
  COUNT (LdbKeyLocation, page),
  COUNT (LdbKeyLocation, slot),
  OTHER (LdbKeyLocation, heat, FIGURE_KIND),
  OTHER (LdbKeyLocation, kind, FIGURE_KIND),
  COUNT (LdbKeyLocation, sequence),
  COUNT (LdbKeyLocation, value_size),
  COUNT (LdbKeyLocation, blob_file),
  COUNT (LdbKeyLocation, range_delete),
  OTHER (LdbKeyLocation, fault, FIGURE_TEXT),
};

static GVariant *
bytes_variant (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1);
}

/* NULL: there is none. */
static GVariant *
figure_variant (gconstpointer structure, const Figure *figure)
{
  gconstpointer field = (const char *) structure + figure->offset;
  switch (figure->kind)
    {
    case FIGURE_REAL:
      return g_variant_new_double (*(const double *) field);
    case FIGURE_BOOLEAN:
      return g_variant_new_boolean (*(const gboolean *) field);
    case FIGURE_TIME:
      return g_variant_new_int64 (*(const gint64 *) field);
    case FIGURE_SIZE:
      return g_variant_new_uint64 (*(const gsize *) field);
    case FIGURE_KIND:
      return g_variant_new_int32 (*(const gint *) field);
    case FIGURE_SMALL:
      return g_variant_new_uint32 (*(const guint *) field);
    case FIGURE_TEXT:
      return *(char *const *) field != NULL ? g_variant_new_string (*(char *const *) field) : NULL;
    case FIGURE_BYTES:
      return *(GBytes *const *) field != NULL ? bytes_variant (*(GBytes *const *) field) : NULL;
    case FIGURE_COUNT:
    default:
      return g_variant_new_uint64 (*(const guint64 *) field);
    }
}

static GVariant *
to_variant (gconstpointer structure, const Figure *figures, gsize count)
{
  GVariantDict dictionary;
  g_variant_dict_init (&dictionary, NULL);
  for (gsize i = 0; i < count; i++)
    {
      GVariant *value = figure_variant (structure, &figures[i]);
      if (value != NULL)
        g_variant_dict_insert_value (&dictionary, figures[i].name, value);
    }
  return g_variant_dict_end (&dictionary);
}

static void
take_size (GVariant *dictionary, const char *name, gsize *size)
{
  guint64 number;
  if (g_variant_lookup (dictionary, name, "t", &number))
    *size = (gsize) MIN (number, G_MAXSIZE);
}

/* What is no number would be none in a file of JSON either. */
static void
take_real (GVariant *dictionary, const char *name, double *real)
{
  double number;
  if (g_variant_lookup (dictionary, name, "d", &number) && isfinite (number))
    *real = number;
}

static void
take_bytes (GVariant *dictionary, const char *name, GBytes **bytes)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (dictionary, name, G_VARIANT_TYPE_BYTESTRING);
  if (value != NULL)
    *bytes = g_variant_get_data_as_bytes (value);
}

/* Fields that are not there, of another type, or no number, stay zero. */
static void
from_variant (gpointer structure, GVariant *dictionary, const Figure *figures, gsize count)
{
  static const char *const types[] = {
    [FIGURE_COUNT] = "t", [FIGURE_BOOLEAN] = "b", [FIGURE_TIME] = "x",
    [FIGURE_KIND] = "i",  [FIGURE_SMALL] = "u",   [FIGURE_TEXT] = "s",
  };
  for (gsize i = 0; i < count; i++)
    {
      gpointer field = G_STRUCT_MEMBER_P (structure, figures[i].offset);
      if (figures[i].kind == FIGURE_SIZE)
        take_size (dictionary, figures[i].name, field);
      else if (figures[i].kind == FIGURE_REAL)
        take_real (dictionary, figures[i].name, field);
      else if (figures[i].kind == FIGURE_BYTES)
        take_bytes (dictionary, figures[i].name, field);
      else
        g_variant_lookup (dictionary, figures[i].name, types[figures[i].kind], field);
    }
}

GVariant *
ldb_stats_to_variant (const LdbStats *stats)
{
  return to_variant (stats, stats_figures, G_N_ELEMENTS (stats_figures));
}

LdbStats *
ldb_stats_from_variant (GVariant *dictionary)
{
  LdbStats *stats = g_new0 (LdbStats, 1);
  from_variant (stats, dictionary, stats_figures, G_N_ELEMENTS (stats_figures));
  return stats;
}

GVariant *
ldb_check_report_to_variant (const LdbCheckReport *report)
{
  return to_variant (report, check_figures, G_N_ELEMENTS (check_figures));
}

LdbCheckReport *
ldb_check_report_from_variant (GVariant *dictionary, GPtrArray *faults)
{
  LdbCheckReport *report = g_new0 (LdbCheckReport, 1);
  from_variant (report, dictionary, check_figures, G_N_ELEMENTS (check_figures));
  report->faults = faults;
  return report;
}

GVariant *
ldb_backup_result_to_variant (const LdbBackupResult *result)
{
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a{st}"));
  for (gsize i = 0; i < G_N_ELEMENTS (backup_figures); i++)
    g_variant_builder_add (&all, "{st}", backup_figures[i].name,
                           G_STRUCT_MEMBER (guint64, result, backup_figures[i].offset));
  return g_variant_builder_end (&all);
}

LdbBackupResult *
ldb_backup_result_from_variant (GVariant *dictionary)
{
  LdbBackupResult *result = g_new0 (LdbBackupResult, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (backup_figures); i++)
    g_variant_lookup (dictionary, backup_figures[i].name, "t",
                      G_STRUCT_MEMBER_P (result, backup_figures[i].offset));
  return result;
}

GVariant *
ldb_slow_operation_to_variant (gconstpointer structure)
{
  return to_variant (structure, slow_figures, G_N_ELEMENTS (slow_figures));
}

gpointer
ldb_slow_operation_from_variant (GVariant *dictionary)
{
  LdbSlowOperation *made = g_new0 (LdbSlowOperation, 1);
  from_variant (made, dictionary, slow_figures, G_N_ELEMENTS (slow_figures));
  return made;
}

GVariant *
ldb_active_transaction_to_variant (gconstpointer structure)
{
  return to_variant (structure, transaction_figures, G_N_ELEMENTS (transaction_figures));
}

gpointer
ldb_active_transaction_from_variant (GVariant *dictionary)
{
  LdbActiveTransaction *made = g_new0 (LdbActiveTransaction, 1);
  from_variant (made, dictionary, transaction_figures, G_N_ELEMENTS (transaction_figures));
  return made;
}

GVariant *
ldb_held_snapshot_to_variant (gconstpointer structure)
{
  return to_variant (structure, snapshot_figures, G_N_ELEMENTS (snapshot_figures));
}

gpointer
ldb_held_snapshot_from_variant (GVariant *dictionary)
{
  LdbHeldSnapshot *made = g_new0 (LdbHeldSnapshot, 1);
  from_variant (made, dictionary, snapshot_figures, G_N_ELEMENTS (snapshot_figures));
  return made;
}

GVariant *
ldb_transaction_key_to_variant (gconstpointer structure)
{
  return to_variant (structure, transaction_key_figures, G_N_ELEMENTS (transaction_key_figures));
}

gpointer
ldb_transaction_key_from_variant (GVariant *dictionary)
{
  LdbTransactionKey *made = g_new0 (LdbTransactionKey, 1);
  from_variant (made, dictionary, transaction_key_figures, G_N_ELEMENTS (transaction_key_figures));
  if (made->key == NULL) /* every one has it */
    made->key = g_bytes_new_static ("", 0);
  return made;
}

GVariant *
ldb_hot_key_to_variant (gconstpointer structure)
{
  return to_variant (structure, hot_key_figures, G_N_ELEMENTS (hot_key_figures));
}

gpointer
ldb_hot_key_from_variant (GVariant *dictionary)
{
  LdbHotKey *made = g_new0 (LdbHotKey, 1);
  from_variant (made, dictionary, hot_key_figures, G_N_ELEMENTS (hot_key_figures));
  if (made->key == NULL) /* every one has it */
    made->key = g_bytes_new_static ("", 0);
  return made;
}

GVariant *
ldb_active_watch_to_variant (gconstpointer structure)
{
  return to_variant (structure, watch_figures, G_N_ELEMENTS (watch_figures));
}

gpointer
ldb_active_watch_from_variant (GVariant *dictionary)
{
  LdbActiveWatch *made = g_new0 (LdbActiveWatch, 1);
  from_variant (made, dictionary, watch_figures, G_N_ELEMENTS (watch_figures));
  return made;
}

GVariant *
ldb_watch_delivery_to_variant (gconstpointer structure)
{
  return to_variant (structure, delivery_figures, G_N_ELEMENTS (delivery_figures));
}

gpointer
ldb_watch_delivery_from_variant (GVariant *dictionary)
{
  LdbWatchDelivery *made = g_new0 (LdbWatchDelivery, 1);
  from_variant (made, dictionary, delivery_figures, G_N_ELEMENTS (delivery_figures));
  return made;
}

GVariant *
ldb_trace_to_variant (gconstpointer structure)
{
  return to_variant (structure, trace_figures, G_N_ELEMENTS (trace_figures));
}

gpointer
ldb_trace_from_variant (GVariant *dictionary)
{
  LdbTrace *made = g_new0 (LdbTrace, 1);
  from_variant (made, dictionary, trace_figures, G_N_ELEMENTS (trace_figures));
  return made;
}

GVariant *
ldb_key_location_to_variant (gconstpointer structure)
{
  return to_variant (structure, location_figures, G_N_ELEMENTS (location_figures));
}

gpointer
ldb_key_location_from_variant (GVariant *dictionary)
{
  LdbKeyLocation *made = g_new0 (LdbKeyLocation, 1);
  from_variant (made, dictionary, location_figures, G_N_ELEMENTS (location_figures));
  made->verdict = MIN (made->verdict, LDB_LOCATION_FAULT); /* who tells it is not trusted */
  made->filter = MIN (made->filter, LDB_FILTER_FUSE);
  made->kind = MIN (made->kind, LDB_VERSION_BLOB);
  return made;
}
