/* SPDX-License-Identifier: MIT */
/* RocksDB, through its C++ API: pinned slices, reused batches and iterators that seek again. */
#include "driver.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/optimistic_transaction_db.h>
#include <rocksdb/utilities/transaction.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using rocksdb::Slice;
using rocksdb::Status;

struct driver_database
{
  std::unique_ptr<rocksdb::DB> handle;
  rocksdb::OptimisticTransactionDB *transactional = nullptr; /* the same, or null */
  const driver_options *options = nullptr;                   /* borrowed */
  rocksdb::WriteOptions write_options;                       /* of every commit */
};

struct driver_session
{
  driver_database *database = nullptr;               /* borrowed */
  rocksdb::ReadOptions read_options;                 /* with the snapshot, if any */
  rocksdb::WriteBatch batch;                         /* used again and again */
  rocksdb::PinnableSlice value;                      /* of a get */
  std::vector<rocksdb::PinnableSlice> values;        /* of a multi_get */
  std::vector<Slice> keys;                           /* of a multi_get */
  std::vector<Status> statuses;                      /* of a multi_get */
  std::unique_ptr<rocksdb::Iterator> iterator;       /* of a scan */
  bool reverse = false, moved = false;               /* of the scan: direction; next() must move */
  std::unique_ptr<rocksdb::Transaction> transaction; /* used again and again */
  std::unique_ptr<rocksdb::SstFileWriter> loader;    /* of a bulk load */
};

static bool
failed (const char *what, const Status &status)
{
  return driver_fail ("%s: %s", what, status.ToString ().c_str ());
}

static bool
done (const char *what, const Status &status)
{
  return status.ok () || failed (what, status);
}

static Slice
slice (driver_bytes bytes)
{
  return Slice (static_cast<const char *> (bytes.data), bytes.size);
}

static driver_bytes
bytes (const Slice &slice)
{
  return { slice.data (), slice.size () };
}

static const char *
rocksdb_version ()
{
  static const std::string version = rocksdb::GetRocksVersionAsString ();
  return version.c_str ();
}

static const char *
rocksdb_settings (const driver_options *)
{
  return "LRU block cache of the whole budget and write buffers of a quarter of it on top; ten-bit "
         "Bloom filters in memory, also over the memtable, whose keys they spare a search; block "
         "data hash index (0.75), format 5, XXH3 checksums; dynamic level sizes, one background "
         "job a core, as its setup guide advises. "
         "Every commit is written to the log with write(): buffering the log "
         "(manual_wal_flush) would not survive a kill. Reads use pinned slices, multi_get the "
         "batched MultiGet. Values stay in the tables whatever their size: with blob files "
         "(from 4 KiB on, with a cache for them) puts of 100 KB were as fast, 3,200 a second "
         "instead of 3,500, and reads slower, 39,000 instead of 54,000. "
         "Compression, when on: LZ4, and zstd at the bottom. "
         "Before reading rows everything is compacted.";
}

static rocksdb::Options
make_options (const driver_options *options)
{
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache (options->budget);
  table.filter_policy.reset (rocksdb::NewBloomFilterPolicy (10));
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.data_block_hash_table_util_ratio = 0.75;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;

  rocksdb::Options its;
  its.create_if_missing = true;
  its.IncreaseParallelism (static_cast<int> (std::max (2u, std::thread::hardware_concurrency ())));
  its.write_buffer_size = std::max<size_t> (options->budget / 4, 1 << 20);
  its.memtable_whole_key_filtering = true;
  its.memtable_prefix_bloom_size_ratio = 0.1;
  its.level_compaction_dynamic_level_bytes = true;
  its.bytes_per_sync = 1 << 20;
  its.compression = options->compression ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  its.bottommost_compression = options->compression ? rocksdb::kZSTD : rocksdb::kNoCompression;
  its.table_factory.reset (rocksdb::NewBlockBasedTableFactory (table));
  its.info_log_level = rocksdb::WARN_LEVEL;
  return its;
}

static driver_database *
rocksdb_open (const driver_options *options)
{
  auto database = std::make_unique<driver_database> ();
  database->options = options;
  database->write_options.sync = options->sync;
  rocksdb::Options its = make_options (options);
  Status status;
  if (options->transactions)
    {
      status = rocksdb::OptimisticTransactionDB::Open (its, options->directory,
                                                       &database->transactional);
      database->handle.reset (database->transactional);
    }
  else
    {
      rocksdb::DB *handle = nullptr;
      status = rocksdb::DB::Open (its, options->directory, &handle);
      database->handle.reset (handle);
    }
  if (!done (options->directory, status))
    return nullptr;
  return database.release ();
}

static bool
rocksdb_close (driver_database *database)
{
  Status status = database->handle->Close ();
  delete database;
  return done ("close", status);
}

static driver_session *
rocksdb_session_open (driver_database *database)
{
  auto session = new driver_session;
  session->database = database;
  return session;
}

static void
rocksdb_session_close (driver_session *session)
{
  delete session;
}

static bool
rocksdb_put (driver_session *session, driver_bytes key, driver_bytes value)
{
  driver_database *database = session->database;
  return done ("put", database->handle->Put (database->write_options, slice (key), slice (value)));
}

static bool
rocksdb_remove (driver_session *session, driver_bytes key)
{
  driver_database *database = session->database;
  return done ("delete", database->handle->Delete (database->write_options, slice (key)));
}

static driver_answer
answer (const Status &status, rocksdb::PinnableSlice &value, void *buffer, size_t capacity,
        size_t *size)
{
  if (status.IsNotFound ())
    return DRIVER_ABSENT;
  if (!done ("get", status))
    return DRIVER_FAILED;
  driver_answer copied = driver_copy (bytes (value), buffer, capacity, size);
  value.Reset ();
  return copied;
}

static driver_answer
rocksdb_get (driver_session *session, driver_bytes key, void *buffer, size_t capacity, size_t *size)
{
  rocksdb::DB *handle = session->database->handle.get ();
  session->value.Reset ();
  Status status = handle->Get (session->read_options, handle->DefaultColumnFamily (), slice (key),
                               &session->value);
  return answer (status, session->value, buffer, capacity, size);
}

static driver_answer
rocksdb_lend (driver_session *session, driver_bytes key, driver_bytes *value)
{
  rocksdb::DB *handle = session->database->handle.get ();
  Status status = handle->Get (session->read_options, handle->DefaultColumnFamily (), slice (key),
                               &session->value);
  if (status.IsNotFound ())
    return DRIVER_ABSENT;
  if (!done ("get", status))
    return DRIVER_FAILED;
  *value = bytes (session->value);
  return DRIVER_FOUND;
}

static void
rocksdb_take_back (driver_session *session)
{
  session->value.Reset ();
}

static bool
rocksdb_multi_get (driver_session *session, size_t count, const driver_bytes *keys, char *buffer,
                   size_t capacity, size_t *sizes)
{
  rocksdb::DB *handle = session->database->handle.get ();
  session->keys.resize (count);
  session->values.resize (count);
  session->statuses.resize (count);
  for (size_t i = 0; i < count; i++)
    session->keys[i] = slice (keys[i]);
  handle->MultiGet (session->read_options, handle->DefaultColumnFamily (), count,
                    session->keys.data (), session->values.data (), session->statuses.data ());
  for (size_t i = 0; i < count; i++)
    {
      sizes[i] = SIZE_MAX;
      if (answer (session->statuses[i], session->values[i], buffer + i * capacity, capacity,
                  &sizes[i])
          == DRIVER_FAILED)
        return false;
    }
  return true;
}

static bool
rocksdb_batch_begin (driver_session *session)
{
  session->batch.Clear ();
  return true;
}

static bool
rocksdb_batch_put (driver_session *session, driver_bytes key, driver_bytes value)
{
  return done ("put", session->batch.Put (slice (key), slice (value)));
}

static bool
rocksdb_batch_remove (driver_session *session, driver_bytes key)
{
  return done ("delete", session->batch.Delete (slice (key)));
}

static bool
rocksdb_batch_commit (driver_session *session)
{
  driver_database *database = session->database;
  return done ("write", database->handle->Write (database->write_options, &session->batch));
}

static bool
rocksdb_read_begin (driver_session *session)
{
  session->read_options.snapshot = session->database->handle->GetSnapshot ();
  return true;
}

static void
rocksdb_read_end (driver_session *session)
{
  session->database->handle->ReleaseSnapshot (session->read_options.snapshot);
  session->read_options.snapshot = nullptr;
}

static bool
rocksdb_scan_begin (driver_session *session, bool reverse)
{
  session->iterator.reset (session->database->handle->NewIterator (session->read_options));
  session->reverse = reverse;
  session->moved = true;
  if (reverse)
    session->iterator->SeekToLast ();
  else
    session->iterator->SeekToFirst ();
  return done ("scan", session->iterator->status ());
}

static bool
rocksdb_scan_seek (driver_session *session, driver_bytes key)
{
  session->iterator->Seek (slice (key));
  session->moved = true;
  return done ("seek", session->iterator->status ());
}

static driver_answer
rocksdb_scan_next (driver_session *session, driver_bytes *key, driver_bytes *value)
{
  rocksdb::Iterator *iterator = session->iterator.get ();
  if (!session->moved)
    {
      if (session->reverse)
        iterator->Prev ();
      else
        iterator->Next ();
    }
  session->moved = false;
  if (!iterator->Valid ())
    return done ("next", iterator->status ()) ? DRIVER_ABSENT : DRIVER_FAILED;
  *key = bytes (iterator->key ());
  *value = bytes (iterator->value ());
  return DRIVER_FOUND;
}

static void
rocksdb_scan_end (driver_session *session)
{
  session->iterator.reset ();
}

static bool
rocksdb_remove_range (driver_session *session, driver_bytes start, driver_bytes end)
{
  driver_database *database = session->database;
  rocksdb::DB *handle = database->handle.get ();
  return done ("delete range",
               handle->DeleteRange (database->write_options, handle->DefaultColumnFamily (),
                                    slice (start), slice (end)));
}

static bool
rocksdb_transaction_begin (driver_session *session)
{
  driver_database *database = session->database;
  rocksdb::OptimisticTransactionOptions options;
  options.set_snapshot = true;
  session->transaction.reset (database->transactional->BeginTransaction (
      database->write_options, options, session->transaction.release ()));
  session->read_options.snapshot = session->transaction->GetSnapshot ();
  return true;
}

static driver_answer
rocksdb_transaction_get (driver_session *session, driver_bytes key, void *buffer, size_t capacity,
                         size_t *size)
{
  session->value.Reset ();
  Status status = session->transaction->Get (session->read_options,
                                             session->database->handle->DefaultColumnFamily (),
                                             slice (key), &session->value);
  return answer (status, session->value, buffer, capacity, size);
}

static bool
rocksdb_transaction_put (driver_session *session, driver_bytes key, driver_bytes value)
{
  return done ("put", session->transaction->Put (slice (key), slice (value)));
}

static bool
rocksdb_transaction_remove (driver_session *session, driver_bytes key)
{
  return done ("delete", session->transaction->Delete (slice (key)));
}

static bool
rocksdb_transaction_commit (driver_session *session)
{
  session->read_options.snapshot = nullptr;
  return done ("commit", session->transaction->Commit ());
}

static std::string
load_path (const driver_session *session)
{
  return std::string (session->database->options->directory) + "/load.sst";
}

static bool
rocksdb_bulk_begin (driver_session *session)
{
  session->loader = std::make_unique<rocksdb::SstFileWriter> (
      rocksdb::EnvOptions (), session->database->handle->GetOptions ());
  return done ("load", session->loader->Open (load_path (session)));
}

static bool
rocksdb_bulk_put (driver_session *session, driver_bytes key, driver_bytes value)
{
  return done ("load", session->loader->Put (slice (key), slice (value)));
}

static bool
rocksdb_bulk_finish (driver_session *session)
{
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  if (!done ("load", session->loader->Finish ()))
    return false;
  session->loader.reset ();
  return done ("ingest",
               session->database->handle->IngestExternalFile ({ load_path (session) }, options));
}

static bool
rocksdb_settle (driver_database *database)
{
  rocksdb::DB *handle = database->handle.get ();
  if (!done ("flush", handle->Flush (rocksdb::FlushOptions ())))
    return false;
  for (;;)
    {
      uint64_t running = 0, pending = 0;
      handle->GetIntProperty (rocksdb::DB::Properties::kNumRunningCompactions, &running);
      handle->GetIntProperty (rocksdb::DB::Properties::kCompactionPending, &pending);
      if (running == 0 && pending == 0)
        return true;
      std::this_thread::sleep_for (std::chrono::milliseconds (5));
    }
}

static bool
rocksdb_compact (driver_database *database)
{
  rocksdb::CompactRangeOptions options;
  return done ("compact", database->handle->CompactRange (options, nullptr, nullptr));
}

extern "C" const driver benchmark_driver = {
  .name = "rocksdb",
  .version = rocksdb_version,
  .settings = rocksdb_settings,
  .open = rocksdb_open,
  .close = rocksdb_close,
  .session_open = rocksdb_session_open,
  .session_close = rocksdb_session_close,
  .put = rocksdb_put,
  .remove = rocksdb_remove,
  .get = rocksdb_get,
  .lend = rocksdb_lend,
  .take_back = rocksdb_take_back,
  .multi_get = rocksdb_multi_get,
  .batch_begin = rocksdb_batch_begin,
  .batch_put = rocksdb_batch_put,
  .batch_remove = rocksdb_batch_remove,
  .batch_commit = rocksdb_batch_commit,
  .read_begin = rocksdb_read_begin,
  .read_end = rocksdb_read_end,
  .scan_begin = rocksdb_scan_begin,
  .scan_seek = rocksdb_scan_seek,
  .scan_next = rocksdb_scan_next,
  .scan_end = rocksdb_scan_end,
  .remove_range = rocksdb_remove_range,
  .transaction_begin = rocksdb_transaction_begin,
  .transaction_get = rocksdb_transaction_get,
  .transaction_put = rocksdb_transaction_put,
  .transaction_remove = rocksdb_transaction_remove,
  .transaction_commit = rocksdb_transaction_commit,
  .bulk_begin = rocksdb_bulk_begin,
  .bulk_put = rocksdb_bulk_put,
  .bulk_finish = rocksdb_bulk_finish,
  .settle = rocksdb_settle,
  .compact = rocksdb_compact,
};
