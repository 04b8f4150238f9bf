/* SPDX-License-Identifier: MIT */
#include "watcher.h"

#include "program.h"

#include <string.h>

#define PATIENCE 120000000 /* microseconds after which something is amiss */
#define AFTERWARDS 40000   /* … in which nothing more may come */

static void
check_change (Follower *follower, LdbChange *change, guint64 upto, guint64 *previous, guint64 now)
{
  gsize key_size, value_size = 0;
  const guint8 *key = ldb_change_peek_key (change, &key_size);
  GBytes *value = ldb_change_get_value (change);
  gconstpointer data = value != NULL ? g_bytes_get_data (value, &value_size) : NULL;
  Stamp stamp;
  check (ldb_change_get_kind (change) == LDB_CHANGE_PUT && key_size == KEY_SIZE
             && value_size == VALUE_SIZE,
         "a change is none that was committed");
  memcpy (&stamp, data, sizeof stamp);
  guint number = parse_key (key);
  check (number - follower->first < follower->keys, "key %u is not watched", number);
  check (key_of (stamp.number) == number && stamp.number == newest (number, upto)
             && ldb_change_get_sequence (change) == follower->watcher->base + stamp.number,
         "key %u: commit %" G_GUINT64_FORMAT " instead of %" G_GUINT64_FORMAT, number, stamp.number,
         newest (number, upto));
  check (stamp.number > *previous, "commit %" G_GUINT64_FORMAT " came twice", stamp.number);
  *previous = stamp.number;
  latency_record (&follower->watcher->told.latency, now - stamp.time);
}

/* All keys in the snapshot, as they have to be there. */
static void
check_state (Follower *follower, LdbChangeSet *changes, guint64 upto)
{
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  guint8 key[KEY_SIZE + 1];
  for (guint i = follower->first; i < follower->first + follower->keys; i++)
    {
      g_autoptr (GError) error = NULL;
      Stamp stamp = { 0 };
      make_key (key, i);
      g_autoptr (GBytes) value = ldb_snapshot_get (snapshot, NULL, key, KEY_SIZE, NULL, &error);
      check_error (error);
      if (value != NULL)
        memcpy (&stamp, g_bytes_get_data (value, NULL), sizeof stamp);
      check (stamp.number == newest (i, upto), "key %u is wrong in the snapshot of a resync", i);
    }
}

static void
on_changed (LdbWatch *watch, LdbChangeSet *changes, gpointer data)
{
  guint64 now = latency_now ();
  Follower *follower = data;
  Watcher *watcher = follower->watcher;
  guint64 upto = ldb_change_set_get_sequence (changes) - watcher->base;
  guint count = ldb_change_set_get_n_changes (changes);
  watcher->told.emissions++;
  if (ldb_change_set_get_resync (changes))
    {
      watcher->told.resyncs++;
      check_state (follower, changes, upto);
    }
  else
    {
      guint64 since = ldb_change_set_get_since (changes) - watcher->base, previous = since;
      check (since >= follower->told && upto > since, "an emission goes back");
      check (count_written (follower->first, follower->keys, follower->told, since) == 0,
             "commits between two emissions are missing");
      check (count == count_written (follower->first, follower->keys, since, upto),
             "%u changes came of %" G_GUINT64_FORMAT, count,
             count_written (follower->first, follower->keys, since, upto));
      watcher->told.changes += count;
      for (guint i = 0; i < count; i++)
        check_change (follower, ldb_change_set_get_change (changes, i), upto, &previous, now);
    }
  follower->told = upto;
}

static void
follow (Watcher *watcher, Follower *follower, guint number)
{
  g_autoptr (GError) error = NULL;
  guint8 start[KEY_SIZE + 1], end[KEY_SIZE + 1];
  guint keys = watcher->what->apart ? KEYS / watcher->what->watches : KEYS;
  follower->watcher = watcher;
  follower->first = watcher->what->apart ? number * keys : 0;
  follower->keys = keys;
  make_key (start, follower->first);
  make_key (end, follower->first + keys);
  follower->watch = ldb_database_watch_range (watcher->db, start, KEY_SIZE, end, KEY_SIZE,
                                              LDB_WATCH_VALUES, &error);
  check_error (error);
  ldb_watch_set_batch_interval (follower->watch, watcher->what->interval);
  follower->told = ldb_watch_get_sequence (follower->watch) - watcher->base;
  g_signal_connect (follower->watch, "changed", G_CALLBACK (on_changed), follower);
}

void
watcher_begin (Watcher *self, LdbDatabase *db, const Case *what, guint64 base,
               GMainContext *context)
{
  *self = (Watcher){ .db = db, .what = what, .base = base, .context = context };
  self->followers = g_new0 (Follower, what->watches);
  for (guint i = 0; i < what->watches; i++)
    follow (self, &self->followers[i], i);
}

static gboolean
has_all (const Watcher *self, guint64 last)
{
  for (guint i = 0; i < self->what->watches; i++)
    {
      const Follower *follower = &self->followers[i];
      if (follower->told < last
          && count_written (follower->first, follower->keys, follower->told, last) > 0)
        return FALSE;
    }
  return TRUE;
}

void
watcher_end (Watcher *self, guint64 last)
{
  gint64 patience = g_get_monotonic_time () + PATIENCE;
  while (!has_all (self, last))
    {
      check (g_get_monotonic_time () < patience, "commits up to %" G_GUINT64_FORMAT " never came",
             last);
      if (!g_main_context_iteration (self->context, FALSE))
        g_usleep (100);
    }
  gint64 end = g_get_monotonic_time () + AFTERWARDS;
  guint64 told = self->told.emissions - self->told.resyncs; /* a resync may tell nothing new */
  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (self->context, FALSE))
      g_usleep (1000);
  check (self->told.emissions - self->told.resyncs == told,
         "an emission came after the last commit was told");
  for (guint i = 0; i < self->what->watches; i++)
    g_object_unref (self->followers[i].watch);
  g_free (self->followers);
}

void
told_add (Told *to, const Told *from)
{
  latency_merge (&to->latency, &from->latency);
  to->emissions += from->emissions;
  to->changes += from->changes;
  to->resyncs += from->resyncs;
}
