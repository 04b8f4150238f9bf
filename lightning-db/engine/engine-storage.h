/* SPDX-License-Identifier: MIT */
/*
 * storage: where everything lies. Beside engine.h, for who looks at files, pages and keys.
 *
 * Each call looks at the files as they are when it begins, which stay until it ends, whatever
 * merges do beside it. It reads past the cache, changes nothing in it, and takes no lock that a
 * commit waits for. What does not verify is told in its place and the rest goes on. What one call
 * named the next may find merged away: NOT_FOUND, here with a message. A visitor that returns false
 * ends its call: CANCELLED. Keys are without their store, borrowed during the visit, and cut to
 * ENGINE_STORAGE_KEY_MAX bytes where a field says so.
 */
#ifndef LIGHTNING_ENGINE_STORAGE_H
#define LIGHTNING_ENGINE_STORAGE_H

#include "engine.h"

#define ENGINE_STORAGE_KEY_MAX 1024u

/* As stored pages name them. */
enum engine_codec
{
  ENGINE_CODEC_NONE,
  ENGINE_CODEC_ZSTD,
  ENGINE_CODEC_LZ4,
  ENGINE_CODEC_SNAPPY,
  ENGINE_CODECS,
};

enum engine_filter
{
  ENGINE_FILTER_NONE,
  ENGINE_FILTER_BLOOM, /* blocked Bloom filter */
  ENGINE_FILTER_FUSE,  /* binary fuse filter */
};

struct engine_storage_store
{
  engine_store store; /* ENGINE_STORE_SYSTEM: the catalogue */
  const char *name;   /* "" for the catalogue */
};

struct engine_storage_memtable
{
  unsigned index; /* 0: the active one; then the frozen ones, newest first */
  uint64_t records, deletes, range_deletes;  /* versions; point deletes among them; … */
  uint64_t data_bytes, memory;               /* keys and values; all that it takes */
  uint64_t oldest_sequence, newest_sequence; /* of its commits; 0 = empty */
};

struct engine_storage_run
{
  uint64_t id;
  unsigned level;    /* size class: 0 what a flush writes, each next up to 16 times as large */
  uint64_t created;  /* microseconds since 1970 */
  uint64_t segments; /* count */
  uint64_t bytes;    /* of their files */
  uint64_t records;  /* versions in them */
  uint64_t newest_sequence;
  bool merging; /* it is being merged right now */
};

struct engine_storage_segment
{
  uint64_t number;    /* names it in later calls */
  const char *file;   /* its name in the directory */
  uint64_t run;       /* id */
  unsigned level;     /* of the run */
  uint64_t created;   /* of the run */
  uint64_t file_size; /* bytes */
  uint64_t records, deletes, range_deletes;
  uint64_t key_bytes, value_bytes;           /* uncompressed; values in blob files not counted */
  uint64_t blob_values, blob_bytes;          /* values in blob files that it refers to */
  uint64_t oldest_sequence, newest_sequence; /* 0: settled, older than every snapshot */
  engine_store first_store, last_store;
  struct bytes smallest, largest;       /* cut; bounds of what counts */
  size_t smallest_size, largest_size;   /* whole */
  bool narrowed;                        /* part of it was merged elsewhere and does not count */
  uint64_t leaves, inner_pages;         /* pages */
  unsigned depth;                       /* levels of the tree, leaves included */
  uint64_t stored_bytes, logical_bytes; /* of pages: in the file; as whole units */
  uint64_t used_bytes;                  /* of logical_bytes: without padding */
  uint64_t pages_by_codec[ENGINE_CODECS];
  enum engine_filter filter;
  uint64_t filter_bytes; /* in the file */
  bool filter_loaded;    /* it is in memory */
  uint64_t index_bytes;  /* of the index over the leaves, if it is in memory */
  uint64_t cached_pages; /* in the cache now */
  uint64_t range_bytes;  /* of the range deletes' block in the file */
};

/* What of a segment belongs to one store; they follow their segment. */
struct engine_storage_extent
{
  engine_store store;  /* ENGINE_STORE_OTHERS: of all further ones together */
  uint64_t segment;    /* its number */
  uint64_t first_leaf; /* where it begins */
  uint64_t leaves;     /* from there to where the next store begins; 0: within one leaf */
  uint64_t bytes;      /* of stored leaves */
  uint64_t records;    /* exact when the segment holds but one store, else by the share of bytes, */
  uint64_t deletes, key_bytes, value_bytes, blob_bytes; /* likewise */
  bool exact;
};
#define ENGINE_STORE_OTHERS UINT32_MAX

struct engine_storage_blob
{
  uint64_t number;
  const char *file;
  uint64_t file_size;
  uint64_t live_values, live_bytes; /* that segments refer to */
  bool unsettled; /* memtables or the log may refer to more of it: what is live is not known yet */
};

enum engine_file_kind
{
  ENGINE_FILE_LOG,
  ENGINE_FILE_HISTORY,  /* of the log, kept for feeds */
  ENGINE_FILE_MANIFEST, /* and what leads to it */
  ENGINE_FILE_LEFT, /* a segment or blob file that the view does not list: new, or about to go */
  ENGINE_FILE_OTHER,
};

struct engine_storage_file
{
  const char *file;
  enum engine_file_kind kind;
  uint64_t size;
};

struct engine_storage_fault
{
  const char *file;
  uint64_t page; /* UINT64_MAX: none */
  const char *reason;
};

enum engine_storage_kind
{
  ENGINE_STORAGE_STORE,
  ENGINE_STORAGE_MEMTABLE,
  ENGINE_STORAGE_RUN, /* newest first; its segments follow, in key order */
  ENGINE_STORAGE_SEGMENT,
  ENGINE_STORAGE_EXTENT,
  ENGINE_STORAGE_BLOB,
  ENGINE_STORAGE_FILE, /* neither segment nor blob of the view */
  ENGINE_STORAGE_FAULT,
};

struct engine_storage_part
{
  enum engine_storage_kind kind;
  union
  {
    struct engine_storage_store store;
    struct engine_storage_memtable memtable;
    struct engine_storage_run run;
    struct engine_storage_segment segment;
    struct engine_storage_extent extent;
    struct engine_storage_blob blob;
    struct engine_storage_file file;
    struct engine_storage_fault fault;
  };
};

/* Everything, in the order of the kinds above. Reads the catalogue, and a few pages of each segment
 * that holds several stores. Memory: that of a few pages, whatever there is. */
status engine_storage_visit (struct engine *engine,
                             bool (*visit) (void *data, const struct engine_storage_part *part),
                             void *data, struct failure *failure);

/* ---- pages of one segment ---- */

enum engine_page_heat
{
  ENGINE_HEAT_CACHED = 1 << 0,     /* in the cache, decoded */
  ENGINE_HEAT_REFERENCED = 1 << 1, /* read since the clock's hand last passed it */
  ENGINE_HEAT_FREQUENT = 1 << 2,   /* in T2: seen more than once lately; else in T1 */
  ENGINE_HEAT_SCANNED = 1 << 3,    /* brought in by a scan: first to go */
  ENGINE_HEAT_PINNED = 1 << 4,     /* a value of it is lent */
  ENGINE_HEAT_MAPPED = 1 << 5,     /* used in place from the mapped file */
};

struct engine_storage_page
{
  uint64_t number;       /* leaves from 0 on, in key order; then the inner pages by rising level */
  unsigned level;        /* 0: a leaf */
  uint64_t offset;       /* in the file */
  uint64_t stored_size;  /* bytes there, checksum included */
  uint64_t used_size;    /* bytes of the decoded page */
  uint64_t logical_size; /* the same as whole units: used_size / logical_size is its fill */
  enum engine_codec codec;
  unsigned heat;      /* enum engine_page_heat */
  engine_store store; /* of `key` */
  struct bytes
      key;   /* a lower bound of its keys, which separates it from the page before it, or, if it
                         was read, its first key; cut; empty: none below */
  bool read; /* and so these are known: */
  uint64_t records; /* of a leaf; children of an inner page */
  uint64_t deletes;
  const struct failure *fault; /* NULL; else why the page can't be used */
};

/* Pages [first, first + count) of a segment, as far as there are so many. `read`: each is read and
 * verified; else what the page directory and the cache know of them. */
status engine_storage_pages (struct engine *engine, uint64_t segment, uint64_t first,
                             uint64_t count, bool read,
                             bool (*visit) (void *data, const struct engine_storage_page *page),
                             void *data, struct failure *failure);

struct engine_page_contents
{
  struct engine_storage_page page; /* as above */
  uint8_t *stored;                 /* bytes of the file; NULL: they can't be read */
  size_t stored_size;
  uint8_t *decoded; /* the page; NULL: damaged */
  size_t decoded_size;
  struct failure fault; /* why; page.fault points here */
  uint8_t *key;         /* for assembled keys, and behind them page.key */
  char file[32];        /* name of the segment's file */
};
/* One page. A damaged one is OK, with its fault. NOT_FOUND with a message: no such segment or
 * page. To be cleared. */
status engine_page_read (struct engine *engine, uint64_t segment, uint64_t page,
                         struct engine_page_contents *out, struct failure *failure);
void engine_page_clear (struct engine_page_contents *contents);

/* A part of the decoded page's layout. */
struct engine_page_field
{
  const char *name;    /* English, static */
  size_t offset, size; /* bytes of the decoded page */
  bool is_number;      /* `value` is what stands there */
  uint64_t value;
};
/* False when there is none so far behind. Records and children are not among them. */
bool engine_page_field (const struct engine_page_contents *contents, unsigned index,
                        struct engine_page_field *out);

enum engine_record_kind
{
  ENGINE_RECORD_PUT,
  ENGINE_RECORD_DELETE,
  ENGINE_RECORD_BLOB, /* the value is in a blob file */
};

struct engine_page_record
{
  size_t offset, size; /* in the decoded page */
  engine_store store;
  struct bytes key; /* whole; borrowed until the next call. Of an inner page: the separator */
  enum engine_record_kind kind;
  uint64_t sequence;               /* 0: settled, older than every snapshot */
  uint64_t value_size;             /* also of a value in a blob file */
  struct bytes value;              /* PUT only; borrowed from the page */
  uint64_t blob_file, blob_offset; /* BLOB */
  uint64_t child;                  /* of an inner page: the page that the separator leads to */
};
bool engine_page_record (struct engine_page_contents *contents, unsigned slot,
                         struct engine_page_record *out);

/* ---- one key ---- */

enum engine_location_verdict
{
  ENGINE_LOCATION_OUTSIDE,  /* no segment of the run reaches over the key */
  ENGINE_LOCATION_FILTERED, /* the filter ruled it out */
  ENGINE_LOCATION_ABSENT,   /* looked for and not there; behind a filter: a false positive */
  ENGINE_LOCATION_FOUND,
  ENGINE_LOCATION_FAULT, /* a page or filter on the way does not verify */
};

struct engine_location
{
  bool in_memory;    /* a memtable, else a run */
  unsigned memtable; /* as in struct engine_storage_memtable */
  uint64_t run;      /* id */
  unsigned level;
  uint64_t segment;          /* number; unless OUTSIDE */
  enum engine_filter filter; /* that was asked */
  bool filter_loaded;        /* it was in memory; else it was read from the file */
  enum engine_location_verdict verdict;
  uint64_t page;                /* where the key is, or would be */
  uint64_t slot;                /* FOUND in a run: in that page */
  unsigned heat;                /* of the page */
  enum engine_record_kind kind; /* FOUND: of the newest visible version here */
  uint64_t sequence;            /* of it */
  uint64_t value_size;
  uint64_t blob_file;    /* of a value in one */
  uint64_t range_delete; /* sequence of a visible range delete here that covers the key; 0 = none */
  bool decides;          /* what a get answers follows from here */
  const struct failure *fault;
};
/* Where the newest commits have the key: each memtable, then each run, newest first. */
status engine_storage_locate (struct engine *engine, engine_store store, struct bytes key,
                              bool (*visit) (void *data, const struct engine_location *location),
                              void *data, struct failure *failure);

/* ---- sizes ---- */

#define ENGINE_BIGGEST_MAX 10000u

struct engine_sizes_settings
{
  engine_store store;
  struct bytes lower, upper; /* [lower, upper); BYTES_NONE = open */
  uint64_t time_limit;       /* microseconds; 0 = none. When it is over what was seen is spread
                                  evenly over the range */
  uint32_t biggest;          /* how many of the largest values to name; up to ENGINE_BIGGEST_MAX */
};

struct engine_big_value
{
  uint8_t *key; /* whole; owned */
  size_t key_size;
  uint64_t value_size;
};

struct engine_sizes
{
  uint64_t records;                 /* live keys seen */
  uint64_t key_bytes, value_bytes;  /* of them; values in blob files included */
  double share;                     /* about what part of the range was seen; 1 = all of it */
  struct histogram *keys, *values;  /* of sizes, in bytes; owned */
  struct engine_big_value *biggest; /* falling size; owned */
  size_t biggest_count;
  uint64_t faults; /* stretches that were left out, since a page there does not verify */
  struct failure first_fault;
};
/* Sizes of what a snapshot of now shows. `progress` is told pieces of the range. To be cleared. */
status engine_storage_sizes (struct engine *engine, const struct engine_sizes_settings *settings,
                             engine_progress progress, void *data, struct engine_sizes *out,
                             struct failure *failure);
void engine_sizes_clear (struct engine_sizes *sizes);

#endif
