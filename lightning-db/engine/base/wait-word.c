/* SPDX-License-Identifier: MIT */
#include "base/wait-word.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void
wait_word_sleep (wait_word *word, uint32_t seen)
{
  syscall (SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void
wait_word_wake (wait_word *word, unsigned count)
{
  unsigned most = count < INT_MAX ? count : INT_MAX;
  atomic_fetch_add (word, 1);
  while (syscall (SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0) < 0)
    ; /* else they would sleep for ever */
}
