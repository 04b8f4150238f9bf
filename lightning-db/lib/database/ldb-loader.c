/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-loader-private.h"
#include "ldb-record.h"

/**
 * LdbLoader:
 *
 * Brings a great many records into a database at once, much faster than writing them.
 *
 * The records may come in any order; of equal keys the last one wins, and it replaces what the
 * database held. They go straight to sorted files beside the database and appear in one commit,
 * durable when it returns. Until then nobody sees them, and closing the loader leaves nothing
 * behind.
 *
 * Threads: one thread at a time; a call while an asynchronous one is under way fails with
 * %LDB_ERROR_PENDING. After the commit or [method@Ldb.Loader.close], or when its database handle is
 * closed, calls fail with %LDB_ERROR_CLOSED.
 *
 * Since: 0.1
 */
struct _LdbLoader
{
  GObject parent_instance;

  LdbDatabase *database;        /* owned */
  struct engine_loader *loader; /* NULL once committed or closed */
  guint64 count;                /* records put */
  guint64 commit_sequence;      /* 0 until committed */
  gint busy;                    /* taken while a call is under way; see ldb_busy_enter */
};

G_DEFINE_FINAL_TYPE (LdbLoader, ldb_loader, G_TYPE_OBJECT)

LdbLoader *
ldb_loader_new (LdbDatabase *database, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_loader *loader;
  struct engine *engine = ldb_database_enter_write (database, error);
  if (engine == NULL)
    return NULL;
  status code = engine_loader_new (engine, &loader, &failure);
  if (code != STATUS_OK)
    {
      ldb_error_take_failure (error, code, &failure);
      return NULL;
    }
  LdbLoader *self = g_object_new (LDB_TYPE_LOADER, NULL);
  self->database = g_object_ref (database);
  self->loader = loader;
  return self;
}

static void
ldb_loader_finalize (GObject *object)
{
  LdbLoader *self = LDB_LOADER (object);
  g_clear_pointer (&self->loader, engine_loader_free);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_loader_parent_class)->finalize (object);
}

static void
ldb_loader_class_init (LdbLoaderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ldb_loader_finalize;
}

static void
ldb_loader_init (LdbLoader *self)
{
}

/* With the loader claimed. */
static gboolean
check_open (LdbLoader *self, GError **error)
{
  if (self->loader == NULL)
    return ldb_error_set (error, LDB_ERROR_CLOSED,
                          "The loader is closed or has committed; make a new one.");
  return ldb_database_enter_write (self->database, error) != NULL;
}

/* With the loader claimed. */
static gboolean
put_claimed (LdbLoader *self, engine_store store, gconstpointer key, gsize key_length,
             gconstpointer value, gsize value_length, GError **error)
{
  struct failure failure;
  struct bytes key_bytes, value_bytes;
  if (!ldb_check_key (key, key_length, &key_bytes, error)
      || !ldb_check_value (value, value_length, &value_bytes, error))
    return FALSE;
  failure_reset (&failure);
  status code = engine_loader_put (self->loader, store, key_bytes, value_bytes, &failure);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  self->count++;
  return TRUE;
}

/**
 * ldb_loader_get_database:
 * @self: a loader
 *
 * Gets the database it loads into.
 *
 * Any thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_loader_get_database (LdbLoader *self)
{
  g_return_val_if_fail (LDB_IS_LOADER (self), NULL);
  return self->database;
}

/**
 * ldb_loader_put:
 * @self: a loader
 * @store: (nullable): where to put it; %NULL for the default store
 * @key: (array length=key_length) (element-type guint8): the key; copied
 * @key_length: its bytes, 1 to 65,536
 * @value: (array length=value_length) (element-type guint8): the value; copied
 * @value_length: its bytes, up to 1 GiB
 * @error: return location for an error
 *
 * Adds a record.
 *
 * Fails as [method@Ldb.Database.put] does. Now and then blocks while a file is written; one thread
 * at a time.
 *
 * Returns: %TRUE if it was added
 *
 * Since: 0.1
 */
gboolean
ldb_loader_put (LdbLoader *self, LdbStore *store, gconstpointer key, gsize key_length,
                gconstpointer value, gsize value_length, GError **error)
{
  g_return_val_if_fail (LDB_IS_LOADER (self), FALSE);
  LdbPlace place;
  if (!ldb_place_init (&place, self->database, store, error)
      || !ldb_busy_enter (&self->busy, "loader", error))
    return FALSE;
  gboolean put = check_open (self, error)
                 && put_claimed (self, place.store, key, key_length, value, value_length, error);
  ldb_busy_leave (&self->busy);
  return put;
}

/* With the loader claimed. */
static gboolean
put_many_claimed (LdbLoader *self, engine_store store, LdbRecord *const *records, gsize n_records,
                  GCancellable *cancellable, GError **error)
{
  if (!check_open (self, error))
    return FALSE;
  for (gsize i = 0; i < n_records; i++)
    {
      LdbRecord *record = records[i];
      if (record == NULL)
        return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                              "Record %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
                              " is NULL; leave it out.",
                              i + 1, n_records);
      GBytes *value_bytes = ldb_record_get_value (record);
      gsize key_length;
      gsize value_length = 0;
      gconstpointer key = g_bytes_get_data (ldb_record_get_key (record), &key_length);
      gconstpointer value
          = value_bytes != NULL ? g_bytes_get_data (value_bytes, &value_length) : NULL;
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (!put_claimed (self, store, key, key_length, value, value_length, error))
        {
          g_prefix_error (error, "Record %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ": ", i + 1,
                          n_records);
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * ldb_loader_put_many:
 * @self: a loader
 * @store: (nullable): where to put them; %NULL for the default store
 * @records: (array length=n_records): the records
 * @n_records: how many
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Adds records; [method@Ldb.Loader.get_count] tells how many, also when it stops half-way.
 *
 * Fails as [method@Ldb.Loader.put] does. Blocks while files are written; one thread at a time.
 *
 * Returns: %TRUE if all were added
 *
 * Since: 0.1
 */
gboolean
ldb_loader_put_many (LdbLoader *self, LdbStore *store, LdbRecord *const *records, gsize n_records,
                     GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_LOADER (self), FALSE);
  g_return_val_if_fail (records != NULL || n_records == 0, FALSE);
  LdbPlace place;
  if (!ldb_place_init (&place, self->database, store, error)
      || !ldb_busy_enter (&self->busy, "loader", error))
    return FALSE;
  gboolean put = put_many_claimed (self, place.store, records, n_records, cancellable, error);
  ldb_busy_leave (&self->busy);
  return put;
}

static void
unref_record_or_null (gpointer record)
{
  if (record != NULL)
    ldb_record_unref (record);
}

static gboolean
run_put_many (LdbCall *call, GError **error)
{
  return put_many_claimed (LDB_LOADER (call->subject), call->place.store,
                           (LdbRecord *const *) call->array->pdata, call->array->len,
                           call->cancellable, error);
}

/* Claims the loader and sends `call` (taken over) to a worker. */
static void
start_claimed (LdbLoader *self, LdbCall *call, const LdbReply *reply)
{
  call->subject = G_OBJECT (g_object_ref (self));
  ldb_call_start_alone (call, reply, LDB_WORK_LONG, &self->busy, "loader");
}

/**
 * ldb_loader_put_many_async:
 * @self: a loader
 * @store: (nullable): where to put them; %NULL for the default store
 * @records: (array length=n_records): the records
 * @n_records: how many
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Adds records without blocking: see [method@Ldb.Loader.put_many].
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_loader_put_many_async (LdbLoader *self, LdbStore *store, LdbRecord *const *records,
                           gsize n_records, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (LDB_IS_LOADER (self));
  g_return_if_fail (records != NULL || n_records == 0);
  LdbPlace place;
  const LdbReply *reply
      = LDB_REPLY (self, ldb_loader_put_many_async, cancellable, callback, user_data);
  GError *error = NULL;
  if (!ldb_place_init (&place, self->database, store, &error))
    {
      ldb_reply_error (reply, error);
      return;
    }
  LdbCall *call = ldb_call_new (run_put_many, &place);
  call->array = g_ptr_array_new_full ((guint) MIN (n_records, G_MAXINT), unref_record_or_null);
  for (gsize i = 0; i < n_records; i++)
    g_ptr_array_add (call->array, records[i] != NULL ? ldb_record_ref (records[i]) : NULL);
  start_claimed (self, call, reply);
}

/**
 * ldb_loader_put_many_finish:
 * @self: a loader
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Loader.put_many_async].
 *
 * Returns: %TRUE if all were added
 *
 * Since: 0.1
 */
gboolean
ldb_loader_put_many_finish (LdbLoader *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_loader_put_many_async, error);
}

/* With the loader claimed. */
static gboolean
commit_claimed (LdbLoader *self, GError **error)
{
  struct failure failure = FAILURE_INIT;
  uint64_t sequence = 0;
  if (!check_open (self, error))
    return FALSE;
  status code = engine_loader_commit (self->loader, &sequence, &failure);
  g_clear_pointer (&self->loader, engine_loader_free);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  self->commit_sequence = sequence;
  return TRUE;
}

static gboolean
run_commit (LdbCall *call, GError **error)
{
  return commit_claimed (LDB_LOADER (call->subject), error);
}

/**
 * ldb_loader_commit:
 * @self: a loader
 * @cancellable: (nullable): to give up before it has begun
 * @error: return location for an error
 *
 * Makes all records appear at once, durably, and closes the loader whatever comes of it.
 *
 * Fails as [method@Ldb.Database.put] does. Blocks for as long as it takes to write and sync what is
 * left; one thread at a time.
 *
 * Returns: %TRUE if they are there
 *
 * Since: 0.1
 */
gboolean
ldb_loader_commit (LdbLoader *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_LOADER (self), FALSE);
  if (g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_busy_enter (&self->busy, "loader", error))
    return FALSE;
  gboolean committed = commit_claimed (self, error);
  ldb_busy_leave (&self->busy);
  return committed;
}

/**
 * ldb_loader_commit_async:
 * @self: a loader
 * @cancellable: (nullable): to give up before it has begun
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Makes all records appear at once, without blocking: see [method@Ldb.Loader.commit].
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_loader_commit_async (LdbLoader *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (LDB_IS_LOADER (self));
  LdbPlace place = { .database = self->database };
  start_claimed (self, ldb_call_new (run_commit, &place),
                 LDB_REPLY (self, ldb_loader_commit_async, cancellable, callback, user_data));
}

/**
 * ldb_loader_commit_finish:
 * @self: a loader
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Loader.commit_async].
 *
 * Returns: %TRUE if the records are there
 *
 * Since: 0.1
 */
gboolean
ldb_loader_commit_finish (LdbLoader *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_loader_commit_async, error);
}

/**
 * ldb_loader_get_count:
 * @self: a loader
 *
 * Gets how many records were added.
 *
 * One thread at a time.
 *
 * Returns: the number of records
 *
 * Since: 0.1
 */
guint64
ldb_loader_get_count (LdbLoader *self)
{
  g_return_val_if_fail (LDB_IS_LOADER (self), 0);
  return self->count;
}

/**
 * ldb_loader_get_commit_sequence:
 * @self: a loader
 *
 * Gets the sequence number of its commit.
 *
 * One thread at a time.
 *
 * Returns: the sequence number, below 2^53; 0 before the commit
 *
 * Since: 0.1
 */
guint64
ldb_loader_get_commit_sequence (LdbLoader *self)
{
  g_return_val_if_fail (LDB_IS_LOADER (self), 0);
  return self->commit_sequence;
}

/**
 * ldb_loader_close:
 * @self: a loader
 *
 * Drops what was added, unless it was committed. Closing it again does nothing; the last unref
 * closes it too. While an asynchronous call is under way nothing happens: close it when that has
 * finished.
 *
 * May block while files are removed; one thread at a time.
 *
 * Since: 0.1
 */
void
ldb_loader_close (LdbLoader *self)
{
  g_return_if_fail (LDB_IS_LOADER (self));
  if (!ldb_busy_enter (&self->busy, "loader", NULL))
    return;
  g_clear_pointer (&self->loader, engine_loader_free);
  ldb_busy_leave (&self->busy);
}
