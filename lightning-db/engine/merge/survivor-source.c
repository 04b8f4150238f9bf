/* SPDX-License-Identifier: MIT */
/*
 * survivor-source: drops from a merge what nobody needs any more. G1 … G5 are in merge.h, the
 * reasoning in docs/design/merge.md.
 *
 * Versions of a key come newest first. Version s with the next newer version n is seen by the
 * snapshots t with s <= t < n; only the least of them matters:
 *
 *        n = 9         s = 4                a range delete that hides s from t = 5 also hides it
 *     ─────●─────────────●──────────▶       from every later one
 *            t=8    t=5          older
 *
 *   Y1  `newer` is the sequence of the last version read of the key in `key`, or NOBODY_NEWER.
 *   Y2  `fragment` is the first one whose end lies behind the current key.
 */
#include "blob/blob.h"
#include "merge/merge.h"

#include <stdlib.h>

#define NOBODY_NEWER UINT64_MAX
#define PRESENT (UINT64_MAX - 1) /* the snapshot of whoever comes later */

struct survivor_source
{
  struct source source;                         /* what the caller sees; first member */
  struct source *merged;                        /* owned */
  uint64_t *snapshots;                          /* rising, PRESENT last; owned */
  size_t snapshot_count;                        /* PRESENT included: at least 1 */
  bool bottom;                                  /* see merge.h */
  struct range_set *ranges;                     /* referenced; NULL = none */
  size_t fragment, fragment_count;              /* Y2 */
  bool (*keep) (void *, const struct record *); /* the caller's filter, or NULL */
  void *keep_context;                           /* the caller's */
  uint8_t *key;                                 /* of the version read last; owned */
  size_t key_size, key_capacity;
  bool key_known; /* `key` holds one */
  uint64_t newer; /* Y1 */
  struct survivor_statistics statistics;
};

enum verdict
{
  KEEP,
  DROP_HIDDEN,
  DROP_DELETE,
  DROP_RANGE
};

static inline struct survivor_source *
survivors_of (struct source *source)
{
  return (struct survivor_source *) source;
}

static inline uint64_t
oldest_snapshot (const struct survivor_source *survivors)
{
  return survivors->snapshots[0];
}

/* The least snapshot that sees a version, or NOBODY_NEWER. */
static uint64_t
first_witness (const struct survivor_source *survivors, uint64_t sequence, uint64_t newer)
{
  size_t low = 0, high = survivors->snapshot_count;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (survivors->snapshots[middle] < sequence)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == survivors->snapshot_count || survivors->snapshots[low] >= newer)
    return NOBODY_NEWER;
  return survivors->snapshots[low];
}

/* The newest range delete over the current key that snapshot sees, or 0. */
static uint64_t
cover (struct survivor_source *survivors, struct bytes key, uint64_t snapshot)
{
  struct range_fragment fragment = { 0 };
  while (survivors->fragment < survivors->fragment_count)
    {
      fragment = range_set_fragment (survivors->ranges, survivors->fragment);
      if (bytes_compare (key, fragment.end) < 0)
        break;
      survivors->fragment++;
    }
  if (survivors->fragment == survivors->fragment_count || bytes_compare (key, fragment.start) < 0)
    return 0;
  if (fragment.newest <= snapshot)
    return fragment.newest;
  return range_set_fragment_newest (survivors->ranges, survivors->fragment, snapshot);
}

/* What becomes of a version, given the next newer one of its key. */
static enum verdict
judge (struct survivor_source *survivors, const struct record *record, uint64_t newer)
{
  uint64_t oldest = oldest_snapshot (survivors);
  if (newer == NOBODY_NEWER && record->sequence > oldest)
    return KEEP; /* G2 */
  uint64_t witness = first_witness (survivors, record->sequence, newer);
  if (witness == NOBODY_NEWER)
    return DROP_HIDDEN; /* G1 */
  if (cover (survivors, record->key, witness) > record->sequence)
    return DROP_RANGE; /* G4 */
  if (record->kind == RECORD_DELETE && survivors->bottom && record->sequence <= oldest)
    return DROP_DELETE; /* G3 */
  return KEEP;
}

/* Y1 for the version the merge stands on: *newer for it. */
static status
follow_key (struct survivor_source *survivors, const struct record *record, uint64_t *newer,
            struct failure *failure)
{
  bool same = survivors->key_known
              && bytes_equal (record->key, BYTES (survivors->key, survivors->key_size));
  *newer = same ? survivors->newer : NOBODY_NEWER;
  survivors->newer = record->sequence;
  if (same)
    return STATUS_OK;
  survivors->key_known = false;
  if (record->key.size > survivors->key_capacity)
    {
      size_t capacity = record->key.size * 2;
      uint8_t *larger = realloc (survivors->key, capacity);
      if (larger == NULL)
        return fail_memory (failure, capacity, "a key of a merge");
      survivors->key = larger;
      survivors->key_capacity = capacity;
    }
  if (record->key.size > 0)
    memcpy (survivors->key, record->key.data, record->key.size);
  survivors->key_size = record->key.size;
  survivors->key_known = true;
  return STATUS_OK;
}

static void
count_blob (struct survivor_source *survivors, const struct record *record)
{
  struct blob_reference reference;
  if (record->kind == RECORD_BLOB && blob_reference_load (record->value, &reference))
    survivors->statistics.dropped_blob_bytes += reference.size;
}

static void
count_drop (struct survivor_source *survivors, enum verdict verdict)
{
  struct survivor_statistics *statistics = &survivors->statistics;
  if (verdict == DROP_DELETE)
    statistics->dropped_deletes++;
  else if (verdict == DROP_RANGE)
    statistics->dropped_ranges++;
  else
    statistics->dropped_hidden++;
}

/* The caller's filter turns a version into a delete, which may itself be dropped: without it an
 * older run's version would come back. */
static enum verdict
filter (struct survivor_source *survivors, struct record *record, uint64_t newer)
{
  if (record->kind == RECORD_DELETE || survivors->keep == NULL
      || survivors->keep (survivors->keep_context, record))
    return KEEP;
  count_blob (survivors, record);
  record->kind = RECORD_DELETE;
  record->value = BYTES_NONE;
  record->expiry = 0;
  return judge (survivors, record, newer);
}

/* Looks at the version the merge stands on; *kept: it is published. */
static status
look (struct survivor_source *survivors, bool *kept, struct failure *failure)
{
  struct record record = survivors->merged->record;
  uint64_t newer;
  *kept = false;
  status code = follow_key (survivors, &record, &newer, failure);
  if (code != STATUS_OK)
    return code;
  survivors->statistics.read++;
  enum verdict verdict = judge (survivors, &record, newer);
  if (verdict != KEEP)
    count_blob (survivors, &record);
  else
    verdict = filter (survivors, &record, newer);
  if (verdict != KEEP)
    {
      count_drop (survivors, verdict);
      return STATUS_OK;
    }
  if (survivors->bottom && record.sequence <= oldest_snapshot (survivors))
    record.sequence = 0; /* G5 */
  survivors->statistics.kept++;
  survivors->source.record = record;
  survivors->source.valid = *kept = true;
  return STATUS_OK;
}

/* From the merge's position on, that included, to the next survivor. */
static status
settle_on_survivor (struct survivor_source *survivors, struct failure *failure)
{
  bool kept = false;
  while (survivors->merged->valid)
    {
      status code = look (survivors, &kept, failure);
      if (code != STATUS_OK || kept)
        return code;
      code = source_next (survivors->merged, failure);
      if (code != STATUS_OK)
        return code;
    }
  return STATUS_OK;
}

static status
survivor_seek (struct source *source, struct bytes key, struct failure *failure)
{
  struct survivor_source *survivors = survivors_of (source);
  source->valid = false;
  survivors->key_known = false;
  survivors->fragment = survivors->ranges != NULL ? range_set_find (survivors->ranges, key) : 0;
  status code = source_seek (survivors->merged, key, failure);
  return code == STATUS_OK ? settle_on_survivor (survivors, failure) : code;
}

static status
survivor_first (struct source *source, struct failure *failure)
{
  struct survivor_source *survivors = survivors_of (source);
  source->valid = false;
  survivors->key_known = false;
  survivors->fragment = 0;
  status code = source_first (survivors->merged, failure);
  return code == STATUS_OK ? settle_on_survivor (survivors, failure) : code;
}

static status
survivor_next (struct source *source, struct failure *failure)
{
  struct survivor_source *survivors = survivors_of (source);
  if (!source->valid)
    return STATUS_OK;
  source->valid = false;
  status code = source_next (survivors->merged, failure);
  return code == STATUS_OK ? settle_on_survivor (survivors, failure) : code;
}

static status
backward (struct source *source, struct failure *failure)
{
  source->valid = false;
  return fail (failure, STATUS_UNSUPPORTED,
               "what survives a merge is only read forward; this is a fault of the program");
}

static status
backward_from (struct source *source, struct bytes key, struct failure *failure)
{
  return backward (source, failure);
}

static void
survivor_release (struct source *source)
{
  struct survivor_source *survivors = survivors_of (source);
  source_release (survivors->merged);
  range_set_unref (survivors->ranges);
  free (survivors->snapshots);
  free (survivors->key);
  free (survivors);
}

static const struct source_operations survivor_operations = {
  survivor_seek, backward_from, survivor_first, backward, survivor_next, backward, survivor_release,
};

/* A copy of the snapshots with PRESENT behind them, or NULL. */
static uint64_t *
copy_snapshots (const uint64_t *snapshots, size_t count)
{
  size_t size;
  if (__builtin_add_overflow (count, 1, &size)
      || __builtin_mul_overflow (size, sizeof *snapshots, &size))
    return NULL;
  uint64_t *copy = malloc (size);
  if (copy == NULL)
    return NULL;
  if (count > 0)
    memcpy (copy, snapshots, count * sizeof *snapshots);
  copy[count] = PRESENT;
  return copy;
}

status
survivor_source_new (struct source *merged, const struct survivor_settings *settings,
                     struct source **out, struct failure *failure)
{
  struct survivor_source *survivors = calloc (1, sizeof *survivors);
  uint64_t *snapshots = copy_snapshots (settings->snapshots, settings->snapshot_count);
  *out = NULL;
  if (survivors == NULL || snapshots == NULL)
    {
      source_release (merged);
      free (survivors);
      free (snapshots);
      return fail_memory (failure, sizeof *survivors, "a merge");
    }
  survivors->source.operations = &survivor_operations;
  survivors->merged = merged;
  survivors->snapshots = snapshots;
  survivors->snapshot_count = settings->snapshot_count + 1;
  survivors->bottom = settings->bottom;
  survivors->ranges = range_set_ref ((struct range_set *) settings->ranges);
  survivors->fragment_count
      = survivors->ranges != NULL ? range_set_fragment_count (survivors->ranges) : 0;
  survivors->keep = settings->keep;
  survivors->keep_context = settings->context;
  *out = &survivors->source;
  return STATUS_OK;
}

void
survivor_source_statistics (const struct source *survivors, struct survivor_statistics *out)
{
  *out = ((const struct survivor_source *) survivors)->statistics;
}
