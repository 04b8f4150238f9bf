/* SPDX-License-Identifier: MIT */
/*
 * system-call-program: a program that uses an engine whose system calls fail, what it has been told
 * and what follows from that. Any answer that is not right ends the process (program_broken).
 */
#ifndef LIGHTNING_TESTS_SYSTEM_CALL_PROGRAM_H
#define LIGHTNING_TESTS_SYSTEM_CALL_PROGRAM_H

#include "failing-calls.h"

/* The tests' own calls do not fail. */
#undef close
#undef closedir
#undef fstat
#undef mmap
#undef munmap
#undef open
#undef readdir
#undef rmdir

#include "../engine/small-engine.h"
#include "base/buffer.h"

#define KEYS 400u
#define KILLED_KEYS 40u /* in the database that a killed process left */
#define LARGE_BUDGET (UINT64_C (128) << 20) /* has two merging threads and huge pages */
#define VALUE_MOST 20000u

enum presence
{
  ABSENT,
  PRESENT,
  UNKNOWN,
};

struct program
{
  char *path; /* all of it is below */
  char database[600], backup[600], restored[600], repaired[600];
  struct engine *engine;                    /* NULL: not open */
  uint64_t budget;                          /* bytes of memory */
  bool merging;                             /* in the background, too */
  bool long_log;                            /* memtable and log as large as users have them */
  enum presence keys[KEYS];                 /* each is written once */
  uint32_t next;                            /* first that was not */
  const char *doing;                        /* the call that is under way */
  bool copying;                             /* makes a backup */
  bool backed_up, is_restored, is_repaired; /* so it was said */
};

extern struct failure failure;

/* ---- using it (system-call-program.c) ---- */

void program_broken (const struct program *program, const char *what) __attribute__ ((noreturn));
struct bytes program_value (uint32_t key, uint8_t to[VALUE_MOST]);
struct engine_options program_options (const struct program *program);
status program_open_database (struct program *program);
/* Should it fail, the fault goes and it is opened after all. */
void program_open (struct program *program);
void program_close (struct program *program);
/* Writes the next key. */
void program_put (struct program *program, enum engine_sync sync);
void program_write_some (struct program *program, unsigned count);

/* ---- what it was told ---- */

/* Checks the answer of a call; true when it was done. */
bool program_said (struct program *program, const char *what, status result);
/* What is there of a key whose writing was answered so. */
enum presence program_presence_after (status result);
/* What was called durable has its log synced. */
void program_check_durable (const struct program *program, status result);
/* Each key that is read is as it was written, or its reading an error. `follows`: it may come yet;
 * `settle`: from here on it is known of each whether it is there. */
void program_check_keys (struct program *program, struct engine *engine, bool follows, bool settle);
/* Without faults: the database, its copies and what is written from now on are sound. */
void program_judge (struct program *program);

/* ---- the programs (system-call-programs.c) ---- */

struct program_kind
{
  const char *name;
  void (*run) (struct program *program);
  const char *killed; /* begins with what a killed process left there; or NULL */
  bool rare;          /* not in the short form for what another one passes */
};

#define PROGRAMS 6u
extern const struct program_kind programs[PROGRAMS];

#endif
