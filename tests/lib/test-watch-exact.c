/* SPDX-License-Identifier: MIT */
/*
 * Watches under load. Several threads commit at random: puts, deletes, ranges, batches over stores,
 * transactions, dropped stores. Watches of every kind, with and without an interval, in several
 * threads, keep replicas of what they watch by what they are told alone. Each emission is held
 * against the replica (an old value is what the replica has; nothing is told that did not
 * change; a deleted range held something), and, at random, the replica against the emission's
 * snapshot. A feed is replayed the same way. Handlers write, run the main loop, sleep, and pause
 * their watches; watches that lag are resynced and go on.
 *
 *   test-lib-watch-exact [--commits N] [--sequence-seed N] [--long]
 *
 * --long: ten million commits.
 */
#include "watch-test.h"

#include <pthread.h>
#include <string.h>

#define WRITERS 3
#define STATIONS 3
#define LARGE 9000 /* bytes of a value that has a file of its own */

static gint64 commits_wanted = 100000;
static gint64 seed = 20240229;

static char large[LARGE + 1]; /* a text of that length */
static gint emissions_made;   /* of all watches; atomic */
static gint quiet;            /* handlers write no more; atomic */

static const char *const store_names[] = { "default", "one", "two", "echo" };

/* ---- replicas ---- */

/* What a key is called across stores: the store's name, a slash, the key, in which only bounds have
 * zero bytes. */
static char *
full_name (const char *store, GBytes *key)
{
  gsize size = 0;
  const char *data = key != NULL ? g_bytes_get_data (key, &size) : NULL;
  GString *name = g_string_new (store);
  g_string_append_c (name, '/');
  for (gsize i = 0; i < size; i++)
    g_string_append_c (name, data[i] != '\0' ? data[i] : '\x01');
  return g_string_free (name, FALSE);
}

static GHashTable *
replica_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
}

/* Whether a full name is in [start, end) of the store; NULL leaves a side open. */
static gboolean
is_between (const char *name, const char *store, GBytes *start, GBytes *end)
{
  g_autofree char *lower = full_name (store, start);
  g_autofree char *upper = end != NULL ? full_name (store, end) : g_strdup_printf ("%s0", store);
  return strcmp (name, lower) >= 0 && strcmp (name, upper) < 0;
}

static guint
replica_remove_range (GHashTable *replica, const char *store, GBytes *start, GBytes *end)
{
  GHashTableIter iterator;
  gpointer name;
  guint removed = 0;
  g_hash_table_iter_init (&iterator, replica);
  while (g_hash_table_iter_next (&iterator, &name, NULL))
    if (is_between (name, store, start, end))
      {
        g_hash_table_iter_remove (&iterator);
        removed++;
      }
  return removed;
}

/* Everything that `snapshot` has in one store between two keys. */
static void
replica_read (GHashTable *replica, LdbSnapshot *snapshot, LdbDatabase *db, const char *name,
              GBytes *start, GBytes *end)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbStore) store = NULL;
  gsize start_size = 0, end_size = 0;
  gconstpointer lower = start != NULL ? g_bytes_get_data (start, &start_size) : NULL;
  gconstpointer upper = end != NULL ? g_bytes_get_data (end, &end_size) : NULL;
  if (strcmp (name, "default") != 0)
    {
      store = ldb_database_open_store (db, name, LDB_OPEN_NONE, NULL, &error);
      if (store == NULL)
        {
          assert_ldb_error (error, LDB_ERROR_NOT_FOUND, name);
          return;
        }
    }
  g_autoptr (LdbCursor) cursor = ldb_snapshot_scan (snapshot, store, lower, start_size, upper,
                                                    end_size, LDB_SCAN_NONE, &error);
  g_assert_no_error (error);
  while (ldb_cursor_next (cursor, NULL, &error))
    {
      g_autoptr (GBytes) key = ldb_cursor_get_key (cursor);
      g_hash_table_insert (replica, full_name (name, key),
                           ldb_cursor_get_value (cursor, NULL, &error));
      g_assert_no_error (error);
    }
  g_assert_no_error (error);
}

static void
assert_same (GHashTable *replica, GHashTable *found, const char *who, guint64 sequence)
{
  GHashTableIter iterator;
  gpointer name, value;
  g_hash_table_iter_init (&iterator, found);
  while (g_hash_table_iter_next (&iterator, &name, &value))
    {
      GBytes *kept = g_hash_table_lookup (replica, name);
      if (kept == NULL || !g_bytes_equal (kept, value))
        g_error ("%s at commit %" G_GUINT64_FORMAT ": %s %s (--sequence-seed %" G_GINT64_FORMAT ")",
                 who, sequence, (char *) name, kept == NULL ? "was missed" : "has another value",
                 seed);
    }
  if (g_hash_table_size (found) == g_hash_table_size (replica))
    return;
  g_hash_table_iter_init (&iterator, replica);
  while (g_hash_table_iter_next (&iterator, &name, NULL))
    if (!g_hash_table_contains (found, name))
      g_error ("%s at commit %" G_GUINT64_FORMAT
               ": %s should be gone (--sequence-seed %" G_GINT64_FORMAT ")",
               who, sequence, (char *) name, seed);
}

/* ---- watches ---- */

typedef struct
{
  LdbDatabase *db;      /* borrowed */
  LdbWatch *watch;      /* owned */
  char *name;           /* for messages */
  const char *store;    /* watched; NULL: every store */
  GBytes *start, *end;  /* watched; NULL: open; owned */
  LdbWatchFlags flags;  /* of the watch */
  GHashTable *replica;  /* what it has told */
  GRand *rand;          /* whether to look closer */
  guint64 sequence;     /* of the newest emission */
  guint64 emissions;    /* so far */
  guint64 told;         /* changes so far */
  guint64 resyncs;      /* of the emissions */
  guint64 checked;      /* of them held against the snapshot */
  guint sleep;          /* milliseconds in each handler */
  gboolean writes;      /* its handler does */
  gboolean without_two; /* a resync left it unclear which store of that name the replica has */
  gboolean runs_loop;   /* its handler does */
  guint depth;          /* handlers running */
} Follower;

static void
read_all (Follower *follower, LdbSnapshot *snapshot, GHashTable *replica)
{
  for (guint i = 0; i < G_N_ELEMENTS (store_names); i++)
    if (follower->store == NULL ? !follower->without_two || strcmp (store_names[i], "two") != 0
                                : strcmp (follower->store, store_names[i]) == 0)
      replica_read (replica, snapshot, follower->db, store_names[i], follower->start,
                    follower->end);
}

/* A store that was dropped and made anew since is another one than that of the snapshot. */
static gboolean
is_comparable (Follower *follower)
{
  return follower->store != NULL && strcmp (follower->store, "two") != 0;
}

static void
check_snapshot (Follower *follower, LdbChangeSet *changes)
{
  g_autoptr (GHashTable) found = replica_new ();
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  if (!is_comparable (follower))
    return;
  read_all (follower, snapshot, found);
  assert_same (follower->replica, found, follower->name, follower->sequence);
  follower->checked++;
  ldb_snapshot_close (snapshot);
}

static void
apply_key (Follower *follower, LdbChangeSet *changes, LdbChange *change, GHashTable *keys)
{
  const char *store = ldb_change_get_store (change);
  g_autofree char *name = full_name (store, ldb_change_get_key (change));
  g_autoptr (GBytes) value = NULL;
  GBytes *before = g_hash_table_lookup (follower->replica, name);
  gboolean is_put = ldb_change_get_kind (change) == LDB_CHANGE_PUT;
  if (follower->store != NULL)
    g_assert_true (is_between (name, follower->store, follower->start, follower->end));
  if (!g_hash_table_add (keys, g_strdup (name)))
    g_error ("%s: %s is told twice at once (--sequence-seed %" G_GINT64_FORMAT ")", follower->name,
             name, seed);
  if (!is_put && before == NULL)
    g_error (
        "%s: the deletion of %s, which was not there, is told (--sequence-seed %" G_GINT64_FORMAT
        ")",
        follower->name, name, seed);
  if (follower->flags & LDB_WATCH_OLD_VALUES)
    {
      GBytes *old = ldb_change_get_old_value (change);
      if ((old != NULL) != (before != NULL) || (old != NULL && !g_bytes_equal (old, before)))
        g_error ("%s at commit %" G_GUINT64_FORMAT ": the old value of %s is not what was told "
                 "before (--sequence-seed %" G_GINT64_FORMAT ")",
                 follower->name, follower->sequence, name, seed);
    }
  if (!is_put)
    {
      g_hash_table_remove (follower->replica, name);
      return;
    }
  value = ldb_change_get_value (change) != NULL ? own_copy (ldb_change_get_value (change)) : NULL;
  if (value == NULL)
    {
      g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
      g_autoptr (LdbStore) opened
          = strcmp (store, "default") != 0
                ? ldb_database_open_store (follower->db, store, LDB_OPEN_NONE, NULL, NULL)
                : NULL;
      gsize size;
      gconstpointer key = g_bytes_get_data (ldb_change_get_key (change), &size);
      value = ldb_snapshot_get (snapshot, opened, key, size, NULL, NULL);
      g_assert_nonnull (value);
    }
  if (before != NULL && g_bytes_equal (before, value))
    g_error ("%s at commit %" G_GUINT64_FORMAT ": %s is told, which is as it was (--sequence-seed "
             "%" G_GINT64_FORMAT ")",
             follower->name, follower->sequence, name, seed);
  g_hash_table_insert (follower->replica, g_strdup (name), g_bytes_ref (value));
}

static void
apply_range (Follower *follower, LdbChange *change)
{
  guint removed = replica_remove_range (follower->replica, ldb_change_get_store (change),
                                        ldb_change_get_key (change), ldb_change_get_end (change));
  if (removed == 0)
    g_error ("%s at commit %" G_GUINT64_FORMAT
             ": a range is told in which nothing was (--sequence-seed "
             "%" G_GINT64_FORMAT ")",
             follower->name, follower->sequence, seed);
}

static void
apply (Follower *follower, LdbChangeSet *changes)
{
  g_autoptr (GHashTable) keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint count = ldb_change_set_get_n_changes (changes);
  guint64 newest = 0;
  for (guint i = 0; i < count; i++)
    {
      LdbChange *change = ldb_change_set_get_change (changes, i);
      guint64 sequence = ldb_change_get_sequence (change);
      g_assert_cmpuint (sequence, >=, newest);
      g_assert_cmpuint (sequence, >, ldb_change_set_get_since (changes));
      g_assert_cmpuint (sequence, <=, ldb_change_set_get_sequence (changes));
      newest = sequence;
      if (follower->without_two && g_strcmp0 (ldb_change_get_store (change), "two") == 0)
        continue;
      if (ldb_change_get_kind (change) == LDB_CHANGE_DELETE_RANGE)
        apply_range (follower, change);
      else
        apply_key (follower, changes, change, keys);
    }
  follower->told += count;
}

static void
resync (Follower *follower, LdbChangeSet *changes)
{
  g_autoptr (LdbSnapshot) snapshot = ldb_change_set_get_snapshot (changes);
  g_assert_cmpuint (ldb_change_set_get_n_changes (changes), ==, 1);
  g_assert_cmpint (ldb_change_get_kind (ldb_change_set_get_change (changes, 0)), ==,
                   LDB_CHANGE_RESYNC);
  follower->without_two = TRUE;
  g_hash_table_remove_all (follower->replica);
  read_all (follower, snapshot, follower->replica);
  follower->resyncs++;
}

static void
follow (LdbWatch *watch, LdbChangeSet *changes, Follower *follower)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpuint (++follower->depth, ==, 1);
  g_assert_cmpuint (ldb_change_set_get_sequence (changes), >, follower->sequence);
  if (!ldb_change_set_get_resync (changes))
    g_assert_cmpuint (ldb_change_set_get_since (changes), >=, follower->sequence);
  follower->sequence = ldb_change_set_get_sequence (changes);
  follower->emissions++;
  g_atomic_int_inc (&emissions_made);
  if (ldb_change_set_get_resync (changes))
    resync (follower, changes);
  else
    apply (follower, changes);
  if (g_rand_int_range (follower->rand, 0, 8) == 0 || g_atomic_int_get (&quiet))
    check_snapshot (follower, changes);
  if (follower->writes && !g_atomic_int_get (&quiet))
    {
      g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, follower->sequence);
      g_autoptr (LdbStore) echo
          = ldb_database_open_store (follower->db, "echo", LDB_OPEN_NONE, NULL, &error);
      ldb_store_put_string (echo, follower->name, text, NULL, &error);
      g_assert_no_error (error);
    }
  if (follower->runs_loop)
    run_for (2);
  if (follower->sleep > 0)
    g_usleep (follower->sleep * 1000);
  follower->depth--;
}

/* ---- stations: threads with a main context of their own ---- */

typedef struct
{
  guint number;          /* of the station */
  LdbDatabase *db;       /* its handle; owned */
  GThread *thread;       /* its own */
  GMainContext *context; /* of it */
  GPtrArray *followers;  /* Follower */
  guint64 last;          /* commit to be told before it goes on; 0: not known yet; atomic */
} Station;

/* What main and stations wait for each other by. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* which ThreadSanitizer sees */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* GObject's lists of handlers, whose own lock ThreadSanitizer does not see. */
static pthread_mutex_t connecting = PTHREAD_MUTEX_INITIALIZER;
static guint arrived; /* stations that have reached what was asked for; guarded by lock */

static void
arrive (void)
{
  pthread_mutex_lock (&lock);
  arrived++;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

static void
await_arrivals (guint count)
{
  pthread_mutex_lock (&lock);
  while (arrived < count)
    pthread_cond_wait (&changed, &lock);
  pthread_mutex_unlock (&lock);
}

static GBytes *
bound (const char *text)
{
  return text != NULL ? g_bytes_new (text, strlen (text)) : NULL;
}

static LdbWatch *
begin_watch (Station *station, const char *kind, LdbStore *store, const char *start,
             const char *end, LdbWatchFlags flags)
{
  g_autoptr (GError) error = NULL;
  gsize start_size = start != NULL ? strlen (start) : 0, end_size = end != NULL ? strlen (end) : 0;
  LdbWatch *watch;
  if (strcmp (kind, "stores") == 0)
    watch = ldb_database_watch_stores (station->db, flags, &error);
  else if (strcmp (kind, "key") == 0)
    watch = store != NULL ? ldb_store_watch_key (store, start, start_size, flags, &error)
                          : ldb_database_watch_key (station->db, start, start_size, flags, &error);
  else if (strcmp (kind, "prefix") == 0)
    watch = store != NULL
                ? ldb_store_watch_prefix (store, start, start_size, flags, &error)
                : ldb_database_watch_prefix (station->db, start, start_size, flags, &error);
  else
    watch = store != NULL
                ? ldb_store_watch_range (store, start, start_size, end, end_size, flags, &error)
                : ldb_database_watch_range (station->db, start, start_size, end, end_size, flags,
                                            &error);
  g_assert_no_error (error);
  return watch;
}

static Follower *
add_follower (Station *station, const char *kind, const char *name, const char *start,
              const char *end, LdbWatchFlags flags, guint interval)
{
  g_autoptr (GError) error = NULL;
  gboolean every = strcmp (kind, "stores") == 0;
  g_autoptr (LdbStore) store
      = !every && strcmp (name, "default") != 0
            ? ldb_database_open_store (station->db, name, LDB_OPEN_NONE, NULL, &error)
            : NULL;
  g_assert_no_error (error);
  Follower *follower = g_new0 (Follower, 1);
  follower->db = station->db;
  follower->store = every ? NULL : name;
  follower->flags = flags;
  follower->name = g_strdup_printf ("%s %s %s %s/%u flags %d at %u ms", kind, name,
                                    start != NULL ? start : "-", end != NULL ? end : "-",
                                    station->number, (int) flags, interval);
  follower->replica = replica_new ();
  follower->rand = g_rand_new_with_seed ((guint32) (seed + station->followers->len));
  follower->watch = begin_watch (station, kind, store, start, end, flags);
  /* A key is the range up to the key right behind it; a prefix up to its last byte plus one. */
  if (strcmp (kind, "key") == 0)
    {
      follower->start = bound (start);
      follower->end = g_bytes_new (start, strlen (start) + 1);
    }
  else if (strcmp (kind, "prefix") == 0)
    {
      g_autofree char *next = g_strdup (start);
      next[strlen (next) - 1]++;
      follower->start = bound (start);
      follower->end = bound (next);
    }
  else
    {
      follower->start = bound (start);
      follower->end = bound (end);
    }
  ldb_watch_set_batch_interval (follower->watch, interval);
  g_signal_connect (follower->watch, "changed", G_CALLBACK (follow), follower);
  g_ptr_array_add (station->followers, follower);
  return follower;
}

static void
add_followers (Station *station)
{
  const LdbWatchFlags both = LDB_WATCH_VALUES | LDB_WATCH_OLD_VALUES;
  Follower *follower;
  for (guint interval = 0; interval <= 16; interval += 16)
    {
      add_follower (station, "key", "default", "a00", NULL, both, interval);
      add_follower (station, "key", "one", "b00", NULL, LDB_WATCH_NONE, interval);
      add_follower (station, "prefix", "default", "a", NULL, both, interval);
      add_follower (station, "prefix", "one", "b0", NULL, LDB_WATCH_EACH_KEY | both, interval);
      add_follower (station, "range", "default", "a05", "c05", LDB_WATCH_NONE, interval);
      add_follower (station, "range", "default", NULL, "b", LDB_WATCH_EACH_KEY, interval);
      add_follower (station, "range", "one", "b", NULL, both, interval);
      add_follower (station, "range", "one", NULL, NULL, both, interval);
      add_follower (station, "stores", NULL, NULL, NULL, both, interval);
    }
  follower = add_follower (station, "range", "default", NULL, NULL, both, 0);
  follower->writes = TRUE;
  follower = add_follower (station, "range", "default", NULL, NULL, both, 16);
  follower->runs_loop = TRUE;
  follower = add_follower (station, "range", "default", NULL, NULL, both, 0);
  ldb_watch_set_max_changes (follower->watch, 20);
  follower->sleep = 3;
  follower = add_follower (station, "range", "echo", NULL, NULL, both, 0);
}

static guint64
last_of (Station *station)
{
  return __atomic_load_n (&station->last, __ATOMIC_ACQUIRE);
}

/* Has one of them paused, and another one every now and then; none near the end. */
static gboolean
meddle (gpointer data)
{
  Station *station = data;
  GRand *rand = ((Follower *) g_ptr_array_index (station->followers, 0))->rand;
  gint32 which = g_rand_int_range (rand, 0, (gint32) station->followers->len);
  for (guint i = 0; i < station->followers->len; i++)
    {
      Follower *follower = g_ptr_array_index (station->followers, i);
      ldb_watch_set_paused (follower->watch, i == (guint) which && last_of (station) == 0);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
was_told (Station *station, guint64 last)
{
  for (guint i = 0; last != 0 && i < station->followers->len; i++)
    {
      Follower *follower = g_ptr_array_index (station->followers, i);
      ldb_watch_resume (follower->watch);
      if (follower->sequence < last)
        return FALSE;
    }
  return last != 0;
}

static void
check_end (Station *station)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (station->db, &error);
  guint64 emissions = 0, told = 0, resyncs = 0, checked = 0;
  g_assert_no_error (error);
  for (guint i = 0; i < station->followers->len; i++)
    {
      Follower *follower = g_ptr_array_index (station->followers, i);
      g_autoptr (GHashTable) found = replica_new ();
      read_all (follower, snapshot, found);
      assert_same (follower->replica, found, follower->name, follower->sequence);
      emissions += follower->emissions;
      told += follower->told;
      resyncs += follower->resyncs;
      checked += follower->checked;
    }
  g_test_message ("%u watches: %" G_GUINT64_FORMAT " emissions, %" G_GUINT64_FORMAT
                  " changes, %" G_GUINT64_FORMAT " resyncs, %" G_GUINT64_FORMAT
                  " held against a snapshot",
                  station->followers->len, emissions, told, resyncs, checked);
  g_assert_cmpuint (checked, >, 0);
}

static void
follower_free (gpointer data)
{
  Follower *follower = data;
  g_object_unref (follower->watch);
  g_hash_table_unref (follower->replica);
  g_rand_free (follower->rand);
  g_clear_pointer (&follower->start, g_bytes_unref);
  g_clear_pointer (&follower->end, g_bytes_unref);
  g_free (follower->name);
  g_free (follower);
}

static gpointer
run_station (gpointer data)
{
  Station *station = data;
  station->context = g_main_context_new ();
  g_main_context_push_thread_default (station->context);
  station->followers = g_ptr_array_new_with_free_func (follower_free);
  pthread_mutex_lock (&connecting);
  add_followers (station);
  pthread_mutex_unlock (&connecting);
  g_autoptr (GSource) meddling = g_timeout_source_new (7);
  g_source_set_callback (meddling, meddle, station, NULL);
  g_source_attach (meddling, station->context);
  arrive ();
  guint64 last = 0;
  while (!was_told (station, last = last_of (station)))
    g_main_context_iteration (station->context, TRUE);
  arrive ();
  while (!was_told (station, last_of (station)) || last_of (station) == last)
    g_main_context_iteration (station->context, TRUE);
  check_end (station);
  g_source_destroy (meddling);
  pthread_mutex_lock (&connecting);
  g_ptr_array_unref (station->followers);
  pthread_mutex_unlock (&connecting);
  g_main_context_pop_thread_default (station->context);
  g_main_context_unref (station->context);
  return NULL;
}

/* ---- a feed ---- */

typedef struct
{
  LdbDatabase *db;     /* borrowed */
  guint64 since;       /* where it begins */
  guint64 last;        /* where it ends; 0: not known yet; atomic */
  GHashTable *replica; /* what the changes make */
  guint64 commits;     /* read */
  guint64 changes;     /* in them */
} Reader;

static void
replay_change (GHashTable *replica, LdbChange *change)
{
  const char *store = ldb_change_get_store (change);
  if (store == NULL) /* of a store that is gone */
    return;
  g_autofree char *name = full_name (store, ldb_change_get_key (change));
  switch (ldb_change_get_kind (change))
    {
    case LDB_CHANGE_PUT:
      /* Without a value: replaced since. */
      if (ldb_change_get_value (change) != NULL)
        g_hash_table_insert (replica, g_strdup (name), own_copy (ldb_change_get_value (change)));
      break;
    case LDB_CHANGE_DELETE:
      g_hash_table_remove (replica, name);
      break;
    case LDB_CHANGE_DELETE_RANGE:
      replica_remove_range (replica, store, ldb_change_get_key (change),
                            ldb_change_get_end (change));
      break;
    case LDB_CHANGE_RESYNC:
    default:
      g_assert_not_reached ();
    }
}

static gpointer
run_reader (gpointer data)
{
  Reader *reader = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbFeed) feed = ldb_database_create_feed (reader->db, reader->since, NULL, &error);
  g_assert_no_error (error);
  guint64 expected = reader->since, last;
  while ((last = __atomic_load_n (&reader->last, __ATOMIC_ACQUIRE)) == 0 || expected <= last)
    {
      LdbChange *change;
      guint64 sequence = 0;
      if (!ldb_feed_next_commit (feed, &sequence, NULL, &error))
        {
          g_assert_no_error (error);
          g_assert_true (ldb_feed_wait (feed, NULL, &error));
          continue;
        }
      g_assert_cmpuint (sequence, ==, ++expected);
      reader->commits++;
      while ((change = ldb_feed_next_change (feed, NULL, &error)) != NULL)
        {
          g_assert_cmpuint (ldb_change_get_sequence (change), ==, sequence);
          replay_change (reader->replica, change);
          ldb_change_unref (change);
          reader->changes++;
        }
      g_assert_no_error (error);
      g_assert_cmpuint (ldb_feed_get_position (feed), ==, sequence);
    }
  return NULL;
}

/* ---- writers ---- */

typedef struct
{
  LdbDatabase *db; /* its handle; owned */
  guint number;    /* of the writer */
  GRand *rand;     /* of its own */
} Writer;

static gint commits_made; /* atomic */

static void
random_key (GRand *rand, char key[8])
{
  g_snprintf (key, 8, "%c%02d%s", 'a' + g_rand_int_range (rand, 0, 4),
              g_rand_int_range (rand, 0, 12), g_rand_int_range (rand, 0, 8) == 0 ? "x" : "");
}

/* Few values, so that one often replaces itself; seldom a large one. */
static const char *
random_value (GRand *rand)
{
  static const char *const values[] = { "", "1", "2", "three" };
  if (g_rand_int_range (rand, 0, 2000) == 0)
    return large;
  return values[g_rand_int_range (rand, 0, G_N_ELEMENTS (values))];
}

static void
random_range (GRand *rand, char start[8], char end[8])
{
  do
    {
      random_key (rand, start);
      random_key (rand, end);
    }
  while (strcmp (start, end) >= 0);
}

/* The default store mostly; NULL for it. */
static LdbStore *
random_store (Writer *writer)
{
  switch (g_rand_int_range (writer->rand, 0, 8))
    {
    case 0:
    case 1:
    case 2:
      return ldb_database_open_store (writer->db, "one", LDB_OPEN_NONE, NULL, NULL);
    case 3:
      return ldb_database_open_store (writer->db, "two", LDB_OPEN_CREATE, NULL, NULL);
    default:
      return NULL;
    }
}

static void
write_batch (Writer *writer, GError **error)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  char key[8], end[8];
  for (gint left = g_rand_int_range (writer->rand, 2, 12); left > 0; left--)
    {
      g_autoptr (LdbStore) store = random_store (writer);
      random_key (writer->rand, key);
      switch (g_rand_int_range (writer->rand, 0, 30))
        {
        case 0:
          random_range (writer->rand, key, end);
          ldb_batch_delete_range (batch, store, key, strlen (key), end, strlen (end), error);
          break;
        case 1:
        case 2:
        case 3:
        case 4:
          ldb_batch_delete_string (batch, store, key, error);
          break;
        default:
          ldb_batch_put_string (batch, store, key, random_value (writer->rand), error);
        }
      g_assert_no_error (*error);
    }
  ldb_database_write_batch (writer->db, batch, LDB_SYNC_MODE_DEFAULT, NULL, error);
}

static void
run_transaction (Writer *writer, GError **error)
{
  g_autoptr (LdbTransaction) transaction
      = ldb_database_begin (writer->db, LDB_TRANSACTION_NONE, error);
  char key[8];
  for (gint left = g_rand_int_range (writer->rand, 1, 4); left > 0; left--)
    {
      g_autoptr (LdbStore) store = random_store (writer);
      random_key (writer->rand, key);
      ldb_transaction_put_string (transaction, store, key, random_value (writer->rand), error);
    }
  g_assert_no_error (*error);
  /* Of those that conflict nobody may hear. */
  if (!ldb_transaction_commit (transaction, LDB_SYNC_MODE_DEFAULT, NULL, error)
      && g_error_matches (*error, LDB_ERROR, LDB_ERROR_CONFLICT))
    g_clear_error (error);
}

static void
write_one (Writer *writer, gint kind, GError **error)
{
  g_autoptr (LdbStore) store = random_store (writer);
  LdbDatabase *db = writer->db;
  char key[8], end[8];
  random_key (writer->rand, key);
  if (kind < 10)
    random_range (writer->rand, key, end);
  gsize size = strlen (key);
  if (kind < 10 && store != NULL)
    ldb_store_delete_range (store, key, size, end, strlen (end), NULL, error);
  else if (kind < 10)
    ldb_database_delete_range (db, key, size, end, strlen (end), NULL, error);
  else if (kind < 120 && store != NULL)
    ldb_store_delete (store, key, size, NULL, error);
  else if (kind < 120)
    ldb_database_delete (db, key, size, NULL, error);
  else if (store != NULL)
    ldb_store_put_string (store, key, random_value (writer->rand), NULL, error);
  else
    ldb_database_put_string (db, key, random_value (writer->rand), NULL, error);
}

static void
write_something (Writer *writer)
{
  g_autoptr (GError) error = NULL;
  gint kind = g_rand_int_range (writer->rand, 0, 1000);
  if (kind == 0 && g_rand_int_range (writer->rand, 0, 4) == 0)
    ldb_database_drop_store (writer->db, "two", NULL, &error);
  else if (kind >= 900)
    write_batch (writer, &error);
  else if (kind >= 850)
    run_transaction (writer, &error);
  else
    write_one (writer, kind, &error);
  /* The store "two" may have been dropped a moment ago. */
  if (!g_error_matches (error, LDB_ERROR, LDB_ERROR_NOT_FOUND))
    g_assert_no_error (error);
}

static gpointer
run_writer (gpointer data)
{
  Writer *writer = data;
  while (g_atomic_int_add (&commits_made, 1) < commits_wanted)
    {
      write_something (writer);
      /* Without a rest for those who follow there would be few large emissions only. */
      gint before = g_atomic_int_get (&emissions_made);
      gint naps = g_rand_int_range (writer->rand, 0, 40) == 0 ? 10 : 0;
      while (naps-- > 0 && g_atomic_int_get (&emissions_made) == before)
        g_usleep (500);
    }
  return NULL;
}

/* One commit that every watch is told of. Returns its number. */
static guint64
write_end (LdbDatabase *db, const char *value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  g_autoptr (LdbStore) one = ldb_database_open_store (db, "one", LDB_OPEN_NONE, NULL, &error);
  g_autoptr (LdbStore) two = ldb_database_open_store (db, "two", LDB_OPEN_CREATE, NULL, &error);
  g_autoptr (LdbStore) echo = ldb_database_open_store (db, "echo", LDB_OPEN_NONE, NULL, &error);
  ldb_batch_put_string (batch, NULL, "a00", value, &error);
  ldb_batch_put_string (batch, NULL, "b05", value, &error);
  ldb_batch_put_string (batch, one, "b00", value, &error);
  ldb_batch_put_string (batch, two, "a00", value, &error);
  ldb_batch_put_string (batch, echo, "end", value, &error);
  ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error);
  g_assert_no_error (error);
  return ldb_batch_get_sequence (batch);
}

/* ---- all of it ---- */

static void
end_stations (Station *stations, guint64 last)
{
  for (guint i = 0; i < STATIONS; i++)
    {
      __atomic_store_n (&stations[i].last, last, __ATOMIC_RELEASE);
      g_main_context_wakeup (stations[i].context);
    }
}

static void
start (LdbDatabase *db, Station *stations, Writer *writers, Reader *reader, GThread **threads)
{
  g_autoptr (GError) error = NULL;
  /* Made by this thread: ThreadSanitizer does not see that GObject hands them over. */
  const GType types[] = { LDB_TYPE_CHANGE_SET, LDB_TYPE_SNAPSHOT, LDB_TYPE_CURSOR, LDB_TYPE_STORE };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    g_type_class_ref (types[i]);
  for (guint i = 0; i < STATIONS; i++)
    {
      stations[i].number = i;
      stations[i].db
          = ldb_database_open (ldb_database_get_path (db), LDB_OPEN_NONE, NULL, NULL, &error);
      g_assert_no_error (error);
      stations[i].thread = g_thread_new ("station", run_station, &stations[i]);
    }
  await_arrivals (STATIONS);
  reader->db = db;
  reader->since = ldb_database_get_sequence (db);
  reader->replica = replica_new ();
  threads[WRITERS] = g_thread_new ("reader", run_reader, reader);
  for (guint i = 0; i < WRITERS; i++)
    {
      writers[i].db
          = ldb_database_open (ldb_database_get_path (db), LDB_OPEN_NONE, NULL, NULL, &error);
      g_assert_no_error (error);
      writers[i].number = i;
      writers[i].rand = g_rand_new_with_seed ((guint32) (seed + 1000 * (i + 1)));
      threads[i] = g_thread_new ("writer", run_writer, &writers[i]);
    }
}

static void
check_reader (Reader *reader)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbSnapshot) snapshot = ldb_database_create_snapshot (reader->db, &error);
  g_autoptr (GHashTable) found = replica_new ();
  for (guint i = 0; i < G_N_ELEMENTS (store_names); i++)
    replica_read (found, snapshot, reader->db, store_names[i], NULL, NULL);
  assert_same (reader->replica, found, "the feed", reader->last);
  g_test_message ("feed: %" G_GUINT64_FORMAT " commits, %" G_GUINT64_FORMAT " changes",
                  reader->commits, reader->changes);
  g_hash_table_unref (reader->replica);
}

static void
test_exact (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  Station stations[STATIONS] = { 0 };
  Writer writers[WRITERS] = { 0 };
  Reader reader = { 0 };
  GThread *threads[WRITERS + 1];
  memset (large, 'x', LARGE);
  for (guint i = 1; i < G_N_ELEMENTS (store_names); i++)
    g_object_unref (ldb_database_open_store (db, store_names[i], LDB_OPEN_CREATE, NULL, &error));
  start (db, stations, writers, &reader, threads);
  for (guint i = 0; i < WRITERS; i++)
    {
      g_thread_join (threads[i]);
      g_rand_free (writers[i].rand);
      g_object_unref (writers[i].db);
    }
  /* First everything is told, and no handler writes any more; then the last commit is. */
  g_atomic_int_set (&quiet, 1);
  end_stations (stations, write_end (db, "almost"));
  await_arrivals (2 * STATIONS);
  guint64 last = write_end (db, "end");
  end_stations (stations, last);
  __atomic_store_n (&reader.last, last, __ATOMIC_RELEASE);
  for (guint i = 0; i < STATIONS; i++)
    {
      g_thread_join (stations[i].thread);
      g_object_unref (stations[i].db);
    }
  put (db, "z", "the feed waits for a commit");
  g_thread_join (threads[WRITERS]);
  check_reader (&reader);
  g_assert_true (ldb_database_close (db, NULL, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  gboolean is_long = FALSE;
  GOptionEntry entries[] = {
    { "commits", 0, 0, G_OPTION_ARG_INT64, &commits_wanted, "How many", "N" },
    { "sequence-seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Of all that is random", "N" },
    { "long", 0, 0, G_OPTION_ARG_NONE, &is_long, "Ten million commits", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_test_init (&argc, &argv, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  if (is_long)
    commits_wanted = 10000000;
  add_test ("/watch/exact", test_exact);
  return g_test_run ();
}
