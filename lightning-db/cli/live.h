/* SPDX-License-Identifier: MIT */
/*
 * live: commands that look at a database while an application works on it, in that application when
 * it lets them (LdbDatabase:inspectable), else beside it: events, health, metrics, monitor,
 * top, latency, profile, slow, hotkeys.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

/* A database that is looked at. */
typedef struct live_database
{
  char *path;              /* as given; owned */
  LdbInspector *inspector; /* in the application that has it open, or NULL; owned */
  LdbDatabase *database;   /* open here, or NULL; owned */
} live_database;

/* Takes the path that is the next argument. FALSE: error. */
gboolean live_open (struct invocation *invocation, struct live_database *live, GError **error);
void live_database_clear (struct live_database *live);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (live_database, live_database_clear)

/* A figure of LdbStats. */
struct live_figure
{
  const char *name; /* of the field */
  gsize offset;     /* in LdbStats */
  gboolean real;    /* a double, else a guint64 */
};

/* All of them, ended by one without a name. */
extern const struct live_figure live_figures[];
void live_add_figures (JsonBuilder *builder, const LdbStats *stats);

/* What the application counts where it can be read without it, which may be stopped; the other figures stay as
 * they are. FALSE: error. */
gboolean live_read_counters (LdbRunningDatabase *running, LdbStats *stats, GError **error);

/* After the inspector has ended. FALSE: the application shares the database still, so it was dropped, with
 * an error that says so; else the application has closed it. */
gboolean live_is_closed (const struct live_database *live, GError **error);

/* Has the loop end at Ctrl+C, until the source that is returned is removed. */
guint live_catch_interrupt (GMainLoop *loop);

enum exit_status events_run (struct invocation *invocation);
enum exit_status health_run (struct invocation *invocation);
enum exit_status metrics_run (struct invocation *invocation);
enum exit_status monitor_run (struct invocation *invocation);
enum exit_status top_run (struct invocation *invocation);

/* profile.c */
enum exit_status latency_run (struct invocation *invocation);
enum exit_status profile_run (struct invocation *invocation);

/* trace.c */
enum exit_status trace_run (struct invocation *invocation);

/* hotkeys.c */
enum exit_status hotkeys_run (struct invocation *invocation);
enum exit_status slow_run (struct invocation *invocation);
