/* SPDX-License-Identifier: MIT */
#include "core/engine-private.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFTEN_KEPT 192u
#define RARE_KEPT 64u
_Static_assert(OFTEN_KEPT + RARE_KEPT == ENGINE_EVENTS_KEPT, "as callers are told");

#define SIZE_WITHOUT_MESSAGE offsetof (struct engine_event, message)

static status
ring_init (struct event_ring *ring, size_t place_size, uint64_t capacity, struct failure *failure)
{
  ring->place_size = place_size;
  ring->capacity = capacity;
  ring->places = malloc (place_size * capacity);
  return ring->places != NULL ? STATUS_OK
                              : fail_memory (failure, place_size * capacity, "the newest events");
}

status
events_init (struct events *events, struct failure *failure)
{
  pthread_mutex_init (&events->lock, NULL);
  size_t short_size = (SIZE_WITHOUT_MESSAGE + 7) & ~(size_t) 7;
  status result = ring_init (&events->often, short_size, OFTEN_KEPT, failure);
  if (result == STATUS_OK)
    result = ring_init (&events->rare, sizeof (struct engine_event), RARE_KEPT, failure);
  return result;
}

void
events_clear (struct events *events)
{
  pthread_mutex_destroy (&events->lock);
  free (events->often.places);
  free (events->rare.places);
}

/* E2 */
static struct event_ring *
ring_of (struct events *events, enum engine_event_kind kind)
{
  bool often = kind == ENGINE_EVENT_FLUSHED || kind == ENGINE_EVENT_MERGED
               || kind == ENGINE_EVENT_STALLED || kind == ENGINE_EVENT_CONFLICT;
  return often ? &events->often : &events->rare;
}

/* The event with that number within the ring, from 0. */
static struct engine_event *
ring_place (const struct event_ring *ring, uint64_t number)
{
  return (struct engine_event *) (void *) (ring->places
                                           + number % ring->capacity * ring->place_size);
}

static uint64_t
ring_oldest (const struct event_ring *ring)
{
  return ring->count > ring->capacity ? ring->count - ring->capacity : 0;
}

static inline bool
is_digit (char character)
{
  return character >= '0' && character <= '9';
}

/* Whether two messages say the same but for their numbers: each attempt to write is at another file. */
static bool
differ_in_numbers_only (const char *one, const char *other)
{
  while (*one != '\0' && *other != '\0')
    if (is_digit (*one) && is_digit (*other))
      {
        while (is_digit (*one))
          one++;
        while (is_digit (*other))
          other++;
      }
    else if (*one++ != *other++)
      return false;
  return *one == *other;
}

static bool
is_same (const struct event_ring *ring, const struct engine_event *one,
         const struct engine_event *other)
{
  if (one->kind != other->kind || one->code != other->code || one->store != other->store
      || one->key_size != other->key_size || memcmp (one->key, other->key, sizeof one->key) != 0)
    return false;
  if (ring->place_size < sizeof *one)
    return true;
  return one->kind == ENGINE_EVENT_FAILED ? differ_in_numbers_only (one->message, other->message)
                                          : strcmp (one->message, other->message) == 0;
}

/* E3: the event that says the same, or NULL. */
static struct engine_event *
find_repeated (const struct event_ring *ring, const struct engine_event *event)
{
  if (ring->count == 0
      || (event->kind != ENGINE_EVENT_CONFLICT && event->kind != ENGINE_EVENT_FAILED
          && event->kind != ENGINE_EVENT_CORRUPT))
    return NULL;
  uint64_t oldest = event->kind == ENGINE_EVENT_FAILED ? ring_oldest (ring) : ring->count - 1;
  for (uint64_t at = ring->count; at > oldest; at--)
    {
      struct engine_event *kept = ring_place (ring, at - 1);
      if (kept->kind == ENGINE_EVENT_HEALED)
        return NULL;
      if (is_same (ring, kept, event))
        return kept;
    }
  return NULL;
}

static void
fill_in_corruption (struct engine_event *event)
{
  struct failure unknown = FAILURE_INIT;
  event->code = fail (&unknown, STATUS_CORRUPT,
                      "a page that was read does not verify; check the database to see which");
  memcpy (event->message, unknown.message, sizeof event->message);
}

static void
fill_in (struct engine_event *event, const struct event_note *note)
{
  *event = (struct engine_event){
    .kind = note->kind,
    .time = engine_wall (),
    .times = 1,
    .bytes = note->bytes,
    .bytes_read = note->bytes_read,
    .microseconds = note->microseconds,
    .code = note->failure != NULL ? note->failure->code : STATUS_OK,
  };
  event->last = event->time;
  if (note->failure != NULL)
    memcpy (event->message, note->failure->message, sizeof event->message);
  else if (note->kind == ENGINE_EVENT_CORRUPT) /* its caller did not want to know */
    fill_in_corruption (event);
  if (note->internal_key.size < STORE_ID_SIZE)
    return;
  struct bytes key
      = BYTES (note->internal_key.data + STORE_ID_SIZE, note->internal_key.size - STORE_ID_SIZE);
  event->store = internal_key_store_of (note->internal_key);
  event->key_size = key.size;
  memcpy (event->key, key.data, key.size < sizeof event->key ? key.size : sizeof event->key);
}

/* What is asked for apart from the rings. */
static void
note_state (struct events *events, const struct engine_event *event)
{
  if (event->kind != ENGINE_EVENT_CORRUPT)
    return;
  events->corruptions++;
  events->corruption.code = event->code;
  memcpy (events->corruption.message, event->message, sizeof event->message);
}

void
events_note (struct events *events, struct metrics *metrics, const struct event_note *note)
{
  struct engine_event event;
  fill_in (&event, note);
  struct event_ring *ring = ring_of (events, event.kind);
  pthread_mutex_lock (&events->lock);
  count_locked (metrics, SHARED_EVENTS, 1);
  note_state (events, &event);
  struct engine_event *repeated = find_repeated (ring, &event);
  if (repeated != NULL)
    {
      repeated->times++;
      repeated->last = event.time;
      if (event.kind == ENGINE_EVENT_FAILED)
        memcpy (repeated->message, event.message, sizeof event.message);
    }
  else
    {
      event.number = ++events->count; /* E1 */
      memcpy (ring_place (ring, ring->count++), &event,
              ring->place_size < sizeof event ? SIZE_WITHOUT_MESSAGE : sizeof event);
      if (events->wake != NULL)
        events->wake (events->wake_data, event.kind, event.number);
    }
  pthread_mutex_unlock (&events->lock);
}

void
events_note_following (struct engine *engine, const struct failure *cause)
{
  struct event_note note = {
    .kind = cause != NULL ? ENGINE_EVENT_FAILED : ENGINE_EVENT_HEALED,
    .failure = cause,
  };
  pthread_mutex_lock (&engine->events.lock);
  engine->events.following = cause != NULL ? *cause : FAILURE_INIT;
  pthread_mutex_unlock (&engine->events.lock);
  engine_note (engine, &note);
}

/* ---- for callers ---- */

/* The first of the ring's events with a number above `after`, by its number in the ring. */
static uint64_t
ring_find (const struct event_ring *ring, uint64_t after)
{
  uint64_t at = ring_oldest (ring);
  while (at < ring->count && ring_place (ring, at)->number <= after)
    at++;
  return at;
}

static void
give (const struct event_ring *ring, uint64_t at, struct engine_event *out)
{
  if (ring->place_size < sizeof *out)
    {
      memcpy (out, ring_place (ring, at), SIZE_WITHOUT_MESSAGE);
      out->message[0] = '\0';
    }
  else
    *out = *ring_place (ring, at);
}

/* How many with a number above `after` are in neither ring. */
static uint64_t
count_lost (const struct events *events, uint64_t after, uint64_t often, uint64_t rare)
{
  if (after >= events->count)
    return 0;
  return events->count - after - (events->often.count - often) - (events->rare.count - rare);
}

size_t
engine_events (struct engine *engine, uint64_t after, struct engine_event *out, size_t room,
               uint64_t *lost)
{
  struct events *events = &engine->events;
  const struct event_ring *often = &events->often, *rare = &events->rare;
  size_t given = 0;
  pthread_mutex_lock (&events->lock);
  uint64_t o = ring_find (often, after), r = ring_find (rare, after);
  if (lost != NULL)
    *lost = count_lost (events, after, o, r);
  for (; given < room && (o < often->count || r < rare->count); given++)
    if (r == rare->count
        || (o < often->count && ring_place (often, o)->number < ring_place (rare, r)->number))
      give (often, o++, &out[given]);
    else
      give (rare, r++, &out[given]);
  pthread_mutex_unlock (&events->lock);
  return given;
}

uint64_t
engine_newest_event (struct engine *engine)
{
  pthread_mutex_lock (&engine->events.lock);
  uint64_t newest = engine->events.count;
  pthread_mutex_unlock (&engine->events.lock);
  return newest;
}

void
engine_watch_events (struct engine *engine, engine_event_wake *wake, void *data)
{
  pthread_mutex_lock (&engine->events.lock);
  engine->events.wake = wake;
  engine->events.wake_data = data;
  pthread_mutex_unlock (&engine->events.lock);
}

void
engine_note_health (struct engine *engine, const char *message)
{
  struct failure change = FAILURE_INIT;
  snprintf (change.message, sizeof change.message, "%s", message);
  engine_note (engine, &(struct event_note){ .kind = ENGINE_EVENT_HEALTH, .failure = &change });
}

status
engine_disk_space (struct engine *engine, uint64_t *total, uint64_t *available,
                   struct failure *failure)
{
  status result = engine_enter_slow (engine, failure);
  return result == STATUS_OK ? vfs_space (engine->directory, total, available, failure) : result;
}

void
engine_condition (struct engine *engine, struct engine_condition *out)
{
  *out = (struct engine_condition){ .writing = FAILURE_INIT };
  pthread_mutex_lock (&engine->commit_lock);
  if (atomic_load (&engine->write_failed))
    out->writing = engine->write_failure;
  if (atomic_load (&engine->flush_failure) != STATUS_OK)
    out->flushing = engine->flush_failed;
  pthread_mutex_unlock (&engine->commit_lock);
  pthread_mutex_lock (&engine->work_lock);
  out->merging_rests = engine->merge_paused;
  pthread_mutex_unlock (&engine->work_lock);
  pthread_mutex_lock (&engine->events.lock);
  out->corruptions = engine->events.corruptions;
  out->corruption = engine->events.corruption;
  out->following = engine->events.following;
  pthread_mutex_unlock (&engine->events.lock);
}

const char *
engine_foreign_file_system (struct engine *engine, bool *network)
{
  struct failure failure;
  const char *name = NULL;
  *network = engine_enter_slow (engine, &failure) == STATUS_OK
             && vfs_reach (engine->directory, &name) == VFS_REACH_NETWORK;
  return name;
}
