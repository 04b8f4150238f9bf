/* SPDX-License-Identifier: MIT */
/*
 * manifest-load: reads a directory; writes nothing, and may run beside a writer.
 *
 *   L1  The file CURRENT names is read to its end or to a torn tail (V5). Each edit but the first
 *       stands there twice. When the first of the two does not verify, the second counts; when the
 *       second does not, its size is known from the first, and reading goes on behind it. When
 *       neither does, and nothing behind them, they are a torn tail: one write that a crash cut.
 *       When something behind them verifies, they were durable once and are damaged.
 *   L2  A writer may switch CURRENT and unlink the old file between two steps here: when the file
 *       is missing, CURRENT is read again, a bounded number of times.
 */
#include "base/coding.h"
#include "base/hash.h"
#include "version/manifest-private.h"

#include <stdio.h>
#include <stdlib.h>

/* Bytes of a file that may count: what a fresh one, which is one edit, may grow to, and some. */
#define MANIFEST_SIZE_MAX ((uint64_t) (LOG_GROWTH_MAX + 1) * EDIT_PAYLOAD_MAX)
#define WINDOW_SIZE 16384u  /* read at once where edits are looked for */
#define SWITCHES_MAX 16     /* of CURRENT while we look */
#define FAMILY_MAGIC_SIZE 3 /* of a magic's bytes: what all our files begin with */
#define VAIN_FACTOR 4       /* bytes checksummed in vain per byte of a file before it is given up */

/* ---- what is there ---- */

struct listing
{
  struct vfs_directory *directory;
  bool current;          /* CURRENT is there */
  bool first_manifest;   /* the manifest a crash during creation leaves */
  bool ours;             /* anything else that bears one of our names */
  bool foreign;          /* anything that does not */
  bool manifest_of_ours; /* a manifest that begins with our magic */
  bool file_of_ours;     /* another file that does; looked for when needed only */
  struct failure unread; /* of a file that can't be read just now; OK: there was none */
};

/* Whether the file begins with the first `size` bytes of the magic of manifests. What is gone, or
 * no regular file, does not. `gone`, which may be NULL: whether somebody deleted it since the
 * directory was listed. */
static bool
begins_with_magic (struct listing *listing, const char *name, size_t size, bool *gone)
{
  struct vfs_file *file;
  uint8_t magic[MANIFEST_MAGIC_SIZE];
  size_t got = 0;
  struct failure cause = FAILURE_INIT;
  status code = vfs_open (listing->directory, name, VFS_READ, &file, &cause);
  if (code == STATUS_OK)
    {
      code = vfs_read (file, 0, magic, size, &got, &cause);
      vfs_close (file);
    }
  if (code != STATUS_OK && code != STATUS_NOT_FOUND && code != STATUS_INVALID)
    listing->unread = cause;
  if (gone != NULL)
    *gone = code == STATUS_NOT_FOUND;
  return code == STATUS_OK && got == size && memcmp (magic, MANIFEST_MAGIC, size) == 0;
}

static bool
probe_visit (void *data, const char *name)
{
  struct listing *listing = data;
  enum file_kind kind;
  uint64_t number;
  bool gone;
  if (strcmp (name, CURRENT_NAME) == 0)
    listing->current = true;
  else if (strcmp (name, LOCK_NAME) == 0 || strcmp (name, SHARED_PAGE_NAME) == 0)
    return true;
  else if (!file_name_parse (name, &kind, &number))
    listing->foreign = true;
  else if (kind == FILE_TEMPORARY && number == MANIFEST_FIRST_NUMBER)
    return true;
  else if (kind != FILE_MANIFEST)
    listing->ours = true;
  else
    {
      bool magic = begins_with_magic (listing, name, MANIFEST_MAGIC_SIZE, &gone);
      if (gone) /* the database is being deleted, or the manifest was replaced: it tells nothing */
        return true;
      listing->manifest_of_ours |= magic;
      listing->first_manifest |= number == MANIFEST_FIRST_NUMBER;
      listing->ours |= number != MANIFEST_FIRST_NUMBER;
      listing->foreign |= !magic && number != MANIFEST_FIRST_NUMBER;
    }
  return true;
}

/* Of a directory whose CURRENT and manifests are no help: one more file of ours tells. */
static bool
find_visit (void *data, const char *name)
{
  struct listing *listing = data;
  enum file_kind kind;
  uint64_t number;
  if (file_name_parse (name, &kind, &number)
      && (kind == FILE_SEGMENT || kind == FILE_BLOB || kind == FILE_LOG))
    listing->file_of_ours = begins_with_magic (listing, name, FAMILY_MAGIC_SIZE, NULL);
  return !listing->file_of_ours;
}

status
manifest_read_current (struct vfs_directory *directory, uint64_t *number, struct failure *failure)
{
  struct vfs_file *file;
  uint8_t content[CURRENT_SIZE_MAX];
  size_t got = 0;
  status code = vfs_open (directory, CURRENT_NAME, VFS_READ, &file, failure);
  if (code != STATUS_OK)
    return code;
  code = vfs_read (file, 0, content, sizeof content, &got, failure);
  vfs_close (file);
  if (code != STATUS_OK)
    return code;
  return current_decode (BYTES (content, got), number) ? STATUS_OK : STATUS_CORRUPT;
}

status
manifest_probe (struct vfs_directory *directory, enum manifest_presence *out,
                struct failure *failure)
{
  struct listing listing = { .directory = directory };
  uint64_t number;
  *out = MANIFEST_FOREIGN;
  status code = vfs_directory_list (directory, probe_visit, &listing, failure);
  if (code != STATUS_OK)
    return code;
  bool sound = false;
  if (listing.current)
    {
      code = manifest_read_current (directory, &number, failure);
      if (code != STATUS_OK && code != STATUS_CORRUPT && code != STATUS_NOT_FOUND)
        return code;
      sound = code == STATUS_OK;
    }
  /* Without CURRENT it may be a first backup that was cut short. */
  if (listing.current && !sound && !listing.manifest_of_ours && listing.ours)
    {
      code = vfs_directory_list (directory, find_visit, &listing, failure);
      if (code != STATUS_OK)
        return code;
    }
  bool ours
      = listing.file_of_ours || (listing.manifest_of_ours && (listing.current || listing.ours));
  if (sound || ours)
    *out = MANIFEST_PRESENT;
  else if (listing.unread.code != STATUS_OK) /* it may be what would have told */
    return fail (failure, listing.unread.code, "%s", listing.unread.message);
  else if (!listing.current && !listing.ours && !listing.foreign)
    *out = MANIFEST_EMPTY;
  return STATUS_OK;
}

/* ---- edits ---- */

struct loader
{
  struct vfs_file *file;
  const char *name;            /* for messages: "<directory>/<name>" */
  uint64_t size;               /* of the file when loading began, as far as it may count */
  uint64_t seed;               /* of its checksums */
  uint64_t at;                 /* offset of the next edit */
  uint64_t last;               /* offset of the one that was added last */
  uint64_t copy_end;           /* where its copy ends, if that stands at `at`; else 0 */
  uint64_t vain;               /* bytes checksummed that did not verify */
  uint64_t edits;              /* decoded so far */
  uint8_t window[WINDOW_SIZE]; /* of the file, where headers are looked for */
  uint64_t window_start;       /* offset of it */
  size_t window_filled;        /* bytes; 0 = none */
  uint8_t *buffer;             /* of one edit; owned */
  size_t capacity;             /* of `buffer` */
  struct history history;      /* what the edits said */
  struct edit_numbers numbers; /* of the last edit */
};

static status
fail_edit (const struct loader *loader, struct failure *failure)
{
  return fail (
      failure, STATUS_CORRUPT,
      "%s: the edit at offset %llu does not match its checksum; restore a backup or repair "
      "the database",
      loader->name, (unsigned long long) loader->at);
}

static status
read_edit (struct loader *loader, uint64_t offset, uint64_t size, struct failure *failure)
{
  if (size > loader->capacity)
    {
      free (loader->buffer);
      loader->capacity = 0;
      loader->buffer = malloc ((size_t) size);
      if (loader->buffer == NULL)
        return fail_memory (failure, size, "an edit of the manifest");
      loader->capacity = (size_t) size;
    }
  return vfs_read_exact (loader->file, offset, loader->buffer, (size_t) size, failure);
}

/* The header of an edit that may stand at `offset`, inside of the file; valid until the next one. */
static status
peek_header (struct loader *loader, uint64_t offset, const uint8_t **header,
             struct failure *failure)
{
  status code = STATUS_OK;
  if (loader->window_filled == 0 || offset < loader->window_start
      || offset + EDIT_HEADER_SIZE > loader->window_start + loader->window_filled)
    {
      uint64_t left = loader->size - offset;
      size_t length = left < WINDOW_SIZE ? (size_t) left : WINDOW_SIZE;
      code = vfs_read_exact (loader->file, offset, loader->window, length, failure);
      loader->window_start = offset;
      loader->window_filled = code == STATUS_OK ? length : 0;
    }
  *header = loader->window + (offset - loader->window_start);
  return code;
}

/* Reads what verifies as an edit at `offset` to the buffer: *size is its size, 0 = there is
 * none. */
static status
find_edit (struct loader *loader, uint64_t offset, uint64_t *size, uint32_t *payload,
           struct failure *failure)
{
  const uint8_t *header;
  uint64_t sum;
  *size = 0;
  if (loader->size - offset < EDIT_HEADER_SIZE)
    return STATUS_OK;
  status code = peek_header (loader, offset, &header, failure);
  if (code != STATUS_OK || !edit_header_decode (header, loader->seed, offset, payload, &sum)
      || *payload > EDIT_PAYLOAD_MAX || edit_size (*payload) > loader->size - offset)
    return code;
  uint64_t whole = edit_size (*payload);
  code = read_edit (loader, offset, whole, failure);
  if (code == STATUS_OK && edit_verifies (loader->seed, offset, BYTES (loader->buffer, whole), sum))
    *size = whole;
  else
    loader->vain += whole;
  return code;
}

/* Goes on behind the edit in the buffer, once it is added to the history; a copy of what was added
 * last is passed over. */
static status
take_edit (struct loader *loader, uint64_t offset, uint64_t size, uint32_t payload,
           struct failure *failure)
{
  struct bytes content = BYTES (loader->buffer + EDIT_HEADER_SIZE, payload);
  uint64_t copy_of = edit_copy_of (content), place = copy_of != 0 ? copy_of : offset;
  status code = STATUS_OK;
  if (place == loader->at)
    {
      code = edit_decode (content, loader->edits, loader->name, &loader->history, &loader->numbers,
                          failure);
      loader->edits++;
      loader->last = place;
    }
  else if (place != loader->last)
    return fail_edit (loader, failure);
  loader->at = next_sector (offset + size);
  loader->copy_end = 0;
  if (copy_of == 0 && offset != MANIFEST_HEADER_SIZE)
    loader->copy_end = next_sector (loader->at + edit_copy_size (payload, offset));
  return code;
}

/* Nothing verifies at `at` (L1). */
static status
pass_damage (struct loader *loader, bool *end, struct failure *failure)
{
  uint64_t size = 0, offset = next_sector (loader->at + 1);
  uint32_t payload;
  for (; offset < loader->size; offset += SECTOR_SIZE)
    {
      status code = find_edit (loader, offset, &size, &payload, failure);
      if (code != STATUS_OK)
        return code;
      if (size != 0
          && edit_copy_of (BYTES (loader->buffer + EDIT_HEADER_SIZE, payload)) == loader->at)
        return take_edit (loader, offset, size, payload, failure);
      if (size != 0 || loader->vain > VAIN_FACTOR * loader->size)
        return fail_edit (loader, failure);
    }
  *end = true;
  return STATUS_OK;
}

/* Reads the edit at `at`; *end when there is none left. */
static status
load_edit (struct loader *loader, bool *end, struct failure *failure)
{
  uint64_t size;
  uint32_t payload;
  *end = loader->at >= loader->size;
  if (*end)
    return STATUS_OK;
  status code = find_edit (loader, loader->at, &size, &payload, failure);
  if (code != STATUS_OK)
    return code;
  if (size != 0)
    return take_edit (loader, loader->at, size, payload, failure);
  if (loader->copy_end == 0)
    return pass_damage (loader, end, failure);
  loader->at = loader->copy_end; /* only the copy is damaged, or torn */
  loader->copy_end = 0;
  return STATUS_OK;
}

static status
check_numbers (const struct loader *loader, struct failure *failure)
{
  const struct edit_numbers *numbers = &loader->numbers;
  const char *fault = NULL;
  if (loader->edits == 0)
    fault = "it holds no complete edit";
  else if (numbers->next_number == 0 || numbers->next_number > FILE_NUMBER_MAX
           || numbers->next_run == 0 || numbers->flushed_sequence > SEQUENCE_MAX
           || numbers->settle_debt_base > numbers->user_bytes)
    fault = "its last edit holds impossible numbers";
  if (fault == NULL)
    return STATUS_OK;
  return fail (failure, STATUS_CORRUPT, "%s: %s; restore a backup or repair the database",
               loader->name, fault);
}

static status
load_edits (struct loader *loader, struct manifest_state *state, struct failure *failure)
{
  bool end = false;
  status code = STATUS_OK;
  while (code == STATUS_OK && !end)
    code = load_edit (loader, &end, failure);
  if (code == STATUS_OK)
    code = check_numbers (loader, failure);
  if (code != STATUS_OK)
    return code;
  state->next_number = loader->numbers.next_number;
  state->next_run = loader->numbers.next_run;
  state->flushed_sequence = loader->numbers.flushed_sequence;
  state->settle_debt_base = loader->numbers.settle_debt_base;
  state->user_bytes = loader->numbers.user_bytes;
  return history_resolve (&loader->history, STATUS_CORRUPT, loader->name, state, failure);
}

/* Loads from the open file. On failure `state` holds nothing owned. */
static status
load_file (struct vfs_file *file, uint64_t number, struct manifest_state *state,
           struct failure *failure)
{
  char name[FAILURE_MESSAGE_SIZE / 2];
  uint8_t header[MANIFEST_HEADER_SIZE];
  struct vfs_file_information information;
  snprintf (name, sizeof name, "%s/%s", file->directory->path, file->name);
  status code = vfs_information (file, &information, failure);
  if (code == STATUS_OK)
    code = vfs_read_exact (file, 0, header, sizeof header, failure);
  if (code == STATUS_OK)
    code = manifest_header_decode (header, number, name, state, failure);
  if (code != STATUS_OK)
    return code;

  struct loader loader = {
    .file = file,
    .name = name,
    .size = information.size < MANIFEST_SIZE_MAX ? information.size : MANIFEST_SIZE_MAX,
    .seed = checksum_seed (state->database_id, number),
    .at = MANIFEST_HEADER_SIZE,
  };
  code = load_edits (&loader, state, failure);
  if (code == STATUS_OK)
    history_accept (&loader.history);
  else
    history_reject (&loader.history);
  free (loader.buffer);
  return code;
}

/* ---- V4: above every name in the directory ---- */

struct highest
{
  uint64_t number; /* the highest so far */
};

static bool
highest_visit (void *data, const char *name)
{
  struct highest *highest = data;
  enum file_kind kind;
  uint64_t number;
  if (file_name_parse (name, &kind, &number) && number > highest->number)
    highest->number = number;
  return true;
}

static status
raise_next_number (struct vfs_directory *directory, struct manifest_state *state,
                   struct failure *failure)
{
  struct highest highest = { 0 };
  status code = vfs_directory_list (directory, highest_visit, &highest, failure);
  if (code != STATUS_OK)
    return code;
  if (highest.number >= FILE_NUMBER_MAX)
    return fail (failure, STATUS_CORRUPT,
                 "%s holds a file with the number %llu, which leaves none for new files; move it "
                 "elsewhere",
                 directory->path, (unsigned long long) highest.number);
  if (state->next_number <= highest.number)
    state->next_number = highest.number + 1;
  return STATUS_OK;
}

/* ---- loading ---- */

/* CURRENT is missing or unreadable: says which it is. */
static status
explain_missing (struct vfs_directory *directory, status code, struct failure *failure)
{
  enum manifest_presence presence;
  if (code != STATUS_NOT_FOUND && code != STATUS_CORRUPT)
    return code;
  status probed = manifest_probe (directory, &presence, failure);
  if (probed != STATUS_OK)
    return probed;
  if (presence == MANIFEST_FOREIGN)
    return fail (failure, STATUS_NOT_A_DATABASE,
                 "%s holds files that are not a database; choose another directory",
                 directory->path);
  if (presence == MANIFEST_EMPTY)
    return STATUS_NOT_FOUND;
  return fail (failure, STATUS_CORRUPT, "%s/CURRENT is %s; restore a backup or repair the database",
               directory->path, code == STATUS_NOT_FOUND ? "missing" : "damaged");
}

/* Opens the manifest that CURRENT names (L2). */
static status
open_current (struct vfs_directory *directory, struct manifest_place *place, struct vfs_file **file,
              struct failure *failure)
{
  uint64_t before = 0;
  for (int attempt = 0; attempt < SWITCHES_MAX; attempt++)
    {
      status code = manifest_read_current (directory, &place->number, failure);
      if (code != STATUS_OK)
        return explain_missing (directory, code, failure);
      file_name (place->name, FILE_MANIFEST, place->number);
      code = vfs_open (directory, place->name, VFS_READ, file, failure);
      if (code != STATUS_NOT_FOUND)
        return code;
      if (place->number == before)
        break;
      before = place->number;
    }
  return fail (failure, STATUS_CORRUPT,
               "%s/%s, which CURRENT names, is missing; restore a backup or repair the database",
               directory->path, place->name);
}

static status
load_place (struct vfs_directory *directory, struct manifest_state *state,
            struct manifest_place *place, struct failure *failure)
{
  struct vfs_file *file;
  *state = (struct manifest_state){ 0 };
  status code = open_current (directory, place, &file, failure);
  if (code != STATUS_OK)
    return code;
  code = load_file (file, place->number, state, failure);
  vfs_close (file);
  if (code == STATUS_OK)
    code = raise_next_number (directory, state, failure);
  if (code != STATUS_OK)
    manifest_state_clear (state);
  return code;
}

status
manifest_load_place (struct vfs_directory *directory, struct manifest_state *state,
                     struct manifest_place *place, struct failure *failure)
{
  status code = load_place (directory, state, place, failure);
  if (code != STATUS_OK || (state->features & MANIFEST_UNFINISHED) == 0)
    return code;
  manifest_state_clear (state);
  return fail (failure, STATUS_NOT_A_DATABASE, /* V9 */
               "%s holds what a repair saved that is not done; wait for it, or, when it was cut "
               "short, repair the damaged database again, into the same directory",
               directory->path);
}

bool
manifest_is_unfinished (struct vfs_directory *directory)
{
  struct manifest_state state;
  struct manifest_place place;
  if (load_place (directory, &state, &place, NULL) != STATUS_OK)
    return false;
  bool unfinished = (state.features & MANIFEST_UNFINISHED) != 0;
  manifest_state_clear (&state);
  return unfinished;
}

status
manifest_load (struct vfs_directory *directory, struct manifest_state *out, struct failure *failure)
{
  struct manifest_place place;
  return manifest_load_place (directory, out, &place, failure);
}

/* ---- orphans ---- */

struct orphan_search
{
  const struct manifest_state *state;
  const char *manifest_name;
  uint64_t *segments; /* numbers of the state's segments, rising; owned */
  void (*visit) (void *data, const char *name);
  void *data; /* the caller's */
};

static int
compare_numbers (const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
  return (a > b) - (a < b);
}

static int
compare_blobs (const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *) left, b = ((const struct manifest_blob *) right)->number;
  return (a > b) - (a < b);
}

static bool
is_orphan (const struct orphan_search *search, const char *name)
{
  enum file_kind kind;
  uint64_t number;
  if (!file_name_parse (name, &kind, &number))
    return false;
  switch (kind)
    {
    case FILE_SEGMENT:
      return bsearch (&number, search->segments, search->state->segment_count, sizeof number,
                      compare_numbers)
             == NULL;
    case FILE_BLOB:
      return search->state->blob_count == 0
             || bsearch (&number, search->state->blobs, search->state->blob_count,
                         sizeof *search->state->blobs, compare_blobs)
                    == NULL;
    case FILE_MANIFEST:
      return strcmp (name, search->manifest_name) != 0;
    case FILE_TEMPORARY:
      return true;
    case FILE_LOG:
    case FILE_HISTORY:
      break;
    }
  return false;
}

static bool
orphan_visit (void *data, const char *name)
{
  const struct orphan_search *search = data;
  if (is_orphan (search, name))
    search->visit (search->data, name);
  return true;
}

status
manifest_orphans (struct vfs_directory *directory, const struct manifest_state *state,
                  const char *manifest_name, void (*visit) (void *data, const char *name),
                  void *data, struct failure *failure)
{
  struct orphan_search search = {
    .state = state,
    .manifest_name = manifest_name,
    .visit = visit,
    .data = data,
  };
  search.segments = malloc ((state->segment_count + 1) * sizeof *search.segments);
  if (search.segments == NULL)
    return fail_memory (failure, state->segment_count * sizeof *search.segments,
                        "looking for orphaned files");
  for (size_t i = 0; i < state->segment_count; i++)
    search.segments[i] = state->segments[i].information.number;
  qsort (search.segments, state->segment_count, sizeof *search.segments, compare_numbers);
  status code = vfs_directory_list (directory, orphan_visit, &search, failure);
  free (search.segments);
  return code;
}
