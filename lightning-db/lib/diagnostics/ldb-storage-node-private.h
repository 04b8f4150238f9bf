/* SPDX-License-Identifier: MIT */
#pragma once

#include "ldb-json-private.h"
#include "ldb-storage-node.h"

G_BEGIN_DECLS

struct _LdbStorageNode
{
  GObject parent_instance;

  LdbStorageKind kind;
  char *name;     /* owned; NULL: none */
  guint64 number; /* of a file, run or store */
  int level;      /* -1: of none */
  LdbStorageState state;
  LdbFilterKind filter;
  LdbStorageFigures figures; /* of several filters: NONE */
  GBytes *smallest;          /* key, cut; owned; NULL: not told */
  GBytes *largest;           /* likewise */
  GPtrArray *children;       /* of LdbStorageNode; owned; NULL: none */
};

/* Changed only by who makes it, before anybody else sees it. `name` is copied. */
LdbStorageNode *ldb_storage_node_new (LdbStorageKind kind, const char *name, guint64 number);
/* Takes over the child. */
void ldb_storage_node_add (LdbStorageNode *self, LdbStorageNode *child);
/* Sums the children's figures up, theirs first. */
void ldb_storage_node_sum_up (LdbStorageNode *self);
/* As a member of an object, or of an array (`name` NULL). */
void ldb_storage_node_write_json (LdbStorageNode *self, LdbJson *json, const char *name);

G_END_DECLS
