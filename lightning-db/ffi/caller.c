/* SPDX-License-Identifier: MIT */
#include "caller.h"

#include "base/barrier.h"
#include "number-table.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

__thread struct caller *caller_self __attribute__ ((tls_model ("initial-exec")));
unsigned caller_fork_generation;

static _Atomic (struct caller *) callers; /* all of them; only ever pushed to */
static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key; /* its value is the thread's caller */
static bool thread_key_works;    /* written once by start */

/* ---- threads that come and go ---- */

/* The thread ends. Destructors that run later may call the library again: they claim anew, and this
 * runs again. */
static void
give_back (void *data)
{
  struct caller *caller = data;
  caller_self = NULL;
  atomic_store_explicit (&caller->claimed, false, memory_order_release);
}

static void
after_fork_in_child (void)
{
  caller_fork_generation++;
  for (struct caller *caller = atomic_load (&callers); caller != NULL; caller = caller->next)
    if (caller != caller_self)
      {
        atomic_store_explicit (&caller->uses, 0, memory_order_relaxed);
        atomic_store_explicit (&caller->claimed, false, memory_order_relaxed);
      }
}

static void
start (void)
{
  barrier_start ();
  pthread_atfork (NULL, NULL, after_fork_in_child);
  thread_key_works = pthread_key_create (&thread_key, give_back) == 0;
}

static struct caller *
claim_free (void)
{
  for (struct caller *caller = atomic_load (&callers); caller != NULL; caller = caller->next)
    if (!atomic_load_explicit (&caller->claimed, memory_order_relaxed)
        && !atomic_exchange_explicit (&caller->claimed, true, memory_order_acq_rel))
      return caller;
  return NULL;
}

static struct caller *
create (void)
{
  struct caller *caller = aligned_alloc (_Alignof(struct caller), sizeof *caller);
  if (caller == NULL)
    return NULL;
  *caller = (struct caller){ .claimed = true };
  caller->next = atomic_load (&callers);
  while (!atomic_compare_exchange_weak (&callers, &caller->next, caller))
    ;
  return caller;
}

struct caller *
caller_claim (void)
{
  pthread_once (&start_once, start);
  struct caller *caller = claim_free ();
  if (caller == NULL && (caller = create ()) == NULL)
    return NULL;
  caller->code = Success;
  caller->message[0] = '\0';
  /* Where that fails, the thread keeps its caller for ever: no harm but the memory. */
  if (thread_key_works)
    pthread_setspecific (thread_key, caller);
  caller_self = caller;
  return caller;
}

/* ---- waiting ---- */

static bool
is_used (uint64_t number)
{
  for (struct caller *caller = atomic_load (&callers); caller != NULL; caller = caller->next)
    if (atomic_load (&caller->uses) == number)
      return true;
  return false;
}

void
caller_wait_unused (uint64_t number)
{
  struct timespec pause = { 0, 20000 };
  barrier_all ();
  while (is_used (number))
    {
      nanosleep (&pause, NULL);
      if (pause.tv_nsec < 2000000)
        pause.tv_nsec *= 2;
    }
}

/* ---- failures ---- */

static LightningDBError
keep (struct caller *caller, LightningDBError code, const char *message)
{
  caller->code = code;
  snprintf (caller->message, sizeof caller->message, "%s", message);
  return code;
}

LightningDBError
caller_fail (struct caller *caller, LightningDBError code, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  caller->code = code;
  vsnprintf (caller->message, sizeof caller->message, format, arguments);
  va_end (arguments);
  return code;
}

LightningDBError
caller_null (struct caller *caller, const char *what)
{
  return caller_fail (caller, NullPointer, "%s is NULL; pass a valid one", what);
}

LightningDBError
caller_fail_full (struct caller *caller)
{
  return caller_fail (caller, LimitExceeded,
                      "%u handles are open, or there is no memory for another; free those that are "
                      "not needed any more",
                      NUMBER_TABLE_THINGS_MAX);
}

LightningDBError
caller_fail_status (struct caller *caller, status result)
{
  const struct failure *failure = &caller->failure;
  LightningDBError code = error_from_status (result);
  return keep (caller, code,
               failure->message[0] != '\0' ? failure->message : lightning_db_error_string (code));
}

LightningDBError
lightning_db_last_error (void)
{
  return caller_self != NULL ? caller_self->code : Success;
}

const char *
lightning_db_last_error_message (void)
{
  return caller_self != NULL ? caller_self->message : "";
}
