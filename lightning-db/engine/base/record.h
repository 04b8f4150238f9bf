/* SPDX-License-Identifier: MIT */
/*
 * record: one version of one key, as every organ passes it to the next.
 *
 * A key is internal (store id, then user key). Versions of a key are ordered newest first.
 * A range delete is not a record: see struct range_delete.
 */
#ifndef LIGHTNING_BASE_RECORD_H
#define LIGHTNING_BASE_RECORD_H

#include "base/bytes.h"

#include <stdbool.h>

enum record_kind
{
  RECORD_PUT = 0,    /* value is the value */
  RECORD_DELETE = 1, /* value is empty: the key is absent from `sequence` on */
  RECORD_BLOB = 2,   /* value is a blob reference (blob.h), BLOB_REFERENCE_SIZE bytes */
};

struct record
{
  struct bytes key;   /* internal key */
  struct bytes value; /* by kind */
  uint64_t sequence;  /* of the commit that wrote it; 0 = older than every snapshot */
  uint64_t expiry;    /* microseconds since the epoch, 0 = never; reserved, always 0 for now */
  enum record_kind kind;
};

/* A record for whoever only looks at it. */
struct record_place
{
  bool valid;         /* whether there is one; else the others say nothing */
  bool apart;         /* the value is in a blob file: `value` is its reference */
  struct bytes key;   /* the user's: without the store id, which stands before it */
  struct bytes value; /* see `apart` */
  uint64_t sequence;  /* of the commit that wrote it; 0 = older than every snapshot */
};

/* Keys in [start, end) written before `sequence` (strictly) are absent. Records of the same
 * commit survive it: a commit is normalised to range deletes first. */
struct range_delete
{
  struct bytes start; /* internal key, inclusive */
  struct bytes end;   /* internal key, exclusive; always > start */
  uint64_t sequence;
};

#endif
