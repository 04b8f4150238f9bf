/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include "base/epoch.h"
#include "core/upkeep.h"
#include "log/wal-format-private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const store_names[SUBJECT_STORES] = { "default", "second", "third" };

bool
wrong (struct verdict *verdict, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  if (verdict->reason[0] == '\0') /* the first counts */
    vsnprintf (verdict->reason, sizeof verdict->reason, format, arguments);
  va_end (arguments);
  return false;
}

static void
show (struct bytes bytes, char to[200])
{
  size_t size = bytes.size < 150 ? bytes.size : 150;
  for (size_t i = 0; i < size; i++)
    to[i] = bytes.data[i] >= 0x20 && bytes.data[i] < 0x7f ? (char) bytes.data[i] : '.';
  strcpy (to + size, size < bytes.size ? "…" : "");
}

/* ---- what was hit ---- */

/* A log segment whose header is not there is known by its neighbours only: any of the log names
 * it. */
static bool
names_file (const struct verdict *verdict, const char *message, uint32_t i)
{
  const struct subject_file *file = &verdict->subject->files[i];
  bool nameless = strstr (file->name, ".log") != NULL
                  && (verdict->effect->gone[i]
                      || (file->last > file->first
                          && verdict->subject->spots[file->first].kind == SPOT_LOG_HEADER
                          && verdict->effect->hit[file->first]));
  return strstr (message, file->name) != NULL || (nameless && strstr (message, ".log") != NULL);
}

/* Whether the message names a damaged file. */
bool
verdict_names_damage (const struct verdict *verdict, const char *message)
{
  for (uint32_t i = 0; i < verdict->subject->file_count; i++)
    if (verdict->effect->file_hit[i] && names_file (verdict, message, i))
      return true;
  return verdict->effect->other_manifest;
}

bool
verdict_hits (const struct verdict *verdict, enum spot_kind kind)
{
  for (size_t i = 0; i < verdict->subject->spot_count; i++)
    if (verdict->effect->hit[i] && verdict->subject->spots[i].kind == kind)
      return true;
  return false;
}

/* The spot of a page or value. */
static bool
is_spot_hit (const struct verdict *verdict, enum spot_kind kind, uint32_t file, uint64_t number)
{
  const struct subject_file *in = &verdict->subject->files[file];
  for (size_t i = in->first; i < in->last; i++)
    if (verdict->subject->spots[i].kind == kind && verdict->subject->spots[i].number == number)
      return verdict->effect->hit[i];
  abort ();
}

bool
verdict_value_is_hit (const struct verdict *verdict, uint32_t blob, uint64_t offset)
{
  return blob != NO_BLOB && verdict->effect->file_hit[blob]
         && (is_spot_hit (verdict, SPOT_VALUE, blob, offset)
             || is_spot_hit (verdict, SPOT_BLOB, blob, 0));
}

/* Whether an open for reading has to give an error: what it reads of each file at once is hit, or
 * the size of a file that knows its own. */
static bool
must_refuse (const struct verdict *verdict)
{
  const struct subject *subject = verdict->subject;
  for (size_t i = 0; i < subject->spot_count; i++)
    {
      const struct spot *spot = &subject->spots[i];
      bool read = spot->kind == SPOT_CURRENT || spot->kind == SPOT_MANIFEST
                  || spot->kind == SPOT_HEADER || spot->kind == SPOT_FOOTER
                  || (spot->kind == SPOT_BLOCK && spot->number != 0 && spot->number != 3);
      if (verdict->effect->hit[i] && read)
        return true;
      if (verdict->effect->hit[i] && spot->kind == SPOT_BLOB)
        return true;
    }
  for (uint32_t i = 0; i < subject->file_count; i++)
    {
      const struct disk_content *now = subject_content (subject, verdict->disk, i);
      bool sized = strstr (subject->files[i].name, ".seg") != NULL
                   || strcmp (subject->files[i].name, "CURRENT") == 0;
      if (sized && (now == NULL || now->size != subject->files[i].size))
        return true;
    }
  return false;
}

/* Whether commit c's record, or a large value of it, is hit. */
static bool
is_commit_hit (const struct verdict *verdict, uint64_t commit)
{
  const struct subject *subject = verdict->subject;
  const struct logged *logged = &subject->logged[commit - subject->flushed - 1];
  for (size_t i = logged->first; i < logged->last; i++)
    if (verdict_value_is_hit (verdict, subject->changes[i].blob, subject->changes[i].blob_offset))
      return true;
  return verdict->effect->hit[logged->record] || verdict->effect->hit[logged->header];
}

uint64_t
verdict_first_lost (const struct verdict *verdict)
{
  const struct subject *subject = verdict->subject;
  bool near = verdict_hits (verdict, SPOT_RECORD) || verdict_hits (verdict, SPOT_LOG_HEADER)
              || verdict_hits (verdict, SPOT_VALUE) || verdict_hits (verdict, SPOT_BLOB);
  for (uint64_t commit = subject->flushed + 1; near && !subject->closed && commit <= subject->last;
       commit++)
    if (is_commit_hit (verdict, commit))
      return commit;
  return 0;
}

/* Whether a record behind it that is whole says that it was synced. */
bool
verdict_is_claimed (const struct verdict *verdict, uint64_t commit)
{
  const struct subject *subject = verdict->subject;
  for (uint64_t later = commit + 1; later <= subject->last; later++)
    {
      const struct logged *logged = &subject->logged[later - subject->flushed - 1];
      if (logged->is_long && logged->claim >= commit && !is_commit_hit (verdict, later))
        return true;
    }
  return false;
}

/* The pages of a segment that a key's way may lead through: those whose keys reach to it. */
bool
verdict_page_is_hit (const struct verdict *verdict, const struct subject_segment *segment,
                     uint32_t leaf)
{
  for (uint32_t page = leaf;; page = segment->parents[page])
    {
      if (is_spot_hit (verdict, page < segment->leaves ? SPOT_LEAF : SPOT_INNER, segment->file,
                       page))
        return true;
      if (page == segment->pages - 1)
        return false;
    }
}

static int
compare_places (const struct version *version, uint32_t store, uint32_t key)
{
  /* The catalogue sorts before all stores. */
  uint32_t left = version->store == SUBJECT_CATALOGUE ? 0 : version->store + 1;
  uint32_t right = store == SUBJECT_CATALOGUE ? 0 : store + 1;
  if (left != right)
    return left < right ? -1 : 1;
  return (version->key > key) - (version->key < key);
}

/* Whether damage may stand in the way of reading a key: in a leaf that holds it or the keys around
 * it, above one, or in a value of it. */
static bool
may_fail_in (const struct verdict *verdict, const struct subject_segment *segment, uint32_t store,
             uint32_t key)
{
  const struct version *before = NULL;
  for (size_t i = segment->first; i < segment->last; i++)
    {
      const struct version *version = &verdict->subject->versions[i];
      int order = version->leaf != NO_LEAF ? compare_places (version, store, key) : -1;
      if (version->leaf == NO_LEAF)
        continue;
      if (order >= 0 && verdict_page_is_hit (verdict, segment, version->leaf))
        return true;
      if (order == 0 && verdict_value_is_hit (verdict, version->blob, version->blob_offset))
        return true;
      if (order > 0)
        break;
      before = version;
    }
  return before != NULL && verdict_page_is_hit (verdict, segment, before->leaf);
}

static bool
may_fail (const struct verdict *verdict, uint32_t store, uint32_t key)
{
  const struct subject *subject = verdict->subject;
  for (uint32_t i = 0; i < subject->segment_count; i++)
    if (may_fail_in (verdict, &subject->segments[i], store, key))
      return true;
  for (size_t i = 0; i < subject->change_count; i++)
    if (subject->changes[i].store == store && subject->changes[i].key == key
        && verdict_value_is_hit (verdict, subject->changes[i].blob,
                                 subject->changes[i].blob_offset))
      return true;
  return false;
}

/* ---- reading ---- */

/* An error that reading gave: counted when it may be. */
static bool
accept_error (struct verdict *verdict, status code, const struct failure *failure,
              const char *doing)
{
  if (code != STATUS_CORRUPT)
    return wrong (verdict, "%s: %s (%s)", doing, status_name (code), failure->message);
  if (!verdict_names_damage (verdict, failure->message))
    return wrong (verdict, "%s: the error names no damaged file: %s", doing, failure->message);
  verdict->unreadable++;
  return true;
}

static bool
compare_value (struct verdict *verdict, uint32_t key, struct bytes found, uint32_t expected)
{
  char is[200], should[200];
  struct bytes value = verdict->subject->value_pool[expected];
  if (expected != 0 && bytes_equal (found, value))
    return true;
  show (found, is);
  show (value, should);
  return wrong (verdict, "key %.*s: wrong data: %s%s%s", 60,
                (const char *) verdict->subject->key_pool[key].data, is,
                expected != 0 ? ", not " : ", it should be absent", expected != 0 ? should : "");
}

static bool
read_key (struct verdict *verdict, struct engine *engine, uint32_t store, uint32_t key,
          contents expected)
{
  const struct subject *subject = verdict->subject;
  struct failure failure = FAILURE_INIT;
  struct engine_value value;
  uint32_t number = *table_at (subject, expected, store, key);
  status result = engine_get_value (engine, NULL, subject->stores[store], subject->key_pool[key],
                                    &value, &failure);
  if (result == STATUS_OK)
    {
      bool good = compare_value (verdict, key, value.data, number);
      engine_value_release (&value);
      return good;
    }
  if (result == STATUS_NOT_FOUND)
    return number == 0
           || wrong (verdict, "key %.60s of store %u is missing",
                     (const char *) subject->key_pool[key].data, store);
  return accept_error (verdict, result, &failure, "get")
         && (may_fail (verdict, store, key)
             || wrong (verdict, "key %.60s of store %u, far from the damage, can't be read: %s",
                       (const char *) subject->key_pool[key].data, store, failure.message));
}

/* The present keys of [from, to), by a cursor. */
bool
verdict_store (struct verdict *verdict, struct engine *engine, uint32_t store, contents expected,
               uint32_t from, uint32_t to, bool backward)
{
  const struct subject *subject = verdict->subject;
  struct engine_cursor_settings settings = { .store = subject->stores[store] };
  struct engine_cursor *cursor;
  struct failure failure = FAILURE_INIT;
  bool good = true;
  settings.lower = from > 0 ? subject->key_pool[from] : BYTES_NONE;
  settings.upper = to < subject->keys ? subject->key_pool[to] : BYTES_NONE;
  status result = engine_cursor_new (engine, &settings, &cursor, &failure);
  if (result != STATUS_OK)
    return wrong (verdict, "a cursor: %s (%s)", status_name (result), failure.message);
  result
      = backward ? engine_cursor_last (cursor, &failure) : engine_cursor_first (cursor, &failure);
  uint32_t left = to - from, key = 0;
  for (; good && result == STATUS_OK && engine_cursor_valid (cursor); left--)
    {
      struct bytes value;
      for (;; left--)
        {
          if (left == 0)
            {
              good = wrong (verdict, "a scan finds more than there was");
              break;
            }
          key = backward ? from + left - 1 : to - left;
          if (*table_at (subject, expected, store, key) != 0)
            break;
        }
      if (!good)
        break;
      if (!bytes_equal (engine_cursor_key (cursor), subject->key_pool[key]))
        good = wrong (verdict, "a scan of store %u finds %.*s where %.60s should be", store,
                      (int) engine_cursor_key (cursor).size,
                      (const char *) engine_cursor_key (cursor).data,
                      (const char *) subject->key_pool[key].data);
      if (good && (result = engine_cursor_value (cursor, &value, &failure)) == STATUS_OK)
        good = compare_value (verdict, key, value, *table_at (subject, expected, store, key));
      else if (good && accept_error (verdict, result, &failure, "a scan's value"))
        failure = FAILURE_INIT; /* the next ones can be read */
      else
        break;
      if (good)
        result = backward ? engine_cursor_previous (cursor, &failure)
                          : engine_cursor_next (cursor, &failure);
    }
  engine_cursor_free (cursor);
  if (!good)
    return false;
  if (result != STATUS_OK)
    return accept_error (verdict, result, &failure, "a scan");
  for (; left > 0; left--)
    {
      key = backward ? from + left - 1 : to - left;
      if (*table_at (subject, expected, store, key) != 0)
        return wrong (verdict, "a scan of store %u ends before %.60s", store,
                      (const char *) subject->key_pool[key].data);
    }
  return true;
}

static bool
visit_store (void *data, const char *name, engine_store store)
{
  (void) name;
  (void) store;
  ++*(unsigned *) data;
  return true;
}

static bool
read_catalogue (struct verdict *verdict, struct engine *engine)
{
  struct failure failure = FAILURE_INIT;
  unsigned count = 0;
  status result = engine_store_list (engine, visit_store, &count, &failure);
  if (result != STATUS_OK)
    return accept_error (verdict, result, &failure, "listing the stores");
  if (count != SUBJECT_STORES)
    return wrong (verdict, "%u stores are listed", count);
  for (uint32_t i = 0; i < SUBJECT_STORES; i++)
    {
      engine_store store = 0;
      failure = FAILURE_INIT;
      result = engine_store_open (engine, store_names[i], false, &store, &failure);
      if (result != STATUS_OK && !accept_error (verdict, result, &failure, "opening a store"))
        return false;
      if (result == STATUS_OK && store != verdict->subject->stores[i])
        return wrong (verdict, "store %s is %u", store_names[i], store);
    }
  return true;
}

static bool
read_all (struct verdict *verdict, struct engine *engine, contents expected)
{
  const struct subject *subject = verdict->subject;
  if (!read_catalogue (verdict, engine))
    return false;
  for (uint32_t store = 0; store < SUBJECT_STORES; store++)
    {
      if (!verdict_store (verdict, engine, store, expected, 0, subject->keys, false)
          || !verdict_store (verdict, engine, store, expected, 0, subject->keys, true))
        return false;
      for (uint32_t key = 0; key < subject->keys; key++)
        if (!read_key (verdict, engine, store, key, expected))
          return false;
    }
  return true;
}

/* The keys of a leaf in one store, and those around them; a few gets. */
static bool
read_leaf_of (struct verdict *verdict, struct engine *engine, contents expected,
              const struct subject_segment *segment, uint32_t leaf, uint32_t store)
{
  const struct subject *subject = verdict->subject;
  uint32_t first = UINT32_MAX, last = 0;
  for (size_t i = segment->first; i < segment->last; i++)
    if (subject->versions[i].leaf == leaf && subject->versions[i].store == store)
      {
        last = subject->versions[i].key;
        first = first == UINT32_MAX ? last : first;
      }
  if (first == UINT32_MAX)
    return true;
  if (store == SUBJECT_CATALOGUE)
    return read_catalogue (verdict, engine);
  uint32_t from = first > 2 ? first - 2 : 0;
  uint32_t to = last + 3 < subject->keys ? last + 3 : subject->keys;
  return verdict_store (verdict, engine, store, expected, from, to, false)
         && read_key (verdict, engine, store, first, expected)
         && read_key (verdict, engine, store, last, expected)
         && read_key (verdict, engine, store, (first + last) / 2, expected);
}

static bool
read_leaf (struct verdict *verdict, struct engine *engine, contents expected,
           const struct subject_segment *segment, uint32_t leaf)
{
  for (uint32_t store = 0; store <= SUBJECT_CATALOGUE; store++)
    if (!read_leaf_of (verdict, engine, expected, segment, leaf, store))
      return false;
  return true;
}

/* The keys that had the value, and some. */
static bool
read_value (struct verdict *verdict, struct engine *engine, contents expected, uint32_t file,
            uint64_t offset)
{
  const struct subject *subject = verdict->subject;
  for (size_t i = 0; i < subject->version_count; i++)
    {
      const struct version *version = &subject->versions[i];
      if (version->blob == file && version->blob_offset == offset
          && !read_key (verdict, engine, version->store, version->key, expected))
        return false;
    }
  for (size_t i = 0; i < subject->change_count; i++)
    {
      const struct change *change = &subject->changes[i];
      if (change->blob == file && change->blob_offset == offset
          && !read_key (verdict, engine, change->store, change->key, expected))
        return false;
    }
  return true;
}

/* A key of each leaf that an inner page leads to. */
static bool
read_below (struct verdict *verdict, struct engine *engine, contents expected,
            const struct subject_segment *segment, uint32_t inner)
{
  const struct subject *subject = verdict->subject;
  uint32_t before = NO_LEAF;
  for (size_t i = segment->first; i < segment->last; i++)
    {
      const struct version *version = &subject->versions[i];
      uint32_t page = version->leaf;
      if (page == NO_LEAF || page == before || version->store == SUBJECT_CATALOGUE)
        continue;
      before = page;
      while (page != inner && page != segment->pages - 1)
        page = segment->parents[page];
      if (page == inner && !read_key (verdict, engine, version->store, version->key, expected))
        return false;
    }
  return true;
}

static bool
read_changes (struct verdict *verdict, struct engine *engine, contents expected, uint64_t commit)
{
  const struct subject *subject = verdict->subject;
  if (commit <= subject->flushed || commit > subject->last)
    return true;
  const struct logged *logged = &subject->logged[commit - subject->flushed - 1];
  for (size_t i = logged->first; i < logged->last; i++)
    if (!read_key (verdict, engine, subject->changes[i].store, subject->changes[i].key, expected))
      return false;
  return true;
}

/* What a record of the log and those around it change, and the first and last ones. */
static bool
read_record (struct verdict *verdict, struct engine *engine, contents expected, uint64_t commit)
{
  const struct subject *subject = verdict->subject;
  for (uint64_t near = commit > 2 ? commit - 2 : 1; near <= commit + 2; near++)
    if (!read_changes (verdict, engine, expected, near))
      return false;
  return read_changes (verdict, engine, expected, subject->flushed + 1)
         && read_changes (verdict, engine, expected, subject->last);
}

/* What shares a page with the damage, which is one spot's; and a key elsewhere. */
static bool
read_near (struct verdict *verdict, struct engine *engine, contents expected)
{
  const struct subject *subject = verdict->subject;
  for (size_t i = 0; i < subject->spot_count; i++)
    {
      const struct spot *spot = &subject->spots[i];
      if (!verdict->effect->hit[i])
        continue;
      if (spot->kind == SPOT_VALUE)
        return read_value (verdict, engine, expected, spot->file, spot->number);
      bool page = spot->kind == SPOT_LEAF || spot->kind == SPOT_INNER;
      for (uint32_t s = 0; page && s < subject->segment_count; s++)
        if (subject->segments[s].file == spot->file)
          return spot->kind == SPOT_LEAF
                     ? read_leaf (verdict, engine, expected, &subject->segments[s],
                                  (uint32_t) spot->number)
                     : read_below (verdict, engine, expected, &subject->segments[s],
                                   (uint32_t) spot->number);
      if (spot->kind == SPOT_RECORD)
        return read_record (verdict, engine, expected, spot->number);
      if (spot->kind == SPOT_SLACK)
        return read_key (verdict, engine, 0, subject->keys / 2, expected);
    }
  return read_all (verdict, engine, expected);
}

/* Whether reading everything must have met an error. */
static bool
must_be_unreadable (const struct verdict *verdict, contents expected)
{
  const struct subject *subject = verdict->subject;
  if (verdict_hits (verdict, SPOT_LEAF) || verdict_hits (verdict, SPOT_INNER))
    return true;
  if (!verdict_hits (verdict, SPOT_VALUE))
    return false;
  for (size_t i = 0; i < subject->version_count; i++)
    {
      const struct version *version = &subject->versions[i];
      if (verdict_value_is_hit (verdict, version->blob, version->blob_offset)
          && version->value.data != NULL
          && bytes_equal (
              version->value,
              subject->value_pool[*table_at (subject, expected, version->store, version->key)]))
        return true;
    }
  return false;
}

static status
open_subject (struct verdict *verdict, unsigned flags, struct engine **engine,
              struct failure *failure)
{
  struct engine_options options;
  subject_options (&verdict->disk->vfs, &options);
  *failure = FAILURE_INIT;
  return engine_open (SUBJECT_PATH, flags, &options, engine, failure);
}

/* How an opening may end. Found out before it: one for writing changes the files. */
struct expectation
{
  uint64_t lost; /* the first commit that is not to be found; 0 = none */
  bool claimed;  /* which must not be lost */
  bool refuse;   /* it must give an error */
  bool may;      /* it may */
};

/* Whether a log segment stands, whole, under another's name, and something under its own. `needed`:
 * one with commits that are. */
static bool
is_renamed (const struct verdict *verdict, bool needed)
{
  const struct subject *subject = verdict->subject;
  for (uint32_t i = 0; i < subject->file_count; i++)
    for (uint32_t other = 0; other < subject->file_count; other++)
      {
        const struct subject_file *file = &subject->files[i];
        const struct disk_content *before = subject_content (subject, subject->disk, i);
        const struct disk_content *now = subject_content (subject, verdict->disk, other);
        if (i != other && verdict->effect->file_hit[other]
            && subject->spots[file->first].kind == SPOT_LOG_HEADER && now != NULL
            && (!needed
                || (verdict->effect->file_hit[i]
                    && subject->spots[file->last - 2].number > subject->flushed))
            && strstr (subject->files[other].name, ".log") != NULL && now->size == before->size
            && memcmp (now->bytes, before->bytes, now->size) == 0
            && subject_content (subject, verdict->disk, i) != NULL)
          return true;
      }
  return false;
}

/* Whether a whole log segment of another database lies there, needed or not. */
static bool
has_foreign_log (const struct verdict *verdict)
{
  const struct subject *subject = verdict->subject;
  for (uint32_t i = 0; i < subject->file_count; i++)
    {
      const struct disk_content *before = subject_content (subject, subject->disk, i);
      const struct disk_content *now = subject_content (subject, verdict->disk, i);
      struct wal_segment_header is, was;
      if (strstr (subject->files[i].name, ".log") != NULL && verdict->effect->file_hit[i]
          && now != NULL && now->size >= WAL_HEADER_SIZE && wal_header_decode (now->bytes, &is)
          && (!wal_header_decode (before->bytes, &was) /* a spare */
              || memcmp (is.database_id, was.database_id, sizeof is.database_id) != 0))
        return true;
    }
  return false;
}

static struct expectation
expect (const struct verdict *verdict)
{
  struct expectation out = { .lost = verdict_first_lost (verdict) };
  bool edits = verdict_hits (verdict, SPOT_EDIT) || verdict_hits (verdict, SPOT_COPY);
  out.claimed = out.lost != 0 && verdict_is_claimed (verdict, out.lost);
  out.refuse = out.claimed || must_refuse (verdict) || is_renamed (verdict, true);
  out.may = out.refuse || edits || is_renamed (verdict, false) || has_foreign_log (verdict)
            || (out.lost != 0 && verdict_hits (verdict, SPOT_LOG_HEADER));
  return out;
}

/* Judges how it ended; *commit is what is to be found. */
static bool
judge_open (struct verdict *verdict, const struct expectation *expected, status result,
            const struct failure *failure, struct engine *engine, uint64_t *commit)
{
  *commit = expected->lost != 0 ? expected->lost - 1 : verdict->subject->last;
  if (result == STATUS_OK)
    {
      if (expected->refuse)
        return wrong (verdict, "it opens although %s is damaged",
                      expected->claimed ? "a commit that was synced" : "what every opening reads");
      if (engine_sequence (engine) != *commit)
        return wrong (verdict, "it opens at commit %llu, not %llu",
                      (unsigned long long) engine_sequence (engine), (unsigned long long) *commit);
      verdict->torn += expected->lost != 0;
      return true;
    }
  verdict->refused++;
  if (!expected->may)
    return wrong (verdict, "it does not open although nothing that is needed is damaged: %s (%s)",
                  status_name (result), failure->message);
  if (result != STATUS_CORRUPT)
    return wrong (verdict, "opening: %s (%s)", status_name (result), failure->message);
  return verdict_names_damage (verdict, failure->message)
         || wrong (verdict, "opening: the error names no damaged file: %s", failure->message);
}

static void
close_subject (struct engine *engine)
{
  struct failure ignored = FAILURE_INIT;
  engine_close (engine, &ignored);
  engine_unref (engine);
}

bool
verdict_read (struct verdict *verdict, bool all)
{
  struct engine *engine = NULL;
  struct failure failure;
  uint64_t commit;
  struct expectation expected = expect (verdict);
  status result = open_subject (verdict, ENGINE_OPEN_READ_ONLY, &engine, &failure);
  verdict->opens++;
  bool good = judge_open (verdict, &expected, result, &failure, engine, &commit);
  if (result != STATUS_OK)
    return good;
  if (good)
    {
      contents table = subject_table (verdict->subject, commit);
      uint64_t unreadable = verdict->unreadable;
      good = all ? read_all (verdict, engine, table) : read_near (verdict, engine, table);
      if (good && verdict->unreadable == unreadable && must_be_unreadable (verdict, table))
        good = wrong (verdict, "no read met the damage");
    }
  close_subject (engine);
  return good;
}

bool
verdict_is_unseen (const struct verdict *verdict)
{
  const struct subject *subject = verdict->subject;
  for (size_t i = 0; i < subject->spot_count; i++)
    {
      enum spot_kind kind = subject->spots[i].kind;
      if (verdict->effect->hit[i] && kind != SPOT_LEAF && kind != SPOT_INNER && kind != SPOT_VALUE)
        return false;
    }
  return verdict_first_lost (verdict) == 0; /* recovering reads the values of the log */
}

struct engine *
verdict_open (const struct subject *subject, struct disk *disk)
{
  struct verdict verdict = { .subject = subject, .disk = disk };
  struct engine *engine;
  struct failure failure;
  status result = open_subject (&verdict, ENGINE_OPEN_READ_ONLY, &engine, &failure);
  if (result == STATUS_OK)
    return engine;
  fprintf (stderr, "the undamaged database: %s (%s)\n", status_name (result), failure.message);
  abort ();
}

bool
verdict_read_open (struct verdict *verdict, struct engine *engine)
{
  contents expected = subject_table (verdict->subject, verdict->subject->last);
  engine_evict_cache (engine, 1);
  if (!read_near (verdict, engine, expected))
    return false;
  return verdict->unreadable > 0 || !must_be_unreadable (verdict, expected)
         || wrong (verdict, "no read met the damage");
}

void
verdict_close (struct engine *engine)
{
  if (engine != NULL)
    close_subject (engine);
}

/* ---- recovering ---- */

/* As read_all, but the marks that recovering left are no key of the pool. */
static bool
read_recovered (struct verdict *verdict, struct engine *engine, contents expected)
{
  const struct subject *subject = verdict->subject;
  for (uint32_t store = 0; store < SUBJECT_STORES; store++)
    for (uint32_t key = 0; key < subject->keys; key++)
      if (!read_key (verdict, engine, store, key, expected))
        return false;
  return true;
}

/* Writes, compacts, reads. */
static bool
use_recovered (struct verdict *verdict, struct engine *engine, contents expected)
{
  struct failure failure = FAILURE_INIT;
  status result = engine_put (engine, ENGINE_STORE_DEFAULT, BYTES ("~mark", 5), BYTES ("1", 1),
                              ENGINE_SYNC_FULL, NULL, &failure);
  if (result != STATUS_OK)
    return wrong (verdict, "writing after it was opened: %s (%s)", status_name (result),
                  failure.message);
  if (!read_recovered (verdict, engine, expected))
    return false;
  failure = FAILURE_INIT;
  result = engine_compact (engine, NULL, NULL, &failure);
  if (result != STATUS_OK && !accept_error (verdict, result, &failure, "compacting"))
    return false;
  return read_recovered (verdict, engine, expected);
}

bool
verdict_recover (struct verdict *verdict)
{
  struct engine *engine = NULL;
  struct failure failure;
  uint64_t commit;
  struct expectation expectation = expect (verdict);
  status result = open_subject (verdict, 0, &engine, &failure);
  verdict->recoveries++;
  bool good = judge_open (verdict, &expectation, result, &failure, engine, &commit);
  if (result != STATUS_OK)
    return good;
  contents expected = good ? subject_table (verdict->subject, commit) : NULL;
  good = good && use_recovered (verdict, engine, expected);
  failure = FAILURE_INIT;
  result = engine_close (engine, &failure);
  engine_unref (engine);
  if (!good)
    return false;
  if (result != STATUS_OK && !accept_error (verdict, result, &failure, "closing"))
    return false;
  result = open_subject (verdict, 0, &engine, &failure);
  if (result != STATUS_OK)
    return wrong (verdict, "opening once more: %s (%s)", status_name (result), failure.message);
  char mark[8];
  size_t size;
  good = read_recovered (verdict, engine, expected);
  result = engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES ("~mark", 5), mark, sizeof mark,
                       &size, &failure);
  if (good && result != STATUS_OK)
    good = wrong (verdict, "what was written is gone: %s (%s)", status_name (result),
                  failure.message);
  close_subject (engine);
  return good;
}

/* ---- checking ---- */

struct faults
{
  struct verdict *verdict;
  unsigned count;
  bool log;   /* one is of the log; it tells of the first only */
  bool *told; /* by spot: a fault names its page, or its file where it has none */
};

static void
note_fault (void *data, const char *file, uint64_t page, const char *reason)
{
  struct faults *faults = data;
  const struct subject *subject = faults->verdict->subject;
  faults->count++;
  faults->log |= strcmp (file, "log") == 0;
  if (!verdict_names_damage (faults->verdict, file)
      && !verdict_names_damage (faults->verdict, reason))
    wrong (faults->verdict, "the check finds a fault where none is: %s, page %lld: %s", file,
           (long long) page, reason);
  for (size_t i = 0; i < subject->spot_count; i++)
    {
      const struct spot *spot = &subject->spots[i];
      const char *name = subject->files[spot->file].name;
      bool paged = spot->kind == SPOT_LEAF || spot->kind == SPOT_INNER;
      if ((strcmp (file, name) == 0 || names_file (faults->verdict, reason, spot->file))
          && (!paged || page == UINT64_MAX || page == spot->number))
        faults->told[i] = true;
    }
}

/* Whether a check can't see the spot because it can't even open what leads there. */
static bool
is_out_of_sight (const struct verdict *verdict, const struct spot *spot, bool manifest)
{
  const struct subject *subject = verdict->subject;
  if (spot->kind != SPOT_LEAF && spot->kind != SPOT_INNER && spot->kind != SPOT_BLOCK
      && spot->kind != SPOT_VALUE && spot->kind != SPOT_BLOB && spot->kind != SPOT_RECORD
      && spot->kind != SPOT_LOG_HEADER)
    return false;
  if (manifest)
    return spot->kind != SPOT_LEAF && spot->kind != SPOT_INNER && spot->kind != SPOT_BLOCK;
  for (uint32_t s = 0; s < subject->segment_count; s++)
    if (subject->segments[s].file == spot->file)
      for (size_t i = subject->files[spot->file].first; i < subject->files[spot->file].last; i++)
        if (verdict->effect->hit[i]
            && (subject->spots[i].kind == SPOT_INNER
                || (spot->kind == SPOT_LEAF && subject->spots[i].kind == SPOT_BLOCK)))
          return true;
  return false;
}

/* Whether only the log refers to the value. */
static bool
is_of_log (const struct subject *subject, const struct spot *spot)
{
  for (size_t i = 0; i < subject->version_count; i++)
    if (subject->versions[i].blob == spot->file && subject->versions[i].blob_offset == spot->number)
      return false;
  return true;
}

bool
verdict_check (struct verdict *verdict)
{
  const struct subject *subject = verdict->subject;
  struct failure failure = FAILURE_INIT;
  struct engine_check_report report;
  struct faults faults = { .verdict = verdict };
  faults.told = calloc (subject->spot_count, sizeof *faults.told);
  verdict->checks++;
  status result = check_path (&verdict->disk->vfs, SUBJECT_PATH, true, note_fault, NULL, &faults,
                              &report, &failure);
  uint64_t lost = verdict_first_lost (verdict);
  bool manifest = verdict_hits (verdict, SPOT_CURRENT) || verdict_hits (verdict, SPOT_MANIFEST)
                  || verdict_hits (verdict, SPOT_EDIT);
  bool good = verdict->reason[0] == '\0';
  if (good && result != STATUS_OK && result != STATUS_CORRUPT)
    good = wrong (verdict, "the check: %s (%s)", status_name (result), failure.message);
  if (good && (result == STATUS_CORRUPT) != (faults.count > 0))
    good = wrong (verdict, "the check gives %s with %u faults", status_name (result), faults.count);
  for (size_t i = 0; good && i < subject->spot_count; i++)
    {
      const struct spot *spot = &subject->spots[i];
      bool silent = spot->kind == SPOT_SLACK || spot->kind == SPOT_EDIT || spot->kind == SPOT_COPY;
      if (spot->kind == SPOT_MANIFEST)
        silent = verdict->effect->other_manifest || verdict_hits (verdict, SPOT_CURRENT);
      if (lost != 0 && !verdict_is_claimed (verdict, lost) && spot->kind == SPOT_VALUE)
        silent = is_of_log (subject, spot);
      if (spot->kind == SPOT_RECORD || spot->kind == SPOT_LOG_HEADER)
        silent = lost == 0 || !verdict_is_claimed (verdict, lost) || faults.log;
      if (!verdict->effect->hit[i] || silent || faults.told[i]
          || is_out_of_sight (verdict, spot, manifest))
        continue;
      good = wrong (verdict, "the check does not name %s, %s %llu", subject->files[spot->file].name,
                    spot->kind == SPOT_LEAF || spot->kind == SPOT_INNER ? "page" : "offset",
                    (unsigned long long) (spot->kind == SPOT_LEAF || spot->kind == SPOT_INNER
                                              ? spot->number
                                              : spot->from));
    }
  free (faults.told);
  return good;
}
