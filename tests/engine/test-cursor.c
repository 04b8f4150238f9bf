/* SPDX-License-Identifier: MIT */
/* Cursors that walk what the engine looked at ahead, as those do who look at each record: they show
 * what a cursor shows that goes record by record. (What is at random is in the differential test.) */
#include "small-engine.h"

static struct failure failure;

static struct engine_cursor *
cursor_at (struct engine *engine, struct engine_snapshot *snapshot, bool backward)
{
  struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT, .snapshot = snapshot };
  struct engine_cursor *cursor;
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (backward ? engine_cursor_last (cursor, &failure)
                     : engine_cursor_first (cursor, &failure));
  return cursor;
}

static void
go (struct engine_cursor *cursor, bool backward)
{
  CHECK_OK (backward ? engine_cursor_previous (cursor, &failure)
                     : engine_cursor_next (cursor, &failure));
}

/* Counts what was there ahead. */
static void
go_ahead (struct engine_cursor *cursor, bool backward, unsigned *ahead)
{
  if (engine_cursor_step_ahead (engine_cursor_place (cursor)))
    ++*ahead;
  else if (!engine_cursor_step (cursor, backward))
    go (cursor, backward);
}

/* Both ways, twice each. Gives how many records there are; *ahead: how many were looked at ahead. */
static unsigned
compare_walks (struct engine *engine, struct engine_snapshot *snapshot, unsigned *ahead)
{
  unsigned count = 0;
  *ahead = 0;
  for (int backward = 0; backward < 2; backward++)
    {
      struct engine_cursor *quick = cursor_at (engine, snapshot, backward);
      struct engine_cursor *slow = cursor_at (engine, snapshot, backward);
      for (count = 0; engine_cursor_valid (slow); count++)
        {
          struct bytes expected, value;
          CHECK (engine_cursor_valid (quick));
          CHECK (bytes_equal (engine_cursor_key (quick), engine_cursor_key (slow)));
          CHECK_INT (engine_cursor_sequence (quick), engine_cursor_sequence (slow));
          CHECK_OK (engine_cursor_value (slow, &expected, &failure));
          CHECK_OK (engine_cursor_value (quick, &value, &failure));
          CHECK (bytes_equal (value, expected));
          go (slow, backward);
          go_ahead (quick, backward, ahead);
        }
      CHECK (!engine_cursor_valid (quick));
      engine_cursor_free (slow);
      engine_cursor_free (quick);
    }
  return count;
}

static void
put_sized (struct engine *engine, struct bytes key, unsigned round, size_t size)
{
  static char value[5000];
  memset (value, 'a' + (int) round, size);
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, key, BYTES (value, size), ENGINE_SYNC_DEFAULT,
                        NULL, &failure));
}

/* Commits that the snapshot does not see stand between those that it sees, in the same pages. */
static void
test_newer_between (void)
{
  char *path = fresh_directory (), key[64];
  struct engine *engine = open_small (path);
  struct engine_snapshot *snapshot;
  unsigned ahead;
  for (unsigned i = 0; i < 2000; i += 2)
    put_sized (engine, number_key (key, i), 0, i % 50);
  CHECK_OK (engine_snapshot_new (engine, &snapshot, &failure));
  for (unsigned i = 1; i < 2000; i += i % 20 == 1 ? 2 : 18)
    put_sized (engine, number_key (key, i), 1, i % 50);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_INT (compare_walks (engine, snapshot, &ahead), 1000);
  CHECK (ahead > 500);
  CHECK_INT (compare_walks (engine, NULL, &ahead), 1200);
  CHECK (ahead > 500);
  engine_snapshot_free (snapshot);
  close_it (engine);
  free (path);
}

/* Versions of a key stand in two leaves here and there, and most leaves have one version of each
 * key. */
static void
test_versions_across_leaves (void)
{
  char *path = fresh_directory (), key[64];
  struct engine *engine = open_small (path);
  struct engine_snapshot *snapshots[4];
  unsigned ahead;
  for (unsigned round = 0; round < 4; round++)
    {
      for (unsigned i = 0; i < 40000; i++)
        if (round == 0 || i % 100 == 3)
          put_sized (engine, number_key (key, i), round, 60 + i % 50);
      CHECK_OK (engine_snapshot_new (engine, &snapshots[round], &failure));
    }
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  for (unsigned round = 0; round < 4; round++)
    {
      CHECK_INT (compare_walks (engine, snapshots[round], &ahead), 40000);
      engine_snapshot_free (snapshots[round]);
    }
  CHECK_INT (compare_walks (engine, NULL, &ahead), 40000);
  close_it (engine);
  free (path);
}

/* What is not looked at ahead: long keys and prefixes; and what is, large values, which each stand
 * in a file of their own while the cursor is on them. */
static void
test_all_sorts (void)
{
  char *path = fresh_directory (), key[300];
  struct engine_options options = small_options ();
  options.blob_threshold = 2000;
  struct engine *engine = open_with (path, &options);
  unsigned ahead;
  for (unsigned i = 0; i < 3000; i++)
    {
      size_t size = i < 1000 ? 3 + i % 90 : i < 2000 ? 8 : 4 + i % 11;
      memset (key, i < 2000 && i >= 1000 ? 'm' : 'a' + (int) (i / 1000), sizeof key);
      size_t start = i < 2000 && i >= 1000 ? 45 + i / 200 * 5 : 0;
      snprintf (key + start, sizeof key - start, "%04u", i);
      key[start + 4] = '-';
      put_sized (engine, BYTES (key, start + 5 + size), i % 7, i % 5 == 4 ? 5000 : i % 140);
    }
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  CHECK_INT (compare_walks (engine, NULL, &ahead), 3000);
  CHECK (ahead > 1000);
  close_it (engine);
  free (path);
}

/* A large value that was lent stays where it is while another takes it for himself. */
static void
test_lent_and_taken (void)
{
  char *path = fresh_directory ();
  struct engine_options options = small_options ();
  options.blob_threshold = 2000;
  struct engine *engine = open_with (path, &options);
  put_sized (engine, BYTES_LITERAL ("large"), 3, 5000);
  struct engine_cursor *cursor = cursor_at (engine, NULL, false);
  struct engine_value taken;
  struct bytes lent;
  CHECK_OK (engine_cursor_value (cursor, &lent, &failure));
  CHECK_OK (engine_cursor_take_value (cursor, &taken, &failure));
  CHECK (taken.data.data != lent.data && bytes_equal (taken.data, lent));
  engine_value_release (&taken);
  CHECK (lent.size == 5000 && lent.data[0] == 'd' && lent.data[4999] == 'd');
  engine_cursor_free (cursor);
  close_it (engine);
  free (path);
}

/* To and fro, over the same records. */
static void
test_turning (void)
{
  char *path = fresh_directory (), key[64];
  struct engine *engine = open_small (path);
  for (unsigned i = 0; i < 500; i++)
    put_sized (engine, number_key (key, i), 0, 20);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  for (unsigned run = 1; run < 40; run++)
    {
      struct engine_cursor *cursor = cursor_at (engine, NULL, false);
      unsigned at = 0, ahead = 0;
      for (unsigned turn = 0; turn < 8; turn++)
        {
          for (unsigned i = 0; i < run; i++, at++)
            go_ahead (cursor, false, &ahead);
          CHECK (bytes_equal (engine_cursor_key (cursor), number_key (key, at)));
          for (unsigned i = 0; i < run / 2; i++, at--)
            go (cursor, true);
          CHECK (bytes_equal (engine_cursor_key (cursor), number_key (key, at)));
        }
      CHECK_OK (engine_cursor_seek (cursor, number_key (key, 7), &failure));
      CHECK (bytes_equal (engine_cursor_key (cursor), number_key (key, 7)));
      engine_cursor_free (cursor);
    }
  close_it (engine);
  free (path);
}

int
main (void)
{
  test_newer_between ();
  test_versions_across_leaves ();
  test_all_sorts ();
  test_lent_and_taken ();
  test_turning ();
  return 0;
}
