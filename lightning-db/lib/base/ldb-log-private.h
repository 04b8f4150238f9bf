/* SPDX-License-Identifier: MIT */
/*
 * The log: the one place where this library and the monitor's write lines, all structured: MESSAGE,
 * MESSAGE_ID, PRIORITY, GLIB_DOMAIN, LDB_EVENT, and what ldb-log-list.h says of their kind.
 *
 * Invariants
 *   L1  A line is written on the application's threads only, with no lock of ours held, since the
 *       application may have a log writer of its own. Our threads queue theirs (LdbLogQueue), or
 *       leave them to whoever delivers events.
 *   L2  No line has a key or a value of a database. What strangers send is shown escaped and cut, or
 *       not at all.
 *   L3  A line that would be dropped costs a look at the environment, and wakes nobody.
 *
 * LIGHTNING_DB_LOG_LEVEL (error, warning, message, info, debug) sets which levels appear; unset or wrong, they
 * are GLib's: warnings and messages, and all when G_MESSAGES_DEBUG names the domain, which it does in any case.
 *
 * Threads: any, but ldb_log_line_write and ldb_log: see L1.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
#define LDB_LOG_KIND(constant, name, level, domain, id, fields) LDB_LOG_##constant,
#include "ldb-log-list.h"
#undef LDB_LOG_KIND
  LDB_LOG_KINDS,
} LdbLogKind;

/* A line on its way to the log. */
typedef struct _LdbLogLine LdbLogLine;

/* Whether nobody would see lines of that kind now. */
gboolean ldb_log_would_drop (LdbLogKind kind);

LdbLogLine *ldb_log_line_new (LdbLogKind kind);
void ldb_log_line_free (LdbLogLine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbLogLine, ldb_log_line_free)
/* A field; `name` is static. */
void ldb_log_line_set (LdbLogLine *self, const char *name, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* The message; said again, it goes on. */
void ldb_log_line_say (LdbLogLine *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Writes it, unless it would be dropped, and frees it; L1. */
void ldb_log_line_write (LdbLogLine *self);

/* What somebody else wrote, fit for a terminal and for one line: escaped, and cut at `most` bytes. */
char *ldb_log_show (const char *text, gsize most);

/* Says once in a process what is wrong with variables that only warn: LIGHTNING_DB_LOG_LEVEL,
 * LIGHTNING_INSPECT; L1. */
void ldb_log_check_environment (void);

/* Who causes a flood does not flood the log: LDB_LOG_AT_ONCE lines, then one in LDB_LOG_SECONDS, which
 * says how many there were meanwhile. */
#define LDB_LOG_AT_ONCE 10
#define LDB_LOG_SECONDS 10

typedef struct
{
  gint64 counted;    /* when `left` was last seen to, monotonic, in microseconds; 0: never */
  guint left;        /* lines that may be written now */
  guint64 held_back; /* lines that were not, since the last one that was */
} LdbLogRate;

/* Whether a line may be written now; if so, *held_back is how many were not. Zeroes begin one. */
gboolean ldb_log_rate_take (LdbLogRate *self, guint64 *held_back);
/* LDB_HELD_BACK, and so in words, unless there were none. */
void ldb_log_line_set_held_back (LdbLogLine *self, guint64 held_back);

/* Lines of a thread of ours, which are written in a main context of the application: at a rate for each
 * kind, and so many of all kinds may wait for the main loop. */
#define LDB_LOG_WAITING 32

typedef struct _LdbLogQueue LdbLogQueue;

/* NULL: GLib's default context. */
LdbLogQueue *ldb_log_queue_new (GMainContext *context);
LdbLogQueue *ldb_log_queue_ref (LdbLogQueue *self);
void ldb_log_queue_unref (LdbLogQueue *self);
/* A line of that kind, to be filled in and pushed; NULL: there is to be none. */
LdbLogLine *ldb_log_queue_begin (LdbLogQueue *self, LdbLogKind kind);
/* Takes the line over. */
void ldb_log_queue_push (LdbLogQueue *self, LdbLogLine *line);
/* Writes what waits, here (L1); there are no lines from here on. */
void ldb_log_queue_close (LdbLogQueue *self);

G_END_DECLS
