/* SPDX-License-Identifier: MIT */
/*
 * segment-trial: segments, a sorted array of the same records (the model), and the comparison of
 * the two in every way that there is to read.
 */
#ifndef LIGHTNING_TESTS_SEGMENT_TRIAL_H
#define LIGHTNING_TESTS_SEGMENT_TRIAL_H

#include "base/coding.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/random.h"
#include "blob/blob.h"
#include "check.h"
#include "segment/segment-format.h"
#include "segment/segment.h"

extern _Thread_local struct failure failure;
extern const uint8_t database_id[16];

struct model
{
  struct record *records; /* in the segment's order; keys and values owned */
  size_t count;
};

void model_add (struct model *model, struct bytes key, struct bytes value, uint64_t sequence,
                enum record_kind kind);
void model_clear (struct model *model);

/* First record with key >= key. */
size_t model_seek (const struct model *model, struct bytes key);

const struct record *model_get (const struct model *model, struct bytes key, uint64_t snapshot);

#define KEY_ROOM 4096

void model_fill (struct model *model, struct random *random, unsigned flavour, size_t count,
                 size_t value_most);

struct surroundings
{
  char *path;
  struct vfs_directory *directory;
  struct ledger ledger;
  struct cache *cache;
};

void surroundings_open (struct surroundings *here, size_t page_size, uint64_t capacity);
void surroundings_close (struct surroundings *here);
struct segment_settings writer_settings (struct surroundings *here, size_t page_size);
struct segment_reader_settings reader_settings (struct surroundings *here);
status write_model (const struct segment_settings *settings, const struct model *model,
                    struct segment_information *out, struct failure *why);
void check_record (const struct record *found, const struct record *expected);
struct bytes probe_key (const struct model *model, struct random *random, unsigned flavour,
                        uint8_t *room);
uint64_t random_snapshot (struct random *random);
void check_gets (struct segment *segment, const struct model *model, struct random *random,
                 unsigned flavour, unsigned probes);
void check_get_many (struct segment *segment, const struct model *model, struct random *random,
                     unsigned flavour);
void check_whole_walks (struct source *source, const struct model *model);
void check_sources (struct segment *segment, const struct model *model, struct random *random,
                    unsigned flavour);

struct visited
{
  const struct model *model; /* what should come */
  size_t next;               /* index of the next record */
  unsigned reports;          /* faults reported */
  uint64_t page;             /* of the last one */
  bool in_order;             /* compare */
};

void on_report (void *data, const char *file, uint64_t page, const struct failure *fault);
status on_visit (void *data, const struct record *record, struct failure *why);
void check_verifies (struct segment *segment, const struct model *model);
void check_information (const struct segment_information *information, const struct model *model);
void check_splits (struct segment *segment, const struct model *model);

/* The system's, with some operations replaced. Files that are opened through it are its own. */
extern struct vfs other_disk;

/* Gives the directory a disk of which nothing is replaced yet; returns the one it had. */
const struct vfs *use_other_disk (struct vfs_directory *directory);

/* ---- the tests, by file ---- */

/* test-segment-damage.c */
void test_full_disk (void);
void test_failed_writer (void);
void test_damage (void);
void test_hostile_files (void);
void test_hostile_inner_pages (void);
void test_verification (void);
void test_level (void);
void test_separator (void);
void test_empty_range (void);
void test_identity (void);

#endif
