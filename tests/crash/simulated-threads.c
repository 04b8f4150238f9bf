/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   T1  One thread runs: `running`. Everything here is touched by it alone; handing the baton over
 *       is a semaphore, which orders memory.
 *   T2  A thread that waits says for what in its own struct; whether it may run is computed from
 *       there, nobody is woken in vain.
 *   T3  Threads are kept when their body ends and take the next body: starting one costs no system
 *       call but the hand-over.
 */
#include "simulated-threads.h"

#include "simulated-memory.h"

#include "base/random.h"
#include "base/wait-word.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MOST 64
#define START_OF_TIME UINT64_C (1700000000000000)
#define NEVER UINT64_MAX

enum thread_state
{
  THREAD_FREE,      /* waits for a body, nobody's */
  THREAD_READY,     /* runs or could */
  THREAD_LOCK,      /* waits for a mutex */
  THREAD_CONDITION, /* waits for a signal, or its deadline */
  THREAD_WORD,      /* waits for a word to change */
  THREAD_SLEEP,     /* waits for its deadline */
  THREAD_JOIN,      /* waits for another's end */
  THREAD_IDLE,      /* waits until all others wait */
  THREAD_ENDED,     /* its body returned; not joined yet */
};

struct thread
{
  enum thread_state state;
  sem_t baton;            /* posted to make it run */
  const void *on;         /* mutex, condition, word or thread it waits for */
  struct lock *lock;      /* what it takes again after a condition */
  uint64_t deadline;      /* microseconds; NEVER */
  uint64_t ticket;        /* when it began to wait: signals and wakes go to the first */
  bool timed_out;         /* a condition's wait ended by its deadline */
  void *(*body) (void *); /* what it runs */
  void *data, *result;    /* of the body */
};

/* Laid over a pthread_mutex_t; all zeros is free, as PTHREAD_MUTEX_INITIALIZER is. */
struct lock
{
  struct thread *owner;
};
_Static_assert(sizeof (struct lock) <= sizeof (pthread_mutex_t), "fits");

static struct thread *threads[THREADS_MOST]; /* the first is the test's own */
static unsigned thread_count;
static struct thread *running; /* NULL: not simulated */
static uint64_t now, tickets, changes;
static struct random choices, bytes_source;
static unsigned one_in;

int __real_pthread_create (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);
int __real_pthread_join (pthread_t, void **);
int __real_pthread_mutex_lock (pthread_mutex_t *);
int __real_pthread_mutex_trylock (pthread_mutex_t *);
int __real_pthread_mutex_unlock (pthread_mutex_t *);
int __real_pthread_mutex_init (pthread_mutex_t *, const pthread_mutexattr_t *);
int __real_pthread_cond_wait (pthread_cond_t *, pthread_mutex_t *);
int __real_pthread_cond_timedwait (pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __real_pthread_cond_signal (pthread_cond_t *);
int __real_pthread_cond_broadcast (pthread_cond_t *);
void __real_wait_word_sleep (wait_word *, uint32_t);
void __real_wait_word_wake (wait_word *, unsigned);
int __real_nanosleep (const struct timespec *, struct timespec *);
int __real_sched_yield (void);
int __real_clock_gettime (clockid_t, struct timespec *);
ssize_t __real_getrandom (void *, size_t, unsigned);
int __real_malloc_trim (size_t);

int __wrap_pthread_create (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);
int __wrap_pthread_join (pthread_t, void **);
int __wrap_pthread_mutex_lock (pthread_mutex_t *);
int __wrap_pthread_mutex_trylock (pthread_mutex_t *);
int __wrap_pthread_mutex_unlock (pthread_mutex_t *);
int __wrap_pthread_mutex_init (pthread_mutex_t *, const pthread_mutexattr_t *);
int __wrap_pthread_cond_wait (pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_timedwait (pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_signal (pthread_cond_t *);
int __wrap_pthread_cond_broadcast (pthread_cond_t *);
void __wrap_wait_word_sleep (wait_word *, uint32_t);
void __wrap_wait_word_wake (wait_word *, unsigned);
int __wrap_nanosleep (const struct timespec *, struct timespec *);
int __wrap_sched_yield (void);
int __wrap_clock_gettime (clockid_t, struct timespec *);
ssize_t __wrap_getrandom (void *, size_t, unsigned);
int __wrap_malloc_trim (size_t);

/* ---- who runs ---- */

static bool
may_run (const struct thread *thread)
{
  switch (thread->state)
    {
    case THREAD_READY:
      return true;
    case THREAD_LOCK:
      return ((const struct lock *) thread->on)->owner == NULL;
    case THREAD_CONDITION:
    case THREAD_SLEEP:
      return thread->deadline <= now;
    case THREAD_JOIN:
      return ((const struct thread *) thread->on)->state == THREAD_ENDED;
    default:
      return false;
    }
}

static void
report_deadlock (void)
{
  static const char *names[]
      = { "free", "ready", "lock", "condition", "word", "sleep", "join", "idle", "ended" };
  fprintf (stderr, "deadlock: every thread waits\n");
  for (unsigned i = 0; i < thread_count; i++)
    fprintf (stderr, "  thread %u: %s %p\n", i, names[threads[i]->state], threads[i]->on);
  abort ();
}

/* The thread that goes on; time passes when nobody else could. */
static struct thread *
choose (void)
{
  for (;;)
    {
      struct thread *able[THREADS_MOST], *idle = NULL;
      unsigned count = 0;
      uint64_t next = NEVER;
      for (unsigned i = 0; i < thread_count; i++)
        {
          struct thread *thread = threads[i];
          if (may_run (thread))
            able[count++] = thread;
          else if (thread->state == THREAD_IDLE)
            idle = thread;
          else if ((thread->state == THREAD_CONDITION || thread->state == THREAD_SLEEP)
                   && thread->deadline < next)
            next = thread->deadline;
        }
      if (count > 0)
        return able[count == 1 ? 0 : random_next (&choices) % count];
      if (idle != NULL)
        return idle;
      if (next == NEVER)
        report_deadlock ();
      now = next;
    }
}

/* Gives the baton to whoever `choose` names and returns once it is back. */
static void
change (void)
{
  struct thread *self = running, *next = choose ();
  if (next != self)
    {
      changes++;
      running = next;
      sem_post (&next->baton);
      while (sem_wait (&self->baton) != 0)
        ;
    }
  self->timed_out = self->state == THREAD_CONDITION;
  self->state = THREAD_READY;
  self->on = NULL;
  self->deadline = NEVER;
}

static void
wait_for (enum thread_state state, const void *on, uint64_t deadline)
{
  running->state = state;
  running->on = on;
  running->deadline = deadline;
  running->ticket = ++tickets;
  change ();
}

void
simulated_threads_meet (void)
{
  if (running != NULL && one_in != 0 && random_next (&choices) % one_in == 0)
    change ();
}

void
simulated_threads_settle (void)
{
  wait_for (THREAD_IDLE, NULL, NEVER);
}

void
simulated_time_pass (uint64_t microseconds)
{
  uint64_t until = now + microseconds;
  do
    wait_for (THREAD_SLEEP, NULL, until);
  while (now < until);
  simulated_threads_settle ();
}

uint64_t
simulated_threads_changes (void)
{
  return changes;
}

void
simulated_threads_begin (uint64_t seed, unsigned meetings)
{
  if (running == NULL)
    {
      struct thread *self = kept_calloc (1, sizeof *self);
      sem_init (&self->baton, 0, 0);
      self->state = THREAD_READY;
      self->deadline = NEVER;
      threads[thread_count++] = running = self;
    }
  now = START_OF_TIME;
  choices = (struct random){ seed * 2 + 1 };
  bytes_source = (struct random){ seed * 2 + 0x9e3779b9 };
  one_in = meetings;
}

/* ---- threads ---- */

static void *
thread_main (void *data)
{
  struct thread *self = data;
  for (;;)
    {
      while (sem_wait (&self->baton) != 0)
        ;
      self->result = self->body (self->data);
      self->state = THREAD_ENDED;
      running = choose ();
      changes++;
      sem_post (&running->baton);
    }
  return NULL;
}

static struct thread *
thread_obtain (void)
{
  for (unsigned i = 1; i < thread_count; i++)
    if (threads[i]->state == THREAD_FREE)
      return threads[i];
  if (thread_count == THREADS_MOST)
    return NULL;
  struct thread *thread = kept_calloc (1, sizeof *thread);
  sem_init (&thread->baton, 0, 0);
  pthread_t handle;
  if (__real_pthread_create (&handle, NULL, thread_main, thread) != 0)
    abort ();
  threads[thread_count++] = thread;
  return thread;
}

int
__wrap_pthread_create (pthread_t *out, const pthread_attr_t *attributes, void *(*body) (void *),
                       void *data)
{
  if (running == NULL)
    return __real_pthread_create (out, attributes, body, data);
  struct thread *thread = thread_obtain ();
  if (thread == NULL)
    return EAGAIN;
  thread->body = body;
  thread->data = data;
  thread->state = THREAD_READY;
  thread->deadline = NEVER;
  *out = (pthread_t) (uintptr_t) thread;
  return 0;
}

int
__wrap_pthread_join (pthread_t handle, void **result)
{
  if (running == NULL)
    return __real_pthread_join (handle, result);
  struct thread *thread = (struct thread *) (uintptr_t) handle;
  if (thread->state != THREAD_ENDED)
    wait_for (THREAD_JOIN, thread, NEVER);
  if (result != NULL)
    *result = thread->result;
  thread->state = THREAD_FREE;
  return 0;
}

/* ---- locks ---- */

static void
lock_take (struct lock *lock)
{
  while (lock->owner != NULL)
    {
      if (lock->owner == running)
        report_deadlock ();
      wait_for (THREAD_LOCK, lock, NEVER);
    }
  lock->owner = running;
}

int
__wrap_pthread_mutex_init (pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
  memset (mutex, 0, sizeof *mutex);
  return running == NULL ? __real_pthread_mutex_init (mutex, attributes) : 0;
}

int
__wrap_pthread_mutex_lock (pthread_mutex_t *mutex)
{
  if (running == NULL)
    return __real_pthread_mutex_lock (mutex);
  simulated_threads_meet ();
  lock_take ((struct lock *) mutex);
  return 0;
}

int
__wrap_pthread_mutex_trylock (pthread_mutex_t *mutex)
{
  if (running == NULL)
    return __real_pthread_mutex_trylock (mutex);
  struct lock *lock = (struct lock *) mutex;
  if (lock->owner != NULL)
    return EBUSY;
  lock->owner = running;
  return 0;
}

int
__wrap_pthread_mutex_unlock (pthread_mutex_t *mutex)
{
  if (running == NULL)
    return __real_pthread_mutex_unlock (mutex);
  struct lock *lock = (struct lock *) mutex;
  if (lock->owner != running)
    {
      fprintf (stderr, "a mutex is unlocked by a thread that does not hold it\n");
      abort ();
    }
  lock->owner = NULL;
  simulated_threads_meet ();
  return 0;
}

/* ---- conditions ---- */

static int
condition_wait (pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline)
{
  struct lock *lock = (struct lock *) mutex;
  running->lock = lock;
  lock->owner = NULL;
  wait_for (THREAD_CONDITION, condition, deadline);
  bool timed_out = running->timed_out;
  lock_take (lock);
  return timed_out ? ETIMEDOUT : 0;
}

int
__wrap_pthread_cond_wait (pthread_cond_t *condition, pthread_mutex_t *mutex)
{
  if (running == NULL)
    return __real_pthread_cond_wait (condition, mutex);
  return condition_wait (condition, mutex, NEVER);
}

int
__wrap_pthread_cond_timedwait (pthread_cond_t *condition, pthread_mutex_t *mutex,
                               const struct timespec *at)
{
  if (running == NULL)
    return __real_pthread_cond_timedwait (condition, mutex, at);
  return condition_wait (condition, mutex,
                         (uint64_t) at->tv_sec * 1000000 + (uint64_t) (at->tv_nsec + 999) / 1000);
}

/* Who has waited longest, or NULL. */
static struct thread *
first_waiting (enum thread_state state, const void *on)
{
  struct thread *first = NULL;
  for (unsigned i = 0; i < thread_count; i++)
    if (threads[i]->state == state && threads[i]->on == on
        && (first == NULL || threads[i]->ticket < first->ticket))
      first = threads[i];
  return first;
}

/* It now waits for its mutex only. */
static bool
wake_first (const pthread_cond_t *condition)
{
  struct thread *first = first_waiting (THREAD_CONDITION, condition);
  if (first == NULL)
    return false;
  first->state = THREAD_LOCK;
  first->on = first->lock;
  return true;
}

int
__wrap_pthread_cond_signal (pthread_cond_t *condition)
{
  if (running == NULL)
    return __real_pthread_cond_signal (condition);
  wake_first (condition);
  return 0;
}

int
__wrap_pthread_cond_broadcast (pthread_cond_t *condition)
{
  if (running == NULL)
    return __real_pthread_cond_broadcast (condition);
  while (wake_first (condition))
    ;
  return 0;
}

/* ---- words ---- */

void
__wrap_wait_word_sleep (wait_word *word, uint32_t seen)
{
  if (running == NULL)
    {
      __real_wait_word_sleep (word, seen);
      return;
    }
  simulated_threads_meet ();
  if (atomic_load (word) == seen)
    wait_for (THREAD_WORD, word, NEVER);
}

void
__wrap_wait_word_wake (wait_word *word, unsigned count)
{
  if (running == NULL)
    {
      __real_wait_word_wake (word, count);
      return;
    }
  atomic_fetch_add (word, 1);
  struct thread *first;
  for (; count > 0 && (first = first_waiting (THREAD_WORD, word)) != NULL; count--)
    first->state = THREAD_READY;
  simulated_threads_meet ();
}

/* ---- time and chance ---- */

int
__wrap_nanosleep (const struct timespec *time, struct timespec *left)
{
  if (running == NULL)
    return __real_nanosleep (time, left);
  wait_for (THREAD_SLEEP, NULL,
            now + (uint64_t) time->tv_sec * 1000000 + (uint64_t) (time->tv_nsec + 999) / 1000);
  return 0;
}

/* Somebody else's turn, and a moment passes: who yields in a loop waits for what another does. */
int
__wrap_sched_yield (void)
{
  if (running == NULL)
    return __real_sched_yield ();
  wait_for (THREAD_SLEEP, NULL, now + 1);
  return 0;
}

int
__wrap_clock_gettime (clockid_t clock, struct timespec *out)
{
  if (running == NULL)
    return __real_clock_gettime (clock, out);
  out->tv_sec = (time_t) (now / 1000000);
  out->tv_nsec = (long) (now % 1000000) * 1000;
  return 0;
}

ssize_t
__wrap_getrandom (void *to, size_t size, unsigned flags)
{
  if (running == NULL)
    return __real_getrandom (to, size, flags);
  uint8_t *at = to;
  for (size_t i = 0; i < size; i++)
    at[i] = (uint8_t) (random_next (&bytes_source) >> 24);
  return (ssize_t) size;
}

/* Costs more than a whole recovery and changes nothing that is tested. */
int
__wrap_malloc_trim (size_t keep)
{
  return running == NULL ? __real_malloc_trim (keep) : 0;
}
