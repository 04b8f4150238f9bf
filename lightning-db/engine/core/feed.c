/* SPDX-License-Identifier: MIT */
#include "core/feed.h"

#include "core/follow.h"
#include "core/memory.h"
#include "core/recent.h"
#include "log/wal-reader.h"

#include <stdlib.h>
#include <time.h>

struct engine_feed
{
  struct engine *engine;              /* referenced */
  struct engine_feed *next;           /* in the engine\'s list; feed_lock */
  struct wal_reader *reader;          /* of the log; NULL: there is none; owned */
  struct recent_reader *recent;       /* then of the commits kept in memory; owned */
  uint64_t position;                  /* newest commit given whole */
  uint64_t sequence;                  /* of the commit at hand; == position when there is none */
  struct operation_reader operations; /* what is left of it, in the reader's memory */
  struct operation present;           /* the change last given, when has_present */
  bool has_present;                   /* whether engine_feed_value has one to speak of */
  uint8_t *end;                       /* of a span that was loaded; malloc\'d */
};

/* A feed reads the log, or where there is none what is kept in memory while a feed is open:
 *
 *   commit ─► log ────► wal_reader ───┐
 *         └─► recent ─► recent_reader ┴─► the commit at hand ─► its changes
 */

/* ---- the commit at hand ---- */

static void
end_commit (struct engine_feed *feed)
{
  feed->position = feed->sequence;
  feed->has_present = false;
}

static status
read_recent (struct engine_feed *feed, uint64_t limit, uint64_t *sequence, struct bytes *payload,
             struct failure *failure)
{
  status result = recent_reader_next (feed->recent, limit, sequence, payload);
  if (result != STATUS_HISTORY_GONE)
    return result;
  return fail (
      failure, STATUS_HISTORY_GONE,
      "%s, which has no log, no longer keeps commit %llu for feeds; read the data anew and "
      "go on from the newest commit",
      feed->engine->path, (unsigned long long) feed->position + 1);
}

static status
read_commit (struct engine_feed *feed, uint64_t limit, uint64_t *sequence, struct bytes *payload,
             struct failure *failure)
{
  if (feed->recent != NULL)
    return read_recent (feed, limit, sequence, payload, failure);
  status result = wal_reader_take (feed->reader, limit, sequence, payload);
  if (result != STATUS_BUSY)
    return result;
  result = engine_begin (feed->engine, failure); /* the log stays open meanwhile */
  if (result != STATUS_OK)
    return result;
  result = wal_reader_next (feed->reader, limit, sequence, payload, failure);
  engine_end (feed->engine);
  return result;
}

status
engine_feed_next_commit (struct engine_feed *feed, uint64_t *sequence, struct failure *failure)
{
  struct engine *engine = feed->engine;
  struct bytes payload;
  status result = engine_enter (engine, failure);
  if (result != STATUS_OK)
    return result;
  end_commit (feed);
  result = read_commit (feed, engine_sequence (engine), sequence, &payload, failure); /* D1 */
  if (result != STATUS_OK)
    return result;
  feed->sequence = *sequence;
  feed->operations = operation_reader_over (payload);
  return STATUS_OK;
}

/* ---- its changes ---- */

/* An empty bound is an open one. */
static struct bytes
bound_of (struct bytes bytes)
{
  return bytes.size > 0 ? bytes : BYTES_NONE;
}

static void
show (const struct operation *operation, struct engine_change *out)
{
  *out = (struct engine_change){ .store = operation->store, .key = operation->key };
  switch (operation->kind)
    {
    case OPERATION_PUT:
      out->kind = ENGINE_CHANGE_PUT;
      out->value = operation->value;
      break;
    case OPERATION_BLOB:
      out->kind = ENGINE_CHANGE_PUT;
      break;
    case OPERATION_DELETE:
      out->kind = ENGINE_CHANGE_DELETE;
      break;
    case OPERATION_DELETE_RANGE:
      out->kind = ENGINE_CHANGE_DELETE_RANGE;
      out->key = bound_of (operation->key);
      out->end = bound_of (operation->value);
      break;
    case OPERATION_LOADED: /* its end needs a byte more: show_loaded */
      break;
    }
}

/* The log names the largest key; the end is the key behind it. */
static status
show_loaded (struct engine_feed *feed, struct engine_change *out, struct failure *failure)
{
  const struct operation *operation = &feed->present;
  size_t size = operation->value.size + 1;
  uint8_t *end = realloc (feed->end, size);
  if (end == NULL)
    return fail_memory (failure, size, "a key");
  feed->end = end;
  memcpy (end, operation->value.data, size - 1);
  end[size - 1] = 0;
  *out = (struct engine_change){ .kind = ENGINE_CHANGE_LOADED,
                                 .store = operation->store,
                                 .key = operation->key,
                                 .end = BYTES (end, size) };
  return STATUS_OK;
}

status
engine_feed_next_change (struct engine_feed *feed, struct engine_change *out,
                         struct failure *failure)
{
  status result = engine_enter (feed->engine, failure);
  feed->has_present = false;
  if (result != STATUS_OK)
    return result;
  if (feed->sequence == feed->position)
    return STATUS_NOT_FOUND;
  do
    result = operation_next (&feed->operations, &feed->present, failure);
  while (result == STATUS_OK && (feed->present.dead || feed->present.store == ENGINE_STORE_SYSTEM));
  if (result == STATUS_NOT_FOUND)
    end_commit (feed);
  if (result != STATUS_OK)
    return result;
  feed->has_present = true;
  if (feed->present.kind == OPERATION_LOADED)
    return show_loaded (feed, out, failure);
  show (&feed->present, out);
  return STATUS_OK;
}

/* ---- values ---- */

static status
copy_value (struct bytes value, struct engine_value *out, struct failure *failure)
{
  uint8_t *bytes = malloc (value.size > 0 ? value.size : 1);
  if (bytes == NULL)
    return fail_memory (failure, value.size, "a value");
  if (value.size > 0)
    memcpy (bytes, value.data, value.size);
  out->data = BYTES (bytes, value.size);
  out->holder = bytes;
  out->holder_kind = HOLDER_HEAP;
  return STATUS_OK;
}

static status
read_blob (struct engine_feed *feed, struct engine_value *out, struct failure *failure)
{
  struct engine *engine = feed->engine;
  struct failure cause = FAILURE_INIT;
  struct view *view;
  char key[256];
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  if (engine->follow != NULL)
    view = engine_view (engine); /* its memtables hold files open that may be gone by now */
  else
    result = engine_view_of_files (engine, &view, failure);
  if (result == STATUS_OK)
    {
      result = blob_value (engine, view, feed->present.value, out, &cause);
      view_unref (view);
      if (result == STATUS_CORRUPT) /* the file was collected, most likely */
        result = fail (failure, STATUS_HISTORY_GONE,
                       "the value of %s in commit %llu is no longer kept (%.200s)",
                       engine_printable (feed->present.key, key),
                       (unsigned long long) feed->sequence, cause.message);
      else if (result != STATUS_OK)
        fail (failure, result, "%s", cause.message);
    }
  engine_end (engine);
  return result;
}

status
engine_feed_value (struct engine_feed *feed, struct engine_value *out, struct failure *failure)
{
  *out = (struct engine_value){ .holder_kind = HOLDER_NONE };
  status result = engine_enter (feed->engine, failure);
  if (result != STATUS_OK)
    return result;
  bool is_put = feed->present.kind == OPERATION_PUT, is_blob = feed->present.kind == OPERATION_BLOB;
  if (!feed->has_present || (!is_put && !is_blob))
    return fail (failure, STATUS_INVALID,
                 "only a change that is a put has a value; ask behind engine_feed_next_change");
  out->sequence = feed->sequence;
  return is_put ? copy_value (feed->present.value, out, failure) : read_blob (feed, out, failure);
}

/* ---- beginning and end ---- */

static status
check_start (struct engine *engine, uint64_t since, struct failure *failure)
{
  uint64_t newest = engine_sequence (engine), oldest = engine_history_oldest (engine);
  if (since > newest)
    return fail (failure, STATUS_HISTORY_GONE,
                 "%s has no commit %llu yet, its newest is %llu: it was restored, or lost its last "
                 "commits in a crash; read the data anew and go on from the newest commit",
                 engine->path, (unsigned long long) since, (unsigned long long) newest);
  if (since < oldest)
    return fail (failure, STATUS_HISTORY_GONE,
                 "%s keeps changes from behind commit %llu on, not from %llu; read the data anew "
                 "and go on from the newest commit, or raise change-retention",
                 engine->path, (unsigned long long) oldest, (unsigned long long) since);
  return STATUS_OK;
}

static void
enlist (struct engine *engine, struct engine_feed *feed)
{
  pthread_mutex_lock (&engine->feed_lock);
  feed->next = engine->feeds;
  engine->feeds = feed;
  pthread_mutex_unlock (&engine->feed_lock);
}

/* Where there is no log: commits are kept in memory from now on, if they are not already. */
static status
open_recent (struct engine *engine, uint64_t *since, struct recent_reader **out,
             struct failure *failure)
{
  status result = STATUS_OK;
  pthread_mutex_lock (&engine->commit_lock);
  uint64_t newest = engine->last_sequence;
  bool first = engine->recent == NULL;
  if (first)
    result = recent_new (&engine->ledger, newest + 1, memory_recent_bytes (engine), &engine->recent,
                         failure);
  if (result == STATUS_OK && *since == ENGINE_FEED_NOW)
    *since = newest;
  if (result == STATUS_OK)
    result = recent_reader_new (engine->recent, *since, out, failure);
  if (result == STATUS_OK)
    engine->recent_readers++;
  pthread_mutex_unlock (&engine->commit_lock);
  return result;
}

static void
close_recent (struct engine *engine, struct recent_reader *reader)
{
  struct recent *last = NULL;
  recent_reader_free (reader);
  pthread_mutex_lock (&engine->commit_lock);
  if (--engine->recent_readers == 0)
    {
      last = engine->recent;
      engine->recent = NULL;
    }
  pthread_mutex_unlock (&engine->commit_lock);
  recent_free (last);
}

static status
open_source (struct engine_feed *feed, uint64_t *since, struct failure *failure)
{
  struct engine *engine = feed->engine;
  if (engine->wal == NULL && engine->follow == NULL)
    return open_recent (engine, since, &feed->recent, failure);
  if (*since == ENGINE_FEED_NOW)
    *since = engine_sequence (engine);
  if (engine->follow != NULL)
    return follow_reader_new (engine, *since, &feed->reader, failure);
  return wal_reader_new (engine->wal, *since, &feed->reader, failure);
}

static void
close_source (struct engine_feed *feed)
{
  if (feed->recent != NULL)
    close_recent (feed->engine, feed->recent);
  wal_reader_free (feed->reader);
}

static status
feed_open (struct engine *engine, uint64_t since, struct engine_feed **out, struct failure *failure)
{
  bool now = since == ENGINE_FEED_NOW;
  struct engine_feed *feed = calloc (1, sizeof *feed);
  if (feed == NULL)
    return fail_memory (failure, sizeof *feed, "a change feed");
  feed->engine = engine;
  status result = open_source (feed, &since, failure);
  if (result == STATUS_OK && !now)
    result = check_start (engine, since, failure); /* what is there now stays: it is known of us */
  if (result != STATUS_OK)
    {
      close_source (feed);
      free (feed);
      return result;
    }
  engine_ref (engine);
  feed->position = feed->sequence = since;
  enlist (engine, feed);
  *out = feed;
  return STATUS_OK;
}

status
engine_feed_new (struct engine *engine, uint64_t since, struct engine_feed **out,
                 struct failure *failure)
{
  status result = engine_begin (engine, failure);
  if (result != STATUS_OK)
    return result;
  result = feed_open (engine, since, out, failure);
  engine_end (engine);
  return result;
}

uint64_t
engine_feed_position (const struct engine_feed *feed)
{
  return feed->position;
}

void
engine_feed_free (struct engine_feed *feed)
{
  if (feed == NULL)
    return;
  struct engine *engine = feed->engine;
  if (engine_enter_slow (engine, NULL) == STATUS_FORKED)
    return; /* its locks and descriptors are the parent's */
  pthread_mutex_lock (&engine->feed_lock);
  struct engine_feed **link = &engine->feeds;
  while (*link != feed)
    link = &(*link)->next;
  *link = feed->next;
  wal_reader_free (feed->reader); /* under the lock: the log is not closed meanwhile */
  pthread_mutex_unlock (&engine->feed_lock);
  if (feed->recent != NULL)
    close_recent (engine, feed->recent);
  free (feed->end);
  free (feed);
  engine_unref (engine);
}

void
feed_detach_all (struct engine *engine)
{
  pthread_mutex_lock (&engine->feed_lock);
  for (struct engine_feed *feed = engine->feeds; feed != NULL; feed = feed->next)
    if (feed->reader != NULL)
      wal_reader_leave (feed->reader);
  pthread_mutex_unlock (&engine->feed_lock);
}

uint64_t
engine_history_oldest (struct engine *engine)
{
  uint64_t oldest = engine_sequence (engine);
  if (engine_begin (engine, NULL) != STATUS_OK)
    return oldest;
  if (engine->wal != NULL)
    oldest = wal_oldest (engine->wal) - 1;
  else if (engine->follow != NULL)
    oldest = follow_history_oldest (engine);
  else
    {
      pthread_mutex_lock (&engine->commit_lock);
      if (engine->recent != NULL)
        oldest = recent_oldest (engine->recent) - 1;
      pthread_mutex_unlock (&engine->commit_lock);
    }
  engine_end (engine);
  return oldest;
}

/* ---- listeners ---- */

static bool
is_due (struct engine *engine, const struct listener *listener)
{
  return listener->call != NULL
         && (atomic_load_explicit (&engine->published, memory_order_relaxed) > listener->after
             || atomic_load (&engine->state) != ENGINE_STATE_OPEN);
}

/* commit_lock held. */
static void
find_awaited (struct engine *engine)
{
  engine->awaited = UINT64_MAX;
  for (unsigned i = 0; i < LISTENERS; i++)
    if (engine->listeners[i].call != NULL && engine->listeners[i].after < engine->awaited)
      engine->awaited = engine->listeners[i].after;
}

/* commit_lock held. */
static void
take_wakes (struct engine *engine, bool all, struct wakes *out)
{
  out->count = 0;
  for (unsigned i = 0; i < LISTENERS; i++)
    {
      struct listener *listener = &engine->listeners[i];
      if (all ? listener->call == NULL : !is_due (engine, listener))
        continue;
      out->taken[out->count] = listener;
      out->calls[out->count] = listener->call;
      out->data[out->count++] = listener->data;
      listener->call = NULL;
      listener->running++;
    }
  find_awaited (engine);
}

void
feed_take_wakes_slow (struct engine *engine, struct wakes *out)
{
  take_wakes (engine, false, out);
}

void
feed_call_slow (struct engine *engine, const struct wakes *wakes)
{
  for (unsigned i = 0; i < wakes->count; i++)
    wakes->calls[i](wakes->data[i]);
  pthread_mutex_lock (&engine->commit_lock);
  for (unsigned i = 0; i < wakes->count; i++)
    wakes->taken[i]->running--;
  pthread_mutex_unlock (&engine->commit_lock);
}

/* D4. commit_lock held, dropped to wait. */
static void
await_calls (struct engine *engine, const struct listener *listener)
{
  const struct timespec moment = { 0, 50000 };
  while (listener->running > 0)
    {
      pthread_mutex_unlock (&engine->commit_lock);
      nanosleep (&moment, NULL);
      pthread_mutex_lock (&engine->commit_lock);
    }
}

void
feed_await (struct engine *engine, enum listener_kind kind, uint64_t sequence,
            void (*call) (void *data), void *data)
{
  struct wakes wakes;
  struct listener *listener = &engine->listeners[kind];
  pthread_mutex_lock (&engine->commit_lock);
  listener->call = call;
  listener->data = data;
  listener->after = sequence;
  feed_take_wakes_slow (engine, &wakes); /* D3 */
  if (call == NULL)
    await_calls (engine, listener);
  pthread_mutex_unlock (&engine->commit_lock);
  feed_call (engine, &wakes);
}

void
engine_await_commit (struct engine *engine, uint64_t sequence, void (*wake) (void *data),
                     void *data)
{
  if (engine_enter_slow (engine, NULL) != STATUS_FORKED)
    feed_await (engine, LISTENER_CALLER, sequence, wake, data);
}

void
feed_wake (struct engine *engine)
{
  struct wakes wakes;
  pthread_mutex_lock (&engine->commit_lock);
  take_wakes (engine, true, &wakes);
  pthread_mutex_unlock (&engine->commit_lock);
  feed_call (engine, &wakes);
}

void
feed_close (struct engine *engine)
{
  struct wakes wakes;
  pthread_mutex_lock (&engine->commit_lock);
  feed_take_wakes_slow (engine, &wakes);
  pthread_mutex_unlock (&engine->commit_lock);
  feed_call (engine, &wakes);
}
