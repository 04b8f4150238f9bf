/* SPDX-License-Identifier: MIT */
/*
 * sharing: what a writing process tells reading ones. docs/design/processes.md has the protocol.
 *
 *   file SHARED   0  magic, 8            64  change, 4: raised with each state, waited on by readers
 *                 8  version, 4          68  hello, 4: waited on by the writer; readers wake it
 *                12  flags, 4
 *                16  database id, 16     (the words in native order, the rest little-endian)
 *                32  life, 8
 *                40  published, 8        locks   PRESENCE   shared by each reader
 *                48  files, 8                    ALIVE (life)  held by the writer of that life
 *                56  checksum, 8
 *
 * Invariants
 *   H1  Only the writer writes to the page, and it reads nothing from it that it acts upon but
 *       whether a word changed. So no reader, dead, stopped or hostile, can hold it up or lead it
 *       astray.
 *   H2  Commits never touch the page. The thread that does sleeps while no reader is there, and is
 *       woken once a frame at most while there are some.
 *   H3  What is told was true before: `published` is visible, and the files are in the manifest.
 *   H4  A life's lock is held from before the life is told until all it did can be found in the
 *       files.
 *
 * Threads: as told at each call.
 */
#ifndef LIGHTNING_SHARING_H
#define LIGHTNING_SHARING_H

#include "core/engine-private.h"

#include "base/shared-page.h"

#define SHARED_CHANGE 64u                    /* offset of the word that readers wait on */
#define SHARED_HELLO 68u                     /* of the one that the writer waits on */
#define SHARED_PRESENCE (UINT64_C (1) << 62) /* position of the lock that each reader shares */
#define SHARED_FRAME 16000u                  /* microseconds between two tellings, at least */

struct shared_state
{
  uint8_t database_id[16];
  uint64_t life;      /* random, of the writer's opening; 0 = none yet */
  uint64_t published; /* newest visible commit */
  uint64_t files;     /* raised with each change of the manifest */
  bool live;          /* the writer looks after readers now: it need not be woken */
};

/* Position of the lock that the writer of a life holds. */
static inline uint64_t
shared_alive (uint64_t life)
{
  return (UINT64_C (1) << 61) + (life & ((UINT64_C (1) << 60) - 1));
}

/* False: there is none that verifies. */
bool shared_state_read (struct shared_page *page, struct shared_state *out);
bool shared_state_write (struct shared_page *page, const struct shared_state *state);
uint32_t shared_word_read (struct shared_page *page, size_t offset);

/* The writer: begins to tell. Failure means that other processes see this one's commits only when
 * they open; nothing else. */
status sharing_start (struct engine *engine, struct failure *failure);
/* Tells the last, and ends. At the very end of closing, or of a start that failed. */
void sharing_stop (struct engine *engine);
/* The manifest has changed. Any thread, any lock held but the commit lock. */
void sharing_files_changed (struct engine *engine);

#endif
