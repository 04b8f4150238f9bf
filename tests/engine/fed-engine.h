/* SPDX-License-Identifier: MIT */
/* fed-engine: an engine, and a feed of its changes written down as text. */
#ifndef LIGHTNING_TESTS_FED_ENGINE_H
#define LIGHTNING_TESTS_FED_ENGINE_H

#include "check.h"
#include "engine.h"

#include <string.h>

extern struct failure failure;

#define TEXT(string) BYTES (string, strlen (string))

struct engine *open_with (const char *path, void (*change) (struct engine_options *options));

/* All that can be released is, when this returns. */
void release (struct engine *engine);

uint64_t put (struct engine *engine, engine_store store, const char *key, const char *value);
struct engine_feed *feed_from (struct engine *engine, uint64_t since);
void expect_commit (struct engine_feed *feed, uint64_t expected);
void expect_change (struct engine_feed *feed, enum engine_change_kind kind, engine_store store,
                    struct bytes key, struct bytes value);
void expect_end (struct engine_feed *feed);
void small_log (struct engine_options *options);

/* Which holds more than a feed can be behind here. */
void ample_log (struct engine_options *options);

void small_without_log (struct engine_options *options);
void retaining_much (struct engine_options *options);
void put_many (struct engine *engine, unsigned count, size_t size);
void expect_numbered (struct engine_feed *feed, uint64_t sequence, size_t size);
void retaining (struct engine_options *options);

/* ---- the tests, by file ---- */

/* test-feed-exact.c */
void ample_written_log (struct engine_options *options);
void small_written_log (struct engine_options *options);
void test_exact (const char *name, void (*change) (struct engine_options *options),
                 enum engine_sync sync, unsigned commits);

/* test-feed-kept.c */
void test_lapped (void);
void test_retention (void);
void test_sealing (void);
void test_note_room (void);
void test_history_files (void);
void test_retained_values (void);
void test_left_values (void);
void test_collected_value (void);
void test_pinned_values (bool reads_on);
void test_killed (void);
void test_killed_at_once (void);
void test_damage (void);
void test_damaged_note (void);
void test_backup (void);
void test_without_log (void);

#endif
