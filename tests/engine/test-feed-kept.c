/* SPDX-License-Identifier: MIT */
/* Changes that are kept for feeds: how many, through ends and kills, and where they are damaged. */
#include "fed-engine.h"

#include "directory-files.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

static void
expect_many (struct engine *engine, uint64_t since, size_t size)
{
  struct engine_feed *feed = feed_from (engine, since);
  for (uint64_t i = since + 1; i <= engine_sequence (engine); i++)
    expect_numbered (feed, i, size);
  expect_end (feed);
  engine_feed_free (feed);
}

/* Each commit that is kept is. */
static void
expect_all (struct engine *engine)
{
  uint64_t oldest = engine_history_oldest (engine);
  struct engine_feed *feed = feed_from (engine, oldest);
  CHECK (oldest < engine_sequence (engine));
  for (uint64_t i = oldest + 1; i <= engine_sequence (engine); i++)
    expect_commit (feed, i);
  engine_feed_free (feed);
}

/* A feed that is a little behind is passed by no flush; one that is far behind is told. */
void
test_lapped (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, small_log);
  struct engine_feed *feed = feed_from (engine, 0), *lost = feed_from (engine, 0);
  struct engine_statistics statistics;
  uint64_t sequence;
  for (int round = 0; round < 3; round++)
    {
      put_many (engine, 1000, 100);
      CHECK_OK (engine_checkpoint (engine, &failure));
    }
  for (uint64_t i = 1; i <= 3000; i++)
    expect_numbered (feed, i, 100);
  expect_end (feed);
  expect_numbered (lost, 1, 100);
  for (int round = 0; round < 30; round++)
    {
      put_many (engine, 1000, 100);
      CHECK_OK (engine_checkpoint (engine, &failure));
      for (uint64_t i = 3000 + (uint64_t) round * 1000; i < 4000 + (uint64_t) round * 1000; i++)
        expect_numbered (feed, i + 1, 100);
    }
  uint64_t position = 1;
  status result;
  while ((result = engine_feed_next_commit (lost, &sequence, &failure)) == STATUS_OK)
    CHECK_INT (sequence, ++position); /* the segment it stands in, no more */
  CHECK_INT (result, STATUS_HISTORY_GONE);
  CHECK_INT (engine_feed_position (lost), position);
  CHECK_FAILS (engine_feed_next_commit (lost, &sequence, &failure), STATUS_HISTORY_GONE);
  CHECK (engine_history_oldest (engine) > position);
  struct engine_feed *none;
  CHECK_FAILS (engine_feed_new (engine, position, &none, &failure), STATUS_HISTORY_GONE);
  release (engine);
  engine_statistics (engine, &statistics);
  CHECK (statistics.history_bytes <= 3 * (128 + 64) << 10); /* as long as `lost` is open */
  expect_many (engine, engine_history_oldest (engine), 100);
  engine_feed_free (lost);
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.history_bytes, 0);
  CHECK_OK (engine_close (engine, &failure));
  engine_feed_free (feed);
  engine_unref (engine);
  remove_directory (path);
}

static void
reopen (struct engine **engine, const char *path, void (*change) (struct engine_options *options))
{
  CHECK_OK (engine_close (*engine, &failure));
  engine_unref (*engine);
  *engine = open_with (path, change);
}

void
test_retention (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, retaining);
  struct engine_feed *feed;
  struct engine_statistics statistics;
  put_many (engine, 2000, 100);
  CHECK_INT (engine_history_oldest (engine), 0);
  for (int life = 0; life < 4; life++)
    {
      reopen (&engine, path, retaining);
      CHECK_INT (count_files (path, ".log"), 0);
      CHECK_INT (engine_history_oldest (engine), 0);
      put_many (engine, 500, 100);
      if (life % 2 == 0)
        CHECK_OK (engine_checkpoint (engine, &failure));
      expect_many (engine, 0, 100);
    }
  put_many (engine, 20000, 100); /* more than is retained */
  release (engine);
  engine_statistics (engine, &statistics);
  uint64_t oldest = engine_history_oldest (engine);
  printf ("retained: commits from behind %llu of %llu on, in %llu bytes\n",
          (unsigned long long) oldest, (unsigned long long) engine_sequence (engine),
          (unsigned long long) statistics.history_bytes);
  CHECK (statistics.history_bytes <= 1 << 20 && statistics.history_bytes > 3 << 18);
  CHECK (oldest > 0 && engine_sequence (engine) - oldest > (1 << 20) / 200);
  CHECK_FAILS (engine_feed_new (engine, oldest - 1, &feed, &failure), STATUS_HISTORY_GONE);
  expect_many (engine, oldest, 100);
  reopen (&engine, path, retaining);
  CHECK (engine_history_oldest (engine) >= oldest);
  expect_many (engine, engine_history_oldest (engine), 100);
  CHECK (count_files (path, ".history") > 10);

  reopen (&engine, path, small_log); /* asked for no longer */
  CHECK_INT (count_files (path, ".history"), 0);
  CHECK_INT (engine_history_oldest (engine), engine_sequence (engine));
  put_many (engine, 10, 100);
  expect_many (engine, engine_sequence (engine) - 10, 100);
  reopen (&engine, path, retaining);
  put_many (engine, 10, 100);
  reopen (&engine, path, small_without_log); /* commits that no history has */
  put_many (engine, 10, 100);
  reopen (&engine, path, retaining);
  CHECK_INT (engine_history_oldest (engine), engine_sequence (engine));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

static void *
checkpoint_main (void *engine)
{
  struct failure cause = FAILURE_INIT;
  CHECK (engine_checkpoint (engine, &cause) == STATUS_OK);
  return NULL;
}

static void
retaining_later (struct engine_options *options)
{
  ample_log (options);
  options->change_retention = 1 << 20;
}

/* A segment becomes history while a feed is in the middle of it. */
void
test_sealing (void)
{
  for (unsigned round = 0; round < 6; round++)
    {
      char *path = fresh_directory ();
      struct engine *engine = open_with (path, retaining_later);
      pthread_t thread;
      put_many (engine, 2000, 50); /* two segments, one memtable */
      struct engine_feed *feed = feed_from (engine, 0);
      expect_numbered (feed, 1, 50);
      CHECK (pthread_create (&thread, NULL, checkpoint_main, engine) == 0);
      for (uint64_t i = 2; i <= 2000; i++)
        {
          if (i % 100 == 0) /* so that the one is in some round where the other is */
            usleep (150 * round);
          expect_numbered (feed, i, 50);
        }
      CHECK (pthread_join (thread, NULL) == 0);
      release (engine);
      CHECK (count_files (path, ".history") > 0);
      expect_end (feed);
      engine_feed_free (feed);
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      remove_directory (path);
    }
}

/* However full its last block is, a segment of history has room for what is noted at its end. */
void
test_note_room (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, retaining_much);
  static const uint8_t value[8000];
  for (unsigned size = 3800; size < 4100; size += 12)
    {
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("key"),
                            BYTES (value, size), ENGINE_SYNC_DEFAULT, NULL, &failure));
      reopen (&engine, path, retaining_much);
    }
  CHECK_INT (engine_history_oldest (engine), 0);
  expect_all (engine);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* History is read when it is wanted: none of its files is open but those that a feed stands in. */
void
test_history_files (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, retaining_much);
  unsigned before = count_files ("/proc/self/fd", "");
  put_many (engine, 30000, 100);
  release (engine);
  CHECK (count_files (path, ".history") > 20);
  CHECK (count_files ("/proc/self/fd", "") < before + 10);
  struct engine_feed *feed = feed_from (engine, 0);
  for (uint64_t i = 1; i <= 4000; i++)
    expect_numbered (feed, i, 100);
  CHECK (count_files ("/proc/self/fd", "") < before + 10);
  engine_feed_free (feed);
  reopen (&engine, path, retaining_much);
  CHECK (count_files ("/proc/self/fd", "") < before + 10);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* Values that only history refers to stay as long as it does. */
void
test_retained_values (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, retaining_much);
  for (int life = 0; life < 3; life++)
    {
      put_many (engine, 100, 20000);
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      put_many (engine, 50, 20000);
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      expect_many (engine, 0, 20000);
      reopen (&engine, path, retaining_much);
      expect_many (engine, 0, 20000);
    }
  struct engine_check_report report;
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  CHECK (report.no_orphans);
  engine = open_with (path, small_log);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK (statistics.blob_bytes < 3 * 150 * 20000 / 2);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);

  engine = open_with (path, retaining); /* values count */
  put_many (engine, 250, 200000);
  release (engine);
  CHECK (engine_sequence (engine) - engine_history_oldest (engine) < 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* A blob file that never came into the manifest, since all its values were deleted at once. */
void
test_left_values (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, retaining_much);
  struct engine_check_report report;
  put_many (engine, 40, 20000);
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_NONE, BYTES_NONE,
                                 ENGINE_SYNC_DEFAULT, NULL, &failure));
  for (int life = 0; life < 2; life++)
    {
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
      CHECK (report.no_orphans);
      CHECK_INT (count_files (path, ".blob"), 1);
      engine = open_with (path, retaining_much);
      struct engine_feed *feed = feed_from (engine, 0);
      for (uint64_t i = 1; i <= 40; i++)
        expect_numbered (feed, i, 20000);
      expect_commit (feed, 41);
      engine_feed_free (feed);
    }
  reopen (&engine, path, small_log);
  CHECK_INT (count_files (path, ".blob"), 0);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* A feed that is far behind stands in a segment of the log which its values did not outlive. */
void
test_collected_value (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, small_log);
  struct engine_feed *feed = feed_from (engine, 0);
  struct engine_change change;
  struct engine_value value;
  put_many (engine, 1, 20000);
  expect_commit (feed, 1);
  CHECK_OK (engine_feed_next_change (feed, &change, &failure));
  CHECK (change.kind == ENGINE_CHANGE_PUT && change.value.data == NULL);
  for (int round = 0; round < 30; round++)
    {
      put_many (engine, 1000, 100);
      CHECK_OK (engine_checkpoint (engine, &failure));
    }
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_INT (count_files (path, ".blob"), 0);
  CHECK_FAILS (engine_feed_value (feed, &value, &failure), STATUS_HISTORY_GONE);
  CHECK (strstr (failure.message, "key-1") != NULL);
  CHECK_OK (engine_close (engine, &failure));
  engine_feed_free (feed);
  engine_unref (engine);
  remove_directory (path);
}

/* Large values that only a feed still needed give their space back when it goes or has read on,
 * though nothing is committed any more. */
void
test_pinned_values (bool reads_on)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, NULL);
  struct engine_feed *feed = feed_from (engine, 0);
  static const uint8_t large[200000];
  struct engine_statistics statistics;
  char key[16];
  for (unsigned i = 0; i < 60; i++)
    {
      snprintf (key, sizeof key, "key-%02u", i);
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, TEXT (key), BYTES (large, sizeof large),
                            ENGINE_SYNC_NONE, NULL, &failure));
    }
  release (engine);
  for (unsigned i = 0; i < 60; i++)
    if (i % 5 != 0) /* some of the file stay alive */
      {
        snprintf (key, sizeof key, "key-%02u", i);
        put (engine, ENGINE_STORE_DEFAULT, key, "small now");
      }
  release (engine);
  engine_statistics (engine, &statistics);
  CHECK (statistics.blob_bytes > 60 * sizeof large);
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure)); /* what follows unsettles it */
  if (reads_on)
    {
      for (uint64_t i = 1; i <= engine_sequence (engine); i++)
        expect_commit (feed, i);
      uint64_t sequence;
      CHECK_INT (engine_feed_next_commit (feed, &sequence, NULL), STATUS_NOT_FOUND);
    }
  else
    engine_feed_free (feed);
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  engine_statistics (engine, &statistics);
  CHECK (statistics.blob_bytes < 13 * sizeof large);
  if (reads_on)
    engine_feed_free (feed);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* A killed writer's history is all that it acknowledged. */
void
test_killed (void)
{
  char *path = fresh_directory ();
  uint64_t newest = 0;
  for (int life = 0; life < 5; life++)
    {
      pid_t child = fork ();
      CHECK (child >= 0);
      if (child == 0)
        {
          struct engine *engine = open_with (path, retaining_much);
          if (life > 0)
            expect_many (engine, 0, 100);
          put_many (engine, 1500, 100);
          if (life % 2 == 1)
            CHECK_OK (engine_flush (engine, &failure));
          put_many (engine, 300 * (unsigned) life, 100);
          kill (getpid (), SIGKILL);
        }
      int how;
      CHECK (waitpid (child, &how, 0) == child && WIFSIGNALED (how) && WTERMSIG (how) == SIGKILL);
      newest += 1500 + 300 * (unsigned) life;
    }
  struct engine *engine = open_with (path, retaining_much);
  CHECK_INT (engine_sequence (engine), newest);
  expect_many (engine, 0, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* Nor is less kept of a writer that committed once. */
void
test_killed_at_once (void)
{
  char *path = fresh_directory ();
  int how;
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      put_many (open_with (path, retaining_much), 1, 100);
      kill (getpid (), SIGKILL);
    }
  CHECK (waitpid (child, &how, 0) == child && WIFSIGNALED (how) && WTERMSIG (how) == SIGKILL);
  struct engine *engine = open_with (path, retaining_much);
  expect_many (engine, 0, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* The name of the history file in the middle. */
static void
middle_history (const char *path, char file[600])
{
  unsigned numbers[500], count = 0;
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL && count < 500;)
    {
      char rest[16];
      if (sscanf (entry->d_name, "%u.%15s", &numbers[count], rest) == 2
          && strcmp (rest, "history") == 0)
        count++;
    }
  closedir (directory);
  CHECK (count >= 5);
  for (unsigned i = 1; i < count; i++)
    for (unsigned k = i; k > 0 && numbers[k - 1] > numbers[k]; k--)
      {
        unsigned moved = numbers[k];
        numbers[k] = numbers[k - 1];
        numbers[k - 1] = moved;
      }
  snprintf (file, 600, "%s/%u.history", path, numbers[count / 2]);
}

static void
flip_bit (const char *file, long offset, int whence, unsigned bit)
{
  FILE *stream = fopen (file, "r+b");
  CHECK (stream != NULL && fseek (stream, offset, whence) == 0);
  int byte = fgetc (stream);
  CHECK (byte != EOF && fseek (stream, -1, SEEK_CUR) == 0
         && fputc (byte ^ 1 << bit, stream) != EOF);
  CHECK (fclose (stream) == 0);
}

static void
flip (const char *file, long offset, int whence)
{
  flip_bit (file, offset, whence, 2);
}

/* As a writer finds it, who takes what can't be used away. */
static uint64_t
oldest_in_copy (const char *path)
{
  char *copy = fresh_directory (), command[1200];
  snprintf (command, sizeof command, "cp -r -- '%s'/. '%s'", path, copy);
  CHECK_INT (system (command), 0);
  struct engine *engine = open_with (copy, retaining);
  uint64_t oldest = engine_history_oldest (engine);
  engine_unref (engine);
  remove_directory (copy);
  return oldest;
}

/* No word of a note is believed that its checksum does not cover. */
void
test_damaged_note (void)
{
  char *path = fresh_directory (), file[600];
  struct engine *engine = open_with (path, retaining);
  put_many (engine, 4000, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK (oldest_in_copy (path) < 1000);
  middle_history (path, file);
  for (int word = 0; word < 8; word++)
    {
      flip_bit (file, 8 * word - 64, SEEK_END, 0);
      uint64_t oldest = oldest_in_copy (path);
      CHECK (oldest > 1000 && oldest < 3000);
      flip_bit (file, 8 * word - 64, SEEK_END, 0);
    }
  CHECK (oldest_in_copy (path) < 1000);
  remove_directory (path);
}

/* History that was lost or damaged ends there, and the database is none the worse. */
void
test_damage (void)
{
  for (int how = 0; how < 3; how++)
    {
      char *path = fresh_directory (), file[600];
      struct engine *engine = open_with (path, retaining);
      put_many (engine, 4000, 100);
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      middle_history (path, file);
      if (how == 0)
        CHECK_INT (unlink (file), 0);
      else if (how == 1)
        flip (file, -30, SEEK_END); /* its note */
      else
        flip (file, 5000, SEEK_SET); /* a record */
      engine = open_with (path, retaining);
      uint64_t oldest = engine_history_oldest (engine), sequence;
      struct engine_feed *feed = feed_from (engine, oldest);
      if (how < 2)
        {
          CHECK (oldest > 1000 && oldest < 3000);
          expect_many (engine, oldest, 100);
        }
      else
        {
          status result;
          while ((result = engine_feed_next_commit (feed, &sequence, &failure)) == STATUS_OK)
            ;
          CHECK_INT (result, STATUS_CORRUPT);
          CHECK (strstr (failure.message, ".history") != NULL);
          uint64_t position = engine_feed_position (feed);
          CHECK (position > 1000 && position < 3000);
          failure = FAILURE_INIT;
          CHECK_INT (engine_feed_next_commit (feed, &sequence, &failure), STATUS_CORRUPT);
        }
      engine_feed_free (feed);
      put_many (engine, 10, 100);
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      remove_directory (path);
    }
}

/* Backups and what is restored from them have no history, and say so. */
void
test_backup (void)
{
  char *path = fresh_directory (), *parent = fresh_directory (), backup[600], restored[600];
  struct engine *engine = open_with (path, retaining);
  struct engine_backup_result result;
  struct engine_feed *feed;
  put_many (engine, 1000, 100);
  snprintf (backup, sizeof backup, "%s/backup", parent);
  snprintf (restored, sizeof restored, "%s/restored", parent);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &result, &failure));
  put_many (engine, 100, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK_INT (count_files (backup, ".history"), 0);
  CHECK_OK (engine_restore (backup, restored, NULL, NULL, &failure));
  engine = open_with (restored, retaining);
  CHECK_INT (engine_sequence (engine), 1000);
  CHECK_FAILS (engine_feed_new (engine, 999, &feed, &failure), STATUS_HISTORY_GONE);
  CHECK_FAILS (engine_feed_new (engine, 1100, &feed, &failure), STATUS_HISTORY_GONE);
  CHECK (strstr (failure.message, "restored") != NULL);
  expect_many (engine, 1000, 100);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
  remove_directory (parent);
}

/* Without a log changes are kept in memory from the first feed to the last. */
void
test_without_log (void)
{
  char *path = fresh_directory ();
  struct engine *engine = open_with (path, small_without_log);
  struct engine_feed *feed, *other;
  put_many (engine, 10, 100);
  CHECK_FAILS (engine_feed_new (engine, 9, &feed, &failure), STATUS_HISTORY_GONE);
  feed = feed_from (engine, 10);
  put_many (engine, 10, 100);
  other = feed_from (engine, 15);
  CHECK_OK (engine_flush (engine, &failure));
  for (uint64_t i = 11; i <= 20; i++)
    expect_numbered (feed, i, 100);
  expect_numbered (other, 16, 100);
  engine_feed_free (feed);
  put_many (engine, 30, 150000);
  for (uint64_t i = 17; i <= 20; i++)
    expect_numbered (other, i, 100);
  for (uint64_t i = 21; i <= 50; i++)
    expect_numbered (other, i, 150000);
  expect_end (other);
  put_many (engine, 300, 150000); /* 45 MB: more than memory is for */
  uint64_t sequence;
  CHECK_FAILS (engine_feed_next_commit (other, &sequence, &failure), STATUS_HISTORY_GONE);
  expect_many (engine, engine_history_oldest (engine), 150000);
  engine_feed_free (other);
  CHECK_FAILS (engine_feed_new (engine, engine_sequence (engine) - 1, &feed, &failure),
               STATUS_HISTORY_GONE);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}
