/* SPDX-License-Identifier: MIT */
/*
 * A report as plain text, and what the forms share: the figures of LdbStats in groups, and how
 * numbers and keys are written.
 */
#include "config.h"

#include "ldb-facts-private.h"
#include "ldb-language-private.h"

#include <string.h>

#define LABEL_WIDTH 30
#define SEGMENTS_SHOWN 20u
#define KEY_SHOWN 40u /* bytes */

#define HEADING(label)                                                                             \
  {                                                                                                \
    NULL, label, LDB_FIGURE_COUNT, 0                                                               \
  }
#define FIGURE(field, label, kind)                                                                 \
  {                                                                                                \
#field, label, LDB_FIGURE_##kind, G_STRUCT_OFFSET(LdbStats, field)                             \
  }

const LdbFigure ldb_stats_figures[] = {
  HEADING (N_ ("Contents")),
  FIGURE (keys, N_ ("Keys, about"), COUNT),
  FIGURE (data_bytes, N_ ("Keys and values"), SIZE),
  FIGURE (disk_bytes, N_ ("On the disk"), SIZE),
  FIGURE (segment_bytes, N_ ("Segments"), SIZE),
  FIGURE (blob_bytes, N_ ("Files of large values"), SIZE),
  FIGURE (log_bytes, N_ ("Write-ahead log"), SIZE),
  FIGURE (spare_log_bytes, N_ ("Spare log files"), SIZE),
  FIGURE (compression_ratio, N_ ("Compression ratio"), RATIO),
  FIGURE (page_utilisation, N_ ("Page utilisation"), SHARE),
  FIGURE (tree_depth, N_ ("B+Tree depth"), COUNT),
  FIGURE (runs, N_ ("Sorted runs"), COUNT),
  FIGURE (segments, N_ ("B+Tree files"), COUNT),
  FIGURE (pages, N_ ("Pages in them"), COUNT),
  FIGURE (blobs, N_ ("Files of large values"), COUNT),
  FIGURE (descriptors, N_ ("Files held open"), COUNT),
  HEADING (N_ ("Reading")),
  FIGURE (gets, N_ ("Keys looked up"), COUNT),
  FIGURE (gets_found, N_ ("Found"), COUNT),
  FIGURE (cursors, N_ ("Cursors"), COUNT),
  FIGURE (cache_hits, N_ ("Lookups that memory answered"), COUNT),
  FIGURE (cache_misses, N_ ("Lookups that read pages"), COUNT),
  FIGURE (cache_evictions, N_ ("Pages evicted"), COUNT),
  FIGURE (cache_pinned, N_ ("Pages that are held"), COUNT),
  HEADING (N_ ("Writing")),
  FIGURE (sequence, N_ ("Newest commit"), COUNT),
  FIGURE (durable_sequence, N_ ("Newest commit on the disk"), COUNT),
  FIGURE (commits, N_ ("Commits"), COUNT),
  FIGURE (puts, N_ ("Keys put"), COUNT),
  FIGURE (deletes, N_ ("Keys deleted"), COUNT),
  FIGURE (range_deletes, N_ ("Ranges deleted"), COUNT),
  FIGURE (user_bytes, N_ ("Keys and values committed"), SIZE),
  FIGURE (log_written_bytes, N_ ("Written to the log"), SIZE),
  FIGURE (log_syncs, N_ ("Syncs of the log"), COUNT),
  FIGURE (stalls, N_ ("Waits of writers"), COUNT),
  FIGURE (stall_microseconds, N_ ("Waited in all"), MICROSECONDS),
  FIGURE (worst_stall_microseconds, N_ ("Longest wait"), MICROSECONDS),
  HEADING (N_ ("Transactions and snapshots")),
  FIGURE (transactions_active, N_ ("Active transactions"), COUNT),
  FIGURE (transactions_committed, N_ ("Committed transactions"), COUNT),
  FIGURE (transactions_aborted, N_ ("Rolled back or failed"), COUNT),
  FIGURE (conflicts, N_ ("Conflicts"), COUNT),
  FIGURE (snapshots, N_ ("Live snapshots"), COUNT),
  FIGURE (oldest_snapshot, N_ ("Oldest snapshot"), COUNT),
  HEADING (N_ ("Background work")),
  FIGURE (flushes, N_ ("Flushes"), COUNT),
  FIGURE (flush_bytes, N_ ("Written by flushes"), SIZE),
  FIGURE (merges, N_ ("Merges"), COUNT),
  FIGURE (merge_bytes_read, N_ ("Read by merges"), SIZE),
  FIGURE (merge_bytes_written, N_ ("Written by merges"), SIZE),
  FIGURE (pending_compaction_bytes, N_ ("Still to be merged"), SIZE),
  HEADING (N_ ("Memory")),
  FIGURE (memory_used, N_ ("Used"), SIZE),
  FIGURE (memory_budget, N_ ("Budget"), SIZE),
  FIGURE (cache_used, N_ ("Cache"), SIZE),
  FIGURE (cache_capacity, N_ ("Cache may hold"), SIZE),
  FIGURE (memtable_bytes, N_ ("Tables in memory"), SIZE),
  FIGURE (memtable_records, N_ ("Records in them"), COUNT),
  FIGURE (frozen_memtables, N_ ("Full ones to be written"), COUNT),
  { 0 },
};

char *
ldb_count_format (guint64 count)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, count);
  gsize length = strlen (digits);
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < length; i++)
    {
      if (i > 0 && (length - i) % 3 == 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, digits[i]);
    }
  return g_string_free (text, FALSE);
}

char *
ldb_timing_format (const LdbTiming *timing, guint64 amount)
{
  double time = (double) amount;
  if (!timing->is_time)
    return ldb_count_format (amount);
  if (time < 1e3)
    return g_strdup_printf ("%.0f ns", time);
  if (time < 1e6)
    return g_strdup_printf ("%.1f µs", time / 1e3);
  if (time < 1e9)
    return g_strdup_printf ("%.1f ms", time / 1e6);
  return g_strdup_printf ("%.2f s", time / 1e9);
}

char *
ldb_figure_format (const LdbFigure *figure, const LdbStats *stats)
{
  guint64 count = G_STRUCT_MEMBER (guint64, stats, figure->offset);
  double real = G_STRUCT_MEMBER (double, stats, figure->offset);
  switch (figure->kind)
    {
    case LDB_FIGURE_SIZE:
      return g_format_size (count);
    case LDB_FIGURE_SHARE:
      return g_strdup_printf ("%.0f %%", real * 100);
    case LDB_FIGURE_RATIO:
      return g_strdup_printf ("%.2f", real);
    case LDB_FIGURE_MICROSECONDS:
      return g_strdup_printf ("%.3f s", (double) count / 1e6);
    case LDB_FIGURE_COUNT:
    default:
      return ldb_count_format (count);
    }
}

char *
ldb_key_format (GBytes *key)
{
  gsize size = 0;
  const guint8 *data = key != NULL ? g_bytes_get_data (key, &size) : NULL;
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < MIN (size, KEY_SHOWN); i++)
    if (g_ascii_isprint (data[i]) && data[i] != '\\')
      g_string_append_c (text, (char) data[i]);
    else
      g_string_append_printf (text, "\\x%02x", data[i]);
  if (size > KEY_SHOWN)
    g_string_append (text, "…");
  return g_string_free (text, FALSE);
}

/* ---- what follows from several facts ---- */

double
ldb_facts_hit_rate (const LdbFacts *facts)
{
  guint64 all = facts->stats->cache_hits + facts->stats->cache_misses;
  return all > 0 ? (double) facts->stats->cache_hits / (double) all : 0;
}

double
ldb_facts_write_amplification (const LdbFacts *facts)
{
  const LdbStats *stats = facts->stats;
  return stats->user_bytes > 0 ? (double) (stats->flush_bytes + stats->merge_bytes_written)
                                     / (double) stats->user_bytes
                               : 0;
}

static void
add_segments (LdbStorageNode *node, GPtrArray *to)
{
  if (ldb_storage_node_get_kind (node) == LDB_STORAGE_SEGMENT)
    g_ptr_array_add (to, node);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (node)); i++)
    {
      g_autoptr (LdbStorageNode) child = g_list_model_get_item (G_LIST_MODEL (node), i);
      add_segments (child, to);
    }
}

static int
compare_sizes (gconstpointer a, gconstpointer b)
{
  const LdbStorageFigures *left = ldb_storage_node_get_figures (*(LdbStorageNode *const *) a);
  const LdbStorageFigures *right = ldb_storage_node_get_figures (*(LdbStorageNode *const *) b);
  return (left->bytes < right->bytes) - (left->bytes > right->bytes);
}

GPtrArray *
ldb_facts_list_segments (const LdbFacts *facts)
{
  GPtrArray *segments = g_ptr_array_new ();
  add_segments (ldb_storage_map_get_root (facts->map), segments);
  g_ptr_array_sort (segments, compare_sizes);
  return segments;
}

/* ---- the text ---- */

/* How wide it is where letters have the same width, or twice that. */
static int
cells (const char *text)
{
  int width = 0;
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar letter = g_utf8_get_char (text);
      if (!g_unichar_iszerowidth (letter))
        width += g_unichar_iswide (letter) ? 2 : 1;
    }
  return width;
}

/* Without control characters: in a name they would begin a line of their own, or steer a terminal. How
 * wide it is. */
static int
append_plain (GString *to, const char *text)
{
  gsize start = to->len;
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar letter = g_utf8_get_char (at);
      g_string_append_unichar (to, g_unichar_iscntrl (letter) ? '?' : letter);
    }
  return cells (to->str + start);
}

static void
add_line (GString *to, const char *text)
{
  append_plain (to, text);
  g_string_append_c (to, '\n');
}

static void
add_underlined (GString *to, const char *heading, char line)
{
  int width = append_plain (to, heading);
  g_string_append_c (to, '\n');
  for (; width > 0; width--)
    g_string_append_c (to, line);
  g_string_append_c (to, '\n');
}

static void
add_heading (GString *to, const char *heading)
{
  g_string_append_c (to, '\n');
  add_underlined (to, heading, '-');
}

static void
add_pair (GString *to, const char *label, const char *value)
{
  for (int width = append_plain (to, label); width < LABEL_WIDTH; width++)
    g_string_append_c (to, ' ');
  g_string_append_c (to, ' ');
  add_line (to, value);
}

const char *
ldb_severity_name (LdbSeverity severity)
{
  static const char *const names[]
      = { N_ ("none"), N_ ("advice"), N_ ("warning"), N_ ("critical") };
  return _ (names[CLAMP (severity, LDB_SEVERITY_NONE, LDB_SEVERITY_CRITICAL)]);
}

/* Issues, the worst first; what to do about each below it. */
static void
add_health (GString *to, const LdbFacts *facts)
{
  GPtrArray *issues = ldb_health_get_issues (facts->health);
  add_heading (to, _ ("Health"));
  if (issues->len == 0)
    g_string_append_printf (to, "%s\n", _ ("Nothing is wrong."));
  for (guint i = 0; i < issues->len; i++)
    {
      const LdbHealthIssue *issue = g_ptr_array_index (issues, i);
      g_autofree char *label
          = g_strdup_printf ("%s (%s)", ldb_severity_name (issue->severity), issue->id);
      add_pair (to, label, issue->summary);
      add_pair (to, "", issue->remedy);
      if (facts->keys && issue->key != NULL)
        {
          g_autofree char *key = ldb_key_format (issue->key);
          add_pair (to, _ ("  about the key"), key);
        }
    }
}

static void
add_stats (GString *to, const LdbFacts *facts)
{
  for (const LdbFigure *figure = ldb_stats_figures; figure->label != NULL; figure++)
    if (figure->name == NULL)
      add_heading (to, _ (figure->label));
    else
      {
        g_autofree char *value = ldb_figure_format (figure, facts->stats);
        add_pair (to, _ (figure->label), value);
      }
}

static void
add_timings (GString *to, const LdbFacts *facts)
{
  if (facts->timings->len > 0)
    add_heading (to,
                 _ ("How long it takes: half of them, 99 %, the longest; how often it was timed"));
  for (guint i = 0; i < facts->timings->len; i++)
    {
      const LdbTiming *timing = g_ptr_array_index (facts->timings, i);
      g_autofree char *median = ldb_timing_format (timing, timing->median);
      g_autofree char *high = ldb_timing_format (timing, timing->high);
      g_autofree char *most = ldb_timing_format (timing, timing->most);
      g_autofree char *count = ldb_count_format (timing->count);
      g_autofree char *value = g_strdup_printf ("%s, %s, %s; %s", median, high, most, count);
      add_pair (to, timing->name, value);
    }
}

static void
add_stores (GString *to, const LdbFacts *facts)
{
  GListModel *stores = ldb_storage_map_get_stores (facts->map);
  add_heading (to, _ ("Stores"));
  for (guint i = 0; i < g_list_model_get_n_items (stores); i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (stores, i);
      const LdbStorageFigures *figures = ldb_storage_node_get_figures (store);
      const char *name = ldb_storage_node_get_name (store);
      g_autofree char *size = g_format_size (figures->bytes);
      g_autofree char *records = ldb_count_format (figures->records);
      g_autofree char *value = g_strdup_printf (_ ("%s, %s records"), size, records);
      add_pair (to, name != NULL ? name : _ ("(dropped)"), value);
    }
}

static void
add_sizes (GString *to, const LdbFacts *facts)
{
  for (guint i = 0; i < facts->sizes->len; i++)
    {
      const LdbStoreSizes *one = g_ptr_array_index (facts->sizes, i);
      g_autofree char *heading = g_strdup_printf (_ ("Sizes in the store “%s”"), one->store);
      static const struct
      {
        const char *label;
        double fraction;
      } lines[] = { { N_ ("Median"), 0.5 }, { N_ ("99 %"), 0.99 }, { N_ ("Largest"), 1 } };
      add_heading (to, heading);
      for (gsize line = 0; line < G_N_ELEMENTS (lines); line++)
        {
          g_autofree char *key
              = g_format_size (ldb_sizes_get_key_percentile (one->sizes, lines[line].fraction));
          g_autofree char *value
              = g_format_size (ldb_sizes_get_value_percentile (one->sizes, lines[line].fraction));
          g_autofree char *both = g_strdup_printf (_ ("keys %s, values %s"), key, value);
          add_pair (to, _ (lines[line].label), both);
        }
      GPtrArray *biggest = ldb_sizes_get_biggest (one->sizes);
      for (guint b = 0; facts->keys && b < biggest->len; b++)
        {
          const LdbBigValue *value = g_ptr_array_index (biggest, b);
          g_autofree char *key = ldb_key_format (value->key);
          g_autofree char *size = g_format_size (value->size);
          add_pair (to, key, size);
        }
      if (one->sizes->share < 1)
        {
          g_autofree char *part = g_strdup_printf (_ ("(about %.0f %% of it was looked at)"),
                                                   one->sizes->share * 100);
          g_string_append_printf (to, "%s\n", part);
        }
    }
}

static void
add_segment_lines (GString *to, const LdbFacts *facts)
{
  g_autoptr (GPtrArray) segments = ldb_facts_list_segments (facts);
  add_heading (to, segments->len > SEGMENTS_SHOWN ? _ ("The largest segments") : _ ("Segments"));
  for (guint i = 0; i < MIN (segments->len, SEGMENTS_SHOWN); i++)
    {
      LdbStorageNode *segment = g_ptr_array_index (segments, i);
      const LdbStorageFigures *figures = ldb_storage_node_get_figures (segment);
      g_autofree char *size = g_format_size (figures->bytes);
      g_autofree char *records = ldb_count_format (figures->records);
      g_autoptr (GString) value = g_string_new (NULL);
      g_string_append_printf (value, _ ("%s, level %d, %s records, %.0f %% full"), size,
                              ldb_storage_node_get_level (segment), records,
                              ldb_storage_node_get_fill (segment) * 100);
      if (facts->keys)
        {
          g_autofree char *smallest = ldb_key_format (ldb_storage_node_get_smallest (segment));
          g_autofree char *largest = ldb_key_format (ldb_storage_node_get_largest (segment));
          g_string_append_printf (value, ", %s – %s", smallest, largest);
        }
      add_pair (to, ldb_storage_node_get_name (segment), value->str);
    }
}

char *
ldb_facts_to_text (const LdbFacts *facts)
{
  GString *to = g_string_new (NULL);
  add_underlined (to, _ ("Lightning DB report"), '=');
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (facts->time / G_USEC_PER_SEC);
  g_autofree char *when = g_date_time_format (time, "%Y-%m-%d %H:%M:%S UTC");
  gboolean has_read = facts->stats->cache_hits + facts->stats->cache_misses > 0;
  g_autofree char *rate
      = has_read ? g_strdup_printf ("%.1f %%", ldb_facts_hit_rate (facts) * 100) : g_strdup ("–");
  g_autofree char *writes = facts->stats->user_bytes > 0
                                ? g_strdup_printf ("%.2f", ldb_facts_write_amplification (facts))
                                : g_strdup ("–");
  add_pair (to, _ ("Database"), facts->path);
  add_pair (to, _ ("Identity"), facts->id);
  add_pair (to, C_ ("how", "Opened"), facts->read_only ? _ ("read-only") : _ ("for writing"));
  add_pair (to, _ ("Taken at"), when);
  add_pair (to, _ ("Library"), ldb_get_version ());
  add_pair (to, _ ("Cache hit rate"), rate);
  add_pair (to, _ ("Write amplification"), writes);
  add_health (to, facts);
  add_stats (to, facts);
  add_timings (to, facts);
  add_stores (to, facts);
  add_sizes (to, facts);
  add_segment_lines (to, facts);
  GPtrArray *faults = ldb_storage_map_get_faults (facts->map);
  if (faults->len > 0)
    add_heading (to, _ ("Damage that was met"));
  for (guint i = 0; i < faults->len; i++)
    add_line (to, ((LdbFault *) g_ptr_array_index (faults, i))->reason);
  add_heading (to, _ ("Options"));
  for (guint i = 0; i < facts->settings->len; i++)
    {
      const LdbSetting *setting = g_ptr_array_index (facts->settings, i);
      add_pair (to, setting->name, setting->value);
    }
  return g_string_free (to, FALSE);
}
