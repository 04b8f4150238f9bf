/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-change-set-private.h"
#include "ldb-database-private.h"
#include "ldb-enum-types.h"
#include "ldb-error-private.h"
#include "ldb-observer-private.h"
#include "ldb-store-private.h"
#include "ldb-watch-private.h"

/**
 * LdbWatch:
 *
 * Tells what is committed to a key, to the keys with a prefix or in a range, or to whole stores.
 *
 * ```c
 * g_autoptr(LdbWatch) watch
 *     = ldb_database_watch_prefix (db, "user:", 5, LDB_WATCH_VALUES, &error);
 * g_signal_connect (watch, "changed", G_CALLBACK (on_changed), NULL);
 * ```
 *
 * A watch begins with the state at which it was made and lasts until it is closed, its last
 * reference is dropped, its database handle is closed, or its store is dropped. [signal@Ldb.Watch::changed] is emitted in
 * the main context that was the thread's default when the watch was made. It says what became of
 * each key since the last emission, with the commits of all threads and handles, none missing and
 * none twice. The first change after a quiet time is told at once, later ones gather for
 * [property@Ldb.Watch:batch-interval]; what a commit did is never told in parts. While a handler
 * runs it is not called again, also when it writes itself or runs the main loop; what happens
 * meanwhile comes in the next emission.
 *
 * A key whose value is the same as at the last emission has not changed, whatever happened in
 * between: see %LDB_WATCH_UNCHANGED.
 *
 * A handler that is slow, or a main loop that does not run, never holds a writer up. What gathers
 * for it is bounded: when more than [property@Ldb.Watch:max-changes] keys changed, the next
 * emission says only that everything has to be read anew ([property@Ldb.ChangeSet:resync]). Without
 * a watch a commit costs nothing more; with any number of them one reading of the changes, on a
 * thread of the library, which is there only while something happens.
 *
 * Connect before the context can turn. In the thread that runs it nothing is emitted before control
 * returns to its loop. Where another thread runs the context that is default here, that one may emit
 * before a handler is connected; make the watch there, or ask for
 * [method@Ldb.Database.get_sequence] before, connect, and call [method@Ldb.Watch.replay] with that.
 *
 * Threads: any number at once; the signal is emitted in the watch's own context only. After
 * [method@Ldb.Watch.close] on the thread of that context nothing is emitted; on another thread, an
 * emission may be under way. When the database handle is closed the watch is closed, without
 * telling what it has not told yet. When its store is dropped it tells what was in it, and is then
 * closed; a watch of all stores goes on. [property@Ldb.Watch:closed] notifies either way.
 *
 * Since: 0.1
 */
struct _LdbWatch
{
  GObject parent_instance;

  LdbDatabase *database; /* owned */
  LdbStore *store;       /* that is watched; owned; NULL: the default one, or all */
  LdbObserver *observer; /* owned; NULL when it was made by its type alone */
  LdbWatchFlags flags;   /* as it was made */
  guint paused;          /* boolean; atomic */
  guint batch_interval;  /* milliseconds; atomic */
  guint max_changes;     /* atomic */
  guint64 sequence;      /* the last commit that was told; atomic */
};

G_DEFINE_FINAL_TYPE (LdbWatch, ldb_watch, G_TYPE_OBJECT)

enum
{
  PROP_DATABASE = 1,
  PROP_STORE,
  PROP_FLAGS,
  PROP_SEQUENCE,
  PROP_BATCH_INTERVAL,
  PROP_MAX_CHANGES,
  PROP_PAUSED,
  PROP_CLOSED,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];
static guint changed_signal;

#define BATCH_INTERVAL_DEFAULT (LDB_FRAME_INTERVAL / 1000)
#define BATCH_INTERVAL_MAX 3600000

/* ---- the object ---- */

static void
ldb_watch_dispose (GObject *object)
{
  ldb_watch_close (LDB_WATCH (object));
  G_OBJECT_CLASS (ldb_watch_parent_class)->dispose (object);
}

static void
ldb_watch_finalize (GObject *object)
{
  LdbWatch *self = LDB_WATCH (object);
  g_clear_pointer (&self->observer, ldb_observer_free);
  g_clear_object (&self->store);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_watch_parent_class)->finalize (object);
}

static void
ldb_watch_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbWatch *self = LDB_WATCH (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->database);
      break;
    case PROP_STORE:
      g_value_set_object (value, self->store);
      break;
    case PROP_FLAGS:
      g_value_set_flags (value, self->flags);
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, ldb_watch_get_sequence (self));
      break;
    case PROP_BATCH_INTERVAL:
      g_value_set_uint (value, ldb_watch_get_batch_interval (self));
      break;
    case PROP_MAX_CHANGES:
      g_value_set_uint (value, ldb_watch_get_max_changes (self));
      break;
    case PROP_PAUSED:
      g_value_set_boolean (value, ldb_watch_get_paused (self));
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, ldb_watch_is_closed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_watch_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LdbWatch *self = LDB_WATCH (object);
  switch (id)
    {
    case PROP_BATCH_INTERVAL:
      ldb_watch_set_batch_interval (self, g_value_get_uint (value));
      break;
    case PROP_MAX_CHANGES:
      ldb_watch_set_max_changes (self, g_value_get_uint (value));
      break;
    case PROP_PAUSED:
      ldb_watch_set_paused (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_state_properties (void)
{
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  /**
   * LdbWatch:database:
   *
   * The database that is watched.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE]
      = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE, flags);
  /**
   * LdbWatch:store:
   *
   * The store that is watched; %NULL for the default one, or all.
   *
   * Since: 0.1
   */
  properties[PROP_STORE] = g_param_spec_object ("store", NULL, NULL, LDB_TYPE_STORE, flags);
  /**
   * LdbWatch:flags:
   *
   * What it tells.
   *
   * Since: 0.1
   */
  properties[PROP_FLAGS]
      = g_param_spec_flags ("flags", NULL, NULL, LDB_TYPE_WATCH_FLAGS, LDB_WATCH_NONE, flags);
  /**
   * LdbWatch:sequence:
   *
   * The last commit of the newest emission; before the first one the commit at which the watch was
   * made. It notifies before [signal@Ldb.Watch::changed].
   *
   * Since: 0.1
   */
  properties[PROP_SEQUENCE]
      = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbWatch:closed:
   *
   * Whether it is closed. It notifies when the database handle was closed or the store was dropped,
   * in the watch's main context.
   *
   * Since: 0.1
   */
  properties[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, TRUE, flags);
}

static void
install_settings (void)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  /**
   * LdbWatch:batch-interval:
   *
   * For how many milliseconds changes gather: the least time between two emissions. With 0 the next
   * emission comes as soon as the last one was handled and the main loop has turned.
   *
   * Since: 0.1
   */
  properties[PROP_BATCH_INTERVAL] = g_param_spec_uint (
      "batch-interval", NULL, NULL, 0, BATCH_INTERVAL_MAX, BATCH_INTERVAL_DEFAULT, flags);
  /**
   * LdbWatch:max-changes:
   *
   * As many keys and ranges may change between two emissions; when there are more, the next
   * emission is a [resync][property@Ldb.ChangeSet:resync].
   *
   * Since: 0.1
   */
  properties[PROP_MAX_CHANGES]
      = g_param_spec_uint ("max-changes", NULL, NULL, 1, G_MAXUINT, LDB_FRAME_CHANGES, flags);
  /**
   * LdbWatch:paused:
   *
   * Whether changes are kept back; see [method@Ldb.Watch.pause].
   *
   * Since: 0.1
   */
  properties[PROP_PAUSED] = g_param_spec_boolean ("paused", NULL, NULL, FALSE, flags);
}

static void
ldb_watch_class_init (LdbWatchClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = ldb_watch_dispose;
  object_class->finalize = ldb_watch_finalize;
  object_class->get_property = ldb_watch_get_property;
  object_class->set_property = ldb_watch_set_property;
  install_state_properties ();
  install_settings ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * LdbWatch::changed:
   * @self: the watch
   * @changes: what changed
   *
   * Something that is watched has changed. The changes are in the order of their newest commits.
   *
   * Since: 0.1
   */
  changed_signal = g_signal_new ("changed", LDB_TYPE_WATCH, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 1, LDB_TYPE_CHANGE_SET);
}

static void
ldb_watch_init (LdbWatch *self)
{
  self->batch_interval = BATCH_INTERVAL_DEFAULT;
  self->max_changes = LDB_FRAME_CHANGES;
}

/* ---- emissions ---- */

/* Of type LdbFrameFunc. State first, signal second. */
static gboolean
handle_frame (gpointer owner, LdbFrame *frame)
{
  LdbWatch *self = owner;
  if (frame == NULL)
    {
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CLOSED]);
      return TRUE;
    }
  if (frame->changes->len == 0) /* nothing was in the store that was dropped */
    return TRUE;
  g_autoptr (LdbChangeSet) changes = ldb_change_set_new_for_frame (self->database, frame);
  __atomic_store_n (&self->sequence, frame->sequence, __ATOMIC_RELAXED);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SEQUENCE]);
  g_signal_emit (self, changed_signal, 0, changes);
  ldb_change_set_let_go (changes);
  return TRUE;
}

/* ---- beginning ---- */

static gboolean
check_flags (LdbWatchFlags flags, GError **error)
{
  const guint known
      = LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES | LDB_WATCH_UNCHANGED | LDB_WATCH_EACH_KEY;
  return ldb_check_flags (flags, known, "LdbWatchFlags", error);
}

static LdbWatch *
watch_new (const LdbPlace *place, LdbStore *store, LdbWatchFlags flags)
{
  LdbWatch *self = g_object_new (LDB_TYPE_WATCH, NULL);
  self->database = place->database != NULL ? g_object_ref (place->database) : NULL;
  self->store = store != NULL ? g_object_ref (store) : NULL;
  self->flags = flags;
  return self;
}

static LdbWatch *
watch_between (const LdbPlace *place, LdbStore *store, gboolean every_store, struct bytes lower,
               struct bytes upper, LdbWatchFlags flags, GError **error)
{
  if (!check_flags (flags, error))
    return NULL;
  g_autoptr (LdbWatch) self = watch_new (place, store, flags);
  self->observer
      = ldb_observer_new (self, place, every_store, lower, upper, flags | LDB_OBSERVE_COMMIT_ORDER,
                          handle_frame, NULL, &self->sequence, error);
  return self->observer != NULL ? g_steal_pointer (&self) : NULL;
}

LdbWatch *
ldb_watch_new_key (const LdbPlace *place, LdbStore *store, gconstpointer key, gsize key_length,
                   LdbWatchFlags flags, GError **error)
{
  struct bytes bytes;
  if (!check_flags (flags, error) || !ldb_check_key (key, key_length, &bytes, error))
    return NULL;
  g_autoptr (LdbWatch) self = watch_new (place, store, flags);
  self->observer = ldb_observer_new_key (self, place, bytes, flags | LDB_OBSERVE_COMMIT_ORDER,
                                         handle_frame, NULL, &self->sequence, error);
  return self->observer != NULL ? g_steal_pointer (&self) : NULL;
}

LdbWatch *
ldb_watch_new_prefix (const LdbPlace *place, LdbStore *store, gconstpointer prefix,
                      gsize prefix_length, LdbWatchFlags flags, GError **error)
{
  struct bytes lower, upper;
  g_autoptr (GBytes) end = NULL;
  if (!ldb_check_prefix (prefix, prefix_length, &lower, &upper, &end, error))
    return NULL;
  return watch_between (place, store, FALSE, lower, upper, flags, error);
}

LdbWatch *
ldb_watch_new_range (const LdbPlace *place, LdbStore *store, gconstpointer start,
                     gsize start_length, gconstpointer end, gsize end_length, LdbWatchFlags flags,
                     GError **error)
{
  struct bytes lower, upper;
  if (!ldb_check_range (start, start_length, end, end_length, &lower, &upper, error))
    return NULL;
  return watch_between (place, store, FALSE, lower, upper, flags, error);
}

LdbWatch *
ldb_watch_new_stores (const LdbPlace *place, LdbWatchFlags flags, GError **error)
{
  return watch_between (place, NULL, TRUE, BYTES_NONE, BYTES_NONE, flags, error);
}

/* ---- state ---- */

/**
 * ldb_watch_get_database:
 * @self: a watch
 *
 * Gets the database that is watched.
 *
 * Any thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_watch_get_database (LdbWatch *self)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), NULL);
  return self->database;
}

/**
 * ldb_watch_get_store:
 * @self: a watch
 *
 * Gets the store that is watched.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the store; %NULL for the default one, or all
 *
 * Since: 0.1
 */
LdbStore *
ldb_watch_get_store (LdbWatch *self)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), NULL);
  return self->store;
}

/**
 * ldb_watch_get_flags:
 * @self: a watch
 *
 * Gets what it tells.
 *
 * Any thread.
 *
 * Returns: the flags it was made with
 *
 * Since: 0.1
 */
LdbWatchFlags
ldb_watch_get_flags (LdbWatch *self)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), LDB_WATCH_NONE);
  return self->flags;
}

/**
 * ldb_watch_get_sequence:
 * @self: a watch
 *
 * Gets the last commit of the newest emission. A program that keeps it can go on there with
 * [method@Ldb.Watch.replay] when it is started again.
 *
 * Any thread.
 *
 * Returns: the sequence number, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_watch_get_sequence (LdbWatch *self)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), 0);
  return __atomic_load_n (&self->sequence, __ATOMIC_RELAXED);
}

/**
 * ldb_watch_is_closed:
 * @self: a watch
 *
 * Whether it is closed: by [method@Ldb.Watch.close], with its database handle, or since its store
 * was dropped.
 *
 * Any thread.
 *
 * Returns: %TRUE if it tells nothing any more
 *
 * Since: 0.1
 */
gboolean
ldb_watch_is_closed (LdbWatch *self)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), TRUE);
  return self->observer == NULL || ldb_observer_is_closed (self->observer);
}

/**
 * ldb_watch_close:
 * @self: a watch
 *
 * Ends it: nothing is emitted any more. On another thread than that of the watch's main context an
 * emission may be under way. Closing it again does nothing; the last unref closes it too.
 *
 * Does not block; any thread.
 *
 * Since: 0.1
 */
void
ldb_watch_close (LdbWatch *self)
{
  g_return_if_fail (LDB_IS_WATCH (self));
  if (self->observer != NULL)
    ldb_observer_close (self->observer);
}

/* ---- settings ---- */

/* Sets one and passes it on to the observer. Another thread may set it meanwhile and pass that on
 * first: what was set last counts. FALSE: it was so already. */
static gboolean
set_setting (LdbWatch *self, guint *setting, guint value,
             void (*pass_on) (LdbObserver *observer, guint value))
{
  guint passed;
  if (__atomic_exchange_n (setting, value, __ATOMIC_RELAXED) == value)
    return FALSE;
  do
    {
      passed = value;
      if (self->observer != NULL)
        pass_on (self->observer, passed);
      value = __atomic_load_n (setting, __ATOMIC_RELAXED);
    }
  while (value != passed);
  return TRUE;
}

static void
pass_interval_on (LdbObserver *observer, guint milliseconds)
{
  ldb_observer_set_interval (observer, (gint64) milliseconds * 1000);
}

static void
pass_pause_on (LdbObserver *observer, guint paused)
{
  ldb_observer_set_paused (observer, paused != 0);
}

/**
 * ldb_watch_get_batch_interval:
 * @self: a watch
 *
 * Gets for how long changes gather.
 *
 * Any thread.
 *
 * Returns: milliseconds
 *
 * Since: 0.1
 */
guint
ldb_watch_get_batch_interval (LdbWatch *self)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), 0);
  return __atomic_load_n (&self->batch_interval, __ATOMIC_RELAXED);
}

/**
 * ldb_watch_set_batch_interval:
 * @self: a watch
 * @milliseconds: 0 to 3,600,000
 *
 * Sets for how long changes gather: see [property@Ldb.Watch:batch-interval].
 *
 * Does not block; any thread.
 *
 * Since: 0.1
 */
void
ldb_watch_set_batch_interval (LdbWatch *self, guint milliseconds)
{
  g_return_if_fail (LDB_IS_WATCH (self));
  milliseconds = MIN (milliseconds, BATCH_INTERVAL_MAX);
  if (set_setting (self, &self->batch_interval, milliseconds, pass_interval_on))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BATCH_INTERVAL]);
}

/**
 * ldb_watch_get_max_changes:
 * @self: a watch
 *
 * Gets how many keys and ranges may change between two emissions.
 *
 * Any thread.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint
ldb_watch_get_max_changes (LdbWatch *self)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), 0);
  return __atomic_load_n (&self->max_changes, __ATOMIC_RELAXED);
}

/**
 * ldb_watch_set_max_changes:
 * @self: a watch
 * @max_changes: from 1; 0 is taken for 1
 *
 * Sets how many keys and ranges may change between two emissions: see
 * [property@Ldb.Watch:max-changes]. Whatever it is, the keys that gather take at most 16 MiB.
 *
 * Does not block; any thread.
 *
 * Since: 0.1
 */
void
ldb_watch_set_max_changes (LdbWatch *self, guint max_changes)
{
  g_return_if_fail (LDB_IS_WATCH (self));
  max_changes = MAX (max_changes, 1);
  if (set_setting (self, &self->max_changes, max_changes, ldb_observer_set_limit))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_CHANGES]);
}

/**
 * ldb_watch_get_paused:
 * @self: a watch
 *
 * Whether it is paused.
 *
 * Any thread.
 *
 * Returns: %TRUE if changes are kept back
 *
 * Since: 0.1
 */
gboolean
ldb_watch_get_paused (LdbWatch *self)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), FALSE);
  return __atomic_load_n (&self->paused, __ATOMIC_RELAXED);
}

/**
 * ldb_watch_set_paused:
 * @self: a watch
 * @paused: whether it is to be paused
 *
 * [Pauses][method@Ldb.Watch.pause] or [resumes][method@Ldb.Watch.resume] it.
 *
 * Does not block; any thread.
 *
 * Since: 0.1
 */
void
ldb_watch_set_paused (LdbWatch *self, gboolean paused)
{
  g_return_if_fail (LDB_IS_WATCH (self));
  if (set_setting (self, &self->paused, paused != FALSE, pass_pause_on))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PAUSED]);
}

/**
 * ldb_watch_pause:
 * @self: a watch
 *
 * Keeps changes back until [method@Ldb.Watch.resume], for example while nobody looks: they gather,
 * and come in one emission then. What a key went through meanwhile does not matter, only what it
 * was and is.
 *
 * On another thread than that of the watch's main context an emission may be under way. Does not
 * block; any thread.
 *
 * Since: 0.1
 */
void
ldb_watch_pause (LdbWatch *self)
{
  ldb_watch_set_paused (self, TRUE);
}

/**
 * ldb_watch_resume:
 * @self: a watch
 *
 * Ends a pause.
 *
 * Does not block; any thread.
 *
 * Since: 0.1
 */
void
ldb_watch_resume (LdbWatch *self)
{
  ldb_watch_set_paused (self, FALSE);
}

/* ---- the past ---- */

static gboolean
run_replay (LdbCall *call, GError **error)
{
  LdbWatch *self = LDB_WATCH (call->subject);
  return ldb_database_is_usable (self->observer != NULL ? self->database : NULL, error)
         && ldb_observer_replay (self->observer, call->number, error);
}

static LdbCall *
replay_call (LdbWatch *self, guint64 since)
{
  LdbCall *call = ldb_call_new (run_replay, NULL);
  call->subject = G_OBJECT (g_object_ref (self));
  call->number = since;
  return call;
}

/**
 * ldb_watch_replay:
 * @self: a watch
 * @since: a commit
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Begins anew behind the commit @since: the next emission tells every key that was touched since,
 * whoever did it, as it is now. So a program can go on where it left off, at the sequence number
 * that it kept.
 *
 * The state as of @since is not there any more, so that emission has no old values, tells a deleted
 * range even if there was nothing in it, and a key even if it is as it was.
 *
 * Fails with %LDB_ERROR_HISTORY_GONE when changes that old are no longer kept: then read
 * everything, and go on from now; [property@Ldb.Options:change-retention] keeps more. Fails with
 * %LDB_ERROR_CLOSED, %LDB_ERROR_UNSUPPORTED or %LDB_ERROR_IO. Blocks while the log is read; any
 * thread.
 *
 * Returns: %TRUE if the changes will come
 *
 * Since: 0.1
 */
gboolean
ldb_watch_replay (LdbWatch *self, guint64 since, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_WATCH (self), FALSE);
  return ldb_call_now (replay_call (self, since), cancellable, error);
}

/**
 * ldb_watch_replay_async:
 * @self: a watch
 * @since: a commit
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Watch.replay], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_watch_replay_async (LdbWatch *self, guint64 since, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_WATCH (self));
  ldb_call_start (replay_call (self, since),
                  LDB_REPLY (self, ldb_watch_replay_async, cancellable, callback, user_data),
                  LDB_WORK_SHORT);
}

/**
 * ldb_watch_replay_finish:
 * @self: a watch
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Watch.replay_async].
 *
 * Returns: %TRUE if the changes will come
 *
 * Since: 0.1
 */
gboolean
ldb_watch_replay_finish (LdbWatch *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish (self, result, ldb_watch_replay_async, error);
}
