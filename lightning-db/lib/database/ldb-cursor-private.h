/* SPDX-License-Identifier: MIT */
/*
 * LdbCursor inside the library.
 *
 * States, in the order of the scan
 *   BEFORE   before the first record: next() goes to it
 *   ON       on a record: so is the engine's cursor
 *   CUT      the limit ended the scan: the engine's cursor is still on the last record given
 *   AFTER    behind the last record: previous() goes to it
 * A move that fails going forward leaves AFTER, one going back leaves BEFORE, so that a loop over
 * next() or previous() ends.
 */
#pragma once

#include "ldb-cursor.h"
#include "ldb-place-private.h"
#include "ldb-snapshot-private.h"

G_BEGIN_DECLS

typedef enum
{
  LDB_CURSOR_STATE_BEFORE,
  LDB_CURSOR_STATE_ON,
  LDB_CURSOR_STATE_CUT,
  LDB_CURSOR_STATE_AFTER,
} LdbCursorState;

typedef enum
{
  LDB_CURSOR_MOVE_NEXT,
  LDB_CURSOR_MOVE_PREVIOUS,
  LDB_CURSOR_MOVE_FIRST,
  LDB_CURSOR_MOVE_LAST,
  LDB_CURSOR_MOVE_SEEK,
} LdbCursorMove;

struct _LdbCursor
{
  GObject parent_instance;

  LdbDatabase *database;                   /* owned */
  LdbTransaction *transaction;             /* owned, or NULL */
  LdbPin *pin;                             /* of the snapshot it reads, or NULL; owned */
  struct engine_cursor *cursor;            /* NULL once closed */
  struct engine_cursor_place *place;       /* of `cursor`; NULL once closed */
  LdbScanFlags flags;                      /* how it goes */
  LdbCursorState state;                    /* where it is */
  guint64 limit; /* records that next() gives; 0 = all */
  guint64 given; /* records that next() gave since the last first, last or seek */
  gint own_busy; /* taken while a call is under way, unless it has a transaction */
  gint *busy;    /* own_busy, or the transaction's */
};

/* What LDB_IS_CURSOR says in the end, for what is called for each record. */
extern gpointer ldb_cursor_class; /* the only class, as the type is final; NULL before the first */
static inline gboolean
ldb_cursor_is (LdbCursor *self)
{
  GTypeInstance *instance = (GTypeInstance *) self;
  return instance != NULL && (gpointer) instance->g_class == ldb_cursor_class;
}

/* Does not block. `lower` and `upper` are copied. */
LdbCursor *ldb_cursor_new (const LdbPlace *place, struct bytes lower, struct bytes upper,
                           LdbScanFlags flags, GError **error);

/* For a transaction that ends: closes the cursor without asking for the transaction, which the
 * caller has claimed. */
void ldb_cursor_close_claimed (LdbCursor *self);

/* Takes the engine cursor away, leaving a closed cursor; NULL if it was closed. */
struct engine_cursor *ldb_cursor_steal (LdbCursor *self);

/* Moves, with the cursor claimed: TRUE on a record. `key` matters to LDB_CURSOR_MOVE_SEEK alone. */
gboolean ldb_cursor_move_claimed (LdbCursor *self, LdbCursorMove move, struct bytes key,
                                  GError **error);

struct _LdbCall;
/* Claims the cursor and sends `call` (taken over) to a worker. */
void ldb_cursor_start_claimed (LdbCursor *self, struct _LdbCall *call, const LdbReply *reply);

G_END_DECLS
