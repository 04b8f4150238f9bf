/* SPDX-License-Identifier: MIT */
/* Backup and restore, through the engine's own header. */
#include "faulty-disk.h"
#include "filled-engine.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Onto a database, whichever it is, nothing is restored. */
static void
refuse_restore (const char *backup, const char *onto)
{
  struct failure why = FAILURE_INIT;
  CHECK_INT (engine_restore (backup, onto, NULL, NULL, &why), STATUS_EXISTS);
  CHECK (strstr (why.message, "holds a database already") != NULL);
}

void
test_backup (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup"), *copy = below (parent, "copy");
  struct engine *engine = open_small (path);
  struct engine_backup_result first, second, third;
  fill (engine);
  CHECK_OK (engine_wait_settled (engine, 300000000, &failure)); /* merges replace files */
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &first, &failure));
  CHECK_INT (first.sequence, engine_sequence (engine));
  CHECK_INT (first.files, count_files (backup, ".seg") + count_files (backup, ".blob"));
  CHECK_INT (first.files,
             first.copied_files + first.linked_files + first.reflinked_files + first.kept_files);
  CHECK_INT (first.kept_files, 0);
  CHECK_INT (count_files (backup, ".log"), 0);

  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &second, &failure));
  CHECK_INT (second.kept_files, second.files);
  put_range (engine, 20000, 20500, 1);
  CHECK_OK (engine_backup (engine, backup, false, NULL, NULL, &third, &failure));
  CHECK (third.files > third.kept_files && third.sequence == engine_sequence (engine));
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &third, &failure));
  CHECK_INT (third.files, count_files (backup, ".seg") + count_files (backup, ".blob"));
  put_range (engine, 0, 8000, 7); /* after the backup */

  CHECK_OK (engine_restore (backup, copy, NULL, NULL, &failure));
  check_filled (copy);
  refuse_restore (backup, copy);
  CHECK_FAILS (engine_restore (path, parent, NULL, NULL, &failure), STATUS_LOCKED);
  check_filled (copy);

  /* The backup as a database; written to, neither side changes the other. */
  check_filled (backup);
  struct engine *other = open_small (backup);
  put_range (other, 0, 4000, 5);
  CHECK_OK (engine_compact (other, NULL, NULL, &failure));
  CHECK_FAILS (engine_backup (engine, backup, false, NULL, NULL, &third, &failure), STATUS_EXISTS);
  close_it (other);
  check_range_of (engine, 0, 8000, 7);
  CHECK_FAILS (engine_backup (engine, backup, false, NULL, NULL, &third, &failure), STATUS_EXISTS);
  CHECK_OK (engine_destroy (backup, NULL, &failure));
  CHECK (access (backup, F_OK) != 0);
  close_it (engine);
  refuse_restore (copy, path); /* onto one that it comes from */
  struct engine_check_report report;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  free (backup);
  free (copy);
  remove_directory (parent);
  remove_directory (path);
}

void
test_backup_refused (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  struct engine *engine = open_small (path), *other;
  put_range (engine, 0, 100, 1);
  CHECK_FAILS (engine_backup (engine, path, false, NULL, NULL, NULL, &failure), STATUS_INVALID);
  char *inside = below (path, "inside"), *foreign = below (parent, "foreign");
  char *second = below (parent, "second"), *missing = below (parent, "no/such");
  CHECK_FAILS (engine_backup (engine, inside, false, NULL, NULL, NULL, &failure), STATUS_INVALID);
  CHECK (access (inside, F_OK) != 0);
  CHECK_FAILS (engine_backup (engine, "", false, NULL, NULL, NULL, &failure), STATUS_INVALID);
  CHECK_FAILS (engine_backup (engine, missing, false, NULL, NULL, NULL, &failure),
               STATUS_NOT_FOUND);
  mkdir (foreign, 0700);
  char *letter = below (foreign, "letter.txt");
  fclose (fopen (letter, "w"));
  CHECK_FAILS (engine_backup (engine, foreign, false, NULL, NULL, NULL, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK_INT (count_files (foreign, ""), 3); /* with . and .. */
  char *current = below (foreign, "CURRENT"); /* as other engines have one, too */
  fclose (fopen (current, "w"));
  CHECK_FAILS (engine_backup (engine, foreign, false, NULL, NULL, NULL, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK_INT (count_files (foreign, ""), 4);
  unlink (current);
  free (current);
  other = open_small (second);
  put_range (other, 0, 10, 3);
  close_it (other);
  CHECK_FAILS (engine_backup (engine, second, false, NULL, NULL, NULL, &failure), STATUS_EXISTS);
  other = open_small (second);
  check_range_of (other, 0, 10, 3);
  close_it (other);
  CHECK_FAILS (engine_restore (foreign, inside, NULL, NULL, &failure), STATUS_NOT_A_DATABASE);
  CHECK_FAILS (engine_restore (missing, inside, NULL, NULL, &failure), STATUS_NOT_FOUND);
  CHECK_OK (engine_close (engine, &failure));
  CHECK_FAILS (engine_backup (engine, second, false, NULL, NULL, NULL, &failure), STATUS_CLOSED);
  engine_unref (engine);
  refuse_restore (path, second);
  free (inside);
  free (foreign);
  free (second);
  free (missing);
  free (letter);
  remove_directory (parent);
  remove_directory (path);
}

struct within
{
  struct engine *engine, *other;
  int refused, done;
};

static bool
compact_within (void *data, uint64_t done, uint64_t total, const char *step)
{
  struct within *within = data;
  struct failure why = FAILURE_INIT;
  (void) done;
  (void) total;
  (void) step;
  status result = engine_compact (within->engine, NULL, NULL, &why);
  within->refused += result == STATUS_BUSY && strstr (why.message, "being compacted") != NULL;
  within->done
      += within->other == NULL || engine_compact (within->other, NULL, NULL, NULL) == STATUS_OK;
  return true;
}

static bool
compact_other_within (void *data, uint64_t done, uint64_t total, const char *step)
{
  struct within *within = data;
  struct failure why = FAILURE_INIT;
  (void) done;
  (void) total;
  (void) step;
  status result = engine_compact (within->other, compact_within,
                                  &(struct within){ .engine = within->engine }, &why);
  within->done += result == STATUS_OK;
  return true;
}

/* Told of its own progress, a compaction is not waited for by another one: that would never end. */
void
test_compact_within_itself (void)
{
  char *path = fresh_directory (), *second = fresh_directory ();
  struct within within = { open_small (path), open_small (second), 0, 0 };
  put_range (within.engine, 0, 3000, 1);
  put_range (within.other, 0, 3000, 2);
  CHECK_OK (engine_compact (within.engine, compact_within, &within, &failure));
  CHECK (within.refused > 0 && within.done == within.refused);
  within.done = 0;
  put_range (within.engine, 0, 3000, 3);
  put_range (within.other, 0, 3000, 4);
  CHECK_OK (engine_compact (within.engine, compact_other_within, &within, &failure));
  CHECK (within.done > 0);
  check_range_of (within.engine, 0, 3000, 3);
  check_range_of (within.other, 0, 3000, 4);
  close_it (within.engine);
  close_it (within.other);
  remove_directory (second);
  remove_directory (path);
}

void
test_backup_cancelled (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup"), *copy = below (parent, "copy");
  struct engine *engine = open_small (path);
  put_range (engine, 0, 3000, 1);
  struct engine *opened;
  /* Before there is a backup: what is left can be taken up again, and is no database. */
  CHECK_FAILS (engine_backup (engine, backup, true, cancel_at_once, "large values", NULL, &failure),
               STATUS_CANCELLED);
  CHECK_FAILS (engine_open (backup, ENGINE_OPEN_CREATE, NULL, &opened, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  /* Cut short between its manifest and CURRENT. */
  char *current = below (backup, "CURRENT");
  CHECK_INT (unlink (current), 0);
  free (current);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  /* Later: the earlier backup stays whole. */
  put_range (engine, 0, 3000, 2);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_FAILS (engine_backup (engine, backup, true, cancel_at_once, "large values", NULL, &failure),
               STATUS_CANCELLED);
  CHECK_FAILS (engine_restore (backup, copy, cancel_at_once, "segments", &failure),
               STATUS_CANCELLED);
  CHECK_INT (access (copy, F_OK), -1); /* nothing is left behind */
  CHECK_OK (engine_restore (backup, copy, NULL, NULL, &failure));
  struct engine *other = open_small (copy);
  check_range_of (other, 0, 3000, 1);
  close_it (other);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  other = open_small (backup);
  check_range_of (other, 0, 3000, 2);
  close_it (other);
  close_it (engine);
  free (backup);
  free (copy);
  remove_directory (parent);
  remove_directory (path);
}

/* Where nothing can be shared: copies, a full destination, and a backup of another course. */
void
test_backup_copies (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup"), *twin = below (parent, "twin"), command[1200];
  struct engine_backup_result result;
  struct engine *engine = open_on_disk (path);
  fill (engine);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  close_it (engine);
  snprintf (command, sizeof command, "cp -r -- '%s' '%s'", path, twin);
  CHECK_INT (system (command), 0);
  engine = open_on_disk (path);
  atomic_store (&disk_left, 200000);
  CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, &result, &failure),
               STATUS_NO_SPACE);
  atomic_store (&disk_left, INT64_MAX);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.copied_files, result.files);
  CHECK (result.copied_bytes == result.bytes && result.bytes > 200000);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.kept_files, result.files);
  CHECK_INT (result.copied_files, 0);
  put_range (engine, 10000, 12000, 1);
  atomic_store (&disk_left, 100000000);
  CHECK_OK (engine_flush (engine, &failure));
  atomic_store (&disk_left, 1000);
  CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, &result, &failure),
               STATUS_NO_SPACE);
  atomic_store (&disk_left, INT64_MAX);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK (result.kept_files > 0 && result.copied_files > 0);
  close_it (engine);

  /* A copy made by hand lives on by itself: its files take our numbers, with other contents. */
  engine = open_on_disk (twin);
  put_range (engine, 10000, 12000, 2);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, &result, &failure), STATUS_EXISTS);
  close_it (engine);
  check_filled (backup);
  engine = open_small (backup);
  check_range_of (engine, 10000, 12000, 1);
  close_it (engine);
  free (backup);
  free (twin);
  remove_directory (parent);
  remove_directory (path);
}

/* Appends to a file, or changes a byte of it. */
static void
change_file (char *path, off_t offset, unsigned size)
{
  int file = open (path, O_RDWR);
  CHECK (file >= 0);
  for (unsigned i = 0; i < size; i++)
    {
      uint8_t byte = 0;
      CHECK (pread (file, &byte, 1, offset + i) >= 0);
      byte ^= 0x55;
      CHECK_INT (pwrite (file, &byte, 1, offset + i), 1);
    }
  close (file);
}

/* A value that was still arriving, or that no commit refers to, is no reason to refuse a backup; a
 * value that differs is one. */
void
test_backup_of_growing_blobs (void)
{
  char *path = fresh_directory (), *parent = fresh_directory (), name[64];
  char *backup = below (parent, "backup");
  struct engine_backup_result result;
  struct engine *engine = open_on_disk (path);
  put_range (engine, 0, 400, 1);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  close_it (engine);
  CHECK_INT (find_files (path, ".blob", name), 1);
  char *blob = below (path, name);
  struct stat before, after;
  CHECK_INT (stat (blob, &before), 0);

  change_file (blob, before.st_size, 9016); /* arrived after the copy was made */
  engine = open_on_disk (path);
  put_range (engine, 400, 500, 1);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK (result.kept_files > 0);
  char *copy = below (backup, name);
  CHECK_INT (stat (copy, &after), 0);
  CHECK_INT (after.st_size, before.st_size + 9016);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.kept_files, result.files);
  close_it (engine);

  change_file (copy, 5000, 1); /* in the first value */
  engine = open_on_disk (path);
  CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, &result, &failure), STATUS_EXISTS);
  close_it (engine);
  change_file (copy, 5000, 1);
  engine = open_on_disk (path);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  check_range_of (engine, 0, 500, 1);
  close_it (engine);
  engine = open_small (backup);
  check_range_of (engine, 0, 500, 1);
  close_it (engine);
  free (copy);
  free (blob);
  free (backup);
  remove_directory (parent);
  remove_directory (path);
}

/* U4: a file of large values that is shared with the backup takes no more of them. */
void
test_backup_of_open_blobs (void)
{
  char *path = fresh_directory (), *parent = fresh_directory (), name[64];
  char *backup = below (parent, "backup");
  struct engine_backup_result result;
  struct stat before, after;
  struct engine *engine = open_small (path);
  put_range (engine, 0, 400, 1);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (find_files (backup, ".blob", name), 1);
  char *copy = below (backup, name);
  CHECK_INT (stat (copy, &before), 0);
  put_range (engine, 400, 800, 1);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_INT (stat (copy, &after), 0);
  CHECK_INT (after.st_size, before.st_size);
  close_it (engine);
  free (copy);
  free (backup);
  remove_directory (parent);
  remove_directory (path);
}

void
test_backup_beside_writers (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup");
  struct engine *engine = open_small (path);
  struct beside writer = { .engine = engine, .sync = ENGINE_SYNC_ASYNC, .first = 100000 };
  put_range (engine, 0, 3000, 1);
  pthread_t thread;
  pthread_create (&thread, NULL, write_beside, &writer);
  for (unsigned i = 0; i < 5; i++)
    {
      struct engine_check_report report;
      CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
      CHECK_OK (engine_check (backup, true, NULL, NULL, NULL, &report, &failure));
      CHECK (report.no_orphans && report.records >= 3000);
      CHECK_OK (engine_check_open (engine, true, NULL, NULL, NULL, &report, &failure));
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
    }
  atomic_store (&writer.stop, true);
  pthread_join (thread, NULL);
  close_it (engine);
  engine = open_small (backup);
  check_range_of (engine, 0, 3000, 1);
  CHECK (has (engine, ENGINE_STORE_DEFAULT, 100000));
  close_it (engine);
  free (backup);
  remove_directory (parent);
  remove_directory (path);
}

/* A database that is open read-only, from a directory nothing can be written to. */
void
test_backup_read_only (void)
{
  char *path = fresh_directory (), *parent = fresh_directory (), command[700];
  char *backup = below (parent, "backup"), *other = below (parent, "other");
  struct engine_options options = small_options ();
  struct engine_backup_result result;
  struct engine_check_report report;
  struct engine *engine = open_small (path), *reader;
  fill (engine);
  CHECK_OK (engine_checkpoint (engine, &failure));
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  CHECK_FAILS (engine_backup (reader, backup, true, NULL, NULL, NULL, &failure), STATUS_LOCKED);
  CHECK (strstr (failure.message, "make the backup there") != NULL);
  close_it (engine);
  close_it (reader);
  sprintf (command, "chmod 0444 '%s'/* && chmod 0555 '%s'", path, path);
  CHECK (system (command) == 0);
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  CHECK_OK (engine_backup (reader, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.sequence, engine_sequence (reader));
  CHECK_OK (engine_backup (reader, backup, true, NULL, NULL, &result, &failure));
  CHECK_INT (result.kept_files, result.files);
  close_it (reader);
  sprintf (command, "chmod 0755 '%s' '%s' && chmod 0644 '%s'/* '%s'/*", path, backup, path, backup);
  CHECK (system (command) == 0);
  CHECK_OK (engine_check (backup, true, NULL, NULL, NULL, &report, &failure));
  CHECK (report.no_orphans && report.records > 7000);
  check_filled (backup);

  /* What is only in the log of a crashed writer can't come along, and that is said. */
  pid_t child = fork ();
  if (child == 0)
    {
      engine = open_small (path);
      put_range (engine, 0, 1, 7);
      _exit (0);
    }
  int state;
  CHECK (waitpid (child, &state, 0) == child && state == 0);
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &reader, &failure));
  CHECK_FAILS (engine_backup (reader, other, true, NULL, NULL, NULL, &failure), STATUS_READ_ONLY);
  CHECK (strstr (failure.message, "restore") != NULL);
  close_it (reader);
  free (backup);
  free (other);
  remove_directory (parent);
  remove_directory (path);
}

/* What can't be read just then is neither damaged nor somebody else's: the system's answer stands,
 * and the earlier backup stays whole. */
void
test_backup_unreadable (void)
{
  static const char *const kinds[] = { "BACKUP", "CURRENT", "MANIFEST-", ".seg", ".blob" };
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *backup = below (parent, "backup");
  struct engine_options options = small_options ();
  struct engine_check_report report;
  struct engine *engine;
  options.vfs = faulty_disk_new (false);
  options.merge_enabled = false;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, &options, &engine, &failure));
  put_range (engine, 0, 400, 1);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
    {
      put_range (engine, 400 + 100 * i, 500 + 100 * i, 1);
      CHECK_OK (engine_flush (engine, &failure));
      faulty_disk_break (FAULTY_READ, EIO, kinds[i]);
      CHECK_FAILS (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure), STATUS_IO);
      CHECK (strstr (failure.message, kinds[i]) != NULL);
      CHECK (strstr (failure.message, strerror (EIO)) != NULL);
      faulty_disk_mend ();
      CHECK_OK (engine_check (backup, true, NULL, NULL, NULL, &report, &failure));
    }
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  close_it (engine);
  engine = open_small (backup);
  check_range_of (engine, 0, 900, 1);
  close_it (engine);
  free (backup);
  remove_directory (parent);
  remove_directory (path);
}

/* A crashed database is restored with what its log holds. */
void
test_restore_after_kill (void)
{
  char *path = fresh_directory (), *parent = fresh_directory ();
  char *copy = below (parent, "copy");
  pid_t child = fork ();
  if (child == 0)
    {
      struct engine *engine = open_small (path);
      fill (engine);
      _exit (0);
    }
  int state;
  waitpid (child, &state, 0);
  CHECK (WIFEXITED (state) && WEXITSTATUS (state) == 0);
  CHECK (count_files (path, ".log") > 0);
  CHECK_OK (engine_restore (path, copy, NULL, NULL, &failure));
  check_filled (copy);
  check_filled (path);
  free (copy);
  remove_directory (parent);
  remove_directory (path);
}
