/* SPDX-License-Identifier: MIT */
/*
 * cursor-private: what the files of cursors share.
 *
 *   cursor.c          moving: what is visible, in which order; the invariants (C1 …)
 *   cursor-sources.c  what it is made of
 *   cursor-value.c    what somebody who looks at it gets
 */
#ifndef LIGHTNING_CORE_CURSOR_PRIVATE_H
#define LIGHTNING_CORE_CURSOR_PRIVATE_H

#include "core/engine-private.h"

enum direction
{
  DIRECTION_NONE,
  DIRECTION_FORWARD,
  DIRECTION_BACKWARD
};

struct byte_buffer
{
  uint8_t *data;
  size_t size, capacity;
};

/* A record's bytes stay where they are until the source moves: what is shown is borrowed. The key
 * is copied only when the next step must still know it: when older versions of it may follow. */
struct engine_cursor
{
  struct engine_cursor_place at;          /* where callers see it, and step by themselves (C5) */
  struct record_place place;              /* of `record` */
  const struct record_place *ahead;       /* what the source showed to come next, or NULL; see C5 */
  struct engine *engine;                  /* referenced */
  struct engine_transaction *transaction; /* outlives the cursor's use; may be NULL */
  struct engine_snapshot reading;         /* own, so that freeing another first does no harm; of a
                                             transaction that writes: nothing, it outlives us */
  uint64_t sequence;                      /* commits up to it are seen */
  uint64_t own_operations;                /* the transaction's writes up to it are seen */
  bool keys_only;
  bool cached_only;                 /* BUSY instead of reading from a file */
  bool past_cache;                  /* runs are read as merges read them */
  bool (*go_on) (void *data);       /* asked before more records are passed; NULL: go on */
  void *go_on_data;                 /* for it */
  struct internal_key lower, upper; /* [lower, upper), inside the store */
  uint64_t lower_head, upper_head;  /* their first 8 bytes, which mostly decide (key_head) */

  struct view *view;         /* the sources are of it; NULL before the first move */
  struct source *source;     /* the merge */
  struct range_set **ranges; /* of the view's runs; owned references */
  size_t range_count;
  struct memtable *tables[FROZEN_MAX + 1]; /* of the view, those with range deletes */
  unsigned table_count;                    /* how many */
  struct memtable *own_index; /* the transaction's; the sources, which see it, keep it */
  bool own_ranges;            /* whether it has range deletes */
  bool plain; /* nothing but their age decides whether the source's records are shown */

  uint32_t stepped; /* steps that the metrics do not have yet (C3) */
  enum direction direction;
  /* In which the record next to the one shown, in the same page, may be shown as it is. */
  enum direction steps;
  bool standing;               /* the source stands on the record shown; else it has passed it */
  bool key_kept;               /* `key` holds the key shown, or last passed */
  struct byte_buffer key;      /* see key_kept */
  const struct record *record; /* shown: the source's own, or: */
  struct record gathered;      /* backward: of `key` and `copy` */
  struct byte_buffer copy;     /* of the value, backward */
  struct engine_value blob;    /* the value when it is a blob and was asked for */
  bool has_blob;               /* whether `blob` holds it */
  bool blob_lent;              /* whether somebody may look at it until the next move */
  uint32_t passed;            /* records that the move passed since `go_on` was asked */
  bool stopping;              /* `go_on` said no: the move ends behind the key in `reached` (C4) */
  bool stopped;               /* it has: `reached` is for the caller */
  struct byte_buffer reached; /* see engine_cursor_reached */
  struct read_span *span; /* serializable: what was looked at since positioning */
};

static inline struct bytes
buffer_bytes (const struct byte_buffer *buffer)
{
  return BYTES (buffer->data, buffer->size);
}

/* Whether any range delete may hide anything. */
static inline bool
has_ranges (const struct engine_cursor *cursor)
{
  return cursor->range_count > 0 || cursor->table_count > 0 || cursor->own_ranges;
}

/* Builds everything for the present view. */
status cursor_build_sources (struct engine_cursor *cursor, struct failure *failure);
void cursor_drop_sources (struct engine_cursor *cursor);

#endif
