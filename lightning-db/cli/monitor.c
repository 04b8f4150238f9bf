/* SPDX-License-Identifier: MIT */
/* What is committed to a database, as it happens: monitor. */
#include "live.h"

#include <stdio.h>
#include <string.h>

#include "text-form.h"

/* What monitor tells, and how far it got. */
struct monitoring
{
  GMainLoop *loop;   /* owned */
  gboolean json;     /* --json */
  gboolean stopped;  /* by --count */
  guint64 left;      /* changes still to be told */
  GString *text;     /* of a change, again and again; owned */
  gboolean unwanted; /* nobody reads the output any longer */
  gboolean ended;    /* the inspector has */
};

static const char *
kind_name (LdbChangeKind kind)
{
  static const char *const names[] = { "put", "delete", "delete-range", "resync" };
  return names[MIN ((guint) kind, LDB_CHANGE_RESYNC)];
}

static void
append_bytes (struct monitoring *self, const char *name, GBytes *bytes)
{
  gsize size;
  if (bytes == NULL)
    return;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_string_append_c (self->text, self->json ? ',' : '\t');
  if (self->json)
    text_form_append_json_member (self->text, name, data, size);
  else
    text_form_append_escaped (self->text, data, size);
}

static void
tell_change (struct monitoring *self, LdbChange *change, guint64 sequence)
{
  const char *store = ldb_change_get_store (change);
  const char *kind = kind_name (ldb_change_get_kind (change));
  g_string_truncate (self->text, 0);
  if (self->json)
    {
      g_string_append_printf (self->text, "{\"sequence\":%" G_GUINT64_FORMAT ",\"change\":\"%s\",",
                              sequence, kind);
      text_form_append_json_member (self->text, "store",
                                    (const guint8 *) (store != NULL ? store : ""),
                                    store != NULL ? strlen (store) : 0);
    }
  else
    {
      g_string_append_printf (self->text, "%" G_GUINT64_FORMAT "\t%s\t", sequence, kind);
      text_form_append_escaped (self->text, (const guint8 *) (store != NULL ? store : ""),
                                store != NULL ? strlen (store) : 0);
    }
  append_bytes (self, "key", ldb_change_get_key (change));
  append_bytes (self, "end", ldb_change_get_end (change));
  append_bytes (self, "value", ldb_change_get_value (change));
  g_string_append (self->text, self->json ? "}\n" : "\n");
  fwrite (self->text->str, 1, self->text->len, stdout);
}

static void
tell_changes (struct monitoring *self, LdbChangeSet *changes)
{
  for (guint i = 0; i < ldb_change_set_get_n_changes (changes) && !self->stopped; i++)
    {
      tell_change (self, ldb_change_set_get_change (changes, i),
                   ldb_change_set_get_sequence (changes));
      self->stopped = --self->left == 0;
    }
  self->unwanted = fflush (stdout) != 0;
  if (self->stopped || self->unwanted)
    g_main_loop_quit (self->loop);
}

static void
watch_changed (LdbWatch *watch, LdbChangeSet *changes, struct monitoring *self)
{
  tell_changes (self, changes);
}

static void
inspector_changed (LdbInspector *inspector, guint subscription, LdbChangeSet *changes,
                   struct monitoring *self)
{
  tell_changes (self, changes);
}

static void
inspector_ended (LdbInspector *inspector, struct monitoring *self)
{
  self->ended = TRUE;
  g_main_loop_quit (self->loop);
}

/* Which changes. */
struct choice
{
  char *prefix;         /* --prefix; owned */
  gboolean every_store; /* --all-stores */
  gboolean values;      /* --values */
  gint64 count;         /* --count; 0: all */
};

/* Begins to be told. FALSE: error. */
static gboolean
follow_there (struct invocation *invocation, struct live_database *live,
              const struct choice *choice, struct monitoring *self, GError **error)
{
  const char *store = choice->every_store ? "*" : invocation->store_name;
  g_signal_connect (live->inspector, "changed", G_CALLBACK (inspector_changed), self);
  g_signal_connect (live->inspector, "ended", G_CALLBACK (inspector_ended), self);
  return ldb_inspector_subscribe (live->inspector, store, choice->prefix,
                                  choice->prefix != NULL ? strlen (choice->prefix) : 0,
                                  choice->values ? LDB_WATCH_VALUES : LDB_WATCH_NONE, 0, NULL,
                                  error)
         != 0;
}

static LdbWatch *
follow_here (struct invocation *invocation, struct live_database *live, const struct choice *choice,
             struct monitoring *self, GError **error)
{
  LdbWatchFlags flags = choice->values ? LDB_WATCH_VALUES : LDB_WATCH_NONE;
  g_autoptr (LdbStore) store = NULL;
  LdbWatch *watch = NULL;
  if (choice->every_store)
    watch = ldb_database_watch_stores (live->database, flags, error);
  else if ((store = ldb_database_open_store (
                live->database, invocation->store_name != NULL ? invocation->store_name : "default",
                LDB_OPEN_NONE, NULL, error))
           != NULL)
    watch = choice->prefix != NULL ? ldb_store_watch_prefix (store, choice->prefix,
                                                             strlen (choice->prefix), flags, error)
                                   : ldb_store_watch_all (store, flags, error);
  if (watch != NULL)
    g_signal_connect (watch, "changed", G_CALLBACK (watch_changed), self);
  return watch;
}

/* Tells changes until it is interrupted. */
static enum exit_status
monitor (struct invocation *invocation, struct live_database *live, const struct choice *choice)
{
  GError *error = NULL;
  g_autoptr (LdbWatch) watch = NULL;
  struct monitoring self = { .json = invocation->json, .left = (guint64) choice->count };
  self.loop = g_main_loop_new (NULL, FALSE);
  self.text = g_string_new (NULL);
  guint interrupt = live_catch_interrupt (self.loop);
  gboolean follows = live->inspector != NULL
                         ? follow_there (invocation, live, choice, &self, &error)
                         : (watch = follow_here (invocation, live, choice, &self, &error)) != NULL;
  if (follows)
    {
      if (!invocation->quiet)
        g_printerr (live->inspector != NULL ? _ ("Following the application that has it open\n")
                                            : _ ("Following the files\n"));
      g_main_loop_run (self.loop);
    }
  g_source_remove (interrupt);
  if (live->inspector != NULL)
    g_signal_handlers_disconnect_by_data (live->inspector, &self);
  if (watch != NULL)
    ldb_watch_close (watch);
  g_string_free (self.text, TRUE);
  g_main_loop_unref (self.loop);
  if (follows && (!self.ended || live_is_closed (live, &error)))
    return EXIT_STATUS_DONE;
  return command_fail (invocation, error);
}

enum exit_status
monitor_run (struct invocation *invocation)
{
  struct choice choice = { .count = COMMAND_COUNT_NONE };
  const GOptionEntry entries[] = {
    { "prefix", 'p', 0, G_OPTION_ARG_FILENAME, &choice.prefix, N_ ("Keys that begin with this"),
      N_ ("PREFIX") },
    { "all-stores", 'a', 0, G_OPTION_ARG_NONE, &choice.every_store, N_ ("Every store"), NULL },
    { "values", 'v', 0, G_OPTION_ARG_NONE, &choice.values, N_ ("With the values that were put"),
      NULL },
    { "count", 'n', 0, G_OPTION_ARG_INT64, &choice.count, N_ ("End after so many changes"),
      N_ ("NUMBER") },
    { NULL },
  };
  GError *error = NULL;
  enum exit_status status;
  g_auto (live_database) live = { NULL };
  if (!command_parse (
          invocation, entries, NULL,
          _ ("A line for each change: commit, what happened, store, key, value; commits "
             "gather for a moment, and of a key only the last change is told. “resync” "
             "says that there was too much to be told. Ends at Ctrl+C, and when the "
             "application closes the database."),
          &error)
      || !command_check_count (&choice.count, &error)
      || !live_open (invocation, &live, &error))
    status = command_fail (invocation, error);
  else
    status = monitor (invocation, &live, &choice);
  g_free (choice.prefix);
  return status;
}
