/* SPDX-License-Identifier: MIT */
/* disk-trial: a small engine on a disk of the test's choice, with numbered records. */
#ifndef LIGHTNING_TESTS_DISK_TRIAL_H
#define LIGHTNING_TESTS_DISK_TRIAL_H

#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "core/engine-private.h"
#include "faulty-disk.h"
#include "small-engine.h"
#include "version/manifest.h"

extern struct failure failure;

struct engine *open_on (const char *path, const struct vfs *vfs);

/* 300 bytes that do not compress well; every 400th is a large value. */
struct bytes number_value (uint8_t to[10000], unsigned number);

status put_number (struct engine *engine, unsigned number, enum engine_sync sync);
status get_number (struct engine *engine, unsigned number);
void put_numbers (struct engine *engine, unsigned from, unsigned to);
void check_numbers (struct engine *engine, unsigned from, unsigned to);

/* Puts from `next` on until one is refused with NO_SPACE; returns the first that was refused. */
unsigned put_until_full (struct engine *engine, unsigned next);

/* There is room again: soon a put goes through. Returns the next number. */
unsigned put_once_healed (struct engine *engine, unsigned next);

/* Settles numbers [0, 2000) into one run of one file and closes. */
void make_settled (const char *path);

/* How many of the 2000 cannot be read; each failure is `expected` and names the file. */
unsigned count_unreadable (struct engine *engine, status expected);

char *join (const char *path, const char *name);
uint8_t *read_file (const char *path, size_t *size);

/* A database of a process that died: with a log, segments, blob files. */
void make_abandoned (const char *path, unsigned count);

/* Sum over names and bytes of all files. */
uint64_t digest (const char *path);

/* ---- the tests, by file ---- */

/* test-disk-failing.c */
void test_failed_sync (void);
void test_value_before_record (void);
void test_unsynced_value (void);
void test_unreadable_page (void);

/* test-disk-order.c */
void test_flush_of_invisible (void);

/* test-disk-damage.c */
void test_corrupt_page (void);
void test_damaged_files (void);
void test_newer_format (void);

#endif
