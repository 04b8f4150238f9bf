/* SPDX-License-Identifier: MIT */
/* Merges as the engine does them: what is moved and what is rewritten, parts side by side, giving
 * up in the middle. */
#include "core/merge-private.h"
#include "directory-files.h"
#include "small-engine.h"

#include <dirent.h>
#include <string.h>

#define KEYS 20000u

static struct failure failure;

static struct engine_options
several_file_options (void)
{
  struct engine_options options = small_options ();
  options.memtable_size = 128 << 10;
  options.segment_file_size = 64 << 10;
  options.log_segment_size = 256 << 10;
  options.merge_workers = 3;
  return options;
}

static struct bytes
number_value (char *to, unsigned number, unsigned round)
{
  return BYTES (to, (size_t) sprintf (to, "%u/%u/%0*x", number, round, (int) (number % 70),
                                      number * 2654435761u));
}

static void
put (struct engine *engine, unsigned number, unsigned round)
{
  char key[64], value[256];
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, number),
                        number_value (value, number, round), ENGINE_SYNC_NONE, NULL, &failure));
}

/* round 0: absent. */
static void
check_number (struct engine *engine, struct engine_snapshot *snapshot, unsigned number,
              unsigned round)
{
  char key[64], value[256], got[256];
  size_t size;
  status result = engine_get (engine, snapshot, ENGINE_STORE_DEFAULT, number_key (key, number), got,
                              sizeof got, &size, &failure);
  CHECK_INT (result, round == 0 ? STATUS_NOT_FOUND : STATUS_OK);
  if (round != 0)
    CHECK (bytes_equal (number_value (value, number, round), BYTES (got, size)));
}

static void
check_rounds (struct engine *engine, struct engine_snapshot *snapshot, const uint8_t *rounds,
              unsigned count)
{
  unsigned present = 0, seen = 0;
  for (unsigned i = 0; i < count; i++)
    {
      check_number (engine, snapshot, i, rounds[i]);
      present += rounds[i] != 0;
    }
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT, .snapshot = snapshot };
  struct engine_cursor *cursor;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (; engine_cursor_valid (cursor); seen++)
    CHECK_OK (engine_cursor_next (cursor, &failure));
  engine_cursor_free (cursor);
  CHECK_INT (seen, present);
}

/* A load in key order settles to one run without being written again. */
static void
test_load_in_order (void)
{
  const unsigned count = 200000;
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.memtable_size = 512 << 10;
  options.segment_file_size = 0;
  struct engine *engine = open_with (path, &options);
  struct engine_statistics statistics;
  for (unsigned i = 0; i < count; i++)
    put (engine, i, 1);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 1);
  CHECK (statistics.merges > 0 && statistics.flushes > 20);
  CHECK (statistics.merge_bytes_written < statistics.flush_bytes / 20);
  CHECK_INT (statistics.approximate_keys, count);
  CHECK_INT (count_files (path, ".seg"), statistics.segments);

  /* Overwriting a little in the middle rewrites only what lies there. */
  for (unsigned i = 100000; i < 101000; i++)
    put (engine, i, 2);
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  uint64_t before = statistics.merge_bytes_written;
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 1);
  CHECK (statistics.merge_bytes_written > before);
  CHECK (statistics.merge_bytes_written - before < statistics.flush_bytes / 10);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);

  engine = open_with (path, &options);
  for (unsigned i = 0; i < count; i += 7)
    check_number (engine, NULL, i, i >= 100000 && i < 101000 ? 2 : 1);
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 1);
  CHECK_INT (count_files (path, ".seg"), statistics.segments);
  engine_unref (engine);
  remove_directory (path);
}

/* Files so small that nothing is worth moving do not gather. */
static void
test_small_runs (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  struct engine *engine = open_with (path, &options);
  for (unsigned i = 0; i < 80; i++)
    {
      put (engine, i, 1);
      CHECK_OK (engine_flush (engine, &failure));
    }
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK (statistics.segments < 32);
  for (unsigned i = 0; i < 80; i++)
    check_number (engine, NULL, i, 1);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- the plan ---- */

static struct bytes
smallest_of (const struct segment *segment)
{
  return BYTES (segment_information (segment)->smallest,
                segment_information (segment)->smallest_size);
}

static struct bytes
largest_of (const struct segment *segment)
{
  return BYTES (segment_information (segment)->largest,
                segment_information (segment)->largest_size);
}

static bool
part_has (const struct merge_part *part, const struct segment *segment)
{
  for (size_t r = 0; r < part->count; r++)
    for (size_t s = 0; s < part->runs[r]->count; s++)
      if (part->runs[r]->segments[s] == segment)
        return true;
  return false;
}

/* J5: each input segment is moved, or is in every part it reaches into; what is moved overlaps no
 * other input. */
static void
check_segment (const struct merge_job *job, const struct merge_plan *plan,
               const struct segment *segment)
{
  bool moved = false;
  for (size_t i = 0; i < plan->moved_count; i++)
    moved |= plan->moved[i] == segment;
  size_t found = 0;
  for (size_t i = 0; i < plan->part_count; i++)
    found += part_has (&plan->parts[i], segment);
  CHECK (moved ? found == 0 : found > 0);
  for (size_t r = 0; moved && r < job->count; r++)
    for (size_t s = 0; s < job->runs[r]->count; s++)
      {
        const struct segment *other = job->runs[r]->segments[s];
        CHECK (other == segment || bytes_compare (largest_of (other), smallest_of (segment)) < 0
               || bytes_compare (largest_of (segment), smallest_of (other)) < 0);
      }
}

static void
check_plan (struct engine *engine, bool whole, size_t *parts, size_t *moved)
{
  struct view *view = engine_view (engine);
  struct merge_job job = {
    .runs = view->runs,
    .count = view->run_count,
    .bottom = true,
    .settled = true,
    .whole = whole,
  };
  struct merge_plan plan;
  CHECK_OK (merge_plan_make (engine, &job, &plan, &failure));
  for (size_t r = 0; r < job.count; r++)
    for (size_t s = 0; s < job.runs[r]->count; s++)
      check_segment (&job, &plan, job.runs[r]->segments[s]);
  for (size_t i = 1; i < plan.part_count; i++)
    {
      const struct merge_part *before = &plan.parts[i - 1], *part = &plan.parts[i];
      CHECK ((before->end.data == NULL) == (part->start.data == NULL));
      CHECK (part->start.data == NULL || bytes_equal (before->end, part->start));
      CHECK (part->start.data == NULL || part->end.data == NULL
             || bytes_compare (part->start, part->end) < 0);
    }
  for (size_t i = 1; i < plan.moved_count; i++)
    CHECK (bytes_compare (largest_of (plan.moved[i - 1]), smallest_of (plan.moved[i])) < 0);
  *parts = plan.part_count;
  *moved = plan.moved_count;
  merge_plan_clear (&plan);
  view_unref (view);
}

/* ---- histories ---- */

static uint32_t
next_random (uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static void
delete_numbers (struct engine *engine, uint8_t *rounds, unsigned from, unsigned to)
{
  char start[64], end[64];
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, number_key (start, from),
                                 number_key (end, to), ENGINE_SYNC_NONE, NULL, &failure));
  memset (rounds + from, 0, to - from);
}

/* Writes a round: a stretch in order, some at random, deletes of both kinds. */
static void
write_round (struct engine *engine, uint8_t *rounds, uint32_t *random, unsigned round)
{
  unsigned from = next_random (random) % (KEYS - 4000);
  for (unsigned i = from; i < from + 4000; i++, rounds[i - 1] = (uint8_t) round)
    put (engine, i, round);
  for (unsigned i = 0; i < 1500; i++)
    {
      unsigned number = next_random (random) % KEYS;
      put (engine, number, round);
      rounds[number] = (uint8_t) round;
    }
  for (unsigned i = 0; i < 300; i++)
    {
      char key[64];
      unsigned number = next_random (random) % KEYS;
      CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, number),
                               ENGINE_SYNC_NONE, NULL, &failure));
      rounds[number] = 0;
    }
  from = next_random (random) % (KEYS - 500);
  delete_numbers (engine, rounds, from, from + 1 + next_random (random) % 500);
}

/* Wherever a segment begins a range delete does, too: it belongs to that one alone. */
static void
test_ranges_at_bounds (void)
{
  enum { COUNT = 6000 };
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.memtable_size = 4 << 20;
  options.segment_file_size = 16 << 10;
  struct engine *engine = open_with (path, &options);
  struct engine_snapshot *snapshot;
  static uint8_t rounds[COUNT];
  size_t parts, moved;
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure)); /* keeps what is deleted */
  for (unsigned round = 1; round <= 2; round++)
    for (unsigned i = 0; i < COUNT; i++)
      {
        delete_numbers (engine, rounds, i, i + 1);
        put (engine, i, round);
        rounds[i] = (uint8_t) round;
      }
  CHECK_OK (engine_flush (engine, &failure));
  check_plan (engine, true, &parts, &moved);
  CHECK (parts > 4);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  check_rounds (engine, NULL, rounds, COUNT);
  engine_snapshot_free (snapshot);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, NULL, &failure));
  remove_directory (path);
}

/* Histories merged in parts by several threads, with a snapshot held from the middle. */
static void
test_parts (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.segment_file_size = 16 << 10;
  struct engine *engine = open_with (path, &options);
  struct engine_snapshot *snapshot = NULL;
  static uint8_t rounds[KEYS], before[KEYS];
  uint32_t random = 7;
  size_t parts, moved;
  memset (rounds, 0, sizeof rounds);
  for (unsigned round = 1; round <= 24; round++)
    {
      write_round (engine, rounds, &random, round);
      if (round == 12)
        {
          CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
          memcpy (before, rounds, sizeof before);
        }
      if (round % 8 == 3)
        {
          CHECK_OK (engine_flush (engine, &failure));
          check_plan (engine, false, &parts, &moved);
          check_plan (engine, true, &parts, &moved);
          CHECK (parts > 4);
          CHECK_INT (moved, 0);
          CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
          check_rounds (engine, NULL, rounds, KEYS);
        }
    }
  check_rounds (engine, snapshot, before, KEYS);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  check_rounds (engine, snapshot, before, KEYS);
  check_rounds (engine, NULL, rounds, KEYS);
  engine_snapshot_free (snapshot);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 1);
  CHECK (statistics.segments > 4);
  unsigned present = 0;
  for (unsigned i = 0; i < KEYS; i++)
    present += rounds[i] != 0;
  CHECK_INT (statistics.approximate_keys, present);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);

  engine = open_with (path, &options);
  check_rounds (engine, NULL, rounds, KEYS);
  CHECK_INT (count_files (path, ".seg"), statistics.segments);
  engine_unref (engine);
  remove_directory (path);
}

/* Versions of a longest key fill many leaves. What stands between two of those is a byte longer
 * than any key and no place to cut: no segment can have it as its bound. */
static void
test_versions_of_a_longest_key (unsigned keys_beside)
{
  enum
  {
    RUNS = 10,
    VERSIONS = 4 /* in each run */
  };
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.memtable_size = 1 << 20;
  options.segment_file_size = 288 << 10;
  options.merge_enabled = false;
  struct engine *engine = open_with (path, &options);
  struct engine_snapshot *snapshots[RUNS * VERSIONS];
  static uint8_t key[KEY_SIZE_MAX], value[3000], got[3000];
  size_t size;
  memset (key, 'k', sizeof key);
  for (unsigned i = 0; i < RUNS * VERSIONS; i++)
    {
      memset (value, (int) i, sizeof value);
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (key, sizeof key),
                            BYTES (value, sizeof value), ENGINE_SYNC_NONE, NULL, &failure));
      CHECK_OK (engine_snapshot_new (engine, &snapshots[i], &failure));
      if (i % VERSIONS + 1 < VERSIONS)
        continue;
      for (unsigned n = 0; n < keys_beside; n++)
        {
          char behind[32];
          put (engine, n, i);
          sprintf (behind, "z-%08u", n);
          CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES (behind, strlen (behind)),
                                BYTES (value, 100), ENGINE_SYNC_NONE, NULL, &failure));
        }
      CHECK_OK (engine_flush (engine, &failure));
    }
  for (unsigned round = 0; round < 2; round++)
    {
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      for (unsigned i = round; i < RUNS * VERSIONS; i += 1 + round)
        {
          CHECK_OK (engine_get (engine, snapshots[i], ENGINE_STORE_DEFAULT, BYTES (key, sizeof key),
                                got, sizeof got, &size, &failure));
          CHECK (size == sizeof got && got[0] == i && got[2999] == i);
        }
      for (unsigned i = 0; round == 0 && i < RUNS * VERSIONS; i += 2)
        engine_snapshot_free (snapshots[i]);
    }
  for (unsigned i = 1; i < RUNS * VERSIONS; i += 2)
    engine_snapshot_free (snapshots[i]);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* ---- giving up ---- */

static bool
cancel_soon (void *data, uint64_t done, uint64_t total, const char *step)
{
  unsigned *left = data;
  CHECK (done <= total && step != NULL);
  return (*left)-- > 0;
}

static void
test_cancel (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.merge_enabled = false;
  struct engine *engine = open_with (path, &options);
  static uint8_t rounds[KEYS];
  uint32_t random = 21;
  memset (rounds, 0, sizeof rounds);
  for (unsigned round = 1; round <= 6; round++)
    write_round (engine, rounds, &random, round);
  CHECK_OK (engine_flush (engine, &failure));
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  uint64_t segments = statistics.segments;
  for (unsigned after = 0; after < 3; after++)
    {
      unsigned left = after;
      CHECK_FAILS (engine_compact (engine, cancel_soon, &left, &failure), STATUS_CANCELLED);
      engine_statistics (engine, &statistics);
      CHECK_INT (statistics.segments, segments);
      CHECK_INT (count_files (path, ".seg"), segments);
    }
  check_rounds (engine, NULL, rounds, KEYS);
  unsigned left = 1000000;
  CHECK_OK (engine_compact (engine, cancel_soon, &left, &failure));
  engine_statistics (engine, &statistics);
  CHECK_INT (statistics.runs, 1);
  check_rounds (engine, NULL, rounds, KEYS);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- step by step ---- */

/* Puts and deletes only: what a merge may divide (J7). */
static void
write_points (struct engine *engine, uint8_t *rounds, uint32_t *random, unsigned round)
{
  for (unsigned i = 0; i < 4000; i++)
    {
      unsigned number = next_random (random) % KEYS;
      if (i % 10 == 9)
        {
          char key[64];
          CHECK_OK (engine_delete (engine, ENGINE_STORE_DEFAULT, number_key (key, number),
                                   ENGINE_SYNC_NONE, NULL, &failure));
          rounds[number] = 0;
          continue;
        }
      put (engine, number, round);
      rounds[number] = (uint8_t) round;
    }
}

static void
check_backward (struct engine *engine, struct engine_snapshot *snapshot, const uint8_t *rounds)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT, .snapshot = snapshot };
  struct engine_cursor *cursor;
  char key[64], value[256];
  struct bytes got;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_last (cursor, &failure));
  for (unsigned i = KEYS; i-- > 0;)
    {
      if (rounds[i] == 0)
        continue;
      CHECK (engine_cursor_valid (cursor));
      CHECK (bytes_equal (engine_cursor_key (cursor), number_key (key, i)));
      CHECK_OK (engine_cursor_value (cursor, &got, &failure));
      CHECK (bytes_equal (got, number_value (value, i, rounds[i])));
      CHECK_OK (engine_cursor_previous (cursor, &failure));
    }
  CHECK (!engine_cursor_valid (cursor));
  engine_cursor_free (cursor);
}

static unsigned
count_narrowed (struct engine *engine)
{
  unsigned count = 0;
  struct view *view = engine_view (engine);
  for (size_t r = 0; r < view->run_count; r++)
    for (size_t s = 0; s < view->runs[r]->count; s++)
      count += run_is_narrowed (view->runs[r], s);
  view_unref (view);
  return count;
}

static void
copy_file (const char *from, const char *to)
{
  static char buffer[65536];
  FILE *source = fopen (from, "rb"), *target = fopen (to, "wb");
  size_t size;
  CHECK (source != NULL && target != NULL);
  while ((size = fread (buffer, 1, sizeof buffer, source)) > 0)
    CHECK (fwrite (buffer, 1, size, target) == size);
  fclose (source);
  CHECK (fclose (target) == 0);
}

/* What a kill at this moment would leave. */
static char *
copy_directory (const char *path)
{
  char *copy = fresh_directory (), from[1024], to[1024];
  DIR *directory = opendir (path);
  CHECK (directory != NULL);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (entry->d_name[0] != '.')
      {
        snprintf (from, sizeof from, "%s/%s", path, entry->d_name);
        snprintf (to, sizeof to, "%s/%s", copy, entry->d_name);
        copy_file (from, to);
      }
  closedir (directory);
  return copy;
}

#define COPIES 5u

/* A merge watched from its progress function, beside which nothing else runs. */
struct watch
{
  struct engine *engine, *reader; /* the latter follows */
  const char *path;
  struct engine_snapshot *snapshot;
  const uint8_t *rounds, *before; /* now, and when the snapshot was taken */
  unsigned calls, cancel_at;
  unsigned narrowed, least_files; /* most seen, and fewest */
  char *copies[COPIES];
  unsigned copy_count;
};

/* As another process that follows sees it, once it knows the files of now. */
static void
check_reader (struct engine *reader, unsigned narrowed, const uint8_t *rounds)
{
  for (unsigned i = 0; i < 60000 && count_narrowed (reader) != narrowed; i++)
    usleep (1000);
  CHECK_INT (count_narrowed (reader), narrowed);
  check_rounds (reader, NULL, rounds, KEYS);
  check_backward (reader, NULL, rounds);
}

static bool
watch_merge (void *data, uint64_t done, uint64_t total, const char *step)
{
  struct watch *watch = data;
  CHECK (done <= total && step != NULL);
  unsigned narrowed = count_narrowed (watch->engine), files = count_files (watch->path, ".seg");
  watch->narrowed = narrowed > watch->narrowed ? narrowed : watch->narrowed;
  watch->least_files = files < watch->least_files ? files : watch->least_files;
  if (watch->calls++ % 6 == 3 && watch->copy_count < COPIES && narrowed > 0)
    {
      check_rounds (watch->engine, NULL, watch->rounds, KEYS);
      check_backward (watch->engine, NULL, watch->rounds);
      check_rounds (watch->engine, watch->snapshot, watch->before, KEYS);
      check_backward (watch->engine, watch->snapshot, watch->before);
      if (watch->reader != NULL)
        check_reader (watch->reader, narrowed, watch->rounds);
      watch->copies[watch->copy_count++] = copy_directory (watch->path);
    }
  return watch->calls != watch->cancel_at;
}

static void
check_copy (char *copy, struct engine_options options, const uint8_t *rounds)
{
  struct engine *engine = open_with (copy, &options);
  struct engine_check_report report;
  CHECK (count_narrowed (engine) > 0);
  check_rounds (engine, NULL, rounds, KEYS);
  check_backward (engine, NULL, rounds);
  CHECK_OK (engine_check_open (engine, true, NULL, NULL, NULL, &report, &failure));
  CHECK_INT (report.faults, 0);
  char *backup = fresh_directory ();
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);

  options.merge_enabled = true;
  engine = open_with (copy, &options);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_INT (count_narrowed (engine), 0);
  check_rounds (engine, NULL, rounds, KEYS);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  engine_unref (engine);
  remove_directory (copy);
  engine = open_with (backup, &options);
  check_rounds (engine, NULL, rounds, KEYS);
  engine_unref (engine);
  remove_directory (backup);
}

/* J6: while a merge is under way, and after a kill between its steps, everything reads as
 * before. */
static void
test_steps (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.segment_file_size = 16 << 10;
  options.merge_enabled = false;
  options.merge_workers = 1;
  struct engine *engine = open_with (path, &options);
  static uint8_t rounds[KEYS], before[KEYS];
  uint32_t random = 3;
  memset (rounds, 0, sizeof rounds);
  struct watch watch = { .engine = engine, .path = path, .rounds = rounds, .before = before };
  for (unsigned round = 1; round <= 12; round++)
    {
      write_points (engine, rounds, &random, round);
      if (round != 6)
        continue;
      CHECK_OK (engine_flush (engine, &failure));
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      CHECK_OK (engine_snapshot_new (engine, &watch.snapshot, &failure));
      memcpy (before, rounds, sizeof before);
    }
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, &options, &watch.reader, &failure));
  watch.least_files = count_files (path, ".seg");
  unsigned files = watch.least_files;
  CHECK_OK (engine_compact (engine, watch_merge, &watch, &failure));
  CHECK (watch.narrowed > 4 && watch.copy_count == COPIES);
  CHECK (watch.least_files < files); /* inputs go while the merge goes on */
  CHECK_INT (count_narrowed (engine), 0);
  check_rounds (engine, NULL, rounds, KEYS);
  check_rounds (engine, watch.snapshot, before, KEYS);
  engine_snapshot_free (watch.snapshot);
  check_reader (watch.reader, 0, rounds);
  engine_unref (watch.reader);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
  for (unsigned i = 0; i < watch.copy_count; i++)
    check_copy (watch.copies[i], options, rounds);
}

/* Given up again and again at different places, with writes, flushes and reopening between: the
 * next merges begin with what the others left. */
static void
test_steps_again (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.segment_file_size = 16 << 10;
  options.merge_enabled = false;
  struct engine *engine = open_with (path, &options);
  static uint8_t rounds[KEYS], before[KEYS];
  uint32_t random = 77;
  unsigned left_narrowed = 0;
  memset (rounds, 0, sizeof rounds);
  memset (before, 0, sizeof before);
  for (unsigned turn = 1; turn <= 16; turn++)
    {
      write_points (engine, rounds, &random, turn);
      if (turn % 7 == 5)
        delete_numbers (engine, rounds, 1000 * (turn % 20), 1000 * (turn % 20) + 600);
      CHECK_OK (engine_flush (engine, &failure));
      struct watch watch = { .engine = engine,
                             .path = path,
                             .rounds = rounds,
                             .copy_count = COPIES,
                             .cancel_at = 1 + next_random (&random) % 30 };
      if (turn % 6 == 0)
        CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      else
        engine_compact (engine, watch_merge, &watch, NULL);
      left_narrowed += count_narrowed (engine) > 0;
      check_rounds (engine, NULL, rounds, KEYS);
      check_backward (engine, NULL, rounds);
      struct engine_statistics statistics;
      engine_statistics (engine, &statistics);
      CHECK_INT (count_files (path, ".seg"), statistics.segments);
      if (turn % 4 != 0)
        continue;
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
      options.merge_workers = 1 + turn % 3;
      engine = open_with (path, &options);
      check_rounds (engine, NULL, rounds, KEYS);
    }
  CHECK (left_narrowed > 3);
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  options.merge_enabled = true;
  engine = open_with (path, &options);
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  check_rounds (engine, NULL, rounds, KEYS);
  engine_unref (engine);
  remove_directory (path);
}

/* A moved segment is the same file still: an incremental backup keeps it, also one that was carried
 * to another disk. */
static void
test_moves_and_backup (void)
{
  char *path = fresh_directory (), *backup = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.merge_enabled = false;
  options.compression = ENGINE_COMPRESSION_NONE;
  struct engine *engine = open_with (path, &options);
  for (unsigned i = 0; i < KEYS; i++)
    put (engine, i, 1);
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, NULL, &failure));
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  options.merge_enabled = true;
  engine = open_with (path, &options);
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  struct engine_statistics statistics;
  engine_statistics (engine, &statistics);
  CHECK (statistics.runs == 1 && statistics.segments > 4);
  struct engine_backup_result result;
  char *carried = copy_directory (backup);
  CHECK_OK (engine_backup (engine, carried, true, NULL, NULL, &result, &failure));
  CHECK (result.kept_files > statistics.segments / 2);
  engine_unref (engine);
  remove_directory (path);
  remove_directory (backup);
  remove_directory (carried);
}

/* Runs of which one ends with the key that the other begins with are not put behind each other as
 * they are: of that key the newest version counts. */
static void
test_runs_that_touch (bool rising)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  static uint8_t rounds[16001];
  options.merge_enabled = false;
  options.compression = ENGINE_COMPRESSION_NONE;
  options.memtable_size = 2 << 20;
  options.segment_file_size = 256 << 10;
  struct engine *engine = open_with (path, &options);
  for (unsigned round = 1; round <= 2; round++)
    {
      unsigned from = (round == 1) == rising ? 0 : 8000;
      for (unsigned i = from; i <= from + 8000; i++)
        put (engine, i, round);
      memset (rounds + from, (int) round, 8001);
      CHECK_OK (engine_flush (engine, &failure));
    }
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  options.merge_enabled = true;
  engine = open_with (path, &options);
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  struct engine_statistics statistics;
  struct engine_check_report report;
  engine_statistics (engine, &statistics);
  CHECK (statistics.runs == 1 && statistics.segments > 2);
  check_rounds (engine, NULL, rounds, 16001);
  CHECK_OK (engine_check_open (engine, true, NULL, NULL, NULL, &report, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* ---- where runs touch ---- */

#define TOUCHING_RUNS 60u
#define TOUCHING_STEP 200u /* numbers from one run's first key to the next one's */

/* What is seen while runs are merged that each end with the key that an older one begins with. */
struct touching
{
  struct engine *engine;
  unsigned narrowed; /* calls at which of some run just that key was left */
};

static bool
watch_touching (void *data, uint64_t done, uint64_t total, const char *step)
{
  struct touching *touching = data;
  CHECK (done <= total && step != NULL);
  touching->narrowed += count_narrowed (touching->engine) > 0;
  for (unsigned run = 1; run < TOUCHING_RUNS; run++)
    check_number (touching->engine, NULL, run * TOUCHING_STEP, TOUCHING_RUNS - run + 1);
  return true;
}

/* J6: a merge is installed up to a key with which a segment ends that is newer than the one that
 * begins with it: that segment stays for this key. */
static void
test_steps_where_runs_touch (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.segment_file_size = 16 << 10;
  options.merge_enabled = false;
  options.merge_workers = 1;
  options.compression = ENGINE_COMPRESSION_NONE;
  struct engine *engine = open_with (path, &options);
  struct touching touching = { .engine = engine };
  for (unsigned run = TOUCHING_RUNS; run-- > 0;)
    {
      for (unsigned i = 0; i <= TOUCHING_STEP; i++)
        put (engine, run * TOUCHING_STEP + i, TOUCHING_RUNS - run);
      CHECK_OK (engine_flush (engine, &failure));
    }
  CHECK_INT (count_files (path, ".seg"), TOUCHING_RUNS);
  CHECK_OK (engine_compact (engine, watch_touching, &touching, &failure));
  CHECK (touching.narrowed > 4);
  watch_touching (&touching, 0, 0, "done");
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (path);
}

/* ---- what is dead ---- */

/* Writes numbers [from, to) as one run of a few segments in front of the others; returns about how
 * many thousandths of it hide older versions. */
static unsigned
shadowing_after (struct engine *engine, unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++)
    put (engine, i, 1);
  CHECK_OK (engine_flush (engine, &failure));
  struct view *view = engine_view (engine);
  uint64_t bytes = run_shadowing_bytes (engine, view, 0);
  CHECK_INT (run_shadowing_bytes (engine, view, 0), bytes);
  unsigned thousandths = (unsigned) (bytes / (view->runs[0]->bytes / 1000));
  view_unref (view);
  return thousandths;
}

static void
test_shadowing (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.merge_enabled = false;
  options.memtable_size = 2 << 20;
  struct engine *engine = open_with (path, &options);
  CHECK_INT (shadowing_after (engine, 0, 8000), 0);
  CHECK_INT (shadowing_after (engine, 8000, 12000), 0); /* new keys */
  CHECK_INT (shadowing_after (engine, 0, 8000), 1000);
  CHECK_INT (shadowing_after (engine, 7000, 11000), 1000);
  unsigned half = shadowing_after (engine, 8000, 16000);
  CHECK (half > 430 && half < 570);
  CHECK_INT (shadowing_after (engine, 3, 4), 1000);
  engine_unref (engine);
  remove_directory (path);
}

/* ---- writing faster than merging ---- */

/* Many runs before merging begins, then writes: they all arrive, and the runs come down. */
static void
test_crowded (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  options.merge_enabled = false;
  struct engine *engine = open_with (path, &options);
  static uint8_t rounds[KEYS];
  memset (rounds, 0, sizeof rounds);
  for (unsigned i = 0; i < 60; i++)
    {
      for (unsigned number = i; number < KEYS; number += 60, rounds[number - 60] = 1)
        put (engine, number, 1);
      CHECK_OK (engine_flush (engine, &failure));
    }
  CHECK_INT (atomic_load (&engine->crowding), 0); /* nothing merges: nobody is to wait for it */
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);

  options.merge_enabled = true;
  engine = open_with (path, &options);
  for (unsigned i = 0; i < KEYS; i++)
    {
      put (engine, i, 2);
      rounds[i] = 2;
    }
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_OK (engine_wait_settled (engine, 60000000, &failure));
  CHECK_INT (atomic_load (&engine->crowding), 0);
  check_rounds (engine, NULL, rounds, KEYS);
  engine_unref (engine);
  remove_directory (path);
}

/* R4 of core/view.h: who holds a view for long holds no memtable. */
static void
test_view_of_files (void)
{
  char *path = fresh_directory ();
  struct engine_options options = several_file_options ();
  struct engine *engine = open_with (path, &options);
  struct view *view;
  for (unsigned i = 0; i < 100; i++)
    put (engine, i, 1);
  CHECK_OK (engine_flush (engine, &failure));
  put (engine, 100, 1);
  CHECK_OK (engine_view_of_files (engine, &view, &failure));
  CHECK (view->active == NULL && view->frozen_count == 0 && view->run_count == 1);
  view_unref (view);
  close_it (engine);
  remove_directory (path);
}

int
main (void)
{
  test_view_of_files ();
  test_load_in_order ();
  test_small_runs ();
  test_parts ();
  test_ranges_at_bounds ();
  for (unsigned beside = 100; beside <= 500; beside += 100) /* to cut here and there */
    test_versions_of_a_longest_key (beside);
  test_cancel ();
  test_steps ();
  test_steps_again ();
  test_moves_and_backup ();
  test_runs_that_touch (true);
  test_runs_that_touch (false);
  test_steps_where_runs_touch ();
  test_shadowing ();
  test_crowded ();
  return 0;
}
