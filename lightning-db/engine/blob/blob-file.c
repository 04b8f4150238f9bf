/* SPDX-License-Identifier: MIT */
/*
 * blob-file: header and references of blob files, and reading values.
 *
 * Invariants
 *   F1  Nothing from a reference or header is used before it was checked; a read stays between the
 *       header and the greatest file offset.
 *   F2  An open blob file is immutable here but for its reference count and cached values: reads
 *       take no lock.
 *   F3  Cached values have a slot for each 4 KiB of the file, that of their first byte. Only values
 *       of at least as much are kept, so no two have the same; a cached page begins with its
 *       value's place, which is compared, since a damaged reference may lead anywhere.
 */
#include "blob/blob-private.h"

#include "base/coding.h"
#include "base/hash.h"
#include "base/timing.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Where the fields of a header are. */
enum
{
  HEADER_VERSION = 8,       /* u32 */
  HEADER_FEATURES = 12,     /* u32, 0 */
  HEADER_NUMBER = 16,       /* u64 */
  HEADER_DATABASE = 24,     /* 16 bytes */
  HEADER_KEY_EPOCH = 40,    /* u64, 0 = not encrypted */
  HEADER_TRAILER_SIZE = 48, /* u32 */
  HEADER_RESERVED = 52,     /* u32, 0 */
  HEADER_CHECKSUM = 56,     /* u64 */
};

struct blob_file
{
  _Atomic uint32_t references;
  struct vfs_file *file; /* owned */
  uint64_t number;
  uint64_t seed;           /* of all checksums in the file */
  uint32_t trailer_size;   /* bytes after each value, from the header */
  struct page_table table; /* F3; cleared with the last reference */
  struct metrics *metrics; /* where reads into the cache are counted; NULL: nowhere */
};

#define SLOT_BYTES 4096u /* of the file, for each slot; the least value that is kept */
#define SLOTS_MOST (UINT64_C (1) << 22)

/* What a cached page begins with. */
struct cached_value
{
  uint64_t offset, size; /* of the reference */
  uint8_t bytes[];       /* of the value */
};

/* --- layout ----------------------------------------------------------------------------------- */

void
blob_name (char to[BLOB_NAME_SIZE], uint64_t number)
{
  snprintf (to, BLOB_NAME_SIZE, "%" PRIu64 ".blob", number);
}

void
blob_header_store (uint8_t to[BLOB_HEADER_SIZE], const uint8_t database_id[16], uint64_t number)
{
  memset (to, 0, BLOB_HEADER_SIZE);
  memcpy (to, BLOB_MAGIC, BLOB_MAGIC_SIZE);
  store_u32 (to + HEADER_VERSION, BLOB_FORMAT_VERSION);
  store_u64 (to + HEADER_NUMBER, number);
  memcpy (to + HEADER_DATABASE, database_id, 16);
  store_u32 (to + HEADER_TRAILER_SIZE, BLOB_TRAILER_SIZE);
  store_u64 (to + HEADER_CHECKSUM,
             checksum (checksum_seed (database_id, number), 0, BYTES (to, HEADER_CHECKSUM)));
}

status
blob_judge_header (const uint8_t *header, const char *directory, const char *name,
                   struct failure *failure)
{
  uint64_t seed = checksum_seed (header + HEADER_DATABASE, load_u64 (header + HEADER_NUMBER));
  if (memcmp (header, BLOB_MAGIC, BLOB_MAGIC_SIZE) != 0
      || load_u64 (header + HEADER_CHECKSUM) != checksum (seed, 0, BYTES (header, HEADER_CHECKSUM)))
    return STATUS_CORRUPT;
  if (load_u32 (header + HEADER_VERSION) == BLOB_FORMAT_VERSION
      && load_u32 (header + HEADER_FEATURES) == 0 && load_u64 (header + HEADER_KEY_EPOCH) == 0)
    return STATUS_OK;
  return fail (failure, STATUS_NEWER_FORMAT,
               "%s/%s (format %" PRIu32 ", features %" PRIx32 ", key epoch %" PRIu64
               ") was written by a later version; open it with that one",
               directory, name, load_u32 (header + HEADER_VERSION),
               load_u32 (header + HEADER_FEATURES), load_u64 (header + HEADER_KEY_EPOCH));
}

static status
check_header (const struct vfs_file *file, const uint8_t header[BLOB_HEADER_SIZE],
              const uint8_t database_id[16], uint64_t number, struct failure *failure)
{
  const char *directory = file->directory->path, *name = file->name;
  if (memcmp (header, BLOB_MAGIC, BLOB_MAGIC_SIZE) != 0)
    return fail (failure, STATUS_CORRUPT,
                 "%s/%s does not begin like a blob file; restore it from a backup", directory,
                 name);
  status result = blob_judge_header (header, directory, name, failure);
  if (result == STATUS_CORRUPT)
    return fail (failure, STATUS_CORRUPT,
                 "the header of %s/%s does not match its checksum; restore it from a backup",
                 directory, name);
  if (result != STATUS_OK)
    return result;
  if (memcmp (header + HEADER_DATABASE, database_id, 16) != 0
      || load_u64 (header + HEADER_NUMBER) != number)
    return fail (failure, STATUS_CORRUPT,
                 "%s/%s belongs to another database or was renamed; restore the right one from a "
                 "backup",
                 directory, name);
  uint32_t trailer_size = load_u32 (header + HEADER_TRAILER_SIZE);
  if (trailer_size < BLOB_TRAILER_SIZE || trailer_size > BLOB_TRAILER_SIZE_MAX)
    return fail (failure, STATUS_CORRUPT, "the header of %s/%s gives no valid trailer size (%u)",
                 directory, name, trailer_size);
  return STATUS_OK;
}

static bool
reference_is_valid (const struct blob_reference *reference)
{
  return reference->size <= VALUE_SIZE_MAX && reference->offset >= BLOB_HEADER_SIZE
         && reference->offset % BLOB_ALIGNMENT == 0
         && reference->offset <= INT64_MAX - VALUE_SIZE_MAX - BLOB_TRAILER_SIZE_MAX;
}

void
blob_reference_store (uint8_t to[BLOB_REFERENCE_SIZE], const struct blob_reference *reference)
{
  store_u64 (to, reference->file);
  store_u64 (to + 8, reference->offset);
  store_u64 (to + 16, reference->size);
}

bool
blob_reference_load (struct bytes from, struct blob_reference *out)
{
  *out = (struct blob_reference){ 0 };
  if (from.size != BLOB_REFERENCE_SIZE)
    return false;
  out->file = load_u64 (from.data);
  out->offset = load_u64 (from.data + 8);
  out->size = load_u64 (from.data + 16);
  return reference_is_valid (out);
}

/* --- reading ---------------------------------------------------------------------------------- */

status
blob_file_open (struct vfs_directory *directory, const uint8_t database_id[16], uint64_t number,
                struct blob_file **out, struct failure *failure)
{
  char name[BLOB_NAME_SIZE];
  uint8_t header[BLOB_HEADER_SIZE];
  struct blob_file *opened = calloc (1, sizeof *opened);
  *out = NULL;
  if (opened == NULL)
    return fail_memory (failure, sizeof *opened, "an open blob file");

  blob_name (name, number);
  status result = vfs_open (directory, name, VFS_READ, &opened->file, failure);
  if (result == STATUS_NOT_FOUND)
    result = fail (failure, STATUS_CORRUPT,
                   "%s/%s is missing, and the database refers to it; restore it from a backup",
                   directory->path, name);
  if (result == STATUS_OK)
    result = vfs_read_exact (opened->file, 0, header, sizeof header, failure);
  if (result == STATUS_OK)
    result = check_header (opened->file, header, database_id, number, failure);
  if (result != STATUS_OK)
    {
      vfs_close (opened->file);
      free (opened);
      return result;
    }

  opened->references = 1;
  opened->number = number;
  opened->seed = checksum_seed (database_id, number);
  opened->trailer_size = load_u32 (header + HEADER_TRAILER_SIZE);
  *out = opened;
  return STATUS_OK;
}

struct blob_file *
blob_file_ref (struct blob_file *file)
{
  if (file != NULL)
    atomic_fetch_add_explicit (&file->references, 1, memory_order_relaxed);
  return file;
}

void
blob_file_unref (struct blob_file *file)
{
  if (file == NULL || atomic_fetch_sub_explicit (&file->references, 1, memory_order_acq_rel) != 1)
    return;
  page_table_clear (&file->table);
  vfs_close (file->file);
  free (file);
}

uint64_t
blob_file_number (const struct blob_file *file)
{
  return file->number;
}

status
blob_file_size (const struct blob_file *file, uint64_t *out, struct failure *failure)
{
  struct vfs_file_information information;
  status result = vfs_information (file->file, &information, failure);
  *out = result == STATUS_OK ? information.size : 0;
  return result;
}

status
blob_file_read (struct blob_file *file, const struct blob_reference *reference, uint8_t *to,
                struct failure *failure)
{
  const char *directory = file->file->directory->path, *name = file->file->name;
  uint8_t trailer[BLOB_TRAILER_SIZE_MAX];
  if (reference->file != file->number)
    return fail (failure, STATUS_INVALID, "a reference to %" PRIu64 ".blob was read from %s/%s",
                 reference->file, directory, name);
  if (!reference_is_valid (reference)) /* F1 */
    return fail (failure, STATUS_CORRUPT,
                 "a reference to %" PRIu64 " bytes at offset %" PRIu64
                 " of %s/%s is malformed; restore a backup",
                 reference->size, reference->offset, directory, name);

  size_t size = (size_t) reference->size;
  status result = vfs_read_exact (file->file, reference->offset, to, size, failure);
  if (result == STATUS_OK)
    result = vfs_read_exact (file->file, reference->offset + size, trailer, file->trailer_size,
                             failure);
  if (result != STATUS_OK)
    return result;
  if (load_u64 (trailer) != checksum (file->seed, reference->offset, BYTES (to, size)))
    return fail (failure, STATUS_CORRUPT,
                 "the value of %" PRIu64 " bytes at offset %" PRIu64
                 " of %s/%s does not match its checksum; restore it from a backup",
                 reference->size, reference->offset, directory, name);
  return STATUS_OK;
}

/* --- cached values ---------------------------------------------------------------------------- */

void
blob_file_set_metrics (struct blob_file *file, struct metrics *metrics)
{
  file->metrics = metrics;
}

void
blob_file_set_cache (struct blob_file *file, struct cache *cache, uint64_t least)
{
  uint64_t size;
  if (blob_file_size (file, &size, NULL) != STATUS_OK)
    return;
  uint64_t slots = (size > least ? size : least) / SLOT_BYTES + 1;
  if (slots <= SLOTS_MOST)
    page_table_init (&file->table, cache, file->number, slots, NULL); /* else none is kept */
}

/* Pins the cached value, if that is what is there. */
static bool
pin_value (const uint8_t *page, const struct blob_reference *reference, const uint8_t **out)
{
  const struct cached_value *value = (const struct cached_value *) (const void *) page;
  if (page == NULL || value->offset != reference->offset || value->size != reference->size)
    return false;
  cache_pin (page);
  *out = page;
  return true;
}

/* Reads the value to a page of its own and installs that. */
static status
read_value (struct blob_file *file, const struct blob_reference *reference, const uint8_t **out,
            struct failure *failure)
{
  uint8_t *page
      = cache_allocate (file->table.cache, sizeof (struct cached_value) + reference->size);
  if (page == NULL)
    return STATUS_OK; /* it is read without the cache */
  struct cached_value *value = (struct cached_value *) (void *) page;
  struct wait_mark mark = wait_begin ();
  status result = blob_file_read (file, reference, value->bytes, failure);
  wait_end (file->metrics, WAIT_BLOB_READ, mark);
  if (result != STATUS_OK)
    {
      cache_discard (file->table.cache, page);
      return result;
    }
  value->offset = reference->offset;
  value->size = reference->size;
  epoch_enter ();
  pin_value (cache_install (&file->table, reference->offset / SLOT_BYTES, page, false), reference,
             out);
  epoch_leave ();
  return STATUS_OK;
}

status
blob_file_lend (struct blob_file *file, const struct blob_reference *reference,
                const uint8_t **page, struct bytes *value, struct failure *failure)
{
  uint64_t slot = reference->offset / SLOT_BYTES;
  *page = NULL;
  if (reference->size < SLOT_BYTES || slot >= file->table.page_count
      || reference->file != file->number || !cache_keeps (file->table.cache, reference->size))
    return STATUS_OK;
  epoch_enter ();
  const uint8_t *there = page_table_find (&file->table, slot);
  bool pinned = pin_value (there, reference, page);
  epoch_leave ();
  if (!pinned && there == NULL)
    {
      status result = read_value (file, reference, page, failure);
      if (result != STATUS_OK)
        return result;
    }
  if (*page != NULL)
    *value = BYTES (*page + sizeof (struct cached_value), reference->size);
  return STATUS_OK;
}
