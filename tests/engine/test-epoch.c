/* SPDX-License-Identifier: MIT */
/* epoch.h: E1 and E2 step by step, then under load, across threads, forks and lack of memory. */
#include "base/epoch.h"

#include "base/random.h"
#include "check.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ALIVE 0x600d600d600d600dull
#define DEAD 0xdeaddeaddeaddeadull

struct node
{
  struct epoch_link link; /* first, so that a link is its node */
  uint64_t canary;        /* ALIVE until released */
  struct node *child;     /* retired by the release, or NULL */
};

static _Atomic size_t made, released;
static _Atomic bool no_memory;

/* epoch.c is the only user here: stands in for a process out of memory. */
void *
aligned_alloc (size_t alignment, size_t size)
{
  void *out = NULL;
  return atomic_load (&no_memory) || posix_memalign (&out, alignment, size) != 0 ? NULL : out;
}

static struct node *
new_node (struct node *child)
{
  struct node *node = malloc (sizeof *node);
  CHECK (node != NULL);
  node->canary = ALIVE;
  node->child = child;
  atomic_fetch_add (&made, 1);
  return node;
}

static void
release_node (struct epoch_link *link)
{
  struct node *node = (struct node *) link;
  CHECK (node->canary == ALIVE);
  CHECK (!epoch_inside ());
  if (node->child != NULL)
    epoch_retire (&node->child->link, release_node);
  node->canary = DEAD;
  atomic_fetch_add (&released, 1);
  free (node);
}

static void
retire_node (struct node *node)
{
  epoch_retire (&node->link, release_node);
}

static void
settle (void)
{
  epoch_collect (true);
  CHECK_INT (released, made);
}

static void
test_nesting_and_own_section (void)
{
  CHECK (!epoch_inside ());
  epoch_enter ();
  epoch_enter ();
  epoch_leave ();
  CHECK (epoch_inside ());
  size_t before = released;
  for (int i = 0; i < 10 * EPOCH_BATCH; i++)
    retire_node (new_node (NULL));
  CHECK_INT (released, before); /* E2 */
  epoch_leave ();
  CHECK (!epoch_inside ());
  settle ();

  /* Without a wait: at most a batch stays behind when nobody is inside. */
  for (int i = 0; i < 10 * EPOCH_BATCH; i++)
    retire_node (new_node (NULL));
  CHECK (made - released < 2 * EPOCH_BATCH);
  epoch_collect (false);
  CHECK_INT (released, made);

  struct node *chain = NULL;
  for (int i = 0; i < 8; i++)
    chain = new_node (chain);
  retire_node (chain);
  settle ();
}

static void
test_evictor_clock (void)
{
  uint64_t now = epoch_advance ();
  CHECK (epoch_oldest () > now); /* nobody is inside */
  epoch_enter ();
  now = epoch_advance ();
  CHECK (epoch_oldest () <= now);
  epoch_leave ();
  CHECK (epoch_oldest () > now);
}

struct stepper
{
  _Atomic int step; /* 1: is inside, 2: may leave, 3: has left */
};

static void *
step_through (void *data)
{
  struct stepper *stepper = data;
  epoch_enter ();
  atomic_store (&stepper->step, 1);
  while (atomic_load (&stepper->step) != 2)
    sched_yield ();
  epoch_leave ();
  atomic_store (&stepper->step, 3);
  return NULL;
}

static void
begin_stepper (struct stepper *stepper, pthread_t *thread)
{
  atomic_store (&stepper->step, 0);
  CHECK (pthread_create (thread, NULL, step_through, stepper) == 0);
  while (atomic_load (&stepper->step) != 1)
    sched_yield ();
}

static void
end_stepper (struct stepper *stepper, pthread_t thread)
{
  atomic_store (&stepper->step, 2);
  CHECK (pthread_join (thread, NULL) == 0);
}

/* E1: what is retired while another thread is inside waits for it; what was retired before it
 * entered does not. */
static void
test_other_holds_back (void)
{
  struct stepper stepper;
  pthread_t thread;
  begin_stepper (&stepper, &thread);
  size_t before = released;
  for (int i = 0; i < 10 * EPOCH_BATCH; i++)
    retire_node (new_node (NULL));
  for (int i = 0; i < 10; i++)
    epoch_collect (false);
  CHECK_INT (released, before);
  uint64_t now = epoch_advance ();
  CHECK (epoch_oldest () <= now);
  end_stepper (&stepper, thread);
  settle ();

  retire_node (new_node (NULL));
  epoch_advance ();
  epoch_collect (false);
  begin_stepper (&stepper, &thread);
  epoch_collect (false);
  CHECK_INT (released, made);
  end_stepper (&stepper, thread);
}

/* C2: what was retired before a reader entered is free, whatever was retired since. */
static void
test_limbo_in_order (void)
{
  struct stepper first, second;
  pthread_t threads[2];
  settle ();
  begin_stepper (&first, &threads[0]);
  retire_node (new_node (NULL));
  epoch_collect (false); /* it is stamped, and waits */
  size_t before = released;
  begin_stepper (&second, &threads[1]);
  end_stepper (&first, threads[0]);
  retire_node (new_node (NULL));
  epoch_collect (false);
  CHECK_INT (released, before + 1);
  end_stepper (&second, threads[1]);
  settle ();
}

static void *
collect_memory (void *data)
{
  (void) data;
  epoch_collect_memory ();
  return NULL;
}

static void
release_beside_another (struct epoch_link *link)
{
  size_t before = released;
  pthread_t thread;
  CHECK (pthread_create (&thread, NULL, collect_memory, NULL) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK_INT (released, before);
  free (link);
}

/* C2: while one thread releases, another that collects leaves the rest to it. */
static void
test_one_collects (void)
{
  struct epoch_link *link = calloc (1, sizeof *link);
  CHECK (link != NULL);
  settle ();
  epoch_retire (link, release_beside_another);
  retire_node (new_node (NULL));
  settle ();
}

/* --- load ------------------------------------------------------------------------------------- */

#define SHARED_POINTERS 16
#define LOAD_OPERATIONS 60000

static _Atomic (struct node *) pointers[SHARED_POINTERS];

static void *
read_and_swap (void *data)
{
  struct random random = { (uint64_t) (uintptr_t) data };
  for (int i = 0; i < LOAD_OPERATIONS; i++)
    {
      size_t at = random_below (&random, SHARED_POINTERS);
      unsigned kind = (unsigned) random_below (&random, 8);
      epoch_enter ();
      struct node *node = atomic_load_explicit (&pointers[at], memory_order_acquire);
      CHECK (node->canary == ALIVE);
      if (kind == 0)
        sched_yield ();
      CHECK (node->canary == ALIVE);
      if (kind == 1)
        retire_node (atomic_exchange (&pointers[at], new_node (NULL)));
      epoch_leave ();
      if (kind == 2)
        retire_node (atomic_exchange (&pointers[at], new_node (new_node (NULL))));
      if (kind == 3 && i % 64 == 0)
        epoch_collect (i % 512 == 0);
    }
  return NULL;
}

static void
run_load (void)
{
  pthread_t threads[6];
  for (int i = 0; i < SHARED_POINTERS; i++)
    atomic_store (&pointers[i], new_node (NULL));
  for (uintptr_t i = 0; i < 6; i++)
    CHECK (pthread_create (&threads[i], NULL, read_and_swap, (void *) (i + 1)) == 0);
  for (int i = 0; i < 6; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  for (int i = 0; i < SHARED_POINTERS; i++)
    retire_node (atomic_load (&pointers[i]));
  settle ();
}

/* --- slots ------------------------------------------------------------------------------------ */

#define CROWD 300 /* more than one chunk of slots */

static void
with_crowd (void (*inside) (void))
{
  static struct stepper steppers[CROWD];
  static pthread_t threads[CROWD];
  pthread_attr_t small;
  pthread_attr_init (&small);
  pthread_attr_setstacksize (&small, 256 << 10);
  for (int i = 0; i < CROWD; i++) /* the last one is the last to come in */
    {
      for (int other = 0; i == CROWD - 1 && other < i; other++)
        while (atomic_load (&steppers[other].step) != 1)
          sched_yield ();
      atomic_store (&steppers[i].step, 0);
      CHECK (pthread_create (&threads[i], &small, step_through, &steppers[i]) == 0);
    }
  while (atomic_load (&steppers[CROWD - 1].step) != 1)
    sched_yield ();
  size_t before = released;
  retire_node (new_node (NULL));
  epoch_collect (false);
  CHECK_INT (released, before);
  inside ();
  for (int i = 0; i < CROWD - 1; i++)
    end_stepper (&steppers[i], threads[i]);
  retire_node (new_node (NULL));
  epoch_collect (false);
  CHECK_INT (released, before); /* the last one still holds both back */
  end_stepper (&steppers[CROWD - 1], threads[CROWD - 1]);
  pthread_attr_destroy (&small);
  settle ();
}

static void
check_crowd_has_slots (void)
{
  CHECK_INT (epoch_thread_count (), CROWD + 1);
}

static void
check_crowd_shares (void)
{
  CHECK_INT (epoch_thread_count (), 256);
  struct stepper stepper;
  pthread_t thread;
  begin_stepper (&stepper, &thread);
  end_stepper (&stepper, thread);
}

static void *
enter_once (void *data)
{
  epoch_enter ();
  epoch_leave ();
  return NULL;
}

/* ---- slow parts ---- */

static _Atomic unsigned slow_begun, slow_done;
static _Atomic bool slow_may_end;

static void
release_slowly (struct epoch_link *link)
{
  atomic_fetch_add (&slow_begun, 1);
  while (!atomic_load (&slow_may_end))
    sched_yield ();
  retire_node (new_node (NULL)); /* what a segment does with its pages */
  free (link);
  atomic_fetch_add (&slow_done, 1);
}

static void
release_and_defer (struct epoch_link *link)
{
  epoch_defer (link, release_slowly);
}

static void
retire_slow (void)
{
  struct epoch_link *link = calloc (1, sizeof *link);
  CHECK (link != NULL);
  epoch_retire (link, release_and_defer);
}

static void *
collect_slowly (void *data)
{
  (void) data;
  epoch_collect (false);
  return NULL;
}

/* While one thread is at a slow part, others free what was retired meanwhile; who waits, waits for
 * it. */
static void
test_slow_part (void)
{
  pthread_t thread;
  settle ();
  retire_slow ();
  epoch_collect_memory ();
  CHECK_INT (slow_begun, 0);
  CHECK (pthread_create (&thread, NULL, collect_slowly, NULL) == 0);
  while (atomic_load (&slow_begun) == 0)
    sched_yield ();
  size_t before = released;
  retire_node (new_node (NULL));
  epoch_collect (false);
  CHECK_INT (released, before + 1);
  CHECK_INT (slow_done, 0);
  atomic_store (&slow_may_end, true);
  epoch_collect (true);
  CHECK_INT (slow_done, 1);
  CHECK_INT (released, before + 2);
  CHECK (pthread_join (thread, NULL) == 0);
  retire_slow ();
  epoch_collect (true);
  CHECK_INT (slow_done, 2);
  CHECK_INT (released, before + 3);
}

static void
test_slots_return (void)
{
  pthread_t thread;
  for (int i = 0; i < 1000; i++)
    {
      CHECK (pthread_create (&thread, NULL, enter_once, NULL) == 0);
      CHECK (pthread_join (thread, NULL) == 0);
    }
  CHECK_INT (epoch_thread_count (), 1);
}

static _Atomic uint32_t runs_as
    = EPOCH_NO_NUMBER; /* the number of a thread that has run for 50 ms */
static _Atomic bool may_end;

static void *
run_a_while (void *data)
{
  struct timespec ran;
  enter_once (NULL);
  do
    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ran);
  while (ran.tv_sec == 0 && ran.tv_nsec < 50000000);
  atomic_store (&runs_as, epoch_thread_number ());
  while (!atomic_load (&may_end))
    sched_yield ();
  return NULL;
}

/* What a thread has run can be asked by others, while it is there. */
static void
test_thread_time (void)
{
  pthread_t thread;
  uint64_t before, ran;
  CHECK (pthread_create (&thread, NULL, run_a_while, NULL) == 0);
  while (atomic_load (&runs_as) == EPOCH_NO_NUMBER)
    sched_yield ();
  CHECK (epoch_thread_time (runs_as, &before));
  CHECK (before >= 50000000);
  CHECK (epoch_thread_time (runs_as, &ran));
  CHECK (ran >= before);
  atomic_store (&may_end, true);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (!epoch_thread_time (runs_as, &ran));
  CHECK (!epoch_thread_time (1000000, &ran));
  CHECK (!epoch_thread_time (EPOCH_NO_NUMBER, &ran));
}

static void
test_fork (void)
{
  struct stepper stepper;
  pthread_t thread;
  begin_stepper (&stepper, &thread);
  retire_node (new_node (NULL));
  epoch_enter ();
  pid_t child = fork ();
  if (child == 0)
    {
      /* The other thread is gone, its section with it; the parent's garbage is not ours. */
      size_t before = released;
      CHECK_INT (epoch_thread_count (), 1);
      CHECK (epoch_inside ());
      retire_node (new_node (NULL));
      CHECK_INT (released, before);
      epoch_leave ();
      epoch_collect (true);
      CHECK_INT (released, before + 1);
      _exit (0);
    }
  epoch_leave ();
  int outcome;
  CHECK (waitpid (child, &outcome, 0) == child);
  CHECK_INT (outcome, 0);
  end_stepper (&stepper, thread);
  settle ();
}

/* From now on this process may not ask for barriers. False: the system knows no such sandbox. */
static bool
forbid_barriers (void)
{
  struct sock_filter program[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = { sizeof program / sizeof *program, program };
  CHECK_INT (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  bool done = prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
  CHECK (done || errno == EINVAL || errno == ENOSYS);
  return done;
}

/* A program that locks itself up once it has opened its files still gets its memory back, and
 * ends. */
static void
test_sandbox (void)
{
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      alarm (120); /* for ever is too long */
      epoch_enter ();
      epoch_leave ();
      if (!forbid_barriers ())
        _exit (0);
      size_t before = atomic_load (&released);
      retire_node (new_node (new_node (NULL)));
      epoch_collect (true);
      CHECK_INT (atomic_load (&released) - before, 2);
      run_load ();
      _exit (0);
    }
  int ended;
  CHECK_INT (waitpid (child, &ended, 0), child);
  CHECK (WIFEXITED (ended) && WEXITSTATUS (ended) == 0);
}

int
main (void)
{
  test_nesting_and_own_section ();
  test_evictor_clock ();
  test_other_holds_back ();
  test_limbo_in_order ();
  test_one_collects ();
  test_slow_part ();
  run_load ();
  test_slots_return ();
  test_thread_time ();
  test_fork ();
  test_sandbox ();
  atomic_store (&no_memory, true);
  with_crowd (check_crowd_shares);
  run_load ();
  atomic_store (&no_memory, false);
  with_crowd (check_crowd_has_slots);
  test_slots_return ();
  return 0;
}
