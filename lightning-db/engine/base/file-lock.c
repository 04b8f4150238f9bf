/* SPDX-License-Identifier: MIT */
#include "base/file-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct file_lock *held; /* mutex */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- forks ---- */

static void
before_fork (void)
{
  pthread_mutex_lock (&mutex);
}

static void
after_fork_in_parent (void)
{
  pthread_mutex_unlock (&mutex);
}

/* Calls nothing that the child of a threaded process may not call. */
static void
after_fork_in_child (void)
{
  for (struct file_lock *lock = held, *next; lock != NULL; lock = next)
    {
      next = lock->next;
      close (*lock->descriptor);
      *lock->descriptor = -1;
      *lock = (struct file_lock){ 0 };
    }
  held = NULL;
  pthread_mutex_unlock (&mutex);
}

static void
watch_forks (void)
{
  pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
}

/* ---- taking ---- */

static int
lock_byte (int descriptor, int command, short type)
{
  struct flock first = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };
  while (fcntl (descriptor, command, &first) != 0)
    if (errno != EINTR)
      return errno;
  return 0;
}

static int
take_byte (int descriptor)
{
  return lock_byte (descriptor, F_OFD_SETLK, F_WRLCK);
}

static int
take_whole (int descriptor)
{
  while (flock (descriptor, LOCK_EX | LOCK_NB) != 0)
    if (errno != EINTR)
      return errno;
  return 0;
}

/* Takes and lists it, so that no fork comes between. */
static int
take (struct file_lock *lock, int *descriptor, int (*how) (int descriptor))
{
  pthread_once (&once, watch_forks);
  pthread_mutex_lock (&mutex);
  int error = how (*descriptor);
  if (error == 0 && lock->descriptor == NULL)
    {
      *lock = (struct file_lock){ held, descriptor };
      held = lock;
    }
  pthread_mutex_unlock (&mutex);
  return error;
}

int
file_lock_take_byte (struct file_lock *lock, int *descriptor, bool wait)
{
  /* Waited for without the mutex; after that it is there for the taking. */
  int error = wait ? lock_byte (*descriptor, F_OFD_SETLKW, F_WRLCK) : 0;
  return error == 0 ? take (lock, descriptor, take_byte) : error;
}

int
file_lock_take_whole (struct file_lock *lock, int *descriptor)
{
  return take (lock, descriptor, take_whole);
}

static int
take_nothing (int descriptor)
{
  (void) descriptor;
  return 0;
}

void
file_lock_watch (struct file_lock *lock, int *descriptor)
{
  take (lock, descriptor, take_nothing);
}

void
file_lock_release (struct file_lock *lock)
{
  pthread_mutex_lock (&mutex);
  int *descriptor = lock->descriptor;
  struct file_lock **at = &held;
  while (descriptor != NULL && *at != lock)
    at = &(*at)->next;
  if (descriptor != NULL)
    {
      *at = lock->next;
      lock_byte (*descriptor, F_OFD_SETLK, F_UNLCK); /* one of the two is held; the other call */
      flock (*descriptor, LOCK_UN);                  /* does nothing */
    }
  *lock = (struct file_lock){ 0 };
  pthread_mutex_unlock (&mutex);
}
