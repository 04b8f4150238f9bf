/* SPDX-License-Identifier: MIT */
/*
 * anomalies: what is wrong with a history, judged from the history alone.
 *
 * First each key by itself: the order of its versions follows from the lists that were read, or,
 * for a key that was also deleted, from the numbers of the commits, against which each list is then
 * checked. Out of the orders come the dependencies between transactions, and out of their cycles
 * the anomalies that Adya named. A transaction that was refused or rolled back takes part with what
 * it read: it too must have seen one snapshot.
 *
 * That the last versions of all keys are known takes a last transaction that reads all of them.
 *
 * Every kind that is found comes with an example: what the transactions did, and why one had to
 * come before the other.
 */
#ifndef LIGHTNING_TESTS_ANOMALIES_H
#define LIGHTNING_TESTS_ANOMALIES_H

#include "graph.h"
#include "history.h"

enum anomaly
{
  ANOMALY_INTERNAL,     /* a transaction misses its own write, or reads a key in two ways */
  ANOMALY_GARBAGE,      /* reads an element that nobody wrote, or one twice */
  ANOMALY_INCOMPATIBLE, /* no order of the writes explains what was read */
  ANOMALY_G1A,          /* reads what was rolled back or refused */
  ANOMALY_G1B,          /* reads what its writer wrote over before it committed */
  ANOMALY_LOST_UPDATE, /* a write between another's read and write of the key, or one that is gone */
  ANOMALY_NUMBERS,     /* the database's own commit numbers contradict what was read */
  ANOMALY_G0,          /* a cycle of ww */
  ANOMALY_G1C,         /* … of ww and wr */
  ANOMALY_G_SINGLE,    /* … with one rw */
  ANOMALY_G_NONADJACENT, /* … with several rw, no two in a row */
  ANOMALY_G2,            /* … with two rw in a row: write skew, phantoms */
  /* The same, when real time is part of the cycle. */
  ANOMALY_G0_REALTIME,
  ANOMALY_G1C_REALTIME,
  ANOMALY_G_SINGLE_REALTIME, /* a stale read, say */
  ANOMALY_G_NONADJACENT_REALTIME,
  ANOMALY_G2_REALTIME,
  ANOMALIES
};
const char *anomaly_name (enum anomaly anomaly);

/* What snapshot isolation with real-time order allows, and a serializable one does not. */
#define ANOMALIES_OF_SNAPSHOT ((1u << ANOMALY_G2) | (1u << ANOMALY_G2_REALTIME))

struct findings
{
  unsigned found; /* bits 1 << anomaly */
  uint64_t
      counts[ANOMALIES]; /* occurrences; of cycles: sets of transactions that depend in cycles */
  char *examples[ANOMALIES]; /* of the first; malloc'd */
  uint64_t ww, wr, rw, rt;   /* edges */
  uint64_t reads, versions;  /* that were judged */
};

void anomalies_find (const struct history *history, struct findings *out);
/* Writes those of `kinds` that were found, with their examples. */
void findings_print (const struct findings *findings, unsigned kinds, FILE *to);
void findings_clear (struct findings *findings);

/* One more of a kind. The stream takes the example, when it is the first; else it is NULL. */
FILE *findings_note (struct findings *findings, enum anomaly anomaly, size_t *size);

/* versions.c: judges each key by itself and adds the dependencies. */
void versions_find (const struct history *history, struct graph *graph, struct findings *findings);

#endif
