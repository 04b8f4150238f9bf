/* SPDX-License-Identifier: MIT */
/* Lightning DB through its public C API: get_into, peek and peeking cursors allocate nothing. */
#include "driver.h"

#include <lightning-db.h>
#include <string.h>

#define MULTI_GET_MAXIMUM 100 /* keys a call */

struct driver_database
{
  LdbDatabase *handle;                  /* owned */
  LdbStore *store;                      /* that of the options; NULL: the default one; owned */
  const struct driver_options *options; /* borrowed */
};

struct driver_session
{
  LdbDatabase *database;                  /* borrowed */
  LdbStore *store;                        /* NULL: the default one; borrowed */
  LdbBatch *batch;                        /* used again and again; owned */
  LdbSnapshot *snapshot;                  /* between read_begin and read_end, else NULL; owned */
  LdbCursor *cursor;                      /* of a scan, else NULL; owned */
  gboolean sought;                        /* a seek has found what is given next, or nothing */
  LdbTransaction *transaction;            /* under way, else NULL; owned */
  LdbLoader *loader;                      /* loading, else NULL; owned */
  gconstpointer names[MULTI_GET_MAXIMUM]; /* of a multi_get, borrowed */
  gsize lengths[MULTI_GET_MAXIMUM];       /* of names, in bytes */
  LdbView views[MULTI_GET_MAXIMUM];       /* of the values found, cleared after each multi_get */
};

/* Keeps the message; gives false. */
static bool
failed (GError *error)
{
  driver_fail ("%s", error != NULL ? error->message : "no reason was given");
  g_clear_error (&error);
  return false;
}

static const char *
lightning_version (void)
{
  return ldb_get_version ();
}

static const char *
lightning_settings (const struct driver_options *options)
{
  if (options->sync)
    return "Defaults but for budget and compression, as elsewhere, and the sync mode, which is "
           "full: each commit is on the disk before it is acknowledged, those of several threads "
           "together.";
  return options->compression
             ? "Defaults but for the budget, which here covers cache, memtables, filters and "
               "indexes together, and zstd as the headline's settings have it."
             : "Defaults but for the budget, which here covers cache, memtables, filters and "
               "indexes together, and compression, which is off. Checksums are verified.";
}

static bool
lightning_close (struct driver_database *database)
{
  GError *error = NULL;
  g_clear_object (&database->store);
  gboolean closed = ldb_database_close (database->handle, NULL, &error);
  g_object_unref (database->handle);
  g_free (database);
  return closed || failed (error);
}

static struct driver_database *
lightning_open (const struct driver_options *options)
{
  g_autoptr (LdbOptions) settings = ldb_options_new ();
  ldb_options_set_cache_size (settings, options->budget);
  ldb_options_set_compression_enabled (settings, options->compression);
  if (options->compression)
    ldb_options_set_compression_type (settings, LDB_COMPRESSION_TYPE_ZSTD);
  ldb_options_set_wal_sync_mode (settings,
                                 options->sync ? LDB_SYNC_MODE_FULL : LDB_SYNC_MODE_ASYNC);
  GError *error = NULL;
  LdbDatabase *handle
      = ldb_database_open (options->directory, LDB_OPEN_CREATE, settings, NULL, &error);
  if (handle == NULL)
    {
      failed (error);
      return NULL;
    }
  struct driver_database *database = g_new0 (struct driver_database, 1);
  database->handle = handle;
  database->options = options;
  if (options->store != NULL)
    {
      database->store
          = ldb_database_open_store (handle, options->store, LDB_OPEN_CREATE, NULL, &error);
      if (database->store == NULL)
        {
          lightning_close (database);
          failed (error);
          return NULL;
        }
    }
  return database;
}

static struct driver_session *
lightning_session_open (struct driver_database *database)
{
  struct driver_session *session = g_new0 (struct driver_session, 1);
  session->database = database->handle;
  session->store = database->store;
  session->batch = ldb_batch_new ();
  return session;
}

static void
lightning_session_close (struct driver_session *session)
{
  g_clear_object (&session->batch);
  g_clear_object (&session->snapshot);
  g_clear_object (&session->cursor);
  g_clear_object (&session->transaction);
  g_clear_object (&session->loader);
  g_free (session);
}

static bool
lightning_put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  GError *error = NULL;
  gboolean done = session->store != NULL ? ldb_store_put (session->store, key.data, key.size,
                                                          value.data, value.size, NULL, &error)
                                         : ldb_database_put (session->database, key.data, key.size,
                                                             value.data, value.size, NULL, &error);
  return done || failed (error);
}

static bool
lightning_remove (struct driver_session *session, struct driver_bytes key)
{
  GError *error = NULL;
  gboolean done = session->store != NULL
                      ? ldb_store_delete (session->store, key.data, key.size, NULL, &error)
                      : ldb_database_delete (session->database, key.data, key.size, NULL, &error);
  return done || failed (error);
}

static enum driver_answer
no_answer (GError *error)
{
  if (error == NULL)
    return DRIVER_ABSENT;
  failed (error);
  return DRIVER_FAILED;
}

/* Copies what a view lends. */
static enum driver_answer
copy_view (LdbView *view, void *buffer, size_t capacity, size_t *size)
{
  struct driver_bytes value = { view->data, view->size };
  enum driver_answer answer = driver_copy (value, buffer, capacity, size);
  ldb_view_clear (view);
  return answer;
}

static enum driver_answer
lightning_get (struct driver_session *session, struct driver_bytes key, void *buffer,
               size_t capacity, size_t *size)
{
  GError *error = NULL;
  if (session->snapshot != NULL)
    {
      LdbView view = LDB_VIEW_INIT;
      if (!ldb_snapshot_peek (session->snapshot, session->store, key.data, key.size, &view, &error))
        return no_answer (error);
      return copy_view (&view, buffer, capacity, size);
    }
  gboolean found = session->store != NULL
                       ? ldb_store_get_into (session->store, key.data, key.size, buffer, capacity,
                                             size, &error)
                       : ldb_database_get_into (session->database, key.data, key.size, buffer,
                                                capacity, size, &error);
  return found ? DRIVER_FOUND : no_answer (error);
}

/* The one view of the session is in the array for multi_get, which no row uses at the same time. */
static enum driver_answer
lightning_lend (struct driver_session *session, struct driver_bytes key, struct driver_bytes *value)
{
  GError *error = NULL;
  LdbView *view = &session->views[0];
  gboolean found = session->store != NULL
                       ? ldb_store_peek (session->store, key.data, key.size, view, &error)
                       : ldb_database_peek (session->database, key.data, key.size, view, &error);
  if (!found)
    return no_answer (error);
  *value = (struct driver_bytes){ view->data, view->size };
  return DRIVER_FOUND;
}

static void
lightning_take_back (struct driver_session *session)
{
  ldb_view_clear (&session->views[0]);
}

static bool
lightning_multi_get (struct driver_session *session, size_t count, const struct driver_bytes *keys,
                     char *buffer, size_t capacity, size_t *sizes)
{
  GError *error = NULL;
  g_return_val_if_fail (count <= MULTI_GET_MAXIMUM && session->store == NULL, false);
  for (size_t i = 0; i < count; i++)
    {
      session->names[i] = keys[i].data;
      session->lengths[i] = keys[i].size;
    }
  if (!ldb_database_peek_many (session->database, session->names, session->lengths, count,
                               session->views, &error))
    return failed (error);
  bool sound = true;
  for (size_t i = 0; i < count; i++)
    if (session->views[i].data == NULL)
      sizes[i] = SIZE_MAX;
    else
      sound = copy_view (&session->views[i], buffer + i * capacity, capacity, &sizes[i])
                  == DRIVER_FOUND
              && sound;
  return sound;
}

static bool
lightning_batch_begin (struct driver_session *session)
{
  ldb_batch_clear (session->batch);
  return true;
}

static bool
lightning_batch_put (struct driver_session *session, struct driver_bytes key,
                     struct driver_bytes value)
{
  GError *error = NULL;
  return ldb_batch_put (session->batch, session->store, key.data, key.size, value.data, value.size,
                        &error)
         || failed (error);
}

static bool
lightning_batch_remove (struct driver_session *session, struct driver_bytes key)
{
  GError *error = NULL;
  return ldb_batch_delete (session->batch, session->store, key.data, key.size, &error)
         || failed (error);
}

static bool
lightning_batch_commit (struct driver_session *session)
{
  GError *error = NULL;
  return ldb_database_write_batch (session->database, session->batch, LDB_SYNC_MODE_DEFAULT, NULL,
                                   &error)
         || failed (error);
}

static bool
lightning_read_begin (struct driver_session *session)
{
  GError *error = NULL;
  session->snapshot = ldb_database_create_snapshot (session->database, &error);
  return session->snapshot != NULL || failed (error);
}

static void
lightning_read_end (struct driver_session *session)
{
  ldb_snapshot_close (session->snapshot);
  g_clear_object (&session->snapshot);
}

static bool
lightning_scan_begin (struct driver_session *session, bool reverse)
{
  GError *error = NULL;
  session->sought = FALSE;
  LdbScanFlags flags = reverse ? LDB_SCAN_REVERSE : LDB_SCAN_NONE;
  session->cursor = session->store != NULL
                        ? ldb_store_scan (session->store, NULL, 0, NULL, 0, flags, &error)
                        : ldb_database_scan (session->database, NULL, 0, NULL, 0, flags, &error);
  return session->cursor != NULL || failed (error);
}

static bool
lightning_scan_seek (struct driver_session *session, struct driver_bytes key)
{
  GError *error = NULL;
  ldb_cursor_seek (session->cursor, key.data, key.size, NULL, &error);
  session->sought = TRUE;
  return error == NULL || failed (error);
}

/* What the seek came to. */
static enum driver_answer
sought_record (struct driver_session *session, struct driver_bytes *key, struct driver_bytes *value)
{
  GError *error = NULL;
  if (!ldb_cursor_is_valid (session->cursor))
    return DRIVER_ABSENT;
  session->sought = FALSE;
  key->data = ldb_cursor_peek_key (session->cursor, &key->size);
  value->data = ldb_cursor_peek_value (session->cursor, &value->size, &error);
  if (error == NULL)
    return DRIVER_FOUND;
  failed (error);
  return DRIVER_FAILED;
}

static enum driver_answer
lightning_scan_next (struct driver_session *session, struct driver_bytes *key,
                     struct driver_bytes *value)
{
  GError *error = NULL;
  if (session->sought)
    return sought_record (session, key, value);
  const guint8 *name, *bytes;
  if (!ldb_cursor_peek_next (session->cursor, &name, &key->size, &bytes, &value->size, &error))
    return no_answer (error);
  key->data = name;
  value->data = bytes;
  return DRIVER_FOUND;
}

static void
lightning_scan_end (struct driver_session *session)
{
  ldb_cursor_close (session->cursor);
  g_clear_object (&session->cursor);
}

static bool
lightning_remove_range (struct driver_session *session, struct driver_bytes start,
                        struct driver_bytes end)
{
  GError *error = NULL;
  gboolean done = session->store != NULL
                      ? ldb_store_delete_range (session->store, start.data, start.size, end.data,
                                                end.size, NULL, &error)
                      : ldb_database_delete_range (session->database, start.data, start.size,
                                                   end.data, end.size, NULL, &error);
  return done || failed (error);
}

static bool
lightning_transaction_begin (struct driver_session *session)
{
  GError *error = NULL;
  session->transaction = ldb_database_begin (session->database, LDB_TRANSACTION_NONE, &error);
  return session->transaction != NULL || failed (error);
}

static enum driver_answer
lightning_transaction_get (struct driver_session *session, struct driver_bytes key, void *buffer,
                           size_t capacity, size_t *size)
{
  GError *error = NULL;
  LdbView view = LDB_VIEW_INIT;
  if (!ldb_transaction_peek (session->transaction, session->store, key.data, key.size, &view,
                             &error))
    return no_answer (error);
  return copy_view (&view, buffer, capacity, size);
}

static bool
lightning_transaction_put (struct driver_session *session, struct driver_bytes key,
                           struct driver_bytes value)
{
  GError *error = NULL;
  return ldb_transaction_put (session->transaction, session->store, key.data, key.size, value.data,
                              value.size, &error)
         || failed (error);
}

static bool
lightning_transaction_remove (struct driver_session *session, struct driver_bytes key)
{
  GError *error = NULL;
  return ldb_transaction_delete (session->transaction, session->store, key.data, key.size, &error)
         || failed (error);
}

static bool
lightning_transaction_commit (struct driver_session *session)
{
  GError *error = NULL;
  gboolean committed
      = ldb_transaction_commit (session->transaction, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_clear_object (&session->transaction);
  return committed || failed (error);
}

static bool
lightning_bulk_begin (struct driver_session *session)
{
  GError *error = NULL;
  session->loader = ldb_database_create_loader (session->database, &error);
  return session->loader != NULL || failed (error);
}

static bool
lightning_bulk_put (struct driver_session *session, struct driver_bytes key,
                    struct driver_bytes value)
{
  GError *error = NULL;
  return ldb_loader_put (session->loader, session->store, key.data, key.size, value.data,
                         value.size, &error)
         || failed (error);
}

static bool
lightning_bulk_finish (struct driver_session *session)
{
  GError *error = NULL;
  gboolean committed = ldb_loader_commit (session->loader, NULL, &error);
  g_clear_object (&session->loader);
  return committed || failed (error);
}

static bool
lightning_settle (struct driver_database *database)
{
  GError *error = NULL;
  return ldb_database_wait_settled (database->handle, 600000, NULL, &error) || failed (error);
}

const struct driver benchmark_driver = {
  .name = "lightning",
  .version = lightning_version,
  .settings = lightning_settings,
  .open = lightning_open,
  .close = lightning_close,
  .session_open = lightning_session_open,
  .session_close = lightning_session_close,
  .put = lightning_put,
  .remove = lightning_remove,
  .get = lightning_get,
  .lend = lightning_lend,
  .take_back = lightning_take_back,
  .multi_get = lightning_multi_get,
  .batch_begin = lightning_batch_begin,
  .batch_put = lightning_batch_put,
  .batch_remove = lightning_batch_remove,
  .batch_commit = lightning_batch_commit,
  .read_begin = lightning_read_begin,
  .read_end = lightning_read_end,
  .scan_begin = lightning_scan_begin,
  .scan_seek = lightning_scan_seek,
  .scan_next = lightning_scan_next,
  .scan_end = lightning_scan_end,
  .remove_range = lightning_remove_range,
  .transaction_begin = lightning_transaction_begin,
  .transaction_get = lightning_transaction_get,
  .transaction_put = lightning_transaction_put,
  .transaction_remove = lightning_transaction_remove,
  .transaction_commit = lightning_transaction_commit,
  .bulk_begin = lightning_bulk_begin,
  .bulk_put = lightning_bulk_put,
  .bulk_finish = lightning_bulk_finish,
  .settle = lightning_settle,
};
