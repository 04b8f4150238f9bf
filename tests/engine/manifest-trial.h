/* SPDX-License-Identifier: MIT */
/*
 * manifest-trial: states that a manifest holds, made at random and compared, and a file layer that
 * stops working after some operations.
 */
#ifndef LIGHTNING_TESTS_MANIFEST_TRIAL_H
#define LIGHTNING_TESTS_MANIFEST_TRIAL_H

#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "check.h"
#include "version/manifest-private.h"

extern struct failure failure;

enum stop_mode
{
  STOP_CRASH,    /* this and every later change fails; a write leaves a part of its bytes */
  STOP_NO_SPACE, /* this change alone fails with a full disk */
  STOP_SYNC,     /* syncs fail, from this change on */
};

struct stop_plan
{
  long left; /* changes that still work; -1: all */
  enum stop_mode mode;
  bool stopped;
  struct random random; /* how much of a torn write arrives */
};

extern struct stop_plan stop;
extern struct vfs stopping;

void stop_after (long changes, enum stop_mode mode);
void prepare_stopping (void);
char *print_state (const struct manifest_state *state);

/* The numbers go into the print apart, because opening takes one. */
char *load_text (struct vfs_directory *directory);

char *state_text (const struct manifest *manifest);
void check_same (char *actual, char *expected);
struct manifest_segment segment_of (uint64_t number, uint64_t run, const char *smallest,
                                    const char *largest);

/* A run of two segments. */
void apply_run (struct manifest *manifest);

struct vfs_directory *open_directory (const struct vfs *vfs, const char *path);
void clean (const char *path);
void write_bytes (const char *path, const char *name, const void *data, size_t size);
uint8_t *read_bytes (const char *path, const char *name, size_t *size);
bool exists (const char *path, const char *name);

/* ---- the tests, by file ---- */

/* test-manifest-damage.c */
void test_rejected_edits (const char *path);
void test_torn_and_flipped (const char *path);
void test_lost_edit (const char *path);
void test_mutations (const char *path);
void test_newer_format (const char *path);
void test_endless_manifest (const char *path);
void test_presence (const char *path);

/* test-manifest-crashes.c */
void test_condensed (const char *path);
void test_crashes (const char *path);

#endif
