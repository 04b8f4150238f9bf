/* SPDX-License-Identifier: MIT */
/*
 * Reports: what there is to say of a database, gathered and written. It is one of this process, or one
 * of another, which is asked the same.
 */
#include "config.h"

#include "base/histogram.h"
#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-database-report.h"
#include "ldb-error-private.h"
#include "ldb-facts-private.h"
#include "ldb-inspector.h"
#include "ldb-metrics-private.h"
#include "ldb-store.h"

#define STORES_MEASURED 5u  /* the largest */
#define MEASURING_TIME 500u /* milliseconds for each */
#define BIGGEST_NAMED 10u   /* values of each */

static void
store_sizes_free (gpointer data)
{
  LdbStoreSizes *one = data;
  g_free (one->store);
  ldb_sizes_free (one->sizes);
  g_free (one);
}

static void
setting_free (gpointer data)
{
  LdbSetting *setting = data;
  g_free (setting->value);
  g_free (setting);
}

static void
timing_free (gpointer data)
{
  LdbTiming *timing = data;
  g_free (timing->name);
  g_free (timing);
}

static void
facts_clear (LdbFacts *facts)
{
  g_clear_pointer (&facts->path, g_free);
  g_clear_pointer (&facts->id, g_free);
  g_clear_pointer (&facts->stats, ldb_stats_free);
  g_clear_object (&facts->map);
  g_clear_pointer (&facts->health, ldb_health_unref);
  g_clear_pointer (&facts->sizes, g_ptr_array_unref);
  g_clear_pointer (&facts->timings, g_ptr_array_unref);
  g_clear_pointer (&facts->settings, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LdbFacts, facts_clear)

/* ---- sizes ---- */

static int
compare_stores (gconstpointer a, gconstpointer b)
{
  const LdbStorageFigures *left = ldb_storage_node_get_figures (*(LdbStorageNode *const *) a);
  const LdbStorageFigures *right = ldb_storage_node_get_figures (*(LdbStorageNode *const *) b);
  return (left->bytes < right->bytes) - (left->bytes > right->bytes);
}

/* Stores with a name, the largest first. */
static GPtrArray *
list_stores (LdbStorageMap *map)
{
  GListModel *list = ldb_storage_map_get_stores (map);
  GPtrArray *stores = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (list, i);
      LdbStorageState unnamed = LDB_STORAGE_STATE_DROPPED | LDB_STORAGE_STATE_SYSTEM;
      if ((ldb_storage_node_get_state (store) & unnamed) == 0)
        g_ptr_array_add (stores, g_steal_pointer (&store));
    }
  g_ptr_array_sort (stores, compare_stores);
  return stores;
}

static LdbSizes *
measure (const LdbReportSource *source, const char *name, GCancellable *cancellable, GError **error)
{
  if (name == NULL)
    return NULL;
  if (source->inspector != NULL)
    return ldb_inspector_measure_sizes (source->inspector, name, NULL, 0, NULL, 0, MEASURING_TIME,
                                        BIGGEST_NAMED, cancellable, error);
  g_autoptr (LdbStore) store
      = ldb_database_open_store (source->database, name, LDB_OPEN_NONE, NULL, error);
  return store != NULL ? ldb_database_measure_sizes (source->database, store, NULL, 0, NULL, 0,
                                                     MEASURING_TIME, BIGGEST_NAMED, NULL, NULL,
                                                     cancellable, error)
                       : NULL;
}

/* A store that is dropped meanwhile is left out; anything else ends the report. */
static gboolean
measure_store (const LdbReportSource *source, LdbStorageNode *node, LdbFacts *facts,
               GCancellable *cancellable, GError **error)
{
  GError *failure = NULL;
  const char *name = ldb_storage_node_get_name (node);
  LdbSizes *sizes = measure (source, name, cancellable, &failure);
  if (sizes != NULL)
    {
      LdbStoreSizes *one = g_new (LdbStoreSizes, 1);
      *one = (LdbStoreSizes){ g_strdup (name), sizes };
      g_ptr_array_add (facts->sizes, one);
      return TRUE;
    }
  if (failure == NULL || g_error_matches (failure, LDB_ERROR, LDB_ERROR_NOT_FOUND))
    {
      g_clear_error (&failure);
      return TRUE;
    }
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
measure_stores (const LdbReportSource *source, LdbFacts *facts, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (GPtrArray) stores = list_stores (facts->map);
  facts->sizes = g_ptr_array_new_with_free_func (store_sizes_free);
  for (guint i = 0; i < MIN (stores->len, STORES_MEASURED); i++)
    if (!measure_store (source, g_ptr_array_index (stores, i), facts, cancellable, error))
      return FALSE;
  return TRUE;
}

/* ---- timings ---- */

static void
add_timing (const struct metrics_reader *reader, const struct metric *metric,
            struct histogram *scratch, GPtrArray *to)
{
  histogram_clear (scratch);
  if (!metrics_reader_histogram (reader, metric, scratch) || histogram_count (scratch) == 0)
    return;
  LdbTiming *timing = g_new (LdbTiming, 1);
  *timing = (LdbTiming){
    .name = g_strdup (metric->name),
    .text = metrics_text (metric->name),
    .unit = metric->unit == METRIC_NANOSECONDS ? "nanoseconds"
            : metric->unit == METRIC_BYTES     ? "bytes"
                                               : "count",
    .is_time = metric->unit == METRIC_NANOSECONDS,
    .count = histogram_count (scratch),
    .median = histogram_percentile (scratch, 0.5),
    .high = histogram_percentile (scratch, 0.99),
    .most = histogram_maximum (scratch),
  };
  g_ptr_array_add (to, timing);
}

static void
list_timings (LdbMetrics *metrics, LdbFacts *facts)
{
  struct metric metric;
  g_autofree struct histogram *scratch = g_new0 (struct histogram, 1);
  facts->timings = g_ptr_array_new_with_free_func (timing_free);
  for (guint32 i = 0; i < metrics_reader_count (&metrics->reader); i++)
    if (metrics_reader_describe (&metrics->reader, i, &metric))
      add_timing (&metrics->reader, &metric, scratch, facts->timings);
}

/* ---- options ---- */

static char *
value_as_text (const GValue *value)
{
  if (G_VALUE_HOLDS_ENUM (value))
    {
      g_autoptr (GEnumClass) class = g_type_class_ref (G_VALUE_TYPE (value));
      const GEnumValue *found = g_enum_get_value (class, g_value_get_enum (value));
      return g_strdup (found != NULL ? found->value_nick : "?");
    }
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return g_strdup (g_value_get_boolean (value) ? "true" : "false");
  GValue text = G_VALUE_INIT;
  g_value_init (&text, G_TYPE_STRING);
  char *copy = g_value_transform (value, &text) ? g_value_dup_string (&text) : NULL;
  g_value_unset (&text);
  return copy != NULL ? copy : g_strdup ("");
}

static void
add_setting (GPtrArray *to, const char *name, char *value)
{
  LdbSetting *setting = g_new (LdbSetting, 1);
  *setting = (LdbSetting){ name, value };
  g_ptr_array_add (to, setting);
}

static GPtrArray *
list_settings (LdbDatabase *database)
{
  LdbOptions *options = ldb_database_get_options (database);
  GPtrArray *settings = g_ptr_array_new_with_free_func (setting_free);
  guint count = 0;
  if (options == NULL)
    return settings;
  g_autofree GParamSpec **specs
      = g_object_class_list_properties (G_OBJECT_GET_CLASS (options), &count);
  for (guint i = 0; i < count; i++)
    {
      GValue value = G_VALUE_INIT;
      if ((specs[i]->flags & G_PARAM_READABLE) == 0)
        continue;
      g_value_init (&value, specs[i]->value_type);
      g_object_get_property (G_OBJECT (options), specs[i]->name, &value);
      add_setting (settings, specs[i]->name, value_as_text (&value));
      g_value_unset (&value);
    }
  return settings;
}

/* As the other process says it; enumerations and truths are written as here. */
static char *
told_as_text (GParamSpec *spec, const char *told)
{
  if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    return g_ascii_strdown (told, -1);
  const GEnumValue *found
      = G_IS_PARAM_SPEC_ENUM (spec)
            ? g_enum_get_value_by_name (G_PARAM_SPEC_ENUM (spec)->enum_class, told)
            : NULL;
  return g_utf8_make_valid (found != NULL ? found->value_nick : told, -1);
}

/* Those that this version knows. */
static GPtrArray *
list_told_settings (LdbInspector *inspector, GCancellable *cancellable, GError **error)
{
  guint count;
  g_autoptr (GHashTable) options = ldb_inspector_get_options (inspector, cancellable, error);
  if (options == NULL)
    return NULL;
  GPtrArray *settings = g_ptr_array_new_with_free_func (setting_free);
  g_autoptr (GTypeClass) class = g_type_class_ref (LDB_TYPE_OPTIONS);
  g_autofree GParamSpec **specs = g_object_class_list_properties (G_OBJECT_CLASS (class), &count);
  for (guint i = 0; i < count; i++)
    {
      const char *told = g_hash_table_lookup (options, specs[i]->name);
      if (told != NULL)
        add_setting (settings, specs[i]->name, told_as_text (specs[i], told));
    }
  return settings;
}

/* ---- the call ---- */

static gboolean
gather_here (LdbDatabase *database, GCancellable *cancellable, LdbFacts *facts, GError **error)
{
  g_autoptr (LdbMetrics) metrics = NULL;
  facts->path = g_filename_display_name (database->path);
  facts->id = g_strdup (database->id);
  facts->read_only = ldb_database_is_read_only (database);
  if ((facts->stats = ldb_database_get_stats (database, error)) == NULL
      || (facts->health = ldb_database_examine_health (database, cancellable, error)) == NULL
      || (facts->map = ldb_storage_map_load (database, cancellable, error)) == NULL
      || (metrics = ldb_database_get_metrics (database, error)) == NULL)
    return FALSE;
  list_timings (metrics, facts); /* before the report's own walks are among them */
  facts->settings = list_settings (database);
  return TRUE;
}

static gboolean
gather_there (LdbInspector *inspector, GCancellable *cancellable, LdbFacts *facts, GError **error)
{
  g_autoptr (LdbMetrics) metrics = NULL;
  LdbRunningDatabase *running = ldb_inspector_get_running_database (inspector);
  facts->path = g_filename_display_name (ldb_running_database_get_path (running));
  facts->id = g_strdup (ldb_running_database_get_id (running));
  facts->read_only = ldb_running_database_is_read_only (running);
  if ((facts->stats = ldb_inspector_get_stats (inspector, cancellable, error)) == NULL
      || (facts->health = ldb_inspector_examine_health (inspector, cancellable, error)) == NULL
      || (facts->map = ldb_inspector_load_storage_map (inspector, cancellable, error)) == NULL
      || (metrics = ldb_inspector_get_metrics (inspector, cancellable, error)) == NULL
      || (facts->settings = list_told_settings (inspector, cancellable, error)) == NULL)
    return FALSE;
  list_timings (metrics, facts);
  return TRUE;
}

static gboolean
gather (const LdbReportSource *source, LdbReportFlags flags, GCancellable *cancellable,
        LdbFacts *facts, GError **error)
{
  facts->keys = (flags & LDB_REPORT_KEYS) != 0;
  facts->time = g_get_real_time ();
  return (source->inspector != NULL ? gather_there (source->inspector, cancellable, facts, error)
                                    : gather_here (source->database, cancellable, facts, error))
         && measure_stores (source, facts, cancellable, error);
}

char *
ldb_report_write (const LdbReportSource *source, LdbReportFormat format, guint flags,
                  GCancellable *cancellable, GError **error)
{
  g_auto (LdbFacts) facts = { 0 };
  if (!ldb_check_flags (flags, LDB_REPORT_KEYS, "LdbReportFlags", error)
      || !gather (source, (LdbReportFlags) flags, cancellable, &facts, error))
    return NULL;
  switch (format)
    {
    case LDB_REPORT_JSON:
      return ldb_facts_to_json (&facts);
    case LDB_REPORT_HTML:
      return ldb_facts_to_html (&facts);
    case LDB_REPORT_TEXT:
      return ldb_facts_to_text (&facts);
    default:
      ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                     "There is no report format %d; use one of LdbReportFormat.", (int) format);
      return NULL;
    }
}

static gboolean
run_report (LdbCall *call, GError **error)
{
  LdbReportSource source = { .database = call->place.database };
  call->result = ldb_report_write (&source, (LdbReportFormat) call->number, call->flags,
                                   call->progress.cancellable, error);
  return call->result != NULL;
}

static LdbCall *
new_report (LdbDatabase *self, LdbReportFormat format, LdbReportFlags flags)
{
  LdbCall *call = ldb_call_new (run_report, &self->place);
  call->number = (guint64) format;
  call->flags = flags;
  call->result_free = g_free;
  return call;
}

/**
 * ldb_database_generate_report:
 * @self: a database
 * @format: how it is written
 * @flags: whether it tells keys
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Writes a report: its health, statistics, a map of the storage, the largest stores with how large their keys
 * and values are, the options in force, damage that was met on the way. Each of the largest stores is
 * looked through for half a second at most.
 *
 * There are no values in it, and no keys unless @flags say so; names of stores and the path are.
 *
 * ```c
 * g_autofree char *page = ldb_database_generate_report (db, LDB_REPORT_HTML, LDB_REPORT_NONE,
 *                                                       NULL, &error);
 * if (page == NULL || !g_file_set_contents ("report.html", page, -1, &error))
 *   g_printerr ("%s\n", error->message);
 * ```
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_IO, %LDB_ERROR_INVALID_ARGUMENT or
 * %LDB_ERROR_NO_MEMORY. Blocks for the disk; any thread.
 *
 * Returns: (transfer full): the report, UTF-8
 *
 * Since: 0.1
 */
char *
ldb_database_generate_report (LdbDatabase *self, LdbReportFormat format, LdbReportFlags flags,
                              GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_call_now_pointer (new_report (self, format, flags), cancellable, error);
}

/**
 * ldb_database_generate_report_async:
 * @self: a database
 * @format: how it is written
 * @flags: whether it tells keys
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.generate_report], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_generate_report_async (LdbDatabase *self, LdbReportFormat format, LdbReportFlags flags,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_call_start (
      new_report (self, format, flags),
      LDB_REPLY (self, ldb_database_generate_report_async, cancellable, callback, user_data),
      LDB_WORK_LONG);
}

/**
 * ldb_database_generate_report_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.generate_report_async].
 *
 * Returns: (transfer full): the report, UTF-8
 *
 * Since: 0.1
 */
char *
ldb_database_generate_report_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_generate_report_async, error);
}
