/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-health-private.h"

#include "ldb-monitor-text-private.h"

#include <string.h>

#define VERDICT_AGE (2 * G_USEC_PER_SEC)

/* Somebody who waits for the verdict. */
typedef struct
{
  MonitorHealth *health;      /* that it waits for */
  SoupServerMessage *message; /* paused; owned */
  MonitorHealthFunc func;     /* the answer */
  gpointer data;              /* for it */
  gulong finished;            /* its handler */
} Waiter;

struct _MonitorHealth
{
  LdbDatabase *database;     /* the service's */
  GMainContext *context;     /* of the monitor's thread */
  LdbHealth *verdict;        /* the last one, or NULL; owned */
  gint64 examined;           /* when, monotonic, in microseconds */
  GCancellable *cancellable; /* of the examination under way, else NULL; owned */
  GPtrArray *waiters;        /* Waiter; owned */
};

static void
waiter_free (gpointer data)
{
  Waiter *self = data;
  g_clear_signal_handler (&self->finished, self->message);
  g_object_unref (self->message);
  g_free (self);
}

MonitorHealth *
monitor_health_new (LdbDatabase *database)
{
  MonitorHealth *self = g_new0 (MonitorHealth, 1);
  self->database = database;
  self->context = g_main_context_get_thread_default ();
  self->waiters = g_ptr_array_new_with_free_func (waiter_free);
  return self;
}

void
monitor_health_free (MonitorHealth *self)
{
  g_ptr_array_set_size (self->waiters, 0);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  while (self->cancellable != NULL)
    g_main_context_iteration (self->context, TRUE);
  g_clear_pointer (&self->verdict, ldb_health_unref);
  g_ptr_array_unref (self->waiters);
  g_free (self);
}

static void
examined (GObject *source, GAsyncResult *result, gpointer data)
{
  MonitorHealth *self = data;
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->verdict, ldb_health_unref);
  self->verdict = ldb_database_examine_health_finish (LDB_DATABASE (source), result, NULL);
  self->examined = g_get_monotonic_time ();
  while (self->waiters->len > 0)
    {
      Waiter *waiter = g_ptr_array_steal_index (self->waiters, 0);
      waiter->func (waiter->message, self->verdict, waiter->data);
      soup_server_message_unpause (waiter->message);
      waiter_free (waiter);
    }
}

static void
leave (SoupServerMessage *message, gpointer data)
{
  Waiter *waiter = data;
  g_ptr_array_remove (waiter->health->waiters, waiter);
}

static void
wait_for (MonitorHealth *self, SoupServerMessage *message, MonitorHealthFunc func, gpointer data)
{
  Waiter *waiter = g_new0 (Waiter, 1);
  waiter->health = self;
  waiter->message = g_object_ref (message);
  waiter->func = func;
  waiter->data = data;
  waiter->finished = g_signal_connect (message, "finished", G_CALLBACK (leave), waiter);
  soup_server_message_pause (message);
  g_ptr_array_add (self->waiters, waiter);
}

void
monitor_health_ask (MonitorHealth *self, SoupServerMessage *message, MonitorHealthFunc func,
                    gpointer data)
{
  gboolean closed = ldb_database_is_closed (self->database);
  gboolean recent = self->verdict != NULL && g_get_monotonic_time () - self->examined < VERDICT_AGE;
  if (closed || (recent && self->cancellable == NULL))
    {
      func (message, closed ? NULL : self->verdict, data);
      return;
    }
  wait_for (self, message, func, data);
  if (self->cancellable != NULL)
    return;
  self->cancellable = g_cancellable_new ();
  ldb_database_examine_health_async (self->database, self->cancellable, examined, self);
}

/* ---- in words ---- */

/* What the system or the disk said is behind the sentence: it may name a path. */
static void
append_summary (GString *out, const LdbHealthIssue *issue, GVariant *evidence)
{
  const char *cause;
  g_autofree char *text = g_strdup (issue->summary);
  if (g_variant_lookup (evidence, "cause", "&s", &cause) && g_str_has_suffix (text, cause))
    {
      text[strlen (text) - strlen (cause)] = '\0';
      if (g_str_has_suffix (text, ": "))
        text[strlen (text) - 2] = '\0';
    }
  monitor_json_text (out, "message", text);
}

/* Numbers alone: a text may be a path, or the name of a store. */
static void
append_evidence (GString *out, GVariant *evidence)
{
  monitor_json_member (out, "evidence");
  monitor_json_begin (out);
  for (gsize i = 0; i < g_variant_n_children (evidence); i++)
    {
      const char *name;
      g_autoptr (GVariant) value = NULL;
      g_variant_get_child (evidence, i, "{&sv}", &name, &value);
      if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
        monitor_json_count (out, name, g_variant_get_uint64 (value));
      else if (g_variant_is_of_type (value, G_VARIANT_TYPE_DOUBLE))
        monitor_json_real (out, name, g_variant_get_double (value));
      else if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
        monitor_json_truth (out, name, g_variant_get_boolean (value));
    }
  monitor_json_end (out);
}

static void
append_issue (GString *out, const LdbHealthIssue *issue)
{
  GVariant *evidence = ldb_health_issue_get_evidence (issue);
  monitor_json_begin (out);
  monitor_json_text (out, "id", issue->id);
  monitor_json_text (out, "severity", monitor_text_nick (LDB_TYPE_SEVERITY, (int) issue->severity));
  append_summary (out, issue, evidence);
  monitor_json_text (out, "remedy", issue->remedy);
  append_evidence (out, evidence);
  monitor_json_end (out);
}

static void
append_closed (GString *out)
{
  monitor_json_begin (out);
  monitor_json_text (out, "id", "closed");
  monitor_json_text (out, "severity", "critical");
  monitor_json_text (out, "message", "The database was closed; the application has to open it.");
  monitor_json_end (out);
}

gboolean
monitor_health_is_good (LdbHealth *health)
{
  return health != NULL && ldb_health_get_severity (health) < LDB_SEVERITY_CRITICAL;
}

gboolean
monitor_health_append (GString *out, LdbHealth *health)
{
  gboolean good = monitor_health_is_good (health);
  GPtrArray *issues = health != NULL ? ldb_health_get_issues (health) : NULL;
  monitor_json_begin (out);
  monitor_json_text (out, "status",
                     !good                            ? "unhealthy"
                     : ldb_health_is_healthy (health) ? "healthy"
                                                      : "degraded");
  monitor_json_member (out, "issues");
  g_string_append_c (out, '[');
  if (health == NULL)
    append_closed (out);
  for (guint i = 0; issues != NULL && i < issues->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      append_issue (out, g_ptr_array_index (issues, i));
    }
  g_string_append_c (out, ']');
  if (health != NULL)
    monitor_json_count (out, "time", (guint64) ldb_health_get_time (health));
  monitor_json_end (out);
  return good;
}

/* It is open, and takes writes if it is there for that. */
gboolean
monitor_ready_append (GString *out, LdbHealth *health)
{
  static const char *const stops[] = { "writes-refused", "flush-failing", "following-failing" };
  const char *reason = health == NULL ? "closed" : NULL;
  for (gsize i = 0; health != NULL && reason == NULL && i < G_N_ELEMENTS (stops); i++)
    if (ldb_health_find_issue (health, stops[i]) != NULL)
      reason = stops[i];
  monitor_json_begin (out);
  monitor_json_truth (out, "ready", reason == NULL);
  if (reason != NULL)
    monitor_json_text (out, "reason", reason);
  monitor_json_end (out);
  return reason == NULL;
}
