/* SPDX-License-Identifier: MIT */
/*
 * followed-engine: an engine that is written by one process, or one handle, and read and followed
 * by others.
 */
#ifndef LIGHTNING_TESTS_FOLLOWED_ENGINE_H
#define LIGHTNING_TESTS_FOLLOWED_ENGINE_H

#include "check.h"
#include "core/sharing.h"
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

extern struct failure failure;

#define TEXT(string) BYTES (string, strlen (string))
#define PATIENCE 300000000u /* microseconds after which something is not coming */

uint64_t now (void);

/* Until it is so. What does not come ends the test. */
#define AWAIT(condition)                                                                           \
  do                                                                                               \
    for (uint64_t await_until = now () + PATIENCE; !(condition); usleep (200))                     \
      if (now () >= await_until)                                                                   \
        {                                                                                          \
          fprintf (stderr, "%s:%d: not within %u seconds: %s\n", __FILE__, __LINE__,               \
                   PATIENCE / 1000000, #condition);                                                \
          abort ();                                                                                \
        }                                                                                          \
  while (0)

void choose (struct engine_options *options);
struct engine *open_flags (const char *path, unsigned flags);
struct engine *open_writer (const char *path);
struct engine *open_reader (const char *path);
void close_engine (struct engine *engine);
uint64_t put (struct engine *engine, engine_store store, const char *key, const char *value);

/* NULL: it is not there. malloc'd. */
char *get_at (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
              const char *key);

void expect_at (struct engine *engine, struct engine_snapshot *snapshot, engine_store store,
                const char *key, const char *expected);
void expect (struct engine *engine, engine_store store, const char *key, const char *expected);

/* By the listener alone. */
bool await_for (struct engine *engine, uint64_t sequence, uint64_t microseconds);

void await (struct engine *engine, uint64_t sequence);

#define SLOTS 64u
#define READERS 4u

/* What the processes of one run share, in a file that all map. */
struct board
{
  _Atomic uint64_t acknowledged;       /* newest number that the writer was told to be committed */
  _Atomic uint64_t seen[READERS];      /* newest number of each reader */
  _Atomic uint64_t snapshots[READERS]; /* that were verified */
  _Atomic uint64_t resyncs[READERS];   /* of its feed's replica */
  _Atomic uint64_t opened;             /* when the last writer had opened, microseconds */
  _Atomic uint32_t full_speed;         /* the writer does not pause */
  _Atomic uint32_t stop;               /* all end */
};

struct board *board_map (const char *path);

/* Runs this program again, in another role. */
pid_t start (const char *role, const char *path, const char *board, unsigned number);

void end (pid_t child, int number);

/* Slot values follow from the number that was written. */
struct bytes slot_value (uint64_t number);

void slot_key (char key[16], uint64_t number);

/* The number of the newest batch; 0 = none. */
uint64_t read_number (struct engine *engine, struct engine_snapshot *snapshot);

/* All of a snapshot: each slot holds what the newest number for it left there. */
void verify_snapshot (struct engine *engine, struct engine_snapshot *snapshot, uint64_t number);

uint64_t next_random (uint64_t *state);

struct turn_taking
{
  struct engine_turn *turn;
  const char *path;
  struct engine *engine; /* NULL: it was cancelled */
  _Atomic uint64_t at;   /* when it was taken */
};

void begin_turn (struct turn_taking *taking, const char *path, pthread_t *thread);

/* ---- the tests, by file ---- */

/* test-processes-kills.c */
int write_role (const char *path, struct board *board);
int read_role (const char *path, struct board *board, unsigned number);
void test_kills (const char *program, unsigned kills, uint64_t seed);
int time_role (const char *path, struct board *board);
void test_latency (void);

/* test-processes-luck.c */
void test_vandal (void);
void test_damaged_page (void);
void test_cut_page (void);
void test_leaks (void);
void test_stopped_writer (void);
int last_words_role (const char *path, struct board *board);
void test_last_words (void);
void test_destroyed (void);
void test_put_back (void);
void test_found_often (void);
void test_second_try (void);
void test_lost_history (void);
void test_fork (void);

/* test-processes-places.c */
int follow_in_sandbox (const char *path);
int follow_read_only_mount (const char *path);
void test_sandbox (const char *what, int (*body) (const char *path));
void test_medium (void);
void test_overlay (void);
void test_undurable (void);
void test_network (void);
void test_destroyed_while_opened (void);
void test_being_destroyed (void);
void test_destroyed_while_listed (void);
void test_made_anew_while_opened (void);
void test_opened_while_made (void);
void test_turns (void);

#endif
