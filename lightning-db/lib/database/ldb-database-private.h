/* SPDX-License-Identifier: MIT */
/*
 * LdbDatabase inside the library.
 *
 * Life of a handle: NEW → OPEN → CLOSED, never back. The engine is set on the way to OPEN and
 * kept until the handle is finalized, so that a call that was under way when another thread closed
 * the handle still has something to stand on; the engine answers it with STATUS_CLOSED.
 *
 * A handle that reads may take over: it gets an engine that writes, once, and keeps the other one as
 * `retired_engine`, on which snapshots, cursors, transactions, feeds, watches and lists that were
 * made before go on. So whatever holds something of an engine says which one (LdbPin.engine, …); the
 * handle's is for what is begun now.
 */
#pragma once

#include "engine.h"
#include "ldb-call-private.h"
#include "ldb-database.h"
#include "ldb-log-private.h"
#include "ldb-place-private.h"
#include "ldb-share-private.h"

struct _LdbEventListener;

G_BEGIN_DECLS

/* All flags that there are to open with. */
#define LDB_OPEN_KNOWN                                                                             \
  (LDB_OPEN_CREATE | LDB_OPEN_EXCLUSIVE | LDB_OPEN_READ_ONLY | LDB_OPEN_STATIC | LDB_OPEN_WAIT)

typedef enum
{
  LDB_DATABASE_NEW,
  LDB_DATABASE_OPEN,
  LDB_DATABASE_CLOSED,
} LdbDatabaseState;

struct _LdbDatabase
{
  GObject parent_instance;

  LdbPlace place;        /* its default store, now; borrows the database itself */
  char *path;            /* as given; construct-only */
  char *location;        /* the same, absolute: the process may go to another folder; owned */
  gboolean later;        /* it is opened on another thread than it was asked for; set before */
  LdbOpenFlags flags;    /* construct-only */
  LdbOptions *options;   /* what was asked for, then a copy of what is in force; owned; atomic */
  struct engine *engine; /* NULL while NEW; a reference; atomic */
  LdbShare *share;       /* while OPEN; guarded by the share's lock */
  LdbShare *retired;     /* that it read in before it took over, while OPEN; guarded likewise */
  struct engine *retired_engine; /* of that; a reference; set before `engine` changes, or NULL */
  LdbOptions *retired_options;   /* were in force there; owned, as somebody may look at them */
  gint state;                    /* LdbDatabaseState; atomic */
  guint generation;              /* ldb_fork_generation when it was opened */
  gboolean read_only;            /* this handle refuses writes; atomic, changes behind `engine` */
  gint role_untold;              /* boolean: read_only changed, and has not been told of; atomic */
  gint max_retries;              /* of run_transaction; atomic */
  gint inspectable;              /* boolean: it is to be offered to inspectors; atomic */
  gint control_allowed;          /* boolean: these may be granted control; atomic */
  GError *inspection_error;      /* why it could not be offered at the opening; owned */
  GMainContext *context;         /* where its signals are emitted: of its making; a reference */
  struct _LdbEventListener *listener; /* to events, while OPEN; guarded by the share's lock */
  GWeakRef weak;                 /* to itself, for the list of open handles */
  char id[33];                   /* the database's id in hexadecimal */
};

/* How many times this process was forked from one that used the library. Changed only in the child
 * of a fork, before it has threads. */
extern guint ldb_fork_generation;

/* Sets why the handle cannot be used; NULL. There is none when a binding made a store, snapshot or
 * transaction by g_object_new(). */
struct engine *ldb_database_refuse (LdbDatabase *self, GError **error);

/* The engine, or NULL with CLOSED or FORKED. */
static inline struct engine *
ldb_database_enter (LdbDatabase *self, GError **error)
{
  if (G_LIKELY (self != NULL && g_atomic_int_get (&self->state) == LDB_DATABASE_OPEN
                && self->generation == ldb_fork_generation))
    return __atomic_load_n (&self->engine, __ATOMIC_ACQUIRE);
  return ldb_database_refuse (self, error);
}

/* Whether what belongs to the database of one handle belongs to that of the other. */
gboolean ldb_database_is_same (LdbDatabase *self, LdbDatabase *other);

/* Whether ldb_database_enter would not refuse, without saying why. */
static inline gboolean
ldb_database_is_open (const LdbDatabase *self)
{
  return g_atomic_int_get (&self->state) == LDB_DATABASE_OPEN
         && self->generation == ldb_fork_generation;
}

/* The same for a write; READ_ONLY on a read-only handle. */
struct engine *ldb_database_enter_write (LdbDatabase *self, GError **error);
gboolean ldb_database_is_usable (LdbDatabase *self, GError **error);
/* Where a path leads now. NULL for NULL, and an empty one stays so. */
char *ldb_database_absolute_path (const char *path);
struct _LdbCall;
/* Of a call that a worker does: the process may have gone to another folder by then. Its errors name
 * the absolute paths. */
void ldb_database_settle_paths (struct _LdbCall *call);

/* For LdbEventListener: tells whoever is connected of it; and whether anybody is. */
void ldb_database_emit_event (gpointer self, LdbEvent *event);
gboolean ldb_database_wants_events (gpointer self, LdbEventKind kind);

/* NEW → OPEN. On any thread, so nothing of the application's is called. `cancellable` ends a wait
 * for the writer's role; may be NULL. */
gboolean ldb_database_open_handle (LdbDatabase *self, GCancellable *cancellable, GError **error);
/* The same for a call, taken over, whose subject is the handle: waits for the role without a thread
 * of its own. */
void ldb_database_open_handle_later (LdbDatabase *self, LdbCall *call, const LdbReply *reply);
/* What follows when the handle has been opened. Any thread. */
void ldb_database_note_opened (LdbDatabase *self);
/* When the handle has taken over and nobody was told yet: notifies in this thread. */
void ldb_database_tell_role (LdbDatabase *self);
/* Says on the caller's thread that it has a new handle, or NULL; returns it. */
LdbDatabase *ldb_database_log_opened (LdbDatabase *database);

/* A line for the log that says which database it is about. */
LdbLogLine *ldb_database_log_line (LdbDatabase *self, LdbLogKind kind);
/* LDB_ERROR: the name of an LdbError. */
void ldb_database_set_log_error (LdbLogLine *line, int code);
/* The error as a line; L1. */
void ldb_database_log_error (LdbDatabase *self, LdbLogKind kind, const GError *error);
/* Why nobody can look into it, if so; frees the error. */
void ldb_database_log_inspection_error (LdbDatabase *self, GError **error);
/* "Opened" or "took over", at which commit. */
void ldb_database_log_role (LdbDatabase *self, LdbLogKind kind, const char *what);
/* What happened to the database, and was not said yet. */
void ldb_database_log_events (LdbDatabase *self);

G_END_DECLS
