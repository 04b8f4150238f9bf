/* SPDX-License-Identifier: MIT */
/*
 * history: what the clients of a database did and saw, and nothing of how it works inside.
 *
 * Each key holds a list of elements, and no element is ever written twice. So a value tells which
 * write made it, and a list tells in which order the writes behind it were made. That is what lets
 * anomalies.h find out who read whose write without being told (the idea of Elle: Kingsbury and
 * Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", VLDB 2020).
 *
 * As text, which failures are written in and the checker's own tests are written as, a history has
 * a line for each transaction:
 *
 *   OUTCOME LEVEL PROCESS INVOKED COMPLETED SNAPSHOT SEQUENCE: STEP, STEP, …
 *   ok serializable 2 17 23 4 5: r 1 10 11, a 1 12, r 7, c 3
 *
 * OUTCOME is ok or no (rolled back or refused). INVOKED and COMPLETED are moments of one clock.
 * SNAPSHOT is the commit whose state it read (-: not told) and SEQUENCE its own commit (0: none, or
 * not told), as the database says. A step is r KEY LIST (read), a KEY ELEMENT (append) or c KEY
 * (cleared: deleted).
 *
 * Threads: one; each thread of a test fills a history of its own.
 */
#ifndef LIGHTNING_TESTS_HISTORY_H
#define LIGHTNING_TESTS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum step_kind
{
  STEP_READ,
  STEP_APPEND,
  STEP_CLEAR,
};

struct step
{
  enum step_kind kind;
  uint32_t key;
  uint32_t element; /* that was appended */
  uint32_t count;   /* of elements read */
  size_t list;      /* where in `elements` those stand */
};

enum level
{
  LEVEL_SNAPSHOT,
  LEVEL_SERIALIZABLE,
};

struct transaction
{
  bool committed;
  enum level level;
  uint32_t process;            /* the thread it ran on, which does one at a time */
  uint64_t invoked, completed; /* moments */
  uint64_t snapshot;           /* the commit it read at, when `has_snapshot` */
  uint64_t sequence;           /* of its commit; 0 = it wrote nothing, or is not known */
  bool has_snapshot;
  size_t first, count; /* its steps */
};

struct history
{
  struct transaction *transactions; /* malloc'd */
  size_t count, room;
  struct step *steps; /* malloc'd */
  size_t step_count, step_room;
  uint32_t *elements; /* of all lists; malloc'd */
  size_t element_count, element_room;
};

void history_clear (struct history *history);

/* A new transaction without steps; they are added to the newest. Valid until the next one. */
struct transaction *history_begin (struct history *history);
void history_read (struct history *history, uint32_t key, const uint32_t *list, uint32_t count);
void history_append (struct history *history, uint32_t key, uint32_t element);
void history_wipe (struct history *history, uint32_t key);
/* Drops the newest transaction. */
void history_forget (struct history *history);
/* Adds everything `from` holds. */
void history_add (struct history *history, const struct history *from);

static inline const struct step *
history_steps (const struct history *history, const struct transaction *transaction)
{
  return history->steps + transaction->first;
}

void history_print_transaction (const struct history *history, size_t transaction, FILE *to);
void history_print (const struct history *history, FILE *to);
/* Adds the lines of a text. False: one of them is not understood; its number is in *line. */
bool history_parse (struct history *history, const char *text, unsigned *line);

#endif
