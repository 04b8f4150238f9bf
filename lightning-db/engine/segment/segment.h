/* SPDX-License-Identifier: MIT */
/*
 * segment: an immutable, bulk-loaded B+tree in one file, "<number>.seg".
 *
 *   header    4096 bytes: magic "LDBSEG1\n", format version, feature flags, database id, number,
 *             page size, trailer size, key epoch, creation parameters, checksum
 *   leaves    0 … n-1 in key order, each a run of whole logical units of page_size, at least two
 *             records (if there are two), stored raw (aligned to 4096) or compressed (packed)
 *   inner     n … in level order up to the root; an entry of the lowest level gives its leaf's
 *             separator, offset, stored length, codec and logical length: the page directory
 *   blocks    dictionary, filter, range deletes, blob use, properties: each checksummed
 *   footer    the last 4096 bytes: place and checksum of every block, root page, counts, checksum
 *
 * Every stored page ends in a trailer whose size the header names (8: XXH3 of the stored bytes
 * under checksum_seed (database, file) and the page number; the room for an AEAD tag and key epoch
 * is the same field grown). The full layout is docs/design/format-segment.md.
 *
 * A get: filter → flat index (16-way S+tree of the separators' 8 bytes after the segment's common
 * prefix, built on first use from the lowest inner level; evictable) → page table slot → leaf tags
 * → one record comparison. Without its index (over budget) it walks inner pages through the cache.
 *
 * Invariants
 *   S1  A file is complete, synced and named before anyone refers to it, and never changes after.
 *   S2  Keys rise; versions of one key fall; a key's versions may span leaves.
 *   S3  No byte of a page is used before its checksum verified; CORRUPT names file, page, reason.
 *   S4  Every offset, count and length read from the file is checked; no recursion over it.
 *   S5  A segment lives while it is referenced; with segment_mark_obsolete, its file is unlinked
 *       with the last reference.
 *
 * Threads: a writer is one thread's. An open segment is read by any number of threads.
 */
#ifndef LIGHTNING_SEGMENT_H
#define LIGHTNING_SEGMENT_H

#include "base/metrics.h"
#include "base/range-set.h"
#include "base/record.h"
#include "base/source.h"
#include "base/vfs.h"
#include "cache/cache.h"
#include "segment/codec.h"
#include "segment/filter.h"

struct blob_use
{
  uint64_t file;   /* blob file number */
  uint64_t values; /* references to it from this segment */
  uint64_t bytes;  /* of values referred to */
};

/* What the manifest keeps about a segment. Owned; see segment_information_clear. */
struct segment_information
{
  uint64_t number;           /* file number */
  uint64_t file_size;        /* bytes */
  uint64_t records, deletes; /* versions, point deletes among them */
  uint64_t range_deletes;
  uint64_t key_bytes, value_bytes;     /* uncompressed, blobs not counted */
  uint64_t min_sequence, max_sequence; /* of records and range deletes */
  uint8_t *smallest, *largest;         /* bounds over records and range deletes: smallest is
                                            inclusive, largest inclusive (a range delete's end
                                            counts as if included); malloc'd */
  size_t smallest_size, largest_size;
  struct blob_use *blobs; /* malloc'd, rising file number */
  size_t blob_count;
};
status segment_information_copy (struct segment_information *to,
                                 const struct segment_information *from, struct failure *failure);
void segment_information_clear (struct segment_information *information);

/* ---- writing ---- */

struct segment_settings
{
  struct vfs_directory *directory;
  uint8_t database_id[16];
  uint64_t number;
  size_t page_size;      /* unit, 4096 … 65536, power of two */
  enum codec codec;      /* CODEC_NONE: all raw */
  int compression_level; /* zstd */
  bool train_dictionary; /* zstd: buffer the first ~512 KiB of pages, train, keep if it pays */
  enum filter_kind filter;
  bool direct;           /* write around the page cache where possible */
  struct ledger *ledger; /* charged for buffers (LEDGER_MERGE); may be NULL */
  size_t memory;         /* bytes to get by with, as far as pages allow; 0 = plenty */
  uint64_t goal_size;    /* file bytes at which the caller means to finish; 0 = not known */
};

struct segment_writer;
status segment_writer_open (const struct segment_settings *settings, struct segment_writer **out,
                            struct failure *failure);
/* In S2's order. */
status segment_writer_add (struct segment_writer *writer, const struct record *record,
                           struct failure *failure);
/* Any order, before finish. */
status segment_writer_add_range_delete (struct segment_writer *writer,
                                        const struct range_delete *range, struct failure *failure);
uint64_t segment_writer_size (const struct segment_writer *writer); /* file bytes so far */
/* Of the record that was added last; borrowed until the next one. Empty: there is none. */
struct bytes segment_writer_last_key (const struct segment_writer *writer);
/* What the writer keeps for each page and key is about to outgrow its memory: time to finish. */
bool segment_writer_is_full (const struct segment_writer *writer);
/* Completes and syncs the file (not the directory: the caller does, once for many files), fills
 * *out, frees the writer. On failure the file is removed and the writer freed. */
status segment_writer_finish (struct segment_writer *writer, struct segment_information *out,
                              struct failure *failure);
void segment_writer_abort (struct segment_writer *writer); /* removes the file */

/* ---- reading ---- */

struct segment;

struct segment_reader_settings
{
  struct vfs_directory *directory;
  uint8_t database_id[16];
  struct cache *cache;
  struct ledger *ledger; /* the segment, its index, filter and page table are charged to it */
  struct metrics *metrics; /* where gets and reads of pages are counted; NULL: nowhere */
  bool build_index;      /* false: always walk inner pages (tests, tiny budgets) */
  bool map_plain;        /* opt-in: use raw pages in place from a read-only mapping */
  bool read_around; /* where a page has to be read, have the kernel read its surroundings, too */
  bool verify;      /* always true outside of tests */
  /* For repair: opens also when the header, range deletes, blob use or properties don't verify;
   * they are reported by segment_verify. The pages are as safe as ever: each is bound to database,
   * file and number. The information is of use only as far as it was read. */
  bool salvage;
  size_t page_size; /* with salvage: of a file whose header does not tell */
};

/* NEWER_FORMAT, with a message, when the 4096 bytes are the header of a segment that a later
 * version wrote; CORRUPT, without one, when they are no header that verifies, whatever database and
 * number it names. `directory` and `name` are for the message. */
status segment_judge_header (const uint8_t *header, const char *directory, const char *name,
                             struct failure *failure);

/* Opens and checks header, footer and small blocks (not the pages). References: one. */
status segment_open (const struct segment_reader_settings *settings,
                     const struct segment_information *information, struct segment **out,
                     struct failure *failure);
/* The same without a manifest: reads the information from the file itself (repair, tools). */
status segment_open_alone (const struct segment_reader_settings *settings, uint64_t number,
                           struct segment **out, struct failure *failure);
struct segment *segment_ref (struct segment *segment);
/* The last one frees after the present epoch: directory, cache and ledger must last until
 * epoch_collect (true) has returned. */
void segment_unref (struct segment *segment);
void segment_mark_obsolete (struct segment *segment); /* S5 */
/* Whether records below the bound that segment_open was given lie in the file. They do not count,
 * but lookups and sources of the segment itself find them: who walks it without a bound must
 * look. */
bool segment_is_narrowed (const struct segment *segment);
const struct segment_information *segment_information (const struct segment *segment);
const struct range_set *segment_range_deletes (const struct segment *segment); /* may be NULL */
/* With salvage: whether there were range deletes, which could not be read. */
bool segment_lacks_range_deletes (const struct segment *segment);

struct segment_lookup
{
  struct record record; /* borrowed from `page` */
  const uint8_t *page;  /* cached page to pin (cache_pin) to keep the record beyond the epoch
                           section; NULL when it lies in a mapping (then keep a segment ref) */
};

/* The newest version of `key` with sequence <= snapshot; NOT_FOUND when none. Range deletes are not
 * applied. Called INSIDE an epoch section; may leave and re-enter it around a page read, so
 * anything else found before under the same section must be pinned or referenced. The segment
 * itself must be referenced by the caller or by a view that is. */
status segment_get (struct segment *segment, struct bytes key, uint64_t hash, uint64_t snapshot,
                    struct segment_lookup *out, struct failure *failure);
/* The same from memory only: STATUS_BUSY when a page would have to be read. Never leaves the epoch
 * section, never blocks. `pins`: the caller is going to pin the page, so what cache_pin writes is
 * fetched beside the leaf; it would be waited for by itself after it. */
status segment_get_cached (struct segment *segment, struct bytes key, uint64_t hash,
                           uint64_t snapshot, bool pins, struct segment_lookup *out);
/* Either, step by step: `cached`, as the latter. */
struct steps;
status segment_get_timed (struct segment *segment, struct bytes key, uint64_t hash,
                          uint64_t snapshot, bool cached, struct segment_lookup *out,
                          struct steps *steps, struct failure *failure);
/* A hint: the filter will soon be asked for this hash. Inside an epoch section. */
void segment_prefetch_filter (const struct segment *segment, uint64_t hash);
/* Many keys at once, level by level with prefetches. Called inside an epoch section like
 * segment_get: looks keys[i] up in segments[i] for each i with results[i] == STATUS_BUSY on entry
 * and leaves OK, NOT_FOUND or an error there; nothing else of the other i is looked at. `keys` need
 * not be sorted. Found pages are PINNED (the caller unpins). */
void segment_get_many (struct segment *const *segments, const struct bytes *keys,
                       const uint64_t *hashes, size_t count, uint64_t snapshot,
                       struct segment_lookup *out, status *results, struct failure *failure);

/* Sequence of the newest version of key, 0 when none (reads pages; may use the filter). Called
 * inside an epoch section like segment_get. */
status segment_newest (struct segment *segment, struct bytes key, uint64_t hash, uint64_t *out,
                       struct failure *failure);

struct segment_source_settings
{
  unsigned prefetch; /* pages first read ahead once the walk looks sequential; 0 = off */
  bool scan;         /* installs pages as scan pages (cache.h); merges read without installing */
  bool bypass;       /* read through own buffers, not the cache (merges, checks) */
  size_t chunk_most; /* bytes a bypassing walk reads at once, at most; 0 = 256 KiB */
  bool cached_only;  /* STATUS_BUSY where a page would have to be read; not with bypass */
};
/* All versions in order. Holds a segment reference and a pin on its page. */
status segment_source_new (struct segment *segment, const struct segment_source_settings *settings,
                           struct source **out, struct failure *failure);

/* Approximate file bytes of [start, end) from the lowest inner level or index; for splitting. */
uint64_t segment_approximate_size (struct segment *segment, struct bytes start, struct bytes end);
/* A key near the given fraction of the segment's leaves, copied to malloc'd *out. */
status segment_split_key (struct segment *segment, double fraction, uint8_t **out, size_t *size,
                          struct failure *failure);

/* Gives index and filter memory back; they are rebuilt or reread when next wanted. Returns
 * bytes. */
size_t segment_trim (struct segment *segment);

struct segment_shape
{
  uint64_t leaves, inner_pages;
  unsigned depth;                       /* levels, leaves included */
  uint64_t stored_bytes, logical_bytes; /* of pages */
  uint64_t used_bytes;                  /* of logical bytes, without padding: utilisation */
  uint64_t pages_by_codec[CODEC_COUNT];
  size_t index_memory, filter_memory, table_memory;
};
void segment_shape (struct segment *segment, struct segment_shape *out);

#define SEGMENT_NO_PAGE UINT64_MAX /* in reports: a block or the file as a whole */

/* Reads every page and block past the cache and verifies: checksums, order, bounds, counts,
 * separators, filter (no false negative), records' fields. Calls `report` for each fault (CORRUPT,
 * or why something can't be read) and goes on where it can; `visit` (may be NULL) gets every record
 * of pages that verify: repair uses it. A lost leaf, or the first of several that can't be reached,
 * is reported in its place among the records. `cancel`: polled. Returns CORRUPT if anything was
 * reported. */
status segment_verify (struct segment *segment,
                       void (*report) (void *data, const char *file, uint64_t page,
                                       const struct failure *fault),
                       status (*visit) (void *data, const struct record *record,
                                        struct failure *failure),
                       void *data, const _Atomic bool *cancel, struct failure *failure);

#endif
