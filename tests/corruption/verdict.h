/* SPDX-License-Identifier: MIT */
/*
 * verdict: opens what was damaged, reads it, checks and repairs it, and compares with the oracle.
 *
 * What is demanded
 *   - A read gives what was written, or CORRUPT naming a damaged file; never anything else, and no
 *     error where nothing that the read needs is damaged.
 *   - An open gives the database as it was, or an error that names a damaged file. Only where the
 *     damage reaches the end of the log, and nothing behind it claims that it was synced, it may
 *     (and must) give the commits before: a torn tail.
 *   - A deep check names every damaged page, value, header and block of the files, and finds
 *     nothing where nothing but slack was hit.
 *   - A repair saves exactly what can be replayed from what verifies, tells each thing that it
 *     could not save, and what it made passes a deep check.
 */
#ifndef LIGHTNING_TESTS_VERDICT_H
#define LIGHTNING_TESTS_VERDICT_H

#include "damage.h"

#define REASON_SIZE 1200

struct verdict
{
  const struct subject *subject;
  struct disk *disk;           /* the damaged one */
  const struct effect *effect; /* what was damaged */
  char reason[REASON_SIZE];    /* what was wrong; "" = nothing */
  uint64_t opens, refused;     /* counted up: read-only openings, and those that gave an error */
  uint64_t unreadable, torn;   /* reads that gave CORRUPT; openings that found a torn tail */
  uint64_t checks, repairs, recoveries;
};

/* Read-only: opens, reads everything that shares a page with the damage, or all there is. */
bool verdict_read (struct verdict *verdict, bool all);
/* Whether it lies where no opening looks: in a page of a tree, or in a value that segments refer to.
 * Then an engine that was open before it came has to read as one that is opened behind it. */
bool verdict_is_unseen (const struct verdict *verdict);
/* Opens the undamaged database for verdict_read_open; aborts when that fails. */
struct engine *verdict_open (const struct subject *subject, struct disk *disk);
/* Reads what shares a page with the damage; nothing that the engine read before counts. */
bool verdict_read_open (struct verdict *verdict, struct engine *engine);
void verdict_close (struct engine *engine); /* NULL: nothing */
/* The deep check. */
bool verdict_check (struct verdict *verdict);
/* Opens for writing, writes, compacts, closes, opens again. Changes the disk. */
bool verdict_recover (struct verdict *verdict);
/* Repairs to another directory of the disk. */
bool verdict_repair (struct verdict *verdict); /* salvage.c */

/* What salvage.c shares with the rest: whether a page's way from the root is hit, a value or its
 * file's header, a commit's record or a large value of it. */
bool verdict_page_is_hit (const struct verdict *verdict, const struct subject_segment *segment,
                          uint32_t leaf);
bool verdict_value_is_hit (const struct verdict *verdict, uint32_t blob, uint64_t offset);
bool verdict_names_damage (const struct verdict *verdict, const char *message);
bool verdict_hits (const struct verdict *verdict, enum spot_kind kind);

bool __attribute__ ((format (printf, 2, 3)))
wrong (struct verdict *verdict, const char *format, ...);
/* The first commit of the log that the damage concerns; 0 = none. */
uint64_t verdict_first_lost (const struct verdict *verdict);
/* Whether a record behind it that is whole says that it was synced. */
bool verdict_is_claimed (const struct verdict *verdict, uint64_t commit);
/* Compares a store with a table. `engine_store`: its id there. */
bool verdict_store (struct verdict *verdict, struct engine *engine, uint32_t store,
                    contents expected, uint32_t from, uint32_t to, bool backward);

#endif
