/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-error.h"
#include "ldb-event-relay-private.h"
#include "ldb-health-private.h"
#include "ldb-health-watch.h"

/**
 * LdbHealthWatch:
 *
 * Examines a database again and again, and tells of its events.
 *
 * While it is open it has the health examined: at once, every `interval`, and when an event suggests
 * that it changed (a failure, damage, a stall, a transaction that timed out), a second after it at
 * the latest. [property@Ldb.HealthWatch:health] notifies when the verdict is another one.
 *
 * Its signals are emitted in the main context that was the thread's default when it was made, and
 * examining happens on a thread of the library. It does not keep the database open.
 *
 * An examination can fail, as when the system gives no thread for it. Then [property@Ldb.HealthWatch:error]
 * says so, the last verdict stays, and it is tried again: after a second, and each time after twice as
 * long, up to about a minute, until it works.
 *
 * After [method@Ldb.Database.take_over] it still tells of the engine that only read; make another one.
 *
 * Threads: the one in whose context it was made. [method@Ldb.HealthWatch.close] ends it, and so does
 * closing the database.
 *
 * Since: 0.1
 */
struct _LdbHealthWatch
{
  GObject parent_instance;

  GWeakRef database;          /* what it watches */
  LdbEventListener *listener; /* NULL once closed */
  GMainContext *context;      /* where signals go; a reference */
  GSource *timer;             /* the next examination; owned, or NULL */
  gint64 due;                 /* when that is, monotonic */
  guint interval;             /* milliseconds; 0: only on events */
  gboolean examining;         /* one is under way */
  gboolean again;             /* an event came meanwhile */
  gboolean only_events;       /* nothing is examined */
  LdbHealth *health;          /* the last verdict; a reference, or NULL */
  GError *error;              /* why the last examination failed; owned; NULL: it did not */
  guint failures;             /* examinations that failed one after another */
};

G_DEFINE_FINAL_TYPE (LdbHealthWatch, ldb_health_watch, G_TYPE_OBJECT)

#define SOON 1000u   /* milliseconds from an event to the examination, so that a burst is one */
#define DOUBLINGS 6u /* of SOON at most, from one examination that fails to the next */

enum
{
  PROP_HEALTH = 1,
  PROP_ERROR,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

enum
{
  SIGNAL_EVENT,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static void examine (LdbHealthWatch *self);

/* ---- when ---- */

static void
drop_timer (LdbHealthWatch *self)
{
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static gboolean
on_time (gpointer data)
{
  LdbHealthWatch *self = data;
  drop_timer (self);
  examine (self);
  return G_SOURCE_REMOVE;
}

/* The timer goes with the watch, whose thread is the only one that lets go of it. */
static void
examine_within (LdbHealthWatch *self, guint milliseconds)
{
  gint64 due = g_get_monotonic_time () + (gint64) milliseconds * 1000;
  if (self->timer != NULL && self->due <= due)
    return;
  drop_timer (self);
  self->due = due;
  self->timer = g_timeout_source_new (milliseconds);
  g_source_set_static_name (self->timer, "[lightning-db] health");
  g_source_set_callback (self->timer, on_time, self, NULL);
  g_source_attach (self->timer, self->context);
}

/* ---- examining ---- */

static void
take_health (LdbHealthWatch *self, LdbHealth *health)
{
  gboolean changed = self->health == NULL || !ldb_health_agrees (self->health, health);
  g_clear_pointer (&self->health, ldb_health_unref);
  self->health = ldb_health_ref (health);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_HEALTH]);
}

/* Told when it begins to fail, and when it works again. */
static void
take_error (LdbHealthWatch *self, const GError *error)
{
  gboolean changed = (self->error != NULL) != (error != NULL);
  g_clear_error (&self->error);
  self->error = error != NULL ? g_error_copy (error) : NULL;
  self->failures = error != NULL ? self->failures + 1 : 0;
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
}

static void
plan_next (LdbHealthWatch *self)
{
  if (self->failures > 0)
    examine_within (self, MAX (self->interval, SOON << MIN (self->failures - 1, DOUBLINGS)));
  else if (self->again)
    examine_within (self, SOON);
  else if (self->interval > 0)
    examine_within (self, self->interval);
  self->again = FALSE;
}

static void
examined (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (LdbHealthWatch) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbHealth) health
      = ldb_database_examine_health_finish (LDB_DATABASE (source), result, &error);
  self->examining = FALSE;
  if (self->listener == NULL || g_error_matches (error, LDB_ERROR, LDB_ERROR_CLOSED)
      || g_error_matches (error, LDB_ERROR, LDB_ERROR_FORKED))
    return; /* closed: nothing more */
  take_error (self, error);
  if (health != NULL && self->listener != NULL)
    take_health (self, health);
  if (self->listener != NULL)
    plan_next (self);
}

static void
examine (LdbHealthWatch *self)
{
  g_autoptr (LdbDatabase) database
      = self->listener != NULL ? g_weak_ref_get (&self->database) : NULL;
  if (database == NULL)
    return;
  self->examining = TRUE;
  g_main_context_push_thread_default (self->context);
  ldb_database_examine_health_async (database, NULL, examined, g_object_ref (self));
  g_main_context_pop_thread_default (self->context);
}

static gboolean
bears_on_health (LdbEventKind kind)
{
  return kind == LDB_EVENT_FAILED || kind == LDB_EVENT_CORRUPT || kind == LDB_EVENT_HEALED
         || kind == LDB_EVENT_STALLED || kind == LDB_EVENT_TIMED_OUT || kind == LDB_EVENT_CONFLICT;
}

static void
handle_event (gpointer owner, LdbEvent *event)
{
  LdbHealthWatch *self = owner;
  g_autoptr (LdbDatabase) database = g_weak_ref_get (&self->database);
  if (database == NULL || !ldb_database_is_open (database)) /* another handle goes on */
    {
      ldb_health_watch_close (self);
      return;
    }
  gboolean look = bears_on_health (event->kind) && !self->only_events;
  if (look && self->examining)
    self->again = TRUE;
  else if (look)
    examine_within (self, SOON);
  g_signal_emit (self, signals[SIGNAL_EVENT], 0, event);
}

/* ---- the object ---- */

/**
 * ldb_health_watch_close:
 * @self: a health watch
 *
 * Ends it: nothing is examined or told any more. Closing it again does nothing.
 *
 * In the thread of its context.
 *
 * Since: 0.1
 */
void
ldb_health_watch_close (LdbHealthWatch *self)
{
  g_return_if_fail (LDB_IS_HEALTH_WATCH (self));
  drop_timer (self);
  g_clear_pointer (&self->listener, ldb_event_listener_close);
}

static void
ldb_health_watch_dispose (GObject *object)
{
  ldb_health_watch_close (LDB_HEALTH_WATCH (object));
  G_OBJECT_CLASS (ldb_health_watch_parent_class)->dispose (object);
}

static void
ldb_health_watch_finalize (GObject *object)
{
  LdbHealthWatch *self = LDB_HEALTH_WATCH (object);
  g_clear_pointer (&self->health, ldb_health_unref);
  g_clear_error (&self->error);
  g_weak_ref_clear (&self->database);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (ldb_health_watch_parent_class)->finalize (object);
}

static void
ldb_health_watch_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_HEALTH)
    g_value_take_boxed (value, ldb_health_watch_get_health (LDB_HEALTH_WATCH (object)));
  else if (id == PROP_ERROR)
    g_value_set_boxed (value, ldb_health_watch_get_error (LDB_HEALTH_WATCH (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ldb_health_watch_class_init (LdbHealthWatchClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = ldb_health_watch_dispose;
  object_class->finalize = ldb_health_watch_finalize;
  object_class->get_property = ldb_health_watch_get_property;

  /**
   * LdbHealthWatch:health: (getter get_health)
   *
   * The last verdict; %NULL until there is one.
   *
   * Since: 0.1
   */
  properties[PROP_HEALTH]
      = g_param_spec_boxed ("health", NULL, NULL, LDB_TYPE_HEALTH,
                            G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * LdbHealthWatch:error: (getter get_error)
   *
   * Why the last examination failed; %NULL if it did not. Notifies when examinations begin to fail,
   * and when they work again.
   *
   * Since: 0.1
   */
  properties[PROP_ERROR]
      = g_param_spec_boxed ("error", NULL, NULL, G_TYPE_ERROR,
                            G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * LdbHealthWatch::event:
   * @self: the watch
   * @event: what happened
   *
   * Something happened to the database: as [signal@Ldb.Database::event], in the watch's context.
   *
   * Since: 0.1
   */
  signals[SIGNAL_EVENT]
      = g_signal_new ("event", LDB_TYPE_HEALTH_WATCH, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                      G_TYPE_NONE, 1, LDB_TYPE_EVENT | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
ldb_health_watch_init (LdbHealthWatch *self)
{
  self->context = g_main_context_ref_thread_default ();
  g_weak_ref_init (&self->database, NULL);
}

LdbHealthWatch *
ldb_health_watch_new_of_events (LdbDatabase *database, GError **error)
{
  if (!ldb_database_is_usable (database, error))
    return NULL;
  LdbEventRelay *relay = ldb_share_get_relay (database, error);
  if (relay == NULL)
    return NULL;
  LdbHealthWatch *watch = g_object_new (LDB_TYPE_HEALTH_WATCH, NULL);
  g_weak_ref_set (&watch->database, database);
  watch->only_events = TRUE;
  watch->listener
      = ldb_event_listener_new (relay, G_OBJECT (watch), watch->context, handle_event, NULL);
  ldb_event_relay_unref (relay);
  return watch;
}

/**
 * ldb_database_watch_health:
 * @self: a database
 * @interval: milliseconds from one examination to the next; 0: only at once, and on events
 * @error: return location for an error
 *
 * Watches the database's health: see [class@Ldb.HealthWatch].
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: (transfer full): the watch, or %NULL
 *
 * Since: 0.1
 */
LdbHealthWatch *
ldb_database_watch_health (LdbDatabase *self, guint interval, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  LdbHealthWatch *watch = ldb_health_watch_new_of_events (self, error);
  if (watch == NULL)
    return NULL;
  watch->only_events = FALSE;
  watch->interval = interval;
  examine_within (watch, 0);
  return watch;
}

/**
 * ldb_health_watch_get_health:
 * @self: a health watch
 *
 * Gets [property@Ldb.HealthWatch:health].
 *
 * In the thread of its context.
 *
 * Returns: (transfer full) (nullable): the last verdict, or %NULL
 *
 * Since: 0.1
 */
LdbHealth *
ldb_health_watch_get_health (LdbHealthWatch *self)
{
  g_return_val_if_fail (LDB_IS_HEALTH_WATCH (self), NULL);
  return self->health != NULL ? ldb_health_ref (self->health) : NULL;
}

/**
 * ldb_health_watch_get_error:
 * @self: a health watch
 *
 * Gets [property@Ldb.HealthWatch:error].
 *
 * In the thread of its context.
 *
 * Returns: (transfer none) (nullable): why the last examination failed; %NULL if it did not
 *
 * Since: 0.1
 */
const GError *
ldb_health_watch_get_error (LdbHealthWatch *self)
{
  g_return_val_if_fail (LDB_IS_HEALTH_WATCH (self), NULL);
  return self->error;
}

/**
 * ldb_health_watch_replay:
 * @self: a health watch
 * @after: the number of the last event that is known, or 0
 *
 * Has those events told that were before the watch was made, as far as they are kept, with numbers
 * above @after.
 *
 * In the thread of its context.
 *
 * Since: 0.1
 */
void
ldb_health_watch_replay (LdbHealthWatch *self, guint64 after)
{
  g_return_if_fail (LDB_IS_HEALTH_WATCH (self));
  if (self->listener != NULL)
    ldb_event_listener_go_back (self->listener, after);
}
