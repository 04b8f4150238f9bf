/* SPDX-License-Identifier: MIT */
/*
 * make-corpus: writes the inputs that the targets of file formats begin with: files of small
 * databases and single pages, all with blind checksums.
 *
 *   fuzz-make-corpus DIRECTORY
 *
 * To be run anew when a format changes; the result is kept in corpus/.
 */
#include "fuzz-files.h"

#include "base/buffer.h"
#include "base/coding.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "base/random.h"
#include "blob/blob.h"
#include "engine.h"
#include "segment/codec.h"
#include "segment/filter.h"
#include "segment/inner.h"
#include "segment/leaf.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define PAGE_SIZE_LEAST 4096u
#define LARGE_VALUE 9000u /* goes to a blob file */

static const char *output; /* directory of the corpora */

static void
save (const char *target, const char *name, struct bytes content)
{
  char path[PATH_MAX];
  snprintf (path, sizeof path, "%s/%s", output, target);
  mkdir (path, 0777);
  snprintf (path, sizeof path, "%s/%s/%s", output, target, name);
  FILE *file = fopen (path, "wb");
  CHECK (file != NULL && fwrite (content.data, 1, content.size, file) == content.size);
  CHECK (fclose (file) == 0);
}

/* ---- pages ---- */

static void
make_leaf (const char *name, unsigned records, size_t suffix, size_t value_size)
{
  struct failure failure = FAILURE_INIT;
  struct leaf_builder builder;
  uint8_t key[600], value[4000] = { 0 };
  leaf_builder_init (&builder, PAGE_SIZE_LEAST, 8);
  for (unsigned i = 0; i < records; i++)
    {
      bool added = true;
      memset (key, 'k', sizeof key);
      store_u32 (key, 0x01000000);
      size_t size = (size_t) snprintf ((char *) key + 4, 32, "name%05u", i) + 4 + suffix;
      struct record record = { .key = BYTES (key, size),
                               .value = BYTES (value, i % 7 == 3 ? 0 : value_size),
                               .sequence = i % 3 == 0 ? 0 : 1000 + i,
                               .kind = i % 7 == 3 ? RECORD_DELETE : RECORD_PUT };
      CHECK_OK (
          leaf_builder_add (&builder, &record, key_tag (key_hash (record.key)), &added, &failure));
      if (!added)
        break;
    }
  uint8_t *page = calloc (1, builder.units * PAGE_SIZE_LEAST);
  CHECK (page != NULL);
  leaf_builder_write (&builder, page);
  save ("leaf", name, BYTES (page, leaf_view (page).used));
  leaf_builder_clear (&builder);
  free (page);
}

static void
make_inner (const char *name, unsigned entries, size_t suffix)
{
  struct failure failure = FAILURE_INIT;
  struct inner_list list = { .count = 0 };
  struct inner_built built;
  uint8_t key[600], *page = NULL;
  size_t room = 0;
  memset (key, 's', sizeof key);
  for (unsigned i = 0; i < entries; i++)
    {
      size_t size = i == 0 ? 0 : (size_t) snprintf ((char *) key, 32, "name%05u", i) + suffix;
      struct page_place place = { .offset = 4096u * (i + 1), .stored = 4096, .logical = 4000 };
      CHECK_OK (inner_list_append (&list, &place, i, BYTES (key, size), &failure));
    }
  CHECK_OK (inner_build (&list, 0, 1, 0, PAGE_SIZE_LEAST - 8, &page, &room, &built, &failure));
  save ("inner", name, BYTES (page, built.used));
  inner_list_clear (&list);
  free (page);
}

static void
make_filter (const char *name, enum filter_kind kind, unsigned keys)
{
  struct failure failure = FAILURE_INIT;
  struct random random = { keys };
  struct filter_builder *builder;
  struct buffer block = { NULL, 0 };
  size_t size;
  CHECK_OK (filter_builder_new (kind, 0, NULL, &builder, &failure));
  for (unsigned i = 0; i < keys; i++)
    CHECK_OK (filter_builder_add (builder, random_next (&random), &failure));
  CHECK_OK (filter_builder_finish (builder, &block, &size, &failure));
  save ("filter", name, BYTES (block.data, size));
  buffer_release (&block, NULL, LEDGER_MERGE);
}

/* ---- what processes share ---- */

/* A block with a metric of each kind, and one without any. */
static void
make_metrics (void)
{
  static struct
  {
    uint64_t flags;
    struct metrics_header header;
    struct metrics_name names[4];
    uint64_t lines[2][3];
    uint64_t shared[2];
    int64_t gauges[1];
    struct histogram histogram;
  } block = { .flags = 1 };
  struct metrics_header *header = &block.header;
  struct bytes whole = BYTES ((const uint8_t *) &block, sizeof block);
  memcpy (&header->magic, METRICS_MAGIC, sizeof header->magic);
  header->layout = METRICS_LAYOUT;
  header->precision_bits = HISTOGRAM_PRECISION_BITS;
  header->value_bits = HISTOGRAM_VALUE_BITS;
  header->names = header->lines = header->shared = header->gauges = header->histograms
      = sizeof *header;
  header->size = sizeof *header;
  save ("metrics", "none", BYTES (whole.data, 8 + sizeof *header));

  header->name_count = 4;
  header->thread_count = 3;
  header->shared_count = 2;
  header->gauge_count = header->histogram_count = 1;
  header->line_count = 2;
  header->line_size = sizeof block.lines[0];
  header->lines = header->names + sizeof block.names;
  header->shared = header->lines + sizeof block.lines;
  header->gauges = header->shared + sizeof block.shared;
  header->histograms = header->gauges + sizeof block.gauges;
  header->size = sizeof block - 8;
  block.names[0] = (struct metrics_name){ METRIC_COUNTER, METRIC_COUNT, 2, "gets" };
  block.names[1] = (struct metrics_name){ METRIC_SHARED_COUNTER, METRIC_BYTES, 1, "bytes" };
  block.names[2] = (struct metrics_name){ METRIC_GAUGE, METRIC_COUNT, 0, "runs" };
  block.names[3] = (struct metrics_name){ METRIC_HISTOGRAM, METRIC_NANOSECONDS, 0, "flush" };
  block.lines[0][2] = block.lines[1][2] = block.shared[1] = 7;
  block.gauges[0] = -1;
  for (uint64_t value = 1; value < 1000000; value = value * 3 / 2 + 1)
    histogram_record (&block.histogram, value);
  save ("metrics", "each-kind", whole);
  block.flags = 0;
  save ("metrics", "unmended", whole);
}

static void
make_compressed (const char *name, enum codec codec)
{
  struct failure failure = FAILURE_INIT;
  struct compressor *compressor;
  uint8_t page[PAGE_SIZE_LEAST], stored[PAGE_SIZE_LEAST + 5];
  size_t size = 0;
  for (size_t i = 0; i < sizeof page; i++)
    page[i] = (uint8_t) (i % 97 + i / 512);
  CHECK_OK (compressor_new (codec, 3, BYTES_NONE, &compressor, &failure));
  CHECK (compressor_run (compressor, BYTES (page, sizeof page), stored + 5, &size) == codec);
  stored[0] = (uint8_t) codec;
  store_u32 (stored + 1, sizeof page);
  stored[4] = 0;
  save ("codec", name, BYTES (stored, size + 5));
  compressor_free (compressor);
}

/* ---- files of a database ---- */

/* Logs and manifests are the same whatever the codec, and of several edits only they matter. */
static bool
is_needless (const char *target, const char *prefix)
{
  if (strcmp (target, "segment") == 0)
    return strcmp (prefix, "several-edits") == 0 || strcmp (prefix, "closed") == 0;
  if (strcmp (target, "log") == 0)
    return strcmp (prefix, "raw") != 0;
  if (strcmp (target, "history") == 0)
    return strcmp (prefix, "closed") != 0;
  return strcmp (prefix, "raw") != 0 && strcmp (prefix, "several-edits") != 0;
}

static void
copy_files (const char *path, const char *prefix)
{
  static uint8_t content[1 << 20];
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    {
      char from[PATH_MAX], name[300];
      snprintf (from, sizeof from, "%s/%s", path, entry->d_name);
      const char *dot = strrchr (entry->d_name, '.');
      const char *target = strncmp (entry->d_name, "MANIFEST-", 9) == 0 ? "manifest"
                           : dot == NULL                                ? NULL
                           : strcmp (dot, ".seg") == 0                  ? "segment"
                           : strcmp (dot, ".log") == 0                  ? "log"
                           : strcmp (dot, ".history") == 0              ? "history"
                                                                        : NULL;
      if (target == NULL || is_needless (target, prefix))
        continue;
      FILE *file = fopen (from, "rb");
      CHECK (file != NULL);
      size_t size = fread (content, 1, sizeof content, file);
      fclose (file);
      while (strcmp (target, "log") == 0 && size > 512 && content[size - 1] == 0)
        size--; /* the room behind the last record */
      snprintf (name, sizeof name, "%s-%s", prefix, entry->d_name);
      save (target, name, BYTES (content, size));
    }
  closedir (directory);
}

static void
put (struct engine *engine, unsigned number, size_t value_size, enum engine_sync sync)
{
  static uint8_t value[LARGE_VALUE];
  struct failure failure = FAILURE_INIT;
  char key[400];
  int size = snprintf (key, sizeof key, "name-%05u", number * 7919 % 100000);
  if (number % 31 == 0) /* some long ones */
    {
      memset (key + size, 'x', 300);
      size += 300;
    }
  for (size_t i = 0; i < value_size; i++)
    value[i] = (uint8_t) (i % 50 < 25 ? number * 31 + i * 17 : 'v');
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, (size_t) size),
                        BYTES (value, value_size), sync, NULL, &failure));
}

static void
make_database (const char *prefix, enum engine_compression compression)
{
  struct failure failure = FAILURE_INIT;
  struct engine_options options;
  struct engine *engine;
  struct engine_snapshot *snapshot;
  engine_store store;
  char *path = fresh_directory ();
  engine_options_init (&options);
  options.compression = compression;
  options.merge_enabled = false;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  for (unsigned i = 0; i < 150; i++)
    put (engine, i, 60, i % 40 == 0 ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC);
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  for (unsigned i = 0; i < 30; i++)
    put (engine, i, 20, ENGINE_SYNC_NONE);
  CHECK_OK (engine_store_open (engine, "second", true, &store, &failure));
  CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("name-00000"),
                           ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("name-3"),
                                 BYTES_LITERAL ("name-4"), ENGINE_SYNC_DEFAULT, NULL, &failure));
  put (engine, 1000, LARGE_VALUE, ENGINE_SYNC_FULL);
  copy_files (path, prefix); /* the log, with everything */
  CHECK_OK (engine_checkpoint (engine, &failure));
  copy_files (path, prefix);
  for (unsigned i = 0; compression == ENGINE_COMPRESSION_NONE && i < 4; i++)
    {
      put (engine, i * 100, LARGE_VALUE, ENGINE_SYNC_ASYNC);
      CHECK_OK (engine_checkpoint (engine, &failure));
    }
  if (compression == ENGINE_COMPRESSION_NONE)
    copy_files (path, "several-edits");
  engine_snapshot_free (snapshot);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* What a close leaves of the log when changes are retained. */
static void
make_history (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_options options;
  struct engine *engine;
  struct engine_loader *loader;
  char *path = fresh_directory ();
  engine_options_init (&options);
  options.change_retention = 1 << 20;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  for (unsigned i = 0; i < 40; i++)
    put (engine, i, i % 20 == 7 ? LARGE_VALUE : 30,
         i % 9 == 0 ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC);
  CHECK_OK (engine_loader_new (engine, &loader, &failure));
  CHECK_OK (engine_loader_put (loader, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("loaded"),
                               BYTES_LITERAL ("value"), &failure));
  CHECK_OK (engine_loader_commit (loader, NULL, &failure));
  engine_loader_free (loader);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  copy_files (path, "closed");
  remove_directory (path);
}

/* ---- a large value ---- */

static uint64_t
next_number (void *context)
{
  return ++*(uint64_t *) context;
}

/* The last of several values, of rising size. */
static void
make_blob (const char *name, size_t first_size, unsigned count)
{
  struct failure failure = FAILURE_INIT;
  uint64_t number = 0;
  struct blob_writer_settings settings = {
    .directory = fuzz_directory (),
    .file_size = 1 << 20,
    .next_number = next_number,
    .next_number_context = &number,
  };
  struct blob_writer *writer;
  struct blob_reference reference;
  uint8_t value[6000] = "a large value", content[8192];
  size_t got;
  struct vfs_file *file;
  CHECK_OK (blob_writer_new (&settings, &writer, &failure));
  for (unsigned i = 0; i < count; i++)
    CHECK_OK (blob_writer_put (writer, BYTES (value, first_size + 200 * i), &reference, &failure));
  CHECK_OK (blob_writer_sync (writer, &failure));
  CHECK_OK (vfs_open (fuzz_directory (), "1.blob", VFS_READ, &file, &failure));
  blob_reference_store (content, &reference);
  CHECK_OK (vfs_read (file, 0, content + BLOB_REFERENCE_SIZE, sizeof content - BLOB_REFERENCE_SIZE,
                      &got, &failure));
  vfs_close (file);
  save ("blob", name, BYTES (content, got + BLOB_REFERENCE_SIZE));
  blob_writer_free (writer);
  fuzz_remove ("1.blob");
}

/* ---- whole directories ---- */

static void
save_packed (const char *path, const char *target, const char *name)
{
  struct bytes packed = fuzz_files_pack (path);
  save (target, name, packed);
  free ((void *) packed.data);
}

/* Few records of every sort, so that the whole stays small; left as by a kill, and closed. */
static void
make_directories (void)
{
  struct failure failure = FAILURE_INIT;
  struct engine_options options;
  struct engine *engine;
  engine_store store;
  char *path = fresh_directory (), *backup = fresh_directory ();
  engine_options_init (&options);
  options.merge_enabled = false;
  options.log_segment_size = 64 << 10;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  save_packed (path, "database", "empty");
  save_packed (path, "probe", "empty");
  CHECK_OK (engine_store_open (engine, "second", true, &store, &failure));
  for (unsigned i = 0; i < 12; i++)
    put (engine, i, 20, ENGINE_SYNC_ASYNC);
  put (engine, 100, LARGE_VALUE, ENGINE_SYNC_FULL);
  CHECK_OK (engine_put (engine, store, BYTES_LITERAL ("other"), BYTES_LITERAL ("value"),
                        ENGINE_SYNC_ASYNC, NULL, &failure));
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("name-1"),
                                 BYTES_LITERAL ("name-2"), ENGINE_SYNC_DEFAULT, NULL, &failure));
  save_packed (path, "database", "killed-with-log");
  CHECK_OK (engine_flush (engine, &failure));
  for (unsigned i = 5; i < 9; i++)
    put (engine, i, 30, ENGINE_SYNC_ASYNC);
  CHECK_OK (
      engine_delete (engine, store, BYTES_LITERAL ("other"), ENGINE_SYNC_DEFAULT, NULL, &failure));
  save_packed (path, "database", "killed-with-run-and-log");
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  save_packed (path, "database", "closed");
  CHECK_OK (engine_open (path, ENGINE_OPEN_EXISTING, &options, &engine, &failure));
  CHECK_OK (engine_store_drop (engine, "second", &failure));
  CHECK_OK (engine_backup (engine, backup, false, NULL, NULL, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  save_packed (backup, "probe", "backup");
  remove_directory (backup);
  remove_directory (path);
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    return 2;
  output = argv[1];
  mkdir (output, 0777);
  make_leaf ("full", 1000, 0, 20);
  make_leaf ("long-keys", 6, 500, 100);
  make_leaf ("wide", 2, 500, 4000);
  make_leaf ("one", 1, 0, 0);
  make_inner ("full", 1000, 0);
  make_inner ("long-keys", 20, 500);
  make_filter ("bloom", FILTER_BLOOM, 300);
  make_filter ("fuse", FILTER_FUSE8, 300);
  make_filter ("fuse-one", FILTER_FUSE8, 1);
  make_compressed ("zstd", CODEC_ZSTD);
  make_compressed ("lz4", CODEC_LZ4);
  make_compressed ("snappy", CODEC_SNAPPY);
  make_database ("raw", ENGINE_COMPRESSION_NONE);
  make_database ("zstd", ENGINE_COMPRESSION_ZSTD);
  make_database ("lz4", ENGINE_COMPRESSION_LZ4);
  make_database ("snappy", ENGINE_COMPRESSION_SNAPPY);
  make_history ();
  make_metrics ();
  make_blob ("three-values", 100, 3);
  make_blob ("one-to-keep", 5000, 1);
  make_directories ();
  return 0;
}
