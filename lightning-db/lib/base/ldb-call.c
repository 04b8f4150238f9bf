/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. A caller's function, or the release of its data, runs in the context it started in.
 *   2. A call holds its task from the start until it has returned, and the task owns the call.
 */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-worker-private.h"

static gboolean
fail_busy (const char *what, GError **error)
{
  return ldb_error_set (error, LDB_ERROR_PENDING,
                        "Another operation on this %s has not finished; wait for it, or use "
                        "another %s.",
                        what, what);
}

gboolean
ldb_busy_enter (gint *busy, const char *what, GError **error)
{
  return g_atomic_int_compare_and_exchange (busy, 0, 1) || fail_busy (what, error);
}

gboolean
ldb_busy_check (const gint *busy, const char *what, GError **error)
{
  return G_LIKELY (g_atomic_int_get (busy) == 0) || fail_busy (what, error);
}

void
ldb_busy_leave (gint *busy)
{
  g_atomic_int_set (busy, 0);
}

/* ---- progress ---- */

static gboolean
deliver_progress (gpointer data)
{
  LdbProgress *progress = data;
  pthread_mutex_lock (&progress->lock);
  guint64 done = progress->done;
  guint64 total = progress->total;
  g_autofree char *step = g_steal_pointer (&progress->step);
  g_clear_pointer (&progress->source, g_source_unref);
  pthread_mutex_unlock (&progress->lock);
  progress->func (done, total, step != NULL ? step : "", progress->data);
  return G_SOURCE_REMOVE;
}

/* Keeps the newest report and has it delivered, unless a delivery is on its way already. */
static void
queue_progress (LdbProgress *progress, guint64 done, guint64 total, const char *step)
{
  pthread_mutex_lock (&progress->lock);
  progress->done = done;
  progress->total = total;
  g_free (progress->step);
  progress->step = g_strdup (step);
  if (progress->source == NULL)
    {
      progress->source = g_idle_source_new ();
      g_source_set_priority (progress->source, G_PRIORITY_DEFAULT);
      g_source_set_static_name (progress->source, "[lightning-db] progress");
      g_source_set_callback (progress->source, deliver_progress, progress, NULL);
      g_source_attach (progress->source, progress->context);
    }
  pthread_mutex_unlock (&progress->lock);
}

/* The progress whose function runs on this thread right now, within a synchronous operation. */
static _Thread_local const LdbProgress *reporting;

gboolean
ldb_call_is_within (LdbDatabase *database)
{
  for (const LdbProgress *progress = reporting; progress != NULL; progress = progress->outer)
    if (progress->database == database)
      return TRUE;
  return FALSE;
}

static void
report_now (LdbProgress *progress, guint64 done, guint64 total, const char *step)
{
  progress->outer = reporting;
  reporting = progress;
  progress->func (done, total, step, progress->data);
  reporting = progress->outer;
}

bool
ldb_progress_report (void *data, uint64_t done, uint64_t total, const char *step)
{
  LdbProgress *progress = data;
  if (progress->func != NULL && progress->context == NULL)
    report_now (progress, done, total, step != NULL ? step : "");
  else if (progress->func != NULL)
    queue_progress (progress, done, total, step);
  return !g_cancellable_is_cancelled (progress->cancellable);
}

void
ldb_call_tell_here (LdbCall *call, LdbProgressFunc func, gpointer data)
{
  call->progress.func = func;
  call->progress.data = data;
}

void
ldb_call_tell_later (LdbCall *call, LdbProgressFunc func, gpointer data, GDestroyNotify destroy)
{
  call->progress.func = func;
  call->progress.data = data;
  call->progress.destroy = destroy;
  call->progress.context = g_main_context_ref_thread_default ();
}

void
ldb_closure_progress (guint64 done, guint64 total, const char *step, gpointer closure)
{
  GValue arguments[3] = { G_VALUE_INIT, G_VALUE_INIT, G_VALUE_INIT };
  g_value_set_uint64 (g_value_init (&arguments[0], G_TYPE_UINT64), done);
  g_value_set_uint64 (g_value_init (&arguments[1], G_TYPE_UINT64), total);
  g_value_set_string (g_value_init (&arguments[2], G_TYPE_STRING), step);
  g_closure_invoke (closure, NULL, G_N_ELEMENTS (arguments), arguments, NULL);
  g_value_unset (&arguments[2]);
}

gpointer
ldb_closure_hold (GClosure *closure)
{
  if (closure == NULL)
    return NULL;
  g_closure_ref (closure);
  g_closure_sink (closure);
  if (G_CLOSURE_NEEDS_MARSHAL (closure))
    g_closure_set_marshal (closure, g_cclosure_marshal_generic);
  return closure;
}

void
ldb_closure_release (gpointer closure)
{
  if (closure != NULL)
    g_closure_unref (closure);
}

/* Delivers a report that is on its way, so that the newest one is never lost. Runs in the progress'
 * context, when the work has ended. */
static void
flush_progress (LdbProgress *progress)
{
  if (progress->source == NULL)
    return;
  g_source_destroy (progress->source);
  deliver_progress (progress);
}

/* No report after this. Runs in the progress' context. */
static void
end_progress (LdbProgress *progress)
{
  if (progress->source != NULL)
    g_source_destroy (progress->source);
  g_clear_pointer (&progress->source, g_source_unref);
  g_clear_pointer (&progress->step, g_free);
  g_clear_pointer (&progress->context, g_main_context_unref);
  if (progress->destroy != NULL)
    progress->destroy (progress->data);
  progress->destroy = NULL;
  progress->func = NULL;
}

/* ---- calls ---- */

LdbCall *
ldb_call_new (LdbCallFunc run, const LdbPlace *place)
{
  LdbCall *call = g_new0 (LdbCall, 1);
  call->run = run;
  pthread_mutex_init (&call->progress.lock, NULL);
  if (place == NULL)
    return call;
  call->place = *place;
  call->progress.database = place->database;
  if (place->database != NULL)
    g_object_ref (place->database);
  if (place->snapshot != NULL)
    g_object_ref (place->snapshot);
  if (place->transaction != NULL)
    g_object_ref (place->transaction);
  return call;
}

static void
ldb_call_free (gpointer data)
{
  LdbCall *call = data;
  end_progress (&call->progress);
  pthread_mutex_destroy (&call->progress.lock);
  g_clear_object (&call->subject);
  g_clear_object (&call->place.snapshot);
  g_clear_object (&call->place.transaction);
  g_clear_object (&call->place.database);
  g_clear_pointer (&call->first, g_bytes_unref);
  g_clear_pointer (&call->second, g_bytes_unref);
  g_clear_pointer (&call->array, g_ptr_array_unref);
  g_clear_pointer (&call->type, g_variant_type_free);
  g_clear_object (&call->options);
  g_clear_pointer (&call->arguments, g_variant_unref);
  if (call->wish != NULL)
    call->wish_free (call->wish);
  g_free (call->path);
  g_free (call->other_path);
  if (call->result != NULL && call->result_free != NULL)
    call->result_free (call->result);
  g_clear_error (&call->error);
  g_free (call);
}

static void
return_call (GTask *task)
{
  LdbCall *call = g_task_get_task_data (task);
  if (call->returning != NULL)
    call->returning (call);
  if (call->busy != NULL)
    ldb_busy_leave (call->busy);
  call->busy = NULL;
  flush_progress (&call->progress);
  end_progress (&call->progress);
  if (call->error != NULL)
    g_task_return_error (task, g_steal_pointer (&call->error));
  else if (call->result_free != NULL)
    g_task_return_pointer (task, g_steal_pointer (&call->result), call->result_free);
  else
    g_task_return_boolean (task, call->succeeded);
}

void
ldb_call_run (LdbCall *call)
{
  if (!g_cancellable_set_error_if_cancelled (call->cancellable, &call->error))
    call->succeeded = call->run (call, &call->error);
}

/* Tells the call's end, in its context. */
static void
tell_end (LdbCall *call)
{
  g_autoptr (GTask) task = g_steal_pointer (&call->task);
  return_call (task);
}

static void
deliver (LdbDelivery *delivery)
{
  tell_end ((LdbCall *) ((char *) delivery - G_STRUCT_OFFSET (LdbCall, delivery)));
}

static GTask *
create_task (const LdbReply *reply)
{
  GTask *task = g_task_new (reply->source, reply->cancellable, reply->callback, reply->user_data);
  /* In parentheses: GLib's macro would name the task after the expression. */
  (g_task_set_source_tag) (task, reply->tag);
  g_task_set_name (task, reply->name);
  /* What was committed is not reported as cancelled. */
  g_task_set_check_cancellable (task, FALSE);
  return task;
}

static GTask *
create_call_task (LdbCall *call, const LdbReply *reply)
{
  GTask *task = create_task (reply);
  call->delivery.deliver = deliver;
  call->cancellable = reply->cancellable;
  call->progress.cancellable = reply->cancellable;
  g_task_set_task_data (task, call, ldb_call_free);
  return task;
}

void
ldb_reply_error (const LdbReply *reply, GError *error)
{
  g_autoptr (GTask) task = create_task (reply);
  g_task_return_error (task, error);
}

void
ldb_call_start (LdbCall *call, const LdbReply *reply, LdbWorkKind kind)
{
  call->task = create_call_task (call, reply);
  if (g_cancellable_set_error_if_cancelled (reply->cancellable, &call->error)
      || (call->place.database != NULL
          && !ldb_database_is_usable (call->place.database, &call->error))
      || !ldb_worker_push (call, kind, g_task_get_context (call->task), &call->error))
    tell_end (call);
}

void
ldb_call_hold (LdbCall *call, const LdbReply *reply)
{
  call->task = create_call_task (call, reply);
  call->outbox = ldb_outbox_of (g_task_get_context (call->task));
}

void
ldb_call_go_on (LdbCall *call, gboolean here)
{
  if (!here
      && ldb_worker_push (call, LDB_WORK_SHORT, g_task_get_context (call->task), &call->error))
    return;
  if (here)
    ldb_call_run (call);
  ldb_outbox_push (call->outbox, &call->delivery);
}

void
ldb_call_end (LdbCall *call, GError *error)
{
  call->error = error;
  call->succeeded = error == NULL;
  ldb_outbox_push (call->outbox, &call->delivery);
}

void
ldb_call_complete (LdbCall *call, const LdbReply *reply, GError *error)
{
  call->task = create_call_task (call, reply);
  call->error = error;
  ldb_worker_skip (call, g_task_get_context (call->task));
}

void
ldb_call_start_alone (LdbCall *call, const LdbReply *reply, LdbWorkKind kind, gint *busy,
                      const char *what)
{
  GError *error = NULL;
  if (!ldb_busy_enter (busy, what, &error))
    {
      ldb_call_complete (call, reply, error);
      return;
    }
  call->busy = busy;
  ldb_call_start (call, reply, kind);
}

gpointer
ldb_call_now_pointer (LdbCall *call, GCancellable *cancellable, GError **error)
{
  gpointer result = NULL;
  call->cancellable = cancellable;
  call->progress.cancellable = cancellable;
  if (!g_cancellable_set_error_if_cancelled (cancellable, error) && call->run (call, error))
    result = call->result_free != NULL ? g_steal_pointer (&call->result) : GINT_TO_POINTER (TRUE);
  ldb_call_free (call);
  return result;
}

gboolean
ldb_call_now (LdbCall *call, GCancellable *cancellable, GError **error)
{
  return ldb_call_now_pointer (call, cancellable, error) != NULL;
}

gboolean
ldb_call_finish (gpointer source, GAsyncResult *result, gpointer tag, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, source), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, tag), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

gpointer
ldb_call_finish_pointer (gpointer source, GAsyncResult *result, gpointer tag, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, source), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, tag), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
