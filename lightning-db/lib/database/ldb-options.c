/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-error-private.h"
#include "ldb-options-private.h"

/**
 * LdbOptions:
 *
 * How a database is opened.
 *
 * Each property has a sensible default, so that most programs need no options at all. Values come
 * from four places, the first that speaks wins: the program's own calls, the environment, a
 * configuration file loaded with [method@Ldb.Options.load_from_file], the profile or default.
 *
 * The environment is read when the object is made. A variable is named after its property:
 * `LIGHTNING_DB_CACHE_SIZE=512MB`, `LIGHTNING_DB_PREFETCH_WORKERS=4`,
 * `LIGHTNING_DB_SYNC_INTERVAL=2s`, `LIGHTNING_DB_WAL_SYNC_MODE=full`. Sizes take `KB`, `MB`, `GB`,
 * `TB` (powers of 1024), times `ms`, `s`, `min`, `h`.
 *
 * ```c
 * g_autoptr(LdbOptions) options = ldb_options_new ();
 * ldb_options_set_cache_size (options, 256 * 1024 * 1024);
 * db = ldb_database_open (path, LDB_OPEN_CREATE, options, NULL, &error);
 * ```
 *
 * A database takes a copy when it opens; changing the options later has no effect on it.
 *
 * Threads: one thread at a time.
 *
 * Since: 0.1
 */
struct _LdbOptions
{
  GObject parent_instance;

  guint64 values[LDB_OPTION_COUNT];          /* in each property's unit */
  LdbOptionSource sources[LDB_OPTION_COUNT]; /* who set each of them */
  GError *environment_error;                 /* why the environment could not be read, or NULL */
};

G_DEFINE_FINAL_TYPE (LdbOptions, ldb_options, G_TYPE_OBJECT)

static GParamSpec *properties[LDB_OPTION_COUNT];

const LdbOptionSpec ldb_option_specs[LDB_OPTION_COUNT] = {
  [LDB_OPTION_PAGE_SIZE] = { "page-size", LDB_OPTION_KIND_UINT, 4096, 65536, 4096, NULL },
  [LDB_OPTION_CACHE_SIZE]
  = { "cache-size", LDB_OPTION_KIND_SIZE, 10 * MEBIBYTE, TEBIBYTE, 64 * MEBIBYTE, NULL },
  [LDB_OPTION_MMAP_SIZE] = { "mmap-size", LDB_OPTION_KIND_SIZE, 0, 1024 * TEBIBYTE, 0, NULL },
  [LDB_OPTION_COMPRESSION_ENABLED]
  = { "compression-enabled", LDB_OPTION_KIND_BOOLEAN, 0, 1, TRUE, NULL },
  [LDB_OPTION_COMPRESSION_TYPE] = { "compression-type", LDB_OPTION_KIND_ENUM, 0, 3,
                                    LDB_COMPRESSION_TYPE_ADAPTIVE, ldb_compression_type_get_type },
  [LDB_OPTION_COMPRESSION_LEVEL] = { "compression-level", LDB_OPTION_KIND_INT, 1, 19, 3, NULL },
  [LDB_OPTION_MAX_ACTIVE_TRANSACTIONS]
  = { "max-active-transactions", LDB_OPTION_KIND_UINT, 1, 1000000, 1000, NULL },
  [LDB_OPTION_TRANSACTION_TIMEOUT]
  = { "transaction-timeout", LDB_OPTION_KIND_DURATION, 0, 86400000, 30000, NULL },
  [LDB_OPTION_USE_OPTIMIZED_TRANSACTIONS]
  = { "use-optimized-transactions", LDB_OPTION_KIND_BOOLEAN, 0, 1, TRUE, NULL },
  [LDB_OPTION_WAL_ENABLED] = { "wal-enabled", LDB_OPTION_KIND_BOOLEAN, 0, 1, TRUE, NULL },
  [LDB_OPTION_WAL_SYNC_MODE]
  = { "wal-sync-mode", LDB_OPTION_KIND_ENUM, 1, 3, LDB_SYNC_MODE_ASYNC, ldb_sync_mode_get_type },
  [LDB_OPTION_IMPROVED_WAL] = { "improved-wal", LDB_OPTION_KIND_BOOLEAN, 0, 1, TRUE, NULL },
  [LDB_OPTION_PREFETCH_ENABLED] = { "prefetch-enabled", LDB_OPTION_KIND_BOOLEAN, 0, 1, TRUE, NULL },
  [LDB_OPTION_PREFETCH_DISTANCE] = { "prefetch-distance", LDB_OPTION_KIND_UINT, 1, 1024, 8, NULL },
  [LDB_OPTION_PREFETCH_WORKERS] = { "prefetch-workers", LDB_OPTION_KIND_UINT, 0, 64, 2, NULL },
  [LDB_OPTION_USE_LOCK_FREE_CACHE]
  = { "use-lock-free-cache", LDB_OPTION_KIND_BOOLEAN, 0, 1, TRUE, NULL },
  [LDB_OPTION_BACKGROUND_COMPACTION]
  = { "background-compaction", LDB_OPTION_KIND_BOOLEAN, 0, 1, TRUE, NULL },
  [LDB_OPTION_COMPACTION_INTERVAL]
  = { "compaction-interval", LDB_OPTION_KIND_DURATION, 1000, 86400000, 60000, NULL },
  [LDB_OPTION_PARALLEL_COMPACTION_WORKERS]
  = { "parallel-compaction-workers", LDB_OPTION_KIND_UINT, 1, 16, 2, NULL },
  [LDB_OPTION_USE_SIMD] = { "use-simd", LDB_OPTION_KIND_BOOLEAN, 0, 1, TRUE, NULL },
  [LDB_OPTION_RATE_LIMIT_OPS_PER_SECOND]
  = { "rate-limit-ops-per-second", LDB_OPTION_KIND_COUNT, 0, G_MAXINT64, 0, NULL },
  [LDB_OPTION_WAL_SEGMENT_SIZE]
  = { "wal-segment-size", LDB_OPTION_KIND_SIZE, 64 * KIBIBYTE, GIBIBYTE, 4 * MEBIBYTE, NULL },
  [LDB_OPTION_SYNC_INTERVAL]
  = { "sync-interval", LDB_OPTION_KIND_DURATION, 1, 3600000, 1000, NULL },
  [LDB_OPTION_BLOB_THRESHOLD]
  = { "blob-threshold", LDB_OPTION_KIND_SIZE, KIBIBYTE, GIBIBYTE, 8 * KIBIBYTE, NULL },
  [LDB_OPTION_CHANGE_RETENTION]
  = { "change-retention", LDB_OPTION_KIND_SIZE, 0, 1024 * TEBIBYTE, 0, NULL },
  [LDB_OPTION_NETWORK_FILE_SYSTEMS]
  = { "network-file-systems", LDB_OPTION_KIND_BOOLEAN, 0, 1, FALSE, NULL },
  [LDB_OPTION_SAMPLING_INTERVAL]
  = { "sampling-interval", LDB_OPTION_KIND_UINT, 0, 1000000, 1024, NULL },
};

guint64
ldb_options_get_number (LdbOptions *self, LdbOptionId id)
{
  return self->values[id];
}

LdbOptionSource
ldb_options_get_source (LdbOptions *self, LdbOptionId id)
{
  return self->sources[id];
}

void
ldb_options_set_number (LdbOptions *self, LdbOptionId id, guint64 value, LdbOptionSource source)
{
  if (self->sources[id] > source)
    return;
  self->sources[id] = source;
  if (self->values[id] == value)
    return;
  self->values[id] = value;
  g_object_notify_by_pspec (G_OBJECT (self), properties[id]);
}

static void
ldb_options_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  guint64 number = LDB_OPTIONS (object)->values[id];
  switch (ldb_option_specs[id].kind)
    {
    case LDB_OPTION_KIND_BOOLEAN:
      g_value_set_boolean (value, number != 0);
      break;
    case LDB_OPTION_KIND_ENUM:
      g_value_set_enum (value, (int) number);
      break;
    case LDB_OPTION_KIND_INT:
      g_value_set_int (value, (int) number);
      break;
    case LDB_OPTION_KIND_UINT:
    case LDB_OPTION_KIND_DURATION:
      g_value_set_uint (value, (guint) number);
      break;
    case LDB_OPTION_KIND_COUNT:
    case LDB_OPTION_KIND_SIZE:
      g_value_set_uint64 (value, number);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_options_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  guint64 number = 0;
  switch (ldb_option_specs[id].kind)
    {
    case LDB_OPTION_KIND_BOOLEAN:
      number = g_value_get_boolean (value) != FALSE;
      break;
    case LDB_OPTION_KIND_ENUM:
      number = (guint64) (gint64) g_value_get_enum (value);
      break;
    case LDB_OPTION_KIND_INT:
      number = (guint64) (gint64) g_value_get_int (value);
      break;
    case LDB_OPTION_KIND_UINT:
    case LDB_OPTION_KIND_DURATION:
      number = g_value_get_uint (value);
      break;
    case LDB_OPTION_KIND_COUNT:
    case LDB_OPTION_KIND_SIZE:
      number = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  ldb_options_set_number (LDB_OPTIONS (object), id, number, LDB_OPTION_SOURCE_CODE);
}

static void
ldb_options_finalize (GObject *object)
{
  g_clear_error (&LDB_OPTIONS (object)->environment_error);
  G_OBJECT_CLASS (ldb_options_parent_class)->finalize (object);
}

/* The properties take the whole range of their types: what is out of an option's own range is
 * reported by ldb_options_check() with a message that says so, not by a warning. */
static GParamSpec *
create_property (const LdbOptionSpec *spec)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  switch (spec->kind)
    {
    case LDB_OPTION_KIND_BOOLEAN:
      return g_param_spec_boolean (spec->name, NULL, NULL, spec->initial != 0, flags);
    case LDB_OPTION_KIND_ENUM:
      return g_param_spec_enum (spec->name, NULL, NULL, spec->get_type (), (int) spec->initial,
                                flags);
    case LDB_OPTION_KIND_INT:
      return g_param_spec_int (spec->name, NULL, NULL, G_MININT, G_MAXINT, (int) spec->initial,
                               flags);
    case LDB_OPTION_KIND_UINT:
    case LDB_OPTION_KIND_DURATION:
      return g_param_spec_uint (spec->name, NULL, NULL, 0, G_MAXUINT, (guint) spec->initial, flags);
    default:
      return g_param_spec_uint64 (spec->name, NULL, NULL, 0, G_MAXUINT64, spec->initial, flags);
    }
}

static void
ldb_options_class_init (LdbOptionsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = ldb_options_get_property;
  object_class->set_property = ldb_options_set_property;
  object_class->finalize = ldb_options_finalize;

  for (guint id = 1; id < LDB_OPTION_COUNT; id++)
    properties[id] = create_property (&ldb_option_specs[id]);
  g_object_class_install_properties (object_class, LDB_OPTION_COUNT, properties);
}

static void
ldb_options_init (LdbOptions *self)
{
  for (guint id = 1; id < LDB_OPTION_COUNT; id++)
    self->values[id] = ldb_option_specs[id].initial;
  ldb_options_load_from_environment (self, &self->environment_error);
}

/**
 * ldb_options_new:
 *
 * Makes options with the defaults and what the environment says.
 *
 * Any thread.
 *
 * Returns: (transfer full): new options
 *
 * Since: 0.1
 */
LdbOptions *
ldb_options_new (void)
{
  return g_object_new (LDB_TYPE_OPTIONS, NULL);
}

static void
set_profile (LdbOptions *self, LdbOptionId id, guint64 value)
{
  ldb_options_set_number (self, id, value, LDB_OPTION_SOURCE_PROFILE);
}

/**
 * ldb_options_new_for_profile:
 * @profile: what the database is mostly used for
 *
 * Makes options with defaults for a use. The environment, a file and the program's own calls win
 * over a profile.
 *
 * Any thread.
 *
 * Returns: (transfer full): new options
 *
 * Since: 0.1
 */
LdbOptions *
ldb_options_new_for_profile (LdbProfile profile)
{
  LdbOptions *self = ldb_options_new ();
  switch (profile)
    {
    case LDB_PROFILE_READ_HEAVY:
      set_profile (self, LDB_OPTION_CACHE_SIZE, GIBIBYTE);
      set_profile (self, LDB_OPTION_PREFETCH_DISTANCE, 16);
      set_profile (self, LDB_OPTION_PREFETCH_WORKERS, 4);
      break;
    case LDB_PROFILE_WRITE_HEAVY:
      set_profile (self, LDB_OPTION_CACHE_SIZE, 256 * MEBIBYTE);
      set_profile (self, LDB_OPTION_WAL_SYNC_MODE, LDB_SYNC_MODE_ASYNC);
      set_profile (self, LDB_OPTION_PARALLEL_COMPACTION_WORKERS, 4);
      set_profile (self, LDB_OPTION_COMPACTION_INTERVAL, 30000);
      break;
    case LDB_PROFILE_LOW_MEMORY:
      set_profile (self, LDB_OPTION_CACHE_SIZE, 10 * MEBIBYTE);
      set_profile (self, LDB_OPTION_WAL_SEGMENT_SIZE, MEBIBYTE);
      set_profile (self, LDB_OPTION_PREFETCH_DISTANCE, 2);
      set_profile (self, LDB_OPTION_PARALLEL_COMPACTION_WORKERS, 1);
      break;
    case LDB_PROFILE_DEFAULT:
    default:
      break;
    }
  return self;
}

/**
 * ldb_options_copy:
 * @self: options
 *
 * Makes an independent copy, which remembers where each value came from.
 *
 * One thread at a time.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbOptions *
ldb_options_copy (LdbOptions *self)
{
  g_return_val_if_fail (LDB_IS_OPTIONS (self), NULL);
  LdbOptions *copy = ldb_options_new ();
  memcpy (copy->values, self->values, sizeof copy->values);
  memcpy (copy->sources, self->sources, sizeof copy->sources);
  g_clear_error (&copy->environment_error);
  if (self->environment_error != NULL)
    copy->environment_error = g_error_copy (self->environment_error);
  return copy;
}

/* "between 10485760 bytes and …", or the names of an enumeration. */
static char *
describe_range (LdbOptionId id)
{
  const LdbOptionSpec *spec = &ldb_option_specs[id];
  if (spec->kind == LDB_OPTION_KIND_BOOLEAN)
    return g_strdup ("true or false");
  if (spec->kind != LDB_OPTION_KIND_ENUM)
    {
      g_autofree char *least = ldb_option_to_text (id, spec->minimum);
      g_autofree char *most = ldb_option_to_text (id, spec->maximum);
      return g_strdup_printf ("from %s to %s%s", least, most,
                              id == LDB_OPTION_PAGE_SIZE          ? ", a power of two"
                              : id == LDB_OPTION_WAL_SEGMENT_SIZE ? ", a multiple of 64 KiB"
                                                                  : "");
    }
  GString *names = g_string_new ("one of");
  for (guint64 value = spec->minimum; value <= spec->maximum; value++)
    {
      g_autofree char *name = ldb_option_to_text (id, value);
      g_string_append_printf (names, "%s %s", value == spec->minimum ? "" : ",", name);
    }
  return g_string_free (names, FALSE);
}

gboolean
ldb_option_check (LdbOptionId id, guint64 value, GError **error)
{
  const LdbOptionSpec *spec = &ldb_option_specs[id];
  gboolean right_form = id == LDB_OPTION_PAGE_SIZE          ? (value & (value - 1)) == 0
                        : id == LDB_OPTION_WAL_SEGMENT_SIZE ? value % (64 * KIBIBYTE) == 0
                                                            : TRUE;
  if (value >= spec->minimum && value <= spec->maximum && right_form)
    return TRUE;
  g_autofree char *text = ldb_option_to_text (id, value);
  g_autofree char *range = describe_range (id);
  return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT, "The option %s is %s; it must be %s.",
                        spec->name, text, range);
}

/**
 * ldb_options_check:
 * @self: options
 * @error: return location for an error
 *
 * Checks every value against its range, and that the environment could be read. Opening a database
 * does this by itself.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT and a message that names the option and its range.
 *
 * One thread at a time.
 *
 * Returns: %TRUE if all is well
 *
 * Since: 0.1
 */
gboolean
ldb_options_check (LdbOptions *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_OPTIONS (self), FALSE);
  if (self->environment_error != NULL)
    {
      if (error != NULL)
        *error = g_error_copy (self->environment_error);
      return FALSE;
    }
  for (guint id = 1; id < LDB_OPTION_COUNT; id++)
    if (!ldb_option_check (id, self->values[id], error))
      return FALSE;
  return TRUE;
}

static enum engine_compression
engine_compression_of (LdbOptions *self)
{
  static const enum engine_compression table[] = {
    [LDB_COMPRESSION_TYPE_ADAPTIVE] = ENGINE_COMPRESSION_ADAPTIVE,
    [LDB_COMPRESSION_TYPE_ZSTD] = ENGINE_COMPRESSION_ZSTD,
    [LDB_COMPRESSION_TYPE_LZ4] = ENGINE_COMPRESSION_LZ4,
    [LDB_COMPRESSION_TYPE_SNAPPY] = ENGINE_COMPRESSION_SNAPPY,
  };
  if (self->values[LDB_OPTION_COMPRESSION_ENABLED] == 0)
    return ENGINE_COMPRESSION_NONE;
  return table[self->values[LDB_OPTION_COMPRESSION_TYPE]];
}

G_STATIC_ASSERT ((int) LDB_SYNC_MODE_DEFAULT == (int) ENGINE_SYNC_DEFAULT);
G_STATIC_ASSERT ((int) LDB_SYNC_MODE_FULL == (int) ENGINE_SYNC_FULL);
G_STATIC_ASSERT ((int) LDB_SYNC_MODE_ASYNC == (int) ENGINE_SYNC_ASYNC);
G_STATIC_ASSERT ((int) LDB_SYNC_MODE_NONE == (int) ENGINE_SYNC_NONE);

gboolean
ldb_options_to_engine (LdbOptions *self, struct engine_options *options, GError **error)
{
  const guint64 *values = self->values;
  if (!ldb_options_check (self, error))
    return FALSE;
  engine_options_init (options);
  options->page_size = (uint32_t) values[LDB_OPTION_PAGE_SIZE];
  options->memory_budget = values[LDB_OPTION_CACHE_SIZE];
  options->compression = engine_compression_of (self);
  options->compression_level = (int) values[LDB_OPTION_COMPRESSION_LEVEL];
  options->sync = (enum engine_sync) values[LDB_OPTION_WAL_SYNC_MODE];
  options->sync_interval = values[LDB_OPTION_SYNC_INTERVAL] * 1000;
  options->log_enabled = values[LDB_OPTION_WAL_ENABLED] != 0;
  options->log_segment_size = values[LDB_OPTION_WAL_SEGMENT_SIZE];
  options->log_mapping = values[LDB_OPTION_IMPROVED_WAL] != 0;
  options->change_retention = values[LDB_OPTION_CHANGE_RETENTION];
  options->blob_threshold = values[LDB_OPTION_BLOB_THRESHOLD];
  options->transactions_max = (uint32_t) values[LDB_OPTION_MAX_ACTIVE_TRANSACTIONS];
  options->transaction_timeout = values[LDB_OPTION_TRANSACTION_TIMEOUT] * 1000;
  options->prefetch = values[LDB_OPTION_PREFETCH_ENABLED] != 0;
  options->prefetch_distance = (uint32_t) values[LDB_OPTION_PREFETCH_DISTANCE];
  options->merge_enabled = values[LDB_OPTION_BACKGROUND_COMPACTION] != 0;
  options->merge_interval = values[LDB_OPTION_COMPACTION_INTERVAL] * 1000;
  options->merge_workers = (uint32_t) values[LDB_OPTION_PARALLEL_COMPACTION_WORKERS];
  options->map_segments = values[LDB_OPTION_MMAP_SIZE] != 0;
  options->simd = values[LDB_OPTION_USE_SIMD] != 0;
  options->rate_limit = values[LDB_OPTION_RATE_LIMIT_OPS_PER_SECOND];
  options->sampling_interval = (uint32_t) values[LDB_OPTION_SAMPLING_INTERVAL];
  options->network_allowed = values[LDB_OPTION_NETWORK_FILE_SYSTEMS] != 0;
  struct failure failure = FAILURE_INIT;
  status code = engine_options_check (options, &failure);
  return ldb_error_check (error, code, &failure);
}

gboolean
ldb_options_agree (LdbOptions *present, LdbOptions *asked, const char *path, GError **error)
{
  for (guint id = 1; id < LDB_OPTION_COUNT; id++)
    {
      if (asked->sources[id] == LDB_OPTION_SOURCE_DEFAULT || id == LDB_OPTION_PAGE_SIZE
          || asked->values[id] == present->values[id])
        continue;
      g_autofree char *ours = ldb_option_to_text (id, present->values[id]);
      g_autofree char *theirs = ldb_option_to_text (id, asked->values[id]);
      return ldb_error_set (error, LDB_ERROR_OPTIONS_MISMATCH,
                            "The database \"%s\" is already open in this process with %s = %s, "
                            "not %s; use the same options or none.",
                            path, ldb_option_specs[id].name, ours, theirs);
    }
  return TRUE;
}
