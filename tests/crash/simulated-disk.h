/* SPDX-License-Identifier: MIT */
/*
 * simulated-disk: a file system in memory behind the engine's vfs.h, which notes every change made
 * to it, so that what a crash may leave can be built from the notes (crash-states.h).
 *
 * A disk is a tree of directories, names and files. It is cheap to clone: clones share what a file
 * holds until one of them changes it. A disk may have a journal: then each change and each sync is
 * noted in order. Stores through a shared mapping are found by comparing the mapped files with what
 * was last seen, at every operation on the disk and whenever the test asks.
 *
 * Threads: simulated ones only (one at a time).
 */
#ifndef LIGHTNING_TESTS_SIMULATED_DISK_H
#define LIGHTNING_TESTS_SIMULATED_DISK_H

#include "base/random.h"
#include "base/vfs.h"

#define DISK_NAME_SIZE 48

enum disk_change_kind
{
  DISK_WRITE,          /* bytes of a file, by a call or through a mapping */
  DISK_TRUNCATE,       /* a file's size: `offset` */
  DISK_ALLOCATE,       /* a file reaches at least to `offset` */
  DISK_NAME,           /* a name refers to a file from now on */
  DISK_UNNAME,         /* a name is gone */
  DISK_SYNC_FILE,      /* what was done to a file before is durable */
  DISK_SYNC_DIRECTORY, /* what was done to the names of a directory before is durable */
};

struct disk_change
{
  enum disk_change_kind kind;
  uint32_t file;             /* inode; not of syncs of directories */
  uint32_t directory;        /* of names and their syncs */
  uint64_t offset, size;     /* of a write; see above */
  uint64_t from, to;         /* of a write: the bytes that are new; the rest fills its sectors */
  uint64_t size_before;      /* of the file: whether a write makes it longer */
  uint8_t *bytes;            /* of a write; NULL = zeros; malloc'd */
  char name[DISK_NAME_SIZE]; /* of names */
  bool follows;              /* the second half of a rename: never without the change before it */
};

struct disk_journal
{
  struct disk_change *changes; /* malloc'd */
  size_t count, room;
};

/* What one file holds; shared by clones until changed. */
struct disk_content
{
  unsigned references;
  unsigned mappings;       /* of it; then it neither moves nor grows */
  uint64_t size, capacity; /* bytes; behind `size` lies what is there but not to be seen */
  uint8_t *bytes;          /* malloc'd */
  uint8_t *seen;           /* of a mapped one, as last compared; malloc'd */
  uint64_t sum;            /* of bytes and size, when `summed` */
  bool summed;
};

struct disk_name
{
  uint32_t directory, file;
  char name[DISK_NAME_SIZE];
};

struct disk_file
{
  struct disk_content *content; /* NULL: no such file */
  bool locked;                  /* by an open descriptor */
};

struct disk;

/* Decides whether an operation fails: 0 or an errno. `written`, of a write that fails: so many
 * bytes reach the file all the same. */
struct disk_fault
{
  int (*decide) (void *data, const char *operation, const char *name, uint64_t size,
                 uint64_t *written);
  void *data;
};

#define DISK_DIRECTORIES_MOST 4

struct disk
{
  struct vfs vfs; /* what an engine opens; its context is the disk */
  char *directories[DISK_DIRECTORIES_MOST];
  uint32_t directory_count;
  unsigned locked_directories; /* a bit for each */
  struct disk_name *names;     /* malloc'd */
  size_t name_count, name_room;
  struct disk_file *files; /* by inode; 0 is none; malloc'd */
  size_t file_count, file_room;
  struct disk_journal *journal; /* NULL: nothing is noted */
  struct disk_fault fault;
  bool mappable; /* the engine may map its log */
  bool linkless; /* it refuses hard links */
  unsigned open; /* directories and files that are open */
};

struct disk *disk_new (bool mappable, struct disk_journal *journal);
struct disk *disk_clone (const struct disk *disk);
void disk_free (struct disk *disk); /* nothing is open on it */
void disk_journal_clear (struct disk_journal *journal);

/* Notes what was stored through mappings since it last looked. */
void disk_look (struct disk *disk);
/* Names and bytes of everything; equal disks have equal sums. */
uint64_t disk_sum (struct disk *disk);
/* The file of that name, 0 = none. */
uint32_t disk_find (const struct disk *disk, uint32_t directory, const char *name);
void disk_print (const struct disk *disk);

/* What becomes of a write's bytes. */
enum disk_tear
{
  DISK_WHOLE,
  DISK_PREFIX,    /* up to `from` */
  DISK_SUFFIX,    /* from `from` on */
  DISK_HOLE,      /* but [from, to) */
  DISK_SIZE_ONLY, /* the file is longer, its new bytes are zeros */
  DISK_DATA_ONLY, /* the bytes are there, the file is not longer */
};
enum disk_fill
{
  DISK_OLD,     /* what was there stays */
  DISK_ZEROS,   /* the sector was given to the file but not written */
  DISK_GARBAGE, /* the sector was being written */
};
struct disk_choice
{
  bool applied;
  enum disk_tear tear; /* of a write */
  enum disk_fill fill; /* of what is torn out */
  uint64_t from, to;   /* offsets in the file, multiples of 512 */
};
/* Applies a noted change (never a sync) to another disk. */
void disk_apply (struct disk *disk, const struct disk_change *change, struct disk_choice choice);

#endif
