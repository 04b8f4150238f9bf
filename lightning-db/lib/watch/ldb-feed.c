/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. While an operation waits for a commit, `busy` is claimed, the awaiter is with the hub or has
 *      just been taken from it, and whoever took it lets the operation go on, once.
 *   2. The engine's feed is touched by the operation that has claimed `busy` only.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-change-set-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-feed-private.h"

#include <pthread.h>

/**
 * LdbFeed:
 *
 * Reads what was committed, commit by commit, from any moment that is still kept: for replication,
 * sync engines and indexes elsewhere.
 *
 * ```c
 * g_autoptr(LdbFeed) feed = ldb_database_create_feed (db, since, NULL, &error);
 * g_autoptr(LdbChangeSet) commit = NULL;
 * while ((commit = ldb_feed_read_commit (feed, NULL, &error)) != NULL)
 *   {
 *     apply (commit);
 *     g_clear_object (&commit);
 *   }
 * remember (ldb_feed_get_position (feed));
 * ```
 *
 * Unlike a [class@Ldb.Watch] it tells each operation: nothing is left out, put together or
 * compared. Whoever applies the changes of each commit in their order has the same records. It
 * reads at its own pace, and costs writers nothing. Changes are kept for as long as the log needs
 * them, and beyond that as [property@Ldb.Options:change-retention] says; when those that come next
 * are gone, it fails with %LDB_ERROR_HISTORY_GONE.
 *
 * A power cut can take back commits that were not %LDB_SYNC_MODE_FULL, and others get their numbers
 * afterwards. Where a position is to outlast that, remember none above
 * [method@Ldb.Database.get_durable_sequence].
 *
 * Threads: one at a time; operations that overlap fail with %LDB_ERROR_PENDING. After
 * [method@Ldb.Feed.close], or when its database handle is closed, which may happen on any
 * thread, every operation fails with %LDB_ERROR_CLOSED, also one that is waiting.
 *
 * Since: 0.1
 */
struct _LdbFeed
{
  GObject parent_instance;

  LdbDatabase *database; /* owned */
  LdbHub *hub;           /* of the engine whose commits it reads, of which the database may have
                          * another one by now; a reference; NULL: it was made by its type alone */
  struct engine_feed
      *feed;            /* owned; NULL once closed, and after a failure in the middle of a commit */
  GHashTable *names;    /* of stores */
  guint64 given;        /* the commit last begun */
  guint64 position;     /* the commit last given whole; atomic */
  gint busy;            /* an operation is under way; see ldb_busy_enter */
  gint closed;          /* boolean; atomic */
  LdbAwaiter awaiter;   /* of the operation that waits */
  LdbCall *waiting;     /* it, if it is asynchronous */
  gulong cancelling;    /* its handler of its cancellable, or 0 */
  pthread_mutex_t lock; /* guards ready */
  pthread_cond_t woken; /* ready was set */
  gboolean ready;       /* a synchronous wait is over */
};

G_DEFINE_FINAL_TYPE (LdbFeed, ldb_feed, G_TYPE_OBJECT)

enum
{
  PROP_DATABASE = 1,
  PROP_POSITION,
  PROP_CLOSED,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static LdbFeed *
feed_of (LdbAwaiter *awaiter)
{
  return (LdbFeed *) ((char *) awaiter - G_STRUCT_OFFSET (LdbFeed, awaiter));
}

/* ---- the object ---- */

static void
ldb_feed_finalize (GObject *object)
{
  LdbFeed *self = LDB_FEED (object);
  /* In the child of a fork locks below may be held by threads that are not there. */
  if (self->database == NULL || self->database->generation == ldb_fork_generation)
    {
      g_clear_pointer (&self->feed, engine_feed_free);
      g_clear_pointer (&self->hub, ldb_hub_unref);
    }
  g_clear_pointer (&self->names, g_hash_table_unref);
  g_clear_object (&self->database);
  pthread_cond_destroy (&self->woken);
  pthread_mutex_destroy (&self->lock);
  G_OBJECT_CLASS (ldb_feed_parent_class)->finalize (object);
}

static void
ldb_feed_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbFeed *self = LDB_FEED (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->database);
      break;
    case PROP_POSITION:
      g_value_set_uint64 (value, ldb_feed_get_position (self));
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, ldb_feed_is_closed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_feed_class_init (LdbFeedClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->finalize = ldb_feed_finalize;
  object_class->get_property = ldb_feed_get_property;

  /**
   * LdbFeed:database:
   *
   * The database whose commits it reads.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE]
      = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE, flags);
  /**
   * LdbFeed:position:
   *
   * The last commit that it gave whole. It does not notify.
   *
   * Since: 0.1
   */
  properties[PROP_POSITION]
      = g_param_spec_uint64 ("position", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbFeed:closed:
   *
   * Whether it is closed. It does not notify.
   *
   * Since: 0.1
   */
  properties[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, TRUE, flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_feed_init (LdbFeed *self)
{
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->woken, NULL);
}

status
ldb_feed_open (struct engine *engine, guint64 since, struct engine_feed **out,
               struct failure *failure)
{
  return engine_feed_new (engine, MIN (since, ENGINE_FEED_NOW - 1), out, failure);
}

static gboolean
run_new (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  LdbDatabase *database = call->place.database;
  struct engine_feed *feed;
  if (!ldb_database_is_usable (database, error))
    return FALSE;
  LdbHub *hub = ldb_share_get_hub (database, error);
  if (hub == NULL)
    return FALSE;
  struct engine *engine = ldb_hub_get_engine (hub);
  status code = ldb_feed_open (engine, call->number, &feed, &failure);
  if (code != STATUS_OK)
    {
      ldb_hub_unref (hub);
      return ldb_error_take_failure (error, code, &failure);
    }
  LdbFeed *self = g_object_new (LDB_TYPE_FEED, NULL);
  self->database = g_object_ref (database);
  self->hub = hub;
  self->feed = feed;
  self->names = ldb_store_names_new ();
  ldb_store_names_find (self->names, engine, ENGINE_STORE_DEFAULT, NULL, NULL);
  self->given = self->position = call->number;
  call->result = self;
  return TRUE;
}

LdbCall *
ldb_feed_new_call (const LdbPlace *place, guint64 since)
{
  LdbCall *call = ldb_call_new (run_new, place);
  call->number = since;
  call->result_free = (GDestroyNotify) g_object_unref;
  return call;
}

/* ---- reading ---- */

static gboolean
check_open (LdbFeed *self, GError **error)
{
  if (!ldb_database_is_usable (self->database, error))
    return FALSE;
  return !g_atomic_int_get (&self->closed)
         || ldb_error_set (error, LDB_ERROR_CLOSED,
                           "The feed is closed; make another one, behind the commit that was read "
                           "last.");
}

/* What came of waiting: whether it is any use to look. */
static gboolean
check_waited (LdbFeed *self, GError **error)
{
  if (!check_open (self, error))
    return FALSE;
  return !self->awaiter.unattended
         || ldb_error_set (error, LDB_ERROR_NO_MEMORY,
                           "No thread could be started that waits for commits of \"%s\"; try again "
                           "later.",
                           self->database->path);
}

/* Keeps what the engine says of the position, for those who ask on other threads. */
static void
note_position (LdbFeed *self)
{
  __atomic_store_n (&self->position, engine_feed_position (self->feed), __ATOMIC_RELAXED);
}

/* FALSE without an error: there is none yet. */
static gboolean
next_commit (LdbFeed *self, GError **error)
{
  struct failure failure = FAILURE_INIT;
  uint64_t sequence;
  status code = engine_feed_next_commit (self->feed, &sequence, &failure);
  note_position (self);
  if (code == STATUS_OK)
    self->given = sequence;
  return code == STATUS_OK
         || (code != STATUS_NOT_FOUND && ldb_error_take_failure (error, code, &failure));
}

/* One that was replaced since may be gone: *value is NULL then. */
static status
get_value (LdbFeed *self, const struct engine_change *change, GBytes **value,
           struct failure *failure)
{
  struct engine_value found;
  *value = NULL;
  if (change->value.data != NULL)
    {
      *value = g_bytes_new (change->value.data, change->value.size);
      return STATUS_OK;
    }
  status code = engine_feed_value (self->feed, &found, failure);
  if (code == STATUS_OK)
    *value = ldb_value_to_bytes (&found);
  return code == STATUS_HISTORY_GONE ? STATUS_OK : code;
}

static LdbChangeKind
kind_of (const struct engine_change *change)
{
  switch (change->kind)
    {
    case ENGINE_CHANGE_PUT:
      return LDB_CHANGE_PUT;
    case ENGINE_CHANGE_DELETE:
      return LDB_CHANGE_DELETE;
    case ENGINE_CHANGE_DELETE_RANGE:
      return LDB_CHANGE_DELETE_RANGE;
    case ENGINE_CHANGE_LOADED:
    default:
      return LDB_CHANGE_RESYNC;
    }
}

/* NULL without an error: there is none. */
static LdbChange *
next_change (LdbFeed *self, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_change change;
  GBytes *value = NULL;
  status code = engine_feed_next_change (self->feed, &change, &failure);
  note_position (self);
  if (code == STATUS_NOT_FOUND)
    return NULL;
  if (code == STATUS_OK && change.kind == ENGINE_CHANGE_PUT)
    code = get_value (self, &change, &value, &failure);
  if (code != STATUS_OK)
    {
      ldb_error_take_failure (error, code, &failure);
      return NULL;
    }
  gboolean is_range
      = change.kind == ENGINE_CHANGE_DELETE_RANGE || change.kind == ENGINE_CHANGE_LOADED;
  LdbChange *made = ldb_change_new (kind_of (&change), change.store, self->given, change.key,
                                    is_range ? change.end : BYTES_NONE);
  made->value = value;
  made->name = ldb_store_name_ref (
      ldb_store_names_find (self->names, ldb_hub_get_engine (self->hub), change.store, NULL, NULL));
  return made;
}

/* The next commit whole; NULL without an error when there is none yet. After a failure the same one
 * is read again. */
static LdbChangeSet *
read_commit (LdbFeed *self, GError **error)
{
  GError *failure = NULL;
  LdbChange *change;
  if (!next_commit (self, error))
    return NULL;
  g_autoptr (GPtrArray) changes
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_change_unref);
  while ((change = next_change (self, &failure)) != NULL)
    g_ptr_array_add (changes, change);
  if (failure == NULL)
    return ldb_change_set_new_for_commit (self->database, self->given, g_steal_pointer (&changes));
  g_clear_pointer (&self->feed, engine_feed_free);
  g_propagate_error (error, failure);
  return NULL;
}

/* Begins again where a failure ended a commit in its middle. */
static gboolean
ensure_feed (LdbFeed *self, GError **error)
{
  struct failure failure = FAILURE_INIT;
  if (self->feed != NULL)
    return TRUE;
  self->given = self->position;
  status code
      = engine_feed_new (ldb_hub_get_engine (self->hub), self->given, &self->feed, &failure);
  if (code == STATUS_OK)
    return TRUE;
  self->feed = NULL;
  return ldb_error_take_failure (error, code, &failure);
}

/* Lets go of what was closed while it was in use. */
static void
leave (LdbFeed *self)
{
  if (g_atomic_int_get (&self->closed))
    g_clear_pointer (&self->feed, engine_feed_free);
  ldb_busy_leave (&self->busy);
}

static gboolean
enter (LdbFeed *self, GCancellable *cancellable, GError **error)
{
  if (!check_open (self, error) || g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_busy_enter (&self->busy, "feed", error))
    return FALSE;
  if (check_open (self, error) && ensure_feed (self, error))
    return TRUE;
  leave (self);
  return FALSE;
}

/**
 * ldb_feed_next_commit:
 * @self: a feed
 * @sequence: (out) (optional): return location for its sequence number
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Goes to the next commit, whose changes [method@Ldb.Feed.next_change] gives; what was not asked
 * for of the one before is passed over. [method@Ldb.Feed.read_commit] has all of it at once.
 *
 * Fails with %LDB_ERROR_HISTORY_GONE when that commit is no longer kept, with %LDB_ERROR_CLOSED,
 * %LDB_ERROR_PENDING, %LDB_ERROR_CORRUPT or %LDB_ERROR_IO. Blocks while the log is read; one thread
 * at a time.
 *
 * Returns: %TRUE if there is one; %FALSE without an error when there is none yet
 *
 * Since: 0.1
 */
gboolean
ldb_feed_next_commit (LdbFeed *self, guint64 *sequence, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_FEED (self), FALSE);
  if (sequence != NULL)
    *sequence = 0;
  if (!enter (self, cancellable, error))
    return FALSE;
  gboolean there = next_commit (self, error);
  if (there && sequence != NULL)
    *sequence = self->given;
  leave (self);
  return there;
}

/**
 * ldb_feed_next_change:
 * @self: a feed
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Gets the next change of the commit. They are to be applied in their order. A put comes with its
 * value; only when that was large, and replaced since, it may be gone: then the value is %NULL, and
 * a later commit puts or deletes the key. What a bulk load brought in comes as a range of the kind
 * %LDB_CHANGE_RESYNC.
 *
 * Fails as [method@Ldb.Feed.next_commit] does. Blocks while a value is read; one thread at a time.
 *
 * Returns: (transfer full) (nullable): the change; %NULL without an error behind the last one
 *
 * Since: 0.1
 */
LdbChange *
ldb_feed_next_change (LdbFeed *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_FEED (self), NULL);
  if (!enter (self, cancellable, error))
    return NULL;
  LdbChange *change = next_change (self, error);
  leave (self);
  return change;
}

/**
 * ldb_feed_read_commit:
 * @self: a feed
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Reads the next commit whole.
 *
 * Fails as [method@Ldb.Feed.next_commit] does. Blocks while the log is read; one thread at a time.
 *
 * Returns: (transfer full) (nullable): its changes, perhaps none; %NULL without an error when there
 *   is no commit yet
 *
 * Since: 0.1
 */
LdbChangeSet *
ldb_feed_read_commit (LdbFeed *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_FEED (self), NULL);
  if (!enter (self, cancellable, error))
    return NULL;
  LdbChangeSet *commit = read_commit (self, error);
  leave (self);
  return commit;
}

/* ---- waiting ---- */

static void
wake_up (LdbAwaiter *awaiter)
{
  LdbFeed *self = feed_of (awaiter);
  pthread_mutex_lock (&self->lock);
  self->ready = TRUE;
  pthread_cond_signal (&self->woken);
  pthread_mutex_unlock (&self->lock);
}

/* Takes the awaiter back and lets its operation go on, which then sees why. */
static void
stop_waiting (LdbFeed *self, guint64 turn)
{
  if (self->hub != NULL && ldb_hub_forsake (self->hub, &self->awaiter, turn))
    self->awaiter.ready (&self->awaiter);
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  stop_waiting (data, 0); /* its operation ends behind this: end_waiting */
}

/* Has `ready` called when there is a commit behind the last one given, or when there is no use in
 * waiting. Whatever happens, it is called once; from then on the operation may be over. */
static void
begin_waiting (LdbFeed *self, GCancellable *cancellable, void (*ready) (LdbAwaiter *))
{
  G_GNUC_UNUSED g_autoptr (LdbFeed) held = g_object_ref (self);
  self->awaiter.sequence = self->given;
  self->awaiter.database = self->database;
  self->awaiter.ready = ready;
  self->awaiter.unattended = FALSE;
  self->cancelling
      = cancellable != NULL
            ? g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL)
            : 0;
  guint64 turn = ldb_hub_await (self->hub, &self->awaiter);
  if (turn == 0)
    ready (&self->awaiter);
  /* What came before the hub had it did not find it there. */
  else if (g_cancellable_is_cancelled (cancellable) || !check_open (self, NULL))
    stop_waiting (self, turn);
}

static void
end_waiting (LdbFeed *self, GCancellable *cancellable)
{
  if (self->cancelling != 0)
    g_cancellable_disconnect (cancellable, self->cancelling);
  self->cancelling = 0;
}

/**
 * ldb_feed_wait:
 * @self: a feed
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Waits until there is a commit behind the last one.
 *
 * Fails with %LDB_ERROR_CLOSED, %LDB_ERROR_PENDING, or %LDB_ERROR_NO_MEMORY when no thread could be
 * started that looks after it. Blocks; one thread at a time.
 *
 * Returns: %TRUE if there is one
 *
 * Since: 0.1
 */
gboolean
ldb_feed_wait (LdbFeed *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_FEED (self), FALSE);
  if (!enter (self, cancellable, error))
    return FALSE;
  self->ready = FALSE;
  begin_waiting (self, cancellable, wake_up);
  pthread_mutex_lock (&self->lock);
  while (!self->ready)
    pthread_cond_wait (&self->woken, &self->lock);
  pthread_mutex_unlock (&self->lock);
  end_waiting (self, cancellable);
  gboolean there
      = check_waited (self, error) && !g_cancellable_set_error_if_cancelled (cancellable, error);
  leave (self);
  return there;
}

static gboolean
run_wait (LdbCall *call, GError **error)
{
  return check_waited (LDB_FEED (call->subject), error);
}

static gboolean
run_read_commit (LdbCall *call, GError **error)
{
  LdbFeed *self = LDB_FEED (call->subject);
  if (!check_waited (self, error) || !ensure_feed (self, error))
    return FALSE;
  call->result = read_commit (self, error);
  return call->result != NULL;
}

static void
go_on (LdbAwaiter *awaiter)
{
  LdbFeed *self = feed_of (awaiter);
  LdbCall *call = g_steal_pointer (&self->waiting);
  ldb_call_go_on (call, call->run == run_wait || awaiter->unattended);
}

/* In the context, before the end is told. */
static void
end_call (LdbCall *call)
{
  LdbFeed *self = LDB_FEED (call->subject);
  end_waiting (self, call->cancellable);
  if (g_atomic_int_get (&self->closed))
    g_clear_pointer (&self->feed, engine_feed_free);
}

static void
start_waiting (LdbFeed *self, LdbCallFunc run, GDestroyNotify result_free, const LdbReply *reply)
{
  GError *error = NULL;
  LdbCall *call = ldb_call_new (run, NULL);
  call->subject = G_OBJECT (g_object_ref (self));
  call->result_free = result_free;
  if (!check_open (self, &error) || !ldb_busy_enter (&self->busy, "feed", &error))
    {
      ldb_call_complete (call, reply, error);
      return;
    }
  call->busy = &self->busy;
  call->returning = end_call;
  ldb_call_hold (call, reply);
  self->waiting = call;
  begin_waiting (self, reply->cancellable, go_on);
}

/**
 * ldb_feed_wait_async:
 * @self: a feed
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when there is a commit behind the last one
 * @user_data: for @callback
 *
 * Waits until there is a commit behind the last one, without blocking.
 *
 * One thread at a time; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_feed_wait_async (LdbFeed *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
  g_return_if_fail (LDB_IS_FEED (self));
  start_waiting (self, run_wait, NULL,
                 LDB_REPLY (self, ldb_feed_wait_async, cancellable, callback, user_data));
}

/**
 * ldb_feed_wait_finish:
 * @self: a feed
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Feed.wait_async].
 *
 * Returns: %TRUE if there is a commit
 *
 * Since: 0.1
 */
gboolean
ldb_feed_wait_finish (LdbFeed *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_feed_wait_async, error);
}

/**
 * ldb_feed_read_commit_async:
 * @self: a feed
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the next commit
 * @user_data: for @callback
 *
 * Reads the next commit whole, and waits for it first when there is none yet.
 *
 * Cancelling loses nothing: the commit is the next one still. One thread at a time; completes in
 * its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_feed_read_commit_async (LdbFeed *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (LDB_IS_FEED (self));
  start_waiting (self, run_read_commit, g_object_unref,
                 LDB_REPLY (self, ldb_feed_read_commit_async, cancellable, callback, user_data));
}

/**
 * ldb_feed_read_commit_finish:
 * @self: a feed
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Feed.read_commit_async].
 *
 * Returns: (transfer full): the commit's changes, perhaps none
 *
 * Since: 0.1
 */
LdbChangeSet *
ldb_feed_read_commit_finish (LdbFeed *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_feed_read_commit_async, error);
}

/* ---- state ---- */

/**
 * ldb_feed_get_database:
 * @self: a feed
 *
 * Gets the database whose commits it reads.
 *
 * Any thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_feed_get_database (LdbFeed *self)
{
  g_return_val_if_fail (LDB_IS_FEED (self), NULL);
  return self->database;
}

/**
 * ldb_feed_get_position:
 * @self: a feed
 *
 * Gets the last commit that it gave whole. A feed that is made behind it later goes on with the
 * next one.
 *
 * Any thread.
 *
 * Returns: the sequence number, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_feed_get_position (LdbFeed *self)
{
  g_return_val_if_fail (LDB_IS_FEED (self), 0);
  return __atomic_load_n (&self->position, __ATOMIC_RELAXED);
}

/**
 * ldb_feed_is_closed:
 * @self: a feed
 *
 * Whether it is closed, or its database handle is.
 *
 * Any thread.
 *
 * Returns: %TRUE if it reads nothing any more
 *
 * Since: 0.1
 */
gboolean
ldb_feed_is_closed (LdbFeed *self)
{
  g_return_val_if_fail (LDB_IS_FEED (self), TRUE);
  return !check_open (self, NULL);
}

/**
 * ldb_feed_close:
 * @self: a feed
 *
 * Ends it, and what waits on it. Closing it again does nothing; the last unref closes it too.
 *
 * Does not block; any thread.
 *
 * Since: 0.1
 */
void
ldb_feed_close (LdbFeed *self)
{
  g_return_if_fail (LDB_IS_FEED (self));
  if (!g_atomic_int_compare_and_exchange (&self->closed, FALSE, TRUE)
      || (self->database != NULL && self->database->generation != ldb_fork_generation))
    return;
  stop_waiting (self, 0);
  if (ldb_busy_enter (&self->busy, "feed", NULL))
    leave (self);
}
