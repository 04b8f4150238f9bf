/* SPDX-License-Identifier: MIT */
/*
 * LdbChange inside the library: filled in by whoever makes it, and never changed once anybody else
 * sees it.
 */
#pragma once

#include "engine.h"
#include "ldb-change.h"

G_BEGIN_DECLS

/* What was at a key before the change. */
typedef enum
{
  LDB_BEFORE_UNKNOWN, /* nobody looked */
  LDB_BEFORE_ABSENT,  /* nothing */
  LDB_BEFORE_PRESENT, /* a value */
} LdbBefore;

/* A store's name, shared by all changes in it. */
typedef struct
{
  gint references; /* free at 0; atomic */
  char text[];     /* UTF-8 */
} LdbStoreName;

struct _LdbChange
{
  gint references;    /* free at 0; atomic */
  LdbChangeKind kind; /* what happened */
  engine_store store; /* where */
  LdbBefore before;   /* of PUT and DELETE */
  guint64 sequence;   /* the newest commit that is part of it */
  LdbStoreName
      *name;        /* the store's; owned; NULL: it was dropped before anybody asked for its name */
  struct bytes key; /* PUT, DELETE: the key. Ranges: inclusive start, BYTES_NONE = open. Owned. */
  struct bytes end; /* ranges: exclusive end, BYTES_NONE = open. Owned. */
  GBytes *value;    /* PUT: the new one, if it was asked for; owned */
  GBytes *old_value; /* PUT, DELETE: the one before, if it was asked for and there was one; owned */
  GBytes *key_bytes; /* `key`, once somebody asked for it; owned; atomic */
  GBytes *end_bytes; /* likewise */
};

/* A change with one reference; key and end are copied. An end that is a byte longer than keys can be
 * becomes one that can be handed to scans. */
LdbChange *ldb_change_new (LdbChangeKind kind, engine_store store, guint64 sequence,
                           struct bytes key, struct bytes end);

/* Whether it is about a range of keys rather than one. */
static inline gboolean
ldb_change_is_range (const LdbChange *self)
{
  return self->kind == LDB_CHANGE_DELETE_RANGE || self->kind == LDB_CHANGE_RESYNC;
}

LdbStoreName *ldb_store_name_new (const char *text);
LdbStoreName *ldb_store_name_ref (LdbStoreName *self); /* NULL for NULL */
void ldb_store_name_unref (LdbStoreName *self);        /* may be NULL */

/* Names by number, looked up in the catalogue when they are asked for first. One thread at a
 * time. */
GHashTable *ldb_store_names_new (void);
/* Of a store that is there in the state `after` or else `before` (either may be NULL: now). NULL:
 * it is in neither. Borrowed. */
LdbStoreName *ldb_store_names_find (GHashTable *names, struct engine *engine, engine_store store,
                                    struct engine_snapshot *after, struct engine_snapshot *before);
/* A name that is known. */
void ldb_store_names_add (GHashTable *names, engine_store store, LdbStoreName *name);

G_END_DECLS
