/* SPDX-License-Identifier: MIT */
/*
 * Structures of figures as dictionaries of their fields' names, and back. Who reads one takes what
 * it knows and leaves the rest, so each side may be older.
 */
#include "config.h"

#include "ldb-visitor-private.h"

typedef enum
{
  FIGURE_COUNT,   /* guint64; t */
  FIGURE_REAL,    /* double; d */
  FIGURE_BOOLEAN, /* gboolean; b */
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

static GVariant *
figure_variant (gconstpointer structure, const Figure *figure)
{
  switch (figure->kind)
    {
    case FIGURE_REAL:
      return g_variant_new_double (G_STRUCT_MEMBER (double, structure, figure->offset));
    case FIGURE_BOOLEAN:
      return g_variant_new_boolean (G_STRUCT_MEMBER (gboolean, structure, figure->offset));
    case FIGURE_COUNT:
    default:
      return g_variant_new_uint64 (G_STRUCT_MEMBER (guint64, structure, figure->offset));
    }
}

static GVariant *
to_variant (gconstpointer structure, const Figure *figures, gsize count)
{
  GVariantDict dictionary;
  g_variant_dict_init (&dictionary, NULL);
  for (gsize i = 0; i < count; i++)
    g_variant_dict_insert_value (&dictionary, figures[i].name,
                                 figure_variant (structure, &figures[i]));
  return g_variant_dict_end (&dictionary);
}

static void
from_variant (gpointer structure, GVariant *dictionary, const Figure *figures, gsize count)
{
  for (gsize i = 0; i < count; i++)
    {
      gpointer field = G_STRUCT_MEMBER_P (structure, figures[i].offset);
      const char *type = figures[i].kind == FIGURE_REAL      ? "d"
                         : figures[i].kind == FIGURE_BOOLEAN ? "b"
                                                             : "t";
      g_variant_lookup (dictionary, figures[i].name, type, field);
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
