/* SPDX-License-Identifier: MIT */
#include "ldb-monitor-log-private.h"

#include <string.h>

#define LINES_AT_ONCE 10 /* before it holds back */
#define LINE_SECONDS 10  /* then one line in so many seconds */
#define WHAT_MAX 60      /* bytes shown of what a client sent, before they are escaped */

struct _MonitorLog
{
  gatomicrefcount references; /* of this */
  GMainContext *home;         /* where it logs; owned */
  GMutex lock;                /* guards what follows */
  GQueue waiting;             /* of lines (char *), to be logged at home */
  GSource *source;            /* that logs them, while there are any; a reference */
  guint left;                 /* lines that may be logged now */
  gint64 counted;             /* when `left` was last seen to, monotonic, in microseconds */
  guint64 held_back;          /* refusals since the last line */
  gboolean closed;            /* monitor_log_close was called */
};

MonitorLog *
monitor_log_new (void)
{
  MonitorLog *self = g_new0 (MonitorLog, 1);
  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  g_queue_init (&self->waiting);
  self->home = g_main_context_ref_thread_default ();
  self->left = LINES_AT_ONCE;
  self->counted = g_get_monotonic_time ();
  return self;
}

MonitorLog *
monitor_log_ref (MonitorLog *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
monitor_log_unref (MonitorLog *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_queue_clear_full (&self->waiting, g_free);
  g_main_context_unref (self->home);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
log_line (const char *line)
{
  const GLogField fields[] = {
    { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },
    { "LDB_EVENT", "monitor-refused", -1 },
    { "MESSAGE", line, -1 },
  };
  /* Never a warning: those can be made to end a program, and anybody could cause one. */
  g_log_structured_array (G_LOG_LEVEL_MESSAGE, fields, G_N_ELEMENTS (fields));
}

static gboolean
log_waiting (gpointer data)
{
  MonitorLog *self = data;
  g_mutex_lock (&self->lock);
  g_autofree char *line = g_queue_pop_head (&self->waiting);
  gboolean more = self->waiting.length > 0;
  if (!more)
    g_clear_pointer (&self->source, g_source_unref);
  g_mutex_unlock (&self->lock);
  if (line != NULL)
    log_line (line);
  return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
queue_line (MonitorLog *self, char *line)
{
  g_queue_push_tail (&self->waiting, line);
  if (self->source != NULL)
    return;
  self->source = g_idle_source_new ();
  g_source_set_static_name (self->source, "[lightning-db] monitor log");
  g_source_set_callback (self->source, log_waiting, monitor_log_ref (self),
                         (GDestroyNotify) monitor_log_unref);
  g_source_attach (self->source, self->home);
}

/* Whether a line may be logged now. */
static gboolean
take_line (MonitorLog *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 more = (now - self->counted) / (LINE_SECONDS * G_USEC_PER_SEC);
  if (more > 0)
    {
      self->left = (guint) MIN (LINES_AT_ONCE, self->left + more);
      self->counted = now;
    }
  if (self->left == 0 || self->waiting.length >= LINES_AT_ONCE)
    return FALSE;
  self->left--;
  return TRUE;
}

/* What a client sent, fit for a terminal and one line. */
static char *
show (const char *what)
{
  g_autofree char *cut = g_strndup (what, WHAT_MAX);
  g_autofree char *escaped = g_strescape (cut, NULL);
  return g_strdup_printf (": “%s%s”", escaped, strlen (what) > WHAT_MAX ? "…" : "");
}

void
monitor_log_refusal (MonitorLog *self, MonitorVerdict verdict, const char *peer, const char *what)
{
  g_mutex_lock (&self->lock);
  if (self->closed || !take_line (self))
    self->held_back++;
  else
    {
      g_autofree char *shown = what != NULL ? show (what) : g_strdup ("");
      g_autofree char *more
          = self->held_back > 0
                ? g_strdup_printf (", and %" G_GUINT64_FORMAT " others before it", self->held_back)
                : g_strdup ("");
      queue_line (self, g_strdup_printf ("The monitor refused a request from %s (%s)%s%s", peer,
                                         monitor_verdict_name (verdict), shown, more));
      self->held_back = 0;
    }
  g_mutex_unlock (&self->lock);
}

void
monitor_log_close (MonitorLog *self)
{
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_queue_clear_full (&self->waiting, g_free);
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_mutex_unlock (&self->lock);
}
