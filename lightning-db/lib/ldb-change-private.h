/* SPDX-License-Identifier: MIT */
/*
 * LdbChange inside the library: it is filled in by whoever makes it, and never changes once it is
 * seen by anybody else.
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

struct _LdbChange
{
  gint references;     /* free at 0; atomic */
  LdbChangeKind kind;  /* what happened */
  engine_store store;  /* where */
  LdbBefore before;    /* of PUT and DELETE */
  GRefString *name;    /* the store's; owned; NULL: it was dropped before anybody knew its name */
  guint64 sequence;    /* the last commit that is part of it */
  GBytes *key;         /* PUT, DELETE: owned. Ranges: inclusive start, NULL = open; owned */
  GBytes *end;         /* ranges: exclusive, NULL = open; owned */
  GBytes *value;       /* PUT: the new one if it was asked for; owned */
  GBytes *old_value;   /* PUT, DELETE: what was there before, if it was asked for; owned */
};

/* A change with one reference and nothing else set. */
LdbChange *ldb_change_new (LdbChangeKind kind, engine_store store, guint64 sequence);

/* Whether it is about a range of keys rather than one. */
static inline gboolean
ldb_change_is_range (const LdbChange *self)
{
  return self->kind == LDB_CHANGE_DELETE_RANGE || self->kind == LDB_CHANGE_RESYNC;
}

G_END_DECLS
