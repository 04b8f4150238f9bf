/* SPDX-License-Identifier: MIT */
/*
 * LdbTouch: a key, or a range of keys, that commits have touched since some moment; not what they
 * made of it, which the states at both ends tell. What gathers for an observer is a list of these.
 *
 * Threads: the hub's alone.
 */
#pragma once

#include "ldb-change-private.h"

G_BEGIN_DECLS

typedef enum
{
  LDB_TOUCH_KEY,     /* put or deleted */
  LDB_TOUCH_DELETED, /* a range: everything in it was deleted at one time */
  LDB_TOUCH_LOADED,  /* a range: anything may have been put into it */
} LdbTouchKind;

typedef struct
{
  guint references;   /* free at 0 */
  LdbTouchKind kind;  /* what it is */
  engine_store store; /* where */
  guint64 sequence;   /* the newest commit that did it */
  struct bytes
      key; /* the key, or inclusive start (BYTES_NONE = open); owned, unless it is a probe */
  struct bytes end; /* of a range: exclusive, BYTES_NONE = open; owned */
  LdbChange
      *change; /* what became of the key, as far as it was worked out; NULL: nothing. Owned. */
  guint64 change_since; /* between this commit … */
  guint64 change_until; /* … and this one; 0 = not worked out */
  guint change_flags;   /* for observers with these flags */
  guint repeats;        /* later changes of the key that went up in this one, for all who have it */
  gsize *counted;       /* where its bytes are counted while it lives; borrowed, or NULL */
} LdbTouch;

LdbTouch *ldb_touch_new (LdbTouchKind kind, engine_store store, guint64 sequence, struct bytes key,
                         struct bytes end);
/* Counts what it takes at `bytes`, until it is freed. */
void ldb_touch_count (LdbTouch *self, gsize *bytes);
LdbTouch *ldb_touch_ref (LdbTouch *self);
void ldb_touch_unref (gpointer self);
/* Gives a reference back, and what was worked out for whoever else has one. */
void ldb_touch_forget (gpointer self);

/* For a hash table of keys. */
guint ldb_touch_hash (gconstpointer self);
gboolean ldb_touch_equal (gconstpointer a, gconstpointer b);

/* By store, key (an open start first), kind and end; of what is the same the newest first. Of type
 * GCompareFunc over pointers to them. */
gint ldb_touch_compare (gconstpointer a, gconstpointer b);
/* The same but for the sequence. */
gboolean ldb_touch_same (const LdbTouch *one, const LdbTouch *other);

/* What a touch takes in memory, about. */
static inline gsize
ldb_touch_size (const LdbTouch *self)
{
  return sizeof *self + sizeof (gpointer) + self->key.size + self->end.size;
}

G_END_DECLS
