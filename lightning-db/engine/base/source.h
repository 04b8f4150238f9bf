/* SPDX-License-Identifier: MIT */
/*
 * source: anything that yields records in key order (versions of one key newest first): a
 * memtable, a segment, a run, a merge of them. The engine's cursors and merges are built from it.
 *
 * A source is positioned or not (`valid`). After a successful seek/next/previous with `valid`
 * true, `record` may be read; its bytes are borrowed until the next call that moves, or release.
 * seek: first record with key >= `key` (its newest version). seek_before: the last record with
 * key < `key`, standing on its OLDEST version (so that previous walks back through versions).
 * first/last: seek to either end. Unlike keys, versions are not filtered here.
 *
 * Stepping: a source that shows the records of a page may offer `step` and `is_alone`, and sources
 * above that add nothing to it pass it on as `page`: whoever holds the outer one moves both with
 * source_step, as long as the record next to the current one stands in the same page, which has one
 * record of each key; else next or previous of the outer one go on. The records behind the current
 * one may be looked at ahead, some at once, before they are stepped over.
 *
 * Threads: one at a time per source. Sources hold what they need (pins, references): they may be
 * kept across epochs and never keep an epoch section open between calls.
 * Errors: a failed call leaves the source invalid; it may be sought again.
 */
#ifndef LIGHTNING_BASE_SOURCE_H
#define LIGHTNING_BASE_SOURCE_H

#include "base/record.h"
#include "base/status.h"

struct source;

struct source_operations
{
  status (*seek) (struct source *, struct bytes key, struct failure *);
  status (*seek_before) (struct source *, struct bytes key, struct failure *);
  status (*first) (struct source *, struct failure *);
  status (*last) (struct source *, struct failure *);
  status (*next) (struct source *, struct failure *);
  status (*previous) (struct source *, struct failure *);
  void (*release) (struct source *);             /* gives up pins and frees the source */
  bool (*step) (struct source *, bool backward); /* false: not moved. NULL: see Stepping */
  bool (*is_alone) (struct source *);            /* likewise */
  /* See source_look_ahead and source_step_over. */
  uint32_t (*look_ahead) (struct source *, bool backward, uint64_t snapshot,
                          const struct record_place **first);
  void (*step_over) (struct source *, bool backward, uint32_t count);
};

struct source
{
  const struct source_operations *operations; /* the kind of source */
  bool valid;                                 /* `record` may be read */
  bool unique;                                /* no two records of the source have the same key */
  bool lean;                                  /* set by who holds it: reads by source_record only */
  struct record record;                       /* the current one, borrowed */
  const struct record *lent;                  /* of a lean source: where it is instead, or NULL */
  struct source *page;                        /* see Stepping: itself, or one below; or NULL */
};

/* The current record without a copy, of a source that is lean. */
static inline const struct record *
source_record (const struct source *source)
{
  return source->lent != NULL ? source->lent : &source->record;
}

static inline status
source_seek (struct source *source, struct bytes key, struct failure *failure)
{
  return source->operations->seek (source, key, failure);
}

static inline status
source_seek_before (struct source *source, struct bytes key, struct failure *failure)
{
  return source->operations->seek_before (source, key, failure);
}

static inline status
source_first (struct source *source, struct failure *failure)
{
  return source->operations->first (source, failure);
}

static inline status
source_last (struct source *source, struct failure *failure)
{
  return source->operations->last (source, failure);
}

static inline status
source_next (struct source *source, struct failure *failure)
{
  return source->operations->next (source, failure);
}

static inline status
source_previous (struct source *source, struct failure *failure)
{
  return source->operations->previous (source, failure);
}

/* Whether it is known that no record before the current one has the same key. */
static inline bool
source_is_alone (struct source *source)
{
  return source->unique
         || (source->page != NULL && source->page->operations->is_alone (source->page));
}

/* Moves a valid source inside its present page; false, and not moved, when that cannot be. */
static inline bool
source_step (struct source *source, bool backward)
{
  struct source *page = source->page;
  return page != NULL && page->operations->step (page, backward);
}

/* The records that come next inside the present page of a valid source, up to the first that is
 * deleted, or newer than `snapshot`, or unusual; how many (0: ask source_step). They stay where
 * *first says until the source moves, and steps over them are no moves. */
static inline uint32_t
source_look_ahead (struct source *source, bool backward, uint64_t snapshot,
                   const struct record_place **first)
{
  struct source *page = source->page;
  return page != NULL ? page->operations->look_ahead (page, backward, snapshot, first) : 0;
}

/* Moves to the last of so many that were looked at ahead. */
static inline void
source_step_over (struct source *source, bool backward, uint32_t count)
{
  source->page->operations->step_over (source->page, backward, count);
}

static inline void
source_release (struct source *source)
{
  if (source != NULL)
    source->operations->release (source);
}

#endif
