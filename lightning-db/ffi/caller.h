/* SPDX-License-Identifier: MIT */
/*
 * caller: what the library knows of each thread that calls it: which LightningDB handle it is using
 * at the moment, and what last went wrong on it.
 *
 * Every failure of a public function ends in one of the functions here, which keep its code and
 * message for lightning_db_last_error and return the code.
 *
 * Threads: a caller belongs to its thread, but for `uses`, which who frees a handle reads. Callers
 * live for ever: a thread that ends leaves its own to a later one.
 * Forks: in the child the other threads' callers are free again.
 */
#ifndef LIGHTNING_FFI_CALLER_H
#define LIGHTNING_FFI_CALLER_H

#include "engine.h"
#include "lightning_db_ffi.h"

#include <stdatomic.h>

struct caller
{
  _Alignas(64) _Atomic uint64_t uses; /* number of the LightningDB in use by a call; 0 = none */
  _Atomic bool claimed;               /* some thread's */
  struct caller *next;                /* of all; never changes once it is listed */
  LightningDBError code;              /* of the last failure */
  char message[FAILURE_MESSAGE_SIZE]; /* of the last failure */
  struct failure failure;             /* of the call that is under way */
};

extern __thread struct caller *caller_self
    __attribute__ ((tls_model ("initial-exec"), visibility ("hidden")));

/* Raised in each fork's child; what was made before belongs to the parent. */
extern unsigned caller_fork_generation __attribute__ ((visibility ("hidden")));

/* The first call of a thread; NULL when out of memory. */
struct caller *caller_claim (void);

/* The calling thread's, with an empty failure. NULL when there is no memory for one: then return
 * OutOfMemory. */
static inline struct caller *
caller_get (void)
{
  struct caller *caller = caller_self;
  if (__builtin_expect (caller == NULL, 0) && (caller = caller_claim ()) == NULL)
    return NULL;
  failure_reset (&caller->failure);
  return caller;
}

/* Returns when no call that began before uses the LightningDB of that number any more. */
void caller_wait_unused (uint64_t number);

/* ---- failures: each keeps code and message, and returns the code ---- */

LightningDBError caller_fail (struct caller *caller, LightningDBError code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
LightningDBError caller_null (struct caller *caller, const char *what);
/* A table of handles is full. */
LightningDBError caller_fail_full (struct caller *caller);
/* What the engine said: Success for STATUS_OK; the message is caller->failure's. */
LightningDBError caller_fail_status (struct caller *caller, status result);

static inline LightningDBError
caller_answer (struct caller *caller, status result)
{
  return __builtin_expect (result == STATUS_OK, 1) ? Success : caller_fail_status (caller, result);
}

LightningDBError error_from_status (status result);

#endif
