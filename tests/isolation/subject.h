/* SPDX-License-Identifier: MIT */
/*
 * subject: the database whose isolation is tested, through one of its APIs: engine.h
 * (subject-engine.c) or the GObject library (subject-library.c). A value is a list of elements.
 *
 * What fails otherwise than said here ends the test.
 *
 * Threads: any, but a reader and what is done with it is one thread's.
 */
#ifndef LIGHTNING_TESTS_SUBJECT_H
#define LIGHTNING_TESTS_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfs;

#define LIST_MOST 512u   /* elements of one value */
#define SCAN_MOST 16u    /* keys a scan returns */
#define VALUE_MOST 4096u /* bytes of a list as it is stored */

enum subject_isolation
{
  SUBJECT_SNAPSHOT,     /* a read-write transaction */
  SUBJECT_SERIALIZABLE, /* a read-write transaction */
  SUBJECT_READ_ONLY,    /* a transaction */
  SUBJECT_PLAIN,        /* a snapshot without a transaction */
};

enum subject_sync
{
  SUBJECT_SYNC_ASYNC,
  SUBJECT_SYNC_FULL,
  SUBJECT_SYNC_NONE,
};

enum subject_upkeep
{
  SUBJECT_FLUSH,
  SUBJECT_COMPACT,
  SUBJECT_EVICT,
  SUBJECT_CHECKPOINT,
};

/* Small memtables and files, so that flushes and merges happen beside the transactions; the rest
 * follows from the number. `vfs`: NULL, or where the engine takes its files from. */
void subject_open (const char *path, unsigned variant, const struct vfs *vfs);
void subject_close (void);
void subject_maintain (enum subject_upkeep upkeep);

struct subject_reader;
struct subject_reader *subject_begin (enum subject_isolation isolation);
uint64_t subject_snapshot (struct subject_reader *reader);
/* The number of elements; 0 = absent. */
uint32_t subject_get (struct subject_reader *reader, uint32_t key, uint32_t *list);

struct subject_item
{
  uint32_t key, count;
  uint32_t list[LIST_MOST];
};
/* Of the keys in [from, to) the first `most`, or from the other end. Returns how many there are. No
 * reader: the newest commits. */
unsigned subject_scan (struct subject_reader *reader, uint32_t from, uint32_t to, bool backward,
                       unsigned most, struct subject_item *items);

/* These keys at the newest commits, in one call; lists[i] has room for LIST_MOST. */
void subject_look (const uint32_t *keys, size_t count, uint32_t (*lists)[LIST_MOST],
                   uint32_t *counts);

void subject_put (struct subject_reader *reader, uint32_t key, const uint32_t *list,
                  uint32_t count);
void subject_delete (struct subject_reader *reader, uint32_t key);
void subject_delete_range (struct subject_reader *reader, uint32_t from, uint32_t to);
void subject_lock (struct subject_reader *reader, uint32_t key);
uint64_t subject_savepoint (struct subject_reader *reader);
void subject_rollback_to (struct subject_reader *reader, uint64_t savepoint);
/* Ends it. False: a conflict. *sequence: 0 = it wrote nothing. */
bool subject_commit (struct subject_reader *reader, enum subject_sync sync, uint64_t *sequence);
void subject_rollback (struct subject_reader *reader);

/* Writes outside of transactions, as one commit. */
struct subject_write
{
  enum
  {
    WRITE_PUT,          /* the list that has `element` alone */
    WRITE_DELETE,       /* `key` */
    WRITE_DELETE_RANGE, /* [key, to) */
  } kind;
  uint32_t key, to, element;
};
uint64_t subject_write (const struct subject_write *writes, size_t count, enum subject_sync sync);

/* ---- how keys and values are stored; for the subjects ---- */

#define KEY_ROOM 16u
/* Returns the key's size. */
size_t subject_key (char to[KEY_ROOM], uint32_t key);
uint32_t subject_key_number (const void *data, size_t size);
/* Its size. Some lists are padded, so that they go to blob files. */
size_t subject_value (uint8_t to[VALUE_MOST], const uint32_t *list, uint32_t count);
uint32_t subject_list (uint32_t *to, const void *data, size_t size);

#endif
