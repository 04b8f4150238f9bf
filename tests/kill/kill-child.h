/* SPDX-License-Identifier: MIT */
/* kill-child: the process that is killed: a database in use by writers, and what is done beside them. */
#ifndef LIGHTNING_TESTS_KILL_CHILD_H
#define LIGHTNING_TESTS_KILL_CHILD_H

#include "killing-disk.h"
#include "writer.h"

#define LOAD_KEYS 40u
#define LOAD_VALUE 300u  /* bytes; every eighth is large */
#define LOAD_LARGE 9000u /* bytes */

/* What a child tells beside its writers' commits. */
enum told
{
  TOLD_LOAD,   /* number: which; sequence: its commit */
  TOLD_BACKUP, /* sequence: it stands there */
};

/* The places of the trial. Set before the first child. */
extern char database[600], backup[600], restored[600], repaired[600], made[600];
extern struct kill_order *order; /* shared with the child */

/* A small database, with settings that follow from `variant`. */
status kill_open (const char *path, unsigned flags, uint64_t variant, struct engine **out,
                  struct failure *failure);
void kill_open_stores (struct engine *engine, engine_store stores[WRITER_STORES]);
/* A key of a bulk load, and its value in the load of that number. */
struct bytes kill_load_key (char to[32], unsigned key);
struct bytes kill_load_value (uint8_t to[LOAD_LARGE], unsigned key, uint64_t number);
/* In the child; tells through `end` what was acknowledged. */
_Noreturn void kill_child_main (enum activity activity, uint64_t variant, int end);

#endif
