/* SPDX-License-Identifier: MIT */
/* story: the chapters of test-story.c that stand in files of their own. Each goes on with the
 * database as the one before it left it. */
#ifndef LIGHTNING_TESTS_FFI_STORY_H
#define LIGHTNING_TESTS_FFI_STORY_H

#include "ffi-check.h"

extern char *story_directory; /* all of it is below */

/* story-records.c */
void test_values (LightningDB *db);
void test_sizes (LightningDB *db);
void test_last_error (LightningDB *db);
void test_many (LightningDB *db);
/* Goes through it to its end and frees it; the keys, each with a comma, equal the values. */
void check_walk (LightningDBIterator *iterator, const char *expected);
void test_scans (LightningDB *db);
void test_seeks (LightningDB *db);

/* story-transactions.c */
void test_transactions (LightningDB *db);
void test_conflicts (LightningDB *db);
void test_iterators_of_transactions (LightningDB *db);
void test_timeout (void);
void test_batches (LightningDB *db);
void test_stores (LightningDB *db);
void test_snapshots (LightningDB *db);

#endif
