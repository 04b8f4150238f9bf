/* SPDX-License-Identifier: MIT */
/*
 * Facts about an engine's health, and what it was when it was last judged. What is counted is
 * compared with a minute ago or longer, so that what was long ago is forgotten, and two who ask in
 * turn see the same.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/histogram.h"
#include "base/metrics.h"
#include "engine-storage.h"
#include "ldb-health-private.h"

#define SPAN_LEAST (60 * G_USEC_PER_SEC) /* that counts are compared over, once there is as much */
#define TRANSACTIONS_SEEN 1024u          /* the newest are first: so many are looked through */

void
ldb_health_facts_clear (LdbHealthFacts *facts)
{
  g_clear_pointer (&facts->hot_key, g_bytes_unref);
  g_clear_pointer (&facts->dead_store, g_free);
}

/* ---- what is counted ---- */

static guint64
count_of (const struct metrics_reader *reader, const char *name)
{
  struct metric metric;
  return metrics_reader_find (reader, name, &metric) ? metrics_reader_value (reader, &metric) : 0;
}

static guint64
time_of (const struct metrics_reader *reader, const char *name)
{
  struct metric metric;
  g_autofree struct histogram *histogram = g_new0 (struct histogram, 1);
  if (metrics_reader_find (reader, name, &metric))
    metrics_reader_histogram (reader, &metric, histogram);
  return histogram_sum (histogram);
}

static void
gather_counts (struct engine *engine, LdbHealthCounts *out)
{
  struct metrics_reader reader;
  engine_metrics (engine, &reader);
  out->commits = count_of (&reader, "commits");
  out->log_syncs = count_of (&reader, "log_sync");
  out->log_sync_time = time_of (&reader, "log_sync");
  out->stalls = count_of (&reader, "stalls");
  out->stall_time = time_of (&reader, "stall");
  out->page_reads = count_of (&reader, "page_read");
  out->ghost_hits = count_of (&reader, "cache_ghost_hits");
  out->committed = count_of (&reader, "transactions_committed");
  out->unwritten = count_of (&reader, "transactions_unwritten");
  out->conflicts = count_of (&reader, "conflicts");
}

/* ---- who may get at the files ---- */

static void
gather_access (const char *path, LdbHealthFacts *out)
{
  GStatBuf information;
  const char *name;
  if (g_stat (path, &information) != 0)
    {
      out->moved = errno == ENOENT || errno == ENOTDIR;
      return;
    }
  out->directory_mode = information.st_mode & 07777;
  out->foreign_owner = information.st_uid != geteuid ();
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      if (g_lstat (file, &information) == 0 && S_ISREG (information.st_mode))
        out->exposed_files += (information.st_mode & 066) != 0;
    }
}

/* ---- transactions ---- */

static void
gather_transactions (struct engine *engine, LdbHealthFacts *out)
{
  g_autofree struct engine_transaction_information *open
      = g_new (struct engine_transaction_information, TRANSACTIONS_SEEN);
  size_t count = engine_transactions (engine, open, TRANSACTIONS_SEEN);
  for (size_t i = 0; i < MIN (count, TRANSACTIONS_SEEN); i++)
    if (out->transaction == 0 || open[i].age > out->transaction_age)
      {
        out->transaction = open[i].id;
        out->transaction_age = open[i].age;
        out->transaction_operations = open[i].operations;
      }
}

/* The key that most conflicts were about, of those that there was one about lately: the counts are since
 * the opening. */
static void
gather_conflicts (struct engine *engine, LdbHealthFacts *out)
{
  g_autofree struct engine_hot_key *keys = g_new (struct engine_hot_key, ENGINE_HOT_KEYS);
  size_t count = engine_hot_keys (engine, ENGINE_HOT_CONFLICTS, keys, &out->kept_conflicts);
  gint64 lately = g_get_real_time () - 2 * SPAN_LEAST;
  for (size_t i = 0; i < count; i++)
    {
      guint64 sure = keys[i].count - MIN (keys[i].error, keys[i].count);
      if ((gint64) keys[i].last < lately || sure <= out->hot_conflicts)
        continue;
      out->hot_conflicts = sure;
      g_clear_pointer (&out->hot_key, g_bytes_unref);
      out->hot_key = g_bytes_new (keys[i].key, MIN (keys[i].key_size, sizeof keys[i].key));
    }
}

/* ---- what is stored ---- */

/* Stores by their numbers, and what segments say. */
typedef struct
{
  LdbHealthFacts *out;
  GHashTable *stores;      /* number → name */
  engine_store dead_store; /* of the segment with the most deletes */
} Storage;

static void
look_at_segment (Storage *storage, const struct engine_storage_segment *segment)
{
  LdbHealthFacts *out = storage->out;
  out->logical_bytes += segment->logical_bytes;
  out->stored_bytes += segment->stored_bytes;
  out->blob_values += segment->blob_values;
  out->blob_bytes += segment->blob_bytes;
  if (segment->deletes <= out->dead_deletes)
    return;
  out->dead_deletes = segment->deletes;
  out->dead_records = segment->records;
  out->dead_segment = segment->number;
  storage->dead_store = segment->first_store;
}

static bool
look_at_part (void *data, const struct engine_storage_part *part)
{
  Storage *storage = data;
  if (part->kind == ENGINE_STORAGE_STORE)
    g_hash_table_insert (storage->stores, GUINT_TO_POINTER (part->store.store),
                         g_strdup (part->store.name));
  else if (part->kind == ENGINE_STORAGE_SEGMENT)
    look_at_segment (storage, &part->segment);
  return true;
}

/* What can't be read is left out: damage is another rule's. */
static void
gather_storage (struct engine *engine, LdbHealthFacts *out)
{
  Storage storage = { .out = out };
  g_autoptr (GHashTable) stores = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  storage.stores = stores;
  engine_storage_visit (engine, look_at_part, &storage, NULL);
  if (out->dead_deletes > 0)
    out->dead_store
        = g_strdup (g_hash_table_lookup (stores, GUINT_TO_POINTER (storage.dead_store)));
}

void
ldb_health_facts_gather (struct engine *engine, const char *path, LdbHealthFacts *out,
                         LdbHealthCounts *now)
{
  const struct engine_options *options = engine_get_options (engine);
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  engine_condition (engine, &out->condition);
  out->read_only = engine_is_read_only (engine);
  out->sync = options->sync;
  out->log_enabled = options->log_enabled;
  out->compression = options->compression != ENGINE_COMPRESSION_NONE;
  out->merging = options->merge_enabled;
  out->memory_budget = statistics.memory_budget;
  out->memory_used = statistics.memory_used;
  out->runs = statistics.runs;
  out->disk_bytes = statistics.disk_bytes;
  out->segment_bytes = statistics.segment_bytes;
  out->memtable_size
      = options->memtable_size > 0 ? options->memtable_size : options->memory_budget / 8;
  uint64_t total = 0, available = 0;
  out->space_known = engine_disk_space (engine, &total, &available, NULL) == STATUS_OK;
  out->disk_total = total;
  out->disk_available = available;
  bool network;
  out->foreign_file_system = engine_foreign_file_system (engine, &network);
  out->network = network;
  gather_access (path, out);
  gather_transactions (engine, out);
  gather_conflicts (engine, out);
  gather_storage (engine, out);
  gather_counts (engine, now);
}

/* ---- of one engine ---- */

/* Counts at a time. */
typedef struct
{
  LdbHealthCounts counts; /* since the opening */
  gint64 time;            /* monotonic */
} Moment;

struct _LdbVitals
{
  gint references;       /* atomic */
  struct engine *engine; /* a reference */
  pthread_mutex_t lock;  /* guards the rest */
  Moment since, newer;   /* what is compared with; what will be, once it is old enough */
  LdbHealth *newest;     /* the last verdict; a reference, or NULL */
};

LdbVitals *
ldb_vitals_new (struct engine *engine)
{
  LdbVitals *self = g_new0 (LdbVitals, 1);
  self->references = 1;
  self->engine = engine_ref (engine);
  pthread_mutex_init (&self->lock, NULL);
  self->since.time = self->newer.time = g_get_monotonic_time ();
  return self;
}

LdbVitals *
ldb_vitals_ref (LdbVitals *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

void
ldb_vitals_unref (LdbVitals *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_clear_pointer (&self->newest, ldb_health_unref);
  engine_unref (self->engine);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* Every field is a guint64 that only grows, but two threads may come in another order than they
 * counted in. */
static LdbHealthCounts
counts_between (const LdbHealthCounts *from, const LdbHealthCounts *to)
{
  LdbHealthCounts between;
  const guint64 *a = (const guint64 *) from, *b = (const guint64 *) to;
  guint64 *out = (guint64 *) &between;
  for (gsize i = 0; i < sizeof between / sizeof *out; i++)
    out[i] = b[i] > a[i] ? b[i] - a[i] : 0;
  return between;
}

/* With the lock held. */
static void
compare (LdbVitals *self, const LdbHealthCounts *now, LdbHealthFacts *facts)
{
  gint64 time = g_get_monotonic_time ();
  if (time - self->newer.time >= SPAN_LEAST)
    {
      self->since = self->newer;
      self->newer = (Moment){ *now, time };
    }
  facts->span = time - self->since.time;
  facts->load = counts_between (&self->since.counts, now);
}

LdbHealth *
ldb_vitals_examine (LdbVitals *self, const char *path)
{
  LdbHealthFacts facts = { .span = 0 };
  LdbHealthCounts now;
  ldb_health_facts_gather (self->engine, path, &facts, &now);
  pthread_mutex_lock (&self->lock);
  compare (self, &now, &facts);
  LdbHealth *health = ldb_health_judge (&facts, g_get_real_time ());
  LdbHealth *before = self->newest;
  gboolean changed = before != NULL ? !ldb_health_agrees (before, health)
                                    : ldb_health_get_severity (health) != LDB_SEVERITY_NONE;
  self->newest = ldb_health_ref (health);
  pthread_mutex_unlock (&self->lock);
  if (changed)
    {
      g_autofree char *name = ldb_health_name (health);
      engine_note_health (self->engine, name);
    }
  g_clear_pointer (&before, ldb_health_unref);
  ldb_health_facts_clear (&facts);
  return health;
}

LdbHealth *
ldb_vitals_get_newest (LdbVitals *self)
{
  pthread_mutex_lock (&self->lock);
  LdbHealth *newest = self->newest != NULL ? ldb_health_ref (self->newest) : NULL;
  pthread_mutex_unlock (&self->lock);
  return newest;
}
