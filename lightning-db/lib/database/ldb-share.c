/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. At most one share per directory and role (writing, following or standing still) is in the
 *      list; its engine is open, or being closed by the thread that took its last handle away.
 *   2. A handle is in its share's list exactly while its `share` field is set, and counted in
 *      `retained` of the one in its `retired` field.
 *   3. Whoever wants a share that is being closed waits until it is gone.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <unistd.h>

#include "ldb-counters-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-event-log-private.h"
#include "ldb-health-private.h"
#include "ldb-hub-private.h"
#include "ldb-inspection-private.h"
#include "ldb-options-private.h"
#include "ldb-waiter-private.h"
#include "ldb-worker-private.h"

struct _LdbShare
{
  struct engine *engine; /* a reference */
  guint64 device;        /* of the directory */
  guint64 inode;         /* of the directory */
  gboolean read_only;    /* the engine is */
  gboolean is_static;    /* the engine does not follow the process that writes */
  gboolean closing;      /* its last handle has left */
  guint retained;        /* handles that read here before they took over */
  LdbOptions *options;   /* in force; owned */
  GPtrArray *handles;    /* open handles, borrowed: dispose takes them off */
  LdbHub *hub;           /* tells observers of commits; a reference; NULL: nobody asked yet */
  LdbEventRelay *relay;  /* tells its handles of events; a reference */
  LdbVitals *vitals;     /* of the engine; a reference */
  LdbCounters *counters; /* lent to the engine for its metrics, or NULL; a reference */
  LdbExport *export;     /* while it is offered to inspectors; a reference */
  LdbDatabase *own;      /* the handle that these work on, which counts for nothing; owned */
};

static pthread_mutex_t lock
    = PTHREAD_MUTEX_INITIALIZER; /* guards shares and every handle's `share` */
static pthread_cond_t share_gone = PTHREAD_COND_INITIALIZER; /* a closing share has left the list */
static GPtrArray *shares;                                    /* all of them */
static int saving_now; /* whether the system saves power; atomic */
static pthread_mutex_t opening_lock
    = PTHREAD_MUTEX_INITIALIZER; /* held while an engine is being opened; taken before lock */
static pthread_mutex_t inspection_lock
    = PTHREAD_MUTEX_INITIALIZER; /* held while what is offered changes; taken before lock */

guint ldb_fork_generation;

/* In the child of a fork: no handle of the parent's counts here, and locks may be held by threads
 * that are gone. The parent's shares are left to themselves; their engines know of the fork. */
static void
start_anew_after_fork (void)
{
  ldb_fork_generation++;
  lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
  share_gone = (pthread_cond_t) PTHREAD_COND_INITIALIZER;
  opening_lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
  inspection_lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
  shares = NULL;
  ldb_waiter_forget ();
  ldb_worker_forget ();
  ldb_outbox_forget ();
  ldb_registry_forget_listeners ();
  ldb_inspection_forget ();
}

static void
ensure_fork_handler (void)
{
  static gsize once;
  if (g_once_init_enter (&once))
    {
      pthread_atfork (ldb_inspection_prepare_fork, ldb_inspection_go_on, start_anew_after_fork);
      g_once_init_leave (&once, 1);
    }
}

static void
share_free (gpointer data)
{
  LdbShare *share = data;
  g_clear_pointer (&share->hub, ldb_hub_unref);
  g_clear_pointer (&share->relay, ldb_event_relay_unref);
  g_clear_pointer (&share->vitals, ldb_vitals_unref);
  engine_unref (share->engine);
  g_clear_pointer (&share->counters, ldb_counters_unref);
  g_clear_object (&share->options);
  g_ptr_array_unref (share->handles);
  g_free (share);
}

/* With the lock held. A writing share also serves reading handles, one that follows also those that
 * need not. */
static LdbShare *
find_share (const char *path, LdbOpenFlags flags)
{
  GStatBuf info;
  LdbShare *best = NULL;
  if (shares == NULL || g_stat (path, &info) != 0)
    return NULL;
  for (guint i = 0; i < shares->len; i++)
    {
      LdbShare *share = g_ptr_array_index (shares, i);
      if (share->device != (guint64) info.st_dev || share->inode != (guint64) info.st_ino)
        continue;
      if (!share->read_only)
        return share;
      gboolean serves = (flags & LDB_OPEN_READ_ONLY) != 0
                        && (!share->is_static || (flags & LDB_OPEN_STATIC) != 0);
      if (serves && (best == NULL || best->is_static))
        best = share;
    }
  return best;
}

/* With the lock held: the same, after any closing one is gone. */
static LdbShare *
wait_for_share (const char *path, LdbOpenFlags flags)
{
  LdbShare *share;
  while ((share = find_share (path, flags)) != NULL && share->closing)
    pthread_cond_wait (&share_gone, &lock);
  return share;
}

static void
format_id (struct engine *engine, char text[33])
{
  uint8_t id[16];
  engine_database_id (engine, id);
  for (guint i = 0; i < G_N_ELEMENTS (id); i++)
    g_snprintf (text + 2 * i, 3, "%02x", id[i]);
}

/* With the lock held. The handle is open from here on; whoever lists it lets it count. */
static void
attach_uncounted (LdbShare *share, LdbDatabase *handle)
{
  handle->share = share;
  handle->engine = engine_ref (share->engine);
  handle->read_only = share->read_only || (handle->flags & LDB_OPEN_READ_ONLY) != 0;
  handle->generation = ldb_fork_generation;
  g_set_object (&handle->options, share->options);
  format_id (share->engine, handle->id);
  g_atomic_int_set (&handle->state, LDB_DATABASE_OPEN);
}

/* With the lock held. The handle's signal tells of events of the share's engine from now on. */
static void
listen_to_events (LdbShare *share, LdbDatabase *handle)
{
  g_clear_pointer (&handle->listener, ldb_event_listener_close);
  handle->listener = ldb_event_listener_new (share->relay, G_OBJECT (handle), handle->context,
                                             ldb_database_emit_event, ldb_database_wants_events);
}

/* With the lock held. */
static void
attach (LdbShare *share, LdbDatabase *handle)
{
  g_ptr_array_add (share->handles, handle);
  attach_uncounted (share, handle);
  listen_to_events (share, handle);
}

/* With the lock held. The handle writes from here on. What was begun on the engine that read goes
 * on there, and so do calls that are under way: the handle keeps it. */
static void
take_over_in (LdbShare *share, LdbDatabase *handle)
{
  LdbShare *before = handle->share;
  if (before != share)
    {
      g_ptr_array_remove_fast (before->handles, handle);
      before->retained++;
      handle->retired = before;
      __atomic_store_n (&handle->retired_engine, handle->engine, __ATOMIC_RELEASE);
      handle->retired_options = handle->options;
      g_ptr_array_add (share->handles, handle);
      handle->share = share;
      listen_to_events (share, handle);
      __atomic_store_n (&handle->options, g_object_ref (share->options), __ATOMIC_RELEASE);
      __atomic_store_n (&handle->engine, engine_ref (share->engine), __ATOMIC_RELEASE);
    }
  g_atomic_int_set (&handle->role_untold, TRUE);
  __atomic_store_n (&handle->read_only, FALSE, __ATOMIC_RELEASE); /* behind the engine */
}

static gboolean
fail_replaced (LdbDatabase *handle, GError **error)
{
  return ldb_error_set (error, LDB_ERROR_NOT_FOUND,
                        "The database \"%s\" that is read is no longer there; another one, or an "
                        "older state of it, is in its place, or nothing. Open that anew.",
                        handle->path);
}

/* With the lock held. Whether an engine that writes is of the directory, and of the database, and
 * not of an older state of it, that the handle reads. */
static gboolean
may_take_over (LdbShare *share, LdbDatabase *handle, GError **error)
{
  char id[33];
  if (handle->share == NULL)
    return ldb_database_refuse (handle, error) != NULL;
  format_id (share->engine, id);
  if (share->device != handle->share->device || share->inode != handle->share->inode
      || !g_str_equal (id, handle->id)
      || engine_sequence (share->engine) < engine_sequence (handle->share->engine))
    return fail_replaced (handle, error);
  return TRUE;
}

/* Takes over where this process writes already: *joined. FALSE when it must not. */
static gboolean
take_over_present (LdbDatabase *handle, gboolean *joined, GError **error)
{
  gboolean may = TRUE;
  pthread_mutex_lock (&lock);
  LdbShare *share = handle->share;
  if (share != NULL && share->read_only)
    share = wait_for_share (handle->location, LDB_OPEN_NONE);
  *joined = share != NULL;
  if (share != NULL)
    may = may_take_over (share, handle, error);
  if (share != NULL && may)
    take_over_in (share, handle);
  pthread_mutex_unlock (&lock);
  return may;
}

/* Joins a share that is there: *joined. FALSE when it is there but cannot be joined. */
/* As it was given, so that errors name it, where that was on this thread just now. Else the process may
 * have gone to another folder since, and may go while it is opened. */
static const char *
path_of (const LdbDatabase *handle)
{
  return handle->later || (handle->flags & LDB_OPEN_WAIT) != 0 ? handle->location : handle->path;
}

static gboolean
join_present (LdbDatabase *handle, gboolean *joined, GError **error)
{
  gboolean agreed = TRUE;
  pthread_mutex_lock (&lock);
  LdbShare *share = wait_for_share (path_of (handle), handle->flags);
  *joined = share != NULL;
  if (share != NULL && (handle->flags & LDB_OPEN_CREATE) && (handle->flags & LDB_OPEN_EXCLUSIVE))
    agreed = ldb_error_set (error, LDB_ERROR_EXISTS,
                            "The database \"%s\" exists and is open; open it instead, or choose "
                            "another path.",
                            handle->path);
  else if (share != NULL && handle->options != NULL)
    agreed = ldb_options_agree (share->options, handle->options, handle->path, error);
  if (share != NULL && agreed)
    attach (share, handle);
  pthread_mutex_unlock (&lock);
  return agreed;
}

/* Memory for the engine's metrics that inspectors can read; NULL: the engine has its own. */
static LdbCounters *
lend_counters (LdbDatabase *handle, struct engine_options *options)
{
  LdbCounters *counters = NULL;
  if (g_atomic_int_get (&handle->inspectable))
    counters = ldb_counters_new (engine_metrics_size ());
  if (counters == NULL)
    return NULL;
  options->metrics_memory = ldb_counters_get_memory (counters);
  options->metrics_memory_size = engine_metrics_size ();
  options->metrics_process = (uint64_t) getpid ();
  options->metrics_release = ldb_counters_unref;
  options->metrics_data = ldb_counters_ref (counters);
  return counters;
}

/* Opens an engine for the handle, to be listed: *locked, when another process writes. NULL: error. The path
 * is the handle's, which its errors name. With opening_lock held. */
static LdbShare *
open_share (LdbDatabase *handle, const char *path, LdbOpenFlags flags, gboolean *locked,
            GError **error)
{
  const LdbOpenFlags here = LDB_OPEN_WAIT; /* not the engine's */
  struct failure failure = FAILURE_INIT;
  struct engine_options engine_options;
  struct engine *engine = NULL;
  g_autoptr (LdbOptions) options
      = handle->options != NULL ? ldb_options_copy (handle->options) : ldb_options_new ();
  if (!ldb_options_to_engine (options, &engine_options, error))
    return NULL;
  g_autoptr (LdbCounters) counters = lend_counters (handle, &engine_options);
  status code = engine_open (path, flags & ~here, &engine_options, &engine, &failure);
  *locked = code == STATUS_LOCKED;
  if (code == STATUS_NOT_FOUND && failure.message[0] == '\0')
    ldb_error_set (error, LDB_ERROR_NOT_FOUND,
                   "There is no database \"%s\"; check the path, or ask for it to be created.",
                   handle->path);
  else if (code != STATUS_OK)
    ldb_error_take_failure (error, code, &failure);
  if (code != STATUS_OK)
    return NULL;

  LdbShare *share = g_new0 (LdbShare, 1);
  GStatBuf info = { 0 };
  g_stat (path, &info);
  share->engine = engine;
  share->device = (guint64) info.st_dev;
  share->inode = (guint64) info.st_ino;
  share->read_only = engine_is_read_only (engine);
  share->is_static = (flags & LDB_OPEN_STATIC) != 0;
  ldb_options_set_number (options, LDB_OPTION_PAGE_SIZE, engine_get_options (engine)->page_size,
                          LDB_OPTION_SOURCE_CODE);
  share->options = g_steal_pointer (&options);
  share->handles = g_ptr_array_new ();
  share->relay = ldb_event_relay_new (engine);
  share->vitals = ldb_vitals_new (engine);
  share->counters = g_steal_pointer (&counters);
  return share;
}

/* With the lock held. */
static void
list_share (LdbShare *share)
{
  if (shares == NULL)
    shares = g_ptr_array_new_with_free_func (share_free);
  g_ptr_array_add (shares, share);
}

/* Once the engine's share is listed, without the lock. Takes over the reference. */
static void
begin_share (struct engine *engine)
{
  engine_set_saving (engine, g_atomic_int_get (&saving_now));
  if (!engine_is_read_only (engine)) /* who waits to write in this process joins it */
    ldb_waiter_rouse_all ();
  engine_unref (engine);
}

static gboolean
open_engine (LdbDatabase *handle, gboolean *locked, GError **error)
{
  LdbShare *share = open_share (handle, path_of (handle), handle->flags, locked, error);
  if (share == NULL)
    return FALSE;
  struct engine *engine = engine_ref (share->engine);
  pthread_mutex_lock (&lock);
  list_share (share);
  attach (share, handle);
  pthread_mutex_unlock (&lock);
  begin_share (engine);
  return TRUE;
}

static gboolean
take_over_opened (LdbDatabase *handle, gboolean *locked, GError **error)
{
  LdbShare *share = open_share (handle, handle->location, LDB_OPEN_NONE, locked, error);
  if (share == NULL)
    return FALSE;
  struct engine *engine = engine_ref (share->engine);
  pthread_mutex_lock (&lock);
  gboolean may = may_take_over (share, handle, error);
  if (may)
    {
      list_share (share);
      take_over_in (share, handle);
    }
  pthread_mutex_unlock (&lock);
  if (may)
    {
      begin_share (engine);
      return TRUE;
    }
  ldb_event_relay_stop (share->relay);
  engine_close (engine, NULL);
  engine_unref (engine);
  share_free (share);
  return FALSE;
}

static gboolean
open_new (LdbDatabase *handle, gboolean *locked, GError **error)
{
  gboolean joined = FALSE;
  /* The same handle may be initialised on two threads at once: its options, too, are the first
   * one's. */
  if (g_atomic_int_get (&handle->state) != LDB_DATABASE_NEW)
    return ldb_database_is_usable (handle, error);
  if (handle->options != NULL && !ldb_options_check (handle->options, error))
    return FALSE;
  return join_present (handle, &joined, error) && (joined || open_engine (handle, locked, error));
}

/* Empties the cache of the engine that the handle read, if nobody else reads it. */
static void
empty_retired_cache (LdbDatabase *handle)
{
  struct engine *engine = NULL;
  pthread_mutex_lock (&lock);
  if (handle->retired != NULL && handle->retired->handles->len == 0)
    engine = engine_ref (handle->retired->engine);
  pthread_mutex_unlock (&lock);
  if (engine != NULL)
    engine_evict_cache (engine, 1);
  engine_unref (engine);
}

static gboolean
take_over (LdbDatabase *handle, gboolean *locked, GError **error)
{
  gboolean joined = FALSE;
  if (!ldb_database_is_usable (handle, error))
    return FALSE;
  if (!ldb_database_is_read_only (handle))
    return TRUE;
  if (!take_over_present (handle, &joined, error)
      || (!joined && !take_over_opened (handle, locked, error)))
    return FALSE;
  empty_retired_cache (handle);
  return TRUE;
}

gboolean
ldb_share_try (LdbDatabase *handle, gboolean takes_over, gboolean *locked, GError **error)
{
  *locked = FALSE;
  ensure_fork_handler ();
  pthread_mutex_lock (&opening_lock);
  gboolean done = takes_over ? take_over (handle, locked, error) : open_new (handle, locked, error);
  pthread_mutex_unlock (&opening_lock);
  return done;
}

gboolean
ldb_share_find_hub (LdbDatabase *handle, LdbHub **hub, const LdbDatabase **own, GError **error)
{
  pthread_mutex_lock (&lock);
  const LdbShare *share = handle->share;
  *own = share != NULL ? share->own : NULL;
  *hub = share != NULL && share->hub != NULL ? ldb_hub_ref (share->hub) : NULL;
  pthread_mutex_unlock (&lock);
  return share != NULL
         || ldb_error_set (error, LDB_ERROR_CLOSED, "The database \"%s\" is closed; open it again.",
                           handle->path);
}

LdbHub *
ldb_share_get_hub (LdbDatabase *handle, GError **error)
{
  LdbHub *hub = NULL;
  pthread_mutex_lock (&lock);
  if (handle->share != NULL && handle->share->hub == NULL)
    handle->share->hub = ldb_hub_new (handle->share->engine);
  if (handle->share != NULL)
    hub = ldb_hub_ref (handle->share->hub);
  pthread_mutex_unlock (&lock);
  if (hub == NULL)
    ldb_error_set (error, LDB_ERROR_CLOSED, "The database \"%s\" is closed; open it again.",
                   handle->path);
  return hub;
}

/* What a share has to give: a reference, unless the handle was closed. */
static gpointer
find_part (LdbDatabase *handle, gpointer (*get) (LdbShare *share), GError **error)
{
  pthread_mutex_lock (&lock);
  gpointer part = handle->share != NULL ? get (handle->share) : NULL;
  pthread_mutex_unlock (&lock);
  if (part == NULL)
    ldb_error_set (error, LDB_ERROR_CLOSED, "The database \"%s\" is closed; open it again.",
                   handle->path);
  return part;
}

static gpointer
get_vitals (LdbShare *share)
{
  return ldb_vitals_ref (share->vitals);
}

LdbVitals *
ldb_share_get_vitals (LdbDatabase *handle, GError **error)
{
  return find_part (handle, get_vitals, error);
}

static gpointer
get_relay (LdbShare *share)
{
  return ldb_event_relay_ref (share->relay);
}

LdbEventRelay *
ldb_share_get_relay (LdbDatabase *handle, GError **error)
{
  return find_part (handle, get_relay, error);
}

/* ---- inspection ---- */

/* With the lock held. A handle that is attached to the share, in nobody's list. */
static LdbDatabase *
make_own_handle (LdbShare *share, const char *path)
{
  LdbDatabase *own = g_object_new (LDB_TYPE_DATABASE, "path", path, NULL);
  attach_uncounted (share, own);
  return own;
}

/* With the lock held: what the share's handles want. */
static void
collect_wishes (LdbShare *share, gboolean *inspectable, gboolean *control_allowed)
{
  *inspectable = *control_allowed = FALSE;
  for (guint i = 0; i < share->handles->len; i++)
    {
      LdbDatabase *handle = g_ptr_array_index (share->handles, i);
      if (!g_atomic_int_get (&handle->inspectable))
        continue;
      *inspectable = TRUE;
      *control_allowed = *control_allowed || g_atomic_int_get (&handle->control_allowed);
    }
}

/* What of a share's offer is to go, once the lock is not held. */
typedef struct
{
  LdbExport *export; /* owned, or NULL */
  LdbDatabase *own;  /* owned, or NULL */
  LdbHub *hub;       /* that its observers are at; owned, or NULL */
} LdbOffer;

/* With the lock held. The own handle is closed from here on. */
static LdbOffer
take_offer (LdbShare *share)
{
  LdbOffer offer = { g_steal_pointer (&share->export), g_steal_pointer (&share->own), NULL };
  if (offer.own != NULL)
    {
      g_atomic_int_set (&offer.own->state, LDB_DATABASE_CLOSED);
      offer.own->share = NULL;
      offer.hub = share->hub != NULL ? ldb_hub_ref (share->hub) : NULL;
    }
  return offer;
}

/* With both locks held: what no handle wants any longer, to be ended. */
static LdbOffer
adjust_offer (LdbShare *share)
{
  gboolean wanted, control;
  collect_wishes (share, &wanted, &control);
  if (!wanted)
    return take_offer (share);
  if (share->export != NULL)
    ldb_inspection_allow_control (share->export, control);
  return (LdbOffer){ NULL };
}

static void
end_offer (LdbOffer *offer)
{
  if (offer->hub != NULL)
    ldb_hub_end_handle (offer->hub, offer->own);
  g_clear_pointer (&offer->hub, ldb_hub_unref);
  g_clear_pointer (&offer->export, ldb_inspection_withdraw);
  g_clear_object (&offer->own);
}

/* With inspection_lock held, so that the share stays: offers it. */
static gboolean
begin_offer (LdbShare *share, const char *path, GError **error)
{
  pthread_mutex_lock (&lock);
  LdbDatabase *own = make_own_handle (share, path);
  pthread_mutex_unlock (&lock);
  LdbExport *export = ldb_inspection_offer (own, path, share->counters, error);
  pthread_mutex_lock (&lock);
  share->export = export;
  share->own = own;
  LdbOffer ended = export != NULL ? adjust_offer (share) : take_offer (share);
  pthread_mutex_unlock (&lock);
  end_offer (&ended);
  return export != NULL;
}

gboolean
ldb_share_set_inspection (LdbDatabase *handle, gboolean inspectable, gboolean control_allowed,
                          GError **error)
{
  LdbOffer ended = { NULL };
  pthread_mutex_lock (&inspection_lock);
  pthread_mutex_lock (&lock);
  LdbShare *share = handle->share;
  g_atomic_int_set (&handle->inspectable, inspectable);
  g_atomic_int_set (&handle->control_allowed, control_allowed);
  if (share != NULL)
    ended = adjust_offer (share);
  gboolean begin = share != NULL && inspectable && share->export == NULL;
  pthread_mutex_unlock (&lock);
  gboolean done = !begin || begin_offer (share, handle->location, error);
  end_offer (&ended);
  pthread_mutex_unlock (&inspection_lock);
  return done;
}

gboolean
ldb_share_move_inspection (LdbDatabase *handle, GError **error)
{
  LdbOffer ended = { NULL };
  pthread_mutex_lock (&inspection_lock);
  pthread_mutex_lock (&lock);
  if (handle->retired != NULL)
    ended = adjust_offer (handle->retired);
  pthread_mutex_unlock (&lock);
  end_offer (&ended);
  pthread_mutex_unlock (&inspection_lock);
  return !ldb_database_get_inspectable (handle)
         || ldb_share_set_inspection (handle, TRUE, ldb_database_get_control_allowed (handle),
                                      error);
}

/* ---- leaving ---- */

/* A share that a handle has left; what is to be done without the lock. */
typedef struct
{
  LdbShare *share;      /* NULL: none */
  LdbHub *hub;          /* where observers of the handle may be; owned, or NULL */
  LdbOffer offer;       /* what nobody wants any longer */
  gboolean last;        /* the handle was */
  LdbEventRelay *relay; /* whose events are to be logged; a reference, or NULL */
} LdbDeparture;

/* With both locks held. `share` may be NULL. */
static LdbDeparture
depart (LdbShare *share, LdbDatabase *handle)
{
  if (share == NULL)
    return (LdbDeparture){ NULL };
  if (!g_ptr_array_remove_fast (share->handles, handle))
    share->retained--;
  LdbDeparture left = { share, NULL, adjust_offer (share), FALSE };
  left.last = share->handles->len == 0 && share->retained == 0;
  share->closing = left.last;
  if (share->hub != NULL)
    left.hub = ldb_hub_ref (share->hub);
  if (handle->listener != NULL) /* not one of the library's own */
    left.relay = ldb_event_relay_ref (share->relay);
  return left;
}

/* Closes the engine of a share whose last handle has left. */
static gboolean
close_share (LdbShare *share, GError **error)
{
  struct failure failure = FAILURE_INIT;
  ldb_event_relay_stop (share->relay);
  status code = engine_close (share->engine, &failure);
  pthread_mutex_lock (&lock);
  g_ptr_array_remove_fast (shares, share);
  pthread_cond_broadcast (&share_gone);
  pthread_mutex_unlock (&lock);
  return ldb_error_check (error, code, &failure);
}

static gboolean
complete_departure (LdbDeparture *left, LdbDatabase *handle, GError **error)
{
  if (left->hub != NULL)
    ldb_hub_end_handle (left->hub, handle);
  if (left->hub != NULL && left->last)
    ldb_hub_stop (left->hub);
  g_clear_pointer (&left->hub, ldb_hub_unref);
  gboolean closed = !left->last || close_share (left->share, error);
  if (left->relay != NULL)
    ldb_event_log_write (left->relay, handle);
  g_clear_pointer (&left->relay, ldb_event_relay_unref);
  return closed;
}

gboolean
ldb_share_leave (LdbDatabase *handle, GError **error)
{
  if (handle->generation != ldb_fork_generation)
    return TRUE;
  pthread_mutex_lock (&inspection_lock);
  pthread_mutex_lock (&lock);
  LdbDeparture read = depart (g_steal_pointer (&handle->retired), handle);
  LdbDeparture left = depart (g_steal_pointer (&handle->share), handle);
  LdbEventListener *listener = g_steal_pointer (&handle->listener);
  pthread_mutex_unlock (&lock);
  g_clear_pointer (&listener, ldb_event_listener_close);
  end_offer (&read.offer);
  end_offer (&left.offer);
  pthread_mutex_unlock (&inspection_lock);
  complete_departure (&read, handle, NULL);
  return complete_departure (&left, handle, error);
}

GPtrArray *
ldb_share_list_handles (void)
{
  GPtrArray *handles = g_ptr_array_new_with_free_func (g_object_unref);
  pthread_mutex_lock (&lock);
  for (guint i = 0; shares != NULL && i < shares->len; i++)
    {
      LdbShare *share = g_ptr_array_index (shares, i);
      for (guint k = 0; k < share->handles->len; k++)
        {
          LdbDatabase *listed = g_ptr_array_index (share->handles, k);
          /* One that is losing its last reference right now is not brought back. */
          LdbDatabase *handle = g_weak_ref_get (&listed->weak);
          if (handle != NULL)
            g_ptr_array_add (handles, handle);
        }
    }
  pthread_mutex_unlock (&lock);
  return handles;
}

gboolean
ldb_share_is_open (const char *path)
{
  pthread_mutex_lock (&lock);
  gboolean open = find_share (path, LDB_OPEN_READ_ONLY | LDB_OPEN_STATIC) != NULL;
  pthread_mutex_unlock (&lock);
  return open;
}

/* All open engines, referenced, so that the lock need not be held while they work. */
static GPtrArray *
list_engines (void)
{
  GPtrArray *engines = g_ptr_array_new_with_free_func ((GDestroyNotify) engine_unref);
  pthread_mutex_lock (&lock);
  for (guint i = 0; shares != NULL && i < shares->len; i++)
    {
      LdbShare *share = g_ptr_array_index (shares, i);
      g_ptr_array_add (engines, engine_ref (share->engine));
    }
  pthread_mutex_unlock (&lock);
  return engines;
}

void
ldb_share_set_saving_all (gboolean saving)
{
  g_atomic_int_set (&saving_now, saving);
  g_autoptr (GPtrArray) engines = list_engines ();
  for (guint i = 0; i < engines->len; i++)
    engine_set_saving (g_ptr_array_index (engines, i), saving);
}

void
ldb_share_evict_all (double fraction)
{
  g_autoptr (GPtrArray) engines = list_engines ();
  for (guint i = 0; i < engines->len; i++)
    engine_evict_cache (g_ptr_array_index (engines, i), fraction);
}
