/* SPDX-License-Identifier: MIT */
/*
 * The memtable as a source: it walks copies of leaves, so the writer is met once a leaf, and the
 * records themselves never move.
 */
#include "memtable/memtable-private.h"

#include <stdlib.h>

#define PREFETCH_DISTANCE 12 /* entries ahead: random inserts leave neighbours far apart */

struct memtable_source
{
  struct source base;     /* what the caller sees; first */
  struct memtable *table; /* a reference */
  reference version;      /* the current one, when valid */
  unsigned index;         /* of the current entry in the copy */
  struct leaf_copy leaf;  /* the leaf we are in */
};

static struct memtable_source *
source_of (struct source *source)
{
  return (struct memtable_source *) source;
}

static const struct entry *
current_entry (const struct memtable_source *self)
{
  return entry_at (self->table, self->leaf.entries[self->index]);
}

/* An entry and, most often, its first version. */
static inline void
prefetch_entry (const struct memtable_source *self, unsigned index)
{
  const char *lines = arena_at (self->table, self->leaf.entries[index]);
  __builtin_prefetch (lines);
  __builtin_prefetch (lines + CACHE_LINE);
}

static status
show (struct memtable_source *self, reference version)
{
  self->version = version;
  self->base.valid = true;
  version_read (current_entry (self), version_at (self->table, version), &self->base.record);
  return STATUS_OK;
}

static status
ran_out (struct memtable_source *self)
{
  self->base.valid = false;
  return STATUS_OK;
}

/* The newest version of the entry at `index`, which may lie in a leaf further right. */
static status
enter_forward (struct memtable_source *self, unsigned index)
{
  while (index >= self->leaf.count)
    {
      if (!tree_copy_next (self->table, &self->leaf))
        return ran_out (self);
      index = 0;
      for (unsigned i = 0; i < PREFETCH_DISTANCE && i < self->leaf.count; i++)
        prefetch_entry (self, i);
    }
  if (index + PREFETCH_DISTANCE < self->leaf.count)
    prefetch_entry (self, index + PREFETCH_DISTANCE);
  self->index = index;
  return show (self, entry_newest (current_entry (self)));
}

/* The oldest version of the entry before `index`, which may lie in a leaf further left. */
static status
enter_backward (struct memtable_source *self, unsigned index)
{
  while (index == 0)
    {
      if (!tree_copy_previous (self->table, &self->leaf))
        return ran_out (self);
      index = self->leaf.count;
      for (unsigned i = 0; i < PREFETCH_DISTANCE && i < index; i++)
        prefetch_entry (self, index - 1 - i);
    }
  index--;
  if (index >= PREFETCH_DISTANCE)
    prefetch_entry (self, index - PREFETCH_DISTANCE);
  self->index = index;
  return show (self, version_oldest (self->table, current_entry (self)));
}

static status
memtable_source_seek (struct source *source, struct bytes key, struct failure *failure)
{
  struct memtable_source *self = source_of (source);
  return enter_forward (self, tree_copy_for (self->table, key, &self->leaf));
}

static status
memtable_source_seek_before (struct source *source, struct bytes key, struct failure *failure)
{
  struct memtable_source *self = source_of (source);
  return enter_backward (self, tree_copy_for (self->table, key, &self->leaf));
}

static status
memtable_source_first (struct source *source, struct failure *failure)
{
  struct memtable_source *self = source_of (source);
  tree_copy_first (self->table, &self->leaf);
  return enter_forward (self, 0);
}

static status
memtable_source_last (struct source *source, struct failure *failure)
{
  struct memtable_source *self = source_of (source);
  tree_copy_last (self->table, &self->leaf);
  return enter_backward (self, self->leaf.count);
}

static status
memtable_source_next (struct source *source, struct failure *failure)
{
  struct memtable_source *self = source_of (source);
  assert (source->valid);
  reference older = version_at (self->table, self->version)->older;
  if (older != 0)
    return show (self, older);
  return enter_forward (self, self->index + 1);
}

static status
memtable_source_previous (struct source *source, struct failure *failure)
{
  struct memtable_source *self = source_of (source);
  assert (source->valid);
  reference above = version_above (self->table, current_entry (self), self->version);
  if (above != 0)
    return show (self, above);
  return enter_backward (self, self->index);
}

static void
memtable_source_release (struct source *source)
{
  struct memtable_source *self = source_of (source);
  memtable_unref (self->table);
  free (self);
}

static const struct source_operations operations = {
  .seek = memtable_source_seek,
  .seek_before = memtable_source_seek_before,
  .first = memtable_source_first,
  .last = memtable_source_last,
  .next = memtable_source_next,
  .previous = memtable_source_previous,
  .release = memtable_source_release,
};

status
memtable_source_new (struct memtable *table, struct source **out, struct failure *failure)
{
  struct memtable_source *self = calloc (1, sizeof *self);
  if (self == NULL)
    return fail_memory (failure, sizeof *self, "a memtable's iterator");
  self->base.operations = &operations;
  self->table = memtable_ref (table);
  *out = &self->base;
  return STATUS_OK;
}
