/* SPDX-License-Identifier: MIT */
/*
 * InspTile: a part of a storage map as it is shown: its name, its size, and what it is coloured by.
 * Counted references; it does not change.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-lens.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 id;           /* the same when it is asked for again */
  guint depth;          /* of the tree */
  gboolean is_leaf;     /* nothing is shown inside */
  double weight;        /* bytes */
  int step;             /* of the lens; -1: none */
  char *name;           /* owned */
  char *figure;         /* what the lens says; owned */
  LdbStorageNode *node; /* NULL: a page; owned */
  LdbPage *page;        /* NULL: a node; owned */
} InspTile;

typedef enum
{
  INSP_ARRANGED_BY_PLACE, /* levels, runs, segments, other files */
  INSP_ARRANGED_BY_STORE, /* stores, and what they have of each segment */
} InspArrangement;

InspTile *insp_tile_ref (InspTile *self);
void insp_tile_unref (InspTile *self);

/* All of a map, each before what is inside of it. */
GPtrArray *insp_tiles_of_map (LdbStorageMap *map, InspArrangement arrangement, InspLens lens);
/* Of LdbPage. */
GPtrArray *insp_tiles_of_pages (GPtrArray *pages, InspLens lens);

/* What people call a node, and its kind. Free the name. */
char *insp_storage_node_name (LdbStorageNode *node);
const char *insp_storage_kind_name (LdbStorageKind kind);

/* What a page is: “Page 12”, “Page 40, level 1”. Free it. */
char *insp_page_name (const LdbPage *page);

/* Bytes on the disk, or in memory of what is there alone. */
guint64 insp_storage_node_bytes (LdbStorageNode *node);

G_END_DECLS
