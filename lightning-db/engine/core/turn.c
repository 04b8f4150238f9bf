/* SPDX-License-Identifier: MIT */
/*
 * turn: waiting to be the writer, without looking again and again.
 *
 * A thread of its own lies in the kernel until the locks that a writer holds are free: LOCK, and
 * the lock of its life (core/sharing.h), for when LOCK was deleted under it. A lock can't be waited
 * for and a word of another thread heeded at once, so who gives up cancels the thread; nothing is
 * held meanwhile.
 *
 * Threads: one waits, any may cancel.
 */
#include "core/sharing.h"
#include "core/writer-lock.h"

#include <stdlib.h>
#include <time.h>

#define PAUSE_LEAST                                                                                \
  UINT64_C (1000) /* microseconds, when the locks are free and yet another writes */
#define PAUSE_MOST UINT64_C (1000000)

struct engine_turn
{
  struct vfs_directory *directory; /* owned */
  struct shared_page *page;        /* of the waiting thread; owned */
  bool vain;                       /* the last wait was none */
  uint64_t pause;                  /* microseconds to pause then */
  pthread_mutex_t mutex;           /* guards the rest */
  pthread_cond_t news;             /* it changed */
  bool free;                       /* the locks were */
  bool cancelled;                  /* for good */
};

status
engine_turn_new (const char *path, const struct vfs *vfs, struct engine_turn **out,
                 struct failure *failure)
{
  struct engine_turn *turn = calloc (1, sizeof *turn);
  if (turn == NULL)
    return fail_memory (failure, sizeof *turn, "waiting to write");
  if (vfs == NULL)
    vfs = vfs_posix ();
  status result = vfs_directory_open (vfs, path, false, &turn->directory, failure);
  if (result != STATUS_OK)
    {
      free (turn);
      return result;
    }
  turn->pause = PAUSE_LEAST;
  pthread_mutex_init (&turn->mutex, NULL);
  engine_init_condition (&turn->news);
  *out = turn;
  return STATUS_OK;
}

void
engine_turn_free (struct engine_turn *turn)
{
  if (turn == NULL)
    return;
  vfs_directory_close (turn->directory);
  pthread_mutex_destroy (&turn->mutex);
  pthread_cond_destroy (&turn->news);
  free (turn);
}

void
engine_turn_cancel (struct engine_turn *turn)
{
  pthread_mutex_lock (&turn->mutex);
  turn->cancelled = true;
  pthread_cond_signal (&turn->news);
  pthread_mutex_unlock (&turn->mutex);
}

/* The only place where the thread may end early: with nothing held, nor anything on the stack. */
static void
await_unlocked (struct engine_turn *turn, uint64_t position)
{
  pthread_setcancelstate (PTHREAD_CANCEL_ENABLE, NULL);
  shared_page_await_unlocked (turn->page, position);
  pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
}

static void
open_page (struct engine_turn *turn, const char *name)
{
  shared_page_close (turn->page);
  turn->page = NULL;
  shared_page_open (turn->directory, name, false, &turn->page, NULL);
}

/* Of the writer that told last; 0 = none. Not inlined: what it has on the stack is gone when the
 * thread is cancelled. */
static __attribute__ ((noinline)) uint64_t
find_life (struct engine_turn *turn)
{
  struct shared_state state;
  return turn->page != NULL && shared_state_read (turn->page, &state) ? state.life : 0;
}

static void *
turn_main (void *data)
{
  struct engine_turn *turn = data;
  pthread_setname_np (pthread_self (), "ldb-turn");
  pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
  open_page (turn, WRITER_LOCK_NAME);
  if (turn->page != NULL)
    await_unlocked (turn, 0);
  open_page (turn, SHARED_PAGE_NAME);
  uint64_t life = find_life (turn);
  if (life != 0)
    await_unlocked (turn, shared_alive (life));
  pthread_mutex_lock (&turn->mutex);
  turn->free = true;
  pthread_cond_signal (&turn->news);
  pthread_mutex_unlock (&turn->mutex);
  return NULL;
}

/* When the last wait was none, since files were deleted under the writer. mutex held. */
static void
pause_if_vain (struct engine_turn *turn)
{
  uint64_t due = engine_now () + turn->pause;
  if (!turn->vain)
    {
      turn->pause = PAUSE_LEAST;
      return;
    }
  struct timespec at = { (time_t) (due / 1000000), (long) (due % 1000000) * 1000 };
  while (!turn->cancelled && engine_now () < due)
    pthread_cond_timedwait (&turn->news, &turn->mutex, &at);
  turn->pause = turn->pause < PAUSE_MOST / 2 ? 2 * turn->pause : PAUSE_MOST;
}

status
engine_turn_wait (struct engine_turn *turn, struct failure *failure)
{
  pthread_t thread;
  pthread_mutex_lock (&turn->mutex);
  pause_if_vain (turn);
  bool cancelled = turn->cancelled;
  turn->free = false;
  pthread_mutex_unlock (&turn->mutex);
  uint64_t began = engine_now ();
  status result = STATUS_OK;
  if (!cancelled)
    result = engine_start_thread (&thread, turn_main, turn, failure);
  if (!cancelled && result == STATUS_OK)
    {
      pthread_mutex_lock (&turn->mutex);
      while (!turn->free && !turn->cancelled)
        pthread_cond_wait (&turn->news, &turn->mutex);
      cancelled = turn->cancelled;
      pthread_mutex_unlock (&turn->mutex);
      pthread_cancel (thread);
      pthread_join (thread, NULL);
      shared_page_close (turn->page);
      turn->page = NULL;
    }
  turn->vain = engine_now () - began < PAUSE_LEAST;
  if (!cancelled)
    return result;
  return fail (failure, STATUS_CANCELLED, "waiting to write to %s was given up",
               turn->directory->path);
}
