/* SPDX-License-Identifier: MIT */
/*
 *   asleep ──hello, and a reader is there──▶ telling ──no reader is left──▶ asleep
 *
 * Whether a reader is there is asked of the lock, each time anew: nothing that a dead one left
 * behind counts. `live` says whether we look; it is cleared before the last look, so a reader that
 * comes meanwhile is seen by us, or sees that it has to wake us.
 */
#include "core/sharing.h"

#include "base/coding.h"
#include "base/hash.h"
#include "base/random.h"
#include "core/feed.h"

#include <stdlib.h>
#include <time.h>

#define STATE_MAGIC "LDB-SHR\n"
#define STATE_VERSION 1u
#define STATE_SIZE 64u
#define STATE_LIVE 1u /* in the flags */
#define STATE_ATTEMPTS 5
#define LOST_MICROSECONDS UINT64_C (1000000) /* until a page that was lost is written anew */

struct sharing
{
  struct engine *engine;    /* whose */
  struct shared_page *page; /* owned */
  struct shared_state told; /* last; the thread's, then of who stops it */
  pthread_t thread;
  _Atomic bool ended;     /* the thread is at its end */
  _Atomic uint64_t files; /* changes of the manifest so far */
  pthread_mutex_t mutex;
  pthread_cond_t news; /* with the mutex: what follows changed */
  bool stop;           /* the thread ends */
  bool due;            /* a commit beyond what was told is visible, or the manifest changed */
};

/* ---- the page ---- */

static uint64_t
state_checksum (const uint8_t bytes[STATE_SIZE])
{
  return checksum (checksum_seed (bytes + 16, 0), 0, BYTES (bytes, STATE_SIZE - 8));
}

bool
shared_state_write (struct shared_page *page, const struct shared_state *state)
{
  uint8_t bytes[STATE_SIZE];
  memcpy (bytes, STATE_MAGIC, 8);
  store_u32 (bytes + 8, STATE_VERSION);
  store_u32 (bytes + 12, state->live ? STATE_LIVE : 0);
  memcpy (bytes + 16, state->database_id, 16);
  store_u64 (bytes + 32, state->life);
  store_u64 (bytes + 40, state->published);
  store_u64 (bytes + 48, state->files);
  store_u64 (bytes + 56, state_checksum (bytes));
  return shared_page_write (page, 0, bytes, sizeof bytes);
}

static bool
state_decode (const uint8_t bytes[STATE_SIZE], struct shared_state *out)
{
  memcpy (out->database_id, bytes + 16, 16);
  out->live = (load_u32 (bytes + 12) & STATE_LIVE) != 0;
  out->life = load_u64 (bytes + 32);
  out->published = load_u64 (bytes + 40);
  out->files = load_u64 (bytes + 48);
  return memcmp (bytes, STATE_MAGIC, 8) == 0 && load_u32 (bytes + 8) == STATE_VERSION
         && load_u64 (bytes + 56) == state_checksum (bytes) && out->published <= SEQUENCE_MAX;
}

bool
shared_state_read (struct shared_page *page, struct shared_state *out)
{
  uint8_t bytes[STATE_SIZE];
  for (int attempt = 0; attempt < STATE_ATTEMPTS; attempt++) /* it may be written at this moment */
    if (shared_page_read (page, 0, bytes, sizeof bytes) && state_decode (bytes, out))
      return true;
  return false;
}

uint32_t
shared_word_read (struct shared_page *page, size_t offset)
{
  uint32_t word = 0;
  shared_page_read (page, offset, &word, sizeof word);
  return word;
}

static void
word_raise (struct shared_page *page, size_t offset)
{
  uint32_t word = shared_word_read (page, offset) + 1;
  shared_page_write (page, offset, &word, sizeof word);
  shared_page_wake (page, offset);
}

/* ---- telling ---- */

/* H3. The number is read before the sequence: what it stands for may only be older than that. */
static void
tell (struct sharing *sharing, bool live)
{
  struct engine *engine = sharing->engine;
  sharing->told.files = atomic_load (&sharing->files);
  sharing->told.published = atomic_load_explicit (&engine->published, memory_order_acquire);
  sharing->told.live = live;
  shared_state_write (sharing->page, &sharing->told);
  word_raise (sharing->page, SHARED_CHANGE);
}

static bool
is_somebody_there (struct sharing *sharing)
{
  return shared_page_is_locked (sharing->page, SHARED_PRESENCE, false);
}

/* On whichever thread publishes. */
static void
note_news (void *data)
{
  struct sharing *sharing = data;
  pthread_mutex_lock (&sharing->mutex);
  sharing->due = true;
  pthread_cond_signal (&sharing->news);
  pthread_mutex_unlock (&sharing->mutex);
}

static void
forget_news (struct sharing *sharing)
{
  pthread_mutex_lock (&sharing->mutex);
  sharing->due = false;
  pthread_mutex_unlock (&sharing->mutex);
}

static bool
is_stopped (struct sharing *sharing)
{
  pthread_mutex_lock (&sharing->mutex);
  bool stop = sharing->stop;
  pthread_mutex_unlock (&sharing->mutex);
  return stop;
}

static void
rest_until (struct sharing *sharing, uint64_t due)
{
  struct timespec at = { (time_t) (due / 1000000), (long) (due % 1000000) * 1000 };
  pthread_mutex_lock (&sharing->mutex);
  while (!sharing->stop && engine_now () < due)
    pthread_cond_timedwait (&sharing->news, &sharing->mutex, &at);
  pthread_mutex_unlock (&sharing->mutex);
}

/* Until there is something that was not told, and the frame is over. */
static void
await_news (struct sharing *sharing, uint64_t told_at)
{
  feed_await (sharing->engine, LISTENER_SHARING, sharing->told.published, note_news, sharing);
  pthread_mutex_lock (&sharing->mutex);
  while (!sharing->stop && !sharing->due)
    pthread_cond_wait (&sharing->news, &sharing->mutex);
  pthread_mutex_unlock (&sharing->mutex);
  rest_until (sharing, told_at + SHARED_FRAME);
}

/* Whether somebody is there after all; else until one says hello. */
static void
sleep_until_hello (struct sharing *sharing)
{
  feed_await (sharing->engine, LISTENER_SHARING, 0, NULL, NULL);
  sharing->told.live = false;
  shared_state_write (sharing->page, &sharing->told);
  uint32_t hello = shared_word_read (sharing->page, SHARED_HELLO);
  if (is_somebody_there (sharing) || is_stopped (sharing))
    return;
  if (shared_page_wait_endable (sharing->page, SHARED_HELLO, hello, 0) == SHARED_PAGE_LOST)
    rest_until (sharing, engine_now () + LOST_MICROSECONDS); /* somebody cut the file */
  else if (!is_somebody_there (sharing))
    rest_until (sharing,
                engine_now () + SHARED_FRAME); /* a hello of nobody must not keep us busy */
}

static void *
sharing_main (void *data)
{
  struct sharing *sharing = data;
  pthread_setname_np (pthread_self (), "ldb-share");
  pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
  while (!is_stopped (sharing))
    if (is_somebody_there (sharing))
      {
        uint64_t now = engine_now ();
        forget_news (sharing); /* what is noted so far is about to be told */
        tell (sharing, true);
        await_news (sharing, now);
      }
    else
      sleep_until_hello (sharing);
  atomic_store (&sharing->ended, true);
  return NULL;
}

/* ---- beginning and end ---- */

static void
sharing_free (struct sharing *sharing)
{
  shared_page_close (sharing->page); /* and with it the life's lock */
  pthread_mutex_destroy (&sharing->mutex);
  pthread_cond_destroy (&sharing->news);
  free (sharing);
}

static status
begin_life (struct sharing *sharing, struct failure *failure)
{
  struct shared_state before;
  status result = random_bytes (&sharing->told.life, sizeof sharing->told.life, failure);
  if (result != STATUS_OK)
    return result;
  sharing->told.life |= 1; /* 0 is none */
  if (shared_state_read (sharing->page, &before))
    atomic_store (&sharing->files, before.files + 1);
  memcpy (sharing->told.database_id, sharing->engine->database_id, 16);
  if (!shared_page_lock (sharing->page, shared_alive (sharing->told.life), true)) /* H4 */
    return fail (failure, STATUS_UNSUPPORTED, "%s has no locks that other processes see",
                 sharing->engine->path);
  tell (sharing, false);
  return STATUS_OK;
}

status
sharing_start (struct engine *engine, struct failure *failure)
{
  struct sharing *sharing = calloc (1, sizeof *sharing);
  if (sharing == NULL)
    return fail_memory (failure, sizeof *sharing, "telling other processes of changes");
  sharing->engine = engine;
  engine_init_condition (&sharing->news);
  pthread_mutex_init (&sharing->mutex, NULL);
  status result
      = shared_page_open (engine->directory, SHARED_PAGE_NAME, true, &sharing->page, failure);
  if (result == STATUS_OK)
    result = begin_life (sharing, failure);
  if (result == STATUS_OK)
    result = engine_start_thread (&sharing->thread, sharing_main, sharing, failure);
  if (result != STATUS_OK)
    {
      sharing_free (sharing);
      return result;
    }
  engine->sharing = sharing;
  return STATUS_OK;
}

/* Also when it waits for a hello. */
static void
end_thread (struct sharing *sharing)
{
  pthread_mutex_lock (&sharing->mutex);
  sharing->stop = true;
  pthread_cond_signal (&sharing->news);
  pthread_mutex_unlock (&sharing->mutex);
  shared_page_end_waiter (sharing->page, SHARED_HELLO, sharing->thread, &sharing->ended);
}

void
sharing_stop (struct engine *engine)
{
  struct sharing *sharing = engine->sharing;
  if (sharing == NULL)
    return;
  end_thread (sharing);
  feed_await (engine, LISTENER_SHARING, 0, NULL, NULL);
  atomic_fetch_add (&sharing->files, 1);
  tell (sharing, false);
  engine->sharing = NULL;
  sharing_free (sharing);
}

void
sharing_files_changed (struct engine *engine)
{
  struct sharing *sharing = engine->sharing;
  if (sharing == NULL)
    return;
  atomic_fetch_add (&sharing->files, 1);
  note_news (sharing);
}
