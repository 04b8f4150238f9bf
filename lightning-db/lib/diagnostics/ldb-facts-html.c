/* SPDX-License-Identifier: MIT */
/*
 * A report as one HTML file: style and charts are in it, nothing is fetched, nothing runs; its
 * policy says so to the browser, too.
 */
#include "config.h"

#include "ldb-facts-private.h"
#include "ldb-language-private.h"
#include "ldb-svg-private.h"

#define SEGMENTS_SHOWN 200u /* rows of a table */
#define TILES_SHOWN 300u    /* of the treemap; further segments are one */
#define STORES_SHOWN 12u    /* bars */

static const char style[]
    = ":root{color-scheme:light "
      "dark;--fg:#222;--dim:#666;--bg:#fafafa;--card:#fff;--line:#ddd;--c0:#3584e4;"
      "--c1:#33a06f;--c2:#c77d0a;--c3:#9141ac;--c4:#c64600;--c5:#77767b;--ink:#fff}"
      "@media(prefers-color-scheme:dark){:root{--fg:#eee;--dim:#aaa;--bg:#1e1e1e;--card:#2a2a2a;--"
      "line:#444}}"
      "*{box-sizing:border-box}body{font:15px/1.5 "
      "Cantarell,Inter,system-ui,sans-serif;color:var(--fg);"
      "background:var(--bg);margin:0 auto;padding:24px;max-width:1060px}"
      "h1{font-size:26px;margin:0}h2{font-size:18px;margin:36px 0 "
      "10px}h3{font-size:15px;margin:18px 0 6px}"
      "p.dim,td.dim,.legend{color:var(--dim)}code{font-family:monospace;overflow-wrap:anywhere}"
      ".tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:20px 0}"
      ".tile,.card{background:var(--card);border:1px solid "
      "var(--line);border-radius:10px;padding:12px 16px}"
      ".tile b{display:block;font-size:22px;font-weight:600}.tile "
      "span{color:var(--dim);font-size:13px}"
      ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:12px}"
      "table{border-collapse:collapse;width:100%}td,th{padding:3px 10px 3px 0;text-align:left;"
      "border-bottom:1px solid var(--line);vertical-align:top}td.n,th.n{text-align:right;"
      "font-variant-numeric:tabular-nums;white-space:nowrap}.wide{overflow-x:auto}"
      "svg{width:100%;display:block;overflow:visible}svg svg{overflow:hidden}svg "
      "text{font-size:14px;fill:var(--fg)}"
      ".bars{display:grid;grid-template-columns:minmax(0,max-content) 1fr;gap:6px 10px;align-items:"
      "center;font-size:14px;margin-bottom:10px}.bars span{text-align:right;max-width:240px;"
      "overflow-wrap:anywhere}.bars div{display:flex;align-items:center;gap:8px;white-space:nowrap}"
      ".bars i{height:22px;flex:none}"
      ".card>:is(p,h3):first-child{margin-top:0}.card>p:last-child{margin-bottom:0}"
      ".map text{fill:var(--ink);pointer-events:none}.map rect{stroke:var(--card);stroke-width:2}"
      ".c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}"
      ".c2{fill:var(--c2);background:var(--c2)}.c3{fill:var(--c3);background:var(--c3)}"
      ".c4{fill:var(--c4);background:var(--c4)}.c5{fill:var(--c5);background:var(--c5)}"
      ".s0{fill:#a51d2d}.s1{fill:#b5332b}.s2{fill:#c04a20}.s3{fill:#b85c10}.s4{fill:#a66a00}"
      ".s5{fill:#8a7000}.s6{fill:#6a7410}.s7{fill:#4a7a2a}.s8{fill:#2f7a45}.s9{fill:#1f7a5a}"
      ".legend{list-style:none;padding:0;margin:8px 0 0;display:flex;flex-wrap:wrap;gap:4px 18px}"
      ".legend span{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px}"
      ".legend b{color:var(--fg);font-weight:500}"
      ".rest{fill:var(--line);background:var(--line)}.bad{border-color:#c01c28;background:#"
      "c01c2818}.dim{color:var(--dim)}.good{color:#2f7a45;"
      "margin:0}.issue{display:flex;gap:12px;padding:8px 0}.issue+.issue{border-top:1px solid "
      "var(--line)}.badge{flex:none;align-self:flex-start;width:76px;text-align:center;font-size:"
      "12px;line-height:22px;border-radius:11px;color:#fff;background:#5e5c64}.v2{background:#"
      "9a5a00}"
      ".v3{background:#c01c28}"
      "@media(max-width:700px){body{padding:14px}.tiles{grid-template-columns:1fr 1fr}.w,.hint{"
      "display:none}.bars span{max-width:140px}}@media "
      "print{.card,.tile{break-inside:avoid}}";

/* ---- pieces of a page ---- */

static void
add_tile (GString *to, const char *label, char *value)
{
  g_string_append (to, "<div class=\"tile\"><b>");
  ldb_html_escape (to, value);
  g_string_append (to, "</b><span>");
  ldb_html_escape (to, label);
  g_string_append (to, "</span></div>\n");
  g_free (value);
}

static void
add_cell (GString *to, const char *class, const char *text)
{
  g_string_append_printf (to, class != NULL ? "<td class=\"%s\">" : "<td>", class);
  ldb_html_escape (to, text);
  g_string_append (to, "</td>");
}

static void
add_size_cell (GString *to, guint64 bytes)
{
  g_autofree char *text = g_format_size (bytes);
  add_cell (to, "n", text);
}

static void
add_count_cell (GString *to, guint64 count)
{
  g_autofree char *text = ldb_count_format (count);
  add_cell (to, "n", text);
}

static void
begin_card (GString *to, const char *heading, const char *class)
{
  g_string_append (to, "<h2>");
  ldb_html_escape (to, heading);
  g_string_append_printf (to, "</h2>\n<div class=\"card %s\">\n", class);
}

/* A paragraph of plain text. */
static void
add_paragraph (GString *to, const char *class, const char *text)
{
  g_string_append_printf (to, "<p class=\"%s\">", class);
  ldb_html_escape (to, text);
  g_string_append (to, "</p>\n");
}

static void
add_subheading (GString *to, const char *heading)
{
  g_string_append (to, "<h3>");
  ldb_html_escape (to, heading);
  g_string_append (to, "</h3>\n");
}

/* A cell of a table's first row. */
static void
add_column (GString *to, const char *class, const char *label)
{
  g_string_append_printf (to, class != NULL ? "<th class=\"%s\">" : "<th>", class);
  ldb_html_escape (to, label);
  g_string_append (to, "</th>");
}

static void
end_card (GString *to)
{
  g_string_append (to, "</div>\n");
}

/* ---- its parts, from the top ---- */

static void
add_head (GString *to, const LdbFacts *facts)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (facts->time / G_USEC_PER_SEC);
  g_autofree char *when = g_date_time_format (time, "%Y-%m-%d %H:%M:%S UTC");
  g_autofree char *name = g_path_get_basename (facts->path);
  /* Translators: the code of your language, as in HTML: "de", "pt-BR". */
  const char *language = C_ ("language of the page", "en");
  g_string_append (to, "<!DOCTYPE html>\n<html lang=\"");
  ldb_html_escape (to, language);
  g_string_append (to, "\"><head><meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "style-src 'unsafe-inline'\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<title>");
  ldb_html_escape (to, name);
  g_string_append_printf (to, " – Lightning DB</title>\n<style>%s</style></head><body>\n<h1>",
                          style);
  ldb_html_escape (to, name);
  g_string_append (to, "</h1>\n<p class=\"dim\"><code>");
  ldb_html_escape (to, facts->path);
  g_string_append (to, "</code><br>");
  /* Translators: when it was taken, how the database was opened, the library's version, the database's id. */
  g_autofree char *line
      = g_strdup_printf (_ ("%s, %s; Lightning DB %s; identity %s"), when,
                         facts->read_only ? _ ("opened read-only") : _ ("opened for writing"),
                         ldb_get_version (), facts->id);
  ldb_html_escape (to, line);
  g_string_append (to, "</p>\n");
}

static void
add_tiles (GString *to, const LdbFacts *facts)
{
  const LdbStats *stats = facts->stats;
  gboolean reads = stats->cache_hits + stats->cache_misses > 0;
  g_string_append (to, "<div class=\"tiles\">\n");
  add_tile (to, _ ("keys, about"), ldb_count_format (stats->keys));
  add_tile (to, _ ("on the disk"), g_format_size (stats->disk_bytes));
  g_autofree char *budget = g_format_size (stats->memory_budget);
  g_autofree char *of_budget = g_strdup_printf (_ ("used of %s of memory"), budget);
  add_tile (to, of_budget, g_format_size (stats->memory_used));
  add_tile (to, _ ("cache hit rate"),
            reads ? g_strdup_printf ("%.1f %%", ldb_facts_hit_rate (facts) * 100) : g_strdup ("–"));
  add_tile (to, _ ("commits"), ldb_count_format (stats->commits));
  add_tile (to, _ ("conflicts"), ldb_count_format (stats->conflicts));
  add_tile (to, stats->runs == 1 ? _ ("sorted run: settled") : _ ("sorted runs"),
            ldb_count_format (stats->runs));
  add_tile (to, _ ("written per byte committed"),
            stats->user_bytes > 0
                ? g_strdup_printf ("%.2f ×", ldb_facts_write_amplification (facts))
                : g_strdup ("–"));
  g_string_append (to, "</div>\n");
}

/* What is wrong, and what to do; of a healthy database one line. */
static void
add_health (GString *to, const LdbFacts *facts)
{
  GPtrArray *issues = ldb_health_get_issues (facts->health);
  gboolean healthy = ldb_health_is_healthy (facts->health);
  begin_card (to, _ ("Health"), healthy ? "health" : "health bad");
  if (issues->len == 0)
    add_paragraph (to, "good", _ ("Nothing is wrong."));
  for (guint i = 0; i < issues->len; i++)
    {
      const LdbHealthIssue *issue = g_ptr_array_index (issues, i);
      g_string_append_printf (to,
                              "<div class=\"issue\"><span class=\"badge v%u\">%s</span><div><b>",
                              (guint) issue->severity, ldb_severity_name (issue->severity));
      ldb_html_escape (to, issue->summary);
      g_string_append (to, "</b><br><span class=\"dim\">");
      ldb_html_escape (to, issue->remedy);
      if (facts->keys && issue->key != NULL)
        {
          g_autofree char *key = ldb_key_format (issue->key);
          g_string_append_c (to, ' ');
          ldb_html_escape (to, _ ("The key:"));
          g_string_append (to, " <code>");
          ldb_html_escape (to, key);
          g_string_append (to, "</code>");
        }
      g_string_append (to, "</span></div></div>\n");
    }
  end_card (to);
}

static void
add_damage (GString *to, const LdbFacts *facts)
{
  GPtrArray *faults = ldb_storage_map_get_faults (facts->map);
  gboolean any = faults->len > 0;
  for (guint i = 0; i < facts->sizes->len; i++)
    any = any || ((LdbStoreSizes *) g_ptr_array_index (facts->sizes, i))->sizes->faults > 0;
  if (!any)
    return;
  begin_card (to, _ ("Damage that was met"), "bad");
  add_paragraph (to, "", _ ("Run a check; restore a backup, or repair the database."));
  g_string_append (to, "<ul>\n");
  for (guint i = 0; i < faults->len; i++)
    {
      g_string_append (to, "<li>");
      ldb_html_escape (to, ((LdbFault *) g_ptr_array_index (faults, i))->reason);
      g_string_append (to, "</li>\n");
    }
  for (guint i = 0; i < facts->sizes->len; i++)
    {
      const char *fault = ldb_sizes_get_first_fault (
          ((LdbStoreSizes *) g_ptr_array_index (facts->sizes, i))->sizes);
      if (fault == NULL)
        continue;
      g_string_append (to, "<li>");
      ldb_html_escape (to, fault);
      g_string_append (to, "</li>\n");
    }
  g_string_append (to, "</ul>\n");
  end_card (to);
}

static void
add_disk (GString *to, const LdbFacts *facts)
{
  const LdbStats *stats = facts->stats;
  const LdbStorageFigures *all
      = ldb_storage_node_get_figures (ldb_storage_map_get_root (facts->map));
  guint64 known = stats->segment_bytes + stats->blob_bytes;
  guint64 log = stats->log_bytes + stats->spare_log_bytes;
  guint64 other = all->bytes > known + log ? all->bytes - known - log : 0;
  g_autoptr (GPtrArray) marks = ldb_marks_new ();
  ldb_marks_add (marks, _ ("Segments"), g_format_size (stats->segment_bytes),
                 (double) stats->segment_bytes, -1);
  ldb_marks_add (marks, _ ("Large values"), g_format_size (stats->blob_bytes),
                 (double) stats->blob_bytes, -1);
  ldb_marks_add (marks, _ ("Log"), g_format_size (log), (double) log, -1);
  ldb_marks_add (marks, _ ("Other files"), g_format_size (other), (double) other, -1);
  begin_card (to, _ ("On the disk"), "");
  ldb_svg_pieces (to, _ ("What takes how much of the disk"), marks);
  end_card (to);
}

static void
add_map (GString *to, const LdbFacts *facts)
{
  g_autoptr (GPtrArray) segments = ldb_facts_list_segments (facts);
  g_autoptr (GPtrArray) marks = ldb_marks_new ();
  guint64 rest = 0;
  if (segments->len == 0)
    return;
  for (guint i = 0; i < segments->len; i++)
    {
      LdbStorageNode *segment = g_ptr_array_index (segments, i);
      guint64 bytes = ldb_storage_node_get_figures (segment)->bytes;
      double fill = ldb_storage_node_get_fill (segment);
      if (i >= TILES_SHOWN)
        {
          rest += bytes;
          continue;
        }
      g_autofree char *size = g_format_size (bytes);
      /* Half full or less is as red as it gets. */
      ldb_marks_add (marks, ldb_storage_node_get_name (segment),
                     g_strdup_printf (_ ("%s, %.0f %% full"), size, fill * 100), (double) bytes,
                     (fill - 0.5) * 2 > 0 ? (fill - 0.5) * 2 : 0);
    }
  if (rest > 0)
    ldb_marks_add (marks, _ ("others"), g_format_size (rest), (double) rest, -1);
  begin_card (to, _ ("Segments"), "map");
  ldb_svg_treemap (to, _ ("Segments by size, coloured by how full their pages are"), marks);
  add_paragraph (to, "dim",
                 _ ("Area: size of the file. Colour: from red, pages half full, to green, full."));
  end_card (to);
}

static int
compare_stores (gconstpointer a, gconstpointer b)
{
  const LdbStorageFigures *left = ldb_storage_node_get_figures (*(LdbStorageNode *const *) a);
  const LdbStorageFigures *right = ldb_storage_node_get_figures (*(LdbStorageNode *const *) b);
  return (left->bytes < right->bytes) - (left->bytes > right->bytes);
}

static const char *
store_label (LdbStorageNode *store)
{
  const char *name = ldb_storage_node_get_name (store);
  return name != NULL ? name : _ ("(dropped)");
}

static void
add_stores (GString *to, const LdbFacts *facts)
{
  GListModel *list = ldb_storage_map_get_stores (facts->map);
  g_autoptr (GPtrArray) stores = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) marks = ldb_marks_new ();
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    g_ptr_array_add (stores, g_list_model_get_item (list, i));
  g_ptr_array_sort (stores, compare_stores);
  for (guint i = 0; i < MIN (stores->len, STORES_SHOWN); i++)
    {
      LdbStorageNode *store = g_ptr_array_index (stores, i);
      guint64 bytes = ldb_storage_node_get_figures (store)->bytes;
      ldb_marks_add (marks, store_label (store), g_format_size (bytes), (double) bytes, -1);
    }
  begin_card (to, _ ("Stores"), "");
  ldb_html_bars (to, _ ("The largest stores"), marks);
  g_string_append (to, "<div class=\"wide\"><table>");
  g_string_append (to, "<tr>");
  add_column (to, NULL, _ ("Store"));
  add_column (to, "n", _ ("Stored"));
  add_column (to, "n", _ ("Records"));
  add_column (to, "n", _ ("Keys"));
  add_column (to, "n", _ ("Values"));
  add_column (to, "n", _ ("Large values"));
  g_string_append (to, "</tr>\n");
  for (guint i = 0; i < MIN (stores->len, SEGMENTS_SHOWN); i++)
    {
      LdbStorageNode *store = g_ptr_array_index (stores, i);
      const LdbStorageFigures *figures = ldb_storage_node_get_figures (store);
      g_string_append (to, "<tr>");
      add_cell (to, NULL, store_label (store));
      add_size_cell (to, figures->bytes);
      add_count_cell (to, figures->records);
      add_size_cell (to, figures->key_bytes);
      add_size_cell (to, figures->value_bytes);
      add_size_cell (to, figures->blob_bytes);
      g_string_append (to, "</tr>\n");
    }
  g_string_append (to, "</table></div>");
  add_paragraph (to, "dim",
                 _ ("Records are versions in files, deletes among them; shared out by bytes where "
                    "a file has several stores."));
  end_card (to);
}

static void
add_histogram (GString *to, const char *heading, GPtrArray *buckets)
{
  g_autoptr (GPtrArray) marks = ldb_marks_new ();
  for (guint i = 0; i < buckets->len; i++)
    {
      const LdbSizeBucket *bucket = g_ptr_array_index (buckets, i);
      guint64 end = bucket->most + 1; /* a power of two */
      g_autofree char *label = end <= 1024 ? g_strdup_printf ("≤ %u", (guint) bucket->most)
                               : end <= (1 << 20)
                                   ? g_strdup_printf ("< %u KiB", (guint) (end >> 10))
                                   : g_strdup_printf ("< %" G_GUINT64_FORMAT " MiB", end >> 20);
      ldb_marks_add (marks, label, ldb_count_format (bucket->count), (double) bucket->count, -1);
    }
  add_subheading (to, heading);
  ldb_svg_columns (to, heading, marks);
  g_ptr_array_unref (buckets);
}

static void
add_biggest (GString *to, const LdbFacts *facts, LdbSizes *sizes)
{
  GPtrArray *biggest = ldb_sizes_get_biggest (sizes);
  if (!facts->keys || biggest->len == 0)
    return;
  add_subheading (to, _ ("The largest values"));
  g_string_append (to, "<table>\n");
  for (guint i = 0; i < biggest->len; i++)
    {
      const LdbBigValue *value = g_ptr_array_index (biggest, i);
      g_autofree char *key = ldb_key_format (value->key);
      g_string_append (to, "<tr>");
      add_cell (to, NULL, key);
      add_size_cell (to, value->size);
      g_string_append (to, "</tr>\n");
    }
  g_string_append (to, "</table>\n");
}

static void
add_sizes (GString *to, const LdbFacts *facts)
{
  for (guint i = 0; i < facts->sizes->len; i++)
    {
      const LdbStoreSizes *one = g_ptr_array_index (facts->sizes, i);
      LdbSizes *sizes = one->sizes;
      g_autofree char *heading = g_strdup_printf (_ ("Sizes in the store “%s”"), one->store);
      g_autofree char *count = ldb_count_format (sizes->records);
      g_autofree char *key = g_format_size (ldb_sizes_get_key_percentile (sizes, 0.5));
      g_autofree char *value = g_format_size (ldb_sizes_get_value_percentile (sizes, 0.5));
      g_autofree char *high = g_format_size (ldb_sizes_get_value_percentile (sizes, 0.99));
      g_autofree char *largest = g_format_size (ldb_sizes_get_value_percentile (sizes, 1));
      if (sizes->records == 0)
        continue;
      begin_card (to, heading, "");
      g_autofree char *looked = g_strdup_printf (
          sizes->share < 1 ? _ ("%s keys looked at, spread evenly over the store.")
                           : _ ("%s keys looked at, which is all."),
          count);
      g_autofree char *spread = g_strdup_printf (
          _ ("Half of the keys have up to %s, half of the values up to %s, 99 %% up to %s; the "
             "largest has %s."),
          key, value, high, largest);
      add_paragraph (to, "", looked);
      add_paragraph (to, "", spread);
      add_histogram (to, _ ("Values, by size"), ldb_sizes_list_value_buckets (sizes));
      add_histogram (to, _ ("Keys, by size"), ldb_sizes_list_key_buckets (sizes));
      add_biggest (to, facts, sizes);
      end_card (to);
    }
}

/* Of a database that nothing was done with, nothing. */
static void
add_traffic (GString *to, const LdbFacts *facts)
{
  const LdbStats *stats = facts->stats;
  const struct
  {
    const char *label;
    guint64 bytes;
  } bars[] = {
    { _ ("Committed"), stats->user_bytes },
    { _ ("Written to the log"), stats->log_written_bytes },
    { _ ("Written by flushes"), stats->flush_bytes },
    { _ ("Read by merges"), stats->merge_bytes_read },
    { _ ("Written by merges"), stats->merge_bytes_written },
    { _ ("Still to be merged"), stats->pending_compaction_bytes },
  };
  g_autoptr (GPtrArray) traffic = ldb_marks_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (bars); i++)
    ldb_marks_add (traffic, bars[i].label, g_format_size (bars[i].bytes), (double) bars[i].bytes,
                   -1);
  if (stats->user_bytes + stats->log_written_bytes + stats->merge_bytes_read > 0)
    {
      begin_card (to, _ ("Bytes since it was opened"), "");
      ldb_html_bars (to, _ ("Bytes since it was opened"), traffic);
      end_card (to);
    }
}

static void
add_memory (GString *to, const LdbFacts *facts)
{
  const LdbStats *stats = facts->stats;
  guint64 rest = stats->memory_used > stats->cache_used + stats->memtable_bytes
                     ? stats->memory_used - stats->cache_used - stats->memtable_bytes
                     : 0;
  guint64 unused
      = stats->memory_budget > stats->memory_used ? stats->memory_budget - stats->memory_used : 0;
  g_autoptr (GPtrArray) memory = ldb_marks_new ();
  ldb_marks_add (memory, _ ("Cache"), g_format_size (stats->cache_used), (double) stats->cache_used,
                 -1);
  ldb_marks_add (memory, _ ("Tables in memory"), g_format_size (stats->memtable_bytes),
                 (double) stats->memtable_bytes, -1);
  ldb_marks_add (memory, _ ("Filters, indexes, log, buffers"), g_format_size (rest), (double) rest,
                 -1);
  ldb_marks_add (memory, _ ("Not used"), g_format_size (unused), (double) unused, 0);
  begin_card (to, _ ("Memory"), "");
  ldb_svg_pieces (to, _ ("The memory budget"), memory);
  end_card (to);
}

#define LEAST_SHOWN 100 /* nanoseconds, of which a bar begins */

/* The binary logarithm, as near as a bar shows it. */
static double
count_doublings (double number)
{
  double doublings = 0;
  for (; number >= 2; number /= 2)
    doublings++;
  return doublings + MAX (number - 1, 0);
}

/* What takes time, from nanoseconds to seconds: a logarithmic bar for what 99 % of them take. */
static void
add_timings (GString *to, const LdbFacts *facts)
{
  g_autoptr (GPtrArray) marks = ldb_marks_new ();
  if (facts->timings->len == 0)
    return;
  begin_card (to, _ ("How long it takes"), "");
  for (guint i = 0; i < facts->timings->len; i++)
    {
      const LdbTiming *timing = g_ptr_array_index (facts->timings, i);
      if (timing->is_time)
        ldb_marks_add (marks, timing->name, ldb_timing_format (timing, timing->high),
                       count_doublings ((double) timing->high / LEAST_SHOWN), -1);
    }
  /* xgettext:no-c-format */
  add_subheading (to, _ ("99 % take at most (logarithmic)"));
  /* xgettext:no-c-format */
  ldb_html_bars (to, _ ("What 99 % of each take at most"), marks);
  g_string_append (to, "<div class=\"wide\"><table>");
  g_string_append (to, "<tr>");
  add_column (to, NULL, _ ("What"));
  add_column (to, "hint", "");
  add_column (to, "n", _ ("Timed"));
  add_column (to, "n", _ ("Half up to"));
  /* xgettext:no-c-format */
  add_column (to, "n", _ ("99 % up to"));
  add_column (to, "n", _ ("Longest"));
  g_string_append (to, "</tr>\n");
  for (guint i = 0; i < facts->timings->len; i++)
    {
      const LdbTiming *timing = g_ptr_array_index (facts->timings, i);
      g_autofree char *median = ldb_timing_format (timing, timing->median);
      g_autofree char *high = ldb_timing_format (timing, timing->high);
      g_autofree char *most = ldb_timing_format (timing, timing->most);
      if (!timing->is_time)
        continue; /* sizes, which have a part of their own */
      g_string_append (to, "<tr>");
      add_cell (to, NULL, timing->name);
      add_cell (to, "dim hint", timing->text);
      add_count_cell (to, timing->count);
      add_cell (to, "n", median);
      add_cell (to, "n", high);
      add_cell (to, "n", most);
      g_string_append (to, "</tr>\n");
    }
  g_string_append (to, "</table></div>\n");
  end_card (to);
}

static void
add_stats (GString *to, const LdbFacts *facts)
{
  g_string_append (to, "<h2>");
  ldb_html_escape (to, _ ("Statistics"));
  g_string_append (to, "</h2>\n<div class=\"grid\">\n");
  gboolean open = FALSE;
  for (const LdbFigure *figure = ldb_stats_figures; figure->label != NULL; figure++)
    {
      if (figure->name == NULL)
        {
          g_string_append_printf (to, "%s<div class=\"card\">", open ? "</table></div>\n" : "");
          add_subheading (to, _ (figure->label));
          g_string_append (to, "<table>\n");
          open = TRUE;
          continue;
        }
      g_autofree char *value = ldb_figure_format (figure, facts->stats);
      g_string_append (to, "<tr>");
      add_cell (to, NULL, _ (figure->label));
      add_cell (to, "n", value);
      g_string_append (to, "</tr>\n");
    }
  g_string_append (to, "</table></div>\n</div>\n");
}

static void
add_segment_row (GString *to, const LdbFacts *facts, LdbStorageNode *segment)
{
  static const char *const filters[]
      = { NC_ ("filter", "none"), NC_ ("filter", "Bloom"), NC_ ("filter", "fuse") };
  const LdbStorageFigures *figures = ldb_storage_node_get_figures (segment);
  g_autofree char *level = g_strdup_printf ("%d", ldb_storage_node_get_level (segment));
  g_autofree char *fill = g_strdup_printf ("%.0f %%", ldb_storage_node_get_fill (segment) * 100);
  g_autofree char *ratio
      = g_strdup_printf ("%.2f", figures->stored_bytes > 0 ? (double) figures->logical_bytes
                                                                 / (double) figures->stored_bytes
                                                           : 1);
  g_string_append (to, "<tr>");
  add_cell (to, NULL, ldb_storage_node_get_name (segment));
  add_cell (to, "n", level);
  add_size_cell (to, figures->bytes);
  add_count_cell (to, figures->records);
  add_count_cell (to, figures->deletes);
  add_cell (to, "n", fill);
  add_count_cell (to, figures->depth);
  add_cell (to, "n", ratio);
  add_cell (
      to, NULL,
      g_dpgettext2 (GETTEXT_PACKAGE, "filter", filters[ldb_storage_node_get_filter (segment)]));
  add_count_cell (to, figures->cached_pages);
  if (facts->keys)
    {
      g_autofree char *smallest = ldb_key_format (ldb_storage_node_get_smallest (segment));
      g_autofree char *largest = ldb_key_format (ldb_storage_node_get_largest (segment));
      add_cell (to, NULL, smallest);
      add_cell (to, NULL, largest);
    }
  g_string_append (to, "</tr>\n");
}

static void
add_segments (GString *to, const LdbFacts *facts)
{
  g_autoptr (GPtrArray) segments = ldb_facts_list_segments (facts);
  if (segments->len == 0)
    return;
  begin_card (to, segments->len > SEGMENTS_SHOWN ? _ ("The largest segments") : _ ("All segments"),
              "wide");
  g_string_append (to, "<table>");
  g_string_append (to, "<tr>");
  add_column (to, NULL, _ ("File"));
  add_column (to, "n", _ ("Level"));
  add_column (to, "n", _ ("Size"));
  add_column (to, "n", _ ("Records"));
  add_column (to, "n", _ ("Deletes"));
  add_column (to, "n", _ ("Full"));
  add_column (to, "n", _ ("Depth"));
  add_column (to, "n", _ ("Compression"));
  add_column (to, NULL, _ ("Filter"));
  add_column (to, "n", _ ("Cached pages"));
  if (facts->keys)
    {
      add_column (to, NULL, _ ("From"));
      add_column (to, NULL, _ ("To"));
    }
  g_string_append (to, "</tr>\n");
  for (guint i = 0; i < MIN (segments->len, SEGMENTS_SHOWN); i++)
    add_segment_row (to, facts, g_ptr_array_index (segments, i));
  g_string_append (to, "</table>\n");
  end_card (to);
}

static void
add_settings (GString *to, const LdbFacts *facts)
{
  begin_card (to, _ ("Options"), "");
  g_string_append (to, "<table>\n");
  for (guint i = 0; i < facts->settings->len; i++)
    {
      const LdbSetting *setting = g_ptr_array_index (facts->settings, i);
      g_string_append (to, "<tr>");
      add_cell (to, NULL, setting->name);
      add_cell (to, "n", setting->value);
      g_string_append (to, "</tr>\n");
    }
  g_string_append (to, "</table>\n");
  end_card (to);
}

char *
ldb_facts_to_html (const LdbFacts *facts)
{
  GString *to = g_string_new (NULL);
  add_head (to, facts);
  add_tiles (to, facts);
  add_health (to, facts);
  add_damage (to, facts);
  add_disk (to, facts);
  add_map (to, facts);
  add_stores (to, facts);
  add_sizes (to, facts);
  add_traffic (to, facts);
  add_memory (to, facts);
  add_timings (to, facts);
  add_stats (to, facts);
  add_segments (to, facts);
  add_settings (to, facts);
  g_string_append (to, "</body></html>\n");
  return g_string_free (to, FALSE);
}
