/* SPDX-License-Identifier: MIT */
/*
 * What a repair must save: an oracle of its own replays the versions on undamaged pages, oldest run
 * first, then the commits of the log that are whole, and knows nothing else. What repair makes must
 * be that, exactly. Of a key whose value is not the one it had, a loss must be told: of its page,
 * its value, its file, or the log.
 *
 * One thing is left open: behind a damaged record of the log only a long record can be found for
 * certain. What short ones before it changed may be there or not.
 */
#include "verdict.h"

#include "../crash/simulated-memory.h"
#include "base/epoch.h"
#include "core/upkeep.h"
#include "segment/segment-format.h"

#include <stdio.h>
#include <stdlib.h>

#define REPAIRED_PATH "/repaired"
#define TOLD_MOST 4096u
#define KEY_ROOM 260u

/* A span of keys of which repair says that they may be missing or older. */
struct told_span
{
  unsigned stores[2]; /* ids */
  char keys[2][KEY_ROOM];
};

struct salvage
{
  struct verdict *verdict;
  struct bytes *expected; /* by store and key; data NULL = absent */
  bool *open;             /* by store and key: see above */
  bool *told;             /* by spot */
  struct told_span spans[TOLD_MOST];
  unsigned span_count, lost_count;
  bool log_told, manifest_told;
  bool manifest;    /* it can be read */
  bool torn;        /* the log ends before its end, and nothing says that it should not */
  uint64_t torn_at; /* at this commit */
  bool lenient; /* only: no value that the key never had. Without a manifest, with more damage, all
                   of the log there is is replayed, and may know what segments lack. */
};

/* ---- the oracle ---- */

static size_t
place_of (const struct salvage *salvage, uint32_t store, uint32_t key)
{
  return (size_t) store * salvage->verdict->subject->keys + key;
}

static void
set (struct salvage *salvage, uint32_t store, uint32_t key, struct bytes value)
{
  if (store == SUBJECT_CATALOGUE)
    return;
  salvage->expected[place_of (salvage, store, key)] = value;
  salvage->open[place_of (salvage, store, key)] = false;
}

/* Whether nothing of a segment can be read: its footer leads to the pages, its dictionary decodes
 * them; without a manifest all that tells what it is is needed. */
static bool
is_segment_lost (const struct salvage *salvage, const struct subject_segment *segment)
{
  const struct subject *subject = salvage->verdict->subject;
  const struct subject_file *file = &subject->files[segment->file];
  const struct disk_content *now = subject_content (subject, salvage->verdict->disk, segment->file);
  if (now == NULL || now->size != file->size)
    return true;
  for (size_t i = file->first; i < file->last; i++)
    {
      const struct spot *spot = &subject->spots[i];
      bool block = spot->kind == SPOT_BLOCK
                   && (spot->number == BLOCK_DICTIONARY
                       || (!salvage->manifest && spot->number != BLOCK_FILTER));
      if (salvage->verdict->effect->hit[i]
          && (spot->kind == SPOT_FOOTER || block
              || (spot->kind == SPOT_HEADER && !salvage->manifest)))
        return true;
    }
  return false;
}

/* Whether its range deletes are. */
static bool
are_ranges_lost (const struct salvage *salvage, const struct subject_segment *segment)
{
  const struct subject *subject = salvage->verdict->subject;
  const struct subject_file *file = &subject->files[segment->file];
  for (size_t i = file->first; i < file->last; i++)
    if (salvage->verdict->effect->hit[i] && subject->spots[i].kind == SPOT_BLOCK
        && subject->spots[i].number == BLOCK_RANGE_DELETES)
      return true;
  return false;
}

static bool
is_covered (const struct subject *subject, const struct subject_segment *segment,
            const struct version *version)
{
  for (size_t i = segment->first; i < segment->last; i++)
    {
      const struct version *range = &subject->versions[i];
      if (range->leaf == NO_LEAF && range->store == version->store && range->key <= version->key
          && version->key < range->end && range->sequence > version->sequence)
        return true;
    }
  return false;
}

static void
replay_segment (struct salvage *salvage, const struct subject_segment *segment)
{
  const struct verdict *verdict = salvage->verdict;
  const struct subject *subject = verdict->subject;
  const struct version *last = NULL;
  bool ranges = !are_ranges_lost (salvage, segment);
  if (is_segment_lost (salvage, segment))
    return;
  for (size_t i = segment->first; i < segment->last; i++)
    {
      const struct version *version = &subject->versions[i];
      if (version->leaf == NO_LEAF)
        {
          for (uint32_t key = version->key; ranges && key < version->end; key++)
            set (salvage, version->store, key, BYTES_NONE);
          continue;
        }
      bool older = last != NULL && last->store == version->store && last->key == version->key
                   && version->store != SUBJECT_CATALOGUE;
      if (verdict_page_is_hit (verdict, segment, version->leaf) || older)
        continue;
      last = version;
      if (ranges && is_covered (subject, segment, version))
        continue;
      bool gone
          = version->deleted || verdict_value_is_hit (verdict, version->blob, version->blob_offset);
      set (salvage, version->store, version->key, gone ? BYTES_NONE : version->value);
    }
}

static void
replay_commit (struct salvage *salvage, const struct logged *logged, bool certain)
{
  const struct verdict *verdict = salvage->verdict;
  const struct subject *subject = verdict->subject;
  for (size_t i = logged->first; i < logged->last; i++)
    {
      const struct change *change = &subject->changes[i];
      bool gone
          = change->value == 0 || verdict_value_is_hit (verdict, change->blob, change->blob_offset);
      for (uint32_t key = change->key; key < change->end; key++)
        if (certain)
          set (salvage, change->store, key, gone ? BYTES_NONE : subject->value_pool[change->value]);
        else
          salvage->open[place_of (salvage, change->store, key)] = true;
    }
}

/* Whether a record can't be found. A log segment that stands under another's name is found. */
static bool
is_record_lost (const struct salvage *salvage, const struct logged *logged)
{
  const struct verdict *verdict = salvage->verdict;
  const struct subject *subject = verdict->subject;
  if (!verdict->effect->hit[logged->record] && !verdict->effect->hit[logged->header])
    return false;
  uint32_t file = subject->spots[logged->record].file;
  const struct disk_content *before = subject_content (subject, subject->disk, file);
  for (uint32_t other = 0; other < subject->file_count; other++)
    {
      const struct disk_content *now = subject_content (subject, verdict->disk, other);
      if (now != NULL && strstr (subject->files[other].name, ".log") != NULL
          && now->size == before->size && memcmp (now->bytes, before->bytes, now->size) == 0)
        return false;
    }
  return true;
}

/* The newest commit that a whole record says was synced. */
static uint64_t
newest_claim (const struct salvage *salvage)
{
  const struct subject *subject = salvage->verdict->subject;
  uint64_t claim = 0;
  for (uint64_t i = 0; i < subject->last - subject->flushed; i++)
    {
      const struct logged *logged = &subject->logged[i];
      if (!is_record_lost (salvage, logged) && logged->is_long && logged->claim > claim)
        claim = logged->claim;
    }
  return claim;
}

static void
replay_log (struct salvage *salvage)
{
  const struct subject *subject = salvage->verdict->subject;
  uint64_t claim = newest_claim (salvage);
  bool lost = false;
  for (uint64_t i = 0; !subject->closed && i < subject->last - subject->flushed; i++)
    {
      const struct logged *logged = &subject->logged[i];
      bool hit = is_record_lost (salvage, logged);
      salvage->torn = hit && !lost && claim < subject->flushed + 1 + i; /* where a hole begins */
      salvage->torn_at = subject->flushed + 1 + i;
      if (salvage->torn)
        break;
      lost = hit || (lost && !logged->is_long);
      if (!hit)
        replay_commit (salvage, logged, !lost);
    }
}

static int
compare_segments (const void *a, const void *b)
{
  const struct subject_segment *left = *(const struct subject_segment *const *) a;
  const struct subject_segment *right = *(const struct subject_segment *const *) b;
  if (left->max_sequence != right->max_sequence)
    return left->max_sequence < right->max_sequence ? -1 : 1;
  return (left->number > right->number) - (left->number < right->number);
}

/* Without a manifest the segments go by the newest sequence in them. */
static void
replay_all (struct salvage *salvage)
{
  const struct subject *subject = salvage->verdict->subject;
  const struct subject_segment *order[SUBJECT_FILES_MOST];
  for (uint32_t i = 0; i < subject->segment_count; i++)
    order[i] = &subject->segments[subject->segment_count - 1 - i];
  if (!salvage->manifest)
    qsort (order, subject->segment_count, sizeof *order, compare_segments);
  for (uint32_t i = 0; i < subject->segment_count; i++)
    replay_segment (salvage, order[i]);
  replay_log (salvage);
}

/* ---- what is told ---- */

static bool
parse_span (const char *reason, struct told_span *out)
{
  char word[8];
  return sscanf (reason, "keys %7s \"%259[^\"]\" (store %u) up to \"%259[^\"]\" (store %u)", word,
                 out->keys[0], &out->stores[0], out->keys[1], &out->stores[1])
         == 5;
}

static void
note_lost (void *data, const char *file, uint64_t page, const char *reason)
{
  struct salvage *salvage = data;
  struct verdict *verdict = salvage->verdict;
  const struct subject *subject = verdict->subject;
  salvage->lost_count++;
  salvage->log_told |= strcmp (file, "log") == 0;
  salvage->manifest_told |= strcmp (file, "CURRENT") == 0;
  if (salvage->span_count < TOLD_MOST && parse_span (reason, &salvage->spans[salvage->span_count]))
    salvage->span_count++;
  if (!verdict_names_damage (verdict, file) && !verdict_names_damage (verdict, reason)
      && strcmp (file, "log") != 0 && strcmp (file, "catalogue") != 0)
    wrong (verdict, "repair tells of a loss where none is: %s, page %lld: %s", file,
           (long long) page, reason);
  for (size_t i = 0; i < subject->spot_count; i++)
    {
      const struct spot *spot = &subject->spots[i];
      bool paged = spot->kind == SPOT_LEAF || spot->kind == SPOT_INNER;
      if (strcmp (file, subject->files[spot->file].name) == 0
          && (!paged || page == UINT64_MAX || page == spot->number))
        salvage->told[i] = true;
    }
}

/* Order of a key and a printed one, which may be cut ("…"). */
static int
compare_printed (struct bytes key, const char *printed, bool upper)
{
  const char *cut = strstr (printed, "…");
  size_t size = cut != NULL ? (size_t) (cut - printed) : strlen (printed);
  if (cut != NULL && upper && key.size >= size && memcmp (key.data, printed, size) == 0)
    return -1; /* it may be below what was cut */
  return bytes_compare (key, BYTES (printed, size));
}

static bool
is_told (const struct salvage *salvage, uint32_t store, uint32_t key)
{
  const struct subject *subject = salvage->verdict->subject;
  unsigned id = subject->stores[store];
  struct bytes bytes = subject->key_pool[key];
  if (salvage->log_told || salvage->manifest_told)
    return true;
  for (unsigned i = 0; i < salvage->span_count; i++)
    {
      const struct told_span *span = &salvage->spans[i];
      bool above = id > span->stores[0]
                   || (id == span->stores[0] && compare_printed (bytes, span->keys[0], false) >= 0);
      bool below = id < span->stores[1]
                   || (id == span->stores[1] && compare_printed (bytes, span->keys[1], true) <= 0);
      if (above && below)
        return true;
    }
  return false;
}

/* Whether repair said that this key's value is lost. */
static bool
is_value_told (const struct salvage *salvage, uint32_t store, uint32_t key)
{
  const struct verdict *verdict = salvage->verdict;
  const struct subject *subject = verdict->subject;
  for (size_t i = 0; i < subject->version_count; i++)
    {
      const struct version *version = &subject->versions[i];
      if (version->store == store && version->key == key
          && verdict_value_is_hit (verdict, version->blob, version->blob_offset))
        return true;
    }
  for (size_t i = 0; i < subject->change_count; i++)
    {
      const struct change *change = &subject->changes[i];
      if (change->store == store && change->key == key
          && verdict_value_is_hit (verdict, change->blob, change->blob_offset))
        return true;
    }
  return false;
}

/* Whether the first commit that the log lacks left something behind that can be seen. */
static bool
is_torn_visibly (const struct salvage *salvage)
{
  const struct subject *subject = salvage->verdict->subject;
  if (!salvage->torn)
    return false;
  const struct logged *logged = &subject->logged[salvage->torn_at - subject->flushed - 1];
  const struct spot *spot = &subject->spots[logged->record];
  const struct disk_content *now = subject_content (subject, salvage->verdict->disk, spot->file);
  return !salvage->verdict->effect->hit[logged->header] && now != NULL && now->size > spot->from
         && now->bytes[spot->from] != 0;
}

/* Each hit spot of which something may be lost is named. */
static bool
judge_told (struct salvage *salvage)
{
  struct verdict *verdict = salvage->verdict;
  const struct subject *subject = verdict->subject;
  if (is_torn_visibly (salvage) && !salvage->log_told)
    return wrong (verdict, "repair does not tell that the log's end is torn");
  for (size_t i = 0; i < subject->spot_count; i++)
    {
      const struct spot *spot = &subject->spots[i];
      bool page = spot->kind == SPOT_LEAF || spot->kind == SPOT_INNER;
      if (!verdict->effect->hit[i] || !page || salvage->told[i])
        continue;
      bool above = spot->kind == SPOT_INNER; /* one that is hit itself hides those below */
      for (uint32_t s = 0; s < subject->segment_count; s++)
        if (subject->segments[s].file == spot->file
            && spot->number < subject->segments[s].pages - 1)
          above = verdict_page_is_hit (verdict, &subject->segments[s],
                                       subject->segments[s].parents[spot->number]);
      if (!above)
        return wrong (verdict, "repair does not tell of page %llu of %s",
                      (unsigned long long) spot->number, subject->files[spot->file].name);
    }
  return true;
}

/* ---- comparing ---- */

/* Whether the key ever had the value. */
static bool
had_value (const struct salvage *salvage, uint32_t store, uint32_t key, struct bytes value)
{
  const struct subject *subject = salvage->verdict->subject;
  for (size_t i = 0; i < subject->version_count; i++)
    {
      const struct version *version = &subject->versions[i];
      if (version->store == store && version->key == key && version->value.data != NULL
          && bytes_equal (version->value, value))
        return true;
    }
  for (size_t i = 0; i < subject->change_count; i++)
    {
      const struct change *change = &subject->changes[i];
      if (change->store == store && change->key == key && change->value != 0
          && bytes_equal (subject->value_pool[change->value], value))
        return true;
    }
  return false;
}

static bool
judge_key (struct salvage *salvage, struct engine *engine, uint32_t store, uint32_t key)
{
  struct verdict *verdict = salvage->verdict;
  const struct subject *subject = verdict->subject;
  const char *name = (const char *) subject->key_pool[key].data;
  struct failure failure = FAILURE_INIT;
  struct engine_value value = { .data = BYTES_NONE };
  status result = engine_get_value (engine, NULL, subject->stores[store], subject->key_pool[key],
                                    &value, &failure);
  if (result != STATUS_OK && result != STATUS_NOT_FOUND)
    return wrong (verdict, "reading what was repaired: %s (%s)", status_name (result),
                  failure.message);
  bool found = result == STATUS_OK;
  struct bytes expected = salvage->expected[place_of (salvage, store, key)];
  bool same = found == (expected.data != NULL) && (!found || bytes_equal (value.data, expected));
  bool good = same;
  if (!same && found && !had_value (salvage, store, key, value.data))
    wrong (verdict, "repair made up a value of key %.60s", name);
  else if (!same && (salvage->lenient || salvage->open[place_of (salvage, store, key)]))
    good = true;
  else if (!same)
    wrong (verdict, "key %.60s of store %u, which can be saved, %s", name, store,
           !found                  ? "is missing"
           : expected.data == NULL ? "should be absent"
                                   : "has another value");
  uint32_t truth = *table_at (subject, subject_table (subject, subject->last), store, key);
  bool right
      = found == (truth != 0) && (!found || bytes_equal (value.data, subject->value_pool[truth]));
  if (found)
    engine_value_release (&value);
  if (good && !right && !salvage->torn && !is_told (salvage, store, key)
      && !is_value_told (salvage, store, key))
    good = wrong (verdict, "key %.60s of store %u is not as it was, and repair does not say so",
                  name, store);
  return good;
}

/* Whether the store can be reached by a name: its own, or one that repair gave it. */
static bool
judge_name (struct salvage *salvage, struct engine *engine, uint32_t store)
{
  static const char *const names[SUBJECT_STORES] = { "default", "second", "third" };
  struct verdict *verdict = salvage->verdict;
  struct failure failure = FAILURE_INIT;
  char recovered[40];
  engine_store wanted = verdict->subject->stores[store], found = 0;
  snprintf (recovered, sizeof recovered, "recovered-%u", wanted);
  if (engine_store_open (engine, names[store], false, &found, &failure) == STATUS_OK
      && found == wanted)
    return true;
  bool any = false;
  for (uint32_t key = 0; key < verdict->subject->keys; key++)
    any |= salvage->expected[place_of (salvage, store, key)].data != NULL;
  failure = FAILURE_INIT;
  return !any
         || (engine_store_open (engine, recovered, false, &found, &failure) == STATUS_OK
             && found == wanted)
         || wrong (verdict, "what was saved of store %u has no name", store);
}

static bool
judge_repaired (struct salvage *salvage)
{
  struct verdict *verdict = salvage->verdict;
  struct engine_options options;
  struct engine *engine;
  struct failure failure = FAILURE_INIT;
  struct engine_check_report report;
  bool good = true;
  status result
      = check_path (&verdict->disk->vfs, REPAIRED_PATH, true, NULL, NULL, NULL, &report, &failure);
  if (result != STATUS_OK)
    return wrong (verdict, "a deep check of what was repaired: %s (%s)", status_name (result),
                  failure.message);
  subject_options (&verdict->disk->vfs, &options);
  result = engine_open (REPAIRED_PATH, ENGINE_OPEN_READ_ONLY, &options, &engine, &failure);
  if (result != STATUS_OK)
    return wrong (verdict, "opening what was repaired: %s (%s)", status_name (result),
                  failure.message);
  for (uint32_t store = 0; good && store < SUBJECT_STORES; store++)
    {
      good = salvage->lenient || judge_name (salvage, engine, store);
      for (uint32_t key = 0; good && key < verdict->subject->keys; key++)
        good = judge_key (salvage, engine, store, key);
    }
  engine_close (engine, &failure);
  engine_unref (engine);
  return good;
}

/* Whether the manifest can still be read. */
static bool
manifest_stands (const struct verdict *verdict)
{
  const struct subject *subject = verdict->subject;
  if (verdict_hits (verdict, SPOT_CURRENT) || verdict_hits (verdict, SPOT_MANIFEST))
    return false;
  uint32_t current = subject_find_file (subject, "CURRENT");
  return !verdict->effect->file_hit[current];
}

bool
verdict_repair (struct verdict *verdict)
{
  const struct subject *subject = verdict->subject;
  struct salvage *salvage = kept_calloc (1, sizeof *salvage);
  size_t places = (size_t) SUBJECT_STORES * subject->keys;
  struct failure failure = FAILURE_INIT;
  salvage->manifest = manifest_stands (verdict);
  salvage->verdict = verdict;
  salvage->expected = kept_calloc (places, sizeof *salvage->expected);
  salvage->open = kept_calloc (places, sizeof *salvage->open);
  salvage->told = kept_calloc (subject->spot_count, sizeof *salvage->told);
  salvage->lenient = verdict_hits (verdict, SPOT_EDIT);
  for (uint32_t i = 0; i < subject->file_count; i++)
    salvage->lenient |= !salvage->manifest && verdict->effect->file_hit[i]
                        && strncmp (subject->files[i].name, "CURRENT", 7) != 0
                        && strncmp (subject->files[i].name, "MANIFEST", 8) != 0;
  replay_all (salvage);
  verdict->repairs++;
  status result = repair_path (&verdict->disk->vfs, SUBJECT_PATH, REPAIRED_PATH, note_lost, NULL,
                               salvage, NULL, &failure);
  bool good = verdict->reason[0] == '\0';
  if (good && result != STATUS_OK)
    good = wrong (verdict, "repair: %s (%s)", status_name (result), failure.message);
  good = good && judge_repaired (salvage) && judge_told (salvage);
  free (salvage->expected);
  free (salvage->open);
  free (salvage->told);
  free (salvage);
  return good;
}
