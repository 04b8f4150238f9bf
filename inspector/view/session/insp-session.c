/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   N1  The timer runs exactly while the session is LIVE and looks.
 *   N2  States only go on: CONNECTING to LIVE or FAILED, LIVE to ENDED. RECORDED stays.
 *   N3  Where no counters are shared the application is asked, once at a time.
 *   N4  `running` is NULL exactly in a RECORDED session, which has no inspector and no metrics either.
 */
#include "config.h"

#include "insp-session.h"

#define LOOKS_PER_SECOND 4
#define HISTORY_SECONDS 900

struct _InspSession
{
  GObject parent_instance;

  LdbRunningDatabase *running; /* N4; owned */
  char *program;               /* of the database; may be empty */
  char *path;                  /* of the database */
  gint64 recorded;             /* up to when, microseconds since 1970; 0: not RECORDED */
  LdbDatabase *database;       /* NULL: not ours; owned */
  gboolean edits_agreed;       /* by the user */
  guint staged;                /* changes that are not written */
  LdbInspector *inspector;     /* NULL: not connected; owned */
  LdbMetrics *metrics;         /* NULL: the application shares no counters, N3; owned */
  InspHistory *history;        /* owned */
  InspAxis *axis;              /* owned */
  InspRowList *events;         /* of LdbEvent; owned */
  InspRowList *operations;     /* of LdbSlowOperation; owned */
  InspWatchLog *watches;       /* owned */
  GCancellable *cancellable;   /* ends what is under way; owned */
  InspSessionState state;
  char *error;
  gint64 ended; /* monotonic microseconds; 0: not yet */
  gboolean looking;
  gboolean asking; /* N3 */
  guint timer;     /* N1; 0: none */
};

G_DEFINE_FINAL_TYPE (InspSession, insp_session, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_STATE,
  PROP_LOOKING,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

enum
{
  MOVED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- looking ---- */

static void
take (InspSession *self, LdbMetrics *metrics)
{
  gint64 now = g_get_monotonic_time ();
  guint64 end = insp_history_get_end (self->history);
  if (end > insp_history_get_first (self->history)
      && now <= insp_history_get_time (self->history, end - 1))
    return;
  insp_history_look (self->history, metrics, now);
  insp_axis_set_clock (self->axis, g_get_real_time () - now);
  insp_axis_set_now (self->axis, now);
}

static void
on_metrics (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspSession) self = data;
  g_autoptr (LdbMetrics) metrics
      = ldb_inspector_get_metrics_finish (LDB_INSPECTOR (source), result, NULL);
  self->asking = FALSE;
  if (metrics != NULL)
    take (self, metrics);
}

static void
look (InspSession *self)
{
  if (self->metrics != NULL)
    {
      ldb_metrics_refresh (self->metrics);
      take (self, self->metrics);
    }
  else if (self->state == INSP_SESSION_LIVE && !self->asking)
    {
      self->asking = TRUE; /* N3 */
      ldb_inspector_get_metrics_async (self->inspector, self->cancellable, on_metrics,
                                       g_object_ref (self));
    }
}

static gboolean
on_time (gpointer data)
{
  look (data);
  return G_SOURCE_CONTINUE;
}

static void
review_timer (InspSession *self) /* N1 */
{
  gboolean wanted = self->looking && self->state == INSP_SESSION_LIVE;
  if (wanted && self->timer == 0)
    {
      look (self);
      self->timer = g_timeout_add (1000 / LOOKS_PER_SECOND, on_time, self);
    }
  else if (!wanted)
    g_clear_handle_id (&self->timer, g_source_remove);
}

/* ---- the connection ---- */

static void
enter (InspSession *self, InspSessionState state)
{
  if (self->state == state)
    return;
  self->state = state;
  if (state == INSP_SESSION_ENDED)
    {
      look (self); /* the last figures */
      self->ended = g_get_monotonic_time ();
    }
  review_timer (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

static void
on_closed (InspSession *self)
{
  enter (self, INSP_SESSION_ENDED);
}

static void
on_open (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspSession) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbInspector) inspector = ldb_inspector_open_finish (result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (inspector == NULL)
    {
      self->error = g_strdup (error->message);
      enter (self, INSP_SESSION_FAILED);
      return;
    }
  self->inspector = g_steal_pointer (&inspector);
  g_signal_connect_object (self->inspector, "notify::closed", G_CALLBACK (on_closed), self,
                           G_CONNECT_SWAPPED);
  enter (self, ldb_inspector_is_closed (self->inspector) ? INSP_SESSION_ENDED : INSP_SESSION_LIVE);
}

/* ---- the object ---- */

static void
insp_session_get_property (GObject *object, guint property, GValue *value, GParamSpec *spec)
{
  InspSession *self = INSP_SESSION (object);
  if (property == PROP_STATE)
    g_value_set_uint (value, self->state);
  else if (property == PROP_LOOKING)
    g_value_set_boolean (value, self->looking);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
insp_session_set_property (GObject *object, guint property, const GValue *value, GParamSpec *spec)
{
  if (property == PROP_LOOKING)
    insp_session_set_looking (INSP_SESSION (object), g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
insp_session_dispose (GObject *object)
{
  InspSession *self = INSP_SESSION (object);
  insp_session_close (self);
  g_clear_object (&self->metrics);
  G_OBJECT_CLASS (insp_session_parent_class)->dispose (object);
}

static void
insp_session_finalize (GObject *object)
{
  InspSession *self = INSP_SESSION (object);
  g_clear_object (&self->running);
  g_clear_object (&self->database);
  g_clear_object (&self->inspector);
  g_clear_object (&self->history);
  g_clear_object (&self->axis);
  g_clear_object (&self->events);
  g_clear_object (&self->operations);
  g_clear_object (&self->watches);
  g_clear_object (&self->cancellable);
  g_free (self->error);
  g_free (self->program);
  g_free (self->path);
  G_OBJECT_CLASS (insp_session_parent_class)->finalize (object);
}

static void
insp_session_class_init (InspSessionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  object_class->get_property = insp_session_get_property;
  object_class->set_property = insp_session_set_property;
  object_class->dispose = insp_session_dispose;
  object_class->finalize = insp_session_finalize;
  properties[PROP_STATE]
      = g_param_spec_uint ("state", NULL, NULL, 0, INSP_SESSION_RECORDED, INSP_SESSION_CONNECTING,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  properties[PROP_LOOKING]
      = g_param_spec_boolean ("looking", NULL, NULL, FALSE,
                              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  signals[MOVED] = g_signal_new ("moved", INSP_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 1, LDB_TYPE_RUNNING_DATABASE);
}

static void
insp_session_init (InspSession *self)
{
  self->history = insp_history_new (HISTORY_SECONDS * LOOKS_PER_SECOND);
  self->axis = insp_axis_new (HISTORY_SECONDS * G_USEC_PER_SEC);
  self->events = insp_seen_events_new ();
  self->operations = insp_seen_operations_new ();
  self->watches = insp_watch_log_new ();
  self->cancellable = g_cancellable_new ();
}

InspSession *
insp_session_new (LdbRunningDatabase *running)
{
  InspSession *self = g_object_new (INSP_TYPE_SESSION, NULL);
  self->running = g_object_ref (running);
  self->program = g_strdup (ldb_running_database_get_program (running));
  self->path = g_strdup (ldb_running_database_get_path (running));
  self->metrics = ldb_running_database_get_metrics (running, NULL);
  ldb_inspector_open_async (running, self->cancellable, on_open, g_object_ref (self));
  return self;
}

InspSession *
insp_session_new_recorded (const char *program, const char *path, InspHistory *history,
                           gint64 saved)
{
  InspSession *self = g_object_new (INSP_TYPE_SESSION, NULL);
  self->state = INSP_SESSION_RECORDED;
  self->program = g_strdup (program);
  self->path = g_strdup (path);
  self->recorded = saved;
  g_set_object (&self->history, history);
  guint64 end = insp_history_get_end (history);
  if (end == insp_history_get_first (history))
    return self;
  gint64 newest = insp_history_get_time (history, end - 1);
  if (saved != 0)
    insp_axis_set_clock (self->axis, saved - newest);
  insp_axis_set_now (self->axis, newest);
  return self;
}

guint
insp_session_get_staged (InspSession *self)
{
  return self->staged;
}

void
insp_session_set_staged (InspSession *self, guint staged)
{
  self->staged = staged;
}

InspRowList *
insp_session_get_events (InspSession *self)
{
  return self->events;
}

InspRowList *
insp_session_get_operations (InspSession *self)
{
  return self->operations;
}

InspWatchLog *
insp_session_get_watches (InspSession *self)
{
  return self->watches;
}

void
insp_session_close (InspSession *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->timer, g_source_remove);
  if (self->inspector != NULL)
    ldb_inspector_close (self->inspector);
}

LdbRunningDatabase *
insp_session_get_running_database (InspSession *self)
{
  return self->running;
}

LdbInspector *
insp_session_get_inspector (InspSession *self)
{
  return self->inspector;
}

LdbDatabase *
insp_session_get_database (InspSession *self)
{
  return self->database;
}

void
insp_session_set_database (InspSession *self, LdbDatabase *database)
{
  g_set_object (&self->database, database);
}

void
insp_session_move (InspSession *self, LdbRunningDatabase *running)
{
  g_signal_emit (self, signals[MOVED], 0, running);
}

gboolean
insp_session_get_edits_agreed (InspSession *self)
{
  return self->edits_agreed;
}

void
insp_session_set_edits_agreed (InspSession *self, gboolean agreed)
{
  self->edits_agreed = agreed;
}

InspSessionState
insp_session_get_state (InspSession *self)
{
  return self->state;
}

const char *
insp_session_get_error (InspSession *self)
{
  return self->error;
}

gint64
insp_session_get_ended (InspSession *self)
{
  return self->ended;
}

InspHistory *
insp_session_get_history (InspSession *self)
{
  return self->history;
}

InspAxis *
insp_session_get_axis (InspSession *self)
{
  return self->axis;
}

gboolean
insp_session_has_counters (InspSession *self)
{
  return self->metrics != NULL;
}

gboolean
insp_session_get_looking (InspSession *self)
{
  return self->looking;
}

void
insp_session_set_looking (InspSession *self, gboolean looking)
{
  if (self->looking == looking)
    return;
  self->looking = looking;
  review_timer (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LOOKING]);
}

gint64
insp_session_get_recorded (InspSession *self)
{
  return self->recorded;
}

const char *
insp_session_get_program (InspSession *self)
{
  return self->program != NULL ? self->program : "";
}

const char *
insp_session_get_path (InspSession *self)
{
  return self->path;
}

const char *
insp_session_get_title (InspSession *self)
{
  const char *program = insp_session_get_program (self);
  return program[0] != '\0' ? program : self->path;
}
