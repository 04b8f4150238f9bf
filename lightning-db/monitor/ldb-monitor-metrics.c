/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-metrics-private.h"

#include "ldb-counted-stats.h"
#include "ldb-monitor-health-private.h"
#include "ldb-monitor-server.h"
#include "ldb-monitor-text-private.h"

#define PREFIX "lightning_db_"

/* How a member of LdbStats is written. */
typedef enum
{
  FIGURE_COUNT,        /* as it is */
  FIGURE_REAL,         /* a double */
  FIGURE_MICROSECONDS, /* in seconds */
} FigureKind;

typedef struct
{
  const char *name;      /* of the metric; NULL: only in JSON */
  const char *member;    /* of LdbStats; the name in JSON */
  const char *type;      /* counter, gauge or untyped */
  const char *help;      /* one line, in English */
  FigureKind kind;       /* how it is written */
  gboolean is_of_writer; /* told by the process that writes only: another one doesn't know it */
  gsize offset;          /* in LdbStats */
} Figure;

#define FIGURE(name, type, kind, of_writer, member, help)                                          \
  {                                                                                                \
    PREFIX name, #member, type, help, kind, of_writer, G_STRUCT_OFFSET (LdbStats, member)          \
  }
#define JSON_ONLY(of_writer, member)                                                               \
  {                                                                                                \
    NULL, #member, NULL, NULL, FIGURE_COUNT, of_writer, G_STRUCT_OFFSET (LdbStats, member)         \
  }
#define COUNTER(name, member, help) FIGURE (name, "counter", FIGURE_COUNT, FALSE, member, help)
#define WRITER(name, member, help) FIGURE (name, "counter", FIGURE_COUNT, TRUE, member, help)
#define GAUGE(name, member, help) FIGURE (name, "gauge", FIGURE_COUNT, FALSE, member, help)

/* One line a metric, in the order of /metrics; docs/guides/monitoring.md has the same list. */
static const Figure figures[] = {
  FIGURE ("transactions_active", "gauge", FIGURE_COUNT, TRUE, transactions_active,
          "Open read-write transactions."),
  WRITER ("transactions_committed_total", transactions_committed, "Transactions committed."),
  WRITER ("transactions_aborted_total", transactions_aborted,
          "Transactions rolled back, timed out or failed."),
  WRITER ("transaction_conflicts_total", conflicts, "Commits refused because of a conflict."),
  COUNTER ("cache_hits_total", cache_hits, "Keys looked up that memory alone could answer."),
  COUNTER ("cache_misses_total", cache_misses, "Keys looked up for which pages had to be read."),
  COUNTER ("cache_evictions_total", cache_evictions, "Pages dropped from the cache."),
  GAUGE ("cache_used_bytes", cache_used, "What the page cache holds."),
  GAUGE ("cache_capacity_bytes", cache_capacity, "What the page cache may hold now."),
  GAUGE ("storage_bytes", disk_bytes, "All files of the database."),
  /* A state with the name of a count: “untyped” is what the format has for that. */
  FIGURE ("pages_total", "untyped", FIGURE_COUNT, FALSE, pages, "Pages of the B+Tree files."),
  FIGURE ("compression_ratio", "gauge", FIGURE_REAL, FALSE, compression_ratio,
          "Logical bytes per stored byte; 1 is none."),
  FIGURE ("page_utilisation_ratio", "gauge", FIGURE_REAL, FALSE, page_utilisation,
          "Used part of the pages, 0 to 1."),
  GAUGE ("tree_depth", tree_depth, "Depth of the largest segment."),
  GAUGE ("keys", keys, "About how many keys there are; exact once everything has settled."),
  GAUGE ("data_bytes", data_bytes, "Keys and values in segments, uncompressed."),
  GAUGE ("segment_bytes", segment_bytes, "B+Tree files."),
  GAUGE ("segments", segments, "Number of B+Tree files."),
  GAUGE ("runs", runs, "Sorted runs; 1 when settled."),
  GAUGE ("blob_bytes", blob_bytes, "Files of large values."),
  GAUGE ("blobs", blobs, "Number of files of large values."),
  GAUGE ("log_bytes", log_bytes, "The write-ahead log."),
  GAUGE ("spare_log_bytes", spare_log_bytes, "Log segments kept for reuse."),
  GAUGE ("memtable_bytes", memtable_bytes, "What the tables in memory take."),
  GAUGE ("memtable_records", memtable_records, "Records in the tables in memory."),
  GAUGE ("frozen_memtables", frozen_memtables, "Full tables waiting to be written out."),
  GAUGE ("pending_compaction_bytes", pending_compaction_bytes,
         "Bytes that merges still have to go through."),
  GAUGE ("memory_used_bytes", memory_used, "Used of the memory budget."),
  GAUGE ("memory_budget_bytes", memory_budget, "The memory budget."),
  GAUGE ("snapshots", snapshots, "Live snapshots."),
  GAUGE ("sequence", sequence, "Number of the newest visible commit."),
  GAUGE ("durable_sequence", durable_sequence, "Number of the newest commit that is on disk."),
  GAUGE ("open_files", descriptors, "Files held open."),
  COUNTER ("reads_found_total", gets_found, "Keys looked up that were there."),
  COUNTER ("cursors_total", cursors, "Cursors made."),
  WRITER ("commits_total", commits, "Commits."),
  WRITER ("range_deletes_total", range_deletes, "Ranges deleted."),
  WRITER ("user_written_bytes_total", user_bytes, "Keys and values committed."),
  WRITER ("log_written_bytes_total", log_written_bytes, "Written to the log."),
  WRITER ("log_syncs_total", log_syncs, "Times the log was synced."),
  WRITER ("flushes_total", flushes, "Tables in memory written out."),
  WRITER ("flush_written_bytes_total", flush_bytes, "Written by flushes."),
  WRITER ("merges_total", merges, "Merges (compactions)."),
  WRITER ("merge_read_bytes_total", merge_bytes_read, "Read by merges."),
  WRITER ("merge_written_bytes_total", merge_bytes_written, "Written by merges."),
  WRITER ("stalls_total", stalls, "Times a writer had to wait for background work."),
  FIGURE ("stall_seconds_total", "counter", FIGURE_MICROSECONDS, TRUE, stall_microseconds,
          "The sum of these waits."),
  FIGURE ("worst_stall_seconds", "gauge", FIGURE_MICROSECONDS, TRUE, worst_stall_microseconds,
          "The longest of these waits."),
  /* In /metrics these three are one metric with a label. */
  JSON_ONLY (FALSE, gets),
  JSON_ONLY (TRUE, puts),
  JSON_ONLY (TRUE, deletes),
  JSON_ONLY (FALSE, oldest_snapshot),
};

static void
append_figure (GString *out, const LdbStats *stats, const Figure *figure)
{
  guint64 count = G_STRUCT_MEMBER (guint64, stats, figure->offset);
  monitor_text_family (out, figure->name, figure->type, figure->help);
  if (figure->kind == FIGURE_COUNT)
    monitor_text_count (out, figure->name, NULL, NULL, count);
  else if (figure->kind == FIGURE_MICROSECONDS)
    monitor_text_real (out, figure->name, NULL, NULL, (double) count / 1e6);
  else
    monitor_text_real (out, figure->name, NULL, NULL,
                       G_STRUCT_MEMBER (double, stats, figure->offset));
}

/* A process that only reads knows of reads only. */
static void
append_operations (GString *out, const LdbStats *stats, gboolean writes)
{
  static const char name[] = PREFIX "operations_total";
  monitor_text_family (out, name, "counter",
                       "Keys looked up, records put, and keys and ranges deleted.");
  monitor_text_count (out, name, "type", "read", stats->gets);
  if (!writes)
    return;
  monitor_text_count (out, name, "type", "write", stats->puts);
  monitor_text_count (out, name, "type", "delete", stats->deletes + stats->range_deletes);
}

/* ---- of the process that writes ---- */

/* Of another process that writes and shares what it counts; NULL: there is none. */
static LdbMetrics *
find_writer (LdbDatabase *database)
{
  if (!ldb_database_is_read_only (database))
    return NULL;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find_database (list, database);
  if (running == NULL || ldb_running_database_is_read_only (running))
    return NULL;
  return ldb_running_database_get_metrics (running, NULL);
}

/* The statistics; NULL: it is closed. *timed: whose timings go with them; *writes: they are those of
 * who writes. */
static LdbStats *
get_stats (LdbDatabase *database, LdbMetrics **timed, gboolean *writes)
{
  LdbStats *stats = ldb_database_get_stats (database, NULL);
  g_autoptr (LdbMetrics) writer = stats != NULL ? find_writer (database) : NULL;
  if (stats == NULL)
    return NULL;
  if (writer != NULL)
    {
      ldb_counted_stats_take (stats, writer);
      stats->memtable_bytes = (guint64) ldb_metrics_get_value (writer, "memory_memtable_bytes");
    }
  *writes = writer != NULL || !ldb_database_is_read_only (database);
  if (timed != NULL)
    *timed = writer != NULL ? g_steal_pointer (&writer) : ldb_database_get_metrics (database, NULL);
  return stats;
}

/* ---- what LdbMetrics alone has ---- */

typedef struct
{
  const char *name;      /* of the metric */
  const char *type;      /* of its family */
  const char *source;    /* what LdbMetrics calls it; of a histogram, how many values it holds */
  gboolean is_sum;       /* of a histogram: their sum instead */
  gboolean is_of_writer; /* see Figure */
  const char *help;      /* a sentence */
} Count;

static const Count counts[] = {
  { PREFIX "page_hits_total", "counter", "page_hits", FALSE, FALSE,
    "Leaves that lookups and cursors found in memory." },
  { PREFIX "pages_read_total", "counter", "page_read", FALSE, FALSE, "Pages read from files." },
  { PREFIX "page_read_bytes_total", "counter", "page_bytes_read", FALSE, FALSE,
    "These, as they are stored." },
  { PREFIX "pages_decompressed_total", "counter", "decompress", FALSE, FALSE,
    "Pages decompressed." },
  { PREFIX "page_decompressed_bytes_total", "counter", "page_bytes_decompressed", FALSE, FALSE,
    "These, as decompressing made them." },
  { PREFIX "seeks_total", "counter", "seeks", FALSE, FALSE, "Times a cursor was positioned anew." },
  { PREFIX "cursor_steps_total", "counter", "cursor_steps", FALSE, FALSE,
    "Records that cursors went on to." },
  { PREFIX "watches", "gauge", "watches", FALSE, TRUE,
    "Watches, entries and lists that are told of changes." },
  { PREFIX "watches_waiting", "gauge", "watches_waiting", FALSE, TRUE,
    "Of these: whose main loop has not come to it yet." },
  { PREFIX "watch_emissions_total", "counter", "watch_emissions", FALSE, TRUE,
    "Times one of them was told of changes." },
  { PREFIX "watch_changes_total", "counter", "watch_changes", FALSE, TRUE,
    "Changes that they were told of." },
  { PREFIX "watch_coalesced_total", "counter", "watch_coalesced", FALSE, TRUE,
    "Changes of theirs that went up in a later one of the key, or came to nothing." },
  { PREFIX "watch_resyncs_total", "counter", "watch_resyncs", FALSE, TRUE,
    "Times one of them was told to read everything anew." },
  { PREFIX "watch_lag_commits_total", "counter", "watch_lag", TRUE, TRUE,
    "Commits that they were behind when they were told, added up." },
};

static void
append_counts (GString *out, LdbMetrics *metrics, gboolean writes)
{
  for (gsize i = 0; metrics != NULL && i < G_N_ELEMENTS (counts); i++)
    {
      const Count *count = &counts[i];
      if (!writes && count->is_of_writer)
        continue;
      gint64 value = count->is_sum ? ldb_metrics_get_sum (metrics, count->source)
                                   : ldb_metrics_get_value (metrics, count->source);
      monitor_text_family (out, count->name, count->type, count->help);
      monitor_text_count (out, count->name, NULL, NULL, (guint64) MAX (value, 0));
    }
}

/* ---- histograms ---- */

/* Upper bounds of the buckets, in nanoseconds: from what memory answers to what a disk takes. */
static const gint64 bounds[] = {
  100,        250,        500,        1000,        2500,      5000,      10000,
  25000,      50000,      100000,     250000,      500000,    1000000,   2500000,
  5000000,    10000000,   25000000,   50000000,    100000000, 250000000, 500000000,
  1000000000, 2500000000, 5000000000, 10000000000,
};

typedef struct
{
  const char *name;      /* of the metric */
  const char *source;    /* what LdbMetrics calls it */
  const char *type;      /* the label `type`, or NULL */
  const char *help;      /* NULL: it goes on with the metric before */
  gboolean is_of_writer; /* see Figure */
} Timing;

static const Timing timings[] = {
  { PREFIX "operation_duration_seconds", "get", "read",
    "How long looking a key up, and committing a record or a delete, took; of a sample of calls.",
    FALSE },
  { PREFIX "operation_duration_seconds", "put", "write", NULL, TRUE },
  { PREFIX "operation_duration_seconds", "delete", "delete", NULL, TRUE },
  { PREFIX "page_read_duration_seconds", "page_read", NULL,
    "How long reading a page took, without decompressing it.", FALSE },
  { PREFIX "transaction_duration_seconds", "transaction", NULL,
    "How long transactions took from begin to end.", TRUE },
  { PREFIX "log_sync_duration_seconds", "log_sync", NULL, "How long making the log durable took.",
    TRUE },
  { PREFIX "stall_duration_seconds", "stall", NULL, "How long writers waited for background work.",
    TRUE },
  { PREFIX "watch_delay_seconds", "watch_delay", NULL,
    "How long it took until the main loop came to what a watch is told.", TRUE },
};

/* Counts only grow: asked by rising bounds, and for all of them last, they rise. */
static void
append_timing (GString *out, LdbMetrics *metrics, const Timing *timing)
{
  const char *label = timing->type != NULL ? "type" : NULL;
  g_autofree char *sum = g_strconcat (timing->name, "_sum", NULL);
  g_autofree char *count = g_strconcat (timing->name, "_count", NULL);
  if (timing->help != NULL)
    monitor_text_family (out, timing->name, "histogram", timing->help);
  for (gsize i = 0; i < G_N_ELEMENTS (bounds); i++)
    {
      char bound[G_ASCII_DTOSTR_BUF_SIZE];
      g_ascii_formatd (bound, sizeof bound, "%g", (double) bounds[i] / 1e9);
      monitor_text_bucket (
          out, timing->name, label, timing->type, bound,
          (guint64) ldb_metrics_get_count_at_most (metrics, timing->source, bounds[i]));
    }
  double seconds = (double) ldb_metrics_get_sum (metrics, timing->source) / 1e9;
  guint64 all = (guint64) ldb_metrics_get_value (metrics, timing->source);
  monitor_text_bucket (out, timing->name, label, timing->type, NULL, all);
  monitor_text_real (out, sum, label, timing->type, seconds);
  monitor_text_count (out, count, label, timing->type, all);
}

static void
append_timings (GString *out, LdbMetrics *metrics, gboolean writes)
{
  for (gsize i = 0; metrics != NULL && i < G_N_ELEMENTS (timings); i++)
    if (writes || !timings[i].is_of_writer)
      append_timing (out, metrics, &timings[i]);
}

static void
append_states (GString *out, LdbDatabase *database, gboolean up)
{
  g_autoptr (LdbHealth) health = ldb_database_get_health (database);
  gboolean healthy = up && (health == NULL || monitor_health_is_good (health));
  monitor_text_family (out, PREFIX "up", "gauge", "1 while the database is open.");
  monitor_text_count (out, PREFIX "up", NULL, NULL, up ? 1 : 0);
  monitor_text_family (
      out, PREFIX "healthy", "gauge",
      "0 when the database is closed, or its last examination found what is critical.");
  monitor_text_count (out, PREFIX "healthy", NULL, NULL, healthy ? 1 : 0);
  monitor_text_family (out, PREFIX "info", "gauge", "The version of the library; always 1.");
  monitor_text_count (out, PREFIX "info", "version", ldb_get_version (), 1);
}

void
monitor_metrics_append (GString *out, LdbDatabase *database)
{
  gboolean writes;
  g_autoptr (LdbMetrics) timed = NULL;
  g_autoptr (LdbStats) stats = get_stats (database, &timed, &writes);
  append_states (out, database, stats != NULL);
  if (stats == NULL)
    return;
  append_operations (out, stats, writes);
  append_timings (out, timed, writes);
  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    if (figures[i].name != NULL && (writes || !figures[i].is_of_writer))
      append_figure (out, stats, &figures[i]);
  append_counts (out, timed, writes);
}

/**
 * ldb_monitor_format_metrics:
 * @database: a database
 *
 * Gets what `/metrics` answers, in the Prometheus text format 0.0.4: for an application that has an
 * HTTP server of its own, or writes a file for the node exporter's text file collector.
 *
 * What a [class@LdbMonitor.Server] counts of itself is not in it. A database that is closed is told
 * as `lightning_db_up 0`. Does not block; any thread.
 *
 * Returns: (transfer full): the text
 *
 * Since: 0.1
 */
char *
ldb_monitor_format_metrics (LdbDatabase *database)
{
  g_return_val_if_fail (LDB_IS_DATABASE (database), NULL);
  GString *out = g_string_sized_new (8192);
  monitor_metrics_append (out, database);
  return g_string_free (out, FALSE);
}

/* ---- JSON ---- */

static void
append_members (GString *out, const LdbStats *stats, gboolean writes)
{
  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    if (figures[i].is_of_writer && !writes)
      continue;
    else if (figures[i].kind == FIGURE_REAL)
      monitor_json_real (out, figures[i].member,
                         G_STRUCT_MEMBER (double, stats, figures[i].offset));
    else
      monitor_json_count (out, figures[i].member,
                          G_STRUCT_MEMBER (guint64, stats, figures[i].offset));
}

gboolean
monitor_stats_append (GString *out, LdbDatabase *database)
{
  gboolean writes;
  g_autoptr (LdbStats) stats = get_stats (database, NULL, &writes);
  monitor_json_begin (out);
  monitor_json_text (out, "version", ldb_get_version ());
  monitor_json_truth (out, "open", stats != NULL);
  if (stats != NULL)
    {
      monitor_json_text (out, "id", ldb_database_get_id (database));
      monitor_json_truth (out, "read_only", ldb_database_is_read_only (database));
      append_members (out, stats, writes);
    }
  monitor_json_end (out);
  return stats != NULL;
}
