/* SPDX-License-Identifier: MIT */
/*
 * upkeep: what backup, restore, check and repair share: walking a database's directory, copying its
 * files, opening them outside of an engine, reporting progress.
 *
 * Threads: one call's things belong to its thread.
 */
#ifndef LIGHTNING_UPKEEP_H
#define LIGHTNING_UPKEEP_H

#include "core/engine-private.h"

/* ---- progress ---- */

struct upkeep_progress
{
  engine_progress report; /* NULL: nobody listens */
  void *data;             /* the caller's */
  const char *step;       /* what is going on, English, static */
  uint64_t done, total;   /* bytes */
  uint64_t last;          /* microseconds, monotonic, of the last report */
  bool cancelled;         /* report said so */
};
/* Counts `bytes` more. CANCELLED once the caller wants to stop. Reports 100 times a second at most.
 */
status upkeep_advance (struct upkeep_progress *progress, uint64_t bytes, struct failure *failure);
/* The next step begins: reported at once. */
status upkeep_step (struct upkeep_progress *progress, const char *step, struct failure *failure);

/* ---- directories ---- */

struct upkeep_file
{
  char name[FILE_NAME_SIZE];
  enum file_kind kind;
  uint64_t number;
};

struct upkeep_listing
{
  struct upkeep_file *files; /* the numbered ones, rising number; malloc'd */
  size_t count, capacity;
  bool current;     /* CURRENT is there */
  bool backup_note; /* BACKUP_NOTE_NAME is there */
  bool foreign;     /* something that is not ours */
  bool no_memory;   /* the list is not whole */
};
status upkeep_list (struct vfs_directory *directory, struct upkeep_listing *out,
                    struct failure *failure);
void upkeep_listing_clear (struct upkeep_listing *listing);

/* NEWER_FORMAT when a segment, blob file, log or history file of the directory was written by a
 * later version; the manifest is for manifest_load to judge. `opened`, unless NULL: a state of
 * which all files were opened, and so judged, already. Reads the headers only. */
status upkeep_refuse_newer (struct vfs_directory *directory, const struct manifest_state *opened,
                            struct failure *failure);
/* The first file that the state lists and the directory lacks; "" when all are there. */
status upkeep_find_missing (struct vfs_directory *directory, const struct manifest_state *state,
                            char to[FILE_NAME_SIZE], struct failure *failure);
/* The file CURRENT names. NOT_FOUND without a message when there is none or it is damaged. */
status upkeep_current_manifest (struct vfs_directory *directory, char to[FILE_NAME_SIZE],
                                uint64_t *number, struct failure *failure);
/* Whether a writer holds the lock now. */
bool upkeep_writer_lives (struct vfs_directory *directory);
/* INVALID when `path` is `source` or lies in it. Looks only. */
status upkeep_refuse_inside (const struct vfs *vfs, const char *source, const char *path,
                             struct failure *failure);
/* Size in bytes and identity; NOT_FOUND when missing. */
status upkeep_information (struct vfs_directory *directory, const char *name,
                           struct vfs_file_information *out, struct failure *failure);

/* ---- copying ---- */

enum upkeep_copied
{
  UPKEEP_REFLINKED,
  UPKEEP_LINKED,
  UPKEEP_COPIED
};
/* Makes `new_name` in `to` a copy of `name` in `from`, in place of what bears the name there. The
 * bytes are durable; the name is not (sync the directory). `link`: a hard link will do. */
status upkeep_copy (struct vfs_directory *from, const char *name, struct vfs_directory *to,
                    const char *new_name, bool link, struct upkeep_progress *progress,
                    enum upkeep_copied *how, uint64_t *size, struct failure *failure);

/* ---- comparing blob files (backup-blobs.c) ---- */

/* Whether the files, of which both are there, are equal, byte by byte. */
status backup_same_bytes (struct vfs_directory *one, struct vfs_directory *two, const char *name,
                          bool *same, struct failure *failure);
/* Whether each value that the database `before`, in `copy`, has in blob file `number` verifies
 * there and in `source` and is the same in both. Reads its segments. */
status backup_same_values (struct vfs_directory *source, struct vfs_directory *copy,
                           const struct manifest_state *before, uint64_t number,
                           struct upkeep_progress *progress, bool *same, struct failure *failure);

/* ---- opening segments without an engine ---- */

struct upkeep_reader
{
  struct ledger ledger;
  struct cache *cache;
  struct segment_reader_settings settings;
};
status upkeep_reader_open (struct upkeep_reader *reader, struct vfs_directory *directory,
                           const uint8_t database_id[16], size_t page_size,
                           struct failure *failure);
void upkeep_reader_close (struct upkeep_reader *reader); /* after all its segments */

/* Database and page size as the header of a segment says. False when it is no segment header. */
bool upkeep_sniff_segment (struct vfs_directory *directory, const char *name,
                           uint8_t database_id[16], size_t *page_size);

/* Reads values of blob files by reference, one file open at a time. */
struct upkeep_blobs
{
  struct vfs_directory *directory;
  uint8_t database_id[16];
  struct blob_file *file; /* NULL: none open */
  uint64_t file_size;     /* of the open one */
  uint8_t *buffer;        /* of one value; malloc'd */
  size_t capacity;        /* of buffer */
};
/* *out is borrowed until the next call. CORRUPT for whatever is wrong with file or value. */
status upkeep_blob_read (struct upkeep_blobs *blobs, struct bytes reference, struct bytes *out,
                         struct failure *failure);
/* Only opens the file that the value is in. Another error than CORRUPT: it is no file, or the system
 * does not give it. */
status upkeep_blob_open (struct upkeep_blobs *blobs, struct bytes reference,
                         struct failure *failure);
void upkeep_blobs_clear (struct upkeep_blobs *blobs);

/* ---- engine_check and engine_repair on any disk ---- */

status check_path (const struct vfs *vfs, const char *path, bool deep,
                   void (*fault) (void *data, const char *file, uint64_t page, const char *reason),
                   engine_progress progress, void *data, struct engine_check_report *out,
                   struct failure *failure);
status repair_path (const struct vfs *vfs, const char *path, const char *destination,
                    void (*lost) (void *data, const char *file, uint64_t page, const char *reason),
                    engine_progress progress, void *data, struct engine_repair_report *out,
                    struct failure *failure);

/* ---- verifying (check.c) ---- */

/* Verifies all files of `state` in `directory`, which nobody changes, as a deep check does. Fails
 * with the first fault: CORRUPT, or why something can't be read. */
status check_files (struct vfs_directory *directory, const struct manifest_state *state,
                    struct upkeep_progress *progress, struct failure *failure);

#endif
