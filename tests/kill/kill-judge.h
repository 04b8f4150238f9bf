/* SPDX-License-Identifier: MIT */
/* kill-judge: what is known of the database and its backup, and whether what a kill left agrees with it. */
#ifndef LIGHTNING_TESTS_KILL_JUDGE_H
#define LIGHTNING_TESTS_KILL_JUDGE_H

#include "kill-child.h"

#include "base/random.h"

struct state
{
  writer_picture pictures[WRITERS];
  uint64_t done[WRITERS]; /* operations that are in it */
  uint64_t load;          /* the newest bulk load in it */
};

/* A commit that is in the present state, and perhaps not in the backup. */
struct known_commit
{
  uint32_t writer; /* WRITERS: a bulk load */
  uint64_t number;
  uint64_t least, most; /* its sequence lies there */
};

struct behind
{
  bool complete;             /* one was, in this directory */
  uint64_t least;            /* commit it stands at, or a later one */
  struct state state;        /* at that commit, or an earlier one */
  struct known_commit *list; /* what came behind `state`, in each writer's order; malloc'd */
  size_t count, room;
};

struct round
{
  uint64_t acknowledged, extra; /* in this round */
  unsigned unseen;              /* writers whose next operation would change nothing */
  bool loads;                   /* bulk loads took part: they take numbers beyond one */
  uint64_t least[WRITERS + 1];  /* the last acknowledged commit of each */
};

struct totals
{
  uint64_t kills, hits, missed, acknowledged, extra, loads, backups, continued, repairs, restores,
      holes_looked_for, checks;
};

extern struct state present;
extern uint64_t newest;       /* commit, as of the last verification */
extern struct behind behind;  /* the backup, and how far it is behind */
extern struct round round_now;
extern struct totals totals;
extern struct random chances; /* which way each round goes */

/* A commit that is in the database for sure: an acknowledged one, or one that was found. */
void judge_learn (uint32_t writer, uint64_t number, uint64_t least, uint64_t most);

/* The database itself, recovered, which is closed again unless it is asked for. */
struct engine *judge_database (uint64_t variant, bool keep);
void judge_deeply (const char *path);

/* The next backup is a first one. */
void judge_forget_backup (void);
/* One that is whole. */
void judge_make_backup (uint64_t variant);
/* As the kill left it; then it is continued. */
void judge_backup (struct engine *engine);

/* What a killed restoration, repair, creation and deletion left; then it is done to the end. */
void judge_restored (void);
void judge_repaired (void);
void judge_made (uint64_t variant);
void judge_destroyed (void);
/* Something to be destroyed. */
void judge_prepare_made (uint64_t variant);

#endif
