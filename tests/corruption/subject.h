/* SPDX-License-Identifier: MIT */
/*
 * subject: a database of about 1 MiB with everything in it that a file may hold, on a simulated
 * disk, and the oracle: what it must hold after each commit, and what stands at which byte of which
 * file.
 *
 * It has three stores; a settled run of several segments (fuse filters, dictionaries where the
 * codec is zstd) and two fresh ones on it (Bloom filters) with overwritten keys, deletes and range
 * deletes; blob files; a log of segments that were used before, with commits that were synced and,
 * at its end, commits that were not; and a manifest of several edits. It is left as a process
 * leaves it that is killed, or closed. The same seed gives the same bytes.
 *
 * The tables are kept by what was asked of the engine, not read back from it. The map of bytes
 * comes from the engine's own readers over the undamaged files; subject_make proves it against the
 * tables by replaying it.
 */
#ifndef LIGHTNING_TESTS_SUBJECT_H
#define LIGHTNING_TESTS_SUBJECT_H

#include "../crash/simulated-disk.h"
#include "engine.h"

#define SUBJECT_PATH "/db"
#define SUBJECT_STORES 3u
#define SUBJECT_CATALOGUE SUBJECT_STORES /* in place of a store's index: the store of stores */
#define SUBJECT_EARLIER 6u               /* states of the disk that are kept from its life */
#define SUBJECT_FILES_MOST 40u
#define NO_LEAF UINT32_MAX
#define NO_BLOB UINT32_MAX

enum subject_codec
{
  SUBJECT_NONE,
  SUBJECT_LZ4,
  SUBJECT_ZSTD,
  SUBJECT_SNAPPY,
  SUBJECT_CODECS
};
const char *subject_codec_name (enum subject_codec codec);

/* What a stretch of a file is. */
enum spot_kind
{
  SPOT_SLACK,      /* nothing: zeros, stale bytes, an unused file */
  SPOT_CURRENT,    /* CURRENT */
  SPOT_MANIFEST,   /* header and first edit of the manifest: there is one of them */
  SPOT_EDIT,       /* a later edit; `number` counts them from 1 */
  SPOT_COPY,       /* its copy; the same number */
  SPOT_HEADER,     /* of a segment */
  SPOT_FOOTER,     /* likewise */
  SPOT_LEAF,       /* `number`: its page */
  SPOT_INNER,      /* likewise */
  SPOT_BLOCK,      /* `number`: enum segment_block */
  SPOT_BLOB,       /* header of a blob file */
  SPOT_VALUE,      /* of a blob file; `number`: its offset */
  SPOT_LOG_HEADER, /* of a log segment that is in use; `number`: its first sequence */
  SPOT_RECORD,     /* of the log; `number`: its sequence */
};

struct spot
{
  enum spot_kind kind;
  uint32_t file;     /* index in subject.files */
  uint64_t from, to; /* bytes */
  uint64_t number;   /* see the kinds */
};

struct subject_file
{
  char name[DISK_NAME_SIZE];
  uint64_t size;      /* bytes */
  size_t first, last; /* its spots: subject.spots[first … last), which cover it without gaps */
};

/* One version of a key in a segment, or a range delete. */
struct version
{
  uint32_t leaf;        /* page; NO_LEAF: a range delete */
  uint32_t store, key;  /* indexes; in the catalogue key 0 is the next id, others name stores */
  uint32_t end;         /* of a range delete: the first key behind it */
  bool deleted;         /* a delete, of one key or of a range */
  uint64_t sequence;    /* 0: older than any snapshot */
  struct bytes value;   /* malloc'd; data NULL: none */
  uint32_t blob;        /* file of a large value; NO_BLOB: it stands in the leaf */
  uint64_t blob_offset; /* in it */
};

/* One segment and its versions: range deletes first, then records in order. */
struct subject_segment
{
  uint32_t file;
  uint32_t pages, leaves;
  uint64_t number;       /* in its name */
  uint64_t max_sequence; /* as its properties say */
  uint32_t *parents;     /* of pages: the page that leads there; malloc'd */
  size_t first, last;    /* subject.versions[first … last) */
};

/* What a commit of the log does to a key, or to the keys from `key` to before `end`. */
struct change
{
  uint32_t store, key, end;
  uint32_t value;       /* its number; 0: deleted */
  uint32_t blob;        /* file of a large value, or NO_BLOB */
  uint64_t blob_offset; /* in it */
};

/* A commit whose record is in the log and in no segment. */
struct logged
{
  uint64_t synced;       /* newest commit that was durable when it was made */
  bool is_long;          /* its record says of itself where it belongs, and what was synced */
  uint64_t claim;        /* of a long one: what it says was synced */
  size_t first, last;    /* subject.changes[first … last) */
  size_t record, header; /* spots of its record and of the header of its log segment */
};

/* What all stores hold: the number of each key's value, 0 = absent; SUBJECT_STORES × keys. */
typedef uint32_t *contents;

struct subject
{
  enum subject_codec codec;
  bool closed; /* else killed */
  uint64_t seed;
  uint32_t keys; /* in the pool; the stores share it */
  struct disk *disk;
  struct disk *earlier[SUBJECT_EARLIER]; /* the same disk at earlier moments */
  uint32_t earlier_count;
  engine_store stores[SUBJECT_STORES];
  struct bytes *key_pool;   /* sorted; each malloc'd */
  struct bytes *value_pool; /* by number; each malloc'd */
  uint32_t value_count, value_room;

  uint64_t flushed, last; /* newest commit in segments, newest of all */
  contents *tables;       /* what commit flushed + i left; each malloc'd */
  struct logged *logged;  /* commit flushed + 1 + i; malloc'd */
  struct change *changes; /* malloc'd */
  size_t change_count, change_room;

  struct subject_file files[SUBJECT_FILES_MOST];
  uint32_t file_count;
  struct spot *spots; /* by file, rising; malloc'd */
  size_t spot_count, spot_room;
  struct version *versions; /* malloc'd */
  size_t version_count, version_room;
  struct subject_segment segments[SUBJECT_FILES_MOST]; /* as the manifest has them: newest first */
  uint32_t segment_count;
};

/* Makes it; the calling process simulates threads from then on. Anything unexpected aborts. */
void subject_make (struct subject *subject, enum subject_codec codec, bool closed, uint64_t seed);
void subject_clear (struct subject *subject);

/* What it is to be opened with. */
void subject_options (const struct vfs *vfs, struct engine_options *out);
/* What a commit from `flushed` to `last` left. */
static inline contents
subject_table (const struct subject *subject, uint64_t commit)
{
  return subject->tables[commit - subject->flushed];
}
static inline uint32_t *
table_at (const struct subject *subject, contents of, uint32_t store, uint32_t key)
{
  return &of[(size_t) store * subject->keys + key];
}
static inline size_t
table_size (const struct subject *subject)
{
  return (size_t) SUBJECT_STORES * subject->keys * sizeof (uint32_t);
}
/* The index of a key in the pool; of one that is not there, of the next one. */
uint32_t subject_find_key (const struct subject *subject, struct bytes key);
uint32_t subject_find_file (const struct subject *subject, const char *name); /* UINT32_MAX: none */
/* The spot that holds the byte. */
const struct spot *subject_spot (const struct subject *subject, uint32_t file, uint64_t offset);
/* What the file holds on a disk; NULL: it is not there. */
struct disk_content *subject_content (const struct subject *subject, const struct disk *disk,
                                      uint32_t file);

/* subject-map.c */
void subject_map (struct subject *subject);
void subject_map_clear (struct subject *subject);

#define MUST(call)                                                                                 \
  do                                                                                               \
    {                                                                                              \
      struct failure failure = FAILURE_INIT;                                                       \
      status must_status = (call);                                                                 \
      if (must_status != STATUS_OK)                                                                \
        {                                                                                          \
          fprintf (stderr, "%s:%d: %s: %s (%s)\n", __FILE__, __LINE__, #call,                      \
                   status_name (must_status), failure.message);                                    \
          abort ();                                                                                \
        }                                                                                          \
    }                                                                                              \
  while (0)

#endif
