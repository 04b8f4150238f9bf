/* SPDX-License-Identifier: MIT */
/*
 * A report as one JSON object.
 */
#include "config.h"

#include "ldb-facts-private.h"
#include "ldb-health-private.h"

static void
write_stats (LdbJson *json, const LdbStats *stats)
{
  ldb_json_begin (json, "stats", '{');
  for (const LdbFigure *figure = ldb_stats_figures; figure->label != NULL; figure++)
    if (figure->name == NULL)
      continue;
    else if (figure->kind == LDB_FIGURE_SHARE || figure->kind == LDB_FIGURE_RATIO)
      ldb_json_real (json, figure->name, G_STRUCT_MEMBER (double, stats, figure->offset));
    else
      ldb_json_number (json, figure->name, G_STRUCT_MEMBER (guint64, stats, figure->offset));
  ldb_json_end (json, '}');
}

static void
write_buckets (LdbJson *json, const char *name, GPtrArray *buckets)
{
  ldb_json_begin (json, name, '[');
  for (guint i = 0; i < buckets->len; i++)
    {
      const LdbSizeBucket *bucket = g_ptr_array_index (buckets, i);
      ldb_json_begin (json, NULL, '{');
      ldb_json_number (json, "least", bucket->least);
      ldb_json_number (json, "most", bucket->most);
      ldb_json_number (json, "count", bucket->count);
      ldb_json_end (json, '}');
    }
  ldb_json_end (json, ']');
  g_ptr_array_unref (buckets);
}

static void
write_sizes (LdbJson *json, const LdbStoreSizes *one, gboolean keys)
{
  GPtrArray *biggest = ldb_sizes_get_biggest (one->sizes);
  ldb_json_begin (json, NULL, '{');
  ldb_json_text (json, "store", one->store);
  ldb_json_number (json, "records", one->sizes->records);
  ldb_json_number (json, "key_bytes", one->sizes->key_bytes);
  ldb_json_number (json, "value_bytes", one->sizes->value_bytes);
  ldb_json_real (json, "share", one->sizes->share);
  ldb_json_number (json, "faults", one->sizes->faults);
  write_buckets (json, "key_sizes", ldb_sizes_list_key_buckets (one->sizes));
  write_buckets (json, "value_sizes", ldb_sizes_list_value_buckets (one->sizes));
  ldb_json_begin (json, "biggest", '[');
  for (guint i = 0; i < biggest->len; i++)
    {
      const LdbBigValue *value = g_ptr_array_index (biggest, i);
      ldb_json_begin (json, NULL, '{');
      if (keys)
        ldb_json_bytes (json, "key", value->key);
      ldb_json_number (json, "size", value->size);
      ldb_json_end (json, '}');
    }
  ldb_json_end (json, ']');
  ldb_json_end (json, '}');
}

static void
write_timings (LdbJson *json, const GPtrArray *timings)
{
  ldb_json_begin (json, "timings", '[');
  for (guint i = 0; i < timings->len; i++)
    {
      const LdbTiming *timing = g_ptr_array_index (timings, i);
      ldb_json_begin (json, NULL, '{');
      ldb_json_text (json, "name", timing->name);
      ldb_json_text (json, "unit", timing->unit);
      ldb_json_number (json, "count", timing->count);
      ldb_json_number (json, "p50", timing->median);
      ldb_json_number (json, "p99", timing->high);
      ldb_json_number (json, "max", timing->most);
      ldb_json_end (json, '}');
    }
  ldb_json_end (json, ']');
}

char *
ldb_facts_to_json (const LdbFacts *facts)
{
  LdbJson json;
  ldb_json_init (&json);
  json.without_keys = !facts->keys;
  ldb_json_begin (&json, NULL, '{');
  ldb_json_text (&json, "path", facts->path);
  ldb_json_text (&json, "id", facts->id);
  ldb_json_flag (&json, "read_only", facts->read_only);
  ldb_json_number (&json, "time", (guint64) facts->time);
  ldb_json_text (&json, "library", ldb_get_version ());
  ldb_json_real (&json, "cache_hit_rate", ldb_facts_hit_rate (facts));
  ldb_json_real (&json, "write_amplification", ldb_facts_write_amplification (facts));
  ldb_json_begin (&json, "health", '{');
  ldb_health_write_json (facts->health, &json);
  ldb_json_end (&json, '}');
  write_stats (&json, facts->stats);
  write_timings (&json, facts->timings);
  ldb_json_begin (&json, "storage", '{');
  ldb_storage_map_write_json (facts->map, &json);
  ldb_json_end (&json, '}');
  ldb_json_begin (&json, "sizes", '[');
  for (guint i = 0; i < facts->sizes->len; i++)
    write_sizes (&json, g_ptr_array_index (facts->sizes, i), facts->keys);
  ldb_json_end (&json, ']');
  ldb_json_begin (&json, "options", '{');
  for (guint i = 0; i < facts->settings->len; i++)
    {
      const LdbSetting *setting = g_ptr_array_index (facts->settings, i);
      ldb_json_text (&json, setting->name, setting->value);
    }
  ldb_json_end (&json, '}');
  ldb_json_end (&json, '}');
  return ldb_json_end_text (&json);
}
