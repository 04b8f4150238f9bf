/* SPDX-License-Identifier: MIT */
/*
 * What is told of storage to another process, as GVariants, and back. Who reads one trusts nothing
 * in it: counts, offsets and kinds are checked.
 */
#pragma once

#include "ldb-page-private.h"
#include "ldb-sizes.h"
#include "ldb-storage-map-private.h"

G_BEGIN_DECLS

/* The node before it that it is a part of (-1: a store), kind, name ("": none), number, level, state,
 * filter, the fields of LdbStorageFigures in their order, smallest and largest key (or none). */
#define LDB_NODE_VARIANT_TYPE "(iustiuuataayaay)"
/* File, page (-1: the whole file), reason. */
#define LDB_FAULT_VARIANT_TYPE "(sxs)"
/* The fields of LdbPage in their order; a key or none; a fault or "". */
#define LDB_PAGE_VARIANT_TYPE "(tuttttuuuaaybuus)"
/* Name, offset, size, whether it is a number, which. */
#define LDB_FIELD_VARIANT_TYPE "(sttbt)"
/* Offset, size, store, key, kind, sequence, size of the value, whether it is in the page, where there,
 * its length there, file of large values, offset in that, child. */
#define LDB_RECORD_VARIANT_TYPE "(ttuayuttbttttt)"
/* The page, its file, stored bytes (-1: unknown) and those from an offset on, decoded bytes likewise,
 * fields, how many records, and those from a number on. */
#define LDB_CONTENTS_VARIANT_TYPE                                                                  \
  LDB_PAGE_VARIANT_TYPE "sxayxaya" LDB_FIELD_VARIANT_TYPE "ua" LDB_RECORD_VARIANT_TYPE
/* Records, bytes of keys and values, share, faults, keys' histogram, values' histogram (buckets with
 * their counts; sum; maximum), largest values (key, size), first fault or "". */
#define LDB_SIZES_VARIANT_TYPE "(tttdta(ut)tta(ut)tta(ayt)s)"

/* A map, node by node: each is told after what it is a part of. */
typedef struct
{
  LdbStorageNode *node; /* of the map; borrowed */
  int parent;           /* its place in the list; -1: a store, or the root, which is the first */
} LdbStorageStep;

/* All of its nodes, as LdbStorageStep. */
GArray *ldb_storage_map_list_steps (LdbStorageMap *self);
GVariant *ldb_storage_step_to_variant (const LdbStorageStep *step);

/* A map that is being told. */
typedef struct
{
  LdbStorageMap *map; /* owned */
  GPtrArray *nodes;   /* so far; borrowed */
  GByteArray *depths; /* of each: 0 the root and stores */
} LdbStorageReading;

void ldb_storage_reading_begin (LdbStorageReading *self, guint64 sequence, gint64 time);
/* Lists of nodes and faults. FALSE with an error: they cannot be right. */
gboolean ldb_storage_reading_add (LdbStorageReading *self, GVariant *nodes, GVariant *faults,
                                  GError **error);
/* The map; NULL with an error when there is no root. */
LdbStorageMap *ldb_storage_reading_end (LdbStorageReading *self, GError **error);
void ldb_storage_reading_clear (LdbStorageReading *self);

GVariant *ldb_page_to_variant (const LdbPage *page);
LdbPage *ldb_page_from_variant (GVariant *told);

/* At most `room` bytes of both forms of the page, from `byte` on, and of the keys of records, from
 * `record` on; *more: something is left. The members of a tuple. */
GVariant *ldb_page_contents_to_variant (LdbPageContents *self, guint64 byte, guint record,
                                        gsize room, gboolean *more);

/* A page that is being told. */
typedef struct
{
  LdbPageContents *contents;        /* owned */
  GByteArray *stored, *decoded;     /* so far; owned */
  gint64 stored_size, decoded_size; /* of all; -1: there are none */
  GArray *values;                   /* where in the page the value of each record is */
} LdbPageReading;

void ldb_page_reading_begin (LdbPageReading *self);
/* A tuple that begins with the members of LDB_CONTENTS_VARIANT_TYPE. FALSE with an error: it cannot be
 * right. */
gboolean ldb_page_reading_add (LdbPageReading *self, GVariant *told, GError **error);
LdbPageContents *ldb_page_reading_end (LdbPageReading *self);
void ldb_page_reading_clear (LdbPageReading *self);

/* Largest values up to `room` bytes of keys. */
GVariant *ldb_sizes_to_variant (LdbSizes *self, gsize room);
LdbSizes *ldb_sizes_from_variant (GVariant *told);

G_END_DECLS
