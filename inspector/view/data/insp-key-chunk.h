/* SPDX-License-Identifier: MIT */
/*
 * InspKeyChunk: some keys of an InspKeyList in a row: where they begin, how many there are, and their rows
 * if somebody asked for them. It is counted by references: the list has one, and each request for it.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-key.h"

G_BEGIN_DECLS

typedef struct
{
  GBytes *start;      /* not behind its first key; owned */
  guint count;        /* of its keys, as was seen last */
  GPtrArray *rows;    /* InspKey, `count` of them; NULL: nobody asked for them; owned */
  GPtrArray *pending; /* records that came while an item was asked for; NULL: none; owned */
  gboolean loaded;    /* the rows have their keys */
  gboolean stale;     /* a key was touched since it was read */
  gboolean listed;    /* it is a chunk of the list still */
  guint64 request;    /* under way; 0: none */
  guint64 used;       /* when rows were asked for; a number that rises */
} InspKeyChunk;

InspKeyChunk *insp_key_chunk_new (GBytes *start, guint count);
InspKeyChunk *insp_key_chunk_ref (InspKeyChunk *self);
void insp_key_chunk_unref (InspKeyChunk *self);

/* The list drops it: unlists and unrefs. */
void insp_key_chunk_leave (gpointer chunk);

/* Rows. */
GPtrArray *insp_key_chunk_new_rows (void);
void insp_key_chunk_make_rows (InspKeyChunk *self); /* that have no keys yet */
void insp_key_chunk_drop_rows (InspKeyChunk *self);
InspKey *insp_key_chunk_get_row (const InspKeyChunk *self, guint index); /* borrowed */

/* Whether anybody else has one of its rows: a list view those that it shows. */
gboolean insp_key_chunk_is_held (const InspKeyChunk *self);

/* The first row that is not below a key; it is loaded. */
guint insp_key_chunk_find_row (const InspKeyChunk *self, GBytes *key);

/* Compares the keys of a row and of a record (LdbRecord); what is behind the end of either is above all. */
int insp_key_chunk_compare (const InspKeyChunk *self, guint row, GPtrArray *records, guint record);

G_END_DECLS
