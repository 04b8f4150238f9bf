/* SPDX-License-Identifier: MIT */
/* LevelDB, through its C++ API. It has no transactions, range deletes or loader of its own. */
#include "driver.h"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

using leveldb::Slice;
using leveldb::Status;

struct driver_database
{
  std::unique_ptr<const leveldb::FilterPolicy> filter; /* outlives the handle */
  std::unique_ptr<leveldb::Cache> cache;               /* outlives the handle */
  std::unique_ptr<leveldb::DB> handle;
  leveldb::WriteOptions write_options; /* of every commit */
};

struct driver_session
{
  driver_database *database = nullptr;         /* borrowed */
  leveldb::ReadOptions read_options;           /* with the snapshot, if any */
  leveldb::WriteBatch batch;                   /* used again and again */
  std::string value;                           /* of a get; its memory is used again */
  std::unique_ptr<leveldb::Iterator> iterator; /* of a scan */
  bool reverse = false, moved = false;         /* of the scan: direction; next() must move */
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
leveldb_version ()
{
  static const std::string version
      = std::to_string (leveldb::kMajorVersion) + "." + std::to_string (leveldb::kMinorVersion);
  return version.c_str ();
}

static const char *
leveldb_settings (const driver_options *)
{
  return "LRU block cache of the whole budget, write buffer of a quarter of it on top, ten-bit "
         "Bloom "
         "filters, as its documentation advises; 1000 open files, 4 KiB blocks, files of 2 MiB and "
         "checksums as by default (none verified on reads). Every commit is written to the log "
         "with "
         "write(). Values are read into a string whose memory is used again. Compression, when on: "
         "Snappy, its only codec. Before reading rows everything is compacted.";
}

static driver_database *
leveldb_open (const driver_options *options)
{
  auto database = std::make_unique<driver_database> ();
  database->filter.reset (leveldb::NewBloomFilterPolicy (10));
  database->cache.reset (leveldb::NewLRUCache (options->budget));
  database->write_options.sync = options->sync;
  leveldb::Options its;
  its.create_if_missing = true;
  its.write_buffer_size = std::max<size_t> (options->budget / 4, 1 << 20);
  its.block_cache = database->cache.get ();
  its.filter_policy = database->filter.get ();
  its.compression = options->compression ? leveldb::kSnappyCompression : leveldb::kNoCompression;
  leveldb::DB *handle = nullptr;
  if (!done (options->directory, leveldb::DB::Open (its, options->directory, &handle)))
    return nullptr;
  database->handle.reset (handle);
  return database.release ();
}

static bool
leveldb_close (driver_database *database)
{
  database->handle.reset ();
  delete database;
  return true;
}

static driver_session *
leveldb_session_open (driver_database *database)
{
  auto session = new driver_session;
  session->database = database;
  return session;
}

static void
leveldb_session_close (driver_session *session)
{
  delete session;
}

static bool
leveldb_put (driver_session *session, driver_bytes key, driver_bytes value)
{
  driver_database *database = session->database;
  return done ("put", database->handle->Put (database->write_options, slice (key), slice (value)));
}

static bool
leveldb_remove (driver_session *session, driver_bytes key)
{
  driver_database *database = session->database;
  return done ("delete", database->handle->Delete (database->write_options, slice (key)));
}

static driver_answer
leveldb_get (driver_session *session, driver_bytes key, void *buffer, size_t capacity, size_t *size)
{
  Status status
      = session->database->handle->Get (session->read_options, slice (key), &session->value);
  if (status.IsNotFound ())
    return DRIVER_ABSENT;
  if (!done ("get", status))
    return DRIVER_FAILED;
  return driver_copy (bytes (session->value), buffer, capacity, size);
}

static bool
leveldb_read_begin (driver_session *session)
{
  session->read_options.snapshot = session->database->handle->GetSnapshot ();
  return true;
}

static void
leveldb_read_end (driver_session *session)
{
  session->database->handle->ReleaseSnapshot (session->read_options.snapshot);
  session->read_options.snapshot = nullptr;
}

static bool
leveldb_multi_get (driver_session *session, size_t count, const driver_bytes *keys, char *buffer,
                   size_t capacity, size_t *sizes)
{
  driver_answer answer = DRIVER_ABSENT;
  leveldb_read_begin (session);
  for (size_t i = 0; i < count && answer != DRIVER_FAILED; i++)
    {
      sizes[i] = SIZE_MAX;
      answer = leveldb_get (session, keys[i], buffer + i * capacity, capacity, &sizes[i]);
    }
  leveldb_read_end (session);
  return answer != DRIVER_FAILED;
}

static bool
leveldb_batch_begin (driver_session *session)
{
  session->batch.Clear ();
  return true;
}

static bool
leveldb_batch_put (driver_session *session, driver_bytes key, driver_bytes value)
{
  session->batch.Put (slice (key), slice (value));
  return true;
}

static bool
leveldb_batch_remove (driver_session *session, driver_bytes key)
{
  session->batch.Delete (slice (key));
  return true;
}

static bool
leveldb_batch_commit (driver_session *session)
{
  driver_database *database = session->database;
  return done ("write", database->handle->Write (database->write_options, &session->batch));
}

static bool
leveldb_scan_begin (driver_session *session, bool reverse)
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
leveldb_scan_seek (driver_session *session, driver_bytes key)
{
  session->iterator->Seek (slice (key));
  session->moved = true;
  return done ("seek", session->iterator->status ());
}

static driver_answer
leveldb_scan_next (driver_session *session, driver_bytes *key, driver_bytes *value)
{
  leveldb::Iterator *iterator = session->iterator.get ();
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
leveldb_scan_end (driver_session *session)
{
  session->iterator.reset ();
}

/* What its users do: scan the keys and delete them in one batch. */
static bool
leveldb_remove_range (driver_session *session, driver_bytes start, driver_bytes end)
{
  driver_database *database = session->database;
  std::unique_ptr<leveldb::Iterator> iterator (
      database->handle->NewIterator (session->read_options));
  session->batch.Clear ();
  for (iterator->Seek (slice (start)); iterator->Valid (); iterator->Next ())
    {
      if (iterator->key ().compare (slice (end)) >= 0)
        break;
      session->batch.Delete (iterator->key ());
    }
  return done ("delete range", iterator->status ())
         && done ("write", database->handle->Write (database->write_options, &session->batch));
}

static bool
leveldb_compact (driver_database *database)
{
  database->handle->CompactRange (nullptr, nullptr);
  return true;
}

extern "C" const driver benchmark_driver = {
  .name = "leveldb",
  .version = leveldb_version,
  .settings = leveldb_settings,
  .open = leveldb_open,
  .close = leveldb_close,
  .session_open = leveldb_session_open,
  .session_close = leveldb_session_close,
  .put = leveldb_put,
  .remove = leveldb_remove,
  .get = leveldb_get,
  .multi_get = leveldb_multi_get,
  .batch_begin = leveldb_batch_begin,
  .batch_put = leveldb_batch_put,
  .batch_remove = leveldb_batch_remove,
  .batch_commit = leveldb_batch_commit,
  .read_begin = leveldb_read_begin,
  .read_end = leveldb_read_end,
  .scan_begin = leveldb_scan_begin,
  .scan_seek = leveldb_scan_seek,
  .scan_next = leveldb_scan_next,
  .scan_end = leveldb_scan_end,
  .remove_range = leveldb_remove_range,
  .compact = leveldb_compact,
};
