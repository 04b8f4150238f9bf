/* SPDX-License-Identifier: MIT */
/*
 * measured-engine: the engine that engine-load measures, its records, and what the system says of
 * it and of this process, now and while work goes on.
 */
#ifndef LIGHTNING_TESTS_MEASURED_ENGINE_H
#define LIGHTNING_TESTS_MEASURED_ENGINE_H

#include "base/random.h"
#include "check.h"
#include "core/engine-private.h"
#include "process-memory.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#define KEY_SIZE 16u
#define VALUE_SIZE 100u
#define RECORD_SIZE (KEY_SIZE + VALUE_SIZE)
#define MIB ((uint64_t) 1 << 20)

extern const char *parent;
extern uint64_t megabytes; /* 0 = each measurement's own */
extern uint64_t only;      /* the one budget to measure; 0 = all three */
extern bool uncompressed, compressed;
extern bool only_small; /* budget: the small records alone */
extern struct engine *engine;
extern struct failure failure;

double now (void);
struct bytes make_key (uint8_t to[KEY_SIZE], uint64_t number);

/* The number, then half noise, half text. */
struct bytes make_value (uint8_t to[VALUE_SIZE], uint64_t number, uint64_t round);

void put (uint64_t number, uint64_t round);

/* Reads `reads` of `count` records at random; returns microseconds each. */
double read_at_random (uint64_t count, uint64_t reads);

void choose_options (struct engine_options *options);
void open_database (const struct engine_options *options);
void close_database (void);
void new_directory (void);
void drop_directory (void);
void settle (void);

/* Bytes of this process that are its own, by what they are for. */
struct memory
{
  uint64_t anonymous; /* all that is not the log, at one moment */
  uint64_t log;       /* the log's mapping */
  uint64_t heap;      /* of the anonymous: the allocator's first heap */
  uint64_t heaps;     /* its others, for threads */
  uint64_t stacks;    /* of threads */
  uint64_t mapped;    /* other anonymous mappings: buffers, memtables, the page cache */
  uint64_t program;   /* variables of program and libraries, the first stack */
};

/* What it is made of, about: the kernel lists a few mappings at a time, so that what moves
 * meanwhile is counted twice, or not at all. The log is exact but for that. */
struct memory own_memory (void);

uint64_t written_bytes (void);
uint64_t disk_bytes (void);

/* Context switches of all threads but this one. */
uint64_t switches_of_others (void);

struct sampler
{
  pthread_t thread;
  _Atomic bool stop;
  bool memory;        /* memory, else disk */
  struct memory base; /* before there is a database */
  uint64_t most, samples;
  struct memory at_most;                   /* what the most was made of, the base still in it */
  int64_t ledger_at_most[LEDGER_ACCOUNTS]; /* what the ledger said then */
  struct mallinfo2 heaps_at_most;          /* and the allocator */
  int64_t most_ledger;                     /* what the ledger had at most, by itself */
  double sum;
};

extern struct sampler sampler;

void sampler_start (bool memory);
void sampler_stop (void);

/* ---- what is measured, by file ---- */

/* load-budget.c */
void measure_budget (void);

/* load-latency.c */
void measure_latency (void);

#endif
