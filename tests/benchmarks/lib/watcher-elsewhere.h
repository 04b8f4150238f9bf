/* SPDX-License-Identifier: MIT */
/* A watcher whose handlers run in another thread, or in another process that reads. */
#pragma once

#include "watcher.h"

#include <pthread.h>

/* ---- another thread ---- */

typedef struct
{
  Watcher watcher;       /* the thread's until it has ended */
  LdbDatabase *db;       /* borrowed */
  const Case *what;      /* borrowed */
  guint64 base;          /* see Watcher */
  pthread_t thread;      /* that runs the main loop */
  pthread_mutex_t lock;  /* guards what follows */
  pthread_cond_t change; /* of it */
  GMainContext *context; /* the thread's; NULL until it watches */
  guint64 last;          /* the last commit, once it is known */
} Neighbour;

void neighbour_begin (Neighbour *self, LdbDatabase *db, const Case *what, guint64 base);
/* When all up to the last commit has come; what did is in `watcher`. */
void neighbour_end (Neighbour *self, guint64 last);

/* ---- another process ---- */

typedef struct
{
  GPid pid;     /* of it */
  int to, from; /* its standard input and output */
} Process;

void process_begin (Process *self, const char *path, const Case *what, guint64 base);
void process_end (Process *self, guint64 last, Told *told);
/* What this program does as the other process: --follow PATH; it is told which case, and where
 * commits begin. Gives its exit status. */
int process_main (const char *path);
