/* SPDX-License-Identifier: MIT */
/* Whether a database is well, and what happened to it: health, events. */
#include "live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text-form.h"

static const char *
severity_name (LdbSeverity severity)
{
  switch (severity)
    {
    case LDB_SEVERITY_CRITICAL:
      return _ ("CRITICAL");
    case LDB_SEVERITY_WARNING:
      return _ ("WARNING");
    case LDB_SEVERITY_ADVICE:
      return _ ("advice");
    case LDB_SEVERITY_NONE:
    default:
      return "";
    }
}

static LdbHealth *
examine (struct live_database *live, GError **error)
{
  return live->inspector != NULL ? ldb_inspector_examine_health (live->inspector, NULL, error)
                                 : ldb_database_examine_health (live->database, NULL, error);
}

static void
print_health (const struct invocation *invocation, LdbHealth *health)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GPtrArray *issues = ldb_health_get_issues (health);
  for (guint i = 0; i < issues->len; i++)
    {
      const LdbHealthIssue *issue = g_ptr_array_index (issues, i);
      g_string_append_printf (text, "%s: %s [%s]\n  %s\n", severity_name (issue->severity),
                              issue->summary, issue->id, issue->remedy);
      if (issue->action != LDB_REMEDY_NONE)
        g_string_append_printf (text, _ ("  “--apply %s” does it.\n"), issue->id);
    }
  command_print (invocation, text->str);
  puts (ldb_health_is_healthy (health) ? _ ("The database is healthy")
                                       : _ ("The database is not healthy"));
}

/* The command's words for the issue that --apply names. FALSE: error. */
static gboolean
apply (struct live_database *live, LdbHealth *health, const char *id, GError **error)
{
  const LdbHealthIssue *issue = ldb_health_find_issue (health, id);
  if (issue == NULL)
    {
      g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
                   _ ("the database has no issue “%s”; “lightning-cli health” lists what it has"),
                   id);
      return FALSE;
    }
  if (live->inspector != NULL)
    return ldb_inspector_request_control (live->inspector, NULL, error)
           && ldb_inspector_apply_remedy (live->inspector, issue, NULL, error);
  return ldb_database_apply_remedy (live->database, issue, NULL, error);
}

/* A remedy writes, so a database that nobody has open is opened for that. */
static gboolean
reopen (struct live_database *live, GError **error)
{
  if (live->database == NULL)
    return TRUE;
  g_clear_object (&live->database);
  live->database = ldb_database_open (live->path, LDB_OPEN_NONE, NULL, NULL, error);
  return live->database != NULL;
}

enum exit_status
health_run (struct invocation *invocation)
{
  g_autofree char *id = NULL;
  const GOptionEntry entries[] = {
    { "apply", 'a', 0, G_OPTION_ARG_STRING, &id, N_ ("Apply the remedy of an issue"),
      N_ ("ISSUE") },
    { NULL },
  };
  GError *error = NULL;
  g_auto (live_database) live = { NULL };
  if (!command_parse (
          invocation, entries, NULL,
          _ ("What does not work, or could work better, with its figures and what to do. In the "
             "application that has the database open, when it lets itself be inspected; else as "
             "the files are. Exit status 1: something is wrong. Advice alone is no fault."),
          &error)
      || !live_open (invocation, &live, &error) || (id != NULL && !reopen (&live, &error)))
    return command_fail (invocation, error);
  g_autoptr (LdbHealth) health = examine (&live, &error);
  if (health != NULL && id != NULL)
    {
      gboolean applied = apply (&live, health, id, &error);
      g_clear_pointer (&health, ldb_health_unref);
      health = applied ? examine (&live, &error) : NULL;
    }
  if (health == NULL)
    return command_fail (invocation, error);
  if (invocation->json)
    {
      g_autofree char *json = ldb_health_to_json (health);
      command_print (invocation, json);
      putchar ('\n');
    }
  else if (!invocation->quiet)
    print_health (invocation, health);
  return ldb_health_is_healthy (health) ? EXIT_STATUS_DONE : EXIT_STATUS_NEGATIVE;
}

/* ---- events ---- */

struct telling
{
  GMainLoop *loop; /* ends at Ctrl+C, with the application, and when nobody reads */
  gboolean json;   /* a JSON object a line */
  guint64 told;    /* number of the newest */
  gboolean ended;  /* the inspector has */
};

static void
tell_event (struct telling *self, const LdbEvent *event)
{
  if (event->number <= self->told)
    return;
  self->told = event->number;
  if (self->json)
    {
      g_autofree char *json = ldb_event_to_json (event);
      g_autofree char *shown = text_form_show_json (json);
      puts (shown);
      return;
    }
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (event->time / G_USEC_PER_SEC);
  g_autofree char *when = time != NULL ? g_date_time_format (time, "%H:%M:%S") : g_strdup ("");
  g_autofree char *text = ldb_event_describe (event);
  g_autofree char *line = text_form_show (text, "");
  printf ("%6" PRIu64 " %s %s\n", event->number, when, line);
}

static gboolean
tell_those_before (struct telling *self, LdbInspector *inspector, guint64 after, GError **error)
{
  g_autoptr (GPtrArray) events = ldb_inspector_list_events (inspector, after, NULL, error);
  for (guint i = 0; events != NULL && i < events->len; i++)
    tell_event (self, g_ptr_array_index (events, i));
  return events != NULL;
}

static void
heard (LdbInspector *inspector, LdbEvent *event, struct telling *self)
{
  tell_event (self, event);
  if (fflush (stdout) != 0)
    g_main_loop_quit (self->loop);
}

static void
ended (LdbInspector *inspector, struct telling *self)
{
  self->ended = TRUE;
  g_main_loop_quit (self->loop);
}

/* First those that were, and what happened while they were asked for is told once. */
static gboolean
follow (struct telling *self, const struct live_database *live, guint64 after, GError **error)
{
  LdbInspector *inspector = live->inspector;
  self->loop = g_main_loop_new (NULL, FALSE);
  guint interrupt = live_catch_interrupt (self->loop);
  g_signal_connect (inspector, "event", G_CALLBACK (heard), self);
  g_signal_connect (inspector, "ended", G_CALLBACK (ended), self);
  gboolean follows = ldb_inspector_follow_events (inspector, TRUE, NULL, error)
                     && tell_those_before (self, inspector, after, error);
  if (follows && fflush (stdout) == 0)
    g_main_loop_run (self->loop);
  g_signal_handlers_disconnect_by_data (inspector, self);
  g_source_remove (interrupt);
  g_main_loop_unref (self->loop);
  return follows && (!self->ended || live_is_closed (live, error));
}

enum exit_status
events_run (struct invocation *invocation)
{
  gint64 after = 0;
  gboolean follows = FALSE;
  const GOptionEntry entries[] = {
    { "after", 0, 0, G_OPTION_ARG_INT64, &after, N_ ("Those behind that number"), N_ ("NUMBER") },
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &follows, N_ ("Go on as they happen"), NULL },
    { NULL },
  };
  GError *error = NULL;
  g_auto (live_database) live = { NULL };
  if (!command_parse (invocation, entries, NULL,
                      _ ("What happened in the application that has the database open and lets "
                         "itself be inspected: flushes, merges, stalls, conflicts, failures, a "
                         "line each. The newest 256 are kept; of those that are not, the numbers "
                         "are missing."),
                      &error)
      || !command_check_not_negative ("--after", after, &error)
      || !live_open (invocation, &live, &error))
    return command_fail (invocation, error);
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  if (live.inspector == NULL && !command_check_running (list, &error))
    return command_fail (invocation, error);
  if (live.inspector == NULL)
    {
      g_set_error (&error, COMMAND_ERROR, COMMAND_ERROR_INPUT,
                   _ ("no running application shares “%s”; events are kept while it is open"),
                   live.path);
      return command_fail (invocation, error);
    }
  struct telling self = { .json = invocation->json };
  gboolean told = follows
                      ? follow (&self, &live, (guint64) MAX (after, 0), &error)
                      : tell_those_before (&self, live.inspector, (guint64) MAX (after, 0), &error);
  return told ? EXIT_STATUS_DONE : command_fail (invocation, error);
}
