/* SPDX-License-Identifier: MIT */
/*
 * manifest-private: what the manifest's files share. manifest-format.c turns states and edits into
 * bytes and back, manifest-state.c says what a sequence of edits amounts to and whether that is
 * sound, manifest-load.c reads a directory, manifest.c writes one.
 */
#ifndef LIGHTNING_MANIFEST_PRIVATE_H
#define LIGHTNING_MANIFEST_PRIVATE_H

#include "version/manifest.h"

#define MANIFEST_MAGIC "LDBMAN1\n"
#define MANIFEST_MAGIC_SIZE 8u
#define MANIFEST_HEADER_SIZE 64u
#define MANIFEST_FIRST_NUMBER 1u
#define EDIT_HEADER_SIZE 16u
#define LOG_GROWTH_MAX 8 /* times the size of a fresh manifest, at which a fresh one follows */
#define EDIT_PAYLOAD_MAX (UINT32_C (256) << 20) /* bytes; a reader allocates no more at once */
#define SECTOR_SIZE 512u                        /* what a disk writes whole or not at all */
#define CURRENT_NAME "CURRENT"
#define CURRENT_SIZE_MAX 128u
#define LOCK_NAME "LOCK"

/* Features in the low half must be known to whoever opens the database at all. */
#define FEATURES_KNOWN MANIFEST_UNFINISHED
#define FEATURES_REQUIRED UINT64_C (0xffffffff)

/* ---- manifest-format.c ---- */

/* Bytes being written; once an allocation fails nothing more is added and `failed` stays. */
struct output
{
  uint8_t *data;   /* owned */
  size_t size;     /* bytes used */
  size_t capacity; /* bytes allocated */
  bool failed;     /* an allocation failed, or the size overflowed */
};
void output_clear (struct output *output);
void output_fill_sector (struct output *output);

/* The first multiple of the sector's size that is not below. */
static inline uint64_t
next_sector (uint64_t offset)
{
  return (offset + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;
}

void manifest_header_encode (uint8_t to[MANIFEST_HEADER_SIZE], const struct manifest_state *state,
                             uint64_t number);
/* Fills id, version, features and page size of `state`. `file` names it in messages. */
status manifest_header_decode (const uint8_t from[MANIFEST_HEADER_SIZE], uint64_t number,
                               const char *file, struct manifest_state *state,
                               struct failure *failure);

/* The numbers every edit states anew. */
struct edit_numbers
{
  uint64_t next_number, next_run, flushed_sequence, settle_debt_base, user_bytes;
};

/* Appends one whole edit that will stand at file offset `offset`: adds everything in `state`. */
status edit_encode_state (struct output *output, uint64_t seed, uint64_t offset,
                          const struct manifest_state *state, struct failure *failure);
/* The same for one change; `after` has the numbers as they are once it is applied. `copy_of`: the
 * offset of the edit that this one repeats; 0 = it is the edit. */
status edit_encode (struct output *output, uint64_t seed, uint64_t offset,
                    const struct manifest_state *after, const struct manifest_edit *edit,
                    uint64_t copy_of, struct failure *failure);
/* Bytes edit_encode_state would append. */
uint64_t edit_state_size (const struct manifest_state *state);

/* The fixed front of an edit: false when it does not verify. */
bool edit_header_decode (const uint8_t from[EDIT_HEADER_SIZE], uint64_t seed, uint64_t offset,
                         uint32_t *payload_size, uint64_t *edit_checksum);
/* Bytes an edit of that payload takes in the file. */
uint64_t edit_size (uint32_t payload_size);
/* Of the copy of one with such a payload at `offset`. */
uint64_t edit_copy_size (uint32_t payload_size, uint64_t offset);
/* `edit`: all of it, header included. */
bool edit_verifies (uint64_t seed, uint64_t offset, struct bytes edit, uint64_t edit_checksum);

/* The offset of the edit that this one repeats; 0 = it is no copy. */
uint64_t edit_copy_of (struct bytes payload);

struct history;
/* Adds what the payload says to the history. CORRUPT with a reason, or NO_MEMORY. */
status edit_decode (struct bytes payload, uint64_t ordinal, const char *file,
                    struct history *history, struct edit_numbers *numbers, struct failure *failure);

/* CURRENT. `to` has room for CURRENT_SIZE_MAX; returns the size. */
size_t current_encode (char *to, uint64_t number);
bool current_decode (struct bytes content, uint64_t *number);

/* ---- manifest-state.c ---- */

/* One appearance or disappearance of a file in the sequence of edits. */
struct history_event
{
  uint64_t number; /* of the file */
  uint64_t place; /* 2 × the edit's ordinal, + 1 for an appearance: removals of an edit go first */
  size_t index;   /* appearance: into `segments` or `blobs` */
  bool appears;   /* else it is removed */
  bool blob;      /* else it is a segment */
};

/* All that the edits so far said, not yet put together. */
struct history
{
  struct manifest_segment *segments; /* as they appeared */
  bool *segment_survives;            /* parallel to `segments`; set by history_resolve */
  size_t segment_count, segment_capacity;
  size_t owned_from; /* segments from this index on have their bytes owned here */
  struct manifest_blob *blobs;
  size_t blob_count, blob_capacity;
  struct history_event *events;
  size_t event_count, event_capacity;
};

/* Takes over the segment's memory, also on failure, unless it stands before owned_from. */
status history_add_segment (struct history *history, uint64_t ordinal,
                            struct manifest_segment *segment, struct failure *failure);
status history_add_blob (struct history *history, uint64_t ordinal,
                         const struct manifest_blob *blob, struct failure *failure);
status history_remove (struct history *history, uint64_t ordinal, uint64_t number, bool blob,
                       struct failure *failure);
/* Puts it together: fills only the arrays of `state` (whose numbers are already set) and checks
 * them. `code` and `file` are for the message when the edits contradict each other. The segments
 * in `state` share their bytes with the history until one of the two below is called. */
status history_resolve (struct history *history, status code, const char *file,
                        struct manifest_state *state, struct failure *failure);
void
history_accept (struct history *history); /* frees what did not survive; `state` owns the rest */
void
history_reject (struct history *history); /* frees all it owns; `state` must forget its arrays */

/* One segment's own fields: NULL when sound, else what is wrong with it. */
const char *manifest_segment_fault (const struct manifest_segment *segment);

/* ---- manifest-load.c ---- */

struct manifest_place
{
  uint64_t number;           /* of the manifest file CURRENT names */
  char name[FILE_NAME_SIZE]; /* its name */
};
/* What CURRENT names. NOT_FOUND when there is none, CORRUPT (without a message) when it does not
 * verify. */
status manifest_read_current (struct vfs_directory *directory, uint64_t *number,
                              struct failure *failure);
status manifest_load_place (struct vfs_directory *directory, struct manifest_state *state,
                            struct manifest_place *place, struct failure *failure);

#endif
