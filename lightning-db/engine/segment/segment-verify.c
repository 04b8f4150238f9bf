/* SPDX-License-Identifier: MIT */
/*
 * Everything that can be wrong with a segment, looked for. Pages are read past the cache, one at a
 * time, in three passes: blocks; inner pages from the root down (a page's place is known once its
 * parent verified; parents have higher numbers); leaves in order.
 */
#include "base/hash.h"
#include "blob/blob.h"
#include "segment/inner.h"
#include "segment/leaf.h"
#include "segment/segment-private.h"

#include <stdio.h>
#include <stdlib.h>

struct key_buffer
{
  uint8_t *data; /* owned */
  size_t size;   /* bytes of the key */
  size_t room;   /* bytes allocated */
};

struct verification
{
  struct segment *segment;
  void (*report) (void *data, const char *file, uint64_t page, const struct failure *fault);
  status (*visit) (void *data, const struct record *record, struct failure *failure);
  void *data;                 /* for both */
  const _Atomic bool *cancel; /* may be NULL */
  struct failure *failure;    /* of the whole call */
  uint64_t faults;            /* reported */

  struct page_place *places; /* per inner page; offset 0: not known */
  uint8_t *levels;           /* per inner page: what its parent makes it */
  uint8_t *page;             /* an inner page; owned */
  size_t page_room;          /* bytes allocated */
  uint8_t *leaf;             /* a leaf; owned */
  size_t leaf_room;          /* bytes allocated */
  struct filter filter;      /* of the block */
  uint8_t *filter_block;     /* owned */

  struct key_buffer last;           /* the last key seen; room 0: none yet */
  uint64_t last_sequence;           /* of it */
  bool any;                         /* `last` holds a key */
  bool gap;                         /* leaves are missing before the next one: order still holds */
  struct key_buffer separator;      /* of the present leaf */
  struct key_buffer key;            /* the present record's */
  uint64_t next_leaf;               /* number expected next */
  struct segment_information seen;  /* counts; owns nothing */
  uint64_t blob_values, blob_bytes; /* counts */
};

static void
fault (struct verification *run, uint64_t page, const struct failure *what)
{
  run->faults++;
  if (run->report != NULL)
    run->report (run->data, run->segment->name, page, what);
}

static void
damage (struct verification *run, uint64_t page, const char *reason)
{
  struct failure what = FAILURE_INIT;
  fail (&what, STATUS_CORRUPT, "%s", reason);
  fault (run, page, &what);
}

static bool
is_cancelled (const struct verification *run)
{
  return run->cancel != NULL && atomic_load_explicit (run->cancel, memory_order_relaxed);
}

static status
assemble (struct key_buffer *key, struct bytes prefix, struct bytes suffix, struct failure *failure)
{
  status result = segment_grow (&key->data, &key->room, prefix.size + suffix.size + 1, failure);
  if (result != STATUS_OK)
    return result;
  if (prefix.size > 0)
    memcpy (key->data, prefix.data, prefix.size);
  if (suffix.size > 0)
    memcpy (key->data + prefix.size, suffix.data, suffix.size);
  key->size = prefix.size + suffix.size;
  return STATUS_OK;
}

static inline struct bytes
bytes_of (const struct key_buffer *key)
{
  return BYTES (key->data, key->size);
}

/* Reads a page; *good is false after a fault was reported. */
static status
read_page (struct verification *run, uint32_t page, const struct page_place *place, uint8_t **to,
           size_t *room, bool *good)
{
  struct failure reason = FAILURE_INIT;
  *good = false;
  status result = segment_check_place (run->segment, page, place, &reason);
  if (result == STATUS_OK)
    result = segment_grow (to, room, segment_page_room (run->segment, place), &reason);
  if (result == STATUS_OK)
    result = segment_read_page (run->segment, page, place, *to, &reason);
  *good = result == STATUS_OK;
  if (result == STATUS_NO_MEMORY)
    return fail (run->failure, result, "%s", reason.message);
  if (result != STATUS_OK)
    fault (run, page, &reason);
  return STATUS_OK;
}

/* ---- blocks ---- */

static status
check_blocks (struct verification *run)
{
  for (size_t block = 0; block < BLOCK_COUNT; block++)
    {
      struct failure reason = FAILURE_INIT;
      uint8_t *data = NULL;
      status result = segment_read_block (run->segment, (enum segment_block) block, &data, &reason);
      if (result == STATUS_NO_MEMORY)
        return fail (run->failure, result, "%s", reason.message);
      if (result == STATUS_OK && block == BLOCK_FILTER && data != NULL)
        result
            = filter_parse (BYTES (data, run->segment->blocks[block].size), &run->filter, &reason);
      if (result != STATUS_OK)
        {
          fault (run, SEGMENT_NO_PAGE, &reason);
          run->filter = (struct filter){ .kind = FILTER_NONE };
        }
      if (block == BLOCK_FILTER && result == STATUS_OK)
        run->filter_block = data;
      else
        free (data);
    }
  return STATUS_OK;
}

/* ---- inner pages ---- */

/* NULL, or what is wrong with an inner page beyond its own structure. */
static const char *
check_inner (const struct verification *run, uint32_t number, unsigned level, const uint8_t *page)
{
  uint32_t leaves = run->segment->totals.leaves;
  unsigned count = inner_count (page);
  uint64_t first = inner_first_child (page), end = first + count;
  if (inner_level (page) != level)
    return "it is on another level of the tree";
  if (level == 1 ? end > leaves : first < leaves || end > number)
    return "it names children that it cannot have";
  for (unsigned i = 1; i < count; i++)
    {
      struct inner_entry before = inner_entry (page, i - 1), entry = inner_entry (page, i);
      if (bytes_compare (before.suffix, entry.suffix) > 0 || before.first_leaf >= entry.first_leaf)
        return "its entries are out of order";
    }
  return NULL;
}

static void
learn_places (struct verification *run, unsigned level, const uint8_t *page)
{
  uint32_t leaves = run->segment->totals.leaves;
  for (unsigned i = 0; i < inner_count (page); i++)
    {
      uint32_t child = inner_first_child (page) + i - leaves;
      run->places[child] = inner_entry (page, i).place;
      run->levels[child] = (uint8_t) (level - 1);
    }
}

static status
check_inner_pages (struct verification *run)
{
  const struct segment_totals *totals = &run->segment->totals;
  run->places = calloc (totals->inner_pages, sizeof *run->places);
  run->levels = calloc (totals->inner_pages, 1);
  if (run->places == NULL || run->levels == NULL)
    return fail_memory (run->failure, totals->inner_pages * sizeof *run->places,
                        "checking a segment");
  run->places[totals->inner_pages - 1] = totals->root;
  run->levels[totals->inner_pages - 1] = (uint8_t) (totals->depth - 1);
  for (uint32_t i = totals->inner_pages; i-- > 0;)
    {
      uint32_t number = totals->leaves + i;
      bool good;
      if (is_cancelled (run))
        return fail (run->failure, STATUS_CANCELLED, "the check was cancelled");
      if (run->places[i].offset == 0)
        {
          if (run->faults == 0)
            damage (run, number, "no inner page leads to it");
          continue;
        }
      status result = read_page (run, number, &run->places[i], &run->page, &run->page_room, &good);
      if (result != STATUS_OK)
        return result;
      const char *wrong = good ? check_inner (run, number, run->levels[i], run->page) : NULL;
      if (wrong != NULL)
        damage (run, number, wrong);
      if (!good || wrong != NULL)
        run->places[i].offset = 0;
      else if (run->levels[i] > 1)
        learn_places (run, run->levels[i], run->page);
    }
  return STATUS_OK;
}

/* ---- leaves ---- */

/* NULL, or what is wrong with a record's fields. */
static const char *
check_fields (struct verification *run, const struct record *record)
{
  struct blob_reference reference;
  if (record->kind == RECORD_DELETE && record->value.size > 0)
    return "a delete has a value";
  if (record->kind == RECORD_BLOB)
    {
      if (!blob_reference_load (record->value, &reference))
        return "a blob reference is malformed";
      run->blob_values++;
      run->blob_bytes += reference.size;
    }
  return NULL;
}

static void
count_record (struct segment_information *seen, const struct record *record)
{
  if (seen->records == 0 || record->sequence < seen->min_sequence)
    seen->min_sequence = record->sequence;
  if (record->sequence > seen->max_sequence)
    seen->max_sequence = record->sequence;
  seen->records++;
  seen->deletes += record->kind == RECORD_DELETE;
  seen->key_bytes += record->key.size;
  seen->value_bytes += record->kind == RECORD_BLOB ? 0 : record->value.size;
}

/* NULL, or what is wrong with the order of a record, which is the leaf's first when slot is 0. */
static const char *
check_order (const struct verification *run, const struct record *record, unsigned slot)
{
  int order = run->any ? bytes_compare (record->key, bytes_of (&run->last)) : 1;
  if (order < 0 || (order == 0 && record->sequence >= run->last_sequence))
    return "its records are out of order";
  if (slot > 0)
    return NULL;
  if (run->any && bytes_compare (bytes_of (&run->separator), bytes_of (&run->last)) <= 0)
    return "its separator is not above the leaf before it";
  if (order != 0 && !run->gap && bytes_compare (bytes_of (&run->separator), record->key) > 0)
    return "its separator is above its first key";
  return NULL;
}

static const char *
check_search_parts (const struct verification *run, const struct leaf_view *view, unsigned slot,
                    struct bytes suffix, uint64_t hash)
{
  if (view->page[LEAF_HEADER_SIZE + slot] != key_tag (hash))
    return "a tag does not belong to its key";
  if (load_u32 (view->heads + 4u * slot) != leaf_head (suffix))
    return "a head does not belong to its key";
  if (run->filter.kind != FILTER_NONE && !filter_may_contain (&run->filter, hash))
    return "the filter lacks one of its keys";
  return NULL;
}

static status
check_leaf (struct verification *run, uint32_t number)
{
  struct leaf_view view = leaf_view (run->leaf);
  const char *wrong = NULL;
  for (unsigned slot = 0; slot < view.count; slot++)
    {
      struct leaf_record found = leaf_record (&view, slot);
      status result
          = assemble (&run->key, BYTES (view.prefix, view.prefix_size), found.suffix, run->failure);
      if (result != STATUS_OK)
        return result;
      struct record record = { bytes_of (&run->key), found.value, found.sequence, found.expiry,
                               (enum record_kind) found.kind };
      const char *here = check_order (run, &record, slot);
      here = here != NULL
                 ? here
                 : check_search_parts (run, &view, slot, found.suffix, key_hash (record.key));
      here = here != NULL ? here : check_fields (run, &record);
      wrong = wrong != NULL ? wrong : here;
      count_record (&run->seen, &record);
      result = run->visit != NULL ? run->visit (run->data, &record, run->failure) : STATUS_OK;
      if (result != STATUS_OK)
        return result;
      struct key_buffer swapped = run->last;
      run->last = run->key;
      run->key = swapped;
      run->last_sequence = record.sequence;
      run->any = true;
    }
  if (wrong != NULL)
    damage (run, number, wrong);
  return STATUS_OK;
}

/* Leaves from the next expected one to before `end` are below an inner page that is lost. */
static void
report_unreachable (struct verification *run, uint32_t end)
{
  char reason[160];
  snprintf (reason, sizeof reason,
            "%llu pages from here on can't be reached: a page that leads to them is lost",
            (unsigned long long) (end - run->next_leaf));
  damage (run, run->next_leaf, reason);
}

/* The leaves below one page of the lowest inner level, which is in run->page. */
static status
check_leaves_below (struct verification *run, uint32_t number)
{
  const uint8_t *page = run->page;
  uint32_t first = inner_first_child (page);
  if (first != run->next_leaf && run->faults == 0)
    damage (run, number, "it does not continue where the page before it ended");
  else if (first > run->next_leaf)
    report_unreachable (run, first);
  run->gap = run->gap || first != run->next_leaf;
  for (unsigned i = 0; i < inner_count (page); i++)
    {
      struct inner_entry entry = inner_entry (page, i);
      bool good;
      if (is_cancelled (run))
        return fail (run->failure, STATUS_CANCELLED, "the check was cancelled");
      status result = assemble (&run->separator, inner_prefix (page), entry.suffix, run->failure);
      if (result == STATUS_OK)
        result = read_page (run, first + i, &entry.place, &run->leaf, &run->leaf_room, &good);
      if (result == STATUS_OK && good)
        result = check_leaf (run, first + i);
      if (result != STATUS_OK)
        return result;
      run->gap = !good;
    }
  run->next_leaf = (uint64_t) first + inner_count (page);
  return STATUS_OK;
}

static status
check_leaves (struct verification *run)
{
  const struct segment_totals *totals = &run->segment->totals;
  for (uint32_t i = 0; i < totals->inner_pages; i++)
    {
      bool good;
      if (run->levels[i] != 1 || run->places[i].offset == 0)
        continue;
      status result = read_page (run, totals->leaves + i, &run->places[i], &run->page,
                                 &run->page_room, &good);
      if (result == STATUS_OK && good)
        result = check_leaves_below (run, totals->leaves + i);
      if (result != STATUS_OK)
        return result;
    }
  if (run->faults == 0 && run->next_leaf != totals->leaves)
    damage (run, SEGMENT_NO_PAGE, "leaves are missing from the page directory");
  else if (run->next_leaf < totals->leaves)
    report_unreachable (run, totals->leaves);
  return STATUS_OK;
}

/* ---- counts ---- */

static void
check_counts (struct verification *run)
{
  const struct segment_information *claimed = &run->segment->information, *seen = &run->seen;
  uint64_t values = 0, bytes = 0;
  for (size_t i = 0; i < claimed->blob_count; i++)
    {
      values += claimed->blobs[i].values;
      bytes += claimed->blobs[i].bytes;
    }
  if (claimed->records != seen->records || claimed->deletes != seen->deletes
      || claimed->key_bytes != seen->key_bytes || claimed->value_bytes != seen->value_bytes)
    damage (run, SEGMENT_NO_PAGE, "its counts disagree with its records");
  if (values != run->blob_values || bytes != run->blob_bytes)
    damage (run, SEGMENT_NO_PAGE, "its blob use disagrees with its records");
  if (seen->records > 0
      && (seen->min_sequence < claimed->min_sequence || seen->max_sequence > claimed->max_sequence))
    damage (run, SEGMENT_NO_PAGE, "its sequence bounds disagree with its records");
  if (run->any
      && bytes_compare (bytes_of (&run->last), BYTES (claimed->largest, claimed->largest_size)) > 0)
    damage (run, SEGMENT_NO_PAGE, "its bounds disagree with its records");
}

static void
clear (struct verification *run)
{
  free (run->places);
  free (run->levels);
  free (run->page);
  free (run->leaf);
  free (run->filter_block);
  free (run->last.data);
  free (run->separator.data);
  free (run->key.data);
}

status
segment_verify (struct segment *segment,
                void (*report) (void *data, const char *file, uint64_t page,
                                const struct failure *fault),
                status (*visit) (void *data, const struct record *record, struct failure *failure),
                void *data, const _Atomic bool *cancel, struct failure *failure)
{
  struct verification run = { .segment = segment,
                              .report = report,
                              .visit = visit,
                              .data = data,
                              .cancel = cancel,
                              .failure = failure };
  if (segment->header_lost)
    damage (&run, SEGMENT_NO_PAGE, "header: it does not verify");
  status result = check_blocks (&run);
  if (result == STATUS_OK && segment->totals.leaves > 0)
    {
      result = check_inner_pages (&run);
      if (result == STATUS_OK)
        result = check_leaves (&run);
    }
  if (result == STATUS_OK && run.faults == 0)
    check_counts (&run);
  if (result == STATUS_OK && run.faults > 0)
    result = fail (
        failure, STATUS_CORRUPT, "%s/%s has %llu faults; restore a backup or repair the database",
        segment->settings.directory->path, segment->name, (unsigned long long) run.faults);
  clear (&run);
  return result;
}
