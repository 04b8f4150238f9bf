/* SPDX-License-Identifier: MIT */
/*
 * Who watches what bench-watch commits, in the thread that it runs in, and verifies it. Every
 * emission continues the last one, has each of its keys that was written between the two states
 * once, with the newest value in between, and nothing else; a resync is compared with the snapshot.
 */
#pragma once

#include "commits.h"
#include "latency.h"

#include <lightning-db.h>

typedef enum
{
  SAME_THREAD,
  OTHER_THREAD,
  OTHER_PROCESS,
  N_PLACES,
} WatchPlace;

/* What is measured. */
typedef struct
{
  gboolean isolated; /* commits, else at full speed */
  WatchPlace place;  /* of handlers */
  guint watches;     /* how many */
  guint apart;       /* boolean: each has keys of its own */
  guint interval;    /* milliseconds */
} Case;

/* What came. */
typedef struct
{
  struct latency latency;              /* of each change of each watch */
  guint64 emissions, changes, resyncs; /* of all watches */
} Told;

typedef struct _Watcher Watcher;

typedef struct
{
  Watcher *watcher;  /* that it belongs to */
  LdbWatch *watch;   /* owned */
  guint first, keys; /* that it watches */
  guint64 told;      /* all commits up to here are known */
} Follower;

struct _Watcher
{
  LdbDatabase *db;       /* borrowed */
  const Case *what;      /* borrowed */
  guint64 base;          /* commit n has the sequence number base + n */
  GMainContext *context; /* of the handlers; borrowed */
  Follower *followers;   /* owned */
  guint64 last;          /* the last commit; 0: not known yet; atomic */
  Told told;             /* so far */
};

/* In the thread whose default main context is `context`. */
void watcher_begin (Watcher *self, LdbDatabase *db, const Case *what, guint64 base,
                    GMainContext *context);
/* Runs the main loop until everything up to the last commit has come, and a while longer. */
void watcher_end (Watcher *self, guint64 last);

void told_add (Told *to, const Told *from);
