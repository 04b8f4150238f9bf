/* SPDX-License-Identifier: MIT */
/*
 * LdbOptions inside the library: every option is one number with a range and a source.
 */
#pragma once

#include "engine.h"
#include "ldb-enum-types.h"
#include "ldb-options.h"

G_BEGIN_DECLS

#define KIBIBYTE G_GUINT64_CONSTANT (1024)
#define MEBIBYTE (1024 * KIBIBYTE)
#define GIBIBYTE (1024 * MEBIBYTE)
#define TEBIBYTE (1024 * GIBIBYTE)

/* Also the property ids. */
typedef enum
{
  LDB_OPTION_PAGE_SIZE = 1,
  LDB_OPTION_CACHE_SIZE,
  LDB_OPTION_MMAP_SIZE,
  LDB_OPTION_COMPRESSION_ENABLED,
  LDB_OPTION_COMPRESSION_TYPE,
  LDB_OPTION_COMPRESSION_LEVEL,
  LDB_OPTION_MAX_ACTIVE_TRANSACTIONS,
  LDB_OPTION_TRANSACTION_TIMEOUT,
  LDB_OPTION_USE_OPTIMIZED_TRANSACTIONS,
  LDB_OPTION_WAL_ENABLED,
  LDB_OPTION_WAL_SYNC_MODE,
  LDB_OPTION_IMPROVED_WAL,
  LDB_OPTION_PREFETCH_ENABLED,
  LDB_OPTION_PREFETCH_DISTANCE,
  LDB_OPTION_PREFETCH_WORKERS,
  LDB_OPTION_USE_LOCK_FREE_CACHE,
  LDB_OPTION_BACKGROUND_COMPACTION,
  LDB_OPTION_COMPACTION_INTERVAL,
  LDB_OPTION_PARALLEL_COMPACTION_WORKERS,
  LDB_OPTION_USE_SIMD,
  LDB_OPTION_RATE_LIMIT_OPS_PER_SECOND,
  LDB_OPTION_WAL_SEGMENT_SIZE,
  LDB_OPTION_SYNC_INTERVAL,
  LDB_OPTION_BLOB_THRESHOLD,
  LDB_OPTION_CHANGE_RETENTION,
  LDB_OPTION_NETWORK_FILE_SYSTEMS,
  LDB_OPTION_SAMPLING_INTERVAL,
  LDB_OPTION_COUNT,
} LdbOptionId;

typedef enum
{
  LDB_OPTION_KIND_BOOLEAN,  /* gboolean */
  LDB_OPTION_KIND_ENUM,     /* a registered enumeration; text is its nick */
  LDB_OPTION_KIND_INT,      /* int */
  LDB_OPTION_KIND_UINT,     /* guint */
  LDB_OPTION_KIND_DURATION, /* guint, milliseconds */
  LDB_OPTION_KIND_COUNT,    /* guint64 */
  LDB_OPTION_KIND_SIZE,     /* guint64, bytes */
} LdbOptionKind;

/* Who set an option; a later source wins over an earlier one, whatever the order of the calls. */
typedef enum
{
  LDB_OPTION_SOURCE_DEFAULT,
  LDB_OPTION_SOURCE_PROFILE,
  LDB_OPTION_SOURCE_FILE,
  LDB_OPTION_SOURCE_ENVIRONMENT,
  LDB_OPTION_SOURCE_CODE,
} LdbOptionSource;

typedef struct
{
  const char *name;         /* of the property */
  LdbOptionKind kind;       /* how it reads and prints */
  guint64 minimum;          /* allowed, inclusive, in the property's unit */
  guint64 maximum;          /* allowed, inclusive */
  guint64 initial;          /* the default */
  GType (*get_type) (void); /* of an enumeration, else NULL */
} LdbOptionSpec;

/* Indexed by LdbOptionId; entry 0 is empty. */
extern const LdbOptionSpec ldb_option_specs[LDB_OPTION_COUNT];

guint64 ldb_options_get_number (LdbOptions *self, LdbOptionId id);
LdbOptionSource ldb_options_get_source (LdbOptions *self, LdbOptionId id);

/* Notifies when the value changes. Does nothing when a stronger source has set it. */
void ldb_options_set_number (LdbOptions *self, LdbOptionId id, guint64 value,
                             LdbOptionSource source);

/* Checks one value against its range and form; the error names option and range. */
gboolean ldb_option_check (LdbOptionId id, guint64 value, GError **error);

/* "4096 bytes", "zstd", "30000 ms". Free with g_free(). */
char *ldb_option_to_text (LdbOptionId id, guint64 value);

/* Reads "512MB", "30s", "true", "zstd", "4". `scale` multiplies a bare number. */
gboolean ldb_option_parse (LdbOptionId id, const char *text, guint64 scale, guint64 *value,
                           GError **error);

/* The LIGHTNING_DB_* variables. */
gboolean ldb_options_load_from_environment (LdbOptions *self, GError **error);

/* Checks the options and writes them in the engine's terms. */
gboolean ldb_options_to_engine (LdbOptions *self, struct engine_options *options, GError **error);

/* Whether every option that was set in `asked` has the value that is in force in `present`. */
gboolean ldb_options_agree (LdbOptions *present, LdbOptions *asked, const char *path,
                            GError **error);

G_END_DECLS
